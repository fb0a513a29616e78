//! A mix in which nothing is heard: hardly what was meant, so it is told, with why.

use super::strips::listed;
use soundtrack::{Report, Session, Strip};

/// What to say of a mix that is silent or empty.
pub fn told(report: &Report, session: &Session) -> Option<String> {
    if report.frames == 0 {
        return Some("the mix is empty: it has no frames".to_owned());
    }
    if report.mix.peak_dbfs.is_some() {
        return None;
    }
    Some(format!("the mix is silent{}", why(report, session)))
}

/// ` (muted: "drums", "bass")`, where that is what keeps every track from being heard.
fn why(report: &Report, session: &Session) -> String {
    if report.tracks.iter().any(|t| t.strip.heard) {
        return String::new();
    }
    let strips = || {
        session
            .tracks()
            .iter()
            .map(|t| &t.strip)
            .chain(session.buses().iter().map(|b| &b.strip))
    };
    let named = |switch: fn(&Strip) -> bool, word: &str| {
        let names: Vec<&str> = strips()
            .filter(|s| switch(s))
            .map(|s| s.name.as_str())
            .collect();
        (!names.is_empty()).then(|| format!("{word}: {}", listed(&names)))
    };
    let causes = [named(|s| s.mute, "muted"), named(|s| s.solo, "soloed")]
        .into_iter()
        .flatten();
    match causes.collect::<Vec<_>>().join("; ") {
        causes if causes.is_empty() => String::new(),
        causes => format!(" ({causes})"),
    }
}
