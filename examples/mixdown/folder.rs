//! The stems of a folder: every file that opens as audio or is named like it, in the order of their names.

use crate::voice::Voice;
use soundtrack::{Error, ErrorKind, Result, SampleRate, source};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Endings that promise audio: such a file is a stem, and one that cannot be read is refused, never left out.
const AUDIO: [&str; 36] = [
    "aac", "ac3", "aif", "aifc", "aiff", "alac", "ape", "au", "bwf", "caf", "dff", "dsf", "eac3", "flac", "m4a", "m4b",
    "mka", "mkv", "mp1", "mp2", "mp3", "mp4", "mpc", "oga", "ogg", "opus", "rf64", "snd", "spx", "tta", "w64", "wav",
    "wave", "webm", "wma", "wv",
];

/// A file that opens, and its rate; or one that should open but does not, which is for the mix to refuse by name.
pub struct Found {
    pub file: PathBuf,
    pub rate: Option<SampleRate>,
}

/// The stems of a folder; at least one. Hidden files and folders within are passed over.
pub fn stems(folder: &Path, voice: Voice) -> Result<Vec<Found>> {
    let refused = |e: io::Error| {
        let what = format!("{}: the folder cannot be read: {e}", folder.display());
        Error::new(ErrorKind::NotFound, what).because(e)
    };
    let (mut files, mut folders) = (Vec::new(), 0);
    for entry in fs::read_dir(folder).map_err(refused)? {
        let path = entry.map_err(refused)?.path();
        if path.is_dir() {
            folders += 1;
            voice.detail(&format!("passed over {}: a folder", path.display()));
        } else if !hidden(&path) {
            files.push(path);
        }
    }
    files.sort();
    let mut found = Vec::new();
    let mut silent = 0;
    for file in files {
        match source::open(&file, None) {
            Ok((_, info)) => {
                say_streams(&file, &info, voice);
                found.push(Found { file, rate: Some(info.spec.rate) });
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
        let what = format!("{}: there is no audio file in this folder{more}", folder.display());
        return Err(Error::new(ErrorKind::NotFound, what));
    }
    if silent > 0 && !voice.verbose {
        let files = if silent == 1 { "1 file that is".to_owned() } else { format!("{silent} files that are") };
        voice.note(&format!("{}: passed over {files} no audio (-v says which)", folder.display()));
    }
    Ok(found)
}

/// Tells of a file with several streams that only the first is taken.
pub fn say_streams(file: &Path, info: &source::Info, voice: Voice) {
    if info.streams > 1 {
        let (file, streams) = (file.display(), info.streams);
        voice.note(&format!(
            "{file} holds {streams} audio streams, of which the first is taken; {file}/ takes the others"
        ));
    }
}

fn hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|n| n.as_encoded_bytes().starts_with(b"."))
}

fn promises_audio(path: &Path) -> bool {
    let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    ending.is_some_and(|e| AUDIO.contains(&e.as_str()))
}
