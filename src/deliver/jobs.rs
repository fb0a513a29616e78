//! Converts deliverables to render jobs with their files, and makes all checks that need no stem.

use super::folders::Folders;
use crate::{
    bounce::output_file,
    diagnostics::suggest::hint,
    encode::FileSink,
    error::{Error, ErrorKind, Problem, Result, Subject},
    plan::Plan,
    session::{Content, Deliverable, Session},
    storage::{AtomicFile, FileSet},
};
use std::{
    borrow::Cow,
    collections::HashMap,
    path::{Path, PathBuf},
};

/// File to write.
pub(super) struct DeliveredFile {
    /// Index of its deliverable among the chosen ones.
    pub deliverable: usize,
    pub path: PathBuf,
    pub content: Content,
    /// Name of the bus or cue; `None` for a mix.
    pub of: Option<String>,
    /// Number of the file within its deliverable, counted from 1, and number of files.
    pub number: u32,
    pub total: u32,
}

/// One timeline, and the files rendered from it.
pub(super) struct DeliveryJob {
    pub session: Session,
    pub files: Vec<DeliveredFile>,
    /// Cue sheets and listings, which need no render.
    pub documents: Vec<DeliveredFile>,
}

impl DeliveryJob {
    /// Returns the audio files, followed by the documents.
    pub(super) fn all_files(&self) -> impl Iterator<Item = &DeliveredFile> {
        self.files.iter().chain(&self.documents)
    }

    fn add(&mut self, file: DeliveredFile) {
        if file.content.is_audio() {
            self.files.push(file);
        } else {
            self.documents.push(file);
        }
    }
}

/// Returns the deliverables with these names in the order of the session, or all of them if there
/// are no names.
pub(super) fn select<'s>(session: &'s Session, names: &[String]) -> Result<Vec<&'s Deliverable>> {
    let all = || session.deliverables.iter();
    let unknown = |name: &&String| all().all(|d| d.name != **name);
    let mut problems: Vec<Problem> = Vec::new();
    for name in names.iter().filter(unknown) {
        let near = hint(name, all().map(|d| d.name.as_str()));
        problems.push(Problem::new(format!(
            "there is no deliverable {name:?}{near}"
        )));
    }
    if session.deliverables.is_empty() {
        problems.push(Problem::new("the session has no deliverables"));
    }
    let found: Vec<&Deliverable> = all()
        .filter(|d| names.is_empty() || names.contains(&d.name))
        .collect();
    problems.extend(found.iter().filter_map(|d| problem_of(session, d)));
    if problems.is_empty() {
        Ok(found)
    } else {
        Err(Error::session(problems))
    }
}

/// Returns the problem of a deliverable by itself, if it has one.
fn problem_of(session: &Session, deliverable: &Deliverable) -> Option<Problem> {
    let name_fault = || {
        let outputs = session.outputs(deliverable);
        let fault = outputs
            .iter()
            .filter(|output| !matches!(output.content, Content::AlbumCue | Content::AlbumJson))
            .find_map(|output| deliverable.name_fault(&output.file));
        fault.map(|fault| format!("file: {fault}"))
    };
    let (what, keys): (Cow<'_, str>, &[&str]) = if deliverable.file.as_os_str().is_empty() {
        ("it has no file".into(), &["file"])
    } else if deliverable.album && !deliverable.stems.is_empty() {
        (
            "it is an album and stems: make two deliverables of it".into(),
            &["album", "stems"],
        )
    } else if let Some(fault) = deliverable.solo_fault() {
        (fault.into(), &["solo"])
    } else if deliverable.listing && !deliverable.album {
        (
            "a listing is for an album, as in album = true".into(),
            &["listing"],
        )
    } else if deliverable.cue_sheet && (deliverable.album || !deliverable.stems.is_empty()) {
        (
            "it is a cue sheet and audio: make two deliverables of it".into(),
            &["cue_sheet"],
        )
    } else if deliverable.fit && !deliverable.stems.is_empty() {
        let why =
            "stems stay at the level of the mix, so that they add up to it: fit the mix instead";
        (why.into(), &["loudness"])
    } else if let Some(fault) = name_fault() {
        (fault.into(), &["file"])
    } else {
        return None;
    };
    let subject = Subject::Deliverable {
        name: deliverable.name.clone(),
    };
    let problem = Problem::about(subject, ErrorKind::Session, what);
    Some(deliverable.written.place(problem, keys))
}

/// Returns one job for all files of the same timeline, language and mutes.
pub(super) fn jobs(session: &Session, chosen: &[&Deliverable]) -> Vec<DeliveryJob> {
    let mut jobs: Vec<DeliveryJob> = Vec::new();
    let albums = albums(session);
    for (index, deliverable) in chosen.iter().enumerate() {
        let mut whole = session.for_deliverable(deliverable);
        let outputs = whole.outputs(deliverable);
        whole.deliverables = albums.clone().into_iter().collect();
        whole.speak();
        let audio = outputs.iter().filter(|output| output.content.is_audio());
        let total = u32::try_from(audio.count()).unwrap_or(u32::MAX);
        let first_piece = outputs.iter().find_map(|output| match output.content {
            Content::Cue(cue) if deliverable.listing => Some(whole.whole_cue(cue)),
            _ => None,
        });
        for (number, output) in (1..).zip(outputs) {
            let (timeline, of) = match output.content {
                Content::Mix | Content::CueSheet => (None, None),
                // A listing needs no timeline: it goes with the first piece.
                Content::AlbumCue | Content::AlbumJson => (first_piece.clone(), None),
                Content::Stem(bus) => {
                    (None, whole.buses().get(bus.0).map(|b| b.strip.name.clone()))
                }
                Content::Cue(cue) => (
                    Some(whole.whole_cue(cue)),
                    whole.cues().get(cue.0).map(|c| c.display_name().to_owned()),
                ),
            };
            let job_file = DeliveredFile {
                deliverable: index,
                path: output.file,
                content: output.content,
                of,
                number,
                total,
            };
            let timeline = timeline.as_ref().unwrap_or(&whole);
            match jobs.iter_mut().find(|job| job.session == *timeline) {
                Some(job) => job.add(job_file),
                None => {
                    let mut job = DeliveryJob {
                        session: timeline.clone(),
                        files: Vec::new(),
                        documents: Vec::new(),
                    };
                    job.add(job_file);
                    jobs.push(job);
                }
            }
        }
    }
    jobs
}

/// Returns one album with every cue that is part of some album. Plans need it to avoid warnings
/// about cues without a placement.
fn albums(session: &Session) -> Option<Deliverable> {
    let mut all = Deliverable::new("album", "").album(true);
    for cue in session.cue_ids() {
        if !session.has_in_album(cue) {
            all = all.mute(cue);
        }
    }
    session.deliverables.iter().any(|d| d.album).then_some(all)
}

/// Creates the folders of all files. Refuses two files with the same path, and files that cannot be
/// written.
pub(super) fn create_folders(
    jobs: &[DeliveryJob],
    chosen: &[&Deliverable],
    overwrite: bool,
) -> Result<Folders> {
    let mut folders = Folders::default();
    let mut taken: HashMap<PathBuf, &str> = HashMap::new();
    for file in jobs.iter().flat_map(DeliveryJob::all_files) {
        let name = chosen.get(file.deliverable).map_or("", |d| d.name.as_str());
        let refused = |what: String| {
            Error::new(
                ErrorKind::Output,
                format!("deliverable {name:?}: {}: {what}", file.path.display()),
            )
        };
        folders.create_for(&file.path)?;
        match taken.insert(canonical(&file.path), name) {
            Some(other) if other == name => {
                return Err(refused("would be written twice".to_owned()));
            }
            Some(other) => return Err(refused(format!("is written by deliverable {other:?} too"))),
            None => {}
        }
        match chosen.get(file.deliverable) {
            _ if !file.content.is_audio() => AtomicFile::check(&file.path, overwrite)?,
            deliverable => {
                let format = deliverable.map(|d| d.format).unwrap_or_default();
                FileSink::check(&file.path, format, overwrite)?;
            }
        }
    }
    Ok(folders)
}

/// Returns a canonical path of a file that may not exist yet. Links that lead to existing files are
/// followed.
fn canonical(path: &Path) -> PathBuf {
    if let Ok(found) = path.canonicalize() {
        return found;
    }
    let folder = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    match (folder.canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

/// Compiles all jobs. The error contains the problems of all of them.
pub(super) fn compile(jobs: &[DeliveryJob]) -> Result<Vec<Plan>> {
    let mut plans = Vec::with_capacity(jobs.len());
    let (mut problems, mut cause): (Vec<Problem>, Option<Error>) = (Vec::new(), None);
    for job in jobs {
        let holds_mix = job
            .files
            .iter()
            .any(|file| !matches!(file.content, Content::Cue(_)));
        let compiled = Plan::compile(&job.session).and_then(|plan| match holds_mix {
            true => plan.check_content().map(|()| plan),
            false => Ok(plan),
        });
        match compiled {
            Ok(plan) => plans.push(plan),
            Err(e) => {
                let mut found = e.problems().to_vec();
                if found.is_empty() {
                    found.push(e.as_problem());
                }
                found.retain(|problem| !problems.contains(problem));
                problems.extend(found);
                cause.get_or_insert(e);
            }
        }
    }
    match cause {
        None => Ok(plans),
        Some(cause) => Err(Error::session(problems).because(cause)),
    }
}

/// Refuses outputs that the session names, and the session file itself.
pub(super) fn refuse_inputs(session: &Session, jobs: &[DeliveryJob]) -> Result<()> {
    let inputs = FileSet::new(session.named_files());
    for file in jobs.iter().flat_map(DeliveryJob::all_files) {
        output_file::refuse_inputs(&inputs, &file.path)?;
    }
    Ok(())
}
