//! Inserts: the processors of a strip, as data.

use super::Selector;
use crate::{
    curve::Curve,
    diagnostics::suggest::hint_or_all,
    dsp::{PROCESSORS, Parameter, Processor, ProcessorKind, limiter::LIMITER, trim::TRIM},
    error::{Error, ErrorKind, Result},
    layout::Spec,
    units::{Dbtp, Decibels, SampleRate},
};
use std::{fmt, sync::Arc};

/// A processor on a strip, between its input and its fader.
///
/// ```
/// use soundtrack::{Decibels, Insert};
/// let echo = Insert::new("delay")?.set("time", 0.5)?.set("feedback", -6.0)?.named("slapback");
/// assert_eq!(echo.value("time"), Some(0.5));
/// assert_eq!(echo.value("mix"), Some(0.5)); // the default
/// assert!(Insert::new("delay")?.set("time", -1.0).is_err());
/// assert_eq!(Insert::trim(Decibels(-3.0)).value("gain"), Some(-3.0));
/// # Ok::<(), soundtrack::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Insert {
    /// Its name among the inserts of its strip; empty for none.
    pub name: String,
    /// Keeps the insert in the session without effect.
    pub bypass: bool,
    /// The track or bus whose output steers the processor, its side-chain; `None` for the strip's own signal.
    pub key: Option<Selector>,
    /// The key was a track that this session leaves out, so it is silence. Only without a `key`.
    pub(crate) is_key_left_out: bool,
    processor: InsertProcessor,
}

#[derive(Clone, Debug, PartialEq)]
enum InsertProcessor {
    BuiltIn {
        kind: &'static ProcessorKind,
        values: Vec<f64>,
        /// The parameters that change over time, by index.
        curves: Vec<(usize, Curve<f64>)>,
    },
    Custom(CustomProcessor),
}

/// Makes a processor of the program for a rate and a layout.
pub(crate) type Build = Arc<dyn Fn(Spec) -> Box<dyn Processor> + Send + Sync>;

/// A processor that the program implements.
#[derive(Clone)]
struct CustomProcessor {
    name: String,
    /// `None` for one that a session file names and the program has not supplied.
    build: Option<Build>,
}

impl PartialEq for CustomProcessor {
    /// Reports whether one is a clone of the other.
    fn eq(&self, other: &Self) -> bool {
        let is_same = match (&self.build, &other.build) {
            (Some(own), Some(other)) => Arc::ptr_eq(own, other),
            (own, other) => own.is_none() && other.is_none(),
        };
        self.name == other.name && is_same
    }
}

impl fmt::Debug for CustomProcessor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CustomProcessor({:?})", self.name)
    }
}

impl Insert {
    /// Creates a built-in processor by name, with its default values; [`PROCESSORS`](crate::dsp::PROCESSORS) lists the names.
    ///
    /// # Errors
    /// `Session` for an unknown name.
    pub fn new(kind: &str) -> Result<Self> {
        let found = ProcessorKind::named(kind).ok_or_else(|| {
            let names: Vec<&str> = PROCESSORS.iter().map(|kind| kind.name).collect();
            let what = format!(
                "there is no processor {kind:?}; there are {}",
                names.join(", ")
            );
            Error::new(ErrorKind::Session, what)
        })?;
        Ok(Self::built_in(found))
    }

    /// Creates a gain trim.
    #[must_use]
    pub fn trim(gain: Decibels) -> Self {
        Self::with(&TRIM, "gain", gain.0)
    }

    /// Creates a true-peak limiter with look-ahead.
    #[must_use]
    pub fn limiter(ceiling: Dbtp) -> Self {
        Self::with(&LIMITER, "ceiling", ceiling.0)
    }

    /// Creates an insert with a processor of the program. `build` makes the processor for the rate and layout of the strip, and
    /// is called each time one is needed. The contract is at [`Processor`].
    ///
    /// A session file keeps its name only: see [`Session::supply`](crate::Session::supply).
    pub fn custom(
        name: impl Into<String>,
        build: impl Fn(Spec) -> Box<dyn Processor> + Send + Sync + 'static,
    ) -> Self {
        Self::of_program(name.into(), Some(Arc::new(build)))
    }

    /// Creates an insert with a processor that the program has yet to supply.
    pub(crate) fn to_supply(name: impl Into<String>) -> Self {
        Self::of_program(name.into(), None)
    }

    fn of_program(name: String, build: Option<Build>) -> Self {
        Self {
            name: String::new(),
            bypass: false,
            key: None,
            is_key_left_out: false,
            processor: InsertProcessor::Custom(CustomProcessor { name, build }),
        }
    }

    fn built_in(kind: &'static ProcessorKind) -> Self {
        let values = kind
            .parameters
            .iter()
            .map(|parameter| parameter.default)
            .collect();
        Self {
            name: String::new(),
            bypass: false,
            key: None,
            is_key_left_out: false,
            processor: InsertProcessor::BuiltIn {
                kind,
                values,
                curves: Vec::new(),
            },
        }
    }

    /// Creates a built-in processor with one value, which the validation of the session checks.
    fn with(kind: &'static ProcessorKind, key: &str, value: f64) -> Self {
        let mut insert = Self::built_in(kind);
        insert.put(key, value);
        insert
    }

    /// Finds a parameter by its key.
    ///
    /// # Errors
    /// The message about a key that the processor does not have.
    fn parameter(&self, key: &str) -> Result<(usize, &'static Parameter), String> {
        let parameters = match &self.processor {
            InsertProcessor::BuiltIn { kind, .. } => kind.parameters,
            InsertProcessor::Custom(_) => &[],
        };
        parameters
            .iter()
            .enumerate()
            .find(|(_, parameter)| parameter.key == key)
            .ok_or_else(|| {
                let hint = hint_or_all(key, parameters.iter().map(|parameter| parameter.key));
                format!("{} has no parameter {key:?}{hint}", self.kind_name())
            })
    }

    /// Sets the value of a parameter, whatever it is; nothing for a key that the processor does not have.
    fn put(&mut self, key: &str, value: f64) {
        let index = self.parameter(key).map(|(index, _)| index);
        if let (InsertProcessor::BuiltIn { values, .. }, Ok(index)) = (&mut self.processor, index)
            && let Some(slot) = values.get_mut(index)
        {
            *slot = value;
        }
    }

    /// Sets a parameter by its key.
    ///
    /// # Errors
    /// `Session` for a key that the processor does not have, and for a value outside its range.
    pub fn set(mut self, key: &str, value: f64) -> Result<Self> {
        let (_, parameter) = self.parameter(key).map_err(refused)?;
        if let Some(what) = parameter.problem(value, None) {
            return Err(refused(format!("{}: {what}", self.kind_name())));
        }
        self.put(key, value);
        Ok(self)
    }

    /// Changes a parameter over time. The curve replaces the value.
    ///
    /// Values are computed at every 64th frame of the timeline, and what follows from them, a gain or the coefficients of a
    /// filter, moves in straight lines between.
    ///
    /// ```
    /// use soundtrack::{Curve, Frames, Insert, Shape};
    /// let sweep = Curve::new()
    ///     .point(Frames(0), 200.0, Shape::Linear)
    ///     .point(Frames(96_000), 8000.0, Shape::Exp);
    /// let filter = Insert::new("lowpass")?.automate("freq", sweep)?;
    /// assert!(filter.curve("freq").is_some());
    /// # Ok::<(), soundtrack::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Session` for a key that the processor does not have or that holds for the whole render
    /// ([`Parameter::automatable`](crate::dsp::Parameter)), for a value outside its range, and for points out of order.
    pub fn automate(mut self, key: &str, curve: Curve<f64>) -> Result<Self> {
        let (index, parameter) = self.parameter(key).map_err(refused)?;
        if let Some(what) = curve_problem(parameter, &curve, None) {
            return Err(refused(format!("{}: {what}", self.kind_name())));
        }
        if let InsertProcessor::BuiltIn { curves, .. } = &mut self.processor {
            curves.retain(|(known, _)| *known != index);
            if !curve.points.is_empty() {
                curves.push((index, curve));
                curves.sort_by_key(|(index, _)| *index);
            }
        }
        Ok(self)
    }

    /// Returns the curve of a parameter; `None` where the parameter does not change over time.
    #[must_use]
    pub fn curve(&self, key: &str) -> Option<&Curve<f64>> {
        self.curves()
            .find(|(_, parameter, _)| parameter.key == key)
            .map(|(_, _, curve)| curve)
    }

    /// Returns the parameters that change over time, with their index.
    pub(crate) fn curves(&self) -> impl Iterator<Item = (usize, &'static Parameter, &Curve<f64>)> {
        let (kind, curves): (_, &[_]) = match &self.processor {
            InsertProcessor::BuiltIn { kind, curves, .. } => (Some(*kind), curves),
            InsertProcessor::Custom(_) => (None, &[]),
        };
        curves
            .iter()
            .filter_map(move |(index, curve)| Some((*index, kind?.parameters.get(*index)?, curve)))
    }

    /// Returns the curves of the parameters, to move their points.
    pub(crate) fn curves_mut(&mut self) -> impl Iterator<Item = &mut Curve<f64>> {
        let curves = match &mut self.processor {
            InsertProcessor::BuiltIn { curves, .. } => curves.as_mut_slice(),
            InsertProcessor::Custom(_) => &mut [],
        };
        curves.iter_mut().map(|(_, curve)| curve)
    }

    /// Returns the values of the parameters, in their order; those of a processor of the program are not known.
    pub(crate) fn values(&self) -> &[f64] {
        match &self.processor {
            InsertProcessor::BuiltIn { values, .. } => values,
            InsertProcessor::Custom(_) => &[],
        }
    }

    /// Sets a parameter to a value that holds from now on, while the session is played. Returns what is wrong with it, and
    /// changes nothing then.
    pub(crate) fn move_to(&mut self, key: &str, value: f64, rate: SampleRate) -> Option<String> {
        let name = self.kind_name();
        let (index, parameter) = match self.parameter(key) {
            Ok(found) => found,
            Err(unknown) => return Some(unknown),
        };
        if !parameter.automatable {
            return Some(format!("{key} of {name} holds for the whole render"));
        }
        if let Some(problem) = parameter.problem(value, Some(rate)) {
            return Some(format!("{name}: {problem}"));
        }
        self.put(key, value);
        if let InsertProcessor::BuiltIn { curves, .. } = &mut self.processor {
            curves.retain(|(known, _)| *known != index);
        }
        None
    }

    /// Returns the insert at each combination of the least and the greatest values of its curves: memory and tail of the
    /// processor are largest at one of these. Just itself where nothing changes over time.
    pub(crate) fn extremes(&self) -> Vec<Self> {
        let mut all = vec![self.clone()];
        for (_, parameter, curve) in self.curves() {
            let values = || curve.points.iter().map(|point| point.value);
            let ends = [
                values().fold(f64::INFINITY, f64::min),
                values().fold(f64::NEG_INFINITY, f64::max),
            ];
            let of_each = |insert: &Self| {
                ends.map(|value| {
                    let mut insert = insert.clone();
                    insert.put(parameter.key, value);
                    insert
                })
            };
            all = all.iter().flat_map(of_each).collect();
        }
        all
    }

    /// Names it among the inserts of its strip.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Bypasses it, or not.
    #[must_use]
    pub fn bypass(mut self, bypass: bool) -> Self {
        self.bypass = bypass;
        self
    }

    /// Steers the processor by the output of another track or bus, which keeps its own way to the mix.
    ///
    /// The key is taken after the fader of that strip, at the same frames. A key that is muted, or not heard because others
    /// are soloed, is silence.
    #[must_use]
    pub fn key(mut self, key: impl Into<Selector>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Replaces a key that is a track by silence, for a session without the tracks.
    pub(crate) fn leave_out_track_key(&mut self) {
        if matches!(self.key, Some(Selector::Track(_))) {
            (self.key, self.is_key_left_out) = (None, true);
        }
    }

    /// Returns its name, or that of its processor where it has none.
    pub(crate) fn called(&self) -> &str {
        if self.name.is_empty() {
            self.kind_name()
        } else {
            &self.name
        }
    }

    /// Reports whether a side-chain key steers its processor.
    pub(crate) fn takes_key(&self) -> bool {
        match &self.processor {
            InsertProcessor::BuiltIn { kind, .. } => kind.keyed,
            InsertProcessor::Custom(_) => true,
        }
    }

    /// Returns the value of a parameter; `None` for a key that the processor does not have.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<f64> {
        let (index, _) = self.parameter(key).ok()?;
        self.values().get(index).copied()
    }

    /// Returns the name of the processor: that of a built-in one, or the one that the program chose.
    #[must_use]
    pub fn kind_name(&self) -> &str {
        match &self.processor {
            InsertProcessor::BuiltIn { kind, .. } => kind.name,
            InsertProcessor::Custom(custom) => &custom.name,
        }
    }

    /// Returns a message where the processor is one that the program should have supplied.
    pub(crate) fn lacks_processor(&self) -> Option<String> {
        match &self.processor {
            InsertProcessor::Custom(CustomProcessor { name, build: None }) if !self.bypass => {
                Some(format!(
                    "the processor {name:?} belongs to another program: bypass the insert, or supply the processor \
                     (Session::supply)"
                ))
            }
            _ => None,
        }
    }

    /// Supplies the processor, if it is one of the program by this name that lacks it; reports whether it is.
    pub(crate) fn supply(&mut self, name: &str, with: &Build) -> bool {
        match &mut self.processor {
            InsertProcessor::Custom(custom) if custom.name == name && custom.build.is_none() => {
                custom.build = Some(Arc::clone(with));
                true
            }
            _ => false,
        }
    }

    /// Reports whether the processor is one of the program.
    pub(crate) fn is_custom(&self) -> bool {
        matches!(self.processor, InsertProcessor::Custom(_))
    }

    /// Returns a message for each value outside its range, or of no use at a sample rate.
    pub(crate) fn problems(&self, rate: SampleRate) -> Vec<String> {
        let InsertProcessor::BuiltIn { kind, values, .. } = &self.processor else {
            return Vec::new();
        };
        let of_values = (kind.parameters.iter().zip(values))
            .filter_map(|(parameter, value)| parameter.problem(*value, Some(rate)));
        let of_curves = self
            .curves()
            .filter_map(|(_, parameter, curve)| curve_problem(parameter, curve, Some(rate)));
        of_values.chain(of_curves).collect()
    }

    /// Estimates the bytes of the processor: for each parameter that is a time, all samples of that time.
    pub(crate) fn bytes(&self, spec: Spec) -> u64 {
        // The look-ahead and true-peak filters of a limiter. A processor of the program is assumed to be as large.
        const FIXED_BYTES: u64 = 64 << 10;
        let seconds: f64 = match &self.processor {
            InsertProcessor::BuiltIn { kind, values, .. } => kind
                .parameters
                .iter()
                .zip(values)
                .filter(|(parameter, _)| parameter.stores_signal)
                .map(|(_, value)| *value)
                .sum(),
            InsertProcessor::Custom(_) => 0.0,
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an estimate, and casts saturate"
        )]
        let samples = (seconds * f64::from(spec.rate.hz())) as u64;
        samples
            .saturating_mul(spec.layout.channels() as u64 * size_of::<f64>() as u64)
            .saturating_add(FIXED_BYTES)
    }

    /// Builds the processor for audio of a rate and layout.
    pub(crate) fn build(&self, spec: Spec) -> Box<dyn Processor> {
        match &self.processor {
            InsertProcessor::BuiltIn { kind, values, .. } => (kind.build)(values, spec),
            InsertProcessor::Custom(CustomProcessor {
                build: Some(build), ..
            }) => build(spec),
            // Refused before anything is built; without a processor the signal passes.
            InsertProcessor::Custom(_) => (TRIM.build)(&[0.0], spec),
        }
    }
}

fn refused(what: String) -> Error {
    Error::new(ErrorKind::Session, what)
}

/// Returns what is wrong with the curve of a parameter; `None` where nothing is.
pub(crate) fn curve_problem(
    parameter: &Parameter,
    curve: &Curve<f64>,
    rate: Option<SampleRate>,
) -> Option<String> {
    let key = parameter.key;
    if !parameter.automatable {
        return Some(format!(
            "{key} holds for the whole render and cannot be automated"
        ));
    }
    if !curve.in_order() {
        return Some(format!("the points of {key} are not in order of time"));
    }
    let mut points = curve.points.iter();
    points.find_map(|point| parameter.problem(point.value, rate))
}

impl fmt::Display for Insert {
    /// Writes the processor with the values that are not the defaults, as in `delay time 0.5 feedback -6`; one that changes
    /// over time as the range of its points, as in `lowpass freq 200..8000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind_name())?;
        if let InsertProcessor::BuiltIn { kind, values, .. } = &self.processor {
            for (parameter, value) in kind.parameters.iter().zip(values) {
                if let Some(curve) = self.curve(parameter.key) {
                    let values = || curve.points.iter().map(|point| point.value);
                    let least = values().fold(f64::INFINITY, f64::min);
                    let greatest = values().fold(f64::NEG_INFINITY, f64::max);
                    write!(f, " {} {least}..{greatest}", parameter.key)?;
                } else if *value != parameter.default {
                    write!(f, " {} {value}", parameter.key)?;
                }
            }
        }
        if self.bypass {
            f.write_str(" (bypassed)")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{layout::Layout, units::SampleRate};

    #[test]
    fn processors_of_a_program_are_equal_if_they_are_clones() {
        let custom = |name: &str| Insert::custom(name, |_| unreachable!());
        let reverb = custom("reverb");
        assert_eq!(reverb, reverb.clone());
        assert_ne!(reverb, custom("reverb"), "another closure");
        let waiting = |name: &str| Insert::to_supply(name);
        assert_eq!(waiting("reverb"), waiting("reverb"));
        assert_ne!(waiting("reverb"), waiting("hall"));
        assert_ne!(waiting("reverb"), reverb);
    }

    #[test]
    fn only_times_for_which_the_signal_is_stored_take_memory() {
        let spec = Spec {
            rate: SampleRate::HZ_48000,
            layout: Layout::Stereo,
        };
        let more = |insert: &Insert| insert.bytes(spec) - (64 << 10);
        // The defaults of a ducker are 1.35 s of attack, hold and release, and no look-ahead.
        let ducker = Insert::new("ducker").unwrap();
        assert_eq!(more(&ducker), 0);
        assert_eq!(more(&ducker.set("lookahead", 0.1).unwrap()), 4800 * 2 * 8);
        assert_eq!(more(&Insert::new("delay").unwrap()), 12_000 * 2 * 8);
    }
}
