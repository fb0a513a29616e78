//! The scale of faders and meters: that of IEC 60268-18, extended to +12 dB.

/// Levels in dB that the scale is marked with, from the top.
pub const TICKS: [f64; 9] = [12.0, 6.0, 0.0, -6.0, -12.0, -20.0, -30.0, -40.0, -60.0];

/// Ends of the straight pieces of the scale: level in dB, and deflection in percent of that at 0 dB. The table is that of
/// IEC 60268-18 up to 0 dB.
const PIECES: [(f64, f64); 8] = [
    (-70.0, 0.0),
    (-60.0, 2.5),
    (-50.0, 7.5),
    (-40.0, 15.0),
    (-30.0, 30.0),
    (-20.0, 50.0),
    (0.0, 100.0),
    (12.0, 130.0),
];
/// Deflection at the top of the scale.
const TOP: f64 = 130.0;

/// Returns the deflection of a level in dB, 0 (at most -70 dB) to 1 (at least +12 dB).
pub fn deflection(level: f64) -> f64 {
    let (first, last) = (PIECES.first(), PIECES.last());
    if first.is_some_and(|(low, _)| level <= *low) || level.is_nan() {
        return 0.0;
    }
    if last.is_some_and(|(high, _)| level >= *high) {
        return 1.0;
    }
    let pieces = PIECES.iter().zip(PIECES.iter().skip(1));
    let mut found = pieces.filter(|((low, _), (high, _))| (*low..*high).contains(&level));
    found.next().map_or(0.0, |((low, from), (high, to))| {
        (from + (to - from) * (level - low) / (high - low)) / TOP
    })
}

/// Returns the level in dB at a deflection, the inverse of [`deflection`].
pub fn level_at(deflection: f64) -> f64 {
    let percent = deflection * TOP;
    let pieces = PIECES.iter().zip(PIECES.iter().skip(1));
    let mut found = pieces.filter(|((_, from), (_, to))| (*from..=*to).contains(&percent));
    found.next().map_or(12.0, |((low, from), (high, to))| {
        low + (high - low) * (percent - from) / (to - from)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_is_that_of_the_standard() {
        let percent = [-70.0, -60.0, -50.0, -40.0, -30.0, -20.0, -10.0, 0.0, 12.0]
            .map(|level| (deflection(level) * 1300.0).round() / 10.0);
        assert_eq!(
            percent,
            [0.0, 2.5, 7.5, 15.0, 30.0, 50.0, 75.0, 100.0, 130.0]
        );
        assert_eq!(deflection(f64::NEG_INFINITY), 0.0);
        assert_eq!((deflection(f64::NAN), deflection(40.0)), (0.0, 1.0));
        for level in [-65.0, -42.0, -9.0, 3.0] {
            assert!(
                (level_at(deflection(level)) - level).abs() < 1e-9,
                "{level}"
            );
        }
    }
}
