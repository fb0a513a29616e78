//! The overview that reports are drawn from is the same for any block size and number of threads, and gathering it changes no
//! sample.

use crate::random_sessions::session;
use proptest::prelude::*;
use soundtrack::{Bounce, Options, Plan, Renderer, encode};
use soundtrack_test_support::renders::{length, overview, same_bits};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn bins_do_not_depend_on_blocks_or_threads(session in session(), bins in 1usize..300, odd in 1usize..3000, cut in 0u64..3000) {
        let end = length(&session).max(cut) + 100;
        let whole = overview(&session, bins, 65_536, 1, cut..end);
        for block in [1, 64, 441, odd] {
            prop_assert_eq!(&overview(&session, bins, block, 1, cut..end), &whole);
        }
        prop_assert_eq!(&overview(&session, bins, odd, 2, cut..end), &whole);
    }

    #[test]
    fn asking_for_an_overview_changes_no_sample_and_no_peak(session in session()) {
        let run = |bounce: Bounce| {
            let mut renderer = Renderer::new(Plan::compile(&session).unwrap(), &Options::default()).unwrap();
            let mut memory = encode::MemorySink::default();
            let mut report = bounce.into_sink(&mut renderer, &mut memory).unwrap();
            (report.overview, report.wall_s, report.times_real_time) = (None, 0.0, 0.0);
            (memory.into_channels(), report)
        };
        let (with, without) = (run(Bounce::new().overview(100)), run(Bounce::new()));
        same_bits(&with.0, &without.0);
        prop_assert_eq!(with.1, without.1);
    }
}
