//! Writes reports to files. The file extension selects the format.

use super::{Report, html_of, svg_of};
use crate::{
    error::{Error, ErrorKind, Result},
    storage::AtomicFile,
};
use std::{
    ffi::{OsStr, OsString},
    io::Write as _,
    path::{Path, PathBuf},
};

/// Format of a report file.
///
/// ```
/// use soundtrack::report::ReportFormat;
/// assert_eq!(ReportFormat::from_path("out/mix.html").unwrap(), ReportFormat::Html);
/// assert_eq!(ReportFormat::from_path("mix.waveform.json").unwrap(), ReportFormat::Waveform);
/// assert!(ReportFormat::from_path("mix.pdf").is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReportFormat {
    /// `.html`: a page that plays the mix if a relative path leads to it.
    Html,
    /// `.svg`: a picture.
    Svg,
    /// `.json`: all data of the report.
    Json,
    /// `.waveform.json`: the waveform of the mix as audiowaveform JSON, version 2.
    Waveform,
}

impl ReportFormat {
    /// Returns the format selected by a file's extension.
    ///
    /// # Errors
    /// `Output` for an unknown extension.
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let stem = path.file_stem().map(Path::new);
        match extension(path).to_str() {
            Some("html" | "htm") => Ok(Self::Html),
            Some("svg") => Ok(Self::Svg),
            Some("json") if stem.is_some_and(|stem| extension(stem) == "waveform") => {
                Ok(Self::Waveform)
            }
            Some("json") => Ok(Self::Json),
            _ => Err(refused(
                path,
                "unknown report format; use the extension .html, .svg, .json or .waveform.json",
            )),
        }
    }
}

/// Returns the extension of a path in lower case, empty if there is none.
fn extension(path: &Path) -> OsString {
    path.extension()
        .map(OsStr::to_ascii_lowercase)
        .unwrap_or_default()
}

fn refused(path: &Path, reason: &str) -> Error {
    Error::new(ErrorKind::Output, format!("{}: {reason}", path.display()))
}

/// Writes reports to one file atomically.
///
/// HTML, SVG and JSON files accept any number of reports; several reports become a JSON array. A
/// waveform file accepts exactly one report.
///
/// # Errors
/// `Output` if the extension is not that of a [`ReportFormat`], if the file exists and `overwrite` is
/// false, if writing fails, and for a waveform unless there is exactly one report, with an
/// overview.
pub fn save(reports: &[Report], path: impl AsRef<Path>, overwrite: bool) -> Result<()> {
    let path = path.as_ref();
    let text = match (ReportFormat::from_path(path)?, reports) {
        (ReportFormat::Html, _) => {
            let audio: Vec<_> = reports
                .iter()
                .map(|r| r.output.as_ref().and_then(|o| relative_path(path, o)))
                .collect();
            let pages: Vec<_> = reports
                .iter()
                .zip(&audio)
                .map(|(r, a)| (r, a.as_deref()))
                .collect();
            html_of(&pages)
        }
        (ReportFormat::Svg, _) => svg_of(reports),
        (ReportFormat::Json, [report]) => report.to_json() + "\n",
        (ReportFormat::Json, _) => {
            let all: Vec<String> = reports.iter().map(Report::to_json).collect();
            format!("[{}]\n", all.join(",\n"))
        }
        (ReportFormat::Waveform, [report]) => {
            let json = report.to_waveform_json().ok_or_else(|| {
                refused(
                    path,
                    "the report holds no waveform; render with an overview",
                )
            })?;
            json + "\n"
        }
        (ReportFormat::Waveform, _) => {
            let count = reports.len();
            return Err(refused(
                path,
                &format!(
                    "a waveform file holds one report, but there are {count}; write one file for each"
                ),
            ));
        }
    };
    let mut file = AtomicFile::create_sized(path, overwrite, text.len() as u64)?;
    file.write_all(text.as_bytes())
        .map_err(|e| file.failed(e))?;
    file.finish()?;
    Ok(())
}

/// Returns the relative path from the folder of `page` to `file`, with `/` as separator:
/// `../mixes/a.wav`.
///
/// Returns `None` if a folder does not exist, if the paths share no root, or if the path is not
/// valid Unicode.
pub(crate) fn relative_path(page: &Path, file: &str) -> Option<String> {
    let file = Path::new(file);
    let (from, to) = (canonical_folder(page)?, canonical_folder(file)?);
    let shared = from
        .components()
        .zip(to.components())
        .take_while(|(a, b)| a == b)
        .count();
    if shared == 0 {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    parts.extend(from.components().skip(shared).map(|_| ".."));
    for component in to.components().skip(shared) {
        parts.push(component.as_os_str().to_str()?);
    }
    parts.push(file.file_name()?.to_str()?);
    Some(parts.join("/"))
}

/// Returns the absolute path of the folder that holds a file, if the folder exists.
fn canonical_folder(file: &Path) -> Option<PathBuf> {
    let parent = file
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    parent.canonicalize().ok()
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
            relative_path(
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
            other.to_string().ends_with(
                "r.waveform.json: the report holds no waveform; render with an overview"
            )
        );
    }
}
