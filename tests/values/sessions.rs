//! What a session accepts at its limits, and how it names files and parts.

use crate::stems::{RATE, constant, mono, rate, session};
use soundtrack::{
    At, Bus, Clip, Cue, Curve, Decibels, Deliverable, Fade, FadeShape, FrameRate, Frames, Layout,
    Load, Plan, Selector, Session, Shape, Timecode, Track, Use,
};
use std::path::{Path, PathBuf};

const FARTHEST: Frames = Frames(1 << 53);

fn refusal(session: &Session) -> Option<String> {
    Plan::compile(session).err().map(|e| e.to_string())
}

fn accepted(session: &Session) -> bool {
    refusal(session).is_none()
}

fn files(session: &Session, deliverable: &Deliverable) -> Vec<PathBuf> {
    session
        .outputs(deliverable)
        .into_iter()
        .map(|output| output.file)
        .collect()
}

#[test]
fn every_character_that_a_file_system_refuses_becomes_a_hyphen() {
    let promise = Deliverable::new("full", "out/{title}.wav");
    let named = |title: &str| {
        let mut mix = Session::new(RATE, Layout::Mono);
        mix.title = title.to_owned();
        files(&mix, &promise).remove(0)
    };
    for bad in [
        '/', '\\', ':', '*', '?', '"', '<', '>', '|', '\0', '\n', '\u{7f}',
    ] {
        assert_eq!(
            named(&format!("a{bad}b")),
            Path::new("out/a-b.wav"),
            "{bad:?}"
        );
    }
    assert_eq!(named(" a.b 'c' "), Path::new("out/a.b 'c'.wav"));
    // A step of dots alone would be a folder.
    let step = |title: &str| {
        let mut mix = Session::new(RATE, Layout::Mono);
        mix.title = title.to_owned();
        files(&mix, &Deliverable::new("full", "out/{title}/x.wav")).remove(0)
    };
    assert_eq!(
        [step("."), step(".."), step("...")],
        ["out/-/x.wav", "out/--/x.wav", "out/---/x.wav"].map(PathBuf::from)
    );
}

#[test]
fn an_album_numbers_the_cues_it_holds_and_a_language_of_its_own_counts_first() {
    let cue = |name: &str| Cue::new(name).track(Track::new("x", constant(0.5, 4)));
    let mut film = session(Layout::Mono, []);
    film.lang = Some("de".to_owned());
    film.add_cue(cue("one"));
    film.add_cue(cue("two").mute(true));
    let three = film.add_cue(cue("three"));
    film.add_cue(cue("four"));
    let album = Deliverable::new("album", "{nn} {cue} {lang}.wav").album(true);
    let names = |deliverable: &Deliverable| files(&film, deliverable);
    assert_eq!(
        names(&album),
        ["01 one de.wav", "02 three de.wav", "03 four de.wav"].map(PathBuf::from)
    );
    let other = album.mute(three).lang("en");
    assert_eq!(
        names(&other),
        ["01 one en.wav", "02 four en.wav"].map(PathBuf::from)
    );
}

#[test]
fn a_whole_cue_begins_at_0_without_the_start_and_length_of_the_film() {
    let mut film = session(Layout::Mono, []);
    film.fps = Some(FrameRate::FPS_24);
    film.start = Some(Timecode::new(1, 0, 0, 0, FrameRate::FPS_24).unwrap());
    film.length = Some(Frames(2));
    let at = Use::at(Timecode::new(1, 0, 5, 0, FrameRate::FPS_24).unwrap());
    let id = film.add_cue(
        Cue::new("c")
            .track(Track::new("x", constant(0.5, 8)))
            .used(at),
    );
    let whole = film.whole_cue(id);
    assert_eq!(
        (whole.start, whole.length, whole.fps),
        (None, None, Some(FrameRate::FPS_24))
    );
    assert_eq!(crate::stems::first(&whole), [0.5; 8]);
}

#[test]
fn levels_go_up_to_200_db_wherever_they_are() {
    let over = Decibels(200f64.next_up());
    let track = || Track::new("x", constant(0.5, 4));
    let with = |place: usize, level: Decibels| {
        let mut mix = Session::new(RATE, Layout::Mono);
        let bus = mix.add_bus(Bus::new("b"));
        mix.add_track(match place {
            0 => track().gain(level),
            1 => track().send(bus, level),
            2 => track().gain_curve(Curve::new().point(Frames(0), level, Shape::Linear)),
            3 => Track::of("x").clip(Clip::new(constant(0.5, 4)).gain(level)),
            _ => track(),
        });
        match place {
            4 => mix.bus_mut(bus).strip.gain = level,
            5 => mix.master.gain = level,
            6 => {
                let used = Use::at(Frames(0)).gain(level);
                mix.add_cue(Cue::new("c").track(track()).used(used));
            }
            _ => {}
        }
        refusal(&mix)
    };
    for place in 0..7 {
        assert_eq!(with(place, Decibels(200.0)), None, "{place}");
        assert_eq!(with(place, Decibels::SILENCE), None, "{place}");
        assert!(
            with(place, over).is_some_and(|what| what.contains("is above +200 dB")),
            "{place}"
        );
        assert!(
            with(place, Decibels(f64::NAN)).is_some_and(|what| what.contains("is not a number")),
            "{place}"
        );
    }
}

#[test]
fn positions_go_up_to_2_to_the_53_frames() {
    let beyond = FARTHEST + Frames(1);
    let with = |change: &dyn Fn(&mut Session)| {
        let mut mix = session(Layout::Mono, [Track::new("x", constant(0.5, 4))]);
        change(&mut mix);
        refusal(&mix)
    };
    for (at, fine) in [(FARTHEST, true), (beyond, false)] {
        let told = [
            with(&|mix| mix.length = Some(at)),
            with(&|mix| mix.tracks_mut()[0].clips[0].at = at.into()),
            with(&|mix| {
                let points = Curve::new().point(Frames(0), Decibels(0.0), Shape::Linear);
                mix.tracks_mut()[0].strip.gain_curve =
                    points.point(at, Decibels(-6.0), Shape::Linear);
            }),
            with(&|mix| {
                mix.add_cue(
                    Cue::new("c")
                        .track(Track::new("x", constant(0.5, 4)))
                        .used(Use::at(at)),
                );
            }),
        ];
        assert_eq!(told.clone().map(|t| t.is_none()), [fine; 4], "{told:?}");
        assert!(
            told.iter()
                .flatten()
                .all(|what| what.contains("beyond 2^53 frames")),
            "{told:?}"
        );
    }
}

#[test]
fn a_fade_in_decibels_needs_a_positive_range_wherever_it_is() {
    let fade = |range: f64| Fade {
        length: Frames(1),
        shape: FadeShape::DecibelLinear(range),
    };
    let of_use = |place: usize, range: f64| {
        let mut film = session(Layout::Mono, []);
        let first = Use::at(Frames(0)).length(Frames(8)).named("first");
        let second = Use::at(Frames(4)).length(Frames(4)).named("second");
        let (first, second) = match place {
            0 => (first.fade_in(fade(range)), second),
            1 => (first.fade_out(fade(range)), second),
            _ => (first, second.crossfade(fade(range))),
        };
        film.add_cue(
            Cue::new("c")
                .track(Track::new("x", constant(0.5, 8)))
                .used(first)
                .used(second),
        );
        accepted(&film)
    };
    let of_clip = |place: usize, range: f64| {
        let (first, second) = (
            Clip::new(constant(0.5, 8)),
            Clip::new(constant(0.5, 8)).at(Frames(4)),
        );
        let (first, second) = match place {
            0 => (first.fade_in(fade(range)), second),
            1 => (first.fade_out(fade(range)), second),
            _ => (first, second.crossfade(fade(range))),
        };
        accepted(&session(
            Layout::Mono,
            [Track::of("x").clip(first).clip(second)],
        ))
    };
    for place in 0..3 {
        for (range, fine) in [
            (60.0, true),
            (f64::MIN_POSITIVE, true),
            (0.0, false),
            (-60.0, false),
            (f64::NAN, false),
        ] {
            assert_eq!(
                (of_use(place, range), of_clip(place, range)),
                (fine, fine),
                "{place} {range}"
            );
        }
    }
}

#[test]
fn a_part_belongs_to_the_cue_of_the_longest_name() {
    let cue = |name: &str| {
        Cue::new(name)
            .track(Track::new("x", constant(0.5, 4)))
            .track(Track::new("b.x", constant(0.5, 4)))
    };
    let mut film = session(Layout::Mono, [Track::new("cue", mono(vec![0.5]))]);
    let (short, long) = (film.add_cue(cue("a")), film.add_cue(cue("a.b")));
    assert_eq!(film.part("cue.a.x"), Ok(Selector::CueTrack(short, 0)));
    assert_eq!(film.part("cue.a.b.x"), Ok(Selector::CueTrack(long, 0)));
    assert_eq!(film.part("cue.a.b.b.x"), Ok(Selector::CueTrack(long, 1)));
    assert_eq!(film.part("cue.a.b"), Ok(Selector::Cue(long)));
}

#[test]
fn only_a_position_in_frames_equals_a_number_of_frames() {
    let midnight = Timecode::midnight(FrameRate::FPS_24);
    assert!(At::from(Frames(0)) == Frames(0) && At::from(Frames(1)) != Frames(0));
    assert!(At::Origin != Frames(0) && At::from(midnight) != Frames(0));
}

#[test]
fn a_ramp_is_two_points_from_the_level_that_holds() {
    let mut mix = session(Layout::Mono, [Track::new("x", constant(1.0, 1_000))]);
    let track = mix.track_ids().next().unwrap();
    let points = |mix: &Session| -> Vec<(u64, f64)> {
        let curve = &mix.tracks()[0].strip.gain_curve;
        curve.points.iter().map(|p| (p.at.0, p.value.0)).collect()
    };
    mix.tracks_mut()[0].strip.gain = Decibels(-3.0);
    // The curve adds to the fader.
    assert!(mix.ramp_gain(track, Decibels(-9.0), Frames(100), Frames(200)));
    assert_eq!(points(&mix), [(100, 0.0), (300, -6.0)]);
    // What lies behind the start of a later ramp is gone.
    assert!(mix.ramp_gain(track, Decibels(-3.0), Frames(200), Frames(50)));
    assert_eq!(points(&mix), [(100, 0.0), (200, 0.0), (250, 0.0)]);
    // From silence the fader opens.
    mix.tracks_mut()[0].strip.gain = Decibels::SILENCE;
    assert!(mix.ramp_gain(track, Decibels(-6.0), Frames(10), Frames(20)));
    assert_eq!(points(&mix), [(10, f64::NEG_INFINITY), (30, -6.0)]);
    assert_eq!(mix.tracks()[0].strip.gain, Decibels(0.0));
    assert!(mix.ramp_gain(Selector::Master, Decibels(-6.0), Frames(0), Frames(0)));
    assert_eq!(mix.master.gain_curve.points.len(), 2);
}

#[test]
fn a_deliverable_has_its_rate_and_its_language() {
    let mut mix = session(Layout::Mono, [Track::new("x", constant(1.0, 1_000))]);
    (mix.length, mix.lang) = (Some(Frames(480)), Some("en".into()));
    let of = |deliverable: &Deliverable| {
        let session = mix.for_deliverable(deliverable);
        (session.rate.hz(), session.length, session.lang)
    };
    let mut deliverable = Deliverable::new("m", "m.wav");
    assert_eq!(
        of(&deliverable),
        (48_000, Some(Frames(480)), Some("en".into()))
    );
    deliverable.lang = Some("de".into());
    assert_eq!(of(&deliverable).2, Some("de".into()));
    for (hz, frames) in [(48_000, 480), (96_000, 960), (44_100, 441)] {
        let deliverable = deliverable.clone().rate(rate(hz));
        assert_eq!(
            of(&deliverable),
            (hz, Some(Frames(frames)), Some("de".into()))
        );
    }
}

#[test]
fn a_cue_is_soloed_by_its_tracks() {
    let mut film = session(Layout::Mono, []);
    let full = film.add_cue(Cue::new("c").track(Track::new("x", constant(0.5, 4))));
    let empty = film.add_cue(Cue::new("d"));
    assert!(film.solo(Selector::Cue(full)));
    assert!(film.cues()[0].tracks[0].strip.solo);
    assert!(!film.solo(Selector::Cue(empty)) && !film.solo(Selector::Master));
}

#[test]
fn a_deliverable_names_parts_of_its_own_session() {
    let mut other = session(Layout::Mono, []);
    let foreign = other.add_bus(Bus::new("b"));
    let mut mix = session(Layout::Mono, [Track::new("x", constant(0.5, 4))]);
    mix.add_bus(Bus::new("b"));
    mix.deliverables
        .push(Deliverable::new("stems", "{bus}.wav").stems([foreign]));
    let what = "deliverable \"stems\": names a part that is not in this session";
    assert!(refusal(&mix).unwrap().contains(what), "{:?}", refusal(&mix));
}

#[test]
fn a_file_name_lacks_what_its_placeholders_have_no_value_for() {
    let film = session(Layout::Mono, []);
    let faults = |file: &str| film.file_name_faults(&Deliverable::new("mix", file));
    assert_eq!(
        faults("{title}.wav"),
        ["{title} is empty: the session has no title"]
    );
    assert_eq!(faults("mix.wav"), [""; 0]);
}

#[test]
fn a_frame_rate_may_be_a_number() {
    let fps = |value: &str| {
        let text = format!("rate = 48000\nfps = {value}\n[track.a]\nfile = \"a.wav\"\n");
        Load::default().text(&text, "s.toml").unwrap().fps
    };
    for value in ["24", "24.0", "\"24\""] {
        assert_eq!(fps(value), Some(FrameRate::FPS_24), "{value}");
    }
    assert_eq!(fps("29.97"), fps("\"29.97\""));
}

#[test]
fn two_zeros_in_the_first_four_bytes_are_wide_characters_only_at_their_places() {
    let encoding = |start: &[u8]| Load::foreign_encoding(start);
    assert_eq!(encoding(b"a\0b\0"), Some("UTF-16"));
    assert_eq!(encoding(b"\0a\0b"), Some("UTF-16"));
    assert_eq!(encoding(b"a\0\0\0"), Some("UTF-32"));
    assert_eq!(encoding(b"\0\0\0a"), Some("UTF-32"));
    for other in [b"a\0\0b", b"\0\0\0\0", b"\0\0a\0", b"abcd"] {
        assert_eq!(encoding(other), None, "{other:?}");
    }
}

#[test]
fn placements_without_a_name_are_written_with_numbers_from_2_on() {
    let mut film = session(Layout::Mono, []);
    let uses = [0, 100, 200].map(|at| Use::at(Frames(at)));
    let cue = Cue::new("c").track(Track::new("x", "x.wav"));
    film.add_cue(uses.into_iter().fold(cue, Cue::used));
    let text = film.to_text("film.toml").unwrap();
    let uses = "[cue.c.use]\n2 = { at = \"100 frames\" }\n3 = { at = \"200 frames\" }\n";
    assert!(text.contains(uses), "{text}");
}
