//! Law 7: outside clips the signal is exactly 0.0, minus infinity is exactly 0.0, a stem that ends changes no other.

use crate::random_sessions::session;
use proptest::prelude::*;
use soundtrack::{At, Clip, Decibels, Frames, Layout, Plan, SampleRate, Session, Track};
use soundtrack_test_support::renders::{length, noise, rendered, same_bits, stem};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn outside_clips_it_is_positive_zero(session in session()) {
        let end = length(&session);
        let mix = rendered(&session, 777, 1, 0..end + 500);
        let mut sounds = vec![false; mix[0].len()];
        for clip in session.tracks().iter().flat_map(|t| &t.clips) {
            let At::Frames(at) = clip.at else { panic!("{:?}", clip.at) };
            // A track with this clip alone tells how long it is.
            let mut alone = Session::new(SampleRate::HZ_48000, Layout::Mono);
            alone.add_track(Track::of("x").clip(clip.clone()));
            let stop = Plan::compile(&alone).unwrap().length().0 as usize;
            sounds[at.0 as usize..stop].fill(true);
        }
        for (n, sounds) in sounds.iter().enumerate().filter(|(_, s)| !**s) {
            for channel in &mix {
                prop_assert_eq!(channel[n].to_bits(), 0.0f64.to_bits(), "frame {}, sounds {}", n, sounds);
            }
        }
    }

    #[test]
    fn solo_is_muting_the_others(session in session(), which in 0usize..5) {
        let mut soloed = session;
        soloed.buses_mut().iter_mut().for_each(|b| b.strip.solo = false);
        soloed.tracks_mut().iter_mut().for_each(|t| t.strip.solo = false);
        let mut muted = soloed.clone();
        let which = which % soloed.tracks().len();
        soloed.tracks_mut()[which].strip.solo = true;
        for (i, track) in muted.tracks_mut().iter_mut().enumerate() {
            track.strip.mute |= i != which;
        }
        let end = length(&soloed);
        same_bits(&rendered(&soloed, 4096, 1, 0..end), &rendered(&muted, 4096, 1, 0..end));
    }
}

#[test]
fn the_end_of_one_stem_changes_no_other() {
    let rate = SampleRate::HZ_48000;
    let long = |session: &mut Session| {
        session.add_track(Track::new("long", stem(1, 48_000, Layout::Stereo, 9000)))
    };
    let mut one = Session::new(rate, Layout::Stereo);
    long(&mut one);
    let mut two = Session::new(rate, Layout::Stereo);
    two.add_track(Track::new("short", stem(2, 44_100, Layout::Mono, 3000)).gain(Decibels(-7.0)));
    long(&mut two);
    let end = Frames(3000).resampled(SampleRate::HZ_44100, rate).0;
    let (one, two) = (
        rendered(&one, 512, 1, 0..9000),
        rendered(&two, 512, 1, 0..9000),
    );
    for (a, b) in one.iter().zip(&two) {
        assert!(a[..end as usize] != b[..end as usize]);
        assert!(
            a[end as usize..]
                .iter()
                .zip(&b[end as usize..])
                .all(|(a, b)| a.to_bits() == b.to_bits())
        );
    }
}

#[test]
fn one_frame_sounds_in_one_frame() {
    let mut session = Session::new(SampleRate::HZ_48000, Layout::Mono);
    let hit = stem(7, 48_000, Layout::Mono, 10);
    session.add_track(
        Track::of("x").clip(
            Clip::new(hit)
                .from(Frames(3))
                .length(Frames(1))
                .at(Frames(100))
                .loops(1),
        ),
    );
    let mix = rendered(&session, 64, 1, 0..300);
    let sounding: Vec<usize> = (0..300).filter(|&n| mix[0][n] != 0.0).collect();
    assert_eq!(sounding, [100]);
    assert_eq!(mix[0][100], 0.25 * noise(7, 0, 3));
}

#[test]
fn minus_infinity_is_exact_on_every_fader() {
    let build = |track: f64, bus: f64, clip: f64, send: f64, master: f64| {
        let mut session = Session::new(SampleRate::HZ_48000, Layout::Stereo);
        session.master.gain = Decibels(master);
        let hall = session.add_bus(soundtrack::Bus::new("hall"));
        let group = session.add_bus(
            soundtrack::Bus::new("group")
                .gain(Decibels(bus))
                .send(hall, Decibels(send)),
        );
        let clip = Clip::new(stem(3, 48_000, Layout::Mono, 500)).gain(Decibels(clip));
        session.add_track(Track::of("x").clip(clip).gain(Decibels(track)).to(group));
        rendered(&session, 100, 1, 0..500)
    };
    let off = f64::NEG_INFINITY;
    let silent = |mix: Vec<Vec<f64>>| mix.iter().flatten().all(|x| *x == 0.0);
    assert!(!silent(build(0.0, 0.0, 0.0, 0.0, 0.0)));
    assert!(silent(build(off, 0.0, 0.0, 0.0, 0.0)));
    assert!(silent(build(0.0, off, 0.0, 0.0, 0.0)));
    assert!(silent(build(0.0, 0.0, off, 0.0, 0.0)));
    assert!(silent(build(0.0, 0.0, 0.0, 0.0, off)));
    let (with, without) = (
        build(0.0, 0.0, 0.0, -6.0, 0.0),
        build(0.0, 0.0, 0.0, off, 0.0),
    );
    assert!(
        with[0]
            .iter()
            .zip(&without[0])
            .all(|(a, b)| (a - b * (1.0 + 10f64.powf(-0.3))).abs() < 1e-15)
    );
}
