//! Describes a mix that is silent, which is rarely what was meant, and why it is.

use crate::suggest::quoted_list;
use soundtrack::{Report, Session, Strip};

/// Returns a sentence about a mix that is silent or empty; `None` for any other.
pub fn describe(report: &Report, session: &Session) -> Option<String> {
    if report.frames == 0 {
        return Some("the mix is empty: it has no frames".to_owned());
    }
    match report.mix.peak_dbfs {
        Some(_) => None,
        None => Some(format!("the mix is silent{}", cause(report, session))),
    }
}

/// Returns ` (muted: "drums", "bass")` if no track is heard because of mutes or solos, else nothing.
fn cause(report: &Report, session: &Session) -> String {
    if report.tracks.iter().any(|t| t.strip.heard) {
        return String::new();
    }
    let mut causes = Vec::new();
    for (word, is_set) in [
        ("muted", (|strip| strip.mute) as fn(&Strip) -> bool),
        ("soloed", |strip| strip.solo),
    ] {
        let tracks = session.tracks().iter().map(|track| &track.strip);
        let buses = session.buses().iter().map(|bus| &bus.strip);
        let names: Vec<&str> = tracks
            .chain(buses)
            .filter(|strip| is_set(strip))
            .map(|strip| strip.name.as_str())
            .collect();
        if !names.is_empty() {
            causes.push(format!("{word}: {}", quoted_list(&names)));
        }
    }
    if causes.is_empty() {
        String::new()
    } else {
        format!(" ({})", causes.join("; "))
    }
}
