//! What is told to all who hold a player: its state, what went wrong, and where it is as heard.

use super::{
    meter::{Display, LoudnessDisplay},
    mix::Mix,
    stream_stats::Line,
};
use crate::{
    diagnostics::Warning,
    error::{Error, ErrorKind},
    units::{Frames, SampleRate},
};
use std::{
    collections::VecDeque,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// What a player does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// It plays, or is about to.
    Playing,
    /// It waits, at its position.
    Paused,
    /// The last frame was heard.
    Ended,
    /// The device or a stem failed: see [`Player::fault`](crate::Player::fault). The position is kept.
    Failed,
}

/// Sound that the device wanted and did not get in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Underruns {
    /// How many times it broke off.
    pub count: u64,
    /// How many frames of silence were heard instead, at the device's rate. Those that only the device knows of are not
    /// in it.
    pub frames: u64,
}

pub(super) struct Status {
    pub rate: SampleRate,
    pub length: u64,
    pub displays: Arc<[Display]>,
    pub loudness: Arc<LoudnessDisplay>,
    warnings: Arc<Mutex<Vec<Warning>>>,
    now: Mutex<Now>,
    changed: Condvar,
    /// Commands that handles have given.
    given: AtomicU64,
    clock: Mutex<Clock>,
}

struct Now {
    state: State,
    /// Commands that the engine has obeyed.
    obeyed: u64,
    fault: Option<(ErrorKind, String)>,
}

/// From frames heard to frames of the timeline.
struct Clock {
    line: Arc<Line>,
    device: SampleRate,
    /// What earlier lines had.
    before: Underruns,
    /// Frames of the device from which on the timeline goes on from a frame; in order.
    jumps: VecDeque<(u64, u64)>,
    /// The position while nothing plays.
    parked: Option<u64>,
}

impl Status {
    pub(super) fn new(mix: &Mix) -> Self {
        let rate = mix.spec().rate;
        let clock = Clock {
            line: Arc::default(),
            device: rate,
            before: Underruns::default(),
            jumps: VecDeque::new(),
            parked: Some(0),
        };
        let now = Now { state: State::Paused, obeyed: 0, fault: None };
        Self {
            rate,
            length: mix.length(),
            displays: mix.displays(),
            loudness: mix.loudness_display(),
            warnings: mix.warnings(),
            now: Mutex::new(now),
            changed: Condvar::new(),
            given: AtomicU64::new(0),
            clock: Mutex::new(clock),
        }
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn clock(&self) -> MutexGuard<'_, Clock> {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn state(&self) -> State {
        self.now().state
    }

    pub(super) fn set(&self, state: State) {
        let mut now = self.now();
        now.state = state;
        now.fault.take_if(|_| state != State::Failed);
        drop(now);
        self.changed.notify_all();
    }

    pub(super) fn fail(&self, error: &Error) {
        let mut now = self.now();
        (now.state, now.fault) = (State::Failed, Some((error.kind(), error.to_string())));
        drop(now);
        self.changed.notify_all();
    }

    /// A handle gave a command.
    pub(super) fn given(&self) {
        self.given.fetch_add(1, Ordering::AcqRel);
    }

    /// The engine obeyed one.
    pub(super) fn obeyed(&self) {
        self.now().obeyed += 1;
        self.changed.notify_all();
    }

    pub(super) fn warnings(&self) -> Vec<Warning> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn fault(&self) -> Option<Error> {
        self.now().fault.as_ref().map(|(kind, what)| Error::new(*kind, what.clone()))
    }

    /// Waits until what was asked for is done, and while it plays, at most so long; the state then.
    pub(super) fn wait(&self, most: Duration) -> State {
        let deadline = Instant::now().checked_add(most);
        let given = self.given.load(Ordering::Acquire);
        let mut now = self.now();
        while now.state == State::Playing || now.obeyed < given {
            let left = deadline.map_or(Duration::from_secs(3600), |d| d.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                break;
            }
            now = self.changed.wait_timeout(now, left).map_or_else(|e| e.into_inner().0, |(now, _)| now);
        }
        now.state
    }

    /// Another opening of a device, with counters of its own.
    pub(super) fn opened(&self, line: &Arc<Line>, device: SampleRate) {
        let mut clock = self.clock();
        clock.before = clock.underruns();
        (clock.line, clock.device) = (Arc::clone(line), device);
        clock.jumps.clear();
    }

    /// Nothing plays: the position is this frame.
    pub(super) fn park(&self, at: u64) {
        self.clock().parked = Some(at);
    }

    /// Plays from a frame on, which is heard as frame `count` of the device.
    pub(super) fn start(&self, count: u64, at: u64) {
        let mut clock = self.clock();
        clock.jumps.clear();
        clock.jumps.push_back((count, at));
        clock.parked = None;
    }

    /// The timeline jumps.
    pub(super) fn jump(&self, count: u64, at: u64) {
        let mut clock = self.clock();
        let heard = clock.line.heard();
        while clock.jumps.get(1).is_some_and(|(count, _)| *count <= heard) {
            clock.jumps.pop_front();
        }
        clock.jumps.push_back((count, at));
    }

    /// The frame that is heard now.
    pub(super) fn position(&self) -> u64 {
        let clock = self.clock();
        if let Some(at) = clock.parked {
            return at;
        }
        let heard = clock.line.heard();
        let last = clock.jumps.iter().rev().find(|(count, _)| *count <= heard).or(clock.jumps.front());
        let (count, at) = last.copied().unwrap_or_default();
        let since = Frames(heard.saturating_sub(count)).resampled(clock.device, self.rate);
        (Frames(at) + since).0.min(self.length)
    }

    pub(super) fn underruns(&self) -> Underruns {
        self.clock().underruns()
    }
}

impl Clock {
    fn underruns(&self) -> Underruns {
        Underruns { count: self.before.count + self.line.underruns(), frames: self.before.frames + self.line.missing() }
    }
}
