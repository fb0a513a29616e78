//! Session files: what they mean, what is said about wrong ones, and that they are written back as they were read.

mod bad;
mod cues;
mod file;
mod origin;
mod paths;
mod saving;
mod timecode;
mod warnings;
