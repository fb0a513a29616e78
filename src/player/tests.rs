//! The player against a device that does what it is told: see [`fake`].

mod controls;
mod fake;
mod faults;
mod law;
mod realtime;
mod stalls;
#[path = "../../tests/common/sessions.rs"]
mod sessions;
