//! A null test for people: whether two files hold the same audio, and if not, how far apart they are.
//!
//! Samples are compared at their own rate, frame by frame, whatever the formats; memory does not grow with length. Where
//! they differ, [`Comparison::spans`] says when, and [`Comparison::fit`] which lag within [`LAGS`] and which gain turn one
//! into the other, if what remains is at least [`FIT_MARGIN_DB`] below the difference. Files of different rates or numbers
//! of channels are not compared. Damaged files are refused.

mod fit;
mod pair;
mod spans;

pub use fit::{FIT_MARGIN_DB, Fit, LAGS};
pub use spans::{MAX_SPANS, Span};

use crate::{
    error::Result,
    media::{Damage, Input, stem::Stem},
    units::{Dbfs, Frames, SampleRate},
};
use fit::Sums;
use pair::{Pair, WINDOW};
use serde::Serialize;
use spans::SpanList;
use std::path::Path;

/// What two files have in common.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Comparison {
    /// The first file.
    pub a: Compared,
    /// The second file.
    pub b: Compared,
    /// Whether rate, number of channels, length and every sample are the same. Formats may differ.
    pub identical: bool,
    /// Whether samples could be compared: rate and number of channels are the same.
    pub comparable: bool,
    /// Frames that both have.
    pub frames: u64,
    /// Samples among them that differ.
    pub different_samples: u64,
    /// Where they differ most.
    pub largest: Option<Difference>,
    /// The root mean square of all differences; `null` where there is none.
    pub rms_dbfs: Option<f64>,
    /// Spans in which they differ, in order of time, at most [`MAX_SPANS`]. Those that are less than a tenth of a second
    /// apart are one; where there are more, those that are nearest to each other are joined.
    pub spans: Vec<Span>,
    /// The lag and the gain between them. Stated only where they explain the difference: what remains lies at least
    /// [`FIT_MARGIN_DB`] below it, at its largest and in the mean.
    pub fit: Option<Fit>,
    /// The same of what lies at and behind the first difference, where the files are the same before it and have no fit as
    /// a whole: something was cut out, put in, or turned there.
    pub fit_from_difference: Option<Fit>,
}

/// One of two files.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Compared {
    /// The file.
    pub file: String,
    /// Container and codec.
    pub codec: String,
    /// Bits of a sample, where the format has such a number.
    pub bits: Option<u16>,
    /// Its rate.
    pub rate_hz: u32,
    /// Its layout.
    pub layout: String,
    /// How many channels that is.
    pub channels: usize,
    /// Its length.
    pub frames: u64,
}

/// The largest difference between two files.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// Its size.
    pub level_dbfs: f64,
    /// The first frame that has it.
    pub at_frame: u64,
    /// When that is.
    pub at_s: f64,
    /// Its channel, counted from 0 in WAVE order.
    pub channel: usize,
    /// The sample of the first file.
    pub a: f64,
    /// The sample of the second file.
    pub b: f64,
}

/// Compares two audio files of any formats that are read, the first stream of each.
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
/// `NotFound`, `Unsupported` or `Corrupt`, with the file and the place.
pub fn files(a: impl AsRef<Path>, b: impl AsRef<Path>) -> Result<Comparison> {
    let open = |path: &Path| {
        let input = Input::file(path);
        let (_, info) = crate::media::open(path, None)?;
        let stem = Stem::probe(&input, info.spec.rate, Damage::Refuse)?;
        let about = Compared {
            file: stem.name.clone(),
            codec: info.codec.clone(),
            bits: info.bits.map(|b| b.width),
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
    let found = comparison.samples(&mut Pair::open(&first, &second, 0, 0)?, rate)?;
    comparison.identical = same && comparison.different_samples == 0;
    if comparison.different_samples > 0 {
        comparison.fit = fit::find(&first, &second, &found, 0)?;
        let start = comparison.spans.first().map_or(0, |span| span.start_frame);
        if comparison.fit.is_none() && start > 0 {
            comparison.fit_from_difference = fit::find(&first, &second, &found, start)?;
        }
    }
    Ok(comparison)
}

impl Comparison {
    /// Compares all samples. Returns what a fit is searched by.
    fn samples(&mut self, pair: &mut Pair, rate: SampleRate) -> Result<Sums> {
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
                    // The earliest frame first, then the lowest channel.
                    let earlier = self
                        .largest
                        .as_ref()
                        .is_some_and(|l| difference == largest && frame < l.at_frame);
                    if difference > largest || earlier {
                        largest = difference;
                        self.largest = Some(Difference {
                            level_dbfs: Dbfs::of(difference.min(f64::MAX)).0,
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
                spans.add(frame);
            }
            let inside = safe.contains(&at) && safe.contains(&(at + WINDOW as u64));
            let loud = sums.add(a, b);
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
        self.rms_dbfs = (energy > 0.0).then(|| Dbfs::of((energy.min(f64::MAX) / samples).sqrt()).0);
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
