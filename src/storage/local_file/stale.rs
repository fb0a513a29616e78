//! Temporaries that a killed process left behind: how they are told from those of others, and taken away.

use super::{PREFIX, SUFFIX, journal};
use std::{
    collections::HashMap,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    sync::{LazyLock, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long a look into a folder holds good: a folder of 100 000 files is read through in tens of milliseconds.
const FRESH: Duration = Duration::from_secs(60);
/// Folders remembered at the most.
const MOST_FOLDERS: usize = 1024;

/// When this process last looked into which folder.
static LOOKED: LazyLock<Mutex<HashMap<PathBuf, Instant>>> = LazyLock::new(Mutex::default);

/// Removes temporaries of processes that are certainly gone, at most once a minute in a folder. What cannot be removed does
/// no harm and stays.
pub(super) fn sweep(folder: &Path) {
    let mut looked = LOOKED.lock().unwrap_or_else(PoisonError::into_inner);
    if looked
        .get(folder)
        .is_some_and(|then| then.elapsed() < FRESH)
    {
        return;
    }
    if looked.len() == MOST_FOLDERS {
        looked.clear();
    }
    looked.insert(folder.to_owned(), Instant::now());
    drop(looked);
    remove(folder);
}

fn remove(folder: &Path) {
    // Temporaries that a journal names are to appear, or to go with the others.
    journal::recover(folder);
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if is_gone(&entry.file_name(), SUFFIX) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether a file with this suffix was made on this machine by a process that is certainly gone.
pub(super) fn is_gone(name: &OsStr, suffix: &str) -> bool {
    // Elsewhere than on Linux it cannot be told from the file system whether a process lives.
    process(name, suffix).is_some_and(|id| {
        Path::new("/proc/self/stat").exists() && !Path::new(&format!("/proc/{id}")).exists()
    })
}

/// The process that made a file with this suffix on this machine.
fn process(name: &OsStr, suffix: &str) -> Option<u32> {
    let name = name.to_str()?.strip_prefix(PREFIX)?;
    let here = format!("{:016x}", machine());
    let (target, rest) = name.strip_suffix(suffix)?.split_once('-')?;
    let (machine, rest) = rest.split_once('-')?;
    let (process, random) = rest.split_once('-')?;
    let ours = target.len() == here.len() && machine == here && !random.is_empty();
    ours.then(|| process.parse().ok()).flatten()
}

/// What tells this machine, and the part of it whose processes can be seen, from another that shares a folder with it.
pub(super) fn machine() -> u64 {
    let mut seed = fs::read("/etc/machine-id").unwrap_or_default();
    seed.extend(fs::read("/proc/sys/kernel/hostname").unwrap_or_default());
    seed.extend(
        fs::read_link("/proc/self/ns/pid")
            .unwrap_or_default()
            .as_os_str()
            .as_encoded_bytes(),
    );
    hash(&seed)
}

/// FNV-1a: the same in every build, unlike the standard library's hashers.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |h, b| {
        (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01B3)
    })
}
