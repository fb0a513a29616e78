//! Deliverables of a session file.

use super::{
    build::Context,
    clips::confined,
    document::{Key, Table, Text, Value},
    fields::Fields,
    strips::bus,
};
use crate::{
    measure::LoudnessTarget,
    session::{Deliverable, Session, outputs},
    units::{Dbtp, Lufs},
};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

/// A deliverable. The session is complete but for these, so that parts of it can be named.
pub(super) fn deliverable(
    key: &Key,
    table: &Table,
    session: &Session,
    context: &Context<'_>,
    text: &mut Text,
) -> Deliverable {
    let fields = Fields::new("deliver", format!("deliverable {:?}", key.name), table);
    fields.own(&key.span, text);
    let mut promise = Deliverable::new(&key.name, "");
    promise.written = fields.written(&key.span, &["file"], text);
    match fields.string("file", text) {
        None if !fields.has("file") => text.say(key.span.clone(), format!("{}: it has no file", fields.who())),
        None => {}
        Some(file) => {
            let path = confined(file, Path::new(""), &fields.span("file"), fields.who(), context, text);
            promise.file = path.unwrap_or_default();
        }
    }
    let format = fields.named("format", text);
    promise.format = format.unwrap_or_default();
    // An unknown format is a problem already; what the extension should be is not known then.
    if (format.is_some() || !fields.has("format"))
        && let Some(fault) = promise.format.container.name_fault(&promise.file)
    {
        text.say(fields.span("file"), format!("{}: file: {fault}", fields.who()));
    }
    promise.lang = language(&fields, text);
    for (name, span) in fields.strings("mute", text) {
        match session.part(name) {
            Ok(part) => promise.mute.push(part),
            Err(what) => text.say(span, format!("{}: mute: {what}", fields.who())),
        }
    }
    for (name, span) in fields.strings("stems", text) {
        promise.stems.extend(bus(name, span, fields.who(), context, text));
    }
    promise.album = fields.switch("album", text);
    (promise.loudness, promise.fit) =
        loudness(&fields, text).map_or((None, false), |(target, fit)| (Some(target), fit));
    promise.dither = fields.named("dither", text);
    pattern(&promise, &fields, session, text);
    fields.finish(text);
    promise
}

/// What the name of the file must tell apart, and what can be filled in.
fn pattern(promise: &Deliverable, fields: &Fields<'_>, session: &Session, text: &mut Text) {
    let file = fields.string("file", text).unwrap_or_default();
    let who = fields.who();
    let mut say = |what: String| text.say(fields.span("file"), format!("{who}: file: {what}"));
    let words: Vec<&str> = outputs::words(file).collect();
    for word in words.iter().filter(|w| !outputs::WORDS.contains(w)) {
        let hint = crate::diagnostics::suggest::hint(word, outputs::WORDS);
        say(format!("there is no {{{word}}}; there are {{title}}, {{cue}}, {{bus}}, {{lang}} and {{nn}}{hint}"));
    }
    let has = |word: &str| words.contains(&word);
    if has("title") && session.title.is_empty() {
        say("{title} is empty: the session has no title".to_owned());
    }
    if has("lang") && promise.lang.is_none() && session.lang.is_none() {
        say("{lang} is empty: no language is chosen, as in lang = \"en\"".to_owned());
    }
    if promise.album && !promise.stems.is_empty() {
        text.say(fields.span("album"), format!("{who}: it is an album and stems: make two deliverables of it"));
        return;
    }
    let mut say = |what: &str| text.say(fields.span("file"), format!("{who}: file: {what}"));
    if has("bus") && promise.stems.is_empty() {
        say("{bus} is for stems, as in stems = [\"music\"]");
    }
    if has("cue") && !promise.album {
        say("{cue} is for an album, as in album = true");
    }
}

/// Reads the target of `loudness`, and whether the mix is fitted to it. A named target comes with its figures, which the
/// other keys replace.
fn loudness(fields: &Fields<'_>, text: &mut Text) -> Option<(LoudnessTarget, bool)> {
    let table = fields.table("loudness", text)?;
    let inner = Fields::new("loudness", format!("{}, loudness", fields.who()), table);
    let number = |key: &'static str, low: f64, high: f64, text: &mut Text| {
        let node = inner.node(key)?;
        let value = match &node.value {
            #[expect(clippy::cast_precision_loss, reason = "what loses digits lies outside the range")]
            Value::Integer(n) => *n as f64,
            Value::Number(x) => *x,
            other => {
                let what = format!("{}: {key} is {}, but should be a number", inner.who(), other.kind());
                text.say(node.span.clone(), what);
                return None;
            }
        };
        if (low..=high).contains(&value) {
            return Some(value);
        }
        text.say(node.span.clone(), format!("{}: {key}: {value} is outside {low} to {high}", inner.who()));
        None
    };
    let named = matches!(inner.node("target").map(|node| &node.value), Some(Value::Text(_)));
    let mut target = if named {
        inner.named::<LoudnessTarget>("target", text).unwrap_or_default()
    } else {
        LoudnessTarget { integrated: number("target", -70.0, 0.0, text).map(Lufs), ..LoudnessTarget::default() }
    };
    target.tolerance = number("tolerance", 0.0, 20.0, text).or(target.tolerance);
    target.true_peak = number("true_peak", -60.0, 20.0, text).map(Dbtp).or(target.true_peak);
    let fit = inner.switch("fit", text);
    inner.finish(text);
    Some((target, fit))
}

/// `lang`: letters, digits and dashes, so that no name of a file changes its folder by it.
pub(super) fn language(fields: &Fields<'_>, text: &mut Text) -> Option<String> {
    let lang = fields.string("lang", text)?;
    let plain = lang.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    if lang.is_empty() || lang.len() > 35 || !plain {
        let what = format!("{}: lang: {lang:?} is no language, like en or pt-BR", fields.who());
        text.say(fields.span("lang"), what);
        return None;
    }
    Some(lang.to_owned())
}

/// Two files of one name, of one deliverable or of two.
pub(super) fn collisions(session: &Session, folder: &Path, tables: &[(&Key, &Table)], text: &mut Text) {
    let mut taken: HashMap<PathBuf, &str> = HashMap::new();
    for (promise, (key, table)) in session.deliverables.iter().zip(tables) {
        let outputs = if promise.file.as_os_str().is_empty() { Vec::new() } else { session.outputs(promise) };
        let span = table.get("file").map_or(&key.span, |node| &node.span);
        for output in outputs {
            let file = output.file.strip_prefix(folder).unwrap_or(&output.file).display().to_string();
            let Some(other) = taken.insert(output.file, &promise.name) else { continue };
            let advice = match (promise.album, promise.stems.is_empty()) {
                (true, _) => ": put {cue} or {nn} in it",
                (_, false) => ": put {bus} or {nn} in it",
                _ => "",
            };
            let what = if other == promise.name {
                format!("deliverable {other:?}: file: would write {file} twice{advice}")
            } else {
                format!("deliverable {:?}: file: would write {file}, as deliverable {other:?} does", promise.name)
            };
            text.say(span.clone(), what);
            break;
        }
    }
}
