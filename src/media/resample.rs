//! A source at another rate: block convolution in f64 with one fixed filter. There is no quality setting.
//!
//! **Promises.** Delay 0: input frame `p` is heard at output time `p · out / in` exactly. Length `ceil(n · out / in)`
//! for the `n` frames that the inner source really delivers. The same samples, bit for bit, however they are asked for:
//! any capacity of the block, any sizes of the inner reads, after any seek. Silence stays exactly 0.0. No allocation
//! after construction. Bit equality is promised between processors of one family; others have other vector units.
//!
//! **Does not** clamp (a full-scale square rings above 1.0) or dither. A sample that is no finite number, or beyond
//! 1e100, would spread over two blocks and the transform refuses it with a panic: it is heard as 0.0 and told as a
//! [`Flaw`].
//!
//! With `g = gcd(in, out)` a minimal unit is `in/g` input and `out/g` output frames. A block is an even number `k` of
//! units, so the filter's delay, half a block, is a whole number of frames on both sides:
//!
//! ```text
//! k = even(max(ceil(2048 / (in/g)), ceil(512 / (out/g))))     I = k · in/g     O = k · out/g     delay = O/2
//!
//! input   |--- I ---|--- I ---|--- I ---|           spectrum of I frames × filter, cut or padded to O bins,
//! raw     |--- O ---|--- O ---|--- O ---|---        back to 2 · O frames: the second half is added to the next block
//! output       |--- frame n is raw frame n + delay, in block (n + delay) / O
//! ```
//!
//! What a raw block holds depends on input blocks `b - 1` and `b` alone. That is why a seek is exact: restart one
//! block early on the same grid and drop what it gives. The floor of 512 output frames keeps the passband of strong
//! downsampling (768 to 48 kHz) above 0.9 of the Nyquist frequency; for ratios up to 4 the 2048 input frames rule.
#![expect(clippy::indexing_slicing, reason = "every range lies in a buffer that the engine has made of that size")]

use super::{Flaw, FlawKind, Source};
use crate::{
    block::Block,
    error::{Error, ErrorKind, Result},
    layout::Spec,
    units::{Frames, SampleRate},
};
use audioadapter_buffers::direct::SequentialSlice;
use rubato::{Fft, FixedSync, Indexing, Resampler, WindowFunction};

/// Fewest input frames of a block.
const LEAST_IN: usize = 2048;
/// Fewest output frames of a block.
const LEAST_OUT: usize = 512;
/// Largest ratio between the rates, either way.
const MOST_RATIO: u32 = 256;
/// Most frames of a block on either side: beyond it, rates without a common factor would take hundreds of MiB.
const MOST_BLOCK: usize = 600_000;
/// Most samples of an input and an output block together, over all channels: about half a GiB of buffers.
const MOST_SAMPLES: usize = 16_000_000;
/// The largest sample let in: far from any audio, and far from where a sum of products overflows.
const LOUDEST: f64 = 1e100;
/// Most frames asked of the inner source at once.
const MOST_READ: usize = 8192;

/// A source heard at another rate.
///
/// It starts where the inner source starts, and pre-rolls by itself after a seek. Equal rates pass bit for bit. At others
/// no allocation is made after construction, except to tell a flaw.
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
    /// None at equal rates.
    engine: Option<Engine>,
}

impl Resampled {
    /// The same audio at rate `to`. The next read of `source` has to start at its frame 0.
    ///
    /// # Errors
    /// `Unsupported` as of [`check`](Self::check).
    pub fn new(source: Box<dyn Source>, to: SampleRate) -> Result<Self> {
        let from = source.spec();
        Self::check(from, to)?;
        let engine = if from.rate == to { None } else { Some(Engine::new(from, to)?) };
        Ok(Self { source, spec: Spec { rate: to, ..from }, engine })
    }

    /// Whether audio of this rate and layout can be had at rate `to`; takes no memory and no time.
    ///
    /// # Errors
    /// `Unsupported`, with the rates and the limit, for a ratio above 256 either way; for rates whose common factor is
    /// so small that a block would exceed 600 000 frames; for so many channels that the two blocks would exceed
    /// 16 000 000 samples; and for no channels.
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
        let refuse = |why: String| Err(refused(from.rate, to, why));
        let channels = from.layout.channels();
        if channels == 0 {
            return refuse("it has no channels".into());
        }
        if from.rate == to {
            return Ok(());
        }
        let (low, high) = (from.rate.min(to).hz(), from.rate.max(to).hz());
        if high > low.saturating_mul(MOST_RATIO) {
            return refuse(format!("the ratio is over the limit of {MOST_RATIO}"));
        }
        let (block_in, block_out) = blocks(from.rate, to);
        let longest = block_in.max(block_out);
        if longest > MOST_BLOCK {
            return refuse(format!("blocks of {longest} frames are over the limit of {MOST_BLOCK}"));
        }
        let samples = (block_in + block_out).saturating_mul(channels);
        if samples > MOST_SAMPLES {
            return refuse(format!("{samples} samples in blocks of all channels are over the limit of {MOST_SAMPLES}"));
        }
        Ok(())
    }
}

impl Source for Resampled {
    fn spec(&self) -> Spec {
        self.spec
    }

    fn length(&self) -> Option<Frames> {
        self.source.length().map(|n| n.resampled(self.source.spec().rate, self.spec.rate))
    }

    fn read(&mut self, out: &mut Block) -> Result<usize> {
        match &mut self.engine {
            Some(engine) => engine.read(self.source.as_mut(), out),
            None => self.source.read(out),
        }
    }

    /// Goes to a frame. The inner source is only moved by the next read, which is where its errors are met.
    fn seek(&mut self, to: Frames) -> Result<()> {
        match &mut self.engine {
            Some(engine) => {
                engine.position = to.0;
                Ok(())
            }
            None => self.source.seek(to),
        }
    }

    /// Takes the flaws met since the last call, widened to whole frames of this rate: those of the inner source, and
    /// one for each block with samples that are no finite numbers. Up to a block is read ahead, and read again after a
    /// seek, so a flaw may be told early, and twice.
    fn flaws(&mut self) -> Vec<Flaw> {
        let (from, to) = (self.source.spec().rate, self.spec.rate);
        let convert = |flaw: Flaw| {
            let end = (flaw.at + flaw.len).resampled(from, to);
            let at = floor_resampled(flaw.at, from, to);
            Flaw { at, len: end - at, ..flaw }
        };
        let own = self.engine.as_mut().map(|engine| std::mem::take(&mut engine.flaws)).unwrap_or_default();
        self.source.flaws().into_iter().chain(own).map(convert).collect()
    }
}

/// The frame at rate `to` that sounds when this one starts, rounded down; saturates.
fn floor_resampled(at: Frames, from: SampleRate, to: SampleRate) -> Frames {
    let n = u128::from(at.0) * u128::from(to.hz()) / u128::from(from.hz());
    Frames(u64::try_from(n).unwrap_or(u64::MAX))
}

/// Frames of an input and an output block.
fn blocks(from: SampleRate, to: SampleRate) -> (usize, usize) {
    let (mut g, mut rest) = (from.hz(), to.hz());
    while rest != 0 {
        (g, rest) = (rest, g % rest);
    }
    let (unit_in, unit_out) = ((from.hz() / g) as usize, (to.hz() / g) as usize);
    let units = LEAST_IN.div_ceil(unit_in).max(LEAST_OUT.div_ceil(unit_out)).next_multiple_of(2);
    (units * unit_in, units * unit_out)
}

/// The filter with its buffers, and where it stands.
struct Engine {
    fft: Fft<f64>,
    from: SampleRate,
    to: SampleRate,
    block_in: usize,
    block_out: usize,
    /// What the inner source delivered last; the first `used` frames of it are taken.
    inbox: Block,
    used: usize,
    /// An input block that came in pieces, planar.
    input: Vec<f64>,
    /// A raw block of which a part is wanted, planar, and its number.
    output: Vec<f64>,
    held: Option<u64>,
    /// The raw block that the filter gives next. None after an error: start over.
    next: Option<u64>,
    /// Frames of the inner source before the end of the latest input block.
    taken: u64,
    /// The length in output frames, once the inner source has ended; after a start behind its end an upper bound that
    /// no frame served from here can reach.
    end: Option<u64>,
    /// The output frame of the next read.
    position: u64,
    /// What was not let in, in frames of the inner source.
    flaws: Vec<Flaw>,
}

impl Engine {
    fn new(from: Spec, to: SampleRate) -> Result<Self> {
        let (block_in, block_out) = blocks(from.rate, to);
        let channels = from.layout.channels();
        let (hz_in, hz_out) = (from.rate.hz() as usize, to.hz() as usize);
        let window = WindowFunction::BlackmanHarris2;
        let fft = Fft::new_custom(hz_in, hz_out, block_in, 1, channels, window, FixedSync::Input)
            .map_err(|e| refused(from.rate, to, e))?;
        let sized = fft.fft_size_in() == block_in && fft.fft_size_out() == block_out;
        if !sized || fft.output_delay() != block_out / 2 {
            return Err(refused(from.rate, to, "the filter has another size than asked for"));
        }
        Ok(Self {
            fft,
            from: from.rate,
            to,
            block_in,
            block_out,
            inbox: Block::new(from.layout, block_in.min(MOST_READ)),
            used: 0,
            input: vec![0.0; channels * block_in],
            output: vec![0.0; channels * block_out],
            held: None,
            next: Some(0),
            taken: 0,
            end: None,
            position: 0,
            flaws: Vec::new(),
        })
    }

    /// Fills `out`. The position moves only when all went well, so a failed read can be repeated.
    fn read(&mut self, source: &mut dyn Source, out: &mut Block) -> Result<usize> {
        let room = out.capacity();
        let size = self.block_out as u64;
        let mut done = 0;
        out.set_frames(room);
        while done < room {
            let position = self.position.saturating_add(done as u64);
            if self.end.is_some_and(|end| end <= position) {
                break;
            }
            let raw = position.saturating_add(size / 2);
            let (block, skip) = (raw / size, usize::try_from(raw % size).unwrap_or(self.block_out));
            // A whole block goes straight to its place.
            let straight = skip == 0 && room - done >= self.block_out && self.next == Some(block);
            if straight {
                self.step(source, block, Some((out, done)))?;
            } else {
                self.load(source, block)?;
            }
            let left = usize::try_from(self.end.unwrap_or(u64::MAX).saturating_sub(position)).unwrap_or(usize::MAX);
            let n = left.min(self.block_out - skip).min(room - done);
            if !straight {
                for (to, from) in out.channels_mut().zip(self.output.chunks_exact(self.block_out)) {
                    to[done..done + n].copy_from_slice(&from[skip..skip + n]);
                }
            }
            done += n;
        }
        out.set_frames(done);
        self.position = self.position.saturating_add(done as u64);
        Ok(done)
    }

    /// Brings raw block `block` into `output`.
    fn load(&mut self, source: &mut dyn Source, block: u64) -> Result<()> {
        if self.held == Some(block) {
            return Ok(());
        }
        // The next block and the one after it are reached without moving the source.
        let next = match self.next {
            Some(next) if (next..=next.saturating_add(1)).contains(&block) => next,
            _ => self.restart(source, block.saturating_sub(1))?,
        };
        (next..=block).try_for_each(|block| self.step(source, block, None))
    }

    /// Starts over with input block `block`. What the filter gives for it lacks the block before, unless it is the
    /// first.
    fn restart(&mut self, source: &mut dyn Source, block: u64) -> Result<u64> {
        (self.next, self.held) = (None, None);
        self.end = None;
        self.taken = block.saturating_mul(self.block_in as u64);
        source.seek(Frames(self.taken))?;
        self.inbox.set_frames(0);
        self.used = 0;
        self.fft.reset();
        Ok(block)
    }

    /// Turns the next input block into raw block `number`, in a block from a frame on or else in `output`; behind the end of
    /// the source the input is silence.
    fn step(&mut self, source: &mut dyn Source, number: u64, out: Option<(&mut Block, usize)>) -> Result<()> {
        (self.next, self.held) = (None, None);
        let (filled, at) = self.fill(source)?;
        let (from, to, channels) = (self.from, self.to, self.fft.nbr_channels());
        let inbox_size = self.inbox.capacity();
        let (input, stride, first) = match at {
            Some(at) => (self.inbox.room_mut(), inbox_size, at),
            None => (self.input.as_mut_slice(), self.block_in, 0),
        };
        let bad = clean(input.chunks_exact_mut(stride).map(|c| &mut c[first..first + filled]));
        let held = out.is_none().then_some(number);
        let (output, room, offset) = match out {
            Some((out, offset)) => {
                let room = out.capacity();
                (out.room_mut(), room, offset)
            }
            None => (self.output.as_mut_slice(), self.block_out, 0),
        };
        let input = SequentialSlice::new(&*input, channels, stride).map_err(|e| refused(from, to, e))?;
        let mut output = SequentialSlice::new_mut(output, channels, room).map_err(|e| refused(from, to, e))?;
        let indexing = Indexing::new().partial_len(filled).input_offset(first).output_offset(offset);
        self.fft.process_into_buffer(&input, &mut output, Some(&indexing)).map_err(|e| refused(from, to, e))?;
        if let Some((first, last)) = bad {
            let at = Frames(self.taken) - Frames((filled - first) as u64);
            let what = "samples that are not finite numbers".into();
            self.flaws.push(Flaw { kind: FlawKind::NonFinite, at, len: Frames((last - first + 1) as u64), what });
        }
        (self.next, self.held) = (Some(number.saturating_add(1)), held);
        Ok(())
    }

    /// Finds an input block: how many frames it has, short only at the end, and where it begins in the inbox, if it came
    /// whole. One that comes in reads of other sizes is collected.
    fn fill(&mut self, source: &mut dyn Source) -> Result<(usize, Option<usize>)> {
        let mut filled = 0;
        while filled < self.block_in && self.end.is_none() {
            if self.used == self.inbox.frames() {
                self.used = 0;
                self.inbox.set_frames(0);
                let got = source.read(&mut self.inbox)?.min(self.inbox.frames());
                self.inbox.set_frames(got);
                if got == 0 {
                    self.end = Some(Frames(self.taken).resampled(self.from, self.to).0);
                    break;
                }
            }
            let n = (self.block_in - filled).min(self.inbox.frames() - self.used);
            self.taken = self.taken.saturating_add(n as u64);
            let at = self.used;
            self.used += n;
            if n == self.block_in {
                return Ok((n, Some(at)));
            }
            for (to, from) in self.input.chunks_exact_mut(self.block_in).zip(self.inbox.channels()) {
                to[filled..filled + n].copy_from_slice(&from[at..at + n]);
            }
            filled += n;
        }
        Ok((filled, None))
    }
}

/// Makes what is no finite number 0.0; from where to where there were any.
fn clean<'a>(channels: impl Iterator<Item = &'a mut [f64]>) -> Option<(usize, usize)> {
    let mut bad: Option<(usize, usize)> = None;
    for samples in channels {
        // Without an early exit the whole look is a few vector instructions.
        if samples.iter().fold(true, |fine, x| fine & (x.abs() <= LOUDEST)) {
            continue;
        }
        for (i, x) in samples.iter_mut().enumerate().filter(|(_, x)| x.is_nan() || x.abs() > LOUDEST) {
            *x = 0.0;
            bad = Some(bad.map_or((i, i), |(first, last)| (first.min(i), last.max(i))));
        }
    }
    bad
}

/// Why it cannot be done. After [`Resampled::check`] the filter has nothing left to refuse, but if it does, it is told.
fn refused(from: SampleRate, to: SampleRate, why: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Unsupported, format!("{from} Hz cannot be resampled to {to} Hz: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_an_even_number_of_units_of_the_measured_sizes() {
        let size = |a, b| blocks(SampleRate::new(a).unwrap(), SampleRate::new(b).unwrap());
        assert_eq!(size(44_100, 48_000), (2058, 2240));
        assert_eq!(size(48_000, 44_100), (2240, 2058));
        assert_eq!(size(96_000, 44_100), (2560, 1176));
        assert_eq!(size(192_000, 48_000), (2048, 512));
        assert_eq!(size(8_000, 48_000), (2048, 12_288));
        assert_eq!(size(47_999, 48_000), (95_998, 96_000));
        assert_eq!(size(768_000, 48_000), (8192, 512));
    }
}
