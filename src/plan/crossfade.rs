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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::FadeShape;

    fn span(start: u64, end: u64) -> FadedSpan {
        FadedSpan {
            start,
            end,
            fade_in: Fade::default(),
            fade_out: Fade::default(),
            crossfade: Fade::default(),
            crossfade_end: 0,
        }
    }

    /// A span with a crossfade of 20 frames.
    fn crossfaded(start: u64, end: u64) -> FadedSpan {
        FadedSpan {
            crossfade: Fade {
                length: Frames(20),
                shape: FadeShape::EqualPower,
            },
            crossfade_end: start + 20,
            ..span(start, end)
        }
    }

    #[test]
    fn the_earlier_ends_where_the_crossfade_does_and_both_fade_alike() {
        let mut spans = [crossfaded(80, 200), span(0, 150), span(200, 300)];
        assert!(apply(&mut spans, "clip").is_empty());
        let fade = spans[0].crossfade;
        assert_eq!((spans[1].end, spans[1].fade_out), (100, fade));
        assert_eq!((spans[0].end, spans[0].fade_in), (200, fade));
        assert_eq!(spans[0].fade_out, Fade::default());
        assert_eq!((spans[2].end, spans[2].fade_in), (300, Fade::default()));
        // Exact times may round the crossfade to another length.
        let mut spans = [span(0, 100), crossfaded(80, 200)];
        spans[1].crossfade_end = 99;
        assert!(apply(&mut spans, "clip").is_empty());
        assert_eq!((spans[0].end, spans[0].fade_out.length), (99, Frames(19)));
        assert_eq!(spans[1].fade_in.length, Frames(19));
    }

    #[test]
    fn a_crossfade_needs_a_neighbour_that_lasts_and_has_no_other_fade() {
        let problem = |before: FadedSpan, now: FadedSpan| {
            let problems = apply(&mut [now, before], "clip");
            assert!(problems.iter().all(|(index, _)| *index == 0));
            problems.into_iter().next().map(|(_, message)| message)
        };
        let fade = |frames| Fade::linear(Frames(frames));
        let fades_in = |frames, span: FadedSpan| FadedSpan {
            fade_in: fade(frames),
            ..span
        };
        let fades_out = FadedSpan {
            fade_out: fade(1),
            ..span(0, 100)
        };
        assert_eq!(problem(span(0, 100), crossfaded(80, 100)), None);
        assert_eq!(
            problem(fades_in(100, span(0, 100)), crossfaded(80, 100)),
            None
        );
        for (before, now, message) in [
            (
                span(90, 100),
                crossfaded(80, 100),
                "there is no clip before it to crossfade with",
            ),
            (
                span(80, 200),
                crossfaded(80, 100),
                "the clip to crossfade with starts with it",
            ),
            (
                span(0, 99),
                crossfaded(80, 100),
                "the crossfade lasts until frame 100, but the clip before it ends at frame 99: let it last longer",
            ),
            (
                fades_out,
                crossfaded(80, 100),
                "it crossfades with the clip before it, which has a fade-out of its own: keep one of the two",
            ),
            (
                fades_in(101, span(0, 100)),
                crossfaded(80, 100),
                "the fade-in of the clip before it is longer than what the crossfade leaves of it",
            ),
            (
                span(0, 100),
                fades_in(1, crossfaded(80, 100)),
                "it has a fade-in and a crossfade: keep one of the two",
            ),
            (
                span(0, 100),
                crossfaded(80, 99),
                "the crossfade of 20 frames is longer than the clip of 19",
            ),
        ] {
            // Of two that start together the first in order is the earlier.
            let found = if before.start == now.start {
                let mut spans = [before, now];
                apply(&mut spans, "clip").pop().map(|(_, message)| message)
            } else {
                problem(before, now)
            };
            assert_eq!(found.as_deref(), Some(message));
        }
    }
}
