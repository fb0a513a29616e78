//! Finds the lowest and highest sample of a stretch, and its energy.
//!
//! Energy is summed in eight lanes selected by the absolute frame, so that a stretch summed in pieces gives the same bits as
//! one summed at once.

/// Sums of squares in eight lanes; lane n sums the frames with frame mod 8 = n.
pub(crate) type Energy = [f64; 8];

/// Returns the lowest and the highest sample. Ignores NaN; returns `(∞, −∞)` where there is no number.
pub(crate) fn extent(samples: &[f64]) -> (f64, f64) {
    let (mut low, mut high) = ([f64::INFINITY; 8], [f64::NEG_INFINITY; 8]);
    let (eights, rest) = samples.as_chunks::<8>();
    for eight in eights {
        for ((l, h), s) in low.iter_mut().zip(&mut high).zip(eight) {
            (*l, *h) = (lower(*l, *s), higher(*h, *s));
        }
    }
    let least = low
        .iter()
        .chain(rest)
        .fold(f64::INFINITY, |m, s| lower(m, *s));
    (
        least,
        high.iter()
            .chain(rest)
            .fold(f64::NEG_INFINITY, |m, s| higher(m, *s)),
    )
}

fn lower(m: f64, s: f64) -> f64 {
    if s < m { s } else { m }
}

fn higher(m: f64, s: f64) -> f64 {
    if s > m { s } else { m }
}

/// Adds the squares of samples, of which the first is frame `at`.
pub(crate) fn square(samples: &[f64], at: u64, energy: &mut Energy) {
    let phase = (at % 8) as usize;
    let (head, body) = samples.split_at(samples.len().min((8 - phase) % 8));
    let (eights, tail) = body.as_chunks::<8>();
    let mut sums = *energy;
    sums.iter_mut()
        .skip(phase)
        .zip(head)
        .for_each(|(e, s)| *e += s * s);
    for eight in eights {
        sums.iter_mut().zip(eight).for_each(|(e, s)| *e += s * s);
    }
    sums.iter_mut().zip(tail).for_each(|(e, s)| *e += s * s);
    *energy = sums;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_in_pieces_is_the_stretch_whole() {
        let samples: Vec<f64> = (0..1000)
            .map(|n| f64::from(n * n % 977) / 977.0 - 0.4)
            .collect();
        let mut whole = [0.0; 8];
        square(&samples, 3, &mut whole);
        let (low, high) = extent(&samples);
        let least = samples.iter().copied().fold(1.0, f64::min);
        assert_eq!(
            (low, high),
            (least, samples.iter().copied().fold(-1.0, f64::max))
        );
        for size in [1, 5, 8, 13, 999] {
            let (mut sums, mut at) = ([0.0; 8], 3);
            for piece in samples.chunks(size) {
                square(piece, at, &mut sums);
                at += piece.len() as u64;
            }
            assert_eq!(sums.map(f64::to_bits), whole.map(f64::to_bits), "{size}");
        }
        let total: f64 = samples.iter().map(|s| s * s).sum();
        assert!((whole.iter().sum::<f64>() - total).abs() < 1e-10);
    }

    #[test]
    fn what_is_no_number_has_no_extent() {
        assert_eq!(extent(&[f64::NAN, 0.25]), (0.25, 0.25));
        assert_eq!(extent(&[]), (f64::INFINITY, f64::NEG_INFINITY));
    }
}
