//! Closed-form sources and whole renders of them.

use soundtrack::media::{Flaw, Resampled};
use soundtrack::{Block, Error, ErrorKind, Frames, Layout, Result, SampleRate, Source, Spec};
use std::f64::consts::TAU;

/// The sample of a channel at a frame.
pub type Wave = Box<dyn Fn(usize, u64) -> f64 + Send>;

/// A source whose every sample is a function of channel and frame.
pub struct Signal {
    pub spec: Spec,
    /// Frames delivered.
    pub len: u64,
    /// Frames promised.
    pub stated: Option<u64>,
    /// Sizes of the reads, in turn.
    pub sizes: &'static [usize],
    /// Flaws to tell.
    pub flaws: Vec<Flaw>,
    /// The read that fails, counted from 0.
    pub fails: Option<usize>,
    wave: Wave,
    at: u64,
    reads: usize,
}

impl Signal {
    pub fn new(
        hz: u32,
        layout: Layout,
        len: u64,
        wave: impl Fn(usize, u64) -> f64 + Send + 'static,
    ) -> Self {
        let (spec, wave) = (
            Spec {
                rate: rate(hz),
                layout,
            },
            Box::new(wave),
        );
        Self {
            spec,
            len,
            stated: Some(len),
            sizes: &[usize::MAX],
            flaws: vec![],
            fails: None,
            wave,
            at: 0,
            reads: 0,
        }
    }

    pub fn to(self, hz: u32) -> Resampled {
        Resampled::new(Box::new(self), rate(hz)).unwrap()
    }
}

impl Source for Signal {
    fn spec(&self) -> Spec {
        self.spec
    }

    fn length(&self) -> Option<Frames> {
        self.stated.map(Frames)
    }

    fn read(&mut self, out: &mut Block) -> Result<usize> {
        let size = self.sizes[self.reads % self.sizes.len()];
        self.reads += 1;
        if self.fails == Some(self.reads - 1) {
            return Err(Error::new(ErrorKind::Corrupt, "damaged"));
        }
        let n = out
            .capacity()
            .min(size)
            .min(usize::try_from(self.len.saturating_sub(self.at)).unwrap());
        out.set_frames(n);
        for (ch, samples) in out.channels_mut().enumerate() {
            for (sample, at) in samples.iter_mut().zip(self.at..) {
                *sample = (self.wave)(ch, at);
            }
        }
        self.at += n as u64;
        Ok(n)
    }

    fn seek(&mut self, to: Frames) -> Result<()> {
        self.at = to.0;
        Ok(())
    }

    fn flaws(&mut self) -> Vec<Flaw> {
        std::mem::take(&mut self.flaws)
    }
}

pub fn rate(hz: u32) -> SampleRate {
    SampleRate::new(hz).unwrap()
}

/// Input and output block of a rate pair, from the formula in the module's head.
pub fn blocks(from: u32, to: u32) -> (u64, u64) {
    let (mut g, mut rest) = (from, to);
    while rest != 0 {
        (g, rest) = (rest, g % rest);
    }
    let (a, b) = (u64::from(from / g), u64::from(to / g));
    let k = 2048u64
        .div_ceil(a)
        .max(512u64.div_ceil(b))
        .next_multiple_of(2);
    (k * a, k * b)
}

/// White noise within ±0.5, a function of channel and frame.
pub fn noise(ch: usize, at: u64) -> f64 {
    let mut x = at.wrapping_mul(0x9E37_79B9_7F4A_7C15)
        ^ (ch as u64 + 1).wrapping_mul(0xD1B5_4A32_D192_ED03);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((x ^ (x >> 31)) >> 11) as f64 / (1u64 << 53) as f64 - 0.5
}

/// Sine and cosine of `hz` at a frame of a rate. The phase is reduced in integers, so it is exact at every frame.
pub fn sine(hz: u32, at: u64, rate: u32) -> (f64, f64) {
    let turns = u128::from(hz) * u128::from(at) % u128::from(rate);
    let half = u128::from(rate) / 2;
    let signed = if turns > half {
        turns as f64 - f64::from(rate)
    } else {
        turns as f64
    };
    let phase = TAU * (signed / f64::from(rate));
    (phase.sin(), phase.cos())
}

/// Reads on to the end in blocks of a capacity, or of several in turn: every channel.
pub fn rest(source: &mut dyn Source, capacities: &[usize]) -> Vec<Vec<f64>> {
    let mut all = vec![Vec::new(); source.spec().layout.channels()];
    let mut blocks: Vec<Block> = capacities
        .iter()
        .map(|&c| Block::new(source.spec().layout, c))
        .collect();
    let turns = blocks.len();
    for turn in 0.. {
        let block = &mut blocks[turn % turns];
        let n = source.read(block).unwrap();
        assert_eq!(n, block.frames());
        if n == 0 {
            break;
        }
        all.iter_mut()
            .zip(block.channels())
            .for_each(|(a, c)| a.extend_from_slice(c));
    }
    assert_eq!(
        source.read(&mut blocks[0]).unwrap(),
        0,
        "the end stays the end"
    );
    all
}

/// A mono wave at another rate.
pub fn mono(from: u32, to: u32, len: u64, wave: impl Fn(u64) -> f64 + Send + 'static) -> Vec<f64> {
    rest(
        &mut Signal::new(from, Layout::Mono, len, move |_, at| wave(at)).to(to),
        &[16_384],
    )
    .remove(0)
}

/// Bit for bit the same.
pub fn same(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(x, y)| x.to_bits() == y.to_bits())
}
