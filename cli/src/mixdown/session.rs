//! Builds the session from the inputs and the options: opens stems to find the sample rate, and names the tracks.

use super::{
    args::Args,
    hints,
    inputs::{InputKind, StemInput},
    output_path::DEMO,
    stem_folder,
    track_names::{self, UniqueNames},
};
use crate::{
    demo::{self, reel},
    failure::Failure,
    messages::Messages,
};
use soundtrack::{
    Damage, Dbtp, Decibels, Error, ErrorKind, Input, Layout, Load, Pan, SampleRate, Session, Track,
    media,
};
use std::path::{Path, PathBuf};

/// Builds the session that the inputs and the options ask for.
///
/// # Errors
/// `Usage` for options that do not fit the inputs; errors of the library with hints.
pub fn build(inputs: &[InputKind], args: &Args, messages: Messages) -> Result<Session, Failure> {
    let mut session = match inputs {
        [InputKind::Session(path)] => load_options(args)?
            .session(path)
            .map_err(|e| hints::for_inputs(e.into(), args))?,
        [InputKind::Demo] => with_settings(demo_session(args, messages)?, args)?,
        stems => {
            let session =
                of_stems(stems, args, messages).map_err(|f| hints::for_inputs(f, args))?;
            with_settings(session, args)?
        }
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

/// Applies the options of the master to a session: `--limit` and `--dither`.
pub fn set_master(session: &mut Session, args: &Args) {
    if let Some(limit) = args.limit {
        session.master.limit = Some(Dbtp(limit));
    }
    session.master.dither = args.dither.or(session.master.dither);
}

/// Returns a session with the values of `--set`: it is written as a session file in memory, and read with the settings.
fn with_settings(session: Session, args: &Args) -> Result<Session, Failure> {
    if args.set.is_empty() {
        return Ok(session);
    }
    // Relative paths stay relative to the current folder.
    let path = Path::new("session.toml");
    let load = Load {
        outside: true,
        ..Load::default()
    };
    let load = settings(load, args)?;
    let loaded = load.text(session.to_text(path)?, path);
    loaded.map_err(|e| hints::for_inputs(e.into(), args))
}

/// Returns the options for loading a session file, with the values of `--set`.
fn load_options(args: &Args) -> Result<Load, Failure> {
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
    settings(load, args)
}

/// Adds the values of `--set`.
fn settings(load: Load, args: &Args) -> Result<Load, Failure> {
    args.set
        .iter()
        .try_fold(load, |load, setting| match setting.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => Ok(load.set(key.trim(), value.trim())),
            _ => Err(Failure::Usage(format!(
                "--set {setting}: should be KEY=VALUE, like track.drums.gain=-6"
            ))),
        })
}

/// Writes the stems of the demo, unless they are there, and returns its session.
fn demo_session(args: &Args, messages: Messages) -> Result<Session, Failure> {
    let folder = Path::new(DEMO).join("stems");
    let stems = match demo::finished_stems(&folder) {
        Some(stems) => stems,
        None => {
            messages.note(&format!(
                "making the stems of the demo in {}",
                folder.display()
            ));
            let written = demo::write_stems(&folder)
                .and_then(|stems| demo::mark_finished(&folder).map(|()| stems));
            written.map_err(|e| {
                let text = format!(
                    "{}: the stems of the demo cannot be written: {e}",
                    folder.display()
                );
                Error::new(ErrorKind::Output, text).because(e)
            })?
        }
    };
    let rate = args.rate.unwrap_or(SampleRate::HZ_48000);
    let layout = args.layout.unwrap_or(Layout::Stereo);
    Ok(reel::session(&stems, Path::new(DEMO), rate, layout))
}

/// A stem that becomes a track.
struct Stem {
    name: String,
    input: Input,
    /// Sample rate; `None` for a stem that was not opened, because the rate of the output is given.
    rate: Option<SampleRate>,
    gain: Decibels,
    pan: Pan,
    /// Layout that the command line states.
    layout: Option<Layout>,
}

impl Stem {
    /// Returns a centred stem at 0 dB.
    fn at_unity(name: String, input: Input, rate: Option<SampleRate>) -> Self {
        Self {
            name,
            input,
            rate,
            gain: Decibels::UNITY,
            pan: Pan::CENTRE,
            layout: None,
        }
    }
}

/// Returns a session with a track for every stem, at the given rate or the highest rate of the stems.
fn of_stems(inputs: &[InputKind], args: &Args, messages: Messages) -> Result<Session, Failure> {
    let mut stems = Vec::new();
    for input in inputs {
        match input {
            InputKind::Folder(path) => {
                let found =
                    stem_folder::find_stems(path, args.rate.is_some(), args.recursive, messages)?;
                stems.extend(found.into_iter().map(|found| {
                    let name = track_names::name_in(&found.subfolder, &found.file);
                    Stem::at_unity(name, Input::file(found.file), found.rate)
                }));
            }
            InputKind::StemFile(path) => stems.extend(streams_of(path, args, messages)),
            InputKind::Stem(stem) => stems.push(single_stem(stem, args, messages)),
            // `inputs::parse` returns these alone, and `build` handles them.
            InputKind::Demo | InputKind::Session(_) => {}
        }
    }
    let highest = stems
        .iter()
        .filter_map(|s| s.rate)
        .map(SampleRate::to_whole)
        .max();
    // If no stem can be opened, any rate will do: compiling reports the error of each stem.
    let rate = args.rate.or(highest).unwrap_or(SampleRate::HZ_48000);
    let mut session = Session::new(rate, args.layout.unwrap_or(Layout::Stereo));
    session.title = match inputs {
        [InputKind::Folder(path)] => track_names::folder_name(path)
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        [InputKind::StemFile(path)] => track_names::title(path),
        _ => String::new(),
    };
    let mut names = UniqueNames::default();
    for stem in stems {
        let mut track = Track::new(names.make_unique(&stem.name), stem.input)
            .gain(stem.gain)
            .pan(stem.pan);
        for clip in &mut track.clips {
            clip.layout = stem.layout;
        }
        session.add_track(track);
    }
    Ok(session)
}

/// Returns a stem given by name, with its level, pan and layout.
fn single_stem(stem: &StemInput, args: &Args, messages: Messages) -> Stem {
    let (path, layout) = split_layout(stem.path.clone());
    let input = Input::file(path.clone());
    let has_one_stream = stem_folder::has_one_stream(&path);
    let stated = has_one_stream.then(|| rate_of(&input, args)).flatten();
    let rate = match stated {
        _ if has_one_stream && args.rate.is_some() => None,
        Some(rate) => Some(rate),
        None => match media::open(&path, None) {
            Ok((_, info)) => {
                stem_folder::note_streams(&path, &info, messages);
                Some(info.spec.rate)
            }
            // The path names one of several streams, or the file holds no audio.
            Err(_) => rate_of(&input, args),
        },
    };
    Stem {
        name: track_names::track_name(&path),
        input,
        rate,
        gain: stem.gain,
        pan: stem.pan,
        layout,
    }
}

/// Returns the rate of an input, which is opened only if the output's rate is not given.
fn rate_of(input: &Input, args: &Args) -> Option<SampleRate> {
    match args.rate {
        Some(_) => None,
        None => media::highest_rate([input]),
    }
}

/// Returns every stream of a stem file but the first, which is the mix of the others; the first if it is the only one.
fn streams_of(path: &Path, args: &Args, messages: Messages) -> Vec<Stem> {
    let name = track_names::title(path);
    // A file that cannot be opened becomes one stem, whose error compiling reports.
    let info = media::open(path, None).ok().map(|(_, info)| info);
    match info.as_ref().map_or(1, |info| info.streams) {
        0 | 1 => {
            messages.note(&format!(
                "{}: has one audio stream, which is used",
                path.display()
            ));
            let rate = info.map(|info| info.spec.rate);
            vec![Stem::at_unity(name, Input::file(path), rate)]
        }
        count => {
            // Streams without a name have that of the file and their number.
            let names = media::stream_names(path).unwrap_or_default();
            (2..=count)
                .map(|number| {
                    let input = Input::stream(path, number);
                    let rate = rate_of(&input, args);
                    let stated = names.get(number - 1).filter(|name| !name.is_empty());
                    let name = stated
                        .cloned()
                        .unwrap_or_else(|| format!("{name}#{number}"));
                    Stem::at_unity(name, input, rate)
                })
                .collect()
        }
    }
}

/// Splits the layout off `poly.wav#5.1`, unless a file of that whole name exists.
fn split_layout(path: PathBuf) -> (PathBuf, Option<Layout>) {
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
