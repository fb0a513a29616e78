//! What belongs to a track holds for all of its clips; what belongs to a clip holds for that one alone.

use crate::stems::{close, constant, counting, first, heard, mono, session, stem};
use soundtrack::{
    Bus, Clip, Cue, Curve, Decibels, Fade, FadeShape, Frames, Layout, Pan, Plan, SampleRate,
    Session, Shape, Track, Use,
};

fn clip(value: f64, at: u64) -> Clip {
    Clip::new(constant(value, 4)).at(Frames(at))
}

fn of(clips: impl IntoIterator<Item = Clip>) -> Track {
    clips.into_iter().fold(Track::of("x"), Track::clip)
}

fn alone(track: Track) -> Vec<f64> {
    first(&session(Layout::Mono, [track]))
}

#[test]
fn an_inverted_track_inverts_every_clip() {
    // One, two and three clips: apart, touching, overlapping.
    let cases: [(Vec<Clip>, Vec<f64>); 4] = [
        (vec![clip(0.5, 0)], vec![0.5; 4]),
        (
            vec![clip(0.5, 0), clip(0.25, 4)],
            [[0.5; 4], [0.25; 4]].concat(),
        ),
        (
            vec![clip(0.5, 0), clip(0.25, 2), clip(0.125, 4)],
            vec![0.5, 0.5, 0.75, 0.75, 0.375, 0.375, 0.125, 0.125],
        ),
        (
            vec![clip(0.5, 6), clip(0.25, 0), clip(0.125, 3)],
            vec![0.25, 0.25, 0.25, 0.375, 0.125, 0.125, 0.625, 0.5, 0.5, 0.5],
        ),
    ];
    for (clips, want) in cases {
        assert_eq!(alone(of(clips.clone())), want);
        let inverted: Vec<f64> = want.iter().map(|x| -x).collect();
        assert_eq!(alone(of(clips.clone()).invert(true)), inverted);
        // Two uses of a cue: every clip of both.
        let mut film = Session::new(SampleRate::HZ_48000, Layout::Mono);
        let again = Use::at(Frames(want.len() as u64)).named("again");
        film.add_cue(
            Cue::new("c")
                .track(of(clips).invert(true))
                .used(Use::at(Frames(0)))
                .used(again),
        );
        assert_eq!(first(&film), [inverted.clone(), inverted].concat());
    }
}

#[test]
fn an_inverted_track_inverts_every_pass_and_both_sides_of_a_crossfade() {
    let looped = Clip::new(counting(3)).loops(3);
    assert_eq!(
        alone(of([looped.clone()])),
        [1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 1.0, 2.0, 3.0]
    );
    assert_eq!(
        alone(of([looped]).invert(true)),
        [-1.0, -2.0, -3.0, -1.0, -2.0, -3.0, -1.0, -2.0, -3.0]
    );
    let crossed = |first: f64, second: f64, invert: bool| {
        let second = clip(second, 4).crossfade(Fade::linear(Frames(4)));
        alone(of([Clip::new(constant(first, 8)), second]).invert(invert))
    };
    // The second comes in over frames 4 to 7; it is 4 frames long, so both end at frame 8.
    assert_eq!(crossed(1.0, 1.0, false), [1.0; 8]);
    assert_eq!(crossed(1.0, 1.0, true), [-1.0; 8]);
    assert_eq!(
        crossed(1.0, 0.0, true),
        [-1.0, -1.0, -1.0, -1.0, -1.0, -0.75, -0.5, -0.25]
    );
    assert_eq!(
        crossed(0.0, 1.0, true),
        [0.0, 0.0, 0.0, 0.0, 0.0, -0.25, -0.5, -0.75]
    );
}

#[test]
fn inverting_goes_with_every_layout_gain_and_fade() {
    let wide = Clip::new(stem(Layout::Stereo, vec![vec![0.5; 4], vec![0.25; 4]]))
        .fade_in(Fade::linear(Frames(4)));
    let track = |invert| {
        of([wide.clone(), clip(1.0, 4).gain(Decibels(-20.0))])
            .pan(Pan::LEFT)
            .invert(invert)
    };
    let (plain, inverted) = (
        heard(&session(Layout::Stereo, [track(false)])),
        heard(&session(Layout::Stereo, [track(true)])),
    );
    close(
        &plain[0],
        &[0.0, 0.125, 0.25, 0.375, 0.1, 0.1, 0.1, 0.1],
        1e-15,
    );
    assert_eq!(plain[1], [0.0; 8]);
    for (plain, inverted) in plain.iter().zip(&inverted) {
        assert_eq!(plain.iter().map(|x| -x).collect::<Vec<_>>(), *inverted);
    }
}

#[test]
fn fader_pan_curve_bus_send_and_switches_hold_for_all_clips() {
    let clips = || [clip(0.5, 0), clip(0.25, 4), clip(0.125, 8)];
    let halves = [[0.5; 4], [0.25; 4], [0.125; 4]].concat();
    let scaled = |factor: f64| halves.iter().map(|x| x * factor).collect::<Vec<_>>();
    close(
        &alone(of(clips()).gain(Decibels(-20.0))),
        &scaled(0.1),
        1e-15,
    );
    assert_eq!(alone(of(clips()).gain(Decibels::SILENCE)), [0.0; 12]);
    assert_eq!(alone(of(clips()).mute(true)), [0.0; 12]);
    let curve = Curve::new()
        .point(Frames(0), Decibels(0.0), Shape::Step)
        .point(Frames(6), Decibels::SILENCE, Shape::Step);
    assert_eq!(
        alone(of(clips()).gain_curve(curve)),
        [&halves[..6], &[0.0; 6]].concat()
    );
    let sides = heard(&session(Layout::Stereo, [of(clips()).pan(Pan::RIGHT)]));
    assert_eq!(sides, [vec![0.0; 12], halves.clone()]);
    let mut mix = Session::new(SampleRate::HZ_48000, Layout::Mono);
    let (bus, hall) = (
        mix.add_bus(Bus::new("b").gain(Decibels(-20.0))),
        mix.add_bus(Bus::new("h").gain(Decibels(20.0))),
    );
    mix.add_track(of(clips()).to(bus).send(hall, Decibels(-40.0)));
    // 0.1 through the bus, 0.01 times 10 through the send.
    close(&first(&mix), &scaled(0.2), 1e-15);
}

#[test]
fn gain_stretch_loops_and_fades_are_of_their_clip_alone() {
    let plain = Clip::new(counting(4));
    let cut = Clip::new(counting(9))
        .at(Frames(4))
        .from(Frames(5))
        .length(Frames(2))
        .loops(2);
    let soft = Clip::new(counting(4)).at(Frames(8)).gain(Decibels(-20.0));
    let faded = Clip::new(counting(4))
        .at(Frames(12))
        .fade_in(Fade::linear(Frames(4)))
        .fade_out(Fade::linear(Frames(2)));
    let want = [
        1.0, 2.0, 3.0, 4.0, 6.0, 7.0, 6.0, 7.0, 0.1, 0.2, 0.3, 0.4, 0.0, 0.5, 1.5, 1.5,
    ];
    // The order of the clips in the track is not the order of time.
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]] {
        let clips = [&plain, &cut, &soft, &faded];
        close(&alone(of(order.map(|i| clips[i].clone()))), &want, 1e-15);
    }
    let silent = Clip::new(counting(4)).gain(Decibels::SILENCE);
    assert_eq!(
        alone(of([silent, Clip::new(counting(2)).at(Frames(2))])),
        [0.0, 0.0, 1.0, 2.0]
    );
}

#[test]
fn loops_fade_in_on_the_first_pass_and_out_on_the_last() {
    let fade = |n| Fade {
        length: Frames(n),
        shape: FadeShape::Linear,
    };
    let clip = Clip::new(constant(1.0, 4))
        .loops(3)
        .fade_in(fade(6))
        .fade_out(fade(5));
    let sixths = [0.0, 1.0 / 6.0, 2.0 / 6.0, 0.5, 4.0 / 6.0, 5.0 / 6.0];
    let want = [&sixths[..], &[1.0, 1.0, 0.8, 0.6, 0.4, 0.2]].concat();
    // Frame 7 lies 5 frames before the end: still whole.
    close(&alone(of([clip])), &want, 1e-15);
}

#[test]
fn a_crossfade_is_with_the_clip_that_starts_before_it() {
    // Three in a row, added out of order; each fades with its neighbour in time.
    let a = Clip::new(mono(vec![1.0; 8]));
    let b = Clip::new(mono(vec![10.0; 8]))
        .at(Frames(4))
        .crossfade(Fade::linear(Frames(4)));
    let c = Clip::new(mono(vec![100.0; 6]))
        .at(Frames(10))
        .crossfade(Fade::linear(Frames(2)));
    let want = [
        1.0, 1.0, 1.0, 1.0, 1.0, 3.25, 5.5, 7.75, 10.0, 10.0, 10.0, 55.0, 100.0, 100.0, 100.0,
        100.0,
    ];
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let clips = [&a, &b, &c];
        close(&alone(of(order.map(|i| clips[i].clone()))), &want, 1e-12);
    }
}

#[test]
fn a_crop_within_a_pass_plays_on_from_there() {
    let clip = Clip::new(counting(9))
        .at(Frames(2))
        .from(Frames(3))
        .length(Frames(4))
        .loops(3);
    let mix = session(Layout::Mono, [of([clip])]);
    let whole = [
        0.0, 0.0, 4.0, 5.0, 6.0, 7.0, 4.0, 5.0, 6.0, 7.0, 4.0, 5.0, 6.0, 7.0,
    ];
    for start in 0..14usize {
        for end in start..=14 {
            let crop = mix
                .render_on(1, Frames(start as u64)..Frames(end as u64))
                .unwrap();
            assert_eq!(crop[0], whole[start..end], "{start}..{end}");
        }
    }
}

#[test]
fn clips_over_the_same_frames_add_up_whichever_is_first() {
    // Whole blocks of clips that change nothing on their way, alone, faded, scaled, folded and restated.
    let plain = || Clip::new(stem(Layout::Stereo, vec![vec![0.5; 4], vec![0.25; 4]]));
    let faded = || plain().fade_in(Fade::linear(Frames(4)));
    let soft = || plain().gain(Decibels(-20.0));
    let folded = || {
        Clip::new(stem(
            Layout::Lcr,
            vec![vec![1.0; 4], vec![2.0; 4], vec![0.0; 4]],
        ))
    };
    let restated = || {
        let spec = soundtrack::Spec {
            rate: SampleRate::HZ_48000,
            layout: Layout::Discrete(2),
        };
        let memory =
            soundtrack::media::Memory::new(spec, vec![vec![4.0; 4], vec![8.0; 4]]).unwrap();
        Clip::new(memory).layout(Layout::Stereo)
    };
    let clips: [(Clip, [f64; 4], f64); 5] = [
        (plain(), [0.5; 4], 0.5),
        (faded(), [0.0, 0.125, 0.25, 0.375], 0.5),
        (soft(), [0.05; 4], 0.5),
        (folded(), [1.0; 4], 2.0),
        (restated(), [4.0; 4], 2.0),
    ];
    for (first, left, ratio) in &clips {
        for (second, other, other_ratio) in &clips {
            let got = heard(&session(
                Layout::Stereo,
                [of([first.clone(), second.clone()])],
            ));
            let sum = |a: f64, b: f64| {
                left.iter()
                    .zip(other)
                    .map(|(x, y)| x * a + y * b)
                    .collect::<Vec<_>>()
            };
            close(&got[0], &sum(1.0, 1.0), 1e-15);
            close(&got[1], &sum(*ratio, *other_ratio), 1e-15);
        }
    }
}

#[test]
fn the_gain_of_a_use_is_on_top_of_that_of_a_clip() {
    let mut film = Session::new(SampleRate::HZ_48000, Layout::Mono);
    let soft = Clip::new(constant(1.0, 4)).gain(Decibels(-20.0));
    let again = Use::at(Frames(4)).named("again").gain(Decibels(20.0));
    film.add_cue(
        Cue::new("c")
            .track(of([soft]))
            .used(Use::at(Frames(0)).gain(Decibels(-20.0)))
            .used(again),
    );
    close(
        &first(&film),
        &[0.01, 0.01, 0.01, 0.01, 1.0, 1.0, 1.0, 1.0],
        1e-15,
    );
}

#[test]
fn overlapping_uses_each_follow_the_curve_of_the_cue() {
    // Only gain moves, or only pan: each use has the value of its own frame of the cue.
    let gain = || {
        let points = [(0, 0.0), (1, -20.0), (2, -40.0), (3, -60.0)];
        points.iter().fold(Curve::new(), |c, (at, db)| {
            c.point(Frames(*at), Decibels(*db), Shape::Step)
        })
    };
    let pan = || {
        Curve::new()
            .point(Frames(0), Pan::LEFT, Shape::Linear)
            .point(Frames(2), Pan::RIGHT, Shape::Linear)
    };
    let film = |track: Track, layout| {
        let mut film = Session::new(SampleRate::HZ_48000, layout);
        let uses = [
            Use::at(Frames(0)),
            Use::at(Frames(1)).named("b"),
            Use::at(Frames(3)).named("c").from(Frames(2)),
        ];
        film.add_cue(uses.into_iter().fold(Cue::new("c").track(track), Cue::used));
        heard(&film)
    };
    let got = film(
        Track::new("x", constant(1.0, 4)).gain_curve(gain()),
        Layout::Mono,
    );
    close(
        &got[0],
        &[
            1.0,
            0.1 + 1.0,
            0.01 + 0.1,
            0.001 + 0.01 + 0.01,
            0.001 + 0.001,
        ],
        1e-15,
    );
    // Of three, the third overlaps the second and not the first.
    let mut row = Session::new(SampleRate::HZ_48000, Layout::Mono);
    let uses = [
        Use::at(Frames(0)),
        Use::at(Frames(4)).named("b"),
        Use::at(Frames(6)).named("c"),
    ];
    let cue = Cue::new("c").track(Track::new("x", constant(1.0, 4)).gain_curve(gain()));
    row.add_cue(uses.into_iter().fold(cue, Cue::used));
    close(
        &first(&row),
        &[1.0, 0.1, 0.01, 0.001, 1.0, 0.1, 1.01, 0.101, 0.01, 0.001],
        1e-15,
    );
    let wide = stem(Layout::Stereo, vec![vec![1.0; 4], vec![10.0; 4]]);
    let got = film(Track::new("x", wide).pan_curve(pan()), Layout::Stereo);
    // Left 1 1 0 0, right 0 1 1 1 of each use.
    assert_eq!(got[0], [1.0, 2.0, 1.0, 0.0, 0.0]);
    assert_eq!(got[1], [0.0, 10.0, 20.0, 30.0, 20.0]);
}

#[test]
fn a_crossfade_fits_between_its_neighbours_or_is_refused() {
    let fade = Fade::linear(Frames(4));
    let wrong = |a: Clip, b: Clip| {
        let mix = session(Layout::Mono, [of([a, b])]);
        Plan::compile(&mix)
            .map(|plan| plan.length().0)
            .map_err(|e| e.problems().len())
    };
    let a = || Clip::new(constant(1.0, 10));
    let b = |at: u64| Clip::new(constant(1.0, 10)).at(Frames(at)).crossfade(fade);
    // The earlier one must last as long as the fade, and begin before it.
    assert_eq!(wrong(a(), b(6)), Ok(16));
    assert_eq!(wrong(a(), b(7)), Err(1));
    assert_eq!(wrong(a(), b(1)), Ok(11));
    assert_eq!(wrong(a(), b(0)), Err(1));
    // Its fade-in must be over by then: 6 and 4 frames are 10.
    assert_eq!(wrong(a().fade_in(Fade::linear(Frames(10))), b(6)), Ok(16));
    assert_eq!(wrong(a().fade_in(Fade::linear(Frames(10))), b(5)), Err(1));
    assert_eq!(wrong(a().fade_in(Fade::linear(Frames(9))), b(5)), Ok(15));
    let later = |length| a().at(Frames(100)).fade_in(Fade::linear(Frames(length)));
    assert_eq!(
        (wrong(later(9), b(105)), wrong(later(10), b(105))),
        (Ok(115), Err(1))
    );
    // One fade an edge.
    assert_eq!(wrong(a().fade_out(Fade::linear(Frames(1))), b(6)), Err(1));
    assert_eq!(wrong(a(), b(6).fade_in(Fade::linear(Frames(1)))), Err(1));
    // No longer than the clip that it fades in.
    let short = |n: usize| Clip::new(constant(1.0, n)).at(Frames(6)).crossfade(fade);
    assert_eq!(wrong(a(), short(4)), Ok(10));
    assert_eq!(wrong(a(), short(3)), Err(1));
}

#[test]
fn silence_between_and_after_clips_is_positive_zero() {
    for invert in [false, true] {
        for layout in [Layout::Mono, Layout::Stereo, Layout::Surround51] {
            let clips = || {
                of([clip(-0.5, 2), clip(0.5, 9)])
                    .gain(Decibels(-6.0))
                    .invert(invert)
            };
            let mut mix = session(layout, [clips()]);
            let bus = mix.add_bus(Bus::new("b").gain(Decibels(-1.0)));
            mix.add_track(Track::of("y").clip(clip(0.25, 9)).invert(invert).to(bus));
            mix.length = Some(Frames(20));
            let got = heard(&mix);
            let quiet = |n: &usize| !(2..6).contains(n) && !(9..13).contains(n);
            for channel in &got {
                assert!(
                    (0..20).filter(quiet).all(|n| channel[n].to_bits() == 0),
                    "{layout} {invert}: {channel:?}"
                );
            }
            // In blocks in which nothing sounds, too.
            for crop in [0..2, 6..9, 13..20, 20..25] {
                let crop = mix
                    .render_on(1, Frames(crop.start)..Frames(crop.end))
                    .unwrap();
                assert!(
                    crop.iter().flatten().all(|x| x.to_bits() == 0),
                    "{layout} {invert}"
                );
            }
        }
    }
}

#[test]
fn a_clip_within_another_ends_without_it() {
    // Where anything sounds is what all clips cover together, in any order and on any track.
    let clips = || {
        [
            Clip::new(constant(0.5, 10)),
            clip(0.25, 2),
            clip(0.125, 4),
            Clip::new(constant(1.0, 2)).at(Frames(12)),
        ]
    };
    let want = [
        0.5, 0.5, 0.75, 0.75, 0.875, 0.875, 0.625, 0.625, 0.5, 0.5, 0.0, 0.0, 1.0, 1.0,
    ];
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]] {
        assert_eq!(alone(of(order.map(|i| clips()[i].clone()))), want);
        let tracks = order.map(|i| Track::of(format!("t{i}")).clip(clips()[i].clone()));
        assert_eq!(first(&session(Layout::Mono, tracks)), want);
    }
}

#[test]
fn a_crop_within_a_use_has_the_gain_of_its_own_frame_of_the_cue() {
    let points = [(0, 0.0), (3, -20.0), (5, -40.0), (6, 0.0)];
    let curve = points.iter().fold(Curve::new(), |c, (at, db)| {
        c.point(Frames(*at), Decibels(*db), Shape::Step)
    });
    let mut film = Session::new(SampleRate::HZ_48000, Layout::Mono);
    let cue = Cue::new("c").track(Track::new("x", constant(1.0, 8)).gain_curve(curve));
    let again = Use::at(Frames(10))
        .named("b")
        .from(Frames(2))
        .length(Frames(5));
    film.add_cue(cue.used(Use::at(Frames(0))).used(again));
    let want = [
        1.0, 1.0, 1.0, 0.1, 0.1, 0.01, 1.0, 1.0, 0.0, 0.0, 1.0, 0.1, 0.1, 0.01, 1.0,
    ];
    for start in 0..15usize {
        let crop = film.render_on(1, Frames(start as u64)..Frames(15)).unwrap();
        close(&crop[0], &want[start..], 1e-15);
    }
}
