//! Loudness targets: fits the mix to one before it is written, and judges what came out.

use super::args::Args;
use soundtrack::{
    Bounce, Dbtp, LoudnessTarget, Plan, Progress, Report, Result, Session, measure::Fit,
};
use std::ops::ControlFlow;

/// What the command line says of the master.
pub fn master(session: &mut Session, args: &Args) {
    if let Some(limit) = args.limit {
        session.master.limit = Some(Dbtp(limit));
    }
    session.master.dither = args.dither.or(session.master.dither);
}

/// The gain that brings the mix to the target, put on the master; none where it is not asked for. `bounce` makes one with
/// the range and the threads of the mix.
///
/// # Errors
/// Those of rendering; a mix without loudness.
pub fn fitted<'a>(
    session: &mut Session,
    args: &Args,
    bounce: impl Fn() -> Bounce<'a>,
    watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Option<(LoudnessTarget, Fit)>> {
    let Some(target) = args.target.clone().filter(|_| args.fit) else {
        return Ok(None);
    };
    let measure = |session: &Session| {
        bounce()
            .progress(&mut *watch)
            .dry_run(Plan::compile(session)?)
    };
    let fit = session.fit(&target, measure)?;
    Ok(Some((target, fit)))
}

/// Judges the mix by the target, where there is one, and says what is wrong with it.
pub fn judged(report: &mut Report, args: &Args, fit: Option<Fit>) -> Vec<String> {
    let mut wrong = Vec::new();
    if let Some(target) = &args.target {
        report.judge(target, fit);
    }
    if let Some(verdict) = &report.verdict {
        if verdict.loudness_passed == Some(false) {
            let off = verdict
                .off_lu
                .map_or("none".to_owned(), |off| format!("{off:+.1} LU off"));
            wrong.push(format!("{}: the loudness is {off}", verdict.target));
        }
        if let Some(ceiling) = verdict.ceiling_dbtp.filter(|_| !verdict.true_peak_passed) {
            let over = report.mix.true_peak_dbtp.unwrap_or_default() - ceiling;
            wrong.push(format!(
                "{}: the true peak is {over:.2} dB too high",
                verdict.target
            ));
        }
    }
    if args.check && report.mix.clipped_samples > 0 {
        wrong.push(match report.mix.clipped_samples {
            1 => "1 sample would be clipped".to_owned(),
            n => format!("{n} samples would be clipped"),
        });
    }
    wrong
}
