//! Threads that share work: every item is done once, and what it gives stands in the place of the item, whichever thread
//! did it.

use crate::error::{Error, ErrorKind, Result};
use rayon::{ThreadPool, ThreadPoolBuilder, prelude::*};

const MOST_THREADS: usize = 256;

/// A number of threads; one is the caller's own.
pub(super) struct Pool(Option<ThreadPool>);

impl Pool {
    /// So many threads, at most 256; 0 is as many as the machine has cores.
    pub(super) fn new(threads: usize) -> Result<Self> {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let threads = if threads == 0 { cores() } else { threads.min(MOST_THREADS) };
        if threads == 1 {
            return Ok(Self(None));
        }
        let built = ThreadPoolBuilder::new().num_threads(threads).thread_name(|i| format!("soundtrack-{i}")).build();
        let refused = |e| Error::new(ErrorKind::Session, format!("cannot start {threads} threads: {e}")).because(e);
        Ok(Self(Some(built.map_err(refused)?)))
    }

    /// Whether there are other threads than the caller's.
    pub(super) fn is_shared(&self) -> bool {
        self.0.is_some()
    }

    /// Does something with every item. They are handed out one by one, since some take much longer than others.
    pub(super) fn each<T: Send, R: Send>(&self, mut items: Vec<T>, run: impl Fn(T) -> R + Sync + Send) -> Vec<R> {
        match &self.0 {
            Some(pool) if items.len() > 1 => pool.install(|| items.par_drain(..).with_max_len(1).map(run).collect()),
            _ => items.into_iter().map(run).collect(),
        }
    }
}
