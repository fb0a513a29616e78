//! A built example of this package, and how a run of it ended.

use std::{path::PathBuf, process::Output};

/// The example of this name, beside this test.
pub fn built(name: &str) -> PathBuf {
    let here = std::env::current_exe().unwrap();
    let built = here
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("examples")
        .join(name);
    let built = built.with_extension(std::env::consts::EXE_EXTENSION);
    assert!(
        built.exists(),
        "{} is not built: run `cargo build --examples` first",
        built.display()
    );
    built
}

/// How a program ended, and what it said.
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
    /// Fails unless the program ended so, and said so.
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
