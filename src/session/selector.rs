//! Parts of a session by name: `track.drums`, `bus.dialogue`, `cue.storm`, `cue.storm.violins`.

use super::{
    Session,
    cue::CueId,
    strip::{BusId, TrackId},
};
use crate::diagnostics::suggest::hint;

/// A part of a session that can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Part {
    /// A track outside any cue.
    Track(TrackId),
    /// A bus, and what only it lets through.
    Bus(BusId),
    /// All tracks of a cue.
    Cue(CueId),
    /// One track of a cue, counted from 0.
    CueTrack(CueId, usize),
}

impl From<TrackId> for Part {
    fn from(id: TrackId) -> Self {
        Self::Track(id)
    }
}

impl From<BusId> for Part {
    fn from(id: BusId) -> Self {
        Self::Bus(id)
    }
}

impl From<CueId> for Part {
    fn from(id: CueId) -> Self {
        Self::Cue(id)
    }
}

impl Session {
    /// The part that `track.NAME`, `bus.NAME`, `cue.NAME` or `cue.NAME.TRACK` means.
    ///
    /// # Errors
    /// What is wrong with the name, and the nearest one there is.
    pub fn part(&self, name: &str) -> Result<Part, String> {
        let (kind, rest) = name.split_once('.').unwrap_or((name, ""));
        let tracks = || self.tracks().iter().map(|t| t.strip.name.as_str());
        let buses = || self.buses().iter().map(|b| b.strip.name.as_str());
        let cues = || self.cues().iter().map(|c| c.name.as_str());
        let missing = |hint: String| Err(format!("there is no {kind} {rest:?}{hint}"));
        match kind {
            "track" => match tracks().position(|t| t == rest) {
                Some(index) => Ok(Part::Track(TrackId(index))),
                None => missing(hint(rest, tracks())),
            },
            "bus" => match buses().position(|b| b == rest) {
                Some(index) => Ok(Part::Bus(BusId(index))),
                None => missing(hint(rest, buses())),
            },
            "cue" => {
                if let Some(index) = cues().position(|c| c == rest) {
                    return Ok(Part::Cue(CueId(index)));
                }
                // The longest name of a cue that leads it, since names may hold dots.
                let led = |c: &&str| {
                    rest.strip_prefix(*c)
                        .is_some_and(|after| after.starts_with('.'))
                };
                let Some(cue) = cues().filter(led).max_by_key(|c| c.len()) else {
                    return missing(hint(rest, cues()));
                };
                let track = rest.get(cue.len() + 1..).unwrap_or_default();
                let found = self.cues().iter().enumerate().find(|(_, c)| c.name == cue);
                let Some((index, cue)) = found else {
                    return missing(String::new());
                };
                let names = || cue.tracks.iter().map(|t| t.strip.name.as_str());
                names()
                    .position(|t| t == track)
                    .map(|t| Part::CueTrack(CueId(index), t))
                    .ok_or_else(|| {
                        format!(
                            "there is no track {track:?} in cue {:?}{}",
                            cue.name,
                            hint(track, names())
                        )
                    })
            }
            _ => Err(format!(
                "{name:?} is no part: write track.NAME, bus.NAME, cue.NAME or cue.NAME.TRACK"
            )),
        }
    }

    /// The name of a part, as [`part`](Self::part) reads it; `None` for one of another session.
    #[must_use]
    pub fn part_name(&self, part: Part) -> Option<String> {
        match part {
            Part::Track(TrackId(i)) => self
                .tracks()
                .get(i)
                .map(|t| format!("track.{}", t.strip.name)),
            Part::Bus(BusId(i)) => self.buses().get(i).map(|b| format!("bus.{}", b.strip.name)),
            Part::Cue(CueId(i)) => self.cues().get(i).map(|c| format!("cue.{}", c.name)),
            Part::CueTrack(CueId(i), t) => {
                let cue = self.cues().get(i)?;
                cue.tracks
                    .get(t)
                    .map(|t| format!("cue.{}.{}", cue.name, t.strip.name))
            }
        }
    }

    /// Mutes a part; one of another session changes nothing.
    pub fn mute(&mut self, part: Part) {
        match part {
            Part::Track(TrackId(i)) => self
                .tracks
                .iter_mut()
                .skip(i)
                .take(1)
                .for_each(|t| t.strip.mute = true),
            Part::Bus(BusId(i)) => self
                .buses
                .iter_mut()
                .skip(i)
                .take(1)
                .for_each(|b| b.strip.mute = true),
            Part::Cue(CueId(i)) => self
                .cues
                .iter_mut()
                .skip(i)
                .take(1)
                .for_each(|c| c.mute = true),
            Part::CueTrack(CueId(i), t) => {
                let tracks = self
                    .cues
                    .iter_mut()
                    .skip(i)
                    .take(1)
                    .flat_map(|c| &mut c.tracks);
                tracks.skip(t).take(1).for_each(|t| t.strip.mute = true);
            }
        }
    }
}
