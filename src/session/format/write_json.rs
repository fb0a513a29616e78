//! Prints a tree as JSON (RFC 8259), indented, in the order of the tree.

use super::tree::{Table, Value};

/// Returns the text of a tree.
pub(super) fn text(tree: &Table) -> String {
    let mut out = String::new();
    table(tree, 0, &mut out);
    out.push('\n');
    out
}

fn table(from: &Table, depth: usize, out: &mut String) {
    if from.entries.is_empty() {
        out.push_str("{}");
        return;
    }
    out.push('{');
    for (i, (key, node)) in from.entries.iter().enumerate() {
        out.push_str(if i == 0 { "\n" } else { ",\n" });
        indent(depth + 1, out);
        out.push_str(&quoted(&key.name));
        out.push_str(": ");
        value(&node.value, depth + 1, out);
    }
    out.push('\n');
    indent(depth, out);
    out.push('}');
}

fn value(from: &Value, depth: usize, out: &mut String) {
    match from {
        Value::Text(text) => out.push_str(&quoted(text)),
        Value::Integer(n) => out.push_str(&n.to_string()),
        // JSON has no infinity.
        Value::Number(x) if x.is_finite() => out.push_str(&format!("{x:?}")),
        Value::Number(x) => out.push_str(&quoted(&x.to_string())),
        Value::Switch(on) => out.push_str(if *on { "true" } else { "false" }),
        Value::List(list) => {
            out.push('[');
            for (i, node) in list.iter().enumerate() {
                out.push_str(if i == 0 { "" } else { ", " });
                value(&node.value, depth, out);
            }
            out.push(']');
        }
        Value::Table(inner) => table(inner, depth, out),
        Value::Other(_) => out.push_str("null"),
    }
}

fn indent(depth: usize, out: &mut String) {
    (0..depth).for_each(|_| out.push_str("  "));
}

fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
