//! Frame rates as exact fractions, with their drop-frame rules.

use super::NotATimecode;
use crate::units::{ExactFrames, Frames, SampleRate, saturating_u64};
use std::{fmt, str::FromStr};

/// Frame rate of a picture, with or without drop-frame.
///
/// ```
/// use soundtrack::FrameRate;
/// let rate: FrameRate = "29.97df".parse()?;
/// assert_eq!((rate.numerator(), rate.denominator(), rate.is_drop_frame()), (30_000, 1001, true));
/// assert_eq!(rate.to_string(), "29.97df");
/// # Ok::<(), soundtrack::UnknownFrameRate>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FrameRate {
    /// Labels per second.
    nominal: u32,
    /// True if the rate is 1000/1001 of the nominal one.
    ntsc: bool,
    drop: bool,
}

const fn rate(nominal: u32, ntsc: bool, drop: bool) -> FrameRate {
    FrameRate {
        nominal,
        ntsc,
        drop,
    }
}

impl FrameRate {
    /// 24000/1001, film on NTSC television; also called 23.98.
    pub const FPS_23_976: Self = rate(24, true, false);
    /// 24, cinema.
    pub const FPS_24: Self = rate(24, false, false);
    /// 25, television in 50 Hz countries.
    pub const FPS_25: Self = rate(25, false, false);
    /// 30000/1001, without drop-frame.
    pub const FPS_29_97: Self = rate(30, true, false);
    /// 30000/1001, drop-frame.
    pub const FPS_29_97_DF: Self = rate(30, true, true);
    /// 30.
    pub const FPS_30: Self = rate(30, false, false);
    /// 30, drop-frame.
    pub const FPS_30_DF: Self = rate(30, false, true);
    /// 48000/1001.
    pub const FPS_47_952: Self = rate(48, true, false);
    /// 48.
    pub const FPS_48: Self = rate(48, false, false);
    /// 50.
    pub const FPS_50: Self = rate(50, false, false);
    /// 60000/1001, without drop-frame.
    pub const FPS_59_94: Self = rate(60, true, false);
    /// 60000/1001, drop-frame.
    pub const FPS_59_94_DF: Self = rate(60, true, true);
    /// 60.
    pub const FPS_60: Self = rate(60, false, false);
    /// 60, drop-frame.
    pub const FPS_60_DF: Self = rate(60, false, true);
    /// 100.
    pub const FPS_100: Self = rate(100, false, false);
    /// 120000/1001, without drop-frame.
    pub const FPS_119_88: Self = rate(120, true, false);
    /// 120000/1001, drop-frame with 8 labels per minute.
    pub const FPS_119_88_DF: Self = rate(120, true, true);
    /// 120.
    pub const FPS_120: Self = rate(120, false, false);

    /// All rates, from slow to fast.
    pub const ALL: [Self; 18] = [
        Self::FPS_23_976,
        Self::FPS_24,
        Self::FPS_25,
        Self::FPS_29_97,
        Self::FPS_29_97_DF,
        Self::FPS_30,
        Self::FPS_30_DF,
        Self::FPS_47_952,
        Self::FPS_48,
        Self::FPS_50,
        Self::FPS_59_94,
        Self::FPS_59_94_DF,
        Self::FPS_60,
        Self::FPS_60_DF,
        Self::FPS_100,
        Self::FPS_119_88,
        Self::FPS_119_88_DF,
        Self::FPS_120,
    ];

    /// Returns the number of frames per [`denominator`](Self::denominator) seconds.
    #[must_use]
    pub fn numerator(self) -> u32 {
        if self.ntsc {
            self.nominal * 1000
        } else {
            self.nominal
        }
    }

    /// Returns the duration of [`numerator`](Self::numerator) frames in seconds: 1001 or 1.
    #[must_use]
    pub fn denominator(self) -> u32 {
        if self.ntsc { 1001 } else { 1 }
    }

    /// Returns true if labels are skipped to keep up with the clock.
    #[must_use]
    pub fn is_drop_frame(self) -> bool {
        self.drop
    }

    /// Returns the number of labels per second.
    pub(super) fn nominal(self) -> u32 {
        self.nominal
    }

    /// Returns the number of labels skipped at the start of every minute not divisible by ten.
    pub(super) fn dropped(self) -> u32 {
        if self.drop { self.nominal / 15 } else { 0 }
    }

    /// Returns the separator before the frames.
    pub(super) fn separator(self) -> char {
        if self.drop { ';' } else { ':' }
    }

    /// Returns the rate of the same speed with drop-frame if this one has none, and without it otherwise.
    fn other_labels(self) -> Option<Self> {
        let is_other = |rate: &Self| {
            rate.nominal == self.nominal && rate.ntsc == self.ntsc && rate.drop != self.drop
        };
        Self::ALL.into_iter().find(is_other)
    }

    /// Returns the number of picture frames in 24 hours of labels.
    #[must_use]
    pub fn day(self) -> u64 {
        24 * 6 * u64::from(600 * self.nominal - 9 * self.dropped())
    }

    /// Returns the audio frame nearest to the start of a picture frame, halves rounded up;
    /// saturates.
    #[must_use]
    pub fn frames(self, number: u64, audio: SampleRate) -> Frames {
        Frames(self.exact_frames(number, audio).nearest())
    }

    /// Returns the exact start of a picture frame in audio frames.
    pub(super) fn exact_frames(self, number: u64, audio: SampleRate) -> ExactFrames {
        let exact = u128::from(number) * u128::from(self.denominator()) * u128::from(audio.hz());
        ExactFrames::new(exact, u128::from(self.numerator()))
    }

    /// Returns the distance of the nearest audio frame from the exact start.
    pub(super) fn rounding(self, number: u64, audio: SampleRate) -> f64 {
        let rest = self.remainder(number, audio);
        // Less than the numerator, which is a `u32`, so the conversion cannot fail.
        let rest = u32::try_from(rest).unwrap_or_default();
        let part = f64::from(rest) / f64::from(self.numerator());
        match rest {
            0 => 0.0,
            _ if 2 * rest >= self.numerator() => 1.0 - part,
            _ => -part,
        }
    }

    /// Returns how far after a whole audio frame a picture frame starts, in units of 1/numerator of an audio frame.
    fn remainder(self, number: u64, audio: SampleRate) -> u128 {
        let exact = u128::from(number) * u128::from(self.denominator()) * u128::from(audio.hz());
        exact % u128::from(self.numerator())
    }

    /// Returns the picture frame shown at an audio frame, counted from midnight of its day, and the
    /// audio frame at which it starts.
    pub(super) fn seen_at(self, at: Frames, audio: SampleRate) -> (u64, Frames) {
        let (num, den) = (u128::from(self.numerator()), u128::from(self.denominator()));
        let step = den * u128::from(audio.hz());
        // Picture frame n starts at `(2 n step + num) / 2 num`, rounded down. The last one that starts
        // at or before audio frame `at` is the largest n with `2 n step < (2 at + 1) num`. n may exceed
        // 64 bits for very late audio frames, but everything fits in 128 bits.
        let start = |number: u128| (2 * number * step + num) / (2 * num);
        let number = ((2 * u128::from(at.0) + 1) * num).div_ceil(2 * step) - 1;
        // Less than a day, so the conversion cannot fail.
        let of_day = u64::try_from(number % u128::from(self.day())).unwrap_or_default();
        (of_day, Frames(saturating_u64(start(number))))
    }

    fn base_name(self) -> &'static str {
        match (self.nominal, self.ntsc) {
            (24, true) => "23.976",
            (30, true) => "29.97",
            (48, true) => "47.952",
            (60, true) => "59.94",
            (120, true) => "119.88",
            (24, _) => "24",
            (25, _) => "25",
            (30, _) => "30",
            (48, _) => "48",
            (50, _) => "50",
            (60, _) => "60",
            (100, _) => "100",
            _ => "120",
        }
    }
}

impl fmt::Display for FrameRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}{}",
            self.base_name(),
            if self.drop { "df" } else { "" }
        )
    }
}

/// Error: the name is not that of a frame rate. The message names the rate that is probably meant, or lists all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownFrameRate(String);

impl UnknownFrameRate {
    /// Returns the rate that is probably meant: of a number with fewer digits, such as `23.97`, or with other words after it,
    /// such as `29.97 df` or `25 fps`.
    fn meant(&self) -> Option<FrameRate> {
        let text = self.0.trim();
        let is_digit = |c: char| c.is_ascii_digit() || c == '.';
        let digits = text.find(|c| !is_digit(c)).unwrap_or(text.len());
        let (number, words) = text.split_at_checked(digits)?;
        let stated = number.parse::<f64>().ok()?;
        let words = words.to_lowercase();
        let mut words = words.split(|c: char| !c.is_alphanumeric());
        let is_drop = words.clone().any(|word| word.starts_with('d'))
            && !words.any(|word| word.starts_with("no"));
        let nearest = |is_drop: bool| {
            FrameRate::ALL
                .into_iter()
                .filter(|rate| rate.drop == is_drop)
                .filter_map(|rate| {
                    Some(((rate.base_name().parse::<f64>().ok()? - stated).abs(), rate))
                })
                .filter(|(distance, _)| *distance < 0.02)
                .min_by(|a, b| a.0.total_cmp(&b.0))
                .map(|(_, rate)| rate)
        };
        nearest(is_drop).or_else(|| nearest(!is_drop))
    }
}

impl fmt::Display for UnknownFrameRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no such frame rate: {:?}; ", self.0)?;
        if let Some(rate) = self.meant() {
            return write!(f, "did you mean \"{rate}\"?");
        }
        let all: Vec<String> = FrameRate::ALL.iter().map(ToString::to_string).collect();
        write!(f, "there are {}", all.join(", "))
    }
}

impl std::error::Error for UnknownFrameRate {}

impl FromStr for FrameRate {
    type Err = UnknownFrameRate;

    /// `23.976`, `24`, `29.97df` and so on; `23.98` is 23.976.
    fn from_str(name: &str) -> Result<Self, UnknownFrameRate> {
        let wanted = if name == "23.98" { "23.976" } else { name };
        let found = Self::ALL
            .into_iter()
            .find(|rate| rate.to_string() == wanted);
        found.ok_or_else(|| UnknownFrameRate(name.to_owned()))
    }
}

/// Parses the four numbers of `hh:mm:ss:ff`, and checks the separator before the frames.
pub(super) fn parse_label(text: &str, rate: FrameRate) -> Result<[u32; 4], NotATimecode> {
    let label = text.trim();
    let no = || {
        NotATimecode(format!(
            "{text:?} is no timecode, like 01:02:40{}00",
            rate.separator()
        ))
    };
    let (clock, frames) = label.rsplit_once([':', ';']).ok_or_else(no)?;
    let number = |part: &str| {
        let plain = !part.is_empty() && part.len() <= 3 && part.bytes().all(|b| b.is_ascii_digit());
        part.parse().ok().filter(|_| plain).ok_or_else(no)
    };
    let clock = clock
        .split(':')
        .map(number)
        .collect::<Result<Vec<u32>, _>>()?;
    let (&[h, m, s], f) = (clock.as_slice(), number(frames)?) else {
        return Err(no());
    };
    let written = label
        .as_bytes()
        .get(label.len() - frames.len() - 1)
        .copied()
        .map(char::from);
    if written == Some(rate.separator()) {
        return Ok([h, m, s, f]);
    }
    let right = format!("{h:02}:{m:02}:{s:02}{}{f:02}", rate.separator());
    let or = rate
        .other_labels()
        .map_or_else(String::new, |other| format!(", or set fps = \"{other}\""));
    Err(NotATimecode(if rate.is_drop_frame() {
        format!(
            "{text:?} has no ; before the frames, but {rate} fps is drop-frame: write {right}{or}"
        )
    } else {
        format!("{text:?} has the ; of drop-frame, but {rate} fps has none: write {right}{or}")
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_rate_suggests_the_one_of_its_number_and_labels() {
        for (stated, meant) in [
            ("23.97", "23.976"),
            ("29.97 df", "29.97df"),
            ("29.97DF", "29.97df"),
            ("29.97 drop", "29.97df"),
            ("29.97-drop", "29.97df"),
            ("29.97ndf", "29.97"),
            ("29.97 non-drop", "29.97"),
            ("30 df", "30df"),
            ("25 fps", "25"),
            // 24 has no drop-frame.
            ("24df", "24"),
        ] {
            assert_eq!(
                stated.parse::<FrameRate>().unwrap_err().to_string(),
                format!("no such frame rate: {stated:?}; did you mean {meant:?}?")
            );
        }
        for stated in ["film", "", "26", "df", "29.9.7"] {
            let unknown = stated.parse::<FrameRate>().unwrap_err();
            assert_eq!(unknown.meant(), None, "{unknown}");
        }
        assert_eq!(
            UnknownFrameRate("film".into())
                .to_string()
                .split(", ")
                .next(),
            Some("no such frame rate: \"film\"; there are 23.976")
        );
    }
}
