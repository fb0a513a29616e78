//! Figures that are taken from several items: of an album, of a delivery, of the channels and tracks of a mix.

use crate::stems::{RATE, mono, session, stem};
use soundtrack::{
    Bus, Clip, Cue, Dbtp, Deliverable, Delivery, Format, Frames, Layout, LoudnessTarget, Lufs,
    Session, Track,
    deliver::{DeliverableReport, Delivered},
};
use std::f64::consts::TAU;

/// A tone of 997 Hz, whose loudness in mono is 3.01 LU below its peak level.
pub fn tone(amplitude: f64, frames: usize) -> Vec<f64> {
    (0..frames)
        .map(|n| amplitude * (TAU * 997.0 * n as f64 / 48_000.0).sin())
        .collect()
}

/// An album of one tone a cue, with a check or a fit, written to a folder that is dropped.
fn album(
    cues: &[(f64, usize)],
    target: LoudnessTarget,
    fit: bool,
) -> (Delivered, DeliverableReport) {
    let folder = tempfile::tempdir().unwrap();
    let mut film = Session::new(RATE, Layout::Mono);
    // An album is of whole cues, and none of the timeline's.
    film.add_track(Track::new("dialogue", mono(tone(0.9, 48_000))));
    for (n, (amplitude, frames)) in cues.iter().enumerate() {
        film.add_cue(
            Cue::new(format!("c{n}")).track(Track::new("x", mono(tone(*amplitude, *frames)))),
        );
    }
    let promise = Deliverable::new("album", folder.path().join("{nn}.wav"))
        .format(Format::WAV_32F)
        .album(true);
    let mut promise = promise.loudness(target);
    promise.fit = fit;
    film.deliverables.push(promise);
    let done = Delivery::new().threads(1).run(&film).unwrap();
    let own = done.deliverables[0].clone();
    (done, own)
}

/// A target of a loudness in LUFS and a true peak in dBTP, as far as they are given.
fn target(integrated: Option<f64>, true_peak: Option<f64>) -> LoudnessTarget {
    let mut target = LoudnessTarget::default();
    (target.integrated, target.true_peak) = (integrated.map(Lufs), true_peak.map(Dbtp));
    target
}

pub fn near(got: f64, want: f64) {
    assert!((got - want).abs() < 0.01, "{got} for {want}");
}

fn db(factor: f64) -> f64 {
    20.0 * factor.log10()
}

#[test]
fn the_true_peak_of_an_album_is_that_of_its_loudest_cue_wherever_it_stands() {
    let target = target(None, Some(-1.0));
    for cues in [[0.5, 0.25, 0.125], [0.25, 0.5, 0.125], [0.125, 0.25, 0.5]] {
        let (_, report) = album(&cues.map(|a| (a, 24_000)), target.clone(), false);
        near(report.true_peak.unwrap().true_peak_dbtp.unwrap(), db(0.5));
        for (file, amplitude) in report.files.iter().zip(cues) {
            near(file.report.mix.true_peak_dbtp.unwrap(), db(amplitude));
            assert_eq!(file.report.frames, 24_000);
        }
    }
}

#[test]
fn one_loud_cue_fails_the_ceiling_of_the_whole_album() {
    let target = target(None, Some(-7.0));
    for (cues, passed) in [
        ([0.4, 0.3, 0.2], true),
        ([0.5, 0.3, 0.2], false),
        ([0.2, 0.5, 0.3], false),
        ([0.2, 0.3, 0.5], false),
    ] {
        let (done, report) = album(&cues.map(|a| (a, 24_000)), target.clone(), false);
        assert_eq!(
            (
                report.true_peak.unwrap().passed,
                report.passed(),
                done.passed()
            ),
            (passed, passed, passed),
            "{cues:?}"
        );
    }
}

#[test]
fn the_loudness_of_an_album_is_the_mean_power_of_all_its_blocks() {
    let target = target(Some(-14.0), None);
    let loudness = |cues: &[(f64, usize)]| {
        album(cues, target.clone(), false)
            .1
            .loudness
            .unwrap()
            .integrated_lufs
            .unwrap()
    };
    // A block of 0.4 s every 0.1 s: 17 of 2 s, 37 of 4 s.
    let equal = (0.25 + 0.0625 + 0.015_625) / 3.0;
    for order in [[0.5, 0.25, 0.125], [0.125, 0.5, 0.25], [0.25, 0.125, 0.5]] {
        near(
            loudness(&order.map(|a| (a, 96_000))),
            10.0 * f64::log10(equal) - 3.01,
        );
    }
    let weighted = (17.0 * 0.25 + 37.0 * 0.0625) / 54.0;
    near(
        loudness(&[(0.5, 96_000), (0.25, 192_000)]),
        10.0 * f64::log10(weighted) - 3.01,
    );
    // 10 LU below the mean of both is where the relative gate stands: 12.78 LU apart it closes.
    let apart = |lu: f64| loudness(&[(0.5, 96_000), (0.5 * 10f64.powf(-lu / 20.0), 96_000)]);
    near(
        apart(12.7),
        db(0.5) - 3.01 + 10.0 * f64::log10((1.0 + 10f64.powf(-1.27)) / 2.0),
    );
    near(apart(12.9), db(0.5) - 3.01);
}

#[test]
fn an_album_is_fitted_by_one_gain_to_its_target_or_its_ceiling() {
    let cues = [(0.25, 96_000), (0.5, 96_000), (0.125, 96_000)];
    let is = 10.0 * f64::log10((0.25 + 0.0625 + 0.015_625) / 3.0) - 3.01;
    for (loudness, ceiling, want) in [
        (Some(-14.0), None, -14.0 - is),
        (Some(-14.0), Some(-1.0), -14.0 - is),
        // 5.02 dB up to the ceiling, 8.62 LU to the target: the ceiling binds.
        (Some(-4.0), Some(-1.0), -1.0 - db(0.5)),
        (None, Some(-9.0), -9.0 - db(0.5)),
        (None, Some(-3.0), 0.0),
        (None, None, 0.0),
    ] {
        let (_, report) = album(&cues, target(loudness, ceiling), true);
        near(report.gain_db, want);
        for (file, (amplitude, _)) in report.files.iter().zip(cues) {
            near(
                file.report.mix.true_peak_dbtp.unwrap(),
                db(amplitude) + want,
            );
        }
        if let Some(check) = report.true_peak {
            assert!(check.passed, "{check:?}");
            near(check.true_peak_dbtp.unwrap(), db(0.5) + want);
        }
    }
    // Without `fit` nothing is changed, whatever the target.
    let (_, report) = album(&cues, target(Some(-30.0), None), false);
    assert_eq!(report.gain_db, 0.0);
    near(report.files[1].report.mix.true_peak_dbtp.unwrap(), db(0.5));
}

#[test]
fn a_loudness_passes_within_its_tolerance_and_a_peak_at_its_ceiling() {
    let cues = [(0.25, 48_000), (0.5, 48_000)];
    let check = |target: LoudnessTarget| album(&cues, target, false).1;
    let open = check(target(Some(-20.0), Some(0.0)));
    let (is, peak) = (
        open.loudness.unwrap().integrated_lufs.unwrap(),
        open.true_peak.unwrap().true_peak_dbtp.unwrap(),
    );
    // 0.2 LU unless stated, either way.
    for (tolerance, stated) in [(0.2, None), (0.5, Some(0.5)), (0.0, Some(0.0))] {
        for (off, passed) in [(tolerance - 1e-3, true), (tolerance + 1e-3, false)] {
            for side in [-1.0, 1.0] {
                let mut target = target(Some(is + side * off), None);
                target.tolerance = stated.or(target.tolerance);
                let found = check(target).loudness.unwrap();
                let expected = if tolerance == 0.0 { false } else { passed };
                assert_eq!(
                    (found.passed, found.tolerance_lu),
                    (expected, Some(tolerance)),
                    "{side} {off}"
                );
            }
        }
        let mut exact = target(Some(is), None);
        exact.tolerance = stated.or(exact.tolerance);
        assert!(check(exact).passed());
    }
    // Silence is not loud, and has no peak to be too high; no gain is found for it.
    let both = target(Some(-20.0), Some(-60.0));
    let silent = album(&[(0.0, 48_000), (0.0, 24_000)], both, true).1;
    let (loudness, peaks) = (silent.loudness.unwrap(), silent.true_peak.unwrap());
    assert_eq!((loudness.integrated_lufs, loudness.passed), (None, false));
    assert_eq!(
        (peaks.true_peak_dbtp, peaks.passed, silent.gain_db),
        (None, true, 0.0)
    );
    for (ceiling, passed) in [(peak, true), (peak + 1e-3, true), (peak - 1e-3, false)] {
        assert_eq!(
            check(target(None, Some(ceiling))).true_peak.unwrap().passed,
            passed,
            "{ceiling}"
        );
    }
}

#[test]
fn a_delivery_passes_when_every_check_of_every_deliverable_does() {
    let folder = tempfile::tempdir().unwrap();
    let mut film = session(Layout::Mono, [Track::new("x", mono(tone(0.5, 48_000)))]);
    film.add_bus(Bus::new("unused"));
    let file = |name: &str| folder.path().join(name);
    let loudness = db(0.5) - 3.01;
    let is = || Some(target(Some(loudness), Some(-6.0)));
    let soft = || Some(target(Some(-30.0), Some(-6.0)));
    let low = || Some(target(Some(loudness), Some(-7.0)));
    for (checks, each) in [
        ([is(), is(), None], [true, true, true]),
        ([soft(), is(), None], [false, true, true]),
        ([None, is(), low()], [true, true, false]),
        ([is(), low(), soft()], [true, false, false]),
    ] {
        film.deliverables = checks
            .iter()
            .zip(["a", "b", "c"])
            .map(|(check, name)| {
                let mut promise = Deliverable::new(name, file(&format!("{name}.wav")));
                promise.loudness.clone_from(check);
                promise
            })
            .collect();
        let done = Delivery::new()
            .threads(1)
            .overwrite(true)
            .run(&film)
            .unwrap();
        assert_eq!(
            done.deliverables
                .iter()
                .map(DeliverableReport::passed)
                .collect::<Vec<_>>(),
            each
        );
        assert_eq!((done.passed(), done.renders), (each == [true; 3], 1));
    }
}

#[test]
fn the_peak_of_a_mix_is_that_of_its_loudest_channel_at_its_first_frame() {
    let report = |channels: [Vec<f64>; 3]| {
        crate::stems::report(&session(
            Layout::Lcr,
            [Track::new("x", stem(Layout::Lcr, channels.to_vec()))],
        ))
        .mix
    };
    let spike = |at: &[usize], value: f64| {
        (0..100)
            .map(|n| if at.contains(&n) { value } else { 0.01 })
            .collect::<Vec<_>>()
    };
    let found = report([
        spike(&[10], 0.25),
        spike(&[40, 70], -0.5),
        spike(&[20], 0.375),
    ]);
    assert_eq!(
        (found.peak_channel, found.peak_at_frame, found.peak_at_s),
        (
            Some(1),
            Some(40),
            Some(Frames(40).to_duration(RATE).as_secs_f64())
        )
    );
    assert_eq!(found.peak_dbfs, Some(db(0.5)));
    assert_eq!(
        (found.true_peak_channel, found.true_peak_at_frame),
        (Some(1), Some(40))
    );
    let found = report([spike(&[30], 0.25), spike(&[40], 0.25), spike(&[20], -0.75)]);
    assert_eq!(
        (found.peak_channel, found.peak_at_frame),
        (Some(2), Some(20))
    );
    // The same again in a later block, and a tenth of a second later: the first.
    let long = |at: [usize; 2]| {
        mono(
            (0..60_000)
                .map(|n| if at.contains(&n) { 0.5 } else { 0.0 })
                .collect(),
        )
    };
    for at in [[40, 5_000], [20_000, 50_000], [16_383, 16_384]] {
        let found = crate::stems::report(&session(Layout::Mono, [Track::new("x", long(at))]));
        assert_eq!(
            (found.mix.peak_at_frame, found.tracks[0].strip.peak_at_s),
            (
                Some(at[0] as u64),
                Some(Frames(at[0] as u64).to_duration(RATE).as_secs_f64())
            )
        );
    }
    // The same in two channels: the first.
    let found = report([spike(&[30], 0.1), spike(&[40], 0.5), spike(&[20], 0.5)]);
    assert_eq!(
        (found.peak_channel, found.peak_at_frame),
        (Some(1), Some(40))
    );
    let silent = report([vec![0.0; 100], vec![0.0; 100], vec![0.0; 100]]);
    assert_eq!(
        (
            silent.peak_dbfs,
            silent.peak_at_s,
            silent.peak_channel,
            silent.true_peak_dbtp
        ),
        (None, None, None, None)
    );
}

#[test]
fn clipped_samples_are_counted_over_all_channels_and_blocks() {
    let folder = tempfile::tempdir().unwrap();
    let mut channels = vec![vec![0.5; 40_000]; 2];
    // Three in the left, two in the right, in three blocks; one of each sign, and none at exactly −1.
    (channels[0][0], channels[0][20_000], channels[0][39_999]) = (1.5, -1.5, 2.0);
    (channels[1][0], channels[1][39_998], channels[1][5]) = (-2.0, 1.0, -1.0);
    let mut mix = session(
        Layout::Stereo,
        [Track::new("x", stem(Layout::Stereo, channels))],
    );
    let path = folder.path().join("x.wav");
    let report = mix.bounce(&path).unwrap();
    assert_eq!(
        (
            report.mix.clipped_samples,
            report.mix.peak_at_frame,
            report.mix.peak_channel
        ),
        (5, Some(39_999), Some(0))
    );
    let dry = crate::stems::report(&mix);
    assert_eq!(dry.mix.clipped_samples, 5);
    // Stems are counted each on its own.
    let bus = mix.add_bus(Bus::new("b"));
    mix.tracks_mut()[0].strip.to = Some(bus);
    let quiet = mix.add_bus(Bus::new("q"));
    mix.add_track(
        Track::of("y")
            .clip(Clip::new(mono(vec![0.1; 10])))
            .to(quiet),
    );
    mix.deliverables
        .push(Deliverable::new("s", folder.path().join("{bus}.wav")).stems([bus, quiet]));
    let done = Delivery::new().threads(1).run(&mix).unwrap();
    let counts: Vec<u64> = done.deliverables[0]
        .files
        .iter()
        .map(|f| f.report.mix.clipped_samples)
        .collect();
    assert_eq!(counts, [5, 0]);
    let peaks: Vec<_> = done.deliverables[0]
        .files
        .iter()
        .map(|f| f.report.mix.peak_at_frame)
        .collect();
    assert_eq!(peaks, [Some(39_999), Some(0)]);
}
