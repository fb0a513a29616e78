//! Runs `batch` with lists, sessions, stems and outputs in a store inside the test and on a local S3 server.

use crate::{
    fake::{Fake, bucket, fetched, free_port, put, variables},
    s3::Server,
    stems::{link, wav},
};
use soundtrack::storage;
use soundtrack_test_support::{
    batch_desk::{Desk, count, lines},
    program::{Ended, built, ended},
};
use std::{
    fs,
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

const ITEMS: usize = 12;

/// The program with a store at a port.
struct Program {
    desk: Desk,
    port: u16,
}

impl Program {
    /// Writes a list whose mixes last 20 s, so that they are uploaded in two parts, except every third.
    fn new(port: u16) -> Self {
        let desk = Desk::new();
        desk.tone("a.wav", 48_000, 960_000, 8000.0);
        let text = (0..ITEMS).map(|i| {
            let range = if i % 3 == 0 { r#","range":"1s..2s""# } else { "" };
            let (gain, folder) = (i % 5, i / 4);
            format!("{{\"id\":\"mix-{i}\",\"session\":\"base.toml\",\"set\":{{\"track.vox.gain\":-{gain}.5}}{range},\"out\":\"{folder}/{i}.wav\"}}\n")
        });
        desk.write("jobs.jsonl", &text.collect::<String>());
        Self { desk, port }
    }

    fn started(&self, arguments: &[&str]) -> Child {
        let mut command = self.desk.command(arguments);
        command
            .envs(variables(&format!("http://127.0.0.1:{}", self.port)))
            .spawn()
            .unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        ended(self.started(arguments).wait_with_output().unwrap())
    }

    /// Fails unless the store has, under a prefix, what the folder `local` has.
    #[track_caller]
    fn same(&self, prefix: &str) {
        let wanted = self.desk.waves("local");
        assert_eq!(wanted.len(), ITEMS);
        for (name, bytes) in wanted {
            let key = format!("{prefix}/{}", name.display());
            assert!(
                fetched(self.port, &key).is_some_and(|there| there == bytes),
                "{key}"
            );
        }
    }
}

/// Returns whether the marker of an output is complete, not only a claim.
fn is_done(port: u16, output: &str) -> bool {
    let marker = fetched(port, &format!("{output}.json")).unwrap_or_default();
    String::from_utf8_lossy(&marker).contains("\"fingerprint\"")
}

/// Runs two shards, of which one is killed and resumed; then all again from stems in the store.
fn shards_in_a_store(port: u16) {
    let program = Program::new(port);
    program
        .run(&["run", "jobs.jsonl", "--out", "local"])
        .expect(0, "12 done");
    let out = "s3://music/night/out";
    let shard = |shard: &str| {
        program.run(&[
            "run",
            "jobs.jsonl",
            "--out",
            out,
            "--shard",
            shard,
            "--resume",
        ])
    };

    let mut killed = program.started(&[
        "run",
        "jobs.jsonl",
        "--out",
        out,
        "--shard",
        "0/2",
        "--jobs",
        "1",
    ]);
    let clock = Instant::now();
    while !is_done(port, "music/night/out/0/0.wav") {
        assert!(clock.elapsed() < Duration::from_secs(60));
        thread::sleep(Duration::from_millis(2));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    let missing = program.run(&["collect", "jobs.jsonl", "--out", out]);
    missing.expect(1, "of 12 items are done");
    assert_eq!(missing.out, "--array=0-1\n");
    let resumed = shard("0/2");
    resumed.expect(0, "");
    let skipped = count(&lines(&resumed), "skipped");
    assert!((1..6).contains(&skipped), "{}", resumed.err);
    println!("killed after {skipped} of 6 items");
    let missing = program.run(&["collect", "jobs.jsonl", "--out", out]);
    assert_eq!(
        missing.expect(1, "6 of 12 items are done").out,
        "--array=1\n"
    );
    shard("1/2").expect(0, "6 done");
    let collected = program.run(&["collect", "jobs.jsonl", "--out", out]);
    collected.expect(0, "12 of 12 items are done, 0 of them with a failed check; summary.jsonl and summary.csv are in s3://music/night/out");
    program.same("music/night/out");
    let summary =
        String::from_utf8(fetched(port, "music/night/out/summary.jsonl").unwrap()).unwrap();
    let ids: Vec<String> = summary
        .lines()
        .map(|l| {
            serde_json::from_str::<serde_json::Value>(l).unwrap()["id"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(
        ids,
        (0..ITEMS).map(|i| format!("mix-{i}")).collect::<Vec<_>>()
    );
    let table = String::from_utf8(fetched(port, "music/night/out/summary.csv").unwrap()).unwrap();
    assert_eq!(table.matches(",done,").count(), ITEMS, "{table}");

    // The list, its sessions and their stems are objects too.
    for name in ["jobs.jsonl", "base.toml", "a.wav", "b.wav"] {
        put(
            port,
            &format!("music/in/{name}"),
            &fs::read(program.desk.path(name)).unwrap(),
        );
    }
    let again = |words: &str| {
        program
            .run(&[
                "run",
                "s3://music/in/jobs.jsonl",
                "--out",
                "s3://music/far/",
                "--resume",
            ])
            .expect(0, words)
            .code
    };
    program
        .run(&["plan", "s3://music/in/jobs.jsonl"])
        .expect(0, "");
    again("12 done, 0 skipped");
    program.same("music/far");
    again("0 done, 12 skipped");
    // A stem of the same size; a session of one line more.
    let mut other = fs::read(program.desk.path("b.wav")).unwrap();
    *other.last_mut().unwrap() ^= 1;
    put(port, "music/in/b.wav", &other);
    again("12 done, 0 skipped");
    let session = fs::read_to_string(program.desk.path("base.toml")).unwrap();
    put(
        port,
        "music/in/base.toml",
        format!("{session}gain = -1\n").as_bytes(),
    );
    again("12 done, 0 skipped");
    again("0 done, 12 skipped");
    program
        .run(&[
            "collect",
            "s3://music/in/jobs.jsonl",
            "--out",
            "s3://music/far",
        ])
        .expect(0, "12 of 12");
    stems_of_a_folder(&program);
}

/// Runs `mixdown` with a folder of a store, and with a pattern.
fn stems_of_a_folder(program: &Program) {
    put(program.port, "music/stems/notes.txt", b"no audio");
    put(program.port, "music/stems/old/c.wav", &wav(3, 4800));
    fs::create_dir(program.desk.path("stems")).unwrap();
    for (n, name) in (1..).zip(["b.wav", "a.wav"]) {
        put(
            program.port,
            &format!("music/stems/{name}"),
            &wav(n, 48_000),
        );
        fs::write(program.desk.path(format!("stems/{name}")), wav(n, 48_000)).unwrap();
    }
    let mixdown = |arguments: &[&str]| {
        let mut command = Command::new(built("mixdown"));
        command.args(arguments).current_dir(program.desk.path(""));
        ended(
            command
                .envs(variables(&format!("http://127.0.0.1:{}", program.port)))
                .output()
                .unwrap(),
        )
    };
    mixdown(&["stems", "-o", "stems.wav"]).expect(0, "");
    let wanted = fs::read(program.desk.path("stems.wav")).unwrap();
    for (input, out) in [
        ("s3://music/stems/", "all.wav"),
        ("s3://music/stems/*.wav", "some.wav"),
    ] {
        mixdown(&[input, "-o", &format!("s3://music/{out}")]).expect(0, "");
        assert!(
            fetched(program.port, &format!("music/{out}")).unwrap() == wanted,
            "{input}"
        );
    }
    let none = mixdown(&["s3://music/stems/*.flac", "-o", "s3://music/none.wav"]);
    none.expect(
        4,
        "s3://music/stems/*.flac: there is no audio file in this folder",
    );
}

#[test]
fn shards_in_a_store_are_those_of_a_folder() {
    let fake = Fake::start(free_port());
    shards_in_a_store(fake.port);
    // No marker ever stands beside an output that it is not of: a claim takes its place before the output comes, and the
    // marker comes after it.
    let log = fake.log();
    for i in 0..ITEMS {
        let (key, marker) = (
            format!("music/far/{}/{i}.wav", i / 4),
            format!("music/far/{}/{i}.wav.json", i / 4),
        );
        let of: Vec<&str> = log
            .iter()
            .filter_map(|line| match line.split_once(' ')? {
                ("DELETE", name) if name == marker => Some("removed"),
                ("PUT", name) if name == marker => Some("marked"),
                ("PUT" | "COMPLETE", name) if name == key => Some("published"),
                _ => None,
            })
            .collect();
        assert_eq!(of, ["marked", "published", "marked"].repeat(3), "{key}");
    }
}

#[test]
fn shards_in_a_local_s3_server_are_those_of_a_folder() {
    let Some(server) = Server::start() else {
        return;
    };
    bucket(server.1, "music");
    shards_in_a_store(server.1);
}

#[test]
fn markers_are_replaced_and_what_cannot_be_is_said() {
    let fake = Fake::start(free_port());
    let program = Program::new(fake.port);
    program.desk.write(
        "jobs.jsonl",
        "{\"id\":\"a\",\"session\":\"base.toml\",\"out\":\"a.wav\",\"range\":\"0s..1s\"}\n\
         {\"id\":\"b\",\"session\":\"s3://music/none.toml\",\"out\":\"b.wav\"}\n\
         {\"id\":\"c\",\"session\":\"base.toml\",\"out\":\"x?y.wav\"}\n\
         {\"id\":\"d\",\"session\":\"s3://music/d.toml\",\"out\":\"d.wav\"}\n",
    );
    put(fake.port, "music/out/a.wav.json", b"{\"id\":\"a");
    put(
        fake.port,
        "music/d.toml",
        b"[track.x]\nfile = \"gone.wav\"\n",
    );
    let run = || {
        program.run(&[
            "run",
            "jobs.jsonl",
            "--out",
            "s3://music/out",
            "--resume",
            "--jobs",
            "1",
        ])
    };
    let ended = run();
    ended.expect(4, "1 done, 0 skipped, 3 failed");
    for words in [
        "s3://music/none.toml: there is no such file or object",
        "the link s3://… is refused: it holds more than a bucket and a name",
        "s3://music/gone.wav: there is no such object or bucket",
    ] {
        assert!(ended.out.contains(words), "{}", ended.out);
    }
    let marker: serde_json::Value =
        serde_json::from_slice(&fetched(fake.port, "music/out/a.wav.json").unwrap()).unwrap();
    assert_eq!(
        (marker["id"].as_str(), marker["outputs"][0]["file"].as_str()),
        (Some("a"), Some("a.wav"))
    );
    run().expect(4, "0 done, 1 skipped, 3 failed");
    // An output that is shorter than its marker says.
    put(fake.port, "music/out/a.wav", b"short");
    let missing = program.run(&["collect", "jobs.jsonl", "--out", "s3://music/out"]);
    missing.expect(1, "a.wav is marked as done, but is missing or incomplete");
    run().expect(4, "1 done, 0 skipped, 3 failed");
    for wrong in [
        "https://music/out",
        "s3://",
        "s3://key:secret@music/out",
        "file://host/x",
    ] {
        program
            .run(&["run", "jobs.jsonl", "--out", wrong])
            .expect(2, "error: --out ");
    }
}

#[test]
fn a_store_out_of_reach_is_told_once() {
    let program = Program::new(free_port());
    for arguments in [
        &["run", "jobs.jsonl", "--out", "s3://music/out"][..],
        &["collect", "jobs.jsonl", "--out", "s3://music/out"],
    ] {
        let clock = Instant::now();
        let ended = program.run(arguments);
        ended.expect(75, "the store was never reached");
        println!(
            "reported after {:.1} s: {}",
            clock.elapsed().as_secs_f64(),
            ended.err
        );
        assert!(
            clock.elapsed() < Duration::from_secs(storage::FIRST_CONTACT_TIMEOUT_S + 2)
                && ended.out.is_empty()
        );
    }
}

#[test]
fn a_store_that_is_lost_says_that_nothing_is_missing() {
    let mut fake = Fake::start(free_port());
    let program = Program::new(fake.port);
    program.desk.tone("a.wav", 48_000, 9600, 8000.0);
    program.desk.list(1);
    program
        .run(&["run", "jobs.jsonl", "--out", "s3://music/out"])
        .expect(0, "1 done");
    fake.busy(true);
    program
        .run(&["collect", "jobs.jsonl", "--out", "s3://music/out"])
        .expect(75, "503");
    fake.go_away();
}

#[test]
fn links_of_folders_are_folders() {
    let desk = Desk::new();
    desk.list(4);
    fs::write(desk.path("c d.wav"), wav(1, 4800)).unwrap();
    desk.write(
        "far.toml",
        &format!("[track.c]\nfile = \"{}\"\n", link(&desk.path("c d.wav"))),
    );
    let list = fs::read_to_string(desk.path("jobs.jsonl")).unwrap();
    let far = format!(
        "{{\"id\":\"far\",\"session\":\"{}\",\"out\":\"far.wav\"}}\n",
        link(&desk.path("far.toml"))
    );
    desk.write("jobs.jsonl", &(list + &far));
    let out = link(&desk.path("two words"));
    let list = link(&desk.path("jobs.jsonl"));
    let run = |words: &str| {
        desk.run(&["run", &list, "--out", &out, "--resume", "--outside"])
            .expect(0, words)
            .code
    };
    run("5 done");
    run("0 done, 5 skipped");
    desk.run(&["run", "jobs.jsonl", "--out", "local", "--outside"])
        .expect(0, "5 done");
    assert!(desk.waves("two words") == desk.waves("local") && desk.waves("local").len() == 5);
    desk.run(&["collect", &list, "--out", &out])
        .expect(0, "5 of 5");
    assert!(desk.path("two words/summary.csv").exists());
    // A stem that is named by a link is looked at as the file that it is.
    let other = wav(2, 4800);
    fs::write(desk.path("c d.wav"), other).unwrap();
    let file = fs::File::options()
        .append(true)
        .open(desk.path("c d.wav"))
        .unwrap();
    file.set_modified(std::time::SystemTime::now() + Duration::from_secs(5))
        .unwrap();
    run("1 done, 4 skipped");
}
