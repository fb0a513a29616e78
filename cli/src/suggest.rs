//! Suggests the name that a mistyped one may mean.

/// Names shown by [`quoted_list`] before the rest is only counted.
const MAX_LISTED: usize = 12;

/// Returns the candidate nearest to a name, if at most a third of its letters differ. Case is ignored.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let allowed = 1.max(name.chars().count() / 3);
    candidates
        .into_iter()
        .map(|candidate| {
            // Swapped neighbours count as one mistake.
            let distance = strsim::osa_distance(&name, &candidate.to_lowercase());
            (distance, candidate)
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Returns `did you mean "kick"?` for a name near to a candidate, else `there are` and the text that lists all candidates.
pub fn hint<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    list: impl FnOnce() -> String,
) -> String {
    match nearest(name, candidates) {
        Some(near) => format!("did you mean {near:?}?"),
        None => format!("there are {}", list()),
    }
}

/// Returns `"a", "b"`, and for a long list `"a", "b" and 7 more`.
pub fn quoted_list(names: &[&str]) -> String {
    let shown: Vec<String> = names
        .iter()
        .take(MAX_LISTED)
        .map(|n| format!("{n:?}"))
        .collect();
    match names.len().saturating_sub(MAX_LISTED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_errors_are_found_and_nothing_else() {
        let names = ["drums", "bass", "vox"];
        assert_eq!(nearest("durms", names), Some("drums"));
        assert_eq!(nearest("Bas", names), Some("bass"));
        assert_eq!(nearest("vx", names), Some("vox"));
        assert_eq!(nearest("piano", names), None);
    }

    #[test]
    fn a_hint_names_the_nearest_or_all() {
        let names = ["drums", "bass"];
        let list = || quoted_list(&names);
        assert_eq!(hint("bas", names, list), "did you mean \"bass\"?");
        assert_eq!(hint("vox", names, list), "there are \"drums\", \"bass\"");
        let many: Vec<&str> = std::iter::repeat_n("x", 14).collect();
        assert!(quoted_list(&many).ends_with("\"x\" and 2 more"));
    }
}
