//! Who is heard: mute, solo, faders and sends, read off a sum of powers of two.

use crate::stems::{RATE, constant, first};
use soundtrack::{
    Bus, BusId, Cue, Decibels, Deliverable, Frames, Layout, Plan, Selector, Session, Track,
    TrackId, Use,
};

/// Tracks of 1 (to the master), 2 (bus `a`), 4 (bus `b`, which goes to `a`) and 8 (to the master, and sent to bus `h`); a
/// cue of 16 (bus `b`) and 32 (to the master).
struct Desk {
    session: Session,
    buses: [BusId; 3],
    tracks: [TrackId; 4],
}

fn desk() -> Desk {
    let mut session = Session::new(RATE, Layout::Mono);
    let a = session.add_bus(Bus::new("a"));
    let b = session.add_bus(Bus::new("b").to(a));
    let h = session.add_bus(Bus::new("h"));
    let track = |name: &str, value: f64| Track::new(name, constant(value, 1));
    let tracks = [
        track("one", 1.0),
        track("two", 2.0).to(a),
        track("four", 4.0).to(b),
        track("eight", 8.0).send(h, Decibels::UNITY),
    ];
    let tracks = tracks.map(|track| session.add_track(track));
    session.add_cue(
        Cue::new("cue")
            .track(track("sixteen", 16.0).to(b))
            .track(track("thirty-two", 32.0))
            .used(Use::at(Frames(0))),
    );
    Desk {
        session,
        buses: [a, b, h],
        tracks,
    }
}

fn sum(change: impl Fn(&mut Desk)) -> f64 {
    let mut desk = desk();
    change(&mut desk);
    first(&desk.session)[0]
}

/// The sum with some of `1 2 4 8 a b h 16 32` soloed, and some muted.
fn with(solo: &str, mute: &str) -> f64 {
    sum(|desk| {
        for (names, soloing) in [(solo, true), (mute, false)] {
            for name in names.split_whitespace() {
                let session = &mut desk.session;
                let strip = match name {
                    "1" => &mut session.track_mut(desk.tracks[0]).strip,
                    "2" => &mut session.track_mut(desk.tracks[1]).strip,
                    "4" => &mut session.track_mut(desk.tracks[2]).strip,
                    "8" => &mut session.track_mut(desk.tracks[3]).strip,
                    "a" => &mut session.bus_mut(desk.buses[0]).strip,
                    "b" => &mut session.bus_mut(desk.buses[1]).strip,
                    "h" => &mut session.bus_mut(desk.buses[2]).strip,
                    "16" => &mut session.cues_mut()[0].tracks[0].strip,
                    "32" => &mut session.cues_mut()[0].tracks[1].strip,
                    other => panic!("{other}"),
                };
                *(if soloing {
                    &mut strip.solo
                } else {
                    &mut strip.mute
                }) = true;
            }
        }
    })
}

#[test]
fn mutes_take_away_what_goes_through_them() {
    // All of it, the 8 twice.
    assert_eq!(with("", ""), 71.0);
    for (mute, want) in [
        ("1", 70.0),
        ("2", 69.0),
        ("4", 67.0),
        ("8", 55.0),
        ("a", 49.0),
        ("b", 51.0),
        ("h", 63.0),
        ("16", 55.0),
        ("32", 39.0),
        ("a h", 41.0),
        ("1 2 4 8 16 32", 0.0),
    ] {
        assert_eq!(with("", mute), want, "mute {mute}");
    }
    assert_eq!(sum(|desk| desk.session.cues_mut()[0].mute = true), 23.0);
}

#[test]
fn solo_lets_through_what_passes_a_soloed_strip() {
    for (solo, want) in [
        ("1", 1.0),
        ("2", 2.0),
        ("4", 4.0),
        ("8", 16.0),
        ("a", 22.0),
        ("b", 20.0),
        ("h", 8.0),
        ("16", 16.0),
        ("32", 32.0),
        ("1 a", 23.0),
        ("b 2", 22.0),
        ("4 a", 22.0),
        ("4 b", 20.0),
        ("4 b a", 22.0),
        ("1 h", 9.0),
        ("16 32", 48.0),
    ] {
        assert_eq!(with(solo, ""), want, "solo {solo}");
    }
    // A mute is stronger, on the way too.
    for (solo, mute, want) in [
        ("1", "1", 0.0),
        ("4", "b", 0.0),
        ("4", "a", 0.0),
        ("a", "b", 2.0),
        ("8", "h", 8.0),
        ("1 a", "2", 21.0),
    ] {
        assert_eq!(with(solo, mute), want, "solo {solo}, mute {mute}");
    }
}

#[test]
fn a_fader_or_a_send_at_minus_infinity_is_shut() {
    let silent = |desk: &mut Desk, bus: usize| {
        desk.session.bus_mut(desk.buses[bus]).strip.gain = Decibels::SILENCE
    };
    assert_eq!(sum(|desk| silent(desk, 0)), 49.0);
    assert_eq!(sum(|desk| silent(desk, 1)), 51.0);
    assert_eq!(sum(|desk| silent(desk, 2)), 63.0);
    assert_eq!(
        sum(|desk| desk.session.track_mut(desk.tracks[3]).strip.gain = Decibels::SILENCE),
        55.0
    );
    assert_eq!(
        sum(|desk| desk.session.track_mut(desk.tracks[3]).strip.sends[0].gain = Decibels::SILENCE),
        63.0
    );
    assert_eq!(
        sum(|desk| desk.session.master.gain = Decibels::SILENCE),
        0.0
    );
}

#[test]
fn a_deliverable_leaves_out_any_part_and_nothing_else() {
    let desk = desk();
    let without = |part: Selector| {
        first(
            &desk
                .session
                .for_deliverable(&Deliverable::new("d", "d.wav").mute(part)),
        )[0]
    };
    let named = |name: &str| without(desk.session.part(name).unwrap());
    assert_eq!(
        [
            named("track.one"),
            named("track.four"),
            named("bus.a"),
            named("bus.b"),
            named("bus.h")
        ],
        [70.0, 67.0, 49.0, 51.0, 63.0]
    );
    assert_eq!(
        [
            named("cue.cue"),
            named("cue.cue.sixteen"),
            named("cue.cue.thirty-two")
        ],
        [23.0, 55.0, 39.0]
    );
    let both = Deliverable::new("d", "d.wav")
        .mute(desk.buses[2])
        .mute(desk.tracks[0]);
    assert_eq!(first(&desk.session.for_deliverable(&both)), [62.0]);
    assert_eq!(first(&desk.session), [71.0]);
    // A cue alone keeps its buses, and has no length of the timeline's.
    let Ok(Selector::Cue(cue)) = desk.session.part("cue.cue") else {
        panic!()
    };
    let mut long = desk.session.clone();
    long.length = Some(Frames(100));
    assert_eq!(first(&long.whole_cue(cue)), [48.0]);
    assert_eq!(Plan::compile(&long).unwrap().length(), Frames(100));
}

#[test]
fn stems_hold_what_their_bus_gives_before_the_master() {
    let mut desk = desk();
    desk.session.master.gain = Decibels(-20.0);
    desk.session.bus_mut(desk.buses[1]).strip.gain = Decibels(20.0);
    let stems = desk
        .session
        .render_stems(&desk.buses, Frames(0)..Frames(1))
        .unwrap();
    let values: Vec<f64> = stems.iter().map(|stem| stem[0][0]).collect();
    // b is (4 + 16) · 10, a adds 2 to it, h is what is sent.
    crate::stems::close(&values, &[202.0, 200.0, 8.0], 1e-12);
    assert!(
        desk.session
            .render_stems(&[], Frames(0)..Frames(1))
            .unwrap()
            .is_empty()
    );
    // Any range, past the end too; none that ends before it starts.
    let cut = |a, b| {
        desk.session
            .render_stems(&desk.buses[2..], Frames(a)..Frames(b))
            .map(|stems| stems[0][0].clone())
    };
    assert_eq!(
        (cut(0, 3).unwrap(), cut(1, 3).unwrap(), cut(1, 1).unwrap()),
        (vec![8.0, 0.0, 0.0], vec![0.0; 2], vec![])
    );
    assert!(cut(2, 1).is_err());
}
