//! Session files with cues: `plan`, `--set`, and messages about problems.

use soundtrack_test_support::desk::Desk;
use std::fs;

const REEL: &str = r#"
title = "Reel"
rate = 48000
fps = 24
start = "01:00:00:00"

[bus.music]
gain = -3

[track.dialogue]
file = "a.wav"

[cue.storm]
title = "The Storm"
at = "01:00:00:12"
bus = "music"
files = "b*.wav"
[cue.storm.use]
again = { at = "2s", from = "250ms", length = "500ms", fade_out = "100ms", usage = "BI" }

[deliver.stems]
file = "out/{title} {bus}.wav"
stems = ["music"]
[deliver.album]
file = "out/{nn} {cue}.wav"
album = true
"#;

fn reel() -> Desk {
    let desk = Desk::with_stems();
    fs::write(desk.path("reel.toml"), REEL).unwrap();
    desk
}

#[test]
fn a_plan_is_printed_and_nothing_is_written() {
    let desk = reel();
    let ended = desk.run(&[
        "plan",
        "reel.toml",
        "--set",
        "bus.music.gain=-6",
        "--set",
        "cue.storm.at=01:00:01:00",
    ]);
    let want = "  Reel
  48000 Hz stereo, 00:00:02.500 long (120000 frames), 24 fps from 01:00:00:00

  track     stem   format                     at           until          gain  pan  into
  dialogue  a.wav  48000 Hz stereo            01:00:00:00  01:00:01:00  0.0 dB  C    master
  storm.b   b.wav  44100 Hz mono              01:00:01:00  01:00:02:00  0.0 dB  C    music
            b.wav  44100 Hz mono from 0.25 s  01:00:02:00  01:00:02:12

  cue        placement  at           until        part                       gain  fades      usage
  The Storm             01:00:01:00  01:00:02:00  whole                    0.0 dB
             again      01:00:02:00  01:00:02:12  0.25 s to 0.75 s of 1 s  0.0 dB  out 0.1 s  BI

  bus     sum of              gain  into
  music   storm.b          -6.0 dB  master
  master  dialogue, music   0.0 dB

  deliverable  file                  format  holds
  stems        out/Reel music.wav    wav24   bus.music
  album        out/01 The Storm.wav  wav24   cue.storm
";
    assert_eq!(
        (ended.code, ended.out.as_str(), ended.err.as_str()),
        (0, want, "")
    );
    assert!(!desk.path("out").exists() && !desk.path("reel.wav").exists());
    let json = desk.run(&["plan", "reel.toml", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["cues"][0]["uses"][1]["at_frame"], 96_000);
    assert_eq!(json["deliverables"][1]["file"], "out/01 The Storm.wav");
    desk.run(&["plan"]).expect(2, "plan: no input is given");
    // Folders and stems have plans too.
    let plan = desk.run(&["plan", "a.wav@-3"]);
    assert!(plan.out.contains("-3.0 dB  C    master"), "{}", plan.out);
    // The graph with its nodes and frames is for those who want to see how it is rendered.
    let graph = desk.run(&["plan", "reel.toml", "-v"]);
    assert!(
        graph
            .out
            .contains("\nplan  48000 Hz stereo, 4 nodes in 3 stages, 120 000 frames")
    );
}

#[test]
fn a_plan_says_what_is_not_heard_and_why() {
    let desk = Desk::with_stems();
    desk.write(
        "s.toml",
        "rate = 48000\nlength = \"1s\"\n[bus.shut]\nmute = true\n[track.off]\nfile = \"a.wav\"\nmute = true\n\
         [track.down]\nfile = \"a.wav\"\ngain = \"-inf\"\n[track.led]\nfile = \"a.wav\"\nbus = \"shut\"\n\
         [track.late]\nfile = \"a.wav\"\nat = \"5s\"\n[track.on]\nfile = \"a.wav\"\nfade_in = \"50ms\"\n",
    );
    let plan = desk.run(&["plan", "s.toml"]).out;
    for line in [
        "  off        muted\n",
        "  down       its fader is at -inf dB\n",
        "  led        every bus that it feeds is muted or at -inf dB\n",
        "  late       its clips start after the end of the mix\n",
        "  shut       muted",
        "  in 0.05 s  ",
    ] {
        assert!(plan.contains(line), "{line} in {plan}");
    }
    let plan = desk.run(&["plan", "s.toml", "--solo", "late"]).out;
    assert!(plan.contains("  on         others are soloed\n"), "{plan}");
}

#[test]
fn settings_are_told_where_they_are_wrong() {
    let desk = reel();
    desk.run(&["reel.toml", "--set", "bus.music.gian=-6"])
        .expect(
            3,
            "error: set:1:11: bus \"music\": unknown key \"gian\"; did you mean \"gain\"?",
        )
        .expect(3, "1 | bus.music.gian = -6");
    // Nothing comes into being by a slip.
    desk.run(&["reel.toml", "--set", "bus.musik.gain=-6"])
        .expect(
            3,
            "error: set:1:5: there is no bus \"musik\"; did you mean \"music\"?",
        );
    desk.run(&["reel.toml", "--set", "track.zither.gain=3"])
        .expect(3, "error: set:1:7: there is no track \"zither\"");
    desk.run(&["plan", "reel.toml", "--set", "track.new.file=a.wav"])
        .expect(0, "");
    desk.run(&["reel.toml", "--set", "title"])
        .expect(2, "--set title: should be KEY=VALUE");
}

#[test]
fn a_reel_is_mixed_from_toml_and_parts_of_it_are_muted() {
    let desk = reel();
    desk.run(&["reel.toml", "-o", "reel.wav"]).expect(0, "");
    let frames = hound::WavReader::open(desk.path("reel.wav"))
        .unwrap()
        .duration();
    assert_eq!(frames, 120_000);
    let plan = desk.run(&["plan", "reel.toml", "--mute", "cue.storm"]).out;
    assert!(
        plan.contains("  storm.b    muted, or its cue is\n"),
        "{plan}"
    );
    desk.run(&["plan", "reel.toml", "--mute", "cue.strom"])
        .expect(2, "did you mean \"cue.storm\"?");
    fs::remove_file(desk.path("b.wav")).unwrap();
    desk.run(&["reel.toml", "--force"])
        .expect(3, "no file of . matches \"b*.wav\"");
}

#[test]
fn what_is_wrong_in_the_text_hides_no_stem_that_is_missing() {
    let desk = Desk::with_stems();
    desk.write("broken.wav", "this is no audio");
    desk.write(
        "s.toml",
        "rate = 48000\n[track.a]\nfile = \"a.wav\"\ngian = 1\n[track.b]\nfile = \"bb.wav\"\n[track.c]\nfile = \"broken.wav\"\n\
         [cue.x]\nat = \"nope\"\n[cue.x.track.v]\nfile = \"gone.wav\"\n[track.d]\nfile = \"../d.wav\"\n",
    );
    let done = desk.run(&["s.toml"]);
    for error in [
        "s.toml:4:1: track \"a\": unknown key \"gian\"; did you mean \"gain\"?",
        "s.toml:6:8: track \"b\": bb.wav: ",
        "s.toml:8:8: track \"c\": broken.wav: ",
        "s.toml:10:6: cue \"x\": at",
        "s.toml:12:8: cue \"x\", track \"v\": gone.wav: ",
        "s.toml:14:8: track \"d\": ../d.wav is outside the session's folder",
    ] {
        done.expect(3, error);
    }
    assert_eq!(done.err.matches("error: ").count(), 6, "{}", done.err);
}
