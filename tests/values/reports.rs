//! What a report says of tracks: which one, where, how much, on the timeline.

use crate::stems::{RATE, constant, mono, powers, report, session, stem};
use soundtrack::{
    Bounce, Bus, Clip, Curve, Dbtp, Decibels, Frames, Layout, Options, Plan, Renderer, SampleRate,
    Session, Shape, Sink, Spec, Track,
    encode::{Dither, Dithered, MemorySink, Shaping},
    report::Placed,
};

fn seconds(frames: u64) -> f64 {
    Frames(frames).to_duration(RATE).as_secs_f64()
}

fn spike(frames: usize, at: usize, value: f64) -> Vec<f64> {
    (0..frames)
        .map(|n| if n == at { value } else { 0.001 })
        .collect()
}

#[test]
fn the_track_of_the_true_peak_is_the_loudest_at_that_time() {
    // Where the mix peaks `b` is the loudest; `a` is louder at another time, and `c` before its fader.
    let tracks = || {
        [
            Track::new("a", mono(spike(48_000, 5_000, 0.3))),
            Track::new("b", mono(spike(48_000, 30_000, 0.25))),
            Track::new("c", mono(spike(48_000, 30_000, 0.9))).gain(Decibels(-20.0)),
        ]
    };
    let mix = session(Layout::Mono, tracks());
    let found = report(&mix).mix;
    assert_eq!(
        (found.true_peak_track.as_deref(), found.true_peak_at_frame),
        (Some("b"), Some(30_000))
    );
    let mut other = session(Layout::Mono, tracks());
    other.tracks_mut()[2].strip.gain = Decibels(-3.0);
    assert_eq!(report(&other).mix.true_peak_track.as_deref(), Some("c"));
    other.tracks_mut()[2].strip.mute = true;
    other.tracks_mut()[1].strip.mute = true;
    assert_eq!(report(&other).mix.true_peak_track.as_deref(), Some("a"));
    // The same in a range: times count on the timeline.
    let range = Frames(24_000)..Frames(40_000);
    let part = Bounce::new()
        .range(range)
        .dry_run(Plan::compile(&mix).unwrap())
        .unwrap();
    assert_eq!(
        (
            part.mix.true_peak_track.as_deref(),
            part.mix.true_peak_at_frame,
            part.mix.true_peak_at_s
        ),
        (Some("b"), Some(30_000), Some(seconds(30_000)))
    );
    assert_eq!(
        (part.mix.peak_at_frame, part.mix.peak_at_s),
        (Some(30_000), Some(seconds(30_000)))
    );
}

#[test]
fn each_strip_reports_its_own_peak_after_gain_and_pan() {
    let mut mix = Session::new(RATE, Layout::Stereo);
    let bus = mix.add_bus(Bus::new("bus").gain(Decibels(-20.0)));
    mix.add_track(Track::new(
        "a",
        stem(
            Layout::Stereo,
            vec![spike(100, 10, 0.5), spike(100, 20, -0.75)],
        ),
    ));
    mix.add_track(
        Track::new(
            "b",
            stem(
                Layout::Stereo,
                vec![spike(100, 30, 0.5), spike(100, 40, 0.5)],
            ),
        )
        .gain(Decibels(-20.0))
        .to(bus),
    );
    mix.add_track(Track::of("c").clip(Clip::new(constant(0.0, 50))));
    let found = report(&mix);
    let strips: Vec<_> = found
        .tracks
        .iter()
        .map(|t| &t.strip)
        .chain(&found.buses)
        .map(|s| {
            (
                s.name.as_str(),
                s.peak_dbfs.map(|p| (p * 1e6).round() / 1e6),
                s.peak_at_s,
            )
        })
        .collect();
    let db = |x: f64| Some((20e6 * x.log10()).round() / 1e6);
    assert_eq!(
        strips,
        [
            ("a", db(0.75), Some(seconds(20))),
            ("b", db(0.05), Some(seconds(30))),
            ("c", None, None),
            ("bus", db(0.005), Some(seconds(30))),
        ]
    );
    assert_eq!(
        found
            .tracks
            .iter()
            .map(|t| t.strip.gain_db)
            .collect::<Vec<_>>(),
        [Some(0.0), Some(-20.0), Some(0.0)]
    );
}

#[test]
fn faders_are_reported_where_they_stand_and_not_where_they_move() {
    let step = Curve::new()
        .point(Frames(0), Decibels(-3.0), Shape::Linear)
        .point(Frames(5), Decibels(0.0), Shape::Linear);
    let mix = session(
        Layout::Mono,
        [
            Track::new("a", constant(0.5, 9)).gain_curve(step),
            Track::new("b", constant(0.5, 9)).gain(Decibels::SILENCE),
        ],
    );
    let found = report(&mix);
    let told: Vec<_> = found
        .tracks
        .iter()
        .map(|t| (t.strip.gain_db, t.strip.gain_moves, t.strip.heard))
        .collect();
    assert_eq!(told, [(None, true, true), (None, false, false)]);
}

#[test]
fn feeds_are_added_in_the_order_of_the_session() {
    // In f64 1e16 + 1 is 1e16: the order of the sum shows.
    let sum = |values: [f64; 3]| {
        let tracks = ["a", "b", "c"]
            .into_iter()
            .zip(values)
            .map(|(name, value)| Track::new(name, constant(value, 1)));
        crate::stems::first(&session(Layout::Mono, tracks))[0]
    };
    assert_eq!(
        [
            sum([1e16, 1.0, -1e16]),
            sum([1e16, -1e16, 1.0]),
            sum([1.0, 1e16, -1e16])
        ],
        [0.0, 1.0, 0.0]
    );
    // Tracks first, then those of cues, then buses in their order.
    let mut mix = Session::new(RATE, Layout::Mono);
    let (one, two) = (mix.add_bus(Bus::new("one")), mix.add_bus(Bus::new("two")));
    mix.add_track(Track::new("a", constant(1.0, 1)).to(two));
    mix.add_track(Track::new("b", constant(-1e16, 1)).to(one));
    mix.add_track(Track::new("c", constant(1e16, 1)));
    assert_eq!(crate::stems::first(&mix), [1.0]);
    mix.track_mut(soundtrack::Session::track_ids(&mix).next().unwrap())
        .strip
        .to = Some(one);
    assert_eq!(crate::stems::first(&mix), [0.0]);
}

#[test]
fn sends_add_to_the_bus_after_fader_and_pan_each_by_its_own_gain() {
    let mut mix = Session::new(RATE, Layout::Stereo);
    let (a, b) = (
        mix.add_bus(Bus::new("a").gain(Decibels(-20.0))),
        mix.add_bus(Bus::new("b")),
    );
    let track = Track::new("x", powers(Layout::Stereo, 2))
        .gain(Decibels(-20.0))
        .pan(soundtrack::Pan(0.5))
        .to(a);
    mix.add_track(track.send(b, Decibels(-40.0)).send(a, Decibels(20.0)));
    // L 1 and R 16, the left balanced to ½: 0.05 and 1.6 out of the strip; (1 + 10) · 0.1 + 0.01 of it arrives.
    let got: Vec<f64> = crate::stems::heard(&mix).iter().map(|c| c[0]).collect();
    crate::stems::close(&got, &[0.05 * 1.11, 1.6 * 1.11], 1e-12);
}

/// The finaliser of SplitMix64.
fn mixed(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// The two numbers of −½ to ½ of a channel and a frame.
fn uniform(seed: u64, channel: u64, frame: u64) -> [f64; 2] {
    let key = mixed(seed ^ mixed(channel + 1));
    let bits = mixed(key.wrapping_add(frame.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
    [bits & 0xFFFF_FFFF, bits >> 32].map(|half| (half as f64 + 0.5) / 4_294_967_296.0 - 0.5)
}

#[test]
fn dither_is_a_function_of_seed_channel_and_frame() {
    let write = |seed, shaping, start: u64, value: f64| {
        let mut sink = Dithered::new(
            MemorySink::default(),
            Dither { seed, shaping },
            16,
            Frames(start),
        );
        let mut block = soundtrack::Block::new(Layout::Lcr, 6);
        block.fill(6, value);
        sink.write(&block).unwrap();
        sink.into_inner().into_channels()
    };
    for (seed, start) in [(0, 0), (7, 0), (7, 100)] {
        let white = write(seed, Shaping::White, start, 0.25);
        let high = write(seed, Shaping::HighPass, start, 0.25);
        for channel in 0..3 {
            for n in 0..6 {
                let frame = start + n as u64;
                let [a, b] = uniform(seed, channel as u64, frame);
                let [before, _] = uniform(seed, channel as u64, frame.wrapping_sub(1));
                assert_eq!(
                    white[channel][n],
                    0.25 + (a + b) / 32_768.0,
                    "white {channel} {frame}"
                );
                assert_eq!(
                    high[channel][n],
                    0.25 + (a - before) / 32_768.0,
                    "high-pass {channel} {frame}"
                );
            }
        }
        assert_ne!(white[0], white[1]);
    }
    for shaping in [Shaping::White, Shaping::HighPass, Shaping::Weighted] {
        assert_eq!(write(7, shaping, 0, 0.0), vec![vec![0.0; 6]; 3]);
    }
}

#[test]
fn weighted_dither_feeds_the_errors_of_nine_samples_back_and_none_of_silence() {
    const SHAPE: [f64; 9] = [
        2.412, -3.370, 3.937, -4.174, 3.353, -2.205, 1.281, -0.569, 0.0847,
    ];
    let samples: Vec<f64> = (0..80)
        .map(|n| {
            if (30..34).contains(&n) {
                0.0
            } else {
                f64::from(n) / 331.0
            }
        })
        .collect();
    let mut sink = Dithered::new(
        MemorySink::default(),
        Dither {
            seed: 5,
            shaping: Shaping::Weighted,
        },
        16,
        Frames(100),
    );
    let mut block = soundtrack::Block::new(Layout::Mono, 80);
    block.set_frames(80);
    block.channel_mut(0).copy_from_slice(&samples);
    sink.write(&block).unwrap();
    let got = sink.into_inner().into_channels().swap_remove(0);
    let mut errors = [0.0; 9];
    for (n, (got, sample)) in got.iter().zip(&samples).enumerate() {
        let [a, b] = uniform(5, 0, 100 + n as u64);
        let wanted = sample * 32_768.0 - SHAPE.iter().zip(&errors).map(|(c, e)| c * e).sum::<f64>();
        let rounded = (wanted + a + b).round_ties_even();
        errors.rotate_right(1);
        errors[0] = if *sample == 0.0 {
            0.0
        } else {
            rounded - wanted
        };
        let want = if *sample == 0.0 {
            0.0
        } else {
            rounded / 32_768.0
        };
        assert_eq!(*got, want, "frame {n}");
    }
}

#[test]
fn a_limiter_reports_what_it_took_and_where() {
    // A constant of 0 dBFS held at −6.02: 0.5 times the hundredth of a decibel that it aims below.
    let ceiling = 20.0 * 0.5f64.log10();
    let mut samples = vec![0.25; 48_000];
    samples[20_000..30_000].fill(1.0);
    let mut mix = session(Layout::Mono, [Track::new("x", mono(samples))]);
    mix.master.limit = Some(Dbtp(ceiling));
    let got = crate::stems::first(&mix);
    let held = 10f64.powf((ceiling - 0.01) / 20.0);
    // Inside the plateau, away from its edges, which overshoot between samples.
    assert!((got[25_000] - held).abs() < 1e-6, "{}", got[25_000]);
    let plan = Plan::compile(&mix).unwrap();
    assert_eq!(
        (plan.latency(), plan.warm_up()),
        (Frames(256), Frames(5056))
    );
    // 4 ms ahead it starts to fall; 0.1 s after the end it is back.
    let first = got.iter().position(|x| *x != 0.25).unwrap();
    let last = 47_999 - got.iter().rev().position(|x| *x != 0.25).unwrap();
    assert!((20_000 - 240..20_000 - 176).contains(&first), "{first}");
    assert!((30_000 + 4_600..30_000 + 5_056).contains(&last), "{last}");
    // Falling, then rising, without a step back.
    assert!(
        got[first..20_000].windows(2).all(|w| w[1] <= w[0]),
        "attack"
    );
    assert!(
        got[30_000..=last].windows(2).all(|w| w[1] >= w[0] - 1e-12),
        "release"
    );
    // Halfway through the release half of the reduction is left.
    let taken = 1.0 - got[32_400] / 0.25;
    let most = 1.0 - got[30_100] / 0.25;
    assert!((taken / most - 0.5).abs() < 0.08, "{taken} of {most}");
    let found = report(&mix);
    // The mix is measured after the limiter, its track before.
    assert!(
        (found.mix.peak_dbfs.unwrap() - ceiling).abs() < 0.02,
        "{:?}",
        found.mix.peak_dbfs
    );
    assert_eq!(found.tracks[0].strip.peak_dbfs, Some(0.0));
    assert_eq!(found.mix.limiter.unwrap().ceiling_dbtp, ceiling);
    let [limiter] = &found.mix.inserts[..] else {
        panic!("{:?}", found.mix.inserts)
    };
    assert_eq!(
        (
            limiter.kind.as_str(),
            limiter.reduction_step_s,
            limiter.reduction_curve_db.len()
        ),
        ("limiter", 0.1, 10)
    );
    // Of 1.0 the part that is left is what is held, at the place where the overshoot of the edge is largest or after it.
    let reduction = limiter.reduction_db.unwrap();
    assert!(
        reduction >= -ceiling + 0.0099 && reduction < -ceiling + 1.5,
        "{reduction}"
    );
    assert!((19_700.0 / 48_000.0..30_100.0 / 48_000.0).contains(&limiter.reduction_at_s.unwrap()));
    assert!(
        (f64::from(limiter.reduction_curve_db[5]) + ceiling - 0.01).abs() < 1e-3,
        "{:?}",
        limiter.reduction_curve_db
    );
    let strong: Vec<usize> = (0..10)
        .filter(|n| limiter.reduction_curve_db[*n] > 0.0)
        .collect();
    assert_eq!(strong, [4, 5, 6, 7]);
}

#[test]
fn a_renderer_at_another_rate_reports_seconds_of_that_rate() {
    let spec = Spec {
        rate: SampleRate::HZ_96000,
        layout: Layout::Mono,
    };
    let mut mix = Session::new(SampleRate::HZ_96000, Layout::Mono);
    mix.add_track(Track::new(
        "x",
        soundtrack::media::Memory::new(spec, vec![spike(9600, 4800, 0.5)]).unwrap(),
    ));
    let mut renderer =
        Renderer::new(Plan::compile(&mix).unwrap(), &Options { threads: 1 }).unwrap();
    let mut memory = MemorySink::default();
    let found = Bounce::new().into_sink(&mut renderer, &mut memory).unwrap();
    assert_eq!(
        (
            found.rate_hz,
            found.duration_s,
            found.mix.peak_at_s,
            found.mix.true_peak_at_s
        ),
        (96_000, 0.1, Some(0.05), Some(0.05))
    );
}

#[test]
fn clips_are_reported_as_they_came_in_and_were_placed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.wav");
    let spec = Spec {
        rate: SampleRate::HZ_96000,
        layout: Layout::Stereo,
    };
    let metadata = soundtrack::encode::Metadata {
        time_reference: Some(Frames(777)),
        ..soundtrack::encode::Metadata::default()
    };
    let options = soundtrack::encode::Options {
        metadata,
        ..Default::default()
    };
    let mut wav = soundtrack::encode::FileSink::create_with(
        &path,
        soundtrack::Format::WAV_24,
        spec,
        Frames(9601),
        &options,
    )
    .unwrap();
    let mut block = soundtrack::Block::new(Layout::Stereo, 9601);
    block.fill(9601, 0.25);
    wav.write(&block).unwrap();
    wav.finish().unwrap();
    let clip = |input: soundtrack::Input| {
        Clip::new(input)
            .at(Frames(30))
            .from(Frames(10))
            .length(Frames(100))
            .loops(3)
    };
    let of = |layout, input: soundtrack::Input| {
        let mix = session(layout, [Track::of("x").clip(clip(input))]);
        report(&mix).tracks[0].clips[0].clone()
    };
    let file = of(Layout::Mono, path.as_path().into());
    assert_eq!(
        (
            file.codec.as_str(),
            file.bits,
            file.float,
            file.rate_hz,
            file.layout.as_str()
        ),
        ("WAV", Some(24), false, 96_000, "stereo")
    );
    assert_eq!(
        (file.stem_frames, file.at_frame, file.frames),
        (Some(9601), 30, 300)
    );
    assert_eq!(
        (file.resampled, file.placed, file.time_reference_frames),
        (true, Placed::Fold, Some(777))
    );
    assert_eq!(
        (
            file.trimmed_start_frames,
            file.trimmed_end_frames,
            file.silenced.len()
        ),
        (0, 0, 0)
    );
    let own = of(Layout::Stereo, mono(vec![0.5; 200]).into());
    assert_eq!(
        (
            own.codec.as_str(),
            own.bits,
            own.float,
            own.rate_hz,
            own.layout.as_str()
        ),
        ("", None, false, 48_000, "mono")
    );
    assert_eq!(
        (
            own.stem_frames,
            own.resampled,
            own.placed,
            own.time_reference_frames
        ),
        (None, false, Placed::Pan, None)
    );
    let same = of(
        Layout::Lcr,
        stem(Layout::Lcr, vec![vec![0.5; 200]; 3]).into(),
    );
    assert_eq!((same.placed, same.layout.as_str()), (Placed::Same, "lcr"));
    assert_eq!(
        of(Layout::Mono, mono(vec![0.5; 200]).into()).placed,
        Placed::Same
    );
}

#[test]
fn the_note_of_a_pan_law_states_its_centre() {
    use soundtrack::PanLaw;
    for (law, centre) in [
        (PanLaw::EqualPower, "-3.01 dB"),
        (PanLaw::Between, "-4.52 dB"),
        (PanLaw::Linear, "-6.02 dB"),
        (PanLaw::Balance, "0.00 dB"),
        (PanLaw::Ardour, "-3.00 dB"),
    ] {
        let mut mix = session(
            Layout::Stereo,
            [Track::new("x", constant(0.5, 9)).clip(Clip::new(constant(0.5, 9)).at(Frames(9)))],
        );
        mix.pan_law = law;
        let told = crate::stems::warned(&mix, "W103");
        // Two clips of one kind of file are told of once.
        assert!(
            told.len() == 1 && told[0].contains(centre),
            "{law}: {told:?}"
        );
    }
}

#[test]
fn the_loudest_track_is_found_in_the_tenth_of_a_second_of_the_peak() {
    // Where the mix peaks `b` is louder than `c`; `a` is louder than both half a second away.
    for at in [
        100, 4_799, 4_800, 9_599, 26_000, 44_000, 47_999, 48_000, 49_900,
    ] {
        let other = (at + 24_000) % 50_000;
        let mix = session(
            Layout::Mono,
            [
                Track::new("a", mono(spike(50_000, other, 0.3))),
                Track::new("b", mono(spike(50_000, at, 0.25))),
                Track::new("c", mono(spike(50_000, at, 0.2))),
            ],
        );
        let found = report(&mix).mix;
        assert_eq!(
            (found.true_peak_at_frame, found.true_peak_track.as_deref()),
            (Some(at as u64), Some("b"))
        );
        // Of two that are as loud, the first; of silence, none.
        let twins = session(
            Layout::Mono,
            ["b", "c"].map(|name| Track::new(name, mono(spike(50_000, at, 0.2)))),
        );
        assert_eq!(report(&twins).mix.true_peak_track.as_deref(), Some("b"));
    }
}

#[test]
fn a_range_behind_a_limiter_reports_its_own_frames_alone() {
    // Loud before and after the range, where the limiter looks; soft in it.
    let samples = (0..40_000)
        .map(|n| {
            if (18_000..22_000).contains(&n) {
                0.1
            } else {
                0.9
            }
        })
        .collect();
    let mut mix = session(Layout::Mono, [Track::new("x", mono(samples))]);
    mix.master.limit = Some(Dbtp(0.0));
    let part = |a, b| {
        let found = Bounce::new()
            .range(Frames(a)..Frames(b))
            .dry_run(Plan::compile(&mix).unwrap())
            .unwrap();
        found.tracks[0].strip.peak_dbfs.unwrap()
    };
    let (soft, loud) = (20.0 * 0.1f64.log10(), 20.0 * 0.9f64.log10());
    assert_eq!(
        [
            part(18_000, 22_000),
            part(17_999, 22_000),
            part(18_000, 22_001)
        ],
        [soft, loud, loud]
    );
}
