//! Decodes clips ahead of playback on threads of its own, so that playback never waits for a file.
//!
//! Each clip has a [`ClipQueue`] of decoded pieces in [`PlaybackOrder`]. The threads always decode for the queue that would
//! run empty first: a slow stem does not delay the others, and the first frames of all stems come before the second piece
//! of any. A stem is opened when playback comes within the read-ahead depth of its clip, and closed when playback leaves
//! the clip.
//!
//! The queued frames are those of [`Reader`](crate::media::reader::Reader), bit for bit. The memory for all of them is
//! bounded. The caller decides when to play: [`ReadAhead::ready`] reports whether a range is decoded.

mod clip_queue;
mod playback_order;

pub(crate) use clip_queue::ClipQueue;
pub(crate) use playback_order::PlaybackOrder;

use crate::{
    error::Result,
    plan::{Plan, PlannedClip},
    sync::{locked, wait_timeout},
};
use std::{
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Memory limit for decoded audio in bytes: 2.7 s of 128 stereo stems at 48 kHz.
const MEMORY_LIMIT: u64 = 256 << 20;
/// Smallest read-ahead depth in frames, however many stems share the memory.
const MIN_DEPTH: u64 = 16_384;
/// Threads beyond the number of cores, so that one that waits for a slow file leaves no core idle.
const SPARE_THREADS: usize = 1;
const MAX_THREADS: usize = 16;
/// Longest sleep of an idle thread before it looks for work without being woken.
const IDLE_INTERVAL: Duration = Duration::from_millis(200);
/// Longest pause of a thread after a piece that was not urgent.
const MAX_PAUSE: Duration = Duration::from_millis(5);
/// Frames played between two wake-ups of the threads.
const WAKE_INTERVAL: u64 = 1024;

/// The queues of all clips of a plan, and the threads that fill them.
pub(crate) struct ReadAhead {
    shared: Arc<Shared>,
    /// For each node, the queue of each of its clips.
    nodes: Vec<Vec<Arc<ClipQueue>>>,
    threads: Vec<JoinHandle<()>>,
    /// Frames played since the threads were woken.
    played_since_wake: u64,
}

struct Shared {
    /// The queues of the clips that are heard.
    queues: Vec<Arc<ClipQueue>>,
    /// Frames of the current order that were played.
    played: AtomicU64,
    /// Frames to read ahead.
    depth: u64,
    target: Mutex<Target>,
    wake: Condvar,
}

/// The goal of the threads.
struct Target {
    order: PlaybackOrder,
    quit: bool,
}

impl ReadAhead {
    /// Starts to decode from frame 0 on, `depth` frames ahead, or less far if that would exceed the memory limit.
    pub(crate) fn start(plan: &Plan, depth: u64) -> Self {
        let nodes: Vec<Vec<Arc<ClipQueue>>> = plan
            .nodes
            .iter()
            .map(|node| {
                node.clips()
                    .iter()
                    .map(|clip| Arc::new(ClipQueue::new(clip, &node.name)))
                    .collect()
            })
            .collect();
        let order = PlaybackOrder {
            start: 0,
            loop_range: None,
            end: plan.length.0,
        };
        let max_depth = MEMORY_LIMIT / size_of::<f64>() as u64 / samples_per_frame(plan).max(1);
        let shared = Arc::new(Shared {
            queues: nodes
                .iter()
                .flatten()
                .filter(|queue| queue.is_heard())
                .cloned()
                .collect(),
            played: AtomicU64::new(0),
            depth: depth.min(max_depth).max(MIN_DEPTH),
            target: Mutex::new(Target { order, quit: false }),
            wake: Condvar::new(),
        });
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let count = (cores + SPARE_THREADS)
            .min(MAX_THREADS)
            .min(shared.queues.len());
        // A thread that cannot be started leaves its share to the others.
        let threads = (0..count)
            .filter_map(|n| spawn_worker(n, &shared))
            .collect();
        Self {
            shared,
            nodes,
            threads,
            played_since_wake: 0,
        }
    }

    /// Returns the frames that are read ahead.
    pub(crate) fn depth(&self) -> u64 {
        self.shared.depth
    }

    /// Returns the queues of a node's clips, in order.
    pub(crate) fn node(&self, node: usize) -> &[Arc<ClipQueue>] {
        self.nodes.get(node).map_or(&[], Vec::as_slice)
    }

    /// Switches to another playback order, and keeps the decoded pieces that it plays first.
    pub(crate) fn set_order(&mut self, order: PlaybackOrder) {
        let mut target = locked(&self.shared.target);
        self.shared.played.store(0, Ordering::Release);
        self.shared
            .queues
            .iter()
            .for_each(|queue| queue.set_order(&order));
        target.order = order;
        drop(target);
        self.shared.wake.notify_all();
    }

    /// Reports whether the first `frames` frames of an order are decoded, for all clips. The order must start at the next
    /// frame to be taken and otherwise equal the one that was set.
    ///
    /// # Errors
    /// Passes on the errors of a stem that cannot be decoded there, with its track.
    pub(crate) fn ready(&self, order: &PlaybackOrder, frames: u64) -> Result<bool> {
        self.shared
            .queues
            .iter()
            .try_fold(true, |all, queue| Ok(queue.ready(order, frames)? && all))
    }

    /// Records that frames were played, so that the threads read on.
    pub(crate) fn advance(&mut self, frames: u64) {
        self.shared.played.fetch_add(frames, Ordering::AcqRel);
        self.played_since_wake += frames;
        if self.played_since_wake >= WAKE_INTERVAL {
            self.played_since_wake = 0;
            self.shared.wake.notify_all();
        }
    }
}

impl Drop for ReadAhead {
    /// Ends the threads without waiting for them: one may hang in a slow file, and ends after that read.
    fn drop(&mut self) {
        locked(&self.shared.target).quit = true;
        self.shared.wake.notify_all();
        self.threads
            .drain(..)
            .filter(JoinHandle::is_finished)
            .for_each(|t| drop(t.join()));
    }
}

fn spawn_worker(n: usize, shared: &Arc<Shared>) -> Option<JoinHandle<()>> {
    let shared = Arc::clone(shared);
    thread::Builder::new()
        .name(format!("soundtrack-ahead-{n}"))
        .spawn(move || shared.work())
        .ok()
}

impl Shared {
    /// Runs a worker thread: decodes the most urgent piece, again and again; sleeps when no queue needs one.
    fn work(&self) {
        // Lock order: the target before a queue. Decoding holds neither.
        let mut target = locked(&self.target);
        while !target.quit {
            let played = self.played.load(Ordering::Acquire);
            let limit = played + self.depth;
            let due = self
                .queues
                .iter()
                .filter_map(|q| q.due(&target.order, limit).map(|elapsed| (elapsed, q)));
            let Some((elapsed, queue)) = due.min_by_key(|(elapsed, _)| *elapsed) else {
                target = wait_timeout(&self.wake, target, IDLE_INTERVAL);
                continue;
            };
            let Some(job) = queue.take_job(&target.order) else {
                continue;
            };
            drop(target);
            let start = Instant::now();
            queue.decode(job);
            // Far from running empty, it leaves half of the processor time to threads that have a deadline.
            if elapsed > played + self.depth / 8 {
                thread::sleep(start.elapsed().min(MAX_PAUSE));
            }
            target = locked(&self.target);
        }
    }
}

/// Returns the largest number of samples per frame that all clips sounding at the same time decode to.
fn samples_per_frame(plan: &Plan) -> u64 {
    let clips = plan
        .nodes
        .iter()
        .flat_map(|node| node.clips())
        .filter(|clip| clip.gain != 0.0);
    // A layout has at most 255 channels, so the conversion cannot fail.
    let channels = |clip: &PlannedClip| i64::try_from(clip.layout.channels()).unwrap_or(i64::MAX);
    let mut edges: Vec<(u64, i64)> = clips
        .flat_map(|clip| {
            [
                (clip.range.start, channels(clip)),
                (clip.range.end, -channels(clip)),
            ]
        })
        .collect();
    edges.sort_unstable();
    let (mut sum, mut largest) = (0i64, 0i64);
    for (_, change) in edges {
        sum += change;
        largest = largest.max(sum);
    }
    largest.unsigned_abs()
}
