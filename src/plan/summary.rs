//! Prints a plan for people: where every clip and cue sounds, where it goes, and what is not heard and why.

use super::{Node, NodeInput, NodeKind, Plan, PlannedClip, PlannedCue, PlannedUse};
use crate::{
    curve::Fade,
    diagnostics::Unheard,
    error::{counted, one_line},
    text_table::TextTable,
    timecode::Timecode,
    units::{Decibels, Frames, Gain, Pan},
};
use std::{collections::HashSet, fmt, ops::Range};

/// Text form of a plan for people; see [`Plan::summary`].
#[derive(Clone, Copy, Debug)]
pub struct PlanSummary<'a> {
    plan: &'a Plan,
}

impl Plan {
    /// Returns a text for people: tracks with their stems, times, fades and destinations, inserts, buses, cues with their
    /// placements, and what is not heard with the reason. Positions are timecodes where the session has a picture.
    ///
    /// With a width, `{:80}`, the tables fit that many terminal cells. The [`Display`](fmt::Display) of the plan itself
    /// numbers the nodes of the graph and counts frames.
    ///
    /// ```
    /// use soundtrack::{Layout, Plan, SampleRate, Session, Spec, Track, media::Memory};
    /// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
    /// let mut mix = Session::new(spec.rate, Layout::Stereo);
    /// mix.add_track(Track::new("click", Memory::new(spec, vec![vec![0.5; 480]])?));
    /// mix.add_track(Track::new("vox", Memory::new(spec, vec![vec![0.5; 480]])?).mute(true));
    /// let text = Plan::compile(&mix)?.summary().to_string();
    /// assert!(text.contains("  vox        muted\n"), "{text}");
    /// # Ok::<(), soundtrack::Error>(())
    /// ```
    #[must_use]
    pub fn summary(&self) -> PlanSummary<'_> {
        PlanSummary { plan: self }
    }

    /// Formats a position as timecode, with the frames of audio after it, or as a clock.
    fn position(&self, at: Frames) -> String {
        let rate = self.spec.rate;
        let Some((fps, start)) = self.picture else {
            return at.clock(rate);
        };
        match Timecode::seen_at(start.frames(rate) + at, rate, fps) {
            (label, Frames::ZERO) => label.to_string(),
            (label, after) => format!("{label}+{after}"),
        }
    }

    /// Formats a length in seconds, without superfluous digits: `2 s`, `0.05 s`.
    fn seconds(&self, length: Frames) -> String {
        let text = format!("{:.3}", length.to_duration(self.spec.rate).as_secs_f64());
        format!("{} s", text.trim_end_matches('0').trim_end_matches('.'))
    }

    fn fades(&self, fade_in: &Fade, fade_out: &Fade) -> String {
        let fades = [("in", fade_in), ("out", fade_out)].into_iter();
        let texts: Vec<String> = fades
            .filter(|(_, fade)| fade.length > Frames::ZERO)
            .map(|(name, fade)| format!("{name} {}", self.seconds(fade.length)))
            .collect();
        texts.join(", ")
    }

    /// Returns the name of a node: that of its strip, or `master`.
    fn node_name(&self, index: usize) -> &str {
        match self.nodes.get(index) {
            Some(node) if node.kind != NodeKind::Master => &node.name,
            _ => "master",
        }
    }

    /// Returns the names of what a node feeds, with the level of each send. A bus that solo splits in two is named once.
    fn destinations(&self, node: &Node) -> String {
        let mut texts: Vec<String> = Vec::new();
        for &(to, gain) in &node.out {
            let name = self.node_name(to);
            let text = if gain == Decibels::UNITY {
                name.to_owned()
            } else {
                format!("{name} at {gain:.1}")
            };
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        texts.join(", ")
    }

    /// Returns why a strip is not heard; `None` for one that is.
    fn unheard(&self, node: &Node) -> Option<&'static str> {
        if node.live {
            return match node.unused {
                Some(_) => Some("its clips start after the end of the mix"),
                None => None,
            };
        }
        Some(match node.unused {
            _ if node.muted && node.name.contains('.') => "muted, or its cue is",
            _ if node.muted => "muted",
            _ if self.routing.soloing() => "others are soloed",
            Some(Unheard::FaderDown) => "its fader is at -inf dB",
            Some(_) => "every bus that it feeds is muted or at -inf dB",
            None => "nothing that is heard passes through it",
        })
    }

    /// Returns the tracks and buses, a bus that solo splits in two once.
    fn strips(&self, kind: NodeKind) -> impl Iterator<Item = &Node> {
        let nodes = self.nodes.iter();
        nodes.filter(move |node| node.kind == kind && !node.is_second)
    }

    fn tracks(&self) -> TextTable {
        let headings = [
            "track", "stem", "format", "at", "until", "fades", "gain", "pan", "into",
        ];
        let mut table = TextTable::new(headings, &[6])
            .fixed(&[3, 4])
            .droppable(&[2, 5, 4])
            .hiding_empty();
        for node in self.strips(NodeKind::Track).filter(|node| node.live) {
            for (number, clip) in node.clips().iter().enumerate() {
                let of_track = |text: String| if number == 0 { text } else { String::new() };
                let Range { start, end } = clip.range;
                table.push([
                    of_track(node.name.clone()),
                    clip.stem.name.clone(),
                    self.format(clip),
                    self.position(Frames(start)),
                    self.position(Frames(end)),
                    self.fades(&clip.fade_in, &clip.fade_out),
                    of_track(gain(node)),
                    of_track(pan(node)),
                    of_track(self.destinations(node)),
                ]);
            }
        }
        table
    }

    /// Returns rate, layout, first frame and number of passes of a clip.
    fn format(&self, clip: &PlannedClip) -> String {
        let mut text = format!("{} Hz {}", clip.stem.spec.rate, clip.layout);
        let start = clip.from + clip.lead.min(clip.available);
        if start > 0 {
            text += &format!(" from {}", self.seconds(Frames(start)));
        }
        match clip.passes.count() {
            1 => {}
            passes => text += &format!(", {passes} times"),
        }
        text
    }

    fn buses(&self) -> TextTable {
        let mut table =
            TextTable::new(["bus", "sum of", "gain", "pan", "into"], &[2]).hiding_empty();
        let buses = self.strips(NodeKind::Bus).filter(|node| node.live);
        for node in buses.chain(self.nodes.last()) {
            let mut feeds: Vec<&str> = Vec::new();
            if let NodeInput::Sum(edges) = &node.input {
                let mut seen = HashSet::new();
                let names = edges.iter().map(|edge| self.node_name(edge.node));
                feeds.extend(names.filter(|name| seen.insert(*name)));
            }
            let (name, pan) = match node.kind {
                NodeKind::Master => ("master".to_owned(), String::new()),
                _ => (node.name.clone(), bus_pan(node)),
            };
            let into = self.destinations(node);
            table.push([name, first_of(&feeds), gain(node), pan, into]);
        }
        table
    }

    fn inserts(&self) -> TextTable {
        let headings = ["strip", "insert", "processor", "key"];
        let mut table = TextTable::new(headings, &[]).hiding_empty();
        let nodes = self.nodes.iter().enumerate();
        for (index, node) in nodes.filter(|(_, node)| node.live && !node.is_second) {
            for chain in [&node.before, &node.after] {
                for (number, insert) in chain.inserts.iter().enumerate() {
                    let key = match chain.keys.get(number).and_then(Option::as_ref) {
                        None => String::new(),
                        Some(key) => key
                            .node
                            .map_or("silent".to_owned(), |node| self.node_name(node).to_owned()),
                    };
                    table.push([
                        self.node_name(index).to_owned(),
                        insert.called().to_owned(),
                        insert.to_string(),
                        key,
                    ]);
                }
            }
        }
        table
    }

    fn placements(&self) -> TextTable {
        let headings = [
            "cue",
            "placement",
            "at",
            "until",
            "part",
            "gain",
            "fades",
            "usage",
        ];
        let mut table = TextTable::new(headings, &[5])
            .fixed(&[2, 3])
            .droppable(&[7, 4])
            .hiding_empty();
        for cue in &self.cues {
            for (number, place) in cue.uses.iter().enumerate() {
                let title = if number == 0 { &cue.title } else { "" };
                table.push([
                    title.to_owned(),
                    place.name.clone(),
                    self.position(place.range.start),
                    self.position(place.range.end),
                    self.part(cue, place),
                    format!("{:.1}", place.gain),
                    self.fades(&place.fade_in, &place.fade_out),
                    place.usage.clone(),
                ]);
            }
        }
        table
    }

    /// Returns the part of a cue that a placement plays, counted from the start of the cue.
    fn part(&self, cue: &PlannedCue, place: &PlannedUse) -> String {
        let length = place.range.end - place.range.start;
        if place.from == Frames::ZERO && length == cue.length {
            return "whole".to_owned();
        }
        let end = self.seconds(place.from + length);
        format!(
            "{} to {end} of {}",
            self.seconds(place.from),
            self.seconds(cue.length)
        )
    }

    fn silent_parts(&self) -> TextTable {
        let mut table = TextTable::new(["not heard", "because"], &[]);
        let strips = self
            .strips(NodeKind::Track)
            .chain(self.strips(NodeKind::Bus));
        for node in strips {
            if let Some(reason) = self.unheard(node) {
                table.push([node.name.clone(), reason.to_owned()]);
            }
        }
        for cue in self.cues.iter().filter(|cue| cue.uses.is_empty()) {
            let reason = "the cue has no placement";
            table.push([cue.title.clone(), reason.to_owned()]);
        }
        table
    }
}

/// Returns a list of names, of which a long one ends with the number of those that are left out.
fn first_of(names: &[&str]) -> String {
    const SHOWN: usize = 24;
    match names.split_at_checked(SHOWN) {
        Some((first, rest)) if !rest.is_empty() => {
            format!("{} and {} more", first.join(", "), rest.len())
        }
        _ => names.join(", "),
    }
}

fn gain(node: &Node) -> String {
    match node.gain.constant() {
        Some(gain) => format!("{:.1}", Gain(gain).decibels()),
        None => "automated".to_owned(),
    }
}

fn pan(node: &Node) -> String {
    match node.pan.constant() {
        Some(pan) => Pan(pan).to_string(),
        None => "automated".to_owned(),
    }
}

/// Returns the pan of a bus; empty for the centre, where most are.
fn bus_pan(node: &Node) -> String {
    match node.pan.constant() {
        Some(0.0) => String::new(),
        _ => pan(node),
    }
}

impl fmt::Display for PlanSummary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plan = self.plan;
        let (rate, layout) = (plan.spec.rate, plan.spec.layout);
        let length = plan.length.clock(rate);
        write!(
            f,
            "  {rate} Hz {layout}, {length} long ({})",
            counted(plan.length.0, "frame")
        )?;
        if let Some((fps, start)) = plan.picture {
            write!(f, ", {fps} fps from {start}")?;
        }
        writeln!(f)?;
        let tables = [
            plan.tracks(),
            plan.placements(),
            plan.buses(),
            plan.inserts(),
            plan.silent_parts(),
        ];
        for table in tables.iter().filter(|table| !table.is_empty()) {
            writeln!(f)?;
            table.write(f)?;
        }
        if !plan.markers.is_empty() {
            writeln!(f)?;
        }
        for marker in &plan.markers {
            let name = one_line(marker.name.clone());
            writeln!(f, "  marker {}  {name}", plan.position(marker.at))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        layout::{Layout, Spec},
        media::Memory,
        session::{Cue, Session, Track, Use},
        units::SampleRate,
    };

    #[test]
    fn a_long_list_of_names_ends_with_their_number() {
        assert_eq!(first_of(&[]), "");
        assert_eq!(first_of(&["a", "b"]), "a, b");
        assert!(first_of(&["a"; 24]).ends_with("a, a"));
        assert!(first_of(&["a"; 26]).ends_with("a, a and 2 more"));
    }

    fn track(frames: usize) -> Track {
        let spec = Spec {
            rate: SampleRate::HZ_48000,
            layout: Layout::Mono,
        };
        Track::new("t", Memory::new(spec, vec![vec![0.5; frames]]).unwrap())
    }

    #[test]
    fn placements_state_the_part_of_their_cue_and_the_cue_once() {
        let mut film = Session::new(SampleRate::HZ_48000, Layout::Mono);
        let at = |second: u64| Use::at(Frames(48_000 * second));
        let cue = Cue::new("storm").track(track(96_000));
        let uses = [
            at(0).named("one"),
            at(3).named("two").from(Frames(48_000)),
            at(6).named("three").length(Frames(24_000)),
        ];
        film.add_cue(uses.into_iter().fold(cue, Cue::used));
        let text = Plan::compile(&film).unwrap().summary().to_string();
        let rows = text
            .lines()
            .filter(|line| line.contains(" of 2 s") || line.contains("whole"));
        let words = rows.map(|row| row.split_whitespace().collect::<Vec<_>>().join(" "));
        assert_eq!(
            words.collect::<Vec<_>>(),
            [
                "storm one 00:00:00.000 00:00:02.000 whole 0.0 dB",
                "two 00:00:03.000 00:00:04.000 1 s to 2 s of 2 s 0.0 dB",
                "three 00:00:06.000 00:00:06.500 0 s to 0.5 s of 2 s 0.0 dB",
            ]
        );
    }

    #[test]
    fn lengths_are_in_seconds_without_zeros_at_the_end() {
        let mut mix = Session::new(SampleRate::HZ_48000, Layout::Mono);
        mix.add_track(track(10));
        let plan = Plan::compile(&mix).unwrap();
        for (frames, text) in [
            (2_400, "0.05 s"),
            (96_000, "2 s"),
            (480_000, "10 s"),
            (48, "0.001 s"),
            (0, "0 s"),
        ] {
            assert_eq!(plan.seconds(Frames(frames)), text);
        }
        let fade = |frames| Fade::linear(Frames(frames));
        assert_eq!(
            plan.fades(&fade(48_000), &fade(2_400)),
            "in 1 s, out 0.05 s"
        );
        assert_eq!(plan.fades(&fade(0), &fade(48_000)), "out 1 s");
        assert_eq!(plan.fades(&fade(0), &fade(0)), "");
    }
}
