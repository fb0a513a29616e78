//! Cues: warnings about them, placements that are refused, and the clips that a placement takes along.

use crate::stems::{RATE, constant, first, heard, session, stem, warned};
use soundtrack::{
    Clip, Cue, Decibels, Deliverable, Fade, Frames, Insert, Layout, Pan, PanLaw, Plan, Session,
    Track, Use,
};

/// A mix with a track, so that it is not empty without the cue.
fn with(cue: Cue) -> Session {
    let mut mix = session(Layout::Mono, [Track::new("x", constant(0.25, 10))]);
    mix.add_cue(cue);
    mix
}

fn cue(frames: usize) -> Cue {
    Cue::new("storm").track(Track::new("celli", constant(0.5, frames)))
}

#[test]
fn a_cue_that_is_nowhere_is_warned_of_unless_that_is_meant() {
    let unplaced = |mix: &Session| !warned(mix, "W123").is_empty();
    assert!(unplaced(&with(cue(10))));
    assert!(!unplaced(&with(cue(10).mute(true))));
    assert!(!unplaced(&with(cue(10).used(Use::at(Frames(0))))));
    let mut album = with(cue(10));
    album.deliverables = vec![Deliverable::new("album", "{cue}.wav").album(true)];
    assert!(!unplaced(&album));
}

#[test]
fn shares_of_a_muted_cue_do_not_matter() {
    let said = |mute: bool, shares: &[&str]| {
        let mut cue = cue(10).mute(mute).used(Use::at(Frames(0)));
        cue.composer = shares.iter().map(ToString::to_string).collect();
        warned(&with(cue), "W125")
    };
    assert_eq!(said(false, &["A 50%", "B 40%"]).len(), 1);
    assert_eq!(said(true, &["A 50%", "B 40%"]), [""; 0]);
    // Three thirds that are rounded, to either side.
    assert_eq!(said(false, &["A 33.3%"; 3]), [""; 0]);
    assert_eq!(said(false, &["A 33.34%"; 3]), [""; 0]);
    assert_eq!(said(false, &["A 33.4%"; 3]).len(), 1);
    assert_eq!(said(false, &["A"]), [""; 0]);
}

#[test]
fn a_fade_of_a_placement_fits_into_it_to_the_frame() {
    let refused = |place: Use| {
        let plan = Plan::compile(&with(cue(100).used(place)));
        plan.err().map(|e| e.to_string())
    };
    for (length, longer) in [(100, "100"), (40, "40")] {
        let place = || Use::at(Frames(0)).length(Frames(length));
        assert_eq!(refused(place().fade_in(Fade::linear(Frames(length)))), None);
        let error = refused(place().fade_in(Fade::linear(Frames(length + 1)))).unwrap();
        let what = format!(
            "the fade-in of {} frames is longer than the use of {longer}",
            length + 1
        );
        assert!(error.contains(&what), "{error}");
        let error = refused(place().fade_out(Fade::linear(Frames(length + 1)))).unwrap();
        assert!(error.contains("the fade-out of"), "{error}");
    }
    // Where the placement is too long, that is said alone.
    let place = Use::at(Frames(0)).length(Frames(101));
    let error = refused(place.fade_in(Fade::linear(Frames(102)))).unwrap();
    assert!(
        error.contains("it ends at") && !error.contains("fade-in"),
        "{error}"
    );
}

/// Clips that a placement leaves out do not decide whether the inserts run in mono.
#[test]
fn a_clip_that_ends_where_a_placement_begins_is_not_taken_along() {
    let out = |from: u64, length: u64| {
        let wide = stem(Layout::Stereo, vec![vec![0.125; 50]; 2]);
        let track = Track::of("t")
            .clip(Clip::new(constant(0.5, 50)).at(Frames(50)))
            .clip(Clip::new(wide.clone()).at(Frames(0)))
            .clip(Clip::new(wide).at(Frames(100)))
            .pan(Pan(1.0))
            .insert(Insert::trim(Decibels(0.0)));
        let mut mix = Session::new(RATE, Layout::Stereo);
        mix.pan_law = PanLaw::EqualPower;
        let place = Use::at(Frames(0)).from(Frames(from)).length(Frames(length));
        mix.add_cue(Cue::new("c").track(track).used(place));
        heard(&mix)
    };
    // The pan law puts the mono clip to the right as it is; a balance leaves of it what the centre has.
    let alone = out(50, 50);
    assert_eq!(alone[1], vec![0.5; 50]);
    let centre = 0.5 * 0.5f64.sqrt();
    for beside in [out(49, 51), out(50, 51)] {
        let off = (beside[1][25] - centre).abs();
        assert!(off < 1e-15, "{}", beside[1][25]);
    }
    assert_eq!(
        first(&with(cue(3).used(Use::at(Frames(10)))))[9..],
        [0.25, 0.5, 0.5, 0.5]
    );
}
