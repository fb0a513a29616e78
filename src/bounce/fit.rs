//! Measures without writing, and finds the gain that reaches a loudness target.

use super::Bounce;
use crate::{
    encode::DryRunSink,
    engine::Renderer,
    error::{Error, ErrorKind, Result},
    measure::{Fit, LoudnessTarget},
    plan::Plan,
    report::Report,
    session::Session,
    units::{Dbtp, Decibels, Frames, Lufs},
};
use std::time::Instant;

/// Deviation in LU at which a mix through a limiter counts as fitted, and the maximum number of
/// renders.
const FITTED_LU: f64 = 0.02;
const MAX_RENDERS: usize = 6;

/// Finds the gain that brings a mix to a target. `measure` receives the gain found so far, and
/// returns loudness and true peak of the mix with it. Through a limiter, which takes back some of the
/// gain, it is called several times.
///
/// Returns `None` for a mix without loudness.
pub(crate) fn find_gain(
    target: &LoudnessTarget,
    is_limited: bool,
    mut measure: impl FnMut(Decibels) -> Result<(Option<Lufs>, Option<Dbtp>)>,
) -> Result<Option<Fit>> {
    let mut found = Fit {
        gain: Decibels::UNITY,
        short_by: 0.0,
    };
    for _ in 0..MAX_RENDERS {
        let (integrated, peak) = measure(found.gain)?;
        // A limiter keeps the peak below the ceiling at any gain.
        let peak = if is_limited {
            integrated.map(|_| Dbtp(f64::NEG_INFINITY))
        } else {
            peak
        };
        if target.integrated.is_some() && integrated.is_none() {
            return Ok(None);
        }
        let Some(fit) = target.fit(integrated, peak) else {
            break;
        };
        found = Fit {
            gain: Decibels(found.gain.0 + fit.gain.0),
            short_by: fit.short_by,
        };
        if !is_limited || fit.gain.0.abs() < FITTED_LU {
            break;
        }
    }
    Ok(Some(found))
}

impl Bounce<'_> {
    /// Renders and measures without writing. Counts the samples that a file of the format would
    /// clip.
    ///
    /// # Errors
    /// See [`write`](Self::write), without the errors of writing.
    pub fn dry_run(self, plan: Plan) -> Result<Report> {
        let clock = Instant::now();
        let (format, options) = (self.format, self.settings.options.clone());
        let range = self.range.clone().unwrap_or(Frames::ZERO..plan.length());
        let mut sink = DryRunSink::new(format, plan.spec(), range.end - range.start)?;
        let mut report = self.into_sink(&mut Renderer::new(plan, &options)?, &mut sink)?;
        report.format = Some(format.to_string());
        report.set_time(clock);
        Ok(report)
    }
}

impl Session {
    /// Adjusts the master's gain so that the mix meets a target, or comes as close to it as its
    /// ceiling allows.
    ///
    /// `measure` renders the session and returns its report: use [`Bounce::dry_run`] with the range
    /// and threads of the bounce that follows. A limiter takes back some of the gain, so with one
    /// the session is measured several times.
    ///
    /// ```no_run
    /// use soundtrack::{Bounce, Layout, LoudnessTarget, Plan, SampleRate, Session, Track};
    /// let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    /// mix.add_track(Track::new("piano", "piano.flac"));
    /// let target: LoudnessTarget = "ebu-r128".parse()?;
    /// let fit = mix.fit(&target, |mix| Bounce::new().dry_run(Plan::compile(mix)?))?;
    /// println!("{:+.1} dB", fit.gain.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Errors of `measure`; `Session` for a mix without loudness, and for a limiter above the
    /// target's ceiling.
    pub fn fit(
        &mut self,
        target: &LoudnessTarget,
        mut measure: impl FnMut(&Self) -> Result<Report>,
    ) -> Result<Fit> {
        if let (Some(limit), Some(ceiling)) = (self.master.limit, target.true_peak)
            && limit > ceiling
        {
            let what = format!(
                "the master limits at {limit:.1}, above the {ceiling:.1} of {}",
                target.name
            );
            return Err(Error::new(ErrorKind::Session, what));
        }
        let before = self.master.gain;
        let is_limited = self.master.limit.is_some();
        let found = find_gain(target, is_limited, |gain| {
            self.master.gain = Decibels(before.0 + gain.0);
            let mix = measure(self)?.mix;
            Ok((mix.integrated_lufs.map(Lufs), mix.true_peak_dbtp.map(Dbtp)))
        })?;
        let Some(found) = found else {
            let wanted = target.integrated.unwrap_or(Lufs(f64::NEG_INFINITY));
            let what = format!("the mix has no loudness that could be brought to {wanted:.1}");
            return Err(Error::new(ErrorKind::Session, what));
        };
        self.master.gain = Decibels(before.0 + found.gain.0);
        Ok(found)
    }
}

impl Report {
    /// Checks the mix against a target and stores the verdict.
    pub fn judge(&mut self, target: &LoudnessTarget, fit: Option<Fit>) {
        let mut verdict = target.judge(
            self.mix.integrated_lufs.map(Lufs),
            self.mix.true_peak_dbtp.map(Dbtp),
        );
        verdict.fit = fit.map(Into::into);
        self.verdict = Some(verdict);
    }
}
