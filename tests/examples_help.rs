//! Every example program answers `--help` and writes nothing because of it.

use soundtrack_test_support::program::ended;
use std::{fs, path::Path, process::Command};

/// Returns the names of the example programs: files and folders of `examples/` with a `main`.
fn examples() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "rs") || path.join("main.rs").exists())
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn help_is_printed_and_nothing_is_written() {
    let names = examples();
    assert_eq!(names.len(), 11, "{names:?}");
    // `cargo test` builds examples with tests of their own as tests only.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let profile = if cfg!(debug_assertions) {
        "dev"
    } else {
        "release"
    };
    let built = Command::new(cargo)
        .args([
            "build",
            "--quiet",
            "--locked",
            "--examples",
            "--profile",
            profile,
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(built.unwrap().success());
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().unwrap().parent().unwrap().join("examples");
    // `devices` needs a feature.
    for name in names.iter().filter(|name| *name != "devices") {
        let program = folder
            .join(name)
            .with_extension(std::env::consts::EXE_EXTENSION);
        for option in ["--help", "-h"] {
            let folder = tempfile::tempdir().unwrap();
            let output = Command::new(&program)
                .arg(option)
                .current_dir(folder.path())
                .output();
            let answer = ended(output.unwrap());
            assert_eq!(
                (answer.code, answer.err.as_str()),
                (0, ""),
                "{name} {option}"
            );
            assert!(answer.out.len() > 20, "{name} {option}: {}", answer.out);
            let written: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
            assert!(written.is_empty(), "{name} {option} wrote {written:?}");
        }
    }
}
