//! One line of the list: which mix, with what changed, and where it goes.

use super::{place, setting};
use crate::names::similar;
use serde::de::{Deserializer as _, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};
use soundtrack::{Damage, Deliverable, Error, ErrorKind, Format, Load, SampleRate, Session};
use std::{
    ffi::OsStr,
    fmt,
    path::{Component, Path, PathBuf},
};

const KEYS: [&str; 8] = [
    "id", "session", "out", "deliver", "set", "range", "format", "rate",
];

/// More than this is no session file, which reading its text says.
const LARGEST: u64 = 1 << 24;

/// What a line asks for.
#[derive(Debug)]
pub struct Job {
    pub id: String,
    /// The session file, as written: relative to the list.
    pub session: String,
    /// The file to write, within the folder of all outputs.
    pub out: PathBuf,
    /// One of the session's deliverables instead of its mix.
    pub deliver: Option<String>,
    pub range: Option<String>,
    pub format: Option<Format>,
    pub rate: Option<SampleRate>,
    /// Values in place of the session file's: the key with dots, the value as TOML.
    pub settings: Vec<(String, String)>,
}

/// What is wrong with a line.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Counted from 1, in characters.
    pub column: usize,
    pub what: String,
}

impl Job {
    /// Reads a line.
    pub fn parse(line: &str) -> Result<Self, Wrong> {
        if line.trim().is_empty() {
            return Err(Wrong {
                column: 1,
                what: "is empty: a line is one job".to_owned(),
            });
        }
        let mut json = serde_json::Deserializer::from_str(line);
        let given = json
            .deserialize_map(Keys)
            .and_then(|given| json.end().map(|()| given));
        let given = given.map_err(|e| syntax(line, &e))?;
        Self::of(&given).map_err(|(key, what)| Wrong {
            column: column_of(line, key),
            what,
        })
    }

    fn of(given: &Map<String, Value>) -> Result<Self, (&'static str, String)> {
        let text = |key: &'static str| match given.get(key) {
            None => Ok(None),
            Some(Value::String(text)) if !text.trim().is_empty() => Ok(Some(text.clone())),
            Some(Value::String(_)) => Err((key, format!("{key} is empty"))),
            Some(other) => Err((key, format!("{key} is {other}, but should be a text"))),
        };
        let needed = |key| text(key)?.ok_or(("", format!("it has no {key}")));
        let job = Self {
            id: needed("id")?,
            session: needed("session")?,
            out: inside(&needed("out")?).map_err(|what| ("out", what))?,
            deliver: text("deliver")?,
            range: text("range")?,
            format: match text("format")? {
                None => None,
                Some(name) => Some(
                    name.parse()
                        .map_err(|e| ("format", format!("format {name:?}: {e}")))?,
                ),
            },
            rate: given
                .get("rate")
                .map(rate)
                .transpose()
                .map_err(|what| ("rate", what))?,
            settings: settings(given.get("set")).map_err(|what| ("set", what))?,
        };
        match (&job.deliver, &job.range) {
            (Some(_), Some(_)) => Err((
                "range",
                "range is for one mix: a deliverable says itself what it is".to_owned(),
            )),
            _ => Ok(job),
        }
    }

    /// The session file and its text. `list` is the folder of the list.
    pub fn text(&self, list: &Path) -> soundtrack::Result<(PathBuf, String)> {
        let file = place::found(list, &self.session)?;
        let Some(text) = place::read(&file, LARGEST)? else {
            let what = format!("{}: there is no such file or object", file.display());
            return Err(Error::new(ErrorKind::NotFound, what));
        };
        let text = Load::decode(text, &file)?;
        Ok((file, text))
    }

    /// The deliverable of a name as this item wants it, under a folder, which is the only one that is left in the session.
    /// A language that is set is that of the deliverable, whatever it says itself.
    pub fn promise(
        &self,
        name: &str,
        session: &mut Session,
        folder: &Path,
    ) -> soundtrack::Result<Deliverable> {
        let refused = |what| Error::new(ErrorKind::Session, format!("deliver {name:?}: {what}"));
        let Some(mut promise) = session.deliverable(name).cloned() else {
            let names: Vec<&str> = session
                .deliverables
                .iter()
                .map(|d| d.name.as_str())
                .collect();
            let hint = similar(name, names.iter().copied()).map_or_else(
                || format!("there are {names:?}"),
                |near| format!("did you mean {near:?}?"),
            );
            return Err(refused(format!("there is no such deliverable; {hint}")));
        };
        promise.format = self.format.unwrap_or(promise.format);
        if self.settings.iter().any(|(key, _)| key == "lang") {
            promise.lang.clone_from(&session.lang);
        }
        promise.file.clone_from(&self.out);
        if let Some(fault) = session.file_name_faults(&promise).first() {
            return Err(refused(format!("out {:?}: {fault}", self.out)));
        }
        promise.file = folder.join(&self.out);
        session.deliverables = vec![promise.clone()];
        let mut files: Vec<PathBuf> = session
            .outputs(&promise)
            .into_iter()
            .map(|output| output.file)
            .collect();
        files.sort();
        if files.windows(2).any(|pair| pair[0] == pair[1]) {
            let (count, out) = (files.len(), &self.out);
            return Err(refused(format!(
                "{count} files cannot all be {out:?}: put {{bus}}, {{cue}} or {{nn}} into out"
            )));
        }
        Ok(promise)
    }

    /// How the session file is read.
    pub fn load(&self, outside: bool) -> Load {
        let load = Load {
            rate: self.rate,
            outside,
            stems: Some(Damage::Refuse),
            ..Load::default()
        };
        self.settings
            .iter()
            .fold(load, |load, (key, value)| load.set(key, value))
    }
}

/// The keys of a line, each known and only once.
struct Keys;

impl<'de> Visitor<'de> for Keys {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object like {\"id\": ..., \"session\": ..., \"out\": ...}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut given = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if !KEYS.contains(&key.as_str()) {
                let hint = similar(&key, KEYS).map_or_else(
                    || format!("there are {}", KEYS.join(", ")),
                    |near| format!("did you mean {near:?}?"),
                );
                return Err(A::Error::custom(format!("unknown key {key:?}; {hint}")));
            }
            if given.contains_key(&key) {
                return Err(A::Error::custom(format!("{key} is given twice")));
            }
            let value = map.next_value()?;
            given.insert(key, value);
        }
        Ok(given)
    }
}

/// The error of the reader, at the start of the text that it ends with.
fn syntax(line: &str, e: &serde_json::Error) -> Wrong {
    let text = e.to_string();
    let what = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(what, _)| what)
        .to_owned();
    let read = line.get(..e.column().min(line.len())).unwrap_or(line);
    let is_key = read.ends_with('"') && e.is_data();
    let start = if is_key {
        read[..read.len() - 1].rfind('"').unwrap_or(0)
    } else {
        read.len().saturating_sub(1)
    };
    Wrong {
        column: line[..start].chars().count() + 1,
        what,
    }
}

/// Where a key stands; the start of the line for none.
fn column_of(line: &str, key: &str) -> usize {
    let quoted = format!("\"{key}\"");
    let found = line
        .match_indices(&quoted)
        .find(|(at, _)| line[at + quoted.len()..].trim_start().starts_with(':'));
    found.map_or(1, |(at, _)| line[..at].chars().count() + 1)
}

/// The path of an output: within the folder of all outputs, whatever it says.
fn inside(out: &str) -> Result<PathBuf, String> {
    let mut path = PathBuf::new();
    for step in Path::new(out).components() {
        match step {
            Component::Normal(name) => path.push(name),
            Component::CurDir => {}
            _ => return Err(format!("out {out:?} would leave the folder of the outputs")),
        }
    }
    let wave = path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case(OsStr::new("wav")));
    if wave && !out.ends_with('/') {
        Ok(path)
    } else {
        Err(format!("out {out:?}: only WAV files are written: name.wav"))
    }
}

fn rate(value: &Value) -> Result<SampleRate, String> {
    let hz = value.as_u64().and_then(|hz| u32::try_from(hz).ok());
    let hz = hz.ok_or_else(|| {
        format!("rate is {value}, but should be a whole number of Hz, like 48000")
    })?;
    SampleRate::new(hz).map_err(|e| e.to_string())
}

fn settings(set: Option<&Value>) -> Result<Vec<(String, String)>, String> {
    match set {
        None => Ok(Vec::new()),
        Some(Value::Object(fields)) => fields
            .iter()
            .map(|(key, value)| {
                Ok((
                    key.clone(),
                    setting::text(value).map_err(|what| format!("set {key}: {what}"))?,
                ))
            })
            .collect(),
        Some(other) => Err(format!(
            "set is {other}, but should be like {{\"track.vox.gain\": -3}}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_it_all() {
        let job = Job::parse(
            r#"{"id":"a","session":"s.toml","set":{"lang":"de","track.vox.gain":-3.2},"range":"1s..","out":"./e/a.wav","format":"wav16","rate":44100}"#,
        )
        .unwrap();
        assert_eq!(
            (job.id.as_str(), job.out.as_path()),
            ("a", Path::new("e/a.wav"))
        );
        assert_eq!(
            (job.format, job.rate.map(SampleRate::hz)),
            (Some(Format::WAV_16), Some(44_100))
        );
        assert_eq!(
            job.settings,
            [
                ("lang".into(), "\"de\"".into()),
                ("track.vox.gain".into(), "-3.2".into())
            ]
        );
    }

    #[test]
    fn what_is_wrong_has_its_column() {
        for (line, column, words) in [
            ("", 1, "is empty"),
            ("[1]", 1, "invalid type: sequence, expected an object like"),
            (
                r#"{"id":"ä","sesion":"s"}"#,
                11,
                r#"unknown key "sesion"; did you mean "session"?"#,
            ),
            (
                r#"{"id":"a","zzz":"s"}"#,
                11,
                "there are id, session, out, deliver, set, range, format, rate",
            ),
            (r#"{"id":"a","id":"s"}"#, 11, "id is given twice"),
            (r#"{"id":"a" "out":"s"}"#, 11, "expected `,` or `}`"),
            (r#"{"id":"a"} x"#, 12, "trailing characters"),
            (r#"{"id":"a""#, 9, "EOF while parsing an object"),
            (r#"{"id":"a","out":"a.wav"}"#, 1, "it has no session"),
            (
                r#"{"id":3,"session":"s","out":"a.wav"}"#,
                2,
                "id is 3, but should be a text",
            ),
            (
                r#"{"id":"a","session":"s","out":"../a.wav"}"#,
                25,
                "would leave the folder",
            ),
            (
                r#"{"id":"a","session":"s","out":"/a.wav"}"#,
                25,
                "would leave the folder",
            ),
            (
                r#"{"id":"a","session":"s","out":"b/a.mp3"}"#,
                25,
                "only WAV files are written",
            ),
            (
                r#"{"id":"a","session":"s","out":"a.wav/"}"#,
                25,
                "only WAV files are written",
            ),
            (
                r#"{"id":"a","session":"s","out":"a.wav","rate":0}"#,
                39,
                "0",
            ),
            (
                r#"{"id":"a","session":"s","out":"a.wav","format":"mp3"}"#,
                39,
                "there are wav16",
            ),
            (
                r#"{"id":"a","session":"s","out":"a.wav","set":[]}"#,
                39,
                "set is [], but should be like",
            ),
            (
                r#"{"id":"a","session":"s","out":"a.wav","set":{"x":null}}"#,
                39,
                "set x: null is no value",
            ),
            (
                r#"{"id":"a","session":"s","out":"a.wav","deliver":"x","range":".."}"#,
                53,
                "range is for one mix",
            ),
        ] {
            let wrong = Job::parse(line).unwrap_err();
            assert!(wrong.what.contains(words), "{line}: {}", wrong.what);
            assert_eq!(wrong.column, column, "{line}: {}", wrong.what);
        }
    }
}
