//! Credits of composers and publishers: a name, a rights society and a share.

/// A composer or publisher as a cue states it: `A. Writer (PRS) 50%`.
///
/// ```
/// use soundtrack::Credit;
/// let credit = Credit::parse("A. Writer (PRS) 62.5%");
/// assert_eq!((credit.name.as_str(), credit.society.as_str(), credit.share), ("A. Writer", "PRS", Some(62.5)));
/// assert_eq!(Credit::parse("Trad.").share, None);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Credit {
    /// The name.
    pub name: String,
    /// The rights society in parentheses; empty for none.
    pub society: String,
    /// The share in percent.
    pub share: Option<f64>,
}

impl Credit {
    /// Reads a credit. A text that ends otherwise is a name as a whole.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let (mut rest, mut share) = (text.trim(), None);
        if let Some(before) = rest.strip_suffix('%') {
            let name = before.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
            share = before.get(name.len()..).and_then(|n| n.parse().ok());
            if share.is_some() {
                rest = name.trim_end();
            }
        }
        let society = rest
            .strip_suffix(')')
            .and_then(|inner| inner.rsplit_once('('));
        match society {
            Some((name, society)) if !name.trim().is_empty() => Self {
                name: name.trim_end().to_owned(),
                society: society.trim().to_owned(),
                share,
            },
            _ => Self {
                name: rest.to_owned(),
                society: String::new(),
                share,
            },
        }
    }
}

/// Returns the sum of the shares where any is stated; parts without one count as 0.
pub(crate) fn total_share(credits: &[String]) -> Option<f64> {
    let shares: Vec<f64> = credits
        .iter()
        .filter_map(|text| Credit::parse(text).share)
        .collect();
    (!shares.is_empty()).then(|| shares.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_society_and_share_are_told_apart() {
        let parts = |text: &str| {
            let Credit {
                name,
                society,
                share,
            } = Credit::parse(text);
            (name, society, share)
        };
        let is = |name: &str, society: &str, share| (name.to_owned(), society.to_owned(), share);
        assert_eq!(
            parts(" A. Writer (PRS)  100% "),
            is("A. Writer", "PRS", Some(100.0))
        );
        assert_eq!(parts("B 33.3%"), is("B", "", Some(33.3)));
        assert_eq!(parts("C (SACEM)"), is("C", "SACEM", None));
        assert_eq!(parts("(SACEM)"), is("(SACEM)", "", None));
        assert_eq!(parts("100 %"), is("100 %", "", None));
        assert_eq!(parts("Ë50%"), is("Ë", "", Some(50.0)));
        assert_eq!(parts("The 1.2.3%"), is("The 1.2.3%", "", None));
        assert_eq!(parts(""), is("", "", None));
        let credits = ["A 60%".to_owned(), "B".to_owned(), "C 30%".to_owned()];
        assert_eq!(total_share(&credits), Some(90.0));
        assert_eq!(total_share(&["A".to_owned()]), None);
    }
}
