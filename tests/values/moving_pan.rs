//! Pan and balance that move: each side by its own gain, mono by the law of the session.

use crate::stems::{close, constant, first, heard, power, powers, session};
use soundtrack::{
    Bus, Clip, Cue, Curve, Decibels, Frames, Layout, Pan, PanLaw, SampleRate, Session, Shape,
    Track, Use,
};
use std::f64::consts::{FRAC_PI_2, SQRT_2};

/// Hard left at frame 0 to hard right at frame 8, a quarter a frame.
fn sweep() -> Curve<Pan> {
    Curve::new()
        .point(Frames(0), Pan::LEFT, Shape::Linear)
        .point(Frames(8), Pan::RIGHT, Shape::Linear)
}

/// The gains of the left, the right and the middle speakers at each frame of [`sweep`].
const BALANCE: [[f64; 3]; 9] = [
    [1.0, 0.0, 1.0],
    [1.0, 0.25, 1.0],
    [1.0, 0.5, 1.0],
    [1.0, 0.75, 1.0],
    [1.0, 1.0, 1.0],
    [0.75, 1.0, 1.0],
    [0.5, 1.0, 1.0],
    [0.25, 1.0, 1.0],
    [0.0, 1.0, 1.0],
];

/// The side that each channel is turned with: 0 left, 1 right, 2 neither.
const SIDES: [(Layout, &[usize]); 10] = [
    (Layout::Stereo, &[0, 1]),
    (Layout::Stereo21, &[0, 1, 2]),
    (Layout::Lcr, &[0, 1, 2]),
    (Layout::Lcrs, &[0, 1, 2, 2]),
    (Layout::Quad, &[0, 1, 0, 1]),
    (Layout::Surround50, &[0, 1, 2, 0, 1]),
    (Layout::Surround51, &[0, 1, 2, 2, 0, 1]),
    (Layout::Surround61, &[0, 1, 2, 2, 2, 0, 1]),
    (Layout::Surround70, &[0, 1, 2, 0, 1, 0, 1]),
    (Layout::Surround71, &[0, 1, 2, 2, 0, 1, 0, 1]),
];

/// Asserts that channel `c` is `2^(4c)` times the balance at each frame, times `level`.
#[track_caller]
fn balanced(got: &[Vec<f64>], sides: &[usize], frames: &[[f64; 3]], level: f64) {
    for (channel, (got, side)) in got.iter().zip(sides).enumerate() {
        let want: Vec<f64> = frames
            .iter()
            .map(|gains| power(channel) * gains[*side] * level)
            .collect();
        assert_eq!(*got, want, "channel {channel}");
    }
}

#[test]
fn a_moving_balance_turns_each_side_by_its_own_gain() {
    for (layout, sides) in SIDES {
        let track = || Track::new("x", powers(layout, 9));
        balanced(
            &heard(&session(layout, [track().pan_curve(sweep())])),
            sides,
            &BALANCE,
            1.0,
        );
        // The same of a bus, and of a cue where it is used.
        let mut through = Session::new(SampleRate::HZ_48000, layout);
        let bus = through.add_bus(Bus::new("b").pan_curve(sweep()));
        through.add_track(track().to(bus));
        balanced(&heard(&through), sides, &BALANCE, 1.0);
        let mut film = Session::new(SampleRate::HZ_48000, layout);
        let part = Use::at(Frames(0)).from(Frames(3)).length(Frames(5));
        film.add_cue(Cue::new("c").track(track().pan_curve(sweep())).used(part));
        balanced(&heard(&film), sides, &BALANCE[3..8], 1.0);
    }
}

#[test]
fn a_balance_that_stands_still_is_the_same_beside_a_gain_that_moves() {
    let step = || {
        Curve::new()
            .point(Frames(0), Decibels(0.0), Shape::Step)
            .point(Frames(5), Decibels::SILENCE, Shape::Step)
    };
    for (layout, sides) in SIDES {
        for (pan, gains) in [
            (-0.5, [1.0, 0.5, 1.0]),
            (0.0, [1.0; 3]),
            (0.75, [0.25, 1.0, 1.0]),
        ] {
            let track = || Track::new("x", powers(layout, 9)).pan(Pan(pan));
            balanced(&heard(&session(layout, [track()])), sides, &[gains; 9], 1.0);
            let moving = heard(&session(layout, [track().gain_curve(step())]));
            let frames: Vec<[f64; 3]> = (0..9)
                .map(|n| if n < 5 { gains } else { [0.0; 3] })
                .collect();
            balanced(&moving, sides, &frames, 1.0);
        }
    }
}

/// The share of the right side of each law at p from 0 (left) to 1 (right); the left side has that of 1 − p.
fn share(law: PanLaw, p: f64) -> f64 {
    match law {
        PanLaw::EqualPower => (p * FRAC_PI_2).sin(),
        PanLaw::Between => (p * (p * FRAC_PI_2).sin()).sqrt(),
        PanLaw::Linear => p,
        PanLaw::SquareRoot => p.sqrt(),
        PanLaw::Balance => (2.0 * p).min(1.0),
        PanLaw::EqualPowerUnity => SQRT_2 * (p * FRAC_PI_2).sin(),
        PanLaw::Ardour => {
            // −3 dB in the centre: a parabola through 0, 10^(−3/20) and 1.
            let scale = 2.0 - 4.0 * 10f64.powf(-0.15);
            p * (scale * p + 1.0 - scale)
        }
        other => panic!("{other} has no closed form here"),
    }
}

const LAWS: [PanLaw; 7] = [
    PanLaw::EqualPower,
    PanLaw::Between,
    PanLaw::Linear,
    PanLaw::SquareRoot,
    PanLaw::Balance,
    PanLaw::EqualPowerUnity,
    PanLaw::Ardour,
];

fn sides(law: PanLaw, pans: impl Iterator<Item = f64>) -> [Vec<f64>; 2] {
    let p: Vec<f64> = pans.map(|pan| (1.0 + pan) / 2.0).collect();
    [
        p.iter().map(|p| share(law, 1.0 - p)).collect(),
        p.iter().map(|p| share(law, *p)).collect(),
    ]
}

#[test]
fn every_law_holds_where_pan_moves_and_where_it_stands() {
    for layout in [Layout::Stereo, Layout::Lcr, Layout::Surround71] {
        for law in LAWS {
            let silent = |got: &[Vec<f64>]| got[2..].iter().flatten().all(|x| x.to_bits() == 0);
            let of = |track: Track| {
                let mut mix = session(layout, [track]);
                mix.pan_law = law;
                mix
            };
            let moving = heard(&of(Track::new("m", constant(1.0, 9)).pan_curve(sweep())));
            let want = sides(law, (0..9).map(|n| f64::from(n) / 4.0 - 1.0));
            moving
                .iter()
                .zip(&want)
                .for_each(|(got, want)| close(got, want, 1e-9));
            assert!(silent(&moving), "{law}");
            for pan in [-1.0, -0.3, 0.0, 0.6, 1.0] {
                let want = sides(law, std::iter::repeat_n(pan, 9));
                let still = Track::new("m", constant(1.0, 9)).pan(Pan(pan));
                let level = Curve::new().point(Frames(0), Decibels(0.0), Shape::Step);
                for track in [still.clone(), still.gain_curve(level)] {
                    let got = heard(&of(track));
                    got.iter()
                        .zip(&want)
                        .for_each(|(got, want)| close(got, want, 1e-9));
                    assert!(silent(&got), "{law} {pan}");
                }
            }
            // In a cue, over the stretch that the use shows.
            let mut film = Session::new(SampleRate::HZ_48000, layout);
            film.pan_law = law;
            let part = Use::at(Frames(2)).from(Frames(3)).length(Frames(5));
            film.add_cue(
                Cue::new("c")
                    .track(Track::new("m", constant(1.0, 9)).pan_curve(sweep()))
                    .used(part),
            );
            let want = sides(law, (3..8).map(|n| f64::from(n) / 4.0 - 1.0));
            heard(&film)
                .iter()
                .zip(&want)
                .for_each(|(got, want)| close(&got[2..], want, 1e-9));
        }
    }
}

#[test]
fn mono_and_wide_clips_of_one_moving_track_go_by_law_and_by_balance() {
    let wide = Clip::new(powers(Layout::Stereo, 9));
    let track = Track::of("x")
        .clip(wide)
        .clip(Clip::new(constant(256.0, 9)))
        .pan_curve(sweep());
    for law in LAWS {
        let mut mix = session(Layout::Stereo, [track.clone()]);
        mix.pan_law = law;
        let mono = sides(law, (0..9).map(|n| f64::from(n) / 4.0 - 1.0));
        for (side, got) in heard(&mix).iter().enumerate() {
            let want: Vec<f64> = (0..9)
                .map(|n| power(side) * BALANCE[n][side] + 256.0 * mono[side][n])
                .collect();
            close(got, &want, 1e-6);
        }
    }
}

#[test]
fn a_mono_session_has_no_pan() {
    let track = Track::new("x", constant(0.5, 9)).pan_curve(sweep());
    assert_eq!(first(&session(Layout::Mono, [track])), [0.5; 9]);
    assert_eq!(
        first(&session(
            Layout::Mono,
            [Track::new("x", constant(0.5, 2)).pan(Pan::LEFT)]
        )),
        [0.5; 2]
    );
}

#[test]
fn laws_are_exact_at_their_ends_and_known_by_name() {
    for (law, name) in LAWS.into_iter().zip([
        "equal-power",
        "between",
        "linear",
        "square-root",
        "balance",
        "equal-power-unity",
        "ardour",
    ]) {
        assert_eq!((name.parse(), law.to_string().as_str()), (Ok(law), name));
        let (left, right) = law.gains(Pan::CENTRE);
        assert_eq!(left.to_bits(), right.to_bits(), "{law}");
        assert_eq!(
            (law.gains(Pan::LEFT).1, law.gains(Pan::RIGHT).0),
            (0.0, 0.0),
            "{law}"
        );
        let full = if law == PanLaw::EqualPowerUnity {
            SQRT_2
        } else {
            1.0
        };
        assert!(
            (law.gains(Pan::LEFT).0 - full).abs() < 1e-15
                && (law.gains(Pan::RIGHT).1 - full).abs() < 1e-15,
            "{law}"
        );
    }
    assert_eq!(
        (
            PanLaw::EqualPowerUnity.gains(Pan::CENTRE),
            PanLaw::Balance.gains(Pan::CENTRE)
        ),
        ((1.0, 1.0), (1.0, 1.0))
    );
    assert!("equal power".parse::<PanLaw>().is_err() && "".parse::<PanLaw>().is_err());
}
