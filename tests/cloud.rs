//! Stems, sessions and mixes in object stores: one of this process, files, and a local S3 server that may hang up.

#[path = "cloud/batch.rs"]
mod batch;
#[path = "cloud/fake.rs"]
mod fake;
#[path = "cloud/here.rs"]
mod here;
#[path = "common/memory.rs"]
mod memory;
#[path = "cloud/proxy.rs"]
mod proxy;
#[path = "cloud/reach.rs"]
mod reach;
#[path = "cloud/s3.rs"]
mod s3;
#[path = "cloud/stems.rs"]
mod stems;
