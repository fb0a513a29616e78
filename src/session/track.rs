//! Tracks: clips on the timeline, through one strip.

use super::{
    clip::Clip,
    id::BusId,
    strip::{BusSend, Strip, strip_setters},
};
use crate::media::Input;
use crate::{
    curve::Curve,
    units::{Decibels, Pan},
};

/// One instrument of the mix: a stem or several clips, with gain, pan and routing.
#[derive(Clone, Debug, PartialEq)]
pub struct Track {
    /// Fader, pan, mute, solo, automation, routing.
    pub strip: Strip,
    /// The clips; those that overlap add up.
    pub clips: Vec<Clip>,
    /// Inverts the polarity.
    pub invert: bool,
}

impl Track {
    /// Creates a track that plays one whole stem from frame 0 on: a path, [`Input::file`], a
    /// [`Memory`](crate::media::Memory) or an [`Opener`](crate::Opener).
    pub fn new(name: impl Into<String>, stem: impl Into<Input>) -> Self {
        Self::of(name).clip(Clip::new(stem))
    }

    /// Creates a track without clips.
    pub fn of(name: impl Into<String>) -> Self {
        Self {
            strip: Strip {
                name: name.into(),
                ..Strip::default()
            },
            clips: Vec::new(),
            invert: false,
        }
    }

    /// Adds a clip.
    #[must_use]
    pub fn clip(mut self, clip: Clip) -> Self {
        self.clips.push(clip);
        self
    }

    /// Inverts the polarity, or not.
    #[must_use]
    pub fn invert(mut self, invert: bool) -> Self {
        self.invert = invert;
        self
    }

    strip_setters!();
}
