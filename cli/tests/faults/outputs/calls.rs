//! Each call to the file system fails in turn: a write, a sync, a rename, or any at all.

use super::{film, left, trace};
use crate::table::{Row, Seen, held, missing, times};
use soundtrack_test_support::desk::{Desk, Ended};
use std::{collections::BTreeMap, fs, time::Duration};

pub const ROWS: &[Row] = &[
    Row {
        section: "outputs",
        fault: "each write, sync, rename fails: a mix",
        run: mix,
    },
    Row {
        section: "outputs",
        fault: "each write, sync, rename fails: deliverables",
        run: deliverables,
    },
    Row {
        section: "outputs",
        fault: "a sync on the way fails",
        run: early,
    },
    Row {
        section: "outputs",
        fault: "any call on files fails",
        run: any,
    },
    Row {
        section: "outputs",
        fault: "power loss: order of calls",
        run: order,
    },
    Row {
        section: "outputs",
        fault: "another program takes the name",
        run: taken,
    },
    Row {
        section: "outputs",
        fault: "SIGKILL at every call while files appear",
        run: killed,
    },
];

const MIX: [&str; 7] = [
    "a.wav",
    "b.wav",
    "-o",
    "out.wav",
    "--force",
    "--threads=1",
    "-q",
];
const DELIVER: [&str; 6] = [
    "film.toml",
    "--deliver=all",
    "--force",
    "--threads=1",
    "-q",
    "--progress=none",
];

/// A failing system call and its effect on the files.
struct Fault {
    call: &'static str,
    error: &'static str,
    words: &'static str,
}

#[rustfmt::skip]
const FAULTS: [Fault; 6] = [
    Fault { call: "write", error: "ENOSPC", words: "no room: the output needs " },
    Fault { call: "write", error: "EDQUOT", words: "no room: the output needs " },
    Fault { call: "write", error: "EIO", words: "cannot be written: Input/output error" },
    Fault { call: "fsync", error: "EIO", words: "" },
    Fault { call: "/^rename", error: "EIO", words: "cannot be written: Input/output error" },
    Fault { call: "fchmod", error: "EPERM", words: "cannot keep its permissions" },
];

/// Returns the number of calls of a run that a fault can hit: those on temporaries, and those on folders.
fn how_many(calls: &[String], fault: &Fault) -> usize {
    calls
        .iter()
        .filter(|c| trace::name(c).starts_with(fault.call.trim_start_matches("/^")))
        .count()
}

fn said(done: &Ended, words: &[&str]) {
    assert_eq!(done.code, 5, "{}", done.err);
    for words in words {
        assert!(
            done.err.contains(words),
            "{words:?} is not in:\n{}",
            done.err
        );
    }
}

fn mix() -> Seen {
    if let Some(why) = trace::missing() {
        return missing(why);
    }
    let desk = Desk::with_tones();
    desk.run(&MIX).expect(0, "");
    let whole = fs::read(desk.path("out.wav")).unwrap();
    let calls = trace::calls(&desk, "write,fsync,/^rename,fchmod", &MIX);
    let (mut injected, mut folders) = (0, 0);
    for fault in &FAULTS {
        let count = how_many(&calls, fault);
        assert!(
            count >= if fault.call.starts_with("/^") { 1 } else { 2 },
            "{}: {calls:#?}",
            fault.call
        );
        for nth in 1..=count {
            desk.write("out.wav", "precious");
            let done = trace::with(
                &desk,
                fault.call,
                &format!("error={}", fault.error),
                nth,
                &MIX,
            );
            said(&done, &["out.wav: ", fault.words]);
            assert_eq!(
                desk.names(),
                ["a.wav", "b.wav", "out.wav"],
                "{} {nth}",
                fault.call
            );
            let now = fs::read(desk.path("out.wav")).unwrap();
            if fault.call == "fsync" && nth == count {
                said(
                    &done,
                    &["is complete, but may not outlive a power loss: its folder cannot be synced"],
                );
                assert!(now == whole);
                folders += 1;
            } else {
                assert!(now == b"precious", "{} {nth}", fault.call);
            }
            injected += 1;
        }
    }
    held(
        injected,
        format!("exit 5 with the path each time, old file kept but after {folders} synced rename"),
    )
}

fn deliverables() -> Seen {
    if let Some(why) = trace::missing() {
        return missing(why);
    }
    let desk = film();
    desk.run(&DELIVER).expect(0, "");
    let files = ["out/Reel.wav", "out/music.wav", "out/speech.wav"];
    let calls = trace::calls(&desk, "write,fsync,/^rename,fchmod", &DELIVER);
    let mut injected = 0;
    // All of them new: there is nothing afterwards. All of them old: each is its old self.
    for old in [false, true] {
        for fault in FAULTS.iter().filter(|f| old || f.call != "fchmod") {
            let count = how_many(&calls, fault);
            assert!(count >= 3, "{}: {calls:#?}", fault.call);
            for nth in 1..=count {
                fs::remove_dir_all(desk.path("out")).ok();
                if old {
                    fs::create_dir(desk.path("out")).unwrap();
                    files.iter().for_each(|f| desk.write(f, "precious"));
                }
                let done = trace::with(
                    &desk,
                    fault.call,
                    &format!("error={}", fault.error),
                    nth,
                    &DELIVER,
                );
                said(&done, &["out/", fault.words]);
                assert_eq!(
                    left(&desk.path("")),
                    Vec::<String>::new(),
                    "{} {nth}",
                    fault.call
                );
                if !old {
                    assert_eq!(
                        desk.names(),
                        ["a.wav", "b.wav", "film.toml"],
                        "{} {nth}: {}",
                        fault.call,
                        done.err
                    );
                } else {
                    for file in files {
                        let now = fs::read(desk.path(file)).unwrap();
                        assert!(now == b"precious", "{file} {}", done.err);
                    }
                }
                injected += 1;
            }
        }
    }
    held(
        injected,
        "exit 5 each time: no new file at all, every old file as it was",
    )
}

/// Checks that only files over 16 MiB are synced before their end.
fn early() -> Seen {
    if let Some(why) = trace::missing() {
        return missing(why);
    }
    let desk = Desk::new();
    desk.wav("long.wav", 2, 48_000, 48_000 * 60, 100);
    desk.write("out.wav", "precious");
    let arguments = ["long.wav", "-o", "out.wav", "--force", "--threads=1", "-q"];
    let done = trace::with(&desk, "fdatasync", "error=EIO", 1, &arguments);
    said(&done, &["out.wav: cannot be written: Input/output error"]);
    assert_eq!(
        (desk.names(), fs::read(desk.path("out.wav")).unwrap()),
        (names(&desk), b"precious".to_vec())
    );
    held(1, "reported at the end, old file kept")
}

fn names(desk: &Desk) -> Vec<String> {
    desk.names()
        .into_iter()
        .filter(|n| !n.ends_with(".part"))
        .collect()
}

/// Fails any call at any place: the result is a complete file and exit 0, or the old file and an error.
fn any() -> Seen {
    if let Some(why) = trace::missing() {
        return missing(why);
    }
    let desk = Desk::with_tones();
    desk.run(&MIX).expect(0, "");
    let whole = fs::read(desk.path("out.wav")).unwrap();
    let which = "openat,read,pread64,write,lseek,statx,newfstatat,statfs,fsync,fchmod,fcntl,ftruncate,getdents64,\
                 readlink,/^rename,/^link,ioctl,getcwd";
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut points = Vec::new();
    for call in trace::calls(&desk, which, &MIX) {
        let nth = seen.entry(trace::name(&call).to_owned()).or_default();
        *nth += 1;
        points.push((trace::name(&call).to_owned(), *nth));
    }
    let step = times(points.len() as u64 / 30, 1) as usize;
    let (mut injected, mut failed) = (0, 0);
    for (i, (call, nth)) in points.iter().enumerate().step_by(step.max(1)) {
        let error = ["EIO", "EACCES", "ENOMEM"][i % 3];
        desk.write("out.wav", "precious");
        let done = trace::with(&desk, call, &format!("error={error}"), *nth, &MIX);
        let now = fs::read(desk.path("out.wav")).unwrap();
        assert!(
            !done.err.contains("panicked") && done.code >= 0,
            "{call} {nth} {error}: {}",
            done.err
        );
        if done.code == 0 {
            assert!(
                now == whole,
                "{call} {nth} {error}: exit 0, and not the whole file"
            );
        } else {
            let settled = now == whole && done.err.contains("may not outlive a power loss");
            assert!(
                now == b"precious" || settled,
                "{call} {nth} {error}: {}",
                done.err
            );
            failed += 1;
        }
        assert_eq!(
            desk.names(),
            ["a.wav", "b.wav", "out.wav"],
            "{call} {nth} {error}: {}",
            done.err
        );
        injected += 1;
    }
    held(
        injected,
        format!(
            "of {} calls: {failed} runs failed with the old file, the others wrote it whole",
            points.len()
        ),
    )
}

/// Checks that the new bytes are synced before the rename, and the name before the program ends.
fn order() -> Seen {
    if let Some(why) = trace::missing() {
        return missing(why);
    }
    let mut injected = 0;
    let desk = film();
    let runs: [(&[&str], usize); 3] = [(&MIX, 1), (&MIX[..4], 1), (&DELIVER, 3)];
    for (arguments, files) in runs {
        fs::remove_file(desk.path("out.wav")).ok();
        let calls = trace::calls(&desk, "write,fsync,/^rename,/^link", arguments);
        let at = |wanted: &dyn Fn(&str) -> bool| -> Vec<usize> {
            (0..calls.len()).filter(|i| wanted(&calls[*i])).collect()
        };
        let synced = at(&|c| c.starts_with("fsync(") && c.contains(".part>"));
        let renamed = at(&|c| c.starts_with("rename") && c.contains(".part\""));
        let folders = at(&|c| c.starts_with("fsync(") && !c.contains(".part>"));
        let written = at(&|c| c.starts_with("write(") && c.contains(".part>"));
        let journals = at(&|c| c.starts_with("fsync(") && c.contains(".journal>"));
        let several = usize::from(files > 1);
        // Of several files the folder is synced before, for the journal, and once after all.
        assert_eq!(
            [synced.len(), renamed.len(), journals.len(), folders.len()],
            [files, files, several, 1 + 2 * several],
            "{calls:#?}"
        );
        assert!(
            written.last() < synced.last() && synced.last() < renamed.first(),
            "{calls:#?}"
        );
        assert!(renamed.last() < folders.last(), "{calls:#?}");
        if several == 1 {
            let before = |at: Option<&usize>| at < renamed.first();
            assert!(
                synced.last() < journals.first()
                    && before(journals.last())
                    && before(folders.get(1)),
                "{calls:#?}"
            );
        }
        injected += files as u64;
    }
    held(
        injected,
        "write, fsync file, rename, fsync folder; of several files no rename before the journal is on the disk",
    )
}

/// Kills a delivery at every call: the next run finds all of its files, or none.
fn killed() -> Seen {
    if let Some(why) = trace::missing() {
        return missing(why);
    }
    let desk = film();
    desk.run(&DELIVER).expect(0, "");
    let files = ["out/Reel.wav", "out/music.wav", "out/speech.wav"];
    let whole = files.map(|f| fs::read(desk.path(f)).unwrap());
    let (mut injected, mut appeared) = (0, 0);
    for old in [false, true] {
        let start = || {
            fs::remove_dir_all(desk.path("out")).ok();
            fs::create_dir(desk.path("out")).unwrap();
            if old {
                files.iter().for_each(|f| desk.write(f, "precious"));
            }
        };
        for call in ["fsync", "/^rename", "/^link", "/^unlink"] {
            start();
            let count = trace::calls(&desk, call, &DELIVER).len();
            for nth in 1..=count {
                start();
                let (code, signal, err) = trace::ended(&desk, call, "signal=KILL", nth, &DELIVER);
                assert!(
                    signal == Some(9) || code == Some(137),
                    "{call} {nth}: {code:?} {signal:?} {err}"
                );
                // Another output in that folder.
                desk.run(&["a.wav", "-o", "out/next.wav", "-q"])
                    .expect(0, "");
                let now = files.map(|f| fs::read(desk.path(f)).ok());
                let all = now
                    .iter()
                    .zip(&whole)
                    .all(|(now, whole)| now.as_ref() == Some(whole));
                let precious = old.then(|| b"precious".to_vec());
                let none = now.iter().all(|now| *now == precious);
                assert!(
                    all || none,
                    "{call} {nth}, {old}: {:?}",
                    now.map(|n| n.map(|n| n.len()))
                );
                assert!(
                    left(&desk.path("")).is_empty(),
                    "{call} {nth}: {:?}",
                    left(&desk.path(""))
                );
                appeared += u64::from(all);
                injected += 1;
            }
        }
    }
    assert!(
        appeared > 0 && appeared < injected,
        "{appeared} of {injected}"
    );
    held(
        injected,
        format!("all files {appeared} times, none of them else, once the next run looked"),
    )
}

/// Creates the output after the program has checked its name and before it renames: only the created file stays.
fn taken() -> Seen {
    if let Some(why) = trace::missing() {
        return missing(why);
    }
    let desk = film();
    let plain: Vec<&str> = DELIVER.into_iter().filter(|a| *a != "--force").collect();
    let runs: [(&[&str], &str, usize); 2] =
        [(&MIX[..4], "out.wav", 1), (&plain, "out/music.wav", 2)];
    for (arguments, file, nth) in runs {
        let mut other = None;
        let done = std::thread::scope(|threads| {
            let slow = threads
                .spawn(|| trace::with(&desk, "renameat2", "delay_enter=1500000", nth, arguments));
            while !slow.is_finished() && other.is_none() {
                let first = desk.path("out/Reel.wav").exists() || nth == 1;
                if first && !left(&desk.path("")).is_empty() && settled(&desk) {
                    desk.write(file, "another's");
                    other = Some(());
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            slow.join().unwrap()
        });
        assert!(other.is_some(), "{}", done.err);
        done.expect(5, &format!("{file}: exists already"));
        assert_eq!(
            fs::read(desk.path(file)).ok(),
            Some(b"another's".to_vec()),
            "{}",
            done.err
        );
        assert!(left(&desk.path("")).is_empty() && !desk.path("out/Reel.wav").exists());
        fs::remove_file(desk.path(file)).unwrap();
    }
    held(2, "exit 5; the other's file kept, a mix and deliverables")
}

/// Returns whether nothing has been written for a while, so that the program is about to rename its temporary.
fn settled(desk: &Desk) -> bool {
    let sizes = || {
        left(&desk.path(""))
            .iter()
            .map(|n| fs::metadata(desk.path(n)).map_or(0, |m| m.len()))
            .sum::<u64>()
    };
    let before = sizes();
    std::thread::sleep(Duration::from_millis(300));
    before > 0 && sizes() == before
}
