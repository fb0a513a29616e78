//! The program `batch`, run as schedulers run it: shards, markers, resuming, being killed.

mod items;
mod kills;
mod lists;
mod shards;
