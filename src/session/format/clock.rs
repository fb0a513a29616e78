//! Parses the times of a session file at its sample rate and frame rate.

use crate::{
    session::At,
    timecode::{FrameRate, Timecode},
    units::{ExactFrames, Frames, SampleRate},
};
use std::borrow::Cow;

/// The rates that times are converted at, and the timecode of the first frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    pub rate: SampleRate,
    pub fps: Option<FrameRate>,
    pub start: Option<Timecode>,
    /// Allows numbers without a unit, which are frames: in JSON, which programs write.
    pub allows_bare_numbers: bool,
}

/// Returns the message for a number without a unit where a time is meant.
pub(super) fn no_unit(number: &str) -> String {
    if number.bytes().all(|b| b.is_ascii_digit()) {
        format!("{number} has no unit: write \"{number}s\" or \"{number} frames\"")
    } else {
        format!("{number} has no unit: write \"{number}s\"")
    }
}

/// Returns a text with each number of frames as one word, `12000frames`, so that it can be split at spaces.
pub(super) fn frames_in_one_word(text: &str) -> Cow<'_, str> {
    if text.contains(' ') {
        Cow::Owned(text.replace(" frames", "frames"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The point that times count from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimeOrigin {
    /// The first frame of the output; timecode is a place against picture.
    Picture,
    /// The start of a cue, which has no timecode of its own.
    Cue,
}

impl Clock {
    /// Parses a length: `12.5s`, frames, or timecode as `mm:ss:ff` or `hh:mm:ss:ff`.
    pub(super) fn length(&self, text: &str) -> Result<Frames, String> {
        if !Timecode::looks_like(text) {
            return self.time(text);
        }
        Ok(self.picture_length(text)?.frames(self.rate))
    }

    /// Parses a length in timecode: the label as far from midnight.
    fn picture_length(&self, text: &str) -> Result<Timecode, String> {
        let parts = text.bytes().filter(|b| matches!(b, b':' | b';')).count() + 1;
        self.fps_for(text)?;
        if parts == 3 {
            self.timecode(&format!("00:{}", text.trim()))
        } else {
            self.timecode(text)
        }
    }

    /// Returns the exact value of a length or of a time after the start, where it lies between two frames.
    pub(super) fn exact(&self, text: &str) -> Option<ExactFrames> {
        let exact = if Timecode::looks_like(text) {
            self.picture_length(text).ok()?.exact_frames(self.rate)
        } else {
            ExactFrames::parse(text, self.rate)?
        };
        (!exact.is_whole()).then_some(exact)
    }

    /// Parses a point on the timeline: a time after the origin, a timecode, or `origin`.
    pub(super) fn position(&self, text: &str, origin: TimeOrigin) -> Result<At, String> {
        if text.trim() == "origin" {
            return match origin {
                TimeOrigin::Picture => Ok(At::Origin),
                TimeOrigin::Cue => Err(
                    "\"origin\" is for the uses of a cue; in it, count from its start".to_owned(),
                ),
            };
        }
        if Timecode::looks_like(text) {
            return match origin {
                TimeOrigin::Picture => Ok(At::Timecode(self.timecode(text)?)),
                TimeOrigin::Cue => Err(format!(
                    "{text:?} is a place against picture; in a cue, count from its start"
                )),
            };
        }
        Ok(At::Frames(self.time(text)?))
    }

    /// Parses a time that is no timecode: `12.5s`, `12000 frames`.
    fn time(&self, text: &str) -> Result<Frames, String> {
        let bare = text.trim();
        let is_number = bare.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        // 0 is the same in every unit.
        if is_number && !self.allows_bare_numbers && bare.parse::<f64>().is_ok_and(|n| n > 0.0) {
            return Err(no_unit(bare));
        }
        Frames::parse(text, self.rate).map_err(|e| e.to_string())
    }

    /// Parses a point on the timeline as a frame after the origin.
    pub(super) fn moment(&self, text: &str, origin: TimeOrigin) -> Result<Frames, String> {
        match self.position(text, origin)? {
            At::Frames(at) => Ok(at),
            At::Origin => Err(format!(
                "{text:?} is no time, like 12.5s, 2m20s, 250ms or 12000 frames"
            )),
            At::Timecode(at) => {
                let start = self.start.map_or(Frames::ZERO, |s| s.frames(self.rate));
                let from_midnight = at.frames(self.rate);
                if from_midnight < start {
                    let start = self.start.map(|s| s.to_string()).unwrap_or_default();
                    return Err(format!(
                        "{at} lies before the start of the session, {start}"
                    ));
                }
                Ok(from_midnight - start)
            }
        }
    }

    /// Parses a timecode at the session's frame rate.
    pub(super) fn timecode(&self, text: &str) -> Result<Timecode, String> {
        Timecode::parse(text, self.fps_for(text)?).map_err(|e| e.to_string())
    }

    fn fps_for(&self, text: &str) -> Result<FrameRate, String> {
        self.fps.ok_or_else(|| {
            format!("{text:?} is a timecode, and the session states no frame rate: set fps, as in fps = \"24\"")
        })
    }
}
