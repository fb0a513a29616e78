//! Decides what solo lets through, and which buses run twice for it.
//!
//! A route is a sequence of outputs (main outputs and sends) from a track to the master. Where any strip is soloed, the
//! heard routes are those through at least one soloed strip and no muted one.
//!
//! This can be decided feed by feed as long as all that a bus sums has passed a soloed strip, or none of it has: what has
//! passed may take every output, what has not only those that lead to a soloed strip. A bus that sums both, and has an
//! output on which they part, runs twice: its first node takes what has passed, its second what has not. All other strips
//! keep one node and sum in the order of the session.

use super::{Routing, downstream, is, set};

/// Where the signals of each strip, the master last, come from and may go to while some strip is soloed.
pub(super) struct Solo {
    /// The strip is fed, by tracks that are not muted, with what has passed a soloed strip, or is soloed itself.
    passed: Vec<bool>,
    /// The same for what has not.
    unpassed: Vec<bool>,
    /// A soloed strip that is heard: this one, or one that it leads to.
    ahead: Vec<bool>,
    /// The strip runs twice.
    pub twice: Vec<bool>,
    /// The strip is soloed or one that feeds it, whatever is muted.
    behind_any: Vec<bool>,
    /// The strip is soloed or one that it feeds, whatever is muted.
    ahead_any: Vec<bool>,
}

impl Routing {
    /// What solo does to each strip; `None` where none is soloed.
    pub(super) fn solo(&self) -> Option<Solo> {
        if !self.soloing() {
            return None;
        }
        let (count, master) = (self.outputs.len(), self.strips.len());
        let order = downstream(&self.outputs);
        let none = || vec![false; count];
        let (mut reaches, mut ahead, mut free, mut ahead_any) = (none(), none(), none(), none());
        // Free is a way to the master, after this strip, without a soloed strip.
        set(&mut reaches, master);
        set(&mut free, master);
        for &strip in order.iter().rev() {
            let any = |flags: &[bool]| self.sounding_outputs(strip).any(|to| is(flags, to));
            let targets = self.outputs.get(strip).into_iter().flatten();
            if self.soloed(strip) || targets.clone().any(|(to, _)| is(&ahead_any, *to)) {
                set(&mut ahead_any, strip);
            }
            if self
                .sounding_outputs(strip)
                .any(|to| is(&free, to) && !self.closed(to) && !self.soloed(to))
            {
                set(&mut free, strip);
            }
            if self.closed(strip) {
                continue;
            }
            if any(&reaches) {
                set(&mut reaches, strip);
            }
            if any(&ahead) || (self.soloed(strip) && is(&reaches, strip)) {
                set(&mut ahead, strip);
            }
        }
        let (mut passed, mut unpassed, mut behind_any) = (none(), none(), none());
        for &strip in &order {
            if self.soloed(strip) {
                set(&mut behind_any, strip);
            }
            if is(&behind_any, strip) {
                let targets = self.outputs.get(strip).into_iter().flatten();
                targets.for_each(|(to, _)| set(&mut behind_any, *to));
            }
            if self.closed(strip) {
                continue;
            }
            if strip < self.tracks {
                set(&mut unpassed, strip);
            }
            if self.soloed(strip) && is(&unpassed, strip) {
                set(&mut passed, strip);
            }
            for to in self.sounding_outputs(strip) {
                if is(&passed, strip) {
                    set(&mut passed, to);
                }
                if is(&unpassed, strip) && !self.soloed(strip) && is(&ahead, to) {
                    set(&mut unpassed, to);
                }
            }
        }
        // Whatever comes into a soloed strip has passed one when it leaves.
        for (strip, flag) in unpassed.iter_mut().enumerate() {
            *flag &= !self.soloed(strip);
        }
        let parts = |strip: usize| {
            let bus = self.tracks <= strip && strip < master;
            bus && !self.closed(strip)
                && is(&passed, strip)
                && is(&unpassed, strip)
                && is(&free, strip)
        };
        let twice = (0..count).map(parts).collect();
        Some(Solo {
            passed,
            unpassed,
            ahead,
            twice,
            behind_any,
            ahead_any,
        })
    }

    /// The buses that would run twice with some solos: those that sum several signals, and after which some bus is not on
    /// every way to the master.
    pub(super) fn may_run_twice(&self) -> Vec<bool> {
        let order = downstream(&self.outputs);
        let mut parts = vec![false; self.outputs.len()];
        for &strip in order.iter().rev() {
            let mut targets = self
                .outputs
                .get(strip)
                .into_iter()
                .flatten()
                .map(|(to, _)| *to);
            let first = targets.next();
            if first.is_some_and(|first| {
                is(&parts, first) || targets.any(|to| to != first || is(&parts, to))
            }) {
                set(&mut parts, strip);
            }
        }
        let mut fed = vec![0usize; self.outputs.len()];
        for &strip in &order {
            let sources = if strip < self.tracks {
                1
            } else {
                fed.get(strip).copied().unwrap_or_default()
            };
            for &(to, _) in self.outputs.get(strip).into_iter().flatten() {
                if let Some(count) = fed.get_mut(to) {
                    *count = count.saturating_add(sources);
                }
            }
        }
        let several = |strip: usize| fed.get(strip).is_some_and(|n| *n > 1);
        (0..self.strips.len())
            .map(|strip| strip >= self.tracks && is(&parts, strip) && several(strip))
            .collect()
    }
}

impl Solo {
    /// Whether one node may feed another: each a strip, and whether it is its second node.
    pub(super) fn opens(
        &self,
        (from, from_second): (usize, bool),
        (to, to_second): (usize, bool),
    ) -> bool {
        let (passed, unpassed) = (is(&self.passed, from), is(&self.unpassed, from));
        let splits = is(&self.twice, from);
        // A second node hears nothing but what has not passed, and only while its strip runs twice.
        if (from_second && !splits) || (to_second && !is(&self.twice, to)) {
            return false;
        }
        let only_unpassed = from_second || (unpassed && !passed);
        if only_unpassed {
            return is(&self.ahead, to) && (to_second || !is(&self.twice, to));
        }
        match (passed, to_second) {
            (_, true) => false,
            (true, false) => true,
            // Nothing is fed to it, so its feeds are silent. They count as heard where a soloed strip is on either side.
            (false, false) => is(&self.behind_any, from) || is(&self.ahead_any, to),
        }
    }
}
