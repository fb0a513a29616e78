//! Tests of the player against a simulated device: see [`fake`].
#![allow(
    clippy::cast_sign_loss,
    clippy::type_complexity,
    reason = "numbers of tests are chosen"
)]

mod blowup;
mod controls;
mod cues;
mod fake;
mod faults;
mod law;
mod realtime;
#[path = "../../tests/common/sessions.rs"]
mod sessions;
mod soak;
mod stalls;
mod stress;
