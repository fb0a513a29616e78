//! Random numbers from a seed (SplitMix64), so that every run makes the same bytes.

/// Generator; as an iterator it returns white noise in −1 .. 1.
pub struct Random(u64);

impl Random {
    /// Creates a generator.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns an integer below `n`. The bias is nil as long as `n` is tiny beside 2⁶⁴.
    pub fn below(&mut self, n: u64) -> u64 {
        self.next_u64() % n
    }

    /// Returns a number uniform in −1 .. 1.
    pub fn uniform(&mut self) -> f64 {
        // The top 53 bits fill a double exactly.
        (self.next_u64() >> 11) as f64 * (2.0 / (1u64 << 53) as f64) - 1.0
    }
}

impl Iterator for Random {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        Some(self.uniform())
    }
}
