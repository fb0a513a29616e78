//! File systems that are full or read-only, and paths that cannot or must not be written.

use super::{film, left};
use crate::table::{Row, Seen, held, missing, skipped, times};
use soundtrack_test_support::desk::{Desk, ended, program};
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

pub const ROWS: &[Row] = &[
    Row {
        section: "outputs",
        fault: "disk too small, seen before",
        run: small,
    },
    Row {
        section: "outputs",
        fault: "disk full, met on the way",
        run: full,
    },
    Row {
        section: "outputs",
        fault: "read-only file system",
        run: read_only,
    },
    Row {
        section: "outputs",
        fault: "paths that are no regular file",
        run: irregular,
    },
    Row {
        section: "outputs",
        fault: "output is an input, by odd names",
        run: input,
    },
    Row {
        section: "outputs",
        fault: "modes and owner of what is replaced",
        run: modes,
    },
];

/// Runs a script in the desk's folder, where `disk` is a small file system that is gone afterwards. `None` where that is not
/// allowed; else the exit code, what was said, and then what `disk` holds: names, and the bytes of `out.wav`.
fn on_disk(
    desk: &Desk,
    size_kib: u64,
    script: &str,
) -> Option<(i32, String, Vec<String>, Vec<u8>)> {
    fs::create_dir_all(desk.path("disk")).unwrap();
    let script = format!(
        "mount -t tmpfs -o size={size_kib}k tmpfs disk || exit 99\nprintf precious > disk/out.wav\n{script}\n\
         code=$?\nls -A disk > names; cat disk/out.wav > bytes\nexit $code"
    );
    let run = |own: &str| {
        let mut command = Command::new("unshare");
        command
            .args([own, "--", "sh", "-c", &script])
            .env("MIXDOWN", program());
        command.current_dir(desk.path("")).output().ok().map(ended)
    };
    // As the superuser, or as one in a world of its own.
    let done = ["-m", "-rm"]
        .into_iter()
        .filter_map(run)
        .find(|done| done.code != 99 && done.code != 1)?;
    let names = fs::read_to_string(desk.path("names"))
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    Some((
        done.code,
        done.err,
        names,
        fs::read(desk.path("bytes")).unwrap(),
    ))
}

const NO_MOUNT: &str = "no right to mount a small file system";

fn small() -> Seen {
    let desk = Desk::new();
    desk.tone("a.wav", 2, 48_000, 8000.0);
    // The stem need not be there: nothing was opened.
    desk.wav("long.wav", 2, 48_000, 480_000, 0);
    let mut worst = 0.0f64;
    for size in [4, 64, 1024] {
        let clock = Instant::now();
        let run = "$MIXDOWN long.wav -o disk/out.wav --force -q";
        let Some((code, err, names, bytes)) = on_disk(&desk, size, run) else {
            return skipped(NO_MOUNT);
        };
        worst = worst.max(clock.elapsed().as_secs_f64());
        assert_eq!(code, 5, "{err}");
        assert!(
            err.contains("disk/out.wav: no room: the output needs 2880068 bytes, "),
            "{err}"
        );
        assert_eq!(
            (names, bytes),
            (vec!["out.wav".to_owned()], b"precious".to_vec())
        );
    }
    // Each of three deliverables fits, and all of them do not.
    let film = film();
    let text = fs::read_to_string(film.path("film.toml")).unwrap();
    film.write("disk.toml", &text.replace("out/", "disk/out/"));
    let run = "$MIXDOWN disk.toml --deliver all -q";
    let (code, err, names, _) = on_disk(&film, 512, run).expect("the disks before were mounted");
    assert_eq!(code, 5, "{err}");
    assert!(
        err.contains(
            "disk/out: no room: the 3 outputs on this disk need at least 864204 bytes together, "
        ),
        "{err}"
    );
    assert_eq!(names, ["out.wav"]);
    held(
        4,
        format!(
            "exit 5 with bytes needed and free, nothing decoded; at most {worst:.2} s with the mount"
        ),
    )
}

/// Hides the free space from the program, so that the disk fills during the write.
fn full() -> Seen {
    if let Some(why) = super::trace::missing() {
        return missing(why);
    }
    let desk = film();
    let mut injected = 0;
    let hidden = "strace -f -qq -o /dev/null -e inject=statfs,fstatfs:error=EIO $MIXDOWN";
    let mix = format!("{hidden} a.wav b.wav -o disk/out.wav --force -q --format wav32f");
    let text = fs::read_to_string(desk.path("film.toml"))
        .unwrap()
        .replace("out/", "disk/out/");
    desk.write("disk.toml", &text);
    let deliver = format!("{hidden} disk.toml --deliver all --force -q");
    // FLAC fails in the middle and when its header is written again at the end.
    desk.run(&["a.wav", "b.wav", "-o", "size.flac", "-q"])
        .expect(0, "");
    let flac_kib = fs::metadata(desk.path("size.flac")).unwrap().len() / 1024;
    let flac = format!("{hidden} a.wav b.wav -o disk/out.flac -q");
    for size in [4, flac_kib / 2, flac_kib] {
        let Some((code, err, names, _)) = on_disk(&desk, size, &flac) else {
            return skipped(NO_MOUNT);
        };
        assert_eq!(code, 5, "{size} KiB: {err}");
        assert!(
            err.contains("no room: the output needs "),
            "{size} KiB: {err}"
        );
        assert_eq!(names, ["out.wav"], "{size} KiB");
        injected += 1;
    }
    // 384 KB of mix, 3 x 288 KB of deliverables, one page for the old file.
    for size in (4..380).step_by(times(60, 4) as usize) {
        for run in [&mix, &deliver] {
            let Some((code, err, names, bytes)) = on_disk(&desk, size, run) else {
                return skipped(NO_MOUNT);
            };
            assert_eq!(code, 5, "{size} KiB: {err}");
            assert!(
                err.contains("no room: the output needs "),
                "{size} KiB: {err}"
            );
            assert_eq!(
                (names, bytes),
                (vec!["out.wav".to_owned()], b"precious".to_vec()),
                "{size} KiB"
            );
            injected += 1;
        }
    }
    held(
        injected,
        "exit 5 with bytes needed, old file kept, no temporary, no folder",
    )
}

fn read_only() -> Seen {
    let desk = Desk::new();
    // The stem is not even there: nothing is opened before the output is known to be possible.
    let run = "mount -o remount,ro disk && for out in disk/out.wav disk/new.wav; do \
               $MIXDOWN gone.wav -o $out --force; test $? = 5 || exit 7; done; exit 5";
    let run = format!("({run})");
    let Some((code, err, names, bytes)) = on_disk(&desk, 64, &run) else {
        return skipped(NO_MOUNT);
    };
    assert_eq!(code, 5, "{err}");
    assert_eq!(
        err.matches("the folder disk cannot be written: choose another")
            .count(),
        2,
        "{err}"
    );
    assert_eq!(
        (names, bytes),
        (vec!["out.wav".to_owned()], b"precious".to_vec())
    );
    held(2, "refused before a stem is looked for")
}

fn irregular() -> Seen {
    let desk = Desk::with_tones();
    symlink("/dev/full", desk.path("full.wav")).unwrap();
    symlink("/dev/null", desk.path("null.wav")).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(desk.path("fifo.wav"))
            .status()
            .unwrap()
            .success()
    );
    symlink("fifo.wav", desk.path("to fifo.wav")).unwrap();
    symlink("round.wav", desk.path("round.wav")).unwrap();
    fs::create_dir(desk.path("folder.wav")).unwrap();
    let socket = std::os::unix::net::UnixListener::bind(desk.path("socket.wav")).unwrap();
    let long = format!("{}.wav", "n".repeat(300));
    let (before, mut worst) = (desk.names(), Duration::ZERO);
    let device = "is a device or a pipe: only regular files are written";
    let refused = [
        ("full.wav", device),
        ("null.wav", device),
        ("fifo.wav", device),
        ("to fifo.wav", device),
        ("socket.wav", device),
        ("round.wav", "a loop of symbolic links"),
        ("folder.wav", "is a folder: add a file name"),
        ("no/out.wav", "does not exist: create it first"),
        ("a.wav/out.wav", "a.wav/out.wav: "),
        (&long, "nnn.wav: "),
    ];
    for (name, words) in refused {
        let clock = Instant::now();
        desk.run(&["gone.wav", "-o", name, "--force"])
            .expect(5, words);
        worst = worst.max(clock.elapsed());
    }
    drop(socket);
    assert_eq!(desk.names(), before);
    // A guard for busy machines: the promise is 100 ms.
    assert!(worst < Duration::from_secs(2), "{worst:?}");
    held(
        refused.len() as u64,
        format!(
            "refused before a stem is looked for, at most {} ms",
            worst.as_millis()
        ),
    )
}

fn input() -> Seen {
    if !Path::new("/proc/self/fd").exists() {
        return skipped("no /proc");
    }
    let desk = Desk::with_tones();
    fs::create_dir(desk.path("sub")).unwrap();
    symlink("../a.wav", desk.path("sub/one.wav")).unwrap();
    symlink("sub/one.wav", desk.path("two.wav")).unwrap();
    fs::hard_link(desk.path("a.wav"), desk.path("hard.wav")).unwrap();
    let before = fs::read(desk.path("a.wav")).unwrap();
    let absolute = desk.path("sub/../a.wav").display().to_string();
    desk.write("list.toml", "rate = 48000\n[track.a]\nfile = \"a.wav\"\n");
    desk.write(
        "own.toml",
        "rate = 48000\n[track.a]\nfile = \"a.wav\"\n[deliver.x]\nfile = \"hard.wav\"\n",
    );
    let scripts = [
        ("/proc/self/fd/3", "a.wav"),
        ("/dev/fd/3", "hard.wav"),
        ("a.wav", "out.wav"),
        ("hard.wav", "out.wav"),
        ("two.wav", "hard.wav"),
        ("a.wav", absolute.as_str()),
        ("list.toml", "two.wav"),
        ("own.toml", ""),
    ];
    for (stem, out) in scripts {
        fs::remove_file(desk.path("out.wav")).ok();
        symlink("/proc/self/fd/3", desk.path("out.wav")).unwrap();
        let out = if out.is_empty() {
            String::new()
        } else {
            format!("-o '{out}'")
        };
        let script = format!("exec 3<a.wav; exec \"$MIXDOWN\" '{stem}' {out} --force");
        let mut command = Command::new("sh");
        command
            .args(["-c", &script])
            .env("MIXDOWN", program())
            .current_dir(desk.path(""));
        let done = ended(command.output().unwrap());
        done.expect(5, "is one of the inputs");
        assert!(
            fs::read(desk.path("a.wav")).unwrap() == before,
            "{stem} {out}"
        );
    }
    assert!(left(&desk.path("")).is_empty());
    held(scripts.len() as u64, "refused, the input unchanged")
}

fn modes() -> Seen {
    let desk = Desk::with_tones();
    let (mut injected, mode) = (0, |name: &str| {
        fs::metadata(desk.path(name)).unwrap().mode() & 0o7777
    });
    for umask in [0o000, 0o022, 0o027, 0o077] {
        let run = |out: &str| {
            let script =
                format!("umask {umask:o}; \"$MIXDOWN\" a.wav -o {out} --force -q && : > plain");
            let mut command = Command::new("sh");
            command
                .args(["-c", &script])
                .env("MIXDOWN", program())
                .current_dir(desk.path(""));
            ended(command.output().unwrap()).expect(0, "");
        };
        fs::remove_file(desk.path("plain")).ok();
        fs::remove_file(desk.path("new.wav")).ok();
        run("new.wav");
        assert_eq!(mode("new.wav"), mode("plain"), "umask {umask:o}");
        assert_eq!(mode("plain"), 0o666 & !umask);
        for old in [0o600, 0o640, 0o664, 0o755] {
            desk.write("old.wav", "old");
            fs::set_permissions(desk.path("old.wav"), fs::Permissions::from_mode(old)).unwrap();
            run("old.wav");
            assert_eq!(mode("old.wav"), old, "umask {umask:o}");
            injected += 1;
        }
        injected += 1;
    }
    let owner = fs::metadata(desk.path("plain")).unwrap();
    assert_eq!(
        fs::metadata(desk.path("old.wav")).unwrap().uid(),
        owner.uid()
    );
    held(
        injected,
        "new: what the umask gives; replaced: the old file's mode",
    )
}
