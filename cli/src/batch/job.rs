//! Parses one line of the list: a session, values to change in it, and an output.

use super::toml_value;
use crate::{file_store, range, suggest};
use serde::de::{Deserializer as _, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};
use soundtrack::{
    Damage, Deliverable, Error, ErrorKind, Format, Frames, Load, SampleRate, Session,
};
use std::{
    ffi::OsStr,
    fmt,
    ops::Range,
    path::{Component, Path, PathBuf},
};

const KEYS: [&str; 8] = [
    "id", "session", "out", "deliver", "set", "range", "format", "rate",
];

/// Maximum number of bytes that are read of a session file: more than the library accepts, so that a longer one gets its error.
const MAX_SESSION_BYTES: u64 = 1 << 24;

/// A mix that a line asks for.
#[derive(Debug)]
pub struct Job {
    /// Name of the item, unique in the list.
    pub id: String,
    /// Session file as written, relative to the list.
    pub session: String,
    /// File to write, relative to the output folder.
    pub out: PathBuf,
    /// Name of the session's deliverable to render instead of its mix.
    pub deliver: Option<String>,
    /// Range of the mix, which [`Self::parse_range`] parses once the length of the mix is known.
    pub range: Option<String>,
    /// Sample format of the output.
    pub format: Option<Format>,
    /// Sample rate of the output.
    pub rate: Option<SampleRate>,
    /// Values that replace those of the session file: a dotted key and a value in TOML.
    pub settings: Vec<(String, String)>,
}

/// An error of a line of the list.
#[derive(Debug, PartialEq, Eq)]
pub struct LineError {
    /// Column in characters, counted from 1.
    column: usize,
    text: String,
}

impl LineError {
    /// Makes an error of a whole line.
    pub fn of_line(text: impl Into<String>) -> Self {
        Self {
            column: 1,
            text: text.into(),
        }
    }

    /// Formats the error with its place: `jobs.jsonl:18:5: text`. `index` is the number of the line, counted from 0.
    pub fn at(&self, list: &Path, index: u64) -> String {
        let (line, column) = (index + 1, self.column);
        format!("{}:{line}:{column}: {}", list.display(), self.text)
    }
}

impl Job {
    /// Parses a line.
    ///
    /// # Errors
    /// The first error of the line with its column.
    pub fn parse(line: &str) -> Result<Self, LineError> {
        if line.trim().is_empty() {
            return Err(LineError::of_line("is empty: every line must be a job"));
        }
        let mut json = serde_json::Deserializer::from_str(line);
        let given = json
            .deserialize_map(JobFields)
            .and_then(|given| json.end().map(|()| given));
        let given = given.map_err(|e| json_error(line, &e))?;
        Self::from_fields(&given).map_err(|(key, text)| LineError {
            column: column_of(line, key),
            text,
        })
    }

    /// Reads the fields of a job. An error has the key that it is about, empty for the whole line.
    fn from_fields(given: &Map<String, Value>) -> Result<Self, (&'static str, String)> {
        let text = |key: &'static str| match given.get(key) {
            None => Ok(None),
            Some(Value::String(text)) if !text.trim().is_empty() => Ok(Some(text.clone())),
            Some(Value::String(_)) => Err((key, format!("{key} is empty"))),
            Some(other) => Err((key, format!("{key} is {other}, but should be a string"))),
        };
        let required = |key| text(key)?.ok_or(("", format!("{key} is missing")));
        let job = Self {
            id: required("id")?,
            session: required("session")?,
            out: output_path(&required("out")?).map_err(|text| ("out", text))?,
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
                .map_err(|text| ("rate", text))?,
            settings: settings(given.get("set")).map_err(|text| ("set", text))?,
        };
        if let Some(format) = job.format
            && !is_named_for(&job.out, format)
        {
            let text = format!("format {format} is not that of {:?}", job.out);
            return Err(("format", text));
        }
        match (&job.deliver, &job.range) {
            (Some(_), Some(_)) => Err((
                "range",
                "range cannot be used with deliver: it applies to a single mix".to_owned(),
            )),
            _ => Ok(job),
        }
    }

    /// Returns the format of a mix: the one that the job states, or else that of its output's name.
    pub fn mix_format(&self) -> Format {
        self.format
            .or_else(|| Format::of_file_name(&self.out))
            .unwrap_or_default()
    }

    /// Reads the session file and returns its path and its text. `list_folder` is the folder of the list.
    ///
    /// # Errors
    /// `NotFound` for a missing file; `Session` for one in another encoding than UTF-8.
    pub fn read_session(&self, list_folder: &Path) -> soundtrack::Result<(PathBuf, String)> {
        let file = file_store::resolve_from(list_folder, &self.session)?;
        let Some(text) = file_store::read(&file, MAX_SESSION_BYTES)? else {
            let text = format!("{}: there is no such file or object", file.display());
            return Err(Error::new(ErrorKind::NotFound, text));
        };
        let text = Load::decode(text, &file)?;
        Ok((file, text))
    }

    /// Returns the deliverable of this name with the format, the language and the output of the job, and removes all others
    /// from the session but those that decide its gain. Its file is relative to `folder`.
    ///
    /// # Errors
    /// `Session` for an unknown name, and for an output that its files cannot share.
    pub fn select_deliverable(
        &self,
        name: &str,
        session: &mut Session,
        folder: &Path,
    ) -> soundtrack::Result<Deliverable> {
        let refused = |text| Error::new(ErrorKind::Session, format!("deliver {name:?}: {text}"));
        let Some(mut deliverable) = session.deliverable(name).cloned() else {
            let names: Vec<&str> = session
                .deliverables
                .iter()
                .map(|d| d.name.as_str())
                .collect();
            let hint = suggest::hint(name, names.iter().copied(), || format!("{names:?}"));
            return Err(refused(format!("there is no such deliverable; {hint}")));
        };
        let document = match (deliverable.cue_sheet, deliverable.report) {
            (true, _) => Some("a cue sheet"),
            (_, true) => Some("a report"),
            _ => None,
        };
        if let Some(document) = document {
            return Err(refused(format!(
                "it is {document}, and only audio is written here: use mixdown"
            )));
        }
        deliverable.listing = false;
        if self.format.is_some() || !is_named_for(&self.out, deliverable.format) {
            deliverable.format = self.mix_format();
        }
        // A language that the job sets replaces the deliverable's own.
        if self.settings.iter().any(|(key, _)| key == "lang") {
            deliverable.lang.clone_from(&session.lang);
        }
        deliverable.file.clone_from(&self.out);
        if let Some(fault) = session.file_name_faults(&deliverable).first() {
            return Err(refused(format!("out {:?}: {fault}", self.out)));
        }
        deliverable.file = folder.join(&self.out);
        // Those that decide its gain are measured, but not written.
        let mut kept = vec![deliverable.clone()];
        while let Some(name) = kept.last().and_then(|d| d.gain_of.as_deref()) {
            match session.deliverable(name) {
                Some(source) if kept.iter().all(|d| d.name != source.name) => {
                    kept.push(source.clone());
                }
                _ => break,
            }
        }
        session.deliverables = kept;
        let mut files: Vec<PathBuf> = session
            .outputs(&deliverable)
            .into_iter()
            .map(|output| output.file)
            .collect();
        files.sort();
        let count = files.len();
        files.dedup();
        if files.len() < count {
            let out = &self.out;
            return Err(refused(format!(
                "{count} files cannot all be {out:?}: put {{bus}}, {{cue}} or {{nn}} into out"
            )));
        }
        Ok(deliverable)
    }

    /// Parses the range of the job in a mix of this length; `None` for the whole mix.
    ///
    /// # Errors
    /// `Session` for a range that the mix does not have.
    pub fn parse_range(
        &self,
        session: &Session,
        length: Frames,
    ) -> soundtrack::Result<Option<Range<Frames>>> {
        let Some(text) = &self.range else {
            return Ok(None);
        };
        match range::parse(text, session, length) {
            Ok((range, _)) => Ok(Some(range)),
            Err(e) => Err(Error::new(ErrorKind::Session, format!("range {text}: {e}"))),
        }
    }

    /// Returns the options for loading the session file, with the values that the job sets.
    pub fn load_options(&self, outside: bool) -> Load {
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

/// Reads the fields of a line; refuses unknown keys and keys that come twice.
struct JobFields;

impl<'de> Visitor<'de> for JobFields {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object like {\"id\": ..., \"session\": ..., \"out\": ...}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut given = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if !KEYS.contains(&key.as_str()) {
                let hint = suggest::hint(&key, KEYS, || KEYS.join(", "));
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

/// Returns the error of the JSON reader, at the start of the string that it is about.
fn json_error(line: &str, e: &serde_json::Error) -> LineError {
    let text = e.to_string();
    // The reader adds the place in bytes of one line; `LineError::at` adds that of the list.
    let place = format!(" at line {} column {}", e.line(), e.column());
    let text = text.strip_suffix(&place).unwrap_or(&text).to_owned();
    let read = line.get(..e.column()).unwrap_or(line);
    let start = match read.strip_suffix('"') {
        // An error of a key: the reader stops behind it.
        Some(before) if e.is_data() => before.rfind('"').unwrap_or(0),
        _ => read.len().saturating_sub(1),
    };
    LineError {
        column: column_at(line, start),
        text,
    }
}

/// Returns the column of a key in a line; 1 for the empty key.
fn column_of(line: &str, key: &str) -> usize {
    let quoted = format!("\"{key}\"");
    let found = line.match_indices(&quoted).find(|(at, _)| {
        // The same text may be a value before.
        let rest = line.get(at + quoted.len()..);
        rest.is_some_and(|rest| rest.trim_start().starts_with(':'))
    });
    found.map_or(1, |(at, _)| column_at(line, at))
}

/// Returns the column of a byte of a line, counted in characters from 1.
fn column_at(line: &str, byte: usize) -> usize {
    line.char_indices().take_while(|(at, _)| *at < byte).count() + 1
}

/// Returns whether the extension of an output is one of a format's.
fn is_named_for(out: &Path, format: Format) -> bool {
    Format::of_file_name(out).is_some_and(|named| named.container == format.container)
}

/// Parses the path of an output.
///
/// # Errors
/// A sentence for a path that leaves the output folder, and for a name that is not that of a WAV or FLAC file.
fn output_path(out: &str) -> Result<PathBuf, String> {
    let mut path = PathBuf::new();
    for component in Path::new(out).components() {
        match component {
            Component::Normal(name) => path.push(name),
            Component::CurDir => {}
            _ => return Err(format!("out {out:?} would leave the output folder")),
        }
    }
    let is_written = path.extension().is_some_and(|extension| {
        ["wav", "flac"]
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(OsStr::new(known)))
    });
    if is_written && !out.ends_with('/') {
        Ok(path)
    } else {
        Err(format!(
            "out {out:?}: only WAV and FLAC files are written: name.wav or name.flac"
        ))
    }
}

/// Parses the rate in Hz.
fn rate(value: &Value) -> Result<SampleRate, String> {
    let hz = value.as_u64().and_then(|hz| u32::try_from(hz).ok());
    let hz = hz.ok_or_else(|| {
        format!("rate is {value}, but should be a whole number of Hz, like 48000")
    })?;
    SampleRate::new(hz).map_err(|e| e.to_string())
}

/// Parses the values that replace those of the session file.
fn settings(set: Option<&Value>) -> Result<Vec<(String, String)>, String> {
    match set {
        None => Ok(Vec::new()),
        Some(Value::Object(fields)) => fields
            .iter()
            .map(|(key, value)| {
                Ok((
                    key.clone(),
                    toml_value::format(value).map_err(|text| format!("set {key}: {text}"))?,
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
    fn a_line_has_all_fields() {
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
    fn errors_have_their_column() {
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
            (r#"{"id":"a","out":"a.wav"}"#, 1, "session is missing"),
            (
                r#"{"id":3,"session":"s","out":"a.wav"}"#,
                2,
                "id is 3, but should be a string",
            ),
            (
                r#"{"id":"a","session":"s","out":"../a.wav"}"#,
                25,
                "would leave the output folder",
            ),
            (
                r#"{"id":"a","session":"s","out":"/a.wav"}"#,
                25,
                "would leave the output folder",
            ),
            (
                r#"{"id":"a","session":"s","out":"b/a.mp3"}"#,
                25,
                "only WAV and FLAC files are written",
            ),
            (
                r#"{"id":"a","session":"s","out":"a.wav/"}"#,
                25,
                "only WAV and FLAC files are written",
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
                "set x: null is not a value",
            ),
            (
                r#"{"id":"a","session":"s","out":"a.wav","deliver":"x","range":".."}"#,
                53,
                "range cannot be used with deliver",
            ),
        ] {
            let wrong = Job::parse(line).unwrap_err();
            assert!(wrong.text.contains(words), "{line}: {}", wrong.text);
            assert_eq!(wrong.column, column, "{line}: {}", wrong.text);
        }
    }
}
