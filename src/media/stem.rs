//! A stem as the plan knows it: what it is, and how to open it at the session's rate.

use super::{Damage, Info, Input, Resampled, Source, length_guard::LengthGuard, panic_guard::PanicGuard};
use crate::{
    error::{Error, ErrorKind, Result},
    layout::Spec,
    storage::file_version::FileVersion,
    units::{Frames, SampleRate},
};
use std::path::PathBuf;

#[derive(Debug)]
pub(crate) struct Stem {
    /// The file, or the name of the program's source.
    pub name: String,
    pub input: Input,
    /// What the file says of itself; `None` for a program's source.
    pub info: Option<Info>,
    /// Rate and layout it is stored in.
    pub spec: Spec,
    /// Length at the session's rate; `None` where the source does not know.
    pub frames: Option<Frames>,
    /// The session's rate.
    pub rate: SampleRate,
    own_frames: Option<Frames>,
    damage: Damage,
    /// The file as it was when it was looked at.
    stamp: Option<FileVersion>,
}

impl Stem {
    /// Opens the input, looks at it, and closes it.
    pub(crate) fn probe(input: &Input, rate: SampleRate, damage: Damage) -> Result<Self> {
        let (source, info, stamp) = open(input)?;
        let spec = source.spec();
        let own_frames = info.as_ref().map_or_else(|| source.length(), |i| Some(i.frames));
        source.close()?;
        if let (Damage::Refuse, Some(info)) = (damage, &info)
            && info.missing > Frames::ZERO
        {
            let (there, promised) = (info.frames - info.missing, info.frames);
            let at = there.clock(spec.rate);
            let what = format!("{input}: cut off at {at}: {there} of {promised} frames are there");
            return Err(Error::new(ErrorKind::Corrupt, what));
        }
        if spec.rate != rate {
            Resampled::check(spec, rate).map_err(|e| Error::new(e.kind(), format!("{input}: {e}")))?;
        }
        let frames = own_frames.map(|n| n.resampled(spec.rate, rate));
        Ok(Self { name: input.to_string(), input: input.clone(), info, spec, frames, rate, own_frames, damage, stamp })
    }

    /// The stem from its first frame on, at the session's rate.
    ///
    /// # Errors
    /// `Corrupt` where the file is not the one that was looked at, or was written to since.
    pub(crate) fn open(&self) -> Result<Box<dyn Source>> {
        let (source, info, stamp) = open(&self.input)?;
        let other = info.map(|i| i.frames) != self.info.as_ref().map(|i| i.frames);
        if other || source.spec() != self.spec || stamp != self.stamp {
            let what = format!("{}: changed since it was first opened", self.name);
            return Err(Error::new(ErrorKind::Corrupt, what));
        }
        // Integers are always finite; everything else is looked at.
        let finite = self.info.as_ref().and_then(|i| i.bits).is_some_and(|b| !b.float);
        let whole =
            Box::new(LengthGuard::new(Box::new(source), self.name.clone(), self.own_frames, self.damage, finite));
        if self.spec.rate == self.rate { Ok(whole) } else { Ok(Box::new(Resampled::new(whole, self.rate)?)) }
    }

    /// The size of its file in bytes, as it was when it was looked at.
    pub(crate) fn size(&self) -> Option<u64> {
        self.stamp.as_ref().map(FileVersion::size)
    }

    /// The file it is read from, if it is one.
    pub(crate) fn path(&self) -> Option<PathBuf> {
        self.input.located().map(|(path, _)| path)
    }
}

/// The highest rate among stems: what a session runs at unless told. Stems that cannot be opened do not count: compiling
/// the session tells what is wrong with them. `None` where none can be opened.
pub fn highest_rate<'a>(inputs: impl IntoIterator<Item = &'a Input>) -> Option<SampleRate> {
    inputs.into_iter().filter_map(|i| open(i).ok()).map(|(source, ..)| source.spec().rate).max()
}

/// A source; of a file also what it says of itself, and the file as it was before it was read.
type Looked = (PanicGuard, Option<Info>, Option<FileVersion>);

fn open(input: &Input) -> Result<Looked> {
    match input {
        Input::Open(opener) => Ok((PanicGuard::open(input.to_string(), || opener.open())?, None, None)),
        file => {
            let (path, stream) = file.located().unwrap_or_default();
            let mut told = None;
            let source = PanicGuard::open(input.to_string(), || {
                let (source, info, stamp) = super::open_versioned(&path, stream)?;
                told = Some((info, stamp));
                Ok(source)
            })?;
            let (info, stamp) = told.unzip();
            Ok((source, info, stamp.flatten()))
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
            bext: None,
            slice: None,
        };
        let mut bytes = riff::lay(&new).unwrap().header;
        bytes.resize(bytes.len() + 200, byte);
        fs::write(path, bytes).unwrap();
    }

    #[test]
    fn a_file_that_was_replaced_or_written_to_since_the_first_look_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (path, other) = (dir.path().join("x.wav"), dir.path().join("y.wav"));
        let probe = || Stem::probe(&Input::from(path.as_path()), SampleRate::HZ_48000, Damage::Silence).unwrap();
        let refused = |stem: &Stem| {
            let e = stem.open().err().unwrap();
            assert_eq!(e.kind(), ErrorKind::Corrupt);
            assert!(e.to_string().ends_with("x.wav: changed since it was first opened"), "{e}");
        };
        write(&path, 1);
        let stem = probe();
        assert!(stem.open().is_ok());
        write(&other, 2);
        fs::rename(&other, &path).unwrap();
        refused(&stem);
        let stem = probe();
        // Further than the step of a file system's clock.
        std::thread::sleep(std::time::Duration::from_millis(30));
        write(&path, 3);
        refused(&stem);
    }
}
