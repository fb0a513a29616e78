//! Parses TOML into the tree. Reports every syntax error and reads the rest.

use super::{
    problems::Problems,
    tree::{Key, Node, Table, Value},
};
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// Returns the tree of a TOML text that starts at a byte position of the source.
pub(super) fn read(source: &str, offset: usize, problems: &mut Problems) -> Table {
    let (root, errors) = DeTable::parse_recoverable(source);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let what = error.message().trim_end().replace('\n', "; ");
        let what = explained(source, &span, &what).unwrap_or(what);
        problems.report_syntax(moved(span, offset), what);
    }
    table(root.get_ref(), offset)
}

/// Quotes that word processors put in place of `"`.
const TYPOGRAPHIC_QUOTES: [char; 9] = ['“', '”', '„', '‟', '‘', '’', '‚', '«', '»'];

/// Returns what to do about a syntax error, for the mistakes that people make most; `None` for others.
///
/// The errors of the parser have no kinds, so they are recognised by their messages. One that is worded differently in
/// another version is shown as the parser states it.
fn explained(source: &str, span: &Range<usize>, message: &str) -> Option<String> {
    let before = source.get(..span.start)?;
    let start = before.rfind('\n').map_or(0, |n| n + 1);
    let line = source.get(start..)?.lines().next()?;
    let value = line.split_once('=').map_or("", |(_, value)| value.trim());
    let text = source.get(span.clone()).unwrap_or_default().trim();
    if message == "duplicate key" {
        let listed = line.trim_start().strip_prefix("[[");
        if let Some((kind, _)) = listed.and_then(|listed| listed.split_once(']')) {
            return Some(format!(
                "each {kind} is a table with a name: write [{kind}.NAME]"
            ));
        }
        let what = if line.trim_start().starts_with('[') {
            "this table is in the file twice: give one another name, or join them"
        } else {
            "this key is in the table twice: remove one"
        };
        return Some(what.to_owned());
    }
    let plain_value = value.split('#').next().unwrap_or_default().trim();
    if let Some((whole, decimals)) = plain_value.split_once(',')
        && whole
            .trim_start_matches(['-', '+'])
            .bytes()
            .all(|b| b.is_ascii_digit())
        && !decimals.is_empty()
        && decimals.bytes().all(|b| b.is_ascii_digit())
    {
        return Some(format!("decimals need a point: write {whole}.{decimals}"));
    }
    if message.contains("must be quoted") {
        return Some(match text {
            "" => "a value is missing after =".to_owned(),
            "yes" | "on" | "True" | "TRUE" => "write true, without quotes".to_owned(),
            "no" | "off" | "False" | "FALSE" => "write false, without quotes".to_owned(),
            "-Inf" | "-INF" | "-infinity" => "write -inf".to_owned(),
            _ if text.ends_with(['k', 'K'])
                && text.trim_end_matches(['k', 'K']).parse::<f64>().is_ok() =>
            {
                let hertz = text
                    .trim_end_matches(['k', 'K'])
                    .parse::<f64>()
                    .unwrap_or_default()
                    * 1000.0;
                format!("write {hertz}, in Hz")
            }
            _ if text.starts_with(TYPOGRAPHIC_QUOTES) => format!(
                "the quotes must be plain: write \"{}\"",
                text.trim_matches(TYPOGRAPHIC_QUOTES)
            ),
            _ => format!("text needs quotes: write \"{text}\""),
        });
    }
    if message.contains("unclosed table") && line.trim_start().starts_with('[') {
        if !line.contains(']') {
            return Some("the ] after the name of the table is missing".to_owned());
        }
        let header = line.trim().trim_start_matches('[').split(']').next()?;
        let (kind, name) = header.split_once('.')?;
        return name.contains(char::is_whitespace).then(|| {
            format!(
                "a name with spaces needs quotes: write [{kind}.\"{}\"]",
                name.trim()
            )
        });
    }
    if message.contains("escape") && value.contains('\\') {
        return Some("write / between folders, as in \"stems/vox.wav\"".to_owned());
    }
    if message.contains("basic string") && value.starts_with('"') && value.matches('"').count() == 1
    {
        return Some("the quotes at the end of the text are missing".to_owned());
    }
    None
}

/// Returns the tree of a TOML text, or `None` where it has a syntax error.
pub(super) fn read_exactly(source: &str, offset: usize) -> Option<Table> {
    let (root, errors) = DeTable::parse_recoverable(source);
    errors.is_empty().then(|| table(root.get_ref(), offset))
}

fn moved(span: Range<usize>, by: usize) -> Range<usize> {
    span.start + by..span.end + by
}

fn table(from: &DeTable<'_>, offset: usize) -> Table {
    let entry = |(key, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
        let name: &std::borrow::Cow<'_, str> = key.get_ref();
        (
            Key {
                name: name.to_string(),
                span: moved(key.span(), offset),
            },
            node(value, offset),
        )
    };
    Table {
        entries: from.iter().map(entry).collect(),
    }
}

fn node(from: &toml::Spanned<DeValue<'_>>, offset: usize) -> Node {
    let value = match from.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(n) => i64::from_str_radix(n.as_str(), n.radix())
            .map_or(Value::Other("an integer beyond 64 bits"), Value::Integer),
        DeValue::Float(x) => x
            .as_str()
            .parse()
            .map_or(Value::Other("a number that cannot be read"), Value::Number),
        DeValue::Boolean(on) => Value::Switch(*on),
        DeValue::Datetime(_) => Value::Other("a date"),
        DeValue::Array(list) => Value::List(list.iter().map(|n| node(n, offset)).collect()),
        DeValue::Table(t) => Value::Table(table(t, offset)),
    };
    Node {
        value,
        span: moved(from.span(), offset),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the explanation of an error about `part` of a text.
    fn explanation(source: &str, part: &str, message: &str) -> Option<String> {
        let start = source.rfind(part).unwrap();
        explained(source, &(start..start + part.len()), message)
    }

    #[test]
    fn a_name_that_is_there_twice_is_explained_by_what_it_names() {
        for (line, what) in [
            (
                "[[track]]",
                "each track is a table with a name: write [track.NAME]",
            ),
            (
                "[track.a]",
                "this table is in the file twice: give one another name, or join them",
            ),
            ("gain = 1", "this key is in the table twice: remove one"),
        ] {
            let text = format!("{line}\n  {line}\n");
            assert_eq!(
                explanation(&text, line, "duplicate key").as_deref(),
                Some(what)
            );
        }
    }

    #[test]
    fn a_value_without_quotes_is_explained_by_what_it_looks_like() {
        let quoted = |value: &str| {
            explanation(
                &format!("x = {value} # note\n"),
                value,
                "string values must be quoted",
            )
        };
        for (value, what) in [
            ("yes", "write true, without quotes"),
            ("on", "write true, without quotes"),
            ("True", "write true, without quotes"),
            ("TRUE", "write true, without quotes"),
            ("no", "write false, without quotes"),
            ("off", "write false, without quotes"),
            ("False", "write false, without quotes"),
            ("FALSE", "write false, without quotes"),
            ("-Inf", "write -inf"),
            ("-INF", "write -inf"),
            ("-infinity", "write -inf"),
            ("44.1k", "write 44100, in Hz"),
            ("48K", "write 48000, in Hz"),
            ("k", "text needs quotes: write \"k\""),
            ("-3dB", "text needs quotes: write \"-3dB\""),
        ] {
            assert_eq!(quoted(value).as_deref(), Some(what), "{value}");
        }
        for value in ["“Act 1”", "„Act 1“", "«Act 1»", "‘Act 1’"] {
            let what = "the quotes must be plain: write \"Act 1\"";
            assert_eq!(quoted(value).as_deref(), Some(what));
        }
        let missing = explained("x =\n", &(3..3), "string values must be quoted");
        assert_eq!(missing.as_deref(), Some("a value is missing after ="));
    }

    #[test]
    fn a_decimal_comma_is_explained_and_a_list_is_not() {
        let value = |value: &str| explanation(&format!("x = {value}\n"), value, "unexpected");
        for (text, point) in [("-3,5", "-3.5"), ("+0,25 # dB", "+0.25"), (",5", ".5")] {
            let what = format!("decimals need a point: write {point}");
            assert_eq!(value(text), Some(what));
        }
        for text in ["3,", "a,5", "3,a", "3 5"] {
            assert_eq!(value(text), None, "{text}");
        }
    }

    #[test]
    fn open_brackets_quotes_and_escapes_are_explained() {
        let header = |line: &str| explanation(&format!("{line}\n"), line, "unclosed table");
        assert_eq!(
            header("[track.a").as_deref(),
            Some("the ] after the name of the table is missing")
        );
        assert_eq!(
            header("[track.lead vox ]").as_deref(),
            Some("a name with spaces needs quotes: write [track.\"lead vox\"]")
        );
        assert_eq!((header("[track.a]"), header("x = 1")), (None, None));
        let value = |value: &str, message| explanation(&format!("x = {value}\n"), value, message);
        let slash = "write / between folders, as in \"stems/vox.wav\"";
        assert_eq!(
            value(r#""a\vox.wav""#, "invalid escape").as_deref(),
            Some(slash)
        );
        assert_eq!(value("\"a.wav\"", "invalid escape"), None);
        let quotes = "the quotes at the end of the text are missing";
        assert_eq!(
            value("\"a.wav", "invalid basic string").as_deref(),
            Some(quotes)
        );
        assert_eq!(value("\"a.wav\"", "invalid basic string"), None);
        assert_eq!(value("a\"", "invalid basic string"), None);
    }
}
