//! An output device of the system: the only door to cpal.
//!
//! The device is asked for the session's rate and number of channels first; what it cannot do is converted once, before
//! the ring. Its callback only copies: see the player's. Errors of the device are sorted here into what a user can do
//! about them; an underrun that the device tells is counted and never ends anything.

use super::{
    backend::{Backend, Connect},
    callback::{Callback, Word},
    stream_stats::{Line, Trouble},
};
use crate::{
    error::{Error, ErrorKind, Result},
    layout::Layout,
    layout::Spec,
    units::{Frames, SampleRate},
};
use cpal::{
    BufferSize, FrameCount, I24, OutputCallbackInfo, SampleFormat, SizedSample, Stream, StreamConfig,
    SupportedBufferSize, SupportedStreamConfigRange,
    traits::{DeviceTrait, HostTrait, StreamTrait},
};
use std::{sync::Arc, time::Duration};

/// An output device that can be played on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeviceInfo {
    /// What it is called, for people. Several may have one name.
    pub name: String,
    /// What it is called by the system: always the same device.
    pub id: String,
    /// Whether it is the one that is played on unless another is named.
    pub is_default: bool,
    /// The most channels it has; 0 where it does not tell, as while another program has it.
    pub channels: usize,
    /// The lowest and the highest rate; `None` where it does not tell.
    pub rates: Option<(SampleRate, SampleRate)>,
}

/// The output devices of this machine, in the order of the system; none where there is no sound hardware or no sound
/// system.
///
/// # Errors
/// `Device` where the system cannot be asked.
pub fn devices() -> Result<Vec<DeviceInfo>> {
    let host = cpal::default_host();
    let default = host.default_output_device().and_then(|d| d.id().ok());
    let found = host.output_devices().map_err(|e| refused("the sound system", &e))?;
    let told = found.filter_map(|device| {
        let id = device.id().ok()?;
        let configs: Vec<_> = device.supported_output_configs().map(Iterator::collect).unwrap_or_default();
        let lowest = configs.iter().map(SupportedStreamConfigRange::min_sample_rate).min();
        let highest = configs.iter().map(SupportedStreamConfigRange::max_sample_rate).max();
        let rate = |hz: u32| SampleRate::new(hz.clamp(1, SampleRate::MAX.hz())).ok();
        Some(DeviceInfo {
            name: name(&device),
            is_default: default.as_ref() == Some(&id),
            id: id.to_string(),
            channels: configs.iter().map(|c| usize::from(c.channels())).max().unwrap_or(0),
            rates: lowest.and_then(rate).zip(highest.and_then(rate)),
        })
    });
    Ok(told.collect())
}

fn name(device: &cpal::Device) -> String {
    device.description().map_or_else(|_| "unnamed".to_owned(), |d| d.name().to_owned())
}

/// An error of the device, and what to do.
fn refused(what: &str, cause: &cpal::Error) -> Error {
    use cpal::ErrorKind as K;
    let advice = match cause.kind() {
        K::DeviceBusy => "another program uses it: close that one, or choose another device",
        K::DeviceNotAvailable | K::HostUnavailable => "it is not there: connect it, or choose another device",
        K::PermissionDenied => "it may not be used: allow this program to play sound",
        K::UnsupportedConfig => "it takes no format that can be played: choose another device",
        _ => "choose another device, or restart the sound system",
    };
    Error::new(ErrorKind::Device, format!("{what}: {advice} ({cause})")).because(cause.clone())
}

/// A device to play on: the default one, or one by name or id.
pub(crate) struct Device {
    wanted: Option<String>,
    /// What it was called when it was opened.
    name: String,
    latency: Duration,
}

impl Device {
    /// A device that is asked for half of the latency at a time.
    pub(crate) fn new(wanted: Option<&str>, latency: Duration) -> Self {
        let name = wanted.map_or_else(|| "the default output device".to_owned(), named);
        Self { wanted: wanted.map(str::to_owned), name, latency }
    }

    /// The device that is meant. One that was played on and is gone gives way to the default.
    fn find(&self, again: bool) -> Result<cpal::Device> {
        let host = cpal::default_host();
        let default = || {
            let none = "there is no output device: connect one, or write a file instead";
            host.default_output_device().ok_or_else(|| Error::new(ErrorKind::Device, none))
        };
        let Some(wanted) = &self.wanted else { return default() };
        let all: Vec<cpal::Device> = host.output_devices().map_err(|e| refused("the sound system", &e))?.collect();
        let is = |device: &&cpal::Device| device.id().is_ok_and(|id| id.to_string() == *wanted || id.id() == wanted);
        let called = |device: &&cpal::Device| name(device).eq_ignore_ascii_case(wanted);
        let holds = |device: &&cpal::Device| name(device).to_lowercase().contains(&wanted.to_lowercase());
        let found = all.iter().find(is).or_else(|| all.iter().find(called)).or_else(|| all.iter().find(holds));
        match found {
            Some(device) => Ok(device.clone()),
            None if again => default(),
            None => {
                let mut names: Vec<_> = all.iter().map(|d| format!("{:?}", name(d))).collect();
                names.sort();
                names.dedup();
                let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                let what = format!("there is no output device {wanted:?}; there are {known}");
                Err(Error::new(ErrorKind::Device, what))
            }
        }
    }
}

fn named(name: &str) -> String {
    format!("output device {name:?}")
}

impl Backend for Device {
    fn open(&mut self, wanted: Spec, connect: Connect<'_>) -> Result<Box<dyn Send>> {
        let again = self.name != Self::new(self.wanted.as_deref(), self.latency).name;
        let device = self.find(again)?;
        let title = named(&name(&device));
        let failed = |e: cpal::Error| refused(&title, &e);
        let default = device.default_output_config().map_err(failed)?;
        let offered: Vec<_> = device.supported_output_configs().map_err(failed)?.collect();
        let (format, mut config, sizes) = match best(&offered, wanted) {
            Some((range, rate)) => {
                let channels = range.channels();
                let config = StreamConfig { channels, sample_rate: rate, buffer_size: BufferSize::Default };
                (range.sample_format(), config, *range.buffer_size())
            }
            None => (default.sample_format(), default.config(), *default.buffer_size()),
        };
        let rate = SampleRate::new(config.sample_rate)
            .map_err(|e| Error::new(ErrorKind::Device, format!("{title}: {e}: choose another device")))?;
        let layout = layout_of(config.channels, wanted.layout);
        config.buffer_size = bite(sizes, Frames::from_duration(self.latency / 2, rate));
        let (callback, line) = connect(Spec { rate, layout });
        let stream = build(&device, config, format, callback, &line, rate).map_err(failed)?;
        stream.play().map_err(failed)?;
        self.name = title;
        Ok(Box::new(stream))
    }

    fn name(&self) -> String {
        self.name.clone()
    }
}

/// The layout that is taken for a number of channels: the session's, or the usual one.
fn layout_of(channels: u16, session: Layout) -> Layout {
    match channels {
        n if usize::from(n) == session.channels() => session,
        1 => Layout::Mono,
        2 => Layout::Stereo,
        4 => Layout::Quad,
        6 => Layout::Surround51,
        8 => Layout::Surround71,
        n => Layout::Discrete(u8::try_from(n).unwrap_or(u8::MAX)),
    }
}

/// Formats that can be written, the best first: no rounding, then the finest.
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

/// The configuration nearest to what is wanted, and its rate: the same rate before the same channels, more channels before
/// fewer, the rate next above before one below.
fn best(offered: &[SupportedStreamConfigRange], wanted: Spec) -> Option<(&SupportedStreamConfigRange, u32)> {
    let (hz, channels) = (wanted.rate.hz(), wanted.layout.channels());
    let rated = |c: &SupportedStreamConfigRange| hz.clamp(c.min_sample_rate(), c.max_sample_rate());
    let usable = offered.iter().filter(|c| c.channels() > 0 && c.channels() <= u16::from(u8::MAX));
    let rank = |c: &&SupportedStreamConfigRange| {
        let format = FORMATS.iter().position(|f| *f == c.sample_format())?;
        let (rate, own) = (rated(c), usize::from(c.channels()));
        Some(((rate < hz, rate.abs_diff(hz)), (own < channels, own.abs_diff(channels)), format))
    };
    usable.filter_map(|c| rank(&c).map(|rank| (rank, c))).min_by_key(|(rank, _)| *rank).map(|(_, c)| (c, rated(c)))
}

/// How much the device should ask for at a time.
fn bite(sizes: SupportedBufferSize, frames: Frames) -> BufferSize {
    let frames = FrameCount::try_from(frames.0).unwrap_or(FrameCount::MAX);
    match sizes {
        SupportedBufferSize::Range { min, max } if min <= max => BufferSize::Fixed(frames.clamp(min, max)),
        _ => BufferSize::Default,
    }
}

/// Starts the stream in the device's own sample format.
fn build(
    device: &cpal::Device,
    config: StreamConfig,
    format: SampleFormat,
    callback: Callback,
    line: &Arc<Line>,
    rate: SampleRate,
) -> Result<Stream, cpal::Error> {
    match format {
        SampleFormat::F32 => start::<f32>(device, config, callback, line, rate),
        SampleFormat::F64 => start::<f64>(device, config, callback, line, rate),
        SampleFormat::I32 => start::<i32>(device, config, callback, line, rate),
        SampleFormat::I24 => start::<I24>(device, config, callback, line, rate),
        SampleFormat::I16 => start::<i16>(device, config, callback, line, rate),
        SampleFormat::U16 => start::<u16>(device, config, callback, line, rate),
        SampleFormat::I8 => start::<i8>(device, config, callback, line, rate),
        SampleFormat::U8 => start::<u8>(device, config, callback, line, rate),
        _ => Err(cpal::Error::new(cpal::ErrorKind::UnsupportedConfig)),
    }
}

fn start<W: Word + SizedSample>(
    device: &cpal::Device,
    config: StreamConfig,
    mut callback: Callback,
    line: &Arc<Line>,
    rate: SampleRate,
) -> Result<Stream, cpal::Error> {
    let line = Arc::clone(line);
    let fill = move |out: &mut [W], info: &OutputCallbackInfo| {
        let time = info.timestamp();
        let delay = time.playback.saturating_duration_since(time.callback);
        callback.serve(out, Frames::from_duration(delay, rate).0);
    };
    device.build_output_stream(config, fill, move |e| tell(&line, e.kind()), None)
}

/// What an error of a running stream means.
fn tell(line: &Line, kind: cpal::ErrorKind) {
    use cpal::ErrorKind as K;
    match kind {
        K::Xrun => line.xrun(),
        // It goes on, on another device or with another priority.
        K::DeviceChanged | K::RealtimeDenied => {}
        K::DeviceNotAvailable | K::HostUnavailable => line.fail(Trouble::Gone),
        K::DeviceBusy => line.fail(Trouble::Busy),
        K::StreamInvalidated | K::UnsupportedConfig => line.fail(Trouble::Invalidated),
        K::PermissionDenied => line.fail(Trouble::Denied),
        _ => line.fail(Trouble::Failed),
    }
}

impl Word for I24 {
    fn of(sample: f64) -> Self {
        let full = 8_388_608.0;
        #[expect(clippy::cast_possible_truncation, reason = "clamped to 24 bits; NaN is 0")]
        let held =
            if sample.is_finite() { (sample * full).round_ties_even().clamp(-full, full - 1.0) as i32 } else { 0 };
        Self::new_unchecked(held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(channels: u16, rates: (u32, u32), format: SampleFormat) -> SupportedStreamConfigRange {
        SupportedStreamConfigRange::new(channels, rates.0, rates.1, SupportedBufferSize::Unknown, format)
    }

    #[test]
    fn the_rate_comes_first_then_the_channels_then_the_format() {
        let wanted = Spec { rate: SampleRate::HZ_48000, layout: Layout::Stereo };
        let pick = |offers: &[SupportedStreamConfigRange]| {
            best(offers, wanted).map(|(c, rate)| (rate, c.channels(), c.sample_format()))
        };
        let (i16, f32, i24) = (SampleFormat::I16, SampleFormat::F32, SampleFormat::I24);
        assert_eq!(pick(&[offer(2, (44_100, 44_100), f32), offer(1, (8_000, 48_000), i16)]), Some((48_000, 1, i16)));
        assert_eq!(pick(&[offer(6, (48_000, 48_000), f32), offer(2, (48_000, 48_000), i16)]), Some((48_000, 2, i16)));
        assert_eq!(pick(&[offer(1, (48_000, 48_000), f32), offer(8, (48_000, 48_000), i16)]), Some((48_000, 8, i16)));
        assert_eq!(pick(&[offer(2, (8_000, 192_000), i16), offer(2, (48_000, 96_000), i24)]), Some((48_000, 2, i24)));
        assert_eq!(pick(&[offer(2, (44_100, 44_100), f32), offer(2, (96_000, 96_000), f32)]), Some((96_000, 2, f32)));
        assert_eq!(pick(&[offer(2, (48_000, 48_000), SampleFormat::U64)]), None);
        assert_eq!(pick(&[]), None);
    }

    #[test]
    fn a_word_of_24_bits_stays_within() {
        assert_eq!([2.0, -2.0, 0.5, f64::NAN].map(|x| I24::of(x).inner()), [8_388_607, -8_388_608, 4_194_304, 0]);
    }
}
