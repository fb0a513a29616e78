//! Names: made unique, and guessed when mistyped.

use std::collections::HashSet;

/// Gives out names, each only once: `kick`, `kick 2`, `kick 3`.
#[derive(Default)]
pub struct Names {
    taken: HashSet<String>,
}

impl Names {
    pub fn unique(&mut self, wanted: &str) -> String {
        let wanted = if wanted.is_empty() { "track" } else { wanted };
        let mut name = wanted.to_owned();
        let mut number = 2u64;
        while !self.taken.insert(name.clone()) {
            name = format!("{wanted} {number}");
            number += 1;
        }
        name
    }
}

/// The candidate that was most likely meant: at most a third of the letters are wrong.
pub fn similar<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let near = |c: &'a str| (distance(&word, &c.to_lowercase()), c);
    let allowed = 1.max(word.chars().count() / 3);
    candidates
        .into_iter()
        .map(near)
        .filter(|(d, _)| *d <= allowed)
        .min_by_key(|(d, _)| *d)
        .map(|(_, c)| c)
}

/// How many letters must be added, left out, changed or swapped with their neighbour (Damerau and Levenshtein, the
/// form in which nothing is edited twice).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let mut last = None;
    for (i, x) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let cell = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX - 1);
            let change = cell(&row, j) + usize::from(x != *y);
            let mut best = change.min(cell(&row, j + 1) + 1).min(cell(&next, j) + 1);
            if let Some(k) = j.checked_sub(1)
                && last == Some(*y)
                && b.get(k) == Some(&x)
            {
                best = best.min(cell(&before, k) + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
        last = Some(x);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_unique() {
        let mut names = Names::default();
        let given = ["kick", "kick", "kick 2", "", ""].map(|n| names.unique(n));
        assert_eq!(given, ["kick", "kick 2", "kick 2 2", "track", "track 2"]);
    }

    #[test]
    fn typing_errors_are_guessed_and_nothing_else() {
        for (a, b, wrong) in [
            ("", "", 0),
            ("abc", "abc", 0),
            ("abc", "acb", 1),
            ("", "ab", 2),
            ("kick", "kit", 2),
        ] {
            assert_eq!((distance(a, b), distance(b, a)), (wrong, wrong), "{a} {b}");
        }
        let names = ["drums", "bass", "vox"];
        assert_eq!(similar("durms", names), Some("drums"));
        assert_eq!(similar("Bas", names), Some("bass"));
        assert_eq!(similar("vx", names), Some("vox"));
        assert_eq!(similar("piano", names), None);
    }
}
