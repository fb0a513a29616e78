//! Stems held in memory and short ways to hear a session.

use soundtrack::{
    Bounce, Frames, Layout, Plan, Report, SampleRate, Session, Spec, Track, media::Memory,
};

pub const RATE: SampleRate = SampleRate::HZ_48000;

pub fn rate(hz: u32) -> SampleRate {
    SampleRate::new(hz).unwrap()
}

/// A stem at 48 kHz.
pub fn stem(layout: Layout, channels: Vec<Vec<f64>>) -> Memory {
    Memory::new(Spec { rate: RATE, layout }, channels).unwrap()
}

pub fn mono(samples: Vec<f64>) -> Memory {
    stem(Layout::Mono, vec![samples])
}

/// A mono stem of one value.
pub fn constant(value: f64, frames: usize) -> Memory {
    mono(vec![value; frames])
}

/// The numbers 1, 2, 3, … as samples: a frame of the output names the frame of the stem it came from.
pub fn counting(frames: u32) -> Memory {
    mono((1..=frames).map(f64::from).collect())
}

/// Channel `c` holds 2^(4c): every path from an input to an output can be told apart, and sums are exact.
pub fn powers(layout: Layout, frames: usize) -> Memory {
    stem(
        layout,
        (0..layout.channels())
            .map(|c| vec![power(c); frames])
            .collect(),
    )
}

pub fn power(channel: usize) -> f64 {
    2f64.powi(4 * i32::try_from(channel).unwrap())
}

pub fn session(layout: Layout, tracks: impl IntoIterator<Item = Track>) -> Session {
    let mut session = Session::new(RATE, layout);
    for track in tracks {
        session.add_track(track);
    }
    session
}

/// Renders the whole timeline on one thread.
pub fn heard(session: &Session) -> Vec<Vec<f64>> {
    let length = Plan::compile(session).unwrap().length();
    session.render_on(1, Frames(0)..length).unwrap()
}

/// As [`heard`], the first channel.
pub fn first(session: &Session) -> Vec<f64> {
    heard(session).swap_remove(0)
}

/// Renders without writing.
pub fn report(session: &Session) -> Report {
    Bounce::new()
        .threads(1)
        .dry_run(Plan::compile(session).unwrap())
        .unwrap()
}

/// The warnings of a code.
pub fn warned(session: &Session, code: &str) -> Vec<String> {
    report(session)
        .warnings
        .into_iter()
        .filter(|w| w.kind.code() == code)
        .map(|w| w.to_string())
        .collect()
}

/// Panics with the first sample that is farther than `within` from what it should be.
#[track_caller]
pub fn close(got: &[f64], want: &[f64], within: f64) {
    assert_eq!(got.len(), want.len(), "frames");
    if let Some(n) = got
        .iter()
        .zip(want)
        .position(|(g, w)| (g - w).abs() > within || g.is_nan())
    {
        panic!("frame {n}: {:?} for {:?}", got[n], want[n]);
    }
}
