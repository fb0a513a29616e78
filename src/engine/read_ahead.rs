//! Decodes clips ahead of the one who plays them, on threads of its own: seconds deep, bounded in memory.
//!
//! A **path** is the timeline in the order of playing: straight on, or round and round a loop. Every clip has a supply, a
//! queue of decoded pieces in the order of the path. The threads always fill the supply that would run dry first, so a
//! slow stem costs the others nothing and the first frames of all stems come before the second of any. Stems are opened
//! when the window reaches their clip, and closed when the path leaves it.
//!
//! **Promises.** The pieces are what a [`Reader`] gives, bit for bit. Taking them never waits for a file. **Does not**
//! decide when to play: [`ReadAhead::ready`] tells whether a stretch is there.

mod path;
mod supply;

pub(crate) use supply::Supply;

use crate::{
    error::Result,
    plan::{Plan, PlannedClip},
};
pub(crate) use path::Path;
use path::Window;
use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// The most memory that decoded audio takes, in bytes: two and a half seconds of 128 stereo stems at 48 kHz.
const BUDGET: u64 = 256 << 20;
/// The least that is read ahead, in frames, however many stems there are.
const LEAST: u64 = 16_384;
/// More threads than cores, so that a slow file leaves a core free.
const SPARE_THREADS: usize = 1;
const MOST_THREADS: usize = 16;
/// How often a thread with nothing to do looks again by itself.
const IDLE: Duration = Duration::from_millis(200);
/// The longest rest after a piece.
const MOST_REST: Duration = Duration::from_millis(5);
/// How many frames are played before the threads are woken.
const STRIDE: u64 = 1024;

/// The supplies of all clips of a plan, and the threads that fill them.
pub(crate) struct ReadAhead {
    shared: Arc<Shared>,
    /// For every lane, one for each clip.
    lanes: Vec<Vec<Arc<Supply>>>,
    threads: Vec<JoinHandle<()>>,
    /// Frames played since the threads were woken.
    unsaid: u64,
}

struct Shared {
    supplies: Vec<Arc<Supply>>,
    /// Frames of the path before the window, and how many are in it.
    played: AtomicU64,
    depth: u64,
    work: Mutex<Work>,
    wake: Condvar,
}

/// What the threads agree on.
struct Work {
    path: Path,
    quit: bool,
}

impl ReadAhead {
    /// Starts reading from frame 0 on, as deep as asked for where the memory allows.
    pub(crate) fn start(plan: &Plan, depth: u64) -> Self {
        let lanes: Vec<Vec<Arc<Supply>>> = plan
            .lanes
            .iter()
            .map(|lane| lane.clips().iter().map(|clip| Arc::new(Supply::new(clip, &lane.name))).collect())
            .collect();
        let path = Path { at: 0, round: None, end: plan.length.0 };
        let most = BUDGET / 8 / samples_at_once(plan).max(1);
        let shared = Arc::new(Shared {
            supplies: lanes.iter().flatten().filter(|s| s.is_heard()).cloned().collect(),
            played: AtomicU64::new(0),
            depth: depth.min(most).max(LEAST),
            work: Mutex::new(Work { path, quit: false }),
            wake: Condvar::new(),
        });
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let count = (cores + SPARE_THREADS).min(MOST_THREADS).min(shared.supplies.len());
        let start = |n| {
            let shared = Arc::clone(&shared);
            thread::Builder::new().name(format!("soundtrack-ahead-{n}")).spawn(move || shared.run()).ok()
        };
        let threads = (0..count).filter_map(start).collect();
        Self { shared, lanes, threads, unsaid: 0 }
    }

    /// The supplies of a lane's clips, in order.
    pub(crate) fn lane(&self, lane: usize) -> &[Arc<Supply>] {
        self.lanes.get(lane).map_or(&[], Vec::as_slice)
    }

    /// Goes on along another path. What is decoded already and lies on it is kept.
    pub(crate) fn go(&mut self, path: Path) {
        let mut work = self.shared.work();
        work.path = path.clone();
        self.shared.played.store(0, Ordering::Release);
        self.shared.supplies.iter().for_each(|supply| supply.reroute(&path));
        drop(work);
        self.shared.wake.notify_all();
    }

    /// Whether the next `frames` frames of a path are decoded, for all clips. It starts where the last frame was taken, and
    /// goes on as the one that is read.
    ///
    /// # Errors
    /// Those of a stem that cannot be delivered there, with its track.
    pub(crate) fn ready(&self, path: &Path, frames: u64) -> Result<bool> {
        self.shared.supplies.iter().try_fold(true, |all, supply| Ok(supply.ready(path, frames)? && all))
    }

    /// Moves the window on by frames that were played.
    pub(crate) fn played(&mut self, frames: u64) {
        self.shared.played.fetch_add(frames, Ordering::AcqRel);
        self.unsaid += frames;
        if self.unsaid >= STRIDE {
            self.unsaid = 0;
            self.shared.wake.notify_all();
        }
    }
}

impl Drop for ReadAhead {
    /// Asks the threads to end and does not wait: one may hang in a slow file, and ends after it.
    fn drop(&mut self) {
        self.shared.work().quit = true;
        self.shared.wake.notify_all();
        self.threads.drain(..).filter(JoinHandle::is_finished).for_each(|t| drop(t.join()));
    }
}

impl Shared {
    fn work(&self) -> MutexGuard<'_, Work> {
        // Nothing is left half done where a thread may panic: a poisoned lock is as good as another.
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A thread: takes the most urgent piece, decodes it, until there is none; then waits.
    fn run(&self) {
        let mut work = self.work();
        while !work.quit {
            let window = Window { from: self.played.load(Ordering::Acquire), depth: self.depth };
            let urgent = self.supplies.iter().filter_map(|s| s.due(&work.path, window).map(|count| (count, s)));
            match urgent.min_by_key(|(count, _)| *count) {
                Some((count, supply)) => {
                    if let Some(job) = supply.take_job(&work.path) {
                        drop(work);
                        let start = Instant::now();
                        supply.decode(job);
                        // Far from running dry it leaves half of the time to those who are in a hurry.
                        if count > window.from + self.depth / 8 {
                            thread::sleep(start.elapsed().min(MOST_REST));
                        }
                        work = self.work();
                    }
                }
                None => work = self.wake.wait_timeout(work, IDLE).map_or_else(|e| e.into_inner().0, |(work, _)| work),
            }
        }
    }
}

/// The most samples of one frame that all clips sounding together decode to.
fn samples_at_once(plan: &Plan) -> u64 {
    let clips = || plan.lanes.iter().flat_map(|l| l.clips()).filter(|c| c.gain != 0.0);
    let channels = |c: &PlannedClip| i64::try_from(c.layout.channels()).unwrap_or(i64::MAX);
    let mut edges: Vec<(u64, i64)> =
        clips().flat_map(|c| [(c.range.start, channels(c)), (c.range.end, -channels(c))]).collect();
    edges.sort_unstable();
    let sums = edges.iter().scan(0i64, |sum, (_, change)| {
        *sum += change;
        Some(*sum)
    });
    sums.max().and_then(|n| u64::try_from(n).ok()).unwrap_or(0)
}
