//! The schema for editors says the same keys as the parser reads.

use super::{Load, build, document::Text, read_toml};
use crate::session::written::Sheet;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

/// Every kind of table once.
const EVERY: &str = r#"
rate = 48000
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
file = "d.wav"
loudness = {}
"#;

#[test]
fn the_schema_has_the_keys_of_the_parser() {
    let sheet = Arc::new(Sheet { path: "s.toml".into(), text: EVERY.to_owned(), set: String::new() });
    let mut text = Text::new(&sheet);
    let tree = read_toml::read(EVERY, 0, &mut text);
    build::session(&Load::default(), Path::new("s.toml"), &tree, &mut text);
    let parser: BTreeMap<String, BTreeSet<String>> =
        text.known.iter().map(|(kind, keys)| ((*kind).into(), keys.iter().map(|k| (*k).into()).collect())).collect();
    assert_eq!(text.problems(), []);

    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../../examples/session.schema.json")).unwrap();
    let keys = |object: &serde_json::Value| -> Option<BTreeSet<String>> {
        Some(object["properties"].as_object()?.keys().cloned().collect())
    };
    let parts =
        schema["$defs"].as_object().unwrap().iter().filter_map(|(name, part)| Some((name.clone(), keys(part)?)));
    let schema: BTreeMap<_, _> = parts.chain([("session".to_owned(), keys(&schema).unwrap())]).collect();
    assert_eq!(schema, parser);
}
