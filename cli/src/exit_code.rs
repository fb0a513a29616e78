//! Exit codes of both programs. `mixdown --help` and `batch --help` list them.

use soundtrack::{Error, ErrorKind, Problem};
use std::iter;

/// A check failed, two files differ, or items of a list are missing.
pub const CHECK_FAILED: u8 = 1;
/// The command line is wrong.
pub const USAGE: u8 = 2;
/// The session, or a line of a list of jobs, is wrong.
pub const SESSION: u8 = 3;
/// A stem is missing, unreadable or damaged.
pub const STEM: u8 = 4;
/// The output, the disk or the device failed.
pub const OUTPUT: u8 = 5;
/// The failure may pass by itself (`EX_TEMPFAIL` of sysexits.h).
pub const TEMPORARY: u8 = 75;

/// Offset that shells add to the number of the signal that ended a program.
const SIGNAL_OFFSET: usize = 128;

/// Exit codes of failed items in order of urgency: first those that a second run may cure, then those that need a person.
const BY_URGENCY: [u8; 5] = [TEMPORARY, OUTPUT, STEM, SESSION, CHECK_FAILED];

/// Returns the exit code of an error of the library.
pub fn of_error(error: &Error) -> u8 {
    let problems = || error.problems().iter().map(Problem::error_kind);
    if iter::once(error.kind())
        .chain(problems())
        .any(|kind| kind == ErrorKind::Transient)
    {
        return TEMPORARY;
    }
    // The problems of a session say more than the kind they have together.
    let own = error.problems().is_empty().then(|| error.kind());
    let kinds = || own.into_iter().chain(problems());
    if kinds().any(|kind| matches!(kind, ErrorKind::Session | ErrorKind::InvalidArgument)) {
        SESSION
    } else if kinds().any(|kind| {
        matches!(
            kind,
            ErrorKind::Output | ErrorKind::Device | ErrorKind::Resource
        )
    }) {
        OUTPUT
    } else {
        STEM
    }
}

/// Returns the exit code of a program that a signal ended: 130 for SIGINT, 143 for SIGTERM, 129 for SIGHUP.
pub fn of_signal(number: usize) -> u8 {
    // Signal numbers end at 64, so the sum fits.
    u8::try_from(SIGNAL_OFFSET + number).unwrap_or(u8::MAX)
}

/// Returns the most urgent of several exit codes, 0 if there is none.
pub fn most_urgent(codes: impl IntoIterator<Item = u8>) -> u8 {
    let rank = |code: u8| {
        BY_URGENCY
            .iter()
            .position(|c| *c == code)
            .unwrap_or(BY_URGENCY.len())
    };
    codes
        .into_iter()
        .min_by_key(|code| rank(*code))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn each_kind_has_its_code() {
        let code = |kind| of_error(&Error::new(kind, ""));
        use ErrorKind::*;
        let codes = [Session, NotFound, Unsupported, Corrupt, Device, Output].map(code);
        assert_eq!(codes, [3, 4, 4, 4, 5, 5]);
        assert_eq!([InvalidArgument, Resource, Transient].map(code), [3, 5, 75]);
        let busy = Error::new(Output, "").because(io::Error::from(io::ErrorKind::ResourceBusy));
        assert_eq!(of_error(&busy), 75);
        let full = Error::new(Output, "").because(io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(of_error(&full), 5);
    }

    #[test]
    fn a_failure_that_may_pass_is_the_most_urgent() {
        assert_eq!(most_urgent([]), 0);
        assert_eq!(most_urgent([0, 1, 0]), 1);
        assert_eq!(most_urgent([1, 3, 4]), 4);
        assert_eq!(most_urgent([5, 4]), 5);
        assert_eq!(most_urgent([3, 75, 5]), 75);
    }

    #[test]
    fn signals_have_the_codes_of_shells() {
        assert_eq!([2, 15, 1].map(of_signal), [130, 143, 129]);
    }
}
