//! A clip: a stretch of a stem, placed on the timeline.

use super::{at::At, exact_times::ExactTimes, source_text::KeySpans, stretch::stretch_setters};
use crate::{
    curve::Fade,
    layout::Layout,
    media::Input,
    units::{Decibels, Frames},
};

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
    /// What it is called among the clips of its track; empty for an only one.
    pub name: String,
    /// The stem.
    pub input: Input,
    /// Where on the timeline it starts; in a cue, after the cue's start.
    pub at: At,
    /// How much of the stem's start is left out.
    pub from: Frames,
    /// How much of the stem is played; to its end unless said.
    pub length: Option<Frames>,
    /// How many times the stretch is played, one after the other; at least 1.
    pub loops: u32,
    /// Fade at the start of the first pass.
    pub fade_in: Fade,
    /// Fade at the end of the last pass.
    pub fade_out: Fade,
    /// Fades this clip in over the one of the track that starts before it, which must last as long: that one ends where
    /// the fade does, and fades out by the same shape backwards. Linear for the same take, equal power for another.
    pub crossfade: Fade,
    /// Level of the clip. −∞ is exact silence; at most +200 dB.
    pub gain: Decibels,
    /// The layout of the stem, for a file that does not say where its channels belong, or says it wrong. Must have as
    /// many channels as the stem.
    pub layout: Option<Layout>,
    /// The only channel of the stem that is played, as mono, counted from 1; all without it.
    pub channel: Option<u32>,
    pub(crate) exact: ExactTimes,
    pub(crate) written: KeySpans,
}

impl Clip {
    /// A whole stem, once, from frame 0.
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

    /// Sets where on the timeline it starts: at a frame, a timecode, or at the stem's own time reference.
    #[must_use]
    pub fn at(mut self, at: impl Into<At>) -> Self {
        self.at = at.into();
        self.exact.at = None;
        self
    }

    /// Sets how many times the stretch is played.
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
    pub(crate) fn chosen_input(&self) -> Input {
        match self.channel {
            // A number that no address space counts is that of no channel.
            Some(number) => {
                let number = usize::try_from(number).unwrap_or(usize::MAX);
                self.input.clone().channel(number)
            }
            None => self.input.clone(),
        }
    }

    stretch_setters!();
}
