//! Files that a session names: the check that they lie in its folder, and patterns.

use super::session_reader::Context;
use crate::error::ProblemKind;
use crate::storage::{self, Location, glob::fits, is_link, joined};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Number of entries of a folder that patterns are matched against.
const MAX_ENTRIES: usize = 10_000;

/// Returns the path of a file that is named relative to a folder within the session's; `owner` is what plays or writes it,
/// for messages.
///
/// # Errors
/// A problem where the file lies outside the session's folder, which was not allowed.
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
    match Location::of(path) {
        #[cfg(feature = "cloud")]
        Ok(Location::Object(_)) if allowed => Ok(()),
        #[cfg(feature = "cloud")]
        Ok(Location::Local(local)) if allowed && local != path => Ok(()),
        #[cfg(feature = "cloud")]
        Ok(Location::Object(_)) => Err(outside_folder(file, owner)),
        Err(e) if allowed => Err(ProblemKind::message(format!("{owner}: {e}"))),
        _ => Err(ProblemKind::message(format!(
            "{owner}: {file} is a link; write the path of a file"
        ))),
    }
}

/// Whether a path from the session's folder stays in it, in every language.
pub(super) fn is_inside(inner: &Path, context: &Context<'_>) -> bool {
    let here = joined(&context.folder, inner);
    // The folder's own name may hold a placeholder too, which leads elsewhere once it is filled in.
    let stays = |spoken: &PathBuf| {
        spoken
            .strip_prefix(&context.folder)
            .is_ok_and(|inner| storage::is_inside(&context.folder, inner))
    };
    storage::is_inside(&context.folder, inner) && context.in_languages(&here).iter().all(stays)
}

/// Checks the path of an output, after its placeholders are filled in.
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
/// names, as paths from the folder. Hidden files do not match. With the feature `cloud` the folder may be one of an object
/// store.
pub(super) fn matching(folder: &Path, pattern: &str) -> io::Result<Vec<PathBuf>> {
    let (inner, pattern) = pattern.rsplit_once('/').unwrap_or(("", pattern));
    let mut found = Vec::new();
    #[cfg(feature = "cloud")]
    if folder.to_str().is_some_and(is_link) {
        let names = crate::storage::listed(&folder.join(inner))?.map_err(io::Error::other)?;
        let wanted = |name: &&String| !name.starts_with('.') && fits(pattern, name);
        return Ok(names
            .iter()
            .filter(wanted)
            .take(MAX_ENTRIES)
            .map(|name| Path::new(inner).join(name))
            .collect());
    }
    for entry in fs::read_dir(folder.join(inner))?.take(MAX_ENTRIES) {
        let name = entry?.file_name();
        let Some(name) = name.to_str().filter(|n| !n.starts_with('.')) else {
            continue;
        };
        let path = Path::new(inner).join(name);
        if fits(pattern, name) && folder.join(&path).is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
