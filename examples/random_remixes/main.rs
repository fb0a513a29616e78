//! `random_remixes`: training material from seeds, in memory: no files, no state between items.
//!
//! ```text
//! random_remixes [COUNT] [STEM...]      default: 1000 crops of four generated stems
//! ```
//!
//! Remix number n is a function of n: gains, places, mutes and the crop come from it as a seed. So a million of them are
//! shared out by numbers: here to the cores of one machine, with a first number and a step to many.

mod remix;

use soundtrack::{
    Error, ErrorKind, Frames, Input, Layout, Plan, Result, SampleRate, Session, Spec, Track, media,
};
use std::{thread, time::Instant};

/// Seconds of a crop.
const CROP: u64 = 10;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).peekable();
    let count = arguments
        .next_if(|a| a.parse::<u64>().is_ok())
        .and_then(|a| a.parse().ok())
        .unwrap_or(1000);
    let files: Vec<Input> = arguments.map(Input::from).collect();
    let inputs = if files.is_empty() { tones()? } else { files };
    let rate = media::highest_rate(&inputs).unwrap_or(SampleRate::HZ_44100);
    let mut session = Session::new(rate, Layout::Stereo);
    for (i, input) in inputs.into_iter().enumerate() {
        session.add_track(Track::new(format!("stem {i}"), input));
    }
    let (length, crop) = (
        Plan::compile(&session)?.length(),
        Frames(CROP * u64::from(rate.hz())),
    );
    if length < crop {
        return Err(Error::new(
            ErrorKind::Session,
            format!("the stems are shorter than {CROP} s"),
        ));
    }
    let clock = Instant::now();
    let cores = thread::available_parallelism().map_or(1, usize::from) as u64;
    let loops = thread::scope(|threads| {
        let of = |first| {
            let mut session = session.clone();
            move || -> Result<f64> {
                let mut energy = 0.0;
                for seed in (first..count).step_by(usize::try_from(cores).unwrap_or(1)) {
                    let start = remix::change(&mut session, seed, (length - crop).0);
                    let channels = session.render_on(1, start..start + crop)?;
                    // What a training step would take: here its energy, so that there is something to show.
                    energy += channels.iter().flatten().map(|s| s * s).sum::<f64>();
                }
                Ok(energy)
            }
        };
        let loops: Vec<_> = (0..cores).map(|first| threads.spawn(of(first))).collect();
        let panicked = |_| {
            Err(Error::new(
                ErrorKind::Session,
                "a loop stopped without saying why",
            ))
        };
        loops
            .into_iter()
            .map(|l| l.join().unwrap_or_else(panicked))
            .collect::<Result<Vec<f64>>>()
    })?;
    let took = clock.elapsed().as_secs_f64();
    let samples = (count * crop.0 * 2) as f64;
    let level = 10.0 * (loops.iter().sum::<f64>() / samples).log10();
    println!(
        "{count} crops of {CROP} s in {took:.2} s: {:.0} a second, {level:.2} dBFS in the mean",
        count as f64 / took
    );
    Ok(())
}

/// Four mono stems of 30 s: tones that swell at rates of their own.
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
