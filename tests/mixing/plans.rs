//! Plans as text, and what a plan refuses.

use soundtrack::{
    Bus, Clip, Curve, Decibels, ErrorKind, Fade, Frames, Layout, Opener, Pan, Plan, SampleRate,
    Session, Shape, Track,
};
use soundtrack_test_support::renders::stem;

fn named(name: &str, rate: u32, layout: Layout, frames: usize) -> Opener {
    let memory = stem(1, rate, layout, frames);
    Opener::new(name, move || Ok(Box::new(memory.clone())))
}

fn song() -> Session {
    let mut session = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    let rhythm = session.add_bus(Bus::new("rhythm").gain(Decibels(-1.5)));
    let hall = session.add_bus(Bus::new("hall"));
    let music = session.add_bus(Bus::new("music").pan(Pan(0.1)));
    session.bus_mut(rhythm).strip.to = Some(music);
    session.bus_mut(hall).strip.to = Some(music);
    let drums = named("drums.flac", 48_000, Layout::Stereo, 480_000);
    session.add_track(Track::new("drums", drums).gain(Decibels(-3.0)).to(rhythm));
    let curve = Curve::new()
        .point(Frames(0), Decibels(0.0), Shape::Linear)
        .point(Frames(9), Decibels(1.0), Shape::Linear);
    let bass = named("bass.wav", 44_100, Layout::Mono, 441_000);
    session.add_track(
        Track::new("bass", bass)
            .gain_curve(curve)
            .pan(Pan(-0.2))
            .to(rhythm)
            .send(hall, Decibels(-12.0)),
    );
    let brass = named("brass.wav", 48_000, Layout::Surround51, 96_000);
    let hit = Clip::new(brass.clone())
        .at(Frames(1000))
        .from(Frames(480))
        .length(Frames(4800))
        .loops(2);
    session.add_track(
        Track::of("brass")
            .clip(hit)
            .clip(Clip::new(brass).at(Frames(1_000_000))),
    );
    session.add_track(Track::new("click", named("click", 48_000, Layout::Mono, 10)).mute(true));
    session
}

#[test]
fn a_plan_reads_like_a_score() {
    let want = "\
plan  48000 Hz stereo, 8 nodes in 4 stages, 1 096 000 frames
 0 track   drums   drums.flac 48000 stereo @0                        gain -3.0 dB   pan C    -> 4
 0 track   bass    bass.wav 44100->48000 mono @0                     gain curve(2)  pan L20  -> 4, 5 (-12.0 dB)
 0 track   brass   brass.wav 48000 5.1->stereo @1000 [480..5280] x2  gain 0.0 dB    pan C    -> 7
                   brass.wav 48000 5.1->stereo @1000000
 0 track   click   click 48000 mono @0                               gain 0.0 dB    pan C    muted
 1 bus     rhythm  sum 0 1                                           gain -1.5 dB            -> 6
 1 bus     hall    sum 1                                             gain 0.0 dB             -> 6
 2 bus     music   sum 4 5                                           gain 0.0 dB    pan R10  -> 7
 3 master          sum 2 6                                           gain 0.0 dB
";
    assert_eq!(Plan::compile(&song()).unwrap().to_string(), want);
}

#[test]
fn everything_wrong_is_told_at_once() {
    let mut session = song();
    let nan = f64::NAN;
    session.master.gain = Decibels(nan);
    session.buses_mut()[0].strip.gain = Decibels(300.0);
    let (rhythm, music) = (session.tracks()[0].strip.to, session.buses()[0].strip.to);
    session.buses_mut()[2].strip.to = rhythm;
    session.tracks_mut()[0].strip.pan = Pan(1.5);
    session.tracks_mut()[1].strip.name = "drums".into();
    session.tracks_mut()[1].strip.gain_curve.points.reverse();
    session.tracks_mut()[2].clips[0].loops = 0;
    session.tracks_mut()[2].clips[1].length = Some(Frames(96_001));
    session.tracks_mut()[3].clips.clear();
    session.add_track(Track::new("gone", "no/such/file.wav"));
    let mut other = song();
    for _ in 0..9 {
        other.add_bus(Bus::new("x"));
    }
    let foreign = other.add_bus(Bus::new("y"));
    session.add_track(Track::new("lost", named("lost", 48_000, Layout::Mono, 5)).to(foreign));
    session.add_track(Track::new("fast", named("fast", 767_999, Layout::Mono, 5)));
    let long = Clip::new(named("short", 48_000, Layout::Mono, 5)).fade_in(Fade::linear(Frames(6)));
    session.add_track(Track::of("fade").clip(long));
    assert!(music.is_some());
    let error = Plan::compile(&session).unwrap_err();
    let got: Vec<String> = error.problems().iter().map(ToString::to_string).collect();
    let want = [
        "the master: gain is not a number",
        "track \"drums\": pan 1.5 is outside -1 (left) to 1 (right)",
        "track \"drums\": there are two of this name",
        "track \"drums\": the points of the gain curve are not in order of time",
        "track \"lost\": goes to bus number 13 of another session: use the id that this session's add_bus returned",
        "bus \"rhythm\": gain of +300 dB is above +200 dB",
        "buses feed each other in a circle: rhythm -> music -> rhythm",
        "track \"brass\": a clip of brass.wav is played 0 times; loops starts at 1",
        "track \"click\": it has no clip",
        "track \"brass\": brass.wav: the clip ends at 00:00:02.000 (96001 frames), the file at 00:00:02.000 (96000 frames)",
        "track \"gone\": no/such/file.wav: there is no such file",
        "track \"fast\": fast: 767999 Hz cannot be resampled to 48000 Hz: a filter of 1535998 frames is over the limit of 600000",
        "track \"fade\": short: the fade-in of 6 frames is longer than the clip of 5",
    ];
    assert_eq!(got, want, "{got:#?}");
    assert_eq!(error.kind(), ErrorKind::Session);
    for (line, problem) in error.to_string().lines().zip(want) {
        assert_eq!(line, problem);
    }
}

#[test]
fn an_empty_session_is_refused_and_a_session_of_empty_stems_is_not() {
    let mut session = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    assert_eq!(
        Plan::compile(&session).unwrap_err().to_string(),
        "the session has no tracks"
    );
    session.add_track(Track::new("nothing", stem(1, 44_100, Layout::Mono, 0)));
    assert_eq!(Plan::compile(&session).unwrap().length(), Frames(0));
    session.length = Some(Frames(100));
    assert_eq!(
        session.render(Frames(0)..Frames(100)).unwrap(),
        vec![vec![0.0; 100]; 2]
    );
}

#[test]
fn a_missing_file_alone_is_not_found() {
    let mut session = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    session.add_track(Track::new("gone", "no/such/file.wav"));
    assert_eq!(
        Plan::compile(&session).unwrap_err().kind(),
        ErrorKind::NotFound
    );
}
