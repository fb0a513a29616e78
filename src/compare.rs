//! Compares two audio files sample by sample (null test).
//!
//! Samples are compared frame by frame at their own rate, whatever the formats; memory use does not
//! depend on the length. For files that differ, [`Comparison::spans`] lists the differing regions,
//! and [`Comparison::fit`] gives the lag within [`LAGS`] and the gain that turn one file into the
//! other, provided that the remainder lies at least [`FIT_MARGIN_DB`] below the difference. Files
//! with different rates or channel counts are not compared. Damaged files are refused.

mod fit;
mod pair;
mod spans;

pub use fit::{FIT_MARGIN_DB, Fit, LAGS};
pub use spans::{MAX_SPANS, Span};

use crate::{
    error::Result,
    media::{Damage, Input, chunk_reader::WINDOW, stem::Stem},
    units::{Dbfs, Frames, SampleRate},
};
use fit::Sums;
use pair::StemPair;
#[cfg(feature = "serde")]
use serde::Serialize;
use spans::SpanList;
use std::path::Path;

/// Result of comparing two files.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize))]
#[non_exhaustive]
pub struct Comparison {
    /// First file.
    pub a: Compared,
    /// Second file.
    pub b: Compared,
    /// True if rate, number of channels, length and all samples are equal. Formats may differ.
    pub identical: bool,
    /// True if the samples could be compared: rate and number of channels are equal.
    pub comparable: bool,
    /// Number of frames present in both files.
    pub frames: u64,
    /// Number of differing samples among these frames.
    pub different_samples: u64,
    /// Largest difference.
    pub largest: Option<Difference>,
    /// RMS of the differences of all samples; `null` if there are none.
    pub rms_dbfs: Option<f64>,
    /// Regions that differ, in order of time, at most [`MAX_SPANS`]. Regions less than a tenth of a
    /// second apart are merged; if there are too many, the closest ones are merged too.
    pub spans: Vec<Span>,
    /// Lag and gain between the files, if they explain the difference: peak and RMS of the
    /// remainder lie at least [`FIT_MARGIN_DB`] below those of the difference.
    pub fit: Option<Fit>,
    /// Lag and gain from the first difference on, for files that are equal before it and have no
    /// fit as a whole: material was removed, inserted or inverted there.
    pub fit_from_difference: Option<Fit>,
}

/// Properties of a compared file.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize))]
#[non_exhaustive]
pub struct Compared {
    /// Path of the file.
    pub file: String,
    /// Container and codec.
    pub codec: String,
    /// Bits per sample; `null` if the format has no fixed sample width.
    pub bits: Option<u16>,
    /// True for floating-point samples.
    pub float: bool,
    /// Sample rate in hertz.
    pub rate_hz: u32,
    /// Channel layout.
    pub layout: String,
    /// Number of channels.
    pub channels: usize,
    /// Length in frames.
    pub frames: u64,
}

/// Largest difference between two files.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize))]
#[non_exhaustive]
pub struct Difference {
    /// Absolute difference.
    pub level_dbfs: f64,
    /// First frame with this difference.
    pub at_frame: u64,
    /// Time of that frame in seconds.
    pub at_s: f64,
    /// Channel, counted from 0 in WAVE order.
    pub channel: usize,
    /// Sample of the first file.
    pub a: f64,
    /// Sample of the second file.
    pub b: f64,
}

/// Compares the first audio streams of two files of any readable formats.
///
/// ```
/// use soundtrack::{Bounce, Format, Layout, SampleRate, Session, Spec, Track, compare, media::Memory};
/// let folder = tempfile::tempdir()?;
/// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
/// let mut mix = Session::new(spec.rate, spec.layout);
/// mix.add_track(Track::new("x", Memory::new(spec, vec![vec![0.0, 0.5, -0.25, 0.125]])?));
/// let (a, b) = (folder.path().join("a.wav"), folder.path().join("b.wav"));
/// mix.bounce(&a)?;
/// Bounce::new().format(Format::WAV_32F).run(&mix, &b)?;
/// assert!(compare::files(&a, &b)?.identical);
/// mix.tracks_mut()[0].invert = true;
/// Bounce::new().overwrite(true).run(&mix, &b)?;
/// let most = compare::files(&a, &b)?.largest.unwrap();
/// assert_eq!((most.at_frame, most.level_dbfs, most.a, most.b), (1, 0.0, 0.5, -0.5));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// `NotFound`, `Unsupported` or `Corrupt`, with the file and the position.
pub fn files(a: impl AsRef<Path>, b: impl AsRef<Path>) -> Result<Comparison> {
    let open = |path: &Path| {
        let input = Input::file(path);
        let (_, info) = crate::media::open(path, None)?;
        let stem = Stem::probe(&input, info.spec.rate, Damage::Refuse)?;
        let about = Compared {
            file: stem.name.clone(),
            codec: info.codec.clone(),
            bits: info.bits.map(|b| b.width),
            float: info.bits.is_some_and(|b| b.float),
            rate_hz: info.spec.rate.hz(),
            layout: info.spec.layout.to_string(),
            channels: info.spec.layout.channels(),
            frames: info.frames.0,
        };
        Ok((stem, about))
    };
    let ((first, a), (second, b)) = (open(a.as_ref())?, open(b.as_ref())?);
    let comparable = a.rate_hz == b.rate_hz && a.channels == b.channels;
    let frames = if comparable {
        a.frames.min(b.frames)
    } else {
        0
    };
    let same = comparable && a.frames == b.frames;
    let rate = first.rate;
    let mut comparison = Comparison {
        a,
        b,
        identical: false,
        comparable,
        frames,
        different_samples: 0,
        largest: None,
        rms_dbfs: None,
        spans: Vec::new(),
        fit: None,
        fit_from_difference: None,
    };
    if !comparable {
        return Ok(comparison);
    }
    let found = comparison.samples(&mut StemPair::open(&first, &second, 0, 0)?, rate)?;
    comparison.identical = same && comparison.different_samples == 0;
    if comparison.different_samples > 0 {
        comparison.fit = fit::find_fit(&first, &second, &found, 0)?;
        let start = comparison.spans.first().map_or(0, |span| span.start_frame);
        if comparison.fit.is_none() && start > 0 {
            comparison.fit_from_difference = fit::find_fit(&first, &second, &found, start)?;
        }
    }
    Ok(comparison)
}

impl Comparison {
    /// Compares all samples. Returns the sums that the search for a fit needs.
    fn samples(&mut self, pair: &mut StemPair, rate: SampleRate) -> Result<Sums> {
        let (mut largest, mut energy) = (0.0, 0.0);
        let mut sums = Sums::default();
        let mut spans = SpanList::new(rate);
        let mut loudest = [(false, 0.0); 2];
        let safe = LAGS..self.frames.saturating_sub(LAGS);
        while let Some((at, a, b)) = pair.next()? {
            let mut differs = vec![false; a.first().map_or(0, Vec::len)];
            for (channel, (a, b)) in a.iter().zip(b).enumerate() {
                for ((frame, (a, b)), differs) in (at..)
                    .zip(a.iter().zip(b))
                    .zip(&mut differs)
                    .filter(|((_, (a, b)), _)| a != b)
                {
                    let difference = (a - b).abs();
                    *differs = true;
                    self.different_samples += 1;
                    energy += difference * difference;
                    // Of equal differences the earliest frame counts, then the lowest channel.
                    let earlier = self
                        .largest
                        .as_ref()
                        .is_some_and(|l| difference == largest && frame < l.at_frame);
                    if difference > largest || earlier {
                        largest = difference;
                        self.largest = Some(Difference {
                            level_dbfs: Dbfs::from_amplitude(difference.min(f64::MAX)).0,
                            at_frame: frame,
                            at_s: Frames(frame).to_duration(rate).as_secs_f64(),
                            channel,
                            a: *a,
                            b: *b,
                        });
                    }
                }
            }
            for (frame, _) in (at..).zip(&differs).filter(|(_, differs)| **differs) {
                spans.add_frame(frame);
            }
            let inside = safe.contains(&at) && safe.contains(&(at + WINDOW as u64));
            let loud = sums.add_window(a, b);
            for ((most, loud), start) in loudest.iter_mut().zip(loud).zip(&mut sums.loudest) {
                if loud > 0.0 && (inside, loud) > *most {
                    (*most, *start) = ((inside, loud), at);
                }
            }
        }
        sums.largest = largest;
        sums.energy = energy;
        self.spans = spans.into_spans(rate);
        let samples = exact(self.frames) * exact(self.a.channels as u64);
        self.rms_dbfs =
            (energy > 0.0).then(|| Dbfs::from_amplitude((energy.min(f64::MAX) / samples).sqrt()).0);
        Ok(sums)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "files have far fewer than 2^53 samples"
)]
fn exact(n: u64) -> f64 {
    n as f64
}
