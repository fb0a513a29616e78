//! Live: the same samples as a bounce, aloud, under control.
//!
//! ```text
//!  Player (any thread) ─commands─► engine thread ─ring─► callback (real time: copy, count, no more)
//!      ▲                            ▲
//!      └ position, levels, state ───┴── stems, decoded ahead by threads of their own
//! ```
//!
//! **Promises.** What a device gets is what a bounce writes, bit for bit, before its own sample format; also after a
//! fader, pan, mute or solo was moved, once the move has arrived (8 ms). Starts in the middle, stops and seeks fade for 8
//! ms; a start at frame 0, a loop and the end are not touched. **Does not** record, and does not play backwards.

mod backend;
mod callback;
#[cfg(feature = "device")]
mod device;
mod device_converter;
mod device_stream;
mod live_mixer;
mod meter;
mod mix;
mod play;
mod playback_thread;
mod ring;
mod status;
mod stream_stats;
mod transport;
#[cfg(test)]
mod tests;

pub use callback::Callback;
#[cfg(feature = "device")]
pub use device::{DeviceInfo, devices};
pub use live_mixer::StripId;
pub use play::Play;
pub use status::{State, Underruns};

use crate::{
    diagnostics::Warning,
    error::Error,
    session::Session,
    units::{Dbfs, Decibels, Frames, Lufs, Pan},
};
use live_mixer::{Lanes, Setting};
use playback_thread::Command;
use status::Status;
use std::{
    fmt,
    ops::Range,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender},
    },
    time::Duration,
};

/// How long the last handle waits for the engine to end: a fade, the device's own delay, and closing it.
const FAREWELL: Duration = Duration::from_millis(1800);
/// The highest fader there is.
const LOUDEST: Decibels = Decibels(200.0);

/// A session that is being played: a handle. Clones control the same player, from any thread; when the last one is
/// dropped, the sound fades out within milliseconds and the device is closed.
///
/// All calls return at once and never wait for a file or a device. Moves of controls are heard after the time rendered
/// ahead, 20 ms unless set with [`Play::latency`]. An id of another session moves nothing.
///
/// ```
/// use soundtrack::{Decibels, Frames, Layout, Play, SampleRate, Session, Spec, Track, media::Memory};
/// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
/// let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
/// let vox = mix.add_track(Track::new("vox", Memory::new(spec, vec![vec![0.5; 96_000]])?));
/// let player = Play::new().paused(true).null(&mix)?;
/// player.set_gain(vox, Decibels(-6.0));
/// player.seek(Frames(48_000));
/// player.play();
/// # Ok::<(), soundtrack::Error>(())
/// ```
#[derive(Clone)]
pub struct Player {
    shared: Arc<Handle>,
}

struct Handle {
    commands: Sender<Command>,
    status: Arc<Status>,
    quit: Arc<AtomicBool>,
    done: Mutex<Receiver<()>>,
    /// How long to wait for it; `None` for a sink, which is to be finished.
    farewell: Option<Duration>,
    #[cfg_attr(not(feature = "device"), expect(dead_code, reason = "only devices are asked for it again"))]
    latency: Duration,
    lanes: Lanes,
}

/// What a strip's meter shows.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Level {
    /// The largest sample of late; falls back by 8.7 dB in 0.3 s.
    pub peak: Dbfs,
    /// The root of the mean square of the last 0.3 s, of the loudest channel; a full-scale sine has −3 dB.
    pub rms: Dbfs,
}

/// The meters of all strips, after gain and pan; muted strips show silence.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Levels {
    /// The tracks, in order.
    pub tracks: Vec<Level>,
    /// The buses, in order.
    pub buses: Vec<Level>,
    /// The mix.
    pub master: Level,
}

/// Loudness of the mix so far, after BS.1770-5, without the fades of starts and stops.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct LoudnessSoFar {
    /// Of the last 0.4 s; `None` before there is so much.
    pub momentary: Option<Lufs>,
    /// Of the last 3 s; `None` before there is so much.
    pub short_term: Option<Lufs>,
    /// Of everything since the start, gated; `None` before 0.4 s, or where all is below the gate.
    pub integrated: Option<Lufs>,
}

impl Session {
    /// Plays the mix on the default output device. [`Play`] has other devices, and players without hardware.
    ///
    /// # Errors
    /// Those of compiling; `Device` where there is no device or it cannot be opened.
    #[cfg(feature = "device")]
    pub fn play(&self) -> crate::Result<Player> {
        Play::new().device(self, None)
    }
}

impl Player {
    fn new(
        lanes: Lanes,
        commands: Sender<Command>,
        status: Arc<Status>,
        quit: Arc<AtomicBool>,
        (done, farewell): (Receiver<()>, Option<Duration>),
        latency: Duration,
    ) -> Self {
        let done = Mutex::new(done);
        Self { shared: Arc::new(Handle { commands, status, quit, done, farewell, latency, lanes }) }
    }

    fn tell(&self, command: Command) {
        // An engine that is gone has told why in the state.
        if self.shared.commands.send(command).is_ok() {
            self.shared.status.given();
        }
    }

    /// Plays on; after the end from the start; after a fault it tries again, on the same device or, where that is gone,
    /// on the default one.
    pub fn play(&self) {
        self.tell(Command::Play);
    }

    /// Fades out and waits.
    pub fn pause(&self) {
        self.tell(Command::Pause);
    }

    /// Fades out and goes to the start.
    pub fn stop(&self) {
        self.tell(Command::Stop);
    }

    /// Goes to a frame and plays or waits there as before. Behind the end is the end.
    pub fn seek(&self, to: Frames) {
        self.tell(Command::Seek(to.0));
    }

    /// Repeats a range without a gap, to the frame, once its end is reached; `None` plays on to the end. An empty range
    /// is none.
    pub fn set_loop(&self, range: Option<Range<Frames>>) {
        self.tell(Command::Loop(range.map(|r| r.start.0..r.end.0)));
    }

    /// Moves a fader, at most to +200 dB. NaN moves nothing.
    pub fn set_gain(&self, strip: impl Into<StripId>, gain: Decibels) {
        if !gain.0.is_nan() {
            let gain = if gain > LOUDEST { LOUDEST } else { gain };
            self.tell(Command::Set(strip.into(), Setting::Gain(gain)));
        }
    }

    /// Moves a pan control; beyond the sides is at the side. Pan automation of the strip gives way to it. NaN moves
    /// nothing.
    pub fn set_pan(&self, strip: impl Into<StripId>, pan: Pan) {
        if !pan.0.is_nan() {
            self.tell(Command::Set(strip.into(), Setting::Pan(Pan(pan.0.clamp(-1.0, 1.0)))));
        }
    }

    /// Mutes a strip, or not.
    pub fn set_mute(&self, strip: impl Into<StripId>, mute: bool) {
        self.tell(Command::Set(strip.into(), Setting::Mute(mute)));
    }

    /// Solos a strip, or not.
    pub fn set_solo(&self, strip: impl Into<StripId>, solo: bool) {
        self.tell(Command::Set(strip.into(), Setting::Solo(solo)));
    }

    /// The frame that is heard now: what the device has played, its own delay taken off, to a buffer of it.
    #[must_use]
    pub fn position(&self) -> Frames {
        Frames(self.shared.status.position())
    }

    /// The length of the session.
    #[must_use]
    pub fn length(&self) -> Frames {
        Frames(self.shared.status.length)
    }

    /// What it does now. A command that was just given is obeyed a moment later; [`wait`](Self::wait) waits for it.
    #[must_use]
    pub fn state(&self) -> State {
        self.shared.status.state()
    }

    /// Why it failed, while it is [`State::Failed`]: kind `Device` for the device, with what to do; the kinds of a bounce
    /// for a stem.
    #[must_use]
    pub fn fault(&self) -> Option<Error> {
        self.shared.status.fault()
    }

    /// What was noticed of stems so far, each track once: [`WarningKind::Overload`](crate::diagnostics::WarningKind) for one that went above
    /// +24 dBFS. It fades out before that and is muted until the next start, seek or stop; the others play on.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        self.shared.status.warnings()
    }

    /// Waits until the commands given so far are obeyed and it plays no more, at most so long. The state then.
    pub fn wait(&self, most: Duration) -> State {
        self.shared.status.wait(most)
    }

    /// How often sound came too late, since the start.
    #[must_use]
    pub fn underruns(&self) -> Underruns {
        self.shared.status.underruns()
    }

    /// The meters, of the sound that is heard within the time rendered ahead.
    #[must_use]
    pub fn levels(&self) -> Levels {
        let Handle { status, lanes, .. } = &*self.shared;
        let level = |lane: &usize| {
            let (peak, rms) = status.displays.get(*lane).map_or((0.0, 0.0), |d| d.read());
            Level { peak: Dbfs::of(peak), rms: Dbfs::of(rms) }
        };
        Levels {
            tracks: lanes.tracks.iter().map(level).collect(),
            buses: lanes.buses.iter().map(level).collect(),
            master: level(&lanes.master),
        }
    }

    /// Loudness of what was played: since the start, the last [`stop`](Self::stop), the end or
    /// [`measure`](Self::measure), over pauses, loops and seeks.
    #[must_use]
    pub fn loudness(&self) -> LoudnessSoFar {
        let [momentary, short_term, integrated] = self.shared.status.loudness.read();
        LoudnessSoFar { momentary, short_term, integrated }
    }

    /// Measures loudness anew from here on.
    pub fn measure(&self) {
        self.tell(Command::Measure);
    }

    /// Plays on another device from here on: one by its name or id, or the default.
    #[cfg(feature = "device")]
    pub fn move_to(&self, device: Option<&str>) {
        self.tell(Command::MoveTo(Box::new(device::Device::new(device, self.shared.latency))));
    }
}

impl fmt::Debug for Player {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Player({:?} at {})", self.state(), self.position())
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.quit.store(true, Ordering::Release);
        let _ = self.commands.send(Command::Quit);
        let done = self.done.get_mut().unwrap_or_else(PoisonError::into_inner);
        // An engine that hangs in a device is left behind. One that is gone tells nothing.
        let _ = match self.farewell {
            Some(most) => done.recv_timeout(most).is_ok(),
            None => done.recv().is_ok(),
        };
    }
}
