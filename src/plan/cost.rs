//! Estimates the memory that a plan and its render take, and refuses a plan that exceeds the session's limit.
//!
//! A short session file can describe a very large mix: a cue of a hundred tracks with a thousand overlapping placements makes
//! a hundred thousand nodes. The size of the plan is checked while cues are expanded, before their nodes are made, and the
//! size of the render before its state is made.

use super::{Node, NodeKind, Plan, PlannedClip};
use crate::{
    error::{Error, ErrorKind, Result, counted},
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
        let (nodes, clips) = (counted(self.nodes, "node"), counted(self.clips, "clip"));
        let (needed, allowed) = (self.bytes().div_ceil(MIB), limit / MIB);
        (self.bytes() > limit).then(|| {
            format!(
                "the mix has {nodes} and {clips}, which take about {needed} MiB of memory, and {allowed} MiB \
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
    pub(super) fn check_memory(&self) -> Result<()> {
        match self.cost().excess(self.max_memory) {
            Some(what) => Err(Error::new(ErrorKind::Session, what)),
            None => Ok(()),
        }
    }

    /// Returns the bytes of a node's state beyond [`NODE_BYTES`]: delays, processors and peaks.
    fn node_bytes(&self, node: &Node) -> u64 {
        let channels = self.spec.layout.channels() as u64;
        let tenths = self.length.0.saturating_mul(10) / u64::from(self.spec.rate.hz());
        let peaks = tenths.min(MAX_PEAKS) * size_of::<f32>() as u64;
        let delays: u64 = node.delays.iter().sum();
        let chains = node.before.bytes().saturating_add(node.after.bytes());
        delays
            .saturating_mul(channels * SAMPLE_BYTES)
            .saturating_add(chains)
            .saturating_add(peaks)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        block::Block,
        curve::{Curve, Shape},
        encode::{Format, Sink, WriterSink},
        layout::{Layout, Spec},
        media::{Input, Memory},
        plan::NodeInput,
        session::{Clip, Cue, Insert, Session, Track, Use},
        units::{Dbtp, Decibels, Frames},
    };
    use std::{io::Cursor, sync::Arc};

    /// Bytes of the block of a mono stem.
    const BLOCK: u64 = 2048 * 8;

    fn mono(rate: u32, frames: usize) -> Memory {
        let spec = Spec {
            rate: SampleRate::new(rate).unwrap(),
            layout: Layout::Mono,
        };
        Memory::new(spec, vec![vec![0.5; frames]]).unwrap()
    }

    fn mix(tracks: impl IntoIterator<Item = Track>) -> Session {
        let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
        for track in tracks {
            mix.add_track(track);
        }
        mix
    }

    fn cost(tracks: impl IntoIterator<Item = Track>) -> Cost {
        Plan::compile(&mix(tracks)).unwrap().cost()
    }

    fn clip(at: u64, frames: usize) -> Clip {
        Clip::new(mono(48_000, frames)).at(Frames(at))
    }

    #[test]
    fn nodes_clips_blocks_and_a_peak_for_each_tenth_of_a_second_take_memory() {
        let of_track = |track: Track| cost([track]);
        let short = of_track(Track::new("a", mono(48_000, 4_799)));
        assert_eq!((short.nodes, short.clips, short.more), (2, 1, BLOCK));
        assert_eq!(short.bytes(), 2 * 4096 + 1024 + BLOCK);
        let tenth = of_track(Track::new("a", mono(48_000, 4_800)));
        assert_eq!(tenth.more, BLOCK + 2 * 4);
        // From 8,192 tenths on, a node keeps the peaks of longer times.
        let peaks = |tenths: u64| of_track(Track::of("a").clip(clip(tenths * 4_800 - 1, 1))).more;
        assert_eq!(peaks(8_191), BLOCK + 2 * 4 * 8_191);
        assert_eq!(peaks(8_193), BLOCK + 2 * 4 * 8_192);
        // A muted track is not rendered.
        let muted = of_track(Track::new("a", mono(48_000, 4_800)).mute(true));
        assert_eq!((muted.nodes, muted.clips), (2, 1));
        assert!(muted.more <= 4, "{}", muted.more);
    }

    #[test]
    fn stems_take_memory_while_they_sound() {
        let parts = |clips: &[(u64, usize)]| {
            let tracks = clips.iter().enumerate().map(|(number, &(at, frames))| {
                Track::of(number.to_string()).clip(clip(at, frames))
            });
            cost(tracks).more
        };
        assert_eq!(parts(&[(0, 100), (100, 100), (200, 100)]), BLOCK);
        assert_eq!(parts(&[(0, 101), (100, 101), (200, 100)]), 2 * BLOCK);
        assert_eq!(parts(&[(0, 300), (100, 200), (200, 100)]), 3 * BLOCK);
    }

    #[test]
    fn a_delay_takes_its_frames_in_every_channel() {
        let plain = || Track::new("plain", mono(48_000, 1_000));
        let late = || Track::new("late", mono(48_000, 1_000)).insert(Insert::limiter(Dbtp(-1.0)));
        let both = cost([plain(), late()]).more;
        let alone = cost([late()]).more;
        // The limiter is 256 frames late, so the other track waits for it.
        assert_eq!(both - alone, BLOCK + 256 * 2 * 8);
    }

    #[test]
    fn a_processor_takes_the_signal_that_it_stores_twice_where_it_restarts() {
        let more = |feedback: f64| {
            let delay = Insert::new("delay").unwrap().set("time", 0.25).unwrap();
            let delay = delay.set("feedback", feedback).unwrap();
            cost([Track::new("a", mono(48_000, 10)).insert(delay)]).more - BLOCK
        };
        let stored = 65_536 + 12_000 * 8;
        // The tail of the delay makes the mix longer, which adds peaks.
        let echo = more(f64::NEG_INFINITY);
        assert_eq!(echo, stored + 2 * 2 * 4);
        assert!(more(-20.0) >= 2 * stored);
    }

    #[test]
    fn a_file_takes_its_bytes_up_to_a_buffer_and_vorbis_its_tables() {
        let plan = |format: Format, frames: usize| {
            let spec = Spec {
                rate: SampleRate::HZ_48000,
                layout: Layout::Stereo,
            };
            let mut bytes = Cursor::new(Vec::new());
            let length = Frames(frames as u64);
            let mut sink =
                WriterSink::new(&mut bytes, format, spec, length, &Default::default()).unwrap();
            let mut block = Block::new(Layout::Stereo, frames);
            block.fill(frames, 0.5);
            sink.write(&block).unwrap();
            sink.finish().unwrap();
            let input = Input::bytes("a.wav", bytes.into_inner());
            Plan::compile(&mix([Track::new("a", input)])).unwrap()
        };
        let bytes = |plan: &Plan| {
            let clips = plan.nodes.iter().flat_map(Node::clips);
            clips
                .map(|clip| clip_bytes(clip, SampleRate::HZ_48000))
                .sum::<u64>()
                - 2 * BLOCK
        };
        assert_eq!(bytes(&plan(Format::WAV_16, 100)), 100 * 2 * 2);
        assert_eq!(bytes(&plan(Format::WAV_24, 100)), 100 * 2 * 3);
        assert_eq!(bytes(&plan(Format::WAV_16, 16_384)), 65_536);
        assert_eq!(bytes(&plan(Format::WAV_16, 16_385)), 65_536);
        let mut vorbis = plan(Format::WAV_16, 100);
        for node in &mut vorbis.nodes {
            if let NodeInput::Clips(clips) = &mut node.input {
                let stem = Arc::get_mut(&mut clips[0].stem).unwrap();
                let info = stem.info.as_mut().unwrap();
                info.codec = "Vorbis in Ogg".to_owned();
                info.bits = None;
            }
        }
        assert_eq!(bytes(&vorbis), 100 * 2 + 1_572_864);
    }

    #[test]
    fn a_resampled_stem_takes_two_margins_and_a_hop() {
        let more = |rate: u32| cost([Track::new("a", mono(rate, 1_000))]).more - BLOCK;
        assert_eq!(more(48_000), 0);
        assert_eq!(more(96_000), 8_192 * 8);
    }

    #[test]
    fn a_mix_that_needs_more_than_the_limit_is_refused() {
        let cost = Cost {
            nodes: 3,
            clips: 2,
            more: (1 << 20) - 3 * 4096 - 2 * 1024 + 1,
        };
        assert_eq!(cost.excess((1 << 20) + 1), None);
        assert_eq!(
            cost.excess(1 << 20).unwrap(),
            "the mix has 3 nodes and 2 clips, which take about 2 MiB of memory, and 1 MiB are allowed: use fewer tracks, or \
             fewer placements at the same time, or allow more (--memory, Session::max_memory)"
        );
        let mut mix = mix([Track::new("a", mono(48_000, 4_800))]);
        let needed = 2 * 4096 + 1024 + BLOCK + 8;
        mix.max_memory = needed;
        assert!(Plan::compile(&mix).is_ok());
        mix.max_memory = needed - 1;
        // The plan itself is smaller than what its render takes.
        let error = Plan::compile(&mix).unwrap_err();
        let start = "the mix has 2 nodes and 1 clip, which take about 1 MiB of memory, and 0 MiB are allowed";
        assert!(error.to_string().starts_with(start), "{error}");
    }

    #[test]
    fn a_cue_is_counted_once_for_each_placement_and_its_stems_as_often_as_they_overlap() {
        let moving = Curve::new()
            .point(Frames(0), Decibels(0.0), Shape::Linear)
            .point(Frames(9), Decibels(-6.0), Shape::Linear);
        let needs = |track: Track, uses: &[u64]| {
            let mut mix = mix([]);
            let mut cue = Cue::new("c").track(track);
            for (number, &at) in uses.iter().enumerate() {
                cue = cue.used(Use::at(Frames(at)).named(number.to_string()));
            }
            mix.add_cue(cue);
            let fits = |bytes: u64| {
                let mut mix = mix.clone();
                mix.max_memory = bytes;
                Plan::compile(&mix).is_ok()
            };
            let (mut low, mut high) = (0, 1 << 20);
            while low < high {
                let middle = (low + high) / 2;
                if fits(middle) {
                    high = middle
                } else {
                    low = middle + 1
                }
            }
            low
        };
        let still = || Track::new("t", mono(48_000, 100));
        let master = 4096;
        assert_eq!(needs(still(), &[0]), master + 4096 + 1024 + BLOCK);
        assert_eq!(
            needs(still(), &[0, 100, 200]),
            master + 4096 + 3 * 1024 + BLOCK
        );
        assert_eq!(
            needs(still(), &[0, 99, 198]),
            master + 4096 + 3 * 1024 + 2 * BLOCK
        );
        // A moving control takes a node for each placement at a time.
        let moves = || still().gain_curve(moving.clone());
        assert_eq!(
            needs(moves(), &[0, 99, 198]),
            master + 2 * 4096 + 3 * 1024 + 2 * BLOCK
        );
    }
}
