//! Sink that adds dither before another sink, as the last step before quantisation.

use super::{Sink, Written};
use crate::{block::Block, dsp::dither, error::Result, units::Frames};
use std::{fmt, str::FromStr};

pub use crate::dsp::dither::{Shaping, UnknownShaping};

/// Dither settings. Equal seeds give equal noise.
///
/// ```
/// use soundtrack::encode::{Dither, Shaping};
/// let dither: Dither = "high-pass 7".parse()?;
/// assert_eq!((dither.seed, dither.shaping), (7, Shaping::HighPass));
/// assert_eq!(dither.to_string(), "high-pass 7");
/// # Ok::<(), soundtrack::encode::UnknownShaping>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Dither {
    /// Seed of the noise generator.
    pub seed: u64,
    /// Spectrum of the noise.
    pub shaping: Shaping,
}

impl FromStr for Dither {
    type Err = UnknownShaping;

    /// Parses the name of the spectrum, followed by the seed unless it is 0: `white`, `high-pass
    /// 7`.
    fn from_str(text: &str) -> std::result::Result<Self, UnknownShaping> {
        let (name, seed) = text.split_once(' ').unwrap_or((text, "0"));
        Ok(Self {
            seed: seed.parse().map_err(|_| UnknownShaping)?,
            shaping: name.parse()?,
        })
    }
}

impl fmt::Display for Dither {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.seed {
            0 => write!(f, "{}", self.shaping),
            seed => write!(f, "{} {seed}", self.shaping),
        }
    }
}

/// Adds dither for a number of bits and passes the blocks to another sink. Samples that are exactly
/// 0 stay 0.
///
/// ```
/// use soundtrack::{Block, Frames, Layout, Sink, encode::{Dither, Dithered, MemorySink}};
/// let mut block = Block::new(Layout::Mono, 1000);
/// block.fill(1000, 0.3);
/// let render = |from: usize| -> soundtrack::Result<Vec<f64>> {
///     let mut sink = Dithered::new(MemorySink::default(), Dither::default(), 16, Frames(from as u64));
///     let mut part = block.clone();
///     part.set_frames(1000 - from);
///     sink.write(&part)?;
///     Ok(sink.into_inner().into_channels().remove(0))
/// };
/// let (all, tail) = (render(0)?, render(600)?);
/// assert_eq!(all[600..], tail); // noise belongs to the frame
/// assert!(all.iter().all(|x| (x - 0.3).abs() <= 1.0 / 32_768.0));
/// # Ok::<(), soundtrack::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Dithered<S> {
    sink: S,
    dither: Dither,
    bits: u16,
    at: u64,
    channels: Vec<dither::ChannelDither>,
}

impl<S: Sink> Dithered<S> {
    /// Creates a sink that dithers for integers of `bits` bits, 1 to 32. `start` is the timeline
    /// position of the first frame.
    pub fn new(sink: S, dither: Dither, bits: u16, start: Frames) -> Self {
        Self {
            sink,
            dither,
            bits: bits.clamp(1, 32),
            at: start.0,
            channels: Vec::new(),
        }
    }

    pub(crate) fn inner_mut(&mut self) -> &mut S {
        &mut self.sink
    }

    /// Returns the sink that receives the dithered blocks.
    pub fn into_inner(self) -> S {
        self.sink
    }
}

impl<S: Sink> Sink for Dithered<S> {
    fn write(&mut self, block: &Block) -> Result<()> {
        let new =
            |ch| dither::ChannelDither::new(self.dither.seed, ch, self.dither.shaping, self.bits);
        for ch in self.channels.len()..block.layout().channels() {
            self.channels.push(new(ch));
        }
        let mut dithered = block.clone();
        for (samples, dither) in dithered.channels_mut().zip(&mut self.channels) {
            dither.add(samples, self.at);
        }
        self.at = self.at.wrapping_add(block.frames() as u64);
        self.sink.write(&dithered)
    }

    fn finish(&mut self) -> Result<Written> {
        self.sink.finish()
    }
}
