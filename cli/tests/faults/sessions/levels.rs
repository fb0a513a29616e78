//! Absurd levels and fades of nothing: finite, and exact where the number is.

use super::super::{
    inputs::stems::{heard, noise, same},
    table::{Seen, held, times},
};
use soundtrack::{
    Bus, Clip, Curve, Decibels, Fade, FadeShape, Frames, Layout, SampleRate, Session, Shape, Track,
};

const FRAMES: u64 = 4_000;

/// Returns a mono mix, so that the centre is at unity.
fn mono() -> Session {
    Session::new(SampleRate::HZ_44100, Layout::Mono)
}

fn samples(seed: u64) -> Vec<f64> {
    let mut session = mono();
    session.add_track(Track::new("x", noise(seed, FRAMES as usize)));
    heard(&session).unwrap().1.remove(0)
}

/// Returns a mix with a gain at one of its faders.
fn with(place: usize, gain: f64) -> Session {
    let mut session = mono();
    let bus = session.add_bus(Bus::new("bus"));
    let side = session.add_bus(Bus::new("side"));
    let mut track = Track::new("x", noise(1, FRAMES as usize)).to(bus);
    let gain = Decibels(gain);
    match place {
        0 => track = track.gain(gain),
        1 => track.clips[0].gain = gain,
        2 => session.bus_mut(bus).strip.gain = gain,
        3 => session.master.gain = gain,
        4 => track = track.gain_curve(Curve::new().point(Frames(0), gain, Shape::Linear)),
        _ => {
            // Heard by way of a send alone.
            session.bus_mut(bus).strip.mute = true;
            track = track.send(side, gain);
        }
    }
    session.add_track(track);
    session
}

pub fn gains() -> Seen {
    let plain = samples(1);
    let mut count = 0;
    for place in 0..6 {
        for gain in [
            f64::NEG_INFINITY,
            0.0,
            -0.0,
            120.0,
            200.0,
            -120.0,
            -1e308,
            f64::MIN_POSITIVE,
        ] {
            count += 1;
            let got = heard(&with(place, gain)).unwrap().1.remove(0);
            assert_eq!(got.len(), plain.len());
            // 10^(gain/20): six digits at +120 dB.
            let factor = 10f64.powf(gain / 20.0);
            for (n, (a, b)) in got.iter().zip(&plain).enumerate() {
                let what = format!("gain {gain} at place {place}, frame {n}: {a}");
                assert!(a.is_finite(), "{what}");
                match gain {
                    f64::NEG_INFINITY => assert!(*a == 0.0, "{what}"),
                    0.0 => assert_eq!(a.to_bits(), b.to_bits(), "{what}"),
                    _ => assert!(
                        (a - b * factor).abs() <= (b * factor).abs() * 1e-12,
                        "{what}"
                    ),
                }
            }
        }
        for gain in [f64::NAN, f64::INFINITY, 200.1, 1e308] {
            count += 1;
            let e = heard(&with(place, gain)).unwrap_err().to_string();
            assert!(
                e.contains("not a number") || e.contains("above +200 dB"),
                "{e}"
            );
        }
    }
    held(
        count,
        "on six faders: -inf is exact 0, 0 and -0.0 bit-equal, +120 and +200 dB within 1e-12; NaN, +inf, 1e308 refused",
    )
}

/// Returns the largest step of a gain between two frames, over a stem of ones.
fn steepest(curve: &[f64]) -> f64 {
    curve
        .windows(2)
        .map(|w| (w[1] - w[0]).abs())
        .fold(0.0, f64::max)
}

pub fn fades() -> Seen {
    let plain = samples(1);
    let ones = || {
        let spec = soundtrack::Spec {
            rate: SampleRate::HZ_44100,
            layout: Layout::Mono,
        };
        soundtrack::media::Memory::new(spec, vec![vec![1.0; FRAMES as usize]]).unwrap()
    };
    let shapes = [
        FadeShape::Linear,
        FadeShape::EqualPower,
        FadeShape::Between,
        FadeShape::RaisedCosine,
        FadeShape::SquareRoot,
        FadeShape::DecibelLinear(60.0),
    ];
    let mut count = 0;
    for shape in shapes {
        for length in [0, 1, 2, FRAMES] {
            count += 2;
            let fade = Fade {
                length: Frames(length),
                shape,
            };
            for (clip, inwards) in [
                (Clip::new(noise(1, FRAMES as usize)).fade_in(fade), true),
                (Clip::new(noise(1, FRAMES as usize)).fade_out(fade), false),
            ] {
                let mut session = mono();
                session.add_track(Track::of("x").clip(clip));
                let got = heard(&session).unwrap().1.remove(0);
                assert!(got.iter().all(|s| s.is_finite()), "{shape:?} of {length}");
                // What is not faded is untouched.
                let n = (FRAMES - length) as usize;
                let (a, b) = match inwards {
                    true => (&got[length as usize..], &plain[length as usize..]),
                    false => (&got[..n], &plain[..n]),
                };
                assert!(same(&[a.to_vec()], &[b.to_vec()]), "{shape:?} of {length}");
                // The first frame of a fade-in is silent, but where there is no fade.
                let edge = if inwards { got[0] } else { 0.0 };
                assert!(length == 0 || edge == 0.0, "{shape:?} of {length}: {edge}");
            }
        }
        // No step steeper than the shape's own slope: its steepest over as many frames.
        let length = 1_000;
        let mut session = mono();
        let fade = Fade {
            length: Frames(length),
            shape,
        };
        session.add_track(Track::of("x").clip(Clip::new(ones()).fade_in(fade).fade_out(fade)));
        let got = heard(&session).unwrap().1.remove(0);
        let most = match shape {
            FadeShape::Linear => 1.0 / length as f64 + 1e-12,
            FadeShape::EqualPower | FadeShape::RaisedCosine => {
                std::f64::consts::FRAC_PI_2 / length as f64 + 1e-12
            }
            // The root starts upright: its first step is the largest.
            FadeShape::SquareRoot => (1.0 / length as f64).sqrt() + 1e-12,
            FadeShape::DecibelLinear(range) => range / 20.0 * 10f64.ln() / length as f64 * 1.01,
            _ => 2.0 * (1.0 / length as f64).sqrt(),
        };
        let step = steepest(&got);
        assert!(step <= most, "{shape:?}: a step of {step}, at most {most}");
        count += 1;
    }
    // A step of the gain is one frame wide, wherever it is and however a block is cut.
    for at in (1..FRAMES).step_by(times(397, 41) as usize) {
        count += 1;
        let curve = Curve::new()
            .point(Frames(0), Decibels::SILENCE, Shape::Step)
            .point(Frames(at), Decibels::UNITY, Shape::Step);
        let mut session = mono();
        session.add_track(Track::new("x", ones()).gain_curve(curve));
        let got = heard(&session).unwrap().1.remove(0);
        assert!(
            got[..at as usize].iter().all(|s| *s == 0.0)
                && got[at as usize..].iter().all(|s| *s == 1.0),
            "{at}"
        );
    }
    held(
        count,
        "finite; frames outside bit-equal; no step above the shape's own slope; a step of gain takes one frame",
    )
}
