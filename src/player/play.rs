//! What is played on, and how far ahead.

use super::{
    FAREWELL, Player, State,
    backend::{Backend, Lent, Null, Pump},
    callback::Callback,
    mix::{BLOCK, Mix},
    playback_thread::{Command, Engine},
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

/// A way to play a session: on a device, on nothing in real time, or into a sink; how far ahead; from where.
///
/// ```
/// use soundtrack::{Layout, Play, SampleRate, Session, Spec, State, Track, media::Memory};
/// use std::time::Duration;
/// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
/// let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
/// mix.add_track(Track::new("click", Memory::new(spec, vec![vec![0.5; 4800]])?));
/// let player = Play::new().null(&mix)?;
/// assert_eq!(player.wait(Duration::from_secs(10)), State::Ended);
/// assert_eq!(player.position(), player.length());
/// # Ok::<(), soundtrack::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Play {
    latency: Duration,
    read_ahead: Duration,
    at: Frames,
    paused: bool,
}

/// The shortest and the longest time that can be rendered ahead of a device.
const LATENCY: (Duration, Duration) = (Duration::from_millis(1), Duration::from_secs(10));
/// The longest time that stems can be read ahead.
const MOST_READ_AHEAD: Duration = Duration::from_secs(60);
/// How long a device may take to open.
const OPENING: Duration = Duration::from_secs(5);

impl Default for Play {
    fn default() -> Self {
        Self { latency: Duration::from_millis(20), read_ahead: Duration::from_secs(2), at: Frames::ZERO, paused: false }
    }
}

impl Play {
    /// From the start, 20 ms ahead of the device, with stems read 2 s ahead.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how far ahead of the device it renders, 1 ms to 10 s; others are taken as the nearest. A control that is moved
    /// is heard after this time. A device that asks for more at once gets twice what it asks for.
    #[must_use]
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency.clamp(LATENCY.0, LATENCY.1);
        self
    }

    /// Sets how far ahead stems are read and decoded, up to 60 s: how long a disk may stall without being heard. All stems
    /// together take 256 MiB at the most; many of them are read less far ahead.
    #[must_use]
    pub fn read_ahead(mut self, time: Duration) -> Self {
        self.read_ahead = time.min(MOST_READ_AHEAD);
        self
    }

    /// Starts from a frame of the timeline.
    #[must_use]
    pub fn at(mut self, at: Frames) -> Self {
        self.at = at;
        self
    }

    /// Waits for [`Player::play`] instead of starting at once.
    #[must_use]
    pub fn paused(mut self, paused: bool) -> Self {
        self.paused = paused;
        self
    }

    /// Plays in real time without any hardware: for servers, demos and tests.
    ///
    /// # Errors
    /// Those of compiling the session; `Device` where no thread can be started.
    pub fn null(&self, session: &Session) -> Result<Player> {
        self.on(session, Box::new(Null))
    }

    /// Plays into a program's sink, in blocks of up to 256 frames. The sink sets the pace: it takes a block and waits, as
    /// a device does. It is finished when the player is dropped.
    ///
    /// # Errors
    /// Those of compiling the session; `Device` where no thread can be started. What the sink refuses later is told by
    /// [`Player::fault`].
    pub fn into_sink(&self, session: &Session, sink: Box<dyn Sink + Send>) -> Result<Player> {
        self.on(session, Box::new(Pump::new(sink, BLOCK)))
    }

    /// Plays through an audio callback of the program's own, at its rate and layout: the player, and the end to call from
    /// there. What the callback does not ask for waits; nothing is lost.
    ///
    /// ```
    /// use soundtrack::{Frames, Layout, Play, SampleRate, Session, Spec, Track, media::Memory};
    /// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Stereo };
    /// let mut mix = Session::new(spec.rate, spec.layout);
    /// mix.add_track(Track::new("level", Memory::new(spec, vec![vec![0.5; 9600]; 2])?));
    /// let (player, mut callback) = Play::new().own(&mix, spec)?;
    /// let mut buffer = [0.0f32; 2 * 128];
    /// while player.position() < Frames(4800) {
    ///     callback.fill(&mut buffer, Frames(0)); // what a device would do
    /// }
    /// assert_eq!(buffer, [0.5; 256]);
    /// # Ok::<(), soundtrack::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of compiling the session; `Device` for a rate that cannot be converted to.
    pub fn own(&self, session: &Session, spec: Spec) -> Result<(Player, Callback)> {
        let (lent, callback) = Lent::new(spec);
        let player = self.on(session, Box::new(lent))?;
        let gone = |_| Error::new(ErrorKind::Device, "the player did not start");
        Ok((player, callback.recv().map_err(gone)?))
    }

    /// Plays on an output device: the system's default, or one by its name or id as [`devices`](crate::encode::devices) tells
    /// them.
    ///
    /// # Errors
    /// Those of compiling the session; `Device` where there is none, or it cannot be opened, with what to do.
    #[cfg(feature = "device")]
    pub fn device(&self, session: &Session, device: Option<&str>) -> Result<Player> {
        self.on(session, Box::new(super::device::Device::new(device, self.latency)))
    }

    /// Plays on anything that calls back.
    pub(super) fn on(&self, session: &Session, backend: Box<dyn Backend>) -> Result<Player> {
        let depth = Frames::from_duration(self.read_ahead, session.rate).0;
        let mut mix = Mix::new(session, depth)?;
        if self.at > Frames::ZERO {
            mix.seek(self.at.0);
        }
        let status = Arc::new(Status::new(&mix));
        status.park(mix.position());
        let lanes = mix.lanes();
        let (commands, orders) = channel();
        let (opened, open) = sync_channel(1);
        let (last, done) = sync_channel(1);
        let quit = Arc::new(AtomicBool::new(false));
        let (told, cancel, latency) = (Arc::clone(&status), Arc::clone(&quit), self.latency);
        if !self.paused {
            // The engine lives as long as this end of the channel.
            let _ = commands.send(Command::Play);
            status.given();
            status.set(State::Playing);
        }
        let farewell = backend.patience().map(|_| FAREWELL);
        let work = move || {
            let mut engine = Engine::new(Arc::new(Mutex::new(mix)), backend, orders, told, cancel, latency);
            let result = engine.open();
            let fine = result.is_ok();
            // Nobody asks any more where opening took too long: then nothing is played.
            if opened.send(result).is_ok() && fine {
                engine.run();
            }
            let _ = last.send(());
        };
        let refused = |e| Error::new(ErrorKind::Device, format!("cannot start a thread to play: {e}")).because(e);
        thread::Builder::new().name("soundtrack-engine".to_owned()).spawn(work).map_err(refused)?;
        match open.recv_timeout(OPENING) {
            Ok(result) => result?,
            Err(_) => {
                let what = "the output device does not open: choose another, or restart the sound system";
                return Err(Error::new(ErrorKind::Device, what));
            }
        }
        Ok(Player::new(lanes, commands, status, quit, (done, farewell), self.latency))
    }
}
