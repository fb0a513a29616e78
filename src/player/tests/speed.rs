//! Faster and slower playback: what is heard is the frame that the position states.

use super::fake::Fake;
use crate::{
    Frames, Layout, PlayerBuilder, SampleRate, Session, Spec, State, Track, media::Memory,
};
use std::f64::consts::TAU;

const FRAMES: u64 = 120_000;
/// The filter of `rubato` is centred one step of its table, of 512 for a frame, ahead.
const TABLE_STEP: f64 = 1.0 / 512.0;

/// A sine with a period of 96 frames, so that a sample shows its frame.
fn sine() -> Session {
    let spec = Spec {
        rate: SampleRate::HZ_48000,
        layout: Layout::Mono,
    };
    let samples = (0..FRAMES).map(|n| 0.5 * (n as f64 * TAU / 96.0).sin());
    let mut mix = Session::new(spec.rate, spec.layout);
    mix.add_track(Track::new(
        "sine",
        Memory::new(spec, vec![samples.collect()]).unwrap(),
    ));
    mix
}

#[test]
fn what_is_heard_at_any_speed_is_the_frame_of_that_time() {
    let mix = sine();
    for (speed, device) in [
        (0.25, 48_000),
        (0.7, 48_000),
        (1.5, 44_100),
        (2.0, 96_000),
        (4.0, 48_000),
    ] {
        let fake = Fake::default();
        *fake.0.spec.lock().unwrap() = Some(Spec {
            rate: SampleRate::new(device).unwrap(),
            layout: Layout::Mono,
        });
        let player = fake.play(&PlayerBuilder::new().paused(true), &mix);
        player.set_speed(speed).unwrap();
        player.play();
        let heard = fake.take(20_000, Layout::Mono, &[480]);
        // Frames of the session for one of the device, and the place of the first: the filter's delay, in whole frames of the
        // device.
        let step = speed * 48_000.0 / f64::from(device);
        let start = (128.0 / step).ceil() * step - 128.0;
        assert!((0.0..step).contains(&start));
        // The start of the sine is that of the filter's ringing, 256 frames.
        let first = (256.0 / step).ceil() as usize;
        for (n, x) in heard[0].iter().enumerate().skip(first) {
            let expected = 0.5 * ((start + TABLE_STEP + n as f64 * step) * TAU / 96.0).sin();
            assert!(
                (x - expected).abs() < 2e-6,
                "speed {speed}, frame {n}: {x} {expected}"
            );
        }
        // The last buffer, of 320 frames, is on its way to the loudspeaker.
        let position = (19_680.0 * step) as u64;
        assert!(
            player.position().0.abs_diff(position) <= 1,
            "{}",
            player.position()
        );
        assert_eq!(fake.finish(&player, 1), State::Ended);
        assert_eq!(player.position(), Frames(FRAMES));
        assert_eq!(player.underruns().count, 0);
    }
}

#[test]
fn a_change_of_speed_goes_on_where_its_fade_ends() {
    let mix = sine();
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new(), &mix);
    fake.take(9_600, Layout::Mono, &[480]);
    player.set_speed(2.0).unwrap();
    assert!(player.set_speed(f64::NAN).is_err());
    // All that was rendered ahead, the fade, and then twice as many frames of the session.
    super::fake::soon(std::time::Duration::from_secs(10), || {
        fake.take(480, Layout::Mono, &[480]);
        player.position() >= Frames(20_000)
    });
    let before = player.position().0;
    let heard = fake.take(4_800, Layout::Mono, &[480]);
    assert_eq!(player.position().0 - before, 9_600);
    // A buffer of 480 frames is on its way to the loudspeaker.
    let expected =
        0.5 * ((before as f64 + TABLE_STEP + 2.0 * (480.0 + 4_799.0)) * TAU / 96.0).sin();
    let last = heard[0][4_799];
    assert!((last - expected).abs() < 2e-6, "{last} {expected}");
    // Back to the speed of the session: the bits of the mix.
    player.set_speed(1.0).unwrap();
    super::fake::soon(std::time::Duration::from_secs(10), || {
        fake.take(480, Layout::Mono, &[480]);
        player.position() >= Frames(60_000)
    });
    let at = player.position().0 as usize + 480;
    let heard = fake.take(1_000, Layout::Mono, &[480]);
    assert_eq!(
        heard[0],
        mix.render(Frames(at as u64)..Frames(at as u64 + 1_000))
            .unwrap()[0]
    );
}

#[test]
fn a_loop_behind_the_position_takes_effect_at_the_next_pass() {
    let mix = sine();
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new(), &mix);
    fake.take(60_000, Layout::Mono, &[480]);
    player.set_loop(Some(Frames(10_000)..Frames(20_000)));
    assert_eq!(fake.finish(&player, 1), State::Ended);
    player.play();
    let heard = fake.take(50_000, Layout::Mono, &[480]);
    let whole = mix.render(Frames(0)..Frames(20_000)).unwrap();
    assert_eq!(heard[0][..20_000], whole[0]);
    assert_eq!(heard[0][40_000..50_000], whole[0][10_000..]);
}
