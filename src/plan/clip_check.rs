//! Checks a clip against the stem that it plays.

use super::{ChannelMap, place::passes};
use crate::{
    error::{ErrorKind, Problem, counted},
    layout::Layout,
    media::stem::Stem,
    session::{Clip, Session, exact_times::exact, validate::TrackName},
    units::Frames,
};

/// Checks a clip against its stem, and returns the map of the stem's channels to the session's layout.
///
/// # Errors
/// All problems of the clip.
pub(super) fn channel_map(
    session: &Session,
    name: &TrackName<'_>,
    clip: &Clip,
    stem: &Stem,
) -> Result<ChannelMap, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut report = |kind, keys: &[&str], what: String| {
        let subject = name.subject().with_file(&stem.name);
        problems.push(
            clip.written
                .place(Problem::about(subject, kind, what), keys),
        );
    };
    let length = stem.frames.map(|n| n.0);
    let exact_length = clip.length.map(|l| exact(l, clip.exact.length));
    let wanted = exact_length.zip(clip.length).map(|(exactly, length)| {
        let end = exact(clip.from, clip.exact.from).plus(exactly).nearest();
        (clip.from + length).min(Frames(end))
    });
    let clock = |f: u64| Frames(f).clock(session.rate);
    match (length, wanted) {
        (None, None) => {
            let what = "its length is not known, so the clip must state one".to_owned();
            report(ErrorKind::Session, &["file"], what);
        }
        (Some(n), Some(end)) if end.0 > n => {
            let what = format!(
                "the clip ends at {} ({}), the file at {} ({})",
                clock(end.0),
                counted(end.0, "frame"),
                clock(n),
                counted(n, "frame")
            );
            report(ErrorKind::Session, &["length", "from"], what);
        }
        (Some(n), None) if clip.from.0 > n => {
            let what = format!(
                "the clip starts at frame {}, the file ends at {n}",
                clip.from
            );
            report(ErrorKind::Session, &["from"], what);
        }
        _ => {}
    }
    let total = passes(clip, stem, Frames::ZERO.into()).total();
    for (fade, key, name) in [
        (clip.fade_in, "fade_in", "fade-in"),
        (clip.fade_out, "fade_out", "fade-out"),
    ] {
        if fade.length.0 > total {
            let what = format!(
                "the {name} of {} frames is longer than the clip of {total}",
                fade.length
            );
            report(ErrorKind::Session, &[key], what);
        }
    }
    let layout = clip.layout.unwrap_or(stem.spec.layout);
    if layout.channels() != stem.spec.layout.channels() {
        let (stated, there) = (layout, stem.spec.layout.channels());
        let what = format!(
            "the clip's layout {stated} has {}, the file {there}",
            counted(layout.channels() as u64, "channel")
        );
        report(ErrorKind::Session, &["layout"], what);
        return Err(problems);
    }
    let place = match layout.fold(session.layout) {
        Some(_) if layout == Layout::Mono && session.layout != Layout::Mono => ChannelMap::Pan,
        Some(rows) => ChannelMap::Fold(rows),
        None => {
            let mask = stem.info.as_ref().map_or(0, |info| info.channel_mask);
            let what = unmapped(layout, mask, clip.written.is_somewhere());
            report(ErrorKind::Unsupported, &["layout", "file"], what);
            return Err(problems);
        }
    };
    if problems.is_empty() {
        Ok(place)
    } else {
        Err(problems)
    }
}

/// Returns the message about channels that cannot be mapped: their number, the mask that the file states, and the layouts that
/// they may have, as keys for the clip of a session file.
fn unmapped(layout: Layout, mask: u32, is_in_session_file: bool) -> String {
    let mut what = format!("it has {layout}");
    if mask != 0 {
        what += &format!(" (channel mask 0x{mask:X})");
    }
    let names: Vec<_> = Layout::names_of(layout.channels())
        .map(|name| {
            if is_in_session_file {
                format!("layout = {name:?}")
            } else {
                name.to_owned()
            }
        })
        .collect();
    if names.is_empty() {
        what += "; choose single channels of it";
        if is_in_session_file {
            what += ", e.g. channel = 1";
        }
        what
    } else {
        what + "; say which layout they are: " + &names.join(" or ")
    }
}
