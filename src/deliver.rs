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
//! published when the last one is. A journal names what is published, so that a failure gives all files their old content
//! back at once, and the next process that puts an output there completes what a killed one began (on Linux, which tells
//! that a process is gone; objects of a store that were replaced stay). [`Session::render_stems`] says what a stem holds, and when stems add up to the mix bit for
//! bit.

mod folders;
mod jobs;
mod loudness;
mod null_test;
mod render;
mod report;
mod stems;

pub use report::{DeliverableReport, Delivered, FileReport, LoudnessCheck, NullTest, PeakCheck};

use crate::{
    bounce::settings::{JobSettings, ProgressReporter, job_setters},
    error::Result,
    measure::Measured,
    session::{Content, Deliverable, Session},
    units::{Decibels, Frames},
};
use jobs::Job;
use loudness::DeliverableLoudness;
use std::time::Instant;

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
    settings: JobSettings<'a>,
    only: Vec<String>,
}

impl<'a> Delivery<'a> {
    /// A delivery of everything the session promises, into new files, on all cores.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    job_setters!();

    /// Writes only the deliverables of these names.
    #[must_use]
    pub fn only(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.only.extend(names.into_iter().map(Into::into));
        self
    }

    /// Refuses what [`run`](Self::run) would refuse as soon as it starts, before any stem is opened.
    ///
    /// # Errors
    /// `Session` for names that there are not and deliverables that contradict themselves, `Output` for files that
    /// exist, would be written twice or cannot be written.
    pub fn check(&self, session: &Session) -> Result<()> {
        let chosen = jobs::chosen(session, &self.only)?;
        let jobs = jobs::jobs(session, &chosen);
        jobs::spare_inputs(session, &jobs)?;
        jobs::create_folders(&jobs, &chosen, self.settings.overwrite).map(drop)
    }

    /// Writes the files. Folders that are missing are made.
    ///
    /// # Errors
    /// All kinds but `Device`. Files that exist are refused unless overwriting is allowed, files that the session names, heard
    /// or not, and the session file always; whatever happens, every path holds what it held before, or all of them hold their
    /// whole new files. Where the process is killed while they appear, that holds once the next output is put there.
    pub fn run(mut self, session: &Session) -> Result<Delivered> {
        let clock = Instant::now();
        let chosen = jobs::chosen(session, &self.only)?;
        let jobs = jobs::jobs(session, &chosen);
        jobs::spare_inputs(session, &jobs)?;
        let folders = jobs::create_folders(&jobs, &chosen, self.settings.overwrite)?;
        let plans = jobs::compile(&jobs)?;

        let measured_first: Vec<bool> = jobs.iter().map(|job| is_fitted(job, &chosen)).collect();
        let lengths = plans
            .iter()
            .zip(&measured_first)
            .map(|(plan, twice)| (plan.length(), *twice));
        let total = lengths.fold(
            Frames::ZERO,
            |sum, (n, twice)| if twice { sum + n + n } else { sum + n },
        );
        let mut progress = ProgressReporter::new(self.settings.progress.take(), total);

        let mut renders = 0;
        let mut measured: Vec<Vec<Measured>> = vec![Vec::new(); chosen.len()];
        for ((job, plan), _) in jobs
            .iter()
            .zip(&plans)
            .zip(&measured_first)
            .filter(|(_, first)| **first)
        {
            let mix = render::measure(plan.clone(), &self.settings, &mut progress)?;
            for (deliverable, all) in measured.iter_mut().enumerate() {
                if job.files.iter().any(|file| file.deliverable == deliverable) {
                    all.extend(mix.clone());
                }
            }
            renders += 1;
        }
        let gains: Vec<Decibels> = chosen
            .iter()
            .zip(&measured)
            .map(|(d, measured)| gain(d, measured))
            .collect();

        let context = render::Context {
            settings: &self.settings,
            chosen: &chosen,
            gains: &gains,
        };
        let mut rendered = render::Rendered::new(&context);
        for (job, plan) in jobs.iter().zip(plans) {
            render::render(job, plan, renders, &context, &mut progress, &mut rendered)?;
            renders += 1;
        }
        let mut done = rendered.publish()?;
        folders.keep();
        (done.title, done.renders) = (session.title.clone(), renders);
        done.wall_s = clock.elapsed().as_secs_f64();
        Ok(done)
    }
}

/// Reports whether a file of the job is fitted to its loudness, so that its mix has to be measured beforehand.
fn is_fitted(job: &Job, chosen: &[&Deliverable]) -> bool {
    job.files.iter().any(|file| {
        chosen
            .get(file.deliverable)
            .is_some_and(|d| d.fit && d.loudness.is_some())
    })
}

/// Returns the gain that fits a deliverable to its target, from the measurements of its timelines; unity without `fit`, and
/// for silence.
fn gain(deliverable: &Deliverable, measured: &[Measured]) -> Decibels {
    let Some(target) = deliverable.loudness.as_ref().filter(|_| deliverable.fit) else {
        return Decibels::UNITY;
    };
    let whole = DeliverableLoudness::of(measured);
    target
        .fit(whole.integrated, whole.true_peak)
        .map_or(Decibels::UNITY, |fit| fit.gain)
}

/// Returns `mix`, `stem` or `cue`.
fn kind(content: Content) -> &'static str {
    match content {
        Content::Mix => "mix",
        Content::Stem(_) => "stem",
        Content::Cue(_) => "cue",
    }
}
