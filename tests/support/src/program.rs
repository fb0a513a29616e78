//! The programs built for tests, and the result of a run.

use std::{path::PathBuf, process::Output};

/// Returns the path of a program of the package `soundtrack-cli`, which cargo builds for that package's tests.
pub fn built(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().unwrap().parent().unwrap();
    let built = folder
        .join(name)
        .with_extension(std::env::consts::EXE_EXTENSION);
    assert!(
        built.exists(),
        "{} is not built: run `cargo build -p soundtrack-cli` first",
        built.display()
    );
    built
}

/// Exit code and output of a program.
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

pub fn ended(output: Output) -> Ended {
    Ended {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Ended {
    /// Asserts the exit code, and that the output contains these words.
    #[track_caller]
    pub fn expect(&self, code: i32, words: &str) -> &Self {
        assert_eq!(self.code, code, "{}\n{}", self.err, self.out);
        assert!(
            self.err.contains(words),
            "{words:?} is not in:\n{}",
            self.err
        );
        self
    }
}
