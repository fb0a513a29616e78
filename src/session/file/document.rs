//! The text of a session file as a tree whose every value knows its place.
//!
//! The tree has no TOML in it, so that another notation can be read into it too.

use crate::error::{Place, Problem};
use std::{ops::Range, path::Path};
use toml::de::{DeTable, DeValue};

/// A value and where it stands.
#[derive(Debug)]
pub(super) struct Node {
    pub value: Value,
    pub span: Range<usize>,
}

#[derive(Debug)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Number(f64),
    Switch(bool),
    List(Vec<Node>),
    Table(Table),
    /// A kind of value that no session has: a date, an integer beyond 64 bits.
    Other(&'static str),
}

#[derive(Debug, Default)]
pub(super) struct Table {
    pub entries: Vec<(Key, Node)>,
}

#[derive(Debug)]
pub(super) struct Key {
    pub name: String,
    pub span: Range<usize>,
}

impl Value {
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
}

/// The text being read, and what has been found wrong with it.
pub(super) struct Text<'a> {
    path: &'a Path,
    text: &'a str,
    problems: Vec<(usize, Problem)>,
}

impl<'a> Text<'a> {
    pub(super) fn new(path: &'a Path, text: &'a str) -> Self {
        Self { path, text, problems: Vec::new() }
    }

    /// Reads the text; syntax errors become problems, and what can be read is read.
    pub(super) fn parse(&mut self) -> Table {
        let (root, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            let what = error.message().trim_end().replace('\n', "; ");
            self.say(error.span().unwrap_or(0..0), what);
        }
        table(root.get_ref())
    }

    /// Notes a problem at a place.
    pub(super) fn say(&mut self, span: Range<usize>, what: impl Into<String>) {
        let problem = Problem::new(what).at(self.place(&span));
        self.problems.push((span.start, problem));
    }

    /// Everything that was said, in the order of the text.
    pub(super) fn problems(mut self) -> Vec<Problem> {
        self.problems.sort_by_key(|(at, _)| *at);
        self.problems.into_iter().map(|(_, p)| p).collect()
    }

    fn place(&self, span: &Range<usize>) -> Place {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |n| n + 1);
        let text = self.text.get(line_start..).unwrap_or("").lines().next().unwrap_or("").to_owned();
        let column = before.get(line_start..).unwrap_or("").chars().count();
        let covered = self.text.get(span.clone()).unwrap_or("").lines().next().unwrap_or("").chars().count();
        let line = before.matches('\n').count() + 1;
        Place { file: self.path.to_owned(), line, column: column + 1, text, width: covered.max(1) }
    }
}

fn table(from: &DeTable<'_>) -> Table {
    let entry = |(key, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
        let name: &std::borrow::Cow<'_, str> = key.get_ref();
        (Key { name: name.to_string(), span: key.span() }, node(value))
    };
    Table { entries: from.iter().map(entry).collect() }
}

fn node(from: &toml::Spanned<DeValue<'_>>) -> Node {
    let value = match from.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(n) => {
            i64::from_str_radix(n.as_str(), n.radix()).map_or(Value::Other("an integer beyond 64 bits"), Value::Integer)
        }
        DeValue::Float(x) => x.as_str().parse().map_or(Value::Other("a number that cannot be read"), Value::Number),
        DeValue::Boolean(on) => Value::Switch(*on),
        DeValue::Datetime(_) => Value::Other("a date"),
        DeValue::Array(list) => Value::List(list.iter().map(node).collect()),
        DeValue::Table(t) => Value::Table(table(t)),
    };
    Node { value, span: from.span() }
}
