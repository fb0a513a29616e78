//! Finds buses that feed each other in a circle.

use super::Session;

/// Returns the names of buses that feed each other in a circle; the first is repeated at the end.
pub(super) fn cycle(session: &Session) -> Option<Vec<String>> {
    let buses = session.buses();
    let next = |bus: usize| {
        let strip = buses.get(bus).map(|b| &b.strip);
        strip
            .into_iter()
            .flat_map(|s| s.to.into_iter().chain(s.sends.iter().map(|s| s.to)))
            .map(|b| b.0)
    };
    // Depth first, without recursion: the path so far, and what is still to be tried from each bus on it.
    let (mut done, mut on_path) = (vec![false; buses.len()], vec![false; buses.len()]);
    let set = |flags: &mut Vec<bool>, bus: usize, on: bool| {
        flags.iter_mut().skip(bus).take(1).for_each(|f| *f = on)
    };
    for root in 0..buses.len() {
        if done.get(root) == Some(&true) {
            continue;
        }
        set(&mut on_path, root, true);
        let mut path = vec![(root, next(root).collect::<Vec<_>>())];
        while let Some((bus, ways)) = path.last_mut() {
            let bus = *bus;
            let Some(way) = ways.pop() else {
                set(&mut done, bus, true);
                set(&mut on_path, bus, false);
                path.pop();
                continue;
            };
            if on_path.get(way) == Some(&true) {
                let ring = path
                    .iter()
                    .skip_while(|(b, _)| *b != way)
                    .map(|(b, _)| *b)
                    .chain([way]);
                return Some(
                    ring.filter_map(|b| buses.get(b))
                        .map(|b| b.strip.name.clone())
                        .collect(),
                );
            }
            if done.get(way) == Some(&false) {
                set(&mut on_path, way, true);
                path.push((way, next(way).collect()));
            }
        }
    }
    None
}
