//! Stems of buses add up to the mix, bit for bit, where the master changes nothing and they cover all that feeds it.

use crate::random_sessions::session;
use proptest::prelude::*;
use soundtrack::{BusId, Curve, Frames, Selector};
use soundtrack_test_support::renders::{added, length, same_bits};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn stems_of_any_session_add_up(mut session in session()) {
        session.master.gain_curve = Curve::new();
        // All that feeds the master, in the order of the session: tracks through a bus each, which must change nothing.
        let ids: Vec<BusId> = (0..session.buses().len()).map(|i| match session.part(&format!("bus.bus{i}")) {
            Ok(Selector::Bus(id)) => id,
            other => panic!("{other:?}"),
        }).collect();
        for track in session.tracks_mut().iter_mut().filter(|t| t.strip.to.is_none()) {
            track.strip.to = Some(ids[0]);
        }
        let outer: Vec<BusId> = ids.iter().zip(session.buses()).filter(|(_, b)| b.strip.to.is_none()).map(|(id, _)| *id).collect();
        let all = Frames(0)..Frames(length(&session));
        let stems = session.render_stems(&outer, all.clone()).unwrap();
        same_bits(&added(&stems), &session.render(all).unwrap());
    }
}
