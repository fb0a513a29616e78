//! Mixes two tones, one quieter and to the left, into a file: the shortest program.

use soundtrack::{Bounce, Decibels, Layout, Pan, SampleRate, Session, Spec, Track, media::Memory};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if std::env::args().any(|argument| matches!(argument.as_str(), "-h" | "--help")) {
        println!("Mixes two tones into target/first_mix.wav, and prints its report.");
        return Ok(());
    }
    let rate = SampleRate::HZ_48000;
    // Files work in the same way: Track::new("low", "low.flac").
    let tone = |hz: f64| {
        let samples = (0..96_000)
            .map(|n| 0.4 * (f64::from(n) * hz * std::f64::consts::TAU / 48_000.0).sin())
            .collect();
        Memory::new(
            Spec {
                rate,
                layout: Layout::Mono,
            },
            vec![samples],
        )
    };

    let mut mix = Session::new(rate, Layout::Stereo);
    mix.add_track(Track::new("low", tone(220.0)?));
    mix.add_track(
        Track::new("high", tone(330.0)?)
            .gain(Decibels(-6.0))
            .pan(Pan(-0.5)),
    );
    std::fs::create_dir_all("target")?;
    let report = Bounce::new()
        .overwrite(true)
        .run(&mix, "target/first_mix.wav")?;
    println!("{report}");
    Ok(())
}
