//! Whole stem sets, alignment, lossless conversion, and what opening costs.

use crate::tools;
use flacenc::{bitsink::ByteSink, component::BitRepr, config, error::Verify, source::MemSource};
use soundtrack::{
    Layout,
    media::{self, Remark},
};
use std::{path::Path, time::Instant};

fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|f| f.unwrap().path())
        .collect();
    files.sort();
    files
}

#[test]
fn lossy_stem_sets_equal_other_decoders() {
    let Some(dir) = tools::data() else { return };
    if !tools::have(&["ffmpeg", "mpg123"]) {
        return;
    }
    let sets: [(&str, &[usize]); 3] = [
        ("mdn-multitrack-mp3", &[3_541_248, 3_671_424]),
        ("saraga-carnatic-mp3", &[88_200]),
        ("kira-dynamic-vorbis", &[940_800]),
    ];
    for (set, lengths) in sets {
        for path in files(&dir.join("stems").join(set)) {
            let heard = tools::hear(&path).unwrap();
            assert!(
                heard.flaws.is_empty() && heard.info.missing.0 == 0,
                "{}",
                path.display()
            );
            assert!(
                lengths.contains(&heard.frames()),
                "{}: {}",
                path.display(),
                heard.frames()
            );
            let n = heard.planes.len();
            let other = if set.ends_with("mp3") {
                tools::mpg123(&path, n)
            } else {
                tools::ffmpeg(&path, 1, n)
            };
            assert_eq!(other[0].len(), heard.frames(), "{}", path.display());
            let far = tools::furthest(&heard.planes, &other) * 32_768.0;
            println!(
                "{set}: {} frames, {far:.3} steps of 16 bits at most",
                heard.frames()
            );
            assert!(far <= 2.0, "{}: {far}", path.display());
        }
    }
}

#[test]
fn a_stem_mp4_gives_each_of_its_five_streams() {
    let Some(dir) = tools::data() else { return };
    let path = files(&dir.join("stems/falcon69-ni-stem-mp4")).remove(0);
    let names = media::stream_names(&path).unwrap();
    assert_eq!(names, ["", "Drums", "Bass", "Other", "Vox"]);
    let colours = [1, 2, 3, 4, 5].map(|n| media::open(&path, Some(n)).unwrap().1.colour);
    let stated = ["#009e73", "#d55e00", "#cc79a7", "#56b4e9"].map(|c| Some(c.to_owned()));
    assert_eq!((&colours[0], &colours[1..]), (&None, &stated[..]));
    let mut streams = Vec::new();
    for n in 1..=5 {
        let heard = tools::hear_stream(&path, Some(n)).unwrap();
        assert_eq!(
            (heard.info.streams, heard.info.spec.layout),
            (5, Layout::Stereo)
        );
        println!(
            "stream {n}: {} frames, {} trimmed, {:?}",
            heard.frames(),
            heard.info.trimmed_start,
            heard.info.remarks
        );
        if tools::have(&["ffmpeg"]) {
            let other = tools::ffmpeg(&path, n, 2);
            let far = tools::furthest(&heard.planes, &other) * 32_768.0;
            println!(
                "          {} frames elsewhere, {far:.3} steps of 16 bits at most",
                other[0].len()
            );
            assert!(far <= 2.0 && other[0].len() >= heard.frames(), "{n}: {far}");
        }
        streams.push(heard.planes);
    }
    assert_eq!(tools::hear(&path).unwrap().planes, streams[0]);
    assert!(streams[1..].iter().all(|s| s != &streams[0]));
    let e = media::open(&path, Some(6)).err().unwrap();
    assert!(
        e.to_string()
            .contains("audio stream 6 is not there; the file has 5"),
        "{e}"
    );
    assert!(media::open(&path, Some(0)).is_err());
    // The four stems sum to a peak of 3.70.
    let sum = |ch: usize, i: usize| streams[1..].iter().map(|s| s[ch][i]).sum::<f64>();
    let peak = (0..2).flat_map(|ch| (0..streams[0][0].len()).map(move |i| (ch, i)));
    let peak = peak.map(|(ch, i)| sum(ch, i).abs()).fold(0.0, f64::max);
    assert!((peak - 3.70).abs() < 0.01, "{peak}");
}

#[test]
fn lossless_conversions_are_bit_exact() {
    if !tools::have(&["ffmpeg", "flac"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let wav = dir.path().join("a.wav");
    for channels in [1, 2, 6] {
        let music = tools::music(50_021, channels);
        tools::wav16(&wav, 48_000, &music);
        for (name, args) in [
            ("a.flac", &["-c:a", "flac"][..]),
            ("a.oga", &["-c:a", "flac"]),
            ("a.m4a", &["-c:a", "alac"]),
            ("b.mp4", &["-c:a", "flac", "-strict", "-2"]),
            ("a.caf", &["-c:a", "pcm_s16le"]),
            ("b.caf", &["-c:a", "alac"]),
            ("a.aiff", &["-c:a", "pcm_s16be"]),
            ("a.mka", &["-c:a", "flac"]),
        ] {
            let path = dir.path().join(name);
            let head = ["-v", "error", "-y", "-i", wav.to_str().unwrap()];
            let all: Vec<&str> = head
                .into_iter()
                .chain(args.iter().copied())
                .chain([path.to_str().unwrap()])
                .collect();
            tools::run("ffmpeg", &all);
            let heard = tools::hear(&path).unwrap();
            println!(
                "{name} {channels} channels: {} {}",
                heard.info.codec, heard.info.spec.layout
            );
            assert_eq!(heard.frames(), 50_021, "{name}");
            assert_eq!(heard.planes.len(), channels, "{name}");
            // ALAC in CAF does not say.
            assert!(
                heard.info.bits.is_none_or(|b| b.width == 16),
                "{name}: {:?}",
                heard.info.bits
            );
            let same = |(h, m): (&Vec<f64>, &Vec<i16>)| {
                h.iter().zip(m).all(|(h, m)| *h == f64::from(*m) / 32_768.0)
            };
            assert!(
                heard.planes.iter().zip(&music).all(same),
                "{name} {channels}"
            );
        }
    }
}

#[test]
fn aiff_from_a_pipe_is_whole_and_reported() {
    if !tools::have(&["ffmpeg"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (wav, path) = (dir.path().join("a.wav"), dir.path().join("a.aiff"));
    let music = tools::music(50_021, 2);
    tools::wav16(&wav, 48_000, &music);
    let args = [
        "-v",
        "error",
        "-i",
        wav.to_str().unwrap(),
        "-f",
        "aiff",
        "-",
    ];
    let piped = std::process::Command::new("ffmpeg")
        .args(args)
        .output()
        .unwrap()
        .stdout;
    assert_eq!(piped[4..8], [0; 4]);
    std::fs::write(&path, piped).unwrap();
    let heard = tools::hear(&path).unwrap();
    assert_eq!((heard.frames(), heard.info.missing.0), (50_021, 0));
    assert!(
        matches!(heard.info.remarks[..], [Remark::HeaderLength { .. }]),
        "{:?}",
        heard.info.remarks
    );
    let same = |(h, m): (&Vec<f64>, &Vec<i16>)| {
        h.iter().zip(m).all(|(h, m)| *h == f64::from(*m) / 32_768.0)
    };
    assert!(heard.planes.iter().zip(&music).all(same));
}

/// The lag, in frames, at which `b` agrees best with `a`.
fn best_lag(a: &[f64], b: &[f64]) -> i64 {
    let reach = 3_000i64;
    let (from, len) = (10_000usize, 20_000usize);
    let score = |lag: i64| {
        let start = usize::try_from(i64::try_from(from).unwrap() + lag).unwrap();
        a[from..from + len]
            .iter()
            .zip(&b[start..])
            .map(|(x, y)| x * y)
            .sum::<f64>()
    };
    (-reach..=reach)
        .max_by(|x, y| score(*x).total_cmp(&score(*y)))
        .unwrap()
}

#[test]
fn lossy_stems_are_aligned_to_the_frame() {
    if !tools::have(&["ffmpeg", "lame", "oggenc"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let wav = dir.path().join("a.wav");
    let music = tools::music(44_100, 2);
    tools::wav16(&wav, 44_100, &music);
    let original: Vec<f64> = music[0].iter().map(|s| f64::from(*s) / 32_768.0).collect();
    let path = |name: &str| dir.path().join(name);
    let text = |name: &str| path(name).to_str().unwrap().to_string();
    tools::run("lame", &["--quiet", &text("a.wav"), &text("a.mp3")]);
    tools::run("oggenc", &["-Q", "-o", &text("a.ogg"), &text("a.wav")]);
    tools::run(
        "ffmpeg",
        &[
            "-v",
            "error",
            "-i",
            &text("a.wav"),
            "-c:a",
            "aac",
            "-b:a",
            "192k",
            &text("a.m4a"),
        ],
    );
    tools::run(
        "ffmpeg",
        &[
            "-v",
            "error",
            "-i",
            &text("a.wav"),
            "-c:a",
            "libmp3lame",
            &text("b.mp3"),
        ],
    );
    tools::run(
        "ffmpeg",
        &[
            "-v",
            "error",
            "-i",
            &text("a.wav"),
            "-c:a",
            "libvorbis",
            &text("b.ogg"),
        ],
    );
    for name in ["a.mp3", "a.ogg", "a.m4a", "b.mp3", "b.ogg"] {
        let heard = tools::hear(&path(name)).unwrap();
        let lag = best_lag(&original, &heard.planes[0]);
        println!(
            "{name}: lag {lag}, {} frames, trimmed {}",
            heard.frames(),
            heard.info.trimmed_start
        );
        assert_eq!(lag, 0, "{name}");
        assert_eq!(heard.frames(), 44_100, "{name}");
        assert!(
            !heard.info.remarks.contains(&Remark::AlignmentUnknown),
            "{name}"
        );
    }
}

#[test]
fn opening_is_cheap() {
    if !tools::have(&["ffmpeg"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let wav = dir.path().join("a.wav");
    tools::wav16(&wav, 44_100, &tools::music(44_100 * 60, 2));
    for (name, limit) in [
        ("a.flac", 50),
        ("a.mp3", 250),
        ("a.m4a", 250),
        ("a.ogg", 500),
        ("a.aiff", 50),
    ] {
        let path = dir.path().join(name);
        tools::run(
            "ffmpeg",
            &[
                "-v",
                "error",
                "-i",
                wav.to_str().unwrap(),
                path.to_str().unwrap(),
            ],
        );
        let time = |_| {
            let since = Instant::now();
            media::open(&path, None).unwrap();
            since.elapsed()
        };
        let best = (0..5).map(time).min().unwrap();
        println!("opening {name}, 60 s of stereo: {best:?}");
        assert!(best.as_millis() < limit, "{name}: {best:?}");
    }
}

#[test]
fn pcm_of_every_width_is_exact_or_refused_in_every_container() {
    if !tools::have(&["ffmpeg"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let wav = dir.path().join("a.wav");
    tools::wav16(&wav, 44_100, &tools::music(5_000, 2));
    let codecs = [
        "pcm_u8",
        "pcm_s8",
        "pcm_s16le",
        "pcm_s16be",
        "pcm_s24le",
        "pcm_s24be",
        "pcm_s32le",
        "pcm_s32be",
        "pcm_f32le",
        "pcm_f32be",
        "pcm_f64le",
        "pcm_f64be",
        "pcm_alaw",
        "pcm_mulaw",
        "adpcm_ima_qt",
    ];
    let (mut exact, mut refused) = (0, Vec::new());
    for container in ["aiff", "caf", "mov", "mkv"] {
        for codec in codecs {
            let path = dir.path().join(format!("{codec}.{container}"));
            let (input, out) = (wav.to_str().unwrap(), path.to_str().unwrap());
            let args = ["-v", "quiet", "-y", "-i", input, "-c:a", codec, out];
            // Not every container takes every codec.
            if !std::process::Command::new("ffmpeg")
                .args(args)
                .status()
                .unwrap()
                .success()
            {
                continue;
            }
            match tools::hear(&path) {
                Ok(heard) => {
                    assert_eq!(
                        heard.planes,
                        tools::ffmpeg(&path, 1, 2),
                        "{codec} in {container}"
                    );
                    assert_eq!(heard.frames(), 5_000, "{codec} in {container}");
                    exact += 1;
                }
                Err(e) => refused.push(e.to_string()),
            }
        }
    }
    println!(
        "{exact} exact, {} refused:\n{}",
        refused.len(),
        refused.join("\n")
    );
    assert!(exact >= 34 && refused.len() <= 16);
}

#[test]
fn flac_whose_smallest_block_is_the_last_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.flac");
    let config = config::Encoder::default().into_verified().unwrap();
    // Blocks of 4,096 and a last one that is shorter, down to less than the 16 that a smallest block may have.
    for frames in [5, 1_000, 4_095, 4_097, 12_289, 40_955, 40_960] {
        let mut random = tools::Lcg(3);
        let samples: Vec<i32> = (0..frames * 2)
            .map(|_| (random.sample() * 8_388_000.0) as i32)
            .collect();
        let source = MemSource::from_samples(&samples, 2, 24, 48_000);
        let mut sink = ByteSink::new();
        flacenc::encode_with_fixed_block_size(&config, source, 4096)
            .unwrap()
            .write(&mut sink)
            .unwrap();
        let smallest = [(frames % 4096) as u16, 4096][usize::from(frames % 4096 == 0)];
        assert_eq!(sink.as_slice()[8..10], smallest.to_be_bytes());
        std::fs::write(&path, sink.as_slice()).unwrap();
        let heard = tools::hear(&path).unwrap_or_else(|e| panic!("{frames}: {e}"));
        assert!(
            heard.error.is_none() && heard.flaws.is_empty() && heard.info.remarks.is_empty(),
            "{frames}"
        );
        let want = |ch: usize| {
            samples
                .iter()
                .skip(ch)
                .step_by(2)
                .map(|s| f64::from(*s) / 8_388_608.0)
        };
        assert!(
            (0..2).all(|ch| want(ch).eq(heard.planes[ch].iter().copied())),
            "{frames}"
        );
        let (mut source, _) = media::open(&path, None).unwrap();
        let end = tools::after_seek(source.as_mut(), frames as u64 - 3, 3);
        assert!(
            want(1).skip(frames - 3).eq(end[1].iter().copied()),
            "{frames}"
        );
    }
}

#[test]
fn codecs_that_would_sound_wrong_are_found_out() {
    let Some(data) = tools::data() else { return };
    if !tools::have(&["ffmpeg", "lame"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    // HE-AAC that calls itself AAC-LC: only the packets tell.
    let he = data.join("zoo/fuzzing-corpus/aac_he_sr22k_br64k_1c_16b_libfdk_aac.m4a");
    tools::run(
        "ffmpeg",
        &[
            "-v",
            "error",
            "-i",
            he.to_str().unwrap(),
            "-c",
            "copy",
            path("he.aac").to_str().unwrap(),
        ],
    );
    let e = tools::hear(&path("he.aac")).err().unwrap();
    assert!(
        e.to_string().ends_with("HE-AAC in ADTS is not supported"),
        "{e}"
    );
    // Mono that goes on in stereo.
    let mut all = Vec::new();
    for channels in [1, 2] {
        let wav = path("a.wav");
        tools::wav16(&wav, 44_100, &tools::music(44_100, channels));
        tools::run(
            "lame",
            &[
                "--quiet",
                "-t",
                wav.to_str().unwrap(),
                path("a.mp3").to_str().unwrap(),
            ],
        );
        all.extend(std::fs::read(path("a.mp3")).unwrap());
    }
    std::fs::write(path("both.mp3"), all).unwrap();
    let e = tools::hear(&path("both.mp3")).err().unwrap();
    assert!(
        e.to_string()
            .contains("changes to layer 3 44100 Hz stereo at 00:00:01.0"),
        "{e}"
    );
}
