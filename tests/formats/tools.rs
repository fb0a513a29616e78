//! The test data, the other decoders, and how a stem is read to its end.

use soundtrack::{
    Block, Error, Frames,
    media::{self, Flaw, Info},
};
pub use soundtrack_test_support::data::base as data;
use soundtrack_test_support::requirement::missing;
use std::{
    path::Path,
    process::{Command, Stdio},
};

/// Whether all these programs are there.
pub fn have(programs: &[&str]) -> bool {
    let there = |p: &str| {
        let found = Command::new(p)
            .arg("--help")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok();
        if !found {
            missing(format_args!("{p} is not installed"));
        }
        found
    };
    programs.iter().all(|p| there(p))
}

/// Runs a program that must succeed.
pub fn run(program: &str, args: &[&str]) -> Vec<u8> {
    let out = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(
        out.status.success(),
        "{program} {args:?}: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    out.stdout
}

/// A row of the manifest.
pub struct Row {
    pub file: String,
    pub codec: String,
    /// Frames that independent decoders get; the reference first.
    pub frames: Option<u64>,
}

pub fn manifest(dir: &Path) -> Vec<Row> {
    let text = std::fs::read_to_string(dir.join("MANIFEST.tsv")).unwrap();
    let row = |line: &str| {
        let f: Vec<&str> = line.split('\t').collect();
        let number = |s: &str| s.parse().ok();
        Row {
            file: f[0].into(),
            codec: f[7].into(),
            frames: number(f[16]).or_else(|| number(f[12])),
        }
    };
    text.lines()
        .skip(1)
        .map(row)
        .filter(|r: &Row| !r.file.ends_with(".pcm"))
        .collect()
}

/// A stem read to its end.
pub struct Heard {
    pub info: Info,
    pub planes: Vec<Vec<f64>>,
    pub flaws: Vec<Flaw>,
    /// The error that ended it.
    pub error: Option<Error>,
}

impl Heard {
    pub fn frames(&self) -> usize {
        self.planes[0].len()
    }

    /// Frames that the file says it holds.
    pub fn held(&self) -> u64 {
        (self.info.frames - self.info.missing).0
    }
}

pub fn hear(path: &Path) -> Result<Heard, Error> {
    hear_stream(path, None)
}

pub fn hear_stream(path: &Path, stream: Option<usize>) -> Result<Heard, Error> {
    let (mut source, info) = media::open(path, stream)?;
    // The reader of WAVE files gives the length that is there.
    assert!(
        [info.frames, info.frames - info.missing]
            .map(Some)
            .contains(&source.length())
    );
    assert_eq!(source.spec(), info.spec);
    let mut block = Block::new(info.spec.layout, 4096);
    let mut planes = vec![Vec::new(); info.spec.layout.channels()];
    let error = loop {
        match source.read(&mut block) {
            Ok(0) => break None,
            Ok(n) => {
                assert_eq!(n, block.frames());
                planes
                    .iter_mut()
                    .zip(block.channels())
                    .for_each(|(p, c)| p.extend_from_slice(c));
            }
            Err(e) => break Some(e),
        }
    };
    Ok(Heard {
        info,
        planes,
        flaws: source.flaws(),
        error,
    })
}

/// The frames from `at` on, `len` of them at most, read after a seek.
pub fn after_seek(source: &mut dyn soundtrack::Source, at: u64, len: usize) -> Vec<Vec<f64>> {
    source.seek(Frames(at)).unwrap();
    let layout = source.spec().layout;
    let mut planes = vec![Vec::new(); layout.channels()];
    while planes[0].len() < len {
        let mut block = Block::new(layout, len - planes[0].len());
        if source.read(&mut block).unwrap() == 0 {
            break;
        }
        planes
            .iter_mut()
            .zip(block.channels())
            .for_each(|(p, c)| p.extend_from_slice(c));
    }
    planes
}

fn planar(samples: impl Iterator<Item = f64>, channels: usize) -> Vec<Vec<f64>> {
    let mut planes = vec![Vec::new(); channels];
    samples
        .enumerate()
        .for_each(|(i, s)| planes[i % channels].push(s));
    planes
}

/// What ffmpeg makes of an audio stream, counted from 1.
pub fn ffmpeg(path: &Path, stream: usize, channels: usize) -> Vec<Vec<f64>> {
    let map = format!("0:a:{}", stream - 1);
    let args = [
        "-v",
        "quiet",
        "-i",
        path.to_str().unwrap(),
        "-map",
        &map,
        "-f",
        "f64le",
        "-acodec",
        "pcm_f64le",
        "-",
    ];
    let out = Command::new("ffmpeg")
        .args(args)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    planar(
        out.stdout
            .chunks_exact(8)
            .map(|b| f64::from_le_bytes(b.try_into().unwrap())),
        channels,
    )
}

/// What mpg123 makes of MPEG audio.
pub fn mpg123(path: &Path, channels: usize) -> Vec<Vec<f64>> {
    let mode = if channels == 1 { "--mono" } else { "--stereo" };
    let args = ["-q", "-s", "-e", "f32", mode, path.to_str().unwrap()];
    let out = Command::new("mpg123")
        .args(args)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    planar(
        out.stdout
            .chunks_exact(4)
            .map(|b| f64::from(f32::from_le_bytes(b.try_into().unwrap()))),
        channels,
    )
}

/// The largest difference over the frames that both have.
pub fn furthest(a: &[Vec<f64>], b: &[Vec<f64>]) -> f64 {
    let pairs = a.iter().zip(b).flat_map(|(a, b)| a.iter().zip(b));
    pairs.map(|(x, y)| (x - y).abs()).fold(0.0, f64::max)
}

/// A WAV file of 16 bits.
pub fn wav16(path: &Path, rate: u32, planes: &[Vec<i16>]) {
    let spec = hound::WavSpec {
        channels: u16::try_from(planes.len()).unwrap(),
        sample_rate: rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut out = hound::WavWriter::create(path, spec).unwrap();
    for i in 0..planes[0].len() {
        planes.iter().for_each(|p| out.write_sample(p[i]).unwrap());
    }
    out.finalize().unwrap();
}

/// Numbers without a pattern, the same in every run.
pub struct Lcg(pub u64);

impl Lcg {
    pub fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    /// From -1 to 1.
    pub fn sample(&mut self) -> f64 {
        self.next() as f64 / f64::from(1u32 << 30) - 1.0
    }
}

/// Music-like noise: pulses through a slow filter, in stereo, so that codecs keep it and every place is unique.
pub fn music(frames: usize, channels: usize) -> Vec<Vec<i16>> {
    let mut noise = Lcg(42);
    let mut low = vec![0.0; channels];
    let mut planes = vec![Vec::with_capacity(frames); channels];
    for i in 0..frames {
        let swell = 0.6 + 0.4 * (i as f64 / 7_000.0).sin();
        for (ch, plane) in planes.iter_mut().enumerate() {
            low[ch] += 0.15 * (noise.sample() - low[ch]);
            let tone = (i as f64 * (0.03 + 0.011 * ch as f64)).sin() * 0.3;
            plane.push(((low[ch] * 1.2 + tone) * swell * 16_000.0) as i16);
        }
    }
    planes
}
