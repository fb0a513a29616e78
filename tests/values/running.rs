//! What a renderer keeps from block to block: delays, taps, reductions, edges of clips, and what it silenced.

use crate::stems::{constant, first, mono, rate, report, session, stem, warned};
use soundtrack::{
    Block, Bounce, Bus, Clip, Damage, Dbtp, Frames, Insert, Layout, Options, Plan, Renderer,
    Session, Spec, Track,
    media::{FlawKind, Memory},
};

fn drawn(renderer: &mut Renderer, block: usize) -> Vec<u64> {
    let mut out = Vec::new();
    let mut block = Block::new(renderer.plan().spec().layout, block);
    while renderer.render(&mut block).unwrap() > 0 {
        out.extend(block.channel(0).iter().map(|x| x.to_bits()));
    }
    out
}

#[test]
fn a_renderer_that_goes_back_to_the_start_gives_the_same_bits() {
    // The limiter takes nothing away, but it is 256 frames late, so the other track is delayed by as much. That one begins
    // late: where the renderer turns back, its latest frames are still on their way.
    let mut mix = session(
        Layout::Mono,
        [
            Track::new("early", constant(0.25, 6000)).insert(Insert::limiter(Dbtp(0.0))),
            Track::of("late").clip(Clip::new(constant(0.5, 1000)).at(Frames(5000))),
        ],
    );
    let bus = mix.add_bus(Bus::new("b").insert(Insert::limiter(Dbtp(0.0))));
    mix.tracks_mut()[0].strip.to = Some(bus);
    let mut renderer =
        Renderer::new(Plan::compile(&mix).unwrap(), &Options { threads: 1 }).unwrap();
    let want: Vec<u64> = (0..6000)
        .map(|n| if n < 5000 { 0.25f64 } else { 0.75 }.to_bits())
        .collect();
    assert_eq!(drawn(&mut renderer, 512), want);
    for at in [0, 4900, 5500] {
        renderer.seek(Frames(0));
        let mut block = Block::new(Layout::Mono, 5700);
        assert_eq!(renderer.render(&mut block).unwrap(), 5700);
        renderer.seek(Frames(at));
        assert_eq!(drawn(&mut renderer, 512), want[at as usize..], "{at}");
    }
}

#[test]
fn a_stem_is_positive_zero_where_nothing_sounds_and_negative_zero_where_others_do() {
    let mut mix = session(
        Layout::Mono,
        [
            Track::of("a").clip(Clip::new(constant(0.5, 10)).at(Frames(10))),
            Track::of("b").clip(Clip::new(constant(-0.25, 10)).at(Frames(30))),
        ],
    );
    mix.length = Some(Frames(50));
    let buses = [mix.add_bus(Bus::new("a")), mix.add_bus(Bus::new("b"))];
    mix.tracks_mut()
        .iter_mut()
        .zip(buses)
        .for_each(|(track, bus)| track.strip.to = Some(bus));
    let stems = mix.render_stems(&buses, Frames(0)..Frames(50)).unwrap();
    let bits = |stem: usize, range: std::ops::Range<usize>| {
        let bits: Vec<u64> = stems[stem][0][range].iter().map(|x| x.to_bits()).collect();
        assert!(bits.windows(2).all(|w| w[0] == w[1]), "{bits:?}");
        f64::from_bits(bits[0])
    };
    let same = |a: f64, b: f64| assert_eq!(a.to_bits(), b.to_bits(), "{a:?} {b:?}");
    for silent in [0..10, 20..30, 40..50] {
        same(bits(0, silent.clone()), 0.0);
        same(bits(1, silent), 0.0);
    }
    same(bits(0, 10..20), 0.5);
    same(bits(1, 10..20), -0.0);
    same(bits(0, 30..40), -0.0);
    same(bits(1, 30..40), -0.25);
}

#[test]
fn the_reduction_of_each_tenth_is_the_strongest_that_its_frames_have() {
    let mut samples = vec![0.25; 48_000];
    // It begins to fall before the end of a tenth, at 19,200, and is strongest after it.
    samples[19_300..30_000].fill(1.0);
    let mut mix = session(Layout::Mono, [Track::new("x", mono(samples.clone()))]);
    mix.master.limit = Some(Dbtp(-6.0));
    let got = first(&mix);
    let strongest = |frames: std::ops::Range<usize>| {
        let taken = frames.map(|n| -20.0 * (got[n] / samples[n]).log10());
        taken.fold(0.0, f64::max)
    };
    for start in [0usize, 16_000, 24_000] {
        let bounce = Bounce::new().range(Frames(start as u64)..Frames(48_000));
        let report = bounce.dry_run(Plan::compile(&mix).unwrap()).unwrap();
        let found = &report.mix.inserts[0];
        let tenths = (48_000 - start).div_ceil(4800);
        assert_eq!(found.reduction_curve_db.len(), tenths, "{start}");
        for (k, got) in found.reduction_curve_db.iter().enumerate() {
            let from = start + k * 4800;
            let want = strongest(from..(from + 4800).min(48_000));
            assert!(
                (f64::from(*got) - want).abs() < 1e-5,
                "{start} {k}: {got} for {want}"
            );
        }
        assert!((found.reduction_db.unwrap() - strongest(start..48_000)).abs() < 1e-9);
    }
}

#[test]
fn a_clip_that_ends_long_before_the_mix_is_told_by_its_end() {
    // It swells from nothing, so only its end may click, many blocks before the mix ends.
    let ramp: Vec<f64> = (0..1000).map(|n| f64::from(n) / 2000.0).collect();
    let mix = session(
        Layout::Mono,
        [Track::of("x").clip(Clip::new(mono(ramp)).at(Frames(100)))],
    );
    for (block, length) in [(64, 3000), (4096, 100_000)] {
        let mut mix = mix.clone();
        mix.length = Some(Frames(length));
        let found = Bounce::new()
            .block(block)
            .dry_run(Plan::compile(&mix).unwrap())
            .unwrap();
        let told: Vec<_> = found
            .warnings
            .iter()
            .filter(|w| w.kind.code() == "W109")
            .collect();
        assert_eq!(told.len(), 1, "{block}");
        assert!(
            told[0].text().starts_with("ends at -6.0 dBFS"),
            "{}",
            told[0].text()
        );
    }
}

#[test]
fn clips_of_both_kinds_are_judged_by_what_their_stems_hold() {
    // Mono is panned and stereo is not, so what leaves the strip says nothing of one stem alone.
    let level = |stereo: f64, single: f64| {
        let wide = stem(Layout::Stereo, vec![vec![stereo; 4], vec![0.0; 4]]);
        let track = Track::of("x")
            .clip(Clip::new(wide))
            .clip(Clip::new(constant(single, 4)).at(Frames(10)));
        warned(&session(Layout::Stereo, [track]), "W116")
    };
    assert_eq!((level(15.8, 0.1).len(), level(0.1, 15.8).len()), (0, 0));
    assert_eq!((level(15.9, 0.1).len(), level(0.1, 15.9).len()), (1, 1));
}

/// A mono stem of 0.5 with samples that are no numbers, silenced, at a rate.
fn broken(hz: u32, frames: usize, bad: &[usize]) -> Session {
    let mut samples = vec![0.5; frames];
    bad.iter().for_each(|n| samples[*n] = f64::NAN);
    let spec = Spec {
        rate: rate(hz),
        layout: Layout::Mono,
    };
    let mut mix = session(
        Layout::Mono,
        [Track::new("x", Memory::new(spec, vec![samples]).unwrap())],
    );
    mix.damage = Damage::Silence;
    mix
}

#[test]
fn silenced_frames_are_counted_once_in_frames_of_the_session() {
    let told = |hz: u32, bad: &[usize]| {
        let found = report(&broken(hz, 4000, bad))
            .tracks
            .swap_remove(0)
            .clips
            .swap_remove(0)
            .silenced;
        assert!(
            found.len() == 1 && found[0].kind == FlawKind::NonFinite,
            "{found:?}"
        );
        let first: Vec<_> = found[0]
            .first
            .iter()
            .map(|s| ((s.at_s * 48_000.0).round() as u64, s.frames))
            .collect();
        (found[0].places, found[0].frames, first)
    };
    assert_eq!(
        told(48_000, &[100, 102, 103]),
        (2, 3, vec![(100, 1), (102, 2)])
    );
    // From the frame that has begun to the one that has ended: 404..405 is 101..102, 405..406 is 101..102 as well.
    assert_eq!(told(192_000, &[404]), (1, 1, vec![(101, 1)]));
    assert_eq!(told(192_000, &[405]), (1, 1, vec![(101, 1)]));
    // 400..401 is 100..101 and 402..405 is 100..102: two places, two frames.
    assert_eq!(
        told(192_000, &[400, 402, 403, 404]),
        (2, 2, vec![(100, 1), (100, 2)])
    );
    // The first 32 places are listed, all are counted.
    let many: Vec<usize> = (0..40).map(|n| 10 * n).collect();
    let (places, frames, listed) = told(48_000, &many);
    assert_eq!(
        (places, frames, listed.len(), listed[31]),
        (40, 40, 32, (310, 1))
    );
}

#[test]
fn a_sample_beyond_1e30_is_no_sample() {
    let with = |value: f64| {
        let mut samples = vec![0.5; 10];
        samples[4] = value;
        let mix = session(Layout::Mono, [Track::new("x", mono(samples))]);
        mix.render(Frames(0)..Frames(10)).map_err(|e| e.to_string())
    };
    assert_eq!(with(1e30).unwrap()[0][4], 1e30);
    assert_eq!(with(-1e30).unwrap()[0][4], -1e30);
    for bad in [
        1e30f64.next_up(),
        -1e30f64.next_up(),
        f64::MAX,
        f64::INFINITY,
    ] {
        assert!(with(bad).unwrap_err().contains("(frame 4)"), "{bad:e}");
    }
}

#[test]
fn frames_that_a_strip_does_not_sound_are_silence_in_its_bins() {
    // Blocks of 100: the track is not run in three of four, and its bins are drawn with silence there.
    let mut mix = session(
        Layout::Mono,
        [Track::of("x").clip(Clip::new(constant(0.5, 100)).at(Frames(200)))],
    );
    let bus = mix.add_bus(Bus::new("b"));
    mix.tracks_mut()[0].strip.to = Some(bus);
    mix.length = Some(Frames(800));
    let bounce = Bounce::new().threads(1).block(100).overview(2);
    let drawn = bounce
        .dry_run(Plan::compile(&mix).unwrap())
        .unwrap()
        .overview
        .unwrap();
    let mix = &drawn.mix_channels[0];
    assert_eq!(
        (mix.min.as_slice(), mix.max.as_slice()),
        (&[0.0, 0.0][..], &[0.5, 0.0][..])
    );
    // 100 of 400 frames at 0.5.
    assert_eq!(mix.rms, [0.25, 0.0]);
}
