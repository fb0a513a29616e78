//! Reads a stream that the program supplies and that cannot be opened again.

use super::{Flaw, Source};
use crate::{
    block::Block,
    error::{Error, ErrorKind, Result},
    layout::Spec,
    sync::locked,
    units::Frames,
};
use std::sync::{Arc, Mutex};

/// A stream until its first reader takes it.
pub(super) type Untaken = Arc<Mutex<Option<Box<dyn Source>>>>;

/// A reader of a stream that is read once. Measuring a stem opens a reader and reads nothing, so the stream is taken by the
/// first read.
pub(super) struct Once {
    name: String,
    spec: Spec,
    length: Option<Frames>,
    stream: Untaken,
    taken: Option<Box<dyn Source>>,
    /// Frames of the stream that were read.
    read: u64,
    /// Frame that the next read returns.
    next: u64,
}

impl Once {
    pub(super) fn new(name: String, spec: Spec, length: Option<Frames>, stream: Untaken) -> Self {
        Self {
            name,
            spec,
            length,
            stream,
            taken: None,
            read: 0,
            next: 0,
        }
    }

    fn refused(&self, what: &str) -> Error {
        Error::new(
            ErrorKind::Unsupported,
            format!("{}: is a stream that can be read once, {what}", self.name),
        )
        .in_file(&self.name)
    }

    /// Returns the stream; the first call takes it.
    fn taken(&mut self) -> Result<&mut Box<dyn Source>> {
        if self.taken.is_none() {
            self.taken = locked(&self.stream).take();
        }
        match self.taken {
            Some(ref mut stream) => Ok(stream),
            None => Err(self.refused("and was read before: make a new input for each render")),
        }
    }
}

impl Source for Once {
    fn spec(&self) -> Spec {
        self.spec
    }

    fn length(&self) -> Option<Frames> {
        self.length
    }

    fn read(&mut self, out: &mut Block) -> Result<usize> {
        // What lies before the position of a seek is read and dropped.
        while self.read < self.next {
            let most = usize::try_from(self.next - self.read).unwrap_or(usize::MAX);
            let mut dropped = Block::new(self.spec.layout, most.min(out.capacity()));
            let frames = self.taken()?.read(&mut dropped)?;
            if frames == 0 {
                break;
            }
            self.read += frames as u64;
        }
        let frames = self.taken()?.read(out)?;
        self.read += frames as u64;
        self.next = self.read;
        Ok(frames)
    }

    fn seek(&mut self, to: Frames) -> Result<()> {
        if to.0 < self.read {
            let at = Frames(self.read).clock(self.spec.rate);
            return Err(self.refused(&format!("and was read to {at}: it cannot go back")));
        }
        self.next = to.0;
        Ok(())
    }

    fn flaws(&mut self) -> Vec<Flaw> {
        self.taken.as_mut().map(|s| s.flaws()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bounce, Clip, Input, Layout, Plan, SampleRate, Session, Track, media::Memory};

    const SPEC: Spec = Spec {
        rate: SampleRate::HZ_48000,
        layout: Layout::Mono,
    };

    /// A stream of the numbers from 0 on, divided by 2^16, of unknown length.
    struct Counting(u64);

    impl Source for Counting {
        fn spec(&self) -> Spec {
            SPEC
        }

        fn length(&self) -> Option<Frames> {
            None
        }

        fn read(&mut self, out: &mut Block) -> Result<usize> {
            // Pipes return less than they are asked for.
            let frames = out.capacity().min(700);
            out.set_frames(frames);
            for sample in out.channel_mut(0) {
                *sample = self.0 as f64 / 65_536.0;
                self.0 += 1;
            }
            Ok(frames)
        }

        fn seek(&mut self, _: Frames) -> Result<()> {
            panic!("a pipe cannot seek")
        }
    }

    fn session(input: Input) -> Session {
        let mut mix = Session::new(SPEC.rate, SPEC.layout);
        mix.add_track(Track::of("pipe").clip(Clip::new(input).length(Frames(10_000))));
        mix
    }

    #[test]
    fn a_stream_is_read_once_and_from_any_frame_on() {
        let mix = session(Input::once("pipe", Counting(0)));
        let [out] = &mix.render(Frames(1_000)..Frames(10_000)).unwrap()[..] else {
            panic!("it is mono")
        };
        let expected: Vec<f64> = (1_000..10_000).map(|n| f64::from(n) / 65_536.0).collect();
        assert!(*out == expected);
        let again = mix.render(Frames(0)..Frames(1)).unwrap_err();
        assert_eq!(again.kind(), ErrorKind::Unsupported);
        assert_eq!(again.file(), Some("pipe"));
        let what = "pipe: is a stream that can be read once, and was read before: make a new input for each render";
        assert!(again.to_string().ends_with(what), "{again}");
    }

    #[test]
    fn a_stream_of_unknown_length_needs_the_length_of_its_clip() {
        let mut mix = Session::new(SPEC.rate, SPEC.layout);
        mix.add_track(Track::new("pipe", Input::once("pipe", Counting(0))));
        let what = "its length is not known, so the clip must state one";
        let error = Plan::compile(&mix).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    }

    #[test]
    fn a_stream_of_known_length_is_bounced() {
        let memory = Memory::new(SPEC, vec![vec![0.5; 300]]).unwrap();
        let mut mix = Session::new(SPEC.rate, SPEC.layout);
        mix.add_track(Track::new("pipe", Input::once("pipe", memory)));
        let (_, report) = Bounce::new().to_bytes(&mix).unwrap();
        assert_eq!(
            (report.frames, report.mix.peak_dbfs),
            (300, Some(20.0 * 0.5f64.log10()))
        );
    }

    #[test]
    fn a_stream_cannot_go_back() {
        let stream: Box<dyn Source> = Box::new(Counting(0));
        let mut once = Once::new(
            "pipe".into(),
            SPEC,
            None,
            Arc::new(Mutex::new(Some(stream))),
        );
        let mut block = Block::new(SPEC.layout, 500);
        once.seek(Frames(24_000)).unwrap();
        assert_eq!(once.read(&mut block).unwrap(), 500);
        assert_eq!(block.channel(0)[0], 24_000.0 / 65_536.0);
        let error = once.seek(Frames(24_499)).unwrap_err().to_string();
        assert!(
            error.contains("was read to 00:00:00.510: it cannot go back"),
            "{error}"
        );
    }
}
