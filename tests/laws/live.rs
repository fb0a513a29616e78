//! Law 4: what is played is what is bounced, bit for bit. Through the door that programs have: a sink. What devices get, and
//! what happens when they misbehave, is tested beside the player.

use crate::{processors::processed, random_sessions::session};
use proptest::prelude::*;
use soundtrack::{
    Block, Error, ErrorKind, Frames, Layout, PlayerBuilder, Result, SampleRate, Session, Sink,
    State, Track,
    encode::{MemorySink, Written},
};
use soundtrack_test_support::renders::{length, rendered, same_bits, stem};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

const LONG: Duration = Duration::from_secs(20);

/// What a sink was given, and whether it was finished.
type Taken = Arc<Mutex<(MemorySink, bool)>>;

/// A sink whose samples can be looked at afterwards; refuses after so many frames.
struct Shared(Taken, usize);

impl Sink for Shared {
    fn write(&mut self, block: &Block) -> Result<()> {
        self.1 = self
            .1
            .checked_sub(block.frames())
            .ok_or_else(|| Error::new(ErrorKind::Output, "the tape is full"))?;
        self.0.lock().unwrap().0.write(block)
    }
    fn finish(&mut self) -> Result<Written> {
        let mut taken = self.0.lock().unwrap();
        taken.1 = true;
        taken.0.finish()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn a_sink_gets_what_a_bounce_writes(session in session(), latency in 1u64..60) {
        let taken = Taken::default();
        let play = PlayerBuilder::new().latency(Duration::from_millis(latency));
        let player = play.into_sink(&session, Box::new(Shared(taken.clone(), usize::MAX))).unwrap();
        prop_assert_eq!(player.wait(LONG), State::Ended);
        prop_assert_eq!(player.position().0, length(&session));
        prop_assert_eq!(player.underruns().count, 0);
        drop(player);
        let (memory, finished) = taken.lock().unwrap().clone();
        prop_assert!(finished);
        let mut heard = memory.into_channels();
        heard.resize(session.layout.channels(), Vec::new());
        same_bits(&rendered(&session, 4096, 1, 0..length(&session)), &heard);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn a_sink_gets_what_a_bounce_writes_with_processors_and_keys(session in processed()) {
        let taken = Taken::default();
        let player = PlayerBuilder::new().into_sink(&session, Box::new(Shared(taken.clone(), usize::MAX))).unwrap();
        prop_assert_eq!(player.wait(LONG), State::Ended);
        drop(player);
        let mut heard = taken.lock().unwrap().0.clone().into_channels();
        heard.resize(session.layout.channels(), Vec::new());
        same_bits(&rendered(&session, 4096, 1, 0..length(&session)), &heard);
    }
}

#[test]
fn a_sink_may_start_further_from_a_restart_than_stems_are_read_ahead() {
    let mut mix = Session::new(SampleRate::HZ_48000, Layout::Mono);
    let comp = soundtrack::Insert::new("compressor").unwrap();
    let comp = comp.set("threshold", -40.0).unwrap();
    let stem = stem(1, 48_000, Layout::Mono, 920_000);
    mix.add_track(Track::new("t", stem).insert(comp));
    let taken = Taken::default();
    let player = PlayerBuilder::new()
        .at(Frames(900_000))
        .read_ahead(Duration::from_millis(500))
        .into_sink(&mix, Box::new(Shared(taken.clone(), usize::MAX)))
        .unwrap();
    assert_eq!(player.wait(LONG), State::Ended);
    drop(player);
    let heard = taken.lock().unwrap().0.clone().into_channels();
    let whole = rendered(&mix, 4096, 1, 900_000..920_000);
    // A start in the middle fades in over 8 ms.
    assert_eq!(heard[0].len(), 20_000);
    same_bits(&[whole[0][384..].to_vec()], &[heard[0][384..].to_vec()]);
}

#[test]
fn a_sink_that_refuses_is_told_in_its_own_words_and_the_position_kept() {
    let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    mix.add_track(Track::new("noise", stem(1, 48_000, Layout::Stereo, 48_000)));
    let player = PlayerBuilder::new()
        .into_sink(&mix, Box::new(Shared(Taken::default(), 10_000)))
        .unwrap();
    assert_eq!(player.wait(LONG), State::Failed);
    let fault = player.fault().unwrap();
    assert_eq!(
        (fault.kind(), fault.to_string()),
        (ErrorKind::Output, "the tape is full".to_owned())
    );
    assert!(
        (9_000..=10_256).contains(&player.position().0),
        "{}",
        player.position()
    );
}

#[test]
fn a_damaged_stem_ends_playing_with_its_place_and_nothing_else() {
    let spec = soundtrack::Spec {
        rate: SampleRate::HZ_48000,
        layout: Layout::Mono,
    };
    let mut samples = vec![0.5; 48_000];
    samples[30_000] = f64::NAN;
    let mut mix = Session::new(SampleRate::HZ_48000, Layout::Mono);
    mix.add_track(Track::new(
        "vox",
        soundtrack::media::Memory::new(spec, vec![samples]).unwrap(),
    ));
    let taken = Taken::default();
    let player = PlayerBuilder::new()
        .into_sink(&mix, Box::new(Shared(taken.clone(), usize::MAX)))
        .unwrap();
    assert_eq!(player.wait(LONG), State::Failed);
    let fault = player.fault().unwrap();
    assert_eq!(fault.kind(), ErrorKind::Corrupt);
    assert!(
        fault
            .to_string()
            .starts_with("track \"vox\": memory: a sample that is not a finite number"),
        "{fault}"
    );
    mix.damage = soundtrack::Damage::Silence;
    let player = PlayerBuilder::new()
        .at(Frames(1))
        .into_sink(&mix, Box::new(Shared(taken, usize::MAX)))
        .unwrap();
    assert_eq!(player.wait(LONG), State::Ended);
}

#[test]
fn problems_of_the_session_are_told_before_anything_sounds() {
    let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    mix.add_track(Track::new("vox", "no/such/file.wav"));
    let refused = PlayerBuilder::new().null(&mix).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotFound);
    assert_eq!(refused.problems().len(), 1);
}
