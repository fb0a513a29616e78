//! Being interrupted in the middle of a long mix.
#![cfg(unix)]

use crate::program::{Desk, ended};
use std::{
    fs,
    io::{Read, Seek, SeekFrom, Write},
    process::Command,
    time::{Duration, Instant},
};

/// Three hours of silence that take no room on the disk.
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
