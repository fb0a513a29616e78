//! Finds the bit depth that holds a mix without rounding.

use super::{ChannelMap, Node, NodeInput, NodeKind, Plan, PlannedClip};
use crate::units::Pan;

impl Plan {
    /// Returns the number of bits of the integers that hold every sample of the mix exactly, as long as none clips: that of
    /// the deepest stem, where integer stems pass at unity and are summed. `None` where the mix is finer than its stems, by
    /// gains, fades, resampling, lossy or floating-point stems, or processors.
    #[must_use]
    pub fn depth(&self) -> Option<u16> {
        let mut depth = 1;
        for node in self.nodes.iter().filter(|l| l.live) {
            let unity = node.gain.constant() == Some(1.0) && node.pan.constant() == Some(0.0);
            if !unity || !node.before.is_empty() || !node.after.is_empty() {
                return None;
            }
            match &node.input {
                NodeInput::Sum(feeds) if feeds.iter().any(|f| f.gain != 1.0) => return None,
                NodeInput::Sum(_) => {}
                NodeInput::Clips(clips) => {
                    for clip in clips {
                        depth = depth.max(self.clip_depth(clip)?);
                    }
                }
            }
        }
        Some(depth)
    }

    fn clip_depth(&self, clip: &PlannedClip) -> Option<u16> {
        let placed = match &clip.channel_map {
            ChannelMap::Pan => self.pan_law.gains(Pan::CENTRE) == (1.0, 1.0),
            ChannelMap::Fold(rows) => rows.iter().flatten().all(|f| *f == 0.0 || *f == 1.0),
        };
        let faded = clip.fade_in.length.0 > 0
            || clip.fade_out.length.0 > 0
            || clip.window.fades(clip.range.clone());
        let whole =
            placed && !faded && clip.gain.abs() == 1.0 && clip.stem.spec.rate == self.spec.rate;
        let bits = clip
            .stem
            .info
            .as_ref()
            .and_then(|info| info.bits)
            .filter(|b| !b.float);
        bits.filter(|_| whole).map(|b| b.width)
    }

    /// Returns the heard tracks with a stem of more than `bits` bits, each with the name of the first such stem.
    pub(crate) fn deeper(&self, bits: u16) -> impl Iterator<Item = (&str, &str)> {
        // A float of 32 bits has the precision of an integer of 24.
        let width = |clip: &PlannedClip| {
            let of = clip.stem.info.as_ref().and_then(|info| info.bits);
            of.map_or(0, |b| if b.float { 24 } else { b.width })
        };
        let first = move |node: &'_ Node| node.clips().iter().position(|clip| width(clip) > bits);
        self.nodes
            .iter()
            .filter(|l| l.live && l.kind == NodeKind::Track)
            .filter_map(move |node| {
                let clip = node.clips().get(first(node)?)?;
                Some((node.name.as_str(), clip.stem.name.as_str()))
            })
    }
}
