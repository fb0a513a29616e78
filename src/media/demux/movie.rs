//! Opening MP4, M4A and QuickTime audio.
//!
//! The start of the music is what the edit list says, else the `iTunSMPB` tag, else the first packet. The end is that
//! of the packets, shortened where the last one is stated to be shorter or the tag or the edit list ends earlier. Edit
//! durations often count thousandths of a second, so they only count when they differ by more than one such step.

use super::{
    Extent, MPEG_PRE_ROLL, Opened, Stem, aac,
    flac::StreamInfo,
    mp4::{self, Edit, Movie, Track},
    mpeg,
};
use crate::{
    error::Result,
    media::{
        Bits, Remark,
        packet_source::PacketSource,
        packet_table::{Entry, PacketTable},
        symphonia_adapter::{Codec, Container, Decoder},
    },
};

/// A codec as its track describes it.
struct Described {
    codec: Codec,
    name: &'static str,
    rate: u32,
    channels: usize,
    bits: Option<u16>,
    /// Frames of a packet, where all have the same.
    frames: Option<u32>,
    config: Option<Box<[u8]>>,
}

impl Stem<'_> {
    pub(super) fn mp4(&self) -> Result<Opened> {
        let movie = match mp4::read(self.file) {
            Ok(movie) => movie,
            Err(Some(e)) => return Err(self.io(e)),
            Err(None) => {
                return Err(self.corrupt("MP4: its index (moov) is missing or not whole: the file is probably cut off"));
            }
        };
        let chosen = self.chosen(movie.tracks.len())?;
        let Some(track) = movie.tracks.get(chosen) else { return Err(self.corrupt("MP4: no such stream")) };
        let Some(is) = self.describe(track)? else { return self.demuxed_mp4(&movie, chosen) };
        if movie.fragmented {
            return self.demuxed_mp4(&movie, chosen);
        }
        let (rate, channels) = self.limits(is.rate, is.channels)?;
        let mut entries = track.entries(is.frames);
        let total = entries.last().map_or(0, |e| e.at + u64::from(e.frames));
        let held = self.held(&mut entries, total)?;
        let mut remarks = Vec::new();
        let (extent, lead) = self.extent(&movie, track, is.rate, total, held, &mut remarks)?;
        let lossless = matches!(is.codec, Codec::Alac | Codec::Flac);
        let stated = movie.smpb.is_some() || track.edits.iter().any(|e| e.from >= 0);
        if !lossless && !stated {
            remarks.push(Remark::AlignmentUnknown);
        }
        let linear = is.codec == Codec::Aac;
        if linear {
            remarks.push(Remark::SlowSeek);
        }
        let table = PacketTable::new(self.file.clone(), entries);
        if linear {
            self.no_sbr(&table, "MP4")?;
        }
        let name = format!("{} in MP4", is.name);
        let made = Decoder::new(is.codec, is.rate, is.channels, is.config);
        let mut decoder = made.map_err(|f| self.fault(&name, f))?;
        let mut feed = PacketSource::PacketTable(table);
        let seen = self.trial(&mut feed, &mut decoder, &name)?;
        let (rate, channels) = match seen {
            Some(out) => self.limits(out.rate, out.channels)?,
            None => (rate, channels),
        };
        let trimmed = |a: i64, b: i64| u64::try_from(a.saturating_sub(b)).unwrap_or(0);
        Ok(Opened {
            feed,
            decoder,
            codec: name,
            rate,
            channels,
            mask: seen.map_or(0, |s| s.mask),
            bits: is.bits.map(|width| Bits { width, float: false }),
            origin: extent.origin,
            lead,
            frames: extent.frames(),
            missing: extent.missing(),
            trimmed: (trimmed(extent.origin, -signed(lead)), trimmed(signed(total), extent.end)),
            streams: movie.tracks.len(),
            remarks,
            linear,
            pre_roll: if matches!(is.codec, Codec::Mp3) { MPEG_PRE_ROLL } else { 0 },
        })
    }

    /// Drops the packets that the file does not hold; the position up to which it does.
    fn held(&self, entries: &mut Vec<Entry>, total: u64) -> Result<u64> {
        let len = self.file.len();
        let cut = entries.iter().position(|e| e.offset.saturating_add(e.size.into()) > len);
        let Some(cut) = cut else { return Ok(total) };
        let held = entries.get(cut).map_or(total, |e| e.at);
        entries.truncate(cut);
        Ok(held)
    }

    /// Where the music begins and ends.
    fn extent(
        &self,
        movie: &Movie,
        track: &Track,
        rate: u32,
        total: u64,
        held: u64,
        remarks: &mut Vec<Remark>,
    ) -> Result<(Extent, u64)> {
        let mut end = total;
        // What the header of a fragmented file says of lengths is not about its fragments.
        if !movie.fragmented && track.timescale == rate && track.ticks() > 0 && track.ticks() < total {
            end = track.ticks();
        }
        let empty = track.edits.iter().take_while(|e| e.from == -1).map(|e| e.len).fold(0, u64::saturating_add);
        let lead = scale(empty, rate, movie.timescale);
        let mut origin = 0;
        let real: Vec<&Edit> = track.edits.iter().filter(|e| e.from >= 0).collect();
        match real.as_slice() {
            [] => {}
            [edit] => {
                origin = scale(u64::try_from(edit.from).unwrap_or(0), rate, track.timescale);
                let edit_end = origin.saturating_add(scale(edit.len, rate, movie.timescale));
                let step = u64::from(rate.div_ceil(movie.timescale.max(1)));
                if !movie.fragmented && edit.len > 0 && edit_end + step < end {
                    end = edit_end;
                }
            }
            many => {
                return Err(self.unsupported(format!("an edit list of {} pieces in MP4", many.len())));
            }
        }
        if let Some(smpb) = movie.smpb.filter(|_| movie.tracks.len() == 1) {
            if real.is_empty() {
                origin = smpb.delay;
            }
            let stop = origin.saturating_add(smpb.len);
            if stop <= total {
                end = stop;
            } else if held == total {
                let (stated, found) = (smpb.len, total.saturating_sub(origin));
                remarks.push(Remark::HeaderLength { stated: crate::Frames(stated), found: crate::Frames(found) });
            }
        }
        let extent = Extent {
            origin: signed(origin).saturating_sub(signed(lead)),
            end: signed(end.max(origin)),
            held: signed(held),
        };
        Ok((extent, lead))
    }

    /// What a track is; `None` for a codec that the demuxer may know.
    fn describe(&self, track: &Track) -> Result<Option<Described>> {
        let channels = usize::from(track.channels);
        let config = track.config.clone();
        let lacking = |what: &str| self.corrupt(format!("{what} in MP4: the decoder's configuration is missing"));
        let no = |what: &str| Err(self.unsupported(format!("{what} in MP4")));
        let mp3 = || {
            let entries = track.entries(Some(1)).into_iter().take(1).collect();
            let first = PacketTable::new(self.file.clone(), entries).peek(1);
            let h = mpeg::Header::parse(first.first()?)?;
            let (codec, name) = match h.layer {
                1 => (Codec::Mp1, "MP1"),
                2 => (Codec::Mp2, "MP2"),
                _ => (Codec::Mp3, "MP3"),
            };
            let (rate, channels, frames) = (h.rate, usize::from(h.channels), Some(h.frames));
            Some(Described { codec, name, rate, channels, bits: None, frames, config: None })
        };
        Ok(Some(match (&track.fourcc, track.object) {
            (b"mp4a", 0x40 | 0x66..=0x68) => {
                let data = config.ok_or_else(|| lacking("AAC"))?;
                let is = aac::config(&data).ok_or_else(|| lacking("AAC"))?;
                if let Some(what) = is.refused() {
                    return no(&what);
                }
                let channels = usize::try_from(is.channels).unwrap_or(0);
                let (codec, name, frames) = (Codec::Aac, "AAC", Some(1024));
                // The plain form of it: some files have extensions that the decoder stumbles on.
                let config = Some(is.plain().unwrap_or(data));
                Described { codec, name, rate: is.rate, channels, bits: None, frames, config }
            }
            (b"mp4a", 0x69 | 0x6B) | (b".mp3" | b"ms\0\x55" | b"mp3 ", _) => {
                mp3().ok_or_else(|| self.corrupt("MP3 in MP4: no frame header where the first packet is"))?
            }
            (b"alac", _) => {
                let data = config.ok_or_else(|| lacking("ALAC"))?;
                let byte = |at: usize| data.get(at).copied().map(u32::from);
                let word = |at: usize| Some(byte(at)? << 24 | byte(at + 1)? << 16 | byte(at + 2)? << 8 | byte(at + 3)?);
                let all = || Some((word(0)?, data.get(5).copied()?, data.get(9).copied()?, word(20)?));
                let (each, bits, channels, rate) = all().ok_or_else(|| lacking("ALAC"))?;
                let frames = (track.timescale != rate).then_some(each);
                let (codec, name, channels) = (Codec::Alac, "ALAC", usize::from(channels));
                Described { codec, name, rate, channels, bits: Some(bits.into()), frames, config: Some(data) }
            }
            (b"fLaC", _) => {
                let data = config.ok_or_else(|| lacking("FLAC"))?;
                let info = StreamInfo::parse(&data).ok_or_else(|| lacking("FLAC"))?;
                if info.bits > 24 && info.channels == 2 {
                    return no("FLAC of more than 24 bits in stereo");
                }
                let frames = (track.timescale != info.rate).then_some(u32::from(info.block));
                let (codec, name, channels) = (Codec::Flac, "FLAC", usize::from(info.channels));
                let bits = Some(info.bits.into());
                Described { codec, name, rate: info.rate, channels, bits, frames, config: Some(data) }
            }
            (b"enca" | b"drms" | b"drmi", _) => return no("protected audio (DRM)"),
            (b"ac-3", _) | (b"mp4a", 0xA5) => return no("AC-3"),
            (b"ec-3", _) | (b"mp4a", 0xA6) => return no("E-AC-3"),
            (b"ac-4", _) => return no("AC-4"),
            (b"Opus", _) => return no("Opus"),
            (b"mha1" | b"mha2" | b"mhm1" | b"mhm2", _) => return no("MPEG-H 3D Audio"),
            (b"dtsc" | b"dtsh" | b"dtsl" | b"dtse" | b"dtsx", _) | (b"mp4a", 0xA9) => return no("DTS"),
            (b"mlpa", _) => return no("TrueHD"),
            (b"samr" | b"sawb", _) => return no("AMR"),
            (b"iamf", _) => return no("IAMF"),
            (b"mp4a", object) => return no(&format!("audio of object type {object:#04x}")),
            _ if channels == 0 => return no("audio without a description"),
            _ => return Ok(None),
        }))
    }

    /// A track whose packets the demuxer has to find: fragmented files and PCM.
    fn demuxed_mp4(&self, movie: &Movie, chosen: usize) -> Result<Opened> {
        let track = movie.tracks.get(chosen);
        let fourcc = track.map(|t| String::from_utf8_lossy(&t.fourcc).into_owned()).unwrap_or_default();
        // The demuxer takes all wide samples for little-endian: without that mark they would be noise.
        if matches!(fourcc.as_str(), "in24" | "in32" | "fl32" | "fl64") && !track.is_some_and(|t| t.little) {
            return Err(self.unsupported(format!("big-endian PCM of type \"{fourcc}\" in MP4")));
        }
        let known = ["sowt", "twos", "raw ", "in24", "in32", "fl32", "fl64", "mp4a", "alac", "fLaC", ".mp3"];
        if !known.contains(&fourcc.as_str()) {
            return Err(self.unsupported(format!("audio of type \"{}\" in MP4", fourcc.escape_default())));
        }
        let (mut opened, _) = self.counted(Container::FragmentedMp4, "MP4")?;
        if let Some(track) = track {
            let (total, held) = (opened.frames, opened.frames - opened.missing);
            let mut remarks = Vec::new();
            let (extent, lead) = self.extent(movie, track, opened.rate.hz(), total, held, &mut remarks)?;
            let start = unsigned(extent.origin.saturating_add(signed(lead)));
            opened.trimmed = (start, total - total.min(unsigned(extent.end)));
            (opened.origin, opened.lead) = (extent.origin, lead);
            (opened.frames, opened.missing) = (extent.frames(), extent.missing());
            opened.remarks.append(&mut remarks);
            if fourcc == "mp4a" && !track.edits.iter().any(|e| e.from >= 0) {
                opened.remarks.push(Remark::AlignmentUnknown);
            }
        }
        Ok(opened)
    }
}

/// `ticks` of a time scale in frames, to the nearest.
fn scale(ticks: u64, rate: u32, timescale: u32) -> u64 {
    let of = u128::from(timescale.max(1));
    u64::try_from((u128::from(ticks) * u128::from(rate) + of / 2) / of).unwrap_or(u64::MAX)
}

fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
