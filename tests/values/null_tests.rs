//! The null test of stems: half a step of the format for each of them, and no more.

use crate::stems::{RATE, mono, stem};
use soundtrack::{
    Bus, Decibels, Deliverable, Delivery, Format, Frames, Layout, Session, Track,
    deliver::NullTest, media::Memory,
};

/// One track and one bus for each stem, and the null test of their files.
fn null(format: Format, stems: &[Memory], layout: Layout, master: f64) -> NullTest {
    let folder = tempfile::tempdir().unwrap();
    let mut mix = Session::new(RATE, layout);
    mix.master.gain = Decibels(master);
    let mut buses = Vec::new();
    for (n, stem) in stems.iter().enumerate() {
        let bus = mix.add_bus(Bus::new(format!("b{n}")));
        mix.add_track(Track::new(format!("t{n}"), stem.clone()).to(bus));
        buses.push(bus);
    }
    mix.deliverables.push(
        Deliverable::new("stems", folder.path().join("{bus}.wav"))
            .format(format)
            .stems(buses),
    );
    let done = Delivery::new().threads(1).run(&mix).unwrap();
    let found = done.deliverables[0].null_test.clone().unwrap();
    assert_eq!(
        (done.passed(), done.deliverables[0].passed()),
        (found.passed, found.passed)
    );
    found
}

fn db(steps: f64, bits: i32) -> f64 {
    20.0 * (steps / 2f64.powi(bits - 1)).log10()
}

#[track_caller]
fn near(got: Option<f64>, want: f64) {
    assert!((got.unwrap() - want).abs() < 1e-4, "{got:?} for {want}");
}

#[test]
fn a_stem_may_be_half_a_step_off_and_no_more() {
    // The largest integer and a part of a step: the file holds the integer.
    for (format, bits) in [(Format::WAV_16, 16), (Format::WAV_24, 24)] {
        let full = 2f64.powi(bits - 1);
        for (parts, passed) in [
            (0.25, true),
            (0.49, true),
            (0.499_999, true),
            (0.5, true),
            (0.501, false),
            (0.75, false),
            (1.0, false),
        ] {
            let samples = vec![0.0, 0.0, 0.0, (full - 1.0 + parts) / full];
            let found = null(format, &[mono(samples)], Layout::Mono, 0.0);
            assert_eq!(found.passed, passed, "{format}: {parts} of a step");
            near(found.residue_dbfs, db(parts, bits));
            near(found.within_dbfs, db(0.5, bits));
            assert_eq!(
                found.residue_at_s,
                Some(Frames(3).to_duration(RATE).as_secs_f64())
            );
        }
        // On the other side the range goes one step further.
        let below = |parts: f64| {
            null(
                format,
                &[mono(vec![-(full + parts) / full])],
                Layout::Mono,
                0.0,
            )
            .passed
        };
        assert_eq!(
            [0.0, 0.49, 0.51, 1.0].map(below),
            [true, true, false, false]
        );
    }
}

#[test]
fn each_stem_adds_its_half_step() {
    let full = 32_768.0;
    let whole = |parts: f64| mono(vec![(32_767.0 + parts) / full, 0.0]);
    let small = |parts: f64| mono(vec![(100.0 + parts) / full, 0.0]);
    // Off by 0.7 alone: too much for one stem, not for two. What others are off by adds up, and cancels.
    let cases: [(&[Memory], f64, f64, bool); 7] = [
        (&[whole(0.7)], 0.7, 0.5, false),
        (&[whole(0.7), small(0.0)], 0.7, 1.0, true),
        (&[whole(0.9), small(0.2)], 1.1, 1.0, false),
        (&[whole(0.9), small(0.05)], 0.95, 1.0, true),
        (&[whole(0.9), small(-0.3)], 0.6, 1.0, true),
        (&[whole(1.4), small(0.0), small(0.0)], 1.4, 1.5, true),
        (&[whole(1.6), small(0.0), small(0.0)], 1.6, 1.5, false),
    ];
    for (stems, residue, within, passed) in cases {
        let found = null(Format::WAV_16, stems, Layout::Mono, 0.0);
        near(found.residue_dbfs, db(residue, 16));
        near(found.within_dbfs, db(within, 16));
        assert_eq!(found.passed, passed, "{residue} of {within}");
    }
    // Before a master that changes the mix the stems are held against their own sum.
    assert!(null(Format::WAV_16, &[whole(0.4)], Layout::Mono, -6.0).passed);
    let off = null(Format::WAV_16, &[whole(0.7)], Layout::Mono, -6.0);
    near(off.residue_dbfs, db(0.7, 16));
    assert!(!off.passed);
}

#[test]
fn the_worst_sample_of_any_channel_and_block_counts() {
    let off = (32_767.0 + 0.75) / 32_768.0;
    for channel in 0..3 {
        for at in [0, 16_383, 16_384, 39_999] {
            let mut channels = vec![vec![0.5; 40_000]; 3];
            channels[channel][at] = off;
            let found = null(
                Format::WAV_16,
                &[stem(Layout::Lcr, channels)],
                Layout::Lcr,
                0.0,
            );
            assert!(!found.passed, "channel {channel}, frame {at}");
            near(found.residue_dbfs, db(0.75, 16));
            assert_eq!(
                found.residue_at_s,
                Some(Frames(at as u64).to_duration(RATE).as_secs_f64())
            );
        }
    }
    // Nothing is off where all is on the grid.
    let exact = null(Format::WAV_16, &[mono(vec![0.5; 10])], Layout::Mono, 0.0);
    assert_eq!(
        (exact.residue_dbfs, exact.residue_at_s, exact.passed),
        (None, None, true)
    );
}

#[test]
fn a_float_stem_may_be_off_by_a_part_of_its_own_size() {
    // 2^-24 of the largest sample for each stem, at the most.
    let found = |samples: Vec<f64>| null(Format::WAV_32F, &[mono(samples)], Layout::Mono, 0.0);
    let one = found(vec![0.25, 1.0, -0.5 + 2f64.powi(-30)]);
    near(one.within_dbfs, 20.0 * 2f64.powi(-24).log10());
    near(one.residue_dbfs, 20.0 * 2f64.powi(-30).log10());
    assert!(one.passed);
}

#[test]
fn stems_add_up_to_the_mix_of_their_own_gain_and_to_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut film = Session::new(RATE, Layout::Mono);
    let bus = film.add_bus(Bus::new("b"));
    film.add_track(Track::new("t", mono(vec![0.5; 100])).to(bus));
    let stems = |name: &str, gain: f64| {
        let stems = Deliverable::new(name, path(&format!("{name} {{bus}}.wav")));
        stems.stems([bus]).gain(Decibels(gain))
    };
    let run = |promises: Vec<Deliverable>| {
        let mut film = film.clone();
        film.deliverables = promises;
        Delivery::new()
            .threads(1)
            .overwrite(true)
            .run(&film)
            .unwrap()
    };
    // Without a mix in a file they are held against the mix at their own gain.
    let done = run(vec![stems("one", -6.0), stems("two", -3.0)]);
    assert!(done.passed(), "{done}");
    let mix = |name: &str, gain: f64| Deliverable::new(name, path(name)).gain(Decibels(gain));
    let done = run(vec![
        stems("one", -2.0),
        mix("a.wav", -6.0),
        mix("b.wav", -2.0),
    ]);
    assert!(done.passed(), "{done}");
    let null = done.deliverables[0].null_test.clone().unwrap();
    assert_eq!(null.mix.as_deref(), Some("b.wav"));
    let done = run(vec![stems("one", -2.0), mix("a.wav", -6.0)]);
    assert!(!done.passed());
    let warning = done.deliverables[0].warnings[0].to_string();
    let what = "do not add up to deliverable \"a.wav\", whose gain is 4.00 dB lower";
    assert!(warning.contains(what), "{warning}");
}
