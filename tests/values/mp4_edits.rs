//! Edit lists of MP4 and QuickTime (ISO 14496-12, 8.6.6): where the music begins and ends.

use crate::mp4::{Edit, Movie};
use soundtrack::{Clip, Frames, Layout, SampleRate, Session, Spec, Track, media};

/// Counts from 1 in steps of 2^-15.
fn samples(frames: i16) -> Vec<i16> {
    (1..=frames).collect()
}

/// The samples of a file as a session plays them, as the integers they are stored as, and the frames that it trimmed.
fn heard(movie: &Movie, samples: &[i16]) -> (Vec<i32>, u64) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.mov");
    std::fs::write(&path, movie.bytes(samples)).unwrap();
    let (source, info) = media::open(&path, None).unwrap();
    assert_eq!(
        source.spec(),
        Spec {
            rate: SampleRate::new(movie.rate).unwrap(),
            layout: Layout::Mono
        }
    );
    let mut mix = Session::new(source.spec().rate, Layout::Mono);
    mix.add_track(Track::of("x").clip(Clip::new(path.as_path())));
    let got = crate::stems::first(&mix);
    assert_eq!(info.frames, Frames(got.len() as u64));
    // A seek gives what reading from the start gives.
    for at in [1, got.len() / 2, got.len() - 1] {
        let rest = mix
            .render(Frames(at as u64)..info.frames)
            .unwrap()
            .swap_remove(0);
        assert_eq!(rest, got[at..], "from frame {at}");
    }
    (
        got.iter().map(|x| (x * 32_768.0) as i32).collect(),
        info.trimmed_start.0,
    )
}

fn edits(list: &[(u64, i64)]) -> Movie {
    Movie {
        edits: list
            .iter()
            .map(|(length, from)| Edit {
                length: *length,
                from: *from,
            })
            .collect(),
        ..Movie::default()
    }
}

/// `lead` frames of silence, then the samples from one to another.
fn played(lead: usize, from: i32, to: i32) -> Vec<i32> {
    std::iter::repeat_n(0, lead).chain(from..=to).collect()
}

#[test]
fn without_an_edit_list_all_is_played() {
    assert_eq!(
        heard(&Movie::default(), &samples(1000)),
        (played(0, 1, 1000), 0)
    );
}

#[test]
fn a_media_time_leaves_out_the_start() {
    assert_eq!(
        heard(&edits(&[(900, 100)]), &samples(1000)),
        (played(0, 101, 1000), 100)
    );
    assert_eq!(
        heard(&edits(&[(1000, 0)]), &samples(1000)),
        (played(0, 1, 1000), 0)
    );
    assert_eq!(
        heard(&edits(&[(999, 1)]), &samples(1000)),
        (played(0, 2, 1000), 1)
    );
}

#[test]
fn an_empty_edit_is_silence_before_the_music() {
    assert_eq!(
        heard(&edits(&[(48, -1), (1000, 0)]), &samples(1000)).0,
        played(48, 1, 1000)
    );
    assert_eq!(
        heard(&edits(&[(1, -1), (1000, 0)]), &samples(1000)).0,
        played(1, 1, 1000)
    );
    // With a start that is left out, and several empty edits, which add up.
    assert_eq!(
        heard(&edits(&[(480, -1), (900, 100)]), &samples(1000)),
        (played(480, 101, 1000), 100)
    );
    assert_eq!(
        heard(&edits(&[(30, -1), (40, -1), (1000, 0)]), &samples(1000)).0,
        played(70, 1, 1000)
    );
    // The music alone follows: an empty edit with nothing after it still leads in.
    assert_eq!(
        heard(&edits(&[(25, -1)]), &samples(1000)).0,
        played(25, 1, 1000)
    );
}

#[test]
fn an_edit_that_is_shorter_than_the_music_ends_it() {
    assert_eq!(
        heard(&edits(&[(500, 0)]), &samples(1000)).0,
        played(0, 1, 500)
    );
    assert_eq!(
        heard(&edits(&[(500, 100)]), &samples(1000)).0,
        played(0, 101, 600)
    );
    assert_eq!(
        heard(&edits(&[(10, -1), (500, 100)]), &samples(1000)).0,
        played(10, 101, 600)
    );
    // One step of the movie's time is the doubt of its rounding: no cut. Two are a cut.
    assert_eq!(
        heard(&edits(&[(999, 0)]), &samples(1000)).0,
        played(0, 1, 1000)
    );
    assert_eq!(
        heard(&edits(&[(998, 0)]), &samples(1000)).0,
        played(0, 1, 998)
    );
    let coarse = |length| Movie {
        timescale: 1000,
        ..edits(&[(length, 0)])
    };
    assert_eq!(heard(&coarse(20), &samples(1000)).0, played(0, 1, 1000));
    assert_eq!(heard(&coarse(19), &samples(1000)).0, played(0, 1, 912));
    // A length of 0 says nothing.
    assert_eq!(
        heard(&edits(&[(0, 100)]), &samples(1000)).0,
        played(0, 101, 1000)
    );
}

#[test]
fn lengths_count_in_ticks_of_the_movie_and_starts_in_those_of_the_track() {
    // 10 ms in thousandths; 100 ticks of a 96 kHz track are 50 frames.
    let movie = Movie {
        timescale: 1000,
        media_timescale: 96_000,
        ..edits(&[(10, -1), (20, 100)])
    };
    assert_eq!(heard(&movie, &samples(1000)).0, played(480, 51, 1000));
    let other = Movie {
        rate: 44_100,
        timescale: 600,
        media_timescale: 44_100,
        ..edits(&[(6, -1), (12, 41)])
    };
    // 6/600 s are 441 frames; 12/600 s from frame 41 on are 882.
    assert_eq!(heard(&other, &samples(1000)).0, played(441, 42, 923));
}

#[test]
fn ticks_go_to_the_nearest_frame_halves_up() {
    let lead = |timescale, ticks| {
        let movie = Movie {
            timescale,
            ..edits(&[(ticks, -1), (0, 0)])
        };
        heard(&movie, &samples(100))
            .0
            .iter()
            .take_while(|x| **x == 0)
            .count()
    };
    // 0.375, 0.5, 0.75 and 1.5 frames a tick.
    assert_eq!(
        [
            lead(128_000, 1),
            lead(96_000, 1),
            lead(64_000, 1),
            lead(32_000, 1),
            lead(32_000, 2)
        ],
        [0, 1, 1, 2, 3]
    );
}

#[test]
fn lists_of_64_bits_say_the_same() {
    for list in [
        &[(480u64, -1i64), (900, 100)][..],
        &[(500, 0)],
        &[(7, -1), (8, -1), (300, 20)],
    ] {
        let narrow = edits(list);
        let wide = Movie {
            wide: true,
            ..narrow.clone()
        };
        assert_eq!(
            heard(&narrow, &samples(1000)),
            heard(&wide, &samples(1000)),
            "{list:?}"
        );
    }
}

#[test]
fn pieces_are_played_one_after_another() {
    for (list, expected) in [
        (&[(400, 0), (600, 400)][..], played(0, 1, 1000)),
        (
            &[(400, 0), (400, 500)],
            [played(0, 1, 400), played(0, 501, 900)].concat(),
        ),
        (
            &[(300, 700), (0, 0)],
            [played(0, 701, 1000), played(0, 1, 1000)].concat(),
        ),
        (
            &[(300, 700), (300, 0)],
            [played(0, 701, 1000), played(0, 1, 300)].concat(),
        ),
        (
            &[(50, -1), (400, 0), (100, -1), (200, 700)],
            [played(50, 1, 400), played(100, 701, 900)].concat(),
        ),
    ] {
        assert_eq!(
            heard(&edits(list), &samples(1000)),
            (expected, 0),
            "{list:?}"
        );
    }
}

#[test]
fn pieces_of_a_cut_file_are_missing_from_where_the_audio_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.mov");
    let movie = edits(&[(400, 500), (400, 100)]);
    let mut bytes = movie.bytes(&samples(1000));
    // The audio comes before the tables, so these are made to state more of it than there is.
    let table = bytes.windows(4).position(|w| w == b"stco").unwrap() + 12;
    let offset = u32::from_be_bytes(bytes[table..table + 4].try_into().unwrap());
    let len = u32::try_from(bytes.len()).unwrap();
    bytes[table..table + 4].copy_from_slice(&(len - 2 * 600).to_be_bytes());
    assert!(offset < len - 2 * 600);
    std::fs::write(&path, bytes).unwrap();
    let (_, info) = media::open(&path, None).unwrap();
    assert_eq!((info.frames, info.missing), (Frames(800), Frames(700)));
}

#[test]
fn an_edit_list_that_changes_the_speed_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.mov");
    let mut bytes = edits(&[(400, 0)]).bytes(&samples(1000));
    let list = bytes.windows(4).position(|w| w == b"elst").unwrap();
    // Behind the version, the count, the duration and the media time: 1.0, as 16.16 fixed point.
    let speed = list + 4 + 4 + 4 + 4 + 4;
    assert_eq!(bytes[speed..speed + 4], [0, 1, 0, 0]);
    bytes[speed + 1] = 2;
    std::fs::write(&path, bytes).unwrap();
    let e = media::open(&path, None).err().unwrap();
    assert_eq!(e.kind(), soundtrack::ErrorKind::Unsupported);
    assert!(e.to_string().contains("changes the speed"), "{e}");
}
