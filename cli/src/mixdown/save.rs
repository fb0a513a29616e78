//! `--save FILE`: writes the session that is mixed as a session file.

use super::{args::Args, hints, inputs::InputKind, mix, session};
use crate::{failure::Failure, messages::Messages};
use soundtrack::{
    Error, ErrorKind,
    storage::{self, AtomicFile},
};
use std::{io::Write as _, path::Path};

/// Writes the session of the inputs with the options of the mix.
///
/// # Errors
/// `Usage` for a name that is not that of a session file; `Output` for an existing file without `--force`, and for a file
/// that cannot be written; errors of the library with hints.
pub fn run(
    path: &Path,
    inputs: &[InputKind],
    args: &Args,
    messages: Messages,
) -> Result<(), Failure> {
    check(path, "--save", args.force)?;
    if let [InputKind::Session(input)] = inputs
        && storage::same_file(path, input).unwrap_or(false)
    {
        // The file is edited, and keeps its comments and order.
        messages.detail(&format!("--save {}: edits the session", path.display()));
    }
    // The render prints the notes about the stems.
    let silent = Messages {
        quiet: true,
        ..messages
    };
    let session = session::build(inputs, args, silent)?;
    let (session, _) = mix::compile(session, args)?;
    session
        .save(path)
        .map_err(|e| hints::for_inputs(e.into(), args))?;
    messages.note(&format!("the session is in {}", path.display()));
    Ok(())
}

/// Writes the text of a session file, whole or not at all.
///
/// # Errors
/// `Output` for an existing file unless `overwrite`, and for one that cannot be written.
pub fn write(path: &Path, text: &str, overwrite: bool) -> Result<(), Failure> {
    let mut file = AtomicFile::create(path, overwrite)?;
    file.write_all(text.as_bytes()).map_err(|e| {
        let what = format!("{}: cannot be written: {e}", path.display());
        Error::new(ErrorKind::Output, what).because(e)
    })?;
    file.finish()?;
    Ok(())
}

/// Checks the path of a session file that an option writes.
///
/// # Errors
/// `Usage` for a name that is not that of a session file; `Output` for an existing file without `--force`.
pub fn check(path: &Path, option: &str, is_forced: bool) -> Result<(), Failure> {
    let extension = path.extension().unwrap_or_default();
    if !extension.eq_ignore_ascii_case("toml") && !extension.eq_ignore_ascii_case("json") {
        return Err(Failure::Usage(format!(
            "{option} {}: a session is saved as .toml or .json; name it {}",
            path.display(),
            path.with_extension("toml").display()
        )));
    }
    if path.exists() && !is_forced {
        let text = format!(
            "{}: exists already; use --force to replace it",
            path.display()
        );
        return Err(Error::new(ErrorKind::Output, text).into());
    }
    Ok(())
}
