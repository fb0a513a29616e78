//! Notes about what is not carried from one format to another.

use std::{collections::HashMap, fmt};

/// Largest number of notes. Later ones are counted.
const MAX_NOTES: usize = 1000;

/// A place in a file of another program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// The file as a whole.
    #[default]
    File,
    /// A line, counted from 1.
    Line(usize),
    /// An element of a tree, as `tracks.children[0].children[3]`.
    Element(String),
    /// A part of the session that was written, as `track "vox"`.
    Part(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => Ok(()),
            Self::Line(number) => write!(f, "line {number}: "),
            Self::Element(path) | Self::Part(path) => write!(f, "{path}: "),
        }
    }
}

/// States something that was not carried or was assumed, and what to do about it.
///
/// ```
/// use soundtrack::interchange::{self, Options, Place};
/// let text = "TITLE: Reel\nFCM: DROP FRAME\n001 AX V C 00:00:00;00 00:00:01;00 01:00:00;00 01:00:01;00\n\
///     002 AX A C 00:00:00;00 00:00:01;00 01:00:00;00 01:00:01;00\n";
/// let imported = interchange::read_bytes(text, "reel.edl", &Options::default())?;
/// let note = imported.notes.iter().find(|note| note.place == Place::Line(3)).unwrap();
/// assert_eq!(note.to_string(), "line 3: event 001 has picture only: it is left out");
/// # Ok::<(), soundtrack::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Note {
    /// Place in the file.
    pub place: Place,
    /// The sentence about it.
    pub what: String,
    /// Number of further places with the same note.
    pub more: usize,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.place, self.what)?;
        match self.more {
            0 => Ok(()),
            1 => write!(f, " (and 1 more)"),
            more => write!(f, " (and {more} more)"),
        }
    }
}

/// Collects notes.
#[derive(Debug, Default)]
pub(super) struct Notes {
    list: Vec<Note>,
    /// The note of each group.
    groups: HashMap<String, usize>,
    /// Number of notes beyond the limit.
    dropped: usize,
}

impl Notes {
    /// Adds a note. Control characters of names are escaped, so that it is one line.
    pub(super) fn add(&mut self, place: Place, what: impl Into<String>) {
        if self.list.len() >= MAX_NOTES {
            self.dropped += 1;
            return;
        }
        self.list.push(Note {
            place,
            what: crate::error::one_line(what.into()),
            more: 0,
        });
    }

    /// Adds a note, or counts it with the first of its group.
    pub(super) fn add_to_group(
        &mut self,
        group: impl Into<String>,
        place: Place,
        what: impl Into<String>,
    ) {
        let group = group.into();
        match self
            .groups
            .get(&group)
            .and_then(|at| self.list.get_mut(*at))
        {
            Some(first) => first.more += 1,
            None if self.groups.len() < MAX_NOTES => {
                self.groups.insert(group, self.list.len());
                self.add(place, what);
            }
            None => self.dropped += 1,
        }
    }

    pub(super) fn into_vec(mut self) -> Vec<Note> {
        if self.dropped > 0 {
            self.list.push(Note {
                place: Place::File,
                what: format!("{} more notes are not listed", self.dropped),
                more: 0,
            });
        }
        self.list
    }
}
