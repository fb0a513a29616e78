//! Places markers on the timeline: those of the session, and those of each cue in every placement that plays them.

use super::PlannedCue;
use crate::{
    diagnostics::{ClockTime, Subject, Warning, WarningKind},
    session::Session,
    units::Frames,
};

/// A named frame of the timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlannedMarker {
    pub at: Frames,
    pub name: String,
}

/// Returns all markers in order of time. `cues` are those of the session, in its order.
pub(super) fn planned(session: &Session, cues: &[PlannedCue]) -> Vec<PlannedMarker> {
    let own = session.markers.iter().map(|m| PlannedMarker {
        at: m.at,
        name: m.name.clone(),
    });
    let uses = session
        .cues()
        .iter()
        .zip(cues)
        .flat_map(|(cue, planned)| planned.uses.iter().map(move |u| (cue, u)));
    let seen = uses.flat_map(|(cue, place)| {
        let length = place.range.end - place.range.start;
        let shown = move |at: Frames| at >= place.from && at - place.from < length;
        let moved = move |at: Frames| place.range.start + (at - place.from);
        cue.markers
            .iter()
            .filter(move |m| shown(m.at))
            .map(move |m| PlannedMarker {
                at: moved(m.at),
                name: m.name.clone(),
            })
    });
    let mut all: Vec<_> = own.chain(seen).collect();
    all.sort_by_key(|m| m.at);
    all
}

/// Returns a warning for each marker of the session that lies after the end of the mix.
pub(super) fn after_end(session: &Session, length: Frames) -> impl Iterator<Item = Warning> {
    let lost = session.markers.iter().filter(move |m| m.at > length);
    lost.map(|m| {
        let kind = WarningKind::MarkerAfterEnd {
            marker: m.name.clone(),
            at: ClockTime {
                frame: m.at,
                rate: session.rate,
            },
        };
        Warning::new(kind, Subject::Session)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        layout::Layout,
        layout::Spec,
        media::Memory,
        plan::Plan,
        session::{Cue, Marker, Track, Use},
        units::SampleRate,
    };

    #[test]
    fn a_marker_after_the_end_is_warned_of() {
        let mut session = Session::new(SampleRate::HZ_48000, Layout::Mono);
        let marker = |at| Marker {
            at: Frames(at),
            name: "door".into(),
        };
        session.markers = vec![marker(48_000), marker(48_001)];
        let warnings: Vec<_> = after_end(&session, Frames(48_000)).collect();
        assert_eq!(warnings.len(), 1, "the end itself can have one");
        assert_eq!(
            warnings[0].to_string(),
            "W129 marker \"door\" at 00:00:01.000 lies after the end, so no file has it"
        );
    }

    #[test]
    fn a_marker_of_a_cue_comes_with_every_use_that_shows_it() {
        let spec = Spec {
            rate: SampleRate::HZ_48000,
            layout: Layout::Mono,
        };
        let mut session = Session::new(spec.rate, spec.layout);
        let marker = |at, name: &str| Marker {
            at: Frames(at),
            name: name.to_owned(),
        };
        session.markers.push(marker(700, "door"));
        let mut cue = Cue::new("storm")
            .track(Track::new(
                "x",
                Memory::new(spec, vec![vec![0.5; 1000]]).unwrap(),
            ))
            .used(Use::at(Frames(100)))
            .used(
                Use::at(Frames(5000))
                    .named("again")
                    .from(Frames(300))
                    .length(Frames(200)),
            );
        cue.markers = vec![
            marker(0, "start"),
            marker(499, "lightning"),
            marker(500, "thunder"),
        ];
        session.add_cue(cue);
        let plan = Plan::compile(&session).unwrap();
        let found: Vec<_> = plan
            .markers
            .iter()
            .map(|m| (m.at.0, m.name.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                (100, "start"),
                (599, "lightning"),
                (600, "thunder"),
                (700, "door"),
                (5199, "lightning")
            ]
        );
    }
}
