//! The program `batch`, run as schedulers run it: shards, markers, resuming, being killed.

#[path = "batch/desk.rs"]
mod desk;
#[path = "batch/items.rs"]
mod items;
#[path = "batch/kills.rs"]
mod kills;
#[path = "batch/lists.rs"]
mod lists;
#[path = "common/memory.rs"]
mod memory;
#[path = "batch/shards.rs"]
mod shards;
