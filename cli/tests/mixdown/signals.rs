//! Signals in the middle of a long mix.
#![cfg(unix)]

use soundtrack_test_support::desk::{Desk, ended};
use std::{
    fs,
    io::{Read, Seek, SeekFrom, Write},
    process::Command,
    time::{Duration, Instant},
};

/// Writes three hours of silence as a sparse file.
fn long(desk: &Desk) {
    const DATA: u32 = 3 * 3600 * 44_100 * 4;
    desk.wav("long.wav", 2, 44_100, 0, 0);
    let mut file = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(desk.path("long.wav"))
        .unwrap();
    let mut header = Vec::new();
    file.read_to_end(&mut header).unwrap();
    let end = u32::try_from(header.len()).unwrap();
    for (at, size) in [(4, end - 8 + DATA), (u64::from(end) - 4, DATA)] {
        file.seek(SeekFrom::Start(at)).unwrap();
        file.write_all(&size.to_le_bytes()).unwrap();
    }
    file.set_len(u64::from(end) + u64::from(DATA)).unwrap();
}

fn temporaries(desk: &Desk) -> usize {
    desk.names().iter().filter(|n| n.ends_with(".part")).count()
}

#[test]
fn a_signal_stops_it_soon_and_leaves_nothing() {
    let desk = Desk::new();
    long(&desk);
    for (signals, code) in [
        (&["INT"][..], 130),
        (&["TERM"], 143),
        (&["HUP"], 129),
        (&["INT", "INT"], 130),
    ] {
        let child = desk
            .command(&["long.wav", "--rate", "48000"])
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while temporaries(&desk) == 0 && begun.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(temporaries(&desk), 1);
        std::thread::sleep(Duration::from_millis(150));
        let asked = Instant::now();
        for signal in signals {
            let sent = Command::new("kill")
                .args([&format!("-{signal}"), &child.id().to_string()])
                .status()
                .unwrap();
            assert!(sent.success());
            std::thread::sleep(Duration::from_millis(5));
        }
        let done = ended(child.wait_with_output().unwrap());
        // 500 ms, and as much again for a busy machine.
        assert!(
            asked.elapsed() < Duration::from_secs(1),
            "{:?}",
            asked.elapsed()
        );
        done.expect(code, "interrupted; nothing was written");
        assert_eq!(desk.names(), ["long.wav"]);
    }
}

#[test]
fn a_file_larger_than_the_shell_allows_is_an_error_that_leaves_nothing() {
    let desk = Desk::with_stems();
    desk.write("old.wav", "mine");
    desk.write(
        "film.toml",
        "rate = 48000\n[bus.x]\n[track.a]\nfile = \"a.wav\"\nbus = \"x\"\n[deliver.mix]\nfile = \"mix.wav\"\n\
         [deliver.stems]\nfile = \"{bus}.wav\"\nstems = [\"x\"]\n",
    );
    let names = desk.names();
    // 100 blocks are at most 100 KiB; a second of stereo has 288,000 bytes.
    for arguments in ["a.wav -o out.wav", "a.wav -o old.wav --force", "film.toml"] {
        let mut command = Command::new("sh");
        let script = format!(
            "ulimit -f 100; exec '{}' {arguments}",
            soundtrack_test_support::desk::program().display()
        );
        command.args(["-c", &script]).current_dir(desk.path(""));
        let done = ended(command.output().unwrap());
        done.expect(5, "no room: the output needs 288");
        assert_eq!(desk.names(), names, "{arguments}");
        assert_eq!(fs::read(desk.path("old.wav")).unwrap(), b"mine");
    }
}

/// A program that is started to survive the end of its terminal does.
#[test]
fn what_was_to_be_ignored_is_ignored() {
    let desk = Desk::with_stems();
    let script = format!(
        "trap '' HUP; '{}' a.wav -o out.wav & kill -HUP $!; wait $!",
        soundtrack_test_support::desk::program().display()
    );
    let mut command = Command::new("sh");
    command.args(["-c", &script]).current_dir(desk.path(""));
    ended(command.output().unwrap()).expect(0, "wrote out.wav");
}
