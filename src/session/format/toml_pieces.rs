//! Reads a long TOML text table by table.
//!
//! The parser holds several tokens for each word until it has read the whole text, which is more than the tree takes. Of a text
//! that is read in pieces the tokens of only one are in memory.

use super::{
    problems::Problems,
    read_toml::{self, TooLarge},
    size_limit,
    tree::{Key, Node, Table, Value},
};
use std::{collections::HashMap, ops::Range};

/// Returns the tree of a text in pieces of about `piece_bytes` bytes; `None` if it has to be read as a whole, since a table is in
/// several places of it or in a list. Reports syntax errors.
pub(super) fn read(
    source: &str,
    piece_bytes: usize,
    problems: &mut Problems,
) -> Option<Result<Table, TooLarge>> {
    let pieces = Pieces {
        source,
        at: 0,
        piece_bytes,
    };
    let mut left = size_limit::MAX_BYTES;
    let mut tree = Assembly::default();
    for piece in pieces {
        let Piece {
            range,
            header,
            kept_bytes,
        } = piece;
        let text = source.get(range.clone())?;
        if let Some(at) = size_limit::exceeded_at(text, left) {
            return Some(Err(TooLarge(range.start + at)));
        }
        left = left.saturating_sub(kept_bytes);
        let is_in_list = header.is_some_and(|at| source.get(at..at + 2) == Some("[["));
        if is_in_list {
            return None;
        }
        let (piece, is_valid) = read_toml::parse(text, range.start, problems);
        if is_valid {
            tree.add(piece, header)?;
        }
    }
    Some(Ok(tree.root))
}

/// A part of a text: a table, or more lines of the one before.
struct Piece {
    range: Range<usize>,
    /// The position of the table's header, with which the piece begins.
    header: Option<usize>,
    /// The most bytes that remain of it once it is parsed.
    kept_bytes: usize,
}

/// Cuts a text into pieces.
struct Pieces<'s> {
    source: &'s str,
    at: usize,
    piece_bytes: usize,
}

impl Iterator for Pieces<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let start = self.at;
        let (mut header, mut kept_bytes) = (None, 0);
        while self.at < self.source.len() && self.at - start < self.piece_bytes {
            let rest = self.source.get(self.at..)?;
            let line = rest.trim_start_matches([' ', '\t']);
            if line.starts_with('[') {
                if self.at > start {
                    break;
                }
                header = Some(self.at + rest.len() - line.len());
            }
            let (length, kept) = expression(rest.as_bytes());
            self.at += length;
            kept_bytes += kept;
        }
        (self.at > start).then_some(Piece {
            range: start..self.at,
            header,
            kept_bytes,
        })
    }
}

/// Returns the number of bytes up to the end of the first line that ends outside brackets and texts, and the most bytes that
/// remain of them once they are parsed.
fn expression(source: &[u8]) -> (usize, usize) {
    let (mut at, mut kept, mut depth) = (0, 0, 0usize);
    while let Some(byte) = source.get(at) {
        let rest = source.get(at..).unwrap_or_default();
        match byte {
            b'"' | b'\'' => {
                at += text_length(rest, *byte);
                continue;
            }
            b'#' => {
                at += rest.iter().take_while(|b| **b != b'\n').count();
                continue;
            }
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
        kept += size_limit::kept_bytes(*byte);
        if *byte == b'\n' && depth == 0 {
            break;
        }
    }
    (at, kept)
}

/// Returns the number of bytes of a text with its quotes. One on a single line that is not closed ends with the line.
fn text_length(source: &[u8], quote: u8) -> usize {
    let triple = [quote; 3];
    let is_long = source.starts_with(&triple);
    let mut at = if is_long { 3 } else { 1 };
    while let Some(byte) = source.get(at) {
        let rest = source.get(at..).unwrap_or_default();
        match byte {
            b'\\' if quote == b'"' => at += 1,
            b'\n' if !is_long => return at,
            // Up to two further quotes belong to the text.
            _ if is_long && rest.starts_with(&triple) => {
                return at + rest.iter().take(5).take_while(|b| **b == quote).count();
            }
            byte if !is_long && *byte == quote => return at + 1,
            _ => {}
        }
        at += 1;
    }
    source.len()
}

/// The tree of the pieces so far.
#[derive(Default)]
struct Assembly {
    root: Table,
    /// Every key of the tables that have a header, and of the root, by the number of its table.
    places: HashMap<(usize, String), Place>,
    /// Number of tables with a header, and of those around them.
    tables: usize,
    /// The table that the next lines belong to: its number, and its indices in the tables around it.
    current: usize,
    path: Vec<usize>,
}

struct Place {
    /// Index of the key in its table.
    index: usize,
    /// Number of the table that it names; `None` for a value.
    table: Option<usize>,
}

impl Assembly {
    /// Adds a piece; `None` if the text has to be read as a whole.
    fn add(&mut self, piece: Table, header: Option<usize>) -> Option<()> {
        let Some(header) = header else {
            return self.extend(piece);
        };
        (self.current, self.path) = (0, Vec::new());
        let (mut inner, mut is_last) = (piece, false);
        while !is_last {
            let mut entries = inner.entries.into_iter();
            let (Some((key, node)), None) = (entries.next(), entries.next()) else {
                return None;
            };
            // The table itself has the place of its header, those around it have that of their key.
            is_last = node.span.start == header;
            let Value::Table(table) = node.value else {
                return None;
            };
            self.enter(key, node.span, is_last)?;
            inner = table;
        }
        self.extend(inner)
    }

    /// Goes to a table in the current one, and adds it if it is not there.
    fn enter(&mut self, key: Key, span: Range<usize>, is_last: bool) -> Option<()> {
        let place = (self.current, key.name.clone());
        if let Some(known) = self.places.get(&place) {
            self.current = known.table.filter(|_| !is_last)?;
            self.path.push(known.index);
            return Some(());
        }
        self.tables += 1;
        let value = Value::Table(Table::default());
        let index = self.push(key, Node { value, span })?;
        let table = Some(self.tables);
        self.places.insert(place, Place { index, table });
        self.current = self.tables;
        self.path.push(index);
        Some(())
    }

    /// Adds keys to the current table.
    fn extend(&mut self, keys: Table) -> Option<()> {
        for (key, node) in keys.entries {
            let place = (self.current, key.name.clone());
            let index = self.push(key, node)?;
            let known = self.places.insert(place, Place { index, table: None });
            if known.is_some() {
                return None;
            }
        }
        Some(())
    }

    /// Appends a key to the current table and returns its index.
    fn push(&mut self, key: Key, node: Node) -> Option<usize> {
        let mut table = &mut self.root;
        for index in &self.path {
            let (_, node) = table.entries.get_mut(*index)?;
            let Value::Table(inner) = &mut node.value else {
                return None;
            };
            table = inner;
        }
        table.entries.push((key, node));
        Some(table.entries.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::source_text::SourceText;
    use std::sync::Arc;

    fn problems(text: &str) -> Problems {
        Problems::new(&Arc::new(SourceText {
            path: "s.toml".into(),
            text: text.to_owned(),
            overrides: String::new(),
        }))
    }

    /// Returns the tree of a text in pieces, which has to be that of the whole text.
    fn same_in_pieces(text: &str) -> Option<Table> {
        let mut problems = problems(text);
        let (whole, is_valid) = read_toml::parse(text, 0, &mut problems);
        let mut last = None;
        for piece_bytes in [1, 20, 100, 1 << 20] {
            let Some(read) = read(text, piece_bytes, &mut problems) else {
                last = None;
                continue;
            };
            let tree = read.unwrap_or_else(|_| panic!("{text}: too large"));
            if is_valid {
                assert_eq!(format!("{tree:?}"), format!("{whole:?}"), "{text}");
            }
            last = Some(tree);
        }
        assert_eq!(is_valid, problems.is_empty(), "{text}");
        last
    }

    #[test]
    fn pieces_have_the_tree_of_the_whole() {
        for text in [
            "",
            "\n# none\n",
            "rate = 48000\ntitle = 'a # [b]'\n\n# [c]\n[master]\ngain = -1 # [x]\n",
            "a = [\n  '[b]', # ]\n  \"\\\"[c]\",\n]\n[d]\ne = { f = \"}\", g = [1,\n2] }\n",
            "a = \"\"\"\n[b]\n\\\"\"\"\"\"\"\nc = '''\n[d]'''''\n[e]\nf = ''\ng = \"\"\n",
            "  [ track . \"a b\" . clip ]\n\tx = 1\n[track.\"a b\"]\n",
            "[track.a.clip]\nx.y = 1\nx.z = 2\nw = 3\n[track.b]\n[track.c.send]\nd = 1\n[bus.a]\r\nb = 1\r\n",
            "[a]\nb = 1",
            include_str!("../../../examples/sessions/lighthouse.toml"),
        ] {
            same_in_pieces(text);
        }
    }

    #[test]
    fn a_table_in_several_places_is_read_as_a_whole() {
        for text in [
            "[a]\nb = 1\n[c]\n[a]\nd = 1\n",
            "[a.b]\n[a]\nc = 1\n",
            "[a]\nb = {}\n[a.b]\n",
            "[a]\nb = 1\nb = 2\n",
            "[[a]]\nb = 1\n",
            "a.b = 1\n\n\n\n\n\n\n\n\n\n\n\n\n\na.c = 1\n",
        ] {
            assert!(read(text, 1, &mut problems(text)).is_none(), "{text}");
        }
    }

    #[test]
    fn syntax_errors_are_found_in_their_piece() {
        for (text, line, column) in [
            ("[a]\nb = 1\n[c]\nd = \n[e]\n", 4, 5),
            ("[a]\nb = 1\n[c\nd = 1\n[e]\n", 3, 3),
            ("[a]\nb = \"x\n[c]\n", 2, 7),
        ] {
            for piece_bytes in [1, 1 << 20] {
                let mut problems = problems(text);
                assert!(matches!(
                    read(text, piece_bytes, &mut problems),
                    Some(Ok(_))
                ));
                let found = problems.into_vec();
                let place = found.first().and_then(|p| p.span.clone()).unwrap();
                assert_eq!((place.line, place.column), (line, column), "{text}");
            }
        }
    }
}
