//! A value over time: automation of gain and pan, and the shapes of fades.
//!
//! Every curve is a pure function of the absolute frame: it has no state and nothing advances by call count, so block
//! size, threads and ranges cannot change a bit. Values are worked out for every frame: no steps, no zipper noise.
//!
//! Between two points the value goes from a to b as `a + (b - a) s(x)`, x from 0 at the first to 1 at the second. Gain
//! points are in decibels and the line is drawn in decibels, except where an end is minus infinity: then in amplitude.

mod knots;
mod names;
mod retime;

use crate::units::{Decibels, Frames, Pan};
use std::{
    f64::consts::{FRAC_PI_2, PI},
    fmt,
    str::FromStr,
    sync::Arc,
};

/// How a curve arrives at a point from the one before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Shape {
    /// s = x
    #[default]
    Linear,
    /// s = (1 − cos πx) / 2
    Sine,
    /// s = (1000^x − 1) / 999: slow at first, 60 dB of exponential
    Exp,
    /// s = 0 until the point itself: holds, then jumps
    Step,
}

impl Shape {
    fn at(self, x: f64) -> f64 {
        match self {
            Self::Linear => x,
            Self::Sine => (1.0 - libm::cos(PI * x)) / 2.0,
            Self::Exp => (libm::pow(1000.0, x) - 1.0) / 999.0,
            Self::Step => 0.0,
        }
    }
}

/// A name that is no shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownShape {
    name: String,
    known: &'static str,
}

impl fmt::Display for UnknownShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no such shape: {:?}; there are {}",
            self.name, self.known
        )
    }
}

impl std::error::Error for UnknownShape {}

impl FromStr for Shape {
    type Err = UnknownShape;

    fn from_str(name: &str) -> Result<Self, UnknownShape> {
        match name {
            "linear" => Ok(Self::Linear),
            "sine" => Ok(Self::Sine),
            "exp" => Ok(Self::Exp),
            "step" => Ok(Self::Step),
            _ => Err(UnknownShape {
                name: name.to_owned(),
                known: "linear, sine, exp and step",
            }),
        }
    }
}

/// One point of a [`Curve`]: `value` is reached at frame `at`, arriving by `shape`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point<T> {
    /// The frame, from the start of the timeline.
    pub at: Frames,
    /// The value there.
    pub value: T,
    /// How the value arrives from the point before; without meaning on the first point.
    pub shape: Shape,
}

/// A value over time, given by points. Before the first point it has the first value, after the last the last.
///
/// ```
/// use soundtrack::{Curve, Decibels, Frames, Shape};
/// let fade = Curve::new()
///     .point(Frames(0), Decibels::SILENCE, Shape::Linear)
///     .point(Frames(100), Decibels::UNITY, Shape::Linear)
///     .point(Frames(300), Decibels(-20.0), Shape::Linear);
/// assert_eq!(fade.gain_at(Frames(50)), 0.5); // touches silence: straight in amplitude
/// assert!((fade.gain_at(Frames(200)) - 10f64.powf(-0.5)).abs() < 1e-15); // straight in decibels
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Curve<T> {
    /// The points, in order of time; two points may share a frame, then the later one holds.
    pub points: Vec<Point<T>>,
}

impl<T> Default for Curve<T> {
    fn default() -> Self {
        Self { points: Vec::new() }
    }
}

impl<T> Curve<T> {
    /// A curve without points. It changes nothing: 0 dB, or the strip's own pan.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same curve with one more point.
    #[must_use]
    pub fn point(mut self, at: Frames, value: T, shape: Shape) -> Self {
        self.points.push(Point { at, value, shape });
        self
    }

    /// Whether the points stand in order of time.
    pub(crate) fn in_order(&self) -> bool {
        self.points.is_sorted_by_key(|p| p.at)
    }
}

impl Curve<Decibels> {
    /// The linear gain at a frame. A curve whose points are not in order, which no session may have, changes nothing.
    #[must_use]
    pub fn gain_at(&self, frame: Frames) -> f64 {
        if !self.in_order() {
            return 1.0;
        }
        let mut gain = [1.0];
        Automation::gain(self, Decibels::UNITY).fill(frame.0, &mut gain);
        gain[0]
    }
}

/// A curve made ready to be evaluated many times.
#[derive(Clone, Debug)]
pub(crate) struct Automation {
    /// In order of time, without gaps, from frame 0 to the end of time.
    segments: Vec<Segment>,
}

#[derive(Clone, Debug)]
struct Segment {
    end: u64,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Constant(f64),
    /// A straight line in decibels: a geometric series. The value at every [`GRID`]th frame is computed, and the frames
    /// between by the tabulated powers of the ratio.
    Geometric {
        start: u64,
        decibels: f64,
        slope: f64,
        powers: Box<[f64; GRID]>,
    },
    Shaped {
        start: u64,
        from: f64,
        to: f64,
        shape: Shape,
        decibels: bool,
    },
    /// Another curve, whose frame `from` comes at `start`.
    Retimed {
        start: u64,
        from: u64,
        curve: Arc<Automation>,
    },
}

/// Anchors of geometric segments lie on multiples of this, counted from frame 0 of the timeline.
const GRID: usize = 64;

impl Automation {
    /// The linear gain of a strip's fader together with its curve.
    pub(crate) fn gain(curve: &Curve<Decibels>, fader: Decibels) -> Self {
        let decibels = |d: Decibels| fader.0 + d.0;
        Self::compile(
            &curve.points,
            Decibels(fader.0).gain().0,
            |a, b, start, end, shape| {
                let (a, b) = (decibels(a), decibels(b));
                let silent = a == f64::NEG_INFINITY || b == f64::NEG_INFINITY;
                if a == b || shape == Shape::Step {
                    Kind::Constant(Decibels(a).gain().0)
                } else if silent {
                    let (from, to) = (Decibels(a).gain().0, Decibels(b).gain().0);
                    Kind::Shaped {
                        start,
                        from,
                        to,
                        shape,
                        decibels: false,
                    }
                } else if shape == Shape::Linear {
                    let slope = (b - a) / exact(end - start);
                    let power = |i: usize| libm::pow(10.0, slope * exact(i as u64) / 20.0);
                    Kind::Geometric {
                        start,
                        decibels: a,
                        slope,
                        powers: Box::new(std::array::from_fn(power)),
                    }
                } else {
                    Kind::Shaped {
                        start,
                        from: a,
                        to: b,
                        shape,
                        decibels: true,
                    }
                }
            },
        )
    }

    /// The position of a strip's pan control.
    pub(crate) fn pan(curve: &Curve<Pan>, control: Pan) -> Self {
        Self::compile(&curve.points, control.0, |a, b, start, _, shape| {
            if a == b || shape == Shape::Step {
                Kind::Constant(a.0)
            } else {
                Kind::Shaped {
                    start,
                    from: a.0,
                    to: b.0,
                    shape,
                    decibels: false,
                }
            }
        })
    }

    fn compile<T: Copy + PartialEq>(
        points: &[Point<T>],
        without: f64,
        segment: impl Fn(T, T, u64, u64, Shape) -> Kind,
    ) -> Self {
        let (Some(first), Some(last)) = (points.first(), points.last()) else {
            return Self {
                segments: vec![Segment {
                    end: u64::MAX,
                    kind: Kind::Constant(without),
                }],
            };
        };
        let mut segments = vec![Segment {
            end: first.at.0,
            kind: segment(first.value, first.value, 0, 0, Shape::Step),
        }];
        for (a, b) in points.iter().zip(points.iter().skip(1)) {
            let kind = segment(a.value, b.value, a.at.0, b.at.0, b.shape);
            segments.push(Segment { end: b.at.0, kind });
        }
        segments.push(Segment {
            end: u64::MAX,
            kind: segment(last.value, last.value, 0, 0, Shape::Step),
        });
        Self { segments }
    }

    /// The value, if it is one and the same at all times.
    pub(crate) fn constant(&self) -> Option<f64> {
        match self.segments.as_slice() {
            [
                Segment {
                    kind: Kind::Constant(value),
                    ..
                },
            ] => Some(*value),
            _ => None,
        }
    }

    /// How many points the curve has; 0 for a constant.
    pub(crate) fn points(&self) -> usize {
        let retimed = |s: &Segment| {
            if let Kind::Retimed { curve, .. } = &s.kind {
                Some(curve.points())
            } else {
                None
            }
        };
        self.segments
            .iter()
            .find_map(retimed)
            .unwrap_or(self.segments.len() - 1)
    }

    /// Writes the values of the frames from `start` on.
    pub(crate) fn fill(&self, start: u64, out: &mut [f64]) {
        let mut at = start;
        let mut rest = out;
        for segment in self
            .segments
            .iter()
            .skip(self.segments.partition_point(|s| s.end <= start))
        {
            if rest.is_empty() {
                return;
            }
            let n = usize::try_from(segment.end - at)
                .unwrap_or(usize::MAX)
                .min(rest.len());
            let (now, later) = rest.split_at_mut(n);
            segment.kind.fill(at, segment.end, now);
            at += n as u64;
            rest = later;
        }
    }
}

impl Kind {
    fn fill(&self, mut at: u64, end: u64, out: &mut [f64]) {
        match self {
            Self::Constant(value) => out.fill(*value),
            Self::Geometric {
                start,
                decibels,
                slope,
                powers,
            } => {
                let mut rest = out;
                while !rest.is_empty() {
                    let (anchor, skip) = (
                        at - at % GRID as u64,
                        usize::try_from(at % GRID as u64).unwrap_or(0),
                    );
                    // The anchor of the first frames may lie before the segment's start.
                    let distance = if anchor >= *start {
                        exact(anchor - start)
                    } else {
                        -exact(start - anchor)
                    };
                    let base = libm::pow(10.0, (decibels + slope * distance) / 20.0);
                    let n = (powers.len() - skip).min(rest.len());
                    let (now, later) = rest.split_at_mut(n);
                    now.iter_mut()
                        .zip(powers.iter().skip(skip))
                        .for_each(|(o, p)| *o = base * p);
                    at += n as u64;
                    rest = later;
                }
            }
            Self::Shaped {
                start,
                from,
                to,
                shape,
                decibels,
            } => {
                let length = exact(end - start);
                for o in out {
                    let value = from + (to - from) * shape.at(exact(at - start) / length);
                    *o = if *decibels {
                        libm::pow(10.0, value / 20.0)
                    } else {
                        value
                    };
                    at += 1;
                }
            }
            Self::Retimed { start, from, curve } => curve.fill(from + (at - start), out),
        }
    }
}

/// A distance in frames as a factor: exact up to 2^53 frames, six thousand years at 48 kHz.
#[expect(
    clippy::cast_precision_loss,
    reason = "timelines end long before 2^53 frames"
)]
fn exact(frames: u64) -> f64 {
    frames as f64
}

/// The shape of a fade's gain, x from 0 at its silent end to 1 at its full end.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum FadeShape {
    /// x: equal gain, for crossfades of the same material
    #[default]
    Linear,
    /// sin(πx/2): equal power, for crossfades of different material
    EqualPower,
    /// √(x sin(πx/2)): −4.5 dB in the middle
    Between,
    /// (1 − cos πx) / 2
    RaisedCosine,
    /// √x
    SquareRoot,
    /// 10^(R (x − 1) / 20), exactly 0 at x = 0: straight in decibels over a range of R dB
    DecibelLinear(f64),
}

impl FadeShape {
    /// The gain at x, 0 to 1.
    #[must_use]
    pub fn gain(self, x: f64) -> f64 {
        match self {
            Self::Linear => x,
            Self::EqualPower => libm::sin(x * FRAC_PI_2),
            Self::Between => libm::sqrt(x * libm::sin(x * FRAC_PI_2)),
            Self::RaisedCosine => (1.0 - libm::cos(PI * x)) / 2.0,
            Self::SquareRoot => libm::sqrt(x),
            Self::DecibelLinear(_) if x == 0.0 => 0.0,
            Self::DecibelLinear(range) => libm::pow(10.0, range * (x - 1.0) / 20.0),
        }
    }
}

impl FromStr for FadeShape {
    type Err = UnknownShape;

    /// `decibel-linear` has a range of 60 dB, `decibel-linear(40)` one of 40.
    fn from_str(name: &str) -> Result<Self, UnknownShape> {
        const KNOWN: &str =
            "linear, equal-power, between, raised-cosine, square-root and decibel-linear";
        match name {
            "linear" => Ok(Self::Linear),
            "equal-power" => Ok(Self::EqualPower),
            "between" => Ok(Self::Between),
            "raised-cosine" => Ok(Self::RaisedCosine),
            "square-root" => Ok(Self::SquareRoot),
            "decibel-linear" => Ok(Self::DecibelLinear(60.0)),
            _ => {
                let range = name
                    .strip_prefix("decibel-linear(")
                    .and_then(|r| r.strip_suffix(')')?.parse::<f64>().ok());
                let range = range
                    .filter(|r| r.is_finite() && *r > 0.0)
                    .map(Self::DecibelLinear);
                range.ok_or_else(|| UnknownShape {
                    name: name.to_owned(),
                    known: KNOWN,
                })
            }
        }
    }
}

/// A fade at the start or the end of a clip. Frame k of an N-frame fade-in has x = k / N; a fade-out is the same run
/// backwards, so a fade-out and a fade-in of one length over the same frames complement each other.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Fade {
    /// How many frames; 0 is no fade.
    pub length: Frames,
    /// The shape of the gain.
    pub shape: FadeShape,
}

impl Fade {
    /// A linear fade.
    #[must_use]
    pub fn linear(length: Frames) -> Self {
        Self {
            length,
            shape: FadeShape::Linear,
        }
    }

    /// Returns the fade, at most as long as what it fades.
    pub(crate) fn within(self, total: u64) -> Self {
        Self {
            length: self.length.min(Frames(total)),
            ..self
        }
    }

    /// The gain `k` frames away from the silent end.
    pub(crate) fn gain(self, k: u64) -> f64 {
        if k >= self.length.0 {
            1.0
        } else {
            self.shape.gain(exact(k) / exact(self.length.0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve() -> Curve<Decibels> {
        Curve::new()
            .point(Frames(100), Decibels::SILENCE, Shape::Linear)
            .point(Frames(700), Decibels(0.0), Shape::Sine)
            .point(Frames(1500), Decibels(-30.0), Shape::Linear)
            .point(Frames(1500), Decibels(-3.0), Shape::Linear)
            .point(Frames(2000), Decibels(3.0), Shape::Exp)
            .point(Frames(2500), Decibels(-6.0), Shape::Step)
    }

    #[test]
    fn values_are_the_closed_forms() {
        let mut got = vec![0.0; 3000];
        Automation::gain(&curve(), Decibels(-1.0)).fill(0, &mut got);
        for (n, g) in got.iter().enumerate() {
            let t = n as f64;
            let db = |d: f64| 10f64.powf((d - 1.0) / 20.0);
            let want = match n {
                0..100 => 0.0,
                100..700 => db(0.0) * (1.0 - (PI * (t - 100.0) / 600.0).cos()) / 2.0,
                700..1500 => db(-30.0 * (t - 700.0) / 800.0),
                1500..2000 => db(-3.0 + 6.0 * (1000f64.powf((t - 1500.0) / 500.0) - 1.0) / 999.0),
                2000..2500 => db(3.0),
                _ => db(-6.0),
            };
            assert!((g - want).abs() < 1e-14, "frame {n}: {g} for {want}");
        }
    }

    #[test]
    fn any_cut_gives_the_same_bits() {
        let a = Automation::gain(&curve(), Decibels(-1.0));
        let mut whole = vec![0.0; 3000];
        a.fill(0, &mut whole);
        for step in [1, 7, 63, 64, 65, 441, 2999] {
            for (i, part) in whole.chunks(step).enumerate() {
                let mut got = vec![0.0; part.len()];
                a.fill((i * step) as u64, &mut got);
                assert!(
                    got.iter()
                        .zip(part)
                        .all(|(x, y)| x.to_bits() == y.to_bits()),
                    "step {step}, part {i}"
                );
            }
        }
    }

    #[test]
    fn fades_complement_each_other() {
        let n = 1000;
        for k in 0..=n {
            let fade = |shape: FadeShape, k| {
                Fade {
                    length: Frames(n),
                    shape,
                }
                .gain(k)
            };
            let sum = |shape| fade(shape, k) + fade(shape, n - k);
            let power = |shape| fade(shape, k).powi(2) + fade(shape, n - k).powi(2);
            assert!((sum(FadeShape::Linear) - 1.0).abs() < 1e-15);
            assert!((sum(FadeShape::RaisedCosine) - 1.0).abs() < 1e-15);
            assert!((power(FadeShape::EqualPower) - 1.0).abs() < 1e-15);
            assert!((power(FadeShape::SquareRoot) - 1.0).abs() < 1e-15);
        }
        assert_eq!(FadeShape::DecibelLinear(60.0).gain(0.0), 0.0);
        assert!((FadeShape::DecibelLinear(60.0).gain(0.5) - 10f64.powf(-1.5)).abs() < 1e-15);
        assert!((20.0 * FadeShape::Between.gain(0.5).log10() + 4.515).abs() < 1e-3);
    }
}
