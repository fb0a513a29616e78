//! MPEG audio against other decoders and the samples of conformance vectors.

use crate::tools;
use soundtrack::media::FlawKind;
use std::{fs, path::Path};

/// Reads interleaved samples of 16 bits.
fn pcm16(path: &Path, channels: usize) -> Vec<Vec<f64>> {
    let data = fs::read(path).unwrap();
    let mut planes = vec![Vec::new(); channels];
    for (n, bytes) in data.as_chunks().0.iter().enumerate() {
        planes[n % channels].push(f64::from(i16::from_le_bytes(*bytes)) / 32_768.0);
    }
    planes
}

#[test]
fn conformance_vectors_decode_to_their_samples() {
    let Some(dir) = tools::data() else { return };
    let mut compared = 0;
    for entry in fs::read_dir(dir.join("zoo/minimp3")).unwrap() {
        let path = entry.unwrap().path();
        let pcm = path.with_extension("pcm");
        // Free format is refused. The samples of this one are cut to 16 bits where it is louder than full scale.
        let is_odd = ["l3-he_free", "l3-si_huff"].map(|name| path.ends_with(format!("{name}.bit")));
        if path.extension().is_none_or(|e| e != "bit") || !pcm.exists() || is_odd.contains(&true) {
            continue;
        }
        let heard = tools::hear(&path).unwrap();
        let samples = pcm16(&pcm, heard.planes.len());
        let name = path.file_name().unwrap().display();
        // Some have one frame of 1,152 less, others are padded with silence.
        let (frames, count) = (heard.frames(), samples[0].len());
        assert!(count + 1152 >= frames, "{name}: {frames} for {count}");
        // Rounded to 16 bits, and clipped there.
        let clipped: Vec<Vec<f64>> = heard
            .planes
            .iter()
            .map(|p| {
                p.iter()
                    .map(|s| s.clamp(-1.0, 32_767.0 / 32_768.0))
                    .collect()
            })
            .collect();
        let off = tools::furthest(&clipped, &samples) * 32_768.0;
        println!("{name}: {off:.3} steps of 16 bits");
        assert!(off < 0.52, "{name}: {off}");
        compared += 1;
    }
    assert!(compared >= 14, "{compared}");
}

#[test]
fn streams_that_begin_in_the_middle_sound_as_elsewhere() {
    if !tools::have(&["ffmpeg", "mpg123"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    tools::wav16(&path("a.wav"), 44_100, &tools::music(44_100 * 2, 2));
    for kbit in ["64k", "128k", "192k"] {
        let (wav, mp3) = (path("a.wav"), path("a.mp3"));
        let (from, to) = (wav.to_str().unwrap(), mp3.to_str().unwrap());
        tools::run(
            "ffmpeg",
            &[
                "-v",
                "error",
                "-y",
                "-i",
                from,
                "-b:a",
                kbit,
                "-write_xing",
                "0",
                "-id3v2_version",
                "0",
                to,
            ],
        );
        let data = fs::read(&mp3).unwrap();
        let starts = frame_starts(&data);
        // The bit reservoir of frame 20 is not there.
        let cut = path("cut.mp3");
        fs::write(&cut, &data[starts[20]..]).unwrap();
        let heard = tools::hear(&cut).unwrap();
        let other = tools::mpg123(&cut, 2);
        assert_eq!(heard.frames(), other[0].len(), "{kbit}");
        // It says so, and how long it is silent: whole packets at the start.
        let [flaw] = &heard.flaws[..] else {
            panic!("{kbit}: {:?}", heard.flaws)
        };
        assert_eq!(
            (flaw.kind, flaw.at.0, flaw.len.0 % 1152),
            (FlawKind::CutBefore, 0, 0)
        );
        let (silent, sounding) = other[0].split_at(flaw.len.0 as usize);
        assert!(silent.iter().all(|s| *s == 0.0), "{kbit}");
        assert!(sounding[..1152].iter().any(|s| *s != 0.0), "{kbit}");
        let off = tools::furthest(&heard.planes, &other);
        println!("{kbit}: {off:e}");
        assert!(off < 1e-6, "{kbit}: {off}");
    }
}

/// Returns the offsets of the frames of MPEG-1 layer III at 44.1 kHz.
fn frame_starts(data: &[u8]) -> Vec<usize> {
    const KBIT: [usize; 15] = [
        0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
    ];
    let mut starts = Vec::new();
    let mut at = 0;
    while at + 4 <= data.len() {
        assert_eq!(data[at], 0xFF);
        starts.push(at);
        let padding = usize::from(data[at + 2] >> 1 & 1);
        at += 144_000 * KBIT[usize::from(data[at + 2] >> 4)] / 44_100 + padding;
    }
    starts
}
