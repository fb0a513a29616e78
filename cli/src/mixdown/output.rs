//! Where the mix goes: the name it has unless told, and what may be overwritten.

use super::{inputs, inputs::Kind};
use soundtrack::Format;
use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

/// Where the demo lives.
pub const DEMO: &str = "target/demo";

/// The file to write: the one asked for, or one named after the inputs in the current folder.
pub fn path(asked: Option<&Path>, kinds: &[Kind]) -> Result<PathBuf, String> {
    let Some(path) = asked else {
        return Ok(default(kinds));
    };
    if path == Path::new("-") {
        return Err("-o -: the mix is written to a file, not to stdout".to_owned());
    }
    let extension = path
        .extension()
        .map(OsStr::to_string_lossy)
        .unwrap_or_default()
        .to_ascii_lowercase();
    let written = Format::default().extensions();
    if path.file_name().is_some() && !path.is_dir() && !written.contains(&extension.as_str()) {
        let named = path.with_extension("wav");
        return Err(format!(
            "-o {}: only WAV files are written; name it {}",
            path.display(),
            named.display()
        ));
    }
    Ok(path.to_owned())
}

fn default(kinds: &[Kind]) -> PathBuf {
    let mut name = match kinds {
        [Kind::Demo] => return Path::new(DEMO).join("soundtrack.wav"),
        [Kind::Session(path) | Kind::Streams(path)] => inputs::title(path).into(),
        [Kind::Folder(path)] => inputs::folder_name(path).unwrap_or_else(|| OsString::from("mix")),
        _ => OsString::from("mix"),
    };
    name.push(".wav");
    name.into()
}

/// Whether the path lies in the demo's folder, where anything may be overwritten.
pub fn in_demo(path: &Path) -> bool {
    let folder = folder(path).canonicalize();
    let demo = Path::new(DEMO).canonicalize();
    matches!((folder, demo), (Ok(folder), Ok(demo)) if folder.starts_with(&demo))
}

/// The same for a path whose folder may not be there yet.
pub fn under_demo(path: &Path) -> bool {
    let there = path.ancestors().skip(1).find(|f| f.is_dir());
    there.is_some_and(|folder| in_demo(&folder.join("x")))
}

/// Whether the path lies in a folder whose files are the inputs, so that another mix of it would take it in.
pub fn among_stems(path: &Path, kinds: &[Kind]) -> bool {
    let same = |stems: &Path| soundtrack::storage::same_file(folder(path), stems).unwrap_or(false);
    kinds
        .iter()
        .any(|k| matches!(k, Kind::Folder(stems) if same(stems)))
}

fn folder(path: &Path) -> &Path {
    path.parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_wave_files_are_written() {
        let asked = |name: &str| path(Some(Path::new(name)), &[]);
        assert_eq!(asked("a/b.WAV"), Ok("a/b.WAV".into()));
        assert_eq!(
            asked("b.mp3"),
            Err("-o b.mp3: only WAV files are written; name it b.wav".into())
        );
        assert_eq!(
            asked("b"),
            Err("-o b: only WAV files are written; name it b.wav".into())
        );
        assert!(asked("-").is_err());
        // Left to the library, which says what it is.
        assert!(asked("..").is_ok() && asked("/").is_ok());
    }

    #[test]
    fn named_after_what_goes_in() {
        let stem = || {
            Kind::Stem(
                "a.wav".into(),
                soundtrack::Decibels::UNITY,
                soundtrack::Pan::CENTRE,
            )
        };
        assert_eq!(
            default(&[Kind::Demo]),
            Path::new("target/demo/soundtrack.wav")
        );
        assert_eq!(
            default(&[Kind::Session("x/song.toml".into())]),
            Path::new("song.wav")
        );
        assert_eq!(
            default(&[Kind::Folder("x/my.stems/".into())]),
            Path::new("my.stems.wav")
        );
        assert_eq!(default(&[Kind::Folder("/".into())]), Path::new("mix.wav"));
        assert_eq!(
            default(&[Kind::Streams("x/song.stem.mp4".into())]),
            Path::new("song.wav")
        );
        assert_eq!(default(&[stem()]), Path::new("mix.wav"));
        assert_eq!(
            default(&[Kind::Folder("x".into()), stem()]),
            Path::new("mix.wav")
        );
    }
}
