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
        let s = if number == "1" { "" } else { "s" };
        format!("{number} has no unit: write \"{number}s\" or \"{number} frame{s}\"")
    } else {
        format!("{number} has no unit: write \"{number}s\"")
    }
}

/// Returns a text with each number of frames as one word, `12000frames`, so that it can be split at spaces.
pub(super) fn frames_in_one_word(text: &str) -> Cow<'_, str> {
    if text.contains(' ') {
        Cow::Owned(text.replace(" frame", "frame"))
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
        // "0" needs no unit.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// 44.1 kHz and 24 frames per second, of which each is 1,837.5 frames of audio.
    fn clock() -> Clock {
        let fps = "24".parse().unwrap();
        Clock {
            rate: SampleRate::HZ_44100,
            fps: Some(fps),
            start: Some(Timecode::parse("01:00:00:00", fps).unwrap()),
            allows_bare_numbers: false,
        }
    }

    #[test]
    fn a_length_is_a_time_or_a_timecode() {
        let length = |text: &str| clock().length(text);
        assert_eq!(length("12.5s"), Ok(Frames(551_250)));
        assert_eq!(length(" 480 frames "), Ok(Frames(480)));
        assert_eq!(length("0"), Ok(Frames(0)));
        assert_eq!(length("00:02:12"), Ok(Frames(110_250)));
        assert_eq!(length(" 01:00:02:12 "), Ok(Frames(3602 * 44_100 + 22_050)));
        assert_eq!(
            length("12").unwrap_err(),
            "12 has no unit: write \"12s\" or \"12 frames\""
        );
        assert_eq!(
            length("1.5").unwrap_err(),
            "1.5 has no unit: write \"1.5s\""
        );
        let bare = Clock {
            allows_bare_numbers: true,
            ..clock()
        };
        assert_eq!(bare.length("12"), Ok(Frames(12)));
        let without = Clock {
            fps: None,
            ..clock()
        };
        let no_fps = |text: &str| {
            format!(
                "{text:?} is a timecode, and the session states no frame rate: set fps, as in fps = \"24\""
            )
        };
        for text in ["00:02:12", "01:00:02:12"] {
            assert_eq!(without.length(text), Err(no_fps(text)));
        }
    }

    #[test]
    fn a_time_between_two_frames_has_an_exact_value() {
        let exact = |text: &str| clock().exact(text);
        assert_eq!(exact("10ms"), None);
        assert_eq!(exact("1ms"), Some(ExactFrames::new(441, 10)));
        assert_eq!(exact("00:00:01"), Some(ExactFrames::new(3675, 2)));
        assert_eq!(exact("00:00:00:02"), None);
        assert_eq!((exact("x"), exact("00:00:99")), (None, None));
    }

    #[test]
    fn a_position_is_against_picture_or_in_a_cue() {
        use TimeOrigin::{Cue, Picture};
        let position = |text: &str, origin| clock().position(text, origin);
        assert_eq!(position(" origin ", Picture), Ok(At::Origin));
        assert!(
            position("origin", Cue)
                .unwrap_err()
                .starts_with("\"origin\" is for the uses")
        );
        let timecode = clock().timecode("01:00:01:00").unwrap();
        assert_eq!(position("01:00:01:00", Picture), Ok(At::Timecode(timecode)));
        assert_eq!(
            position("01:00:01:00", Cue).unwrap_err(),
            "\"01:00:01:00\" is a place against picture; in a cue, count from its start"
        );
        for origin in [Picture, Cue] {
            assert_eq!(position("1s", origin), Ok(At::Frames(Frames(44_100))));
        }

        let moment = |clock: Clock, text: &str| clock.moment(text, Picture);
        assert_eq!(moment(clock(), "2s"), Ok(Frames(88_200)));
        assert_eq!(moment(clock(), "01:00:00:00"), Ok(Frames(0)));
        assert_eq!(moment(clock(), "01:00:00:02"), Ok(Frames(3675)));
        assert_eq!(
            moment(clock(), "00:59:59:23").unwrap_err(),
            "00:59:59:23 lies before the start of the session, 01:00:00:00"
        );
        assert_eq!(
            moment(clock(), "origin").unwrap_err(),
            "\"origin\" is no time, like 12.5s, 2m20s, 250ms or 12000 frames"
        );
        let midnight = Clock {
            start: None,
            ..clock()
        };
        assert_eq!(moment(midnight, "00:00:01:00"), Ok(Frames(44_100)));
    }
}
