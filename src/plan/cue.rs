//! Expands cues: every track of a cue becomes a node that holds its clips once for each placement.
//!
//! A placement plays a stretch of the cue. Clips and their fades keep their position in the cue, automation follows the cue's
//! own time, and the level and fades of the placement apply to all of it. Everything is a pure function of the absolute
//! frame.

use super::{
    PlannedClip, Window,
    cost::{Cost, clip_bytes},
    crossfade::{self, FadedSpan},
    place::{ClipPlacer, automation},
    route::TrackInput,
};
use crate::{
    curve::{Automation, Fade, ParameterCurve},
    diagnostics::{ClockTime, Sharers, StemEnd, Subject, WarningKind},
    dsp::glide::INTERVAL,
    error::{ErrorKind, Problem, counted},
    session::{
        At, Cue, CueId, CueKind, Strip, Track, Use,
        credit::total_share,
        exact_times::{exact, phase, rounded_length},
        validate::TrackName,
    },
    units::{Decibels, Frames},
};
use std::ops::Range;

/// A cue of a plan, with its length and its placements.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PlannedCue {
    /// Its name in the session.
    pub name: String,
    /// Its title; its name where the session states none.
    pub title: String,
    /// The kind of cue.
    pub kind: CueKind,
    /// Its length: the end of its last clip.
    pub length: Frames,
    /// Its placements, in the order of the session.
    pub uses: Vec<PlannedUse>,
}

/// A placement of a cue, with all times resolved to frames.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PlannedUse {
    /// Its name; empty for a placement without one.
    pub name: String,
    /// The frames of the timeline in which it sounds.
    pub range: Range<Frames>,
    /// The frame of the cue that it starts with.
    pub from: Frames,
    /// Its level.
    pub gain: Decibels,
    /// The fade at its start: its own, or that of a crossfade.
    pub fade_in: Fade,
    /// The fade at its end: its own, or that of a crossfade.
    pub fade_out: Fade,
    /// Its usage code; empty for none.
    pub usage: String,
}

/// Frames ahead of a placement in which curves already follow it: the values of parameters are computed at every
/// `INTERVAL`th frame.
const LEAD: u64 = INTERVAL as u64;

/// The cue of a node.
///
/// A track of a cue is one node for all placements, unless one of its controls moves in time: then placements that overlap need a
/// node each.
#[derive(Clone, Debug)]
pub(crate) struct InCue {
    pub cue: CueId,
    /// The track of the cue, counted from 0.
    pub track: usize,
    /// The placements that the node plays: the range of the timeline, and the frame of the cue that the range starts with.
    times: Vec<(Range<u64>, u64)>,
}

impl InCue {
    /// Returns the gain and pan of a strip on the timeline; curves follow the time of the cue.
    pub(crate) fn automation(&self, strip: &Strip) -> (Automation, Automation) {
        let retimed = |curve: Automation| match curve.constant() {
            Some(_) => curve,
            None => curve.retimed(&self.times, LEAD),
        };
        let (gain, pan) = automation(strip);
        (retimed(gain), retimed(pan))
    }

    /// Returns the values of a parameter on the timeline; they follow the time of the cue.
    pub(super) fn parameter(&self, curve: ParameterCurve) -> ParameterCurve {
        curve.retimed(&self.times, LEAD)
    }
}

impl<'a> ClipPlacer<'a> {
    /// Warns of each cue that has no placement and is in no album. Reports a problem instead where nothing else is in the mix.
    pub(super) fn note_unplaced_cues(&mut self) {
        let session = self.session;
        let left_out = |(index, cue): &(usize, &Cue)| {
            cue.uses.is_empty() && !cue.mute && !session.has_in_album(CueId::at(*index))
        };
        let empty = session.has_only_unplaced_cues();
        for (_, cue) in session.cues().iter().enumerate().filter(left_out) {
            if empty {
                let what = "it has no placement, so the mix is empty: place it with at, as in at = \"0s\", or with a use";
                let problem = Problem::about(subject(cue, None), ErrorKind::Session, what);
                self.report(cue.written.place(problem, &[]));
            } else {
                self.note(WarningKind::UnplacedCue {}, subject(cue, None));
            }
        }
    }

    /// Warns of shares that do not add up to the whole.
    pub(super) fn note_shares(&mut self) {
        /// Deviation in percent that rounding explains: three times 33.3 % are 0.1 % less than all.
        const TOLERANCE: f64 = 0.15;
        for cue in self.session.cues().iter().filter(|cue| !cue.mute) {
            for (of, key, credits) in [
                (Sharers::Composers, "composer", &cue.composer),
                (Sharers::Publishers, "publisher", &cue.publisher),
            ] {
                if let Some(total) = total_share(credits).filter(|t| (t - 100.0).abs() > TOLERANCE)
                {
                    let line = cue.written.line(key);
                    let kind = WarningKind::IncompleteShares { of, total, line };
                    self.note(kind, subject(cue, None));
                }
            }
        }
    }

    /// Plans a cue and returns it with the nodes of its tracks. A cue without placements is checked, but has no nodes.
    pub(super) fn cue(&mut self, id: CueId, cue: &'a Cue) -> (PlannedCue, Vec<TrackInput<'a>>) {
        let mut tracks: Vec<(&Track, Vec<PlannedClip>)> = Vec::with_capacity(cue.tracks.len());
        for track in &cue.tracks {
            let name = TrackName {
                cue: Some(&cue.name),
                track: &track.strip.name,
            };
            if track.strip.solo && cue.uses.is_empty() {
                let what = "it is soloed, but its cue has no placement, so nothing would be heard: place the cue with at or a use, or remove the solo";
                self.report(
                    cue.written
                        .place(Problem::new(format!("{name}: {what}")), &[]),
                );
            }
            tracks.push((track, self.clips(&name, track)));
        }
        self.note_unequal_stems(cue, &tracks);
        let length = tracks
            .iter()
            .flat_map(|(_, clips)| clips)
            .map(|c| c.range.end)
            .max()
            .unwrap_or(0);
        let origin = if cue.uses.iter().any(|u| u.at == At::Origin) {
            self.cue_origin(cue, &tracks)
        } else {
            None
        };
        let uses = self.uses(cue, length, origin);
        // Checked before the nodes are made: a short session file can ask for more nodes than fit in memory.
        let (at_once, count) = (max_overlap(&uses), uses.len() as u64);
        let mut cost = Cost::default();
        for (track, clips) in &tracks {
            cost.nodes += if has_constant_controls(&track.strip) {
                count.min(1)
            } else {
                at_once
            };
            let of_each = count.saturating_mul(clips.len() as u64);
            cost.clips = cost.clips.saturating_add(of_each);
            let largest = clips.iter().map(|c| clip_bytes(c, self.session.rate)).max();
            let sounding = at_once.saturating_mul(largest.unwrap_or(0));
            cost.more = cost.more.saturating_add(sounding);
        }
        let (still, moving) = if self.has_memory_for(cost) {
            (groups(&uses, true), groups(&uses, false))
        } else {
            (Vec::new(), Vec::new())
        };
        let mut inputs = Vec::new();
        for (index, (track, clips)) in tracks.into_iter().enumerate() {
            let strip = &track.strip;
            let groups = if has_constant_controls(strip) {
                &still
            } else {
                &moving
            };
            for (number, group) in groups.iter().enumerate() {
                let times = group
                    .iter()
                    .map(|u| (u.range.start.0..u.range.end.0, u.from.0))
                    .collect();
                let in_cue = InCue {
                    cue: id,
                    track: index,
                    times,
                };
                let (gain, pan) = in_cue.automation(strip);
                let number = if number == 0 {
                    String::new()
                } else {
                    format!(" ({})", number + 1)
                };
                inputs.push(TrackInput {
                    name: format!("{}.{}{number}", cue.name, strip.name),
                    strip,
                    mute: cue.mute || strip.mute,
                    clips: group
                        .iter()
                        .flat_map(|u| clips.iter().filter_map(|c| clip_in_placement(c, u)))
                        .collect(),
                    gain,
                    pan,
                    in_cue: Some(in_cue),
                });
            }
        }
        let title = cue.display_name().to_owned();
        (
            PlannedCue {
                name: cue.name.clone(),
                title,
                kind: cue.kind,
                length: Frames(length),
                uses,
            },
            inputs,
        )
    }

    /// Warns where the stems that a cue plays whole from its start differ in length: they are usually exported together, so one
    /// of them may be cut off.
    fn note_unequal_stems(&mut self, cue: &Cue, tracks: &[(&Track, Vec<PlannedClip>)]) {
        let whole = tracks
            .iter()
            .filter_map(|(track, clips)| match clips.as_slice() {
                [clip]
                    if clip.range.start == 0
                        && clip.stem.frames == Some(Frames(clip.range.end)) =>
                {
                    Some((clip.range.end, track.strip.name.as_str()))
                }
                _ => None,
            });
        let whole: Vec<(u64, &str)> = whole.collect();
        let by_length = |(frames, _): &&(u64, &str)| *frames;
        let (Some(short), Some(long)) = (
            whole.iter().min_by_key(by_length),
            whole.iter().max_by_key(by_length),
        ) else {
            return;
        };
        if short.0 < long.0 {
            let rate = self.session.rate;
            let end = |(frames, track): &(u64, &str)| StemEnd {
                track: (*track).to_owned(),
                at: ClockTime {
                    frame: Frames(*frames),
                    rate,
                },
            };
            let kind = WarningKind::UnequalStems {
                shortest: end(short),
                longest: end(long),
            };
            self.note(kind, subject(cue, None));
        }
    }

    /// Plans the placements of a cue of this length. Its stems' time references put its first frame at `origin`.
    fn uses(&mut self, cue: &Cue, length: u64, origin: Option<i128>) -> Vec<PlannedUse> {
        let mut found: Vec<(&Use, FadedSpan)> = Vec::new();
        for place in &cue.uses {
            let subject = self::subject(cue, Some(place));
            let clock = |frame: u64| Frames(frame).clock(self.session.rate);
            let from = exact(place.from, place.exact.from);
            let phase = phase(place.at, place.exact.at, self.session.rate);
            let stated_length = place
                .length
                .map_or(length.saturating_sub(place.from.0), |l| l.0);
            // A length between two frames may round to one frame more or less, depending on the exact start.
            let (length_here, end) = match place.length.map(|l| exact(l, place.exact.length)) {
                Some(exact) => (
                    rounded_length(phase, exact),
                    from.plus(exact)
                        .nearest()
                        .min(place.from.0.saturating_add(stated_length)),
                ),
                None => (stated_length, place.from.0.saturating_add(stated_length)),
            };
            let mut wrong = Vec::new();
            if end > length && length > 0 {
                let what = format!(
                    "it ends at {} ({}), the cue at {} ({})",
                    clock(end),
                    counted(end, "frame"),
                    clock(length),
                    counted(length, "frame")
                );
                wrong.push((["length", "from"], what));
            }
            for (fade, key, what) in [
                (place.fade_in, "fade_in", "fade-in"),
                (place.fade_out, "fade_out", "fade-out"),
            ] {
                if fade.length.0 > stated_length && end <= length {
                    let what = format!(
                        "the {what} of {} is longer than the use of {stated_length}",
                        counted(fade.length.0, "frame")
                    );
                    wrong.push(([key, key], what));
                }
            }
            let at = match place.at {
                At::Frames(at) => Ok(at.0),
                At::Timecode(at) => self.timecode(&subject, at),
                At::Origin => match origin {
                    Some(origin_frame) => self.after_start(origin_frame + i128::from(place.from.0)),
                    // `cue_origin` has reported this once for the whole cue.
                    None => continue,
                },
            };
            let start = at
                .map_err(|what| wrong.push((["at", "at"], what)))
                .unwrap_or_default();
            let fits = wrong.is_empty();
            for (keys, what) in wrong {
                let problem = Problem::about(subject.clone(), ErrorKind::Session, what);
                self.report(place.written.place(problem, &keys));
            }
            if fits {
                let crossfade = place.crossfade;
                let faded = rounded_length(phase, exact(crossfade.length, place.exact.crossfade));
                found.push((
                    place,
                    FadedSpan {
                        start,
                        end: start.saturating_add(length_here),
                        fade_in: place.fade_in.within(length_here),
                        fade_out: place.fade_out.within(length_here),
                        crossfade,
                        crossfade_end: start.saturating_add(faded),
                    },
                ));
            }
        }
        let mut spans: Vec<FadedSpan> = found.iter().map(|(_, s)| s.clone()).collect();
        for (index, what) in crossfade::apply(&mut spans, "use") {
            let Some((place, _)) = found.get(index) else {
                continue;
            };
            let problem = Problem::about(subject(cue, Some(place)), ErrorKind::Session, what);
            self.report(place.written.place(problem, &["crossfade"]));
        }
        let planned = found.iter().zip(spans).map(|((place, _), s)| PlannedUse {
            name: place.name.clone(),
            range: Frames(s.start)..Frames(s.end),
            from: place.from,
            gain: place.gain,
            fade_in: s.fade_in,
            fade_out: s.fade_out,
            usage: place.usage.clone(),
        });
        planned.collect()
    }

    /// Returns the frame at which the time references of a cue's stems, which must agree, put the start of the cue. Reports a
    /// problem where they do not agree or are missing.
    fn cue_origin(&mut self, cue: &Cue, tracks: &[(&Track, Vec<PlannedClip>)]) -> Option<i128> {
        let subject = self::subject(cue, None);
        let mut first: Option<(i128, &str)> = None;
        for clip in tracks.iter().flat_map(|(_, clips)| clips) {
            let Some(origin_frame) = self.origin(&subject, &clip.stem) else {
                continue;
            };
            let origin_frame = origin_frame + i128::from(clip.from) - i128::from(clip.range.start);
            match first {
                Some((known, name)) if known != origin_frame => {
                    let what = format!(
                        "the time references of {name} and {} differ by {}: give `at` as a time",
                        clip.stem.name,
                        counted(known.abs_diff(origin_frame), "frame")
                    );
                    self.report(
                        cue.written
                            .place(Problem::about(subject, ErrorKind::Session, what), &["at"]),
                    );
                    return None;
                }
                Some(_) => {}
                None => first = Some((origin_frame, &clip.stem.name)),
            }
        }
        if first.is_none() && tracks.iter().any(|(_, clips)| !clips.is_empty()) {
            let what = "no stem has a time reference: give `at` as a time";
            self.report(
                cue.written
                    .place(Problem::about(subject, ErrorKind::Session, what), &["at"]),
            );
        }
        first.map(|(origin_frame, _)| origin_frame)
    }
}

/// Returns the subject of a message about a cue, or about one of its placements; a placement without a name is its cue.
fn subject(cue: &Cue, place: Option<&Use>) -> Subject {
    let placement = place
        .map(|p| p.name.clone())
        .filter(|name| !name.is_empty());
    Subject::Cue {
        name: cue.name.clone(),
        placement,
        file: None,
    }
}

/// Reports whether no control of a strip moves in time: gain, pan, and the parameters of inserts.
fn has_constant_controls(strip: &Strip) -> bool {
    let (gain, pan) = automation(strip);
    let mut inserts = strip.inserts.iter();
    gain.constant().is_some()
        && pan.constant().is_some()
        && inserts.all(|insert| insert.bypass || insert.curves().next().is_none())
}

/// Returns the largest number of placements that sound at the same time: the nodes that a track needs of which a
/// control moves in time.
fn max_overlap(uses: &[PlannedUse]) -> u64 {
    let mut changes: Vec<(u64, i64)> = Vec::with_capacity(2 * uses.len());
    for place in uses {
        changes.push((place.range.start.0, 1));
        changes.push((place.range.end.0, -1));
    }
    // Sorting puts ends before starts at one frame. An empty placement ends where it starts, and still needs a node.
    changes.sort_unstable();
    let (mut now, mut most) = (0i64, i64::from(!uses.is_empty()));
    for (_, change) in changes {
        now += change;
        most = most.max(now);
    }
    most.unsigned_abs()
}

/// Groups the placements that one node can play: all of them where neither gain nor pan moves in time, else sets of placements
/// that do not overlap.
fn groups(uses: &[PlannedUse], still: bool) -> Vec<Vec<&PlannedUse>> {
    if still && !uses.is_empty() {
        return vec![uses.iter().collect()];
    }
    let mut order: Vec<&PlannedUse> = uses.iter().collect();
    order.sort_by_key(|u| u.range.start);
    let mut groups: Vec<Vec<&PlannedUse>> = Vec::new();
    for place in order {
        let free = |group: &&mut Vec<&PlannedUse>| {
            group
                .last()
                .is_none_or(|last| last.range.end <= place.range.start)
        };
        match groups.iter_mut().find(free) {
            Some(group) => group.push(place),
            None => groups.push(vec![place]),
        }
    }
    groups
}

/// Returns a clip of a cue as a placement plays it; `None` where the placement leaves the clip out.
fn clip_in_placement(clip: &PlannedClip, place: &PlannedUse) -> Option<PlannedClip> {
    let excerpt = place.from.0
        ..place
            .from
            .0
            .saturating_add((place.range.end - place.range.start).0);
    let (start, end) = (
        clip.range.start.max(excerpt.start),
        clip.range.end.min(excerpt.end),
    );
    if start >= end {
        return None;
    }
    let on_timeline = |frame: u64| place.range.start.0.saturating_add(frame - excerpt.start);
    let window = Window {
        range: place.range.start.0..place.range.end.0,
        fade_in: place.fade_in,
        fade_out: place.fade_out,
    };
    Some(PlannedClip {
        range: on_timeline(start)..on_timeline(end),
        lead: start - clip.range.start,
        gain: clip.gain * place.gain.gain().0,
        window,
        ..clip.clone()
    })
}
