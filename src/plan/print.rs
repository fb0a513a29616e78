//! Prints a plan as a table of its nodes and one of its cues.

use super::{
    Chain, ChannelMap, Node, NodeInput, NodeKind, Plan, PlannedClip, PlannedCue, PlannedUse,
};
use crate::{
    error::{MAX_WIDTH, one_line},
    timecode::Timecode,
    units::{Decibels, Frames, Gain, Pan},
};
use std::fmt;

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (nodes, stages) = (self.nodes.len(), self.stages.len());
        let length = grouped(self.length);
        let latency = match self.latency() {
            Frames::ZERO => String::new(),
            latency => format!(", latency {latency}"),
        };
        write!(
            f,
            "plan  {} Hz {}, {nodes} nodes in {stages} stages, {length} frames{latency}",
            self.spec.rate, self.spec.layout
        )?;
        match self.picture {
            Some((fps, start)) => writeln!(f, ", {fps} fps from {start}")?,
            None => writeln!(f)?,
        }
        let rows: Vec<[String; 6]> = self
            .stages
            .iter()
            .enumerate()
            .flat_map(|(stage, range)| {
                self.nodes
                    .iter()
                    .skip(range.start)
                    .take(range.len())
                    .map(move |l| (stage, l))
            })
            .flat_map(|(stage, node)| self.rows(stage, node))
            .map(|row| row.map(one_line))
            .collect();
        write_table(f, &rows)?;
        let cues = self
            .cues
            .iter()
            .flat_map(|c| self.cue(c))
            .map(|row| row.map(one_line));
        write_table(f, &cues.collect::<Vec<_>>())
    }
}

/// Returns a line for each insert of a chain, and one for its latency and pre-roll where there are any.
fn inserts(chain: &Chain) -> Vec<String> {
    let of_each = chain.inserts.iter().zip(&chain.keys);
    let mut lines: Vec<String> = of_each
        .map(|(insert, key)| {
            let key = match key.map(|key| key.node) {
                None => String::new(),
                Some(Some(node)) => format!(", key {node}"),
                Some(None) => ", key silent".to_owned(),
            };
            format!("insert {}: {insert}{key}", insert.called())
        })
        .collect();
    let pre_roll = chain.pre_roll();
    if chain.latency > 0 || pre_roll.is_some_and(|frames| frames > 0) {
        let pre_roll = match pre_roll {
            Some(frames) => format!("pre-roll {}", grouped(Frames(frames))),
            None => "rendered from the start of the sound".to_owned(),
        };
        lines.push(format!("latency {}, {pre_roll}", chain.latency));
    }
    lines
}

/// Writes rows in columns that are as wide as their widest cell. A cell beyond [`MAX_WIDTH`] overruns its column.
fn write_table<const N: usize>(f: &mut fmt::Formatter<'_>, rows: &[[String; N]]) -> fmt::Result {
    let width = |column: usize| {
        rows.iter()
            .filter_map(|r| r.get(column))
            .map(|c| c.chars().count())
            .filter(|width| *width <= MAX_WIDTH)
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..N).map(width).collect();
    for row in rows {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, &w)| format!("{cell:w$}"));
        writeln!(f, " {}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

impl Plan {
    /// Returns the row of a node, and one more for each further clip.
    fn rows(&self, stage: usize, node: &Node) -> Vec<[String; 6]> {
        let kind = match node.kind {
            NodeKind::Track => "track",
            NodeKind::Bus => "bus",
            NodeKind::Master => "master",
        };
        let mut inputs = match &node.input {
            NodeInput::Clips(clips) => clips.iter().map(|c| self.clip(c)).collect(),
            NodeInput::Sum(feeds) if feeds.is_empty() => vec!["sum of nothing".to_owned()],
            NodeInput::Sum(feeds) => {
                vec![feeds.iter().fold("sum".to_owned(), |text, feed| {
                    format!("{text} {}", feed.node)
                })]
            }
        };
        let mut further = inputs.split_off(1.min(inputs.len()));
        further.extend(inserts(&node.before));
        let gain = match node.gain.constant() {
            Some(gain) => format!("gain {:.1}", Gain(gain).decibels()),
            None => format!("gain curve({})", node.gain.points()),
        };
        let pan = match node.pan.constant() {
            _ if node.kind == NodeKind::Master => self.ceiling().map_or(String::new(), |at| {
                format!("limit {at:.1}, latency {}", self.latency())
            }),
            Some(0.0) if node.kind == NodeKind::Bus => String::new(),
            Some(pan) => format!("pan {}", Pan(pan)),
            None => format!("pan curve({})", node.pan.points()),
        };
        let feed = |&(node, gain): &(usize, Decibels)| {
            if gain == Decibels::UNITY {
                format!("{node}")
            } else {
                format!("{node} ({gain:.1})")
            }
        };
        let out = match (node.live, node.kind) {
            (_, NodeKind::Master) => String::new(),
            (false, _) => "muted".to_owned(),
            _ => format!(
                "-> {}",
                node.out.iter().map(feed).collect::<Vec<_>>().join(", ")
            ),
        };
        let input = inputs.pop().unwrap_or_default();
        let first = [
            format!("{stage} {kind:6}"),
            format!("{:6}", node.name),
            input,
            gain,
            pan,
            out,
        ];
        let blank = String::new;
        let more = further
            .into_iter()
            .map(|clip| [blank(), blank(), clip, blank(), blank(), blank()]);
        std::iter::once(first).chain(more).collect()
    }

    /// Returns the row of a cue, and one more for each of its placements: position, stretch of the cue, level and fades.
    fn cue(&self, cue: &PlannedCue) -> Vec<[String; 6]> {
        let blank = String::new;
        let count = match cue.uses.len() {
            0 => "not used".to_owned(),
            1 => "1 use".to_owned(),
            n => format!("{n} uses"),
        };
        let title = if cue.title == cue.name {
            blank()
        } else {
            format!("\"{}\"", cue.title)
        };
        let first = format!("{}, {} frames, {count}", cue.kind, grouped(cue.length));
        let head = [
            "cue".to_owned(),
            cue.name.clone(),
            title,
            first,
            blank(),
            blank(),
        ];
        let used = |place: &PlannedUse| {
            let (start, end) = (place.range.start, place.range.end);
            let whole = place.from == Frames::ZERO && end - start == cue.length;
            let part = if whole {
                "whole".to_owned()
            } else {
                format!("[{}..{}]", place.from, place.from + (end - start))
            };
            let timecode = self.picture.map(|(fps, zero)| {
                let (label, after) =
                    Timecode::seen_at(zero.frames(self.spec.rate) + start, self.spec.rate, fps);
                if after == Frames::ZERO {
                    label.to_string()
                } else {
                    format!("{label}+{after}")
                }
            });
            let fades = [("fade in", place.fade_in), ("fade out", place.fade_out)];
            let faded = fades
                .iter()
                .filter(|(_, f)| f.length > Frames::ZERO)
                .map(|(n, f)| format!("  {n} {}", f.length));
            let level = format!("gain {:.1}{}", place.gain, faded.collect::<String>());
            let at = format!("@{start}");
            let at = timecode.map_or(at.clone(), |label| format!("{label} {at}"));
            [
                "use".to_owned(),
                place.name.clone(),
                at,
                part,
                level,
                place.usage.clone(),
            ]
        };
        std::iter::once(head)
            .chain(cue.uses.iter().map(used))
            .collect()
    }

    /// Returns the text of a clip, as in `bass.wav 44100->48000 mono @0 [96000..144000] x2`.
    fn clip(&self, clip: &PlannedClip) -> String {
        let stem = &clip.stem;
        let mut text = if stem.spec.rate == self.spec.rate {
            format!("{} {} {}", stem.name, stem.spec.rate, clip.layout)
        } else {
            format!(
                "{} {}->{} {}",
                stem.name, stem.spec.rate, self.spec.rate, clip.layout
            )
        };
        if matches!(clip.channel_map, ChannelMap::Fold(_)) && clip.layout != self.spec.layout {
            text += &format!("->{}", self.spec.layout);
        }
        text += &format!(" @{}", clip.range.start);
        let heard = clip.range.end - clip.range.start;
        let Some(pass) = clip.passes.even() else {
            // The passes differ in length: the exact end of the first, and the stretch of all passes together that is heard.
            let end = clip.passes.length().plus(Frames(clip.from).into());
            let (count, end_heard) = (clip.passes.count(), clip.lead + heard);
            text += &format!(" [{}..{end}] x{count}", clip.from);
            if clip.lead != 0 || heard != clip.total {
                text += &format!(" {}..{end_heard}", clip.lead);
            }
            return text;
        };
        if clip.lead == 0 && heard.is_multiple_of(pass.max(1)) {
            if clip.from != 0 || stem.frames != Some(Frames(pass)) {
                text += &format!(" [{}..{}]", clip.from, clip.from + pass);
            }
            let passes = heard.checked_div(pass).unwrap_or(1);
            if passes != 1 {
                text += &format!(" x{passes}");
            }
        } else if clip.lead + heard <= pass {
            text += &format!(
                " [{}..{}]",
                clip.from + clip.lead,
                clip.from + clip.lead + heard
            );
        } else {
            // A part of several passes: its first and last frame, counted over all passes.
            text += &format!(" [{}..{}] x", clip.from, clip.from + pass);
            text += &format!(
                "{} {}..{}",
                clip.total.div_ceil(pass.max(1)),
                clip.lead,
                clip.lead + heard
            );
        }
        text
    }
}

/// Returns a number with its digits in groups of three, as in `11 520 000`.
fn grouped(n: Frames) -> String {
    let digits = n.to_string();
    let lead = digits.len() % 3;
    let (head, tail) = digits.split_at(lead);
    let groups = tail
        .as_bytes()
        .chunks(3)
        .filter_map(|c| std::str::from_utf8(c).ok());
    std::iter::once(head)
        .filter(|h| !h.is_empty())
        .chain(groups)
        .collect::<Vec<_>>()
        .join(" ")
}
