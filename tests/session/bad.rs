//! Wrong sessions and what is said about each: the place, and what to do.

use soundtrack::{Layout, Load, Plan, SampleRate, Session, Track};
use std::fs;

/// A table of cases: each starts with `### ` and the expected problems, one a line as `line:column what`, then `---`, then
/// the text of the session. `$` stands for the folder of the session file.
const TOML: &str = include_str!("bad/toml.txt");
const JSON: &str = include_str!("bad/json.txt");

fn cases(table: &str) -> Vec<(Vec<&str>, &str)> {
    let case = |case: &'static str| {
        let (wanted, text) = case
            .split_once("\n---\n")
            .unwrap_or_else(|| panic!("no text in {case:?}"));
        (
            wanted.lines().collect(),
            text.strip_suffix('\n').unwrap_or(text),
        )
    };
    let table: &'static str = Box::leak(table.to_owned().into_boxed_str());
    table.split("### ").skip(1).map(case).collect()
}

/// The problems of a text, each as `line:column what`, without the name of the folder.
fn problems(text: &str, name: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("stems")).unwrap();
    fs::write(folder.path().join("stems/a.wav"), "").unwrap();
    let file = folder.path().join(name);
    let error = match Load::default().text(text, &file) {
        Err(error) => error,
        Ok(_) => return vec!["nothing".to_owned()],
    };
    let told = |p: &soundtrack::Problem| {
        let place = p.span.as_ref().expect("every problem has a place");
        assert_eq!(
            place.text,
            text.lines().nth(place.line - 1).unwrap_or(""),
            "the line is shown"
        );
        assert!(
            place.column + place.width - 1 <= place.text.chars().count().max(1) + 1,
            "{place:?}"
        );
        let what = p.sentence().replace(folder.path().to_str().unwrap(), "$");
        format!("{}:{} {what}", place.line, place.column)
    };
    error.problems().iter().map(told).collect()
}

fn check(table: &str, name: &str, at_least: usize) {
    let cases = cases(table);
    assert!(cases.len() >= at_least, "{} cases", cases.len());
    let mut wrong = String::new();
    for (want, text) in &cases {
        let got = problems(text, name);
        if got != *want {
            wrong += &format!("### {}\n---\n{text}\n", got.join("\n"));
        }
    }
    assert!(wrong.is_empty(), "these differ, and were told so:\n{wrong}");
}

#[test]
fn wrong_toml() {
    check(TOML, "s.toml", 60);
}

#[test]
fn wrong_json() {
    check(JSON, "s.json", 15);
}

#[test]
fn the_loop_is_printed_and_underlined() {
    let text = "rate = 1\n[bus.a]\nto = \"b\"\n[bus.b]\nto = \"c\"\n[bus.c]\nsend = { a = -6 }";
    let error = Load::default()
        .text(text, "loop.toml")
        .unwrap_err()
        .to_string();
    let want = "loop.toml:2:6: buses feed each other in a circle: a -> b -> c -> a\n  |\n2 | [bus.a]\n  |      ^";
    assert_eq!(error, want);
}

#[test]
fn many_problems_are_counted() {
    let text: String = (0..250).map(|i| format!("wrong{i} = 1\n")).collect();
    let error = Load::default()
        .text(format!("rate = 1\n{text}"), "s.toml")
        .unwrap_err();
    assert_eq!(error.problems().len(), 101);
    assert_eq!(error.problems()[100].to_string(), "and 150 more problems");
}

#[test]
fn a_session_that_is_not_there_is_not_found() {
    assert_eq!(
        Session::load("nowhere.json").unwrap_err().kind(),
        soundtrack::ErrorKind::NotFound
    );
}

/// Files of many tracks are opened on several threads; what is wrong with them comes in the order of the tracks all the same.
#[test]
fn problems_of_many_stems_come_in_the_order_of_the_tracks() {
    let folder = tempfile::tempdir().unwrap();
    let mut mix = Session::new(SampleRate::HZ_48000, Layout::Mono);
    for n in 0..160 {
        let path = folder.path().join(format!("{n}.wav"));
        if n % 2 == 0 {
            fs::write(&path, "no audio").unwrap();
        }
        mix.add_track(Track::new(format!("track {n}"), path.as_path()));
        // It plays the same file, which is opened and reported once.
        mix.add_track(Track::new(format!("again {n}"), path.as_path()));
    }
    let error = Plan::compile(&mix).unwrap_err();
    assert_eq!(error.problems().len(), 160);
    for (n, problem) in error.problems().iter().enumerate() {
        let said = problem.to_string();
        assert!(said.contains(&format!("\"track {n}\"")), "{said}");
        assert!(said.contains(&format!("{n}.wav")), "{said}");
    }
}
