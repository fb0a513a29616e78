//! The reference page of all keys, and the tests that the table of keys agrees with the code and with the files made from
//! it. `SOUNDTRACK_REGENERATE=1 cargo test --lib session::format` writes those files anew.

use super::loudness::LEVELS;
use super::{
    Load, inserts,
    keys::{self, KeySpec, Kind, TableSpec},
    problems::Problems,
    read_toml, session_reader,
};
use crate::{measure::LoudnessTarget, session::source_text::SourceText};
use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path, sync::Arc};

/// Returns the reference page.
fn page() -> String {
    let mut page = HEAD.to_owned();
    for table in keys::tables() {
        section(table, &mut page);
    }
    page += &inserts::reference();
    page += VALUES;
    page
}

fn section(table: &TableSpec, page: &mut String) {
    let heading = if table.heading.starts_with('[') {
        format!("`{}`", table.heading.replace(", ", "`, `"))
    } else {
        table.heading.to_owned()
    };
    _ = write!(
        page,
        "\n## {heading}\n\n{}\n\n| key | value | default | meaning |\n|---|---|---|---|\n",
        table.doc
    );
    for key in table.keys() {
        let default = match (key.required, key.default) {
            (true, _) => "required".to_owned(),
            (_, Some(default)) => format!("`{default}`"),
            _ => String::new(),
        };
        _ = writeln!(
            page,
            "| `{}` | {} | {default} | {} |",
            key.name,
            value(key),
            key.doc.replace('|', "\\|")
        );
    }
}

fn value(key: &KeySpec) -> String {
    let value = match &key.kind {
        Kind::Text => "text".to_owned(),
        Kind::Language => "language".to_owned(),
        Kind::Switch => "`true` or `false`".to_owned(),
        Kind::Count { low, high } => format!("whole number, {low} to {high}"),
        Kind::Number { low, high } => format!("number, {low} to {high}"),
        Kind::Target => {
            let names: Vec<String> = LoudnessTarget::names()
                .map(|name| format!("`\"{name}\"`"))
                .collect();
            format!(
                "number, {} to {}, or {}",
                LEVELS.0,
                LEVELS.1,
                names.join(" ")
            )
        }
        Kind::Level => "level".to_owned(),
        Kind::Ceiling => "number, -60 to 0".to_owned(),
        Kind::Pan => "pan".to_owned(),
        Kind::Length => "length".to_owned(),
        Kind::Position => "position".to_owned(),
        Kind::Fade => "fade".to_owned(),
        Kind::Choice(names) => names
            .iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(" "),
        Kind::FrameRate => "frame rate".to_owned(),
        Kind::Timecode => "timecode".to_owned(),
        Kind::Dither => "dither".to_owned(),
        Kind::Texts => "text or list of texts".to_owned(),
        Kind::Points => "list of points".to_owned(),
        Kind::Markers => "table of markers".to_owned(),
        Kind::Sends => "table of sends".to_owned(),
        Kind::InsertPoints => "tables of lists of points".to_owned(),
        Kind::Inserts => "tables of inserts by name".to_owned(),
        Kind::Table(_) => "table".to_owned(),
        Kind::Tables(_) => "tables by name".to_owned(),
    };
    if key.unit.is_empty() {
        value
    } else {
        format!("{value} ({})", key.unit)
    }
}

const HEAD: &str = "<!-- Generated from src/session/format/keys.rs; do not edit. -->\n\n# Keys of the session file\n";

const VALUES: &str = r#"
## Values

| value | how it is written |
|---|---|
| dither | shape of the noise and, after a space, the number that selects the noise: `"white"`, `"high-pass 7"`, `"weighted"` |
| fade | length and, after a space, shape: `"50ms"`, `"2s equal-power"`; shapes: `linear`, `equal-power`, `between`, `raised-cosine`, `square-root`, `decibel-linear` |
| frame rate | name or number: `"24"`, `24`, `"29.97df"` |
| language | letters, digits, `-` and `_`, at most 35: `"en"`, `"pt-BR"` |
| length | `"12.5s"`, `"2m20s"`, `"250ms"`, `"12000 frames"`; with `fps` also `"mm:ss:ff"` and `"hh:mm:ss:ff"` |
| level | number, or text for minus infinity: `-3`, `"-inf"` |
| pan | text or number from -1 (left) to 1 (right): `"C"`, `"L30"`, `"R100"`, `-0.3` |
| point | time, value and shape of the way there: `"4s -6 sine"`; shapes: `linear`, `sine`, `exp`, `step` |
| position | a time after the start, a timecode, or `"origin"` for the stem's Broadcast-WAV time reference; in a cue, only a time after its start |
| timecode | `"01:00:12:08"`, with `;` before the frames for drop-frame rates |
"#;

/// Every kind of table once.
const EVERY_TABLE: &str = r#"
rate = 48000
[album]
[master]
automation = {}
[bus.b]
automation = {}
[track.t]
file = "t.wav"
[track.t.clip.c]
file = "c.wav"
[cue.c]
at = 0
[cue.c.track.t]
file = "t.wav"
[cue.c.use.u]
at = 0
[deliver.d]
file = "d"
loudness = {}
"#;

#[test]
fn the_reader_asks_for_the_keys_of_the_table() {
    let source = Arc::new(SourceText {
        path: "s.toml".into(),
        text: EVERY_TABLE.to_owned(),
        overrides: String::new(),
    });
    let mut problems = Problems::new(&source);
    let tree = read_toml::read(EVERY_TABLE, 0, &mut problems);
    session_reader::session(&Load::default(), Path::new("s.toml"), &tree, &mut problems);
    for table in keys::tables() {
        let known: BTreeSet<&str> = table.keys().map(|key| key.name).collect();
        assert_eq!(
            problems.asked.remove(table.name).unwrap_or_default(),
            known,
            "{}",
            table.name
        );
    }
    assert_eq!(problems.asked.len(), 0);
    assert_eq!(problems.into_vec(), []);
}

#[test]
fn synonyms_mean_one_key_each_and_are_no_keys() {
    for table in keys::tables() {
        let mut seen = BTreeSet::new();
        for key in table.keys() {
            assert!(seen.insert(key.name), "{}.{}", table.name, key.name);
        }
        for synonym in table.keys().flat_map(|key| key.synonyms) {
            assert!(seen.insert(synonym), "{}.{synonym}", table.name);
        }
    }
}

#[test]
fn defaults_and_choices_are_valid_and_a_default_is_not_written() {
    let paths = [
        ("session", ""),
        ("master", "master."),
        ("bus", "bus.b."),
        ("track", "track.t."),
        ("clip", "track.t.clip.c."),
        ("cue", "cue.c."),
        ("use", "cue.c.use.u."),
        ("deliver", "deliver.d."),
        ("loudness", "deliver.d.loudness."),
    ];
    let plain = Load::default().text(EVERY_TABLE, "s.toml").unwrap();
    for table in keys::tables() {
        let Some((_, path)) = paths.iter().find(|(name, _)| *name == table.name) else {
            continue;
        };
        for key in table.keys() {
            if let Some(default) = key.default {
                let load = Load::default().set(format!("{path}{}", key.name), default);
                assert_eq!(
                    load.text(EVERY_TABLE, "s.toml").unwrap(),
                    plain,
                    "{path}{}",
                    key.name
                );
            }
            let choices = match key.kind {
                Kind::Choice(names) => names,
                Kind::FrameRate => keys::FRAME_RATES,
                _ => &[],
            };
            for choice in choices {
                let load =
                    Load::default().set(format!("{path}{}", key.name), format!("\"{choice}\""));
                load.text(EVERY_TABLE, "s.toml").unwrap();
            }
        }
    }
    let text = plain.to_text("s.toml").unwrap();
    assert!(!text.contains("gain") && !text.contains("kind"), "{text}");
}

/// Compares a file with what it is made from, or writes it anew when asked to.
fn check_generated(file: &str, wanted: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("SOUNDTRACK_REGENERATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, wanted).unwrap();
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == wanted,
        "{file} is not made from the table of keys: run this test with SOUNDTRACK_REGENERATE=1"
    );
}

#[test]
fn the_schema_is_made_from_the_table_of_keys() {
    check_generated("examples/session.schema.json", &Load::schema());
}

#[test]
fn the_reference_page_is_made_from_the_table_of_keys() {
    check_generated("docs/session-keys.md", &page());
}
