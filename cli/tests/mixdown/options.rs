//! Options of `mixdown`.

use soundtrack_test_support::desk::{Desk, tracks};
use std::fs;

#[test]
fn formats() {
    let desk = Desk::with_stems();
    for (format, bits, float) in [
        ("wav16", 16, false),
        ("wav24", 24, false),
        ("wav32", 32, false),
        ("wav32f", 32, true),
    ] {
        let report = desk.json(&["a.wav", "--format", format, "--force"]);
        let spec = hound::WavReader::open(desk.path("mix.wav")).unwrap().spec();
        assert_eq!(
            (
                spec.bits_per_sample,
                spec.sample_format == hound::SampleFormat::Float
            ),
            (bits, float)
        );
        assert_eq!(report["format"], format);
        assert_eq!(
            report["bytes"].as_u64(),
            Some(fs::metadata(desk.path("mix.wav")).unwrap().len())
        );
    }
    desk.run(&["a.wav", "--format", "wav23"])
        .expect(2, "similar value");
}

#[test]
fn flac_by_name_or_by_format() {
    let desk = Desk::with_stems();
    let bits = |file: &str| {
        let (_, info) = soundtrack::media::open(&desk.path(file), None).unwrap();
        (info.codec, info.bits.map(|bits| bits.width))
    };
    let report = desk.json(&["a.wav", "-o", "named.flac"]);
    assert_eq!(report["format"], "flac24");
    assert_eq!(bits("named.flac"), ("FLAC".to_owned(), Some(24)));
    assert_eq!(
        desk.json(&["a.wav", "--format", "flac16"])["format"],
        "flac16"
    );
    assert_eq!(bits("mix.flac"), ("FLAC".to_owned(), Some(16)));
    desk.run(&["a.wav", "--format", "wav16", "-o", "x.flac"])
        .expect(
            2,
            "-o x.flac: --format wav16 writes a WAV file; name it x.wav",
        );
    desk.run(&["a.wav", "--format", "flac24", "-o", "x.wav"])
        .expect(
            2,
            "-o x.wav: --format flac24 writes a FLAC file; name it x.flac",
        );
    desk.run(&["a.wav", "-o", "x.flac", "--layout", "2.1"])
        .expect(
            5,
            "FLAC has no channel order for 2.1: write WAV, or another layout",
        );
    // The mix of a file at unity is the file.
    desk.run(&["named.flac", "-o", "back.wav", "--format", "wav24"])
        .expect(0, "");
    desk.run(&["compare", "named.flac", "back.wav"])
        .expect(0, "");
}

#[test]
fn rates_layouts_and_pan_laws() {
    let desk = Desk::with_stems();
    let report = desk.json(&[
        "b.wav",
        "--rate",
        "96_000",
        "--layout",
        "5.1",
        "--pan-law",
        "balance",
    ]);
    assert_eq!(
        (report["rate_hz"].as_u64(), report["frames"].as_u64()),
        (Some(96_000), Some(96_000))
    );
    assert_eq!(report["layout"], "5.1");
    assert_eq!(
        hound::WavReader::open(desk.path("mix.wav"))
            .unwrap()
            .spec()
            .channels,
        6
    );
    // 0 dB in the centre: as loud as the stem, but for the filter's ringing.
    assert!((report["mix"]["peak_dbfs"].as_f64().unwrap() + 18.06).abs() < 2.0);
    desk.run(&["b.wav", "--rate", "0"])
        .expect(2, "outside 1 to 768000 Hz");
    desk.run(&["b.wav", "--rate", "48k"])
        .expect(2, "a whole number of Hz");
    desk.run(&["b.wav", "--rate", "44"])
        .expect(2, "44 is 44 Hz; did you mean 44100?");
    desk.run(&["b.wav", "--layout", "surround"])
        .expect(2, "there are mono, stereo");
    desk.run(&["b.wav", "--pan-law", "x"])
        .expect(2, "equal-power");
    desk.run(&["b.wav", "a.wav", "--rate", "47", "--force"])
        .expect(4, "b.wav: ");
}

/// Counted by strace: skipped without it.
#[test]
fn a_given_rate_is_not_looked_for_in_the_stems() {
    let desk = Desk::with_stems();
    desk.wav("stems/b.wav", 1, 44_100, 100, 100);
    let opened = |options: &[&str]| {
        let mut strace = std::process::Command::new("strace");
        strace
            .current_dir(desk.path(""))
            .args(["-f", "-qq", "-e", "trace=open,openat"]);
        strace
            .arg(soundtrack_test_support::desk::program())
            .args(options)
            .args(["-o", "x.wav", "--force", "-q"]);
        let output = strace.output().ok().filter(|o| o.status.success())?;
        let calls = String::from_utf8_lossy(&output.stderr).into_owned();
        Some(calls.lines().filter(|l| l.contains("b.wav\"")).count())
    };
    for input in ["b.wav", "b.wav@-3", "stems"] {
        let (Some(asked), Some(given)) = (opened(&[input]), opened(&[input, "--rate", "44100"]))
        else {
            soundtrack_test_support::requirement::missing("strace is not installed");
            return;
        };
        assert!(
            given > 0 && given < asked,
            "{input}: {asked} times without a rate, {given} with"
        );
    }
}

#[test]
fn a_range_is_the_same_samples() {
    let desk = Desk::with_stems();
    let samples = |options: &[&str]| {
        let options = [&["a.wav", "b.wav", "--force", "--format", "wav32"], options].concat();
        desk.run(&options).expect(0, "");
        let mut reader = hound::WavReader::open(desk.path("mix.wav")).unwrap();
        reader
            .samples::<i32>()
            .map(Result::unwrap)
            .collect::<Vec<_>>()
    };
    let whole = samples(&[]);
    assert_eq!(samples(&["--range", "250ms..0.75s"]), whole[24_000..72_000]);
    assert_eq!(samples(&["--range", "12000 frames.."]), whole[24_000..]);
    assert_eq!(samples(&["--range=..1 frames"]), whole[..2]);
    assert_eq!(samples(&["--range", ".."]), whole);
    let cut = desk.run(&["a.wav", "--force", "--range", "0.5s..99999h"]);
    cut.expect(
        0,
        "--range 0.5s..99999h: ends with the mix, at 00:00:01.000",
    );
    for (range, words) in [
        (
            "5s..2s",
            "it starts at 00:00:05.000, but the mix ends at 00:00:01.000",
        ),
        (
            "0.5s..0.2s",
            "it ends at 00:00:00.200, before it starts at 00:00:00.500",
        ),
        ("0.5s..0.5s", "it is empty"),
        ("1s", "a range is A..B"),
        ("-1s..", "\"-1s\" is no time, like 12.5s"),
        ("1:20..", "\"1:20\" is no time"),
    ] {
        desk.run(&["a.wav", "--force", "--range", range])
            .expect(2, words)
            .expect(2, &format!("--range {range}: "));
    }
}

#[test]
fn mute_and_solo() {
    let desk = Desk::with_stems();
    let heard = |options: &[&str]| {
        let report = desk.json(&[&["a.wav", "b.wav", "b.wav", "--force"], options].concat());
        let tracks = report["tracks"].as_array().unwrap().iter();
        tracks
            .map(|t| t["heard"].as_bool().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        heard(&["--mute", "a", "--mute", "b 2"]),
        [false, true, false]
    );
    assert_eq!(heard(&["--solo", "b"]), [false, true, false]);
    assert_eq!(heard(&["--solo", "b", "--mute", "b"]), [false; 3]);
    desk.write(
        "s.toml",
        "[bus.band]\n[track.one]\nfile=\"a.wav\"\nbus=\"band\"\n[track.two]\nfile=\"b.wav\"\n",
    );
    let report = desk.json(&["s.toml", "--mute", "bus.band"]);
    assert_eq!(
        (tracks(&report), report["tracks"][0]["heard"].as_bool()),
        (vec!["one", "two"], Some(false))
    );
    desk.run(&["s.toml", "--solo", "bnad", "--force"])
        .expect(2, "did you mean \"band\"?");
    desk.run(&["s.toml", "--mute", "piano", "--force"])
        .expect(2, "there are \"one\", \"two\", \"band\"");
}

#[test]
fn strict_fails_on_warnings_but_not_on_notes() {
    let desk = Desk::with_tones();
    desk.run(&["a.wav", "b.wav", "--strict"]).expect(0, "");
    let desk = Desk::with_stems();
    let clipped = desk.run(&["a.wav@+20", "--strict", "--force"]);
    clipped
        .expect(1, "warning: W101")
        .expect(1, "mix.wav was written, with 3 warnings under --strict");
    assert!(
        clipped.out.contains("clipped  96000 samples"),
        "{}",
        clipped.out
    );
    desk.run(&["a.wav@+20", "--force"]).expect(
        0,
        "warning: W101 96000 samples clipped, the mix peaks at +7.96 dBFS",
    );
}

#[test]
fn a_mix_without_sound_is_reported() {
    let desk = Desk::with_stems();
    desk.wav("silent.wav", 2, 48_000, 100, 0);
    desk.wav("empty.wav", 2, 48_000, 0, 0);
    for (options, words) in [
        (
            &["a.wav", "b.wav", "--mute", "a", "--mute", "b"][..],
            "warning: the mix is silent (muted: \"a\", \"b\")\n",
        ),
        (
            &["a.wav", "b.wav", "--solo", "b", "--mute", "b"],
            "warning: the mix is silent (muted: \"b\"; soloed: \"b\")\n",
        ),
        (&["silent.wav"], "warning: the mix is silent\n"),
        (
            &["silent.wav", "a.wav@-inf"],
            "warning: the mix is silent\n",
        ),
        (&["empty.wav"], "warning: the mix is empty"),
    ] {
        let run = |more: &[&str]| desk.run(&[options, &["--force"], more].concat());
        run(&[]).expect(0, words);
        run(&["--strict", "-q"])
            .expect(1, words)
            .expect(1, "mix.wav was written, with ");
        run(&["--progress", "json", "--json"])
            .expect(0, "{\"event\":\"warning\",\"text\":\"the mix is ");
        assert!(run(&["-q"]).err.is_empty());
    }
    assert!(
        !desk
            .run(&["a.wav", "silent.wav", "--force"])
            .err
            .contains("the mix is")
    );
}

#[test]
fn threads_change_nothing() {
    let desk = Desk::with_stems();
    let bytes = |threads: &str| {
        desk.run(&["a.wav", "b.wav", "--force", "--threads", threads])
            .expect(0, "");
        fs::read(desk.path("mix.wav")).unwrap()
    };
    assert_eq!(bytes("1"), bytes("3"));
    desk.run(&["a.wav", "--threads", "0"]).expect(2, "1..=256");
}

#[test]
fn tips_lead_somewhere() {
    let desk = Desk::with_stems();
    for (given, tip) in [
        (&["--wrong"][..], None),
        (&["-x"], None),
        (&["a.wav", "--sollo", "a"], Some("'--solo'")),
        (&["-dash.wav"], Some("'./-dash.wav' or '-- -dash.wav'")),
        (
            &["-q", "-o", "x.wav", "-vdash.wav@-3"],
            Some("'./-vdash.wav@-3' or '"),
        ),
        (&["--dash.wav"], Some("'./--dash.wav' or '-- --dash.wav'")),
    ] {
        let refused = desk.run(given);
        refused
            .expect(2, "unexpected argument")
            .expect(2, tip.unwrap_or_default())
            .expect(2, "--help");
        assert_eq!(
            refused.err.contains("tip:"),
            tip.is_some(),
            "{given:?}: {}",
            refused.err
        );
        assert!(!refused.err.contains("--range"), "{}", refused.err);
    }
}

#[test]
fn usage() {
    let desk = Desk::with_stems();
    desk.run(&["--frobnicate"]).expect(2, "--frobnicate");
    desk.run(&["a.wav", "--mtue", "a"]).expect(2, "--mute");
    desk.run(&["-q", "-v", "a.wav"])
        .expect(2, "cannot be used with");
    let help = desk.run(&["--help"]);
    assert!(
        help.code == 0 && help.out.contains("Exit codes:") && help.out.contains("bass.flac@-2:L20"),
        "{}",
        help.out
    );
    assert_eq!(
        desk.run(&["--version"]).out.trim(),
        concat!("mixdown ", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(desk.names(), ["a.wav", "b.wav"]);
}

#[test]
fn plan_is_a_command_that_takes_the_options_of_a_mix() {
    let desk = Desk::with_stems();
    let help = desk.run(&["--help"]).out;
    let commands = help.split("Commands:").nth(1).unwrap();
    let commands: Vec<&str> = (commands.lines().skip(1))
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(
        commands,
        [
            "plan",
            "compare",
            "report",
            "join",
            "init",
            "import",
            "export",
            "batch",
            "explain",
            "completions",
            "man",
            "help"
        ]
    );
    assert!(desk.run(&["plan", "--help"]).out.contains("--mute"));
    let plan = desk.run(&["plan", "a.wav", "--limit=-3"]);
    assert!(plan.out.contains("limiter ceiling -3"), "{}", plan.out);
    assert_eq!(desk.run(&["--limit=-3", "plan", "a.wav"]).out, plan.out);
}

#[test]
fn every_command_has_a_page_and_a_version() {
    let desk = Desk::new();
    let version = concat!(" ", env!("CARGO_PKG_VERSION"));
    for command in [
        "plan",
        "compare",
        "report",
        "join",
        "init",
        "batch",
        "explain",
        "completions",
        "man",
    ] {
        let page = desk.run(&["help", command]);
        assert_eq!((page.code, page.err.as_str()), (0, ""), "{command}");
        assert!(
            page.out.contains(&format!("Usage: mixdown {command}")),
            "{}",
            page.out
        );
        assert_eq!(desk.run(&[command, "--help"]).out, page.out);
        assert!(
            page.out.lines().all(|line| line.chars().count() <= 100),
            "{}",
            page.out
        );
        let man = desk.run(&["man", command]);
        assert!(
            man.out.contains(&format!(".TH mixdown-{command} 1")),
            "{}",
            man.out
        );
        assert!(
            desk.run(&[command, "--version"])
                .out
                .trim()
                .ends_with(version),
            "{command}"
        );
    }
    assert!(
        desk.run(&["man"]).out.contains(".SH EXIT")
            || desk.run(&["man"]).out.contains("Exit codes")
    );
    desk.run(&["man", "jion"]).expect(
        2,
        "man jion: there is no such command; did you mean \"join\"?",
    );
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = desk.run(&["completions", shell]);
        assert!(script.code == 0 && script.out.contains("preset"), "{shell}");
    }
    assert!(desk.run(&["help", "batch", "run"]).out.contains("--resume"));
}

#[test]
fn a_target_may_be_a_loudness() {
    let desk = Desk::with_tones();
    for line in [
        ["a.wav", "--check", "--target", "-20"],
        ["a.wav", "--check", "--target=-20LUFS", "-v"],
    ] {
        desk.run(&line)
            .expect(1, "error: -20 LUFS: the loudness is ");
    }
    let report = desk.json(&["a.wav", "--fit", "--target", "-20", "-o", "x.wav"]);
    assert!((report["mix"]["integrated_lufs"].as_f64().unwrap() + 20.0).abs() < 0.01);
    desk.run(&["a.wav", "--target", "20"])
        .expect(2, "a loudness is -70 to 0 LUFS, like -14");
}

#[test]
fn a_value_after_a_space_is_not_taken_for_a_stem() {
    let desk = Desk::with_stems();
    desk.run(&["a.wav", "--dither", "weighted"]).expect(
        2,
        "weighted: there is no such file; write --dither=weighted, without a space",
    );
    desk.run(&["a.wav", "--play", "null"]).expect(
        2,
        "null: there is no such file; write --play=null, without a space",
    );
}

#[test]
fn play_limits_and_refuses_dither() {
    let desk = Desk::with_stems();
    desk.run(&["a.wav", "--play=null", "--limit=3"]).expect(
        2,
        "invalid value '3' for '--limit <DBTP>': a limit is -60 to 0 dBTP, like -1",
    );
    desk.run(&["a.wav", "--play=null", "--limit=-3"])
        .expect(0, "playing from 00:00:00.000 to 00:00:01.000");
    desk.run(&["a.wav", "--play=null", "--dither"]).expect(
        2,
        "'--play[=<DEVICE>]' cannot be used with '--dither[=<NAME>]'",
    );
}

#[test]
fn the_stems_of_the_demo_are_made_once() {
    let desk = Desk::new();
    let stems = desk.path("target/demo/stems");
    let made = || {
        let done = desk.run(&["--range", "1s..2s", "-o", "part.wav", "--force"]);
        done.expect(0, "wrote part.wav");
        done.err.matches("making the stems of the demo").count()
    };
    assert_eq!((made(), made()), (1, 0));
    // A stem that was changed or removed is made again.
    let bass = fs::read(stems.join("bass.wav")).unwrap();
    fs::write(stems.join("bass.wav"), &bass[..1000]).unwrap();
    assert_eq!((made(), made()), (1, 0));
    assert_eq!(fs::read(stems.join("bass.wav")).unwrap(), bass);
    fs::remove_file(stems.join("pad.wav")).unwrap();
    assert_eq!((made(), made()), (1, 0));
}
