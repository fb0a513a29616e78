//! One result: whatever the threads, the blocks, the ranges and the container, and what a mix must be equal to.

mod mix;

use crate::table::{Row, Seen, held, skipped, times};
use flacenc::{bitsink::ByteSink, component::BitRepr, config, error::Verify, source::MemSource};
use mix::{FRAMES, KINDS, Kind, bytes, file, mixed, rendered, samples, session};
use sha2::{Digest, Sha256};
use soundtrack::{
    Bounce, Clip, Decibels, Format, Frames, Layout, SampleRate, Session, Spec, Track,
    encode::{Dither, Shaping},
    media::Memory,
};
use std::{fs, path::PathBuf, process::Command};

pub const ROWS: &[Row] = &[
    Row {
        section: "determinism",
        fault: "threads x blocks x ranges",
        run: one,
    },
    Row {
        section: "determinism",
        fault: "the same stems as FLAC",
        run: flac,
    },
    Row {
        section: "determinism",
        fault: "cut at random points, resampled too",
        run: cuts,
    },
    Row {
        section: "determinism",
        fault: "dither: seeds and ranges",
        run: dither,
    },
    Row {
        section: "determinism",
        fault: "a stem split in two, gains in two steps",
        run: split,
    },
    Row {
        section: "determinism",
        fault: "other builds of the library",
        run: builds,
    },
    Row {
        section: "determinism",
        fault: "sine, power and exponential of the system",
        run: elementary,
    },
];

/// The samples as 64-bit floats and then the file: exact, and mastered. The same on every machine and in every build.
const HASHES: [(Kind, &str); 2] = [
    (
        Kind::Exact,
        "91a1e7e8b23f6326a49598e4fe12e12d199518a833c21e51e6cb88ad7d602c55",
    ),
    (
        Kind::Mastered,
        "f59c5c5a0848060d43858b5d4895c32a570d97b4409b989d5437280b814f8a15",
    ),
];

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

fn one() -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let mut injected = 0;
    let mut hashes = String::new();
    for kind in KINDS {
        let session = session(folder.path(), kind);
        let whole = rendered(&session, 1024, 1, 0, u64::MAX).unwrap();
        assert_eq!(whole[0].len() as u64, FRAMES);
        let file = file(&session, kind, &folder.path().join("out.wav")).unwrap();
        let got = hash(&[bytes(&whole), file].concat());
        if let Some((_, want)) = HASHES.iter().find(|(k, _)| *k == kind) {
            assert_eq!(got, *want, "{kind:?}");
        }
        hashes += &format!("{} {}, ", format!("{kind:?}").to_lowercase(), &got[..12]);
        let blocks: &[usize] = &[1, 7, 64, 441, 1000, 4096, 16_384, 65_536];
        for (i, block) in blocks.iter().enumerate() {
            for threads in [1, 2, 8] {
                // One frame at a time is slow: every day only with one thread.
                if *block == 1 && threads > 1 && times(0, 1) == 0 {
                    continue;
                }
                let cut = (i as u64 * 7919 + threads as u64 * 977) % FRAMES;
                let mut parts = rendered(&session, *block, threads, 0, cut).unwrap();
                let rest = rendered(&session, *block, threads, cut, FRAMES).unwrap();
                parts.iter_mut().zip(rest).for_each(|(p, r)| p.extend(r));
                assert!(
                    bytes(&parts) == bytes(&whole),
                    "{kind:?}: {block} frames, {threads} threads, cut at {cut}"
                );
                injected += 1;
            }
        }
    }
    held(injected, format!("SHA-256 {}for each", hashes))
}

fn flac() -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let want = session(folder.path(), Kind::Exact);
    let config = config::Encoder::default().into_verified().unwrap();
    let path = |i: usize| folder.path().join(format!("{i}.flac"));
    for (i, bits) in [(1u64, 16), (2, 24), (3, 24), (4, 16)] {
        let source = MemSource::from_samples(&samples(i, FRAMES, bits), 2, bits as usize, 48_000);
        let mut stream =
            flacenc::encode_with_fixed_block_size(&config, source, config.block_size).unwrap();
        // RFC 9639 (8.2) leaves the last block out, which the encoder counts.
        stream
            .stream_info_mut()
            .set_block_sizes(config.block_size, config.block_size)
            .unwrap();
        let mut sink = ByteSink::new();
        stream.write(&mut sink).unwrap();
        fs::write(path(i as usize), sink.as_slice()).unwrap();
    }
    let again = mixed([path(1), path(2), path(3), path(4)], Kind::Exact);
    let [a, b] = [want, again].map(|s| bytes(&rendered(&s, 4096, 2, 0, u64::MAX).unwrap()));
    assert!(a == b);
    held(4, "bit-equal to WAV, float WAV, AIFF and CAF")
}

/// Numbers that look random and are the same every time.
fn dice(i: u64, below: u64) -> u64 {
    (i.wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .rotate_left(29)
        .wrapping_mul(0xBF58_476D_1CE4_E5B9)
        >> 32)
        % below
}

fn cuts() -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let injected = times(60, 1000);
    for kind in [Kind::Resampled, Kind::Mastered] {
        let session = session(folder.path(), kind);
        let whole = rendered(&session, 4096, 1, 0, FRAMES).unwrap();
        for i in 0..injected {
            // A third within the first frames, where a resampler starts up.
            let cut = 1 + dice(i, if i % 3 == 0 { 600 } else { FRAMES - 1 });
            let to = cut + 1 + dice(i + 7, FRAMES - cut);
            let part = rendered(&session, 1 + dice(i, 5000) as usize, 1, cut, to).unwrap();
            let same = whole.iter().zip(&part).all(|(w, p)| {
                let w = &w[cut as usize..FRAMES.min(to) as usize];
                w.len() == p.len() && w.iter().zip(p).all(|(x, y)| x.to_bits() == y.to_bits())
            });
            assert!(same, "{kind:?}: {cut}..{to}");
        }
    }
    held(injected * 2, "bit-equal to the whole")
}

fn dither() -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let session = session(folder.path(), Kind::Exact);
    let out = folder.path().join("out.wav");
    let run = |dither: Dither, from: u64, to: u64| {
        let bounce = Bounce::new()
            .format(Format::WAV_16)
            .overwrite(true)
            .dither(dither);
        bounce
            .range(Frames(from)..Frames(to))
            .run(&session, &out)
            .unwrap();
        let samples = hound::WavReader::open(&out).unwrap().into_samples::<i16>();
        samples.map(Result::unwrap).collect::<Vec<i16>>()
    };
    let mut injected = 0;
    for shaping in [Shaping::White, Shaping::HighPass] {
        let seeded = |seed| Dither { seed, shaping };
        let whole = run(seeded(5), 0, FRAMES);
        assert!(whole == run(seeded(5), 0, FRAMES));
        let other = run(seeded(6), 0, FRAMES);
        assert!(whole.iter().zip(&other).filter(|(a, b)| a != b).count() > whole.len() / 4);
        for i in 0..times(15, 250) {
            let from = dice(i, FRAMES - 1);
            let to = from + 1 + dice(i + 3, FRAMES - from);
            let end = to.min(FRAMES) as usize * 2;
            assert!(
                run(seeded(5), from, to.min(FRAMES)) == whole[from as usize * 2..end],
                "{shaping} {from}..{to}"
            );
            injected += 1;
        }
        injected += 2;
    }
    held(
        injected,
        "one seed: equal bytes, in parts too; two seeds: other bytes",
    )
}

fn split() -> Seen {
    let stem = |seed: u64| {
        let all = samples(seed, 6000, 24);
        let channel = |ch: usize| {
            all.iter()
                .skip(ch)
                .step_by(2)
                .map(|s| f64::from(*s) / 8_388_608.0)
                .collect::<Vec<_>>()
        };
        vec![channel(0), channel(1)]
    };
    let spec = Spec {
        rate: SampleRate::HZ_48000,
        layout: Layout::Stereo,
    };
    let memory = |channels: Vec<Vec<f64>>| Memory::new(spec, channels).unwrap();
    let render = |tracks: Vec<Track>| {
        let mut session = Session::new(spec.rate, spec.layout);
        for track in tracks {
            session.add_track(track);
        }
        session
    };
    let range = Frames(0)..Frames(6000);
    let (mut injected, mut worst) = (0, 0u64);
    for i in 0..times(40, 1000) {
        let (whole, other, cut) = (stem(i), stem(i + 5000), 1 + dice(i, 5998));
        let gain = Decibels(dice(i, 400) as f64 / 10.0 - 30.0);
        let beside = || Track::new("other", memory(other.clone())).gain(Decibels(-4.7));
        let one = render(vec![
            Track::new("a", memory(whole.clone())).gain(gain),
            beside(),
        ])
        .render(range.clone())
        .unwrap();
        let (head, tail) = (
            whole.iter().map(|c| c[..cut as usize].to_vec()).collect(),
            whole.iter().map(|c| c[cut as usize..].to_vec()).collect(),
        );
        // As two clips of a track.
        let halves = Track::of("a")
            .clip(Clip::new(memory(head)))
            .clip(Clip::new(memory(tail)).at(Frames(cut)));
        let two = render(vec![halves.gain(gain), beside()])
            .render(range.clone())
            .unwrap();
        assert!(bytes(&one) == bytes(&two), "cut at {cut}");
        // A gain, then another: as their sum in decibels.
        let (a, b) = (
            dice(i + 1, 300) as f64 / 10.0 - 20.0,
            dice(i + 2, 300) as f64 / 10.0 - 20.0,
        );
        let both = render(vec![
            Track::new("a", memory(whole.clone())).gain(Decibels(a + b)),
        ]);
        let mut steps = render(vec![Track::new("a", memory(whole)).gain(Decibels(a))]);
        steps.master.gain = Decibels(b);
        let [both, steps] = [both, steps].map(|s| s.render(range.clone()).unwrap());
        for (x, y) in both.iter().flatten().zip(steps.iter().flatten()) {
            worst = worst.max(x.to_bits().abs_diff(y.to_bits()));
        }
        injected += 2;
    }
    // Each of the two factors and both products round once; as does the one factor and its product.
    assert!(worst <= 4, "{worst} units in the last place");
    held(
        injected,
        format!(
            "split: equal bits; gains in steps: at most {worst} units in the last place of 64 bits"
        ),
    )
}

/// Builds of other kinds are compared by `.ci/determinism`, by what this table has as its hashes.
fn builds() -> Seen {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../.ci/determinism");
    if times(0, 1) == 0 || !script.exists() {
        return skipped(".ci/determinism builds them, in the gate and with SOUNDTRACK_FAULTS=full");
    }
    let done = Command::new(script).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(
        done.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&done.stderr)
    );
    for (_, hash) in HASHES {
        assert!(said.contains(hash), "{hash} is not in {said}");
    }
    held(
        said.lines().count() as u64,
        said.lines().last().unwrap_or_default(),
    )
}

/// Checks that only the drawing of reports uses the standard library's functions, which differ between systems.
fn elementary() -> Seen {
    const NAMES: [&str; 24] = [
        "sin", "cos", "tan", "sin_cos", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh",
        "exp", "exp2", "exp_m1", "ln", "ln_1p", "log", "log2", "log10", "powf", "powi", "cbrt",
        "hypot", "mul_add",
    ];
    let mut folders = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../src")];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            let name = path.to_string_lossy().into_owned();
            if path.is_dir() {
                folders.extend(
                    (!name.ends_with("/tests") && !name.ends_with("/picture")).then_some(path),
                );
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            files += 1;
            for line in text
                .split("#[cfg(test)]\nmod tests")
                .next()
                .unwrap()
                .lines()
            {
                let code = line.split("//").next().unwrap();
                for name in NAMES {
                    let (method, path) = (format!(".{name}("), format!("f64::{name}("));
                    assert!(
                        !code.contains(&method) && !code.contains(&path),
                        "{}: {line}",
                        entry.path().display()
                    );
                }
            }
        }
    }
    held(
        files,
        "files of src use none of them; `libm` computes gains, curves and fades alike everywhere",
    )
}
