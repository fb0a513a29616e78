//! The demo's music: a short piece for seven players, written as stems in many formats, rates, depths and layouts.
//!
//! ```text
//! score ─► drums, bass, keys, ... (each at its own rate) ─► encode ─► a file each
//! ```
//!
//! Every stem starts at frame 0 and lasts 32 s. The same bytes come out every time on one machine. The level of
//! each stem in the mix is its player's business, not its file's: [`Stem`] says how the demo mixes it.

pub mod aiff;
mod bass;
pub mod caf;
mod drums;
pub mod encode;
mod filter;
mod guitar;
mod keys;
mod lead;
pub mod musical;
mod noise;
mod pad;
pub mod reel;
mod room;
mod score;
mod shaker;
mod tape;
mod tone;

use encode::Format;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A stem on disk and how the demo mixes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stem {
    /// The player's name.
    pub name: &'static str,
    /// Where the file is, inside the folder it was written to.
    pub file: PathBuf,
    /// Its gain in the mix.
    pub gain_db: f64,
    /// Its place: −1 left, +1 right.
    pub pan: f64,
    /// The bus it goes through.
    pub bus: &'static str,
}

/// A player: what they play, how it is kept, and how it is mixed.
struct Player {
    file: &'static str,
    record: fn(f64) -> Vec<Vec<f64>>,
    rate: u32,
    format: Format,
    gain_db: f64,
    pan: f64,
    bus: &'static str,
}

#[rustfmt::skip]
const BAND: [Player; 7] = [
    Player { file: "drums.flac",  record: drums::record,  rate: 48_000, format: Format::Flac(24), gain_db: -0.5, pan: 0.0,   bus: "rhythm" },
    Player { file: "shaker.flac", record: shaker::record, rate: 44_100, format: Format::Flac(16), gain_db: -2.5, pan: 0.4,   bus: "rhythm" },
    Player { file: "bass.wav",    record: bass::record,   rate: 44_100, format: Format::Wav(16),  gain_db: -5.5, pan: 0.0,   bus: "rhythm" },
    Player { file: "keys.wav",    record: keys::record,   rate: 48_000, format: Format::Wav(24),  gain_db: -4.0, pan: 0.1,   bus: "band" },
    Player { file: "guitar.caf",  record: guitar::record, rate: 48_000, format: Format::Caf(24),  gain_db: -1.5, pan: -0.45, bus: "band" },
    Player { file: "pad.wav",     record: pad::record,    rate: 96_000, format: Format::WavFloat, gain_db: -7.0, pan: 0.0,   bus: "band" },
    Player { file: "lead.aiff",   record: lead::record,   rate: 44_100, format: Format::Aiff(24), gain_db: -5.5, pan: 0.0,   bus: "tune" },
];

/// Makes the music and writes a file for each player into `folder`, which is created where it does not exist.
///
/// # Errors
/// What the file system or an encoder refuses.
pub fn write_stems(folder: &Path) -> io::Result<Vec<Stem>> {
    fs::create_dir_all(folder)?;
    BAND.iter()
        .map(|player| {
            let file = folder.join(player.file);
            let take = (player.record)(f64::from(player.rate));
            encode::write(&file, player.format, player.rate, &take)?;
            let name = player.file.split('.').next().unwrap_or(player.file);
            Ok(Stem {
                name,
                file,
                gain_db: player.gain_db,
                pan: player.pan,
                bus: player.bus,
            })
        })
        .collect()
}
