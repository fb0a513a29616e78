//! Curves over time: automation of gain and pan, and the shapes of fades.
//!
//! Every curve is a pure function of the absolute frame, without state, so results do not depend on
//! block size, threads or ranges. Values are computed for every frame, without steps or zipper
//! noise.
//!
//! Between two points with values a and b, the value is `a + (b - a) s(x)`, with x from 0 at the
//! first to 1 at the second. Gain curves interpolate decibels, unless one end is minus infinity:
//! then they interpolate amplitudes.

mod names;
mod polyline;
mod retime;

use crate::units::{Decibels, Frames, Pan, saturating_usize};
use std::{
    f64::consts::{FRAC_PI_2, PI},
    fmt,
    ops::Range,
    str::FromStr,
    sync::Arc,
};

/// Shape of a curve between a point and the one before it.
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
    /// s = 0 until the point is reached: holds the old value, then jumps
    Step,
}

impl Shape {
    fn value_at(self, x: f64) -> f64 {
        match self {
            Self::Linear => x,
            Self::Sine => (1.0 - libm::cos(PI * x)) / 2.0,
            Self::Exp => (libm::pow(1000.0, x) - 1.0) / 999.0,
            Self::Step => 0.0,
        }
    }
}

/// Error: the name is not that of a shape.
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

/// Point of a [`Curve`]: the curve reaches `value` at frame `at` with a shape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point<T> {
    /// Frame on the timeline.
    pub at: Frames,
    /// Value at that frame.
    pub value: T,
    /// Shape from the previous point to this one; ignored for the first point.
    pub shape: Shape,
}

/// Curve through points. Before the first point it has the value of the first, after the last that
/// of the last.
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
    /// Points in order of time. Of two points at the same frame the later one counts.
    pub points: Vec<Point<T>>,
}

impl<T> Default for Curve<T> {
    fn default() -> Self {
        Self { points: Vec::new() }
    }
}

impl<T> Curve<T> {
    /// Creates a curve without points, which changes nothing: 0 dB, or the strip's own pan.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a point.
    #[must_use]
    pub fn point(mut self, at: Frames, value: T, shape: Shape) -> Self {
        self.points.push(Point { at, value, shape });
        self
    }

    /// Returns true if the points are in order of time.
    pub(crate) fn in_order(&self) -> bool {
        self.points.is_sorted_by_key(|p| p.at)
    }
}

impl Curve<Decibels> {
    /// Returns the linear gain at a frame. A curve whose points are out of order, which sessions
    /// refuse, has gain 1.
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

/// The values of a processor's parameter over time, compiled.
#[derive(Clone, Debug)]
pub(crate) struct ParameterCurve {
    values: Automation,
    /// The values are amplitudes, and those of the parameter are decibels.
    are_amplitudes: bool,
}

impl ParameterCurve {
    /// Returns the value at a frame.
    pub(crate) fn at(&self, frame: u64) -> f64 {
        let value = self.values.at(frame);
        if self.are_amplitudes {
            20.0 * libm::log10(value)
        } else {
            value
        }
    }

    /// Returns the curve at the uses of a cue; see [`Automation::retimed`].
    pub(crate) fn retimed(self, uses: &[(Range<u64>, u64)], lead: u64) -> Self {
        Self {
            values: self.values.retimed(uses, lead),
            ..self
        }
    }
}

/// Curve compiled for repeated evaluation.
#[derive(Clone, Debug)]
pub(crate) struct Automation {
    /// Segments in order of time, without gaps, from frame 0 to `u64::MAX`.
    segments: Vec<CurveSegment>,
}

#[derive(Clone, Debug)]
struct CurveSegment {
    end: u64,
    kind: SegmentKind,
}

#[derive(Clone, Debug)]
enum SegmentKind {
    Constant(f64),
    /// A straight line in decibels, which is a geometric series. The value at every [`GRID`]th
    /// frame is computed directly, and those between from tabulated powers of the ratio.
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
    /// Another curve, whose frame `from` is at `start`.
    Retimed {
        start: u64,
        from: u64,
        curve: Arc<Automation>,
    },
}

/// Grid of the directly computed values of geometric segments, in frames from frame 0 of the
/// timeline.
const GRID: usize = 64;

impl Automation {
    /// Compiles the linear gain of a strip's fader combined with its curve.
    pub(crate) fn gain(curve: &Curve<Decibels>, fader: Decibels) -> Self {
        let decibels = |d: Decibels| fader.0 + d.0;
        Self::compile(
            &curve.points,
            Decibels(fader.0).gain().0,
            |a, b, start, end, shape| {
                let (a, b) = (decibels(a), decibels(b));
                let silent = a == f64::NEG_INFINITY || b == f64::NEG_INFINITY;
                if a == b || shape == Shape::Step {
                    SegmentKind::Constant(Decibels(a).gain().0)
                } else if silent {
                    let (from, to) = (Decibels(a).gain().0, Decibels(b).gain().0);
                    SegmentKind::Shaped {
                        start,
                        from,
                        to,
                        shape,
                        decibels: false,
                    }
                } else if shape == Shape::Linear {
                    let slope = (b - a) / frames_as_f64(end - start);
                    let power = |i: usize| libm::pow(10.0, slope * frames_as_f64(i as u64) / 20.0);
                    SegmentKind::Geometric {
                        start,
                        decibels: a,
                        slope,
                        powers: Box::new(std::array::from_fn(power)),
                    }
                } else {
                    SegmentKind::Shaped {
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

    /// Compiles the pan position of a strip.
    pub(crate) fn pan(curve: &Curve<Pan>, control: Pan) -> Self {
        Self::compile(&curve.points, control.0, |a, b, start, _, shape| {
            SegmentKind::plain(start, a.0, b.0, shape)
        })
    }

    /// Compiles the values of a parameter that changes over time.
    ///
    /// Straight lines of a parameter in decibels that may be −∞ are those of a fader: where one end is −∞, in amplitude.
    pub(crate) fn parameter(curve: &Curve<f64>, reaches_silence: bool) -> ParameterCurve {
        let points = || curve.points.iter();
        let values = if reaches_silence {
            let points = points().map(|p| Point {
                at: p.at,
                value: Decibels(p.value),
                shape: p.shape,
            });
            let levels = Curve {
                points: points.collect(),
            };
            Self::gain(&levels, Decibels::UNITY)
        } else {
            Self::compile(&curve.points, 0.0, |a, b, start, _, shape| {
                SegmentKind::plain(start, a, b, shape)
            })
        };
        ParameterCurve {
            values,
            are_amplitudes: reaches_silence,
        }
    }

    fn compile<T: Copy + PartialEq>(
        points: &[Point<T>],
        without: f64,
        segment: impl Fn(T, T, u64, u64, Shape) -> SegmentKind,
    ) -> Self {
        let (Some(first), Some(last)) = (points.first(), points.last()) else {
            return Self {
                segments: vec![CurveSegment {
                    end: u64::MAX,
                    kind: SegmentKind::Constant(without),
                }],
            };
        };
        let mut segments = vec![CurveSegment {
            end: first.at.0,
            kind: segment(first.value, first.value, 0, 0, Shape::Step),
        }];
        for (a, b) in points.iter().zip(points.iter().skip(1)) {
            let kind = segment(a.value, b.value, a.at.0, b.at.0, b.shape);
            segments.push(CurveSegment { end: b.at.0, kind });
        }
        segments.push(CurveSegment {
            end: u64::MAX,
            kind: segment(last.value, last.value, 0, 0, Shape::Step),
        });
        Self { segments }
    }

    /// Makes the value constant. Allocates nothing where it was constant.
    pub(crate) fn set_constant(&mut self, value: f64) {
        self.segments.clear();
        self.segments.push(CurveSegment {
            end: u64::MAX,
            kind: SegmentKind::Constant(value),
        });
    }

    /// Returns the value if it is constant.
    pub(crate) fn constant(&self) -> Option<f64> {
        match self.segments.as_slice() {
            [
                CurveSegment {
                    kind: SegmentKind::Constant(value),
                    ..
                },
            ] => Some(*value),
            _ => None,
        }
    }

    /// Returns the number of points; 0 for a constant.
    pub(crate) fn points(&self) -> usize {
        let retimed = |s: &CurveSegment| {
            if let SegmentKind::Retimed { curve, .. } = &s.kind {
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

    /// Returns the value at a frame.
    fn at(&self, frame: u64) -> f64 {
        let mut value = [0.0];
        self.fill(frame, &mut value);
        let [value] = value;
        value
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
            let n = saturating_usize(segment.end - at).min(rest.len());
            let (now, later) = rest.split_at_mut(n);
            segment.kind.fill(at, segment.end, now);
            at += n as u64;
            rest = later;
        }
    }
}

impl SegmentKind {
    /// Returns the way from one value to another, both as they are.
    fn plain(start: u64, from: f64, to: f64, shape: Shape) -> Self {
        if from == to || shape == Shape::Step {
            Self::Constant(from)
        } else {
            Self::Shaped {
                start,
                from,
                to,
                shape,
                decibels: false,
            }
        }
    }

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
                    let (anchor, skip) =
                        (at - at % GRID as u64, saturating_usize(at % GRID as u64));
                    // The grid position of the first frames may precede the segment.
                    let distance = if anchor >= *start {
                        frames_as_f64(anchor - start)
                    } else {
                        -frames_as_f64(start - anchor)
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
                let length = frames_as_f64(end - start);
                for o in out {
                    let value =
                        from + (to - from) * shape.value_at(frames_as_f64(at - start) / length);
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

/// Converts a number of frames to `f64`: exact up to 2^53 frames, six thousand years at 48 kHz.
#[expect(
    clippy::cast_precision_loss,
    reason = "timelines end long before 2^53 frames"
)]
fn frames_as_f64(frames: u64) -> f64 {
    frames as f64
}

/// Gain of a fade as a function of x, from 0 at the silent end to 1 at the full end.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum FadeShape {
    /// x: equal gain, for crossfades of identical material
    #[default]
    Linear,
    /// sin(πx/2): equal power, for crossfades of different material
    EqualPower,
    /// √(x sin(πx/2)): −4.5 dB at the middle
    Between,
    /// (1 − cos πx) / 2
    RaisedCosine,
    /// √x
    SquareRoot,
    /// 10^(R (x − 1) / 20), exactly 0 at x = 0: linear in decibels over a range of R dB
    DecibelLinear(f64),
}

impl FadeShape {
    /// Returns the gain at x, 0 to 1.
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

    /// Parses a name. `decibel-linear` has a range of 60 dB, `decibel-linear(40)` one of 40.
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

/// Fade at the start or end of a clip. Frame k of an N-frame fade-in has x = k / N. A fade-out is
/// the time reversal, so that a fade-out and a fade-in of equal length over the same frames
/// complement each other.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Fade {
    /// Length in frames; 0 for no fade.
    pub length: Frames,
    /// Shape of the gain.
    pub shape: FadeShape,
}

impl Fade {
    /// Returns a linear fade.
    #[must_use]
    pub fn linear(length: Frames) -> Self {
        Self {
            length,
            shape: FadeShape::Linear,
        }
    }

    /// Shortens the fade to the length of the faded material.
    pub(crate) fn within(self, total: u64) -> Self {
        Self {
            length: self.length.min(Frames(total)),
            ..self
        }
    }

    /// Returns the gain `k` frames from the silent end.
    pub(crate) fn gain(self, k: u64) -> f64 {
        if k >= self.length.0 {
            1.0
        } else {
            self.shape
                .gain(frames_as_f64(k) / frames_as_f64(self.length.0))
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
        let mut length = vec![0.0; 3000];
        a.fill(0, &mut length);
        for step in [1, 7, 63, 64, 65, 441, 2999] {
            for (i, part) in length.chunks(step).enumerate() {
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
