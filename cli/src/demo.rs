//! The music of the demo: a short piece for seven instruments, written as stems of many formats, rates, depths and layouts.
//!
//! ```text
//! score ─► drums, bass, keys, ... (each at its own rate) ─► recording ─► encode ─► a file each
//!          built from synth, filter, delay_line, random, reverb
//! ```
//!
//! Every stem starts at frame 0 and lasts 32 s. One machine writes the same bytes every time. Each file is near full scale;
//! its level in the mix is that of its [`Stem`].

pub mod aiff;
mod bass;
pub mod caf;
mod delay_line;
mod drums;
pub mod encode;
mod filter;
mod guitar;
mod keys;
mod lead;
pub mod musical;
mod pad;
mod random;
mod recording;
pub mod reel;
mod reverb;
mod score;
mod shaker;
mod synth;

use encode::Format;
use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

/// A stem on disk and how the demo mixes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stem {
    /// Name of the instrument.
    pub name: &'static str,
    /// Path of the file, which begins with the folder it was written to.
    pub file: PathBuf,
    /// Gain in the mix.
    pub gain_db: f64,
    /// Pan: −1 left, +1 right.
    pub pan: f64,
    /// Bus in the mix.
    pub bus: &'static str,
}

/// An instrument: how it is synthesised, stored and mixed.
struct Instrument {
    file: &'static str,
    record: fn(f64) -> Vec<Vec<f64>>,
    rate: u32,
    format: Format,
    gain_db: f64,
    pan: f64,
    bus: &'static str,
}

#[rustfmt::skip]
const INSTRUMENTS: [Instrument; 7] = [
    Instrument { file: "drums.flac",  record: drums::record,  rate: 48_000, format: Format::Flac(24), gain_db: -0.5, pan: 0.0,   bus: "rhythm" },
    Instrument { file: "shaker.flac", record: shaker::record, rate: 44_100, format: Format::Flac(16), gain_db: -2.5, pan: 0.4,   bus: "rhythm" },
    Instrument { file: "bass.wav",    record: bass::record,   rate: 44_100, format: Format::Wav(16),  gain_db: -5.5, pan: 0.0,   bus: "rhythm" },
    Instrument { file: "keys.wav",    record: keys::record,   rate: 48_000, format: Format::Wav(24),  gain_db: -4.0, pan: 0.1,   bus: "band" },
    Instrument { file: "guitar.caf",  record: guitar::record, rate: 48_000, format: Format::Caf(24),  gain_db: -1.5, pan: -0.45, bus: "band" },
    Instrument { file: "pad.wav",     record: pad::record,    rate: 96_000, format: Format::WavFloat, gain_db: -7.0, pan: 0.0,   bus: "band" },
    Instrument { file: "lead.aiff",   record: lead::record,   rate: 44_100, format: Format::Aiff(24), gain_db: -5.5, pan: 0.0,   bus: "tune" },
];

impl Instrument {
    /// Returns the stem of the instrument in `folder`.
    fn stem(&self, folder: &Path) -> Stem {
        Stem {
            name: self.file.split('.').next().unwrap_or(self.file),
            file: folder.join(self.file),
            gain_db: self.gain_db,
            pan: self.pan,
            bus: self.bus,
        }
    }
}

/// Hidden file in the folder of the stems whose time says when all of them were complete.
const MARKER: &str = ".complete";

/// Notes that all stems in `folder` are complete, for [`finished_stems`].
///
/// # Errors
/// Passes on the errors of the file system.
pub fn mark_finished(folder: &Path) -> io::Result<()> {
    fs::write(folder.join(MARKER), "")
}

/// Returns the stems in `folder` if they were marked as complete by this program and none has changed since. An earlier
/// build of the program may have synthesised other music.
#[must_use]
pub fn finished_stems(folder: &Path) -> Option<Vec<Stem>> {
    let modified = |path: &Path| fs::metadata(path).and_then(|meta| meta.modified()).ok();
    let completed = modified(&folder.join(MARKER))?;
    let program = modified(&env::current_exe().ok()?)?;
    let stems = INSTRUMENTS.map(|instrument| instrument.stem(folder));
    let is_old = |stem: &Stem| modified(&stem.file).is_some_and(|at| at <= completed);
    (program <= completed && stems.iter().all(is_old)).then(|| stems.to_vec())
}

/// Synthesises the music and writes a file for each instrument into `folder`, which is created if it does not exist.
///
/// # Errors
/// Passes on the errors of the file system and the encoders.
pub fn write_stems(folder: &Path) -> io::Result<Vec<Stem>> {
    fs::create_dir_all(folder)?;
    let mut stems = Vec::new();
    for instrument in INSTRUMENTS {
        let stem = instrument.stem(folder);
        let channels = (instrument.record)(f64::from(instrument.rate));
        encode::write(&stem.file, instrument.format, instrument.rate, &channels)?;
        stems.push(stem);
    }
    Ok(stems)
}
