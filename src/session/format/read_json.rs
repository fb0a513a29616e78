//! Parses JSON (RFC 8259) into the tree: every value with its byte range, duplicate keys refused, nesting bounded.
//!
//! Stops at the first syntax error, since what follows one means nothing certain.
//!
//! Written by hand, because no maintained crate with few dependencies keeps byte ranges and is strict. `serde_json` drops
//! ranges and keeps the last of duplicate keys. `jsonc-parser` 0.34 keeps ranges and needs no other crate, but without its
//! extensions for comments, commas, quotes and numbers it still accepts duplicate keys, control characters in strings and
//! `1.`, and all its messages would differ. `json-syntax` has nine dependencies; `json-spanned-value` was last released in
//! 2020.

use super::{
    problems::Problems,
    tree::{Key, Node, Table, Value},
};
use std::collections::HashSet;

/// Limit of nesting.
const MAX_DEPTH: usize = 32;

/// Returns the tree of a JSON text.
pub(super) fn read(source: &str, problems: &mut Problems) -> Table {
    let mut json = Json { source, at: 0 };
    let start = json.skip();
    match json.value(0, problems) {
        Err((at, what)) => problems.report(at..at + 1, what),
        Ok(node) => {
            let end = json.skip();
            if end < source.len() {
                problems.report(end..end + 1, "nothing may follow the session");
            }
            match node.value {
                Value::Table(table) => return table,
                other => problems.report(
                    start..node.span.end,
                    format!("a session is an object, not {}", other.kind()),
                ),
            }
        }
    }
    Table::default()
}

struct Json<'a> {
    source: &'a str,
    at: usize,
}

/// Byte position and message.
type SyntaxError = (usize, String);

impl<'a> Json<'a> {
    fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or("")
    }

    fn next_is(&self, c: char) -> bool {
        self.rest().starts_with(c)
    }

    /// Skips white space and returns the position after it.
    fn skip(&mut self) -> usize {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        self.at
    }

    fn expect(&mut self, c: char, place: &str) -> Result<(), SyntaxError> {
        self.skip();
        if self.next_is(c) {
            self.at += c.len_utf8();
            return Ok(());
        }
        let found = self
            .rest()
            .chars()
            .next()
            .map_or("the end".to_owned(), |c| format!("{c:?}"));
        Err((self.at, format!("expected {c:?} {place}, found {found}")))
    }

    fn value(&mut self, depth: usize, problems: &mut Problems) -> Result<Node, SyntaxError> {
        let start = self.skip();
        if depth > MAX_DEPTH {
            return Err((start, format!("nested more than {MAX_DEPTH} deep")));
        }
        let value = match self.rest().chars().next() {
            Some('{') => Value::Table(self.object(depth, problems)?),
            Some('[') => Value::List(self.list(depth, problems)?),
            Some('"') => Value::Text(self.string()?),
            Some(c) if c == '-' || c.is_ascii_digit() => self.number()?,
            _ => self.word()?,
        };
        Ok(Node {
            value,
            span: start..self.at,
        })
    }

    fn object(&mut self, depth: usize, problems: &mut Problems) -> Result<Table, SyntaxError> {
        let (mut table, mut names) = (Table::default(), HashSet::new());
        self.at += 1;
        self.skip();
        if self.next_is('}') {
            self.at += 1;
            return Ok(table);
        }
        loop {
            let start = self.skip();
            if !self.next_is('"') {
                return Err((start, "expected a key in quotes".to_owned()));
            }
            let key = Key {
                name: self.string()?,
                span: start..self.at,
            };
            self.expect(':', "after the key")?;
            let node = self.value(depth + 1, problems)?;
            if names.insert(key.name.clone()) {
                table.entries.push((key, node));
            } else {
                problems.report(key.span, "duplicate key");
            }
            self.skip();
            if self.next_is('}') {
                self.at += 1;
                return Ok(table);
            }
            self.expect(',', "or '}' after the value")?;
        }
    }

    fn list(&mut self, depth: usize, problems: &mut Problems) -> Result<Vec<Node>, SyntaxError> {
        let mut list = Vec::new();
        self.at += 1;
        self.skip();
        if self.next_is(']') {
            self.at += 1;
            return Ok(list);
        }
        loop {
            list.push(self.value(depth + 1, problems)?);
            self.skip();
            if self.next_is(']') {
                self.at += 1;
                return Ok(list);
            }
            self.expect(',', "or ']' after the value")?;
        }
    }

    fn number(&mut self) -> Result<Value, SyntaxError> {
        let start = self.at;
        let number = self.rest();
        let end = number
            .find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E'))
            .unwrap_or(number.len());
        let number = number.get(..end).unwrap_or("");
        self.at += end;
        // The grammar is narrower than that of numbers in Rust.
        let digits = number.strip_prefix('-').unwrap_or(number);
        let whole = digits
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(digits.len());
        let led = whole > 1 && digits.starts_with('0');
        let fraction_is_empty = digits
            .split_once('.')
            .is_some_and(|(_, f)| !f.starts_with(|c: char| c.is_ascii_digit()));
        if number == "-" {
            return Err((
                start,
                "\"-\" is no number; minus infinity is written \"-inf\"".to_owned(),
            ));
        }
        if whole == 0 || led || fraction_is_empty {
            return Err((start, format!("{number:?} is no number")));
        }
        if whole == digits.len() {
            return Ok(number
                .parse()
                .map_or(Value::Other("an integer beyond 64 bits"), Value::Integer));
        }
        match number.parse::<f64>() {
            Ok(x) if x.is_finite() => Ok(Value::Number(x)),
            Ok(_) => Ok(Value::Other("a number that cannot be read")),
            Err(_) => Err((start, format!("{number:?} is no number"))),
        }
    }

    fn word(&mut self) -> Result<Value, SyntaxError> {
        let words = [
            ("true", Value::Switch(true)),
            ("false", Value::Switch(false)),
            ("null", Value::Other("null")),
        ];
        for (word, value) in words {
            if self.rest().starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err((self.at, "expected a value".to_owned()))
    }

    fn string(&mut self) -> Result<String, SyntaxError> {
        let start = self.at;
        self.at += 1;
        let mut out = String::new();
        loop {
            let mut chars = self.rest().chars();
            let c = chars
                .next()
                .ok_or((start, "a text without its closing quote".to_owned()))?;
            self.at += c.len_utf8();
            match c {
                '"' => return Ok(out),
                '\\' => out.push(self.escape()?),
                c if u32::from(c) < 0x20 => {
                    return Err((
                        self.at - 1,
                        "a control character in a text: write it as an escape".to_owned(),
                    ));
                }
                c => out.push(c),
            }
        }
    }

    fn escape(&mut self) -> Result<char, SyntaxError> {
        let at = self.at - 1;
        let wrong = || (at, "no such escape".to_owned());
        let c = self.rest().chars().next().ok_or_else(wrong)?;
        self.at += c.len_utf8();
        Ok(match c {
            '"' | '\\' | '/' => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let first = self.hex().ok_or_else(wrong)?;
                let code = if (0xD800..0xDC00).contains(&first) {
                    // A surrogate pair.
                    let low = self
                        .rest()
                        .starts_with("\\u")
                        .then(|| self.at += 2)
                        .and_then(|()| self.hex());
                    let low = low
                        .filter(|l| (0xDC00..0xE000).contains(l))
                        .ok_or_else(wrong)?;
                    0x10000 + ((first - 0xD800) << 10) + (low - 0xDC00)
                } else {
                    first
                };
                char::from_u32(code).ok_or_else(wrong)?
            }
            _ => return Err(wrong()),
        })
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self
            .rest()
            .get(..4)
            .filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
        let code = u32::from_str_radix(digits, 16).ok()?;
        self.at += 4;
        Some(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(source: &str) -> Result<String, SyntaxError> {
        Json { source, at: 0 }.string()
    }

    #[test]
    fn escapes_are_characters() {
        let text = string(r#""\"\\\/\b\f\n\r\t\u0041\u20aC" and more"#);
        assert_eq!(text.unwrap(), "\"\\/\u{8}\u{c}\n\r\tA€");
        for (pair, c) in [
            (r#""\uD800\uDC00""#, '\u{10000}'),
            (r#""\ud83d\ude00""#, '😀'),
            (r#""\uDBFF\uDFFF""#, '\u{10FFFF}'),
            (r#""\uD7FF""#, '\u{D7FF}'),
            (r#""\uE000""#, '\u{E000}'),
        ] {
            assert_eq!(string(pair), Ok(c.to_string()));
        }
    }

    #[test]
    fn a_wrong_escape_is_refused_where_it_begins() {
        for wrong in [
            r#""ab\x""#,
            r#""ab\u12G4""#,
            r#""ab\u123""#,
            r#""ab\uD800""#,
            r#""ab\uD800\n""#,
            r#""ab\uD800\uDBFF""#,
            r#""ab\uD800\uE000""#,
            r#""ab\uDC00""#,
            r#""ab\"#,
        ] {
            assert_eq!(
                string(wrong),
                Err((3, "no such escape".to_owned())),
                "{wrong}"
            );
        }
        let what = "a control character in a text: write it as an escape";
        assert_eq!(string("\"ab\u{1F}\""), Err((3, what.to_owned())));
        assert_eq!(string("\"ab \""), Ok("ab ".to_owned()));
        let open = "a text without its closing quote";
        assert_eq!(string("\"ab"), Err((0, open.to_owned())));
    }
}
