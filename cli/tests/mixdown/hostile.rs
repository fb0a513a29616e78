//! Malicious session files: each is refused within a second and 64 MiB.

use soundtrack_test_support::{desk::Desk, memory::high_water};
use std::{
    fmt::Write as _,
    fs,
    time::{Duration, Instant},
};

/// Nearly as much as is looked at at all.
const LARGE: usize = (4 << 20) - 64;

/// As many lines as fit into a size.
fn lines(head: &str, most: usize, line: impl Fn(usize) -> String) -> String {
    let mut text = head.to_owned();
    let mut i = 0;
    loop {
        let next = line(i);
        if text.len() + next.len() > most {
            return text;
        }
        text += &next;
        i += 1;
    }
}

/// Runs `mixdown plan` on a text; what it said.
fn refused(name: &str, text: impl AsRef<[u8]>) -> String {
    let desk = Desk::new();
    fs::write(desk.path(name), text).unwrap();
    let mut command = desk.command(&["plan", name]);
    command.stderr(fs::File::create(desk.path("err")).unwrap());
    let clock = Instant::now();
    let mut child = command.spawn().unwrap();
    // The peak memory of a process that has ended includes that of its parent, so it is read before.
    let mut memory = 0;
    let ended = loop {
        memory = memory.max(high_water(child.id()).unwrap_or(0) << 10);
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    let time = clock.elapsed().as_secs_f64();
    let said = String::from_utf8(fs::read(desk.path("err")).unwrap()).unwrap();
    let shown: String = said.chars().take(200).collect();
    assert_eq!(ended.code(), Some(3), "{name}: {shown}");
    assert!(memory < 64 << 20, "{name}: {memory} bytes: {shown}");
    assert!(said.contains(name), "{name} is not named: {shown}");
    println!(
        "{name:14} {:8} bytes {time:.2} s {:4.1} MiB",
        fs::metadata(desk.path(name)).unwrap().len(),
        memory as f64 / f64::from(1 << 20)
    );
    // The limit is of the parser; a debug build on a busy machine gets some more.
    assert!(
        time < if cfg!(debug_assertions) { 3.0 } else { 1.0 },
        "{name}: {time} s"
    );
    said
}

#[test]
fn floods_are_refused() {
    let full = "there is more in this file than a session can hold";
    for (name, unit) in [
        ("lists.toml", "[],"),
        ("nest.toml", "["),
        ("tables.toml", "[[a]]\n"),
        ("keys.toml", "a=1\n"),
        ("dots.toml", "a."),
        ("returns.toml", "\r"),
        ("escapes.toml", "\\q"),
        ("lines.toml", "\n"),
        ("lists.json", "[1,"),
        ("keys.json", "{\"a\":"),
    ] {
        let said = refused(name, unit.repeat(LARGE / unit.len()));
        assert!(said.contains(full), "{name}: {said}");
    }
    assert!(
        refused("large.toml", vec![b' '; (4 << 20) + 1]).contains("is larger than 4194304 bytes")
    );
}

#[test]
fn what_just_passes_is_refused_for_what_it_is() {
    let said = refused(
        "tracks.toml",
        lines("rate = 1\n", 255_000, |i| format!("[track.t{i}]\n")),
    );
    assert!(
        said.contains("track \"t0\": it has neither a file nor a clip"),
        "{said}"
    );
    let said = refused(
        "buses.toml",
        lines("rate=1\n", 500_000, |i| {
            format!("[track.t{i}]\nbus=\"b{i}\"\nfile=\"a\"\n")
        }),
    );
    assert!(
        said.contains("there is no bus \"b0\"") && said.contains("more problems"),
        "{said}"
    );
    let ring = |i: usize| format!("[bus.b{i}]\nto=\"b{}\"\n", (i + 1) % 15_000);
    let ring: String = (0..15_000).map(ring).collect();
    assert!(
        refused("ring.toml", format!("rate=1\n{ring}"))
            .contains("buses feed each other in a circle: b0 -> b1 -> ")
    );
    refused("nest.json", "[".repeat(18_000));
    refused(
        "keys.json",
        lines("{\"rate\":1", 800_000, |i| format!(",\"a{i}\":1")) + "}",
    );
    refused(
        "points.toml",
        format!(
            "rate=1\n[track.a]\nfile=\"a\"\nautomation.gain=[{}]",
            "\"9s 0\",\"1s 0\",".repeat(60_000)
        ),
    );
    let uses = lines(
        "rate=1\n[cue.a.track.x]\nfile=\"a\"\n[cue.a.use]\n",
        500_000,
        |i| format!("u{i}={{at=-1}}\n"),
    );
    refused("uses.toml", uses);
    let mut numbers = "rate = 1\n[track.a]\nfile = \"a.wav\"\n".to_owned();
    for (key, value) in [
        ("gain", "1e308"),
        ("pan", "nan"),
        ("at", "-0.0"),
        ("length", "inf"),
        ("loop", "4294967296"),
    ] {
        writeln!(numbers, "{key} = {value}").unwrap();
    }
    assert_eq!(
        refused("numbers.toml", numbers).matches("error: ").count(),
        6,
        "five values, and a stem that is not there"
    );
    let wide: Vec<u8> = "rate = 1\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert!(
        refused("wide.toml", [&[0xff, 0xfe], wide.as_slice()].concat()).contains("no UTF-8 text")
    );
    let title = "x".repeat(LARGE);
    assert!(
        refused("title.toml", format!("titel=\"{title}\"\nrate=1"))
            .contains("did you mean \"title\"?")
    );
    assert!(
        refused("line.json", format!("{{\"titel\":\"{title}\",\"rate\":1}}")).len() < 10_000,
        "long lines are cut"
    );
}
