//! Sums audio files with kira's decoders and mixer, in single precision, into a 24-bit WAV file. Arguments: OUT IN...
//!
//! Its mock backend keeps the frames to itself, so this has a backend of its own that hands them out.

use kira::{
    AudioManager, AudioManagerSettings, Capacities,
    backend::{Backend, Renderer},
    sound::static_sound::StaticSoundData,
    track::MainTrackBuilder,
};
use std::{convert::Infallible, sync::Mutex};

const RATE: u32 = 48_000;
const BLOCK_FRAMES: usize = 1024;

/// A backend that renders when it is asked to.
struct Offline(Option<Mutex<Renderer>>);

impl Backend for Offline {
    type Settings = ();
    type Error = Infallible;

    fn setup((): (), _buffer_frames: usize) -> Result<(Self, u32), Infallible> {
        Ok((Self(None), RATE))
    }

    fn start(&mut self, renderer: Renderer) -> Result<(), Infallible> {
        self.0 = Some(Mutex::new(renderer));
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let out = arguments.next().ok_or("usage: sum_with_kira OUT IN...")?;
    let stems = arguments
        .map(StaticSoundData::from_file)
        .collect::<Result<Vec<_>, _>>()?;
    let frames = stems
        .iter()
        .map(|stem| stem.frames.len() * RATE as usize / stem.sample_rate as usize)
        .max()
        .unwrap_or(0);
    let mut manager = AudioManager::<Offline>::new(AudioManagerSettings {
        capacities: Capacities::default(),
        main_track_builder: MainTrackBuilder::new().sound_capacity(stems.len()),
        internal_buffer_size: BLOCK_FRAMES,
        backend_settings: (),
    })?;
    for stem in stems {
        manager.play(stem)?;
    }
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: RATE,
        bits_per_sample: 24,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(out, spec)?;
    let mut block = vec![0.0; 2 * BLOCK_FRAMES];
    for start in (0..frames).step_by(BLOCK_FRAMES) {
        let renderer = manager.backend_mut().0.as_mut().ok_or("not started")?;
        let renderer = renderer.get_mut().map_err(|e| e.to_string())?;
        renderer.on_start_processing();
        renderer.process(&mut block, 2);
        for &sample in block.iter().take(2 * (frames - start)) {
            let sample = f64::from(sample) * f64::from(1 << 23);
            wav.write_sample(sample.round_ties_even() as i32)?;
        }
    }
    wav.finalize()?;
    Ok(())
}
