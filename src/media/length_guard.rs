//! Makes a source deliver exactly the promised number of frames, all of them finite.
//!
//! Frames that are missing, damaged, not finite or implausibly loud are either refused with their position or replaced
//! by silence and reported as a [`Flaw`], as [`Damage`] says. Runs before the resampler, which would spread a bad
//! sample over two blocks.

use super::{Damage, Flaw, FlawKind, Source};
use crate::{
    block::Block,
    error::{Error, ErrorKind, Result},
    layout::Spec,
    units::Frames,
};

/// Largest plausible sample, +600 dBFS. A larger one is damage, and would round every other track away.
const MAX_PLAUSIBLE_SAMPLE: f64 = 1e30;

/// The largest `f32` that is not above it.
const MAX_PLAUSIBLE_F32: f32 = {
    #[expect(clippy::cast_possible_truncation, reason = "the nearest `f32`")]
    let nearest = MAX_PLAUSIBLE_SAMPLE as f32;
    if nearest as f64 > MAX_PLAUSIBLE_SAMPLE {
        nearest.next_down()
    } else {
        nearest
    }
};

/// Returns whether a sample is finite and not implausibly loud.
fn is_plausible(x: f64) -> bool {
    x.abs() <= MAX_PLAUSIBLE_SAMPLE
}

pub(crate) struct LengthGuard {
    inner: Box<dyn Source>,
    /// File name for messages.
    name: String,
    /// Promised length; `None` ends where the source does.
    frames: Option<Frames>,
    damage: Damage,
    /// Whether the samples are integers and need no check.
    always_finite: bool,
    position: Frames,
    /// Whether the early end has been reported.
    early_end_reported: bool,
    flaws: Vec<Flaw>,
}

impl LengthGuard {
    pub(crate) fn new(
        inner: Box<dyn Source>,
        name: String,
        frames: Option<Frames>,
        damage: Damage,
        always_finite: bool,
    ) -> Self {
        let position = Frames::ZERO;
        Self {
            inner,
            name,
            frames,
            damage,
            always_finite,
            position,
            early_end_reported: false,
            flaws: Vec::new(),
        }
    }

    /// Fails for a flaw, or records it, as `damage` says.
    fn report(&mut self, flaw: Flaw) -> Result<()> {
        if self.damage == Damage::Silence || flaw.kind == FlawKind::CutBefore {
            self.flaws.push(flaw);
            return Ok(());
        }
        let (name, at) = (&self.name, flaw.at.clock(self.inner.spec().rate));
        let what = match flaw.kind {
            FlawKind::Damaged | FlawKind::CutBefore => {
                format!("{name}: damaged at {at} (frame {}): {}", flaw.at, flaw.what)
            }
            FlawKind::EndedEarly => format!(
                "{name}: ends at {at}, {} frames too early: {}",
                flaw.len, flaw.what
            ),
            FlawKind::NonFinite => format!("{name}: {} at {at} (frame {})", flaw.what, flaw.at),
        };
        Err(Error::new(ErrorKind::Corrupt, what)
            .in_file(name)
            .at_frame(flaw.at))
    }

    /// Replaces implausible samples by 0 and reports one flaw per run of frames.
    fn silence_implausible(&mut self, out: &mut Block) -> Result<()> {
        if self.always_finite || !out.channels().any(has_implausible) {
            return Ok(());
        }
        let is_bad_frame = |i: usize| {
            out.channels()
                .any(|c| c.get(i).is_some_and(|x| !is_plausible(*x)))
        };
        let bad_frames: Vec<usize> = (0..out.frames()).filter(|&i| is_bad_frame(i)).collect();
        for run in bad_frames.chunk_by(|a, b| a + 1 == *b) {
            let (Some(first), len) = (run.first(), run.len() as u64) else {
                continue;
            };
            let at = self.position + Frames(*first as u64);
            let what = describe_implausible(out, *first);
            self.report(Flaw {
                kind: FlawKind::NonFinite,
                at,
                len: Frames(len),
                what,
            })?;
        }
        for x in out.channels_mut().flatten().filter(|x| !is_plausible(**x)) {
            *x = 0.0;
        }
        Ok(())
    }
}

/// Returns whether any sample is not finite or implausibly loud.
pub(super) fn has_implausible(samples: &[f64]) -> bool {
    // Without an early exit, so that the loop is vectorised.
    samples.iter().fold(false, |any, x| any | !is_plausible(*x))
}

/// Returns the same for samples in single precision.
pub(super) fn has_implausible_f32(samples: &[f32]) -> bool {
    let fits = |x: &f32| x.abs() <= MAX_PLAUSIBLE_F32;
    samples.iter().fold(false, |any, x| any | !fits(x))
}

fn describe_implausible(block: &Block, frame: usize) -> String {
    let sample = block
        .channels()
        .filter_map(|c| c.get(frame))
        .find(|x| !is_plausible(**x));
    match sample {
        Some(x) if x.is_finite() => format!("a sample of {x:e}, beyond any level"),
        _ => "a sample that is not a finite number".to_owned(),
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
        let wanted = usize::try_from(left.0)
            .unwrap_or(usize::MAX)
            .min(out.capacity());
        if wanted == 0 {
            out.set_frames(0);
            return Ok(0);
        }
        let shape = (out.layout(), out.capacity());
        let reported = self.inner.read(out)?;
        if shape != (out.layout(), out.capacity()) || reported > out.frames() {
            let what = format!(
                "{}: its reader gave {} frames and said {reported}",
                self.name,
                out.frames()
            );
            return Err(Error::new(ErrorKind::Corrupt, what));
        }
        let mut n = reported.min(wanted);
        out.set_frames(n);
        for flaw in self.inner.flaws() {
            self.report(flaw)?;
        }
        self.silence_implausible(out)?;
        if n == 0 && self.frames.is_some() {
            let what = format!("{} were promised", self.position + left);
            if !self.early_end_reported {
                self.early_end_reported = true;
                self.report(Flaw {
                    kind: FlawKind::EndedEarly,
                    at: self.position,
                    len: left,
                    what,
                })?;
            }
            n = wanted;
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

    fn guarded(samples: Vec<f64>, frames: u64, damage: Damage) -> LengthGuard {
        let spec = Spec {
            rate: SampleRate::HZ_48000,
            layout: Layout::Mono,
        };
        let inner = Memory::new(spec, vec![samples]).unwrap();
        LengthGuard::new(
            Box::new(inner),
            "x.wav".into(),
            Some(Frames(frames)),
            damage,
            false,
        )
    }

    #[test]
    fn refuses_flaws_or_silences_and_reports_them() {
        let samples = vec![0.5, f64::NAN, f64::INFINITY, 0.25, f64::NAN];
        let mut out = Block::new(Layout::Mono, 8);
        let error = guarded(samples.clone(), 8, Damage::Refuse)
            .read(&mut out)
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "x.wav: a sample that is not a finite number at 00:00:00.000 (frame 1)"
        );

        let loud = guarded(vec![0.25, 1e31], 2, Damage::Refuse).read(&mut out);
        assert_eq!(
            loud.unwrap_err().to_string(),
            "x.wav: a sample of 1e31, beyond any level at 00:00:00.000 (frame 1)"
        );

        let mut lenient = guarded(samples, 8, Damage::Silence);
        assert_eq!(lenient.read(&mut out).unwrap(), 5);
        assert_eq!(out.channel(0), [0.5, 0.0, 0.0, 0.25, 0.0]);
        assert_eq!(lenient.read(&mut out).unwrap(), 3);
        assert_eq!(out.channel(0), [0.0; 3]);
        assert_eq!(lenient.read(&mut out).unwrap(), 0);
        let flaws: Vec<_> = lenient
            .flaws()
            .into_iter()
            .map(|f| (f.kind, f.at.0, f.len.0))
            .collect();
        assert_eq!(
            flaws,
            [
                (FlawKind::NonFinite, 1, 2),
                (FlawKind::NonFinite, 4, 1),
                (FlawKind::EndedEarly, 5, 3)
            ]
        );
    }

    #[test]
    fn delivers_no_more_than_promised() {
        let mut out = Block::new(Layout::Mono, 8);
        assert_eq!(
            guarded(vec![1.0; 6], 4, Damage::Refuse)
                .read(&mut out)
                .unwrap(),
            4
        );
        let error = guarded(vec![], 4, Damage::Refuse)
            .read(&mut out)
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "x.wav: ends at 00:00:00.000, 4 frames too early: 4 were promised"
        );
    }

    #[test]
    fn samples_beyond_any_level_are_implausible_in_both_precisions() {
        let limit = MAX_PLAUSIBLE_F32;
        for (sample, is_implausible) in [
            (0.0, false),
            (-1.0, false),
            (limit, false),
            (-limit, false),
            (limit * 1.001, true),
            (-limit * 1.001, true),
            (f32::NAN, true),
            (f32::INFINITY, true),
        ] {
            assert_eq!(
                has_implausible_f32(&[0.5, sample, 0.5]),
                is_implausible,
                "{sample}"
            );
            let double = [0.5, f64::from(sample), 0.5];
            assert_eq!(has_implausible(&double), is_implausible, "{sample}");
        }
    }

    #[test]
    fn a_message_names_the_channel_that_is_wrong() {
        let mut block = Block::new(Layout::Stereo, 1);
        block.fill(1, 0.25);
        block.channel_mut(1)[0] = -1e31;
        assert_eq!(
            describe_implausible(&block, 0),
            "a sample of -1e31, beyond any level"
        );
    }
}
