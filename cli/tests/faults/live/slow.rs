//! Disks that stall, and disks that are slow for ever.
//!
//! Stems are ramps, so that every frame shows its position. The output is compared with a model of the callback: sound, the
//! last frame dying away over 192 frames, silence, sound rising over 192 frames, each frame exact. All stems go through one
//! sum, and a quick one beside it shows a skew.

use crate::table::{Row, Seen, held};
use soundtrack::{
    Block, Callback, Frames, Layout, Opener, Pan, PlayerBuilder, Result, SampleRate, Session,
    Source, Spec, Track, Underruns, media::Memory,
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

pub const ROWS: &[Row] = &[
    Row {
        section: "live",
        fault: "slow disk: stalls of 50, 500, 5,000 ms",
        run: stalls,
    },
    Row {
        section: "live",
        fault: "slow disk: 1 MB/s for all stems",
        run: throttled,
    },
];

const SPEC: Spec = Spec {
    rate: SampleRate::HZ_48000,
    layout: Layout::Mono,
};
const LENGTH: u64 = 48_000 * 12;
/// Frames of the fades around a gap.
const FADE: u32 = 192;
/// Time that is rendered ahead: longer than a busy machine keeps a thread waiting.
const CALM: Duration = Duration::from_millis(400);
/// A file of 24 bits.
const BYTES_A_FRAME: u32 = 3;

/// Work of a disk before it returns this many frames from a position.
type Disk = Arc<dyn Fn(u64, usize) + Send + Sync>;

struct Slow {
    at: u64,
    disk: Disk,
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
    fn read(&mut self, out: &mut Block) -> Result<usize> {
        let n = out.capacity().min((LENGTH - self.at) as usize);
        (self.disk)(self.at, n);
        out.set_frames(n);
        let at = self.at;
        out.channel_mut(0)
            .iter_mut()
            .enumerate()
            .for_each(|(i, x)| *x = ramp(at + i as u64) / 8.0);
        self.at += n as u64;
        Ok(n)
    }
    fn seek(&mut self, to: Frames) -> Result<()> {
        self.at = to.0;
        Ok(())
    }
}

/// Returns a mix of slow stems on the left, and a fast stem of their sum on the right.
fn mix(stems: usize, disk: &Disk) -> Session {
    let mut mix = Session::new(SPEC.rate, Layout::Stereo);
    for n in 0..stems {
        let disk = Arc::clone(disk);
        let slow = Opener::new("slow", move || {
            Ok(Box::new(Slow {
                at: 0,
                disk: Arc::clone(&disk),
            }))
        });
        mix.add_track(Track::new(format!("slow {n}"), slow).pan(Pan::LEFT));
    }
    let quick = (0..LENGTH).map(|n| stems as f64 * ramp(n) / 8.0).collect();
    mix.add_track(Track::new("quick", Memory::new(SPEC, vec![quick]).unwrap()).pan(Pan::RIGHT));
    mix
}

/// A stretch of silence that was not meant.
struct Gap {
    /// Frames that were missing.
    frames: u64,
    /// Time at which the sound returned.
    end: Option<Instant>,
}

/// Asks for 10 ms every 10 ms, for so long; every frame and when it was asked for.
fn heard(callback: &mut Callback, time: Duration) -> Vec<([f32; 2], Instant)> {
    let (mut out, mut all) = (vec![0f32; 2 * 480], Vec::new());
    let start = Instant::now();
    for n in 1.. {
        callback.fill(&mut out, Frames(0));
        let now = Instant::now();
        all.extend(out.chunks(2).map(|f| ([f[0], f[1]], now)));
        let due = Duration::from_millis(10) * n;
        if due > time {
            break;
        }
        thread::sleep(due.saturating_sub(start.elapsed()));
    }
    all
}

/// Follows what was heard, frame by frame; the gaps.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the nearest f32, as a device takes it"
)]
fn gaps(heard: &[([f32; 2], Instant)], stems: usize) -> Vec<Gap> {
    let want = |frame: u64| stems as f64 * ramp(frame) / 8.0;
    let part = |k: u32| f64::from(k) / f64::from(FADE);
    let (mut gaps, mut next, mut silent, mut fading) = (Vec::<Gap>::new(), 0, false, FADE);
    let first = heard
        .iter()
        .position(|(f, _)| f[0] != 0.0)
        .expect("only silence was heard");
    for (n, ([left, right], when)) in heard.iter().enumerate().skip(first) {
        assert_eq!(left.to_bits(), right.to_bits(), "a skew at frame {n}");
        let step = (fading + 1).min(FADE);
        let rising = |k: u32| {
            if k == FADE {
                want(next) as f32
            } else {
                (want(next) * part(k)) as f32
            }
        };
        let dying = |k: u32| (want(next - 1) * (1.0 - part(k))) as f32;
        if !silent && *left == rising(step) {
            (next, fading) = (next + 1, step);
        } else if !silent && *left == dying(1) {
            gaps.push(Gap {
                frames: 1,
                end: None,
            });
            (silent, fading) = (true, 1);
        } else if silent && *left == if fading < FADE { dying(step) } else { 0.0 } {
            fading = step;
            gaps.iter_mut()
                .next_back()
                .into_iter()
                .for_each(|g| g.frames += 1);
        } else {
            assert!(
                silent && *left == rising(1),
                "frame {n}, place {next}: {left}, silent {silent}, fading {fading}"
            );
            (next, fading, silent) = (next + 1, 1, false);
            gaps.iter_mut()
                .next_back()
                .into_iter()
                .for_each(|g| g.end = Some(*when));
        }
    }
    gaps
}

fn check(gaps: &[Gap], underruns: Underruns) {
    assert_eq!(
        (
            gaps.len() as u64,
            gaps.iter().map(|g| g.frames).sum::<u64>()
        ),
        (underruns.count, underruns.frames)
    );
}

/// Stalls once at a frame; the gaps, and how long after the stall sound came back.
fn stall(stall: Duration) -> (Vec<Gap>, Option<Duration>) {
    let (stalled, ended) = (AtomicBool::new(false), Arc::new(Mutex::new(None)));
    let end = Arc::clone(&ended);
    let disk: Disk = Arc::new(move |at, n| {
        if (at..at + n as u64).contains(&144_000) && !stalled.swap(true, Ordering::SeqCst) {
            thread::sleep(stall);
            *end.lock().unwrap() = Some(Instant::now());
        }
    });
    let (player, mut callback) = PlayerBuilder::new()
        .latency(CALM)
        .own(
            &mix(1, &disk),
            Spec {
                layout: Layout::Stereo,
                ..SPEC
            },
        )
        .unwrap();
    let heard = heard(&mut callback, Duration::from_secs(4) + stall);
    let gaps = gaps(&heard, 1);
    check(&gaps, player.underruns());
    let ended = ended.lock().unwrap().expect("the stall was met");
    let back = gaps
        .last()
        .and_then(|g| g.end)
        .map(|back| back.saturating_duration_since(ended));
    (gaps, back)
}

fn stalls() -> Seen {
    let run = |ms: u64| thread::spawn(move || stall(Duration::from_millis(ms)));
    let [short, middle, long] = [50, 500, 5_000].map(run).map(|t| t.join());
    assert_eq!((short.unwrap().0.len(), middle.unwrap().0.len()), (0, 0));
    let (gaps, back) = long.unwrap();
    let back = back.expect("sound came back");
    assert_eq!(gaps.len(), 1);
    assert!(back < Duration::from_secs(1), "{back:?}");
    let gap = gaps[0].frames;
    // It was read 2 s ahead, and 0.4 s more were rendered.
    assert!((48_000 * 2..48_000 * 4).contains(&gap), "{gap}");
    let ms = back.as_millis();
    held(
        3,
        format!(
            "50, 500 ms: no gap; 5,000 ms: 1 gap of {gap} frames, all reported, sound {ms} ms after it; skew 0"
        ),
    )
}

/// Reads at 1 MB/s for so long, then as fast as it can; the gaps, and the last moment of the slow time.
fn slow(stems: usize, time: Duration) -> (Vec<Gap>, Instant) {
    let (free, end) = (Mutex::new(Instant::now()), Instant::now() + time);
    let disk: Disk = Arc::new(move |_, n| {
        let now = Instant::now();
        if now < end {
            let mut free = free.lock().unwrap();
            *free = now.max(*free) + Duration::from_micros(n as u64 * u64::from(BYTES_A_FRAME));
            let until = *free;
            drop(free);
            thread::sleep(until.min(end).saturating_duration_since(now));
        }
    });
    let (player, mut callback) = PlayerBuilder::new()
        .latency(CALM)
        .own(
            &mix(stems, &disk),
            Spec {
                layout: Layout::Stereo,
                ..SPEC
            },
        )
        .unwrap();
    let heard = heard(&mut callback, time + Duration::from_secs(3));
    let gaps = gaps(&heard, stems);
    check(&gaps, player.underruns());
    (gaps, end)
}

fn throttled() -> Seen {
    let time = Duration::from_secs(5);
    // 144 kB/s a stem: 720 kB/s can be read in time, 1,152 kB/s cannot.
    let [few, many] = [5, 8]
        .map(|stems| thread::spawn(move || slow(stems, time)))
        .map(|t| t.join().unwrap());
    assert_eq!(few.0.len(), 0);
    let (gaps, end) = many;
    assert!(!gaps.is_empty());
    let back = gaps
        .iter()
        .map(|g| {
            g.end
                .expect("sound came back")
                .saturating_duration_since(end)
        })
        .max()
        .unwrap_or_default();
    assert!(back < Duration::from_secs(1), "{back:?}");
    let (count, frames) = (gaps.len(), gaps.iter().map(|g| g.frames).sum::<u64>());
    let ms = back.as_millis();
    held(
        2,
        format!(
            "720 kB/s: no gap; 1,152 kB/s: gaps {count}, frames {frames}, all reported, {ms} ms after it none"
        ),
    )
}
