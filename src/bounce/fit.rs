//! Measuring without writing, and finding the gain that a target needs.

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

/// Largest distance, in LU, at which a mix through a limiter counts as fitted, and the most renders to get there.
const FITTED_LU: f64 = 0.02;
const MAX_RENDERS: usize = 6;

impl Bounce<'_> {
    /// Renders and measures without writing anything. What a file of the format would clip is counted.
    ///
    /// # Errors
    /// As [`write`](Self::write), those of writing excepted.
    pub fn dry_run(self, plan: Plan) -> Result<Report> {
        let clock = Instant::now();
        let (format, options) = (self.format, self.settings.options.clone());
        let range = self.range.clone().unwrap_or(Frames::ZERO..plan.length());
        let mut sink = DryRunSink::new(format, plan.spec(), range.end - range.start)?;
        let mut report = self.into_sink(&mut Renderer::new(plan, &options)?, &mut sink)?;
        report.format = Some(format.to_string());
        report.timed(clock);
        Ok(report)
    }
}

impl Session {
    /// Turns the master up or down by one gain, so that the mix meets a target, or as near as its ceiling allows. `measure`
    /// renders the session and reports on it: [`Bounce::dry_run`], with the range and the threads of the bounce that
    /// follows. A limiter takes away some of the gain, so with one the session is measured a few times.
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
    /// Those of measuring; `Session` for a mix without loudness, and for a limiter above the target's ceiling.
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
        let mut found = Fit {
            gain: Decibels::UNITY,
            short_by: 0.0,
        };
        for _ in 0..MAX_RENDERS {
            let mix = measure(self)?.mix;
            let (integrated, peak) = (mix.integrated_lufs.map(Lufs), mix.true_peak_dbtp.map(Dbtp));
            // A limiter keeps the peak below the ceiling, whatever the gain.
            let peak = if self.master.limit.is_some() {
                integrated.map(|_| Dbtp(f64::NEG_INFINITY))
            } else {
                peak
            };
            if let (Some(wanted), None) = (target.integrated, integrated) {
                let what = format!("the mix has no loudness that could be brought to {wanted:.1}");
                return Err(Error::new(ErrorKind::Session, what));
            }
            let Some(fit) = target.fit(integrated, peak) else {
                break;
            };
            found = Fit {
                gain: Decibels(found.gain.0 + fit.gain.0),
                short_by: fit.short_by,
            };
            self.master.gain = Decibels(before.0 + found.gain.0);
            if self.master.limit.is_none() || fit.gain.0.abs() < FITTED_LU {
                break;
            }
        }
        Ok(found)
    }
}

impl Report {
    /// Judges the mix by a target, and stores the verdict.
    pub fn judge(&mut self, target: &LoudnessTarget, fit: Option<Fit>) {
        let mut verdict = target.judge(
            self.mix.integrated_lufs.map(Lufs),
            self.mix.true_peak_dbtp.map(Dbtp),
        );
        verdict.fit = fit.map(Into::into);
        self.verdict = Some(verdict);
    }
}
