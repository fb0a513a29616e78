//! The signals that end a program, and the one that must not.

use signal_hook::consts::{SIGINT, SIGTERM};

/// The signals that ask a program to end: an interrupt, a termination, and a terminal that is gone, unless the program was
/// started so that it survives that (`nohup`).
pub fn that_end() -> Vec<i32> {
    let mut signals = vec![SIGINT, SIGTERM];
    #[cfg(unix)]
    if !is_ignored(signal_hook::consts::SIGHUP) {
        signals.push(signal_hook::consts::SIGHUP);
    }
    signals
}

/// Lets a write beyond the largest size of a file (`ulimit -f`) fail, where its signal would end the program and leave its
/// temporary file. Without it the program works all the same.
pub fn survive_large_files() {
    #[cfg(unix)]
    drop(signal_hook::flag::register(
        signal_hook::consts::SIGXFSZ,
        std::sync::Arc::default(),
    ));
}

/// Whether a signal was ignored when the program was started, where the system says (Linux).
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}
