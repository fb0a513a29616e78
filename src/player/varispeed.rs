//! Plays faster or slower, and higher or lower with it, like a tape: resamples the mix by a ratio that need not be rational.

use super::device_converter::scaled;
use crate::{
    block::Block,
    error::{Error, ErrorKind, Result},
    layout::Spec,
    media::Source,
    units::{Frames, SampleRate},
};
use audioadapter_buffers::direct::SequentialSlice;
use rubato::{
    Async, FixedAsync, Resampler, SincInterpolationParameters, SincInterpolationType,
    WindowFunction,
};

/// Frames of input that are converted at a time.
const CHUNK: usize = 256;
/// Frames of the filter. With the window below, images and aliases lie under −140 dB.
const FILTER: usize = 256;

/// A source at another speed and rate. Its first frame is that of the source, or less than one frame of the output after it:
/// the delay of the filter is cut off.
pub(super) struct Varispeed {
    source: Box<dyn Source>,
    spec: Spec,
    resampler: Async<f64>,
    /// Frames of output for a frame of input.
    ratio: f64,
    /// The frames of the source that were read last.
    block: Block,
    /// The chunk to convert, and the converted one, channel by channel.
    input: Vec<f64>,
    output: Vec<f64>,
    /// Frames of `output` that are valid, and of those the first that was not delivered.
    converted: usize,
    next: usize,
    /// Frames of the filter's delay that are still to be cut off.
    delay: usize,
    /// Frames read from the source, and whether those are all.
    read: u64,
    ended: bool,
    /// Frames delivered.
    delivered: u64,
}

impl Varispeed {
    /// Makes a source that plays another at `speed` times its own, for a device of a rate.
    ///
    /// # Errors
    /// `Device` for a ratio that cannot be converted.
    pub(super) fn new(source: Box<dyn Source>, to: SampleRate, speed: f64) -> Result<Self> {
        let from = source.spec();
        let ratio = to.as_f64() / (from.rate.as_f64() * speed);
        let parameters = SincInterpolationParameters::new(FILTER, WindowFunction::BlackmanHarris2)
            .oversampling_factor(512)
            .interpolation(SincInterpolationType::Cubic);
        let channels = from.layout.channels();
        let resampler =
            Async::new_sinc(ratio, 1.0, &parameters, CHUNK, channels, FixedAsync::Input)
                .map_err(|e| refused(&e.to_string()))?;
        Ok(Self {
            spec: Spec {
                rate: to,
                layout: from.layout,
            },
            ratio,
            block: Block::new(from.layout, CHUNK),
            input: vec![0.0; CHUNK * channels],
            output: vec![0.0; resampler.output_frames_max() * channels],
            converted: 0,
            next: 0,
            delay: cut(ratio),
            read: 0,
            ended: false,
            delivered: 0,
            resampler,
            source,
        })
    }

    /// Returns the number of frames that come out of all that was read.
    fn total(&self) -> u64 {
        scaled(self.read, self.ratio)
    }

    /// Converts the next chunk of the source, silence after its end.
    fn convert(&mut self) -> Result<()> {
        let channels = self.spec.layout.channels();
        let mut filled = 0;
        self.input.fill(0.0);
        while filled < CHUNK && !self.ended {
            self.block.set_capacity(CHUNK - filled);
            let n = self.source.read(&mut self.block)?;
            self.ended = n == 0;
            let to = self.input.chunks_exact_mut(CHUNK);
            for (to, from) in to.zip(self.block.channels()) {
                let samples = to.iter_mut().skip(filled).zip(from);
                samples.take(n).for_each(|(to, x)| *to = *x);
            }
            filled += n;
            self.read += n as u64;
        }
        let most = self.output.len() / channels.max(1);
        let input = SequentialSlice::new(&self.input, channels, CHUNK)
            .map_err(|e| refused(&e.to_string()))?;
        let mut output = SequentialSlice::new_mut(&mut self.output, channels, most)
            .map_err(|e| refused(&e.to_string()))?;
        let (_, converted) = self
            .resampler
            .process_into_buffer(&input, &mut output, None)
            .map_err(|e| refused(&e.to_string()))?;
        let cut = self.delay.min(converted);
        self.delay -= cut;
        (self.converted, self.next) = (converted, cut);
        Ok(())
    }
}

impl Source for Varispeed {
    fn spec(&self) -> Spec {
        self.spec
    }

    fn length(&self) -> Option<Frames> {
        None
    }

    fn read(&mut self, out: &mut Block) -> Result<usize> {
        while self.next == self.converted {
            if self.ended && self.delivered >= self.total() {
                out.set_frames(0);
                return Ok(0);
            }
            self.convert()?;
        }
        let left = if self.ended {
            self.total().saturating_sub(self.delivered)
        } else {
            u64::MAX
        };
        let n = (self.converted - self.next)
            .min(out.capacity())
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        out.set_frames(n);
        let stride = self.output.len() / self.spec.layout.channels().max(1);
        let channels = self.output.chunks_exact(stride.max(1));
        for (to, from) in out.channels_mut().zip(channels) {
            if let Some(samples) = from.get(self.next..self.next + n) {
                to.copy_from_slice(samples);
            }
        }
        self.next += n;
        self.delivered += n as u64;
        Ok(n)
    }

    /// Does nothing: playback starts anew instead.
    fn seek(&mut self, _: Frames) -> Result<()> {
        Ok(())
    }
}

/// Returns the frames of output before the first frame of the source.
///
/// `rubato` puts output frame k at input frame (k + 1) / ratio − FILTER / 2; its `output_delay` leaves out the 1.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "some thousand frames"
)]
fn cut(ratio: f64) -> usize {
    (((FILTER / 2) as f64 * ratio).ceil() as usize).saturating_sub(1)
}

fn refused(cause: &str) -> Error {
    let what = format!("the speed cannot be changed: {cause}");
    Error::new(ErrorKind::Device, what)
}
