//! Decodes stems of every format but plain WAVE into a [`Source`] with exact positions.
//!
//! Every packet has a position in frames. Packets that are missing or cannot be decoded become silence of the same
//! length, so that later audio keeps its time. Encoder delay and padding are removed where the file states them. A seek
//! gives the same samples as reading from the start: enough packets before the target are decoded, or all of them for
//! codecs whose state reaches back to the start. Samples are not resampled or scaled, and channels are not mixed.

use super::{
    Flaw, FlawKind, Info, Source,
    codec::Decoder,
    codec_fault::CodecFault,
    demux::{self, OpenedStem, signed, unsigned},
    edit_list::EditPiece,
    file_error,
    packet_source::PacketSource,
    sniff,
    symphonia_adapter::Packet,
};
use crate::{
    block::Block,
    error::{Error, ErrorKind, Result},
    layout::Layout,
    layout::Spec,
    storage::InputFile,
    units::Frames,
};
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Maximum number of consecutive packets without audio before the stream is given up.
const MAX_EMPTY_PACKETS: u32 = 10_000;
/// Maximum time that decoding such packets may take.
const EMPTY_PACKETS_TIMEOUT: Duration = Duration::from_secs(5);
/// Seek targets below this frame are reached by rewinding and decoding. That is as quick as a seek, and in a damaged
/// file it cannot lose more than reading did.
const REWIND_BELOW_FRAME: u64 = 16_384;

/// An open stem file.
pub(crate) struct DecodedFile {
    path: PathBuf,
    file: InputFile,
    spec: Spec,
    /// Length of the stem, missing frames included.
    frames: u64,
    /// Number of frames that the file contains.
    available: u64,
    /// Packet position of frame 0 of the stem.
    origin: i64,
    /// Frames of silence at the start that the file asks for.
    leading_silence: u64,
    /// Whether a seek has to decode from the start.
    seeks_from_start: bool,
    /// Frames to decode before the target of a seek.
    pre_roll: u64,
    packets: PacketSource,
    decoder: Decoder,
    /// Frame that is read next.
    position: u64,
    pending: PendingFrames,
    /// Packet that follows the silence in `pending`.
    waiting: Option<Packet>,
    /// Whether no packet has been decoded since the last seek.
    after_seek: bool,
    flaws: Vec<Flaw>,
    /// Error that ended reading. Every later call fails with it.
    failure: Option<(ErrorKind, String)>,
}

/// Frames from `position` on that can be read without decoding.
#[derive(Clone, Copy, Debug, Default)]
struct PendingFrames {
    /// Exclusive end, as a frame of the stem.
    end: u64,
    /// Index of frame `position` in the last decoded packet; `None` for silence.
    packet_offset: Option<usize>,
}

impl DecodedFile {
    /// Opens a file whose format was recognised. `stream` is the number of an audio stream, counted from 1. Returns the
    /// pieces of its edit list, too, if it has one that jumps.
    pub(crate) fn open(
        path: &Path,
        file: InputFile,
        kind: sniff::FileKind,
        stream: Option<usize>,
    ) -> Result<(Self, Info, Vec<EditPiece>)> {
        let opened: OpenedStem = demux::open(path, &file, kind, stream)?;
        let spec = Spec {
            rate: opened.rate,
            layout: Layout::from_mask(opened.channels, opened.mask),
        };
        let info = Info {
            spec,
            channel_mask: opened.mask,
            frames: Frames(opened.frames),
            missing: Frames(opened.missing),
            codec: opened.codec,
            bits: opened.bits,
            trimmed_start: Frames(opened.trimmed_start),
            trimmed_end: Frames(opened.trimmed_end),
            time_reference: None,
            streams: opened.streams,
            colour: opened.colour,
            remarks: opened.remarks,
        };
        let source = Self {
            path: path.to_path_buf(),
            file,
            spec,
            frames: opened.frames,
            available: opened.frames.saturating_sub(opened.missing),
            origin: opened.origin,
            leading_silence: opened.leading_silence,
            seeks_from_start: opened.seeks_from_start,
            pre_roll: opened.pre_roll,
            packets: opened.packets,
            decoder: opened.decoder,
            position: 0,
            pending: PendingFrames::default(),
            waiting: None,
            after_seek: false,
            flaws: Vec::new(),
            failure: None,
        };
        Ok((source, info, opened.pieces))
    }

    fn clock(&self, frame: u64) -> String {
        Frames(frame).clock(self.spec.rate)
    }

    /// Records the error that ends reading, and returns it.
    fn fail(&mut self, kind: ErrorKind, what: String) -> Error {
        self.failure = Some((kind, what.clone()));
        file_error(&self.path, kind, what)
    }

    fn check_failure(&self) -> Result<()> {
        self.failure.as_ref().map_or(Ok(()), |(kind, what)| {
            Err(file_error(&self.path, *kind, what))
        })
    }

    /// Fails after an earlier failure and if the file was written to since it was opened.
    fn check_file(&mut self) -> Result<()> {
        self.check_failure()?;
        if let Some(why) = self.file.integrity_error() {
            let kind = ErrorKind::of_io(&why).unwrap_or(ErrorKind::Corrupt);
            return Err(self.fail(kind, why.to_string()));
        }
        Ok(())
    }

    /// Makes the frames up to `end` silent. `why` reports them as a flaw; the file may also ask for silence.
    fn hold_silence(&mut self, end: u64, why: Option<(FlawKind, String)>) {
        let end = end.min(self.available);
        if let Some((kind, what)) = why {
            self.record_flaw(kind, end, what);
        }
        self.pending = PendingFrames {
            end,
            packet_offset: None,
        };
    }

    /// Records that the frames up to `end` are silent because of a flaw.
    fn record_flaw(&mut self, kind: FlawKind, end: u64, what: String) {
        let (at, len) = (
            Frames(self.position),
            Frames(end.saturating_sub(self.position)),
        );
        match self.flaws.last_mut() {
            Some(last) if last.at + last.len == at && last.kind == kind => last.len += len,
            _ => self.flaws.push(Flaw {
                kind,
                at,
                len,
                what,
            }),
        }
    }

    /// Converts a packet position to a frame of the stem; negative before its start.
    fn stem_frame(&self, position: i64) -> i64 {
        position.saturating_sub(self.origin)
    }

    /// Decodes packets until `pending` covers frame `position`.
    fn decode_next(&mut self) -> Result<()> {
        // Packets at these positions are encoder delay, which the edit after the empty one leaves out.
        if self.position < self.leading_silence {
            self.hold_silence(self.leading_silence, None);
            return Ok(());
        }
        let mut empty_packets = 0;
        let mut last_audio = Instant::now();
        loop {
            let packet = match self.waiting.take() {
                Some(packet) => packet,
                None => match self.next_packet()? {
                    Some(packet) => packet,
                    None => return Ok(()),
                },
            };
            let start = self.stem_frame(packet.at);
            let now = signed(self.position);
            if start > now {
                let start = unsigned(start);
                let flaw = (!packet.follows_silence).then(|| {
                    let lost = format!("{} frames are lost", start - self.position);
                    (FlawKind::Damaged, lost)
                });
                self.hold_silence(start, flaw);
                self.waiting = Some(packet);
                return Ok(());
            }
            if packet.follows_loss {
                self.decoder.reset();
            }
            let decoded = match self.decoder.decode(&packet) {
                Ok(out) => out,
                Err(CodecFault::Damaged(what) | CodecFault::Unsupported(what)) => {
                    let end = unsigned(start.saturating_add_unsigned(packet.frames));
                    if end > self.position {
                        if self.after_seek {
                            self.rewind()?;
                            continue;
                        }
                        let what = format!("packet {} is damaged: {what}", packet.number);
                        self.hold_silence(end, Some((FlawKind::Damaged, what)));
                        return Ok(());
                    }
                    continue;
                }
                Err(fault) => {
                    let at = self.clock(self.position);
                    let what = format!(
                        "damaged at {at} (packet {}): {}",
                        packet.number,
                        fault.reason()
                    );
                    return Err(self.fail(ErrorKind::Corrupt, what));
                }
            };
            let frames = decoded.frames as u64;
            let (rate, channels) = (decoded.rate, decoded.channels);
            if frames > 0
                && (rate != self.spec.rate.hz() || channels != self.spec.layout.channels())
            {
                let at = self.clock(self.position);
                let what = format!("the stream changes to {rate} Hz, {channels} channels at {at}");
                return Err(self.fail(ErrorKind::Unsupported, what));
            }
            let end = unsigned(start.saturating_add_unsigned(frames));
            if end > self.position {
                if decoded.is_cut {
                    let what = format!("packet {} refers to data that was cut off", packet.number);
                    self.record_flaw(FlawKind::CutBefore, end.min(self.available), what);
                }
                let offset = usize::try_from(now.saturating_sub(start)).unwrap_or(usize::MAX);
                self.pending = PendingFrames {
                    end: end.min(self.available),
                    packet_offset: Some(offset),
                };
                self.after_seek = false;
                return Ok(());
            }
            if frames > 0 {
                (empty_packets, last_audio) = (0, Instant::now());
                continue;
            }
            empty_packets += 1;
            if empty_packets > MAX_EMPTY_PACKETS || last_audio.elapsed() > EMPTY_PACKETS_TIMEOUT {
                let at = self.clock(self.position);
                return Err(self.fail(
                    ErrorKind::Corrupt,
                    format!("no audio comes out of the packets after {at}"),
                ));
            }
        }
    }

    /// Returns the next packet; `None` if there is none, after making the rest of the stem silent. Rewinds if a seek
    /// has gone past its target.
    fn next_packet(&mut self) -> Result<Option<Packet>> {
        loop {
            let why = match self.packets.next() {
                Ok(Some(packet)) => {
                    let covers_position = packet.follows_silence
                        || self.stem_frame(packet.at) <= signed(self.position);
                    if self.after_seek && !covers_position {
                        // The demuxer went too far, or packets are lost here. Reading from the start distinguishes the
                        // two.
                        self.rewind()?;
                        continue;
                    }
                    return Ok(Some(packet));
                }
                Ok(None) => {
                    self.check_file()?;
                    (FlawKind::EndedEarly, "the data ends early".into())
                }
                // A failed download is not damage.
                Err(_) if self.file.integrity_error().is_some() => {
                    self.check_file()?;
                    continue;
                }
                Err(fault @ (CodecFault::Damaged(_) | CodecFault::Truncated)) => {
                    (FlawKind::EndedEarly, fault.reason())
                }
                Err(fault) => {
                    let kind = match &fault {
                        CodecFault::StreamChanged => ErrorKind::Unsupported,
                        CodecFault::Io(e) => ErrorKind::of_io(e).unwrap_or(ErrorKind::Corrupt),
                        _ => ErrorKind::Corrupt,
                    };
                    let what = format!(
                        "damaged at {}: {}",
                        self.clock(self.position),
                        fault.reason()
                    );
                    return Err(self.fail(kind, what));
                }
            };
            if std::mem::take(&mut self.after_seek) {
                self.rewind()?;
                continue;
            }
            self.hold_silence(self.available, Some(why));
            return Ok(None);
        }
    }

    /// Returns to the first packet.
    fn rewind(&mut self) -> Result<()> {
        self.after_seek = false;
        self.waiting = None;
        let done = self
            .packets
            .seek(i64::MIN)
            .and_then(|()| self.decoder.recreate());
        done.map_err(|f| {
            self.fail(
                ErrorKind::Corrupt,
                format!("cannot go back to the start: {}", f.reason()),
            )
        })
    }
}

impl Source for DecodedFile {
    fn spec(&self) -> Spec {
        self.spec
    }

    fn length(&self) -> Option<Frames> {
        Some(Frames(self.frames))
    }

    fn read(&mut self, out: &mut Block) -> Result<usize> {
        self.check_failure()?;
        let capacity = out.capacity();
        out.set_frames(capacity);
        let mut done = 0;
        while done < capacity && self.position < self.available {
            if self.position >= self.pending.end {
                if let Err(e) = self.decode_next() {
                    // Returns the frames before the error first: the next call fails with it.
                    if done > 0 {
                        break;
                    }
                    return Err(e);
                }
                continue;
            }
            let n = usize::try_from(self.pending.end - self.position)
                .unwrap_or(usize::MAX)
                .min(capacity - done);
            let mut targets: Vec<_> = out
                .channels_mut()
                .filter_map(|c| c.get_mut(done..done + n))
                .collect();
            match self.pending.packet_offset {
                Some(from) => {
                    let copied = self.decoder.copy(from, &mut targets);
                    copied.map_err(|f| self.fail(ErrorKind::Corrupt, f.reason()))?;
                }
                None => targets.into_iter().for_each(|t| t.fill(0.0)),
            }
            self.pending.packet_offset = self.pending.packet_offset.map(|offset| offset + n);
            self.position += n as u64;
            done += n;
        }
        // After reading: if the file has changed, these frames may be of its new content.
        self.check_file()?;
        out.set_frames(done);
        Ok(done)
    }

    fn seek(&mut self, to: Frames) -> Result<()> {
        self.check_file()?;
        let to = to.0.min(self.available);
        if to >= self.position && to < self.pending.end {
            let ahead = usize::try_from(to - self.position).unwrap_or(usize::MAX);
            self.pending.packet_offset = self
                .pending
                .packet_offset
                .map(|offset| offset.saturating_add(ahead));
            self.position = to;
            return Ok(());
        }
        let is_backward = to < self.position;
        self.pending = PendingFrames::default();
        self.position = to;
        if to >= self.available {
            return Ok(());
        }
        if self.seeks_from_start {
            return if is_backward { self.rewind() } else { Ok(()) };
        }
        if to < REWIND_BELOW_FRAME {
            return self.rewind();
        }
        self.waiting = None;
        self.decoder.reset();
        let target = signed(to).saturating_add(self.origin);
        let target = target.saturating_sub_unsigned(self.pre_roll);
        let done = self.packets.seek(target.max(0));
        done.map_err(|f| {
            self.fail(
                ErrorKind::Corrupt,
                format!("cannot go to {}: {}", self.clock(to), f.reason()),
            )
        })?;
        self.after_seek = true;
        Ok(())
    }

    fn flaws(&mut self) -> Vec<Flaw> {
        std::mem::take(&mut self.flaws)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        encode::{Format, Sink, WriterSink},
        layout::Layout,
        media::{Damage, Input, stem::Stem},
        units::SampleRate,
    };
    use std::io::Cursor;

    const SPEC: Spec = Spec {
        rate: SampleRate::HZ_48000,
        layout: Layout::Mono,
    };

    /// Noise of 16 bits, of which no frame of FLAC is smaller than its samples.
    fn noise(frames: u32) -> Vec<f64> {
        let sample = |n: u32| (n.wrapping_mul(2_654_435_761) >> 16) as f64 / 32_768.0 - 1.0;
        (0..frames).map(sample).collect()
    }

    fn flac(samples: &[f64]) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let length = Frames(samples.len() as u64);
        let options = Default::default();
        let mut sink =
            WriterSink::new(&mut bytes, Format::FLAC_16, SPEC, length, &options).unwrap();
        let mut block = Block::new(Layout::Mono, samples.len());
        block.set_frames(samples.len());
        block.channel_mut(0).copy_from_slice(samples);
        sink.write(&block).unwrap();
        sink.finish().unwrap();
        bytes.into_inner()
    }

    fn opened(bytes: Vec<u8>) -> Box<dyn Source> {
        let input = Input::bytes("a.flac", bytes);
        let stem = Stem::probe(&input, SPEC.rate, Damage::Refuse).unwrap();
        stem.open().unwrap()
    }

    #[test]
    fn frames_are_read_up_to_the_damage() {
        let samples = noise(8 * 4_096);
        let mut bytes = flac(&samples);
        // In the sixth of eight frames, which take 2 bytes for a sample and little more.
        let sixth = bytes.len() - 2 * 8_192 - 4_096;
        bytes[sixth] ^= 1;
        let mut source = opened(bytes);
        let mut out = Block::new(Layout::Mono, 4_096);
        for good in samples.chunks(4_096).take(5) {
            assert_eq!(source.read(&mut out).unwrap(), 4_096);
            assert_eq!(out.channel(0), good);
        }
        let error = source.read(&mut out).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a.flac: damaged at 00:00:00.426 (frame 20480): 4096 frames are lost"
        );
    }

    #[test]
    fn a_seek_leads_to_its_frame_from_anywhere() {
        let samples = noise(60_000);
        let mut source = opened(flac(&samples));
        let mut out = Block::new(Layout::Mono, 1_000);
        for to in [
            59_500, 40_000, 41_500, 16_384, 16_383, 0, 57_344, 59_999, 20_000,
        ] {
            source.seek(Frames(to as u64)).unwrap();
            let n = source.read(&mut out).unwrap();
            assert_eq!(n, 1_000.min(60_000 - to), "{to}");
            assert_eq!(out.channel(0), &samples[to..to + n], "{to}");
        }
    }
}
