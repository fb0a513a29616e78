//! The interface of audio processors, and the registry of the built-in ones.
//!
//! A processor changes the signal of one strip. The session holds [`Insert`](crate::Insert)s, which are plain data; when
//! a plan is rendered, each insert builds its processor. To add a processor, write a file in this folder with a
//! [`ProcessorKind`] and a type that implements [`Processor`], and list it in [`PROCESSORS`]: session keys, printing and
//! validation derive from its table of parameters.

use super::{delay, ducker, dynamics, filter, glide::Glide, limiter, trim};
use crate::{
    block::Block,
    layout::Spec,
    units::{Frames, SampleRate},
};

/// The earlier input that a processor's output depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// Output frame t depends on no input before t − n, to the last bit, as for a filter of finite length.
    Window(Frames),
    /// The state is recursive, but n frames after a reset it has settled for all practical purposes. Such a processor is
    /// reset at fixed positions of the timeline and fed from n frames before them, so that its output is a pure function of
    /// the absolute frame, whatever the start of the render.
    Fading(Frames),
    /// Output depends on all earlier input. A render always starts at the frame at which the strip begins to sound.
    Unbounded,
}

/// Processes the audio of one strip in place.
///
/// The contract that keeps renders bit-identical for every block size, number of threads, range and in live playback:
/// * output depends on the samples and their absolute frames only, never on how the signal was cut into blocks;
/// * after [`reset`](Self::reset), silence in gives silence out, and leaves the state as it was;
/// * [`process`](Self::process) does not allocate, lock or wait once it has seen a block of the largest size.
///
/// ```
/// use soundtrack::{Block, Frames, Insert, Layout, SampleRate, Session, Spec, Track};
/// use soundtrack::{dsp::{Memory, Processor}, media};
///
/// /// Turns the signal upside down.
/// struct Invert;
///
/// impl Processor for Invert {
///     fn memory(&self) -> Memory {
///         Memory::Window(Frames(0)) // an output frame depends on no earlier input
///     }
///     fn reset(&mut self) {}
///     fn process(&mut self, _at: Frames, block: &mut Block, _key: Option<&Block>) {
///         for samples in block.channels_mut() {
///             samples.iter_mut().for_each(|sample| *sample = -*sample);
///         }
///     }
/// }
///
/// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
/// let mut mix = Session::new(spec.rate, spec.layout);
/// let stem = media::Memory::new(spec, vec![vec![0.5, -0.25]])?;
/// mix.add_track(Track::new("stem", stem).insert(Insert::custom("invert", |_spec| Box::new(Invert))));
/// assert_eq!(mix.render(Frames(0)..Frames(2))?, [[-0.5, 0.25]]);
/// # Ok::<(), soundtrack::Error>(())
/// ```
pub trait Processor: Send {
    /// Returns the look-ahead in frames: output frame t depends on input up to t + latency. The plan compensates it, so that
    /// every strip stays aligned. What comes out so many frames ahead of the first input, such as the pre-ringing of a
    /// linear-phase filter, is heard.
    fn latency(&self) -> Frames {
        Frames::ZERO
    }

    /// Returns the earlier input that the output depends on.
    fn memory(&self) -> Memory;

    /// Returns the number of frames that sound after the input has ended. Output after them is replaced by silence.
    fn tail(&self) -> Frames {
        Frames::ZERO
    }

    /// Reports whether the tail makes the mix longer, as that of an echo does; the ringing of a filter does not. True unless
    /// a processor says otherwise.
    fn prolongs_mix(&self) -> bool {
        true
    }

    /// Forgets all input: the next block follows silence.
    fn reset(&mut self);

    /// Takes the values of the parameters around the next block, where they change over time.
    ///
    /// Once called, it is called before each [`process`](Self::process). Only built-in processors have parameters.
    fn glide(&mut self, _glide: Glide<'_>) {}

    /// Replaces the input in `block` by as many frames of output, which lag behind it by [`latency`](Self::latency).
    ///
    /// `key` is the side-chain signal of the same frames, where the insert has one; its layout is that of the session.
    /// `at` is the absolute frame of the first input frame. Blocks follow each other without gaps until the next reset,
    /// but at the end of a live loop `at` jumps while the signal continues.
    fn process(&mut self, at: Frames, block: &mut Block, key: Option<&Block>);

    /// Returns the gain reduction of the block that was processed last, for meters and reports: the gain of each frame, 1 for
    /// none and 0.5 for 6 dB, without makeup. An empty slice stands for no reduction in that block. `None`, the default, is
    /// for processors that do not reduce gain, which reports do not list.
    fn gains(&self) -> Option<&[f64]> {
        None
    }
}

/// The unit of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit {
    /// Decibels.
    Decibels,
    /// Decibels of true peak, relative to full scale.
    TruePeak,
    /// Seconds.
    Seconds,
    /// A share, 0 to 1.
    Share,
    /// A frequency in Hz, below half the sample rate.
    Hertz,
    /// Steepness in dB per octave, a multiple of 6.
    Slope,
    /// A plain number, such as the Q of a filter or the ratio of a compressor.
    Number,
}

/// One parameter of a processor.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Parameter {
    /// Its key in the session file.
    pub key: &'static str,
    /// The unit of its value.
    pub unit: Unit,
    /// The default value.
    pub default: f64,
    /// The lowest and the highest value.
    pub range: (f64, f64),
    /// A description, one sentence.
    pub doc: &'static str,
    /// The processor stores the signal for as many seconds as the value.
    pub stores_signal: bool,
    /// The value may change over time; otherwise it holds for the whole render.
    pub automatable: bool,
}

impl Parameter {
    /// Returns what is wrong with a value; `None` for a value in range. A frequency is checked against half the sample rate
    /// where that is known.
    pub(crate) fn problem(&self, value: f64, rate: Option<SampleRate>) -> Option<String> {
        let (lowest, highest) = self.range;
        if !(lowest..=highest).contains(&value) {
            return Some(format!(
                "{} of {value} is outside {lowest} to {highest}",
                self.key
            ));
        }
        match (self.unit, rate) {
            (Unit::Slope, _) if value % 6.0 != 0.0 => Some(format!(
                "{} of {value} dB per octave is not a multiple of 6",
                self.key
            )),
            (Unit::Hertz, Some(rate)) if value >= f64::from(rate.hz()) / 2.0 => Some(format!(
                "{} of {value} Hz is not below half the sample rate of {rate} Hz; lower it, or bypass the insert",
                self.key
            )),
            _ => None,
        }
    }
}

/// A kind of built-in processor: its name, its parameters and its constructor.
#[derive(Debug)]
#[non_exhaustive]
pub struct ProcessorKind {
    /// Its name, the value of `type` in the session file.
    pub name: &'static str,
    /// A description, one sentence.
    pub summary: &'static str,
    /// Its parameters, in the order of their values.
    pub parameters: &'static [Parameter],
    /// Another strip can be its side-chain key.
    pub keyed: bool,
    /// Builds a processor from one value for each parameter, for audio of a rate and layout.
    pub(crate) build: fn(&[f64], Spec) -> Box<dyn Processor>,
}

/// Every built-in processor.
pub const PROCESSORS: &[&ProcessorKind] = &[
    &trim::TRIM,
    &filter::HIGHPASS,
    &filter::LOWPASS,
    &filter::BELL,
    &filter::LOW_SHELF,
    &filter::HIGH_SHELF,
    &filter::NOTCH,
    &dynamics::COMPRESSOR,
    &dynamics::EXPANDER,
    &dynamics::GATE,
    &ducker::DUCKER,
    &delay::DELAY,
    &limiter::LIMITER,
];

impl ProcessorKind {
    /// Finds a processor by its name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        PROCESSORS.iter().find(|kind| kind.name == name).copied()
    }
}

impl PartialEq for ProcessorKind {
    /// Compares names, which are unique.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Layout;

    fn problem(unit: Unit, value: f64, rate: Option<SampleRate>) -> Option<String> {
        let parameter = Parameter {
            key: "key",
            unit,
            default: 0.0,
            range: (-60.0, 96_000.0),
            doc: "",
            stores_signal: false,
            automatable: false,
        };
        parameter.problem(value, rate)
    }

    #[test]
    fn a_processor_that_was_reset_gives_what_a_new_one_gives() {
        const FRAMES: usize = 4800;
        let spec = Spec {
            rate: SampleRate::HZ_48000,
            layout: Layout::Stereo,
        };
        let mut noise = Block::new(spec.layout, FRAMES);
        noise.fill(FRAMES, 0.0);
        let mut random = 1u32;
        for sample in noise.channels_mut().flatten() {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *sample = f64::from(random) / 4_294_967_296.0 - 0.5;
        }
        let output = |processor: &mut dyn Processor| {
            let mut block = noise.clone();
            processor.process(Frames(0), &mut block, Some(&noise));
            block.channels().collect::<Vec<_>>().concat()
        };
        for kind in PROCESSORS {
            // A filter without gain and a delay longer than the block would show nothing.
            let value = |parameter: &Parameter| match parameter.key {
                "gain" => -6.0,
                "time" => 0.01,
                _ => parameter.default,
            };
            let values: Vec<f64> = kind.parameters.iter().map(value).collect();
            let mut processor = (kind.build)(&values, spec);
            let new = output(processor.as_mut());
            processor.reset();
            assert_eq!(output(processor.as_mut()), new, "{}", kind.name);
        }
    }

    #[test]
    fn a_value_may_reach_both_ends_of_its_range() {
        let number = |value| problem(Unit::Number, value, Some(SampleRate::HZ_48000));
        for value in [-60.0, 0.5, 96_000.0] {
            assert_eq!(number(value), None);
        }
        for value in [-60.1, 96_000.5, f64::NAN, f64::INFINITY] {
            let message = format!("key of {value} is outside -60 to 96000");
            assert_eq!(number(value), Some(message));
        }
    }

    #[test]
    fn a_slope_has_poles_of_six_decibels_and_a_frequency_is_below_half_the_rate() {
        let slope = |value| problem(Unit::Slope, value, None);
        assert_eq!((slope(6.0), slope(48.0)), (None, None));
        assert_eq!(
            slope(8.0).unwrap(),
            "key of 8 dB per octave is not a multiple of 6"
        );
        let hertz = |value, rate| problem(Unit::Hertz, value, rate);
        let rate = Some(SampleRate::HZ_48000);
        assert_eq!((hertz(23_999.9, rate), hertz(90_000.0, None)), (None, None));
        for value in [24_000.0, 24_001.0] {
            let message = format!(
                "key of {value} Hz is not below half the sample rate of 48000 Hz; lower it, or bypass the insert"
            );
            assert_eq!(hertz(value, rate), Some(message));
        }
        assert_eq!(ProcessorKind::named("none"), None);
        for kind in PROCESSORS {
            assert_eq!(ProcessorKind::named(kind.name), Some(*kind));
        }
    }
}
