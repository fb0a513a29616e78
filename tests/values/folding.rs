//! Every coefficient of every fold between named layouts (ITU-R BS.775), by `Layout::fold` and as a session plays it.

use crate::stems::{close, heard, power, powers, session};
use soundtrack::{Layout, Track};
use std::f64::consts::FRAC_1_SQRT_2;

/// Named layouts and their channels in WAVE order.
const LAYOUTS: [(Layout, &str); 11] = [
    (Layout::Mono, "M"),
    (Layout::Stereo, "L R"),
    (Layout::Stereo21, "L R LFE"),
    (Layout::Lcr, "L R C"),
    (Layout::Lcrs, "L R C Cs"),
    (Layout::Quad, "L R Ls Rs"),
    (Layout::Surround50, "L R C Ls Rs"),
    (Layout::Surround51, "L R C LFE Ls Rs"),
    (Layout::Surround61, "L R C LFE Cs Ls Rs"),
    (Layout::Surround70, "L R C Lb Rb Ls Rs"),
    (Layout::Surround71, "L R C LFE Lb Rb Ls Rs"),
];

/// The channels of the columns of [`FOLDS`].
const SOURCES: [&str; 10] = ["M", "L", "R", "C", "LFE", "Lb", "Rb", "Cs", "Ls", "Rs"];

/// Where each channel goes in each layout: `1` is unity, `k` −3.01 dB, `h` −6.02 dB, `-` nowhere.
#[rustfmt::skip]
const FOLDS: [(Layout, [&str; 10]); 11] = [
    //                     M        L      R      C        LFE      Lb      Rb      Cs         Ls      Rs
    (Layout::Mono,       ["M1",    "Mk",  "Mk",  "M1",    "-",     "Mh",   "Mh",   "Mk",      "Mh",   "Mh"]),
    (Layout::Stereo,     ["L1 R1", "L1",  "R1",  "Lk Rk", "-",     "Lk",   "Rk",   "Lh Rh",   "Lk",   "Rk"]),
    (Layout::Stereo21,   ["L1 R1", "L1",  "R1",  "Lk Rk", "LFE1",  "Lk",   "Rk",   "Lh Rh",   "Lk",   "Rk"]),
    (Layout::Lcr,        ["L1 R1", "L1",  "R1",  "C1",    "-",     "Lk",   "Rk",   "Lh Rh",   "Lk",   "Rk"]),
    (Layout::Lcrs,       ["L1 R1", "L1",  "R1",  "C1",    "-",     "Csk",  "Csk",  "Cs1",     "Csk",  "Csk"]),
    (Layout::Quad,       ["L1 R1", "L1",  "R1",  "Lk Rk", "-",     "Ls1",  "Rs1",  "Lsk Rsk", "Ls1",  "Rs1"]),
    (Layout::Surround50, ["L1 R1", "L1",  "R1",  "C1",    "-",     "Ls1",  "Rs1",  "Lsk Rsk", "Ls1",  "Rs1"]),
    (Layout::Surround51, ["L1 R1", "L1",  "R1",  "C1",    "LFE1",  "Ls1",  "Rs1",  "Lsk Rsk", "Ls1",  "Rs1"]),
    (Layout::Surround61, ["L1 R1", "L1",  "R1",  "C1",    "LFE1",  "Ls1",  "Rs1",  "Cs1",     "Ls1",  "Rs1"]),
    (Layout::Surround70, ["L1 R1", "L1",  "R1",  "C1",    "-",     "Lb1",  "Rb1",  "Lbk Rbk", "Ls1",  "Rs1"]),
    (Layout::Surround71, ["L1 R1", "L1",  "R1",  "C1",    "LFE1",  "Lb1",  "Rb1",  "Lbk Rbk", "Ls1",  "Rs1"]),
];

fn channels(layout: Layout) -> Vec<&'static str> {
    LAYOUTS
        .iter()
        .find(|(l, _)| *l == layout)
        .unwrap()
        .1
        .split(' ')
        .collect()
}

/// The coefficient from one channel into another, by the table.
fn coefficient(source: &str, to: Layout, target: &str) -> f64 {
    let column = SOURCES.iter().position(|s| *s == source).unwrap();
    let row = FOLDS.iter().find(|(l, _)| *l == to).unwrap().1[column];
    let gains = row
        .split(' ')
        .filter_map(|cell| match cell.strip_prefix(target)? {
            "1" => Some(1.0),
            "k" => Some(FRAC_1_SQRT_2),
            "h" => Some(0.5),
            // Another channel whose name begins alike: `Ls` is not `L`.
            _ => None,
        });
    gains.sum()
}

fn table(from: Layout, to: Layout) -> Vec<Vec<f64>> {
    let row = |target: &&str| {
        channels(from)
            .iter()
            .map(|source| coefficient(source, to, target))
            .collect()
    };
    channels(to).iter().map(row).collect()
}

#[test]
fn every_coefficient_is_the_one_of_the_table() {
    for (from, sources) in LAYOUTS {
        for (to, targets) in LAYOUTS {
            let got = from.fold(to).unwrap();
            let want = table(from, to);
            for (row, target) in targets.split(' ').enumerate() {
                for (column, source) in sources.split(' ').enumerate() {
                    let (got, want) = (got[row][column], want[row][column]);
                    assert!(
                        (got - want).abs() < 1e-15,
                        "{from} to {to}: {source} into {target} at {got}, not {want}"
                    );
                }
            }
            assert_eq!(
                (got.len(), got[0].len()),
                (want.len(), want[0].len()),
                "{from} to {to}"
            );
        }
    }
}

#[test]
fn a_session_folds_by_the_same_coefficients() {
    for (from, _) in LAYOUTS
        .into_iter()
        .filter(|(from, _)| *from != Layout::Mono)
    {
        for (to, _) in LAYOUTS {
            let got: Vec<f64> = heard(&session(to, [Track::new("x", powers(from, 3))]))
                .iter()
                .map(|channel| channel[1])
                .collect();
            let sum = |row: Vec<f64>| {
                row.iter()
                    .enumerate()
                    .map(|(channel, gain)| power(channel) * gain)
                    .sum::<f64>()
            };
            let want: Vec<f64> = table(from, to).into_iter().map(sum).collect();
            let loudest = want.iter().copied().fold(1.0, f64::max);
            close(&got, &want, 1e-15 * loudest);
        }
    }
}

#[test]
fn clips_of_unlike_layouts_on_one_track_fold_each_by_its_own() {
    use soundtrack::{Clip, Frames};
    let clip = |layout, at| Clip::new(powers(layout, 4)).at(Frames(at));
    let track = Track::of("x")
        .clip(clip(Layout::Surround51, 0))
        .clip(clip(Layout::Lcrs, 2))
        .clip(clip(Layout::Mono, 8));
    let got = heard(&session(Layout::Stereo, [track]));
    let k = FRAC_1_SQRT_2;
    // 5.1 is 1 16 256 4096 65536 1048576, LCRS 1 16 256 4096, mono 1 at −3 dB a side.
    let (wide, four) = (
        [
            1.0 + (256.0 + 65_536.0) * k,
            16.0 + (256.0 + 1_048_576.0) * k,
        ],
        [1.0, 16.0].map(|x| x + 256.0 * k + 2048.0),
    );
    for (side, got) in got.iter().enumerate() {
        let (a, b) = (wide[side], four[side]);
        close(got, &[a, a, a + b, a + b, b, b, 0.0, 0.0, k, k, k, k], 1e-9);
    }
}

#[test]
fn channels_that_a_later_clip_does_not_reach_keep_what_they_have() {
    use soundtrack::Clip;
    // LCR, then stereo, then mono in 5.1: the centre keeps its 256, the LFE and the surrounds hold 0.
    let track = [Layout::Lcr, Layout::Stereo, Layout::Mono]
        .into_iter()
        .fold(Track::of("x"), |t, l| t.clip(Clip::new(powers(l, 3))));
    let got: Vec<f64> = heard(&session(Layout::Surround51, [track]))
        .iter()
        .map(|c| c[1])
        .collect();
    close(
        &got,
        &[
            2.0 + FRAC_1_SQRT_2,
            32.0 + FRAC_1_SQRT_2,
            256.0,
            0.0,
            0.0,
            0.0,
        ],
        1e-12,
    );
}

/// The bits of the WAVE channel mask (dwChannelMask) of each channel of each layout.
const MASKS: [(Layout, u8, u32); 11] = [
    (Layout::Mono, 1, 0x4),
    (Layout::Stereo, 2, 0x3),
    (Layout::Stereo21, 3, 0x1 | 0x2 | 0x8),
    (Layout::Lcr, 3, 0x1 | 0x2 | 0x4),
    (Layout::Lcrs, 4, 0x1 | 0x2 | 0x4 | 0x100),
    (Layout::Quad, 4, 0x1 | 0x2 | 0x10 | 0x20),
    (Layout::Surround50, 5, 0x1 | 0x2 | 0x4 | 0x10 | 0x20),
    (Layout::Surround51, 6, 0x1 | 0x2 | 0x4 | 0x8 | 0x10 | 0x20),
    (
        Layout::Surround61,
        7,
        0x1 | 0x2 | 0x4 | 0x8 | 0x100 | 0x200 | 0x400,
    ),
    (
        Layout::Surround70,
        7,
        0x1 | 0x2 | 0x4 | 0x10 | 0x20 | 0x200 | 0x400,
    ),
    (
        Layout::Surround71,
        8,
        0x1 | 0x2 | 0x4 | 0x8 | 0x10 | 0x20 | 0x200 | 0x400,
    ),
];

#[test]
fn a_mask_and_a_number_of_channels_name_a_layout_together() {
    for (layout, channels, mask) in MASKS {
        assert_eq!(
            (layout.channels(), layout.mask()),
            (usize::from(channels), mask),
            "{layout}"
        );
        assert_eq!(layout.to_string().parse(), Ok(layout));
        for (other, count, _) in MASKS {
            // Bits for which there is no channel are ignored: the lowest are those of the first channels.
            let lowest: u32 = (0..32)
                .map(|bit| mask & 1 << bit)
                .filter(|bit| *bit != 0)
                .take(count.into())
                .sum();
            let named = MASKS
                .iter()
                .find(|(_, n, mask)| (*n, *mask) == (count, lowest));
            let want = named.map_or(Layout::Discrete(count), |(layout, ..)| *layout);
            // One channel is mono, whatever its place.
            let want = if count == 1 { Layout::Mono } else { want };
            assert_eq!(
                Layout::from_mask(count, mask),
                want,
                "{mask:#x} with as many channels as {other}"
            );
        }
    }
    // The side variants of the surround pair.
    assert_eq!(
        [(4, 0x603), (5, 0x607), (6, 0x60F)].map(|(n, mask)| Layout::from_mask(n, mask)),
        [Layout::Quad, Layout::Surround50, Layout::Surround51]
    );
    // Without a mask only one and two channels have places.
    assert_eq!(
        (1..=8).map(|n| Layout::from_mask(n, 0)).collect::<Vec<_>>()[..3],
        [Layout::Mono, Layout::Stereo, Layout::Discrete(3)]
    );
    assert_eq!(
        (
            Layout::from_mask(6, 0),
            Layout::Discrete(6).mask(),
            Layout::Discrete(6).channels()
        ),
        (Layout::Discrete(6), 0, 6)
    );
}

#[test]
fn channels_without_places_fold_into_their_like_alone() {
    assert_eq!(
        Layout::Discrete(3).fold(Layout::Discrete(3)).unwrap(),
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    );
    for (named, _, _) in MASKS {
        assert_eq!(
            (
                Layout::Discrete(3).fold(named),
                named.fold(Layout::Discrete(3))
            ),
            (None, None),
            "{named}"
        );
    }
    assert_eq!(Layout::Discrete(3).fold(Layout::Discrete(2)), None);
}

#[test]
fn a_faded_clip_folds_by_the_same_coefficients() {
    use soundtrack::{Clip, Decibels, Fade, Frames};
    let clip = || Clip::new(powers(Layout::Surround51, 4)).fade_in(Fade::linear(Frames(4)));
    let (left, right) = (
        1.0 + (256.0 + 65_536.0) * FRAC_1_SQRT_2,
        16.0 + (256.0 + 1_048_576.0) * FRAC_1_SQRT_2,
    );
    let rise = |full: f64| [0.0, 0.25, 0.5, 0.75].map(|x| x * full);
    let got = heard(&session(Layout::Stereo, [Track::of("x").clip(clip())]));
    close(&got[0], &rise(left), 1e-9);
    close(&got[1], &rise(right), 1e-9);
    // Beside another clip, with a gain of its own.
    let beside = Track::of("x")
        .clip(Clip::new(powers(Layout::Stereo, 4)))
        .clip(clip().gain(Decibels(-20.0)));
    let got = heard(&session(Layout::Stereo, [beside]));
    close(&got[0], &rise(left / 10.0).map(|x| x + 1.0), 1e-9);
    close(&got[1], &rise(right / 10.0).map(|x| x + 16.0), 1e-9);
}

#[test]
fn layouts_are_known_by_name_in_small_and_capital_letters() {
    for (name, layout) in [
        ("stereo", Layout::Stereo),
        ("Stereo", Layout::Stereo),
        ("LCR", Layout::Lcr),
        ("QUAD", Layout::Quad),
        ("5.1", Layout::Surround51),
    ] {
        assert_eq!(name.parse(), Ok(layout), "{name}");
    }
    assert!(
        ["", "stereo ", "5,1", "51"]
            .iter()
            .all(|name| name.parse::<Layout>().is_err())
    );
}
