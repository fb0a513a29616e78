//! A device that is open, and what was handed over to it.

use super::{
    backend::Backend,
    callback::Callback,
    device_converter::{Outlet, Shared, lock},
    mix::BLOCK,
    ring::{Filler, ring},
    status::Status,
    stream_stats::Line,
};
use crate::{
    error::{Error, ErrorKind, Result},
    layout::Spec,
    units::Frames,
};
use std::{
    sync::{Arc, atomic::AtomicBool, mpsc::sync_channel},
    thread,
    time::{Duration, Instant},
};

/// Of the time between two looks no more counts as silence of the device: the rest the machine slept.
const LONGEST_LOOK: Duration = Duration::from_millis(100);
/// The fewest frames that the ring has room for.
const RING: u64 = 1 << 18;
/// How often it is looked whether everything was heard.
const POLL: Duration = Duration::from_millis(2);
/// How long the last frames may take to be heard.
const DRAINING: Duration = Duration::from_millis(300);

/// A device that is open.
pub(super) struct Device {
    pub running: Box<dyn Send>,
    filler: Filler,
    pub line: Arc<Line>,
    pub outlet: Outlet,
    pub spec: Spec,
    capacity: u64,
    /// Frames handed over.
    pub pushed: u64,
    /// `pushed` at the last start.
    pub base: u64,
    /// Samples that wait to be handed over.
    pub staged: Vec<f64>,
    /// The last frame handed over since the start.
    pub last: Vec<f64>,
    calls: u64,
    last_look: Instant,
    silent: Duration,
}

impl Device {
    /// Opens what the backend has.
    ///
    /// # Errors
    /// `Device`, with what to do.
    pub(super) fn open(
        backend: &mut dyn Backend,
        mix: &Shared,
        quit: &Arc<AtomicBool>,
        latency: Duration,
    ) -> Result<Self> {
        let wanted = lock(mix).spec();
        let mut made = None;
        let mut connect = |spec: Spec| {
            let channels = spec.layout.channels().max(1);
            let frames = Frames::from_duration(latency, spec.rate).0.saturating_mul(2).max(RING);
            let samples = usize::try_from(frames).unwrap_or(usize::MAX / channels / 8) * channels;
            let (filler, drain) = ring(samples);
            let line = Arc::new(Line::default());
            made = Some((filler, Arc::clone(&line), spec, frames));
            (Callback::new(drain, Arc::clone(&line), channels), line)
        };
        let running = backend.open(wanted, &mut connect)?;
        let Some((filler, line, spec, capacity)) = made else {
            return Err(Error::new(ErrorKind::Device, format!("{} did not start", backend.name())));
        };
        let outlet = Outlet::new(mix, spec, quit)?;
        Ok(Self {
            running,
            filler,
            line,
            outlet,
            spec,
            capacity,
            pushed: 0,
            base: 0,
            staged: Vec::new(),
            last: Vec::new(),
            calls: 0,
            last_look: Instant::now(),
            silent: Duration::ZERO,
        })
    }

    fn channels(&self) -> usize {
        self.spec.layout.channels().max(1)
    }

    pub(super) fn staged_frames(&self) -> u64 {
        (self.staged.len() / self.channels()) as u64
    }

    /// How many frames the ring should hold: the latency asked for, and enough for the device's largest bite.
    pub(super) fn target(&self, latency: Duration) -> u64 {
        let asked = Frames::from_duration(latency, self.spec.rate).0;
        let bites = self.line.largest().saturating_mul(2).saturating_add(BLOCK as u64);
        asked.max(bites).min(self.capacity.saturating_sub(2 * BLOCK as u64))
    }

    /// Renders until so many frames wait; whether that was the end.
    pub(super) fn collect(&mut self, frames: u64) -> Result<bool> {
        while self.staged_frames() < frames && self.outlet.ready()? {
            if self.outlet.read(&mut self.staged)? == 0 {
                return Ok(true);
            }
        }
        Ok(self.outlet.is_over())
    }

    /// Hands over what waits.
    pub(super) fn push(&mut self) {
        let channels = self.channels();
        let fits = self.filler.room().min(self.staged.len());
        let fits = fits - fits % channels;
        if let Some(now) = self.staged.get(..fits) {
            self.filler.push(now);
            if let Some(frame) = now.chunks_exact(channels).next_back() {
                self.last.clear();
                self.last.extend_from_slice(frame);
            }
            self.pushed += (fits / channels) as u64;
            self.staged.drain(..fits);
        }
    }

    /// Lets the last frame die away in 8 ms, where what should fade out is late.
    pub(super) fn die_away(&mut self) {
        let last = self.staged.chunks_exact(self.channels()).next_back().map_or(self.last.clone(), <[f64]>::to_vec);
        let frames = (self.spec.rate.hz() / 125).max(1);
        for n in 1..=frames {
            let gain = 1.0 - f64::from(n) / f64::from(frames);
            self.staged.extend(last.iter().map(|x| x * gain));
        }
    }

    /// Hands over what waits as the last before a silence that is meant. It has room: the ring is larger than the target.
    pub(super) fn end(&mut self) {
        self.line.grant(self.pushed + self.staged_frames());
        self.push();
    }

    /// Tells where the timeline jumps in what was rendered.
    pub(super) fn tell_jumps(&self, mix: &Shared, status: &Status) {
        for (frame, at) in lock(mix).jumps() {
            status.jump(self.base + self.outlet.to_device(frame), at);
        }
    }

    /// Whether it has not called for longer than the limit.
    pub(super) fn is_silent(&mut self, limit: Duration) -> bool {
        let (now, calls) = (Instant::now(), self.line.calls());
        let passed = now.saturating_duration_since(self.last_look).min(LONGEST_LOOK);
        self.silent = if calls == self.calls { self.silent.saturating_add(passed) } else { Duration::ZERO };
        (self.last_look, self.calls) = (now, calls);
        self.silent > limit
    }

    /// Waits until the last frame was heard; not long, should the device not play any more.
    pub(super) fn drain(&self) {
        let deadline = Instant::now() + DRAINING;
        while self.line.heard() < self.pushed && self.line.trouble().is_none() && Instant::now() < deadline {
            thread::sleep(POLL);
        }
    }
}

/// Closes a device on a thread of its own, and waits for it only so long: some hang when they are gone.
pub(super) fn close(running: Box<dyn Send>, patience: Duration) {
    let (tell, told) = sync_channel(1);
    let spawned = thread::Builder::new().name("soundtrack-close".to_owned()).spawn(move || {
        drop(running);
        // Nobody waits any more where it took too long.
        let _ = tell.send(());
    });
    if spawned.is_ok() && !patience.is_zero() {
        let _ = told.recv_timeout(patience.min(Duration::from_secs(3600)));
    }
}
