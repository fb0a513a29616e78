//! `mixdown join PART...`: joins parts of one mix into one file.

use super::{args::JoinArgs, hints};
use crate::{failure::Failure, messages::Messages, stdout};
use soundtrack::{
    Format, Session,
    encode::{Container, Shaping},
    slice,
};

/// Joins the parts, prints the report and returns the exit code.
pub fn run(args: &JoinArgs, messages: Messages) -> Result<u8, Failure> {
    let report = slice::join(&args.parts, &args.output, args.force).map_err(|e| {
        let hints = hints::of_output(&e, hints::OR_OTHER_OUTPUT);
        Failure::Library(e, hints)
    })?;
    if args.json {
        stdout::print(&report.to_json())?;
    } else if !args.quiet {
        stdout::print(&report.to_string())?;
        messages.note(&format!(
            "joined {} parts into {}",
            args.parts.len(),
            args.output.display()
        ));
    }
    Ok(0)
}

/// Returns whether a range of the session in this format can be joined to others, and prints a note if not.
pub fn is_joinable(session: &Session, format: Format, messages: Messages) -> bool {
    if format.container != Container::Wav {
        messages.note(
            "this part cannot be joined to others: only parts in WAV files can; use --format wav24",
        );
        return false;
    }
    let is_weighted = session
        .master
        .dither
        .is_some_and(|d| d.shaping == Shaping::Weighted);
    if is_weighted {
        messages.note(
            "this part cannot be joined to others: weighted dither depends on the start of the render; use --dither=high-pass",
        );
    }
    !is_weighted
}
