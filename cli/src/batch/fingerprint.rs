//! Hashes everything that an output depends on: the text of the session, the values set in it, the stems by size and time
//! of change or by size and ETag, and the version of the program. Equal fingerprints mean equal outputs.

use super::job::Job;
use crate::file_store;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use soundtrack::{Content, Deliverable, Error, ErrorKind, Input, Plan, Result, Session, Track};
use std::path::{Path, PathBuf};

/// Version of a stem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StemVersion {
    pub file: PathBuf,
    pub bytes: u64,
    /// Time of the last write in nanoseconds since 1970; files only.
    pub written_ns: Option<u128>,
    /// Version of the object in its store (ETag); objects only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

impl StemVersion {
    /// Returns the current version of a stem; `None` if it does not exist.
    ///
    /// # Errors
    /// Passes on the errors of a store.
    pub fn current(file: &Path) -> Result<Option<Self>> {
        let metadata = file_store::metadata(&file_store::resolve(file)?)?;
        Ok(metadata.map(|m| Self {
            file: file.to_owned(),
            bytes: m.bytes,
            written_ns: m.written_ns,
            tag: m.tag,
        }))
    }

    /// Returns the current versions of all stems. Call it before the render: a stem that changes later fails the render, or
    /// changes the fingerprint of the next run.
    ///
    /// # Errors
    /// `Corrupt` for a stem that no longer exists; those of a store.
    pub fn of_all(files: Vec<PathBuf>) -> Result<Vec<Self>> {
        let removed = |file: &Path| {
            Error::new(
                ErrorKind::Corrupt,
                format!("{}: was removed before it was mixed", file.display()),
            )
        };
        files
            .iter()
            .map(|file| Self::current(file)?.ok_or_else(|| removed(file)))
            .collect()
    }
}

/// Returns the fingerprint of an output in hexadecimal. `text` is that of the session file, `session` the loaded session,
/// which also has the files that patterns matched, and `file` the path of the session file.
pub fn compute(
    job: &Job,
    text: &[u8],
    session: &Session,
    file: &Path,
    stems: &[StemVersion],
    outside: bool,
) -> String {
    let mut hash = Sha256::new();
    // The length before each part keeps two parts from running into one another.
    let mut add = |part: &[u8]| {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    };
    add(env!("CARGO_PKG_VERSION").as_bytes());
    let options = (
        &job.id,
        &job.out,
        &job.deliver,
        &job.range,
        &job.format,
        &job.rate,
        &job.settings,
        outside,
    );
    add(format!("{options:?}").as_bytes());
    add(text);
    let folder = file.parent().unwrap_or(Path::new(""));
    // Relative to the session, so that the path of the project does not count.
    let relative = |path: &Path| {
        path.strip_prefix(folder)
            .unwrap_or(path)
            .as_os_str()
            .as_encoded_bytes()
            .to_vec()
    };
    let of_cues = session.cues().iter().flat_map(|cue| &cue.tracks);
    for clip in session
        .tracks()
        .iter()
        .chain(of_cues)
        .flat_map(|track: &Track| &track.clips)
    {
        if let Input::File { path, .. } = &clip.input {
            add(&relative(path));
        }
    }
    for stem in stems {
        add(&relative(&stem.file));
        add(format!("{} {:?}", stem.bytes, stem.written_ns).as_bytes());
        if let Some(tag) = &stem.tag {
            add(tag.as_bytes());
        }
    }
    let mut hex = String::new();
    for byte in hash.finalize() {
        hex += &format!("{byte:02x}");
    }
    hex
}

/// Returns every file that the deliverables of a session are made of, sorted.
///
/// # Errors
/// Passes on the errors of compiling the session.
pub fn files_of(session: &Session) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for deliverable in &session.deliverables {
        files.extend(files_of_deliverable(session, deliverable)?);
    }
    files.sort();
    files.dedup();
    Ok(files)
}

fn files_of_deliverable(session: &Session, deliverable: &Deliverable) -> Result<Vec<PathBuf>> {
    let session = session.for_deliverable(deliverable);
    let mut files = Vec::new();
    for output in session.outputs(deliverable) {
        let plan = match (output.content, deliverable.cue) {
            (Content::Cue(cue), _) | (_, Some(cue)) => Plan::compile(&session.whole_cue(cue))?,
            _ if files.is_empty() => Plan::compile(&session)?,
            _ => continue,
        };
        files.extend(plan.files());
    }
    Ok(files)
}
