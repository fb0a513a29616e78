//! From deliverables to renders: which files are taken from which, and all that can be refused before any stem is opened.

use super::folders::Folders;
use crate::{
    diagnostics::suggest::hint,
    encode::Wav,
    error::{Error, ErrorKind, Problem, Result, Subject},
    plan::Plan,
    session::{Content, Deliverable, Session},
    storage::is_link,
    storage::same_file,
};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

/// A file to write.
pub(super) struct Outlet {
    /// The deliverable that it belongs to, among the chosen.
    pub deliverable: usize,
    pub path: PathBuf,
    pub content: Content,
    /// The bus or the cue.
    pub of: Option<String>,
}

/// One timeline, with everything that is taken from it.
pub(super) struct Job {
    pub session: Session,
    pub outlets: Vec<Outlet>,
}

/// The deliverables of these names, in the order of the session; without names, all of them.
pub(super) fn chosen<'s>(session: &'s Session, names: &[String]) -> Result<Vec<&'s Deliverable>> {
    let all = || session.deliverables.iter();
    let unknown = |name: &&String| all().all(|d| d.name != **name);
    let mut problems: Vec<Problem> = Vec::new();
    for name in names.iter().filter(unknown) {
        let near = hint(name, all().map(|d| d.name.as_str()));
        problems.push(Problem::new(format!("there is no deliverable {name:?}{near}")));
    }
    if session.deliverables.is_empty() {
        problems.push(Problem::new("the session has no deliverables"));
    }
    let found: Vec<&Deliverable> = all().filter(|d| names.is_empty() || names.contains(&d.name)).collect();
    problems.extend(found.iter().filter_map(|d| wrong(d)));
    if problems.is_empty() { Ok(found) } else { Err(Error::session(problems)) }
}

/// What is wrong with a deliverable alone.
fn wrong(deliverable: &Deliverable) -> Option<Problem> {
    let fit = deliverable.loudness.is_some_and(|l| l.fit);
    let (what, keys): (&str, &[&str]) = if deliverable.file.as_os_str().is_empty() {
        ("it has no file", &["file"])
    } else if deliverable.album && !deliverable.stems.is_empty() {
        ("it is an album and stems: make two deliverables of it", &["album", "stems"])
    } else if fit && !deliverable.stems.is_empty() {
        ("stems stay at the level of the mix, so that they add up to it: fit the mix instead", &["loudness"])
    } else {
        return None;
    };
    let subject = Subject::Deliverable { name: deliverable.name.clone() };
    let problem = Problem::about(subject, ErrorKind::Session, what);
    Some(deliverable.written.place(problem, keys))
}

/// What is rendered for these deliverables: one job for all that has the same timeline, language and mutes.
pub(super) fn jobs(session: &Session, chosen: &[&Deliverable]) -> Vec<Job> {
    let mut jobs: Vec<Job> = Vec::new();
    for (index, deliverable) in chosen.iter().enumerate() {
        let mut whole = session.for_deliverable(deliverable);
        let outputs = whole.outputs(deliverable);
        whole.deliverables.clear();
        whole.speak();
        for output in outputs {
            let (timeline, of) = match output.content {
                Content::Mix => (None, None),
                Content::Stem(bus) => (None, whole.buses().get(bus.0).map(|b| b.strip.name.clone())),
                Content::Cue(cue) => {
                    (Some(whole.whole_cue(cue)), whole.cues().get(cue.0).map(|c| c.display_name().to_owned()))
                }
            };
            let outlet = Outlet { deliverable: index, path: output.file, content: output.content, of };
            let timeline = timeline.as_ref().unwrap_or(&whole);
            match jobs.iter_mut().find(|job| job.session == *timeline) {
                Some(job) => job.outlets.push(outlet),
                None => jobs.push(Job { session: timeline.clone(), outlets: vec![outlet] }),
            }
        }
    }
    jobs
}

/// Makes the folders of all files, and refuses what cannot be written: two files of one path, and what a sink refuses.
pub(super) fn paths(jobs: &[Job], chosen: &[&Deliverable], overwrite: bool) -> Result<Folders> {
    let mut folders = Folders::default();
    let mut taken: HashMap<PathBuf, &str> = HashMap::new();
    for outlet in jobs.iter().flat_map(|job| &job.outlets) {
        let name = chosen.get(outlet.deliverable).map_or("", |d| d.name.as_str());
        let refused = |what: String| {
            Error::new(ErrorKind::Output, format!("deliverable {name:?}: {}: {what}", outlet.path.display()))
        };
        folders.make_for(&outlet.path)?;
        match taken.insert(place(&outlet.path), name) {
            Some(other) if other == name => return Err(refused("would be written twice".to_owned())),
            Some(other) => return Err(refused(format!("is written by deliverable {other:?} too"))),
            None => {}
        }
        Wav::check(&outlet.path, overwrite)?;
    }
    Ok(folders)
}

/// Where a path leads, in one spelling: links followed where they lead somewhere.
fn place(path: &Path) -> PathBuf {
    if let Ok(found) = path.canonicalize() {
        return found;
    }
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (folder.canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

/// Compiles all jobs: everything that is wrong with any of them at once.
pub(super) fn compiled(jobs: &[Job]) -> Result<Vec<Plan>> {
    let mut plans = Vec::with_capacity(jobs.len());
    let (mut problems, mut cause): (Vec<Problem>, Option<Error>) = (Vec::new(), None);
    for job in jobs {
        match Plan::compile(&job.session) {
            Ok(plan) => plans.push(plan),
            Err(e) => {
                problems.extend(e.problems().iter().filter(|p| !problems.contains(p)).cloned().collect::<Vec<_>>());
                cause.get_or_insert(e);
            }
        }
    }
    match cause {
        None => Ok(plans),
        Some(cause) => Err(Error::session(problems).because(cause)),
    }
}

/// Refuses a file that is one of the inputs.
pub(super) fn spare_inputs(jobs: &[Job], plans: &[Plan]) -> Result<()> {
    for outlet in
        jobs.iter().flat_map(|job| &job.outlets).filter(|o| o.path.exists() || o.path.to_str().is_some_and(is_link))
    {
        for input in plans.iter().flat_map(Plan::files) {
            if same_file(&input, &outlet.path)? {
                let what = format!("{}: is one of the inputs ({})", outlet.path.display(), input.display());
                return Err(Error::new(ErrorKind::Output, what));
            }
        }
    }
    Ok(())
}
