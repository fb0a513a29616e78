//! Checks the promises about faults, one row each: injects the fault, checks the figures and prints one line.
//!
//! `cargo test --test faults` runs every row at its everyday size and prints the table; a word after `--` runs the rows
//! whose section or name holds it. `SOUNDTRACK_FAULTS=full` injects as often as a release asks for. A row whose outer
//! program or file system is not to be had says so and counts as skipped.

mod determinism;
mod inputs;
mod live;
#[cfg(unix)]
mod outputs;
#[cfg(unix)]
mod scale;
mod sessions;
mod table;

fn main() -> std::process::ExitCode {
    // Some rows look at a process of their own: this program once more, with one stem to mix.
    if let Some(stem) = std::env::var_os(inputs::CHILD) {
        return inputs::child(stem.as_ref());
    }
    #[cfg(unix)]
    if std::env::var_os(live::CHILD).is_some() {
        return live::child();
    }
    #[cfg(unix)]
    let unix = [outputs::ROWS.as_slice(), &[scale::ROWS]].concat();
    #[cfg(not(unix))]
    let unix = Vec::new();
    table::run(
        &[
            &inputs::ROWS[..],
            &[sessions::ROWS],
            &unix,
            &live::ROWS,
            &[determinism::ROWS],
        ]
        .concat(),
    )
}
