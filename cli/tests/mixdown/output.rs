//! Outputs of `mixdown`: which files are replaced, and which never.

use soundtrack_test_support::desk::Desk;
use std::fs;

#[test]
fn what_exists_is_replaced_only_by_force() {
    let desk = Desk::with_stems();
    desk.write("out.wav", "mine");
    let refused = desk.run(&["a.wav", "-o", "out.wav"]);
    refused.expect(5, "out.wav: exists already").expect(
        5,
        "hint: use --force to replace it, or -o to choose another name",
    );
    assert_eq!(fs::read(desk.path("out.wav")).unwrap(), b"mine");
    desk.run(&["a.wav", "-o", "out.wav", "--force"])
        .expect(0, "wrote out.wav");
    assert_eq!(
        hound::WavReader::open(desk.path("out.wav"))
            .unwrap()
            .duration(),
        48_000
    );
}

#[test]
fn in_the_folder_of_the_demo_everything_may_be_replaced() {
    let desk = Desk::with_stems();
    fs::create_dir_all(desk.path("target/demo/deeper")).unwrap();
    for _ in 0..2 {
        desk.run(&["a.wav", "-o", "target/demo/x.wav"])
            .expect(0, "");
        desk.run(&["a.wav", "-o", "target/demo/deeper/x.wav"])
            .expect(0, "");
    }
    desk.run(&["a.wav", "-o", "target/demo/../x.wav"])
        .expect(0, "");
    desk.run(&["a.wav", "-o", "target/demo/../x.wav"])
        .expect(5, "exists already");
}

#[cfg(unix)]
#[test]
fn an_input_is_never_written_over() {
    let desk = Desk::with_stems();
    fs::hard_link(desk.path("a.wav"), desk.path("hard.wav")).unwrap();
    std::os::unix::fs::symlink("a.wav", desk.path("soft.wav")).unwrap();
    fs::create_dir(desk.path("sub")).unwrap();
    let before = fs::read(desk.path("a.wav")).unwrap();
    for output in ["a.wav", "./a.wav", "sub/../a.wav", "hard.wav", "soft.wav"] {
        desk.run(&["b.wav", "a.wav@-3", "-o", output, "--force"])
            .expect(5, "is one of the inputs (a.wav)");
    }
    fs::create_dir_all(desk.path("target/demo")).unwrap();
    fs::copy(desk.path("a.wav"), desk.path("target/demo/a.wav")).unwrap();
    desk.run(&["target/demo", "-o", "target/demo/a.wav"])
        .expect(5, "is one of the inputs");
    assert_eq!(fs::read(desk.path("a.wav")).unwrap(), before);
    assert_eq!(fs::read(desk.path("target/demo/a.wav")).unwrap(), before);
}

/// Everything that a session names is an input: what is muted, what no cue places, other languages, the session itself.
#[test]
fn what_a_session_names_is_never_written_over() {
    let desk = Desk::with_stems();
    for name in ["dx_en.wav", "dx_de.wav", "m.wav", "u.wav"] {
        fs::copy(desk.path("a.wav"), desk.path(name)).unwrap();
    }
    let session = "rate = 48000\nlang = \"en\"\n[track.a]\nfile = \"a.wav\"\n[track.m]\nfile = \"m.wav\"\nmute = true\n\
                   [track.dx]\nfile = \"dx_{lang}.wav\"\n[cue.c.track.u]\nfile = \"u.wav#1\"\n\
                   [deliver.x]\nfile = \"x.wav\"\n[deliver.de]\nfile = \"y.wav\"\nlang = \"de\"\n";
    desk.write("film.toml", session);
    fs::copy(desk.path("film.toml"), desk.path("film.json.toml")).unwrap();
    let inputs = ["a.wav", "m.wav", "dx_en.wav", "dx_de.wav", "u.wav"];
    let before = inputs.map(|name| fs::read(desk.path(name)).unwrap());
    for name in inputs {
        let error = format!("{name}: is one of the inputs (");
        desk.run(&["film.toml", "-o", name, "--force"])
            .expect(5, &error);
        let set = format!("deliver.x.file={name}");
        desk.run(&["film.toml", "--force", "--set", &set])
            .expect(5, &error);
        desk.run(&["film.toml", "--force", "--deliver", "x", "--set", &set])
            .expect(5, &error);
    }
    #[cfg(unix)]
    {
        fs::hard_link(desk.path("u.wav"), desk.path("hard.wav")).unwrap();
        std::os::unix::fs::symlink("film.toml", desk.path("soft.wav")).unwrap();
        fs::hard_link(desk.path("film.toml"), desk.path("session.wav")).unwrap();
        for name in ["hard.wav", "soft.wav", "session.wav"] {
            let error = format!("{name}: is one of the inputs (");
            desk.run(&["film.toml", "-o", name, "--force"])
                .expect(5, &error);
            let set = format!("deliver.x.file={name}");
            desk.run(&["film.toml", "--force", "--set", &set])
                .expect(5, &error);
        }
    }
    assert_eq!(
        inputs.map(|name| fs::read(desk.path(name)).unwrap()),
        before
    );
    assert_eq!(fs::read_to_string(desk.path("film.toml")).unwrap(), session);
}

#[test]
fn a_deliverable_has_the_name_of_what_it_is() {
    let desk = Desk::with_stems();
    for (title, file, error) in [
        ("t", "x.mp3", "name it x.wav"),
        ("t", "x.ogg", "name it x.wav"),
        ("t", "cues.csv", "name it cues.wav"),
        ("t", "film.toml", "name it film.wav"),
        ("song.mp3", "{title}", "name it song.wav"),
        ("mp3", "x.{title}", "its extension cannot be .{title}"),
    ] {
        let text = format!(
            "title = \"{title}\"\nrate = 48000\n[track.a]\nfile = \"a.wav\"\n[deliver.x]\nfile = \"{file}\"\n"
        );
        desk.write("film.toml", &text);
        desk.run(&["film.toml", "--force"])
            .expect(
                3,
                "film.toml:6:8: deliverable \"x\": file: a WAV file is written",
            )
            .expect(3, error);
        assert_eq!(desk.names(), ["a.wav", "b.wav", "film.toml"]);
        assert_eq!(fs::read_to_string(desk.path("film.toml")).unwrap(), text);
    }
}

#[test]
fn what_cannot_be_written_is_refused_before_anything_is_opened() {
    let desk = Desk::with_stems();
    desk.run(&["gone.wav", "-o", "no/such/out.wav"])
        .expect(5, "the folder no/such does not exist: create it first");
    fs::create_dir(desk.path("dir")).unwrap();
    desk.run(&["gone.wav", "-o", "dir"])
        .expect(5, "dir: is a folder: add a file name");
    desk.run(&["gone.wav", "-o", "dir/"])
        .expect(5, "is a folder: add a file name");
    desk.run(&["gone.wav", "-o", "out.mp3"])
        .expect(2, "only WAV and FLAC files are written; name it out.wav");
    desk.run(&["gone.wav", "-o", "-"])
        .expect(2, "not to stdout");
    desk.run(&["gone.wav", "-o", "b.wav/out.wav"])
        .expect(5, "b.wav/out.wav: ");
}

#[test]
fn a_mix_that_fails_leaves_nothing() {
    let desk = Desk::with_stems();
    desk.write("old.wav", "old");
    fs::write(
        desk.path("cut.wav"),
        &fs::read(desk.path("a.wav")).unwrap()[..5000],
    )
    .unwrap();
    desk.run(&["cut.wav", "-o", "old.wav", "--force"])
        .expect(4, "cut off");
    assert_eq!(fs::read(desk.path("old.wav")).unwrap(), b"old");
    assert_eq!(desk.names(), ["a.wav", "b.wav", "cut.wav", "old.wav"]);
}

/// The superuser may write anywhere: then nothing can be tested.
#[cfg(unix)]
#[test]
fn without_permission() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::with_stems();
    let mode = |name: &str, mode| {
        fs::set_permissions(desk.path(name), fs::Permissions::from_mode(mode)).unwrap()
    };
    desk.write("old.wav", "old");
    mode("old.wav", 0o444);
    desk.run(&["a.wav", "-o", "old.wav", "--force"])
        .expect(5, "old.wav: is read-only");
    fs::create_dir(desk.path("locked")).unwrap();
    mode("locked", 0o555);
    mode("b.wav", 0o000);
    if fs::write(desk.path("locked/probe"), "").is_ok() {
        println!("skipped: this user may write and read everything");
        return;
    }
    desk.run(&["a.wav", "-o", "locked/out.wav"])
        .expect(5, "the folder locked cannot be written");
    desk.run(&["b.wav"]).expect(4, "track \"b\": b.wav: ");
}
