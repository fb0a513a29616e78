//! Aligns latency, so that every frame of the timeline leaves the master at its own position.
//!
//! All tracks read their clips at one position. The output of a node whose processors look ahead lags behind its input by
//! their latency; where paths of different latency meet, the shorter ones are delayed by the difference.

use super::{
    Gates, Node, NodeInput, NodeKind, Plan,
    ranges::{joined, widened},
};
use std::ops::Range;

/// Frames by which a node lags behind the position at which tracks read their clips.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lag {
    pub input: u64,
    /// Lag of the fader, after the inserts.
    pub fader: u64,
    pub output: u64,
}

/// Fills in the sounding ranges of all chains, as [`place_sounding`] does, and the lags and delays of all nodes.
pub(super) fn align(nodes: &mut [Node], gates: Option<&Gates>) {
    place_sounding(nodes, gates);
    // Frames by which each node's output is ahead of the master's.
    let mut ahead = vec![0; nodes.len()];
    for (index, node) in nodes.iter().enumerate().rev() {
        let own = ahead.get(index).copied().unwrap_or(0) + node.latency();
        for feed in node.feeds() {
            if let Some(feeder) = ahead.get_mut(feed.node) {
                *feeder = own.max(*feeder);
            }
        }
        for (key, insert) in node.before.sounding_keys() {
            if let Some(key) = ahead.get_mut(key) {
                *key = own.saturating_sub(insert.behind).max(*key);
            }
        }
    }
    let most = nodes
        .iter()
        .zip(&ahead)
        .filter(|(node, _)| node.live)
        .map(|(node, ahead)| ahead + node.latency())
        .max();
    let most = most.unwrap_or(0);
    for (node, ahead) in nodes.iter_mut().zip(&ahead) {
        // A track reads at once, unless it has to wait for a key.
        let waits = node.before.sounding_keys().next().is_some();
        let input = if node.kind == NodeKind::Track && !waits {
            0
        } else {
            most.saturating_sub(ahead + node.latency())
        };
        let fader = input + node.before.latency;
        node.lag = Lag {
            input,
            fader,
            output: fader + node.after.latency,
        };
    }
    let outputs: Vec<u64> = nodes.iter().map(|node| node.lag.output).collect();
    for node in nodes {
        let input = node.lag.input;
        let delay =
            |feeder: usize| input.saturating_sub(outputs.get(feeder).copied().unwrap_or(input));
        node.delays = node.feeds().iter().map(|feed| delay(feed.node)).collect();
        for key in node.before.keys.iter_mut().flatten() {
            let lag = input + key.behind;
            let output = key.node.and_then(|node| outputs.get(node));
            key.delay = output.map_or(0, |output| lag.saturating_sub(*output));
        }
    }
}

/// Returns the ranges in which the input of a node sounds, given those of each open feed's output.
fn input_sounding<'a>(
    node: &Node,
    output: impl Fn(usize) -> &'a [Range<u64>],
    is_open: impl Fn(usize) -> bool,
) -> Vec<Range<u64>> {
    match &node.input {
        NodeInput::Clips(clips) => joined(
            clips
                .iter()
                .filter(|c| c.gain != 0.0)
                .map(|c| c.range.clone()),
            0,
        ),
        NodeInput::Sum(feeds) => {
            let open = feeds.iter().enumerate().filter(|(feed, _)| is_open(*feed));
            joined(open.flat_map(|(_, feed)| output(feed.node)).cloned(), 0)
        }
    }
}

/// Fills in the sounding and fed ranges of all chains: with these gates, or with the nodes of the plan that are live.
pub(crate) fn place_sounding(nodes: &mut [Node], gates: Option<&Gates>) {
    for index in 0..nodes.len() {
        let (done, rest) = nodes.split_at_mut(index);
        let Some(node) = rest.first_mut() else {
            continue;
        };
        let output = |feed| done.get(feed).map_or(&[][..], |n: &Node| &n.after.sounding);
        let input = if is_live(gates, index, node) {
            input_sounding(node, output, |feed| is_open(gates, index, feed))
        } else {
            Vec::new()
        };
        let sounding = node.before.place(input).to_vec();
        node.after.place(sounding);
    }
}

fn is_live(gates: Option<&Gates>, index: usize, node: &Node) -> bool {
    match gates {
        Some(gates) => gates.live.get(index) == Some(&true),
        None => node.live,
    }
}

fn is_open(gates: Option<&Gates>, index: usize, feed: usize) -> bool {
    match gates.and_then(|gates| gates.feeds.get(index)) {
        Some(feeds) => feeds.get(feed) == Some(&true),
        None => true,
    }
}

/// Returns the end of the last clip or tail that makes the mix longer: with these gates, or with the nodes that are live.
pub(super) fn end(nodes: &[Node], gates: Option<&Gates>) -> u64 {
    let mut outputs: Vec<Vec<Range<u64>>> = Vec::with_capacity(nodes.len());
    for (index, node) in nodes.iter().enumerate() {
        let input = if is_live(gates, index, node) {
            let output = |feed| outputs.get(feed).map_or(&[][..], Vec::as_slice);
            input_sounding(node, output, |feed| is_open(gates, index, feed))
        } else {
            Vec::new()
        };
        let tail = node.before.prolongs_by() + node.after.prolongs_by();
        outputs.push(widened(&input, tail));
    }
    let tails = outputs.pop().unwrap_or_default().into_iter().map(|r| r.end);
    let clips = nodes.iter().flat_map(Node::clips).map(|c| c.range.end);
    clips.chain(tails).max().unwrap_or(0)
}

impl Node {
    /// Returns the look-ahead of the node's processors.
    fn latency(&self) -> u64 {
        self.before.latency + self.after.latency
    }
}

impl Plan {
    /// Returns the position from which tracks must read, so that the mix is exact from a frame of the output on. With a `limit`
    /// recursive processors get no more frames than that ahead of it, and are exact later.
    pub(crate) fn first_input(&self, output: u64, limit: Option<u64>) -> u64 {
        self.first_input_in(output, limit, &mut Vec::new())
    }

    /// Computes [`first_input`](Self::first_input) in memory of the caller, so that nothing is allocated again and again.
    pub(crate) fn first_input_in(
        &self,
        output: u64,
        limit: Option<u64>,
        needed: &mut Vec<Option<u64>>,
    ) -> u64 {
        needed.clear();
        needed.resize(self.nodes.len(), None);
        if let Some(master) = needed.last_mut() {
            *master = Some(output);
        }
        let mut first = output;
        for (index, node) in self.nodes.iter().enumerate().rev() {
            let Some(output) = needed.get(index).copied().flatten() else {
                continue;
            };
            let input = node.after.first_input(output, limit);
            let input = node.before.first_input(input, limit);
            first = first.min(input);
            let keys = node.before.sounding_keys().map(|(key, _)| key);
            for feeder in node.feeds().iter().map(|feed| feed.node).chain(keys) {
                if let Some(feeder) = needed.get_mut(feeder) {
                    *feeder = Some(feeder.map_or(input, |before| before.min(input)));
                }
            }
        }
        first
    }
}
