//! From the tree of a session file to a session.

use super::{
    Load,
    document::{Key, Node, Table, Text, Value},
    fields::{Fields, decibels},
};
use crate::{
    curve::{Curve, Fade, FadeShape, Shape},
    layout::Layout,
    nearest::hint,
    session::{Bus, BusId, Clip, Input, Session, Strip, Track},
    source::highest_rate,
    units::{Dbtp, Decibels, Frames, Pan, SampleRate},
};
use std::path::{Component, Path, PathBuf};

/// What is the same for the whole file.
struct Context<'a> {
    folder: PathBuf,
    outside: bool,
    rate: SampleRate,
    buses: Vec<&'a str>,
}

/// The session that a file describes. What is wrong is said to `text`; the session is then only what could be read.
pub(super) fn session(load: &Load, path: &Path, document: &Table, text: &mut Text<'_>) -> Session {
    let root = Fields::new("the session", document);
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let (buses, tracks) = (named_tables(&root, "bus", text), named_tables(&root, "track", text));
    let stated = rate(&root, text);
    let rate = load.rate.or(stated).or_else(|| {
        let files = tracks.iter().flat_map(|(_, table)| files(table)).map(|file| Input::from(folder.join(file)));
        highest_rate(&files.collect::<Vec<_>>())
    });
    let names = buses.iter().map(|(key, _)| key.name.as_str()).collect();
    let context = Context { folder, outside: load.outside, rate: rate.unwrap_or(SampleRate::HZ_48000), buses: names };

    let layout = root.named("layout", text);
    let mut session = Session::new(context.rate, load.layout.or(layout).unwrap_or(Layout::Stereo));
    root.string("title", text).unwrap_or_default().clone_into(&mut session.title);
    session.pan_law = root.named("pan_law", text).unwrap_or_default();
    session.length = root.time("length", context.rate, text);
    if let Some(table) = root.table("master", text) {
        let master = Fields::new("master", table);
        session.master.gain = master.gain("gain", text).unwrap_or_default();
        session.master.gain_curve = automation(&master, context.rate, text).0;
        session.master.limit = master.gain("limit", text).map(|limit| Dbtp(limit.0));
        master.finish(text);
    }
    for (key, table) in &buses {
        let fields = Fields::new(format!("bus {:?}", key.name), table);
        let mut bus = Bus::new(&key.name);
        strip(&fields, "to", &context, &mut bus.strip, text);
        fields.finish(text);
        session.add_bus(bus);
    }
    for (key, table) in &tracks {
        let fields = Fields::new(format!("track {:?}", key.name), table);
        let track = track(&key.name, &fields, &context, text);
        if track.clips.is_empty() {
            text.say(key.span.clone(), format!("{}: it has neither a file nor a clip", fields.who()));
        }
        fields.finish(text);
        session.add_track(track);
    }
    root.finish(text);
    for problem in crate::plan::check(&session) {
        // A track without a clip was named above; an empty session may still be filled by the program.
        if !["it has no clip", "the session has no tracks"].iter().any(|end| problem.what.ends_with(end)) {
            text.say(owner(&problem.what, &tracks, &buses), problem.what);
        }
    }
    session
}

/// The name of the track or bus that a problem of the whole session speaks of; the start of the text for others.
fn owner(what: &str, tracks: &[(&Key, &Table)], buses: &[(&Key, &Table)]) -> std::ops::Range<usize> {
    let speaks = |kind: &str, name: &str| what.starts_with(&format!("{kind} {name:?}: "));
    let circle = what.rsplit(": ").next().and_then(|ring| ring.split(" -> ").next());
    let track = tracks.iter().find(|(key, _)| speaks("track", &key.name));
    let bus = buses.iter().find(|(key, _)| speaks("bus", &key.name) || circle == Some(&key.name));
    track.or(bus).map_or(0..0, |(key, _)| key.span.clone())
}

fn rate(root: &Fields<'_>, text: &mut Text<'_>) -> Option<SampleRate> {
    let hz = root.count("rate", text)?;
    SampleRate::new(hz).map_err(|e| text.say(root.span("rate"), e.to_string())).ok()
}

/// The tables inside a table, with their names: `[track.drums]`, `[track.bass]`.
fn named_tables<'t>(root: &Fields<'t>, key: &'static str, text: &mut Text<'_>) -> Vec<(&'t Key, &'t Table)> {
    let mut found = Vec::new();
    for (name, node) in root.table(key, text).into_iter().flat_map(|t| &t.entries) {
        match &node.value {
            Value::Table(table) => found.push((name, table)),
            other => {
                let what = format!("{key} {:?} is {}, but should be a table: [{key}.{0}]", name.name, other.kind());
                text.say(node.span.clone(), what);
            }
        }
    }
    found
}

/// Every file that a track names, to learn rates from before times can be read.
fn files(track: &Table) -> Vec<&str> {
    let value = |table: &'_ Table, key: &str| table.entries.iter().position(|(k, _)| k.name == key);
    let get = |table, key| value(table, key).and_then(|i| table.entries.get(i)).map(|(_, node)| &node.value);
    let file = |table| match get(table, "file") {
        Some(Value::Text(file)) => Some(file.as_str()),
        _ => None,
    };
    let clips = match get(track, "clip") {
        Some(Value::Table(clips)) => clips.entries.as_slice(),
        _ => &[],
    };
    let inner = clips.iter().filter_map(|(_, node)| match &node.value {
        Value::Table(clip) => file(clip),
        _ => None,
    });
    file(track).into_iter().chain(inner).collect()
}

fn track(name: &str, fields: &Fields<'_>, context: &Context<'_>, text: &mut Text<'_>) -> Track {
    let mut track = Track::of(name).invert(fields.switch("invert", text));
    strip(fields, "bus", context, &mut track.strip, text);
    // A track's own fade, place and length are those of its one clip.
    track.clips.extend(clip(fields, context, false, text));
    for (key, node) in fields.table("clip", text).into_iter().flat_map(|t| &t.entries) {
        let Value::Table(table) = &node.value else {
            text.say(node.span.clone(), format!("clip {:?} is {}, but should be a table", key.name, node.value.kind()));
            continue;
        };
        let inner = Fields::new(format!("{}, clip {:?}", fields.who(), key.name), table);
        match clip(&inner, context, true, text) {
            Some(clip) => track.clips.push(clip),
            None => text.say(key.span.clone(), format!("{}: it has no file", inner.who())),
        }
        inner.finish(text);
    }
    track
}

/// The clip that a table describes, if it names a file. `own_gain`: its gain is the clip's, not the track's.
fn clip(fields: &Fields<'_>, context: &Context<'_>, own_gain: bool, text: &mut Text<'_>) -> Option<Clip> {
    let file = fields.string("file", text).map(|file| confined(file, fields, context, text));
    let mut clip = Clip::new(file.clone().unwrap_or_default());
    clip.at = fields.time("at", context.rate, text).unwrap_or_default();
    clip.from = fields.time("from", context.rate, text).unwrap_or_default();
    clip.length = fields.time("length", context.rate, text);
    clip.loops = fields.count("loop", text).unwrap_or(1);
    clip.fade_in = fade(fields, "fade_in", context.rate, text);
    clip.fade_out = fade(fields, "fade_out", context.rate, text);
    clip.layout = fields.named("layout", text);
    if own_gain {
        clip.gain = fields.gain("gain", text).unwrap_or_default();
    }
    file.map(|_| clip)
}

/// `"50ms"`, `"2s equal-power"`
fn fade(fields: &Fields<'_>, key: &'static str, rate: SampleRate, text: &mut Text<'_>) -> Fade {
    let Some(Node { value: Value::Text(written), span }) = fields.node(key) else {
        return fields.time(key, rate, text).map(Fade::linear).unwrap_or_default();
    };
    let (time, name) = written.trim().split_once(' ').unwrap_or((written, "linear"));
    let read = Frames::parse(time, rate).map_err(|e| e.to_string());
    let shape =
        |length| name.trim().parse::<FadeShape>().map(|shape| Fade { length, shape }).map_err(|e| e.to_string());
    let fade = read.and_then(shape);
    fade.map_err(|what| text.say(span.clone(), format!("{}: {key}: {what}", fields.who()))).unwrap_or_default()
}

fn strip(fields: &Fields<'_>, to: &'static str, context: &Context<'_>, strip: &mut Strip, text: &mut Text<'_>) {
    strip.gain = fields.gain("gain", text).unwrap_or_default();
    strip.pan = fields.pan("pan", text).unwrap_or_default();
    strip.mute = fields.switch("mute", text);
    strip.solo = fields.switch("solo", text);
    (strip.gain_curve, strip.pan_curve) = automation(fields, context.rate, text);
    let named = fields.string(to, text).map(|name| (name, fields.span(to)));
    strip.to = named.and_then(|(name, span)| bus(name, span, fields, context, text));
    for (key, node) in fields.table("send", text).into_iter().flat_map(|t| &t.entries) {
        let to = bus(&key.name, key.span.clone(), fields, context, text);
        match decibels(node) {
            Ok(gain) => strip.sends.extend(to.map(|to| super::super::Send { to, gain })),
            Err(what) => text.say(node.span.clone(), format!("{}: send to {:?} {what}", fields.who(), key.name)),
        }
    }
}

fn bus(
    name: &str,
    span: std::ops::Range<usize>,
    fields: &Fields<'_>,
    context: &Context<'_>,
    text: &mut Text<'_>,
) -> Option<BusId> {
    let index = context.buses.iter().position(|b| *b == name);
    if index.is_none() {
        let hint = hint(name, context.buses.iter().copied());
        text.say(span, format!("{}: there is no bus {name:?}{hint}", fields.who()));
    }
    index.map(BusId)
}

/// `automation.gain = ["0s -inf", "4s 0 sine"]` and `automation.pan = ["0s L40", "20s R40"]`
fn automation(fields: &Fields<'_>, rate: SampleRate, text: &mut Text<'_>) -> (Curve<Decibels>, Curve<Pan>) {
    let Some(table) = fields.table("automation", text) else { return (Curve::new(), Curve::new()) };
    let inner = Fields::new(format!("{}, automation", fields.who()), table);
    let curves = (curve(&inner, "gain", rate, text), curve(&inner, "pan", rate, text));
    inner.finish(text);
    curves
}

fn curve<T: std::str::FromStr<Err: std::fmt::Display>>(
    fields: &Fields<'_>,
    key: &'static str,
    rate: SampleRate,
    text: &mut Text<'_>,
) -> Curve<T> {
    let mut curve = Curve::new();
    for node in fields.list(key, text) {
        match point(node, rate) {
            Ok((at, value, shape)) => curve = curve.point(at, value, shape),
            Err(what) => text.say(node.span.clone(), format!("{} {key}: {what}", fields.who())),
        }
    }
    curve
}

/// `"4s 0 sine"`: time, value, and how it arrives there.
fn point<T: std::str::FromStr<Err: std::fmt::Display>>(
    node: &Node,
    rate: SampleRate,
) -> Result<(Frames, T, Shape), String> {
    let Value::Text(written) = &node.value else {
        return Err(format!("a point is {}, but should be like \"4s -6 sine\"", node.value.kind()));
    };
    let words: Vec<&str> = written.split_whitespace().collect();
    let (time, value, shape) = match words.as_slice() {
        [time, value] => (time, value, &"linear"),
        [time, value, shape] => (time, value, shape),
        _ => return Err(format!("{written:?} should be a time, a value and perhaps a shape, like \"4s -6 sine\"")),
    };
    let at = Frames::parse(time, rate).map_err(|e| e.to_string())?;
    let value = value.parse().map_err(|e| format!("{e}"))?;
    Ok((at, value, shape.parse().map_err(|e| format!("{e}"))?))
}

/// A stem's path, which must lie in the session's folder unless more is allowed.
fn confined(file: &str, fields: &Fields<'_>, context: &Context<'_>, text: &mut Text<'_>) -> PathBuf {
    let path = context.folder.join(file);
    if file.contains('\0') {
        text.say(fields.span("file"), format!("{}: the name of the file holds a NUL", fields.who()));
    } else if !context.outside {
        // Steps that go up may not leave the folder, nor may a symbolic link on the way.
        let mut depth = 0i64;
        let inside = Path::new(file).components().all(|step| {
            match step {
                Component::Normal(_) => depth += 1,
                Component::ParentDir => depth -= 1,
                Component::CurDir => {}
                Component::RootDir | Component::Prefix(_) => return false,
            }
            depth >= 0
        });
        let base = if context.folder.as_os_str().is_empty() { Path::new(".") } else { &context.folder };
        let linked = match (base.canonicalize(), path.canonicalize()) {
            (Ok(base), Ok(real)) => real.starts_with(base),
            _ => true,
        };
        if !inside || !linked {
            let what = format!("{}: {file} is outside the session's folder, which was not allowed", fields.who());
            text.say(fields.span("file"), what);
        }
    }
    path
}
