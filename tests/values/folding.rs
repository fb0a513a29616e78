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
    LAYOUTS.iter().find(|(l, _)| *l == layout).unwrap().1.split(' ').collect()
}

/// The coefficient from one channel into another, by the table.
fn coefficient(source: &str, to: Layout, target: &str) -> f64 {
    let column = SOURCES.iter().position(|s| *s == source).unwrap();
    let row = FOLDS.iter().find(|(l, _)| *l == to).unwrap().1[column];
    let gains = row.split(' ').filter_map(|cell| match cell.strip_prefix(target)? {
        "1" => Some(1.0),
        "k" => Some(FRAC_1_SQRT_2),
        "h" => Some(0.5),
        // Another channel whose name begins alike: `Ls` is not `L`.
        _ => None,
    });
    gains.sum()
}

fn table(from: Layout, to: Layout) -> Vec<Vec<f64>> {
    let row = |target: &&str| channels(from).iter().map(|source| coefficient(source, to, target)).collect();
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
                    assert!((got - want).abs() < 1e-15, "{from} to {to}: {source} into {target} at {got}, not {want}");
                }
            }
            assert_eq!((got.len(), got[0].len()), (want.len(), want[0].len()), "{from} to {to}");
        }
    }
}

#[test]
fn a_session_folds_by_the_same_coefficients() {
    for (from, _) in LAYOUTS.into_iter().filter(|(from, _)| *from != Layout::Mono) {
        for (to, _) in LAYOUTS {
            let got: Vec<f64> =
                heard(&session(to, [Track::new("x", powers(from, 3))])).iter().map(|channel| channel[1]).collect();
            let sum = |row: Vec<f64>| row.iter().enumerate().map(|(channel, gain)| power(channel) * gain).sum::<f64>();
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
    let track =
        Track::of("x").clip(clip(Layout::Surround51, 0)).clip(clip(Layout::Lcrs, 2)).clip(clip(Layout::Mono, 8));
    let got = heard(&session(Layout::Stereo, [track]));
    let k = FRAC_1_SQRT_2;
    // 5.1 is 1 16 256 4096 65536 1048576, LCRS 1 16 256 4096, mono 1 at −3 dB a side.
    let (wide, four) =
        ([1.0 + (256.0 + 65_536.0) * k, 16.0 + (256.0 + 1_048_576.0) * k], [1.0, 16.0].map(|x| x + 256.0 * k + 2048.0));
    for (side, got) in got.iter().enumerate() {
        let (a, b) = (wide[side], four[side]);
        close(got, &[a, a, a + b, a + b, b, b, 0.0, 0.0, k, k, k, k], 1e-9);
    }
}
