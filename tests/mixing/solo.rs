//! What solo lets through, with levels that tell every route apart.

use soundtrack::{
    Block, Bus, BusId, Cue, Deliverable, Format, Frames, Layout, Load, Plan, SampleRate, Session,
    Sink, Spec, Track, TrackId, Use,
    encode::{FileSink, Options},
    media::Memory,
};

const SPEC: Spec = Spec {
    rate: SampleRate::HZ_48000,
    layout: Layout::Mono,
};

/// A frame of one value.
fn one(value: f64) -> Memory {
    Memory::new(SPEC, vec![vec![value]]).unwrap()
}

/// What a session with stems of one frame gives.
fn heard(session: &Session) -> f64 {
    session.render(Frames(0)..Frames(1)).unwrap()[0][0]
}

/// Two tracks, 1 and 16, in a bus that feeds the master and, at twice its level, another bus, which feeds the master.
struct Desk {
    session: Session,
    tracks: [TrackId; 2],
    shared: BusId,
    behind: BusId,
}

fn desk() -> Desk {
    let mut session = Session::new(SPEC.rate, SPEC.layout);
    let shared = session.add_bus(Bus::new("shared"));
    let behind = session.add_bus(Bus::new("behind"));
    let twice = soundtrack::Decibels(20.0 * 2f64.log10());
    *session.bus_mut(shared) = Bus::new("shared").send(behind, twice);
    let tracks = [1.0, 16.0].map(|value| {
        let track = Track::new(format!("track {value}"), one(value));
        session.add_track(track.to(shared))
    });
    Desk {
        session,
        tracks,
        shared,
        behind,
    }
}

#[test]
fn only_routes_through_a_soloed_strip_are_heard() {
    // Soloed: the first track, the second, the shared bus, the bus behind it. Muted: the same. What is heard.
    let (on, off) = (true, false);
    let table: [([bool; 4], [bool; 4], f64); 16] = [
        ([off, off, off, off], [off; 4], 17.0 + 34.0),
        // A soloed track over all its buses.
        ([on, off, off, off], [off; 4], 1.0 + 2.0),
        ([off, on, off, off], [off; 4], 16.0 + 32.0),
        // A soloed bus with all that feeds it.
        ([off, off, on, off], [off; 4], 17.0 + 34.0),
        ([off, off, off, on], [off; 4], 34.0),
        // Several: the routes of each. The second track is heard through the bus behind alone.
        ([on, on, off, off], [off; 4], 17.0 + 34.0),
        ([on, off, off, on], [off; 4], 1.0 + 34.0),
        ([off, on, off, on], [off; 4], 16.0 + 34.0),
        ([on, off, on, on], [off; 4], 17.0 + 34.0),
        // A mute wins, and a soloed strip that is muted still is the only one that counts.
        ([on, off, off, off], [on, off, off, off], 0.0),
        ([on, off, off, off], [off, off, on, off], 0.0),
        ([on, off, off, off], [off, off, off, on], 1.0),
        ([on, off, off, on], [off, off, off, on], 1.0),
        ([on, off, off, on], [on, off, off, off], 32.0),
        ([on, off, off, on], [off, on, off, off], 1.0 + 2.0),
        ([off, off, off, on], [off, off, off, on], 0.0),
    ];
    for (solo, mute, want) in table {
        let Desk {
            mut session,
            tracks,
            shared,
            behind,
        } = desk();
        for (n, id) in tracks.into_iter().enumerate() {
            let strip = &mut session.track_mut(id).strip;
            (strip.solo, strip.mute) = (solo[n], mute[n]);
        }
        for (n, id) in [(2, shared), (3, behind)] {
            let strip = &mut session.bus_mut(id).strip;
            (strip.solo, strip.mute) = (solo[n], mute[n]);
        }
        let got = heard(&session);
        assert!(
            (got - want).abs() <= 1e-12,
            "solo {solo:?}, mute {mute:?}: {got}, not {want}"
        );
    }
}

#[test]
fn a_bus_on_which_routes_part_runs_twice() {
    let Desk {
        mut session,
        tracks,
        shared,
        behind,
    } = desk();
    session.track_mut(tracks[0]).strip.solo = true;
    let once = "\
plan  48000 Hz mono, 5 nodes in 4 stages, 1 frames
 0 track   track 1   memory 48000 mono @0  gain 0.0 dB  pan C  -> 2
 0 track   track 16  memory 48000 mono @0  gain 0.0 dB  pan C  muted
 1 bus     shared    sum 0                 gain 0.0 dB         -> 4, 3 (+6.0 dB)
 2 bus     behind    sum 2                 gain 0.0 dB         -> 4
 3 master            sum 2 3               gain 0.0 dB
";
    let got = Plan::compile(&session).unwrap().to_string();
    assert_eq!(got, once, "{got}");
    session.bus_mut(behind).strip.solo = true;
    let twice = "\
plan  48000 Hz mono, 6 nodes in 4 stages, 1 frames
 0 track   track 1           memory 48000 mono @0  gain 0.0 dB  pan C  -> 2
 0 track   track 16          memory 48000 mono @0  gain 0.0 dB  pan C  -> 3
 1 bus     shared            sum 0                 gain 0.0 dB         -> 5, 4 (+6.0 dB)
 1 bus     shared (to solo)  sum 1                 gain 0.0 dB         -> 4 (+6.0 dB)
 2 bus     behind            sum 2 3               gain 0.0 dB         -> 5
 3 master                    sum 2 4               gain 0.0 dB
";
    let got = Plan::compile(&session).unwrap().to_string();
    assert_eq!(got, twice, "{got}");
    // The stems still add up to the mix: what passes the bus behind is in its stem.
    let stems = session
        .render_stems(&[shared, behind], Frames(0)..Frames(1))
        .unwrap();
    assert!(
        (stems[0][0][0] - 1.0).abs() <= 1e-12 && (stems[1][0][0] - 34.0).abs() <= 1e-12,
        "{stems:?}"
    );
    assert_eq!(stems[0][0][0] + stems[1][0][0], heard(&session));
}

#[test]
fn reports_and_null_tests_hold_for_a_bus_that_runs_twice() {
    let Desk {
        mut session,
        tracks,
        shared,
        behind,
    } = desk();
    session.track_mut(tracks[0]).strip.solo = true;
    session.bus_mut(behind).strip.solo = true;
    let folder = tempfile::tempdir().unwrap();
    let stems = Deliverable::new("stems", folder.path().join("{bus}.wav")).format(Format::WAV_32F);
    session.deliverables.push(stems.stems([shared, behind]));
    let done = soundtrack::Delivery::new().run(&session).unwrap();
    let null = done.deliverables[0]
        .null_test
        .clone()
        .expect("nothing is missing and nothing counted twice");
    assert!(null.passed, "{null:?}");
    let report = soundtrack::Bounce::new()
        .format(Format::WAV_32F)
        .run(&session, folder.path().join("mix.wav"))
        .unwrap();
    let buses: Vec<(&str, bool)> = report
        .buses
        .iter()
        .map(|b| (b.name.as_str(), b.heard))
        .collect();
    assert_eq!(
        buses,
        [
            ("shared", true),
            ("shared (to solo)", true),
            ("behind", true)
        ]
    );
    let peaks: Vec<f64> = report.buses.iter().map(|b| b.peak_dbfs.unwrap()).collect();
    for (got, want) in peaks.into_iter().zip([1.0f64, 16.0, 34.0]) {
        assert!((got - 20.0 * want.log10()).abs() < 1e-9, "{got} for {want}");
    }
}

#[test]
fn a_solo_in_a_cue_that_is_not_placed_is_refused() {
    let mut film = Session::new(SPEC.rate, SPEC.layout);
    film.add_track(Track::new("dialogue", one(1.0)));
    let cue = film.add_cue(Cue::new("storm").track(Track::new("violins", one(2.0)).solo(true)));
    let error = Plan::compile(&film).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cue \"storm\", track \"violins\": it is soloed, but its cue has no placement, so nothing would be heard: \
         place the cue with at or a use, or remove the solo"
    );
    // Whole, from its own start, it can be heard.
    assert_eq!(heard(&film.whole_cue(cue)), 2.0);
    film.cue_mut(cue).uses.push(Use::at(Frames(0)));
    assert_eq!(heard(&film), 2.0);
    // That a muted cue is soloed in is no mistake: nothing is heard.
    film.cue_mut(cue).mute = true;
    assert_eq!(heard(&film), 0.0);
}

#[test]
fn a_session_file_with_such_a_solo_is_read_and_says_where_the_cue_stands() {
    let folder = tempfile::tempdir().unwrap();
    let (path, text) = (
        folder.path().join("film.toml"),
        "rate = 48000\nlayout = \"mono\"\n[track.dx]\nfile = \"a.wav\"\n[cue.storm.track.violins]\nfile = \"a.wav\"\nsolo = true\n",
    );
    let mut wav = FileSink::create_with(
        folder.path().join("a.wav"),
        Format::WAV_24,
        SPEC,
        Frames(1),
        &Options::default(),
    )
    .unwrap();
    let mut block = Block::new(SPEC.layout, 1);
    block.fill(1, 0.5);
    wav.write(&block).unwrap();
    wav.finish().unwrap();
    let film = Load::default().text(text, &path).unwrap();
    let error = Plan::compile(&film).unwrap_err();
    let place = error.problems()[0].span.clone().unwrap();
    assert_eq!((error.problems().len(), place.line), (1, 5), "{error}");
}
