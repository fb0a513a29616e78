//! Stems to be harmed: the same music in every codec that can be made here, and mixes of one stem.

use soundtrack::{
    Block, Bounce, Damage, Error, Frames, Layout, Options, Plan, Renderer, Report, SampleRate,
    Session, Spec, Track, encode, media::Memory,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

pub const RATE: u32 = 44_100;
/// Frames of every stem.
pub const FRAMES: usize = 44_100;

/// Numbers without a pattern, the same in every run.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    pub fn below(&mut self, most: usize) -> usize {
        self.next() as usize % most
    }
}

/// A stem as a file.
pub struct Made {
    pub codec: &'static str,
    pub path: PathBuf,
    pub bytes: Vec<u8>,
    /// Its length as it is read.
    pub frames: u64,
    /// Set if the format states the length.
    pub stated: bool,
    /// Set if the format has no last packet either, so that a cut stem looks whole.
    pub blind: bool,
}

impl Made {
    /// Writes a file with other content and the same extension beside the stem.
    pub fn with(&self, name: impl std::fmt::Display, bytes: &[u8]) -> PathBuf {
        let path = self.path.with_file_name(format!(
            "{name}-{}",
            self.path.file_name().unwrap().to_str().unwrap()
        ));
        fs::write(&path, bytes).unwrap();
        path
    }
}

/// Writes a WAV file of 16 bits.
pub fn wav16(path: &Path, rate: u32, planes: &[Vec<f64>]) {
    let spec = hound::WavSpec {
        channels: planes.len() as u16,
        sample_rate: rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(path, spec).unwrap();
    for i in 0..planes[0].len() {
        planes
            .iter()
            .for_each(|p| wav.write_sample((p[i] * 32_767.0) as i16).unwrap());
    }
    wav.finalize().unwrap();
}

/// Writes a mono WAV file of 32-bit floats.
pub fn wav32f(path: &Path, rate: u32, samples: &[f32]) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: rate,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut wav = hound::WavWriter::create(path, spec).unwrap();
    samples.iter().for_each(|s| wav.write_sample(*s).unwrap());
    wav.finalize().unwrap();
}

/// Returns two tones and noise, so that no stretch is equal to another.
pub fn music(channels: usize, frames: usize) -> Vec<Vec<f64>> {
    let mut random = Random(42);
    let mut low = vec![0.0; channels];
    let mut planes = vec![Vec::with_capacity(frames); channels];
    for i in 0..frames {
        let swell = 0.6 + 0.4 * (i as f64 / 7_000.0).sin();
        for (ch, plane) in planes.iter_mut().enumerate() {
            low[ch] += 0.15 * (random.next() as f64 / f64::from(1u32 << 30) - 1.0 - low[ch]);
            let tone = (i as f64 * (0.03 + 0.011 * ch as f64)).sin() * 0.3;
            plane.push((low[ch] * 1.2 + tone) * swell * 0.5);
        }
    }
    planes
}

/// Runs ffmpeg on a WAV file; false where it cannot do it or is not there.
pub fn encode(wav: &Path, args: &[&str], out: &Path) -> bool {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg
        .args(["-v", "quiet", "-y", "-i"])
        .arg(wav)
        .args(args)
        .arg(out);
    ffmpeg
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}

/// Returns the music in every codec, all but WAV encoded by ffmpeg. AAC is without noise, since its noise depends
/// on all that was before.
pub fn all(folder: &Path) -> Vec<Made> {
    const CODECS: [(&str, &str, &[&str]); 6] = [
        ("FLAC", "a.flac", &["-c:a", "flac"]),
        (
            "Vorbis",
            "a.ogg",
            &["-c:a", "libvorbis", "-page_duration", "200000"],
        ),
        ("MP3", "a.mp3", &["-c:a", "libmp3lame", "-b:a", "128k"]),
        (
            "AAC in MP4",
            "a.m4a",
            &["-c:a", "aac", "-aac_pns", "0", "-movflags", "+faststart"],
        ),
        ("AAC in ADTS", "a.aac", &["-c:a", "aac", "-aac_pns", "0"]),
        ("AIFF", "a.aiff", &["-c:a", "pcm_s16be"]),
    ];
    let wav = folder.join("a.wav");
    wav16(&wav, RATE, &music(2, FRAMES));
    let mut made = vec![("WAV", wav.clone())];
    for (codec, name, args) in CODECS {
        let path = folder.join(name);
        if encode(&wav, args, &path) {
            made.push((codec, path));
        }
    }
    let made = made.into_iter().map(|(codec, path)| {
        let frames = soundtrack::media::open(&path, None).unwrap().1.frames.0;
        let blind = codec == "AAC in ADTS";
        Made {
            codec,
            bytes: fs::read(&path).unwrap(),
            path,
            frames,
            stated: !blind && codec != "Vorbis",
            blind,
        }
    });
    made.collect()
}

/// Returns the note of a row for which not every codec could be made.
pub fn without(made: &[Made]) -> &'static str {
    if made.len() == 1 {
        soundtrack_test_support::requirement::missing("ffmpeg is not installed");
        "; WAV only, ffmpeg is not installed"
    } else {
        ""
    }
}

/// Returns a mix of one stem, a track named `vox`, in its own rate.
pub fn mix(stem: impl Into<soundtrack::Input>, damage: Damage) -> Session {
    let mut session = Session::new(SampleRate::new(RATE).unwrap(), Layout::Stereo);
    session.damage = damage;
    session.add_track(Track::new("vox", stem));
    session
}

/// Renders a session on one thread.
pub fn heard(session: &Session) -> Result<(Report, Vec<Vec<f64>>), Error> {
    heard_on(session, 1)
}

/// Renders a session on so many threads.
pub fn heard_on(session: &Session, threads: usize) -> Result<(Report, Vec<Vec<f64>>), Error> {
    let mut renderer = Renderer::new(Plan::compile(session)?, &Options { threads })?;
    let mut memory = encode::MemorySink::default();
    let report = Bounce::new()
        .threads(threads)
        .measure(false)
        .into_sink(&mut renderer, &mut memory)?;
    Ok((report, memory.into_channels()))
}

/// Renders the first frames of a session, at most so many, however long it says that it is.
pub fn begun(session: &Session, most: u64) -> Result<(Report, Vec<Vec<f64>>), Error> {
    let plan = Plan::compile(session)?;
    let range = Frames(0)..plan.length().min(Frames(most));
    let mut renderer = Renderer::new(plan, &Options { threads: 1 })?;
    let mut memory = encode::MemorySink::default();
    let report = Bounce::new()
        .threads(1)
        .measure(false)
        .range(range)
        .into_sink(&mut renderer, &mut memory)?;
    Ok((report, memory.into_channels()))
}

/// Returns whether a report has a warning with one of these codes.
pub fn said(report: &Report, codes: &[&str]) -> bool {
    report
        .warnings
        .iter()
        .any(|w| codes.contains(&w.kind.code()))
}

/// Fails unless an error names the track and the file.
pub fn named(error: &Error, file: &Path) {
    let (text, name) = (
        error.to_string(),
        file.file_name().unwrap().to_string_lossy(),
    );
    assert!(
        text.starts_with("track \"vox\": ") && text.contains(&*name),
        "{text}"
    );
}

/// Returns a stem of noise in memory, mono at 44.1 kHz.
pub fn noise(seed: u64, frames: usize) -> Memory {
    let mut random = Random(seed);
    let samples = (0..frames)
        .map(|_| random.next() as f64 / f64::from(1u32 << 31) - 0.5)
        .collect();
    Memory::new(
        Spec {
            rate: SampleRate::new(RATE).unwrap(),
            layout: Layout::Mono,
        },
        vec![samples],
    )
    .unwrap()
}

/// Returns whether two renders are equal to the last bit.
pub fn same(a: &[Vec<f64>], b: &[Vec<f64>]) -> bool {
    let bits = |x: &[Vec<f64>]| {
        x.iter()
            .map(|c| c.iter().map(|s| s.to_bits()).collect())
            .collect::<Vec<Vec<u64>>>()
    };
    bits(a) == bits(b)
}

/// A sink that keeps nothing.
pub struct Nowhere;

impl soundtrack::Sink for Nowhere {
    fn write(&mut self, _: &Block) -> soundtrack::Result<()> {
        Ok(())
    }
    fn finish(&mut self) -> soundtrack::Result<encode::Written> {
        Ok(encode::Written::default())
    }
}
