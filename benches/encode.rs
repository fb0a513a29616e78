//! Measures encoding FLAC on one core, as a multiple of real time, and the size against that of `flac -5`.
//!
//! ```sh
//! SOUNDTRACK_TEST_DATA=FOLDER cargo bench --bench encode    # stems in FOLDER/stems; made music without it
//! ```
//!
//! 16 bits: the WAV stems as they are. 24 bits: their mix, whose samples have all 24 bits. Samples are in memory, and so is the
//! file. The figure is the fastest of some runs in turn. Sizes need the program `flac`.

use soundtrack::{
    Block, Bounce, Decibels, Format, Frames, Layout, SampleRate, Session, Sink, Spec, Track,
    encode::{Options, WriterSink},
    media,
};
use soundtrack_cli::demo::musical;
use std::{
    fs,
    io::Cursor,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

const RUNS: usize = 5;
const BLOCK: usize = 16_384;
/// Stems of each folder that are encoded.
const MOST_STEMS: usize = 12;

/// Audio in memory.
struct Audio {
    spec: Spec,
    channels: Vec<Vec<f64>>,
}

impl Audio {
    fn frames(&self) -> usize {
        self.channels.first().map_or(0, Vec::len)
    }

    fn seconds(&self) -> f64 {
        self.frames() as f64 / f64::from(self.spec.rate.hz())
    }
}

/// Returns the WAV stems with 16 bits of the test data, by folder; one folder of made music without test data.
fn folders() -> Vec<(String, Vec<PathBuf>)> {
    let base = std::env::var_os("SOUNDTRACK_TEST_DATA")
        .map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from);
    let mut found = Vec::new();
    for folder in fs::read_dir(base.join("stems"))
        .into_iter()
        .flatten()
        .flatten()
    {
        let stems = fs::read_dir(folder.path()).into_iter().flatten().flatten();
        let is_wav = |path: &PathBuf| path.extension().is_some_and(|e| e == "wav");
        let mut stems: Vec<PathBuf> = stems.map(|e| e.path()).filter(is_wav).collect();
        stems.sort();
        stems.truncate(MOST_STEMS);
        if !stems.is_empty() {
            found.push((folder.file_name().to_string_lossy().into_owned(), stems));
        }
    }
    found.sort();
    found
}

/// Reads a WAV file.
fn read(path: &Path) -> Option<Audio> {
    let (mut wav, info) = media::Wav::open(path).ok()??;
    let spec = info.spec;
    let mut channels = vec![Vec::new(); spec.layout.channels()];
    let mut block = Block::new(spec.layout, BLOCK);
    while soundtrack::Source::read(&mut wav, &mut block).ok()? > 0 {
        for (to, from) in channels.iter_mut().zip(block.channels()) {
            to.extend_from_slice(from);
        }
    }
    Some(Audio { spec, channels })
}

/// Encodes audio into memory.
fn encode(audio: &Audio, format: Format) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    let length = Frames(audio.frames() as u64);
    let options = Options::default();
    let mut sink = WriterSink::new(&mut out, format, audio.spec, length, &options).unwrap();
    let mut block = Block::new(audio.spec.layout, BLOCK);
    let mut at = 0;
    while at < audio.frames() {
        let n = BLOCK.min(audio.frames() - at);
        block.set_frames(n);
        for (to, from) in block.channels_mut().zip(&audio.channels) {
            to.copy_from_slice(&from[at..at + n]);
        }
        sink.write(&block).unwrap();
        at += n;
    }
    sink.finish().unwrap();
    out.into_inner()
}

/// Returns the size of what `flac -5` writes without padding and seek points; `None` without the program.
fn size_by_flac(audio: &Audio, wave: Format, folder: &Path) -> Option<u64> {
    let (wav, flac) = (folder.join("x.wav"), folder.join("x.flac"));
    fs::write(&wav, encode(audio, wave)).ok()?;
    let done = Command::new("flac")
        .args(["-5", "-s", "-f", "--no-padding", "--no-seektable", "-o"])
        .args([&flac, &wav])
        .status();
    done.ok().filter(std::process::ExitStatus::success)?;
    Some(fs::metadata(flac).ok()?.len())
}

/// Measures one set of audio, and prints a line.
fn measure(name: &str, all: &[Audio], format: Format, wave: Format, folder: &Path) {
    let seconds: f64 = all.iter().map(Audio::seconds).sum();
    let mut fastest = f64::INFINITY;
    let mut size = 0;
    for _ in 0..RUNS {
        let clock = Instant::now();
        size = all
            .iter()
            .map(|audio| encode(audio, format).len() as u64)
            .sum();
        fastest = fastest.min(clock.elapsed().as_secs_f64());
    }
    let by_flac: Option<u64> = all
        .iter()
        .map(|audio| size_by_flac(audio, wave, folder))
        .sum();
    let ratio = by_flac.map_or("-".to_owned(), |flac| {
        format!("{:.3}", size as f64 / flac as f64)
    });
    println!(
        "{name:<32} {format:<7} {seconds:>7.1} s  {:>6.0} x real time  {size:>10} bytes  {ratio} of flac -5",
        seconds / fastest
    );
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let mut sets = folders();
    if sets.is_empty() {
        println!("no test data: made music");
        let path = folder.path().join("made.wav");
        let take = musical::musical(7, 48_000, 20 * 48_000);
        let audio = Audio {
            spec: Spec {
                rate: SampleRate::HZ_48000,
                layout: Layout::Stereo,
            },
            channels: take.to_vec(),
        };
        fs::write(&path, encode(&audio, Format::WAV_16)).unwrap();
        sets.push(("made".to_owned(), vec![path]));
    }
    for (name, stems) in sets {
        let all: Vec<Audio> = stems.iter().filter_map(|path| read(path)).collect();
        measure(&name, &all, Format::FLAC_16, Format::WAV_16, folder.path());
        let Some(first) = all.first() else { continue };
        let mut session = Session::new(first.spec.rate, Layout::Stereo);
        for (number, stem) in stems.iter().enumerate() {
            let track = Track::new(format!("{number}"), stem.as_path());
            session.add_track(track.gain(Decibels(-7.3)));
        }
        let path = folder.path().join("mix.wav");
        let bounce = Bounce::new().overwrite(true).format(Format::WAV_24);
        bounce.run(&session, &path).unwrap();
        let mix: Vec<Audio> = read(&path).into_iter().collect();
        let name = format!("{name}, mix");
        measure(&name, &mix, Format::FLAC_24, Format::WAV_24, folder.path());
    }
}
