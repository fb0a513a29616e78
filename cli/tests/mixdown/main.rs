//! Runs `mixdown` as people do, and checks its outputs, messages and exit codes.

mod balance;
mod console;
mod deliver;
mod hostile;
mod inputs;
mod interchange;
mod join;
mod json;
mod limits;
mod loudness_target;
mod messages;
mod options;
mod output;
mod reports;
mod sessions;
mod signals;
