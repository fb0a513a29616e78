//! Values set from outside in place of those of a session file: `track.drums.gain=-6`.

use super::{
    document::{Node, Table, Text, Value},
    read_toml,
};

/// The line that stands for a setting: as TOML if the value is some, or else as text.
pub(super) fn line(key: &str, value: &str) -> String {
    let plain = format!("{key} = {value}");
    // A date is no value of a session, but looks like a timecode.
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

/// Puts the settings, one a line, into the tree; `offset` is the byte position of the first line.
pub(super) fn apply(tree: &mut Table, lines: &str, offset: usize, text: &mut Text) {
    let mut at = offset;
    for line in lines.lines() {
        let set = read_toml::read(line, at, text);
        at += line.len() + 1;
        merge(tree, set);
    }
}

fn merge(into: &mut Table, from: Table) {
    for (key, node) in from.entries {
        let known = into.entries.iter_mut().find(|(k, _)| k.name == key.name);
        match (known, node) {
            (Some((_, Node { value: Value::Table(inner), .. })), Node { value: Value::Table(new), .. }) => {
                merge(inner, new);
            }
            (Some(entry), node) => *entry = (key, node),
            (None, node) => into.entries.push((key, node)),
        }
    }
}
