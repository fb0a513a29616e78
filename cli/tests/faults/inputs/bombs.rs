//! Headers that promise gigabytes: each is mixed by a process of its own, whose memory and time are measured.

use super::{
    super::table::{Row, Seen, held, times},
    stems,
};
use soundtrack::{Bounce, Damage, Options, Plan, Renderer};
use soundtrack_test_support::data;
use soundtrack_test_support::memory::high_water;
use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    time::Instant,
};

pub const ROWS: &[Row] = &[
    Row {
        section: "inputs",
        fault: "headers that promise gigabytes",
        run: made,
    },
    Row {
        section: "inputs",
        fault: "malformed files, one process each",
        run: found,
    },
];

/// Names the stem that a child process mixes.
pub const CHILD: &str = "SOUNDTRACK_FAULT_STEM";

/// The most memory of one stem, and the most that the process could have.
const MOST: u64 = 256 << 20;
const LIMIT_KIB: u64 = 512 << 10;

/// Opens a stem, strictly and leniently, and mixes what it can of it. Fails only by a panic.
pub fn child(stem: &Path) -> ExitCode {
    let mut said = Vec::new();
    for damage in [Damage::Refuse, Damage::Silence] {
        let tried = Plan::compile(&stems::mix(stem, damage)).and_then(|plan| {
            // However long it says that it is.
            let range = soundtrack::Frames(0)..plan.length().min(soundtrack::Frames(4 << 20));
            let mut renderer = Renderer::new(plan, &Options { threads: 1 })?;
            Bounce::new()
                .threads(1)
                .measure(false)
                .range(range)
                .into_sink(&mut renderer, &mut stems::Nowhere)
        });
        match tried {
            Ok(report) => said.push(format!("{} frames", report.frames)),
            Err(e) => {
                stems::named(&e, stem);
                said.push(e.to_string());
            }
        }
    }
    let memory = high_water("self").map_or(0, |kib| kib << 10);
    println!("{memory}\n{}", said.join("\n"));
    ExitCode::SUCCESS
}

/// Output of a process, its peak memory and its duration.
struct Ended {
    said: String,
    memory: u64,
    seconds: f64,
}

/// Mixes a stem in a process of its own.
fn alone(stem: &Path) -> Ended {
    let limit = format!("ulimit -v {LIMIT_KIB}; exec \"$0\"");
    let said = tempfile::NamedTempFile::new().unwrap();
    let errors = tempfile::NamedTempFile::new().unwrap();
    let mut command = Command::new("sh");
    command
        .args(["-c", &limit])
        .arg(std::env::current_exe().unwrap())
        .env(CHILD, stem)
        .stdin(Stdio::null());
    let clock = Instant::now();
    let mut process = command
        .stdout(said.reopen().unwrap())
        .stderr(errors.reopen().unwrap())
        .spawn()
        .unwrap();
    let ended = wait4::Wait4::wait4(&mut process).unwrap();
    let seconds = clock.elapsed().as_secs_f64();
    let errors = std::fs::read_to_string(errors.path()).unwrap();
    let text = std::fs::read_to_string(said.path()).unwrap();
    assert!(
        ended.status.success(),
        "{}: {:?}: {text}{errors}",
        stem.display(),
        ended.status
    );
    let own = text
        .lines()
        .next()
        .and_then(|l| l.parse().ok())
        .filter(|m| *m > 0);
    let memory = own.unwrap_or(ended.rusage.maxrss);
    assert!(
        memory < MOST,
        "{}: {} MiB: {text}",
        stem.display(),
        memory >> 20
    );
    assert!(seconds < 5.0, "{}: {seconds} s: {text}", stem.display());
    Ended {
        said: text,
        memory,
        seconds,
    }
}

/// Mixes each alone; the result for the table.
fn each(stems: &[PathBuf]) -> Seen {
    let (mut memory, mut seconds, mut refused) = ((0, ""), 0.0f64, 0);
    for stem in stems {
        let ended = alone(stem);
        refused += usize::from(ended.said.contains("track \"vox\""));
        seconds = seconds.max(ended.seconds);
        if ended.memory > memory.0 {
            memory = (
                ended.memory,
                stem.file_name().unwrap().to_str().unwrap_or("?"),
            );
        }
    }
    let text = format!(
        "{refused} refused by name, 0 panics; most memory {} MiB ({}), slowest {seconds:.2} s",
        memory.0 >> 20,
        memory.1
    );
    held(stems.len() as u64, text)
}

fn be32(n: u32) -> [u8; 4] {
    n.to_be_bytes()
}

fn le32(n: u32) -> [u8; 4] {
    n.to_le_bytes()
}

/// Returns an MP4 atom, or a chunk of AIFF when its size leaves out the head.
fn atom(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    [&be32(body.len() as u32 + 8), &name[..], body].concat()
}

/// Returns a FLAC file: the marker, a block of stream information, and another block.
fn flac(rate: u32, channels: u8, bits: u8, total: u64, block: u8, body: &[u8]) -> Vec<u8> {
    let packed =
        u64::from(rate) << 44 | u64::from(channels - 1) << 41 | u64::from(bits - 1) << 36 | total;
    let info = [
        &[0x10, 0, 0x10, 0][..],
        &[0; 6],
        &packed.to_be_bytes(),
        &[0; 16],
    ]
    .concat();
    let size = &be32(body.len() as u32)[1..];
    [&b"fLaC\0\0\0\x22"[..], &info, &[0x80 | block], size, body].concat()
}

/// Returns an Ogg page with a wrong checksum, which some readers ignore.
fn ogg(flags: u8, sequence: u8, packet: &[u8]) -> Vec<u8> {
    let lacing = [
        vec![255; packet.len() / 255],
        vec![(packet.len() % 255) as u8],
    ]
    .concat();
    let head = [
        &b"OggS\0"[..],
        &[flags],
        &[0; 8],
        b"\x07\0\0\0",
        &[sequence, 0, 0, 0],
        &[0; 4],
    ]
    .concat();
    [head, vec![lacing.len() as u8], lacing, packet.to_vec()].concat()
}

/// Names and bytes of files that lie about sizes and counts, 2^31 and more.
fn bombs() -> Vec<(String, Vec<u8>)> {
    let big = [0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFF0, u32::MAX];
    let mut files = Vec::new();
    let mut add = |name: &str, i: usize, bytes: Vec<u8>| files.push((format!("{i}-{name}"), bytes));
    for (i, n) in big.into_iter().enumerate() {
        let comment = [&le32(4)[..], b"fake", &le32(n), &le32(n), b"A=B"].concat();
        add("tags.flac", i, flac(44_100, 2, 16, 1 << 35, 4, &comment));
        add(
            "vendor.flac",
            i,
            flac(44_100, 2, 16, 0, 4, &[&le32(n)[..], b"fake"].concat()),
        );
        let picture = [
            &be32(3)[..],
            &be32(9),
            b"image/png",
            &be32(0),
            &be32(1),
            &be32(1),
            &be32(24),
            &be32(0),
            &be32(n),
        ];
        add(
            "picture.flac",
            i,
            flac(44_100, 2, 16, 0, 6, &picture.concat()),
        );
        add(
            "mime.flac",
            i,
            flac(
                44_100,
                2,
                16,
                0,
                6,
                &[&be32(3)[..], &be32(n), b"image/png"].concat(),
            ),
        );
        let seek = [&[0xFF; 8][..], &u64::from(n).to_be_bytes(), &[0xFF, 0xFF]].concat();
        add("seek.flac", i, flac(44_100, 2, 16, 0, 3, &seek.repeat(9)));

        let fmt = [
            &le32(16)[..],
            &[1, 0, 2, 0],
            &le32(48_000),
            &le32(192_000),
            &[4, 0, 16, 0],
        ]
        .concat();
        let wave = |rest: &[u8]| [&b"RIFF"[..], &le32(n), b"WAVEfmt ", &fmt, rest].concat();
        add(
            "list.wav",
            i,
            wave(&[&b"LIST"[..], &le32(n), b"INFOIART", &le32(n), b"x"].concat()),
        );
        add(
            "data.wav",
            i,
            wave(&[&b"data"[..], &le32(n), &[1; 64]].concat()),
        );
        add(
            "bext.wav",
            i,
            wave(&[&b"bext"[..], &le32(n), &[0; 700]].concat()),
        );
        add(
            "format.wav",
            i,
            [&b"RIFF"[..], &le32(n), b"WAVEfmt ", &le32(n), &[1; 64]].concat(),
        );
        let sizes = [&le32(28)[..], &[0xFF; 24], &le32(n)].concat();
        add(
            "ds64.wav",
            i,
            [
                &b"RF64"[..],
                &le32(u32::MAX),
                b"WAVEds64",
                &sizes,
                b"fmt ",
                &fmt,
                b"data",
                &le32(n),
            ]
            .concat(),
        );

        let rate = [0x40, 0x0E, 0xAC, 0x44, 0, 0, 0, 0, 0, 0];
        let comm = [&b"COMM"[..], &be32(18), &[0, 2], &be32(n), &[0, 16], &rate].concat();
        let aiff = |rest: &[u8]| [&b"FORM"[..], &be32(n), b"AIFF", &comm, rest].concat();
        add(
            "sound.aiff",
            i,
            aiff(&[&b"SSND"[..], &be32(n), &[0; 72]].concat()),
        );
        add(
            "id3.aiff",
            i,
            aiff(
                &[
                    &b"ID3 "[..],
                    &be32(n),
                    b"ID3\x03\0\0\x7F\x7F\x7F\x7FTIT2",
                    &be32(n),
                ]
                .concat(),
            ),
        );
        add(
            "text.aiff",
            i,
            aiff(&[&b"NAME"[..], &be32(n), b"x"].concat()),
        );
        add(
            "marks.aiff",
            i,
            aiff(&[&b"MARK"[..], &be32(n), &[0xFF; 40]].concat()),
        );

        let id3 = |frame: &[u8; 4]| {
            [
                &b"ID3\x03\0\0\x7F\x7F\x7F\x7F"[..],
                frame,
                &be32(n),
                &[0, 0, 3],
                &[65; 64],
            ]
            .concat()
        };
        add("text.mp3", i, id3(b"TIT2"));
        add("picture.mp3", i, id3(b"APIC"));

        let desc = |frames: u32, channels: u32| {
            let head = [
                &44_100f64.to_be_bytes()[..],
                b"lpcm",
                &be32(0),
                &be32(4),
                &be32(frames),
                &be32(channels),
                &be32(16),
            ];
            [
                &b"caff\0\x01\0\0desc"[..],
                &32u64.to_be_bytes(),
                &head.concat(),
            ]
            .concat()
        };
        let data = [&b"data"[..], &(u64::from(n) << 20).to_be_bytes(), &[0; 68]].concat();
        add("packet.caf", i, [desc(n, 2), data.clone()].concat());
        add("channels.caf", i, [desc(1, n), data.clone()].concat());
        let table = [
            &b"pakt"[..],
            &(u64::from(n) << 16).to_be_bytes(),
            &[0x7F; 64],
        ]
        .concat();
        add("table.caf", i, [desc(1, 2), table, data].concat());
        add(
            "info.caf",
            i,
            [
                desc(1, 2),
                [
                    &b"info"[..],
                    &u64::from(n).to_be_bytes(),
                    &be32(n),
                    b"a\0b\0",
                ]
                .concat(),
            ]
            .concat(),
        );

        let ftyp = atom(b"ftyp", b"M4A \0\0\0\0M4A ");
        for (name, body) in [
            (b"stsz", [be32(0), be32(0), be32(n)]),
            (b"stco", [be32(0), be32(n), be32(1)]),
        ] {
            let table = atom(name, &body.concat());
            let media = atom(b"mdia", &atom(b"minf", &atom(b"stbl", &table)));
            let file = [
                ftyp.clone(),
                atom(b"moov", &atom(b"trak", &media)),
                atom(b"mdat", &[0; 99]),
            ]
            .concat();
            add(
                if name == b"stsz" {
                    "sizes.m4a"
                } else {
                    "places.m4a"
                },
                i,
                file,
            );
        }
        add(
            "movie.m4a",
            i,
            [&ftyp[..], &be32(n), b"moov", &be32(n), b"trak"].concat(),
        );
        add(
            "cover.m4a",
            i,
            [
                &ftyp[..],
                &be32(n),
                b"moov",
                &be32(n),
                b"udta",
                &be32(n),
                b"meta",
                &[0; 40],
            ]
            .concat(),
        );

        let vorbis = [
            &b"\x01vorbis"[..],
            &le32(0),
            &[2],
            &le32(44_100),
            &[0; 12],
            &[0xB8, 1],
        ]
        .concat();
        let comments = [&b"\x03vorbis"[..], &le32(n), b"fake"].concat();
        let many = [
            &b"\x03vorbis"[..],
            &le32(4),
            b"fake",
            &le32(n),
            &le32(n),
            b"A=B",
        ]
        .concat();
        add(
            "vendor.ogg",
            i,
            [ogg(2, 0, &vorbis), ogg(0, 1, &comments)].concat(),
        );
        add(
            "tags.ogg",
            i,
            [ogg(2, 0, &vorbis), ogg(0, 1, &many)].concat(),
        );
        let codebooks = [
            &b"\x05vorbis\xFF"[..],
            b"BCV\xFF\xFF\xFF\xFF\xFF",
            &[0xFF; 60],
        ]
        .concat();
        add(
            "books.ogg",
            i,
            [
                ogg(2, 0, &vorbis),
                ogg(0, 1, b"\x03vorbis\0\0\0\0\0\0\0\0\x01"),
                ogg(0, 2, &codebooks),
            ]
            .concat(),
        );

        let ebml = b"\x1A\x45\xDF\xA3\x8B\x42\x82\x88matroska";
        let size = [&[0x01, 0, 0][..], &be32(n), &[0xFF]].concat();
        add(
            "segment.mka",
            i,
            [
                &ebml[..],
                b"\x18\x53\x80\x67",
                &size,
                b"\x16\x54\xAE\x6B",
                &size,
                &[0xAE],
                &size,
            ]
            .concat(),
        );
        add(
            "tags.mka",
            i,
            [
                &ebml[..],
                b"\x18\x53\x80\x67",
                &size,
                b"\x12\x54\xC3\x67",
                &size,
                b"\x45\xA3",
                &size,
            ]
            .concat(),
        );
    }
    files
}

fn made() -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let files = bombs();
    let few = files.len() as u64;
    let chosen = files.into_iter().step_by(times(2, 1) as usize);
    let mut paths: Vec<PathBuf> = chosen
        .map(|(name, bytes)| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        })
        .collect();
    paths.extend(data_files("malformed").into_iter().filter(|path| {
        let name = path.to_string_lossy();
        ["excessive_alloc.aif", "ooming-header.flac", "/oom-"]
            .iter()
            .any(|part| name.contains(part))
    }));
    assert!(few > 100);
    each(&paths)
}

fn found() -> Seen {
    let files = data_files("malformed");
    if files.is_empty() {
        return crate::table::missing("the test data is missing");
    }
    each(
        &files
            .into_iter()
            .step_by(times(6, 1) as usize)
            .collect::<Vec<_>>(),
    )
}

/// Returns the files of a folder of the test data and all folders in it; none without test data.
fn data_files(folder: &str) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), Vec::from_iter(data::folder(folder)));
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path)
            } else {
                found.push(path)
            }
        }
    }
    found.sort();
    found
}
