//! A device with a clock of its own: the test asks for sound when and in the pieces it likes.
//!
//! A busy machine may keep the thread of a test from asking for longer than a real device ever waits, so this one counts
//! as lost only after [`PATIENCE`], unless the test is about devices that stop asking.

use crate::{
    ErrorKind, Layout, Play, Player, Session, State,
    error::{Error, Result},
    layout::Spec,
    player::{
        backend::{self, Backend, Connect},
        callback::{Callback, Word},
        stream_stats::Line,
    },
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// How long it may not ask before it counts as lost: longer than any test waits.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Default)]
pub struct Slot {
    open: Mutex<Option<(Callback, Arc<Line>)>>,
    /// How often it was opened.
    pub opened: AtomicUsize,
    /// What it turns out to be; what is wanted without.
    pub spec: Mutex<Option<Spec>>,
    /// Refuses to open.
    pub refuses: Mutex<bool>,
    /// How long it takes to close.
    pub hangs: Mutex<Duration>,
    /// Whether it counts as lost as soon as a real device.
    impatient: AtomicBool,
}

#[derive(Clone, Default)]
pub struct Fake(pub Arc<Slot>);

struct Guard(Arc<Slot>, Arc<Line>);

impl Drop for Guard {
    fn drop(&mut self) {
        thread::sleep(*self.0.hangs.lock().unwrap());
        // Not what was opened after it.
        self.0.open.lock().unwrap().take_if(|(_, line)| Arc::ptr_eq(line, &self.1));
    }
}

impl Backend for Fake {
    fn open(&mut self, wanted: Spec, connect: Connect<'_>) -> Result<Box<dyn Send>> {
        if *self.0.refuses.lock().unwrap() {
            return Err(Error::new(ErrorKind::Device, "the fake device is busy: close the other program"));
        }
        let (callback, line) = connect(self.0.spec.lock().unwrap().unwrap_or(wanted));
        let guard = Guard(Arc::clone(&self.0), Arc::clone(&line));
        *self.0.open.lock().unwrap() = Some((callback, line));
        self.0.opened.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(guard))
    }

    fn name(&self) -> String {
        "the fake device".to_owned()
    }

    fn patience(&self) -> Option<Duration> {
        Some(if self.0.impatient.load(Ordering::SeqCst) { backend::PATIENCE } else { PATIENCE })
    }
}

impl Fake {
    pub fn play(&self, play: &Play, session: &Session) -> Player {
        play.on(session, Box::new(self.clone())).unwrap()
    }

    /// From now on it counts as lost as soon as a real device.
    pub fn be_impatient(&self) {
        self.0.impatient.store(true, Ordering::SeqCst);
    }

    /// From now on it may be silent for as long as the test likes.
    pub fn be_patient(&self) {
        self.0.impatient.store(false, Ordering::SeqCst);
    }

    /// Runs with the open device.
    pub fn with<T>(&self, run: impl FnOnce(&mut Callback, &Arc<Line>) -> T) -> Option<T> {
        self.0.open.lock().unwrap().as_mut().map(|(callback, line)| run(callback, line))
    }

    pub fn line(&self) -> Arc<Line> {
        self.with(|_, line| Arc::clone(line)).expect("open")
    }

    /// Asks for frames at once, whether they are there or not.
    pub fn pull<W: Word + Default>(&self, frames: usize, channels: usize) -> Vec<W> {
        let mut out = vec![W::default(); frames * channels];
        self.with(|callback, _| callback.serve(&mut out, 0)).expect("open");
        out
    }

    /// Asks as a patient device would: for what is there, at most so many frames; for silence where silence is meant.
    pub fn ask(&self, frames: usize, channels: usize) -> Vec<f64> {
        self.ask_until_closed(frames, channels).expect("open")
    }

    /// The same, or `None` once the device is closed.
    pub fn ask_until_closed(&self, frames: usize, channels: usize) -> Option<Vec<f64>> {
        self.with(|callback, line| {
            line.asked(0);
            let meant = line.granted() == line.taken();
            let there = if meant { frames } else { frames.min(callback.available() as usize) };
            let mut out = vec![0.0; there * channels];
            callback.serve(&mut out, 0);
            out
        })
    }

    /// Waits until so many frames can be had.
    pub fn until(&self, frames: u64) {
        let start = Instant::now();
        while self.with(|callback, _| callback.available()).expect("open") < frames {
            assert!(start.elapsed() < Duration::from_secs(20), "no sound comes");
            // A device asks all the time.
            self.line().asked(0);
            thread::sleep(Duration::from_micros(200));
        }
    }

    /// The next frames, planar, asked for in pieces that never run dry; piece sizes repeat.
    pub fn take(&self, frames: usize, layout: Layout, pieces: &[usize]) -> Vec<Vec<f64>> {
        let channels = layout.channels();
        let mut out = vec![Vec::new(); channels];
        if self.line().calls() == 0 {
            // What it asks for before there is sound tells the player how large its bites are.
            self.pull::<f64>(pieces.iter().copied().max().unwrap_or(0), channels);
        }
        for piece in pieces.iter().cycle() {
            let n = (*piece).min(frames - out[0].len());
            self.until(n as u64);
            for (i, x) in self.pull::<f64>(n, channels).into_iter().enumerate() {
                out[i % channels].push(x);
            }
            if out[0].len() == frames {
                return out;
            }
        }
        unreachable!("pieces repeat");
    }

    /// Goes on asking until nothing plays any more.
    pub fn finish(&self, player: &Player, channels: usize) -> State {
        let start = Instant::now();
        while player.state() == State::Playing {
            assert!(start.elapsed() < Duration::from_secs(20), "it never ends");
            self.ask(32, channels);
            thread::sleep(Duration::from_micros(200));
        }
        player.state()
    }
}

/// Watches how long the machine keeps threads waiting that could run: limits of time mean that much more on a busy one.
pub struct Busy(Arc<AtomicU64>);

impl Busy {
    pub fn watch() -> Self {
        let lost = Arc::new(AtomicU64::new(0));
        let watched = Arc::downgrade(&lost);
        thread::spawn(move || {
            let (asked, usual) = (Duration::from_millis(1), Duration::from_millis(2));
            while let Some(lost) = watched.upgrade() {
                let start = Instant::now();
                thread::sleep(asked);
                lost.fetch_add(start.elapsed().saturating_sub(usual).as_micros() as u64, Ordering::AcqRel);
            }
        });
        Self(lost)
    }

    /// A limit on this machine, as busy as it was.
    pub fn within(&self, limit: Duration) -> Duration {
        limit + Duration::from_micros(self.0.load(Ordering::Acquire))
    }
}

/// Says that a test is over when it is dropped, also by a failed assertion: a scope waits for its threads, which would
/// otherwise wait for the test.
pub struct Over<'a>(pub &'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Waits until something is so, at most so long.
pub fn soon(most: Duration, mut so: impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < most, "not within {most:?}");
        thread::sleep(Duration::from_millis(1));
    }
    start.elapsed()
}
