//! How much memory a process has had.

/// The most resident memory of a running process so far, in KiB: its number, or `self`. `None` where the system does not
/// tell. What is told of one that has ended begins with the memory of its parent.
pub fn high_water(process: impl std::fmt::Display) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status
        .lines()
        .find_map(|l| l.strip_prefix("VmHWM:"))?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}
