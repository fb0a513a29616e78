//! Many short ranges of one session: what they hold, and that they allocate nothing.

use assert_no_alloc::{AllocDisabler, assert_no_alloc};
use soundtrack::{
    Bus, Crops, Decibels, ErrorKind, Frames, Insert, Layout, Pan, SampleRate, Selector, Session,
    Spec, Track, media::Memory,
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
