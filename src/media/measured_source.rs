//! Keeps the source of a file between measuring and reading it, so that the file is opened and parsed once.

use super::panic_guard::PanicGuard;
use crate::{error::Result, sync::locked};
use std::{
    fmt,
    sync::{Arc, LazyLock, Mutex},
};

/// Maximum number of large sources that the process keeps. A session may have thousands of stems, most of which sound hours
/// after they were measured.
const MAX_LARGE: usize = 128;

/// Cloned for every large source that is kept, which counts them.
static LARGE: LazyLock<Arc<()>> = LazyLock::new(Arc::default);

/// The source of a stem as measuring has left it, at its first frame. The first who reads the stem takes it.
#[derive(Default)]
pub(super) struct MeasuredSource(Mutex<Option<KeptSource>>);

struct KeptSource {
    source: PanicGuard,
    /// A clone of [`LARGE`] for a large source.
    _count: Option<Arc<()>>,
}

impl MeasuredSource {
    /// Keeps a source. A large one, which has tables and buffers, is closed if there are too many of them.
    ///
    /// # Errors
    /// `Corrupt` for a panic when it is closed.
    pub(super) fn keep(source: PanicGuard, is_large: bool) -> Result<Self> {
        if is_large && Arc::strong_count(&LARGE) > MAX_LARGE {
            return Self::close(source);
        }
        let kept = KeptSource {
            source,
            _count: is_large.then(|| Arc::clone(&LARGE)),
        };
        Ok(Self(Mutex::new(Some(kept))))
    }

    /// Closes a source that has to be opened again for each reader.
    ///
    /// # Errors
    /// `Corrupt` for a panic when it is closed.
    pub(super) fn close(source: PanicGuard) -> Result<Self> {
        source.close()?;
        Ok(Self::default())
    }

    /// Takes the source, if it is kept and was not taken before.
    pub(super) fn take(&self) -> Option<PanicGuard> {
        locked(&self.0).take().map(|kept| kept.source)
    }
}

impl fmt::Debug for MeasuredSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_kept = locked(&self.0).is_some();
        write!(f, "MeasuredSource(kept: {is_kept})")
    }
}
