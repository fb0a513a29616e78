//! Removes tracks, buses and cues. Parts are identified by their place, so those behind a removed one get new ids.

use super::{
    Bus, Cue, Session, Track,
    id::{BusId, CueId, SessionKey, TrackId},
    selector::Selector,
};
use crate::error::{Error, ErrorKind, Result};

/// An id that a part of the session refers to another one by.
enum Reference<'a> {
    Part(&'a mut Selector),
    Bus(&'a mut BusId),
    Cue(&'a mut CueId),
}

impl Reference<'_> {
    fn part(&self) -> Selector {
        match self {
            Self::Part(part) => **part,
            Self::Bus(bus) => Selector::Bus(**bus),
            Self::Cue(cue) => Selector::Cue(**cue),
        }
    }

    fn set(&mut self, to: Selector) {
        match (self, to) {
            (Self::Part(part), to) => **part = to,
            (Self::Bus(bus), Selector::Bus(to)) => **bus = to,
            (Self::Cue(cue), Selector::Cue(to)) => **cue = to,
            _ => {}
        }
    }
}

/// Reports whether a part is another one or a track of it.
fn is_in(part: Selector, of: Selector) -> bool {
    match (part, of) {
        (Selector::CueTrack(cue, _), Selector::Cue(of)) => cue == of,
        (part, of) => part == of,
    }
}

/// Returns the id that a part has once `removed` is gone, for the session at hand.
fn without(removed: Selector, part: Selector) -> Selector {
    let after = |gone: usize, index: usize| index - usize::from(gone < index);
    match (part, removed) {
        (Selector::Track(id), Selector::Track(gone)) => TrackId::at(after(gone.0, id.0)).into(),
        (Selector::Bus(id), Selector::Bus(gone)) => BusId::at(after(gone.0, id.0)).into(),
        (Selector::Cue(id), Selector::Cue(gone)) => CueId::at(after(gone.0, id.0)).into(),
        (Selector::CueTrack(id, track), Selector::Cue(gone)) => {
            (CueId::at(after(gone.0, id.0)), track).into()
        }
        (Selector::Track(id), _) => TrackId::at(id.0).into(),
        (Selector::Bus(id), _) => BusId::at(id.0).into(),
        (Selector::Cue(id), _) => CueId::at(id.0).into(),
        (Selector::CueTrack(id, track), _) => (CueId::at(id.0), track).into(),
        (Selector::Master, _) => Selector::Master,
    }
}

impl Session {
    /// Removes a track of the timeline, and returns it.
    ///
    /// The parts of a session are identified by their place. So from now on the session refuses every id from before, and
    /// so does a player that it is handed to: [`part`](Self::part) and [`track_ids`](Self::track_ids) return the new ones.
    ///
    /// ```
    /// use soundtrack::{Layout, SampleRate, Session, Track};
    /// let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    /// let drums = mix.add_track(Track::new("drums", "drums.wav"));
    /// let bass = mix.add_track(Track::new("bass", "bass.wav"));
    /// assert_eq!(mix.remove_track(drums)?.strip.name, "drums");
    /// assert!(!mix.mute(bass.into()));
    /// let bass = mix.part("track.bass")?;
    /// assert!(mix.mute(bass));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `InvalidArgument` for an id of another session, and for a track that is the key of an insert or that a deliverable
    /// mutes or solos. Then nothing changes.
    pub fn remove_track(&mut self, id: TrackId) -> Result<Track> {
        self.renumber_without(id.into())?;
        Ok(self.tracks.remove(id.0))
    }

    /// Removes a bus, and returns it. See [`remove_track`](Self::remove_track).
    ///
    /// # Errors
    /// `InvalidArgument` for an id of another session, and for a bus that a strip feeds, that is the key of an insert, or
    /// that a deliverable names. Then nothing changes.
    pub fn remove_bus(&mut self, id: BusId) -> Result<Bus> {
        self.renumber_without(id.into())?;
        Ok(self.buses.remove(id.0))
    }

    /// Removes a cue with its placements, and returns it. See [`remove_track`](Self::remove_track).
    ///
    /// # Errors
    /// `InvalidArgument` for an id of another session, and for a cue that a deliverable names. Then nothing changes.
    pub fn remove_cue(&mut self, id: CueId) -> Result<Cue> {
        self.renumber_without(id.into())?;
        Ok(self.cues.remove(id.0))
    }

    /// Gives all parts the ids that they have once `removed` is gone.
    fn renumber_without(&mut self, removed: Selector) -> Result<()> {
        let refused = |what: String| Err(Error::new(ErrorKind::InvalidArgument, what));
        let Some(name) = self.part_name(removed) else {
            return refused(
                "the id is of another session, or from before a part was removed".to_owned(),
            );
        };
        let key = self.key;
        // An id of another session stays one, and is refused when the session is compiled.
        let mut references = self.references();
        references.retain(|(_, to)| to.part().is_of(key));
        let user = references.iter().find(|(_, to)| is_in(to.part(), removed));
        if let Some((user, _)) = user {
            return refused(format!("{name} cannot be removed: {user} refers to it"));
        }
        for (_, reference) in &mut references {
            reference.set(without(removed, reference.part()));
        }
        self.key = SessionKey::new();
        Ok(())
    }

    /// Returns all ids by which a part refers to another one, each with the name of what refers to it.
    fn references(&mut self) -> Vec<(String, Reference<'_>)> {
        let mut found = Vec::new();
        let tracks = self
            .tracks
            .iter_mut()
            .map(|t| (format!("track.{}", t.strip.name), &mut t.strip));
        let in_cues = self.cues.iter_mut().flat_map(|cue| {
            let name = &cue.name;
            cue.tracks
                .iter_mut()
                .map(move |t| (format!("cue.{name}.{}", t.strip.name), &mut t.strip))
        });
        let buses = self
            .buses
            .iter_mut()
            .map(|b| (format!("bus.{}", b.strip.name), &mut b.strip));
        for (name, strip) in tracks.chain(in_cues).chain(buses) {
            let targets = strip.sends.iter_mut().map(|send| &mut send.to);
            for bus in targets.chain(&mut strip.to) {
                found.push((name.clone(), Reference::Bus(bus)));
            }
            let keys = strip
                .inserts
                .iter_mut()
                .filter_map(|insert| insert.key.as_mut());
            found.extend(keys.map(|key| (name.clone(), Reference::Part(key))));
        }
        let inserts = self.master.inserts.iter_mut();
        let keys = inserts.filter_map(|insert| insert.key.as_mut());
        found.extend(keys.map(|key| ("master".to_owned(), Reference::Part(key))));
        for deliverable in &mut self.deliverables {
            let name = format!("deliverable {:?}", deliverable.name);
            let parts = deliverable.mute.iter_mut().chain(&mut deliverable.solo);
            found.extend(parts.map(|part| (name.clone(), Reference::Part(part))));
            let stems = deliverable.stems.iter_mut();
            found.extend(stems.map(|bus| (name.clone(), Reference::Bus(bus))));
            let cue = deliverable.cue.iter_mut();
            found.extend(cue.map(|cue| (name.clone(), Reference::Cue(cue))));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Deliverable, Insert, Layout, SampleRate, Selector};

    fn ducker(key: impl Into<Selector>) -> Insert {
        Insert::new("ducker").unwrap().key(key)
    }

    /// Makes a session of three parts of each kind, of which the last ones are referred to in every way.
    fn mix() -> Session {
        let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
        let buses = ["a", "b", "c"].map(|name| mix.add_bus(Bus::new(name)));
        let tracks = ["d", "e", "f"].map(|name| mix.add_track(Track::new(name, "x.wav")));
        let cues = ["g", "h", "i"].map(|name| {
            let part = Track::new("part", "x.wav").to(buses[2]);
            mix.add_cue(Cue::new(name).track(part.insert(ducker(buses[1]))))
        });
        let vocal = Track::new("vocal", "x.wav")
            .to(buses[1])
            .insert(ducker(tracks[2]));
        mix.add_track(vocal.send(buses[2], crate::Decibels(-6.0)));
        mix.add_bus(Bus::new("last").to(buses[2]));
        mix.master.inserts.push(ducker(tracks[1]));
        let all = Deliverable::new("all", "all.wav")
            .mute(tracks[2])
            .solo(buses[2]);
        let all = all.mute((cues[2], 0)).stems([buses[1], buses[2]]);
        mix.deliverables.push(all.cue(cues[2]));
        mix
    }

    /// Returns what refers to what, by name.
    fn named(mix: &Session) -> Vec<(String, Option<String>)> {
        let mut copy = mix.clone();
        let references = copy.references().into_iter();
        references
            .map(|(user, to)| (user, mix.part_name(to.part())))
            .collect()
    }

    #[test]
    fn what_is_left_refers_to_the_same_parts() {
        let mut mix = mix();
        let before = named(&mix);
        assert_eq!(before.len(), 17);
        assert!(before.iter().all(|(_, to)| to.is_some()));
        let ids = (
            mix.track_ids().next(),
            mix.bus_ids().next(),
            mix.cue_ids().next(),
        );
        assert_eq!(mix.remove_track(ids.0.unwrap()).unwrap().strip.name, "d");
        assert_eq!(named(&mix), before);
        let first_bus = mix.bus_ids().next().unwrap();
        assert_eq!(mix.remove_bus(first_bus).unwrap().strip.name, "a");
        assert_eq!(named(&mix), before);
        let Ok(Selector::Cue(second)) = mix.part("cue.h") else {
            panic!("there is a cue");
        };
        assert_eq!(mix.remove_cue(second).unwrap().name, "h");
        let of_h = |(user, _): &(String, Option<String>)| user != "cue.h.part";
        let left: Vec<_> = before.into_iter().filter(of_h).collect();
        assert_eq!(named(&mix), left);
        assert_eq!(
            (mix.tracks().len(), mix.buses().len(), mix.cues().len()),
            (3, 3, 2)
        );
    }

    #[test]
    fn what_is_referred_to_stays() {
        let mut mix = mix();
        let before = mix.clone();
        let refused = |mix: &mut Session, part: &str| {
            let error = match mix.part(part).unwrap() {
                Selector::Track(id) => mix.remove_track(id).unwrap_err(),
                Selector::Bus(id) => mix.remove_bus(id).unwrap_err(),
                Selector::Cue(id) => mix.remove_cue(id).unwrap_err(),
                _ => unreachable!(),
            };
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            error.to_string()
        };
        for (part, user) in [
            ("track.e", "master"),
            ("track.f", "track.vocal"),
            ("bus.b", "track.vocal"),
            ("bus.c", "track.vocal"),
            ("cue.i", "deliverable \"all\""),
        ] {
            let expected = format!("{part} cannot be removed: {user} refers to it");
            assert_eq!(refused(&mut mix, part), expected);
        }
        assert_eq!(mix, before);
    }

    #[test]
    fn ids_from_before_are_refused() {
        let mut mix = mix();
        let before = mix.clone();
        let ids: Vec<TrackId> = mix.track_ids().collect();
        mix.remove_track(ids[0]).unwrap();
        for id in &ids {
            assert_eq!(mix.part_name((*id).into()), None);
            assert!(before.part_name((*id).into()).is_some());
        }
        let error = mix.remove_track(ids[3]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the id is of another session, or from before a part was removed"
        );
    }
}
