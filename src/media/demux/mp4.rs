//! Opens MP4, M4A and QuickTime audio (ISO/IEC 14496-12, 14496-14, 23003-5; Apple, QuickTime File Format).
//!
//! `symphonia`'s demuxer neither applies edit lists nor reads the `iTunSMPB` tag, and does not expose when packets
//! sound or which of them a truncated file lacks. So the movie header (`movie`) and the fragments (`fragments`) are
//! parsed here, and packets are read through a table. `edits` finds out which part of the packets is the stem.

mod boxes;
mod edits;
mod fragments;
mod movie;

use super::{
    OpenedStem, StemFile,
    coded_stream::{self, CodedStream, PACKET_HEAD_BYTES, PacketFrames, StatedTrim},
    timeline::{PlacedPackets, Timeline, rescale},
};
use crate::{
    error::Result,
    media::symphonia_adapter::{Codec, PcmKind},
};
use movie::{Movie, Mp4Track, SampleRun};
use std::io::{self, Read, Seek, SeekFrom};

const NAME: &str = "MP4";

/// Frames of PCM that are read as one packet.
const PCM_PACKET_FRAMES: u64 = 4096;

impl StemFile<'_> {
    /// Returns the names of the audio tracks of a Native Instruments stem file, of which the first is the
    /// mix; none for other files.
    pub(super) fn mp4_names(&self) -> Result<Vec<String>> {
        let movie = Movie::read(self.file).map_err(|e| self.io_error(e))?;
        Ok(movie.map(|movie| movie.stream_names()).unwrap_or_default())
    }

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
        let coded = self.mp4_stream(track)?;
        let packets = self.place_mp4_packets(&movie, track, &coded)?;
        let edits = self.edits(&movie, track, &coded, &packets)?;
        let is_pcm = matches!(coded.packets, PacketFrames::Pcm(_));
        let trim = StatedTrim {
            extent: edits.extent,
            silence: edits.silence,
            states_delay: movie.smpb.is_some() || track.has_media_edit(),
            is_cut: packets.is_cut,
        };
        let mut opened = self.open_coded(coded, packets.placed, trim, movie.tracks.len(), NAME)?;
        if let Some(rate) = track.exact_rate.filter(|_| is_pcm) {
            opened.rate = self.exact_rate(rate)?;
        }
        opened.remarks.extend(edits.remark);
        opened.pieces = edits.pieces;
        opened.colour = movie.colour(index);
        Ok(opened)
    }

    /// Describes the codec of a track.
    fn mp4_stream(&self, track: &Mp4Track) -> Result<CodedStream> {
        let unsupported = |what: &str| Err(self.unsupported(format!("{what} in MP4")));
        let config = track.config.as_deref().unwrap_or_default();
        if let Some(what) = track.unsupported {
            return unsupported(what);
        }
        match (&track.fourcc, track.object_type) {
            (b"mp4a", 0x40 | 0x66..=0x68) => self.aac_stream(config, NAME),
            (b"mp4a", 0x69 | 0x6B) | (b".mp3" | b"ms\0\x55" | b"mp3 ", _) => {
                let first = self
                    .first_packet_head(track)
                    .map_err(|e| self.io_error(e))?;
                self.mpeg_stream(&first, NAME)
            }
            (b"alac", _) => self.alac_stream(config, NAME),
            (b"fLaC", _) => self.flac_stream(config, NAME),
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
            (b"ima4" | b"ms\0\x11", _) => unsupported("IMA ADPCM"),
            (b"ms\0\x02", _) => unsupported("MS ADPCM"),
            (b"QDM2" | b"QDMC", _) => unsupported("QDesign Music"),
            (b"MAC3" | b"MAC6", _) => unsupported("MACE"),
            (b"Qclp", _) => unsupported("QCELP"),
            (b"mp4a", object_type) => {
                unsupported(&format!("audio of object type {object_type:#04x}"))
            }
            _ if track.channels == 0 => unsupported("audio without a description"),
            _ => self.mp4_pcm(track),
        }
    }

    /// Describes uncompressed audio (Apple, QuickTime File Format, "Sound Media"; ISO/IEC 23003-5).
    fn mp4_pcm(&self, track: &Mp4Track) -> Result<CodedStream> {
        let bits = u16::try_from(track.bits).unwrap_or(u16::MAX);
        let big_endian = !track.is_little_endian;
        let pcm = coded_stream::pcm;
        let (codec, bits) = match &track.fourcc {
            b"sowt" => (pcm(bits, PcmKind::Signed, false), bits),
            b"twos" => (pcm(bits, PcmKind::Signed, true), bits),
            b"raw " | b"NONE" if bits <= 8 => (pcm(8, PcmKind::Unsigned, false), 8),
            b"NONE" => (pcm(bits, PcmKind::Signed, true), bits),
            b"in24" => (pcm(24, PcmKind::Signed, big_endian), 24),
            b"in32" => (pcm(32, PcmKind::Signed, big_endian), 32),
            b"fl32" => (pcm(32, PcmKind::Float, big_endian), 32),
            b"fl64" => (pcm(64, PcmKind::Float, big_endian), 64),
            b"ipcm" => (pcm(bits, PcmKind::Signed, big_endian), bits),
            b"fpcm" => (pcm(bits, PcmKind::Float, big_endian), bits),
            b"ulaw" => (Codec::MuLaw, 8),
            b"alaw" => (Codec::ALaw, 8),
            b"lpcm" => (self.lpcm(track)?, bits),
            other => {
                let name = String::from_utf8_lossy(other).escape_default().to_string();
                return Err(self.unsupported(format!("audio of type \"{name}\" in MP4")));
            }
        };
        let rate = if track.rate == 0 {
            track.timescale
        } else {
            track.rate
        };
        let channels = usize::try_from(track.channels).unwrap_or(usize::MAX);
        self.pcm_stream(codec, rate, channels, bits, NAME)
    }

    /// Returns the encoding of linear PCM as a sound description of version 2 states it.
    fn lpcm(&self, track: &Mp4Track) -> Result<Codec> {
        const FLOAT: u32 = 1;
        const BIG_ENDIAN: u32 = 2;
        const SIGNED: u32 = 4;
        const PLANAR: u32 = 32;
        let lpcm = track.lpcm.unwrap_or_default();
        let kind = match lpcm.flags & (FLOAT | SIGNED) {
            0 => PcmKind::Unsigned,
            SIGNED => PcmKind::Signed,
            _ => PcmKind::Float,
        };
        let is_packed = lpcm.frame_bytes == track.bits.div_ceil(8).saturating_mul(track.channels);
        if lpcm.flags & PLANAR != 0 || !is_packed {
            let what = format!(
                "PCM of {} bits in frames of {} bytes in MP4",
                track.bits, lpcm.frame_bytes
            );
            return Err(self.unsupported(what));
        }
        let bits = u16::try_from(track.bits).unwrap_or(u16::MAX);
        Ok(coded_stream::pcm(bits, kind, lpcm.flags & BIG_ENDIAN != 0))
    }

    /// Reads the first bytes of the first packet of a track.
    fn first_packet_head(&self, track: &Mp4Track) -> io::Result<Vec<u8>> {
        let first = track.runs.first();
        first.map_or(Ok(Vec::new()), |run| self.packet_head(run.offset, run.size))
    }

    fn packet_head(&self, offset: u64, size: u32) -> io::Result<Vec<u8>> {
        let mut head = Vec::new();
        let mut file = self.file;
        file.seek(SeekFrom::Start(offset))?;
        file.take(u64::from(size).min(PACKET_HEAD_BYTES as u64))
            .read_to_end(&mut head)?;
        Ok(head)
    }

    /// Places the packets of a track on its timeline.
    fn place_mp4_packets(
        &self,
        movie: &Movie,
        track: &Mp4Track,
        coded: &CodedStream,
    ) -> Result<PlacedMp4> {
        if track.runs.is_empty() {
            let why = if movie.fragments.is_some() {
                "there are no fragments: the file is probably cut off"
            } else {
                "there are no packets"
            };
            return Err(self.corrupt(format!("{} in MP4: {why}", coded.name)));
        }
        let timescale = track.timescale.max(1);
        let step = u64::from(coded.rate.div_ceil(timescale));
        let stated_end = Some(rescale(track.duration, timescale, coded.rate))
            .filter(|end| *end > 0 && movie.fragments.is_none());
        let mut placer = Placer {
            stem: self,
            timeline: Timeline::new(coded.rate, step, stated_end),
            rate: coded.rate,
            packets: coded.packets.clone(),
            timescale,
            available: None,
        };
        for run in &track.runs {
            placer.place(run).map_err(|e| self.io_error(e))?;
        }
        let mut total = placer.timeline.end();
        let available = placer.available.unwrap_or(total);
        let mut is_cut = false;
        if let Some(fragments) = &movie.fragments {
            let packet = u64::from(coded.packets.usual());
            let mut promised = rescale(fragments.stated_duration, movie.timescale, coded.rate);
            if let Some((ticks, timescale)) = fragments.indexed_end {
                promised = promised.max(rescale(ticks, timescale, coded.rate));
            }
            if promised > total + packet + step {
                total = promised;
            } else {
                is_cut = fragments.is_cut && available == total;
            }
        }
        let mut placed = placer.timeline.finish();
        placed.entries.retain(|entry| entry.at < available);
        placed.end = total;
        // The last packet sounds as long as its table says.
        let usual = coded.packets.usual();
        let last_ticks = track.runs.last().map_or(0, |run| run.ticks);
        let is_shorter = track.timescale == coded.rate && (1..usual).contains(&last_ticks);
        let is_fixed = matches!(
            coded.packets,
            PacketFrames::Fixed(_) | PacketFrames::Mpeg(_)
        );
        let padding = if is_shorter && is_fixed {
            usual - last_ticks
        } else {
            0
        };
        // Packets that the table of durations lists and no chunk holds.
        let listed = rescale(track.listed_ticks, timescale, coded.rate);
        let unlisted = listed.saturating_sub(total);
        let is_short = movie.fragments.is_none() && unlisted > u64::from(usual) + step;
        Ok(PlacedMp4 {
            placed,
            available,
            padding: padding.into(),
            listed: is_short.then_some(listed),
            is_cut,
        })
    }
}

/// The packets of a track, placed.
struct PlacedMp4 {
    placed: PlacedPackets,
    /// Position up to which the file contains the packets.
    available: u64,
    /// Frames at the end of the last packet that are not part of the audio.
    padding: u64,
    /// Length that the tables list, if they list more packets than there are.
    listed: Option<u64>,
    /// Whether the end is missing and nothing says how much of it.
    is_cut: bool,
}

/// Places the packets of one track.
struct Placer<'a> {
    stem: &'a StemFile<'a>,
    timeline: Timeline,
    rate: u32,
    packets: PacketFrames,
    timescale: u32,
    /// Position of the first frame that the file does not contain; `None` if it contains all.
    available: Option<u64>,
}

impl Placer<'_> {
    /// Places a run of packets.
    fn place(&mut self, run: &SampleRun) -> io::Result<()> {
        if run.follows_loss {
            self.timeline.lose_data();
        }
        if let PacketFrames::Pcm(frame_bytes) = self.packets {
            self.place_pcm(run, frame_bytes);
            return Ok(());
        }
        let file_len = self.stem.file.len();
        let mut offset = run.offset;
        for index in 0..run.count {
            let time = run
                .time
                .map(|time| time.saturating_add(u64::from(index) * u64::from(run.ticks)));
            let stated = time.map(|time| rescale(time, self.timescale, self.rate));
            let usual = self.packets.usual();
            if offset.saturating_add(run.size.into()) > file_len {
                let each = if self.timescale == self.rate && run.ticks > 0 {
                    run.ticks.min(usual)
                } else {
                    usual
                };
                self.leave_out(stated, u64::from(run.count - index) * u64::from(each));
                return Ok(());
            }
            if run.size == 0 {
                // Packets without data are lost.
                self.timeline.push(stated, usual, 0, 0, 0);
                self.timeline
                    .add_lost(u64::from(run.count - index) * u64::from(usual));
                return Ok(());
            }
            let frames = self.packet_frames(run, offset)?;
            let packet_frames = frames.max(self.timeline.last_frames());
            self.timeline
                .push(stated, packet_frames, offset, run.size, frames);
            offset += u64::from(run.size);
        }
        Ok(())
    }

    /// Returns the number of frames of the packet at a file offset.
    fn packet_frames(&mut self, run: &SampleRun, offset: u64) -> io::Result<u32> {
        let usual = self.packets.usual();
        let is_fixed = matches!(self.packets, PacketFrames::Fixed(_) | PacketFrames::Mpeg(_));
        if is_fixed {
            return Ok(usual);
        }
        // A longer duration is silence behind the packet, a shorter one is that of the last packet, or rounded.
        if self.timescale == self.rate && run.ticks >= usual {
            return Ok(usual);
        }
        let head = self.stem.packet_head(offset, run.size)?;
        Ok(self.packets.of(&head, run.size).unwrap_or(usual))
    }

    /// Places PCM, in pieces.
    fn place_pcm(&mut self, run: &SampleRun, frame_bytes: u32) {
        // Old QuickTime files state a size of one byte for each frame.
        let frames_each = (run.size / frame_bytes).max(1);
        let mut left = u64::from(frames_each) * u64::from(run.count);
        let bytes_there = self.stem.file.len().saturating_sub(run.offset);
        let mut there = left.min(bytes_there / u64::from(frame_bytes));
        let mut stated = run
            .time
            .map(|time| rescale(time, self.timescale, self.rate));
        let mut offset = run.offset;
        while there > 0 {
            let frames = there.min(PCM_PACKET_FRAMES);
            let bytes = frames * u64::from(frame_bytes);
            // At most 4,096 frames of 64 channels of 8 bytes.
            let (frames_32, bytes_32) = (
                u32::try_from(frames).unwrap_or(u32::MAX),
                u32::try_from(bytes).unwrap_or(u32::MAX),
            );
            self.timeline
                .push(stated.take(), 1, offset, bytes_32, frames_32);
            (offset, there, left) = (offset + bytes, there - frames, left - frames);
        }
        if left > 0 {
            self.leave_out(stated, left);
        }
    }

    /// Leaves out `frames` frames of packets that the file does not contain.
    fn leave_out(&mut self, stated: Option<u64>, frames: u64) {
        // An empty packet, which moves the timeline to where they begin.
        self.timeline.push(stated, self.packets.usual(), 0, 0, 0);
        self.available = self.available.or(Some(self.timeline.end()));
        self.timeline.advance(frames);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::InputFile;
    use std::{io::Write, path::Path};

    /// Describes a track of two channels of 16 bits in a file that begins with a frame of layer III.
    fn described(track: Mp4Track) -> Result<CodedStream> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&[0xFF, 0xFB, 0x90, 0]).unwrap();
        let file = InputFile::open(file.path()).unwrap();
        let stem = StemFile {
            path: Path::new("x.m4a"),
            file: &file,
            stream: None,
        };
        stem.mp4_stream(&track)
    }

    fn track(fourcc: &[u8; 4], object_type: u8) -> Mp4Track {
        Mp4Track {
            fourcc: *fourcc,
            object_type,
            channels: 2,
            bits: 16,
            timescale: 48_000,
            ..Mp4Track::default()
        }
    }

    #[test]
    fn codecs_that_are_not_read_are_named() {
        let rows: [(&[&[u8; 4]], u8, &str); 20] = [
            (&[b"enca", b"drms", b"drmi"], 0, "protected audio (DRM)"),
            (&[b"ac-3"], 0, "AC-3"),
            (&[b"mp4a"], 0xA5, "AC-3"),
            (&[b"ec-3"], 0, "E-AC-3"),
            (&[b"mp4a"], 0xA6, "E-AC-3"),
            (&[b"ac-4"], 0, "AC-4"),
            (&[b"Opus"], 0, "Opus"),
            (&[b"mha1", b"mha2", b"mhm1", b"mhm2"], 0, "MPEG-H 3D Audio"),
            (&[b"dtsc", b"dtsh", b"dtsl", b"dtse", b"dtsx"], 0, "DTS"),
            (&[b"mp4a"], 0xA9, "DTS"),
            (&[b"mlpa"], 0, "TrueHD"),
            (&[b"samr", b"sawb"], 0, "AMR"),
            (&[b"iamf"], 0, "IAMF"),
            (&[b"ima4", b"ms\0\x11"], 0, "IMA ADPCM"),
            (&[b"ms\0\x02"], 0, "MS ADPCM"),
            (&[b"QDM2", b"QDMC"], 0, "QDesign Music"),
            (&[b"MAC3", b"MAC6"], 0, "MACE"),
            (&[b"Qclp"], 0, "QCELP"),
            (&[b"mp4a"], 0x6A, "audio of object type 0x6a"),
            (&[b"what"], 0, "audio of type \"what\""),
        ];
        for (fourccs, object_type, name) in rows {
            for fourcc in fourccs {
                let text = described(track(fourcc, object_type))
                    .unwrap_err()
                    .to_string();
                assert!(text.contains(&format!(" {name} in MP4")), "{text}");
            }
        }
        let without = Mp4Track {
            channels: 0,
            ..track(b"sowt", 0)
        };
        let text = described(without).unwrap_err().to_string();
        assert!(
            text.contains("audio without a description in MP4"),
            "{text}"
        );
    }

    #[test]
    fn codecs_are_recognised_by_their_entry_and_object_type() {
        for object_type in [0x40, 0x66, 0x67, 0x68] {
            let aac = Mp4Track {
                config: Some([0x12, 0x10].into()),
                ..track(b"mp4a", object_type)
            };
            let aac = described(aac).unwrap();
            assert_eq!((aac.codec, aac.rate, aac.channels), (Codec::Aac, 44_100, 2));
        }
        for (fourcc, object_type) in [
            (b"mp4a", 0x69),
            (b"mp4a", 0x6B),
            (b".mp3", 0),
            (b"ms\0\x55", 0),
            (b"mp3 ", 0),
        ] {
            let mpeg = Mp4Track {
                runs: vec![SampleRun {
                    time: None,
                    ticks: 1152,
                    offset: 0,
                    size: 417,
                    count: 1,
                    follows_loss: false,
                }],
                ..track(fourcc, object_type)
            };
            assert_eq!(described(mpeg).unwrap().codec, Codec::Mp3);
        }
    }

    #[test]
    fn pcm_is_as_wide_signed_and_ordered_as_its_entry_says() {
        use PcmKind::{Float, Signed, Unsigned};
        let read = |track| {
            let stream = described(track).unwrap();
            assert_eq!((stream.rate, stream.channels), (48_000, 2));
            (stream.codec, stream.bits.map(|bits| bits.width))
        };
        let pcm = |bits, kind, big| (coded_stream::pcm(bits, kind, big), Some(bits));
        let with = |fourcc, bits, is_little_endian| Mp4Track {
            bits,
            is_little_endian,
            ..track(fourcc, 0)
        };
        for little in [false, true] {
            assert_eq!(read(with(b"sowt", 16, little)), pcm(16, Signed, false));
            assert_eq!(read(with(b"twos", 24, little)), pcm(24, Signed, true));
            assert_eq!(read(with(b"raw ", 8, little)), pcm(8, Unsigned, false));
            assert_eq!(read(with(b"NONE", 8, little)), pcm(8, Unsigned, false));
            assert_eq!(read(with(b"NONE", 16, little)), pcm(16, Signed, true));
            assert_eq!(read(with(b"in24", 16, little)), pcm(24, Signed, !little));
            assert_eq!(read(with(b"in32", 16, little)), pcm(32, Signed, !little));
            assert_eq!(read(with(b"fl32", 16, little)), pcm(32, Float, !little));
            assert_eq!(read(with(b"fl64", 16, little)), pcm(64, Float, !little));
            assert_eq!(read(with(b"ipcm", 24, little)), pcm(24, Signed, !little));
            assert_eq!(read(with(b"fpcm", 64, little)), pcm(64, Float, !little));
        }
        assert_eq!(read(with(b"ulaw", 16, false)), (Codec::MuLaw, None));
        assert_eq!(read(with(b"alaw", 16, false)), (Codec::ALaw, None));
        assert!(described(with(b"raw ", 9, false)).is_err());
        let stated = Mp4Track {
            rate: 32_000,
            ..track(b"sowt", 0)
        };
        assert_eq!(described(stated).unwrap().rate, 32_000);

        let lpcm = |flags, frame_bytes| {
            let lpcm = Some(movie::Lpcm { flags, frame_bytes });
            described(Mp4Track {
                lpcm,
                ..with(b"lpcm", 32, false)
            })
        };
        for (flags, kind, big) in [
            (0, Unsigned, false),
            (1, Float, false),
            (2, Unsigned, true),
            (3, Float, true),
            (4, Signed, false),
            (5, Float, false),
            (6, Signed, true),
            (8, Unsigned, false),
        ] {
            let is_read = coded_stream::pcm(32, kind, big).is_decoded();
            let found = lpcm(flags, 8).ok().map(|stream| stream.codec);
            assert_eq!(
                found,
                is_read.then(|| coded_stream::pcm(32, kind, big)),
                "{flags}"
            );
        }
        assert!(lpcm(4 | 32, 8).is_err() && lpcm(4, 7).is_err());
    }
}
