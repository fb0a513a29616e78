//! Saves a session in its file. Everything that did not change keeps its text, comments and order.

use super::{
    Load, is_json, read, session_writer,
    tree::{Table, Value},
    write_json, write_toml,
};
use crate::{
    error::{Error, ErrorKind, Result},
    session::Session,
    storage::AtomicFile,
};
use std::{
    io::Write as _,
    path::{Component, Path, PathBuf},
};

impl Session {
    /// Returns the session as the text of a session file at `path`: JSON if the path ends in `.json`, or else TOML. Paths
    /// in it are relative to the folder of `path`. Reading the text gives the same session, except that unnamed clips of
    /// a track with several are named by number, that markers come in the order of time, and that a position whose timecode has
    /// another frame rate than the session is stated in frames.
    ///
    /// ```
    /// use soundtrack::{Decibels, Load, Session};
    /// let text = "rate = 48000\nlayout = \"stereo\"\n\n[track.bass]\nfile = \"bass.wav\"\ngain = -3\n";
    /// let mut mix = Load::default().text(text, "s.toml")?;
    /// assert_eq!(mix.to_text("s.toml")?, text);
    /// # Ok::<(), soundtrack::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Session` for content that a file cannot state: a source of the program, two sends of a strip to one bus, a path that
    /// is not UTF-8.
    pub fn to_text(&self, path: impl AsRef<Path>) -> Result<String> {
        let path = path.as_ref();
        let tree = session_writer::tree(self, path.parent().unwrap_or(Path::new("")))?;
        Ok(if is_json(path) {
            write_json::text(&tree)
        } else {
            write_toml::text(&tree)
        })
    }

    /// Returns `text`, the old text of the file at `path`, edited so that it states this session. Everything that did not
    /// change keeps its comments, order and notation. JSON, a text with errors, and a session whose order changed are written
    /// anew.
    ///
    /// ```
    /// use soundtrack::{Decibels, Load};
    /// let text = "rate = 48000 # of picture\n[track.bass]\nfile = \"bass.wav\" # the DI\n";
    /// let mut mix = Load::default().text(text, "s.toml")?;
    /// mix.tracks_mut()[0].strip.gain = Decibels(-3.0);
    /// let want = "rate = 48000 # of picture\n[track.bass]\nfile = \"bass.wav\" # the DI\ngain = -3\n";
    /// assert_eq!(mix.to_text_like(text, "s.toml")?, want);
    /// # Ok::<(), soundtrack::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`to_text`](Self::to_text).
    pub fn to_text_like(&self, text: &str, path: impl AsRef<Path>) -> Result<String> {
        let path = path.as_ref();
        let new = session_writer::tree(self, path.parent().unwrap_or(Path::new("")))?;
        let kept = if is_json(path) {
            None
        } else {
            edited(text, &new, path)
        };
        kept.map_or_else(|| self.to_text(path), Ok)
    }

    /// Writes the session to a file: JSON if its name ends in `.json`, or else TOML. An existing session file is edited
    /// ([`to_text_like`](Self::to_text_like)) and replaced atomically.
    ///
    /// # Errors
    /// As [`to_text`](Self::to_text); `Output` where the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let text = match read(path) {
            Ok(old) => self.to_text_like(&old, path)?,
            Err(e) if e.kind() == ErrorKind::NotFound => self.to_text(path)?,
            Err(e) => return Err(Error::new(ErrorKind::Output, e.to_string()).because(e)),
        };
        let mut file = AtomicFile::create_sized(path, true, text.len() as u64)?;
        file.write_all(text.as_bytes())
            .map_err(|e| file.failed(e))?;
        file.finish().map(|_| ())
    }
}

/// Returns the old text edited so that it states the new tree, where that is possible.
fn edited(text: &str, new: &Table, path: &Path) -> Option<String> {
    let load = Load {
        outside: true,
        ..Load::default()
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    let tree = |text: &str| session_writer::tree(&load.text(text, path).ok()?, folder).ok();
    let old = tree(text)?;
    if write_toml::same_tables(&old, new) {
        return Some(text.to_owned());
    }
    let folders = folders(text, path)?;
    let edited = write_toml::edited(
        text,
        &in_folders(&old, &folders),
        &in_folders(new, &folders),
    )?;
    let is_right = |text: &String| tree(text).is_some_and(|t| write_toml::same_tables(&t, new));
    if is_right(&edited) {
        return Some(edited);
    }
    // Tracks that patterns found and defaults of a cue have to be written out.
    let mut plain = text.to_owned();
    let mut shown = old.clone();
    for (name, _) in &folders {
        plain = write_toml::without(&plain, "cue", name, &["files", "folder", "bus", "track"])?;
        remove_tracks(&mut shown, name);
    }
    write_toml::edited(&plain, &shown, new).filter(is_right)
}

/// Returns the cues of a text, with the folder of each.
fn folders(text: &str, path: &Path) -> Option<Vec<(String, PathBuf)>> {
    let tree = super::valid_tree(text, path)?;
    let folder = |table: &Table| PathBuf::from(table.text("folder").unwrap_or_default());
    Some(
        tree.tables("cue")
            .map(|(key, table)| (key.name.clone(), folder(table)))
            .collect(),
    )
}

/// Returns the tree with the files of cues as paths from the folder of their cue.
fn in_folders(tree: &Table, folders: &[(String, PathBuf)]) -> Table {
    let mut tree = tree.clone();
    for (name, folder) in folders.iter().filter(|(_, f)| !f.as_os_str().is_empty()) {
        let Some(tracks) = inner(&mut tree, "cue")
            .and_then(|t| inner(t, name))
            .and_then(|t| inner(t, "track"))
        else {
            continue;
        };
        for (_, node) in &mut tracks.entries {
            let Value::Table(track) = &mut node.value else {
                continue;
            };
            relative(track, folder);
            for (_, clip) in inner(track, "clip")
                .into_iter()
                .flat_map(|t| &mut t.entries)
            {
                if let Value::Table(clip) = &mut clip.value {
                    relative(clip, folder);
                }
            }
        }
    }
    tree
}

fn inner<'t>(table: &'t mut Table, key: &str) -> Option<&'t mut Table> {
    let (_, node) = table.entries.iter_mut().find(|(k, _)| k.name == key)?;
    if let Value::Table(inner) = &mut node.value {
        Some(inner)
    } else {
        None
    }
}

/// Makes the file of a clip a path from a folder: `../other/a.wav` where it lies elsewhere.
fn relative(table: &mut Table, folder: &Path) {
    let Some((_, node)) = table.entries.iter_mut().find(|(k, _)| k.name == "file") else {
        return;
    };
    let Value::Text(file) = &mut node.value else {
        return;
    };
    if Path::new(file.as_str()).is_absolute() {
        return;
    }
    let steps = |path: &Path| -> Vec<String> {
        let step = |c: Component<'_>| c.as_os_str().to_string_lossy().into_owned();
        path.components()
            .filter(|c| *c != Component::CurDir)
            .map(step)
            .collect()
    };
    let (there, here) = (steps(Path::new(file.as_str())), steps(folder));
    let common = there.iter().zip(&here).take_while(|(a, b)| a == b).count();
    let up = here.iter().skip(common).map(|_| "..");
    *file = up
        .chain(there.iter().skip(common).map(String::as_str))
        .collect::<Vec<_>>()
        .join("/");
}

/// Removes the tracks of a cue from the tree.
fn remove_tracks(tree: &mut Table, cue: &str) {
    if let Some(cue) = inner(tree, "cue").and_then(|t| inner(t, cue)) {
        cue.entries.retain(|(key, _)| key.name != "track");
    }
}
