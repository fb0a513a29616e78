//! Makes the stems of the workloads by code and keeps them between runs: the same samples on every machine.
//!
//! ```text
//! W1  16 WAV 48 kHz 24 bit            W3  W1 and 8 WAV 44.1 kHz 24 bit
//! W2  the same 16 as FLAC             W4  8 MP3 192k, 4 Vorbis q5, 4 AAC 192k of the same music
//! W5  64 WAV of an hour, sparse
//! ```

use super::{peer::Tools, sparse};
use soundtrack_cli::demo::{encode, musical};
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Amplitude of the stems: two dozen of them together stay below full scale, so that no mixer clips.
pub const LEVEL: f64 = 1.0 / 8.0;

/// Stems to mix at unity, and the bounds of the result.
pub struct Workload {
    pub name: &'static str,
    /// Number and format of the stems.
    pub description: String,
    pub stems: Vec<PathBuf>,
    /// Number of stems, at the end of the list, at 44.1 kHz.
    pub slower: usize,
    /// Seconds of all stems together.
    pub seconds: f64,
    /// Maximum distance of the peers' sums from ours, in dBFS.
    pub bound: f64,
    /// Target of our wall time, divided by that of the fastest peer.
    pub aim: f64,
    /// Number of measured rounds.
    pub runs: usize,
}

/// Makes the missing stems of a workload.
pub fn make(
    name: &'static str,
    seconds: u64,
    folder: &Path,
    tools: &Tools,
) -> Result<Workload, String> {
    let failed = |e: io::Error| format!("{name}: {e}");
    // A change of the material changes the folder's name.
    let here = folder.join(format!("{seconds}s-v1"));
    fs::create_dir_all(&here).map_err(failed)?;
    let w1 = || {
        (0..16)
            .map(|i| wav(&here, i, 48_000, seconds))
            .collect::<io::Result<Vec<_>>>()
            .map_err(failed)
    };
    let work = |description: String, stems: Vec<PathBuf>, bound, aim| {
        let all = stems.len() as f64 * seconds as f64;
        Workload {
            name,
            description,
            stems,
            slower: 0,
            seconds: all,
            bound,
            aim,
            runs: 5,
        }
    };
    Ok(match name {
        "W1" => work(
            format!("16 x {seconds} s stereo WAV 48 kHz 24 bit"),
            w1()?,
            -120.0,
            0.22,
        ),
        "W2" => {
            let stems = w1()?
                .iter()
                .map(|stem| flac(stem, tools))
                .collect::<Result<_, _>>()?;
            work(
                format!("the same 16 x {seconds} s as FLAC"),
                stems,
                -120.0,
                0.35,
            )
        }
        "W3" => {
            let mut stems = w1()?;
            for i in 16..24 {
                stems.push(wav(&here, i, 44_100, seconds).map_err(failed)?);
            }
            // The floor of noise reaches beyond 20 kHz, where resamplers fade out differently.
            let work = work(
                format!("W1 and 8 x {seconds} s WAV 44.1 kHz 24 bit"),
                stems,
                -60.0,
                0.26,
            );
            Workload { slower: 8, ..work }
        }
        "W4" => {
            let stems = w1()?
                .iter()
                .enumerate()
                .map(|(i, stem)| lossy(i, stem, tools))
                .collect::<Result<_, _>>()?;
            // Decoders in single precision, each with its own transforms.
            work(
                format!("8 MP3 192k, 4 Vorbis q5, 4 AAC 192k of {seconds} s"),
                stems,
                -90.0,
                0.40,
            )
        }
        _ => {
            let here = folder.join("film-v1");
            fs::create_dir_all(&here).map_err(failed)?;
            let stem = |i| {
                let path = here.join(format!("{i:02}.wav"));
                sparse::wav(&path, i, 3600, 2, 24).map(|()| path)
            };
            let stems = (0..64)
                .map(stem)
                .collect::<io::Result<_>>()
                .map_err(failed)?;
            let what = "64 x 60 min stereo WAV 48 kHz 24 bit (sparse)".to_owned();
            Workload {
                runs: 1,
                seconds: 64.0 * 3600.0,
                ..work(what, stems, -120.0, 0.22)
            }
        }
    })
}

/// Writes music into a 24-bit WAV file unless it exists.
pub fn wav(folder: &Path, seed: u64, rate: u32, seconds: u64) -> io::Result<PathBuf> {
    let path = folder.join(format!("{seed:02}.wav"));
    if !path.exists() {
        let take = musical::musical(seed, rate, (seconds * u64::from(rate)) as usize);
        let take = take.map(|c| c.into_iter().map(|x| x * LEVEL).collect::<Vec<_>>());
        let part = path.with_extension("part");
        encode::write(&part, encode::Format::Wav(24), rate, &take)?;
        fs::rename(part, &path)?;
    }
    Ok(path)
}

/// Encodes the same samples as FLAC, with the first encoder that is installed: flac, ffmpeg, flacenc.
pub fn flac(wav: &Path, tools: &Tools) -> Result<PathBuf, String> {
    let path = wav.with_extension("flac");
    if path.exists() {
        return Ok(path);
    }
    let part = wav.with_extension("flac-part");
    if let Some(flac) = &tools.flac {
        run(Command::new(flac)
            .args(["--silent", "--force", "-5", "-o"])
            .arg(&part)
            .arg(wav))?;
    } else if let Some(ffmpeg) = tools.ffmpegs.first() {
        run(Command::new(&ffmpeg.program)
            .args(QUIET)
            .arg(wav)
            .args(["-c:a", "flac", "-f", "flac"])
            .arg(&part))?;
    } else {
        let mut read = hound::WavReader::open(wav).map_err(|e| e.to_string())?;
        let full = 8_388_608.0;
        let mut take = vec![Vec::new(), Vec::new()];
        for (i, sample) in read.samples::<i32>().enumerate() {
            take[i % 2].push(f64::from(sample.map_err(|e| e.to_string())?) / full);
        }
        encode::write(&part, encode::Format::Flac(24), 48_000, &take).map_err(|e| e.to_string())?;
    }
    fs::rename(part, &path).map_err(|e| e.to_string())?;
    Ok(path)
}

const QUIET: [&str; 6] = ["-nostdin", "-hide_banner", "-loglevel", "error", "-y", "-i"];

fn lossy(i: usize, wav: &Path, tools: &Tools) -> Result<PathBuf, String> {
    let (ending, encoder): (_, &[&str]) = match i {
        0..8 => ("mp3", &["-c:a", "libmp3lame", "-b:a", "192k"]),
        8..12 => ("ogg", &["-c:a", "libvorbis", "-q:a", "5"]),
        // Without noise that every decoder draws for itself.
        _ => ("m4a", &["-c:a", "aac", "-aac_pns", "0", "-b:a", "192k"]),
    };
    let path = wav.with_extension(ending);
    if path.exists() {
        return Ok(path);
    }
    let ffmpeg = tools
        .ffmpegs
        .first()
        .ok_or("W4 needs an ffmpeg to encode its stems")?;
    let part = wav.with_extension(format!("part.{ending}"));
    run(Command::new(&ffmpeg.program)
        .args(QUIET)
        .arg(wav)
        .args(encoder)
        .arg(&part))?;
    fs::rename(part, &path).map_err(|e| e.to_string())?;
    Ok(path)
}

fn run(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().display().to_string();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("{program}: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "{program}: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    ))
}
