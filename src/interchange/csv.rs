//! Comma-separated values (RFC 4180), and the same with semicolons or tabs, as spreadsheets of other languages write.

/// Limit of the number of lines.
const MAX_ROWS: usize = 2 * super::MAX_ITEMS;

/// Limit of the number of cells of a line.
const MAX_CELLS: usize = 256;

/// A line with its number, counted from 1; a quoted cell may span several lines of the text.
#[derive(Debug)]
pub(super) struct Row {
    pub line: usize,
    pub cells: Vec<String>,
}

impl Row {
    /// Returns a cell without space around it; empty where the line is shorter.
    pub(super) fn cell(&self, column: Option<usize>) -> &str {
        column
            .and_then(|column| self.cells.get(column))
            .map_or("", |cell| cell.trim())
    }
}

/// Reads all rows that are not empty. The first line decides the separator.
///
/// # Errors
/// Line and message.
pub(super) fn rows(text: &str) -> Result<Vec<Row>, (usize, String)> {
    let head = text.lines().next().unwrap_or("");
    let count = |c: char| head.matches(c).count();
    let separator = [',', ';', '\t']
        .into_iter()
        .max_by_key(|c| (count(*c), *c == ','))
        .unwrap_or(',');
    let mut rows = Vec::new();
    let mut row = Row {
        line: 1,
        cells: Vec::new(),
    };
    let (mut cell, mut line) = (String::new(), 1);
    // The line that an open quote is on.
    let mut quote: Option<usize> = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        line += usize::from(c == '\n');
        match c {
            '"' if quote.is_some() => {
                if chars.peek() == Some(&'"') {
                    chars.next();
                    cell.push('"');
                } else {
                    quote = None;
                }
            }
            c if quote.is_some() => cell.push(c),
            '"' if cell.trim().is_empty() => {
                cell.clear();
                quote = Some(line);
            }
            c if c == separator => {
                row.cells.push(std::mem::take(&mut cell));
                if row.cells.len() > MAX_CELLS {
                    return Err((line, format!("has more than {MAX_CELLS} cells")));
                }
            }
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' => {
                row.cells.push(std::mem::take(&mut cell));
                let next = Row {
                    line,
                    cells: Vec::new(),
                };
                rows.push(std::mem::replace(&mut row, next));
                if rows.len() > MAX_ROWS {
                    return Err((line, "is one line more than a session can hold".to_owned()));
                }
            }
            c => cell.push(c),
        }
    }
    if let Some(line) = quote {
        return Err((line, "has a quote that is not closed".to_owned()));
    }
    row.cells.push(cell);
    rows.push(row);
    rows.retain(|row| row.cells.iter().any(|cell| !cell.trim().is_empty()));
    Ok(rows)
}

/// Returns a text that no spreadsheet takes for a formula. [`unguarded`] takes it back.
pub(super) fn guarded(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.trim_start().starts_with(['=', '+', '-', '@', '\'']) {
        format!("'{text}")
    } else {
        text
    }
}

/// Returns the text of a cell that [`guarded`] made.
pub(super) fn unguarded(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(inner) if inner.trim_start().starts_with(['=', '+', '-', '@', '\'']) => inner,
        _ => text,
    }
}

/// Appends a line of cells, quoted where they need to be.
pub(super) fn push_line(csv: &mut String, cells: &[String]) {
    for (number, cell) in cells.iter().enumerate() {
        if number > 0 {
            csv.push(',');
        }
        if cell.contains([',', ';', '\t', '"', '\n', '\r']) || cell.trim() != cell {
            *csv += &format!("\"{}\"", cell.replace('"', "\"\""));
        } else {
            *csv += cell;
        }
    }
    *csv += "\r\n";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> Vec<Vec<String>> {
        rows(text).unwrap().into_iter().map(|r| r.cells).collect()
    }

    #[test]
    fn what_is_written_is_read() {
        let all = ["", "a", "a,b", "say \"x\"", "=1+1", "'=1", "-6", "'", "a;b"];
        let mut csv = String::new();
        push_line(&mut csv, &all.map(guarded));
        let read = cells(&csv);
        let read: Vec<&str> = read[0].iter().map(|cell| unguarded(cell)).collect();
        assert_eq!(read, all);
    }

    #[test]
    fn lines_are_counted_through_quotes() {
        let rows = rows("a;b\r\n\r\n\"x\ny\";z\nlast").unwrap();
        let lines: Vec<usize> = rows.iter().map(|row| row.line).collect();
        assert_eq!(lines, [1, 3, 5]);
        assert_eq!(rows[1].cells, ["x\ny", "z"]);
        assert_eq!(rows[2].cells, ["last"]);
        assert_eq!(super::rows("a\n\"b").unwrap_err().0, 2);
    }
}
