//! Finds buses that feed each other in a circle.

use super::Session;

/// The state of a bus in the depth-first search.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Visit {
    New,
    /// On the path that is being followed.
    OnPath,
    /// No circle goes through the bus.
    Done,
}

/// Returns the names of buses that feed each other in a circle; the first is repeated at the end. Ignores outputs to buses
/// that do not exist, which the validation reports.
pub(super) fn cycle(session: &Session) -> Option<Vec<String>> {
    let buses = session.buses();
    let mut visits = vec![Visit::New; buses.len()];
    for root in 0..buses.len() {
        // A path instead of recursion, so that a long chain of buses cannot exhaust the stack: each bus with the targets
        // that are still to be followed.
        let mut path: Vec<(usize, Vec<usize>)> = Vec::new();
        let mut next = Some(root);
        loop {
            if let Some(bus) = next.take() {
                match visits.get_mut(bus) {
                    Some(visit @ Visit::New) => {
                        *visit = Visit::OnPath;
                        path.push((bus, targets(session, bus)));
                    }
                    Some(Visit::OnPath) => {
                        let on_circle = path.iter().map(|&(b, _)| b).skip_while(|b| *b != bus);
                        let circle = on_circle.chain([bus]).filter_map(|b| buses.get(b));
                        return Some(circle.map(|b| b.strip.name.clone()).collect());
                    }
                    Some(Visit::Done) | None => {}
                }
            }
            let Some((bus, targets)) = path.last_mut() else {
                break;
            };
            next = targets.pop();
            if next.is_none() {
                if let Some(visit) = visits.get_mut(*bus) {
                    *visit = Visit::Done;
                }
                path.pop();
            }
        }
    }
    None
}

/// Returns the buses that a bus feeds, by its main output and its sends.
fn targets(session: &Session, bus: usize) -> Vec<usize> {
    let strip = session.buses().get(bus).map(|b| &b.strip);
    let outputs = strip
        .into_iter()
        .flat_map(|s| s.to.into_iter().chain(s.sends.iter().map(|s| s.to)));
    outputs.map(|b| b.0).collect()
}
