//! True peak by ITU-R BS.1770-5 Annex 2: the largest value of the signal between its samples.
//!
//! The signal is interpolated to four times its rate, and each crest found there again at 64 times, in f64; the result is
//! the largest of those and of the samples. Zeros precede the first frame and follow the last. Chunks that cannot hold a
//! larger value than their tenth of a second has shown are not interpolated: a bound on the filter tells, so the result
//! is the same. Work is cut at absolute frames, so no bit depends on how the audio was cut into blocks.
//!
//! No recursion: a value depends on 48 samples around it.

mod kernel;

use super::lane::{Keep, Lane};
use crate::{
    block::Block,
    dsp::peak::largest,
    source::Spec,
    units::{Dbtp, Frames},
};
use kernel::{KERNEL, Kernel, PHASES, REACH};

/// Frames that are decided on together.
pub(crate) const CHUNK: usize = 16;
/// Frames that are worked on together.
const RUN: usize = 512;
/// Frames kept before and after a run, for the filter to reach into.
pub(crate) const MARGIN: usize = 2 * CHUNK;
/// Chunks of a margin.
const BESIDE: usize = MARGIN / CHUNK;
/// Points between two samples where crests are looked for.
const GRID: usize = 4;
/// How much a crest can rise above the grid: 1 / cos(π / 8) for the fastest signal, and a little more.
const RISE: f64 = 1.09;
/// How far the height of a parabola through three points of the grid may be off.
const GUESS: f64 = 1.01;
/// What is louder is no signal, and has no room in the numbers that crests are looked for with.
const ABSURD: f64 = 1e30;

/// A true-peak meter. Samples that are not finite count as 0; above 10³⁰ only the samples themselves are seen.
///
/// ```
/// use soundtrack::{Block, Frames, Layout, SampleRate, Spec, measure::TruePeak};
/// let mut meter = TruePeak::new(Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono });
/// let mut block = Block::new(Layout::Mono, 4800);
/// block.set_frames(4800);
/// // A quarter of the rate, 45 degrees off: every sample is 3 dB below the crest.
/// let fade = |n: i32| (f64::from(n.min(4799 - n)) / 480.0).min(1.0);
/// let tone = |n| 0.5 * fade(n) * (std::f64::consts::PI * (f64::from(n) / 2.0 + 0.25)).sin();
/// block.channel_mut(0).iter_mut().zip(0..).for_each(|(s, n)| *s = tone(n));
/// meter.feed(&block);
/// meter.finish();
/// assert_eq!(meter.peak().unwrap().0.to_string(), "-6.02 dBTP");
/// ```
#[derive(Clone, Debug)]
pub struct TruePeak {
    rate: u64,
    channels: Vec<Vec<f64>>,
    /// How many frames of the buffers are filled.
    filled: usize,
    /// The frame after the margin, counted with the zeros before the first.
    position: u64,
    total: u64,
    best: Best,
    /// The tenth of a second that runs are counted to, and its largest value.
    tenth: u64,
    height: f64,
    lane: Lane,
    finished: bool,
}

/// The largest value so far.
#[derive(Clone, Copy, Debug, Default)]
struct Best {
    value: f64,
    at: u64,
    channel: usize,
}

impl TruePeak {
    /// A meter for audio of this rate and layout.
    #[must_use]
    pub fn new(spec: Spec) -> Self {
        Self {
            rate: u64::from(spec.rate.hz()),
            channels: vec![vec![0.0; MARGIN + RUN + MARGIN]; spec.layout.channels()],
            // A margin of zeros, and another that is looked at: a crest may come before the first sample.
            filled: 2 * MARGIN,
            position: 0,
            total: 0,
            best: Best::default(),
            tenth: 0,
            height: 0.0,
            lane: Lane::new(Keep::Largest),
            finished: false,
        }
    }

    /// Takes the next frames. Channels that the layout does not have are passed over, missing ones are silent.
    pub fn feed(&mut self, block: &Block) {
        if self.finished {
            return;
        }
        let given: Vec<&[f64]> = block.channels().collect();
        let mut done = 0;
        while done < block.frames() {
            let n = (MARGIN + RUN + MARGIN - self.filled).min(block.frames() - done);
            for (ch, to) in self.channels.iter_mut().enumerate() {
                let Some(to) = to.get_mut(self.filled..self.filled + n) else { continue };
                match given.get(ch).and_then(|c| c.get(done..done + n)) {
                    Some(from) => to.iter_mut().zip(from).for_each(|(t, f)| *t = if f.is_finite() { *f } else { 0.0 }),
                    None => to.fill(0.0),
                }
            }
            done += n;
            self.filled += n;
            self.total += n as u64;
            if self.filled == MARGIN + RUN + MARGIN {
                self.run();
            }
        }
    }

    /// Ends the signal: zeros follow it. What is fed later is not heard.
    pub fn finish(&mut self) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        while self.position < self.total + 2 * MARGIN as u64 {
            self.channels.iter_mut().filter_map(|c| c.get_mut(self.filled..)).for_each(|c| c.fill(0.0));
            self.run();
        }
        #[expect(clippy::cast_possible_truncation, reason = "seven digits are enough for a curve")]
        self.lane.push(Dbtp::of(self.height).0 as f32);
    }

    /// The true peak so far, the frame before it and its channel; `None` for silence. That of all that was fed after
    /// [`finish`](Self::finish); before, the latest 32 to 543 frames are still to come.
    #[must_use]
    pub fn peak(&self) -> Option<(Dbtp, Frames, usize)> {
        let Best { value, at, channel } = self.best;
        let at = at.saturating_sub(MARGIN as u64).min(self.total.saturating_sub(1));
        (value > 0.0).then(|| (Dbtp::of(value), Frames(at), channel))
    }

    pub(super) fn into_lane(self) -> Lane {
        self.lane
    }

    /// Looks at the run in the buffers, and makes room for the next.
    fn run(&mut self) {
        let first = self.position.saturating_sub(MARGIN as u64).min(self.total.saturating_sub(1));
        let tenth = first * 10 / self.rate;
        while self.tenth < tenth {
            #[expect(clippy::cast_possible_truncation, reason = "seven digits are enough for a curve")]
            self.lane.push(Dbtp::of(self.height).0 as f32);
            (self.tenth, self.height) = (self.tenth + 1, 0.0);
        }
        let kernel = &*KERNEL;
        let mut found = Best { value: self.height, at: 0, channel: 0 };
        for (channel, samples) in self.channels.iter().enumerate() {
            let run = samples.get(MARGIN..MARGIN + RUN).unwrap_or_default();
            let peak = largest(run);
            if peak > found.value {
                let first = run.iter().position(|s| s.abs() == peak).unwrap_or_default();
                found = Best { value: peak, at: self.position + first as u64, channel };
            }
        }
        for (channel, samples) in self.channels.iter().enumerate() {
            if found.value < ABSURD {
                scan(kernel, samples, self.position, channel, &mut found);
            }
        }
        self.height = found.value;
        if found.value > self.best.value {
            self.best = found;
        }
        self.channels.iter_mut().for_each(|c| c.copy_within(RUN.., 0));
        self.filled = 2 * MARGIN;
        self.position += RUN as u64;
    }
}

/// Interpolates those chunks of a run that may hold more than was found.
fn scan(kernel: &Kernel, samples: &[f64], position: u64, channel: usize, found: &mut Best) {
    const CHUNKS: usize = (MARGIN + RUN + MARGIN) / CHUNK;
    let (mut heights, mut bends) = ([0.0f64; CHUNKS], [0.0f64; CHUNKS]);
    for (height, own) in heights.iter_mut().zip(samples.as_chunks::<CHUNK>().0) {
        *height = largest(own);
    }
    for (i, bend) in bends.iter_mut().enumerate() {
        let rest = samples.get(i * CHUNK..).unwrap_or_default();
        *bend = rest.first_chunk().map_or_else(|| last_bend(rest), largest_bend);
    }
    let around =
        |of: &[f64; CHUNKS], i: usize| of.iter().skip(i - BESIDE).take(2 * BESIDE + 1).fold(0.0, |m: f64, v| m.max(*v));
    for i in BESIDE..CHUNKS - BESIDE {
        let at = i * CHUNK;
        let own = heights.get(i).copied().unwrap_or_default().max(samples.get(at + CHUNK).map_or(0.0, |s| s.abs()));
        let straight = own + kernel.bend * around(&bends, i);
        if straight.min(kernel.gain * around(&heights, i)) > found.value {
            let seen = found.value;
            chunk(kernel, samples, at, found);
            if found.value > seen {
                // Told in frames of the buffer until here.
                *found = Best { value: found.value, at: (position + found.at).saturating_sub(MARGIN as u64), channel };
            }
        }
    }
}

/// The largest second difference that starts in a chunk; two more samples are given.
#[expect(clippy::indexing_slicing, reason = "all within the array, whose length is known")]
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

/// The same for the last chunk of the buffer, which goes on straight.
fn last_bend(samples: &[f64]) -> f64 {
    let mut longer = [0.0; CHUNK + 2];
    longer.iter_mut().zip(samples).for_each(|(l, s)| *l = *s);
    let [.., x, y, next, after] = &mut longer;
    *next = *y + (*y - *x);
    *after = *next + (*next - *y);
    largest_bend(&longer)
}

/// The larger of `floor` and of what the signal reaches from `at` to the chunk after it, between samples too. As many
/// samples as a margin must lie before and after these.
pub(crate) fn height(samples: &[f64], at: usize, floor: f64) -> f64 {
    let own = largest(samples.get(at..=at + CHUNK).unwrap_or_default());
    let around = samples.get(at - MARGIN..at + CHUNK + MARGIN).unwrap_or_default();
    let mut found = Best { value: floor.max(own), ..Best::default() };
    let most = KERNEL.gain * largest(around);
    if most > found.value && found.value < ABSURD {
        let bend = around.windows(3).map(|w| if let [x, y, z] = w { ((x - y) - (y - z)).abs() } else { 0.0 });
        if own + KERNEL.bend * bend.fold(0.0, f64::max) > found.value {
            chunk(&KERNEL, samples, at, &mut found);
        }
    }
    found.value
}

/// Interpolates a chunk on the grid, and each crest that may be the largest exactly.
fn chunk(kernel: &Kernel, samples: &[f64], at: usize, found: &mut Best) {
    let first = REACH - 1;
    let Some(window) = samples.get(at - first..at + CHUNK + REACH) else { return };
    let planes = interpolate(kernel, window);
    let mut highest = [0.0f32; CHUNK];
    for plane in &planes {
        highest.iter_mut().zip(plane).for_each(|(m, x)| *m = if x.abs() > *m { x.abs() } else { *m });
    }
    let next = samples.get(at + CHUNK).map_or(0.0, |x| x.abs());
    if f64::from(highest.into_iter().fold(0.0, f32::max)).max(next) * RISE <= found.value {
        return;
    }
    // The points beside the ends of the chunk, since a crest on its border has neighbours.
    let point = |at: usize, phase: usize| {
        let near = samples.get(at - first..).unwrap_or_default();
        kernel.at(phase, near)
    };
    #[expect(clippy::cast_possible_truncation, reason = "these find peaks, and do not measure them")]
    let [before, next, beyond] =
        [point(at - 1, 3 * PHASES / GRID), next, point(at + CHUNK, PHASES / GRID)].map(|x| x.abs() as f32);
    let [own, quarter, half, mirrored] = &planes;
    let grid = own.iter().zip(quarter).zip(half.iter().zip(mirrored)).flat_map(|((a, b), (c, d))| [*a, *b, *c, *d]);
    let mut left = before;
    let mut points = grid.map(f32::abs).chain([next, beyond]).enumerate().peekable();
    while let Some((i, height)) = points.next() {
        let Some((_, right)) = points.peek().copied() else { break };
        let crest = height >= left && height >= right && f64::from(height) * RISE > found.value;
        if crest && (height > left || height > right) {
            exact(kernel, samples, at * GRID + i, [left, height, right].map(f64::from), found);
        }
        left = height;
    }
}

/// The value of a crest near a point of the grid, whose neighbours tell where it is.
fn exact(kernel: &Kernel, samples: &[f64], point: usize, [left, height, right]: [f64; 3], found: &mut Best) {
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
            *found = Best { value, at: frame as u64, channel: 0 };
        }
    }
}

/// The signal at four times its rate: the samples, and what lies one, two and three quarters after them.
fn interpolate(kernel: &Kernel, window: &[f64]) -> [[f32; CHUNK]; GRID] {
    let mut x = [0.0f32; CHUNK + 2 * REACH];
    #[expect(clippy::cast_possible_truncation, reason = "these find peaks, and do not measure them")]
    x.iter_mut().zip(window).for_each(|(x, w)| *x = *w as f32);
    let [own, half, sum, difference] = &mut [[0.0f32; CHUNK]; 4];
    for (j, ((h, s), d)) in kernel.half.iter().zip(&kernel.sum).zip(&kernel.difference).enumerate() {
        let before = x.get(REACH - 1 - j..).and_then(|x| x.first_chunk::<CHUNK>());
        let after = x.get(REACH + j..).and_then(|x| x.first_chunk::<CHUNK>());
        let (Some(before), Some(after)) = (before, after) else { continue };
        let sums = half.iter_mut().zip(sum.iter_mut()).zip(difference.iter_mut());
        for (((half, sum), difference), (before, after)) in sums.zip(before.iter().zip(after)) {
            let (even, odd) = (before + after, before - after);
            *half += h * even;
            *sum += s * even;
            *difference += d * odd;
        }
    }
    own.iter_mut().zip(x.iter().skip(REACH - 1)).for_each(|(o, x)| *o = *x);
    for (sum, difference) in sum.iter_mut().zip(difference.iter_mut()) {
        (*sum, *difference) = (*sum + *difference, *sum - *difference);
    }
    [*own, *sum, *half, *difference]
}
