//! Schedules block-sized tasks of the render graph across worker threads.
//!
//! A stretch of the stream is cut into steps; a node's part of a step is a task. A track's task is ready when every reader
//! has taken the node's previous output. A sum's task is ready whenever the next of its feeds, in order, has done the
//! step. Sums come first, so decoded audio is added while it is in the cache and its buffer is reused. Each worker takes
//! the earliest ready task, so none waits for others at the end of a step. A task gives the same bits whichever worker
//! runs it, and sums run in the order of the plan, so the number of threads changes nothing.
#![expect(
    clippy::indexing_slicing,
    reason = "nodes are numbered by the plan, and every vector holds one entry for each"
)]

use super::{
    buffer_pool::{BufferPool, NodeOutput},
    node::{self, NodePosition, NodeState, NodeTask, Output},
    thread_pool::Pool,
};
use crate::{
    error::{Error, Result},
    plan::{NodeInput, Plan},
    sync::{locked, wait},
    units::saturating_usize,
};
use std::{
    collections::BTreeSet,
    ops::Range,
    sync::{Condvar, Mutex, MutexGuard},
};

/// Ready tasks that are examined to find one that suits a worker's cache.
const EXAMINED: usize = 64;
/// Finished outputs that wait for a sum, above which no track is rendered while another worker is still busy: it may be
/// the one that adds them, and each of them occupies a buffer.
const MAX_WAITING: usize = 32;

/// The nodes that each node reads, and those that read it.
pub(super) struct Graph {
    /// For each node, the nodes it reads: its feeds in order, then its side-chain keys and those that are tapped.
    needs: Vec<Vec<usize>>,
    /// Number of feeds among them, which come first.
    feeds: Vec<usize>,
    /// For each node, the nodes that read it.
    readers: Vec<Vec<usize>>,
}

impl Graph {
    /// Builds the graph of a plan; the master also reads the tapped nodes.
    pub(super) fn new(plan: &Plan, tapped: impl Iterator<Item = usize>) -> Self {
        let feeders =
            |node: &crate::plan::Node| node.feeds().iter().map(|feed| feed.node).collect();
        let mut needs: Vec<Vec<usize>> = plan.nodes.iter().map(feeders).collect();
        let feeds = needs.iter().map(Vec::len).collect();
        for (needs, node) in needs.iter_mut().zip(&plan.nodes) {
            needs.extend(node.before.sounding_keys().map(|(key, _)| key));
        }
        if let Some((last, others)) = needs.split_last_mut() {
            last.extend(tapped.filter(|node| *node < others.len()));
        }
        let mut readers = vec![Vec::new(); needs.len()];
        for (node, needed) in needs.iter().enumerate() {
            needed.iter().for_each(|n| readers[*n].push(node));
        }
        Self {
            needs,
            feeds,
            readers,
        }
    }
}

/// A task: the step, and the node.
type Task = (usize, usize);

/// A stretch of the stream to render.
pub(super) struct Scheduler<'a> {
    pub plan: &'a Plan,
    pub graph: &'a Graph,
    pub buffers: &'a BufferPool,
    /// The positions of each node at the start of the stretch. None of them jumps within it.
    pub positions: &'a [NodePosition],
    /// Frames of the stretch.
    pub frames: u64,
    /// Frames of a step.
    pub step: usize,
}

/// Called once per block with the master's state, its output position, its output, and read access to every tapped node.
pub(super) type MasterCallback<'a> = dyn FnMut(
        NodePosition,
        usize,
        &Output,
        &dyn Fn(usize) -> (NodePosition, NodeOutput<'a>),
    ) -> Result<()>
    + Send
    + 'a;

/// The progress of all nodes, and the tasks that are ready.
struct TaskQueue {
    /// Number of steps that each node has done; and for its current step, the number of needed nodes that it has taken.
    done: Vec<usize>,
    taken: Vec<usize>,
    /// Readers that have not yet taken each node's output; and the number of nodes with any.
    unread: Vec<usize>,
    waiting: usize,
    busy: Vec<bool>,
    /// Worker that ran each node last (cache affinity); number of running workers.
    worker: Vec<usize>,
    workers: usize,
    /// By step; within a step, sums before tracks.
    ready: BTreeSet<(usize, bool, usize)>,
    /// Tasks in progress, and workers that wait for one.
    running: usize,
    idle: usize,
    /// The first task, in time and in the order of the plan, that failed.
    failed: Option<(Task, Error)>,
    panicked: bool,
}

impl TaskQueue {
    fn new(nodes: usize) -> Self {
        Self {
            done: vec![0; nodes],
            taken: vec![0; nodes],
            unread: vec![0; nodes],
            waiting: 0,
            busy: vec![false; nodes],
            worker: vec![0; nodes],
            workers: 0,
            ready: BTreeSet::new(),
            running: 0,
            idle: 0,
            failed: None,
            panicked: false,
        }
    }

    /// Chooses a worker's next task: the first, but among tracks one that it ran before, whose decoder is in its cache.
    /// `None` where the worker has to wait for others.
    fn next(&self, worker: usize) -> Option<(usize, bool, usize)> {
        let matters = |task: &&(usize, bool, usize)| {
            self.failed
                .as_ref()
                .is_none_or(|(failed, _)| (task.0, task.2) < *failed)
        };
        let first = self.ready.iter().find(matters)?;
        if !first.1 {
            return Some(*first);
        }
        if self.waiting >= MAX_WAITING.max(2 * self.workers) {
            // Sums take outputs in order, so the first track is the one that they wait for.
            return (self.running == 0).then_some(*first);
        }
        let mut examined = self.ready.iter().take(EXAMINED).filter(matters);
        Some(
            *examined
                .find(|(.., node)| self.worker[*node] == worker)
                .unwrap_or(first),
        )
    }
}

impl<'a> Scheduler<'a> {
    /// Renders the stretch.
    ///
    /// # Errors
    /// That of the first task in time that fails, in the order of the plan. All tasks before it are done.
    pub(super) fn run(
        &self,
        nodes: &'a mut [NodeState],
        pool: &Pool,
        output: &mut MasterCallback<'a>,
    ) -> Result<()> {
        let count = nodes.len();
        let workers = Workers {
            scheduler: self,
            nodes: nodes.iter_mut().map(Mutex::new).collect(),
            output: Mutex::new(output),
            queue: Mutex::new(TaskQueue::new(count)),
            changed: Condvar::new(),
        };
        let mut queue = workers.queue();
        for node in 0..count {
            self.offer(&mut queue, node);
        }
        drop(queue);
        let live = (0..count).filter(|node| self.is_live(*node)).count();
        pool.run_on_all(live, || workers.work());
        let failed = workers.queue().failed.take();
        failed.map_or(Ok(()), |(_, error)| Err(error))
    }

    fn is_live(&self, node: usize) -> bool {
        self.plan.nodes[node].live
    }

    fn steps(&self) -> usize {
        saturating_usize(self.frames).div_ceil(self.step)
    }

    /// Returns the number of needed nodes that a node can have taken by now, for its current step. Tapped nodes are taken all at
    /// once.
    fn reach(&self, queue: &TaskQueue, node: usize) -> usize {
        let (needs, taken, step) = (&self.graph.needs[node], queue.taken[node], queue.done[node]);
        let missing = needs
            .iter()
            .skip(taken)
            .position(|n| self.is_live(*n) && queue.done[*n] <= step);
        match missing.map(|n| taken + n) {
            None => needs.len(),
            Some(_) if self.buffers.is_kept() => taken,
            Some(to) => to.min(self.graph.feeds[node]),
        }
    }

    /// Adds a node's next task to the queue, if it is ready.
    fn offer(&self, queue: &mut TaskQueue, node: usize) {
        let (step, is_sum) = (
            queue.done[node],
            matches!(self.plan.nodes[node].input, NodeInput::Sum(_)),
        );
        let is_free = !queue.busy[node] && queue.unread[node] == 0;
        if self.is_live(node) && is_free && step < self.steps() {
            let to = self.reach(queue, node);
            if to > queue.taken[node] || to == self.graph.needs[node].len() {
                queue.ready.insert((step, !is_sum, node));
            }
        }
    }

    /// Records that a node has taken the first `to` nodes that it needs, and that its step is done where those are all.
    fn took(&self, queue: &mut TaskQueue, node: usize, to: usize) {
        let (needs, readers) = (&self.graph.needs[node], &self.graph.readers[node]);
        for n in needs[queue.taken[node]..to]
            .iter()
            .filter(|n| self.is_live(**n))
        {
            queue.unread[*n] -= 1;
            if queue.unread[*n] == 0 {
                queue.waiting -= 1;
                self.buffers.release(*n);
                self.offer(queue, *n);
            }
        }
        queue.taken[node] = to;
        if to == needs.len() {
            queue.taken[node] = 0;
            queue.done[node] += 1;
            queue.unread[node] = readers.iter().filter(|r| self.is_live(**r)).count();
            if queue.unread[node] == 0 {
                self.buffers.release(node);
            } else {
                queue.waiting += 1;
            }
            readers.iter().for_each(|reader| self.offer(queue, *reader));
        }
        self.offer(queue, node);
    }
}

/// The state that workers share.
///
/// Lock order: the queue or a node, then the outputs of the [`BufferPool`], then the callback. A worker never holds a node and
/// the queue at the same time, so rendering does not keep others from taking tasks.
struct Workers<'f, 'a> {
    scheduler: &'f Scheduler<'a>,
    nodes: Vec<Mutex<&'a mut NodeState>>,
    output: Mutex<&'f mut MasterCallback<'a>>,
    queue: Mutex<TaskQueue>,
    changed: Condvar,
}

impl<'a> Workers<'_, 'a> {
    fn queue(&self) -> MutexGuard<'_, TaskQueue> {
        locked(&self.queue)
    }

    /// Runs tasks until all are done or one has panicked.
    fn work(&self) {
        let _guard = PanicGuard(self);
        let mut queue = self.queue();
        let worker = queue.workers;
        queue.workers += 1;
        loop {
            let Some(task) = queue.next(worker).filter(|_| !queue.panicked) else {
                if queue.running == 0 || queue.panicked {
                    self.changed.notify_all();
                    return;
                }
                queue.idle += 1;
                queue = wait(&self.changed, queue);
                queue.idle -= 1;
                continue;
            };
            queue.ready.remove(&task);
            let (step, _, node) = task;
            let (from, to) = (queue.taken[node], self.scheduler.reach(&queue, node));
            (queue.busy[node], queue.worker[node]) = (true, worker);
            queue.running += 1;
            drop(queue);
            let result = self.render(step, node, from..to);
            queue = self.queue();
            queue.running -= 1;
            queue.busy[node] = false;
            match result {
                Ok(()) => self.scheduler.took(&mut queue, node, to),
                Err(error) => {
                    let task = (step, node);
                    if queue
                        .failed
                        .as_ref()
                        .is_none_or(|(failed, _)| task < *failed)
                    {
                        queue.failed = Some((task, error));
                    }
                }
            }
            // This worker takes one of the ready tasks itself.
            for _ in 1..queue.ready.len().min(queue.idle + 1) {
                self.changed.notify_one();
            }
        }
    }

    /// Takes some of the nodes that a node needs; after the last of them, renders the node's part of the step.
    fn render(&self, step: usize, node: usize, taken: Range<usize>) -> Result<()> {
        let Scheduler {
            plan,
            graph,
            buffers,
            positions,
            frames: all,
            step: size,
        } = self.scheduler;
        let before = step as u64 * *size as u64;
        let frames = saturating_usize(all - before).min(*size);
        let planned = &plan.nodes[node];
        let mut state = locked(&self.nodes[node]);
        let mut out = buffers.open(node, taken.start == 0);
        let mut fed = Vec::new();
        for (index, feed) in planned
            .feeds()
            .iter()
            .enumerate()
            .take(taken.end)
            .skip(taken.start)
        {
            let output = buffers.output(feed.node);
            if buffers.is_kept() {
                fed.push(output);
            } else {
                node::add_feed(
                    &mut out,
                    state.delayed(index, &output, frames),
                    feed.gain,
                    frames,
                );
            }
        }
        if taken.end < graph.needs[node].len() {
            return Ok(());
        }
        let position = positions[node].after(before);
        let keys = planned.before.keys.iter();
        let keys: Vec<Option<NodeOutput<'_>>> = keys
            .map(|key| Some(buffers.output(key.as_ref()?.node?)))
            .collect();
        let mut scratch = buffers.take_scratch();
        state.render(
            &mut out,
            planned,
            NodeTask {
                plan,
                fed: &fed,
                keys: &keys,
                position,
                frames,
            },
            &mut scratch,
        )?;
        buffers.put_back(scratch);
        if node + 1 == plan.nodes.len() {
            let tapped = |node: usize| (positions[node].after(before), buffers.output(node));
            locked(&self.output)(position, frames, &out, &tapped)?;
        }
        buffers.recycle_silent(&mut out);
        Ok(())
    }
}

/// Wakes the other workers if a thread panics, so that none waits forever.
struct PanicGuard<'c, 'f, 'a>(&'c Workers<'f, 'a>);

impl Drop for PanicGuard<'_, '_, '_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.queue().panicked = true;
            self.0.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_takes_its_own_tracks_unless_many_outputs_wait_for_a_sum() {
        let mut queue = TaskQueue::new(10);
        (queue.workers, queue.worker[7]) = (2, 1);
        let tracks = [(0, true, 3), (0, true, 7), (1, true, 2)];
        queue.ready.extend(tracks);
        assert_eq!(queue.next(0), Some((0, true, 3)));
        assert_eq!(queue.next(1), Some((0, true, 7)));
        // The output that a sum waits for may be of the task in progress; otherwise it is that of the first track.
        (queue.waiting, queue.running) = (32, 1);
        assert_eq!(queue.next(1), None);
        queue.running = 0;
        assert_eq!(queue.next(1), Some((0, true, 3)));
        queue.waiting = 31;
        assert_eq!(queue.next(1), Some((0, true, 7)));
        // A sum comes before the tracks of its step.
        queue.ready.insert((0, false, 9));
        (queue.waiting, queue.running) = (32, 1);
        assert_eq!(queue.next(1), Some((0, false, 9)));
        // What comes after a failure does not matter any more.
        queue.failed = Some(((0, 3), Error::new(crate::error::ErrorKind::Corrupt, "")));
        assert_eq!(queue.next(1), None);
    }
}
