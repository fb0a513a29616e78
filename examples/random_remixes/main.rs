//! Renders random remixes of stems as training material, in memory: no files, no state between remixes.
//!
//! ```text
//! random_remixes [COUNT] [STEM...]      default: 1000 crops of four generated stems
//! ```
//!
//! Remix n is a function of the number n, which seeds gains, pans, mutes and the position of the crop. So a million remixes
//! are divided by their numbers: here among the cores of one machine, in the same way among many machines.

mod remix;

use soundtrack::{
    Error, ErrorKind, Frames, Input, Layout, Plan, Result, SampleRate, Session, Spec, Track, media,
};
use std::{thread, time::Instant};

/// Seconds of a crop.
const CROP_SECONDS: u64 = 10;

fn main() -> Result<()> {
    if std::env::args().any(|argument| matches!(argument.as_str(), "-h" | "--help")) {
        println!(
            "Renders random crops of random remixes: random_remixes [COUNT] [STEM...]. Without stems it uses tones."
        );
        return Ok(());
    }
    let mut arguments = std::env::args().skip(1).peekable();
    let count = arguments
        .next_if(|a| a.parse::<u64>().is_ok())
        .and_then(|a| a.parse().ok())
        .unwrap_or(1000);
    let files: Vec<Input> = arguments.map(Input::from).collect();
    let session = session(if files.is_empty() { tones()? } else { files });

    let clock = Instant::now();
    let energy = render_all(&session, count)?;
    let seconds = clock.elapsed().as_secs_f64();
    let samples = (count * crop_length(&session).0 * 2) as f64;
    println!(
        "{count} crops of {CROP_SECONDS} s in {seconds:.2} s: {:.0} per second, {:.2} dBFS RMS",
        count as f64 / seconds,
        10.0 * (energy / samples).log10()
    );
    Ok(())
}

/// Returns a session with a track for each stem, at the highest rate of the stems.
fn session(inputs: Vec<Input>) -> Session {
    let rate = media::highest_rate(&inputs).unwrap_or(SampleRate::HZ_44100);
    let mut session = Session::new(rate, Layout::Stereo);
    for (i, input) in inputs.into_iter().enumerate() {
        session.add_track(Track::new(format!("stem {i}"), input));
    }
    session
}

fn crop_length(session: &Session) -> Frames {
    Frames(CROP_SECONDS * u64::from(session.rate.hz()))
}

/// Renders this many remixes on all cores and returns the sum of their energies.
fn render_all(session: &Session, count: u64) -> Result<f64> {
    let (length, crop) = (Plan::compile(session)?.length(), crop_length(session));
    if length < crop {
        return Err(Error::new(
            ErrorKind::Session,
            format!("the stems are shorter than {CROP_SECONDS} s"),
        ));
    }
    let latest_start = (length - crop).0;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..count)
            .take(cores)
            .map(|first| {
                let seeds = (first..count).step_by(cores);
                scope.spawn(move || render(session.clone(), seeds, latest_start))
            })
            .collect();
        let mut energy = 0.0;
        for thread in threads {
            let panicked = |_| Err(Error::new(ErrorKind::Session, "a thread panicked"));
            energy += thread.join().unwrap_or_else(panicked)?;
        }
        Ok(energy)
    })
}

/// Renders the remixes of these seeds on one thread. A training step would take place here; the sum of energies stands in
/// for it.
fn render(
    mut session: Session,
    seeds: impl Iterator<Item = u64>,
    latest_start: u64,
) -> Result<f64> {
    let crop = crop_length(&session);
    let mut energy = 0.0;
    for seed in seeds {
        let start = remix::change(&mut session, seed, latest_start);
        let channels = session.render_on(1, start..start + crop)?;
        energy += channels.iter().flatten().map(|s| s * s).sum::<f64>();
    }
    Ok(energy)
}

/// Returns four mono stems of 30 s: tones that swell, each at its own rate.
fn tones() -> Result<Vec<Input>> {
    let spec = Spec {
        rate: SampleRate::HZ_44100,
        layout: Layout::Mono,
    };
    let tone = |hz: f64| {
        let sample = |n: u32| {
            let t = f64::from(n) / 44_100.0 * std::f64::consts::TAU;
            0.2 * (t * hz).sin() * (t * hz / 700.0).sin()
        };
        Ok(media::Memory::new(spec, vec![(0..30 * 44_100).map(sample).collect()])?.into())
    };
    [110.0, 165.0, 220.5, 331.0].into_iter().map(tone).collect()
}
