//! `mixdown explain [CODE]`: prints the meaning of a warning and its cure, or lists all warnings.

use super::args::ExplainArgs;
use crate::{failure::Failure, json, stdout};
use serde_json::{Value, json};
use soundtrack::diagnostics::{Severity, WarningInfo};

/// Prints the warnings of the given codes, or a list of all, and returns the exit code.
pub fn run(args: &ExplainArgs) -> Result<u8, Failure> {
    let found = args
        .codes
        .iter()
        .map(|code| find(code))
        .collect::<Result<Vec<&WarningInfo>, Failure>>()?;
    if args.json {
        let all: Vec<&WarningInfo> = WarningInfo::ALL.iter().collect();
        json::print(to_json(if found.is_empty() { all } else { found }))?;
        return Ok(0);
    }
    let text = match found.is_empty() {
        true => {
            let lines: Vec<String> = WarningInfo::ALL.iter().map(list_line).collect();
            lines.join("\n")
        }
        false => {
            let entries: Vec<String> = found.into_iter().map(entry).collect();
            entries.join("\n\n")
        }
    };
    stdout::print(&text)?;
    Ok(0)
}

fn find(code: &str) -> Result<&'static WarningInfo, Failure> {
    WarningInfo::find(code).ok_or_else(|| {
        Failure::Usage(format!(
            "explain {code:?}: there is no such warning; `mixdown explain` lists all of them"
        ))
    })
}

/// Formats a warning as a line of the list.
fn list_line(info: &WarningInfo) -> String {
    format!("{}  {:7}  {}", info.code, info.severity, info.summary)
}

/// Formats a warning with its severity, meaning and cure.
fn entry(info: &WarningInfo) -> String {
    let severity = match info.severity {
        Severity::Note => "note: --strict passes it, -v prints it",
        _ => "warning: --strict fails on it",
    };
    format!(
        "{} {}  ({severity})\n\n  {}\n  Cure: {}",
        info.code, info.name, info.summary, info.cure
    )
}

fn to_json(warnings: Vec<&WarningInfo>) -> Value {
    let warnings = warnings.into_iter().map(|info| {
        json!({
            "code": info.code, "name": info.name, "severity": info.severity.to_string(),
            "summary": info.summary, "cure": info.cure
        })
    });
    json!({ "warnings": warnings.collect::<Value>() })
}
