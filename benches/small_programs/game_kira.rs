use kira::{
    AudioManager, AudioManagerSettings, Decibels, StartTime, Tween,
    backend::mock::{MockBackend, MockBackendSettings},
    clock::ClockSpeed,
    sound::static_sound::StaticSoundData,
};
use std::time::Duration;

const BAR: u64 = 4;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut manager = AudioManager::<MockBackend>::new(AudioManagerSettings {
        backend_settings: MockBackendSettings {
            sample_rate: 48_000,
        },
        ..Default::default()
    })
    .expect("the mock backend starts");
    let mut clock = manager.add_clock(ClockSpeed::TicksPerMinute(120.0))?;
    let start = clock.time();
    manager.play(StaticSoundData::from_file("bed.ogg")?.start_time(start))?;
    let fight = StaticSoundData::from_file("fight.ogg")?
        .volume(Decibels::SILENCE)
        .start_time(start);
    let mut fight = manager.play(fight)?;
    clock.start();

    let fade_in = Tween {
        start_time: StartTime::ClockTime(start + BAR),
        duration: Duration::from_secs(2),
        ..Default::default()
    };
    fight.set_volume(Decibels(-3.0), fade_in);
    let hit = StaticSoundData::from_file("hit.ogg")?;
    manager.play(hit.start_time(start + 2 * BAR + BAR / 2))?;

    while clock.time() < start + 3 * BAR {
        manager.backend_mut().on_start_processing();
        manager.backend_mut().process();
    }
    Ok(())
}
