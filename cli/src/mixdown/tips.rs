//! What is advised where the command line is wrong: only what leads somewhere.

use super::args::Args;
use crate::names::similar;
use clap::{
    CommandFactory as _,
    builder::StyledStr,
    error::{ContextKind, ContextValue, ErrorKind},
};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

/// The error of an unknown option, with a guess only where it is near, and with the way to give a stem whose name starts
/// with a dash. Other errors stay as they are.
pub fn advised(mut error: clap::Error, given: &[OsString]) -> clap::Error {
    if error.kind() != ErrorKind::UnknownArgument {
        return error;
    }
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    let (wrong, guessed) = (
        text(ContextKind::InvalidArg).unwrap_or_default(),
        text(ContextKind::SuggestedArg),
    );
    let near = guessed.is_some_and(|g| similar(bare(&wrong), [bare(&g)]).is_some());
    error.remove(ContextKind::Suggested);
    if near {
        return error;
    }
    error.remove(ContextKind::SuggestedArg);
    error.insert(
        ContextKind::Usage,
        ContextValue::StyledStr(Args::command().render_usage()),
    );
    if let Some(stem) = meant(&wrong, given) {
        let stem = crate::voice::printable(&stem.to_string_lossy());
        let tip = format!(
            "a stem whose name starts with a dash is given as './{stem}' or as '-- {stem}'"
        );
        error.insert(
            ContextKind::Suggested,
            ContextValue::StyledStrs(vec![StyledStr::from(tip)]),
        );
    }
    error
}

fn bare(option: &str) -> &str {
    option.trim_start_matches('-')
}

/// The argument that was taken for options, if it looks like a file: of `-dash.wav` only `-d` is called wrong.
fn meant(wrong: &str, given: &[OsString]) -> Option<PathBuf> {
    let letter = wrong.strip_prefix('-').filter(|l| l.chars().count() == 1);
    let taken = |argument: &&OsString| {
        let text = argument.to_string_lossy();
        match letter {
            // What follows -o is its value.
            Some(letter) => {
                text.starts_with('-')
                    && !text.starts_with("--")
                    && !text.starts_with("-o")
                    && text.contains(letter)
            }
            None => text == wrong,
        }
    };
    let mut options = given
        .iter()
        .take_while(|a| *a != "--")
        .filter(taken)
        .map(Path::new);
    options
        .find(|p| p.extension().is_some() || p.exists())
        .map(Path::to_owned)
}
