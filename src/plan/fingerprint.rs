//! Computes the fingerprint of a plan: a number that is stored in slices of a mix, so that only slices of the same mix are
//! joined.
//!
//! The fingerprint is a hash of everything that decides about a sample: the nodes with their curves, the clips, and the name,
//! size and format of each stem's file. It leaves out the folder, the time and the content of the files, so that two machines
//! with copies of one session compute the same number. A stem that is replaced by another of the same size and length
//! therefore goes unnoticed.
//!
//! The hashed text is stored nowhere, but its form must not change: slices that were rendered by different builds of one
//! version could not be joined.

use super::{Edge, NodeInput, NodeKind, Plan, PlannedClip};
use std::fmt::{self, Write};

/// Computes the 64-bit FNV-1a hash of the text written to it.
struct Fnv1a(u64);

impl Fnv1a {
    const OFFSET_BASIS: u64 = 0xCBF2_9CE4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01B3;
}

impl Write for Fnv1a {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let step = |h: u64, b: u8| (h ^ u64::from(b)).wrapping_mul(Self::PRIME);
        self.0 = text.bytes().fold(self.0, step);
        Ok(())
    }
}

impl Plan {
    /// Returns the fingerprint of the plan, of the settings of its output that change samples, such as the dither, and of the
    /// version of the crate.
    pub(crate) fn fingerprint(&self, output_settings: &dyn fmt::Debug) -> u64 {
        let mut hash = Fnv1a(Fnv1a::OFFSET_BASIS);
        // Writing to a hash cannot fail.
        let _ = self.write_to(&mut hash, output_settings);
        hash.0
    }

    /// Writes the text that is hashed.
    fn write_to(&self, to: &mut Fnv1a, output_settings: &dyn fmt::Debug) -> fmt::Result {
        let mix = (
            self.spec,
            self.pan_law,
            self.length,
            self.ceiling(),
            output_settings,
        );
        writeln!(to, "{} {mix:?}", env!("CARGO_PKG_VERSION"))?;
        for node in &self.nodes {
            writeln!(
                to,
                "{:?} {:?} {:?} {:?} {}",
                node.kind, node.name, node.gain, node.pan, node.live
            )?;
            let chains = [&node.before.inserts, &node.after.inserts];
            // The ceiling of a master without other processors is part of `mix`.
            if node.kind != NodeKind::Master
                || chains.iter().any(|chain| chain.len() > 1)
                || !node.before.is_empty()
            {
                for insert in chains.into_iter().flatten() {
                    writeln!(to, "{insert}")?;
                }
                for (index, key) in node.before.keys.iter().enumerate() {
                    if let Some(key) = key {
                        writeln!(to, "key {index} {:?}", key.node)?;
                    }
                }
                for (index, curves) in node.before.curves.iter().enumerate() {
                    for (parameter, curve) in curves {
                        writeln!(to, "curve {index} {parameter} {curve:?}")?;
                    }
                }
            }
            match &node.input {
                NodeInput::Sum(edges) => {
                    let edges: Vec<String> = edges.iter().map(edge_text).collect();
                    writeln!(to, "[{}]", edges.join(", "))?;
                }
                NodeInput::Clips(clips) => clips.iter().try_for_each(|clip| clip.write_to(to))?,
            }
        }
        Ok(())
    }
}

/// Returns the text of an edge in the form that earlier builds hashed.
fn edge_text(edge: &Edge) -> String {
    format!("Feed {{ lane: {}, gain: {:?} }}", edge.node, edge.gain)
}

impl PlannedClip {
    /// Writes the part of the text that describes a clip.
    fn write_to(&self, to: &mut Fnv1a) -> fmt::Result {
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
        let position = (range, lead, total, from, pass);
        writeln!(
            to,
            "{position:?} {:?} {channel_map:?} {layout:?} {window:?}",
            (gain, fade_in, fade_out)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        layout::{Layout, Spec},
        media::Memory,
        session::{Insert, Session, Track},
        units::{Dbtp, Decibels, SampleRate},
    };

    #[test]
    fn whatever_changes_a_sample_changes_the_fingerprint() {
        let fingerprint = |change: fn(&mut Session), output: &str| {
            let spec = Spec {
                rate: SampleRate::HZ_48000,
                layout: Layout::Mono,
            };
            let mut mix = Session::new(spec.rate, Layout::Stereo);
            let stem = Memory::new(spec, vec![vec![0.5; 10]]).unwrap();
            mix.add_track(Track::new("t", stem));
            change(&mut mix);
            Plan::compile(&mix).unwrap().fingerprint(&output)
        };
        fn trim(gain: f64) -> Insert {
            Insert::new("trim").unwrap().set("gain", gain).unwrap()
        }
        let changes: [fn(&mut Session); 9] = [
            |_| {},
            |mix| mix.master.gain = Decibels(-1.0),
            |mix| mix.master.limit = Some(Dbtp(-1.0)),
            |mix| mix.master.limit = Some(Dbtp(-2.0)),
            |mix| mix.master.inserts.push(trim(-1.0)),
            |mix| mix.master.inserts.push(trim(-2.0)),
            |mix| mix.tracks_mut()[0].strip.inserts.push(trim(-1.0)),
            |mix| mix.tracks_mut()[0].strip.mute = true,
            |mix| mix.tracks_mut()[0].clips[0].gain = Decibels(-1.0),
        ];
        let mut found: Vec<u64> = changes
            .iter()
            .map(|change| fingerprint(*change, ""))
            .collect();
        found.push(fingerprint(|_| {}, "dither"));
        assert_eq!(fingerprint(|_| {}, ""), found[0]);
        let count = found.len();
        found.sort_unstable();
        found.dedup();
        assert_eq!(found.len(), count);
    }
}
