//! Random operations for a long time: nothing leaks, nothing is stuck.
//!
//! ```sh
//! SOUNDTRACK_SOAK_S=3600 cargo test --release --lib soak -- --ignored --nocapture
//! ```

use super::{
    fake::{Fake, soon},
    sessions::{noise, stem},
};
use crate::{Decibels, Frames, Layout, Pan, Play, SampleRate, Session, State, Track, player::line::Trouble};
use std::{
    env, fs,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

/// Threads, open descriptors, and resident memory in KiB; `None` where the system does not tell.
fn held() -> Option<(usize, usize, u64)> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let number = |key: &str| status.lines().find_map(|l| l.strip_prefix(key))?.split_whitespace().next()?.parse().ok();
    Some((
        fs::read_dir("/proc/self/task").ok()?.count(),
        fs::read_dir("/proc/self/fd").ok()?.count(),
        number("VmRSS:")?,
    ))
}

#[test]
#[ignore = "counts what the whole process holds, so it runs alone"]
fn soak() {
    let seconds = env::var("SOUNDTRACK_SOAK_S").ok().and_then(|s| s.parse().ok()).unwrap_or(20);
    let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    let ids: Vec<_> = (0..16)
        .map(|n| {
            let rate = [48_000, 44_100][n as usize % 2];
            mix.add_track(Track::new(format!("t{n}"), stem(n, rate, Layout::Stereo, 400_000)))
        })
        .collect();
    let fake = Fake::default();
    let player = fake.play(&Play::new(), &mix);
    let over = AtomicBool::new(false);
    let mut operations = [0u64; 8];
    let held_after = thread::scope(|threads| {
        threads.spawn(|| {
            while !over.load(Ordering::Acquire) {
                // No device while it is lost.
                fake.with(|callback, _| callback.serve(&mut [0f32; 2 * 128], 64));
                thread::sleep(Duration::from_micros(2_600));
            }
        });
        let (start, mut n) = (Instant::now(), 0u64);
        let mut early = None;
        while start.elapsed() < Duration::from_secs(seconds) {
            n += 1;
            let pick = ((noise(1, 2, n) + 1.0) * 4.0) as usize % 8;
            let id = ids[(n * 7 % 16) as usize];
            operations[pick] += 1;
            match pick {
                0 => player.play(),
                1 => player.pause(),
                2 => player.seek(Frames(((noise(3, 4, n) + 1.0) * 200_000.0) as u64)),
                3 => player.set_gain(id, Decibels(noise(5, 6, n) * 20.0)),
                4 => player.set_mute(id, n.is_multiple_of(2)),
                5 => player.set_pan(id, Pan(noise(7, 8, n))),
                6 => player.set_loop((!n.is_multiple_of(3)).then(|| Frames(n % 1_000)..Frames(n % 1_000 + 50_000))),
                _ if n.is_multiple_of(5) => drop(fake.with(|_, line| line.fail(Trouble::Gone))),
                _ => player.set_solo(id, n.is_multiple_of(4)),
            }
            thread::sleep(Duration::from_millis(n % 40));
            if early.is_none() && start.elapsed() > Duration::from_secs(seconds / 4) {
                early = Some(held());
            }
        }
        player.set_loop(None);
        ids.iter().for_each(|id| player.set_solo(*id, false));
        // Nothing is stuck: it plays on, and ends.
        player.play();
        player.seek(Frames(390_000));
        soon(Duration::from_secs(10), || {
            player.play();
            player.state() == State::Playing && player.position() > Frames(390_000)
        });
        soon(Duration::from_secs(10), || player.position() < Frames(390_000) || player.state() == State::Ended);
        let now = held();
        over.store(true, Ordering::Release);
        (early.flatten(), now)
    });
    println!("{operations:?} operations, {:?} after a quarter and at the end (threads, descriptors, KiB)", held_after);
    let (Some(early), Some(late)) = held_after else { return println!("skipped: this system does not tell") };
    assert!(late.0 <= early.0 + 1 && late.1 <= early.1, "{early:?} {late:?}");
    assert!(late.2 as f64 <= early.2 as f64 * 1.01 + 512.0, "{early:?} {late:?}");
    drop(player);
    // The threads that read ahead end by themselves.
    soon(Duration::from_secs(2), || held().is_some_and(|h| h.0 <= 3));
}
