//! Finds the gains of the deliverables that are fitted to a loudness target.

use super::{
    jobs::{DeliveryJob, Selection},
    loudness::DeliverableLoudness,
    render,
};
use crate::{
    bounce::{
        fit::find_gain,
        settings::{JobSettings, ProgressReporter},
    },
    error::Result,
    measure::{LoudnessTarget, Measured},
    plan::Plan,
    session::Deliverable,
    units::Decibels,
};

/// Gains of the fitted deliverables, in the order of [`Selection::fitted`].
#[derive(Debug, Default)]
pub(super) struct Fits {
    pub gains: Vec<Decibels>,
    /// Number of renders that measured them.
    pub renders: usize,
}

/// Measurement of the timelines of fitted deliverables.
pub(super) struct Fitting<'a> {
    fitted: &'a [&'a Deliverable],
    jobs: &'a [DeliveryJob],
    plans: &'a [Plan],
    settings: &'a JobSettings<'a>,
    /// Measurements of the jobs as the session states them.
    measured: Vec<Option<Option<Measured>>>,
    renders: usize,
}

impl<'a> Fitting<'a> {
    pub(super) fn new(
        selection: &'a Selection<'a>,
        jobs: &'a [DeliveryJob],
        plans: &'a [Plan],
        settings: &'a JobSettings<'a>,
    ) -> Self {
        Self {
            fitted: &selection.fitted,
            jobs,
            plans,
            settings,
            measured: vec![None; jobs.len()],
            renders: 0,
        }
    }

    /// Measures the timelines and returns the gains; 0 dB for silence.
    pub(super) fn run(mut self, progress: &mut ProgressReporter<'_>) -> Result<Fits> {
        let mut gains = Vec::new();
        for (index, deliverable) in self.fitted.iter().enumerate() {
            let gain = match &deliverable.loudness {
                Some(target) => self.gain(index, target, progress)?,
                None => Decibels::UNITY,
            };
            gains.push(gain);
        }
        Ok(Fits {
            gains,
            renders: self.renders,
        })
    }

    /// Returns the gain of the fitted deliverable with an index. That of an album is found for all of
    /// its cues together.
    fn gain(
        &mut self,
        index: usize,
        target: &LoudnessTarget,
        progress: &mut ProgressReporter<'_>,
    ) -> Result<Decibels> {
        let numbers: Vec<usize> = (0..)
            .zip(self.jobs)
            .filter(|(_, job)| job.fits.contains(&index))
            .map(|(number, _)| number)
            .collect();
        let is_limited = numbers
            .iter()
            .filter_map(|number| self.jobs.get(*number))
            .any(|job| job.session.master.limit.is_some());
        let mut is_first = true;
        let fit = find_gain(target, is_limited, |gain| {
            let mut parts = Vec::new();
            for &number in &numbers {
                parts.extend(if is_first {
                    self.as_stated(number, progress)?
                } else {
                    self.raised(number, gain, progress)?
                });
            }
            is_first = false;
            let loudness = DeliverableLoudness::new(&parts);
            Ok((loudness.integrated, loudness.true_peak))
        })?;
        Ok(fit.map_or(Decibels::UNITY, |fit| fit.gain))
    }

    /// Returns the measurement of a job before its master is raised. Each is rendered once.
    fn as_stated(
        &mut self,
        number: usize,
        progress: &mut ProgressReporter<'_>,
    ) -> Result<Option<Measured>> {
        if let Some(Some(measured)) = self.measured.get(number) {
            return Ok(measured.clone());
        }
        let (Some(job), Some(plan)) = (self.jobs.get(number), self.plans.get(number)) else {
            return Ok(None);
        };
        self.renders += 1;
        let measured = render::measure(job, plan.clone(), self.settings, progress)?;
        if let Some(kept) = self.measured.get_mut(number) {
            *kept = Some(measured.clone());
        }
        Ok(measured)
    }

    /// Measures a job with its master's fader raised by a gain.
    fn raised(
        &mut self,
        number: usize,
        gain: Decibels,
        progress: &mut ProgressReporter<'_>,
    ) -> Result<Option<Measured>> {
        let Some(job) = self.jobs.get(number) else {
            return Ok(None);
        };
        let mut session = job.session.clone();
        session.master.gain = Decibels(session.master.gain.0 + gain.0);
        let plan = Plan::compile_with(&session, &self.settings.cancel)?;
        let range = job.range(&plan);
        progress.extend(job.cut.frames(&range));
        self.renders += 1;
        render::measure(job, plan, self.settings, progress)
    }
}
