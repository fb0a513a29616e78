//! Suggestions for mistyped names.

use std::path::Path;

/// Maximum number of folder entries considered.
const MAX_ENTRIES: usize = 1000;

/// Returns the candidate most similar to a mistyped name, if one is similar enough.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let lower = name.to_lowercase();
    let similarity =
        |c: &&'a str| strsim::normalized_damerau_levenshtein(&lower, &c.to_lowercase());
    candidates
        .into_iter()
        .map(|c| (similarity(&c), c))
        .filter(|(score, _)| *score >= 0.6)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

/// Returns `; did you mean "piano.wav"?`, or an empty string if no candidate is similar.
pub(crate) fn hint<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, candidates).map_or_else(String::new, |suggestion| {
        format!("; did you mean {suggestion:?}?")
    })
}

/// Returns the [`hint`], or `; there are drums, bass` where no candidate is similar.
pub(crate) fn hint_or_all<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str> + Clone,
) -> String {
    let hint = hint(name, candidates.clone());
    if hint.is_empty() {
        let all: Vec<&str> = candidates.into_iter().collect();
        match all.as_slice() {
            [] => hint,
            [only] => format!("; there is only {only}"),
            all => format!("; there are {}", all.join(", ")),
        }
    } else {
        hint
    }
}

/// Returns the [`hint`] for a path that does not exist, with the other names in its folder as
/// candidates; an empty string for one that exists and cannot be opened.
pub(crate) fn beside(path: &Path) -> String {
    if path.symlink_metadata().is_ok() {
        return String::new();
    }
    let (Some(name), Some(folder)) = (path.file_name().and_then(|n| n.to_str()), path.parent())
    else {
        return String::new();
    };
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let entries = folder
        .read_dir()
        .into_iter()
        .flatten()
        .take(MAX_ENTRIES)
        .flatten();
    let mut names: Vec<String> = entries
        .filter_map(|e| e.file_name().into_string().ok())
        .collect();
    names.sort();
    if name.len() < 256 {
        hint(name, names.iter().map(String::as_str))
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let files = ["drums.flac", "bass.wav", "piano_44k.wav"];
        assert_eq!(nearest("bas.wav", files), Some("bass.wav"));
        assert_eq!(nearest("Drums.flac", files), Some("drums.flac"));
        assert_eq!(nearest("drmus.flac", files), Some("drums.flac"));
        assert_eq!(nearest("violin.wav", ["celli.aiff"]), None);
        assert_eq!(hint("gian", ["gain", "pan"]), "; did you mean \"gain\"?");
        let all = |name| hint_or_all(name, ["freq", "q"]);
        assert_eq!(all("frq"), "; did you mean \"freq\"?");
        assert_eq!(all("slope"), "; there are freq, q");
        assert_eq!(hint_or_all("x", ["gain"]), "; there is only gain");
        assert_eq!(hint_or_all("x", []), "");
    }
}
