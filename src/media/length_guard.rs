//! Makes a source whole: as many frames as promised, all of them numbers that a level can have.
//!
//! What is missing, damaged, not finite or beyond any level is refused with its place, or replaced by silence of the same
//! length and handed on as a flaw, as the session says. Stands before the resampler, so that nothing spreads.

use super::{Damage, Flaw, FlawKind, Source};
use crate::{
    block::Block,
    error::{Error, ErrorKind, Result},
    layout::Spec,
    units::Frames,
};

/// The largest sample that can be meant, +600 dBFS: beyond it lies damage, which would drown all else in rounding.
const LOUDEST: f64 = 1e30;

/// Whether a sample is a finite number of a level that can be meant.
fn fine(x: f64) -> bool {
    x.abs() <= LOUDEST
}

pub(crate) struct LengthGuard {
    inner: Box<dyn Source>,
    /// For messages: the file.
    name: String,
    /// The promised length; without one the source ends where it ends.
    frames: Option<Frames>,
    damage: Damage,
    /// Whether every sample is known to be finite.
    finite: bool,
    position: Frames,
    /// Whether its early end was told.
    ended: bool,
    flaws: Vec<Flaw>,
}

impl LengthGuard {
    pub(crate) fn new(
        inner: Box<dyn Source>,
        name: String,
        frames: Option<Frames>,
        damage: Damage,
        finite: bool,
    ) -> Self {
        Self { inner, name, frames, damage, finite, position: Frames::ZERO, ended: false, flaws: Vec::new() }
    }

    /// Refuses a flaw, or keeps it.
    fn meet(&mut self, flaw: Flaw) -> Result<()> {
        if self.damage == Damage::Silence {
            self.flaws.push(flaw);
            return Ok(());
        }
        let (name, at) = (&self.name, flaw.at.clock(self.inner.spec().rate));
        let what = match flaw.kind {
            FlawKind::Damaged => format!("{name}: damaged at {at} (frame {}): {}", flaw.at, flaw.what),
            FlawKind::EndedEarly => format!("{name}: ends at {at}, {} frames too early: {}", flaw.len, flaw.what),
            FlawKind::NonFinite => format!("{name}: {} at {at} (frame {})", flaw.what, flaw.at),
        };
        Err(Error::new(ErrorKind::Corrupt, what))
    }

    /// Puts 0 for every sample that is not finite or beyond any level; one flaw for each run of frames.
    fn heal(&mut self, out: &mut Block) -> Result<()> {
        let bad = |c: &[f64]| c.iter().fold(false, |any, x| any | !fine(*x));
        if self.finite || !out.channels().any(bad) {
            return Ok(());
        }
        let broken: Vec<usize> =
            (0..out.frames()).filter(|&i| out.channels().any(|c| c.get(i).is_some_and(|x| !fine(*x)))).collect();
        for run in broken.chunk_by(|a, b| a + 1 == *b) {
            let (Some(first), len) = (run.first(), run.len() as u64) else { continue };
            let at = self.position + Frames(*first as u64);
            let worst = out.channels().filter_map(|c| c.get(*first)).find(|x| !fine(**x)).filter(|x| x.is_finite());
            let what = worst.map_or_else(
                || "a sample that is not a finite number".to_owned(),
                |x| format!("a sample of {x:e}, beyond any level"),
            );
            self.meet(Flaw { kind: FlawKind::NonFinite, at, len: Frames(len), what })?;
        }
        out.channels_mut().flatten().filter(|x| !fine(**x)).for_each(|x| *x = 0.0);
        Ok(())
    }
}

impl Source for LengthGuard {
    fn spec(&self) -> Spec {
        self.inner.spec()
    }

    fn length(&self) -> Option<Frames> {
        self.frames
    }

    fn read(&mut self, out: &mut Block) -> Result<usize> {
        let left = self.frames.map_or(Frames::MAX, |f| f - self.position);
        let room = usize::try_from(left.0).unwrap_or(usize::MAX).min(out.capacity());
        if room == 0 {
            out.set_frames(0);
            return Ok(0);
        }
        let shape = (out.layout(), out.capacity());
        let told = self.inner.read(out)?;
        if shape != (out.layout(), out.capacity()) || told > out.frames() {
            let what = format!("{}: its reader gave {} frames and said {told}", self.name, out.frames());
            return Err(Error::new(ErrorKind::Corrupt, what));
        }
        let mut n = told.min(room);
        out.set_frames(n);
        for flaw in self.inner.flaws() {
            self.meet(flaw)?;
        }
        self.heal(out)?;
        if n == 0 && self.frames.is_some() {
            let what = format!("{} were promised", self.position + left);
            if !self.ended {
                self.ended = true;
                self.meet(Flaw { kind: FlawKind::EndedEarly, at: self.position, len: left, what })?;
            }
            n = room;
            out.fill(n, 0.0);
        }
        self.position += Frames(n as u64);
        Ok(n)
    }

    fn seek(&mut self, to: Frames) -> Result<()> {
        self.position = to;
        self.inner.seek(to)
    }

    fn flaws(&mut self) -> Vec<Flaw> {
        std::mem::take(&mut self.flaws)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{layout::Layout, media::Memory, units::SampleRate};

    fn whole(samples: Vec<f64>, frames: u64, damage: Damage) -> LengthGuard {
        let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
        let inner = Memory::new(spec, vec![samples]).unwrap();
        LengthGuard::new(Box::new(inner), "x.wav".into(), Some(Frames(frames)), damage, false)
    }

    #[test]
    fn refuses_with_the_place_or_puts_silence_and_says_so() {
        let samples = vec![0.5, f64::NAN, f64::INFINITY, 0.25, f64::NAN];
        let mut out = Block::new(Layout::Mono, 8);
        let error = whole(samples.clone(), 8, Damage::Refuse).read(&mut out).unwrap_err();
        assert_eq!(error.to_string(), "x.wav: a sample that is not a finite number at 00:00:00.000 (frame 1)");

        let mut lenient = whole(samples, 8, Damage::Silence);
        assert_eq!(lenient.read(&mut out).unwrap(), 5);
        assert_eq!(out.channel(0), [0.5, 0.0, 0.0, 0.25, 0.0]);
        assert_eq!(lenient.read(&mut out).unwrap(), 3);
        assert_eq!(out.channel(0), [0.0; 3]);
        assert_eq!(lenient.read(&mut out).unwrap(), 0);
        let flaws: Vec<_> = lenient.flaws().into_iter().map(|f| (f.kind, f.at.0, f.len.0)).collect();
        assert_eq!(flaws, [(FlawKind::NonFinite, 1, 2), (FlawKind::NonFinite, 4, 1), (FlawKind::EndedEarly, 5, 3)]);
    }

    #[test]
    fn never_gives_more_than_promised() {
        let mut out = Block::new(Layout::Mono, 8);
        assert_eq!(whole(vec![1.0; 6], 4, Damage::Refuse).read(&mut out).unwrap(), 4);
        let error = whole(vec![], 4, Damage::Refuse).read(&mut out).unwrap_err();
        assert_eq!(error.to_string(), "x.wav: ends at 00:00:00.000, 4 frames too early: 4 were promised");
    }
}
