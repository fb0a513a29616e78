//! Every warning at its limit, just beside it, and with only some of its conditions.

use crate::stems::{RATE, constant, counting, mono, rate, report, session, stem, warned};
use soundtrack::{
    Bounce, Bus, Clip, Cue, Decibels, Fade, Format, Frames, Layout, Pan, Plan, Session, Spec,
    Track, Use, media::Memory,
};

fn stereo(left: Vec<f64>, right: Vec<f64>) -> Memory {
    stem(Layout::Stereo, vec![left, right])
}

fn one(track: Track) -> Session {
    session(Layout::Stereo, [track])
}

fn raised(mix: &Session, code: &str) -> bool {
    !warned(mix, code).is_empty()
}

/// `mean` with `swing` added and taken away by turns: peak `mean + swing`.
fn offset(mean: f64, swing: f64, frames: usize) -> Vec<f64> {
    (0..frames)
        .map(|n| {
            if n % 2 == 0 {
                mean + swing
            } else {
                mean - swing
            }
        })
        .collect()
}

#[test]
fn w101_from_the_first_sample_that_does_not_fit() {
    let clipped = |value: f64| {
        let folder = tempfile::tempdir().unwrap();
        let mix = session(Layout::Mono, [Track::new("x", mono(vec![0.0, value, 0.0]))]);
        let report = Bounce::new()
            .format(Format::WAV_16)
            .run(&mix, folder.path().join("x.wav"))
            .unwrap();
        (
            report.mix.clipped_samples,
            report.warnings.iter().any(|w| w.kind.code() == "W101"),
        )
    };
    let step = 1.0 / 32_768.0;
    for (value, count) in [
        (1.0 - step, 0),
        (1.0 - 0.51 * step, 0),
        (1.0 - 0.5 * step, 1), // a tie, to even: 32768
        (1.0, 1),
        (-1.0, 0),
        (-1.0 - 0.5 * step, 0), // a tie, to even: −32768
        (-1.0 - 0.51 * step, 1),
    ] {
        assert_eq!(clipped(value), (count, count > 0), "{value}");
    }
}

#[test]
fn w102_w103_and_w104_where_rate_or_layout_differ() {
    let notes = |stem_rate: u32, layout: Layout, to: Layout| {
        let spec = Spec {
            rate: rate(stem_rate),
            layout,
        };
        let memory = Memory::new(spec, vec![vec![0.0; 480]; layout.channels()]).unwrap();
        let report = report(&session(to, [Track::new("x", memory)]));
        ["W102", "W103", "W104"].map(|code| report.warnings.iter().any(|w| w.kind.code() == code))
    };
    assert_eq!(
        notes(48_000, Layout::Stereo, Layout::Stereo),
        [false, false, false]
    );
    assert_eq!(
        notes(44_100, Layout::Stereo, Layout::Stereo),
        [true, false, false]
    );
    assert_eq!(
        notes(96_000, Layout::Mono, Layout::Surround51),
        [true, true, false]
    );
    assert_eq!(
        notes(48_000, Layout::Mono, Layout::Mono),
        [false, false, false]
    );
    assert_eq!(
        notes(48_000, Layout::Stereo, Layout::Mono),
        [false, false, true]
    );
    assert_eq!(
        notes(48_000, Layout::Stereo, Layout::Surround51),
        [false, false, true]
    );
    let lfe = |from, to| {
        warned(
            &session(
                to,
                [Track::new(
                    "x",
                    stem(from, vec![vec![0.0]; from.channels()]),
                )],
            ),
            "W104",
        )[0]
        .contains("LFE")
    };
    assert!(lfe(Layout::Surround51, Layout::Stereo) && lfe(Layout::Stereo21, Layout::Surround50));
    assert!(
        !lfe(Layout::Surround51, Layout::Surround71)
            && !lfe(Layout::Surround50, Layout::Surround51)
    );
}

#[test]
fn w105_by_one_frame_and_only_for_stems_played_whole_from_the_start() {
    let cue = |tracks: Vec<Track>| {
        let mut film = Session::new(RATE, Layout::Mono);
        let cue = tracks.into_iter().fold(Cue::new("c"), Cue::track);
        film.add_cue(cue.used(Use::at(Frames(0))));
        raised(&film, "W105")
    };
    let whole = |name: &str, frames: usize| Track::new(name, constant(0.1, frames));
    let of = |name: &str, clip: Clip| Track::of(name).clip(clip);
    assert!(!cue(vec![whole("a", 100), whole("b", 100)]));
    assert!(cue(vec![whole("a", 100), whole("b", 99)]));
    assert!(cue(vec![whole("a", 99), whole("b", 100), whole("c", 100)]));
    assert!(cue(vec![whole("a", 100), whole("b", 100), whole("c", 101)]));
    assert!(!cue(vec![
        whole("a", 100),
        of("b", Clip::new(constant(0.1, 99)).at(Frames(1)))
    ]));
    assert!(!cue(vec![
        whole("a", 100),
        of("b", Clip::new(constant(0.1, 99)).from(Frames(1)))
    ]));
    assert!(!cue(vec![
        whole("a", 100),
        of("b", Clip::new(constant(0.1, 100)).length(Frames(99)))
    ]));
    assert!(!cue(vec![
        whole("a", 100),
        of("b", Clip::new(constant(0.1, 33)).loops(3))
    ]));
    assert!(!cue(vec![
        whole("a", 100),
        whole("b", 50).clip(Clip::new(constant(0.1, 50)).at(Frames(50)))
    ]));
}

#[test]
fn w106_of_exact_silence_alone() {
    let track = |samples: Vec<f64>| {
        one(Track::new(
            "x",
            stereo(samples.clone(), vec![0.0; samples.len()]),
        ))
    };
    assert!(raised(&track(vec![0.0; 100]), "W106"));
    assert!(!raised(
        &track([vec![0.0; 99], vec![1e-300]].concat()),
        "W106"
    ));
    assert!(raised(&one(Track::new("x", constant(0.0, 0))), "W106"));
    // A track that is not heard, or lies outside the range, is not called silent.
    assert!(!raised(
        &one(Track::new("x", constant(0.0, 100)).mute(true)),
        "W106"
    ));
    let mix = session(
        Layout::Mono,
        [
            Track::of("x").clip(Clip::new(constant(0.0, 10)).at(Frames(10))),
            Track::new("y", constant(0.5, 30)),
        ],
    );
    let part = |a, b| {
        let report = Bounce::new()
            .range(Frames(a)..Frames(b))
            .dry_run(Plan::compile(&mix).unwrap())
            .unwrap();
        report.warnings.iter().any(|w| w.kind.code() == "W106")
    };
    assert_eq!(
        [part(0, 10), part(0, 11), part(19, 25), part(20, 25)],
        [false, true, true, false]
    );
}

#[test]
fn w107_needs_a_mean_of_minus_60_db_and_one_percent_of_the_peak_over_a_second() {
    let of = |left: Vec<f64>, right: Vec<f64>| {
        raised(&one(Track::new("x", stereo(left, right))), "W107")
    };
    let both = |mean: f64, swing: f64, frames: usize| {
        let samples = offset(mean, swing, frames);
        of(samples.clone(), samples)
    };
    // −60 dBFS is 0.001.
    assert!(both(0.001_001, 0.0, 48_000) && !both(0.000_999, 0.0, 48_000));
    assert!(both(-0.001_001, 0.0, 48_000) && !both(-0.000_999, 0.0, 48_000));
    // One percent of the peak, which is the mean and the swing: 0.005 of 0.5.
    assert!(both(0.005, 0.494, 48_000) && !both(0.005, 0.496, 48_000));
    // Only one of the two limits is passed.
    assert!(
        !both(0.000_9, 0.01, 48_000),
        "9 % of the peak, but −60.9 dBFS"
    );
    assert!(
        !both(0.009, 0.99, 48_000),
        "−40.9 dBFS, but 0.9 % of the peak"
    );
    // A second.
    assert!(both(0.05, 0.1, 48_000) && !both(0.05, 0.1, 47_999));
    // Either channel, and after the fader.
    let silent = || vec![0.0; 48_000];
    assert!(of(offset(0.05, 0.1, 48_000), silent()) && of(silent(), offset(0.05, 0.1, 48_000)));
    // One channel without an offset does not excuse the other.
    assert!(of(offset(0.05, 0.1, 48_000), offset(0.0, 0.1, 48_000)));
    assert!(of(offset(0.0, 0.9, 48_000), offset(-0.05, 0.1, 48_000)));
    let faded = |gain| {
        raised(
            &one(Track::new("x", stereo(offset(0.01, 0.1, 48_000), silent())).gain(Decibels(gain))),
            "W107",
        )
    };
    assert!(faded(-19.9) && !faded(-20.1));
    // A mean that one half takes back.
    assert!(!of(
        [vec![0.1; 24_000], vec![-0.1; 24_000]].concat(),
        silent()
    ));
}

#[test]
fn w107_counts_the_frames_of_clips_wherever_they_lie() {
    // Beside a long track, so that the mix goes on before and after.
    let at = |start: u64, frames: usize| {
        let clip = Clip::new(stereo(vec![0.05; frames], vec![0.0; frames])).at(Frames(start));
        let mut mix = one(Track::of("x").clip(clip));
        mix.add_track(Track::new(
            "long",
            stereo(vec![0.0; 200_000], vec![0.0; 200_000]),
        ));
        mix
    };
    for start in [0, 1, 9_000, 16_383, 40_000] {
        let warnings = report(&at(start, 48_000)).warnings;
        let found: Vec<_> = warnings
            .iter()
            .filter(|w| w.kind.code() == "W107")
            .collect();
        assert_eq!(found.len(), 1, "{start}");
        assert_eq!(
            found[0].text(),
            "its mean is not 0 but -26.0 dBFS: a constant offset",
            "{start}"
        );
        assert!(!raised(&at(start, 47_999), "W107"), "{start}");
    }
}

#[test]
fn w108_needs_the_same_stretches_of_the_same_stem_at_the_same_places() {
    let same = counting(100);
    let input = soundtrack::Input::from(same);
    let clip = || {
        Clip::new(input.clone())
            .from(Frames(10))
            .length(Frames(50))
            .at(Frames(5))
    };
    let two = |other: Track| {
        let mix = session(Layout::Mono, [Track::of("a").clip(clip()), other]);
        warned(&mix, "W108")
    };
    let b = |clip: Clip| Track::of("b").clip(clip);
    assert_eq!(two(b(clip())).len(), 1);
    assert_eq!(two(b(clip().gain(Decibels(-6.0)))).len(), 1);
    assert_eq!(two(b(clip()).gain(Decibels(-6.0)).pan(Pan::LEFT)).len(), 1);
    assert_eq!(two(b(clip().at(Frames(6)))).len(), 0);
    assert_eq!(two(b(clip().from(Frames(11)))).len(), 0);
    assert_eq!(two(b(clip().length(Frames(49)))).len(), 0);
    assert_eq!(two(b(clip()).clip(clip().at(Frames(80)))).len(), 0);
    assert_eq!(two(b(clip()).mute(true)).len(), 0);
    assert_eq!(
        two(b(Clip::new(counting(100))
            .from(Frames(10))
            .length(Frames(50))
            .at(Frames(5))))
        .len(),
        0
    );
    // A silent channel changes nothing of it; silence itself is no sound.
    let twins = |left: f64| {
        let input = soundtrack::Input::from(stereo(vec![left; 10], vec![0.0; 10]));
        warned(
            &session(
                Layout::Stereo,
                ["a", "b"].map(|name| Track::new(name, input.clone())),
            ),
            "W108",
        )
        .len()
    };
    assert_eq!([twins(0.5), twins(1e-9), twins(0.0)], [1, 1, 0]);
    // One of two clips alike is not enough, in any order.
    let other = || clip().at(Frames(80)).from(Frames(0));
    let pairs = |a: [Clip; 2], b: [Clip; 2]| {
        let of =
            |name: &str, clips: [Clip; 2]| clips.into_iter().fold(Track::of(name), Track::clip);
        warned(&session(Layout::Mono, [of("a", a), of("b", b)]), "W108").len()
    };
    assert_eq!(pairs([clip(), other()], [clip(), other()]), 1);
    assert_eq!(
        pairs([clip(), other()], [clip(), other().at(Frames(81))]),
        0
    );
    assert_eq!(pairs([clip(), other()], [clip().at(Frames(4)), other()]), 0);
    // Of three, the second and the third are told, each with the first.
    let mix = session(
        Layout::Mono,
        ["a", "b", "c"].map(|name| Track::of(name).clip(clip())),
    );
    let told = warned(&mix, "W108");
    assert_eq!(told.len(), 2);
    assert!(
        told[0].contains("track \"b\"") && told[1].contains("track \"c\""),
        "{told:?}"
    );
    assert!(told.iter().all(|t| t.contains("track \"a\"")), "{told:?}");
}

/// −30 dBFS.
const CLICK: f64 = 0.031_622_776_601_683_79;

#[test]
fn w109_from_minus_30_dbfs_at_either_end() {
    let edges = |first: f64, last: f64| {
        warned(
            &one(Track::new(
                "x",
                stereo(vec![first, 0.5, 0.5, last], vec![0.0; 4]),
            )),
            "W109",
        )
    };
    let (below, at) = (CLICK * (1.0 - 1e-9), CLICK);
    assert!(edges(below, below).is_empty() && edges(-below, 0.0).is_empty());
    for (first, last, starts, ends) in [
        (at, below, true, false),
        (-at, 0.0, true, false),
        (below, at, false, true),
        (0.0, -at, false, true),
        (at, -at, true, true),
    ] {
        let told = edges(first, last);
        assert_eq!(told.len(), 1, "{first} {last}");
        assert_eq!(
            (
                told[0].contains("starts at -30.0"),
                told[0].contains("ends at -30.0")
            ),
            (starts, ends),
            "{told:?}"
        );
    }
    // The loudest channel, with the gain of the clip and its fades; not the fader of the track.
    let right = |value: f64| Clip::new(stereo(vec![0.0; 4], vec![value, 0.0, 0.0, 0.0]));
    assert!(raised(&one(Track::of("x").clip(right(CLICK))), "W109"));
    assert!(raised(
        &one(Track::of("x").clip(right(CLICK / 9.99).gain(Decibels(20.0)))),
        "W109"
    ));
    assert!(!raised(
        &one(Track::of("x").clip(right(CLICK / 10.01).gain(Decibels(20.0)))),
        "W109"
    ));
    assert!(!raised(
        &one(Track::of("x").clip(right(1.0).fade_in(Fade::linear(Frames(1))))),
        "W109"
    ));
    assert!(raised(
        &one(Track::of("x").clip(right(1.0)).gain(Decibels(-60.0))),
        "W109"
    ));
    assert!(raised(
        &one(Track::of("x").clip(right(CLICK)).invert(true)),
        "W109"
    ));
}

#[test]
fn w109_of_edges_within_the_range_alone() {
    let clip = Clip::new(constant(0.5, 10)).at(Frames(5));
    let mix = session(
        Layout::Mono,
        [
            Track::of("x").clip(clip),
            Track::new("end", constant(0.0, 30)),
        ],
    );
    let told = |a, b| {
        let report = Bounce::new()
            .range(Frames(a)..Frames(b))
            .dry_run(Plan::compile(&mix).unwrap())
            .unwrap();
        let text: Vec<String> = report
            .warnings
            .iter()
            .filter(|w| w.kind.code() == "W109")
            .map(|w| w.text())
            .collect();
        (
            text.iter().any(|t| t.contains("starts")),
            text.iter().any(|t| t.contains("ends")),
        )
    };
    assert_eq!(told(0, 30), (true, true));
    assert_eq!(told(5, 15), (true, true));
    assert_eq!(told(6, 15), (false, true));
    assert_eq!(told(5, 14), (true, false));
    assert_eq!(told(6, 14), (false, false));
}

/// Two channels whose correlation is `−cos`, the second `ratio` times as strong: built of two patterns that are orthogonal
/// over any four frames.
fn pair(cos: f64, ratio: f64) -> Track {
    let sin = (1.0 - cos * cos).sqrt();
    let (left, other) = ([1.0, 1.0, -1.0, -1.0], [1.0, -1.0, -1.0, 1.0]);
    let l = (0..256).map(|n| 0.25 * left[n % 4]).collect();
    let r = (0..256)
        .map(|n| 0.25 * ratio * (sin * other[n % 4] - cos * left[n % 4]))
        .collect();
    Track::new("x", stereo(l, r)).gain(Decibels(-40.0))
}

#[test]
fn w110_from_a_correlation_of_minus_095_between_sides_at_most_6_db_apart() {
    let told = |cos, ratio| raised(&one(pair(cos, ratio)), "W110");
    assert!(told(1.0, 1.0) && told(0.951, 1.0) && !told(0.949, 1.0));
    assert!(!told(-1.0, 1.0) && !told(-0.951, 1.0) && !told(0.0, 1.0));
    // A factor of two in amplitude either way.
    assert!(told(1.0, 1.999) && !told(1.0, 2.001));
    assert!(told(1.0, 0.501) && !told(1.0, 0.499));
}

#[test]
fn w111_of_what_lies_at_or_after_the_end_with_all_its_clips() {
    let mut mix = session(
        Layout::Mono,
        [
            Track::new("y", constant(0.5, 100)),
            Track::of("x").clip(Clip::new(constant(0.5, 10)).at(Frames(50))),
        ],
    );
    let at = |mix: &mut Session, length| {
        mix.length = Some(Frames(length));
        raised(mix, "W111")
    };
    assert!(at(&mut mix, 50) && !at(&mut mix, 51) && at(&mut mix, 49));
    let early = Clip::new(constant(0.5, 10)).at(Frames(48));
    mix.tracks_mut()[1].clips.push(early);
    assert!(!at(&mut mix, 50) && at(&mut mix, 48) && !at(&mut mix, 49));
    // A bus that is down, and a send that is not.
    let mut mix = Session::new(RATE, Layout::Mono);
    let (down, hall) = (
        mix.add_bus(Bus::new("d").gain(Decibels::SILENCE)),
        mix.add_bus(Bus::new("h")),
    );
    let id = mix.add_track(Track::new("x", constant(0.5, 10)).to(down));
    assert!(raised(&mix, "W111"));
    mix.bus_mut(down).strip.gain = Decibels(-200.0);
    assert!(!raised(&mix, "W111"));
    mix.bus_mut(down).strip.gain = Decibels::SILENCE;
    let strip = &mut mix.track_mut(id).strip;
    strip.sends.push(soundtrack::BusSend {
        to: hall,
        gain: Decibels::SILENCE,
    });
    assert!(raised(&mix, "W111"));
    mix.track_mut(id).strip.sends[0].gain = Decibels(-60.0);
    assert!(!raised(&mix, "W111"));
}

#[test]
fn w112_where_a_stem_has_more_bits_than_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, format: Format| {
        let path = folder.path().join(name);
        Bounce::new()
            .format(format)
            .run(
                &session(Layout::Mono, [Track::new("x", constant(0.5, 10))]),
                &path,
            )
            .unwrap();
        path
    };
    let stems = [
        write("16.wav", Format::WAV_16),
        write("24.wav", Format::WAV_24),
        write("32.wav", Format::WAV_32),
        write("f.wav", Format::WAV_32F),
    ];
    let told = |stem: &std::path::Path, format: Format| {
        let mix = session(Layout::Mono, [Track::new("x", stem)]);
        let report = Bounce::new()
            .format(format)
            .overwrite(true)
            .run(&mix, folder.path().join("o.wav"))
            .unwrap();
        report.warnings.iter().any(|w| w.kind.code() == "W112")
    };
    let table = [
        Format::WAV_16,
        Format::WAV_24,
        Format::WAV_32,
        Format::WAV_32F,
    ]
    .map(|format| [0, 1, 2, 3].map(|n| told(&stems[n], format)));
    // Files of 16, 24, 32 bits and float, from stems of the same: a float stem has the precision of 24.
    let want = [
        [false, true, true, true],
        [false, false, true, false],
        [false; 4],
        [false; 4],
    ];
    assert_eq!(table, want);
}

#[test]
fn w116_above_24_dbfs_before_or_after_the_strip() {
    const LIMIT: f64 = 15.848_931_924_611_133;
    let peak = |value: f64, gain: f64| {
        let memory = stereo(
            vec![0.0, 0.1, value, 0.1, 0.0],
            vec![0.0, 0.1, 0.1, 0.1, 0.0],
        );
        warned(&one(Track::new("x", memory).gain(Decibels(gain))), "W116")
    };
    assert!(peak(LIMIT, 0.0).is_empty() && peak(-LIMIT, 0.0).is_empty());
    assert_eq!(
        (
            peak(LIMIT.next_up(), 0.0).len(),
            peak(-LIMIT.next_up(), 0.0).len()
        ),
        (1, 1)
    );
    // The stem is what counts first, whatever the fader; then what comes out of the strip.
    assert!(peak(15.85, -40.0)[0].contains("its stem peaks at +24.0 dBFS"));
    assert!(peak(1.0, 23.99).is_empty());
    let lifted = peak(1.0, 24.01);
    assert!(
        lifted[0].contains("peaks at +24.0 dBFS") && !lifted[0].contains("stem"),
        "{lifted:?}"
    );
}

#[test]
fn w114_of_a_timecode_between_two_frames_alone() {
    use soundtrack::{FrameRate, Timecode};
    let told = |number, hz: u32, used: bool| {
        let at = Timecode::of_number(number, FrameRate::FPS_29_97);
        let mut film = Session::new(rate(hz), Layout::Mono);
        let memory = Memory::new(
            Spec {
                rate: rate(hz),
                layout: Layout::Mono,
            },
            vec![vec![0.5; 4]],
        )
        .unwrap();
        if used {
            film.add_cue(
                Cue::new("c")
                    .track(Track::new("x", memory))
                    .used(Use::at(at)),
            );
        } else {
            film.add_track(Track::of("x").clip(Clip::new(memory).at(at)));
        }
        warned(&film, "W114").len()
    };
    // 1601.6 frames of 48 kHz, 8008 of the fifth; 1471.47 of 44.1 kHz.
    for used in [false, true] {
        assert_eq!(
            [
                told(0, 48_000, used),
                told(1, 48_000, used),
                told(4, 48_000, used),
                told(5, 48_000, used)
            ],
            [0, 1, 1, 0]
        );
        assert_eq!([told(1, 44_100, used), told(100, 44_100, used)], [1, 0]);
    }
}

#[test]
fn w101_says_how_much_lower_is_enough() {
    let lower = |peak: f64| {
        let folder = tempfile::tempdir().unwrap();
        let mix = session(
            Layout::Mono,
            [Track::new(
                "x",
                mono(vec![0.0, 10f64.powf(peak / 20.0), 0.0]),
            )],
        );
        let found = Bounce::new()
            .format(Format::WAV_16)
            .run(&mix, folder.path().join("x.wav"))
            .unwrap();
        found
            .warnings
            .into_iter()
            .find(|w| w.kind.code() == "W101")
            .unwrap()
            .text()
    };
    // The next tenth of a decibel above the peak, since full scale itself does not fit.
    for (peak, by) in [
        (0.0, "0.1"),
        (0.04, "0.1"),
        (0.11, "0.2"),
        (5.99, "6.0"),
        (6.01, "6.1"),
    ] {
        let told = lower(peak);
        assert!(
            told.starts_with("1 sample clipped, ")
                && told.contains(&format!("lower the master by {by} dB")),
            "{told}"
        );
    }
}

#[test]
fn silenced_places_are_told_by_the_first_and_the_number_of_the_others() {
    let told = |bad: &[usize]| {
        let mut samples = vec![0.5; 2000];
        bad.iter().for_each(|n| samples[*n] = f64::NAN);
        let mut mix = session(Layout::Mono, [Track::new("x", mono(samples))]);
        mix.damage = soundtrack::Damage::Silence;
        warned(&mix, "W117").remove(0)
    };
    let one = told(&[480, 481]);
    assert!(
        one.contains("at 00:00:00.010, 2 frames silenced") && !one.contains("more place"),
        "{one}"
    );
    assert!(
        told(&[480, 960, 1440]).contains("at 00:00:00.010 and 2 more places, 3 frames silenced")
    );
}
