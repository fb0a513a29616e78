//! Parses `A..B`, a part of the timeline: the option `--range` and the key `range` of a job.

use crate::text::counted;
use soundtrack::{Frames, SampleRate, Session, Timecode};
use std::ops::Range;

/// Parses a range of a mix that is `length` frames long. Returns the range and whether it was cut at the end of the mix.
///
/// Either end may be missing. Times count from the first frame of the output; timecodes are those of the picture.
///
/// # Errors
/// A sentence for a text that is no range, for a number without a unit, and for a range that is empty or starts beyond the
/// end of the mix.
pub fn parse(
    text: &str,
    session: &Session,
    length: Frames,
) -> Result<(Range<Frames>, bool), String> {
    let (from, to) = text
        .split_once("..")
        .ok_or("a range is A..B, like 10s..1m30s, 10s.. or ..1m")?;
    let point = |text: &str, open: Frames| match text.trim() {
        "" => Ok(Point::Time(open)),
        label if label.matches([':', ';']).count() == 3 => timecode(label, session),
        text => duration(text, session.rate),
    };
    let (from, to) = (point(from, Frames::ZERO)?, point(to, length)?);
    let (start, end) = (from.at(), to.at());
    if start >= length {
        return Err(format!(
            "it starts at {}, but the mix ends at {}",
            from.text(session.rate),
            length.clock(session.rate)
        ));
    }
    if start > end {
        return Err(format!(
            "it ends at {}, before it starts at {}",
            to.text(session.rate),
            from.text(session.rate)
        ));
    }
    if start == end {
        return Err(format!(
            "it is empty: it starts and ends at {}",
            from.text(session.rate)
        ));
    }
    Ok((start..end.min(length), end > length))
}

/// A frame of the output, in the unit in which the range states it.
#[derive(Clone, Copy)]
enum Point {
    Frame(Frames),
    Time(Frames),
}

impl Point {
    fn at(self) -> Frames {
        match self {
            Self::Frame(at) | Self::Time(at) => at,
        }
    }

    /// Formats it for messages. A clock would round most numbers of frames to 0.
    fn text(self, rate: SampleRate) -> String {
        match self {
            Self::Frame(at) => format!("frame {at}"),
            Self::Time(at) => at.clock(rate),
        }
    }
}

/// Parses a time with a unit. 0 needs none.
fn duration(text: &str, rate: SampleRate) -> Result<Point, String> {
    if let Ok(number @ 1..) = text.parse::<u64>() {
        return Err(format!(
            "{text} has no unit: write {number}s, or \"{}\" in quotes",
            counted(number, "frame")
        ));
    }
    let at = Frames::parse(text, rate).map_err(|e| e.to_string())?;
    let is_number_of_frames = text.ends_with("frame") || text.ends_with("frames");
    Ok(if is_number_of_frames {
        Point::Frame(at)
    } else {
        Point::Time(at)
    })
}

/// Returns the frame of the output at a timecode.
fn timecode(label: &str, session: &Session) -> Result<Point, String> {
    let fps = session
        .fps
        .ok_or_else(|| format!("{label}: the session has no fps, which timecodes need"))?;
    let at = Timecode::parse(label, fps).map_err(|e| e.to_string())?;
    let start = session.start.unwrap_or(Timecode::midnight(fps));
    let (at_frame, first) = (at.frames(session.rate), start.frames(session.rate));
    if at_frame < first {
        Err(format!("{label} is before the start, {start}"))
    } else {
        Ok(Point::Time(at_frame - first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use soundtrack::{FrameRate, Layout};

    #[test]
    fn either_end_may_be_left_out() {
        let session = Session::new(SampleRate::HZ_48000, Layout::Mono);
        let part =
            |text| parse(text, &session, Frames(480_000)).map(|(r, cut)| (r.start.0, r.end.0, cut));
        assert_eq!(part("1s..2s"), Ok((48_000, 96_000, false)));
        assert_eq!(part("1s.."), Ok((48_000, 480_000, false)));
        assert_eq!(part("0..100 frames"), Ok((0, 100, false)));
        assert_eq!(part(".."), Ok((0, 480_000, false)));
        assert_eq!(part("500ms .. 1m"), Ok((24_000, 480_000, true)));
        for bad in [
            "", "1s", "2s..1s", "1s..1s", "10s..", "x..", "-1s..", "1s...2s", "nan..inf", "1..2s",
            "1s..2",
        ] {
            assert!(part(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn timecodes_are_those_of_the_picture() {
        let mut session = Session::new(SampleRate::HZ_48000, Layout::Mono);
        let part = |session: &Session, text| {
            parse(text, session, Frames(480_000)).map(|(r, _)| (r.start.0, r.end.0))
        };
        let unknown = "01:00:00:00: the session has no fps, which timecodes need";
        assert_eq!(part(&session, "01:00:00:00.."), Err(unknown.to_owned()));
        session.fps = Some(FrameRate::FPS_24);
        session.start = Some(Timecode::parse("01:00:00:00", FrameRate::FPS_24).unwrap());
        assert_eq!(
            part(&session, "01:00:01:12..01:00:02:00"),
            Ok((72_000, 96_000))
        );
        assert_eq!(part(&session, "01:00:01:12..3s"), Ok((72_000, 144_000)));
        assert_eq!(
            part(&session, "00:59:59:23..").unwrap_err(),
            "00:59:59:23 is before the start, 01:00:00:00"
        );
        assert!(
            part(&session, "01:00:01:24..")
                .unwrap_err()
                .contains("the last frame of a second is 23")
        );
    }

    #[test]
    fn an_end_before_the_start_is_named_in_the_unit_of_the_text() {
        let session = Session::new(SampleRate::HZ_48000, Layout::Mono);
        let refused = |text| parse(text, &session, Frames(480_000)).unwrap_err();
        assert_eq!(
            refused("10 frames..5 frames"),
            "it ends at frame 5, before it starts at frame 10"
        );
        assert_eq!(
            refused("10..20s"),
            "10 has no unit: write 10s, or \"10 frames\" in quotes"
        );
        assert_eq!(
            refused("5s..2s"),
            "it ends at 00:00:02.000, before it starts at 00:00:05.000"
        );
    }
}
