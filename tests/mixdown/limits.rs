//! Options at their limits, and which of two things counts where both are given.

use crate::program::Desk;

#[test]
fn a_range_may_start_up_to_the_last_frame() {
    let desk = Desk::with_stems();
    let run = |range: &str| desk.run(&["a.wav", "--force", "--range", range]);
    run("47999..").expect(0, "");
    let message = "it starts at 00:00:01.000, but the mix ends at 00:00:01.000";
    run("48000..").expect(2, message);
    run("48000..96000").expect(2, message);
    // Up to the end nothing is cut, beyond it something is.
    assert!(!run("0..48000").err.contains("ends with the mix"));
    run("0..48001").expect(0, "--range 0..48001: ends with the mix, at 00:00:01.000");
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
