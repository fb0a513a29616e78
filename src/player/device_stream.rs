//! An open device: its ring, its counters, and the frames on their way to it.

use super::{
    backend::Backend,
    callback::Callback,
    device_converter::{DeviceConverter, SharedRenderer},
    live_renderer::{FADES_PER_SECOND, LARGEST_BLOCK},
    ring::{RingWriter, ring},
    status::Status,
    stream_stats::StreamStats,
};
use crate::{
    error::{Error, ErrorKind, Result},
    layout::Spec,
    sync::locked,
    units::{Frames, saturating_usize},
};
use std::{
    sync::{Arc, atomic::AtomicBool, mpsc::sync_channel},
    thread,
    time::{Duration, Instant},
};

/// The most time between two checks that counts as silence of the device; beyond it the machine was suspended.
const MAX_CHECK_INTERVAL: Duration = Duration::from_millis(100);
/// Smallest capacity of the ring in frames.
const MIN_RING_FRAMES: u64 = 1 << 18;
/// Interval at which to check whether the last frame was heard.
const POLL_INTERVAL: Duration = Duration::from_millis(2);
/// Longest time that the last frames may take to be heard.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(300);
/// Stands for an unlimited wait: `recv_timeout` overflows with longer ones.
const UNLIMITED_WAIT: Duration = Duration::from_secs(3600);

pub(super) struct DeviceStream {
    /// Keeps the device open; dropping it closes the device.
    handle: Box<dyn Send>,
    ring: RingWriter,
    pub stats: Arc<StreamStats>,
    pub converter: DeviceConverter,
    pub spec: Spec,
    /// Capacity of the ring in frames.
    capacity: u64,
    /// Frames written to the ring.
    pub written: u64,
    /// `written` at the last start.
    pub written_at_start: u64,
    /// Converted samples that are not written to the ring yet.
    pub staged: Vec<f64>,
    /// The last frame written since the last start.
    pub last_frame: Vec<f64>,
    /// The number of the device's calls at the last check, the time of that check, and how long the device has been silent.
    checked_calls: u64,
    checked_at: Instant,
    silent_for: Duration,
}

impl DeviceStream {
    /// Opens the backend's device.
    ///
    /// # Errors
    /// `Device`, with advice.
    pub(super) fn open(
        backend: &mut dyn Backend,
        renderer: &SharedRenderer,
        quit: &Arc<AtomicBool>,
        latency: Duration,
    ) -> Result<Self> {
        let wanted = locked(renderer).spec();
        let mut connected = None;
        let mut connect = |spec: Spec| {
            let channels = spec.layout.channels().max(1);
            let capacity = Frames::from_duration(latency, spec.rate)
                .0
                .saturating_mul(2)
                .max(MIN_RING_FRAMES);
            // At most 20 s of audio, so the product does not overflow.
            let samples = saturating_usize(capacity) * channels;
            let (writer, reader) = ring(samples);
            let stats = Arc::new(StreamStats::default());
            connected = Some((writer, Arc::clone(&stats), spec, capacity));
            (Callback::new(reader, Arc::clone(&stats), channels), stats)
        };
        let handle = backend.open(wanted, &mut connect)?;
        let Some((ring, stats, spec, capacity)) = connected else {
            return Err(Error::new(
                ErrorKind::Device,
                format!("{} did not start", backend.name()),
            ));
        };
        let converter = DeviceConverter::new(renderer, spec, quit)?;
        Ok(Self {
            handle,
            ring,
            stats,
            converter,
            spec,
            capacity,
            written: 0,
            written_at_start: 0,
            staged: Vec::new(),
            last_frame: Vec::new(),
            checked_calls: 0,
            checked_at: Instant::now(),
            silent_for: Duration::ZERO,
        })
    }

    fn channels(&self) -> usize {
        self.spec.layout.channels().max(1)
    }

    pub(super) fn staged_frames(&self) -> u64 {
        (self.staged.len() / self.channels()) as u64
    }

    /// Returns the number of frames that the ring should hold: the latency, or more for a device that requests more. It holds
    /// the largest request, and as much again to last until the playback thread has rendered the next one, but for that at most
    /// the latency, and at least a block.
    pub(super) fn target(&self, latency: Duration) -> u64 {
        let latency = Frames::from_duration(latency, self.spec.rate).0;
        let request = self.stats.largest_request();
        let spare = request.min(latency).max(self.converter.block() as u64);
        latency
            .max(request.saturating_add(spare))
            .min(self.capacity.saturating_sub(2 * LARGEST_BLOCK as u64))
    }

    /// Prepares a new start of the mix: drops staged frames and the converter's state.
    pub(super) fn restart(&mut self) -> Result<()> {
        self.converter.restart()?;
        self.staged.clear();
        self.last_frame.clear();
        self.written_at_start = self.written;
        Ok(())
    }

    /// Renders until `frames` frames are staged or a stem is not ready. Returns whether the mix is over.
    pub(super) fn render(&mut self, frames: u64) -> Result<bool> {
        while self.staged_frames() < frames && self.converter.ready()? {
            if self.converter.read(&mut self.staged)? == 0 {
                return Ok(true);
            }
        }
        Ok(self.converter.is_over())
    }

    /// Writes staged frames to the ring, as many as fit.
    pub(super) fn write_staged(&mut self) {
        let channels = self.channels();
        let fits = self.ring.free().min(self.staged.len());
        let fits = fits - fits % channels;
        if let Some(samples) = self.staged.get(..fits) {
            self.ring.write(samples);
            if let Some(frame) = samples.chunks_exact(channels).next_back() {
                self.last_frame.clear();
                self.last_frame.extend_from_slice(frame);
            }
            self.written += (fits / channels) as u64;
            self.staged.drain(..fits);
        }
    }

    /// Stages a fade-out of the last frame, for use where the mix cannot fade because a stem is late.
    pub(super) fn stage_fade(&mut self) {
        let last = self.staged.chunks_exact(self.channels()).next_back();
        let last = last.map_or_else(|| self.last_frame.clone(), <[f64]>::to_vec);
        let frames = (self.spec.rate.hz() / FADES_PER_SECOND).max(1);
        for n in 1..=frames {
            let gain = 1.0 - f64::from(n) / f64::from(frames);
            self.staged.extend(last.iter().map(|x| x * gain));
        }
    }

    /// Writes the staged frames as the last ones before silence. They fit: the ring is larger than the target.
    pub(super) fn write_last(&mut self) {
        self.stats
            .set_play_until(self.written + self.staged_frames());
        self.write_staged();
    }

    /// Passes the jumps of the rendered frames on to the status, in frames of the device.
    pub(super) fn report_jumps(&self, renderer: &SharedRenderer, status: &Status) {
        for jump in locked(renderer).jumps() {
            status.jump(
                self.written_at_start + self.converter.to_device(jump.rendered),
                jump.to,
            );
        }
    }

    /// Returns whether the device has requested nothing for longer than `timeout`. Call at least every 100 ms.
    pub(super) fn is_unresponsive(&mut self, timeout: Duration) -> bool {
        let (now, calls) = (Instant::now(), self.stats.calls());
        let passed = now
            .saturating_duration_since(self.checked_at)
            .min(MAX_CHECK_INTERVAL);
        let silent = calls == self.checked_calls;
        self.silent_for = if silent {
            self.silent_for.saturating_add(passed)
        } else {
            Duration::ZERO
        };
        (self.checked_at, self.checked_calls) = (now, calls);
        self.silent_for > timeout
    }

    /// Waits until the last frame was heard, the device fails, or 300 ms have passed.
    pub(super) fn drain(&self) {
        let deadline = Instant::now() + DRAIN_TIMEOUT;
        while self.stats.heard() < self.written
            && self.stats.fault().is_none()
            && Instant::now() < deadline
        {
            thread::sleep(POLL_INTERVAL);
        }
    }

    /// Closes the device on a thread of its own, and waits for that at most `timeout`: some drivers hang when their device is
    /// gone.
    pub(super) fn close(self, timeout: Duration) {
        let (closed, is_closed) = sync_channel(1);
        let handle = self.handle;
        let spawned = thread::Builder::new()
            .name("soundtrack-close".to_owned())
            .spawn(move || {
                drop(handle);
                // Fails if the wait has timed out.
                let _ = closed.send(());
            });
        if spawned.is_ok() && !timeout.is_zero() {
            let _ = is_closed.recv_timeout(timeout.min(UNLIMITED_WAIT));
        }
    }
}
