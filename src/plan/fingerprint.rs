//! Computes a number that is equal for plans that render the same samples.
//!
//! It covers everything that decides about a sample: the nodes with their curves, the clips, and the name, size and format of
//! each stem's file. It leaves out the folder, the time and the content of the files, so that two machines with copies of one
//! session compute the same number. A stem that is replaced by another of the same size and length therefore goes unnoticed.

use super::{Edge, NodeInput, NodeKind, Plan, PlannedClip};
use std::fmt::{self, Write};

/// The FNV-1a hash, 64 bits, of the text written to it.
struct Hash(u64);

impl Write for Hash {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let step = |h: u64, b: u8| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01B3);
        self.0 = text.bytes().fold(self.0, step);
        Ok(())
    }
}

impl Plan {
    /// Returns the fingerprint of the plan, of `and`, which also decides about the samples, and of the version of the crate.
    pub(crate) fn fingerprint(&self, and: &dyn fmt::Debug) -> u64 {
        let mut hash = Hash(0xCBF2_9CE4_8422_2325);
        // Writing to a hash cannot fail.
        let _ = self.write_to(&mut hash, and);
        hash.0
    }

    fn write_to(&self, to: &mut Hash, and: &dyn fmt::Debug) -> fmt::Result {
        let about = (self.spec, self.pan_law, self.length, self.ceiling(), and);
        writeln!(to, "{} {about:?}", env!("CARGO_PKG_VERSION"))?;
        for node in &self.nodes {
            writeln!(
                to,
                "{:?} {:?} {:?} {:?} {}",
                node.kind, node.name, node.gain, node.pan, node.live
            )?;
            let chains = [&node.before.inserts, &node.after.inserts];
            // The ceiling of a master without other processors is part of `about`.
            if node.kind != NodeKind::Master
                || chains.iter().any(|chain| chain.len() > 1)
                || !node.before.is_empty()
            {
                for insert in chains.into_iter().flatten() {
                    writeln!(to, "{insert}")?;
                }
                for (index, curves) in node.before.curves.iter().enumerate() {
                    for (parameter, curve) in curves {
                        writeln!(to, "curve {index} {parameter} {curve:?}")?;
                    }
                }
            }
            match &node.input {
                NodeInput::Sum(edges) => {
                    // The names are those of the first version, so that slices rendered by different builds can be joined.
                    let feed = |edge: &Edge| {
                        format!("Feed {{ lane: {}, gain: {:?} }}", edge.node, edge.gain)
                    };
                    writeln!(
                        to,
                        "[{}]",
                        edges.iter().map(feed).collect::<Vec<_>>().join(", ")
                    )?;
                }
                NodeInput::Clips(clips) => clips.iter().try_for_each(|clip| clip.write_to(to))?,
            }
        }
        Ok(())
    }
}

impl PlannedClip {
    fn write_to(&self, to: &mut Hash) -> fmt::Result {
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
            channel_map,
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
            "{stretch:?} {:?} {channel_map:?} {layout:?} {window:?}",
            (gain, fade_in, fade_out)
        )
    }
}
