//! Messages after a result: its warnings, the verdict of `--strict`, and what to try after the demo.

use super::args::Args;
use crate::{exit_code, messages::Messages, text::counted};
use soundtrack::diagnostics::Warning;
use std::path::PathBuf;

/// Returns whether warnings are printed: not with `--quiet`, unless `--strict` fails on them.
pub fn are_warnings_shown(args: &Args) -> bool {
    args.strict || !args.quiet
}

/// Warnings of one code that are printed before the rest is only counted.
const MAX_OF_A_CODE: usize = 3;

/// Prints the warnings of a report if warnings are shown, and its notes with `--verbose`, as [`print_grouped`] does.
pub fn print_warnings<'a>(
    warnings: impl IntoIterator<Item = &'a Warning>,
    args: &Args,
    messages: Messages,
) {
    if are_warnings_shown(args) {
        print_grouped(warnings, args.verbose, messages);
    }
}

/// Prints warnings grouped by their codes, in the order in which the codes first appear, and notes if verbose. Of a code with
/// many warnings, prints one and the number of the others, unless the output is verbose or JSON.
pub fn print_grouped<'a>(
    warnings: impl IntoIterator<Item = &'a Warning>,
    is_verbose: bool,
    messages: Messages,
) {
    let mut groups: Vec<(&str, Vec<&Warning>)> = Vec::new();
    let shown = |warning: &&Warning| is_verbose || !warning.kind.is_note();
    for warning in warnings.into_iter().filter(shown) {
        let code = warning.kind.code();
        match groups.iter_mut().find(|(known, _)| *known == code) {
            Some((_, group)) => group.push(warning),
            None => groups.push((code, vec![warning])),
        }
    }
    for (code, group) in groups {
        let is_whole = group.len() <= MAX_OF_A_CODE || is_verbose || messages.json;
        let shown = if is_whole { group.len() } else { 1 };
        for warning in group.iter().take(shown) {
            messages.report_warning(warning);
        }
        if !is_whole {
            let more = group.len() - shown;
            messages.warning(&format!(
                "{code} {more} more like it (-v prints all, `mixdown explain {code}` the cure)"
            ));
        }
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
        "\nListen to target/demo/soundtrack.wav:\n  \
         00:00  a pad fades in alone and moves from left to right, then keys enter\n  \
         00:10  the band plays; at 00:32 it is cut to its ending, with a crossfade\n  \
         00:41  the tune comes home, with the hall of the bus `hall`\n\
         Then try:\n  \
         {program} --play=null                      # the mixing console; ? shows its keys\n  \
         {program} --deliver stems                  # one of the deliverables\n  \
         {program} --solo rhythm -o rhythm.wav      # one bus alone\n  \
         {program} --range 10s..20s -o part.wav     # a part of the mix\n  \
         {program} target/demo/stems --preset cd    # a folder of stems as they are, into stems.wav for a CD\n  \
         {program} init target/demo/stems           # a session file with comments for that folder\n  \
         {program} --help                           # all options"
    ));
}
