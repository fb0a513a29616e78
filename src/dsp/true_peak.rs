//! Finds the true peak of ITU-R BS.1770-5 Annex 2: the largest value of a signal between its samples.
//!
//! The signal is interpolated to four times its rate in `f32` to locate its crests, and each crest again to 64 times in `f64`
//! to measure it; the result is the largest of those values and of the samples. Chunks that cannot hold a larger value than
//! one already found are skipped: a bound on the filter proves it, so the result is the same. Nothing is recursive: a value
//! depends on the 48 samples around it.

mod kernel;

use super::peak::largest;
use crate::simd::with_avx2;
use kernel::{KERNEL, Kernel, PHASES, REACH};

/// Frames that are searched or skipped together.
pub(crate) const CHUNK: usize = 16;
/// Frames that one call of [`scan`] searches.
pub(crate) const RUN: usize = 512;
/// Frames before and after a run that the filter needs.
pub(crate) const MARGIN: usize = 2 * CHUNK;
/// Chunks in a margin.
const BESIDE: usize = MARGIN / CHUNK;
/// Points for each sample at which crests are located.
const GRID: usize = 4;
/// Largest ratio of a crest to its nearest point of the grid: 1 / cos(π / 8) at half the sample rate, with a margin.
const RISE: f64 = 1.09;
/// Largest ratio of a crest to the height of the parabola through three points of the grid.
const GUESS: f64 = 1.01;
/// Samples above this are not interpolated: the `f32` values that locate crests would overflow.
pub(crate) const ABSURD: f64 = 1e30;

/// The largest value found so far, with its frame and channel.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Crest {
    pub value: f64,
    pub at: u64,
    pub channel: usize,
}

/// Interpolates the chunks of a run that may exceed the value found so far. `samples` are the run with a margin on each side,
/// `position` is the absolute frame of the run's first sample.
pub(crate) fn scan(samples: &[f64], position: u64, channel: usize, found: &mut Crest) {
    const CHUNKS: usize = (MARGIN + RUN + MARGIN) / CHUNK;
    let (mut heights, mut bends) = ([0.0f64; CHUNKS], [0.0f64; CHUNKS]);
    for (height, own) in heights.iter_mut().zip(samples.as_chunks::<CHUNK>().0) {
        *height = largest(own);
    }
    for (i, bend) in bends.iter_mut().enumerate() {
        let rest = samples.get(i * CHUNK..).unwrap_or_default();
        *bend = rest
            .first_chunk()
            .map_or_else(|| last_bend(rest), largest_bend);
    }
    let around = |of: &[f64; CHUNKS], i: usize| {
        of.iter()
            .skip(i - BESIDE)
            .take(2 * BESIDE + 1)
            .fold(0.0, |m: f64, v| m.max(*v))
    };
    for i in BESIDE..CHUNKS - BESIDE {
        let at = i * CHUNK;
        let own = heights
            .get(i)
            .copied()
            .unwrap_or_default()
            .max(samples.get(at + CHUNK).map_or(0.0, |s| s.abs()));
        let straight = own + KERNEL.bend * around(&bends, i);
        if straight.min(KERNEL.gain * around(&heights, i)) > found.value {
            let seen = found.value;
            chunk(&KERNEL, samples, at, found);
            if found.value > seen {
                // `chunk` counts in frames of the buffer.
                *found = Crest {
                    value: found.value,
                    at: (position + found.at).saturating_sub(MARGIN as u64),
                    channel,
                };
            }
        }
    }
}

/// Returns the largest second difference that starts in a chunk, of which two more samples are given.
#[expect(
    clippy::indexing_slicing,
    reason = "all within the array, whose length is known"
)]
fn largest_bend(samples: &[f64; CHUNK + 2]) -> f64 {
    let mut largest = [0.0f64; 2];
    for pair in 0..CHUNK / 2 {
        for (i, most) in largest.iter_mut().enumerate() {
            let at = 2 * pair + i;
            if let [x, y, z] = samples[at..at + 3] {
                let bend = ((x - y) - (y - z)).abs();
                *most = if bend > *most { bend } else { *most };
            }
        }
    }
    largest.into_iter().fold(0.0, f64::max)
}

/// Returns the largest second difference that starts in the last chunk of the buffer, extended by a straight line.
fn last_bend(samples: &[f64]) -> f64 {
    let mut longer = [0.0; CHUNK + 2];
    longer.iter_mut().zip(samples).for_each(|(l, s)| *l = *s);
    let [.., x, y, next, after] = &mut longer;
    *next = *y + (*y - *x);
    *after = *next + (*next - *y);
    largest_bend(&longer)
}

/// Returns the true peak of the chunk from `at` to the first sample after it, or `floor` if that is larger. `samples` must have
/// a margin before and after the chunk.
pub(crate) fn height(samples: &[f64], at: usize, floor: f64) -> f64 {
    let own = largest(samples.get(at..=at + CHUNK).unwrap_or_default());
    let around = samples
        .get(at - MARGIN..at + CHUNK + MARGIN)
        .unwrap_or_default();
    let mut found = Crest {
        value: floor.max(own),
        ..Crest::default()
    };
    let most = KERNEL.gain * largest(around);
    if most > found.value && found.value < ABSURD {
        let bend = around.windows(3).map(|w| {
            if let [x, y, z] = w {
                ((x - y) - (y - z)).abs()
            } else {
                0.0
            }
        });
        if own + KERNEL.bend * bend.fold(0.0, f64::max) > found.value {
            chunk(&KERNEL, samples, at, &mut found);
        }
    }
    found.value
}

/// Interpolates a chunk on the grid, and measures each crest that may be the largest.
fn chunk(kernel: &Kernel, samples: &[f64], at: usize, found: &mut Crest) {
    let first = REACH - 1;
    let Some(window) = samples.get(at - first..at + CHUNK + REACH) else {
        return;
    };
    let planes = with_avx2!(interpolate(kernel, window));
    let mut highest = [0.0f32; CHUNK];
    for plane in &planes {
        highest
            .iter_mut()
            .zip(plane)
            .for_each(|(m, x)| *m = if x.abs() > *m { x.abs() } else { *m });
    }
    let next = samples.get(at + CHUNK).map_or(0.0, |x| x.abs());
    if f64::from(highest.into_iter().fold(0.0, f32::max)).max(next) * RISE <= found.value {
        return;
    }
    // The points next to both ends of the chunk, which a crest at its border is compared with.
    let point = |at: usize, phase: usize| {
        let near = samples.get(at - first..).unwrap_or_default();
        kernel.at(phase, near)
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "locates crests, which are measured in f64"
    )]
    let [before, next, beyond] = [
        point(at - 1, 3 * PHASES / GRID),
        next,
        point(at + CHUNK, PHASES / GRID),
    ]
    .map(|x| x.abs() as f32);
    let [own, quarter, half, mirrored] = &planes;
    let grid = own
        .iter()
        .zip(quarter)
        .zip(half.iter().zip(mirrored))
        .flat_map(|((a, b), (c, d))| [*a, *b, *c, *d]);
    let mut left = before;
    let mut points = grid
        .map(f32::abs)
        .chain([next, beyond])
        .enumerate()
        .peekable();
    while let Some((i, height)) = points.next() {
        let Some((_, right)) = points.peek().copied() else {
            break;
        };
        let crest = height >= left && height >= right && f64::from(height) * RISE > found.value;
        if crest && (height > left || height > right) {
            exact(
                kernel,
                samples,
                at * GRID + i,
                [left, height, right].map(f64::from),
                found,
            );
        }
        left = height;
    }
}

/// Measures a crest near a point of the grid. A parabola through the point and its neighbours locates it.
fn exact(
    kernel: &Kernel,
    samples: &[f64],
    point: usize,
    [left, height, right]: [f64; 3],
    found: &mut Crest,
) {
    const STEP: usize = PHASES / GRID;
    let (slope, curve) = ((right - left) / 2.0, 2.0 * height - left - right);
    if (height + slope * slope / (2.0 * curve)) * GUESS <= found.value {
        return;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "a crest lies within half a step of its point"
    )]
    let offset = (slope / curve * STEP as f64).round() as isize;
    let middle = (point * STEP).saturating_add_signed(offset);
    for place in [middle - 1, middle, middle + 1] {
        let frame = place / PHASES;
        let near = samples.get(frame + 1 - REACH..).unwrap_or_default();
        let value = kernel.at(place % PHASES, near).abs();
        if value > found.value {
            *found = Crest {
                value,
                at: frame as u64,
                channel: 0,
            };
        }
    }
}

/// Interpolates to four times the rate: returns the samples, and the values one, two and three quarters after each.
#[inline(always)]
fn interpolate(kernel: &Kernel, window: &[f64]) -> [[f32; CHUNK]; GRID] {
    let mut x = [0.0f32; CHUNK + 2 * REACH];
    #[expect(
        clippy::cast_possible_truncation,
        reason = "locates crests, which are measured in f64"
    )]
    x.iter_mut().zip(window).for_each(|(x, w)| *x = *w as f32);
    let [own, half, sum, difference] = &mut [[0.0f32; CHUNK]; 4];
    for (j, ((h, s), d)) in kernel
        .half
        .iter()
        .zip(&kernel.sum)
        .zip(&kernel.difference)
        .enumerate()
    {
        let before = x
            .get(REACH - 1 - j..)
            .and_then(|x| x.first_chunk::<CHUNK>());
        let after = x.get(REACH + j..).and_then(|x| x.first_chunk::<CHUNK>());
        let (Some(before), Some(after)) = (before, after) else {
            continue;
        };
        let sums = half
            .iter_mut()
            .zip(sum.iter_mut())
            .zip(difference.iter_mut());
        for (((half, sum), difference), (before, after)) in sums.zip(before.iter().zip(after)) {
            let (even, odd) = (before + after, before - after);
            *half += h * even;
            *sum += s * even;
            *difference += d * odd;
        }
    }
    own.iter_mut()
        .zip(x.iter().skip(REACH - 1))
        .for_each(|(o, x)| *o = *x);
    for (sum, difference) in sum.iter_mut().zip(difference.iter_mut()) {
        (*sum, *difference) = (*sum + *difference, *sum - *difference);
    }
    [*own, *sum, *half, *difference]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bend_of_a_chunk_is_its_largest_second_difference() {
        let squares: [f64; CHUNK + 2] = std::array::from_fn(|n| (n * n) as f64 - 40.0);
        assert_eq!(largest_bend(&squares), 2.0);
        assert_eq!(largest_bend(&squares.map(|x| -x)), 2.0);
        let line: [f64; CHUNK + 2] = std::array::from_fn(|n| 3.0 - 0.5 * n as f64);
        assert_eq!(largest_bend(&line), 0.0);
        assert_eq!(last_bend(&line[..CHUNK]), 0.0);
        assert_eq!(last_bend(&squares[..CHUNK]), 2.0);
        for place in 1..=CHUNK {
            let mut corner = [1.0; CHUNK + 2];
            corner[place] = 1.5;
            assert_eq!(largest_bend(&corner), 1.0, "{place}");
        }
    }
}
