//! Opens MP4, M4A and QuickTime audio (ISO/IEC 14496-12, 14496-14; Apple, QuickTime File Format).
//!
//! `symphonia`'s demuxer neither applies edit lists nor reads the `iTunSMPB` tag, and does not expose the durations of
//! the packets or which of them a truncated file lacks. So the movie header (`moov`) is parsed here and packets are
//! read through its sample table. Fragmented files and PCM still go through the demuxer, with the edit list of the
//! header.
//!
//! The audio starts where the edit list says, else where `iTunSMPB` says, else at the first packet. It ends with the
//! last packet, or earlier where the durations of the packets, `iTunSMPB` or the edit list say so. Edit durations often
//! count milliseconds, so they apply only if they differ by more than one such step.

use super::{
    AudioExtent, OpenedStem, StemFile, aac::AacConfig, flac::StreamInfo, frame_scan::FrameHeader,
    mpeg, signed, unsigned,
};
use crate::{
    error::Result,
    media::{
        Bits, Remark,
        packet_source::PacketSource,
        packet_table::{PacketEntry, PacketTable},
        sparse_reader::FileView,
        symphonia_adapter::{Codec, Container, Decoder},
    },
    storage::InputFile,
    units::Frames,
};
use std::io::{self, Read, Seek, SeekFrom};

/// Size limit of the movie header in bytes. Ten hours of AAC need 6 MiB.
const MAX_MOOV_BYTES: u64 = 64 << 20;

/// Maximum number of boxes at the outer level that are visited.
const MAX_BOXES: usize = 65_536;

/// Maximum number of packets that all have the same size: there is no table whose length bounds them.
const MAX_EQUAL_PACKETS: usize = 1 << 24;

/// A codec as its track describes it.
struct TrackCodec {
    codec: Codec,
    name: &'static str,
    rate: u32,
    channels: usize,
    bits: Option<u16>,
    /// Duration of each packet in frames; `None` if the time scale counts frames, so that the table has the durations.
    packet_frames: Option<u32>,
    /// Configuration of the decoder.
    config: Option<Box<[u8]>>,
}

impl StemFile<'_> {
    pub(super) fn open_mp4(&self) -> Result<OpenedStem> {
        let movie = match Movie::read(self.file) {
            Ok(Some(movie)) => movie,
            Ok(None) => {
                return Err(self.corrupt(
                    "MP4: its index (moov) is missing or not whole: the file is probably cut off",
                ));
            }
            Err(e) => return Err(self.io_error(e)),
        };
        let index = self
            .stream_index(movie.tracks.len())?
            .ok_or_else(|| self.no_audio())?;
        let track = movie.tracks.get(index).ok_or_else(|| self.no_audio())?;
        match self.track_codec(track)? {
            Some(codec) if !movie.fragmented => self.open_sample_table(&movie, track, codec),
            _ => self.open_demuxed_mp4(&movie, track),
        }
    }

    /// Opens a track whose packets are listed in the movie header.
    fn open_sample_table(
        &self,
        movie: &Movie,
        track: &Mp4Track,
        is: TrackCodec,
    ) -> Result<OpenedStem> {
        let (rate, channels) = self.check_limits(is.rate, is.channels)?;
        let mut entries = track.entries(is.packet_frames);
        let total = entries.last().map_or(0, |e| e.at + u64::from(e.frames));
        let available = self.remove_truncated(&mut entries, total);
        let mut remarks = Vec::new();
        let (extent, leading_silence) =
            self.edited_extent(movie, track, is.rate, total, available, &mut remarks)?;
        let lossless = matches!(is.codec, Codec::Alac | Codec::Flac);
        if !lossless && movie.smpb.is_none() && !track.has_media_edit() {
            remarks.push(Remark::AlignmentUnknown);
        }
        let seeks_from_start = is.codec == Codec::Aac;
        let table = PacketTable::new(self.file.clone(), entries);
        if seeks_from_start {
            remarks.push(Remark::SlowSeek);
            self.refuse_undeclared_sbr(&table, "MP4")?;
        }
        let name = format!("{} in MP4", is.name);
        let decoder = Decoder::for_codec(is.codec, is.rate, is.channels, is.config);
        let mut decoder = decoder.map_err(|f| self.codec_error(&name, f))?;
        let mut packets = PacketSource::Table(table);
        let decoded = self.decode_first(&mut packets, &mut decoder, &name)?;
        let (rate, channels) = match decoded {
            Some(out) => self.check_limits(out.rate, out.channels)?,
            None => (rate, channels),
        };
        Ok(OpenedStem {
            packets,
            decoder,
            codec: name,
            rate,
            channels,
            mask: decoded.map_or(0, |out| out.mask),
            bits: is.bits.map(|width| Bits {
                width,
                float: false,
            }),
            origin: extent.origin,
            leading_silence,
            frames: extent.frames(),
            missing: extent.missing(),
            trimmed_start: unsigned(extent.origin.saturating_add(signed(leading_silence))),
            trimmed_end: unsigned(signed(total).saturating_sub(extent.end)),
            streams: movie.tracks.len(),
            remarks,
            seeks_from_start,
            pre_roll: if is.codec == Codec::Mp3 {
                mpeg::PRE_ROLL
            } else {
                0
            },
        })
    }

    /// Opens a track whose packets only the demuxer can find: of a fragmented file, or PCM.
    fn open_demuxed_mp4(&self, movie: &Movie, track: &Mp4Track) -> Result<OpenedStem> {
        let fourcc = String::from_utf8_lossy(&track.fourcc);
        // The demuxer takes PCM of these types for little-endian, which turns big-endian samples into noise.
        if matches!(&*fourcc, "in24" | "in32" | "fl32" | "fl64") && !track.is_little_endian {
            return Err(self.unsupported(format!("big-endian PCM of type \"{fourcc}\" in MP4")));
        }
        let known = [
            "sowt", "twos", "raw ", "in24", "in32", "fl32", "fl64", "mp4a", "alac", "fLaC", ".mp3",
        ];
        if !known.contains(&&*fourcc) {
            return Err(self.unsupported(format!(
                "audio of type \"{}\" in MP4",
                fourcc.escape_default()
            )));
        }
        let (demuxed, streams) =
            self.demux(Container::Mp4, "MP4", FileView::whole(self.file), |_| 0)?;
        let mut opened = self.open_counted(demuxed, streams, "MP4")?;
        let (total, available) = (opened.frames, opened.frames - opened.missing);
        let rate = opened.rate.hz();
        let (extent, leading_silence) =
            self.edited_extent(movie, track, rate, total, available, &mut opened.remarks)?;
        opened.trimmed_start = unsigned(extent.origin.saturating_add(signed(leading_silence)));
        opened.trimmed_end = total - total.min(unsigned(extent.end));
        (opened.origin, opened.leading_silence) = (extent.origin, leading_silence);
        (opened.frames, opened.missing) = (extent.frames(), extent.missing());
        if track.fourcc == *b"mp4a" && !track.has_media_edit() {
            opened.remarks.push(Remark::AlignmentUnknown);
        }
        Ok(opened)
    }

    /// Removes the packets that a truncated file does not contain and returns the position up to which it does.
    fn remove_truncated(&self, entries: &mut Vec<PacketEntry>, total: u64) -> u64 {
        let len = self.file.len();
        let missing = entries
            .iter()
            .position(|e| e.offset.saturating_add(e.size.into()) > len);
        let Some(first_missing) = missing else {
            return total;
        };
        let available = entries.get(first_missing).map_or(total, |e| e.at);
        entries.truncate(first_missing);
        available
    }

    /// Applies the edit list and `iTunSMPB` to `total` frames of packets, of which `available` are in the file. Returns
    /// the extent and the frames of silence that empty edits put before it.
    fn edited_extent(
        &self,
        movie: &Movie,
        track: &Mp4Track,
        rate: u32,
        total: u64,
        available: u64,
        remarks: &mut Vec<Remark>,
    ) -> Result<(AudioExtent, u64)> {
        let mut end = total;
        // The durations in the header of a fragmented file do not cover its fragments.
        if !movie.fragmented
            && track.timescale == rate
            && track.ticks() > 0
            && track.ticks() < total
        {
            end = track.ticks();
        }
        let empty = track
            .edits
            .iter()
            .take_while(|e| e.is_empty())
            .map(|e| e.duration)
            .fold(0, u64::saturating_add);
        let leading_silence = rescale(empty, movie.timescale, rate);
        let mut origin = 0;
        let media_edits: Vec<&Edit> = track.edits.iter().filter(|e| e.media_time >= 0).collect();
        match media_edits.as_slice() {
            [] => {}
            [edit] => {
                origin = rescale(unsigned(edit.media_time), track.timescale, rate);
                let edit_end = origin.saturating_add(rescale(edit.duration, movie.timescale, rate));
                let step = u64::from(rate.div_ceil(movie.timescale.max(1)));
                if !movie.fragmented && edit.duration > 0 && edit_end + step < end {
                    end = edit_end;
                }
            }
            many => {
                return Err(
                    self.unsupported(format!("an edit list of {} pieces in MP4", many.len()))
                );
            }
        }
        // The tag belongs to the file, so it says nothing about one of several tracks.
        if let Some(smpb) = movie.smpb.filter(|_| movie.tracks.len() == 1) {
            if media_edits.is_empty() {
                origin = smpb.delay;
            }
            let smpb_end = origin.saturating_add(smpb.frames);
            if smpb_end <= total {
                end = smpb_end;
            } else if available == total {
                let (stated, found) = (smpb.frames, total.saturating_sub(origin));
                remarks.push(Remark::HeaderLength {
                    stated: Frames(stated),
                    found: Frames(found),
                });
            }
        }
        let extent = AudioExtent {
            origin: signed(origin).saturating_sub(signed(leading_silence)),
            end: signed(end.max(origin)),
            available_end: signed(available),
        };
        Ok((extent, leading_silence))
    }

    /// Identifies the codec of a track; `None` for one that the demuxer may know.
    fn track_codec(&self, track: &Mp4Track) -> Result<Option<TrackCodec>> {
        let unsupported = |what: &str| Err(self.unsupported(format!("{what} in MP4")));
        match (&track.fourcc, track.object_type) {
            (b"mp4a", 0x40 | 0x66..=0x68) => self.aac_track(track).map(Some),
            (b"mp4a", 0x69 | 0x6B) | (b".mp3" | b"ms\0\x55" | b"mp3 ", _) => match self
                .mpeg_track(track)
            {
                Some(codec) => Ok(Some(codec)),
                None => Err(self.corrupt("MP3 in MP4: no frame header where the first packet is")),
            },
            (b"alac", _) => self.alac_track(track).map(Some),
            (b"fLaC", _) => self.flac_track(track).map(Some),
            (b"enca" | b"drms" | b"drmi", _) => unsupported("protected audio (DRM)"),
            (b"ac-3", _) | (b"mp4a", 0xA5) => unsupported("AC-3"),
            (b"ec-3", _) | (b"mp4a", 0xA6) => unsupported("E-AC-3"),
            (b"ac-4", _) => unsupported("AC-4"),
            (b"Opus", _) => unsupported("Opus"),
            (b"mha1" | b"mha2" | b"mhm1" | b"mhm2", _) => unsupported("MPEG-H 3D Audio"),
            (b"dtsc" | b"dtsh" | b"dtsl" | b"dtse" | b"dtsx", _) | (b"mp4a", 0xA9) => {
                unsupported("DTS")
            }
            (b"mlpa", _) => unsupported("TrueHD"),
            (b"samr" | b"sawb", _) => unsupported("AMR"),
            (b"iamf", _) => unsupported("IAMF"),
            (b"mp4a", object_type) => {
                unsupported(&format!("audio of object type {object_type:#04x}"))
            }
            _ if track.channels == 0 => unsupported("audio without a description"),
            _ => Ok(None),
        }
    }

    fn aac_track(&self, track: &Mp4Track) -> Result<TrackCodec> {
        let data = self.decoder_config(track, "AAC")?;
        let config = AacConfig::parse(&data).ok_or_else(|| self.no_decoder_config("AAC"))?;
        if let Some(what) = config.unsupported_name() {
            return Err(self.unsupported(format!("{what} in MP4")));
        }
        Ok(TrackCodec {
            codec: Codec::Aac,
            name: "AAC",
            rate: config.rate,
            channels: config.channels as usize,
            bits: None,
            packet_frames: Some(1024),
            // Without extensions: the decoder fails on some of them.
            config: Some(config.to_plain_bytes().unwrap_or(data)),
        })
    }

    /// Reads what the track does not say from the first packet; `None` if that does not begin with a frame header.
    fn mpeg_track(&self, track: &Mp4Track) -> Option<TrackCodec> {
        let first = track.entries(Some(1)).into_iter().take(1).collect();
        let packets = PacketTable::new(self.file.clone(), first).read_first(1);
        let header = FrameHeader::parse(packets.first()?)?;
        let (codec, name) = mpeg::layer_codec(&header);
        Some(TrackCodec {
            codec,
            name,
            rate: header.rate,
            channels: usize::from(header.channels),
            bits: None,
            packet_frames: Some(header.frames),
            config: None,
        })
    }

    fn alac_track(&self, track: &Mp4Track) -> Result<TrackCodec> {
        let data = self.decoder_config(track, "ALAC")?;
        let config = AlacConfig::parse(&data).ok_or_else(|| self.no_decoder_config("ALAC"))?;
        Ok(TrackCodec {
            codec: Codec::Alac,
            name: "ALAC",
            rate: config.rate,
            channels: usize::from(config.channels),
            bits: Some(config.bits.into()),
            packet_frames: (track.timescale != config.rate).then_some(config.packet_frames),
            config: Some(data),
        })
    }

    fn flac_track(&self, track: &Mp4Track) -> Result<TrackCodec> {
        let data = self.decoder_config(track, "FLAC")?;
        let info = StreamInfo::parse(&data).ok_or_else(|| self.no_decoder_config("FLAC"))?;
        // The decoder can overflow, and there is no MD5 of the packets to notice it.
        if info.bits > 24 && info.channels == 2 {
            return Err(self.unsupported("FLAC of more than 24 bits in stereo in MP4"));
        }
        Ok(TrackCodec {
            codec: Codec::Flac,
            name: "FLAC",
            rate: info.rate,
            channels: usize::from(info.channels),
            bits: Some(info.bits.into()),
            packet_frames: (track.timescale != info.rate).then_some(info.block_frames.into()),
            config: Some(data),
        })
    }

    fn decoder_config(&self, track: &Mp4Track, codec: &str) -> Result<Box<[u8]>> {
        track
            .config
            .clone()
            .ok_or_else(|| self.no_decoder_config(codec))
    }

    fn no_decoder_config(&self, codec: &str) -> crate::Error {
        self.corrupt(format!(
            "{codec} in MP4: the decoder's configuration is missing"
        ))
    }
}

/// Converts a duration from ticks of a time scale to frames, rounded to the nearest.
fn rescale(ticks: u64, timescale: u32, rate: u32) -> u64 {
    let timescale = u128::from(timescale.max(1));
    let frames = (u128::from(ticks) * u128::from(rate) + timescale / 2) / timescale;
    // No file is that long: the duration is damaged.
    u64::try_from(frames).unwrap_or(u64::MAX)
}

/// The fields of an ALACSpecificConfig (Apple, ALAC magic cookie description) that the packet table needs.
struct AlacConfig {
    packet_frames: u32,
    bits: u8,
    channels: u8,
    rate: u32,
}

impl AlacConfig {
    fn parse(data: &[u8]) -> Option<Self> {
        Some(Self {
            packet_frames: be32(data, 0)?,
            bits: *data.get(5)?,
            channels: *data.get(9)?,
            rate: be32(data, 20)?,
        })
    }
}

/// The movie header of a file, as far as it concerns audio.
#[derive(Debug, Default)]
struct Movie {
    /// Ticks per second of edit durations.
    timescale: u32,
    /// Whether packets are listed in fragments (`moof`) instead of the sample tables.
    fragmented: bool,
    /// Audio tracks.
    tracks: Vec<Mp4Track>,
    smpb: Option<ItunSmpb>,
}

/// The `iTunSMPB` tag: encoder delay, encoder padding and length of the audio, in frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ItunSmpb {
    delay: u64,
    padding: u64,
    frames: u64,
}

/// One entry of an edit list (ISO/IEC 14496-12, 8.6.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Edit {
    /// In ticks of the movie's time scale.
    duration: u64,
    /// Start in ticks of the track's time scale; −1 for silence.
    media_time: i64,
}

impl Edit {
    fn is_empty(&self) -> bool {
        self.media_time == -1
    }
}

/// One audio track.
#[derive(Debug, Default)]
struct Mp4Track {
    /// Type of the sample entry: `mp4a`, `alac`, ...
    fourcc: [u8; 4],
    /// Object type indication of an `esds` (ISO/IEC 14496-1, 7.2.6.6), 0x40 for MPEG-4 audio.
    object_type: u8,
    /// Whether a QuickTime `enda` box says that PCM is little-endian.
    is_little_endian: bool,
    /// Configuration of the decoder.
    config: Option<Box<[u8]>>,
    channels: u16,
    /// Ticks per second.
    timescale: u32,
    edits: Vec<Edit>,
    /// Runs of packets of equal duration: number of packets, ticks of each.
    durations: Vec<(u32, u32)>,
    packets: Vec<PacketLocation>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PacketLocation {
    offset: u64,
    size: u32,
}

impl Mp4Track {
    /// Returns the duration of all packets in ticks.
    fn ticks(&self) -> u64 {
        self.durations.iter().fold(0, |sum, (n, ticks)| {
            sum.saturating_add(u64::from(*n) * u64::from(*ticks))
        })
    }

    /// Returns whether the edit list says where the audio starts.
    fn has_media_edit(&self) -> bool {
        self.edits.iter().any(|e| e.media_time >= 0)
    }

    /// Returns the packets with their positions: each lasts `packet_frames`, or, without that, one frame per tick.
    fn entries(&self, packet_frames: Option<u32>) -> Vec<PacketEntry> {
        let runs = self.durations.iter();
        let durations = runs.flat_map(|(n, ticks)| std::iter::repeat_n(*ticks, *n as usize));
        let durations = durations.chain(std::iter::repeat(0));
        let mut at = 0;
        let mut entries = Vec::with_capacity(self.packets.len());
        for (packet, ticks) in self.packets.iter().zip(durations) {
            let frames = packet_frames.unwrap_or(ticks);
            entries.push(PacketEntry {
                at,
                offset: packet.offset,
                size: packet.size,
                frames,
            });
            at += u64::from(frames);
        }
        entries
    }
}

impl Movie {
    /// Reads the movie header of a file; `None` if there is none, or only a part of it.
    fn read(mut file: &InputFile) -> io::Result<Option<Self>> {
        let file_len = file.len();
        let mut at = 0;
        let mut movie: Option<Self> = None;
        for _ in 0..MAX_BOXES {
            let mut head = Vec::new();
            file.seek(SeekFrom::Start(at))?;
            file.take(16).read_to_end(&mut head)?;
            let Some(header) = BoxHeader::parse(&head, file_len - at) else {
                break;
            };
            if header.name == *b"moov" && header.size <= MAX_MOOV_BYTES {
                let mut data = Vec::new();
                file.seek(SeekFrom::Start(at + header.header_len))?;
                file.take(header.size - header.header_len)
                    .read_to_end(&mut data)?;
                if header.size > file_len - at && !lacks_only_tags(&data) {
                    return Ok(None);
                }
                movie = Some(Self::parse(&data));
            } else if header.name == *b"moof"
                && let Some(movie) = movie.as_mut()
            {
                movie.fragmented = true;
            }
            at = at.saturating_add(header.size);
            if at >= file_len {
                break;
            }
        }
        Ok(movie)
    }

    /// Parses the body of a `moov` box.
    fn parse(moov: &[u8]) -> Self {
        let traks = boxes(moov).filter(|(name, trak)| name == b"trak" && is_audio(trak));
        Self {
            timescale: find(moov, &[b"mvhd"]).map_or(0, parse_timescale),
            fragmented: false,
            tracks: traks.map(|(_, trak)| Mp4Track::parse(trak)).collect(),
            smpb: find(moov, &[b"udta", b"meta"]).and_then(ItunSmpb::find),
        }
    }
}

fn is_audio(trak: &[u8]) -> bool {
    find(trak, &[b"mdia", b"hdlr"]).is_some_and(|hdlr| hdlr.get(8..12) == Some(b"soun"))
}

/// Returns whether a truncated movie header lacks nothing but tags at its end.
fn lacks_only_tags(mut moov: &[u8]) -> bool {
    while let Some(header) = BoxHeader::parse(moov, moov.len() as u64) {
        match usize::try_from(header.size)
            .ok()
            .and_then(|size| moov.get(size..))
        {
            Some(rest) => moov = rest,
            None => return matches!(&header.name, b"udta" | b"meta"),
        }
    }
    false
}

/// A box header (ISO/IEC 14496-12, 4.2).
struct BoxHeader {
    name: [u8; 4],
    header_len: u64,
    /// Size of the box in bytes, header included.
    size: u64,
}

impl BoxHeader {
    /// Parses the header at the start of `data`. A stated size of 0 means all of the `rest` bytes that follow.
    fn parse(data: &[u8], rest: u64) -> Option<Self> {
        let name = *data.get(4..8)?.first_chunk::<4>()?;
        let (header_len, size) = match u64::from(be32(data, 0)?) {
            0 => (8, rest),
            1 => (16, be64(data, 8).filter(|size| *size >= 16)?),
            size if size >= 8 => (8, size),
            _ => return None,
        };
        Some(Self {
            name,
            header_len,
            size,
        })
    }
}

/// Iterates over the boxes in a box. One that claims more than its parent holds is cut to that.
fn boxes(data: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut data = data;
    std::iter::from_fn(move || {
        let header = BoxHeader::parse(data, u64::try_from(data.len()).ok()?)?;
        let size = usize::try_from(header.size)
            .unwrap_or(usize::MAX)
            .min(data.len());
        let body = data.get(usize::try_from(header.header_len).ok()?..size)?;
        data = data.get(size..)?;
        Some((header.name, body))
    })
}

/// Returns the body of the first box with a path of names.
fn find<'a>(data: &'a [u8], path: &[&[u8; 4]]) -> Option<&'a [u8]> {
    path.iter().try_fold(data, |data, name| {
        boxes(data).find(|(n, _)| n == *name).map(|(_, body)| body)
    })
}

fn be16(data: &[u8], at: usize) -> Option<u16> {
    data.get(at..at.checked_add(2)?)?
        .first_chunk::<2>()
        .map(|b| u16::from_be_bytes(*b))
}

fn be32(data: &[u8], at: usize) -> Option<u32> {
    data.get(at..at.checked_add(4)?)?
        .first_chunk::<4>()
        .map(|b| u32::from_be_bytes(*b))
}

fn be64(data: &[u8], at: usize) -> Option<u64> {
    data.get(at..at.checked_add(8)?)?
        .first_chunk::<8>()
        .map(|b| u64::from_be_bytes(*b))
}

/// Iterates over the rows of a table: `width` bytes each, from offset `from` on, as many as the count before them says.
fn rows(data: &[u8], from: usize, width: usize) -> impl Iterator<Item = &[u8]> {
    let count = from
        .checked_sub(4)
        .and_then(|at| be32(data, at))
        .unwrap_or(0);
    data.get(from..)
        .unwrap_or_default()
        .chunks_exact(width)
        .take(count as usize)
}

/// Returns the time scale of an `mvhd` or `mdhd` box. In version 1 the dates before it have 64 bits.
fn parse_timescale(data: &[u8]) -> u32 {
    be32(data, if data.first() == Some(&1) { 20 } else { 12 }).unwrap_or(0)
}

impl Mp4Track {
    /// Parses the body of a `trak` box.
    fn parse(trak: &[u8]) -> Self {
        let timescale = find(trak, &[b"mdia", b"mdhd"]).map_or(0, parse_timescale);
        let edits = find(trak, &[b"edts", b"elst"])
            .map(parse_edits)
            .unwrap_or_default();
        let mut track = Self {
            timescale,
            edits,
            ..Self::default()
        };
        let Some(stbl) = find(trak, &[b"mdia", b"minf", b"stbl"]) else {
            return track;
        };
        if let Some((name, entry)) =
            find(stbl, &[b"stsd"]).and_then(|stsd| boxes(stsd.get(8..)?).next())
        {
            track.fourcc = name;
            track.channels = be16(entry, 16).unwrap_or(0);
            // The version of a QuickTime sound description decides where its boxes begin.
            let children = match be16(entry, 8) {
                Some(1) => 44,
                Some(2) => 64,
                _ => 28,
            };
            track.parse_sample_entry(entry.get(children..).unwrap_or_default());
        }
        let stts = find(stbl, &[b"stts"]).unwrap_or_default();
        track.durations = rows(stts, 8, 8)
            .filter_map(|r| Some((be32(r, 0)?, be32(r, 4)?)))
            .collect();
        track.packets = packet_locations(stbl);
        track
    }

    /// Reads the decoder's configuration from the boxes in a sample entry.
    fn parse_sample_entry(&mut self, entry: &[u8]) {
        for (name, body) in boxes(entry) {
            match &name {
                b"esds" => {
                    if let Some(descriptors) = body.get(4..) {
                        self.parse_descriptors(descriptors);
                    }
                }
                b"alac" => self.config = body.get(4..).map(Box::from),
                // STREAMINFO comes first (Encapsulation of FLAC in ISO Base Media File Format, 3.3.2): skips the
                // version and its block header.
                b"dfLa" => self.config = body.get(8..42).map(Box::from),
                b"enda" => self.is_little_endian = be16(body, 0) == Some(1),
                b"wave" => self.parse_sample_entry(body),
                _ => {}
            }
        }
    }

    /// Reads the nested descriptors of an `esds` box (ISO/IEC 14496-1, 7.2.6).
    fn parse_descriptors(&mut self, mut data: &[u8]) {
        const ES_DESCRIPTOR: u8 = 3;
        const DECODER_CONFIG: u8 = 4;
        const DECODER_SPECIFIC_INFO: u8 = 5;
        while let Some((&tag, rest)) = data.split_first() {
            // Seven bits of the length per byte, as long as the high bit is set.
            let len_bytes = rest
                .iter()
                .take(4)
                .position(|b| b & 0x80 == 0)
                .map_or(4, |i| i + 1);
            let len = rest
                .iter()
                .take(len_bytes)
                .fold(0, |n, b| n << 7 | usize::from(b & 0x7F));
            let body = rest.get(len_bytes..).unwrap_or_default();
            data = match tag {
                ES_DESCRIPTOR => {
                    let flags = body.get(2).copied().unwrap_or(0);
                    let depends_on = if flags & 0x80 != 0 { 2 } else { 0 };
                    let url = if flags & 0x40 != 0 {
                        1 + body.get(3).copied().map_or(0, usize::from)
                    } else {
                        0
                    };
                    let ocr = if flags & 0x20 != 0 { 2 } else { 0 };
                    body.get(3 + depends_on + url + ocr..).unwrap_or_default()
                }
                DECODER_CONFIG => {
                    self.object_type = body.first().copied().unwrap_or(0);
                    body.get(13..).unwrap_or_default()
                }
                DECODER_SPECIFIC_INFO => {
                    self.config = Some(body.get(..len).unwrap_or(body).into());
                    return;
                }
                _ => body.get(len..).unwrap_or_default(),
            };
        }
    }
}

fn parse_edits(elst: &[u8]) -> Vec<Edit> {
    let is_version_1 = elst.first() == Some(&1);
    let parse = |row: &[u8]| {
        Some(if is_version_1 {
            Edit {
                duration: be64(row, 0)?,
                media_time: be64(row, 8)?.cast_signed(),
            }
        } else {
            Edit {
                duration: be32(row, 0)?.into(),
                media_time: be32(row, 4)?.cast_signed().into(),
            }
        })
    };
    rows(elst, 8, if is_version_1 { 20 } else { 12 })
        .filter_map(parse)
        .collect()
}

/// Combines the tables of a sample table (ISO/IEC 14496-12, 8.7): sizes, chunk offsets, packets per chunk.
fn packet_locations(stbl: &[u8]) -> Vec<PacketLocation> {
    let stsz = find(stbl, &[b"stsz"]).unwrap_or_default();
    let count = be32(stsz, 8).unwrap_or(0) as usize;
    let sizes: Vec<u32> = match be32(stsz, 4) {
        Some(size) if size > 0 => vec![size; count.min(MAX_EQUAL_PACKETS)],
        _ => rows(stsz, 12, 4).filter_map(|r| be32(r, 0)).collect(),
    };
    let chunk_offsets: Vec<u64> = match (find(stbl, &[b"stco"]), find(stbl, &[b"co64"])) {
        (Some(t), _) => rows(t, 8, 4)
            .filter_map(|r| be32(r, 0))
            .map(u64::from)
            .collect(),
        (None, Some(t)) => rows(t, 8, 8).filter_map(|r| be64(r, 0)).collect(),
        (None, None) => Vec::new(),
    };
    let stsc = find(stbl, &[b"stsc"]).unwrap_or_default();
    // First chunk of each run, counted from 1, and its packets per chunk.
    let runs: Vec<(u32, u32)> = rows(stsc, 8, 12)
        .filter_map(|r| Some((be32(r, 0)?, be32(r, 4)?)))
        .collect();
    let mut sizes = sizes.into_iter();
    let mut locations = Vec::new();
    let mut run = 0;
    for (chunk, chunk_offset) in (1u32..).zip(chunk_offsets) {
        while runs.get(run + 1).is_some_and(|(first, _)| *first <= chunk) {
            run += 1;
        }
        let mut offset = chunk_offset;
        for _ in 0..runs.get(run).map_or(0, |(_, packets)| *packets) {
            let Some(size) = sizes.next() else {
                return locations;
            };
            locations.push(PacketLocation { offset, size });
            offset = offset.saturating_add(size.into());
        }
    }
    locations
}

impl ItunSmpb {
    /// Largest believable delay or padding, in frames.
    const MAX_TRIM: u64 = 65_535;

    /// Finds the tag in the body of a `meta` box.
    fn find(meta: &[u8]) -> Option<Self> {
        // QuickTime writes the box without a version word.
        let list = find(meta.get(4..)?, &[b"ilst"]).or_else(|| find(meta, &[b"ilst"]))?;
        let is_smpb = |body| find(body, &[b"name"]).and_then(|n| n.get(4..)) == Some(b"iTunSMPB");
        let (_, tag) = boxes(list).find(|(name, body)| name == b"----" && is_smpb(body))?;
        Self::parse(std::str::from_utf8(find(tag, &[b"data"])?.get(8..)?).ok()?)
    }

    /// Parses the hexadecimal words of the tag: 0, delay, padding, length.
    fn parse(text: &str) -> Option<Self> {
        let mut words = text
            .split_whitespace()
            .skip(1)
            .map(|w| u64::from_str_radix(w, 16).ok());
        let mut word = || words.next().flatten();
        let smpb = Self {
            delay: word()?,
            padding: word()?,
            frames: word()?,
        };
        (smpb.delay <= Self::MAX_TRIM && smpb.padding <= Self::MAX_TRIM && smpb.frames > 0)
            .then_some(smpb)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smpb_of_itunes() {
        let text = " 00000000 00000840 000001C0 0000000000012E80 00000000 00000000";
        assert_eq!(
            ItunSmpb::parse(text),
            Some(ItunSmpb {
                delay: 2112,
                padding: 448,
                frames: 77_440
            })
        );
        assert_eq!(ItunSmpb::parse(" 00000000 zz"), None);
    }

    #[test]
    fn packet_locations_combine_sizes_chunks_and_offsets() {
        let table = |name: &[u8], words: &[u32]| {
            let body: Vec<u8> = words.iter().flat_map(|w| w.to_be_bytes()).collect();
            [
                &u32::try_from(body.len() + 8).unwrap().to_be_bytes()[..],
                name,
                &body,
            ]
            .concat()
        };
        let stbl = [
            table(b"stsz", &[0, 0, 3, 10, 20, 30]),
            table(b"stsc", &[0, 2, 1, 2, 1, 2, 1, 1]),
            table(b"stco", &[0, 2, 100, 500]),
        ];
        let locations =
            [(100, 10), (110, 20), (500, 30)].map(|(offset, size)| PacketLocation { offset, size });
        assert_eq!(packet_locations(&stbl.concat()), locations);
    }
}
