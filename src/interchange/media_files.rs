//! Finds the audio files that other programs name: by URL, by absolute path of another machine, or relative.

use super::notes::{Notes, Place};
use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

/// Finds files, and notes each missing one once.
#[derive(Debug, Default)]
pub(super) struct MediaFiles {
    missing: HashSet<PathBuf>,
}

impl MediaFiles {
    /// Returns the path of a file that a file in `folder` names by a path or a `file:` URL. Of several places the first at
    /// which it exists counts: the path as it is, relative to the folder, and its name alone in the folder.
    pub(super) fn locate(
        &mut self,
        folder: &Path,
        name: &str,
        place: impl FnOnce() -> Place,
        notes: &mut Notes,
    ) -> PathBuf {
        let text = path_of_url(name);
        // Windows separates by backslashes; on other systems these are hardly ever part of a name.
        let text = if cfg!(windows) {
            text
        } else {
            text.replace('\\', "/")
        };
        let named = Path::new(&text);
        // A device or a drive of another system is no relative path.
        let stated = folder.join(named);
        let alone = named.file_name().map(|name| folder.join(name));
        let candidates = [Some(stated.clone()), alone];
        if let Some(found) = candidates.into_iter().flatten().find(|path| path.is_file()) {
            return found;
        }
        if self.missing.insert(stated.clone()) {
            let what = format!(
                "the file {:?} is not there: put it there, or change `file` in the session",
                stated.display()
            );
            notes.add(place(), what);
        }
        stated
    }
}

/// Returns the path of a `file:` URL (RFC 8089); other texts as they are.
fn path_of_url(text: &str) -> String {
    let Some(rest) = text
        .get(..5)
        .filter(|scheme| scheme.eq_ignore_ascii_case("file:"))
        .and_then(|_| text.get(5..))
    else {
        return text.to_owned();
    };
    let path = match rest.strip_prefix("//") {
        // What follows the slashes is the host, which is this one.
        Some(with_host) => with_host.find('/').and_then(|at| with_host.get(at..)),
        None => Some(rest),
    };
    let path = decoded(path.unwrap_or(""));
    // file:///C:/media/a.wav is C:/media/a.wav.
    match path.as_bytes() {
        [b'/', drive, b':', ..] if drive.is_ascii_alphabetic() => {
            path.get(1..).unwrap_or("").to_owned()
        }
        _ => path,
    }
}

/// Decodes `%20` and the like (RFC 3986, section 2.1). A text that is no UTF-8 afterwards stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_become_paths() {
        for (url, path) in [
            ("file:///folder/titles.mov", "/folder/titles.mov"),
            ("file://localhost/D%3a/media/a%20b.mov", "D:/media/a b.mov"),
            ("file:/x/y.wav", "/x/y.wav"),
            ("FILE:///x%2", "/x%2"),
            ("file://host", ""),
            ("stems/a%20b.wav", "stems/a%20b.wav"),
            ("é", "é"),
        ] {
            assert_eq!(path_of_url(url), path, "{url}");
        }
    }

    #[test]
    fn a_file_is_looked_for_beside_the_project() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.wav"), "").unwrap();
        let (mut files, mut notes) = (MediaFiles::default(), Notes::default());
        let mut locate =
            |name: &str| files.locate(folder.path(), name, || Place::Line(3), &mut notes);
        assert_eq!(locate("C:\\takes\\a.wav"), folder.path().join("a.wav"));
        assert_eq!(locate("sub/b.wav"), folder.path().join("sub/b.wav"));
        assert_eq!(locate("sub/b.wav"), folder.path().join("sub/b.wav"));
        let notes = notes.into_vec();
        assert_eq!(notes.len(), 1);
        assert!(notes[0].to_string().contains("sub/b.wav"), "{}", notes[0]);
    }
}
