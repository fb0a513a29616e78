//! Laws 6 and 8: unity passes bit for bit, sums are exact, nothing is rescaled; what an integer file clips is counted.

use proptest::prelude::*;
use sha2::{Digest, Sha256};
use soundtrack::{
    Bounce, Decibels, Format, Frames, Layout, SampleRate, Session, Sink, Spec, Track,
    encode::FileSink, media::Memory,
};
use soundtrack_test_support::{
    data,
    renders::{noise, rendered, same_bits},
};
use std::path::Path;

fn hex(bytes: impl Iterator<Item = [u8; 8]>) -> String {
    let mut hash = Sha256::new();
    bytes.for_each(|b| hash.update(b));
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

/// All stems of a folder at unity, in one session.
fn unity(folder: &Path, rate: u32, layout: Layout) -> Session {
    let mut session = Session::new(SampleRate::new(rate).unwrap(), layout);
    for file in data::files(folder) {
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        session.add_track(Track::new(name, file));
    }
    session
}

struct Oracle {
    folder: &'static str,
    layout: Layout,
    bits: u32,
    frames: u64,
    peak: f64,
    peak_at: u64,
    clipped: u64,
    sum: &'static str,
    float: &'static str,
    clipped_sum: &'static str,
}

/// Computed with integers of 64 bits by another program.
const ORACLES: [Oracle; 2] = [
    Oracle {
        folder: "stems/rainbow-pack2-wav",
        layout: Layout::Stereo,
        bits: 24,
        frames: 327_548,
        peak: 11.379,
        peak_at: 94_964,
        clipped: 70_201,
        sum: "a72ee0ad0c703a99cb630c12d3adc8273bfa75cf19fdc2aaabb5b8b76212844d",
        float: "1066218087654b396c320420970495f8041d9377c6f059ab94aa3aff9c569f6f",
        clipped_sum: "b902dba9792d690a10f1ebd506220a4663523a02752d9ffc002a5240f27b717e",
    },
    Oracle {
        folder: "stems/phenicx-beethoven-20xwav",
        layout: Layout::Mono,
        bits: 16,
        frames: 44_100,
        peak: 6.013,
        peak_at: 38_874,
        clipped: 1391,
        sum: "e9e3e20da8ad5f7eedc210e12f90c2b32e3d3cfa262334cfed61202606982234",
        float: "ab2533b1292590d5a042f7676b26a8da51d329cdfb9e28259aed9a7b9b160bc9",
        clipped_sum: "d40c3f1c6ac4dae1c8cdb229c03266d15c76260fbf55bcd7983554dce01c6efc",
    },
];

#[test]
fn real_stems_sum_to_the_integer_reference() {
    for oracle in ORACLES {
        let Some(folder) = data::folder(oracle.folder) else {
            continue;
        };
        let session = unity(&folder, 44_100, oracle.layout);
        let mix = session.render(Frames(0)..Frames(oracle.frames)).unwrap();
        let scale = f64::from(1u32 << (oracle.bits - 1));
        let interleaved =
            || (0..oracle.frames as usize).flat_map(|n| mix.iter().map(move |c| c[n]));
        assert_eq!(hex(interleaved().map(f64::to_le_bytes)), oracle.float);
        assert_eq!(
            hex(interleaved().map(|x| ((x * scale) as i64).to_le_bytes())),
            oracle.sum
        );

        let out = tempfile::tempdir().unwrap();
        let file = out.path().join("mix.wav");
        let format = if oracle.bits == 16 {
            Format::WAV_16
        } else {
            Format::WAV_24
        };
        let report = Bounce::new().format(format).run(&session, &file).unwrap();
        assert_eq!(report.frames, oracle.frames);
        assert_eq!(report.mix.clipped_samples, oracle.clipped);
        assert!(
            (report.mix.peak_dbfs.unwrap() - oracle.peak).abs() < 0.0006,
            "{:?}",
            report.mix
        );
        assert_eq!(report.mix.peak_at_frame, Some(oracle.peak_at));
        // hound reads it back: another reader than ours.
        let mut wav = hound::WavReader::open(&file).unwrap();
        let mut hash = Sha256::new();
        for sample in wav.samples::<i32>() {
            hash.update(&sample.unwrap().to_le_bytes()[..oracle.bits as usize / 8]);
        }
        let got: String = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(got, oracle.clipped_sum);

        let float = out.path().join("mix32f.wav");
        let report = Bounce::new()
            .format(Format::WAV_32F)
            .run(&session, &float)
            .unwrap();
        assert_eq!(report.mix.clipped_samples, 0);
        let samples = hound::WavReader::open(&float)
            .unwrap()
            .into_samples::<f32>()
            .map(Result::unwrap);
        assert!(
            samples
                .zip(interleaved())
                .all(|(got, sum)| got.to_bits() == (sum as f32).to_bits())
        );
    }
}

#[test]
fn every_depth_and_layout_passes_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    for layout in [
        Layout::Mono,
        Layout::Stereo,
        Layout::Lcr,
        Layout::Quad,
        Layout::Surround51,
        Layout::Surround71,
    ] {
        for format in [
            Format::WAV_16,
            Format::WAV_24,
            Format::WAV_32,
            Format::WAV_32F,
        ] {
            let spec = Spec {
                rate: SampleRate::HZ_48000,
                layout,
            };
            let full = 2f64.powi(match format {
                Format::WAV_16 => 15,
                Format::WAV_24 => 23,
                _ => 31,
            });
            let sample = |ch: u64, n: u64| match format {
                Format::WAV_32F if n % 50 == 7 => -0.0,
                Format::WAV_32F => f64::from((3.0 * noise(5, ch, n)) as f32) * 1e-3f32 as f64,
                _ => (noise(5, ch, n) * full).round() / full,
            };
            let sample = |ch, n| {
                if format == Format::WAV_32F {
                    f64::from(sample(ch, n) as f32)
                } else {
                    sample(ch, n)
                }
            };
            let channels = (0..layout.channels() as u64)
                .map(|ch| (0..5001).map(|n| sample(ch, n)).collect())
                .collect();
            let (a, b) = (folder.path().join("a.wav"), folder.path().join("b.wav"));
            let mut stem = Session::new(SampleRate::HZ_48000, layout);
            stem.add_track(Track::new("x", Memory::new(spec, channels).unwrap()));
            Bounce::new()
                .format(format)
                .overwrite(true)
                .run(&stem, &a)
                .unwrap();
            let mut again = Session::new(SampleRate::HZ_48000, layout);
            again.add_track(Track::new("x", a.as_path()));
            let report = Bounce::new()
                .format(format)
                .overwrite(true)
                .run(&again, &b)
                .unwrap();
            assert_eq!(report.mix.clipped_samples, 0, "{layout} {format}");
            assert_eq!(
                std::fs::read(&a).unwrap(),
                std::fs::read(&b).unwrap(),
                "{layout} {format}"
            );
        }
    }
}

fn session_of(stems: &[(Vec<f64>, f64, bool)]) -> Session {
    let mut session = Session::new(SampleRate::HZ_48000, Layout::Mono);
    for (i, (samples, gain, invert)) in stems.iter().enumerate() {
        let spec = Spec {
            rate: SampleRate::HZ_48000,
            layout: Layout::Mono,
        };
        let memory = Memory::new(spec, vec![samples.clone()]).unwrap();
        session.add_track(
            Track::new(format!("t{i}"), memory)
                .gain(Decibels(*gain))
                .invert(*invert),
        );
    }
    session
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn integer_stems_sum_as_integers(
        stems in prop::collection::vec((any::<u64>(), 1usize..4000, 0u64..3000, any::<bool>(), 0usize..3), 1..9),
        layout in prop::sample::select(&[Layout::Mono, Layout::Stereo, Layout::Surround51][..]),
        block in 1usize..5000,
    ) {
        let mut session = Session::new(SampleRate::HZ_48000, layout);
        let buses: Vec<_> = (0..2).map(|i| session.add_bus(soundtrack::Bus::new(format!("bus{i}")))).collect();
        session.bus_mut(buses[1]).strip.to = Some(buses[0]);
        let channels = layout.channels() as u64;
        let mut sum = vec![vec![0i64; 7000]; layout.channels()];
        for (i, (seed, frames, at, invert, to)) in stems.iter().enumerate() {
            let value = |ch, n| noise(*seed, ch, n);
            let samples = (0..channels).map(|ch| (0..*frames as u64).map(|n| value(ch, n)).collect()).collect();
            let stem = Memory::new(Spec { rate: SampleRate::HZ_48000, layout }, samples).unwrap();
            let clip = soundtrack::Clip::new(stem).at(Frames(*at));
            let track = Track::of(format!("t{i}")).clip(clip).invert(*invert);
            session.add_track(if let Some(bus) = buses.get(*to) { track.to(*bus) } else { track });
            for (ch, sum) in sum.iter_mut().enumerate() {
                for n in 0..*frames as u64 {
                    let whole = (value(ch as u64, n) * 8_388_608.0) as i64;
                    sum[(at + n) as usize] += if *invert { -whole } else { whole };
                }
            }
        }
        let mix = rendered(&session, block, 2, 0..7000);
        for (mix, sum) in mix.iter().zip(&sum) {
            prop_assert!(mix.iter().zip(sum).all(|(x, n)| *x == *n as f64 / 8_388_608.0));
        }
    }
}

#[test]
fn what_changes_nothing_changes_nothing() {
    let frames = 0..3000u64;
    let take = |seed| {
        frames
            .clone()
            .map(|n| noise(seed, 0, n))
            .collect::<Vec<_>>()
    };
    let range = Frames(0)..Frames(3000);
    let mix = |stems: &[(Vec<f64>, f64, bool)]| session_of(stems).render(range.clone()).unwrap();
    let two = mix(&[(take(1), -1.0, false), (take(2), 2.0, false)]);
    // A silent stem, a muted one, one at minus infinity.
    same_bits(
        &two,
        &mix(&[
            (take(1), -1.0, false),
            (vec![0.0; 3000], 0.0, false),
            (take(2), 2.0, false),
        ]),
    );
    same_bits(
        &two,
        &mix(&[
            (take(1), -1.0, false),
            (take(3), f64::NEG_INFINITY, false),
            (take(2), 2.0, false),
        ]),
    );
    let mut muted = session_of(&[
        (take(1), -1.0, false),
        (take(3), 5.0, false),
        (take(2), 2.0, false),
    ]);
    muted.tracks_mut()[1].strip.mute = true;
    same_bits(&two, &muted.render(range.clone()).unwrap());
    // A stem and its inverse.
    let nothing = mix(&[(take(1), -1.0, false), (take(1), -1.0, true)]);
    assert!(nothing[0].iter().all(|x| *x == 0.0));
    // Integer stems sum the same in any order.
    let orders = [[1, 2, 3], [3, 1, 2], [2, 3, 1]].map(|o| mix(&o.map(|s| (take(s), 0.0, false))));
    same_bits(&orders[0], &orders[1]);
    same_bits(&orders[0], &orders[2]);
    // Gain a, then b, is gain a + b within two roundings.
    let both = mix(&[(take(1), -4.5, false)]);
    let mut bus = session_of(&[(take(1), -3.0, false)]);
    bus.master.gain = Decibels(-1.5);
    let stepwise = bus.render(range).unwrap();
    assert!(
        both[0]
            .iter()
            .zip(&stepwise[0])
            .all(|(a, b)| (a - b).abs() <= 3.0 * f64::EPSILON * a.abs())
    );
}

#[test]
fn an_integer_file_clips_and_says_how_often() {
    let folder = tempfile::tempdir().unwrap();
    let samples = vec![
        1.5,
        1.0,
        32_767.0 / 32_768.0,
        -1.0,
        -1.0 - 1.0 / 65_536.0,
        -1.1,
        0.0,
    ];
    let report = Bounce::new().format(Format::WAV_16).run(
        &session_of(&[(samples, 0.0, false)]),
        folder.path().join("o.wav"),
    );
    let report = report.unwrap();
    let read: Vec<i16> = hound::WavReader::open(folder.path().join("o.wav"))
        .unwrap()
        .into_samples()
        .map(Result::unwrap)
        .collect();
    assert_eq!(read, [32_767, 32_767, 32_767, -32_768, -32_768, -32_768, 0]);
    assert_eq!(
        report.mix.clipped_samples, 3,
        "1.5, 1.0 and -1.1; -1 - half a step rounds to even, inside the range"
    );
    assert!(
        report.warnings[0]
            .to_string()
            .starts_with("W101 3 samples clipped, the mix peaks at +3.52 dBFS")
    );
    assert!((report.mix.peak_dbfs.unwrap() - 20.0 * 1.5f64.log10()).abs() < 1e-12);
}

#[test]
fn an_embedding_programs_own_sink_gets_every_frame() {
    struct Count(u64, bool);
    impl Sink for Count {
        fn write(&mut self, block: &soundtrack::Block) -> soundtrack::Result<()> {
            self.0 += block.frames() as u64;
            Ok(())
        }
        fn finish(&mut self) -> soundtrack::Result<soundtrack::encode::Written> {
            self.1 = true;
            Ok(soundtrack::encode::Written::default())
        }
    }
    let session = session_of(&[(vec![0.5; 12_345], 0.0, false)]);
    let plan = soundtrack::Plan::compile(&session).unwrap();
    let mut renderer = soundtrack::Renderer::new(plan, &soundtrack::Options::default()).unwrap();
    let mut count = Count(0, false);
    Bounce::new()
        .block(1000)
        .into_sink(&mut renderer, &mut count)
        .unwrap();
    assert_eq!((count.0, count.1), (12_345, true));
    let spec = Spec {
        rate: SampleRate::HZ_48000,
        layout: Layout::Mono,
    };
    let folder = tempfile::tempdir().unwrap();
    let mut short =
        FileSink::create(folder.path().join("x.wav"), Format::WAV_16, spec, Frames(5)).unwrap();
    assert!(
        short.finish().is_err(),
        "a promised length that is not kept"
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
