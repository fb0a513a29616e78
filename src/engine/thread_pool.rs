//! The worker threads of a renderer.

use crate::error::Result;
#[cfg(feature = "threads")]
use crate::error::{Error, ErrorKind};
#[cfg(feature = "threads")]
use rayon::{ThreadPool, ThreadPoolBuilder};

#[cfg(feature = "threads")]
const MAX_THREADS: usize = 256;
/// Number of tasks from which on threads are started: a second of a track and the master has six.
#[cfg(feature = "threads")]
const MIN_TASKS: u64 = 8;

/// Threads that run the scheduler's workers; `None` where the caller's own thread is the only one.
///
/// `rayon` starts the threads once and lets them borrow from the caller, which `std` cannot do without unsafe code: its scoped
/// threads would be started for every block. That took 3 times as long for blocks of 512 frames on 2 threads, and 10 times on
/// 8. `rayon` does not schedule the tasks: a task becomes ready when its feeds are done, in the order of the plan, and goes to
/// the worker whose cache holds its decoder, which work stealing cannot express.
#[cfg(feature = "threads")]
pub(super) struct Pool(Option<ThreadPool>);

#[cfg(feature = "threads")]
impl Pool {
    /// Starts the threads for a number of them that includes the caller's: at most 256; 0 is one for each core. Starts none if
    /// there are so few tasks that this would take longer than they do.
    ///
    /// # Errors
    /// `Resource` where the system refuses a thread.
    pub(super) fn new(threads: usize, tasks: u64) -> Result<Self> {
        if tasks < MIN_TASKS {
            return Ok(Self(None));
        }
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let threads = if threads == 0 {
            cores()
        } else {
            threads.min(MAX_THREADS)
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

    /// Runs the same work on all threads, at most `most` of them, and returns when all have returned. Panics with the panic of a
    /// thread.
    pub(super) fn run_on_all(&self, most: usize, work: impl Fn() + Sync) {
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

/// The thread of the caller, which is the only one in builds without the feature `threads`.
#[cfg(not(feature = "threads"))]
pub(super) struct Pool;

#[cfg(not(feature = "threads"))]
impl Pool {
    /// Returns the thread of the caller, whatever number is asked for.
    #[expect(clippy::unnecessary_wraps, reason = "as with the feature `threads`")]
    pub(super) fn new(_threads: usize, _tasks: u64) -> Result<Self> {
        Ok(Self)
    }

    /// Runs the work on the thread of the caller.
    pub(super) fn run_on_all(&self, _most: usize, work: impl Fn() + Sync) {
        work();
    }
}
