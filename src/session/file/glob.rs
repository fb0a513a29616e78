//! Files by pattern: `*.wav`, `stems/dx_?.flac`. Stars and question marks stand in the name only, not in folders. With the
//! feature `cloud` the folder may be one of an object store.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A folder with more files than this is not meant.
const MOST: usize = 10_000;

/// The files of a folder whose names match, in the order of their names, as paths from there. Hidden ones do not match.
pub(super) fn files(folder: &Path, pattern: &str) -> io::Result<Vec<PathBuf>> {
    let (inner, pattern) = pattern.rsplit_once('/').unwrap_or(("", pattern));
    let wanted: Vec<char> = pattern.chars().collect();
    let mut found = Vec::new();
    #[cfg(feature = "cloud")]
    if folder.to_str().is_some_and(crate::store::is_link) {
        let names = crate::store::listed(&folder.join(inner))?.map_err(io::Error::other)?;
        let fits = |name: &&String| !name.starts_with('.') && matches(&wanted, &name.chars().collect::<Vec<_>>());
        return Ok(names.iter().filter(fits).take(MOST).map(|name| Path::new(inner).join(name)).collect());
    }
    for entry in fs::read_dir(folder.join(inner))?.take(MOST) {
        let name = entry?.file_name();
        let Some(name) = name.to_str().filter(|n| !n.starts_with('.')) else { continue };
        let path = Path::new(inner).join(name);
        if matches(&wanted, &name.chars().collect::<Vec<_>>()) && folder.join(&path).is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Goes back to the last star where a letter does not fit: no pattern takes longer than its length times the name's.
fn matches(pattern: &[char], name: &[char]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || Some(c) == name.get(n) => (p, n) = (p + 1, n + 1),
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    (p, n) = (at + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks() {
        let fits = |pattern: &str, name: &str| {
            matches(&pattern.chars().collect::<Vec<_>>(), &name.chars().collect::<Vec<_>>())
        };
        for (pattern, name) in
            [("*.wav", "a.wav"), ("*", ""), ("a?c*", "abc"), ("*b*b", "abab"), ("é*", "é.wav"), ("", "")]
        {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("*.wav", "a.wave"), ("?", ""), ("a?c", "ac"), ("*b", "ba"), ("", "a"), ("a", "A")] {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
        // Would take for ever if every star were tried with every other.
        assert!(!fits(&"*a".repeat(40), &"a".repeat(30)));
    }
}
