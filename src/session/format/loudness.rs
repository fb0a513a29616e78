//! The loudness of a deliverable: a target by name or by level, and figures that override those of the name.

use super::{
    bindings::Visitor,
    tree::{Node, Value},
    values::{FieldReader, FieldValue, FieldWriter, leading_number, number},
};
use crate::{
    measure::LoudnessTarget,
    session::Deliverable,
    units::{Dbtp, Lufs},
};

/// Lowest and highest level of a target, in LUFS.
pub(super) const LEVELS: (f64, f64) = (-70.0, 0.0);

/// The keys of the table.
#[derive(Default)]
struct Keys {
    target: Option<Target>,
    tolerance: Option<f64>,
    true_peak: Option<Dbtp>,
    fit: bool,
}

/// The key `target`.
enum Target {
    Level(Lufs),
    Named(LoudnessTarget),
    /// A target that a session file cannot state.
    Unstated,
}

pub(super) fn bind(visitor: &mut impl Visitor, deliverable: &mut Deliverable) {
    let mut keys = deliverable
        .loudness
        .as_ref()
        .map(|target| Keys::of(target, deliverable.fit));
    visitor.optional_section("loudness", &mut keys, |inner, keys| {
        inner.field("target", &mut keys.target);
        inner.field("tolerance", &mut keys.tolerance);
        inner.field("true_peak", &mut keys.true_peak);
        inner.field("fit", &mut keys.fit);
    });
    deliverable.fit = keys.as_ref().is_some_and(|keys| keys.fit);
    deliverable.loudness = keys.map(Keys::into_target);
}

impl Keys {
    /// Returns the keys that state a target: its name and the figures that differ from those of the name, or its figures.
    fn of(target: &LoudnessTarget, fit: bool) -> Self {
        let named: Option<LoudnessTarget> = target.name.parse().ok();
        let named = named.filter(|known| known.integrated == target.integrated);
        let base = named.clone().unwrap_or_default();
        let is_lost = (target.tolerance.is_none() && base.tolerance.is_some())
            || (target.true_peak.is_none() && base.true_peak.is_some())
            || target.true_peak_if_louder != base.true_peak_if_louder;
        Self {
            target: match named {
                _ if is_lost => Some(Target::Unstated),
                Some(named) => Some(Target::Named(named)),
                None => target.integrated.map(Target::Level),
            },
            tolerance: target
                .tolerance
                .filter(|_| target.tolerance != base.tolerance),
            true_peak: target
                .true_peak
                .filter(|_| target.true_peak != base.true_peak),
            fit,
        }
    }

    fn into_target(self) -> LoudnessTarget {
        let mut target = match self.target {
            Some(Target::Named(named)) => named,
            Some(Target::Level(level)) => LoudnessTarget::new(level),
            Some(Target::Unstated) | None => LoudnessTarget::default(),
        };
        target.tolerance = self.tolerance.or(target.tolerance);
        target.true_peak = self.true_peak.or(target.true_peak);
        target
    }
}

/// A target by its level or name, as in `-27` or `"ebu-r128"`.
impl FieldValue for Target {
    fn read(node: &Node, field: &mut FieldReader<'_>) -> Option<Self> {
        if let Value::Text(name) = &node.value {
            if leading_number(name).is_some() {
                // Reports that a level is a number.
                field.number(node);
                return None;
            }
            let named = name.parse();
            return field.checked(node, named).map(Self::Named);
        }
        let level = field.number(node)?;
        let (lowest, highest) = LEVELS;
        if !(lowest..=highest).contains(&level) {
            field.wrong(node, format!("{level} is outside {lowest} to {highest}"));
            return None;
        }
        Some(Self::Level(Lufs(level)))
    }

    fn write(&self, field: &mut FieldWriter<'_>) -> Option<Value> {
        match self {
            Self::Level(level) => Some(number(level.0)),
            Self::Named(named) => Some(Value::Text(named.name.to_string())),
            Self::Unstated => {
                let message = format!(
                    "deliverable {:?}: its loudness target has no form in a session file",
                    field.name
                );
                field.refuse(message);
                None
            }
        }
    }
}
