//! One render into all the files that are taken from it, and the reports of them.

use super::{
    Told,
    level::{self, Heard},
    null::Null,
    report::{DeliverableReport, Delivered, FileReport, NullTest},
    stems,
    work::{Job, Outlet},
};
use crate::{
    bounce::{
        depth,
        pipeline::{BLOCK, Pump, Signal},
    },
    diagnostics::{StemMismatch, Subject, Warning, WarningKind},
    dsp::peak::Peak,
    encode::{self, Closed, Dither, Dithered, Sink, Wav, Written},
    engine::{Options, Renderer},
    error::Result,
    measure::{Measured, Meter},
    plan::Plan,
    report::{MixReport, Report, gather, suspects},
    session::{Content, Deliverable},
    units::{Decibels, Frames},
};

/// How the files are written.
pub(super) struct How<'a> {
    pub overwrite: bool,
    pub options: &'a Options,
    pub chosen: &'a [&'a Deliverable],
    pub gains: &'a [Decibels],
}

/// What is rendered so far: files that are complete but not yet visible, and their reports.
pub(super) struct Rendered<'a> {
    chosen: &'a [&'a Deliverable],
    deliverables: Vec<DeliverableReport>,
    /// What was heard of each deliverable, for its checks.
    heard: Vec<Vec<Measured>>,
    files: Vec<(usize, FileReport)>,
    closed: Vec<Closed>,
}

/// Renders a plan to hear what its mix is like.
pub(super) fn measure(plan: Plan, options: &Options, told: &mut Told<'_>) -> Result<Measured> {
    let (spec, length) = (plan.spec(), plan.length());
    let mut renderer = Renderer::new(plan, options)?;
    let meters = vec![(Signal::Mix, Meter::new(spec))];
    let pump =
        Pump { renderer: &mut renderer, size: BLOCK, taps: 0, gains: Vec::new(), meters, alone: options.threads == 1 };
    let mut heard = pump.run(length, |blocks| told.more(blocks.frames()))?;
    let meter = heard.pop().map_or_else(|| Meter::new(spec), |(_, meter)| meter);
    Ok(meter.finish())
}

/// Renders a job into its files, which are completed but not yet visible.
pub(super) fn job(
    job: &Job,
    plan: Plan,
    number: usize,
    how: &How<'_>,
    told: &mut Told<'_>,
    all: &mut Rendered<'_>,
) -> Result<()> {
    let (spec, length) = (plan.spec(), plan.length());
    let mut taps: Vec<usize> = Vec::new();
    let mut gains: Vec<f64> = Vec::new();
    let mut place = |outlet: &Outlet| match outlet.content {
        Content::Stem(_) => {
            let lane = outlet.of.as_deref().and_then(|bus| stems::lane(&plan, bus)).unwrap_or_default();
            Signal::Tap(position(&mut taps, lane))
        }
        Content::Mix | Content::Cue(_) => match how.gains.get(outlet.deliverable).map_or(1.0, |g| g.gain().0) {
            1.0 => Signal::Mix,
            gain => Signal::Level(position(&mut gains, gain)),
        },
    };
    let signals: Vec<Signal> = job.outlets.iter().map(&mut place).collect();
    let checked = |d: &Deliverable| d.loudness.is_some();
    // The mix is measured for its own files, and where stems must have its loudness.
    let mut measured: Vec<Signal> = Vec::new();
    for (outlet, signal) in job.outlets.iter().zip(&signals) {
        let signal = match signal {
            Signal::Tap(_) if how.chosen.get(outlet.deliverable).is_some_and(|d| checked(d)) => Signal::Mix,
            Signal::Tap(_) => continue,
            other => *other,
        };
        if !measured.contains(&signal) {
            measured.push(signal);
        }
    }
    let mut nulls = nulls(job, &plan, how, &signals, &taps, all);

    let mut files = Vec::with_capacity(job.outlets.len());
    for (outlet, signal) in job.outlets.iter().zip(&signals) {
        files.push(File::create(outlet, *signal, &plan, how)?);
    }
    let mut renderer = Renderer::new(plan, how.options)?;
    renderer.tap(&taps);
    let meters = measured.iter().map(|signal| (*signal, Meter::new(spec))).collect();
    let pump =
        Pump { renderer: &mut renderer, size: BLOCK, taps: taps.len(), gains, meters, alone: how.options.threads == 1 };
    let meters = pump.run(length, |blocks| {
        for (file, signal) in files.iter_mut().zip(&signals) {
            file.sink().write(blocks.of(*signal))?;
        }
        nulls.iter_mut().for_each(|(_, null)| null.take(blocks));
        told.more(blocks.frames())
    })?;
    let heard: Vec<(Signal, Measured)> = meters.into_iter().map(|(s, m)| (s, m.finish())).collect();
    let whole = Frames::ZERO..length;
    let mut base = gather(&renderer, &job.session.title, &whole);
    base.warnings.extend(suspects(&renderer, &whole));
    for (deliverable, null) in nulls {
        let test = NullTest::of(null.residue(), spec.rate);
        all.deliverables.iter_mut().skip(deliverable).take(1).for_each(|d| d.null_test = Some(test));
    }
    let mut counted: Vec<(usize, Signal)> = Vec::new();
    for ((outlet, signal), file) in job.outlets.iter().zip(&signals).zip(files) {
        let own = heard.iter().find(|(s, _)| s == signal).map(|(_, m)| m);
        let report = match (signal, own) {
            (Signal::Tap(tap), _) => {
                let lane = taps.get(*tap).copied().unwrap_or_default();
                of_stem(&base, outlet.of.as_deref().unwrap_or_default(), renderer.peaks(lane))
            }
            (_, Some(own)) => of_mix(&base, own, &renderer),
            (_, None) => base.clone(),
        };
        let whole = if matches!(signal, Signal::Tap(_)) { Signal::Mix } else { *signal };
        if !counted.contains(&(outlet.deliverable, whole)) {
            counted.push((outlet.deliverable, whole));
            let whole = heard.iter().find(|(s, _)| *s == whole).map(|(_, m)| m.clone());
            all.heard.iter_mut().skip(outlet.deliverable).take(1).for_each(|h| h.extend(whole.clone()));
        }
        let format = how.chosen.get(outlet.deliverable).map(|d| d.format.to_string());
        let content = super::kind(outlet.content).to_owned();
        let mut report = Report { format, ..report };
        if how.chosen.get(outlet.deliverable).is_some_and(|d| !d.mute.is_empty()) {
            // Not to be heard is what was asked for.
            report.warnings.retain(|w| !matches!(w.kind, WarningKind::UnheardTrack { .. }));
        }
        let (wav, dither, warning) = file.ended();
        report.rounded(dither, warning);
        all.files.push((outlet.deliverable, FileReport { content, of: outlet.of.clone(), render: number, report }));
        all.closed.push(wav.closed()?);
    }
    Ok(())
}

/// A file that is being written, with dither before it or without.
enum File {
    Plain(Wav, Option<Warning>),
    Dithered(Dithered<Wav>, Dither),
}

impl File {
    fn create(outlet: &Outlet, signal: Signal, plan: &Plan, how: &How<'_>) -> Result<Self> {
        let promise = how.chosen.get(outlet.deliverable);
        let format = promise.map(|d| d.format).unwrap_or_default();
        let options = encode::Options { overwrite: how.overwrite, ..encode::Options::default() };
        let wav = Wav::create_with(&outlet.path, format, plan.spec(), plan.length(), &options)?;
        // The mix has no more digits than its stems only where nothing is done to it afterwards.
        let rounds = depth::reduced(plan, format) || (matches!(signal, Signal::Level(_)) && !format.is_float());
        match dither(promise.copied(), plan).filter(|_| rounds) {
            Some(dither) => Ok(Self::Dithered(depth::dithered(wav, dither, format, plan, Frames::ZERO)?, dither)),
            None => Ok(Self::Plain(wav, depth::warning(plan, format))),
        }
    }

    fn sink(&mut self) -> &mut dyn Sink {
        match self {
            Self::Plain(wav, _) => wav,
            Self::Dithered(dithered, _) => dithered,
        }
    }

    /// The file, and what was done where it rounds.
    fn ended(self) -> (Wav, Option<Dither>, Option<Warning>) {
        match self {
            Self::Plain(wav, warning) => (wav, None, warning),
            Self::Dithered(dithered, dither) => (dithered.into_inner(), Some(dither), None),
        }
    }
}

/// The dither of a deliverable where it rounds: its own, or but for stems that of the master.
fn dither(promise: Option<&Deliverable>, plan: &Plan) -> Option<Dither> {
    let own = promise.and_then(|d| d.dither);
    own.or(plan.dither.filter(|_| promise.is_some_and(|d| d.stems.is_empty())))
}

/// The null tests of the stems of a job; says of each deliverable of stems what keeps it from adding up.
fn nulls(
    job: &Job,
    plan: &Plan,
    how: &How<'_>,
    signals: &[Signal],
    taps: &[usize],
    all: &mut Rendered<'_>,
) -> Vec<(usize, Null)> {
    let mut nulls = Vec::new();
    let shaping = stems::shaping(&job.session.master);
    for (index, (deliverable, report)) in how.chosen.iter().zip(&mut all.deliverables).enumerate() {
        let own = job.outlets.iter().zip(signals).filter(|(o, _)| o.deliverable == index);
        let stems: Vec<Signal> = own.map(|(_, s)| *s).filter(|s| matches!(s, Signal::Tap(_))).collect();
        if stems.is_empty() {
            continue;
        }
        let lane = |signal: &Signal| match signal {
            Signal::Tap(tap) => taps.get(*tap).copied().unwrap_or_default(),
            _ => usize::MAX,
        };
        let coverage = stems::coverage(plan, &stems.iter().map(lane).collect::<Vec<_>>());
        let mut warn = |reason: StemMismatch| {
            let subject = Subject::Deliverable { name: deliverable.name.clone() };
            report.warnings.push(Warning::new(WarningKind::StemsDoNotAddUp { reason }, subject));
        };
        if !shaping.is_empty() {
            warn(StemMismatch::Master(shaping.clone()));
        }
        if !coverage.is_whole() {
            warn(StemMismatch::Coverage { missing: coverage.missing, nested: coverage.nested });
            continue;
        }
        if deliverable.dither.is_some() {
            // Noise was asked for: there is no rounding alone to hold them against.
            continue;
        }
        let order = coverage.order.iter().filter_map(|i| stems.get(*i).copied()).collect();
        nulls.push((index, Null::new(order, deliverable.format, shaping.is_empty())));
    }
    nulls
}

/// Where a value is in a list, added where it is not.
fn position<T: PartialEq>(list: &mut Vec<T>, value: T) -> usize {
    list.iter().position(|v| *v == value).unwrap_or_else(|| {
        list.push(value);
        list.len() - 1
    })
}

/// The report of a file that holds the mix, at the level it was measured at.
fn of_mix(base: &Report, heard: &Measured, renderer: &Renderer) -> Report {
    let mut report = base.clone();
    let peak = heard.sample_peak;
    let rate = heard.spec.rate;
    report.mix.peak_dbfs = peak.map(|p| p.level.0);
    report.mix.peak_at_s = peak.map(|p| p.at.to_duration(rate).as_secs_f64());
    report.mix.peak_at_frame = peak.map(|p| p.at.0);
    report.mix.peak_channel = peak.map(|p| p.channel);
    report.mix.true_peak_track = heard.true_peak.and_then(|p| renderer.loudest(p.at.0)).map(str::to_owned);
    report.mix.heard(heard.clone(), Frames::ZERO);
    report
}

/// The report of a file that holds one bus.
fn of_stem(base: &Report, bus: &str, peaks: &[Peak]) -> Report {
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
    Report { tracks: Vec::new(), buses: own.into_iter().collect(), mix, warnings: Vec::new(), ..base.clone() }
}

impl<'a> Rendered<'a> {
    pub(super) fn new(chosen: &'a [&'a Deliverable], gains: &[Decibels]) -> Self {
        let report = |(deliverable, gain): (&&Deliverable, &Decibels)| DeliverableReport {
            name: deliverable.name.clone(),
            gain_db: gain.0,
            ..DeliverableReport::default()
        };
        let deliverables = chosen.iter().zip(gains).map(report).collect();
        Self { chosen, deliverables, heard: vec![Vec::new(); chosen.len()], files: Vec::new(), closed: Vec::new() }
    }

    /// Makes all files visible, checks the deliverables, and ends the reports.
    pub(super) fn published(self) -> Result<Delivered> {
        let Self { chosen, mut deliverables, heard, files, closed } = self;
        let written = encode::publish(closed)?;
        for ((index, mut file), written) in files.into_iter().zip(&written) {
            file.wrote(written);
            deliverables.iter_mut().skip(index).take(1).for_each(|d| d.files.push(file.clone()));
        }
        for ((promise, report), heard) in chosen.iter().zip(&mut deliverables).zip(&heard) {
            let Some(target) = promise.loudness else { continue };
            (report.loudness, report.true_peak) = level::checks(&target, &Heard::of(heard));
        }
        Ok(Delivered { deliverables, ..Delivered::default() })
    }
}

impl FileReport {
    /// Adds what the file tells.
    fn wrote(&mut self, written: &Written) {
        let report = &mut self.report;
        report.wrote(written);
        report.overflowed();
        if self.content == "mix" {
            return;
        }
        let part = Subject::Output { content: self.content.clone(), name: self.of.clone().unwrap_or_default() };
        for warning in report.warnings.iter_mut() {
            if matches!(warning.kind, WarningKind::ClippedOutput { .. }) {
                warning.subject = part.clone();
            }
        }
    }
}
