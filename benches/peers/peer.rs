//! The other programs: which are installed, and the command line of each.

use super::workloads::Workload;
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

/// Returns the command line that sums the stems of a workload at unity into a file, or why a program cannot.
pub type Sum = fn(&Path, &Workload, &Path) -> Result<Vec<OsString>, String>;

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
    /// Built from `sum_with_kira` into the target folder.
    pub kira: Option<Program>,
    /// Its program `ardour7-export`, or that of another version.
    pub ardour: Option<Program>,
    /// Encodes the stems; alone, it decodes them.
    pub flac: Option<PathBuf>,
}

impl Tools {
    pub fn find(target: &Path) -> Self {
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
        let kira = target
            .join("peers/release/sum_with_kira")
            .with_extension(std::env::consts::EXE_EXTENSION);
        let kira = kira.exists().then(|| Program {
            name: "kira 0.12".to_owned(),
            program: kira,
        });
        let ardour = (6..=9).rev().find_map(|version| {
            let program = format!("ardour{version}-export");
            let text = output_of(&program, &["--version"])?;
            let version = text.split_whitespace().nth(2).unwrap_or("?");
            Some(Program {
                name: format!("Ardour {version}"),
                program: program.into(),
            })
        });
        Self {
            ffmpegs,
            sox,
            pedalboard,
            kira,
            ardour,
            flac,
        }
    }

    /// Returns all programs that mix, each with its command line.
    pub fn peers(&self) -> impl Iterator<Item = (&Program, Sum)> {
        let ffmpegs = self.ffmpegs.iter().map(|program| (program, ffmpeg as Sum));
        ffmpegs.chain(
            [
                (&self.sox, sox as Sum),
                (&self.pedalboard, pedalboard),
                (&self.kira, kira),
                (&self.ardour, ardour),
            ]
            .into_iter()
            .filter_map(|(program, sum)| Some((program.as_ref()?, sum))),
        )
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
        if self.kira.is_none() {
            missing.push(
                "kira: `cargo build --release --manifest-path benches/peers/sum_with_kira/Cargo.toml --target-dir target/peers`",
            );
        }
        if self.ardour.is_none() {
            missing.push("Ardour: install it (Debian: ardour), with python3 to make its sessions");
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
fn ffmpeg(program: &Path, work: &Workload, out: &Path) -> Result<Vec<OsString>, String> {
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
    let line = line.words(&["-filter_complex", &graph, "-map", "[mix]"]);
    let line = line.words(&["-c:a", "pcm_s24le"]);
    Ok(line.files(&[out.into()]).0)
}

/// Returns the command line of a sum at unity by SoX, which needs stems of one rate and does not decode AAC.
fn sox(program: &Path, work: &Workload, out: &Path) -> Result<Vec<OsString>, String> {
    if work.slower > 0 {
        return Err("sox -m takes stems of one rate only".to_owned());
    }
    if work
        .stems
        .iter()
        .any(|stem| stem.extension().is_some_and(|e| e == "m4a"))
    {
        return Err("sox does not read AAC".to_owned());
    }
    let mut line = Line::of(program).words(&["-D", "-V1", "-m"]);
    for stem in &work.stems {
        line = line.words(&["-v", "1"]).files(std::slice::from_ref(stem));
    }
    Ok(line.words(&["-b", "24"]).files(&[out.into()]).0)
}

/// Returns the command line of a sum at unity by pedalboard; fails for formats that it does not read everywhere.
fn pedalboard(program: &Path, work: &Workload, out: &Path) -> Result<Vec<OsString>, String> {
    if work.name == "W4" {
        return Err("it reads AAC on some systems only".to_owned());
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

/// Returns the command line of a sum at unity by kira, rendered offline. It holds all stems in memory.
fn kira(program: &Path, work: &Workload, out: &Path) -> Result<Vec<OsString>, String> {
    let why = match work.name {
        "W1" | "W2" => {
            let line = Line::of(program).files(&[out.into()]);
            return Ok(line.files(&work.stems).0);
        }
        "W3" => "it resamples by four points only",
        "W4" => "it is built without AAC",
        _ => "it would hold all stems in memory, 88 GB",
    };
    Err(why.to_owned())
}

/// Makes a session of Ardour that sums the stems at unity, and returns the command line that exports it.
fn ardour(program: &Path, work: &Workload, out: &Path) -> Result<Vec<OsString>, String> {
    let why = match work.name {
        "W1" | "W2" => None,
        "W5" => Some("it would take the better part of an hour"),
        _ => Some("its session takes WAV and FLAC of one rate"),
    };
    if let Some(why) = why {
        return Err(why.to_owned());
    }
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/benches/peers/make_ardour_session.py"
    );
    let lua = program.to_string_lossy().replace("-export", "-lua");
    let folder = out.with_extension("ardour");
    let frames = (work.seconds / work.stems.len() as f64 * 48_000.0) as u64;
    let made = Command::new("python3")
        .args([script, &lua])
        .arg(&folder)
        .arg(frames.to_string())
        .args(&work.stems)
        .output()
        .map_err(|e| format!("python3: {e}"))?;
    if !made.status.success() {
        return Err(String::from_utf8_lossy(&made.stderr).trim().to_owned());
    }
    Ok(Line::of(program)
        .words(&["-b", "24", "-o"])
        .files(&[out.into(), folder])
        .words(&["mix"])
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
