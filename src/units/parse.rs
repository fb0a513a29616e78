//! Parses numbers as written in session files and on the command line.

use super::{Decibels, ExactFrames, Frames, Pan, SampleRate};
use std::{fmt, str::FromStr};

/// Error: the text is not a number of the expected unit. The message states what is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotANumber {
    text: String,
    wanted: &'static str,
}

impl fmt::Display for NotANumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no {}", self.text, self.wanted)
    }
}

impl std::error::Error for NotANumber {}

fn not_a_number<T>(text: &str, wanted: &'static str) -> Result<T, NotANumber> {
    Err(NotANumber {
        text: text.to_owned(),
        wanted,
    })
}

impl FromStr for Decibels {
    type Err = NotANumber;

    /// Parses `-3`, `+1.5`, `-3 dB`, `-inf`.
    ///
    /// ```
    /// use soundtrack::Decibels;
    /// assert_eq!("-2.5dB".parse(), Ok(Decibels(-2.5)));
    /// assert_eq!("-inf".parse(), Ok(Decibels::SILENCE));
    /// assert!("nan".parse::<Decibels>().is_err());
    /// ```
    fn from_str(text: &str) -> Result<Self, NotANumber> {
        let number = text.trim();
        let number = number.strip_suffix("dB").unwrap_or(number).trim_end();
        match number.parse::<f64>() {
            Ok(db) if db.is_finite() || db == f64::NEG_INFINITY => Ok(Self(db)),
            _ => not_a_number(text, "level in dB, like -3 or -inf"),
        }
    }
}

impl FromStr for Pan {
    type Err = NotANumber;

    /// Parses `C`, `L30`, `R100` (percent), or a number from −1 to 1.
    ///
    /// ```
    /// use soundtrack::Pan;
    /// assert_eq!("L30".parse(), Ok(Pan(-0.3)));
    /// assert_eq!("0.5".parse(), Ok(Pan(0.5)));
    /// assert!("R101".parse::<Pan>().is_err());
    /// ```
    fn from_str(text: &str) -> Result<Self, NotANumber> {
        let position = text.trim();
        let percent = |number: &str, side: f64| {
            let plain = number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
            number
                .parse::<f64>()
                .ok()
                .filter(|p| plain && *p <= 100.0)
                .map(|p| side * p / 100.0)
        };
        let pan = match position.split_at_checked(1) {
            Some(("C" | "c", "")) => Some(0.0),
            Some(("L" | "l", number)) => percent(number, -1.0),
            Some(("R" | "r", number)) => percent(number, 1.0),
            _ => position.parse().ok().filter(|p| (-1.0..=1.0).contains(p)),
        };
        pan.map_or_else(
            || not_a_number(text, "pan position, like C, L30, R100 or -0.3"),
            |p| Ok(Self(p)),
        )
    }
}

impl Frames {
    /// Parses a position or length: `12.5s`, `2m20s`, `1h`, `250ms`, or whole frames at a rate, `4410 frames` or `4410`.
    /// Times are rounded to the nearest frame, halves up, from the exact decimal number.
    ///
    /// # Errors
    /// [`NotANumber`] for any other text.
    ///
    /// ```
    /// use soundtrack::{Frames, SampleRate};
    /// let rate = SampleRate::HZ_44100;
    /// assert_eq!(Frames::parse("2m20.5s", rate), Ok(Frames(140 * 44_100 + 22_050)));
    /// assert_eq!(Frames::parse("250ms", rate), Ok(Frames(11_025)));
    /// assert_eq!(Frames::parse("4410 frames", rate), Ok(Frames(4410)));
    /// assert_eq!(Frames::parse("1 frame", rate), Ok(Frames(1)));
    /// assert_eq!(Frames::parse("4410", rate), Ok(Frames(4410)));
    /// assert!(Frames::parse("4.5", rate).is_err());
    /// ```
    pub fn parse(text: &str, rate: SampleRate) -> Result<Self, NotANumber> {
        let wanted = "time, like 12.5s, 2m20s, 250ms or 12000 frames";
        let trimmed = text.trim();
        let number = trimmed
            .strip_suffix("frame")
            .or(trimmed.strip_suffix("frames"));
        let number = number.map(str::trim_end);
        let trimmed = number.unwrap_or(trimmed);
        if number.is_some_and(|n| n.is_empty() || !n.bytes().all(|b| b.is_ascii_digit())) {
            return not_a_number(text, wanted);
        }
        if !trimmed.is_empty() && trimmed.bytes().all(|b| b.is_ascii_digit()) {
            return trimmed
                .parse()
                .map_or_else(|_| not_a_number(text, wanted), |n| Ok(Self(n)));
        }
        match ExactFrames::parse(trimmed, rate) {
            Some(exact) if exact.nearest() < u64::MAX => Ok(Self(exact.nearest())),
            _ => not_a_number(text, wanted),
        }
    }
}

impl ExactFrames {
    /// Parses a time such as `2m20.5s` without rounding; `None` for any other text, including a
    /// number of frames.
    pub(crate) fn parse(text: &str, rate: SampleRate) -> Option<Self> {
        let scaled = picoseconds(text.trim())?.saturating_mul(u128::from(rate.hz()));
        Some(Self::new(scaled, PICOSECONDS))
    }
}

/// Picoseconds per second. Nine decimals of a millisecond are whole picoseconds.
pub(crate) const PICOSECONDS: u128 = 1_000_000_000_000;

/// Returns the picoseconds of a time such as `1h2m3.5s`: units in falling order, each at most once,
/// only the last with a fraction.
fn picoseconds(text: &str) -> Option<u128> {
    let units: [(&str, u128); 4] = [
        ("h", 3600 * PICOSECONDS),
        ("m", 60 * PICOSECONDS),
        ("s", PICOSECONDS),
        ("ms", PICOSECONDS / 1000),
    ];
    let mut rest = text;
    let mut total = 0u128;
    let mut next = 0;
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(number_end);
        let unit_end = after
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let index = units
            .iter()
            .position(|(name, _)| *name == unit)
            .filter(|i| *i >= next)?;
        let (_, size) = units.get(index)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let fractional = number.contains('.');
        let well_formed =
            !whole.is_empty() && (fractional != fraction.is_empty()) && fraction.len() <= 9;
        if !well_formed || (fractional && !after.is_empty()) || whole.len() > 12 {
            return None;
        }
        let parts = fraction
            .parse::<u128>()
            .ok()
            .or(fraction.is_empty().then_some(0))?;
        let scale = 10u128.pow(u32::try_from(fraction.len()).ok()?);
        total += whole.parse::<u128>().ok()? * size + parts * size / scale;
        (rest, next) = (after, index + 1);
    }
    (next > 0).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_exact_decimals() {
        let rate = SampleRate::HZ_48000;
        let frames = |text: &str| Frames::parse(text, rate).map(|f| f.0).ok();
        assert_eq!(frames("0.1s"), Some(4800));
        assert_eq!(frames("1h1m1s"), Some(3661 * 48_000));
        assert_eq!(frames("1m500ms"), Some(60 * 48_000 + 24_000));
        assert_eq!(frames(" 12s "), Some(576_000));
        assert_eq!(frames("0.000010416s"), Some(0));
        assert_eq!(frames("0.000010417s"), Some(1));
        // Half a frame is 125/12 µs: the seventh digit of a millisecond decides.
        assert_eq!(frames("0.010416666ms"), Some(0));
        assert_eq!(frames("0.010416667ms"), Some(1));
        for bad in [
            "",
            "s",
            "1",
            "-1s",
            "1.s",
            ".5s",
            "1s2m",
            "1s1s",
            "1.5m2s",
            "1e3s",
            "1x",
            "99999999999999h",
            "1 s",
        ] {
            let whole = bad == "1";
            assert_eq!(frames(bad), whole.then_some(1), "{bad}");
        }
    }

    #[test]
    fn pans_and_levels() {
        for (text, pan) in [
            ("C", 0.0),
            ("L0", 0.0),
            ("L100", -1.0),
            ("r25", 0.25),
            ("-0.5", -0.5),
            ("1", 1.0),
        ] {
            assert_eq!(text.parse::<Pan>().unwrap().0, pan, "{text}");
        }
        for bad in ["", "L", "L-3", "X3", "2", "nan", "L1e1", "inf", "é"] {
            assert!(bad.parse::<Pan>().is_err(), "{bad}");
        }
        for bad in ["", "dB", "inf", "NaN", "3 dBFS", "--3"] {
            assert!(bad.parse::<Decibels>().is_err(), "{bad}");
        }
    }
}
