//! FLAC of every width, number of channels, level and block size that `flac` and `ffmpeg` write, bit for bit.

use crate::tools::{self, Lcg};
use soundtrack::{Damage, Report};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What is encoded: integers of `bits` bits, one plane for each channel.
struct Audio {
    bits: u32,
    planes: Vec<Vec<i64>>,
}

/// Returns a mixture of tones and noise in which the channels of each pair resemble each other.
fn music(bits: u32, channels: usize, frames: usize) -> Audio {
    let full = f64::from(1u32 << (bits - 1));
    let mut noise = Lcg(9);
    let mut planes = vec![Vec::with_capacity(frames); channels];
    for i in 0..frames {
        let common = (i as f64 * 0.031).sin() * 0.4 + noise.sample() * 0.02;
        for (ch, plane) in planes.iter_mut().enumerate() {
            let own = (i as f64 * (0.07 + 0.013 * ch as f64)).sin() * 0.1;
            plane.push(((common + own) * full).floor() as i64);
        }
    }
    Audio { bits, planes }
}

impl Audio {
    /// Encodes with `flac` and more options.
    fn encode(&self, dir: &Path, options: &[&str]) -> PathBuf {
        let path = dir.join("a.flac");
        let bytes = self.bits.div_ceil(8) as usize;
        let frames = self.planes[0].len();
        let raw: Vec<u8> = (0..frames)
            .flat_map(|i| self.planes.iter().map(move |plane| plane[i]))
            .flat_map(|x| x.to_le_bytes().into_iter().take(bytes))
            .collect();
        let mut flac = Command::new("flac")
            .args(["-s", "-f", "--lax", "--force-raw-format"])
            .args(["--endian=little", "--sign=signed", "--sample-rate=48000"])
            .arg(format!("--channels={}", self.planes.len()))
            .arg(format!("--bps={}", self.bits))
            .args(options)
            .args(["-", "-o"])
            .arg(&path)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        flac.stdin.take().unwrap().write_all(&raw).unwrap();
        assert!(flac.wait().unwrap().success(), "flac {options:?}");
        path
    }

    /// Checks that a file is read as it was encoded.
    fn check(&self, path: &Path, what: &str) {
        let heard = tools::hear(path).unwrap_or_else(|e| panic!("{what}: {e}"));
        assert!(heard.error.is_none(), "{what}: {:?}", heard.error);
        assert!(heard.flaws.is_empty(), "{what}: {:?}", heard.flaws);
        assert!(heard.info.remarks.is_empty(), "{what}");
        assert_eq!(heard.planes.len(), self.planes.len(), "{what}");
        let full = f64::from(1u32 << (self.bits - 1));
        for (heard, plane) in heard.planes.iter().zip(&self.planes) {
            let expected = plane.iter().map(|x| *x as f64 / full);
            assert!(expected.eq(heard.iter().copied()), "{what}");
        }
        // The end, after a seek.
        let frames = self.planes[0].len();
        let from = frames.saturating_sub(100);
        let (mut source, _) = soundtrack::media::open(path, None).unwrap();
        let end = tools::after_seek(source.as_mut(), from as u64, 200);
        assert!(
            end.iter().zip(&heard.planes).all(|(e, h)| *e == h[from..]),
            "{what}"
        );
    }
}

#[test]
fn every_level_of_flac_is_decoded_exactly() {
    if !tools::have(&["flac"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let levels = ["-0", "-1", "-2", "-3", "-4", "-5", "-6", "-7", "-8"].map(|level| vec![level]);
    let more = [
        vec!["-8", "-e", "-p"],
        vec!["-8", "-l", "32", "-b", "8192"],
        vec!["-0", "-r", "0"],
        vec!["-8", "-r", "15,15", "-b", "32768"],
        vec!["-5", "-q", "5"],
        vec!["-5", "-q", "15"],
    ];
    for bits in [16, 24] {
        let audio = music(bits, 2, 70_001);
        for options in levels.iter().chain(&more) {
            audio.check(
                &audio.encode(dir.path(), options),
                &format!("{bits} {options:?}"),
            );
        }
    }
}

#[test]
fn every_width_and_number_of_channels_is_decoded_exactly() {
    if !tools::have(&["flac"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    // What `flac` reads as raw data. Others are in the unit tests.
    for bits in [8, 16, 24, 32] {
        for channels in 1..=8 {
            let audio = music(bits, channels, 20_000);
            let path = audio.encode(dir.path(), &["-8"]);
            audio.check(&path, &format!("{bits} bits, {channels} channels"));
        }
    }
}

#[test]
fn every_block_size_is_decoded_exactly() {
    if !tools::have(&["flac"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for block in [16, 17, 192, 576, 1000, 4096, 4608, 16_384, 65_535] {
        // Whole blocks only, one frame more, one frame less, and less than a block.
        for frames in [3 * block, 3 * block + 1, 2 * block - 1, block - 1] {
            let audio = music(16, 2, frames);
            let path = audio.encode(dir.path(), &["-5", "-b", &block.to_string()]);
            audio.check(&path, &format!("{frames} frames in blocks of {block}"));
        }
    }
}

#[test]
fn extreme_samples_are_decoded_exactly() {
    if !tools::have(&["flac"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for bits in [8u32, 16, 24, 32] {
        let (low, high) = (-(1i64 << (bits - 1)), (1i64 << (bits - 1)) - 1);
        let mut noise = Lcg(bits.into());
        let mut any = || low + (noise.next() as i64) % (high - low + 1);
        let random: Vec<i64> = (0..10_000).map(|_| any()).collect();
        let square = |period: usize| -> Vec<i64> {
            (0..10_000)
                .map(|i| {
                    if (i / period).is_multiple_of(2) {
                        low
                    } else {
                        high
                    }
                })
                .collect()
        };
        let negated = |plane: &[i64]| plane.iter().map(|x| (-x).min(high)).collect();
        let wasted: Vec<i64> = random.iter().map(|x| x >> 5 << 5).collect();
        // Against each other, the difference of 32 bits needs 33.
        let tone: Vec<i64> = (0..10_000)
            .map(|i| ((f64::from(i) * 0.05).sin() * 0.9 * high as f64) as i64)
            .collect();
        for (name, left) in [
            ("noise", random.clone()),
            ("square", square(1)),
            ("slow square", square(50)),
            ("wasted bits", wasted),
            ("tone", tone),
            ("silence", vec![0; 10_000]),
            ("lowest", vec![low; 10_000]),
        ] {
            for right in [left.clone(), negated(&left), random.clone()] {
                let planes = vec![left.clone(), right];
                let audio = Audio { bits, planes };
                let path = audio.encode(dir.path(), &["-8"]);
                audio.check(&path, &format!("{bits} bits, {name}"));
            }
        }
    }
}

#[test]
fn the_encoder_of_ffmpeg_is_decoded_exactly_in_every_container() {
    if !tools::have(&["ffmpeg"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let planes = tools::music(60_000, 2);
    let wav = dir.path().join("a.wav");
    tools::wav16(&wav, 48_000, &planes);
    let planes = planes
        .iter()
        .map(|p| p.iter().map(|x| i64::from(*x)).collect());
    let audio = Audio {
        bits: 16,
        planes: planes.collect(),
    };
    for name in ["a.flac", "a.oga", "a.mka", "a.mp4"] {
        for level in 0..=12 {
            let path = dir.path().join(name);
            let level = level.to_string();
            let head = ["-v", "error", "-y", "-i", wav.to_str().unwrap()];
            let coding = [
                "-c:a",
                "flac",
                "-strict",
                "-2",
                "-compression_level",
                &level,
            ];
            let all = [&head[..], &coding, &[path.to_str().unwrap()]].concat();
            tools::run("ffmpeg", &all);
            audio.check(&path, &format!("{name}, level {level}"));
        }
    }
}

#[test]
fn ogg_flac_of_32_bits_is_decoded_exactly() {
    if !tools::have(&["flac"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut audio = music(32, 2, 30_000);
    let negated = audio.planes[0].iter().map(|x| -x).collect();
    audio.planes[1] = negated;
    let native = audio.encode(dir.path(), &["-8"]);
    let ogg = dir.path().join("a.oga");
    tools::run(
        "flac",
        &[
            "-s",
            "-f",
            "--lax",
            "--ogg",
            native.to_str().unwrap(),
            "-o",
            ogg.to_str().unwrap(),
        ],
    );
    audio.check(&ogg, "ogg");
}

/// Tags and anything else behind the last frame are no audio, and do not hide it.
#[test]
fn what_follows_the_last_frame_is_ignored() {
    if !tools::have(&["flac"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let audio = music(16, 2, 9_000);
    let path = audio.encode(dir.path(), &["-5"]);
    let whole = fs::read(&path).unwrap();
    let id3 = [&b"TAG"[..], &[0; 125]].concat();
    for behind in [
        &id3[..],
        &[0; 1000],
        b"\xFF",
        &[0x55; 70_000],
        &[0xFF; 70_000],
    ] {
        fs::write(&path, [&whole[..], behind].concat()).unwrap();
        audio.check(&path, &format!("{} bytes behind", behind.len()));
    }
}

#[test]
fn a_report_says_whether_the_audio_has_the_stated_md5() {
    if !tools::have(&["flac"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for (bits, channels) in [(8, 1), (16, 2), (24, 2), (32, 6)] {
        let path = music(bits, channels, 9_000).encode(dir.path(), &["-5"]);
        let mut data = fs::read(&path).unwrap();
        let warnings = |data: &[u8]| {
            fs::write(&path, data).unwrap();
            let report = Report::of_audio(&path, 1, Damage::Silence).unwrap();
            let warnings = report.warnings.iter().map(ToString::to_string);
            warnings.filter(|w| w.contains("MD5")).collect::<Vec<_>>()
        };
        assert!(warnings(&data).is_empty(), "{bits} bits");
        // The last byte of the MD5, which ends STREAMINFO.
        data[41] ^= 1;
        let said = format!(
            "W126 {}: its audio does not have the MD5 that the file states",
            path.display()
        );
        assert_eq!(warnings(&data), [said], "{bits} bits");
        // None is stated.
        data[26..42].fill(0);
        assert!(warnings(&data).is_empty(), "{bits} bits");
    }
}
