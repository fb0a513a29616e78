//! Detects likely mistakes in stems and sessions: warnings W107 to W111.

use super::duplicate_tracks::duplicate_tracks;
use crate::{
    diagnostics::{DistinctWarnings, Subject, Warning, WarningKind},
    engine::Renderer,
    plan::{Node, NodeKind},
    units::{Dbfs, Frames},
};
use std::ops::Range;

/// Thresholds for a DC offset: mean of −60 dBFS, and 1 % of the peak. Music stays far below both.
const OFFSET_MEAN: f64 = 0.001;
const OFFSET_SHARE_OF_PEAK: f64 = 0.01;
/// Correlation below which a stereo pair counts as having one channel with inverted polarity.
const INVERTED_CORRELATION: f64 = -0.95;
/// Level of a clip's first or last sample above which the cut is audible as a click: −30 dBFS.
const CLICK_LEVEL: f64 = 0.031_622_776_601_683_79;

/// Returns the warnings about suspicious audio in the rendered range.
pub(crate) fn suspicious_audio(renderer: &Renderer, range: &Range<Frames>) -> Vec<Warning> {
    let plan = renderer.plan();
    let mut all = DistinctWarnings::default();
    let tracks: Vec<(usize, &Node)> = plan
        .nodes
        .iter()
        .enumerate()
        .filter(|(_, node)| node.kind == NodeKind::Track)
        .collect();
    for &(index, node) in &tracks {
        if let Some(reason) = node.unused {
            all.add(Warning::new(
                WarningKind::UnheardTrack { reason },
                Subject::track(&node.name),
            ));
        }
        let Some(survey) = renderer.survey(index).filter(|_| node.live) else {
            continue;
        };
        if let Some((mean, share)) = survey.offset()
            && mean >= OFFSET_MEAN
            && share >= OFFSET_SHARE_OF_PEAK
        {
            all.add(Warning::new(
                WarningKind::ConstantOffset {
                    mean: Dbfs::from_amplitude(mean),
                },
                Subject::track(&node.name),
            ));
        }
        if survey.likeness().is_some_and(|l| l <= INVERTED_CORRELATION) {
            all.add(Warning::new(
                WarningKind::OppositePolarity {},
                Subject::track(&node.name),
            ));
        }
        for (clip, [first, last]) in node.clips().iter().zip(renderer.edges(index)) {
            let inside = |frame: u64| range.contains(&Frames(frame));
            let start = (*first >= CLICK_LEVEL && inside(clip.range.start))
                .then(|| Dbfs::from_amplitude(*first));
            let end = (*last >= CLICK_LEVEL && inside(clip.range.end.saturating_sub(1)))
                .then(|| Dbfs::from_amplitude(*last));
            if start.is_some() || end.is_some() {
                all.add(Warning::new(
                    WarningKind::AbruptClip { start, end },
                    Subject::clip(&node.name, &clip.stem.name),
                ));
            }
        }
    }
    let sounds = |index: usize| renderer.peaks(index).iter().any(|peak| peak.value > 0.0);
    let audible = tracks
        .iter()
        .filter(|(index, node)| node.live && sounds(*index));
    let audible: Vec<&Node> = audible.map(|(_, node)| *node).collect();
    all.extend(duplicate_tracks(&audible));
    all.into_list()
}
