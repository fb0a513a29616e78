//! The engine: one thread that does what the handles ask, renders a little ahead of the device, and watches it.
//!
//! It is the loop of a bounce with another sink: apply waiting commands, render a block, stop at 0 frames, hand it over.

use super::{
    backend::Backend,
    device_converter::{Shared, lock},
    device_stream::{Device, close},
    live_mixer::{Setting, StripId},
    status::{State, Status},
    stream_stats::Trouble,
};
use crate::error::{Error, ErrorKind, Result};
use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::Duration,
};

/// What a handle asks for.
pub(super) enum Command {
    Play,
    Pause,
    Stop,
    Seek(u64),
    Loop(Option<Range<u64>>),
    Set(StripId, Setting),
    /// Plays on something else from now on.
    #[cfg_attr(
        not(any(test, feature = "device")),
        expect(dead_code, reason = "there is one device of each other kind")
    )]
    MoveTo(Box<dyn Backend>),
    /// Measures loudness from here on.
    Measure,
    Quit,
}

/// How often the engine looks after a ring that is full.
const POLL: Duration = Duration::from_millis(2);
/// The same while nothing plays.
const IDLE: Duration = Duration::from_millis(50);
/// A device that fails before anything is heard is opened again, at most so often.
const AGAIN: u8 = 3;
/// A device that is being closed may take so long; then it is left to itself.
const PATIENCE: Duration = Duration::from_secs(1);
/// A device that has called so few times is still starting, which may take longer: the sound server wakes it up.
const FIRST_CALLS: u64 = 8;
/// How long that may take.
const WAKING: Duration = Duration::from_secs(3);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing is to be heard.
    Idle,
    /// What is heard first is being collected.
    Starting,
    Running,
    /// Everything was handed over, and is not heard yet.
    Ending,
}

pub(super) struct Engine {
    pub mix: Shared,
    pub backend: Box<dyn Backend>,
    pub commands: Receiver<Command>,
    pub status: Arc<Status>,
    pub quit: Arc<AtomicBool>,
    pub latency: Duration,
    pub device: Option<Device>,
    phase: Phase,
    /// How often a device that failed before anything was heard was opened again.
    again: u8,
}

impl Engine {
    pub(super) fn new(
        mix: Shared,
        backend: Box<dyn Backend>,
        commands: Receiver<Command>,
        status: Arc<Status>,
        quit: Arc<AtomicBool>,
        latency: Duration,
    ) -> Self {
        Self { mix, backend, commands, status, quit, latency, device: None, phase: Phase::Idle, again: 0 }
    }

    /// Opens the device.
    ///
    /// # Errors
    /// `Device`, with what to do.
    pub(super) fn open(&mut self) -> Result<()> {
        let device = Device::open(self.backend.as_mut(), &self.mix, &self.quit, self.latency)?;
        self.status.opened(&device.line, device.spec.rate);
        self.device = Some(device);
        Ok(())
    }

    /// Runs until the last handle is gone.
    pub(super) fn run(mut self) {
        loop {
            let wait = if self.phase == Phase::Idle { IDLE } else { POLL };
            match self.commands.recv_timeout(wait) {
                Ok(Command::Quit) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(command) => self.obey(command),
                Err(RecvTimeoutError::Timeout) => {}
            }
            let mut quit = false;
            while let Ok(command) = self.commands.try_recv() {
                quit |= matches!(command, Command::Quit);
                self.obey(command);
            }
            if quit {
                break;
            }
            self.watch();
            if let Err(e) = self.work() {
                self.halt(&e);
            }
        }
        self.leave();
    }

    fn obey(&mut self, command: Command) {
        let done = match command {
            Command::Play => self.play(),
            Command::Pause => {
                self.pause();
                Ok(())
            }
            Command::Stop => {
                self.pause();
                lock(&self.mix).forget();
                self.go(0)
            }
            Command::Seek(to) => self.go(to),
            Command::Loop(round) => {
                lock(&self.mix).set_loop(round);
                Ok(())
            }
            Command::Set(id, setting) => {
                lock(&self.mix).set(id, setting);
                Ok(())
            }
            Command::MoveTo(backend) => self.move_to(backend),
            Command::Measure => {
                lock(&self.mix).forget();
                Ok(())
            }
            Command::Quit => Ok(()),
        };
        if let Err(e) = done {
            self.halt(&e);
        }
        self.status.obeyed();
    }

    fn play(&mut self) -> Result<()> {
        if matches!(self.phase, Phase::Running | Phase::Starting) {
            return Ok(());
        }
        self.again = 0;
        let mut mix = lock(&self.mix);
        let at = mix.position();
        if at >= mix.length() {
            mix.seek(0);
            mix.forget();
        } else if self.status.state() == State::Failed {
            // Errors of stems are forgotten, and met again if they are still there.
            mix.seek(at);
        }
        drop(mix);
        if self.device.is_none() {
            self.open()?;
        }
        self.start()
    }

    /// Starts from where the mix is.
    fn start(&mut self) -> Result<()> {
        let Some(device) = &mut self.device else { return Ok(()) };
        let mut mix = lock(&self.mix);
        mix.begin();
        let at = mix.position();
        drop(mix);
        device.outlet.restart()?;
        device.staged.clear();
        device.last.clear();
        device.base = device.pushed;
        self.status.park(at);
        self.status.set(State::Playing);
        self.phase = Phase::Starting;
        Ok(())
    }

    fn pause(&mut self) {
        let at = if matches!(self.phase, Phase::Ending) { self.status.position() } else { u64::MAX };
        self.cut();
        let mut mix = lock(&self.mix);
        if at != u64::MAX {
            mix.seek(at);
        }
        let at = mix.position();
        drop(mix);
        self.status.park(at);
        if self.status.state() == State::Playing {
            self.status.set(State::Paused);
        }
    }

    fn go(&mut self, to: u64) -> Result<()> {
        let playing = self.phase != Phase::Idle;
        self.cut();
        let mut mix = lock(&self.mix);
        mix.seek(to);
        self.status.park(mix.position());
        drop(mix);
        if playing {
            return self.start();
        }
        if self.status.state() == State::Ended {
            self.status.set(State::Paused);
        }
        Ok(())
    }

    /// Fades out what plays; from then on silence is meant.
    fn cut(&mut self) {
        if let (Phase::Running, Some(device)) = (self.phase, &mut self.device) {
            lock(&self.mix).leave();
            // Where a stem is late or broken there is nothing to fade but the last frame.
            while device.outlet.ready().unwrap_or(false) && device.outlet.read(&mut device.staged).unwrap_or(0) > 0 {}
            if !lock(&self.mix).is_over() {
                device.die_away();
            }
            device.end();
        }
        if let Some(device) = &mut self.device {
            device.staged.clear();
        }
        self.phase = Phase::Idle;
    }

    /// Renders ahead, up to the target.
    fn work(&mut self) -> Result<()> {
        let Some(device) = &mut self.device else { return Ok(()) };
        let target = device.target(self.latency);
        device.line.aim(target);
        match self.phase {
            Phase::Idle => {}
            Phase::Starting => {
                let over = device.collect(target)?;
                let enough = device.staged_frames() >= target;
                if (over || enough) && device.line.calls() > 0 {
                    let at = device.base;
                    let begin = self.status.position();
                    self.status.start(at, begin);
                    self.phase = if over { Phase::Ending } else { Phase::Running };
                    device.tell_jumps(&self.mix, &self.status);
                    if over {
                        device.end()
                    } else {
                        device.push()
                    }
                    if !over {
                        device.line.grant(u64::MAX);
                    }
                }
            }
            Phase::Running => {
                let filled = device.pushed.saturating_sub(device.line.taken());
                let over = device.collect(target.saturating_sub(filled))?;
                device.tell_jumps(&self.mix, &self.status);
                if over {
                    device.end();
                    self.phase = Phase::Ending;
                } else {
                    device.push();
                }
            }
            Phase::Ending => {
                if device.line.heard() >= device.pushed {
                    self.phase = Phase::Idle;
                    self.status.park(lock(&self.mix).position());
                    self.status.set(State::Ended);
                }
            }
        }
        Ok(())
    }

    /// Looks whether the device still plays.
    fn watch(&mut self) {
        let Some(device) = &mut self.device else { return };
        let mut trouble = device.line.trouble();
        if let Some(limit) = self.backend.patience().filter(|_| self.phase != Phase::Idle) {
            let period = Duration::from_secs(1) * u32::try_from(device.line.largest()).unwrap_or(u32::MAX)
                / device.spec.rate.hz();
            let limit = if device.line.calls() <= FIRST_CALLS { limit.max(WAKING) } else { limit };
            if device.is_silent(limit.max(period.saturating_mul(3))) {
                trouble = trouble.or(Some(Trouble::Silent));
            }
        } else {
            device.is_silent(Duration::MAX);
        }
        if let Some(trouble) = trouble {
            // Sound servers lose a stream now and then while they set it up.
            if trouble == Trouble::Failed && device.line.heard() == 0 && self.again < AGAIN {
                self.again += 1;
                if self.reopen().is_ok() {
                    return;
                }
            }
            let what = || Error::new(ErrorKind::Device, format!("{} {}", self.backend.name(), trouble.what()));
            let error = self.backend.failure().unwrap_or_else(what);
            self.lose(&error);
        }
    }

    /// Opens a device anew that nothing was heard of.
    fn reopen(&mut self) -> Result<()> {
        let played = self.let_go();
        self.open()?;
        if played { self.start() } else { Ok(()) }
    }

    /// The device is lost: the position is kept.
    fn lose(&mut self, error: &Error) {
        self.let_go();
        self.status.fail(error);
    }

    /// Leaves the device to itself, at the position that is heard; whether it played.
    fn let_go(&mut self) -> bool {
        let playing = self.phase != Phase::Idle;
        self.phase = Phase::Idle;
        let at = self.status.position();
        if let Some(device) = self.device.take() {
            close(device.running, Duration::ZERO);
        }
        if playing {
            lock(&self.mix).seek(at);
            self.status.park(at);
        }
        playing
    }

    /// A stem or the device failed while it was asked for something.
    fn halt(&mut self, error: &Error) {
        let at = self.status.position();
        if self.phase == Phase::Running {
            self.device.iter_mut().for_each(Device::end);
        }
        self.phase = Phase::Idle;
        self.status.park(at);
        self.status.fail(error);
    }

    /// Goes on with another device.
    fn move_to(&mut self, backend: Box<dyn Backend>) -> Result<()> {
        let playing = self.phase != Phase::Idle || self.status.state() == State::Failed;
        let heard = self.phase == Phase::Idle || self.phase == Phase::Ending;
        let mut at = self.status.position();
        self.cut();
        if !heard {
            // It goes on where the fade ended.
            at = lock(&self.mix).position();
        }
        if let Some(device) = self.device.take() {
            device.drain();
            close(device.running, PATIENCE);
        }
        self.backend = backend;
        lock(&self.mix).seek(at);
        self.status.park(at);
        self.open()?;
        if playing { self.start() } else { Ok(()) }
    }

    /// The last handle is gone: fades out, lets it be heard, closes.
    fn leave(&mut self) {
        self.cut();
        if let Some(device) = self.device.take() {
            device.drain();
            close(device.running, self.backend.patience().map_or(Duration::MAX, |_| PATIENCE));
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.quit.store(true, Ordering::Release);
    }
}
