//! Channel layouts, and the conversion from one to another (ITU-R BS.775).
//!
//! Channels are always in WAVE order (ascending bits of the channel mask). A layout is stated by
//! the file or the session. If the format does not define it, it is never guessed from the number
//! of channels.
//!
//! **Folding.** A speaker that exists in both layouts passes at unity gain. Otherwise, with k = √½:
//!
//! - C → L, R at k
//! - Ls → L at k; into a layout with a single back centre: → Cs at k
//! - Lb → Ls at unity
//! - Cs → Ls, Rs at k; into a layout with Lb, Rb: → those at k
//! - Into mono: L, R, Cs at k; C at 1; Ls, Rs, Lb, Rb at ½
//! - LFE: dropped if the target has none, which the report states
//!
//! The result is not rescaled. A mono stem in a layout with L and R is placed by the pan law
//! instead.

use crate::units::SampleRate;
use std::{f64::consts::FRAC_1_SQRT_2, fmt};

/// Sample rate and channel layout of an audio stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Spec {
    /// Frames per second.
    pub rate: SampleRate,
    /// Channels and their order.
    pub layout: Layout,
}

/// Intended loudspeaker of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaker {
    /// Only channel of mono.
    Mono,
    Left,
    Right,
    Centre,
    Lfe,
    LeftBack,
    RightBack,
    CentreBack,
    /// Surround pair of quad, 5.x and 6.1, or side pair of 7.x.
    LeftSurround,
    RightSurround,
}

/// Side on which a speaker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Left,
    Right,
    Middle,
}

impl Speaker {
    /// Returns the usual abbreviation, such as `L` or `Ls`; `M` for mono.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Mono => "M",
            Left => "L",
            Right => "R",
            Centre => "C",
            Lfe => "LFE",
            LeftBack => "Lb",
            RightBack => "Rb",
            CentreBack => "Cs",
            LeftSurround => "Ls",
            RightSurround => "Rs",
        }
    }

    /// Returns the side for a balance control.
    pub(crate) fn side(self) -> Side {
        match self {
            Left | LeftBack | LeftSurround => Side::Left,
            Right | RightBack | RightSurround => Side::Right,
            Mono | Centre | Lfe | CentreBack => Side::Middle,
        }
    }

    /// Returns the speaker's gain for a panned mono signal, given the gains of left and right;
    /// `None` for speakers outside the front pair.
    pub(crate) fn pan(self, left: f64, right: f64) -> Option<f64> {
        match self {
            Left => Some(left),
            Right => Some(right),
            _ => None,
        }
    }
}

use Speaker::{
    Centre, CentreBack, Left, LeftBack, LeftSurround, Lfe, Mono, Right, RightBack, RightSurround,
};

/// Channel layout, with channels in WAVE order.
///
/// ```
/// use soundtrack::Layout;
/// assert_eq!(Layout::Surround51.channels(), 6);
/// assert_eq!("5.1".parse(), Ok(Layout::Surround51));
/// assert_eq!(Layout::from_mask(6, 0x60F), Layout::Surround51); // side and back variants are one
/// assert_eq!(Layout::from_mask(6, 0), Layout::Discrete(6)); // no positions: not guessed
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Layout {
    /// One channel
    Mono,
    /// L R
    Stereo,
    /// L R LFE
    Stereo21,
    /// L R C
    Lcr,
    /// L R C S
    Lcrs,
    /// L R Ls Rs
    Quad,
    /// L R C Ls Rs
    Surround50,
    /// L R C LFE Ls Rs
    Surround51,
    /// L R C LFE Cs Ls Rs
    Surround61,
    /// L R C Lb Rb Ls Rs
    Surround70,
    /// L R C LFE Lb Rb Ls Rs
    Surround71,
    /// Channels without positions, or with positions that match none of the other layouts. Cannot
    /// be mixed until a layout is stated.
    Discrete(u8),
}

impl Layout {
    /// All layouts with positions, with their names and WAVE channel masks.
    const NAMED: [(Self, &'static str, u32); 11] = [
        (Self::Mono, "mono", 0x4),
        (Self::Stereo, "stereo", 0x3),
        (Self::Stereo21, "2.1", 0xB),
        (Self::Lcr, "lcr", 0x7),
        (Self::Lcrs, "lcrs", 0x107),
        (Self::Quad, "quad", 0x33),
        (Self::Surround50, "5.0", 0x37),
        (Self::Surround51, "5.1", 0x3F),
        (Self::Surround61, "6.1", 0x70F),
        (Self::Surround70, "7.0", 0x637),
        (Self::Surround71, "7.1", 0x63F),
    ];

    /// Names of all layouts with positions.
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

    /// Returns the layout of a WAVE channel mask.
    ///
    /// Mono and stereo need no mask. Any other number of channels without a known mask has no
    /// positions. If the mask has more bits than there are channels, only the lowest bits count.
    /// The caller must refuse more than 64 channels.
    #[must_use]
    pub fn from_mask(channels: u8, mask: u32) -> Self {
        // The side variants of quad, 5.0 and 5.1 denote the same speakers.
        let mask = match (channels, Self::lowest_bits(channels, mask)) {
            (1, _) => 0x4,
            (2, 0) => 0x3,
            (_, 0x603) => 0x33,
            (_, 0x607) => 0x37,
            (_, 0x60F) => 0x3F,
            (_, other) => other,
        };
        let known = Self::NAMED
            .iter()
            .find(|(l, _, m)| *m == mask && l.channels() == usize::from(channels));
        known.map_or(Self::Discrete(channels), |(l, _, _)| *l)
    }

    /// Clears the bits of a mask that exceed the number of channels. As Microsoft's
    /// WAVEFORMATEXTENSIBLE requires, the lowest bits belong to the first channels.
    pub(crate) fn lowest_bits(channels: u8, mask: u32) -> u32 {
        let mut left = mask;
        let mut kept = 0;
        for _ in 0..channels {
            let lowest = left & left.wrapping_neg();
            kept |= lowest;
            left ^= lowest;
        }
        kept
    }

    /// Returns the names of the layouts with this number of channels.
    ///
    /// ```
    /// use soundtrack::Layout;
    /// assert!(Layout::names_of(6).eq(["5.1"]));
    /// ```
    pub fn names_of(channels: usize) -> impl Iterator<Item = &'static str> {
        let fits = move |(layout, ..): &&(Self, _, _)| layout.channels() == channels;
        Self::NAMED.iter().filter(fits).map(|(_, name, _)| *name)
    }

    /// Returns the WAVE channel mask; 0 if the layout has no positions.
    #[must_use]
    pub fn mask(self) -> u32 {
        Self::NAMED
            .iter()
            .find(|(l, _, _)| *l == self)
            .map_or(0, |(_, _, m)| *m)
    }

    /// Returns the number of channels.
    #[must_use]
    pub fn channels(self) -> usize {
        match self {
            Self::Discrete(n) => usize::from(n),
            named => named.speakers().len(),
        }
    }

    /// Returns the speakers in WAVE order; empty if the layout has no positions.
    pub(crate) fn speakers(self) -> &'static [Speaker] {
        match self {
            Self::Mono => &[Mono],
            Self::Stereo => &[Left, Right],
            Self::Stereo21 => &[Left, Right, Lfe],
            Self::Lcr => &[Left, Right, Centre],
            Self::Lcrs => &[Left, Right, Centre, CentreBack],
            Self::Quad => &[Left, Right, LeftSurround, RightSurround],
            Self::Surround50 => &[Left, Right, Centre, LeftSurround, RightSurround],
            Self::Surround51 => &[Left, Right, Centre, Lfe, LeftSurround, RightSurround],
            Self::Surround61 => &[
                Left,
                Right,
                Centre,
                Lfe,
                CentreBack,
                LeftSurround,
                RightSurround,
            ],
            Self::Surround70 => &[
                Left,
                Right,
                Centre,
                LeftBack,
                RightBack,
                LeftSurround,
                RightSurround,
            ],
            Self::Surround71 => &[
                Left,
                Right,
                Centre,
                Lfe,
                LeftBack,
                RightBack,
                LeftSurround,
                RightSurround,
            ],
            Self::Discrete(_) => &[],
        }
    }

    /// Returns true if folding to another layout drops the LFE.
    pub(crate) fn loses_lfe(self, to: Self) -> bool {
        self.speakers().contains(&Lfe) && !to.speakers().contains(&Lfe)
    }

    /// Returns the matrix that folds this layout into another: one row per target channel, one
    /// column per source channel. `None` if either layout has no positions. For equal layouts,
    /// including discrete ones, returns the identity.
    ///
    /// ```
    /// use soundtrack::Layout;
    /// let k = 0.5f64.sqrt();
    /// let rows = Layout::Surround51.fold(Layout::Stereo).unwrap();
    /// assert_eq!(rows, [[1.0, 0.0, k, 0.0, k, 0.0], [0.0, 1.0, k, 0.0, 0.0, k]]);
    /// ```
    #[must_use]
    pub fn fold(self, to: Self) -> Option<Vec<Vec<f64>>> {
        if self == to {
            let n = self.channels();
            return Some(
                (0..n)
                    .map(|row| (0..n).map(|col| f64::from(u8::from(row == col))).collect())
                    .collect(),
            );
        }
        let (from, target) = (self.speakers(), to.speakers());
        if from.is_empty() || target.is_empty() {
            return None;
        }
        let mut rows = vec![vec![0.0; from.len()]; target.len()];
        for (col, &speaker) in from.iter().enumerate() {
            for (place, gain) in fold_speaker(speaker, target) {
                for (row, _) in rows.iter_mut().zip(target).filter(|(_, t)| **t == place) {
                    if let Some(cell) = row.get_mut(col) {
                        *cell += gain;
                    }
                }
            }
        }
        Some(rows)
    }
}

/// Returns the speakers of a layout that reproduce the signal of a speaker, with their gains.
fn fold_speaker(speaker: Speaker, target: &[Speaker]) -> Vec<(Speaker, f64)> {
    const K: f64 = FRAC_1_SQRT_2;
    let has = |s: Speaker| target.contains(&s);
    if has(speaker) {
        return vec![(speaker, 1.0)];
    }
    if has(Mono) {
        let gain = match speaker {
            Left | Right | CentreBack => K,
            LeftSurround | RightSurround | LeftBack | RightBack => 0.5,
            Lfe => return Vec::new(),
            Centre | Mono => 1.0,
        };
        return vec![(Mono, gain)];
    }
    match speaker {
        Mono => vec![(Left, 1.0), (Right, 1.0)],
        Centre => vec![(Left, K), (Right, K)],
        LeftSurround if has(CentreBack) => vec![(CentreBack, K)],
        RightSurround if has(CentreBack) => vec![(CentreBack, K)],
        LeftSurround => vec![(Left, K)],
        RightSurround => vec![(Right, K)],
        LeftBack => fold_speaker(LeftSurround, target),
        RightBack => fold_speaker(RightSurround, target),
        CentreBack if has(LeftBack) => vec![(LeftBack, K), (RightBack, K)],
        CentreBack if has(LeftSurround) => vec![(LeftSurround, K), (RightSurround, K)],
        CentreBack => vec![(Left, 0.5), (Right, 0.5)],
        Lfe | Left | Right => Vec::new(),
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, Self::NAMED.iter().find(|(l, _, _)| l == self)) {
            (Self::Discrete(n), _) => f.pad(&format!("{n} channels of no known layout")),
            (_, Some((_, name, _))) => f.pad(name),
            (other, None) => f.pad(&format!("{other:?}")),
        }
    }
}

impl std::str::FromStr for Layout {
    type Err = UnknownLayout;

    fn from_str(name: &str) -> Result<Self, UnknownLayout> {
        Self::NAMED
            .iter()
            .find(|(_, n, _)| n.eq_ignore_ascii_case(name))
            .map(|(l, _, _)| *l)
            .ok_or(UnknownLayout)
    }
}

/// Error: the name is not one of `mono stereo 2.1 lcr lcrs quad 5.0 5.1 6.1 7.0 7.1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownLayout;

impl fmt::Display for UnknownLayout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such layout; there are mono, stereo, 2.1, lcr, lcrs, quad, 5.0, 5.1, 6.1, 7.0 and 7.1")
    }
}

impl std::error::Error for UnknownLayout {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_named_layouts_folds_and_only_the_lfe_is_left_out() {
        for (from, _, _) in Layout::NAMED {
            for (to, _, _) in Layout::NAMED {
                let rows = from.fold(to).unwrap();
                assert_eq!(rows.len(), to.channels());
                for (col, speaker) in from.speakers().iter().enumerate() {
                    let sum: f64 = rows.iter().map(|r| r[col]).sum();
                    let dropped = *speaker == Lfe && !to.speakers().contains(&Lfe);
                    assert_eq!(sum == 0.0, dropped, "{from} to {to}, {speaker:?}");
                }
            }
        }
    }

    #[test]
    fn stated_rows_of_the_standard() {
        let k = FRAC_1_SQRT_2;
        assert_eq!(
            Layout::Surround50.fold(Layout::Mono).unwrap(),
            [[k, k, 1.0, 0.5, 0.5]]
        );
        assert_eq!(
            Layout::Surround50.fold(Layout::Lcrs).unwrap(),
            [
                [1.0, 0.0, 0.0, 0.0, 0.0],
                [0.0, 1.0, 0.0, 0.0, 0.0],
                [0.0, 0.0, 1.0, 0.0, 0.0],
                [0.0, 0.0, 0.0, k, k]
            ]
        );
        // 7.1 to 5.1: Ls = side + back.
        let rows = Layout::Surround71.fold(Layout::Surround51).unwrap();
        assert_eq!(rows[4], [0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
        assert_eq!(Layout::Discrete(6).fold(Layout::Stereo), None);
    }

    #[test]
    fn masks_and_names_round_trip() {
        for (layout, name, mask) in Layout::NAMED {
            let channels = u8::try_from(layout.channels()).unwrap();
            assert_eq!(Layout::from_mask(channels, mask), layout);
            // Surplus bits: those of the channels that follow.
            let highest = u32::BITS - mask.leading_zeros();
            assert_eq!(Layout::from_mask(channels, mask | 3 << highest), layout);
            assert_eq!(name.parse(), Ok(layout));
            assert_eq!(layout.to_string(), name);
        }
    }
}
