//! A seek gives the samples that reading from the start gives, bit for bit, for every codec.

use crate::tools::{self, Lcg};
use soundtrack::media;
use std::path::{Path, PathBuf};

/// Name, program and arguments behind the input, for every codec that can be made here.
const MADE: [(&str, &[&str]); 25] = [
    ("flac.flac", &["-c:a", "flac"]),
    (
        "small.flac",
        &["-c:a", "flac", "-af", "volume=0.002", "-frame_size", "1024"],
    ),
    (
        "flac24.flac",
        &["-c:a", "flac", "-sample_fmt", "s32", "-af", "volume=0.7"],
    ),
    ("flac.oga", &["-c:a", "flac"]),
    ("vorbis.ogg", &["-c:a", "libvorbis", "-q:a", "4"]),
    ("vorbis-low.ogg", &["-c:a", "libvorbis", "-q:a", "-1"]),
    ("alac.m4a", &["-c:a", "alac"]),
    ("alac.caf", &["-c:a", "alac"]),
    ("flac.mp4", &["-c:a", "flac", "-strict", "-2"]),
    ("pcm.aiff", &["-c:a", "pcm_s16be"]),
    ("pcm24.aiff", &["-c:a", "pcm_s24be"]),
    ("pcm.caf", &["-c:a", "pcm_s24le"]),
    ("float.caf", &["-c:a", "pcm_f32be"]),
    ("128.mp3", &["-c:a", "libmp3lame", "-b:a", "128k"]),
    ("320.mp3", &["-c:a", "libmp3lame", "-b:a", "320k"]),
    (
        "16.mp3",
        &[
            "-c:a",
            "libmp3lame",
            "-b:a",
            "16k",
            "-ar",
            "22050",
            "-ac",
            "1",
        ],
    ),
    ("vbr.mp3", &["-c:a", "libmp3lame", "-q:a", "6"]),
    ("plain.mp3", &["-c:a", "libmp3lame", "-write_xing", "0"]),
    ("layer2.mp2", &["-c:a", "mp2", "-b:a", "192k"]),
    ("aac.m4a", &["-c:a", "aac", "-b:a", "128k"]),
    ("pns.m4a", &["-c:a", "aac", "-b:a", "48k", "-aac_pns", "1"]),
    ("aac.aac", &["-c:a", "aac"]),
    ("vorbis.mka", &["-c:a", "libvorbis"]),
    ("ms.wav", &["-c:a", "adpcm_ms"]),
    ("ima.wav", &["-c:a", "adpcm_ima_wav"]),
];

fn check(path: &Path, seeks: usize) -> (usize, u64) {
    let whole = tools::hear(path).unwrap();
    assert!(
        whole.error.is_none() && whole.flaws.is_empty(),
        "{}: {:?}",
        path.display(),
        whole.flaws
    );
    let frames = whole.info.frames.0;
    let (mut source, _) = media::open(path, None).unwrap();
    let mut random = Lcg(7);
    let mut wrong = 0;
    for i in 0..seeks {
        // The ends and the frames around packet borders first.
        let at = match i {
            0 => 0,
            1 => frames - 1,
            2 => 1,
            3 => frames.min(1152),
            _ => random.next() % frames,
        };
        let len = usize::try_from(random.next() % 6_000 + 1).unwrap();
        let got = tools::after_seek(source.as_mut(), at, len);
        let from = usize::try_from(at).unwrap();
        let until = (from + len).min(whole.frames());
        let same = whole
            .planes
            .iter()
            .zip(&got)
            .all(|(w, g)| w[from..until] == g[..]);
        wrong += usize::from(!same);
    }
    assert!(source.flaws().is_empty());
    assert!(tools::after_seek(source.as_mut(), frames, 10)[0].is_empty());
    (wrong, frames)
}

/// Seeks in stems of so many milliseconds of every codec.
fn check_all(milliseconds: usize, seeks: usize) {
    if !tools::have(&["ffmpeg"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let wav = dir.path().join("music.wav");
    tools::wav16(&wav, 44_100, &tools::music(441 * milliseconds / 10, 2));
    for (name, args) in MADE {
        let path: PathBuf = dir.path().join(name);
        let head = ["-v", "error", "-y", "-i", wav.to_str().unwrap()];
        let all: Vec<&str> = head
            .into_iter()
            .chain(args.iter().copied())
            .chain([path.to_str().unwrap()])
            .collect();
        tools::run("ffmpeg", &all);
        let (wrong, frames) = check(&path, seeks);
        println!("{name:16} {frames:7} frames: {wrong} of {seeks} seeks wrong");
        assert_eq!(wrong, 0, "{name}");
    }
}

#[test]
fn sixty_random_seeks_are_bit_exact_for_every_codec() {
    check_all(4_000, 60);
}

/// In a short stem a jump can land on the wanted packet without a search.
#[test]
fn short_stems_seek_exactly() {
    check_all(120, 40);
}

#[test]
fn real_files_seek_exactly() {
    let Some(dir) = tools::data() else { return };
    for name in [
        "stems/falcon69-ni-stem-mp4",
        "stems/kira-dynamic-vorbis",
        "stems/mdn-multitrack-mp3",
        "stems/saraga-carnatic-mp3",
    ] {
        let mut files: Vec<PathBuf> = std::fs::read_dir(dir.join(name))
            .unwrap()
            .map(|f| f.unwrap().path())
            .collect();
        files.sort();
        let (wrong, frames) = check(&files[0], 20);
        println!(
            "{}: {frames} frames, {wrong} of 20 seeks wrong",
            files[0].display()
        );
        assert_eq!(wrong, 0);
    }
}
