//! Stems, sessions and mixes in object stores: one of this process, files, and a local S3 server that may hang up.

mod batch;
mod fake;
mod here;
mod proxy;
mod reach;
mod s3;
mod stems;
