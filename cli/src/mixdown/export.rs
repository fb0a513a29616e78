//! `mixdown export SESSION -o FILE`: writes a session for another program.

use super::{args::ExportArgs, hints, import};
use crate::{failure::Failure, messages::Messages};
use soundtrack::{Load, interchange};

/// Writes the file and returns the exit code. Each note of the library is a warning.
///
/// # Errors
/// Passes on the errors of the session and of its stems; `Output` for an existing file without `--force`.
pub fn run(args: &ExportArgs) -> Result<u8, Failure> {
    let messages = Messages {
        quiet: args.quiet,
        ..Messages::default()
    };
    let kind = interchange::FileKind::from_path(&args.output)
        .ok()
        .filter(|kind| kind.is_written());
    if kind.is_none() {
        return Err(Failure::Usage(format!(
            "-o {}: a session is exported as .dawproject, or as .csv for spotting",
            args.output.display()
        )));
    }
    let load = Load {
        outside: args.outside,
        ..Load::default()
    };
    let session = load.session(&args.session).map_err(|e| {
        let hints = hints::of_session(&e).into_iter().collect();
        Failure::Library(e, hints)
    })?;
    let notes = interchange::write(&session, &args.output, args.force).map_err(|e| {
        let hints = hints::of_output(&e, hints::OR_OTHER_OUTPUT);
        Failure::Library(e, hints)
    })?;
    import::warn(&notes, &args.session, messages);
    messages.note(&format!("wrote {}", args.output.display()));
    Ok(0)
}
