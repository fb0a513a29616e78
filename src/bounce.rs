//! Renders offline: a plan from its start to its end into a file or a sink.
//!
//! A bounce is one [`RenderJob`] with one output; a [`Delivery`](crate::Delivery) runs a list of them.

mod finished_audio;
mod fit;
pub(crate) mod job;
pub(crate) mod output_file;
pub(crate) mod pipeline;
pub(crate) mod settings;

pub use settings::Progress;

use crate::{
    diagnostics::{NonFinite, Subject, Warning, WarningKind},
    encode::{self, Dither, FileSink, Format, Memory, Sink, Written},
    engine::{Options, Renderer, waveform_builder::Grid},
    error::{Error, ErrorKind, Result},
    measure::Measured,
    plan::Plan,
    report::{Report, gather, suspicious_audio},
    session::Session,
    slice,
    storage::FileSet,
    units::{Dbfs, Frames},
};
use job::RenderJob;
use output_file::OutputFile;
use pipeline::Signal;
use settings::{JobSettings, ProgressReporter};
use std::{ops::Range, path::Path, time::Instant};

/// Frames rendered at a time into memory: a crop is short, so making blocks counts, and they stay in the cache.
const CROP_BLOCK: usize = 4_096;

/// Settings of an offline render into one output: format, range, threads, progress.
///
/// ```no_run
/// use soundtrack::{Bounce, Format, Layout, SampleRate, Session, Track};
/// use std::ops::ControlFlow;
/// let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
/// mix.add_track(Track::new("piano", "piano.flac"));
/// let report = Bounce::new()
///     .format(Format::WAV_32F)
///     .overwrite(true)
///     .progress(|p| {
///         eprint!("\r{} of {}", p.done, p.total);
///         ControlFlow::Continue(())
///     })
///     .run(&mix, "piano.wav")?;
/// println!("{report}");
/// # Ok::<(), soundtrack::Error>(())
/// ```
#[derive(Default)]
pub struct Bounce<'a> {
    settings: JobSettings<'a>,
    format: Format,
    range: Option<Range<Frames>>,
    dither: Option<Dither>,
    overview: Option<usize>,
    unmeasured: bool,
    joinable: bool,
    measure_strips: bool,
}

/// Most bins of a waveform.
const MAX_BINS: usize = 65_536;

impl<'a> Bounce<'a> {
    /// A bounce of everything into a new 24-bit WAV file, on all cores.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    settings::job_setters!();

    /// Sets the format of the file.
    #[must_use]
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Adds dither where the format has fewer bits than the mix. Defaults to the dither of the session's master.
    #[must_use]
    pub fn dither(mut self, dither: Dither) -> Self {
        self.dither = Some(dither);
        self
    }

    /// Renders only a range of the timeline. Past the end of the mix there is silence.
    #[must_use]
    pub fn range(mut self, range: Range<Frames>) -> Self {
        self.range = Some(range);
        self
    }

    /// Notes in the file which part of the whole mix it is, so that [`slice::join`] can make one file of several ranges. Such
    /// a bounce fails as `Session` where the range goes past the end of the mix, and with weighted
    /// dither, whose noise depends on where a render starts. Changes no sample.
    #[must_use]
    pub fn joinable(mut self, joinable: bool) -> Self {
        self.joinable = joinable;
        self
    }

    /// Gathers the data of a picture, with at most so many bins a waveform, 1 to 65 536 (others are taken as the
    /// nearest): [`Report::overview`]. Changes no sample.
    #[must_use]
    pub fn overview(mut self, bins: usize) -> Self {
        self.overview = Some(bins.clamp(1, MAX_BINS));
        self
    }

    /// Measures loudness and true peak of the mix, or not; on by default. Changes no sample.
    #[must_use]
    pub fn measure(mut self, measure: bool) -> Self {
        self.unmeasured = !measure;
        self
    }

    /// Measures loudness and true peak of every track and bus too, or not; off by default. Changes no sample.
    #[must_use]
    pub fn measure_strips(mut self, measure: bool) -> Self {
        self.measure_strips = measure;
        self
    }

    /// Refuses a path that [`run`](Self::run) would refuse as soon as it starts, before any stem is opened.
    ///
    /// # Errors
    /// `Output` for an existing file unless overwriting is allowed, and for what can be no file or lies in a folder that
    /// is missing or cannot be written; `Unsupported` for a name whose extension says another format ([`Format`]).
    pub fn check(&self, path: impl AsRef<Path>) -> Result<()> {
        FileSink::check(path.as_ref(), self.format, self.settings.overwrite)
    }

    /// Renders a session into a file.
    ///
    /// # Errors
    /// All kinds but `Device`. A file that exists is refused unless overwriting is allowed, one that the session names, heard
    /// or not, and the session file always;
    /// whatever happens, the path holds what it held before, or the whole new file.
    pub fn run(self, session: &Session, path: impl AsRef<Path>) -> Result<Report> {
        let (path, clock) = (path.as_ref(), Instant::now());
        self.check(path)?;
        let mut report = self.write(Plan::compile(session)?, path)?;
        report.title.clone_from(&session.title);
        report.timed(clock);
        Ok(report)
    }

    /// Renders a plan into a file, by the rules of [`run`](Self::run). The report has no title.
    ///
    /// # Errors
    /// As [`run`](Self::run), those of compiling excepted.
    pub fn write(self, plan: Plan, path: impl AsRef<Path>) -> Result<Report> {
        let (path, clock) = (path.as_ref(), Instant::now());
        output_file::spare_inputs(&FileSet::new(plan.named_files().to_vec()), path)?;
        let range = self.range.clone().unwrap_or(Frames::ZERO..plan.length());
        let format = self.format;
        let dither = self
            .dither
            .or(plan.dither)
            .filter(|_| output_file::rounds(&plan, format));
        let slice = if self.joinable {
            Some(slice::of(&plan, &range, dither)?)
        } else {
            None
        };
        let options = encode::Options {
            overwrite: self.settings.overwrite,
            slice,
            ..encode::Options::default()
        };
        let mut file = OutputFile::create(path, format, &plan, &range, dither, &options)?;
        let mut renderer = Renderer::new(plan, &self.settings.options)?;
        let mut report = self.render(&mut renderer, file.sink())?;
        let complete = file.complete(&mut report)?;
        report.wrote(&encode::publish(vec![complete])?.pop().unwrap_or_default());
        report.timed(clock);
        Ok(report)
    }

    /// Renders a plan into any sink, from the range's start to its end, and finishes the sink. Format and overwriting are
    /// the sink's own business.
    ///
    /// # Errors
    /// Those of the stems, of the sink, and `Cancelled`.
    pub fn into_sink(self, renderer: &mut Renderer, sink: &mut dyn Sink) -> Result<Report> {
        let clock = Instant::now();
        let mut report = self.render(renderer, sink)?;
        report.wrote(&sink.finish()?);
        report.timed(clock);
        Ok(report)
    }

    /// Renders into a sink without finishing it. Returns the report but for the sink's part.
    fn render(mut self, renderer: &mut Renderer, sink: &mut dyn Sink) -> Result<Report> {
        let range = self
            .range
            .take()
            .unwrap_or(Frames::ZERO..renderer.plan().length());
        check_order(&range)?;
        renderer.plan().check_content()?;
        if let Some(bins) = self.overview {
            renderer.build_waveforms(Grid::over(&range, bins));
        }
        renderer.measure(self.measure_strips);
        let mut progress =
            ProgressReporter::new(self.settings.progress.take(), range.end - range.start);
        let mut job = RenderJob::new(renderer, range.clone(), &self.settings);
        job.outputs = vec![(Signal::Mix, sink)];
        job.metered = if self.unmeasured {
            Vec::new()
        } else {
            vec![Signal::Mix]
        };
        let measurements = job.run(&mut progress, |_| {})?;
        let mut report = gather(renderer, "", &range);
        if let Some(measured) = measurements.of(Signal::Mix) {
            report.measured(measured, renderer, range.start);
            report.warnings.extend(suspicious_audio(renderer, &range));
            if let Some(overview) = &mut report.overview {
                overview.set_loudness(measured);
            }
        }
        Ok(report)
    }
}

/// Refuses a range that ends before it starts.
pub(crate) fn check_order(range: &Range<Frames>) -> Result<()> {
    if range.start <= range.end {
        return Ok(());
    }
    let what = format!(
        "the range ends at frame {}, before its start at {}",
        range.end, range.start
    );
    Err(Error::new(ErrorKind::InvalidArgument, what))
}

impl Report {
    /// Adds the measurement of the mix, whose first frame is `start` on the timeline.
    pub(crate) fn measured(&mut self, measured: &Measured, renderer: &Renderer, start: Frames) {
        let true_peak = measured.true_peak.map(|peak| peak.at.0);
        self.mix.true_peak_track = true_peak
            .and_then(|at| renderer.loudest(at))
            .map(str::to_owned);
        self.mix.set_measured(measured.clone(), start);
    }

    /// Adds the result of the sink, and warns of samples that its format does not hold.
    pub(crate) fn wrote(&mut self, written: &Written) {
        self.output = written.path.as_ref().map(|p| p.display().to_string());
        self.bytes = written.bytes;
        self.mix.clipped_samples = written.clipped;
        self.mix.non_finite_samples = written.non_finite;
        if written.clipped > 0 {
            let peak = Dbfs(self.mix.peak_dbfs.unwrap_or_default());
            let kind = WarningKind::ClippedOutput {
                samples: written.clipped,
                peak,
            };
            self.warnings
                .insert(0, Warning::new(kind, Subject::Session));
        }
        let lost = written.non_finite;
        if lost > 0 {
            let kind = WarningKind::NonFiniteSamples {
                place: NonFinite::Mix(lost),
            };
            self.warnings
                .insert(0, Warning::new(kind, Subject::Session));
        }
    }

    fn timed(&mut self, clock: Instant) {
        self.wall_s = clock.elapsed().as_secs_f64();
        self.times_real_time = self.duration_s / self.wall_s.max(1e-9);
    }
}

impl Session {
    /// Renders the whole mix into a 24-bit WAV file that does not exist yet. [`Bounce`] has other formats, ranges,
    /// progress and overwriting.
    ///
    /// # Errors
    /// All kinds but `Device`; whatever happens, no partial file is left.
    pub fn bounce(&self, path: impl AsRef<Path>) -> Result<Report> {
        Bounce::new().run(self, path)
    }

    /// Renders a range of the timeline into memory: one `Vec<f64>` a channel, full scale ±1.0, not clipped. Past the end
    /// of the mix there is silence; its length is [`Plan::length`].
    ///
    /// # Errors
    /// Returns the errors of compiling and of reading the stems; `InvalidArgument` for a range that ends before it starts,
    /// `Resource` for one that does not fit in memory.
    pub fn render(&self, range: Range<Frames>) -> Result<Vec<Vec<f64>>> {
        self.render_on(0, range)
    }

    /// The same on so many threads, at most 256; 0 is as many as there are cores. Loops that render many short ranges are
    /// fastest with 1 here and a loop on each core: `examples/random_remixes.rs`.
    ///
    /// ```
    /// use soundtrack::{Decibels, Frames, Layout, SampleRate, Session, Spec, Track, media::Memory};
    /// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
    /// let mut mix = Session::new(spec.rate, spec.layout);
    /// let vox = mix.add_track(Track::new("vox", Memory::new(spec, vec![vec![0.5; 480]])?));
    /// for mute in [false, true] {
    ///     mix.track_mut(vox).strip.mute = mute;
    ///     let crop = mix.render_on(1, Frames(10)..Frames(12))?;
    ///     assert_eq!(crop, [[if mute { 0.0 } else { 0.5 }; 2]]);
    /// }
    /// # Ok::<(), soundtrack::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`render`](Self::render).
    pub fn render_on(&self, threads: usize, range: Range<Frames>) -> Result<Vec<Vec<f64>>> {
        let mut memory = Memory::with_capacity(self.layout.channels(), range.end - range.start)?;
        let options = Options { threads };
        let mut renderer = Renderer::new(Plan::compile(self)?, &options)?;
        renderer.unwatched();
        Bounce::new()
            .threads(threads)
            .measure(false)
            .block(CROP_BLOCK)
            .range(range)
            .into_sink(&mut renderer, &mut memory)?;
        // Nothing written: channels without samples.
        let mut channels = memory.into_channels();
        channels.resize(self.layout.channels(), Vec::new());
        Ok(channels)
    }
}
