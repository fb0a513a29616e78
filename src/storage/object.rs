//! Object stores: stems, sessions and mixes under `s3://`, `gs://`, `az://` and `memory://`; `file://` is a local file.
//!
//! **Promises.** A name is taken as it is written: `s3://bucket/stems/a b.wav` is the object `stems/a b.wav`. Credentials
//! and endpoints come from the environment (`AWS_…`, `GOOGLE_…`, `AZURE_…`) and stand in no message. What is read is of one
//! version of the object, or an error. What is written appears whole or not at all. Every request ends: it is tried again
//! for [`PATIENCE_S`] seconds, and then is an error that names the object; one that is under way then is waited for, 50 s in
//! all at most. A store that never answered, and to which no connection can be made, is told within [`FIRST_PATIENCE_S`]
//! seconds: attempts are begun for 4 s, at most 1 s apart, and each has 5 s to connect. **Does not** keep anything
//! on this machine.
//!
//! `memory://` is one store of this process.

mod backend;
mod reader;
mod remote;
mod upload;
mod whole;

pub use backend::About;
pub use reader::{Reader, open};
pub use whole::{FIRST_PATIENCE_S, PATIENCE_S, about, create, delete, list, local, read, write};
pub(crate) use {remote::Remote, upload::Upload, whole::listed};
