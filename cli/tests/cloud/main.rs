//! Stems, sessions and mixes in object stores: in memory, in files, and on a local S3 server whose connection may fail.

mod batch;
mod fake;
mod here;
mod proxy;
mod reach;
mod s3;
mod stems;
