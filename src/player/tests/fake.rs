//! A simulated device without a clock: the test requests frames when it wants, in buffers of any size.
//!
//! On a busy machine the test's thread may pause for longer than a real device ever does. So this device counts as lost only
//! after [`CALL_TIMEOUT`], unless the test is about devices that stop calling.

use crate::{
    ErrorKind, Layout, Player, PlayerBuilder, Session, State,
    error::{Error, Result},
    layout::Spec,
    player::{
        backend::{self, Backend, Connect},
        callback::{Callback, DeviceSample},
        stream_stats::StreamStats,
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

/// Longest time between two calls before it counts as lost: longer than any test waits.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);

#[derive(Default)]
pub struct Slot {
    open: Mutex<Option<(Callback, Arc<StreamStats>)>>,
    /// Number of times it was opened.
    pub opened: AtomicUsize,
    /// Its rate and layout; `None` for those that are wanted.
    pub spec: Mutex<Option<Spec>>,
    /// Opening fails.
    pub refuses: Mutex<bool>,
    /// Time that closing takes.
    pub hangs: Mutex<Duration>,
    /// The timeout of a real device applies.
    impatient: AtomicBool,
}

#[derive(Clone, Default)]
pub struct Fake(pub Arc<Slot>);

/// Closes the device when it is dropped.
struct OpenDevice(Arc<Slot>, Arc<StreamStats>);

impl Drop for OpenDevice {
    fn drop(&mut self) {
        thread::sleep(*self.0.hangs.lock().unwrap());
        // Leaves a device alone that was opened in the meantime.
        self.0
            .open
            .lock()
            .unwrap()
            .take_if(|(_, stats)| Arc::ptr_eq(stats, &self.1));
    }
}

impl Backend for Fake {
    fn open(&mut self, wanted: Spec, connect: Connect<'_>) -> Result<Box<dyn Send>> {
        if *self.0.refuses.lock().unwrap() {
            return Err(Error::new(
                ErrorKind::Device,
                "the fake device is busy: close the other program",
            ));
        }
        let (callback, stats) = connect(self.0.spec.lock().unwrap().unwrap_or(wanted));
        let open = OpenDevice(Arc::clone(&self.0), Arc::clone(&stats));
        *self.0.open.lock().unwrap() = Some((callback, stats));
        self.0.opened.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(open))
    }

    fn name(&self) -> String {
        "the fake device".to_owned()
    }

    fn timeout(&self) -> Option<Duration> {
        Some(if self.0.impatient.load(Ordering::SeqCst) {
            backend::CALL_TIMEOUT
        } else {
            CALL_TIMEOUT
        })
    }
}

impl Fake {
    pub fn play(&self, builder: &PlayerBuilder, session: &Session) -> Player {
        builder.start(session, Box::new(self.clone())).unwrap()
    }

    /// Applies the timeout of a real device from now on.
    pub fn be_impatient(&self) {
        self.0.impatient.store(true, Ordering::SeqCst);
    }

    /// Applies no timeout that a test could reach, from now on.
    pub fn be_patient(&self) {
        self.0.impatient.store(false, Ordering::SeqCst);
    }

    /// Calls `run` with the open device; `None` if it is closed.
    pub fn with<T>(&self, run: impl FnOnce(&mut Callback, &Arc<StreamStats>) -> T) -> Option<T> {
        self.0
            .open
            .lock()
            .unwrap()
            .as_mut()
            .map(|(callback, stats)| run(callback, stats))
    }

    pub fn stats(&self) -> Arc<StreamStats> {
        self.with(|_, stats| Arc::clone(stats)).expect("open")
    }

    /// Requests frames, whether they are available or not.
    pub fn pull<S: DeviceSample + Default>(&self, frames: usize, channels: usize) -> Vec<S> {
        let mut out = vec![S::default(); frames * channels];
        self.with(|callback, _| callback.serve(&mut out, 0))
            .expect("open");
        out
    }

    /// Requests the available frames, at most `frames`; exactly `frames` of silence where nothing is planned.
    pub fn ask(&self, frames: usize, channels: usize) -> Vec<f64> {
        self.ask_until_closed(frames, channels).expect("open")
    }

    /// Does the same as [`ask`](Self::ask); `None` once the device is closed.
    pub fn ask_until_closed(&self, frames: usize, channels: usize) -> Option<Vec<f64>> {
        self.with(|callback, stats| {
            stats.record_request(0);
            let silence = stats.play_until() == stats.consumed();
            let available = if silence {
                frames
            } else {
                frames.min(callback.available() as usize)
            };
            let mut out = vec![0.0; available * channels];
            callback.serve(&mut out, 0);
            out
        })
    }

    /// Waits until this many frames are available.
    pub fn until(&self, frames: u64) {
        let start = Instant::now();
        while self.with(|callback, _| callback.available()).expect("open") < frames {
            assert!(start.elapsed() < Duration::from_secs(20), "no sound comes");
            // A device calls all the time.
            self.stats().record_request(0);
            thread::sleep(Duration::from_micros(200));
        }
    }

    /// Returns the next frames, planar. Requests them in buffers of these sizes, in turn, and waits for each to be available.
    pub fn take(&self, frames: usize, layout: Layout, pieces: &[usize]) -> Vec<Vec<f64>> {
        let channels = layout.channels();
        let mut out = vec![Vec::new(); channels];
        if self.stats().calls() == 0 {
            // The first request, before any frame is available, shows the player the device's buffer size.
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

    /// Requests frames until playback ends.
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

/// Measures how long the machine delays threads that could run, to extend time limits on a busy machine.
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
                lost.fetch_add(
                    start.elapsed().saturating_sub(usual).as_micros() as u64,
                    Ordering::AcqRel,
                );
            }
        });
        Self(lost)
    }

    /// Returns a time limit plus the delays so far.
    pub fn within(&self, limit: Duration) -> Duration {
        limit + Duration::from_micros(self.0.load(Ordering::Acquire))
    }
}

/// Sets a flag when it is dropped, also by a failed assertion: a thread scope waits for its threads, which would otherwise
/// wait for the test.
pub struct SetOnDrop<'a>(pub &'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Waits until a condition holds, at most `most`, and returns how long that took.
pub fn soon(most: Duration, mut condition: impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < most, "not within {most:?}");
        thread::sleep(Duration::from_millis(1));
    }
    start.elapsed()
}
