//! Writes generated stems of the lighthouse reel, with the names and lengths that its session expects.

use soundtrack_cli::demo::{
    encode::{self, Format},
    musical::musical,
};
use std::{fs, io, path::Path};

/// File, format, rate, channels and seconds.
const STEMS: [(&str, Format, u32, usize, usize); 8] = [
    ("dx_en.wav", Format::Wav(24), 48_000, 1, 60),
    ("1m1_storm/vlns.wav", Format::Wav(24), 48_000, 2, 60),
    ("1m1_storm/celli.wav", Format::Wav(24), 48_000, 1, 60),
    ("1m1_storm/piano_44k.wav", Format::Wav(16), 44_100, 2, 58),
    ("1m1_storm/taikos.flac", Format::Flac(24), 48_000, 1, 45),
    ("1m1_storm/brass.wav", Format::WavFloat, 48_000, 2, 137),
    ("1m3_titles/choir.wav", Format::Wav(24), 48_000, 2, 40),
    ("1m3_titles/harp.wav", Format::Wav(24), 96_000, 1, 30),
];

/// Writes the stems into a folder, which is created if it does not exist.
///
/// # Errors
/// Passes on the errors of the file system and the encoders.
pub fn write(folder: &Path) -> io::Result<()> {
    for (seed, (name, format, rate, channels, seconds)) in (1..).zip(STEMS) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        let planes: Vec<Vec<f64>> = musical(seed, rate, rate as usize * seconds)
            .into_iter()
            .take(channels)
            .collect();
        encode::write(&path, format, rate, &planes)?;
    }
    Ok(())
}
