//! Offline rendering of a plan to a file or a sink.
//!
//! A bounce is a [`RenderJob`] with one output; a [`Delivery`](crate::Delivery) runs a list of
//! jobs.

mod finished_audio;
pub(crate) mod fit;
pub(crate) mod job;
pub(crate) mod output_file;
pub(crate) mod pipeline;
pub(crate) mod settings;

pub use settings::Progress;

use crate::{
    diagnostics::{NonFinite, Subject, Warning, WarningKind},
    encode::{
        self, Container, Dither, FileSink, Format, MemorySink, Metadata, Sink, WriterSink, Written,
    },
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
use settings::JobSettings;
use std::{
    fmt,
    io::{Cursor, Seek, Write},
    ops::Range,
    path::Path,
    time::Instant,
};

/// Frames per block when rendering into memory. Such ranges are short, so allocating smaller blocks
/// saves time, and they stay in the cache.
const CROP_BLOCK: usize = 4_096;

/// Renders offline to one output: sets format, range, threads and progress.
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
    metadata: Option<Metadata>,
}

/// Maximum number of bins of a waveform.
pub(crate) const MAX_BINS: usize = 65_536;

impl<'a> Bounce<'a> {
    /// Creates a bounce of the whole mix to a new 24-bit WAV file, using all cores.
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

    /// Adds dither if the format has fewer bits than the mix. Defaults to the dither of the
    /// session's master.
    #[must_use]
    pub fn dither(mut self, dither: Dither) -> Self {
        self.dither = Some(dither);
        self
    }

    /// Renders only a range of the timeline. Past the end of the mix the output is silent.
    #[must_use]
    pub fn range(mut self, range: Range<Frames>) -> Self {
        self.range = Some(range);
        self
    }

    /// Stores the position of the range in the file, so that [`slice::join`] can join the files of
    /// several ranges. Changes no sample.
    ///
    /// Such a bounce fails with `Session` if the range extends past the end of the mix, and with
    /// weighted dither, whose noise depends on the first frame rendered.
    #[must_use]
    pub fn joinable(mut self, joinable: bool) -> Self {
        self.joinable = joinable;
        self
    }

    /// Collects waveforms and curves for [`Report::overview`], with at most `bins` bins per
    /// waveform (clamped to 1 to 65,536). Changes no sample.
    #[must_use]
    pub fn overview(mut self, bins: usize) -> Self {
        self.overview = Some(bins.clamp(1, MAX_BINS));
        self
    }

    /// Enables measuring loudness and true peak of the mix; on by default. Changes no sample.
    #[must_use]
    pub fn measure(mut self, measure: bool) -> Self {
        self.unmeasured = !measure;
        self
    }

    /// Enables measuring loudness and true peak of every track and bus; off by default. Changes no
    /// sample.
    #[must_use]
    pub fn measure_strips(mut self, measure: bool) -> Self {
        self.measure_strips = measure;
        self
    }

    /// Sets the metadata of the file, which is that of the whole mix also with a
    /// [`range`](Self::range). Defaults to [`Plan::metadata`]; `Metadata::default()` writes none.
    /// Changes no sample.
    ///
    /// A FLAC file states the loudness as ReplayGain. A WAV file does not, so that parts of a mix can
    /// be joined to the file of one run.
    ///
    /// ```
    /// use soundtrack::{Bounce, Layout, SampleRate, Session, Spec, Track};
    /// use soundtrack::{encode::Metadata, media::Memory};
    /// let folder = tempfile::tempdir()?;
    /// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
    /// let mut mix = Session::new(spec.rate, spec.layout);
    /// mix.add_track(Track::new("x", Memory::new(spec, vec![vec![0.25; 48_000]])?));
    /// let metadata = Metadata { title: "The Storm".into(), ..Metadata::default() };
    /// Bounce::new().metadata(metadata).run(&mix, folder.path().join("storm.wav"))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = Some(metadata);
        self
    }

    /// Performs the checks that [`run`](Self::run) makes before any stem is opened.
    ///
    /// # Errors
    /// `Output` for an existing file unless overwriting is allowed, for a path that cannot be a
    /// file, and for a folder that does not exist or is not writable; `Unsupported` if the
    /// extension belongs to another format ([`Format`]).
    pub fn check(&self, path: impl AsRef<Path>) -> Result<()> {
        FileSink::check(path.as_ref(), self.format, self.settings.overwrite)
    }

    /// Renders a session to a file.
    ///
    /// # Errors
    /// All kinds except `Device`. An existing file is refused unless overwriting is allowed. Files
    /// that the session names, used or not, and the session file itself are always refused. On
    /// error the path has its old content.
    pub fn run(self, session: &Session, path: impl AsRef<Path>) -> Result<Report> {
        let (path, clock) = (path.as_ref(), Instant::now());
        self.check(path)?;
        let plan = Plan::compile_with(session, &self.settings.cancel)?;
        let mut report = self.write(plan, path)?;
        report.title.clone_from(&session.title);
        report.set_time(clock);
        Ok(report)
    }

    /// Renders a plan to a file like [`run`](Self::run). The report has no title.
    ///
    /// # Errors
    /// See [`run`](Self::run), without the errors of compiling.
    pub fn write(mut self, plan: Plan, path: impl AsRef<Path>) -> Result<Report> {
        let (path, clock) = (path.as_ref(), Instant::now());
        output_file::refuse_inputs(&FileSet::new(plan.named_files().to_vec()), path)?;
        let (format, range, dither, options) = self.file_options(&plan)?;
        let mut file = OutputFile::create(path, format, &plan, &range, dither, &options)?;
        let mut renderer = Renderer::new(plan, &self.settings.options)?;
        let (mut report, measured) = self.render(&mut renderer, file.sink())?;
        if let Some(measured) = &measured {
            file.set_loudness(measured, None);
        }
        let complete = file.complete(&mut report)?;
        report.add_sink_result(&encode::publish(vec![complete])?.pop().unwrap_or_default());
        report.set_time(clock);
        Ok(report)
    }

    /// Renders a session to an audio file in memory, and returns its bytes with the report.
    ///
    /// ```
    /// use soundtrack::{Bounce, Format, Layout, SampleRate, Session, Spec, Track, media::Memory};
    /// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
    /// let mut mix = Session::new(spec.rate, spec.layout);
    /// mix.add_track(Track::new("tone", Memory::new(spec, vec![vec![0.5; 480]])?));
    /// let (wav, report) = Bounce::new().format(Format::WAV_16).to_bytes(&mix)?;
    /// assert_eq!((wav.len(), report.bytes), (44 + 960, 44 + 960));
    /// # Ok::<(), soundtrack::Error>(())
    /// ```
    ///
    /// # Errors
    /// See [`run`](Self::run), without those of the output.
    pub fn to_bytes(self, session: &Session) -> Result<(Vec<u8>, Report)> {
        let mut out = Cursor::new(Vec::new());
        let report = self.to_writer(session, &mut out)?;
        Ok((out.into_inner(), report))
    }

    /// Renders a session to an audio file in a writer of the program, from its current position on. Seeking is needed for
    /// the header, which a FLAC file gets last.
    ///
    /// An error may leave a part of the file in the writer.
    ///
    /// # Errors
    /// See [`run`](Self::run); `Output` for an error of the writer.
    pub fn to_writer(mut self, session: &Session, writer: impl Write + Seek) -> Result<Report> {
        let clock = Instant::now();
        let plan = Plan::compile_with(session, &self.settings.cancel)?;
        let (format, range, dither, options) = self.file_options(&plan)?;
        let length = range.end - range.start;
        let sink = WriterSink::new(writer, format, plan.spec(), length, &options)?;
        let mut file = OutputFile::of(sink, format, &plan, &range, dither)?;
        let mut renderer = Renderer::new(plan, &self.settings.options)?;
        let (mut report, measured) = self.render(&mut renderer, file.sink())?;
        if let Some(measured) = &measured {
            file.set_loudness(measured, None);
        }
        let written = file.into_file(&mut report).finish()?;
        report.add_sink_result(&written);
        report.title.clone_from(&session.title);
        report.set_time(clock);
        Ok(report)
    }

    /// Returns the format, the range, the dither and the options of the file of a plan.
    ///
    /// # Errors
    /// `InvalidArgument` for a range that ends before it starts, and those of [`joinable`](Self::joinable).
    fn file_options(
        &mut self,
        plan: &Plan,
    ) -> Result<(Format, Range<Frames>, Option<Dither>, encode::Options)> {
        let range = self.range.clone().unwrap_or(Frames::ZERO..plan.length());
        let format = self.format;
        let dither = self
            .dither
            .or(plan.dither)
            .filter(|_| output_file::rounds(plan, format));
        let slice = if self.joinable {
            Some(slice::slice_of_range(plan, &range, dither)?)
        } else {
            None
        };
        let metadata = self.metadata.take().unwrap_or_else(|| plan.metadata());
        let options = encode::Options {
            overwrite: self.settings.overwrite,
            metadata: match slice {
                Some(_) => metadata,
                None => metadata.of_range(&range),
            },
            states_loudness: format.container == Container::Flac,
            slice,
        };
        Ok((format, range, dither, options))
    }

    /// Renders a plan to a sink and finishes the sink. The settings for format and overwriting have
    /// no effect.
    ///
    /// # Errors
    /// Errors of the stems and of the sink, and `Cancelled`.
    pub fn into_sink(self, renderer: &mut Renderer, sink: &mut dyn Sink) -> Result<Report> {
        let clock = Instant::now();
        let (mut report, _) = self.render(renderer, sink)?;
        report.add_sink_result(&sink.finish()?);
        report.set_time(clock);
        Ok(report)
    }

    /// Renders to a sink without finishing it. The report lacks the result of the sink. Also returns
    /// the measurement of the mix.
    fn render(
        mut self,
        renderer: &mut Renderer,
        sink: &mut dyn Sink,
    ) -> Result<(Report, Option<Measured>)> {
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
        let mut progress = self.settings.reporter(range.end - range.start);
        let mut job = RenderJob::new(renderer, range.clone(), &self.settings);
        job.outputs = vec![(Signal::Mix, sink)];
        job.metered = if self.unmeasured {
            Vec::new()
        } else {
            vec![Signal::Mix]
        };
        let measurements = job.run(&mut progress, |_| {})?;
        let mut report = gather(renderer, "", &range);
        let measured = measurements.get(Signal::Mix).cloned();
        if let Some(measured) = &measured {
            report.add_measurement(measured, renderer, range.start);
            report.warnings.extend(suspicious_audio(renderer, &range));
            if let Some(overview) = &mut report.overview {
                overview.set_loudness(measured);
            }
        }
        Ok((report, measured))
    }
}

impl fmt::Debug for Bounce<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bounce({}, {:?})", self.format, self.range)
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
    /// Adds the measurement of the mix. `start` is the timeline position of its first frame.
    pub(crate) fn add_measurement(
        &mut self,
        measured: &Measured,
        renderer: &Renderer,
        start: Frames,
    ) {
        let true_peak = measured.true_peak.map(|peak| peak.at.0);
        self.mix.true_peak_track = true_peak
            .and_then(|at| renderer.loudest(at))
            .map(str::to_owned);
        self.mix.set_measured(measured.clone(), start);
    }

    /// Adds the result of the sink, with warnings about clipped and non-finite samples.
    pub(crate) fn add_sink_result(&mut self, written: &Written) {
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

    fn set_time(&mut self, clock: Instant) {
        self.wall_s = clock.elapsed().as_secs_f64();
        self.times_real_time = self.duration_s / self.wall_s.max(1e-9);
    }
}

impl Session {
    /// Renders the whole mix to a new 24-bit WAV file. [`Bounce`] offers other formats, ranges,
    /// progress and overwriting.
    ///
    /// # Errors
    /// All kinds except `Device`. No partial file is left.
    pub fn bounce(&self, path: impl AsRef<Path>) -> Result<Report> {
        Bounce::new().run(self, path)
    }

    /// Renders a range of the timeline into memory: one `Vec<f64>` per channel, full scale ±1.0,
    /// not clipped. Past the end of the mix, at [`Plan::length`], the output is silent.
    ///
    /// # Errors
    /// Errors of compiling and of reading the stems; `InvalidArgument` for a range that ends before
    /// it starts, `Resource` for one that does not fit in memory.
    pub fn render(&self, range: Range<Frames>) -> Result<Vec<Vec<f64>>> {
        self.render_on(0, range)
    }

    /// Renders a range of the timeline into memory like [`render`](Self::render) on a number of
    /// threads, at most 256; 0 uses all cores. A program that renders many short ranges is fastest
    /// with one thread here and a loop on each core: `examples/random_remixes.rs`.
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
    /// See [`render`](Self::render).
    pub fn render_on(&self, threads: usize, range: Range<Frames>) -> Result<Vec<Vec<f64>>> {
        let mut memory =
            MemorySink::with_capacity(self.layout.channels(), range.end - range.start)?;
        let options = Options { threads };
        let mut renderer = Renderer::new(Plan::compile(self)?, &options)?;
        renderer.unwatched();
        Bounce::new()
            .threads(threads)
            .measure(false)
            .block(CROP_BLOCK)
            .range(range)
            .into_sink(&mut renderer, &mut memory)?;
        // If nothing was written, the channels are empty.
        let mut channels = memory.into_channels();
        channels.resize(self.layout.channels(), Vec::new());
        Ok(channels)
    }
}
