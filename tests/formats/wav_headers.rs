//! Headers that are unusual, wrong or cut: what is read, what is reported, what is refused.

use super::riff_bytes::{
    Riff, all, audio, extensible, facts, fmt, lengths, lie, open, pcm16, put32, rest, write,
};
use soundtrack::{Block, ErrorKind, Frames, Layout, Source, media::Wav};
use std::{fs::File, io::Write, path::Path};

fn refusal(bytes: &[u8]) -> (ErrorKind, String) {
    let folder = tempfile::tempdir().unwrap();
    let e = Wav::open(&write(folder.path(), "t.wav", bytes)).unwrap_err();
    (
        e.kind(),
        e.to_string().split_once("t.wav: ").unwrap().1.to_owned(),
    )
}

#[test]
fn a_file_that_is_cut_off_misses_what_it_promises() {
    let bytes = pcm16().bytes();
    for cut in (44..444).step_by(7) {
        let held = (cut as u64 - 44) / 4;
        assert_eq!(lengths(&bytes[..cut]), (100, 100 - held, None), "{cut}");
    }
    // Cut within the header: refused, whatever is left of it.
    for cut in 12..44 {
        assert_eq!(refusal(&bytes[..cut]).0, ErrorKind::Corrupt, "{cut}");
    }
    for cut in 0..12 {
        let folder = tempfile::tempdir().unwrap();
        assert!(
            Wav::open(&write(folder.path(), "t.wav", &bytes[..cut]))
                .unwrap()
                .is_none(),
            "{cut}"
        );
    }
}

#[test]
fn an_empty_file_is_empty_and_its_chunks_are_not_audio() {
    let empty = Riff::new(fmt(1, 2, 48_000, 4, 16), Vec::new());
    assert_eq!(lengths(&empty.bytes()), (0, 0, None));
    assert_eq!(
        lengths(
            &empty
                .after(b"LIST", vec![7; 64])
                .after(b"id3 ", vec![9; 33])
                .bytes()
        ),
        (0, 0, None)
    );
}

#[test]
fn chunks_may_be_odd_long_unknown_or_late() {
    let riff = pcm16()
        .before(b"JUNK", vec![0; 29])
        .before(b"\xA9xyz", vec![1; 5]);
    // An id that is no text ends the walk.
    assert_eq!(refusal(&riff.bytes()).0, ErrorKind::Corrupt);
    let riff = pcm16()
        .before(b"JUNK", vec![0; 29])
        .before(b"LIST", vec![0x41; 7])
        .after(b"tail", vec![1; 3]);
    assert_eq!(lengths(&riff.bytes()), (100, 0, None));
    // The same without the pad bytes.
    let mut bytes = riff.bytes();
    bytes.remove(44 + 29);
    bytes.remove(44 + 29 + 8 + 7);
    let size = bytes.len() as u32 - 8;
    put32(&mut bytes, 4, size);
    assert_eq!(lengths(&bytes), (100, 0, None));
    // fmt after data.
    let mut late = pcm16();
    late.chunks.reverse();
    assert_eq!(lengths(&late.bytes()), (100, 0, None));
    // A bext at the end counts too; a short one does not.
    let mut bext = vec![0; 602];
    bext[338..342].copy_from_slice(&77u32.to_le_bytes());
    assert_eq!(
        facts(&pcm16().after(b"bext", bext).bytes())
            .1
            .time_reference,
        Some(Frames(77))
    );
    assert_eq!(
        facts(&pcm16().before(b"bext", vec![1; 601]).bytes())
            .1
            .time_reference,
        None
    );
}

#[test]
fn rf64_and_bw64_take_their_sizes_from_ds64() {
    for id in [*b"RF64", *b"BW64"] {
        let ds64 = |riff: u64, data: u64| {
            [riff, data, 100, 0].map(u64::to_le_bytes).concat()[..28].to_vec()
        };
        let make = |riff: u64, data: u64| {
            let mut file = pcm16();
            file.id = id;
            file.chunks.insert(0, (*b"ds64", ds64(riff, data)));
            lie(&file, u32::MAX, Some(u32::MAX))
        };
        assert_eq!(lengths(&make(472, 400)), (100, 0, None));
        assert_eq!(facts(&make(472, 400)).1.codec.as_bytes(), id);
        assert_eq!(lengths(&make(472, 4000)), (100, 0, Some(1000)));
        assert_eq!(lengths(&make(4072, 4000)), (1000, 900, None));
        assert_eq!(lengths(&make(472, 0)), (100, 0, Some(0)));
        assert_eq!(lengths(&make(u64::MAX, u64::MAX)).1, u64::MAX / 4 - 100);
        let mut bare = pcm16();
        bare.id = id;
        assert_eq!(
            lengths(&lie(&bare, u32::MAX, Some(u32::MAX))),
            (100, 0, Some(0x3FFF_FFFF))
        );
    }
}

#[test]
fn what_is_not_read_is_refused_by_name() {
    let refused = |fmt: Vec<u8>| refusal(&Riff::new(fmt, audio()).bytes());
    let unsupported = |what: &str| (ErrorKind::Unsupported, what.to_owned());
    assert_eq!(
        refused(fmt(1, 0, 48_000, 4, 16)),
        unsupported("0 channels is outside 1 to 64")
    );
    assert_eq!(
        refused(fmt(1, 65, 48_000, 130, 16)),
        unsupported("65 channels is outside 1 to 64")
    );
    assert_eq!(
        refused(fmt(1, 65_535, 1, 65_535, 8)),
        unsupported("65535 channels is outside 1 to 64")
    );
    assert_eq!(
        refused(fmt(1, 2, 0, 4, 16)),
        unsupported("sample rate 0 Hz is outside 1 to 768000 Hz")
    );
    assert_eq!(
        refused(fmt(1, 2, 768_001, 4, 16)),
        unsupported("sample rate 768001 Hz is outside 1 to 768000 Hz")
    );
    // A block of 7 bytes for three channels of 24 bits, and a byte rate that says the same.
    let contradiction = "the header contradicts itself: 3 channels of 24 bits in frames of 7 bytes";
    assert_eq!(
        refused(fmt(1, 3, 48_000, 7, 24)),
        (ErrorKind::Corrupt, contradiction.into())
    );
    let mut big = pcm16();
    big.id = *b"RIFX";
    assert_eq!(
        refusal(&big.bytes()),
        unsupported("RIFX (big-endian WAVE) is not read")
    );
    let mut avi = pcm16().bytes();
    avi[8..12].copy_from_slice(b"AVI ");
    assert_eq!(
        refusal(&avi),
        unsupported("a RIFF file of type \"AVI\", not WAVE is not read")
    );

    let folder = tempfile::tempdir().unwrap();
    assert_eq!(
        Wav::open(&folder.path().join("none.wav"))
            .unwrap_err()
            .kind(),
        ErrorKind::NotFound
    );
    assert_eq!(
        Wav::open(folder.path()).unwrap_err().kind(),
        ErrorKind::Unsupported
    );
    if Path::new("/dev/zero").exists() {
        assert_eq!(
            Wav::open(Path::new("/dev/zero")).unwrap_err().kind(),
            ErrorKind::Unsupported
        );
    }
    for other in [
        fmt(0x55, 2, 48_000, 1, 0),
        fmt(2, 2, 48_000, 1024, 4),
        extensible(2, 48_000, 4, 16, 16, 3, 0x2000),
    ] {
        let path = write(
            folder.path(),
            "codec.wav",
            &Riff::new(other, audio()).bytes(),
        );
        assert!(Wav::open(&path).unwrap().is_none());
    }
}

#[test]
fn layouts_and_bits_are_what_the_header_states() {
    let layout = |f: Vec<u8>| facts(&Riff::new(f, audio()).bytes()).1;
    assert_eq!(layout(fmt(1, 1, 48_000, 2, 16)).spec.layout, Layout::Mono);
    assert_eq!(
        layout(fmt(1, 6, 48_000, 12, 16)).spec.layout,
        Layout::Discrete(6)
    );
    assert_eq!(
        layout(fmt(1, 64, 48_000, 64, 8)).spec.layout,
        Layout::Discrete(64)
    );
    assert_eq!(
        layout(extensible(6, 48_000, 12, 16, 16, 0x60F, 1))
            .spec
            .layout,
        Layout::Surround51
    );
    let info = layout(extensible(2, 48_000, 8, 32, 24, 3, 1));
    assert_eq!(info.bits.map(|b| (b.width, b.float)), Some((24, false)));
    let info = layout(extensible(2, 48_000, 8, 32, 0, 3, 3));
    assert_eq!(info.bits.map(|b| (b.width, b.float)), Some((32, true)));
    // Ambisonic B-format has four channels and no speakers, whatever its mask says.
    let mut b_format = extensible(4, 48_000, 8, 16, 16, 0x33, 1);
    b_format[28..].copy_from_slice(&[
        0x21, 0x07, 0xD3, 0x11, 0x86, 0x44, 0xC8, 0xC1, 0xCA, 0, 0, 0,
    ]);
    assert_eq!(layout(b_format).spec.layout, Layout::Discrete(4));
}

#[test]
fn channels_of_6_1_with_back_speakers_are_put_in_order() {
    let frames: Vec<u8> = (0..2u16)
        .flat_map(|f| (0..7u16).map(move |ch| f * 7 + ch))
        .flat_map(u16::to_le_bytes)
        .collect();
    let (samples, info) =
        facts(&Riff::new(extensible(7, 48_000, 14, 16, 16, 0x13F, 1), frames.clone()).bytes());
    assert_eq!(info.spec.layout, Layout::Surround61);
    let order: Vec<f64> = samples.iter().map(|x| x * 32768.0).collect();
    assert_eq!(
        order,
        [
            0.0, 1.0, 2.0, 3.0, 6.0, 4.0, 5.0, 7.0, 8.0, 9.0, 10.0, 13.0, 11.0, 12.0
        ]
    );
    // Positions that are no layout here: not guessed, and said so.
    let (_, info) = facts(&Riff::new(extensible(8, 48_000, 16, 16, 16, 0xFF, 1), frames).bytes());
    assert_eq!(
        info.spec.layout.to_string(),
        "8 channels of no known layout"
    );
}

#[test]
fn seeks_equal_the_linear_read() {
    let folder = tempfile::tempdir().unwrap();
    let bytes: Vec<u8> = (0..90_003u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let path = write(
        folder.path(),
        "t.wav",
        &Riff::new(fmt(1, 3, 48_000, 9, 24), bytes).bytes(),
    );
    let (whole, _) = all(&path);
    let frames = whole.len() / 3;
    let (mut wav, _) = open(&path);
    let mut seed = 1u64;
    for _ in 0..300 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let (to, block) = (
            (seed >> 33) as usize % (frames + 50),
            1 + (seed >> 20) as usize % 300,
        );
        wav.seek(Frames(to as u64)).unwrap();
        let mut out = Block::new(Layout::Discrete(3), block);
        for at in (to..).step_by(block).take(3) {
            let n = wav.read(&mut out).unwrap();
            assert_eq!(n, block.min(frames.saturating_sub(at)));
            for (ch, c) in out.channels().enumerate() {
                assert!(
                    c.iter()
                        .enumerate()
                        .all(|(i, x)| *x == whole[(at + i) * 3 + ch])
                );
            }
        }
    }
    wav.seek(Frames::MAX).unwrap();
    assert_eq!(rest(&mut wav, 64).len(), 0);
    wav.seek(Frames(0)).unwrap();
    assert_eq!(rest(&mut wav, 7), whole);
}

#[test]
fn a_file_that_shrinks_while_it_is_read_is_an_error_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let riff = Riff::new(fmt(1, 1, 1000, 2, 16), vec![1; 400_000]);
    let path = write(folder.path(), "t.wav", &riff.bytes());
    let (mut wav, _) = open(&path);
    let mut block = Block::new(Layout::Mono, 50_000);
    assert_eq!(wav.read(&mut block).unwrap(), 50_000);
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(150_000)
        .unwrap();
    let e = wav.read(&mut block).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Corrupt);
    assert!(
        e.to_string()
            .ends_with("t.wav: ends at 00:00:50.000: it was cut while it was read"),
        "{e}"
    );
    wav.seek(Frames(10)).unwrap();
    let e = wav.read(&mut block).unwrap_err();
    assert!(
        e.to_string().ends_with("t.wav: changed while it was read"),
        "{e}"
    );
}

#[test]
fn a_file_that_is_overwritten_while_it_is_read_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let riff = |byte: u8| Riff::new(fmt(1, 1, 1000, 2, 16), vec![byte; 400_000]).bytes();
    let path = write(folder.path(), "t.wav", &riff(1));
    let mut block = Block::new(Layout::Mono, 50_000);
    let settle = || std::thread::sleep(std::time::Duration::from_millis(30));
    settle();
    let (mut wav, _) = open(&path);
    assert_eq!(wav.read(&mut block).unwrap(), 50_000);
    // Another file in its place: the one that is open keeps its content.
    std::fs::rename(write(folder.path(), "other.wav", &riff(2)), &path).unwrap();
    assert_eq!(wav.read(&mut block).unwrap(), 50_000);
    settle();
    let (mut wav, _) = open(&path);
    assert_eq!(wav.read(&mut block).unwrap(), 50_000);
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .write_all(&riff(3))
        .unwrap();
    let e = wav.read(&mut block).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Corrupt);
    assert!(
        e.to_string().ends_with("t.wav: changed while it was read"),
        "{e}"
    );
}

/// Ten hours of 48 kHz 24-bit stereo in 10 GB that are not there: a sparse file.
#[test]
fn positions_beyond_4_gib_and_2_to_the_31_frames_are_exact() {
    let folder = tempfile::tempdir().unwrap();
    let frames = 36_000 * 48_000u64;
    let data = frames * 6;
    let ds64 = [data + 72, data, frames, 0].map(u64::to_le_bytes).concat();
    let mut head = Riff::new(fmt(1, 2, 48_000, 6, 24), Vec::new());
    head.id = *b"RF64";
    head.chunks.insert(0, (*b"ds64", ds64[..28].to_vec()));
    let path = write(
        folder.path(),
        "long.wav",
        &lie(&head, u32::MAX, Some(u32::MAX)),
    );
    let mut file = File::options().write(true).open(&path).unwrap();
    if file.set_len(80 + data).is_err() {
        println!("skipped: no sparse files here");
        return;
    }
    std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(80 + (frames - 1) * 6)).unwrap();
    file.write_all(&[0, 0, 0x40, 0, 0, 0xC0]).unwrap();
    let (mut wav, info) = open(&path);
    assert_eq!(
        (info.frames, info.missing, info.remarks.len()),
        (Frames(frames), Frames(0), 0)
    );
    wav.seek(Frames(frames - 2)).unwrap();
    assert_eq!(rest(&mut wav, 64), [0.0, 0.0, 0.5, -0.5]);

    // A byte a frame: more frames than 2^31.
    let frames = (1u64 << 31) + 5;
    let mut bytes = Riff::new(fmt(1, 1, 48_000, 1, 8), Vec::new()).bytes();
    put32(&mut bytes, 4, (frames + 36) as u32);
    put32(&mut bytes, 40, frames as u32);
    let path = write(folder.path(), "many.wav", &bytes);
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(44 + frames)
        .unwrap();
    let (mut wav, info) = open(&path);
    assert_eq!((info.frames, info.remarks.len()), (Frames(frames), 0));
    wav.seek(Frames((1 << 31) + 3)).unwrap();
    assert_eq!(rest(&mut wav, 64), [-1.0, -1.0]);
}

#[test]
fn a_chunk_of_a_gigabyte_is_stepped_over() {
    let folder = tempfile::tempdir().unwrap();
    let riff = pcm16().before(b"JUNK", Vec::new());
    let mut bytes = riff.bytes();
    let size = 1 << 30;
    put32(&mut bytes, riff.size_at(b"JUNK"), size);
    put32(&mut bytes, 4, size + 444);
    let (head, tail) = bytes.split_at(44);
    let path = write(folder.path(), "junk.wav", head);
    let mut file = File::options().write(true).open(&path).unwrap();
    file.set_len(44 + u64::from(size)).unwrap();
    std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0)).unwrap();
    file.write_all(tail).unwrap();
    assert_eq!(all(&path).1.frames, Frames(100));
}

#[test]
fn mutated_headers_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let mut rf64 = Riff::new(extensible(2, 48_000, 6, 24, 24, 3, 1), audio());
    rf64.id = *b"RF64";
    rf64.chunks.insert(
        0,
        (
            *b"ds64",
            [472u64, 400, 66, 0].map(u64::to_le_bytes).concat()[..28].to_vec(),
        ),
    );
    let seeds = [
        pcm16()
            .before(b"JUNK", vec![0; 29])
            .after(b"LIST", vec![0x41; 7])
            .bytes(),
        Riff::new(extensible(6, 48_000, 12, 16, 16, 0x60F, 1), audio())
            .before(b"bext", vec![0; 602])
            .bytes(),
        lie(&rf64, u32::MAX, Some(u32::MAX)),
        Riff::new([&fmt(3, 1, 48_000, 8, 64)[..], &[0, 0]].concat(), audio())
            .before(b"fact", vec![0; 4])
            .bytes(),
        Riff::new([&fmt(7, 1, 8_000, 1, 8)[..], &[0, 0]].concat(), audio()).bytes(),
    ];
    const VALUES: [u8; 8] = [0, 1, 2, 3, 0x7F, 0x80, 0xFE, 0xFF];
    let mut seed = 7u64;
    let mut next = |below: usize| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    let mut opened = 0;
    for round in 0..6000 {
        let mut bytes = seeds[round % seeds.len()].clone();
        for _ in 0..1 + next(6) {
            let at = next(bytes.len().min(120));
            bytes[at] = if next(2) == 0 {
                VALUES[next(8)]
            } else {
                next(256) as u8
            };
        }
        if next(8) == 0 {
            bytes.truncate(next(bytes.len()));
        }
        // A new name each time: replacing a file's content waits for the disk on some file systems.
        let path = write(folder.path(), &format!("{round}.wav"), &bytes);
        if let Ok(Some((mut wav, info))) = Wav::open(&path) {
            opened += 1;
            let mut block = Block::new(wav.spec().layout, 37);
            let mut frames = 0;
            while let n @ 1.. = wav.read(&mut block).unwrap() {
                frames += n as u64;
            }
            assert_eq!(Frames(frames) + info.missing, info.frames);
            wav.seek(Frames(frames / 2)).unwrap();
            assert_eq!(
                wav.read(&mut block).unwrap(),
                37.min(frames - frames / 2) as usize
            );
        }
    }
    assert!(opened > 1000, "{opened}");
}
