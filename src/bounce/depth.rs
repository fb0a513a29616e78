//! Where a file has fewer bits than the mix: dither if asked for, and a warning if not.

use crate::{
    diagnostics::{Subject, Warning, WarningKind},
    encode::{Dither, Dithered, Format, Shaping, Sink},
    error::{Error, ErrorKind, Result},
    plan::Plan,
    report::Report,
    units::{Frames, SampleRate},
};

/// Whether a file of this format has to round the mix.
pub(crate) fn reduced(plan: &Plan, format: Format) -> bool {
    !format.is_float() && plan.depth().is_none_or(|depth| depth > format.bits())
}

/// The sink with dither before it.
///
/// # Errors
/// `Session` for weighted dither at a rate that its filter is not made for.
pub(crate) fn dithered<S: Sink>(
    sink: S,
    dither: Dither,
    format: Format,
    plan: &Plan,
    start: Frames,
) -> Result<Dithered<S>> {
    let rate = plan.spec().rate;
    if dither.shaping == Shaping::Weighted && ![SampleRate::HZ_44100, SampleRate::HZ_48000].contains(&rate) {
        let what = format!("weighted dither is for 44100 and 48000 Hz, the output has {rate}: take high-pass or white");
        return Err(Error::new(ErrorKind::Session, what));
    }
    Ok(Dithered::new(sink, dither, format.bits(), start))
}

/// Warns of stems of more bits than the file, whose last bits are rounded away without dither.
pub(crate) fn warning(plan: &Plan, format: Format) -> Option<Warning> {
    let bits = format.bits();
    let mut deeper = plan.deeper(bits).filter(|_| !format.is_float());
    let (track, file) = deeper.next()?;
    let kind = WarningKind::ReducedDepth { bits, more_tracks: deeper.count() };
    Some(Warning::new(kind, Subject::clip(track, file)))
}

impl Report {
    /// Says whether the file was dithered, and what was rounded without.
    pub(crate) fn rounded(&mut self, dither: Option<Dither>, warning: Option<Warning>) {
        self.dither = dither.map(|d| d.shaping.to_string());
        self.warnings.extend(warning);
    }
}
