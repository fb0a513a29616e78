//! Reads stems from, and writes outputs to, local files and object stores.
//!
//! A path that begins with `s3://`, `gs://`, `az://` or `memory://` is the name of an object; everything else is a local
//! file. Object stores need the feature `cloud`; without it such names are refused. Outputs appear whole or not at all:
//! a temporary file beside the target, fsync, rename, fsync of the folder.

mod atomic_file;
mod confine;
mod early_sync;
mod file_set;
pub(crate) mod file_version;
pub(crate) mod glob;
mod input_file;
mod local_file;
mod location;
#[cfg(feature = "cloud")]
mod object;
mod same_file;

pub use atomic_file::AtomicFile;
pub(crate) use atomic_file::{CompleteFile, publish};
pub use confine::confined;
pub(crate) use confine::{files_of, is_inside};
pub(crate) use file_set::FileSet;
pub(crate) use input_file::InputFile;
#[cfg(feature = "cloud")]
pub(crate) use location::Url;
pub(crate) use location::{Location, is_link, joined};
#[cfg(feature = "cloud")]
pub(crate) use object::listed;
#[cfg(feature = "cloud")]
pub use object::{
    About, FIRST_PATIENCE_S, PATIENCE_S, Reader, about, create, delete, list, local, open, read,
    write,
};
pub use same_file::same_file;
