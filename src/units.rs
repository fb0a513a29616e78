//! Numbers with units.
//!
//! Positions and lengths are whole [`Frames`]. Levels are [`Decibels`] (relative), [`Gain`]
//! (linear), or measured: [`Dbfs`], [`Dbtp`], [`Lufs`]. Arithmetic on frames saturates, so
//! positions never wrap.

mod exact_frames;
mod parse;
#[cfg(feature = "serde")]
mod serialized;

pub(crate) use exact_frames::ExactFrames;
#[cfg(feature = "session-file")]
pub(crate) use exact_frames::gcd;
pub use parse::NotANumber;
pub(crate) use parse::PICOSECONDS;

use crate::error::{Error, ErrorKind, Result};
use std::{
    fmt,
    ops::{Add, AddAssign, Sub},
    time::Duration,
};

/// Position or length in frames (one sample of every channel).
///
/// ```
/// use soundtrack::{Frames, SampleRate};
/// use std::time::Duration;
/// let t = Frames::from_duration(Duration::from_millis(2500), SampleRate::HZ_48000);
/// assert_eq!(t, Frames(120_000));
/// assert_eq!(Frames(3) - Frames(5), Frames(0)); // saturates
/// assert_eq!(t.clock(SampleRate::HZ_48000), "00:00:02.500");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Frames(pub u64);

impl Frames {
    /// Zero frames: the start.
    pub const ZERO: Self = Self(0);
    /// Maximum, longer than any session.
    pub const MAX: Self = Self(u64::MAX);

    /// Returns the frame nearest to a time, halves rounded up; saturates.
    #[must_use]
    pub fn from_duration(time: Duration, rate: SampleRate) -> Self {
        let (numerator, denominator) = rate.fraction();
        let scaled = time.as_nanos().saturating_mul(u128::from(numerator));
        let second = 1_000_000_000 * u128::from(denominator);
        Self(saturating_u64(scaled.saturating_add(second / 2) / second))
    }

    /// Returns the time of this frame, rounded down to the nanosecond.
    #[must_use]
    pub fn to_duration(self, rate: SampleRate) -> Duration {
        const SECOND: u128 = 1_000_000_000;
        let (numerator, denominator) = rate.fraction();
        let nanos = u128::from(self.0) * u128::from(denominator) * SECOND / u128::from(numerator);
        let seconds = saturating_u64(nanos / SECOND);
        // Less than a second, so the conversion cannot fail.
        let subsec = u32::try_from(nanos % SECOND).unwrap_or(0);
        Duration::new(seconds, subsec)
    }

    /// Formats the time of this frame as `hh:mm:ss.mmm`, rounded down to the millisecond.
    #[must_use]
    pub fn clock(self, rate: SampleRate) -> String {
        let time = self.to_duration(rate);
        let s = time.as_secs();
        format!(
            "{:02}:{:02}:{:02}.{:03}",
            s / 3600,
            s / 60 % 60,
            s % 60,
            time.subsec_millis()
        )
    }

    /// Returns the number of frames at rate `to` that lie entirely within this length at rate
    /// `from`: `floor(n * to / from)`, saturating.
    pub(crate) fn resampled_down(self, from: SampleRate, to: SampleRate) -> Self {
        let (numerator, denominator) = SampleRate::ratio(from, to);
        let n = u128::from(self.0).saturating_mul(numerator) / denominator;
        Self(saturating_u64(n))
    }

    /// Returns the number of frames at rate `to` that cover this length at rate `from`: `ceil(n *
    /// to / from)`, saturating.
    #[must_use]
    pub fn resampled(self, from: SampleRate, to: SampleRate) -> Self {
        let (numerator, denominator) = SampleRate::ratio(from, to);
        let n = (u128::from(self.0).saturating_mul(numerator)).div_ceil(denominator);
        Self(saturating_u64(n))
    }
}

impl Add for Frames {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Frames {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Frames {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Frames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Sample rate in hertz, 1 to 768,000.
///
/// The rate of a session is a whole number. That of a stem need not be: AIFF and CAF store it as a
/// floating-point number, such as the 22,254.545… Hz of early Macintosh computers, or 48,000 /
/// 1.001 Hz.
///
/// ```
/// use soundtrack::SampleRate;
/// assert_eq!(SampleRate::new(96_000)?.hz(), 96_000);
/// assert!(SampleRate::new(0).is_err());
/// # Ok::<(), soundtrack::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SampleRate {
    // Fraction in lowest terms.
    numerator: u32,
    denominator: u32,
}

impl SampleRate {
    /// 44,100 Hz, the rate of compact discs.
    pub const HZ_44100: Self = Self::whole(44_100);
    /// 48,000 Hz, the rate of film and video.
    pub const HZ_48000: Self = Self::whole(48_000);
    /// 88,200 Hz.
    pub const HZ_88200: Self = Self::whole(88_200);
    /// 96,000 Hz.
    pub const HZ_96000: Self = Self::whole(96_000);
    /// 192,000 Hz.
    pub const HZ_192000: Self = Self::whole(192_000);
    /// Maximum supported rate.
    pub const MAX: Self = Self::whole(768_000);

    /// Common rates up to 192 kHz, ascending.
    const COMMON: [u32; 13] = [
        8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000,
        176_400, 192_000,
    ];

    const fn whole(hz: u32) -> Self {
        Self {
            numerator: hz,
            denominator: 1,
        }
    }

    /// Returns a rate in hertz.
    ///
    /// # Errors
    /// `Unsupported` outside 1 to 768,000.
    pub fn new(hz: u32) -> Result<Self> {
        if (1..=Self::MAX.numerator).contains(&hz) {
            Ok(Self::whole(hz))
        } else {
            Err(Error::new(
                ErrorKind::Unsupported,
                format!("sample rate {hz} Hz is outside 1 to 768000 Hz"),
            ))
        }
    }

    /// Returns the simplest fraction that equals a rate to twelve digits. Programs round a fraction
    /// to the number format of the file; over a day the difference is less than a hundredth of a
    /// frame.
    ///
    /// # Errors
    /// `Unsupported` outside 1 to 768,000 and for NaN.
    pub(crate) fn from_f64(hz: f64) -> Result<Self> {
        const TOLERANCE: f64 = 1e-12;
        if !(1.0..=f64::from(Self::MAX.numerator)).contains(&hz) {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("sample rate {hz} Hz is outside 1 to 768000 Hz"),
            ));
        }
        // Convergents of the continued fraction. If none is within the tolerance, the last one that
        // fits is close enough for any rate.
        let (mut before, mut last) = ((0u32, 1u32), (1u32, 0u32));
        let mut rest = hz;
        while let Some(next) = convergent(rest, before, last) {
            (before, last) = (last, next);
            let value = f64::from(last.0) / f64::from(last.1);
            if (value - hz).abs() <= hz * TOLERANCE {
                break;
            }
            rest = (rest - rest.floor()).recip();
        }
        Ok(Self {
            numerator: last.0,
            denominator: last.1,
        })
    }

    /// Returns the rate in hertz, rounded down to a whole number.
    #[must_use]
    pub fn hz(self) -> u32 {
        self.numerator / self.denominator
    }

    /// Returns true if the rate is a whole number of hertz, as the rate of a session must be.
    #[must_use]
    pub fn is_whole(self) -> bool {
        self.denominator == 1
    }

    /// Returns this rate if it is whole, otherwise the next common rate above it, for a session
    /// with such stems.
    #[must_use]
    pub fn to_whole(self) -> Self {
        if self.is_whole() {
            return self;
        }
        let mut common = Self::COMMON.into_iter().map(Self::whole);
        common.find(|rate| *rate > self).unwrap_or(Self::MAX)
    }

    /// Returns the rate that a text probably means: a rate in hertz, or a common one in kilohertz; `None` for any other text.
    ///
    /// A number below 1000 without a unit is taken for kilohertz, of which digits may be left out.
    ///
    /// ```
    /// use soundtrack::SampleRate;
    /// for text in ["48", "48k", "48 kHz", "48000", "48000 Hz"] {
    ///     assert_eq!(SampleRate::meant_by(text), Some(SampleRate::HZ_48000));
    /// }
    /// assert_eq!(SampleRate::meant_by("44"), Some(SampleRate::HZ_44100));
    /// assert_eq!(SampleRate::meant_by("47"), None);
    /// ```
    #[must_use]
    pub fn meant_by(text: &str) -> Option<Self> {
        let text = text.trim();
        let digits = text
            .find(|c: char| !(c.is_ascii_digit() || c == '.'))
            .unwrap_or(text.len());
        let (number, unit) = text.split_at_checked(digits)?;
        let number = number.parse::<f64>().ok()?;
        let is_kilohertz = match unit.trim().to_ascii_lowercase().as_str() {
            "k" | "khz" => true,
            "" => number < 1000.0,
            "hz" => false,
            _ => return None,
        };
        if !is_kilohertz {
            return Self::from_f64(number).ok().filter(|rate| rate.is_whole());
        }
        let mut common = Self::COMMON.into_iter().map(Self::whole);
        common.find(|rate| {
            let kilohertz = rate.as_f64() / 1000.0;
            kilohertz.to_bits() == number.to_bits()
                || kilohertz.floor().to_bits() == number.to_bits()
        })
    }

    /// Returns the rate in hertz as a fraction in lowest terms.
    pub(crate) fn fraction(self) -> (u32, u32) {
        (self.numerator, self.denominator)
    }

    /// Returns the rate in hertz.
    pub(crate) fn as_f64(self) -> f64 {
        f64::from(self.numerator) / f64::from(self.denominator)
    }

    /// Returns `to / from` as a fraction.
    fn ratio(from: Self, to: Self) -> (u128, u128) {
        let product = |a: u32, b: u32| u128::from(a) * u128::from(b);
        (
            product(to.numerator, from.denominator),
            product(from.numerator, to.denominator),
        )
    }
}

/// Converts a number of frames or bytes to `usize`, saturating on targets where `usize` has 32
/// bits.
///
/// For counts that are then limited to the length of a buffer, or used as an index that may be out
/// of range: the saturated value exceeds the length of every buffer, as the exact one does.
pub(crate) fn saturating_usize(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// Converts a position computed in 128 bits to 64 bits, saturating like all arithmetic on frames.
pub(crate) fn saturating_u64(position: u128) -> u64 {
    u64::try_from(position).unwrap_or(u64::MAX)
}

/// Returns the next convergent of a continued fraction, if it is a fraction of 32-bit numbers.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positive, and checked to be in range"
)]
fn convergent(rest: f64, before: (u32, u32), last: (u32, u32)) -> Option<(u32, u32)> {
    let whole = (rest < f64::from(u32::MAX)).then_some(rest.floor() as u32)?;
    let next = |before: u32, last: u32| whole.checked_mul(last)?.checked_add(before);
    Some((next(before.0, last.0)?, next(before.1, last.1)?))
}

impl Ord for SampleRate {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let product = |a: u32, b: u32| u64::from(a) * u64::from(b);
        product(self.numerator, other.denominator).cmp(&product(other.numerator, self.denominator))
    }
}

impl PartialOrd for SampleRate {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for SampleRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SampleRate({self})")
    }
}

impl fmt::Display for SampleRate {
    /// Formats the rate in hertz with up to six decimals.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_whole() {
            return self.numerator.fmt(f);
        }
        let text = format!("{:.6}", self.as_f64());
        f.pad(text.trim_end_matches('0'))
    }
}

/// Relative level in decibels: `20 log10` of a linear factor. Minus infinity is exact silence.
///
/// ```
/// use soundtrack::{Decibels, Gain};
/// assert_eq!(Decibels::SILENCE.gain(), Gain(0.0));
/// assert_eq!(Decibels::UNITY.gain(), Gain(1.0));
/// assert!((Decibels(-6.0).gain().0 - 0.501_187_233_627_272_2).abs() < 1e-15);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Decibels(pub f64);

impl Decibels {
    /// 0 dB: passes samples bit for bit.
    pub const UNITY: Self = Self(0.0);
    /// Minus infinity: exactly 0.0.
    pub const SILENCE: Self = Self(f64::NEG_INFINITY);

    /// Returns the linear factor `10^(dB/20)`, bit-equal on every machine. NaN and plus infinity
    /// are preserved; compiling a session refuses them.
    #[must_use]
    pub fn gain(self) -> Gain {
        if self.0 == 0.0 {
            Gain(1.0)
        } else {
            Gain(libm::pow(10.0, self.0 / 20.0))
        }
    }
}

impl Default for Decibels {
    fn default() -> Self {
        Self::UNITY
    }
}

impl fmt::Display for Decibels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_level(f, self.0, "dB")
    }
}

/// Linear factor, not negative. Polarity is a separate switch.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Gain(pub f64);

impl Gain {
    /// Factor 1: passes samples bit for bit.
    pub const UNITY: Self = Self(1.0);
    /// Factor 0: exactly 0.0.
    pub const SILENCE: Self = Self(0.0);

    /// Returns the level in decibels, `20 log10` of the factor: minus infinity for 0, NaN for
    /// negative factors.
    ///
    /// ```
    /// use soundtrack::{Decibels, Gain};
    /// assert_eq!(Gain(10.0).decibels(), Decibels(20.0));
    /// ```
    #[must_use]
    pub fn decibels(self) -> Decibels {
        Decibels(20.0 * libm::log10(self.0))
    }
}

/// Pan position from −1 (left) to +1 (right); 0 is the centre. The session's pan law converts it to
/// gains.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Pan(pub f64);

impl Pan {
    /// Hard left.
    pub const LEFT: Self = Self(-1.0);
    /// Centre.
    pub const CENTRE: Self = Self(0.0);
    /// Hard right.
    pub const RIGHT: Self = Self(1.0);
}

impl fmt::Display for Pan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = self.0.abs() * 100.0;
        match self.0 {
            0.0 => f.pad("C"),
            x if x < 0.0 => f.pad(&format!("L{percent:.0}")),
            _ => f.pad(&format!("R{percent:.0}")),
        }
    }
}

/// Measured level in decibels relative to full scale (1.0). Silence is minus infinity.
///
/// ```
/// use soundtrack::Dbfs;
/// assert_eq!(Dbfs::from_amplitude(0.5).to_string(), "-6.02 dBFS");
/// assert_eq!(Dbfs::from_amplitude(0.0).to_string(), "-inf dBFS");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Dbfs(pub f64);

impl Dbfs {
    /// Converts an absolute sample value, 1.0 for full scale.
    #[must_use]
    pub fn from_amplitude(amplitude: f64) -> Self {
        Self(20.0 * libm::log10(amplitude))
    }
}

impl fmt::Display for Dbfs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_level(f, self.0, "dBFS")
    }
}

/// Measured true peak in decibels relative to full scale (1.0), including values between the
/// samples (BS.1770-5 Annex 2).
///
/// ```
/// use soundtrack::Dbtp;
/// assert_eq!(Dbtp::from_amplitude(1.0).to_string(), "0.00 dBTP");
/// assert_eq!(Dbtp(-1.0).value(), 10f64.powf(-0.05));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Dbtp(pub f64);

impl Dbtp {
    /// Converts an absolute value, 1.0 for full scale.
    #[must_use]
    pub fn from_amplitude(amplitude: f64) -> Self {
        Self(20.0 * libm::log10(amplitude))
    }

    /// Returns the absolute value of the level, bit-equal on every machine.
    #[must_use]
    pub fn value(self) -> f64 {
        Decibels(self.0).gain().0
    }
}

impl fmt::Display for Dbtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_level(f, self.0, "dBTP")
    }
}

/// Measured loudness in LUFS, called LKFS in BS.1770-5. Differences of loudness are plain numbers
/// in LU.
///
/// ```
/// use soundtrack::Lufs;
/// assert_eq!(format!("{:.1}", Lufs(-23.0)), "-23.0 LUFS");
/// assert!((Lufs::of_power(0.5).0 + 3.701).abs() < 1e-3);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Lufs(pub f64);

impl Lufs {
    /// Returns the loudness of a weighted mean square: `-0.691 + 10 log10(power)`.
    #[must_use]
    pub fn of_power(power: f64) -> Self {
        Self(-0.691 + 10.0 * libm::log10(power))
    }

    /// Returns the weighted mean square of a loudness, bit-equal on every machine.
    #[must_use]
    pub fn power(self) -> f64 {
        libm::pow(10.0, (self.0 + 0.691) / 10.0)
    }
}

impl fmt::Display for Lufs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_level(f, self.0, "LUFS")
    }
}

/// Formats a level: `+1.50 dB`, `0.00 dB`, `-inf dB`. Uses the precision of the formatter, 2 by
/// default.
fn write_level(f: &mut fmt::Formatter<'_>, level: f64, unit: &str) -> fmt::Result {
    let digits = f.precision().unwrap_or(2);
    if level == f64::NEG_INFINITY {
        return write!(f, "-inf {unit}");
    }
    let text = format!("{level:+.digits$}");
    // A value that rounds to zero gets no sign.
    if text.bytes().any(|b| matches!(b, b'1'..=b'9')) {
        write!(f, "{text} {unit}")
    } else {
        write!(f, "{} {unit}", &text.get(1..).unwrap_or(&text))
    }
}

/// The place of an error in the audio of its file.
impl Error {
    /// States the frame of the file, at its own rate, for [`position`](Self::position). The message should name it already.
    #[must_use]
    pub fn at_frame(mut self, frame: Frames) -> Self {
        self.place.frame = Some(frame.0);
        self
    }

    /// Returns the frame of the [`file`](Self::file) at which the error occurred, at the file's own rate; `None` where it
    /// has no place in the audio.
    #[must_use]
    pub fn position(&self) -> Option<Frames> {
        self.place.frame.map(Frames)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_and_frames_convert_exactly_at_awkward_rates() {
        let rate = SampleRate::HZ_44100;
        for n in [0, 1, 44_099, 44_100, 1_000_003, 44_100 * 3600 * 24] {
            let there = Frames(n).to_duration(rate);
            assert_eq!(
                Frames::from_duration(there + Duration::from_nanos(1), rate),
                Frames(n)
            );
        }
        assert_eq!(
            Frames::from_duration(Duration::MAX, SampleRate::MAX),
            Frames::MAX
        );
    }

    #[test]
    fn resampled_length_is_the_exact_ceiling() {
        let (a, b) = (SampleRate::HZ_44100, SampleRate::HZ_48000);
        assert_eq!(Frames(441).resampled(a, b), Frames(480));
        assert_eq!(Frames(1).resampled(a, b), Frames(2));
        assert_eq!(Frames(0).resampled(a, b), Frames(0));
        assert_eq!(Frames(u64::MAX).resampled(a, b), Frames::MAX);
    }

    #[test]
    fn rates_that_are_not_whole_are_the_simplest_fraction() {
        for (hz, fraction) in [
            (48_000.0, (48_000, 1)),
            (22_254.545_454_545_45, (244_800, 11)),
            (11_127.272_727_272_727, (122_400, 11)),
            (48_000.0 / 1.001, (48_000_000, 1001)),
            (44_100.0 / 1.001, (6_300_000, 143)),
            (22_254.545, (4_450_909, 200)),
            (8_000.181_818, (1_928_727_271, 260_000)),
        ] {
            let rate = SampleRate::from_f64(hz).unwrap();
            assert!((rate.as_f64() - hz).abs() <= hz * 1e-12, "{hz}: {rate:?}");
            if fraction.1 < 2000 {
                assert_eq!(rate.fraction(), fraction);
            }
        }
        for hz in [f64::NAN, f64::INFINITY, -1.0, 0.0, 0.5, 768_000.5] {
            assert!(SampleRate::from_f64(hz).is_err(), "{hz}");
        }
        let mac = SampleRate::from_f64(244_800.0 / 11.0).unwrap();
        assert_eq!((mac.hz(), mac.is_whole()), (22_254, false));
        assert_eq!(
            (mac.to_string(), format!("{mac:?}")),
            ("22254.545455".into(), "SampleRate(22254.545455)".into())
        );
        assert_eq!(mac.to_whole(), SampleRate::new(24_000).unwrap());
        assert!(mac > SampleRate::new(22_254).unwrap() && mac < SampleRate::new(22_255).unwrap());
        // 244 800 frames are 11 seconds.
        assert_eq!(Frames(244_800).clock(mac), "00:00:11.000");
        assert_eq!(
            Frames::from_duration(Duration::from_secs(11), mac),
            Frames(244_800)
        );
        assert_eq!(
            Frames(244_801).resampled(mac, SampleRate::HZ_48000),
            Frames(528_003)
        );
        assert_eq!(
            Frames(244_801).resampled_down(mac, SampleRate::HZ_48000),
            Frames(528_002)
        );
        assert_eq!(
            Frames::MAX.resampled(SampleRate::new(1).unwrap(), mac),
            Frames::MAX
        );
    }

    #[test]
    fn levels_print_as_people_write_them() {
        assert_eq!(Decibels(-3.0).to_string(), "-3.00 dB");
        assert_eq!(format!("{:.1}", Decibels(0.0)), "0.0 dB");
        assert_eq!(format!("{:.1}", Decibels(-0.04)), "0.0 dB");
        assert_eq!(Pan(-0.2).to_string(), "L20");
        assert_eq!(Pan::CENTRE.to_string(), "C");
    }

    #[test]
    fn rates_that_are_not_whole_are_the_simplest_fractions() {
        let fraction = |hz: f64| {
            let rate = SampleRate::from_f64(hz).unwrap();
            (rate.numerator, rate.denominator)
        };
        assert_eq!(fraction(44_100.0), (44_100, 1));
        assert_eq!(fraction(44_100.0 / 1.001), (6_300_000, 143));
        assert_eq!(fraction(48_000.0 / 1.001), (48_000_000, 1001));
        assert_eq!(fraction(244_800.0 / 11.0), (244_800, 11));
    }
}
