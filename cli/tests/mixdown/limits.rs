//! Options at their limits, and precedence of options that overlap.

use soundtrack_test_support::desk::Desk;

#[test]
fn a_range_may_start_up_to_the_last_frame() {
    let desk = Desk::with_stems();
    let run = |range: &str| desk.run(&["a.wav", "--force", "--range", range]);
    run("47999 frames..").expect(0, "");
    let message = "it starts at frame 48000, but the mix ends at 00:00:01.000";
    run("48000 frames..").expect(2, message);
    run("48000 frames..96000 frames").expect(2, message);
    // Up to the end nothing is cut, beyond it something is.
    assert!(!run("0..48000 frames").err.contains("ends with the mix"));
    run("0..48001 frames").expect(
        0,
        "--range 0..48001 frames: ends with the mix, at 00:00:01.000",
    );
    run("0..48000").expect(
        2,
        "48000 has no unit: write 48000s, or \"48000 frames\" in quotes",
    );
}

#[test]
fn a_range_in_timecode_counts_from_the_start() {
    let desk = Desk::with_stems();
    desk.write(
        "film.toml",
        "rate = 48000\nfps = 24\nstart = \"01:00:00:00\"\n[track.a]\nfile = \"a.wav\"\n",
    );
    let frames = |range: &str| {
        let report = desk.json(&["film.toml", "--force", "--range", range]);
        (
            report["start_frame"].as_u64().unwrap(),
            report["frames"].as_u64().unwrap(),
        )
    };
    assert_eq!(frames("01:00:00:00.."), (0, 48_000));
    assert_eq!(frames("01:00:00:01..01:00:00:12"), (2_000, 22_000));
    let early = desk.run(&["film.toml", "--force", "--range", "00:59:59:23.."]);
    early.expect(2, "00:59:59:23 is before the start, 01:00:00:00");
}

#[test]
fn a_wrong_session_counts_before_a_missing_stem() {
    let desk = Desk::with_stems();
    let missing = "[track.a]\nfile = \"none.wav\"\n";
    let wrong = "[track.b]\nfile = \"b.wav\"\nlength = \"5s\"\n";
    for (text, code) in [
        (missing, 4),
        (wrong, 3),
        (&*format!("{missing}{wrong}"), 3),
        (&*format!("{wrong}{missing}"), 3),
    ] {
        desk.write("s.toml", text);
        desk.run(&["s.toml", "--force"]).expect(code, "error: ");
    }
}

#[test]
fn a_check_fails_from_the_first_clipped_sample() {
    let desk = Desk::new();
    desk.wav("one.wav", 1, 48_000, 1, 16_384);
    let check = |level: &str| desk.run(&[level, "--layout", "mono", "--check"]);
    // Half of full scale: exactly full scale does not fit, the next lower hundredth of a decibel does.
    check("one.wav@6.03").expect(1, "1 sample would be clipped");
    check("one.wav@6.01").expect(0, "");
}

#[test]
fn dither_of_the_command_line_counts_before_that_of_the_session() {
    let desk = Desk::with_tones();
    desk.write(
        "s.toml",
        "[master]\ndither = \"high-pass\"\n[track.a]\nfile = \"a.wav\"\ngain = -1\n",
    );
    let dither = |more: &[&str]| {
        let report = desk.json(&[&["s.toml", "--format", "wav16", "--force"], more].concat());
        report["dither"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        [dither(&[]), dither(&["--dither=white"])],
        ["high-pass", "white"]
    );
}

#[test]
fn a_name_that_is_written_like_a_kind_counts_whole() {
    let desk = Desk::with_stems();
    let text = "[track.one]\nfile = \"a.wav\"\n[track.\"track.one\"]\nfile = \"b.wav\"\n";
    desk.write("s.toml", text);
    let heard = |options: &[&str]| {
        let report = desk.json(&[&["s.toml", "--force"], options].concat());
        [0, 1].map(|n| report["tracks"][n]["heard"].as_bool().unwrap())
    };
    assert_eq!(heard(&["--mute", "track.one"]), [true, false]);
    assert_eq!(heard(&["--mute", "track.track.one"]), [true, false]);
    assert_eq!(heard(&["--mute", "one"]), [false, true]);
}

#[test]
fn one_warning_of_a_delivery_fails_under_strict() {
    let desk = Desk::with_stems();
    // Half a second of a constant begins and ends abruptly: one warning of its only clip.
    desk.wav("c.wav", 2, 48_000, 24_000, 8192);
    let text = "rate = 48000\nlayout = \"stereo\"\n[track.c]\nfile = \"c.wav\"\n[deliver.full]\nfile = \"out/full.wav\"\n";
    desk.write("film.toml", text);
    desk.run(&["film.toml"]).expect(0, "warning: W109");
    desk.run(&["film.toml", "--force", "--strict"])
        .expect(1, "error: written, with 1 warning under --strict");
}

/// A hundred tracks in a cue that is placed a thousand times, each placement over the others: 30 kB that come to very much.
#[test]
fn what_takes_too_much_memory_is_refused_with_the_figure() {
    let desk = Desk::new();
    desk.wav("a.wav", 2, 48_000, 4800, 100);
    let cue = |tracks: usize, placements: usize, more: &str| {
        let tracks: String = (0..tracks)
            .map(|i| format!("[cue.c.track.t{i}]\nfile = \"a.wav\"\n{more}"))
            .collect();
        let uses: String = (1..placements)
            .map(|i| format!("[cue.c.use.u{i}]\nat = \"{i} frames\"\n"))
            .collect();
        format!("rate = 48000\n[cue.c]\nat = 0\n{tracks}{uses}")
    };
    let moving = "automation.gain = [\"0 0\", \"100frames -3\"]\n";
    desk.write("moving.toml", &cue(100, 1000, moving));
    desk.write("still.toml", &cue(100, 1000, ""));
    desk.write("small.toml", &cue(2, 20, moving));
    for (session, figures) in [
        (
            "moving.toml",
            "the mix has 100001 nodes and 100000 clips, which take about 5445 MiB",
        ),
        (
            "still.toml",
            "the mix has 101 nodes and 100000 clips, which take about 5055 MiB",
        ),
    ] {
        for arguments in [
            &["plan", session][..],
            &[session, "--check"],
            &[session, "-o", "x.wav"],
        ] {
            desk.run(arguments).expect(3, figures).expect(
                3,
                "and 1024 MiB are allowed: use fewer tracks, or fewer placements",
            );
        }
    }
    desk.run(&["small.toml", "-o", "x.wav"]).expect(0, "");
    desk.run(&["small.toml", "--check", "--memory", "2"])
        .expect(3, "the mix has 41 nodes and 40 clips")
        .expect(3, "and 2 MiB are allowed");
    assert_eq!(
        desk.names(),
        ["a.wav", "moving.toml", "small.toml", "still.toml", "x.wav"]
    );
}

#[test]
fn processors_of_muted_tracks_take_no_memory() {
    let desk = Desk::new();
    desk.wav("a.wav", 2, 48_000, 480, 100);
    let tracks = |mute: bool| -> String {
        let track = |i| {
            format!(
                "[track.t{i}]\nfile = \"a.wav\"\nmute = {mute}\ninsert.d = {{ type = \"delay\", time = \"10s\" }}\n"
            )
        };
        (0..200).map(track).collect::<String>() + "[track.z]\nfile = \"a.wav\"\n"
    };
    desk.write("muted.toml", &format!("rate = 48000\n{}", tracks(true)));
    desk.write("heard.toml", &format!("rate = 48000\n{}", tracks(false)));
    desk.run(&["muted.toml", "-o", "x.wav"]).expect(0, "");
    // 200 delays of 10 s are 7.68 MB each.
    desk.run(&["heard.toml", "-o", "y.wav"])
        .expect(3, "which take about 1486 MiB");
    desk.run(&["plan", "heard.toml"])
        .expect(3, "which take about 1486 MiB");
}

#[test]
fn names_and_sums_of_any_length_fit_into_tables() {
    let desk = Desk::new();
    desk.wav("a.wav", 2, 48_000, 48, 100);
    let long = "x".repeat(70_000);
    desk.write(
        "long.toml",
        &format!("rate = 48000\ntitle = \"{long}\"\n[track.{long}]\nfile = \"a.wav\"\n[track.b]\nfile = \"a.wav\"\n"),
    );
    for arguments in [&["plan", "long.toml"][..], &["long.toml", "-o", "x.wav"]] {
        let done = desk.run(arguments);
        done.expect(0, "");
        assert!(done.out.contains(&long));
        // No other row is padded to it.
        let wide = done.out.lines().filter(|line| line.len() > 500);
        assert!(wide.count() <= 3);
    }
    let tracks: String = (0..13_000)
        .map(|i| format!("[track.t{i}]\nfile = \"a.wav\"\n"))
        .collect();
    desk.write("many.toml", &format!("rate = 48000\n{tracks}"));
    let plan = desk.run(&["plan", "many.toml"]);
    plan.expect(0, "");
    assert!(plan.out.contains("  t12999  a.wav  ") && plan.out.contains(", t23 and 12976 more"));
    // The head, the tracks and the master, each under an empty line and its headings.
    assert_eq!(plan.out.lines().count(), 1 + 2 + 13_000 + 2 + 1);
}
