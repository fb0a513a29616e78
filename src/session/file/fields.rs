//! Takes known keys out of a table, each as its type; what is left over is unknown.

use super::document::{Node, Table, Text, Value};
use crate::{
    nearest::hint,
    units::{Decibels, Frames, Pan, SampleRate},
};
use std::{cell::RefCell, fmt::Display, ops::Range, str::FromStr};

/// A table being read.
pub(super) struct Fields<'t> {
    /// What the table is, for messages: `track "piano"`.
    who: String,
    table: &'t Table,
    known: RefCell<Vec<&'static str>>,
}

impl<'t> Fields<'t> {
    pub(super) fn new(who: impl Into<String>, table: &'t Table) -> Self {
        Self { who: who.into(), table, known: RefCell::default() }
    }

    pub(super) fn node(&self, key: &'static str) -> Option<&'t Node> {
        self.known.borrow_mut().push(key);
        self.table.entries.iter().find(|(k, _)| k.name == key).map(|(_, node)| node)
    }

    /// Says which keys were asked for by nobody.
    pub(super) fn finish(self, text: &mut Text<'_>) {
        let known = self.known.into_inner();
        for (key, _) in self.table.entries.iter().filter(|(k, _)| !known.contains(&k.name.as_str())) {
            let hint = hint(&key.name, known.iter().copied());
            text.say(key.span.clone(), format!("{}: unknown key {:?}{hint}", self.who, key.name));
        }
    }

    /// A value of the wanted kind; anything else is a problem.
    fn get<T>(
        &self,
        key: &'static str,
        wanted: &str,
        text: &mut Text<'_>,
        read: impl FnOnce(&'t Value) -> Option<T>,
    ) -> Option<T> {
        let node = self.node(key)?;
        let value = read(&node.value);
        if value.is_none() {
            let what = format!("{}: {key} is {}, but should be {wanted}", self.who, node.value.kind());
            text.say(node.span.clone(), what);
        }
        value
    }

    pub(super) fn string(&self, key: &'static str, text: &mut Text<'_>) -> Option<&'t str> {
        self.get(key, "text", text, |v| if let Value::Text(t) = v { Some(t.as_str()) } else { None })
    }

    pub(super) fn switch(&self, key: &'static str, text: &mut Text<'_>) -> bool {
        self.get(key, "true or false", text, |v| if let Value::Switch(on) = v { Some(*on) } else { None })
            .unwrap_or(false)
    }

    pub(super) fn count(&self, key: &'static str, text: &mut Text<'_>) -> Option<u32> {
        let read = |v: &Value| if let Value::Integer(n) = v { u32::try_from(*n).ok() } else { None };
        self.get(key, "a whole number from 0 to 4294967295", text, read)
    }

    pub(super) fn table(&self, key: &'static str, text: &mut Text<'_>) -> Option<&'t Table> {
        self.get(key, "a table", text, |v| if let Value::Table(t) = v { Some(t) } else { None })
    }

    pub(super) fn list(&self, key: &'static str, text: &mut Text<'_>) -> &'t [Node] {
        self.get(key, "a list", text, |v| if let Value::List(l) = v { Some(l.as_slice()) } else { None }).unwrap_or(&[])
    }

    /// A text in a notation of its own.
    pub(super) fn named<T: FromStr<Err: Display>>(&self, key: &'static str, text: &mut Text<'_>) -> Option<T> {
        let (name, node) = (self.string(key, text)?, self.node(key)?);
        name.parse().map_err(|e| text.say(node.span.clone(), format!("{}: {key}: {e}", self.who))).ok()
    }

    pub(super) fn gain(&self, key: &'static str, text: &mut Text<'_>) -> Option<Decibels> {
        let node = self.node(key)?;
        decibels(node).map_err(|what| text.say(node.span.clone(), format!("{}: {key}: {what}", self.who))).ok()
    }

    pub(super) fn pan(&self, key: &'static str, text: &mut Text<'_>) -> Option<Pan> {
        let node = self.node(key)?;
        let pan = match &node.value {
            Value::Text(t) => t.parse().map_err(|e| format!("{e}")),
            Value::Integer(n) if (-1..=1).contains(n) => {
                Ok(Pan(if *n == 0 { 0.0 } else { f64::from(n.signum() as i8) }))
            }
            Value::Number(x) if (-1.0..=1.0).contains(x) => Ok(Pan(*x)),
            Value::Integer(_) | Value::Number(_) => Err("is outside -1 (left) to 1 (right)".to_owned()),
            other => Err(format!("is {}, but should be like \"L30\" or -0.3", other.kind())),
        };
        pan.map_err(|what| text.say(node.span.clone(), format!("{}: {key}: {what}", self.who))).ok()
    }

    pub(super) fn time(&self, key: &'static str, rate: SampleRate, text: &mut Text<'_>) -> Option<Frames> {
        let node = self.node(key)?;
        let time = match &node.value {
            Value::Text(t) => Frames::parse(t, rate).map_err(|e| e.to_string()),
            Value::Integer(n) => u64::try_from(*n).map(Frames).map_err(|_| "is below 0".to_owned()),
            other => Err(format!("is {}, but should be a time like \"12.5s\" or a number of frames", other.kind())),
        };
        time.map_err(|what| text.say(node.span.clone(), format!("{}: {key}: {what}", self.who))).ok()
    }

    pub(super) fn who(&self) -> &str {
        &self.who
    }

    pub(super) fn span(&self, key: &'static str) -> Range<usize> {
        self.node(key).map_or(0..0, |n| n.span.clone())
    }
}

/// A level: a number, which TOML also writes as -inf.
pub(super) fn decibels(node: &Node) -> Result<Decibels, String> {
    match &node.value {
        #[expect(clippy::cast_precision_loss, reason = "levels that lose digits are refused when compiled")]
        Value::Integer(n) => Ok(Decibels(*n as f64)),
        Value::Number(x) if x.is_finite() || *x == f64::NEG_INFINITY => Ok(Decibels(*x)),
        Value::Number(x) => Err(format!("{x} is no level in dB")),
        other => Err(format!("is {}, but should be a level in dB, like -3 or -inf", other.kind())),
    }
}
