//! The callback never allocates, whatever commands the player executes; and its sample formats.

use super::{
    fake::{Fake, SetOnDrop, soon},
    renders::stem,
};
use crate::{
    Decibels, Frames, Layout, Pan, PlayerBuilder, SampleRate, Session, State, Track,
    player::callback::DeviceSample,
};
use assert_no_alloc::{AllocDisabler, assert_no_alloc};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

/// Aborts the process if the callback allocates or frees.
#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

#[test]
fn the_callback_never_allocates_through_a_storm_of_commands() {
    let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    let ids: Vec<_> = (0..8)
        .map(|n| {
            mix.add_track(Track::new(
                format!("t{n}"),
                stem(n, 44_100, Layout::Stereo, 60_000),
            ))
        })
        .collect();
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new(), &mix);
    player.set_loop(Some(Frames(1_000)..Frames(60_000)));
    let over = AtomicBool::new(false);
    let calls = thread::scope(|threads| {
        let until = SetOnDrop(&over);
        let device = threads.spawn(|| {
            let (mut out, mut calls) = (vec![0f32; 2 * 4096], 0u64);
            while !over.load(Ordering::Acquire) {
                for frames in [128, 1, 0, 17, 4096, 333] {
                    fake.with(|callback, _| {
                        assert_no_alloc(|| callback.serve(&mut out[..2 * frames], 100))
                    })
                    .unwrap();
                    calls += 1;
                }
                thread::sleep(Duration::from_millis(2));
            }
            calls
        });
        let start = Instant::now();
        let mut n = 0u64;
        while start.elapsed() < Duration::from_secs(3) {
            let (id, other) = (ids[n as usize % 8], player.clone());
            match n % 7 {
                0 => player.seek(Frames(n * 977 % 60_000)),
                1 => other.set_gain(id, Decibels(-(n as f64 % 30.0))).unwrap(),
                2 => player.set_pan(id, Pan(n as f64 % 3.0 - 1.0)).unwrap(),
                3 => player.set_mute(id, n.is_multiple_of(2)).unwrap(),
                4 => other.set_solo(id, n.is_multiple_of(3)).unwrap(),
                5 => player.pause(),
                _ => player.play(),
            }
            n += 1;
            thread::sleep(Duration::from_micros(300));
        }
        drop(until);
        device.join().unwrap()
    });
    assert!(calls > 2_000, "{calls}");
    // Nothing is stuck.
    player.play();
    player.seek(Frames(0));
    soon(Duration::from_secs(5), || {
        fake.pull::<f32>(64, 2);
        player.state() == State::Playing && player.position() > Frames(1_000)
    });
}

#[test]
fn words_are_rounded_once_and_never_wrap() {
    assert_eq!(
        [1.0, -1.0, 0.5, 2.0, f64::NAN].map(<i16 as DeviceSample>::from_f64),
        [i16::MAX, i16::MIN, 16_384, i16::MAX, 0]
    );
    assert_eq!(i16::from_f64(0.5 / 32_768.0), 0);
    assert_eq!(i16::from_f64(1.5 / 32_768.0), 2);
    assert_eq!(i32::from_f64(f64::INFINITY), 0);
    assert_eq!(i32::from_f64(1.0 - 2f64.powi(-31)), i32::MAX);
    assert_eq!(f32::from_f64(0.1), 0.1f32);
}
