//! A session file as a tree of values, each with its byte range in the text.
//!
//! The tree is independent of the notation: [`read_toml`](super::read_toml) and [`read_json`](super::read_json) build it,
//! [`write_toml`](super::write_toml) and [`write_json`](super::write_json) print it.

use std::ops::Range;

/// A value and its byte range.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub value: Value,
    pub span: Range<usize>,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Number(f64),
    Switch(bool),
    List(Vec<Node>),
    Table(Table),
    /// A value of a type that no key has: a date, an integer beyond 64 bits.
    Other(&'static str),
}

#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub entries: Vec<(Key, Node)>,
}

#[derive(Clone, Debug)]
pub(super) struct Key {
    pub name: String,
    pub span: Range<usize>,
}

impl Value {
    /// Returns the name of the value's type, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Integer(_) => "an integer",
            Self::Number(_) => "a number",
            Self::Switch(_) => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other(kind) => kind,
        }
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self {
            Some(text)
        } else {
            None
        }
    }

    /// Returns a plain value as part of a text.
    pub(super) fn inline(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Integer(n) => n.to_string(),
            Self::Number(x) => x.to_string(),
            Self::Switch(on) => on.to_string(),
            Self::List(_) | Self::Table(_) | Self::Other(_) => String::new(),
        }
    }
}

impl Table {
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.entries
            .iter()
            .find(|(k, _)| k.name == key)
            .map(|(_, node)| node)
    }

    /// Returns the value of a key, where it is text.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.get(key)?.value.as_text()
    }

    /// Appends a value that has no place in a text.
    pub(super) fn put(&mut self, key: &str, value: Value) {
        self.entries.push((
            Key {
                name: key.to_owned(),
                span: 0..0,
            },
            Node { value, span: 0..0 },
        ));
    }

    /// Returns the tables within the table of a key, with their names.
    pub(super) fn tables(&self, key: &str) -> impl Iterator<Item = (&Key, &Table)> {
        let inner = self.get(key).and_then(|n| {
            if let Value::Table(t) = &n.value {
                Some(t)
            } else {
                None
            }
        });
        inner
            .into_iter()
            .flat_map(|t| &t.entries)
            .filter_map(|(key, node)| match &node.value {
                Value::Table(table) => Some((key, table)),
                _ => None,
            })
    }
}
