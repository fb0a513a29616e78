//! Messages after a result: its warnings, the verdict of `--strict`, and what to try after the demo.

use super::args::Args;
use crate::{exit_code, messages::Messages, text::counted};
use soundtrack::diagnostics::Warning;
use std::path::PathBuf;

/// Returns whether warnings are printed: not with `--quiet`, unless `--strict` fails on them.
pub fn are_warnings_shown(args: &Args) -> bool {
    args.strict || !args.quiet
}

/// Prints a warning of a report if warnings are shown, or a note of a report with `--verbose`.
pub fn print_warning(warning: &Warning, args: &Args, messages: Messages) {
    let is_shown = if warning.kind.is_note() {
        args.verbose
    } else {
        are_warnings_shown(args)
    };
    if is_shown {
        messages.report_warning(warning);
    }
}

/// Returns the exit code of a result with this number of warnings: 0, or 1 with an error under `--strict`.
///
/// `done` says what happened to the output, such as `mix.wav was written`.
pub fn strict_exit_code(done: &str, warnings: usize, args: &Args, messages: Messages) -> u8 {
    if !args.strict || warnings == 0 {
        return 0;
    }
    let warnings = counted(warnings as u64, "warning");
    messages.error(&format!("{done}, with {warnings} under --strict"), "check");
    exit_code::CHECK_FAILED
}

/// Prints what to try after the demo, for people who read the table.
pub fn print_next_steps(args: &Args, messages: Messages) {
    if args.quiet || args.json {
        return;
    }
    let program = std::env::args_os()
        .next()
        .map(PathBuf::from)
        .unwrap_or_default();
    let folder = std::env::current_dir().unwrap_or_default();
    let program = program.strip_prefix(&folder).unwrap_or(&program).display();
    messages.lines(&format!(
        "\nListen to it, then try:\n  \
         {program} --deliver stems --solo rhythm    # one of the deliverables, one bus alone\n  \
         {program} --range 10s..20s                 # a part of the mix, into target/demo/soundtrack.wav\n  \
         {program} --json                           # the same as data\n  \
         {program} target/demo/stems                # a folder of stems as they are, into stems.wav\n  \
         {program} kick.wav@-3 bass.flac@-2:L20     # your own stems, into mix.wav\n  \
         {program} --help                           # all options"
    ));
}
