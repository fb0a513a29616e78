//! Converts deliverables to render jobs with their files, and makes all checks that need no stem.

use super::folders::Folders;
use crate::{
    bounce::{output_file, pipeline::OutputFades},
    cancel::Cancel,
    curve::Fade,
    diagnostics::suggest::hint,
    encode::FileSink,
    error::{Error, ErrorKind, Problem, Result, Subject},
    plan::Plan,
    session::{Content, Deliverable, Excerpt, Master, Selector, Session},
    storage::{self, AtomicFile, FileSet},
    units::{Decibels, Frames},
};
use std::{
    borrow::Cow,
    collections::HashMap,
    ops::Range,
    path::{Path, PathBuf},
};

/// Deliverables to write, and those that decide their gains.
pub(super) struct Selection<'s> {
    pub chosen: Vec<&'s Deliverable>,
    /// Gain of each chosen deliverable.
    pub gains: Vec<DeliverableGain>,
    /// Deliverables that are fitted to a loudness, chosen or not.
    pub fitted: Vec<&'s Deliverable>,
}

/// Gain of a deliverable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum DeliverableGain {
    /// Stated by the session.
    Stated(Decibels),
    /// Found by fitting the deliverable with this index among those that are fitted.
    Fitted(usize),
}

impl DeliverableGain {
    /// Returns the gain, given those of the fitted deliverables.
    pub(super) fn decibels(self, fits: &[Decibels]) -> Decibels {
        match self {
            Self::Stated(gain) => gain,
            Self::Fitted(index) => fits.get(index).copied().unwrap_or_default(),
        }
    }
}

/// Stretch of a timeline that is written one or more times, with fades at the ends of the file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cut {
    excerpt: Excerpt,
    /// Number of times it is written, at least 1.
    pub loops: u32,
    pub fades: OutputFades,
}

impl Default for Cut {
    fn default() -> Self {
        Self {
            excerpt: Excerpt::default(),
            loops: 1,
            fades: OutputFades::default(),
        }
    }
}

impl Cut {
    /// Returns the cut of a deliverable at the rate of its files.
    fn new(session: &Session, deliverable: &Deliverable) -> Self {
        let (mut fade_in, mut fade_out) = (deliverable.fade_in, deliverable.fade_out);
        let mut excerpt = deliverable.range.unwrap_or_default();
        if let Some(rate) = deliverable.rate {
            let scale = session.rescale_to(rate);
            excerpt = scale.excerpt(excerpt);
            for fade in [&mut fade_in, &mut fade_out] {
                scale.fade(fade);
            }
        }
        // A shape without a length is no fade.
        let stated = |fade: Fade| match fade.length {
            Frames::ZERO => Fade::default(),
            _ => fade,
        };
        Self {
            excerpt,
            loops: deliverable.loops.max(1),
            fades: OutputFades {
                fade_in: stated(fade_in),
                fade_out: stated(fade_out),
            },
        }
    }

    /// Returns the range of a timeline.
    pub(super) fn range(&self, length: Frames) -> Range<Frames> {
        self.excerpt.start..self.excerpt.end.unwrap_or(length)
    }

    /// Returns the number of frames of all passes of a range.
    pub(super) fn frames(&self, range: &Range<Frames>) -> Frames {
        Frames(
            (range.end - range.start)
                .0
                .saturating_mul(self.loops.into()),
        )
    }

    /// Returns the key of the deliverable that does not fit a timeline of this length, and why.
    fn fault(&self, session: &Session, length: Frames) -> Option<(&'static str, String)> {
        let clock = |frames: Frames| frames.clock(session.rate);
        let Range { start, end } = self.range(length);
        if start >= length && self.excerpt != Excerpt::default() {
            let what = format!(
                "its range starts at {}, but the timeline ends at {}",
                clock(start),
                clock(length)
            );
            return Some(("range", what));
        }
        let OutputFades { fade_in, fade_out } = self.fades;
        let length_of_file = self.frames(&(start..end));
        for (key, fade) in [("fade_in", fade_in), ("fade_out", fade_out)] {
            if fade.length > length_of_file {
                let what = format!(
                    "its {key} takes {}, but the file is only {} long",
                    clock(fade.length),
                    clock(length_of_file)
                );
                return Some((key, what));
            }
        }
        None
    }
}

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
    /// Gain that scales the output of the timeline. The gain of a mix whose master is not linear is
    /// part of the timeline instead.
    pub gain: DeliverableGain,
}

/// One timeline, and the files rendered from it.
pub(super) struct DeliveryJob {
    pub session: Session,
    pub cut: Cut,
    /// Index of the fitted deliverable whose gain the master's fader is raised by.
    pub raised_by: Option<usize>,
    /// Number of the timeline, before a gain raises its master. Jobs with equal numbers differ in their
    /// levels alone.
    pub timeline: usize,
    /// Indices of the fitted deliverables whose loudness is that of this timeline.
    pub fits: Vec<usize>,
    /// Deliverable that the timeline was made for, for messages.
    owner: Deliverable,
    pub files: Vec<DeliveredFile>,
    /// Cue sheets and listings, which need no render.
    pub documents: Vec<DeliveredFile>,
}

impl DeliveryJob {
    /// Returns the audio files, followed by the documents.
    pub(super) fn all_files(&self) -> impl Iterator<Item = &DeliveredFile> {
        self.files.iter().chain(&self.documents)
    }

    /// Compiles the session and checks that the cut lies within the timeline.
    pub(super) fn compile(&self, cancel: &Cancel) -> Result<Plan> {
        let plan = Plan::compile_with(&self.session, cancel)?;
        let is_of_cues = |file: &DeliveredFile| matches!(file.content, Content::Cue(_));
        if !self.files.iter().all(is_of_cues) {
            plan.check_content()?;
        }
        match self.cut.fault(&self.session, plan.length()) {
            None => Ok(plan),
            Some((key, what)) => {
                let subject = Subject::Deliverable {
                    name: self.owner.name.clone(),
                };
                let problem = Problem::about(subject, ErrorKind::Session, what);
                let problem = self.owner.written.place(problem, &[key]);
                Err(Error::session(vec![problem]))
            }
        }
    }

    /// Returns true if the timeline is that of one cue, from its own start.
    pub(super) fn is_of_cue(&self) -> bool {
        self.owner.album || self.owner.cue.is_some()
    }

    /// Returns the range of the timeline that is written.
    pub(super) fn range(&self, plan: &Plan) -> Range<Frames> {
        self.cut.range(plan.length())
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
/// are no names, with those that decide their gains.
pub(super) fn select<'s>(session: &'s Session, names: &[String]) -> Result<Selection<'s>> {
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
    let chosen: Vec<&Deliverable> = all()
        .filter(|d| names.is_empty() || names.contains(&d.name))
        .collect();
    problems.extend(chosen.iter().filter_map(|d| problem_of(session, d)));
    let mut selection = Selection {
        chosen,
        gains: Vec::new(),
        fitted: Vec::new(),
    };
    for deliverable in selection.chosen.clone() {
        // A chain without an end is among the problems.
        let source = session.gain_source(deliverable).unwrap_or(deliverable);
        if !source.fit || source.loudness.is_none() {
            selection.gains.push(DeliverableGain::Stated(source.gain));
            continue;
        }
        let fitted = &mut selection.fitted;
        let known = fitted.iter().position(|d| d.name == source.name);
        let index = known.unwrap_or_else(|| {
            fitted.push(source);
            fitted.len() - 1
        });
        selection.gains.push(DeliverableGain::Fitted(index));
    }
    let sources = selection.fitted.iter();
    let others = sources.filter(|d| selection.chosen.iter().all(|c| c.name != d.name));
    problems.extend(others.filter_map(|d| problem_of(session, d)));
    if problems.is_empty() {
        Ok(selection)
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
    let fault = session.deliverable_faults(deliverable).into_iter().next();
    let document = deliverable.document();
    let is_of_parts = deliverable.album || !deliverable.stems.is_empty();
    let stems = deliverable.stems.iter().map(|bus| Selector::Bus(*bus));
    let mut parts = (deliverable.mute.iter().chain(&deliverable.solo).copied())
        .chain(deliverable.cue.map(Selector::Cue))
        .chain(stems);
    let (what, keys): (Cow<'_, str>, &[&str]) = if deliverable.file.as_os_str().is_empty() {
        ("it has no file".into(), &["file"])
    } else if deliverable.album && !deliverable.stems.is_empty() {
        (
            "it is an album and stems: make two deliverables of it".into(),
            &["album", "stems"],
        )
    } else if parts.any(|part| session.lacks(part)) {
        (
            "names a part that is not in this session".into(),
            &["mute", "solo", "stems", "cue"],
        )
    } else if let Some((key, fault)) = &fault {
        (fault.into(), std::slice::from_ref(key))
    } else if deliverable.listing && !deliverable.album {
        (
            "a listing is for an album, as in album = true".into(),
            &["listing"],
        )
    } else if let Some((_, document)) = document.filter(|_| is_of_parts) {
        (
            format!("it is {document} and audio: make two deliverables of it").into(),
            &["cue_sheet", "report"],
        )
    } else if deliverable.fit && !deliverable.stems.is_empty() {
        let why =
            "stems stay at the level of the mix, so that they add up to it: fit the mix instead";
        (why.into(), &["loudness"])
    } else if let Some(fault) = limiter_fault(session, deliverable) {
        (fault.into(), &["limit", "loudness"])
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

/// Returns a message if a deliverable is fitted through a limiter that lets through more than its
/// loudness target allows.
fn limiter_fault(session: &Session, deliverable: &Deliverable) -> Option<String> {
    let target = deliverable.loudness.as_ref().filter(|_| deliverable.fit)?;
    let limit = deliverable.limit.or(session.master.limit)?;
    let ceiling = target.true_peak.filter(|ceiling| limit > *ceiling)?;
    Some(format!(
        "the limiter at {limit:.1} is above the {ceiling:.1} that its loudness allows: set limit = {}",
        ceiling.0
    ))
}

/// Returns true if a gain after the master equals the same gain of the master's fader.
fn is_linear(master: &Master) -> bool {
    master.limit.is_none() && master.gain.0 == 0.0 && master.gain_curve.points.is_empty()
}

/// Jobs of a delivery.
#[derive(Default)]
struct Jobs {
    jobs: Vec<DeliveryJob>,
    /// Timelines before a gain raises their masters.
    timelines: Vec<(Session, Cut)>,
}

impl Jobs {
    /// Returns the job of a timeline whose master is raised by a gain, which is added if it is new.
    fn of(
        &mut self,
        timeline: Session,
        cut: Cut,
        raised_by: Option<DeliverableGain>,
        owner: &Deliverable,
    ) -> Option<&mut DeliveryJob> {
        let timelines = &mut self.timelines;
        let known = timelines
            .iter()
            .position(|(session, other)| *other == cut && *session == timeline);
        let number = known.unwrap_or_else(|| {
            timelines.push((timeline.clone(), cut));
            timelines.len() - 1
        });
        let mut session = timeline;
        let raised_by = match raised_by {
            Some(DeliverableGain::Stated(gain)) => {
                let fader = &mut session.master.gain;
                *fader = Decibels(fader.0 + gain.0);
                None
            }
            Some(DeliverableGain::Fitted(index)) => Some(index),
            None => None,
        };
        let found = self.jobs.iter().position(|job| {
            job.raised_by == raised_by && job.timeline == number && job.session == session
        });
        let index = found.unwrap_or(self.jobs.len());
        if found.is_none() {
            self.jobs.push(DeliveryJob {
                session,
                cut,
                raised_by,
                timeline: number,
                fits: Vec::new(),
                owner: owner.clone(),
                files: Vec::new(),
                documents: Vec::new(),
            });
        }
        self.jobs.get_mut(index)
    }
}

/// Returns one job for all files of the same timeline, language, mutes, range and level of the
/// master, and jobs without files for the timelines that are only measured. For `pictures` mixes of
/// different levels have jobs of their own, so that the picture shows the level of the file.
pub(super) fn jobs(
    session: &Session,
    selection: &Selection<'_>,
    pictures: bool,
) -> Vec<DeliveryJob> {
    let mut reports = Vec::new();
    let mut jobs = Jobs::default();
    let albums = albums(session);
    for (index, (deliverable, gain)) in selection.chosen.iter().zip(&selection.gains).enumerate() {
        let whole = whole_session(session, deliverable, &albums);
        // Names of files need the language, which `whole` no longer has.
        let outputs = session.outputs(deliverable);
        let audio = outputs.iter().filter(|output| output.content.is_audio());
        let total = u32::try_from(audio.count()).unwrap_or(u32::MAX);
        let is_piece = |content: &Content| matches!(content, Content::Cue(_));
        let first_piece = outputs.iter().map(|output| output.content).find(is_piece);
        let cut = Cut::new(session, deliverable);
        for (number, output) in (1..).zip(outputs) {
            let of = match output.content {
                Content::Stem(bus) => whole.buses().get(bus.0).map(|b| b.strip.name.clone()),
                Content::Cue(cue) => whole.cues().get(cue.0).map(|c| c.display_name().to_owned()),
                _ => None,
            };
            let source = match output.content {
                // A listing needs no timeline: it goes with the first piece.
                Content::AlbumCue | Content::AlbumJson => first_piece.unwrap_or(output.content),
                content => content,
            };
            let timeline = timeline(&whole, deliverable, source);
            let is_in_master = matches!(output.content, Content::Mix | Content::Cue(_))
                && (pictures || !is_linear(&timeline.master));
            let (left, raised_by) = if is_in_master {
                (DeliverableGain::Stated(Decibels::UNITY), Some(*gain))
            } else {
                (*gain, None)
            };
            let file = DeliveredFile {
                deliverable: index,
                path: output.file,
                content: output.content,
                of,
                number,
                total,
                gain: left,
            };
            if output.content == Content::Report {
                reports.push(file);
            } else if let Some(job) = jobs.of(timeline, cut, raised_by, deliverable) {
                job.add(file);
            }
        }
    }
    for (index, deliverable) in selection.fitted.iter().enumerate() {
        let whole = whole_session(session, deliverable, &albums);
        let cut = Cut::new(session, deliverable);
        let contents = session.outputs(deliverable).into_iter();
        for content in contents.map(|o| o.content).filter(|c| c.is_audio()) {
            let timeline = timeline(&whole, deliverable, content);
            let is_in_master = pictures || !is_linear(&timeline.master);
            let raised_by = is_in_master.then_some(DeliverableGain::Fitted(index));
            let job = jobs.of(timeline, cut, raised_by, deliverable);
            if let Some(job) = job.filter(|job| !job.fits.contains(&index)) {
                job.fits.push(index);
            }
        }
    }
    // A report is written after all renders and has no timeline.
    if jobs.jobs.is_empty()
        && let Some(owner) = selection.chosen.first()
    {
        jobs.of(session.clone(), Cut::default(), None, owner);
    }
    if let Some(job) = jobs.jobs.first_mut() {
        job.documents.extend(reports);
    }
    jobs.jobs
}

/// Returns the session of a deliverable, without what makes no difference to its sound.
fn whole_session(
    session: &Session,
    deliverable: &Deliverable,
    albums: &Option<Deliverable>,
) -> Session {
    let mut whole = session.for_deliverable(deliverable);
    whole.deliverables = albums.clone().into_iter().collect();
    whole.speak();
    whole
}

/// Returns the timeline of a content of a deliverable.
fn timeline(whole: &Session, deliverable: &Deliverable, content: Content) -> Session {
    match (content, deliverable.cue) {
        (Content::Cue(cue), _) | (_, Some(cue)) => whole.whole_cue(cue),
        _ => whole.clone(),
    }
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
    let has_cues = |d: &Deliverable| d.album || d.cue.is_some();
    session.deliverables.iter().any(has_cues).then_some(all)
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
pub(super) fn compile(jobs: &[DeliveryJob], cancel: &Cancel) -> Result<Vec<Plan>> {
    let mut plans = Vec::with_capacity(jobs.len());
    let (mut problems, mut cause): (Vec<Problem>, Option<Error>) = (Vec::new(), None);
    for job in jobs {
        cancel.check()?;
        match job.compile(cancel) {
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

/// Checks that all audio files fit on their disks together.
pub(super) fn check_room(
    jobs: &[DeliveryJob],
    plans: &[Plan],
    chosen: &[&Deliverable],
) -> Result<()> {
    let mut sizes = Vec::new();
    for (job, plan) in jobs.iter().zip(plans) {
        let frames = job.cut.frames(&job.range(plan));
        for file in &job.files {
            let deliverable = chosen.get(file.deliverable);
            let format = deliverable.map(|d| d.format).unwrap_or_default();
            // A file that no format can hold is refused when it is created, with the reason.
            let size = format.least_size(plan.spec(), frames).unwrap_or_default();
            sizes.push((file.path.as_path(), size));
        }
    }
    storage::check_room(sizes)
}

/// Refuses outputs that the session names, and the session file itself.
pub(super) fn refuse_inputs(session: &Session, jobs: &[DeliveryJob]) -> Result<()> {
    let inputs = FileSet::new(session.named_files());
    for file in jobs.iter().flat_map(DeliveryJob::all_files) {
        output_file::refuse_inputs(&inputs, &file.path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        curve::{Curve, Point, Shape},
        units::{Dbtp, Decibels},
    };

    #[test]
    fn a_gain_goes_behind_a_master_that_is_linear() {
        assert!(is_linear(&Master::default()));
        let with = |change: fn(&mut Master)| {
            let mut master = Master::default();
            change(&mut master);
            is_linear(&master)
        };
        assert!(!with(|m| m.limit = Some(Dbtp(-1.0))));
        assert!(!with(|m| m.gain = Decibels(-6.0)));
        assert!(!with(|m| {
            m.gain_curve = Curve::new();
            m.gain_curve.points.push(Point {
                at: Frames(0),
                value: Decibels(0.0),
                shape: Shape::Linear,
            });
        }));
    }
}
