//! A practice app: loops a passage with one's own instrument muted, and follows what is heard.

use soundtrack::{
    Event, Frames, Layout, Marker, PlayerBuilder, Result, SampleRate, Session, Spec, Track,
    media::Memory,
};

fn tone(hz: f64) -> Result<Memory> {
    let spec = Spec {
        rate: SampleRate::HZ_48000,
        layout: Layout::Mono,
    };
    let turn = hz * std::f64::consts::TAU / 48_000.0;
    let samples: Vec<f32> = (0..96_000)
        .map(|n| (f64::from(n) * turn).sin() as f32 / 4.0)
        .collect();
    Memory::interleaved(spec, samples)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if std::env::args().any(|argument| matches!(argument.as_str(), "-h" | "--help")) {
        println!("Loops a part of a song without hardware, and prints the markers that it passes.");
        return Ok(());
    }
    let mut song = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    song.add_track(Track::new("piano", tone(220.0)?));
    song.add_track(Track::new("violin", tone(660.0)?));
    let marker = |at, name: &str| Marker {
        at: Frames(at),
        name: name.to_owned(),
    };
    song.markers = vec![marker(24_000, "bar 2"), marker(36_000, "bar 3")];

    // Without hardware; `PlayerBuilder::device` plays on one.
    let player = PlayerBuilder::new().paused(true).null(&song)?;
    let events = player.events();
    player.set_mute(player.part("track.violin")?, true)?;
    player.set_loop(Some(Frames(20_000)..Frames(40_000)));
    player.seek(Frames(20_000));
    player.play();
    for event in events.iter().take(5) {
        match event {
            Event::Looped { .. } => println!("again"),
            Event::Marker { name, .. } => println!("{name}"),
            other => println!("{other:?}"),
        }
    }
    Ok(())
}

#[test]
fn it_runs_to_its_end() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
