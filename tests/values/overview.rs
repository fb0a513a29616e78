//! What a picture is drawn from, at the edges of its bins and of the range, and times of measurements in a range.

use crate::stems::{RATE, constant, mono, session, stem};
use soundtrack::{
    Bounce, Clip, Cue, Frames, Layout, Marker, Plan, Report, Session, Track, Use, report::Overview,
};
use std::f64::consts::TAU;

fn gathered(session: &Session, bins: usize, range: std::ops::Range<u64>) -> Report {
    let bounce = Bounce::new()
        .threads(1)
        .overview(bins)
        .range(Frames(range.start)..Frames(range.end));
    bounce.dry_run(Plan::compile(session).unwrap()).unwrap()
}

fn overview(session: &Session, bins: usize, range: std::ops::Range<u64>) -> Overview {
    gathered(session, bins, range).overview.unwrap()
}

fn seconds(frame: u64) -> f64 {
    Frames(frame).to_duration(RATE).as_secs_f64()
}

#[test]
fn bins_have_equally_many_frames_and_the_last_has_the_rest() {
    let left = vec![0.5, -0.25, 0.125, 1.0, 0.0, 0.0, -0.5, -0.75, -0.25, 0.75];
    let mix = session(
        Layout::Stereo,
        [Track::new(
            "x",
            stem(Layout::Stereo, vec![left, vec![0.25; 10]]),
        )],
    );
    let drawn = overview(&mix, 4, 0..10);
    assert_eq!(drawn.frames_per_bin, 3);
    let left = &drawn.mix_channels[0];
    assert_eq!(
        (left.min.as_slice(), left.max.as_slice()),
        (&[-0.25, 0.0, -0.75, 0.75][..], &[0.5, 1.0, -0.25, 0.75][..])
    );
    let rms = |squares: f64, n: f64| (squares / n).sqrt() as f32;
    let near = |got: &[f32], want: &[f32]| {
        assert!(
            got.len() == want.len() && got.iter().zip(want).all(|(g, w)| (g - w).abs() < 1e-6),
            "{got:?}"
        )
    };
    near(
        &left.rms,
        &[rms(0.328_125, 3.0), rms(1.0, 3.0), rms(0.875, 3.0), 0.75],
    );
    // Both channels together: the extent of both, and the root mean square of all their samples.
    let both = &drawn.mix.waveform;
    assert_eq!(
        (both.min.as_slice(), both.max.as_slice()),
        (&[-0.25, 0.0, -0.75, 0.25][..], &[0.5, 1.0, 0.25, 0.75][..])
    );
    near(
        &both.rms,
        &[
            rms(0.328_125 + 0.1875, 6.0),
            rms(1.0 + 0.1875, 6.0),
            rms(0.875 + 0.1875, 6.0),
            rms(0.5625 + 0.0625, 2.0),
        ],
    );
    // As many bins as frames at the most; a range begins its own bins.
    assert_eq!(overview(&mix, 100, 0..10).frames_per_bin, 1);
    let part = overview(&mix, 2, 3..7);
    assert_eq!(
        (part.frames_per_bin, part.mix_channels[0].max.as_slice()),
        (2, &[1.0, 0.0][..])
    );
    assert_eq!(part.mix_channels[0].min, [0.0, -0.5]);
    assert_eq!(overview(&mix, 5, 0..10).frames_per_bin, 2);
    assert_eq!(overview(&mix, 3, 0..10).frames_per_bin, 4);
}

#[test]
fn overs_begin_above_full_scale_and_are_one_within_10_ms() {
    let mut samples = vec![0.5; 4000];
    let over = |samples: &mut Vec<f64>, at: &[(usize, f64)]| {
        at.iter().for_each(|(n, value)| samples[*n] = *value)
    };
    // 480 frames apart is another place, 479 is not; exactly 1 is no over.
    over(
        &mut samples,
        &[
            (100, 1.5),
            (101, -2.0),
            (580, 1.25),
            (1061, 1.001),
            (2000, 1.0),
            (2001, -1.0),
        ],
    );
    let drawn = overview(
        &session(Layout::Mono, [Track::new("x", mono(samples))]),
        10,
        0..4000,
    );
    let places: Vec<_> = drawn
        .overs
        .iter()
        .map(|o| (o.at_frame, o.frames, o.peak_dbfs))
        .collect();
    assert_eq!(
        places,
        [
            (100, 481, 20.0 * 2f64.log10()),
            (1061, 1, 20.0 * 1.001f64.log10())
        ]
    );
    assert_eq!(drawn.over_samples, 4);
    assert_eq!(drawn.overs[1].at_s, seconds(1061));
}

#[test]
fn clips_uses_and_markers_are_shown_as_far_as_they_lie_in_the_range() {
    let mut film = session(
        Layout::Mono,
        [
            Track::of("x").clip(Clip::new(constant(0.5, 100)).at(Frames(50))),
            Track::new("end", constant(0.1, 1000)),
        ],
    );
    film.add_cue(
        Cue::new("c")
            .title("Storm")
            .track(Track::new("y", constant(0.5, 100)))
            .used(Use::at(Frames(200)))
            .used(Use::at(Frames(400)).named("again")),
    );
    film.markers = [0, 100, 299, 300]
        .map(|at| Marker {
            at: Frames(at),
            name: at.to_string(),
        })
        .to_vec();
    let shown = |range: std::ops::Range<u64>| {
        let drawn = overview(&film, 10, range);
        let clips = drawn.tracks[0].clips_s.clone();
        let cues: Vec<_> = drawn
            .cues
            .iter()
            .map(|c| (c.name.clone(), c.start_s, c.end_s))
            .collect();
        let markers: Vec<String> = drawn.markers.iter().map(|m| m.name.clone()).collect();
        (clips, cues, markers.join(" "))
    };
    let storm = || ("Storm".to_owned(), seconds(200), seconds(300));
    let again = || ("Storm · again".to_owned(), seconds(400), seconds(500));
    assert_eq!(
        shown(0..1000),
        (
            vec![[seconds(50), seconds(150)]],
            vec![storm(), again()],
            "0 100 299 300".into()
        )
    );
    // Up to the start of a range and from its end on nothing is shown.
    assert_eq!(
        shown(100..300),
        (
            vec![[seconds(100), seconds(150)]],
            vec![storm()],
            "100 299".into()
        )
    );
    assert_eq!(
        shown(149..201),
        (
            vec![[seconds(149), seconds(150)]],
            vec![storm()],
            String::new()
        )
    );
    assert_eq!(shown(150..200), (vec![], vec![], String::new()));
    assert_eq!(shown(299..400), (vec![], vec![storm()], "299 300".into()));
    assert_eq!(shown(300..401), (vec![], vec![again()], "300".into()));
}

#[test]
fn times_of_loudness_count_on_the_timeline_in_a_range_too() {
    // 0.5 s of a louder tone 4 s after the start of the timeline; the range begins at 2 s.
    let tone = |n: usize| {
        let level = if (192_000..216_000).contains(&n) {
            0.5
        } else {
            0.05
        };
        level * (TAU * 997.0 * n as f64 / 48_000.0).sin()
    };
    let mut mix = session(
        Layout::Mono,
        [Track::new("x", mono((0..480_000).map(tone).collect()))],
    );
    let bus = mix.add_bus(soundtrack::Bus::new("b"));
    mix.tracks_mut()[0].strip.to = Some(bus);
    for start in [0u64, 96_000] {
        let bounce = Bounce::new()
            .measure_strips(true)
            .range(Frames(start)..Frames(400_000));
        let found = bounce.dry_run(Plan::compile(&mix).unwrap()).unwrap();
        let momentary = found.mix.momentary_max_at_s.unwrap();
        assert!((4.0..=4.1).contains(&momentary), "{momentary} from {start}");
        // The 3 s that hold all of it begin between 1.5 s and 4 s.
        let short = found.mix.short_term_max_at_s.unwrap();
        assert!(
            short <= 4.0
                && short >= (f64::from(u32::try_from(start).unwrap()) / 48_000.0).max(1.5) - 0.01,
            "{short} from {start}"
        );
        assert!(
            (found.mix.momentary_max_lufs.unwrap() - (20.0 * 0.5f64.log10() - 3.01)).abs() < 0.02
        );
        let peak = found.mix.true_peak_at_s.unwrap();
        assert!((4.0..4.5).contains(&peak), "{peak}");
        for strip in [&found.tracks[0].strip, &found.buses[0]] {
            let levels = strip.levels.as_ref().unwrap();
            assert_eq!(
                (levels.true_peak_at_s, levels.true_peak_dbtp),
                (Some(peak), found.mix.true_peak_dbtp)
            );
            assert_eq!(
                (levels.integrated_lufs, levels.momentary_max_lufs),
                (found.mix.integrated_lufs, found.mix.momentary_max_lufs)
            );
            assert_eq!(
                (levels.short_term_max_lufs, levels.loudness_range_lu),
                (found.mix.short_term_max_lufs, found.mix.loudness_range_lu)
            );
        }
    }
}

#[test]
fn a_marker_of_a_cue_is_shown_in_every_use_from_its_first_frame_to_before_its_end() {
    let mut film = session(Layout::Mono, [Track::new("end", constant(0.1, 2000))]);
    let cue = Cue::new("c")
        .track(Track::new("y", constant(0.5, 100)))
        .marker(Frames(20), "m");
    let part = |at, from, length| {
        Use::at(Frames(at))
            .named(format!("u{at}"))
            .from(Frames(from))
            .length(Frames(length))
    };
    let uses = [
        part(1000, 0, 100),
        part(1200, 20, 10),
        part(1300, 21, 10),
        part(1400, 10, 10),
        part(1500, 10, 11),
    ];
    film.add_cue(uses.into_iter().fold(cue, Cue::used));
    let shown: Vec<f64> = overview(&film, 10, 0..2000)
        .markers
        .iter()
        .map(|m| m.at_s)
        .collect();
    // Not from frame 21 on, and not up to frame 20.
    assert_eq!(shown, [1020, 1200, 1510].map(seconds));
}

#[test]
fn a_picture_has_65536_bins_at_most() {
    let bins = |frames: usize, wanted: usize| {
        let mix = session(Layout::Mono, [Track::new("x", constant(0.5, frames))]);
        let drawn = overview(&mix, wanted, 0..frames as u64);
        (drawn.frames_per_bin, drawn.mix_channels[0].min.len())
    };
    assert_eq!(bins(65_536, usize::MAX), (1, 65_536));
    assert_eq!(bins(65_537, usize::MAX), (2, 32_769));
    assert_eq!(bins(10, 0), (10, 1));
}

#[test]
fn a_waveform_file_holds_16_bits_of_each_extent() {
    let left = vec![-1.0, 0.25, 0.5, 1.0];
    let right = vec![0.0, -0.5, 0.75, 0.1];
    let mix = session(
        Layout::Stereo,
        [Track::new("x", stem(Layout::Stereo, vec![left, right]))],
    );
    let text = gathered(&mix, 2, 0..4).to_waveform_json().unwrap();
    // Full scale is 32,768, so the highest value saturates; minimum and maximum of each channel, bin after bin.
    let want = "{\"version\":2,\"channels\":2,\"sample_rate\":48000,\"samples_per_pixel\":2,\"bits\":16,\"length\":2,\
                \"data\":[-32768,8192,-16384,0,16384,32767,3277,24576]}";
    assert_eq!(text, want);
}
