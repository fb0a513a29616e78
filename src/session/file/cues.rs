//! Cues, their uses and their files.

use super::{
    build::Context,
    clips::{Home, confined, track},
    clock::Zero,
    document::{Key, Table, Text, Value},
    fields::Fields,
    glob,
    strips::bus,
};
use crate::{
    media::Input,
    session::{Clip, Cue, Marker, Use},
    storage::{is_link, joined},
};
use std::{
    collections::HashSet,
    ops::Range,
    path::{Path, PathBuf},
};

/// The keys that speak of the first use of a cue.
const OF_USE: [&str; 7] = ["from", "length", "fade_in", "fade_out", "crossfade", "gain", "usage"];

pub(super) fn cue(key: &Key, table: &Table, context: &Context<'_>, text: &mut Text) -> Cue {
    let fields = Fields::new("cue", format!("cue {:?}", key.name), table);
    fields.own(&key.span, text);
    let mut cue = Cue::new(&key.name);
    fields.string("title", text).unwrap_or_default().clone_into(&mut cue.title);
    cue.kind = fields.named("kind", text).unwrap_or_default();
    cue.composer = owned(fields.strings("composer", text));
    cue.publisher = owned(fields.strings("publisher", text));
    cue.mute = fields.switch("mute", text);
    cue.markers = markers(&fields, context, Zero::Cue, text);
    cue.written = fields.written(&key.span, &["at", "folder", "files"], text);

    let folder = fields.string("folder", text).unwrap_or_default();
    // Told once, and not again for every file in it.
    let folder = if confined(folder, Path::new(""), &fields.span("folder"), fields.who(), context, text).is_some() {
        folder
    } else {
        ""
    };
    let default = fields.string("bus", text).and_then(|n| bus(n, fields.span("bus"), fields.who(), context, text));
    let home = Home {
        who: format!("cue {:?}, ", key.name),
        zero: Zero::Cue,
        folder: PathBuf::from(folder),
        bus: default,
        context,
    };
    tracks(&mut cue, &fields, &home, text);
    if cue.tracks.is_empty() && fields.lacks("files") && fields.lacks("track") {
        text.say(key.span.clone(), format!("{}: it has no tracks", fields.who()));
    }

    // The first use stands in the cue itself.
    if fields.node("at").is_some() {
        cue.uses.push(place(&fields, &key.span, context, text));
    } else {
        let _ = OF_USE.map(|key| fields.node(key));
        for extra in OF_USE.into_iter().filter(|key| fields.has(key)) {
            let what = format!("{}: {extra} is of its use against picture, and it has no at", fields.who());
            text.say(fields.span(extra), what);
        }
    }
    for (key, table) in fields.tables("use", text) {
        let inner = Fields::new("use", format!("{}, use {:?}", fields.who(), key.name), table);
        inner.own(&key.span, text);
        if inner.node("at").is_none() {
            text.say(key.span.clone(), format!("{}: it has no at", inner.who()));
        }
        cue.uses.push(place(&inner, &key.span, context, text).named(&key.name));
        inner.finish(text);
    }
    fields.finish(text);
    cue
}

/// A use; its keys are those of the cue's own table for the first.
fn place(fields: &Fields<'_>, whole: &Range<usize>, context: &Context<'_>, text: &mut Text) -> Use {
    let clock = &context.clock;
    let mut place = Use::at(fields.at("at", clock, Zero::Picture, text).unwrap_or_default());
    place.from = fields.length("from", clock, text).unwrap_or_default();
    place.length = fields.length("length", clock, text);
    place.fade_in = fields.fade("fade_in", clock, text);
    place.fade_out = fields.fade("fade_out", clock, text);
    place.crossfade = fields.fade("crossfade", clock, text);
    place.gain = fields.gain("gain", text).unwrap_or_default();
    fields.string("usage", text).unwrap_or_default().clone_into(&mut place.usage);
    place.written = fields.written(whole, &["at", "from", "length", "fade_in", "fade_out", "crossfade"], text);
    place
}

/// The tracks that patterns find, in the order of the names, then those that are written down. What is written of a track
/// that a pattern found too, without a file, adds to it.
fn tracks(cue: &mut Cue, fields: &Fields<'_>, home: &Home<'_>, text: &mut Text) {
    let written = fields.tables("track", text);
    let patterns = fields.strings("files", text);
    let mut names = HashSet::new();
    for (pattern, span) in patterns {
        for file in found(pattern, &span, fields.who(), home, text) {
            let name = name_of(&file, &names);
            let own = written.iter().find(|(key, table)| key.name == name && table.get("file").is_none());
            let elsewhere = written.iter().any(|(key, table)| {
                let same = table.text("file").is_some_and(|own| Path::new(own) == file);
                same || (key.name == name && own.is_none())
            });
            if elsewhere || !names.insert(name.clone()) {
                continue;
            }
            let inner = home.folder.join(&file);
            let path = confined(&inner.to_string_lossy(), Path::new(""), &span, fields.who(), home.context, text);
            let mut clip = Clip::new(Input::file(path.unwrap_or_default()));
            clip.written = text.written(&span, Vec::new());
            let bare = (Key { name, span: span.clone() }, Table::default());
            let (key, table) = own.copied().unwrap_or((&bare.0, &bare.1));
            cue.tracks.push(track(key, table, home, Some(clip), text));
        }
    }
    for (key, table) in written {
        if !(names.contains(&key.name) && table.get("file").is_none()) {
            cue.tracks.push(track(key, table, home, None, text));
        }
    }
}

/// The files of a pattern, in the language that is chosen, as paths from the cue's folder.
fn found(pattern: &str, span: &Range<usize>, who: &str, home: &Home<'_>, text: &mut Text) -> Vec<PathBuf> {
    let context = home.context;
    let parent = pattern.rsplit_once('/').map_or("", |(folder, _)| folder);
    confined(parent, &home.folder, span, who, context, text);
    if parent.contains(['*', '?']) {
        text.say(span.clone(), format!("{who}: files: * and ? stand in the name of a file, not in that of a folder"));
        return Vec::new();
    }
    let folder = context.said(&joined(&context.folder, &home.folder));
    let folder = if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder };
    match glob::files(&folder, pattern) {
        Ok(files) if files.is_empty() => {
            text.say(span.clone(), format!("{who}: no file of {} matches {pattern:?}", folder.display()));
            Vec::new()
        }
        Ok(files) => files,
        Err(e) => {
            let wanted = if parent.is_empty() { folder.clone() } else { folder.join(parent) };
            let what = if wanted.exists() || wanted.to_str().is_some_and(is_link) {
                format!("{who}: the folder {} cannot be read: {e}", wanted.display())
            } else {
                format!(
                    "{who}: there is no folder {}{}",
                    wanted.display(),
                    crate::diagnostics::suggest::beside(&wanted)
                )
            };
            text.say(span.clone(), what);
            Vec::new()
        }
    }
}

/// `violins` for `violins.wav`; the whole name where another file has taken that.
fn name_of(file: &Path, taken: &HashSet<String>) -> String {
    let text = |name: Option<&std::ffi::OsStr>| name.unwrap_or_default().to_string_lossy().into_owned();
    let short = text(file.file_stem());
    if taken.contains(&short) { text(file.file_name()) } else { short }
}

/// `marker = { "8s" = "lightning" }`
pub(super) fn markers(fields: &Fields<'_>, context: &Context<'_>, zero: Zero, text: &mut Text) -> Vec<Marker> {
    let mut markers = Vec::new();
    for (key, node) in fields.table("marker", text).into_iter().flat_map(|t| &t.entries) {
        let at = context.clock.moment(&key.name, zero);
        match (at, &node.value) {
            (Ok(at), Value::Text(name)) => markers.push(Marker { at, name: name.clone() }),
            (Err(what), _) => text.say(key.span.clone(), format!("{}: marker: {what}", fields.who())),
            (_, other) => {
                let what = format!("{}: marker {:?} is {}, but should be text", fields.who(), key.name, other.kind());
                text.say(node.span.clone(), what);
            }
        }
    }
    markers
}

fn owned(texts: Vec<(&str, Range<usize>)>) -> Vec<String> {
    texts.into_iter().map(|(text, _)| text.to_owned()).collect()
}

/// Every file that a cue names or finds, from the session's folder, to learn rates from.
pub(super) fn files(cue: &Table, folder: &Path, lang: impl Fn(&Path) -> PathBuf) -> Vec<PathBuf> {
    let home = Path::new(cue.text("folder").unwrap_or_default());
    let patterns: Vec<&str> = match cue.get("files").map(|n| &n.value) {
        Some(Value::Text(pattern)) => vec![pattern],
        Some(Value::List(list)) => {
            list.iter().filter_map(|n| if let Value::Text(t) = &n.value { Some(t.as_str()) } else { None }).collect()
        }
        _ => Vec::new(),
    };
    let globbed = patterns.iter().flat_map(|p| glob::files(&lang(&joined(folder, home)), p).unwrap_or_default());
    let named = cue.tables("track").flat_map(|(_, track)| named(track)).map(PathBuf::from);
    globbed.chain(named).map(|file| joined(home, &file)).collect()
}

/// Every file that a track names.
pub(super) fn named(track: &Table) -> Vec<&str> {
    track.text("file").into_iter().chain(track.tables("clip").filter_map(|(_, clip)| clip.text("file"))).collect()
}
