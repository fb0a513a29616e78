//! The mixes as a program of their own: writes them into the folder it is given, so that builds of other kinds can be
//! compared by the hash of what they write. With two files of samples it says how far they are apart, and fails where that
//! is more than the last of 24 bits. `.ci/determinism` builds and runs it.

mod mix;

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The last of 24 bits.
const LAST_BIT: f64 = 1.0 / 8_388_608.0;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    match paths.as_slice() {
        [folder] => write(folder),
        [one, other] => compare(&samples(one)?, &samples(other)?),
        _ => Err("which folder, or which two files?".into()),
    }
}

fn write(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    for kind in mix::KINDS {
        let session = mix::session(folder, kind);
        let samples = mix::bytes(&mix::rendered(&session, 1024, 2, 0, u64::MAX)?);
        let file = mix::file(&session, kind, &folder.join("file.wav"))?;
        let name = format!("{kind:?}").to_lowercase();
        fs::write(folder.join(format!("{name}.samples")), &samples)?;
        fs::write(folder.join(name), [samples, file].concat())?;
    }
    Ok(())
}

fn samples(path: &Path) -> std::io::Result<Vec<f64>> {
    let bytes = fs::read(path)?;
    Ok(bytes.as_chunks().0.iter().map(|sample| f64::from_le_bytes(*sample)).collect())
}

fn compare(one: &[f64], other: &[f64]) -> Result<(), Box<dyn std::error::Error>> {
    let apart = one.iter().zip(other).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    println!("{} samples, at most {apart:.1e} apart", one.len());
    if one.len() == other.len() && apart <= LAST_BIT { Ok(()) } else { Err("that is too far".into()) }
}
