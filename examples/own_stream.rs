//! Audio of one's own at both ends: a source that synthesises a tone on demand, and a sink that receives the mix as it plays.

use soundtrack::{
    Block, Frames, Layout, Opener, PlayerBuilder, Result, SampleRate, Session, Sink, Source, Spec,
    Track, encode::Written,
};
use std::{sync::mpsc, time::Duration};

const SPEC: Spec = Spec {
    rate: SampleRate::HZ_48000,
    layout: Layout::Mono,
};
const LENGTH: u64 = 48_000;

/// A sine of 440 Hz: every frame is a function of its number, so seeking is exact.
struct Synth {
    at: u64,
}

impl Source for Synth {
    fn spec(&self) -> Spec {
        SPEC
    }

    fn length(&self) -> Option<Frames> {
        Some(Frames(LENGTH))
    }

    fn read(&mut self, out: &mut Block) -> Result<usize> {
        let frames = out.capacity().min((LENGTH - self.at) as usize);
        out.set_frames(frames);
        let turn = 440.0 * std::f64::consts::TAU / 48_000.0;
        for (n, sample) in out.channel_mut(0).iter_mut().enumerate() {
            *sample = 0.25 * ((self.at + n as u64) as f64 * turn).sin();
        }
        self.at += frames as u64;
        Ok(frames)
    }

    fn seek(&mut self, to: Frames) -> Result<()> {
        self.at = to.0.min(LENGTH);
        Ok(())
    }
}

/// Sends interleaved frames to another thread, such as one that streams them.
struct Stream(mpsc::Sender<Vec<f32>>);

impl Sink for Stream {
    fn write(&mut self, block: &Block) -> Result<()> {
        let frame = |n: usize| block.channels().map(move |channel| channel[n] as f32);
        // Fails once nobody listens; the player plays on.
        let _ = self.0.send((0..block.frames()).flat_map(frame).collect());
        Ok(())
    }

    fn finish(&mut self) -> Result<Written> {
        Ok(Written::default())
    }
}

fn main() -> Result<()> {
    if std::env::args().any(|argument| matches!(argument.as_str(), "-h" | "--help")) {
        println!(
            "Mixes a source of its own into a sink of its own, and prints the number of samples."
        );
        return Ok(());
    }
    let mut mix = Session::new(SPEC.rate, Layout::Stereo);
    let synth = Opener::new("synth", || Ok(Box::new(Synth { at: 0 }) as Box<dyn Source>));
    mix.add_track(Track::new("synth", synth));
    let (sender, frames) = mpsc::channel();
    let player = PlayerBuilder::new().into_sink(&mix, Box::new(Stream(sender)))?;
    player.wait(Duration::from_secs(20));
    drop(player); // finishes the sink
    let samples: usize = frames.iter().map(|block| block.len()).sum();
    println!("{samples} samples were streamed");
    Ok(())
}

#[test]
fn it_runs_to_its_end() -> Result<()> {
    main()
}
