//! Names of tracks and titles, made from file names.

use std::{
    collections::HashSet,
    ffi::{OsStr, OsString},
    path::Path,
};

/// Makes names unique by numbering them: `kick`, `kick 2`, `kick 3`.
#[derive(Default)]
pub struct UniqueNames {
    used: HashSet<String>,
}

impl UniqueNames {
    /// Returns the wanted name, numbered if it is in use. An empty name becomes `track`.
    pub fn make_unique(&mut self, wanted: &str) -> String {
        let wanted = if wanted.is_empty() { "track" } else { wanted };
        let mut name = wanted.to_owned();
        let mut number = 2u64;
        while !self.used.insert(name.clone()) {
            name = format!("{wanted} {number}");
            number += 1;
        }
        name
    }
}

/// Returns the name of a stem, a stem file or a session without its extensions: `song` for `a/song.stem.mp4`.
pub fn title(path: &Path) -> String {
    let stem = path
        .file_stem()
        .unwrap_or(path.as_os_str())
        .to_string_lossy();
    stem.strip_suffix(".stem")
        .filter(|s| !s.is_empty())
        .unwrap_or(&stem)
        .to_owned()
}

/// Returns the name of a stem's track: `kick` for `kick.wav`, `song#2` for the second stream of `song.stem.mp4`.
pub fn track_name(path: &Path) -> String {
    let title = title(path);
    let extension = path.extension().map(OsStr::to_string_lossy);
    match extension.as_deref().and_then(|e| e.rsplit_once('#')) {
        Some((_, number)) if !path.exists() => format!("{title}#{number}"),
        _ => title,
    }
}

/// Returns the name of the track of a stem found in subfolders: `drums kick` for `drums/kick.wav`.
pub fn name_in(subfolder: &Path, file: &Path) -> String {
    let mut words: Vec<String> = subfolder
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    words.push(title(file));
    words.join(" ")
}

/// Returns the name of a folder, also if it is given as `.`; `None` for the root.
pub fn folder_name(folder: &Path) -> Option<OsString> {
    let name = |path: &Path| path.file_name().map(OsStr::to_owned);
    name(folder).or_else(|| name(&folder.canonicalize().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_unique() {
        let mut names = UniqueNames::default();
        let given = ["kick", "kick", "kick 2", "", ""].map(|n| names.make_unique(n));
        assert_eq!(given, ["kick", "kick 2", "kick 2 2", "track", "track 2"]);
    }

    #[test]
    fn titles_are_names_without_extensions() {
        assert_eq!(title(Path::new("a/song.stem.mp4")), "song");
        assert_eq!(title(Path::new("kick.wav")), "kick");
        assert_eq!(
            name_in(Path::new("drums/in"), Path::new("a/drums/in/kick.wav")),
            "drums in kick"
        );
        assert_eq!(title(Path::new(".stem.mp4")), ".stem");
    }
}
