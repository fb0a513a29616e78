//! Stems of nothing, of one sample and of one frame: they change nothing but their own frame.

use super::{
    super::table::{Row, Seen, held},
    stems::{self, heard, mix, noise, said, same},
};
use soundtrack::{Clip, Damage, Format, Frames, SampleRate, Session, Track};
use std::path::{Path, PathBuf};

pub const ROWS: &[Row] = &[
    Row {
        section: "inputs",
        fault: "stems of 0 and 1 frames, every container",
        run: small,
    },
    Row {
        section: "inputs",
        fault: "a mix of empty stems",
        run: nothing,
    },
];

/// Stems of so many frames, and whether they are lossless.
fn made(folder: &Path, frames: usize, channels: usize) -> Vec<(PathBuf, bool)> {
    let wav = folder.join(format!("{frames}-{channels}.wav"));
    stems::wav16(&wav, stems::RATE, &vec![vec![0.5; frames]; channels]);
    let mut all = vec![(wav.clone(), true)];
    for (ext, args, lossless) in [
        ("flac", &["-c:a", "flac"][..], true),
        ("aiff", &["-c:a", "pcm_s16be"], true),
        ("caf", &["-c:a", "pcm_s16be"], true),
        ("oga", &["-c:a", "flac"], true),
        ("mka", &["-c:a", "flac"], true),
        ("alac.m4a", &["-c:a", "alac"], true),
        ("ogg", &["-c:a", "libvorbis"], false),
        ("mp3", &["-c:a", "libmp3lame"], false),
        ("m4a", &["-c:a", "aac"], false),
        ("aac", &["-c:a", "aac"], false),
    ] {
        let out = folder.join(format!("{frames}-{channels}.{ext}"));
        // Of no frames at all not every container is written.
        if stems::encode(&wav, args, &out) && out.metadata().is_ok_and(|m| m.len() > 0) {
            all.push((out, lossless));
        }
    }
    all
}

fn session(small: Option<&Path>, at: u64, rate: SampleRate) -> Session {
    let mut session = mix(noise(1, 3000), Damage::Refuse);
    session.rate = rate;
    if let Some(path) = small {
        session.add_track(Track::of("small").clip(Clip::new(path).at(Frames(at))));
    }
    session.add_track(Track::new("bass", noise(2, 2000)));
    session
}

fn small() -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let rate = SampleRate::HZ_44100;
    let alone = heard(&session(None, 0, rate)).unwrap().1;
    let (mut count, mut reported, mut refused) = (0, 0, 0);
    const AT: usize = 1234;
    for (frames, channels) in [(0, 2), (1, 1), (1, 2)] {
        for (path, lossless) in made(folder.path(), frames, channels) {
            count += 2;
            let what = path.display();
            let got = match heard(&session(Some(&path), AT as u64, rate)) {
                Ok((report, got)) => {
                    let length = report.tracks[1].clips[0].stem_frames;
                    assert!(
                        !lossless || length == Some(frames as u64),
                        "{what}: {length:?}"
                    );
                    if length == Some(0) {
                        assert!(said(&report, &["W106"]), "{what}");
                        reported += 1;
                    }
                    got
                }
                Err(e) => {
                    // Where a container of nothing is no container.
                    assert!(
                        frames == 0 && e.to_string().starts_with("track \"small\": "),
                        "{e}"
                    );
                    refused += 1;
                    continue;
                }
            };
            let level = if channels == 1 { 0.5f64.sqrt() } else { 1.0 };
            for (ch, (a, b)) in got.iter().zip(&alone).enumerate() {
                assert!(
                    same(&[a[..AT].to_vec()], &[b[..AT].to_vec()]),
                    "{what}: before it, channel {ch}"
                );
                if lossless {
                    let own = if frames == 1 {
                        f64::from((0.5f64 * 32_767.0) as i16) / 32_768.0 * level
                    } else {
                        0.0
                    };
                    assert!(
                        (a[AT] - b[AT] - own).abs() < 1e-15,
                        "{what}: {} instead of {own}",
                        a[AT] - b[AT]
                    );
                    assert!(
                        same(&[a[AT + 1..].to_vec()], &[b[AT + 1..].to_vec()]),
                        "{what}: behind it, channel {ch}"
                    );
                }
            }
            // Resampled, it is still heard around its own frame only.
            let other = SampleRate::HZ_48000;
            let (got, want) = (
                heard(&session(Some(&path), AT as u64, other)),
                heard(&session(None, 0, other)),
            );
            let (got, want) = (got.unwrap().1, want.unwrap().1);
            assert!(
                same(&[got[0][..AT].to_vec()], &[want[0][..AT].to_vec()]),
                "{what}: resampled"
            );
        }
    }
    let result = format!(
        "other stems bit-equal; one frame lands on its own; {reported} empty ones reported (W106), {refused} refused by name"
    );
    held(count, result)
}

fn nothing() -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let (mut count, mut empty, mut refused) = (0, 0, 0);
    for (path, _) in made(folder.path(), 0, 2) {
        for format in [Format::WAV_16, Format::WAV_24, Format::WAV_32F] {
            count += 1;
            let out = folder.path().join("out.wav");
            let bounce = soundtrack::Bounce::new().overwrite(true).format(format);
            match bounce.run(&mix(path.as_path(), Damage::Refuse), &out) {
                Ok(report) => {
                    assert_eq!(report.frames, 0);
                    assert_eq!(hound::WavReader::open(&out).unwrap().duration(), 0);
                    empty += 1;
                    std::fs::remove_file(&out).unwrap();
                }
                Err(e) => {
                    stems::named(&e, &path);
                    assert!(!out.exists());
                    refused += 1;
                }
            }
        }
    }
    held(
        count,
        format!("{empty} whole files of 0 frames, {refused} refused by name"),
    )
}
