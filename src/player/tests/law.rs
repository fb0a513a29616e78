//! Law 4: a device gets what a bounce writes, bit for bit.

use super::{
    fake::{Fake, soon},
    sessions::{length, noise, rendered, same_bits, session, stem},
};
use crate::{
    Decibels, Frames, Layout, Pan, Play, Player, SampleRate, Session, State, Track,
    session::{Bus, TrackId},
};
use proptest::prelude::*;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(10);

fn ten_stems(frames: usize) -> (Session, Vec<TrackId>) {
    let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    let bus = mix.add_bus(Bus::new("bus").gain(Decibels(-2.0)));
    let track = |n: u64| {
        let rate = [48_000, 44_100, 96_000][n as usize % 3];
        let layout = [Layout::Stereo, Layout::Mono][n as usize % 2];
        let long = frames * rate as usize / 48_000;
        let track = Track::new(format!("t{n}"), stem(n, rate, layout, long)).pan(Pan(n as f64 / 5.0 - 1.0));
        if n < 5 { track.to(bus) } else { track }
    };
    let ids = (0..10).map(|n| mix.add_track(track(n))).collect();
    (mix, ids)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_session_sounds_as_it_is_bounced(
        session in session(),
        pieces in prop::collection::vec(prop_oneof![Just(0usize), 1usize..70, 100usize..3000], 1..6),
    ) {
        prop_assume!(pieces.iter().any(|p| *p > 0));
        let whole = rendered(&session, 4096, 1, 0..length(&session));
        let fake = Fake::default();
        let player = fake.play(&Play::new(), &session);
        let frames = whole[0].len();
        same_bits(&whole, &fake.take(frames, session.layout, &pieces));
        prop_assert_eq!(fake.finish(&player, session.layout.channels()), State::Ended);
        prop_assert_eq!(player.position(), Frames(frames as u64));
        prop_assert_eq!(player.underruns().count, 0);
        prop_assert!(fake.pull::<f64>(64, session.layout.channels()).iter().all(|x| x.to_bits() == 0));
    }
}

/// Moves all kinds of controls, in the player and in the session alike.
fn moved(player: &Player, mix: &mut Session, ids: &[TrackId]) {
    player.set_gain(ids[0], Decibels(-7.5));
    mix.track_mut(ids[0]).strip.gain = Decibels(-7.5);
    player.set_gain(ids[1], Decibels::SILENCE);
    mix.track_mut(ids[1]).strip.gain = Decibels::SILENCE;
    player.set_pan(ids[2], Pan(0.3));
    mix.track_mut(ids[2]).strip.pan = Pan(0.3);
    player.set_mute(ids[3], true);
    mix.track_mut(ids[3]).strip.mute = true;
    for n in [2, 4, 5, 6, 7] {
        player.set_solo(ids[n], true);
        mix.track_mut(ids[n]).strip.solo = true;
    }
    player.set_gain(crate::StripId::Master, Decibels(-1.0));
    mix.master.gain = Decibels(-1.0);
}

#[test]
fn a_control_moved_before_the_start_is_as_if_it_had_always_been_so() {
    let (mut mix, ids) = ten_stems(9_000);
    let fake = Fake::default();
    let player = fake.play(&Play::new().paused(true), &mix);
    moved(&player, &mut mix, &ids);
    player.play();
    same_bits(&mix.render(Frames(0)..Frames(9_000)).unwrap(), &fake.take(9_000, mix.layout, &[480]));
}

#[test]
fn a_control_moved_while_it_plays_is_exact_once_it_has_arrived() {
    let (mut mix, ids) = ten_stems(40_000);
    let before = mix.render(Frames(0)..Frames(40_000)).unwrap();
    let fake = Fake::default();
    let player = fake.play(&Play::new(), &mix);
    let mut heard = fake.take(4_800, mix.layout, &[480]);
    moved(&player, &mut mix, &ids);
    let rest = fake.take(40_000 - 4_800, mix.layout, &[480]);
    heard.iter_mut().zip(rest).for_each(|(h, r)| h.extend(r));
    let after = mix.render(Frames(0)..Frames(40_000)).unwrap();
    let first_new = (0..40_000).find(|n| heard[0][*n].to_bits() != before[0][*n].to_bits()).unwrap();
    let last_old = (0..40_000).rev().find(|n| heard[0][*n].to_bits() != after[0][*n].to_bits()).unwrap();
    // Not before it was moved, not later than the ring and a block and a look or two of the engine; 8 ms on its way.
    assert!((4_800..4_800 + 3 * 1_440).contains(&first_new), "{first_new}");
    // Moves are handed over one by one, so the last may start a block or two after the first.
    assert!(last_old - first_new < 384 + 8 * 256, "{first_new} {last_old}");
}

#[test]
fn a_loop_has_no_gap_and_no_frame_too_many() {
    let (mix, _) = ten_stems(30_000);
    let fake = Fake::default();
    let player = fake.play(&Play::new().paused(true), &mix);
    player.set_loop(Some(Frames(5_001)..Frames(9_234)));
    player.play();
    let heard = fake.take(60_000, mix.layout, &[512, 17]);
    let whole = mix.render(Frames(0)..Frames(9_234)).unwrap();
    for (n, x) in heard[1].iter().enumerate() {
        let at = if n < 9_234 { n } else { 5_001 + (n - 9_234) % 4_233 };
        assert_eq!(x.to_bits(), whole[1][at].to_bits(), "frame {n}");
    }
    assert!((5_001..9_234).contains(&player.position().0));
    player.set_loop(None);
    let start = player.position().0;
    soon(LONG, || {
        fake.ask(256, 2);
        player.state() == State::Ended
    });
    assert!(start < 9_234 && player.position() == Frames(30_000));
}

#[test]
fn a_limiter_sounds_as_it_is_bounced_also_after_a_pause_and_goes_on_round_a_loop() {
    let (mut mix, _) = ten_stems(40_000);
    mix.master.gain = Decibels(12.0);
    mix.master.limit = Some(crate::Dbtp(-1.0));
    let whole = mix.render(Frames(0)..Frames(40_000)).unwrap();
    mix.master.limit = None;
    assert_ne!(whole, mix.render(Frames(0)..Frames(40_000)).unwrap(), "nothing to limit");
    mix.master.limit = Some(crate::Dbtp(-1.0));
    let fake = Fake::default();
    let player = fake.play(&Play::new(), &mix);
    let heard = fake.take(12_000, mix.layout, &[480, 33]);
    same_bits(&whole.iter().map(|c| c[..12_000].to_vec()).collect::<Vec<_>>(), &heard);
    player.pause();
    let mut rest = Vec::new();
    soon(LONG, || player.state() == State::Paused);
    let at = player.position().0 as usize;
    while fake.with(|callback, _| callback.available()).unwrap() > 0 {
        rest.extend(fake.pull::<f64>(1, 2));
    }
    assert_eq!(12_000 + rest.len() / 2, at, "the position is where the fade ended");
    player.play();
    let heard = fake.take(40_000 - at, mix.layout, &[480]);
    for n in 384..40_000 - at {
        assert_eq!(heard[0][n].to_bits(), whole[0][at + n].to_bits(), "frame {n}");
    }
    assert_eq!(fake.finish(&player, 2), State::Ended);
    player.set_loop(Some(Frames(10_000)..Frames(20_000)));
    player.play();
    let heard = fake.take(52_000, mix.layout, &[480]);
    assert!(heard.iter().flatten().all(|x| x.abs() <= 0.892), "the ceiling");
    let place = |n: usize| if n < 20_000 { n } else { 10_000 + (n - 20_000) % 10_000 };
    // A loop of whole hops of the limiter: the same once it has forgotten what came before the turn.
    for n in (0..19_000).chain(26_000..29_000).chain(36_000..39_000) {
        assert_eq!(heard[0][n].to_bits(), whole[0][place(n)].to_bits(), "frame {n}");
    }
    soon(LONG, || player.position().0.abs_diff(place(52_000) as u64) <= 480);
    assert_eq!(player.underruns().count, 0);
}

#[test]
fn a_seek_fades_and_then_is_exact() {
    let (mix, _) = ten_stems(48_000);
    let whole = mix.render(Frames(0)..Frames(48_000)).unwrap();
    let fake = Fake::default();
    let player = fake.play(&Play::new(), &mix);
    fake.take(2_000, mix.layout, &[100]);
    for n in 0..100u64 {
        let to = (noise(7, 0, n) * 20_000.0 + 20_000.0) as u64;
        player.seek(Frames(to));
        // What is left of the old sound, and from the first new frame on.
        let mut heard: Vec<f64> = Vec::new();
        soon(LONG, || {
            heard.extend(fake.ask(64, 2).chunks(2).map(|f| f[0]));
            player.position().0 == to
        });
        heard.extend(&fake.take(2_800, mix.layout, &[64])[0]);
        let at = (0..heard.len() - 400).find(|at| {
            let there = &whole[0][to as usize + 384..];
            heard[at + 384..at + 400].iter().zip(there).all(|(a, b)| a.to_bits() == b.to_bits())
        });
        assert!(at.is_some() || to == 0, "seek {n} to {to}");
    }
    assert_eq!(player.underruns().count, 0);
}

#[test]
fn another_rate_and_layout_are_converted_once() {
    let (mix, _) = ten_stems(24_000);
    let fake = Fake::default();
    let spec = crate::Spec { rate: SampleRate::HZ_44100, layout: Layout::Discrete(4) };
    *fake.0.spec.lock().unwrap() = Some(spec);
    let player = fake.play(&Play::new(), &mix);
    let heard = fake.take(22_050, Layout::Discrete(4), &[441]);
    assert_eq!(fake.finish(&player, 4), State::Ended);
    // The same through the resampler of stems.
    let memory = crate::media::Memory::new(
        crate::Spec { rate: SampleRate::HZ_48000, layout: Layout::Stereo },
        mix.render(Frames(0)..Frames(24_000)).unwrap(),
    );
    let mut twin = Session::new(SampleRate::HZ_44100, Layout::Stereo);
    twin.add_track(Track::new("mix", memory.unwrap()));
    same_bits(&twin.render(Frames(0)..Frames(22_050)).unwrap(), &heard[..2]);
    assert!(heard[2..].iter().flatten().all(|x| *x == 0.0));
    assert_eq!(player.position(), Frames(24_000));
}
