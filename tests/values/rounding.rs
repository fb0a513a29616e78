//! The direction in which every conversion of time rounds.

use crate::stems::{constant, counting, first, rate, session};
use soundtrack::{
    At, Block, Clip, Cue, Format, FrameRate, Frames, Layout, Load, Plan, SampleRate, Session, Sink,
    Spec, Timecode, Track, Use,
    encode::{self, FileSink, Metadata},
};
use std::{path::Path, time::Duration};

/// A stem of some constant frames, recorded at a frame after midnight at its own rate.
fn recorded(path: &Path, hz: u32, reference: u64) {
    let spec = Spec {
        rate: rate(hz),
        layout: Layout::Mono,
    };
    let metadata = Metadata {
        time_reference: Some(Frames(reference)),
        ..Metadata::default()
    };
    let options = encode::Options {
        metadata,
        overwrite: true,
        ..encode::Options::default()
    };
    let frames = usize::try_from(hz).unwrap() / 10;
    let mut wav =
        FileSink::create_with(path, Format::WAV_24, spec, Frames(frames as u64), &options).unwrap();
    let mut block = Block::new(Layout::Mono, frames);
    block.fill(frames, 0.5);
    wav.write(&block).unwrap();
    wav.finish().unwrap();
}

/// Where a clip with this reference starts, as a track and as the use of a cue, and whether the report says that it was
/// rounded.
fn origin(hz: u32, session_hz: u32, reference: u64, start: Option<Timecode>) -> [(u64, bool); 2] {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.wav");
    recorded(&path, hz, reference);
    let new = || {
        let mut film = Session::new(rate(session_hz), Layout::Mono);
        film.start = start;
        film
    };
    let mut placed = new();
    placed.add_track(Track::of("x").clip(Clip::new(path.as_path()).at(At::Origin)));
    let mut used = new();
    used.add_cue(
        Cue::new("c")
            .track(Track::new("x", path.as_path()))
            .used(Use::at(At::Origin)),
    );
    [placed, used].map(|film| {
        let report = crate::stems::report(&film);
        let told = report.warnings.iter().any(|w| w.kind.code() == "W114");
        (report.tracks[0].clips[0].at_frame, told)
    })
}

#[test]
fn a_time_reference_of_another_rate_goes_to_the_nearest_frame_halves_up() {
    // reference · 48000 / rate: below, above and on a half, and exactly on a frame.
    let cases = [
        (44_100, 48_000, 1, 1, true), // 1.088
        (44_100, 48_000, 5, 5, true), // 5.442
        (44_100, 48_000, 6, 7, true), // 6.531
        (44_100, 48_000, 147, 160, false),
        (44_100, 48_000, 152, 165, true), // 165.442
        (44_100, 48_000, 153, 167, true), // 166.531
        (96_000, 48_000, 1, 1, true),     // 0.5
        (96_000, 48_000, 2, 1, false),
        (96_000, 48_000, 3, 2, true),  // 1.5
        (192_000, 48_000, 5, 1, true), // 1.25
        (192_000, 48_000, 6, 2, true), // 1.5
        (192_000, 48_000, 7, 2, true), // 1.75
        (48_000, 44_100, 7, 6, true),  // 6.431
        (48_000, 44_100, 8, 7, true),  // 7.35
        (48_000, 44_100, 9, 8, true),  // 8.269
        (48_000, 44_100, 6, 6, true),  // 5.5125
        (48_000, 48_000, 12_345, 12_345, false),
    ];
    for (hz, session, reference, want, told) in cases {
        assert_eq!(
            origin(hz, session, reference, None),
            [(want, told); 2],
            "{reference} at {hz} Hz in {session} Hz"
        );
    }
}

#[test]
fn reference_and_start_are_rounded_each_from_midnight() {
    // The start at picture frame 1 of 29.97: 1601.6 frames, so 1602; the reference of 44.1 kHz at 1742.585.
    let start = Timecode::of_number(1, FrameRate::FPS_29_97);
    assert_eq!(
        origin(44_100, 48_000, 1601, Some(start)),
        [(1743 - 1602, true); 2]
    );
    // 1470 · 160 / 147 is exactly 1600: two frames before the start.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.wav");
    recorded(&path, 48_000, 1602);
    let mut film = Session::new(SampleRate::HZ_48000, Layout::Mono);
    film.start = Some(start);
    film.add_track(Track::of("x").clip(Clip::new(path.as_path()).at(At::Origin)));
    assert_eq!(first(&film)[0], 0.5);
    recorded(&path, 48_000, 1601);
    assert_eq!(Plan::compile(&film).unwrap_err().problems().len(), 1);
}

/// The frame at which a clip at a timecode sounds first, in a session that starts at another.
fn placed(at: Timecode, start: Timecode, hz: u32) -> (usize, usize) {
    let new = || {
        let mut film = Session::new(rate(hz), Layout::Mono);
        film.start = Some(start);
        film
    };
    let stem = || {
        let spec = Spec {
            rate: rate(hz),
            layout: Layout::Mono,
        };
        soundtrack::media::Memory::new(spec, vec![vec![0.5; 4]]).unwrap()
    };
    let mut track = new();
    track.add_track(Track::of("x").clip(Clip::new(stem()).at(at)));
    let mut cue = new();
    cue.add_cue(
        Cue::new("c")
            .track(Track::new("x", stem()))
            .used(Use::at(at)),
    );
    let found = [track, cue].map(|film| first(&film).iter().position(|x| *x != 0.0).unwrap());
    (found[0], found[1])
}

#[test]
fn a_timecode_goes_to_the_nearest_frame_halves_up() {
    let at = Timecode::of_number;
    // 8008/5 audio frames a picture frame: 1601.6, 3203.2, 4804.8, 6406.4, 8008.
    let ntsc: Vec<u64> = (0..6)
        .map(|n| at(n, FrameRate::FPS_29_97).frames(SampleRate::HZ_48000).0)
        .collect();
    assert_eq!(ntsc, [0, 1602, 3203, 4805, 6406, 8008]);
    // 1839.3375 at 44.1 kHz: picture frame 40 lies at 73573.5.
    assert_eq!(
        at(40, FrameRate::FPS_23_976).frames(SampleRate::HZ_44100),
        Frames(73_574)
    );
    assert_eq!(
        at(40, FrameRate::FPS_23_976).rounding(SampleRate::HZ_44100),
        0.5
    );
    assert_eq!(
        at(1, FrameRate::FPS_23_976).frames(SampleRate::HZ_44100),
        Frames(1839)
    );
    let midnight = Timecode::midnight(FrameRate::FPS_29_97);
    for (number, want) in [(0, 0), (1, 1602), (2, 3203), (3, 4805), (5, 8008)] {
        assert_eq!(
            placed(at(number, FrameRate::FPS_29_97), midnight, 48_000),
            (want, want),
            "picture frame {number}"
        );
    }
    // Both are rounded from midnight, then subtracted: 6406 − 1602, where the difference of 4804.8 would give 4805.
    let (one, four) = (at(1, FrameRate::FPS_29_97), at(4, FrameRate::FPS_29_97));
    assert_eq!(placed(four, one, 48_000), (4804, 4804));
    let tie = Timecode::midnight(FrameRate::FPS_23_976);
    assert_eq!(
        placed(at(40, FrameRate::FPS_23_976), tie, 44_100),
        (73_574, 73_574)
    );
}

#[test]
fn drop_frame_labels_stand_for_the_picture_frames_of_the_standard() {
    let drop = |text: &str| {
        Timecode::parse(text, FrameRate::FPS_29_97_DF)
            .unwrap()
            .number()
    };
    // Two labels of every minute but each tenth: 1800 − 2 a minute, 17982 in ten.
    for (label, number) in [
        ("00:00:59;29", 1799),
        ("00:01:00;02", 1800),
        ("00:01:59;29", 3597),
        ("00:02:00;02", 3598),
        ("00:09:59;29", 17_981),
        ("00:10:00;00", 17_982),
        ("00:11:00;02", 19_782),
        ("01:00:00;00", 107_892),
        ("23:59:59;29", 2_589_407),
    ] {
        assert_eq!(drop(label), number, "{label}");
        assert_eq!(
            Timecode::of_number(number, FrameRate::FPS_29_97_DF).to_string(),
            label
        );
    }
    let at = |text: &str, rate| {
        Timecode::parse(text, rate)
            .unwrap()
            .frames(SampleRate::HZ_48000)
    };
    assert_eq!(
        at("01:00:00;00", FrameRate::FPS_29_97_DF),
        Frames(172_799_827)
    );
    assert_eq!(
        at("01:00:00:00", FrameRate::FPS_23_976),
        Frames(172_972_800)
    );
    assert_eq!(
        at("01:00:00;00", FrameRate::FPS_59_94_DF),
        Frames(172_799_827)
    );
    assert_eq!(
        at("00:01:00;04", FrameRate::FPS_59_94_DF),
        Frames(2_882_880)
    );
    assert!(Timecode::parse("00:01:00;01", FrameRate::FPS_29_97_DF).is_err());
    assert!(Timecode::parse("00:01:00;03", FrameRate::FPS_59_94_DF).is_err());
    assert!(Timecode::parse("00:20:00;00", FrameRate::FPS_29_97_DF).is_ok());
}

#[test]
fn seconds_go_to_the_nearest_frame_halves_up_and_clocks_down() {
    let nanos = |n| Frames::from_duration(Duration::from_nanos(n), SampleRate::HZ_48000).0;
    // A frame lasts 20833.3 ns; its half is 10416.7.
    assert_eq!(
        [0, 10_416, 10_417, 31_249, 31_250].map(nanos),
        [0, 0, 1, 1, 2]
    );
    let hz = rate(1);
    assert_eq!(
        Frames::from_duration(Duration::from_millis(499), hz),
        Frames(0)
    );
    assert_eq!(
        Frames::from_duration(Duration::from_millis(500), hz),
        Frames(1)
    );
    let written = |text| Frames::parse(text, SampleRate::HZ_44100).unwrap().0;
    // 44.1 frames a millisecond.
    assert_eq!(
        ["1ms", "5ms", "15ms", "0.5ms", "0.0113ms", "0.0114ms"].map(written),
        [44, 221, 662, 22, 0, 1]
    );
    assert_eq!(
        ["1.00001s", "1m0.5s", "1h1ms"].map(written),
        [44_100, 2_668_050, 158_760_044]
    );
    assert_eq!(
        Frames(1).to_duration(SampleRate::HZ_48000),
        Duration::from_nanos(20_833)
    );
    assert_eq!(
        Frames(2).to_duration(SampleRate::HZ_48000),
        Duration::from_nanos(41_666)
    );
    assert_eq!(Frames(47_999).clock(SampleRate::HZ_48000), "00:00:00.999");
    assert_eq!(Frames(48_000).clock(SampleRate::HZ_48000), "00:00:01.000");
    assert_eq!(
        Frames(172_799_999).clock(SampleRate::HZ_48000),
        "00:59:59.999"
    );
}

#[test]
fn the_picture_frame_seen_at_an_audio_frame_is_the_one_that_has_begun() {
    let seen = |at| {
        let (label, after) =
            Timecode::seen_at(Frames(at), SampleRate::HZ_48000, FrameRate::FPS_29_97);
        (label.number(), after.0)
    };
    let want = [
        (0, 0),
        (0, 1601),
        (1, 0),
        (1, 1600),
        (2, 0),
        (2, 1601),
        (3, 0),
    ];
    assert_eq!([0, 1601, 1602, 3202, 3203, 4804, 4805].map(seen), want);
}

#[test]
fn times_of_a_session_file_round_once_as_documented() {
    let load = |text: &str| Load::default().text(text, "s.toml").unwrap();
    let film = load(concat!(
        "rate = 44100\nlayout = \"mono\"\nfps = \"23.976\"\nlength = \"00:00:01:16\"\n",
        "marker = { \"5ms\" = \"a\", \"00:00:01:16\" = \"b\" }\n",
        "[track.x]\nfile = \"x.wav\"\nat = \"15ms\"\nfrom = \"5ms\"\nlength = \"00:00:01:16\"\n",
        "fade_in = \"5ms\"\nautomation.gain = [\"5ms -3\", \"00:00:01:16 0\"]\n",
    ));
    // 5 ms are 220.5 frames, 15 ms 661.5; picture frame 40 lies at 73573.5.
    assert_eq!(film.length, Some(Frames(73_574)));
    let short = load(
        "rate = 44100\nlayout = \"mono\"\nfps = \"23.976\"\nlength = \"00:01:16\"\n[track.x]\nfile = \"x.wav\"\n",
    );
    assert_eq!(
        short.length,
        Some(Frames(73_574)),
        "a length may leave out its hours"
    );
    assert_eq!(
        film.markers.iter().map(|m| m.at.0).collect::<Vec<_>>(),
        [221, 73_574]
    );
    let clip = &film.tracks()[0].clips[0];
    assert_eq!(
        (clip.at, clip.from, clip.length, clip.fade_in.length),
        (
            At::Frames(Frames(662)),
            Frames(221),
            Some(Frames(73_574)),
            Frames(221)
        )
    );
    let points: Vec<u64> = film.tracks()[0]
        .strip
        .gain_curve
        .points
        .iter()
        .map(|p| p.at.0)
        .collect();
    assert_eq!(points, [221, 73_574]);
}

#[test]
fn a_frame_of_a_stem_sounds_at_its_own_frame_of_the_timeline() {
    // At the session's rate nothing rounds: clip, stretch and use are added up as they are.
    let mut film = session(Layout::Mono, [Track::new("zero", constant(0.0, 1))]);
    let clip = Clip::new(counting(20))
        .at(Frames(3))
        .from(Frames(5))
        .length(Frames(10));
    film.add_cue(
        Cue::new("c")
            .track(Track::of("x").clip(clip))
            .used(Use::at(Frames(7)).from(Frames(4)).length(Frames(5))),
    );
    // Frame 4 of the cue is the second of the clip: sample 7 of the stem.
    assert_eq!(
        first(&film),
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 7.0, 8.0, 9.0, 10.0, 11.0]
    );
}

#[test]
fn what_is_left_out_of_a_start_moves_a_reference_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (folder.path().join("a.wav"), folder.path().join("b.wav"));
    recorded(&a, 48_000, 10_000);
    recorded(&b, 48_000, 10_500);
    let start = |film: Session| {
        Plan::compile(&film)
            .map(|plan| plan.cues().first().map(|c| c.uses[0].range.start.0))
            .map_err(|e| e.problems().len())
    };
    let mut film = Session::new(SampleRate::HZ_48000, Layout::Mono);
    film.add_track(Track::of("x").clip(Clip::new(a.as_path()).from(Frames(300)).at(At::Origin)));
    assert_eq!(first(&film).iter().position(|x| *x != 0.0), Some(10_300));
    // In a cue: the reference, what its clip leaves out, less where it lies in the cue, and what the use leaves out.
    let cue = |second: Clip, place: Use| {
        let mut film = Session::new(SampleRate::HZ_48000, Layout::Mono);
        film.add_cue(
            Cue::new("c")
                .track(Track::new("a", a.as_path()))
                .track(Track::of("b").clip(second))
                .used(place),
        );
        film
    };
    let second = || Clip::new(b.as_path());
    let origin = || Use::at(At::Origin);
    assert_eq!(
        start(cue(second().at(Frames(500)), origin())),
        Ok(Some(10_000))
    );
    assert_eq!(
        start(cue(second().at(Frames(700)).from(Frames(200)), origin())),
        Ok(Some(10_000))
    );
    assert_eq!(
        start(cue(second().at(Frames(500)), origin().from(Frames(40)))),
        Ok(Some(10_040))
    );
    // One frame beside is a disagreement.
    assert_eq!(start(cue(second().at(Frames(501)), origin())), Err(1));
    assert_eq!(start(cue(second().at(Frames(499)), origin())), Err(1));
    assert_eq!(
        start(cue(second().at(Frames(700)).from(Frames(199)), origin())),
        Err(1)
    );
    // Without any there is no place.
    let mut none = Session::new(SampleRate::HZ_48000, Layout::Mono);
    let tracks = ["x", "y"].into_iter().fold(Cue::new("c"), |cue, name| {
        cue.track(Track::new(name, constant(0.5, 10)))
    });
    none.add_cue(tracks.used(origin()));
    assert_eq!(start(none), Err(1));
    // A stem without a reference has no say.
    assert_eq!(
        start(cue(Clip::new(constant(0.5, 10)).at(Frames(77)), origin())),
        Ok(Some(10_000))
    );
}
