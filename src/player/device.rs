//! An output device of the system; wraps `cpal`.
//!
//! The device is opened with the session's rate and number of channels if it offers them; otherwise with the nearest ones,
//! and the player converts. An error after which no stream goes on becomes a fault with advice. All others pass, as far as
//! the device goes on calling: a sound server on a loaded machine reports many of them. Underruns that it reports are counted
//! with the silence that it played.

use super::{
    backend::{Backend, Connect},
    callback::{Callback, DeviceSample},
    stream_stats::{DeviceError, DeviceFault, StreamStats},
};
use crate::{
    error::{Error, ErrorKind, Result},
    layout::{Layout, Spec},
    units::{Frames, SampleRate},
};
use cpal::{
    BufferSize, FrameCount, I24, OutputCallbackInfo, SampleFormat, SizedSample, Stream,
    StreamConfig, StreamInstant, SupportedBufferSize, SupportedStreamConfigRange,
    traits::{DeviceTrait, HostTrait, StreamTrait},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// An output device.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeviceInfo {
    /// Its name for display. Several devices may have the same one.
    pub name: String,
    /// Its name in the system, which always means the same device.
    pub id: String,
    /// It is the default output device.
    pub is_default: bool,
    /// The most channels it has; 0 if unknown, as while another program uses it.
    pub channels: usize,
    /// The lowest and the highest sample rate; `None` if unknown.
    pub rates: Option<(SampleRate, SampleRate)>,
}

/// Lists the output devices of this machine, in the order of the system. The list is empty without sound hardware or a sound
/// system.
///
/// # Errors
/// `Device` if the sound system does not answer.
pub fn devices() -> Result<Vec<DeviceInfo>> {
    let host = cpal::default_host();
    let default = host.default_output_device().and_then(|d| d.id().ok());
    let devices = host
        .output_devices()
        .map_err(|e| device_error("the sound system", &e))?;
    Ok(devices
        .filter_map(|device| info(&device, default.as_ref()))
        .collect())
}

/// Describes a device; `None` if the system does not identify it, so that it could not be chosen.
fn info(device: &cpal::Device, default: Option<&cpal::DeviceId>) -> Option<DeviceInfo> {
    let id = device.id().ok()?;
    let configs: Vec<_> = device
        .supported_output_configs()
        .map(Iterator::collect)
        .unwrap_or_default();
    let lowest = configs
        .iter()
        .map(SupportedStreamConfigRange::min_sample_rate)
        .min();
    let highest = configs
        .iter()
        .map(SupportedStreamConfigRange::max_sample_rate)
        .max();
    let rate = |hz: u32| SampleRate::new(hz.clamp(1, SampleRate::MAX.hz())).ok();
    Some(DeviceInfo {
        name: name(device),
        is_default: default == Some(&id),
        id: id.to_string(),
        channels: configs
            .iter()
            .map(|c| usize::from(c.channels()))
            .max()
            .unwrap_or(0),
        rates: lowest.and_then(rate).zip(highest.and_then(rate)),
    })
}

fn name(device: &cpal::Device) -> String {
    device
        .description()
        .map_or_else(|_| "unnamed".to_owned(), |d| d.name().to_owned())
}

/// Converts an error of the device and adds advice.
fn device_error(subject: &str, cause: &cpal::Error) -> Error {
    use cpal::ErrorKind as K;
    let advice = match cause.kind() {
        K::DeviceBusy => "another program uses it: close that one, or choose another device",
        K::DeviceNotAvailable | K::HostUnavailable => {
            "it is not there: connect it, or choose another device"
        }
        K::PermissionDenied => "it may not be used: allow this program to play sound",
        K::UnsupportedConfig => "it takes no format that can be played: choose another device",
        _ => "choose another device, or restart the sound system",
    };
    Error::new(ErrorKind::Device, format!("{subject}: {advice} ({cause})")).because(cause.clone())
}

/// Plays on an output device: the default one, or one by its name or id.
pub(crate) struct DeviceBackend {
    wanted: Option<String>,
    /// The title of the device that was opened last; before the first, of the wanted one.
    title: String,
    /// A device was opened before.
    was_open: bool,
    latency: Duration,
}

impl DeviceBackend {
    /// Makes a backend that asks the device for buffers of half the latency.
    pub(crate) fn new(wanted: Option<&str>, latency: Duration) -> Self {
        let title = wanted.map_or_else(|| "the default output device".to_owned(), title);
        Self {
            wanted: wanted.map(str::to_owned),
            title,
            was_open: false,
            latency,
        }
    }

    /// Finds the wanted device: by its id, its name, or a part of its name, in this order.
    fn find(&self) -> Result<cpal::Device> {
        let host = cpal::default_host();
        let Some(wanted) = &self.wanted else {
            return default_device(&host);
        };
        let devices: Vec<cpal::Device> = host
            .output_devices()
            .map_err(|e| device_error("the sound system", &e))?
            .collect();
        let has_id = |d: &&cpal::Device| {
            d.id()
                .is_ok_and(|id| id.to_string() == *wanted || id.id() == wanted)
        };
        let has_name = |d: &&cpal::Device| name(d).eq_ignore_ascii_case(wanted);
        let contains = |d: &&cpal::Device| name(d).to_lowercase().contains(&wanted.to_lowercase());
        let found = devices
            .iter()
            .find(has_id)
            .or_else(|| devices.iter().find(has_name));
        match found.or_else(|| devices.iter().find(contains)) {
            Some(device) => Ok(device.clone()),
            // A device that was lost during playback gives way to the default one.
            None if self.was_open => default_device(&host),
            None => Err(unknown_device(wanted, &devices)),
        }
    }
}

fn default_device(host: &cpal::Host) -> Result<cpal::Device> {
    let none = "there is no output device: connect one, or write a file instead";
    host.default_output_device()
        .ok_or_else(|| Error::new(ErrorKind::Device, none))
}

fn unknown_device(wanted: &str, devices: &[cpal::Device]) -> Error {
    let mut names: Vec<_> = devices.iter().map(|d| format!("{:?}", name(d))).collect();
    names.sort();
    names.dedup();
    let known = if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    };
    Error::new(
        ErrorKind::Device,
        format!("there is no output device {wanted:?}; there are {known}"),
    )
}

/// Returns the name of a device in messages.
fn title(name: &str) -> String {
    format!("output device {name:?}")
}

impl Backend for DeviceBackend {
    fn open(&mut self, wanted: Spec, connect: Connect<'_>) -> Result<Box<dyn Send>> {
        let device = self.find()?;
        let title = title(&name(&device));
        let failed = |e: cpal::Error| device_error(&title, &e);
        let default = device.default_output_config().map_err(failed)?;
        let offered: Vec<_> = device.supported_output_configs().map_err(failed)?.collect();
        let (format, mut config, sizes) = match best_config(&offered, wanted) {
            Some((range, rate)) => {
                let channels = range.channels();
                let config = StreamConfig {
                    channels,
                    sample_rate: rate,
                    buffer_size: BufferSize::Default,
                };
                (range.sample_format(), config, *range.buffer_size())
            }
            None => (
                default.sample_format(),
                default.config(),
                *default.buffer_size(),
            ),
        };
        let rate = SampleRate::new(config.sample_rate).map_err(|e| {
            Error::new(
                ErrorKind::Device,
                format!("{title}: {e}: choose another device"),
            )
        })?;
        let layout = layout_of(config.channels, wanted.layout);
        config.buffer_size = buffer_size(sizes, Frames::from_duration(self.latency / 2, rate));
        let (callback, stats) = connect(Spec { rate, layout });
        let stream =
            build_stream(&device, config, format, callback, &stats, rate).map_err(failed)?;
        stream.play().map_err(failed)?;
        (self.title, self.was_open) = (title, true);
        Ok(Box::new(stream))
    }

    fn name(&self) -> String {
        self.title.clone()
    }
}

/// Returns the layout to assume for a number of channels: the session's if it fits, or the usual one.
fn layout_of(channels: u16, session: Layout) -> Layout {
    match channels {
        n if usize::from(n) == session.channels() => session,
        1 => Layout::Mono,
        2 => Layout::Stereo,
        4 => Layout::Quad,
        6 => Layout::Surround51,
        8 => Layout::Surround71,
        // `best_config` offers at most 255 channels, and default configurations have far fewer.
        n => Layout::Discrete(u8::try_from(n).unwrap_or(u8::MAX)),
    }
}

/// The sample formats that a callback can write, the most precise first.
const FORMATS: [SampleFormat; 8] = [
    SampleFormat::F32,
    SampleFormat::F64,
    SampleFormat::I32,
    SampleFormat::I24,
    SampleFormat::I16,
    SampleFormat::U16,
    SampleFormat::I8,
    SampleFormat::U8,
];

/// Chooses the configuration nearest to the wanted one, and its rate: the same rate matters more than the same channels; of
/// others, the next higher rate, and more channels, are better than fewer.
fn best_config(
    offered: &[SupportedStreamConfigRange],
    wanted: Spec,
) -> Option<(&SupportedStreamConfigRange, u32)> {
    let (hz, channels) = (wanted.rate.hz(), wanted.layout.channels());
    let nearest_rate =
        |c: &SupportedStreamConfigRange| hz.clamp(c.min_sample_rate(), c.max_sample_rate());
    let usable = offered
        .iter()
        .filter(|c| c.channels() > 0 && c.channels() <= u16::from(u8::MAX));
    // Smaller is better.
    let rank = |c: &SupportedStreamConfigRange| {
        let format = FORMATS.iter().position(|f| *f == c.sample_format())?;
        let (rate, own) = (nearest_rate(c), usize::from(c.channels()));
        Some((
            (rate < hz, rate.abs_diff(hz)),
            (own < channels, own.abs_diff(channels)),
            format,
        ))
    };
    let ranked = usable.filter_map(|c| rank(c).map(|rank| (rank, c)));
    ranked
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, c)| (c, nearest_rate(c)))
}

/// Returns the buffer size to ask the device for, within what it allows.
fn buffer_size(allowed: SupportedBufferSize, frames: Frames) -> BufferSize {
    // At most 5 s of audio; the device's limits apply in any case.
    let frames = FrameCount::try_from(frames.0).unwrap_or(FrameCount::MAX);
    match allowed {
        SupportedBufferSize::Range { min, max } if min <= max => {
            BufferSize::Fixed(frames.clamp(min, max))
        }
        _ => BufferSize::Default,
    }
}

/// Builds the stream in the device's own sample format.
fn build_stream(
    device: &cpal::Device,
    config: StreamConfig,
    format: SampleFormat,
    callback: Callback,
    stats: &Arc<StreamStats>,
    rate: SampleRate,
) -> Result<Stream, cpal::Error> {
    match format {
        SampleFormat::F32 => build_typed::<f32>(device, config, callback, stats, rate),
        SampleFormat::F64 => build_typed::<f64>(device, config, callback, stats, rate),
        SampleFormat::I32 => build_typed::<i32>(device, config, callback, stats, rate),
        SampleFormat::I24 => build_typed::<I24>(device, config, callback, stats, rate),
        SampleFormat::I16 => build_typed::<i16>(device, config, callback, stats, rate),
        SampleFormat::U16 => build_typed::<u16>(device, config, callback, stats, rate),
        SampleFormat::I8 => build_typed::<i8>(device, config, callback, stats, rate),
        SampleFormat::U8 => build_typed::<u8>(device, config, callback, stats, rate),
        _ => Err(cpal::Error::new(cpal::ErrorKind::UnsupportedConfig)),
    }
}

fn build_typed<S: DeviceSample + SizedSample>(
    device: &cpal::Device,
    config: StreamConfig,
    mut callback: Callback,
    stats: &Arc<StreamStats>,
    rate: SampleRate,
) -> Result<Stream, cpal::Error> {
    let channels = usize::from(config.channels).max(1);
    let (errors, stats) = (Arc::clone(stats), Arc::clone(stats));
    let clock = Arc::new(BufferClock::default());
    let error_clock = Arc::clone(&clock);
    let mut gaps = GapMeter::default();
    let fill = move |out: &mut [S], info: &OutputCallbackInfo| {
        let time = info.timestamp();
        let delay = time.playback.saturating_duration_since(time.callback);
        let length = Frames((out.len() / channels) as u64).to_duration(rate);
        let gap = gaps.measure(time.playback, length, stats.xruns(), clock.take_lost());
        stats.record_gap(Frames::from_duration(gap, rate).0);
        callback.serve(out, Frames::from_duration(delay, rate).0);
        clock.filled(delay.saturating_add(length));
    };
    let report = move |error: cpal::Error| {
        if error.kind() == cpal::ErrorKind::Xrun {
            error_clock.ran_dry();
        }
        record_error(&errors, &error);
    };
    device.build_output_stream(config, fill, report, None)
}

/// Decides whether the buffer that was filled last can have been heard when the device reports an underrun.
struct BufferClock {
    base: Instant,
    /// The end of that buffer, in nanoseconds from the base.
    end: AtomicU64,
    lost: AtomicBool,
}

impl Default for BufferClock {
    fn default() -> Self {
        Self {
            base: Instant::now(),
            end: AtomicU64::new(0),
            lost: AtomicBool::new(false),
        }
    }
}

impl BufferClock {
    fn now(&self) -> u64 {
        u64::try_from(self.base.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Notes that a buffer was filled that will have been heard after `until`.
    fn filled(&self, until: Duration) {
        let until = u64::try_from(until.as_nanos()).unwrap_or(u64::MAX);
        self.end
            .store(self.now().saturating_add(until), Ordering::Release);
    }

    /// Notes an underrun. If the last buffer cannot have been heard yet, the device had run dry before it took it, and
    /// has discarded it.
    fn ran_dry(&self) {
        if self.now() < self.end.load(Ordering::Acquire) {
            self.lost.store(true, Ordering::Release);
        }
    }

    fn take_lost(&self) -> bool {
        self.lost.swap(false, Ordering::AcqRel)
    }
}

/// Measures the silence that a device plays where it runs out of frames between two of its calls.
#[derive(Default)]
struct GapMeter {
    /// The times at which the last buffer starts and ends being heard, as the device estimated them when it was filled.
    heard: Option<(StreamInstant, StreamInstant)>,
    /// Underruns that the device had reported by then.
    xruns: u64,
}

impl GapMeter {
    /// Returns the time between the last buffer, if it was not lost, and one of this length that will be heard from
    /// `playback` on, if the device has reported underruns in between. Without any, it is jitter of its estimates.
    fn measure(
        &mut self,
        playback: StreamInstant,
        length: Duration,
        xruns: u64,
        is_last_lost: bool,
    ) -> Duration {
        let gap = match self.heard {
            Some((start, end)) if xruns > self.xruns => {
                let silent_from = if is_last_lost { start } else { end };
                playback.saturating_duration_since(silent_from)
            }
            _ => Duration::ZERO,
        };
        self.heard = playback.checked_add(length).map(|end| (playback, end));
        self.xruns = xruns;
        gap
    }
}

/// Records an error of a running stream: as an underrun, as one that passes, or as one that ends it.
fn record_error(stats: &StreamStats, error: &cpal::Error) {
    use cpal::ErrorKind as K;
    let reported = |fault| DeviceError {
        fault,
        cause: error.to_string(),
    };
    match error.kind() {
        K::Xrun => stats.record_xrun(),
        // The stream continues, on another device or with another priority.
        K::DeviceChanged | K::RealtimeDenied => {}
        K::DeviceNotAvailable | K::HostUnavailable => {
            stats.record_fatal_error(reported(DeviceFault::Disconnected));
        }
        K::StreamInvalidated => stats.record_fatal_error(reported(DeviceFault::Invalidated)),
        // The stream continues after all others, or stops calling, which is noticed.
        K::DeviceBusy => stats.record_passing_error(reported(DeviceFault::Busy)),
        K::UnsupportedConfig => stats.record_passing_error(reported(DeviceFault::Invalidated)),
        K::PermissionDenied => stats.record_passing_error(reported(DeviceFault::PermissionDenied)),
        _ => stats.record_passing_error(reported(DeviceFault::Failed)),
    }
}

impl DeviceSample for I24 {
    fn from_f64(sample: f64) -> Self {
        let full_scale = 8_388_608.0;
        if !sample.is_finite() {
            return Self::new_unchecked(0);
        }
        #[expect(clippy::cast_possible_truncation, reason = "clamped to 24 bits")]
        let value = (sample * full_scale)
            .round_ties_even()
            .clamp(-full_scale, full_scale - 1.0) as i32;
        Self::new_unchecked(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(channels: u16, rates: (u32, u32), format: SampleFormat) -> SupportedStreamConfigRange {
        SupportedStreamConfigRange::new(
            channels,
            rates.0,
            rates.1,
            SupportedBufferSize::Unknown,
            format,
        )
    }

    #[test]
    fn the_rate_comes_first_then_the_channels_then_the_format() {
        let wanted = Spec {
            rate: SampleRate::HZ_48000,
            layout: Layout::Stereo,
        };
        let pick = |offers: &[SupportedStreamConfigRange]| {
            best_config(offers, wanted).map(|(c, rate)| (rate, c.channels(), c.sample_format()))
        };
        let (i16, f32, i24) = (SampleFormat::I16, SampleFormat::F32, SampleFormat::I24);
        assert_eq!(
            pick(&[
                offer(2, (44_100, 44_100), f32),
                offer(1, (8_000, 48_000), i16)
            ]),
            Some((48_000, 1, i16))
        );
        assert_eq!(
            pick(&[
                offer(6, (48_000, 48_000), f32),
                offer(2, (48_000, 48_000), i16)
            ]),
            Some((48_000, 2, i16))
        );
        assert_eq!(
            pick(&[
                offer(1, (48_000, 48_000), f32),
                offer(8, (48_000, 48_000), i16)
            ]),
            Some((48_000, 8, i16))
        );
        assert_eq!(
            pick(&[
                offer(2, (8_000, 192_000), i16),
                offer(2, (48_000, 96_000), i24)
            ]),
            Some((48_000, 2, i24))
        );
        assert_eq!(
            pick(&[
                offer(2, (44_100, 44_100), f32),
                offer(2, (96_000, 96_000), f32)
            ]),
            Some((96_000, 2, f32))
        );
        assert_eq!(pick(&[offer(2, (48_000, 48_000), SampleFormat::U64)]), None);
        assert_eq!(pick(&[]), None);
    }

    #[test]
    fn only_errors_that_end_a_stream_are_faults() {
        use cpal::ErrorKind as K;
        let after = |kind, times: u32| {
            let stats = StreamStats::default();
            let error = cpal::Error::with_message(kind, "I/O error");
            (0..times).for_each(|_| record_error(&stats, &error));
            stats
        };
        for (kind, fault) in [
            (K::BackendError, DeviceFault::Failed),
            (K::Other, DeviceFault::Failed),
            (K::ResourceExhausted, DeviceFault::Failed),
            (K::DeviceBusy, DeviceFault::Busy),
            (K::UnsupportedConfig, DeviceFault::Invalidated),
            (K::PermissionDenied, DeviceFault::PermissionDenied),
        ] {
            let stats = after(kind, 493);
            assert_eq!(
                (stats.fault(), stats.passing_errors()),
                (None, 493),
                "{kind:?}"
            );
            let cause = "I/O error".to_owned();
            assert_eq!(stats.last_error(), Some(DeviceError { fault, cause }));
            stats.record_request(0);
            assert_eq!(stats.passing_errors(), 0);
        }
        for (kind, fault) in [
            (K::DeviceNotAvailable, DeviceFault::Disconnected),
            (K::HostUnavailable, DeviceFault::Disconnected),
            (K::StreamInvalidated, DeviceFault::Invalidated),
        ] {
            let stats = after(kind, 1);
            assert_eq!(stats.fault(), Some(fault), "{kind:?}");
            assert_eq!(stats.last_error().unwrap().cause, "I/O error");
        }
        for kind in [K::Xrun, K::DeviceChanged, K::RealtimeDenied] {
            let stats = after(kind, 3);
            assert_eq!((stats.fault(), stats.passing_errors()), (None, 0));
            assert_eq!(stats.underruns(), if kind == K::Xrun { 3 } else { 0 });
        }
    }

    #[test]
    fn the_silence_of_an_underrun_lasts_from_the_last_buffer_to_the_next() {
        let mut gaps = GapMeter::default();
        let mut at = |micros, xruns, lost| {
            let (playback, length) = (
                StreamInstant::from_micros(micros),
                Duration::from_millis(10),
            );
            Frames::from_duration(
                gaps.measure(playback, length, xruns, lost),
                SampleRate::HZ_48000,
            )
            .0
        };
        // Buffers of 10 ms, of which the third is 45.313 ms late: 2175 frames.
        assert_eq!([at(0, 0, false), at(10_000, 0, false)], [0, 0]);
        assert_eq!(at(65_313, 1, false), 2175);
        assert_eq!(
            [at(75_313, 1, false), at(90_000, 1, false)],
            [0, 0],
            "jitter is no gap"
        );
        assert_eq!(at(95_000, 2, false), 0, "the estimate may run backwards");
        assert_eq!(at(205_000, 5, false), 4800);
        // The device ran dry before it took the last buffer.
        assert_eq!(at(260_000, 6, true), 2640);
    }

    #[test]
    fn a_buffer_that_cannot_have_been_heard_is_lost() {
        let clock = BufferClock::default();
        clock.ran_dry();
        assert!(!clock.take_lost(), "nothing was filled");
        clock.filled(Duration::from_secs(60));
        clock.ran_dry();
        assert_eq!([clock.take_lost(), clock.take_lost()], [true, false]);
        clock.filled(Duration::ZERO);
        std::thread::sleep(Duration::from_millis(1));
        clock.ran_dry();
        assert!(!clock.take_lost());
    }

    #[test]
    fn a_word_of_24_bits_stays_within() {
        assert_eq!(
            [2.0, -2.0, 0.5, f64::NAN].map(|x| I24::from_f64(x).inner()),
            [8_388_607, -8_388_608, 4_194_304, 0]
        );
    }
}
