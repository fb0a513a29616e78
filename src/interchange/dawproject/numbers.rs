//! Converts levels and pans so that they come back as they were.

use crate::units::{Decibels, Gain, Pan};

/// Steps to which decibels are rounded where the factor stays the same to the last bit: people set tenths.
const STEPS: [f64; 4] = [1e3, 1e6, 1e9, 1e12];

/// Returns the level of a linear factor: the roundest of those whose factor it is, to the last bit.
pub(super) fn decibels(factor: f64) -> Decibels {
    let exact = Gain(factor).decibels();
    if !exact.0.is_finite() {
        return exact;
    }
    let is_same = |db: f64| Decibels(db).gain().0.to_bits() == factor.to_bits();
    let rounded = STEPS.iter().map(|step| (exact.0 * step).round() / step);
    let near = [exact.0, exact.0.next_up(), exact.0.next_down()];
    let found = rounded.chain(near).find(|db| is_same(*db));
    Decibels(found.map_or(exact.0, |db| if db == 0.0 { 0.0 } else { db }))
}

/// Returns a pan position as a number from 0 to 1.
pub(super) fn normalized(pan: Pan) -> f64 {
    f64::midpoint(pan.0, 1.0)
}

/// Returns the pan position of a number from 0 to 1: the roundest of those that are this number.
pub(super) fn pan(value: f64) -> Pan {
    let exact = 2.0 * value - 1.0;
    let rounded = STEPS.iter().map(|step| (exact * step).round() / step);
    let found = rounded
        .chain([exact])
        .find(|pan| normalized(Pan(*pan)).to_bits() == value.to_bits());
    let pan = found.unwrap_or(exact);
    Pan(if pan == 0.0 { 0.0 } else { pan })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_of_a_fader_come_back_bit_for_bit() {
        for tenths in -1200..=240 {
            let level = Decibels(f64::from(tenths) / 10.0);
            assert_eq!(decibels(level.gain().0), level);
        }
        for n in 1..2000 {
            let level = Decibels(f64::from(n) * -0.037_123_4);
            let back = decibels(level.gain().0);
            assert_eq!(back.gain().0.to_bits(), level.gain().0.to_bits());
        }
        assert_eq!(decibels(0.0), Decibels::SILENCE);
    }

    #[test]
    fn pans_come_back_bit_for_bit() {
        for percent in -100..=100 {
            let position = Pan(f64::from(percent) / 100.0);
            assert_eq!(pan(normalized(position)), position);
        }
    }
}
