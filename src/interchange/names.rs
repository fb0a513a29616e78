//! Names that are unique, as a session needs them.

use std::collections::HashSet;

/// Largest number of characters of a name that is kept.
const MAX_NAME_CHARS: usize = 200;

/// Hands out names, and numbers those that are taken.
#[derive(Debug, Default)]
pub(super) struct Names(HashSet<String>);

impl Names {
    /// Returns the name, `fallback` in place of an empty one, with a number after it where it is taken: `vox 2`. Control
    /// characters become spaces.
    pub(super) fn unique(&mut self, name: &str, fallback: &str) -> String {
        let clean = cleaned(name);
        let base = if clean.is_empty() {
            fallback
        } else {
            clean.as_str()
        };
        if self.0.insert(base.to_owned()) {
            return base.to_owned();
        }
        let mut number = 2u64;
        loop {
            let numbered = format!("{base} {number}");
            if self.0.insert(numbered.clone()) {
                return numbered;
            }
            number += 1;
        }
    }
}

/// Returns a name on one line, without space around it.
pub(super) fn cleaned(name: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let name: String = name.chars().map(plain).take(MAX_NAME_CHARS).collect();
    name.trim().to_owned()
}
