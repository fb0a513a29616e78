//! `play`: the mix aloud, with meters and keys; `mixdown --play` as a program of its own.
//!
//! ```text
//! cargo run --release --features device --example play -- stems/
//! ```

#[path = "mixdown/main.rs"]
#[allow(dead_code, reason = "its own start")]
mod mixdown;

fn main() -> std::process::ExitCode {
    mixdown::start(|args| {
        args.play.get_or_insert_default();
    })
}
