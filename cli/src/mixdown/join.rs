//! `join PART...`: the parts of one mix, made one file.

use super::{args::JoinArgs, run};
use crate::{failure::Failure, voice::Voice};
use soundtrack::{Error, Session, encode::Shaping, slice};

/// Joins; the exit code.
pub fn run(args: &JoinArgs, voice: Voice) -> Result<u8, Failure> {
    let report = slice::join(&args.parts, &args.output, args.force).map_err(|e: Error| {
        let hints = run::replaced(&e, run::ANOTHER);
        Failure::Audio(e, hints)
    })?;
    if args.json {
        run::print(&report.to_json())?;
    } else if !args.quiet {
        run::print(&report.to_string())?;
        voice.note(&format!(
            "joined {} parts into {}",
            args.parts.len(),
            args.output.display()
        ));
    }
    Ok(0)
}

/// Whether a range of the session can be a part; says why not.
pub fn joinable(session: &Session, voice: Voice) -> bool {
    let weighted = session
        .master
        .dither
        .is_some_and(|d| d.shaping == Shaping::Weighted);
    if weighted {
        voice.note(
            "weighted dither depends on where a render starts: this part cannot be joined to others; high-pass can",
        );
    }
    !weighted
}
