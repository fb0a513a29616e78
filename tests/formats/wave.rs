//! WAVE files whose headers are wrong, for every codec in them. The inputs are made here.

use crate::{
    riff_bytes::{Riff, audio, extensible, fmt, pcm16, put32, write},
    tools::{self, Heard},
};
use soundtrack::{ErrorKind, Layout, Session, media, media::Remark};

const BLOCK: usize = 256;

/// A codec in WAVE with sound of a known length.
struct Case {
    name: &'static str,
    file: Riff,
    frames: u64,
}

/// IMA ADPCM, mono: blocks of 256 bytes hold 505 frames.
fn ima(blocks: usize) -> Riff {
    let block = |n: usize| {
        let mut block = vec![0; 4];
        block.extend((4..BLOCK).map(|i| u8::try_from((i * 89 + n * 7) % 251 + 1).unwrap()));
        block
    };
    let mut header = fmt(0x11, 1, 48_000, 256, 4);
    header.extend([2, 0, 0xF9, 1]);
    Riff::new(header, (0..blocks).flat_map(block).collect())
}

/// MS ADPCM, mono: blocks of 256 bytes hold 500 frames.
fn microsoft(blocks: usize) -> Riff {
    let block = |n: usize| {
        let mut block = vec![0, 16, 0, 1, 0, 0, 0];
        // Small steps: the step size must not grow without bound.
        block.extend((7..BLOCK).map(|i| [0x1F, 0xE2, 0x21, 0xF3][(i * 89 + n * 7) % 251 % 4]));
        block
    };
    let mut header = fmt(2, 1, 48_000, 256, 4);
    header.extend([32, 0, 0xF4, 1, 7, 0]);
    let coefficients: [i16; 14] = [
        256, 0, 512, -256, 0, 0, 192, 64, 240, 0, 460, -208, 392, -232,
    ];
    header.extend(coefficients.into_iter().flat_map(i16::to_le_bytes));
    Riff::new(header, (0..blocks).flat_map(block).collect())
}

/// MP3 at 128 kbit/s and 48 kHz: silent frames of 384 bytes.
fn mp3(frames: usize) -> Riff {
    let mut frame = vec![0xFF, 0xFB, 0x94, 0xC4];
    frame.resize(384, 0);
    let mut header = fmt(0x55, 1, 48_000, 1, 0);
    header.extend([12, 0, 1, 0, 2, 0, 0, 0, 0x80, 1, 1, 0, 0x71, 5]);
    Riff::new(header, frame.repeat(frames))
}

fn codecs() -> Vec<Case> {
    let float: Vec<u8> = (0..900u16)
        .flat_map(|i| (f32::from(i) / 1000.0 - 0.5).to_le_bytes())
        .collect();
    let law: Vec<u8> = (0..1000u32)
        .map(|i| u8::try_from(i * 37 % 255 + 1).unwrap())
        .collect();
    let case = |name, file, frames| Case { name, file, frames };
    vec![
        case("pcm", pcm16(), 100),
        case("float", Riff::new(fmt(3, 1, 48_000, 4, 32), float), 900),
        case(
            "a-law",
            Riff::new(fmt(6, 1, 48_000, 1, 8), law.clone()),
            1000,
        ),
        case("mu-law", Riff::new(fmt(7, 1, 48_000, 1, 8), law), 1000),
        case("ima", ima(8), 8 * 505),
        case("ms", microsoft(8), 8 * 500),
        case("mp3", mp3(8), 8 * 1152),
    ]
}

fn hear(bytes: &[u8]) -> Heard {
    let folder = tempfile::tempdir().unwrap();
    tools::hear(&write(folder.path(), "t.wav", bytes)).unwrap()
}

fn refusal(bytes: &[u8]) -> soundtrack::Error {
    let folder = tempfile::tempdir().unwrap();
    media::open(&write(folder.path(), "t.wav", bytes), None)
        .err()
        .unwrap()
}

fn states(heard: &Heard) -> Option<u64> {
    heard.info.remarks.iter().find_map(|remark| match remark {
        Remark::HeaderLength { stated, .. } => Some(stated.0),
        _ => None,
    })
}

#[test]
fn sizes_that_are_wrong_change_nothing_whatever_the_codec() {
    for Case { name, file, frames } in codecs() {
        let right = hear(&file.bytes());
        assert_eq!(
            (right.info.frames.0, states(&right)),
            (frames, None),
            "{name}"
        );
        let data = file.size_at(b"data");
        let riff = u32::try_from(file.bytes().len()).unwrap();
        let variants = [
            (None, Some(0)),
            (None, Some(riff - 16)),
            (None, Some(u32::MAX)),
            (Some(0), None),
            (Some(u32::MAX), None),
            (Some(u32::MAX), Some(u32::MAX)),
            (Some(0), Some(0)),
        ];
        for (size, form) in variants {
            let mut bytes = file.bytes();
            for (at, value) in [(data, size), (4, form)] {
                if let Some(value) = value {
                    put32(&mut bytes, at, value);
                }
            }
            let heard = hear(&bytes);
            assert_eq!(heard.info.missing.0, 0, "{name} {size:?} {form:?}");
            assert_eq!(heard.planes, right.planes, "{name} {size:?} {form:?}");
            // A wrong size of the sound is reported, that of the whole file has no meaning of its own.
            let stated = states(&heard);
            assert_eq!(stated.is_some(), size.is_some(), "{name} {size:?} {form:?}");
            assert!(size != Some(0) || stated == Some(0), "{name} {stated:?}");
        }
    }
}

#[test]
fn a_file_that_is_cut_off_promises_its_whole_length_whatever_the_codec() {
    for Case { name, file, frames } in codecs() {
        let right = hear(&file.bytes());
        let whole = file.bytes();
        let start = file.size_at(b"data") + 4;
        // Less is not one whole frame of MP3.
        for tenths in 2..10 {
            let cut = start + (whole.len() - start) * tenths / 10;
            let heard = hear(&whole[..cut]);
            assert_eq!(heard.info.frames.0, frames, "{name} {tenths}");
            assert!(heard.info.missing.0 > 0, "{name} {tenths}");
            let held = usize::try_from(heard.held()).unwrap();
            for (part, all) in heard.planes.iter().zip(&right.planes) {
                assert_eq!(part[..], all[..held], "{name} {tenths}");
            }
        }
    }
}

#[test]
fn rf64_holds_adpcm_and_mp3_too() {
    for Case { name, file, frames } in codecs() {
        let mut bytes = file.bytes();
        let data = file.size_at(b"data");
        let size = u64::try_from(bytes.len() - data - 4).unwrap();
        bytes[..4].copy_from_slice(b"RF64");
        put32(&mut bytes, 4, u32::MAX);
        put32(&mut bytes, data, u32::MAX);
        let mut ds64 = Vec::from(*b"ds64\x1C\0\0\0");
        for value in [u64::try_from(bytes.len()).unwrap() + 28, size, frames] {
            ds64.extend(value.to_le_bytes());
        }
        ds64.extend([0; 4]);
        bytes.splice(12..12, ds64);
        assert_eq!(hear(&bytes).planes, hear(&file.bytes()).planes, "{name}");
    }
}

#[test]
fn a_last_block_of_adpcm_that_is_not_whole_is_heard() {
    for (file, frames) in [(ima(3), 505), (microsoft(3), 500)] {
        let mut short = ima(0);
        short.chunks = file.chunks;
        short.chunks[1].1.truncate(2 * BLOCK + 16);
        let heard = hear(&short.bytes());
        // 12 bytes after 4 of header are 24 frames and one; 9 after 7 of header are 18 and two.
        let rest = if frames == 505 { 25 } else { 20 };
        assert_eq!(
            (heard.info.frames.0, heard.info.missing.0),
            (2 * frames + rest, 0)
        );
    }
}

#[test]
fn a_second_data_chunk_is_reported() {
    for Case { name, file, frames } in codecs() {
        let more = file.chunks[1].1.clone();
        let right = hear(&file.bytes());
        let heard = hear(&file.after(b"data", more).bytes());
        assert_eq!(heard.planes, right.planes, "{name}");
        let unused = heard.info.remarks.iter().find_map(|remark| match remark {
            Remark::UnusedAudio { frames } => Some(frames.0),
            _ => None,
        });
        assert_eq!(unused, Some(frames), "{name}");
    }
}

#[test]
fn a_tag_in_front_of_a_container_is_skipped() {
    let tag = [&b"ID3\x04\0\0\0\0\x01\x02"[..], &[0x55; 130]].concat();
    for Case { name, file, .. } in codecs() {
        let right = hear(&file.bytes());
        let heard = hear(&[&tag[..], &tag, &file.bytes()].concat());
        assert_eq!(heard.planes, right.planes, "{name}");
        assert_eq!(heard.info, right.info, "{name}");
    }
}

#[test]
fn surplus_bits_of_a_channel_mask_are_ignored() {
    let layout = |channels: u16, mask| {
        let header = extensible(channels, 48_000, channels * 2, 16, 16, mask, 1);
        let (_, info) = (audio(), hear(&Riff::new(header, vec![1; 480]).bytes()).info);
        (info.spec.layout, info.channel_mask)
    };
    assert_eq!(layout(2, 0x3F), (Layout::Stereo, 0x3F));
    assert_eq!(layout(6, 0x63F), (Layout::Surround51, 0x63F));
    assert_eq!(layout(1, 0xF), (Layout::Mono, 0xF));
    assert_eq!(layout(7, 0x2D70F), (Layout::Surround61, 0x2D70F));
    // Fewer bits than channels: the rest has no positions.
    assert_eq!(layout(4, 3), (Layout::Discrete(4), 3));
}

#[test]
fn channels_without_a_layout_are_named_with_their_mask_and_a_hint_that_works() {
    let folder = tempfile::tempdir().unwrap();
    for (channels, mask, wanted) in [
        (
            12,
            0x2D63F,
            "it has 12 channels of no known layout (channel mask 0x2D63F); choose single channels of it",
        ),
        (
            2,
            0x600,
            "it has 2 channels of no known layout (channel mask 0x600); say which layout they are: stereo",
        ),
        (
            4,
            0,
            "it has 4 channels of no known layout; say which layout they are: lcrs or quad",
        ),
    ] {
        let header = extensible(channels, 48_000, channels * 2, 16, 16, mask, 1);
        let path = write(
            folder.path(),
            "poly.wav",
            &Riff::new(header, vec![0; 480]).bytes(),
        );
        let mut mix = Session::new(soundtrack::SampleRate::HZ_48000, Layout::Stereo);
        mix.add_track(soundtrack::Track::new("poly", path.as_path()));
        let error = soundtrack::Plan::compile(&mix).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("track \"poly\": {}: {wanted}", path.display())
        );
    }
}

#[test]
fn codecs_that_are_not_read_are_refused_by_name() {
    for (tag, bits, name) in [
        (0x31, 0, "GSM 6.10 in WAV is not supported"),
        (0x2000, 0, "AC-3 in WAV is not supported"),
        (
            0x4242,
            8,
            "the codec with format tag 0x4242 in WAV is not supported",
        ),
        (3, 16, "floating point of 16 bits in WAV is not supported"),
        (1, 64, "PCM of 64 bits in WAV is not supported"),
    ] {
        let file = Riff::new(fmt(tag, 1, 48_000, 8, bits), vec![1; 480]);
        let error = refusal(&file.bytes());
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(
            error.to_string().ends_with(&format!("t.wav: {name}")),
            "{error}"
        );
    }
    let crooked = Riff::new(
        [fmt(0x11, 1, 48_000, 255, 4), vec![2, 0, 0xF9, 1]].concat(),
        vec![1; 510],
    );
    let error = refusal(&crooked.bytes());
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(
        error.to_string().ends_with(
            "t.wav: the header contradicts itself: 1 channels of ADPCM in blocks of 255 bytes"
        ),
        "{error}"
    );
}
