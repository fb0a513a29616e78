//! Cues and their uses: what a plan of them says, and what is heard.

use soundtrack::{
    At, Bus, Clip, Cue, CueKind, Curve, Decibels, Fade, FadeShape, FrameRate, Frames, Insert,
    Layout, Opener, Pan, Plan, SampleRate, Selector, Session, Shape, Spec, Timecode, Track, Use,
    media::Memory,
};
use soundtrack_test_support::renders::stem;

const HZ: SampleRate = SampleRate::HZ_48000;

/// A stem whose every sample is 1.
fn ones(frames: usize) -> Memory {
    Memory::new(
        Spec {
            rate: HZ,
            layout: Layout::Mono,
        },
        vec![vec![1.0; frames]],
    )
    .unwrap()
}

fn named(name: &str, layout: Layout, frames: usize) -> Opener {
    let memory = stem(u64::from(name.as_bytes()[0]), 48_000, layout, frames);
    Opener::new(name, move || Ok(Box::new(memory.clone())))
}

fn tc(text: &str) -> Timecode {
    Timecode::parse(text, FrameRate::FPS_24).unwrap()
}

fn mono() -> Session {
    Session::new(HZ, Layout::Mono)
}

fn heard(session: &Session) -> Vec<f64> {
    let length = Plan::compile(session).unwrap().length();
    session.render(Frames(0)..length).unwrap().swap_remove(0)
}

/// A reel: a cue with automation and clips of its own, used whole, in part, and across itself.
fn reel() -> Session {
    let mut film = Session::new(HZ, Layout::Stereo);
    film.fps = Some(FrameRate::FPS_24);
    film.start = Some(tc("01:00:00:00"));
    let strings = film.add_bus(Bus::new("strings").gain(Decibels(-1.5)));
    film.add_track(
        Track::new("dialogue", named("dx.wav", Layout::Mono, 9000)).gain(Decibels(-2.0)),
    );
    let swell = Curve::new()
        .point(Frames(0), Decibels::SILENCE, Shape::Linear)
        .point(Frames(3000), Decibels(0.0), Shape::Sine)
        .point(Frames(11_000), Decibels(-20.0), Shape::Linear);
    let sweep = Curve::new()
        .point(Frames(0), Pan(-0.4), Shape::Linear)
        .point(Frames(9000), Pan(0.4), Shape::Linear);
    let taikos = Clip::new(named("taikos.wav", Layout::Mono, 700))
        .at(Frames(500))
        .loops(9);
    film.add_cue(
        Cue::new("storm")
            .title("The Storm")
            .track(
                Track::new("violins", named("vlns.wav", Layout::Stereo, 12_000))
                    .to(strings)
                    .gain(Decibels(-2.0)),
            )
            .track(
                Track::of("taikos")
                    .clip(taikos.fade_in(Fade::linear(Frames(300))))
                    .gain_curve(swell)
                    .pan_curve(sweep),
            )
            .used(Use::at(tc("01:00:00:12")).usage("BI"))
            .used(
                Use::at(Frames(40_000))
                    .named("reprise")
                    .from(Frames(900))
                    .length(Frames(5000))
                    .fade_in(Fade::linear(Frames(1000)))
                    .fade_out(Fade {
                        length: Frames(2000),
                        shape: FadeShape::EqualPower,
                    })
                    .gain(Decibels(-6.0)),
            )
            .used(Use::at(Frames(43_000)).named("overlap").from(Frames(2000))),
    );
    film.add_cue(
        Cue::new("song")
            .kind(CueKind::Song)
            .track(Track::new("band", named("band.wav", Layout::Stereo, 100))),
    );
    film
}

#[test]
fn a_plan_prints_cues_and_uses() {
    let want = "\
plan  48000 Hz stereo, 6 nodes in 3 stages, 53 000 frames, 24 fps from 01:00:00:00
 0 track   dialogue          dx.wav 48000 mono @0                                 gain -2.0 dB   pan C         -> 5
 0 track   storm.violins     vlns.wav 48000 stereo @24000                         gain -2.0 dB   pan C         -> 4
                             vlns.wav 48000 stereo @40000 [900..5900]
                             vlns.wav 48000 stereo @43000 [2000..12000]
 0 track   storm.taikos      taikos.wav 48000 mono @24500 x9                      gain curve(3)  pan curve(2)  -> 5
                             taikos.wav 48000 mono @40000 [0..700] x9 400..5400
 0 track   storm.taikos (2)  taikos.wav 48000 mono @43000 [0..700] x9 1500..6300  gain curve(3)  pan curve(2)  -> 5
 1 bus     strings           sum 1                                                gain -1.5 dB                 -> 5
 2 master                    sum 0 2 3 4                                          gain 0.0 dB
 cue  storm    \"The Storm\"              score, 12 000 frames, 3 uses
 use           01:00:00:12 @24000       whole                         gain 0.0 dB                                BI
 use  reprise  01:00:00:20 @40000       [900..5900]                   gain -6.0 dB  fade in 1000  fade out 2000
 use  overlap  01:00:00:21+1000 @43000  [2000..12000]                 gain 0.0 dB
 cue  song                              song, 100 frames, not used
";
    let got = Plan::compile(&reel()).unwrap().to_string();
    assert_eq!(got, want, "{got}");
}

#[test]
fn uses_are_cuts_of_the_cue_bit_for_bit() {
    let film = reel();
    let Ok(Selector::Cue(storm)) = film.part("cue.storm") else {
        panic!()
    };
    let cue = film.whole_cue(storm);
    let whole = cue.render(Frames(0)..Frames(12_000)).unwrap();
    let mut alone = film.clone();
    alone.tracks_mut()[0].strip.mute = true;
    let all = alone.render(Frames(0)..Frames(53_000)).unwrap();
    for (whole, all) in whole.iter().zip(&all) {
        assert_eq!(whole[..], all[24_000..36_000]);
        assert!(
            all[..24_000]
                .iter()
                .chain(&all[36_000..40_000])
                .all(|x| x.to_bits() == 0)
        );
        // Without the overlap: the stretch, with level and fades in closed form.
        let level = 10f64.powf(-0.3);
        for k in 0..3000usize {
            let fade_in = (k as f64 / 1000.0).min(1.0);
            let want = whole[900 + k] * level * fade_in;
            assert!((all[40_000 + k] - want).abs() <= 1e-12, "frame {k}");
        }
        for k in 5000..10_000 - 3000 {
            assert_eq!(
                all[40_000 + k],
                whole[2000 + k - 3000],
                "after the overlap, frame {k}"
            );
        }
        for k in 3000..5000usize {
            let fade_out = ((5000 - k) as f64 / 2000.0 * std::f64::consts::FRAC_PI_2).sin();
            let want = whole[900 + k] * level * fade_out + whole[2000 + k - 3000];
            assert!(
                (all[40_000 + k] - want).abs() <= 1e-12,
                "overlap, frame {k}"
            );
        }
    }
}

#[test]
fn an_excerpt_of_a_resampled_stem_has_the_bits_of_the_whole() {
    let mut film = mono();
    let excerpt = Use::at(Frames(50_000))
        .named("excerpt")
        .from(Frames(12_345))
        .length(Frames(7_777));
    let track = Track::new("a", stem(3, 44_100, Layout::Mono, 40_000));
    film.add_cue(
        Cue::new("c")
            .track(track)
            .used(Use::at(Frames(0)))
            .used(excerpt),
    );
    let all = heard(&film);
    assert_eq!(all.len(), 57_777);
    let bits = |part: &[f64]| part.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&all[50_000..]), bits(&all[12_345..12_345 + 7_777]));
    assert!(all[50_000..].iter().any(|x| x.abs() > 0.01));
}

#[test]
fn any_range_has_the_bits_of_the_whole() {
    let film = reel();
    let whole = film.render(Frames(0)..Frames(53_000)).unwrap();
    for cut in [
        1, 24_000, 24_001, 24_799, 40_000, 40_999, 43_001, 44_999, 45_000, 52_999,
    ] {
        let (a, b) = (
            film.render(Frames(0)..Frames(cut)).unwrap(),
            film.render(Frames(cut)..Frames(53_000)).unwrap(),
        );
        for ((whole, a), b) in whole.iter().zip(&a).zip(&b) {
            let joined: Vec<u64> = a.iter().chain(b).map(|x| x.to_bits()).collect();
            assert_eq!(
                joined,
                whole.iter().map(|x| x.to_bits()).collect::<Vec<_>>(),
                "cut at {cut}"
            );
        }
    }
}

#[test]
fn crossfades_add_up_at_every_frame() {
    for (shape, sum) in [
        (FadeShape::Linear, true),
        (FadeShape::RaisedCosine, true),
        (FadeShape::EqualPower, false),
    ] {
        let fade = Fade {
            length: Frames(400),
            shape,
        };
        let b = Clip::new(ones(1000)).at(Frames(600)).crossfade(fade);
        let mut session = mono();
        session.add_track(Track::of("a").clip(Clip::new(ones(1500))).clip(b.clone()));
        let got = heard(&session);
        assert_eq!(got.len(), 1600);
        for (n, x) in got.iter().enumerate() {
            let t = (n as f64 - 600.0) / 400.0;
            let want = if !(0.0..1.0).contains(&t) || sum {
                1.0
            } else {
                let angle = t * std::f64::consts::FRAC_PI_2;
                angle.sin() + angle.cos()
            };
            assert!(
                (x - want).abs() <= 1e-12,
                "{shape:?} frame {n}: {x} for {want}"
            );
        }
        // The same of two uses of a cue.
        let mut film = mono();
        film.add_cue(
            Cue::new("c")
                .track(Track::new("a", ones(1500)))
                .used(Use::at(Frames(0)))
                .used(
                    Use::at(Frames(600))
                        .named("again")
                        .length(Frames(1000))
                        .crossfade(fade),
                ),
        );
        assert_eq!(heard(&film), got, "{shape:?}");
    }
}

#[test]
fn what_cannot_crossfade_is_told() {
    let fade = Fade::linear(Frames(400));
    let problem = |clips: [Clip; 2]| {
        let mut session = mono();
        let [a, b] = clips;
        session.add_track(Track::of("t").clip(a).clip(b));
        Plan::compile(&session).unwrap_err().to_string()
    };
    let a = || Clip::new(ones(1000));
    let b = || Clip::new(ones(1000)).crossfade(fade);
    assert_eq!(
        problem([a(), b().at(Frames(601))]),
        "track \"t\": memory: the crossfade lasts until frame 1001, but the clip before it ends at frame 1000: let it last longer"
    );
    assert_eq!(
        problem([a().at(Frames(10)), b()]),
        "track \"t\": memory: there is no clip before it to crossfade with"
    );
    assert_eq!(
        problem([a(), b()]),
        "track \"t\": memory: the clip to crossfade with starts with it"
    );
    assert!(
        problem([a().fade_out(fade), b().at(Frames(9))])
            .ends_with("a fade-out of its own: keep one of the two")
    );
    assert!(
        problem([a(), b().at(Frames(9)).fade_in(fade)])
            .ends_with("a fade-in and a crossfade: keep one of the two")
    );
    assert!(
        problem([a(), b().at(Frames(9)).length(Frames(399))])
            .ends_with("the crossfade of 400 frames is longer than the clip of 399")
    );
}

#[test]
fn automation_follows_the_cue_at_every_use() {
    let curve = Curve::new()
        .point(Frames(100), Decibels(-40.0), Shape::Linear)
        .point(Frames(900), Decibels(0.0), Shape::Linear)
        .point(Frames(1500), Decibels(-12.0), Shape::Sine);
    let closed = |n: usize| {
        let t = n as f64;
        let db = match n {
            0..100 => -40.0,
            100..900 => -40.0 + 40.0 * (t - 100.0) / 800.0,
            900..1500 => -12.0 * (1.0 - (std::f64::consts::PI * (t - 900.0) / 600.0).cos()) / 2.0,
            _ => -12.0,
        };
        10f64.powf((db - 3.0) / 20.0)
    };
    let mut film = mono();
    let track = Track::new("a", ones(2000))
        .gain(Decibels(-3.0))
        .gain_curve(curve);
    film.add_cue(
        Cue::new("c").track(track).used(Use::at(Frames(7))).used(
            Use::at(Frames(5000))
                .named("b")
                .from(Frames(333))
                .length(Frames(1200))
                .gain(Decibels(6.0)),
        ),
    );
    let got = heard(&film);
    for n in 0..2000 {
        assert!((got[7 + n] - closed(n)).abs() <= 1e-12, "frame {n}");
    }
    for n in 0..1200 {
        assert!(
            (got[5000 + n] - closed(333 + n) * 10f64.powf(0.3)).abs() <= 1e-12,
            "second use, frame {n}"
        );
    }
}

#[test]
fn what_rings_after_a_use_follows_the_automation_of_its_track() {
    // A repeat 100 frames later, after the end of the stem, and nothing else.
    let echo = Insert::new("delay").unwrap().set("time", 100.0 / 48_000.0);
    let echo = echo.unwrap().set("mix", 1.0).unwrap();
    let fall = Curve::new()
        .point(Frames(0), Decibels(-20.0), Shape::Linear)
        .point(Frames(1000), Decibels(-40.0), Shape::Linear);
    let left = Curve::new().point(Frames(0), Pan(-1.0), Shape::Linear);
    let track = Track::new("pad", ones(100))
        .gain_curve(fall)
        .pan_curve(left);
    let mut track = track;
    track.strip.inserts.push(echo);
    let mut session = Session::new(HZ, Layout::Stereo);
    let cue = Cue::new("c").track(track).used(Use::at(Frames(500)));
    session.add_cue(cue.used(Use::at(Frames(1000)).named("again")));
    let mix = session.render(Frames(0)..Frames(1500)).unwrap();
    for (t, (left, right)) in mix[0].iter().zip(&mix[1]).enumerate() {
        let sounds = (600..700).contains(&t) || (1100..1200).contains(&t);
        let decibels = -20.0 - 20.0 * ((t % 500) as f64 / 1000.0);
        let gain = if sounds {
            10f64.powf(decibels / 20.0)
        } else {
            0.0
        };
        assert!((left - gain).abs() < 1e-12, "frame {t}: {left} {gain}");
        assert!(right.abs() < 1e-12, "frame {t}: {right}");
    }
}

#[test]
fn a_muted_cue_and_an_unused_one_are_silent() {
    let mut film = reel();
    film.tracks_mut()[0].strip.mute = true;
    film.cues_mut()[0].mute = true;
    assert!(
        film.render(Frames(0)..Frames(53_000))
            .unwrap()
            .iter()
            .flatten()
            .all(|x| x.to_bits() == 0)
    );
}

#[test]
fn what_is_wrong_with_cues_is_told_at_once() {
    let mut film = reel();
    let storm = &mut film.cues_mut()[0];
    storm.uses[0].at = At::Timecode(tc("00:59:59:23"));
    storm.uses[1].length = Some(Frames(11_101));
    storm.uses[2].name = "reprise".into();
    storm.tracks[0].clips[0].at = At::Timecode(tc("01:00:00:00"));
    storm.tracks[1].strip.name = "violins".into();
    film.add_cue(Cue::new("storm").used(Use::at(At::Origin)));
    film.add_cue(
        Cue::new("lost")
            .track(Track::new("x", ones(10)))
            .used(Use::at(At::Origin)),
    );
    let error = Plan::compile(&film).unwrap_err();
    let got: Vec<String> = error.problems().iter().map(ToString::to_string).collect();
    let want = [
        "cue \"storm\", track \"violins\": 01:00:00:00 is a place against picture; in a cue, count from its start",
        "cue \"storm\", track \"violins\": there are two of this name",
        "cue \"storm\", use \"reprise\": there are two of this name",
        "cue \"storm\": there are two of this name",
        "cue \"storm\": it has no tracks",
        "cue \"storm\": 00:59:59:23 lies before the start of the session, 01:00:00:00",
        "cue \"storm\", use \"reprise\": it ends at 00:00:00.250 (12001 frames), the cue at 00:00:00.141 (6800 frames)",
        "cue \"lost\": no stem has a time reference: give `at` as a time",
    ];
    assert_eq!(got, want, "{got:#?}");
}

#[test]
fn a_timecode_between_two_frames_is_told() {
    let label = |text: &str| Timecode::parse(text, FrameRate::FPS_29_97).unwrap();
    let mut film = mono();
    film.start = Some(label("01:00:00:00"));
    film.master.gain = Decibels(-6.0);
    let uses = [
        Use::at(label("01:00:00:01")),
        Use::at(label("01:00:10:00")).named("b"),
    ];
    let cue = Cue::new("c").track(Track::new("a", ones(10)));
    film.add_cue(uses.into_iter().fold(cue, Cue::used));
    let plan = Plan::compile(&film).unwrap();
    // 1601.6 and 480480 frames.
    assert_eq!(
        plan.cues()[0]
            .uses
            .iter()
            .map(|u| u.range.start.0)
            .collect::<Vec<_>>(),
        [1602, 480_480]
    );
    let folder = tempfile::tempdir().unwrap();
    let report = film.bounce(folder.path().join("x.wav")).unwrap();
    let told: Vec<String> = report
        .warnings
        .iter()
        .map(ToString::to_string)
        .filter(|w| w.starts_with("W114"))
        .collect();
    assert_eq!(
        told,
        [
            "W114 cue \"c\": 01:00:00:01 lies between two frames at 48000 Hz: placed +0.400 frames off"
        ],
        "{told:#?}"
    );
}
