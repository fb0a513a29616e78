//! A source that plays samples from memory.

use super::{
    Source,
    length_guard::{has_implausible, has_implausible_f32},
};
use crate::{
    block::Block,
    error::{Error, ErrorKind, Result},
    layout::Spec,
    units::Frames,
};
use std::{fmt, sync::Arc};

/// A sample format that [`Memory`] plays without a copy: `f64`, `f32`, `i16` and `i32`.
///
/// Floats are full scale at ±1.0, integers at the range of their type.
pub trait PcmSample: private::Sealed + Copy + Send + Sync + 'static {
    /// Returns the sample as `f64`, full scale ±1.0. The conversion is exact.
    fn to_f64(self) -> f64;
}

mod private {
    use super::{has_implausible, has_implausible_f32};

    pub trait Sealed: Sized {
        /// Returns whether any sample is not finite or implausibly loud, which no integer is.
        fn has_implausible(_: &[Self]) -> bool {
            false
        }
    }
    impl Sealed for f64 {
        fn has_implausible(samples: &[Self]) -> bool {
            has_implausible(samples)
        }
    }
    impl Sealed for f32 {
        fn has_implausible(samples: &[Self]) -> bool {
            has_implausible_f32(samples)
        }
    }
    impl Sealed for i16 {}
    impl Sealed for i32 {}
}

impl PcmSample for f64 {
    fn to_f64(self) -> f64 {
        self
    }
}

impl PcmSample for f32 {
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
}

impl PcmSample for i16 {
    fn to_f64(self) -> f64 {
        f64::from(self) / 32_768.0
    }
}

impl PcmSample for i32 {
    fn to_f64(self) -> f64 {
        f64::from(self) / 2_147_483_648.0
    }
}

/// A source of samples that are in memory. Clones share the samples.
///
/// ```
/// use soundtrack::{Frames, Layout, SampleRate, Session, Spec, Track, media::Memory};
/// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
/// let click = Memory::new(spec, vec![vec![1.0, -0.5]])?;
/// let mut mix = Session::new(SampleRate::HZ_48000, Layout::Mono);
/// mix.add_track(Track::new("click", click));
/// assert_eq!(mix.render(Frames(0)..Frames(3))?, [[1.0, -0.5, 0.0]]);
/// # Ok::<(), soundtrack::Error>(())
/// ```
#[derive(Clone)]
pub struct Memory {
    spec: Spec,
    frames: usize,
    samples: Arc<dyn Samples>,
    position: usize,
}

/// Samples in some format and order.
trait Samples: Send + Sync {
    /// Writes the frames from `from` on into the channels of a block, as many as it holds.
    fn copy(&self, from: usize, out: &mut Block);

    /// Returns false where any of the `frames` frames from `from` on has a sample that is not finite or implausibly loud.
    fn is_plausible(&self, from: usize, frames: usize) -> bool;

    /// Writes the frames from `from` on, times the gain of each channel, into the frames of a block, or adds them to those.
    fn mix(&self, from: usize, gains: &[f64], out: &mut Block, adds: bool);
}

/// Writes samples, times a gain, or adds them to what is there.
#[inline(always)]
fn mix_channel<'a, S: PcmSample>(
    to: &mut [f64],
    samples: impl Iterator<Item = &'a S>,
    gain: f64,
    adds: bool,
) {
    if adds {
        to.iter_mut()
            .zip(samples)
            .for_each(|(to, sample)| *to += sample.to_f64() * gain);
    } else {
        to.iter_mut()
            .zip(samples)
            .for_each(|(to, sample)| *to = sample.to_f64() * gain);
    }
}

/// Returns the samples of a range; none of them if it is not all there.
fn piece<S>(samples: &[S], from: usize, count: usize) -> &[S] {
    let end = from.saturating_add(count);
    samples.get(from..end).unwrap_or_default()
}

/// One vector for each channel.
struct Planar<S>(Vec<Arc<[S]>>);

impl<S: PcmSample> Samples for Planar<S> {
    fn copy(&self, from: usize, out: &mut Block) {
        for (to, samples) in out.channels_mut().zip(&self.0) {
            let samples = samples.get(from..).unwrap_or_default();
            for (to, sample) in to.iter_mut().zip(samples) {
                *to = sample.to_f64();
            }
        }
    }

    fn is_plausible(&self, from: usize, frames: usize) -> bool {
        let mut channels = self.0.iter();
        channels.all(|samples| !S::has_implausible(piece(samples, from, frames)))
    }

    fn mix(&self, from: usize, gains: &[f64], out: &mut Block, adds: bool) {
        let frames = out.frames();
        for ((to, samples), gain) in out.channels_mut().zip(&self.0).zip(gains) {
            mix_channel(to, piece(samples, from, frames).iter(), *gain, adds);
        }
    }
}

/// One vector for each channel, as [`Memory::new`] takes them.
struct Vectors(Vec<Vec<f64>>);

impl Samples for Vectors {
    fn copy(&self, from: usize, out: &mut Block) {
        let frames = out.frames();
        for (to, samples) in out.channels_mut().zip(&self.0) {
            if let Some(samples) = samples.get(from..from + frames) {
                to.copy_from_slice(samples);
            }
        }
    }

    fn is_plausible(&self, from: usize, frames: usize) -> bool {
        let mut channels = self.0.iter();
        channels.all(|samples| !has_implausible(piece(samples, from, frames)))
    }

    fn mix(&self, from: usize, gains: &[f64], out: &mut Block, adds: bool) {
        let frames = out.frames();
        for ((to, samples), gain) in out.channels_mut().zip(&self.0).zip(gains) {
            mix_channel(to, piece(samples, from, frames).iter(), *gain, adds);
        }
    }
}

/// Frames one after the other, each with a sample of every channel.
struct Interleaved<S> {
    samples: Arc<[S]>,
    channels: usize,
}

impl<S: PcmSample> Samples for Interleaved<S> {
    fn copy(&self, from: usize, out: &mut Block) {
        let Self { samples, channels } = self;
        let frames = samples.get(from * channels..).unwrap_or_default();
        let mut targets = out.channels_mut();
        match (channels, targets.next(), targets.next()) {
            // The layout of nearly all music, in one pass over the samples.
            (2, Some(left), Some(right)) => {
                let (frames, _) = frames.as_chunks::<2>();
                for ((left, right), [l, r]) in left.iter_mut().zip(right).zip(frames) {
                    (*left, *right) = (l.to_f64(), r.to_f64());
                }
            }
            _ => {
                drop(targets);
                for (ch, to) in out.channels_mut().enumerate() {
                    let samples = frames.iter().skip(ch).step_by(*channels);
                    for (to, sample) in to.iter_mut().zip(samples) {
                        *to = sample.to_f64();
                    }
                }
            }
        }
    }

    fn is_plausible(&self, from: usize, frames: usize) -> bool {
        !S::has_implausible(self.frames(from, frames))
    }

    fn mix(&self, from: usize, gains: &[f64], out: &mut Block, adds: bool) {
        let samples = self.frames(from, out.frames());
        let mut targets = out.channels_mut();
        match (self.channels, gains, targets.next(), targets.next()) {
            // The layout of nearly all music, in one pass over the samples.
            (2, [g, h, ..], Some(left), Some(right)) => {
                let both = left.iter_mut().zip(right).zip(samples.as_chunks::<2>().0);
                if adds {
                    for ((left, right), [l, r]) in both {
                        *left += l.to_f64() * g;
                        *right += r.to_f64() * h;
                    }
                } else {
                    for ((left, right), [l, r]) in both {
                        (*left, *right) = (l.to_f64() * g, r.to_f64() * h);
                    }
                }
            }
            _ => {
                drop(targets);
                for ((ch, to), gain) in out.channels_mut().enumerate().zip(gains) {
                    let samples = samples.iter().skip(ch).step_by(self.channels);
                    mix_channel(to, samples, *gain, adds);
                }
            }
        }
    }
}

impl<S: PcmSample> Interleaved<S> {
    /// Returns the samples of some frames.
    fn frames(&self, from: usize, frames: usize) -> &[S] {
        let Self { samples, channels } = self;
        piece(
            samples,
            from.saturating_mul(*channels),
            frames.saturating_mul(*channels),
        )
    }
}

impl Memory {
    /// Makes a source from one vector of samples per channel, full scale ±1.0.
    ///
    /// # Errors
    /// `InvalidArgument` if the number of channels is not the layout's, or their lengths differ.
    pub fn new(spec: Spec, channels: Vec<Vec<f64>>) -> Result<Self> {
        let frames = equal_length(spec, channels.iter().map(Vec::len))?;
        Ok(Self::of(spec, frames, Vectors(channels)))
    }

    /// Makes a source from interleaved samples: for each frame a sample of every channel, in the order of the layout. The
    /// samples are not copied.
    ///
    /// ```
    /// use soundtrack::{Frames, Layout, SampleRate, Session, Spec, Track, media::Memory};
    /// use std::sync::Arc;
    /// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Stereo };
    /// let frames: Arc<[i16]> = Arc::from([16_384, -16_384, 8_192, 0]);
    /// let mut mix = Session::new(spec.rate, spec.layout);
    /// mix.add_track(Track::new("loop", Memory::interleaved(spec, frames)?));
    /// assert_eq!(mix.render(Frames(0)..Frames(2))?, [[0.5, 0.25], [-0.5, 0.0]]);
    /// # Ok::<(), soundtrack::Error>(())
    /// ```
    ///
    /// # Errors
    /// `InvalidArgument` if the samples are not a whole number of frames.
    pub fn interleaved<S: PcmSample>(spec: Spec, samples: impl Into<Arc<[S]>>) -> Result<Self> {
        let (samples, channels) = (samples.into(), spec.layout.channels().max(1));
        if samples.len() % channels != 0 {
            let what = format!(
                "{} interleaved samples are no whole number of frames of {channels} channels",
                samples.len()
            );
            return Err(Error::new(ErrorKind::InvalidArgument, what));
        }
        let frames = samples.len() / channels;
        Ok(Self::of(spec, frames, Interleaved { samples, channels }))
    }

    /// Makes a source from the samples of each channel, which are not copied.
    ///
    /// ```
    /// use soundtrack::{Frames, Layout, SampleRate, Session, Spec, Track, media::Memory};
    /// use std::sync::Arc;
    /// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
    /// let take: Arc<[f32]> = Arc::from([0.5, 0.25]);
    /// let mut mix = Session::new(spec.rate, spec.layout);
    /// mix.add_track(Track::new("take", Memory::planar(spec, vec![take])?));
    /// assert_eq!(mix.render(Frames(0)..Frames(2))?, [[0.5, 0.25]]);
    /// # Ok::<(), soundtrack::Error>(())
    /// ```
    ///
    /// # Errors
    /// `InvalidArgument` if the number of channels is not the layout's, or their lengths differ.
    pub fn planar<S: PcmSample>(spec: Spec, channels: Vec<Arc<[S]>>) -> Result<Self> {
        let frames = equal_length(spec, channels.iter().map(|c| c.len()))?;
        Ok(Self::of(spec, frames, Planar(channels)))
    }

    fn of(spec: Spec, frames: usize, samples: impl Samples + 'static) -> Self {
        Self {
            spec,
            frames,
            samples: Arc::new(samples),
            position: 0,
        }
    }

    /// Returns false where any of the `frames` frames from `from` on has a sample that is not finite or implausibly loud, which
    /// [`LengthGuard`](super::length_guard::LengthGuard) handles.
    pub(crate) fn is_plausible(&self, from: usize, frames: usize) -> bool {
        self.samples.is_plausible(from, frames)
    }

    /// Writes the frames from `from` on, times the gain of each channel, into the frames of a block, or adds them to those. All
    /// of these frames must be there.
    pub(crate) fn mix(&self, from: usize, gains: &[f64], out: &mut Block, adds: bool) {
        self.samples.mix(from, gains, out, adds);
    }

    /// Returns a clone at the first frame.
    pub(super) fn rewound(&self) -> Self {
        Self {
            position: 0,
            ..self.clone()
        }
    }

    /// Returns a number that clones of this memory share and no other memory has.
    pub(super) fn identity(&self) -> usize {
        Arc::as_ptr(&self.samples).cast::<()>().addr()
    }
}

/// Returns the length that all channels have.
fn equal_length(spec: Spec, lengths: impl Iterator<Item = usize>) -> Result<usize> {
    let lengths: Vec<usize> = lengths.collect();
    let frames = lengths.first().copied().unwrap_or_default();
    if lengths.len() == spec.layout.channels() && lengths.iter().all(|len| *len == frames) {
        return Ok(frames);
    }
    let what = format!(
        "memory for {} needs {} equal channels, not of {lengths:?} frames",
        spec.layout,
        spec.layout.channels()
    );
    Err(Error::new(ErrorKind::InvalidArgument, what))
}

impl PartialEq for Memory {
    /// Two memories are equal when one is a clone of the other: they share the samples, and are at the same position.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.samples, &other.samples) && self.position == other.position
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Memory({} frames of {:?})", self.frames, self.spec)
    }
}

impl Source for Memory {
    fn spec(&self) -> Spec {
        self.spec
    }

    fn length(&self) -> Option<Frames> {
        Some(Frames(self.frames as u64))
    }

    fn read(&mut self, out: &mut Block) -> Result<usize> {
        let n = self
            .frames
            .saturating_sub(self.position)
            .min(out.capacity());
        out.set_frames(n);
        if n > 0 {
            self.samples.copy(self.position, out);
        }
        self.position += n;
        Ok(n)
    }

    fn seek(&mut self, to: Frames) -> Result<()> {
        // Past the end of any vector: the next read returns 0.
        self.position = usize::try_from(to.0).unwrap_or(usize::MAX);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{layout::Layout, units::SampleRate};

    #[test]
    fn samples_that_no_stem_has_are_found_where_they_are() {
        let spec = Spec {
            rate: SampleRate::HZ_48000,
            layout: Layout::Stereo,
        };
        let (left, mut right) = (vec![0.5; 6], vec![0.5; 6]);
        right[3] = f64::NAN;
        let (left32, mut right32) = (vec![0.5f32; 6], vec![0.5f32; 6]);
        right32[3] = f32::INFINITY;
        let mut frames = vec![0.5; 12];
        frames[7] = f64::NAN;
        for memory in [
            Memory::new(spec, vec![left.clone(), right.clone()]).unwrap(),
            Memory::planar(spec, vec![left.into(), right.into()]).unwrap(),
            Memory::planar(spec, vec![left32.into(), right32.into()]).unwrap(),
            Memory::interleaved(spec, frames).unwrap(),
        ] {
            assert!(memory.is_plausible(0, 3) && memory.is_plausible(4, 2));
            assert!(!memory.is_plausible(0, 4) && !memory.is_plausible(3, 1));
        }
        let integers = Memory::interleaved(spec, vec![i16::MIN; 12]).unwrap();
        assert!(integers.is_plausible(0, 6));
    }
}
