//! Training material: crops of a mix with its stems, each with other gains, in buffers that are reused.

use soundtrack::{
    Crops, Decibels, Frames, Layout, Result, SampleRate, Selector, Session, Spec, Track,
    media::Memory,
};

const SPEC: Spec = Spec {
    rate: SampleRate::HZ_44100,
    layout: Layout::Stereo,
};

fn tone(hz: f64) -> Result<Memory> {
    let turn = hz * std::f64::consts::TAU / f64::from(SPEC.rate.hz());
    let sample = |n: u32| (f64::from(n / 2) * turn).sin() as f32 / 4.0;
    let samples: Vec<f32> = (0..2 * 441_000).map(sample).collect();
    Memory::interleaved(SPEC, samples)
}

fn main() -> Result<()> {
    if std::env::args().any(|argument| matches!(argument.as_str(), "-h" | "--help")) {
        println!(
            "Renders 100 random crops of three tones with their stems, as a training step takes them, and prints their level."
        );
        return Ok(());
    }
    let mut session = Session::new(SPEC.rate, SPEC.layout);
    let mut parts: Vec<Selector> = Vec::new();
    for (name, hz) in [("bass", 55.0), ("drums", 110.0), ("vocals", 440.0)] {
        parts.push(session.add_track(Track::new(name, tone(hz)?)).into());
    }
    let mut crops = Crops::new(&session, &parts)?;
    let samples = 2 * 2 * 44_100; // two seconds
    let (mut mix, mut targets) = (
        vec![0.0f32; samples],
        vec![vec![0.0f32; samples]; parts.len()],
    );
    let mut energy = 0.0;
    for n in 0..100u64 {
        for (i, part) in parts.iter().enumerate() {
            crops.set_gain(*part, Decibels(-(((n * 5 + i as u64 * 3) % 12) as f64)))?;
        }
        let at = Frames(n * 7_919 % (crops.length().0 - 88_200));
        let mut stems: Vec<&mut [f32]> = targets.iter_mut().map(Vec::as_mut_slice).collect();
        crops.render(at, &mut mix, &mut stems)?;
        // A training step goes here.
        energy += mix.iter().map(|x| f64::from(x * x)).sum::<f64>() / samples as f64;
    }
    println!("100 crops, {:.1} dBFS RMS", 10.0 * (energy / 100.0).log10());
    Ok(())
}

#[test]
fn it_runs_to_its_end() -> Result<()> {
    main()
}
