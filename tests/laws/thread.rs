//! Law 2: output does not depend on the number of threads.

use crate::random_sessions::session;
use proptest::prelude::*;
use soundtrack_test_support::renders::{same_bits, streamed};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_number_of_threads_gives_the_same_bits(session in session(), block in 64usize..5000) {
        let one = streamed(&session, block, 1);
        for threads in [2, 3, 8] {
            same_bits(&one, &streamed(&session, block, threads));
        }
    }
}
