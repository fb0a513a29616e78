//! Resamples a source by FFT convolution in f64 with one fixed filter. There is no quality setting.
//!
//! - **No delay**: input frame `p` is at output time `p · out / in` exactly.
//! - **Length**: `ceil(n · out / in)` frames for the `n` frames that the source really delivers.
//! - **Bit-exact**: the samples depend neither on the capacity of the blocks that are read into, nor on the sizes of
//!   the source's reads, nor on seeks. Processors of other families can differ: they have other vector units.
//! - Silence stays exactly 0.0. Nothing is allocated after construction. Nothing is clamped (a full-scale square rings
//!   above 1.0) or dithered.
//!
//! A sample that is not finite, or larger than 1e100, would spoil a whole window. It is replaced by 0.0 and reported as a
//! [`Flaw`].
//!
//! With `g = gcd(in, out)` the smallest unit is `in/g` input and `out/g` output frames. The output is made in hops of a
//! whole number of units, on a grid that begins at frame 0. A hop depends on one window of the input only
//! ([`RateConversion`]), so a seek needs no more than the window of the hop that it leads to.
#![expect(
    clippy::indexing_slicing,
    reason = "every range lies in a buffer that was made for that size"
)]

use super::{Flaw, FlawKind, Source};
use crate::{
    block::Block,
    dsp::rate_conversion::{HopSizes, RateConversion},
    error::{Error, ErrorKind, Result},
    layout::Spec,
    units::{Frames, SampleRate},
};
use std::sync::Arc;

/// Maximum ratio between the rates, either way.
const MAX_RATIO: u32 = 256;
/// Maximum length of the filter in frames of either rate. Rates without a common factor would take hundreds of MiB.
const MAX_FILTER_FRAMES: usize = 600_000;
/// Maximum number of frames in a unit on either side where the rates are not whole. A filter has two at least.
const MAX_UNIT_FRAMES: u64 = MAX_FILTER_FRAMES as u64 / 2;
/// Maximum length of the filter in samples of both rates together, all channels counted: half a GiB of buffers.
const MAX_FILTER_SAMPLES: usize = 16_000_000;
/// Frames that are read from the source at a time.
const READ_FRAMES: usize = 1024;
/// Largest sample that is convolved: far above any audio, and far below where a sum of products overflows.
const MAX_INPUT_SAMPLE: f64 = 1e100;

/// Converts a source to another sample rate.
///
/// After a seek it reads the pre-roll that it needs by itself. Equal rates pass bit for bit. Nothing is allocated after
/// construction, except to report a flaw, and where more threads resample at the same time than the machine has cores.
///
/// ```
/// use soundtrack::media::Resampled;
/// use soundtrack::{Block, Frames, Layout, Result, SampleRate, Source, Spec};
///
/// /// 441 frames of a constant.
/// struct Level(u64);
///
/// impl Source for Level {
///     fn spec(&self) -> Spec {
///         Spec { rate: SampleRate::HZ_44100, layout: Layout::Mono }
///     }
///     fn length(&self) -> Option<Frames> {
///         Some(Frames(441))
///     }
///     fn read(&mut self, out: &mut Block) -> Result<usize> {
///         let n = out.capacity().min(441 - self.0 as usize);
///         out.fill(n, 0.5);
///         self.0 += n as u64;
///         Ok(n)
///     }
///     fn seek(&mut self, to: Frames) -> Result<()> {
///         self.0 = to.0.min(441);
///         Ok(())
///     }
/// }
///
/// let mut source = Resampled::new(Box::new(Level(0)), SampleRate::HZ_48000)?;
/// assert_eq!(source.length(), Some(Frames(480)));
/// let mut block = Block::new(Layout::Mono, 1000);
/// assert_eq!(source.read(&mut block)?, 480);
/// # Ok::<(), soundtrack::Error>(())
/// ```
pub struct Resampled {
    source: Box<dyn Source>,
    spec: Spec,
    /// `None` at equal rates.
    converter: Option<Converter>,
}

impl std::fmt::Debug for Resampled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Resampled(to {:?})", self.spec)
    }
}

impl Resampled {
    /// Makes a source with the audio of `source` at rate `to`. `source` has to be at its frame 0.
    ///
    /// # Errors
    /// `Unsupported`, see [`check`](Self::check).
    pub fn new(source: Box<dyn Source>, to: SampleRate) -> Result<Self> {
        Self::with_sizes(source, to, sizes)
    }

    /// Makes a source as [`new`](Self::new) does, which converts fewer frames at a time, for playback that follows a fader. It
    /// rounds differently in the last bits.
    ///
    /// # Errors
    /// `Unsupported`, see [`check`](Self::check).
    pub(crate) fn in_short_hops(source: Box<dyn Source>, to: SampleRate) -> Result<Self> {
        Self::with_sizes(source, to, |from, to| sizes(from, to).shortened())
    }

    fn with_sizes(
        source: Box<dyn Source>,
        to: SampleRate,
        sizes: impl Fn(SampleRate, SampleRate) -> HopSizes,
    ) -> Result<Self> {
        let from = source.spec();
        Self::check(from, to)?;
        let converter = if from.rate == to {
            None
        } else {
            Some(Converter::new(from, to, sizes(from.rate, to))?)
        };
        Ok(Self {
            source,
            spec: Spec { rate: to, ..from },
            converter,
        })
    }

    /// Checks whether audio of this rate and layout can be converted to rate `to`, without allocating anything.
    ///
    /// # Errors
    /// `Unsupported`, with the rates and the limit, for a ratio above 256 either way; for rates whose common factor is
    /// so small that the filter would exceed 600 000 frames; if it would exceed 16 000 000 samples at both rates and over
    /// all channels; and for no channels.
    ///
    /// ```
    /// use soundtrack::media::Resampled;
    /// use soundtrack::{Layout, SampleRate, Spec};
    /// let odd = Spec { rate: SampleRate::new(767_999)?, layout: Layout::Mono };
    /// let refused = Resampled::check(odd, SampleRate::HZ_48000).unwrap_err();
    /// assert_eq!(
    ///     refused.to_string(),
    ///     "767999 Hz cannot be resampled to 48000 Hz: a filter of 1535998 frames is over the limit of 600000"
    /// );
    /// # Ok::<(), soundtrack::Error>(())
    /// ```
    pub fn check(from: Spec, to: SampleRate) -> Result<()> {
        let channels = from.layout.channels();
        if channels == 0 {
            return Err(refused(from.rate, to, "it has no channels"));
        }
        if from.rate == to {
            return Ok(());
        }
        let (low, high) = (from.rate.min(to), from.rate.max(to));
        if high.as_f64() > low.as_f64() * f64::from(MAX_RATIO) {
            return Err(refused(
                from.rate,
                to,
                format!("the ratio is over the limit of {MAX_RATIO}"),
            ));
        }
        let (filter_in, filter_out) = sizes(from.rate, to).filter();
        let longest = filter_in.max(filter_out);
        if longest > MAX_FILTER_FRAMES {
            let why =
                format!("a filter of {longest} frames is over the limit of {MAX_FILTER_FRAMES}");
            return Err(refused(from.rate, to, why));
        }
        let samples = (filter_in + filter_out).saturating_mul(channels);
        if samples > MAX_FILTER_SAMPLES {
            let why = format!(
                "a filter of {samples} samples in all channels is over the limit of {MAX_FILTER_SAMPLES}"
            );
            return Err(refused(from.rate, to, why));
        }
        Ok(())
    }
}

impl Resampled {
    /// Returns the number of samples that converting audio of this rate and layout to rate `to` buffers.
    pub(crate) fn buffered_samples(from: Spec, to: SampleRate) -> u64 {
        if from.rate == to {
            return 0;
        }
        from.layout.channels() as u64 * row_frames(sizes(from.rate, to)) as u64
    }
}

impl Source for Resampled {
    fn spec(&self) -> Spec {
        self.spec
    }

    fn length(&self) -> Option<Frames> {
        self.source
            .length()
            .map(|n| n.resampled(self.source.spec().rate, self.spec.rate))
    }

    fn read(&mut self, out: &mut Block) -> Result<usize> {
        match &mut self.converter {
            Some(converter) => converter.read(self.source.as_mut(), out),
            None => self.source.read(out),
        }
    }

    /// Seeks to a frame. The inner source is moved by the next read, which returns its errors.
    fn seek(&mut self, to: Frames) -> Result<()> {
        match &mut self.converter {
            Some(converter) => {
                converter.position = to.0;
                Ok(())
            }
            None => self.source.seek(to),
        }
    }

    /// Takes the flaws found since the last call, widened to whole frames of this rate: those of the inner source, and
    /// one for each read of the source with samples that are not finite. Up to a window is read ahead, and read again after a seek,
    /// so a flaw can be reported early, and twice.
    fn flaws(&mut self) -> Vec<Flaw> {
        let (from, to) = (self.source.spec().rate, self.spec.rate);
        let convert = |flaw: Flaw| {
            let end = (flaw.at + flaw.len).resampled(from, to);
            let at = flaw.at.resampled_down(from, to);
            Flaw {
                at,
                len: end - at,
                ..flaw
            }
        };
        let own = self
            .converter
            .as_mut()
            .map(|converter| std::mem::take(&mut converter.flaws))
            .unwrap_or_default();
        self.source
            .flaws()
            .into_iter()
            .chain(own)
            .map(convert)
            .collect()
    }
}

/// Returns the smallest unit: the number of input frames that last as long as the number of output frames.
///
/// Whole rates give it exactly. The unit of others can be too long for a filter, and is then the nearest fraction that is
/// not: it is off by less than 1e-10, less than half a frame in a day.
fn unit(from: SampleRate, to: SampleRate) -> (usize, usize) {
    let ((from_hz, from_parts), (to_hz, to_parts)) = (from.fraction(), to.fraction());
    let product = |a: u32, b: u32| u64::from(a) * u64::from(b);
    let (frames_in, frames_out) = (product(from_hz, to_parts), product(to_hz, from_parts));
    let is_whole = from.is_whole() && to.is_whole();
    // The convergents of the continued fraction of the ratio; the last is the reduced ratio itself.
    let (mut before, mut last) = ((0u64, 1u64), (1u64, 0u64));
    let (mut a, mut b) = (frames_in, frames_out);
    while b != 0 {
        let whole = a / b;
        let next = (
            whole.saturating_mul(last.0).saturating_add(before.0),
            whole.saturating_mul(last.1).saturating_add(before.1),
        );
        if !is_whole && next.0.max(next.1) > MAX_UNIT_FRAMES {
            break;
        }
        (before, last) = (last, next);
        (a, b) = (b, a % b);
    }
    let frames = |n: u64| usize::try_from(n.max(1)).unwrap_or(usize::MAX);
    (frames(last.0), frames(last.1))
}

fn sizes(from: SampleRate, to: SampleRate) -> HopSizes {
    let (unit_in, unit_out) = unit(from, to);
    HopSizes::new(unit_in, unit_out)
}

/// Returns the length of a row of [`Converter`].
fn row_frames(sizes: HopSizes) -> usize {
    let (hop_in, hop_out) = sizes.hop();
    2 * sizes.margin_in() + hop_in.max(hop_out)
}

/// Message about a source that does not write to the block that it is given.
const REPLACED: &str = "its source replaced the block that it had to fill";

/// Converts a source hop by hop.
struct Converter {
    conversion: Arc<RateConversion>,
    from: SampleRate,
    to: SampleRate,
    /// For each channel first the last frames of the input that was read, two margins long; then the hop that is read, or that
    /// was converted. Full but while a window is read.
    rows: Block,
    /// Number of the hop that was converted last, so that the rows begin with the input for the next. `None` before the
    /// first, and after an error.
    latest_hop: Option<u64>,
    /// Number of the hop whose output the rows hold.
    output_hop: Option<u64>,
    /// Length in output frames, once the source has ended. After a seek past its end this is an upper bound, below
    /// every position that is read from there.
    end: Option<u64>,
    /// Output frame of the next read.
    position: u64,
    /// Samples that were replaced, in frames of the source.
    flaws: Vec<Flaw>,
}

impl Converter {
    fn new(from: Spec, to: SampleRate, sizes: HopSizes) -> Result<Self> {
        let conversion = RateConversion::shared(sizes).map_err(|e| refused(from.rate, to, e))?;
        let mut rows = Block::new(from.layout, row_frames(sizes));
        rows.set_frames(rows.capacity());
        Ok(Self {
            conversion,
            from: from.rate,
            to,
            rows,
            latest_hop: None,
            output_hop: None,
            end: None,
            position: 0,
            flaws: Vec::new(),
        })
    }

    /// Fills `out`. Advances the position only on success, so that a failed read can be repeated.
    fn read(&mut self, source: &mut dyn Source, out: &mut Block) -> Result<usize> {
        let capacity = out.capacity();
        let size = self.conversion.sizes().hop().1;
        let mut done = 0;
        out.set_frames(capacity);
        while done < capacity {
            let position = self.position.saturating_add(done as u64);
            if self.end.is_some_and(|end| end <= position) {
                break;
            }
            let hop = position / size as u64;
            let skip = usize::try_from(position % size as u64).unwrap_or(size);
            // A whole hop is converted directly into `out`.
            let direct = skip == 0 && capacity - done >= size && self.output_hop != Some(hop);
            if direct {
                self.convert(source, hop, Some((out, done)))?;
            } else if self.output_hop != Some(hop) {
                self.convert(source, hop, None)?;
            }
            let left = usize::try_from(self.end.unwrap_or(u64::MAX).saturating_sub(position))
                .unwrap_or(usize::MAX);
            let n = left.min(size - skip).min(capacity - done);
            if !direct {
                let first = 2 * self.conversion.sizes().margin_in() + skip;
                for (to, row) in out.channels_mut().zip(self.rows.channels()) {
                    to[done..done + n].copy_from_slice(&row[first..first + n]);
                }
            }
            done += n;
        }
        out.set_frames(done);
        self.position = self.position.saturating_add(done as u64);
        Ok(done)
    }

    /// Converts a hop into the given block from the given frame on, or else into the rows.
    fn convert(
        &mut self,
        source: &mut dyn Source,
        hop: u64,
        out: Option<(&mut Block, usize)>,
    ) -> Result<()> {
        self.read_window(source, hop)?;
        let sizes = self.conversion.sizes();
        let (hop_in, window_in) = (sizes.hop().0, sizes.window_in());
        let hold_output = out.is_none();
        let mut out = out.map(|(out, at)| (out.channels_mut(), at));
        for row in self.rows.channels_mut() {
            let converted = self.conversion.convert(&row[..window_in]);
            let converted = converted.map_err(|e| refused(self.from, self.to, e))?;
            row.copy_within(hop_in..window_in, 0);
            let (to, at) = match &mut out {
                None => (row, window_in - hop_in),
                Some((channels, at)) => (channels.next().unwrap_or_default(), *at),
            };
            to[at..at + converted.hop().len()].copy_from_slice(converted.hop());
        }
        (self.latest_hop, self.output_hop) = (Some(hop), hold_output.then_some(hop));
        Ok(())
    }

    /// Makes the rows begin with the window of a hop. Before the start and after the end of the source it is silence.
    fn read_window(&mut self, source: &mut dyn Source, hop: u64) -> Result<()> {
        let sizes = self.conversion.sizes();
        let margin = sizes.margin_in() as u64;
        // Frames of the input at the start of the hop, and frames of the window that are there already.
        let start = hop.saturating_mul(sizes.hop().0 as u64);
        let follows = self.latest_hop.and_then(|latest| latest.checked_add(1)) == Some(hop);
        (self.latest_hop, self.output_hop) = (None, None);
        self.rows.set_frames(self.rows.capacity());
        let mut filled = 2 * sizes.margin_in();
        if !follows {
            source.seek(Frames(start.saturating_sub(margin)))?;
            self.end = None;
            let before_source = margin.saturating_sub(start);
            filled = usize::try_from(before_source).unwrap_or(filled);
            for row in self.rows.channels_mut() {
                row[..filled].fill(0.0);
            }
        }
        let filled = self.read_input(source, start, filled)?;
        self.rows.set_frames(self.rows.capacity());
        for row in self.rows.channels_mut() {
            row[filled..sizes.window_in()].fill(0.0);
        }
        Ok(())
    }

    /// Reads the rest of a window of which some frames are there; `start` is the input frame at the start of its hop.
    /// Returns the frames that are there then: fewer than the window has only at the end of the source.
    fn read_input(
        &mut self,
        source: &mut dyn Source,
        start: u64,
        mut filled: usize,
    ) -> Result<usize> {
        let (margin, window) = (
            self.conversion.sizes().margin_in() as u64,
            self.conversion.sizes().window_in(),
        );
        while filled < window && self.end.is_none() {
            let at = start.saturating_add(filled as u64).saturating_sub(margin);
            self.rows.set_frames(filled);
            // A flaw is reported for each read, so its length must not depend on that of the window.
            let most = READ_FRAMES.min(window - filled);
            let read = self.rows.append(most, |part| source.read(part));
            let read = read.unwrap_or_else(|| Err(refused(self.from, self.to, REPLACED)))?;
            let got = read.min(self.rows.frames() - filled);
            if got == 0 {
                self.end = Some(Frames(at).resampled(self.from, self.to).0);
                break;
            }
            self.rows.set_frames(filled + got);
            let new = self.rows.channels_mut().map(|row| &mut row[filled..]);
            if let Some((first, last)) = zero_bad_samples(new) {
                self.flaws.push(Flaw {
                    kind: FlawKind::NonFinite,
                    at: Frames(at) + Frames(first as u64),
                    len: Frames((last - first + 1) as u64),
                    what: "samples that are not finite numbers".into(),
                });
            }
            filled += got;
        }
        Ok(filled)
    }
}

/// Replaces samples that are not finite by 0.0 and returns the first and the last frame with one.
fn zero_bad_samples<'a>(channels: impl Iterator<Item = &'a mut [f64]>) -> Option<(usize, usize)> {
    let mut replaced: Option<(usize, usize)> = None;
    for samples in channels {
        // Without an early exit, so that the loop is vectorised.
        if samples
            .iter()
            .fold(true, |all, x| all & (x.abs() <= MAX_INPUT_SAMPLE))
        {
            continue;
        }
        for (i, x) in samples
            .iter_mut()
            .enumerate()
            .filter(|(_, x)| x.is_nan() || x.abs() > MAX_INPUT_SAMPLE)
        {
            *x = 0.0;
            replaced = Some(replaced.map_or((i, i), |(first, last)| (first.min(i), last.max(i))));
        }
    }
    replaced
}

/// Makes the error for rates that cannot be converted. The filter's own errors use it too; none is left after
/// [`Resampled::check`].
fn refused(from: SampleRate, to: SampleRate, why: impl std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("{from} Hz cannot be resampled to {to} Hz: {why}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_that_no_filter_can_take_are_silenced_in_all_channels() {
        let (nan, inf) = (f64::NAN, f64::INFINITY);
        let mut left = [0.5, 1e100, -1.0, nan, 0.25];
        let mut right = [0.5, 0.5, -inf, 0.5, 1.1e100];
        let found = zero_bad_samples([&mut left[..], &mut right[..]].into_iter());
        assert_eq!(found, Some((2, 4)));
        assert_eq!(left, [0.5, 1e100, -1.0, 0.0, 0.25]);
        assert_eq!(right, [0.5, 0.5, 0.0, 0.5, 0.0]);
        assert_eq!(zero_bad_samples([&mut left[..]].into_iter()), None);
    }
}
