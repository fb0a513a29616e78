//! `batch` on a terminal: lines for people on stdout, errors on stderr, JSON into a pipe or with `--json`.
#![cfg(unix)]

use soundtrack_test_support::{desk::Desk, program::built, requirement};
use std::process::Command;

fn desk() -> Desk {
    let desk = Desk::new();
    desk.tone("kick.wav", 1, 48_000, 8192.0);
    desk.write(
        "s.toml",
        "rate = 48000\n[track.kick]\nfile = \"kick.wav\"\n",
    );
    let job = |id: &str, session: &str| {
        format!("{{\"id\":\"{id}\",\"session\":\"{session}\",\"out\":\"{id}.wav\"}}\n")
    };
    let jobs = job("first", "s.toml") + &job("second", "none.toml") + &job("third", "s.toml");
    desk.write("jobs.jsonl", &jobs);
    desk
}

/// Runs `batch` in a terminal of `script`, with stderr in a file, and returns stdout and stderr. `None` without `script`.
fn in_terminal(desk: &Desk, arguments: &str) -> Option<(String, String)> {
    if Command::new("script").arg("--version").output().is_err() {
        requirement::missing("script is not installed");
        return None;
    }
    let command = format!("'{}' {arguments} 2> errors.txt", built("batch").display());
    let ended = Command::new("script")
        .args(["-q", "-c", &command, "/dev/null"])
        .current_dir(desk.path(""))
        .output()
        .unwrap();
    let out = String::from_utf8_lossy(&ended.stdout).replace('\r', "");
    Some((
        out,
        std::fs::read_to_string(desk.path("errors.txt")).unwrap(),
    ))
}

#[test]
fn a_terminal_gets_lines_for_people() {
    let desk = desk();
    let Some((out, err)) = in_terminal(&desk, "run jobs.jsonl --out out --jobs 1") else {
        return;
    };
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 3, "{out}");
    assert!(
        lines[0].starts_with("1 of 3  first  ") && lines[0].contains("  done  "),
        "{out}"
    );
    assert!(
        lines[0].contains(" LUFS") && lines[0].ends_with(" left"),
        "{out}"
    );
    assert!(
        lines[1].contains("  FAILED") && lines[2].starts_with("3 of 3  third"),
        "{out}"
    );
    assert!(!lines[2].contains(" left"), "{out}");
    assert!(
        err.contains("error: second: ") && err.contains("none.toml"),
        "{err}"
    );
    let (out, _) = in_terminal(&desk, "run jobs.jsonl --out again --json").unwrap();
    assert_eq!(
        out.lines().filter(|line| line.starts_with('{')).count(),
        3,
        "{out}"
    );
}

#[test]
fn a_page_shows_all_items() {
    let desk = desk();
    let batch = |arguments: &[&str]| {
        let mut command = Command::new(built("batch"));
        command
            .args(arguments)
            .current_dir(desk.path(""))
            .output()
            .unwrap()
    };
    let run = batch(&["run", "jobs.jsonl", "--out", "out"]);
    assert!(run.stdout.starts_with(b"{"), "JSON lines into a pipe");
    let collect = ["collect", "jobs.jsonl", "--out", "out", "--report"];
    let page = batch(&[&collect[..], &["all.html"]].concat());
    assert_eq!(page.status.code(), Some(1));
    let html = std::fs::read_to_string(desk.path("all.html")).unwrap();
    assert!(
        html.contains("<h1>3 items</h1>") && html.contains("1 missing"),
        "{html}"
    );
    let refused = batch(&[&collect[..], &["all.pdf"]].concat());
    assert_eq!(refused.status.code(), Some(2));
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(text.contains("name it .html"), "{text}");
}
