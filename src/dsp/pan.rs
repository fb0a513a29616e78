//! Pan laws: convert a pan position to the gains of left and right.
//!
//! A mono signal is placed between left and right by the session's law. A signal that has sides already is balanced, whatever
//! the law: the gain of the far side falls, and the near side stays as it is.
//!
//! Each law is one function f: left gets f(1 − p), right gets f(p), with p from 0 at left to 1 at right. So the two sides are
//! exact mirrors, f(0) is exactly 0, and the centre has equal gains.

use crate::units::Pan;
use std::{f64::consts::FRAC_PI_2, f64::consts::SQRT_2, fmt, str::FromStr};

/// A pan law: the gains of left and right for a mono signal at a pan position.
///
/// ```
/// use soundtrack::{Pan, PanLaw};
/// let (l, r) = PanLaw::EqualPower.gains(Pan::CENTRE);
/// assert_eq!(l, r);
/// assert!((20.0 * l.log10() + 3.0103).abs() < 1e-4);
/// assert_eq!(PanLaw::EqualPower.gains(Pan::LEFT), (1.0, 0.0));
/// assert_eq!("balance".parse(), Ok(PanLaw::Balance));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PanLaw {
    /// `equal-power`: sin(pπ/2), −3 dB in the centre.
    #[default]
    EqualPower,
    /// `between`: √(p sin(pπ/2)), −4.5 dB in the centre.
    Between,
    /// `linear`: p, −6 dB in the centre.
    Linear,
    /// `square-root`: √p, −3 dB in the centre.
    SquareRoot,
    /// `balance`: min(1, 2p), 0 dB in the centre.
    Balance,
    /// `equal-power-unity`: √2 sin(pπ/2), 0 dB in the centre and +3 dB at the sides.
    EqualPowerUnity,
    /// `ardour`: p (sp + 1 − s) with s = 2 − 4·10^(−3/20), −3 dB in the centre.
    Ardour,
}

impl PanLaw {
    const NAMED: [(Self, &'static str); 7] = [
        (Self::EqualPower, "equal-power"),
        (Self::Between, "between"),
        (Self::Linear, "linear"),
        (Self::SquareRoot, "square-root"),
        (Self::Balance, "balance"),
        (Self::EqualPowerUnity, "equal-power-unity"),
        (Self::Ardour, "ardour"),
    ];

    /// Names of all laws.
    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
    pub(crate) const NAMES: &[&str] = &{
        let mut names = [""; Self::NAMED.len()];
        let mut index = 0;
        while index < names.len() {
            names[index] = Self::NAMED[index].1;
            index += 1;
        }
        names
    };

    /// Returns the gains of left and right.
    #[must_use]
    pub fn gains(self, pan: Pan) -> (f64, f64) {
        (
            self.side((1.0 - pan.0) / 2.0),
            self.side((1.0 + pan.0) / 2.0),
        )
    }

    fn side(self, p: f64) -> f64 {
        let sine = |p: f64| libm::sin(p * FRAC_PI_2);
        match self {
            Self::EqualPower => sine(p),
            Self::Between => libm::sqrt(p * sine(p)),
            Self::Linear => p,
            Self::SquareRoot => libm::sqrt(p),
            Self::Balance => f64::min(1.0, 2.0 * p),
            Self::EqualPowerUnity if p == 0.5 => 1.0,
            Self::EqualPowerUnity => SQRT_2 * sine(p),
            Self::Ardour => {
                const S: f64 = -0.831_783_137_536_551_6;
                p * (S * p + 1.0 - S)
            }
        }
    }
}

impl fmt::Display for PanLaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(
            Self::NAMED
                .iter()
                .find(|(l, _)| l == self)
                .map_or("", |(_, n)| n),
        )
    }
}

impl FromStr for PanLaw {
    type Err = UnknownPanLaw;

    fn from_str(name: &str) -> Result<Self, UnknownPanLaw> {
        Self::NAMED
            .iter()
            .find(|(_, n)| *n == name)
            .map(|(l, _)| *l)
            .ok_or(UnknownPanLaw)
    }
}

/// The error for a name that is no pan law.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownPanLaw;

impl fmt::Display for UnknownPanLaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such pan law; there are ")?;
        let (last, others) = PanLaw::NAMED
            .split_last()
            .map_or(("", &[][..]), |((_, n), o)| (n, o));
        others.iter().try_for_each(|(_, n)| write!(f, "{n}, "))?;
        write!(f, "{last}")
    }
}

impl std::error::Error for UnknownPanLaw {}

#[cfg(test)]
mod tests {
    use super::*;

    /// The figures of every law at the centre and a quarter from the left.
    #[test]
    #[expect(
        clippy::approx_constant,
        reason = "the figures are those of the table, to its digits"
    )]
    fn stated_figures() {
        let table = [
            (PanLaw::EqualPower, 0.70711, 0.92388, 0.38268),
            (PanLaw::Between, 0.59460, 0.83241, 0.30931),
            (PanLaw::Linear, 0.5, 0.75, 0.25),
            (PanLaw::SquareRoot, 0.70711, 0.86603, 0.5),
            (PanLaw::Balance, 1.0, 1.0, 0.5),
            (PanLaw::EqualPowerUnity, 1.0, 1.30656, 0.54120),
            (PanLaw::Ardour, 0.70795, 0.90596, 0.40596),
        ];
        for (law, centre, left, right) in table {
            let near = |a: f64, b: f64| (a - b).abs() < 6e-6;
            let (l, r) = law.gains(Pan::CENTRE);
            assert!(
                near(l, centre) && l.to_bits() == r.to_bits(),
                "{law}: {l} {r}"
            );
            let (l, r) = law.gains(Pan(-0.5));
            assert!(near(l, left) && near(r, right), "{law}: {l} {r}");
            let (l, r) = law.gains(Pan::RIGHT);
            assert_eq!(l, 0.0, "{law}");
            assert!(r >= 1.0 - 1e-15, "{law}");
            assert_eq!(law.to_string().parse(), Ok(law));
        }
    }

    /// The centre of the `ardour` law is ½ − s/4 = 10^(−3/20).
    #[test]
    fn the_centre_of_the_ardour_law_is_three_decibels_down() {
        let (left, right) = PanLaw::Ardour.gains(Pan::CENTRE);
        assert_eq!(left.to_bits(), right.to_bits());
        assert!((left - libm::pow(10.0, -0.15)).abs() < 2e-16, "{left}");
    }
}
