//! Peak memory of processes.

/// Returns the peak resident memory of a running process in KiB, by its number or `self`; `None` if the system does not report
/// it. That of a process that has ended would include the memory of its parent.
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
