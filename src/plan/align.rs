//! Aligns latency: how far each lane runs behind the tracks, so that everything leaves the master at its own frame.
//!
//! All tracks read their clips at one position. A lane whose processors look ahead gives out less than it has taken, by
//! its latency; where paths of different latency meet, the shorter ones are delayed by the difference.

use super::{Node, NodeInput, NodeKind, Plan, ranges::joined};
use std::ops::Range;

/// How many frames a lane lags behind the position at which tracks read their clips.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lag {
    /// Of its input.
    pub input: u64,
    /// Of its fader, behind the inserts.
    pub fader: u64,
    /// Of its output.
    pub output: u64,
}

/// Finds where each chain sounds, and how far each lane lags.
pub(super) fn align(lanes: &mut [Node]) {
    for index in 0..lanes.len() {
        let (done, rest) = lanes.split_at_mut(index);
        let Some(lane) = rest.first_mut() else {
            continue;
        };
        let input = input_sounding(lane, |feed| {
            done.get(feed).map_or(&[], |l: &Node| &l.after.sounding)
        });
        let sounding = lane.before.place(input).to_vec();
        lane.after.place(sounding);
    }
    // Frames that each lane's output is ahead of the master's.
    let mut ahead = vec![0; lanes.len()];
    for (index, lane) in lanes.iter().enumerate().rev() {
        let own = ahead.get(index).copied().unwrap_or(0) + lane.latency();
        for feed in lane.feeds() {
            if let Some(feeder) = ahead.get_mut(feed.node) {
                *feeder = own.max(*feeder);
            }
        }
    }
    let most = lanes
        .iter()
        .zip(&ahead)
        .filter(|(lane, _)| lane.live)
        .map(|(lane, ahead)| ahead + lane.latency())
        .max();
    let most = most.unwrap_or(0);
    for (lane, ahead) in lanes.iter_mut().zip(&ahead) {
        let input = if lane.kind == NodeKind::Track {
            0
        } else {
            most.saturating_sub(ahead + lane.latency())
        };
        let fader = input + lane.before.latency;
        lane.lag = Lag {
            input,
            fader,
            output: fader + lane.after.latency,
        };
    }
    let outputs: Vec<u64> = lanes.iter().map(|lane| lane.lag.output).collect();
    for lane in lanes {
        let input = lane.lag.input;
        let delay =
            |feeder: usize| input.saturating_sub(outputs.get(feeder).copied().unwrap_or(input));
        lane.delays = lane.feeds().iter().map(|feed| delay(feed.node)).collect();
    }
}

/// Returns where the input of a lane sounds, from where its feeders do.
fn input_sounding<'a>(lane: &Node, output: impl Fn(usize) -> &'a [Range<u64>]) -> Vec<Range<u64>> {
    match &lane.input {
        _ if !lane.live => Vec::new(),
        NodeInput::Clips(clips) => joined(
            clips
                .iter()
                .filter(|c| c.gain != 0.0)
                .map(|c| c.range.clone()),
            0,
        ),
        NodeInput::Sum(feeds) => {
            joined(feeds.iter().flat_map(|feed| output(feed.node)).cloned(), 0)
        }
    }
}

/// Returns where the mix sounds before the processors behind the master's fader, with only these lanes heard.
pub(crate) fn sounding(lanes: &[Node], live: impl Fn(usize) -> bool) -> Vec<Range<u64>> {
    let mut outputs: Vec<Vec<Range<u64>>> = Vec::with_capacity(lanes.len());
    for (index, lane) in lanes.iter().enumerate() {
        let input = if live(index) {
            input_sounding(lane, |feed| outputs.get(feed).map_or(&[], Vec::as_slice))
        } else {
            Vec::new()
        };
        outputs.push(lane.before.sounding_of(input));
    }
    outputs.pop().unwrap_or_default()
}

impl Node {
    /// Returns the look-ahead of the lane's processors.
    fn latency(&self) -> u64 {
        self.before.latency + self.after.latency
    }
}

impl Plan {
    /// Returns the position at which tracks must begin to read, for the mix to be exact from a frame on.
    pub(crate) fn first_input(&self, output: u64) -> u64 {
        let mut needed: Vec<Option<u64>> = vec![None; self.nodes.len()];
        if let Some(master) = needed.last_mut() {
            *master = Some(output);
        }
        let mut first = output;
        for (index, lane) in self.nodes.iter().enumerate().rev() {
            let Some(output) = needed.get(index).copied().flatten() else {
                continue;
            };
            let input = lane.before.first_input(lane.after.first_input(output));
            first = first.min(input);
            for feed in lane.feeds() {
                if let Some(feeder) = needed.get_mut(feed.node) {
                    *feeder = Some(feeder.map_or(input, |before| before.min(input)));
                }
            }
        }
        first
    }
}
