//! A decoder that gives absurdly large samples during playback: its stem is muted without a click, the others play on.

use super::{
    fake::{Fake, soon},
    renders::noise,
};
use crate::{
    Decibels, Frames, Layout, Pan, Player, PlayerBuilder, SampleRate, Session, Spec, State, Track,
    TrackId, media::Memory,
};
use std::{ops::Range, time::Duration};

const SPEC: Spec = Spec {
    rate: SampleRate::HZ_48000,
    layout: Layout::Mono,
};
const LENGTH: usize = 48_000;
/// The frames with wrong samples.
const WRONG: Range<usize> = 20_100..21_100;
/// Length of a fade in frames.
const FADE: usize = 384;
const LONG: Duration = Duration::from_secs(10);

/// A stem with one packet of wrong samples, and a good one on the right.
fn mix(wrong: f64, wild: impl Fn(Track) -> Track) -> (Session, TrackId) {
    let mut mix = Session::new(SPEC.rate, Layout::Stereo);
    let slow = |n: usize| 0.4 * (n as f64 * 0.01).sin();
    let samples = (0..LENGTH)
        .map(|n| if WRONG.contains(&n) { wrong } else { slow(n) })
        .collect();
    let id = mix.add_track(wild(Track::new(
        "wild",
        Memory::new(SPEC, vec![samples]).unwrap(),
    )));
    let tame = (0..LENGTH as u64).map(|n| 0.25 * noise(3, 4, n)).collect();
    mix.add_track(Track::new("tame", Memory::new(SPEC, vec![tame]).unwrap()).pan(Pan::RIGHT));
    (mix, id)
}

fn said(player: &Player) -> Vec<String> {
    assert!(
        player
            .warnings()
            .iter()
            .all(|w| w.kind.code() == "W116" && w.track() == Some("wild"))
    );
    player.warnings().iter().map(ToString::to_string).collect()
}

#[test]
fn a_stem_that_blows_up_behind_a_low_fader_is_muted_and_the_others_play_on() {
    let (mix, _) = mix(100.0, |t| t.pan(Pan::LEFT).gain(Decibels(-20.0)));
    let whole = mix.render(Frames(0)..Frames(LENGTH as u64)).unwrap();
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new(), &mix);
    let heard = fake.take(LENGTH, mix.layout, &[480, 17]);
    let same = |ch: usize, n: usize| heard[ch][n].to_bits() == whole[ch][n].to_bits();
    assert_eq!((0..LENGTH).find(|n| !same(1, *n)), None);
    // At most a block too early, never too late.
    let muted = (0..LENGTH).find(|n| !same(0, *n)).unwrap();
    assert!(
        (WRONG.start - 256..=WRONG.start).contains(&muted),
        "{muted}"
    );
    // A straight line from the last frame before, and silence.
    let last = heard[0][muted - 1];
    for n in 0..FADE {
        let line = last * (FADE - n - 1) as f64 / FADE as f64;
        assert!((heard[0][muted + n] - line).abs() < 1e-15, "frame {n}");
    }
    assert!(heard[0][muted + FADE..].iter().all(|x| *x == 0.0));
    assert_eq!(fake.finish(&player, 2), State::Ended);
    let text = "muted from 00:00:00.416 on: its stem peaks at +40.0 dBFS, far above the level of normal recordings";
    assert_eq!(said(&player), [format!("W116 track \"wild\": {text}")]);
    assert_eq!(muted, 19_968, "the warning has the time of the block");
    assert_eq!(player.underruns().count, 0);
}

#[test]
fn a_new_start_lets_it_be_heard_again_and_tells_it_once() {
    let (mix, id) = mix(-1e6, |t| t);
    let whole = mix.render(Frames(0)..Frames(LENGTH as u64)).unwrap();
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new(), &mix);
    for to in [30_000, 15_000, 30_000] {
        fake.take(24_000, mix.layout, &[480]);
        assert_eq!(said(&player).len(), 1);
        player.pause();
        soon(LONG, || player.state() == State::Paused);
        while fake.with(|callback, _| callback.available()).unwrap() > 0 {
            fake.pull::<f64>(64, 2);
        }
        player.seek(Frames(to as u64));
        player.play();
        soon(LONG, || {
            player.position() == Frames(to as u64) && player.state() == State::Playing
        });
        let heard = fake.take(4_500, mix.layout, &[480]);
        for n in FADE..4_500 {
            assert_eq!(
                heard[0][n].to_bits(),
                whole[0][to + n].to_bits(),
                "frame {n} from {to}"
            );
        }
        player.seek(Frames(0));
        soon(LONG, || {
            fake.ask(64, 2);
            player.position() < Frames(2_000)
        });
    }
    player.set_gain(id, Decibels(0.0)).unwrap();
    assert_eq!(said(&player).len(), 1);
}

#[test]
fn what_is_loud_but_not_absurd_is_played_as_it_is() {
    let (mix, _) = mix(15.848, |t| t.gain(Decibels(60.0)));
    let whole = mix.render(Frames(0)..Frames(LENGTH as u64)).unwrap();
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new(), &mix);
    let heard = fake.take(LENGTH, mix.layout, &[480]);
    super::renders::same_bits(&whole, &heard);
    assert!(said(&player).is_empty());
}
