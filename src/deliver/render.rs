//! Renders a job to its files and reports on each of them.

use super::{
    jobs::{DeliverableGain, DeliveredFile, DeliveryJob},
    listing::AlbumListing,
    loudness::{self, DeliverableLoudness},
    metadata,
    null_test::{NullMeter, Reference},
    page,
    read_back::{self, FileToRead},
    report::{DeliverableReport, Delivered, FileReport, NullTest},
    splice::{self, DeliveredSink, Splice, SpliceInProgress, SplicePart},
    stems,
};
use crate::{
    bounce::{
        job::{Measurements, RenderJob},
        output_file::{OutputFile, rounds},
        pipeline::{Blocks, OutputFades, ScaledSignal, Signal},
        settings::{JobSettings, ProgressReporter},
    },
    diagnostics::{MasterStage, StemMismatch, Subject, Warning, WarningKind},
    dsp::peak::Peak,
    encode::{self, CompleteOutput, Container, Dither, FileSink, Shaping, Written},
    engine::{Renderer, waveform_builder::Grid},
    error::{Error, ErrorKind, Result},
    measure::Measured,
    plan::Plan,
    report::{MixReport, Report, gather, suspicious_audio},
    session::{Content, Deliverable, Session},
    units::{Decibels, Frames, SampleRate},
};
use std::path::Path;

/// Settings, deliverables and gains shared by all jobs of a delivery.
pub(super) struct DeliveryContext<'a> {
    pub settings: &'a JobSettings<'a>,
    pub chosen: &'a [&'a Deliverable],
    /// Deliverables that are fitted to a loudness.
    pub fitted: &'a [&'a Deliverable],
    /// Gain of each deliverable.
    pub gains: &'a [DeliverableGain],
    /// Gains of the fitted deliverables.
    pub fits: &'a [Decibels],
    /// Number of bins of the waveforms in a report; `None` without a report.
    pub bins: Option<usize>,
    /// Part of the files that is replaced; `None` for complete files.
    pub splice: Option<&'a Splice>,
}

impl DeliveryContext<'_> {
    fn deliverable(&self, file: &DeliveredFile) -> Option<&Deliverable> {
        self.chosen.get(file.deliverable).copied()
    }

    /// Returns the gain of a deliverable.
    fn gain_of(&self, deliverable: usize) -> Decibels {
        let gain = self.gains.get(deliverable);
        gain.map_or(Decibels::UNITY, |gain| gain.decibels(self.fits))
    }
}

/// File that is complete but not yet visible, with its report.
pub(super) struct CompleteFile {
    /// Index of its deliverable among the chosen ones.
    pub deliverable: usize,
    /// Number of the file within its deliverable, counted from 1.
    pub number: u32,
    pub report: FileReport,
    pub output: CompleteOutput,
    /// Number of the timeline of a file that contains the mix of it.
    pub mix_of: Option<usize>,
}

impl CompleteFile {
    /// Returns the name of the finished file.
    fn name(&self) -> String {
        let path = self.output.written().path.as_deref();
        let name = path.and_then(Path::file_name).unwrap_or_default();
        name.to_string_lossy().into_owned()
    }
}

/// Piece of an album whose audio is written, but not the loudness of the album.
struct PendingPiece {
    deliverable: usize,
    number: u32,
    report: FileReport,
    mix_of: Option<usize>,
    file: OutputFile<DeliveredSink>,
    measured: Measured,
}

/// Null test of a set of stems, as far as it goes during the render.
struct StemTest {
    /// Index of the deliverable among the chosen ones.
    deliverable: usize,
    /// Number of the timeline.
    timeline: usize,
    start: Frames,
    /// First frame that is rendered.
    rendered_start: Frames,
    rate: SampleRate,
    /// Stages of the master that change the mix.
    stages: Vec<MasterStage>,
    /// Test against the rendered signal, and the warning that states what the signal is; `None` for
    /// dithered stems.
    rendered: Option<NullMeter>,
    warnings: Vec<Warning>,
}

/// Results of the jobs so far: files that are complete but not yet visible, and their reports.
pub(super) struct Rendered<'a> {
    chosen: &'a [&'a Deliverable],
    deliverables: Vec<DeliverableReport>,
    /// Measurements of each deliverable, for its checks.
    measured: Vec<Vec<Measured>>,
    files: Vec<CompleteFile>,
    /// Pieces of albums that state the loudness of the album, which is known after the last one.
    pieces: Vec<PendingPiece>,
    stem_tests: Vec<StemTest>,
    /// Gain of each deliverable.
    gains: Vec<Decibels>,
}

/// Renders the passes of a job to measure its mix.
pub(super) fn measure(
    job: &DeliveryJob,
    plan: Plan,
    settings: &JobSettings<'_>,
    progress: &mut ProgressReporter<'_>,
) -> Result<Option<Measured>> {
    let range = job.range(&plan);
    let mut renderer = Renderer::new(plan, &settings.options)?;
    let mut render = RenderJob::new(&mut renderer, range, settings);
    render.fades = job.cut.fades;
    render.passes = job.cut.loops;
    render.metered = vec![Signal::Mix];
    Ok(render.run(progress, |_| {})?.get(Signal::Mix).cloned())
}

/// Renders a job to its files, without making them visible. `number` is the number of the render
/// within the delivery.
pub(super) fn render(
    job: &DeliveryJob,
    plan: Plan,
    number: usize,
    context: &DeliveryContext<'_>,
    progress: &mut ProgressReporter<'_>,
    all: &mut Rendered<'_>,
) -> Result<()> {
    let splice = context.splice.and_then(|splice| splice.part(job, &plan));
    let whole = job.range(&plan);
    let range = splice
        .as_ref()
        .map_or(whole.clone(), |part| part.rendered.clone());
    let signals = Signals::new(job, &plan, context);
    let mut stem_tests = stem_tests(job, &plan, context, &signals, all);
    let mut files = Vec::with_capacity(job.files.len());
    for (file, signals) in job.files.iter().zip(&signals.per_file) {
        files.push(create_file(
            job,
            file,
            signals,
            &plan,
            splice.as_ref(),
            context,
        )?);
    }

    for file in &mut files {
        file.file_mut().copy_start(progress)?;
    }
    let mut renderer = Renderer::new(plan, &context.settings.options)?;
    // A picture shows one pass of all frames.
    let has_picture = splice.is_none() && job.cut.loops == 1;
    let has_mix = signals
        .per_file
        .iter()
        .any(|signals| signals.node.is_none());
    if let Some(bins) = context.bins.filter(|_| has_mix && has_picture) {
        renderer.build_waveforms(Grid::over(&range, bins));
    }
    let mut render = RenderJob::new(&mut renderer, range.clone(), context.settings);
    render.taps = &signals.taps;
    render.levels.clone_from(&signals.levels);
    render.fades = job.cut.fades;
    render.faded = whole.clone();
    render.passes = job.cut.loops;
    if splice.is_none() {
        render.metered = signals.metered(job, context);
    }
    render.outputs = signals
        .per_file
        .iter()
        .zip(&mut files)
        .map(|(signals, file)| (signals.file, file.sink()))
        .collect();
    let mut stem_peaks = StemPeaks::new(&signals);
    let measurements = render.run(progress, |blocks| {
        for test in &mut stem_tests {
            if let Some(meter) = &mut test.rendered {
                meter.measure(blocks);
            }
        }
        stem_peaks.measure(blocks);
    })?;

    all.stem_tests.extend(stem_tests);
    all.keep_measurements(job, &signals, &measurements);
    let mut base = gather(&renderer, &job.session.title, &range);
    base.warnings.extend(suspicious_audio(&renderer, &range));
    if let Some(overview) = &mut base.overview {
        let total = range.end - range.start;
        overview.fade_mix(|at| job.cut.fades.gain(at, total.0));
    }
    if !has_picture {
        let rate = renderer.plan().spec().rate;
        let frames = job.cut.frames(&whole);
        (base.start_frame, base.frames) = (whole.start.0, frames.0);
        base.duration_s = frames.to_duration(rate).as_secs_f64();
        base.overview = None;
    }
    let finished = job.files.iter().zip(&signals.per_file).zip(files);
    for (number_of_file, ((file, signals), mut output)) in finished.enumerate() {
        let spliced = output.file_mut().copy_end(progress)?;
        let measured = match &spliced {
            Some(levels) => levels.measured.as_ref(),
            None => measurements.get(signals.file),
        };
        let peaks = match &spliced {
            Some(levels) => &levels.peaks,
            None => stem_peaks.of_file(number_of_file),
        };
        if let Some(measured) = measured {
            output.set_loudness(measured, None);
        }
        let mut report = match (signals.node, measured) {
            (Some(_), _) => stem_report(
                &base,
                file.of.as_deref().unwrap_or_default(),
                peaks,
                whole.start,
            ),
            (None, Some(measured)) => mix_report(&base, measured, &renderer, whole.start),
            (None, None) => base.clone(),
        };
        if let (Some(part), None, Some(measured)) = (&splice, signals.node, measured) {
            // The renderer knows the loudest track of the frames that it has rendered only.
            let peak = measured.true_peak.map(|peak| whole.start + peak.at);
            let rendered = peak.filter(|at| part.replaced.contains(at));
            let track = rendered.and_then(|at| renderer.loudest((at - part.rendered.start).0));
            report.mix.true_peak_track = track.map(str::to_owned);
            if let Some(all) = all.measured.get_mut(file.deliverable) {
                all.push(measured.clone());
            }
        }
        if context
            .deliverable(file)
            .is_some_and(|d| !d.mute.is_empty() || !d.solo.is_empty())
        {
            // Tracks that the deliverable leaves out are silent on purpose.
            report
                .warnings
                .retain(|w| !matches!(w.kind, WarningKind::UnheardTrack { .. }));
        }
        let is_piece = context
            .deliverable(file)
            .is_some_and(|d| d.album && d.format.container == Container::Flac);
        let mix_of = signals.node.is_none().then_some(job.timeline);
        let report = FileReport {
            content: super::content_name(file.content).to_owned(),
            of: file.of.clone(),
            render: number,
            replaced_s: splice
                .as_ref()
                .map(|part| part.replaced_s(renderer.plan().spec().rate)),
            report,
        };
        match measured.filter(|_| is_piece) {
            Some(measured) => all.pieces.push(PendingPiece {
                deliverable: file.deliverable,
                number: file.number,
                report,
                mix_of,
                file: output,
                measured: measured.clone(),
            }),
            None => all.complete(file.deliverable, file.number, report, mix_of, output)?,
        }
    }
    Ok(())
}

/// Signals of a render that the files of a job need.
struct Signals {
    /// Nodes of the tapped buses.
    taps: Vec<usize>,
    /// Signals at other levels.
    levels: Vec<ScaledSignal>,
    /// Signals of each file.
    per_file: Vec<FileSignals>,
}

/// Signals of a file.
struct FileSignals {
    /// Signal that the file contains.
    file: Signal,
    /// Signal whose loudness counts for the file. For a stem that is the mix at the same gain.
    loudness: Signal,
    /// Node of a stem.
    node: Option<usize>,
    /// Gain of the file.
    gain: Decibels,
}

impl Signals {
    fn new(job: &DeliveryJob, plan: &Plan, context: &DeliveryContext<'_>) -> Self {
        let mut signals = Self {
            taps: Vec::new(),
            levels: Vec::new(),
            per_file: Vec::with_capacity(job.files.len()),
        };
        for file in &job.files {
            let gain = file.gain.decibels(context.fits);
            let loudness = signals.scaled(Signal::Mix, gain);
            let (signal, node) = match file.content {
                Content::Stem(_) => {
                    let bus = file.of.as_deref();
                    let node = bus
                        .and_then(|bus| stems::bus_node(plan, bus))
                        .unwrap_or_default();
                    let tap = Signal::Tap(index_of(&mut signals.taps, node));
                    (signals.scaled(tap, gain), Some(node))
                }
                _ => (loudness, None),
            };
            signals.per_file.push(FileSignals {
                file: signal,
                loudness,
                node,
                gain,
            });
        }
        signals
    }

    /// Returns a signal at a gain, which is added to the levels unless it is 0 dB.
    fn scaled(&mut self, of: Signal, gain: Decibels) -> Signal {
        match gain.gain().0 {
            1.0 => of,
            gain => Signal::Level(index_of(&mut self.levels, ScaledSignal { of, gain })),
        }
    }

    /// Returns the signals to meter: those of mixes, and the mix itself for stems that are checked
    /// against a loudness.
    fn metered(&self, job: &DeliveryJob, context: &DeliveryContext<'_>) -> Vec<Signal> {
        let mut metered = Vec::new();
        for (file, signals) in job.files.iter().zip(&self.per_file) {
            let is_checked = context
                .deliverable(file)
                .is_some_and(|d| d.loudness.is_some());
            if signals.node.is_none() || is_checked {
                index_of(&mut metered, signals.loudness);
            }
        }
        metered
    }
}

/// Peaks of the files of stems, with their gains and fades.
struct StemPeaks {
    /// For each stem the index of its file, its signal and the peaks of its channels.
    stems: Vec<(usize, Signal, Vec<Peak>)>,
    position: u64,
}

impl StemPeaks {
    fn new(signals: &Signals) -> Self {
        let files = signals.per_file.iter().enumerate();
        let stems = files.filter(|(_, signals)| signals.node.is_some());
        Self {
            stems: stems
                .map(|(index, signals)| (index, signals.file, Vec::new()))
                .collect(),
            position: 0,
        }
    }

    fn measure(&mut self, blocks: &Blocks) {
        for (_, signal, peaks) in &mut self.stems {
            let block = blocks.get(*signal);
            peaks.resize(block.layout().channels(), Peak::default());
            for (peak, channel) in peaks.iter_mut().zip(block.channels()) {
                peak.take(channel, self.position);
            }
        }
        self.position += blocks.frames() as u64;
    }

    fn of_file(&self, index: usize) -> &[Peak] {
        let stem = self.stems.iter().find(|(file, ..)| *file == index);
        stem.map_or(&[], |(_, _, peaks)| peaks)
    }
}

/// Returns the index of a value in a list, appending the value if it is new.
fn index_of<T: PartialEq>(list: &mut Vec<T>, value: T) -> usize {
    list.iter().position(|v| *v == value).unwrap_or_else(|| {
        list.push(value);
        list.len() - 1
    })
}

/// Creates a file of a job.
fn create_file(
    job: &DeliveryJob,
    file: &DeliveredFile,
    signals: &FileSignals,
    plan: &Plan,
    splice: Option<&SplicePart>,
    context: &DeliveryContext<'_>,
) -> Result<OutputFile<DeliveredSink>> {
    let deliverable = context.deliverable(file);
    let format = deliverable.map(|d| d.format).unwrap_or_default();
    let range = job.range(plan);
    let options = encode::Options {
        overwrite: context.settings.overwrite,
        metadata: metadata::of_file(job, file, plan, deliverable, signals.node)?
            .of_range(&range)
            .repeated(range.end - range.start, job.cut.loops),
        states_loudness: !matches!(file.content, Content::Stem(_)),
        ..encode::Options::default()
    };
    // Scaling and fading give the mix more significant bits than its stems have.
    let is_scaled =
        matches!(signals.file, Signal::Level(_)) || job.cut.fades != OutputFades::default();
    let rounded = rounds(plan, format) || (is_scaled && !format.is_float());
    let dither = dither(deliverable, plan).filter(|_| rounded);
    let spec = plan.spec();
    let (rendered, spliced) = match splice {
        None => (&range, None),
        Some(part) => {
            if dither.is_some_and(|d| d.shaping == Shaping::Weighted) && !part.is_whole() {
                return Err(weighted(deliverable, file));
            }
            let is_mix = signals.node.is_none();
            let old = SpliceInProgress::open(&file.path, format, spec, part, is_mix)?;
            (&part.rendered, Some(old))
        }
    };
    let length = job.cut.frames(&range);
    let sink = FileSink::create_with(&file.path, format, spec, length, &options)?;
    let sink = DeliveredSink::new(sink, spliced);
    OutputFile::of(sink, format, plan, rendered, dither)
}

/// Returns the error for a part of a file with weighted dither.
fn weighted(deliverable: Option<&Deliverable>, file: &DeliveredFile) -> Error {
    let name = deliverable.map_or("", |d| d.name.as_str());
    let what = format!(
        "deliverable {name:?}: {}: its weighted dither depends on where a render starts, so no part of it can be \
         replaced: deliver the whole without a range, or take high-pass or white dither",
        file.path.display()
    );
    Error::new(ErrorKind::Session, what)
}

/// Checks that the files of which a part is replaced have the format and the length of their
/// deliverables, and that the loudness of every deliverable can be measured.
///
/// # Errors
/// See [`splice::check_file`]; `Session` for stems with a loudness.
pub(super) fn check_old_files(
    jobs: &[DeliveryJob],
    plans: &[Plan],
    context: &DeliveryContext<'_>,
) -> Result<()> {
    let Some(splice) = context.splice else {
        return Ok(());
    };
    for (job, plan) in jobs.iter().zip(plans) {
        let Some(part) = splice.part(job, plan) else {
            continue;
        };
        for file in &job.files {
            let deliverable = context.deliverable(file);
            if let Some(stems) = deliverable.filter(|d| !d.stems.is_empty() && d.loudness.is_some())
            {
                let what = format!(
                    "deliverable {:?}: stems are checked against the loudness of their mix, which is not measured when a \
                     part is replaced: move its loudness to a deliverable of the mix, or deliver the whole without a range",
                    stems.name
                );
                return Err(Error::new(ErrorKind::Session, what));
            }
            let format = deliverable.map(|d| d.format).unwrap_or_default();
            splice::check_file(&file.path, format, plan.spec(), &part)?;
        }
    }
    Ok(())
}

/// Returns the dither of a deliverable: its own, or that of the master unless it is a deliverable
/// of stems.
fn dither(deliverable: Option<&Deliverable>, plan: &Plan) -> Option<Dither> {
    let own_dither = deliverable.and_then(|d| d.dither);
    own_dither.or(plan
        .dither
        .filter(|_| deliverable.is_some_and(|d| d.stems.is_empty())))
}

/// Creates the null tests of a job's stems. Adds warnings to deliverables whose stems cannot add up
/// to the mix.
fn stem_tests(
    job: &DeliveryJob,
    plan: &Plan,
    context: &DeliveryContext<'_>,
    signals: &Signals,
    all: &mut Rendered<'_>,
) -> Vec<StemTest> {
    let mut tests = Vec::new();
    let stages = stems::master_stages(&job.session.master);
    for (index, (deliverable, report)) in
        context.chosen.iter().zip(&mut all.deliverables).enumerate()
    {
        let own_stems: Vec<&FileSignals> = job
            .files
            .iter()
            .zip(&signals.per_file)
            .filter(|(file, signals)| file.deliverable == index && signals.node.is_some())
            .map(|(_, signals)| signals)
            .collect();
        let Some(gain) = own_stems.first().map(|stem| stem.gain) else {
            continue;
        };
        let nodes: Vec<usize> = own_stems.iter().filter_map(|stem| stem.node).collect();
        let coverage = stems::coverage(plan, &nodes);
        let mut warnings = Vec::new();
        if !stages.is_empty() {
            let reason = StemMismatch::Master(stages.clone());
            warnings.push(stems_warning(deliverable, reason));
        }
        let (reference, scaled) = reference(job, context, signals, gain, stages.is_empty());
        if let Some((mix, gain)) = scaled {
            let reason = StemMismatch::Turned { mix, gain };
            warnings.push(stems_warning(deliverable, reason));
        }
        if !coverage.is_complete() {
            let reason = StemMismatch::Coverage {
                missing: coverage.missing,
                nested: coverage.nested,
            };
            report.warnings.extend(warnings);
            report.warnings.push(stems_warning(deliverable, reason));
            continue;
        }
        let order = coverage
            .order
            .iter()
            .filter_map(|i| own_stems.get(*i).map(|stem| stem.file))
            .collect();
        // Dither is a difference that rounding does not explain.
        let rendered = deliverable
            .dither
            .is_none()
            .then(|| NullMeter::new(order, deliverable.format, reference));
        tests.push(StemTest {
            deliverable: index,
            timeline: job.timeline,
            start: job.range(plan).start,
            rendered_start: context
                .splice
                .and_then(|splice| splice.part(job, plan))
                .map_or(job.range(plan).start, |part| part.rendered.start),
            rate: plan.spec().rate,
            stages: stages.clone(),
            rendered,
            warnings,
        });
    }
    tests
}

/// Returns the signal that stems of a gain should add up to: the mix as delivered from the same
/// timeline. If every such mix has another gain, also returns the name of the first one and its gain
/// above that of the stems.
fn reference(
    job: &DeliveryJob,
    context: &DeliveryContext<'_>,
    signals: &Signals,
    gain: Decibels,
    plain: bool,
) -> (Reference, Option<(String, Decibels)>) {
    let mixes = || {
        let files = job.files.iter().zip(&signals.per_file);
        files.filter(|(file, _)| {
            file.content == Content::Mix || matches!(file.content, Content::Cue(_))
        })
    };
    let as_it_is = mixes().find(|(_, signals)| signals.gain == gain);
    match as_it_is.or_else(|| mixes().next()) {
        Some((file, signals)) if signals.gain != gain => {
            let deliverable = context.deliverable(file);
            let above = Decibels(signals.gain.0 - gain.0);
            let name = deliverable.map(|d| d.name.clone()).unwrap_or_default();
            (
                Reference::Mix(signals.file, deliverable.map(|d| d.format)),
                Some((name, above)),
            )
        }
        _ if !plain => (Reference::BeforeMaster, None),
        Some((file, signals)) => {
            let format = context.deliverable(file).map(|d| d.format);
            (Reference::Mix(signals.file, format), None)
        }
        None => {
            let own = signals.per_file.iter().find(|stem| stem.gain == gain);
            let mix = own.map_or(Signal::Mix, |stem| stem.loudness);
            (Reference::Mix(mix, None), None)
        }
    }
}

/// Returns true if the files are of the timeline of the session, not of one cue.
fn is_of_timeline(deliverable: &Deliverable) -> bool {
    deliverable.document().is_none() && !deliverable.album && deliverable.cue.is_none()
}

fn stems_warning(deliverable: &Deliverable, reason: StemMismatch) -> Warning {
    let subject = Subject::Deliverable {
        name: deliverable.name.clone(),
    };
    Warning::new(WarningKind::StemsDoNotAddUp { reason }, subject)
}

/// Returns the report of a file that contains the mix from a frame of the timeline on, with the levels
/// that were measured.
fn mix_report(base: &Report, measured: &Measured, renderer: &Renderer, start: Frames) -> Report {
    let mut report = base.clone();
    let peak = measured.sample_peak;
    let rate = measured.spec.rate;
    report.mix.peak_dbfs = peak.map(|p| p.level.0);
    report.mix.peak_at_s = peak.map(|p| (start + p.at).to_duration(rate).as_secs_f64());
    report.mix.peak_at_frame = peak.map(|p| (start + p.at).0);
    report.mix.peak_channel = peak.map(|p| p.channel);
    report.add_measurement(measured, renderer, start);
    if let Some(overview) = &mut report.overview {
        overview.set_loudness(measured);
    }
    report
}

/// Returns the report of a file that contains one bus from a frame of the timeline on.
fn stem_report(base: &Report, bus: &str, peaks: &[Peak], start: Frames) -> Report {
    let bus_report = base.buses.iter().find(|b| b.name == bus).cloned();
    let (channel, peak) = Peak::loudest(peaks);
    let level = peak.level();
    let at = start + Frames(peak.at);
    let rate = SampleRate::new(base.rate_hz).unwrap_or(SampleRate::HZ_48000);
    let mix = MixReport {
        peak_dbfs: level.map(|l| l.0),
        peak_at_s: level.map(|_| at.to_duration(rate).as_secs_f64()),
        peak_at_frame: level.map(|_| at.0),
        peak_channel: level.map(|_| channel),
        ..MixReport::default()
    };
    Report {
        tracks: Vec::new(),
        buses: bus_report.into_iter().collect(),
        mix,
        warnings: Vec::new(),
        overview: None,
        ..base.clone()
    }
}

impl<'a> Rendered<'a> {
    pub(super) fn new(context: &DeliveryContext<'a>) -> Self {
        let chosen = context.chosen;
        let report = |(index, deliverable): (usize, &&Deliverable)| DeliverableReport {
            name: deliverable.name.clone(),
            gain_db: context.gain_of(index).0,
            gain_of: match context.gains.get(index) {
                Some(DeliverableGain::Fitted(source)) => {
                    context.fitted.get(*source).map(|d| d.name.clone())
                }
                _ => deliverable.gain_of.clone(),
            },
            warnings: match context.splice {
                Some(splice) if is_of_timeline(deliverable) => splice.kept_placements(),
                _ => Vec::new(),
            },
            ..DeliverableReport::default()
        };
        let deliverables = chosen.iter().enumerate().map(report).collect();
        let measured = vec![Vec::new(); chosen.len()];
        Self {
            chosen,
            deliverables,
            measured,
            files: Vec::new(),
            pieces: Vec::new(),
            stem_tests: Vec::new(),
            gains: (0..chosen.len()).map(|i| context.gain_of(i)).collect(),
        }
    }

    /// Adds a complete file.
    pub(super) fn add(&mut self, file: CompleteFile) {
        self.files.push(file);
    }

    /// Completes a file whose audio is written, without making it visible.
    fn complete(
        &mut self,
        deliverable: usize,
        number: u32,
        mut report: FileReport,
        mix_of: Option<usize>,
        file: OutputFile<DeliveredSink>,
    ) -> Result<()> {
        let output = file.into_file(&mut report.report).complete()?;
        self.add(CompleteFile {
            deliverable,
            number,
            report,
            output,
            mix_of,
        });
        Ok(())
    }

    /// Completes the pieces of albums with the loudness of their album, after the last render.
    pub(super) fn complete_pieces(&mut self) -> Result<()> {
        for mut piece in std::mem::take(&mut self.pieces) {
            let parts = self.measured.get(piece.deliverable);
            let album = DeliverableLoudness::new(parts.map_or(&[], Vec::as_slice)).of_album();
            piece.file.set_loudness(&piece.measured, album);
            self.complete(
                piece.deliverable,
                piece.number,
                piece.report,
                piece.mix_of,
                piece.file,
            )?;
        }
        Ok(())
    }

    /// Stores the measurements of a job for the checks of its deliverables, each signal once per
    /// deliverable.
    fn keep_measurements(
        &mut self,
        job: &DeliveryJob,
        signals: &Signals,
        measurements: &Measurements,
    ) {
        let mut kept: Vec<(usize, Signal)> = Vec::new();
        for (file, signals) in job.files.iter().zip(&signals.per_file) {
            let measured_signal = signals.loudness;
            if kept.contains(&(file.deliverable, measured_signal)) {
                continue;
            }
            kept.push((file.deliverable, measured_signal));
            if let Some(all) = self.measured.get_mut(file.deliverable) {
                all.extend(measurements.get(measured_signal).cloned());
            }
        }
    }

    /// Writes a listing of an album whose pieces are complete, without making it visible.
    pub(super) fn write_listing(
        &mut self,
        session: &Session,
        file: &DeliveredFile,
        context: &DeliveryContext<'_>,
    ) -> Result<()> {
        let Some(deliverable) = context.deliverable(file) else {
            return Ok(());
        };
        let own = self
            .files
            .iter()
            .filter(|f| f.deliverable == file.deliverable);
        let mut pieces: Vec<&CompleteFile> = own.filter(|f| f.report.is_audio()).collect();
        pieces.sort_by_key(|piece| piece.number);
        let reports: Vec<&FileReport> = pieces.iter().map(|piece| &piece.report).collect();
        let measured = self.measured.get(file.deliverable);
        let loudness = DeliverableLoudness::new(measured.map_or(&[], Vec::as_slice));
        let listing = AlbumListing::new(session, deliverable, &reports, &loudness);
        let (text, format) = match file.content {
            Content::AlbumJson => (listing.to_json(), "json"),
            _ => (listing.to_cue(), "cue"),
        };
        let output = CompleteOutput::of_text(&file.path, &text, context.settings.overwrite)?;
        self.add(CompleteFile {
            deliverable: file.deliverable,
            number: file.number,
            report: FileReport::of_document(file.content, format, session),
            output,
            mix_of: None,
        });
        Ok(())
    }

    /// Tests whether the files of stems add up to the mix. They are read back if a mix of the same
    /// timeline and gain is among the files.
    pub(super) fn test_stems(&mut self) -> Result<()> {
        for test in std::mem::take(&mut self.stem_tests) {
            let gain = self.gains.get(test.deliverable);
            let own = |file: &&CompleteFile| file.deliverable == test.deliverable;
            let stems: Vec<&CompleteFile> = self.files.iter().filter(own).collect();
            let mix = self.files.iter().find(|file| {
                file.mix_of == Some(test.timeline) && self.gains.get(file.deliverable) == gain
            });
            let mut null_test = match mix {
                Some(mix) => self.read_back(&test, &stems, mix)?,
                None => None,
            };
            // The limiter of a master may have nothing to do. Where it has, the stems add up to the
            // mix before it.
            let is_final = null_test
                .as_ref()
                .is_some_and(|null| null.passed || test.stages.is_empty());
            let mut warnings = Vec::new();
            if !is_final {
                let rendered = test.rendered.as_ref();
                null_test =
                    rendered.map(|m| NullTest::of_render(m, test.rendered_start, test.rate));
                warnings = test.warnings;
            }
            if let Some(null) = &mut null_test {
                let compared = mix.filter(|_| null.read_back);
                let is_clipped = |file: &&CompleteFile| file.output.written().clipped > 0;
                let clipped = stems.iter().copied().chain(compared).filter(is_clipped);
                null.clipped = clipped.map(CompleteFile::name).collect();
            }
            if let Some(report) = self.deliverables.get_mut(test.deliverable) {
                report.null_test = null_test;
                report.warnings.extend(warnings);
            }
        }
        Ok(())
    }

    /// Reads stems and mix back; `None` for files in a store.
    fn read_back(
        &self,
        test: &StemTest,
        stems: &[&CompleteFile],
        mix: &CompleteFile,
    ) -> Result<Option<NullTest>> {
        let names: Vec<String> = stems.iter().map(|file| file.name()).collect();
        let mix_name = mix.name();
        let to_read = |(file, name)| self.to_read(file, name);
        let stems: Option<Vec<FileToRead<'_>>> = stems
            .iter()
            .copied()
            .zip(names.iter().map(String::as_str))
            .map(to_read)
            .collect();
        let (Some(stems), Some(to_read)) = (stems, self.to_read(mix, &mix_name)) else {
            return Ok(None);
        };
        let residue = read_back::residue(&stems, &to_read, test.rate)?;
        let deliverable = self.chosen.get(mix.deliverable);
        let name = deliverable.map(|d| d.name.clone()).unwrap_or_default();
        Ok(Some(NullTest::of_files(
            residue, name, test.start, test.rate,
        )))
    }

    fn to_read<'f>(&self, file: &'f CompleteFile, name: &'f str) -> Option<FileToRead<'f>> {
        let shaping = file.report.report.dither.as_deref();
        Some(FileToRead {
            path: file.output.temporary()?,
            name,
            format: self.chosen.get(file.deliverable)?.format,
            shaping: shaping.and_then(|shaping| shaping.parse().ok()),
        })
    }

    /// Checks the deliverables and completes the reports, without making the files visible.
    pub(super) fn judge(self) -> CompleteDelivery {
        let Self {
            chosen,
            mut deliverables,
            measured,
            files,
            ..
        } = self;
        let (mut outputs, mut places) = (Vec::new(), Vec::new());
        for file in files {
            let mut report = file.report;
            report.add_sink_result(file.output.written());
            if let Some(deliverable) = deliverables.get_mut(file.deliverable) {
                places.push((file.deliverable, deliverable.files.len()));
                deliverable.files.push(report);
                outputs.push(file.output);
            }
        }
        for ((deliverable, report), measured) in chosen.iter().zip(&mut deliverables).zip(&measured)
        {
            if let Some(target) = &deliverable.loudness {
                let loudness = DeliverableLoudness::new(measured);
                (report.loudness, report.true_peak) = loudness::checks(target, &loudness);
            }
        }
        CompleteDelivery {
            delivered: Delivered {
                deliverables,
                ..Delivered::default()
            },
            outputs,
            places,
        }
    }
}

/// Delivery whose files are complete but not yet visible.
pub(super) struct CompleteDelivery {
    pub delivered: Delivered,
    outputs: Vec<CompleteOutput>,
    /// Deliverable and file of each output.
    places: Vec<(usize, usize)>,
}

impl CompleteDelivery {
    /// Writes the report of the delivery, which covers the files so far, without making it visible.
    pub(super) fn write_report(
        &mut self,
        session: &Session,
        file: &DeliveredFile,
        overwrite: bool,
    ) -> Result<()> {
        let is_json = file
            .path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        let (text, format) = if is_json {
            (page::json(&self.delivered), "json")
        } else {
            (page::html(&self.delivered, &file.path), "html")
        };
        let output = CompleteOutput::of_text(&file.path, &text, overwrite)?;
        let mut report = FileReport::of_document(file.content, format, session);
        report.add_sink_result(output.written());
        if let Some(deliverable) = self.delivered.deliverables.get_mut(file.deliverable) {
            self.places
                .push((file.deliverable, deliverable.files.len()));
            deliverable.files.push(report);
            self.outputs.push(output);
        }
        Ok(())
    }

    /// Makes all files visible.
    pub(super) fn publish(self) -> Result<Delivered> {
        let Self {
            mut delivered,
            outputs,
            places,
        } = self;
        let written = encode::publish(outputs)?;
        for ((deliverable, file), written) in places.into_iter().zip(written) {
            let deliverable = delivered.deliverables.get_mut(deliverable);
            if let Some(file) = deliverable.and_then(|d| d.files.get_mut(file)) {
                file.report.bytes = written.bytes;
            }
        }
        Ok(delivered)
    }
}

impl FileReport {
    /// Adds the result of the file's sink.
    fn add_sink_result(&mut self, written: &Written) {
        let report = &mut self.report;
        report.add_sink_result(written);
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
