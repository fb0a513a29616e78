//! The other programs: which are installed, and the command line of each.

use super::workloads::Workload;
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

pub struct Program {
    pub name: String,
    pub program: PathBuf,
}

/// Programs that were found on this machine.
pub struct Tools {
    /// Every ffmpeg, the newest last.
    pub ffmpegs: Vec<Program>,
    pub sox: Option<Program>,
    /// The Python that has pedalboard; `PYTHON` names one, `python3` without.
    pub pedalboard: Option<Program>,
    /// Encodes the stems; alone, it decodes them.
    pub flac: Option<PathBuf>,
}

impl Tools {
    pub fn find() -> Self {
        let named = std::env::var_os("FFMPEG").unwrap_or_else(|| "ffmpeg".into());
        let wheel = output_of(
            "python3",
            &[
                "-c",
                "import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())",
            ],
        );
        let wheel = wheel.map(|path| PathBuf::from(path.trim()));
        let mut ffmpegs: Vec<Program> = Vec::new();
        for program in [Some(PathBuf::from(named)), wheel].into_iter().flatten() {
            let Some(text) = output_of(&program, &["-version"]) else {
                continue;
            };
            let version = text.split_whitespace().nth(2).unwrap_or("?");
            let name = format!(
                "ffmpeg {}",
                version
                    .trim_start_matches('n')
                    .split('-')
                    .next()
                    .unwrap_or(version)
            );
            if ffmpegs.iter().all(|known| known.name != name) {
                ffmpegs.push(Program { name, program });
            }
        }
        let sox = output_of("sox", &["--version"]).map(|text| {
            let version = text
                .split_whitespace()
                .last()
                .unwrap_or("?")
                .trim_start_matches('v');
            Program {
                name: format!("sox {version}"),
                program: "sox".into(),
            }
        });
        let flac = output_of("flac", &["--version"]).map(|_| "flac".into());
        let python = PathBuf::from(std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into()));
        let version = "import numpy, pedalboard; print(pedalboard.__version__)";
        let pedalboard = output_of(&python, &["-c", version]).map(|version| Program {
            name: format!("pedalboard {}", version.trim()),
            program: python,
        });
        Self {
            ffmpegs,
            sox,
            pedalboard,
            flac,
        }
    }

    /// Returns the programs that are missing, and how to get them.
    pub fn missing(&self) -> Vec<&'static str> {
        let mut missing = Vec::new();
        if self.ffmpegs.is_empty() {
            missing.push("ffmpeg: install it, name one by FFMPEG, or `pip install imageio-ffmpeg` for a static one");
        }
        if self.sox.is_none() {
            missing.push("sox: install it (Debian: sox, with libsox-fmt-all)");
        }
        if self.pedalboard.is_none() {
            missing.push(
                "pedalboard: `pip install pedalboard numpy`, in the Python that PYTHON names",
            );
        }
        missing
    }
}

fn output_of(program: impl AsRef<Path>, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program.as_ref())
        .args(arguments)
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A line of arguments.
#[derive(Default)]
pub struct Line(pub Vec<OsString>);

impl Line {
    pub fn of(program: &Path) -> Self {
        Self(vec![program.into()])
    }

    pub fn words(mut self, words: &[&str]) -> Self {
        self.0.extend(words.iter().map(Into::into));
        self
    }

    pub fn files(mut self, files: &[PathBuf]) -> Self {
        self.0.extend(files.iter().map(Into::into));
        self
    }
}

/// Returns the command line of a sum at unity by ffmpeg, with its best resampler if one is needed.
pub fn ffmpeg(program: &Path, work: &Workload, out: &Path) -> Vec<OsString> {
    let mut line =
        Line::of(program).words(&["-nostdin", "-hide_banner", "-loglevel", "error", "-y"]);
    let (mut graph, mut inputs) = (String::new(), String::new());
    for (i, stem) in work.stems.iter().enumerate() {
        line = line.words(&["-i"]).files(std::slice::from_ref(stem));
        if i < work.stems.len() - work.slower {
            inputs += &format!("[{i}:a]");
        } else {
            graph += &format!("[{i}:a]aresample=48000:resampler=soxr:precision=28[r{i}];");
            inputs += &format!("[r{i}]");
        }
    }
    graph += &format!(
        "{inputs}amix=inputs={}:normalize=0:dropout_transition=0[mix]",
        work.stems.len()
    );
    line.words(&[
        "-filter_complex",
        &graph,
        "-map",
        "[mix]",
        "-c:a",
        "pcm_s24le",
    ])
    .files(&[out.into()])
    .0
}

/// Returns the command line of a sum at unity by SoX, which needs stems of one rate and does not decode AAC.
pub fn sox(program: &Path, work: &Workload, out: &Path) -> Result<Vec<OsString>, &'static str> {
    if work.slower > 0 {
        return Err("sox -m takes stems of one rate only");
    }
    if work
        .stems
        .iter()
        .any(|stem| stem.extension().is_some_and(|e| e == "m4a"))
    {
        return Err("sox does not read AAC");
    }
    let mut line = Line::of(program).words(&["-D", "-V1", "-m"]);
    for stem in &work.stems {
        line = line.words(&["-v", "1"]).files(std::slice::from_ref(stem));
    }
    Ok(line.words(&["-b", "24"]).files(&[out.into()]).0)
}

/// Returns the command line of a sum at unity by pedalboard; fails for formats that it does not read everywhere.
pub fn pedalboard(
    program: &Path,
    work: &Workload,
    out: &Path,
) -> Result<Vec<OsString>, &'static str> {
    if work.name == "W4" {
        return Err("it reads AAC on some systems only");
    }
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/benches/peers/sum_with_pedalboard.py"
    );
    Ok(Line::of(program)
        .words(&[script])
        .files(&[out.into()])
        .files(&work.stems)
        .0)
}

/// Returns the command line that decodes FLAC files by libFLAC, one after the other, and drops the samples.
pub fn flac_decoding(program: &Path, work: &Workload) -> Vec<OsString> {
    let decode =
        r#"program=$0; for stem; do "$program" -d -c -s "$stem" >/dev/null || exit 1; done"#;
    Line::of(Path::new("sh"))
        .words(&["-c", decode])
        .files(&[program.into()])
        .files(&work.stems)
        .0
}
