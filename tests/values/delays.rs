//! What an encoder added and states: removed at the start and at the end, to the frame.

use crate::mp4::{Edit, Movie};
use soundtrack::media::{self, Info, Remark};

fn opened(name: &str, bytes: &[u8]) -> Info {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    media::open(&path, None).unwrap().1
}

/// 20 silent frames of MPEG 1 layer III at 48 kHz, 64 kbit/s, mono, with a tag in front of an encoder that states a delay
/// and a padding.
fn mp3(encoder: &[u8; 4], delay: u16, padding: u16) -> Vec<u8> {
    let frame = || {
        let mut frame = vec![0; 192];
        frame[..4].copy_from_slice(&[0xFF, 0xFB, 0x54, 0xC0]);
        frame
    };
    let mut tag = frame();
    tag[21..25].copy_from_slice(b"Info");
    tag[25..29].copy_from_slice(&1u32.to_be_bytes());
    tag[29..33].copy_from_slice(&20u32.to_be_bytes());
    tag[33..37].copy_from_slice(encoder);
    // 12 bits each.
    let both = u32::from(delay) << 12 | u32::from(padding);
    tag[54..57].copy_from_slice(&both.to_be_bytes()[1..]);
    [tag]
        .into_iter()
        .chain((0..20).map(|_| frame()))
        .flatten()
        .collect()
}

#[test]
fn an_mp3_loses_its_encoders_delay_and_the_decoders_529_frames() {
    // 20 frames of 1152 are 23040. The decoder is late by 529, so that much less is cut from the end.
    for (delay, padding, start, end) in [
        (576, 1152, 1105, 623),
        (1105, 1000, 1634, 471),
        (576, 529, 1105, 0),
        (576, 300, 1105, 0),
        (0, 4095, 529, 3566),
    ] {
        for encoder in [b"LAME", b"Lavf", b"Lavc", b"L3.9"] {
            let info = opened("x.mp3", &mp3(encoder, delay, padding));
            let told = (
                info.trimmed_start.0,
                info.trimmed_end.0,
                info.frames.0,
                info.remarks.contains(&Remark::AlignmentUnknown),
            );
            assert_eq!(
                told,
                (start, end, 23_040 - start - end, false),
                "{delay} {padding}"
            );
        }
    }
    // What another encoder writes there means nothing.
    let info = opened("x.mp3", &mp3(b"GOGO", 576, 1152));
    assert_eq!(
        (info.trimmed_start.0, info.trimmed_end.0, info.frames.0),
        (0, 0, 23_040)
    );
    assert!(info.remarks.contains(&Remark::AlignmentUnknown));
}

#[test]
fn the_tag_of_itunes_states_start_and_length_and_an_edit_list_the_start_first() {
    let samples: Vec<i16> = (1..=1000).collect();
    let told = |movie: Movie| {
        let info = opened("x.m4a", &movie.bytes(&samples));
        (info.trimmed_start.0, info.trimmed_end.0, info.frames.0)
    };
    let smpb = |delay, padding, length| Movie {
        smpb: Some([delay, padding, length]),
        ..Movie::default()
    };
    assert_eq!(told(smpb(100, 50, 850)), (100, 50, 850));
    assert_eq!(told(smpb(100, 0, 900)), (100, 0, 900));
    assert_eq!(told(smpb(0, 1, 999)), (0, 1, 999));
    // A length beyond what is there is not believed.
    assert_eq!(told(smpb(100, 0, 901)), (100, 0, 900));
    // An edit list says where the music begins; the tag, how long it is.
    let both = Movie {
        edits: vec![Edit {
            length: 1000,
            from: 30,
        }],
        ..smpb(100, 50, 850)
    };
    assert_eq!(told(both), (30, 120, 850));
    let led = Movie {
        edits: vec![
            Edit {
                length: 10,
                from: -1,
            },
            Edit {
                length: 1000,
                from: 30,
            },
        ],
        ..smpb(100, 50, 850)
    };
    assert_eq!(told(led), (30, 120, 860));
}
