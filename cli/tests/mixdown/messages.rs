//! Messages of `mixdown`: their stream and their form.

use serde_json::Value;
use soundtrack::diagnostics::WarningInfo;
use soundtrack_test_support::desk::{Desk, ended};
use std::process::Stdio;

#[test]
fn the_table_goes_to_stdout_and_all_else_to_stderr() {
    let desk = Desk::with_tones();
    let done = desk.run(&["a.wav", "b.wav@-6:L20"]);
    assert!(
        done.out.contains("came in")
            && done.out.contains("16/44100 mono")
            && done.out.contains("L20"),
        "{}",
        done.out
    );
    assert!(
        done.out.lines().any(|l| l
            .trim_start()
            .starts_with("mix.wav  wav24, 48000 Hz stereo")),
        "{}",
        done.out
    );
    assert_eq!(done.err.lines().count(), 1, "{}", done.err);
    done.expect(0, "wrote mix.wav, 1.0 s in ");

    let quiet = desk.run(&["a.wav", "b.wav", "-q", "--force"]);
    assert_eq!(
        (quiet.code, quiet.out.as_str(), quiet.err.as_str()),
        (0, "", "")
    );
    let none = desk.run(&["a.wav", "--progress", "none", "--force"]);
    assert_eq!(none.err, "");
    let verbose = desk.run(&["a.wav", "b.wav", "-v", "--force"]);
    verbose
        .expect(0, "plan  48000 Hz stereo, 3 nodes")
        .expect(0, "note: W102 track \"b\": b.wav: resampled from 44100");
}

/// Asserts that every key of a number with a unit names it.
fn check(value: &Value, key: &str) {
    const UNITS: [&str; 11] = [
        "_hz",
        "_db",
        "_dbfs",
        "_dbtp",
        "_lufs",
        "_lu",
        "_s",
        "_frame",
        "_frames",
        "_samples",
        "_real_time",
    ];
    const COUNTS: [&str; 7] = [
        "bytes",
        "frames",
        "bits",
        "pan",
        "peak_channel",
        "true_peak_channel",
        "version",
    ];
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| check(value, key)),
        Value::Array(list) => list.iter().for_each(|value| check(value, key)),
        Value::Number(_) => {
            assert!(
                UNITS.iter().any(|u| key.ends_with(u)) || COUNTS.contains(&key),
                "{key} has no unit"
            );
        }
        Value::String(text) => assert!(!text.contains("inf") && text != "NaN", "{key}: {text}"),
        _ => {}
    }
}

#[test]
fn json_has_units_in_its_keys_and_null_for_silence() {
    let desk = Desk::with_stems();
    desk.wav("silent.wav", 2, 48_000, 100, 0);
    check(&desk.json(&["a.wav", "b.wav"]), "");
    let report = desk.json(&["silent.wav@-inf", "--force"]);
    check(&report, "");
    assert!(report["mix"]["peak_dbfs"].is_null() && report["tracks"][0]["gain_db"].is_null());
}

#[test]
fn progress_as_json_lines() {
    let desk = Desk::with_stems();
    let done = desk.run(&["a.wav@+20", "b.wav", "--progress", "json", "-v"]);
    let events: Vec<Value> = done
        .err
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let named = |name: &str| {
        events
            .iter()
            .filter(|e| e["event"] == name)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (
            named("plan").len(),
            named("done").len(),
            named("warning")[0]["code"].as_str()
        ),
        (1, 1, Some("W101"))
    );
    let first = named("progress")[0];
    assert_eq!(
        (
            first["total_frames"].as_u64(),
            first["done_frames"].as_u64()
        ),
        (Some(48_000), Some(16_384))
    );
    assert_eq!(events.last().unwrap()["event"], "done");
    assert!(done.out.contains("came in"));

    let failed = desk.run(&["gone.wav", "--progress", "json", "-q", "--force"]);
    let events: Vec<Value> = failed
        .err
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(
        (events[0]["event"].as_str(), events[0]["kind"].as_str()),
        (Some("error"), Some("not found"))
    );
}

#[test]
fn progress_as_lines_and_as_a_bar_that_is_no_terminal() {
    let desk = Desk::with_stems();
    desk.wav("long.wav", 2, 48_000, 4_800_000, 100);
    let plain = desk.run(&["long.wav", "--progress", "plain"]);
    let lines: Vec<&str> = plain.err.lines().filter(|l| l.contains(" %  ")).collect();
    assert!(
        lines.len() <= 10 && lines.iter().all(|l| l.contains(" of 00:01:40, ")),
        "{}",
        plain.err
    );
    let bar = desk.run(&["long.wav", "--progress", "bar", "--force"]);
    assert!(bar.code == 0 && !bar.err.contains('%'), "{}", bar.err);
}

#[test]
fn a_closed_stdout_or_stderr_is_no_crash() {
    let desk = Desk::with_stems();
    let mut child = desk.command(&["a.wav", "b.wav"]).spawn().unwrap();
    drop(child.stdout.take());
    let done = ended(child.wait_with_output().unwrap());
    // The mix is written; the error says that its result could not be printed.
    done.expect(5, "wrote mix.wav")
        .expect(5, "the result cannot be printed");
    assert!(!done.err.contains("panicked"), "{}", done.err);
    let mut child = desk
        .command(&["a.wav", "b.wav", "--force"])
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    assert_eq!(ended(child.wait_with_output().unwrap()).code, 0);
    if let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") {
        let mut command = desk.command(&["a.wav", "--force"]);
        let output = command.stdout(Stdio::from(full)).output().unwrap();
        ended(output).expect(5, "the result cannot be printed");
    }
}

#[test]
fn warnings_are_explained() {
    let desk = Desk::new();
    let one = desk.run(&["explain", "w105"]);
    assert_eq!(one.code, 0);
    let lines: Vec<&str> = one.out.lines().collect();
    assert_eq!(
        lines[0],
        "W105 UnequalStems  (note: --strict passes it, -v prints it)"
    );
    assert_eq!(
        lines[2],
        "  The stems of a cue, each played whole from its start, differ in length."
    );
    assert!(
        lines[3].starts_with("  Cure: ") && lines.len() == 4,
        "{}",
        one.out
    );

    let all = desk.run(&["explain"]);
    let codes: Vec<&str> = all.out.lines().map(|line| &line[..4]).collect();
    let known: Vec<&str> = WarningInfo::ALL.iter().map(|info| info.code).collect();
    assert_eq!(codes, known);
    assert!(
        all.out
            .contains("\nW107  warning  A track has a constant offset"),
        "{}",
        all.out
    );

    let data = desk.json(&["explain", "W101"]);
    assert_eq!(data["version"], 1);
    let keys: Vec<&String> = data["warnings"][0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["code", "cure", "name", "severity", "summary"]);
    desk.run(&["explain", "W99"]).expect(
        2,
        "explain \"W99\": there is no such warning; `mixdown explain` lists all",
    );
}

/// Needs a shell that can lower its own limits.
#[cfg(unix)]
#[test]
fn few_open_files_are_enough() {
    let desk = Desk::with_stems();
    for n in 0..100 {
        std::fs::copy(desk.path("a.wav"), desk.path(format!("stem{n}.wav"))).unwrap();
    }
    let mut shell = std::process::Command::new("sh");
    let run = r#"ulimit -n 32 || exit 99; exec "$0" . -o mix.wav"#;
    let output = shell
        .current_dir(desk.path(""))
        .args(["-c", run])
        .arg(soundtrack_test_support::desk::program())
        .output()
        .unwrap();
    let done = ended(output);
    if done.code != 99 {
        done.expect(0, "wrote mix.wav");
    }
}

#[test]
fn warnings_of_one_code_are_counted() {
    let desk = Desk::new();
    for n in 0..6 {
        desk.wav(format!("stems/{n}.wav"), 1, 48_000, 48_000, 1000);
    }
    let few = desk.run(&["stems/", "-o", "a.wav"]);
    // Each of the six has a constant offset, and five are the same as the first.
    assert_eq!(
        few.err.matches("warning: W107 track").count(),
        1,
        "{}",
        few.err
    );
    few.expect(
        0,
        "warning: W107 5 more like it (-v prints all, `mixdown explain W107` the cure)",
    );
    let all = desk.run(&["stems/", "-v", "-o", "b.wav"]);
    assert_eq!(
        all.err.matches("warning: W107 track").count(),
        6,
        "{}",
        all.err
    );
    desk.run(&["stems/", "--strict", "-o", "c.wav"])
        .expect(1, "11 warnings under --strict");
}
