//! Options of a player, and its start on a device, a callback or a sink.

use super::{
    Inner, Player, SHUTDOWN_TIMEOUT, State,
    backend::{Backend, CallbackBackend, NullBackend, SinkBackend},
    callback::Callback,
    live_renderer::{LARGEST_BLOCK, LiveRenderer, block_frames},
    playback_thread::{Command, PlaybackThread},
    status::Status,
};
use crate::{
    encode::Sink,
    error::{Error, ErrorKind, Result},
    layout::Spec,
    session::Session,
    units::Frames,
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::AtomicBool,
        mpsc::{channel, sync_channel},
    },
    thread,
    time::Duration,
};

/// Options for playing a session, and the choice of its output: a device, real time without a device, the program's own audio
/// callback, or a sink.
///
/// ```
/// use soundtrack::{Layout, PlayerBuilder, SampleRate, Session, Spec, State, Track, media::Memory};
/// use std::time::Duration;
/// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
/// let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
/// mix.add_track(Track::new("click", Memory::new(spec, vec![vec![0.5; 4800]])?));
/// let player = PlayerBuilder::new().null(&mix)?;
/// assert_eq!(player.wait(Duration::from_secs(10)), State::Ended);
/// assert_eq!(player.position(), player.length());
/// # Ok::<(), soundtrack::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlayerBuilder {
    latency: Duration,
    read_ahead: Duration,
    at: Frames,
    paused: bool,
}

const MIN_LATENCY: Duration = Duration::from_millis(1);
const MAX_LATENCY: Duration = Duration::from_secs(10);
const MAX_READ_AHEAD: Duration = Duration::from_secs(60);
/// Longest time that opening a device may take.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);

impl Default for PlayerBuilder {
    fn default() -> Self {
        Self {
            latency: Duration::from_millis(20),
            read_ahead: Duration::from_secs(2),
            at: Frames::ZERO,
            paused: false,
        }
    }
}

impl PlayerBuilder {
    /// Starts with the defaults: from frame 0, at once, 20 ms ahead of the device, with stems read 2 s ahead.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the time rendered ahead of the device, limited to 1 ms to 10 s. A change of a control is heard after this time, and
    /// at most 256 frames more.
    ///
    /// The shortest latency that a device allows is one of its requests and 64 frames: 4 ms for requests of 128 frames at
    /// 48 kHz. A device that requests more than the latency at once has its request rendered ahead, and the latency besides.
    ///
    /// Short latencies cost time: below 16 ms at 48 kHz the mix is rendered in blocks of a third of the latency, at least 64
    /// frames, instead of 256.
    #[must_use]
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency.clamp(MIN_LATENCY, MAX_LATENCY);
        self
    }

    /// Sets the time that stems are decoded ahead, at most 60 s: the longest stall of a disk that is not heard. All stems
    /// together use at most 256 MiB, so the time is shorter for many stems.
    #[must_use]
    pub fn read_ahead(mut self, time: Duration) -> Self {
        self.read_ahead = time.min(MAX_READ_AHEAD);
        self
    }

    /// Sets the frame of the timeline to start from.
    #[must_use]
    pub fn at(mut self, at: Frames) -> Self {
        self.at = at;
        self
    }

    /// Waits for [`Player::play`] instead of starting at once, or not.
    #[must_use]
    pub fn paused(mut self, paused: bool) -> Self {
        self.paused = paused;
        self
    }

    /// Plays in real time without hardware, for servers, demos and tests.
    ///
    /// # Errors
    /// Passes on the errors of compiling the session; `Device` if no thread can be started.
    pub fn null(&self, session: &Session) -> Result<Player> {
        self.start(session, Box::new(NullBackend))
    }

    /// Plays into a program's sink, in blocks of up to 256 frames. The sink sets the pace: it blocks in `write`, as a device
    /// would. It is finished when the player is dropped.
    ///
    /// # Errors
    /// Passes on the errors of compiling the session; `Device` if no thread can be started. [`Player::fault`] returns later errors of the
    /// sink.
    pub fn into_sink(&self, session: &Session, sink: Box<dyn Sink + Send>) -> Result<Player> {
        self.start(session, Box::new(SinkBackend::new(sink, LARGEST_BLOCK)))
    }

    /// Plays through a program's own audio callback, at its rate and layout. Returns the player and the [`Callback`] to call
    /// from there. Frames wait until they are requested; none is lost.
    ///
    /// ```
    /// use soundtrack::{Frames, Layout, PlayerBuilder, SampleRate, Session, Spec, Track, media::Memory};
    /// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Stereo };
    /// let mut mix = Session::new(spec.rate, spec.layout);
    /// mix.add_track(Track::new("level", Memory::new(spec, vec![vec![0.5; 9600]; 2])?));
    /// let (player, mut callback) = PlayerBuilder::new().own(&mix, spec)?;
    /// let mut buffer = [0.0f32; 2 * 128];
    /// while player.position() < Frames(4800) {
    ///     callback.fill(&mut buffer, Frames(0)); // as a device would
    /// }
    /// assert_eq!(buffer, [0.5; 256]);
    /// # Ok::<(), soundtrack::Error>(())
    /// ```
    ///
    /// # Errors
    /// Passes on the errors of compiling the session; `Device` for a rate that cannot be converted to.
    pub fn own(&self, session: &Session, spec: Spec) -> Result<(Player, Callback)> {
        let (backend, callback) = CallbackBackend::new(spec);
        let player = self.start(session, Box::new(backend))?;
        let callback = callback
            .recv()
            .map_err(|_| Error::new(ErrorKind::Device, "the player did not start"))?;
        Ok((player, callback))
    }

    /// Plays on an output device: the system's default, or one by its name or id as listed by `devices`.
    ///
    /// # Errors
    /// Passes on the errors of compiling the session; `Device`, with advice, if there is no such device or it cannot be opened.
    #[cfg(feature = "device")]
    pub fn device(&self, session: &Session, device: Option<&str>) -> Result<Player> {
        self.start(
            session,
            Box::new(super::device::DeviceBackend::new(device, self.latency)),
        )
    }

    /// Starts the playback thread on a backend, and waits until the device is open.
    pub(super) fn start(&self, session: &Session, backend: Box<dyn Backend>) -> Result<Player> {
        let depth = Frames::from_duration(self.read_ahead, session.rate).0;
        let block = block_frames(self.latency, session.rate);
        let mut renderer = LiveRenderer::new(session, depth, block, !backend.waits())?;
        if self.at > Frames::ZERO {
            renderer.seek(self.at.0);
        }
        let status = Arc::new(Status::new(&renderer));
        status.hold_at(renderer.position());
        let (commands, command_receiver) = channel();
        if !self.paused {
            // Cannot fail: the receiver is alive.
            let _ = commands.send(Command::Play);
            status.command_sent();
            status.set(State::Playing);
        }
        let (opened, open_result) = sync_channel(1);
        let (finished, done) = sync_channel(1);
        let quit = Arc::new(AtomicBool::new(false));
        let shutdown_timeout = backend.timeout().map(|_| SHUTDOWN_TIMEOUT);
        let (thread_status, thread_quit, latency) =
            (Arc::clone(&status), Arc::clone(&quit), self.latency);
        let renderer = Arc::new(Mutex::new(renderer));
        let shared = Arc::clone(&renderer);
        let run = move || {
            let mut playback = PlaybackThread::new(
                renderer,
                backend,
                command_receiver,
                thread_status,
                thread_quit,
                latency,
            );
            let result = playback.open_stream();
            let is_open = result.is_ok();
            // Sending fails if the caller has given up waiting; then nothing is played.
            if opened.send(result).is_ok() && is_open {
                playback.run();
            }
            let _ = finished.send(());
        };
        // Linux shows the first 15 bytes of a thread's name: all of this one.
        thread::Builder::new()
            .name("soundtrack-play".to_owned())
            .spawn(run)
            .map_err(thread_error)?;
        let timed_out = |_| {
            let what =
                "the output device does not open: choose another, or restart the sound system";
            Error::new(ErrorKind::Device, what)
        };
        open_result
            .recv_timeout(OPEN_TIMEOUT)
            .map_err(timed_out)??;
        // Only now: dropping `Inner` waits for the thread, which may hang in a device that does not open.
        let inner = Inner {
            commands,
            status,
            quit,
            done: Mutex::new(done),
            shutdown_timeout,
            latency,
            renderer: shared,
            depth,
            session: Mutex::new(session.clone()),
        };
        Ok(Player {
            inner: Arc::new(inner),
        })
    }
}

/// Returns the error for a thread that the system refused to start.
pub(super) fn thread_error(cause: std::io::Error) -> Error {
    Error::new(
        ErrorKind::Device,
        format!("cannot start a thread to play: {cause}"),
    )
    .because(cause)
}
