//! What the inputs mean: a session file, folders of stems, stems with levels, files that hold several stems.

use super::level;
use crate::failure::Failure;
use soundtrack::{Decibels, Error, ErrorKind, Pan};
use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

/// An input, told from its name and from what lies under it; nothing is opened yet.
#[derive(Clone)]
pub enum Kind {
    Demo,
    Session(PathBuf),
    Folder(PathBuf),
    /// A file of stems: `song.stem.mp4/`.
    Streams(PathBuf),
    Stem(PathBuf, Decibels, Pan),
}

/// What all the inputs are: the demo where there is none, and never a session file among others.
pub fn kinds(inputs: &[PathBuf]) -> Result<Vec<Kind>, Failure> {
    if inputs.is_empty() {
        return Ok(vec![Kind::Demo]);
    }
    let kinds = inputs
        .iter()
        .map(|i| kind(i))
        .collect::<Result<Vec<_>, _>>()?;
    let session = kinds.iter().find_map(|k| {
        if let Kind::Session(path) = k {
            Some(path)
        } else {
            None
        }
    });
    match session {
        Some(path) if kinds.len() > 1 => Err(Failure::Usage(format!(
            "{}: a session file stands alone; add its stems to it",
            path.display()
        ))),
        _ => Ok(kinds),
    }
}

fn kind(input: &Path) -> Result<Kind, Failure> {
    let plain = || Kind::Stem(input.to_owned(), Decibels::UNITY, Pan::CENTRE);
    if is_link(input) {
        return link(input);
    }
    if input.is_dir() {
        return Ok(Kind::Folder(input.to_owned()));
    }
    if input.exists() {
        return Ok(if is_session(input) {
            Kind::Session(input.to_owned())
        } else {
            plain()
        });
    }
    if let Some(file) = without_slash(input)
        && file.is_file()
    {
        return Ok(Kind::Streams(file));
    }
    if only_a_stream(input)
        && !level::split(input.as_os_str()).is_some_and(|(name, _)| Path::new(&name).exists())
    {
        let what = format!(
            "{}: the number of a stream or a channel follows its file without a space: song.mp4#2, poly.wav#ch3",
            input.display()
        );
        return Err(Failure::Usage(what));
    }
    let Some((name, suffix)) = level::split(input.as_os_str()) else {
        return if is_session(input) {
            Err(absent(input, "there is no such file"))
        } else if without_slash(input).is_some() {
            Err(absent(input, "there is no such folder"))
        } else {
            Ok(plain())
        };
    };
    let name = PathBuf::from(name);
    match level::parse(&suffix) {
        Ok(_) if name.is_dir() || is_session(&name) || without_slash(&name).is_some() => {
            Err(Failure::Usage(format!(
                "{}: only a single stem can have a level",
                input.display()
            )))
        }
        Ok((gain, pan)) => Ok(Kind::Stem(name, gain, pan)),
        Err(e) if name.exists() => {
            let what = format!(
                "{}: {e}; a stem's level and place are @dB or @dB:pan, like @-2:L20",
                input.display()
            );
            Err(Failure::Usage(what))
        }
        Err(_) => Ok(plain()),
    }
}

/// Whether it is the name of an object of a store, or of a file as a link.
pub fn is_link(path: &Path) -> bool {
    path.to_str().is_some_and(|text| text.contains("://"))
}

/// What is not on this machine is told by its name alone.
fn link(input: &Path) -> Result<Kind, Failure> {
    if is_session(input) {
        return Ok(Kind::Session(input.to_owned()));
    }
    let is_pattern = input
        .file_name()
        .is_some_and(|name| name.as_encoded_bytes().contains(&b'*'));
    if without_slash(input).is_some() || is_pattern {
        return Ok(Kind::Folder(input.to_owned()));
    }
    let leveled = level::split(input.as_os_str())
        .and_then(|(name, suffix)| Some((name, level::parse(&suffix).ok()?)));
    Ok(match leveled {
        Some((name, (gain, pan))) => Kind::Stem(name.into(), gain, pan),
        None => Kind::Stem(input.to_owned(), Decibels::UNITY, Pan::CENTRE),
    })
}

fn is_session(path: &Path) -> bool {
    let ending = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    ending.eq_ignore_ascii_case("toml") || ending.eq_ignore_ascii_case("json")
}

/// Whether it is the number of a stream or a channel without a file, with or without a level: `#2`, `#ch3@-3`.
fn only_a_stream(input: &Path) -> bool {
    let name = input
        .file_name()
        .and_then(OsStr::to_str)
        .and_then(|n| n.strip_prefix('#'));
    let number = name.map(|n| n.split_once('@').map_or(n, |(number, _)| number));
    let number = number.map(|n| n.strip_prefix("ch").unwrap_or(n));
    number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

fn absent(path: &Path, what: &str) -> Failure {
    Error::new(ErrorKind::NotFound, format!("{}: {what}", path.display())).into()
}

/// The path before a slash at its end.
fn without_slash(path: &Path) -> Option<PathBuf> {
    let slash = path
        .as_os_str()
        .as_encoded_bytes()
        .last()
        .is_some_and(|b| std::path::is_separator(char::from(*b)));
    slash.then(|| path.components().as_path().to_owned())
}

/// What a file of stems or a session is called: its name without endings.
pub fn title(path: &Path) -> String {
    let stem = path
        .file_stem()
        .unwrap_or(path.as_os_str())
        .to_string_lossy();
    stem.strip_suffix(".stem")
        .filter(|s| !s.is_empty())
        .unwrap_or(&stem)
        .to_owned()
}

/// What a folder is called, also where it is given as `.`.
pub fn folder_name(folder: &Path) -> Option<std::ffi::OsString> {
    let named = |path: &Path| path.file_name().map(OsStr::to_owned);
    named(folder).or_else(|| named(&folder.canonicalize().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_and_slashes() {
        assert_eq!(title(Path::new("a/song.stem.mp4")), "song");
        assert_eq!(title(Path::new("kick.wav")), "kick");
        assert_eq!(title(Path::new(".stem.mp4")), ".stem");
        assert_eq!(
            without_slash(Path::new("a/b.mp4/")),
            Some(PathBuf::from("a/b.mp4"))
        );
        assert_eq!(without_slash(Path::new("a/b.mp4")), None);
        assert!(is_session(Path::new("x.TOML")) && !is_session(Path::new("toml")));
    }
}
