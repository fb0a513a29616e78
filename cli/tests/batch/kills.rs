//! Signals and kills in the middle of a run: no item is lost, and no output is incomplete.
#![cfg(unix)]

use soundtrack_test_support::batch_desk::{Desk, count, ended, lines};
use std::{
    fs,
    io::Write as _,
    process::Command,
    thread,
    time::{Duration, Instant},
};

/// Writes a stem of an hour of silence as a sparse file.
fn long(desk: &Desk) {
    let bytes = 3600 * 48_000 * 4u32;
    let mut header = Vec::from(*b"RIFF");
    header.extend((bytes + 36).to_le_bytes());
    header.extend(*b"WAVEfmt ");
    for field in [
        &16u32.to_le_bytes()[..],
        &[1, 0, 2, 0],
        &48_000u32.to_le_bytes(),
        &192_000u32.to_le_bytes(),
        &[4, 0, 16, 0],
    ] {
        header.extend(field);
    }
    header.extend(*b"data");
    header.extend(bytes.to_le_bytes());
    let mut file = fs::File::create(desk.path("long.wav")).unwrap();
    file.write_all(&header).unwrap();
    file.set_len(u64::from(bytes) + 44).unwrap();
    desk.write(
        "long.toml",
        "rate = 44100\n[track.x]\nfile = \"long.wav\"\n",
    );
}

fn signal(child: &std::process::Child, name: &str) {
    assert!(
        Command::new("kill")
            .args([&format!("-{name}"), &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
}

fn temporaries(desk: &Desk) -> usize {
    desk.files("out")
        .iter()
        .filter(|f| f.extension().is_some_and(|e| e == "part"))
        .count()
}

#[test]
fn a_signal_drops_or_finishes_what_runs() {
    let desk = Desk::new();
    long(&desk);
    let line = |id: &str, range: &str| {
        format!(
            "{{\"id\":\"{id}\",\"session\":\"long.toml\",\"range\":\"{range}\",\"format\":\"wav16\",\"out\":\"{id}.wav\"}}\n"
        )
    };
    for (name, range, grace, code, status) in [
        ("TERM", "0s..3600s", "0", 143, "dropped"),
        ("INT", "0s..3600s", "1", 130, "dropped"),
        ("TERM", "0s..400s", "60", 143, "done"),
    ] {
        desk.write(
            "jobs.jsonl",
            &(line("first", range) + &line("second", range)),
        );
        let _ = fs::remove_dir_all(desk.path("out"));
        let child = desk
            .command(&[
                "run",
                "jobs.jsonl",
                "--out",
                "out",
                "--jobs",
                "1",
                "--grace",
                grace,
            ])
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while temporaries(&desk) == 0 && begun.elapsed() < Duration::from_secs(20) {
            thread::sleep(Duration::from_millis(5));
        }
        let asked = Instant::now();
        signal(&child, name);
        let done = ended(child.wait_with_output().unwrap());
        done.expect(code, "interrupted; run the shard again with --resume");
        let lines = lines(&done);
        assert_eq!((lines.len(), count(&lines, status)), (1, 1), "{}", done.out);
        let files: Vec<_> = desk
            .files("out")
            .iter()
            .map(|p| p.display().to_string())
            .collect();
        let wanted: &[&str] = if status == "done" {
            &["first.wav", "first.wav.json"]
        } else {
            &[]
        };
        assert_eq!(files, wanted);
        // The grace, and a second for a busy machine.
        assert!(
            status == "done" || asked.elapsed() < Duration::from_secs(2),
            "{:?}",
            asked.elapsed()
        );
    }
}

/// 1,000 items in two shards, each killed at 15 random moments of its work.
#[test]
fn thirty_kills_lose_nothing_and_leave_nothing_half() {
    const ITEMS: usize = 1000;
    let desk = Desk::new();
    // The same thirty mixes over and over.
    desk.list(30);
    desk.items("one", &[]).0.expect(0, "30 done");
    let wanted: Vec<Vec<u8>> = (0..30)
        .map(|i| fs::read(desk.path(format!("one/{}/{i}.wav", i / 10))).unwrap())
        .collect();
    desk.list(ITEMS);
    let mut random = 7u64;
    let mut next = |most: u64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % most
    };
    let start = |shard: &str| {
        desk.command(&[
            "run",
            "jobs.jsonl",
            "--out",
            "out",
            "--shard",
            shard,
            "--jobs",
            "2",
            "--resume",
            "-q",
        ])
        .spawn()
        .unwrap()
    };
    let (mut kills, mut finished) = (0, 0);
    while kills < 30 {
        let mut child = start(if kills % 2 == 0 { "0/2" } else { "1/2" });
        thread::sleep(Duration::from_millis(20 + next(250)));
        if child.try_wait().unwrap().is_some() {
            finished += 1;
            assert!(
                finished < 30,
                "the shards ended before they could be killed"
            );
        }
        let _ = child.kill();
        child.wait().unwrap();
        kills += 1;
        // Whatever has its final name is whole, with or without a marker.
        for (name, bytes) in desk.waves("out") {
            let i: usize = name.file_stem().unwrap().to_str().unwrap().parse().unwrap();
            assert!(
                bytes == wanted[i % 30],
                "{} after {kills} kills",
                name.display()
            );
        }
    }
    let there = desk.waves("out").len();
    println!("{there} of {ITEMS} items were there after {kills} kills");
    for shard in ["0/2", "1/2"] {
        ended(start(shard).wait_with_output().unwrap()).expect(0, "");
    }
    desk.run(&["collect", "jobs.jsonl", "--out", "out"])
        .expect(0, "1000 of 1000 items are done");
    let waves = desk.waves("out");
    assert_eq!(waves.len(), ITEMS);
    for i in 0..ITEMS {
        assert!(
            waves[&std::path::PathBuf::from(format!("{}/{i}.wav", i / 10))] == wanted[i % 30],
            "{i}"
        );
    }
    assert_eq!(temporaries(&desk), 0);
}
