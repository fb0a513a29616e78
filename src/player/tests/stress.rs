//! Several threads control one player while a device requests buffers of odd sizes: no frame is lost, repeated or misplaced.
//!
//! A ramp on the left channel identifies every frame. Other controls change a strip on the right.

use super::{
    fake::{Fake, SetOnDrop, soon},
    renders::noise,
};
use crate::{
    Decibels, Frames, Layout, Pan, PlayerBuilder, SampleRate, Session, Spec, State, Track,
    media::Memory,
};
use std::{
    collections::HashSet,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

const SPEC: Spec = Spec {
    rate: SampleRate::HZ_48000,
    layout: Layout::Mono,
};
const LENGTH: u64 = 1 << 20;
/// From here on a fade is far steeper than the ramp.
const HIGH: u64 = 1 << 18;
/// The most frames of a loop.
const LONGEST: u64 = 5_500;
const PIECES: [u64; 9] = [1, 17, 128, 0, 441, 3, 1024, 64, 333];

fn mix() -> (Session, [crate::TrackId; 2]) {
    let mut mix = Session::new(SPEC.rate, Layout::Stereo);
    let ramp = (0..LENGTH).map(ramp).collect();
    let place =
        mix.add_track(Track::new("place", Memory::new(SPEC, vec![ramp]).unwrap()).pan(Pan::LEFT));
    let other = (0..LENGTH).map(|n| 0.25 * noise(9, 9, n)).collect();
    let other =
        mix.add_track(Track::new("other", Memory::new(SPEC, vec![other]).unwrap()).pan(Pan::RIGHT));
    (mix, [place, other])
}

fn ramp(frame: u64) -> f64 {
    (frame + 1) as f64 / LENGTH as f64
}

/// Returns the frame that a sample of the ramp identifies; `None` for a sample changed by a fade.
fn at(x: f64) -> Option<u64> {
    let n = x * LENGTH as f64;
    (n >= 1.0 && n == n.trunc()).then(|| n as u64 - 1)
}

/// A number up to a bound, from a seed.
fn pick(seed: u64, n: u64, most: u64) -> u64 {
    ((noise(seed, 0, n) + 1.0) / 2.0 * most as f64) as u64
}

/// Returns the runs of consecutive frames that the device received.
fn runs(left: &[f64]) -> Vec<(u64, u64)> {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    let mut open = false;
    for pair in left.windows(2) {
        let follows = pair[1] - pair[0] == 1.0 / LENGTH as f64;
        match (at(pair[0]).filter(|_| follows), open) {
            (Some(_), true) => runs.last_mut().unwrap().1 += 1,
            (Some(at), false) => runs.push((at, at + 1)),
            (None, _) => {}
        }
        open = follows && at(pair[0]).is_some();
    }
    runs
}

#[test]
fn nothing_is_lost_while_handles_come_and_go_and_faders_move() {
    let (mix, [place, other]) = mix();
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new(), &mix);
    let over = AtomicBool::new(false);
    let mut got = Vec::new();
    thread::scope(|threads| {
        let _over = SetOnDrop(&over);
        for seed in 0..4u64 {
            let (player, over) = (player.clone(), &over);
            threads.spawn(move || {
                for n in 0.. {
                    let again = player.clone();
                    match n % 5 {
                        0 => again
                            .set_gain(other, Decibels(noise(seed, 1, n) * 30.0))
                            .unwrap(),
                        1 => again.set_mute(other, n % 2 == 0).unwrap(),
                        2 => again.set_solo(place, n % 3 == 0).unwrap(),
                        3 => drop((again.levels(), again.loudness(), again.underruns())),
                        _ => assert_eq!(again.state(), State::Playing),
                    }
                    drop(again);
                    if over.load(Ordering::Acquire) {
                        break;
                    }
                    thread::sleep(Duration::from_micros(pick(seed, n, 200)));
                }
            });
        }
        let watched = (player.clone(), &over);
        threads.spawn(move || {
            let mut last = Frames(0);
            while !watched.1.load(Ordering::Acquire) {
                let now = watched.0.position();
                assert!(now >= last, "from {last} back to {now}");
                last = now;
            }
        });
        let start = Instant::now();
        for piece in PIECES.iter().cycle() {
            fake.until(*piece);
            got.extend(fake.pull::<f64>(*piece as usize, 2).chunks(2).map(|f| f[0]));
            assert_eq!(player.position().0, got.len() as u64 - piece);
            let enough = got.len() > 20_000 && start.elapsed() > Duration::from_millis(1_500);
            if enough || got.len() as u64 > LENGTH - 100_000 {
                break;
            }
        }
    });
    assert_eq!((0..got.len()).find(|n| got[*n] != ramp(*n as u64)), None);
    assert_eq!(player.underruns().count, 0);
}

#[test]
fn every_frame_is_that_of_its_place_through_a_storm_of_seeks_and_loops() {
    let (mix, [place, other]) = mix();
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new().at(Frames(HIGH)), &mix);
    let (over, given) = (AtomicBool::new(false), AtomicU64::new(0));
    let (targets, loops) = (
        Mutex::new(HashSet::from([HIGH])),
        Mutex::new(HashSet::new()),
    );
    let mut got = Vec::new();
    let end = LENGTH - 200_000;
    let mut checked = 0;
    thread::scope(|threads| {
        let _over = SetOnDrop(&over);
        for seed in 0..4u64 {
            let (player, over, given, targets, loops) =
                (player.clone(), &over, &given, &targets, &loops);
            threads.spawn(move || {
                for n in 0.. {
                    let again = player.clone();
                    match (seed + n) % 4 {
                        0 => {
                            let to = HIGH + pick(seed, n, end - HIGH);
                            targets.lock().unwrap().insert(to);
                            again.seek(Frames(to));
                        }
                        1 if n % 3 == 0 => again.set_loop(None),
                        1 => {
                            let from = HIGH + pick(seed + 10, n, end - HIGH);
                            let to = from + 500 + pick(seed + 20, n, LONGEST - 500);
                            loops.lock().unwrap().insert((to - 1, from));
                            again.set_loop(Some(Frames(from)..Frames(to)));
                            // Seeks close to the loop's end, so that the loop is reached soon.
                            let to = from.saturating_sub(700);
                            targets.lock().unwrap().insert(to);
                            again.seek(Frames(to));
                        }
                        2 => again
                            .set_gain(other, Decibels(noise(seed, 1, n) * 30.0))
                            .unwrap(),
                        _ => again.set_solo(place, n % 3 == 0).unwrap(),
                    }
                    drop(again);
                    given.fetch_add(1, Ordering::AcqRel);
                    if over.load(Ordering::Acquire) {
                        break;
                    }
                    thread::sleep(Duration::from_millis(20 + pick(seed + 30, n, 60)));
                }
            });
        }
        let start = Instant::now();
        for piece in PIECES.iter().cycle() {
            fake.pull::<f64>(0, 2);
            let there = fake
                .with(|callback, _| callback.available())
                .unwrap()
                .min(*piece) as usize;
            let heard: Vec<f64> = fake.pull::<f64>(there, 2).chunks(2).map(|f| f[0]).collect();
            // During playback the position is that of the buffer, unless a seek was just executed.
            if let ([run], now) = (runs(&heard).as_slice(), player.position().0)
                && (run.1 - run.0) as usize + 1 == there
            {
                assert!(
                    now == run.0 || targets.lock().unwrap().contains(&now),
                    "{now} while {run:?} is heard"
                );
                checked += u32::from(now == run.0);
            }
            got.extend(heard);
            if there == 0 {
                thread::sleep(Duration::from_micros(300));
            }
            // Enough commands and frames for the counts at the end, however busy the machine is.
            let enough =
                given.load(Ordering::Acquire) > 100 && got.len() > 300_000 && checked > 100;
            if enough && start.elapsed() > Duration::from_millis(2_500) {
                break;
            }
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "{} frames, {checked} places",
                got.len()
            );
        }
    });
    let (targets, loops) = (targets.into_inner().unwrap(), loops.into_inner().unwrap());
    let runs = runs(&got);
    // After a seek the sound fades in over 384 frames, the last of which is exact; the only other jumps are those of a
    // loop, which may occur during such a fade.
    let starts = |at: u64| targets.contains(&(at.wrapping_sub(383)));
    let turns = |at: u64| {
        loops
            .iter()
            .any(|l: &(u64, u64)| (l.1..l.1 + 384).contains(&at))
    };
    let (mut seeks, mut turned) = (0, 0);
    for run in &runs {
        assert!(
            starts(run.0) || turns(run.0),
            "from {} on, for no reason",
            run.0
        );
        seeks += u32::from(starts(run.0));
    }
    for pair in got.windows(2) {
        let (from, to) = (at(pair[0]), at(pair[1]));
        let turn = from.zip(to).is_some_and(|places| loops.contains(&places));
        turned += u32::from(turn);
        // A fade of at most full scale, which may coincide with the jump of a loop: loops are short.
        assert!(
            turn || (pair[1] - pair[0]).abs() < 1.0 / 384.0 + LONGEST as f64 / LENGTH as f64,
            "{pair:?}"
        );
    }
    println!(
        "{} frames in {} runs: {seeks} seeks, {turned} turns; {checked} positions checked",
        got.len(),
        runs.len()
    );
    assert!(
        seeks > 5 && turned > 0 && checked > 100,
        "{seeks} {turned} {checked}"
    );
    assert_eq!(player.underruns().count, 0);
    player.set_loop(None);
    player.seek(Frames(LENGTH - 5_000));
    soon(Duration::from_secs(10), || {
        fake.ask(64, 2);
        player.state() == State::Ended
    });
    assert_eq!(player.position(), player.length());
}
