//! A processor of one's own on a track: a tremolo, whose gain is a function of the absolute frame, so that every block, range and
//! thread gives the same samples.

use soundtrack::{
    Block, Bounce, Frames, Insert, Layout, SampleRate, Session, Spec, Track,
    dsp::{Memory, Processor},
    media,
};
use std::f64::consts::TAU;

/// Turns the level up and down.
struct Tremolo {
    /// Turns of the gain in a frame.
    speed: f64,
}

impl Processor for Tremolo {
    /// The output depends on no earlier input.
    fn memory(&self) -> Memory {
        Memory::Window(Frames(0))
    }

    fn reset(&mut self) {}

    fn process(&mut self, at: Frames, block: &mut Block, _key: Option<&Block>) {
        for samples in block.channels_mut() {
            for (n, sample) in samples.iter_mut().enumerate() {
                let turns = (at.0 + n as u64) as f64 * self.speed;
                *sample *= 0.7 + 0.3 * (TAU * turns.fract()).sin();
            }
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if std::env::args().any(|argument| matches!(argument.as_str(), "-h" | "--help")) {
        println!(
            "Mixes a tone through a tremolo of its own into target/own_insert.wav, and prints its report."
        );
        return Ok(());
    }
    let spec = Spec {
        rate: SampleRate::HZ_48000,
        layout: Layout::Mono,
    };
    let tone = (0..144_000)
        .map(|n| 0.4 * (f64::from(n) * 220.0 * TAU / 48_000.0).sin())
        .collect();
    // Called for every strip and render, with its rate and layout.
    let tremolo = Insert::custom("tremolo", |spec| {
        Box::new(Tremolo {
            speed: 5.0 / f64::from(spec.rate.hz()),
        })
    });

    let mut mix = Session::new(spec.rate, Layout::Stereo);
    let organ = Track::new("organ", media::Memory::new(spec, vec![tone])?);
    mix.add_track(organ.insert(tremolo));
    std::fs::create_dir_all("target")?;
    let report = Bounce::new()
        .overwrite(true)
        .run(&mix, "target/own_insert.wav")?;
    println!("{report}");
    Ok(())
}
