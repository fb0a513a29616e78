//! White noise from a seed: SplitMix64, so that every run makes the same bytes.

/// A seeded generator; as an iterator it gives uniform noise in −1 .. 1.
pub struct Noise(u64);

impl Noise {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }
}

impl Iterator for Noise {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        // The top 53 bits fill a double exactly.
        Some((z >> 11) as f64 * (2.0 / (1u64 << 53) as f64) - 1.0)
    }
}
