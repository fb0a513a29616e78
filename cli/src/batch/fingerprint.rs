//! What an output was made of, as one number: the session's text, what is set in it, the stems by size and time or by size
//! and the store's tag, the version of this program. The same number is the same output.

use super::{job::Job, place};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use soundtrack::{Content, Deliverable, Error, ErrorKind, Input, Plan, Result, Session, Track};
use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

/// A stem as it was when it was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stem {
    pub file: PathBuf,
    pub bytes: u64,
    /// When a file was last written, in nanoseconds since 1970.
    pub written_ns: Option<u128>,
    /// What a store calls this version of an object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

impl Stem {
    /// The stem as it is now; `None` where it is gone.
    pub fn now(file: &Path) -> Result<Option<Self>> {
        let about = place::about(&place::resolved(file)?)?;
        Ok(about.map(|a| Self {
            file: file.to_owned(),
            bytes: a.bytes,
            written_ns: a.written_ns,
            tag: a.tag,
        }))
    }

    /// All stems as they are now. They are looked at before they are mixed: one that changes afterwards ends the mix, or
    /// makes the item one that is done again.
    pub fn all(files: Vec<PathBuf>) -> Result<Vec<Self>> {
        let gone = |file: &Path| {
            Error::new(
                ErrorKind::Corrupt,
                format!("{}: was removed before it was mixed", file.display()),
            )
        };
        files
            .iter()
            .map(|file| Self::now(file)?.ok_or_else(|| gone(file)))
            .collect()
    }
}

/// The number of an output, in hexadecimal. `session` is the one that was loaded, which also knows the files that patterns
/// stood for; `file` is where it lies.
pub fn of(
    job: &Job,
    text: &[u8],
    session: &Session,
    file: &Path,
    stems: &[Stem],
    outside: bool,
) -> String {
    let mut hash = Sha256::new();
    // Lengths first, so that no two inputs run into one another.
    let mut add = |part: &[u8]| {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    };
    add(env!("CARGO_PKG_VERSION").as_bytes());
    let asked = (
        &job.id,
        &job.out,
        &job.deliver,
        &job.range,
        &job.format,
        &job.rate,
        &job.settings,
        outside,
    );
    add(format!("{asked:?}").as_bytes());
    add(text);
    let folder = file.parent().unwrap_or(Path::new(""));
    let beside = |path: &Path| {
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
            add(&beside(path));
        }
    }
    for stem in stems {
        add(&beside(&stem.file));
        add(format!("{} {:?}", stem.bytes, stem.written_ns).as_bytes());
        if let Some(tag) = &stem.tag {
            add(tag.as_bytes());
        }
    }
    hash.finalize().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Every file that a deliverable is made of.
pub fn files(session: &Session, deliverable: &Deliverable) -> Result<Vec<PathBuf>> {
    let session = session.for_deliverable(deliverable);
    let mut files = Vec::new();
    for output in session.outputs(deliverable) {
        let plan = match output.content {
            Content::Cue(cue) => Plan::compile(&session.whole_cue(cue))?,
            _ if files.is_empty() => Plan::compile(&session)?,
            _ => continue,
        };
        files.extend(plan.files());
    }
    files.sort();
    files.dedup();
    Ok(files)
}
