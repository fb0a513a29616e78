//! A position before the start of the session is refused wherever a time may stand; the start itself is frame 0.

use crate::stems::constant;
use soundtrack::{
    At, Clip, Cue, ErrorKind, FrameRate, Frames, Layout, Load, Plan, SampleRate, Session, Timecode,
    Track, Use,
};

const RATES: [(FrameRate, &str, &str, &str); 3] = [
    (
        FrameRate::FPS_24,
        "01:00:00:00",
        "00:59:59:23",
        "01:00:00:01",
    ),
    (
        FrameRate::FPS_23_976,
        "10:00:00:00",
        "09:59:59:23",
        "10:00:00:01",
    ),
    (
        FrameRate::FPS_29_97_DF,
        "01:01:00;02",
        "01:00:59;29",
        "01:01:00;03",
    ),
];

fn film(fps: FrameRate, start: &str) -> Session {
    let mut film = Session::new(SampleRate::HZ_48000, Layout::Mono);
    film.start = Some(Timecode::parse(start, fps).unwrap());
    film
}

#[test]
fn clips_and_uses_before_the_start_are_refused() {
    for (fps, start, before, after) in RATES {
        let stem = || constant(0.5, 10);
        let clip = |at: &str| {
            let mut film = film(fps, start);
            film.add_track(
                Track::of("x").clip(Clip::new(stem()).at(Timecode::parse(at, fps).unwrap())),
            );
            film
        };
        let used = |at: &str| {
            let mut film = film(fps, start);
            let place = Use::at(Timecode::parse(at, fps).unwrap());
            film.add_cue(Cue::new("c").track(Track::new("x", stem())).used(place));
            film
        };
        let frame = |at: &str| {
            Timecode::parse(at, fps)
                .unwrap()
                .frames(SampleRate::HZ_48000)
                .0
        };
        for place in [&clip as &dyn Fn(&str) -> Session, &used] {
            let error = Plan::compile(&place(before)).unwrap_err();
            assert_eq!(
                (error.kind(), error.problems().len()),
                (ErrorKind::Session, 1),
                "{error}"
            );
            assert!(
                error.to_string().contains(before) && error.to_string().contains(start),
                "{error}"
            );
            assert_eq!(Plan::compile(&place(start)).unwrap().length(), Frames(10));
            let later = frame(after) - frame(start);
            assert_eq!(
                Plan::compile(&place(after)).unwrap().length(),
                Frames(later + 10)
            );
        }
    }
}

/// A session file with one line in one place, at 24 fps from one hour.
fn file(head: &str, track: &str, cue: &str) -> Result<Session, soundtrack::Error> {
    let text = format!(
        "rate = 48000\nlayout = \"mono\"\nfps = \"24\"\nstart = \"01:00:00:00\"\n{head}\n[bus.b]\n{track}\n[track.x]\nfile = \"x.wav\"\n{track}\n\
         [cue.c]\n{cue}\n[cue.c.track]\ny = {{ file = \"y.wav\" }}\n"
    );
    Load::default().text(&text, "s.toml")
}

#[test]
fn markers_and_automation_of_a_file_before_the_start_are_refused() {
    type Place = fn(&str) -> Result<Session, soundtrack::Error>;
    let places: [(&str, usize, Place); 4] = [
        ("marker", 1, |at| {
            file(&format!("marker = {{ \"{at}\" = \"m\" }}"), "", "")
        }),
        ("gain of a track and a bus", 2, |at| {
            file("", &format!("automation.gain = [\"{at} -3\"]"), "")
        }),
        ("pan of a track and a bus", 2, |at| {
            file("", &format!("automation.pan = [\"{at} L30\"]"), "")
        }),
        ("gain of the master", 1, |at| {
            file(
                &format!("[master]\nautomation.gain = [\"{at} -3\"]"),
                "",
                "",
            )
        }),
    ];
    for (what, problems, place) in places {
        let error = place("00:59:59:23").unwrap_err();
        assert_eq!(error.problems().len(), problems, "{what}: {error}");
        assert!(
            error.to_string().contains("00:59:59:23") && error.to_string().contains("01:00:00:00"),
            "{what}: {error}"
        );
        let points = |session: Session| -> Vec<u64> {
            let strips = session
                .tracks()
                .iter()
                .map(|t| &t.strip)
                .chain(session.buses().iter().map(|b| &b.strip));
            let gains = strips
                .clone()
                .flat_map(|s| s.gain_curve.points.iter().map(|p| p.at.0));
            let pans = strips.flat_map(|s| s.pan_curve.points.iter().map(|p| p.at.0));
            let master = session.master.gain_curve.points.iter().map(|p| p.at.0);
            gains
                .chain(pans)
                .chain(master)
                .chain(session.markers.iter().map(|m| m.at.0))
                .collect()
        };
        assert_eq!(
            points(place("01:00:00:00").unwrap()),
            vec![0; problems],
            "{what}"
        );
        assert_eq!(
            points(place("01:00:00:01").unwrap()),
            vec![2000; problems],
            "{what}"
        );
        assert_eq!(
            points(place("01:00:01:00").unwrap()),
            vec![48_000; problems],
            "{what}"
        );
    }
}

#[test]
fn clips_and_uses_of_a_file_keep_their_timecode_and_are_refused_when_placed() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["x.wav", "y.wav"] {
        crate::stems::session(Layout::Mono, [Track::new("x", constant(0.5, 10))])
            .bounce(folder.path().join(name))
            .unwrap();
    }
    let placed = |track: &str, cue: &str| {
        let text = format!(
            "rate = 48000\nlayout = \"mono\"\nfps = \"24\"\nstart = \"01:00:00:00\"\n[track.x]\nfile = \"x.wav\"\n{track}\n\
             [cue.c]\n{cue}\n[cue.c.track]\ny = {{ file = \"y.wav\" }}\n"
        );
        Plan::compile(
            &Load::default()
                .text(&text, folder.path().join("s.toml"))
                .unwrap(),
        )
    };
    let ends = |track: &str, cue: &str| placed(track, cue).unwrap().length().0;
    assert_eq!(ends("at = \"01:00:00:00\"", ""), 10);
    assert_eq!(ends("at = \"01:00:00:02\"", ""), 4010);
    assert_eq!(ends("", "at = \"01:00:00:00\""), 10);
    assert_eq!(ends("", "at = \"01:00:00:02\""), 4010);
    for (track, cue) in [
        ("at = \"00:59:59:23\"", ""),
        ("", "at = \"00:59:59:23\""),
        ("", "at = \"00:00:00:00\""),
    ] {
        let error = placed(track, cue).unwrap_err();
        assert_eq!(error.problems().len(), 1, "{error}");
        let place = error.problems()[0].span.as_ref().unwrap();
        assert!(place.text.contains("at = "), "{}", place.text);
    }
}

#[test]
fn without_a_start_the_timeline_begins_at_midnight() {
    let mut film = Session::new(SampleRate::HZ_48000, Layout::Mono);
    let at = Timecode::parse("00:00:01:00", FrameRate::FPS_24).unwrap();
    film.add_track(Track::of("x").clip(Clip::new(constant(0.5, 10)).at(At::Timecode(at))));
    assert_eq!(Plan::compile(&film).unwrap().length(), Frames(48_010));
}
