//! A folder with stems, and runs of `mixdown` in it that are counted.

use serde_json::Value;
use soundtrack_test_support::desk::Desk;
use std::{
    cell::Cell,
    fs,
    path::{Path, PathBuf},
};

pub struct Studio {
    desk: Desk,
    commands: Cell<usize>,
    files: Cell<usize>,
}

/// Returns a level of the mix of a report.
pub fn level(report: &Value, key: &str) -> f64 {
    report["mix"][key]
        .as_f64()
        .unwrap_or_else(|| panic!("{key} in {report}"))
}

impl Studio {
    /// Makes a studio with stems of three seconds of these names in `stems/`: tones at different pitches that fade in and out.
    pub fn with_stems(names: &[&str]) -> Self {
        let desk = Desk::new();
        fs::create_dir(desk.path("stems")).unwrap();
        for (number, name) in (0u32..).zip(names) {
            let spec = hound::WavSpec {
                channels: 1,
                sample_rate: 48_000,
                bits_per_sample: 16,
                sample_format: hound::SampleFormat::Int,
            };
            let path = desk.path(format!("stems/{name}.wav"));
            let mut writer = hound::WavWriter::create(path, spec).unwrap();
            let hz = 200.0 + 110.0 * f64::from(number);
            for n in 0..144_000u32 {
                let t = f64::from(n) / 48_000.0;
                let envelope = (std::f64::consts::PI * t / 3.0).sin();
                let x = 2500.0 * envelope * (std::f64::consts::TAU * hz * t).sin();
                writer.write_sample(x.round() as i16).unwrap();
            }
            writer.finalize().unwrap();
        }
        Self {
            desk,
            commands: Cell::new(0),
            files: Cell::new(0),
        }
    }

    /// Copies a session of the examples into the studio.
    pub fn session(&self, name: &str) {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/sessions");
        fs::copy(examples.join(name), self.path(name)).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.desk.path(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        self.desk.write(name, text);
    }

    /// Runs a command that succeeds and returns what it prints.
    pub fn run(&self, arguments: &[&str]) -> String {
        self.run_with(0, arguments)
    }

    /// Runs a command that ends with this exit code and returns what it prints.
    pub fn run_with(&self, code: i32, arguments: &[&str]) -> String {
        self.count(arguments);
        let ended = self.desk.run(arguments);
        assert_eq!(
            ended.code, code,
            "{arguments:?}: {}{}",
            ended.out, ended.err
        );
        ended.out + &ended.err
    }

    /// Runs a command that succeeds and returns its report.
    pub fn json(&self, arguments: &[&str]) -> Value {
        self.count(arguments);
        self.desk.json(arguments)
    }

    /// Counts a command, and the files and folders that it names and that exist before it runs.
    fn count(&self, arguments: &[&str]) {
        let named = arguments
            .iter()
            .filter(|argument| self.path(argument).exists());
        self.commands.set(self.commands.get() + 1);
        self.files.set(self.files.get() + named.count());
    }

    /// Returns the numbers of commands and of files and folders typed so far.
    pub fn typed(&self) -> (usize, usize) {
        (self.commands.get(), self.files.get())
    }

    pub fn spec(&self, name: &str) -> hound::WavSpec {
        hound::WavReader::open(self.path(name)).unwrap().spec()
    }

    /// Returns the samples of a WAV file of integers, interleaved.
    pub fn samples(&self, name: &str) -> Vec<i32> {
        let mut reader = hound::WavReader::open(self.path(name)).unwrap();
        reader.samples::<i32>().map(Result::unwrap).collect()
    }

    /// Returns the names in a folder, sorted.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<String> = entries
            .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}
