//! Formats tables for a terminal: aligned columns that fit its width.

use crate::error::{MAX_WIDTH, one_line};
use std::fmt;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr};

/// Smallest width that a column is shortened to, and the one down to which it is before a column is left out: names of fewer
/// cells tell little.
const MIN_WIDTH: usize = 8;
const MIN_READABLE_WIDTH: usize = 12;

/// Rows under headings.
#[derive(Debug)]
pub(crate) struct TextTable {
    rows: Vec<Vec<String>>,
    /// Columns that are aligned to the right and never shortened, such as numbers.
    right: Vec<usize>,
    /// Other columns that are never shortened, such as positions.
    fixed: Vec<usize>,
    /// Columns that are left out first, in this order, where the others do not fit.
    droppable: Vec<usize>,
    hides_empty: bool,
}

impl TextTable {
    /// Creates a table with these headings; the columns listed in `right` are aligned to the right.
    pub(crate) fn new<const N: usize>(headings: [&str; N], right: &[usize]) -> Self {
        Self {
            rows: vec![headings.map(str::to_owned).to_vec()],
            right: right.to_vec(),
            fixed: Vec::new(),
            droppable: Vec::new(),
            hides_empty: false,
        }
    }

    /// Sets the columns that are left out first, in this order, where the others do not fit.
    pub(crate) fn droppable(mut self, columns: &[usize]) -> Self {
        self.droppable = columns.to_vec();
        self
    }

    /// Sets columns that are aligned to the left but never shortened, such as positions.
    pub(crate) fn fixed(mut self, columns: &[usize]) -> Self {
        self.fixed = columns.to_vec();
        self
    }

    /// Leaves out columns without content.
    pub(crate) fn hiding_empty(mut self) -> Self {
        self.hides_empty = true;
        self
    }

    /// Adds a row, which has a cell for each heading.
    pub(crate) fn push<const N: usize>(&mut self, row: [String; N]) {
        self.rows.push(row.map(one_line).to_vec());
    }

    /// Returns true if there are no rows under the headings.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.len() <= 1
    }

    /// Writes the table. If the formatter has a width, `{report:80}`, names and other left-aligned cells lose
    /// their middle until the rows fit that many terminal cells, and droppable columns go where that is not
    /// enough.
    ///
    /// Cells longer than [`MAX_WIDTH`] do not widen their column.
    pub(crate) fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.shown(f.width());
        let limit = f.width();
        for row in &self.rows {
            let mut line = String::new();
            for (column, width) in &shown {
                let cell = row.get(*column).map_or("", String::as_str);
                let cell = match limit {
                    Some(_) => shortened(cell, *width),
                    None => cell.to_owned(),
                };
                let missing = " ".repeat(width.saturating_sub(cell.width()));
                line += "  ";
                if self.right.contains(column) {
                    line += &missing;
                    line += &cell;
                } else {
                    line += &cell;
                    line += &missing;
                }
            }
            let line = line.trim_end();
            match limit {
                Some(columns) => writeln!(f, "{}", cut(line, columns))?,
                None => writeln!(f, "{line}")?,
            }
        }
        Ok(())
    }

    /// Returns the columns that are shown, with their widths.
    fn shown(&self, limit: Option<usize>) -> Vec<(usize, usize)> {
        let natural = self.natural_widths();
        let mut dropped: Vec<usize> = Vec::new();
        let mut droppable = self.droppable.iter();
        loop {
            let mut shown: Vec<(usize, usize)> = natural
                .iter()
                .copied()
                .enumerate()
                .filter(|(column, _)| !dropped.contains(column))
                .filter(|(column, _)| !self.hides_empty || self.has_content(*column))
                .collect();
            let Some(columns) = limit else {
                return shown;
            };
            if self.narrow(&mut shown, columns, MIN_READABLE_WIDTH) {
                return shown;
            }
            match droppable.next() {
                Some(column) => dropped.push(*column),
                None => {
                    self.narrow(&mut shown, columns, MIN_WIDTH);
                    return shown;
                }
            }
        }
    }

    fn is_flexible(&self, column: usize) -> bool {
        !self.right.contains(&column) && !self.fixed.contains(&column)
    }

    fn has_content(&self, column: usize) -> bool {
        let mut cells = self.rows.iter().skip(1).filter_map(|row| row.get(column));
        cells.any(|cell| !cell.is_empty())
    }

    fn natural_widths(&self) -> Vec<usize> {
        let columns = self.rows.first().map_or(0, Vec::len);
        let mut widths = vec![0; columns];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                let length = cell.width();
                if length <= MAX_WIDTH {
                    *width = length.max(*width);
                }
            }
        }
        widths
    }

    /// Narrows the widest of the columns that are not aligned to the right until a row takes at most this many
    /// cells and no column fewer than `min_width`. Returns false if it still takes more.
    fn narrow(&self, shown: &mut [(usize, usize)], columns: usize, min_width: usize) -> bool {
        loop {
            let total: usize = shown.iter().map(|(_, width)| width + 2).sum();
            if total <= columns {
                return true;
            }
            let widest = shown
                .iter_mut()
                .filter(|(column, width)| self.is_flexible(*column) && *width > min_width)
                .max_by_key(|(_, width)| *width);
            match widest {
                Some((_, width)) => *width -= 1,
                None => return false,
            }
        }
    }
}

/// Returns a line without what does not fit this many cells.
fn cut(line: &str, columns: usize) -> String {
    if line.width() <= columns {
        return line.to_owned();
    }
    format!("{}…", taken(line.chars(), columns.saturating_sub(1)))
}

/// Returns the first characters that together take at most this many cells.
fn taken(chars: impl Iterator<Item = char>, mut left: usize) -> String {
    chars
        .take_while(|c| {
            let cells = c.width().unwrap_or(0);
            let fits = cells <= left;
            left = left.saturating_sub(cells);
            fits
        })
        .collect()
}

/// Returns text that takes at most this many cells: a longer one loses its middle, `violins…divisi`.
fn shortened(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let kept = width.saturating_sub(1);
    // The end often tells names apart ("take 1", "take 2"), so it keeps half.
    let start = taken(text.chars(), kept.div_ceil(2));
    let end = taken(text.chars().rev(), kept / 2);
    start
        .chars()
        .chain(['…'])
        .chain(end.chars().rev())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Forty rows as the table of tracks has them.
    struct Rows(TextTable);

    impl fmt::Display for Rows {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.write(f)
        }
    }

    fn rows() -> Rows {
        let row = |name: &str| [name.to_owned(), "-12.0".to_owned(), format!("{name}.wav")];
        let mut table = TextTable::new(["track", "peak", "file"], &[1]).droppable(&[2]);
        for n in 0..38 {
            table.push(row(&format!("track {n}")));
        }
        table.push(row("first violins, divisi a 3, con sordino"));
        table.push(row("ドラムセット・オーバーヘッド左右"));
        Rows(table)
    }

    #[test]
    fn rows_fit_the_width_of_a_terminal() {
        let rows = rows();
        for columns in [10, 20, 30, 60, 80, 120] {
            let text = format!("{rows:columns$}");
            assert_eq!(text.lines().count(), 41);
            let widest = text.lines().map(|line| line.width()).max().unwrap();
            assert!(widest <= columns, "{widest} of {columns}:\n{text}");
        }
        let text = format!("{rows:60}");
        assert!(text.contains("ドラム") && text.contains("左右"), "{text}");
        // Where twelve cells for each name are too many, the file goes first.
        let text = format!("{rows:20}");
        assert!(!text.contains("file") && text.contains("-12.0"), "{text}");
    }

    #[test]
    fn columns_without_content_are_hidden_on_request() {
        let table = |hides: bool| {
            let mut table = TextTable::new(["a", "b", "c"], &[]);
            if hides {
                table = table.hiding_empty();
            }
            assert!(table.is_empty());
            table.push(["1", "", "x"].map(str::to_owned));
            table.push(["2", "", ""].map(str::to_owned));
            assert!(!table.is_empty());
            Rows(table).to_string()
        };
        assert_eq!(table(true), "  a  c\n  1  x\n  2\n");
        assert_eq!(table(false), "  a  b  c\n  1     x\n  2\n");
    }

    #[test]
    fn positions_and_numbers_are_whole_at_every_width() {
        let mut table = TextTable::new(["track", "at", "peak"], &[2]).fixed(&[1]);
        let cells = ["first violins, divisi", "01:00:12:08", "-12.0"];
        table.push(cells.map(str::to_owned));
        let text = format!("{:34}", Rows(table));
        assert!(text.contains("  01:00:12:08  -12.0"), "{text}");
    }

    #[test]
    fn without_a_width_nothing_is_shortened_and_columns_are_aligned_by_cells() {
        let whole = rows().to_string();
        assert!(!whole.contains('…'));
        let column = |line: &str| line.split("-12.0").next().unwrap().width();
        let mut columns: Vec<usize> = whole.lines().skip(1).map(column).collect();
        columns.dedup();
        assert_eq!(columns.len(), 1, "{whole}");
    }
}
