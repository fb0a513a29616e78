//! Sessions that are edited while they play: each takes over at its frame, bit for bit.

use super::{
    fake::{Fake, SetOnDrop, soon},
    random_sessions::session,
    renders::{length, noise, rendered, same_bits, stem},
};
use crate::{
    Block, Clip, Cue, Dbtp, Decibels, ErrorKind, Frames, Insert, Layout, Options, Plan,
    PlayerBuilder, Renderer, SampleRate, Selector, Session, State, Track, Use, media::Memory,
};
use proptest::prelude::*;
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

const LONG: Duration = Duration::from_secs(20);

/// Sessions of one rate and layout, some with processors that look ahead and that remember.
fn edited() -> impl Strategy<Value = Vec<Session>> {
    let processors = prop::collection::vec(0..6, 5);
    let one = (session(), processors);
    prop::collection::vec(one, 1..5).prop_map(|sessions| {
        let mut edited: Vec<Session> = Vec::new();
        for (mut session, processors) in sessions {
            if let Some(first) = edited.first() {
                session.layout = first.layout;
            }
            for (track, processor) in session.tracks_mut().iter_mut().zip(&processors) {
                let insert = match processor {
                    0 => Insert::new("compressor").unwrap().set("threshold", -30.0),
                    1 => Insert::new("lowpass").unwrap().set("freq", 900.0),
                    2 => Insert::new("limiter").unwrap().set("ceiling", -12.0),
                    _ => continue,
                };
                track.strip.inserts.push(insert.unwrap());
            }
            if processors[4] == 5 {
                session.master.limit = Some(Dbtp(-9.0));
            }
            edited.push(session);
        }
        edited
    })
}

/// Returns the sessions' bounces, spliced at the frames.
fn spliced(sessions: &[Session], at: &[u64]) -> Vec<Vec<f64>> {
    let mut out = vec![Vec::new(); sessions[0].layout.channels()];
    for (n, session) in sessions.iter().enumerate() {
        let start = n.checked_sub(1).map_or(0, |n| at[n]);
        let end = at.get(n).copied().unwrap_or(u64::MAX);
        let length = length(session);
        if start < end.min(length) {
            let part = rendered(session, 4096, 1, start..end.min(length));
            out.iter_mut().zip(part).for_each(|(o, p)| o.extend(p));
        }
        if length < end {
            // Playback ends with the session that is shorter than the next edit.
            break;
        }
    }
    out
}

/// Returns as many frames as there are sessions after the first, in order, below a length that all of them reach.
fn cuts(sessions: &[Session], fractions: &[f64]) -> Vec<u64> {
    let shortest = sessions.iter().map(length).min().unwrap();
    let mut cuts: Vec<u64> = fractions
        .iter()
        .take(sessions.len() - 1)
        .map(|f| (f * shortest as f64) as u64)
        .collect();
    cuts.sort_unstable();
    cuts
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_edits_at_any_frames_sound_as_their_bounces_spliced(
        sessions in edited(),
        fractions in prop::collection::vec(0.0f64..1.0, 4),
        pieces in prop::collection::vec(1usize..900, 1..4),
    ) {
        let at = cuts(&sessions, &fractions);
        let expected = spliced(&sessions, &at);
        // Offline.
        let options = Options { threads: 1 };
        let plan = |n: usize| Plan::compile(&sessions[n]).unwrap();
        let mut renderer = Renderer::new(plan(0), &options).unwrap();
        let mut offline = vec![Vec::new(); sessions[0].layout.channels()];
        for n in 0..sessions.len() {
            if n > 0 {
                renderer.replace(plan(n)).unwrap();
            }
            let end = at.get(n).copied().unwrap_or(u64::MAX);
            loop {
                let left = end - renderer.position().0;
                let mut block = Block::new(sessions[0].layout, left.min(700) as usize);
                if left == 0 || renderer.render(&mut block).unwrap() == 0 {
                    break;
                }
                offline.iter_mut().zip(block.channels()).for_each(|(o, c)| o.extend_from_slice(c));
            }
        }
        same_bits(&expected, &offline);
        // Live: the first half of the edits before the start, the others while it plays.
        let fake = Fake::default();
        let player = fake.play(&PlayerBuilder::new().paused(true), &sessions[0]);
        let early = at.len() / 2;
        for (n, at) in at.iter().enumerate().take(early) {
            player.update_at(Frames(*at), &sessions[n + 1]).unwrap();
        }
        player.play();
        for (n, at) in at.iter().enumerate().skip(early) {
            match player.update_at(Frames(*at), &sessions[n + 1]) {
                Ok(()) => {}
                Err(e) => {
                    // The first frames are rendered before they are requested.
                    prop_assert_eq!(e.kind(), ErrorKind::InvalidArgument, "{}", e);
                    prop_assert!(*at < 4_096, "{} {}", at, e);
                    return Ok(());
                }
            }
        }
        same_bits(&expected, &fake.take(expected[0].len(), sessions[0].layout, &pieces));
        prop_assert_eq!(fake.finish(&player, sessions[0].layout.channels()), State::Ended);
        prop_assert_eq!(player.underruns().count, 0);
        prop_assert_eq!(player.length().0, length(sessions.last().unwrap()));
    }
}

fn bed(frames: usize) -> Session {
    let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    mix.add_track(Track::new("bed", stem(1, 48_000, Layout::Stereo, frames)));
    mix
}

#[test]
fn a_stinger_at_frame_123_457_starts_there_and_nowhere_else() {
    let before = bed(150_000);
    let mut after = before.clone();
    let hit = Clip::new(stem(2, 44_100, Layout::Mono, 9_000)).at(Frames(123_457));
    after.add_track(Track::of("stinger").clip(hit));
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new(), &before);
    let mut heard = fake.take(100_000, Layout::Stereo, &[480]);
    player.update_at(Frames(123_457), &after).unwrap();
    let rest = fake.take(50_000, Layout::Stereo, &[480]);
    heard.iter_mut().zip(rest).for_each(|(h, r)| h.extend(r));
    same_bits(&spliced(&[before, after], &[123_457]), &heard);
    assert_eq!(player.underruns().count, 0);
    assert_eq!(player.levels().tracks.len(), 2);
}

#[test]
fn an_update_as_soon_as_possible_says_the_frame_at_which_it_took_over() {
    let before = bed(400_000);
    let mut after = before.clone();
    let mut cue = Cue::new("sting").used(Use::at(Frames(50_000)));
    cue.tracks.push(
        Track::new("hit", stem(3, 48_000, Layout::Stereo, 200_000))
            .insert(Insert::new("compressor").unwrap()),
    );
    after.add_cue(cue);
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new(), &before);
    let mut heard = fake.take(60_000, Layout::Stereo, &[480]);
    let at = player.update(&after).unwrap().0;
    assert!((60_000..70_000).contains(&at), "{at}");
    let rest = fake.take(340_000, Layout::Stereo, &[480]);
    heard.iter_mut().zip(rest).for_each(|(h, r)| h.extend(r));
    same_bits(&spliced(&[before, after], &[at]), &heard);
    // The cue's track has a meter.
    assert_eq!(player.levels().cues.len(), 1);
    assert!(player.levels().cues[0].len() == 1);
    assert_eq!(player.underruns().count, 0);
}

#[test]
fn a_track_is_removed_at_its_frame_and_the_others_are_controlled_on_both_sides_of_it() {
    let mut before = bed(60_000);
    let pad = before.add_track(Track::new("pad", stem(2, 48_000, Layout::Stereo, 60_000)));
    let mut after = before.clone();
    let bed = after.track_ids().next().unwrap();
    after.remove_track(bed).unwrap();
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new().paused(true), &before);
    player.update_at(Frames(30_000), &after).unwrap();
    let refused = player.set_gain(pad, Decibels::SILENCE).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidArgument);
    let pad = player.part("track.pad").unwrap();
    player.set_gain(pad, Decibels(-6.0)).unwrap();
    player.play();
    for (session, track) in [(&mut before, 1), (&mut after, 0)] {
        session.tracks_mut()[track].strip.gain = Decibels(-6.0);
    }
    let heard = fake.take(60_000, Layout::Stereo, &[480]);
    same_bits(&spliced(&[before, after], &[30_000]), &heard);
}

#[test]
fn an_update_while_paused_takes_over_at_once() {
    let (before, after) = (bed(20_000), bed(30_000));
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new().paused(true), &before);
    assert_eq!(player.update(&after).unwrap(), Frames(0));
    assert_eq!(player.length(), Frames(30_000));
    player.play();
    same_bits(
        &rendered(&after, 4096, 1, 0..30_000),
        &fake.take(30_000, Layout::Stereo, &[480]),
    );
}

#[test]
fn an_edit_that_comes_too_late_is_refused_and_in_a_loop_waits_for_the_next_pass() {
    let (before, mut after) = (bed(48_000), bed(48_000));
    after.master.gain = Decibels(-6.0);
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new(), &before);
    fake.take(24_000, Layout::Stereo, &[480]);
    let error = player.update_at(Frames(9_600), &after).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(
        error
            .to_string()
            .starts_with("frame 9600 is rendered already, the next is 2"),
        "{error}"
    );
    player.set_loop(Some(Frames(4_800)..Frames(40_000)));
    soon(LONG, || player.update_at(Frames(9_600), &after).is_ok());
    let heard = fake.take(16_000 + 35_200, Layout::Stereo, &[480]);
    let old = rendered(&before, 4096, 1, 0..48_000);
    let new = rendered(&after, 4096, 1, 0..48_000);
    let expected: Vec<Vec<f64>> = old
        .iter()
        .zip(&new)
        .map(|(old, new)| {
            [
                &old[24_000..40_000],
                &old[4_800..9_600],
                &new[9_600..40_000],
            ]
            .concat()
        })
        .collect();
    same_bits(&expected, &heard);
    let other = Session::new(SampleRate::HZ_44100, Layout::Stereo);
    let error = player.update(&other).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a session of 44100 Hz stereo cannot replace one of 48000 Hz stereo while it plays"
    );
}

#[test]
fn a_seek_past_the_frame_of_an_edit_lets_it_take_over() {
    let (before, mut after) = (bed(100_000), bed(100_000));
    after.master.gain = Decibels(-6.0);
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new().paused(true), &before);
    player.update_at(Frames(30_000), &after).unwrap();
    player.seek(Frames(50_000));
    player.play();
    let heard = fake.take(10_000, Layout::Stereo, &[480]);
    let whole = rendered(&after, 4096, 1, 0..100_000);
    // It fades in over 384 frames.
    let tail: Vec<Vec<f64>> = whole.iter().map(|c| c[50_384..60_000].to_vec()).collect();
    let heard: Vec<Vec<f64>> = heard.iter().map(|c| c[384..].to_vec()).collect();
    same_bits(&tail, &heard);
}

#[test]
fn a_ramp_of_the_gain_is_exact_from_its_first_frame() {
    let mut mix = bed(100_000);
    let pad = mix.add_track(
        Track::new("pad", stem(5, 48_000, Layout::Stereo, 100_000)).gain(Decibels::SILENCE),
    );
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new(), &mix);
    let mut heard = fake.take(9_600, Layout::Stereo, &[480]);
    for (part, to, at, over) in [
        (Selector::from(pad), -3.0, 24_000, 24_000),
        (Selector::Master, -20.0, 50_001, 0),
        (Selector::from(pad), f64::NEG_INFINITY, 60_000, 7),
    ] {
        player
            .ramp_gain(part, Decibels(to), Frames(at), Frames(over))
            .unwrap();
        assert!(mix.ramp_gain(part, Decibels(to), Frames(at), Frames(over)));
    }
    let rest = fake.take(100_000 - 9_600, Layout::Stereo, &[480]);
    heard.iter_mut().zip(rest).for_each(|(h, r)| h.extend(r));
    same_bits(&rendered(&mix, 4096, 1, 0..100_000), &heard);
}

#[test]
fn a_thousand_edits_while_it_plays_leave_no_gap_and_no_thread() {
    let threads = || std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count);
    let before = threads();
    let spec = crate::Spec {
        rate: SampleRate::HZ_48000,
        layout: Layout::Mono,
    };
    // Sessions of 1, 2, 4 and 8 tracks with the same sum, which is exact.
    let sessions = [1u8, 2, 4, 8].map(|parts| {
        let level = 1.0 / 8.0 / f64::from(parts);
        let tone = Memory::new(spec, vec![vec![level; 480_000]]).unwrap();
        let mut session = Session::new(spec.rate, spec.layout);
        for part in 0..parts {
            session.add_track(Track::new(format!("part {part}"), tone.clone()));
        }
        session
    });
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new(), &sessions[0]);
    player.set_loop(Some(Frames(0)..Frames(480_000)));
    fake.take(4_800, Layout::Mono, &[480]);
    let done = AtomicBool::new(false);
    let others = std::thread::scope(|scope| {
        let _done = SetOnDrop(&done);
        let puller = scope.spawn(|| {
            let mut others = 0;
            while !done.load(Ordering::Acquire) {
                let heard = fake.ask(480, 1);
                others += heard.iter().filter(|x| **x != 1.0 / 8.0).count();
                std::thread::sleep(Duration::from_millis(2));
            }
            others
        });
        for n in 0..1_000u64 {
            let session = &sessions[(noise(7, 0, n).abs() * 4.0) as usize];
            player.update(session).unwrap();
        }
        done.store(true, Ordering::Release);
        puller.join().unwrap()
    });
    assert_eq!(others, 0, "samples of another value");
    assert_eq!(player.underruns().count, 0);
    drop(player);
    soon(LONG, || threads() <= before + 2);
}
