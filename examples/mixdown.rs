//! The program `mixdown` of the package `soundtrack-cli`, so that it can be run without being installed:
//!
//! ```text
//! cargo run --release --example mixdown -- stems/ -o song.wav
//! ```

fn main() -> std::process::ExitCode {
    soundtrack_cli::mixdown::main()
}
