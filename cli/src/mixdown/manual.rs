//! `mixdown completions` and `mixdown man`: texts for shells and for `man`, made from the command line.

use super::args::{CommandLine, CompletionsArgs, ManArgs};
use crate::{failure::Failure, stdout, suggest};
use clap::CommandFactory as _;

/// Prints the completions for a shell and returns the exit code.
pub fn completions(args: &CompletionsArgs) -> Result<u8, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(
        args.shell,
        &mut CommandLine::command(),
        "mixdown",
        &mut text,
    );
    stdout::print(String::from_utf8_lossy(&text).trim_end())?;
    Ok(0)
}

/// Prints the manual page of the program or of a command and returns the exit code.
///
/// # Errors
/// `Usage` for an unknown command.
pub fn man(args: &ManArgs) -> Result<u8, Failure> {
    let mut program = CommandLine::command();
    program.build();
    let command = match &args.command {
        None => program,
        Some(name) => {
            let names: Vec<&str> = program
                .get_subcommands()
                .map(clap::Command::get_name)
                .collect();
            let hint = suggest::hint(name, names.iter().copied(), || names.join(", "));
            let found = program.find_subcommand(name).cloned();
            let unknown =
                || Failure::Usage(format!("man {name}: there is no such command; {hint}"));
            found.ok_or_else(unknown)?
        }
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(command)
        .render(&mut text)
        .map_err(Failure::Print)?;
    stdout::print(String::from_utf8_lossy(&text).trim_end())?;
    Ok(0)
}
