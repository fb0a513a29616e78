//! `explain [CODE]`: what a warning means and what to do about it.

use super::{args::ExplainArgs, run};
use crate::failure::Failure;
use serde_json::json;
use soundtrack::diagnostics::{Severity, WarningInfo};

/// Explains the warnings of the codes given, or lists all.
pub fn run(args: &ExplainArgs) -> Result<u8, Failure> {
    let found: Result<Vec<&WarningInfo>, Failure> =
        args.codes.iter().map(|code| find(code)).collect();
    let found = found?;
    let text = match (args.json, found.is_empty()) {
        (true, true) => document(WarningInfo::ALL),
        (true, false) => document(found),
        (false, true) => WarningInfo::ALL
            .iter()
            .map(line)
            .collect::<Vec<_>>()
            .join("\n"),
        (false, false) => found
            .into_iter()
            .map(entry)
            .collect::<Vec<_>>()
            .join("\n\n"),
    };
    run::print(&text)?;
    Ok(0)
}

fn find(code: &str) -> Result<&'static WarningInfo, Failure> {
    WarningInfo::find(code).ok_or_else(|| {
        Failure::Usage(format!(
            "explain {code:?}: there is no such warning; `mixdown explain` lists all of them"
        ))
    })
}

/// The line of a warning in the list.
fn line(info: &WarningInfo) -> String {
    format!("{}  {:7}  {}", info.code, info.severity, info.summary)
}

/// All that is known of a warning.
fn entry(info: &WarningInfo) -> String {
    let weight = match info.severity {
        Severity::Note => "note: --strict passes it, -v prints it",
        _ => "warning: --strict fails on it",
    };
    format!(
        "{} {}  ({weight})\n\n  {}\n  Cure: {}",
        info.code, info.name, info.summary, info.cure
    )
}

fn document<'a>(all: impl IntoIterator<Item = &'a WarningInfo>) -> String {
    let all = all.into_iter().map(|info| {
        json!({
            "code": info.code, "name": info.name, "severity": info.severity.to_string(),
            "summary": info.summary, "cure": info.cure
        })
    });
    format!("{:#}", all.collect::<serde_json::Value>())
}
