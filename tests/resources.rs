//! Stems are open only while they sound.

use soundtrack::{
    Block, Clip, Cue, Frames, Layout, Opener, Options, Plan, Renderer, Result, SampleRate, Session,
    Source, Spec, Track, Use,
};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

const SPEC: Spec = Spec {
    rate: SampleRate::HZ_48000,
    layout: Layout::Stereo,
};

/// Silence that counts how many of it are open, and the most there ever were.
struct Counted {
    at: u64,
    frames: u64,
    open: Arc<(AtomicUsize, AtomicUsize)>,
}

impl Counted {
    fn new(frames: u64, open: &Arc<(AtomicUsize, AtomicUsize)>) -> Self {
        let now = open.0.fetch_add(1, SeqCst) + 1;
        open.1.fetch_max(now, SeqCst);
        Self {
            at: 0,
            frames,
            open: open.clone(),
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.open.0.fetch_sub(1, SeqCst);
    }
}

impl Source for Counted {
    fn spec(&self) -> Spec {
        SPEC
    }
    fn length(&self) -> Option<Frames> {
        Some(Frames(self.frames))
    }
    fn read(&mut self, out: &mut Block) -> Result<usize> {
        let n = (self.frames - self.at).min(out.capacity() as u64);
        out.fill(n as usize, 0.0);
        self.at += n;
        Ok(n as usize)
    }
    fn seek(&mut self, to: Frames) -> Result<()> {
        self.at = to.0.min(self.frames);
        Ok(())
    }
}

#[test]
fn a_stem_is_open_only_while_its_clip_sounds() {
    let open = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
    let mut session = Session::new(SPEC.rate, SPEC.layout);
    // A thousand clips one after the other on ten tracks: two may meet in a block, no more.
    for t in 0..10u64 {
        let mut track = Track::of(format!("t{t}"));
        for c in 0..100u64 {
            let open = open.clone();
            let stem = Opener::new("silence", move || Ok(Box::new(Counted::new(20_000, &open))));
            track = track.clip(Clip::new(stem).at(Frames((c * 10 + t) * 20_000)));
        }
        session.add_track(track);
    }
    let plan = Plan::compile(&session).unwrap();
    assert_eq!(
        (open.0.load(SeqCst), open.1.load(SeqCst)),
        (0, 1),
        "compiling opens one at a time and closes it"
    );
    let mut renderer = Renderer::new(plan, &Options { threads: 2 }).unwrap();
    assert_eq!(open.0.load(SeqCst), 0, "nothing is open before it sounds");
    let mut block = Block::new(SPEC.layout, 16_384);
    while renderer.render(&mut block).unwrap() > 0 {
        assert!(open.0.load(SeqCst) <= 2);
    }
    assert!(open.1.load(SeqCst) <= 3, "{}", open.1.load(SeqCst));
    drop(renderer);
    assert_eq!(open.0.load(SeqCst), 0);
}

#[test]
fn a_film_of_two_thousand_clips_opens_only_what_sounds() {
    let open = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
    let minute = 60 * 48_000u64;
    let mut film = Session::new(SPEC.rate, SPEC.layout);
    // Forty cues of ten tracks over three hours, each used whole and four times in part.
    for c in 0..40u64 {
        let mut cue = Cue::new(format!("cue {c}"));
        for t in 0..10 {
            let open = open.clone();
            let stem = Opener::new("silence", move || {
                Ok(Box::new(Counted::new(4 * minute, &open)))
            });
            cue = cue.track(Track::new(format!("track {t}"), stem));
        }
        cue = cue.used(Use::at(Frames(c * 4 * minute)));
        for u in 1..5u64 {
            let part = Use::at(Frames((c * 4 + u - 1) * minute)).named(format!("use {u}"));
            cue = cue.used(part.from(Frames(u * 480_000)).length(Frames(minute)));
        }
        film.add_cue(cue);
    }
    let plan = Plan::compile(&film).unwrap();
    assert_eq!(
        (plan.length(), open.1.load(SeqCst)),
        (Frames(160 * minute), 1)
    );
    let mut renderer = Renderer::new(plan, &Options { threads: 2 }).unwrap();
    let mut block = Block::new(SPEC.layout, 16_384);
    // Around every border of two cues, and within each.
    for c in 0..80u64 {
        renderer.seek(Frames((c * 2 * minute).saturating_sub(8192)));
        for _ in 0..2 {
            renderer.render(&mut block).unwrap();
            // Ten tracks, each twice at once, and where two cues meet those of both.
            assert!(open.0.load(SeqCst) <= 40, "{} open", open.0.load(SeqCst));
        }
    }
}
