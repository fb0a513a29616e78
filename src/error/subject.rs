use super::one_line;
use std::fmt;

/// Part of a session, or file, that a warning or a problem is about.
///
/// Its display form starts a message: `track "vox": vox.wav`, `cue "storm", use "reprise"`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Subject {
    /// Session, or the whole mix.
    Session,
    /// Album of the session.
    Album,
    /// Master.
    Master,
    /// Bus.
    Bus {
        /// Name of the bus.
        name: String,
    },
    /// Track, or one of its clips.
    Track {
        /// Cue that contains the track; `None` for a track of the timeline.
        cue: Option<String>,
        /// Name of the track.
        name: String,
        /// File of the clip.
        file: Option<String>,
    },
    /// Cue.
    Cue {
        /// Name of the cue.
        name: String,
        /// Name of one placement of the cue.
        placement: Option<String>,
        /// File of one of its clips.
        file: Option<String>,
    },
    /// Deliverable.
    Deliverable {
        /// Name of the deliverable.
        name: String,
    },
    /// Output file that holds a part of the mix.
    Output {
        /// Kind of part, such as `stem` or `cue`.
        content: String,
        /// Name of the part.
        name: String,
    },
    /// File.
    File {
        /// Path of the file.
        path: String,
    },
}

impl Subject {
    /// Creates the subject of a track of the plan.
    pub(crate) fn track(name: &str) -> Self {
        Self::Track {
            cue: None,
            name: name.to_owned(),
            file: None,
        }
    }

    /// Creates the subject of a clip of a track.
    pub(crate) fn clip(track: &str, file: &str) -> Self {
        Self::Track {
            cue: None,
            name: track.to_owned(),
            file: Some(file.to_owned()),
        }
    }

    /// Narrows a track or a cue to one of its files; other subjects stay unchanged.
    #[must_use]
    pub(crate) fn with_file(mut self, path: &str) -> Self {
        if let Self::Track { file, .. } | Self::Cue { file, .. } = &mut self {
            *file = Some(path.to_owned());
        }
        self
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = match self {
            Self::Session => return f.write_str("the session"),
            Self::Album => return f.write_str("the album"),
            Self::Master => return f.write_str("the master"),
            Self::Bus { name } => return write!(f, "bus {name:?}"),
            Self::Deliverable { name } => return write!(f, "deliverable {name:?}"),
            Self::Output { content, name } => return write!(f, "{content} {name:?}"),
            Self::File { path } => return f.write_str(&one_line(path.clone())),
            Self::Track { cue, name, file } => {
                if let Some(cue) = cue {
                    write!(f, "cue {cue:?}, ")?;
                }
                write!(f, "track {name:?}")?;
                file
            }
            Self::Cue {
                name,
                placement,
                file,
            } => {
                write!(f, "cue {name:?}")?;
                if let Some(placement) = placement {
                    write!(f, ", use {placement:?}")?;
                }
                file
            }
        };
        match file {
            Some(file) => write!(f, ": {}", one_line(file.clone())),
            None => Ok(()),
        }
    }
}
