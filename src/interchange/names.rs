//! Names that are unique, as a session needs them.

use std::collections::HashMap;

/// Largest number of characters of a name that is kept.
const MAX_NAME_CHARS: usize = 200;

/// Hands out names, and numbers those that are taken. Keeps for each name the number that is tried next, so that a file with
/// many equal names takes no longer.
#[derive(Debug, Default)]
pub(super) struct Names(HashMap<String, u64>);

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
        let Some(next) = self.0.get(base).copied() else {
            self.0.insert(base.to_owned(), 2);
            return base.to_owned();
        };
        for number in next.. {
            let numbered = format!("{base} {number}");
            if !self.0.contains_key(&numbered) {
                self.0.insert(base.to_owned(), number + 1);
                self.0.insert(numbered.clone(), 2);
                return numbered;
            }
        }
        base.to_owned()
    }
}

/// Returns a name on one line, without space around it.
pub(super) fn cleaned(name: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let name: String = name.chars().map(plain).take(MAX_NAME_CHARS).collect();
    name.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_taken_have_a_number() {
        let mut names = Names::default();
        let all = ["vox", "vox", "vox 2", "vox", "", "\tvox\n", ""];
        let all = all.map(|name| names.unique(name, "track"));
        assert_eq!(
            all,
            [
                "vox", "vox 2", "vox 2 2", "vox 3", "track", "vox 4", "track 2"
            ]
        );
        let equal: Vec<String> = (0..100_000).map(|_| names.unique("x", "")).collect();
        assert_eq!(equal.last().map(String::as_str), Some("x 100000"));
    }
}
