//! Runs `batch` as schedulers do: shards, markers, resuming, kills.

mod items;
mod kills;
mod lists;
mod shards;
mod terminal;
