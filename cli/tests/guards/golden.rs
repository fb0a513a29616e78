//! Compares results of tests with files kept in the repository.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// Environment variable that says what to do with results besides comparing them.
const VARIABLE: &str = "SOUNDTRACK_GUARDS";

/// Returns whether the kept files are rewritten instead of compared.
pub fn updating() -> bool {
    asked("update")
}

/// Returns whether the rendered files are kept after the test.
pub fn keeping() -> bool {
    asked("keep")
}

fn asked(what: &str) -> bool {
    match env::var(VARIABLE) {
        Ok(value) if ["update", "keep"].contains(&value.as_str()) => value == what,
        Ok(other) => panic!("{VARIABLE}={other}: there are {VARIABLE}=update and {VARIABLE}=keep"),
        Err(_) => false,
    }
}

/// Returns the path of a kept file from its name within `tests/guards/`.
pub fn kept(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/guards")
        .join(name)
}

/// Returns the path of a result that differs from the kept file.
pub fn outcome(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("guards")
        .join(name)
}

/// Compares texts with the files kept under their names, or rewrites the files.
///
/// # Panics
/// With every text that differs, its first different line, and the command that shows the rest.
pub fn compare(texts: &[(String, String)]) {
    let mut wrong = String::new();
    for (name, text) in texts {
        let kept = kept(name);
        if updating() {
            put(&kept, text);
            continue;
        }
        // A checkout on Windows may have turned the ends of the lines.
        let old = fs::read_to_string(&kept)
            .unwrap_or_default()
            .replace("\r\n", "\n");
        if old == *text {
            continue;
        }
        let outcome = outcome(name);
        put(&outcome, text);
        let (number, was, is) = first_difference(&old, text);
        wrong += &format!("{name}, line {number}:\n  - {was}\n  + {is}\n");
        wrong += &format!("  diff -u {} {}\n", kept.display(), outcome.display());
    }
    assert!(
        wrong.is_empty(),
        "these texts are not as kept:\n{wrong}If all of it is meant: {VARIABLE}=update cargo test --test guards"
    );
}

fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a file in a folder")).expect("its folder");
    fs::write(path, text).expect("room for it");
}

/// Returns the number of the first different line, and the line in either text.
fn first_difference<'a>(old: &'a str, new: &'a str) -> (usize, &'a str, &'a str) {
    const END: &str = "(the end)";
    let (mut old, mut new) = (old.lines(), new.lines());
    for number in 1.. {
        let (was, is) = (old.next(), new.next());
        if was != is || was.is_none() {
            return (number, was.unwrap_or(END), is.unwrap_or(END));
        }
    }
    unreachable!("a text has an end")
}
