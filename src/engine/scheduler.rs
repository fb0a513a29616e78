//! In which order a plan is worked through, on one thread or several.
//!
//! A stretch of the timeline is cut into steps. A lane's part of a step is a task. That of a track can be done when all
//! have taken what it gave before; that of a sum goes on whenever the next of its feeds, in order, has done the step. Sums
//! come first, so what was decoded is added while it is in the cache, and its room is used again. Every thread takes what
//! can be done, the first in time, so none waits for others at the end of a step. A task gives the same whoever does it when.
#![expect(clippy::indexing_slicing, reason = "lanes are numbered by the plan, and there is one of everything for each")]

use super::{
    buffer_pool::{Given, Shelf},
    node::{self, LaneState, Output, Turn},
    thread_pool::Pool,
};
use crate::{
    error::{Error, Result},
    plan::{LaneInput, Plan},
    sync::locked,
};
use std::{
    collections::BTreeSet,
    ops::Range,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

/// Tasks that are looked at to find one for a worker.
const LOOKED_AT: usize = 64;

/// Who needs whom.
pub(super) struct Graph {
    /// For each lane, those that it needs: its feeds in order, then those that are tapped.
    needs: Vec<Vec<usize>>,
    /// How many of them are feeds.
    feeds: Vec<usize>,
    /// For each lane, those that read it.
    readers: Vec<Vec<usize>>,
}

impl Graph {
    /// The lanes of a plan; the last reads those that are `tapped` too.
    pub(super) fn new(plan: &Plan, tapped: impl Iterator<Item = usize>) -> Self {
        let fed = |input: &LaneInput| match input {
            LaneInput::Clips(_) => Vec::new(),
            LaneInput::Sum(feeds) => feeds.iter().map(|feed| feed.lane).collect(),
        };
        let mut needs: Vec<Vec<usize>> = plan.lanes.iter().map(|lane| fed(&lane.input)).collect();
        let feeds = needs.iter().map(Vec::len).collect();
        if let Some((last, others)) = needs.split_last_mut() {
            last.extend(tapped.filter(|lane| *lane < others.len()));
        }
        let mut readers = vec![Vec::new(); needs.len()];
        for (lane, needed) in needs.iter().enumerate() {
            needed.iter().for_each(|n| readers[*n].push(lane));
        }
        Self { needs, feeds, readers }
    }
}

/// A task: the step, and the lane.
type Task = (usize, usize);

/// A stretch of the timeline on its way.
pub(super) struct Flow<'a> {
    pub plan: &'a Plan,
    pub graph: &'a Graph,
    pub shelf: &'a Shelf,
    pub stretch: Range<u64>,
    /// Frames of a step.
    pub step: usize,
}

/// Does something with what the master gave: its state, the first frame, how many, what it gave, and what any lane gave.
pub(super) type Onward<'a> =
    dyn FnMut(&mut LaneState, u64, usize, &Output, &dyn Fn(usize) -> Given<'a>) -> Result<()> + Send + 'a;

/// What is done, what is being done, and what can be done.
struct Board {
    /// The steps that each lane has done, and what it has taken, of what it needs, for the one it is at.
    done: Vec<usize>,
    taken: Vec<usize>,
    /// How many are still to take what each lane gave.
    unread: Vec<usize>,
    busy: Vec<bool>,
    /// Who did each lane's latest task, and how many have come to work.
    worker: Vec<usize>,
    workers: usize,
    /// By step; in each, sums before tracks.
    ready: BTreeSet<(usize, bool, usize)>,
    /// How many tasks are being done, and how many threads wait for one.
    at_work: usize,
    idle: usize,
    /// The first task, in time and in the order of the plan, that failed.
    failed: Option<(Task, Error)>,
    /// Whether a thread has panicked.
    panicked: bool,
}

impl Board {
    /// What a worker does next: what is first, but of several tracks one that it did before, whose decoder is in its cache.
    fn next(&self, me: usize) -> Option<(usize, bool, usize)> {
        let counts =
            |task: &&(usize, bool, usize)| self.failed.as_ref().is_none_or(|(failed, _)| (task.0, task.2) < *failed);
        let first = self.ready.iter().find(counts)?;
        let own = || self.ready.iter().take(LOOKED_AT).filter(counts).find(|(.., lane)| self.worker[*lane] == me);
        Some(*if first.1 { own().unwrap_or(first) } else { first })
    }
}

impl<'a> Flow<'a> {
    /// Works through the stretch.
    ///
    /// # Errors
    /// That of the first task in time that fails, in the order of the plan. All before it are done.
    pub(super) fn run(&self, lanes: &'a mut [LaneState], pool: &Pool, onward: &mut Onward<'a>) -> Result<()> {
        let count = lanes.len();
        let crew = Crew {
            flow: self,
            lanes: lanes.iter_mut().map(Mutex::new).collect(),
            onward: Mutex::new(onward),
            board: Mutex::new(Board {
                done: vec![0; count],
                taken: vec![0; count],
                unread: vec![0; count],
                busy: vec![false; count],
                worker: vec![0; count],
                workers: 0,
                ready: BTreeSet::new(),
                at_work: 0,
                idle: 0,
                failed: None,
                panicked: false,
            }),
            changed: Condvar::new(),
        };
        let mut board = crew.board();
        for lane in 0..count {
            self.offer(&mut board, lane);
        }
        drop(board);
        let live = (0..count).filter(|lane| self.live(*lane)).count();
        pool.together(live, || crew.work());
        let failed = crew.board().failed.take();
        failed.map_or(Ok(()), |(_, error)| Err(error))
    }

    fn live(&self, lane: usize) -> bool {
        self.plan.lanes[lane].live
    }

    fn steps(&self) -> usize {
        let frames = usize::try_from(self.stretch.end - self.stretch.start).unwrap_or(usize::MAX);
        frames.div_ceil(self.step)
    }

    /// How much of what a lane needs for the step it is at it can have taken now. What is tapped is taken all at once.
    fn reach(&self, board: &Board, lane: usize) -> usize {
        let (needs, taken, step) = (&self.graph.needs[lane], board.taken[lane], board.done[lane]);
        let missing = needs.iter().skip(taken).position(|n| self.live(*n) && board.done[*n] <= step);
        match missing.map(|n| taken + n) {
            None => needs.len(),
            Some(_) if self.shelf.is_kept() => taken,
            Some(to) => to.min(self.graph.feeds[lane]),
        }
    }

    /// Adds a lane's next task to those that can be done, if it can.
    fn offer(&self, board: &mut Board, lane: usize) {
        let (step, sum) = (board.done[lane], matches!(self.plan.lanes[lane].input, LaneInput::Sum(_)));
        let can = self.live(lane) && !board.busy[lane] && step < self.steps() && board.unread[lane] == 0;
        if can {
            let to = self.reach(board, lane);
            if to > board.taken[lane] || to == self.graph.needs[lane].len() {
                board.ready.insert((step, !sum, lane));
            }
        }
    }

    /// Notes that a lane has taken what it needs up to `to`, and that its step is done where that is all.
    fn took(&self, board: &mut Board, lane: usize, to: usize) {
        let (needs, readers) = (&self.graph.needs[lane], &self.graph.readers[lane]);
        for n in needs[board.taken[lane]..to].iter().filter(|n| self.live(**n)) {
            board.unread[*n] -= 1;
            if board.unread[*n] == 0 {
                self.shelf.release(*n);
                self.offer(board, *n);
            }
        }
        board.taken[lane] = to;
        if to == needs.len() {
            board.taken[lane] = 0;
            board.done[lane] += 1;
            board.unread[lane] = readers.iter().filter(|r| self.live(**r)).count();
            if board.unread[lane] == 0 {
                self.shelf.release(lane);
            }
            readers.iter().for_each(|reader| self.offer(board, *reader));
        }
        self.offer(board, lane);
    }
}

/// Who works on it.
struct Crew<'f, 'a> {
    flow: &'f Flow<'a>,
    lanes: Vec<Mutex<&'a mut LaneState>>,
    onward: Mutex<&'f mut Onward<'a>>,
    board: Mutex<Board>,
    changed: Condvar,
}

impl<'a> Crew<'_, 'a> {
    fn board(&self) -> MutexGuard<'_, Board> {
        locked(&self.board)
    }

    /// Does tasks until there are none.
    fn work(&self) {
        let _alarm = Alarm(self);
        let mut board = self.board();
        let me = board.workers;
        board.workers += 1;
        loop {
            let Some(task) = board.next(me).filter(|_| !board.panicked) else {
                if board.at_work == 0 || board.panicked {
                    self.changed.notify_all();
                    return;
                }
                board.idle += 1;
                board = self.changed.wait(board).unwrap_or_else(PoisonError::into_inner);
                board.idle -= 1;
                continue;
            };
            board.ready.remove(&task);
            let (step, _, lane) = task;
            let (from, to) = (board.taken[lane], self.flow.reach(&board, lane));
            (board.busy[lane], board.worker[lane]) = (true, me);
            board.at_work += 1;
            drop(board);
            let result = self.render(step, lane, from..to);
            board = self.board();
            board.at_work -= 1;
            board.busy[lane] = false;
            match result {
                Ok(()) => self.flow.took(&mut board, lane, to),
                Err(error) => {
                    let task = (step, lane);
                    if board.failed.as_ref().is_none_or(|(failed, _)| task < *failed) {
                        board.failed = Some((task, error));
                    }
                }
            }
            // One of them is for this thread.
            for _ in 1..board.ready.len().min(board.idle + 1) {
                self.changed.notify_one();
            }
        }
    }

    /// Takes so much of what a lane needs, and where that is the last does what is left of its step.
    fn render(&self, step: usize, lane: usize, taken: Range<usize>) -> Result<()> {
        let Flow { plan, graph, shelf, stretch, step: size } = self.flow;
        let at = stretch.start + step as u64 * *size as u64;
        let frames = usize::try_from(stretch.end - at).unwrap_or(usize::MAX).min(*size);
        let given = |lane: usize| shelf.given(lane);
        let planned = &plan.lanes[lane];
        let feeds = match &planned.input {
            LaneInput::Clips(_) => &[][..],
            LaneInput::Sum(feeds) => feeds,
        };
        let mut state = locked(&self.lanes[lane]);
        let mut out = shelf.begun(lane, taken.start == 0);
        let mut fed = Vec::new();
        for feed in feeds.iter().take(taken.end).skip(taken.start) {
            let given = given(feed.lane);
            if shelf.is_kept() {
                fed.push(given);
            } else {
                node::add(&mut out, &given, feed.gain, frames);
            }
        }
        if taken.end < graph.needs[lane].len() {
            return Ok(());
        }
        state.render(&mut out, planned, Turn { plan, fed: &fed, at, frames })?;
        if lane + 1 == plan.lanes.len() {
            locked(&self.onward)(&mut state, at, frames, &out, &given)?;
        }
        Ok(())
    }
}

/// Lets the others go where a thread panics.
struct Alarm<'c, 'f, 'a>(&'c Crew<'f, 'a>);

impl Drop for Alarm<'_, '_, '_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.board().panicked = true;
            self.0.changed.notify_all();
        }
    }
}
