//! Measures how long a store is tried that was never reached, and one that answered before.
//!
//! The address of a store comes from the environment, so every test runs once more in a process that has it.

use crate::{
    fake::{Fake, KEY, SECRET, free_port, variables},
    stems::{session, wav},
};
use soundtrack::{Bounce, media, storage};
use std::{
    fs, io,
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

const ENDPOINT: &str = "SOUNDTRACK_TEST_ENDPOINT";

/// Runs a test of this file in a process with a store at an address.
fn again(name: &str, endpoint: &str) {
    let mut again = Command::new(std::env::current_exe().unwrap());
    again
        .args(["--exact", &format!("reach::{name}"), "--nocapture"])
        .env(ENDPOINT, endpoint);
    let done = again.envs(variables(endpoint)).output().unwrap();
    print!("{}", String::from_utf8_lossy(&done.stdout));
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

/// Returns the store of this process, where it has one.
fn fake() -> Option<Fake> {
    let endpoint = std::env::var(ENDPOINT).ok()?;
    Some(Fake::start(
        endpoint.rsplit_once(':').unwrap().1.parse().unwrap(),
    ))
}

/// Returns the address of a port that accepts no more connections and never answers, with the connections that fill it.
fn silent() -> (Vec<TcpStream>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let more = || TcpStream::connect_timeout(&address, Duration::from_millis(300)).ok();
    let taken: Vec<TcpStream> = std::iter::from_fn(more).take(800).collect();
    println!("{address} is silent after {} connections", taken.len());
    // It stays as it is until this process ends.
    std::mem::forget(listener);
    (taken, format!("http://{address}"))
}

fn kind(e: &soundtrack::Error) -> io::ErrorKind {
    let mut cause = std::error::Error::source(e);
    while let Some(e) = cause {
        if let Some(e) = e.downcast_ref::<io::Error>() {
            return e.kind();
        }
        cause = e.source();
    }
    panic!("{e} has no cause");
}

#[test]
fn a_store_that_was_never_reached_is_told_soon() {
    let Ok(endpoint) = std::env::var(ENDPOINT) else {
        let name = "a_store_that_was_never_reached_is_told_soon";
        // Nobody listens; there is no such host; no way there; nothing comes back.
        let closed = format!("http://127.0.0.1:{}", free_port());
        let (_taken, silent) = silent();
        return thread::scope(|threads| {
            let ask = |endpoint| threads.spawn(move || again(name, endpoint));
            let all = [
                ask(&closed),
                ask("http://nowhere.invalid"),
                ask("http://192.0.2.1"),
                ask(&silent),
            ];
            all.into_iter().for_each(|t| t.join().unwrap());
        });
    };
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.wav"), wav(1, 4800)).unwrap();
    let mix = session(dir.path().to_str().unwrap(), &["a.wav"]);
    let asked: [(&str, &dyn Fn() -> soundtrack::Error); 4] = [
        ("s3://music/marker", &|| {
            storage::create("s3://music/marker", "mine").unwrap_err()
        }),
        ("s3://music/list", &|| {
            storage::read("s3://music/list", 1000).unwrap_err()
        }),
        ("s3://music/a.wav", &|| {
            media::open(Path::new("s3://music/a.wav"), None)
                .err()
                .unwrap()
        }),
        ("s3://music/out.wav", &|| {
            Bounce::new().run(&mix, "s3://music/out.wav").unwrap_err()
        }),
    ];
    // A store that only failed was never reached, so every request fails soon.
    for (name, ask) in asked {
        let clock = Instant::now();
        let e = ask();
        let took = clock.elapsed();
        println!(
            "{endpoint}: reported after {:.1} s: {e}",
            took.as_secs_f64()
        );
        assert!(
            took < Duration::from_secs(storage::FIRST_CONTACT_TIMEOUT_S),
            "{took:?}"
        );
        assert!(
            e.to_string().starts_with(name)
                && e.to_string().contains("the store was never reached"),
            "{e}"
        );
        assert!(
            !e.to_string().contains(KEY) && !e.to_string().contains(SECRET),
            "{e}"
        );
        assert_eq!(kind(&e), io::ErrorKind::HostUnreachable);
    }
}

/// Longer than a store is asked that was never reached.
const LONG: Duration = Duration::from_secs(12);

#[test]
fn one_that_answered_is_waited_for() {
    let Some(mut fake) = fake() else {
        return again(
            "one_that_answered_is_waited_for",
            &format!("http://127.0.0.1:{}", free_port()),
        );
    };
    assert!(
        LONG.as_secs() > storage::FIRST_CONTACT_TIMEOUT_S
            && LONG.as_secs() < storage::RETRY_TIMEOUT_S
    );
    storage::write("s3://music/a", "one").unwrap();
    fake.go_away();
    let clock = Instant::now();
    let read = thread::spawn(|| storage::read("s3://music/a", 10));
    let written = thread::spawn(|| storage::write("s3://music/b", "two"));
    thread::sleep(LONG);
    assert!(!read.is_finished() && !written.is_finished());
    fake.come_back();
    assert_eq!(read.join().unwrap().unwrap(), b"one");
    written.join().unwrap().unwrap();
    println!(
        "lost for {LONG:?}, and all done after {:?}",
        clock.elapsed()
    );
    assert_eq!(storage::read("s3://music/b", 10).unwrap(), b"two");
}

#[test]
fn one_that_is_busy_is_there() {
    let Some(fake) = fake() else {
        return again(
            "one_that_is_busy_is_there",
            &format!("http://127.0.0.1:{}", free_port()),
        );
    };
    fake.busy(true);
    let written = thread::spawn(|| storage::write("s3://music/a", "one"));
    thread::sleep(LONG);
    assert!(!written.is_finished());
    fake.busy(false);
    written.join().unwrap().unwrap();
    assert_eq!(storage::read("s3://music/a", 10).unwrap(), b"one");
    // One that stays so is an error that may pass.
    fake.busy(true);
    let e = storage::about("s3://music/a").unwrap_err();
    println!("{e}");
    assert_eq!(kind(&e), io::ErrorKind::ResourceBusy);
}
