//! Law 4: a device receives what a bounce writes, bit for bit.

use super::{
    fake::{Fake, soon},
    random_sessions::session,
    renders::{length, noise, rendered, same_bits, stem},
};
use crate::{
    Decibels, Frames, Insert, Layout, Pan, Player, PlayerBuilder, SampleRate, Session, State,
    Track,
    session::{Bus, BusId, TrackId},
};
use proptest::prelude::*;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(10);

fn ten_stems(frames: usize) -> (Session, Vec<TrackId>) {
    let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    let bus = mix.add_bus(Bus::new("bus").gain(Decibels(-2.0)));
    let track = |n: u64| {
        let rate = [48_000, 44_100, 96_000][n as usize % 3];
        let layout = [Layout::Stereo, Layout::Mono][n as usize % 2];
        let long = frames * rate as usize / 48_000;
        let track =
            Track::new(format!("t{n}"), stem(n, rate, layout, long)).pan(Pan(n as f64 / 5.0 - 1.0));
        if n < 5 { track.to(bus) } else { track }
    };
    let ids = (0..10).map(|n| mix.add_track(track(n))).collect();
    (mix, ids)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_session_sounds_as_it_is_bounced(
        session in session(),
        pieces in prop::collection::vec(prop_oneof![Just(0usize), 1usize..70, 100usize..3000], 1..6),
    ) {
        prop_assume!(pieces.iter().any(|p| *p > 0));
        let whole = rendered(&session, 4096, 1, 0..length(&session));
        let fake = Fake::default();
        let player = fake.play(&PlayerBuilder::new(), &session);
        let frames = whole[0].len();
        same_bits(&whole, &fake.take(frames, session.layout, &pieces));
        prop_assert_eq!(fake.finish(&player, session.layout.channels()), State::Ended);
        prop_assert_eq!(player.position(), Frames(frames as u64));
        prop_assert_eq!(player.underruns().count, 0);
        prop_assert!(fake.pull::<f64>(64, session.layout.channels()).iter().all(|x| x.to_bits() == 0));
    }
}

#[test]
fn passes_between_two_frames_are_read_ahead_as_they_are_bounced() {
    let folder = tempfile::tempdir().unwrap();
    for (name, rate, frames) in [("same", 48_000, 480), ("other", 44_100, 600)] {
        let mut stems = Session::new(SampleRate::new(rate).unwrap(), Layout::Mono);
        stems.add_track(Track::new(
            "x",
            stem(rate.into(), rate, Layout::Mono, frames),
        ));
        stems
            .bounce(folder.path().join(format!("{name}.wav")))
            .unwrap();
    }
    // 480.48 frames a pass, of which the first stem has 480; and 653.06 frames of another rate.
    let text = "rate = 48000\nlayout = \"mono\"\n\
        [track.same]\nfile = \"same.wav\"\nat = \"0.01ms\"\nlength = \"10.01ms\"\nloop = 60\n\
        [track.other]\nfile = \"other.wav\"\nloop = 40\nfade_out = \"5ms\"\n";
    let load = crate::Load::default();
    let session = load.text(text, folder.path().join("s.toml")).unwrap();
    let whole = rendered(&session, 4096, 1, 0..length(&session));
    assert_eq!(whole[0].len(), 28_829);
    for start in [0u64, 479, 480, 961, 20_001] {
        let fake = Fake::default();
        let player = fake.play(&PlayerBuilder::new().at(Frames(start)), &session);
        let frames = whole[0].len() - start as usize;
        let heard = fake.take(frames, session.layout, &[480, 7, 4096]);
        // A start in the middle fades in.
        let faded = if start == 0 { 0 } else { 384 };
        let at = start as usize + faded;
        same_bits(&[whole[0][at..].to_vec()], &[heard[0][faded..].to_vec()]);
        assert_eq!(fake.finish(&player, 1), State::Ended);
    }
}

/// Sets the same controls of every kind in the player and in the session.
fn moved(player: &Player, mix: &mut Session, ids: &[TrackId]) {
    player.set_gain(ids[0], Decibels(-7.5)).unwrap();
    mix.track_mut(ids[0]).strip.gain = Decibels(-7.5);
    player.set_gain(ids[1], Decibels::SILENCE).unwrap();
    mix.track_mut(ids[1]).strip.gain = Decibels::SILENCE;
    player.set_pan(ids[2], Pan(0.3)).unwrap();
    mix.track_mut(ids[2]).strip.pan = Pan(0.3);
    player.set_mute(ids[3], true).unwrap();
    mix.track_mut(ids[3]).strip.mute = true;
    for n in [2, 4, 5, 6, 7] {
        player.set_solo(ids[n], true).unwrap();
        mix.track_mut(ids[n]).strip.solo = true;
    }
    player
        .set_gain(crate::Selector::Master, Decibels(-1.0))
        .unwrap();
    mix.master.gain = Decibels(-1.0);
}

#[test]
fn a_control_moved_before_the_start_is_as_if_it_had_always_been_so() {
    let (mut mix, ids) = ten_stems(9_000);
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new().paused(true), &mix);
    moved(&player, &mut mix, &ids);
    player.play();
    same_bits(
        &mix.render(Frames(0)..Frames(9_000)).unwrap(),
        &fake.take(9_000, mix.layout, &[480]),
    );
}

#[test]
fn a_control_moved_while_it_plays_is_exact_once_it_has_arrived() {
    let (mut mix, ids) = ten_stems(40_000);
    let before = mix.render(Frames(0)..Frames(40_000)).unwrap();
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new(), &mix);
    let mut heard = fake.take(4_800, mix.layout, &[480]);
    moved(&player, &mut mix, &ids);
    let rest = fake.take(40_000 - 4_800, mix.layout, &[480]);
    heard.iter_mut().zip(rest).for_each(|(h, r)| h.extend(r));
    let after = mix.render(Frames(0)..Frames(40_000)).unwrap();
    let first_new = (0..40_000)
        .find(|n| heard[0][*n].to_bits() != before[0][*n].to_bits())
        .unwrap();
    let last_old = (0..40_000)
        .rev()
        .find(|n| heard[0][*n].to_bits() != after[0][*n].to_bits())
        .unwrap();
    // Not before the change, and not later than the frames rendered ahead; the ramp lasts 8 ms.
    assert!(
        (4_800..4_800 + 3 * 1_440).contains(&first_new),
        "{first_new}"
    );
    // Commands are sent one by one, so the last ramp may start a block or two after the first.
    assert!(
        last_old - first_new < 384 + 8 * 256,
        "{first_new} {last_old}"
    );
}

/// Returns tracks and buses that feed later buses at random, through outputs and sends.
fn tangle(seed: u64, frames: usize) -> (Session, Vec<TrackId>, Vec<BusId>) {
    let mut count = 0;
    let mut below = |n: usize| {
        count += 1;
        ((noise(seed, 1, count) + 1.0) / 2.0 * n as f64) as usize
    };
    let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    let buses: Vec<BusId> = (0..5)
        .map(|n| mix.add_bus(Bus::new(format!("b{n}")).gain(Decibels(-1.0))))
        .collect();
    for n in 0..5 {
        for send in buses.iter().skip(n + 1).filter(|_| below(3) == 0) {
            let bus = mix.bus_mut(buses[n]);
            *bus = bus.clone().send(*send, Decibels(-3.0));
        }
        mix.bus_mut(buses[n]).strip.to = buses.get(n + 1 + below(6)).copied();
    }
    let tracks = (0..4).map(|n| {
        let track = Track::new(
            format!("t{n}"),
            stem(seed + n, 48_000, Layout::Stereo, frames),
        );
        let track = buses
            .iter()
            .filter(|_| below(4) == 0)
            .fold(track, |t, bus| t.send(*bus, Decibels(-2.0)));
        let to = buses[below(4)];
        mix.add_track(track.to(to))
    });
    let tracks = tracks.collect();
    (mix, tracks, buses)
}

/// Sets the same solos in the player and in the session.
fn soloed(player: &Player, mix: &mut Session, tracks: &[TrackId], buses: &[BusId], seed: u64) {
    let on = |n: usize| noise(seed, 2, n as u64) > 0.4;
    for (n, id) in tracks.iter().enumerate() {
        player.set_solo(*id, on(n)).unwrap();
        mix.track_mut(*id).strip.solo = on(n);
    }
    for (n, id) in buses.iter().enumerate() {
        player.set_solo(*id, on(n + 10)).unwrap();
        mix.bus_mut(*id).strip.solo = on(n + 10);
    }
}

#[test]
fn solos_in_any_tangle_of_buses_sound_as_they_are_bounced() {
    let mut twice = 0;
    for seed in 0..40 {
        let (mut mix, tracks, buses) = tangle(seed, 1_000);
        let fake = Fake::default();
        let player = fake.play(&PlayerBuilder::new().paused(true), &mix);
        soloed(&player, &mut mix, &tracks, &buses, seed);
        twice += u64::from(
            crate::Plan::compile(&mix)
                .unwrap()
                .to_string()
                .contains("(to solo)"),
        );
        player.play();
        same_bits(
            &mix.render(Frames(0)..Frames(1_000)).unwrap(),
            &fake.take(1_000, mix.layout, &[480]),
        );
    }
    assert!(twice >= 4, "{twice} of 40 with a bus that runs twice");
}

#[test]
fn solos_moved_while_it_plays_are_exact_once_they_have_arrived() {
    // A session in which the solos split a bus in two.
    let (mut mix, tracks, buses) = tangle(0, 60_000);
    mix.track_mut(tracks[0]).strip.to = Some(buses[0]);
    mix.track_mut(tracks[1]).strip.to = Some(buses[0]);
    mix.bus_mut(buses[0]).strip.to = None;
    *mix.bus_mut(buses[0]) = mix.buses()[0].clone().send(buses[4], Decibels(0.0));
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new(), &mix);
    let mut at = fake.take(4_800, mix.layout, &[480])[0].len();
    for on in [true, false, true] {
        player.set_solo(tracks[0], on).unwrap();
        player.set_solo(buses[4], on).unwrap();
        mix.track_mut(tracks[0]).strip.solo = on;
        mix.bus_mut(buses[4]).strip.solo = on;
        let plan = crate::Plan::compile(&mix).unwrap().to_string();
        assert_eq!(plan.contains("b0 (to solo)"), on, "{plan}");
        let want = mix.render(Frames(0)..Frames(60_000)).unwrap();
        let heard = fake.take(14_400, mix.layout, &[480]);
        // The frames rendered ahead, then 8 ms for each ramp.
        let settled = 3 * 1_440 + 384 + 8 * 256;
        for (heard, want) in heard.iter().zip(&want) {
            let differs = (settled..14_400).find(|n| heard[*n].to_bits() != want[at + n].to_bits());
            assert_eq!(differs, None, "solo {on}, from frame {at} on");
        }
        at += 14_400;
    }
}

#[test]
fn a_loop_has_no_gap_and_no_frame_too_many() {
    let (mix, _) = ten_stems(30_000);
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new().paused(true), &mix);
    player.set_loop(Some(Frames(5_001)..Frames(9_234)));
    player.play();
    let heard = fake.take(60_000, mix.layout, &[512, 17]);
    let whole = mix.render(Frames(0)..Frames(9_234)).unwrap();
    for (n, x) in heard[1].iter().enumerate() {
        let at = if n < 9_234 {
            n
        } else {
            5_001 + (n - 9_234) % 4_233
        };
        assert_eq!(x.to_bits(), whole[1][at].to_bits(), "frame {n}");
    }
    assert!((5_001..9_234).contains(&player.position().0));
    player.set_loop(None);
    let start = player.position().0;
    soon(LONG, || {
        fake.ask(256, 2);
        player.state() == State::Ended
    });
    assert!(start < 9_234 && player.position() == Frames(30_000));
}

#[test]
fn a_limiter_sounds_as_it_is_bounced_also_after_a_pause_and_goes_on_round_a_loop() {
    let (mut mix, _) = ten_stems(40_000);
    mix.master.gain = Decibels(12.0);
    mix.master.limit = Some(crate::Dbtp(-1.0));
    let whole = mix.render(Frames(0)..Frames(40_000)).unwrap();
    mix.master.limit = None;
    assert_ne!(
        whole,
        mix.render(Frames(0)..Frames(40_000)).unwrap(),
        "nothing to limit"
    );
    mix.master.limit = Some(crate::Dbtp(-1.0));
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new(), &mix);
    let heard = fake.take(12_000, mix.layout, &[480, 33]);
    same_bits(
        &whole
            .iter()
            .map(|c| c[..12_000].to_vec())
            .collect::<Vec<_>>(),
        &heard,
    );
    player.pause();
    let mut rest = Vec::new();
    soon(LONG, || player.state() == State::Paused);
    let at = player.position().0 as usize;
    while fake.with(|callback, _| callback.available()).unwrap() > 0 {
        rest.extend(fake.pull::<f64>(1, 2));
    }
    assert_eq!(
        12_000 + rest.len() / 2,
        at,
        "the position is where the fade ended"
    );
    player.play();
    let heard = fake.take(40_000 - at, mix.layout, &[480]);
    for n in 384..40_000 - at {
        assert_eq!(
            heard[0][n].to_bits(),
            whole[0][at + n].to_bits(),
            "frame {n}"
        );
    }
    assert_eq!(fake.finish(&player, 2), State::Ended);
    player.set_loop(Some(Frames(10_000)..Frames(20_000)));
    player.play();
    let heard = fake.take(52_000, mix.layout, &[480]);
    assert!(
        heard.iter().flatten().all(|x| x.abs() <= 0.892),
        "the ceiling"
    );
    let place = |n: usize| {
        if n < 20_000 {
            n
        } else {
            10_000 + (n - 20_000) % 10_000
        }
    };
    // The loop is a whole number of the limiter's hops: equal once the limiter no longer depends on the frames before the jump.
    for n in (0..19_000).chain(26_000..29_000).chain(36_000..39_000) {
        assert_eq!(
            heard[0][n].to_bits(),
            whole[0][place(n)].to_bits(),
            "frame {n}"
        );
    }
    soon(LONG, || {
        player.position().0.abs_diff(place(52_000) as u64) <= 480
    });
    assert_eq!(player.underruns().count, 0);
}

#[test]
fn a_seek_fades_and_then_is_exact() {
    let (mix, _) = ten_stems(48_000);
    let whole = mix.render(Frames(0)..Frames(48_000)).unwrap();
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new(), &mix);
    fake.take(2_000, mix.layout, &[100]);
    for n in 0..100u64 {
        let to = (noise(7, 0, n) * 20_000.0 + 20_000.0) as u64;
        player.seek(Frames(to));
        // The rest of the old position's frames, then those of the new one.
        let mut heard: Vec<f64> = Vec::new();
        soon(LONG, || {
            heard.extend(fake.ask(64, 2).chunks(2).map(|f| f[0]));
            player.position().0 == to
        });
        heard.extend(&fake.take(2_800, mix.layout, &[64])[0]);
        let at = (0..heard.len() - 400).find(|at| {
            let there = &whole[0][to as usize + 384..];
            heard[at + 384..at + 400]
                .iter()
                .zip(there)
                .all(|(a, b)| a.to_bits() == b.to_bits())
        });
        assert!(at.is_some() || to == 0, "seek {n} to {to}");
    }
    assert_eq!(player.underruns().count, 0);
}

#[test]
fn another_rate_and_layout_are_converted_once() {
    let (mix, _) = ten_stems(24_000);
    let fake = Fake::default();
    let spec = crate::Spec {
        rate: SampleRate::HZ_44100,
        layout: Layout::Discrete(4),
    };
    *fake.0.spec.lock().unwrap() = Some(spec);
    let player = fake.play(&PlayerBuilder::new(), &mix);
    let heard = fake.take(22_050, Layout::Discrete(4), &[441]);
    assert_eq!(fake.finish(&player, 4), State::Ended);
    let memory = crate::media::Memory::new(
        crate::Spec {
            rate: SampleRate::HZ_48000,
            layout: Layout::Stereo,
        },
        mix.render(Frames(0)..Frames(24_000)).unwrap(),
    );
    let source = Box::new(memory.unwrap());
    let mut twin = crate::media::Resampled::in_short_hops(source, SampleRate::HZ_44100).unwrap();
    let mut block = crate::Block::new(Layout::Stereo, 22_050);
    assert_eq!(crate::Source::read(&mut twin, &mut block).unwrap(), 22_050);
    let wanted: Vec<Vec<f64>> = block.channels().map(<[f64]>::to_vec).collect();
    same_bits(&wanted, &heard[..2]);
    assert!(heard[2..].iter().flatten().all(|x| *x == 0.0));
    assert_eq!(player.position(), Frames(24_000));
}

#[test]
fn a_start_among_compressors_is_soon_and_exact_from_their_restart_on() {
    const GRID: u64 = 1 << 20;
    /// Frames from the start to the restart: more than the compressor needs ahead of it.
    const BEFORE: usize = 100_000;
    let mut mix = Session::new(SampleRate::HZ_48000, Layout::Mono);
    let stem = stem(1, 48_000, Layout::Mono, GRID as usize + 5_000);
    let comp = Insert::new("compressor").unwrap();
    let comp = comp.set("threshold", -40.0).unwrap();
    mix.add_track(Track::new("t", stem).insert(comp));
    let start = GRID - BEFORE as u64;
    let fake = Fake::default();
    let _player = fake.play(&PlayerBuilder::new().at(Frames(start)), &mix);
    let heard = fake.take(BEFORE + 5_000, Layout::Mono, &[480]).remove(0);
    let whole = rendered(&mix, 4096, 1, start..length(&mix)).remove(0);
    let differs = |(a, b): (&f64, &f64)| a.to_bits() != b.to_bits();
    let last = heard.iter().zip(&whole).rposition(differs);
    // The state is close at once, so that the last bits agree some time before the restart.
    assert!((4_000..BEFORE).contains(&last.unwrap()), "{last:?}");
    let ratio = heard[4_800] / whole[4_800];
    assert!((0.98..1.02).contains(&ratio), "{ratio}");
}
