//! Renders offline: a plan from its start to its end into a sink, block by block.

pub(crate) mod depth;
mod finished_audio;
mod fit;
pub(crate) mod pipeline;

use crate::{
    diagnostics::{NonFinite, Subject, Warning, WarningKind},
    encode::Memory,
    encode::{self, Dither, Format, Sink, Wav, Written},
    engine::{Options, Renderer, waveform_builder::Grid},
    error::{Error, ErrorKind, Result},
    measure::Meter,
    plan::Plan,
    report::{Report, gather, suspects},
    session::Session,
    slice,
    storage::same_file,
    units::{Dbfs, Frames},
};
use pipeline::{Pump, Signal};
use std::{
    ops::{ControlFlow, Range},
    path::Path,
    time::Instant,
};

/// Frames rendered at a time into memory: a crop is short, so making blocks counts, and they stay in the cache.
const CROP_BLOCK: usize = 4_096;

/// How far a bounce is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Frames rendered.
    pub done: Frames,
    /// Frames to render in all.
    pub total: Frames,
}

/// Told after every block how far the bounce is; may stop it.
type Watch<'a> = Box<dyn FnMut(Progress) -> ControlFlow<()> + 'a>;

/// An offline render: format, range, threads, progress.
///
/// ```no_run
/// use soundtrack::{Bounce, Format, Layout, SampleRate, Session, Track};
/// use std::ops::ControlFlow;
/// let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
/// mix.add_track(Track::new("piano", "piano.flac"));
/// let report = Bounce::new()
///     .format(Format::Wav32f)
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
    format: Format,
    overwrite: bool,
    range: Option<Range<Frames>>,
    options: Options,
    block: Option<usize>,
    overview: Option<usize>,
    watch: Option<Watch<'a>>,
    dither: Option<Dither>,
    unmeasured: bool,
    joinable: bool,
    strips: bool,
}

/// The most that is handed to a sink at a time.
const LARGEST_BLOCK: usize = 1 << 20;

/// The most bins of a waveform.
const MOST_BINS: usize = 65_536;

impl<'a> Bounce<'a> {
    /// A bounce of everything into a new 24-bit WAV file, on all cores.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the format of the file.
    #[must_use]
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Allows an existing file to be replaced, at the very end and at once.
    #[must_use]
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.overwrite = overwrite;
        self
    }

    /// Adds dither where the format has fewer bits than the mix. Without this it is what the session's master says.
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

    /// Notes in the file which part of the whole mix it is, so that [`slice::join`](crate::slice::join) can make one file
    /// of several ranges. Such a bounce fails as `Session` where the range goes past the end of the mix, and with weighted
    /// dither, whose noise depends on where a render starts. Changes no sample.
    #[must_use]
    pub fn joinable(mut self, joinable: bool) -> Self {
        self.joinable = joinable;
        self
    }

    /// Sets how many threads decode and mix, at most 256; 0 is as many as there are cores. Changes no sample.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.options.threads = threads;
        self
    }

    /// Gathers what a picture is drawn from, with at most so many bins a waveform, 1 to 65 536 (others are taken as the
    /// nearest): [`Report::overview`]. Changes no sample.
    #[must_use]
    pub fn overview(mut self, bins: usize) -> Self {
        self.overview = Some(bins.clamp(1, MOST_BINS));
        self
    }

    /// Sets how many frames the sink gets at a time, 1 to 1 048 576; others are taken as the nearest. Changes no sample.
    #[must_use]
    pub fn block(mut self, frames: usize) -> Self {
        self.block = Some(frames.clamp(1, LARGEST_BLOCK));
        self
    }

    /// Is called after every block; `Break` stops the bounce, which then fails as `Cancelled` and leaves no file.
    #[must_use]
    pub fn progress(mut self, watch: impl FnMut(Progress) -> ControlFlow<()> + 'a) -> Self {
        self.watch = Some(Box::new(watch));
        self
    }

    /// Measures loudness and true peak of the mix, or not; it does unless told. Changes no sample.
    #[must_use]
    pub fn measure(mut self, measure: bool) -> Self {
        self.unmeasured = !measure;
        self
    }

    /// Measures loudness and true peak of every track and bus too, or not; it does not unless told. Changes no sample.
    #[must_use]
    pub fn measure_strips(mut self, measure: bool) -> Self {
        self.strips = measure;
        self
    }

    /// Refuses a path that [`run`](Self::run) would refuse as soon as it starts, before any stem is opened.
    ///
    /// # Errors
    /// `Output` for an existing file unless overwriting is allowed, and for what can be no file or lies in a folder that
    /// is missing or cannot be written.
    pub fn check(&self, path: impl AsRef<Path>) -> Result<()> {
        Wav::check(path.as_ref(), self.overwrite)
    }

    /// Renders a session into a WAV file.
    ///
    /// # Errors
    /// All kinds but `Device`. A file that exists is refused unless overwriting is allowed, one that is an input always;
    /// whatever happens, the path holds what it held before, or the whole new file.
    pub fn run(self, session: &Session, path: impl AsRef<Path>) -> Result<Report> {
        let (path, clock) = (path.as_ref(), Instant::now());
        self.check(path)?;
        let mut report = self.write(Plan::compile(session)?, path)?;
        report.title.clone_from(&session.title);
        report.timed(clock);
        Ok(report)
    }

    /// Renders a plan into a WAV file, by the rules of [`run`](Self::run). The report has no title.
    ///
    /// # Errors
    /// As [`run`](Self::run), those of compiling excepted.
    pub fn write(self, plan: Plan, path: impl AsRef<Path>) -> Result<Report> {
        let (path, clock) = (path.as_ref(), Instant::now());
        for input in plan.files() {
            if !same_file(&input, path)? {
                continue;
            }
            let what = format!("{}: is one of the inputs ({})", path.display(), input.display());
            return Err(Error::new(ErrorKind::Output, what));
        }
        let range = self.range.clone().unwrap_or(Frames::ZERO..plan.length());
        let format = self.format;
        let dither = self.dither.or(plan.dither).filter(|_| depth::reduced(&plan, format));
        let slice = if self.joinable { Some(slice::of(&plan, &range, dither)?) } else { None };
        let options = encode::Options { overwrite: self.overwrite, slice, ..encode::Options::default() };
        let mut wav = Wav::create_with(path, format, plan.spec(), range.end - range.start, &options)?;
        let warning = if dither.is_none() { depth::warning(&plan, format) } else { None };
        let mut dithered;
        let sink: &mut dyn Sink = match dither {
            Some(dither) => {
                dithered = depth::dithered(&mut wav, dither, format, &plan, range.start)?;
                &mut dithered
            }
            None => &mut wav,
        };
        let mut renderer = Renderer::new(plan, &self.options)?;
        let mut report = self.into_sink(&mut renderer, sink)?;
        report.rounded(dither, warning);
        report.format = Some(format.to_string());
        report.timed(clock);
        Ok(report)
    }

    /// Renders a plan into any sink, from the range's start to its end, and finishes the sink. Format and overwriting are
    /// the sink's own business.
    ///
    /// # Errors
    /// Those of the stems, of the sink, and `Cancelled`.
    pub fn into_sink(mut self, renderer: &mut Renderer, sink: &mut dyn Sink) -> Result<Report> {
        let clock = Instant::now();
        let range = self.range.take().unwrap_or(Frames::ZERO..renderer.plan().length());
        forwards(&range)?;
        renderer.go(&range);
        if let Some(bins) = self.overview {
            renderer.sketch(Grid::over(&range, bins));
        }
        renderer.measure(self.strips);
        let total = range.end - range.start;
        let meter = (!self.unmeasured).then(|| (Signal::Mix, Meter::new(renderer.plan().spec())));
        let pump = Pump {
            renderer,
            size: self.block.unwrap_or(pipeline::BLOCK),
            taps: 0,
            gains: Vec::new(),
            meters: meter.into_iter().collect(),
            alone: self.options.threads == 1,
        };
        let mut done = Frames::ZERO;
        let mut meters = pump.run(total, |blocks| {
            sink.write(blocks.of(Signal::Mix))?;
            done += Frames(blocks.frames() as u64);
            let told = self.watch.as_mut().map_or(ControlFlow::Continue(()), |watch| watch(Progress { done, total }));
            if told.is_break() { Err(Error::new(ErrorKind::Cancelled, "cancelled")) } else { Ok(()) }
        })?;
        let written = sink.finish()?;
        let mut report = gather(renderer, "", &range);
        if let Some((_, meter)) = meters.pop() {
            let measured = meter.finish();
            let at = measured.true_peak.map(|p| p.at.0);
            report.mix.true_peak_track = at.and_then(|at| renderer.loudest(at)).map(str::to_owned);
            report.mix.heard(measured, range.start);
            report.warnings.extend(suspects(renderer, &range));
        }
        if let (Some(overview), Some(measured)) = (&mut report.overview, &report.mix.measured) {
            overview.levels(measured);
        }
        report.wrote(&written);
        report.overflowed();
        report.timed(clock);
        Ok(report)
    }
}

/// Refuses a range that ends before it starts.
fn forwards(range: &Range<Frames>) -> Result<()> {
    if range.start <= range.end {
        return Ok(());
    }
    let what = format!("the range ends at frame {}, before its start at {}", range.end, range.start);
    Err(Error::new(ErrorKind::InvalidArgument, what))
}

impl Report {
    /// Adds what the sink tells.
    pub(crate) fn wrote(&mut self, written: &Written) {
        self.output = written.path.as_ref().map(|p| p.display().to_string());
        self.bytes = written.bytes;
        self.mix.clipped_samples = written.clipped;
        self.mix.non_finite_samples = written.non_finite;
        if written.clipped > 0 {
            let peak = Dbfs(self.mix.peak_dbfs.unwrap_or_default());
            let kind = WarningKind::ClippedOutput { samples: written.clipped, peak };
            self.warnings.insert(0, Warning::new(kind, Subject::Session));
        }
    }

    /// Warns of samples that no format holds.
    pub(crate) fn overflowed(&mut self) {
        let lost = self.mix.non_finite_samples;
        if lost > 0 {
            let kind = WarningKind::NonFiniteSamples { place: NonFinite::Mix(lost) };
            self.warnings.insert(0, Warning::new(kind, Subject::Session));
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
    /// Those of compiling and of reading the stems; `InvalidArgument` for a range that ends before it
    /// starts, `Resource` for one that does not fit in memory.
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
        let mut memory = Memory::with_room(self.layout.channels(), range.end - range.start)?;
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
