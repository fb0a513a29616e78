//! Very long WAV files that take little room: holes on the disk, with a short burst of music every ten seconds.
//!
//! A reader pays for a hole as for any page of a warm cache; only the disk does not.

use super::{lower_bounds::header, workloads::LEVEL};
use soundtrack_cli::demo::musical::musical;
use std::{
    fs::{self, File},
    io::{self, Seek, SeekFrom, Write},
    path::Path,
};

/// Seconds from one burst to the next.
const EVERY: usize = 10;

/// Makes a file of whole numbers at 48 kHz, mono or stereo, where it is not there yet.
pub fn wav(path: &Path, seed: u64, seconds: u64, channels: u16, bits: u16) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let width = usize::from(channels * bits / 8);
    let second = 48_000 * width as u64;
    let size =
        u32::try_from(seconds * second).map_err(|_| io::Error::other("too long for a WAV file"))?;
    let take = musical(seed, 48_000, 48_000 + 4096);
    let frames = (48_000..).take(4096 / width);
    let samples = frames.flat_map(|i| take[..usize::from(channels)].iter().map(move |c| c[i]));
    let burst: Vec<u8> = samples
        .flat_map(|x| {
            whole(x, bits)
                .to_le_bytes()
                .into_iter()
                .take(usize::from(bits / 8))
        })
        .collect();
    let part = path.with_extension("part");
    let mut file = File::create(&part)?;
    file.write_all(&header(size, channels, bits))?;
    file.set_len(u64::from(size) + 44)?;
    for at in (0..seconds).step_by(EVERY) {
        file.seek(SeekFrom::Start(44 + at * second))?;
        file.write_all(&burst)?;
    }
    fs::rename(part, path)
}

/// Returns a sample at the level of the workloads, as an integer.
pub fn whole(sample: f64, bits: u16) -> i32 {
    (sample * LEVEL * f64::from(1u32 << (bits - 1))).round() as i32
}
