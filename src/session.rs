//! The mix as data: what is wanted. Nothing here opens a file or makes a sound.
//!
//! A session is plain data: it can be built, cloned, compared and changed freely; [`Plan::compile`](crate::Plan::compile)
//! checks all of it at once. Order is the order of adding, and sums run in that order.

mod at;
mod bus;
mod clip;
mod cue;
mod cycle;
mod deliverable;
pub(crate) mod exact_times;
mod format;
mod insert;
mod notes;
pub(crate) mod outputs;
mod selector;
pub(crate) mod source_text;
mod stretch;
mod strip;
mod track;
pub(crate) mod validate;

pub use at::At;
pub use bus::{Bus, Master};
pub use clip::Clip;
pub use cue::{Cue, CueId, CueKind, Marker, UnknownCueKind, Use};
pub use deliverable::Deliverable;
pub use format::Load;
pub use insert::Insert;
pub use outputs::{Content, Output};
pub use selector::Selector;
pub use strip::{BusId, Send, Strip, TrackId};
pub use track::Track;

use notes::Notes;
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
    /// What the piece is called; empty for none.
    pub title: String,
    /// The rate of the output; stems at other rates are resampled.
    pub rate: SampleRate,
    /// The layout of the output; stems of other layouts are folded or placed.
    pub layout: Layout,
    /// How mono stems are placed between left and right.
    pub pan_law: PanLaw,
    /// The frame rate of the picture, if there is one.
    pub fps: Option<FrameRate>,
    /// The timecode of the first frame of the output; midnight unless said. What lies before it is not heard.
    pub start: Option<Timecode>,
    /// Length of the output; without it the output ends with the last clip.
    pub length: Option<Frames>,
    /// What `{lang}` stands for in the names of stems.
    pub lang: Option<String>,
    /// What to do with damaged stems.
    pub damage: Damage,
    /// The sum of everything.
    pub master: Master,
    /// Moments of the timeline.
    pub markers: Vec<Marker>,
    /// The files that it promises.
    pub deliverables: Vec<Deliverable>,
    /// Bytes of memory that a mix may take, [`Session::MAX_MEMORY`] unless said. What it takes is estimated from its
    /// tracks, clips, placements and inserts before anything is built, and more is refused with the figure. It is no key of
    /// the session file: who loads a file decides what it may take.
    pub max_memory: u64,
    tracks: Vec<Track>,
    buses: Vec<Bus>,
    cues: Vec<Cue>,
    /// The session file it was read from.
    pub(crate) written: KeySpans,
    /// What was found when it was read.
    pub(crate) notes: Notes,
}

impl Session {
    /// The memory that a mix may take unless said, 1 GiB: enough for 8,000 stereo stems that sound at the
    /// same time, 1,600 where they are resampled, and 600 of Vorbis.
    pub const MAX_MEMORY: u64 = 1 << 30;

    /// An empty mix.
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
            master: Master::default(),
            markers: Vec::new(),
            deliverables: Vec::new(),
            max_memory: Self::MAX_MEMORY,
            tracks: Vec::new(),
            buses: Vec::new(),
            cues: Vec::new(),
            written: KeySpans::default(),
            notes: Notes::default(),
        }
    }

    /// Adds a track, after those already there.
    pub fn add_track(&mut self, track: Track) -> TrackId {
        self.tracks.push(track);
        TrackId(self.tracks.len() - 1)
    }

    /// Adds a bus, after those already there.
    pub fn add_bus(&mut self, bus: Bus) -> BusId {
        self.buses.push(bus);
        BusId(self.buses.len() - 1)
    }

    /// Adds a cue, after those already there. Cues sum after the tracks of the timeline.
    pub fn add_cue(&mut self, cue: Cue) -> CueId {
        self.cues.push(cue);
        CueId(self.cues.len() - 1)
    }

    /// All cues, in order.
    #[must_use]
    pub fn cues(&self) -> &[Cue] {
        &self.cues
    }

    /// All cues, to change them.
    pub fn cues_mut(&mut self) -> &mut [Cue] {
        &mut self.cues
    }

    /// All tracks, in order; those of cues are with their cue.
    #[must_use]
    pub fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    /// All buses, in order.
    #[must_use]
    pub fn buses(&self) -> &[Bus] {
        &self.buses
    }

    /// The ids of all tracks, in order.
    pub fn track_ids(&self) -> impl ExactSizeIterator<Item = TrackId> + use<> {
        (0..self.tracks.len()).map(TrackId)
    }

    /// The ids of all buses, in order.
    pub fn bus_ids(&self) -> impl ExactSizeIterator<Item = BusId> + use<> {
        (0..self.buses.len()).map(BusId)
    }

    /// All tracks, to change them.
    pub fn tracks_mut(&mut self) -> &mut [Track] {
        &mut self.tracks
    }

    /// All buses, to change them.
    pub fn buses_mut(&mut self) -> &mut [Bus] {
        &mut self.buses
    }

    /// A track, to change it.
    ///
    /// # Panics
    /// With an id of another session that has more tracks.
    #[expect(
        clippy::indexing_slicing,
        reason = "an id comes from this session; one from another is a bug of the program"
    )]
    pub fn track_mut(&mut self, id: TrackId) -> &mut Track {
        &mut self.tracks[id.0]
    }

    /// A bus, to change it.
    ///
    /// # Panics
    /// With an id of another session that has more buses.
    #[expect(
        clippy::indexing_slicing,
        reason = "an id comes from this session; one from another is a bug of the program"
    )]
    pub fn bus_mut(&mut self, id: BusId) -> &mut Bus {
        &mut self.buses[id.0]
    }

    /// A cue, to change it.
    ///
    /// # Panics
    /// With an id of another session that has more cues.
    #[expect(
        clippy::indexing_slicing,
        reason = "an id comes from this session; one from another is a bug of the program"
    )]
    pub fn cue_mut(&mut self, id: CueId) -> &mut Cue {
        &mut self.cues[id.0]
    }

    /// The frame rate of the picture, and the timecode of the first frame; `None` where nothing is said of a picture.
    #[must_use]
    pub fn picture(&self) -> Option<(FrameRate, Timecode)> {
        let fps = self.fps.or(self.start.map(Timecode::rate))?;
        Some((fps, self.start.unwrap_or(Timecode::midnight(fps))))
    }
}
