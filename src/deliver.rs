//! Renders the deliverables of a session: mixes, per-bus stems and albums of whole cues, with their
//! mutes and languages.
//!
//! ```text
//! deliverables ─► files ─► jobs, one per timeline, language and set of mutes ─► one render each ─► its files
//! ```
//!
//! Files of the same timeline, language and mutes share one render, whatever their formats and
//! deliverables, so every stem is decoded once for all of them. Different mutes, another language
//! that the session uses, and each cue of an album need a render of their own; albums with the same
//! mutes share theirs. A deliverable fitted to a loudness target needs an additional render to
//! measure it.
//!
//! All files of a delivery become visible together or not at all: they are completed under
//! temporary names and published after the last one. A journal lists the files being published. If
//! publishing fails, all files get their old content back at once; if the process is killed, the
//! next process that writes an output there completes the operation (on Linux, where a terminated
//! process can be recognised). Replaced objects of a store are not restored.
//! [`Session::render_stems`] describes the contents of a stem, and when stems add up to the mix bit
//! for bit.

mod cue_sheet;
mod folders;
mod jobs;
mod listing;
mod loudness;
mod metadata;
mod null_test;
mod render;
mod report;
mod stems;

pub use report::{DeliverableReport, Delivered, FileReport, LoudnessCheck, NullTest, PeakCheck};

use crate::{
    bounce::settings::{JobSettings, job_setters},
    error::Result,
    measure::Measured,
    session::{Content, Deliverable, Session},
    units::{Decibels, Frames},
};
use jobs::DeliveryJob;
use loudness::DeliverableLoudness;
use std::time::Instant;

/// Delivers a session: selects deliverables, threads, overwriting and progress.
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

impl std::fmt::Debug for Delivery<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Delivery(only {:?})", self.only)
    }
}

impl<'a> Delivery<'a> {
    /// Creates a delivery of all deliverables to new files, using all cores.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    job_setters!();

    /// Restricts the delivery to the deliverables with these names.
    #[must_use]
    pub fn only(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.only.extend(names.into_iter().map(Into::into));
        self
    }

    /// Performs the checks that [`run`](Self::run) makes before any stem is opened.
    ///
    /// # Errors
    /// `Session` for unknown names and contradictory deliverables, `Output` for files that exist,
    /// that would be written twice or that cannot be written.
    pub fn check(&self, session: &Session) -> Result<()> {
        let chosen = jobs::select(session, &self.only)?;
        let jobs = jobs::jobs(session, &chosen);
        jobs::refuse_inputs(session, &jobs)?;
        jobs::create_folders(&jobs, &chosen, self.settings.overwrite).map(drop)
    }

    /// Renders and writes the files. Missing folders are created.
    ///
    /// # Errors
    /// All kinds except `Device`. Existing files are refused unless overwriting is allowed. Files
    /// that the session names, used or not, and the session file itself are always refused. On
    /// error all files have their old content; after a kill while the files become visible, this is
    /// restored when the next output is written there.
    pub fn run(mut self, session: &Session) -> Result<Delivered> {
        let clock = Instant::now();
        let chosen = jobs::select(session, &self.only)?;
        let jobs = jobs::jobs(session, &chosen);
        jobs::refuse_inputs(session, &jobs)?;
        let folders = jobs::create_folders(&jobs, &chosen, self.settings.overwrite)?;
        let plans = jobs::compile(&jobs)?;

        let measured_first: Vec<bool> = jobs.iter().map(|job| is_fitted(job, &chosen)).collect();
        let lengths = jobs
            .iter()
            .zip(&plans)
            .zip(&measured_first)
            .filter(|((job, _), _)| !job.files.is_empty())
            .map(|((_, plan), twice)| (plan.length(), *twice));
        let total = lengths.fold(
            Frames::ZERO,
            |sum, (n, twice)| if twice { sum + n + n } else { sum + n },
        );
        let mut progress = self.settings.reporter(total);

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

        let context = render::DeliveryContext {
            settings: &self.settings,
            chosen: &chosen,
            gains: &gains,
        };
        let mut rendered = render::Rendered::new(&context);
        for (job, plan) in jobs.iter().zip(plans) {
            let sheets = job.documents.iter();
            for sheet in sheets.filter(|file| file.content == Content::CueSheet) {
                rendered.add(cue_sheet::write(sheet, &job.session, &plan, &context)?);
            }
            if job.files.is_empty() {
                continue;
            }
            render::render(job, plan, renders, &context, &mut progress, &mut rendered)?;
            renders += 1;
        }
        for job in &jobs {
            let documents = job.documents.iter();
            for file in documents.filter(|file| file.content != Content::CueSheet) {
                rendered.write_listing(session, file, &context)?;
            }
        }
        let mut done = rendered.publish()?;
        folders.keep();
        (done.title, done.renders) = (session.title.clone(), renders);
        done.wall_s = clock.elapsed().as_secs_f64();
        Ok(done)
    }
}

/// Returns true if a file of the job is fitted to a loudness target, so that its mix must be
/// measured first.
fn is_fitted(job: &DeliveryJob, chosen: &[&Deliverable]) -> bool {
    job.files.iter().any(|file| {
        chosen
            .get(file.deliverable)
            .is_some_and(|d| d.fit && d.loudness.is_some())
    })
}

/// Returns the gain that fits a deliverable to its target, given the measurements of its timelines;
/// 0 dB without `fit` and for silence.
fn gain(deliverable: &Deliverable, measured: &[Measured]) -> Decibels {
    let Some(target) = deliverable.loudness.as_ref().filter(|_| deliverable.fit) else {
        return Decibels::UNITY;
    };
    let loudness = DeliverableLoudness::new(measured);
    target
        .fit(loudness.integrated, loudness.true_peak)
        .map_or(Decibels::UNITY, |fit| fit.gain)
}

/// Returns the name of a kind of content: `mix`, `stem`, `cue`, `cue sheet` or
/// `listing`.
fn content_name(content: Content) -> &'static str {
    match content {
        Content::Mix => "mix",
        Content::Stem(_) => "stem",
        Content::Cue(_) => "cue",
        Content::CueSheet => "cue sheet",
        Content::AlbumCue | Content::AlbumJson => "listing",
    }
}
