//! Reports as files: the ending of the name says in which form.

use super::{Report, html_of, svg_of};
use crate::{
    error::{Error, ErrorKind, Result},
    storage::AtomicFile,
};
use std::{
    ffi::OsStr,
    io::Write as _,
    path::{Component, Path, PathBuf},
};

/// The form of a report on disk.
///
/// ```
/// use soundtrack::report::Paper;
/// assert_eq!(Paper::of("out/mix.html").unwrap(), Paper::Html);
/// assert_eq!(Paper::of("mix.waveform.json").unwrap(), Paper::Waveform);
/// assert!(Paper::of("mix.pdf").is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Paper {
    /// `.html`: a page that plays the mix where it lies in reach of a relative path.
    Html,
    /// `.svg`: a picture.
    Svg,
    /// `.json`: all the data.
    Json,
    /// `.waveform.json`: the waveform as audiowaveform JSON, version 2.
    Waveform,
}

impl Paper {
    /// The form that a file's name asks for.
    ///
    /// # Errors
    /// `Output` for other endings.
    pub fn of(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let ending = |p: &Path| {
            p.extension()
                .map(OsStr::to_ascii_lowercase)
                .unwrap_or_default()
        };
        let within = path
            .file_stem()
            .map(|s| ending(Path::new(s)))
            .unwrap_or_default();
        match ending(path).to_str() {
            Some("html" | "htm") => Ok(Self::Html),
            Some("svg") => Ok(Self::Svg),
            Some("json") if within == "waveform" => Ok(Self::Waveform),
            Some("json") => Ok(Self::Json),
            _ => {
                let what = "a report is written as .html, .svg, .json or .waveform.json";
                Err(Error::new(
                    ErrorKind::Output,
                    format!("{}: {what}", path.display()),
                ))
            }
        }
    }
}

/// Writes reports into one file, whole or not at all: one, or for a page, a picture and JSON (then an array) several.
///
/// # Errors
/// `Output` for an ending that is no [`Paper`], for a file that exists unless overwriting is allowed, for what cannot be
/// written, and for a waveform where there is not exactly one report with an overview.
pub fn save(reports: &[Report], path: impl AsRef<Path>, overwrite: bool) -> Result<()> {
    let path = path.as_ref();
    let text = match (Paper::of(path)?, reports) {
        (Paper::Html, _) => {
            let audio: Vec<_> = reports
                .iter()
                .map(|r| r.output.as_ref().and_then(|o| from_beside(path, o)))
                .collect();
            let pages: Vec<_> = reports
                .iter()
                .zip(&audio)
                .map(|(r, a)| (r, a.as_deref()))
                .collect();
            html_of(&pages)
        }
        (Paper::Svg, _) => svg_of(reports),
        (Paper::Json, [report]) => report.to_json() + "\n",
        (Paper::Json, _) => {
            let all: Vec<String> = reports.iter().map(Report::to_json).collect();
            format!("[{}]\n", all.join(",\n"))
        }
        (Paper::Waveform, [report]) => {
            let none = || {
                Error::new(
                    ErrorKind::Output,
                    format!("{}: no waveform was gathered", path.display()),
                )
            };
            report.to_waveform_json().ok_or_else(none)? + "\n"
        }
        (Paper::Waveform, _) => {
            let what = format!(
                "{}: a waveform is that of one file, not of {}",
                path.display(),
                reports.len()
            );
            return Err(Error::new(ErrorKind::Output, what));
        }
    };
    let mut file = AtomicFile::create_sized(path, overwrite, text.len() as u64)?;
    file.write_all(text.as_bytes())
        .map_err(|e| file.failed(e))?;
    file.finish()?;
    Ok(())
}

/// The way to a file from the folder of another: `../mixes/a.wav`. `None` where there is none, or it is not text.
fn from_beside(page: &Path, file: &str) -> Option<String> {
    let folder = |path: &Path| {
        let parent = path
            .parent()
            .filter(|p| !p.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        parent.canonicalize().ok()
    };
    let file = Path::new(file);
    let (from, to) = (folder(page)?, folder(file)?);
    let shared = from
        .components()
        .zip(to.components())
        .take_while(|(a, b)| a == b)
        .count();
    if shared == 0 {
        return None;
    }
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    let way: PathBuf = up.chain(to.components().skip(shared)).collect();
    let parts: Option<Vec<&str>> = way.components().map(|c| c.as_os_str().to_str()).collect();
    let name = file.file_name()?.to_str()?;
    Some(
        parts?
            .into_iter()
            .chain([name])
            .collect::<Vec<_>>()
            .join("/"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_way_to_the_audio_is_relative() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("out/pages")).unwrap();
        let way = |page: &str, file: &str| {
            from_beside(
                &dir.path().join(page),
                dir.path().join(file).to_str().unwrap(),
            )
        };
        assert_eq!(way("x.html", "x.wav").as_deref(), Some("x.wav"));
        assert_eq!(
            way("out/pages/x.html", "out/a b.wav").as_deref(),
            Some("../a b.wav")
        );
        assert_eq!(
            way("x.html", "out/pages/y.wav").as_deref(),
            Some("out/pages/y.wav")
        );
        assert_eq!(way("gone/x.html", "y.wav"), None);
    }

    #[test]
    fn an_existing_file_is_replaced_only_where_asked() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("r.json");
        save(&[Report::default()], &path, false).unwrap();
        let refused = save(&[Report::default()], &path, false).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Output);
        save(&[Report::default(), Report::default()], &path, true).unwrap();
        assert!(fs::read_to_string(&path).unwrap().starts_with("[{"));
        let other = save(
            &[Report::default()],
            dir.path().join("r.waveform.json"),
            true,
        )
        .unwrap_err();
        assert!(
            other
                .to_string()
                .ends_with("r.waveform.json: no waveform was gathered")
        );
    }
}
