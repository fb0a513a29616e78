//! A temporary folder with stems, a session and a list of jobs, and runs of `batch` in it.

pub use crate::program::{Ended, built, ended};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Variables of a scheduler that may run these tests.
const VARIABLES: [&str; 11] = [
    "SLURM_ARRAY_TASK_ID",
    "JOB_COMPLETION_INDEX",
    "AWS_BATCH_JOB_ARRAY_INDEX",
    "AWS_BATCH_JOB_ARRAY_SIZE",
    "CLOUD_RUN_TASK_INDEX",
    "CLOUD_RUN_TASK_COUNT",
    "BATCH_TASK_INDEX",
    "BATCH_TASK_COUNT",
    "SGE_TASK_ID",
    "PBS_ARRAY_INDEX",
    "LSB_JOBINDEX",
];

/// Returns the path of the program.
pub fn program() -> PathBuf {
    built("batch")
}

pub struct Desk(tempfile::TempDir);

impl Desk {
    /// Creates a folder with `base.toml`: two tones of 0.2 s, of which one is resampled.
    pub fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        desk.tone("a.wav", 48_000, 9600, 8000.0);
        desk.tone("b.wav", 44_100, 8820, 4000.0);
        desk.write(
            "base.toml",
            "title = \"base\"\n[track.a]\nfile = \"a.wav\"\n[track.vox]\nfile = \"b.wav\"\npan = \"L20\"\n",
        );
        desk
    }

    pub fn tone(&self, name: &str, rate: u32, frames: u32, peak: f64) {
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: rate,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::create(self.path(name), spec).unwrap();
        for n in 0..frames {
            let fade = f64::from(n.min(frames - 1 - n).min(480)) / 480.0;
            let sample = peak
                * fade
                * (std::f64::consts::TAU * 441.0 * f64::from(n) / f64::from(rate)).sin();
            writer.write_sample(sample.round() as i16).unwrap();
        }
        writer.finalize().unwrap();
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Writes a list of items: each with its own level of `vox`, every third only a range, ten per folder.
    pub fn list(&self, items: usize) {
        let line = |i: usize| {
            let range = if i.is_multiple_of(3) {
                r#","range":"50ms..150ms""#
            } else {
                ""
            };
            let (gain, folder) = (i % 10, i / 10);
            format!(
                "{{\"id\":\"mix-{i}\",\"session\":\"base.toml\",\"set\":{{\"track.vox.gain\":-{gain}.5}}{range},\"out\":\"{folder}/{i}.wav\"}}\n"
            )
        };
        self.write("jobs.jsonl", &(0..items).map(line).collect::<String>());
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command
            .args(arguments)
            .current_dir(self.0.path())
            .stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        for name in VARIABLES {
            command.env_remove(name);
        }
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ended {
        ended(self.command(arguments).output().unwrap())
    }

    /// Runs `run jobs.jsonl --out DIR` with more arguments and returns the lines that it printed.
    pub fn items(&self, out: &str, more: &[&str]) -> (Ended, Vec<Value>) {
        let ended = self.run(&[&["run", "jobs.jsonl", "--out", out], more].concat());
        let lines = lines(&ended);
        (ended, lines)
    }

    /// Returns every file of an output folder with its bytes, without markers and summaries.
    pub fn waves(&self, out: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let root = self.path(out);
        let mut found = BTreeMap::new();
        for file in self
            .files(out)
            .into_iter()
            .filter(|f| f.extension().is_some_and(|e| e == "wav"))
        {
            let bytes = fs::read(root.join(&file)).unwrap();
            found.insert(file, bytes);
        }
        found
    }

    /// Returns every file under a folder, relative to it, sorted.
    pub fn files(&self, out: &str) -> Vec<PathBuf> {
        let root = self.path(out);
        let (mut found, mut folders) = (Vec::new(), vec![root.clone()]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.push(path.strip_prefix(&root).unwrap().to_owned());
                }
            }
        }
        found.sort();
        found
    }
}

/// Returns the values that the program printed, one per line.
pub fn lines(ended: &Ended) -> Vec<Value> {
    ended
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Returns the number of lines with a status.
pub fn count(lines: &[Value], status: &str) -> usize {
    lines.iter().filter(|line| line["status"] == status).count()
}

/// Returns the line of an item.
#[track_caller]
pub fn line<'a>(lines: &'a [Value], id: &str) -> &'a Value {
    lines
        .iter()
        .find(|line| line["id"] == id)
        .unwrap_or_else(|| panic!("no line of {id}"))
}
