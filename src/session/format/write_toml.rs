//! Prints a tree as TOML, or edits a text so that only changed values are written anew.

use super::{
    keys,
    tree::{Node, Table, Value},
};
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table as Section, TableLike};

/// Returns the text of a tree: a section for every bus, track, cue and deliverable, a line for each of its keys.
pub(super) fn text(tree: &Table) -> String {
    let mut document = DocumentMut::new();
    for (key, node) in &tree.entries {
        document.insert(&key.name, item(node, &[&key.name]));
    }
    document.to_string().trim_start().to_owned()
}

/// Applies the difference between two trees to a text; `None` where the text is not TOML.
pub(super) fn edited(text: &str, old: &Table, new: &Table) -> Option<String> {
    let mut document: DocumentMut = text.parse().ok()?;
    edit(document.as_table_mut(), old, new, &mut Vec::new());
    Some(document.to_string())
}

/// Removes keys from a named table of a section: `cue`, `storm`, `files`.
pub(super) fn without(text: &str, section: &str, name: &str, keys: &[&str]) -> Option<String> {
    let mut document: DocumentMut = text.parse().ok()?;
    let outer = document.get_mut(section)?.as_table_like_mut()?;
    let table = outer.get_mut(name)?.as_table_like_mut()?;
    for key in keys {
        table.remove(key);
    }
    Some(document.to_string())
}

fn edit<'a>(table: &mut dyn TableLike, old: &Table, new: &'a Table, path: &mut Vec<&'a str>) {
    for (key, _) in old
        .entries
        .iter()
        .filter(|(k, _)| new.get(&k.name).is_none())
    {
        table.remove(&key.name);
    }
    let named = path.last().is_some_and(|key| keys::holds_named_tables(key));
    for (key, node) in &new.entries {
        path.push(&key.name);
        match (old.get(&key.name).map(|n| &n.value), &node.value) {
            (Some(before), after) if same(before, after) => {}
            (Some(Value::Table(before)), Value::Table(after)) => {
                match table.get_mut(&key.name).and_then(Item::as_table_like_mut) {
                    Some(inner) => edit(inner, before, after, path),
                    // A track that a pattern found has no table yet: only the keys that differ are written.
                    None => {
                        let node = Node {
                            value: Value::Table(difference(before, after)),
                            span: 0..0,
                        };
                        put(table, &key.name, item(&node, path), named);
                    }
                }
            }
            _ => put(table, &key.name, item(node, path), named),
        }
        path.pop();
    }
}

/// Returns the entries of a table that are new or different.
fn difference(before: &Table, after: &Table) -> Table {
    let mut new = Table::default();
    for (key, node) in &after.entries {
        match (before.get(&key.name).map(|n| &n.value), &node.value) {
            (Some(old), now) if same(old, now) => {}
            (Some(Value::Table(old)), Value::Table(now)) => {
                new.put(&key.name, Value::Table(difference(old, now)))
            }
            (_, now) => new.put(&key.name, now.clone()),
        }
    }
    new
}

/// Sets a value; an existing one keeps the space and the comments around it.
fn put(table: &mut dyn TableLike, key: &str, item: Item, named: bool) {
    match (table.get_mut(key), item) {
        (Some(Item::Value(there)), Item::Value(mut value)) => {
            *value.decor_mut() = there.decor().clone();
            *there = value;
        }
        (Some(_), item) => {
            table.insert(key, item);
        }
        (None, item) => {
            // The order of named tables counts, and a line would come before the sections.
            let sections = named && table.iter().any(|(_, item)| item.is_table());
            let item = match item {
                Item::Value(toml_edit::Value::InlineTable(inline)) if sections => {
                    Item::Table(inline.into_table())
                }
                item => item,
            };
            table.insert(key, item);
        }
    }
}

/// Returns a section for a bus, track, cue or deliverable; the clips of a track, and the tracks and uses of a cue, are lines of
/// one section each.
fn item(node: &Node, path: &[&str]) -> Item {
    let Value::Table(table) = &node.value else {
        return Item::Value(value(&node.value));
    };
    let (groups, named) = (
        ["bus", "track", "cue", "deliver"],
        path.first().copied().unwrap_or_default(),
    );
    let section = match path {
        [_] => named != "marker",
        [_, _] => groups.contains(&named),
        [_, _, "clip"] => named == "track",
        [_, _, inner] => named == "cue" && ["track", "use"].contains(inner),
        _ => false,
    };
    if !section {
        return Item::Value(value(&node.value));
    }
    let mut out = Section::new();
    let is_group = path.len() == 1 && groups.contains(&named);
    // A track that has clips only needs no heading of its own.
    let has_clips_only = path.len() == 2
        && named == "track"
        && matches!(table.entries.as_slice(), [(key, _)] if key.name == "clip");
    out.set_implicit(is_group || has_clips_only);
    for (key, node) in &table.entries {
        let mut inner = path.to_vec();
        inner.push(&key.name);
        out.insert(&key.name, item(node, &inner));
    }
    Item::Table(out)
}

fn value(from: &Value) -> toml_edit::Value {
    match from {
        Value::Text(text) => text.as_str().into(),
        Value::Integer(n) => (*n).into(),
        Value::Number(x) => (*x).into(),
        Value::Switch(on) => (*on).into(),
        Value::List(list) => list
            .iter()
            .map(|n| value(&n.value))
            .collect::<Array>()
            .into(),
        Value::Table(table) => {
            let entries = table
                .entries
                .iter()
                .map(|(key, node)| (key.name.as_str(), value(&node.value)));
            entries.collect::<InlineTable>().into()
        }
        Value::Other(_) => "".into(),
    }
}

/// Reports whether two values are equal, including their order.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => a == b,
        (Value::Integer(a), Value::Integer(b)) => a == b,
        (Value::Number(a), Value::Number(b)) => a == b,
        (Value::Switch(a), Value::Switch(b)) => a == b,
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(&a.value, &b.value))
        }
        (Value::Table(a), Value::Table(b)) => same_tables(a, b),
        _ => false,
    }
}

/// Reports whether two tables are equal, including their order.
pub(super) fn same_tables(a: &Table, b: &Table) -> bool {
    let pairs = a.entries.iter().zip(&b.entries);
    let equal = |((ka, na), (kb, nb)): (&(super::tree::Key, Node), &(super::tree::Key, Node))| {
        ka.name == kb.name && same(&na.value, &nb.value)
    };
    a.entries.len() == b.entries.len() && pairs.into_iter().all(equal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_the_same_by_type_content_and_order() {
        let list = |values: &[Value]| {
            let node = |value: &Value| Node {
                value: value.clone(),
                span: 0..0,
            };
            Value::List(values.iter().map(node).collect())
        };
        let table = |entries: &[(&str, i64)]| {
            let mut table = Table::default();
            for (key, n) in entries {
                table.put(key, Value::Integer(*n));
            }
            Value::Table(table)
        };
        let (one, two) = (Value::Integer(1), Value::Integer(2));
        let values = [
            Value::Text("a".into()),
            Value::Text("b".into()),
            one.clone(),
            two.clone(),
            Value::Number(1.0),
            Value::Number(2.0),
            Value::Switch(true),
            Value::Switch(false),
            list(&[]),
            list(std::slice::from_ref(&one)),
            list(&[one.clone(), two.clone()]),
            list(&[two, one]),
            table(&[]),
            table(&[("a", 1)]),
            table(&[("a", 2)]),
            table(&[("b", 1)]),
            table(&[("a", 1), ("b", 1)]),
            table(&[("b", 1), ("a", 1)]),
        ];
        for (i, a) in values.iter().enumerate() {
            for (j, b) in values.iter().enumerate() {
                assert_eq!(same(a, b), i == j, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn only_keys_that_changed_are_written_and_comments_stay() {
        let tree = |entries: &[(&str, i64)]| {
            let mut inner = Table::default();
            for (key, n) in entries {
                inner.put(key, Value::Integer(*n));
            }
            let mut bus = Table::default();
            bus.put("a", Value::Table(inner));
            let mut root = Table::default();
            root.put("bus", Value::Table(bus));
            root
        };
        let text = "[bus.a] # first\nx  =  1 # keep\ny = 2\nz = 3\n";
        let (old, new) = (
            tree(&[("x", 1), ("y", 2), ("z", 3)]),
            tree(&[("x", 5), ("z", 3), ("w", 4)]),
        );
        assert_eq!(
            edited(text, &old, &new).unwrap(),
            "[bus.a] # first\nx  =  5 # keep\nz = 3\nw = 4\n"
        );
        assert_eq!(edited(text, &old, &old).unwrap(), text);
        assert_eq!(edited("[bus", &old, &new), None);
        assert_eq!(
            without(text, "bus", "a", &["y", "none"]).unwrap(),
            "[bus.a] # first\nx  =  1 # keep\nz = 3\n"
        );
        assert_eq!(without(text, "bus", "b", &["y"]), None);
        assert_eq!(without(text, "cue", "a", &["y"]), None);
    }

    #[test]
    fn named_tables_have_sections_and_their_parts_lines() {
        let table = |entries: &[(&str, Value)]| {
            let mut table = Table::default();
            for (key, value) in entries {
                table.put(key, value.clone());
            }
            Value::Table(table)
        };
        let one = || table(&[("x", Value::Integer(1))]);
        let tree = table(&[
            ("album", one()),
            ("marker", table(&[("8s", Value::Text("a".into()))])),
            ("bus", table(&[("b", table(&[("send", one())]))])),
            (
                "track",
                table(&[
                    ("t", table(&[("clip", table(&[("c", one())]))])),
                    (
                        "u",
                        table(&[("x", Value::Integer(1)), ("clip", table(&[("c", one())]))]),
                    ),
                ]),
            ),
            (
                "cue",
                table(&[(
                    "k",
                    table(&[("track", table(&[("t", one())])), ("marker", one())]),
                )]),
            ),
        ]);
        let Value::Table(tree) = tree else {
            panic!("it is a table")
        };
        assert_eq!(
            text(&tree),
            "marker = { 8s = \"a\" }\n\n[album]\nx = 1\n\n[bus.b]\nsend = { x = 1 }\n\n[track.t.clip]\nc = { x = 1 }\n\n\
             [track.u]\nx = 1\n\n[track.u.clip]\nc = { x = 1 }\n\n[cue.k]\nmarker = { x = 1 }\n\n[cue.k.track]\nt = { x = 1 }\n"
        );
    }
}
