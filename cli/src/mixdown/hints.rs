//! Hints for errors: the option that helps, or the file that may have been meant.

use super::{args::Args, level_suffix};
use crate::{
    failure::{Failure, is_out_of_file_handles},
    file_store::is_link,
    suggest,
};
use soundtrack::{
    Error, ErrorKind, Input, Layout, Problem, Session,
    error::{ProblemKind, Subject},
    media,
};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Alternative to replacing an output where `-o` names it.
pub const OR_OTHER_OUTPUT: &str = ", or -o to choose another name";

/// Returns the hint for an output that exists; `alternative` is how else the user can go on, or nothing.
pub fn replace(alternative: &str) -> String {
    format!("use --force to replace it{alternative}")
}

/// Returns an error of a render as a failure with hints. `alternative` is that of [`replace`].
pub fn for_error(error: Error, alternative: &str, args: &Args) -> Failure {
    let hints = of_error(&error, alternative, args);
    Failure::Library(error, hints)
}

/// Returns the hints for an error of a render. `alternative` is that of [`replace`].
pub fn of_error(error: &Error, alternative: &str, args: &Args) -> Vec<String> {
    let mut hints = of_output(error, alternative);
    let is_corrupt = match error.problems() {
        [] => error.kind() == ErrorKind::Corrupt,
        problems => problems
            .iter()
            .map(Problem::error_kind)
            .any(|kind| kind == ErrorKind::Corrupt),
    };
    if is_out_of_file_handles(error) {
        hints
            .push("raise this shell's limit of open files, for example `ulimit -n 256`".to_owned());
    } else if is_corrupt && !args.keep_going {
        hints.push(
            "use --keep-going to insert silence where a stem is damaged and to list the places"
                .to_owned(),
        );
    }
    hints
}

/// Returns the hint for an output that exists, if that is the error.
pub fn of_output(error: &Error, alternative: &str) -> Vec<String> {
    let exists =
        error.kind() == ErrorKind::Output && error.io_kind() == Some(io::ErrorKind::AlreadyExists);
    exists.then(|| replace(alternative)).into_iter().collect()
}

/// Returns the hint for a session that names a file outside its folder, if that is the error.
pub fn of_session(error: &Error) -> Option<String> {
    let mut problems = error.problems().iter();
    let is_outside = problems.any(|p| matches!(p.kind, ProblemKind::OutsideFolder { .. }));
    is_outside.then(|| "use --outside to allow it".to_owned())
}

/// Adds hints to a failure to read the inputs: names near to those that do not exist, and `--outside`.
pub fn for_inputs(failure: Failure, args: &Args) -> Failure {
    match failure {
        Failure::Library(error, mut hints) => {
            if error.kind() == ErrorKind::NotFound {
                hints.extend(args.inputs.iter().filter_map(|input| for_path(input)));
            }
            hints.extend(of_session(&error));
            Failure::Library(error, hints)
        }
        other => other,
    }
}

/// Returns a hint for every input of a session's tracks that does not exist.
pub fn for_tracks(session: &Session) -> Vec<String> {
    let clips = session.tracks().iter().flat_map(|track| &track.clips);
    let mut hints: Vec<String> = clips
        .filter_map(|clip| match &clip.input {
            Input::File { path, .. } => for_path(path),
            _ => None,
        })
        .collect();
    hints.dedup();
    hints
}

/// Returns a hint for every stem of the command line whose channels have no known layout: what to write after its name.
pub fn for_channels(error: &Error, session: &Session) -> Vec<String> {
    let unsupported = error
        .problems()
        .iter()
        .filter(|problem| problem.error_kind() == ErrorKind::Unsupported);
    unsupported
        .filter_map(|problem| {
            let Subject::Track { name, .. } = &problem.subject else {
                return None;
            };
            let track = session.tracks().iter().find(|t| t.strip.name == *name)?;
            let [clip] = track.clips.as_slice() else {
                return None;
            };
            let Input::File { path, .. } = &clip.input else {
                return None;
            };
            let (_, info) = media::open(path, None).ok()?;
            let layout = info.spec.layout;
            if clip.layout.is_some() || !matches!(layout, Layout::Discrete(_)) {
                return None;
            }
            let path = path.display();
            let names = Layout::names_of(layout.channels());
            let names: Vec<String> = names.map(|name| format!("{path}#{name}")).collect();
            Some(if names.is_empty() {
                format!("write {path}#ch1 for its first channel")
            } else {
                format!("write {}", names.join(" or "))
            })
        })
        .collect()
}

/// Returns a hint for a path that does not exist: the name beside it that is nearest, or the folder that is missing.
fn for_path(path: &Path) -> Option<String> {
    if path.exists() || is_link(path) {
        return None;
    }
    let name = path.file_name()?.to_str()?;
    if path.as_os_str() == name
        && let Some(suffix) = name.strip_prefix('@')
        && level_suffix::parse(suffix).is_ok()
    {
        return Some(format!(
            "write a level directly after its stem, without a space: kick.wav{name}"
        ));
    }
    let file = without_stream_number(name);
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
    if let Some(folder) = parent.filter(|p| !p.exists()) {
        return for_path(folder)
            .or_else(|| Some(format!("there is no folder {}", folder.display())));
    }
    let entries = parent.unwrap_or(Path::new(".")).read_dir().ok()?;
    let names: Vec<String> = entries
        .flatten()
        .filter_map(|e| e.file_name().into_string().ok())
        .collect();
    if let Some((before, _)) = file.rsplit_once('#')
        && names.iter().any(|name| name == before)
    {
        return Some(format!(
            "{}: write the number of a stream (#2), of a channel (#ch3) or a layout (#5.1) after #",
            path.display()
        ));
    }
    let near =
        suggest::nearest(file, names.iter().map(String::as_str)).filter(|near| *near != file)?;
    let near = parent.map_or_else(|| PathBuf::from(near), |p| p.join(near));
    Some(format!(
        "{}: did you mean {}?",
        path.display(),
        near.display()
    ))
}

/// Removes the numbers of a stream and a channel: `song.mp4#2`, `poly.wav#ch3`.
fn without_stream_number(name: &str) -> &str {
    let mut file = name;
    for mark in ["#ch", "#"] {
        if let Some((before, number)) = file.rsplit_once(mark)
            && number.parse::<usize>().is_ok()
        {
            file = before;
        }
    }
    file
}
