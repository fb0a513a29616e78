//! Selects parts of a session, by id or by name: `track.drums`, `bus.dialogue`, `cue.storm`, `cue.storm.violins`.

use super::{
    Insert, Session,
    id::{BusId, CueId, SessionKey, TrackId},
    insert::Build,
    strip::Strip,
};
use crate::{
    curve::{Point, Shape},
    diagnostics::suggest::nearest,
    dsp::Processor,
    layout::Spec,
    units::{Decibels, Frames},
};
use std::{fmt, sync::Arc};

/// Selects a part of a session: to mute it in a deliverable, or to control it during playback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Selector {
    /// A track of the timeline.
    Track(TrackId),
    /// A bus, and what only it lets through.
    Bus(BusId),
    /// All tracks of a cue. A cue has a mute, but no fader, pan or solo.
    Cue(CueId),
    /// One track of a cue, counted from 0, in all placements of the cue.
    CueTrack(CueId, usize),
    /// The master. It has a fader, but no pan, mute or solo.
    Master,
}

impl Selector {
    /// Reports whether an id is one of a session or of a clone of it; true for the master.
    pub(super) fn is_of(self, session: SessionKey) -> bool {
        match self {
            Self::Track(id) => session.owns(id.session()),
            Self::Bus(id) => session.owns(id.session()),
            Self::Cue(id) | Self::CueTrack(id, _) => session.owns(id.session()),
            Self::Master => true,
        }
    }
}

impl From<TrackId> for Selector {
    fn from(id: TrackId) -> Self {
        Self::Track(id)
    }
}

impl From<BusId> for Selector {
    fn from(id: BusId) -> Self {
        Self::Bus(id)
    }
}

impl From<CueId> for Selector {
    fn from(id: CueId) -> Self {
        Self::Cue(id)
    }
}

impl From<(CueId, usize)> for Selector {
    fn from((cue, track): (CueId, usize)) -> Self {
        Self::CueTrack(cue, track)
    }
}

/// Names a part, in every version of a session that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PartName {
    Track(String),
    Bus(String),
    Cue(String),
    CueTrack { cue: String, track: String },
    Master,
}

impl fmt::Display for PartName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Track(name) => write!(f, "track.{name}"),
            Self::Bus(name) => write!(f, "bus.{name}"),
            Self::Cue(name) => write!(f, "cue.{name}"),
            Self::CueTrack { cue, track } => write!(f, "cue.{cue}.{track}"),
            Self::Master => f.write_str("master"),
        }
    }
}

/// Error: a name selects no part of the session. `nearest` is the most similar name that the session
/// has, if one is similar enough to suggest.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnknownPart {
    /// The name begins with none of `track.`, `bus.` and `cue.`.
    Kind {
        /// Whole name.
        name: String,
    },
    /// The session has no such track.
    Track {
        /// Name without `track.`.
        name: String,
        /// Most similar name of a track.
        nearest: Option<String>,
    },
    /// The session has no such bus.
    Bus {
        /// Name without `bus.`.
        name: String,
        /// Most similar name of a bus.
        nearest: Option<String>,
    },
    /// The session has no such cue.
    Cue {
        /// Name without `cue.`.
        name: String,
        /// Most similar name of a cue.
        nearest: Option<String>,
    },
    /// The cue has no such track.
    CueTrack {
        /// Name of the cue.
        cue: String,
        /// Name of the track.
        name: String,
        /// Most similar name of a track of the cue.
        nearest: Option<String>,
    },
}

impl fmt::Display for UnknownPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nearest = match self {
            Self::Kind { name } => {
                return write!(
                    f,
                    "{name:?} is no part: write track.NAME, bus.NAME, cue.NAME or cue.NAME.TRACK"
                );
            }
            Self::Track { name, nearest } => {
                write!(f, "there is no track {name:?}")?;
                nearest
            }
            Self::Bus { name, nearest } => {
                write!(f, "there is no bus {name:?}")?;
                nearest
            }
            Self::Cue { name, nearest } => {
                write!(f, "there is no cue {name:?}")?;
                nearest
            }
            Self::CueTrack { cue, name, nearest } => {
                write!(f, "there is no track {name:?} in cue {cue:?}")?;
                nearest
            }
        };
        match nearest {
            Some(nearest) => write!(f, "; did you mean {nearest:?}?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for UnknownPart {}

impl Session {
    /// Finds a part that can be muted by its name: `track.NAME`, `bus.NAME`, `cue.NAME` or `cue.NAME.TRACK`.
    ///
    /// ```
    /// use soundtrack::{Layout, SampleRate, Selector, Session, Track, UnknownPart};
    /// let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    /// let drums = mix.add_track(Track::new("drums", "drums.wav"));
    /// assert_eq!(mix.part("track.drums"), Ok(Selector::Track(drums)));
    /// let unknown = mix.part("track.drms").unwrap_err();
    /// assert_eq!(unknown.to_string(), r#"there is no track "drms"; did you mean "drums"?"#);
    /// # assert!(matches!(unknown, UnknownPart::Track { nearest: Some(_), .. }));
    /// ```
    ///
    /// # Errors
    /// [`UnknownPart`] with the most similar name of the session, if there is one.
    pub fn part(&self, name: &str) -> Result<Selector, UnknownPart> {
        let (kind, rest) = name.split_once('.').unwrap_or((name, ""));
        let tracks = || self.tracks().iter().map(|t| t.strip.name.as_str());
        let buses = || self.buses().iter().map(|b| b.strip.name.as_str());
        match kind {
            "track" => match tracks().position(|t| t == rest) {
                Some(index) => Ok(Selector::Track(TrackId::of(index, self.key))),
                None => Err(UnknownPart::Track {
                    name: rest.to_owned(),
                    nearest: nearest(rest, tracks()).map(str::to_owned),
                }),
            },
            "bus" => match buses().position(|b| b == rest) {
                Some(index) => Ok(Selector::Bus(BusId::of(index, self.key))),
                None => Err(UnknownPart::Bus {
                    name: rest.to_owned(),
                    nearest: nearest(rest, buses()).map(str::to_owned),
                }),
            },
            "cue" => self.cue_part(rest),
            _ => Err(UnknownPart::Kind {
                name: name.to_owned(),
            }),
        }
    }

    /// Finds a cue by its name, or a track by the names of its cue and itself with a dot between.
    fn cue_part(&self, name: &str) -> Result<Selector, UnknownPart> {
        let cues = || self.cues().iter().enumerate();
        if let Some((index, _)) = cues().find(|(_, cue)| cue.name == name) {
            return Ok(Selector::Cue(CueId::of(index, self.key)));
        }
        // Names may contain dots, so several cues may match; the longest name decides.
        let matches = cues().filter_map(|(index, cue)| {
            let track = name.strip_prefix(cue.name.as_str())?.strip_prefix('.')?;
            Some((index, cue, track))
        });
        let Some((index, cue, track)) = matches.max_by_key(|(_, cue, _)| cue.name.len()) else {
            let names = cues().map(|(_, cue)| cue.name.as_str());
            return Err(UnknownPart::Cue {
                name: name.to_owned(),
                nearest: nearest(name, names).map(str::to_owned),
            });
        };
        let names = || cue.tracks.iter().map(|t| t.strip.name.as_str());
        match names().position(|n| n == track) {
            Some(number) => Ok(Selector::CueTrack(CueId::of(index, self.key), number)),
            None => Err(UnknownPart::CueTrack {
                cue: cue.name.clone(),
                name: track.to_owned(),
                nearest: nearest(track, names()).map(str::to_owned),
            }),
        }
    }

    /// Returns the name of a part, as [`part`](Self::part) reads it, and `"master"` for the master; `None` for an id of
    /// another session.
    #[must_use]
    pub fn part_name(&self, part: Selector) -> Option<String> {
        self.name_of(part).map(|name| name.to_string())
    }

    /// Returns the name of a part, for [`find`](Self::find); `None` for an id of another session.
    pub(crate) fn name_of(&self, part: Selector) -> Option<PartName> {
        let name = match part {
            _ if !self.owns(part) => return None,
            Selector::Track(TrackId(i, _)) => {
                PartName::Track(self.tracks.get(i)?.strip.name.clone())
            }
            Selector::Bus(BusId(i, _)) => PartName::Bus(self.buses.get(i)?.strip.name.clone()),
            Selector::Cue(CueId(i, _)) => PartName::Cue(self.cues.get(i)?.name.clone()),
            Selector::CueTrack(CueId(i, _), track) => {
                let cue = self.cues.get(i)?;
                PartName::CueTrack {
                    cue: cue.name.clone(),
                    track: cue.tracks.get(track)?.strip.name.clone(),
                }
            }
            Selector::Master => PartName::Master,
        };
        Some(name)
    }

    /// Returns the part of a name.
    pub(crate) fn find(&self, part: &PartName) -> Option<Selector> {
        let cue_of = |name: &String| {
            let index = self.cues.iter().position(|cue| cue.name == *name)?;
            Some((CueId::of(index, self.key), self.cues.get(index)?))
        };
        Some(match part {
            PartName::Track(name) => {
                let index = self.tracks.iter().position(|t| t.strip.name == *name)?;
                TrackId::of(index, self.key).into()
            }
            PartName::Bus(name) => {
                let index = self.buses.iter().position(|b| b.strip.name == *name)?;
                BusId::of(index, self.key).into()
            }
            PartName::Cue(name) => cue_of(name)?.0.into(),
            PartName::CueTrack { cue, track } => {
                let (id, cue) = cue_of(cue)?;
                let index = cue.tracks.iter().position(|t| t.strip.name == *track)?;
                (id, index).into()
            }
            PartName::Master => Selector::Master,
        })
    }

    /// Mutes a part. Returns false, and changes nothing, for the master, which has no mute, and for an id of another
    /// session.
    pub fn mute(&mut self, part: Selector) -> bool {
        let mute = match part {
            _ if !self.owns(part) => None,
            Selector::Cue(CueId(i, _)) => self.cues.get_mut(i).map(|cue| &mut cue.mute),
            _ => self.strip_mut(part).map(|strip| &mut strip.mute),
        };
        let found = mute.is_some();
        if let Some(mute) = mute {
            *mute = true;
        }
        found
    }

    /// Solos a part; for a cue, all its tracks. Returns false, and changes nothing, for the master, which has no solo, and
    /// for an id of another session.
    pub fn solo(&mut self, part: Selector) -> bool {
        if !self.owns(part) {
            return false;
        }
        if let Selector::Cue(CueId(i, _)) = part {
            let cue = self.cues.get_mut(i);
            let tracks = cue.map_or(&mut [][..], |cue| cue.tracks.as_mut_slice());
            tracks.iter_mut().for_each(|track| track.strip.solo = true);
            return !tracks.is_empty();
        }
        let strip = self.strip_mut(part);
        let found = strip.is_some();
        if let Some(strip) = strip {
            strip.solo = true;
        }
        found
    }

    /// Lets the gain of a track, a bus or the master go to `to` in a straight line in decibels, over `over` frames from frame
    /// `at` on; where one end is −∞, in a straight line in amplitude. The fader and the curve of the strip state the gain
    /// together; points of the curve after `at` are removed. Returns false, and changes nothing, for other parts and for an
    /// id of another session.
    ///
    /// ```
    /// use soundtrack::{Decibels, Frames, Layout, SampleRate, Session, Spec, Track, media::Memory};
    /// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
    /// let mut mix = Session::new(spec.rate, spec.layout);
    /// let pad = mix.add_track(Track::new("pad", Memory::new(spec, vec![vec![1.0; 8]])?).gain(Decibels::SILENCE));
    /// mix.ramp_gain(pad, Decibels(0.0), Frames(2), Frames(4));
    /// assert_eq!(mix.render(Frames(0)..Frames(8))?, [[0.0, 0.0, 0.0, 0.25, 0.5, 0.75, 1.0, 1.0]]);
    /// # Ok::<(), soundtrack::Error>(())
    /// ```
    pub fn ramp_gain(
        &mut self,
        part: impl Into<Selector>,
        to: Decibels,
        at: Frames,
        over: Frames,
    ) -> bool {
        let (fader, curve) = match part.into() {
            Selector::Master => (&mut self.master.gain, &mut self.master.gain_curve),
            part @ (Selector::Track(_) | Selector::Bus(_)) => match self.strip_mut(part) {
                Some(strip) => (&mut strip.gain, &mut strip.gain_curve),
                None => return false,
            },
            Selector::Cue(_) | Selector::CueTrack(..) => return false,
        };
        curve.points.retain({
            let is_silent = *fader == Decibels::SILENCE;
            move |point| point.at < at && !is_silent
        });
        let from = match curve.points.last() {
            _ if *fader == Decibels::SILENCE => {
                *fader = Decibels::UNITY;
                Decibels::SILENCE
            }
            Some(last) => last.value,
            None => Decibels::UNITY,
        };
        let linear = |at, value| Point {
            at,
            value,
            shape: Shape::Linear,
        };
        curve.points.push(linear(at, from));
        let target = Decibels(to.0 - fader.0);
        curve.points.push(linear(at + over, target));
        true
    }

    /// Takes the solo from every track and bus.
    pub(crate) fn clear_solos(&mut self) {
        let of_cues = self.cues.iter_mut().flat_map(|cue| &mut cue.tracks);
        let tracks = self.tracks.iter_mut().chain(of_cues);
        let strips = tracks.map(|track| &mut track.strip);
        let buses = self.buses.iter_mut().map(|bus| &mut bus.strip);
        strips.chain(buses).for_each(|strip| strip.solo = false);
    }

    /// Returns the strip of a track or a bus; `None` for a cue or the master, which have none, and for an id of another
    /// session.
    pub(crate) fn strip(&self, part: Selector) -> Option<&Strip> {
        match part {
            _ if !self.owns(part) => None,
            Selector::Track(TrackId(i, _)) => Some(&self.tracks.get(i)?.strip),
            Selector::Bus(BusId(i, _)) => Some(&self.buses.get(i)?.strip),
            Selector::CueTrack(CueId(i, _), track) => {
                Some(&self.cues.get(i)?.tracks.get(track)?.strip)
            }
            Selector::Cue(_) | Selector::Master => None,
        }
    }

    /// Returns the inserts of a strip; none for a cue.
    pub(crate) fn inserts(&self, part: Selector) -> &[Insert] {
        match part {
            Selector::Master => &self.master.inserts,
            _ => self.strip(part).map_or(&[], |strip| &strip.inserts),
        }
    }

    /// Returns the inserts of [`inserts`](Self::inserts), to change them; `None` for a cue.
    pub(crate) fn inserts_mut(&mut self, part: Selector) -> Option<&mut Vec<Insert>> {
        match part {
            Selector::Master => Some(&mut self.master.inserts),
            _ => self.strip_mut(part).map(|strip| &mut strip.inserts),
        }
    }

    /// Supplies a processor of the program to every insert that a session file names it for, and returns their number.
    ///
    /// ```no_run
    /// use soundtrack::{Load, dsp::Processor};
    /// # struct Reverb;
    /// # impl Processor for Reverb {
    /// #     fn memory(&self) -> soundtrack::dsp::Memory {
    /// #         soundtrack::dsp::Memory::Window(soundtrack::Frames(0))
    /// #     }
    /// #     fn reset(&mut self) {}
    /// #     fn process(
    /// #         &mut self,
    /// #         _: soundtrack::Frames,
    /// #         _: &mut soundtrack::Block,
    /// #         _: Option<&soundtrack::Block>,
    /// #     ) {
    /// #     }
    /// # }
    /// // [bus.hall.insert]
    /// // hall = { type = "custom", processor = "reverb" }
    /// let mut session = Load::default().session("song.toml")?;
    /// session.supply("reverb", |_spec| Box::new(Reverb)); // a processor of your own
    /// # Ok::<(), soundtrack::Error>(())
    /// ```
    pub fn supply(
        &mut self,
        processor: &str,
        build: impl Fn(Spec) -> Box<dyn Processor> + std::marker::Send + Sync + 'static,
    ) -> usize {
        let build: Build = Arc::new(build);
        let tracks = self.tracks.iter_mut();
        let in_cues = self.cues.iter_mut().flat_map(|cue| &mut cue.tracks);
        let tracks = tracks.chain(in_cues).map(|track| &mut track.strip);
        let strips = tracks.chain(self.buses.iter_mut().map(|bus| &mut bus.strip));
        let inserts = strips.flat_map(|strip| &mut strip.inserts);
        inserts
            .chain(&mut self.master.inserts)
            .filter_map(|insert| insert.supply(processor, &build).then_some(()))
            .count()
    }

    /// Returns the strip of [`strip`](Self::strip), to change it.
    pub(crate) fn strip_mut(&mut self, part: Selector) -> Option<&mut Strip> {
        match part {
            _ if !self.owns(part) => None,
            Selector::Track(TrackId(i, _)) => Some(&mut self.tracks.get_mut(i)?.strip),
            Selector::Bus(BusId(i, _)) => Some(&mut self.buses.get_mut(i)?.strip),
            Selector::CueTrack(CueId(i, _), track) => {
                Some(&mut self.cues.get_mut(i)?.tracks.get_mut(track)?.strip)
            }
            Selector::Cue(_) | Selector::Master => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cue, Deliverable, Layout, Plan, SampleRate, Track};

    #[test]
    fn every_part_but_the_master_can_be_muted() {
        let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
        let track = mix.add_track(Track::new("drums", "drums.wav"));
        let bus = mix.add_bus(crate::Bus::new("music"));
        let cue = mix.add_cue(Cue::new("storm").track(Track::new("celli", "celli.wav")));
        let parts: [(Selector, &str, bool); 5] = [
            (track.into(), "track.drums", true),
            (bus.into(), "bus.music", true),
            (cue.into(), "cue.storm", true),
            ((cue, 0).into(), "cue.storm.celli", true),
            (Selector::Master, "master", false),
        ];
        for (part, name, has_mute) in parts {
            assert_eq!(mix.part_name(part).as_deref(), Some(name));
            assert_eq!(mix.mute(part), has_mute, "{name}");
            assert_eq!(mix.part(name).ok(), has_mute.then_some(part), "{name}");
        }
        for (name, message) in [
            (
                "drums",
                r#""drums" is no part: write track.NAME, bus.NAME, cue.NAME or cue.NAME.TRACK"#,
            ),
            (
                "track.drms",
                r#"there is no track "drms"; did you mean "drums"?"#,
            ),
            ("bus.xyz", r#"there is no bus "xyz""#),
            (
                "cue.strom",
                r#"there is no cue "strom"; did you mean "storm"?"#,
            ),
            (
                "cue.storm.cello",
                r#"there is no track "cello" in cue "storm"; did you mean "celli"?"#,
            ),
        ] {
            assert_eq!(mix.part(name).unwrap_err().to_string(), message);
        }
        assert!(mix.tracks()[0].strip.mute && mix.buses()[0].strip.mute);
        assert!(mix.cues()[0].mute && mix.cues()[0].tracks[0].strip.mute);
        for foreign in [TrackId::at(1).into(), BusId::at(1).into(), (cue, 1).into()] {
            assert_eq!(mix.part_name(foreign), None);
            assert!(!mix.mute(foreign));
        }
        let silent = Deliverable::new("silent", "silent.wav").mute(Selector::Master);
        mix.deliverables.push(silent);
        let error = Plan::compile(&mix).unwrap_err().to_string();
        assert!(
            error.contains("mutes the master, which has no mute"),
            "{error}"
        );
    }
}
