//! Renders a job into its files, and reports on each of them.

use super::{
    jobs::{Job, JobFile},
    loudness::{self, DeliverableLoudness},
    null_test::{NullMeter, Reference},
    report::{DeliverableReport, Delivered, FileReport, NullTest},
    stems,
};
use crate::{
    bounce::{
        job::{Measurements, RenderJob},
        output_file::{OutputFile, rounds},
        pipeline::Signal,
        settings::{JobSettings, ProgressReporter},
    },
    diagnostics::{StemMismatch, Subject, Warning, WarningKind},
    dsp::peak::Peak,
    encode::{self, CompleteAudio, Dither, Written},
    engine::Renderer,
    error::Result,
    measure::Measured,
    plan::Plan,
    report::{MixReport, Report, gather, suspicious_audio},
    session::{Content, Deliverable},
    units::{Decibels, Frames},
};

/// Settings, deliverables and gains that all jobs of a delivery share.
pub(super) struct Context<'a> {
    pub settings: &'a JobSettings<'a>,
    pub chosen: &'a [&'a Deliverable],
    /// Gain of each deliverable.
    pub gains: &'a [Decibels],
}

impl Context<'_> {
    fn deliverable(&self, file: &JobFile) -> Option<&Deliverable> {
        self.chosen.get(file.deliverable).copied()
    }
}

/// Results of the jobs so far: files that are complete but not yet visible, and their reports.
pub(super) struct Rendered<'a> {
    chosen: &'a [&'a Deliverable],
    deliverables: Vec<DeliverableReport>,
    /// Measurements of each deliverable, for its checks.
    measured: Vec<Vec<Measured>>,
    files: Vec<(usize, FileReport)>,
    complete: Vec<CompleteAudio>,
}

/// Renders a plan to measure its mix.
pub(super) fn measure(
    plan: Plan,
    settings: &JobSettings<'_>,
    progress: &mut ProgressReporter<'_>,
) -> Result<Option<Measured>> {
    let range = Frames::ZERO..plan.length();
    let mut renderer = Renderer::new(plan, &settings.options)?;
    let mut job = RenderJob::new(&mut renderer, range, settings);
    job.metered = vec![Signal::Mix];
    Ok(job.run(progress, |_| {})?.of(Signal::Mix).cloned())
}

/// Renders a job, the delivery's render of this number, into its files. They are completed but not yet visible.
pub(super) fn render(
    job: &Job,
    plan: Plan,
    number: usize,
    context: &Context<'_>,
    progress: &mut ProgressReporter<'_>,
    all: &mut Rendered<'_>,
) -> Result<()> {
    let (rate, range) = (plan.spec().rate, Frames::ZERO..plan.length());
    let signals = Signals::of(job, &plan, context);
    let mut nulls = null_meters(job, &plan, context, &signals, all);
    let mut files = Vec::with_capacity(job.files.len());
    for (file, signal) in job.files.iter().zip(&signals.of_files) {
        files.push(create(file, *signal, &plan, context)?);
    }

    let mut renderer = Renderer::new(plan, &context.settings.options)?;
    let mut render = RenderJob::new(&mut renderer, range.clone(), context.settings);
    render.taps = &signals.taps;
    render.gains = signals.gains.clone();
    render.metered = signals.metered(job, context);
    render.outputs = signals
        .of_files
        .iter()
        .zip(&mut files)
        .map(|(signal, file)| (*signal, file.sink()))
        .collect();
    let measurements = render.run(progress, |blocks| {
        nulls.iter_mut().for_each(|(_, null)| null.take(blocks))
    })?;

    for (deliverable, null) in nulls {
        if let Some(report) = all.deliverables.get_mut(deliverable) {
            report.null_test = Some(NullTest::of(&null, rate));
        }
    }
    all.keep_measurements(job, &signals, &measurements);
    let mut base = gather(&renderer, &job.session.title, &range);
    base.warnings.extend(suspicious_audio(&renderer, &range));
    for ((file, signal), output) in job.files.iter().zip(&signals.of_files).zip(files) {
        let mut report = match (signal, measurements.of(*signal)) {
            (Signal::Tap(tap), _) => {
                let node = signals.taps.get(*tap).copied().unwrap_or_default();
                stem_report(
                    &base,
                    file.of.as_deref().unwrap_or_default(),
                    renderer.peaks(node),
                )
            }
            (_, Some(measured)) => mix_report(&base, measured, &renderer),
            (_, None) => base.clone(),
        };
        if context
            .deliverable(file)
            .is_some_and(|d| !d.mute.is_empty())
        {
            // Tracks that a deliverable mutes are not heard on purpose.
            report
                .warnings
                .retain(|w| !matches!(w.kind, WarningKind::UnheardTrack { .. }));
        }
        all.complete.push(output.complete(&mut report)?);
        let content = super::kind(file.content).to_owned();
        all.files.push((
            file.deliverable,
            FileReport {
                content,
                of: file.of.clone(),
                render: number,
                report,
            },
        ));
    }
    Ok(())
}

/// The signals of a render that the files of a job take.
struct Signals {
    /// Nodes of the tapped buses.
    taps: Vec<usize>,
    /// Gains of the other levels of the mix.
    gains: Vec<f64>,
    /// Signal of each file.
    of_files: Vec<Signal>,
}

impl Signals {
    fn of(job: &Job, plan: &Plan, context: &Context<'_>) -> Self {
        let mut signals = Self {
            taps: Vec::new(),
            gains: Vec::new(),
            of_files: Vec::with_capacity(job.files.len()),
        };
        for file in &job.files {
            let gain = context
                .gains
                .get(file.deliverable)
                .map_or(1.0, |g| g.gain().0);
            signals.of_files.push(match file.content {
                Content::Stem(_) => {
                    let node = file
                        .of
                        .as_deref()
                        .and_then(|bus| stems::node(plan, bus))
                        .unwrap_or_default();
                    Signal::Tap(index_of(&mut signals.taps, node))
                }
                Content::Mix | Content::Cue(_) if gain == 1.0 => Signal::Mix,
                Content::Mix | Content::Cue(_) => Signal::Level(index_of(&mut signals.gains, gain)),
            });
        }
        signals
    }

    /// Returns the signals to meter: those of mixes, and the mix itself where stems must have its loudness.
    fn metered(&self, job: &Job, context: &Context<'_>) -> Vec<Signal> {
        let mut metered = Vec::new();
        for (file, signal) in job.files.iter().zip(&self.of_files) {
            match signal {
                Signal::Tap(_)
                    if context
                        .deliverable(file)
                        .is_none_or(|d| d.loudness.is_none()) => {}
                other => _ = index_of(&mut metered, whole(*other)),
            }
        }
        metered
    }
}

/// Returns the signal whose loudness counts for a file: of a stem, that of the mix.
fn whole(signal: Signal) -> Signal {
    if matches!(signal, Signal::Tap(_)) {
        Signal::Mix
    } else {
        signal
    }
}

/// Returns the index of a value in a list, to which it is added where it is new.
fn index_of<T: PartialEq>(list: &mut Vec<T>, value: T) -> usize {
    list.iter().position(|v| *v == value).unwrap_or_else(|| {
        list.push(value);
        list.len() - 1
    })
}

/// Starts a file of a job.
fn create(
    file: &JobFile,
    signal: Signal,
    plan: &Plan,
    context: &Context<'_>,
) -> Result<OutputFile> {
    let deliverable = context.deliverable(file);
    let format = deliverable.map(|d| d.format).unwrap_or_default();
    let options = encode::Options {
        overwrite: context.settings.overwrite,
        ..encode::Options::default()
    };
    // A gain gives the mix more digits than its stems have.
    let rounded =
        rounds(plan, format) || (matches!(signal, Signal::Level(_)) && !format.is_float());
    let dither = dither(deliverable, plan).filter(|_| rounded);
    OutputFile::create(
        &file.path,
        format,
        plan,
        &(Frames::ZERO..plan.length()),
        dither,
        &options,
    )
}

/// Returns the dither of a deliverable: its own or, but for stems, that of the master.
fn dither(deliverable: Option<&Deliverable>, plan: &Plan) -> Option<Dither> {
    let own = deliverable.and_then(|d| d.dither);
    own.or(plan
        .dither
        .filter(|_| deliverable.is_some_and(|d| d.stems.is_empty())))
}

/// Returns the null meters of a job's stems, and warns of each deliverable of stems that cannot add up to the mix.
fn null_meters(
    job: &Job,
    plan: &Plan,
    context: &Context<'_>,
    signals: &Signals,
    all: &mut Rendered<'_>,
) -> Vec<(usize, NullMeter)> {
    let mut nulls = Vec::new();
    let shaping = stems::shaping(&job.session.master);
    for (index, (deliverable, report)) in
        context.chosen.iter().zip(&mut all.deliverables).enumerate()
    {
        let own = job
            .files
            .iter()
            .zip(&signals.of_files)
            .filter(|(file, _)| file.deliverable == index);
        let taps: Vec<usize> = own
            .filter_map(|(_, s)| {
                if let Signal::Tap(tap) = s {
                    Some(*tap)
                } else {
                    None
                }
            })
            .collect();
        if taps.is_empty() {
            continue;
        }
        let nodes: Vec<usize> = taps
            .iter()
            .filter_map(|tap| signals.taps.get(*tap).copied())
            .collect();
        let coverage = stems::coverage(plan, &nodes);
        if !shaping.is_empty() {
            report.warnings.push(stems_warning(
                deliverable,
                StemMismatch::Master(shaping.clone()),
            ));
        }
        let (reference, turned) = reference(job, context, signals, shaping.is_empty());
        if let Some((mix, gain)) = turned {
            let reason = StemMismatch::Turned { mix, gain };
            report.warnings.push(stems_warning(deliverable, reason));
        }
        if !coverage.is_whole() {
            let reason = StemMismatch::Coverage {
                missing: coverage.missing,
                nested: coverage.nested,
            };
            report.warnings.push(stems_warning(deliverable, reason));
            continue;
        }
        if deliverable.dither.is_some() {
            // Dither is a difference that rounding does not explain.
            continue;
        }
        let order = coverage
            .order
            .iter()
            .filter_map(|i| taps.get(*i).map(|tap| Signal::Tap(*tap)))
            .collect();
        nulls.push((index, NullMeter::new(order, deliverable.format, reference)));
    }
    nulls
}

/// Returns what the stems of a job should add up to: the mix as it is delivered from the same timeline. Where every such
/// mix was turned to fit its loudness, also the name of the first one and its gain.
fn reference(
    job: &Job,
    context: &Context<'_>,
    signals: &Signals,
    plain: bool,
) -> (Reference, Option<(String, Decibels)>) {
    let mixes = || {
        let files = job.files.iter().zip(&signals.of_files);
        files.filter(|(file, _)| file.content == Content::Mix)
    };
    let as_it_is = mixes().find(|(_, signal)| **signal == Signal::Mix);
    match as_it_is.or_else(|| mixes().next()) {
        Some((file, signal)) if *signal != Signal::Mix => {
            let deliverable = context.deliverable(file);
            let gain = context.gains.get(file.deliverable).copied();
            let name = deliverable.map(|d| d.name.clone()).unwrap_or_default();
            (
                Reference::Mix(*signal, deliverable.map(|d| d.format)),
                Some((name, gain.unwrap_or_default())),
            )
        }
        _ if !plain => (Reference::BeforeMaster, None),
        Some((file, signal)) => {
            let format = context.deliverable(file).map(|d| d.format);
            (Reference::Mix(*signal, format), None)
        }
        None => (Reference::Mix(Signal::Mix, None), None),
    }
}

fn stems_warning(deliverable: &Deliverable, reason: StemMismatch) -> Warning {
    let subject = Subject::Deliverable {
        name: deliverable.name.clone(),
    };
    Warning::new(WarningKind::StemsDoNotAddUp { reason }, subject)
}

/// Returns the report of a file that holds the mix, at the level it was measured at.
fn mix_report(base: &Report, measured: &Measured, renderer: &Renderer) -> Report {
    let mut report = base.clone();
    let peak = measured.sample_peak;
    let rate = measured.spec.rate;
    report.mix.peak_dbfs = peak.map(|p| p.level.0);
    report.mix.peak_at_s = peak.map(|p| p.at.to_duration(rate).as_secs_f64());
    report.mix.peak_at_frame = peak.map(|p| p.at.0);
    report.mix.peak_channel = peak.map(|p| p.channel);
    report.measured(measured, renderer, Frames::ZERO);
    report
}

/// Returns the report of a file that holds one bus.
fn stem_report(base: &Report, bus: &str, peaks: &[Peak]) -> Report {
    let own = base.buses.iter().find(|b| b.name == bus).cloned();
    let (channel, peak) = Peak::loudest(peaks);
    let level = peak.level();
    let mix = MixReport {
        peak_dbfs: level.map(|l| l.0),
        peak_at_s: own.as_ref().and_then(|b| b.peak_at_s),
        peak_at_frame: level.map(|_| peak.at),
        peak_channel: level.map(|_| channel),
        ..MixReport::default()
    };
    Report {
        tracks: Vec::new(),
        buses: own.into_iter().collect(),
        mix,
        warnings: Vec::new(),
        ..base.clone()
    }
}

impl<'a> Rendered<'a> {
    pub(super) fn new(context: &Context<'a>) -> Self {
        let chosen = context.chosen;
        let report = |(deliverable, gain): (&&Deliverable, &Decibels)| DeliverableReport {
            name: deliverable.name.clone(),
            gain_db: gain.0,
            ..DeliverableReport::default()
        };
        let deliverables = chosen.iter().zip(context.gains).map(report).collect();
        let measured = vec![Vec::new(); chosen.len()];
        Self {
            chosen,
            deliverables,
            measured,
            files: Vec::new(),
            complete: Vec::new(),
        }
    }

    /// Keeps the measurements of a job for the checks of its deliverables, each signal once for a deliverable.
    fn keep_measurements(&mut self, job: &Job, signals: &Signals, measurements: &Measurements) {
        let mut kept: Vec<(usize, Signal)> = Vec::new();
        for (file, signal) in job.files.iter().zip(&signals.of_files) {
            let whole = whole(*signal);
            if kept.contains(&(file.deliverable, whole)) {
                continue;
            }
            kept.push((file.deliverable, whole));
            if let Some(all) = self.measured.get_mut(file.deliverable) {
                all.extend(measurements.of(whole).cloned());
            }
        }
    }

    /// Makes all files visible, checks the deliverables, and completes the reports.
    pub(super) fn publish(self) -> Result<Delivered> {
        let Self {
            chosen,
            mut deliverables,
            measured,
            files,
            complete,
        } = self;
        let written = encode::publish(complete)?;
        for ((index, mut file), written) in files.into_iter().zip(&written) {
            file.wrote(written);
            if let Some(deliverable) = deliverables.get_mut(index) {
                deliverable.files.push(file);
            }
        }
        for ((deliverable, report), measured) in chosen.iter().zip(&mut deliverables).zip(&measured)
        {
            if let Some(target) = &deliverable.loudness {
                let whole = DeliverableLoudness::of(measured);
                (report.loudness, report.true_peak) = loudness::checks(target, &whole);
            }
        }
        Ok(Delivered {
            deliverables,
            ..Delivered::default()
        })
    }
}

impl FileReport {
    /// Adds the result of the file's sink.
    fn wrote(&mut self, written: &Written) {
        let report = &mut self.report;
        report.wrote(written);
        if self.content == "mix" {
            return;
        }
        let part = Subject::Output {
            content: self.content.clone(),
            name: self.of.clone().unwrap_or_default(),
        };
        for warning in report.warnings.iter_mut() {
            if matches!(warning.kind, WarningKind::ClippedOutput { .. }) {
                warning.subject = part.clone();
            }
        }
    }
}
