//! FLAC files written and read back: by this crate, `flac`, `metaflac` and ffmpeg.

use super::tools::{have, hear, run};
use soundtrack::{
    Block, Bounce, ErrorKind, Format, Frames, Layout, SampleRate, Session, Sink, Spec, Track,
    encode::{Container, Dither, FileSink, Options, Written},
    media::{Memory, Remark},
};
use soundtrack_test_support::{data, renders::stem, signals::spec};
use std::{fs, ops::ControlFlow, path::Path};

const LAYOUTS: [Layout; 8] = [
    Layout::Mono,
    Layout::Stereo,
    Layout::Lcr,
    Layout::Quad,
    Layout::Surround50,
    Layout::Surround51,
    Layout::Surround61,
    Layout::Surround71,
];

/// The WAVE format with the samples of a FLAC format.
fn as_wave(format: Format) -> Format {
    let wave = Format::names().map(|name| name.parse::<Format>().unwrap());
    wave.into_iter()
        .find(|f| f.container == Container::Wav && f.encoding == format.encoding)
        .unwrap()
}

/// Returns samples of tones, noise, silence and overs, which exercise every kind of subframe.
fn samples(ch: usize, frames: usize) -> Vec<f64> {
    let mut noise = 1u64 + ch as u64;
    (0..frames)
        .map(|n| {
            noise = noise
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let random = (noise >> 40) as f64 / f64::from(1 << 23) - 1.0;
            match n / 3000 % 5 {
                0 => 0.5 * (n as f64 * (0.01 + 0.003 * ch as f64)).sin(),
                1 => random,
                2 => 0.0,
                3 => 1.3 * (n as f64 * 0.05).sin(),
                _ => 0.2 * (n as f64 * 0.02).sin() + 0.01 * random,
            }
        })
        .collect()
}

/// Writes channels in blocks of this size.
fn write(path: &Path, format: Format, spec: Spec, channels: &[Vec<f64>], block: usize) -> Written {
    let frames = channels[0].len();
    let mut sink = FileSink::create(path, format, spec, Frames(frames as u64)).unwrap();
    let mut buffer = Block::new(spec.layout, block);
    for at in (0..frames).step_by(block) {
        let n = block.min(frames - at);
        buffer.set_frames(n);
        for (to, from) in buffer.channels_mut().zip(channels) {
            to.copy_from_slice(&from[at..at + n]);
        }
        sink.write(&buffer).unwrap();
    }
    sink.finish().unwrap()
}

#[test]
fn the_samples_are_those_of_a_wave_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for format in [Format::FLAC_16, Format::FLAC_24] {
        for layout in LAYOUTS {
            for frames in [1, 2, 15, 16, 17, 4095, 4096, 4097, 40_000] {
                let (flac, wav) = (path("a.flac"), path("a.wav"));
                let channels: Vec<_> = (0..layout.channels())
                    .map(|ch| samples(ch, frames))
                    .collect();
                let spec = spec(48_000, layout);
                let written = write(&flac, format, spec, &channels, 1000);
                let other = write(&wav, as_wave(format), spec, &channels, 1000);
                assert_eq!(
                    (written.frames, written.clipped, written.non_finite),
                    (other.frames, other.clipped, other.non_finite)
                );
                assert_eq!(written.bytes, fs::metadata(&flac).unwrap().len());
                assert!(
                    frames < 40_000 || (written.clipped > 0 && written.bytes < other.bytes),
                    "{written:?} {other:?}"
                );
                let (heard, wanted) = (hear(&flac).unwrap(), hear(&wav).unwrap());
                assert_eq!(heard.info.spec, spec);
                assert_eq!(heard.info.frames, Frames(frames as u64));
                assert!(heard.error.is_none() && heard.flaws.is_empty());
                assert!(heard.planes == wanted.planes, "{format} {layout} {frames}");
                fs::remove_file(flac).unwrap();
                fs::remove_file(wav).unwrap();
            }
        }
    }
}

#[test]
fn a_header_of_fewer_frames_than_there_are_is_said_and_they_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.flac");
    let channels = [samples(0, 9_000)];
    write(
        &path,
        Format::FLAC_16,
        spec(48_000, Layout::Mono),
        &channels,
        1000,
    );
    let whole = fs::read(&path).unwrap();
    // The length in STREAMINFO: the last 32 of its 36 bits. 0 is a length that is not known.
    for stated in [8_000, 9_000, 0] {
        let mut bytes = whole.clone();
        bytes[22..26].copy_from_slice(&u32::to_be_bytes(stated));
        fs::write(&path, bytes).unwrap();
        let info = hear(&path).unwrap().info;
        let remark = Remark::HeaderLength {
            stated: Frames(stated.into()),
            found: Frames(9_000),
        };
        let remarks = if stated == 8_000 {
            vec![remark]
        } else {
            vec![]
        };
        assert_eq!(
            (info.frames, info.remarks),
            (Frames(9_000), remarks),
            "{stated}"
        );
    }
}

#[test]
fn other_decoders_find_the_samples_the_checksum_and_the_length() {
    if !have(&["flac", "metaflac", "ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for (number, layout) in LAYOUTS.into_iter().enumerate() {
        for format in [Format::FLAC_16, Format::FLAC_24] {
            // Longer than two intervals of seek points.
            let frames = 8000 * 25 + 123;
            let channels: Vec<_> = (0..layout.channels())
                .map(|ch| samples(ch, frames))
                .collect();
            let (flac, wav) = (
                path(&format!("{number} {format}.flac")),
                path(&format!("{number} {format}.wav")),
            );
            let spec = spec(8000, layout);
            write(flac.as_ref(), format, spec, &channels, 5000);
            write(wav.as_ref(), as_wave(format), spec, &channels, 5000);
            // Compares the MD5 of the samples with that of STREAMINFO.
            run("flac", &["-t", "-s", "-w", &flac]);
            let raw = |file: &str| {
                let coding = if format == Format::FLAC_16 {
                    "s16le"
                } else {
                    "s24le"
                };
                let codec = format!("pcm_{coding}");
                run(
                    "ffmpeg",
                    &["-v", "error", "-i", file, "-f", coding, "-c:a", &codec, "-"],
                )
            };
            assert!(raw(&flac) == raw(&wav), "{layout} {format}");
            let decoded = path("decoded.raw");
            run(
                "flac",
                &[
                    "-d",
                    "-s",
                    "-f",
                    "--force-raw-format",
                    "--endian=little",
                    "--sign=signed",
                    "-o",
                    &decoded,
                    &flac,
                ],
            );
            assert!(
                fs::read(&decoded).unwrap() == raw(&wav),
                "{layout} {format}"
            );
            let shown = |what: &str| {
                let text = run("metaflac", &[what, &flac]);
                String::from_utf8(text).unwrap().trim().to_owned()
            };
            assert_eq!(shown("--show-total-samples"), frames.to_string());
            assert_ne!(shown("--show-md5sum"), "0".repeat(32));
            let block = shown("--show-max-framesize").parse::<usize>().unwrap();
            assert!(block > 0 && block < 4096 * 4 * layout.channels());
            let list = shown("--list");
            // The FLAC frames of 4,096 that hold 0, 10 and 20 s.
            for point in [
                "sample_number=0, ",
                "sample_number=77824, ",
                "sample_number=159744, ",
            ] {
                assert!(list.contains(point), "{point} is not in {list}");
            }
            assert!(list.contains("seek points: 3"), "{list}");
        }
    }
}

/// Seek points lead to the FLAC frame that they name: its header starts with the sync code and the
/// number of the frame.
#[test]
fn seek_points_lead_to_their_frames() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.flac");
    let frames = 8000 * 35;
    write(
        &path,
        Format::FLAC_16,
        spec(8000, Layout::Mono),
        &[samples(0, frames)],
        777,
    );
    let bytes = fs::read(&path).unwrap();
    let (mut at, mut table) = (4, None);
    let audio = loop {
        let size = usize::from(bytes[at + 1]) << 16
            | usize::from(bytes[at + 2]) << 8
            | usize::from(bytes[at + 3]);
        if bytes[at] & 0x7F == 3 {
            table = Some(&bytes[at + 4..at + 4 + size]);
        }
        let is_last = bytes[at] & 0x80 != 0;
        at += 4 + size;
        if is_last {
            break at;
        }
    };
    let points: Vec<_> = table.unwrap().chunks_exact(18).collect();
    assert_eq!(points.len(), 4);
    for (number, point) in points.into_iter().enumerate() {
        let word = |at: usize| u64::from_be_bytes(point[at..at + 8].try_into().unwrap());
        let (sample, offset) = (word(0), word(8));
        assert_eq!(sample, number as u64 * 80_000 / 4096 * 4096);
        let header = &bytes[audio + usize::try_from(offset).unwrap()..];
        // Fixed block size; frame numbers below 128 take one byte.
        assert_eq!(header[..2], [0xFF, 0xF8]);
        assert_eq!(u64::from(header[4]), sample / 4096);
    }
}

#[test]
fn the_bytes_depend_on_the_audio_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    session.add_track(Track::new("a", stem(1, 48_000, Layout::Stereo, 50_000)));
    session.add_track(Track::new("b", stem(2, 44_100, Layout::Mono, 30_000)));
    let bounced = |name: &str, threads: usize, block: usize| {
        let path = folder.path().join(name);
        let bounce = Bounce::new()
            .format(Format::FLAC_16)
            .dither(Dither::default());
        let report = bounce
            .threads(threads)
            .block(block)
            .run(&session, &path)
            .unwrap();
        assert_eq!(report.format.as_deref(), Some("flac16"));
        fs::read(path).unwrap()
    };
    let once = bounced("1.flac", 1, 16_384);
    for (threads, block) in [(1, 1000), (2, 16_384), (8, 4096), (2, 1)] {
        assert!(once == bounced(&format!("{threads} {block}.flac"), threads, block));
    }
    // The dither is that of a WAVE file.
    let wav = folder.path().join("a.wav");
    let bounce = Bounce::new()
        .format(Format::WAV_16)
        .dither(Dither::default());
    bounce.run(&session, &wav).unwrap();
    let flac = hear(&folder.path().join("1.flac")).unwrap();
    assert!(flac.planes == hear(&wav).unwrap().planes);
}

#[test]
fn an_empty_mix_is_a_file_without_frames() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.flac");
    let spec = spec(48_000, Layout::Stereo);
    let mut sink = FileSink::create(&path, Format::FLAC_24, spec, Frames(0)).unwrap();
    let written = sink.finish().unwrap();
    // "fLaC", STREAMINFO, tags with the name of the program alone, padding.
    let vendor = format!("soundtrack {}", env!("CARGO_PKG_VERSION")).len() as u64;
    assert_eq!(written.bytes, 4 + 4 + 34 + 4 + 8 + vendor + 4 + 1024);
    if have(&["flac"]) {
        run("flac", &["-t", "-s", path.to_str().unwrap()]);
    }
}

#[test]
fn what_flac_cannot_hold_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.flac");
    let refused = |spec: Spec, frames: u64, options: &Options| {
        let e = FileSink::create_with(&path, Format::FLAC_24, spec, Frames(frames), options)
            .unwrap_err();
        assert_eq!(e.kind(), ErrorKind::Output);
        let text = e.to_string();
        let prefix = format!("{}: ", path.display());
        text.strip_prefix(&prefix).unwrap_or(&text).to_owned()
    };
    let none = Options::default();
    for layout in [
        Layout::Stereo21,
        Layout::Lcrs,
        Layout::Surround70,
        Layout::Discrete(2),
    ] {
        assert_eq!(
            refused(spec(48_000, layout), 1, &none),
            format!("FLAC has no channel order for {layout}: write WAV, or another layout")
        );
    }
    for rate in [65_537, 88_201, 768_000] {
        assert_eq!(
            refused(spec(rate, Layout::Mono), 1, &none),
            format!("{rate} Hz does not fit into a FLAC file: choose another rate, or write WAV")
        );
    }
    assert_eq!(
        refused(spec(48_000, Layout::Mono), 1 << 36, &none),
        "68719476736 frames are more than a FLAC file can hold: write WAV"
    );
    for rate in [1, 44_100, 65_535, 88_200, 192_000, 655_350] {
        FileSink::create(&path, Format::FLAC_24, spec(rate, Layout::Mono), Frames(1)).unwrap();
    }
    let mut session = Session::new(SampleRate::HZ_48000, Layout::Mono);
    session.add_track(Track::new("a", stem(1, 48_000, Layout::Mono, 100)));
    let bounce = || Bounce::new().format(Format::FLAC_24);
    let e = bounce().joinable(true).run(&session, &path).unwrap_err();
    assert!(
        e.to_string()
            .contains("parts that are to be joined are written as WAV"),
        "{e}"
    );
    let wrong = folder.path().join("a.wav");
    let e = bounce().run(&session, &wrong).unwrap_err();
    assert_eq!(
        e.to_string(),
        format!(
            "{}: a FLAC file is written, so its extension cannot be .wav: name it a.flac",
            wrong.display()
        )
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn an_unfinished_file_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.flac");
    let spec = spec(48_000, Layout::Mono);
    let mut block = Block::new(Layout::Mono, 10_000);
    block.fill(10_000, 0.25);
    let mut sink = FileSink::create(&path, Format::FLAC_16, spec, Frames(10_001)).unwrap();
    sink.write(&block).unwrap();
    let e = sink.finish().unwrap_err();
    assert!(
        e.to_string()
            .ends_with("10001 frames were promised, 10000 came"),
        "{e}"
    );
    let mut sink = FileSink::create(&path, Format::FLAC_16, spec, Frames(10_001)).unwrap();
    sink.write(&block).unwrap();
    drop(sink);
    let mut session = Session::new(SampleRate::HZ_48000, Layout::Mono);
    session.add_track(Track::new(
        "a",
        Memory::new(spec, vec![vec![0.5; 100_000]]).unwrap(),
    ));
    fs::write(&path, "old").unwrap();
    let bounce = Bounce::new().format(Format::FLAC_16).overwrite(true);
    let e = bounce
        .progress(|_| ControlFlow::Break(()))
        .run(&session, &path)
        .unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Cancelled);
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// Recorded stems become at most 2 % larger than by `flac -5`, which has the same block size. Stems
/// decoded from lossy files are left out: 24 bits of their spectral holes do not occur in recordings.
#[test]
fn recorded_stems_are_as_small_as_those_of_flac() {
    let Some(stems) = data::folder("stems") else {
        return;
    };
    if !have(&["flac"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (ours, wav, theirs) = (path("ours.flac"), path("a.wav"), path("theirs.flac"));
    let (mut compared, mut worst) = (0, 0.0f64);
    let folders = data::files(&stems).into_iter().filter(|f| f.is_dir());
    let is_wave = |file: &std::path::PathBuf| file.extension().is_some_and(|e| e == "wav");
    for file in folders
        .flat_map(|folder| data::files(&folder))
        .filter(is_wave)
    {
        let heard = hear(&file).unwrap();
        if heard.frames() < 48_000 {
            continue;
        }
        for format in [Format::FLAC_16, Format::FLAC_24] {
            let spec = heard.info.spec;
            let written = write(ours.as_ref(), format, spec, &heard.planes, 16_384);
            write(wav.as_ref(), as_wave(format), spec, &heard.planes, 16_384);
            run(
                "flac",
                &["-5", "-s", "-f", "--no-padding", "-o", &theirs, &wav],
            );
            let ratio = written.bytes as f64 / fs::metadata(&theirs).unwrap().len() as f64;
            assert!(ratio <= 1.02, "{} {format}: {ratio:.4}", file.display());
            worst = worst.max(ratio);
            compared += 1;
            fs::remove_file(&ours).unwrap();
            fs::remove_file(&wav).unwrap();
        }
    }
    println!("{compared} files, at most {worst:.4} of the size by flac -5");
    assert!(compared >= 10, "{compared}");
}
