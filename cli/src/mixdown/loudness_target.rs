//! Fits the mix to a loudness target before it is written (`--fit`), and judges the result (`--target`, `--check`).

use super::args::Args;
use crate::text::counted;
use soundtrack::{Bounce, Plan, Progress, Report, Result, Session, measure::Fit};
use std::ops::ControlFlow;

/// Measures the mix and sets the gain of the master that brings it to the target, if `--fit` asks for it.
///
/// `bounce` sets up a bounce with the range and the threads of the mix.
///
/// # Errors
/// Passes on the errors of rendering; a mix without loudness.
pub fn fit(
    session: &mut Session,
    args: &Args,
    bounce: impl Fn() -> Bounce<'static>,
    watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Option<Fit>> {
    let Some(target) = args.target.as_ref().filter(|_| args.fit) else {
        return Ok(None);
    };
    let measure = |session: &Session| {
        bounce()
            .progress(&mut *watch)
            .dry_run(Plan::compile(session)?)
    };
    session.fit(target, measure).map(Some)
}

/// Judges the mix by the target, if there is one, and returns a sentence for each check that failed.
pub fn judge(report: &mut Report, args: &Args, fit: Option<Fit>) -> Vec<String> {
    let mut failed = Vec::new();
    if let Some(target) = &args.target {
        report.judge(target, fit);
    }
    if let Some(verdict) = &report.verdict {
        if verdict.loudness_passed == Some(false) {
            let off = match verdict.off_lu {
                Some(off) => format!("{off:+.1} LU off"),
                None => "none".to_owned(),
            };
            failed.push(format!("{}: the loudness is {off}", verdict.target));
        }
        if let Some(ceiling) = verdict.ceiling_dbtp.filter(|_| !verdict.true_peak_passed) {
            let over = match report.mix.true_peak_dbtp {
                Some(peak) => format!("{:.2} dB too high", peak - ceiling),
                None => "unknown".to_owned(),
            };
            failed.push(format!("{}: the true peak is {over}", verdict.target));
        }
    }
    if args.check && report.mix.clipped_samples > 0 {
        failed.push(format!(
            "{} would be clipped",
            counted(report.mix.clipped_samples, "sample")
        ));
    }
    failed
}
