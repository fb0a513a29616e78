//! Recognises and removes the temporaries of killed processes.

use super::{PREFIX, SUFFIX, journal};
use std::{
    collections::HashMap,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    sync::{LazyLock, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Minimum time between two scans of a folder. Scanning 100,000 files takes tens of milliseconds.
const SCAN_INTERVAL: Duration = Duration::from_secs(60);
/// Maximum number of folders remembered.
const MAX_FOLDERS: usize = 1024;

/// Time of the last scan of each folder.
static LAST_SCAN: LazyLock<Mutex<HashMap<PathBuf, Instant>>> = LazyLock::new(Mutex::default);

/// Removes the temporaries of processes that no longer run, at most once a minute per folder.
/// Errors are ignored, since a remaining temporary is harmless.
pub(super) fn sweep(folder: &Path) {
    let mut last_scan = LAST_SCAN.lock().unwrap_or_else(PoisonError::into_inner);
    if last_scan
        .get(folder)
        .is_some_and(|then| then.elapsed() < SCAN_INTERVAL)
    {
        return;
    }
    if last_scan.len() == MAX_FOLDERS {
        last_scan.clear();
    }
    last_scan.insert(folder.to_owned(), Instant::now());
    drop(last_scan);
    remove_stale(folder);
}

fn remove_stale(folder: &Path) {
    // Files listed in a journal must first be published or rolled back.
    journal::recover(folder);
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if is_gone(&entry.file_name(), SUFFIX) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Returns true if a file with this suffix was created on this machine by a process that no longer
/// runs.
pub(super) fn is_gone(name: &OsStr, suffix: &str) -> bool {
    // Only Linux shows in the file system which processes run.
    creator(name, suffix).is_some_and(|id| {
        Path::new("/proc/self/stat").exists() && !Path::new(&format!("/proc/{id}")).exists()
    })
}

/// Returns the process that created a file with this suffix on this machine.
fn creator(name: &OsStr, suffix: &str) -> Option<u32> {
    let name = name.to_str()?.strip_prefix(PREFIX)?;
    let this_machine = format!("{:016x}", machine_id());
    let (target, rest) = name.strip_suffix(suffix)?.split_once('-')?;
    let (machine_id, rest) = rest.split_once('-')?;
    let (process, random) = rest.split_once('-')?;
    let ours =
        target.len() == this_machine.len() && machine_id == this_machine && !random.is_empty();
    ours.then(|| process.parse().ok()).flatten()
}

/// Returns an identifier of this machine and process namespace, to distinguish it from others that
/// share the folder.
pub(super) fn machine_id() -> u64 {
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

/// Returns the FNV-1a hash, which is the same in every build, unlike the hashers of the standard
/// library.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |h, b| {
        (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01B3)
    })
}
