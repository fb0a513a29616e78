//! Checks the stems of a session file that has other problems, so that all problems are reported at once.

use super::problems::Problems;
use crate::{
    diagnostics::suggest::beside,
    error::ErrorKind,
    media::{Damage, Input, stem::Stem},
    session::{Clip, Session, Track, validate::TrackName},
};
use std::collections::HashSet;

/// Reports every stem that is missing or cannot be read, once.
pub(super) fn check(session: &Session, damage: Damage, problems: &mut Problems) {
    let mut seen: HashSet<String> = HashSet::new();
    let of_cues = session.cues().iter().flat_map(|cue| {
        let tracks = cue.tracks.iter();
        tracks.map(move |track| (Some(cue.name.as_str()), track))
    });
    let tracks = session.tracks().iter().map(|track| (None, track));
    for (cue, track) in tracks.chain(of_cues) {
        for clip in &track.clips {
            check_clip(session, (cue, track), clip, damage, &mut seen, problems);
        }
    }
}

fn check_clip(
    session: &Session,
    (cue, track): (Option<&str>, &Track),
    clip: &Clip,
    damage: Damage,
    seen: &mut HashSet<String>,
    problems: &mut Problems,
) {
    // A file whose name was refused has an empty path; the problem is reported already.
    let Ok(input) = clip.input.spoken(session.lang.as_deref()) else {
        return;
    };
    let Input::File { path, .. } = &*input else {
        return;
    };
    if path.as_os_str().is_empty() || !seen.insert(input.to_string()) {
        return;
    }
    let Err(e) = Stem::probe(&input, session.rate, damage) else {
        return;
    };
    let name = TrackName {
        cue,
        track: &track.strip.name,
    };
    let e = e.within(name);
    let mut problem = e.as_problem();
    if e.kind() == ErrorKind::NotFound && !problems.is_full() {
        let path = input.located().unwrap_or_default().0;
        problem = problem.with_hint(&beside(&path));
    }
    problems.pass_on(clip.written.place(problem, &["file"]));
}
