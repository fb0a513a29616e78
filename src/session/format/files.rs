//! Checks that the files of a session lie in its folder, and finds files by patterns.

use super::session_reader::Context;
use crate::error::ProblemKind;
use crate::storage::{self, Location, glob::matches, is_link, joined};
use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
};

/// Limit of the number of entries of a folder that patterns are matched against.
const MAX_ENTRIES: usize = 10_000;

/// Returns the path of a file that is named relative to a folder within the session's. Messages name `owner`, the track or
/// deliverable that plays or writes the file.
///
/// # Errors
/// A problem where the file lies outside the session's folder without [`Load::outside`](super::Load::outside).
pub(super) fn confined(
    file: &str,
    within: &Path,
    context: &Context<'_>,
    owner: &str,
) -> Result<PathBuf, ProblemKind> {
    let inner = joined(within, Path::new(file));
    let path = joined(&context.folder, &inner);
    if file.contains('\0') {
        return Err(ProblemKind::message(format!(
            "{owner}: the name of the file holds a NUL"
        )));
    }
    if is_link(file) {
        return check_link(file, &path, context, owner).map(|()| path);
    }
    if !context.outside && !is_inside(&inner, context) {
        return Err(outside_folder(file, owner));
    }
    Ok(path)
}

fn outside_folder(file: &str, owner: &str) -> ProblemKind {
    ProblemKind::OutsideFolder {
        owner: owner.to_owned(),
        file: file.to_owned(),
    }
}

/// Checks a file that is named by a link.
fn check_link(
    file: &str,
    path: &Path,
    context: &Context<'_>,
    owner: &str,
) -> Result<(), ProblemKind> {
    let allowed = context.outside;
    match Location::parse(path) {
        Ok(Location::Object(_)) if allowed => Ok(()),
        Ok(Location::Local(local)) if allowed && local != path => Ok(()),
        Ok(Location::Object(_)) => Err(outside_folder(file, owner)),
        Err(e) if allowed => Err(ProblemKind::message(format!("{owner}: {e}"))),
        _ => Err(ProblemKind::message(format!(
            "{owner}: {file} is a link; write the path of a file"
        ))),
    }
}

/// Reports whether a path from the session's folder stays in it, in every language.
pub(super) fn is_inside(inner: &Path, context: &Context<'_>) -> bool {
    if context.inside.borrow().contains(inner) {
        return true;
    }
    let here = joined(&context.folder, inner);
    // The folder's own name may hold a placeholder too, which leads elsewhere once it is filled in.
    let stays = |spoken: &PathBuf| {
        spoken
            .strip_prefix(&context.folder)
            .is_ok_and(|inner| storage::is_inside(&context.folder, inner))
    };
    let is_inside =
        storage::is_inside(&context.folder, inner) && context.in_languages(&here).iter().all(stays);
    if is_inside {
        context.inside.borrow_mut().insert(inner.to_owned());
    }
    is_inside
}

/// Checks the path of an output whose placeholders are filled in.
///
/// # Errors
/// A problem where it lies outside the session's folder, which was not allowed.
pub(super) fn check_output(
    path: &Path,
    context: &Context<'_>,
    owner: &str,
) -> Result<(), ProblemKind> {
    if context.outside {
        return Ok(());
    }
    match path.strip_prefix(&context.folder) {
        Ok(inner) if storage::is_inside(&context.folder, inner) => Ok(()),
        Ok(inner) => Err(outside_folder(&inner.to_string_lossy(), owner)),
        Err(_) => Err(outside_folder(&path.to_string_lossy(), owner)),
    }
}

/// Returns the files of a folder whose names match a pattern such as `*.wav` or `stems/dx_?.flac`, in the order of their
/// names, as paths from the folder. Hidden files do not match. A broken link does, so that its stem is reported as missing. With
/// the feature `cloud` the folder may be one of an object store.
///
/// # Errors
/// Passes on the errors of reading the folder; a message where it has more than 10,000 entries, and where a name that may match is not UTF-8.
pub(super) fn matching(folder: &Path, pattern: &str) -> io::Result<Vec<PathBuf>> {
    let (inner, pattern) = pattern.rsplit_once('/').unwrap_or(("", pattern));
    let too_many = || {
        io::Error::other(format!(
            "it has more than {MAX_ENTRIES} entries: name the files, or use smaller folders"
        ))
    };
    let mut found = Vec::new();
    if folder.to_str().is_some_and(is_link) {
        let names = storage::list_folder(&folder.join(inner))?;
        if names.len() > MAX_ENTRIES {
            return Err(too_many());
        }
        let wanted = |name: &&String| !name.starts_with('.') && matches(pattern, name);
        return Ok(names
            .iter()
            .filter(wanted)
            .map(|name| Path::new(inner).join(name))
            .collect());
    }
    for (number, entry) in fs::read_dir(folder.join(inner))?.enumerate() {
        if number == MAX_ENTRIES {
            return Err(too_many());
        }
        let name = entry?.file_name();
        let shown = name.to_string_lossy();
        if shown.starts_with('.') || !matches(pattern, &shown) {
            continue;
        }
        let Some(name) = name.to_str() else {
            let what = format!("the name {shown:?} is no text: rename the file");
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        };
        let path = Path::new(inner).join(name);
        if !folder.join(&path).is_dir() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Limits of the search for audio in subfolders: their number and their depth.
const MAX_FOLDERS: usize = 1000;
const MAX_DEPTH: usize = 4;

/// Returns the subfolders with files that match these patterns, sorted, as paths from the folder. Skips hidden folders, links, and
/// `known` folders, which the session reads or writes.
pub(super) fn folders_with_audio(
    folder: &Path,
    patterns: &[&str],
    known: &HashSet<PathBuf>,
) -> Vec<PathBuf> {
    let endings: Vec<&str> = patterns
        .iter()
        .map(|pattern| pattern.rsplit_once('/').map_or(*pattern, |(_, name)| name))
        .collect();
    let mut found = Vec::new();
    let mut left: Vec<(PathBuf, usize)> = vec![(PathBuf::new(), 0)];
    let mut looked = 0;
    while let Some((inner, depth)) = left.pop() {
        looked += 1;
        if looked > MAX_FOLDERS {
            break;
        }
        let entries = fs::read_dir(folder.join(&inner)).into_iter().flatten();
        for entry in entries.flatten().take(MAX_ENTRIES) {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            if name.starts_with('.') {
                continue;
            }
            if kind.is_dir()
                && depth < MAX_DEPTH
                && !known.contains(&folder.join(&inner).join(&*name))
            {
                left.push((inner.join(&*name), depth + 1));
            } else if kind.is_file() && depth > 0 && endings.iter().any(|p| matches(p, &name)) {
                found.push(inner.clone());
            }
        }
    }
    found.sort();
    found.dedup();
    found
}
