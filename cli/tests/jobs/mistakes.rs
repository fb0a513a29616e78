//! Mistakes that people make, at the command line and in session files, with the message that each gets: tables that are
//! kept in `tests/guards`, and checked to say what is wrong, where, and what to do.

use soundtrack_test_support::desk::Desk;
use std::{env, fs, path::Path};

/// Returns a folder with two tones, `kick.wav` and `vox.wav`, beside it and in `stems/`.
fn desk() -> Desk {
    let desk = Desk::new();
    fs::create_dir_all(desk.path("stems/old")).unwrap();
    for name in [
        "kick.wav",
        "vox.wav",
        "stems/kick.wav",
        "stems/vox.wav",
        "stems/old/kick.wav",
    ] {
        desk.tone(name, 1, 48_000, 8192.0);
    }
    desk.write(
        "song.toml",
        "rate = 48000\n[bus.band]\n[track.kick]\nfile = \"kick.wav\"\nbus = \"band\"\n",
    );
    desk.write("notes.txt", "not audio");
    desk.write("full.wav", "an output that exists");
    desk
}

/// Compares a text with the kept one, or rewrites it.
fn compare(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/guards")
        .join(name);
    if env::var("SOUNDTRACK_GUARDS").is_ok_and(|value| value == "update") {
        fs::write(&path, text).unwrap();
    }
    let kept = fs::read_to_string(&path)
        .unwrap_or_default()
        .replace("\r\n", "\n");
    let difference = kept.lines().zip(text.lines()).find(|(a, b)| a != b);
    assert!(
        kept == text,
        "{name} is not as kept: {difference:?}; SOUNDTRACK_GUARDS=update cargo test --test jobs rewrites it"
    );
}

/// Command lines with a mistake.
const LINES: &[&str] = &[
    "missing.wav",
    "stms/",
    "kick.wv",
    "song.tml",
    "Kick.wav",
    "kick.wav@loud",
    "kick.wav@-3:X",
    "kick.wav @-3",
    "stems/@-3",
    "song.toml@-3",
    "song.toml vox.wav",
    "stems/*.flac@-3",
    "-",
    "notes.txt",
    "#2",
    "kick.wav#9",
    "kick.wav#9.9",
    "kick.wav --outptu x.wav",
    "kick.wav -o x.mp3",
    "kick.wav -o x",
    "kick.wav -o -",
    "kick.wav -o full.wav",
    "kick.wav -o kick.wav --force",
    "kick.wav -o no/x.wav",
    "kick.wav --format mp3",
    "kick.wav --format wav8",
    "kick.wav --rate 44.1",
    "kick.wav --rate 44.1k",
    "kick.wav --rate 0",
    "kick.wav --layout 5.2",
    "kick.wav --layout surround",
    "kick.wav --dither weighted",
    "kick.wav --dither=loud",
    "kick.wav --play null --dither",
    "kick.wav --play null",
    "kick.wav --range 1s",
    "kick.wav --range 2s..1s",
    "kick.wav --range 5s..",
    "kick.wav --range 1s-2s",
    "kick.wav --range 01:00:00:00..",
    "kick.wav --mute kik",
    "kick.wav --solo band",
    "stems/ --mute vox,kik",
    "kick.wav --pan-law loud",
    "kick.wav --target ebu",
    "kick.wav --target 14",
    "kick.wav --fit",
    "kick.wav --limit=3",
    "kick.wav --limit loud",
    "kick.wav --preset tape",
    "kick.wav --set track.kick.gain",
    "kick.wav --set track.kik.gain=3",
    "kick.wav --set track.kick.gian=3",
    "kick.wav --set track.kick.gain=loud",
    "kick.wav --save song.txt",
    "kick.wav --save song.toml",
    "kick.wav --report x.pdf",
    "kick.wav --bins 0",
    "kick.wav --threads 0",
    "kick.wav --memory 0",
    "song.toml --deliver full",
    "kick.wav --deliver full",
    "kick.wav -q -v",
    "compare kick.wav",
    "compare kick.wav missing.wav",
    "join kick.wav",
    "join kick.wav vox.wav -o x.wav",
    "report",
    "report missing.wav",
    "explain W1",
    "explain loud",
    "init",
    "init song.toml",
    "init stems/ -o song.toml",
    "batch run",
    "batch run missing.jsonl --out x",
    "completions tcsh",
    "man jion",
    "plan",
];

#[test]
fn mistakes_at_the_command_line() {
    let desk = desk();
    let mut text = String::new();
    for line in LINES {
        let ended = desk.run(&line.split(' ').collect::<Vec<_>>());
        assert!(
            (1..=5).contains(&ended.code),
            "{line}: exit code {}",
            ended.code
        );
        assert!(ended.err.contains("error: "), "{line}: {}", ended.err);
        // One mistake is one error.
        assert_eq!(
            ended.err.matches("error: ").count(),
            1,
            "{line}: {}",
            ended.err
        );
        assert!(
            !ended.err.contains("panicked") && ended.out.is_empty(),
            "{line}: {}{}",
            ended.out,
            ended.err
        );
        text += &format!(
            "$ mixdown {line}\nexit {}\n{}\n",
            ended.code,
            ended.err.trim_end().replace('\r', "")
        );
        text.push('\n');
    }
    assert!(LINES.len() >= 60);
    compare("mistakes-command-line.txt", &text);
}

/// Sessions with one mistake each, which stands after `rate = 48000` unless the text states a rate.
const SESSIONS: &[&str] = &[
    "[track.a]\npath = \"kick.wav\"",
    "[track.a]\nsource = \"kick.wav\"",
    "[track.a]\nfiles = \"kick.wav\"",
    "[track.a]\nfile = \"kik.wav\"",
    "[track.a]\nfile = \"KICK.WAV\"",
    "[track.a]\nfile = \"stems\\kick.wav\"",
    "[track.a]\nfile = 'stems\\kick.wav'",
    "[track.a]\nfile = \"/tmp/kick.wav\"",
    "[track.a]\nfile = \"../kick.wav\"",
    "[track.a]\nfile = \"notes.txt\"",
    "[track.a]\nfile = \"\"",
    "[track.a]\nfile = kick.wav",
    "[track.a]\nfile = \"kick.wav",
    "[track.a]",
    "[[track]]\nname = \"lead vocal\"\nfile = \"kick.wav\"",
    "[tracks.a]\nfile = \"kick.wav\"",
    "track = \"kick.wav\"",
    "[track.lead vocal]\nfile = \"kick.wav\"",
    "[track.a\nfile = \"kick.wav\"",
    "[track.a]\nfile = \"kick.wav\"\n[track.a]\nfile = \"vox.wav\"",
    "[track.a]\nfile = \"kick.wav\"\ngain = 1\ngain = 2",
    "[track.a]\nfile = \"kick.wav\"\nvolume = -3",
    "[track.a]\nfile = \"kick.wav\"\ngian = -3",
    "[track.a]\nfile = \"kick.wav\"\ngain = -3,5",
    "[track.a]\nfile = \"kick.wav\"\ngain = loud",
    "[track.a]\nfile = \"kick.wav\"\ngain = \"loud\"",
    "[track.a]\nfile = \"kick.wav\"\ngain = 201",
    "[track.a]\nfile = \"kick.wav\"\ngain = nan",
    "[track.a]\nfile = \"kick.wav\"\npan = \"left\"",
    "[track.a]\nfile = \"kick.wav\"\npan = \"L120\"",
    "[track.a]\nfile = \"kick.wav\"\npan = 30",
    "[track.a]\nfile = \"kick.wav\"\nmute = yes",
    "[track.a]\nfile = \"kick.wav\"\nmute = 1",
    "[track.a]\nfile = \"kick.wav\"\nat = 4",
    "[track.a]\nfile = \"kick.wav\"\nat = 4.5",
    "[track.a]\nfile = \"kick.wav\"\nat = \"4\"",
    "[track.a]\nfile = \"kick.wav\"\nat = \"4 sec\"",
    "[track.a]\nfile = \"kick.wav\"\nat = \"-1s\"",
    "[track.a]\nfile = \"kick.wav\"\nat = \"01:00:00:00\"",
    "fps = \"24\"\n[track.a]\nfile = \"kick.wav\"\nat = \"01:00:00\"",
    "fps = \"24\"\n[track.a]\nfile = \"kick.wav\"\nat = \"00:00:00:24\"",
    "fps = \"23.97\"\n[track.a]\nfile = \"kick.wav\"",
    "fps = \"film\"\n[track.a]\nfile = \"kick.wav\"",
    "[track.a]\nfile = \"kick.wav\"\nfade_in = 500",
    "[track.a]\nfile = \"kick.wav\"\nfade_in = \"1s loud\"",
    "[track.a]\nfile = \"kick.wav\"\nfade_in = \"2s\"",
    "[track.a]\nfile = \"kick.wav\"\nfrom = \"3s\"",
    "[track.a]\nfile = \"kick.wav\"\nloop = 0",
    "[track.a]\nfile = \"kick.wav\"\nbus = \"drums\"",
    "[bus.drums]\n[track.a]\nfile = \"kick.wav\"\nbus = \"drum\"",
    "[bus.a]\nto = \"b\"\n[bus.b]\nto = \"a\"\n[track.a]\nfile = \"kick.wav\"\nbus = \"a\"",
    "[track.a]\nfile = \"kick.wav\"\nsend = { hall = -3 }",
    "[track.a]\nfile = \"kick.wav\"\nautomation.gain = [\"0 -inf\", \"4 0\"]",
    "[track.a]\nfile = \"kick.wav\"\nautomation.gain = [\"4s 0\", \"1s -3\"]",
    "[track.a]\nfile = \"kick.wav\"\nautomation.gain = \"0s -inf\"",
    "[track.a]\nfile = \"kick.wav\"\nautomation.volume = [\"0s -inf\"]",
    "[track.a]\nfile = \"kick.wav\"\n[track.a.insert]\nc = { type = \"comp\" }",
    "[track.a]\nfile = \"kick.wav\"\n[track.a.insert]\nc = { type = \"compressor\", treshold = -3 }",
    "[track.a]\nfile = \"kick.wav\"\n[track.a.insert]\nc = { threshold = -3 }",
    "[track.a]\nfile = \"kick.wav\"\n[track.a.insert]\nc = { type = \"compressor\", ratio = 0 }",
    "rate = 48k\n[track.a]\nfile = \"kick.wav\"",
    "rate = \"44.1\"\n[track.a]\nfile = \"kick.wav\"",
    "rate = 44.1\n[track.a]\nfile = \"kick.wav\"",
    "layout = \"surround\"\n[track.a]\nfile = \"kick.wav\"",
    "[master]\nlimit = 3\n[track.a]\nfile = \"kick.wav\"",
    "[cue.s]\nat = \"1s\"\nfolder = \"stem\"\nfiles = \"*.wav\"",
    "[cue.s]\nat = \"1s\"\nfolder = \"stems\"\nfiles = \"*.aif\"",
    "[cue.s]\nat = \"1s\"",
    "[cue.s]\nfolder = \"stems\"\nfiles = \"*.wav\"\nfade_in = \"1s\"",
    "[track.a]\nfile = \"kick.wav\"\n[deliver.x]\nfile = \"x.mp3\"",
    "[track.a]\nfile = \"kick.wav\"\n[deliver.x]\nformat = \"wav24\"",
    "[track.a]\nfile = \"kick.wav\"\n[deliver.x]\nfile = \"x.wav\"\nmute = [\"kick\"]",
    "[track.a]\nfile = \"kick.wav\"\n[deliver.x]\nfile = \"kick.wav\"",
    "[track.a]\nfile = \"kick.wav\"\n[deliver.x]\nfile = \"x.wav\"\n[deliver.y]\nfile = \"x.wav\"",
];

#[test]
fn mistakes_in_sessions() {
    let desk = desk();
    let mut text = String::new();
    for session in SESSIONS {
        let rate = if session.starts_with("rate") {
            ""
        } else {
            "rate = 48000\n"
        };
        desk.write("s.toml", &format!("{rate}{session}\n"));
        let ended = desk.run(&["s.toml"]);
        assert!(
            (3..=5).contains(&ended.code),
            "{session}: exit code {}",
            ended.code
        );
        assert_eq!(
            ended.err.matches("error: ").count(),
            1,
            "{session}\n{}",
            ended.err
        );
        assert!(
            ended.err.contains("error: s.toml:")
                || ended.err.contains("error: kick.wav: is one of the inputs"),
            "{session}\n{}",
            ended.err
        );
        let indented: String = session
            .lines()
            .map(|line| format!("    {line}\n"))
            .collect();
        text += &format!(
            "{indented}exit {}\n{}\n\n",
            ended.code,
            ended.err.trim_end()
        );
    }
    assert!(SESSIONS.len() >= 60);
    compare("mistakes-sessions.txt", &text);
}
