//! The demo's stems: the right files, the same bytes every time, and a sum that neither clips nor whispers.

use sha2::{Digest, Sha256};
use soundtrack_cli::demo::{self, musical::musical, reel};
use std::{f64::consts::PI, fs, path::Path};
use symphonia::core::{
    codecs::audio::AudioDecoderOptions,
    formats::{FormatOptions, TrackType, probe::Hint},
    io::MediaSourceStream,
    meta::MetadataOptions,
};

/// Name, rate, channels, and the bounds of its peak in dBFS.
const EXPECTED: [(&str, u32, usize, f64, f64); 7] = [
    ("drums", 48_000, 2, -4.1, -3.9),
    ("shaker", 44_100, 1, -6.1, -5.9),
    ("bass", 44_100, 1, -6.1, -5.9),
    ("keys", 48_000, 2, -6.1, -5.9),
    ("guitar", 48_000, 1, -6.1, -5.9),
    ("pad", 96_000, 2, -7.1, -6.9),
    ("lead", 44_100, 2, -6.1, -5.9),
];
const SECONDS: usize = 32;

struct Take {
    rate: u32,
    channels: Vec<Vec<f64>>,
}

fn read(path: &Path) -> Take {
    let stream =
        MediaSourceStream::new(Box::new(fs::File::open(path).unwrap()), Default::default());
    let (format, metadata) = (FormatOptions::default(), MetadataOptions::default());
    let mut reader = symphonia::default::get_probe()
        .probe(&Hint::new(), stream, format, metadata)
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let track = reader.default_track(TrackType::Audio).unwrap();
    let parameters = track.codec_params.as_ref().unwrap().audio().unwrap();
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .unwrap();
    let mut take = Take {
        rate: 0,
        channels: Vec::new(),
    };
    let mut planes: Vec<Vec<f64>> = Vec::new();
    while let Some(packet) = reader
        .next_packet()
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    {
        let block = decoder.decode(&packet).unwrap();
        take.rate = block.spec().rate();
        block.copy_to_vecs_planar(&mut planes);
        take.channels.resize(planes.len(), Vec::new());
        for (channel, plane) in take.channels.iter_mut().zip(&planes) {
            channel.extend(plane);
        }
    }
    take
}

fn dbfs(peak: f64) -> f64 {
    20.0 * peak.log10()
}

fn peak<'a>(samples: impl IntoIterator<Item = &'a f64>) -> f64 {
    samples
        .into_iter()
        .fold(0.0f64, |peak, x| peak.max(x.abs()))
}

/// Adds a stem to both sides at 48 kHz: equal power for mono, balance for stereo, linear interpolation between frames.
fn add(sum: &mut [Vec<f64>; 2], take: &Take, gain_db: f64, pan: f64) {
    let gain = 10f64.powf(gain_db / 20.0);
    let sides = if take.channels.len() == 1 {
        [
            ((pan + 1.0) * PI / 4.0).cos(),
            ((pan + 1.0) * PI / 4.0).sin(),
        ]
    } else {
        [(1.0 - pan).min(1.0), (1.0 + pan).min(1.0)]
    };
    for (ch, (side, out)) in sides.into_iter().zip(sum).enumerate() {
        let channel = &take.channels[ch.min(take.channels.len() - 1)];
        for (i, out) in out.iter_mut().enumerate() {
            let at = i as f64 * f64::from(take.rate) / 48_000.0;
            let (whole, between) = (at as usize, at.fract());
            let next = channel.get(whole + 1).copied().unwrap_or(0.0);
            *out += gain * side * (channel[whole] + between * (next - channel[whole]));
        }
    }
}

#[test]
fn stems_are_complete_and_sum_well() {
    let folder = tempfile::tempdir().unwrap();
    let stems = demo::write_stems(folder.path()).unwrap();
    assert_eq!(stems.len(), EXPECTED.len());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), EXPECTED.len());

    let mut sum = [vec![0.0; SECONDS * 48_000], vec![0.0; SECONDS * 48_000]];
    for (stem, (name, rate, channels, low, high)) in stems.iter().zip(EXPECTED) {
        let take = read(&stem.file);
        assert_eq!(
            (stem.name, take.rate, take.channels.len()),
            (name, rate, channels)
        );
        for channel in &take.channels {
            assert_eq!(channel.len(), SECONDS * rate as usize, "{name}");
            let mean = channel.iter().sum::<f64>() / channel.len() as f64;
            assert!(mean.abs() < 1e-5, "{name} is offset by {mean}");
            assert!(
                peak(&channel[channel.len() - 20..]) < 1e-4,
                "{name} ends with a click"
            );
        }
        let peak = dbfs(peak(take.channels.iter().flatten()));
        assert!(low < peak && peak < high, "{name} peaks at {peak:.2} dBFS");
        add(&mut sum, &take, stem.gain_db, stem.pan);
    }

    let loudest = dbfs(peak(sum.iter().flatten()));
    assert!(
        -3.0 < loudest && loudest < -1.0,
        "the sum peaks at {loudest:.2} dBFS"
    );

    // The piece has a form: the peak is louder than the build, which is louder than the intro; the end is a rest.
    let power = |from: usize, to: usize| {
        let part = sum
            .iter()
            .flat_map(|side| &side[from * 48_000..to * 48_000]);
        10.0 * (part.map(|x| x * x).sum::<f64>() / (2.0 * 48_000.0 * (to - from) as f64)).log10()
    };
    let (intro, build, high, end) = (power(0, 5), power(5, 15), power(15, 25), power(31, 32));
    assert!(
        intro + 3.0 < build && build + 1.0 < high && end < intro - 6.0,
        "{intro:.1} {build:.1} {high:.1} {end:.1}"
    );
}

#[test]
fn the_reel_has_headroom_and_delivers_what_it_promises() {
    let folder = tempfile::tempdir().unwrap();
    let stems = demo::write_stems(&folder.path().join("stems")).unwrap();
    let session = reel::session(
        &stems,
        folder.path(),
        soundtrack::SampleRate::HZ_48000,
        soundtrack::Layout::Stereo,
    );
    let done = soundtrack::Delivery::new().run(&session).unwrap();
    assert!(done.passed());
    let warnings = done.warnings();
    assert!(warnings.iter().all(|w| w.kind.is_note()), "{warnings:?}");
    let frames: Vec<(&str, Vec<u64>)> = done
        .deliverables
        .iter()
        .map(|d| {
            (
                d.name.as_str(),
                d.files.iter().map(|f| f.report.frames).collect(),
            )
        })
        .collect();
    // The reel ends with its last cue, which starts after 41 s and lasts 5 s and the 7 s of the ending.
    let (reel, cues) = (53 * 48_000, vec![10 * 48_000, 32 * 48_000, 12 * 48_000]);
    let want = [
        ("full", vec![reel]),
        ("stems", vec![reel; 4]),
        ("album", cues),
        ("sing-along", vec![reel]),
    ];
    assert_eq!(frames, want);

    let [full, stems, album, _] = done.deliverables.as_slice() else {
        panic!()
    };
    let mix = &full.files[0].report;
    let peak = mix.mix.peak_dbfs.unwrap();
    assert!(
        -6.0 < peak && peak < -1.0,
        "the mix peaks at {peak:.2} dBFS"
    );
    assert_eq!(mix.mix.clipped_samples, 0);
    let buses: Vec<_> = mix
        .buses
        .iter()
        .map(|b| (b.name.as_str(), b.heard))
        .collect();
    assert_eq!(
        buses,
        [
            ("rhythm", true),
            ("band", true),
            ("tune", true),
            ("hall", true)
        ]
    );
    // Four stems and a mix of 24 bits, each rounded by half a step: 20 log10(5 / 2^24).
    let null = stems.null_test.as_ref().unwrap();
    let within = null.within_dbfs.unwrap();
    assert!((within + 130.515).abs() < 1e-3, "{within}");
    assert!(null.passed && null.read_back, "{null:?}");
    assert!((album.loudness.unwrap().integrated_lufs.unwrap() + 18.0).abs() < 1e-6);
    // The mix and its buses share a render; the other mix, and each cue heard and then written, have theirs.
    assert_eq!(done.renders, 1 + 1 + 2 * 3);

    // The plan shows the cut of the parade, in time with the music.
    let plan = soundtrack::Plan::compile(&session).unwrap();
    let uses: Vec<_> = plan.cues()[1]
        .uses
        .iter()
        .map(|u| (u.range.start.0, u.range.end.0, u.from.0))
        .collect();
    assert_eq!(
        uses,
        [(480_000, 1_572_000, 0), (1_560_000, 1_896_000, 1_200_000)]
    );
}

#[test]
fn the_same_bytes_every_time() {
    let hashes = || {
        let folder = tempfile::tempdir().unwrap();
        let stems = demo::write_stems(folder.path()).unwrap();
        stems
            .iter()
            .map(|stem| Sha256::digest(fs::read(&stem.file).unwrap()))
            .collect::<Vec<_>>()
    };
    assert_eq!(hashes(), hashes());
}

#[test]
fn musical_is_repeatable_and_never_silent() {
    let [left, right] = musical(7, 48_000, 480_000);
    assert_eq!([left.clone(), right.clone()], musical(7, 48_000, 480_000));
    assert_ne!(left, musical(8, 48_000, 480_000)[0]);
    assert_ne!(left, right);
    // A shorter take is the beginning of a longer one.
    assert_eq!(musical(7, 48_000, 100_001)[1], right[..100_001]);
    for side in [&left, &right] {
        let peak = dbfs(peak(side));
        assert!(-14.0 < peak && peak < -1.0, "{peak:.2} dBFS");
        for part in side.chunks(480) {
            assert!(part.iter().map(|x| x * x).sum::<f64>() / part.len() as f64 > 1e-7);
        }
    }
    assert_eq!(musical(7, 44_100, 0), [Vec::<f64>::new(), Vec::new()]);
}
