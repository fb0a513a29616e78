//! The playback thread: executes commands, renders ahead of the device, and notices when the device fails.
//!
//! Its loop is that of a bounce with another sink: execute the waiting commands, render until the ring holds the latency,
//! end when the mix ends.

use super::{
    backend::Backend,
    device_converter::SharedRenderer,
    device_stream::DeviceStream,
    live_mixer::Setting,
    status::{State, Status},
    stream_stats::DeviceFault,
};
use crate::{
    error::{Error, ErrorKind, Result},
    session::PartName,
    sync::locked,
};
use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::Duration,
};

/// A request of a handle.
pub(super) enum Command {
    Play,
    Pause,
    Stop,
    Seek(u64),
    SetLoop(Option<Range<u64>>),
    SetSpeed(f64),
    Set(PartName, Setting),
    /// Continues playback on another backend.
    #[cfg_attr(
        not(any(test, feature = "device")),
        expect(
            dead_code,
            reason = "without devices there is one backend of each kind"
        )
    )]
    MoveTo(Box<dyn Backend>),
    /// Restarts the loudness measurement.
    Measure,
    Quit,
}

/// Shortest and longest interval at which to refill the ring and check the device during playback.
const POLL_INTERVALS: [Duration; 2] = [Duration::from_micros(250), Duration::from_millis(2)];
/// Interval at which to check the device while nothing plays.
const IDLE_INTERVAL: Duration = Duration::from_millis(50);
/// Number of times that a device which fails before anything was heard is opened again.
const MAX_REOPENS: u8 = 3;
/// Longest time that closing a device may take before it is abandoned.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// Calls up to which a device counts as starting: a sound server may have to wake it up first.
const STARTING_CALLS: u64 = 8;
/// Longest silence of a device that is starting or reports passing errors: a sound server on a loaded machine may answer late
/// many times in a row.
const PATIENT_TIMEOUT: Duration = Duration::from_secs(3);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing plays.
    Idle,
    /// The first frames are being rendered and are not in the ring yet.
    Starting,
    Running,
    /// Every frame is in the ring, and some are not heard yet.
    Ending,
}

pub(super) struct PlaybackThread {
    renderer: SharedRenderer,
    backend: Box<dyn Backend>,
    commands: Receiver<Command>,
    status: Arc<Status>,
    /// Interrupts a wait for a stem.
    quit: Arc<AtomicBool>,
    latency: Duration,
    /// Speed of playback.
    speed: f64,
    /// The open device; `None` after a fault.
    stream: Option<DeviceStream>,
    phase: Phase,
    /// Number of times since the last [`Command::Play`] that a device which failed before anything was heard was opened again.
    reopens: u8,
}

impl PlaybackThread {
    pub(super) fn new(
        renderer: SharedRenderer,
        backend: Box<dyn Backend>,
        commands: Receiver<Command>,
        status: Arc<Status>,
        quit: Arc<AtomicBool>,
        latency: Duration,
    ) -> Self {
        Self {
            renderer,
            backend,
            commands,
            status,
            quit,
            latency,
            speed: 1.0,
            stream: None,
            phase: Phase::Idle,
            reopens: 0,
        }
    }

    /// Opens the device.
    ///
    /// # Errors
    /// `Device`, with advice.
    pub(super) fn open_stream(&mut self) -> Result<()> {
        let stream = DeviceStream::open(
            self.backend.as_mut(),
            &self.renderer,
            &self.quit,
            self.latency,
        )?;
        self.status.stream_opened(&stream.stats, stream.spec.rate);
        self.stream = Some(stream);
        Ok(())
    }

    /// Runs until the last handle is dropped.
    pub(super) fn run(mut self) {
        while self.execute_commands() {
            self.check_device();
            if let Err(e) = self.render_ahead() {
                self.fail(&e);
            }
            self.status.report_heard();
        }
        self.shut_down();
    }

    /// Waits for commands, a poll interval at most, and executes all that have come. Returns false on [`Command::Quit`].
    fn execute_commands(&mut self) -> bool {
        let wait = if self.phase == Phase::Idle {
            IDLE_INTERVAL
        } else {
            let [shortest, longest] = POLL_INTERVALS;
            (self.latency / 8).clamp(shortest, longest)
        };
        match self.commands.recv_timeout(wait) {
            Ok(Command::Quit) | Err(RecvTimeoutError::Disconnected) => return false,
            Ok(command) => self.execute(command),
            Err(RecvTimeoutError::Timeout) => {}
        }
        let mut quit = false;
        while let Ok(command) = self.commands.try_recv() {
            quit |= matches!(command, Command::Quit);
            self.execute(command);
        }
        !quit
    }

    fn execute(&mut self, command: Command) {
        let mut result = Ok(());
        match command {
            Command::Play => result = self.play(),
            Command::Pause => self.pause(),
            Command::Stop => {
                self.pause();
                locked(&self.renderer).reset_loudness();
                result = self.seek(0);
            }
            Command::Seek(to) => result = self.seek(to),
            Command::SetLoop(range) => locked(&self.renderer).set_loop(range),
            Command::SetSpeed(speed) => result = self.set_speed(speed),
            Command::Set(part, setting) => locked(&self.renderer).set(&part, &setting),
            Command::MoveTo(backend) => result = self.move_to(backend),
            Command::Measure => locked(&self.renderer).reset_loudness(),
            Command::Quit => {}
        }
        if let Err(e) = result {
            self.fail(&e);
        }
        self.status.command_executed();
    }

    fn play(&mut self) -> Result<()> {
        if matches!(self.phase, Phase::Running | Phase::Starting) {
            return Ok(());
        }
        self.reopens = 0;
        let mut renderer = locked(&self.renderer);
        let at = renderer.position();
        if at >= renderer.length() {
            renderer.seek(0);
            renderer.reset_loudness();
        } else if self.status.state() == State::Failed {
            // Seeking discards errors of stems, so that they are read again.
            renderer.seek(at);
        }
        drop(renderer);
        if self.stream.is_none() {
            self.open_stream()?;
        }
        self.start()
    }

    /// Starts playback from the renderer's position.
    fn start(&mut self) -> Result<()> {
        let Some(stream) = &mut self.stream else {
            return Ok(());
        };
        let mut renderer = locked(&self.renderer);
        renderer.begin();
        let at = renderer.position();
        drop(renderer);
        stream.converter.speed = self.speed;
        stream.restart()?;
        self.status.hold_at(at);
        self.status.set(State::Playing);
        self.phase = Phase::Starting;
        Ok(())
    }

    fn pause(&mut self) {
        // In the last frames the renderer is at the end already; playback resumes from what is heard.
        let resume_at = (self.phase == Phase::Ending).then(|| self.status.position());
        self.fade_out();
        let mut renderer = locked(&self.renderer);
        if let Some(at) = resume_at {
            renderer.seek(at);
        }
        let at = renderer.position();
        drop(renderer);
        self.status.hold_at(at);
        if self.status.state() == State::Playing {
            self.status.set(State::Paused);
        }
    }

    fn seek(&mut self, to: u64) -> Result<()> {
        let playing = self.phase != Phase::Idle;
        self.fade_out();
        let mut renderer = locked(&self.renderer);
        renderer.seek(to);
        self.status.hold_at(renderer.position());
        drop(renderer);
        if playing {
            return self.start();
        }
        if self.status.state() == State::Ended {
            self.status.set(State::Paused);
        }
        Ok(())
    }

    /// Changes the speed: fades out, and continues where the fade ends at the new speed.
    fn set_speed(&mut self, speed: f64) -> Result<()> {
        if speed == self.speed {
            return Ok(());
        }
        self.speed = speed;
        match self.phase {
            Phase::Idle => Ok(()),
            // In the last frames the renderer is at the end already.
            Phase::Ending => self.seek(self.status.position()),
            Phase::Starting | Phase::Running => {
                self.fade_out();
                let at = locked(&self.renderer).position();
                self.seek(at)?;
                self.start()
            }
        }
    }

    /// Fades out, if anything plays, and becomes idle.
    fn fade_out(&mut self) {
        if let (Phase::Running, Some(stream)) = (self.phase, &mut self.stream) {
            locked(&self.renderer).fade_out();
            // An error of a stem counts as not ready: the fade below takes over.
            while stream.converter.ready().unwrap_or(false)
                && stream.converter.read(&mut stream.staged).unwrap_or(0) > 0
            {}
            if !locked(&self.renderer).is_over() {
                stream.stage_fade();
            }
            stream.write_last();
        }
        if let Some(stream) = &mut self.stream {
            stream.staged.clear();
        }
        self.phase = Phase::Idle;
    }

    /// Renders until the ring holds the target, and moves on to the next phase.
    fn render_ahead(&mut self) -> Result<()> {
        let Some(stream) = &mut self.stream else {
            return Ok(());
        };
        let target = stream.target(self.latency);
        stream.stats.set_target(target);
        match self.phase {
            Phase::Idle => {}
            Phase::Starting => {
                let over = stream.render(target)?;
                let enough = over || stream.staged_frames() >= target;
                // The target is known only once the device has called.
                if enough && stream.stats.calls() > 0 {
                    let position = self.status.position();
                    self.status
                        .start(stream.written_at_start, position, self.speed);
                    stream.report_jumps(&self.renderer, &self.status);
                    if over {
                        stream.write_last();
                        self.phase = Phase::Ending;
                    } else {
                        // The ring first: a callback in between would count an underrun.
                        stream.write_staged();
                        stream.stats.set_play_until(u64::MAX);
                        self.phase = Phase::Running;
                    }
                }
            }
            Phase::Running => {
                let queued = stream.written.saturating_sub(stream.stats.consumed());
                let over = stream.render(target.saturating_sub(queued))?;
                stream.report_jumps(&self.renderer, &self.status);
                if over {
                    stream.write_last();
                    self.phase = Phase::Ending;
                } else {
                    stream.write_staged();
                }
            }
            Phase::Ending => {
                if stream.stats.heard() >= stream.written {
                    // The last markers come before the end.
                    self.status.report_heard();
                    self.phase = Phase::Idle;
                    self.status.hold_at(locked(&self.renderer).position());
                    self.status.set(State::Ended);
                }
            }
        }
        Ok(())
    }

    /// Handles a fault of the device, and detects one that no longer calls.
    fn check_device(&mut self) {
        let Some(fault) = self.device_fault() else {
            return;
        };
        let heard = self
            .stream
            .as_ref()
            .map_or(0, |stream| stream.stats.heard());
        // Sound servers sometimes lose a stream while they set it up.
        if fault == DeviceFault::Failed && heard == 0 && self.reopens < MAX_REOPENS {
            self.reopens += 1;
            if self.reopen().is_ok() {
                return;
            }
        }
        let reported = self.stream.as_ref().and_then(|s| s.stats.last_error());
        let message = || {
            let (name, what) = (self.backend.name(), fault.message());
            match reported.filter(|error| error.fault == fault) {
                Some(error) => format!("{name} {what} ({})", error.cause),
                None => format!("{name} {what}"),
            }
        };
        let error = self
            .backend
            .failure()
            .unwrap_or_else(|| Error::new(ErrorKind::Device, message()));
        self.abandon_stream();
        self.status.fail(&error);
    }

    fn device_fault(&mut self) -> Option<DeviceFault> {
        let stream = self.stream.as_mut()?;
        let fault = stream.stats.fault();
        let Some(timeout) = self.backend.timeout().filter(|_| self.phase != Phase::Idle) else {
            // Only restarts the measurement: an idle device need not call.
            stream.is_unresponsive(Duration::MAX);
            return fault;
        };
        // A device with large buffers calls rarely. Requests beyond 2³² frames do not occur.
        let request = u32::try_from(stream.stats.largest_request()).unwrap_or(u32::MAX);
        let period = Duration::from_secs(1) * request / stream.spec.rate.hz();
        let starting = stream.stats.calls() <= STARTING_CALLS;
        let troubled = stream.stats.passing_errors() > 0;
        let timeout = if starting || troubled {
            timeout.max(PATIENT_TIMEOUT)
        } else {
            timeout
        };
        let unresponsive = stream.is_unresponsive(timeout.max(period.saturating_mul(3)));
        // An error that did not pass says more than that the device is silent.
        let silent = || match stream.stats.last_error() {
            Some(error) if troubled => error.fault,
            _ => DeviceFault::Unresponsive,
        };
        fault.or_else(|| unresponsive.then(silent))
    }

    /// Opens the device again, and starts again if it was playing.
    fn reopen(&mut self) -> Result<()> {
        let playing = self.abandon_stream();
        self.open_stream()?;
        if playing { self.start() } else { Ok(()) }
    }

    /// Drops the stream without waiting for its close, and keeps the position that was heard last. Returns whether it was
    /// playing.
    fn abandon_stream(&mut self) -> bool {
        let playing = self.phase != Phase::Idle;
        self.phase = Phase::Idle;
        let at = self.status.position();
        if let Some(stream) = self.stream.take() {
            stream.close(Duration::ZERO);
        }
        if playing {
            locked(&self.renderer).seek(at);
            self.status.hold_at(at);
        }
        playing
    }

    /// Stops after an error of a stem, or of a device that was to be opened.
    fn fail(&mut self, error: &Error) {
        let at = self.status.position();
        if let (Phase::Running, Some(stream)) = (self.phase, &mut self.stream) {
            stream.write_last();
        }
        self.phase = Phase::Idle;
        self.status.hold_at(at);
        self.status.fail(error);
    }

    /// Continues on another backend.
    fn move_to(&mut self, backend: Box<dyn Backend>) -> Result<()> {
        let playing = self.phase != Phase::Idle || self.status.state() == State::Failed;
        let heard = self.status.position();
        // Frames that were rendered ahead are heard on the old device, so playback continues where its fade ends; but in
        // the last frames the renderer is at the end already.
        let continue_after_fade = matches!(self.phase, Phase::Starting | Phase::Running);
        self.fade_out();
        let at = if continue_after_fade {
            locked(&self.renderer).position()
        } else {
            heard
        };
        if let Some(stream) = self.stream.take() {
            stream.drain();
            stream.close(CLOSE_TIMEOUT);
        }
        self.backend = backend;
        locked(&self.renderer).seek(at);
        self.status.hold_at(at);
        self.open_stream()?;
        if playing { self.start() } else { Ok(()) }
    }

    /// Fades out, waits until the fade was heard, and closes the device.
    fn shut_down(&mut self) {
        self.fade_out();
        if let Some(stream) = self.stream.take() {
            stream.drain();
            // A sink may take as long as it needs to finish.
            stream.close(
                self.backend
                    .timeout()
                    .map_or(Duration::MAX, |_| CLOSE_TIMEOUT),
            );
        }
    }
}

impl Drop for PlaybackThread {
    fn drop(&mut self) {
        self.quit.store(true, Ordering::Release);
    }
}
