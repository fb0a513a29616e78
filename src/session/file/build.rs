//! From the tree of a session file to a session.

use super::{
    Load,
    clips::{Home, track},
    clock::{Clock, Zero},
    cues::{self, cue, markers},
    document::{Table, Text},
    fields::Fields,
    promises::{collisions, deliverable, language},
    strips::{automation, strip},
};
use crate::{
    error::ProblemKind,
    layout::Layout,
    media::{Input, highest_rate},
    session::{Bus, Session, validate},
    storage::{is_link, joined},
    units::{Dbtp, SampleRate},
};
use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
};

/// What is the same for the whole file.
pub(super) struct Context<'a> {
    /// The folder of the session file.
    pub folder: PathBuf,
    /// The same, without symbolic links; `None` where it cannot be found.
    pub base: Option<PathBuf>,
    pub outside: bool,
    pub clock: Clock,
    pub buses: Vec<&'a str>,
    pub bus_index: HashMap<&'a str, usize>,
    /// Every language that is spoken of, the chosen one first.
    pub langs: Vec<String>,
}

impl Context<'_> {
    /// A path in the language that is chosen.
    pub(super) fn said(&self, path: &Path) -> PathBuf {
        self.spoken(path).into_iter().next().unwrap_or_else(|| path.to_owned())
    }

    /// A path in every language.
    pub(super) fn spoken(&self, path: &Path) -> Vec<PathBuf> {
        let input = Input::file(path);
        let spoken = |lang: Option<&str>| match input.spoken(lang).ok()?.into_owned() {
            Input::File { path, .. } => Some(path),
            Input::Open(_) => None,
        };
        let all = self.langs.iter().filter_map(|l| spoken(Some(l)));
        if path.to_str().is_some_and(|t| t.contains("{lang}")) { all.collect() } else { vec![path.to_owned()] }
    }
}

/// The session that a file describes. What is wrong is said to `text`; the session is then only what could be read.
pub(super) fn session(load: &Load, path: &Path, document: &Table, text: &mut Text) -> Session {
    let root = Fields::new("session", "the session", document);
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let (buses, tracks) = (root.tables("bus", text), root.tables("track", text));
    let (cues, promises) = (root.tables("cue", text), root.tables("deliver", text));
    let lang = language(&root, text);
    let langs = lang.clone().into_iter().chain(promises.iter().filter_map(|(_, t)| t.text("lang")).map(str::to_owned));
    let langs: Vec<String> = langs.collect();

    let fps = root.named_or_number("fps", text);
    let stated = rate(&root, text);
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { &folder };
    let names: Vec<&str> = buses.iter().map(|(key, _)| key.name.as_str()).collect();
    let clock = Clock { rate: SampleRate::HZ_48000, fps, start: None };
    let mut context = Context {
        base: here.canonicalize().ok(),
        folder: folder.clone(),
        outside: load.outside,
        clock,
        bus_index: names.iter().copied().zip(0..).collect(),
        buses: names,
        langs,
    };
    let rate = load.rate.or(stated).or_else(|| {
        let said = |path: &Path| context.said(path);
        let own = tracks.iter().flat_map(|(_, t)| cues::named(t)).map(PathBuf::from);
        let of_cues = cues.iter().flat_map(|(_, t)| cues::files(t, &folder, said));
        let allowed = |file: &PathBuf| load.outside || !file.to_str().is_some_and(is_link);
        let all = own.chain(of_cues).filter(allowed);
        let files: HashSet<PathBuf> = all.map(|file| said(&joined(&folder, &file))).collect();
        highest_rate(&files.into_iter().map(Input::from).collect::<Vec<_>>())
    });
    context.clock.rate = rate.unwrap_or(SampleRate::HZ_48000);
    if let Some(written) = root.string("start", text) {
        let start = context
            .clock
            .timecode(written)
            .map_err(|what| text.say(root.span("start"), format!("the session: start: {what}")));
        context.clock.start = start.ok();
    }
    let context = context;

    let layout = root.named("layout", text);
    let mut session = Session::new(context.clock.rate, load.layout.or(layout).unwrap_or(Layout::Stereo));
    root.string("title", text).unwrap_or_default().clone_into(&mut session.title);
    session.pan_law = root.named("pan_law", text).unwrap_or_default();
    (session.fps, session.start) = (fps, context.clock.start);
    session.length = root.length("length", &context.clock, text);
    // Without one of its own the session speaks the first that is delivered.
    session.lang = lang.or_else(|| context.langs.first().cloned());
    session.markers = markers(&root, &context, Zero::Picture, text);
    master(&root, &mut session, &context, text);
    for (key, table) in &buses {
        let fields = Fields::new("bus", format!("bus {:?}", key.name), table);
        fields.own(&key.span, text);
        let mut bus = Bus::new(&key.name);
        strip(&fields, "to", &context, Zero::Picture, &mut bus.strip, text);
        fields.finish(text);
        session.add_bus(bus);
    }
    let home = Home { who: String::new(), zero: Zero::Picture, folder: PathBuf::new(), bus: None, context: &context };
    for (key, table) in &tracks {
        session.add_track(track(key, table, &home, None, text));
    }
    for (key, table) in &cues {
        session.add_cue(cue(key, table, &context, text));
    }
    let promised = promises.iter().map(|(key, table)| deliverable(key, table, &session, &context, text));
    session.deliverables = promised.collect();
    collisions(&session, &folder, &promises, text);
    root.finish(text);
    // What is empty was reported above with its line, or may still be filled by the program.
    for problem in validate::session(&session).into_iter().filter(|problem| problem.kind != ProblemKind::Empty) {
        text.pass_on(problem);
    }
    session
}

fn master(root: &Fields<'_>, session: &mut Session, context: &Context<'_>, text: &mut Text) {
    let Some(table) = root.table("master", text) else { return };
    let fields = Fields::new("master", "master", table);
    fields.own_as("the master", &root.span("master"), text);
    session.master.gain = fields.gain("gain", text).unwrap_or_default();
    session.master.gain_curve = automation(&fields, context, Zero::Picture, text).0;
    session.master.limit = fields.gain("limit", text).map(|level| Dbtp(level.0));
    session.master.dither = fields.named("dither", text);
    fields.finish(text);
}

fn rate(root: &Fields<'_>, text: &mut Text) -> Option<SampleRate> {
    let hz = root.count("rate", text)?;
    SampleRate::new(hz).map_err(|e| text.say(root.span("rate"), e.to_string())).ok()
}
