//! Writes the seeds into `corpus/open`, `corpus/flac`, `corpus/session`, `corpus/interchange` and `corpus/render` of the current folder. Small files of folders
//! that are named as arguments are added to `corpus/open`.

use soundtrack_test_support::fuzzing::seeds;
use std::{fs, path::Path};

/// Maximum size of an added file in bytes. Larger files slow a fuzzer down and reach little new code.
const MAX_SEED_BYTES: u64 = 16 * 1024;

fn main() -> std::io::Result<()> {
    let stems = seeds::stems();
    let write = |target: &str, name: &str, data: &[u8]| {
        let folder = Path::new("corpus").join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(name), data)
    };
    for (name, data) in &stems {
        write("open", name, data)?;
    }
    for (n, data) in seeds::flac_frames(&stems).iter().enumerate() {
        write("flac", &format!("seed-{n}"), data)?;
    }
    for (n, data) in seeds::sessions().iter().enumerate() {
        write("session", &format!("seed-{n}"), data)?;
    }
    for (n, data) in seeds::interchange().iter().enumerate() {
        write("interchange", &format!("seed-{n}"), data)?;
    }
    for (n, data) in seeds::pairs(&stems).iter().enumerate() {
        write("render", &format!("seed-{n}"), data)?;
    }
    let mut folders: Vec<_> = std::env::args_os().skip(1).map(std::path::PathBuf::from).collect();
    let mut more = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if fs::metadata(&path)?.len() <= MAX_SEED_BYTES {
                write("open", &format!("data-{more}"), &fs::read(&path)?)?;
                more += 1;
            }
        }
    }
    println!("{} stems made, {more} found, {} sessions", stems.len(), seeds::sessions().len());
    Ok(())
}
