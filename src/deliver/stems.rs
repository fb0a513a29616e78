//! Per-bus stems: their contents, and whether a set of them adds up to the mix.
//!
//! The stem of a bus is its output after its own gain and pan, before the master. The master adds
//! its inputs in the order of the session. The stems of all inputs, added in that order, equal the
//! mix bit for bit if the master changes nothing; a master gain would be rounded once for the sum
//! and once for each stem. Stems are therefore always taken before the master's gain and limiter,
//! and a warning states that the master has any.
//!
//! Stems do not add up to the mix if an input of the master is none of them (a track that feeds the
//! master directly, a bus that is not delivered), or if one of them feeds the bus of another.

use crate::{
    bounce::{
        check_order,
        job::RenderJob,
        pipeline::Signal,
        settings::{JobSettings, ProgressReporter},
    },
    diagnostics::{MasterStage, NestedStem, Subject},
    encode::{MemorySink, Sink},
    engine::{Options, Renderer},
    error::{Error, ErrorKind, Result},
    plan::{Node, NodeInput, NodeKind, Plan},
    session::{BusId, Master, Session},
    units::Frames,
};
use std::ops::Range;

/// Relation of a set of stems to the mix.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Coverage {
    /// Indices of the stems that feed the master, in the order of the sum.
    pub order: Vec<usize>,
    /// Other strips that feed the master.
    pub missing: Vec<Subject>,
    /// Stems that are part of another stem.
    pub nested: Vec<NestedStem>,
}

impl Coverage {
    /// Returns true if the stems contain every part of the mix exactly once.
    pub(super) fn is_complete(&self) -> bool {
        self.missing.is_empty() && self.nested.is_empty()
    }
}

/// Returns the node of a bus. If soloing makes the bus run twice, this is the first of its nodes:
/// the signal on its way to a soloed strip is contained in that strip's stem, so the stems still
/// add up.
pub(super) fn bus_node(plan: &Plan, bus: &str) -> Option<usize> {
    plan.nodes
        .iter()
        .position(|l| l.kind == NodeKind::Bus && !l.is_second && l.name == bus)
}

/// Determines how the stems of these nodes relate to the mix of a plan.
pub(super) fn coverage(plan: &Plan, stems: &[usize]) -> Coverage {
    let mut found = Coverage::default();
    let Some(NodeInput::Sum(feeds)) = plan.nodes.last().map(|l| &l.input) else {
        return found;
    };
    for feed in feeds {
        match stems.iter().position(|s| *s == feed.node) {
            Some(stem) => found.order.push(stem),
            None => found.missing.extend(plan.nodes.get(feed.node).map(subject)),
        }
    }
    for node in stems
        .iter()
        .filter(|s| !feeds.iter().any(|f| f.node == **s))
        .filter_map(|s| plan.nodes.get(*s))
    {
        let into = node.out.first().and_then(|(to, _)| plan.nodes.get(*to));
        if let Some(into) = into.filter(|_| node.live) {
            found.nested.push(NestedStem {
                stem: subject(node),
                into: subject(into),
            });
        }
    }
    found
}

/// Returns the subject of a bus or track of the plan.
fn subject(node: &Node) -> Subject {
    match node.kind {
        NodeKind::Bus => Subject::Bus {
            name: node.name.clone(),
        },
        _ => Subject::track(&node.name),
    }
}

/// Returns the processing that a master applies to the sum of its inputs; empty if it changes no
/// bit.
pub(super) fn master_stages(master: &Master) -> Vec<MasterStage> {
    let mut stages = Vec::new();
    match master
        .inserts
        .iter()
        .filter(|insert| !insert.bypass)
        .count()
    {
        0 => {}
        count => stages.push(MasterStage::Inserts(count)),
    }
    if !master.gain_curve.points.is_empty() {
        stages.push(MasterStage::MovingGain);
    } else if master.gain.0 != 0.0 {
        stages.push(MasterStage::Gain(master.gain));
    }
    stages.extend(master.limit.map(MasterStage::Limit));
    stages
}

impl Session {
    /// Renders a range of the timeline into memory, one stem per bus, in a single render: for each
    /// bus one `Vec<f64>` per channel, before the master.
    ///
    /// The stems of all strips that feed the master, added in the order of the session, equal the
    /// mix bit for bit if the master has no gain and no limiter. If soloing lets only part of a
    /// bus's signal pass to the master, the stem of the bus holds that part, and the rest is in the
    /// stem of the soloed bus that it feeds.
    ///
    /// ```
    /// use soundtrack::{Bus, Decibels, Frames, Layout, SampleRate, Session, Spec, Track, media::Memory};
    /// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
    /// let mut film = Session::new(SampleRate::HZ_48000, Layout::Mono);
    /// let (music, speech) = (film.add_bus(Bus::new("music")), film.add_bus(Bus::new("speech")));
    /// film.add_track(Track::new("piano", Memory::new(spec, vec![vec![0.1, 0.2]])?).to(music));
    /// film.add_track(Track::new("voice", Memory::new(spec, vec![vec![0.7, 0.1]])?).gain(Decibels(-3.0)).to(speech));
    /// let all = Frames(0)..Frames(2);
    /// let stems = film.render_stems(&[music, speech], all.clone())?;
    /// let mix = film.render(all)?;
    /// assert_eq!(stems[0][0][1] + stems[1][0][1], mix[0][1]);
    /// # Ok::<(), soundtrack::Error>(())
    /// ```
    ///
    /// # Errors
    /// Errors of compiling and of reading the stems; `InvalidArgument` for a bus of another
    /// session, and for a range that ends before it starts.
    pub fn render_stems(
        &self,
        buses: &[BusId],
        range: Range<Frames>,
    ) -> Result<Vec<Vec<Vec<f64>>>> {
        check_order(&range)?;
        let plan = Plan::compile(self)?;
        let node = |id: &BusId| {
            self.strip((*id).into())
                .and_then(|strip| bus_node(&plan, &strip.name))
        };
        let nodes: Option<Vec<usize>> = buses.iter().map(node).collect();
        let nodes = nodes.ok_or_else(|| {
            Error::new(ErrorKind::InvalidArgument, "a bus is not in this session")
        })?;
        let mut renderer = Renderer::new(plan, &Options::default())?;
        let mut memory = vec![MemorySink::default(); nodes.len()];
        // For a few frames in memory, starting threads would cost more than it gains.
        let single = JobSettings {
            options: Options { threads: 1 },
            ..JobSettings::default()
        };
        let mut progress = ProgressReporter::new(None, range.end - range.start);
        let mut job = RenderJob::new(&mut renderer, range, &single);
        job.taps = &nodes;
        job.outputs = (0..)
            .map(Signal::Tap)
            .zip(memory.iter_mut().map(|m| m as &mut dyn Sink))
            .collect();
        job.run(&mut progress, |_| {})?;
        let channels = |memory: MemorySink| {
            let mut channels = memory.into_channels();
            channels.resize(self.layout.channels(), Vec::new());
            channels
        };
        Ok(memory.into_iter().map(channels).collect())
    }
}
