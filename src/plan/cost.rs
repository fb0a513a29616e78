//! Estimates the memory that a plan and its render take, and refuses a plan that exceeds the session's limit.
//!
//! A short session file can describe a very large mix: a cue of a hundred tracks with a thousand overlapping placements makes
//! a hundred thousand nodes. The size of the plan is checked while cues are expanded, before their nodes are made, and the
//! size of the render before its state is made.

use super::{Node, NodeKind, Plan, PlannedClip};
use crate::{
    error::{Error, ErrorKind, Result},
    media::{Resampled, reader::READ_FRAMES},
    units::SampleRate,
};

/// Bytes of a node: its share of the plan, the routing, the running state and the report.
const NODE_BYTES: u64 = 4 << 10;
/// Bytes of a clip, with the same shares.
const CLIP_BYTES: u64 = 1 << 10;
/// Largest read buffer of an open file, in bytes.
const FILE_BYTES: u64 = 64 << 10;
/// Bytes of the tables of a Vorbis decoder; those of other decoders are small.
const VORBIS_BYTES: u64 = 3 << 19;
/// Frames for which a node computes a moving gain or pan at a time, and the number of vectors that it fills: gain, pan and their
/// product.
const MOVING_FRAMES: u64 = 16_384;
const MOVING_VECTORS: u64 = 3;
/// Largest number of peaks that a node keeps, one for each tenth of a second.
const MAX_PEAKS: u64 = 1 << 13;
const SAMPLE_BYTES: u64 = size_of::<f64>() as u64;
const MIB: u64 = 1 << 20;

/// The size of a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    /// Number of nodes.
    pub nodes: u64,
    /// Number of clips, those of cues once for each placement.
    pub clips: u64,
    /// Bytes in addition to those of nodes and clips.
    pub more: u64,
}

impl Cost {
    /// Returns the memory in bytes.
    fn bytes(self) -> u64 {
        let nodes = self.nodes.saturating_mul(NODE_BYTES);
        let clips = self.clips.saturating_mul(CLIP_BYTES);
        nodes.saturating_add(clips).saturating_add(self.more)
    }

    /// Returns a message where the memory exceeds a limit in bytes.
    pub(crate) fn excess(self, limit: u64) -> Option<String> {
        let Self { nodes, clips, .. } = self;
        let (needed, allowed) = (self.bytes().div_ceil(MIB), limit / MIB);
        (self.bytes() > limit).then(|| {
            format!(
                "the mix has {nodes} nodes and {clips} clips, which take about {needed} MiB of memory, and {allowed} MiB \
                 are allowed: use fewer tracks, or fewer placements at the same time, or allow more (--memory, \
                 Session::max_memory)"
            )
        })
    }
}

impl Plan {
    /// Estimates the size of the plan and of the state of its render.
    pub(crate) fn cost(&self) -> Cost {
        let clips = self
            .nodes
            .iter()
            .map(|node| node.clips().len() as u64)
            .sum();
        let heard = || self.nodes.iter().filter(|node| is_heard(node));
        let of_nodes = heard().map(|node| self.node_bytes(node)).sum::<u64>();
        Cost {
            nodes: self.nodes.len() as u64,
            clips,
            more: of_nodes.saturating_add(self.stem_bytes()),
        }
    }

    /// Refuses a plan whose render exceeds the session's limit of memory.
    ///
    /// # Errors
    /// `Session`, with the figures.
    pub(crate) fn check_memory(&self) -> Result<()> {
        match self.cost().excess(self.max_memory) {
            Some(what) => Err(Error::new(ErrorKind::Session, what)),
            None => Ok(()),
        }
    }

    /// Returns the bytes of a node's state beyond [`NODE_BYTES`]: curves, delays, processors and peaks.
    fn node_bytes(&self, node: &Node) -> u64 {
        let channels = self.spec.layout.channels() as u64;
        let length = self.length.0;
        let tenths = length.saturating_mul(10) / u64::from(self.spec.rate.hz());
        let peaks = tenths.min(MAX_PEAKS) * size_of::<f32>() as u64;
        let moves = node.gain.constant().is_none() || node.pan.constant().is_none();
        let moving = if moves {
            length.min(MOVING_FRAMES) * MOVING_VECTORS * SAMPLE_BYTES
        } else {
            0
        };
        let delays: u64 = node.delays.iter().sum();
        let chains = node.before.bytes().saturating_add(node.after.bytes());
        delays
            .saturating_mul(channels * SAMPLE_BYTES)
            .saturating_add(chains)
            .saturating_add(peaks + moving)
    }

    /// Returns the largest number of bytes that the stems which are open at the same time take.
    fn stem_bytes(&self) -> u64 {
        let mut changes: Vec<(u64, i64)> = Vec::new();
        let heard = self.nodes.iter().filter(|node| is_heard(node));
        for clip in heard.flat_map(Node::clips) {
            let bytes = i64::try_from(clip_bytes(clip, self.spec.rate)).unwrap_or(i64::MAX);
            changes.push((clip.range.start, bytes));
            changes.push((clip.range.end, -bytes));
        }
        // Sorting puts ends, which are negative, before starts at one frame.
        changes.sort_unstable();
        let (mut now, mut most) = (0i64, 0i64);
        for (_, change) in changes {
            now = now.saturating_add(change);
            most = most.max(now);
        }
        most.unsigned_abs()
    }
}

/// Returns the bytes that reading a clip takes while it sounds: its block, resampler, decoder tables and read buffer.
pub(super) fn clip_bytes(clip: &PlannedClip, rate: SampleRate) -> u64 {
    let stem = &clip.stem;
    let channels = stem.spec.layout.channels() as u64;
    let resampler = Resampled::buffered_samples(stem.spec, rate).saturating_mul(SAMPLE_BYTES);
    let file = stem.info.as_ref().map_or(0, |info| {
        let bytes = info
            .bits
            .map_or(1, |bits| u64::from(bits.width.div_ceil(8)));
        let whole = info.frames.0.saturating_mul(channels * bytes);
        let tables = if info.codec.contains("Vorbis") {
            VORBIS_BYTES
        } else {
            0
        };
        whole.min(FILE_BYTES) + tables
    });
    READ_FRAMES as u64 * channels * SAMPLE_BYTES + file + resampler
}

fn is_heard(node: &Node) -> bool {
    node.live || node.kind == NodeKind::Master
}
