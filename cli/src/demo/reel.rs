//! The session of the demo: a reel of three cues against picture, made of its seven stems, and its deliverables.
//!
//! ```text
//! 01:00:00:00   00:10             00:32.5                  00:41
//! ├ First Light ┤
//!               ├ The Parade ─────╳─ cut to its ending ──┤
//!                                                          ├ Home ───────┤
//! ```
//!
//! All positions are bars of 2.5 seconds, so that picture and music cut together.

use super::Stem;
use soundtrack::{
    Bus, BusId, Clip, Cue, CueKind, Curve, Dbtp, Decibels, Deliverable, Fade, FadeShape, Format,
    FrameRate, Frames, Layout, LoudnessTarget, Lufs, Pan, SampleRate, Session, Shape, Timecode,
    Track, Use, encode::Dither,
};
use std::path::Path;

/// Length of a bar in milliseconds.
const BAR: u64 = 2500;
/// Start of the last chord in milliseconds.
const ENDING: u64 = 10 * BAR;

/// Returns the session of the reel, made of these stems, with deliverables in `folder`.
pub fn session(stems: &[Stem], folder: &Path, rate: SampleRate, layout: Layout) -> Session {
    let mut reel = Reel {
        session: Session::new(rate, layout),
        stems,
        buses: Vec::new(),
    };
    "The demo".clone_into(&mut reel.session.title);
    reel.session.fps = Some(FrameRate::FPS_24);
    reel.session.start = Some(timecode(0, 0));
    for stem in stems {
        if reel.bus(stem.bus).is_none() {
            let bus = reel.session.add_bus(Bus::new(stem.bus));
            reel.buses.push((stem.bus, bus));
        }
    }
    let hall = reel
        .session
        .add_bus(Bus::new("hall").gain(Decibels(-3.0)).pan(Pan(0.3)));
    reel.buses.push(("hall", hall));
    for cue in [reel.first_light(hall), reel.parade(), reel.home(hall)] {
        reel.session.add_cue(cue);
    }
    reel.add_deliverables(folder);
    reel.session
}

/// Returns the timecode this many seconds and frames after the start of the reel.
fn timecode(seconds: u8, frames: u8) -> Timecode {
    let text = format!("01:00:{seconds:02}:{frames:02}");
    Timecode::parse(&text, FrameRate::FPS_24).unwrap_or(Timecode::midnight(FrameRate::FPS_24))
}

/// The reel while it is built.
struct Reel<'a> {
    session: Session,
    stems: &'a [Stem],
    buses: Vec<(&'a str, BusId)>,
}

impl Reel<'_> {
    fn bus(&self, name: &str) -> Option<BusId> {
        self.buses
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, id)| *id)
    }

    fn frames(&self, milliseconds: u64) -> Frames {
        Frames(milliseconds * u64::from(self.session.rate.hz()) / 1000)
    }

    fn fade(&self, milliseconds: u64, shape: FadeShape) -> Fade {
        Fade {
            length: self.frames(milliseconds),
            shape,
        }
    }

    /// Returns the track of an instrument with the clips that `clips` cuts from its stem; `None` without such a stem.
    fn track(&self, name: &str, clips: impl Fn(Clip) -> Vec<Clip>) -> Option<Track> {
        let stem = self.stems.iter().find(|s| s.name == name)?;
        let track = Track::of(name)
            .gain(Decibels(stem.gain_db))
            .pan(Pan(stem.pan))
            .to(self.bus(stem.bus)?);
        Some(
            clips(Clip::new(stem.file.clone()))
                .into_iter()
                .fold(track, Track::clip),
        )
    }

    /// Returns the first cue: the pad fades in alone and moves across the stereo field, then the keys enter.
    fn first_light(&self, hall: BusId) -> Cue {
        let swell = Curve::new().point(self.frames(0), Decibels::SILENCE, Shape::Linear);
        let swell = swell.point(self.frames(6000), Decibels(2.0), Shape::Sine);
        let drift = Curve::new().point(self.frames(0), Pan(-0.6), Shape::Linear);
        let drift = drift.point(self.frames(8000), Pan(0.2), Shape::Linear);
        let opening = |clip: Clip| {
            vec![
                clip.length(self.frames(4 * BAR))
                    .fade_out(self.fade(1500, FadeShape::EqualPower)),
            ]
        };
        let pad = self
            .track("pad", opening)
            .map(|t| t.gain_curve(swell).pan_curve(drift));
        let keys = self.track("keys", |clip| {
            let strokes = clip.at(self.frames(2 * BAR)).length(self.frames(2 * BAR));
            vec![strokes.fade_out(self.fade(1500, FadeShape::EqualPower))]
        });
        let keys = keys.map(|t| t.send(hall, Decibels(-9.0)));
        let cue = [pad, keys]
            .into_iter()
            .flatten()
            .fold(Cue::new("first-light").title("First Light"), Cue::track);
        cue.composer("The demo")
            .used(Use::at(timecode(0, 0)).usage("BI"))
            .marker(self.frames(2 * BAR), "the sun is up")
    }

    /// Returns the second cue: all instruments for nine bars, then a crossfade to the ending.
    fn parade(&self) -> Cue {
        let all = self
            .stems
            .iter()
            .filter_map(|s| self.track(s.name, |clip| vec![clip]));
        let cue = all.fold(
            Cue::new("parade").title("The Parade").kind(CueKind::Song),
            Cue::track,
        );
        let (cut, over) = (9 * BAR, 250);
        cue.composer("The demo")
            .used(
                Use::at(timecode(10, 0))
                    .length(self.frames(cut + over))
                    .usage("VV"),
            )
            .used(
                Use::at(timecode(32, 12))
                    .named("ending")
                    .from(self.frames(ENDING))
                    .crossfade(self.fade(over, FadeShape::EqualPower)),
            )
            .marker(self.frames(6 * BAR), "the drums come round the corner")
    }

    /// Returns the third cue: guitar, pad and lead from the middle of the music, joined to its last chord.
    fn home(&self, hall: BusId) -> Cue {
        let joined = |clip: Clip| {
            let theme = clip
                .clone()
                .named("theme")
                .from(self.frames(4 * BAR))
                .length(self.frames(2 * BAR + 400));
            let last = clip
                .named("last")
                .at(self.frames(2 * BAR))
                .from(self.frames(ENDING));
            vec![
                theme.fade_in(self.fade(20, FadeShape::Linear)),
                last.crossfade(self.fade(400, FadeShape::EqualPower)),
            ]
        };
        let guitar = self
            .track("guitar", joined)
            .map(|t| t.send(hall, Decibels(-6.0)));
        let tracks = [
            guitar,
            self.track("pad", joined),
            self.track("lead", joined),
        ];
        let cue = tracks
            .into_iter()
            .flatten()
            .fold(Cue::new("home").title("Home"), Cue::track);
        cue.composer("The demo")
            .used(Use::at(timecode(41, 0)).gain(Decibels(-2.0)).usage("BI"))
    }

    /// Adds the deliverables: the mix, its stems, the mix without the lead, and the cues as an album.
    fn add_deliverables(&mut self, folder: &Path) {
        let ceiling = LoudnessTarget::default().true_peak(Dbtp(0.0));
        let album = LoudnessTarget::new(Lufs(-18.0)).true_peak(Dbtp(-1.0));
        let file = |name: &str| folder.join(name);
        let mut deliverables = vec![
            Deliverable::new("full", file("soundtrack.wav")).loudness(ceiling),
            Deliverable::new("stems", file("buses/{bus}.wav"))
                .stems(self.buses.iter().map(|(_, id)| *id)),
            Deliverable::new("album", file("album/{nn} {cue}.wav"))
                .format(Format::WAV_16)
                .dither(Dither::default())
                .album(true)
                .loudness(album)
                .fit(true),
        ];
        if let Some(tune) = self.bus("tune") {
            deliverables
                .push(Deliverable::new("sing-along", file("without the tune.wav")).mute(tune));
        }
        self.session.deliverables = deliverables;
    }
}
