//! Dynamics: compressor, expander and gate, which turn the level down by what they detect.
//!
//! ```text
//! level of the loudest channel, peak or RMS ─► static curve: reduction in dB ─► hold, attack, release ─► gain of all channels
//! ```
//! They are feed-forward and work in decibels (D. Giannoulis, M. Massberg, J. Reiss, "Digital Dynamic Range Compressor
//! Design", J. Audio Eng. Soc. 60, 2012): the reduction follows the static curve with a time constant for its rise and one
//! for its fall, so that it has covered 63 % of a step after the stated time. All channels get one gain, which keeps the
//! stereo image. Look-ahead delays the signal and not the detector.

use super::{
    decibel,
    filter::Filter,
    glide::{Glide, Gliding, Line},
    processor::{Memory, Parameter, Processor, ProcessorKind, Unit},
};
use crate::{block::Block, layout::Spec, units::Frames};

pub(super) const fn decibels(
    key: &'static str,
    default: f64,
    range: (f64, f64),
    doc: &'static str,
) -> Parameter {
    Parameter {
        key,
        unit: Unit::Decibels,
        default,
        range,
        doc,
        stores_signal: false,
        automatable: true,
    }
}

pub(super) const fn seconds(
    key: &'static str,
    default: f64,
    highest: f64,
    doc: &'static str,
) -> Parameter {
    Parameter {
        key,
        unit: Unit::Seconds,
        default,
        range: (0.0, highest),
        doc,
        stores_signal: false,
        automatable: true,
    }
}

/// Returns a parameter that keeps its value for the whole render.
pub(super) const fn fixed(parameter: Parameter) -> Parameter {
    Parameter {
        automatable: false,
        ..parameter
    }
}

pub(super) const fn lookahead(highest: f64, doc: &'static str) -> Parameter {
    Parameter {
        stores_signal: true,
        ..fixed(seconds("lookahead", 0.0, highest, doc))
    }
}

const fn ratio(doc: &'static str) -> Parameter {
    Parameter {
        key: "ratio",
        unit: Unit::Number,
        default: 2.0,
        range: (1.0, 1000.0),
        doc,
        stores_signal: false,
        automatable: true,
    }
}

const KNEE: Parameter = decibels(
    "knee",
    6.0,
    (0.0, 60.0),
    "Width in dB of the bend around the threshold.",
);
const ATTACK_DOC: &str = "Time in which the reduction covers 63 % of a rise.";
const RELEASE_DOC: &str = "Time in which the reduction covers 63 % of a fall.";
const RMS: Parameter = fixed(seconds(
    "rms",
    0.0,
    1.0,
    "Time over which the power is averaged; 0 detects peaks.",
));
const LOOKAHEAD: Parameter = lookahead(
    0.1,
    "Time by which the reduction comes ahead of the signal.",
);

const KEY_HIGHPASS: Parameter = key_filter(
    "key_highpass",
    "The detector hears what lies above this frequency, at 12 dB per octave; 0 for all.",
);
const KEY_LOWPASS: Parameter = key_filter(
    "key_lowpass",
    "The detector hears what lies below this frequency, at 12 dB per octave; 0 for all.",
);

const fn key_filter(key: &'static str, doc: &'static str) -> Parameter {
    Parameter {
        key,
        unit: Unit::Hertz,
        default: 0.0,
        range: (0.0, 400_000.0),
        doc,
        stores_signal: false,
        automatable: false,
    }
}

pub(super) static COMPRESSOR: ProcessorKind = ProcessorKind {
    name: "compressor",
    summary: "Turns down what is louder than a threshold, by a ratio.",
    parameters: &[
        decibels(
            "threshold",
            -20.0,
            (-120.0, 60.0),
            "Level in dBFS above which the signal is turned down.",
        ),
        ratio("Decibels above the threshold that become one decibel; at 1 no bit changes."),
        KNEE,
        seconds("attack", 0.01, 5.0, ATTACK_DOC),
        seconds("release", 0.12, 10.0, RELEASE_DOC),
        decibels(
            "makeup",
            0.0,
            (-60.0, 60.0),
            "Gain after the compression, in dB.",
        ),
        RMS,
        LOOKAHEAD,
        KEY_HIGHPASS,
        KEY_LOWPASS,
    ],
    keyed: true,
    build: |values, spec| Box::new(Dynamics::new(compressor, values, spec)),
};

fn compressor(values: &[f64]) -> Settings {
    let &[threshold, ratio, knee, attack, release, makeup_db] =
        values.first_chunk().unwrap_or(&[0.0; 6]);
    Settings {
        curve: Curve {
            threshold,
            slope: 1.0 - 1.0 / ratio.max(1.0),
            knee,
            range: f64::INFINITY,
            side: Side::Above,
        },
        times: Times {
            attack,
            release,
            hold: 0.0,
        },
        makeup_db,
    }
}

pub(super) static EXPANDER: ProcessorKind = ProcessorKind {
    name: "expander",
    summary: "Turns down what is quieter than a threshold, by a ratio.",
    parameters: &[
        decibels(
            "threshold",
            -50.0,
            (-120.0, 60.0),
            "Level in dBFS below which the signal is turned down.",
        ),
        ratio("Decibels that one decibel below the threshold becomes; at 1 no bit changes."),
        KNEE,
        decibels("range", -40.0, (-200.0, 0.0), "Gain at most, in dB."),
        seconds(
            "attack",
            0.001,
            5.0,
            "Time in which the gain covers 63 % of a rise.",
        ),
        seconds(
            "hold",
            0.05,
            10.0,
            "Time that the gain stays after the level fell.",
        ),
        seconds(
            "release",
            0.15,
            10.0,
            "Time in which the gain covers 63 % of a fall.",
        ),
        RMS,
        LOOKAHEAD,
        KEY_HIGHPASS,
        KEY_LOWPASS,
    ],
    keyed: true,
    build: |values, spec| Box::new(Dynamics::new(expander, values, spec)),
};

fn expander(values: &[f64]) -> Settings {
    let &[threshold, ratio, knee, range, attack, hold, release] =
        values.first_chunk().unwrap_or(&[0.0; 7]);
    Settings {
        curve: Curve {
            threshold,
            slope: ratio.max(1.0) - 1.0,
            knee,
            range: -range,
            side: Side::Below,
        },
        // The reduction falls where the gain rises.
        times: Times {
            attack: release,
            release: attack,
            hold,
        },
        makeup_db: 0.0,
    }
}

pub(super) static GATE: ProcessorKind = ProcessorKind {
    name: "gate",
    summary: "Turns down by a fixed amount what is quieter than a threshold.",
    parameters: &[
        decibels(
            "threshold",
            -50.0,
            (-120.0, 60.0),
            "Level in dBFS from which the gate is open.",
        ),
        decibels(
            "hysteresis",
            3.0,
            (0.0, 60.0),
            "How far below the threshold an open gate closes, in dB.",
        ),
        decibels(
            "range",
            -80.0,
            (-200.0, 0.0),
            "Gain of the closed gate, in dB.",
        ),
        seconds(
            "attack",
            0.002,
            5.0,
            "Time in which the gate opens by 63 %.",
        ),
        seconds(
            "hold",
            0.08,
            10.0,
            "Time that the gate stays open after the level fell.",
        ),
        seconds(
            "release",
            0.15,
            10.0,
            "Time in which the gate closes by 63 %.",
        ),
        RMS,
        LOOKAHEAD,
        KEY_HIGHPASS,
        KEY_LOWPASS,
    ],
    keyed: true,
    build: |values, spec| Box::new(Dynamics::new(gate, values, spec)),
};

fn gate(values: &[f64]) -> Settings {
    let &[threshold, hysteresis, range, attack, hold, release] =
        values.first_chunk().unwrap_or(&[0.0; 6]);
    Settings {
        curve: Curve {
            threshold,
            slope: 0.0,
            knee: hysteresis,
            range: -range,
            side: Side::Gate,
        },
        times: Times {
            attack: release,
            release: attack,
            hold,
        },
        makeup_db: 0.0,
    }
}

/// Side of the threshold on which the level is turned down.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Above,
    Below,
    /// Below, by all of the range at once; `knee` is the hysteresis.
    Gate,
}

/// Static curve: the reduction for a level, both in dB.
#[derive(Clone, Copy)]
struct Curve {
    threshold: f64,
    /// Reduction in dB for each dB on the side that is turned down, outside the knee.
    slope: f64,
    knee: f64,
    /// The largest reduction.
    range: f64,
    side: Side,
}

impl Curve {
    /// Returns the reduction for a level; a gate has to know whether it is open.
    #[inline(always)]
    fn reduction(&self, level: f64, is_open: bool) -> f64 {
        let over = match self.side {
            Side::Above => level - self.threshold,
            Side::Below => self.threshold - level,
            Side::Gate => {
                let closes_below = self.threshold - if is_open { self.knee } else { 0.0 };
                return if level < closes_below {
                    self.range
                } else {
                    0.0
                };
            }
        };
        // A parabola through the knee, which meets both straight lines with their slopes.
        let bent = (over + self.knee / 2.0).clamp(0.0, self.knee);
        let inside = if self.knee > 0.0 {
            bent * bent / (2.0 * self.knee)
        } else {
            0.0
        };
        (self.slope * (inside + (over - self.knee / 2.0).max(0.0))).min(self.range)
    }

    /// Returns whether no level is ever turned down.
    fn is_neutral(&self) -> bool {
        self.range == 0.0 || (self.side != Side::Gate && self.slope == 0.0)
    }
}

impl Line for Curve {
    #[inline(always)]
    fn between(from: Self, to: Self, x: f64) -> Self {
        Self {
            threshold: f64::between(from.threshold, to.threshold, x),
            slope: f64::between(from.slope, to.slope, x),
            knee: f64::between(from.knee, to.knee, x),
            range: f64::between(from.range, to.range, x),
            side: from.side,
        }
    }
}

/// Times in seconds. `attack` is that of a rising reduction.
#[derive(Clone, Copy)]
struct Times {
    attack: f64,
    release: f64,
    hold: f64,
}

/// Holds the automatable parameters, in the terms that compressor, expander and gate share.
#[derive(Clone, Copy)]
struct Settings {
    curve: Curve,
    times: Times,
    makeup_db: f64,
}

/// Holds the parameters that do not change during a render: the last ones of every kind, from `rms` on.
#[derive(Clone, Copy)]
struct Detector {
    /// Time in seconds over which the power is averaged; 0 for peaks.
    rms: f64,
    /// Look-ahead in seconds.
    lookahead: f64,
    /// Frequencies of a high-pass and a low-pass ahead of the detector; 0 for none.
    highpass: f64,
    lowpass: f64,
}

impl Detector {
    fn new(values: &[f64]) -> Self {
        let &[rms, lookahead, highpass, lowpass] = values.last_chunk().unwrap_or(&[0.0; 4]);
        Self {
            rms,
            lookahead,
            highpass,
            lowpass,
        }
    }
}

/// Holds the values that follow from the automatable parameters.
#[derive(Clone, Copy)]
struct Response {
    curve: Curve,
    /// Share of the difference that is left after a frame.
    attack: f64,
    release: f64,
    hold_frames: u64,
    /// Linear gain after the reduction.
    makeup: f64,
}

impl Response {
    fn new(settings: &Settings, spec: Spec) -> Self {
        let Settings {
            curve,
            times,
            makeup_db,
        } = *settings;
        Self {
            curve,
            attack: share_left(times.attack, spec),
            release: share_left(times.release, spec),
            hold_frames: frames(times.hold, spec),
            makeup: if makeup_db == 0.0 {
                1.0
            } else {
                crate::units::Decibels(makeup_db).gain().0
            },
        }
    }
}

impl Line for Response {
    #[inline(always)]
    fn between(from: Self, to: Self, x: f64) -> Self {
        Self {
            curve: Curve::between(from.curve, to.curve, x),
            attack: f64::between(from.attack, to.attack, x),
            release: f64::between(from.release, to.release, x),
            hold_frames: to.hold_frames,
            makeup: f64::between(from.makeup, to.makeup, x),
        }
    }
}

/// Time constants after which what was before is forgotten: of a difference of 60 dB, 0.00005 dB are left.
const SETTLING_TIME_CONSTANTS: f64 = 14.0;

/// Frames that are worked on together, so that their levels and gains are computed side by side.
const CHUNK: usize = 64;

/// The level of silence, in dBFS.
const SILENT_DB: f64 = -300.0;

/// Puts the amplitude of the loudest channel of each frame into `amplitudes`.
pub(super) fn loudest_channel(block: &Block, amplitudes: &mut Vec<f64>) {
    amplitudes.clear();
    amplitudes.resize(block.frames(), 0.0);
    for samples in block.channels() {
        for (amplitude, sample) in amplitudes.iter_mut().zip(samples) {
            *amplitude = amplitude.max(sample.abs());
        }
    }
}

/// Multiplies the frames of all channels by their gains, and by the makeup gain of each frame.
pub(super) fn apply_gains(block: &mut Block, gains: &[f64], makeup: impl Fn(usize) -> f64) {
    for samples in block.channels_mut() {
        for (frame, (sample, gain)) in samples.iter_mut().zip(gains).enumerate() {
            *sample *= gain * makeup(frame);
        }
    }
}

/// Delays a signal by the look-ahead of its processor.
pub(super) struct LookAhead {
    /// The signal that is on its way, as a ring for each channel, and the place of its oldest frame.
    rings: Vec<Vec<f64>>,
    oldest: usize,
}

impl LookAhead {
    pub(super) fn new(seconds: f64, spec: Spec) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "at most 1 s")]
        let ring = vec![0.0; frames(seconds, spec) as usize];
        Self {
            rings: vec![ring; spec.layout.channels()],
            oldest: 0,
        }
    }

    pub(super) fn frames(&self) -> u64 {
        self.rings.first().map_or(0, Vec::len) as u64
    }

    pub(super) fn reset(&mut self) {
        self.rings.iter_mut().for_each(|ring| ring.fill(0.0));
        self.oldest = 0;
    }

    /// Replaces a block by what went in as many frames earlier.
    pub(super) fn pass(&mut self, block: &mut Block) {
        let length = self.rings.first().map_or(0, Vec::len);
        if length == 0 {
            return;
        }
        for (samples, ring) in block.channels_mut().zip(&mut self.rings) {
            let (before, after) = ring.split_at_mut(self.oldest.min(length));
            let mut rest = samples;
            // Each frame changes places with the oldest one in the ring; a long block goes round several times.
            while !rest.is_empty() {
                for part in [&mut *after, &mut *before] {
                    let (now, later) = rest.split_at_mut(part.len().min(rest.len()));
                    now.iter_mut()
                        .zip(part)
                        .for_each(|(sample, kept)| std::mem::swap(kept, sample));
                    rest = later;
                }
            }
        }
        self.oldest = (self.oldest + block.frames()) % length;
    }
}

struct Dynamics {
    settings: fn(&[f64]) -> Settings,
    spec: Spec,
    response: Gliding<Response>,
    /// Share of the averaged power that is left after a frame; 0 to detect peaks.
    average: f64,
    key_filters: Vec<Filter>,
    memory: Memory,
    ahead: LookAhead,
    state: State,
    /// The next frame is the first after a reset.
    is_reset: bool,
    /// Scratch for the filtered key.
    key: Block,
    /// Gains of the block processed last, without makeup; empty without reduction.
    gains: Vec<f64>,
}

/// State that depends on the signal.
#[derive(Clone, Copy, Default)]
struct State {
    /// Reduction in dB.
    reduction: f64,
    /// Averaged power of the loudest channel.
    power: f64,
    /// Frames for which a reduction may not rise yet.
    hold: u64,
    is_open: bool,
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "at most 10 s at 768 kHz"
)]
pub(super) fn frames(seconds: f64, spec: Spec) -> u64 {
    (seconds * f64::from(spec.rate.hz())).round() as u64
}

/// Returns the share of a difference that is left after one frame, for a time constant.
fn share_left(seconds: f64, spec: Spec) -> f64 {
    if seconds > 0.0 {
        libm::exp(-1.0 / (seconds * f64::from(spec.rate.hz())))
    } else {
        0.0
    }
}

impl Dynamics {
    fn new(settings: fn(&[f64]) -> Settings, values: &[f64], spec: Spec) -> Self {
        let (stated, detector) = (settings(values), Detector::new(values));
        let Settings { curve, times, .. } = stated;
        let ahead = LookAhead::new(detector.lookahead, spec);
        let key_filters = [
            (
                Filter::highpass as fn(f64, Spec) -> Filter,
                detector.highpass,
            ),
            (Filter::lowpass, detector.lowpass),
        ];
        let key_filters: Vec<Filter> = (key_filters.into_iter())
            .filter(|(_, freq)| *freq > 0.0)
            .map(|(build, freq)| build(freq, spec))
            .collect();
        let slowest = times.attack.max(times.release);
        let settles = frames(
            times.hold + SETTLING_TIME_CONSTANTS * (slowest + detector.rms),
            spec,
        );
        let filters_settle: u64 = key_filters.iter().map(|filter| filter.settles().0).sum();
        let memory = if curve.is_neutral() {
            Memory::Window(Frames(ahead.frames()))
        } else {
            Memory::Fading(Frames(ahead.frames() + settles + filters_settle))
        };
        Self {
            settings,
            spec,
            response: Gliding::new(Response::new(&stated, spec)),
            average: share_left(detector.rms, spec),
            key_filters,
            memory,
            ahead,
            state: State::default(),
            is_reset: true,
            key: Block::new(spec.layout, 0),
            gains: Vec::new(),
        }
    }

    /// Turns the levels of frames in dBFS into smoothed reductions in dB; `response` gives that of each.
    #[inline(always)]
    fn smooth(&mut self, levels: &mut [f64], response: impl Fn(usize) -> Response) {
        let mut state = self.state;
        for (frame, level) in levels.iter_mut().enumerate() {
            let Response {
                curve,
                attack,
                release,
                hold_frames,
                ..
            } = response(frame);
            let target = curve.reduction(*level, state.is_open);
            state.is_open = target == 0.0;
            if hold_frames > 0 {
                if target <= state.reduction {
                    state.hold = hold_frames;
                } else if state.hold > 0 {
                    state.hold -= 1;
                    *level = state.reduction;
                    continue;
                }
            }
            let left = if target > state.reduction {
                attack
            } else {
                release
            };
            state.reduction = target + left * (state.reduction - target);
            *level = state.reduction;
        }
        self.state = state;
    }

    /// Takes the amplitude of the loudest channel of each frame, of the key where there is one, after the key filters.
    fn detect(&mut self, signal: &Block, amplitudes: &mut Vec<f64>) {
        if self.key_filters.is_empty() {
            return loudest_channel(signal, amplitudes);
        }
        if self.key.layout() != signal.layout() || self.key.capacity() < signal.frames() {
            self.key = Block::new(signal.layout(), signal.frames());
        }
        self.key.set_frames(signal.frames());
        for (to, from) in self.key.channels_mut().zip(signal.channels()) {
            to.copy_from_slice(from);
        }
        for filter in &mut self.key_filters {
            filter.widen(signal.layout());
            filter.process(Frames::ZERO, &mut self.key, None);
        }
        loudest_channel(&self.key, amplitudes);
    }

    /// Replaces the amplitudes of frames by their gains; `first` is the index of the first one in the block.
    fn amplitudes_to_gains(&mut self, values: &mut [f64], first: usize) {
        if self.average > 0.0 {
            values.iter_mut().for_each(|value| *value *= *value);
            self.average(values);
            values
                .iter_mut()
                .for_each(|power| *power = 0.5 * decibel::of_amplitude(*power));
        } else {
            values
                .iter_mut()
                .for_each(|amplitude| *amplitude = decibel::of_amplitude(*amplitude));
        }
        match self.response.still() {
            Some(response) => self.smooth(values, |_| response),
            None => {
                let line = self.response.line();
                self.smooth(values, |frame| line.at(first + frame));
            }
        }
        values
            .iter_mut()
            .for_each(|reduction| *reduction = decibel::to_amplitude(-*reduction));
    }

    /// Replaces powers of frames by their running average.
    fn average(&mut self, powers: &mut [f64]) {
        let left = self.average;
        let mut power = self.state.power;
        for value in powers {
            power = *value + left * (power - *value);
            *value = power;
        }
        self.state.power = power;
    }
}

impl Processor for Dynamics {
    fn latency(&self) -> Frames {
        Frames(self.ahead.frames())
    }

    fn memory(&self) -> Memory {
        self.memory
    }

    fn reset(&mut self) {
        self.ahead.reset();
        self.key_filters.iter_mut().for_each(Filter::reset);
        self.is_reset = true;
    }

    fn glide(&mut self, glide: Glide<'_>) {
        let (settings, spec) = (self.settings, self.spec);
        let derive = |values: &[f64]| Response::new(&settings(values), spec);
        self.response.set(glide, derive);
    }

    fn process(&mut self, _: Frames, block: &mut Block, key: Option<&Block>) {
        let start = self.response.at(0);
        if std::mem::take(&mut self.is_reset) {
            // What silence comes to, so that silence leaves it as it is. Power counts decibels half.
            let silent = if self.average > 0.0 {
                0.5 * SILENT_DB
            } else {
                SILENT_DB
            };
            self.state = State {
                reduction: start.curve.reduction(silent, false),
                ..State::default()
            };
        }
        if self.response.is_fixed() && start.curve.is_neutral() {
            self.gains.clear();
            self.ahead.pass(block);
            if start.makeup != 1.0 {
                block
                    .channels_mut()
                    .for_each(|samples| super::gain::scale(samples, start.makeup));
            }
            return;
        }
        // The levels come from the input, the gains go to the delayed signal: all levels of a block are taken first.
        let mut gains = std::mem::take(&mut self.gains);
        self.detect(key.unwrap_or(block), &mut gains);
        for (index, part) in gains.chunks_mut(CHUNK).enumerate() {
            self.amplitudes_to_gains(part, index * CHUNK);
        }
        self.ahead.pass(block);
        match self.response.still() {
            Some(response) => apply_gains(block, &gains, |_| response.makeup),
            None => apply_gains(block, &gains, |frame| self.response.at(frame).makeup),
        }
        self.gains = gains;
    }

    fn gains(&self) -> Option<&[f64]> {
        Some(&self.gains)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{layout::Layout, units::SampleRate};

    const RATE: f64 = 48_000.0;

    fn spec(layout: Layout) -> Spec {
        Spec {
            rate: SampleRate::HZ_48000,
            layout,
        }
    }

    /// Builds a processor with some values other than the defaults.
    fn built(kind: &ProcessorKind, set: &[(&str, f64)], layout: Layout) -> Box<dyn Processor> {
        let values: Vec<f64> = kind
            .parameters
            .iter()
            .map(|parameter| {
                let value = set.iter().find(|(key, _)| *key == parameter.key);
                value.map_or(parameter.default, |(_, value)| *value)
            })
            .collect();
        (kind.build)(&values, spec(layout))
    }

    fn processed(
        processor: &mut dyn Processor,
        channels: &[Vec<f64>],
        cut: usize,
    ) -> Vec<Vec<f64>> {
        let layout = if channels.len() == 1 {
            Layout::Mono
        } else {
            Layout::Stereo
        };
        let mut out = vec![Vec::new(); channels.len()];
        let mut at = 0;
        while at < channels[0].len() {
            let n = cut.min(channels[0].len() - at);
            let mut block = Block::new(layout, n);
            block.fill(n, 0.0);
            for (ch, samples) in channels.iter().enumerate() {
                block.channel_mut(ch).copy_from_slice(&samples[at..at + n]);
            }
            processor.process(Frames(at as u64), &mut block, None);
            for (out, samples) in out.iter_mut().zip(block.channels()) {
                out.extend_from_slice(samples);
            }
            at += n;
        }
        out
    }

    fn amplitude(db: f64) -> f64 {
        10f64.powf(db / 20.0)
    }

    /// The gain in dB that a level ends at.
    fn settled(kind: &ProcessorKind, set: &[(&str, f64)], level: f64) -> f64 {
        let mut processor = built(kind, set, Layout::Mono);
        let frames = 60_000;
        let input: Vec<f64> = (0..frames)
            .map(|n| amplitude(level) * if n % 2 == 0 { 1.0 } else { -1.0 })
            .collect();
        let out = processed(processor.as_mut(), std::slice::from_ref(&input), 4096);
        20.0 * (out[0][frames - 1] / input[frames - 1]).log10()
    }

    #[test]
    fn the_static_curve_of_a_compressor_is_its_formula_at_100_levels() {
        let mut worst = 0.0f64;
        for (knee, rms) in [(0.0, 0.0), (12.0, 0.0), (6.0, 0.01)] {
            for n in 0..100 {
                let level = -80.0 + f64::from(n);
                let set = [
                    ("threshold", -24.0),
                    ("ratio", 4.0),
                    ("knee", knee),
                    ("attack", 0.005),
                    ("makeup", 3.0),
                    ("rms", rms),
                ];
                // Giannoulis et al., equation 4.
                let over = level + 24.0;
                let expected = 3.0
                    + if 2.0 * over < -knee {
                        0.0
                    } else if 2.0 * over <= knee {
                        (1.0 / 4.0 - 1.0) * (over + knee / 2.0).powi(2) / (2.0 * knee)
                    } else {
                        (1.0 / 4.0 - 1.0) * over
                    };
                worst = worst.max((settled(&COMPRESSOR, &set, level) - expected).abs());
            }
        }
        println!("at most {worst:.1e} dB off");
        assert!(worst <= 1e-9, "{worst}");
    }

    #[test]
    fn the_static_curves_of_expander_and_gate_are_their_formulas() {
        for n in 0..100 {
            let level = -99.0 + f64::from(n);
            let set = [
                ("threshold", -40.0),
                ("ratio", 3.0),
                ("knee", 0.0),
                ("range", -30.0),
                ("release", 0.01),
                ("hold", 0.0),
            ];
            let expected = (2.0 * (level + 40.0)).clamp(-30.0, 0.0);
            assert!(
                (settled(&EXPANDER, &set, level) - expected).abs() <= 1e-9,
                "{level}"
            );
            let set = [
                ("threshold", -40.5),
                ("range", -50.0),
                ("release", 0.01),
                ("hold", 0.0),
            ];
            let expected = if level < -40.5 { -50.0 } else { 0.0 };
            assert!(
                (settled(&GATE, &set, level) - expected).abs() <= 1e-9,
                "{level}"
            );
        }
    }

    #[test]
    fn attack_and_release_cover_63_percent_in_their_times_to_the_frame() {
        for (attack, release) in [(0.01, 0.1), (0.0005, 0.02), (0.1, 0.25)] {
            let set = [
                ("threshold", -30.0),
                ("ratio", 2.0),
                ("knee", 0.0),
                ("attack", attack),
                ("release", release),
            ];
            let (rise, fall) = (48_000usize, 96_000usize);
            let input: Vec<f64> = (0..144_000)
                .map(|n| {
                    amplitude(if (rise..fall).contains(&n) {
                        -10.0
                    } else {
                        -40.0
                    })
                })
                .collect();
            let mut processor = built(&COMPRESSOR, &set, Layout::Mono);
            let out = processed(processor.as_mut(), std::slice::from_ref(&input), 1000);
            let gain: Vec<f64> = out[0]
                .iter()
                .zip(&input)
                .map(|(y, x)| 20.0 * (y / x).log10())
                .collect();
            // The reduction goes from 0 dB to 10 dB and back.
            let share = 1.0 - (-1.0f64).exp();
            let risen = gain[rise..fall]
                .iter()
                .position(|g| *g <= -10.0 * share + 1e-6)
                .unwrap()
                + 1;
            let top = gain[fall - 1];
            let fallen = gain[fall..]
                .iter()
                .position(|g| *g >= top * (1.0 - share) - 1e-6)
                .unwrap()
                + 1;
            assert!(
                (risen as f64 - attack * RATE).abs() <= 1.0,
                "{risen} frames of {attack} s"
            );
            assert!(
                (fallen as f64 - release * RATE).abs() <= 1.0,
                "{fallen} frames of {release} s"
            );
        }
    }

    #[test]
    fn a_gate_holds_and_has_hysteresis() {
        let set = [
            ("threshold", -40.0),
            ("hysteresis", 6.0),
            ("range", -60.0),
            ("attack", 0.0),
            ("hold", 0.01),
            ("release", 0.0),
        ];
        // Closed, open, between the two thresholds, and below both.
        let levels = [-43.0, -20.0, -43.0, -50.0];
        let input: Vec<f64> = (0..4000).map(|n| amplitude(levels[n / 1000])).collect();
        let mut processor = built(&GATE, &set, Layout::Mono);
        let out = processed(processor.as_mut(), std::slice::from_ref(&input), 333);
        let open: Vec<bool> = out[0].iter().zip(&input).map(|(y, x)| y == x).collect();
        assert!(open[..1000].iter().all(|open| !open));
        assert!(open[1000..3000].iter().all(|open| *open));
        // 10 ms are 480 frames.
        assert!(open[3000..3480].iter().all(|open| *open));
        assert!(open[3480..].iter().all(|open| !open));
        assert!((out[0][3999] / input[3999] - 0.001).abs() < 1e-12);
    }

    #[test]
    fn look_ahead_delays_the_signal_and_not_the_reduction() {
        let set = [
            ("threshold", -20.0),
            ("ratio", 1000.0),
            ("knee", 0.0),
            ("attack", 0.0),
            ("lookahead", 0.005),
        ];
        for cut in [1, 7, 100, 240, 241, 5000] {
            let mut processor = built(&COMPRESSOR, &set, Layout::Mono);
            assert_eq!(processor.latency(), Frames(240));
            let input: Vec<f64> = (0..2000)
                .map(|n| if n < 1000 { 0.01 } else { 1.0 })
                .collect();
            let out = processed(processor.as_mut(), std::slice::from_ref(&input), cut);
            assert!(out[0][..240].iter().all(|x| *x == 0.0));
            assert!(out[0][240..1000].iter().all(|x| *x == 0.01), "{cut}");
            let turned = amplitude(-20.0 * 0.999);
            assert!(
                out[0][1000..1240]
                    .iter()
                    .all(|x| (x / (0.01 * turned) - 1.0).abs() < 1e-9)
            );
            assert!(
                out[0][1240..]
                    .iter()
                    .all(|x| (x / turned - 1.0).abs() < 1e-9)
            );
        }
    }

    #[test]
    fn stereo_keeps_its_image_and_blocks_change_no_bit() {
        let noise = |seed: u64| -> Vec<f64> {
            let mut state = seed;
            (0..10_000)
                .map(|n| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    let swell = (f64::from(n) / 900.0).sin().abs();
                    ((state >> 40) as f64 / f64::from(1 << 23) - 1.0) * swell
                })
                .collect()
        };
        let left = noise(1);
        let right: Vec<f64> = left.iter().map(|x| x * 0.5).collect();
        for kind in [&COMPRESSOR, &EXPANDER, &GATE] {
            let set = [("threshold", -12.0), ("lookahead", 0.001), ("rms", 0.002)];
            let all = [left.clone(), right.clone()];
            let whole = processed(built(kind, &set, Layout::Stereo).as_mut(), &all, 10_000);
            assert_ne!(whole[0], left);
            for (l, r) in whole[0].iter().zip(&whole[1]) {
                assert_eq!(l * 0.5, *r, "{}", kind.name);
            }
            for cut in [1, 63, 64, 65, 1000] {
                let parts = processed(built(kind, &set, Layout::Stereo).as_mut(), &all, cut);
                assert!(parts == whole, "{} cut into {cut}", kind.name);
            }
        }
    }

    #[test]
    fn neutral_settings_change_no_bit_and_silence_leaves_the_state() {
        let input: Vec<f64> = (0..1000)
            .map(|n| (f64::from(n) / 7.0).sin() * 0.5)
            .collect();
        let neutral: [(&ProcessorKind, &[(&str, f64)]); 4] = [
            (&COMPRESSOR, &[("ratio", 1.0)]),
            (&COMPRESSOR, &[("threshold", 0.0), ("knee", 0.0)]),
            (&EXPANDER, &[("ratio", 1.0)]),
            (&GATE, &[("range", 0.0)]),
        ];
        for (kind, set) in neutral {
            let out = processed(
                built(kind, set, Layout::Mono).as_mut(),
                std::slice::from_ref(&input),
                100,
            );
            assert_eq!(out[0], input, "{}", kind.name);
        }
        for kind in [&COMPRESSOR, &EXPANDER, &GATE] {
            let silence = vec![0.0; 5000];
            let mut fresh = built(kind, &[], Layout::Mono);
            let mut rested = built(kind, &[], Layout::Mono);
            let silent = processed(rested.as_mut(), std::slice::from_ref(&silence), 1000);
            assert!(silent[0].iter().all(|x| *x == 0.0));
            let (a, b) = (
                processed(fresh.as_mut(), std::slice::from_ref(&input), 100),
                processed(rested.as_mut(), std::slice::from_ref(&input), 100),
            );
            assert_eq!(a, b, "{}", kind.name);
        }
    }

    #[test]
    fn static_curves_are_two_lines_and_a_parabola() {
        let curve = |side, knee| Curve {
            threshold: -20.0,
            slope: 0.75,
            knee,
            range: 30.0,
            side,
        };
        // Of a knee of 6 dB an eighth of the width lies below the threshold, and half of it where the knee ends.
        for (side, sign) in [(Side::Above, 1.0), (Side::Below, -1.0)] {
            let reduction =
                |knee, over: f64| curve(side, knee).reduction(-20.0 + sign * over, false);
            let found = [-3.5, -3.0, 0.0, 3.0, 10.0, 50.0].map(|over| reduction(6.0, over));
            assert_eq!(found, [0.0, 0.0, 0.5625, 2.25, 7.5, 30.0]);
            let found = [-1.0, 0.0, 1.0, 8.0].map(|over| reduction(0.0, over));
            assert_eq!(found, [0.0, 0.0, 0.75, 6.0]);
        }
        let gate = curve(Side::Gate, 6.0);
        let closed = [-20.5, -20.0, 0.0].map(|level| gate.reduction(level, false));
        assert_eq!(closed, [30.0, 0.0, 0.0]);
        let open = [-26.5, -26.0, -20.5].map(|level| gate.reduction(level, true));
        assert_eq!(open, [30.0, 0.0, 0.0]);

        let flat = |side| Curve {
            slope: 0.0,
            ..curve(side, 6.0)
        };
        let off = |side| Curve {
            range: 0.0,
            ..curve(side, 6.0)
        };
        let sides = [Side::Above, Side::Below, Side::Gate];
        assert_eq!(sides.map(|side| curve(side, 6.0).is_neutral()), [false; 3]);
        assert_eq!(
            sides.map(|side| flat(side).is_neutral()),
            [true, true, false]
        );
        assert_eq!(sides.map(|side| off(side).is_neutral()), [true; 3]);
    }

    #[test]
    fn powers_are_averaged_with_the_share_that_is_left() {
        let values: Vec<f64> = GATE.parameters.iter().map(|p| p.default).collect();
        let mut gate = Dynamics::new(gate, &values, spec(Layout::Mono));
        gate.average = 0.5;
        let mut powers = [1.0, 1.0, 1.0, 0.0];
        gate.average(&mut powers);
        assert_eq!(powers, [0.5, 0.75, 0.875, 0.4375]);
        gate.average(&mut powers[..1]);
        assert_eq!(powers[0], 0.46875);
    }
}
