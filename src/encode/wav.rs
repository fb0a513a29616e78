//! WAVE files: 16, 24 and 32 bits, 32-bit float; RIFF, or RF64 where a RIFF would be too long; `bext` on request.
//!
//! Promises: the length is known before, so the header is right from its first byte and the container is never
//! outgrown; the file appears complete or not at all; rounding is half to even and what the format cannot hold is
//! counted ([`Written`]). Does not dither or change levels.
//!
//! Forms: mono and stereo of 16 bits plain PCM, mono and stereo of float the plain float tag, all else EXTENSIBLE with
//! the layout's channel mask (0 for discrete channels). RF64 (EBU Tech 3306) from 1 MiB below 4 GiB of audio.

use super::{Sink, Written, publish, slice::Slice};
use crate::{
    block::Block,
    dsp::quantise::{Tally, Width, interleave},
    error::{Error, ErrorKind, Result},
    layout::Spec,
    riff,
    storage::AtomicFile,
    units::Frames,
};
use std::{
    fmt,
    io::{self, Write},
    path::Path,
    str::FromStr,
};

/// The sample format of a WAVE file.
///
/// ```
/// use soundtrack::encode::Format;
/// assert_eq!("wav24".parse(), Ok(Format::Wav24));
/// assert_eq!(Format::Wav32f.to_string(), "wav32f");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// Integer, 16 bits.
    Wav16,
    /// Integer, 24 bits.
    #[default]
    Wav24,
    /// Integer, 32 bits.
    Wav32,
    /// Float, 32 bits: holds any level.
    Wav32f,
}

impl Format {
    const NAMED: [(Self, &'static str); 4] =
        [(Self::Wav16, "wav16"), (Self::Wav24, "wav24"), (Self::Wav32, "wav32"), (Self::Wav32f, "wav32f")];

    /// Whether samples are floating point.
    #[must_use]
    pub fn is_float(self) -> bool {
        self == Self::Wav32f
    }

    pub(crate) fn width(self) -> Width {
        match self {
            Self::Wav16 => Width::I16,
            Self::Wav24 => Width::I24,
            Self::Wav32 => Width::I32,
            Self::Wav32f => Width::F32,
        }
    }

    /// Bits of a sample.
    #[must_use]
    pub fn bits(self) -> u16 {
        match self {
            Self::Wav16 => 16,
            Self::Wav24 => 24,
            Self::Wav32 | Self::Wav32f => 32,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(Self::NAMED.iter().find(|(x, _)| x == self).map_or("", |(_, name)| name))
    }
}

/// A name that is none of `wav16 wav24 wav32 wav32f`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownFormat;

impl fmt::Display for UnknownFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such format; there are wav16, wav24, wav32 and wav32f")
    }
}

impl std::error::Error for UnknownFormat {}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        Self::NAMED.iter().find(|(_, n)| *n == name).map(|(x, _)| *x).ok_or(UnknownFormat)
    }
}

/// What a Broadcast WAVE file says about itself (`bext` version 1, EBU Tech 3285).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Broadcast {
    /// Frames since midnight, at the file's rate, of the first frame.
    pub time_reference: Frames,
    /// What the file is: ASCII, cut at 256 characters; others become `?`.
    pub description: String,
    /// Who made it: ASCII, cut at 32 characters; others become `?`.
    pub originator: String,
}

/// What can be asked of a new WAVE file beside its format.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether an existing file may be replaced. It keeps its permissions.
    pub overwrite: bool,
    /// A `bext` chunk before the audio.
    pub broadcast: Option<Broadcast>,
    /// A chunk before the audio that says which part of a longer file this is, and how that file begins.
    pub slice: Option<Slice>,
}

/// A WAVE file that is being written. It appears when [`finish`](Sink::finish) succeeds; dropped before, it leaves
/// nothing.
#[derive(Debug)]
pub struct Wav {
    encoder: Option<Encoder<AtomicFile>>,
}

impl Wav {
    /// Refuses a path that [`create`](Self::create) would refuse, before any work is done.
    ///
    /// # Errors
    /// As [`create_with`](Self::create_with).
    pub(crate) fn check(path: &Path, overwrite: bool) -> Result<()> {
        AtomicFile::check(path, overwrite)
    }

    /// Starts a file of `length` frames that must not exist yet.
    ///
    /// A symbolic link is followed. Only regular files: no folder, device or pipe.
    ///
    /// # Errors
    /// `Output` for an existing file, a folder that is missing or cannot be written, and a length beyond 2^64 bytes.
    pub fn create(path: impl AsRef<Path>, format: Format, spec: Spec, length: Frames) -> Result<Self> {
        Self::create_with(path, format, spec, length, &Options::default())
    }

    /// The same with options.
    ///
    /// # Errors
    /// As [`create`](Self::create); with [`Options::overwrite`] also for an existing file that is read-only.
    pub fn create_with(
        path: impl AsRef<Path>,
        format: Format,
        spec: Spec,
        length: Frames,
        options: &Options,
    ) -> Result<Self> {
        let path = path.as_ref();
        let plan = Plan::new(format, spec, length, options, false).map_err(|what| refused(path, &what))?;
        let file = AtomicFile::create_sized(path, options.overwrite, plan.laid.total())?;
        let encoder = Encoder::start(file, plan).map_err(|(file, e)| file.failed(e))?;
        Ok(Self { encoder: Some(encoder) })
    }
}

impl Sink for Wav {
    fn write(&mut self, block: &Block) -> Result<()> {
        let Some(encoder) = &mut self.encoder else {
            return Err(Error::new(ErrorKind::Output, "a WAVE file was written to after its end"));
        };
        encoder.write(block).map_err(|e| match e {
            Fault::Io(e) => encoder.out.failed(e),
            Fault::Wrong(what) => refused(encoder.out.target(), &what),
        })
    }

    fn finish(&mut self) -> Result<Written> {
        Ok(publish(vec![self.complete()?])?.pop().unwrap_or_default())
    }
}

impl Wav {
    /// The file with all of its bytes.
    pub(super) fn ended(&mut self) -> Result<(AtomicFile, Written)> {
        let Some(encoder) = self.encoder.take() else {
            return Err(Error::new(ErrorKind::Output, "a WAVE file was finished twice"));
        };
        let (mut file, mut written) = match encoder.end() {
            Ok(done) => done,
            Err((file, Fault::Io(e))) => return Err(file.failed(e)),
            Err((file, Fault::Wrong(what))) => return Err(refused(file.target(), &what)),
        };
        file.flush().map_err(|e| file.failed(e))?;
        written.path = Some(file.target().to_owned());
        Ok((file, written))
    }
}

fn refused(path: &Path, what: &str) -> Error {
    Error::new(ErrorKind::Output, format!("{}: {what}", path.display()))
}

/// The file as it will be.
struct Plan {
    laid: riff::Laid,
    width: Width,
    channels: usize,
    frames: u64,
}

impl Plan {
    /// `rf64` asks for RF64 where RIFF would do.
    fn new(format: Format, spec: Spec, length: Frames, options: &Options, rf64: bool) -> Result<Self, String> {
        // What else a header holds is far less than this.
        const RESERVE: u64 = 1 << 20;
        let too_long = || format!("{length} frames of {} are more than a WAVE file can hold", spec.layout);
        let channels = spec.layout.channels();
        let frame = u64::try_from(channels * format.width().bytes()).unwrap_or(u64::MAX);
        let data = length.0.checked_mul(frame).and_then(|d| d.checked_add(RESERVE)).ok_or_else(too_long)?;
        let text = |s: &str, most: usize| -> String {
            s.chars().take(most).map(|c| if matches!(c, ' '..='~') { c } else { '?' }).collect()
        };
        let bext = options.broadcast.as_ref();
        let texts = bext.map(|b| (text(&b.description, 256), text(&b.originator, 32)));
        let whole = |slice: Slice| {
            let whole = Self::new(format, spec, slice.whole, &slice.of_whole(options), rf64)?;
            Ok::<_, String>(slice.note(&whole.laid.header))
        };
        let slice = options.slice.map(whole).transpose()?;
        let new = riff::New {
            channels: u16::try_from(channels).map_err(|_| too_long())?,
            rate: spec.rate.hz(),
            bits: format.bits(),
            float: format == Format::Wav32f,
            mask: spec.layout.mask(),
            frames: length.0,
            rf64: rf64 || data > u64::from(u32::MAX),
            bext: bext.zip(texts.as_ref()).map(|(b, (description, originator))| riff::NewBext {
                time_reference: b.time_reference.0,
                description,
                originator,
            }),
            slice: slice.as_deref(),
        };
        if channels == 0 {
            return Err("a file without channels cannot be written".into());
        }
        let laid = riff::lay(&new).ok_or_else(too_long)?;
        Ok(Self { laid, width: format.width(), channels, frames: length.0 })
    }
}

/// Why a block was not taken.
#[derive(Debug)]
enum Fault {
    Io(io::Error),
    Wrong(String),
}

const BROKEN: &str = "cannot be completed: a write failed before";

/// Blocks to bytes, into anything that takes bytes.
#[derive(Debug)]
struct Encoder<W> {
    out: W,
    width: Width,
    channels: usize,
    promised: u64,
    pad: bool,
    frames: u64,
    /// A write failed: what the file holds is not known, and no retry can mend it.
    broken: bool,
    tally: Tally,
    raw: Vec<u8>,
}

impl<W: Write> Encoder<W> {
    fn start(mut out: W, plan: Plan) -> Result<Self, (W, io::Error)> {
        if let Err(e) = out.write_all(&plan.laid.header) {
            return Err((out, e));
        }
        let Plan { laid, width, channels, frames } = plan;
        let (tally, raw) = (Tally::default(), Vec::new());
        Ok(Self { out, width, channels, promised: frames, pad: laid.pad, frames: 0, broken: false, tally, raw })
    }

    fn write(&mut self, block: &Block) -> Result<(), Fault> {
        if self.broken {
            return Err(Fault::Wrong(BROKEN.into()));
        }
        if block.layout().channels() != self.channels {
            let what = format!("a block of {} channels for a file of {}", block.layout().channels(), self.channels);
            return Err(Fault::Wrong(what));
        }
        let frames = self.frames.saturating_add(u64::try_from(block.frames()).unwrap_or(u64::MAX));
        if frames > self.promised {
            return Err(Fault::Wrong(format!("{} frames were promised, {frames} came", self.promised)));
        }
        interleave(self.width, block, &mut self.raw, &mut self.tally);
        self.out.write_all(&self.raw).map_err(|e| {
            self.broken = true;
            Fault::Io(e)
        })?;
        self.frames = frames;
        Ok(())
    }

    fn end(mut self) -> Result<(W, Written), (W, Fault)> {
        if self.broken {
            return Err((self.out, Fault::Wrong(BROKEN.into())));
        }
        if self.frames != self.promised {
            let what = format!("{} frames were promised, {} came", self.promised, self.frames);
            return Err((self.out, Fault::Wrong(what)));
        }
        if self.pad
            && let Err(e) = self.out.write_all(&[0])
        {
            return Err((self.out, Fault::Io(e)));
        }
        let Tally { clipped, non_finite } = self.tally;
        let written = Written { frames: Frames(self.frames), clipped, non_finite, ..Written::default() };
        Ok((self.out, written))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Layout, SampleRate, Source, media};

    const SPEC: Spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Lcr };

    fn plan(format: Format, frames: u64, rf64: bool) -> Plan {
        Plan::new(format, SPEC, Frames(frames), &Options::default(), rf64).unwrap()
    }

    fn block() -> Block {
        let mut block = Block::new(Layout::Lcr, 5);
        let mut next = 0.0;
        block.set_frames(5);
        for x in block.channels_mut().flatten() {
            *x = next;
            next -= 1.0 / 16.0;
        }
        block
    }

    #[test]
    fn rf64_has_a_right_ds64_and_reads_back() {
        for format in [Format::Wav16, Format::Wav24, Format::Wav32, Format::Wav32f] {
            let mut encoder = Encoder::start(Vec::new(), plan(format, 5, true)).unwrap();
            encoder.write(&block()).unwrap();
            let (bytes, _) = encoder.end().unwrap();
            let data = 15 * format.width().bytes() as u64;
            assert_eq!(bytes[..20], *b"RF64\xFF\xFF\xFF\xFFWAVEds64\x1C\0\0\0");
            let sizes = [bytes.len() as u64 - 8, data, 5, 0].map(u64::to_le_bytes).concat();
            assert_eq!(bytes[20..48], sizes[..28]);
            assert_eq!(bytes[96..104], *b"data\xFF\xFF\xFF\xFF");
            assert_eq!(bytes.len() % 2, 0);

            let path = std::env::temp_dir().join(format!("soundtrack-{}-{format}.wav", std::process::id()));
            std::fs::write(&path, &bytes).unwrap();
            let opened = media::Wav::open(&path);
            std::fs::remove_file(&path).unwrap();
            let (mut wav, info) = opened.unwrap().unwrap();
            assert_eq!((info.codec.as_str(), info.frames, info.spec), ("RF64", Frames(5), SPEC));
            let mut out = Block::new(Layout::Lcr, 5);
            assert_eq!(wav.read(&mut out).unwrap(), 5);
            assert_eq!(out, block());
        }
    }

    #[test]
    fn the_container_changes_one_mebibyte_below_4_gib() {
        let frame = 6;
        let last = (u64::from(u32::MAX) - (1 << 20)) / frame;
        let id = |frames| plan(Format::Wav16, frames, false).laid.header[..4].to_vec();
        assert_eq!((id(last), id(last + 1)), (b"RIFF".to_vec(), b"RF64".to_vec()));
        let long = plan(Format::Wav24, 1 << 40, false).laid;
        assert_eq!((long.data, long.pad), (9 << 40, false));
        assert_eq!(long.total(), (9 << 40) + 104);
        assert_eq!(long.header[20..28], (long.total() - 8).to_le_bytes());
    }

    #[test]
    fn every_write_that_fails_is_an_error() {
        /// Fails at one byte and after it.
        struct Full(usize);
        impl Write for Full {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                if self.0 == 0 {
                    return Err(io::ErrorKind::StorageFull.into());
                }
                let n = bytes.len().min(self.0);
                self.0 -= n;
                Ok(n)
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        // 15 samples of 3 bytes: an odd length, with a pad byte.
        let total = usize::try_from(plan(Format::Wav24, 5, false).laid.total()).unwrap();
        for room in 0..=total {
            let all = || -> Result<(), io::Error> {
                let mut encoder = Encoder::start(Full(room), plan(Format::Wav24, 5, false)).map_err(|(_, e)| e)?;
                let io = |f| match f {
                    Fault::Io(e) => e,
                    Fault::Wrong(what) => panic!("{what}"),
                };
                encoder.write(&block()).map_err(io)?;
                encoder.end().map_err(|(_, f)| io(f))?;
                Ok(())
            };
            assert_eq!(
                all().map_err(|e| e.kind()),
                if room < total { Err(io::ErrorKind::StorageFull) } else { Ok(()) }
            );
        }
    }

    #[test]
    fn a_write_that_failed_is_not_mended_by_the_next() {
        /// Fails once, then takes all.
        struct Once(bool);
        impl Write for Once {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                if bytes.len() < 100 && std::mem::take(&mut self.0) {
                    return Err(io::ErrorKind::StorageFull.into());
                }
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut encoder = Encoder::start(Once(true), plan(Format::Wav16, 5, true)).map_err(|(_, e)| e).unwrap();
        assert!(matches!(encoder.write(&block()), Err(Fault::Io(_))));
        assert!(matches!(encoder.write(&block()), Err(Fault::Wrong(_))));
        assert!(matches!(encoder.end(), Err((_, Fault::Wrong(what))) if what == BROKEN));
    }
}
