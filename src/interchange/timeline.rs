//! Clips of a timeline in exact seconds, and the tracks that they become.

use super::{
    names::Names,
    notes::{Notes, Place},
    ratio::Ratio,
    stem_lengths::StemLengths,
};
use crate::{
    curve::{Fade, FadeShape},
    media::Input,
    session::{At, Clip, Session, Track},
    timecode::{FrameRate, Timecode},
    units::{Decibels, ExactFrames, Frames, SampleRate},
};

/// A clip in seconds of the timeline, which begins with the session.
#[derive(Clone, Debug)]
pub(super) struct PlacedClip {
    pub name: String,
    pub input: Input,
    pub start: Ratio,
    pub from: Ratio,
    /// `None` plays the file to its end.
    pub length: Option<Ratio>,
    pub fade_in: (Ratio, FadeShape),
    pub fade_out: (Ratio, FadeShape),
    pub crossfade: (Ratio, FadeShape),
    pub gain: Decibels,
}

impl PlacedClip {
    pub(super) fn new(
        name: String,
        input: Input,
        start: Ratio,
        from: Ratio,
        length: Ratio,
    ) -> Self {
        let none = (Ratio::ZERO, FadeShape::Linear);
        Self {
            name,
            input,
            start,
            from,
            length: Some(length),
            fade_in: none,
            fade_out: none,
            crossfade: none,
            gain: Decibels::UNITY,
        }
    }
}

/// Converts seconds of the timeline to positions of a session.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimeBase {
    pub rate: SampleRate,
    /// The frame rate of the picture and the timecode at which the timeline starts.
    pub picture: Option<(FrameRate, Timecode)>,
}

impl TimeBase {
    /// Returns the clip; `None` where a time is negative or beyond the longest session.
    pub(super) fn clip(self, placed: PlacedClip) -> Option<Clip> {
        let mut clip = Clip::new(placed.input).named(placed.name);
        (clip.at, clip.exact.at) = self.position(placed.start)?;
        (clip.from, clip.exact.from) = self.time(placed.from)?;
        if let Some(length) = placed.length {
            let (length, exact) = self.time(length)?;
            (clip.length, clip.exact.length) = (Some(length), exact);
        }
        let fade = |(length, shape): (Ratio, FadeShape)| {
            let length = length.frames(self.rate)?;
            // The shape of no fade is the default, so that the session reads back as equal.
            Some(if length == Frames::ZERO {
                Fade::default()
            } else {
                Fade { length, shape }
            })
        };
        clip.fade_in = fade(placed.fade_in)?;
        clip.fade_out = fade(placed.fade_out)?;
        clip.crossfade = fade(placed.crossfade)?;
        if clip.crossfade.length > Frames::ZERO {
            clip.exact.crossfade = self.time(placed.crossfade.0)?.1;
        }
        clip.gain = placed.gain;
        Some(clip)
    }

    /// Shortens crossfades to what the clips before them play.
    fn fit_crossfades(self, track: &mut Track) {
        let mut before: Option<Frames> = None;
        let mut order: Vec<&mut Clip> = track.clips.iter_mut().collect();
        order.sort_by_key(|clip| self.frame(clip.at));
        for clip in order {
            let start = self.frame(clip.at);
            if clip.crossfade.length > Frames::ZERO {
                let shared = before.map_or(Frames::ZERO, |end| end - start);
                let own = clip.length.unwrap_or(Frames::MAX);
                let fits = clip.crossfade.length.min(shared).min(own);
                if fits < clip.crossfade.length {
                    clip.exact.crossfade = None;
                    clip.crossfade.length = fits;
                }
                if fits == Frames::ZERO {
                    clip.crossfade = Fade::default();
                }
            }
            before = clip.length.map(|length| start + length);
        }
    }

    /// Returns the frame of a position.
    fn frame(self, at: At) -> Frames {
        match (at, self.picture) {
            (At::Frames(frames), _) => frames,
            (At::Timecode(timecode), Some((_, start))) => {
                timecode.frames(self.rate) - start.frames(self.rate)
            }
            _ => Frames::ZERO,
        }
    }

    /// Returns a position: timecode where it is the start of a picture frame.
    pub(super) fn position(self, at: Ratio) -> Option<(At, Option<ExactFrames>)> {
        if let Some(timecode) = self.timecode(at) {
            return Some((At::Timecode(timecode), None));
        }
        let (frames, exact) = self.time(at)?;
        Some((At::Frames(frames), exact))
    }

    /// Returns the timecode of a position that is the start of a picture frame.
    pub(super) fn timecode(self, at: Ratio) -> Option<Timecode> {
        let (fps, start) = self.picture?;
        let number = at.times(ratio_of(fps)?)?.whole()?;
        let number = number.checked_add(start.number())?;
        (number < fps.day()).then(|| Timecode::of_number(number, fps))
    }

    /// Returns the nearest frame, and the exact value where it lies between two frames and a session can state it.
    fn time(self, time: Ratio) -> Option<(Frames, Option<ExactFrames>)> {
        let exact = time.exact_frames(self.rate)?;
        let stated = (!exact.is_whole() && is_stated(time)).then_some(exact);
        Some((Frames(exact.nearest()), stated))
    }
}

/// Reports whether a session file can state a time exactly: as a decimal number of seconds, or as timecode.
fn is_stated(time: Ratio) -> bool {
    const PICOSECONDS: i128 = 1_000_000_000_000;
    let (_, denominator) = time.parts();
    let picture = FrameRate::ALL.iter();
    PICOSECONDS % denominator == 0
        || picture
            .map(|fps| i128::from(fps.numerator()))
            .any(|numerator| numerator % denominator == 0)
}

/// Returns a frame rate in frames per second.
pub(super) fn ratio_of(fps: FrameRate) -> Option<Ratio> {
    Ratio::new(i128::from(fps.numerator()), i128::from(fps.denominator()))
}

/// Returns the frame rate, without drop-frame, that a ratio is.
pub(super) fn frame_rate(rate: Ratio) -> Option<FrameRate> {
    FrameRate::ALL
        .into_iter()
        .filter(|fps| !fps.is_drop_frame())
        .find(|fps| ratio_of(*fps) == Some(rate))
}

/// A track of the timeline.
#[derive(Debug)]
pub(super) struct Lane {
    pub name: String,
    pub mute: bool,
    pub clips: Vec<PlacedClip>,
}

/// Takes the name of a track's only clip, where the table of the track can state the clip.
pub(super) fn unname_single(clips: &mut [Clip]) {
    if let [clip] = clips
        && clip.gain == Decibels::UNITY
        && clip.crossfade == Fade::default()
    {
        clip.name.clear();
    }
}

/// Adds the lanes that have clips as tracks. Clips are named where a track has several. They end with their files, where these
/// are there.
///
/// # Errors
/// The name of a clip whose times are negative or beyond the longest session.
pub(super) fn add_tracks(
    session: &mut Session,
    base: TimeBase,
    lanes: Vec<Lane>,
    notes: &mut Notes,
) -> Result<(), String> {
    let (mut names, mut lengths) = (Names::default(), StemLengths::default());
    for (number, lane) in (1..).zip(lanes) {
        if lane.clips.is_empty() {
            continue;
        }
        let mut track = Track::of(names.unique(&lane.name, &format!("track {number}")));
        track.strip.mute = lane.mute;
        let mut clip_names = Names::default();
        for (number, mut placed) in (1..).zip(lane.clips) {
            let name = placed.name.clone();
            placed.name = clip_names.unique(&placed.name, &format!("clip {number}"));
            let mut clip = base.clip(placed).ok_or(name)?;
            let place = || Place::Part(format!("track {:?}", track.strip.name));
            if lengths.fit(&mut clip, base.rate, place, notes) {
                track.clips.push(clip);
            }
        }
        base.fit_crossfades(&mut track);
        unname_single(&mut track.clips);
        if !track.clips.is_empty() {
            session.add_track(track);
        }
    }
    Ok(())
}
