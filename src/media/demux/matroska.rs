//! Opens Matroska and WebM (RFC 9559, on the EBML of RFC 8794).
//!
//! `symphonia`'s demuxer counts packets instead of reading their timestamps, ignores encoder delay and padding, and
//! cannot tell a file that was cut off from one of unknown length. So all blocks are listed here when a file is opened.
//!
//! Clusters of blocks carry the timestamps, mostly in milliseconds; [`timeline`](super::timeline) places the packets.
//! `CodecDelay` is removed from the start and `DiscardPadding` from the end. A segment or cluster of unknown size ends
//! with the file or the next cluster, which is no damage. Data that cannot be parsed is skipped up to the next
//! cluster, and the blocks of a cluster whose CRC-32 is wrong count as lost unless their packets have checksums.

use super::{
    AudioExtent, MAX_JUNK_BYTES, OpenedStem, StemFile,
    coded_stream::{self, CodedStream, PACKET_HEAD_BYTES, PacketFrames, StatedTrim},
    signed,
    timeline::{PlacedPackets, Timeline},
    vorbis,
};
use crate::{
    error::Result,
    media::symphonia_adapter::{Codec, PcmKind},
    storage::InputFile,
};
use crc::{CRC_32_ISO_HDLC, Crc, Table};
use std::io::{self, BufReader, Read, Seek, SeekFrom};

const NAME: &str = "Matroska";

/// Size limit in bytes of the elements that are read as a whole: headers, and laced blocks.
const MAX_ELEMENT_BYTES: u64 = 16 << 20;

/// Bytes at the start of a block that hold its header, the lacing aside.
const BLOCK_HEADER_BYTES: usize = 12;

/// Number of elements that have to follow one another for the reader to trust them after damage.
const RESYNC_ELEMENTS: usize = 3;

/// Identifiers of elements.
mod id {
    pub(super) const EBML: u32 = 0x1A45_DFA3;
    pub(super) const VOID: u32 = 0xEC;
    pub(super) const CRC_32: u32 = 0xBF;
    pub(super) const SEGMENT: u32 = 0x1853_8067;
    pub(super) const SEEK_HEAD: u32 = 0x114D_9B74;
    pub(super) const INFO: u32 = 0x1549_A966;
    pub(super) const TIMESTAMP_SCALE: u32 = 0x2A_D7B1;
    pub(super) const DURATION: u32 = 0x4489;
    pub(super) const TRACKS: u32 = 0x1654_AE6B;
    pub(super) const TRACK_ENTRY: u32 = 0xAE;
    pub(super) const TRACK_NUMBER: u32 = 0xD7;
    pub(super) const TRACK_TYPE: u32 = 0x83;
    pub(super) const CODEC_ID: u32 = 0x86;
    pub(super) const CODEC_PRIVATE: u32 = 0x63A2;
    pub(super) const CODEC_DELAY: u32 = 0x56AA;
    pub(super) const AUDIO: u32 = 0xE1;
    pub(super) const SAMPLING_FREQUENCY: u32 = 0xB5;
    pub(super) const CHANNELS: u32 = 0x9F;
    pub(super) const BIT_DEPTH: u32 = 0x6264;
    pub(super) const CONTENT_ENCODINGS: u32 = 0x6D80;
    pub(super) const CONTENT_ENCODING: u32 = 0x6240;
    pub(super) const CONTENT_ENCRYPTION: u32 = 0x5035;
    pub(super) const CONTENT_COMPRESSION: u32 = 0x5034;
    pub(super) const COMPRESSION_ALGORITHM: u32 = 0x4254;
    pub(super) const COMPRESSION_SETTINGS: u32 = 0x4255;
    pub(super) const CLUSTER: u32 = 0x1F43_B675;
    pub(super) const TIMESTAMP: u32 = 0xE7;
    pub(super) const POSITION: u32 = 0xA7;
    pub(super) const PREV_SIZE: u32 = 0xAB;
    pub(super) const SILENT_TRACKS: u32 = 0x5854;
    pub(super) const SIMPLE_BLOCK: u32 = 0xA3;
    pub(super) const BLOCK_GROUP: u32 = 0xA0;
    pub(super) const BLOCK: u32 = 0xA1;
    pub(super) const DISCARD_PADDING: u32 = 0x75A2;
    pub(super) const CUES: u32 = 0x1C53_BB6B;
    pub(super) const CHAPTERS: u32 = 0x1043_A770;
    pub(super) const TAGS: u32 = 0x1254_C367;
    pub(super) const ATTACHMENTS: u32 = 0x1941_A469;
}

impl StemFile<'_> {
    pub(super) fn open_matroska(&self) -> Result<OpenedStem> {
        let header = Header::read(self.file).map_err(|e| self.io_error(e))?;
        let Some(header) = header else {
            return Err(self.corrupt(
                "Matroska: its segment is missing or not whole: the file is probably cut off",
            ));
        };
        let index = self
            .stream_index(header.tracks.len())?
            .ok_or_else(|| self.no_audio())?;
        let track = header.tracks.get(index).ok_or_else(|| self.no_audio())?;
        let mut coded = self.matroska_stream(&header, track)?;
        let mut scan =
            BlockScan::run(self.file, &header, track, &mut coded).map_err(|e| self.io_error(e))?;
        if let Some(at) = scan.chained_at {
            let at = super::clock(coded.rate, at);
            let what = format!("Matroska: another segment begins at {at} (joined files)");
            return Err(self.error(crate::ErrorKind::Unsupported, what));
        }
        if scan.placed.entries.is_empty() {
            return Err(self.corrupt(format!("{} in {NAME}: there are no packets", coded.name)));
        }
        // The first packet of Vorbis decodes to nothing, and not all writers state that as a delay.
        let delay = match (track.codec_delay, coded.codec, scan.placed.entries.first()) {
            (None, Codec::Vorbis, Some(first)) => first.frames.into(),
            (delay, ..) => nanoseconds_to_frames(delay.unwrap_or(0), coded.rate),
        };
        let origin = signed(delay.saturating_add(scan.shift));
        let padding = nanoseconds_to_frames(scan.discard_padding, coded.rate);
        let available_end = signed(scan.placed.end).saturating_sub(signed(padding));
        let stated = header
            .frames(coded.rate)
            .saturating_add(scan.shift)
            .saturating_sub(scan.placed.end);
        let missing = if scan.is_cut { stated } else { 0 };
        let extent = AudioExtent {
            origin,
            end: available_end.saturating_add_unsigned(missing).max(origin),
            available_end,
        };
        let trim = StatedTrim {
            extent,
            silence: 0,
            states_delay: track.codec_delay.is_some(),
            is_cut: scan.is_cut && header.duration == 0.0,
        };
        scan.placed.prefix.clone_from(&track.prefix);
        self.open_coded(coded, scan.placed, trim, header.tracks.len(), NAME)
    }

    /// Describes the codec of a track (Matroska codec mappings, RFC 9559 section 5.1.4.1.21).
    fn matroska_stream(&self, header: &Header, track: &MatroskaTrack) -> Result<CodedStream> {
        if let Some(what) = track.unsupported_encoding {
            return Err(self.unsupported(format!("{what} in {NAME}")));
        }
        let config = track.config.as_slice();
        let codec = track.codec.as_str();
        let pcm = |kind, big_endian| coded_stream::pcm(track.bits, kind, big_endian);
        let pcm = match codec {
            "A_PCM/INT/LIT" if track.bits <= 8 => pcm(PcmKind::Unsigned, false),
            "A_PCM/INT/LIT" => pcm(PcmKind::Signed, false),
            "A_PCM/INT/BIG" => pcm(PcmKind::Signed, true),
            "A_PCM/FLOAT/IEEE" => pcm(PcmKind::Float, false),
            "A_MS/ACM" => return self.wave_format_stream(track),
            "A_VORBIS" => {
                let headers = vorbis::split_headers(config);
                let [identification, _, setup] = headers.unwrap_or_default();
                return self.vorbis_stream(identification, setup, NAME);
            }
            "A_FLAC" => return self.flac_stream(flac_stream_info(config), NAME),
            "A_ALAC" => return self.alac_stream(config, NAME),
            "A_MPEG/L1" | "A_MPEG/L2" | "A_MPEG/L3" => {
                let first = first_packet_head(self.file, header, track);
                return self.mpeg_stream(&first.map_err(|e| self.io_error(e))?, NAME);
            }
            "A_AAC" => return self.aac_stream(config, NAME),
            _ if codec.starts_with("A_AAC/") && !config.is_empty() => {
                return self.aac_stream(config, NAME);
            }
            _ => {
                let name = codec_name(codec);
                return Err(self.unsupported(format!("{name} in {NAME}")));
            }
        };
        let described = coded_stream::pcm_stream(pcm, track.rate(), track.channels, track.bits);
        described
            .filter(|coded| track.bits.is_multiple_of(8) && coded.codec.is_decoded())
            .ok_or_else(|| self.unsupported(format!("PCM of {} bits in {NAME}", track.bits)))
    }

    /// Describes uncompressed audio by the WAVEFORMATEX structure in the private data.
    fn wave_format_stream(&self, track: &MatroskaTrack) -> Result<CodedStream> {
        let le16 = |at: usize| {
            let bytes = track.config.get(at..at + 2)?.first_chunk::<2>()?;
            Some(u16::from_le_bytes(*bytes))
        };
        let (tag, bits) = (le16(0).unwrap_or(0), le16(14).unwrap_or(0));
        let codec = match tag {
            1 if bits <= 8 => coded_stream::pcm(bits, PcmKind::Unsigned, false),
            1 => coded_stream::pcm(bits, PcmKind::Signed, false),
            3 => coded_stream::pcm(bits, PcmKind::Float, false),
            6 => Codec::ALaw,
            7 => Codec::MuLaw,
            _ => {
                let what = format!("audio of WAVE format {tag:#06x} in {NAME}");
                return Err(self.unsupported(what));
            }
        };
        coded_stream::pcm_stream(codec, track.rate(), track.channels, bits)
            .filter(|coded| coded.codec.is_decoded())
            .ok_or_else(|| self.unsupported(format!("PCM of {bits} bits in {NAME}")))
    }
}

/// Returns the name of a codec that is not supported, as users know it.
fn codec_name(id: &str) -> String {
    match id {
        "A_OPUS" => "Opus".into(),
        "A_AC3" | "A_AC3/BSID9" | "A_AC3/BSID10" => "AC-3".into(),
        "A_EAC3" => "E-AC-3".into(),
        "A_TRUEHD" => "TrueHD".into(),
        "A_TTA1" => "True Audio".into(),
        "A_WAVPACK4" => "WavPack".into(),
        _ if id.starts_with("A_DTS") => "DTS".into(),
        _ => format!("audio of type \"{}\"", id.escape_default()),
    }
}

/// Returns the STREAMINFO block of the private data: it follows the `fLaC` marker and its block header.
fn flac_stream_info(config: &[u8]) -> &[u8] {
    config
        .strip_prefix(b"fLaC")
        .and_then(|blocks| blocks.get(4..38))
        .unwrap_or_default()
}

/// Converts nanoseconds to frames, rounded to the nearest.
fn nanoseconds_to_frames(nanoseconds: u64, rate: u32) -> u64 {
    let frames = (u128::from(nanoseconds) * u128::from(rate) + 500_000_000) / 1_000_000_000;
    u64::try_from(frames).unwrap_or(u64::MAX)
}

/// The head of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Element {
    id: u32,
    /// File offset of its body.
    body: u64,
    /// Size of its body in bytes; `None` if unknown.
    size: Option<u64>,
}

impl Element {
    fn end(&self) -> Option<u64> {
        self.size.map(|size| self.body.saturating_add(size))
    }
}

/// Reads elements of a file.
struct EbmlReader {
    file: BufReader<InputFile>,
    position: u64,
    len: u64,
}

impl EbmlReader {
    fn new(file: &InputFile) -> Self {
        Self {
            file: BufReader::with_capacity(1 << 16, file.clone()),
            // Not 0, so that the first seek is done.
            position: u64::MAX,
            len: file.len(),
        }
    }

    /// Reads up to `n` bytes from file offset `at`, fewer at the end of the file.
    fn bytes(&mut self, at: u64, n: u64) -> io::Result<Vec<u8>> {
        if self.position == u64::MAX {
            self.file.seek(SeekFrom::Start(at))?;
        } else if at != self.position {
            let distance = i128::from(at) - i128::from(self.position);
            match i64::try_from(distance) {
                Ok(distance) => self.file.seek_relative(distance)?,
                Err(_) => {
                    self.file.seek(SeekFrom::Start(at))?;
                }
            }
        }
        let mut data = Vec::new();
        (&mut self.file).take(n).read_to_end(&mut data)?;
        self.position = at + data.len() as u64;
        Ok(data)
    }

    /// Reads the head of the element at file offset `at`; `None` if there is none, or only a part of one.
    fn element(&mut self, at: u64) -> io::Result<Option<Element>> {
        let head = self.bytes(at, 12)?;
        Ok(parse_element(&head).map(|(id, size, width)| Element {
            id,
            body: at + width,
            size,
        }))
    }

    /// Reads the body of an element that is in the file as a whole and not too large.
    fn body(&mut self, element: &Element) -> io::Result<Option<Vec<u8>>> {
        let Some(size) = element.size.filter(|size| *size <= MAX_ELEMENT_BYTES) else {
            return Ok(None);
        };
        let data = self.bytes(element.body, size)?;
        Ok((data.len() as u64 == size).then_some(data))
    }

    /// Returns the offset of the next cluster or block at or after `at`; the end of the file if there is none nearby.
    fn find_block(&mut self, mut at: u64, limit: u64) -> io::Result<u64> {
        const PIECE: u64 = 1 << 12;
        let search_end = self.len.min(at.saturating_add(MAX_JUNK_BYTES));
        while at < search_end {
            let data = self.bytes(at, PIECE)?;
            for (offset, byte) in (at..).zip(&data) {
                let is_candidate = [0xA3, 0xA0, 0x1F].contains(byte);
                if is_candidate && self.is_block_chain(offset, limit)? {
                    return Ok(offset);
                }
            }
            if (data.len() as u64) < PIECE {
                break;
            }
            at += PIECE;
        }
        Ok(self.len)
    }

    /// Returns whether elements of blocks follow one another from file offset `at` on.
    fn is_block_chain(&mut self, mut at: u64, limit: u64) -> io::Result<bool> {
        for _ in 0..RESYNC_ELEMENTS {
            if at == limit {
                break;
            }
            let Some(element) = self.element(at)? else {
                return Ok(false);
            };
            match (element.id, element.end()) {
                (id::CLUSTER, _) => break,
                (id::SIMPLE_BLOCK | id::BLOCK_GROUP, Some(end)) if end <= limit => at = end,
                _ => return Ok(false),
            }
        }
        Ok(true)
    }
}

/// Parses the head of an element: identifier, size of the body (`None` if unknown), bytes that the head takes.
fn parse_element(data: &[u8]) -> Option<(u32, Option<u64>, u64)> {
    let id_width = data.first()?.leading_zeros() as usize + 1;
    let id = data.get(..id_width).filter(|_| id_width <= 4)?;
    let id = id.iter().fold(0, |id, byte| id << 8 | u32::from(*byte));
    let (size, size_width) = parse_number(data.get(id_width..)?)?;
    let unknown = (1u64 << (7 * size_width)) - 1;
    Some((
        id,
        Some(size).filter(|size| *size != unknown),
        (id_width + size_width) as u64,
    ))
}

/// Parses a number of variable width without its length marker; returns how many bytes it takes, too.
fn parse_number(data: &[u8]) -> Option<(u64, usize)> {
    let width = data.first()?.leading_zeros() as usize + 1;
    let bytes = data.get(..width).filter(|_| width <= 8)?;
    let number = bytes
        .iter()
        .fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    Some((number & ((1 << (7 * width)) - 1), width))
}

/// Iterates over the elements in the body of another one.
fn elements(mut data: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    std::iter::from_fn(move || {
        let (id, size, width) = parse_element(data)?;
        let body = data.get(usize::try_from(width).ok()?..)?;
        let size = usize::try_from(size?).ok()?.min(body.len());
        let (body, rest) = body.split_at_checked(size)?;
        data = rest;
        Some((id, body))
    })
}

/// Parses the body of an unsigned integer element.
fn unsigned_value(body: &[u8]) -> u64 {
    body.iter()
        .take(8)
        .fold(0, |n, byte| n << 8 | u64::from(*byte))
}

/// Parses the body of a signed integer element.
fn signed_value(body: &[u8]) -> i64 {
    let bits = 8 * u32::try_from(body.len().min(8)).unwrap_or(8);
    let value = unsigned_value(body).cast_signed();
    // Extends the sign.
    value
        .checked_shl(64 - bits)
        .map_or(0, |shifted| shifted >> (64 - bits))
}

/// Parses the body of a floating point element.
fn float_value(body: &[u8]) -> f64 {
    match body.len() {
        4 => body
            .first_chunk::<4>()
            .map_or(0.0, |b| f32::from_be_bytes(*b).into()),
        8 => body
            .first_chunk::<8>()
            .map_or(0.0, |b| f64::from_be_bytes(*b)),
        _ => 0.0,
    }
}

/// What precedes the blocks of a file.
#[derive(Debug)]
struct Header {
    /// Offset of the body of the segment.
    segment: u64,
    /// Offset of the end of the segment; `None` if its size is unknown.
    segment_end: Option<u64>,
    /// Nanoseconds per tick of timestamps.
    scale: u64,
    /// Duration in ticks; 0 if it is not stated.
    duration: f64,
    /// Audio tracks, in the order of the file.
    tracks: Vec<MatroskaTrack>,
}

/// An audio track.
#[derive(Clone, Debug, Default)]
struct MatroskaTrack {
    number: u64,
    kind: u64,
    codec: String,
    config: Vec<u8>,
    /// Encoder delay in nanoseconds.
    codec_delay: Option<u64>,
    sampling_frequency: f64,
    channels: usize,
    bits: u16,
    /// Bytes that each packet begins with and that the file leaves out.
    prefix: Vec<u8>,
    /// Name of an encoding of the packets that is not supported.
    unsupported_encoding: Option<&'static str>,
}

impl Header {
    /// Reads the header of a file; `None` if there is no segment or no list of tracks.
    fn read(file: &InputFile) -> io::Result<Option<Self>> {
        let mut reader = EbmlReader::new(file);
        let mut at = 0;
        let mut header: Option<Self> = None;
        while let Some(element) = reader.element(at)? {
            match (element.id, header.as_mut()) {
                (id::SEGMENT, None) => {
                    header = Some(Self {
                        segment: element.body,
                        segment_end: element.end(),
                        scale: 1_000_000,
                        duration: 0.0,
                        tracks: Vec::new(),
                    });
                    at = element.body;
                    continue;
                }
                (id::EBML | id::VOID, None) => {}
                (_, None) => return Ok(None),
                (id::INFO, Some(header)) => {
                    let body = reader.body(&element)?.unwrap_or_default();
                    header.parse_info(&body);
                }
                (id::TRACKS, Some(found)) => {
                    let Some(body) = reader.body(&element)? else {
                        return Ok(None);
                    };
                    let tracks = elements(&body).filter(|(id, _)| *id == id::TRACK_ENTRY);
                    found.tracks = tracks
                        .map(|(_, entry)| MatroskaTrack::parse(entry))
                        .filter(|track| track.kind == 2)
                        .collect();
                    return Ok(header);
                }
                (id::CLUSTER, Some(_)) if element.size.is_none() => {
                    at = element.body;
                    continue;
                }
                _ => {}
            }
            let Some(end) = element.end() else {
                return Ok(None);
            };
            at = end;
        }
        Ok(None)
    }

    fn parse_info(&mut self, info: &[u8]) {
        for (id, body) in elements(info) {
            match id {
                id::TIMESTAMP_SCALE => self.scale = unsigned_value(body).max(1),
                id::DURATION => self.duration = float_value(body),
                _ => {}
            }
        }
    }

    /// Returns the stated duration in frames; 0 if there is none.
    fn frames(&self, rate: u32) -> u64 {
        // The scale is a power of ten in practice, and the duration has 53 bits: exact to the frame.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "saturates, and negative durations become 0"
        )]
        let frames = (self.duration * self.scale as f64 * f64::from(rate) / 1e9).round() as u64;
        frames
    }

    /// Converts a timestamp in ticks to frames, rounded to the nearest.
    fn ticks_to_frames(&self, ticks: i64, rate: u32) -> i64 {
        let product = i128::from(ticks) * i128::from(self.scale) * i128::from(rate);
        let frames = (product + 500_000_000).div_euclid(1_000_000_000);
        i64::try_from(frames).unwrap_or(i64::MAX)
    }
}

impl MatroskaTrack {
    fn parse(entry: &[u8]) -> Self {
        let mut track = Self {
            sampling_frequency: 8000.0,
            channels: 1,
            ..Self::default()
        };
        for (id, body) in elements(entry) {
            match id {
                id::TRACK_NUMBER => track.number = unsigned_value(body),
                id::TRACK_TYPE => track.kind = unsigned_value(body),
                id::CODEC_ID => {
                    let text = String::from_utf8_lossy(body);
                    track.codec = text.trim_end_matches('\0').to_owned();
                }
                id::CODEC_PRIVATE => track.config = body.to_vec(),
                id::CODEC_DELAY => track.codec_delay = Some(unsigned_value(body)),
                id::AUDIO => track.parse_audio(body),
                id::CONTENT_ENCODINGS => {
                    for (_, encoding) in
                        elements(body).filter(|(id, _)| *id == id::CONTENT_ENCODING)
                    {
                        track.parse_encoding(encoding);
                    }
                }
                _ => {}
            }
        }
        track
    }

    /// Returns the stated sample rate, rounded to whole Hz.
    fn rate(&self) -> u32 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturates, and the result is checked against the limits"
        )]
        let rate = self.sampling_frequency.round() as u32;
        rate
    }

    fn parse_audio(&mut self, audio: &[u8]) {
        for (id, body) in elements(audio) {
            match id {
                id::SAMPLING_FREQUENCY => self.sampling_frequency = float_value(body),
                id::CHANNELS => {
                    self.channels = usize::try_from(unsigned_value(body)).unwrap_or(usize::MAX);
                }
                id::BIT_DEPTH => {
                    self.bits = u16::try_from(unsigned_value(body)).unwrap_or(u16::MAX)
                }
                _ => {}
            }
        }
    }

    /// Reads how the packets are encoded on top of their codec (RFC 9559, 5.1.4.1.31).
    fn parse_encoding(&mut self, encoding: &[u8]) {
        const HEADER_STRIPPING: u64 = 3;
        for (id, body) in elements(encoding) {
            match id {
                id::CONTENT_ENCRYPTION => self.unsupported_encoding = Some("encrypted audio"),
                id::CONTENT_COMPRESSION => {
                    let mut algorithm = 0;
                    for (id, body) in elements(body) {
                        match id {
                            id::COMPRESSION_ALGORITHM => algorithm = unsigned_value(body),
                            id::COMPRESSION_SETTINGS => self.prefix = body.to_vec(),
                            _ => {}
                        }
                    }
                    if algorithm != HEADER_STRIPPING {
                        self.unsupported_encoding = Some("audio compressed once more");
                    }
                }
                _ => {}
            }
        }
    }
}

/// The blocks of one track.
#[derive(Default)]
struct BlockScan {
    placed: PlacedPackets,
    /// Frames that positions were moved by, so that none is negative.
    shift: u64,
    /// Nanoseconds to leave out at the end of the last block.
    discard_padding: u64,
    /// Whether the file is cut off, or damaged to its end.
    is_cut: bool,
    /// Position at which another segment begins. The scan stops there.
    chained_at: Option<u64>,
}

/// Lists the blocks of a file, one after another.
struct BlockReader<'a> {
    reader: EbmlReader,
    header: &'a Header,
    at: u64,
    /// End of the cluster that is read; `None` outside, and where its size is unknown.
    cluster_end: Option<u64>,
    cluster_timestamp: u64,
    /// Whether the CRC-32 of the cluster that is read is wrong.
    cluster_is_damaged: bool,
    /// Number of the wanted track.
    track: u64,
}

/// What a [`BlockReader`] finds.
enum Found {
    Block(Block),
    /// Data that cannot be parsed was skipped.
    Damage,
    /// The file ends inside an element; of a block, what there is of its header.
    Cut,
    /// Another EBML header begins.
    OtherSegment,
    End,
}

/// A block of the wanted track.
struct Block {
    /// In ticks.
    timestamp: i64,
    /// File offset, size and first bytes of each packet.
    packets: Vec<(u64, u32, Vec<u8>)>,
    /// In nanoseconds.
    discard_padding: i64,
    /// Whether it is in a cluster whose CRC-32 is wrong.
    is_doubtful: bool,
}

impl<'a> BlockReader<'a> {
    fn new(file: &InputFile, header: &'a Header, track: &MatroskaTrack) -> Self {
        Self {
            reader: EbmlReader::new(file),
            header,
            at: header.segment,
            cluster_end: None,
            cluster_timestamp: 0,
            cluster_is_damaged: false,
            track: track.number,
        }
    }

    /// Finds the next block of the track.
    fn next(&mut self) -> io::Result<Found> {
        loop {
            let len = self.reader.len;
            let segment_end = self.header.segment_end.unwrap_or(u64::MAX);
            if self.cluster_end.is_some_and(|end| self.at >= end) && self.at < len {
                self.cluster_end = None;
            }
            if self.at >= len.min(segment_end) {
                return self.end();
            }
            let Some(element) = self.reader.element(self.at)? else {
                let is_cut = len - self.at < 12;
                return if is_cut {
                    Ok(Found::Cut)
                } else {
                    self.skip_damage()
                };
            };
            let is_known = is_known(element.id);
            let limit = self.cluster_end.unwrap_or(segment_end).min(segment_end);
            let starts_cluster = element.id == id::CLUSTER;
            match element.end() {
                // A master element of unknown size is entered, all others have a size.
                None if starts_cluster => {}
                None => return self.skip_damage(),
                Some(end) if end > limit && !starts_cluster => return self.skip_damage(),
                Some(end) if end > len && is_known && !starts_cluster => {
                    let holds_audio = matches!(element.id, id::SIMPLE_BLOCK | id::BLOCK_GROUP);
                    self.at = len;
                    return Ok(if holds_audio { Found::Cut } else { Found::End });
                }
                Some(end) if end > len && !starts_cluster => return self.skip_damage(),
                Some(_) => {}
            }
            match element.id {
                id::EBML => return Ok(Found::OtherSegment),
                id::CLUSTER => self.enter_cluster(&element)?,
                id::TIMESTAMP => {
                    let body = self.reader.body(&element)?.unwrap_or_default();
                    self.cluster_timestamp = unsigned_value(&body);
                    self.skip(&element);
                }
                id::SIMPLE_BLOCK => {
                    let block = self.block(&element)?;
                    self.skip(&element);
                    match block {
                        Ok(Some(block)) => return Ok(Found::Block(block)),
                        Ok(None) => {}
                        Err(Unreadable) => return Ok(Found::Damage),
                    }
                }
                id::BLOCK_GROUP => {
                    let block = self.block_group(&element)?;
                    self.skip(&element);
                    match block {
                        Ok(Some(block)) => return Ok(Found::Block(block)),
                        Ok(None) => {}
                        Err(Unreadable) => return Ok(Found::Damage),
                    }
                }
                _ => {
                    self.skip(&element);
                    // A reader skips elements that it does not know. One damaged bit makes a block one of them.
                    if !is_known {
                        return Ok(Found::Damage);
                    }
                }
            }
        }
    }

    /// Returns whether the file ends where its segment does.
    fn end(&mut self) -> io::Result<Found> {
        let len = self.reader.len;
        match self.header.segment_end {
            Some(end) if end > len => Ok(Found::Cut),
            Some(end) if end < len => {
                let next = self.reader.element(end)?;
                Ok(match next {
                    Some(next) if next.id == id::EBML => Found::OtherSegment,
                    _ => Found::End,
                })
            }
            _ if self.cluster_end.is_some_and(|end| end > len) => Ok(Found::Cut),
            _ => Ok(Found::End),
        }
    }

    fn skip(&mut self, element: &Element) {
        self.at = element.end().unwrap_or(self.reader.len);
    }

    /// Goes on with the next block or cluster.
    fn skip_damage(&mut self) -> io::Result<Found> {
        let limit = self
            .cluster_end
            .or(self.header.segment_end)
            .unwrap_or(u64::MAX)
            .min(self.reader.len);
        self.at = self.reader.find_block(self.at + 1, limit)?;
        if self.at >= limit {
            self.cluster_end = None;
        }
        Ok(Found::Damage)
    }

    fn enter_cluster(&mut self, cluster: &Element) -> io::Result<()> {
        self.at = cluster.body;
        self.cluster_end = cluster.end();
        self.cluster_is_damaged = false;
        let Some(end) = cluster.end().filter(|end| *end <= self.reader.len) else {
            return Ok(());
        };
        let first = self.reader.element(cluster.body)?;
        if let Some(crc) = first.filter(|e| e.id == id::CRC_32 && e.size == Some(4)) {
            let stated = self.reader.bytes(crc.body, 4)?;
            let actual = self.checksum(crc.body + 4, end)?;
            self.cluster_is_damaged = stated != actual.to_le_bytes();
        }
        Ok(())
    }

    /// Computes the CRC-32 of a range of the file (RFC 8794, 11.3.1).
    fn checksum(&mut self, mut at: u64, end: u64) -> io::Result<u32> {
        static CRC_32: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC);
        let mut digest = CRC_32.digest();
        while at < end {
            let piece = self.reader.bytes(at, (end - at).min(1 << 16))?;
            if piece.is_empty() {
                break;
            }
            digest.update(&piece);
            at += piece.len() as u64;
        }
        Ok(digest.finalize())
    }

    /// Reads the block in a block group.
    fn block_group(
        &mut self,
        group: &Element,
    ) -> io::Result<std::result::Result<Option<Block>, Unreadable>> {
        let Some(end) = group.end() else {
            return Ok(Err(Unreadable));
        };
        let mut at = group.body;
        let (mut block, mut padding) = (Ok(None), 0);
        while at < end {
            let Some(element) = self.reader.element(at)? else {
                return Ok(Err(Unreadable));
            };
            let Some(next) = element.end().filter(|next| *next <= end) else {
                return Ok(Err(Unreadable));
            };
            match element.id {
                id::BLOCK => block = self.block(&element)?,
                id::DISCARD_PADDING => {
                    padding = signed_value(&self.reader.body(&element)?.unwrap_or_default());
                }
                _ => {}
            }
            at = next;
        }
        if let Ok(Some(block)) = &mut block {
            block.discard_padding = padding;
        }
        Ok(block)
    }

    /// Reads a block; `None` if it belongs to another track.
    fn block(
        &mut self,
        element: &Element,
    ) -> io::Result<std::result::Result<Option<Block>, Unreadable>> {
        let size = element.size.unwrap_or(0);
        let head = self.reader.bytes(
            element.body,
            size.min((BLOCK_HEADER_BYTES + PACKET_HEAD_BYTES) as u64),
        )?;
        let Some((track, width)) = parse_number(&head) else {
            return Ok(Err(Unreadable));
        };
        let Some(&[high, low, flags]) = head.get(width..).and_then(|h| h.first_chunk::<3>()) else {
            return Ok(Err(Unreadable));
        };
        if track != self.track {
            return Ok(Ok(None));
        }
        let header_len = width as u64 + 3;
        let relative = i16::from_be_bytes([high, low]);
        let timestamp = signed(self.cluster_timestamp).saturating_add(relative.into());
        let packets = if flags & 0x06 == 0 {
            let Ok(bytes) = u32::try_from(size - header_len) else {
                return Ok(Err(Unreadable));
            };
            let start = head.get(width + 3..).unwrap_or_default().to_vec();
            vec![(element.body + header_len, bytes, start)]
        } else {
            let Some(body) = self.reader.body(element)? else {
                return Ok(Err(Unreadable));
            };
            let Some(laced) = unlace(flags, body.get(width + 3..).unwrap_or_default()) else {
                return Ok(Err(Unreadable));
            };
            let mut offset = element.body + header_len + laced.offset as u64;
            let mut packets = Vec::with_capacity(laced.sizes.len());
            for size in laced.sizes {
                let start = usize::try_from(offset - element.body).unwrap_or(usize::MAX);
                let rest = body.get(start..).unwrap_or_default();
                let head = rest.get(..size.min(PACKET_HEAD_BYTES)).unwrap_or_default();
                let bytes = u32::try_from(size).unwrap_or(u32::MAX);
                packets.push((offset, bytes, head.to_vec()));
                offset += size as u64;
            }
            packets
        };
        Ok(Ok(Some(Block {
            timestamp,
            packets,
            discard_padding: 0,
            is_doubtful: self.cluster_is_damaged,
        })))
    }
}

/// A block that cannot be parsed.
struct Unreadable;

/// Returns whether an element belongs into a segment or a cluster.
fn is_known(id: u32) -> bool {
    matches!(
        id,
        id::EBML
            | id::VOID
            | id::CRC_32
            | id::SEEK_HEAD
            | id::INFO
            | id::TRACKS
            | id::CLUSTER
            | id::TIMESTAMP
            | id::POSITION
            | id::PREV_SIZE
            | id::SILENT_TRACKS
            | id::SIMPLE_BLOCK
            | id::BLOCK_GROUP
            | id::CUES
            | id::CHAPTERS
            | id::TAGS
            | id::ATTACHMENTS
    )
}

/// Sizes of the packets in a laced block, and the offset of the first one.
struct Laced {
    sizes: Vec<usize>,
    offset: usize,
}

/// Parses the lacing of a block (RFC 9559, 10.3).
fn unlace(flags: u8, data: &[u8]) -> Option<Laced> {
    const XIPH: u8 = 0x02;
    const FIXED_SIZE: u8 = 0x04;
    let (&count, mut rest) = data.split_first()?;
    let count = usize::from(count) + 1;
    let mut sizes = Vec::with_capacity(count);
    match flags & 0x06 {
        FIXED_SIZE => {
            (rest.len() % count == 0).then_some(())?;
            sizes.resize(count, rest.len() / count);
        }
        XIPH => {
            for _ in 1..count {
                let mut size = 0;
                loop {
                    let (&byte, tail) = rest.split_first()?;
                    rest = tail;
                    size += usize::from(byte);
                    if byte < 255 {
                        break;
                    }
                }
                sizes.push(size);
            }
        }
        _ => {
            let mut size = 0i64;
            for packet in 1..count {
                let (number, width) = parse_number(rest)?;
                rest = rest.get(width..)?;
                let number = i64::try_from(number).ok()?;
                // All but the first are differences, stored with half of their range added.
                size = if packet == 1 {
                    number
                } else {
                    size + number - ((1 << (7 * width - 1)) - 1)
                };
                sizes.push(usize::try_from(size).ok()?);
            }
        }
    }
    if sizes.len() < count {
        let used: usize = sizes.iter().sum();
        sizes.push(rest.len().checked_sub(used)?);
    }
    let offset = data.len() - rest.len();
    Some(Laced { sizes, offset })
}

/// Reads the first bytes of the first packet of a track; empty if there is none.
fn first_packet_head(
    file: &InputFile,
    header: &Header,
    track: &MatroskaTrack,
) -> io::Result<Vec<u8>> {
    let mut blocks = BlockReader::new(file, header, track);
    loop {
        match blocks.next()? {
            Found::Block(block) => {
                let head = block.packets.into_iter().next().map(|(_, _, head)| head);
                return Ok([track.prefix.clone(), head.unwrap_or_default()].concat());
            }
            Found::Damage => {}
            _ => return Ok(Vec::new()),
        }
    }
}

impl BlockScan {
    /// Lists and places the packets of a track.
    fn run(
        file: &InputFile,
        header: &Header,
        track: &MatroskaTrack,
        coded: &mut CodedStream,
    ) -> io::Result<Self> {
        let rate = coded.rate;
        let usual = coded.packets.usual();
        let has_checksums = matches!(coded.packets, PacketFrames::Flac(_));
        let step = u128::from(header.scale) * u128::from(rate);
        let step = u64::try_from(step.div_ceil(1_000_000_000)).unwrap_or(u64::MAX);
        let stated_end = Some(header.frames(rate)).filter(|frames| *frames > 0);
        let mut timeline = Timeline::new(rate, step, stated_end);
        let mut scan = Self::default();
        let mut blocks = BlockReader::new(file, header, track);
        let mut is_first = true;
        // Difference between the positions that packets state and the timeline.
        let mut distance: Option<i64> = None;
        loop {
            let block = match blocks.next()? {
                Found::Block(block) => block,
                Found::Damage => {
                    timeline.lose_data();
                    continue;
                }
                Found::Cut => {
                    scan.is_cut = true;
                    break;
                }
                Found::OtherSegment => {
                    scan.chained_at = Some(timeline.end());
                    break;
                }
                Found::End => {
                    scan.is_cut = timeline.has_lost_data();
                    break;
                }
            };
            let stated = header.ticks_to_frames(block.timestamp, rate);
            if is_first {
                scan.shift = stated.min(0).unsigned_abs();
            }
            let stated = super::unsigned(stated.saturating_add_unsigned(scan.shift));
            let mut stated = Some(stated);
            if block.is_doubtful && !is_first {
                timeline.lose_data();
            }
            let only_packet = block.packets.first().filter(|_| block.packets.len() == 1);
            let exact = only_packet.and_then(|(_, _, head)| coded.packets.position(head));
            // After lost data a timestamp is rounded, and a packet that states its position is exact.
            if let (Some(exact), Some(distance), Some(rounded)) = (exact, distance, stated) {
                let exact = exact.saturating_add_signed(distance);
                if timeline.has_lost_data() && exact.abs_diff(rounded) <= step {
                    stated = Some(exact);
                }
            }
            for (offset, size, head) in block.packets {
                let head = [track.prefix.as_slice(), &head].concat();
                let frames = match &coded.packets {
                    // The first packet decodes to nothing; it takes half of its block.
                    PacketFrames::Vorbis(blocks) if is_first => {
                        let size = blocks.block_size(&head);
                        coded.packets.of(&head, 0);
                        size.map(|size| size / 2)
                    }
                    _ => coded.packets.of(&head, size),
                };
                let last = timeline.last_frames();
                let frames = frames.unwrap_or(if last > 0 { last } else { usual });
                is_first = false;
                // A packet of size 0 is an entry of the table that is lost.
                let size = if block.is_doubtful && !has_checksums {
                    0
                } else {
                    size
                };
                timeline.push(stated.take(), frames.max(last), offset, size, frames);
            }
            distance = exact.map(|exact| signed(timeline.last_start()) - signed(exact));
            scan.discard_padding = super::unsigned(block.discard_padding);
        }
        scan.placed = timeline.finish();
        Ok(scan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn element_heads_are_parsed_and_unknown_sizes_recognised() {
        assert_eq!(parse_element(&[0xA3, 0x85]), Some((0xA3, Some(5), 2)));
        assert_eq!(
            parse_element(&[
                0x1F, 0x43, 0xB6, 0x75, 0x01, 255, 255, 255, 255, 255, 255, 255
            ]),
            Some((id::CLUSTER, None, 12))
        );
        assert_eq!(parse_element(&[0xA3, 0xFF]), Some((0xA3, None, 2)));
        assert_eq!(parse_element(&[0xA3, 0x40, 0x02]), Some((0xA3, Some(2), 3)));
        assert_eq!(parse_element(&[0x00, 0x81]), None);
        assert_eq!(parse_element(&[0x1F, 0x43]), None);
    }

    #[test]
    fn numbers_of_each_kind() {
        assert_eq!(signed_value(&[0xFF, 0x38]), -200);
        assert_eq!(signed_value(&[0x14, 0x58, 0x55]), 1_333_333);
        assert_eq!(signed_value(&[]), 0);
        assert_eq!(unsigned_value(&[1, 0]), 256);
        assert_eq!(float_value(&44_100f32.to_be_bytes()), 44_100.0);
        assert_eq!(float_value(&0.5f64.to_be_bytes()), 0.5);
    }

    #[test]
    fn lacing_of_each_kind() {
        let sizes = |flags, data: &[u8]| unlace(flags, data).map(|l| (l.sizes, l.offset));
        let data = [&[1, 255, 3][..], &[0; 300]].concat();
        assert_eq!(sizes(0x02, &data), Some((vec![258, 42], 3)));
        assert_eq!(
            sizes(0x04, &[2, 0, 0, 0, 0, 0, 0]),
            Some((vec![2, 2, 2], 1))
        );
        // 800, then 500 less, then the rest (RFC 9559, 10.3.3).
        let data = [&[2, 0x43, 0x20, 0x5E, 0x0B][..], &[0; 2100]].concat();
        assert_eq!(sizes(0x06, &data), Some((vec![800, 300, 1000], 5)));
        assert_eq!(sizes(0x02, &[1, 9, 0]), None);
        assert_eq!(sizes(0x04, &[1, 0, 0, 0]), None);
    }
}
