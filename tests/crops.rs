//! Many short ranges of one session: what they hold, and that they allocate nothing.

use assert_no_alloc::{AllocDisabler, assert_no_alloc};
use soundtrack::{
    Bus, Clip, Crops, Damage, Decibels, ErrorKind, Frames, Insert, Layout, Pan, SampleRate,
    Selector, Session, Spec, Track, media::Memory,
};
use soundtrack_test_support::renders::{noise, same_bits, stem};

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

const FRAMES: usize = 40_000;

/// Four tracks, of which two go through a bus, one is mono and one has another rate.
fn session() -> (Session, Vec<Selector>) {
    let mut mix = Session::new(SampleRate::HZ_44100, Layout::Stereo);
    let rhythm = mix.add_bus(Bus::new("rhythm").gain(Decibels(-1.5)));
    let spec = Spec {
        rate: mix.rate,
        layout: mix.layout,
    };
    let samples: Vec<f32> = (0..2 * FRAMES as u64)
        .map(|n| noise(9, 0, n) as f32 / 4.0)
        .collect();
    let tracks = [
        Track::new("a", Memory::interleaved(spec, samples).unwrap()).to(rhythm),
        Track::new("b", stem(1, 44_100, Layout::Mono, FRAMES)).to(rhythm),
        Track::new("c", stem(2, 48_000, Layout::Stereo, FRAMES)),
        Track::new("d", stem(3, 44_100, Layout::Stereo, FRAMES / 2)),
    ];
    let mut parts: Vec<Selector> = tracks
        .into_iter()
        .map(|track| mix.add_track(track).into())
        .collect();
    parts.push(rhythm.into());
    (mix, parts)
}

/// Tracks of every format of samples, interleaved and planar, in a layout.
fn memories(layout: Layout) -> (Session, Vec<Selector>) {
    let spec = Spec {
        rate: SampleRate::HZ_48000,
        layout,
    };
    let channels = layout.channels();
    let sample = |seed: u64, n: usize| noise(seed, 0, n as u64) / 3.0;
    let mut mix = Session::new(spec.rate, layout);
    let count = FRAMES * channels;
    let whole = |seed, full: f64| move |n| (sample(seed, n) * full) as i64;
    let interleaved: [Memory; 4] = [
        Memory::interleaved(spec, (0..count).map(|n| sample(1, n)).collect::<Vec<f64>>()),
        Memory::interleaved(
            spec,
            (0..count)
                .map(|n| sample(2, n) as f32)
                .collect::<Vec<f32>>(),
        ),
        Memory::interleaved(
            spec,
            (0..count)
                .map(whole(3, 32e3))
                .map(|n| n as i16)
                .collect::<Vec<i16>>(),
        ),
        Memory::interleaved(
            spec,
            (0..count)
                .map(whole(4, 2e9))
                .map(|n| n as i32)
                .collect::<Vec<i32>>(),
        ),
    ]
    .map(Result::unwrap);
    let planar = Memory::planar(
        spec,
        (0..channels)
            .map(|ch| {
                (0..FRAMES)
                    .map(|n| sample(5 + ch as u64, n) as f32)
                    .collect()
            })
            .collect(),
    );
    let vectors = (0..channels).map(|ch| (0..FRAMES).map(|n| sample(20 + ch as u64, n)).collect());
    let vectors = Memory::new(spec, vectors.collect());
    let all = interleaved
        .into_iter()
        .chain([planar.unwrap(), vectors.unwrap()]);
    let parts = all
        .enumerate()
        .map(|(n, memory)| mix.add_track(Track::new(format!("{n}"), memory)).into())
        .collect();
    (mix, parts)
}

#[test]
fn samples_of_every_format_have_the_bits_of_the_mix() {
    for layout in [Layout::Mono, Layout::Stereo, Layout::Surround51] {
        let (mut mix, parts) = memories(layout);
        for (n, part) in parts.iter().enumerate() {
            let Selector::Track(id) = *part else {
                unreachable!("tracks")
            };
            let strip = &mut mix.track_mut(id).strip;
            (strip.gain, strip.pan) = (Decibels(-(n as f64)), Pan(n as f64 / 5.0 - 0.5));
        }
        let mut alone = Crops::new(&mix, &[]).unwrap();
        let mut with_stems = Crops::new(&mix, &parts).unwrap();
        for (at, frames) in [(0, 3_000), (17_777, 1_024), (FRAMES as u64 - 900, 900)] {
            let want = mix.render(Frames(at)..Frames(at + frames as u64)).unwrap();
            let channels = layout.channels();
            let mut out = vec![vec![f64::NAN; frames]; channels];
            let mut slices: Vec<&mut [f64]> = out.iter_mut().map(Vec::as_mut_slice).collect();
            alone
                .render_planar(Frames(at), &mut slices, &mut [])
                .unwrap();
            same_bits(&out, &want);
            let mut all = vec![vec![vec![f64::NAN; frames]; channels]; parts.len() + 1];
            let mut slices: Vec<Vec<&mut [f64]>> = all
                .iter_mut()
                .map(|part| part.iter_mut().map(Vec::as_mut_slice).collect())
                .collect();
            let (sum, stems) = slices.split_first_mut().unwrap();
            let mut stems: Vec<&mut [&mut [f64]]> =
                stems.iter_mut().map(Vec::as_mut_slice).collect();
            with_stems
                .render_planar(Frames(at), sum, &mut stems)
                .unwrap();
            same_bits(&all[0], &want);
            for (ch, want) in want.iter().enumerate() {
                let sum_at = |n: usize| all[1..].iter().fold(-0.0, |sum, stem| sum + stem[ch][n]);
                assert!((0..frames).all(|n| sum_at(n) == want[n]), "{layout} {ch}");
            }
        }
    }
}

#[test]
fn fades_loops_and_damage_in_memory_are_those_of_the_mix() {
    let spec = Spec {
        rate: SampleRate::HZ_48000,
        layout: Layout::Stereo,
    };
    let mut samples: Vec<f32> = (0..20_000).map(|n| noise(1, 0, n) as f32 / 4.0).collect();
    let memory = Memory::interleaved(spec, samples.clone()).unwrap();
    let mut faded = Clip::new(memory.clone()).loops(3);
    faded.fade_in.length = Frames(1_500);
    faded.length = Some(Frames(7_000));
    // The largest f32 that is not above 1e30 is plausible, the next one is not.
    let largest = 1e30_f32.next_down();
    assert!(f64::from(largest) <= 1e30 && f64::from(1e30_f32) > 1e30);
    samples[6_000] = largest;
    samples[12_001] = largest.next_up();
    samples[15_000] = f32::NAN;
    let damaged = Memory::interleaved(spec, samples).unwrap();
    let mut mix = Session::new(spec.rate, spec.layout);
    let mut looped = Track::new("faded", memory);
    looped.clips = vec![faded];
    mix.add_track(looped);
    mix.add_track(Track::new("damaged", damaged).gain(Decibels(-3.0)));
    let mut sum = vec![0.0f32; 2 * 10_000];
    let refused = Crops::new(&mix, &[])
        .unwrap()
        .render(Frames(0), &mut sum, &mut []);
    let refused = refused.unwrap_err();
    let want = mix.render(Frames(0)..Frames(10_000)).unwrap_err();
    assert_eq!(refused.to_string(), want.to_string());
    assert_eq!(refused.position(), Some(Frames(6_000)));
    mix.damage = Damage::Silence;
    let mut crops = Crops::new(&mix, &[]).unwrap();
    for at in [0, 1_000, 5_500, 6_900, 13_990] {
        let got = crop(&mut crops, at, 4_000, 0);
        same_bits(
            &got[0],
            &mix.render(Frames(at)..Frames(at + 4_000)).unwrap(),
        );
    }
}

/// Returns the mix and the stems of a crop, planar.
fn crop(crops: &mut Crops, at: u64, frames: usize, stems: usize) -> Vec<Vec<Vec<f64>>> {
    let mut all = vec![vec![vec![f64::NAN; frames]; 2]; stems + 1];
    let mut slices: Vec<Vec<&mut [f64]>> = all
        .iter_mut()
        .map(|part| part.iter_mut().map(Vec::as_mut_slice).collect())
        .collect();
    let (mix, stems) = slices.split_first_mut().unwrap();
    let mut stems: Vec<&mut [&mut [f64]]> = stems.iter_mut().map(Vec::as_mut_slice).collect();
    crops.render_planar(Frames(at), mix, &mut stems).unwrap();
    all
}

#[test]
fn a_crop_is_the_range_of_the_mix_with_the_same_controls() {
    let (mut mix, parts) = session();
    let mut crops = Crops::new(&mix, &parts).unwrap();
    for seed in 0..60u64 {
        let random = |n: u64| (noise(seed, 5, n) + 1.0) / 2.0;
        for (n, part) in parts.iter().enumerate() {
            let n = n as u64;
            let gain = Decibels(random(n) * 12.0 - 9.0);
            let (pan, mute) = (Pan(random(n + 10) * 2.0 - 1.0), random(n + 20) < 0.2);
            crops.set_gain(*part, gain).unwrap();
            crops.set_pan(*part, pan).unwrap();
            crops.set_mute(*part, mute).unwrap();
            let strip = match part {
                Selector::Track(id) => &mut mix.track_mut(*id).strip,
                Selector::Bus(id) => &mut mix.bus_mut(*id).strip,
                _ => unreachable!("tracks and buses"),
            };
            (strip.gain, strip.pan, strip.mute) = (gain, pan, mute);
        }
        crops
            .set_gain(Selector::Master, Decibels(random(30) * -6.0))
            .unwrap();
        mix.master.gain = Decibels(random(30) * -6.0);
        let (at, frames) = (
            (random(31) * 30_000.0) as u64,
            (random(32) * 9_000.0) as usize,
        );
        let got = crop(&mut crops, at, frames, parts.len());
        let whole = mix.render(Frames(at)..Frames(at + frames as u64)).unwrap();
        // Silence of a muted strip may be −0.0 here.
        assert!(got[0] == whole, "crop {seed}");
        // Each stem is what the session gives alone, before the fader of the master.
        for (n, part) in parts.iter().enumerate().take(4) {
            let mut alone = mix.clone();
            alone.master.gain = Decibels(0.0);
            let Selector::Track(id) = *part else {
                unreachable!("tracks")
            };
            alone.track_mut(id).strip.to = None;
            for other in parts.iter().filter(|other| *other != part) {
                alone.mute(*other);
            }
            let whole = alone
                .render(Frames(at)..Frames(at + frames as u64))
                .unwrap();
            assert!(got[n + 1] == whole, "crop {seed}, stem {n}");
        }
    }
    // Past the end it is silent.
    let end = crops.length().0;
    let got = crop(&mut crops, end - 100, 1_000, parts.len());
    assert!(
        got.iter()
            .flatten()
            .all(|c| c[100..].iter().all(|x| x.to_bits() == 0))
    );
}

#[test]
fn processors_are_in_the_state_that_they_have_in_the_whole_mix() {
    let (mut mix, parts) = session();
    let Selector::Track(id) = parts[0] else {
        unreachable!("a track")
    };
    let comp = Insert::new("compressor")
        .unwrap()
        .set("threshold", -30.0)
        .unwrap();
    mix.track_mut(id).strip.inserts.push(comp);
    mix.master.limit = Some(soundtrack::Dbtp(-6.0));
    let mut crops = Crops::new(&mix, &[]).unwrap();
    for at in [0, 1, 9_999, 30_000] {
        let got = crop(&mut crops, at, 3_000, 0);
        same_bits(
            &got[0],
            &mix.render(Frames(at)..Frames(at + 3_000)).unwrap(),
        );
    }
    let error = Crops::new(&mix, &parts).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}

#[test]
fn nothing_is_allocated_once_the_stems_are_open() {
    let (mix, parts) = session();
    let mut crops = Crops::new(&mix, &parts).unwrap();
    let mut sum = vec![0.0f32; 2 * 5_000];
    let mut buffers = vec![vec![0.0f32; 2 * 5_000]; parts.len()];
    let mut stems: Vec<&mut [f32]> = buffers.iter_mut().map(Vec::as_mut_slice).collect();
    let mut energy = 0.0;
    for n in 0..40u64 {
        let mut one = || {
            crops.set_gain(parts[0], Decibels(-(n as f64))).unwrap();
            crops.set_pan(parts[1], Pan(0.5)).unwrap();
            crops.set_mute(parts[3], n % 3 == 0).unwrap();
            crops.render(Frames(n * 977), &mut sum, &mut stems).unwrap();
            energy += f64::from(sum[0] * sum[0]);
        };
        if n < 3 {
            one();
        } else {
            assert_no_alloc(one);
        }
    }
    assert!(energy > 0.0);
}

#[test]
fn a_strip_that_another_one_controls_allocates_nothing_either() {
    let (mut mix, parts) = session();
    let [Selector::Track(voice), Selector::Track(song), ..] = parts[..] else {
        unreachable!("tracks")
    };
    let ducker = Insert::new("ducker").unwrap().key(voice);
    mix.track_mut(song).strip.inserts.push(ducker);
    let mut crops = Crops::new(&mix, &[]).unwrap();
    let mut sum = vec![0.0f32; 2 * 5_000];
    for n in 0..20u64 {
        let mut one = || crops.render(Frames(n * 977), &mut sum, &mut []).unwrap();
        if n < 3 {
            one();
        } else {
            assert_no_alloc(one);
        }
        let want = mix
            .render(Frames(n * 977)..Frames(n * 977 + 5_000))
            .unwrap();
        assert!(
            (0..5_000).all(|f| sum[2 * f] == want[0][f] as f32),
            "crop {n}"
        );
    }
}

#[test]
fn buffers_and_parts_that_do_not_fit_are_refused() {
    let (mix, parts) = session();
    let mut crops = Crops::new(&mix, &parts[..1]).unwrap();
    let mut message = |mix: usize, stems: &[usize]| {
        let mut buffers: Vec<Vec<f32>> = stems.iter().map(|n| vec![0.0; *n]).collect();
        let mut stems: Vec<&mut [f32]> = buffers.iter_mut().map(Vec::as_mut_slice).collect();
        let error = crops
            .render(Frames(0), &mut vec![0.0; mix], &mut stems)
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        error.to_string()
    };
    assert_eq!(message(10, &[]), "1 stems for 0 buffers");
    assert_eq!(message(10, &[8]), "the buffers differ in length");
    assert_eq!(message(9, &[9]), "a buffer is no whole number of frames");
    let (_, foreign) = session();
    let error = crops.set_gain(foreign[0], Decibels(0.0)).unwrap_err();
    assert_eq!(error.to_string(), "the id is of another session");
    assert!(crops.set_mute(Selector::Master, true).is_err());
}
