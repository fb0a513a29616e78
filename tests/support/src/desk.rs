//! A temporary folder with stems, and runs of `mixdown` in it.

use crate::program::built;
pub use crate::program::{Ended, ended};
use serde_json::Value;
use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Returns the path of the program.
pub fn program() -> PathBuf {
    built("mixdown")
}

/// Temporary folder in which `mixdown` runs.
pub struct Desk(tempfile::TempDir);

impl Desk {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Creates a folder with `a.wav` (stereo, 48 kHz, a quarter of full scale) and `b.wav` (mono, 44.1 kHz, an eighth), of one
    /// second each.
    pub fn with_stems() -> Self {
        let desk = Self::new();
        desk.wav("a.wav", 2, 48_000, 48_000, 8192);
        desk.wav("b.wav", 1, 44_100, 44_100, 4096);
        desk
    }

    /// Creates a folder with `a.wav` and `b.wav` as tones without any warning: they fade in and out.
    pub fn with_tones() -> Self {
        let desk = Self::new();
        desk.tone("a.wav", 2, 48_000, 8192.0);
        desk.tone("b.wav", 1, 44_100, 4096.0);
        desk
    }

    /// Writes a second of 441 Hz in 16 bits.
    pub fn tone(&self, name: &str, channels: u16, rate: u32, peak: f64) {
        let sample = |n: u32| {
            let t = f64::from(n) / f64::from(rate);
            (peak * (std::f64::consts::PI * t).sin() * (std::f64::consts::TAU * 441.0 * t).sin())
                .round() as i16
        };
        self.write_wav(name.as_ref(), channels, rate, (0..rate).map(sample));
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a 16-bit file of one constant sample.
    pub fn wav(&self, name: impl AsRef<Path>, channels: u16, rate: u32, frames: u32, sample: i16) {
        self.write_wav(name.as_ref(), channels, rate, (0..frames).map(|_| sample));
    }

    fn write_wav(&self, name: &Path, channels: u16, rate: u32, samples: impl Iterator<Item = i16>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let spec = hound::WavSpec {
            channels,
            sample_rate: rate,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::create(path, spec).unwrap();
        samples.for_each(|s| (0..channels).for_each(|_| writer.write_sample(s).unwrap()));
        writer.finalize().unwrap();
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(arguments.iter().map(OsStr::new))
    }

    pub fn command_of<'a>(&self, arguments: impl IntoIterator<Item = &'a OsStr>) -> Command {
        let mut command = Command::new(program());
        command
            .args(arguments)
            .current_dir(self.0.path())
            .stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        ended(self.command(arguments).output().unwrap())
    }

    /// Runs the program with `--json` and returns the document.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let ended = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(ended.code, 0, "{}", ended.err);
        serde_json::from_str(&ended.out).unwrap()
    }

    /// Returns the names in the folder, sorted.
    pub fn names(&self) -> Vec<String> {
        let names = fs::read_dir(self.0.path())
            .unwrap()
            .map(|e| e.unwrap().file_name());
        let mut names: Vec<String> = names.map(|n| n.to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

/// Returns the names of the tracks of a report.
pub fn tracks(report: &Value) -> Vec<&str> {
    report["tracks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| t["name"].as_str().unwrap())
        .collect()
}
