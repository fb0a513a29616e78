//! Decides what solo lets through, and which buses run twice for it.
//!
//! A route is a sequence of outputs (main outputs and sends) from a track to the master. Where any strip is soloed, the
//! heard routes are those through at least one soloed strip and no muted one.
//!
//! A signal that has passed a soloed strip may take every output; any other only outputs that lead to a soloed strip. So
//! each edge of the graph is open or closed as a whole while a bus sums signals of one kind. A bus that sums both kinds, and
//! has an output that only one of them may take, runs twice: its first node sums the signals that have passed, its second the
//! others. All other strips keep one node and sum in the order of the session.

use super::{IdVec, Routing, StripIndex, downstream};

type Flags = IdVec<StripIndex, bool>;

/// The signals that each strip takes and may pass on while some strip is soloed.
pub(super) struct Solo {
    /// Tracks that are not muted feed the strip with a signal that has passed a soloed strip, or the strip is soloed itself.
    has_soloed_signal: Flags,
    /// The same for a signal that has passed none.
    has_other_signal: Flags,
    /// The strip is soloed and heard, or leads to such a strip.
    leads_to_solo: Flags,
    /// The strip runs twice.
    pub twice: Flags,
    /// The strip or one that feeds it is soloed, whatever is muted.
    solo_upstream: Flags,
    /// The strip or one that it feeds is soloed, whatever is muted.
    solo_downstream: Flags,
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
        let mut leads_to_solo: Flags = none();
        let mut solo_downstream: Flags = none();
        // A path leads from the strip to the master without another soloed strip.
        let mut reaches_master_past_no_solo: Flags = none();
        reaches[master] = true;
        reaches_master_past_no_solo[master] = true;
        for &strip in order.iter().rev() {
            let soloed = self.soloed(strip);
            solo_downstream[strip] |= soloed || self.targets(strip).any(|to| solo_downstream[to]);
            reaches_master_past_no_solo[strip] |= self
                .sounding_targets(strip)
                .any(|to| reaches_master_past_no_solo[to] && !self.closed(to) && !self.soloed(to));
            if self.closed(strip) {
                continue;
            }
            reaches[strip] |= self.sounding_targets(strip).any(|to| reaches[to]);
            leads_to_solo[strip] |= (soloed && reaches[strip])
                || self.sounding_targets(strip).any(|to| leads_to_solo[to]);
        }
        let (mut has_soloed_signal, mut has_other_signal, mut solo_upstream): (
            Flags,
            Flags,
            Flags,
        ) = (none(), none(), none());
        for &strip in &order {
            let soloed = self.soloed(strip);
            solo_upstream[strip] |= soloed;
            for to in self.targets(strip) {
                solo_upstream[to] |= solo_upstream[strip];
            }
            if self.closed(strip) {
                continue;
            }
            has_other_signal[strip] |= self.is_track(strip);
            has_soloed_signal[strip] |= soloed && has_other_signal[strip];
            for to in self.sounding_targets(strip) {
                has_soloed_signal[to] |= has_soloed_signal[strip];
                has_other_signal[to] |= has_other_signal[strip] && !soloed && leads_to_solo[to];
            }
        }
        // Everything that leaves a soloed strip has passed one.
        for strip in self.strips.ids().filter(|&strip| self.soloed(strip)) {
            has_other_signal[strip] = false;
        }
        let runs_twice = |strip: StripIndex| {
            self.bus_of(strip).is_some()
                && !self.closed(strip)
                && has_soloed_signal[strip]
                && has_other_signal[strip]
                && reaches_master_past_no_solo[strip]
        };
        Some(Solo {
            twice: self.strips.ids().map(runs_twice).collect(),
            has_soloed_signal,
            has_other_signal,
            leads_to_solo,
            solo_upstream,
            solo_downstream,
        })
    }

    /// Returns the buses that run twice with some combination of solos: those that sum several signals and from which two
    /// paths to the master differ in the buses they pass.
    pub(super) fn may_run_twice(&self) -> Flags {
        let order = downstream(&self.outputs);
        let mut paths_diverge: Flags = IdVec::filled(false, self.strips.len());
        for &strip in order.iter().rev() {
            let first = self.targets(strip).next();
            paths_diverge[strip] = self
                .targets(strip)
                .any(|to| paths_diverge[to] || Some(to) != first);
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
        let may =
            |strip| self.bus_of(strip).is_some() && paths_diverge[strip] && signals[strip] > 1;
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
        let (has_soloed_signal, has_other_signal) =
            (self.has_soloed_signal[from], self.has_other_signal[from]);
        // A second node takes only signals that have passed no soloed strip, and only while its strip runs twice.
        if (from_second && !self.twice[from]) || (to_second && !self.twice[to]) {
            return false;
        }
        let only_other_signals = from_second || (has_other_signal && !has_soloed_signal);
        if only_other_signals {
            return self.leads_to_solo[to] && (to_second || !self.twice[to]);
        }
        match (has_soloed_signal, to_second) {
            (_, true) => false,
            (true, false) => true,
            // Nothing feeds `from`, so its output is silent. It counts as heard where a soloed strip is upstream or downstream.
            (false, false) => self.solo_upstream[from] || self.solo_downstream[to],
        }
    }
}
