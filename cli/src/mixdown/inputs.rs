//! Classifies the inputs of the command line by their names and by what exists on disk. Opens nothing.

use super::{level_suffix, pattern};
use crate::{failure::Failure, file_store::is_link};
use soundtrack::{Decibels, Error, ErrorKind, Pan};
use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

/// Kind of an input.
#[derive(Clone)]
pub enum InputKind {
    /// The demo, made by the program.
    Demo,
    /// A session file.
    Session(PathBuf),
    /// A folder of stems.
    Folder(PathBuf),
    /// A file that holds several stems: `song.stem.mp4/`.
    StemFile(PathBuf),
    /// A stem.
    Stem(StemInput),
}

/// A stem with the level and the pan of its suffix.
#[derive(Clone)]
pub struct StemInput {
    /// Path without the suffix.
    pub path: PathBuf,
    pub gain: Decibels,
    pub pan: Pan,
}

impl StemInput {
    fn at_unity(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            gain: Decibels::UNITY,
            pan: Pan::CENTRE,
        }
    }
}

/// Classifies all inputs. Without any, returns the demo.
///
/// # Errors
/// `Usage` for a session file among other inputs and for a level of something other than a stem; `NotFound` for a session
/// or a folder that does not exist. A missing stem is reported when the session is compiled.
pub fn parse(inputs: &[PathBuf]) -> Result<Vec<InputKind>, Failure> {
    if inputs.is_empty() {
        return Ok(vec![InputKind::Demo]);
    }
    let mut kinds = Vec::new();
    for input in inputs {
        match pattern_of_stems(input)? {
            Some(stems) => kinds.extend(stems.into_iter().map(InputKind::Stem)),
            None => kinds.push(classify(input)?),
        }
    }
    let session = kinds.iter().find_map(|kind| match kind {
        InputKind::Session(path) => Some(path),
        _ => None,
    });
    match session {
        Some(path) if kinds.len() > 1 => Err(Failure::Usage(format!(
            "{}: a session file must be the only input; add the other stems to it",
            path.display()
        ))),
        _ => Ok(kinds),
    }
}

/// Returns the stems of a pattern with a level, `stems/*.wav@-3`, which a shell passes on as it is; `None` for any other
/// input.
///
/// # Errors
/// `NotFound` for a pattern that matches nothing; `Usage` for one of stems with a level or a pan that is wrong.
fn pattern_of_stems(input: &Path) -> Result<Option<Vec<StemInput>>, Failure> {
    if is_link(input) || input.exists() {
        return Ok(None);
    }
    let (mut path, mut level) = (input.to_owned(), (Decibels::UNITY, Pan::CENTRE));
    if let Some((name, suffix)) = level_suffix::split(input.as_os_str()) {
        let name = PathBuf::from(name);
        match level_suffix::parse(&suffix) {
            Ok(stated) => (path, level) = (name, stated),
            Err(e) if files_of_pattern(&name).is_some_and(|files| !files.is_empty()) => {
                return Err(wrong_level(input, &e));
            }
            Err(_) => {}
        }
    }
    let Some(files) = files_of_pattern(&path) else {
        return Ok(None);
    };
    if files.is_empty() {
        return Err(not_found(input, "no file matches this pattern"));
    }
    let (gain, pan) = level;
    Ok(Some(
        files
            .into_iter()
            .map(|path| StemInput { path, gain, pan })
            .collect(),
    ))
}

/// Returns the files of a pattern, sorted; `None` for a path that is no pattern.
fn files_of_pattern(path: &Path) -> Option<Vec<PathBuf>> {
    let pattern = path.file_name().and_then(OsStr::to_str)?;
    if path.exists() || !pattern::is_pattern(pattern) {
        return None;
    }
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    let mut files: Vec<PathBuf> = folder
        .unwrap_or(Path::new("."))
        .read_dir()
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            !name.starts_with('.') && pattern::matches(pattern, &name)
        })
        .map(|entry| match folder {
            Some(folder) => folder.join(entry.file_name()),
            None => entry.file_name().into(),
        })
        .filter(|file| file.is_file())
        .collect();
    files.sort();
    Some(files)
}

fn classify(input: &Path) -> Result<InputKind, Failure> {
    if input == Path::new("-") {
        return Err(Failure::Usage(
            "-: stdin is not read, because a stem is read at any position; write it to a file first and name that"
                .to_owned(),
        ));
    }
    if is_link(input) {
        return Ok(classify_link(input));
    }
    if input.is_dir() {
        return Ok(InputKind::Folder(input.to_owned()));
    }
    if input.exists() {
        return Ok(if is_session(input) {
            InputKind::Session(input.to_owned())
        } else {
            InputKind::Stem(StemInput::at_unity(input))
        });
    }
    if let Some(file) = without_slash(input)
        && file.is_file()
    {
        return Ok(InputKind::StemFile(file));
    }
    match level_suffix::split(input.as_os_str()) {
        Some((name, _)) if is_stream_number(input) && !Path::new(&name).exists() => {
            Err(stream_number_alone(input))
        }
        None if is_stream_number(input) => Err(stream_number_alone(input)),
        Some((name, suffix)) => classify_leveled(input, PathBuf::from(name), &suffix),
        None if is_session(input) => Err(not_found(input, "there is no such file")),
        None if without_slash(input).is_some() => Err(not_found(input, "there is no such folder")),
        None => Ok(InputKind::Stem(StemInput::at_unity(input))),
    }
}

/// Classifies an input that does not exist and whose name ends like a level.
fn classify_leveled(input: &Path, name: PathBuf, suffix: &str) -> Result<InputKind, Failure> {
    match level_suffix::parse(suffix) {
        Ok(_) if name.is_dir() || is_session(&name) || without_slash(&name).is_some() => {
            Err(Failure::Usage(format!(
                "{}: only a single stem can have a level",
                input.display()
            )))
        }
        Ok((gain, pan)) => Ok(InputKind::Stem(StemInput {
            path: name,
            gain,
            pan,
        })),
        Err(e) if name.exists() => Err(wrong_level(input, &e)),
        Err(_) => Ok(InputKind::Stem(StemInput::at_unity(input))),
    }
}

/// Returns the failure of a suffix that is neither a level nor a level and a pan.
fn wrong_level(input: &Path, e: &str) -> Failure {
    Failure::Usage(format!(
        "{}: {e}; a stem's level and pan are @dB or @dB:pan, like @-2:L20",
        input.display()
    ))
}

/// Classifies a link by its name alone: asking the store about every input would take a round trip each.
fn classify_link(input: &Path) -> InputKind {
    if is_session(input) {
        return InputKind::Session(input.to_owned());
    }
    let is_pattern = input
        .file_name()
        .is_some_and(|name| name.as_encoded_bytes().contains(&b'*'));
    if without_slash(input).is_some() || is_pattern {
        return InputKind::Folder(input.to_owned());
    }
    let leveled = level_suffix::split(input.as_os_str())
        .and_then(|(name, suffix)| Some((name, level_suffix::parse(&suffix).ok()?)));
    InputKind::Stem(match leveled {
        Some((name, (gain, pan))) => StemInput {
            path: name.into(),
            gain,
            pan,
        },
        None => StemInput::at_unity(input),
    })
}

fn is_session(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    extension.eq_ignore_ascii_case("toml") || extension.eq_ignore_ascii_case("json")
}

/// Returns whether an input is the number of a stream or a channel without a file: `#2`, `#ch3@-3`.
fn is_stream_number(input: &Path) -> bool {
    let name = input
        .file_name()
        .and_then(OsStr::to_str)
        .and_then(|n| n.strip_prefix('#'));
    let number = name.map(|n| n.split_once('@').map_or(n, |(number, _)| number));
    let number = number.map(|n| n.strip_prefix("ch").unwrap_or(n));
    number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

fn stream_number_alone(input: &Path) -> Failure {
    Failure::Usage(format!(
        "{}: write the number of a stream or a channel directly after its file, without a space: song.mp4#2, poly.wav#ch3",
        input.display()
    ))
}

fn not_found(path: &Path, text: &str) -> Failure {
    Error::new(ErrorKind::NotFound, format!("{}: {text}", path.display())).into()
}

/// Returns the path before a slash at its end; `None` if it ends without one.
fn without_slash(path: &Path) -> Option<PathBuf> {
    let ends_in_slash = path
        .as_os_str()
        .as_encoded_bytes()
        .last()
        .is_some_and(|b| std::path::is_separator(char::from(*b)));
    ends_in_slash.then(|| path.components().as_path().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_and_extensions_decide_the_kind() {
        assert_eq!(
            without_slash(Path::new("a/b.mp4/")),
            Some(PathBuf::from("a/b.mp4"))
        );
        assert_eq!(without_slash(Path::new("a/b.mp4")), None);
        assert!(is_session(Path::new("x.TOML")) && !is_session(Path::new("toml")));
    }
}
