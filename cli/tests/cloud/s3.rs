//! Tests with a local S3 server, if it is installed: `moto_server` of the Python package `moto[server]`.
//!
//! Credentials and endpoint come from the environment, so every test runs once more in a process that has them.

use crate::{
    fake::{KEY, SECRET, bucket, free_port, variables},
    proxy::Wire,
    stems::{drained, flac, mixed_here, read, session, wav},
};
use soundtrack::{Block, Bounce, ErrorKind, media, storage};
use soundtrack_test_support::requirement::missing;
use std::{
    fs,
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

const MINUTE: usize = 48_000 * 60;

/// A server that ends with the test, and its port.
pub struct Server(Child, pub u16);

impl Server {
    pub fn start() -> Option<Self> {
        let port = free_port();
        let mut command = Command::new("moto_server");
        command
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let Ok(child) = command.spawn() else {
            missing("moto_server is not installed (pip install 'moto[server]')");
            return None;
        };
        let server = Self(child, port);
        let clock = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if clock.elapsed() > Duration::from_secs(60) {
                missing("moto_server does not start (pip install 'moto[server]')");
                return None;
            }
            thread::sleep(Duration::from_millis(100));
        }
        Some(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a test of this file in a process that has a server behind a wire; in that process the wire, else `None`.
fn wired(name: &str) -> Option<Arc<Wire>> {
    if let Ok(port) = std::env::var("SOUNDTRACK_TEST_WIRE") {
        let server: u16 = std::env::var("SOUNDTRACK_TEST_SERVER")
            .unwrap()
            .parse()
            .unwrap();
        return Some(Wire::start(port.parse().unwrap(), server));
    }
    let server = Server::start()?;
    bucket(server.1, "music");
    let wire = free_port();
    let mut again = Command::new(std::env::current_exe().unwrap());
    again
        .args(["--exact", &format!("s3::{name}"), "--nocapture"])
        .env("SOUNDTRACK_TEST_WIRE", wire.to_string())
        .env("SOUNDTRACK_TEST_SERVER", server.1.to_string())
        .envs(variables(&format!("http://127.0.0.1:{wire}")));
    let done = again.output().unwrap();
    print!("{}", String::from_utf8_lossy(&done.stdout));
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    None
}

#[test]
fn the_mix_is_that_of_files_with_few_requests() {
    let Some(wire) = wired("the_mix_is_that_of_files_with_few_requests") else {
        return;
    };
    let (a, b) = (wav(1, MINUTE), flac(2, MINUTE));
    let want = mixed_here(&[("a.wav", &a), ("b.flac", &b)]);
    let (mib_a, mib_b) = (a.len() >> 20, b.len() >> 20);
    storage::write("s3://music/a.wav", a).unwrap();
    storage::write("s3://music/b.flac", b).unwrap();
    wire.taken("GET");
    let run = |names: &[&str], out: &str| {
        Bounce::new()
            .run(&session("s3://music", names), out)
            .unwrap();
        wire.taken("GET")
    };
    let look = |name: &str| {
        let frames = media::open(Path::new(name), None).unwrap().1.frames;
        assert_eq!(frames.0, MINUTE as u64);
        wire.taken("GET")
    };
    let looks = (look("s3://music/a.wav"), look("s3://music/b.flac"));
    println!("GET requests of a look: WAV {}, FLAC {}", looks.0, looks.1);
    let (of_wav, of_flac) = (
        run(&["a.wav"], "s3://music/1.wav"),
        run(&["b.flac"], "s3://music/2.wav"),
    );
    println!(
        "GET requests of a minute: WAV of {mib_a} MiB {of_wav}, FLAC of {mib_b} MiB {of_flac}"
    );
    // One for each MiB, three for the small pieces at the start, and those of the two looks: where a FLAC ends is searched.
    assert!(looks.0 <= 1 && looks.1 <= 12, "{looks:?}");
    assert!(of_wav <= mib_a as u64 + 5, "{of_wav}");
    assert!(of_flac <= mib_b as u64 + 4 + 2 * looks.1, "{of_flac}");
    run(&["a.wav", "b.flac"], "s3://music/out.wav");
    assert!(read("s3://music/out.wav") == want);
    let refused = Bounce::new()
        .run(&session("s3://music", &["a.wav"]), "s3://music/out.wav")
        .unwrap_err();
    assert!(
        refused
            .to_string()
            .starts_with("s3://music/out.wav: exists already"),
        "{refused}"
    );
    Bounce::new()
        .overwrite(true)
        .run(&session("s3://music", &["a.wav"]), "s3://music/out.wav")
        .unwrap();
    assert!(read("s3://music/out.wav") == read("s3://music/1.wav"));
}

#[test]
fn lost_connections_are_made_again() {
    let Some(wire) = wired("lost_connections_are_made_again") else {
        return;
    };
    let (a, b) = (wav(1, MINUTE), flac(2, MINUTE));
    let want = mixed_here(&[("a.wav", &a), ("b.flac", &b)]);
    storage::write("s3://music/a.wav", a).unwrap();
    storage::write("s3://music/b.flac", b).unwrap();
    wire.cut(8, 1_500_000);
    Bounce::new()
        .run(
            &session("s3://music", &["a.wav", "b.flac"]),
            "s3://music/out.wav",
        )
        .unwrap();
    assert_eq!(wire.cuts(), 0);
    assert!(read("s3://music/out.wav") == want);
}

#[test]
fn a_store_that_is_gone_is_an_error_within_a_time() {
    let Some(wire) = wired("a_store_that_is_gone_is_an_error_within_a_time") else {
        return;
    };
    let most = Duration::from_secs(storage::RETRY_TIMEOUT_S + 35);
    storage::write("s3://music/a.wav", wav(1, MINUTE)).unwrap();
    storage::write("s3://music/a.flac", flac(1, MINUTE)).unwrap();
    let kind_of = |e: soundtrack::Error, name: &str, clock: Instant| {
        assert!(
            e.to_string().contains(name) && clock.elapsed() < most,
            "{:?}: {e}",
            clock.elapsed()
        );
        assert!(
            !e.to_string().contains(KEY) && !e.to_string().contains(SECRET),
            "{e}"
        );
        println!("reported after {:.1} s: {e}", clock.elapsed().as_secs_f64());
        e.kind()
    };
    // In the middle of a stem: refused, even where damage is borne.
    for name in ["s3://music/a.wav", "s3://music/a.flac"] {
        wire.cut(0, 0);
        let (mut source, info) = media::open(Path::new(name), None).unwrap();
        source.read(&mut Block::new(info.spec.layout, 16)).unwrap();
        wire.cut(u64::MAX, 0);
        let clock = Instant::now();
        assert_eq!(
            kind_of(drained(source.as_mut()).unwrap_err(), name, clock),
            ErrorKind::Transient
        );
    }
    // In the middle of the output.
    wire.cut(0, 0);
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.wav"), wav(1, MINUTE)).unwrap();
    let mut clock = Instant::now();
    let lose = |p: soundtrack::Progress| {
        if p.done.0 > p.total.0 / 2 && wire.cuts() == 0 {
            (clock, _) = (Instant::now(), wire.cut(u64::MAX, 0));
        }
        std::ops::ControlFlow::Continue(())
    };
    let mix = session(dir.path().to_str().unwrap(), &["a.wav"]);
    let e = Bounce::new()
        .progress(lose)
        .run(&mix, "s3://music/half.wav")
        .unwrap_err();
    assert_eq!(
        kind_of(e, "s3://music/half.wav", clock),
        ErrorKind::Transient
    );
    wire.cut(0, 0);
    let gone = storage::read("s3://music/half.wav", 1).unwrap_err();
    assert_eq!(
        gone.to_string(),
        "s3://music/half.wav: there is no such object"
    );
}

#[test]
fn objects_that_change_and_markers() {
    if wired("objects_that_change_and_markers").is_none() {
        return;
    }
    for (name, stem) in [
        ("s3://music/a.wav", wav as fn(u32, usize) -> Vec<u8>),
        ("s3://music/a.flac", flac),
    ] {
        storage::write(name, stem(1, MINUTE)).unwrap();
        let (mut source, info) = media::open(Path::new(name), None).unwrap();
        source.read(&mut Block::new(info.spec.layout, 16)).unwrap();
        storage::write(name, stem(2, MINUTE)).unwrap();
        let e = drained(source.as_mut()).unwrap_err().to_string();
        assert!(
            e.starts_with(name) && e.ends_with("changed while it was read"),
            "{e}"
        );
    }
    for round in 0..5 {
        let marker = format!("s3://music/marks/{round}");
        let created: Vec<bool> = thread::scope(|threads| {
            let one = |n: usize| storage::create(&marker, n.to_string()).unwrap();
            let all: Vec<_> = (0..8).map(|n| threads.spawn(move || one(n))).collect();
            all.into_iter().map(|t| t.join().unwrap()).collect()
        });
        let whose: usize = String::from_utf8(read(&marker)).unwrap().parse().unwrap();
        assert_eq!(created.iter().filter(|t| **t).count(), 1);
        assert!(created[whose]);
    }
    let e = media::open(Path::new("s3://nowhere/a.wav"), None)
        .err()
        .unwrap();
    assert_eq!(
        e.to_string(),
        "s3://nowhere/a.wav: there is no such object or bucket"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_the_stems_length() {
    if wired("memory_does_not_grow_with_the_stems_length").is_none() {
        return;
    }
    let peak = || soundtrack_test_support::memory::high_water("self").unwrap() / 1024;
    let names: Vec<String> = (0..16).map(|n| format!("{n}.wav")).collect();
    for (n, name) in (1..).zip(&names) {
        storage::write(&format!("s3://music/{name}"), wav(n, MINUTE)).unwrap();
    }
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = peak();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Bounce::new()
        .run(&session("s3://music", &names), "s3://music/out.wav")
        .unwrap();
    let more = peak() - before;
    println!("16 stems of a minute, 264 MB: {more} MiB more than before");
    // 4 MiB a stem, 16 MiB of the output, and what a mix of files takes.
    assert!(more < 16 * 4 + 16 + 60, "{more} MiB");
}
