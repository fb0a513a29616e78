//! Targets: their figures, what is judged, and that one gain makes loudness and true peak hold.

use soundtrack::{
    Bounce, Clip, Dbtp, Decibels, Format, Frames, Layout, Load, LoudnessTarget, Lufs, Plan, Report,
    Result, SampleRate, Session, Spec, Track,
    measure::{Gating, Loudness, Meter},
    media::Memory,
};
use std::f64::consts::TAU;

const RATE: SampleRate = SampleRate::HZ_48000;
const SPEC: Spec = Spec {
    rate: RATE,
    layout: Layout::Stereo,
};

#[test]
fn the_figures_are_those_published() {
    let figures: Vec<_> = LoudnessTarget::names()
        .map(|name| {
            let t: LoudnessTarget = name.parse().unwrap();
            (
                name,
                t.integrated.unwrap().0,
                t.tolerance,
                t.true_peak.unwrap().0,
            )
        })
        .collect();
    let want = [
        ("ebu-r128", -23.0, Some(0.2), -1.0),
        ("atsc-a85", -24.0, Some(2.0), -2.0),
        ("netflix", -27.0, Some(2.0), -2.0),
        ("spotify", -14.0, None, -1.0),
        ("apple", -16.0, None, -1.0),
        ("youtube", -14.0, None, -1.0),
    ];
    assert_eq!(figures, want);
    let unknown = "deezer".parse::<LoudnessTarget>().unwrap_err().to_string();
    assert_eq!(
        unknown,
        "no such target; there are ebu-r128, atsc-a85, netflix, spotify, apple and youtube, or a level in LUFS, like -14"
    );
}

#[test]
fn a_target_is_named_or_stated_by_its_loudness_or_its_peak() {
    let named: LoudnessTarget = "netflix".parse().unwrap();
    let own = LoudnessTarget::new(Lufs(-27.0));
    let peak = LoudnessTarget::default().true_peak(Dbtp(-1.0));
    let none = LoudnessTarget::default();
    let texts = [&named, &own, &peak, &none].map(ToString::to_string);
    assert_eq!(texts, ["netflix", "-27.00 LUFS", "-1.00 dBTP", "no target"]);
}

#[test]
fn tolerances_and_ceilings_are_judged_to_the_digit() {
    let judge = |name: &str, lufs: f64, dbtp: f64| {
        let verdict = name
            .parse::<LoudnessTarget>()
            .unwrap()
            .judge(Some(Lufs(lufs)), Some(Dbtp(dbtp)));
        (verdict.loudness_passed, verdict.true_peak_passed)
    };
    assert_eq!(judge("ebu-r128", -23.2, -1.0), (Some(true), true));
    assert_eq!(judge("ebu-r128", -22.79, -0.99), (Some(false), false));
    assert_eq!(judge("netflix", -25.0, -2.0), (Some(true), true));
    // Louder than its target, Spotify asks for more room.
    assert_eq!(judge("spotify", -14.0, -1.5), (None, true));
    assert_eq!(judge("spotify", -13.0, -1.5), (None, false));
    assert_eq!(judge("spotify", -13.96, -1.5), (None, true));
    let silent = "ebu-r128"
        .parse::<LoudnessTarget>()
        .unwrap()
        .judge(None, None);
    assert_eq!(
        (
            silent.loudness_passed,
            silent.true_peak_passed,
            silent.passed()
        ),
        (Some(false), true, false)
    );
}

#[test]
fn a_target_by_its_figures_is_judged_as_one_by_its_name() {
    let named: LoudnessTarget = "ebu-r128".parse().unwrap();
    let own = LoudnessTarget::new(Lufs(-23.0)).true_peak(Dbtp(-1.0));
    for (lufs, passed) in [(-23.2, true), (-22.8, true), (-23.3, false), (-22.0, false)] {
        let judge = |target: &LoudnessTarget| {
            target
                .judge(Some(Lufs(lufs)), Some(Dbtp(-3.0)))
                .loudness_passed
        };
        assert_eq!(
            (judge(&named), judge(&own)),
            (Some(passed), Some(passed)),
            "{lufs}"
        );
    }
    assert!(own.tolerance(1.0).judge(Some(Lufs(-22.0)), None).passed());
    // Without figures there is nothing to fail.
    assert!(
        LoudnessTarget::default()
            .judge(None, Some(Dbtp(6.0)))
            .passed()
    );
}

#[test]
fn a_session_file_takes_the_names_of_targets() {
    let text = "rate = 48000\n[deliver.tv]\nfile = \"tv.wav\"\n\
                loudness = { target = \"ebu-r128\", tolerance = 1.0, fit = true }\n\
                [deliver.web]\nfile = \"web.wav\"\nloudness = { target = \"spotify\" }\n";
    let load = |text: &str| Load::default().text(text, "s.toml");
    let session = load(text).unwrap();
    let [tv, web] = session.deliverables.as_slice() else {
        panic!()
    };
    let ebu: LoudnessTarget = "ebu-r128".parse().unwrap();
    assert_eq!((&tv.loudness, tv.fit), (&Some(ebu.tolerance(1.0)), true));
    assert_eq!((&web.loudness, web.fit), (&"spotify".parse().ok(), false));
    assert_eq!(load(&session.to_text("s.toml").unwrap()).unwrap(), session);
    let unknown = load(&text.replace("spotify", "spotless"))
        .unwrap_err()
        .to_string();
    assert!(
        unknown.contains("s.toml:7:23: ") && unknown.contains("no such target; there are ebu-r128"),
        "{unknown}"
    );
}

/// Loud and soft by turns, with clicks of a peak far above.
fn mix(level: f64, clicks: f64) -> Session {
    let sample = |n: usize| {
        let tone = level
            * (1.0 + 0.5 * (TAU * n as f64 / 150_000.0).sin())
            * (TAU * 440.0 * n as f64 / 48_000.0).sin();
        if n % 24_000 == 12_000 { clicks } else { tone }
    };
    let channel: Vec<f64> = (0..480_000).map(sample).collect();
    let mut mix = Session::new(RATE, Layout::Stereo);
    mix.add_track(Track::of("x").clip(Clip::new(
        Memory::new(SPEC, vec![channel.clone(), channel]).unwrap(),
    )));
    mix
}

fn measure(mix: &Session) -> Result<Report> {
    Bounce::new().dry_run(Plan::compile(mix)?)
}

#[test]
fn one_gain_makes_both_hold() {
    let target: LoudnessTarget = "ebu-r128".parse().unwrap();
    let mut quiet = mix(0.01, 0.05);
    let before = measure(&quiet).unwrap().mix;
    let fit = quiet.fit(&target, measure).unwrap();
    let after = measure(&quiet).unwrap().mix;
    assert_eq!(fit.short_by, 0.0);
    assert!(
        (after.integrated_lufs.unwrap() + 23.0).abs() < 1e-6,
        "{after:?}"
    );
    assert!(
        (after.true_peak_dbtp.unwrap() - before.true_peak_dbtp.unwrap() - fit.gain.0).abs() < 1e-9
    );
    // The ceiling binds: exactly there, and as much below the target as was said.
    let mut spiky = mix(0.01, 0.5);
    let fit = spiky.fit(&target, measure).unwrap();
    let after = measure(&spiky).unwrap().mix;
    assert!(
        (after.true_peak_dbtp.unwrap() + 1.0).abs() < 1e-9,
        "{after:?}"
    );
    assert!(
        fit.short_by > 3.0 && (after.integrated_lufs.unwrap() + 23.0 + fit.short_by).abs() < 1e-3,
        "{fit:?}"
    );
    let mut report = measure(&spiky).unwrap();
    report.judge(&target, Some(fit));
    let (table, words) = (
        report.to_string(),
        "the true peak allows no more, so it is ",
    );
    assert!(
        table.contains(words) && table.contains("ebu-r128: loudness FAILED"),
        "{table}"
    );
    assert!(
        table.contains("ebu-r128: true peak passed, -1.0 dBTP at most"),
        "{table}"
    );
}

#[test]
fn with_a_limiter_the_target_is_met() {
    let target: LoudnessTarget = "ebu-r128".parse().unwrap();
    let mut spiky = mix(0.01, 0.5);
    spiky.master.limit = Some(Dbtp(-1.0));
    let fit = spiky.fit(&target, measure).unwrap();
    let after = measure(&spiky).unwrap().mix;
    assert!(
        (after.integrated_lufs.unwrap() + 23.0).abs() < 0.05,
        "{after:?}"
    );
    assert!(
        fit.short_by == 0.0
            && after.true_peak_dbtp.unwrap() <= -0.95
            && after.inserts[0].reduction_db > Some(3.0)
    );
    spiky.master.limit = Some(Dbtp(-0.5));
    let refused = spiky.fit(&target, measure).unwrap_err().to_string();
    assert_eq!(
        refused,
        "the master limits at -0.5 dBTP, above the -1.0 dBTP of ebu-r128"
    );
    let refused = mix(0.0, 0.0).fit(&target, measure).unwrap_err().to_string();
    assert_eq!(
        refused,
        "the mix has no loudness that could be brought to -23.0 LUFS"
    );
}

#[test]
fn a_dry_run_counts_what_a_file_would_clip() {
    let folder = tempfile::tempdir().unwrap();
    let mut loud = mix(0.9, 1.5);
    loud.master.gain = Decibels(2.0);
    for format in [Format::WAV_16, Format::WAV_24, Format::WAV_32F] {
        let dry = Bounce::new()
            .format(format)
            .dry_run(Plan::compile(&loud).unwrap())
            .unwrap();
        let bounce = Bounce::new().format(format).overwrite(true);
        let written = bounce.run(&loud, folder.path().join("o.wav")).unwrap();
        assert_eq!(dry.mix, written.mix);
        assert_eq!(
            (dry.output, dry.bytes, dry.mix.clipped_samples > 0),
            (None, 0, format != Format::WAV_32F)
        );
    }
}

#[test]
fn an_album_is_measured_as_one() {
    // The blocks of two pieces, gated together, are those of one meter that heard both, but for the seam.
    let (soft, loud) = (mix(0.02, 0.0), mix(0.2, 0.0));
    let range = Frames(0)..Frames(480_000);
    let hear = |mixes: &[&Session]| {
        let mut meter = Meter::new(SPEC);
        for mix in mixes {
            let channels = mix.render(range.clone()).unwrap();
            let mut block = soundtrack::Block::new(Layout::Stereo, 480_000);
            block.set_frames(480_000);
            block
                .channels_mut()
                .zip(&channels)
                .for_each(|(to, from)| to.copy_from_slice(from));
            meter.feed(&block);
        }
        meter.finish()
    };
    let (a, b, both) = (hear(&[&soft]), hear(&[&loud]), hear(&[&soft, &loud]));
    let pooled = Gating::pooled([&a.gating, &b.gating])
        .integrated()
        .unwrap()
        .0;
    assert!(
        (pooled - both.integrated.unwrap().0).abs() < 0.1,
        "{pooled} and {:?}",
        both.integrated
    );
    let mean = (a.integrated.unwrap().0 + b.integrated.unwrap().0) / 2.0;
    assert!(
        pooled - mean > 5.0,
        "the mean of two loudnesses is another number: {mean}"
    );
    // One gain for both keeps the louder one's peak below the ceiling.
    let peak = a
        .true_peak
        .unwrap()
        .level
        .0
        .max(b.true_peak.unwrap().level.0);
    let fit = "spotify"
        .parse::<LoudnessTarget>()
        .unwrap()
        .fit(Some(Lufs(pooled)), Some(Dbtp(peak)))
        .unwrap();
    assert!(fit.gain.0 + peak <= -1.0 + 1e-9);
    assert!(Loudness::new(SPEC).integrated().is_none());
}

#[test]
fn strips_are_measured_where_asked() {
    let two = mix(0.1, 0.0);
    let plain = measure(&two).unwrap();
    assert!(plain.tracks[0].strip.levels.is_none() && !plain.to_json().contains("curves"));
    let mut asked = Bounce::new()
        .measure_strips(true)
        .dry_run(Plan::compile(&two).unwrap())
        .unwrap();
    let levels = asked.tracks[0].strip.levels.take().unwrap();
    // One track at unity is the mix.
    assert_eq!(levels.integrated_lufs, asked.mix.integrated_lufs);
    assert_eq!(levels.true_peak_dbtp, asked.mix.true_peak_dbtp);
    assert_eq!(
        (
            asked.mix.true_peak_track.as_deref(),
            levels.measured.unwrap().frames
        ),
        (Some("x"), Frames(480_000))
    );
}
