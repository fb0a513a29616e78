//! Finds strips that feed each other in a circle, by outputs, sends or side-chain keys.

use super::{BusId, Selector, Session, Strip, TrackId};

/// The state of a vertex in the depth-first search.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Visit {
    New,
    /// On the path that is being followed.
    OnPath,
    /// No circle goes through the vertex.
    Done,
}

/// Returns the vertices of a circle, the first repeated at the end; `None` for a graph without one.
fn circle(vertices: usize, targets: impl Fn(usize) -> Vec<usize>) -> Option<Vec<usize>> {
    let mut visits = vec![Visit::New; vertices];
    for root in 0..vertices {
        // A path instead of recursion, so that a long chain cannot exhaust the stack: each vertex with the targets that are
        // still to be followed.
        let mut path: Vec<(usize, Vec<usize>)> = Vec::new();
        let mut next = Some(root);
        loop {
            if let Some(vertex) = next.take() {
                match visits.get_mut(vertex) {
                    Some(visit @ Visit::New) => {
                        *visit = Visit::OnPath;
                        path.push((vertex, targets(vertex)));
                    }
                    Some(Visit::OnPath) => {
                        let path = path.iter().map(|&(v, _)| v);
                        let on_circle = path.skip_while(|v| *v != vertex);
                        return Some(on_circle.chain([vertex]).collect());
                    }
                    Some(Visit::Done) | None => {}
                }
            }
            let Some((vertex, targets)) = path.last_mut() else {
                break;
            };
            next = targets.pop();
            if next.is_none() {
                if let Some(visit) = visits.get_mut(*vertex) {
                    *visit = Visit::Done;
                }
                path.pop();
            }
        }
    }
    None
}

/// Returns the names of buses that feed each other in a circle; the first is repeated at the end. Ignores outputs to buses
/// that do not exist, which the validation reports.
pub(super) fn cycle(session: &Session) -> Option<Vec<String>> {
    let buses = session.buses();
    let targets = |bus: usize| buses.get(bus).map_or_else(Vec::new, |b| fed(&b.strip));
    let circle = circle(buses.len(), targets)?;
    let names = circle.iter().filter_map(|bus| buses.get(*bus));
    Some(names.map(|bus| bus.strip.name.clone()).collect())
}

/// Returns the parts that a side-chain key closes into a circle, as in `bus.music`; the first is repeated at the end.
///
/// Only tracks of the timeline and buses can be keys, so no circle leads through others.
pub(super) fn key_cycle(session: &Session) -> Option<Vec<String>> {
    let (tracks, buses) = (session.tracks(), session.buses());
    let strips = || {
        let buses = buses.iter().map(|bus| &bus.strip);
        tracks.iter().map(|track| &track.strip).chain(buses)
    };
    let vertex = |part: Selector| match part {
        Selector::Track(track) if track.0 < tracks.len() => Some(track.0),
        Selector::Bus(bus) => Some(tracks.len() + bus.0),
        _ => None,
    };
    let mut targets: Vec<Vec<usize>> = strips()
        .map(|strip| {
            fed(strip)
                .into_iter()
                .map(|bus| tracks.len() + bus)
                .collect()
        })
        .collect();
    for (keyed, strip) in strips().enumerate() {
        let keys = strip.inserts.iter().filter(|insert| !insert.bypass);
        for key in keys.filter_map(|insert| vertex(insert.key?)) {
            if let Some(targets) = targets.get_mut(key) {
                targets.push(keyed);
            }
        }
    }
    let circle = circle(targets.len(), |v| {
        targets.get(v).cloned().unwrap_or_default()
    })?;
    let part = |vertex: usize| match vertex.checked_sub(tracks.len()) {
        Some(bus) => Selector::Bus(BusId::at(bus)),
        None => Selector::Track(TrackId::at(vertex)),
    };
    let names = circle.into_iter().map(|v| session.part_name(part(v)));
    Some(names.map(Option::unwrap_or_default).collect())
}

/// Returns the buses that a strip feeds, by its main output and its sends.
fn fed(strip: &Strip) -> Vec<usize> {
    let sends = strip.sends.iter().map(|send| send.to);
    strip.to.into_iter().chain(sends).map(|bus| bus.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_is_found_from_any_vertex_and_a_rhombus_is_none() {
        let found = |targets: &[&[usize]]| circle(targets.len(), |v| targets[v].to_vec());
        assert_eq!(found(&[]), None);
        assert_eq!(found(&[&[1, 2], &[3], &[3], &[]]), None);
        assert_eq!(found(&[&[0]]), Some(vec![0, 0]));
        assert_eq!(found(&[&[1], &[2], &[0]]), Some(vec![0, 1, 2, 0]));
        assert_eq!(found(&[&[1], &[2], &[1]]), Some(vec![1, 2, 1]));
        assert_eq!(found(&[&[], &[0], &[3, 0], &[2]]), Some(vec![2, 3, 2]));
        // A target that does not exist leads nowhere.
        assert_eq!(found(&[&[7, 1], &[7]]), None);
    }
}
