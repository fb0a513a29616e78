//! In which order a plan is worked through, on one thread or several.
//!
//! A stretch of the timeline is cut into steps. A lane's part of a step is a task, and can be done when the lanes that it
//! needs have done theirs, and while none that reads it still needs what would be written over. Every thread takes, again and
//! again, the first task in time that can be done: so none waits for others at the end of a step, and what is decoded next
//! goes on beside what is summed. A task gives the same whoever does it when.
#![expect(clippy::indexing_slicing, reason = "lanes are numbered by the plan, and there is one of everything for each")]

use super::{
    lane::{LaneState, Output, Turn},
    pool::Pool,
};
use crate::{
    error::{Error, Result},
    plan::{LaneInput, Plan},
};
use std::{
    collections::BTreeSet,
    ops::Range,
    sync::{Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard},
};

/// Tasks that are looked at to find one for a worker.
const LOOKED_AT: usize = 64;

/// What a lane gave in its latest steps.
pub(super) type Ring = Vec<RwLock<Output>>;

/// What a lane gave that is read.
pub(super) type Given<'a> = RwLockReadGuard<'a, Output>;

/// Who needs whom.
pub(super) struct Graph {
    /// For each lane, those that it needs.
    needs: Vec<Vec<usize>>,
    /// For each lane, those that read it.
    readers: Vec<Vec<usize>>,
}

impl Graph {
    /// The lanes of a plan; the last reads those that are `tapped` too.
    pub(super) fn new(plan: &Plan, tapped: impl Iterator<Item = usize>) -> Self {
        let feeds = |input: &LaneInput| match input {
            LaneInput::Clips(_) => Vec::new(),
            LaneInput::Sum(feeds) => feeds.iter().map(|feed| feed.lane).collect(),
        };
        let mut needs: Vec<Vec<usize>> = plan.lanes.iter().map(|lane| feeds(&lane.input)).collect();
        if let Some((last, others)) = needs.split_last_mut() {
            last.extend(tapped.filter(|lane| *lane < others.len()));
        }
        let mut readers = vec![Vec::new(); needs.len()];
        for (lane, needed) in needs.iter().enumerate() {
            needed.iter().for_each(|n| readers[*n].push(lane));
        }
        Self { needs, readers }
    }
}

/// A task: the step, and the lane.
type Task = (usize, usize);

/// A stretch of the timeline on its way.
pub(super) struct Flow<'a> {
    pub plan: &'a Plan,
    pub graph: &'a Graph,
    pub rings: &'a [Ring],
    pub stretch: Range<u64>,
    /// Frames of a step.
    pub step: usize,
}

/// Does something with what the master gave: its state, the first frame, how many, what it gave, and what any lane gave.
pub(super) type Exit<'a> =
    dyn FnMut(&mut LaneState, u64, usize, &Output, &dyn Fn(usize) -> Given<'a>) -> Result<()> + Send + 'a;

/// What is done, what is being done, and what can be done.
struct Board {
    /// The steps that each lane has done.
    done: Vec<usize>,
    busy: Vec<bool>,
    /// Who did each lane's latest task, and how many have come to work.
    worker: Vec<usize>,
    workers: usize,
    ready: BTreeSet<Task>,
    /// How many tasks are being done, and how many threads wait for one.
    at_work: usize,
    idle: usize,
    /// The first task, in time and in the order of the plan, that failed.
    failed: Option<(Task, Error)>,
    /// Whether a thread has panicked.
    panicked: bool,
}

impl Board {
    /// The first task in time of a lane that this worker did before, whose decoder is in its cache; or else the first of all.
    fn next(&self, me: usize) -> Option<Task> {
        let own = self.ready.iter().take(LOOKED_AT).find(|(_, lane)| self.worker[*lane] == me);
        own.or_else(|| self.ready.first()).copied()
    }
}

impl<'a> Flow<'a> {
    /// Works through the stretch.
    ///
    /// # Errors
    /// That of the first task in time that fails, in the order of the plan. All before it are done.
    pub(super) fn run(&self, lanes: &'a mut [LaneState], pool: &Pool, exit: &mut Exit<'a>) -> Result<()> {
        let count = lanes.len();
        let crew = Crew {
            flow: self,
            lanes: lanes.iter_mut().map(Mutex::new).collect(),
            exit: Mutex::new(exit),
            board: Mutex::new(Board {
                done: vec![0; count],
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
        let live = self.plan.lanes.iter().filter(|lane| lane.live).count();
        pool.together(live, || crew.work());
        let failed = crew.board().failed.take();
        failed.map_or(Ok(()), |(_, error)| Err(error))
    }

    fn steps(&self) -> usize {
        let frames = usize::try_from(self.stretch.end - self.stretch.start).unwrap_or(usize::MAX);
        frames.div_ceil(self.step)
    }

    /// Adds a lane's next task to those that can be done, if it can. Whether it was added.
    fn offer(&self, board: &mut Board, lane: usize) -> bool {
        let step = board.done[lane];
        let live = |lane: &usize| self.plan.lanes[*lane].live;
        let can = live(&lane)
            && !board.busy[lane]
            && step < self.steps()
            && self.graph.needs[lane].iter().all(|n| !live(n) || board.done[*n] > step)
            && self.graph.readers[lane].iter().all(|r| !live(r) || board.done[*r] + self.rings[lane].len() > step);
        can && board.ready.insert((step, lane))
    }
}

/// Who works on it.
struct Crew<'f, 'a> {
    flow: &'f Flow<'a>,
    lanes: Vec<Mutex<&'a mut LaneState>>,
    exit: Mutex<&'f mut Exit<'a>>,
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
            let first = board.next(me);
            let counts = |task: &Task| board.failed.as_ref().is_none_or(|(failed, _)| task < failed);
            let Some((step, lane)) = first.filter(counts) else {
                if board.at_work == 0 || board.panicked {
                    self.changed.notify_all();
                    return;
                }
                board.idle += 1;
                board = self.changed.wait(board).unwrap_or_else(PoisonError::into_inner);
                board.idle -= 1;
                continue;
            };
            board.ready.remove(&(step, lane));
            (board.busy[lane], board.worker[lane]) = (true, me);
            board.at_work += 1;
            drop(board);
            let result = self.render(step, lane);
            board = self.board();
            board.at_work -= 1;
            board.busy[lane] = false;
            match result {
                Ok(()) => {
                    board.done[lane] += 1;
                    let graph = self.flow.graph;
                    let near = graph.readers[lane].iter().chain(&graph.needs[lane]).chain([&lane]);
                    let added = near.filter(|lane| self.flow.offer(&mut board, **lane)).count();
                    // One of them is for this thread.
                    for _ in 1..added.min(board.idle + 1) {
                        self.changed.notify_one();
                    }
                }
                Err(error) => {
                    let task = (step, lane);
                    if board.failed.as_ref().is_none_or(|(failed, _)| task < *failed) {
                        board.failed = Some((task, error));
                    }
                }
            }
        }
    }

    fn render(&self, step: usize, lane: usize) -> Result<()> {
        let Flow { plan, rings, stretch, step: size, .. } = self.flow;
        let at = stretch.start + step as u64 * *size as u64;
        let frames = usize::try_from(stretch.end - at).unwrap_or(usize::MAX).min(*size);
        let given = |lane: usize| rings[lane][step % rings[lane].len()].read().unwrap_or_else(PoisonError::into_inner);
        let planned = &plan.lanes[lane];
        let fed: Vec<Given<'_>> = match &planned.input {
            LaneInput::Clips(_) => Vec::new(),
            LaneInput::Sum(feeds) => feeds.iter().map(|feed| given(feed.lane)).collect(),
        };
        let mut state = locked(&self.lanes[lane]);
        let mut out = rings[lane][step % rings[lane].len()].write().unwrap_or_else(PoisonError::into_inner);
        state.render(&mut out, planned, Turn { plan, fed: &fed, at, frames })?;
        if lane + 1 == rings.len() {
            locked(&self.exit)(&mut state, at, frames, &out, &given)?;
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

/// What a panic left behind is not used: it goes on to the caller.
fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
