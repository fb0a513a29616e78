//! Parses TOML into the tree. Reports every syntax error and reads the rest.

use super::{
    problems::Problems,
    tree::{Key, Node, Table, Value},
};
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// Returns the tree of a TOML text that starts at a byte position of the source.
pub(super) fn read(source: &str, offset: usize, problems: &mut Problems) -> Table {
    let (root, errors) = DeTable::parse_recoverable(source);
    for error in errors {
        let what = error.message().trim_end().replace('\n', "; ");
        problems.report(moved(error.span().unwrap_or(0..0), offset), what);
    }
    table(root.get_ref(), offset)
}

/// Returns the tree of a TOML text, or `None` where it has a syntax error.
pub(super) fn read_exactly(source: &str, offset: usize) -> Option<Table> {
    let (root, errors) = DeTable::parse_recoverable(source);
    errors.is_empty().then(|| table(root.get_ref(), offset))
}

fn moved(span: Range<usize>, by: usize) -> Range<usize> {
    span.start + by..span.end + by
}

fn table(from: &DeTable<'_>, offset: usize) -> Table {
    let entry = |(key, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
        let name: &std::borrow::Cow<'_, str> = key.get_ref();
        (
            Key {
                name: name.to_string(),
                span: moved(key.span(), offset),
            },
            node(value, offset),
        )
    };
    Table {
        entries: from.iter().map(entry).collect(),
    }
}

fn node(from: &toml::Spanned<DeValue<'_>>, offset: usize) -> Node {
    let value = match from.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(n) => i64::from_str_radix(n.as_str(), n.radix())
            .map_or(Value::Other("an integer beyond 64 bits"), Value::Integer),
        DeValue::Float(x) => x
            .as_str()
            .parse()
            .map_or(Value::Other("a number that cannot be read"), Value::Number),
        DeValue::Boolean(on) => Value::Switch(*on),
        DeValue::Datetime(_) => Value::Other("a date"),
        DeValue::Array(list) => Value::List(list.iter().map(|n| node(n, offset)).collect()),
        DeValue::Table(t) => Value::Table(table(t, offset)),
    };
    Node {
        value,
        span: moved(from.span(), offset),
    }
}
