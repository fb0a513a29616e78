//! A stem as the plan knows it: what it is, and how to open it at the session's rate.

use super::{Info, Resampled, Source, Spec, contain::contained, whole::Whole};
use crate::{
    error::{Error, ErrorKind, Result},
    session::{Damage, Input},
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
}

impl Stem {
    /// Opens the input, looks at it, and closes it.
    pub(crate) fn probe(input: &Input, rate: SampleRate, damage: Damage) -> Result<Self> {
        let (source, info) = open(input)?;
        let spec = source.spec();
        let own_frames = info.as_ref().map_or_else(|| source.length(), |i| Some(i.frames));
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
        Ok(Self { name: input.to_string(), input: input.clone(), info, spec, frames, rate, own_frames, damage })
    }

    /// The stem from its first frame on, at the session's rate.
    pub(crate) fn open(&self) -> Result<Box<dyn Source>> {
        let (source, info) = open(&self.input)?;
        if source.spec() != self.spec || info.map(|i| i.frames) != self.info.as_ref().map(|i| i.frames) {
            let what = format!("{}: changed since it was first opened", self.name);
            return Err(Error::new(ErrorKind::Corrupt, what));
        }
        // Integers are always finite; everything else is looked at.
        let finite = self.info.as_ref().and_then(|i| i.bits).is_some_and(|b| !b.float);
        let whole = Box::new(Whole::new(source, self.name.clone(), self.own_frames, self.damage, finite));
        if self.spec.rate == self.rate { Ok(whole) } else { Ok(Box::new(Resampled::new(whole, self.rate)?)) }
    }

    /// The file it is read from, if it is one.
    pub(crate) fn path(&self) -> Option<PathBuf> {
        self.input.located().map(|(path, _)| path)
    }
}

/// The highest rate among stems: what a session runs at unless told. Stems that cannot be opened do not count: compiling
/// the session tells what is wrong with them. `None` where none can be opened.
pub fn highest_rate<'a>(inputs: impl IntoIterator<Item = &'a Input>) -> Option<SampleRate> {
    inputs.into_iter().filter_map(|i| open(i).ok()).map(|(source, _)| source.spec().rate).max()
}

fn open(input: &Input) -> Result<(Box<dyn Source>, Option<Info>)> {
    match input {
        Input::Open(opener) => contained(&input.to_string(), || {
            let source = opener.open()?;
            // Asked here, where a panic in them is met as an error, as everywhere later.
            let _ = (source.spec(), source.length());
            Ok((source, None))
        }),
        file => {
            let (path, stream) = file.located().unwrap_or_default();
            let (source, info) = super::open(&path, stream)?;
            Ok((source, Some(info)))
        }
    }
}
