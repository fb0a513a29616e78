//! Inputs of `mixdown`: files with levels, folders, sessions, names of all kinds, and inputs that are refused.

use soundtrack_test_support::desk::{Desk, ended, tracks};
use std::fs;

#[test]
fn files_with_levels_and_places() {
    let desk = Desk::with_stems();
    let report = desk.json(&["a.wav@-6", "b.wav@-inf:L20", "b.wav@+1.5:0.25"]);
    assert_eq!(tracks(&report), ["a", "b", "b 2"]);
    let of = |track: usize, key: &str| report["tracks"][track][key].clone();
    assert_eq!(
        (
            of(0, "gain_db").as_f64().map(f64::round),
            of(0, "pan").as_f64()
        ),
        (Some(-6.0), Some(0.0))
    );
    assert_eq!(
        (of(1, "heard").as_bool(), of(1, "pan").as_f64()),
        (Some(false), Some(-0.2))
    );
    assert_eq!(
        (of(2, "pan").as_f64(), report["output"].as_str()),
        (Some(0.25), Some("mix.wav"))
    );
    assert_eq!(
        (report["rate_hz"].as_u64(), report["layout"].as_str()),
        (Some(48_000), Some("stereo"))
    );
    assert_eq!(
        hound::WavReader::open(desk.path("mix.wav"))
            .unwrap()
            .duration(),
        48_000
    );
}

#[test]
fn a_suffix_counts_only_where_no_file_of_the_whole_name_exists() {
    let desk = Desk::with_stems();
    fs::copy(desk.path("a.wav"), desk.path("a.wav@-3")).unwrap();
    assert_eq!(desk.json(&["a.wav@-3"])["tracks"][0]["gain_db"], 0.0);
    desk.run(&["b.wav@-2,5"]).expect(
        2,
        "\"-2,5\" is no level in dB, like -3 or -inf; a stem's level and pan are",
    );
    desk.run(&["b.wav@-2:middle"])
        .expect(2, "\"middle\" is no pan position");
    desk.run(&["b.wav@1e9", "--force"])
        .expect(3, "above +200 dB");
    fs::create_dir(desk.path("folder")).unwrap();
    desk.run(&["folder@-3"])
        .expect(2, "only a single stem can have a level");
}

#[test]
fn a_folder_in_the_order_of_names_without_what_is_no_audio() {
    let desk = Desk::with_stems();
    for (from, to) in [
        ("b.wav", "my stems/2 bass.wav"),
        ("a.wav", "my stems/1 drums"),
        ("a.wav", "my stems/.hidden.wav"),
    ] {
        fs::create_dir_all(desk.path("my stems/sub.wav")).unwrap();
        fs::copy(desk.path(from), desk.path(to)).unwrap();
    }
    desk.write("my stems/notes.txt", "louder!");
    let report = desk.json(&["my stems"]);
    assert_eq!(tracks(&report), ["1 drums", "2 bass"]);
    assert_eq!(
        (report["output"].as_str(), report["title"].as_str()),
        (Some("my stems.wav"), Some("my stems"))
    );

    let done = desk.run(&["my stems/", "-o", "x.wav"]);
    done.expect(0, "skipped 1 file without audio (-v lists them)");
    let done = desk.run(&["my stems/", "-o", "y.wav", "-v"]);
    done.expect(0, "skipped my stems/notes.txt")
        .expect(0, "skipped my stems/sub.wav: a folder");

    fs::create_dir(desk.path("empty")).unwrap();
    desk.run(&["empty"])
        .expect(4, "empty: there is no audio file in this folder");
    fs::create_dir_all(desk.path("empty/sub")).unwrap();
    desk.run(&["empty"])
        .expect(4, "in this folder, only another folder");
}

#[test]
fn folders_with_audio_within_a_folder_are_named() {
    let desk = Desk::with_stems();
    for name in [
        "stems/a.wav",
        "stems/takes/b.WAV",
        "stems/old/deep/c.flac",
        "stems/.git/d.wav",
    ] {
        desk.wav(name, 2, 48_000, 100, 100);
    }
    fs::create_dir(desk.path("stems/papers")).unwrap();
    desk.write("stems/papers/notes.txt", "");
    desk.run(&["stems", "-o", "x.wav"]).expect(
        0,
        "warning: stems: the audio in the subfolders \"old\", \"takes\" is not mixed; -r reads all subfolders, or add them to the inputs",
    );
    let quiet = desk.run(&["stems", "-o", "y.wav", "-q"]);
    assert_eq!((quiet.code, quiet.err.as_str()), (0, ""));
}

#[test]
fn what_no_placement_puts_into_the_mix_is_told() {
    let desk = Desk::with_tones();
    let cue = "[cue.song]\n[cue.song.track.v]\nfile = \"b.wav\"\n";
    let track = "[track.a]\nfile = \"a.wav\"\n";
    desk.write("s.toml", &format!("rate = 48000\n{track}{cue}"));
    let warning =
        "W123 cue \"song\": it has no placement, so nothing of it is in the mix: add at or a use";
    desk.run(&["s.toml"]).expect(0, warning);
    desk.run(&["plan", "s.toml"]).expect(0, warning);
    desk.run(&["s.toml", "--force", "--strict"])
        .expect(1, warning);
    for solo in ["cue.song.v", "cue.song"] {
        desk.run(&["s.toml", "--force", "--solo", solo]).expect(
            3,
            "it is soloed, but its cue has no placement, so nothing would be heard: place the cue with at or a use",
        );
    }
    desk.write("s.toml", &format!("rate = 48000\n{cue}"));
    desk.run(&["s.toml", "-o", "none.wav"]).expect(
        3,
        "s.toml:2:6: cue \"song\": it has no placement, so the mix is empty: place it with at",
    );
    // An album has it: then it is heard there, and a mix of it alone is empty all the same.
    let album = "[deliver.album]\nfile = \"out/{cue}.wav\"\nalbum = true\n";
    desk.write("s.toml", &format!("rate = 48000\n{cue}{album}"));
    let done = desk.run(&["s.toml"]);
    assert!(
        done.code == 0 && !done.err.contains("warning"),
        "{}",
        done.err
    );
    desk.run(&["plan", "s.toml"]).expect(0, "");
    desk.run(&["s.toml", "-o", "none.wav"])
        .expect(3, "the mix is empty: cue \"song\" has no placement");
    let mix = "[deliver.mix]\nfile = \"out/mix.wav\"\n";
    desk.write("s.toml", &format!("rate = 48000\n{cue}{album}{mix}"));
    desk.run(&["s.toml", "--force"])
        .expect(3, "the mix is empty: cue \"song\" has no placement");
    assert!(!desk.path("out/mix.wav").exists() && !desk.path("none.wav").exists());
}

#[test]
fn a_folder_never_leaves_out_a_file_named_like_audio() {
    let desk = Desk::with_stems();
    for name in [
        "vox.opus", "vox.wv", "Vox.WAV", "vox.MKA", "vox.dsf", "vox.wma", "vox.mp3",
    ] {
        let stem = format!("{name} in it/{name}");
        desk.wav(format!("{name} in it/kick.wav"), 2, 48_000, 100, 100);
        desk.write(
            &stem,
            "these are the words of a song, and nobody sings them: there is no sound in here",
        );
        for more in [
            &["-q", "--strict", "--json"][..],
            &["-q", "--keep-going"],
            &["--rate", "48000"],
        ] {
            let folder = format!("{name} in it");
            let refused = desk.run(&[&[folder.as_str(), "-o", "o.wav"], more].concat());
            refused.expect(4, &format!("{stem}: "));
            assert!(
                !refused.err.contains("kick.wav") && !desk.path("o.wav").exists(),
                "{}",
                refused.err
            );
        }
    }
}

#[test]
fn an_output_among_the_stems_is_noted_and_never_replaces_a_stem() {
    let desk = Desk::with_stems();
    desk.run(&[".", "-o", "mix.wav"])
        .expect(0, "mix.wav is inside the folder of stems");
    desk.run(&[".", "-o", "mix.wav", "--force"])
        .expect(5, "is one of the inputs");
}

#[test]
fn a_damaged_stem_of_a_folder_is_refused_or_silenced() {
    let desk = Desk::with_stems();
    fs::create_dir(desk.path("stems")).unwrap();
    let whole = fs::read(desk.path("a.wav")).unwrap();
    fs::write(desk.path("stems/cut.wav"), &whole[..100_044]).unwrap();
    let refused = desk.run(&["stems"]);
    refused
        .expect(4, "track \"cut\": stems/cut.wav: cut off at 00:00:00.520")
        .expect(4, "hint: use --keep-going");
    let report = desk.json(&["stems", "--keep-going"]);
    assert_eq!(report["frames"], 48_000);
    assert_eq!(report["warnings"][0]["code"], "W115");
    assert_eq!(
        report["tracks"][0]["clips"][0]["silenced"][0]["kind"],
        "ended_early"
    );
}

#[test]
fn a_session_file() {
    let desk = Desk::with_stems();
    desk.write(
        "song.toml",
        "[track.drums]\nfile = \"a.wav\"\n[track.bass]\nfile = \"b.wav\"\ngain = -3\n",
    );
    let report = desk.json(&["song.toml"]);
    assert_eq!(
        (tracks(&report), report["output"].as_str()),
        (vec!["drums", "bass"], Some("song.wav"))
    );
    let report = desk.json(&[
        "song.toml",
        "--force",
        "--rate",
        "44100",
        "--layout",
        "mono",
    ]);
    assert_eq!(
        (report["rate_hz"].as_u64(), report["layout"].as_str()),
        (Some(44_100), Some("mono"))
    );

    desk.run(&["song.toml", "a.wav"])
        .expect(2, "song.toml: a session file must be the only input");
    desk.run(&["sogn.toml"])
        .expect(4, "sogn.toml: did you mean song.toml?");
    desk.write(
        "bad.toml",
        "[track.drums]\nfile = \"a.wav\"\ngian = 3\n[track.x]\nfile = \"b.wav\"\npan = \"M\"\n",
    );
    let refused = desk.run(&["bad.toml"]);
    refused
        .expect(3, "bad.toml:3:")
        .expect(3, "gian")
        .expect(3, "bad.toml:6:")
        .expect(3, "^^^");
    assert_eq!(
        desk.names(),
        ["a.wav", "b.wav", "bad.toml", "song.toml", "song.wav"]
    );
}

#[test]
fn a_session_leaves_its_folder_only_when_allowed() {
    let desk = Desk::with_stems();
    fs::create_dir(desk.path("sub")).unwrap();
    desk.write("sub/song.toml", "[track.drums]\nfile = \"../a.wav\"\n");
    desk.run(&["sub/song.toml"])
        .expect(3, "hint: use --outside to allow it");
    desk.run(&["sub/song.toml", "--outside"]).expect(0, "");
}

#[test]
fn what_is_not_there_is_named_with_what_may_have_been_meant() {
    let desk = Desk::with_stems();
    fs::rename(desk.path("a.wav"), desk.path("drums.wav")).unwrap();
    let refused = desk.run(&["durms.wav@-3", "b.wav", "piano.wav"]);
    refused
        .expect(4, "track \"durms\": durms.wav: ")
        .expect(4, "track \"piano\": piano.wav: ");
    refused.expect(4, "hint: durms.wav: did you mean drums.wav?");
    assert!(
        !refused.err.contains("piano.wav: did you mean"),
        "{}",
        refused.err
    );
    assert_eq!(desk.names(), ["b.wav", "drums.wav"]);
}

#[test]
fn a_missing_session_folder_or_file_of_a_stream_is_called_so() {
    let desk = Desk::with_stems();
    desk.wav("stems/kick.wav", 2, 48_000, 100, 100);
    desk.write("song.toml", "[track.drums]\nfile = \"a.wav\"\n");
    let refused = desk.run(&["missing.toml"]);
    refused.expect(4, "error: missing.toml: there is no such file\n");
    assert!(!refused.err.contains("os error"), "{}", refused.err);
    desk.run(&["gone/missing.toml"])
        .expect(4, "there is no folder gone");
    desk.run(&["sogn.toml"])
        .expect(4, "sogn.toml: there is no such file")
        .expect(4, "did you mean song.toml?");
    desk.run(&["nodir/"])
        .expect(4, "error: nodir/: there is no such folder\n");
    desk.run(&["stmes/", "a.wav"])
        .expect(4, "stmes/: there is no such folder")
        .expect(4, "did you mean stems?");
    for number in ["#2", "#2@-3", "stems/#12", "#ch3"] {
        desk.run(&[number]).expect(
            2,
            &format!(
                "error: {number}: write the number of a stream or a channel directly after its file"
            ),
        );
    }
    desk.wav("#3", 2, 48_000, 100, 100);
    desk.run(&["#3"]).expect(0, "");
    desk.run(&["#3@-3", "--force"]).expect(0, "");
}

#[test]
fn no_audio_by_any_name_is_refused() {
    let desk = Desk::with_stems();
    desk.write(
        "text.wav",
        "this is no sound at all, but long enough to have a header of a WAVE file in it",
    );
    desk.write("empty.wav", "");
    desk.run(&["text.wav"])
        .expect(4, "track \"text\": text.wav: ");
    desk.run(&["empty.wav"])
        .expect(4, "track \"empty\": empty.wav: ");
    desk.run(&[""]).expect(2, "a value is required");
}

#[test]
fn a_file_of_one_stream_is_a_file_of_stems_too() {
    let desk = Desk::with_stems();
    assert_eq!(tracks(&desk.json(&["a.wav/", "-o", "x.wav"])), ["a"]);
    desk.run(&["a.wav/@-3", "b.wav"])
        .expect(2, "only a single stem can have a level");
}

#[cfg(unix)]
#[test]
fn names_of_all_kinds() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let desk = Desk::with_stems();
    let names: [&[u8]; 7] = [
        b"line\nbreak.wav",
        b"quote\"'.wav",
        "emoji \u{1f3ba} e\u{301}.wav".as_bytes(),
        b"not \xFF\xFE utf-8.wav",
        b"-leading.wav",
        b"tab\tand\x1b[2Jescape.wav",
        b"100%.wav",
    ];
    for name in names {
        fs::copy(desk.path("b.wav"), desk.path(OsStr::from_bytes(name))).unwrap();
    }
    let with_level = names.map(|n| [n, b"@-20"].concat());
    let arguments = ["--force", "--"]
        .map(OsStr::new)
        .into_iter()
        .chain(with_level.iter().map(|n| OsStr::from_bytes(n)));
    let done = ended(desk.command_of(arguments).output().unwrap());
    done.expect(0, "");
    for shown in [
        "line\\nbreak.wav",
        "quote\"'.wav",
        "emoji \u{1f3ba}",
        "not \u{fffd}\u{fffd} utf-8",
        "-leading",
        "100%",
    ] {
        assert!(done.out.contains(shown), "{shown} is not in:\n{}", done.out);
    }
    assert!(!done.out.contains('\x1b') && done.out.contains("tab\\tand\\u{1b}[2Jescape.wav"));

    let report = desk.command_of(
        ["--force", "--json", "--"]
            .map(OsStr::new)
            .into_iter()
            .chain([OsStr::from_bytes(names[0])]),
    );
    let report: serde_json::Value =
        serde_json::from_slice(&{ report }.output().unwrap().stdout).unwrap();
    assert_eq!(report["tracks"][0]["clips"][0]["file"], "line\nbreak.wav");

    // Named in errors, too, and as an output.
    let gone = [OsStr::new("--force"), OsStr::from_bytes(b"gone\n\xFF.wav")];
    ended(desk.command_of(gone).output().unwrap()).expect(4, "gone\\n\u{fffd}.wav");
    let odd = OsStr::from_bytes(b"out\n\xFF.wav");
    let done = desk
        .command_of([OsStr::new("a.wav"), OsStr::new("-o"), odd])
        .output()
        .unwrap();
    ended(done).expect(0, "wrote out\\n\u{fffd}.wav");
    assert!(desk.path(odd).exists());
}

/// Made by ffmpeg: skipped without it.
#[test]
fn a_file_of_several_streams() {
    let desk = Desk::with_stems();
    let mut ffmpeg = std::process::Command::new("ffmpeg");
    ffmpeg.current_dir(desk.path("")).args([
        "-v", "error", "-i", "a.wav", "-i", "b.wav", "-map", "0", "-map", "1",
    ]);
    ffmpeg
        .args(["-map", "0", "-c:a", "alac", "song.stem.mp4"])
        .stdin(std::process::Stdio::null());
    if !ffmpeg.status().is_ok_and(|s| s.success()) {
        soundtrack_test_support::requirement::missing("ffmpeg is not installed");
        return;
    }
    let done = desk.run(&["song.stem.mp4", "-o", "first.wav"]);
    done.expect(0, "song.stem.mp4 has 3 audio streams, of which the first is used; song.stem.mp4/ uses the others");
    let report = desk.json(&["song.stem.mp4/"]);
    assert_eq!(
        (tracks(&report), report["output"].as_str()),
        (vec!["song#2", "song#3"], Some("song.wav"))
    );
    assert_eq!(
        (
            report["title"].as_str(),
            report["tracks"][0]["clips"][0]["rate_hz"].as_u64()
        ),
        (Some("song"), Some(44_100))
    );
    // Tracks of Matroska have names of their own.
    let mut ffmpeg = std::process::Command::new("ffmpeg");
    let args = "-v error -i a.wav -i b.wav -map 0 -map 1 -map 0 -map 1 -c:a flac \
                -metadata:s:a:1 title=Kick -metadata:s:a:3 title=Kick named.mka";
    let status = ffmpeg
        .current_dir(desk.path(""))
        .args(args.split_whitespace())
        .stdin(std::process::Stdio::null())
        .status();
    assert!(status.unwrap().success());
    let report = desk.json(&["named.mka/"]);
    assert_eq!(tracks(&report), ["Kick", "named#3", "Kick 2"]);
    let report = desk.json(&["song.stem.mp4#2@-3:L20", "song.stem.mp4"]);
    assert_eq!(tracks(&report), ["song#2", "song"]);
    assert_eq!(report["tracks"][0]["pan"], -0.2);
    desk.run(&["song.stem.mp4#4", "--force"])
        .expect(4, "audio stream 4 is not there; the file has 3");
    desk.run(&["sogn.stem.mp4#2", "--force"])
        .expect(4, "did you mean song.stem.mp4?");
}

#[test]
fn single_channels_and_layouts_are_chosen_by_name() {
    let desk = Desk::with_stems();
    // Channel n holds n thousandths of full scale.
    let spec = hound::WavSpec {
        channels: 8,
        sample_rate: 48_000,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut writer = hound::WavWriter::create(desk.path("poly.wav"), spec).unwrap();
    for _ in 0..1000 {
        (1..=8u16).for_each(|n| writer.write_sample(f32::from(n) / 1000.0).unwrap());
    }
    writer.finalize().unwrap();
    let samples = |arguments: &[&str]| {
        let output = ["-o", "out.wav", "--format", "wav32f", "--force"];
        desk.run(&[arguments, &output].concat()).expect(0, "");
        let mut reader = hound::WavReader::open(desk.path("out.wav")).unwrap();
        assert_eq!(reader.duration(), 1000);
        let channels = usize::from(reader.spec().channels);
        let all: Vec<f32> = reader.samples().map(Result::unwrap).collect();
        assert!(all.chunks(channels).all(|frame| frame == &all[..channels]));
        all[..channels].to_vec()
    };
    assert_eq!(samples(&["poly.wav#ch3", "--layout", "mono"]), [0.003]);
    assert_eq!(samples(&["poly.wav#1#ch8", "--layout", "mono"]), [0.008]);
    assert_eq!(samples(&["poly.wav#ch5@0:R100"]), [0.0, 0.005]);
    assert_eq!(
        samples(&["poly.wav#7.1", "--layout", "7.1"])[..3],
        [0.001, 0.002, 0.003]
    );
    desk.write(
        "poly.toml",
        "rate = 48000\nlayout = \"mono\"\n[track.a]\nfile = \"poly.wav\"\nchannel = 4\n[track.b.clip]\nx = { file = \"poly.wav#ch2\" }\n",
    );
    assert_eq!(samples(&["poly.toml"]), [0.006]);
    assert_eq!(
        samples(&["poly.toml", "--set", "track.a.channel=7"]),
        [(f64::from(0.007f32) + f64::from(0.002f32)) as f32]
    );
    desk.run(&["poly.wav#ch9", "--force"])
        .expect(4, "poly.wav: channel 9 is not there; the file has 8");
    desk.run(&["poly.toml", "--set", "track.a.channel=9", "--force"])
        .expect(4, "poly.wav: channel 9 is not there; the file has 8");
    desk.run(&["poly.wav#5.1", "--force"])
        .expect(3, "the clip's layout 5.1 has 6 channels, the file 8");
    desk.run(&["poly.wav#nave", "--force"]).expect(
        4,
        "write the number of a stream (#2), of a channel (#ch3) or a layout (#5.1) after #",
    );
    // A file of the whole name comes first.
    std::fs::copy(desk.path("a.wav"), desk.path("poly.wav#ch3")).unwrap();
    assert_eq!(
        tracks(&desk.json(&["poly.wav#ch3", "-o", "new.wav"])),
        ["poly"]
    );
}

#[test]
fn a_level_beside_its_stem_is_explained() {
    let desk = Desk::with_stems();
    desk.run(&["a.wav", "@-3"]).expect(
        4,
        "write a level directly after its stem, without a space: kick.wav@-3",
    );
}
