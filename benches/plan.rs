//! Measures the time to plan a film: 2,000 clips over three hours, once the stems are known.
//!
//! ```sh
//! cargo bench --bench plan
//! ```
//!
//! Forty cues with ten tracks, each used whole and four times in part, so that every track has a clip for each use;
//! automation on half of the tracks. The stems are sources of the program, so no file is opened. Then the same film as
//! the text of a session file, read.

use criterion::{Criterion, criterion_group, criterion_main};
use soundtrack::{
    Block, Bus, Cue, Curve, Decibels, Fade, FrameRate, Frames, Layout, Load, Opener, Plan, Result,
    SampleRate, Session, Shape, Source, Spec, Timecode, Track, Use,
};

const RATE: SampleRate = SampleRate::HZ_48000;
const SPEC: Spec = Spec {
    rate: RATE,
    layout: Layout::Stereo,
};
const MINUTE: u64 = 60 * 48_000;

/// A source that is never read here.
struct Unread;

impl Source for Unread {
    fn spec(&self) -> Spec {
        SPEC
    }
    fn length(&self) -> Option<Frames> {
        Some(Frames(4 * MINUTE))
    }
    fn read(&mut self, _: &mut Block) -> Result<usize> {
        Ok(0)
    }
    fn seek(&mut self, _: Frames) -> Result<()> {
        Ok(())
    }
}

fn film(track: impl Fn(usize, usize) -> Track) -> Session {
    let mut film = Session::new(RATE, Layout::Stereo);
    film.start = Some(Timecode::of_number(86_400, FrameRate::FPS_24));
    let music = film.add_bus(Bus::new("music"));
    for c in 0..40u64 {
        let mut cue = Cue::new(format!("cue {c}"));
        for t in 0..10 {
            let mut track = track(c as usize, t).to(music);
            if t % 2 == 0 {
                let curve = Curve::new().point(Frames(0), Decibels::SILENCE, Shape::Linear);
                track = track.gain_curve(curve.point(Frames(MINUTE), Decibels::UNITY, Shape::Sine));
            }
            cue = cue.track(track);
        }
        cue = cue.used(Use::at(Frames(c * 4 * MINUTE)));
        for u in 1..5u64 {
            let place =
                Use::at(Frames(((c * 5 + u) * 37 % 176) * MINUTE)).named(format!("use {u}"));
            cue = cue.used(
                place
                    .from(Frames(u * 480_000))
                    .length(Frames(MINUTE))
                    .fade_out(Fade::linear(Frames(48_000))),
            );
        }
        film.add_cue(cue);
    }
    film
}

fn plan(criterion: &mut Criterion) {
    let opened = film(|c, t| {
        let stem = Opener::new(format!("{c} {t}"), || Ok(Box::new(Unread)));
        Track::new(format!("track {t}"), stem)
    });
    let clips =
        Plan::compile(&opened).map(|p| p.cues().iter().map(|c| 10 * c.uses.len()).sum::<usize>());
    assert_eq!(clips.ok(), Some(2000));
    criterion.bench_function("plan 2,000 clips", |b| {
        b.iter(|| Plan::compile(&opened).map(|p| p.length()))
    });
    let text = film(|c, t| Track::new(format!("track {t}"), format!("stems/{c}/{t}.wav")));
    let text = text.to_text("film.toml").expect("a film of files");
    let name = format!("read its session file of {} KiB", text.len() >> 10);
    criterion.bench_function(&name, |b| {
        b.iter(|| {
            Load::default()
                .text(text.as_str(), "film.toml")
                .map(|s| s.rate)
        })
    });
}

criterion_group!(benches, plan);
criterion_main!(benches);
