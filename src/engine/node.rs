//! One lane, running: its input, its gain and pan, its meter.
//!
//! While nothing sounds, a sum holds −0.0, the one number that changes nothing when it is added: so what is outside a
//! clip leaves every bit of the others alone, their signed zeros too. The master turns what is outside all clips into 0.0.

use super::{
    buffer_pool::Given,
    flaws::FlawLog,
    overload_guard::{Guard, Height},
    ramps::Moves,
    waveform_builder::Sketch,
};
use crate::{
    block::Block,
    dsp::{
        gain::{add_scaled, add_shaped, put_scaled, scale, shape},
        pan::PanLaw,
    },
    engine::clip_reader::ClipReader,
    error::Result,
    layout::{Layout, Side},
    measure::{Measured, Meter, survey::Survey},
    plan::{Lane, LaneInput, LaneKind, Placing, Plan, PlannedClip},
    units::Pan,
};
use std::ops::Range;

/// What adds up to nothing.
pub(super) const NOTHING: f64 = -0.0;

/// What a lane gives in a block.
pub(super) struct Output {
    pub block: Block,
    /// Whether the block holds anything.
    pub active: bool,
}

impl Output {
    pub(super) fn new(layout: Layout) -> Self {
        Self { block: Block::new(layout, 0), active: false }
    }
}

/// A lane's part of a step.
#[derive(Clone, Copy)]
pub(super) struct Turn<'a> {
    pub plan: &'a Plan,
    /// What each of the lane's feeds gives, in their order, where they move; else it is added up already.
    pub fed: &'a [Given<'a>],
    /// The first frame.
    pub at: u64,
    pub frames: usize,
}

/// What a lane keeps from block to block.
pub(super) struct LaneState {
    /// The sum of a track's mono clips, until the pan law places it.
    mono: Block,
    /// One for each clip.
    pub(super) readers: Vec<ClipReader>,
    /// Changes on their way, where the plan is played live.
    pub(super) moves: Option<Box<Moves>>,
    /// Mutes what blows up, where the plan is played live.
    pub(super) guard: Option<Guard>,
    height: Height,
    flaws: Vec<FlawLog>,
    survey: Survey,
    /// The first and the last sample of each clip, in its channel where that is largest, with gain and fade.
    edges: Vec<[f64; 2]>,
    /// The waveform, where a picture was asked for.
    pub(super) sketch: Option<Sketch>,
    level: Vec<f64>,
    pan: Vec<f64>,
    factor: Vec<f64>,
    /// Where it was asked for.
    meter: Option<Box<Meter>>,
    /// Whether what is rendered is part of the output.
    counts: bool,
}

impl LaneState {
    pub(super) fn new(lane: &Lane, plan: &Plan) -> Self {
        let clips = lane.clips().len();
        Self {
            mono: Block::new(Layout::Mono, 0),
            readers: (0..clips).map(|_| ClipReader::Direct(None)).collect(),
            moves: None,
            guard: None,
            height: Height::new(lane, plan),
            flaws: vec![FlawLog::default(); clips],
            survey: Survey::new(plan.spec.layout.channels(), plan.spec.rate),
            edges: vec![[0.0; 2]; clips],
            sketch: None,
            level: Vec::new(),
            pan: Vec::new(),
            factor: Vec::new(),
            meter: None,
            counts: true,
        }
    }

    /// Says whether what is rendered from here on is part of the output: only that is measured.
    pub(super) fn count(&mut self, counts: bool) {
        self.counts = counts;
    }

    pub(super) fn measure(&mut self, meter: Option<Meter>) {
        self.meter = meter.map(Box::new);
    }

    pub(super) fn measured(&self) -> Option<Measured> {
        self.meter.as_deref().cloned().map(Meter::finish)
    }

    /// The largest sample before gain and pan.
    pub(super) fn before(&self) -> f64 {
        self.height.largest(&self.survey.peaks)
    }

    pub(super) fn survey(&self) -> &Survey {
        &self.survey
    }

    pub(super) fn edges(&self) -> &[[f64; 2]] {
        &self.edges
    }

    pub(super) fn flaws(&self) -> &[FlawLog] {
        &self.flaws
    }

    /// Renders the lane's part of a block.
    pub(super) fn render(&mut self, out: &mut Output, lane: &Lane, turn: Turn<'_>) -> Result<()> {
        let Turn { plan, fed, at, frames } = turn;
        match &lane.input {
            LaneInput::Clips(clips) => self.play(out, clips, at, frames).map_err(|e| e.in_track(&lane.name))?,
            LaneInput::Sum(feeds) => {
                if let Some(moves) = &self.moves {
                    moves.sum(out, feeds, fed, frames);
                }
                if !out.active {
                    nothing(&mut out.block, frames);
                }
            }
        }
        if let Some(guard) = &mut self.guard {
            guard.take(out, &mut self.mono, frames);
        } else if out.active && self.counts && lane.kind == LaneKind::Track {
            self.height.take(&out.block, &self.mono);
        }
        if out.active {
            self.strip(&mut out.block, lane, plan, at, frames);
        }
        if let Some(moves) = &mut self.moves {
            moves.advance(frames);
        }
        if lane.kind == LaneKind::Master {
            silence(&mut out.block, plan, at, frames);
        }
        if !self.counts {
            return Ok(());
        }
        if out.active {
            self.survey.take(&out.block, at);
            // What a limiter gives out is drawn where it does.
            if let Some(sketch) = self.sketch.as_mut().filter(|_| lane.kind != LaneKind::Master || plan.limit.is_none())
            {
                sketch.take(self.survey.peaks.iter_mut().zip(out.block.channels()), at);
            }
        } else {
            self.survey.skip(frames);
        }
        if let Some(meter) = &mut self.meter {
            if out.active { meter.feed(&out.block) } else { meter.skip(frames) }
        }
        Ok(())
    }

    /// Adds up the clips that sound, each read only while it does.
    fn play(&mut self, out: &mut Output, clips: &[PlannedClip], at: u64, frames: usize) -> Result<()> {
        let end = at + frames as u64;
        let sounds = |c: &PlannedClip| c.range.start < end && at < c.range.end && c.gain != 0.0;
        out.active = clips.iter().any(sounds);
        out.block.set_frames(0);
        self.mono.set_frames(0);
        if !out.active && self.mono.capacity() > 0 {
            self.mono = Block::new(Layout::Mono, 0);
        }
        let kept = self.flaws.iter_mut().zip(&mut self.edges);
        for ((clip, reader), (flaws, edges)) in clips.iter().zip(&mut self.readers).zip(kept) {
            if !sounds(clip) {
                reader.close();
                continue;
            }
            let to = match clip.place {
                Placing::Pan => &mut self.mono,
                Placing::Fold(_) => &mut out.block,
            };
            add_clip(clip, reader, to, at, frames, &mut self.factor, edges)?;
            reader.flaws().into_iter().filter(|_| self.counts).for_each(|flaw| flaws.take(flaw));
        }
        if out.active && out.block.frames() == 0 {
            nothing(&mut out.block, frames);
        }
        Ok(())
    }

    /// Applies gain and pan: the balance to what has sides already, the pan law to what is mono.
    fn strip(&mut self, out: &mut Block, lane: &Lane, plan: &Plan, at: u64, frames: usize) {
        let mono = self.mono.channels().next().filter(|m| !m.is_empty());
        let moving = self.moves.as_ref().and_then(|m| m.fader.as_ref());
        if let (Some(level), Some(pan), None) = (lane.gain.constant(), lane.pan.constant(), moving) {
            let (left, right) = plan.pan_law.gains(Pan(pan));
            let (to_left, to_right) = PanLaw::Balance.gains(Pan(pan));
            for (samples, speaker) in out.channels_mut().zip(plan.spec.layout.speakers()) {
                let side = |l, r| match speaker.side() {
                    Side::Left => l,
                    Side::Right => r,
                    Side::Middle => 1.0,
                };
                scale(samples, level * side(to_left, to_right));
                if let Some(mono) = mono {
                    place(samples, mono, level * speaker.pan(left, right).unwrap_or(0.0));
                }
            }
            return;
        }
        self.level.resize(frames, 0.0);
        self.pan.resize(frames, 0.0);
        lane.gain.fill(at, &mut self.level);
        lane.pan.fill(at, &mut self.pan);
        if let Some(moving) = moving {
            moving.blend(at, &mut self.level, &mut self.pan);
        }
        for (samples, speaker) in out.channels_mut().zip(plan.spec.layout.speakers()) {
            let factors = |gains: &dyn Fn(Pan) -> f64, out: &mut Vec<f64>| {
                out.clear();
                out.extend(self.level.iter().zip(&self.pan).map(|(l, p)| l * gains(Pan(*p))));
            };
            match speaker.side() {
                Side::Left => factors(&|p| PanLaw::Balance.gains(p).0, &mut self.factor),
                Side::Right => factors(&|p| PanLaw::Balance.gains(p).1, &mut self.factor),
                Side::Middle => factors(&|_| 1.0, &mut self.factor),
            }
            shape(samples, &self.factor);
            let Some(mono) = mono else { continue };
            if speaker.pan(1.0, 1.0).is_none() {
                place(samples, mono, 0.0);
                continue;
            }
            match speaker.side() {
                Side::Left => factors(&|p| plan.pan_law.gains(p).0, &mut self.factor),
                _ => factors(&|p| plan.pan_law.gains(p).1, &mut self.factor),
            }
            add_shaped(samples, mono, &self.factor, 1.0);
        }
    }
}

/// Adds the next feed of a sum, if it sounds.
pub(super) fn add(out: &mut Output, given: &Output, gain: f64, frames: usize) {
    if !given.active {
        return;
    }
    let add = if out.active { add_scaled } else { put_scaled };
    if !out.active {
        make_room(&mut out.block, frames);
        out.active = true;
    }
    out.block.channels_mut().zip(given.block.channels()).for_each(|(to, from)| add(to, from, gain));
}

/// Makes everything outside the clips exactly 0.0.
fn silence(out: &mut Block, plan: &Plan, at: u64, frames: usize) {
    for quiet in quiet(plan, at, frames) {
        out.channels_mut().filter_map(|samples| samples.get_mut(quiet.clone())).for_each(|quiet| quiet.fill(0.0));
    }
}

/// The parts of so many frames in which nothing of the mix sounds, counted from the first.
pub(super) fn quiet(plan: &Plan, at: u64, frames: usize) -> impl Iterator<Item = Range<usize>> {
    let end = at + frames as u64;
    let index = move |frame: u64| usize::try_from(frame.clamp(at, end) - at).unwrap_or(frames);
    let first = plan.sounding.partition_point(|r| r.end <= at);
    let ranges = plan.sounding.iter().skip(first).take_while(move |r| r.start < end);
    let edges = ranges.map(move |r| (index(r.start), index(r.end))).chain([(frames, frames)]);
    edges.scan(0, |from, (start, stop)| Some(std::mem::replace(from, stop)..start))
}

/// Makes room for `frames` frames, whatever they hold.
fn make_room(block: &mut Block, frames: usize) {
    if block.capacity() < frames {
        *block = Block::new(block.layout(), frames);
    }
    block.set_frames(frames);
}

/// Makes a block of `frames` frames of nothing.
pub(super) fn nothing(block: &mut Block, frames: usize) {
    make_room(block, frames);
    block.fill(frames, NOTHING);
}

/// A mono signal into one side. A gain of 0 gives 0.0, never −0.0.
fn place(to: &mut [f64], mono: &[f64], gain: f64) {
    if gain == 0.0 {
        to.iter_mut().zip(mono).filter(|(_, m)| m.to_bits() != NOTHING.to_bits()).for_each(|(t, _)| *t += 0.0);
    } else {
        add_scaled(to, mono, gain);
    }
}

/// Adds the part of a clip that sounds in the block. The first clip of a block, which has no frames yet, is written and not
/// added: the same bits, since nothing changes nothing.
fn add_clip(
    clip: &PlannedClip,
    reader: &mut ClipReader,
    to: &mut Block,
    at: u64,
    frames: usize,
    gains: &mut Vec<f64>,
    edges: &mut [f64; 2],
) -> Result<()> {
    let mut now = clip.range.start.max(at);
    let end = clip.range.end.min(at + frames as u64);
    let index = |frame: u64| usize::try_from(frame - at).unwrap_or(frames);
    let fresh = to.frames() == 0;
    if fresh {
        make_room(to, frames);
        for samples in to.channels_mut() {
            samples.iter_mut().take(index(now)).for_each(|s| *s = NOTHING);
            samples.iter_mut().skip(index(end)).for_each(|s| *s = NOTHING);
        }
    }
    while now < end {
        let offset = now - clip.range.start + clip.lead;
        let within = offset % clip.pass;
        let most = usize::try_from((end - now).min(clip.pass - within)).unwrap_or(usize::MAX);
        let left = clip.total - offset;
        let fades = |n: usize| {
            offset < clip.fade_in.length.0
                || left - (n as u64) < clip.fade_out.length.0
                || clip.window.fades(now..now + n as u64)
        };
        let fade = |k: usize| {
            let own = clip.fade_in.gain(offset + k as u64) * clip.fade_out.gain(left - k as u64);
            own * clip.window.gain(now + k as u64)
        };
        let mut edge = |piece: &Block, first: usize, n: usize| {
            let level = |k: usize| {
                let samples = piece.channels().filter_map(|c| c.get(first + k));
                samples.fold(0.0, |m: f64, s| m.max(s.abs())) * (clip.gain * fade(k)).abs()
            };
            if now == clip.range.start {
                edges[0] = level(0);
            }
            if now + n as u64 == clip.range.end && n > 0 {
                edges[1] = level(n - 1);
            }
        };
        // What changes nothing on its way is read straight to where it goes.
        if fresh && now == at && most == to.capacity() && !fades(most) && clip.is_straight(to.layout()) {
            let n = reader.fill(&clip.stem, clip.from + within, to)?;
            to.set_frames(frames);
            if n > 0 {
                edge(to, 0, n);
                now += n as u64;
                continue;
            }
        }
        let room = usize::try_from(end - now).unwrap_or(usize::MAX);
        let (piece, range) = reader.read(&clip.stem, clip.from + within, most, room)?;
        let n = range.len();
        edge(piece, range.start, n);
        let faded = fades(n);
        if faded {
            gains.clear();
            gains.extend((0..n).map(|k| clip.gain * fade(k)));
        }
        let add = |to: &mut [f64], col: usize, factor: f64, first: bool| {
            let from = piece.channel(col).get(range.clone()).unwrap_or(&[]);
            match (faded, first) {
                (false, true) => put_scaled(to, from, clip.gain * factor),
                (false, false) => add_scaled(to, from, clip.gain * factor),
                (true, first) => {
                    if first {
                        to.fill(NOTHING);
                    }
                    add_shaped(to, from, gains, factor);
                }
            }
        };
        let here = index(now);
        for (row, samples) in to.channels_mut().enumerate() {
            let Some(samples) = samples.get_mut(here..here + n) else { continue };
            match &clip.place {
                Placing::Pan => add(samples, 0, 1.0, fresh),
                Placing::Fold(rows) => {
                    let columns = rows.get(row).into_iter().flatten().enumerate().filter(|(_, f)| **f != 0.0);
                    let mut first = fresh;
                    let mut any = false;
                    for (col, &factor) in columns {
                        add(samples, col, factor, first);
                        (first, any) = (false, true);
                    }
                    match (any, fresh) {
                        (true, _) => {}
                        (false, true) => samples.fill(0.0),
                        (false, false) => samples.iter_mut().for_each(|s| *s += 0.0),
                    }
                }
            }
        }
        now += n as u64;
    }
    Ok(())
}
