//! Every command of the README, run as it stands there, in the order of the page.

use soundtrack_cli::demo;
use soundtrack_test_support::program::built;
use std::{env, fs, path::Path, process::Command};

/// Returns the blocks of a kind of the README: `sh`, `toml`.
fn blocks<'a>(readme: &'a str, kind: &str) -> Vec<&'a str> {
    let start = format!("```{kind}\n");
    let parts = readme.split(start.as_str()).skip(1);
    parts
        .map(|part| part.split("```").next().unwrap())
        .collect()
}

#[test]
fn every_command_of_the_readme_works() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let readme = fs::read_to_string(root.join("README.md"))
        .unwrap()
        .replace("\r\n", "\n");
    let folder = tempfile::tempdir().unwrap();
    demo::write_stems(&folder.path().join("stems")).unwrap();
    let [session] = blocks(&readme, "toml")[..] else {
        panic!("one session");
    };
    fs::write(folder.path().join("harbour.toml"), session).unwrap();
    let programs = built("mixdown").parent().unwrap().to_owned();
    let path = format!("{}:{}", programs.display(), env::var("PATH").unwrap());
    let (mut run, mut others) = (Vec::new(), Vec::new());
    for line in blocks(&readme, "sh").iter().flat_map(|block| block.lines()) {
        let command = line.split(" #").next().unwrap().trim();
        let is_of_cargo = command.starts_with("cargo ") || command.contains("target/film_reel");
        if is_of_cargo || command == "cd target/demo" {
            others.push(command);
            continue;
        }
        // Four seconds of the 32 show that it plays, and a build without the feature `device` plays on no device.
        let played = command.replace("--play=null", "--play=null --range ..4s");
        let ended = Command::new("sh")
            .args(["-c", &played])
            .current_dir(folder.path())
            .env("PATH", &path)
            .output()
            .unwrap();
        let expected = match command {
            _ if command.contains("--check") => 1,
            _ if command.ends_with("--play") && !cfg!(feature = "device") => 5,
            _ => 0,
        };
        let said = String::from_utf8_lossy(&ended.stderr);
        if !(command.ends_with("--play") && cfg!(feature = "device")) {
            assert_eq!(ended.status.code(), Some(expected), "{command}: {said}");
        }
        run.push(command);
    }
    // The commands of cargo are the build and the tests themselves, and the picture and the reel, which have tests of their own.
    assert_eq!(
        others,
        [
            "cargo run --release --example mixdown",
            "cargo test",
            "cargo install --path cli",
            "cd target/demo",
            "cargo run --release --example mixdown -- --report examples/demo.svg --bins 200 --force",
            "cargo run --release --example film_reel",
            "mixdown target/film_reel/delivery.toml"
        ]
    );
    assert!(run.len() >= 11, "{run:?}");
    for command in ["mixdown plan harbour.toml", "mixdown harbour.toml"] {
        assert!(readme.contains(&format!("`{command}`")), "{command}");
        let ended = Command::new("sh")
            .args(["-c", command])
            .current_dir(folder.path())
            .env("PATH", &path)
            .output()
            .unwrap();
        assert!(
            ended.status.success(),
            "{command}: {}",
            String::from_utf8_lossy(&ended.stderr)
        );
    }
    assert!(folder.path().join("out/Harbour.wav").exists());
    let cd = hound::WavReader::open(folder.path().join("cd.wav"))
        .unwrap()
        .spec();
    assert_eq!((cd.sample_rate, cd.bits_per_sample), (44_100, 16));
}
