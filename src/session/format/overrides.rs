//! Overrides of values of a session file: `track.drums.gain=-6`.

use super::{
    problems::Problems,
    read_toml,
    tree::{Node, Table, Value},
};
use crate::diagnostics::suggest;

/// Returns an override as a line of TOML; a value that is not TOML becomes a string.
pub(super) fn line(key: &str, value: &str) -> String {
    let plain = format!("{key} = {value}");
    // TOML reads some timecodes as dates, which no key of a session has.
    let date = |node: &Node| matches!(node.value, Value::Other(_));
    match read_toml::read_exactly(&plain, 0) {
        Some(table) if !leaf(&table).is_some_and(date) && !value.contains(['\n', '#']) => plain,
        _ => {
            let mut quoted = String::new();
            for c in value.chars() {
                match c {
                    '"' | '\\' => quoted.extend(['\\', c]),
                    c if c.is_control() => quoted += &format!("\\u{:04X}", u32::from(c)),
                    c => quoted.push(c),
                }
            }
            format!("{key} = \"{quoted}\"")
        }
    }
}

fn leaf(table: &Table) -> Option<&Node> {
    let (_, node) = table.entries.first()?;
    match &node.value {
        Value::Table(inner) if inner.entries.len() == 1 => leaf(inner),
        _ => Some(node),
    }
}

/// Merges overrides, one per line, into the tree; `offset` is the byte position of the first line.
pub(super) fn apply(tree: &mut Table, lines: &str, offset: usize, problems: &mut Problems) {
    let mut at = offset;
    for line in lines.lines() {
        let mut overrides = read_toml::read(line, at, problems);
        at += line.len() + 1;
        remove_unknown(tree, &mut overrides, problems);
        merge(tree, overrides);
    }
}

/// Tables that overrides can change, each with the keys that let an override add a new one.
const NAMED_TABLES: [(&str, &[&str]); 4] = [
    ("track", &["file", "clip"]),
    ("bus", &[]),
    ("cue", &["folder", "files", "track"]),
    ("deliver", &["file"]),
];

/// Removes overrides of tables that the session does not have, and reports them.
fn remove_unknown(tree: &Table, overrides: &mut Table, problems: &mut Problems) {
    for (kind, makes) in NAMED_TABLES {
        let there: Vec<&str> = inner(tree, kind)
            .flat_map(|t| &t.entries)
            .map(|(key, _)| key.name.as_str())
            .collect();
        let Some(changed) = overrides
            .entries
            .iter_mut()
            .find(|(key, _)| key.name == kind)
            .map(|(_, node)| node)
        else {
            continue;
        };
        let is_table = |node: &Node| matches!(node.value, Value::Table(_));
        if tree
            .entries
            .iter()
            .any(|(key, node)| key.name == kind && !is_table(node))
        {
            // The session file is wrong there, which is reported when it is read. An override would hide that.
            overrides.entries.retain(|(key, _)| key.name != kind);
            continue;
        }
        let Value::Table(changed) = &mut changed.value else {
            continue;
        };
        changed.entries.retain(|(key, node)| {
            let Value::Table(values) = &node.value else {
                return true;
            };
            let stays = there.contains(&key.name.as_str())
                || values
                    .entries
                    .iter()
                    .any(|(k, _)| makes.contains(&k.name.as_str()));
            if !stays {
                let hint = suggest::hint(&key.name, there.iter().copied());
                problems.report(
                    key.span.clone(),
                    format!("there is no {kind} {:?}{hint}", key.name),
                );
            }
            stays
        });
    }
}

fn inner<'a>(table: &'a Table, name: &'a str) -> impl Iterator<Item = &'a Table> {
    table
        .entries
        .iter()
        .filter(move |(key, _)| key.name == name)
        .filter_map(|(_, node)| match &node.value {
            Value::Table(inner) => Some(inner),
            _ => None,
        })
}

fn merge(into: &mut Table, from: Table) {
    for (key, node) in from.entries {
        let known = into.entries.iter_mut().find(|(k, _)| k.name == key.name);
        match (known, node) {
            (
                Some((
                    _,
                    Node {
                        value: Value::Table(inner),
                        ..
                    },
                )),
                Node {
                    value: Value::Table(new),
                    ..
                },
            ) => {
                merge(inner, new);
            }
            (Some(entry), node) => *entry = (key, node),
            (None, node) => into.entries.push((key, node)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_toml_reads_otherwise_is_a_text() {
        for (key, value, want) in [
            ("gain", "-6", "gain = -6"),
            ("title", "\"Take 2\"", "title = \"Take 2\""),
            ("title", "Take 2", "title = \"Take 2\""),
            ("title", "a \"b\" \\", "title = \"a \\\"b\\\" \\\\\""),
            // A time of day, a comment, and a second line.
            ("start", "01:00:02", "start = \"01:00:02\""),
            ("cue.c.at", "01:00:02", "cue.c.at = \"01:00:02\""),
            ("gain", "-6 # loud", "gain = \"-6 # loud\""),
            ("gain", "1\nrate = 2", "gain = \"1\\u000Arate = 2\""),
        ] {
            assert_eq!(line(key, value), want);
        }
    }
}
