//! Damaged, lying and hostile files: no panic, no hang, and every refusal names the file and the reason.

use crate::tools;
use soundtrack::{ErrorKind, media};
use std::{
    fs::{self, File},
    path::Path,
    time::{Duration, Instant},
};

/// Opens a file and reads it to the end; how long it took and what it was refused with.
fn survive(path: &Path) -> (Duration, Option<String>) {
    let since = Instant::now();
    let refusal = match tools::hear(path) {
        Ok(heard) => {
            if heard.error.is_none() {
                assert_eq!(
                    u64::try_from(heard.frames()).unwrap(),
                    heard.held(),
                    "{}",
                    path.display()
                );
            }
            heard.error.map(|e| e.to_string())
        }
        Err(e) => Some(e.to_string()),
    };
    (since.elapsed(), refusal)
}

#[test]
fn malformed_files_neither_panic_nor_hang() {
    let Some(dir) = tools::data() else { return };
    let rows: Vec<_> = tools::manifest(&dir)
        .into_iter()
        .filter(|r| r.file.starts_with("malformed/"))
        .collect();
    let (mut refused, mut slowest) = (0, (Duration::ZERO, String::new()));
    for row in &rows {
        let path = dir.join(&row.file);
        let (time, refusal) = survive(&path);
        if time > slowest.0 {
            slowest = (time, row.file.clone());
        }
        if let Some(what) = refusal {
            refused += 1;
            assert!(
                what.starts_with(&path.display().to_string()) && what.len() > row.file.len() + 8,
                "{what}"
            );
        }
    }
    println!(
        "malformed: {} files, {refused} refused, slowest {:?} {}",
        rows.len(),
        slowest.0,
        slowest.1
    );
    assert!(slowest.0 < Duration::from_secs(5), "{slowest:?}");
}

#[test]
fn things_that_are_no_stems_are_refused_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let check = |path: &Path, kind: ErrorKind, part: &str| {
        let since = Instant::now();
        let e = media::open(path, None).err().unwrap();
        assert!(
            since.elapsed() < Duration::from_secs(1),
            "{e}: {:?}",
            since.elapsed()
        );
        assert_eq!(e.kind(), kind, "{e}");
        assert!(
            e.to_string().contains(part) && e.to_string().contains(&*path.to_string_lossy()),
            "{e}"
        );
    };
    check(dir.path(), ErrorKind::Unsupported, "folder");
    check(
        &dir.path().join("none.flac"),
        ErrorKind::NotFound,
        "no such file",
    );
    let empty = dir.path().join("empty.mp3");
    File::create(&empty).unwrap();
    check(&empty, ErrorKind::Unsupported, "empty");
    let sparse = dir.path().join("sparse.mp3");
    File::create(&sparse).unwrap().set_len(1 << 40).unwrap();
    check(&sparse, ErrorKind::Unsupported, "zeros");
    if Path::new("/dev/zero").exists() {
        check(
            Path::new("/dev/zero"),
            ErrorKind::Unsupported,
            "no regular file",
        );
    }
    #[cfg(unix)]
    {
        let pipe = dir.path().join("pipe.wav");
        if std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .is_ok_and(|s| s.success())
        {
            check(&pipe, ErrorKind::Unsupported, "no regular file");
        }
        let ring = dir.path().join("loop.wav");
        std::os::unix::fs::symlink(&ring, &ring).unwrap();
        assert!(media::open(&ring, None).is_err());
    }
}

#[test]
fn a_stream_that_goes_on_as_endless_zeros_ends_soon() {
    if !tools::have(&["ffmpeg"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let wav = dir.path().join("a.wav");
    tools::wav16(&wav, 44_100, &tools::music(44_100, 2));
    for (name, codec) in [
        ("a.flac", "flac"),
        ("a.ogg", "libvorbis"),
        ("a.mp3", "libmp3lame"),
        ("a.aac", "aac"),
        ("a.aiff", "pcm_s16be"),
        ("a.mka", "libvorbis"),
    ] {
        let path = dir.path().join(name);
        let (wav, out) = (wav.to_str().unwrap(), path.to_str().unwrap());
        tools::run(
            "ffmpeg",
            &["-v", "error", "-y", "-i", wav, "-c:a", codec, out],
        );
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(1 << 40)
            .unwrap();
        let (time, refusal) = survive(&path);
        println!("{name} of 1 TiB: {time:?} {refusal:?}");
        assert!(time < Duration::from_secs(5), "{name}: {time:?}");
    }
}

#[test]
fn a_file_that_changes_while_it_is_read_is_an_error() {
    if !tools::have(&["flac"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let wav = dir.path().join("a.wav");
    tools::wav16(&wav, 44_100, &tools::music(44_100, 2));
    tools::run("flac", &["-s", wav.to_str().unwrap()]);
    let path = wav.with_extension("flac");
    let (mut source, info) = media::open(&path, None).unwrap();
    let mut block = soundtrack::Block::new(info.spec.layout, 64);
    assert_eq!(source.read(&mut block).unwrap(), 64);
    let data = fs::read(&path).unwrap();
    fs::write(&path, &data[..data.len() / 2]).unwrap();
    let e = source.read(&mut block).unwrap_err();
    assert!(
        e.kind() == ErrorKind::Corrupt && e.to_string().contains("changed while it was read"),
        "{e}"
    );
}
