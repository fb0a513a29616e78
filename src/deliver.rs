//! Renders the deliverables of a session: mixes, per-bus stems and albums of whole cues, with their
//! mutes and languages.
//!
//! ```text
//! deliverables ─► files ─► jobs, one per timeline, language, range and set of mutes ─► one render each ─► its files
//! ```
//!
//! Files of the same timeline, language and mutes share one render, whatever their formats and
//! deliverables, so every stem is decoded once for all of them. Different mutes, another language
//! that the session uses, another rate, layout, range or limiter, and each cue of an album need a
//! render of their own; albums with the same mutes share theirs. A deliverable fitted to a loudness
//! target needs an additional render to measure it, and several through a limiter.
//!
//! With [`Delivery::range`] a part is rendered anew, and the rest comes from the files that are there.
//!
//! All files of a delivery become visible together or not at all: they are completed under
//! temporary names and published after the last one. A journal lists the files being published. If
//! publishing fails, all files get their old content back at once; if the process is killed, the
//! next process that writes an output there completes the operation (on Linux, where a terminated
//! process can be recognised). Replaced objects of a store are not restored.
//! [`Session::render_stems`] describes the contents of a stem, and when stems add up to the mix bit
//! for bit.

mod carried;
mod cue_sheet;
mod fit;
mod folders;
mod jobs;
mod listing;
mod loudness;
mod metadata;
mod null_test;
mod page;
mod read_back;
mod render;
mod report;
mod splice;
mod stems;

pub use report::{DeliverableReport, Delivered, FileReport, LoudnessCheck, NullTest, PeakCheck};

use crate::{
    bounce::{
        MAX_BINS,
        settings::{JobSettings, job_setters},
    },
    error::Result,
    session::{Content, Session},
    units::{Decibels, Frames},
};
use std::{ops::Range, time::Instant};

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
    bins: Option<usize>,
    range: Option<Range<Frames>>,
}

impl std::fmt::Debug for Delivery<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Delivery(only {:?})", self.only)
    }
}

/// Default number of bins of a waveform in the report of a delivery.
const DEFAULT_BINS: usize = 2000;

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

    /// Sets the maximum number of bins of each waveform in the pictures of a report, clamped to 1 to
    /// 65,536; 2,000 by default. Pictures are drawn if a deliverable is a report. Changes no sample.
    #[must_use]
    pub fn bins(mut self, bins: usize) -> Self {
        self.bins = Some(bins.clamp(1, MAX_BINS));
        self
    }

    /// Renders only a range of the timeline, and replaces it in the files of a delivery before. If
    /// nothing else has changed, the files have the samples of a complete delivery.
    ///
    /// The range counts frames of the session's timeline. In a deliverable with a rate or a range of its
    /// own it is the same time. A cue on a timeline of its own, as in an album, is rendered whole if it
    /// sounds in the range or has no place on the timeline; otherwise its samples are kept. A deliverable with a
    /// [loop](crate::Deliverable::loops) is written anew.
    ///
    /// [`overwrite`](Self::overwrite) must be allowed. Each file must be local and have the format, rate, layout
    /// and length of its deliverable. In the second before and after the replaced part it must have the
    /// samples that the session gives now; this finds gains, limits, dither and mutes that have changed,
    /// but not a change farther away. Metadata, loudness, checks, null tests and
    /// documents are made anew, the levels from the samples of the whole files. Fitted deliverables
    /// keep the gain of the delivery before, which is read from its JSON report: one of the
    /// session's deliverables must be a [`report`](crate::Deliverable::report) with a `.json` file. Weighted dither
    /// depends on the first frame of a render and is refused.
    ///
    /// A [`FileReport`] then states the replaced part, and its levels of tracks and buses are those of this part;
    /// it has no picture.
    ///
    /// ```
    /// use soundtrack::{Deliverable, Delivery, Decibels, Frames, Layout, SampleRate, Session, Spec, Track};
    /// use soundtrack::media::Memory;
    /// let folder = tempfile::tempdir()?;
    /// let file = folder.path().join("mix.wav");
    /// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
    /// let mut film = Session::new(spec.rate, spec.layout);
    /// let tone = |frames| Memory::new(spec, vec![vec![0.25; frames]]);
    /// film.add_track(Track::new("speech", tone(480_000)?));
    /// let shot = film.add_track(Track::new("shot", tone(48_000)?));
    /// film.deliverables.push(Deliverable::new("mix", &file));
    /// Delivery::new().run(&film)?;
    ///
    /// film.track_mut(shot).strip.gain = Decibels(-6.0);
    /// let part = || Delivery::new().overwrite(true).range(Frames(0)..Frames(48_000));
    /// part().run(&film)?;
    /// let spliced = std::fs::read(&file)?;
    /// Delivery::new().overwrite(true).run(&film)?;
    /// assert_eq!(std::fs::read(&file)?, spliced);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn range(mut self, range: Range<Frames>) -> Self {
        self.range = Some(range);
        self
    }

    /// Performs the checks that [`run`](Self::run) makes before any stem is opened.
    ///
    /// # Errors
    /// `Session` for unknown names and contradictory deliverables, `Output` for files that exist,
    /// that would be written twice or that cannot be written.
    pub fn check(&self, session: &Session) -> Result<()> {
        let selection = jobs::select(session, &self.only)?;
        let jobs = jobs::jobs(session, &selection, false);
        jobs::refuse_inputs(session, &jobs)?;
        self.check_present(&jobs)?;
        jobs::create_folders(&jobs, &selection.chosen, self.settings.overwrite).map(drop)
    }

    /// Checks that there are files to replace a range of.
    fn check_present(&self, jobs: &[jobs::DeliveryJob]) -> Result<()> {
        let spliced = jobs.iter().filter(|job| job.cut.loops == 1);
        let files = spliced.flat_map(|job| &job.files);
        files
            .filter(|_| self.range.is_some())
            .try_for_each(|file| splice::check_present(&file.path))
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
        let selection = jobs::select(session, &self.only)?;
        let has_report = selection.chosen.iter().any(|d| d.report);
        let mut jobs = jobs::jobs(session, &selection, has_report);
        jobs::refuse_inputs(session, &jobs)?;
        self.check_present(&jobs)?;
        let chosen = &selection.chosen;
        // Dropped at the end, when those of a delivery that succeeded hold files.
        let _folders = jobs::create_folders(&jobs, chosen, self.settings.overwrite)?;
        let mut plans = jobs::compile(&jobs, &self.settings.cancel)?;
        jobs::check_room(&jobs, &plans, chosen)?;
        let splice = match self.range.clone() {
            Some(range) => Some(splice::Splice::new(
                session,
                chosen,
                range,
                &self.settings.cancel,
            )?),
            None => None,
        };
        let splice = splice.as_ref();

        let total = jobs
            .iter()
            .zip(&plans)
            .fold(Frames::ZERO, |sum, (job, plan)| {
                let frames = match splice.and_then(|splice| splice.part(job, plan)) {
                    Some(part) => part.work(job.files.len()),
                    None => job.cut.frames(&job.range(plan)),
                };
                let is_fitted = splice.is_none() && !job.fits.is_empty();
                let renders = usize::from(!job.files.is_empty()) + usize::from(is_fitted);
                (0..renders).fold(sum, |sum, _| sum + frames)
            });
        let mut progress = self.settings.reporter(total);

        let fit::Fits { gains, mut renders } = match splice {
            Some(_) => fit::Fits {
                gains: splice::recorded_gains(session, &selection.fitted)?,
                renders: 0,
            },
            None => {
                let fitting = fit::Fitting::new(&selection, &jobs, &plans, &self.settings);
                fitting.run(&mut progress)?
            }
        };
        for (job, plan) in jobs.iter_mut().zip(&mut plans) {
            let raised_by = job.raised_by.and_then(|index| gains.get(index));
            if let Some(gain) = raised_by.filter(|_| !job.files.is_empty()) {
                let fader = &mut job.session.master.gain;
                *fader = Decibels(fader.0 + gain.0);
                *plan = job.compile(&self.settings.cancel)?;
            }
        }

        let context = render::DeliveryContext {
            settings: &self.settings,
            chosen,
            fitted: &selection.fitted,
            gains: &selection.gains,
            fits: &gains,
            bins: has_report.then_some(self.bins.unwrap_or(DEFAULT_BINS)),
            splice,
        };
        render::check_old_files(&jobs, &plans, &context)?;
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
        rendered.complete_pieces()?;
        for job in &jobs {
            let documents = job.documents.iter();
            let is_listing = |content| matches!(content, Content::AlbumCue | Content::AlbumJson);
            for file in documents.filter(|file| is_listing(file.content)) {
                rendered.write_listing(session, file, &context)?;
            }
        }
        rendered.test_stems()?;
        let mut complete = rendered.judge();
        let delivered = &mut complete.delivered;
        (delivered.title, delivered.renders) = (session.title.clone(), renders);
        for job in &jobs {
            let documents = job.documents.iter();
            for file in documents.filter(|file| file.content == Content::Report) {
                complete.write_report(session, file, self.settings.overwrite)?;
            }
        }
        let mut done = complete.publish()?;
        done.wall_s = clock.elapsed().as_secs_f64();
        Ok(done)
    }
}

/// Returns the name of a kind of content: `mix`, `stem`, `cue`, `cue sheet`, `listing` or `report`.
fn content_name(content: Content) -> &'static str {
    match content {
        Content::Mix => "mix",
        Content::Stem(_) => "stem",
        Content::Cue(_) => "cue",
        Content::CueSheet => "cue sheet",
        Content::AlbumCue | Content::AlbumJson => "listing",
        Content::Report => "report",
    }
}
