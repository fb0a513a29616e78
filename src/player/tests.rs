//! Tests of the player against a simulated device: see [`fake`].
#![allow(
    clippy::cast_sign_loss,
    clippy::type_complexity,
    reason = "numbers of tests are chosen"
)]

mod blowup;
mod controls;
mod cues;
mod edits;
mod fake;
mod faults;
mod law;
#[path = "../../tests/laws/random_sessions.rs"]
mod random_sessions;
mod realtime;
#[expect(dead_code, reason = "integration tests use the rest")]
#[path = "../../tests/support/src/renders.rs"]
mod renders;
mod soak;
mod speed;
mod stalls;
mod stress;
