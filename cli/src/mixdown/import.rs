//! `mixdown import FILE`: writes the session of another program as a session file, or adds spotting to one.

use super::{args::ImportArgs, save};
use crate::{failure::Failure, messages::Messages, text::counted};
use soundtrack::{FrameRate, Load, Session, Timecode, error::ProblemKind, interchange};
use std::path::{Path, PathBuf};

/// Reads the file, writes the session file and returns the exit code. Each note of the library is a warning.
///
/// # Errors
/// `Usage` for wrong options; errors of the file with its place; `Output` for an existing file without `--force`.
pub fn run(args: &ImportArgs) -> Result<u8, Failure> {
    let messages = Messages {
        quiet: args.quiet,
        ..Messages::default()
    };
    match &args.into {
        Some(session) => add(args, session, messages),
        None => convert(args, messages),
    }
}

/// Returns the settings of the command line.
fn options(args: &ImportArgs) -> Result<interchange::Options, Failure> {
    let fps = match &args.fps {
        Some(text) => Some(text.parse::<FrameRate>().map_err(|e| usage("--fps", &e))?),
        None => None,
    };
    let start = match (&args.start, fps) {
        (Some(text), Some(fps)) => {
            Some(Timecode::parse(text, fps).map_err(|e| usage("--start", &e))?)
        }
        (Some(_), None) => {
            let what = "--start needs the frame rate that it counts in: add --fps 24".to_owned();
            return Err(Failure::Usage(what));
        }
        (None, _) => None,
    };
    Ok(interchange::Options {
        rate: args.rate,
        layout: args.layout,
        fps,
        start,
        overwrite: args.force,
        ..interchange::Options::default()
    })
}

fn usage(option: &str, error: &dyn std::error::Error) -> Failure {
    Failure::Usage(format!("{option}: {error}"))
}

/// Writes a new session file.
fn convert(args: &ImportArgs, messages: Messages) -> Result<u8, Failure> {
    interchange::FileKind::from_path(&args.file)?;
    let mut options = options(args)?;
    let path = match &args.output {
        Some(path) => path.clone(),
        None => {
            let name = args.file.file_stem().unwrap_or("import".as_ref());
            PathBuf::from(name).with_extension("toml")
        }
    };
    save::check(&path, "-o", args.force)?;
    // Audio inside an archive is written beside the session, which refers to it.
    options.media = Some(path.with_extension("audio"));
    let imported = interchange::read(&args.file, &options)?;
    let text = imported.session.to_text(&path)?;
    let is_toml = path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("toml"));
    let text = if is_toml {
        format!("{}{text}", heading(&imported, &args.file))
    } else {
        text
    };
    let load = Load {
        outside: true,
        ..Load::default()
    };
    load.text(text.as_str(), &path)?;
    save::write(&path, &text, args.force)?;
    warn(&imported.notes, &args.file, messages);
    let leads_outside = Load::default().text(text, &path).is_err_and(|e| {
        let mut problems = e.problems().iter();
        problems.any(|problem| matches!(problem.kind, ProblemKind::OutsideFolder { .. }))
    });
    if leads_outside {
        messages.warning(&format!(
            "{}: names files outside its folder: mix it with --outside, or move the files into the folder",
            path.display()
        ));
    }
    messages.note(&format!(
        "wrote {} with {}",
        path.display(),
        content(&imported.session)
    ));
    Ok(0)
}

/// Returns the comment before the session.
fn heading(imported: &interchange::Imported, file: &Path) -> String {
    let name = file.file_name().unwrap_or(file.as_os_str());
    let name = crate::text::printable(&name.to_string_lossy());
    let kind = imported.kind;
    format!(
        "# Imported from {name} ({kind}). Mix it with `mixdown FILE`, see what would be rendered with `mixdown plan FILE`.\n\
         # docs/session-keys.md describes every key.\n\n"
    )
}

/// Adds markers and cues to a session file, which keeps its comments and order.
fn add(args: &ImportArgs, path: &Path, messages: Messages) -> Result<u8, Failure> {
    if args.rate.is_some() || args.layout.is_some() || args.fps.is_some() || args.start.is_some() {
        let what = "--into takes rate, layout, frame rate and start from the session: leave these options out";
        return Err(Failure::Usage(what.to_owned()));
    }
    save::check(path, "--into", true)?;
    let load = Load {
        outside: true,
        ..Load::default()
    };
    let mut session = load.session(path)?;
    let options = interchange::Options {
        rate: Some(session.rate),
        layout: Some(session.layout),
        fps: session.picture().map(|(fps, _)| fps),
        start: session.start,
        ..interchange::Options::default()
    };
    let imported = interchange::read(&args.file, &options)?;
    warn(&imported.notes, &args.file, messages);
    let (markers, cues) = imported.add_spotting_to(&mut session)?;
    session.save(path)?;
    messages.note(&format!(
        "added {} and {} to {}",
        counted(markers as u64, "marker"),
        counted(cues as u64, "cue"),
        path.display()
    ));
    Ok(0)
}

/// Prints the notes of the library as warnings.
pub fn warn(notes: &[interchange::Note], file: &Path, messages: Messages) {
    for note in notes {
        messages.warning(&format!("{}: {note}", file.display()));
    }
}

/// Returns how many parts a session has: `3 tracks, 12 clips and 2 markers`.
fn content(session: &Session) -> String {
    let clips: usize = session.tracks().iter().map(|track| track.clips.len()).sum();
    let counts = [
        (session.tracks().len(), "track"),
        (clips, "clip"),
        (session.buses().len(), "bus"),
        (session.cues().len(), "cue"),
        (session.markers.len(), "marker"),
    ];
    let parts: Vec<String> = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| match name {
            "bus" if count > 1 => format!("{count} buses"),
            name => counted(count as u64, name),
        })
        .collect();
    match parts.split_last() {
        None => "no track".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}
