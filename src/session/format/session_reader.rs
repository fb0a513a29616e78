//! Reads a session from the tree of its file.

use super::{
    Load,
    bindings::{self, Header},
    clock::{Clock, TimeOrigin},
    cues::{self, cue},
    deliverables::{collisions, deliverable},
    files, is_json, keys,
    problems::Problems,
    table_reader::TableReader,
    tracks::{TrackScope, files_of_track, track},
    tree::{Key, Table},
    values::Scope,
};
use crate::{
    diagnostics::{Warning, WarningKind},
    error::{ProblemKind, Subject},
    layout::Layout,
    media::{Input, highest_rate},
    session::{Bus, Session, validate},
    storage::{is_link, joined},
    units::SampleRate,
};
use std::{
    cell::{OnceCell, RefCell},
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
};

/// The settings that apply to all tables of a file.
pub(super) struct Context<'a> {
    /// The folder of the session file.
    pub folder: PathBuf,
    /// Allows files outside the folder.
    pub outside: bool,
    pub clock: Clock,
    pub buses: Vec<&'a str>,
    pub bus_index: HashMap<&'a str, usize>,
    /// The tracks outside cues.
    pub tracks: Vec<&'a str>,
    /// The place of each of them, made for the first side-chain key: most files have none.
    track_index: OnceCell<HashMap<String, usize>>,
    /// Every language that the file names, the chosen one first.
    pub langs: Vec<String>,
    /// Paths that were found to stay in the folder, since many clips may name the same file.
    pub inside: RefCell<HashSet<PathBuf>>,
}

impl<'a> Context<'a> {
    fn new(folder: &Path, outside: bool, is_json: bool) -> Self {
        Self {
            folder: folder.to_owned(),
            outside,
            clock: Clock {
                rate: SampleRate::HZ_48000,
                fps: None,
                start: None,
                allows_bare_numbers: is_json,
            },
            buses: Vec::new(),
            bus_index: HashMap::new(),
            tracks: Vec::new(),
            track_index: OnceCell::new(),
            langs: Vec::new(),
            inside: RefCell::default(),
        }
    }

    /// Returns the place of a track outside cues among such tracks.
    pub(super) fn track(&self, name: &str) -> Option<usize> {
        let index = || {
            self.tracks
                .iter()
                .map(|name| (*name).to_owned())
                .zip(0..)
                .collect()
        };
        self.track_index.get_or_init(index).get(name).copied()
    }

    /// Returns a path in the chosen language.
    pub(super) fn in_language(&self, path: &Path) -> PathBuf {
        self.in_languages(path)
            .into_iter()
            .next()
            .unwrap_or_else(|| path.to_owned())
    }

    /// Returns a path in every language.
    pub(super) fn in_languages(&self, path: &Path) -> Vec<PathBuf> {
        if !path.to_str().is_some_and(|text| text.contains("{lang}")) {
            return vec![path.to_owned()];
        }
        let input = Input::file(path);
        let mut found = Vec::new();
        for lang in &self.langs {
            if let Ok(Input::File { path, .. }) = input.spoken(Some(lang)).as_deref() {
                found.push(path.clone());
            }
        }
        found
    }

    /// Reads the keys of the session itself.
    fn root<'t, 's>(
        &'s self,
        document: &'t Table,
        problems: &'s mut Problems,
    ) -> TableReader<'t, 's> {
        TableReader::new(
            &keys::SESSION,
            "the session",
            document,
            self.scope(),
            problems,
        )
    }

    /// Returns the scope of the session's own timeline and folder.
    pub(super) fn scope(&self) -> Scope<'_> {
        Scope {
            context: self,
            origin: TimeOrigin::Picture,
            folder: Path::new(""),
            session: None,
        }
    }
}

/// The named tables of a file.
struct Tables<'t> {
    buses: Vec<(&'t Key, &'t Table)>,
    tracks: Vec<(&'t Key, &'t Table)>,
    cues: Vec<(&'t Key, &'t Table)>,
    deliverables: Vec<(&'t Key, &'t Table)>,
}

/// Reads a session. Values with a problem are left out.
pub(super) fn session(
    load: &Load,
    path: &Path,
    document: &Table,
    problems: &mut Problems,
) -> Session {
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut context = Context::new(folder, load.outside, is_json(path));
    let mut header = Header::default();
    let mut root = context.root(document, problems);
    let tables = Tables {
        buses: root.tables("bus"),
        tracks: root.tables("track"),
        cues: root.tables("cue"),
        deliverables: root.tables("deliver"),
    };
    bindings::header(&mut root, &mut header);
    root.problems.is_frame_rate_wrong = root.has("fps") && header.fps.is_none();

    context.langs.extend(header.lang.clone());
    context.langs.extend(
        tables
            .deliverables
            .iter()
            .filter_map(|(_, table)| table.text("lang"))
            .map(str::to_owned),
    );
    context.buses = tables
        .buses
        .iter()
        .map(|(key, _)| key.name.as_str())
        .collect();
    context.bus_index = context.buses.iter().copied().zip(0..).collect();
    let tracks = tables.tracks.iter();
    context.tracks = tracks.map(|(key, _)| key.name.as_str()).collect();
    context.clock.fps = header.fps;
    let rate = load
        .rate
        .or(header.rate)
        .or_else(|| highest_stem_rate(&tables, &context));
    context.clock.rate = rate.unwrap_or(SampleRate::HZ_48000);
    let mut start = None;
    bindings::start(&mut context.root(document, problems), &mut start);
    context.clock.start = start;
    let context = context;

    let layout = load.layout.or(header.layout).unwrap_or(Layout::Stereo);
    let mut session = Session::new(context.clock.rate, layout);
    (session.fps, session.start) = (header.fps, start);
    session.written = problems.key_spans(&(0..0), Vec::new());
    // Defaults to the first deliverable's language.
    session.lang = context.langs.first().cloned();
    let mut root = context.root(document, problems);
    bindings::session(&mut root, &mut session);
    if let Some(table) = root.table("album") {
        let span = root.span("album");
        let mut album =
            TableReader::new(&keys::ALBUM, "album", table, context.scope(), root.problems);
        bindings::album(&mut album, &mut session.album);
        session.album.written = album.key_spans(&span);
        album.finish();
    }
    if let Some(table) = root.table("master") {
        let span = root.span("master");
        let mut master = TableReader::new(
            &keys::MASTER,
            "master",
            table,
            context.scope(),
            root.problems,
        );
        master.own("the master", &span);
        bindings::master(&mut master, &mut session.master);
        master.finish();
    }
    for (key, table) in &tables.buses {
        let mut bus = Bus::new(&key.name);
        let subject = format!("bus {:?}", key.name);
        let mut reader = TableReader::new(
            &keys::BUS,
            subject.as_str(),
            table,
            context.scope(),
            problems,
        );
        reader.own(&subject, &key.span);
        bindings::strip(&mut reader, "to", &mut bus.strip);
        reader.finish();
        session.add_bus(bus);
    }
    let scope = TrackScope {
        prefix: String::new(),
        bus: None,
        values: context.scope(),
    };
    for (key, table) in &tables.tracks {
        session.add_track(track(key, table, &scope, None, problems));
    }
    for (key, table) in &tables.cues {
        session.add_cue(cue(key, table, &context, problems));
    }
    let mut deliverables = Vec::new();
    for (key, table) in &tables.deliverables {
        deliverables.push(deliverable(key, table, &session, &context, problems));
    }
    session.deliverables = deliverables;
    collisions(&session, folder, &tables.deliverables, problems);
    session.load_warnings.0 = cues::passed_over(&session, &tables.cues, &context);
    session.load_warnings.0.extend(large_gains(&session));
    context.root(document, problems).finish();
    // Empty tracks and cues were reported above with their line, or may still be filled by the program.
    for problem in validate::session(&session)
        .into_iter()
        .filter(|problem| problem.kind != ProblemKind::Empty)
    {
        problems.pass_on(problem);
    }
    session
}

/// Gain in dB from which a strip is probably a mistake, such as -3 without its sign and its point.
const LARGE_GAIN: f64 = 24.0;

/// Returns a warning for each strip whose fader is above [`LARGE_GAIN`].
fn large_gains(session: &Session) -> Vec<Warning> {
    let tracks = session.tracks().iter().map(|track| (None, track));
    let in_cues = session.cues().iter().flat_map(|cue| {
        let name = cue.name.as_str();
        cue.tracks.iter().map(move |track| (Some(name), track))
    });
    let tracks = tracks.chain(in_cues).map(|(cue, track)| {
        let subject = Subject::Track {
            cue: cue.map(str::to_owned),
            name: track.strip.name.clone(),
            file: None,
        };
        (subject, track.strip.gain)
    });
    let buses = session.buses().iter().map(|bus| {
        let name = bus.strip.name.clone();
        (Subject::Bus { name }, bus.strip.gain)
    });
    let strips = tracks
        .chain(buses)
        .chain([(Subject::Master, session.master.gain)]);
    strips
        .filter(|(_, gain)| gain.0 > LARGE_GAIN)
        .map(|(subject, gain)| Warning::new(WarningKind::LargeGain { gain_db: gain.0 }, subject))
        .collect()
}

/// Returns the highest rate among the stems, where any can be opened.
fn highest_stem_rate(tables: &Tables<'_>, context: &Context<'_>) -> Option<SampleRate> {
    let mut named: Vec<PathBuf> = Vec::new();
    for (_, track) in &tables.tracks {
        named.extend(files_of_track(track).into_iter().map(PathBuf::from));
    }
    for (_, cue) in &tables.cues {
        named.extend(cues::files_of_cue(cue, context));
    }
    named.retain(|file| {
        let is_local = !file.to_str().is_some_and(is_link);
        context.outside || (is_local && files::is_inside(file, context))
    });
    let files: HashSet<PathBuf> = named
        .iter()
        .map(|file| context.in_language(&joined(&context.folder, file)))
        .collect();
    highest_rate(&files.into_iter().map(Input::from).collect::<Vec<_>>())
}
