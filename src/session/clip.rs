//! A clip: a stretch of a stem, placed on the timeline.

use super::{at::At, exact_times::ExactTimes, source_text::KeySpans, stretch::stretch_setters};
use crate::{
    curve::Fade,
    layout::Layout,
    media::Input,
    units::{Decibels, Frames},
};
use std::borrow::Cow;

/// A stretch of a stem on the timeline. All positions and lengths count at the session's rate.
///
/// A session file may state times that lie between two frames. The fields hold the nearest frames; start, end and the passes
/// of a loop follow from the exact times and are rounded once, unless the program sets the field.
///
/// ```
/// use soundtrack::{Clip, Fade, Frames};
/// let hit = Clip::new("brass.wav").at(Frames(384_000)).from(Frames(96_000)).length(Frames(48_000)).loops(2);
/// assert_eq!(hit.fade_out(Fade::linear(Frames(480))).loops, 2);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Clip {
    /// Its name, unique among the clips of its track; empty for the only clip.
    pub name: String,
    /// The stem.
    pub input: Input,
    /// The position at which it starts; in a cue, counted from the cue's start.
    pub at: At,
    /// Frames of the stem's start that are left out.
    pub from: Frames,
    /// Frames of the stem that are played; `None` plays it to its end.
    pub length: Option<Frames>,
    /// Number of times the stretch is played in a row; at least 1.
    pub loops: u32,
    /// Fade at the start of the first pass.
    pub fade_in: Fade,
    /// Fade at the end of the last pass.
    pub fade_out: Fade,
    /// Crossfade with the clip of the track that starts before this one. That clip is cut where the crossfade ends, which must
    /// not be after its own end, and fades out with the same shape reversed. Use a linear shape between parts of one take, and
    /// equal power between different takes.
    pub crossfade: Fade,
    /// Level of the clip. −∞ is exact silence; at most +200 dB.
    pub gain: Decibels,
    /// The layout of the stem, for a file that states none or a wrong one. Must have as many channels as the stem.
    pub layout: Option<Layout>,
    /// The channel of the stem that is played alone, as mono, counted from 1; `None` plays all channels.
    pub channel: Option<u32>,
    pub(crate) exact: ExactTimes,
    pub(crate) written: KeySpans,
}

impl Clip {
    /// Creates a clip that plays a whole stem once, from frame 0 on.
    pub fn new(input: impl Into<Input>) -> Self {
        Self {
            name: String::new(),
            input: input.into(),
            at: At::default(),
            from: Frames::ZERO,
            length: None,
            loops: 1,
            fade_in: Fade::default(),
            fade_out: Fade::default(),
            crossfade: Fade::default(),
            gain: Decibels::UNITY,
            layout: None,
            channel: None,
            exact: ExactTimes::default(),
            written: KeySpans::default(),
        }
    }

    /// Sets the position at which it starts: a frame, a timecode, or the stem's own time reference.
    #[must_use]
    pub fn at(mut self, at: impl Into<At>) -> Self {
        self.at = at.into();
        self.exact.at = None;
        self
    }

    /// Sets the number of times the stretch is played.
    #[must_use]
    pub fn loops(mut self, loops: u32) -> Self {
        self.loops = loops;
        self
    }

    /// States the layout of the stem.
    #[must_use]
    pub fn layout(mut self, layout: Layout) -> Self {
        self.layout = Some(layout);
        self
    }

    /// Plays one channel of the stem, counted from 1, as mono.
    ///
    /// ```
    /// use soundtrack::Clip;
    /// assert_eq!(Clip::new("poly.wav").channel(3).channel, Some(3));
    /// ```
    #[must_use]
    pub fn channel(mut self, number: u32) -> Self {
        self.channel = Some(number);
        self
    }

    /// Returns the stem, or the channel of it that is played.
    pub(crate) fn chosen_input(&self) -> Cow<'_, Input> {
        match self.channel {
            Some(number) => Cow::Owned(self.input.clone().channel(number as usize)),
            None => Cow::Borrowed(&self.input),
        }
    }

    stretch_setters!();
}
