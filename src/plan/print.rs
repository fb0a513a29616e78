//! A plan as text, for people and for tests.

use super::{Lane, LaneInput, LaneKind, Placing, Plan, PlannedClip};
use crate::error::one_line;
use crate::units::{Decibels, Frames, Pan};
use std::fmt;

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (lanes, stages) = (self.lanes.len(), self.stages.len());
        let length = grouped(self.length);
        let latency = self.limit.map_or(String::new(), |_| format!(", latency {}", self.latency()));
        writeln!(
            f,
            "plan  {} Hz {}, {lanes} lanes in {stages} stages, {length} frames{latency}",
            self.spec.rate, self.spec.layout
        )?;
        let rows: Vec<[String; 6]> = self
            .stages
            .iter()
            .enumerate()
            .flat_map(|(stage, range)| self.lanes.iter().skip(range.start).take(range.len()).map(move |l| (stage, l)))
            .flat_map(|(stage, lane)| self.rows(stage, lane))
            .map(|row| row.map(one_line))
            .collect();
        let width =
            |column: usize| rows.iter().filter_map(|r| r.get(column)).map(|c| c.chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..6).map(width).collect();
        for row in &rows {
            let cells = row.iter().zip(&widths).map(|(cell, &w)| format!("{cell:w$}"));
            writeln!(f, " {}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}

impl Plan {
    /// The row of a lane, and one more for each further clip.
    fn rows(&self, stage: usize, lane: &Lane) -> Vec<[String; 6]> {
        let kind = match lane.kind {
            LaneKind::Track => "track",
            LaneKind::Bus => "bus",
            LaneKind::Master => "master",
        };
        let mut inputs = match &lane.input {
            LaneInput::Clips(clips) => clips.iter().map(|c| self.clip(c)).collect(),
            LaneInput::Sum(feeds) if feeds.is_empty() => vec!["sum of nothing".to_owned()],
            LaneInput::Sum(feeds) => {
                vec![feeds.iter().fold("sum".to_owned(), |text, feed| format!("{text} {}", feed.lane))]
            }
        };
        let further = inputs.split_off(1.min(inputs.len()));
        let gain = match lane.gain.constant() {
            Some(gain) => format!("gain {:.1}", Decibels(20.0 * libm::log10(gain))),
            None => format!("gain curve({})", lane.gain.points()),
        };
        let pan = match lane.pan.constant() {
            _ if lane.kind == LaneKind::Master => {
                self.limit.map_or(String::new(), |at| format!("limit {at:.1}, latency {}", self.latency()))
            }
            Some(0.0) if lane.kind == LaneKind::Bus => String::new(),
            Some(pan) => format!("pan {}", Pan(pan)),
            None => format!("pan curve({})", lane.pan.points()),
        };
        let feed = |&(lane, gain): &(usize, Decibels)| {
            if gain == Decibels::UNITY { format!("{lane}") } else { format!("{lane} ({gain:.1})") }
        };
        let out = match (lane.live, lane.kind) {
            (_, LaneKind::Master) => String::new(),
            (false, _) => "muted".to_owned(),
            _ => format!("-> {}", lane.out.iter().map(feed).collect::<Vec<_>>().join(", ")),
        };
        let input = inputs.pop().unwrap_or_default();
        let first = [format!("{stage} {kind:6}"), format!("{:6}", lane.name), input, gain, pan, out];
        let blank = String::new;
        let more = further.into_iter().map(|clip| [blank(), blank(), clip, blank(), blank(), blank()]);
        std::iter::once(first).chain(more).collect()
    }

    /// `bass.wav 44100->48000 mono @0 [96000..144000] x2`
    fn clip(&self, clip: &PlannedClip) -> String {
        let stem = &clip.stem;
        let mut text = if stem.spec.rate == self.spec.rate {
            format!("{} {} {}", stem.name, stem.spec.rate, clip.layout)
        } else {
            format!("{} {}->{} {}", stem.name, stem.spec.rate, self.spec.rate, clip.layout)
        };
        if matches!(clip.place, Placing::Fold(_)) && clip.layout != self.spec.layout {
            text += &format!("->{}", self.spec.layout);
        }
        text += &format!(" @{}", clip.range.start);
        if clip.from != 0 || stem.frames != Some(Frames(clip.pass)) {
            text += &format!(" [{}..{}]", clip.from, clip.from + clip.pass);
        }
        let passes = (clip.range.end - clip.range.start).checked_div(clip.pass).unwrap_or(1);
        if passes != 1 {
            text += &format!(" x{passes}");
        }
        text
    }
}

/// `11 520 000`
fn grouped(n: Frames) -> String {
    let digits = n.to_string();
    let lead = digits.len() % 3;
    let (head, tail) = digits.split_at(lead);
    let groups = tail.as_bytes().chunks(3).filter_map(|c| std::str::from_utf8(c).ok());
    std::iter::once(head).filter(|h| !h.is_empty()).chain(groups).collect::<Vec<_>>().join(" ")
}
