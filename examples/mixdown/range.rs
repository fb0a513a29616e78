//! `--range A..B`: a part of the timeline.

use soundtrack::{Frames, SampleRate};
use std::ops::Range;

/// The part of a mix of `length` frames that a text means, and whether it was cut at the mix's end.
pub fn parse(text: &str, rate: SampleRate, length: Frames) -> Result<(Range<Frames>, bool), String> {
    let (from, to) = text.split_once("..").ok_or("a range is A..B, like 10s..1m30s, 10s.. or ..1m")?;
    let time = |text: &str, open: Frames| match text.trim() {
        "" => Ok(open),
        text => Frames::parse(text, rate).map_err(|e| e.to_string()),
    };
    let (start, end) = (time(from, Frames::ZERO)?, time(to, length)?);
    let clock = |frames: Frames| frames.clock(rate);
    if start >= length {
        return Err(format!("it starts at {}, but the mix ends at {}", clock(start), clock(length)));
    }
    if start > end {
        return Err(format!("it ends at {}, before it starts at {}", clock(end), clock(start)));
    }
    if start == end {
        return Err(format!("it is empty: it starts and ends at {}", clock(start)));
    }
    Ok((start..end.min(length), end > length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_end_may_be_left_out() {
        let part = |text| parse(text, SampleRate::HZ_48000, Frames(480_000)).map(|(r, cut)| (r.start.0, r.end.0, cut));
        assert_eq!(part("1s..2s"), Ok((48_000, 96_000, false)));
        assert_eq!(part("1s.."), Ok((48_000, 480_000, false)));
        assert_eq!(part("..100"), Ok((0, 100, false)));
        assert_eq!(part(".."), Ok((0, 480_000, false)));
        assert_eq!(part("500ms .. 1m"), Ok((24_000, 480_000, true)));
        for bad in ["", "1s", "2s..1s", "1s..1s", "10s..", "x..", "-1s..", "1s...2s", "nan..inf"] {
            assert!(part(bad).is_err(), "{bad}");
        }
    }
}
