//! Changes a session by a seed: the same seed gives the same remix, on any machine and in any order.

use soundtrack::{Decibels, Frames, Pan, Session};

/// Sets random gains of −12 to 3 dB, pans and mutes (one stem in eight), and returns a random start of a crop, up to `latest`.
pub fn change(session: &mut Session, seed: u64, latest: u64) -> Frames {
    let mut random = Random(seed);
    for track in session.tracks_mut() {
        track.strip.gain = Decibels(random.within(-12.0, 3.0));
        track.strip.pan = Pan(random.within(-1.0, 1.0));
        track.strip.mute = random.next() < 1.0 / 8.0;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and the latest start"
    )]
    #[expect(
        clippy::cast_precision_loss,
        reason = "a session has far fewer than 2^53 frames"
    )]
    let start = (random.next() * (latest + 1) as f64) as u64;
    Frames(start)
}

/// Random numbers from a seed (SplitMix64).
struct Random(u64);

impl Random {
    /// Returns a number from 0 to below 1, in steps of 2^-53.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        #[expect(clippy::cast_precision_loss, reason = "53 bits")]
        let whole = ((x ^ (x >> 31)) >> 11) as f64;
        whole / 9_007_199_254_740_992.0
    }

    /// Returns a number from `low` to below `high`.
    fn within(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.next()
    }
}
