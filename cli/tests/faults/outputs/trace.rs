//! The program under `strace`: what it asks of the system, and what it does when the system says no.

use soundtrack_test_support::desk::{Desk, Ended, ended as whole, program};
use std::{fs, os::unix::process::ExitStatusExt, process::Command};

/// Returns why calls cannot be made to fail on this machine, if so.
pub fn missing() -> Option<String> {
    let arguments = [
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        "inject=sync:error=EIO",
        "true",
    ];
    let works = Command::new("strace")
        .args(arguments)
        .output()
        .is_ok_and(|o| o.status.success());
    (!works).then(|| "strace is not installed, or may not trace".to_owned())
}

fn strace(desk: &Desk, options: &[&str], arguments: &[&str]) -> Command {
    let mut command = Command::new("strace");
    command
        .args(["-f", "-qq"])
        .args(options)
        .arg(program())
        .args(arguments)
        .current_dir(desk.path(""));
    command
}

/// Returns the calls of the program's main thread from its start, one per line, in the order in which they begin.
pub fn calls(desk: &Desk, which: &str, arguments: &[&str]) -> Vec<String> {
    let log = tempfile::NamedTempFile::new().unwrap();
    let trace = format!("trace=execve,{which}");
    let mut traced = strace(
        desk,
        &["-y", "-o", log.path().to_str().unwrap(), "-e", &trace],
        arguments,
    );
    whole(traced.output().unwrap()).expect(0, "");
    let text = fs::read_to_string(log.path()).unwrap();
    let mut lines = text.lines().map(|line| line.split_once(' ').unwrap());
    let (thread, _) = lines.next().unwrap();
    let own = lines.filter(|(id, call)| *id == thread && !call.trim_start().starts_with("<..."));
    own.map(|(_, call)| call.trim_start().to_owned()).collect()
}

/// Returns the name of a call.
pub fn name(call: &str) -> &str {
    call.split('(').next().unwrap()
}

/// Runs the program while the `nth` call of a name in every thread does something else: `error=EIO`, `delay_enter=1s`.
pub fn with(desk: &Desk, call: &str, what: &str, nth: usize, arguments: &[&str]) -> Ended {
    whole(injected(desk, call, what, nth, arguments).output().unwrap())
}

/// Returns the exit code, the signal and the output of a program that a signal may end.
pub fn ended(
    desk: &Desk,
    call: &str,
    what: &str,
    nth: usize,
    arguments: &[&str],
) -> (Option<i32>, Option<i32>, String) {
    let done = injected(desk, call, what, nth, arguments).output().unwrap();
    (
        done.status.code(),
        done.status.signal(),
        String::from_utf8_lossy(&done.stderr).into_owned(),
    )
}

fn injected(desk: &Desk, call: &str, what: &str, nth: usize, arguments: &[&str]) -> Command {
    strace(
        desk,
        &[
            "-o",
            "/dev/null",
            "-e",
            &format!("inject={call}:{what}:when={nth}"),
        ],
        arguments,
    )
}
