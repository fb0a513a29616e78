//! Filters: high-pass, low-pass, bell, shelves and notch, as cascades of second-order sections.
//!
//! Sections follow the "Cookbook formulae for audio EQ biquad filter coefficients" (R. Bristow-Johnson): analogue
//! prototypes through the bilinear transform, warped so that the stated frequency is exact. High-pass and low-pass are
//! Butterworth filters of order 1 to 8, which are cascades of such sections.

use super::processor::{Memory, Parameter, Processor, ProcessorKind, Unit};
use crate::{
    block::Block,
    layout::Spec,
    units::{Decibels, Frames},
};
use std::f64::consts::{FRAC_1_SQRT_2, PI};

const fn frequency(default: f64, doc: &'static str) -> Parameter {
    Parameter {
        key: "freq",
        unit: Unit::Hertz,
        default,
        range: (1.0, 400_000.0),
        doc,
    }
}

const SLOPE: Parameter = Parameter {
    key: "slope",
    unit: Unit::Slope,
    default: 12.0,
    range: (6.0, 48.0),
    doc: "Steepness in dB per octave: 6, 12, 18, … 48.",
};

const GAIN: Parameter = Parameter {
    key: "gain",
    unit: Unit::Decibels,
    default: 0.0,
    range: (-60.0, 60.0),
    doc: "Gain in dB; at 0 the filter changes no bit.",
};

const fn q(default: f64, doc: &'static str) -> Parameter {
    Parameter {
        key: "q",
        unit: Unit::Number,
        default,
        range: (0.05, 100.0),
        doc,
    }
}

pub(super) static HIGHPASS: ProcessorKind = ProcessorKind {
    name: "highpass",
    summary: "Removes what lies below a frequency (Butterworth).",
    parameters: &[
        frequency(80.0, "Frequency at which the level is down by 3.01 dB."),
        SLOPE,
    ],
    keyed: false,
    build: |values, spec| {
        let &[freq, slope] = values.first_chunk().unwrap_or(&[80.0, 12.0]);
        Box::new(Filter::new(
            butterworth(Pass::High, freq, slope, spec),
            spec,
        ))
    },
};

pub(super) static LOWPASS: ProcessorKind = ProcessorKind {
    name: "lowpass",
    summary: "Removes what lies above a frequency (Butterworth).",
    parameters: &[
        frequency(12_000.0, "Frequency at which the level is down by 3.01 dB."),
        SLOPE,
    ],
    keyed: false,
    build: |values, spec| {
        let &[freq, slope] = values.first_chunk().unwrap_or(&[12_000.0, 12.0]);
        Box::new(Filter::new(butterworth(Pass::Low, freq, slope, spec), spec))
    },
};

pub(super) static BELL: ProcessorKind = ProcessorKind {
    name: "bell",
    summary: "Raises or lowers a band around a frequency.",
    parameters: &[
        frequency(1000.0, "Frequency of the full gain."),
        GAIN,
        q(
            1.0,
            "Frequency divided by the bandwidth at half the gain in dB.",
        ),
    ],
    keyed: false,
    build: |values, spec| {
        let &[freq, gain, q] = values.first_chunk().unwrap_or(&[1000.0, 0.0, 1.0]);
        Box::new(Filter::new(
            with_gain(Shape::Bell, freq, gain, q, spec),
            spec,
        ))
    },
};

pub(super) static LOW_SHELF: ProcessorKind = ProcessorKind {
    name: "low-shelf",
    summary: "Raises or lowers what lies below a frequency.",
    parameters: &[
        frequency(120.0, "Frequency of half the gain in dB."),
        GAIN,
        q(FRAC_1_SQRT_2, "Steepness; above 0.71 the shelf overshoots."),
    ],
    keyed: false,
    build: |values, spec| {
        let &[freq, gain, q] = values.first_chunk().unwrap_or(&[120.0, 0.0, FRAC_1_SQRT_2]);
        Box::new(Filter::new(
            with_gain(Shape::LowShelf, freq, gain, q, spec),
            spec,
        ))
    },
};

pub(super) static HIGH_SHELF: ProcessorKind = ProcessorKind {
    name: "high-shelf",
    summary: "Raises or lowers what lies above a frequency.",
    parameters: &[
        frequency(8000.0, "Frequency of half the gain in dB."),
        GAIN,
        q(FRAC_1_SQRT_2, "Steepness; above 0.71 the shelf overshoots."),
    ],
    keyed: false,
    build: |values, spec| {
        let &[freq, gain, q] = values
            .first_chunk()
            .unwrap_or(&[8000.0, 0.0, FRAC_1_SQRT_2]);
        Box::new(Filter::new(
            with_gain(Shape::HighShelf, freq, gain, q, spec),
            spec,
        ))
    },
};

pub(super) static NOTCH: ProcessorKind = ProcessorKind {
    name: "notch",
    summary: "Removes a narrow band around a frequency.",
    parameters: &[
        frequency(50.0, "Frequency that is removed."),
        q(10.0, "Frequency divided by the bandwidth at −3.01 dB."),
    ],
    keyed: false,
    build: |values, spec| {
        let &[freq, q] = values.first_chunk().unwrap_or(&[50.0, 10.0]);
        Box::new(Filter::new(vec![notch(freq, q, spec)], spec))
    },
};

/// A section is silent once its response has fallen this far: what follows is cut.
const INAUDIBLE_DB: f64 = -200.0;
/// A response that has fallen this far no longer reaches the last bit of an `f64`.
const SETTLED_DB: f64 = -320.0;

/// Side of the frequency that a filter lets pass.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    High,
    Low,
}

/// Shape of a filter with a gain.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Bell,
    LowShelf,
    HighShelf,
}

/// Coefficients of `y[n] = b0 x[n] + b1 x[n-1] + b2 x[n-2] - a1 y[n-1] - a2 y[n-2]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Section {
    b: [f64; 3],
    a: [f64; 2],
}

impl Section {
    /// Divides by the coefficient of `y[n]`.
    fn normalised(b: [f64; 3], a: [f64; 3]) -> Self {
        let [a0, a1, a2] = a;
        Self {
            b: b.map(|b| b / a0),
            a: [a1 / a0, a2 / a0],
        }
    }

    /// Returns the frames in which the response falls by a level, from the radius of the larger pole.
    fn decay(&self, level_db: f64) -> Frames {
        let [a1, a2] = self.a;
        let discriminant = a1 * a1 / 4.0 - a2;
        let radius = if discriminant < 0.0 {
            a2.sqrt()
        } else {
            (a1 / 2.0).abs() + discriminant.sqrt()
        };
        // A pole at 0 or next to it is forgotten within the two frames of the section.
        let per_frame = 20.0 * libm::log10(radius.max(1e-12));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive, and the cast saturates where the pole is next to the unit circle"
        )]
        let frames = (level_db / per_frame).ceil() as u64;
        Frames(frames.saturating_add(2))
    }
}

/// Angular frequency in radians per frame.
fn angle(freq: f64, spec: Spec) -> f64 {
    2.0 * PI * freq / f64::from(spec.rate.hz())
}

/// Returns the sections of a Butterworth filter of a slope in dB per octave.
fn butterworth(pass: Pass, freq: f64, slope: f64, spec: Spec) -> Vec<Section> {
    let order = f64::round(slope / 6.0).max(1.0);
    let w = angle(freq, spec);
    let mut sections = Vec::new();
    let mut pair = 0.5;
    // Each conjugate pair of poles, at equal angles on a half circle, is a section of its own Q.
    while pair < order / 2.0 {
        let q = 1.0 / (2.0 * libm::sin(PI * pair / order));
        sections.push(second_order(pass, w, q));
        pair += 1.0;
    }
    if order % 2.0 == 1.0 {
        sections.pop();
        sections.push(first_order(pass, w));
    }
    sections
}

fn second_order(pass: Pass, w: f64, q: f64) -> Section {
    let (cos, alpha) = (libm::cos(w), libm::sin(w) / (2.0 * q));
    let half = libm::sin(w / 2.0);
    let b = match pass {
        // 1 - cos w, without the cancellation at low frequencies.
        Pass::Low => {
            let b = half * half;
            [b, 2.0 * b, b]
        }
        Pass::High => {
            let b = 1.0 - half * half;
            [b, -2.0 * b, b]
        }
    };
    Section::normalised(b, [1.0 + alpha, -2.0 * cos, 1.0 - alpha])
}

fn first_order(pass: Pass, w: f64) -> Section {
    let tan = libm::tan(w / 2.0);
    let b = match pass {
        Pass::Low => [tan, tan, 0.0],
        Pass::High => [1.0, -1.0, 0.0],
    };
    Section::normalised(b, [1.0 + tan, tan - 1.0, 0.0])
}

/// Returns the section of a bell or a shelf; none where the gain is 0 dB, so that no bit changes.
fn with_gain(shape: Shape, freq: f64, gain: f64, q: f64, spec: Spec) -> Vec<Section> {
    if gain == 0.0 {
        return Vec::new();
    }
    let w = angle(freq, spec);
    let (cos, alpha) = (libm::cos(w), libm::sin(w) / (2.0 * q));
    // Square root of the amplitude, as the cookbook has it.
    let a = Decibels(gain / 2.0).gain().0;
    let section = match shape {
        Shape::Bell => Section::normalised(
            [1.0 + alpha * a, -2.0 * cos, 1.0 - alpha * a],
            [1.0 + alpha / a, -2.0 * cos, 1.0 - alpha / a],
        ),
        Shape::LowShelf | Shape::HighShelf => {
            // The high shelf is the low shelf with the sign of z turned.
            let sign = if shape == Shape::LowShelf { 1.0 } else { -1.0 };
            let c = sign * cos;
            let root = 2.0 * a.sqrt() * alpha;
            let (sum, difference) = (a + 1.0, a - 1.0);
            Section::normalised(
                [
                    a * (sum - difference * c + root),
                    sign * 2.0 * a * (difference - sum * c),
                    a * (sum - difference * c - root),
                ],
                [
                    sum + difference * c + root,
                    sign * -2.0 * (difference + sum * c),
                    sum + difference * c - root,
                ],
            )
        }
    };
    vec![section]
}

fn notch(freq: f64, q: f64, spec: Spec) -> Section {
    let w = angle(freq, spec);
    let (cos, alpha) = (libm::cos(w), libm::sin(w) / (2.0 * q));
    Section::normalised(
        [1.0, -2.0 * cos, 1.0],
        [1.0 + alpha, -2.0 * cos, 1.0 - alpha],
    )
}

/// Sections at most: a Butterworth filter of order 8.
const MAX_SECTIONS: usize = 4;

/// One frame of two channels.
type Stereo = [f64; 2];

/// The last two frames of a signal, the later first.
type Last = [Stereo; 2];

/// What a cascade remembers of two channels.
#[derive(Clone, Copy, Default)]
struct Past {
    input: Last,
    /// The output of each section, which is the input of the next.
    outputs: [Last; MAX_SECTIONS],
}

/// Runs a cascade of sections on every channel, in direct form I: its state is the signal itself.
struct Filter {
    sections: Vec<Section>,
    /// One for each pair of channels.
    pasts: Vec<Past>,
}

impl Filter {
    fn new(sections: Vec<Section>, spec: Spec) -> Self {
        let pairs = spec.layout.channels().div_ceil(2);
        Self {
            sections,
            pasts: vec![Past::default(); pairs],
        }
    }

    fn decay(&self, level_db: f64) -> Frames {
        let frames = self
            .sections
            .iter()
            .map(|section| section.decay(level_db).0);
        Frames(frames.fold(0, u64::saturating_add))
    }
}

impl Processor for Filter {
    fn memory(&self) -> Memory {
        if self.sections.is_empty() {
            Memory::Window(Frames::ZERO)
        } else {
            Memory::Fading(self.decay(SETTLED_DB))
        }
    }

    fn tail(&self) -> Frames {
        self.decay(INAUDIBLE_DB)
    }

    fn reset(&mut self) {
        self.pasts.fill(Past::default());
    }

    fn process(&mut self, _: Frames, block: &mut Block, _: Option<&Block>) {
        let mut channels = block.channels_mut();
        for past in &mut self.pasts {
            let (Some(left), right) = (channels.next(), channels.next()) else {
                return;
            };
            match *self.sections.as_slice() {
                [] => return,
                [a] => run([a], past, left, right),
                [a, b] => run([a, b], past, left, right),
                [a, b, c] => run([a, b, c], past, left, right),
                [a, b, c, d, ..] => run([a, b, c, d], past, left, right),
            }
        }
    }
}

/// Filters one or two channels in place.
///
/// Two channels run side by side, and all sections of a cascade within one loop: each is a chain of dependent operations,
/// and a processor works on several at a time.
fn run<const N: usize>(
    sections: [Section; N],
    past: &mut Past,
    left: &mut [f64],
    right: Option<&mut [f64]>,
) {
    match right {
        Some(right) => {
            for (left, right) in left.iter_mut().zip(right) {
                [*left, *right] = step(&sections, past, [*left, *right]);
            }
        }
        None => {
            for sample in left {
                [*sample, _] = step(&sections, past, [*sample, 0.0]);
            }
        }
    }
}

/// Filters one frame.
#[inline(always)]
fn step<const N: usize>(sections: &[Section; N], past: &mut Past, frame: Stereo) -> Stereo {
    let (mut value, mut last) = (frame, past.input);
    past.input = [frame, last[0]];
    for (section, output) in sections.iter().zip(&mut past.outputs) {
        let next = section.apply(value, last, *output);
        (last, value) = (*output, next);
        *output = [next, last[0]];
    }
    value
}

impl Section {
    /// Returns the next output, from the input and the last two frames of input and output.
    #[inline(always)]
    fn apply(&self, x: Stereo, [x1, x2]: Last, [y1, y2]: Last) -> Stereo {
        let ([b0, b1, b2], [a1, a2]) = (self.b, self.a);
        std::array::from_fn(|ch| {
            let pick = |frame: Stereo| if ch == 0 { frame[0] } else { frame[1] };
            let older = b0 * pick(x) + (b1 * pick(x1) + b2 * pick(x2)) - a2 * pick(y2);
            // The latest output enters last: the chain of dependent operations is one product and one difference long.
            older - a1 * pick(y1)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{layout::Layout, units::SampleRate};

    fn spec(rate: u32, layout: Layout) -> Spec {
        Spec {
            rate: SampleRate::new(rate).unwrap(),
            layout,
        }
    }

    fn built(kind: &ProcessorKind, values: &[f64], spec: Spec) -> Box<dyn Processor> {
        (kind.build)(values, spec)
    }

    /// Complex value of the transform of an impulse response at a frequency.
    fn response(impulse: &[f64], freq: f64, rate: f64) -> (f64, f64) {
        let w = 2.0 * PI * freq / rate;
        // Neumaier's sum: the response of a narrow filter is long.
        let mut sums = [(0.0f64, 0.0f64); 2];
        for (n, sample) in impulse.iter().enumerate() {
            let turn = w * n as f64;
            for (sum, term) in sums
                .iter_mut()
                .zip([sample * turn.cos(), -sample * turn.sin()])
            {
                let next = sum.0 + term;
                sum.1 += if sum.0.abs() >= term.abs() {
                    sum.0 - next + term
                } else {
                    term - next + sum.0
                };
                sum.0 = next;
            }
        }
        (sums[0].0 + sums[0].1, sums[1].0 + sums[1].1)
    }

    fn impulse_response(kind: &ProcessorKind, values: &[f64], rate: u32) -> Vec<f64> {
        let spec = spec(rate, Layout::Mono);
        let mut processor = built(kind, values, spec);
        let frames = match processor.memory() {
            Memory::Fading(frames) => frames.0 as usize,
            other => panic!("{other:?}"),
        };
        let mut block = Block::new(Layout::Mono, frames);
        block.fill(frames, 0.0);
        block.channel_mut(0)[0] = 1.0;
        processor.process(Frames(0), &mut block, None);
        block.channel(0).to_vec()
    }

    /// Value of an analogue prototype at a complex frequency `s` = i·`x`, where `x` = 1 is the frequency of the filter:
    /// a product of second-order fractions, as (numerator, denominator) pairs of coefficients of 1, s, s².
    fn prototype(fractions: &[([f64; 3], [f64; 3])], x: f64) -> (f64, f64) {
        let at = |c: [f64; 3]| (c[0] - c[2] * x * x, c[1] * x);
        fractions
            .iter()
            .fold((1.0, 0.0), |(re, im), (top, bottom)| {
                let ((a, b), (c, d)) = (at(*top), at(*bottom));
                let scale = c * c + d * d;
                let (p, q) = ((a * c + b * d) / scale, (b * c - a * d) / scale);
                (re * p - im * q, re * q + im * p)
            })
    }

    /// Prototypes as the cookbook and Butterworth's polynomials state them.
    fn fractions(kind: &str, values: &[f64]) -> Vec<([f64; 3], [f64; 3])> {
        match kind {
            "highpass" | "lowpass" => {
                let order = (values[1] / 6.0) as usize;
                let mut all = Vec::new();
                for k in 0..order / 2 {
                    let angle = PI * (2.0 * k as f64 + 1.0) / (2.0 * order as f64);
                    let bottom = [1.0, 2.0 * angle.sin(), 1.0];
                    all.push((
                        if kind == "lowpass" {
                            [1.0, 0.0, 0.0]
                        } else {
                            [0.0, 0.0, 1.0]
                        },
                        bottom,
                    ));
                }
                if order % 2 == 1 {
                    all.push((
                        if kind == "lowpass" {
                            [1.0, 0.0, 0.0]
                        } else {
                            [0.0, 1.0, 0.0]
                        },
                        [1.0, 1.0, 0.0],
                    ));
                }
                all
            }
            "notch" => vec![([1.0, 0.0, 1.0], [1.0, 1.0 / values[1], 1.0])],
            _ => {
                let (a, q) = (10f64.powf(values[1] / 40.0), values[2]);
                vec![match kind {
                    "bell" => ([1.0, a / q, 1.0], [1.0, 1.0 / (a * q), 1.0]),
                    "low-shelf" => ([a * a, a * a.sqrt() / q, a], [1.0, a.sqrt() / q, a]),
                    _ => ([a, a * a.sqrt() / q, a * a], [a, a.sqrt() / q, 1.0]),
                }]
            }
        }
    }

    /// The bilinear transform maps a frequency f to the analogue frequency tan(πf/rate) / tan(πf₀/rate).
    #[test]
    fn responses_are_the_warped_prototypes_to_1e_9_db() {
        let cases: [(&ProcessorKind, &[f64]); 13] = [
            (&HIGHPASS, &[80.0, 6.0]),
            (&HIGHPASS, &[80.0, 12.0]),
            (&HIGHPASS, &[120.0, 30.0]),
            (&HIGHPASS, &[300.0, 48.0]),
            (&LOWPASS, &[3000.0, 6.0]),
            (&LOWPASS, &[1000.0, 18.0]),
            (&LOWPASS, &[3500.0, 48.0]),
            (&BELL, &[440.0, 6.0, 1.4]),
            (&BELL, &[3000.0, -18.0, 0.5]),
            (&LOW_SHELF, &[150.0, 5.0, 0.7]),
            (&LOW_SHELF, &[200.0, -24.0, 1.0]),
            (&HIGH_SHELF, &[3000.0, -9.0, 0.6]),
            (&NOTCH, &[1000.0, 8.0]),
        ];
        let mut worst = (0.0f64, 0.0f64);
        for rate in [8000u32, 16_000, 44_100, 48_000, 96_000, 192_000] {
            let fs = f64::from(rate);
            for (kind, values) in cases {
                let impulse = impulse_response(kind, values, rate);
                let fractions = fractions(kind.name, values);
                for k in 0..200 {
                    let freq = 20.0 * (fs / 4.0 / 20.0f64).powf(f64::from(k) / 199.0);
                    let x = (PI * freq / fs).tan() / (PI * values[0] / fs).tan();
                    let (re, im) = prototype(&fractions, x);
                    let size = re.hypot(im);
                    // A zero of the response has no level.
                    if size < 1e-4 {
                        continue;
                    }
                    let got = response(&impulse, freq, fs);
                    let db = 20.0 * (got.0.hypot(got.1) / size).log10();
                    let turn = (got.1 * re - got.0 * im).atan2(got.0 * re + got.1 * im);
                    worst = (worst.0.max(db.abs()), worst.1.max(turn.abs()));
                }
            }
        }
        println!("at most {:.1e} dB and {:.1e} rad off", worst.0, worst.1);
        assert!(worst.0 <= 1e-9 && worst.1 <= 1e-10, "{worst:?}");
    }

    #[test]
    fn a_gain_of_0_db_changes_no_bit() {
        for kind in [&BELL, &LOW_SHELF, &HIGH_SHELF] {
            let mut processor = built(kind, &[1000.0, 0.0, 1.0], spec(48_000, Layout::Stereo));
            assert_eq!(processor.memory(), Memory::Window(Frames::ZERO));
            let mut block = Block::new(Layout::Stereo, 3);
            block.fill(3, 0.1);
            block.channel_mut(0)[1] = -0.0;
            processor.process(Frames(0), &mut block, None);
            assert_eq!(block.channel(0)[1].to_bits(), (-0.0f64).to_bits());
            assert_eq!(block.channel(1), [0.1; 3]);
        }
    }

    #[test]
    fn channels_do_not_mix_and_every_channel_is_filtered_alike() {
        for layout in [
            Layout::Mono,
            Layout::Stereo,
            Layout::Lcr,
            Layout::Surround51,
        ] {
            let mut processor = built(&LOWPASS, &[500.0, 24.0], spec(48_000, layout));
            let mut block = Block::new(layout, 64);
            block.fill(64, 0.0);
            for ch in 0..layout.channels() {
                block.channel_mut(ch)[ch] = 1.0;
            }
            processor.process(Frames(0), &mut block, None);
            let first = block.channel(0).to_vec();
            for ch in 0..layout.channels() {
                assert!(block.channel(ch)[..ch].iter().all(|x| *x == 0.0));
                assert_eq!(block.channel(ch)[ch..], first[..64 - ch]);
            }
        }
    }
}
