//! Mixes clips: reads the frames of a clip, applies its envelope, and adds them through its channel matrix.

use super::{
    clip_reader::ClipReader,
    node::{SILENCE, ensure_frames},
};
use crate::{
    block::Block,
    dsp::gain::{add_scaled, add_shaped, put_scaled},
    error::Result,
    plan::PlannedClip,
    units::saturating_usize,
};
use std::ops::Range;

/// Reports whether no fade of a clip touches a stretch of the timeline within it.
pub(super) fn is_flat(clip: &PlannedClip, stretch: Range<u64>) -> bool {
    let offset = clip.offset(stretch.start);
    let left = clip.total - offset - (stretch.end - stretch.start);
    offset >= clip.fade_in.length.0 && left >= clip.fade_out.length.0 && !clip.window.fades(stretch)
}

/// The gain of a clip over time: its level, its own fades, and those of the placement of its cue.
struct Envelope<'a> {
    clip: &'a PlannedClip,
}

impl Envelope<'_> {
    /// Returns the gain of all fades at a frame of the timeline.
    fn fade(&self, frame: u64) -> f64 {
        let offset = self.clip.offset(frame);
        let own =
            self.clip.fade_in.gain(offset) * self.clip.fade_out.gain(self.clip.total - offset);
        own * self.clip.window.gain(frame)
    }

    /// Returns the gain over a stretch, in `values` where it changes.
    fn over<'v>(&self, stretch: Range<u64>, values: &'v mut Vec<f64>) -> Gain<'v> {
        if is_flat(self.clip, stretch.clone()) {
            return Gain::Constant(self.clip.gain);
        }
        values.clear();
        values.extend(stretch.map(|frame| self.clip.gain * self.fade(frame)));
        Gain::Curve(values)
    }

    /// Returns the largest sample of a frame of the stem, in any channel, after the envelope.
    fn peak(&self, piece: &Block, index: usize, frame: u64) -> f64 {
        let samples = piece.channels().filter_map(|channel| channel.get(index));
        samples.fold(0.0, |most: f64, sample| most.max(sample.abs()))
            * (self.clip.gain * self.fade(frame)).abs()
    }
}

/// A gain over a stretch of frames.
#[derive(Clone, Copy)]
enum Gain<'a> {
    Constant(f64),
    /// One value a frame.
    Curve(&'a [f64]),
}

impl Gain<'_> {
    /// Adds samples, times this gain and a factor of the channel matrix.
    fn add(self, to: &mut [f64], from: &[f64], factor: f64) {
        match self {
            Gain::Constant(gain) => add_scaled(to, from, gain * factor),
            Gain::Curve(gains) => add_shaped(to, from, gains, factor),
        }
    }

    /// Writes samples, with the bits that adding them to silence would give.
    fn put(self, to: &mut [f64], from: &[f64], factor: f64) {
        match self {
            Gain::Constant(gain) => put_scaled(to, from, gain * factor),
            Gain::Curve(gains) => {
                to.fill(SILENCE);
                add_shaped(to, from, gains, factor);
            }
        }
    }
}

/// Adds the part of a clip that sounds in `frames` frames from `at` on.
///
/// The clips before this one have written the first `to.frames()` frames of the block. To these it adds; frames after them it
/// writes, which is quicker. A caller fills up the rest with silence after the last clip.
///
/// `edges` receives the level of the first and of the last frame of the clip when they are rendered; `values` is scratch.
pub(super) fn mix_clip(
    clip: &PlannedClip,
    reader: &mut ClipReader,
    to: &mut Block,
    at: u64,
    frames: usize,
    values: &mut Vec<f64>,
    edges: &mut [f64; 2],
) -> Result<()> {
    let envelope = Envelope { clip };
    let end = clip.range.end.min(at + frames as u64);
    let mut now = clip.range.start.max(at);
    if to.frames() == 0 {
        ensure_frames(to, frames);
        to.set_frames(0);
    }
    to.extend(index(now, at), SILENCE);
    let is_straight = clip.is_straight(to.layout());
    while now < end {
        let here = index(now, at);
        let is_new = here == to.frames();
        let (in_pass, mut left) = clip.passes.locate(clip.offset(now));
        left = left.min(end - now);
        if !is_new {
            left = left.min((to.frames() - here) as u64);
        }
        let available = clip.available.saturating_sub(in_pass);
        // A pass whose exact length is not whole can reach past the end of the stem, by less than a frame. A read-ahead queue
        // contains that silence already.
        if available == 0 && reader.is_direct() {
            let n = index(left, 0);
            if is_new {
                to.extend(here + n, 0.0);
            } else {
                let samples = to
                    .channels_mut()
                    .flat_map(|c| c.iter_mut().skip(here).take(n));
                samples.for_each(|sample| *sample += 0.0);
            }
            if now == clip.range.start {
                edges[0] = 0.0;
            }
            now += left;
            if now == clip.range.end {
                edges[1] = 0.0;
            }
            continue;
        }
        let most = index(
            if available == 0 {
                left
            } else {
                left.min(available)
            },
            0,
        );
        // A stretch that no gain, fade or matrix changes is decoded directly into the output.
        if is_new && is_straight && is_flat(clip, now..now + most as u64) {
            let appended = reader.append(&clip.stem, clip.from + in_pass, most, to)?;
            if let Some(n) = appended {
                note_edges(&envelope, to, here..here + n, now, edges);
                now += n as u64;
                continue;
            }
        }
        let (piece, found) =
            reader.read(&clip.stem, clip.from + in_pass, most, index(end - now, 0))?;
        let n = found.len();
        note_edges(&envelope, piece, found.clone(), now, edges);
        let gain = envelope.over(now..now + n as u64, values);
        to.set_frames(to.frames().max(here + n));
        for (channel, samples) in to.channels_mut().enumerate() {
            let Some(samples) = samples.get_mut(here..here + n) else {
                continue;
            };
            mix_row(
                samples,
                piece,
                found.clone(),
                clip.matrix_row(channel),
                gain,
                is_new,
            );
        }
        now += n as u64;
    }
    Ok(())
}

/// Adds the channels of a piece to one channel, each times its factor of the matrix row; to new samples they are written
/// instead. A channel that no channel of the clip feeds becomes 0.0 and not −0.0, since the clip sounds there, with silence.
fn mix_row(
    to: &mut [f64],
    piece: &Block,
    range: Range<usize>,
    row: &[f64],
    gain: Gain<'_>,
    is_new: bool,
) {
    let mut written = false;
    for (channel, &factor) in piece
        .channels()
        .zip(row)
        .filter(|(_, factor)| **factor != 0.0)
    {
        let from = channel.get(range.clone()).unwrap_or(&[]);
        if is_new && !written {
            gain.put(to, from, factor);
        } else {
            gain.add(to, from, factor);
        }
        written = true;
    }
    match (written, is_new) {
        (true, _) => {}
        (false, true) => to.fill(0.0),
        (false, false) => to.iter_mut().for_each(|sample| *sample += 0.0),
    }
}

/// Notes the level of the first and of the last frame of a clip, if the range of a piece, which starts at frame `now`,
/// holds them.
fn note_edges(
    envelope: &Envelope<'_>,
    piece: &Block,
    range: Range<usize>,
    now: u64,
    edges: &mut [f64; 2],
) {
    let (clip, end) = (envelope.clip, now + range.len() as u64);
    if now == clip.range.start {
        edges[0] = envelope.peak(piece, range.start, now);
    }
    if end == clip.range.end && !range.is_empty() {
        edges[1] = envelope.peak(piece, range.end - 1, end - 1);
    }
}

/// Returns the distance between two frames of one block.
fn index(frame: u64, from: u64) -> usize {
    saturating_usize(frame - from)
}
