//! One render of a plan to any number of sinks: the mix, the mix at other levels, and buses.

use super::{
    pipeline::{Blocks, DEFAULT_BLOCK, OutputFades, Pipeline, RenderPlace, ScaledSignal, Signal},
    settings::{JobSettings, ProgressReporter},
};
use crate::{
    encode::Sink,
    engine::Renderer,
    error::Result,
    measure::{Measured, Meter},
    units::Frames,
};
use std::ops::Range;

/// Render that is ready to run.
pub(crate) struct RenderJob<'a> {
    renderer: &'a mut Renderer,
    range: Range<Frames>,
    block: usize,
    single_threaded: bool,
    /// Nodes whose outputs are [`Signal::Tap`].
    pub taps: &'a [usize],
    /// Signals at other levels, which are [`Signal::Level`].
    pub levels: Vec<ScaledSignal>,
    /// Fades of all signals, at both ends of `faded`.
    pub fades: OutputFades,
    /// Range that `fades` belong to: the one to render, or a longer one that contains it.
    pub faded: Range<Frames>,
    /// Number of times the range is rendered in a row; fades are those of all passes together.
    pub passes: u32,
    /// Signals whose loudness and true peak are measured.
    pub metered: Vec<Signal>,
    /// Sinks, each with the signal it receives.
    pub outputs: Vec<(Signal, &'a mut dyn Sink)>,
}

impl<'a> RenderJob<'a> {
    /// Prepares rendering a range. Past the end of the plan the output is silent.
    pub(crate) fn new(
        renderer: &'a mut Renderer,
        range: Range<Frames>,
        settings: &JobSettings<'_>,
    ) -> Self {
        Self {
            renderer,
            faded: range.clone(),
            passes: 1,
            range,
            block: settings.block.unwrap_or(DEFAULT_BLOCK),
            single_threaded: settings.options.threads == 1,
            taps: &[],
            levels: Vec::new(),
            fades: OutputFades::default(),
            metered: Vec::new(),
            outputs: Vec::new(),
        }
    }

    /// Renders, measures and writes. `observe` is called with every block. The sinks are not
    /// finished.
    ///
    /// # Errors
    /// Errors of the stems and of the sinks, and `Cancelled`.
    pub(crate) fn run(
        self,
        progress: &mut ProgressReporter<'_>,
        mut observe: impl FnMut(&Blocks),
    ) -> Result<Measurements> {
        let Self {
            renderer,
            range,
            block,
            single_threaded,
            taps,
            levels,
            fades,
            faded,
            passes,
            metered,
            mut outputs,
        } = self;
        let spec = renderer.plan().spec();
        let mut meters: Vec<(Signal, Meter)> = metered
            .into_iter()
            .map(|signal| (signal, Meter::new(spec)))
            .collect();
        let faded_frames = (faded.end - faded.start).0;
        for pass in 0..u64::from(passes) {
            renderer.seek_range(&range);
            if !taps.is_empty() {
                renderer.tap(taps);
            }
            let pipeline = Pipeline {
                renderer: &mut *renderer,
                block,
                taps: taps.len(),
                levels: levels.clone(),
                fades,
                place: RenderPlace {
                    offset: (range.start - faded.start).0 + pass * faded_frames,
                    whole: u64::from(passes) * faded_frames,
                },
                meters,
                single_threaded,
            };
            meters = pipeline.run(range.end - range.start, |blocks| {
                for (signal, sink) in &mut outputs {
                    sink.write(blocks.get(*signal))?;
                }
                observe(blocks);
                progress.advance(blocks.frames())
            })?;
        }
        Ok(Measurements(
            meters
                .into_iter()
                .map(|(signal, meter)| (signal, meter.finish()))
                .collect(),
        ))
    }
}

/// Measurements of the metered signals of a job.
pub(crate) struct Measurements(Vec<(Signal, Measured)>);

impl Measurements {
    /// Returns the measurement of a signal, if it was metered.
    pub(crate) fn get(&self, signal: Signal) -> Option<&Measured> {
        self.0
            .iter()
            .find(|(metered, _)| *metered == signal)
            .map(|(_, measured)| measured)
    }
}
