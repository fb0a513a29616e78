//! A number that plans share which render the same samples from the same stems.
//!
//! Goes over everything that shapes a sample: the nodes with their curves, the clips, and each stem by the name, the size
//! and the form of its file. Not the folders that stems lie in, their times or their content: two machines that hold copies
//! of one session give one number. A stem that was replaced by another of the same size and length is not noticed.

use super::{Edge, NodeInput, NodeKind, Plan, PlannedClip};
use std::fmt::{self, Write};

/// FNV-1a over text as it comes.
struct Hash(u64);

impl Write for Hash {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let step = |h: u64, b: u8| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01B3);
        self.0 = text.bytes().fold(self.0, step);
        Ok(())
    }
}

impl Plan {
    /// The number of this plan, of what else decides about the samples, and of this version of the crate.
    pub(crate) fn fingerprint(&self, and: &dyn fmt::Debug) -> u64 {
        let mut hash = Hash(0xCBF2_9CE4_8422_2325);
        // Taking text cannot fail.
        let _ = self.told(&mut hash, and);
        hash.0
    }

    fn told(&self, to: &mut Hash, and: &dyn fmt::Debug) -> fmt::Result {
        let about = (self.spec, self.pan_law, self.length, self.ceiling(), and);
        writeln!(to, "{} {about:?}", env!("CARGO_PKG_VERSION"))?;
        for node in &self.nodes {
            writeln!(
                to,
                "{:?} {:?} {:?} {:?} {}",
                node.kind, node.name, node.gain, node.pan, node.live
            )?;
            let chains = [&node.before.inserts, &node.after.inserts];
            // The ceiling of a master without other processors stands above.
            if node.kind != NodeKind::Master
                || chains.iter().any(|chain| chain.len() > 1)
                || !node.before.is_empty()
            {
                for insert in chains.into_iter().flatten() {
                    writeln!(to, "{insert}")?;
                }
            }
            match &node.input {
                NodeInput::Sum(edges) => {
                    // Written as the first version did, so that parts of a mix that different builds rendered join.
                    let feed = |edge: &Edge| {
                        format!("Feed {{ lane: {}, gain: {:?} }}", edge.node, edge.gain)
                    };
                    writeln!(
                        to,
                        "[{}]",
                        edges.iter().map(feed).collect::<Vec<_>>().join(", ")
                    )?;
                }
                NodeInput::Clips(clips) => clips.iter().try_for_each(|clip| clip.told(to))?,
            }
        }
        Ok(())
    }
}

impl PlannedClip {
    fn told(&self, to: &mut Hash) -> fmt::Result {
        let Self {
            stem,
            range,
            lead,
            total,
            from,
            available: _,
            passes,
            gain,
            fade_in,
            fade_out,
            place,
            layout,
            window,
        } = self;
        let located = stem.input.located();
        let name = located
            .as_ref()
            .and_then(|(path, stream, _)| Some((path.file_name()?, stream)));
        writeln!(
            to,
            "{name:?} {:?} {:?} {:?} {:?}",
            stem.info,
            stem.spec,
            stem.frames,
            stem.size()
        )?;
        if let Some((.., Some(channel))) = located {
            writeln!(to, "channel {channel}")?;
        }
        if passes.even().is_none() {
            writeln!(to, "{passes:?}")?;
        }
        let pass = passes.even().unwrap_or(0);
        let stretch = (range, lead, total, from, pass);
        writeln!(
            to,
            "{stretch:?} {:?} {place:?} {layout:?} {window:?}",
            (gain, fade_in, fade_out)
        )
    }
}
