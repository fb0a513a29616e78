//! Files that are no stems, and headers with impossible values.

use super::{
    super::table::{Row, Seen, held},
    stems::{self, heard, mix, named},
};
use soundtrack::Damage;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

pub const ROWS: &[Row] = &[
    Row {
        section: "inputs",
        fault: "folder, pipe, device, loop, socket, empty",
        run: no_files,
    },
    Row {
        section: "inputs",
        fault: "names that lie about the type",
        run: names,
    },
    Row {
        section: "inputs",
        fault: "0 and too many channels, rates, bits",
        run: limits,
    },
];

/// Asserts that the mix refuses a file at once, with the track, the file and a reason.
fn refused(path: &Path, reason: &str) {
    for damage in [Damage::Refuse, Damage::Silence] {
        let clock = Instant::now();
        let e = heard(&mix(path, damage))
            .err()
            .unwrap_or_else(|| panic!("{} is not refused", path.display()));
        named(&e, path);
        assert!(e.to_string().contains(reason), "{e}");
        assert!(clock.elapsed().as_secs() < 1, "{e}: {:?}", clock.elapsed());
    }
}

fn no_files() -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut count = 2;
    fs::create_dir(path("folder.wav")).unwrap();
    refused(&path("folder.wav"), "a folder");
    fs::write(path("empty.wav"), "").unwrap();
    refused(&path("empty.wav"), "empty");
    let mut notes = Vec::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::{PermissionsExt, symlink};
        for device in ["/dev/zero", "/dev/null", "/dev/random", "/dev/tty"] {
            if Path::new(device).exists() {
                refused(Path::new(device), "no regular file");
                count += 1;
            }
        }
        if std::process::Command::new("mkfifo")
            .arg(path("pipe.wav"))
            .status()
            .is_ok_and(|s| s.success())
        {
            refused(&path("pipe.wav"), "no regular file");
            symlink(path("pipe.wav"), path("to-pipe.wav")).unwrap();
            refused(&path("to-pipe.wav"), "no regular file");
            count += 2;
        }
        let _socket = std::os::unix::net::UnixListener::bind(path("socket.wav")).unwrap();
        refused(&path("socket.wav"), "no regular file");
        symlink(path("loop.wav"), path("loop.wav")).unwrap();
        refused(&path("loop.wav"), "ymbolic links");
        symlink(path("nowhere.wav"), path("dangling.wav")).unwrap();
        refused(&path("dangling.wav"), "no such file");
        stems::wav16(&path("mine.wav"), 44_100, &stems::music(1, 100));
        fs::set_permissions(path("mine.wav"), fs::Permissions::from_mode(0o000)).unwrap();
        if fs::read(path("mine.wav")).is_ok() {
            notes.push("unreadable: not to be had, this runs as root");
        } else {
            refused(&path("mine.wav"), "may not be read");
            count += 1;
        }
        // Neither has a size beforehand, and one has no end.
        for (file, reason) in [
            ("/proc/self/status", "empty"),
            ("/sys/kernel/uevent_seqnum", "no audio file"),
        ] {
            if Path::new(file).exists() {
                refused(Path::new(file), reason);
                count += 1;
            }
        }
        count += 3;
    }
    let endless = path("endless.wav");
    fs::File::create(&endless)
        .unwrap()
        .set_len(1 << 40)
        .unwrap();
    refused(&endless, "zeros");
    held(
        count + 1,
        [
            "each refused by name within a second",
            notes.first().unwrap_or(&""),
        ]
        .join("; "),
    )
}

fn names() -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let made = stems::all(folder.path());
    let mut count = 0;
    for stem in &made {
        let want = heard(&mix(stem.path.as_path(), Damage::Refuse)).unwrap().1;
        for name in [
            "x.wav", "x.mp3", "x.flac", "x.ogg", "x.m4a", "x.aiff", "x.wv", "x.txt", "x",
        ] {
            let path = folder.path().join(name);
            fs::copy(&stem.path, &path).unwrap();
            let got = heard(&mix(path.as_path(), Damage::Refuse)).unwrap().1;
            assert!(stems::same(&got, &want), "{} as {name}", stem.codec);
            fs::remove_file(path).unwrap();
            count += 1;
        }
    }
    let foreign: [(&str, &[u8], &str); 9] = [
        ("zip.wav", b"PK\x03\x04\x14\0\0\0\x08\0", "ZIP"),
        ("picture.wav", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "PNG"),
        ("program.mp3", b"\x7FELF\x02\x01\x01\0", "ELF"),
        ("wavpack.wav", b"wvpk\x20\0\0\0\x10\x04", "WavPack"),
        ("video.wav", b"RIFF\x20\0\0\0AVI LIST", "AVI"),
        (
            "opus.ogg",
            b"OggS\0\x02\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\x01\x13OpusHead\x01\x02\x38\x01\x80\xBB\0\0\0\0\0",
            "Opus",
        ),
        ("dsd.flac", b"DSD \x1c\0\0\0", "DSD"),
        ("text.aiff", b"these are words, and nobody sings them", "no audio file"),
        ("ac3.wav", b"\x0B\x77\x1A\x2B\x3C", "AC-3"),
    ];
    for (name, head, reason) in foreign {
        let path = folder.path().join(name);
        fs::write(&path, [head, &[0x55; 5000]].concat()).unwrap();
        refused(&path, reason);
        count += 1;
    }
    let result = format!(
        "{} codecs under any name bit-equal; 9 foreign types refused by their own",
        made.len()
    );
    held(count, result)
}

/// Puts bytes at a place.
fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

fn limits() -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let wav = folder.path().join("a.wav");
    stems::wav16(&wav, 44_100, &stems::music(1, 2000));
    let mut count = 0;
    let mut try_one = |name: String, bytes: &[u8], reason: &str| {
        let path: PathBuf = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        refused(&path, reason);
        count += 1;
    };
    let good = fs::read(&wav).unwrap();
    for rate in [0u32, 768_001, 1 << 31, u32::MAX] {
        let mut bytes = good.clone();
        put(&mut bytes, 24, &rate.to_le_bytes());
        try_one(
            format!("rate-{rate}.wav"),
            &bytes,
            &format!("{rate} Hz is outside 1 to 768000 Hz"),
        );
    }
    // Within the limits of files, not within those of the resampler.
    for (rate, reason) in [(1u32, "256"), (100, "256"), (767_999, "600000")] {
        let mut bytes = good.clone();
        put(&mut bytes, 24, &rate.to_le_bytes());
        try_one(format!("rate-{rate}.wav"), &bytes, reason);
    }
    for channels in [0u16, 65, 255, u16::MAX] {
        let mut bytes = good.clone();
        put(&mut bytes, 22, &channels.to_le_bytes());
        put(&mut bytes, 32, &channels.wrapping_mul(2).to_le_bytes());
        try_one(format!("channels-{channels}.wav"), &bytes, "channels");
    }
    for bits in [0u16, 7000, u16::MAX] {
        let mut bytes = good.clone();
        put(&mut bytes, 34, &bits.to_le_bytes());
        try_one(format!("bits-{bits}.wav"), &bytes, ".wav: ");
    }
    let flac = folder.path().join("a.flac");
    let aiff = folder.path().join("a.aiff");
    if stems::encode(&wav, &["-c:a", "flac"], &flac)
        && stems::encode(&wav, &["-c:a", "pcm_s16be"], &aiff)
    {
        let mut bytes = fs::read(&flac).unwrap();
        let channels = bytes[20] & 0x0F;
        put(&mut bytes, 18, &[0, 0, channels]);
        try_one("rate-0.flac".into(), &bytes, ".flac: ");
        let good = fs::read(&aiff).unwrap();
        let comm = good.windows(4).position(|w| w == b"COMM").unwrap() + 8;
        for (what, at, value) in [
            ("channels-0", 0, &[0u8, 0][..]),
            ("channels-32767", 0, &[0x7F, 0xFF]),
            ("channels-65535", 0, &[0xFF, 0xFF]),
            ("bits-0", 6, &[0, 0]),
            ("bits-65535", 6, &[0xFF, 0xFF]),
            ("rate-0", 8, &[0; 10]),
            ("rate-nan", 8, &[0x7F, 0xFF, 0xC0, 0, 0, 0, 0, 0, 0, 0]),
            ("rate-infinite", 8, &[0x7F, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0]),
            (
                "rate-negative",
                8,
                &[0xC0, 0x0E, 0xAC, 0x44, 0, 0, 0, 0, 0, 0],
            ),
            ("rate-huge", 8, &[0x40, 0x3E, 0xAC, 0x44, 0, 0, 0, 0, 0, 0]),
        ] {
            let mut bytes = good.clone();
            put(&mut bytes, comm + at, value);
            try_one(format!("{what}.aiff"), &bytes, ".aiff: ");
        }
    }
    held(
        count,
        "each refused by name, with the figure and the limit where it has one; never reaches the resampler",
    )
}
