//! The stems of a folder: every file that opens as audio or is named like it, in the order of their names. With the feature
//! `cloud` it may be one of an object store.

use super::{inputs::is_link, strips::listed};
use crate::voice::Voice;
use soundtrack::{Error, ErrorKind, Result, SampleRate, media};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Endings that promise audio: such a file is a stem, and one that cannot be read is refused, never left out.
const AUDIO: [&str; 36] = [
    "aac", "ac3", "aif", "aifc", "aiff", "alac", "ape", "au", "bwf", "caf", "dff", "dsf", "eac3",
    "flac", "m4a", "m4b", "mka", "mkv", "mp1", "mp2", "mp3", "mp4", "mpc", "oga", "ogg", "opus",
    "rf64", "snd", "spx", "tta", "w64", "wav", "wave", "webm", "wma", "wv",
];

/// Endings of those that hold one stream, of which nothing but the rate is to be known before the mix.
const ONE_STREAM: [&str; 13] = [
    "aac", "aif", "aifc", "aiff", "bwf", "caf", "flac", "mp1", "mp2", "mp3", "rf64", "wav", "wave",
];

/// A file that opens, and its rate; or one that should open but does not, which is for the mix to refuse by name.
pub struct Found {
    pub file: PathBuf,
    pub rate: Option<SampleRate>,
}

/// The stems of a folder; at least one. Hidden files and folders within are passed over. Where the rate is given, stems
/// whose name says enough are not opened.
pub fn stems(folder: &Path, rate_given: bool, voice: Voice) -> Result<Vec<Found>> {
    let (files, folders) = if is_link(folder) {
        (objects(folder)?, 0)
    } else {
        files(folder, voice)?
    };
    let mut found = Vec::new();
    let mut silent = 0;
    for file in files {
        if rate_given && of_one_stream(&file) {
            found.push(Found { file, rate: None });
            continue;
        }
        match media::open(&file, None) {
            Ok((_, info)) => {
                say_streams(&file, &info, voice);
                found.push(Found {
                    file,
                    rate: Some(info.spec.rate),
                });
            }
            Err(_) if promises_audio(&file) => found.push(Found { file, rate: None }),
            Err(e) => {
                voice.detail(&format!("passed over {e}"));
                silent += 1;
            }
        }
    }
    if found.is_empty() {
        let more = match folders {
            0 => String::new(),
            1 => ", only another folder".to_owned(),
            n => format!(", only {n} other folders"),
        };
        let what = format!(
            "{}: there is no audio file in this folder{more}",
            folder.display()
        );
        return Err(Error::new(ErrorKind::NotFound, what));
    }
    if silent > 0 && !voice.verbose {
        let files = if silent == 1 {
            "1 file that is".to_owned()
        } else {
            format!("{silent} files that are")
        };
        voice.note(&format!(
            "{}: passed over {files} no audio (-v says which)",
            folder.display()
        ));
    }
    Ok(found)
}

/// The files of a folder, sorted, and how many folders are within.
fn files(folder: &Path, voice: Voice) -> Result<(Vec<PathBuf>, usize)> {
    let refused = |e: io::Error| {
        let what = format!("{}: the folder cannot be read: {e}", folder.display());
        Error::new(ErrorKind::NotFound, what).because(e)
    };
    let (mut files, mut folders, mut left_out) = (Vec::new(), 0, Vec::new());
    for entry in fs::read_dir(folder).map_err(refused)? {
        let path = entry.map_err(refused)?.path();
        if path.is_dir() {
            folders += 1;
            if !hidden(&path) && holds_audio(&path) {
                left_out.push(inner_name(&path));
            } else {
                voice.detail(&format!("passed over {}: a folder", path.display()));
            }
        } else if !hidden(&path) {
            files.push(path);
        }
    }
    files.sort();
    left_out.sort();
    if !left_out.is_empty() && !voice.quiet {
        let names: Vec<&str> = left_out.iter().map(String::as_str).collect();
        let (s, it) = if names.len() == 1 {
            ("", "it")
        } else {
            ("s", "them")
        };
        voice.caution(&format!(
            "{}: the audio in the folder{s} {} is left out; name {it} to take it in",
            folder.display(),
            listed(&names)
        ));
    }
    Ok((files, folders))
}

/// Folders that are looked into for audio, and how deep: enough to find what was forgotten, and bounded.
const MOST_FOLDERS: usize = 200;
const DEEPEST: usize = 4;

/// Whether a file in a folder, or in one below, is named like audio. Hidden folders and links are not looked into.
fn holds_audio(folder: &Path) -> bool {
    let mut left = vec![(folder.to_owned(), 1)];
    let mut looked = 0;
    while let Some((folder, depth)) = left.pop() {
        looked += 1;
        if looked > MOST_FOLDERS {
            break;
        }
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            if hidden(&path) {
                continue;
            }
            if kind.is_dir() && depth < DEEPEST {
                left.push((path, depth + 1));
            } else if kind.is_file() && promises_audio(&path) {
                return true;
            }
        }
    }
    false
}

/// The last name of a path.
fn inner_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// The objects of a folder of a store, `s3://bucket/stems/`, or those that fit a pattern, `s3://bucket/stems/*.wav`.
#[cfg(feature = "cloud")]
fn objects(link: &Path) -> Result<Vec<PathBuf>> {
    let names = soundtrack::storage::list(&link.to_string_lossy())?;
    let is_pattern = link
        .file_name()
        .is_some_and(|name| name.as_encoded_bytes().contains(&b'*'));
    let folder = link.parent().filter(|_| is_pattern).unwrap_or(link);
    Ok(names
        .iter()
        .map(|name| folder.join(name))
        .filter(|p| !hidden(p))
        .collect())
}

#[cfg(not(feature = "cloud"))]
fn objects(link: &Path) -> Result<Vec<PathBuf>> {
    let what = "object stores need the feature `cloud`, which is not built in";
    Err(Error::new(
        ErrorKind::Unsupported,
        format!("{}: {what}", link.display()),
    ))
}

/// Tells of a file with several streams that only the first is taken.
pub fn say_streams(file: &Path, info: &media::Info, voice: Voice) {
    if info.streams > 1 {
        let (file, streams) = (file.display(), info.streams);
        voice.note(&format!(
            "{file} holds {streams} audio streams, of which the first is taken; {file}/ takes the others"
        ));
    }
}

fn hidden(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|n| n.as_encoded_bytes().starts_with(b"."))
}

fn promises_audio(path: &Path) -> bool {
    ends_in(path, &AUDIO)
}

/// Whether its name says that it is a stem that needs no look for further streams.
pub fn of_one_stream(path: &Path) -> bool {
    ends_in(path, &ONE_STREAM)
}

fn ends_in(path: &Path, endings: &[&str]) -> bool {
    let ending = path
        .extension()
        .map(|e| e.to_string_lossy().to_ascii_lowercase());
    ending.is_some_and(|e| endings.contains(&e.as_str()))
}
