//! Gain, pan, folding, fades and automation against their closed forms.

use soundtrack::{
    Bus, Clip, Curve, Decibels, Fade, FadeShape, Frames, Layout, Pan, PanLaw, SampleRate, Session,
    Shape, Spec, Track, media::Memory,
};
use soundtrack_test_support::renders::rendered;
use std::f64::consts::{FRAC_1_SQRT_2, PI};

const RATE: SampleRate = SampleRate::HZ_48000;

/// A stem whose channel c is the constant 10^c / 1000, so that every path to an output can be told apart.
fn levels(layout: Layout, frames: usize) -> Memory {
    let channels = (0..layout.channels())
        .map(|c| vec![10f64.powi(c as i32 - 3); frames])
        .collect();
    Memory::new(Spec { rate: RATE, layout }, channels).unwrap()
}

fn frame(session: &Session, at: u64) -> Vec<f64> {
    rendered(session, 128, 1, at..at + 1)
        .iter()
        .map(|c| c[0])
        .collect()
}

fn close(got: &[f64], want: &[f64]) {
    assert_eq!(got.len(), want.len());
    assert!(
        got.iter().zip(want).all(|(g, w)| (g - w).abs() <= 1e-15),
        "{got:?} for {want:?}"
    );
}

#[test]
fn a_mono_stem_goes_where_the_law_says() {
    let laws = [
        (PanLaw::EqualPower, -0.5, (PI / 8.0).cos(), (PI / 8.0).sin()),
        (PanLaw::Linear, 0.5, 0.25, 0.75),
        (PanLaw::Balance, 0.0, 1.0, 1.0),
        (PanLaw::Balance, 0.5, 0.5, 1.0),
        (PanLaw::EqualPower, -1.0, 1.0, 0.0),
    ];
    for layout in [Layout::Stereo, Layout::Surround51] {
        for (law, pan, left, right) in laws {
            let mut session = Session::new(RATE, layout);
            session.pan_law = law;
            session.add_track(
                Track::new("m", levels(Layout::Mono, 10))
                    .pan(Pan(pan))
                    .gain(Decibels(-20.0)),
            );
            let mut want = vec![0.0; layout.channels()];
            (want[0], want[1]) = (1e-4 * left, 1e-4 * right);
            close(&frame(&session, 3), &want);
        }
    }
}

#[test]
fn what_has_sides_is_balanced() {
    let mut session = Session::new(RATE, Layout::Surround51);
    session.add_track(Track::new("all", levels(Layout::Surround51, 10)).pan(Pan(0.25)));
    close(&frame(&session, 0), &[0.75e-3, 1e-2, 0.1, 1.0, 7.5, 100.0]);
    let mut bus = Session::new(RATE, Layout::Stereo);
    let group = bus.add_bus(Bus::new("group").pan(Pan(-0.5)).gain(Decibels(20.0)));
    bus.add_track(Track::new("s", levels(Layout::Stereo, 10)).to(group));
    close(&frame(&bus, 0), &[1e-2, 0.05]);
}

#[test]
fn layouts_fold_by_the_stated_rows() {
    let k = FRAC_1_SQRT_2;
    let fold = |from: Layout, to: Layout| {
        let mut session = Session::new(RATE, to);
        session.add_track(Track::new("x", levels(from, 10)));
        frame(&session, 5)
    };
    // L R C LFE Ls Rs are .001 .01 .1 1 10 100.
    close(
        &fold(Layout::Surround51, Layout::Stereo),
        &[0.001 + 0.1 * k + 10.0 * k, 0.01 + 0.1 * k + 100.0 * k],
    );
    close(
        &fold(Layout::Surround51, Layout::Mono),
        &[0.001 * k + 0.01 * k + 0.1 + 5.0 + 50.0],
    );
    close(&fold(Layout::Stereo, Layout::Mono), &[0.001 * k + 0.01 * k]);
    close(
        &fold(Layout::Surround51, Layout::Quad),
        &[0.001 + 0.1 * k, 0.01 + 0.1 * k, 10.0, 100.0],
    );
    close(
        &fold(Layout::Quad, Layout::Lcr),
        &[0.001 + 0.1 * k, 0.01 + k, 0.0],
    );
    close(
        &fold(Layout::Stereo, Layout::Surround71),
        &[0.001, 0.01, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    );
    // 7.1 is L R C LFE Lb Rb Ls Rs.
    let seven = fold(Layout::Surround71, Layout::Surround51);
    close(&seven, &[0.001, 0.01, 0.1, 1.0, 10.0 + 1e3, 100.0 + 1e4]);
}

#[test]
fn a_clip_may_state_its_layout() {
    let mut session = Session::new(RATE, Layout::Stereo);
    let clip = Clip::new(levels(Layout::Discrete(3), 10));
    session.add_track(Track::of("x").clip(clip.clone().layout(Layout::Lcr)));
    close(
        &frame(&session, 0),
        &[0.001 + 0.1 * FRAC_1_SQRT_2, 0.01 + 0.1 * FRAC_1_SQRT_2],
    );
    session.tracks_mut()[0].clips[0].layout = None;
    let error = session
        .render(Frames(0)..Frames(1))
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "track \"x\": memory: it has 3 channels of no known layout; say which layout they are: 2.1 or lcr"
    );
    session.tracks_mut()[0].clips[0].layout = Some(Layout::Quad);
    let error = session
        .render(Frames(0)..Frames(1))
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "track \"x\": memory: the clip's layout quad has 4 channels, the file 3"
    );
}

#[test]
fn a_stated_layout_is_what_the_report_speaks_of() {
    let mut session = Session::new(RATE, Layout::Stereo);
    let clip = Clip::new(levels(Layout::Discrete(6), 10)).layout(Layout::Surround51);
    session.add_track(Track::of("x").clip(clip));
    let folder = tempfile::tempdir().unwrap();
    let report = session.bounce(folder.path().join("o.wav")).unwrap();
    let folded = report
        .warnings
        .iter()
        .find(|w| w.kind.code() == "W104")
        .unwrap();
    assert_eq!(
        folded.to_string(),
        "W104 track \"x\": memory: folded from 5.1 to stereo, the LFE left out"
    );
    session.layout = Layout::Surround51;
    let report = session.bounce(folder.path().join("p.wav")).unwrap();
    let clip = &report.tracks[0].clips[0];
    assert_eq!(
        (clip.placed, clip.layout.as_str()),
        (soundtrack::report::Placed::Same, "5.1")
    );
}

#[test]
fn channels_that_get_nothing_hold_positive_zero() {
    let mut session = Session::new(RATE, Layout::Surround51);
    session.add_track(Track::new("m", levels(Layout::Mono, 10)).pan(Pan::LEFT));
    let mix = rendered(&session, 128, 1, 0..10);
    assert!(
        mix[1..].iter().flatten().all(|x| x.to_bits() == 0),
        "{mix:?}"
    );
}

#[test]
fn fades_and_loops_run_to_the_frame() {
    let ramp = Memory::new(
        Spec {
            rate: RATE,
            layout: Layout::Mono,
        },
        vec![(0..100).map(f64::from).collect()],
    )
    .unwrap();
    let fade = |n, shape| Fade {
        length: Frames(n),
        shape,
    };
    let clip = Clip::new(ramp)
        .at(Frames(7))
        .from(Frames(10))
        .length(Frames(20))
        .loops(3);
    let clip = clip
        .fade_in(fade(15, FadeShape::EqualPower))
        .fade_out(fade(25, FadeShape::RaisedCosine));
    let mut session = Session::new(RATE, Layout::Mono);
    session.add_track(Track::of("x").clip(clip.gain(Decibels(-6.0))).invert(true));
    let mix = rendered(&session, 9, 1, 0..80);
    for (n, got) in mix[0].iter().enumerate() {
        let t = n as f64 - 7.0;
        let want = if (0.0..60.0).contains(&t) {
            let fade_in = if t < 15.0 {
                (t / 15.0 * PI / 2.0).sin()
            } else {
                1.0
            };
            let fade_out = if t >= 35.0 {
                (1.0 - (PI * (60.0 - t) / 25.0).cos()) / 2.0
            } else {
                1.0
            };
            -(10.0 + t % 20.0) * 10f64.powf(-0.3) * fade_in * fade_out
        } else {
            0.0
        };
        assert!((got - want).abs() < 1e-13, "frame {n}: {got} for {want}");
    }
}

#[test]
fn automation_moves_every_frame() {
    let mut session = Session::new(RATE, Layout::Stereo);
    let gain = Curve::new()
        .point(Frames(100), Decibels(-12.0), Shape::Linear)
        .point(Frames(1100), Decibels(0.0), Shape::Linear);
    let pan = Curve::new()
        .point(Frames(0), Pan::LEFT, Shape::Linear)
        .point(Frames(2000), Pan::RIGHT, Shape::Sine);
    let ones = Memory::new(
        Spec {
            rate: RATE,
            layout: Layout::Mono,
        },
        vec![vec![1.0; 2000]],
    )
    .unwrap();
    session.add_track(
        Track::new("x", ones)
            .gain(Decibels(-1.0))
            .gain_curve(gain)
            .pan_curve(pan),
    );
    let mix = rendered(&session, 441, 1, 0..2000);
    for n in 0..2000 {
        let t = n as f64;
        let level =
            10f64.powf((-1.0 + (-12.0 + (t - 100.0) / 1000.0 * 12.0).clamp(-12.0, 0.0)) / 20.0);
        let p = (1.0 - (PI * t / 2000.0).cos()) / 2.0;
        let (left, right) = (level * (p * PI / 2.0).cos(), level * (p * PI / 2.0).sin());
        assert!(
            (mix[0][n] - left).abs() < 1e-12 && (mix[1][n] - right).abs() < 1e-12,
            "frame {n}"
        );
        if n > 0 && n != 100 && n != 1100 {
            // No steps: never more in a frame than the steepest slope of the closed form.
            assert!((mix[0][n] - mix[0][n - 1]).abs() < 4e-3, "frame {n}");
        }
    }
}

#[test]
fn sends_are_taken_after_the_fader_and_sums_follow_the_session() {
    let mut session = Session::new(RATE, Layout::Stereo);
    let hall = session.add_bus(Bus::new("hall").gain(Decibels(-20.0)));
    session.add_track(
        Track::new("s", levels(Layout::Stereo, 10))
            .gain(Decibels(20.0))
            .send(hall, Decibels(-40.0)),
    );
    let direct = [1e-2, 1e-1];
    close(&frame(&session, 0), &direct.map(|d| d + d * 1e-2 * 1e-1));
    // A soloed return is heard with what is sent to it, and without the direct sound.
    session.bus_mut(hall).strip.solo = true;
    close(&frame(&session, 0), &direct.map(|d| d * 1e-3));
    session.bus_mut(hall).strip.mute = true;
    close(&frame(&session, 0), &[0.0, 0.0]);
}
