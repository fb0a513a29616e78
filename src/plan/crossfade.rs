//! Crossfades: of two neighbours the earlier ends where the crossfade does, and both fade by the same shape.
//!
//! The fade-out is the fade-in run backwards over the same frames, so that linear pairs add up to 1, and equal-power pairs
//! to the power of 1, at every frame.

use crate::{curve::Fade, units::Frames};

/// A stretch with its fades: a clip of a track, or a use of a cue.
#[derive(Clone, Debug)]
pub(super) struct Stretch {
    pub start: u64,
    pub end: u64,
    pub fade_in: Fade,
    pub fade_out: Fade,
    pub crossfade: Fade,
    /// The end of the crossfade, from exact times.
    pub crossfade_end: u64,
}

/// Applies the crossfades of stretches in any order; what is wrong with which of them.
pub(super) fn apply(stretches: &mut [Stretch], kind: &str) -> Vec<(usize, String)> {
    if stretches.iter().all(|s| s.crossfade.length.0 == 0) {
        return Vec::new();
    }
    let mut wrong = Vec::new();
    let mut order: Vec<usize> = (0..stretches.len()).collect();
    order.sort_by_key(|&i| stretches.get(i).map(|s| s.start));
    let mut before: Option<usize> = None;
    for i in order {
        let Some(now) = stretches.get(i).cloned() else {
            continue;
        };
        let length = now.crossfade.length.0;
        let end = now.crossfade_end;
        let earlier = before.and_then(|b| stretches.get(b).cloned().map(|s| (b, s)));
        before = Some(i);
        if length == 0 {
            continue;
        }
        let crossfade = Fade {
            length: Frames(end.saturating_sub(now.start)),
            ..now.crossfade
        };
        let problem = match &earlier {
            None => Some(format!("there is no {kind} before it to crossfade with")),
            Some((_, e)) if e.start == now.start => {
                Some(format!("the {kind} to crossfade with starts with it"))
            }
            Some((_, e)) if e.end < end => Some(format!(
                "the crossfade lasts until frame {end}, but the {kind} before it ends at frame {}: let it last longer",
                e.end
            )),
            Some((_, e)) if e.fade_out.length.0 > 0 => Some(format!(
                "it crossfades with the {kind} before it, which has a fade-out of its own: keep one of the two"
            )),
            Some((_, e)) if e.fade_in.length.0 > end - e.start => Some(format!(
                "the fade-in of the {kind} before it is longer than what the crossfade leaves of it"
            )),
            _ if now.fade_in.length.0 > 0 => {
                Some("it has a fade-in and a crossfade: keep one of the two".to_owned())
            }
            _ if crossfade.length.0 > now.end - now.start => Some(format!(
                "the crossfade of {length} frames is longer than the {kind} of {}",
                now.end - now.start
            )),
            _ => None,
        };
        if let Some(what) = problem {
            wrong.push((i, what));
            continue;
        }
        if let Some(e) = earlier.and_then(|(b, _)| stretches.get_mut(b)) {
            (e.end, e.fade_out) = (end, crossfade);
        }
        stretches
            .iter_mut()
            .skip(i)
            .take(1)
            .for_each(|s| s.fade_in = crossfade);
    }
    wrong
}
