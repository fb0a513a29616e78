use super::one_line;
use std::fmt;

/// The part of a session, or the file, that a warning or a problem is about.
///
/// It is displayed as it leads a message: `track "vox": vox.wav`, `cue "storm", use "reprise"`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Subject {
    /// The session, or the whole mix.
    Session,
    /// The master.
    Master,
    /// A bus.
    Bus {
        /// Its name.
        name: String,
    },
    /// A track, or one of its clips.
    Track {
        /// The cue that holds it, where it is no track of the timeline.
        cue: Option<String>,
        /// Its name.
        name: String,
        /// The file of the clip.
        file: Option<String>,
    },
    /// A cue.
    Cue {
        /// Its name.
        name: String,
        /// The name of one placement of the cue.
        placement: Option<String>,
        /// The file of one of its clips.
        file: Option<String>,
    },
    /// A deliverable.
    Deliverable {
        /// Its name.
        name: String,
    },
    /// A file that is written and holds a part of the mix.
    Output {
        /// The kind of part, such as `stem` or `cue`.
        content: String,
        /// The name of that part.
        name: String,
    },
    /// A file.
    File {
        /// Its path.
        path: String,
    },
}

impl Subject {
    /// A track of the plan, by its name.
    pub(crate) fn track(name: &str) -> Self {
        Self::Track {
            cue: None,
            name: name.to_owned(),
            file: None,
        }
    }

    /// A clip of a track.
    pub(crate) fn clip(track: &str, file: &str) -> Self {
        Self::Track {
            cue: None,
            name: track.to_owned(),
            file: Some(file.to_owned()),
        }
    }

    /// The same subject, narrowed to one of its files, where it is a track or a cue.
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
