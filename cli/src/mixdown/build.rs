//! From the inputs to a session: opens what must be known, names the tracks, finds the rate.

use super::{args::Args, folder, inputs, inputs::Kind, level, output::DEMO};
use crate::{
    demo::{self, reel},
    failure::Failure,
    names::Names,
    voice::Voice,
};
use soundtrack::{
    Damage, Decibels, Error, ErrorKind, Input, Layout, Load, Pan, SampleRate, Session, Track, media,
};
use std::path::{Path, PathBuf};

/// The session that the inputs and the options ask for.
pub fn session(kinds: &[Kind], args: &Args, voice: Voice) -> Result<Session, Failure> {
    if !args.set.is_empty() && !matches!(kinds.first(), Some(Kind::Session(_))) {
        return Err(Failure::Usage(
            "--set changes a value of a session file, and there is none".to_owned(),
        ));
    }
    let mut session = match kinds.first() {
        Some(Kind::Demo) => demo(args, voice)?,
        Some(Kind::Session(path)) => load(args)?.session(path)?,
        _ => stems(kinds.to_vec(), args, voice)?,
    };
    if let Some(law) = args.pan_law {
        session.pan_law = law;
    }
    session.max_memory = args.memory << 20;
    if args.keep_going {
        session.damage = Damage::Silence;
    }
    Ok(session)
}

/// How a session file is read.
fn load(args: &Args) -> Result<Load, Failure> {
    let load = Load {
        rate: args.rate,
        layout: args.layout,
        outside: args.outside,
        stems: Some(if args.keep_going {
            Damage::Silence
        } else {
            Damage::Refuse
        }),
        ..Load::default()
    };
    args.set
        .iter()
        .try_fold(load, |load, setting| match setting.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => Ok(load.set(key.trim(), value.trim())),
            _ => Err(Failure::Usage(format!(
                "--set {setting}: should be KEY=VALUE, like track.drums.gain=-6"
            ))),
        })
}

fn demo(args: &Args, voice: Voice) -> Result<Session, Failure> {
    let folder = Path::new(DEMO).join("stems");
    voice.note(&format!(
        "making the stems of the demo in {}",
        folder.display()
    ));
    let written = demo::write_stems(&folder).map_err(|e| {
        let what = format!(
            "{}: the stems of the demo cannot be written: {e}",
            folder.display()
        );
        Error::new(ErrorKind::Output, what).because(e)
    })?;
    let (rate, layout) = (
        args.rate.unwrap_or(SampleRate::HZ_48000),
        args.layout.unwrap_or(Layout::Stereo),
    );
    Ok(reel::session(&written, Path::new(DEMO), rate, layout))
}

/// A stem on its way to a track. The rate is that of an input that was opened already: where the output's is given, few
/// are.
struct Stem {
    name: String,
    input: Input,
    rate: Option<SampleRate>,
    gain: Decibels,
    pan: Pan,
    /// Layout of the stem, if the command line states it.
    layout: Option<Layout>,
}

fn stems(kinds: Vec<Kind>, args: &Args, voice: Voice) -> Result<Session, Failure> {
    let title = match kinds.as_slice() {
        [Kind::Folder(path)] => inputs::folder_name(path)
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        [Kind::Streams(path)] => inputs::title(path),
        _ => String::new(),
    };
    let mut all = Vec::new();
    for kind in kinds {
        match kind {
            Kind::Folder(path) => {
                let found = folder::stems(&path, args.rate.is_some(), voice)?;
                all.extend(found.into_iter().map(|f| {
                    let name = inputs::title(&f.file);
                    Stem {
                        name,
                        input: Input::file(f.file),
                        rate: f.rate,
                        gain: Decibels::UNITY,
                        pan: Pan::CENTRE,
                        layout: None,
                    }
                }));
            }
            Kind::Streams(path) => all.extend(streams(&path, args, voice)),
            Kind::Stem(path, gain, pan) => {
                let (path, layout) = with_layout(path);
                let input = Input::file(path.clone());
                let rate = match args.rate {
                    Some(_) if folder::of_one_stream(&path) => None,
                    _ => match media::open(&path, None) {
                        Ok((_, info)) => {
                            folder::say_streams(&path, &info, voice);
                            Some(info.spec.rate)
                        }
                        // One of several streams, or no audio.
                        Err(_) => rate_of(&input, args),
                    },
                };
                all.push(Stem {
                    name: track_name(&path),
                    input,
                    rate,
                    gain,
                    pan,
                    layout,
                });
            }
            Kind::Demo | Kind::Session(_) => {}
        }
    }
    let rates = all.iter().filter_map(|s| s.rate);
    let highest = rates.map(SampleRate::to_whole).max();
    // Where no stem can be opened the rate does not matter: compiling tells what is wrong with each.
    let rate = args.rate.or(highest).unwrap_or(SampleRate::HZ_48000);
    let mut session = Session::new(rate, args.layout.unwrap_or(Layout::Stereo));
    session.title = title;
    let mut names = Names::default();
    for stem in all {
        let mut track = Track::new(names.unique(&stem.name), stem.input)
            .gain(stem.gain)
            .pan(stem.pan);
        for clip in &mut track.clips {
            clip.layout = stem.layout;
        }
        session.add_track(track);
    }
    Ok(session)
}

/// The rate of an input, which is opened for it only where the output's is not given.
fn rate_of(input: &Input, args: &Args) -> Option<SampleRate> {
    if args.rate.is_some() {
        None
    } else {
        media::highest_rate([input])
    }
}

/// Every stream of a file but the first, which is the mix of the others; the first where it is the only one.
fn streams(path: &Path, args: &Args, voice: Voice) -> Vec<Stem> {
    let (name, opened) = (inputs::title(path), media::open(path, None).ok());
    let rate = opened.as_ref().map(|(_, info)| info.spec.rate);
    let stem = |name, input, rate| Stem {
        name,
        input,
        rate,
        gain: Decibels::UNITY,
        pan: Pan::CENTRE,
        layout: None,
    };
    match opened.map_or(1, |(_, info)| info.streams) {
        0 | 1 => {
            voice.note(&format!(
                "{}: holds one audio stream, which is taken",
                path.display()
            ));
            vec![stem(name, Input::file(path), rate)]
        }
        count => {
            let of = |number| {
                let input = Input::stream(path, number);
                let rate = rate_of(&input, args);
                stem(format!("{name}#{number}"), input, rate)
            };
            (2..=count).map(of).collect()
        }
    }
}

/// Splits the layout off `poly.wav#5.1`, where no file of that whole name exists.
fn with_layout(path: PathBuf) -> (PathBuf, Option<Layout>) {
    let name = path.file_name().and_then(|name| name.to_str());
    let split = name.and_then(|name| {
        let (file, layout) = name.rsplit_once('#')?;
        Some((path.with_file_name(file), layout.parse().ok()?))
    });
    match split {
        Some((file, layout)) if !path.exists() => (file, Some(layout)),
        _ => (path, None),
    }
}

/// `kick` for `kick.wav`, `song#2` for the second stream of `song.stem.mp4`.
fn track_name(path: &Path) -> String {
    let whole = inputs::title(path);
    let ending = path
        .extension()
        .map(|e| e.to_string_lossy().into_owned())
        .unwrap_or_default();
    match ending.rsplit_once('#') {
        Some((_, number)) if !path.exists() => format!("{whole}#{number}"),
        _ => whole,
    }
}

/// For every input that is not there, the name beside it that may have been meant.
pub fn guesses(session: &Session) -> Vec<String> {
    let inputs = session
        .tracks()
        .iter()
        .flat_map(|t| &t.clips)
        .map(|c| &c.input);
    let files = inputs.filter_map(|i| {
        if let Input::File { path, .. } = i {
            Some(path)
        } else {
            None
        }
    });
    let mut hints: Vec<String> = files.filter_map(|p| guess(p)).collect();
    hints.dedup();
    hints
}

/// The name beside a missing path that is most like it, or what is missing of the way to it.
pub fn guess(path: &Path) -> Option<String> {
    if path.exists() || inputs::is_link(path) {
        return None;
    }
    let name = path.file_name()?.to_str()?;
    if path.as_os_str() == name && level::parse(name.strip_prefix('@').unwrap_or_default()).is_ok()
    {
        return Some(format!(
            "a level follows its stem without a space: kick.wav{name}"
        ));
    }
    let mut file = name;
    for mark in ["#ch", "#"] {
        if let Some((before, number)) = file.rsplit_once(mark)
            && number.parse::<usize>().is_ok()
        {
            file = before;
        }
    }
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
    if let Some(folder) = parent.filter(|p| !p.exists()) {
        return guess(folder).or_else(|| Some(format!("there is no folder {}", folder.display())));
    }
    let beside = parent.unwrap_or(Path::new(".")).read_dir().ok()?;
    let names: Vec<String> = beside
        .flatten()
        .filter_map(|e| e.file_name().into_string().ok())
        .collect();
    if let Some((before, _)) = file.rsplit_once('#')
        && names.iter().any(|name| name == before)
    {
        return Some(format!(
            "{}: after # stand the number of a stream (#2), of a channel (#ch3) or a layout (#5.1)",
            path.display()
        ));
    }
    let near = crate::names::similar(file, names.iter().map(String::as_str))
        .filter(|near| *near != file)?;
    let near = parent.map_or_else(|| PathBuf::from(near), |p| p.join(near));
    Some(format!(
        "{}: did you mean {}?",
        path.display(),
        near.display()
    ))
}
