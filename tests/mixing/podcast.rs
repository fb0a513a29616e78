//! The podcast of `examples/sessions/podcast.toml`: two voices, cleaned and compressed, with the music ducked under them, at the
//! loudness that podcast services ask for, measured by another meter.

use ebur128::{EbuR128, Mode};
use soundtrack::{Delivery, Frames, Selector, Session};
use soundtrack_test_support::renders::noise;
use std::{f64::consts::TAU, fs, path::Path};

const RATE: u32 = 48_000;
const SECONDS: usize = 30;

/// Writes a mono stem of 24 bits.
fn write(path: &Path, sample: impl Fn(usize) -> f64) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE,
        bits_per_sample: 24,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(path, spec).unwrap();
    for n in 0..SECONDS * RATE as usize {
        let whole = (sample(n) * f64::from(1 << 23)).round() as i32;
        wav.write_sample(whole).unwrap();
    }
    wav.finalize().unwrap();
}

/// A voice that speaks in some seconds, four syllables a second, over hum and a floor of noise.
fn voice(seed: u64, pitch: f64, speaks: impl Fn(usize) -> bool) -> impl Fn(usize) -> f64 {
    move |n| {
        let t = n as f64 / f64::from(RATE);
        let hum = 0.01 * (TAU * 30.0 * t).sin() + 0.0005 * noise(seed, 0, n as u64);
        if !speaks(n / RATE as usize) {
            return hum;
        }
        let syllable = (TAU * 2.0 * t).sin().abs();
        let tone: f64 = (1..8)
            .map(|k| (TAU * pitch * f64::from(k) * t).sin() / f64::from(k))
            .sum();
        hum + 0.2 * syllable * (tone + 0.3 * noise(seed, 1, n as u64))
    }
}

#[test]
fn the_podcast_is_as_loud_as_it_should_be_and_the_music_ducks() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("podcast.toml");
    fs::write(&file, include_str!("../../examples/sessions/podcast.toml")).unwrap();
    let stems = folder.path().join("stems");
    fs::create_dir(&stems).unwrap();
    // Seconds 6 to 12 and 18 to 24; the music is alone at the start, in the middle and at the end.
    write(
        &stems.join("anna.wav"),
        voice(1, 210.0, |s| (6..9).contains(&s) || (18..21).contains(&s)),
    );
    write(
        &stems.join("ben.wav"),
        voice(2, 120.0, |s| (9..12).contains(&s) || (21..24).contains(&s)),
    );
    write(&stems.join("music.wav"), |n| {
        let t = n as f64 / f64::from(RATE);
        0.2 * ((TAU * 220.0 * t).sin() + (TAU * 277.0 * t).sin() + (TAU * 330.0 * t).sin())
    });
    let session = Session::load(&file).unwrap();
    let done = Delivery::new().run(&session).unwrap();
    assert!(done.passed(), "{done}");

    let mut wav = hound::WavReader::open(folder.path().join("podcast.wav")).unwrap();
    assert_eq!(wav.duration() as usize, SECONDS * RATE as usize);
    let samples: Vec<f64> = wav
        .samples::<i32>()
        .map(|s| f64::from(s.unwrap()) / f64::from(1 << 23))
        .collect();
    let mut meter = EbuR128::new(2, RATE, Mode::I | Mode::TRUE_PEAK).unwrap();
    meter.add_frames_f64(&samples).unwrap();
    let loudness = meter.loudness_global().unwrap();
    let peak = (0..2)
        .map(|ch| meter.true_peak(ch).unwrap())
        .fold(0.0, f64::max);
    let peak_dbtp = 20.0 * peak.log10();
    println!("{loudness:.2} LUFS, {peak_dbtp:.2} dBTP");
    assert!(
        (loudness + 16.0).abs() <= 0.2 && peak_dbtp <= -1.0,
        "{loudness} {peak_dbtp}"
    );

    // The music alone, under voices that are not heard but steer: by 12 dB while somebody speaks.
    let Ok(Selector::Bus(music)) = session.part("bus.music") else {
        panic!("a bus");
    };
    let stem = session
        .render_stems(&[music], Frames(0)..Frames(30 * 48_000))
        .unwrap();
    let power = |from: usize, to: usize| {
        let samples = &stem[0][0][from * 48_000..to * 48_000];
        samples.iter().map(|x| x * x).sum::<f64>() / samples.len() as f64
    };
    let down = 10.0 * (power(8, 11) / power(1, 4)).log10();
    assert!((down + 12.0).abs() < 1e-6, "{down}");
}
