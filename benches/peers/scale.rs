//! Measures whether cost grows only with the work: 4 to 1000 stems with few open files allowed, ten hours, a seek into the
//! middle.
//!
//! Many stems are hard links to few files: as many names to open, little space on the disk.

use super::{
    measure::{Cost, measure, median},
    peer::{Line, Tools},
    sparse, workloads,
};
use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Seconds of a stem.
const SECONDS: u64 = 10;
const COUNTS: [usize; 4] = [4, 32, 128, 1000];
const HOUR: u64 = 3600;
/// Open files allowed: what some systems begin with.
const FEW: usize = 256;

pub struct Scale<'a> {
    pub ours: &'a Path,
    pub folder: &'a Path,
    pub out: &'a Path,
    pub tools: &'a Tools,
    pub runs: usize,
}

impl Scale<'_> {
    /// Runs all measurements.
    ///
    /// # Errors
    /// Passes on the errors of the file system and the programs.
    pub fn run(&self) -> Result<(), String> {
        fs::create_dir_all(self.folder).map_err(|e| e.to_string())?;
        self.counts()?;
        self.hours()?;
        self.jump()
    }

    /// Medians of mixing with few open files allowed.
    fn mix(&self, inputs: &[PathBuf], more: &[&str]) -> Result<Cost, String> {
        let out = self.out.join("scale.wav");
        let limited = format!("ulimit -n {FEW}; exec \"$0\" \"$@\"");
        let line = Line::of(Path::new("sh"))
            .words(&["-c", &limited])
            .files(&[self.ours.into()])
            .files(inputs);
        let command: Vec<OsString> = line
            .words(&["-q", "--force"])
            .words(more)
            .words(&["-o"])
            .files(std::slice::from_ref(&out))
            .0;
        measure(&command)?;
        let mut costs = Vec::new();
        for _ in 0..self.runs {
            fs::remove_file(&out).map_err(|e| e.to_string())?;
            costs.push(measure(&command)?);
            File::open(&out)
                .and_then(|f| f.sync_all())
                .map_err(|e| e.to_string())?;
        }
        fs::remove_file(&out).map_err(|e| e.to_string())?;
        let of = |what: fn(&Cost) -> f64| median(costs.iter().map(what));
        Ok(Cost {
            wall: of(|c| c.wall),
            cpu: of(|c| c.cpu),
            peak: of(|c| c.peak),
        })
    }

    fn counts(&self) -> Result<(), String> {
        for ending in ["wav", "flac"] {
            println!(
                "\n{SECONDS} s stems, {}, ulimit -n {FEW}, {} runs",
                ending.to_uppercase(),
                self.runs
            );
            println!(
                "  {:>6} {:>8} {:>8} {:>18} {:>22} {:>9}",
                "stems", "wall s", "CPU s", "CPU ms/stem-s", "of one more", "peak MiB"
            );
            let mut rows: Vec<(f64, Cost)> = Vec::new();
            for n in COUNTS {
                let folder = [self.many(n, ending)?];
                let cost = self.mix(&folder, &[])?;
                let per = |cpu: f64, stems: f64| cpu * 1000.0 / stems / SECONDS as f64;
                let more = rows
                    .last()
                    .map(|(m, less)| per(cost.cpu - less.cpu, n as f64 - m));
                let more = more.map(|ms| format!("{ms:.3}")).unwrap_or_default();
                let each = per(cost.cpu, n as f64);
                println!(
                    "  {n:>6} {:>8.3} {:>8.3} {each:>18.3} {more:>22} {:>9.1}",
                    cost.wall, cost.cpu, cost.peak
                );
                rows.push((n as f64, cost));
            }
            if let (Some((few, first)), Some((many, last))) = (rows.first(), rows.last()) {
                let mib = (last.peak - first.peak) / (many - few);
                println!("  peak memory of one more stem: {mib:.3} MiB (aim <= 0.75)");
            }
        }
        Ok(())
    }

    /// Creates a folder of `n` stems.
    fn many(&self, n: usize, ending: &str) -> Result<PathBuf, String> {
        let folder = self.folder.join(format!("{n}-{ending}"));
        fs::create_dir_all(&folder).map_err(|e| e.to_string())?;
        let few = (0..COUNTS[0] as u64).map(|seed| {
            let wav =
                workloads::wav(self.folder, seed, 48_000, SECONDS).map_err(|e| e.to_string())?;
            if ending == "flac" {
                workloads::flac(&wav, self.tools)
            } else {
                Ok(wav)
            }
        });
        let few: Vec<_> = few.collect::<Result<_, _>>()?;
        for i in 0..n {
            link(
                &few[i % few.len()],
                &folder.join(format!("{i:04}.{ending}")),
            )
            .map_err(|e| e.to_string())?;
        }
        Ok(folder)
    }

    /// Compares ten hours with ten minutes: one mono stem of 16 bits, which fits a plain WAV file.
    fn hours(&self) -> Result<(), String> {
        println!("\none mono stem of 16 bits, into the same");
        for (name, seconds) in [("10 min", 600), ("10 h", 10 * HOUR)] {
            let path = self.folder.join(format!("{seconds}s-mono.wav"));
            sparse::wav(&path, 1, seconds, 1, 16).map_err(|e| e.to_string())?;
            let once = Self { runs: 1, ..*self };
            let cost = once.mix(&[path], &["--layout", "mono", "--format", "wav16"])?;
            println!(
                "  {name:<8} wall {:.3} s, CPU {:.3} s, peak {:.1} MiB",
                cost.wall, cost.cpu, cost.peak
            );
        }
        Ok(())
    }

    /// Renders ten seconds from the middle of three hours.
    fn jump(&self) -> Result<(), String> {
        println!("\n64 stems of 3 h, 1h30m..1h30m10s (aim <= 300 ms)");
        let wav = self.folder.join("3h.wav");
        sparse::wav(&wav, 1, 3 * HOUR, 2, 24).map_err(|e| e.to_string())?;
        let flac = self.folder.join("3h.flac");
        let kinds = [
            ("wav", Ok(wav)),
            ("flac", self.long_flac(&flac).map(|()| flac)),
        ];
        for (ending, file) in kinds {
            let file = match file {
                Ok(file) => file,
                Err(why) => {
                    println!("  {:<5} left out: {why}", ending.to_uppercase());
                    continue;
                }
            };
            let folder = self.folder.join(format!("3h-{ending}"));
            fs::create_dir_all(&folder).map_err(|e| e.to_string())?;
            for i in 0..64 {
                link(&file, &folder.join(format!("{i:02}.{ending}"))).map_err(|e| e.to_string())?;
            }
            let cost = self.mix(&[folder], &["--range", "1h30m..1h30m10s"])?;
            let name = ending.to_uppercase();
            println!(
                "  {name:<5} wall {:>6.0} ms, CPU {:>6.0} ms, peak {:.1} MiB",
                cost.wall * 1e3,
                cost.cpu * 1e3,
                cost.peak
            );
        }
        Ok(())
    }

    /// Pipes three hours of music, a repeated minute, into an encoder: frames as large as those of music, so that finding
    /// one is as hard as in life.
    fn long_flac(&self, path: &Path) -> Result<(), String> {
        if path.exists() {
            return Ok(());
        }
        let part = path.with_extension("flac-part");
        let mut command = if let Some(flac) = &self.tools.flac {
            let mut command = Command::new(flac);
            command.args([
                "--silent",
                "--force",
                "-1",
                "--force-raw-format",
                "--endian=little",
                "--sign=signed",
            ]);
            command.args(["--channels=2", "--bps=24", "--sample-rate=48000"]);
            command
                .arg(format!("--input-size={}", 3 * HOUR * 48_000 * 6))
                .arg("-o")
                .arg(&part)
                .arg("-");
            command
        } else if let Some(ffmpeg) = self.tools.ffmpegs.first() {
            let mut command = Command::new(&ffmpeg.program);
            command.args([
                "-hide_banner",
                "-loglevel",
                "error",
                "-y",
                "-f",
                "s24le",
                "-ar",
                "48000",
                "-ac",
                "2",
            ]);
            command
                .args([
                    "-i",
                    "-",
                    "-c:a",
                    "flac",
                    "-compression_level",
                    "1",
                    "-f",
                    "flac",
                ])
                .arg(&part);
            command
        } else {
            return Err("needs flac or ffmpeg to encode three hours".to_owned());
        };
        println!("  (encoding three hours once)");
        let [left, right] = soundtrack_cli::demo::musical::musical(1, 48_000, 60 * 48_000);
        let samples = left.iter().zip(&right).flat_map(|(l, r)| [*l, *r]);
        let minute: Vec<u8> = samples
            .flat_map(|x| sparse::whole(x, 24).to_le_bytes().into_iter().take(3))
            .collect();
        let mut child = command
            .stdin(Stdio::piped())
            .spawn()
            .map_err(|e| e.to_string())?;
        if let Some(mut pipe) = child.stdin.take() {
            (0..180)
                .try_for_each(|_| pipe.write_all(&minute))
                .map_err(|e| e.to_string())?;
        }
        if !child.wait().is_ok_and(|status| status.success()) {
            return Err("the encoder failed".to_owned());
        }
        fs::rename(part, path).map_err(|e| e.to_string())
    }
}

fn link(from: &Path, to: &Path) -> io::Result<()> {
    if to.exists() {
        Ok(())
    } else {
        fs::hard_link(from, to).or_else(|_| fs::copy(from, to).map(drop))
    }
}
