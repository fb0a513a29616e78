//! Resamples a source by FFT block convolution in f64 with one fixed filter. There is no quality setting.
//!
//! - **No delay**: input frame `p` is at output time `p · out / in` exactly.
//! - **Length**: `ceil(n · out / in)` frames for the `n` frames that the source really delivers.
//! - **Bit-exact**: the samples depend neither on the capacity of the blocks that are read into, nor on the sizes of
//!   the source's reads, nor on seeks. Processors of other families can differ: they have other vector units.
//! - Silence stays exactly 0.0. Nothing is allocated after construction. Nothing is clamped (a full-scale square rings
//!   above 1.0) or dithered.
//!
//! A sample that is not finite, or larger than 1e100, would spread over two blocks, and the FFT panics on it. It is
//! replaced by 0.0 and reported as a [`Flaw`].
//!
//! With `g = gcd(in, out)` the smallest unit is `in/g` input and `out/g` output frames. A block is an even number `k`
//! of units, so that the filter's delay of half a block is a whole number of frames on both sides:
//!
//! ```text
//! k = even(max(ceil(2048 / (in/g)), ceil(512 / (out/g))))     I = k · in/g     O = k · out/g     delay = O/2
//!
//! input   |--- I ---|--- I ---|--- I ---|           spectrum of I frames × filter, cut or padded to O bins,
//! raw     |--- O ---|--- O ---|--- O ---|---        back to 2 · O frames: the second half is added to the next block
//! output       |--- frame n is raw frame n + delay, in block (n + delay) / O
//! ```
//!
//! Raw block `b` depends on input blocks `b - 1` and `b` only. A seek is therefore exact if it restarts one block early
//! on the same grid and drops that block's output. The minimum of 512 output frames keeps the passband of strong
//! downsampling (768 to 48 kHz) above 0.9 of the Nyquist frequency; for ratios up to 4 the minimum of 2048 input frames
//! decides.
#![expect(
    clippy::indexing_slicing,
    reason = "every range lies in a buffer that was made for that size"
)]

use super::{Flaw, FlawKind, Source};
use crate::{
    block::Block,
    error::{Error, ErrorKind, Result},
    layout::Spec,
    units::{Frames, SampleRate},
};
use audioadapter_buffers::direct::SequentialSlice;
use rubato::{Fft, FixedSync, Indexing, Resampler, WindowFunction};

/// Minimum number of input frames in a block.
const MIN_BLOCK_IN: usize = 2048;
/// Minimum number of output frames in a block.
const MIN_BLOCK_OUT: usize = 512;
/// Maximum ratio between the rates, either way.
const MAX_RATIO: u32 = 256;
/// Maximum number of frames in a block on either side. Rates without a common factor would take hundreds of MiB.
const MAX_BLOCK_FRAMES: usize = 600_000;
/// Maximum number of frames in a unit on either side where the rates are not whole. A block has two at least.
const MAX_UNIT_FRAMES: u64 = MAX_BLOCK_FRAMES as u64 / 2;
/// Maximum number of samples in an input and an output block together, all channels counted: half a GiB of buffers.
const MAX_BLOCK_SAMPLES: usize = 16_000_000;
/// Largest sample that is convolved: far above any audio, and far below where a sum of products overflows.
const MAX_INPUT_SAMPLE: f64 = 1e100;
/// Maximum number of frames per read of the source.
const MAX_READ_FRAMES: usize = 8192;

/// Converts a source to another sample rate.
///
/// After a seek it reads the pre-roll that it needs by itself. Equal rates pass bit for bit. Nothing is allocated after
/// construction, except to report a flaw.
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
    convolver: Option<BlockConvolver>,
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
        let from = source.spec();
        Self::check(from, to)?;
        let convolver = if from.rate == to {
            None
        } else {
            Some(BlockConvolver::new(from, to)?)
        };
        Ok(Self {
            source,
            spec: Spec { rate: to, ..from },
            convolver,
        })
    }

    /// Checks whether audio of this rate and layout can be converted to rate `to`, without allocating anything.
    ///
    /// # Errors
    /// `Unsupported`, with the rates and the limit, for a ratio above 256 either way; for rates whose common factor is
    /// so small that a block would exceed 600 000 frames; if the two blocks would exceed 16 000 000 samples over all
    /// channels; and for no channels.
    ///
    /// ```
    /// use soundtrack::media::Resampled;
    /// use soundtrack::{Layout, SampleRate, Spec};
    /// let odd = Spec { rate: SampleRate::new(767_999)?, layout: Layout::Mono };
    /// let refused = Resampled::check(odd, SampleRate::HZ_48000).unwrap_err();
    /// assert_eq!(
    ///     refused.to_string(),
    ///     "767999 Hz cannot be resampled to 48000 Hz: blocks of 1535998 frames are over the limit of 600000"
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
        let (block_in, block_out) = block_sizes(from.rate, to);
        let longest = block_in.max(block_out);
        if longest > MAX_BLOCK_FRAMES {
            let why =
                format!("blocks of {longest} frames are over the limit of {MAX_BLOCK_FRAMES}");
            return Err(refused(from.rate, to, why));
        }
        let samples = (block_in + block_out).saturating_mul(channels);
        if samples > MAX_BLOCK_SAMPLES {
            let why = format!(
                "{samples} samples in blocks of all channels are over the limit of {MAX_BLOCK_SAMPLES}"
            );
            return Err(refused(from.rate, to, why));
        }
        Ok(())
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
        match &mut self.convolver {
            Some(convolver) => convolver.read(self.source.as_mut(), out),
            None => self.source.read(out),
        }
    }

    /// Seeks to a frame. The inner source is moved by the next read, which returns its errors.
    fn seek(&mut self, to: Frames) -> Result<()> {
        match &mut self.convolver {
            Some(convolver) => {
                convolver.position = to.0;
                Ok(())
            }
            None => self.source.seek(to),
        }
    }

    /// Takes the flaws found since the last call, widened to whole frames of this rate: those of the inner source, and
    /// one for each block with samples that are not finite. Up to a block is read ahead, and read again after a seek,
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
            .convolver
            .as_mut()
            .map(|convolver| std::mem::take(&mut convolver.flaws))
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
/// Whole rates give it exactly. The unit of others can be too long for a block, and is then the nearest fraction that is
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

/// Returns the number of frames in an input and an output block.
fn block_sizes(from: SampleRate, to: SampleRate) -> (usize, usize) {
    let (unit_in, unit_out) = unit(from, to);
    let units = MIN_BLOCK_IN
        .div_ceil(unit_in)
        .max(MIN_BLOCK_OUT.div_ceil(unit_out))
        .next_multiple_of(2);
    (units * unit_in, units * unit_out)
}

/// The filter, its buffers and its position.
struct BlockConvolver {
    fft: Fft<f64>,
    from: SampleRate,
    to: SampleRate,
    block_in: usize,
    block_out: usize,
    /// The last block read from the source; its first `source_used` frames are consumed.
    source_block: Block,
    source_used: usize,
    /// An input block that was collected from several reads, planar.
    input: Vec<f64>,
    /// The raw block with number `output_block`, planar.
    output: Vec<f64>,
    output_block: Option<u64>,
    /// Number of the raw block that the filter produces next; `None` after an error, when it has to be restarted.
    next_block: Option<u64>,
    /// Exclusive end of the last input block, in frames of the source.
    input_end: u64,
    /// Length in output frames, once the source has ended. After a restart past its end this is an upper bound, below
    /// every position that is read from there.
    end: Option<u64>,
    /// Output frame of the next read.
    position: u64,
    /// Samples that were replaced, in frames of the source.
    flaws: Vec<Flaw>,
}

impl BlockConvolver {
    fn new(from: Spec, to: SampleRate) -> Result<Self> {
        let (block_in, block_out) = block_sizes(from.rate, to);
        let channels = from.layout.channels();
        let (unit_in, unit_out) = unit(from.rate, to);
        let window = WindowFunction::BlackmanHarris2;
        let fft = Fft::new_custom(
            unit_in,
            unit_out,
            block_in,
            1,
            channels,
            window,
            FixedSync::Input,
        )
        .map_err(|e| refused(from.rate, to, e))?;
        let sized = fft.fft_size_in() == block_in && fft.fft_size_out() == block_out;
        if !sized || fft.output_delay() != block_out / 2 {
            return Err(refused(
                from.rate,
                to,
                "the filter has another size than asked for",
            ));
        }
        Ok(Self {
            fft,
            from: from.rate,
            to,
            block_in,
            block_out,
            source_block: Block::new(from.layout, block_in.min(MAX_READ_FRAMES)),
            source_used: 0,
            input: vec![0.0; channels * block_in],
            output: vec![0.0; channels * block_out],
            output_block: None,
            next_block: Some(0),
            input_end: 0,
            end: None,
            position: 0,
            flaws: Vec::new(),
        })
    }

    /// Fills `out`. Advances the position only on success, so that a failed read can be repeated.
    fn read(&mut self, source: &mut dyn Source, out: &mut Block) -> Result<usize> {
        let capacity = out.capacity();
        let size = self.block_out as u64;
        let mut done = 0;
        out.set_frames(capacity);
        while done < capacity {
            let position = self.position.saturating_add(done as u64);
            if self.end.is_some_and(|end| end <= position) {
                break;
            }
            let raw = position.saturating_add(size / 2);
            let (block, skip) = (
                raw / size,
                usize::try_from(raw % size).unwrap_or(self.block_out),
            );
            // A whole block is convolved directly into `out`.
            let direct =
                skip == 0 && capacity - done >= self.block_out && self.next_block == Some(block);
            if direct {
                self.convolve_next(source, block, Some((out, done)))?;
            } else {
                self.ensure_output(source, block)?;
            }
            let left = usize::try_from(self.end.unwrap_or(u64::MAX).saturating_sub(position))
                .unwrap_or(usize::MAX);
            let n = left.min(self.block_out - skip).min(capacity - done);
            if !direct {
                for (to, from) in out
                    .channels_mut()
                    .zip(self.output.chunks_exact(self.block_out))
                {
                    to[done..done + n].copy_from_slice(&from[skip..skip + n]);
                }
            }
            done += n;
        }
        out.set_frames(done);
        self.position = self.position.saturating_add(done as u64);
        Ok(done)
    }

    /// Makes `output` hold raw block `block`.
    fn ensure_output(&mut self, source: &mut dyn Source, block: u64) -> Result<()> {
        if self.output_block == Some(block) {
            return Ok(());
        }
        // The next block and the one after it are reached without a seek of the source.
        let next = match self.next_block {
            Some(next) if (next..=next.saturating_add(1)).contains(&block) => next,
            _ => self.restart(source, block.saturating_sub(1))?,
        };
        (next..=block).try_for_each(|block| self.convolve_next(source, block, None))
    }

    /// Restarts the filter with input block `block`. The raw block for it lacks the contribution of the block before
    /// and has to be dropped, unless it is the first.
    fn restart(&mut self, source: &mut dyn Source, block: u64) -> Result<u64> {
        (self.next_block, self.output_block) = (None, None);
        self.end = None;
        self.input_end = block.saturating_mul(self.block_in as u64);
        source.seek(Frames(self.input_end))?;
        self.source_block.set_frames(0);
        self.source_used = 0;
        self.fft.reset();
        Ok(block)
    }

    /// Convolves the next input block into raw block `number`. Writes it into the given block from the given frame on,
    /// or else into `output`. After the end of the source the input is silence.
    fn convolve_next(
        &mut self,
        source: &mut dyn Source,
        number: u64,
        out: Option<(&mut Block, usize)>,
    ) -> Result<()> {
        (self.next_block, self.output_block) = (None, None);
        let (filled, at) = self.next_input(source)?;
        let (from, to, channels) = (self.from, self.to, self.fft.nbr_channels());
        let source_stride = self.source_block.capacity();
        let (input, stride, first) = match at {
            Some(at) => (self.source_block.room_mut(), source_stride, at),
            None => (self.input.as_mut_slice(), self.block_in, 0),
        };
        let replaced = zero_bad_samples(
            input
                .chunks_exact_mut(stride)
                .map(|c| &mut c[first..first + filled]),
        );
        let output_block = out.is_none().then_some(number);
        let (output, output_stride, offset) = match out {
            Some((out, offset)) => {
                let capacity = out.capacity();
                (out.room_mut(), capacity, offset)
            }
            None => (self.output.as_mut_slice(), self.block_out, 0),
        };
        let input =
            SequentialSlice::new(&*input, channels, stride).map_err(|e| refused(from, to, e))?;
        let mut output = SequentialSlice::new_mut(output, channels, output_stride)
            .map_err(|e| refused(from, to, e))?;
        let indexing = Indexing::new()
            .partial_len(filled)
            .input_offset(first)
            .output_offset(offset);
        self.fft
            .process_into_buffer(&input, &mut output, Some(&indexing))
            .map_err(|e| refused(from, to, e))?;
        if let Some((first, last)) = replaced {
            let at = Frames(self.input_end) - Frames((filled - first) as u64);
            let what = "samples that are not finite numbers".into();
            self.flaws.push(Flaw {
                kind: FlawKind::NonFinite,
                at,
                len: Frames((last - first + 1) as u64),
                what,
            });
        }
        (self.next_block, self.output_block) = (Some(number.saturating_add(1)), output_block);
        Ok(())
    }

    /// Reads the next input block. Returns its number of frames, short only at the end of the source, and its offset in
    /// `source_block` if one read delivered all of it; otherwise it is collected in `input`.
    fn next_input(&mut self, source: &mut dyn Source) -> Result<(usize, Option<usize>)> {
        let mut filled = 0;
        while filled < self.block_in && self.end.is_none() {
            if self.source_used == self.source_block.frames() {
                self.source_used = 0;
                self.source_block.set_frames(0);
                let got = source
                    .read(&mut self.source_block)?
                    .min(self.source_block.frames());
                self.source_block.set_frames(got);
                if got == 0 {
                    self.end = Some(Frames(self.input_end).resampled(self.from, self.to).0);
                    break;
                }
            }
            let n = (self.block_in - filled).min(self.source_block.frames() - self.source_used);
            self.input_end = self.input_end.saturating_add(n as u64);
            let at = self.source_used;
            self.source_used += n;
            if n == self.block_in {
                return Ok((n, Some(at)));
            }
            for (to, from) in self
                .input
                .chunks_exact_mut(self.block_in)
                .zip(self.source_block.channels())
            {
                to[filled..filled + n].copy_from_slice(&from[at..at + n]);
            }
            filled += n;
        }
        Ok((filled, None))
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
    fn blocks_are_an_even_number_of_units_of_the_measured_sizes() {
        let size = |a, b| block_sizes(SampleRate::new(a).unwrap(), SampleRate::new(b).unwrap());
        assert_eq!(size(44_100, 48_000), (2058, 2240));
        assert_eq!(size(48_000, 44_100), (2240, 2058));
        assert_eq!(size(96_000, 44_100), (2560, 1176));
        assert_eq!(size(192_000, 48_000), (2048, 512));
        assert_eq!(size(8_000, 48_000), (2048, 12_288));
        assert_eq!(size(47_999, 48_000), (95_998, 96_000));
        assert_eq!(size(768_000, 48_000), (8192, 512));
    }
}
