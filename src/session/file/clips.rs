//! Tracks, clips and the files they name.

use super::{
    build::Context,
    clock::Zero,
    document::{Key, Table, Text},
    fields::Fields,
    strips::strip,
};
use crate::{
    error::{Problem, ProblemKind, Subject},
    media::Input,
    session::{BusId, Clip, Track},
    storage::{Location, is_link, joined},
};
use std::{
    ops::Range,
    path::{Component, Path, PathBuf},
};

/// What the tracks of a timeline have in common: that of the session, or of a cue.
pub(super) struct Home<'a> {
    /// What leads the names of its tracks in messages.
    pub who: String,
    pub zero: Zero,
    /// The folder of its files, from the session's.
    pub folder: PathBuf,
    /// Where its tracks go unless they say.
    pub bus: Option<BusId>,
    pub context: &'a Context<'a>,
}

/// The keys whose places are kept with a clip.
const KEPT: [&str; 10] = ["file", "at", "from", "length", "loop", "gain", "fade_in", "fade_out", "crossfade", "layout"];

/// A track. `found`: the file that a pattern found for it, with the pattern's place.
pub(super) fn track(key: &Key, table: &Table, home: &Home<'_>, found: Option<Clip>, text: &mut Text) -> Track {
    let fields = Fields::new("track", format!("{}track {:?}", home.who, key.name), table);
    fields.own(&key.span, text);
    let mut track = Track::of(&key.name).invert(fields.switch("invert", text));
    track.strip.to = home.bus;
    strip(&fields, "bus", home.context, home.zero, &mut track.strip, text);
    // A track's own fade, place and length are those of its one clip.
    track.clips.extend(clip(&fields, &key.span, home, found, false, text));
    for (key, table) in fields.tables("clip", text) {
        let inner = Fields::new("clip", format!("{}, clip {:?}", fields.who(), key.name), table);
        match clip(&inner, &key.span, home, None, true, text) {
            Some(clip) => track.clips.push(clip.named(&key.name)),
            None if inner.has("file") => {}
            None => text.say(key.span.clone(), format!("{}: it has no file", inner.who())),
        }
        inner.finish(text);
    }
    if track.clips.is_empty() && !fields.has("file") && fields.lacks("clip") {
        text.say(key.span.clone(), format!("{}: it has neither a file nor a clip", fields.who()));
    }
    fields.finish(text);
    track
}

/// The clip that a table describes, if it names a file or one was found. `own`: its gain is the clip's, not the track's.
fn clip(
    fields: &Fields<'_>,
    whole: &Range<usize>,
    home: &Home<'_>,
    found: Option<Clip>,
    own: bool,
    text: &mut Text,
) -> Option<Clip> {
    let clock = &home.context.clock;
    let file = fields.string("file", text);
    let file = file.and_then(|f| confined(f, &home.folder, &fields.span("file"), fields.who(), home.context, text));
    let known = file.is_some() || found.is_some();
    let mut clip = match (file, found) {
        (Some(file), _) => {
            let mut clip = Clip::new(Input::file(file));
            clip.written = fields.written(whole, &KEPT, text);
            clip
        }
        (None, Some(found)) => found,
        (None, None) => Clip::new(Input::file(PathBuf::new())),
    };
    clip.at = fields.at("at", clock, home.zero, text).unwrap_or_default();
    clip.from = fields.length("from", clock, text).unwrap_or_default();
    clip.length = fields.length("length", clock, text);
    clip.loops = fields.count("loop", text).unwrap_or(1);
    clip.fade_in = fields.fade("fade_in", clock, text);
    clip.fade_out = fields.fade("fade_out", clock, text);
    clip.layout = fields.named("layout", text);
    if own {
        clip.gain = fields.gain("gain", text).unwrap_or_default();
        clip.crossfade = fields.fade("crossfade", clock, text);
    }
    known.then_some(clip)
}

/// A path from the session's folder, which must lie in it unless more is allowed; `None` where that was told.
pub(super) fn confined(
    file: &str,
    within: &Path,
    span: &Range<usize>,
    who: &str,
    context: &Context<'_>,
    text: &mut Text,
) -> Option<PathBuf> {
    let inner = joined(within, Path::new(file));
    let path = joined(&context.folder, &inner);
    let kind = if file.contains('\0') {
        ProblemKind::message(format!("{who}: the name of the file holds a NUL"))
    } else if let Some(kind) = link(file, &path, who, context) {
        kind
    } else if is_link(file) {
        return Some(path);
    } else if !context.outside && !inside(&inner, &path, context) {
        outside_folder(file, who)
    } else {
        return Some(path);
    };
    text.report(span, Problem::of(Subject::Session, kind));
    None
}

fn outside_folder(file: &str, who: &str) -> ProblemKind {
    ProblemKind::OutsideFolder { owner: who.to_owned(), file: file.to_owned() }
}

/// Returns what is wrong with a file that is given as a link.
fn link(file: &str, path: &Path, who: &str, context: &Context<'_>) -> Option<ProblemKind> {
    let allowed = context.outside;
    match Location::of(path) {
        _ if !is_link(file) => None,
        #[cfg(feature = "cloud")]
        Ok(Location::Object(_)) if allowed => None,
        #[cfg(feature = "cloud")]
        Ok(Location::Local(local)) if allowed && local != path => None,
        #[cfg(feature = "cloud")]
        Ok(Location::Object(_)) => Some(outside_folder(file, who)),
        Err(e) if allowed => Some(ProblemKind::message(format!("{who}: {e}"))),
        _ => Some(ProblemKind::message(format!("{who}: {file} is a link; write the path of a file"))),
    }
}

/// Steps that go up may not leave the folder, nor may a symbolic link on the way.
fn inside(inner: &Path, path: &Path, context: &Context<'_>) -> bool {
    let mut depth = 0i64;
    let steps = inner.components().all(|step| {
        match step {
            Component::Normal(_) => depth += 1,
            Component::ParentDir => depth -= 1,
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return false,
        }
        depth >= 0
    });
    let linked_out = |path: &Path| match (&context.base, path.canonicalize()) {
        (Some(base), Ok(real)) => !real.starts_with(base),
        _ => false,
    };
    steps && !context.spoken(path).iter().any(|p| linked_out(p))
}
