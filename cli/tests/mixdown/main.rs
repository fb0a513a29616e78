//! The program `mixdown`, run as people run it: what goes in, what comes out, and how it ends.

mod deliver;
mod hostile;
mod inputs;
mod join;
mod judge;
mod limits;
mod options;
mod output;
mod papers;
mod sessions;
mod signals;
mod words;
