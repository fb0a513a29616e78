//! Several programs at one path, and results that go into pipes.

use super::{film, left};
use crate::table::{Row, Seen, held, skipped, times};
use soundtrack_test_support::desk::{Desk, Ended, ended, program};
use std::{
    fs,
    io::Read,
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

pub const ROWS: &[Row] = &[
    Row {
        section: "outputs",
        fault: "two programs to one path",
        run: two,
    },
    Row {
        section: "outputs",
        fault: "standard output closed, full, or cut",
        run: pipes,
    },
];

fn start(desk: &Desk, arguments: &[&str]) -> Child {
    desk.command(arguments)
        .stdin(Stdio::null())
        .spawn()
        .unwrap()
}

fn end(child: Child) -> Ended {
    ended(child.wait_with_output().unwrap())
}

/// Checks that every reader of the path sees the old file or one complete mix.
fn two() -> Seen {
    let desk = Desk::with_tones();
    desk.wav("long.wav", 2, 48_000, 480_000, 1000);
    let whole = ["a.wav", "long.wav"].map(|stem| {
        desk.run(&[stem, "-o", "out.wav", "--force", "-q"])
            .expect(0, "");
        fs::read(desk.path("out.wav")).unwrap()
    });
    assert!(whole[0] != whole[1]);
    let rounds = times(20, 300);
    let (mut looked, mut last) = (0, [0; 2]);
    for round in 0..rounds {
        let force = round % 2 == 0;
        fs::remove_file(desk.path("out.wav")).ok();
        if force {
            desk.write("out.wav", "precious");
        }
        let done = AtomicBool::new(false);
        let codes = thread::scope(|threads| {
            let looking = threads.spawn(|| {
                let mut seen = 0u64;
                while !done.load(Ordering::SeqCst) {
                    if let Ok(now) = fs::read(desk.path("out.wav")) {
                        assert!(
                            now == b"precious" || whole.contains(&now),
                            "{} bytes of neither",
                            now.len()
                        );
                        seen += 1;
                    }
                }
                seen
            });
            let arguments = |stem| {
                [
                    &[stem, "-o", "out.wav", "-q"][..],
                    if force { &["--force"] } else { &[] },
                ]
                .concat()
            };
            let order = if round % 4 < 2 {
                ["a.wav", "long.wav"]
            } else {
                ["long.wav", "a.wav"]
            };
            let children = order.map(|stem| start(&desk, &arguments(stem)));
            let ends = children.map(end);
            done.store(true, Ordering::SeqCst);
            looked += looking.join().unwrap();
            ends.map(|e| {
                assert!(
                    e.code == 0 || (!force && e.err.contains("out.wav: exists already")),
                    "{}",
                    e.err
                );
                e.code
            })
        });
        let mut codes = codes;
        codes.sort_unstable();
        assert_eq!(codes, if force { [0, 0] } else { [0, 5] });
        let now = fs::read(desk.path("out.wav")).unwrap();
        last[whole.iter().position(|w| *w == now).unwrap()] += 1;
        assert!(left(&desk.path("")).is_empty());
    }
    let shares = format!("{} and {} times", last[0], last[1]);
    held(
        rounds,
        format!(
            "one of them whole ({shares}), {looked} looks meanwhile; unforced the second is refused"
        ),
    )
}

/// Checks that the exit code reports a result that cannot be printed, and that the files are written.
fn pipes() -> Seen {
    let desk = film();
    let mut injected = 0;
    let cannot = "error: the result cannot be printed: ";
    let runs: [(&[&str], &[&str]); 7] = [
        (&["a.wav", "-o", "out.wav", "--json"], &["out.wav"]),
        (&["a.wav", "-o", "out.wav"], &["out.wav"]),
        (&["film.toml", "--json"], &["out/Reel.wav", "out/music.wav"]),
        (&["film.toml", "-v"], &["out/Reel.wav", "out/speech.wav"]),
        (&["plan", "film.toml"], &[]),
        (&["compare", "a.wav", "b.wav"], &[]),
        (&["report", "a.wav", "--json"], &[]),
    ];
    for (arguments, files) in runs {
        let clear = || {
            fs::remove_file(desk.path("out.wav")).ok();
            fs::remove_dir_all(desk.path("out")).ok();
        };
        let check = |e: &Ended, why: &str| {
            e.expect(5, cannot).expect(5, why);
            assert!(
                files
                    .iter()
                    .all(|f| hound::WavReader::open(desk.path(f)).unwrap().duration() == 48_000)
            );
            assert!(!e.err.contains("panicked"), "{}", e.err);
        };
        // Closed before anything is printed.
        clear();
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        check(
            &end(desk.command(arguments).stdout(writer).spawn().unwrap()),
            "roken pipe",
        );
        // Full.
        if Path::new("/dev/full").exists() {
            clear();
            let full = fs::OpenOptions::new()
                .write(true)
                .open("/dev/full")
                .unwrap();
            check(
                &end(desk.command(arguments).stdout(full).spawn().unwrap()),
                "No space left on device",
            );
            injected += 1;
        }
        // Standard error is full too, so no message can be written.
        clear();
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let (out, progress) = (writer.try_clone().unwrap(), ["--progress=json"]);
        let progress = if arguments[0].ends_with("l") || arguments[0] == "a.wav" {
            &progress[..]
        } else {
            &[]
        };
        let done = desk
            .command(&[arguments, progress].concat())
            .stdout(out)
            .stderr(writer)
            .status()
            .unwrap();
        assert_eq!(done.code(), Some(5));
        injected += 2;
    }
    // Cut after its first byte: a document longer than the pipe's buffer.
    for stem in 0..600 {
        fs::hard_link(desk.path("a.wav"), desk.path(format!("{stem}.wav"))).unwrap();
    }
    fs::create_dir(desk.path("many")).unwrap();
    for stem in 0..600 {
        fs::rename(
            desk.path(format!("{stem}.wav")),
            desk.path(format!("many/{stem}.wav")),
        )
        .unwrap();
    }
    let mut child = desk
        .command(&["many", "-o", "cut.wav", "--json", "--progress=none"])
        .spawn()
        .unwrap();
    let mut pipe = child.stdout.take().unwrap();
    let said = thread::scope(|threads| {
        let err = threads.spawn(|| {
            let mut text = String::new();
            child
                .stderr
                .take()
                .unwrap()
                .read_to_string(&mut text)
                .unwrap();
            text
        });
        let mut first = [0];
        pipe.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"{");
        drop(pipe);
        err.join().unwrap()
    });
    assert_eq!(child.wait().unwrap().code(), Some(5));
    assert!(
        said.contains(cannot) && said.contains("roken pipe"),
        "{said}"
    );
    if !Path::new("/bin/sh").exists() {
        return skipped("no shell");
    }
    // Closed altogether.
    let script = "exec \"$MIXDOWN\" a.wav -o out.wav --force >&- 2>&-";
    let mut command = Command::new("sh");
    command
        .args(["-c", script])
        .env("MIXDOWN", program())
        .current_dir(desk.path(""));
    assert_eq!(
        command.status().unwrap().code(),
        Some(0),
        "the system puts /dev/null there"
    );
    held(injected + 2, "exit 5 and why, files whole; never a panic")
}
