//! Sessions written back: the same session from TOML and from JSON, and comments and order kept.

use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{Index, select},
};
use soundtrack::{
    At, Bus, Clip, Cue, CueKind, Curve, Dbtp, Decibels, Deliverable, Fade, FadeShape, Format,
    FrameRate, Frames, Input, Layout, Load, LoudnessTarget, Lufs, Marker, Pan, PanLaw, SampleRate,
    Session, Shape, Timecode, Track, Use,
};
use std::fs;

const LIGHTHOUSE: &str = include_str!("../../examples/film_reel/lighthouse.toml");

/// The lighthouse, with files for its patterns to find.
fn lighthouse() -> (tempfile::TempDir, Session) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("stems/1m3_titles")).unwrap();
    for name in ["a.wav", "b.wav"] {
        fs::write(folder.path().join("stems/1m3_titles").join(name), "").unwrap();
    }
    fs::write(folder.path().join("s.toml"), LIGHTHOUSE).unwrap();
    let session = Session::load(folder.path().join("s.toml")).unwrap();
    (folder, session)
}

#[test]
fn the_lighthouse_is_the_same_from_either_notation() {
    let (folder, film) = lighthouse();
    for name in ["new.toml", "new.json"] {
        let file = folder.path().join(name);
        film.save(&file).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(Session::load(&file).unwrap(), film, "{text}");
        // What is written once is written so again.
        Session::load(&file).unwrap().save(&file).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
    }
    let json: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(folder.path().join("new.json")).unwrap()).unwrap();
    assert_eq!(json["cue"]["storm"]["use"]["reprise"]["at"], "01:05:30:00");
    assert_eq!(
        json["cue"]["storm"]["track"]["taikos"]["automation"]["gain"][0],
        "0 -inf"
    );
}

/// The lines that differ, as `-old` and `+new`.
fn changes(old: &str, new: &str) -> Vec<String> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let gone = old
        .iter()
        .filter(|l| !new.contains(l))
        .map(|l| format!("-{l}"));
    gone.chain(
        new.iter()
            .filter(|l| !old.contains(l))
            .map(|l| format!("+{l}")),
    )
    .collect()
}

#[test]
fn only_what_changed_is_written() {
    let (folder, mut film) = lighthouse();
    let file = folder.path().join("s.toml");
    film.save(&file).unwrap();
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        LIGHTHOUSE,
        "nothing changed"
    );

    let timecode = |text: &str| Timecode::parse(text, FrameRate::FPS_24).unwrap();
    film.title = "Reel 2, \"final\"".into();
    film.master.limit = None;
    film.buses_mut()[1].strip.gain = Decibels(-4.5);
    let violins = film.cues()[0].tracks[0].strip.to;
    let storm = &mut film.cues_mut()[0];
    storm.tracks[1].strip.gain = Decibels(-1.0);
    storm.tracks[3].strip.pan_curve = Curve::new();
    storm.tracks[4].clips[1].loops = 3;
    storm.uses[1].at = timecode("01:05:31:00").into();
    let horn = Clip::new(folder.path().join("stems/1m1_storm/horn.wav"))
        .fade_out(Fade::linear(Frames(4800)));
    storm
        .tracks
        .push(Track::of("horn").clip(horn).to(violins.unwrap()));
    storm.uses.push(
        Use::at(timecode("01:06:00:00"))
            .named("sting")
            .length(Frames(48_000)),
    );
    film.cues_mut()[1].tracks[0].strip.mute = true;
    film.deliverables.retain(|d| d.name != "stems");
    film.add_track(Track::new("foley", folder.path().join("stems/fx.wav")).pan(Pan(0.25)));
    film.save(&file).unwrap();
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(Session::load(&file).unwrap(), film, "{text}");
    let want = [
        "-title  = \"The Lighthouse Keeper - Reel 2\"",
        "-limit = -2.0                       # dBTP",
        "-gain = -3",
        "-automation.pan  = [\"0s L40\", \"20s R40\"]",
        "-swell = { file = \"brass.wav\", at = \"31s\", from = \"2m10s\", length = \"6s\", loop = 2 }",
        "-celli   = { file = \"celli.wav\",     bus = \"strings\", pan = \"R25\" }",
        "-reprise = { at = \"01:05:30:00\", from = \"38s\", length = \"20s\", fade_in = \"1s\", fade_out = \"3s\", gain = -6, usage = \"BI\" }",
        "-[deliver.stems]",
        "-file  = \"out/{title} {bus}.wav\"",
        "-stems = [\"music\", \"dialogue\"]      # one file per bus; with the gain of the mix they sum to it",
        "+title  = 'Reel 2, \"final\"'",
        "+gain = -4.5",
        "+celli   = { file = \"celli.wav\",     bus = \"strings\", pan = \"R25\" , gain = -1 }",
        "+[cue.storm.track.horn]",
        "+file = \"horn.wav\"",
        "+fade_out = \"0.1s\"",
        "+bus = \"strings\"",
        "+swell = { file = \"brass.wav\", at = \"31s\", from = \"2m10s\", length = \"6s\", loop = 3 }",
        "+reprise = { at = \"01:05:31:00\", from = \"38s\", length = \"20s\", fade_in = \"1s\", fade_out = \"3s\", gain = -6, usage = \"BI\" }",
        "+sting = { at = \"01:06:00:00\", length = \"1s\" }",
        "+[cue.end_titles.track]",
        "+a = { mute = true }",
        "+[track.foley]",
        "+file = \"stems/fx.wav\"",
        "+pan = \"R25\"",
    ];
    let got = changes(LIGHTHOUSE, &text);
    let sorted = |lines: Vec<String>| {
        let mut lines = lines;
        lines.sort();
        lines
    };
    assert_eq!(
        sorted(got.clone()),
        sorted(want.map(str::to_owned).to_vec()),
        "{got:#?}\n{text}"
    );
    assert!(
        text.contains("# fed by sends")
            && text.contains("# ---- deliverables: what one run writes ----")
    );
}

#[test]
fn what_a_pattern_cannot_say_is_written_out() {
    let (folder, mut film) = lighthouse();
    let file = folder.path().join("s.toml");
    film.cues_mut()[1].tracks.remove(0);
    film.cues_mut()[0].tracks.swap(0, 1);
    film.save(&file).unwrap();
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(Session::load(&file).unwrap(), film, "{text}");
    assert!(
        !text.contains("files  = \"*.wav\"")
            && text.contains("b = { file = \"stems/1m3_titles/b.wav\", bus = \"music\" }")
    );
    assert!(
        text.contains("# lighthouse.toml: reel 2") && text.contains("# fed by sends"),
        "{text}"
    );
}

/// A file elsewhere keeps its absolute path: the session may be moved, and such a path is refused when it is read.
#[test]
fn an_absolute_path_outside_the_folder_of_the_session_stays_absolute() {
    let mut mix = Session::new(SampleRate::HZ_48000, Layout::Mono);
    mix.add_track(Track::new("a", "/elsewhere/a.wav"));
    mix.add_track(Track::new("b", "/film/stems/b.wav"));
    let text = mix.to_text("/film/s.toml").unwrap();
    assert!(
        text.contains("\"/elsewhere/a.wav\"") && text.contains("\"stems/b.wav\""),
        "{text}"
    );
}

#[test]
fn what_no_file_can_say_is_refused() {
    let memory = soundtrack::media::Memory::new(
        soundtrack::Spec {
            rate: SampleRate::HZ_48000,
            layout: Layout::Mono,
        },
        vec![vec![0.0]],
    );
    let mut mix = Session::new(SampleRate::HZ_48000, Layout::Mono);
    mix.add_track(Track::new("live", memory.unwrap()));
    let error = mix.to_text("s.toml").unwrap_err().to_string();
    assert_eq!(
        error,
        "track \"live\": memory comes from the program; a session file names files"
    );
    let mut mix = Session::new(SampleRate::HZ_48000, Layout::Mono);
    let hall = mix.add_bus(Bus::new("hall"));
    mix.add_track(
        Track::new("a", "a.wav")
            .send(hall, Decibels(-3.0))
            .send(hall, Decibels(-6.0)),
    );
    let error = mix.to_text("s.json").unwrap_err().to_string();
    assert_eq!(
        error,
        "\"a\" has two sends to \"hall\", which a session file cannot say"
    );
    let mut mix = Session::new(SampleRate::HZ_48000, Layout::Mono);
    mix.add_track(Track::new("a", "a.wav"));
    for name in ["rain", "thunder"] {
        mix.markers.push(Marker {
            at: Frames(48_000),
            name: name.to_owned(),
        });
    }
    let error = mix.to_text("s.toml").unwrap_err().to_string();
    assert!(
        error.ends_with("which a session file cannot say: give one of them both names"),
        "{error}"
    );
}

fn level() -> impl Strategy<Value = Decibels> {
    prop_oneof![
        Just(-f64::INFINITY),
        Just(0.0),
        -90.0..30.0f64,
        (-60i32..12).prop_map(f64::from)
    ]
    .prop_map(Decibels)
}

fn place() -> impl Strategy<Value = Pan> {
    prop_oneof![
        Just(0.0),
        -1.0..1.0f64,
        (-100i32..=100).prop_map(|p| f64::from(p) / 100.0)
    ]
    .prop_map(Pan)
}

fn frames() -> impl Strategy<Value = Frames> {
    prop_oneof![0u64..10_000_000, (0u64..10_000).prop_map(|ms| ms * 48)].prop_map(Frames)
}

fn fade() -> impl Strategy<Value = Fade> {
    use FadeShape::*;
    let range = (1.0..90.0f64).prop_map(DecibelLinear);
    let shape = prop_oneof![
        select(vec![Linear, EqualPower, Between, RaisedCosine, SquareRoot]),
        range
    ];
    // A fade of no length has no shape.
    prop_oneof![
        Just(Fade::default()),
        (1u64..96_000, shape).prop_map(|(n, shape)| Fade {
            length: Frames(n),
            shape
        })
    ]
}

fn curve<T: Clone + std::fmt::Debug>(
    value: impl Strategy<Value = T>,
) -> impl Strategy<Value = Curve<T>> {
    let shape = select(vec![Shape::Linear, Shape::Sine, Shape::Exp, Shape::Step]);
    vec((0u64..9999, value, shape), 0..4).prop_map(|points| {
        let mut at = 0;
        points
            .into_iter()
            .fold(Curve::new(), |curve, (step, value, shape)| {
                at += step;
                curve.point(Frames(at), value, shape)
            })
    })
}

fn clip() -> impl Strategy<Value = Clip> {
    let input = (
        select(vec!["a.wav", "stems/b c.flac", "é\"\\.wav", "x/y/z.wav"]),
        option::of(1usize..3),
    )
        .prop_map(|(path, stream)| match stream {
            None => Input::file(path),
            // In a file the number of a stream is a part of the name.
            Some(n) => Input::file(format!("{path}#{n}")),
        });
    let range = (frames(), frames(), option::of(frames()), 1u32..5);
    let shape = (
        fade(),
        fade(),
        option::of(select(vec![Layout::Stereo, Layout::Surround51])),
    );
    (input, range, shape).prop_map(
        |(input, (at, from, length, loops), (fade_in, fade_out, layout))| {
            let mut clip = Clip::new(input)
                .at(at)
                .from(from)
                .loops(loops)
                .fade_in(fade_in)
                .fade_out(fade_out);
            (clip.length, clip.layout) = (length, layout);
            clip
        },
    )
}

fn track(name: String) -> impl Strategy<Value = Track> {
    let clips = prop_oneof![
        clip().prop_map(|c| vec![c]),
        vec((clip(), level(), fade()), 1..4).prop_map(|clips| {
            let named = |(i, (clip, gain, fade)): (usize, (Clip, Decibels, Fade))| {
                clip.gain(gain).crossfade(fade).named(format!("clip {i}"))
            };
            clips.into_iter().enumerate().map(named).collect()
        })
    ];
    let switches = (any::<bool>(), any::<bool>(), any::<bool>());
    (
        clips,
        level(),
        place(),
        curve(level()),
        curve(place()),
        switches,
    )
        .prop_map(
            move |(clips, gain, pan, gains, pans, (mute, solo, invert))| {
                let track = clips.into_iter().fold(Track::of(&name), Track::clip);
                track
                    .gain(gain)
                    .pan(pan)
                    .gain_curve(gains)
                    .pan_curve(pans)
                    .mute(mute)
                    .solo(solo)
                    .invert(invert)
            },
        )
}

fn tracks(most: usize) -> impl Strategy<Value = Vec<Track>> {
    (1..=most).prop_flat_map(|n| {
        (0..n)
            .map(|i| track(format!("track {i}")))
            .collect::<Vec<_>>()
    })
}

fn placement() -> impl Strategy<Value = Use> {
    let at = prop_oneof![
        frames().prop_map(soundtrack::At::Frames),
        (86_400u64..200_000).prop_map(|n| Timecode::of_number(n, FrameRate::FPS_24).into()),
        Just(soundtrack::At::Origin),
    ];
    (
        at,
        frames(),
        option::of(frames()),
        fade(),
        fade(),
        fade(),
        level(),
        "[A-Z]{0,2}",
    )
        .prop_map(
            |(at, from, length, fade_in, fade_out, crossfade, gain, usage)| {
                let mut place = Use::at(at)
                    .from(from)
                    .fade_in(fade_in)
                    .fade_out(fade_out)
                    .crossfade(crossfade)
                    .gain(gain);
                place.length = length;
                place.usage(usage)
            },
        )
}

fn cue(name: String) -> impl Strategy<Value = Cue> {
    let uses = (any::<bool>(), vec(placement(), 0..3));
    (
        tracks(2),
        uses,
        "[ -~é]{0,12}",
        any::<bool>(),
        vec("[A-Za-z ]{1,8}", 0..2),
    )
        .prop_map(move |(tracks, (plain, uses), title, song, people)| {
            let mut cue = tracks
                .into_iter()
                .fold(Cue::new(&name).title(title), Cue::track);
            cue.kind = if song { CueKind::Song } else { CueKind::Score };
            (cue.composer, cue.mute) = (people, song);
            let named = |(i, place): (usize, Use)| {
                if plain && i == 0 {
                    place
                } else {
                    place.named(format!("u{i}"))
                }
            };
            cue.uses = uses.into_iter().enumerate().map(named).collect();
            cue.marker(Frames(48), "it \"happens\"")
        })
}

prop_compose! {
    fn session()(
        title in "[ -~é]{0,12}",
        own in tracks(3),
        cues in (0usize..3).prop_flat_map(|n| (0..n).map(|i| cue(format!("c.{i}"))).collect::<Vec<_>>()),
        gains in vec(level(), 3),
        ways in vec(any::<Index>(), 8),
        master in (level(), curve(level()), option::of(-20.0..0.0f64)),
        length in option::of(frames()),
    ) -> Session {
        let mut film = Session::new(SampleRate::HZ_48000, Layout::Stereo);
        (film.title, film.length, film.fps) = (title, length, Some(FrameRate::FPS_24));
        film.start = Some(Timecode::of_number(86_400, FrameRate::FPS_24));
        film.pan_law = PanLaw::Linear;
        (film.master.gain, film.master.gain_curve) = (master.0, master.1);
        (film.master.limit, film.master.dither) = (master.2.map(Dbtp), "weighted 9".parse().ok());
        film.markers = vec![Marker { at: Frames(1), name: "one".into() }];
        let buses: Vec<_> = gains.iter().enumerate().map(|(i, g)| film.add_bus(Bus::new(format!("bus {i}")).gain(*g))).collect();
        film.bus_mut(buses[0]).strip.to = Some(buses[2]);
        let mut ways = ways.into_iter();
        for mut track in own {
            track.strip.to = ways.next().map(|w| buses[w.index(3)]);
            film.add_track(track.send(buses[1], gains[0]));
        }
        for mut cue in cues {
            cue.tracks.iter_mut().for_each(|t| t.strip.to = ways.next().map(|w| buses[w.index(3)]));
            film.add_cue(cue);
        }
        let target = LoudnessTarget::new(Lufs(-23.5)).true_peak(Dbtp(-1.0));
        let mix = Deliverable::new("mix", "out/{lang}.wav").format(Format::WAV_16).lang("en").dither("white".parse().unwrap());
        film.deliverables.push(mix.loudness(target).fit(true).mute(buses[1]).mute(film.part("track.track 0").unwrap()));
        film.deliverables.push(Deliverable::new("album", "out/{nn} {cue}.wav").album(true));
        film.deliverables.push(Deliverable::new("stems", "out/{nn}.wav").stems([buses[2], buses[0]]));
        film.lang = Some("de".into());
        film
    }
}

fn read(text: &str, name: &str) -> Result<Session, String> {
    Load::default()
        .text(text, name)
        .map_err(|e| format!("{e}\n{text}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn any_session_is_the_same_from_either_notation(film in session()) {
        for name in ["s.toml", "s.json"] {
            let text = film.to_text(name).unwrap();
            let again = read(&text, name);
            prop_assert_eq!(again.as_ref().map_err(Clone::clone), Ok(&film), "{}", text);
        }
    }

    #[test]
    fn any_change_is_kept_in_the_text_of_another(old in session(), new in session()) {
        let text = old.to_text("s.toml").unwrap();
        let text = format!("# by hand\n{text}");
        let changed = new.to_text_like(&text, "s.toml").unwrap();
        let again = read(&changed, "s.toml");
        prop_assert_eq!(again.as_ref().map_err(Clone::clone), Ok(&new), "{}", changed);
    }
}

/// A place of more seconds than a time can be read of exactly is written in frames.
#[test]
fn the_latest_place_is_the_same_when_read_again() {
    for at in [
        "9007199254740193 frames",
        "4294967296 frames",
        "4294967295s",
        "9007199254740991 frames",
    ] {
        let session = Load::default().text(
            format!("rate = 1\n[track.a]\nfile = \"a.wav\"\nat = \"{at}\"\n"),
            "s.toml",
        );
        let session = session.unwrap();
        let text = session.to_text("t.toml").unwrap();
        assert_eq!(
            Load::default().text(&text, "t.toml").unwrap(),
            session,
            "{text}"
        );
    }
}

#[test]
fn a_timecode_of_another_frame_rate_than_the_session_is_saved_as_frames() {
    let placed = |at: Timecode| {
        let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
        mix.add_track(Track::of("x").clip(Clip::new("x.wav").at(at)));
        mix
    };
    let at = |mix: &Session| {
        let text = mix.to_text("s.toml").unwrap();
        let read = Load::default().text(text, "s.toml").unwrap();
        assert_eq!(read.picture(), mix.picture());
        read.tracks()[0].clips[0].at
    };
    // Picture frame 3 at 25 frames per second is frame 5,760 at 48 kHz. The session states no frame rate.
    let three = Timecode::new(0, 0, 0, 3, FrameRate::FPS_25).unwrap();
    let mut mix = placed(three);
    assert_eq!(at(&mix), Frames(5_760));
    // The same label at 24 frames per second would be frame 6,000.
    mix.fps = Some(FrameRate::FPS_24);
    assert_eq!(at(&mix), Frames(5_760));
    mix.fps = Some(FrameRate::FPS_25);
    assert_eq!(at(&mix), At::Timecode(three));
    // After a start of one second, which is 48,000 frames.
    let mut mix = placed(Timecode::new(0, 0, 1, 3, FrameRate::FPS_25).unwrap());
    mix.start = Some(Timecode::new(0, 0, 1, 0, FrameRate::FPS_24).unwrap());
    assert_eq!(at(&mix), Frames(5_760));
}
