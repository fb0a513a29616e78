//! Inserts: the processors of a strip, as data.

use crate::{
    dsp::{PROCESSORS, Parameter, Processor, ProcessorKind, Unit, limiter::LIMITER, trim::TRIM},
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
    /// What it is called among the inserts of its strip; empty for none.
    pub name: String,
    /// Whether it is kept without effect.
    pub bypass: bool,
    processor: InsertProcessor,
}

#[derive(Clone, Debug, PartialEq)]
enum InsertProcessor {
    BuiltIn {
        kind: &'static ProcessorKind,
        values: Vec<f64>,
    },
    Custom(CustomProcessor),
}

/// A processor that the program brings.
#[derive(Clone)]
struct CustomProcessor {
    name: String,
    build: Arc<dyn Fn(Spec) -> Box<dyn Processor> + Send + Sync>,
}

impl PartialEq for CustomProcessor {
    /// Two are equal when one is a clone of the other.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && Arc::ptr_eq(&self.build, &other.build)
    }
}

impl fmt::Debug for CustomProcessor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CustomProcessor({:?})", self.name)
    }
}

impl Insert {
    /// A built-in processor by name, with its default values; [`PROCESSORS`](crate::dsp::PROCESSORS) lists them.
    ///
    /// # Errors
    /// `Session` for a name that is none of these.
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

    /// A gain trim.
    ///
    /// # Panics
    /// Never.
    #[must_use]
    pub fn trim(gain: Decibels) -> Self {
        Self::with(&TRIM, "gain", gain.0)
    }

    /// A true-peak limiter with look-ahead.
    #[must_use]
    pub fn limiter(ceiling: Dbtp) -> Self {
        Self::with(&LIMITER, "ceiling", ceiling.0)
    }

    /// A processor that the program brings: `build` makes one for the rate and layout of the strip, as often as it is
    /// needed. The contract is at [`Processor`].
    pub fn custom(
        name: impl Into<String>,
        build: impl Fn(Spec) -> Box<dyn Processor> + Send + Sync + 'static,
    ) -> Self {
        let custom = CustomProcessor {
            name: name.into(),
            build: Arc::new(build),
        };
        Self {
            name: String::new(),
            bypass: false,
            processor: InsertProcessor::Custom(custom),
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
            processor: InsertProcessor::BuiltIn { kind, values },
        }
    }

    /// A built-in processor with one value, which is checked with the session.
    fn with(kind: &'static ProcessorKind, key: &str, value: f64) -> Self {
        let mut insert = Self::built_in(kind);
        insert.put(key, value);
        insert
    }

    fn put(&mut self, key: &str, value: f64) -> Option<&'static Parameter> {
        let InsertProcessor::BuiltIn { kind, values } = &mut self.processor else {
            return None;
        };
        let (parameter, slot) = kind
            .parameters
            .iter()
            .zip(values)
            .find(|(parameter, _)| parameter.key == key)?;
        *slot = value;
        Some(parameter)
    }

    /// Sets a parameter by its key.
    ///
    /// # Errors
    /// `Session` for a key that the processor does not have, and for a value outside its range.
    pub fn set(mut self, key: &str, value: f64) -> Result<Self> {
        let refused = |what: String| Err(Error::new(ErrorKind::Session, what));
        let kind = self.kind_name().to_owned();
        let Some(parameter) = self.put(key, value) else {
            return refused(format!("{kind} has no parameter {key:?}"));
        };
        match parameter.problem(value, None) {
            Some(what) => refused(format!("{kind}: {what}")),
            None => Ok(self),
        }
    }

    /// Names it among the inserts of its strip.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Keeps it without effect, or not.
    #[must_use]
    pub fn bypass(mut self, bypass: bool) -> Self {
        self.bypass = bypass;
        self
    }

    /// Returns the value of a parameter; `None` for a key that the processor does not have.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<f64> {
        let InsertProcessor::BuiltIn { kind, values } = &self.processor else {
            return None;
        };
        kind.parameters
            .iter()
            .zip(values)
            .find(|(parameter, _)| parameter.key == key)
            .map(|(_, value)| *value)
    }

    /// Returns the name of its processor: that of a built-in one, or what the program called its own.
    #[must_use]
    pub fn kind_name(&self) -> &str {
        match &self.processor {
            InsertProcessor::BuiltIn { kind, .. } => kind.name,
            InsertProcessor::Custom(custom) => &custom.name,
        }
    }

    /// Reports whether the program brought its processor.
    pub(crate) fn is_custom(&self) -> bool {
        matches!(self.processor, InsertProcessor::Custom(_))
    }

    /// Returns what is wrong with its values, one sentence each.
    pub(crate) fn problems(&self, rate: SampleRate) -> Vec<String> {
        let InsertProcessor::BuiltIn { kind, values } = &self.processor else {
            return Vec::new();
        };
        kind.parameters
            .iter()
            .zip(values)
            .filter_map(|(parameter, value)| parameter.problem(*value, Some(rate)))
            .collect()
    }

    /// Estimates the bytes of the processor: of each time that it remembers, all samples.
    pub(crate) fn bytes(&self, spec: Spec) -> u64 {
        // A limiter's look-ahead and the filters of its true peak; a program's processor is taken for as large.
        const FIXED_BYTES: u64 = 64 << 10;
        let seconds: f64 = match &self.processor {
            InsertProcessor::BuiltIn { kind, values } => kind
                .parameters
                .iter()
                .zip(values)
                .filter(|(parameter, _)| parameter.unit == Unit::Seconds)
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
            InsertProcessor::BuiltIn { kind, values } => (kind.build)(values, spec),
            InsertProcessor::Custom(custom) => (custom.build)(spec),
        }
    }
}

impl fmt::Display for Insert {
    /// `delay time 0.5 feedback -6 mix 0.5`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind_name())?;
        if let InsertProcessor::BuiltIn { kind, values } = &self.processor {
            for (parameter, value) in kind.parameters.iter().zip(values) {
                write!(f, " {} {value}", parameter.key)?;
            }
        }
        if self.bypass {
            f.write_str(" (bypassed)")?;
        }
        Ok(())
    }
}
