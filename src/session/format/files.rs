//! Files that a session names: the check that they lie in its folder, and patterns.

use super::session_reader::Context;
use crate::error::ProblemKind;
use crate::storage::{Location, glob::fits, is_link, joined};
use std::{
    fs, io,
    path::{Component, Path, PathBuf},
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
    if !context.outside && !is_inside(&inner, &path, context) {
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

/// Whether a path stays in the session's folder at every step, symbolic links included.
fn is_inside(inner: &Path, path: &Path, context: &Context<'_>) -> bool {
    let mut depth = 0i64;
    for component in inner.components() {
        match component {
            Component::Normal(_) => depth += 1,
            Component::ParentDir => depth -= 1,
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return false,
        }
        if depth < 0 {
            return false;
        }
    }
    let leads_out = |path: &PathBuf| match (&context.base, path.canonicalize()) {
        (Some(base), Ok(real)) => !real.starts_with(base),
        _ => false,
    };
    !context.in_languages(path).iter().any(leads_out)
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
