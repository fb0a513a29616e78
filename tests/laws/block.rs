//! Law 1: output does not depend on block size.

use crate::random_sessions::session;
use proptest::prelude::*;
use soundtrack_test_support::renders::{length, rendered, same_bits, streamed};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_block_size_gives_the_same_bits(session in session(), odd in 1usize..3000) {
        let whole = streamed(&session, 65_536, 1);
        prop_assert_eq!(whole[0].len() as u64, length(&session));
        for block in [1, 64, 441, 4096, odd] {
            same_bits(&whole, &streamed(&session, block, 1));
            if block > 1 {
                same_bits(&whole, &rendered(&session, block, 1, 0..length(&session)));
            }
        }
    }
}
