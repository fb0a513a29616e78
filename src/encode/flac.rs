//! FLAC with 16 and 24 bits (RFC 9639), mono to 7.1.
//!
//! The crate `flac-codec` encodes the frames; this module writes the metadata blocks: STREAMINFO
//! with the MD5 of the audio, tags, and a seek table. Their size is known from the start. Their
//! values are known at the end, when the header is written again.
//!
//! A file consists of blocks of 4,096 frames, whatever the size of the blocks that arrive, so its
//! bytes depend on the audio alone.

use super::{
    Encoder, Encoding, FileLoudness, Metadata, Options, Written, containers::ContainerInfo,
    metadata::plain,
};
use crate::{
    block::Block,
    dsp::quantise::{Tally, Width, interleave},
    layout::{Layout, Spec},
    sync::locked,
    units::Frames,
};
use flac_codec::encode::{FlacStreamWriter, Options as FlacOptions};
use std::{
    fmt,
    io::{self, Write},
    sync::{Arc, Mutex},
};

pub(super) const INFO: ContainerInfo = ContainerInfo {
    name: "FLAC",
    extensions: &["flac"],
    is_compressed: true,
    formats: &[(Encoding::Int16, "flac16"), (Encoding::Int24, "flac24")],
    encoder: |encoding, spec, length, options| {
        Ok(Box::new(FlacEncoder::new(encoding, spec, length, options)?))
    },
};

/// Frames per FLAC frame: the largest common size that the streamable subset allows up to 48 kHz.
const BLOCK_FRAMES: u16 = 4096;
/// Largest number of frames that STREAMINFO can state.
const MAX_FRAMES: u64 = (1 << 36) - 1;
/// Largest sample rate in Hz that a frame header can state, in units of 10 Hz.
const MAX_RATE: u32 = 655_350;
/// Interval between two seek points in seconds.
const SEEK_INTERVAL_S: u64 = 10;
/// Maximum number of seek points: their block must be smaller than 16 MiB.
const MAX_SEEK_POINTS: u64 = 900_000;
const STREAMINFO: u8 = 0;
const PADDING: u8 = 1;
const SEEKTABLE: u8 = 3;
const VORBIS_COMMENT: u8 = 4;
/// Padding behind the other blocks: room for the loudness, and for programs that add tags.
const PADDING_BYTES: usize = 1024;
/// Maximum size of all comments, in bytes.
const MAX_TAG_BYTES: usize = 1 << 19;

/// Encodes a FLAC file.
struct FlacEncoder {
    stream: StreamInfo,
    seek_points: SeekPoints,
    /// Comments: name and value.
    tags: Vec<(&'static str, String)>,
    /// Comments about the loudness.
    loudness: Vec<(&'static str, String)>,
    states_loudness: bool,
    header: Vec<u8>,
    frames: FlacStreamWriter<FrameBuffer>,
    coded: FrameBuffer,
    tally: Tally,
    md5: md5::Context,
    /// Bytes of the block being encoded, as a WAVE file would hold them.
    pcm: Vec<u8>,
    /// Samples that do not yet fill a FLAC frame, interleaved.
    pending: Vec<i32>,
}

/// Contents of STREAMINFO.
#[derive(Clone, Copy, Debug)]
struct StreamInfo {
    encoding: Encoding,
    rate: u32,
    channels: u8,
    frames: u64,
    /// Sizes in bytes of the smallest and the largest FLAC frame; 0 if unknown.
    smallest: u32,
    largest: u32,
    /// MD5 of the samples; zeros if unknown.
    md5: [u8; 16],
}

/// Seek points at regular intervals. Their number follows from the length of the file.
#[derive(Debug)]
struct SeekPoints {
    interval: u64,
    count: usize,
    /// First frame, byte offset and number of frames of the FLAC frames that hold the points.
    found: Vec<(u64, u64, u16)>,
    /// Number of audio frames and bytes encoded so far.
    at: u64,
    offset: u64,
}

/// Buffer that the encoder of the frames writes to and the container takes from.
#[derive(Clone, Debug, Default)]
struct FrameBuffer(Arc<Mutex<Vec<u8>>>);

impl Write for FrameBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        locked(&self.0).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl FlacEncoder {
    fn new(
        encoding: Encoding,
        spec: Spec,
        length: Frames,
        options: &Options,
    ) -> Result<Self, String> {
        if options.slice.is_some() {
            return Err(
                "parts that are to be joined are written as WAV: join them and convert the whole to FLAC"
                    .into(),
            );
        }
        let rate = spec.rate.hz();
        if rate > MAX_RATE || (rate > u32::from(u16::MAX) && !rate.is_multiple_of(10)) {
            return Err(format!(
                "{} Hz does not fit into a FLAC file: choose another rate, or write WAV",
                spec.rate
            ));
        }
        if !is_usual(spec.layout) {
            return Err(format!(
                "FLAC has no channel order for {}: write WAV, or another layout",
                spec.layout
            ));
        }
        if length.0 > MAX_FRAMES {
            return Err(format!(
                "{length} frames are more than a FLAC file can hold: write WAV"
            ));
        }
        let channels = u8::try_from(spec.layout.channels()).unwrap_or(0);
        let stream = StreamInfo {
            encoding,
            rate,
            channels,
            frames: length.0,
            smallest: 0,
            largest: 0,
            md5: [0; 16],
        };
        let coded = FrameBuffer::default();
        let mut new = Self {
            stream,
            seek_points: SeekPoints::new(rate, length.0),
            tags: tags(&options.metadata, rate),
            loudness: Vec::new(),
            states_loudness: options.states_loudness,
            header: Vec::new(),
            frames: FlacStreamWriter::new(coded.clone(), options_of_frames()),
            coded,
            tally: Tally::default(),
            md5: md5::Context::new(),
            pcm: Vec::new(),
            pending: Vec::new(),
        };
        let size = comments(&new.tags, &[]).len();
        if size > MAX_TAG_BYTES {
            return Err(format!(
                "its metadata takes {size} bytes, at most {MAX_TAG_BYTES} are written: shorten the texts"
            ));
        }
        new.header = new.lay_header();
        Ok(new)
    }

    /// Number of samples of a full FLAC frame.
    fn block_samples(&self) -> usize {
        usize::from(self.stream.channels).saturating_mul(BLOCK_FRAMES.into())
    }

    /// Returns the bytes before the audio with all that is known so far. Padding makes their number
    /// the same before and after the loudness is known.
    fn lay_header(&self) -> Vec<u8> {
        let mut header = Vec::from(*b"fLaC");
        metadata_block(&mut header, STREAMINFO, false, &self.stream.lay());
        metadata_block(
            &mut header,
            VORBIS_COMMENT,
            false,
            &comments(&self.tags, &self.loudness),
        );
        if self.seek_points.count > 0 {
            metadata_block(&mut header, SEEKTABLE, false, &self.seek_points.lay());
        }
        let taken = comments(&[], &self.loudness).len() - comments(&[], &[]).len();
        let padding = PADDING_BYTES.saturating_sub(taken);
        metadata_block(&mut header, PADDING, true, &vec![0; padding]);
        header
    }

    /// Encodes one FLAC frame and appends it to `out`.
    fn encode_frame(&mut self, samples: &[i32], out: &mut Vec<u8>) -> Result<(), String> {
        let StreamInfo {
            rate,
            channels,
            encoding,
            ..
        } = self.stream;
        self.frames
            .write(rate, channels, encoding.bits().into(), samples)
            .map_err(|e| format!("cannot be encoded as FLAC: {e}"))?;
        let mut coded = locked(&self.coded.0);
        let bytes = u32::try_from(coded.len()).unwrap_or(u32::MAX);
        self.stream.add_frame_size(bytes);
        let frames = samples.len() / usize::from(channels).max(1);
        self.seek_points.add_frame(frames, bytes);
        out.append(&mut coded);
        Ok(())
    }
}

impl Encoder for FlacEncoder {
    fn header(&self) -> &[u8] {
        &self.header
    }

    /// No frame is larger than its samples and a header, since samples are stored as they are where
    /// coding them does not pay.
    fn size(&self) -> u64 {
        let StreamInfo {
            frames,
            channels,
            encoding,
            ..
        } = self.stream;
        let channels = u64::from(channels);
        let samples = frames * channels * encoding.width().bytes() as u64;
        let overhead = frames.div_ceil(BLOCK_FRAMES.into()) * (18 + 2 * channels);
        self.header.len() as u64 + samples + overhead
    }

    fn encode(&mut self, block: &Block, out: &mut Vec<u8>) -> Result<(), String> {
        out.clear();
        let width = self.stream.encoding.width();
        interleave(width, block, &mut self.pcm, &mut self.tally);
        self.md5.consume(&self.pcm);
        append_integers(width, &self.pcm, &mut self.pending);
        let pending = std::mem::take(&mut self.pending);
        let mut full = pending.chunks_exact(self.block_samples());
        for samples in &mut full {
            self.encode_frame(samples, out)?;
        }
        let rest = full.remainder().len();
        self.pending = pending;
        self.pending.drain(..self.pending.len() - rest);
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<Written, String> {
        let last = std::mem::take(&mut self.pending);
        if !last.is_empty() {
            self.encode_frame(&last, out)?;
        }
        self.stream.md5 = self.md5.clone().finalize().0;
        self.header = self.lay_header();
        Ok(Written::of_samples(self.tally))
    }

    fn has_final_header(&self) -> bool {
        true
    }

    /// ReplayGain 2.0: the gain to -18 LUFS, and the true peak as a factor of full scale.
    fn set_loudness(&mut self, loudness: FileLoudness) {
        if !self.states_loudness {
            return;
        }
        if let Some((gain, peak)) = loudness.replay_gain() {
            self.loudness = vec![
                ("REPLAYGAIN_TRACK_GAIN", decibels(gain)),
                ("REPLAYGAIN_TRACK_PEAK", format!("{peak:.6}")),
                ("REPLAYGAIN_REFERENCE_LOUDNESS", "-18.00 LUFS".to_owned()),
            ];
        }
        if let Some((gain, peak)) = loudness.album.map(|album| album.replay_gain()) {
            self.loudness.extend([
                ("REPLAYGAIN_ALBUM_GAIN", decibels(gain)),
                ("REPLAYGAIN_ALBUM_PEAK", format!("{peak:.6}")),
            ]);
        }
    }
}

impl fmt::Debug for FlacEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlacEncoder")
            .field("stream", &self.stream)
            .finish_non_exhaustive()
    }
}

impl StreamInfo {
    /// Records the size of a FLAC frame in bytes.
    fn add_frame_size(&mut self, bytes: u32) {
        self.largest = self.largest.max(bytes);
        self.smallest = match self.smallest {
            0 => bytes,
            smallest => smallest.min(bytes),
        };
    }

    /// Returns the body of the block (RFC 9639, section 8.2).
    fn lay(&self) -> Vec<u8> {
        let block = BLOCK_FRAMES.to_be_bytes();
        // 20 bits of rate, 3 of channels less one, 5 of bits less one, 36 of length.
        let packed = u64::from(self.rate) << 44
            | u64::from(self.channels.saturating_sub(1)) << 41
            | u64::from(self.encoding.bits() - 1) << 36
            | self.frames;
        let mut body = [block, block].concat();
        for size in [self.smallest, self.largest] {
            body.extend(size.to_be_bytes().iter().skip(1));
        }
        body.extend(packed.to_be_bytes());
        body.extend(self.md5);
        body
    }
}

impl SeekPoints {
    fn new(rate: u32, frames: u64) -> Self {
        let interval = (u64::from(rate) * SEEK_INTERVAL_S)
            .max(BLOCK_FRAMES.into())
            .max(frames / MAX_SEEK_POINTS);
        Self {
            interval,
            count: usize::try_from(frames.div_ceil(interval)).unwrap_or(0),
            found: Vec::new(),
            at: 0,
            offset: 0,
        }
    }

    /// Records a FLAC frame of so many frames and bytes.
    fn add_frame(&mut self, frames: usize, bytes: u32) {
        let next = self.found.len() as u64 * self.interval;
        if next < self.at + frames as u64 {
            let frames = u16::try_from(frames).unwrap_or(u16::MAX);
            self.found.push((self.at, self.offset, frames));
        }
        self.at += frames as u64;
        self.offset += u64::from(bytes);
    }

    /// Returns the body of the block (RFC 9639, section 8.5); unknown points are placeholders.
    fn lay(&self) -> Vec<u8> {
        let mut body = Vec::new();
        let placeholder = (u64::MAX, 0, 0);
        let points = self.found.iter().copied();
        for (at, offset, frames) in points
            .chain(std::iter::repeat(placeholder))
            .take(self.count)
        {
            body.extend(at.to_be_bytes());
            body.extend(offset.to_be_bytes());
            body.extend(frames.to_be_bytes());
        }
        body
    }
}

/// Returns true for the layouts that FLAC defines by their number of channels (RFC 9639, section
/// 9.1.3). Others need a tag that many readers ignore, and the channels would go to wrong speakers.
fn is_usual(layout: Layout) -> bool {
    matches!(
        layout,
        Layout::Mono
            | Layout::Stereo
            | Layout::Lcr
            | Layout::Quad
            | Layout::Surround50
            | Layout::Surround51
            | Layout::Surround61
            | Layout::Surround71
    )
}

/// Returns how frames are encoded: recorded stems become as small as by `flac -5`. An estimate in place of trying all
/// ways to decorrelate stereo would be twice as fast, but makes some stems 3 % larger than `flac -5` does. More than 64 Rice
/// partitions, which are 2^6, panic in `flac-codec` 1.3.3.
fn options_of_frames() -> FlacOptions {
    FlacOptions::best()
}

/// Appends a metadata block.
fn metadata_block(out: &mut Vec<u8>, kind: u8, is_last: bool, body: &[u8]) {
    out.push(kind | u8::from(is_last) << 7);
    let size = u32::try_from(body.len()).unwrap_or(u32::MAX);
    out.extend(size.to_be_bytes().iter().skip(1));
    out.extend(body);
}

/// Returns the comments of the metadata (RFC 9639, section 8.6, and the field names in common use).
/// Times of chapters are rounded down to milliseconds.
fn tags(metadata: &Metadata, rate: u32) -> Vec<(&'static str, String)> {
    let mut tags: Vec<(&'static str, String)> = Vec::new();
    let mut add = |name, value: &str| {
        if !value.is_empty() {
            tags.push((name, plain(value)));
        }
    };
    add("TITLE", &metadata.title);
    add("ARTIST", &metadata.artist);
    add("ALBUM", &metadata.album);
    add("ALBUMARTIST", &metadata.album_artist);
    if let Some((number, total)) = metadata.track {
        add("TRACKNUMBER", &number.to_string());
        add("TRACKTOTAL", &total.to_string());
    }
    add("DATE", &metadata.date);
    metadata.composers.iter().for_each(|c| add("COMPOSER", c));
    metadata.publishers.iter().for_each(|p| add("PUBLISHER", p));
    add("LABEL", &metadata.label);
    add("ISRC", &metadata.isrc);
    add("BARCODE", &metadata.upc);
    if metadata.description != metadata.title {
        add("DESCRIPTION", &metadata.description);
    }
    for (number, (at, name)) in metadata.markers.iter().enumerate() {
        let ms = u128::from(at.0) * 1000 / u128::from(rate);
        let (s, ms) = (ms / 1000, ms % 1000);
        let time = format!("{:02}:{:02}:{:02}.{ms:03}", s / 3600, s / 60 % 60, s % 60);
        add("CHAPTER", &format!("{number:03}={time}"));
        add("CHAPTER", &format!("{number:03}NAME={name}"));
    }
    tags
}

/// Returns a gain as ReplayGain states it: `-7.35 dB`, and `+0.00 dB` on either side of zero.
fn decibels(gain: f64) -> String {
    // Adding zero makes +0.0 of -0.0.
    let rounded = (100.0 * gain).round() / 100.0 + 0.0;
    format!("{rounded:+.2} dB")
}

/// Returns the body of the block of comments.
fn comments(tags: &[(&str, String)], loudness: &[(&str, String)]) -> Vec<u8> {
    let mut body = Vec::new();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes();
    let text = |body: &mut Vec<u8>, text: &str| {
        body.extend(count(text.len()));
        body.extend(text.as_bytes());
    };
    text(&mut body, concat!("soundtrack ", env!("CARGO_PKG_VERSION")));
    body.extend(count(tags.len() + loudness.len()));
    for (name, value) in tags.iter().chain(loudness) {
        // The number of a chapter is part of the name.
        let separator = if *name == "CHAPTER" { "" } else { "=" };
        text(&mut body, &format!("{name}{separator}{value}"));
    }
    body
}

/// Appends the samples of interleaved little-endian integers.
fn append_integers(width: Width, pcm: &[u8], to: &mut Vec<i32>) {
    match width {
        Width::I16 => {
            let words = pcm.as_chunks::<2>().0;
            to.extend(words.iter().map(|w| i32::from(i16::from_le_bytes(*w))));
        }
        _ => {
            let words = pcm.as_chunks::<3>().0;
            to.extend(
                words
                    .iter()
                    .map(|[a, b, c]| i32::from_le_bytes([0, *a, *b, *c]) >> 8),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::SampleRate;

    fn encoder(hz: u32, frames: u64) -> Result<FlacEncoder, String> {
        let spec = Spec {
            rate: SampleRate::new(hz).unwrap(),
            layout: Layout::Stereo,
        };
        FlacEncoder::new(Encoding::Int24, spec, Frames(frames), &Options::default())
    }

    #[test]
    fn a_file_takes_36_bits_of_frames_and_room_for_samples_and_heads() {
        assert!(encoder(48_000, (1 << 36) - 1).is_ok());
        assert_eq!(
            encoder(48_000, 1 << 36).unwrap_err(),
            "68719476736 frames are more than a FLAC file can hold: write WAV"
        );
        // Three FLAC frames, each with 18 bytes and two for each channel.
        let encoder = encoder(48_000, 10_000).unwrap();
        let header = encoder.header().len() as u64;
        assert_eq!(encoder.size(), header + 10_000 * 2 * 3 + 3 * (18 + 2 * 2));
    }

    /// At 400 Hz ten seconds are shorter than a FLAC frame, so that each has a seek point.
    #[test]
    fn seek_points_name_frames_and_the_bytes_before_them() {
        let mut encoder = encoder(400, 10_000).unwrap();
        let mut block = Block::new(Layout::Stereo, 10_000);
        block.fill(10_000, 0.25);
        let (mut coded, mut last) = (Vec::new(), Vec::new());
        encoder.encode(&block, &mut coded).unwrap();
        encoder.finish(&mut last).unwrap();
        // Two equal frames of one value.
        let size = coded.len() as u64 / 2;
        assert_eq!(
            encoder.seek_points.found,
            [(0, 0, 4096), (4096, size, 4096), (8192, 2 * size, 1808)]
        );
        let all = coded.len() + last.len();
        assert_eq!(encoder.seek_points.offset, all as u64);
        let smallest = last.len().min(coded.len() / 2);
        let largest = last.len().max(coded.len() / 2);
        assert_eq!(
            [encoder.stream.smallest, encoder.stream.largest].map(|size| size as usize),
            [smallest, largest]
        );
    }

    #[test]
    fn a_seek_point_names_the_frame_that_holds_its_place() {
        let mut points = SeekPoints {
            interval: 8192,
            count: 2,
            found: Vec::new(),
            at: 0,
            offset: 0,
        };
        (0..3).for_each(|_| points.add_frame(4096, 10));
        assert_eq!(points.found, [(0, 0, 4096), (8192, 20, 4096)]);
    }

    #[test]
    fn chapters_have_times_and_a_description_differs_from_the_title() {
        let mut metadata = Metadata {
            title: "Reel".to_owned(),
            description: "Reel".to_owned(),
            markers: vec![(Frames(3_723 * 48_000 + 47), "storm".to_owned())],
            ..Metadata::default()
        };
        let tag = |name, value: &str| (name, value.to_owned());
        let (time, name) = (
            tag("CHAPTER", "000=01:02:03.000"),
            tag("CHAPTER", "000NAME=storm"),
        );
        let title = tag("TITLE", "Reel");
        assert_eq!(
            tags(&metadata, 48_000),
            [title.clone(), time.clone(), name.clone()]
        );
        metadata.description = "A storm".to_owned();
        let description = tag("DESCRIPTION", "A storm");
        assert_eq!(tags(&metadata, 48_000), [title, description, time, name]);
    }

    #[test]
    fn a_gain_of_nothing_has_no_minus() {
        for (gain, text) in [
            (-0.001, "+0.00 dB"),
            (0.0, "+0.00 dB"),
            (-0.006, "-0.01 dB"),
            (-7.346, "-7.35 dB"),
            (12.0, "+12.00 dB"),
        ] {
            assert_eq!(decibels(gain), text);
        }
    }
}
