//! `--range` and `join`: a long mix is rendered in parts.

use soundtrack_test_support::desk::Desk;
use std::fs;

#[test]
fn parts_joined_are_the_mix_byte_for_byte() {
    let desk = Desk::with_tones();
    desk.write(
        "song.toml",
        "[master]\ngain = 9\nlimit = -3\n[track.a]\nfile = \"a.wav\"\n[track.b]\nfile = \"b.wav\"\n",
    );
    for format in ["wav16", "wav24", "wav32", "wav32f"] {
        let render = |options: &[&str]| {
            desk.run(&[&["song.toml", "--format", format, "--force"], options].concat())
                .expect(0, "");
        };
        render(&["-o", "whole.wav"]);
        render(&["-o", "part-1.wav", "--range", "..0.25s"]);
        render(&["-o", "part-2.wav", "--range", "0.25s..0.7s"]);
        render(&["-o", "part-3.wav", "--range", "0.7s.."]);
        let joined = desk.run(&[
            "join",
            "part-2.wav",
            "part-3.wav",
            "part-1.wav",
            "-o",
            "film.wav",
            "--force",
        ]);
        joined.expect(0, "joined 3 parts into film.wav");
        assert!(
            joined.out.contains("loudness") && joined.out.contains("film.wav"),
            "{}",
            joined.out
        );
        assert_eq!(
            fs::read(desk.path("whole.wav")).unwrap(),
            fs::read(desk.path("film.wav")).unwrap(),
            "{format}"
        );
        desk.run(&["join", "part-1.wav", "part-3.wav", "-o", "film.wav"])
            .expect(
                4,
                "part-1.wav and part-3.wav: frames 12000 to 33600 are missing between them",
            );
        desk.run(&[
            "join",
            "part-1.wav",
            "part-2.wav",
            "part-3.wav",
            "-o",
            "film.wav",
        ])
        .expect(5, "use --force to replace it");
    }
    desk.run(&["join", "part-1.wav", "-o", "film.flac"])
        .expect(4, "film.flac: parts are joined into a WAV file: name it .wav, and mix that file into a FLAC file");
    desk.run(&["song.toml", "--range", "..0.5s", "-o", "part.flac"])
        .expect(
            0,
            "this part cannot be joined to others: only parts in WAV files can",
        );
    desk.run(&["join", "part.flac", "-o", "x.wav"]).expect(
        4,
        "part.flac: a FLAC file does not say which part of a mix it is: render the parts as WAV",
    );
    let weighted = [
        "song.toml",
        "--format",
        "wav16",
        "--dither=weighted",
        "--range",
        "..0.5s",
        "-o",
        "w.wav",
    ];
    desk.run(&weighted)
        .expect(0, "this part cannot be joined to others");
    desk.run(&["join", "w.wav", "-o", "x.wav"])
        .expect(4, "w.wav: does not say which part of a mix it is");
}
