//! Stems of every format but WAVE: AIFF, CAF, FLAC, Ogg, MP4, Matroska, MPEG audio, ADTS.
//!
//! Time is by position: every packet has its place in frames, and what could not be decoded becomes silence of the same
//! length, so that nothing behind it moves. Encoder delay and padding are removed where they are stated. A seek gives
//! the same samples as reading from the start, by decoding enough packets before the wanted frame, or all of them where
//! the codec's state reaches back to the beginning. Nothing is resampled, folded or scaled here.

use super::{
    Flaw, FlawKind, Info, Source,
    codec_fault::CodecFault,
    demux::{self, OpenedStem},
    file_error,
    packet_source::PacketSource,
    sniff,
    symphonia_adapter::{Decoder, Packet},
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

/// Packets without audio in a row that are borne.
const MAX_EMPTY_PACKETS: u32 = 10_000;
/// How long that may last.
const EMPTY_PACKETS_TIMEOUT: Duration = Duration::from_secs(5);
/// Frames from the start to which no demuxer has to search: decoding from the start is as quick, and in damaged files
/// it loses no more than reading did.
const REWIND_BELOW: u64 = 16_384;

/// A stem file that is open.
pub(crate) struct DecodedFile {
    path: PathBuf,
    file: InputFile,
    spec: Spec,
    frames: u64,
    /// The first frame that the file does not hold.
    available: u64,
    origin: i64,
    leading_silence: u64,
    seeks_from_start: bool,
    pre_roll: u64,
    packets: PacketSource,
    decoder: Decoder,
    /// The frame that is read next.
    position: u64,
    pending: PendingFrames,
    /// A packet that lies behind a gap.
    waiting: Option<Packet>,
    /// Whether a seek has happened and no packet has come since.
    after_seek: bool,
    flaws: Vec<Flaw>,
    /// Why nothing can be read any more.
    failure: Option<(ErrorKind, String)>,
}

/// Frames that are decoded and not yet read.
#[derive(Clone, Copy, Debug, Default)]
struct PendingFrames {
    /// The frame behind the last.
    end: u64,
    /// The index of frame `at` in the packet that was decoded last; `None` for silence.
    packet_offset: Option<usize>,
}

impl DecodedFile {
    /// Opens a file that was recognised. `stream` is the number of an audio stream, counted from 1.
    pub(crate) fn open(
        path: &Path,
        file: InputFile,
        kind: sniff::FileKind,
        stream: Option<usize>,
    ) -> Result<(Self, Info)> {
        let opened: OpenedStem = demux::open(path, &file, kind, stream)?;
        let spec = Spec { rate: opened.rate, layout: Layout::from_mask(opened.channels, opened.mask) };
        let info = Info {
            spec,
            frames: Frames(opened.frames),
            missing: Frames(opened.missing),
            codec: opened.codec,
            bits: opened.bits,
            trimmed_start: Frames(opened.trimmed_start),
            trimmed_end: Frames(opened.trimmed_end),
            time_reference: None,
            streams: opened.streams,
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
        Ok((source, info))
    }

    fn clock(&self, frame: u64) -> String {
        Frames(frame).clock(self.spec.rate)
    }

    /// Ends reading for good.
    fn fail(&mut self, kind: ErrorKind, what: String) -> Error {
        self.failure = Some((kind, what.clone()));
        file_error(&self.path, kind, what)
    }

    fn check_failure(&self) -> Result<()> {
        self.failure.as_ref().map_or(Ok(()), |(kind, what)| Err(file_error(&self.path, *kind, what)))
    }

    /// Refuses a file that was written to since it was opened.
    fn check_file(&mut self) -> Result<()> {
        self.check_failure()?;
        if let Some(why) = self.file.trouble() {
            return Err(self.fail(ErrorKind::Corrupt, why));
        }
        Ok(())
    }

    /// Holds silence up to `end`, and remembers why unless the file asks for it.
    fn hold_silence(&mut self, end: u64, why: Option<(FlawKind, String)>) {
        let end = end.min(self.available);
        if let Some((kind, what)) = why {
            let (at, len) = (Frames(self.position), Frames(end.saturating_sub(self.position)));
            match self.flaws.last_mut() {
                Some(last) if last.at + last.len == at && last.kind == kind => last.len += len,
                _ => self.flaws.push(Flaw { kind, at, len, what }),
            }
        }
        self.pending = PendingFrames { end, packet_offset: None };
    }

    /// The frame at which a position of the feed lies; negative before the start.
    fn stem_frame(&self, at: i64) -> i64 {
        at.saturating_sub(self.origin)
    }

    /// Decodes end something is held for frame `at`.
    fn decode_next(&mut self) -> Result<()> {
        // An empty edit is silent even where packets lie under it: those are the start that the edit after it leaves out.
        if self.position < self.leading_silence {
            self.hold_silence(self.leading_silence, None);
            return Ok(());
        }
        let mut empty = 0;
        let mut since = Instant::now();
        loop {
            let packet = match self.waiting.take() {
                Some(packet) => packet,
                None => match self.next_packet()? {
                    Some(packet) => packet,
                    None => return Ok(()),
                },
            };
            let start = self.stem_frame(packet.at);
            let now = i64::try_from(self.position).unwrap_or(i64::MAX);
            if start > now {
                let start = u64::try_from(start).unwrap_or(0);
                let lost = format!("{} frames are lost", start - self.position);
                self.hold_silence(start, Some((FlawKind::Damaged, lost)));
                self.waiting = Some(packet);
                return Ok(());
            }
            if packet.follows_gap {
                self.decoder.reset();
            }
            let got = match self.decoder.decode(&packet) {
                Ok(out) => out,
                Err(CodecFault::Damaged(what) | CodecFault::Unsupported(what)) => {
                    self.packets.count_frames(packet.frames);
                    let end = u64::try_from(start.saturating_add_unsigned(packet.frames)).unwrap_or(0);
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
                    let what = format!("damaged at {at} (packet {}): {}", packet.number, fault.reason());
                    return Err(self.fail(ErrorKind::Corrupt, what));
                }
            };
            let frames = u64::try_from(got.frames).unwrap_or(0);
            self.packets.count_frames(frames);
            if got.frames > 0 && (got.rate != self.spec.rate.hz() || got.channels != self.spec.layout.channels()) {
                let at = self.clock(self.position);
                let what = format!("the stream changes to {} Hz, {} channels at {at}", got.rate, got.channels);
                return Err(self.fail(ErrorKind::Unsupported, what));
            }
            let end = u64::try_from(start.saturating_add_unsigned(frames)).unwrap_or(0);
            if end > self.position {
                let offset = usize::try_from(now.saturating_sub(start)).unwrap_or(usize::MAX);
                self.pending = PendingFrames { end: end.min(self.available), packet_offset: Some(offset) };
                self.after_seek = false;
                return Ok(());
            }
            if frames > 0 {
                (empty, since) = (0, Instant::now());
                continue;
            }
            empty += 1;
            if empty > MAX_EMPTY_PACKETS || since.elapsed() > EMPTY_PACKETS_TIMEOUT {
                let at = self.clock(self.position);
                return Err(self.fail(ErrorKind::Corrupt, format!("no audio comes out of the packets after {at}")));
            }
        }
    }

    /// The next packet that is in its place; `None` when silence is held up to the end instead.
    fn next_packet(&mut self) -> Result<Option<Packet>> {
        loop {
            let why = match self.packets.next() {
                Ok(Some(packet)) => {
                    let early = self.stem_frame(packet.at) <= i64::try_from(self.position).unwrap_or(i64::MAX);
                    if self.after_seek && !early {
                        // The demuxer went too far, or something is lost here: reading from the start tells.
                        self.rewind()?;
                        continue;
                    }
                    return Ok(Some(packet));
                }
                Ok(None) => {
                    self.check_file()?;
                    (FlawKind::EndedEarly, "the data ends early".into())
                }
                // What could not be had is not damaged.
                Err(_) if self.file.trouble().is_some() => {
                    self.check_file()?;
                    continue;
                }
                Err(fault @ (CodecFault::Damaged(_) | CodecFault::Truncated)) => (FlawKind::EndedEarly, fault.reason()),
                Err(fault) => {
                    let kind = if matches!(fault, CodecFault::StreamChanged) {
                        ErrorKind::Unsupported
                    } else {
                        ErrorKind::Corrupt
                    };
                    let what = format!("damaged at {}: {}", self.clock(self.position), fault.reason());
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

    /// Goes back to the first packet.
    fn rewind(&mut self) -> Result<()> {
        self.after_seek = false;
        self.waiting = None;
        let done = self.packets.seek(i64::MIN).and_then(|()| self.decoder.recreate());
        done.map_err(|f| self.fail(ErrorKind::Corrupt, format!("cannot go back to the start: {}", f.reason())))
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
        let room = out.capacity();
        out.set_frames(room);
        let mut done = 0;
        while done < room && self.position < self.available {
            if self.position >= self.pending.end {
                if let Err(e) = self.decode_next() {
                    // What was read before the error is still good; the error comes with the next call.
                    if done > 0 {
                        break;
                    }
                    return Err(e);
                }
                continue;
            }
            let n = usize::try_from(self.pending.end - self.position).unwrap_or(usize::MAX).min(room - done);
            let mut targets: Vec<_> = out.channels_mut().filter_map(|c| c.get_mut(done..done + n)).collect();
            match self.pending.packet_offset {
                Some(from) => {
                    let copied = self.decoder.copy(from, &mut targets);
                    copied.map_err(|f| self.fail(ErrorKind::Corrupt, f.reason()))?;
                }
                None => targets.into_iter().for_each(|t| t.fill(0.0)),
            }
            self.pending.packet_offset = self.pending.packet_offset.map(|f| f + n);
            self.position += u64::try_from(n).unwrap_or(0);
            done += n;
        }
        // Behind the data: what was decoded end now may be of another content.
        self.check_file()?;
        out.set_frames(done);
        Ok(done)
    }

    fn seek(&mut self, to: Frames) -> Result<()> {
        self.check_file()?;
        let to = to.0.min(self.available);
        if to >= self.position && to < self.pending.end {
            let ahead = usize::try_from(to - self.position).unwrap_or(usize::MAX);
            self.pending.packet_offset = self.pending.packet_offset.map(|f| f.saturating_add(ahead));
            self.position = to;
            return Ok(());
        }
        let back = to < self.position;
        self.pending = PendingFrames::default();
        self.position = to;
        if to >= self.available {
            return Ok(());
        }
        if self.seeks_from_start {
            return if back { self.rewind() } else { Ok(()) };
        }
        if to < REWIND_BELOW {
            return self.rewind();
        }
        self.waiting = None;
        self.decoder.reset();
        let target = i64::try_from(to).unwrap_or(i64::MAX).saturating_add(self.origin);
        let target = target.saturating_sub_unsigned(self.pre_roll);
        let done = self.packets.seek(target.max(0));
        done.map_err(|f| self.fail(ErrorKind::Corrupt, format!("cannot go to {}: {}", self.clock(to), f.reason())))?;
        self.after_seek = true;
        Ok(())
    }

    fn flaws(&mut self) -> Vec<Flaw> {
        std::mem::take(&mut self.flaws)
    }
}
