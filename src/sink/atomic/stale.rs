//! Temporaries that a killed process left behind: how they are told from those of others, and taken away.

use super::SUFFIX;
use std::{fs, path::Path};

/// Removes temporaries of processes that are certainly gone. What cannot be removed does no harm and stays.
pub(super) fn sweep(folder: &Path, stem: &str) {
    // Elsewhere than on Linux it cannot be told from the file system whether a process lives.
    if !Path::new("/proc/self/stat").exists() {
        return;
    }
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let rest = name.to_str().and_then(|n| n.strip_prefix(stem)).and_then(|n| n.strip_suffix(SUFFIX));
        let process = rest.and_then(|r| r.split('-').next()).and_then(|p| p.parse::<u32>().ok());
        if let Some(id) = process
            && !Path::new(&format!("/proc/{id}")).exists()
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// What tells this machine, and the part of it whose processes can be seen, from another that shares a folder with it.
pub(super) fn machine() -> u64 {
    let mut seed = fs::read("/etc/machine-id").unwrap_or_default();
    seed.extend(fs::read("/proc/sys/kernel/hostname").unwrap_or_default());
    seed.extend(fs::read_link("/proc/self/ns/pid").unwrap_or_default().as_os_str().as_encoded_bytes());
    hash(&seed)
}

/// FNV-1a: the same in every build, unlike the standard library's hashers.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01B3))
}
