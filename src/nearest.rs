//! "Did you mean ...?"

/// The candidate that a mistyped name most likely meant, if any is near enough.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    let near = |c: &&'a str| strsim::normalized_damerau_levenshtein(&lower, &c.to_lowercase());
    candidates
        .into_iter()
        .map(|c| (near(&c), c))
        .filter(|(score, _)| *score >= 0.6)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

/// `; did you mean "piano.wav"?`, or nothing.
pub(crate) fn hint<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, candidates).map_or_else(String::new, |meant| format!("; did you mean {meant:?}?"))
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
    }
}
