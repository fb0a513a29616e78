//! Takes known keys out of a table, each as its type; what is left over is unknown.

use super::{
    clock::{Clock, Zero},
    document::{Key, Node, Owner, Table, Text, Value},
};
use crate::{
    curve::{Fade, FadeShape},
    session::{At, written::Written},
    units::{Decibels, Frames, Pan},
};
use std::{cell::RefCell, fmt::Display, ops::Range, str::FromStr};

/// A table being read.
pub(super) struct Fields<'t> {
    /// What kind of table it is, as the schema names it.
    kind: &'static str,
    /// What the table is, for messages: `track "piano"`.
    who: String,
    table: &'t Table,
    known: RefCell<Vec<&'static str>>,
}

impl<'t> Fields<'t> {
    pub(super) fn new(kind: &'static str, who: impl Into<String>, table: &'t Table) -> Self {
        Self { kind, who: who.into(), table, known: RefCell::default() }
    }

    pub(super) fn node(&self, key: &'static str) -> Option<&'t Node> {
        self.known.borrow_mut().push(key);
        self.table.get(key)
    }

    /// Says which keys were asked for by nobody.
    pub(super) fn finish(self, text: &mut Text) {
        let known = self.known.into_inner();
        #[cfg(test)]
        text.known.entry(self.kind).or_default().extend(known.iter().copied());
        for (key, _) in self.table.entries.iter().filter(|(k, _)| !known.contains(&k.name.as_str())) {
            let hint = text.hint(&key.name, known.iter().copied());
            text.say(key.span.clone(), format!("{}: unknown key {:?}{hint}", self.who, key.name));
        }
        let _ = self.kind;
    }

    /// A value of the wanted kind; anything else is a problem.
    fn get<T>(
        &self,
        key: &'static str,
        wanted: &str,
        text: &mut Text,
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

    pub(super) fn string(&self, key: &'static str, text: &mut Text) -> Option<&'t str> {
        self.get(key, "text", text, |v| if let Value::Text(t) = v { Some(t.as_str()) } else { None })
    }

    pub(super) fn switch(&self, key: &'static str, text: &mut Text) -> bool {
        self.get(key, "true or false", text, |v| if let Value::Switch(on) = v { Some(*on) } else { None })
            .unwrap_or(false)
    }

    pub(super) fn count(&self, key: &'static str, text: &mut Text) -> Option<u32> {
        let read = |v: &Value| if let Value::Integer(n) = v { u32::try_from(*n).ok() } else { None };
        self.get(key, "a whole number from 0 to 4294967295", text, read)
    }

    pub(super) fn table(&self, key: &'static str, text: &mut Text) -> Option<&'t Table> {
        self.get(key, "a table", text, |v| if let Value::Table(t) = v { Some(t) } else { None })
    }

    pub(super) fn list(&self, key: &'static str, text: &mut Text) -> &'t [Node] {
        self.get(key, "a list", text, |v| if let Value::List(l) = v { Some(l.as_slice()) } else { None }).unwrap_or(&[])
    }

    /// The tables inside a table, with their names: `[track.drums]`, `[track.bass]`.
    pub(super) fn tables(&self, key: &'static str, text: &mut Text) -> Vec<(&'t Key, &'t Table)> {
        let mut found = Vec::new();
        for (name, node) in self.table(key, text).into_iter().flat_map(|t| &t.entries) {
            match &node.value {
                Value::Table(_) if name.name.is_empty() => {
                    text.say(name.span.clone(), format!("{}: a {key} has no name", self.who));
                }
                Value::Table(table) => found.push((name, table)),
                other => {
                    let form = if self.kind == "session" { format!(": [{key}.{}]", name.name) } else { String::new() };
                    let what = format!("{key} {:?} is {}, but should be a table{form}", name.name, other.kind());
                    text.say(node.span.clone(), format!("{}: {what}", self.who));
                }
            }
        }
        found
    }

    /// One text, or a list of them.
    pub(super) fn strings(&self, key: &'static str, text: &mut Text) -> Vec<(&'t str, Range<usize>)> {
        let Some(node) = self.node(key) else { return Vec::new() };
        let wanted = |node: &'t Node, text: &mut Text| match &node.value {
            Value::Text(t) => Some((t.as_str(), node.span.clone())),
            other => {
                let what = format!("{}: {key} is {}, but should be text or a list of texts", self.who, other.kind());
                text.say(node.span.clone(), what);
                None
            }
        };
        match &node.value {
            Value::List(list) => list.iter().filter_map(|n| wanted(n, text)).collect(),
            _ => wanted(node, text).into_iter().collect(),
        }
    }

    /// A text in a notation of its own, or a number that says the same.
    pub(super) fn named_or_number<T: FromStr<Err: Display>>(&self, key: &'static str, text: &mut Text) -> Option<T> {
        let name = match &self.node(key)?.value {
            Value::Integer(n) => n.to_string(),
            Value::Number(x) => x.to_string(),
            _ => return self.named(key, text),
        };
        self.told(key, name.parse().map_err(|e: T::Err| e.to_string()), text)
    }

    /// A text in a notation of its own.
    pub(super) fn named<T: FromStr<Err: Display>>(&self, key: &'static str, text: &mut Text) -> Option<T> {
        let name = self.string(key, text)?;
        self.told(key, name.parse().map_err(|e: T::Err| e.to_string()), text)
    }

    pub(super) fn gain(&self, key: &'static str, text: &mut Text) -> Option<Decibels> {
        let level = decibels(self.node(key)?);
        self.told(key, level, text)
    }

    pub(super) fn pan(&self, key: &'static str, text: &mut Text) -> Option<Pan> {
        let pan = match &self.node(key)?.value {
            Value::Text(t) => t.parse().map_err(|e| format!("{e}")),
            Value::Integer(n) if (-1..=1).contains(n) => {
                Ok(Pan(if *n == 0 { 0.0 } else { f64::from(n.signum() as i8) }))
            }
            Value::Number(x) if (-1.0..=1.0).contains(x) => Ok(Pan(*x)),
            Value::Integer(_) | Value::Number(_) => Err("is outside -1 (left) to 1 (right)".to_owned()),
            other => Err(format!("is {}, but should be like \"L30\" or -0.3", other.kind())),
        };
        self.told(key, pan, text)
    }

    /// How long something is.
    pub(super) fn length(&self, key: &'static str, clock: &Clock, text: &mut Text) -> Option<Frames> {
        let length = frames(self.node(key)?, |t| clock.length(t));
        self.told(key, length, text)
    }

    /// Where something is.
    pub(super) fn at(&self, key: &'static str, clock: &Clock, zero: Zero, text: &mut Text) -> Option<At> {
        let at = frames(self.node(key)?, |t| clock.at(t, zero));
        self.told(key, at, text)
    }

    /// `"50ms"`, `"2s equal-power"`
    pub(super) fn fade(&self, key: &'static str, clock: &Clock, text: &mut Text) -> Fade {
        let Some(node) = self.node(key) else { return Fade::default() };
        let fade = match &node.value {
            Value::Text(written) => {
                let (time, name) = written.trim().split_once(' ').unwrap_or((written, "linear"));
                clock.length(time).and_then(|length| {
                    let shape = name.trim().parse::<FadeShape>().map_err(|e| e.to_string())?;
                    Ok(Fade { length, shape })
                })
            }
            _ => frames(node, |t| clock.length(t)).map(Fade::linear),
        };
        self.told(key, fade, text).unwrap_or_default()
    }

    /// Says what is wrong with the value of a key.
    fn told<T>(&self, key: &'static str, read: Result<T, String>, text: &mut Text) -> Option<T> {
        read.map_err(|what| text.say(self.span(key), format!("{}: {key}: {what}", self.who))).ok()
    }

    pub(super) fn who(&self) -> &str {
        &self.who
    }

    pub(super) fn has(&self, key: &'static str) -> bool {
        self.table.get(key).is_some()
    }

    /// Whether there is nothing under a key: no such key, or an empty table or list.
    pub(super) fn lacks(&self, key: &'static str) -> bool {
        self.table.get(key).is_none_or(|node| match &node.value {
            Value::Table(table) => table.entries.is_empty(),
            Value::List(list) => list.is_empty(),
            _ => false,
        })
    }

    pub(super) fn span(&self, key: &'static str) -> Range<usize> {
        self.table.get(key).map_or(0..0, |n| n.span.clone())
    }

    /// Remembers where the thing is written, for problems of the whole session.
    pub(super) fn own(&self, whole: &Range<usize>, text: &mut Text) {
        self.own_as(&self.who, whole, text);
    }

    /// The same, under the name that those problems give it.
    pub(super) fn own_as(&self, who: &str, whole: &Range<usize>, text: &mut Text) {
        let there = |key: &&'static str| self.table.get(key).map(|node| (*key, node.span.clone()));
        let keys = ["gain", "pan", "limit"].iter().filter_map(there).collect();
        text.own(who, Owner { span: whole.clone(), keys });
    }

    /// The place of the thing that the table describes, and of some of its keys.
    pub(super) fn written(&self, whole: &Range<usize>, keys: &[&'static str], text: &Text) -> Written {
        let there = |key: &&'static str| self.table.get(key).map(|node| (*key, node.span.clone()));
        text.written(whole, keys.iter().filter_map(there).collect())
    }
}

/// A time: frames as a number, or text in a notation of its own.
fn frames<T: From<Frames>>(node: &Node, read: impl FnOnce(&str) -> Result<T, String>) -> Result<T, String> {
    match &node.value {
        Value::Text(t) => read(t),
        Value::Integer(n) => u64::try_from(*n).map(|n| Frames(n).into()).map_err(|_| "is below 0".to_owned()),
        other => Err(format!("is {}, but should be a time like \"12.5s\" or a number of frames", other.kind())),
    }
}

/// A level: a number, which TOML also writes as -inf and JSON as "-inf".
pub(super) fn decibels(node: &Node) -> Result<Decibels, String> {
    let wanted = |value: &Value| format!("is {}, but should be a level in dB, like -3 or -inf", value.kind());
    match &node.value {
        #[expect(clippy::cast_precision_loss, reason = "levels that lose digits are refused when compiled")]
        Value::Integer(n) => Ok(Decibels(*n as f64)),
        Value::Number(x) if x.is_finite() || *x == f64::NEG_INFINITY => Ok(Decibels(*x)),
        Value::Number(x) => Err(format!("{x} is no level in dB")),
        Value::Text(t) => t.parse().map_err(|_| wanted(&node.value)),
        other => Err(wanted(other)),
    }
}
