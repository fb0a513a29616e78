//! `--mute` and `--solo`: tracks and buses by name.

use crate::names::similar;
use soundtrack::{Selector, Session, Strip};

/// Sets mute and solo of every track and bus of these names. `track.NAME` and `bus.NAME` tell two of one name apart;
/// `cue.NAME` is all tracks of a cue, `cue.NAME.TRACK` one of them.
pub fn apply(session: &mut Session, mute: &[String], solo: &[String]) -> Result<(), String> {
    for name in mute {
        each(session, "--mute", name, |strip| strip.mute = true)?;
    }
    for name in solo {
        each(session, "--solo", name, |strip| strip.solo = true)?;
    }
    Ok(())
}

fn each(
    session: &mut Session,
    option: &str,
    name: &str,
    mut set: impl FnMut(&mut Strip),
) -> Result<(), String> {
    let tracks = session
        .tracks_mut()
        .iter_mut()
        .map(|t| ("track.", &mut t.strip));
    let mut strips: Vec<(&str, &mut Strip)> = tracks.collect();
    let whole = strips.iter().any(|(_, s)| s.name == name);
    let mut found = false;
    let mut matching = |kind: &str, strip: &mut Strip| {
        if strip.name == name || (!whole && name.strip_prefix(kind) == Some(&strip.name)) {
            set(strip);
            found = true;
        }
    };
    strips
        .drain(..)
        .for_each(|(kind, strip)| matching(kind, strip));
    session
        .buses_mut()
        .iter_mut()
        .for_each(|b| matching("bus.", &mut b.strip));
    let (cue, track) = match session.part(name) {
        Ok(Selector::Cue(cue)) => (Some(cue), None),
        Ok(Selector::CueTrack(cue, track)) => (Some(cue), Some(track)),
        _ => (None, None),
    };
    if let Some(cue) = cue.filter(|_| !found) {
        let tracks = session.cue_mut(cue).tracks.iter_mut().enumerate();
        tracks
            .filter(|(i, _)| track.is_none_or(|t| t == *i))
            .for_each(|(_, t)| set(&mut t.strip));
        found = true;
    }
    if found {
        return Ok(());
    }
    let buses = session.buses().iter().map(|b| b.strip.name.as_str());
    let tracks = session.tracks().iter().map(|t| t.strip.name.as_str());
    let cues: Vec<String> = session
        .cues()
        .iter()
        .map(|c| format!("cue.{}", c.name))
        .collect();
    let names: Vec<&str> = tracks
        .chain(buses)
        .chain(cues.iter().map(String::as_str))
        .collect();
    let hint = match similar(name, names.iter().copied()) {
        Some(near) => format!("did you mean {near:?}?"),
        None => format!("there are {}", listed(&names)),
    };
    Err(format!(
        "{option} {name:?}: no track or bus of that name; {hint}"
    ))
}

/// `"a", "b" and 7 more`
pub fn listed(names: &[&str]) -> String {
    const MOST: usize = 12;
    let shown: Vec<String> = names.iter().take(MOST).map(|n| format!("{n:?}")).collect();
    match names.len().saturating_sub(MOST) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use soundtrack::{Bus, Layout, SampleRate, Track};

    #[test]
    fn names_find_tracks_and_buses_or_are_refused_with_a_guess() {
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
