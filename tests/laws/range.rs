//! Law 3: ranges join without a seam, and starting anywhere equals the tail of starting at 0.

use crate::{processors::built_in, random_sessions::session};
use proptest::prelude::*;
use soundtrack::{
    Block, Bounce, Clip, Dbtp, ErrorKind, Frames, Layout, Options, Plan, Renderer, SampleRate,
    Session, Spec, Track, encode, media::Memory,
};
use soundtrack_test_support::renders::{length, noise, rendered, same_bits};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn two_halves_are_the_whole(session in session(), cut in 0.0f64..1.0, block in 1usize..5000) {
        let end = length(&session);
        let middle = (end as f64 * cut) as u64;
        let whole = rendered(&session, 4096, 1, 0..end);
        let (mut left, right) = (rendered(&session, block, 1, 0..middle), rendered(&session, block, 2, middle..end));
        left.resize(whole.len(), Vec::new());
        for (l, r) in left.iter_mut().zip(&right) {
            l.extend_from_slice(r);
        }
        same_bits(&whole, &left);
    }

    #[test]
    fn one_renderer_may_jump_at_will(session in session(), jumps in prop::collection::vec((0.0f64..1.1, 1usize..2000), 12)) {
        let end = length(&session);
        let whole = rendered(&session, 4096, 1, 0..end);
        let mut renderer = Renderer::new(Plan::compile(&session).unwrap(), &Options { threads: 1 }).unwrap();
        for (to, size) in jumps {
            let to = (end as f64 * to) as u64;
            let mut block = Block::new(session.layout, size);
            renderer.seek(Frames(to));
            let n = renderer.render(&mut block).unwrap();
            prop_assert_eq!(n as u64, (size as u64).min(end.saturating_sub(to)));
            let part: Vec<Vec<f64>> = block.channels().map(<[f64]>::to_vec).collect();
            let at = to.min(end) as usize;
            let want: Vec<Vec<f64>> = whole.iter().map(|c| c[at..at + n].to_vec()).collect();
            same_bits(&want, &part);
        }
    }
}

/// Frames after which a compressor with a release of 0.1 s forgets, though not to the last bit: 14 times as long.
const FORGETS: u64 = 67_200;

/// A track with a compressor: clips at a frame, with so many loud frames, and so many that it turns down by nothing.
fn compressed(clips: &[(u64, u64, u64)]) -> Session {
    let spec = Spec {
        rate: SampleRate::HZ_48000,
        layout: Layout::Mono,
    };
    let stem = |loud: u64, quiet: u64| {
        let sample = |n: u64| noise(4, 0, n) * if n < loud { 0.9 } else { 0.01 };
        Memory::new(spec, vec![(0..loud + quiet).map(sample).collect()]).unwrap()
    };
    let values = [("threshold", -30.0), ("knee", 0.0), ("release", 0.1)];
    let insert = built_in("compressor", &values);
    let track = clips
        .iter()
        .fold(Track::of("t"), |track, &(at, loud, quiet)| {
            track.clip(Clip::new(stem(loud, quiet)).at(Frames(at)))
        });
    let mut mix = Session::new(spec.rate, spec.layout);
    mix.add_track(track.insert(insert));
    mix
}

/// The grid on which recursive processors restart has a position at frame 2^20.
#[test]
fn processors_restart_at_their_grid_within_blocks() {
    let grid = 1 << 20;
    let mix = compressed(&[(0, grid - FORGETS, FORGETS + 3_000)]);
    let end = grid + 3_000;
    // The input as it is: the processor that takes over has heard only what is quiet.
    let behind: Vec<f64> = (grid..end).map(|n| 0.01 * noise(4, 0, n)).collect();
    for block in [4_096, 777, 1_001] {
        let whole = rendered(&mix, block, 1, 0..end).remove(0);
        same_bits(
            &[whole[grid as usize..].to_vec()],
            std::slice::from_ref(&behind),
        );
        let before = whole[grid as usize - 1] / (0.01 * noise(4, 0, grid - 1));
        assert!((0.999_99..1.0).contains(&before), "{before}");
        let around = rendered(&mix, block, 1, grid - 3_000..end).remove(0);
        same_bits(&[whole[grid as usize - 3_000..].to_vec()], &[around]);
        let part = rendered(&mix, block, 1, grid + 100..end).remove(0);
        same_bits(&[behind[100..].to_vec()], &[part]);
    }
}

#[test]
fn what_follows_a_long_silence_does_not_depend_on_what_was_before() {
    let second = 10_000 + FORGETS + 500;
    let mix = compressed(&[(0, 10_000, 0), (second, 0, 2_000)]);
    let end = second + 2_000;
    let quiet: Vec<f64> = (0..2_000).map(|n| 0.01 * noise(4, 0, n)).collect();
    for block in [4_096, 777] {
        let whole = rendered(&mix, block, 1, 0..end).remove(0);
        same_bits(
            &[whole[second as usize..].to_vec()],
            std::slice::from_ref(&quiet),
        );
        let alone = rendered(&mix, block, 1, second..end);
        same_bits(&alone, std::slice::from_ref(&quiet));
    }
}

#[test]
fn what_comes_after_a_range_neither_counts_nor_fails() {
    // Quiet, then loud 1 frame after the range, then no numbers.
    let samples = (0..60_000)
        .map(|n| [0.01, 0.9, f64::NAN][usize::from(n > 10_000) + usize::from(n >= 12_000)])
        .collect();
    let spec = Spec {
        rate: SampleRate::HZ_48000,
        layout: Layout::Mono,
    };
    let mut mix = Session::new(spec.rate, spec.layout);
    mix.add_track(Track::new("t", Memory::new(spec, vec![samples]).unwrap()));
    for (limit, threads, block) in [
        (None, 1, 16_384),
        (None, 2, 4_096),
        (Some(Dbtp(-1.0)), 1, 16_384),
        (Some(Dbtp(-1.0)), 2, 77),
    ] {
        mix.master.limit = limit;
        let mut renderer =
            Renderer::new(Plan::compile(&mix).unwrap(), &Options { threads }).unwrap();
        let mut memory = encode::MemorySink::default();
        let bounce = Bounce::new()
            .threads(threads)
            .block(block)
            .range(Frames(0)..Frames(10_001));
        let report = bounce.into_sink(&mut renderer, &mut memory).unwrap();
        assert_eq!(
            report.tracks[0].strip.peak_dbfs,
            Some(-40.0),
            "{limit:?}, {threads} threads, blocks of {block}"
        );
        assert_eq!(memory.into_channels()[0].len(), 10_001);
    }
}

#[test]
fn a_range_that_fits_in_no_memory_is_refused() {
    let spec = Spec {
        rate: SampleRate::HZ_48000,
        layout: Layout::Stereo,
    };
    let mut mix = Session::new(spec.rate, spec.layout);
    mix.add_track(Track::new(
        "t",
        Memory::new(spec, vec![vec![0.5; 10]; 2]).unwrap(),
    ));
    for end in [u64::MAX, 1 << 58] {
        let refused = mix.render(Frames(1)..Frames(end)).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Resource);
        let what = format!(
            "{} frames of 2 channels are more than fit in memory: ask for less",
            end - 1
        );
        assert_eq!(refused.to_string(), what);
    }
    assert_eq!(mix.render(Frames(9)..Frames(11)).unwrap(), [[0.5, 0.0]; 2]);
}
