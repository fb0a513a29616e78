//! Opens Matroska and WebM (RFC 9559, on the EBML of RFC 8794).
//!
//! `symphonia`'s demuxer counts packets instead of reading their timestamps, ignores encoder delay and padding, and
//! cannot distinguish a file that was cut off from one of unknown length. So all blocks are listed here when a file is opened.
//!
//! Clusters of blocks carry the timestamps, mostly in milliseconds; [`timeline`](super::timeline) places the packets.
//! `CodecDelay` is removed from the start and `DiscardPadding` from the end. A segment or cluster of unknown size ends
//! with the file or the next cluster, which is no damage. Data that cannot be parsed is skipped up to the next block or
//! cluster, and the blocks of a cluster whose CRC-32 is wrong count as lost unless their packets have checksums.

mod blocks;
mod ebml;

use super::{
    AudioExtent, OpenedStem, StemFile,
    bytes::le16,
    coded_stream::{self, CodedStream, PacketFrames, StatedTrim},
    signed,
    timeline::{PlacedPackets, Timeline, rescale},
    vorbis,
};
use crate::{
    error::Result,
    media::symphonia_adapter::{Codec, PcmKind},
    storage::InputFile,
};
use blocks::{BlockReader, Found};
use ebml::{EbmlReader, elements, float_value, id, unsigned_value};
use std::io;

const NAME: &str = "Matroska";

/// Type of a track that holds audio.
const AUDIO_TRACK: u64 = 2;

impl StemFile<'_> {
    /// Returns the names of the audio tracks; empty for those without.
    pub(super) fn matroska_names(&self) -> Result<Vec<String>> {
        let header = Header::read(self.file).map_err(|e| self.io_error(e))?;
        let tracks = header.map(|header| header.tracks).unwrap_or_default();
        Ok(tracks.into_iter().map(|track| track.name).collect())
    }

    pub(super) fn open_matroska(&self) -> Result<OpenedStem> {
        let header = Header::read(self.file).map_err(|e| self.io_error(e))?;
        let Some(header) = header else {
            return Err(self.corrupt(
                "Matroska: its segment is missing or not whole: the file is probably cut off",
            ));
        };
        if header.is_damaged {
            return Err(self.corrupt("Matroska: its header is damaged: the checksum is wrong"));
        }
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
        // The duration is that of the longest track. A single one that is shorter lacks its end.
        let slack = 2 * u64::from(coded.packets.usual().max(scan.last_frames))
            + u64::from(coded.rate / 100);
        let is_short = header.all_tracks == 1 && stated > slack;
        let missing = if scan.is_cut || is_short { stated } else { 0 };
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
        let is_pcm = matches!(coded.packets, PacketFrames::Pcm(_));
        let mut opened = self.open_coded(coded, scan.placed, trim, header.tracks.len(), NAME)?;
        if is_pcm {
            opened.rate = self.exact_rate(track.sampling_frequency)?;
        }
        Ok(opened)
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
        if !track.bits.is_multiple_of(8) {
            return Err(self.unsupported(format!("PCM of {} bits in {NAME}", track.bits)));
        }
        self.pcm_stream(pcm, track.rate(), track.channels, track.bits, NAME)
    }

    /// Describes uncompressed audio by the WAVEFORMATEX structure in the private data.
    fn wave_format_stream(&self, track: &MatroskaTrack) -> Result<CodedStream> {
        let field = |at| le16(&track.config, at).unwrap_or(0);
        let (tag, bits) = (field(0), field(14));
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
        self.pcm_stream(codec, track.rate(), track.channels, bits, NAME)
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
    rescale(nanoseconds, 1_000_000_000, rate)
}

/// The header of a file: all that precedes its blocks.
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
    /// Number of tracks of any kind.
    all_tracks: usize,
    /// Whether the CRC-32 of the description of the segment or the tracks is wrong.
    is_damaged: bool,
}

/// An audio track.
#[derive(Clone, Debug, Default)]
struct MatroskaTrack {
    number: u64,
    /// Name for people; empty without one.
    name: String,
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
                        all_tracks: 0,
                        is_damaged: false,
                    });
                    at = element.body;
                    continue;
                }
                (id::EBML | id::VOID, None) => {}
                (_, None) => return Ok(None),
                (id::INFO, Some(header)) => {
                    let body = reader.body(&element)?.unwrap_or_default();
                    header.is_damaged |= !ebml::is_intact(&body);
                    header.parse_info(&body);
                }
                (id::TRACKS, Some(found)) => {
                    let Some(body) = reader.body(&element)? else {
                        return Ok(None);
                    };
                    let tracks = elements(&body).filter(|(id, _)| *id == id::TRACK_ENTRY);
                    found.tracks = tracks
                        .map(|(_, entry)| MatroskaTrack::parse(entry))
                        .collect();
                    found.all_tracks = found.tracks.len();
                    found.tracks.retain(|track| track.kind == AUDIO_TRACK);
                    found.is_damaged |= !ebml::is_intact(&body);
                }
                // The rest of the header comes before the first cluster.
                (id::CLUSTER, Some(header)) if header.all_tracks > 0 => break,
                (id::CLUSTER, Some(_)) if element.size.is_none() => {
                    at = element.body;
                    continue;
                }
                _ => {}
            }
            let Some(end) = element.end() else {
                break;
            };
            at = end;
        }
        Ok(header.filter(|header| header.all_tracks > 0))
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
                id::NAME => {
                    let text = String::from_utf8_lossy(body);
                    track.name = text.trim_end_matches('\0').to_owned();
                }
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

    /// Returns the stated sample rate in whole Hz.
    fn rate(&self) -> u32 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturates, and the result is checked against the limits"
        )]
        let rate = self.sampling_frequency as u32;
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
    /// Frames of the last packet.
    last_frames: u32,
    /// Whether the file is cut off, or damaged to its end.
    is_cut: bool,
    /// Position at which another segment begins. The scan stops there.
    chained_at: Option<u64>,
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
            let gaps = timeline.gap_count();
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
            let moved = exact.map(|exact| signed(timeline.last_start()) - signed(exact));
            if let (Some(before), Some(after)) = (distance, moved)
                && before != after
                && gaps == timeline.gap_count()
            {
                // A packet is missing, doubled or in another place, and the timestamps do not say so.
                timeline.ignore(before.abs_diff(after));
            }
            distance = moved;
            scan.last_frames = timeline.last_frames();
            scan.discard_padding = super::unsigned(block.discard_padding);
        }
        scan.placed = timeline.finish();
        Ok(scan)
    }
}

#[cfg(test)]
mod tests {
    use super::{ebml::element, *};

    #[test]
    fn codecs_are_named_by_their_identifiers() {
        for (id, name) in [
            ("A_OPUS", "Opus"),
            ("A_AC3", "AC-3"),
            ("A_AC3/BSID9", "AC-3"),
            ("A_AC3/BSID10", "AC-3"),
            ("A_EAC3", "E-AC-3"),
            ("A_TRUEHD", "TrueHD"),
            ("A_TTA1", "True Audio"),
            ("A_WAVPACK4", "WavPack"),
            ("A_DTS/LOSSLESS", "DTS"),
            ("A_\"REAL", "audio of type \"A_\\\"REAL\""),
        ] {
            assert_eq!(codec_name(id), name);
        }
    }

    #[test]
    fn stream_information_follows_the_marker_and_a_block_header() {
        let data: Vec<u8> = [&b"fLaC\0\0\0\x22"[..], &[7; 34], &[9; 20]].concat();
        assert_eq!(flac_stream_info(&data), [7; 34]);
        assert_eq!(flac_stream_info(&data[..41]), b"");
        assert_eq!(flac_stream_info(&data[1..]), b"");
        assert_eq!(nanoseconds_to_frames(1_500_000_000, 48_000), 72_000);
    }

    /// An element with its checksum, or another one.
    fn checked(id: u32, body: &[u8], is_right: bool) -> Vec<u8> {
        let crc = ebml::CRC_32.checksum(body) ^ u32::from(!is_right);
        let crc = [&[0xBF, 0x84][..], &crc.to_le_bytes()].concat();
        element(id, &[&crc[..], body].concat())
    }

    fn header(bytes: &[u8]) -> Option<Header> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        io::Write::write_all(&mut file, bytes).unwrap();
        Header::read(&InputFile::open(file.path()).unwrap()).unwrap()
    }

    #[test]
    fn a_header_is_what_stands_before_the_first_cluster() {
        let info = [
            element(id::TIMESTAMP_SCALE, &[0x0F, 0x42, 0x40]),
            element(id::DURATION, &1500.0f64.to_be_bytes()),
        ];
        let entry = |number, kind| {
            let parts = [
                element(id::TRACK_NUMBER, &[number]),
                element(id::TRACK_TYPE, &[kind]),
            ];
            element(id::TRACK_ENTRY, &parts.concat())
        };
        let tracks = [entry(1, 1), entry(3, 2), entry(4, 17), entry(5, 2)].concat();
        let file = |info_is_right, tracks_are_right| {
            let segment = [
                checked(id::INFO, &info.concat(), info_is_right),
                checked(id::TRACKS, &tracks, tracks_are_right),
                element(id::CLUSTER, &[]),
                element(id::INFO, &element(id::TIMESTAMP_SCALE, &[9])),
            ];
            let ebml = element(id::EBML, &[0; 5]);
            [ebml, element(id::SEGMENT, &segment.concat())].concat()
        };
        for (info_is_right, tracks_are_right) in
            [(true, true), (true, false), (false, true), (false, false)]
        {
            let bytes = file(info_is_right, tracks_are_right);
            let header = header(&bytes).unwrap();
            assert_eq!(header.is_damaged, !(info_is_right && tracks_are_right));
            assert_eq!(
                (header.segment, header.segment_end),
                (17, Some(bytes.len() as u64))
            );
            assert_eq!((header.scale, header.duration), (1_000_000, 1500.0));
            let numbers: Vec<u64> = header.tracks.iter().map(|track| track.number).collect();
            assert_eq!((numbers, header.all_tracks), (vec![3, 5], 4));
            assert_eq!(header.frames(48_000), 72_000);
            let frames = [-1, 0, 1, 1500].map(|ticks| header.ticks_to_frames(ticks, 44_100));
            assert_eq!(frames, [-44, 0, 44, 66_150]);
        }
        let empty = element(id::SEGMENT, &element(id::INFO, &[]));
        assert!(header(&empty).is_none(), "no tracks");
        assert!(header(&element(id::CUES, &[])).is_none(), "no segment");
    }

    #[test]
    fn a_track_has_the_fields_of_its_entry() {
        let audio = [
            element(id::SAMPLING_FREQUENCY, &44_100.5f64.to_be_bytes()),
            element(id::CHANNELS, &[6]),
            element(id::BIT_DEPTH, &[24]),
        ];
        let encoding = |parts: &[Vec<u8>]| {
            let compression = element(id::CONTENT_COMPRESSION, &parts.concat());
            element(
                id::CONTENT_ENCODINGS,
                &element(id::CONTENT_ENCODING, &compression),
            )
        };
        let stripped = [
            element(id::COMPRESSION_ALGORITHM, &[3]),
            element(id::COMPRESSION_SETTINGS, &[1, 2]),
        ];
        let entry = [
            element(id::NAME, b"Choir\0"),
            element(id::CODEC_ID, b"A_FLAC\0\0"),
            element(id::CODEC_PRIVATE, &[5, 6]),
            element(id::CODEC_DELAY, &[1, 0]),
            element(id::AUDIO, &audio.concat()),
            encoding(&stripped),
        ];
        let track = MatroskaTrack::parse(&entry.concat());
        assert_eq!((&*track.name, &*track.codec), ("Choir", "A_FLAC"));
        assert_eq!((track.config, track.codec_delay), (vec![5, 6], Some(256)));
        let format = (track.sampling_frequency, track.channels, track.bits);
        assert_eq!(format, (44_100.5, 6, 24));
        assert_eq!(
            (track.prefix, track.unsupported_encoding),
            (vec![1, 2], None)
        );

        let plain = MatroskaTrack::parse(&[]);
        assert_eq!((plain.rate(), plain.channels), (8000, 1));
        let compressed = MatroskaTrack::parse(&encoding(&[]));
        assert_eq!(
            compressed.unsupported_encoding,
            Some("audio compressed once more")
        );
        let encryption = element(id::CONTENT_ENCODING, &element(id::CONTENT_ENCRYPTION, &[]));
        let encrypted = MatroskaTrack::parse(&element(id::CONTENT_ENCODINGS, &encryption));
        assert_eq!(encrypted.unsupported_encoding, Some("encrypted audio"));
    }

    /// Describes the codec of a track of two channels at 48 kHz.
    fn described(
        codec: &str,
        bits: u16,
        config: &[u8],
    ) -> std::result::Result<CodedStream, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        let file = InputFile::open(file.path()).unwrap();
        let stem = StemFile {
            path: std::path::Path::new("x.mka"),
            file: &file,
            stream: None,
        };
        let header = Header {
            segment: 0,
            segment_end: None,
            scale: 1,
            duration: 0.0,
            tracks: Vec::new(),
            all_tracks: 1,
            is_damaged: false,
        };
        let track = MatroskaTrack {
            codec: codec.to_owned(),
            config: config.to_vec(),
            sampling_frequency: 48_000.0,
            channels: 2,
            bits,
            ..MatroskaTrack::default()
        };
        let stream = stem.matroska_stream(&header, &track);
        stream.map_err(|error| error.to_string())
    }

    #[test]
    fn pcm_is_as_wide_signed_and_ordered_as_its_track_says() {
        use PcmKind::{Float, Signed, Unsigned};
        let read = |codec, bits, config: &[u8]| {
            let stream = described(codec, bits, config).unwrap();
            assert_eq!((stream.rate, stream.channels), (48_000, 2));
            stream.codec
        };
        let pcm = coded_stream::pcm;
        assert_eq!(read("A_PCM/INT/LIT", 8, &[]), pcm(8, Unsigned, false));
        assert_eq!(read("A_PCM/INT/LIT", 16, &[]), pcm(16, Signed, false));
        assert_eq!(read("A_PCM/INT/BIG", 24, &[]), pcm(24, Signed, true));
        assert_eq!(read("A_PCM/FLOAT/IEEE", 64, &[]), pcm(64, Float, false));
        let wave = |tag: u8, bits: u8| [&[tag, 0][..], &[0; 12], &[bits, 0]].concat();
        assert_eq!(read("A_MS/ACM", 0, &wave(1, 8)), pcm(8, Unsigned, false));
        assert_eq!(read("A_MS/ACM", 0, &wave(1, 24)), pcm(24, Signed, false));
        assert_eq!(read("A_MS/ACM", 0, &wave(3, 32)), pcm(32, Float, false));
        assert_eq!(read("A_MS/ACM", 0, &wave(6, 8)), Codec::ALaw);
        assert_eq!(read("A_MS/ACM", 0, &wave(7, 8)), Codec::MuLaw);
        let refused = |codec, bits, config: &[u8], what: &str| {
            let text = described(codec, bits, config).unwrap_err();
            assert!(text.contains(what), "{text}");
        };
        refused(
            "A_MS/ACM",
            0,
            &wave(0x55, 0),
            "audio of WAVE format 0x0055 in Matroska",
        );
        refused("A_PCM/INT/LIT", 12, &[], "PCM of 12 bits in Matroska");
        refused("A_OPUS", 0, &[], "Opus in Matroska");
    }

    #[test]
    fn aac_has_its_configuration_in_the_private_data() {
        for codec in ["A_AAC", "A_AAC/MPEG4/LC"] {
            let stream = described(codec, 0, &[0x12, 0x10]).unwrap();
            assert_eq!((stream.codec, stream.rate), (Codec::Aac, 44_100));
        }
        let without = described("A_AAC/MPEG4/LC", 0, &[]).unwrap_err();
        assert!(
            without.contains("audio of type \"A_AAC/MPEG4/LC\" in Matroska"),
            "{without}"
        );
    }
}
