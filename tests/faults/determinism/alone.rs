//! The mixes as a program of their own: writes them into the folder it is given, so that builds of other kinds can be
//! compared by the hash of what they write. `.ci/determinism` builds and runs it.

mod mix;

use std::{fs, path::PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or("which folder?")?);
    for kind in mix::KINDS {
        let session = mix::session(&folder, kind);
        let samples = mix::rendered(&session, 1024, 2, 0, u64::MAX)?;
        let file = mix::file(&session, kind, &folder.join("file.wav"))?;
        let name = format!("{kind:?}").to_lowercase();
        fs::write(folder.join(name), [mix::bytes(&samples), file].concat())?;
    }
    Ok(())
}
