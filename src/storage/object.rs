//! Object stores: `s3://`, `gs://`, `az://` and `memory://`. `file://` stands for local files.
//!
//! - Names are taken literally: `s3://bucket/stems/a b.wav` is the object `stems/a b.wav`.
//! - Credentials and endpoints come from the environment (`AWS_…`, `GOOGLE_…`, `AZURE_…`) and
//!   appear in no message.
//! - All data read through one reader belongs to one version of the object; otherwise reading
//!   fails.
//! - Objects become visible only when complete.
//! - Every request ends. A failed request is retried for [`RETRY_TIMEOUT_S`] seconds and then returns an
//!   error that names the object; with the attempt under way at that time, a request takes at most 50
//!   s. If a store never answered and no connection can be made, the request fails within
//!   [`FIRST_CONTACT_TIMEOUT_S`] seconds: attempts start during the first 4 s, at most 1 s apart, and each
//!   has 5 s to connect.
//! - Nothing is stored on the local machine.
//!
//! `memory://` is a single store within this process, for tests.

#[cfg(feature = "cloud")]
mod backend;
#[cfg(not(feature = "cloud"))]
mod no_backend;
mod reader;
mod remote;
mod small_objects;
mod upload;

#[cfg(not(feature = "cloud"))]
use no_backend as backend;
pub use reader::{Reader, open};
pub use small_objects::{
    FIRST_CONTACT_TIMEOUT_S, RETRY_TIMEOUT_S, about, create, delete, list, local, read, write,
};
pub(crate) use {remote::RemoteObject, small_objects::list_folder, upload::Upload};

/// True if the feature `cloud` is built in. Without it no [`ObjectUrl`](super::location::ObjectUrl) exists.
pub(super) const AVAILABLE: bool = cfg!(feature = "cloud");

/// Properties of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct About {
    /// Size in bytes.
    pub size: u64,
    /// Entity tag: changes when the content changes.
    pub tag: String,
}

/// Part of an object.
#[derive(Debug)]
struct ObjectPart {
    bytes: Vec<u8>,
    about: About,
}
