//! Takes sessions and spotting from other programs, and gives them back.
//!
//! [`read`] makes a [`Session`] of a file of an editor or a DAW, [`write`](write()) writes one for them. The extension of
//! the file decides the format ([`FileKind`]). Whatever a format states and a session cannot, or the other way round, is in
//! the [notes](Note), each with its place in the file; nothing is dropped in silence. Positions are exact fractions of a
//! second until they are rounded, once, to a frame or written as timecode.
//!
//! The page [interchange](crate::guide::interchange) shows for each format what is carried.

mod csv;
#[cfg(feature = "dawproject")]
mod dawproject;
mod edl;
mod labels;
mod media_files;
mod names;
mod notes;
mod otio;
mod ratio;
mod rpp;
mod spotting;
mod stem_lengths;
mod text_file;
mod timeline;

pub use notes::{Note, Place};

use crate::{
    error::{Error, ErrorKind, Result},
    layout::Layout,
    session::Session,
    timecode::{FrameRate, Timecode},
    units::SampleRate,
};
use std::{
    fmt,
    path::{Path, PathBuf},
};

/// Largest number of clips, markers and cues that one file may state.
const MAX_ITEMS: usize = 100_000;

/// A format of another program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileKind {
    /// OpenTimelineIO, `.otio`: the timeline of a picture editor as JSON. Read only.
    Otio,
    /// CMX 3600 edit decision list, `.edl`. Read only.
    Edl,
    /// Spotting as comma-separated values, `.csv`: a line for each placement of a cue and each marker.
    Spotting,
    /// Regions and markers that REAPER exports, `.csv`. Read only.
    ReaperMarkers,
    /// Labels of Audacity, `.txt`. Read only.
    AudacityLabels,
    /// Project of REAPER, `.rpp`. Read only.
    Reaper,
    /// DAWproject 1.0, `.dawproject`: the open format of Bitwig Studio, Studio One and Cubase. Needs the feature `dawproject`.
    DawProject,
}

impl FileKind {
    /// All formats.
    pub const ALL: [Self; 7] = [
        Self::Otio,
        Self::Edl,
        Self::Spotting,
        Self::ReaperMarkers,
        Self::AudacityLabels,
        Self::Reaper,
        Self::DawProject,
    ];

    /// Returns the format of a file by the extension of its name; for `.csv`, [`Spotting`](Self::Spotting).
    ///
    /// # Errors
    /// `Unsupported` for any other extension.
    ///
    /// ```
    /// use soundtrack::interchange::FileKind;
    /// assert_eq!(FileKind::from_path("reel 2.OTIO")?, FileKind::Otio);
    /// assert!(FileKind::from_path("song.als").is_err());
    /// # Ok::<(), soundtrack::Error>(())
    /// ```
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        match extension.to_str() {
            Some("otio") => Ok(Self::Otio),
            Some("edl") => Ok(Self::Edl),
            Some("csv") => Ok(Self::Spotting),
            Some("txt") => Ok(Self::AudacityLabels),
            Some("rpp" | "rpp-bak") => Ok(Self::Reaper),
            Some("dawproject") => Ok(Self::DawProject),
            _ => {
                let what = format!(
                    "{}: the extension names no format that is read: there are .dawproject, .rpp, .otio, .edl, .csv and .txt",
                    path.display()
                );
                Err(Error::new(ErrorKind::Unsupported, what).in_file(path.to_string_lossy()))
            }
        }
    }

    /// Reports whether [`write`](write()) writes the format.
    #[must_use]
    pub fn is_written(self) -> bool {
        matches!(self, Self::Spotting | Self::DawProject)
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Otio => "OpenTimelineIO",
            Self::Edl => "CMX 3600 EDL",
            Self::Spotting => "spotting CSV",
            Self::ReaperMarkers => "REAPER markers",
            Self::AudacityLabels => "Audacity labels",
            Self::Reaper => "REAPER project",
            Self::DawProject => "DAWproject",
        })
    }
}

/// Settings of [`read`], for what a file does not state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// The format; `None` takes it from the extension.
    pub kind: Option<FileKind>,
    /// The sample rate of the session; `None` takes that of the file, or 48,000 Hz.
    pub rate: Option<SampleRate>,
    /// The layout of the session; `None` for stereo.
    pub layout: Option<Layout>,
    /// The frame rate of the picture; `None` takes that of the file.
    pub fps: Option<FrameRate>,
    /// The timecode of the first frame of the session; `None` takes that of the file.
    pub start: Option<Timecode>,
    /// The folder that audio inside an archive is extracted to; made where it does not exist. `None` keeps the audio in memory.
    pub media: Option<PathBuf>,
    /// Replaces files in [`media`](Self::media).
    pub overwrite: bool,
}

/// Result of [`read`]: a session, and notes on what it lacks.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Imported {
    /// The format of the file.
    pub kind: FileKind,
    /// The session. It may lack tracks: labels and markers have none.
    pub session: Session,
    /// Notes on what the session does not carry and on what was assumed, in the order of the file.
    pub notes: Vec<Note>,
}

impl Imported {
    /// Adds the markers of the file, and its cues where the session has none of their name, to a session at the same rate.
    /// A cue that is there already gets the placements of the file in place of its own. Returns the numbers of markers and
    /// cues.
    ///
    /// ```
    /// use soundtrack::{Frames, Load, interchange};
    /// let folder = tempfile::tempdir()?;
    /// let labels = folder.path().join("labels.txt");
    /// std::fs::write(&labels, "2.5\t2.5\tthe boat\n")?;
    /// let mut film = Load::default().text("rate = 48000\n[track.dx]\nfile = \"dx.wav\"\n", "film.toml")?;
    /// let imported = interchange::read(&labels, &interchange::Options::default())?;
    /// assert_eq!(imported.add_spotting_to(&mut film)?, (1, 0));
    /// assert_eq!(film.markers[0].at, Frames(120_000));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `InvalidArgument` for a session at another rate; `Session` for a file with tracks, which are not spotting.
    pub fn add_spotting_to(self, session: &mut Session) -> Result<(usize, usize)> {
        if self.session.rate != session.rate {
            let what = format!(
                "the session has {} Hz, and the file was read at {} Hz: read it at the rate of the session",
                session.rate, self.session.rate
            );
            return Err(Error::new(ErrorKind::InvalidArgument, what));
        }
        if !self.session.tracks().is_empty() {
            let what = format!(
                "a {} has tracks: only markers and placements of cues can be added to a session; import it as a session of its own",
                self.kind
            );
            return Err(Error::new(ErrorKind::Session, what));
        }
        let counts = (self.session.markers.len(), self.session.cues().len());
        for marker in &self.session.markers {
            if !session.markers.contains(marker) {
                session.markers.push(marker.clone());
            }
        }
        labels::settle(&mut session.markers, &mut notes::Notes::default());
        for cue in self.session.cues().iter().cloned() {
            match session.cues_mut().iter_mut().find(|c| c.name == cue.name) {
                Some(known) => {
                    known.uses = cue.uses;
                    if !cue.title.is_empty() {
                        known.title = cue.title;
                    }
                }
                None => {
                    session.add_cue(cue);
                }
            }
        }
        Ok(counts)
    }
}

/// Reads a file of another program as a session. Files that it names are not opened, but for the length of those that loop.
///
/// ```
/// use soundtrack::{FrameRate, interchange};
/// let folder = tempfile::tempdir()?;
/// let edl = folder.path().join("reel.edl");
/// std::fs::write(&edl, "TITLE: Reel 2\nFCM: NON-DROP FRAME\n\
///     001  AX  A  C  00:00:04:00 00:00:06:00 01:00:00:00 01:00:02:00\n* FROM CLIP NAME: rain.wav\n")?;
/// let options = interchange::Options { fps: Some(FrameRate::FPS_24), ..Default::default() };
/// let imported = interchange::read(&edl, &options)?;
/// assert_eq!(imported.session.title, "Reel 2");
/// assert_eq!(imported.session.tracks()[0].clips[0].from.0, 4 * 48_000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// `Unsupported` for an unknown extension; `NotFound` without a file; `Session` for a file that is damaged, or larger than
/// a session can be, with its name and the place in it.
pub fn read(path: impl AsRef<Path>, options: &Options) -> Result<Imported> {
    let path = path.as_ref();
    let kind = match options.kind {
        Some(kind) => kind,
        None => FileKind::from_path(path)?,
    };
    if kind == FileKind::DawProject {
        return read_archive(path, options);
    }
    let file = text_file::TextFile::open(path)?;
    read_text(&file, kind, options)
}

/// Reads the bytes of a file at a path, which need not exist: media is relative to its folder.
pub(crate) fn read_text(
    file: &text_file::TextFile,
    kind: FileKind,
    options: &Options,
) -> Result<Imported> {
    let kind = match kind {
        FileKind::Spotting if options.kind.is_none() && labels::is_reaper(&file.text) => {
            FileKind::ReaperMarkers
        }
        kind => kind,
    };
    let (session, notes) = match kind {
        FileKind::Otio => otio::read(file, options),
        FileKind::Edl => edl::read(file, options),
        FileKind::Spotting => spotting::read(file, options),
        FileKind::ReaperMarkers => labels::read_reaper(file, options),
        FileKind::AudacityLabels => labels::read_audacity(file, options),
        FileKind::Reaper => rpp::read(file, options),
        FileKind::DawProject => Err(no_archive(&file.path)),
    }?;
    Ok(Imported {
        kind,
        session,
        notes: notes.into_vec(),
    })
}

/// Reads the text of a file at a path, which need not exist: media is relative to its folder. For formats that are text.
///
/// ```
/// use soundtrack::{Frames, interchange};
/// let imported = interchange::read_bytes(b"2.5\t3\tthe boat\n", "labels.txt", &interchange::Options::default())?;
/// assert_eq!(imported.session.markers[0].at, Frames(120_000));
/// # Ok::<(), soundtrack::Error>(())
/// ```
///
/// # Errors
/// As [`read`], and `Unsupported` for an archive.
pub fn read_bytes(
    bytes: impl Into<Vec<u8>>,
    path: impl AsRef<Path>,
    options: &Options,
) -> Result<Imported> {
    let path = path.as_ref();
    let kind = match options.kind {
        Some(kind) => kind,
        None => FileKind::from_path(path)?,
    };
    if kind == FileKind::DawProject {
        return read_archive_bytes(bytes.into(), path, options);
    }
    let file = text_file::TextFile::of_bytes(bytes.into(), path)?;
    read_text(&file, kind, options)
}

#[cfg(feature = "dawproject")]
fn read_archive(path: &Path, options: &Options) -> Result<Imported> {
    dawproject::read(path, options)
}

#[cfg(feature = "dawproject")]
fn read_archive_bytes(bytes: Vec<u8>, path: &Path, options: &Options) -> Result<Imported> {
    dawproject::read_bytes(bytes, path, options)
}

#[cfg(not(feature = "dawproject"))]
fn read_archive(path: &Path, _: &Options) -> Result<Imported> {
    Err(no_archive(path))
}

#[cfg(not(feature = "dawproject"))]
fn read_archive_bytes(_: Vec<u8>, path: &Path, _: &Options) -> Result<Imported> {
    Err(no_archive(path))
}

/// Returns the error for a DAWproject where it cannot be read or written.
fn no_archive(path: &Path) -> Error {
    let what = format!(
        "{}: DAWproject needs the feature `dawproject`, which is not built in",
        path.display()
    );
    Error::new(ErrorKind::Unsupported, what).in_file(path.to_string_lossy())
}

/// Writes a session for another program: spotting as `.csv`, or a `.dawproject`. Returns what the file does not carry. The
/// file is written atomically.
///
/// ```
/// use soundtrack::{Load, interchange};
/// let text = "rate = 48000\nfps = \"24\"\n[cue.storm]\nat = \"01:00:12:08\"\n[cue.storm.track.celli]\nfile = \"celli.wav\"\n";
/// let film = Load::default().text(text, "film.toml")?;
/// let folder = tempfile::tempdir()?;
/// let csv = folder.path().join("spotting.csv");
/// interchange::write(&film, &csv, false)?;
/// assert!(std::fs::read_to_string(&csv)?.contains("01:00:12:08,storm,0s,"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// `Unsupported` for a format that is not written; `Session` for a session that the format cannot state; errors of the
/// stems; `Output` where the file exists and `overwrite` is false, or cannot be written.
pub fn write(session: &Session, path: impl AsRef<Path>, overwrite: bool) -> Result<Vec<Note>> {
    let path = path.as_ref();
    match FileKind::from_path(path)? {
        FileKind::Spotting => spotting::write(session, path, overwrite),
        #[cfg(feature = "dawproject")]
        FileKind::DawProject => dawproject::write(session, path, overwrite),
        #[cfg(not(feature = "dawproject"))]
        FileKind::DawProject => Err(no_archive(path)),
        kind => {
            let what = format!(
                "{}: a {kind} is not written: name the file .dawproject, or .csv for spotting",
                path.display()
            );
            Err(Error::new(ErrorKind::Unsupported, what).in_file(path.to_string_lossy()))
        }
    }
}
