//! Threads that work together.

use crate::error::{Error, ErrorKind, Result};
use rayon::{ThreadPool, ThreadPoolBuilder};

const MOST_THREADS: usize = 256;

/// A number of threads; one is the caller's own.
pub(super) struct Pool(Option<ThreadPool>);

impl Pool {
    /// So many threads, at most 256; 0 is as many as the machine has cores.
    pub(super) fn new(threads: usize) -> Result<Self> {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let threads = if threads == 0 {
            cores()
        } else {
            threads.min(MOST_THREADS)
        };
        if threads == 1 {
            return Ok(Self(None));
        }
        let built = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|i| format!("soundtrack-{i}"))
            .build();
        let refused = |e| {
            Error::new(
                ErrorKind::Resource,
                format!("cannot start {threads} threads: {e}"),
            )
            .because(e)
        };
        Ok(Self(Some(built.map_err(refused)?)))
    }

    /// Does the same work on all of them, at most so many, and returns when all have done it.
    pub(super) fn together(&self, most: usize, work: impl Fn() + Sync) {
        match &self.0 {
            Some(pool) if most > 1 => pool.scope(|others| {
                for _ in 1..most.min(pool.current_num_threads()) {
                    others.spawn(|_| work());
                }
                work();
            }),
            _ => work(),
        }
    }
}
