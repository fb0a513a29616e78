//! Stems of noise in a folder.

use soundtrack::{Bounce, Format, Frames, Layout, SampleRate, Session, Spec, Track, media::Memory};
use std::path::Path;

/// Writes a stem of noise in 24 bits: so many channels and frames at 48 kHz.
pub fn write(folder: &Path, name: &str, channels: usize, frames: usize, seed: u32) {
    let layout = if channels == 1 {
        Layout::Mono
    } else {
        Layout::Stereo
    };
    let spec = Spec {
        rate: SampleRate::HZ_48000,
        layout,
    };
    let mut state = seed;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // 16 bits at a quarter of full scale.
        f64::from((state >> 16) as i16) / 131_072.0
    };
    let planes = (0..channels)
        .map(|_| (0..frames).map(|_| noise()).collect())
        .collect();
    let mut stem = Session::new(spec.rate, spec.layout);
    stem.add_track(Track::new("x", Memory::new(spec, planes).unwrap()));
    Bounce::new()
        .format(Format::WAV_24)
        .overwrite(true)
        .run(&stem, folder.join(name))
        .unwrap();
}

/// Renders the first frames of a session.
pub fn render(session: &Session, frames: u64) -> Vec<Vec<f64>> {
    session
        .render(Frames(0)..Frames(frames))
        .unwrap_or_else(|e| panic!("{e}"))
}

/// Asserts that two renders are the same to the last bit, and no silence.
pub fn assert_same(left: &[Vec<f64>], right: &[Vec<f64>]) {
    assert_eq!(left.len(), right.len());
    for (channel, (left, right)) in left.iter().zip(right).enumerate() {
        let differs = left
            .iter()
            .zip(right)
            .position(|(a, b)| a.to_bits() != b.to_bits());
        if let Some(frame) = differs {
            panic!(
                "channel {channel}, frame {frame}: {} and {}",
                left[frame], right[frame]
            );
        }
        assert_eq!(left.len(), right.len());
    }
    assert!(left.iter().flatten().any(|x| *x != 0.0), "silence");
}
