//! Improves the errors of the argument parser: suggests only options that are near, and how to name a stem like `-dash.wav`.

use super::args::CommandLine;
use crate::{failure::Failure, suggest, text::printable};
use clap::{
    Command, CommandFactory as _,
    builder::StyledStr,
    error::{ContextKind, ContextValue, ErrorKind},
};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

/// Ends the program with an error of the parser, or with help.
pub fn end(error: clap::Error, given: &[OsString]) -> ! {
    let error = improve(error, given);
    if error.use_stderr() && given.iter().any(|argument| argument == "--json") {
        let text = error.to_string();
        let text = text.trim().trim_start_matches("error: ").to_owned();
        Failure::Usage(text).print_document();
    }
    error.exit()
}

/// Improves the error of an unknown option; returns other errors unchanged.
///
/// Keeps the parser's suggestion only if it is near, and otherwise shows how to name a stem that starts with a dash.
fn improve(mut error: clap::Error, given: &[OsString]) -> clap::Error {
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
    let near = guessed.is_some_and(|g| suggest::nearest(bare(&wrong), [bare(&g)]).is_some());
    error.remove(ContextKind::Suggested);
    if near {
        return error;
    }
    error.remove(ContextKind::SuggestedArg);
    error.insert(
        ContextKind::Usage,
        ContextValue::StyledStr(usage(CommandLine::command(), given)),
    );
    if let Some(stem) = intended_stem(&wrong, given) {
        let stem = printable(&stem.to_string_lossy());
        let tip =
            format!("to pass a stem whose name starts with a dash, use './{stem}' or '-- {stem}'");
        error.insert(
            ContextKind::Suggested,
            ContextValue::StyledStrs(vec![StyledStr::from(tip)]),
        );
    }
    error
}

/// Returns the usage of the command that the arguments name.
fn usage(mut command: Command, given: &[OsString]) -> StyledStr {
    command.build();
    for argument in given {
        if let Some(inner) = command.find_subcommand(argument).cloned() {
            command = inner;
        }
    }
    command.render_usage()
}

/// Returns the name of an option without its dashes.
fn bare(option: &str) -> &str {
    option.trim_start_matches('-')
}

/// Returns the argument that the parser took for options, if it looks like a file. Of `-dash.wav` the parser names only `-d`.
fn intended_stem(wrong: &str, given: &[OsString]) -> Option<PathBuf> {
    let letter = wrong.strip_prefix('-').filter(|l| l.chars().count() == 1);
    let is_wrong = |argument: &&OsString| {
        let text = argument.to_string_lossy();
        match letter {
            // The rest of an argument that starts with -o is the value of -o.
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
        .filter(is_wrong)
        .map(Path::new);
    options
        .find(|p| p.extension().is_some() || p.exists())
        .map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usage_is_that_of_the_command_that_is_named() {
        let start = |given: &[&str]| {
            let given: Vec<OsString> = given.iter().map(OsString::from).collect();
            let usage = usage(CommandLine::command(), &given).to_string();
            usage.lines().next().unwrap_or_default().to_owned()
        };
        assert_eq!(
            start(&["x.wav", "-q"]),
            "Usage: mixdown [OPTIONS] [INPUT]..."
        );
        let report = start(&["report", "x", "-o", "y"]);
        assert!(report.starts_with("Usage: mixdown report "), "{report}");
    }
}
