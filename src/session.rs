//! The session: a mix as plain data. Nothing here opens a file or renders audio.
//!
//! A session can be built, cloned, compared and changed freely; [`Plan::compile`](crate::Plan::compile) checks all of it at
//! once. Tracks, buses and cues keep the order in which they were added, and sums run in that order.

mod album;
mod at;
mod bus;
mod clip;
pub(crate) mod credit;
mod cue;
mod cycle;
mod deliverable;
pub(crate) mod exact_times;
#[cfg(feature = "session-file")]
mod format;
mod id;
mod insert;
mod load_warnings;
pub(crate) mod outputs;
pub(crate) mod release;
mod remove;
mod rescale;
mod selector;
pub(crate) mod source_text;
mod stretch;
mod strip;
mod track;
pub(crate) mod validate;

pub use album::Album;
pub use at::At;
pub use bus::{Bus, Master};
pub use clip::Clip;
pub use credit::Credit;
pub use cue::{Cue, CueKind, Marker, UnknownCueKind, Use};
pub use deliverable::{Deliverable, Excerpt};
#[cfg(feature = "session-file")]
pub use format::Load;
pub use id::{BusId, CueId, TrackId};
pub use insert::Insert;
pub use outputs::{Content, Output};
pub(crate) use selector::PartName;
pub use selector::{Selector, UnknownPart};
pub use strip::{BusSend, Strip};
pub use track::Track;

use id::SessionKey;
use load_warnings::LoadWarnings;
use source_text::KeySpans;

use crate::{
    dsp::pan::PanLaw,
    layout::Layout,
    media::Damage,
    timecode::{FrameRate, Timecode},
    units::{Frames, SampleRate},
};

/// A mix: tracks, buses and a master, at one rate and in one layout.
///
/// ```
/// use soundtrack::{Bus, Decibels, Layout, Pan, SampleRate, Session, Track};
/// let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
/// let rhythm = mix.add_bus(Bus::new("rhythm").gain(Decibels(-1.5)));
/// mix.add_track(Track::new("drums", "drums.flac").to(rhythm));
/// let bass = mix.add_track(Track::new("bass", "bass.wav").pan(Pan(-0.2)).to(rhythm));
/// mix.track_mut(bass).strip.mute = true;
/// assert_eq!(mix.tracks().len(), 2);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// The title of the piece; empty for none.
    pub title: String,
    /// The rate of the output; stems at other rates are resampled.
    pub rate: SampleRate,
    /// The layout of the output; stems of other layouts are folded or placed.
    pub layout: Layout,
    /// The pan law that places mono stems between left and right.
    pub pan_law: PanLaw,
    /// The frame rate of the picture, if there is one.
    pub fps: Option<FrameRate>,
    /// The timecode of the first frame of the output; `None` means midnight. Positions before it are refused.
    pub start: Option<Timecode>,
    /// Length of the output; without it the output ends with the last clip.
    pub length: Option<Frames>,
    /// The language that replaces `{lang}` in the names of stems.
    pub lang: Option<String>,
    /// The treatment of damaged stems.
    pub damage: Damage,
    /// The collection that the pieces belong to, for the metadata of files.
    pub album: Album,
    /// The sum of all tracks and buses.
    pub master: Master,
    /// Named moments of the timeline.
    pub markers: Vec<Marker>,
    /// The files to deliver.
    pub deliverables: Vec<Deliverable>,
    /// Limit of the memory that a mix takes, in bytes; [`Session::MAX_MEMORY`] by default. The need is estimated from the
    /// tracks, clips, placements and inserts before anything is built, and a mix above the limit is refused with both figures.
    /// No key of the session file sets it: the program that loads a file decides how much the file may use.
    pub max_memory: u64,
    /// What its ids carry, and those of its clones.
    key: SessionKey,
    tracks: Vec<Track>,
    buses: Vec<Bus>,
    cues: Vec<Cue>,
    /// The session file it was read from.
    pub(crate) written: KeySpans,
    /// Warnings found when it was loaded.
    pub(crate) load_warnings: LoadWarnings,
}

impl Session {
    /// Default limit of the memory that a mix takes, 1 GiB: enough for 8,000 stereo stems that sound at the same time, 1,600
    /// where they are resampled, and 600 in Vorbis.
    pub const MAX_MEMORY: u64 = 1 << 30;

    /// Creates an empty mix.
    #[must_use]
    pub fn new(rate: SampleRate, layout: Layout) -> Self {
        Self {
            title: String::new(),
            rate,
            layout,
            pan_law: PanLaw::default(),
            fps: None,
            start: None,
            length: None,
            lang: None,
            damage: Damage::default(),
            album: Album::default(),
            master: Master::default(),
            markers: Vec::new(),
            deliverables: Vec::new(),
            max_memory: Self::MAX_MEMORY,
            key: SessionKey::new(),
            tracks: Vec::new(),
            buses: Vec::new(),
            cues: Vec::new(),
            written: KeySpans::default(),
            load_warnings: LoadWarnings::default(),
        }
    }

    /// Adds a track after the others, and returns its id.
    ///
    /// ```
    /// use soundtrack::{Layout, SampleRate, Session, Track};
    /// let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    /// let vox = mix.add_track(Track::new("vox", "vox.wav"));
    /// let mut other = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    /// other.add_track(Track::new("drums", "drums.wav"));
    /// assert!(mix.clone().mute(vox.into())); // ids are valid for clones,
    /// assert!(!other.mute(vox.into())); // and not for other sessions
    /// ```
    pub fn add_track(&mut self, track: Track) -> TrackId {
        self.tracks.push(track);
        TrackId::of(self.tracks.len() - 1, self.key)
    }

    /// Adds a bus after the others, and returns its id.
    pub fn add_bus(&mut self, bus: Bus) -> BusId {
        self.buses.push(bus);
        BusId::of(self.buses.len() - 1, self.key)
    }

    /// Adds a cue after the others, and returns its id. The tracks of cues are summed after those of the timeline.
    pub fn add_cue(&mut self, cue: Cue) -> CueId {
        self.cues.push(cue);
        CueId::of(self.cues.len() - 1, self.key)
    }

    /// Returns all cues, in order.
    #[must_use]
    pub fn cues(&self) -> &[Cue] {
        &self.cues
    }

    /// Returns all cues, to change them.
    pub fn cues_mut(&mut self) -> &mut [Cue] {
        &mut self.cues
    }

    /// Returns all tracks of the timeline, in order; those of cues are in [`Cue::tracks`].
    #[must_use]
    pub fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    /// Returns all buses, in order.
    #[must_use]
    pub fn buses(&self) -> &[Bus] {
        &self.buses
    }

    /// Returns the ids of all tracks of the timeline, in order.
    pub fn track_ids(&self) -> impl ExactSizeIterator<Item = TrackId> + use<> {
        let key = self.key;
        (0..self.tracks.len()).map(move |index| TrackId::of(index, key))
    }

    /// Returns the ids of all buses, in order.
    pub fn bus_ids(&self) -> impl ExactSizeIterator<Item = BusId> + use<> {
        let key = self.key;
        (0..self.buses.len()).map(move |index| BusId::of(index, key))
    }

    /// Returns the ids of all cues, in order.
    pub fn cue_ids(&self) -> impl ExactSizeIterator<Item = CueId> + use<> {
        let key = self.key;
        (0..self.cues.len()).map(move |index| CueId::of(index, key))
    }

    /// Returns all tracks of the timeline, to change them.
    pub fn tracks_mut(&mut self) -> &mut [Track] {
        &mut self.tracks
    }

    /// Returns all buses, to change them.
    pub fn buses_mut(&mut self) -> &mut [Bus] {
        &mut self.buses
    }

    /// Returns a track, to change it.
    ///
    /// # Panics
    /// Panics with an id of another session.
    #[expect(
        clippy::indexing_slicing,
        reason = "an id comes from this session; one from another is a bug of the program"
    )]
    pub fn track_mut(&mut self, id: TrackId) -> &mut Track {
        let part = Selector::from(id);
        assert!(
            self.owns(part),
            "track number {} is of another session",
            id.0 + 1
        );
        &mut self.tracks[id.0]
    }

    /// Returns a bus, to change it.
    ///
    /// # Panics
    /// Panics with an id of another session.
    #[expect(
        clippy::indexing_slicing,
        reason = "an id comes from this session; one from another is a bug of the program"
    )]
    pub fn bus_mut(&mut self, id: BusId) -> &mut Bus {
        let part = Selector::from(id);
        assert!(
            self.owns(part),
            "bus number {} is of another session",
            id.0 + 1
        );
        &mut self.buses[id.0]
    }

    /// Returns a cue, to change it.
    ///
    /// # Panics
    /// Panics with an id of another session.
    #[expect(
        clippy::indexing_slicing,
        reason = "an id comes from this session; one from another is a bug of the program"
    )]
    pub fn cue_mut(&mut self, id: CueId) -> &mut Cue {
        let part = Selector::from(id);
        assert!(
            self.owns(part),
            "cue number {} is of another session",
            id.0 + 1
        );
        &mut self.cues[id.0]
    }

    /// Reports whether an id is one of this session or of a clone of it; true for the master.
    pub(crate) fn owns(&self, part: Selector) -> bool {
        part.is_of(self.key)
    }

    /// Removes deliverables, inserts and solos, so that only the places of the clips are left.
    #[cfg(feature = "dawproject")]
    pub(crate) fn remove_processing(&mut self) {
        self.deliverables.clear();
        self.master.inserts.clear();
        let in_cues = self.cues.iter_mut().flat_map(|cue| &mut cue.tracks);
        let tracks = self.tracks.iter_mut().chain(in_cues);
        let tracks = tracks.map(|track| &mut track.strip);
        let strips = tracks.chain(self.buses.iter_mut().map(|bus| &mut bus.strip));
        for strip in strips {
            strip.inserts.clear();
            strip.solo = false;
        }
    }

    /// Returns the frame rate of the picture and the timecode of the first frame; `None` where the session states neither.
    #[must_use]
    pub fn picture(&self) -> Option<(FrameRate, Timecode)> {
        let fps = self.fps.or(self.start.map(Timecode::rate))?;
        Some((fps, self.start.unwrap_or(Timecode::midnight(fps))))
    }
}
