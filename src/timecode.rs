//! SMPTE timecode (ST 12): labels of picture frames, and their positions in audio frames.
//!
//! All arithmetic is exact: the position of picture frame k is `k · den · Hz / num`, always
//! computed from midnight and rounded once, halves up. Audio is never pulled up or down.

mod rate;

pub use rate::{FrameRate, UnknownFrameRate};

use crate::units::{ExactFrames, Frames, SampleRate};
use std::{cmp::Ordering, fmt};

/// Label of a picture frame, `hh:mm:ss:ff`, at its frame rate, from midnight to the last frame of
/// the day.
///
/// ```
/// use soundtrack::{FrameRate, Frames, SampleRate, Timecode};
/// let hour = Timecode::parse("01:00:00:00", FrameRate::FPS_23_976)?;
/// // One hour of labels lasts 3603.6 seconds.
/// assert_eq!(hour.frames(SampleRate::HZ_48000), Frames(172_972_800));
/// assert_eq!(hour.frames(SampleRate::HZ_44100), Frames(158_918_760));
/// let drop = Timecode::parse("01:05:00;02", FrameRate::FPS_29_97_DF)?;
/// assert_eq!(drop.previous().to_string(), "01:04:59;29");
/// # Ok::<(), soundtrack::NotATimecode>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Timecode {
    /// Picture frames since midnight.
    number: u64,
    rate: FrameRate,
}

/// Error: a text or numbers are not a timecode. The message states the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotATimecode(String);

impl fmt::Display for NotATimecode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotATimecode {}

impl Timecode {
    /// Returns midnight, 00:00:00:00.
    #[must_use]
    pub fn midnight(rate: FrameRate) -> Self {
        Self { number: 0, rate }
    }

    /// Returns the timecode with the label `h:m:s:f`.
    ///
    /// # Errors
    /// [`NotATimecode`] for values beyond 23:59:59 or the last frame of a second, and for labels
    /// that drop-frame skips.
    pub fn new(h: u32, m: u32, s: u32, f: u32, rate: FrameRate) -> Result<Self, NotATimecode> {
        let label = || format!("{h:02}:{m:02}:{s:02}{}{f:02}", rate.separator());
        if h > 23 || m > 59 || s > 59 {
            return Err(NotATimecode(format!(
                "{}: a label goes up to 23 hours, 59 minutes and 59 seconds",
                label()
            )));
        }
        if f >= rate.nominal() {
            let last = rate.nominal() - 1;
            return Err(NotATimecode(format!(
                "{}: the last frame of a second is {last} at {rate} fps",
                label()
            )));
        }
        if s == 0 && !m.is_multiple_of(10) && f < rate.dropped() {
            let first = format!("{h:02}:{m:02}:00;{:02}", rate.dropped());
            return Err(NotATimecode(format!(
                "{} is left out by drop-frame; the next label is {first}",
                label()
            )));
        }
        let minutes = u64::from(60 * h + m);
        let seconds = 60 * minutes + u64::from(s);
        let labels = seconds * u64::from(rate.nominal()) + u64::from(f);
        Ok(Self {
            number: labels - u64::from(rate.dropped()) * (minutes - minutes / 10),
            rate,
        })
    }

    /// Returns the timecode of a picture frame counted from midnight, modulo 24 hours.
    #[must_use]
    pub fn of_number(number: u64, rate: FrameRate) -> Self {
        Self {
            number: number % rate.day(),
            rate,
        }
    }

    /// Parses `01:02:40:00`, or `01:02:40;00` for drop-frame.
    ///
    /// # Errors
    /// [`NotATimecode`] for any other text, for labels that do not exist, and for the separator of
    /// the other kind.
    pub fn parse(text: &str, rate: FrameRate) -> Result<Self, NotATimecode> {
        let [h, m, s, f] = rate::parse_label(text, rate)?;
        Self::new(h, m, s, f, rate)
    }

    /// Returns true if a text has the form of a timecode, valid or not: digits in three or more
    /// parts separated by colons or semicolons.
    #[must_use]
    pub fn looks_like(text: &str) -> bool {
        let text = text.trim();
        let marks = text.bytes().filter(|b| matches!(b, b':' | b';')).count();
        marks >= 2
            && text
                .bytes()
                .all(|b| b.is_ascii_digit() || matches!(b, b':' | b';'))
    }

    /// Returns the frame rate.
    #[must_use]
    pub fn rate(self) -> FrameRate {
        self.rate
    }

    /// Returns the number of picture frames between midnight and this one.
    #[must_use]
    pub fn number(self) -> u64 {
        self.number
    }

    /// Returns hours, minutes, seconds and frames of the label.
    #[must_use]
    pub fn parts(self) -> [u64; 4] {
        let (nominal, dropped) = (
            u64::from(self.rate.nominal()),
            u64::from(self.rate.dropped()),
        );
        let (ten, one) = (600 * nominal - 9 * dropped, 60 * nominal - dropped);
        let (tens, rest) = (self.number / ten, self.number % ten);
        let minutes = if rest >= dropped {
            (rest - dropped) / one
        } else {
            0
        };
        let labels = self.number + dropped * (9 * tens + minutes);
        let seconds = labels / nominal;
        [
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60,
            labels % nominal,
        ]
    }

    /// Returns the next label; midnight after the last one of the day.
    #[must_use]
    pub fn next(self) -> Self {
        Self::of_number(self.number + 1, self.rate)
    }

    /// Returns the previous label; the last one of the day before midnight.
    #[must_use]
    pub fn previous(self) -> Self {
        Self::of_number(self.number + self.rate.day() - 1, self.rate)
    }

    /// Returns the audio frame nearest to the start of this picture frame, counted from midnight,
    /// halves rounded up.
    #[must_use]
    pub fn frames(self, rate: SampleRate) -> Frames {
        self.rate.frames(self.number, rate)
    }

    /// Returns the exact start of this picture frame in audio frames from midnight.
    pub(crate) fn exact_frames(self, rate: SampleRate) -> ExactFrames {
        self.rate.exact_frames(self.number, rate)
    }

    /// Returns the rounding error of [`frames`](Self::frames): the distance of that audio frame
    /// from the exact start of the picture frame, in audio frames, above −0.5 and up to 0.5;
    /// exactly 0 if they coincide.
    #[must_use]
    pub fn rounding(self, rate: SampleRate) -> f64 {
        self.rate.rounding(self.number, rate)
    }

    /// Returns the picture frame shown at an audio frame counted from midnight, and the number of
    /// audio frames since its start. For the result of [`frames`](Self::frames) this returns the
    /// same label.
    ///
    /// ```
    /// use soundtrack::{FrameRate, Frames, SampleRate, Timecode};
    /// let (seen, after) = Timecode::seen_at(Frames(172_800_001), SampleRate::HZ_48000, FrameRate::FPS_24);
    /// assert_eq!((seen.to_string().as_str(), after), ("01:00:00:00", Frames(1)));
    /// ```
    #[must_use]
    pub fn seen_at(at: Frames, audio: SampleRate, rate: FrameRate) -> (Self, Frames) {
        let (number, start) = rate.seen_at(at, audio);
        (Self { number, rate }, at - start)
    }
}

impl PartialOrd for Timecode {
    /// Compares the times since midnight. Timecodes of different rates at the same time are
    /// unordered.
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let time = |t: &Self| u128::from(t.number) * u128::from(t.rate.denominator());
        let (a, b) = (
            u128::from(self.rate.numerator()),
            u128::from(other.rate.numerator()),
        );
        match (time(self) * b).cmp(&(time(other) * a)) {
            Ordering::Equal if self.rate != other.rate => None,
            order => Some(order),
        }
    }
}

impl fmt::Display for Timecode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [h, m, s, frame] = self.parts();
        write!(f, "{h:02}:{m:02}:{s:02}{}{frame:02}", self.rate.separator())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_as_long_as_the_standard_says() {
        let days = [
            FrameRate::FPS_29_97_DF,
            FrameRate::FPS_59_94_DF,
            FrameRate::FPS_119_88_DF,
        ]
        .map(FrameRate::day);
        assert_eq!(days, [2_589_408, 5_178_816, 10_357_632]);
        let hour = |rate| {
            Timecode::parse(
                if rate == FrameRate::FPS_29_97_DF {
                    "01:00:00;00"
                } else {
                    "01:00:00:00"
                },
                rate,
            )
        };
        assert_eq!(hour(FrameRate::FPS_29_97_DF).unwrap().number, 107_892);
        assert_eq!(
            hour(FrameRate::FPS_29_97)
                .unwrap()
                .frames(SampleRate::HZ_48000),
            Frames(172_972_800)
        );
        assert_eq!(
            hour(FrameRate::FPS_24)
                .unwrap()
                .frames(SampleRate::HZ_48000),
            Frames(172_800_000)
        );
    }

    #[test]
    fn what_is_no_label_is_told_why() {
        let why = |text: &str, rate| Timecode::parse(text, rate).unwrap_err().to_string();
        assert_eq!(
            why("01:05:00;01", FrameRate::FPS_29_97_DF),
            "01:05:00;01 is left out by drop-frame; the next label is 01:05:00;02"
        );
        assert_eq!(
            why("01:05:00:24", FrameRate::FPS_24),
            "01:05:00:24: the last frame of a second is 23 at 24 fps"
        );
        assert_eq!(
            why("24:00:00:00", FrameRate::FPS_24),
            "24:00:00:00: a label goes up to 23 hours, 59 minutes and 59 seconds"
        );
        assert_eq!(
            why("01:00:00;00", FrameRate::FPS_24),
            "\"01:00:00;00\" has the ; of drop-frame, but 24 fps has none: write 01:00:00:00"
        );
        assert_eq!(
            why("01:00:00:00", FrameRate::FPS_29_97_DF),
            "\"01:00:00:00\" has no ; before the frames, but 29.97df fps is drop-frame: write 01:00:00;00, \
             or set fps = \"29.97\""
        );
        assert_eq!(
            why("01:00:00;00", FrameRate::FPS_29_97),
            "\"01:00:00;00\" has the ; of drop-frame, but 29.97 fps has none: write 01:00:00:00, \
             or set fps = \"29.97df\""
        );
        for bad in [
            "",
            "1:2:3",
            "01:00:00:00:00",
            "01:00:00:+1",
            "01:00:0 :00",
            "99999999999:00:00:00",
            "é:00:00:00",
        ] {
            assert!(
                why(bad, FrameRate::FPS_24).ends_with("is no timecode, like 01:02:40:00"),
                "{bad}"
            );
        }
    }

    #[test]
    fn times_of_unlike_rates_compare() {
        let at = |text: &str, rate| Timecode::parse(text, rate).unwrap();
        assert!(at("01:00:00:00", FrameRate::FPS_23_976) > at("01:00:00:00", FrameRate::FPS_24));
        assert!(at("00:59:59:23", FrameRate::FPS_24) < at("01:00:00:00", FrameRate::FPS_24));
    }
}
