//! Random operations for a long time: nothing leaks, nothing is stuck.
//!
//! ```sh
//! MALLOC_ARENA_MAX=1 SOUNDTRACK_SOAK_S=3600 cargo test --release --lib soak -- --ignored --nocapture
//! MALLOC_ARENA_MAX=1 SOUNDTRACK_SOAK_FAST=1 SOUNDTRACK_SOAK_S=3600 cargo test --release --lib soak -- --ignored --nocapture
//! ```
//!
//! The second command plays as fast as the machine renders: hours of sound in one. The allocator of glibc keeps some freed
//! memory for each thread, which hides a trend; `MALLOC_ARENA_MAX=1` takes that away.

use super::{
    fake::{Fake, SetOnDrop, soon},
    renders::{noise, stem},
};
use crate::{
    Decibels, Frames, Insert, Layout, Pan, PlayerBuilder, SampleRate, Session, State, Track,
    player::stream_stats::DeviceFault,
};
use std::{
    env, fs,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

/// The stems of the test, in memory.
const STEMS_KIB: u64 = 16 * 400_000 * 2 * 8 / 1024;
/// Everything else: the program, the threads' stacks, and what is read ahead, 26 MiB for the session and 26 MiB for an edit.
/// The rest is memory that was freed, of which the allocator of glibc keeps some for each thread.
const OTHER_KIB: u64 = 192 * 1024;
/// Seconds after which memory shows a trend.
const TREND_S: u64 = 600;

/// Resources that the process holds.
#[derive(Clone, Copy, Debug)]
struct Held {
    threads: usize,
    descriptors: usize,
    resident_kib: u64,
}

/// Returns what the process holds; `None` on systems without `/proc`.
fn held() -> Option<Held> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let number = |key: &str| {
        status
            .lines()
            .find_map(|l| l.strip_prefix(key))?
            .split_whitespace()
            .next()?
            .parse()
            .ok()
    };
    Some(Held {
        threads: fs::read_dir("/proc/self/task").ok()?.count(),
        descriptors: fs::read_dir("/proc/self/fd").ok()?.count(),
        resident_kib: number("VmRSS:")?,
    })
}

#[test]
#[ignore = "counts what the whole process holds, so it runs alone"]
fn soak() {
    let seconds = env::var("SOUNDTRACK_SOAK_S")
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or(20);
    let fast = env::var_os("SOUNDTRACK_SOAK_FAST").is_some();
    let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    let ids: Vec<_> = (0..16)
        .map(|n| {
            let rate = [48_000, 44_100][n as usize % 2];
            mix.add_track(Track::new(
                format!("t{n}"),
                stem(n, rate, Layout::Stereo, 400_000),
            ))
        })
        .collect();
    // What a live edit changes to: another track, and a processor that remembers.
    let mut edited = mix.clone();
    edited.add_track(Track::new(
        "stinger",
        stem(99, 48_000, Layout::Mono, 24_000),
    ));
    let insert = Insert::new("lowpass").unwrap().set("freq", 900.0).unwrap();
    edited.track_mut(ids[0]).strip.inserts.push(insert);
    let fake = Fake::default();
    let latency = Duration::from_millis(if fast { 500 } else { 20 });
    let player = fake.play(&PlayerBuilder::new().latency(latency), &mix);
    let (over, played) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut operations = [0u64; 9];
    // The player's threads run, and those that read ahead for its session.
    let at_first = held();
    let memory = thread::scope(|threads| {
        let _over = SetOnDrop(&over);
        threads.spawn(|| {
            let mut buffer = [0f32; 2 * 128];
            while !over.load(Ordering::Acquire) {
                // There is no open device after a fault.
                let sounding = fake.with(|callback, _| {
                    let sounding = callback.available().min(128);
                    callback.serve(&mut buffer, 64);
                    sounding
                });
                played.fetch_add(sounding.unwrap_or(0), Ordering::Relaxed);
                if !fast || sounding.is_none_or(|frames| frames < 128) {
                    thread::sleep(Duration::from_micros(if fast { 100 } else { 2_600 }));
                }
            }
        });
        let (start, mut n) = (Instant::now(), 0u64);
        // Sampled a hundred times during the run.
        let (mut memory, mut steps) = (Vec::new(), 0);
        while start.elapsed() < Duration::from_secs(seconds) {
            n += 1;
            let pick = ((noise(1, 2, n) + 1.0) * 4.5) as usize % 9;
            let id = ids[(n * 7 % 16) as usize];
            operations[pick] += 1;
            match pick {
                0 => player.play(),
                // A fast run plays most of the time.
                1 if !fast || n.is_multiple_of(8) => player.pause(),
                2 => player.seek(Frames(((noise(3, 4, n) + 1.0) * 200_000.0) as u64)),
                3 => player
                    .set_gain(id, Decibels(noise(5, 6, n) * 20.0))
                    .unwrap(),
                4 => player.set_mute(id, n.is_multiple_of(2)).unwrap(),
                5 => player.set_pan(id, Pan(noise(7, 8, n))).unwrap(),
                6 => player.set_loop(
                    (!n.is_multiple_of(3)).then(|| Frames(n % 1_000)..Frames(n % 1_000 + 50_000)),
                ),
                7 => {
                    let edit = if n.is_multiple_of(2) { &edited } else { &mix };
                    player.update(edit).unwrap();
                }
                _ if n.is_multiple_of(5) => {
                    let _ = fake.with(|_, stats| stats.record_fault(DeviceFault::Disconnected));
                }
                _ => player.set_solo(id, n.is_multiple_of(4)).unwrap(),
            }
            thread::sleep(Duration::from_millis(n % 40));
            if start.elapsed() * 100 > Duration::from_secs(seconds) * (1 + steps) {
                steps += 1;
                memory.extend(held().map(|h| h.resident_kib));
            }
        }
        player.set_loop(None);
        ids.iter()
            .for_each(|id| player.set_solo(*id, false).unwrap());
        // Nothing is stuck: it plays on, and ends.
        player.play();
        player.seek(Frames(390_000));
        soon(Duration::from_secs(10), || {
            player.play();
            player.state() == State::Playing && player.position() > Frames(390_000)
        });
        soon(Duration::from_secs(10), || {
            player.position() < Frames(390_000) || player.state() == State::Ended
        });
        memory
    });
    println!(
        "{operations:?} operations in {:.2} hours of sound",
        played.load(Ordering::Relaxed) as f64 / (48_000.0 * 3600.0)
    );
    let Some(at_first) = at_first else {
        return println!("skipped: no /proc on this system");
    };
    // Each session that edits replaced had threads that read ahead for it. They end when it does, without being joined. The
    // thread of the callback has ended.
    soon(Duration::from_secs(10), || {
        held()
            .is_some_and(|h| h.threads <= at_first.threads && h.descriptors <= at_first.descriptors)
    });
    let most = |part: &[u64]| part.iter().copied().max().unwrap_or(u64::MAX);
    let early = most(&memory[memory.len() / 4..memory.len() / 2]);
    let late = most(&memory[memory.len() * 3 / 4..]);
    println!("{at_first:?} at first; {early} KiB in the second and {late} KiB in the last quarter");
    assert!(late < STEMS_KIB + OTHER_KIB, "{late} KiB");
    // The memory for frames read ahead changes with every seek, so only a run of minutes shows a trend.
    let shows_trend = seconds >= TREND_S && env::var("MALLOC_ARENA_MAX").is_ok_and(|n| n == "1");
    assert!(
        !shows_trend || late as f64 <= early as f64 * 1.01,
        "{early} {late} KiB"
    );
    drop(player);
    soon(Duration::from_secs(2), || {
        held().is_some_and(|h| h.threads <= 3)
    });
}
