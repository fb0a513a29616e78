//! Live playback of a session, controlled by [`Player`] handles from any thread.
//!
//! ```text
//!  Player handles ─commands─► playback thread ─ring─► callback ─► device
//!        ▲                      ▲      │  ▲              │
//!        │    read-ahead threads┘      │  └─ StreamStats ◄┘
//!        └────────── Status ◄──────────┘
//! ```
//!
//! # Threads
//! * **Callers** hold handles. Each call sends a command through a channel, or reads shared state, and returns at once.
//! * **The playback thread** (`playback_thread`) executes commands. It renders blocks of up to 256 frames
//!   (`live_renderer`, `live_mixer`), converts them to the device's rate and channels (`device_converter`) and keeps the ring
//!   filled up to the latency (`device_stream`). It also notices when the device fails.
//! * **Read-ahead threads** (`engine::read_ahead`) decode stems some seconds ahead, so that the playback thread never waits
//!   for a file.
//! * **The device's thread** belongs to the backend (`backend`, `device`) and runs the callback (`callback`), the only
//!   real-time code: it copies frames out of the ring and counts them. It takes no lock, allocates nothing and makes no
//!   system call.
//! * **Closing a device** runs on a thread of its own, because some drivers hang when their device is gone.
//!
//! # Shared state
//! The ring (`ring`) is lock-free and holds interleaved `f64` samples at the device's rate. The atomic counters of
//! `stream_stats` connect the callback with the playback thread. Handles read `status`, whose locks the callback never takes.
//!
//! # Promises
//! A device receives what a bounce writes, bit for bit, before conversion to its sample format. This includes changes of
//! faders, pans, mutes and solos once their ramps have ended, after 8 ms. Stopping, and starting or seeking to any frame but
//! 0, fades for 8 ms; a start at frame 0, the turn of a loop, and the end are exact. An underrun delays all stems alike and
//! loses no frame. Recursive processors, such as filters and compressors, get a quarter of a second before a start or a seek to find
//! into their state, so that sound comes soon. They have the bits of a bounce at the latest from the second multiple of 2^20
//! frames (21.8 s at 48 kHz) on, and those behind another one from the third. A sink of the program gets them
//! from the first frame, and so does every output from the frame at which an edited session takes over. The player does not record and does not play backwards.

mod backend;
mod builder;
mod callback;
#[cfg(feature = "device")]
mod device;
mod device_converter;
mod device_stream;
mod events;
mod live_mixer;
mod live_renderer;
mod loudness;
#[cfg(feature = "meters")]
mod meter;
mod playback_thread;
mod ring;
mod status;
mod stream_stats;
#[cfg(test)]
mod tests;
#[cfg(feature = "varispeed")]
mod varispeed;

pub use builder::PlayerBuilder;
pub use callback::Callback;
#[cfg(feature = "device")]
pub use device::{DeviceInfo, devices};
pub use events::Event;
pub use loudness::LoudnessSoFar;
#[cfg(feature = "meters")]
use meter::LevelDisplay;
#[cfg(feature = "meters")]
pub use meter::{Level, Levels};
pub use status::{State, Underruns};

use crate::{
    diagnostics::Warning,
    error::{Error, ErrorKind, Result},
    session::{Selector, Session, UnknownPart},
    sync::locked,
    units::{Dbfs, Decibels, Frames, Pan},
};
use device_converter::SharedRenderer;
use live_mixer::Setting;
use live_renderer::Edit;
use playback_thread::Command;
use status::Status;
use std::{
    fmt,
    ops::Range,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender},
    },
    time::Duration,
};

/// Longest time that dropping the last handle waits for the playback thread: a fade, the device's delay, and closing the device.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(1800);
/// An edit that should be heard soon gets the inverse of this to be prepared, 50 ms, and twice as much each time that was not
/// enough.
const UPDATES_PER_SECOND: u32 = 20;
/// The highest gain a fader can be set to.
const MAX_FADER: Decibels = Decibels(200.0);

/// A handle to a session that is being played.
///
/// Clones control the same player, from any thread. When the last one is dropped, the sound fades out within milliseconds
/// and the device is closed.
///
/// Every call but [`wait`](Self::wait), [`update`](Self::update) and [`update_at`](Self::update_at) returns at once and never
/// waits for a file or a device. A change of a control is
/// heard after the time rendered ahead, 20 ms by default; see [`PlayerBuilder::latency`].
///
/// ```
/// use soundtrack::{Decibels, Frames, Layout, PlayerBuilder, SampleRate, Session, Spec, Track, media::Memory};
/// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
/// let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
/// let vox = mix.add_track(Track::new("vox", Memory::new(spec, vec![vec![0.5; 96_000]])?));
/// let player = PlayerBuilder::new().paused(true).null(&mix)?;
/// player.set_gain(vox, Decibels(-6.0))?;
/// player.seek(Frames(48_000));
/// player.play();
/// # Ok::<(), soundtrack::Error>(())
/// ```
#[derive(Clone)]
pub struct Player {
    inner: Arc<Inner>,
}

/// The state that all handles of a player share. Dropping it ends the player.
struct Inner {
    commands: Sender<Command>,
    status: Arc<Status>,
    /// Interrupts a playback thread that waits for a stem.
    quit: Arc<AtomicBool>,
    /// Receives a value when the playback thread has ended.
    done: Mutex<Receiver<()>>,
    /// Longest wait for that value; `None` waits without limit, so that a sink is always finished.
    shutdown_timeout: Option<Duration>,
    #[cfg_attr(
        not(feature = "device"),
        expect(dead_code, reason = "only needed to open another device")
    )]
    latency: Duration,
    renderer: SharedRenderer,
    /// Frames that stems are decoded ahead.
    depth: u64,
    /// The session as it was opened or edited last, to check changes of parameters.
    session: Mutex<Session>,
}

impl Session {
    /// Plays the mix on the default output device. [`PlayerBuilder`] offers other devices, and playback without hardware.
    ///
    /// # Errors
    /// Passes on the errors of compiling the session; `Device` if there is no device or it cannot be opened.
    #[cfg(feature = "device")]
    pub fn play(&self) -> crate::Result<Player> {
        PlayerBuilder::new().device(self, None)
    }
}

impl Player {
    fn send(&self, command: Command) {
        // Fails if the playback thread has ended after a fault, which `fault` reports.
        if self.inner.commands.send(command).is_ok() {
            self.inner.status.command_sent();
        }
    }

    /// Starts or resumes playback; after the end, from the start. After a fault it tries again, on the same device or, if
    /// that is gone, on the default one.
    pub fn play(&self) {
        self.send(Command::Play);
    }

    /// Fades out and pauses.
    pub fn pause(&self) {
        self.send(Command::Pause);
    }

    /// Fades out and returns to the start.
    pub fn stop(&self) {
        self.send(Command::Stop);
    }

    /// Moves to a frame, limited to the end of the session, and keeps playing or keeps paused.
    pub fn seek(&self, to: Frames) {
        self.send(Command::Seek(to.0));
    }

    /// Loops over a range without a gap, exact to the frame, from the next time its end is reached. `None` or an empty range
    /// ends looping.
    pub fn set_loop(&self, range: Option<Range<Frames>>) {
        self.send(Command::SetLoop(range.map(|r| r.start.0..r.end.0)));
    }

    /// Plays at `speed` times the speed of the session, 0.25 to 4, with the pitch that goes with it: 2 is an octave higher. Other
    /// speeds are limited to that range; 1 passes the mix bit for bit.
    ///
    /// A change while it plays fades out and in, for 8 ms each. [`position`](Self::position) stays exact at every speed.
    ///
    /// ```
    /// use soundtrack::{Frames, Layout, PlayerBuilder, SampleRate, Session, Spec, Track, media::Memory};
    /// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
    /// let mut mix = Session::new(spec.rate, spec.layout);
    /// mix.add_track(Track::new("song", Memory::new(spec, vec![vec![0.5; 96_000]])?));
    /// let player = PlayerBuilder::new().null(&mix)?;
    /// player.set_speed(0.5)?; // to learn a passage
    /// # Ok::<(), soundtrack::Error>(())
    /// ```
    ///
    /// # Errors
    /// `InvalidArgument` for NaN.
    #[cfg(feature = "varispeed")]
    pub fn set_speed(&self, speed: f64) -> Result<()> {
        if speed.is_nan() {
            let what = "the speed is not a number";
            return Err(Error::new(ErrorKind::InvalidArgument, what));
        }
        self.send(Command::SetSpeed(speed.clamp(0.25, 4.0)));
        Ok(())
    }

    /// Finds a part of the session that is played by its name, as [`Session::part`] does: `track.vox`, `bus.music`, `cue.storm`
    /// or `cue.storm.violins`.
    ///
    /// # Errors
    /// [`UnknownPart`](crate::UnknownPart) with the most similar name, if there is one.
    pub fn part(&self, name: &str) -> Result<Selector, UnknownPart> {
        locked(&self.inner.session).part(name)
    }

    /// Changes a control of a part.
    ///
    /// # Errors
    /// `InvalidArgument` for an id of another session, and for a control that the part does not have.
    fn set(&self, part: Selector, setting: Setting) -> Result<()> {
        let session = locked(&self.inner.session);
        let refused = |what: String| Err(Error::new(ErrorKind::InvalidArgument, what));
        let Some(name) = session.name_of(part) else {
            return refused(
                "the id is of another session than the one that is played: use the ids of that one or of its clones"
                    .to_owned(),
            );
        };
        let has_control = match (part, &setting) {
            (Selector::Cue(_), setting) => matches!(setting, Setting::Mute(_)),
            (Selector::CueTrack(..), setting) => !matches!(setting, Setting::Ramp { .. }),
            (Selector::Master, setting) => {
                matches!(setting, Setting::Gain(_) | Setting::Ramp { .. })
            }
            _ => true,
        };
        if !has_control {
            return refused(format!("{name} has no {}", setting.control()));
        }
        drop(session);
        self.send(Command::Set(name, setting));
        Ok(())
    }

    /// Moves the fader of a track, a bus, a track of a cue, or the master, at most to +200 dB.
    ///
    /// # Errors
    /// `InvalidArgument` for NaN, for an id of another session, and for a cue.
    pub fn set_gain(&self, strip: impl Into<Selector>, gain: Decibels) -> Result<()> {
        self.set(strip.into(), Setting::Gain(fader(gain)?))
    }

    /// Lets the gain of a track, a bus or the master go to `to`, at most +200 dB, over `over` frames of the timeline from frame
    /// `at` on.
    ///
    /// What is heard is what a bounce gives of the session after [`Session::ramp_gain`] with the same arguments, bit for bit,
    /// if `at` lies at least the [latency](PlayerBuilder::latency) and 8 ms ahead.
    ///
    /// ```
    /// use soundtrack::{Decibels, Frames, Layout, PlayerBuilder, SampleRate, Session, Spec, Track, media::Memory};
    /// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
    /// let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    /// let pad = Track::new("pad", Memory::new(spec, vec![vec![0.5; 480_000]])?).gain(Decibels::SILENCE);
    /// let pad = mix.add_track(pad);
    /// let player = PlayerBuilder::new().null(&mix)?;
    /// let bar = Frames(96_000); // 120 beats per minute
    /// player.ramp_gain(pad, Decibels(-3.0), bar, bar)?; // fades in over the second bar
    /// # Ok::<(), soundtrack::Error>(())
    /// ```
    ///
    /// # Errors
    /// `InvalidArgument` for NaN, for an id of another session, and for cues and their tracks, whose time is their own.
    pub fn ramp_gain(
        &self,
        strip: impl Into<Selector>,
        to: Decibels,
        at: Frames,
        over: Frames,
    ) -> Result<()> {
        let to = fader(to)?;
        self.set(strip.into(), Setting::Ramp { to, at, over })
    }

    /// Plays an edited session from a frame of the timeline on, without a gap: tracks, cues, clips and inserts may have been
    /// added, changed and removed ([`Session::remove_track`]). Until then the player plays on as it is; controls apply to the
    /// parts of the same kind and name.
    ///
    /// From frame `at` on the device receives what a bounce of the edited session writes, bit for bit, processors included.
    /// The edited session also states all controls: changes by [`set_gain`](Self::set_gain) and others before this call are
    /// replaced by it, later ones are kept. A seek to or beyond `at` lets it take over too; then processors find into their
    /// state as after every seek.
    ///
    /// Compiles the session and prepares it on the calling thread, so this takes the time to open its stems and, with recursive
    /// processors, to render up to some 2^20 frames before `at`. Playback is not held up. Where the frame does not matter, use
    /// [`update`](Self::update).
    ///
    /// ```
    /// use soundtrack::{Clip, Frames, Layout, PlayerBuilder, SampleRate, Session, Spec, Track, media::Memory};
    /// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
    /// let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    /// mix.add_track(Track::new("bed", Memory::new(spec, vec![vec![0.1; 480_000]])?));
    /// let player = PlayerBuilder::new().null(&mix)?;
    /// let stinger = Memory::new(spec, vec![vec![0.5; 24_000]])?;
    /// mix.add_track(Track::of("stinger").clip(Clip::new(stinger).at(Frames(123_457))));
    /// player.update_at(Frames(123_457), &mix)?;
    /// # Ok::<(), soundtrack::Error>(())
    /// ```
    ///
    /// # Errors
    /// Passes on the errors of compiling the session and of decoding its stems; `InvalidArgument` for another rate or layout,
    /// and for a frame that is rendered already and that no loop comes back to. Then playback goes on unchanged.
    pub fn update_at(&self, at: Frames, session: &Session) -> Result<()> {
        let loop_range = locked(&self.inner.renderer).loop_range();
        let edit = self.prepare(at.0, session, loop_range.as_ref())?;
        // Bound before the edit that was refused is dropped, which takes its time.
        let added = locked(&self.inner.renderer).add_edit(edit);
        if let Err((_, next)) = added {
            let what = format!(
                "frame {at} is rendered already, the next is {next}: choose a later frame, or update as soon as possible"
            );
            return Err(Error::new(ErrorKind::InvalidArgument, what));
        }
        session.clone_into(&mut locked(&self.inner.session));
        Ok(())
    }

    /// Plays an edited session as soon as it is prepared, without a gap, and returns the frame of the timeline from which on
    /// it is played. See [`update_at`](Self::update_at).
    ///
    /// # Errors
    /// Those of [`update_at`](Self::update_at) but for the frame.
    pub fn update(&self, session: &Session) -> Result<Frames> {
        let mut margin = u64::from(session.rate.hz() / UPDATES_PER_SECOND);
        loop {
            // Nothing is rendered while it is paused, so the next frame is in time.
            let is_playing = self.state() == State::Playing;
            let renderer = locked(&self.inner.renderer);
            let loop_range = renderer.loop_range();
            let at = renderer.frame_after(if is_playing { margin } else { 0 });
            drop(renderer);
            let edit = self.prepare(at, session, loop_range.as_ref())?;
            let added = locked(&self.inner.renderer).add_edit(edit);
            if added.is_ok() {
                session.clone_into(&mut locked(&self.inner.session));
                return Ok(Frames(at));
            }
            margin = margin.saturating_mul(2);
        }
    }

    /// Makes an edited session ready to take over.
    fn prepare(&self, at: u64, session: &Session, loop_range: Option<&Range<u64>>) -> Result<Edit> {
        let (played, block) = {
            let renderer = locked(&self.inner.renderer);
            (renderer.spec(), renderer.block())
        };
        if (session.rate, session.layout) != (played.rate, played.layout) {
            let what = format!(
                "a session of {} Hz {} cannot replace one of {} Hz {} while it plays",
                session.rate, session.layout, played.rate, played.layout
            );
            return Err(Error::new(ErrorKind::InvalidArgument, what));
        }
        Edit::prepare(session, at, self.inner.depth, block, loop_range)
    }

    /// Moves the pan control of a strip, limited to −1 (left) to 1 (right). Replaces the strip's pan automation.
    ///
    /// # Errors
    /// `InvalidArgument` for NaN, for an id of another session, and for a cue and the master.
    pub fn set_pan(&self, strip: impl Into<Selector>, pan: Pan) -> Result<()> {
        if pan.0.is_nan() {
            let what = "the pan is not a number";
            return Err(Error::new(ErrorKind::InvalidArgument, what));
        }
        self.set(strip.into(), Setting::Pan(Pan(pan.0.clamp(-1.0, 1.0))))
    }

    /// Moves a parameter of an insert, found by its name, or by that of its processor where it has none. The value is reached
    /// over 8 ms and replaces the automation of the parameter.
    ///
    /// What is heard afterwards is what a bounce with the new value gives: at once where the processor has no memory, otherwise
    /// from the next multiple of 2^20 frames or the next seek on.
    ///
    /// ```
    /// use soundtrack::{Insert, Layout, PlayerBuilder, SampleRate, Session, Spec, Track, media::Memory};
    /// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
    /// let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    /// let stem = Memory::new(spec, vec![vec![0.5; 96_000]])?;
    /// let vox = mix.add_track(Track::new("vox", stem).insert(Insert::new("compressor")?.named("comp")));
    /// let player = PlayerBuilder::new().null(&mix)?;
    /// player.set_parameter(vox, "comp", "threshold", -24.0)?;
    /// assert!(player.set_parameter(vox, "comp", "lookahead", 0.01).is_err()); // holds for the whole render
    /// # Ok::<(), soundtrack::Error>(())
    /// ```
    ///
    /// # Errors
    /// `InvalidArgument` for an insert or a parameter that the strip does not have, for a parameter that holds for the whole
    /// render, and for a value outside its range.
    pub fn set_parameter(
        &self,
        strip: impl Into<Selector>,
        insert: &str,
        parameter: &str,
        value: f64,
    ) -> Result<()> {
        let strip = strip.into();
        let refused = |what: String| Err(Error::new(ErrorKind::InvalidArgument, what));
        let session = locked(&self.inner.session);
        let Some(part) = session.name_of(strip) else {
            return refused("the id is of another session than the one that is played".to_owned());
        };
        let mut inserts = session.inserts(strip).iter();
        let Some(found) = inserts.find(|known| known.called() == insert) else {
            return refused(format!("{part} has no insert {insert:?}"));
        };
        if let Some(problem) = found.clone().move_to(parameter, value, session.rate) {
            return refused(format!("insert {insert:?}: {problem}"));
        }
        drop(session);
        self.send(Command::Set(
            part,
            Setting::Parameter {
                insert: insert.to_owned(),
                parameter: parameter.to_owned(),
                value,
            },
        ));
        Ok(())
    }

    /// Mutes or unmutes a strip or a cue.
    ///
    /// # Errors
    /// `InvalidArgument` for an id of another session, and for the master.
    pub fn set_mute(&self, part: impl Into<Selector>, mute: bool) -> Result<()> {
        self.set(part.into(), Setting::Mute(mute))
    }

    /// Solos a strip, or ends its solo.
    ///
    /// # Errors
    /// `InvalidArgument` for an id of another session, and for a cue and the master.
    pub fn set_solo(&self, strip: impl Into<Selector>, solo: bool) -> Result<()> {
        self.set(strip.into(), Setting::Solo(solo))
    }

    /// Returns the frame that is heard now: what the device has played, less its own delay. Exact to one buffer of the
    /// device.
    #[must_use]
    pub fn position(&self) -> Frames {
        Frames(self.inner.status.position())
    }

    /// Returns the length of the session.
    #[must_use]
    pub fn length(&self) -> Frames {
        Frames(self.inner.status.view().length)
    }

    /// Returns the player's state. A command takes effect a moment after its call; [`wait`](Self::wait) waits for that.
    #[must_use]
    pub fn state(&self) -> State {
        self.inner.status.state()
    }

    /// Returns the error while the state is [`State::Failed`]: kind `Device` for the device, with advice; for a stem, the
    /// kinds of a bounce.
    #[must_use]
    pub fn fault(&self) -> Option<Error> {
        self.inner.status.fault()
    }

    /// Returns the warnings about stems so far, at most one for each track:
    /// [`WarningKind::Overload`](crate::diagnostics::WarningKind) for a stem above +24 dBFS. Such a stem is faded out and
    /// muted until the next start, seek or stop, while the others play on.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        self.inner.status.warnings()
    }

    /// Returns a channel of what happens from now on, as it is heard, within a few milliseconds. Dropping the receiver ends it;
    /// it is disconnected after the last handle is dropped.
    ///
    /// ```
    /// use soundtrack::{Event, Frames, Layout, Marker, PlayerBuilder, SampleRate, Session, Spec, Track, media::Memory};
    /// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
    /// let mut mix = Session::new(spec.rate, spec.layout);
    /// mix.add_track(Track::new("click", Memory::new(spec, vec![vec![0.5; 4800]])?));
    /// mix.markers.push(Marker { at: Frames(2400), name: "chorus".into() });
    /// let player = PlayerBuilder::new().paused(true).null(&mix)?;
    /// let events = player.events();
    /// player.play();
    /// let chorus = Event::Marker { at: Frames(2400), name: "chorus".into() };
    /// assert_eq!(events.iter().take(2).collect::<Vec<_>>(), [chorus, Event::Ended]);
    /// # Ok::<(), soundtrack::Error>(())
    /// ```
    #[must_use]
    pub fn events(&self) -> Receiver<Event> {
        self.inner.status.subscribe()
    }

    /// Waits until all earlier commands are executed and playback has ended, paused or failed, or until `timeout` has
    /// passed. Returns the state then.
    pub fn wait(&self, timeout: Duration) -> State {
        self.inner.status.wait(timeout)
    }

    /// Returns the underruns since the player was made: sound that came too late for the device.
    #[must_use]
    pub fn underruns(&self) -> Underruns {
        self.inner.status.underruns()
    }

    /// Returns the meters of all strips. They lead what is heard by the time rendered ahead.
    #[cfg(feature = "meters")]
    #[must_use]
    pub fn levels(&self) -> Levels {
        let view = self.inner.status.view();
        let level = |node: &usize| match view.displays.get(*node) {
            Some(display) => display.read(),
            None => LevelDisplay::default().read(),
        };
        let louder = |a: Level, b: Level| Level {
            peak: Dbfs(a.peak.0.max(b.peak.0)),
            rms: Dbfs(a.rms.0.max(b.rms.0)),
            held_peak: Dbfs(a.held_peak.0.max(b.held_peak.0)),
            reduction: Decibels(a.reduction.0.max(b.reduction.0)),
        };
        let silence = LevelDisplay::default().read();
        let of_placements = |nodes: &Vec<usize>| nodes.iter().map(level).fold(silence, louder);
        let cues = view.nodes.cues.iter();
        Levels {
            tracks: view.nodes.tracks.iter().map(level).collect(),
            buses: view.nodes.buses.iter().map(level).collect(),
            cues: cues
                .map(|tracks| tracks.iter().map(of_placements).collect())
                .collect(),
            master: level(&view.nodes.master),
        }
    }

    /// Forgets the largest samples that the meters hold, in [`Level::held_peak`].
    #[cfg(feature = "meters")]
    pub fn clear_peaks(&self) {
        let view = self.inner.status.view();
        view.displays.iter().for_each(LevelDisplay::clear);
    }

    /// Returns the loudness of what was played since the start, the last [`stop`](Self::stop), the end or
    /// [`measure`](Self::measure), across pauses, loops and seeks.
    #[must_use]
    pub fn loudness(&self) -> LoudnessSoFar {
        self.inner.status.loudness.read()
    }

    /// Restarts the loudness measurement.
    pub fn measure(&self) {
        self.send(Command::Measure);
    }

    /// Continues playback on another output device: one by its name or id, or the default.
    #[cfg(feature = "device")]
    pub fn move_to(&self, device: Option<&str>) {
        self.send(Command::MoveTo(Box::new(device::DeviceBackend::new(
            device,
            self.inner.latency,
        ))));
    }
}

/// Limits a gain to that of a fader.
fn fader(gain: Decibels) -> Result<Decibels> {
    if gain.0.is_nan() {
        let what = "the gain is not a number";
        return Err(Error::new(ErrorKind::InvalidArgument, what));
    }
    Ok(if gain > MAX_FADER { MAX_FADER } else { gain })
}

impl fmt::Debug for Player {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Player({:?} at {})", self.state(), self.position())
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.quit.store(true, Ordering::Release);
        // Both fail if the playback thread has ended already; a thread that hangs in a device is abandoned.
        let _ = self.commands.send(Command::Quit);
        let done = locked(&self.done);
        let _ = match self.shutdown_timeout {
            Some(timeout) => done.recv_timeout(timeout).is_ok(),
            None => done.recv().is_ok(),
        };
    }
}
