//! Stems of every format but WAVE: AIFF, CAF, FLAC, Ogg, MP4, Matroska, MPEG audio, ADTS.
//!
//! Time is by position: every packet has its place in frames, and what could not be decoded becomes silence of the same
//! length, so that nothing behind it moves. Encoder delay and padding are removed where they are stated. A seek gives
//! the same samples as reading from the start, by decoding enough packets before the wanted frame, or all of them where
//! the codec's state reaches back to the beginning. Nothing is resampled, folded or scaled here.

use super::{
    Flaw, FlawKind, Info, Source,
    codec_fault::Fault,
    demux::{self, Opened},
    packet_source::PacketSource,
    refuse, sniff,
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
const EMPTY: u32 = 10_000;
/// How long that may last.
const PATIENCE: Duration = Duration::from_secs(5);
/// Frames from the start to which no demuxer has to search: decoding from the start is as quick, and in damaged files
/// it loses no more than reading did.
const NEAR: u64 = 16_384;

/// A stem file that is open.
pub(crate) struct DecodedFile {
    path: PathBuf,
    file: InputFile,
    spec: Spec,
    frames: u64,
    /// The first frame that the file does not hold.
    end: u64,
    origin: i64,
    lead: u64,
    linear: bool,
    pre_roll: u64,
    feed: PacketSource,
    decoder: Decoder,
    /// The frame that is read next.
    at: u64,
    held: Held,
    /// A packet that lies behind a gap.
    waiting: Option<Packet>,
    /// Whether a seek has happened and no packet has come since.
    sought: bool,
    flaws: Vec<Flaw>,
    /// Why nothing can be read any more.
    dead: Option<(ErrorKind, String)>,
}

/// Frames that are decoded and not yet read.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    /// The frame behind the last.
    until: u64,
    /// The index of frame `at` in the packet that was decoded last; `None` for silence.
    from: Option<usize>,
}

impl DecodedFile {
    /// Opens a file that was recognised. `stream` is the number of an audio stream, counted from 1.
    pub(crate) fn open(path: &Path, file: InputFile, kind: sniff::Kind, stream: Option<usize>) -> Result<(Self, Info)> {
        let opened: Opened = demux::open(path, &file, kind, stream)?;
        let spec = Spec { rate: opened.rate, layout: Layout::from_mask(opened.channels, opened.mask) };
        let info = Info {
            spec,
            frames: Frames(opened.frames),
            missing: Frames(opened.missing),
            codec: opened.codec,
            bits: opened.bits,
            trimmed_start: Frames(opened.trimmed.0),
            trimmed_end: Frames(opened.trimmed.1),
            time_reference: None,
            streams: opened.streams,
            remarks: opened.remarks,
        };
        let media = Self {
            path: path.to_path_buf(),
            file,
            spec,
            frames: opened.frames,
            end: opened.frames.saturating_sub(opened.missing),
            origin: opened.origin,
            lead: opened.lead,
            linear: opened.linear,
            pre_roll: opened.pre_roll,
            feed: opened.feed,
            decoder: opened.decoder,
            at: 0,
            held: Held::default(),
            waiting: None,
            sought: false,
            flaws: Vec::new(),
            dead: None,
        };
        Ok((media, info))
    }

    fn place(&self, frame: u64) -> String {
        Frames(frame).clock(self.spec.rate)
    }

    /// Ends reading for good.
    fn die(&mut self, kind: ErrorKind, what: String) -> Error {
        self.dead = Some((kind, what.clone()));
        refuse(&self.path, kind, what)
    }

    fn alive(&self) -> Result<()> {
        self.dead.as_ref().map_or(Ok(()), |(kind, what)| Err(refuse(&self.path, *kind, what)))
    }

    /// Refuses a file that was written to since it was opened.
    fn check(&mut self) -> Result<()> {
        self.alive()?;
        if let Some(why) = self.file.trouble() {
            let kind = ErrorKind::of_io(&why).unwrap_or(ErrorKind::Corrupt);
            return Err(self.die(kind, why.to_string()));
        }
        Ok(())
    }

    /// Holds silence up to `until`, and remembers why unless the file asks for it.
    fn silence(&mut self, until: u64, why: Option<(FlawKind, String)>) {
        let until = until.min(self.end);
        if let Some((kind, what)) = why {
            let (at, len) = (Frames(self.at), Frames(until.saturating_sub(self.at)));
            match self.flaws.last_mut() {
                Some(last) if last.at + last.len == at && last.kind == kind => last.len += len,
                _ => self.flaws.push(Flaw { kind, at, len, what }),
            }
        }
        self.held = Held { until, from: None };
    }

    /// The frame at which a position of the feed lies; negative before the start.
    fn frame(&self, at: i64) -> i64 {
        at.saturating_sub(self.origin)
    }

    /// Decodes until something is held for frame `at`.
    fn advance(&mut self) -> Result<()> {
        // An empty edit is silent even where packets lie under it: those are the start that the edit after it leaves out.
        if self.at < self.lead {
            self.silence(self.lead, None);
            return Ok(());
        }
        let mut empty = 0;
        let mut since = Instant::now();
        loop {
            let packet = match self.waiting.take() {
                Some(packet) => packet,
                None => match self.next()? {
                    Some(packet) => packet,
                    None => return Ok(()),
                },
            };
            let start = self.frame(packet.at);
            let now = i64::try_from(self.at).unwrap_or(i64::MAX);
            if start > now {
                let start = u64::try_from(start).unwrap_or(0);
                let lost = format!("{} frames are lost", start - self.at);
                self.silence(start, Some((FlawKind::Damaged, lost)));
                self.waiting = Some(packet);
                return Ok(());
            }
            if packet.fresh {
                self.decoder.reset();
            }
            let got = match self.decoder.decode(&packet) {
                Ok(out) => out,
                Err(Fault::Damaged(what) | Fault::Unsupported(what)) => {
                    self.feed.passed(packet.frames);
                    let until = u64::try_from(start.saturating_add_unsigned(packet.frames)).unwrap_or(0);
                    if until > self.at {
                        if self.sought {
                            self.restart()?;
                            continue;
                        }
                        let what = format!("packet {} is damaged: {what}", packet.number);
                        self.silence(until, Some((FlawKind::Damaged, what)));
                        return Ok(());
                    }
                    continue;
                }
                Err(fault) => {
                    let at = self.place(self.at);
                    let what = format!("damaged at {at} (packet {}): {}", packet.number, fault.reason());
                    return Err(self.die(ErrorKind::Corrupt, what));
                }
            };
            let frames = u64::try_from(got.frames).unwrap_or(0);
            self.feed.passed(frames);
            if got.frames > 0 && (got.rate != self.spec.rate.hz() || got.channels != self.spec.layout.channels()) {
                let at = self.place(self.at);
                let what = format!("the stream changes to {} Hz, {} channels at {at}", got.rate, got.channels);
                return Err(self.die(ErrorKind::Unsupported, what));
            }
            let until = u64::try_from(start.saturating_add_unsigned(frames)).unwrap_or(0);
            if until > self.at {
                let from = usize::try_from(now.saturating_sub(start)).unwrap_or(usize::MAX);
                self.held = Held { until: until.min(self.end), from: Some(from) };
                self.sought = false;
                return Ok(());
            }
            if frames > 0 {
                (empty, since) = (0, Instant::now());
                continue;
            }
            empty += 1;
            if empty > EMPTY || since.elapsed() > PATIENCE {
                let at = self.place(self.at);
                return Err(self.die(ErrorKind::Corrupt, format!("no audio comes out of the packets after {at}")));
            }
        }
    }

    /// The next packet that is in its place; `None` when silence is held up to the end instead.
    fn next(&mut self) -> Result<Option<Packet>> {
        loop {
            let why = match self.feed.next() {
                Ok(Some(packet)) => {
                    let early = self.frame(packet.at) <= i64::try_from(self.at).unwrap_or(i64::MAX);
                    if self.sought && !early {
                        // The demuxer went too far, or something is lost here: reading from the start tells.
                        self.restart()?;
                        continue;
                    }
                    return Ok(Some(packet));
                }
                Ok(None) => {
                    self.check()?;
                    (FlawKind::EndedEarly, "the data ends early".into())
                }
                // What could not be had is not damaged.
                Err(_) if self.file.trouble().is_some() => {
                    self.check()?;
                    continue;
                }
                Err(fault @ (Fault::Damaged(_) | Fault::Cut)) => (FlawKind::EndedEarly, fault.reason()),
                Err(fault) => {
                    let kind = match &fault {
                        Fault::Changed => ErrorKind::Unsupported,
                        Fault::Io(e) => ErrorKind::of_io(e).unwrap_or(ErrorKind::Corrupt),
                        _ => ErrorKind::Corrupt,
                    };
                    let what = format!("damaged at {}: {}", self.place(self.at), fault.reason());
                    return Err(self.die(kind, what));
                }
            };
            if std::mem::take(&mut self.sought) {
                self.restart()?;
                continue;
            }
            self.silence(self.end, Some(why));
            return Ok(None);
        }
    }

    /// Goes back to the first packet.
    fn restart(&mut self) -> Result<()> {
        self.sought = false;
        self.waiting = None;
        let done = self.feed.seek(i64::MIN).and_then(|()| self.decoder.renew());
        done.map_err(|f| self.die(ErrorKind::Corrupt, format!("cannot go back to the start: {}", f.reason())))
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
        self.alive()?;
        let room = out.capacity();
        out.set_frames(room);
        let mut done = 0;
        while done < room && self.at < self.end {
            if self.at >= self.held.until {
                if let Err(e) = self.advance() {
                    // What was read before the error is still good; the error comes with the next call.
                    if done > 0 {
                        break;
                    }
                    return Err(e);
                }
                continue;
            }
            let n = usize::try_from(self.held.until - self.at).unwrap_or(usize::MAX).min(room - done);
            let mut targets: Vec<_> = out.channels_mut().filter_map(|c| c.get_mut(done..done + n)).collect();
            match self.held.from {
                Some(from) => {
                    let copied = self.decoder.copy(from, &mut targets);
                    copied.map_err(|f| self.die(ErrorKind::Corrupt, f.reason()))?;
                }
                None => targets.into_iter().for_each(|t| t.fill(0.0)),
            }
            self.held.from = self.held.from.map(|f| f + n);
            self.at += u64::try_from(n).unwrap_or(0);
            done += n;
        }
        // Behind the data: what was decoded until now may be of another content.
        self.check()?;
        out.set_frames(done);
        Ok(done)
    }

    fn seek(&mut self, to: Frames) -> Result<()> {
        self.check()?;
        let to = to.0.min(self.end);
        if to >= self.at && to < self.held.until {
            let ahead = usize::try_from(to - self.at).unwrap_or(usize::MAX);
            self.held.from = self.held.from.map(|f| f.saturating_add(ahead));
            self.at = to;
            return Ok(());
        }
        let back = to < self.at;
        self.held = Held::default();
        self.at = to;
        if to >= self.end {
            return Ok(());
        }
        if self.linear {
            return if back { self.restart() } else { Ok(()) };
        }
        if to < NEAR {
            return self.restart();
        }
        self.waiting = None;
        self.decoder.reset();
        let target = i64::try_from(to).unwrap_or(i64::MAX).saturating_add(self.origin);
        let target = target.saturating_sub_unsigned(self.pre_roll);
        let done = self.feed.seek(target.max(0));
        done.map_err(|f| self.die(ErrorKind::Corrupt, format!("cannot go to {}: {}", self.place(to), f.reason())))?;
        self.sought = true;
        Ok(())
    }

    fn flaws(&mut self) -> Vec<Flaw> {
        std::mem::take(&mut self.flaws)
    }
}
