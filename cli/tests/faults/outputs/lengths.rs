//! Sizes around 2^32 bytes: which container is chosen, and what its header states.
//!
//! The header is complete from the first byte on, so every day it is read from the temporary while the mix has just begun,
//! and the mix is cancelled. A release writes some of the files whole and has other programs read them.

use super::left;
use crate::table::{Row, Seen, held, skipped, times};
use soundtrack::{
    Block, Bounce, ErrorKind, Format, Frames, Layout, Opener, Result, SampleRate, Session, Source,
    Spec, Track,
};
use std::{fs, io::Read, ops::ControlFlow, path::Path, process::Command};

pub const ROWS: &[Row] = &[
    Row {
        section: "outputs",
        fault: "2^32 bytes and its neighbours: headers",
        run: headers,
    },
    Row {
        section: "outputs",
        fault: "over 4 GiB, written and read back",
        run: written,
    },
];

/// Silence that ends with one frame of a half.
struct Long {
    at: u64,
    frames: u64,
    layout: Layout,
}

const RATE: SampleRate = SampleRate::HZ_48000;

impl Source for Long {
    fn spec(&self) -> Spec {
        Spec {
            rate: RATE,
            layout: self.layout,
        }
    }
    fn length(&self) -> Option<Frames> {
        Some(Frames(self.frames))
    }
    fn read(&mut self, out: &mut Block) -> Result<usize> {
        let n = (self.frames - self.at).min(out.capacity() as u64) as usize;
        out.fill(n, 0.0);
        self.at += n as u64;
        if n > 0 && self.at == self.frames {
            out.channels_mut().for_each(|c| c[n - 1] = 0.5);
        }
        Ok(n)
    }
    fn seek(&mut self, to: Frames) -> Result<()> {
        self.at = to.0.min(self.frames);
        Ok(())
    }
}

fn session(frames: u64, layout: Layout) -> Session {
    let mut session = Session::new(RATE, layout);
    let stem = Opener::new("long", move || {
        Ok(Box::new(Long {
            at: 0,
            frames,
            layout,
        }))
    });
    session.add_track(Track::new("long", stem));
    session
}

const MOST: u64 = 1 << 32;
const CASES: [(Format, Layout, u64); 4] = [
    (Format::WAV_16, Layout::Mono, 2),
    (Format::WAV_24, Layout::Mono, 3),
    (Format::WAV_24, Layout::Lcr, 9),
    (Format::WAV_32F, Layout::Stereo, 8),
];

/// The sizes that a header states: of the file without its first eight bytes, of the audio, frames where there is a figure.
struct Stated {
    rf64: bool,
    riff: u64,
    data: u64,
    frames: Option<u64>,
    /// Bytes before the audio.
    header: u64,
}

fn stated(bytes: &[u8]) -> Stated {
    let u32_at = |at: usize| u64::from(u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()));
    let u64_at = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    let rf64 = &bytes[..4] == b"RF64";
    assert!(rf64 || &bytes[..4] == b"RIFF");
    let (mut at, mut fact) = (12, None);
    while &bytes[at..at + 4] != b"data" {
        if &bytes[at..at + 4] == b"fact" {
            fact = Some(u32_at(at + 8));
        }
        at += 8 + u32_at(at + 4) as usize;
    }
    let header = at as u64 + 8;
    if rf64 {
        assert_eq!(
            (u32_at(4), u32_at(at + 4), &bytes[12..16]),
            (MOST - 1, MOST - 1, &b"ds64"[..])
        );
        return Stated {
            rf64,
            riff: u64_at(20),
            data: u64_at(28),
            frames: Some(u64_at(36)),
            header,
        };
    }
    Stated {
        rf64,
        riff: u32_at(4),
        data: u32_at(at + 4),
        frames: fact,
        header,
    }
}

fn headers() -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.wav");
    let mut injected = 0;
    for (format, layout, frame) in CASES {
        // Around 2^31, where audio and where the whole file reach 2^32, and where RF64 begins, a MiB before that.
        let near = |bytes: u64| (bytes / frame).saturating_sub(2)..=bytes / frame + 2;
        let borders = [
            MOST / 2,
            MOST - 1 - (1 << 20),
            MOST - 104,
            MOST - 44,
            MOST,
            MOST + 8,
        ];
        for frames in borders.into_iter().flat_map(near) {
            let mut head = Vec::new();
            let watch = |_| {
                let name = left(folder.path()).pop().unwrap();
                let file = fs::File::open(folder.path().join(name)).unwrap();
                head.clear();
                file.take(256).read_to_end(&mut head).unwrap();
                if head.len() < 256 {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            };
            let bounce = Bounce::new().format(format).threads(1);
            let e = bounce
                .progress(watch)
                .run(&session(frames, layout), &path)
                .unwrap_err();
            if e.to_string().contains("no room") {
                return skipped("less than 4 GiB are free");
            }
            assert_eq!(e.kind(), ErrorKind::Cancelled, "{e}");
            let got = stated(&head);
            let data = frames * frame;
            assert_eq!(
                (got.data, got.riff),
                (data, got.header - 8 + data + data % 2),
                "{format} {frames}"
            );
            assert_eq!(got.rf64, data + (1 << 20) >= MOST, "{format} {frames}");
            let counted = got.rf64 || format == Format::WAV_32F;
            assert_eq!(got.frames, counted.then_some(frames));
            injected += 1;
        }
    }
    held(
        injected,
        "sizes right to the byte; RF64 from 1 MiB below 4 GiB of audio",
    )
}

fn written() -> Seen {
    if times(0, 1) == 0 {
        return skipped("4 GiB are written only with SOUNDTRACK_FAULTS=full");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.wav");
    let mut injected = 0;
    let sizes = [
        (0, MOST / 2),
        (1, (MOST - 1) / 3),
        (1, MOST / 3 + 1),
        (3, 3 * 3600 * 48_000 + 600 * 48_000),
    ];
    for (case, frames) in sizes {
        let (format, layout, frame) = CASES[case];
        let bounce = Bounce::new().format(format).overwrite(true).measure(false);
        let report = bounce.run(&session(frames, layout), &path).unwrap();
        let size = fs::metadata(&path).unwrap().len();
        let mut head = vec![0; 256];
        fs::File::open(&path)
            .unwrap()
            .read_exact(&mut head)
            .unwrap();
        let got = stated(&head);
        assert_eq!(
            (report.frames, got.data, got.riff + 8),
            (frames, frames * frame, size)
        );
        assert_eq!(size, got.header + got.data + got.data % 2);
        for other in others(&path, got.rf64) {
            assert_eq!(other, (frames, layout.channels() as u64), "{format}");
        }
        let mut again = Session::new(RATE, layout);
        again.add_track(Track::new("again", path.as_path()));
        let end = again.render(Frames(frames - 2)..Frames(frames)).unwrap();
        assert!(
            end.iter().all(|c| c == &[0.0, 0.5]),
            "{format} {frames}: {end:?}"
        );
        injected += 1;
    }
    held(
        injected,
        "data bytes = declared bytes; last frame in its place; ffprobe and sox agree on frames where present",
    )
}

/// Frames and channels as other programs read them.
fn others(path: &Path, rf64: bool) -> Vec<(u64, u64)> {
    let said = |program: &str, arguments: &[&str]| {
        let done = Command::new(program)
            .args(arguments)
            .arg(path)
            .output()
            .ok()?;
        String::from_utf8(done.stdout)
            .ok()
            .filter(|_| done.status.success())
    };
    let probe = [
        "-v",
        "error",
        "-show_entries",
        "stream=duration_ts,channels",
        "-of",
        "csv=p=0",
    ];
    let ffprobe = said("ffprobe", &probe).map(|t| {
        let (channels, frames) = t.trim().split_once(',').unwrap();
        (frames.parse().unwrap(), channels.parse().unwrap())
    });
    let sox = || {
        Some((
            said("soxi", &["-s"])?.trim().parse().ok()?,
            said("soxi", &["-c"])?.trim().parse().ok()?,
        ))
    };
    // sox 14.4 knows no RF64.
    ffprobe.into_iter().chain(sox().filter(|_| !rf64)).collect()
}
