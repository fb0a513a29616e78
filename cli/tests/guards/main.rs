//! Guards for rebuilding the engine: fixed sessions must give the same bytes, and the texts of the plan, the report, saved
//! sessions and `mixdown` the same words.
//!
//! - `cli/tests/guards/sessions/` holds the sessions; `lossless_stems.rs` makes their stems by integer arithmetic.
//!   Everything is at the session's rate, so only arithmetic that is the same on every machine is involved ("The same bytes
//!   everywhere" in `src/lib.rs`). The exception is `deliver-fit`, whose gain comes from a measured loudness.
//! - `cli/tests/guards/audio.txt` holds SHA-256 sums: of the samples of `Session::render`, of each file that is written, and of
//!   that file's `data` chunk alone, so that a change of headers differs from a change of sound.
//! - `cli/tests/guards/texts/` holds what is printed and saved; `cli/tests/guards/errors.txt` what `mixdown` says of mistakes.
//!
//! After an intended change, rewrite everything and look at the difference:
//!
//! ```sh
//! SOUNDTRACK_GUARDS=update cargo test --test guards && git diff cli/tests/guards
//! ```
//!
//! A failure names what differs and leaves the new files in `target/tmp/guards`. `SOUNDTRACK_GUARDS=keep` leaves them there
//! always: run it at a commit that passes to have both for `mixdown compare`.

mod audio;
mod errors;
mod golden;
mod lossless_stems;
mod sessions;
mod texts;
