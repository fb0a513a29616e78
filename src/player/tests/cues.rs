//! Tracks of cues have the controls of other tracks, in all uses of their cue.

use super::{
    fake::Fake,
    renders::{same_bits, stem},
};
use crate::{
    Cue, CueId, Curve, Decibels, Frames, Layout, Pan, PanLaw, Player, PlayerBuilder, SampleRate,
    Session, Shape, Spec, Track, Use, media::Memory,
};

const LENGTH: usize = 24_000;

/// Returns a track, and a cue of three tracks with two overlapping uses; the first of its tracks has a gain curve.
fn mix() -> (Session, CueId) {
    let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    mix.add_track(Track::new("t", stem(1, 48_000, Layout::Stereo, LENGTH)));
    let swell = Curve::new().point(Frames(0), Decibels(-20.0), Shape::Linear);
    let swell = swell.point(Frames(10_000), Decibels(0.0), Shape::Linear);
    let cue = Cue::new("storm")
        .track(Track::new("a", stem(2, 48_000, Layout::Stereo, 16_000)).gain_curve(swell))
        .track(Track::new("b", stem(3, 44_100, Layout::Mono, 12_000)))
        .track(Track::new("c", stem(4, 48_000, Layout::Stereo, 14_000)));
    let cue = cue
        .used(Use::at(Frames(1_000)))
        .used(Use::at(Frames(8_000)).named("again").gain(Decibels(-4.0)));
    let id = mix.add_cue(cue);
    mix.length = Some(Frames(LENGTH as u64));
    (mix, id)
}

/// Sets the same controls in the player and in the session.
fn moved(player: &Player, mix: &mut Session, cue: CueId, solo: bool) {
    player.set_gain((cue, 0), Decibels(-5.0)).unwrap();
    player.set_pan((cue, 1), Pan(0.7)).unwrap();
    player.set_mute((cue, 2), true).unwrap();
    player.set_solo((cue, 1), solo).unwrap();
    for (refused, part) in
        [(cue, 3), (CueId::at(9), 0)].map(|part| (player.set_mute(part, true), part))
    {
        assert_eq!(
            refused.unwrap_err().kind(),
            crate::ErrorKind::InvalidArgument,
            "{part:?}"
        );
    }
    let tracks = &mut mix.cue_mut(cue).tracks;
    tracks[0].strip.gain = Decibels(-5.0);
    tracks[1].strip.pan = Pan(0.7);
    tracks[2].strip.mute = true;
    tracks[1].strip.solo = solo;
}

#[test]
fn a_control_of_a_cues_track_moved_before_the_start_is_as_if_it_had_always_been_so() {
    for solo in [false, true] {
        let (mut mix, cue) = mix();
        let fake = Fake::default();
        let player = fake.play(&PlayerBuilder::new().paused(true), &mix);
        moved(&player, &mut mix, cue, solo);
        player.play();
        let heard = fake.take(LENGTH, mix.layout, &[480]);
        same_bits(
            &mix.render(Frames(0)..Frames(LENGTH as u64)).unwrap(),
            &heard,
        );
    }
}

#[test]
fn a_control_of_a_cues_track_moved_while_it_plays_is_exact_once_it_has_arrived() {
    let (mut mix, cue) = mix();
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new(), &mix);
    let mut heard = fake.take(9_600, mix.layout, &[480]);
    moved(&player, &mut mix, cue, true);
    let rest = fake.take(LENGTH - 9_600, mix.layout, &[480]);
    heard.iter_mut().zip(rest).for_each(|(h, r)| h.extend(r));
    let after = mix.render(Frames(0)..Frames(LENGTH as u64)).unwrap();
    let last_old = (0..LENGTH)
        .rev()
        .find(|n| heard[0][*n].to_bits() != after[0][*n].to_bits())
        .unwrap();
    assert!(last_old < 9_600 + 3 * 1_440 + 384 + 8 * 256, "{last_old}");
    assert_eq!(player.underruns().count, 0);
}

#[test]
fn no_control_of_a_cues_track_clicks_and_a_muted_cue_stays_muted() {
    let spec = Spec {
        rate: SampleRate::HZ_48000,
        layout: Layout::Stereo,
    };
    let mut mix = Session::new(spec.rate, spec.layout);
    mix.pan_law = PanLaw::Balance;
    let level = |value: f64| Memory::new(spec, vec![vec![value; 400_000]; 2]).unwrap();
    mix.add_track(Track::new("t", level(0.1)));
    let cue = mix.add_cue(
        Cue::new("on")
            .track(Track::new("a", level(0.4)))
            .used(Use::at(Frames(0))),
    );
    let off = Cue::new("off")
        .track(Track::new("a", level(0.5)))
        .used(Use::at(Frames(0)))
        .mute(true);
    let off = mix.add_cue(off);
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new(), &mix);
    let mut last = fake.take(4_800, mix.layout, &[480])[0][4_799];
    assert_eq!(last, 0.5);
    let moves: [(&dyn Fn(), f64); 12] = [
        (
            &|| player.set_gain((cue, 0), Decibels::SILENCE).unwrap(),
            0.1,
        ),
        (&|| player.set_gain((cue, 0), Decibels::UNITY).unwrap(), 0.5),
        (&|| player.set_pan((cue, 0), Pan::RIGHT).unwrap(), 0.1),
        (&|| player.set_pan((cue, 0), Pan::CENTRE).unwrap(), 0.5),
        (&|| player.set_solo((cue, 0), true).unwrap(), 0.4),
        (&|| player.set_solo((cue, 0), false).unwrap(), 0.5),
        (&|| player.set_mute((cue, 0), true).unwrap(), 0.1),
        (&|| player.set_mute((off, 0), false).unwrap(), 0.1),
        (&|| player.set_mute(off, false).unwrap(), 0.6),
        (&|| player.set_mute(cue, true).unwrap(), 0.6),
        (&|| player.set_mute((cue, 0), false).unwrap(), 0.6),
        (&|| player.set_mute(cue, false).unwrap(), 1.0),
    ];
    for (n, (change, then)) in moves.iter().enumerate() {
        change();
        for x in &fake.take(9_600, mix.layout, &[480])[0] {
            // Straight lines of 384 frames; a fader at silence closes a gate too, two lines at once.
            assert!(
                (x - last).abs() <= 2.0 * 0.4 / 384.0 + 1e-9,
                "{n}: from {last} to {x}"
            );
            last = *x;
        }
        assert!((last - then).abs() < 1e-9, "{n}: ends at {last}");
    }
}
