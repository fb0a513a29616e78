//! Checks that a path stays inside a folder.

use crate::error::{Error, ErrorKind, Result};
use std::{
    ffi::OsStr,
    fs, io,
    path::{Component, Path, PathBuf},
};

/// Maximum number of symbolic links followed for one path, the limit of Linux.
const MAX_LINKS: usize = 40;

/// Returns the path of a file that must lie inside a folder. The file need not exist.
///
/// `path` is relative to the folder. It is refused if it is absolute, contains a NUL, climbs above
/// the folder at any step, or leads out of the folder once all symbolic links are followed,
/// including links whose target does not exist. A name such as `stem.mka#2` selects a stream of
/// `stem.mka`, so that file is checked as well. Call this with the final path, after all
/// placeholders are filled in.
///
/// ```
/// use soundtrack::storage::confined;
/// let folder = tempfile::tempdir()?;
/// assert_eq!(confined(folder.path(), "out/mix.wav")?, folder.path().join("out/mix.wav"));
/// assert!(confined(folder.path(), "out/../../mix.wav").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// `Session`, naming the path as given.
pub fn confined(folder: impl AsRef<Path>, path: impl AsRef<Path>) -> Result<PathBuf> {
    let (folder, path) = (folder.as_ref(), path.as_ref());
    if is_inside(folder, path) {
        return Ok(folder.join(path));
    }
    let (path, folder) = (path.display(), folder.display());
    let what = format!("{path}: leads out of the folder {folder}: choose a path inside it");
    Err(Error::new(ErrorKind::Session, what))
}

/// Returns true if a path relative to a folder stays inside it at every step.
pub(crate) fn is_inside(folder: &Path, path: &Path) -> bool {
    if path.as_os_str().as_encoded_bytes().contains(&0) || !descends(path) {
        return false;
    }
    let entry = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    match entry.canonicalize() {
        Ok(base) => files_of(path).iter().all(|file| leads_inside(&base, file)),
        // A folder that does not exist, or that belongs to an object store, holds no links to
        // follow.
        Err(_) => true,
    }
}

/// Returns true if a path is relative and never has more `..` than names before it.
fn descends(path: &Path) -> bool {
    let mut depth = 0usize;
    for component in path.components() {
        match component {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return false,
            },
            Component::RootDir | Component::Prefix(_) => return false,
        }
    }
    true
}

/// Returns every file that a path may open: the path itself, and the part of its name before each
/// `#`.
pub(crate) fn files_of(path: &Path) -> Vec<PathBuf> {
    let mut files = vec![path.to_owned()];
    if let Some(name) = path.file_name().and_then(OsStr::to_str) {
        let cuts = name.match_indices('#').filter(|(at, _)| *at > 0);
        files.extend(cuts.filter_map(|(at, _)| Some(path.with_file_name(name.get(..at)?))));
    }
    files
}

/// Returns true if every step of a path lies inside `base` with links followed. `base` must be free
/// of links.
fn leads_inside(base: &Path, path: &Path) -> bool {
    let (mut at, mut links) = (base.to_owned(), 0);
    for component in path.components() {
        match component {
            Component::Normal(name) => match follow(at, name, &mut links) {
                Some(next) => at = next,
                None => return false,
            },
            Component::ParentDir => _ = at.pop(),
            _ => {}
        }
        if !at.starts_with(base) {
            return false;
        }
    }
    true
}

/// Returns the path that a name in a folder leads to, following links. `None` after too many links.
fn follow(folder: PathBuf, name: &OsStr, links: &mut usize) -> Option<PathBuf> {
    let entry = folder.join(name);
    let target = match fs::read_link(&entry) {
        Ok(target) => target,
        // Not a link, or missing. A missing component is created as a plain folder or file.
        Err(e) if is_no_link(&e) => return Some(entry),
        Err(_) => return None,
    };
    *links += 1;
    if *links > MAX_LINKS {
        return None;
    }
    let mut at = folder;
    for component in target.components() {
        match component {
            Component::Prefix(_) | Component::RootDir => at.push(component),
            Component::CurDir => {}
            Component::ParentDir => _ = at.pop(),
            Component::Normal(name) => at = follow(at, name, links)?,
        }
    }
    Some(at)
}

/// Returns true if reading a link failed because there is none. `NotADirectory` means that the
/// parent is a file, so nothing can exist below it.
fn is_no_link(e: &io::Error) -> bool {
    matches!(
        e.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::InvalidInput | io::ErrorKind::NotADirectory
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside_by_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let inside = |path: &str| is_inside(folder.path(), Path::new(path));
        for path in [
            "a.wav",
            "a/b/c.wav",
            "./a",
            "a/../b",
            "a/./b/../../c",
            "..a",
            "a..",
            "#2",
        ] {
            assert!(inside(path), "{path}");
        }
        for path in [
            "..",
            "../a",
            "a/../..",
            "a/../../b",
            "./../a",
            "/a",
            "//a",
            "/",
            "a\0b",
            "a/b/../../../a",
        ] {
            assert!(!inside(path), "{path}");
        }
    }

    #[test]
    fn a_name_may_select_a_part_of_each_file_before_a_hash() {
        let files = |path: &str| files_of(Path::new(path));
        assert_eq!(
            files("d/a#1#2"),
            ["d/a#1#2", "d/a", "d/a#1"].map(PathBuf::from)
        );
        assert_eq!(files("d/#1"), [PathBuf::from("d/#1")]);
    }

    #[cfg(unix)]
    #[test]
    fn forty_links_are_followed_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        for n in 1..=41 {
            let target = format!("{}", n - 1);
            std::os::unix::fs::symlink(target, folder.path().join(n.to_string())).unwrap();
        }
        let inside = |path: &str| is_inside(folder.path(), Path::new(path));
        assert_eq!([inside("40"), inside("41")], [true, false]);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_also_to_what_does_not_exist() {
        use std::os::unix::fs::symlink;
        let outer = tempfile::tempdir().unwrap();
        let (base, out) = (outer.path().join("base"), outer.path().join("out"));
        fs::create_dir_all(base.join("sub/deep")).unwrap();
        fs::create_dir(&out).unwrap();
        fs::write(out.join("a.wav"), "").unwrap();
        let link = |target: &str, name: &str| symlink(target, base.join(name)).unwrap();
        link("../out", "dir");
        link(out.to_str().unwrap(), "absolute");
        link("../out/a.wav", "l.wav");
        link("../out/none.wav", "dangling.wav");
        link("none/../../out/new.wav", "through-nothing.wav");
        link("loop-b", "loop-a");
        link("loop-a", "loop-b");
        link("dir", "twice");
        link("sub/deep", "within");
        link("../base/sub", "around");
        symlink("../../..", base.join("sub/deep/up")).unwrap();
        let inside = |path: &str| is_inside(&base, Path::new(path));
        for path in [
            "within/x.wav",
            "within",
            "around/deep",
            "around/new/x.wav",
            "within/../x",
        ] {
            assert!(inside(path), "{path}");
        }
        for path in [
            "dir",
            "dir/a.wav",
            "dir/new.wav",
            "dir/new/b.wav",
            "absolute/a.wav",
            "l.wav",
            "l.wav#1",
            "l.wav#1#2",
            "l.wav#ch3",
            "dangling.wav",
            "through-nothing.wav",
            "loop-a",
            "loop-a/x",
            "twice/a.wav",
            "dir/../base/x.wav",
            "within/up/x.wav",
            "within/up/base/x.wav",
            "around/deep/up/out/a.wav",
            "missing/../dir/a.wav",
        ] {
            assert!(!inside(path), "{path}");
        }
        // The folder may itself be reached by a link.
        symlink("base", outer.path().join("alias")).unwrap();
        assert!(is_inside(
            &outer.path().join("alias"),
            Path::new("within/x.wav")
        ));
        assert!(!is_inside(
            &outer.path().join("alias"),
            Path::new("dir/x.wav")
        ));
        let e = confined(&base, "dir/x.wav").unwrap_err().to_string();
        assert!(e.starts_with("dir/x.wav: leads out of the folder "), "{e}");
    }
}
