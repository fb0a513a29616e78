//! Every RIFF file of the test data against ffmpeg, sample for sample, with the exceptions stated.
//!
//! The data is found through `SOUNDTRACK_TEST_DATA` (default `../shared/data`); without it or without ffmpeg the tests
//! say so and pass.

use super::riff_bytes::all;
use super::tools::data;
use rayon::prelude::*;
use soundtrack::{
    ErrorKind, Frames, Layout, Source,
    media::{Remark, Wav},
};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

fn riff_files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            riff_files(&path, out);
        } else if std::fs::read(&path)
            .unwrap()
            .get(..4)
            .is_some_and(|id| id == b"RIFF" || id == b"RF64")
        {
            out.push(path);
        }
    }
}

/// What ffmpeg reads, as interleaved f64.
fn ffmpeg(path: &Path) -> Option<Vec<f64>> {
    let run = Command::new("ffmpeg")
        .args(["-v", "quiet", "-i"])
        .arg(path)
        .args(["-map", "0:a:0", "-f", "f64le", "-c:a", "pcm_f64le", "-"])
        .output()
        .ok()?;
    Some(
        run.stdout
            .as_chunks()
            .0
            .iter()
            .map(|b| f64::from_le_bytes(*b))
            .collect(),
    )
}

enum Expect {
    /// Another codec: left to another reader.
    Other,
    Refused(ErrorKind),
    /// Read, but not as ffmpeg reads it: frames held, frames missing.
    Differs(u64, u64),
}

use Expect::{Differs, Other, Refused};

const EXCEPTIONS: &[(&str, Expect)] = &[
    ("zoo/pedalboard/adpcm_ima.wav", Other),
    ("zoo/pedalboard/mp3_in_wav.wav", Other),
    ("zoo/music-metadata/mpeglayer3.wav", Other),
    ("zoo/scipy/test-8000Hz-le-3ch-5S-45bit.wav", Other),
    ("zoo/wav/sample.avi", Refused(ErrorKind::Unsupported)),
    // No fmt or no data chunk: ffmpeg finds nothing either.
    (
        "malformed/hound/crash-24728523ef4be15c838293b676f6853e73723bf4.wav",
        Refused(ErrorKind::Corrupt),
    ),
    (
        "malformed/hound/crash-cbd757427cea12bd8a21f86cd8cf74d98ce56bee.wav",
        Refused(ErrorKind::Corrupt),
    ),
    (
        "malformed/hound/crash-e879de4eb4d206c59e21f0e01def16457af80fdc.wav",
        Refused(ErrorKind::Corrupt),
    ),
    (
        "malformed/lofty-rs/oom-007573d233b412ea1b8038137db28e70d5678291",
        Refused(ErrorKind::Corrupt),
    ),
    (
        "malformed/scipy/test-44100Hz-le-1ch-4bytes-early-eof-no-data.wav",
        Refused(ErrorKind::Corrupt),
    ),
    (
        "malformed/scipy/test-44100Hz-le-1ch-4bytes-incomplete-chunk.wav",
        Refused(ErrorKind::Corrupt),
    ),
    ("malformed/taglib/segfault.wav", Refused(ErrorKind::Corrupt)),
    (
        "zoo/fuzzing-corpus/1080986.wav",
        Refused(ErrorKind::Corrupt),
    ),
    // Cut off: ffmpeg says nothing.
    (
        "malformed/lofty-rs/2_IDX_0_RAND_85629492689553753214598.wav",
        Differs(0, 1961),
    ),
    ("zoo/fuzzing-corpus/wavedata_s16.wav", Differs(11_009, 16)),
    (
        "zoo/music-metadata/odd-list-type.wav",
        Differs(3, 8_250_517),
    ),
    // A damaged LIST after the audio keeps ffmpeg from reading any.
    (
        "malformed/lofty-rs/2_IDX_63_RAND_104275228651573584855676.wav",
        Differs(1961, 0),
    ),
    // ffmpeg takes 24 bits in 4 bytes for a float format: the values are tested below.
    (
        "zoo/hound/pcmwaveformat-24bit-4byte-48kHz-stereo.wav",
        Differs(2, 0),
    ),
];

#[test]
fn every_riff_file_is_bit_equal_to_ffmpeg_or_a_stated_exception() {
    let Some(data) = data() else { return };
    let reference = Command::new("ffmpeg").arg("-version").output().is_ok();
    if !reference {
        println!("no ffmpeg: samples are not compared");
    }
    let mut files = Vec::new();
    riff_files(&data, &mut files);
    files.sort();
    let judge = |path: &PathBuf| {
        let name = path
            .strip_prefix(&data)
            .unwrap()
            .to_str()
            .unwrap()
            .replace('\\', "/");
        let expect = EXCEPTIONS.iter().find(|(n, _)| *n == name).map(|(_, e)| e);
        let found = Wav::open(path);
        let verdict = match (expect, &found) {
            (Some(Other), Ok(None)) => None,
            (Some(Refused(kind)), Err(e)) if e.kind() == *kind => None,
            (_, Err(e)) => Some(format!("refused: {e}")),
            (_, Ok(None)) => Some("another codec".into()),
            (expect, Ok(Some(_))) => {
                let (ours, info) = all(path);
                let channels = info.spec.layout.channels();
                let held = (ours.len() / channels) as u64;
                match expect {
                    Some(Differs(frames, missing))
                        if (held, info.missing) == (*frames, Frames(*missing)) =>
                    {
                        None
                    }
                    Some(_) => Some(format!("{held} frames, {} missing", info.missing)),
                    None if info.missing != Frames::ZERO => {
                        Some(format!("{held} frames, {} missing", info.missing))
                    }
                    None => match ffmpeg(path).filter(|_| reference) {
                        Some(theirs) if theirs.len() != ours.len() => {
                            Some(format!("{held} frames, ffmpeg {}", theirs.len() / channels))
                        }
                        Some(theirs) => theirs
                            .iter()
                            .zip(&ours)
                            .position(|(a, b)| a.to_bits() != b.to_bits() && a != b)
                            .map(|at| format!("sample {at}: {} not {}", ours[at], theirs[at])),
                        None => None,
                    },
                }
            }
        };
        verdict.map(|v| format!("{name}: {v}"))
    };
    // One decoder process a file: side by side.
    let wrong: Vec<String> = files.par_iter().filter_map(judge).collect();
    assert!(
        wrong.is_empty(),
        "{} of {} files:\n{}",
        wrong.len(),
        files.len(),
        wrong.join("\n")
    );
}

#[test]
fn stated_facts_of_unusual_files() {
    let Some(data) = data() else { return };
    for (name, frames) in [
        ("malformed/music-metadata/issue-1163.bwf", 25_315),
        ("zoo/ExoPlayer/sample_rf64.wav", 16_734),
        ("zoo/scipy/test-44100Hz-le-1ch-4bytes-rf64.wav", 4_410),
        ("malformed/fuzzing-corpus/wave_metadata_bad_len.wav", 10_648),
        (
            "zoo/fuzzing-corpus/mu-law-wave-format-extensible.wav",
            23_493,
        ),
        ("malformed/music-metadata/issue-819.wav", 2_478),
        ("zoo/music-metadata/ffmpeg-missing-chunksize.wav", 27_648),
    ] {
        let (_, info) = all(&data.join(name));
        assert_eq!(
            (info.frames, info.missing),
            (Frames(frames), Frames(0)),
            "{name}"
        );
        let lies = ["issue-1163", "issue-819", "chunksize"]
            .iter()
            .any(|n| name.contains(n));
        let remarked = matches!(info.remarks[..], [Remark::HeaderLength { found: Frames(n), .. }] if n == frames);
        assert_eq!(lies, remarked, "{name}: {:?}", info.remarks);
    }
    let (samples, _) = all(&data.join("zoo/hound/pcmwaveformat-24bit-4byte-48kHz-stereo.wav"));
    assert_eq!(
        samples,
        [-96.0, 23_052.0, 8_388_607.0, -8_360_672.0].map(|v| v / 8_388_608.0)
    );
    // Four channels and no mask: no positions.
    let (_, info) = all(&data.join("zoo/fuzzing-corpus/audio-quad.wav"));
    assert_eq!(info.spec.layout, Layout::Discrete(4));
    let (wav, info) = Wav::open(&data.join("zoo/fuzzing-corpus/mu-law-wave-format-extensible.wav"))
        .unwrap()
        .unwrap();
    assert_eq!(
        (info.codec.as_str(), info.bits, wav.spec().layout),
        ("WAV mu-law", None, Layout::Stereo)
    );
    let big_endian =
        Wav::open(&data.join("zoo/scipy/test-8000Hz-be-3ch-5S-24bit.wav")).unwrap_err();
    assert_eq!(big_endian.kind(), ErrorKind::Unsupported);
    assert!(
        big_endian
            .to_string()
            .ends_with("RIFX (big-endian WAVE) is not read"),
        "{big_endian}"
    );
}
