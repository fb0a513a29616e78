//! Times as a session file writes them, and what they mean at its rate and frame rate.

use crate::{
    session::At,
    timecode::{FrameRate, Timecode},
    units::{Frames, SampleRate},
};

/// What times are counted by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    pub rate: SampleRate,
    pub fps: Option<FrameRate>,
    pub start: Option<Timecode>,
}

/// What a time counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zero {
    /// The first frame of the output; timecode is a place against picture.
    Picture,
    /// The start of a cue, which has no timecode of its own.
    Cue,
}

impl Clock {
    /// A length: `12.5s`, frames, or timecode as `mm:ss:ff` or `hh:mm:ss:ff`.
    pub(super) fn length(&self, written: &str) -> Result<Frames, String> {
        if !Timecode::looks_like(written) {
            return Frames::parse(written, self.rate).map_err(|e| e.to_string());
        }
        let parts = written.bytes().filter(|b| matches!(b, b':' | b';')).count() + 1;
        self.fps_for(written)?;
        let whole = if parts == 3 { format!("00:{}", written.trim()) } else { written.to_owned() };
        Ok(self.timecode(&whole)?.frames(self.rate))
    }

    /// A place: a time after zero, a timecode, or `origin`.
    pub(super) fn at(&self, written: &str, zero: Zero) -> Result<At, String> {
        if written.trim() == "origin" {
            return match zero {
                Zero::Picture => Ok(At::Origin),
                Zero::Cue => Err("\"origin\" is for the uses of a cue; in it, count from its start".to_owned()),
            };
        }
        if Timecode::looks_like(written) {
            return match zero {
                Zero::Picture => Ok(At::Timecode(self.timecode(written)?)),
                Zero::Cue => Err(format!("{written:?} is a place against picture; in a cue, count from its start")),
            };
        }
        Ok(At::Frames(Frames::parse(written, self.rate).map_err(|e| e.to_string())?))
    }

    /// A moment, as a frame after zero.
    pub(super) fn moment(&self, written: &str, zero: Zero) -> Result<Frames, String> {
        match self.at(written, zero)? {
            At::Frames(at) => Ok(at),
            At::Origin => Err(format!("{written:?} is no time, like 12.5s, 2m20s, 250ms or a number of frames")),
            At::Timecode(at) => {
                let start = self.start.map_or(Frames::ZERO, |s| s.frames(self.rate));
                let from_midnight = at.frames(self.rate);
                if from_midnight < start {
                    let start = self.start.map(|s| s.to_string()).unwrap_or_default();
                    return Err(format!("{at} lies before the start of the session, {start}"));
                }
                Ok(from_midnight - start)
            }
        }
    }

    /// A timecode at the session's frame rate.
    pub(super) fn timecode(&self, written: &str) -> Result<Timecode, String> {
        Timecode::parse(written, self.fps_for(written)?).map_err(|e| e.to_string())
    }

    fn fps_for(&self, written: &str) -> Result<FrameRate, String> {
        self.fps.ok_or_else(|| {
            format!("{written:?} is a timecode, and the session states no frame rate: set fps, as in fps = \"24\"")
        })
    }
}
