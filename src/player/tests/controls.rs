//! Controls, starts and stops do not click; position, levels and loudness are those of what is heard.

use super::fake::{Busy, Fake, soon};
use crate::{
    Decibels, Event, Frames, Insert, Layout, Pan, PanLaw, Player, PlayerBuilder, SampleRate,
    Selector, Session, Spec, State, Track, TrackId, media::Memory,
};
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(10);

/// Two constant signals of 0.4, so that every change of a gain shows in the samples.
fn level(frames: usize) -> (Session, TrackId) {
    let spec = Spec {
        rate: SampleRate::HZ_48000,
        layout: Layout::Stereo,
    };
    let mut mix = Session::new(spec.rate, spec.layout);
    mix.pan_law = PanLaw::Balance;
    let stem = || Memory::new(spec, vec![vec![0.4; frames]; 2]).unwrap();
    mix.add_track(Track::new("a", stem()));
    let id = mix.add_track(Track::new("b", stem()));
    (mix, id)
}

/// Returns the largest step between adjacent samples.
fn step(samples: &[f64]) -> f64 {
    samples
        .windows(2)
        .map(|w| (w[1] - w[0]).abs())
        .fold(0.0, f64::max)
}

/// Returns the samples after a command, until they have stayed at a level for 0.1 s.
fn after(fake: &Fake, command: impl Fn(), then: f64) -> Vec<f64> {
    command();
    let mut heard: Vec<f64> = Vec::new();
    soon(LONG, || {
        heard.extend(fake.ask(48, 2).chunks(2).map(|f| f[0]));
        heard.len() >= 9_600
            && heard
                .iter()
                .rev()
                .take(4_800)
                .all(|x| (x - then).abs() < 1e-9)
    });
    heard
}

#[test]
fn nothing_clicks() {
    let (mix, id) = level(48_000 * 20);
    let fake = Fake::default();
    let player = fake.play(
        &PlayerBuilder::new().latency(Duration::from_millis(80)),
        &mix,
    );
    fake.take(9_600, mix.layout, &[480]);
    let moves: [(&dyn Fn(&Player), f64); 9] = [
        (&|p| p.set_mute(id, true).unwrap(), 0.4),
        (&|p| p.set_mute(id, false).unwrap(), 0.8),
        (&|p| p.set_solo(id, true).unwrap(), 0.4),
        (&|p| p.set_gain(id, Decibels::SILENCE).unwrap(), 0.0),
        (&|p| p.set_gain(id, Decibels::UNITY).unwrap(), 0.4),
        (&|p| p.set_pan(id, Pan::RIGHT).unwrap(), 0.0),
        (&|p| p.set_pan(id, Pan::CENTRE).unwrap(), 0.4),
        (&|p| p.pause(), 0.0),
        (&|p| p.play(), 0.4),
    ];
    let mut last = 0.8;
    for (n, (change, then)) in moves.iter().enumerate() {
        let heard = after(&fake, || change(&player), *then);
        assert!(
            (heard[0] - last).abs() <= 0.4 / 384.0 + 1e-9,
            "{n}: starts at {}",
            heard[0]
        );
        // A straight line of 384 frames over at most 0.4; a fader at silence closes a gate too, two lines at once.
        assert!(
            step(&heard) <= 2.0 * 0.4 / 384.0 + 1e-9,
            "{n}: a step of {}",
            step(&heard)
        );
        last = *then;
    }
    assert_eq!(player.underruns().count, 0);
}

#[test]
fn a_change_is_heard_after_the_latency_or_a_request_and_what_is_spare() {
    for (latency, request, frames) in [
        (1, 128, 192),
        (4, 128, 256),
        (20, 128, 960),
        (20, 1_024, 1_984),
    ] {
        let (mix, id) = level(48_000 * 20);
        let fake = Fake::default();
        let builder = PlayerBuilder::new().latency(Duration::from_millis(latency));
        let player = fake.play(&builder, &mix);
        fake.take(8_192, mix.layout, &[request]);
        assert_eq!(
            fake.stats().target(),
            frames,
            "{latency} ms, {request} frames"
        );
        let queued = || fake.with(|callback, _| callback.available()).unwrap();
        soon(Duration::from_secs(10), || queued() >= frames);
        let queued = queued();
        assert!(queued < frames + 256, "{queued}");
        player.set_mute(id, true).unwrap();
        let heard = fake.take(2 * queued as usize, mix.layout, &[1]).remove(0);
        let unchanged = heard.iter().take_while(|x| **x == 0.8).count();
        assert!(
            (unchanged as u64).abs_diff(queued) <= 1,
            "{unchanged} of {queued}"
        );
    }
}

#[test]
fn the_position_is_what_is_heard() {
    let (mix, _) = level(48_000);
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new(), &mix);
    fake.until(960);
    assert_eq!(player.position(), Frames(0));
    let mut out = vec![0f64; 2 * 480];
    // The device has a delay of 1 000 frames.
    for n in 1..=40u64 {
        fake.until(480);
        fake.with(|callback, _| callback.serve(&mut out, 1_000))
            .unwrap();
        assert_eq!(player.position().0, (n * 480).saturating_sub(1_480));
    }
    player.pause();
    soon(LONG, || player.state() == State::Paused);
    let at = player.position();
    player.seek(Frames(100));
    soon(LONG, || player.position() == Frames(100));
    assert!(at > Frames(18_000));
    player.stop();
    soon(LONG, || player.position() == Frames(0));
}

#[test]
fn levels_show_peak_and_rms_of_every_strip() {
    let (mut mix, id) = level(96_000);
    let bus = mix.add_bus(crate::Bus::new("bus"));
    mix.track_mut(id).strip.to = Some(bus);
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new(), &mix);
    player.set_gain(id, Decibels(-20.0)).unwrap();
    fake.take(48_000, mix.layout, &[480]);
    let levels = player.levels();
    let near = |a: f64, b: f64| assert!((a - b).abs() < 0.01, "{a} {b}");
    let db = |x: f64| 20.0 * x.log10();
    near(levels.tracks[0].peak.0, db(0.4));
    near(levels.tracks[0].rms.0, db(0.4));
    near(levels.tracks[1].rms.0, db(0.04));
    near(levels.buses[0].rms.0, db(0.04));
    near(levels.master.rms.0, db(0.44));
    player.set_mute(id, true).unwrap();
    fake.take(40_000, mix.layout, &[480]);
    assert_eq!(player.levels().tracks[1].rms.0, f64::NEG_INFINITY);
    assert_eq!(player.levels().buses[0].rms.0, f64::NEG_INFINITY);
}

#[test]
fn a_bus_that_runs_twice_shows_the_level_of_both() {
    let (mut mix, id) = level(96_000);
    let behind = mix.add_bus(crate::Bus::new("behind").solo(true));
    let shared = mix.add_bus(crate::Bus::new("shared").send(behind, Decibels(-20.0)));
    mix.tracks_mut()
        .iter_mut()
        .for_each(|track| track.strip.to = Some(shared));
    mix.track_mut(id).strip.solo = true;
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new(), &mix);
    fake.take(48_000, mix.layout, &[480]);
    let levels = player.levels();
    let near = |a: f64, b: f64| assert!((a - b).abs() < 0.01, "{a} {b}");
    let db = |x: f64| 20.0 * x.log10();
    near(levels.buses[1].peak.0, db(0.8));
    near(levels.buses[0].rms.0, db(0.08));
    // The soloed track through the shared bus, and both through the soloed bus behind it.
    near(levels.master.rms.0, db(0.4 + 0.08));
}

#[test]
fn loudness_is_that_of_what_was_played() {
    let spec = Spec {
        rate: SampleRate::HZ_48000,
        layout: Layout::Stereo,
    };
    let mut mix = Session::new(spec.rate, spec.layout);
    let tone: Vec<f64> = (0..240_000)
        .map(|n| 0.1 * (std::f64::consts::TAU * 997.0 * n as f64 / 48_000.0).sin())
        .collect();
    mix.add_track(Track::new(
        "tone",
        Memory::new(spec, vec![tone; 2]).unwrap(),
    ));
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new(), &mix);
    assert_eq!(player.loudness().integrated, None);
    fake.take(230_000, mix.layout, &[480]);
    // BS.1770: 997 Hz at -20 dBFS in both channels reads -20.
    let loudness = player.loudness();
    for level in [loudness.momentary, loudness.short_term, loudness.integrated] {
        assert!((level.unwrap().0 + 20.0).abs() < 0.01, "{loudness:?}");
    }
    player.measure();
    soon(LONG, || player.loudness().momentary.is_none());
}

#[test]
fn dropping_the_last_handle_fades_out_and_is_quick() {
    let (mix, _) = level(48_000 * 5);
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new(), &mix);
    fake.take(4_800, mix.layout, &[480]);
    drop(player.clone());
    assert_eq!(fake.take(480, mix.layout, &[480])[0], vec![0.8; 480]);
    let busy = Busy::watch();
    let taken = std::thread::spawn(move || {
        let start = Instant::now();
        drop(player);
        start.elapsed()
    });
    let mut heard = Vec::new();
    // Requests only available frames: a busy machine that delays the playback thread is no click.
    while let Some(piece) = fake.ask_until_closed(48, 2) {
        heard.extend(piece.chunks(2).map(|f| f[0]));
        std::thread::sleep(Duration::from_micros(500));
    }
    assert!(taken.join().unwrap() < busy.within(Duration::from_millis(500)));
    assert!(step(&heard) <= 0.8 / 384.0 + 1e-9);
    assert_eq!(heard.last(), Some(&0.0));
}

#[test]
fn the_null_device_keeps_time_and_a_sink_gets_everything() {
    let (mix, _) = level(24_000);
    let start = Instant::now();
    let player = PlayerBuilder::new().null(&mix).unwrap();
    assert_eq!(player.wait(LONG), State::Ended);
    let took = start.elapsed();
    assert!(
        took > Duration::from_millis(470) && took < Duration::from_millis(2_500),
        "{took:?}"
    );
    assert_eq!(player.position(), Frames(24_000));
    // `wait` honours a command that the playback thread has not executed yet.
    player.play();
    assert_eq!(player.wait(Duration::from_millis(50)), State::Playing);
    assert_eq!(
        (player.wait(LONG), player.position()),
        (State::Ended, Frames(24_000))
    );
    player.pause();
    player.seek(Frames(100));
    assert_eq!(
        (player.wait(LONG), player.position()),
        (State::Paused, Frames(100))
    );
}

#[test]
fn ids_of_another_session_are_refused_and_those_of_clones_are_not() {
    let (mix, id) = level(48_000);
    let (other, foreign) = level(48_000);
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new().paused(true), &mix);
    let refused = [
        player.set_mute(foreign, true),
        player.set_solo(foreign, true),
        player.set_pan(foreign, Pan::LEFT),
        player.set_gain(foreign, Decibels::SILENCE),
        player.ramp_gain(foreign, Decibels::SILENCE, Frames(0), Frames(1)),
        player.set_parameter(foreign, "comp", "threshold", 0.0),
    ];
    for refused in refused {
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::InvalidArgument);
        assert!(
            error
                .to_string()
                .starts_with("the id is of another session than the one that is played"),
            "{error}"
        );
    }
    player.play();
    let heard = fake.take(1_000, mix.layout, &[480]);
    assert!(heard[0].iter().all(|x| *x == 0.8), "{:?}", &heard[0][..4]);
    // The session that an update plays makes its ids valid, and those of its clones.
    player.update(&other.clone()).unwrap();
    player.set_mute(foreign, true).unwrap();
    assert_eq!(
        player.part("track.b").unwrap(),
        other.part("track.b").unwrap()
    );
    assert!(player.set_mute(id, true).is_err());
    // Controls that a part does not have.
    let error = player.set_pan(Selector::Master, Pan::LEFT).unwrap_err();
    assert_eq!(error.to_string(), "master has no pan");
    assert!(player.set_gain(foreign, Decibels(f64::NAN)).is_err());
}

#[test]
fn events_come_as_they_are_heard() {
    let (mut mix, _) = level(48_000);
    for (at, name) in [(0, "start"), (24_000, "middle"), (47_999, "last")] {
        let name = name.to_owned();
        mix.markers.push(crate::Marker {
            at: Frames(at),
            name,
        });
    }
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new().paused(true), &mix);
    let events = player.events();
    player.set_loop(Some(Frames(20_000)..Frames(30_000)));
    player.play();
    fake.take(35_000, mix.layout, &[480]);
    player.set_loop(None);
    assert_eq!(fake.finish(&player, mix.layout.channels()), State::Ended);
    let marker = |at, name: &str| Event::Marker {
        at: Frames(at),
        name: name.to_owned(),
    };
    let mut heard: Vec<Event> = events.try_iter().collect();
    // The loop ends with the pass that is being rendered.
    let passes = heard
        .iter()
        .filter(|e| matches!(e, Event::Looped { .. }))
        .count();
    assert!((1..=2).contains(&passes), "{heard:?}");
    let pass = [
        marker(24_000, "middle"),
        Event::Looped { at: Frames(20_000) },
    ];
    let mut expected = vec![marker(0, "start")];
    (0..passes).for_each(|_| expected.extend(pass.clone()));
    expected.extend([
        marker(24_000, "middle"),
        marker(47_999, "last"),
        Event::Ended,
    ]);
    assert_eq!(heard, expected);
    heard.clear();
    drop(player);
    assert!(events.recv().is_err(), "the channel ends with the player");
}

#[test]
fn meters_hold_the_peak_and_show_the_gain_reduction_of_inserts() {
    // −8 dBFS, 12 dB above the threshold, at a ratio of 4: down by 9 dB. Then silence.
    let spec = Spec {
        rate: SampleRate::HZ_48000,
        layout: Layout::Stereo,
    };
    let level = 10f64.powf(-8.0 / 20.0);
    let samples: Vec<f64> = (0..480_000)
        .map(|n| if n < 48_000 { level } else { 0.0 })
        .collect();
    let mut mix = Session::new(spec.rate, spec.layout);
    let values = [
        ("threshold", -20.0),
        ("ratio", 4.0),
        ("knee", 0.0),
        ("attack", 0.0),
    ];
    let comp = values.iter().fold(
        Insert::new("compressor").unwrap(),
        |insert, (key, value)| insert.set(key, *value).unwrap(),
    );
    mix.add_track(Track::new("a", Memory::new(spec, vec![samples; 2]).unwrap()).insert(comp));
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new(), &mix);
    fake.take(24_000, mix.layout, &[480]);
    let heard = player.levels().tracks[0];
    assert!((heard.reduction.0 - 9.0).abs() < 1e-9, "{heard:?}");
    assert!((heard.held_peak.0 + 17.0).abs() < 1e-6, "{heard:?}");
    assert_eq!(player.levels().master.reduction, Decibels(0.0));
    // Three seconds later nothing sounds, and the peak is still there until it is cleared.
    fake.take(168_000, mix.layout, &[480]);
    let later = player.levels();
    // The peak falls by 8.686 dB in 0.3 s, from the block on after the one in which the tone ends. The meters lead the 3 s that
    // are heard by up to the latency of 20 ms, a request and a block.
    let fallen = -17.0 - later.tracks[0].peak.0;
    let lead = fallen / 8.686 * 0.3 - 3.0;
    let (block, most) = (256.0 / 48_000.0, (960.0 + 480.0 + 256.0) / 48_000.0);
    assert!((-block..most).contains(&lead), "{lead} s, {later:?}");
    assert!(later.tracks[0].reduction.0 < 1e-9, "{later:?}");
    for strip in [later.tracks[0], later.master] {
        assert!((strip.held_peak.0 + 17.0).abs() < 1e-6, "{strip:?}");
    }
    player.clear_peaks();
    assert_eq!(player.levels().master.held_peak.0, f64::NEG_INFINITY);
}
