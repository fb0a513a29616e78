//! Describes a stem for the plan, and opens it at the session's rate.

use super::{
    Damage, Info, Input, Memory, Remark, Resampled, Source,
    length_guard::LengthGuard,
    measured_source::MeasuredSource,
    panic_guard::PanicGuard,
    sniff::{self, FileKind},
};
use crate::{
    error::{Error, ErrorKind, Result},
    layout::Spec,
    storage::file_version::FileVersion,
    units::{ExactFrames, Frames, SampleRate},
};
use std::path::PathBuf;

/// A stem that was opened once to measure it, and can be opened to read it.
#[derive(Debug)]
pub(crate) struct Stem {
    /// Name for messages: the path, or the name of the program's source.
    pub name: String,
    pub input: Input,
    /// Properties of the file; `None` for a program's source.
    pub info: Option<Info>,
    /// Rate and layout before resampling.
    pub spec: Spec,
    /// Length at the session's rate; `None` if the source does not know.
    pub frames: Option<Frames>,
    /// The session's rate.
    pub rate: SampleRate,
    /// Length at its own rate.
    source_frames: Option<Frames>,
    damage: Damage,
    /// Version of the file that was measured; `None` for a program's source.
    version: Option<FileVersion>,
    measured: MeasuredSource,
}

impl Stem {
    /// Opens the input and measures it. `rate` is the session's.
    ///
    /// # Errors
    /// As of [`media::open`](super::open), `Corrupt` for a truncated file if damage is refused, and `Unsupported` if it
    /// cannot be resampled to `rate`.
    pub(crate) fn probe(input: &Input, rate: SampleRate, damage: Damage) -> Result<Self> {
        let OpenInput {
            source,
            info,
            version,
            is_plain_wave,
        } = open(input).map_err(|e| e.about_file(&input.to_string()))?;
        let spec = source.spec();
        let source_frames = info
            .as_ref()
            .map_or_else(|| source.length(), |i| Some(i.frames));
        // Whether a local file has changed can be found out without opening it again.
        let measured = if version.as_ref().is_some_and(FileVersion::is_local) {
            MeasuredSource::keep(source, !is_plain_wave)?
        } else {
            MeasuredSource::close(source)?
        };
        if let (Damage::Refuse, Some(info)) = (damage, &info)
            && info.missing > Frames::ZERO
        {
            let (available, promised) = (info.frames - info.missing, info.frames);
            let at = available.clock(spec.rate);
            let what =
                format!("{input}: cut off at {at}: {available} of {promised} frames are there");
            return Err(corrupt(input, what).at_frame(available));
        }
        if let (Damage::Refuse, Some(info)) = (damage, &info)
            && info.remarks.contains(&Remark::CutOff)
        {
            let at = info.frames.clock(spec.rate);
            let what = format!("{input}: cut off at {at}: the end of the file is missing");
            return Err(corrupt(input, what).at_frame(info.frames));
        }
        if spec.rate != rate {
            Resampled::check(spec, rate).map_err(|e| {
                Error::new(e.kind(), format!("{input}: {e}")).in_file(input.to_string())
            })?;
        }
        let frames = source_frames.map(|n| n.resampled(spec.rate, rate));
        let (name, input) = (input.to_string(), input.clone());
        Ok(Self {
            name,
            input,
            info,
            spec,
            frames,
            rate,
            source_frames,
            damage,
            version,
            measured,
        })
    }

    /// Opens the stem at its first frame, at the session's rate.
    ///
    /// # Errors
    /// `Corrupt` if the file has been replaced or written to since it was measured.
    pub(crate) fn open(&self) -> Result<Box<dyn Source>> {
        let source = match self.take_measured() {
            Some(source) => source,
            None => self.open_again()?,
        };
        // Integer formats cannot hold NaN or infinity.
        let finite = self
            .info
            .as_ref()
            .and_then(|i| i.bits)
            .is_some_and(|b| !b.float);
        let source = LengthGuard::new(
            Box::new(source),
            self.name.clone(),
            self.source_frames,
            self.damage,
            finite,
        );
        let source = Box::new(source);
        if self.spec.rate == self.rate {
            Ok(source)
        } else {
            Ok(Box::new(Resampled::new(source, self.rate)?))
        }
    }

    /// Takes the source that was measured, if there is one and the file has not changed.
    fn take_measured(&self) -> Option<PanicGuard> {
        let source = self.measured.take()?;
        let is_same = FileVersion::at_path(&self.path()?) == self.version;
        is_same.then_some(source)
    }

    /// Opens the input again, which must be as it was measured.
    fn open_again(&self) -> Result<PanicGuard> {
        let OpenInput {
            source,
            info,
            version,
            ..
        } = open(&self.input)?;
        let other_length = info.map(|i| i.frames) != self.info.as_ref().map(|i| i.frames);
        if other_length || source.spec() != self.spec || version != self.version {
            let what = format!("{}: changed since it was first opened", self.name);
            return Err(Error::new(ErrorKind::Corrupt, what).in_file(&self.name));
        }
        Ok(source)
    }

    /// Returns the samples where the program holds them in memory at the session's rate.
    pub(crate) fn memory(&self) -> Option<&Memory> {
        match &self.input {
            Input::Open(opener) if self.spec.rate == self.rate => opener.memory(),
            _ => None,
        }
    }

    /// Returns the length at the session's rate before it is rounded up to whole frames.
    pub(crate) fn exact_frames(&self) -> Option<ExactFrames> {
        let (own, own_divisor) = self.spec.rate.fraction();
        let (to, to_divisor) = self.rate.fraction();
        let multiplier = u128::from(to) * u128::from(own_divisor);
        let divisor = u128::from(own) * u128::from(to_divisor);
        self.source_frames
            .map(|n| ExactFrames::new(u128::from(n.0) * multiplier, divisor))
    }

    /// Returns the size of the measured file in bytes; `None` for a program's source.
    pub(crate) fn size(&self) -> Option<u64> {
        self.version.as_ref().map(FileVersion::size)
    }

    /// Returns the path of the file; `None` for a program's source.
    pub(crate) fn path(&self) -> Option<PathBuf> {
        self.input.located().map(|(path, ..)| path)
    }
}

fn corrupt(input: &Input, what: String) -> Error {
    Error::new(ErrorKind::Corrupt, what).in_file(input.to_string())
}

/// Returns the highest sample rate among stems, the default rate of a session; of one that is not whole the next
/// common rate above it. Ignores stems that cannot be opened, which compiling the session reports. `None` if none can be
/// opened.
pub fn highest_rate<'a>(inputs: impl IntoIterator<Item = &'a Input>) -> Option<SampleRate> {
    inputs
        .into_iter()
        .filter_map(|input| stated_rate(input).or_else(|| open_rate(input)))
        .map(SampleRate::to_whole)
        .max()
}

/// Returns the rate of a file whose header is to be relied on, which need not be opened for it.
fn stated_rate(input: &Input) -> Option<SampleRate> {
    let (path, ..) = input.located()?;
    let (file, kind) = sniff::sniff(&path).ok()?;
    super::demux::stated_rate(&file, kind)
}

fn open_rate(input: &Input) -> Option<SampleRate> {
    open(input).ok().map(|open| open.source.spec().rate)
}

/// An open input. A file also has properties and a version.
struct OpenInput {
    source: PanicGuard,
    info: Option<Info>,
    version: Option<FileVersion>,
    /// Whether it is a WAVE file that holds no more memory than its header.
    is_plain_wave: bool,
}

fn open(input: &Input) -> Result<OpenInput> {
    match input {
        Input::Open(opener) => {
            let source = PanicGuard::open(input.to_string(), || opener.open())?;
            Ok(OpenInput {
                source,
                info: None,
                version: None,
                is_plain_wave: false,
            })
        }
        file => {
            let mut opened = None;
            let mut is_plain_wave = false;
            let source = PanicGuard::open(input.to_string(), || {
                let (path, sniffed, stream, channel) = match file {
                    Input::Program {
                        file,
                        stream,
                        channel,
                    } => {
                        let path = PathBuf::from(file.name());
                        let sniffed = sniff::sniff_open(file.open()?, &path)?;
                        (path, sniffed, *stream, *channel)
                    }
                    _ => {
                        let (path, stream, channel) = file.located().unwrap_or_default();
                        let sniffed = sniff::sniff(&path)?;
                        (path, sniffed, stream, channel)
                    }
                };
                is_plain_wave = sniffed.1 == FileKind::Wave;
                let (source, info, version) = super::open_channel(&path, sniffed, stream, channel)?;
                opened = Some((info, version));
                Ok(source)
            })?;
            let (info, version) = opened.unzip();
            Ok(OpenInput {
                source,
                info,
                version: version.flatten(),
                is_plain_wave,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::riff;
    use std::{fs, path::Path};

    fn write(path: &Path, byte: u8) {
        let new = riff::New {
            channels: 1,
            rate: 48_000,
            bits: 16,
            float: false,
            mask: 4,
            frames: 100,
            rf64: false,
            chunks: &[],
            slice: None,
        };
        let mut bytes = riff::lay(&new).unwrap().header;
        bytes.resize(bytes.len() + 200, byte);
        fs::write(path, bytes).unwrap();
    }

    #[test]
    fn a_file_that_was_replaced_or_written_to_since_it_was_measured_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (path, other) = (dir.path().join("x.wav"), dir.path().join("y.wav"));
        let probe = || {
            Stem::probe(
                &Input::from(path.as_path()),
                SampleRate::HZ_48000,
                Damage::Silence,
            )
            .unwrap()
        };
        let refused = |stem: &Stem| {
            let e = stem.open().err().unwrap();
            assert_eq!(e.kind(), ErrorKind::Corrupt);
            assert!(
                e.to_string()
                    .ends_with("x.wav: changed since it was first opened"),
                "{e}"
            );
        };
        write(&path, 1);
        // The first who reads takes the source that was measured, all others open the file again.
        for readers in 0..3 {
            let stem = probe();
            for _ in 0..readers {
                assert!(stem.open().is_ok());
            }
            let is_kept = format!("MeasuredSource(kept: {})", readers == 0);
            assert_eq!(format!("{:?}", stem.measured), is_kept);
            write(&other, 2);
            fs::rename(&other, &path).unwrap();
            refused(&stem);
            let stem = probe();
            for _ in 0..readers {
                assert!(stem.open().is_ok());
            }
            // Longer than the resolution of a file system's clock.
            std::thread::sleep(std::time::Duration::from_millis(30));
            write(&path, 3);
            refused(&stem);
        }
    }
}
