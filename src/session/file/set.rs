//! Values set from outside in place of those of a session file: `track.drums.gain=-6`.

use super::{
    document::{Node, Table, Text, Value},
    read_toml,
};
use crate::diagnostics::suggest;

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
        let mut set = read_toml::read(line, at, text);
        at += line.len() + 1;
        known(tree, &mut set, text);
        merge(tree, set);
    }
}

/// What a setting can change, and the keys with which it makes one that was not there.
const KINDS: [(&str, &[&str]); 4] =
    [("track", &["file", "clip"]), ("bus", &[]), ("cue", &["folder", "files", "track"]), ("deliver", &["file"])];

/// Takes out of a setting what would change something that is not there, and says so.
fn known(tree: &Table, set: &mut Table, text: &mut Text) {
    for (kind, makes) in KINDS {
        let there: Vec<&str> = inner(tree, kind).flat_map(|t| &t.entries).map(|(key, _)| key.name.as_str()).collect();
        let Some(changed) = set.entries.iter_mut().find(|(key, _)| key.name == kind).map(|(_, node)| node) else {
            continue;
        };
        let Value::Table(changed) = &mut changed.value else { continue };
        changed.entries.retain(|(key, node)| {
            let Value::Table(values) = &node.value else { return true };
            let stays = there.contains(&key.name.as_str())
                || values.entries.iter().any(|(k, _)| makes.contains(&k.name.as_str()));
            if !stays {
                let hint = suggest::hint(&key.name, there.iter().copied());
                text.say(key.span.clone(), format!("there is no {kind} {:?}{hint}", key.name));
            }
            stays
        });
    }
}

fn inner<'a>(table: &'a Table, name: &'a str) -> impl Iterator<Item = &'a Table> {
    table.entries.iter().filter(move |(key, _)| key.name == name).filter_map(|(_, node)| match &node.value {
        Value::Table(inner) => Some(inner),
        _ => None,
    })
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
