//! Every container with every codec that `ffmpeg` writes, to a file and to a pipe: audio is where the container says,
//! and nothing that is cut or damaged comes out different without a word.

use crate::tools::{self, Heard, Lcg};
use soundtrack::media::Remark;
use std::{fs, path::Path};

const RATE: u32 = 48_000;
const FRAMES: usize = 96_000;
/// Frames by which a start is moved, and the length of a gap.
const HALF_SECOND: usize = 24_000;

/// What a container states.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Time {
    /// Nothing but the order of its packets.
    Order,
    /// When packets sound.
    Stated,
}

/// How a format notices damage.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Checks {
    /// A checksum covers every packet.
    All,
    /// There are no checksums, so a changed bit can be another sound.
    None,
}

/// A container with a codec.
struct Format {
    /// Name for messages, which also ends like the file.
    name: &'static str,
    /// The container as `ffmpeg` calls it, and its options and codec.
    args: &'static [&'static str],
    lossless: bool,
    time: Time,
    checks: Checks,
    /// Whether it can be written to a pipe.
    pipe: bool,
}

const fn format(
    name: &'static str,
    args: &'static [&'static str],
    lossless: bool,
    time: Time,
    checks: Checks,
    pipe: bool,
) -> Format {
    Format {
        name,
        args,
        lossless,
        time,
        checks,
        pipe,
    }
}

const FRAGMENTS: &str = "+frag_keyframe+delay_moov+default_base_moof";

#[rustfmt::skip]
const FORMATS: [Format; 22] = [
    format("pcm.wav", &["-f", "wav", "-c:a", "pcm_s16le"], true, Time::Order, Checks::None, true),
    format("rf64.wav", &["-f", "wav", "-rf64", "always", "-c:a", "pcm_s16le"], true, Time::Order, Checks::None, false),
    format("pcm.aiff", &["-f", "aiff", "-c:a", "pcm_s16be"], true, Time::Order, Checks::None, true),
    format("pcm.caf", &["-f", "caf", "-c:a", "pcm_s16be"], true, Time::Order, Checks::None, true),
    format("native.flac", &["-f", "flac", "-c:a", "flac"], true, Time::Order, Checks::All, true),
    format("vorbis.ogg", &["-f", "ogg", "-c:a", "libvorbis", "-page_duration", "100000"], false, Time::Stated, Checks::All, true),
    format("flac.oga", &["-f", "ogg", "-c:a", "flac", "-page_duration", "100000"], true, Time::Stated, Checks::All, true),
    format("lame.mp3", &["-f", "mp3", "-c:a", "libmp3lame"], false, Time::Order, Checks::None, true),
    format("adts.aac", &["-f", "adts", "-c:a", "aac"], false, Time::Order, Checks::None, true),
    format("aac.m4a", &["-f", "mp4", "-c:a", "aac"], false, Time::Stated, Checks::None, false),
    format("alac.m4a", &["-f", "mp4", "-c:a", "alac"], true, Time::Stated, Checks::None, false),
    format("flac.mp4", &["-f", "mp4", "-strict", "-2", "-c:a", "flac"], true, Time::Stated, Checks::All, false),
    format("aac.frag.mp4", &["-f", "mp4", "-movflags", FRAGMENTS, "-frag_duration", "300000", "-c:a", "aac"], false, Time::Stated, Checks::None, true),
    format("flac.frag.mp4", &["-f", "mp4", "-movflags", FRAGMENTS, "-frag_duration", "300000", "-strict", "-2", "-c:a", "flac"], true, Time::Stated, Checks::All, true),
    format("pcm.mov", &["-f", "mov", "-movflags", "+faststart", "-c:a", "pcm_s24le"], true, Time::Stated, Checks::None, false),
    format("big.mov", &["-f", "mov", "-c:a", "pcm_s24be"], true, Time::Stated, Checks::None, false),
    format("pcm.frag.mov", &["-f", "mov", "-movflags", FRAGMENTS, "-frag_duration", "300000", "-c:a", "pcm_s16le"], true, Time::Stated, Checks::None, true),
    format("flac.mka", &["-f", "matroska", "-c:a", "flac"], true, Time::Stated, Checks::All, true),
    format("pcm.mka", &["-f", "matroska", "-c:a", "pcm_s16le"], true, Time::Stated, Checks::All, true),
    format("aac.mka", &["-f", "matroska", "-c:a", "aac"], false, Time::Stated, Checks::All, true),
    format("mp3.mka", &["-f", "matroska", "-c:a", "libmp3lame"], false, Time::Stated, Checks::All, true),
    format("vorbis.webm", &["-f", "webm", "-c:a", "libvorbis"], false, Time::Stated, Checks::None, true),
];

fn music() -> Vec<i16> {
    tools::music(FRAMES, 1).remove(0)
}

/// Writes the music in a format, with options before the input and filters of the packets.
fn write(dir: &Path, format: &Format, before: &[&str], filter: &[&str], pipe: bool) -> Vec<u8> {
    let wav = dir.join("music.wav");
    if !wav.exists() {
        tools::wav16(&wav, RATE, &[music()]);
    }
    let path = dir.join(format.name);
    let out = if pipe {
        "pipe:1"
    } else {
        path.to_str().unwrap()
    };
    let head = ["-v", "error", "-y"];
    let input = ["-i", wav.to_str().unwrap()];
    let args: Vec<&str> = [&head[..], before, &input, filter, format.args, &[out]].concat();
    let written = tools::run("ffmpeg", &args);
    if pipe {
        written
    } else {
        fs::read(path).unwrap()
    }
}

fn hear(dir: &Path, format: &Format, data: &[u8]) -> Result<Heard, soundtrack::Error> {
    let path = dir.join(format!("heard-{}", format.name));
    fs::write(&path, data).unwrap();
    tools::hear(&path)
}

/// Returns the lag at which decoded frames from `at` on match the music from `from` on best.
fn lag(heard: &Heard, music: &[i16], from: usize, at: usize) -> i64 {
    const WINDOW: usize = 3_000;
    const MOST: i64 = 1_300;
    let original = &music[from..from + WINDOW];
    let score = |lag: i64| {
        let start = i64::try_from(at).unwrap() + lag;
        let pairs = original.iter().zip(start..);
        let product = |(x, i): (&i16, i64)| {
            let y = usize::try_from(i).ok().and_then(|i| heard.planes[0].get(i));
            f64::from(*x) * y.copied().unwrap_or(0.0)
        };
        pairs.map(product).sum::<f64>()
    };
    (-MOST..=MOST)
        .max_by(|a, b| score(*a).total_cmp(&score(*b)))
        .unwrap()
}

/// Checks that the music from frame `from` on is at frame `at`.
fn check(heard: &Heard, format: &Format, what: &str, from: usize, at: usize) {
    let music = music();
    if format.lossless {
        let same = music[from..from + 2_000]
            .iter()
            .zip(&heard.planes[0][at..])
            .all(|(x, y)| f64::from(*x) / 32_768.0 == *y);
        assert!(same, "{} {what}: frame {from} is not at {at}", format.name);
    } else {
        let lag = lag(heard, &music, from, at);
        // Starts are rounded to milliseconds, in an edit list two of them.
        assert!(lag.abs() <= 48, "{} {what}: lag {lag}", format.name);
    }
}

#[test]
fn audio_is_where_the_container_says() {
    if !tools::have(&["ffmpeg"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    for format in &FORMATS {
        for pipe in [false, true] {
            if pipe && !format.pipe {
                continue;
            }
            let what = if pipe { "pipe" } else { "file" };
            let heard = hear(dir, format, &write(dir, format, &[], &[], pipe)).unwrap();
            assert!(
                heard.error.is_none() && heard.flaws.is_empty(),
                "{}",
                format.name
            );
            // Without a stated delay, as in ADTS, the audio is late by the delay of the encoder.
            if heard.info.remarks.contains(&Remark::AlignmentUnknown) {
                continue;
            }
            check(&heard, format, what, 30_000, 30_000);
            if format.lossless {
                assert_eq!(heard.frames(), FRAMES, "{} {what}", format.name);
            }
            if format.time == Time::Order {
                continue;
            }
            let late = write(dir, format, &["-itsoffset", "0.5"], &[], pipe);
            let heard = hear(dir, format, &late).unwrap();
            assert!(
                heard.flaws.is_empty(),
                "{} offset: {:?}",
                format.name,
                heard.flaws
            );
            check(&heard, format, "offset", 30_000, 30_000 + HALF_SECOND);
            let silent = heard.planes[0][..HALF_SECOND - 1_100]
                .iter()
                .all(|x| *x == 0.0);
            assert!(silent, "{} offset", format.name);

            // Outside fragments ffmpeg writes no times of PCM into QuickTime files.
            if ["pcm.mov", "big.mov"].contains(&format.name) {
                continue;
            }
            // The packets after a second of music are half a second late.
            // Its filter counts in milliseconds there.
            let is_matroska = format.args.contains(&"matroska") || format.args.contains(&"webm");
            let gap = if is_matroska {
                ["-bsf:a", "setts=ts=if(gte(PTS\\,1000)\\,PTS+500\\,PTS)"]
            } else {
                ["-bsf:a", "setts=ts=if(gte(PTS\\,48000)\\,PTS+24000\\,PTS)"]
            };
            let heard = hear(dir, format, &write(dir, format, &[], &gap, pipe)).unwrap();
            assert!(
                heard.flaws.is_empty(),
                "{} gap: {:?}",
                format.name,
                heard.flaws
            );
            check(&heard, format, "before the gap", 30_000, 30_000);
            check(
                &heard,
                format,
                "behind the gap",
                60_000,
                60_000 + HALF_SECOND,
            );
            let is_gap = |r: &Remark| {
                matches!(
                    r,
                    Remark::TimestampGaps {
                        ignored: false,
                        places: 1,
                        ..
                    }
                )
            };
            assert!(heard.info.remarks.iter().any(is_gap), "{} gap", format.name);
        }
    }
}

/// Whether a user learns that a stem is not as it should be.
fn is_reported(heard: &Heard) -> bool {
    let tells = |r: &Remark| {
        matches!(
            r,
            Remark::CutOff | Remark::HeaderLength { .. } | Remark::TimestampGaps { .. }
        )
    };
    heard.error.is_some()
        || heard.info.missing.0 > 0
        || !heard.flaws.is_empty()
        || heard.info.remarks.iter().any(tells)
}

/// Whether a cut between two packets cannot be known: in streams of frames and fragments, and where the length was not
/// known when the header was written to a pipe.
fn cut_can_be_unknown(name: &str, pipe: bool) -> bool {
    let always = [
        "lame.mp3",
        "adts.aac",
        "aac.frag.mp4",
        "flac.frag.mp4",
        "pcm.frag.mov",
    ];
    let is_ogg = ["vorbis.ogg", "flac.oga"].contains(&name);
    always.contains(&name) || pipe && !is_ogg
}

/// Places at which each file is cut, and bits that are flipped.
const PLACES: usize = 200;

#[test]
fn what_is_cut_or_damaged_is_never_different_in_silence() {
    if !tools::have(&["ffmpeg"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mut wrong = Vec::new();
    println!("format            written   cut: silent of {PLACES}   flipped: silent of {PLACES}");
    for format in &FORMATS {
        for pipe in [false, true] {
            if pipe && !format.pipe {
                continue;
            }
            let data = write(dir, format, &[], &[], pipe);
            let whole = hear(dir, format, &data).unwrap();
            let is_silent = |data: &[u8]| match hear(dir, format, data) {
                Ok(heard) => !is_reported(&heard) && heard.planes != whole.planes,
                Err(_) => false,
            };
            let cut = (1..PLACES).filter(|n| is_silent(&data[..data.len() * n / PLACES]));
            let cut: Vec<usize> = cut.collect();
            let mut random = Lcg(7);
            let flipped = (0..PLACES).filter(|_| {
                let mut data = data.clone();
                let at = usize::try_from(random.next()).unwrap() % data.len();
                data[at] ^= 1 << (random.next() % 8);
                is_silent(&data)
            });
            let flipped = flipped.count();
            let written = if pipe { "pipe" } else { "file" };
            println!(
                "{:16}  {written}   {:18}   {flipped:22}",
                format.name,
                cut.len()
            );
            if !cut_can_be_unknown(format.name, pipe) && !cut.is_empty() {
                wrong.push(format!(
                    "{} {written}: cut at {cut:?} of {PLACES}",
                    format.name
                ));
            }
            let has_checks = format.checks == Checks::All
                && !(pipe && matches!(format.name, "pcm.mka" | "aac.mka" | "mp3.mka"));
            if has_checks && flipped > 0 {
                wrong.push(format!("{} {written}: {flipped} flipped bits", format.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
