//! Parses what precedes the audio of an MP4 or QuickTime file: the movie header (`moov`), with its tracks, their sample
//! tables and edit lists (ISO/IEC 14496-12; Apple, QuickTime File Format).

use super::{
    boxes::{BoxHeader, boxes, find, rows},
    fragments::Fragments,
};
use crate::{
    media::demux::bytes::{be16, be32, be64},
    storage::InputFile,
};
use std::io::{self, Read, Seek, SeekFrom};

/// Size limit of the movie header in bytes. Ten hours of AAC need 6 MiB.
const MAX_MOOV_BYTES: u64 = 64 << 20;

/// Maximum number of boxes at the outer level that are visited.
const MAX_BOXES: usize = 1 << 20;

/// Maximum number of packets that all have the same size: there is no table whose length bounds them.
const MAX_EQUAL_PACKETS: u32 = 1 << 24;

/// The movie header of a file, as far as it concerns audio, and its fragments.
#[derive(Debug, Default)]
pub(super) struct Movie {
    /// Ticks per second of edit durations.
    pub(super) timescale: u32,
    /// Audio tracks.
    pub(super) tracks: Vec<Mp4Track>,
    pub(super) smpb: Option<ItunSmpb>,
    /// Labels of the stems of a Native Instruments stem file.
    pub(super) stem_labels: Vec<StemLabel>,
    /// The fragments (`moof`) of the file; `None` if packets are listed in the movie header only.
    pub(super) fragments: Option<Fragments>,
}

/// The `iTunSMPB` tag: encoder delay, encoder padding and length of the audio, in frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ItunSmpb {
    pub(super) delay: u64,
    pub(super) padding: u64,
    pub(super) frames: u64,
}

impl ItunSmpb {
    /// Largest believable delay or padding, in frames.
    const MAX_TRIM: u64 = 65_535;

    /// Finds the tag in the body of a `meta` box.
    pub(super) fn find(meta: &[u8]) -> Option<Self> {
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

/// One entry of an edit list (ISO/IEC 14496-12, 8.6.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    /// In ticks of the movie's time scale.
    pub(super) duration: u64,
    /// Start in ticks of the track's time scale; −1 for silence.
    pub(super) media_time: i64,
    /// Speed at which the audio is to be played, as 16.16 fixed point.
    pub(super) speed: u32,
}

impl Edit {
    const NORMAL_SPEED: u32 = 1 << 16;

    pub(super) fn is_empty(&self) -> bool {
        self.media_time == -1
    }

    pub(super) fn changes_speed(&self) -> bool {
        !self.is_empty() && self.speed != Self::NORMAL_SPEED
    }
}

/// One audio track.
#[derive(Debug, Default)]
pub(super) struct Mp4Track {
    pub(super) id: u32,
    /// Type of the sample entry: `mp4a`, `alac`, ...
    pub(super) fourcc: [u8; 4],
    /// Object type indication of an `esds` (ISO/IEC 14496-1, 7.2.6.6), 0x40 for MPEG-4 audio.
    pub(super) object_type: u8,
    /// Whether a QuickTime `enda` or an ISO `pcmC` box says that PCM is little-endian.
    pub(super) is_little_endian: bool,
    /// Configuration of the decoder.
    pub(super) config: Option<Box<[u8]>>,
    pub(super) channels: u32,
    /// Bits per sample of PCM.
    pub(super) bits: u32,
    /// Stated sample rate in Hz; 0 if the time scale is the rate.
    pub(super) rate: u32,
    /// The stated rate if it is not whole, or may not be.
    pub(super) exact_rate: Option<f64>,
    /// Description of linear PCM of QuickTime's version 2.
    pub(super) lpcm: Option<Lpcm>,
    /// Ticks per second.
    pub(super) timescale: u32,
    /// Stated duration in ticks; 0 if unknown.
    pub(super) duration: u64,
    pub(super) edits: Vec<Edit>,
    /// Duration of all packets in the table of durations, in ticks.
    pub(super) listed_ticks: u64,
    /// Name of a kind of track that is not read.
    pub(super) unsupported: Option<&'static str>,
    /// The packets that the movie header lists.
    pub(super) runs: Vec<SampleRun>,
}

/// Linear PCM as a QuickTime sound description of version 2 states it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lpcm {
    /// Flags of Core Audio: 1 for float, 2 for big-endian, 4 for signed, 32 for planar.
    pub(super) flags: u32,
    /// Bytes of a frame.
    pub(super) frame_bytes: u32,
}

/// Consecutive packets of equal size and duration that lie next to each other in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SampleRun {
    /// Start in ticks of the track's time scale; `None` to follow the packets before it.
    pub(super) time: Option<u64>,
    /// Duration of each in ticks.
    pub(super) ticks: u32,
    /// File offset of the first.
    pub(super) offset: u64,
    /// Size of each in bytes.
    pub(super) size: u32,
    pub(super) count: u32,
    /// Whether data before it is lost.
    pub(super) follows_loss: bool,
}

impl SampleRun {
    /// Returns the file offset of the end of the last packet.
    pub(super) fn end(&self) -> u64 {
        let bytes = u64::from(self.size) * u64::from(self.count);
        self.offset.saturating_add(bytes)
    }
}

impl Movie {
    /// Reads the movie header of a file and lists its fragments; `None` if there is no header, or only a part of it.
    pub(super) fn read(mut file: &InputFile) -> io::Result<Option<Self>> {
        let file_len = file.len();
        let mut at = 0;
        let mut movie: Option<Self> = None;
        for _ in 0..MAX_BOXES {
            if at >= file_len {
                break;
            }
            let mut head = Vec::new();
            file.seek(SeekFrom::Start(at))?;
            file.take(16).read_to_end(&mut head)?;
            let header = BoxHeader::parse(&head, file_len - at);
            if let Some(movie) = movie.as_mut()
                && movie.fragments.is_some()
            {
                at = movie.read_fragment(file, at, header)?;
                continue;
            }
            let Some(header) = header else {
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
                // A movie header that does not announce its fragments.
                movie.fragments = Some(Fragments::default());
                continue;
            }
            at = at.saturating_add(header.size);
        }
        if let Some(movie) = movie.as_mut() {
            movie.finish_fragments(file_len);
        }
        Ok(movie)
    }

    /// Parses the body of a `moov` box.
    fn parse(moov: &[u8]) -> Self {
        let traks = boxes(moov).filter(|(name, trak)| name == b"trak" && is_audio(trak));
        Self {
            timescale: find(moov, &[b"mvhd"]).map_or(0, parse_timescale),
            tracks: traks.map(|(_, trak)| Mp4Track::parse(trak)).collect(),
            smpb: find(moov, &[b"udta", b"meta"]).and_then(ItunSmpb::find),
            stem_labels: find(moov, &[b"udta", b"stem"])
                .map(stem_labels)
                .unwrap_or_default(),
            fragments: find(moov, &[b"mvex"]).map(Fragments::new),
        }
    }

    /// Returns the names of the audio tracks; none if the file names no stems, or another number of them.
    /// The first track of a stem file is the mix of the others.
    pub(super) fn stream_names(self) -> Vec<String> {
        if !self.has_labels() {
            return Vec::new();
        }
        let names = self.stem_labels.into_iter().map(|label| label.name);
        [String::new()].into_iter().chain(names).collect()
    }

    /// Returns the colour of the audio track with an index.
    pub(super) fn colour(&self, index: usize) -> Option<String> {
        let stem = index.checked_sub(1).filter(|_| self.has_labels())?;
        self.stem_labels.get(stem)?.colour.clone()
    }

    fn has_labels(&self) -> bool {
        self.stem_labels.len() + 1 == self.tracks.len()
    }
}

/// Label of a stem in a Native Instruments stem file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct StemLabel {
    /// Empty for a stem without a name.
    name: String,
    /// `#rrggbb` in lower case.
    colour: Option<String>,
}

/// Returns the labels in the metadata of a Native Instruments stem file: JSON with a list `stems`, each
/// with a `name` and a `color`.
#[cfg(feature = "session-file")]
fn stem_labels(json: &[u8]) -> Vec<StemLabel> {
    let json: serde_json::Value = serde_json::from_slice(json).unwrap_or_default();
    let stems = json.get("stems").and_then(serde_json::Value::as_array);
    let text = |stem: &serde_json::Value, key| Some(stem.get(key)?.as_str()?.trim().to_owned());
    let label = |stem| StemLabel {
        name: text(stem, "name").unwrap_or_default(),
        colour: text(stem, "color")
            .filter(|c| is_colour(c))
            .map(|c| c.to_lowercase()),
    };
    stems.into_iter().flatten().map(label).collect()
}

/// Returns true for `#rrggbb`.
#[cfg(feature = "session-file")]
fn is_colour(text: &str) -> bool {
    let digits = text.strip_prefix('#').unwrap_or_default();
    digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// JSON is read only by builds that read session files, where the names become those of tracks.
#[cfg(not(feature = "session-file"))]
fn stem_labels(_json: &[u8]) -> Vec<StemLabel> {
    Vec::new()
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

/// Returns the time scale of an `mvhd` or `mdhd` box. In version 1 the dates before it have 64 bits.
fn parse_timescale(data: &[u8]) -> u32 {
    be32(data, if data.first() == Some(&1) { 20 } else { 12 }).unwrap_or(0)
}

impl Mp4Track {
    /// Returns whether the edit list says where the audio starts.
    pub(super) fn has_media_edit(&self) -> bool {
        self.edits.iter().any(|e| e.media_time >= 0)
    }

    /// Parses the body of a `trak` box.
    fn parse(trak: &[u8]) -> Self {
        let mdhd = find(trak, &[b"mdia", b"mdhd"]).unwrap_or_default();
        let duration = match mdhd.first() {
            Some(1) => be64(mdhd, 24),
            _ => be32(mdhd, 16).map(u64::from),
        };
        let edits = find(trak, &[b"edts", b"elst"])
            .map(parse_edits)
            .unwrap_or_default();
        // In version 1 the dates before the number have 64 bits.
        let id = find(trak, &[b"tkhd"])
            .and_then(|tkhd| be32(tkhd, if tkhd.first() == Some(&1) { 20 } else { 12 }));
        let mut track = Self {
            id: id.unwrap_or(0),
            timescale: parse_timescale(mdhd),
            duration: duration.unwrap_or(0),
            edits,
            ..Self::default()
        };
        let Some(stbl) = find(trak, &[b"mdia", b"minf", b"stbl"]) else {
            return track;
        };
        let stsd = find(stbl, &[b"stsd"]).unwrap_or_default();
        let stsc = find(stbl, &[b"stsc"]).unwrap_or_default();
        // Descriptions are counted from 1.
        let mut used: Vec<u32> = rows(stsc, 8, 12).filter_map(|r| be32(r, 8)).collect();
        used.dedup();
        if used.len() > 1 {
            track.unsupported = Some("audio of several descriptions");
        }
        let index = used.first().map_or(0, |used| used.saturating_sub(1));
        let mut descriptions = boxes(stsd.get(8..).unwrap_or_default());
        if let Some((name, entry)) = descriptions.nth(index as usize) {
            track.fourcc = name;
            track.parse_description(entry);
        }
        let reference = find(trak, &[b"mdia", b"minf", b"dinf", b"dref"]);
        let references = boxes(reference.and_then(|dref| dref.get(8..)).unwrap_or_default());
        // The lowest flag says that the audio is in this file.
        let is_elsewhere = |(_, body): ([u8; 4], &[u8])| body.get(3).is_some_and(|f| f & 1 == 0);
        if references.take(1).any(is_elsewhere) {
            track.unsupported = Some("audio that is in another file");
        }
        let durations = rows(find(stbl, &[b"stts"]).unwrap_or_default(), 8, 8);
        track.listed_ticks = durations
            .filter_map(|r| Some(u64::from(be32(r, 0)?) * u64::from(be32(r, 4)?)))
            .fold(0, u64::saturating_add);
        track.runs = sample_runs(stbl);
        track
    }

    /// Parses the fields of an audio sample entry and the boxes in it. The version of a QuickTime sound description
    /// decides which fields there are.
    fn parse_description(&mut self, entry: &[u8]) {
        self.channels = be16(entry, 16).unwrap_or(0).into();
        self.bits = be16(entry, 18).unwrap_or(0).into();
        // 16.16 fixed point.
        let rate = be32(entry, 24).unwrap_or(0);
        self.rate = rate >> 16;
        if self.rate > 0 && rate & 0xFFFF != 0 {
            self.exact_rate = Some(f64::from(rate) / 65_536.0);
        }
        let children = match be16(entry, 8) {
            Some(1) => 44,
            Some(2) => {
                self.parse_version_2(entry);
                64
            }
            _ => 28,
        };
        self.parse_sample_entry(entry.get(children..).unwrap_or_default());
    }

    fn parse_version_2(&mut self, entry: &[u8]) {
        let rate = be64(entry, 32).map_or(0.0, f64::from_bits);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturates, and the result is checked against the limits"
        )]
        let whole = rate as u32;
        (self.rate, self.exact_rate) = (whole, Some(rate));
        self.channels = be32(entry, 40).unwrap_or(0);
        self.bits = be32(entry, 48).unwrap_or(0);
        self.lpcm = be32(entry, 52)
            .zip(be32(entry, 56))
            .map(|(flags, frame_bytes)| Lpcm { flags, frame_bytes });
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
                // ISO/IEC 23003-5, 6.3: flags and the sample size.
                b"pcmC" => {
                    self.is_little_endian = body.get(4).is_some_and(|flags| flags & 1 == 1);
                    self.bits = body.get(5).copied().unwrap_or(0).into();
                }
                // A rate that does not fit into the sample entry (ISO/IEC 14496-12, 12.2.3).
                b"srat" => self.rate = be32(body, 4).unwrap_or(0),
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
                        1 + body.get(3 + depends_on).copied().map_or(0, usize::from)
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
                speed: be32(row, 16)?,
            }
        } else {
            Edit {
                duration: be32(row, 0)?.into(),
                media_time: be32(row, 4)?.cast_signed().into(),
                speed: be32(row, 8)?,
            }
        })
    };
    rows(elst, 8, if is_version_1 { 20 } else { 12 })
        .filter_map(parse)
        .collect()
}

/// Sizes of the packets of a sample table, in order.
enum Sizes {
    Equal { size: u32, count: u32 },
    Each(std::vec::IntoIter<u32>),
}

impl Sizes {
    fn parse(stsz: &[u8]) -> Self {
        match be32(stsz, 4) {
            Some(size) if size > 0 => Self::Equal {
                size,
                count: be32(stsz, 8).unwrap_or(0),
            },
            _ => {
                let sizes: Vec<u32> = rows(stsz, 12, 4).filter_map(|r| be32(r, 0)).collect();
                Self::Each(sizes.into_iter())
            }
        }
    }

    /// Takes the size and the number of the next packets, at most `most`, that have one size; `None` at the end.
    fn take(&mut self, most: u32) -> Option<(u32, u32)> {
        match self {
            Self::Equal { size, count } => {
                let taken = most.min(*count);
                *count -= taken;
                (taken > 0).then_some((*size, taken))
            }
            Self::Each(sizes) => Some((sizes.next()?, 1)),
        }
    }
}

/// Durations of the packets of a sample table, in order.
struct Durations {
    /// Number of packets and ticks of each.
    runs: std::vec::IntoIter<(u32, u32)>,
    current: (u32, u32),
}

impl Durations {
    fn parse(stts: &[u8]) -> Self {
        let runs: Vec<(u32, u32)> = rows(stts, 8, 8)
            .filter_map(|r| Some((be32(r, 0)?, be32(r, 4)?)))
            .collect();
        Self {
            runs: runs.into_iter(),
            current: (0, 0),
        }
    }

    /// Returns the duration of the next packet and how many packets in a row have it. After the end of the table the
    /// last duration goes on.
    fn peek(&mut self) -> (u32, u32) {
        while self.current.0 == 0 {
            match self.runs.next() {
                Some(run) => self.current = run,
                None => return (u32::MAX, self.current.1),
            }
        }
        self.current
    }

    fn skip(&mut self, count: u32) {
        self.current.0 = self.current.0.saturating_sub(count);
    }
}

/// Combines the tables of a sample table (ISO/IEC 14496-12, 8.6 and 8.7): sizes, chunk offsets, packets per chunk,
/// durations.
fn sample_runs(stbl: &[u8]) -> Vec<SampleRun> {
    let mut sizes = Sizes::parse(find(stbl, &[b"stsz"]).unwrap_or_default());
    let mut durations = Durations::parse(find(stbl, &[b"stts"]).unwrap_or_default());
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
    let chunk_runs: Vec<(u32, u32)> = rows(stsc, 8, 12)
        .filter_map(|r| Some((be32(r, 0)?, be32(r, 4)?)))
        .collect();
    let mut runs = Vec::new();
    let (mut time, mut chunk_run) = (0u64, 0);
    for (chunk, chunk_offset) in (1u32..).zip(chunk_offsets) {
        while chunk_runs
            .get(chunk_run + 1)
            .is_some_and(|(first, _)| *first <= chunk)
        {
            chunk_run += 1;
        }
        let mut offset = chunk_offset;
        let mut left = chunk_runs.get(chunk_run).map_or(0, |(_, packets)| *packets);
        while left > 0 {
            let (equal, ticks) = durations.peek();
            let Some((size, count)) = sizes.take(left.min(equal).min(MAX_EQUAL_PACKETS)) else {
                return runs;
            };
            runs.push(SampleRun {
                time: Some(time),
                ticks,
                offset,
                size,
                count,
                follows_loss: false,
            });
            durations.skip(count);
            left -= count;
            offset = offset.saturating_add(u64::from(size) * u64::from(count));
            time = time.saturating_add(u64::from(ticks) * u64::from(count));
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems_have_the_names_and_colours_of_the_stem_box() {
        let json = br##"{"version": 1, "stems": [{"color": "#009E73", "name": " Drums "}, {"color": 5}, {"name": 7}]}"##;
        let label = |name: &str, colour: Option<&str>| StemLabel {
            name: name.to_owned(),
            colour: colour.map(str::to_owned),
        };
        let labels = [
            label("Drums", Some("#009e73")),
            label("", None),
            label("", None),
        ];
        assert_eq!(stem_labels(json), labels);
        for wrong in [
            "#12345",
            "#1234567",
            "red",
            "#12345g",
            "123456",
            "#\u{e9}1234",
        ] {
            let json = format!("{{\"stems\": [{{\"color\": {wrong:?}}}]}}");
            assert_eq!(stem_labels(json.as_bytes()), [label("", None)], "{wrong}");
        }
        for broken in [&b"{\"stems\": 3}"[..], b"[]", b"{", b"", b"\xFF"] {
            assert!(stem_labels(broken).is_empty());
        }
        let movie = |tracks: usize| Movie {
            timescale: 1,
            tracks: (0..tracks).map(|_| Mp4Track::default()).collect(),
            smpb: None,
            stem_labels: stem_labels(json),
            fragments: None,
        };
        assert_eq!(movie(4).stream_names(), ["", "Drums", "", ""]);
        let colours = [0, 1, 2, 4].map(|track| movie(4).colour(track));
        assert_eq!(colours, [None, Some("#009e73".to_owned()), None, None]);
        assert_eq!(movie(3).colour(1), None);
        // Names of another number of stems may be those of any.
        assert!(movie(3).stream_names().is_empty());
    }

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

    fn table(name: &[u8], words: &[u32]) -> Vec<u8> {
        let body: Vec<u8> = words.iter().flat_map(|w| w.to_be_bytes()).collect();
        let size = u32::try_from(body.len() + 8).unwrap().to_be_bytes();
        [&size[..], name, &body].concat()
    }

    fn run(time: u64, ticks: u32, offset: u64, size: u32, count: u32) -> SampleRun {
        SampleRun {
            time: Some(time),
            ticks,
            offset,
            size,
            count,
            follows_loss: false,
        }
    }

    #[test]
    fn runs_combine_sizes_chunks_offsets_and_durations() {
        let stbl = [
            table(b"stsz", &[0, 0, 3, 10, 20, 30]),
            table(b"stts", &[0, 2, 1, 1024, 2, 500]),
            table(b"stsc", &[0, 2, 1, 2, 1, 2, 1, 1]),
            table(b"stco", &[0, 2, 100, 500]),
        ];
        assert_eq!(
            sample_runs(&stbl.concat()),
            [
                run(0, 1024, 100, 10, 1),
                run(1024, 500, 110, 20, 1),
                run(1524, 500, 500, 30, 1)
            ]
        );
    }

    #[test]
    fn packets_of_one_size_stay_together_within_a_chunk_and_a_duration() {
        let stbl = [
            table(b"stsz", &[0, 4, 9]),
            table(b"stts", &[0, 2, 7, 1, 2, 10]),
            table(b"stsc", &[0, 1, 1, 5, 1]),
            table(b"stco", &[0, 2, 100, 500]),
        ];
        assert_eq!(
            sample_runs(&stbl.concat()),
            [
                run(0, 1, 100, 4, 5),
                run(5, 1, 500, 4, 2),
                run(7, 10, 508, 4, 2)
            ]
        );
    }

    fn boxed(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let size = u32::try_from(8 + body.len()).unwrap();
        [&size.to_be_bytes(), &name[..], body].concat()
    }

    #[test]
    fn a_sample_description_has_the_fields_of_its_version() {
        let described = |version: u8, rate: u32, rest: &[u8]| {
            let mut entry = vec![0; 28];
            entry[9] = version;
            entry[16..20].copy_from_slice(&[0, 2, 0, 24]);
            entry[24..28].copy_from_slice(&rate.to_be_bytes());
            entry.extend(rest);
            let mut track = Mp4Track::default();
            track.parse_description(&entry);
            track
        };
        let child = boxed(b"enda", &[0, 1]);
        let plain = described(0, 44_100 << 16, &child);
        assert_eq!((plain.channels, plain.bits, plain.rate), (2, 24, 44_100));
        assert_eq!((plain.exact_rate, plain.is_little_endian), (None, true));
        assert_eq!(
            described(0, (44_055 << 16) + 0x8000, &[]).exact_rate,
            Some(44_055.5)
        );
        assert_eq!(
            described(0, 0x8000, &[]).exact_rate,
            None,
            "the rate is elsewhere"
        );
        let first = described(1, 0, &[&[0; 16][..], &child].concat());
        assert!(first.is_little_endian);
        assert!(!described(1, 0, &child).is_little_endian);

        let mut second = [0; 36];
        second[4..12].copy_from_slice(&96_000.25f64.to_be_bytes());
        second[12..16].copy_from_slice(&6u32.to_be_bytes());
        second[20..24].copy_from_slice(&32u32.to_be_bytes());
        second[24..28].copy_from_slice(&9u32.to_be_bytes());
        second[28..32].copy_from_slice(&24u32.to_be_bytes());
        let track = described(2, 0, &[&second[..], &child].concat());
        assert_eq!((track.channels, track.bits, track.rate), (6, 32, 96_000));
        assert_eq!(
            (track.exact_rate, track.is_little_endian),
            (Some(96_000.25), true)
        );
        let (flags, frame_bytes) = (9, 24);
        assert_eq!(track.lpcm, Some(Lpcm { flags, frame_bytes }));
    }

    #[test]
    fn boxes_of_a_sample_entry_configure_the_decoder() {
        let parsed = |entry: &[u8]| {
            let mut track = Mp4Track::default();
            track.parse_sample_entry(entry);
            track
        };
        let numbers: Vec<u8> = (0..50).collect();
        let config = |name| parsed(&boxed(name, &numbers)).config;
        assert_eq!(config(b"alac").as_deref(), Some(&numbers[4..]));
        assert_eq!(config(b"dfLa").as_deref(), Some(&numbers[8..42]));
        assert_eq!(config(b"free"), None);
        assert!(!parsed(&boxed(b"enda", &[1, 0])).is_little_endian);
        for (flags, is_little_endian) in [(1, true), (3, true), (2, false)] {
            let track = parsed(&boxed(b"pcmC", &[0, 0, 0, 0, flags, 24]));
            assert_eq!((track.is_little_endian, track.bits), (is_little_endian, 24));
        }
        let rate = boxed(b"srat", &[0, 0, 0, 0, 0, 2, 0xEE, 0]);
        assert_eq!(parsed(&rate).rate, 192_000);
        assert_eq!(parsed(&boxed(b"wave", &rate)).rate, 192_000);
    }

    #[test]
    fn descriptors_are_nested_behind_their_optional_fields() {
        let configured = |flags: u8, optional: &[u8], length: &[u8]| {
            let mut config = vec![5];
            config.extend(length);
            config.extend([0x12, 0x10, 9, 9]);
            let mut decoder = vec![4, 20, 0x40];
            decoder.extend([0; 12]);
            decoder.extend(config);
            let mut all = vec![6, 2, 3, 3, 3, 0x80, 0x80, 30, 0, 1, flags];
            all.extend(optional);
            all.extend(decoder);
            let body = [&[0; 4][..], &all].concat();
            let mut track = Mp4Track::default();
            track.parse_sample_entry(&boxed(b"esds", &body));
            assert_eq!(track.object_type, 0x40);
            track.config.unwrap().to_vec()
        };
        assert_eq!(configured(0, &[], &[2]), [0x12, 0x10]);
        assert_eq!(configured(0, &[], &[0x80, 0x80, 0x80, 2]), [0x12, 0x10]);
        assert_eq!(
            configured(0, &[], &[0x81, 0]),
            [0x12, 0x10, 9, 9],
            "longer than it is"
        );
        assert_eq!(configured(0x80, &[5, 4], &[2]), [0x12, 0x10]);
        assert_eq!(configured(0x40, &[3, 5, 4, 5], &[2]), [0x12, 0x10]);
        assert_eq!(configured(0x20, &[5, 4], &[2]), [0x12, 0x10]);
        assert_eq!(
            configured(0xE0, &[5, 4, 1, 5, 5, 4], &[2]).len(),
            2,
            "all of them"
        );
    }

    #[test]
    fn the_tag_of_itunes_states_delay_padding_and_length() {
        let parsed = |text: &str| {
            let tag = ItunSmpb::parse(text)?;
            Some((tag.delay, tag.padding, tag.frames))
        };
        let stated = parsed(" 00000000 00000840 000001C0 0000000000015888 00000000");
        assert_eq!(stated, Some((2112, 448, 88_200)));
        assert_eq!(parsed("0 FFFF FFFF 1"), Some((65_535, 65_535, 1)));
        for wrong in [
            "0 840 1C0 0",
            "0 10000 0 1",
            "0 0 10000 1",
            "0 0 0",
            "0 x 0 1",
        ] {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
    }
}
