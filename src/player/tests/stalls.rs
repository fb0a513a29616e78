//! Slow stems: a stall shorter than the read-ahead is not heard; a longer one is a counted gap in which all stems stay aligned.

use super::fake::{Busy, Fake, soon};
use crate::{
    Frames, Layout, Opener, PlayerBuilder, SampleRate, Session, Source, Spec, State, Track,
    block::Block, media::Memory,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

const SPEC: Spec = Spec {
    rate: SampleRate::HZ_48000,
    layout: Layout::Mono,
};
/// A latency beyond any delay of a thread on a busy machine.
const CALM: Duration = Duration::from_millis(400);
const LENGTH: u64 = 48_000 * 8;

/// A ramp whose reader stalls once, when it reaches a frame.
struct Slow {
    at: u64,
    stall_at: u64,
    stall: Duration,
    reads: Arc<AtomicU64>,
}

fn ramp(frame: u64) -> f64 {
    (frame + 1) as f64 / 1_048_576.0
}

impl Source for Slow {
    fn spec(&self) -> Spec {
        SPEC
    }
    fn length(&self) -> Option<Frames> {
        Some(Frames(LENGTH))
    }
    fn read(&mut self, out: &mut Block) -> crate::Result<usize> {
        let n = out.capacity().min((LENGTH - self.at) as usize);
        let end = self.at + n as u64;
        if (self.at..end).contains(&self.stall_at) && self.reads.fetch_add(1, Ordering::SeqCst) == 0
        {
            thread::sleep(self.stall);
        }
        out.set_frames(n);
        let at = self.at;
        out.channel_mut(0)
            .iter_mut()
            .enumerate()
            .for_each(|(i, x)| *x = ramp(at + i as u64));
        self.at = end;
        Ok(n)
    }
    fn seek(&mut self, to: Frames) -> crate::Result<()> {
        self.at = to.0;
        Ok(())
    }
}

/// Returns a stalling stem on the left and the same without a stall on the right, so that a misalignment is a difference.
fn mix(stall_at: u64, stall: Duration) -> Session {
    let mut mix = Session::new(SPEC.rate, Layout::Stereo);
    let reads = Arc::new(AtomicU64::new(0));
    let slow = Opener::new("slow", move || {
        Ok(Box::new(Slow {
            at: 0,
            stall_at,
            stall,
            reads: Arc::clone(&reads),
        }))
    });
    mix.add_track(Track::new("slow", slow).pan(crate::Pan::LEFT));
    let quick = Memory::new(SPEC, vec![(0..LENGTH).map(ramp).collect()]).unwrap();
    mix.add_track(Track::new("quick", quick).pan(crate::Pan::RIGHT));
    mix
}

/// Plays in real time, 10 ms at a time, and returns the frames.
fn heard(fake: &Fake, time: Duration) -> Vec<[f64; 2]> {
    let mut out = Vec::new();
    let start = Instant::now();
    for n in 1.. {
        out.extend(fake.pull::<f64>(480, 2).chunks(2).map(|f| [f[0], f[1]]));
        let due = Duration::from_millis(10) * n;
        if due > time {
            break;
        }
        thread::sleep(due.saturating_sub(start.elapsed()));
    }
    out
}

#[test]
fn a_stall_that_is_read_ahead_of_is_not_heard() {
    let session = mix(100_000, Duration::from_millis(500));
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new().latency(CALM), &session);
    fake.until(4_800);
    let heard = heard(&fake, Duration::from_secs(4));
    assert_eq!(
        (player.underruns().count, player.underruns().frames),
        (0, 0)
    );
    for (n, frame) in heard.iter().enumerate() {
        assert_eq!(*frame, [ramp(n as u64); 2], "frame {n}");
    }
}

#[test]
fn a_longer_stall_is_a_counted_gap_and_all_stems_stay_in_step() {
    let stall = Duration::from_millis(1_500);
    let session = mix(60_000, stall);
    let fake = Fake::default();
    let player = fake.play(
        &PlayerBuilder::new()
            .latency(CALM)
            .read_ahead(Duration::from_millis(300)),
        &session,
    );
    fake.until(4_800);
    let heard = heard(&fake, Duration::from_secs(4));
    let underruns = player.underruns();
    assert_eq!(underruns.count, 1);
    assert!(
        (28_800..76_800).contains(&underruns.frames),
        "{underruns:?}"
    );
    // Both stems stop together, fade out within 5 ms, and continue at the next frame.
    assert!(heard.iter().all(|[l, r]| l == r));
    let dry = (0..heard.len())
        .find(|n| heard[*n][0] != ramp(*n as u64))
        .unwrap();
    assert!(
        heard[dry..dry + 192].windows(2).all(|w| w[1][0] < w[0][0]),
        "no fade"
    );
    let gap = underruns.frames as usize;
    assert!(heard[dry + 192..dry + gap].iter().all(|f| *f == [0.0; 2]));
    for (n, frame) in heard.iter().enumerate().skip(dry + gap + 192) {
        assert_eq!(*frame, [ramp((n - gap) as u64); 2], "frame {n}");
    }
    assert_eq!(
        player.position().0,
        heard.len() as u64 - underruns.frames - 480
    );
}

#[test]
fn commands_are_obeyed_while_a_stem_hangs() {
    let session = mix(5_000, Duration::from_secs(4));
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new().read_ahead(Duration::ZERO), &session);
    fake.until(960);
    heard(&fake, Duration::from_millis(300));
    let (busy, start) = (Busy::watch(), Instant::now());
    player.pause();
    let took = soon(Duration::from_secs(3), || player.state() == State::Paused);
    assert!(took < busy.within(Duration::from_millis(100)), "{took:?}");
    drop(player);
    assert!(
        start.elapsed() < busy.within(Duration::from_millis(600)),
        "{:?}",
        start.elapsed()
    );
}
