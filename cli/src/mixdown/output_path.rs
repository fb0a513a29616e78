//! Chooses the path of the mix, and says which paths belong to the demo or to the stems.

use super::{
    inputs::InputKind,
    track_names::{folder_name, title},
};
use soundtrack::{Format, storage};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

/// Folder of the demo's stems and outputs.
pub const DEMO: &str = "target/demo";

/// Returns the path that `-o` names, or else one named after the inputs in the current folder, for this `--format`.
///
/// # Errors
/// A sentence for stdout, for a name that is not that of a WAV or FLAC file, and for the name of another format than `format`.
pub fn choose(
    requested: Option<&Path>,
    inputs: &[InputKind],
    format: Option<Format>,
) -> Result<PathBuf, String> {
    let Some(path) = requested else {
        return Ok(default(inputs, format.unwrap_or_default()));
    };
    if path == Path::new("-") {
        return Err("-o -: the mix is written to a file, not to stdout".to_owned());
    }
    let is_written = Format::of_file_name(path).is_some();
    if path.file_name().is_some() && !path.is_dir() && !is_written {
        let named = path.with_extension(usual_extension(format.unwrap_or_default()));
        return Err(format!(
            "-o {}: only WAV and FLAC files are written; name it {}",
            path.display(),
            named.display()
        ));
    }
    if let Some(stated) = format
        && Format::of_file_name(path).is_some_and(|named| named.container != stated.container)
    {
        return Err(format!(
            "-o {}: --format {stated} writes a {} file; name it {}",
            path.display(),
            stated.container,
            path.with_extension(usual_extension(stated)).display()
        ));
    }
    Ok(path.to_owned())
}

/// Returns the format of the mix: that of `--format`, or else the one of the file's name.
pub fn format(requested: Option<Format>, path: &Path) -> Format {
    requested
        .or_else(|| Format::of_file_name(path))
        .unwrap_or_default()
}

fn usual_extension(format: Format) -> &'static str {
    format.extensions().first().copied().unwrap_or_default()
}

fn default(inputs: &[InputKind], format: Format) -> PathBuf {
    let mut name = match inputs {
        [InputKind::Demo] => Path::new(DEMO).join("soundtrack").into(),
        [InputKind::Session(path) | InputKind::StemFile(path)] => title(path).into(),
        [InputKind::Folder(path)] => folder_name(path).unwrap_or_else(|| OsString::from("mix")),
        _ => OsString::from("mix"),
    };
    name.push(".");
    name.push(usual_extension(format));
    name.into()
}

/// Returns whether a path is inside the demo's folder, where outputs are replaced without `--force`.
pub fn is_in_demo(path: &Path) -> bool {
    let folder = folder(path).canonicalize();
    let demo = Path::new(DEMO).canonicalize();
    matches!((folder, demo), (Ok(folder), Ok(demo)) if folder.starts_with(&demo))
}

/// Returns whether a path whose folder may not exist yet is inside the demo's folder.
pub fn will_be_in_demo(path: &Path) -> bool {
    let existing = path.ancestors().skip(1).find(|f| f.is_dir());
    existing.is_some_and(|folder| is_in_demo(&folder.join("x")))
}

/// Returns whether a path is inside a folder whose files are the inputs, so that another mix of it would include the output.
pub fn is_among_stems(path: &Path, inputs: &[InputKind]) -> bool {
    inputs.iter().any(|input| match input {
        // A folder that cannot be compared is reported by the render.
        InputKind::Folder(stems) => storage::same_file(folder(path), stems).unwrap_or(false),
        _ => false,
    })
}

/// Returns the folder of a path, `.` for a bare name.
fn folder(path: &Path) -> &Path {
    path.parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mixdown::inputs::StemInput;

    #[test]
    fn only_wave_and_flac_files_are_written() {
        let asked = |name: &str| choose(Some(Path::new(name)), &[], None);
        assert_eq!(asked("a/b.WAV"), Ok("a/b.WAV".into()));
        assert_eq!(asked("a/b.flac"), Ok("a/b.flac".into()));
        assert_eq!(format(None, Path::new("b.flac")), Format::FLAC_24);
        assert_eq!(
            format(Some(Format::FLAC_16), Path::new("b.flac")),
            Format::FLAC_16
        );
        assert_eq!(format(None, Path::new("b.wav")), Format::WAV_24);
        assert_eq!(
            asked("b.mp3"),
            Err("-o b.mp3: only WAV and FLAC files are written; name it b.wav".into())
        );
        assert_eq!(
            asked("b"),
            Err("-o b: only WAV and FLAC files are written; name it b.wav".into())
        );
        let flac = |name: &str| choose(Some(Path::new(name)), &[], Some(Format::FLAC_24));
        assert_eq!(flac("a/b.flac"), Ok("a/b.flac".into()));
        assert_eq!(
            flac("a/b.wav"),
            Err("-o a/b.wav: --format flac24 writes a FLAC file; name it a/b.flac".into())
        );
        assert!(asked("-").is_err());
        // The library refuses these with its own error.
        assert!(asked("..").is_ok() && asked("/").is_ok());
    }

    #[test]
    fn the_default_is_named_after_the_inputs() {
        let default = |inputs: &[InputKind]| choose(None, inputs, None).unwrap();
        assert_eq!(
            choose(None, &[], Some(Format::FLAC_16)),
            Ok("mix.flac".into())
        );
        let stem = || {
            InputKind::Stem(StemInput {
                path: "a.wav".into(),
                gain: soundtrack::Decibels::UNITY,
                pan: soundtrack::Pan::CENTRE,
            })
        };
        assert_eq!(
            default(&[InputKind::Demo]),
            Path::new("target/demo/soundtrack.wav")
        );
        assert_eq!(
            default(&[InputKind::Session("x/song.toml".into())]),
            Path::new("song.wav")
        );
        assert_eq!(
            default(&[InputKind::Folder("x/my.stems/".into())]),
            Path::new("my.stems.wav")
        );
        assert_eq!(
            default(&[InputKind::Folder("/".into())]),
            Path::new("mix.wav")
        );
        assert_eq!(
            default(&[InputKind::StemFile("x/song.stem.mp4".into())]),
            Path::new("song.wav")
        );
        assert_eq!(default(&[stem()]), Path::new("mix.wav"));
        assert_eq!(
            default(&[InputKind::Folder("x".into()), stem()]),
            Path::new("mix.wav")
        );
    }
}
