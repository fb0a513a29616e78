//! Memory does not grow with length. Stands alone, since the peak of a process includes that of every test in it.

use soundtrack::{
    Block, Bounce, Frames, Layout, Opener, Options, Plan, Renderer, Result, SampleRate, Session,
    Sink, Source, Spec, Track, encode::Written,
};
use soundtrack_test_support::memory;

const SPEC: Spec = Spec {
    rate: SampleRate::HZ_48000,
    layout: Layout::Stereo,
};

/// Silence, with the number of frames that are left.
struct Silence(u64);

impl Source for Silence {
    fn spec(&self) -> Spec {
        SPEC
    }
    fn length(&self) -> Option<Frames> {
        Some(Frames(self.0))
    }
    fn read(&mut self, out: &mut Block) -> Result<usize> {
        let n = self.0.min(out.capacity() as u64);
        out.fill(n as usize, 0.0);
        self.0 -= n;
        Ok(n as usize)
    }
    fn seek(&mut self, to: Frames) -> Result<()> {
        assert_eq!(to, Frames(0), "it is read from the start only");
        Ok(())
    }
}

struct Nowhere;

impl Sink for Nowhere {
    fn write(&mut self, _: &Block) -> Result<()> {
        Ok(())
    }
    fn finish(&mut self) -> Result<Written> {
        Ok(Written::default())
    }
}

fn mix(seconds: u64) {
    let mut session = Session::new(SPEC.rate, SPEC.layout);
    let stem = Opener::new("silence", move || Ok(Box::new(Silence(48_000 * seconds))));
    session.add_track(Track::new("x", stem));
    let plan = Plan::compile(&session).unwrap();
    let mut renderer = Renderer::new(plan, &Options { threads: 1 }).unwrap();
    Bounce::new()
        .threads(1)
        .into_sink(&mut renderer, &mut Nowhere)
        .unwrap();
}

/// An hour of the audio itself would take 2.6 GiB.
#[test]
fn memory_does_not_grow_with_length() {
    // For each tenth of a second the meters keep two powers and four points of curves in `f32`, in vectors of which up to three
    // times as much is there while they grow; the loudness range sorts `f64`. All else takes less than a MiB more.
    const ALLOWED_KIB: u64 = 36_000 * (3 * 6 * 4 + 8) / 1024 + 1024;
    mix(60);
    let Some(before) = memory::high_water("self") else {
        println!("skipped: this system does not tell its peak memory");
        return;
    };
    mix(3600);
    let grown = memory::high_water("self").unwrap() - before;
    assert!(
        grown < ALLOWED_KIB,
        "an hour took {grown} KiB more than a minute, of {ALLOWED_KIB}"
    );
}
