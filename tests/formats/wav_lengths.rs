//! Lengths in headers that are wrong: placeholders, halves, figures without their upper bits, and what follows the audio.

use super::riff_bytes::{Riff, all, facts, fmt, lengths, lie, open, pcm16, put32, rest};
use soundtrack::{
    Frames, Source,
    media::{Info, Remark},
};
use soundtrack_test_support::requirement::missing;
use std::{fs::File, io::Write, path::Path};

#[test]
fn a_data_size_that_lies_is_corrected_and_reported() {
    let plain = pcm16();
    assert_eq!(lengths(&plain.bytes()), (100, 0, None));
    // Placeholders, with and without a right RIFF size.
    for riff in [None, Some(0), Some(36), Some(u32::MAX)] {
        assert_eq!(
            lengths(&lie(&plain, 0, riff)),
            (100, 0, Some(0)),
            "{riff:?}"
        );
        assert_eq!(
            lengths(&lie(&plain, u32::MAX, riff)),
            (100, 0, Some(0x3FFF_FFFF)),
            "{riff:?}"
        );
        assert_eq!(
            lengths(&lie(&plain, 0x7FFF_F000, riff)),
            (100, 0, Some(0x1FFF_FC00)),
            "{riff:?}"
        );
    }
    // Ten times too much and half, in a file whose RIFF size is right.
    assert_eq!(lengths(&lie(&plain, 4000, None)), (100, 0, Some(1000)));
    assert_eq!(lengths(&lie(&plain, 200, None)), (100, 0, Some(50)));
    // Half, and the RIFF size agrees with it, or with nothing: audio follows all the same.
    for riff in [236, 0, 1000, u32::MAX] {
        assert_eq!(
            lengths(&lie(&plain, 200, Some(riff))),
            (100, 0, Some(50)),
            "{riff}"
        );
    }
    // Half of which the second begins with silence.
    let mut quiet = lie(&plain, 200, Some(236));
    quiet[244..300].fill(0);
    assert_eq!(lengths(&quiet), (100, 0, Some(50)));
    // Half, and a chunk follows, or padding: half it is.
    let mut half = pcm16();
    half.chunks[1].1.truncate(200);
    assert_eq!(
        lengths(&half.after(b"LIST", vec![1; 190]).bytes()),
        (50, 0, None)
    );
    let mut zeros = plain.bytes();
    zeros.truncate(244);
    zeros.resize(444, 0);
    put32(&mut zeros, 40, 200);
    assert_eq!(lengths(&zeros), (50, 0, None));
    put32(&mut zeros, 4, 236);
    assert_eq!(lengths(&zeros), (50, 0, None));
}

#[test]
fn what_stands_behind_the_riff_chunk_is_audio_only_where_it_is_nothing_else() {
    let behind = |tail: &[u8]| lengths(&[pcm16().bytes(), tail.to_vec()].concat());
    let chunk = |id: &[u8], size: u32, body: usize| {
        [id, &size.to_le_bytes()[..], &vec![0x99; body]].concat()
    };
    let xml = "<?xml version=\"1.0\"?>\n<take name=\"\u{e9}t\u{e9}\"/>".repeat(30);
    for tail in [
        chunk(b"LIST", 40, 40),
        // Its size is wrong, its name tells.
        chunk(b"LIST", 4000, 40),
        [chunk(b"abcd", 40, 40), chunk(b"efgh", 6, 6)].concat(),
        [vec![0; 500], chunk(b"abcd", 40, 40), vec![0; 64]].concat(),
        [&b"ID3\x04\0\0\0\0\x01\x00"[..], &[0x99; 128]].concat(),
        [&b"TAG"[..], &[0x99; 125]].concat(),
        [&b"APETAGEX"[..], &[0x99; 125]].concat(),
        xml.into_bytes(),
        vec![0; 5000],
        vec![0x99; 7],
    ] {
        assert_eq!(behind(&tail), (100, 0, None), "{tail:?}");
    }
    // What only begins like a chunk.
    assert_eq!(
        behind(&[chunk(b"abcd", 40, 40), vec![0x99; 48]].concat()),
        (124, 0, Some(100))
    );
    assert_eq!(behind(&chunk(b"abcd", 1000, 40)), (112, 0, Some(100)));
}

#[test]
fn placeholders_rounded_down_to_whole_frames_are_placeholders() {
    for (size, channels) in [
        (0x7FFF_EFFC, 2u16),
        (0x7FFF_EFF6, 6),
        (0x7FFF_FFFA, 2),
        (0x7FFF_FFFE, 6),
    ] {
        let block = channels * 3;
        let frames = 48;
        let riff = Riff::new(
            fmt(1, channels, 48_000, block, 24),
            vec![0x81; usize::from(block) * frames],
        );
        for all in [None, Some(0), Some(size + 36)] {
            let (_, info) = facts(&lie(&riff, size, all));
            assert_eq!(
                (info.frames, info.missing),
                (Frames(48), Frames(0)),
                "{size:X}"
            );
            let stated = Frames(u64::from(size) / u64::from(block));
            assert_eq!(
                info.remarks,
                [Remark::HeaderLength {
                    stated,
                    found: Frames(48)
                }],
                "{size:X}"
            );
        }
    }
    // A frame less is a length, and the file is cut off.
    let riff = Riff::new(fmt(1, 2, 48_000, 6, 24), vec![0x81; 600]);
    assert!(facts(&lie(&riff, 0x7FFF_EFFA - 6, Some(0))).1.missing > Frames(0));
}

/// A file of 16-bit stereo whose audio is not there but for its last four bytes.
fn sparse(path: &Path, frames: u64, data: u32, tail: &[u8]) -> Option<Info> {
    let head = lie(
        &Riff::new(fmt(1, 2, 48_000, 4, 16), Vec::new()),
        data,
        Some(data.wrapping_add(36)),
    );
    let mut file = File::create(path).unwrap();
    file.write_all(&head).unwrap();
    if file.set_len(44 + frames * 4).is_err() {
        println!("skipped: no sparse files here");
        return None;
    }
    std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(40 + frames * 4)).unwrap();
    file.write_all(&[0, 0x40, 0, 0xC0]).unwrap();
    file.write_all(tail).unwrap();
    let (mut wav, info) = open(path);
    wav.seek(Frames(frames - 1)).unwrap();
    assert_eq!(rest(&mut wav, 64), [0.5, -0.5]);
    Some(info)
}

#[test]
fn files_longer_than_their_placeholder_or_than_4_gib_are_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.wav");
    let wrap = 1u64 << 30;
    let list = [&b"LIST\x04\0\0\0"[..], b"INFO"].concat();
    for (frames, data, tail) in [
        (0x7FFF_F000 / 4 + 1000, 0x7FFF_F000, &[][..]),
        (wrap + 1000, 0x7FFF_F000, &[]),
        (wrap + 1000, u32::MAX, &[]),
        (wrap + 1000, 0xFFFF_FF00, &[]),
        // Without the upper bits.
        (wrap + 1000, 4000, &[]),
        (2 * wrap + 1000, 4000, &[]),
        (wrap + 1000, 4000, &list),
    ] {
        let Some(info) = sparse(&path, frames, data, tail) else {
            return;
        };
        assert_eq!(
            (info.frames, info.missing),
            (Frames(frames), Frames(0)),
            "{data:X}"
        );
        assert_eq!(
            info.remarks,
            [Remark::HeaderLength {
                stated: Frames(u64::from(data) / 4),
                found: Frames(frames)
            }]
        );
    }
    // As long as a placeholder by chance.
    for tail in [&[][..], &list] {
        let Some(info) = sparse(&path, 0x7FFF_F000 / 4, 0x7FFF_F000, tail) else {
            return;
        };
        assert_eq!(
            (info.frames, info.remarks),
            (Frames(0x7FFF_F000 / 4), vec![])
        );
    }
}

#[test]
fn what_sox_writes_into_a_pipe_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.wav");
    for (channels, bits) in [("2", "24"), ("6", "24"), ("1", "16"), ("2", "32")] {
        let args = [
            "-n", "-r", "48000", "-c", channels, "-b", bits, "-t", "wav", "-", "synth", "1",
            "sine", "440",
        ];
        let run = std::process::Command::new("sox")
            .args(args)
            .stderr(std::process::Stdio::null())
            .output();
        let Ok(run) = run else {
            missing("sox is not installed");
            return;
        };
        std::fs::write(&path, run.stdout).unwrap();
        let info = all(&path).1;
        assert_eq!(
            (info.frames, info.missing, info.remarks.len()),
            (Frames(48_000), Frames(0), 1),
            "{channels} {bits}"
        );
    }
}
