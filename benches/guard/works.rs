//! The works: small, the same every time, and together most of what a mix does.

use soundtrack::{
    Bounce, Dbtp, Decibels, Format, Frames, Insert, Layout, Load, Pan, Plan, SampleRate, Session,
    Spec, Track, media::Memory,
};
use soundtrack_cli::demo::{
    encode::{self, Format as StemFormat},
    musical,
};
use std::{hint::black_box, path::Path};

/// A work: its name, and what prepares it and returns one run.
type Work = (&'static str, fn(&Path) -> Run);
type Run = Box<dyn Fn()>;

pub const WORKS: [Work; 10] = [
    ("decode 24-bit WAV", |folder| {
        decoding(folder, StemFormat::Wav(24), 48_000)
    }),
    ("decode 24-bit FLAC", |folder| {
        decoding(folder, StemFormat::Flac(24), 48_000)
    }),
    ("resample 44.1 to 48 kHz", |folder| {
        decoding(folder, StemFormat::Wav(24), 44_100)
    }),
    ("sum 32 stems", |_| summing()),
    ("filter and compress", |_| processing()),
    ("limit and measure", |folder| mastering(folder)),
    ("write 24-bit WAV", |folder| {
        writing(folder, "mix.wav", Format::WAV_24)
    }),
    ("write 24-bit FLAC", |folder| {
        writing(folder, "mix.flac", Format::FLAC_24)
    }),
    ("plan 500 tracks", |_| planning()),
    ("read a session file", |_| reading()),
];

/// Prepares a work and runs it a number of times.
pub fn run(name: &str, times: usize) {
    let folder = tempfile::tempdir().expect("a folder for files");
    let (_, prepare) = WORKS
        .iter()
        .find(|(known, _)| *known == name)
        .expect("the name of a work");
    let run = prepare(folder.path());
    (0..times).for_each(|_| run());
}

const SECOND: usize = 48_000;

fn music(seed: u64, frames: usize) -> Memory {
    let spec = Spec {
        rate: SampleRate::HZ_48000,
        layout: Layout::Stereo,
    };
    let quiet = musical::musical(seed, 48_000, frames).map(|channel| {
        let quiet = channel.into_iter().map(|sample| sample / 8.0);
        quiet.collect()
    });
    Memory::new(spec, quiet.to_vec()).expect("a stem")
}

fn session(tracks: impl IntoIterator<Item = Track>) -> Session {
    let mut session = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    for track in tracks {
        session.add_track(track);
    }
    session
}

fn render(session: &Session, frames: usize) {
    let rendered = session.render_on(1, Frames(0)..Frames(frames as u64));
    black_box(rendered.expect("a render"));
}

fn decoding(folder: &Path, format: StemFormat, rate: u32) -> Run {
    let path = folder.join("stem");
    let stem = musical::musical(1, rate, 2 * rate as usize);
    encode::write(&path, format, rate, &stem).expect("room for a stem");
    let session = session([Track::new("stem", path)]);
    Box::new(move || render(&session, 2 * SECOND))
}

fn summing() -> Run {
    let stem = music(1, SECOND);
    let track = |n: u8| {
        let track = Track::new(format!("stem {n}"), stem.clone());
        track.gain(Decibels(-1.0)).pan(Pan(f64::from(n) / 31.0))
    };
    let session = session((0..32).map(track));
    Box::new(move || render(&session, SECOND))
}

fn processing() -> Run {
    let insert = |kind: &str, key: &str, value: f64| {
        let insert = Insert::new(kind).expect("a processor");
        insert.set(key, value).expect("a value")
    };
    let track = Track::new("stem", music(1, SECOND))
        .insert(insert("highpass", "slope", 24.0))
        .insert(insert("bell", "gain", 3.0))
        .insert(insert("compressor", "threshold", -30.0));
    let session = session([track]);
    Box::new(move || render(&session, SECOND))
}

fn mastering(folder: &Path) -> Run {
    let mut session = session([Track::new("stem", music(1, SECOND)).gain(Decibels(20.0))]);
    session.master.limit = Some(Dbtp(-1.0));
    let path = folder.join("mix.wav");
    Box::new(move || {
        let bounce = Bounce::new().threads(1).measure(true).overwrite(true);
        black_box(bounce.run(&session, &path).expect("a mix"));
    })
}

fn writing(folder: &Path, name: &str, format: Format) -> Run {
    let session = session([Track::new("stem", music(1, 4 * SECOND))]);
    let path = folder.join(name);
    Box::new(move || {
        let bounce = Bounce::new()
            .threads(1)
            .measure(false)
            .format(format)
            .overwrite(true);
        black_box(bounce.run(&session, &path).expect("a mix"));
    })
}

fn planning() -> Run {
    let stem = music(1, 480);
    let session = session((0..500).map(|n| Track::new(format!("stem {n}"), stem.clone())));
    Box::new(move || {
        black_box(Plan::compile(&session).expect("a plan").to_string());
    })
}

fn reading() -> Run {
    let track = |n: usize| Track::new(format!("stem {n}"), format!("stems/{n}.wav"));
    let text = session((0..300).map(track)).to_text("mix.toml");
    let text = text.expect("a session of files");
    Box::new(move || {
        let read = Load::default().text(text.as_str(), "mix.toml");
        black_box(read.expect("a session"));
    })
}
