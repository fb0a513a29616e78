//! Writes what a session promises: mixes, per-bus stems, whole-cue albums, with their mutes and in their languages.
//!
//! ```text
//! deliverables ─► files ─► jobs: one for each timeline, language and set of mutes ─► one render each ─► its files
//! ```
//!
//! What is shared: the mix and the per-bus stems of one timeline are taken from one render, whatever their formats and
//! however many deliverables they belong to, so every stem is decoded once for all of them. What is rendered again: other
//! mutes, another language where the session speaks it, each cue of an album (but once for all albums of the same
//! mutes); and what is fitted to a loudness is measured first, which is one more render of its timeline.
//!
//! Every file appears whole or not at all, and so do all of them together: they are completed under temporary names, and
//! published when the last one is. What a stem holds, and when stems add up to the mix bit for bit, is told at
//! [`Session::render_stems`]. This file puts the parts together.

mod folders;
mod level;
mod null;
mod render;
mod report;
mod stems;
mod work;

pub use report::{DeliverableReport, Delivered, FileReport, LoudnessCheck, NullTest, PeakCheck};

use crate::{
    bounce::Progress,
    engine::Options,
    error::{Error, ErrorKind, Result},
    measure::Measured,
    session::{Content, Deliverable, Session},
    units::{Decibels, Frames},
};
use std::{ops::ControlFlow, time::Instant};

/// Told after every block how far the delivery is; may stop it.
type Watch<'a> = Box<dyn FnMut(Progress) -> ControlFlow<()> + 'a>;

/// Writes the deliverables of a session: which ones, threads, progress.
///
/// ```no_run
/// use soundtrack::{Delivery, Session};
/// let film = Session::load("lighthouse.toml")?;
/// let done = Delivery::new().only(["full", "stems"]).overwrite(true).run(&film)?;
/// println!("{done}");
/// assert!(done.passed(), "a loudness or a null test failed");
/// # Ok::<(), soundtrack::Error>(())
/// ```
#[derive(Default)]
pub struct Delivery<'a> {
    only: Vec<String>,
    overwrite: bool,
    options: Options,
    watch: Option<Watch<'a>>,
}

impl<'a> Delivery<'a> {
    /// A delivery of everything the session promises, into new files, on all cores.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes only the deliverables of these names.
    #[must_use]
    pub fn only(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.only.extend(names.into_iter().map(Into::into));
        self
    }

    /// Allows existing files to be replaced, at the very end and at once.
    #[must_use]
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.overwrite = overwrite;
        self
    }

    /// Sets how many threads decode and mix, at most 256; 0 is as many as there are cores. Changes no sample.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.options.threads = threads;
        self
    }

    /// Is called after every block with how far all renders together are; `Break` stops the delivery, which then fails as
    /// `Cancelled` and leaves no file.
    #[must_use]
    pub fn progress(mut self, watch: impl FnMut(Progress) -> ControlFlow<()> + 'a) -> Self {
        self.watch = Some(Box::new(watch));
        self
    }

    /// Refuses what [`run`](Self::run) would refuse as soon as it starts, before any stem is opened.
    ///
    /// # Errors
    /// `Session` for names that there are not and deliverables that contradict themselves, `Output` for files that
    /// exist, would be written twice or cannot be written.
    pub fn check(&self, session: &Session) -> Result<()> {
        let chosen = work::chosen(session, &self.only)?;
        work::paths(&work::jobs(session, &chosen), &chosen, self.overwrite).map(drop)
    }

    /// Writes the files. Folders that are missing are made.
    ///
    /// # Errors
    /// All kinds but `Device`. Files that exist are refused unless overwriting is allowed, files that are inputs always;
    /// whatever happens, every path holds what it held before, or all of them hold their whole new files.
    pub fn run(mut self, session: &Session) -> Result<Delivered> {
        let clock = Instant::now();
        let chosen = work::chosen(session, &self.only)?;
        let jobs = work::jobs(session, &chosen);
        let folders = work::paths(&jobs, &chosen, self.overwrite)?;
        let plans = work::compiled(&jobs)?;
        work::spare_inputs(&jobs, &plans)?;

        let fitted = |job: &work::Job| job.outlets.iter().any(|o| chosen.get(o.deliverable).is_some_and(|d| d.fit));
        let passes = jobs.iter().zip(&plans).map(|(job, plan)| if fitted(job) { plan.length() } else { Frames::ZERO });
        let total = passes.chain(plans.iter().map(|p| p.length())).fold(Frames::ZERO, |sum, n| sum + n);
        let mut told = Told { watch: self.watch.take(), progress: Progress { done: Frames::ZERO, total } };

        let mut renders = 0;
        let mut heard = vec![Vec::new(); chosen.len()];
        for (job, plan) in jobs.iter().zip(&plans).filter(|(job, _)| fitted(job)) {
            let measured = render::measure(plan.clone(), &self.options, &mut told)?;
            let of = |d: usize| job.outlets.iter().any(|o| o.deliverable == d);
            heard.iter_mut().enumerate().filter(|(d, _)| of(*d)).for_each(|(_, all)| all.push(measured.clone()));
            renders += 1;
        }
        let gains: Vec<Decibels> = chosen.iter().zip(&heard).map(|(d, heard)| gain(d, heard)).collect();

        let mut all = render::Rendered::new(&chosen, &gains);
        for (job, plan) in jobs.iter().zip(plans) {
            let how = render::How { overwrite: self.overwrite, options: &self.options, chosen: &chosen, gains: &gains };
            render::job(job, plan, renders, &how, &mut told, &mut all)?;
            renders += 1;
        }
        let mut done = all.published()?;
        folders.keep();
        (done.title, done.renders) = (session.title.clone(), renders);
        done.wall_s = clock.elapsed().as_secs_f64();
        Ok(done)
    }
}

/// Returns the gain that fits a deliverable to its target, from the measurements of its timelines; unity without `fit`, and
/// for silence.
fn gain(deliverable: &Deliverable, measured: &[Measured]) -> Decibels {
    let Some(target) = deliverable.loudness.as_ref().filter(|_| deliverable.fit) else { return Decibels::UNITY };
    let heard = level::Heard::of(measured);
    target.fit(heard.integrated, heard.true_peak).map_or(Decibels::UNITY, |fit| fit.gain)
}

/// How far all is, and whoever wants to know.
struct Told<'a> {
    watch: Option<Watch<'a>>,
    progress: Progress,
}

impl Told<'_> {
    /// Tells of more frames that are done.
    fn more(&mut self, frames: usize) -> Result<()> {
        self.progress.done += Frames(frames as u64);
        let progress = self.progress;
        match self.watch.as_mut().map(|watch| watch(progress)) {
            Some(ControlFlow::Break(())) => Err(Error::new(ErrorKind::Cancelled, "cancelled")),
            _ => Ok(()),
        }
    }
}

/// `mix`, `stem` or `cue`.
fn kind(content: Content) -> &'static str {
    match content {
        Content::Mix => "mix",
        Content::Stem(_) => "stem",
        Content::Cue(_) => "cue",
    }
}
