//! Finds the values of options that were taken for inputs, because these options take values only after `=`.

use super::args::Args;
use crate::failure::Failure;
use soundtrack::encode::Dither;
use std::path::Path;

/// Checks that no input is the value of `--dither` or `--play` after a space.
///
/// # Errors
/// `Usage` with the option as it should be written.
pub fn check(args: &Args) -> Result<(), Failure> {
    let missing = args.inputs.iter().filter(|input| !input.exists());
    for input in missing {
        let Some(text) = input.to_str() else {
            continue;
        };
        let is_dither = args.dither.is_some() && text.parse::<Dither>().is_ok();
        let is_null = args.play.as_deref() == Some("") && input == Path::new("null");
        let option = match (is_dither, is_null) {
            (true, _) => "--dither",
            (_, true) => "--play",
            _ => continue,
        };
        return Err(Failure::Usage(format!(
            "{text}: there is no such file; write {option}={text}, without a space"
        )));
    }
    Ok(())
}
