//! The lowest and highest sample of a stretch, and its energy.
//!
//! Energy is summed in eight lanes keyed by the absolute frame, so that a stretch taken in pieces gives the same bits as
//! one taken whole.

/// Sums of squares of the frames whose number leaves 0, 1 ... 7 when divided by 8.
pub(crate) type Energy = [f64; 8];

/// The lowest and the highest sample, the first of which is frame `at`; their squares are added to `energy`. Values that
/// are not numbers are passed over in the extent; without any number it is `(∞, −∞)`.
pub(crate) fn extent(samples: &[f64], at: u64, energy: &mut Energy) -> (f64, f64) {
    let phase = usize::try_from(at % 8).unwrap_or(0);
    let (head, body) = samples.split_at(samples.len().min((8 - phase) % 8));
    let (eights, tail) = body.as_chunks::<8>();
    let (mut low, mut high, mut sums) = ([f64::INFINITY; 8], [f64::NEG_INFINITY; 8], *energy);
    edge((&mut low, &mut high, &mut sums), phase, head);
    for eight in eights {
        for (((l, h), e), s) in low.iter_mut().zip(&mut high).zip(&mut sums).zip(eight) {
            take(l, h, e, *s);
        }
    }
    edge((&mut low, &mut high, &mut sums), 0, tail);
    *energy = sums;
    let least = low.iter().fold(f64::INFINITY, |m, s| if *s < m { *s } else { m });
    let most = high.iter().fold(f64::NEG_INFINITY, |m, s| if *s > m { *s } else { m });
    (least, most)
}

/// The few samples before and after the eights, from a lane on.
fn edge((low, high, sums): (&mut [f64; 8], &mut [f64; 8], &mut Energy), lane: usize, samples: &[f64]) {
    let lanes = low.iter_mut().zip(high).zip(sums).skip(lane);
    lanes.zip(samples).for_each(|(((l, h), e), s)| take(l, h, e, *s));
}

fn take(low: &mut f64, high: &mut f64, energy: &mut f64, s: f64) {
    *low = if s < *low { s } else { *low };
    *high = if s > *high { s } else { *high };
    *energy += s * s;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_in_pieces_is_the_stretch_whole() {
        let samples: Vec<f64> = (0..1000).map(|n| f64::from(n * n % 977) / 977.0 - 0.4).collect();
        let mut whole = [0.0; 8];
        let (low, high) = extent(&samples, 3, &mut whole);
        let least = samples.iter().copied().fold(1.0, f64::min);
        assert_eq!((low, high), (least, samples.iter().copied().fold(-1.0, f64::max)));
        for size in [1, 5, 8, 13, 999] {
            let (mut sums, mut at) = ([0.0; 8], 3);
            for piece in samples.chunks(size) {
                extent(piece, at, &mut sums);
                at += piece.len() as u64;
            }
            assert_eq!(sums.map(f64::to_bits), whole.map(f64::to_bits), "{size}");
        }
        let total: f64 = samples.iter().map(|s| s * s).sum();
        assert!((whole.iter().sum::<f64>() - total).abs() < 1e-10);
    }

    #[test]
    fn what_is_no_number_has_no_extent() {
        let mut energy = [0.0; 8];
        assert_eq!(extent(&[f64::NAN, 0.25], 0, &mut energy), (0.25, 0.25));
        assert_eq!(extent(&[], 0, &mut energy), (f64::INFINITY, f64::NEG_INFINITY));
    }
}
