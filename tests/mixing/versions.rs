//! Versions of one session: levels that add up, ranges, fades, rates, layouts and limits of deliverables.

use crate::deliver::{Film, audio, film, integers};
use soundtrack::{
    Bounce, Dbtp, Decibels, Deliverable, Delivery, ErrorKind, Fade, FadeShape, Format, Frames,
    Layout, Load, LoudnessTarget, Lufs, Plan, SampleRate, Selector, Session, encode,
};
use std::fs;

/// The audio of the file that a bounce of a session writes, byte for byte.
fn bounced(film: &Film, session: &Session, bounce: Bounce<'_>) -> Vec<u8> {
    let path = film.path("alone.wav");
    bounce.overwrite(true).run(session, &path).unwrap();
    audio(&path)
}

/// The samples of a file of 32-bit floats.
fn floats(film: &Film, name: &str) -> Vec<f32> {
    let file = hound::WavReader::open(film.path(name)).unwrap();
    file.into_samples().map(Result::unwrap).collect()
}

fn storm(film: &Film) -> soundtrack::CueId {
    match film.session.part("cue.storm") {
        Ok(Selector::Cue(cue)) => cue,
        other => panic!("{other:?}"),
    }
}

#[test]
fn stems_and_versions_with_the_gain_of_a_fitted_mix_add_up_to_it() {
    for limit in [None, Some(Dbtp(-1.0))] {
        let mut film = film();
        film.session.master.limit = limit;
        let (music, speech, hall) = (film.music, film.speech, film.hall);
        // Loud enough to be fitted, quiet enough that the limiter has nothing to do.
        let target = LoudnessTarget::new(Lufs(-30.0));
        let stems = Deliverable::new("stems", "{bus}.wav").stems([music, speech, hall]);
        // The order makes no difference: what is taken is known before it is written.
        film.promise(stems.gain_of("m&e"));
        film.promise(
            Deliverable::new("m&e", "m&e.wav")
                .mute(speech)
                .gain_of("full"),
        );
        film.promise(Deliverable::new("plain", "plain.wav").gain_of("speech"));
        film.promise(
            Deliverable::new("full", "full.wav")
                .loudness(target)
                .fit(true),
        );
        let own = Deliverable::new("speech", "dx.wav").solo(speech);
        film.promise(own.gain(Decibels(-6.0)));
        let done = Delivery::new().run(&film.session).unwrap();
        let gains: Vec<f64> = done.deliverables.iter().map(|d| d.gain_db).collect();
        assert_eq!(gains, [gains[3], gains[3], -6.0, gains[3], -6.0]);
        assert!(gains[3] < -3.0, "{gains:?}");
        let sources: Vec<_> = done
            .deliverables
            .iter()
            .map(|d| d.gain_of.as_deref())
            .collect();
        let full = Some("full");
        assert_eq!(sources, [full, full, Some("speech"), full, None]);
        let null = done.deliverables[0].null_test.clone().unwrap();
        // The limiter has nothing to do, so the files add up to those of the mix.
        assert!(
            null.passed && null.read_back && !null.before_master,
            "{null:?}"
        );
        assert_eq!(null.mix.as_deref(), Some("full"));
        assert!(done.deliverables[0].warnings.is_empty());
        let file = |name: &str| integers(&film.path(name));
        let (full, m_e) = (file("full.wav"), file("m&e.wav"));
        let [music, speech, hall] = ["music.wav", "speech.wav", "hall.wav"].map(file);
        let mut most = 0;
        for i in 0..full.len() {
            let stems = music[i] + speech[i] + hall[i];
            most = most.max((stems - full[i]).abs());
            most = most.max((m_e[i] + speech[i] - full[i]).abs());
        }
        // Four files, each rounded by half a step.
        assert!((1..=2).contains(&most), "{most}");
        // Chosen alone, the stems are the same bytes: the mix is measured, but not written.
        let again = film.path("again");
        for d in &mut film.session.deliverables {
            d.file = again.join(d.file.file_name().unwrap());
        }
        let alone = Delivery::new().only(["stems"]).run(&film.session).unwrap();
        assert_eq!(alone.deliverables[0].gain_db, gains[3]);
        for name in ["music.wav", "speech.wav", "hall.wav"] {
            assert!(
                audio(&again.join(name)) == audio(&film.path(name)),
                "{name}"
            );
        }
        assert!(!again.join("full.wav").exists());
    }
}

#[test]
fn a_fitted_deliverable_is_the_mix_that_fit_makes() {
    // Master limit, master gain, format, deliverable's own limit.
    for (limit, gain, own, format) in [
        (None, 0.0, None, Format::WAV_24),
        (None, -1.5, None, Format::WAV_16),
        (Some(-3.0), 0.0, None, Format::WAV_24),
        (Some(-1.0), 2.0, Some(-6.0), Format::WAV_32F),
    ] {
        let mut film = film();
        film.session.master.limit = limit.map(Dbtp);
        film.session.master.gain = Decibels(gain);
        film.session.master.dither = Some(encode::Dither::default());
        let target = LoudnessTarget::new(Lufs(-9.0));
        let mut full = Deliverable::new("full", "full.wav")
            .format(format)
            .loudness(target.clone())
            .fit(true);
        full.limit = own.map(Dbtp);
        film.promise(full.clone());
        let mut twin = full.clone();
        (twin.name, twin.file) = ("twin".into(), film.path("twin.wav"));
        (twin.fit, twin.gain_of, twin.loudness) = (false, Some("full".into()), None);
        film.promise(twin);
        film.promise(Deliverable::new("as it is", "plain.wav").format(format));
        let done = Delivery::new().run(&film.session).unwrap();
        let mut session = film.session.clone();
        session.master.limit = full.limit.or(session.master.limit);
        let fit = session
            .fit(&target, |mix| Bounce::new().dry_run(Plan::compile(mix)?))
            .unwrap();
        assert_eq!(done.deliverables[0].gain_db.to_bits(), fit.gain.0.to_bits());
        assert!(fit.gain.0 > 2.0, "{fit:?}");
        let fitted = bounced(&film, &session, Bounce::new().format(format));
        assert!(audio(&film.path("full.wav")) == fitted, "{limit:?} {gain}");
        assert!(audio(&film.path("twin.wav")) == fitted, "{limit:?} {gain}");
        let plain = bounced(&film, &film.session, Bounce::new().format(format));
        assert!(audio(&film.path("plain.wav")) == plain && plain != fitted);
    }
}

#[test]
fn a_range_is_the_bounce_of_that_range() {
    let mut film = film();
    let (music, storm) = (film.music, storm(&film));
    film.session.master.dither = Some(encode::Dither::default());
    let end = film.length();
    let part = Frames(12_345)..Frames(60_001);
    let past = Frames(60_000)..Frames(end.0 + 4000);
    film.promise(Deliverable::new("part", "part.wav").range(part.clone()));
    film.promise(Deliverable::new("tail", "tail.wav").range(Frames(50_000)..));
    film.promise(Deliverable::new("past", "past.wav").range(past.clone()));
    let small = Deliverable::new("small", "small.wav").format(Format::WAV_16);
    film.promise(small.range(part.clone()).gain(Decibels(-2.0)));
    let of_cue = Deliverable::new("cue", "{cue} part.wav").cue(storm);
    film.promise(of_cue.range(Frames(100)..Frames(9000)));
    film.promise(Deliverable::new("whole", "{cue}.wav").cue(storm));
    let stem = Deliverable::new("stem", "{cue} {bus}.wav").cue(storm);
    film.promise(
        stem.stems([music])
            .format(Format::WAV_32F)
            .range(Frames(100)..Frames(9000)),
    );
    let done = Delivery::new().run(&film.session).unwrap();
    let session = &film.session;
    let same = |name: &str, session: &Session, bounce: Bounce<'_>| {
        assert!(
            audio(&film.path(name)) == bounced(&film, session, bounce),
            "{name}"
        );
    };
    same("part.wav", session, Bounce::new().range(part.clone()));
    same(
        "tail.wav",
        session,
        Bounce::new().range(Frames(50_000)..end),
    );
    same("past.wav", session, Bounce::new().range(past));
    let mut lower = session.clone();
    lower.master.gain = Decibels(-2.0);
    same(
        "small.wav",
        &lower,
        Bounce::new().format(Format::WAV_16).range(part),
    );
    let whole = session.whole_cue(storm);
    let cut = Frames(100)..Frames(9000);
    same(
        "The Storm part.wav",
        &whole,
        Bounce::new().range(cut.clone()),
    );
    same("The Storm.wav", &whole, Bounce::new());
    let want = whole.render_stems(&[music], cut).unwrap().swap_remove(0);
    let got = floats(&film, "The Storm music.wav");
    assert_eq!(got.len(), 2 * 8900);
    assert!(
        got.iter()
            .enumerate()
            .all(|(i, x)| *x == want[i % 2][i / 2] as f32)
    );
    // Reports and files state where the part lies.
    let report = &done.deliverables[0].files[0].report;
    assert_eq!(
        (report.frames, done.deliverables[2].files[0].report.frames),
        (47_656, end.0 - 56_000)
    );
    let peak = report.mix.peak_at_frame.unwrap();
    assert!((12_345..60_001).contains(&peak), "{peak}");
    let bytes = fs::read(film.path("part.wav")).unwrap();
    let bext = bytes.windows(4).position(|id| id == b"bext").unwrap() + 8;
    let reference = u64::from_le_bytes(bytes[bext + 338..bext + 346].try_into().unwrap());
    assert_eq!(reference, 3600 * 48_000 + 12_345);
}

#[test]
fn fades_end_a_file_where_it_ends() {
    let mut film = film();
    let all = [film.music, film.speech, film.hall];
    let range = Frames(20_000)..Frames(50_000);
    let (fade_in, fade_out) = (
        Fade::linear(Frames(1000)),
        Fade {
            length: Frames(6000),
            shape: FadeShape::EqualPower,
        },
    );
    let cut = |d: Deliverable| {
        d.range(range.clone())
            .fade_in(fade_in)
            .fade_out(fade_out)
            .format(Format::WAV_32F)
    };
    film.promise(cut(Deliverable::new("spot", "spot.wav")));
    film.promise(cut(Deliverable::new("stems", "{bus}.wav").stems(all)));
    for threads in [1, 2] {
        let done = Delivery::new()
            .overwrite(true)
            .threads(threads)
            .run(&film.session)
            .unwrap();
        assert_eq!((done.renders, done.passed()), (1, true));
        let mix = film.session.render(range.clone()).unwrap();
        let gain = |n: usize| {
            let start = (n as f64 / 1000.0).min(1.0);
            let end = ((30_000 - n) as f64 / 6000.0).min(1.0);
            start * (end * std::f64::consts::FRAC_PI_2).sin()
        };
        let spot = floats(&film, "spot.wav");
        assert_eq!(spot.len(), 60_000);
        for (i, x) in spot.iter().enumerate() {
            let want = mix[i % 2][i / 2] * gain(i / 2);
            assert!(
                (f64::from(*x) - want).abs() <= 1e-7 * want.abs(),
                "sample {i}"
            );
        }
        assert_eq!(spot[..2], [0.0, 0.0]);
        // What no fade touches is the mix, bit for bit.
        let mut plain = (2000..48_000).map(|i| mix[i % 2][i / 2] as f32);
        assert!(spot[2000..48_000].iter().all(|x| Some(*x) == plain.next()));
        // The peak in the report is that of the file, not that of the bus.
        let stem = &done.deliverables[1].files[1].report;
        let peak = floats(&film, "speech.wav")
            .iter()
            .fold(0f32, |most, x| most.max(x.abs()));
        let stated = 10f64.powf(stem.mix.peak_dbfs.unwrap() / 20.0);
        assert!((stated - f64::from(peak)).abs() < 1e-7, "{stated} {peak}");
    }
}

/// A session file with a tone and a noise, whose times lie between two frames at 44.1 kHz.
const SONG: &str = r#"
title = "Song"
rate = 48000
layout = "stereo"
fps = "25"
marker = { "500ms" = "here" }
[bus.band]
[bus.band.insert]
low = { type = "lowpass", freq = 5000 }
[track.tone]
file = "tone.wav"
bus = "band"
at = "1.0003s"
automation.gain = ["0s -12", "1.5s 0 sine"]
automation."insert.eq.freq" = ["1.1s 500", "2s 2000 exp"]
[track.tone.insert]
eq = { type = "bell", freq = 400, gain = 3 }
[track.noise.clip]
a = { file = "noise.wav", at = "10.7ms", from = "0.33ms", length = "321.7ms", loop = 3, fade_in = "7ms" }
b = { file = "noise.wav", at = "700ms", crossfade = "33.3ms" }
[cue.sting]
at = "00:00:01:01"
[cue.sting.track.hit]
file = "noise.wav"
at = "111.11ms"
[deliver.cd]
file = "cd.wav"
format = "wav16"
rate = 44100
dither = "white"
range = "200ms..2s"
fade_out = "100ms"
[deliver.mono]
file = "mono.wav"
layout = "mono"
limit = -20
"#;

fn song() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let wav = |name: &str, sample: &dyn Fn(usize) -> f64| {
        let spec = hound::WavSpec {
            channels: 2,
            sample_rate: 48_000,
            bits_per_sample: 24,
            sample_format: hound::SampleFormat::Int,
        };
        let mut file = hound::WavWriter::create(folder.path().join(name), spec).unwrap();
        for n in 0..60_000 {
            file.write_sample((sample(n) * 8_388_607.0) as i32).unwrap();
            file.write_sample((sample(n + 9) * 8_388_607.0) as i32)
                .unwrap();
        }
        file.finalize().unwrap();
    };
    wav("tone.wav", &|n| 0.3 * (n as f64 * 0.05).sin());
    wav("noise.wav", &|n| {
        0.2 * soundtrack_test_support::renders::noise(3, 0, n as u64)
    });
    let path = folder.path().join("song.toml");
    fs::write(&path, SONG).unwrap();
    (folder, path)
}

#[test]
fn rate_and_layout_of_a_deliverable_are_those_of_a_session_written_so() {
    let (folder, path) = song();
    let session = Session::load(&path).unwrap();
    let done = Delivery::new().run(&session).unwrap();
    assert_eq!(done.renders, 2);
    let at = |name: &str| folder.path().join(name);
    // The same file, read at 44.1 kHz, in the same range and with the same fade.
    let again = Load {
        rate: Some(SampleRate::HZ_44100),
        ..Load::default()
    };
    let mut again = again.session(&path).unwrap();
    for d in &mut again.deliverables {
        (d.rate, d.file) = (None, at(&format!("again {}", d.name)).with_extension("wav"));
    }
    assert_eq!(
        again.deliverables[0].range.unwrap().end,
        Some(Frames(88_200))
    );
    Delivery::new().only(["cd"]).run(&again).unwrap();
    assert!(audio(&at("cd.wav")) == audio(&at("again cd.wav")));
    let report = &done.deliverables[0].files[0].report;
    assert_eq!((report.rate_hz, report.frames), (44_100, 79_380));
    let mut mono = Load {
        layout: Some(Layout::Mono),
        ..Load::default()
    }
    .session(&path)
    .unwrap();
    mono.master.limit = Some(Dbtp(-20.0));
    Bounce::new().run(&mono, at("alone.wav")).unwrap();
    assert!(audio(&at("mono.wav")) == audio(&at("alone.wav")));
    let peak = &done.deliverables[1].files[0].report.mix;
    assert!(peak.true_peak_dbtp.unwrap() <= -19.9, "{peak:?}");
}

#[test]
fn keys_of_versions_are_written_back() {
    let (folder, path) = song();
    let text = SONG.to_owned()
        + r#"
[deliver.sting]
file = "{cue} {bus}.wav"
cue = "sting"
range = "..1201 frames"
fade_in = "5ms equal-power"
stems = ["band"]
gain_of = "up"
[deliver.up]
file = "up.wav"
gain = -1.5
range = "00:00:01:00..00:00:02:12"
"#;
    fs::write(&path, text).unwrap();
    let session = Session::load(&path).unwrap();
    let sting = &session.deliverables[2];
    assert_eq!(sting.range.unwrap().end, Some(Frames(1201)));
    assert_eq!(
        session.deliverables[3].range,
        Some((Frames(48_000)..Frames(119_040)).into())
    );
    let name = &session.outputs(sting)[0].file;
    assert_eq!(name.file_name().unwrap(), "sting band.wav");
    for name in ["new.toml", "new.json"] {
        let file = folder.path().join(name);
        session.save(&file).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(Session::load(&file).unwrap(), session, "{text}");
    }
}

#[test]
fn contradictory_versions_are_refused_with_their_line() {
    let (_folder, path) = song();
    let refused = |keys: &str| {
        let text = format!("{SONG}[deliver.x]\nfile = \"x.wav\"\n{keys}\n");
        fs::write(&path, text).unwrap();
        let e = match Session::load(&path) {
            Err(e) => e,
            Ok(session) => Delivery::new().only(["x"]).run(&session).unwrap_err(),
        };
        assert_eq!(e.kind(), ErrorKind::Session, "{e}");
        let first = SONG.lines().count() + 1 + 2;
        let mut lines = first..first + keys.lines().count();
        assert!(
            lines.any(|n| e.to_string().contains(&format!("song.toml:{n}:"))),
            "{keys}: {e}"
        );
        e.to_string()
    };
    for (keys, words) in [
        (
            "gain_of = \"cdd\"",
            "there is no deliverable \"cdd\"; did you mean \"cd\"?",
        ),
        ("gain_of = \"x\"", "closes a circle: x -> x"),
        (
            "gain_of = \"y\"\n[deliver.y]\nfile = \"y.wav\"\ngain_of = \"x\"",
            "closes a circle: x -> y -> x",
        ),
        (
            "gain_of = \"cd\"\ngain = -1",
            "state one of gain and gain_of",
        ),
        (
            "gain = -1\nloudness = { target = -20, fit = true }",
            "state one of gain and fit",
        ),
        ("gain = 300", "not from -inf to 200 dB"),
        ("range = \"1s\"", "is no range, like"),
        ("range = \"2s..1s\"", "ends before it starts"),
        (
            "range = \"1s..1s\"",
            "ends before it starts, or where it starts",
        ),
        (
            "range = \"1m..\"",
            "starts at 00:01:00.000, but the timeline ends at",
        ),
        (
            "cue = \"stign\"",
            "there is no cue \"stign\"; did you mean \"sting\"?",
        ),
        (
            "cue = \"sting\"\nalbum = true",
            "an album has every cue whole",
        ),
        (
            "range = \"..1s\"\nalbum = true",
            "an album has every cue whole",
        ),
        ("limit = 3", "not from -60 to 0 dBTP"),
        (
            "limit = -3\nstems = [\"band\"]",
            "stems are taken before the limiter",
        ),
        (
            "fade_in = \"2s\"\nrange = \"..1s\"",
            "takes 00:00:02.000, but the file is only",
        ),
        (
            "limit = -0.5\nloudness = { target = -20, true_peak = -1, fit = true }",
            "is above the -1.0 dBTP that its loudness allows: set limit = -1",
        ),
    ] {
        let text = refused(keys);
        assert!(text.contains(words), "{keys}: {text}");
    }
}

#[test]
fn null_tests_read_the_files_back_and_name_those_that_clip() {
    let delivered = |change: &dyn Fn(&mut Film), stems: &dyn Fn(Deliverable) -> Deliverable| {
        let mut film = film();
        let all = [film.music, film.speech, film.hall];
        change(&mut film);
        film.promise(Deliverable::new("full", "full.flac").format(Format::FLAC_24));
        film.promise(stems(Deliverable::new("stems", "{bus}.wav").stems(all)));
        let done = Delivery::new().run(&film.session).unwrap();
        (done.deliverables[1].clone(), done.to_string())
    };
    // White dither adds one step of noise at most to half a step of rounding, for each of three stems
    // of 16 bits; the mix of 24 bits adds half of its own step.
    let dithered = |d: Deliverable| d.format(Format::WAV_16).dither(encode::Dither::default());
    let (stems, _) = delivered(&|_| {}, &dithered);
    let null = stems.null_test.unwrap();
    let steps = |level: Option<f64>| 10f64.powf(level.unwrap() / 20.0) * 32_768.0;
    let limit = 3.0 * 1.5 + 0.5 / 256.0;
    assert!((steps(null.within_dbfs) - limit).abs() < 1e-6, "{null:?}");
    let residue = steps(null.residue_dbfs);
    assert!(
        null.passed && null.read_back && (2.0..limit).contains(&residue),
        "{residue}"
    );
    // Weighted dither feeds its errors back: 22.3857 times 1.5 steps at most.
    let weighted = |d: Deliverable| {
        let dither: encode::Dither = "weighted".parse().unwrap();
        d.format(Format::WAV_16).dither(dither)
    };
    let (stems, _) = delivered(&|_| {}, &weighted);
    let null = stems.null_test.unwrap();
    let limit = 3.0 * 1.5 * 22.3857 + 0.5 / 256.0;
    assert!((steps(null.within_dbfs) - limit).abs() < 1e-3, "{null:?}");
    assert!(null.passed && steps(null.residue_dbfs) > 4.5, "{null:?}");
    // A clipped stem is named.
    let loud = |film: &mut Film| {
        let strip = &mut film.session.bus_mut(film.music).strip;
        strip.gain = Decibels(strip.gain.0 + 30.0);
        let strip = &mut film.session.bus_mut(film.speech).strip;
        strip.gain = Decibels(strip.gain.0 - 60.0);
    };
    let (stems, text) = delivered(&loud, &|d| d);
    let null = stems.null_test.clone().unwrap();
    assert!(!null.passed && !stems.passed(), "{null:?}");
    assert_eq!(null.clipped, ["music.wav", "full.flac"]);
    let said = "FAILED; samples are clipped in music.wav, full.flac";
    assert!(
        text.contains("stems: the files add up to full, read back but for "),
        "{text}"
    );
    assert!(text.contains(said), "{text}");
    // A master that changes the mix: the stems add up to what it receives.
    let squashed = |film: &mut Film| film.session.master.limit = Some(Dbtp(-20.0));
    let (stems, text) = delivered(&squashed, &|d| d);
    let null = stems.null_test.unwrap();
    assert!(
        null.passed && null.before_master && !null.read_back,
        "{null:?}"
    );
    assert!(
        text.contains("stems: the files add up to the mix before the master but for "),
        "{text}"
    );
    let filtered = |film: &mut Film| {
        let insert = soundtrack::Insert::new("lowpass").unwrap();
        film.session.master.inserts.push(insert);
    };
    let (stems, _) = delivered(&filtered, &|d| d);
    assert!(stems.null_test.unwrap().before_master);
    let warning = stems.warnings[0].text();
    assert!(
        warning.ends_with("the mix before the master, which has an insert"),
        "{warning}"
    );
}

#[test]
fn parts_of_another_session_are_refused() {
    let (mut own, other) = (film(), film());
    own.promise(Deliverable::new("m&e", "m&e.wav").mute(other.speech));
    let e = Delivery::new().run(&own.session).unwrap_err();
    let said = "deliverable \"m&e\": names a part that is not in this session";
    assert_eq!(
        (e.kind(), e.to_string().as_str()),
        (ErrorKind::Session, said)
    );
    own.session.deliverables[0].mute = vec![own.speech.into()];
    Delivery::new().run(&own.session).unwrap();
}

#[test]
fn a_loop_is_the_part_again_and_again() {
    let mut film = film();
    let (music, hall) = (film.music, film.hall);
    let storm = storm(&film);
    film.session.master.limit = Some(Dbtp(-6.0));
    let cue = film.session.cue_mut(storm);
    *cue = cue.clone().marker(Frames(3_000), "hit");
    let part = |name: &str, loops: u32| {
        let file = format!("{name}.wav");
        let part = Deliverable::new(name, file).format(Format::WAV_32F);
        part.range(Frames(12_345)..Frames(20_000)).loops(loops)
    };
    film.promise(part("one", 1));
    film.promise(part("four", 4));
    let fade = Fade::linear(Frames(10_000));
    film.promise(part("faded", 4).fade_in(fade).fade_out(fade));
    film.promise(Deliverable::new("sting", "sting.wav").cue(storm).loops(2));
    film.promise(Deliverable::new("cue", "cue.wav").cue(storm));
    let stems = Deliverable::new("stems", "{bus}.wav").stems([music, hall]);
    let stems = stems.range(Frames(0)..Frames(11_000)).loops(3);
    film.promise(stems.mute(film.speech));
    let done = Delivery::new().run(&film.session).unwrap();
    let one = floats(&film, "one.wav");
    assert_eq!(one.len(), 2 * 7_655);
    let four = floats(&film, "four.wav");
    assert_eq!(four, [&one[..]; 4].concat());
    // The fades are those of the file: linear over more than one pass.
    let faded = floats(&film, "faded.wav");
    let end = 4 * 7_655;
    for (i, (faded, plain)) in faded.iter().zip(&four).enumerate() {
        let at = i / 2;
        let gain = |x: usize| (x as f64 / 10_000.0).min(1.0);
        let expected = f64::from(*plain) * gain(at) * gain(end - at);
        assert!((f64::from(*faded) - expected).abs() < 1e-6, "{at}");
    }
    let cue = integers(&film.path("cue.wav"));
    assert_eq!(integers(&film.path("sting.wav")), [&cue[..]; 2].concat());
    assert_eq!(integers(&film.path("music.wav")).len(), 2 * 33_000);

    // Lengths and loudness are of the whole file; the marker is in every pass.
    let file = |deliverable: usize| &done.deliverables[deliverable].files[0].report;
    assert_eq!((file(1).frames, file(1).start_frame), (30_620, 12_345));
    assert_eq!(file(0).mix.peak_at_frame, file(1).mix.peak_at_frame);
    assert!(file(0).mix.integrated_lufs.is_none() && file(1).mix.integrated_lufs.is_some());
    let bytes = fs::read(film.path("four.wav")).unwrap();
    let cue = bytes.windows(4).position(|id| id == b"cue ").unwrap() + 8;
    let marker = |i: usize| {
        let at = cue + 4 + 24 * i + 4;
        u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
    };
    assert_eq!(bytes[cue], 4);
    assert_eq!([0, 1, 2, 3].map(marker), [655, 8_310, 15_965, 23_620]);
    // With a range, a loop is written anew.
    fs::remove_file(film.path("four.wav")).unwrap();
    let again = Delivery::new().overwrite(true).only(["four"]);
    again
        .range(Frames(0)..Frames(1))
        .run(&film.session)
        .unwrap();
    assert!(fs::read(film.path("four.wav")).unwrap() == bytes);
}

#[test]
fn a_loop_without_a_part_is_refused() {
    for (loops, edit, expected) in [
        (0, "part", "its loop of 0 is not from 1 to 10000"),
        (10_001, "part", "its loop of 10001 is not from 1 to 10000"),
        (
            2,
            "mix",
            "loop repeats one cue or a part of the timeline: state cue or range",
        ),
        (
            2,
            "album",
            "an album has every cue whole, so loop has no meaning",
        ),
        (
            2,
            "sheet",
            "a cue sheet is no audio, so loop has no meaning",
        ),
    ] {
        let mut film = film();
        let file = match edit {
            "album" => "{cue}.wav",
            "sheet" => "x.csv",
            _ => "x.wav",
        };
        let mut looped = Deliverable::new("x", file).loops(loops);
        match edit {
            "part" => looped = looped.range(Frames(0)..Frames(10)),
            "album" => looped = looped.album(true),
            "sheet" => looped = looped.cue_sheet(true),
            _ => {}
        }
        film.promise(looped);
        let error = Delivery::new().run(&film.session).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Session);
        assert!(error.to_string().contains(expected), "{error}");
    }
}
