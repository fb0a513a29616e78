//! Crossfades: of two neighbours the earlier ends where the crossfade does, and both fade by the same shape.
//!
//! The fade-out is the fade-in run backwards over the same frames, so that linear pairs add up to 1, and equal-power pairs
//! to the power of 1, at every frame.

use crate::{curve::Fade, units::Frames};

/// A span of the timeline with its fades: a clip of a track, or a placement of a cue.
#[derive(Clone, Debug)]
pub(super) struct FadedSpan {
    pub start: u64,
    pub end: u64,
    pub fade_in: Fade,
    pub fade_out: Fade,
    pub crossfade: Fade,
    /// The frame at which the crossfade ends, rounded once from exact times.
    pub crossfade_end: u64,
}

/// Applies the crossfades of spans, which come in any order. Returns those that cannot be applied, each with the index
/// of its span and a message in which a span is called `kind`.
pub(super) fn apply(spans: &mut [FadedSpan], kind: &str) -> Vec<(usize, String)> {
    let mut problems = Vec::new();
    let mut in_order: Vec<(usize, &mut FadedSpan)> = spans.iter_mut().enumerate().collect();
    in_order.sort_by_key(|(_, span)| span.start);
    let mut before: Option<&mut FadedSpan> = None;
    for (index, now) in in_order {
        if now.crossfade.length.0 > 0 {
            match (checked(now, before.as_deref(), kind), &mut before) {
                (Ok(crossfade), Some(before)) => {
                    (before.end, before.fade_out) = (now.crossfade_end, crossfade);
                    now.fade_in = crossfade;
                }
                (Ok(_), None) => {}
                (Err(message), _) => problems.push((index, message)),
            }
        }
        before = Some(now);
    }
    problems
}

/// Returns the crossfade of a span with the one before it, in frames of the timeline.
///
/// # Errors
/// A message about a crossfade that cannot be applied.
fn checked(now: &FadedSpan, before: Option<&FadedSpan>, kind: &str) -> Result<Fade, String> {
    let end = now.crossfade_end;
    let crossfade = Fade {
        length: Frames(end.saturating_sub(now.start)),
        ..now.crossfade
    };
    let Some(before) = before else {
        return Err(format!("there is no {kind} before it to crossfade with"));
    };
    let problem = if before.start == now.start {
        format!("the {kind} to crossfade with starts with it")
    } else if before.end < end {
        format!(
            "the crossfade lasts until frame {end}, but the {kind} before it ends at frame {}: let it last longer",
            before.end
        )
    } else if before.fade_out.length.0 > 0 {
        format!(
            "it crossfades with the {kind} before it, which has a fade-out of its own: keep one of the two"
        )
    } else if before.fade_in.length.0 > end - before.start {
        format!(
            "the fade-in of the {kind} before it is longer than what the crossfade leaves of it"
        )
    } else if now.fade_in.length.0 > 0 {
        "it has a fade-in and a crossfade: keep one of the two".to_owned()
    } else if crossfade.length.0 > now.end - now.start {
        let (length, available) = (now.crossfade.length, now.end - now.start);
        format!("the crossfade of {length} frames is longer than the {kind} of {available}")
    } else {
        return Ok(crossfade);
    };
    Err(problem)
}
