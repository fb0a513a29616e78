//! The first and the last frame: of fades, curves, uses, ranges, crops and the timeline.

use crate::stems::{close, constant, counting, first, rate, session};
use soundtrack::{
    Block, Bounce, Clip, Cue, Curve, Decibels, Fade, FadeShape, Frames, Layout, Options, Plan,
    Renderer, SampleRate, Session, Shape, Track, Use,
};
use std::f64::consts::FRAC_1_SQRT_2;

/// Four frames of each shape, from its silent end: x is 0, ¼, ½ and ¾.
const SHAPES: [(FadeShape, [f64; 4]); 7] = [
    (FadeShape::Linear, [0.0, 0.25, 0.5, 0.75]),
    (
        FadeShape::EqualPower,
        [
            0.0,
            0.382_683_432_365_09,
            FRAC_1_SQRT_2,
            0.923_879_532_511_29,
        ],
    ),
    (
        FadeShape::Between,
        [
            0.0,
            0.309_307_061_172_67,
            0.594_603_557_501_36,
            0.832_411_946_924_98,
        ],
    ),
    (
        FadeShape::RaisedCosine,
        [0.0, 0.146_446_609_406_73, 0.5, 0.853_553_390_593_27],
    ),
    (
        FadeShape::SquareRoot,
        [0.0, 0.5, FRAC_1_SQRT_2, 0.866_025_403_784_44],
    ),
    (
        FadeShape::DecibelLinear(60.0),
        [
            0.0,
            0.005_623_413_251_90,
            0.031_622_776_601_68,
            0.177_827_941_003_89,
        ],
    ),
    (
        FadeShape::DecibelLinear(40.0),
        [0.0, 0.031_622_776_601_68, 0.1, 0.316_227_766_016_84],
    ),
];

#[test]
fn fades_begin_at_nothing_and_end_one_step_before_it() {
    for (shape, gains) in SHAPES {
        let fade = Fade {
            length: Frames(4),
            shape,
        };
        let [a, b, c, d] = gains;
        let rise = [a, b, c, d, 1.0, 1.0, 1.0, 1.0];
        // A fade-out is not the mirror of those frames: its first frame is whole and its last one step from silence.
        let fall = [1.0, 1.0, 1.0, 1.0, 1.0, d, c, b];
        let whole = || Clip::new(constant(1.0, 8));
        let of = |clip: Clip| first(&session(Layout::Mono, [Track::of("x").clip(clip)]));
        close(&of(whole().fade_in(fade)), &rise, 1e-12);
        close(&of(whole().fade_out(fade)), &fall, 1e-12);
        let both: Vec<f64> = rise.iter().zip(fall).map(|(a, b)| a * b).collect();
        close(&of(whole().fade_in(fade).fade_out(fade)), &both, 1e-12);
        // The same of a use of a cue.
        let cue = |place: Use| {
            let mut film = Session::new(SampleRate::HZ_48000, Layout::Mono);
            film.add_cue(
                Cue::new("c")
                    .track(Track::new("x", constant(1.0, 20)))
                    .used(place),
            );
            first(&film)
        };
        let place = || Use::at(Frames(3)).from(Frames(5)).length(Frames(8));
        close(&cue(place().fade_in(fade))[3..], &rise, 1e-12);
        close(&cue(place().fade_out(fade))[3..], &fall, 1e-12);
        let at_once = || Use::at(Frames(0)).length(Frames(8));
        close(&cue(at_once().fade_in(fade)), &rise, 1e-12);
        close(&cue(at_once().fade_out(fade)), &fall, 1e-12);
        for (k, gain) in gains.iter().enumerate() {
            assert!(
                (shape.gain(k as f64 / 4.0) - gain).abs() < 1e-12,
                "{shape:?} {k}"
            );
        }
        assert!((shape.gain(1.0) - 1.0).abs() < 1e-15, "{shape:?}");
    }
}

#[test]
fn a_fade_may_be_as_long_as_its_clip_and_no_longer() {
    let of = |length| {
        session(
            Layout::Mono,
            [Track::of("x")
                .clip(Clip::new(constant(1.0, 4)).fade_out(Fade::linear(Frames(length))))],
        )
    };
    assert_eq!(first(&of(4)), [1.0, 0.75, 0.5, 0.25]);
    assert_eq!(Plan::compile(&of(5)).unwrap_err().problems().len(), 1);
    let cue = |length| {
        let mut film = Session::new(SampleRate::HZ_48000, Layout::Mono);
        let place = Use::at(Frames(0))
            .length(Frames(4))
            .fade_in(Fade::linear(Frames(length)));
        film.add_cue(
            Cue::new("c")
                .track(Track::new("x", constant(1.0, 9)))
                .used(place),
        );
        film
    };
    assert_eq!(first(&cue(4)), [0.0, 0.25, 0.5, 0.75]);
    assert_eq!(Plan::compile(&cue(5)).unwrap_err().problems().len(), 1);
}

#[test]
fn a_stretch_may_end_where_its_stem_does_and_no_later() {
    let clip = |from, length| {
        session(
            Layout::Mono,
            [Track::of("x").clip(
                Clip::new(counting(5))
                    .from(Frames(from))
                    .length(Frames(length)),
            )],
        )
    };
    assert_eq!(first(&clip(3, 2)), [4.0, 5.0]);
    assert_eq!(Plan::compile(&clip(3, 3)).unwrap_err().problems().len(), 1);
    let open = |from| {
        session(
            Layout::Mono,
            [Track::of("x").clip(Clip::new(counting(5)).from(Frames(from)))],
        )
    };
    assert_eq!(first(&open(4)), [5.0]);
    assert_eq!(first(&open(5)), [0.0; 0]);
    assert_eq!(Plan::compile(&open(6)).unwrap_err().problems().len(), 1);
    let used = |from, length| {
        let mut film = Session::new(SampleRate::HZ_48000, Layout::Mono);
        let place = Use::at(Frames(0)).from(Frames(from)).length(Frames(length));
        film.add_cue(
            Cue::new("c")
                .track(Track::new("x", counting(5)))
                .used(place),
        );
        film
    };
    assert_eq!(first(&used(3, 2)), [4.0, 5.0]);
    assert_eq!(Plan::compile(&used(3, 3)).unwrap_err().problems().len(), 1);
}

#[test]
fn curves_hold_before_jump_at_and_hold_after_their_points() {
    let curve = Curve::new()
        .point(Frames(2), Decibels(-20.0), Shape::Linear)
        .point(Frames(4), Decibels(0.0), Shape::Step)
        .point(Frames(4), Decibels(-40.0), Shape::Linear)
        .point(Frames(6), Decibels::SILENCE, Shape::Linear)
        .point(Frames(8), Decibels(0.0), Shape::Linear);
    // Two points at frame 4: the later one holds. What touches silence is straight in amplitude.
    let want = [0.1, 0.1, 0.1, 0.1, 0.01, 0.005, 0.0, 0.5, 1.0, 1.0];
    let at: Vec<f64> = (0..10).map(|n| curve.gain_at(Frames(n))).collect();
    close(&at, &want, 1e-15);
    close(
        &first(&session(
            Layout::Mono,
            [Track::new("x", constant(1.0, 10)).gain_curve(curve.clone())],
        )),
        &want,
        1e-15,
    );
    // The fader is added to the curve, of a track, a bus and the master alike.
    let mut mix = session(Layout::Mono, [Track::new("x", constant(1.0, 10))]);
    (mix.master.gain, mix.master.gain_curve) = (Decibels(20.0), curve.clone());
    close(&first(&mix), &want.map(|x| x * 10.0), 1e-14);
    let mut mix = Session::new(SampleRate::HZ_48000, Layout::Mono);
    let bus = mix.add_bus(
        soundtrack::Bus::new("b")
            .gain(Decibels(20.0))
            .gain_curve(curve),
    );
    mix.add_track(Track::new("x", constant(1.0, 10)).to(bus));
    close(&first(&mix), &want.map(|x| x * 10.0), 1e-14);
}

#[test]
fn the_shapes_of_curves_have_their_values_between_points() {
    let at = |shape| {
        let curve = Curve::new()
            .point(Frames(0), Decibels(-40.0), Shape::Linear)
            .point(Frames(4), Decibels(0.0), shape);
        (0..6)
            .map(|n| 20.0 * curve.gain_at(Frames(n)).log10())
            .collect::<Vec<_>>()
    };
    close(
        &at(Shape::Linear),
        &[-40.0, -30.0, -20.0, -10.0, 0.0, 0.0],
        1e-12,
    );
    let half = 40.0 * (1.0 - FRAC_1_SQRT_2) / 2.0;
    close(
        &at(Shape::Sine),
        &[-40.0, -40.0 + half, -20.0, -half, 0.0, 0.0],
        1e-12,
    );
    // (1000^x − 1) / 999 at ¼, ½ and ¾.
    let exp = [
        4.623_413_251_903_491,
        30.622_776_601_683_793,
        176.827_941_003_892_28,
    ]
    .map(|x| -40.0 + 40.0 * x / 999.0);
    close(
        &at(Shape::Exp),
        &[-40.0, exp[0], exp[1], exp[2], 0.0, 0.0],
        1e-11,
    );
    close(
        &at(Shape::Step),
        &[-40.0, -40.0, -40.0, -40.0, 0.0, 0.0],
        1e-12,
    );
}

#[test]
fn a_range_has_its_first_frame_and_not_its_last() {
    let mix = session(
        Layout::Mono,
        [Track::of("x").clip(Clip::new(counting(5)).at(Frames(2)))],
    );
    let cut = |a, b| mix.render(Frames(a)..Frames(b)).unwrap().swap_remove(0);
    assert_eq!(cut(0, 9), [0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 0.0, 0.0]);
    assert_eq!(cut(2, 3), [1.0]);
    assert_eq!(cut(6, 8), [5.0, 0.0]);
    assert_eq!(cut(4, 4), [0.0; 0]);
    assert!(mix.render(Frames(5)..Frames(4)).is_err());
    let report = Bounce::new()
        .range(Frames(3)..Frames(6))
        .dry_run(Plan::compile(&mix).unwrap())
        .unwrap();
    assert_eq!(
        (report.start_frame, report.frames, report.mix.peak_at_frame),
        (3, 3, Some(5))
    );
    assert_eq!(report.duration_s, 3.0 / 48_000.0);
    let mut renderer =
        Renderer::new(Plan::compile(&mix).unwrap(), &Options { threads: 1 }).unwrap();
    let mut block = Block::new(Layout::Mono, 4);
    renderer.seek(Frames(5));
    assert_eq!(
        (
            renderer.render(&mut block).unwrap(),
            block.channel(0).to_vec()
        ),
        (2, vec![4.0, 5.0])
    );
    assert_eq!(
        (renderer.position(), renderer.render(&mut block).unwrap()),
        (Frames(7), 0)
    );
}

#[test]
fn a_stated_length_cuts_or_prolongs_the_timeline() {
    let mut mix = session(
        Layout::Mono,
        [Track::of("x").clip(Clip::new(counting(3)).at(Frames(1)))],
    );
    assert_eq!(first(&mix), [0.0, 1.0, 2.0, 3.0]);
    mix.length = Some(Frames(3));
    assert_eq!(first(&mix), [0.0, 1.0, 2.0]);
    mix.length = Some(Frames(6));
    assert_eq!(first(&mix), [0.0, 1.0, 2.0, 3.0, 0.0, 0.0]);
    // Without one it ends with the clip that ends last, and not with the one that is last.
    let long = Track::of("y")
        .clip(Clip::new(constant(0.0, 2)).at(Frames(7)))
        .clip(Clip::new(constant(0.0, 1)));
    assert_eq!(
        Plan::compile(&session(Layout::Mono, [long, Track::new("z", counting(4))]))
            .unwrap()
            .length(),
        Frames(9)
    );
}

#[test]
fn a_stem_of_another_rate_is_as_long_as_its_last_frame_needs() {
    // ⌈n · to / from⌉ frames.
    for (from, n, want) in [
        (44_100, 147, 160),
        (44_100, 148, 162),
        (44_100, 146, 159),
        (96_000, 1025, 513),
        (96_000, 1024, 512),
        (32_000, 3, 5),
    ] {
        assert_eq!(
            Frames(n).resampled(rate(from), SampleRate::HZ_48000),
            Frames(want),
            "{n} at {from}"
        );
        let spec = soundtrack::Spec {
            rate: rate(from),
            layout: Layout::Mono,
        };
        let memory =
            soundtrack::media::Memory::new(spec, vec![vec![0.5; usize::try_from(n).unwrap()]])
                .unwrap();
        let mix = session(Layout::Mono, [Track::new("x", memory)]);
        assert_eq!(
            Plan::compile(&mix).unwrap().length(),
            Frames(want),
            "{n} at {from}"
        );
        assert_eq!(first(&mix).len() as u64, want);
    }
}

#[test]
fn a_slope_in_decibels_has_its_closed_form_at_every_frame_from_anywhere() {
    // −40 dB at frame 100 to 0 dB at 740, then to −16 dB at 1000; the fader adds 6 dB.
    let curve = Curve::new()
        .point(Frames(100), Decibels(-40.0), Shape::Linear)
        .point(Frames(740), Decibels(0.0), Shape::Linear)
        .point(Frames(1000), Decibels(-16.0), Shape::Linear);
    let decibels = |n: f64| match n {
        n if n < 100.0 => -40.0,
        n if n < 740.0 => -40.0 + (n - 100.0) / 16.0,
        n if n < 1000.0 => -16.0 * (n - 740.0) / 260.0,
        _ => -16.0,
    };
    let want: Vec<f64> = (0..1100)
        .map(|n| 10f64.powf(decibels(f64::from(n)) / 20.0))
        .collect();
    let at: Vec<f64> = (0..1100).map(|n| curve.gain_at(Frames(n))).collect();
    close(&at, &want, 1e-12);
    let mix = session(
        Layout::Mono,
        [Track::new("x", constant(1.0, 1100))
            .gain(Decibels(6.0))
            .gain_curve(curve)],
    );
    let louder: Vec<f64> = want.iter().map(|g| g * 10f64.powf(0.3)).collect();
    let whole = first(&mix);
    close(&whole, &louder, 1e-12);
    for (start, end) in [
        (0, 1),
        (99, 101),
        (100, 1100),
        (101, 740),
        (163, 165),
        (500, 900),
        (739, 741),
        (950, 1050),
        (999, 1002),
        (1050, 1100),
    ] {
        let crop = mix
            .render_on(1, Frames(start as u64)..Frames(end as u64))
            .unwrap();
        assert_eq!(crop[0], whole[start..end], "{start}..{end}");
    }
}

#[test]
fn shapes_are_known_by_name() {
    let fade = |name: &str| name.parse::<FadeShape>().ok();
    let names = [
        "linear",
        "equal-power",
        "between",
        "raised-cosine",
        "square-root",
        "decibel-linear",
        "decibel-linear(40)",
    ];
    for (name, (shape, _)) in names.into_iter().zip(SHAPES) {
        assert_eq!(fade(name), Some(shape), "{name}");
    }
    for name in [
        "",
        "Linear",
        "decibel-linear(0)",
        "decibel-linear(-3)",
        "decibel-linear(inf)",
        "decibel-linear(40",
    ] {
        assert_eq!(fade(name), None, "{name}");
    }
    let curve =
        ["linear", "sine", "exp", "step", "equal-power"].map(|name| name.parse::<Shape>().ok());
    assert_eq!(
        curve,
        [
            Some(Shape::Linear),
            Some(Shape::Sine),
            Some(Shape::Exp),
            Some(Shape::Step),
            None
        ]
    );
}
