//! The shape of the tree: one dependency, one door; no long files; no modules without a name for what they hold.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Crates that only one file may name.
const DOORS: [&str; 15] = [
    "symphonia",
    "rubato",
    "hound",
    "waveadapter",
    "cpal",
    "dasp",
    "rtrb",
    "ebur128",
    "tempfile",
    "toml",
    "toml_edit",
    "object_store",
    "tokio",
    "reqwest",
    "rustls",
];
const LONGEST: usize = 450;
const FORBIDDEN: [&str; 7] = ["utils", "helpers", "common", "manager", "misc", "prelude", "mod"];

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty());
    found
}

/// Whether code, not a comment, names a crate's items.
fn names(text: &str, door: &str) -> bool {
    let code = text.split("#[cfg(test)]").next().unwrap_or("").lines().filter(|l| !l.trim_start().starts_with("//"));
    code.into_iter().any(|line| {
        line.match_indices(&format!("{door}::")).any(|(at, _)| {
            let before = line[..at].chars().last();
            !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
        })
    })
}

#[test]
fn every_dependency_has_one_door() {
    let files = sources("src");
    for door in DOORS {
        let through: Vec<_> = files.iter().filter(|(_, text)| names(text, door)).map(|(p, _)| p).collect();
        assert!(through.len() <= 1, "{door} has {} doors: {through:?}", through.len());
    }
}

/// What is kept at the top, besides what is hidden.
const TOP: [&str; 12] = [
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "benches",
    "deny.toml",
    "examples",
    "rustfmt.toml",
    "src",
    "tests",
];

#[test]
fn nothing_else_is_kept_at_the_top() {
    let mut git = std::process::Command::new("git");
    let listed = git.args(["ls-files", "-z"]).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    let Some(listed) = listed.ok().filter(|told| told.status.success()) else {
        return println!("skipped: this is no checkout of git");
    };
    let text = String::from_utf8(listed.stdout).unwrap();
    let top = text.split('\0').filter_map(|path| path.split('/').next()).filter(|name| !name.is_empty());
    let strays: Vec<_> = top.filter(|name| !TOP.contains(name) && !name.starts_with('.')).collect();
    assert!(strays.is_empty(), "{strays:?}");
}

/// Crates that speak over a network.
const NETWORK: [&str; 8] = ["object_store", "reqwest", "hyper", "tokio", "rustls", "ring", "mio", "socket2"];

#[test]
fn nothing_of_the_default_build_speaks_over_a_network() {
    let mut tree = std::process::Command::new(env!("CARGO"));
    tree.args(["tree", "--locked", "--offline", "--edges", "normal,build", "--prefix", "none", "--format", "{p}"]);
    let told = tree.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let text = String::from_utf8(told.stdout).unwrap();
    let crates: Vec<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(crates.contains(&"symphonia"));
    let found: Vec<_> = crates.iter().filter(|name| NETWORK.contains(name)).collect();
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn files_are_short_and_say_what_they_are() {
    for (path, text) in sources("src").into_iter().chain(sources("examples")) {
        let lines = text.lines().count();
        assert!(lines <= LONGEST, "{} has {lines} lines", path.display());
        assert!(text.starts_with("//!"), "{} does not say what it is", path.display());
    }
}

#[test]
fn modules_are_named_for_what_they_hold() {
    for (path, _) in sources("src") {
        let stem = path.file_stem().unwrap().to_str().unwrap();
        assert!(!FORBIDDEN.contains(&stem), "{}", path.display());
    }
}

#[test]
fn nothing_is_left_undone() {
    for (path, text) in sources("src").into_iter().chain(sources("examples")).chain(sources("benches")) {
        for word in ["TODO", "FIXME", "XXX", "todo!", "unimplemented!"] {
            assert!(!text.contains(word), "{} holds {word}", path.display());
        }
    }
}
