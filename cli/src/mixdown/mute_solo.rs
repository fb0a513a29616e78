//! Applies `--mute` and `--solo` to tracks and buses by name.

use super::pattern;
use crate::suggest::{self, quoted_list};
use soundtrack::{Selector, Session, Strip};

/// Mutes and solos every track and bus of these names.
///
/// `track.NAME` and `bus.NAME` select one of two with the same name; `cue.NAME` selects all tracks of a cue,
/// `cue.NAME.TRACK` one of them. A text that is no name is a list with commas, whose items may be patterns with `*` and
/// `?`.
///
/// # Errors
/// A sentence for a name that selects nothing, with the nearest name or all names.
pub fn apply(session: &mut Session, mute: &[String], solo: &[String]) -> Result<(), String> {
    for name in mute {
        set_listed(session, "--mute", name, |strip| strip.mute = true)?;
    }
    for name in solo {
        set_listed(session, "--solo", name, |strip| strip.solo = true)?;
    }
    Ok(())
}

/// Calls `set` with every strip that a name, or a list of names and patterns, selects.
fn set_listed(
    session: &mut Session,
    option: &str,
    text: &str,
    set: impl Fn(&mut Strip),
) -> Result<(), String> {
    // A name may contain a comma or a star.
    if set_strips(session, text, &set) {
        return Ok(());
    }
    for item in text
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
    {
        let is_found = set_strips(session, item, &set)
            || (pattern::is_pattern(item) && set_matching(session, item, &set));
        if !is_found {
            return Err(unknown_name(session, option, item));
        }
    }
    if text.split(',').all(|item| item.trim().is_empty()) {
        return Err(unknown_name(session, option, text));
    }
    Ok(())
}

/// Calls `set` with every strip whose name matches a pattern, and returns whether there is one. A pattern of a cue's tracks
/// starts with `cue.`.
fn set_matching(session: &mut Session, item: &str, set: impl Fn(&mut Strip)) -> bool {
    let mut is_found = false;
    let mut set = |strip: &mut Strip, names: &[String]| {
        if names.iter().any(|name| pattern::matches(item, name)) {
            set(strip);
            is_found = true;
        }
    };
    for track in session.tracks_mut() {
        let name = track.strip.name.clone();
        set(&mut track.strip, &[format!("track.{name}"), name]);
    }
    for bus in session.buses_mut() {
        let name = bus.strip.name.clone();
        set(&mut bus.strip, &[format!("bus.{name}"), name]);
    }
    for cue in session.cues_mut() {
        for track in &mut cue.tracks {
            let name = format!("cue.{}.{}", cue.name, track.strip.name);
            set(&mut track.strip, &[name]);
        }
    }
    is_found
}

/// Calls `set` with every strip that a name selects, and returns whether there is one.
fn set_strips(session: &mut Session, name: &str, set: impl Fn(&mut Strip)) -> bool {
    // A track that is called `bus.music` takes precedence over the bus `music`.
    let is_whole_name = session.tracks().iter().any(|t| t.strip.name == name);
    let selects = |kind: &str, strip: &Strip| {
        strip.name == name || (!is_whole_name && name.strip_prefix(kind) == Some(&strip.name))
    };
    let mut is_found = false;
    for track in session.tracks_mut() {
        if selects("track.", &track.strip) {
            set(&mut track.strip);
            is_found = true;
        }
    }
    for bus in session.buses_mut() {
        if selects("bus.", &bus.strip) {
            set(&mut bus.strip);
            is_found = true;
        }
    }
    if is_found {
        return true;
    }
    match session.part(name) {
        Ok(Selector::Cue(cue)) => {
            for track in &mut session.cue_mut(cue).tracks {
                set(&mut track.strip);
            }
            true
        }
        Ok(Selector::CueTrack(cue, index)) => {
            let track = session.cue_mut(cue).tracks.get_mut(index);
            track.map(|track| set(&mut track.strip)).is_some()
        }
        _ => false,
    }
}

fn unknown_name(session: &Session, option: &str, name: &str) -> String {
    let cues: Vec<String> = session
        .cues()
        .iter()
        .map(|c| format!("cue.{}", c.name))
        .collect();
    let tracks = session.tracks().iter().map(|t| t.strip.name.as_str());
    let buses = session.buses().iter().map(|b| b.strip.name.as_str());
    let names: Vec<&str> = tracks
        .chain(buses)
        .chain(cues.iter().map(String::as_str))
        .collect();
    let hint = suggest::hint(name, names.iter().copied(), || quoted_list(&names));
    format!("{option} {name:?}: no track or bus of that name; {hint}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use soundtrack::{Bus, Layout, SampleRate, Track};

    #[test]
    fn names_find_tracks_and_buses_or_are_refused_with_a_hint() {
        let mut session = Session::new(SampleRate::HZ_48000, Layout::Stereo);
        session.add_track(Track::of("drums"));
        session.add_track(Track::of("bass"));
        session.add_bus(Bus::new("band"));
        session.add_bus(Bus::new("bass"));
        apply(
            &mut session,
            &["bus.bass".into()],
            &["bass".into(), "band".into()],
        )
        .unwrap();
        let state = |s: &Strip| (s.mute, s.solo);
        let tracks: Vec<_> = session.tracks().iter().map(|t| state(&t.strip)).collect();
        let buses: Vec<_> = session.buses().iter().map(|b| state(&b.strip)).collect();
        assert_eq!(
            (tracks, buses),
            (
                vec![(false, false), (false, true)],
                vec![(false, true), (true, true)]
            )
        );
        apply(&mut session, &["drums, b*d".into()], &[]).unwrap();
        assert!(session.tracks()[0].strip.mute && session.buses()[0].strip.mute);
        let error = apply(&mut session, &["x*".into()], &[]).unwrap_err();
        assert!(
            error.starts_with("--mute \"x*\": no track or bus"),
            "{error}"
        );
        let error = apply(&mut session, &["durms".into()], &[]).unwrap_err();
        assert_eq!(
            error,
            "--mute \"durms\": no track or bus of that name; did you mean \"drums\"?"
        );
        let error = apply(&mut session, &[], &["x".into()]).unwrap_err();
        assert!(
            error.ends_with("there are \"drums\", \"bass\", \"band\", \"bass\""),
            "{error}"
        );
    }
}
