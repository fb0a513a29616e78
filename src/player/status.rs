//! The shared status of a player: state, fault, position, underruns, meters.
//!
//! The playback thread writes it, handles read it. The callback takes none of its locks; the position follows the callback
//! through the counters of [`StreamStats`].

use super::{
    live_renderer::LiveRenderer,
    meter::{Level, LevelDisplay, LoudnessDisplay},
    stream_stats::StreamStats,
};
use crate::{
    diagnostics::Warning,
    error::{Error, ErrorKind},
    sync::{locked, wait_timeout},
    units::{Frames, SampleRate},
};
use std::{
    collections::VecDeque,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// The state of a player.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// It plays, or is about to.
    Playing,
    /// It is paused at its position.
    Paused,
    /// The last frame was heard.
    Ended,
    /// The device or a stem failed: see [`Player::fault`](crate::Player::fault). The position is kept.
    Failed,
}

/// Sound that came too late for the device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Underruns {
    /// The number of underruns.
    pub count: u64,
    /// Frames of silence that were played instead, at the device's rate. For an underrun that the device reported, they follow
    /// from its own estimates of time.
    pub frames: u64,
}

pub(super) struct Status {
    pub rate: SampleRate,
    /// Length of the session in frames.
    pub length: u64,
    displays: Arc<[LevelDisplay]>,
    pub loudness: Arc<LoudnessDisplay>,
    warnings: Arc<Mutex<Vec<Warning>>>,
    progress: Mutex<PlaybackProgress>,
    /// Signals a change of `progress`.
    changed: Condvar,
    /// Number of commands that handles have sent.
    commands_sent: AtomicU64,
    clock: Mutex<Clock>,
}

/// State of the playback thread.
struct PlaybackProgress {
    state: State,
    /// Number of commands that the playback thread has executed.
    commands_executed: u64,
    fault: Option<(ErrorKind, String)>,
}

/// Converts frames heard on the device to positions on the timeline.
struct Clock {
    stats: Arc<StreamStats>,
    device_rate: SampleRate,
    /// Underruns of earlier streams.
    earlier_underruns: Underruns,
    /// The stretches of the timeline that the device plays one after the other, in order; cleared at each start.
    segments: VecDeque<Segment>,
    /// The position while nothing is heard; then it overrides the segments.
    held_at: Option<u64>,
}

/// From a frame of the device on, the timeline continues from a position.
#[derive(Clone, Copy, Default)]
struct Segment {
    device_frame: u64,
    position: u64,
}

impl Status {
    pub(super) fn new(renderer: &LiveRenderer) -> Self {
        let rate = renderer.spec().rate;
        let clock = Clock {
            stats: Arc::default(),
            device_rate: rate,
            earlier_underruns: Underruns::default(),
            segments: VecDeque::new(),
            held_at: Some(0),
        };
        Self {
            rate,
            length: renderer.length(),
            displays: renderer.displays(),
            loudness: renderer.loudness_display(),
            warnings: renderer.warnings(),
            progress: Mutex::new(PlaybackProgress {
                state: State::Paused,
                commands_executed: 0,
                fault: None,
            }),
            changed: Condvar::new(),
            commands_sent: AtomicU64::new(0),
            clock: Mutex::new(clock),
        }
    }

    pub(super) fn state(&self) -> State {
        locked(&self.progress).state
    }

    pub(super) fn set(&self, state: State) {
        let mut progress = locked(&self.progress);
        progress.state = state;
        progress.fault.take_if(|_| state != State::Failed);
        drop(progress);
        self.changed.notify_all();
    }

    /// Sets the state [`State::Failed`] and its error.
    pub(super) fn fail(&self, error: &Error) {
        let mut progress = locked(&self.progress);
        (progress.state, progress.fault) = (State::Failed, Some((error.kind(), error.to_string())));
        drop(progress);
        self.changed.notify_all();
    }

    pub(super) fn fault(&self) -> Option<Error> {
        locked(&self.progress)
            .fault
            .as_ref()
            .map(|(kind, what)| Error::new(*kind, what.clone()))
    }

    /// Records that a handle has sent a command.
    pub(super) fn command_sent(&self) {
        self.commands_sent.fetch_add(1, Ordering::AcqRel);
    }

    /// Records that the playback thread has executed a command.
    pub(super) fn command_executed(&self) {
        locked(&self.progress).commands_executed += 1;
        self.changed.notify_all();
    }

    /// Waits until the commands sent so far are executed and the state is not [`State::Playing`], or until `timeout` has
    /// passed. Returns the state then.
    pub(super) fn wait(&self, timeout: Duration) -> State {
        // `None` if the deadline is beyond what the clock can express; then each wait lasts an hour.
        let deadline = Instant::now().checked_add(timeout);
        let sent = self.commands_sent.load(Ordering::Acquire);
        let mut progress = locked(&self.progress);
        while progress.state == State::Playing || progress.commands_executed < sent {
            let left = deadline.map_or(Duration::from_secs(3600), |d| {
                d.saturating_duration_since(Instant::now())
            });
            if left.is_zero() {
                break;
            }
            progress = wait_timeout(&self.changed, progress, left);
        }
        progress.state
    }

    pub(super) fn warnings(&self) -> Vec<Warning> {
        locked(&self.warnings).clone()
    }

    /// Returns the meter of a node.
    pub(super) fn level(&self, node: usize) -> Level {
        self.displays
            .get(node)
            .map_or_else(|| LevelDisplay::default().read(), LevelDisplay::read)
    }

    /// Switches to the counters of a newly opened stream.
    pub(super) fn stream_opened(&self, stats: &Arc<StreamStats>, device_rate: SampleRate) {
        let mut clock = locked(&self.clock);
        clock.earlier_underruns = clock.underruns();
        (clock.stats, clock.device_rate) = (Arc::clone(stats), device_rate);
        clock.segments.clear();
    }

    /// Holds the position at a frame of the timeline until the next [`start`](Self::start).
    pub(super) fn hold_at(&self, position: u64) {
        locked(&self.clock).held_at = Some(position);
    }

    /// Lets the position advance from `position`, which is heard as frame `device_frame` of the device.
    pub(super) fn start(&self, device_frame: u64, position: u64) {
        let mut clock = locked(&self.clock);
        clock.segments.clear();
        clock.segments.push_back(Segment {
            device_frame,
            position,
        });
        clock.held_at = None;
    }

    /// Lets the position jump to `position` when frame `device_frame` of the device is heard.
    pub(super) fn jump(&self, device_frame: u64, position: u64) {
        let mut clock = locked(&self.clock);
        let heard = clock.stats.heard();
        while clock
            .segments
            .get(1)
            .is_some_and(|second| second.device_frame <= heard)
        {
            clock.segments.pop_front();
        }
        clock.segments.push_back(Segment {
            device_frame,
            position,
        });
    }

    /// Returns the frame of the timeline that is heard now.
    pub(super) fn position(&self) -> u64 {
        let clock = locked(&self.clock);
        if let Some(position) = clock.held_at {
            return position;
        }
        let heard = clock.stats.heard();
        let current = clock
            .segments
            .iter()
            .rev()
            .find(|segment| segment.device_frame <= heard);
        // Before the first frame is heard, the position is that of the start. Without a hold there is a segment.
        let Segment {
            device_frame,
            position,
        } = current
            .or(clock.segments.front())
            .copied()
            .unwrap_or_default();
        let since =
            Frames(heard.saturating_sub(device_frame)).resampled(clock.device_rate, self.rate);
        (Frames(position) + since).0.min(self.length)
    }

    pub(super) fn underruns(&self) -> Underruns {
        locked(&self.clock).underruns()
    }
}

impl Clock {
    fn underruns(&self) -> Underruns {
        let Underruns { count, frames } = self.earlier_underruns;
        Underruns {
            count: count + self.stats.underruns(),
            frames: frames + self.stats.missing(),
        }
    }
}
