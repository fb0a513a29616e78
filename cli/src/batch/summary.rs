//! Writes `summary.jsonl` and `summary.csv`: one line per item, in the order of the list.

use super::marker::Marker;
use serde_json::{Map, Value, json};
use soundtrack::{
    Error, ErrorKind, Result,
    diagnostics::{Severity, WarningInfo},
    storage::AtomicFile,
};
use std::{io::Write as _, path::Path};

/// Columns of the table after id, index and status.
const COLUMNS: [&str; 9] = [
    "out",
    "files",
    "bytes",
    "duration_s",
    "wall_s",
    "integrated_lufs",
    "true_peak_dbtp",
    "clipped_samples",
    "warnings",
];

/// Both summaries of a list while they are written.
pub struct Summary {
    lines: AtomicFile,
    table: AtomicFile,
}

impl Summary {
    /// Starts both summaries in a folder, which may be one of a store. They appear with [`Self::finish`].
    ///
    /// # Errors
    /// `Output`, as for all methods, if a file cannot be written.
    pub fn create(folder: &Path) -> Result<Self> {
        let mut summary = Self {
            lines: AtomicFile::create(folder.join("summary.jsonl"), true)?,
            table: AtomicFile::create(folder.join("summary.csv"), true)?,
        };
        let heading = format!("id,index,status,{}\r\n", COLUMNS.join(","));
        summary
            .table
            .write_all(heading.as_bytes())
            .map_err(cannot_write)?;
        Ok(summary)
    }

    /// Adds an item that has a complete marker.
    pub fn add_done(&mut self, id: Option<&str>, index: u64, marker: &Marker) -> Result<()> {
        let status = if marker.code == 0 {
            "done"
        } else {
            "check failed"
        };
        let mut line = figures(marker);
        line.insert("id".into(), json!(id));
        line.insert("index".into(), json!(index));
        line.insert("status".into(), json!(status));
        line.insert(
            "out".into(),
            json!(marker.outputs.first().map(|output| &output.file)),
        );
        let cells: Vec<String> = COLUMNS
            .iter()
            .map(|column| line.get(*column).map(cell).unwrap_or_default())
            .collect();
        let row = format!("{},{index},{status},{}", cell(&json!(id)), cells.join(","));
        self.write(&Value::Object(line), &row)
    }

    /// Adds an item that is missing, with the reason.
    pub fn add_missing(&mut self, id: Option<&str>, index: u64, reason: &str) -> Result<()> {
        let line = json!({ "id": id, "index": index, "status": "missing", "what": reason });
        let row = format!(
            "{},{index},missing{}",
            cell(&json!(id)),
            ",".repeat(COLUMNS.len())
        );
        self.write(&line, &row)
    }

    fn write(&mut self, line: &Value, row: &str) -> Result<()> {
        writeln!(self.lines, "{line}")
            .and_then(|()| write!(self.table, "{row}\r\n"))
            .map_err(cannot_write)
    }

    /// Publishes both summaries.
    pub fn finish(self) -> Result<()> {
        self.lines.finish()?;
        self.table.finish()?;
        Ok(())
    }
}

fn cannot_write(e: std::io::Error) -> Error {
    let text = format!("the summary cannot be written: {e}");
    Error::new(ErrorKind::Output, text).because(e)
}

/// Returns the figures of an item that people scan a list of thousands for; its marker has all.
///
/// Levels and duration are those of the first file, counts those of all files.
pub fn figures(marker: &Marker) -> Map<String, Value> {
    let files = marker
        .report
        .pointer("/deliverables/0/files")
        .and_then(Value::as_array);
    let reports = files.map_or(std::slice::from_ref(&marker.report), Vec::as_slice);
    let of_first = |pointer: &str| {
        let figure = reports.first().and_then(|report| report.pointer(pointer));
        figure.cloned().unwrap_or(Value::Null)
    };
    let clipped = reports
        .iter()
        .filter_map(|report| report.pointer("/mix/clipped_samples")?.as_u64());
    let is_note = |warning: &&Value| {
        let code = warning.pointer("/code").and_then(Value::as_str);
        let info = code.and_then(WarningInfo::find);
        info.is_some_and(|info| info.severity == Severity::Note)
    };
    let warnings = reports
        .iter()
        .filter_map(|report| report.pointer("/warnings")?.as_array())
        .flatten()
        .filter(|warning| !is_note(warning));
    let bytes: u64 = marker.outputs.iter().map(|output| output.bytes).sum();
    let wall_s = marker.report.pointer("/wall_s").cloned();
    [
        ("bytes", json!(bytes)),
        ("files", json!(marker.outputs.len())),
        ("duration_s", of_first("/duration_s")),
        ("wall_s", wall_s.unwrap_or(Value::Null)),
        ("integrated_lufs", of_first("/mix/integrated_lufs")),
        ("true_peak_dbtp", of_first("/mix/true_peak_dbtp")),
        ("clipped_samples", json!(clipped.sum::<u64>())),
        ("warnings", json!(warnings.count())),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect()
}

/// Formats a value as a cell of a CSV file (RFC 4180).
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) if text.contains([',', '"', '\n', '\r']) => {
            format!("\"{}\"", text.replace('"', "\"\""))
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        assert_eq!(cell(&json!("a, \"b\"")), "\"a, \"\"b\"\"\"");
        assert_eq!(
            (cell(&json!(null)), cell(&json!(-23.1))),
            (String::new(), "-23.1".into())
        );
    }
}
