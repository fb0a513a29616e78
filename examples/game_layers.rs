//! Music that follows a game: a layer fades in over one bar from a bar line, and a stinger is added at an exact frame, while
//! the music plays through the game's own audio callback.

use soundtrack::{
    Clip, Decibels, Frames, Layout, PlayerBuilder, Result, SampleRate, Session, Spec, Track,
    media::Memory,
};

const SPEC: Spec = Spec {
    rate: SampleRate::HZ_48000,
    layout: Layout::Stereo,
};
/// Frames of a bar at 120 beats per minute.
const BAR: u64 = 96_000;

/// A tone in stereo. A game would load `Input::bytes("bed.ogg", pack)`.
fn tone(hz: f64, frames: u64) -> Result<Memory> {
    let turn = hz * std::f64::consts::TAU / f64::from(SPEC.rate.hz());
    let sample = |n: u64| (0.2 * (n as f64 * turn).sin()) as f32;
    let samples: Vec<f32> = (0..2 * frames).map(|n| sample(n / 2)).collect();
    Memory::interleaved(SPEC, samples)
}

fn main() -> Result<()> {
    if std::env::args().any(|argument| matches!(argument.as_str(), "-h" | "--help")) {
        println!(
            "Plays layers of game music into a buffer: fades one in and adds a stinger while it plays."
        );
        return Ok(());
    }
    let mut music = Session::new(SPEC.rate, SPEC.layout);
    music.add_track(Track::new("bed", tone(110.0, 4 * BAR)?));
    let fight = Track::new("fight", tone(165.0, 4 * BAR)?).gain(Decibels::SILENCE);
    let fight = music.add_track(fight);
    let (player, mut callback) = PlayerBuilder::new().paused(true).own(&music, SPEC)?;

    // Danger: the layer fades in over the second bar.
    player.ramp_gain(fight, Decibels(-3.0), Frames(BAR), Frames(BAR))?;
    // The hero falls: a stinger on the third beat of the third bar. The edited session states the ramp as well.
    music.ramp_gain(fight, Decibels(-3.0), Frames(BAR), Frames(BAR));
    let hit = Frames(2 * BAR + BAR / 2);
    music.add_track(Track::of("stinger").clip(Clip::new(tone(880.0, 24_000)?).at(hit)));
    player.update_at(hit, &music)?;
    player.play();

    // What the game's audio device does.
    let mut buffer = [0.0f32; 2 * 480];
    while player.position() < Frames(3 * BAR) {
        callback.fill(&mut buffer, Frames(0));
        std::thread::sleep(std::time::Duration::from_micros(200));
    }
    println!(
        "played {} with {} underruns",
        player.position(),
        player.underruns().count
    );
    Ok(())
}

#[test]
fn it_runs_to_its_end() -> Result<()> {
    main()
}
