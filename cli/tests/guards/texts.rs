//! Compares texts: plans, reports, saved sessions, and the output of `mixdown`.

use crate::{golden, sessions};
use soundtrack::{Bounce, Damage, Decibels, Delivery, Plan, Session};
use soundtrack_test_support::program::{built, ended};
use std::{fs, process::Command};

/// The sessions whose words are guarded.
const SESSIONS: [&str; 10] = [
    "crossfades",
    "sends",
    "cues",
    "cue-files",
    "picture-24",
    "origin",
    "limiter",
    "damaged",
    "deliver",
    "everything",
];

#[test]
fn the_same_words_as_ever() {
    let _folder = sessions::enter();
    fs::create_dir_all("out/texts").expect("room for it");
    let texts: Vec<_> = SESSIONS
        .iter()
        .map(|name| (format!("texts/{name}.txt"), words(name)))
        .collect();
    golden::compare(&texts);
}

/// Returns all texts about a session, under headings.
fn words(name: &str) -> String {
    let file = format!("{name}.toml");
    let mut session = Session::load(&file).unwrap_or_else(|e| panic!("{e}"));
    session.damage = Damage::Silence;
    let plan = Plan::compile(&session).unwrap_or_else(|e| panic!("{e}"));
    let mix = format!("out/texts/{name}.wav");
    let bounce = Bounce::new().measure_strips(true);
    let report = bounce.run(&session, &mix).unwrap_or_else(|e| panic!("{e}"));
    let mut parts = vec![
        ("plan".to_owned(), plan.to_string()),
        ("report".to_owned(), report.to_string()),
        ("report as JSON".to_owned(), report.to_json()),
    ];
    if !session.deliverables.is_empty() {
        let done = Delivery::new()
            .overwrite(true)
            .run(&session)
            .unwrap_or_else(|e| panic!("{e}"));
        parts.push(("delivery".to_owned(), done.to_string()));
    }
    for extension in ["toml", "json"] {
        parts.push((
            format!("saved as .{extension}"),
            saved(&session, &format!("{name}-saved.{extension}")),
        ));
    }
    // What is saved over a file keeps its comments and its order.
    let changed = format!("{name}-changed.toml");
    fs::copy(&file, &changed).expect("room for it");
    let mut other = Session::load(&changed).unwrap_or_else(|e| panic!("{e}"));
    other.master.gain = Decibels(-1.25);
    other.title = "Changed".to_owned();
    parts.push((
        "saved over its file with another title and gain".to_owned(),
        saved(&other, &changed),
    ));
    for options in [
        vec!["plan", &file],
        vec!["plan", &file, "--json"],
        vec![&file, "--force", "--keep-going"],
        vec![&file, "--force", "--keep-going", "--json"],
        vec![&file, "--force", "--keep-going", "--verbose", "--check"],
    ] {
        parts.push((format!("mixdown {}", options.join(" ")), mixdown(&options)));
    }
    parts
        .iter()
        .map(|(heading, text)| format!("=== {heading}\n{}\n\n", settled(text.trim_end())))
        .collect()
}

/// Returns the text of a session once it is saved; reading it gives the same session.
fn saved(session: &Session, file: &str) -> String {
    session.save(file).unwrap_or_else(|e| panic!("{e}"));
    let mut read = Session::load(file).unwrap_or_else(|e| panic!("{e}"));
    read.damage = session.damage;
    assert!(read == *session, "{file} is another session than was saved");
    fs::read_to_string(file).expect("what was saved")
}

/// Runs `mixdown`: how it ended, what it said on stderr, and what it printed.
pub fn mixdown(options: &[&str]) -> String {
    let mut command = Command::new(built("mixdown"));
    command.args(options).args(["--progress", "none"]);
    said(&mut command)
}

/// Returns the exit code, stderr and stdout of a program.
pub fn said(command: &mut Command) -> String {
    command
        .env_remove("COLUMNS")
        .env("NO_COLOR", "1")
        .env("TERM", "dumb");
    let ended = ended(command.output().expect("it can be run"));
    let mut text = format!("exit {}\n", ended.code);
    for (from, lines) in [("stderr", &ended.err), ("stdout", &ended.out)] {
        if !lines.is_empty() {
            text += &format!("--- {from}\n{}\n", lines.trim_end());
        }
    }
    text
}

/// Returns the text without what varies from run to run and from machine to machine:
/// - the time that a run took, and how much faster than real time that is;
/// - digits of levels in JSON beyond the ninth, since they come from the system's logarithm;
/// - the version of the program.
pub fn settled(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let indent = &line[..line.len() - line.trim_start().len()];
        let key = line.trim_start().split(": ").next().unwrap_or_default();
        match key {
            "\"wall_s\"" | "\"times_real_time\"" => {
                let comma = if line.ends_with(',') { "," } else { "" };
                out += &format!("{indent}{key}: TIME{comma}");
            }
            _ if line.trim_start().starts_with("took ") => out += &format!("{indent}took TIME"),
            _ => out += &rounded(line),
        }
        out.push('\n');
    }
    out.replace(env!("CARGO_PKG_VERSION"), "VERSION")
        .trim_end()
        .to_owned()
}

/// Returns a line of JSON whose number, if it is one with many digits, has nine of them.
fn rounded(line: &str) -> String {
    let start = line
        .find(": ")
        .map_or(line.len() - line.trim_start().len(), |colon| colon + 2);
    let (before, value) = line.split_at(start);
    let (value, comma) = value
        .strip_suffix(',')
        .map_or((value, ""), |value| (value, ","));
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    match value.parse::<f64>() {
        Ok(number) if digits > 9 && value.contains('.') => {
            let short: f64 = format!("{number:.8e}").parse().expect("a number");
            format!("{before}{short}{comma}")
        }
        _ => line.to_owned(),
    }
}
