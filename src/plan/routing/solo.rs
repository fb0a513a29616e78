//! Decides what solo lets through, and which buses run twice for it.
//!
//! A route is a sequence of outputs (main outputs and sends) from a track to the master. Where any strip is soloed, the
//! heard routes are those through at least one soloed strip and no muted one.
//!
//! This can be decided feed by feed as long as everything that a bus sums has passed a soloed strip, or nothing of it has: a
//! signal that has passed one may take every output, others only outputs that lead to a soloed strip. A bus that sums both
//! kinds, and has an output that only one of them may take, runs twice: its first node sums the signals that have passed, its
//! second the others. All other strips keep one node and sum in the order of the session.

use super::{IdVec, Routing, StripIndex, downstream};

type Flags = IdVec<StripIndex, bool>;

/// The signals that each strip takes and may pass on while some strip is soloed.
pub(super) struct Solo {
    /// Tracks that are not muted feed the strip with a signal that has passed a soloed strip, or the strip is soloed itself.
    passed: Flags,
    /// The same for a signal that has passed none.
    unpassed: Flags,
    /// The strip is soloed and heard, or leads to such a strip.
    ahead: Flags,
    /// The strip runs twice.
    pub twice: Flags,
    /// The strip or one that feeds it is soloed, whatever is muted.
    behind_any: Flags,
    /// The strip or one that it feeds is soloed, whatever is muted.
    ahead_any: Flags,
}

impl Routing {
    /// Returns the effect of solo on each strip; `None` where none is soloed.
    pub(super) fn solo(&self) -> Option<Solo> {
        if !self.soloing() {
            return None;
        }
        let master = self.master_strip();
        let order = downstream(&self.outputs);
        let none = || IdVec::filled(false, self.strips.len());
        let mut reaches: Flags = none();
        let mut ahead: Flags = none();
        let mut ahead_any: Flags = none();
        // A path leads from the strip to the master without another soloed strip.
        let mut free: Flags = none();
        reaches[master] = true;
        free[master] = true;
        for &strip in order.iter().rev() {
            let soloed = self.soloed(strip);
            ahead_any[strip] |= soloed || self.targets(strip).any(|to| ahead_any[to]);
            free[strip] |= self
                .sounding_targets(strip)
                .any(|to| free[to] && !self.closed(to) && !self.soloed(to));
            if self.closed(strip) {
                continue;
            }
            reaches[strip] |= self.sounding_targets(strip).any(|to| reaches[to]);
            ahead[strip] |=
                (soloed && reaches[strip]) || self.sounding_targets(strip).any(|to| ahead[to]);
        }
        let (mut passed, mut unpassed, mut behind_any): (Flags, Flags, Flags) =
            (none(), none(), none());
        for &strip in &order {
            let soloed = self.soloed(strip);
            behind_any[strip] |= soloed;
            for to in self.targets(strip) {
                behind_any[to] |= behind_any[strip];
            }
            if self.closed(strip) {
                continue;
            }
            unpassed[strip] |= self.is_track(strip);
            passed[strip] |= soloed && unpassed[strip];
            for to in self.sounding_targets(strip) {
                passed[to] |= passed[strip];
                unpassed[to] |= unpassed[strip] && !soloed && ahead[to];
            }
        }
        // Everything that leaves a soloed strip has passed one.
        for strip in self.strips.ids().filter(|&strip| self.soloed(strip)) {
            unpassed[strip] = false;
        }
        let parts = |strip: StripIndex| {
            self.bus_of(strip).is_some()
                && !self.closed(strip)
                && passed[strip]
                && unpassed[strip]
                && free[strip]
        };
        Some(Solo {
            twice: self.strips.ids().map(parts).collect(),
            passed,
            unpassed,
            ahead,
            behind_any,
            ahead_any,
        })
    }

    /// Returns the buses that run twice with some combination of solos: those that sum several signals and from which two
    /// paths to the master differ in the buses they pass.
    pub(super) fn may_run_twice(&self) -> Flags {
        let order = downstream(&self.outputs);
        let mut parts: Flags = IdVec::filled(false, self.strips.len());
        for &strip in order.iter().rev() {
            let first = self.targets(strip).next();
            parts[strip] = self.targets(strip).any(|to| parts[to] || Some(to) != first);
        }
        // Number of signals that each strip sums; saturates, since it grows with the number of routes.
        let mut signals: IdVec<StripIndex, usize> = IdVec::filled(0, self.strips.len());
        for &strip in &order {
            if self.is_track(strip) {
                signals[strip] = 1;
            }
            for to in self.targets(strip) {
                signals[to] = signals[to].saturating_add(signals[strip]);
            }
        }
        let may = |strip| self.bus_of(strip).is_some() && parts[strip] && signals[strip] > 1;
        self.strips.ids().map(may).collect()
    }
}

impl Solo {
    /// Reports whether one node may feed another; each is given as its strip, and whether it is the strip's second node.
    pub(super) fn opens(
        &self,
        (from, from_second): (StripIndex, bool),
        (to, to_second): (StripIndex, bool),
    ) -> bool {
        let (passed, unpassed) = (self.passed[from], self.unpassed[from]);
        // A second node takes only signals that have passed no soloed strip, and only while its strip runs twice.
        if (from_second && !self.twice[from]) || (to_second && !self.twice[to]) {
            return false;
        }
        let only_unpassed = from_second || (unpassed && !passed);
        if only_unpassed {
            return self.ahead[to] && (to_second || !self.twice[to]);
        }
        match (passed, to_second) {
            (_, true) => false,
            (true, false) => true,
            // Nothing feeds `from`, so its output is silent. It counts as heard where a soloed strip is on either side.
            (false, false) => self.behind_any[from] || self.ahead_any[to],
        }
    }
}
