//! Panics that are contained print nothing; all others reach the program's own hook.

use soundtrack::{Block, Frames, Layout, Opener, Result, SampleRate, Session, Source, Spec, Track};
use std::{
    panic,
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// A stem whose decoder panics with the first read, or when it is dropped.
struct Panics {
    when_dropped: bool,
}

impl Source for Panics {
    fn spec(&self) -> Spec {
        Spec {
            rate: SampleRate::HZ_48000,
            layout: Layout::Mono,
        }
    }
    fn length(&self) -> Option<Frames> {
        Some(Frames(100))
    }
    fn read(&mut self, _: &mut Block) -> Result<usize> {
        panic!("a decoder went wrong")
    }
    fn seek(&mut self, _: Frames) -> Result<()> {
        Ok(())
    }
}

impl Drop for Panics {
    fn drop(&mut self) {
        assert!(!self.when_dropped, "a decoder went wrong at its end");
    }
}

/// Renders a session of such a stem, and returns the error.
fn render(when_dropped: bool) -> String {
    let mut session = Session::new(SampleRate::HZ_48000, Layout::Mono);
    session.add_track(Track::new(
        "x",
        Opener::new("stem", move || Ok(Box::new(Panics { when_dropped }))),
    ));
    session
        .render(Frames(0)..Frames(100))
        .unwrap_err()
        .to_string()
}

static OUTER: AtomicUsize = AtomicUsize::new(0);
static INNER: AtomicUsize = AtomicUsize::new(0);

/// What the child process does; `PANICS` chooses it. A hook belongs to a whole process, which the test harness shares.
#[test]
#[ignore = "is run by the tests below, in a process of its own"]
fn child() {
    match std::env::var("PANICS").unwrap_or_default().as_str() {
        "contained" => {
            assert!(render(false).contains("its reader failed: a decoder went wrong"));
            assert!(render(true).contains("its reader failed: a decoder went wrong at its end"));
        }
        "own" => {
            render(false);
            let _ = thread::spawn(|| panic!("the program's own")).join();
        }
        "hooks" => {
            panic::set_hook(Box::new(|_| _ = OUTER.fetch_add(1, Ordering::SeqCst)));
            thread::scope(|scope| {
                for n in 0..8 {
                    scope.spawn(move || (0..50).for_each(|_| _ = render(n % 2 == 0)));
                }
                for _ in 0..4 {
                    scope.spawn(|| {
                        for _ in 0..25 {
                            assert!(panic::catch_unwind(|| panic!("own")).is_err());
                        }
                    });
                }
            });
            // Of the program's hook nothing is lost, and nothing is added to it.
            assert_eq!(OUTER.swap(0, Ordering::SeqCst), 100);
            // A hook that is set later is wrapped after it has seen one.
            panic::set_hook(Box::new(|_| _ = INNER.fetch_add(1, Ordering::SeqCst)));
            render(false);
            assert!(INNER.swap(0, Ordering::SeqCst) <= 1);
            (0..10).for_each(|_| _ = render(false));
            assert_eq!(INNER.load(Ordering::SeqCst), 0);
            assert!(panic::catch_unwind(|| panic!("own")).is_err());
            assert_eq!(INNER.load(Ordering::SeqCst), 1);
            assert_eq!(OUTER.load(Ordering::SeqCst), 0);
        }
        other => unreachable!("{other}"),
    }
}

/// Runs the child in this mode; what it printed to standard error.
fn run(mode: &str) -> String {
    let program = std::env::current_exe().unwrap();
    let child = Command::new(program)
        .args(["child", "--exact", "--ignored", "--nocapture"])
        .env("PANICS", mode)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&child.stderr).into_owned();
    assert!(child.status.success(), "{mode}: {errors}");
    errors
}

#[test]
fn a_contained_panic_prints_nothing() {
    let errors = run("contained");
    assert!(!errors.contains("panicked"), "{errors}");
}

#[test]
fn a_panic_of_the_program_is_printed_as_ever() {
    let errors = run("own");
    assert_eq!(errors.matches("panicked at").count(), 1, "{errors}");
    assert!(errors.contains("the program's own"), "{errors}");
}

#[test]
fn hooks_of_the_program_get_its_own_panics_and_no_others() {
    run("hooks");
}
