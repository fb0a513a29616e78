//! The shared status of a player: state, fault, position, underruns, meters.
//!
//! The playback thread writes it, handles read it. The callback takes none of its locks; the position follows the callback
//! through the counters of [`StreamStats`].

use super::{
    device_converter::scaled,
    events::Event,
    live_renderer::{LiveRenderer, SharedView, View},
    loudness::LoudnessDisplay,
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
    fmt,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, Sender, channel},
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

impl fmt::Display for State {
    /// Formats the state in one word, such as `playing`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Playing => "playing",
            Self::Paused => "paused",
            Self::Ended => "ended",
            Self::Failed => "failed",
        })
    }
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
    view: SharedView,
    pub loudness: Arc<LoudnessDisplay>,
    warnings: Arc<Mutex<Vec<Warning>>>,
    progress: Mutex<PlaybackProgress>,
    /// Signals a change of `progress`.
    changed: Condvar,
    /// Number of commands that handles have sent.
    commands_sent: AtomicU64,
    clock: Mutex<Clock>,
    /// Receivers of events.
    subscribers: Mutex<Vec<Sender<Event>>>,
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
    /// Speed of playback since the last start.
    speed: f64,
    /// Frames of the device that were heard when events were last sent.
    reported: u64,
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
            speed: 1.0,
            reported: 0,
        };
        Self {
            rate,
            view: renderer.view(),
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
            subscribers: Mutex::default(),
        }
    }

    /// Returns a receiver of all events from now on.
    pub(super) fn subscribe(&self) -> Receiver<Event> {
        let (sender, receiver) = channel();
        locked(&self.subscribers).push(sender);
        receiver
    }

    fn send(&self, event: &Event) {
        locked(&self.subscribers).retain(|to| to.send(event.clone()).is_ok());
    }

    /// Sends the events of the frames that were heard since the last call.
    pub(super) fn report_heard(&self) {
        if locked(&self.subscribers).is_empty() {
            let mut clock = locked(&self.clock);
            clock.reported = clock.stats.heard();
            return;
        }
        let mut clock = locked(&self.clock);
        let (from, to) = (clock.reported, clock.stats.heard());
        if from >= to {
            return;
        }
        clock.reported = to;
        let position = |segment: &Segment, frame: u64| {
            segment.position + clock.frames(frame - segment.device_frame, self.rate)
        };
        let mut events = Vec::new();
        let view = self.view();
        let ends = clock.segments.iter().skip(1).map(|next| next.device_frame);
        for (number, (segment, end)) in (0..).zip(clock.segments.iter().zip(ends.chain([u64::MAX])))
        {
            let heard = from.max(segment.device_frame)..to.min(end);
            if heard.is_empty() {
                continue;
            }
            if number > 0 && heard.start == segment.device_frame {
                let at = Frames(segment.position);
                events.push(Event::Looped { at });
            }
            let frames = position(segment, heard.start)..position(segment, heard.end);
            let markers = view.markers.iter();
            events.extend(
                markers
                    .filter(|(at, _)| frames.contains(&at.0))
                    .map(|(at, name)| Event::Marker {
                        at: *at,
                        name: name.clone(),
                    }),
            );
        }
        drop(clock);
        events.iter().for_each(|event| self.send(event));
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
        if state == State::Ended {
            self.send(&Event::Ended);
        }
    }

    /// Sets the state [`State::Failed`] and its error.
    pub(super) fn fail(&self, error: &Error) {
        let mut progress = locked(&self.progress);
        (progress.state, progress.fault) = (State::Failed, Some((error.kind(), error.to_string())));
        drop(progress);
        self.changed.notify_all();
        self.send(&Event::Failed {
            kind: error.kind(),
            message: error.to_string(),
        });
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

    /// Returns what handles show of the session that is rendered now.
    pub(super) fn view(&self) -> Arc<View> {
        Arc::clone(&locked(&self.view))
    }

    /// Switches to the counters of a newly opened stream.
    pub(super) fn stream_opened(&self, stats: &Arc<StreamStats>, device_rate: SampleRate) {
        let mut clock = locked(&self.clock);
        clock.earlier_underruns = clock.underruns();
        (clock.stats, clock.device_rate) = (Arc::clone(stats), device_rate);
        clock.reported = 0;
        clock.segments.clear();
    }

    /// Holds the position at a frame of the timeline until the next [`start`](Self::start).
    pub(super) fn hold_at(&self, position: u64) {
        locked(&self.clock).held_at = Some(position);
    }

    /// Lets the position advance from `position`, which is heard as frame `device_frame` of the device, at a speed.
    pub(super) fn start(&self, device_frame: u64, position: u64, speed: f64) {
        self.report_heard();
        let mut clock = locked(&self.clock);
        // The frames before it, down to the last that was heard, are those of a fade or silence.
        (clock.reported, clock.speed) = (device_frame, speed);
        clock.segments.clear();
        clock.segments.push_back(Segment {
            device_frame,
            position,
        });
        clock.held_at = None;
    }

    /// Lets the position jump to `position` when frame `device_frame` of the device is heard.
    pub(super) fn jump(&self, device_frame: u64, position: u64) {
        self.report_heard();
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
        let since = clock.frames(heard.saturating_sub(device_frame), self.rate);
        position.saturating_add(since).min(self.view().length)
    }

    pub(super) fn underruns(&self) -> Underruns {
        locked(&self.clock).underruns()
    }
}

impl Clock {
    /// Converts frames of the device to frames of the timeline, at a rate.
    fn frames(&self, device_frames: u64, rate: SampleRate) -> u64 {
        if self.speed == 1.0 {
            return Frames(device_frames).resampled(self.device_rate, rate).0;
        }
        let ratio = rate.as_f64() * self.speed / self.device_rate.as_f64();
        scaled(device_frames, ratio)
    }

    fn underruns(&self) -> Underruns {
        let Underruns { count, frames } = self.earlier_underruns;
        Underruns {
            count: count + self.stats.underruns(),
            frames: frames + self.stats.missing(),
        }
    }
}
