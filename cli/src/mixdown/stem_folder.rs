//! Finds the stems of a folder: every file that opens as audio or is named like it, in the order of the names. With the
//! feature `cloud` the folder may be one of an object store.

use crate::{file_store::is_link, messages::Messages, suggest::quoted_list, text::counted};
use soundtrack::{Error, ErrorKind, Input, Result, SampleRate, media};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Extensions of audio files. Such a file is a stem; if it cannot be read the mix fails instead of leaving it out.
const AUDIO_EXTENSIONS: [&str; 36] = [
    "aac", "ac3", "aif", "aifc", "aiff", "alac", "ape", "au", "bwf", "caf", "dff", "dsf", "eac3",
    "flac", "m4a", "m4b", "mka", "mkv", "mp1", "mp2", "mp3", "mp4", "mpc", "oga", "ogg", "opus",
    "rf64", "snd", "spx", "tta", "w64", "wav", "wave", "webm", "wma", "wv",
];

/// Extensions of formats with a single stream. Such a file is opened before the mix only for its sample rate.
const ONE_STREAM_EXTENSIONS: [&str; 13] = [
    "aac", "aif", "aifc", "aiff", "bwf", "caf", "flac", "mp1", "mp2", "mp3", "rf64", "wav", "wave",
];

/// A stem of a folder.
pub struct FoundStem {
    pub file: PathBuf,
    /// Folders between the searched folder and the file, empty for a file of the folder itself.
    pub subfolder: PathBuf,
    /// Sample rate; `None` for a file that was not opened, or that could not be, which the mix reports.
    pub rate: Option<SampleRate>,
}

/// Finds the stems of a folder, and with `is_recursive` those of its subfolders. Skips hidden files and folders. If the output's rate is given, does not open files whose
/// extension is that of a format with a single stream.
///
/// # Errors
/// `NotFound` for a folder that cannot be read or holds no audio.
pub fn find_stems(
    folder: &Path,
    is_rate_given: bool,
    is_recursive: bool,
    messages: Messages,
) -> Result<Vec<FoundStem>> {
    let (files, folders) = if is_link(folder) {
        (list_objects(folder)?, 0)
    } else if is_recursive {
        (list_tree(folder)?, 0)
    } else {
        list_files(folder, messages)?
    };
    let subfolder = |file: &Path| -> PathBuf {
        let inner = file.strip_prefix(folder).ok().and_then(Path::parent);
        inner.map(Path::to_owned).unwrap_or_default()
    };
    let mut found = Vec::new();
    let mut skipped = 0;
    for file in files {
        if has_one_stream(&file) {
            let rate = if is_rate_given {
                None
            } else {
                media::highest_rate([&Input::file(&file)])
            };
            if is_rate_given || rate.is_some() {
                found.push(FoundStem {
                    subfolder: subfolder(&file),
                    file,
                    rate,
                });
                continue;
            }
        }
        match media::open(&file, None) {
            Ok((_, info)) => {
                note_streams(&file, &info, messages);
                found.push(FoundStem {
                    subfolder: subfolder(&file),
                    file,
                    rate: Some(info.spec.rate),
                });
            }
            Err(_) if has_audio_extension(&file) => found.push(FoundStem {
                subfolder: subfolder(&file),
                file,
                rate: None,
            }),
            Err(e) => {
                messages.detail(&format!("skipped {e}"));
                skipped += 1;
            }
        }
    }
    if found.is_empty() {
        let more = match folders {
            0 => String::new(),
            1 => ", only another folder; -r reads subfolders too".to_owned(),
            n => format!(", only {n} other folders; -r reads subfolders too"),
        };
        let text = format!(
            "{}: there is no audio file in this folder{more}",
            folder.display()
        );
        return Err(Error::new(ErrorKind::NotFound, text));
    }
    if skipped > 0 && !messages.verbose {
        messages.note(&format!(
            "{}: skipped {} without audio (-v lists them)",
            folder.display(),
            counted(skipped, "file")
        ));
    }
    Ok(found)
}

/// Returns the files of a folder, sorted, and the number of its subfolders. Warns about subfolders with audio.
fn list_files(folder: &Path, messages: Messages) -> Result<(Vec<PathBuf>, usize)> {
    let refused = |e: io::Error| {
        let text = format!("{}: the folder cannot be read: {e}", folder.display());
        Error::new(ErrorKind::NotFound, text).because(e)
    };
    let (mut files, mut folders, mut left_out) = (Vec::new(), 0, Vec::new());
    for entry in fs::read_dir(folder).map_err(refused)? {
        let path = entry.map_err(refused)?.path();
        if path.is_dir() {
            folders += 1;
            if !is_hidden(&path) && holds_audio(&path) {
                left_out.push(last_name(&path));
            } else {
                messages.detail(&format!("skipped {}: a folder", path.display()));
            }
        } else if !is_hidden(&path) {
            files.push(path);
        }
    }
    files.sort();
    left_out.sort();
    if !left_out.is_empty() && !messages.quiet {
        let names: Vec<&str> = left_out.iter().map(String::as_str).collect();
        let (s, them) = if names.len() == 1 {
            ("", "it")
        } else {
            ("s", "them")
        };
        messages.warning(&format!(
            "{}: the audio in the subfolder{s} {} is not mixed; -r reads all subfolders, or add {them} to the inputs",
            folder.display(),
            quoted_list(&names)
        ));
    }
    Ok((files, folders))
}

/// Maximum number of files and folders that `-r` reads, so that it does not take a whole disk for stems.
const MAX_TREE: usize = 20_000;

/// Returns the files of a folder and its subfolders, those of a folder before those of its subfolders, both sorted. Skips
/// hidden folders, and links to folders, which may lead in circles.
fn list_tree(folder: &Path) -> Result<Vec<PathBuf>> {
    let (mut files, mut left, mut count) = (Vec::new(), vec![folder.to_owned()], 0);
    while let Some(folder) = left.pop() {
        let refused = |e: io::Error| {
            let text = format!("{}: the folder cannot be read: {e}", folder.display());
            Error::new(ErrorKind::NotFound, text).because(e)
        };
        let (mut here, mut folders) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(&folder).map_err(refused)? {
            let entry = entry.map_err(refused)?;
            count += 1;
            if count > MAX_TREE {
                let text = format!(
                    "{}: -r found more than {MAX_TREE} files; name the folders of the stems",
                    folder.display()
                );
                return Err(Error::new(ErrorKind::InvalidArgument, text));
            }
            let path = entry.path();
            if is_hidden(&path) {
                continue;
            }
            if entry.file_type().map_err(refused)?.is_dir() {
                folders.push(path);
            } else if !path.is_dir() {
                here.push(path);
            }
        }
        here.sort();
        files.extend(here);
        // The last one is popped first.
        folders.sort();
        left.extend(folders.into_iter().rev());
    }
    Ok(files)
}

/// Maximum number of folders that are searched for audio, so that a large tree does not delay the mix.
const MAX_FOLDERS: usize = 200;
/// Maximum depth of that search.
const MAX_DEPTH: usize = 4;

/// Returns whether a file in a folder or below is named like audio. Does not search hidden folders and links.
fn holds_audio(folder: &Path) -> bool {
    let mut left = vec![(folder.to_owned(), 1)];
    let mut looked = 0;
    while let Some((folder, depth)) = left.pop() {
        looked += 1;
        if looked > MAX_FOLDERS {
            break;
        }
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            if is_hidden(&path) {
                continue;
            }
            if kind.is_dir() && depth < MAX_DEPTH {
                left.push((path, depth + 1));
            } else if kind.is_file() && has_audio_extension(&path) {
                return true;
            }
        }
    }
    false
}

/// Returns the last component of a path.
fn last_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// Lists the objects of a folder of a store, `s3://bucket/stems/`, or of a pattern, `s3://bucket/stems/*.wav`.
#[cfg(feature = "cloud")]
fn list_objects(link: &Path) -> Result<Vec<PathBuf>> {
    let names = soundtrack::storage::list(&link.to_string_lossy())?;
    let is_pattern = link
        .file_name()
        .is_some_and(|name| name.as_encoded_bytes().contains(&b'*'));
    let folder = link.parent().filter(|_| is_pattern).unwrap_or(link);
    Ok(names
        .iter()
        .map(|name| folder.join(name))
        .filter(|p| !is_hidden(p))
        .collect())
}

#[cfg(not(feature = "cloud"))]
fn list_objects(link: &Path) -> Result<Vec<PathBuf>> {
    let text = "object stores need a build with the feature `cloud`";
    Err(Error::new(
        ErrorKind::Unsupported,
        format!("{}: {text}", link.display()),
    ))
}

/// Prints a note about a file with several streams, of which only the first is used.
pub fn note_streams(file: &Path, info: &media::Info, messages: Messages) {
    if info.streams > 1 {
        let (file, streams) = (file.display(), info.streams);
        messages.note(&format!(
            "{file} has {streams} audio streams, of which the first is used; {file}/ uses the others"
        ));
    }
}

fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|n| n.as_encoded_bytes().starts_with(b"."))
}

fn has_audio_extension(path: &Path) -> bool {
    has_extension(path, &AUDIO_EXTENSIONS)
}

/// Returns whether a file's extension is that of a format with a single stream.
pub fn has_one_stream(path: &Path) -> bool {
    has_extension(path, &ONE_STREAM_EXTENSIONS)
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    let extension = path
        .extension()
        .map(|e| e.to_string_lossy().to_ascii_lowercase());
    extension.is_some_and(|e| extensions.contains(&e.as_str()))
}
