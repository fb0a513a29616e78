//! Playing in real time: how long the callback takes, how much of a core the engine takes, how long a move takes to be
//! heard, and whether anything came too late.
//!
//! ```sh
//! cargo bench --bench live                           # a row of each kind, ten seconds each
//! cargo bench --bench live -- 128 FLAC 128 600       # stems, format, frames of a callback, seconds
//! ```
//!
//! No sound card: a thread with a clock asks as a device would, for stereo at 48 kHz. It has no real-time priority, so
//! what the system takes away from it counts against the figures.

use soundtrack::{
    Decibels, Frames, Insert, Layout, Pan, Player, PlayerBuilder, SampleRate, Session, Spec, State,
    Track,
};
use soundtrack_cli::demo::{
    encode::{self, Format},
    musical,
};
use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

const RATE: u32 = 48_000;
const SPEC: Spec = Spec {
    rate: SampleRate::HZ_48000,
    layout: Layout::Stereo,
};
const DIFFERENT: usize = 8;
const MOST: usize = 128;
/// Level that a fader is moved to and back from.
const LOWER: Decibels = Decibels(-6.0);
/// Moves of a fader that are timed.
const MOVES: usize = 60;
/// Length of the stems; they are looped.
const SECONDS: usize = 20;
/// The upper ends of the histogram's classes, in percent of a period.
const CLASSES: [f64; 8] = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 20.0, 100.0];

fn make(folder: &Path, ending: &str, format: Format) {
    for i in 0..MOST {
        let path = folder.join(format!("{i}.{ending}"));
        if i < DIFFERENT {
            let take = musical::musical(i as u64, RATE, SECONDS * RATE as usize)
                .map(|c| c.into_iter().map(|x| x / 16.0).collect::<Vec<_>>());
            encode::write(&path, format, RATE, &take).expect("room for the stems");
        } else {
            let same = folder.join(format!("{}.{ending}", i % DIFFERENT));
            fs::hard_link(&same, &path)
                .or_else(|_| fs::copy(&same, &path).map(drop))
                .expect("room for the stems");
        }
    }
}

fn session(folder: &Path, ending: &str, stems: usize) -> Session {
    let mut session = Session::new(SPEC.rate, SPEC.layout);
    for i in 0..stems {
        let track = Track::new(format!("stem {i}"), folder.join(format!("{i}.{ending}")));
        session.add_track(
            track
                .gain(Decibels(-1.0))
                .pan(Pan((i % 9) as f64 / 4.0 - 1.0)),
        );
    }
    session
}

/// Returns the processor time of the threads of this process whose names start with `name`, in seconds; `None` if the system
/// does not report it.
fn processor(name: &str) -> Option<f64> {
    let mut ticks = 0.0;
    for task in fs::read_dir("/proc/self/task").ok()?.flatten() {
        let stat = fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        let Some((before, after)) = stat.rsplit_once(')') else {
            continue;
        };
        if before
            .split_once('(')
            .is_some_and(|(_, n)| n.starts_with(name))
        {
            let fields: Vec<&str> = after.split_whitespace().collect();
            ticks += [11, 12]
                .iter()
                .filter_map(|i| fields.get(*i)?.parse::<f64>().ok())
                .sum::<f64>();
        }
    }
    Some(ticks / 100.0)
}

/// Measurements of the clock's thread.
struct Seen {
    /// Duration of every callback, in percent of the period.
    percent: Vec<f64>,
    /// Periods that the system let pass before it asked.
    late: usize,
}

/// Asks in real time until stopped.
fn device(
    callback: &mut soundtrack::Callback,
    frames: usize,
    mut heard: impl FnMut(&[f32]) -> bool,
) -> Seen {
    let period = Duration::from_secs_f64(frames as f64 / f64::from(RATE));
    let mut out = vec![0f32; 2 * frames];
    let mut seen = Seen {
        percent: Vec::new(),
        late: 0,
    };
    let mut due = Instant::now();
    loop {
        let start = Instant::now();
        callback.fill(&mut out, Frames(0));
        seen.percent
            .push(100.0 * start.elapsed().as_secs_f64() / period.as_secs_f64());
        if !heard(&out) {
            return seen;
        }
        due += period;
        let now = Instant::now();
        if now > due + period {
            seen.late += 1;
            // A device does not ask twice at once: what is lost is lost.
            due = now;
        }
        thread::sleep(due.saturating_duration_since(now));
    }
}

fn row(folder: &Path, ending: &str, stems: usize, frames: usize, seconds: u64) {
    let mix = session(folder, ending, stems);
    let (player, mut callback) = PlayerBuilder::new()
        .paused(true)
        .own(&mix, SPEC)
        .expect("a player");
    player.set_loop(Some(Frames(0)..player.length()));
    thread::sleep(Duration::from_millis(300));
    let start = Instant::now();
    player.play();
    let mut first = None;
    let before = (processor("soundtrack-play"), processor("soundtrack-ahea"));
    let seen = device(&mut callback, frames, |out| {
        if first.is_none() && out.iter().any(|x| *x != 0.0) {
            first = Some(start.elapsed());
        }
        start.elapsed() < Duration::from_secs(seconds)
    });
    let wall = start.elapsed().as_secs_f64();
    let core = |name, before: Option<f64>| {
        let used = processor(name)
            .zip(before)
            .map(|(now, before)| 100.0 * (now - before) / wall);
        used.map_or_else(|| "-".to_owned(), |used| format!("{used:.1} %"))
    };
    let mut sorted = seen.percent.clone();
    sorted.sort_by(f64::total_cmp);
    let at = |part: f64| sorted[((sorted.len() - 1) as f64 * part) as usize];
    let underruns = player.underruns();
    println!(
        "{stems} {ending} stems, {frames} frames a callback, {wall:.0} s: {} underruns ({} frames), clock late {} times",
        underruns.count, underruns.frames, seen.late
    );
    println!(
        "  callback, of its period: median {:.2} %, 99.9 % of them under {:.2} %, worst {:.2} %",
        at(0.5),
        at(0.999),
        at(1.0)
    );
    let mut low = 0;
    for class in CLASSES {
        let up_to = sorted.partition_point(|p| *p <= class);
        println!("    up to {class:>5} %  {:>8}", up_to - low);
        low = up_to;
    }
    println!("    longer         {:>8}", sorted.len() - low);
    println!(
        "  engine {} of a core, reading ahead {}; first sound {:.0} ms after play",
        core("soundtrack-play", before.0),
        core("soundtrack-ahea", before.1),
        first.map_or(f64::NAN, |f| 1000.0 * f.as_secs_f64())
    );
}

/// Measures the time from a call to its effect at the device, in ms.
fn latency(
    player: &Player,
    callback: &mut soundtrack::Callback,
    act: impl Fn(&Player),
    has_changed: impl Fn(&[f32]) -> bool,
) -> f64 {
    act(player);
    let start = Instant::now();
    let mut end = None;
    device(callback, 128, |out| {
        if has_changed(out) {
            end = Some(start.elapsed());
        }
        end.is_none() && start.elapsed() < Duration::from_secs(5)
    });
    end.map_or(f64::NAN, |e| 1000.0 * e.as_secs_f64())
}

fn latencies(folder: &Path, ending: &str) {
    seeks(ending, &session(folder, ending, 64));
    let mut mix = session(folder, ending, 64);
    for track in mix.tracks_mut() {
        let compressor = Insert::new("compressor").expect("a processor");
        track.strip.inserts.push(compressor);
    }
    seeks(&format!("{ending}, a compressor on each of"), &mix);
    faders(folder, ending);
}

/// Measures the time from a start or a seek to sound.
fn seeks(what: &str, mix: &Session) {
    let silent = |out: &[f32]| out.iter().all(|x| *x == 0.0);
    let sounds = |out: &[f32]| out.iter().any(|x| *x != 0.0);
    let start = Instant::now();
    let (player, mut callback) = PlayerBuilder::new().own(mix, SPEC).expect("a player");
    let made = start.elapsed();
    let first = latency(&player, &mut callback, |_| (), sounds);
    let mut seeks = Vec::new();
    for n in 0..20u64 {
        // A seek from silence: what sounds then is the new place.
        player.pause();
        latency(&player, &mut callback, |_| (), silent);
        let to = Frames(n * 7_919 % 20 * u64::from(RATE) + 1_000);
        let seek = latency(
            &player,
            &mut callback,
            |p| {
                p.seek(to);
                p.play();
            },
            sounds,
        );
        seeks.push(seek);
    }
    seeks.sort_by(f64::total_cmp);
    println!(
        "{what} 64 stems: checked and opened in {:.0} ms, first sound {first:.0} ms after that; a seek sounds after {:.0} ms \
         (worst of {}: {:.0})",
        1000.0 * made.as_secs_f64(),
        seeks[seeks.len() / 2],
        seeks.len(),
        seeks[seeks.len() - 1]
    );
    assert_ne!(player.state(), State::Failed);
}

/// Measures from the call that moves a fader to the first frame at the device that it changes: where the frame lies
/// in the buffer counts. Which frames are others is known from bounces at both places of the fader.
fn faders(folder: &Path, ending: &str) {
    let mut mix = session(folder, ending, 64);
    let all = Frames(0)..Frames(SECONDS as u64 * u64::from(RATE));
    let bounced = [Decibels::UNITY, LOWER].map(|gain| {
        mix.master.gain = gain;
        mix.render(all.clone()).expect("a bounce")
    });
    mix.master.gain = Decibels::UNITY;
    let (player, mut callback) = PlayerBuilder::new().own(&mix, SPEC).expect("a player");
    #[expect(clippy::cast_possible_truncation, reason = "as a device takes it")]
    let bounced = bounced.map(|c| {
        c[0].iter()
            .zip(&c[1])
            .flat_map(|(l, r)| [*l as f32, *r as f32])
            .collect::<Vec<_>>()
    });
    let sounds = |frame: &[f32]| frame.iter().any(|x| *x != 0.0);
    let lead = bounced[0]
        .chunks(2)
        .position(sounds)
        .expect("the stems sound");
    let (mut times, mut place, mut at, mut settled) = (Vec::new(), 0, None, 0);
    let mut moved: Option<Instant> = None;
    device(&mut callback, 128, |out| {
        // Where the first sound of the bounce is in the first buffer that sounds.
        let Some(from) = at.map_or_else(|| out.chunks(2).position(sounds), |_| Some(0)) else {
            return true;
        };
        let start: usize = *at.get_or_insert(lead);
        let Some(there) = bounced[place].get(2 * start..2 * (start + 128 - from)) else {
            return false;
        };
        let other = out[2 * from..]
            .chunks(2)
            .zip(there.chunks(2))
            .position(|(heard, there)| heard != there);
        at = Some(start + 128 - from);
        match (moved, other) {
            (Some(since), Some(n)) => {
                times.push(1000.0 * (since.elapsed().as_secs_f64() + n as f64 / f64::from(RATE)));
                (moved, place, settled) = (None, 1 - place, 0);
            }
            // On its way still.
            (None, Some(_)) => settled = 0,
            (_, None) => settled += 1,
        }
        // Moved again some time after it has arrived, at no particular place of a block.
        if moved.is_none() && settled > 20 + times.len() * 7 % 13 {
            player
                .set_gain(
                    soundtrack::Selector::Master,
                    if place == 0 { LOWER } else { Decibels::UNITY },
                )
                .unwrap();
            moved = Some(Instant::now());
        }
        // A gap would move everything, so nothing more can be measured.
        times.len() < MOVES && player.underruns().count == 0
    });
    times.sort_by(f64::total_cmp);
    let (Some(worst), median) = (
        times.last(),
        times.get(times.len() / 2).copied().unwrap_or(f64::NAN),
    ) else {
        return println!(
            "  no move of a fader was heard: {} underruns",
            player.underruns().count
        );
    };
    println!(
        "  from moving a fader to the first frame that is another: median {median:.1} ms, worst {worst:.1} ms of {} moves, {} \
         underruns",
        times.len(),
        player.underruns().count
    );
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder for the stems");
    let given: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with("--"))
        .collect();
    make(folder.path(), "wav", Format::Wav(24));
    make(folder.path(), "flac", Format::Flac(24));
    if let [stems, format, frames, seconds] = given.as_slice() {
        let number = |text: &str| text.parse().expect("a number");
        let stems: u64 = number(stems);
        let frames: u64 = number(frames);
        return row(
            folder.path(),
            &format.to_lowercase(),
            (stems as usize).min(MOST),
            frames as usize,
            number(seconds),
        );
    }
    row(folder.path(), "wav", 32, 64, 10);
    row(folder.path(), "wav", 32, 512, 10);
    row(folder.path(), "flac", 32, 64, 10);
    row(folder.path(), "flac", 128, 128, 10);
    latencies(folder.path(), "wav");
    latencies(folder.path(), "flac");
}
