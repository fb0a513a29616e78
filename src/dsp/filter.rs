//! Filters: high-pass, low-pass, bell, shelves and notch, as cascades of second-order sections.
//!
//! Sections are state-variable filters with trapezoidal integrators (A. Simper, "Linear trapezoidal integrated state variable
//! filter with low noise optimisation", 2011). Their responses are those of the "Cookbook formulae for audio EQ biquad filter
//! coefficients" (R. Bristow-Johnson): analogue prototypes through the bilinear transform, warped so that the stated
//! frequency is exact. High-pass and low-pass are Butterworth filters of order 1 to 8, cascades of such sections.
//!
//! The state is kept in this form and not as past samples because the rounding of a direct form grows with the square of
//! sample rate over frequency: 80 Hz at 192 kHz would be off by 1e-7 dB.

use super::{
    glide::{Glide, Gliding, Line},
    processor::{Memory, Parameter, Processor, ProcessorKind, Unit},
};
use crate::{
    block::Block,
    layout::{Layout, Spec},
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
        stores_signal: false,
        automatable: true,
    }
}

const SLOPE: Parameter = Parameter {
    key: "slope",
    unit: Unit::Slope,
    default: 12.0,
    range: (6.0, 48.0),
    doc: "Steepness in dB per octave: 6, 12, 18, … 48.",
    stores_signal: false,
    automatable: false,
};

const GAIN: Parameter = Parameter {
    key: "gain",
    unit: Unit::Decibels,
    default: 0.0,
    range: (-60.0, 60.0),
    doc: "Gain in dB; at 0 the filter changes no bit.",
    stores_signal: false,
    automatable: true,
};

const fn q(default: f64, doc: &'static str) -> Parameter {
    Parameter {
        key: "q",
        unit: Unit::Number,
        default,
        range: (0.05, 100.0),
        doc,
        stores_signal: false,
        automatable: true,
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
        let design: Design = |values, spec| butterworth(Pass::High, values, spec);
        Box::new(Filter::new(design, values, spec))
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
        let design: Design = |values, spec| butterworth(Pass::Low, values, spec);
        Box::new(Filter::new(design, values, spec))
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
        let design: Design = |values, spec| with_gain(Shape::Bell, values, spec);
        Box::new(Filter::new(design, values, spec))
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
        let design: Design = |values, spec| with_gain(Shape::LowShelf, values, spec);
        Box::new(Filter::new(design, values, spec))
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
        let design: Design = |values, spec| with_gain(Shape::HighShelf, values, spec);
        Box::new(Filter::new(design, values, spec))
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
    build: |values, spec| Box::new(Filter::new(notch, values, spec)),
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

/// Coefficients of one section, whose state is a pair of integrators.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Section {
    /// For each integrator, the shares of the first, of the second and of the input in its next value.
    next: [[f64; 3]; 2],
    /// Shares of the integrators and of the input in the output.
    output: [f64; 3],
}

impl Section {
    /// Returns a section of second order: `tangent` is that of half the angular frequency in radians per frame, `mix` the
    /// shares of the input, the band-pass and the low-pass in the output.
    fn second_order(tangent: f64, q: f64, mix: [f64; 3]) -> Self {
        let (g, k) = (tangent, 1.0 / q);
        let a1 = 1.0 / (1.0 + g * (g + k));
        let (a2, a3) = (g * a1, g * g * a1);
        let [input, band, low] = mix;
        Self {
            next: [
                [1.0 - 2.0 * g * (g + k) * a1, -2.0 * a2, 2.0 * a2],
                [2.0 * a2, 1.0 - 2.0 * a3, 2.0 * a3],
            ],
            output: [
                band * a1 + low * a2,
                low - band * a2 - low * a3,
                input + band * a2 + low * a3,
            ],
        }
    }

    /// Returns a section of first order, which uses one integrator.
    fn first_order(tangent: f64, pass: Pass) -> Self {
        let share = tangent / (1.0 + tangent);
        Self {
            next: [[1.0 - 2.0 * share, 0.0, 2.0 * share], [0.0; 3]],
            output: match pass {
                Pass::Low => [1.0 - share, 0.0, share],
                Pass::High => [share - 1.0, 0.0, 1.0 - share],
            },
        }
    }

    /// Returns the frames in which the response falls by a level, from the radius of the larger pole.
    fn decay(&self, level_db: f64) -> Frames {
        let [[a, b, _], [c, d, _]] = self.next;
        let (half, product) = ((a + d) / 2.0, a * d - b * c);
        let discriminant = half * half - product;
        let radius = if discriminant < 0.0 {
            product.sqrt()
        } else {
            half.abs() + discriminant.sqrt()
        };
        // A pole next to 0 is forgotten at once.
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

/// Tangent of half the angular frequency.
fn tangent(freq: f64, spec: Spec) -> f64 {
    libm::tan(PI * freq / f64::from(spec.rate.hz()))
}

/// Designs a cascade from one value for each parameter.
type Design = fn(&[f64], Spec) -> Cascade;

/// Returns a Butterworth filter of a frequency and a slope in dB per octave.
fn butterworth(pass: Pass, values: &[f64], spec: Spec) -> Cascade {
    let &[freq, slope] = values.first_chunk().unwrap_or(&[1000.0, 12.0]);
    let order = f64::round(slope / 6.0).max(1.0);
    let tangent = tangent(freq, spec);
    let mut cascade = Cascade::default();
    // Each pair of conjugate poles, at equal angles on a half circle, is a section with a Q of its own.
    let mut pair = 0.5;
    while pair < order / 2.0 {
        let q = 1.0 / (2.0 * libm::sin(PI * pair / order));
        let mix = match pass {
            Pass::Low => [0.0, 0.0, 1.0],
            Pass::High => [1.0, -1.0 / q, -1.0],
        };
        cascade.push(Section::second_order(tangent, q, mix));
        pair += 1.0;
    }
    if order % 2.0 == 1.0 {
        cascade.push(Section::first_order(tangent, pass));
    }
    cascade
}

/// Returns a bell or a shelf of a frequency, a gain in dB and a Q.
fn with_gain(shape: Shape, values: &[f64], spec: Spec) -> Cascade {
    let &[freq, gain, q] = values.first_chunk().unwrap_or(&[1000.0, 0.0, 1.0]);
    // Square root of the amplitude, as the cookbook has it.
    let a = Decibels(gain / 2.0).gain().0;
    let (tangent, k) = (tangent(freq, spec), 1.0 / q);
    Cascade::of(match shape {
        Shape::Bell => Section::second_order(tangent, q * a, [1.0, k / a * (a * a - 1.0), 0.0]),
        Shape::LowShelf => {
            let mix = [1.0, k * (a - 1.0), a * a - 1.0];
            Section::second_order(tangent / a.sqrt(), q, mix)
        }
        Shape::HighShelf => {
            let mix = [a * a, k * (1.0 - a) * a, 1.0 - a * a];
            Section::second_order(tangent * a.sqrt(), q, mix)
        }
    })
}

fn notch(values: &[f64], spec: Spec) -> Cascade {
    let &[freq, q] = values.first_chunk().unwrap_or(&[50.0, 10.0]);
    Cascade::of(Section::second_order(
        tangent(freq, spec),
        q,
        [1.0, -1.0 / q, 0.0],
    ))
}

/// Sections at most: a Butterworth filter of order 8.
const MAX_SECTIONS: usize = 4;

/// Sections that follow each other.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Cascade {
    all: [Section; MAX_SECTIONS],
    count: usize,
}

impl Cascade {
    fn of(section: Section) -> Self {
        let mut cascade = Self::default();
        cascade.push(section);
        cascade
    }

    fn push(&mut self, section: Section) {
        if let Some(free) = self.all.get_mut(self.count) {
            *free = section;
            self.count += 1;
        }
    }

    fn sections(&self) -> impl Iterator<Item = &Section> {
        self.all.iter().take(self.count)
    }

    /// Returns the first `N` sections.
    fn first<const N: usize>(&self) -> [Section; N] {
        *self.all.first_chunk().unwrap_or(&[Section::default(); N])
    }

    /// Reports whether the output is the input, as that of a bell of 0 dB.
    fn is_neutral(&self) -> bool {
        self.sections()
            .all(|section| section.output == [0.0, 0.0, 1.0])
    }

    /// Returns the frames in which the response falls by a level.
    fn decay(&self, level_db: f64) -> Frames {
        let frames = self.sections().map(|section| section.decay(level_db).0);
        Frames(frames.fold(0, u64::saturating_add))
    }
}

impl Line for Cascade {
    fn between(from: Self, to: Self, x: f64) -> Self {
        Self {
            all: std::array::from_fn(|n| match (from.all.get(n), to.all.get(n)) {
                (Some(from), Some(to)) => Section::between(*from, *to, x),
                _ => Section::default(),
            }),
            count: from.count,
        }
    }
}

impl Line for Section {
    /// Between two stable sections all are stable: the integrators of each never gain energy, nor do those of a mean.
    #[inline(always)]
    fn between(from: Self, to: Self, x: f64) -> Self {
        let line = |from: [f64; 3], to: [f64; 3]| -> [f64; 3] {
            let ([a, b, c], [d, e, f]) = (from, to);
            [a + (d - a) * x, b + (e - b) * x, c + (f - c) * x]
        };
        let ([first, second], [to_first, to_second]) = (from.next, to.next);
        Self {
            next: [line(first, to_first), line(second, to_second)],
            output: line(from.output, to.output),
        }
    }
}

/// One frame of two channels.
type Stereo = [f64; 2];

/// The integrators of each section, for two channels.
type State = [[Stereo; 2]; MAX_SECTIONS];

/// Runs a cascade of sections on every channel.
pub(super) struct Filter {
    design: Design,
    spec: Spec,
    cascade: Gliding<Cascade>,
    /// One for each pair of channels.
    states: Vec<State>,
}

impl Filter {
    fn new(design: Design, values: &[f64], spec: Spec) -> Self {
        let pairs = spec.layout.channels().div_ceil(2);
        Self {
            design,
            spec,
            cascade: Gliding::new(design(values, spec)),
            states: vec![State::default(); pairs],
        }
    }

    /// Creates a high-pass of 12 dB per octave.
    pub(super) fn highpass(freq: f64, spec: Spec) -> Self {
        let design: Design = |values, spec| butterworth(Pass::High, values, spec);
        Self::new(design, &[freq, 12.0], spec)
    }

    /// Creates a low-pass of 12 dB per octave.
    pub(super) fn lowpass(freq: f64, spec: Spec) -> Self {
        let design: Design = |values, spec| butterworth(Pass::Low, values, spec);
        Self::new(design, &[freq, 12.0], spec)
    }

    /// Makes room for the channels of a layout.
    pub(super) fn widen(&mut self, layout: Layout) {
        let pairs = layout.channels().div_ceil(2);
        if pairs > self.states.len() {
            self.states.resize(pairs, State::default());
        }
    }

    /// Returns the frames after which earlier input no longer changes the output.
    pub(super) fn settles(&self) -> Frames {
        self.cascade.at(0).decay(SETTLED_DB)
    }

    /// Reports whether it changes no bit, ever.
    fn is_neutral(&self) -> bool {
        self.cascade.is_fixed() && self.cascade.at(0).is_neutral()
    }
}

impl Processor for Filter {
    fn memory(&self) -> Memory {
        if self.is_neutral() {
            Memory::Window(Frames::ZERO)
        } else {
            Memory::Fading(self.settles())
        }
    }

    fn tail(&self) -> Frames {
        if self.is_neutral() {
            Frames::ZERO
        } else {
            self.cascade.at(0).decay(INAUDIBLE_DB)
        }
    }

    fn prolongs_mix(&self) -> bool {
        false
    }

    fn reset(&mut self) {
        self.states.fill(State::default());
    }

    fn glide(&mut self, glide: Glide<'_>) {
        let (design, spec) = (self.design, self.spec);
        self.cascade.set(glide, |values| design(values, spec));
    }

    fn process(&mut self, _: Frames, block: &mut Block, _: Option<&Block>) {
        if self.is_neutral() {
            return;
        }
        let mut channels = block.channels_mut();
        for state in &mut self.states {
            let (Some(left), right) = (channels.next(), channels.next()) else {
                return;
            };
            let cascade = &self.cascade;
            match cascade.at(0).count {
                0 => return,
                1 => run::<1>(cascade, state, left, right),
                2 => run::<2>(cascade, state, left, right),
                3 => run::<3>(cascade, state, left, right),
                _ => run::<4>(cascade, state, left, right),
            }
        }
    }
}

/// Filters one or two channels in place with a cascade of `N` sections.
///
/// Two channels run side by side, and all sections of a cascade within one loop: each is a chain of dependent operations,
/// and a core works on several at a time.
fn run<const N: usize>(
    cascade: &Gliding<Cascade>,
    state: &mut State,
    left: &mut [f64],
    right: Option<&mut [f64]>,
) {
    let Some(still) = cascade.still() else {
        return each_frame(state, left, right, |frame, state, input| {
            step(&cascade.at(frame).first::<N>(), state, input)
        });
    };
    let sections = still.first::<N>();
    if still.is_neutral() {
        // The integrators go on, since the parameters may move later.
        return each_frame(state, left, right, |_, state, input| {
            step(&sections, state, input);
            input
        });
    }
    each_frame(state, left, right, |_, state, input| {
        step(&sections, state, input)
    });
}

/// Replaces the frames of one or two channels by what `filter` makes of each.
#[inline(always)]
fn each_frame(
    state: &mut State,
    left: &mut [f64],
    right: Option<&mut [f64]>,
    filter: impl Fn(usize, &mut State, Stereo) -> Stereo,
) {
    // A copy, which the compiler keeps in registers.
    let mut kept = *state;
    match right {
        Some(right) => {
            for (frame, (left, right)) in left.iter_mut().zip(right).enumerate() {
                [*left, *right] = filter(frame, &mut kept, [*left, *right]);
            }
        }
        None => {
            for (frame, sample) in left.iter_mut().enumerate() {
                [*sample, _] = filter(frame, &mut kept, [*sample, 0.0]);
            }
        }
    }
    *state = kept;
}

/// Filters one frame.
#[inline(always)]
fn step<const N: usize>(sections: &[Section; N], state: &mut State, frame: Stereo) -> Stereo {
    let mut value = frame;
    for (section, [first, second]) in sections.iter().zip(state) {
        let shares = |[a, b, x]: [f64; 3]| {
            let of = |first: f64, second: f64, input: f64| (a * first + b * second) + x * input;
            let ([l1, r1], [l2, r2], [l, r]) = (*first, *second, value);
            [of(l1, l2, l), of(r1, r2, r)]
        };
        let output = shares(section.output);
        let next = section.next.map(shares);
        ([*first, *second], value) = (next, output);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::SampleRate;

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
                let order = [6.0, 12.0, 18.0, 24.0, 30.0, 36.0, 42.0, 48.0]
                    .iter()
                    .position(|slope| *slope == values[1])
                    .unwrap()
                    + 1;
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
        assert!(worst.0 <= 1e-9 && worst.1 <= 1e-9, "{worst:?}");
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

    /// Filters a signal in pieces of a number of frames, with the values that `values` returns for the ends of each piece.
    fn swept(
        kind: &ProcessorKind,
        input: &[f64],
        piece: usize,
        values: impl Fn(usize) -> (Vec<f64>, Vec<f64>),
    ) -> Vec<f64> {
        let mut processor = built(kind, &values(0).0, spec(48_000, Layout::Mono));
        let mut out = Vec::new();
        for (index, part) in input.chunks(piece).enumerate() {
            let (from, to) = values(index * piece);
            processor.glide(Glide {
                from: &from,
                to: &to,
                offset: 0,
            });
            let mut block = Block::new(Layout::Mono, part.len());
            block.fill(part.len(), 0.0);
            block.channel_mut(0).copy_from_slice(part);
            processor.process(Frames(0), &mut block, None);
            out.extend_from_slice(block.channel(0));
        }
        out
    }

    #[test]
    fn a_sweep_is_that_of_coefficients_for_every_frame_and_has_no_steps() {
        use crate::dsp::glide::INTERVAL;
        // Two octaves and a half in a quarter of a second, over a tone that the filter first removes.
        let frames = 12_000;
        let tone = |n: usize| 0.5 * (2.0 * PI * 1000.0 * n as f64 / 48_000.0).sin();
        let input: Vec<f64> = (0..frames).map(tone).collect();
        let values = |n: usize| vec![400.0 * 6f64.powf(n as f64 / frames as f64), 24.0];
        let exact = swept(&LOWPASS, &input, 1, |n| (values(n), values(n)));
        let line = swept(&LOWPASS, &input, INTERVAL, |n| {
            (values(n), values(n + INTERVAL))
        });
        let steps = swept(&LOWPASS, &input, INTERVAL, |n| (values(n), values(n)));
        let apart = |other: &[f64]| {
            let worst = exact
                .iter()
                .zip(other)
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, f64::max);
            20.0 * (worst / 0.5).log10()
        };
        let (line, steps) = (apart(&line), apart(&steps));
        println!("lines {line:.1} dB, steps {steps:.1} dB");
        assert!(line < -80.0, "{line} dB");
        assert!(line < steps - 30.0, "{line} dB, with steps {steps} dB");
    }

    #[test]
    fn whatever_moves_stays_bounded_and_fades_once_the_input_ends() {
        // A generator of the linear congruential kind.
        let mut state = 1u64;
        let mut random = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        let values: Vec<Vec<f64>> = (0..500)
            .map(|_| {
                let (freq, gain) = (20.0 * 1000f64.powf(random()), 40.0 * random() - 20.0);
                vec![freq, gain, 0.1 * 1000f64.powf(random())]
            })
            .collect();
        let mut input = vec![0.0; 64 * 499];
        input[..3_000].iter_mut().for_each(|x| *x = random() - 0.5);
        let out = swept(&BELL, &input, 64, |n| {
            (values[n / 64].clone(), values[n / 64 + 1].clone())
        });
        let largest = |part: &[f64]| part.iter().fold(0.0f64, |m, x| m.max(x.abs()));
        // +20 dB at most, and the resonance of a few sections in turn.
        assert!(largest(&out) < 10.0, "{}", largest(&out));
        assert!(
            largest(&out[20_000..]) < 1e-3,
            "{}",
            largest(&out[20_000..])
        );
    }

    #[test]
    fn a_response_decays_with_the_larger_pole() {
        let second = |q| Section::second_order(0.5, q, [0.0; 3]).decay(-200.0);
        let first = |g| Section::first_order(g, Pass::Low).decay(-200.0);
        // Radii of 1/3, 0, √(3/7) and (1 - (2 - √3)/2) / (1 + (2 - √3)/2), and two frames.
        assert_eq!([first(0.5), first(1.0)], [Frames(23), Frames(3)]);
        assert_eq!([second(1.0), second(0.25)], [Frames(57), Frames(88)]);
    }
}
