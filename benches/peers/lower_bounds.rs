//! Lower bounds for any mixer, each in its own process: plain loops over WAV files, decoding alone, and copying the files.

use soundtrack::{Block, media};
use std::{
    ffi::OsString,
    fs::File,
    hint::black_box,
    io::{self, Read, Write},
    path::Path,
    process::ExitCode,
    time::Instant,
};

/// Mode of a child: `OUT IN...` reads, sums and writes 24-bit stereo WAV files.
pub const LOOPS: &str = "--child-loops";
/// Mode of a child: `IN...` decodes every stem from start to end and drops the samples.
pub const DECODE: &str = "--child-decode";

/// Mode of a child: `IN...` copies every file, as `cp` does, one after the other into a temporary one.
pub const COPY: &str = "--child-copy";

/// Frames read at a time.
const BLOCK: usize = 16_384;
/// Bytes of a stereo frame of 24 bits.
const WIDTH: usize = 6;

pub fn loops(files: &[OsString]) -> ExitCode {
    exit_code(add(Path::new(&files[0]), &files[1..]).map_err(|e| e.to_string()))
}

pub fn decode(files: &[OsString]) -> ExitCode {
    exit_code(
        files
            .iter()
            .try_for_each(|file| run_through(Path::new(file)).map_err(|e| e.to_string())),
    )
}

pub fn copy(files: &[OsString]) -> ExitCode {
    let copied = tempfile::NamedTempFile::new().and_then(|to| {
        files
            .iter()
            .try_for_each(|from| std::fs::copy(from, to.path()).map(drop))
    });
    exit_code(copied.map_err(|e| e.to_string()))
}

/// Returns the bandwidth of a copy in memory, in 10^9 bytes a second: the best of five of 256 MiB.
pub fn memory_bandwidth() -> f64 {
    let from = vec![1u8; 256 << 20];
    let mut to = vec![0u8; from.len()];
    let copies = (0..5).map(|_| {
        let start = Instant::now();
        to.copy_from_slice(&from);
        black_box(&to);
        from.len() as f64 / start.elapsed().as_secs_f64() / 1e9
    });
    copies.fold(0.0, f64::max)
}

fn exit_code(outcome: Result<(), String>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{e}");
            ExitCode::FAILURE
        }
    }
}

/// Sums WAV files on one thread, without checks and without a temporary file: the lower bound of the time.
fn add(out: &Path, stems: &[OsString]) -> io::Result<()> {
    let mut files = stems
        .iter()
        .map(|stem| data(Path::new(stem)))
        .collect::<io::Result<Vec<_>>>()?;
    let length = files.iter().map(|(_, length)| *length).max().unwrap_or(0);
    let mut out = File::create(out)?;
    out.write_all(&header(length as u32, 2, 24))?;
    let mut bytes = vec![0; BLOCK * WIDTH];
    let mut sum = vec![0.0; BLOCK * 2];
    let mut done = 0;
    while done < length {
        let want = bytes.len().min((length - done) as usize);
        sum.fill(0.0);
        for (file, left) in &mut files {
            let n = want.min(*left as usize);
            file.read_exact(&mut bytes[..n])?;
            *left -= n as u64;
            for (sum, b) in sum.iter_mut().zip(bytes[..n].chunks_exact(3)) {
                *sum += f64::from(i32::from_le_bytes([0, b[0], b[1], b[2]]) >> 8) / 8_388_608.0;
            }
        }
        for (sum, b) in sum.iter().zip(bytes.chunks_exact_mut(3)) {
            let whole = (sum * 8_388_608.0)
                .round_ties_even()
                .clamp(-8_388_608.0, 8_388_607.0) as i32;
            b.copy_from_slice(&whole.to_le_bytes()[..3]);
        }
        out.write_all(&bytes[..want])?;
        done += want as u64;
    }
    Ok(())
}

/// Returns a WAV file at its first sample, and how many bytes of samples follow.
fn data(path: &Path) -> io::Result<(File, u64)> {
    let mut file = File::open(path)?;
    let mut chunk = [0; 12];
    file.read_exact(&mut chunk)?;
    loop {
        let mut chunk = [0; 8];
        file.read_exact(&mut chunk)?;
        let size = u32::from_le_bytes([chunk[4], chunk[5], chunk[6], chunk[7]]);
        if &chunk[..4] == b"data" {
            return Ok((file, size.into()));
        }
        io::copy(&mut (&mut file).take(size.into()), &mut io::sink())?;
    }
}

/// Returns the header of a WAV file of whole numbers at 48 kHz.
pub fn header(bytes: u32, channels: u16, bits: u16) -> [u8; 44] {
    let width = channels * bits / 8;
    let mut header = [0; 44];
    let fields: [&[u8]; 12] = [
        b"RIFF",
        &(bytes + 36).to_le_bytes(),
        b"WAVEfmt ",
        &16u32.to_le_bytes(),
        &1u16.to_le_bytes(),
        &channels.to_le_bytes(),
        &48_000u32.to_le_bytes(),
        &(48_000 * u32::from(width)).to_le_bytes(),
        &width.to_le_bytes(),
        &bits.to_le_bytes(),
        b"data",
        &bytes.to_le_bytes(),
    ];
    let mut at = 0;
    for field in fields {
        header[at..at + field.len()].copy_from_slice(field);
        at += field.len();
    }
    header
}

fn run_through(path: &Path) -> soundtrack::Result<()> {
    let (mut source, info) = media::open(path, None)?;
    let mut block = Block::new(info.spec.layout, BLOCK);
    while source.read(&mut block)? > 0 {}
    Ok(())
}
