//! Stems of noise, and short ways to render a session.

use soundtrack::{
    Block, Bounce, Frames, Layout, Options, Plan, Renderer, Report, SampleRate, Session, Spec,
    encode, media::Memory, report::Overview,
};

/// Returns a number in −1 .. 1 that depends only on the arguments; a multiple of 2^-23.
pub fn noise(seed: u64, channel: u64, frame: u64) -> f64 {
    let mut x = seed
        ^ channel.wrapping_mul(0x9E37_79B9_7F4A_7C15)
        ^ frame.wrapping_mul(0xD1B5_4A32_D192_ED03);
    for _ in 0..3 {
        x = (x ^ (x >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    }
    ((x >> 40) as f64 - 8_388_608.0) / 8_388_608.0
}

/// Returns a stem of noise.
pub fn stem(seed: u64, rate: u32, layout: Layout, frames: usize) -> Memory {
    let channel = |ch| {
        (0..frames as u64)
            .map(|n| 0.25 * noise(seed, ch, n))
            .collect()
    };
    let channels = (0..layout.channels() as u64).map(channel).collect();
    Memory::new(
        Spec {
            rate: SampleRate::new(rate).unwrap(),
            layout,
        },
        channels,
    )
    .unwrap()
}

/// Renders a plan from one frame to another, with this block size and number of threads.
pub fn rendered(
    session: &Session,
    block: usize,
    threads: usize,
    range: std::ops::Range<u64>,
) -> Vec<Vec<f64>> {
    let plan = Plan::compile(session).unwrap();
    let mut renderer = Renderer::new(plan, &Options { threads }).unwrap();
    let mut memory = encode::MemorySink::default();
    let bounce = Bounce::new()
        .block(block)
        .range(Frames(range.start)..Frames(range.end));
    bounce.into_sink(&mut renderer, &mut memory).unwrap();
    memory.into_channels()
}

/// Renders a session to its end through the renderer itself.
pub fn streamed(session: &Session, block: usize, threads: usize) -> Vec<Vec<f64>> {
    let plan = Plan::compile(session).unwrap();
    let mut renderer = Renderer::new(plan, &Options { threads }).unwrap();
    let mut out = vec![Vec::new(); session.layout.channels()];
    let mut block = Block::new(session.layout, block);
    while renderer.render(&mut block).unwrap() > 0 {
        out.iter_mut()
            .zip(block.channels())
            .for_each(|(o, c)| o.extend_from_slice(c));
    }
    out
}

/// Compares renders bit by bit.
///
/// # Panics
/// With the place of the first sample that differs.
pub fn same_bits(a: &[Vec<f64>], b: &[Vec<f64>]) {
    assert_eq!(a.len(), b.len(), "channels");
    for (ch, (a, b)) in a.iter().zip(b).enumerate() {
        assert_eq!(a.len(), b.len(), "frames of channel {ch}");
        if let Some(n) = a
            .iter()
            .zip(b)
            .position(|(x, y)| x.to_bits() != y.to_bits())
        {
            panic!("channel {ch}, frame {n}: {:e} and {:e}", a[n], b[n]);
        }
    }
}

pub fn length(session: &Session) -> u64 {
    Plan::compile(session).unwrap().length().0
}

/// Sums stems in their order.
pub fn added(stems: &[Vec<Vec<f64>>]) -> Vec<Vec<f64>> {
    let mut sum = stems[0].clone();
    for stem in &stems[1..] {
        for (sum, stem) in sum.iter_mut().zip(stem) {
            sum.iter_mut().zip(stem).for_each(|(sum, x)| *sum += x);
        }
    }
    sum
}

/// Bounces a range of a session into memory and returns the report with an overview of this many bins.
pub fn gathered(
    session: &Session,
    bins: usize,
    block: usize,
    threads: usize,
    range: std::ops::Range<u64>,
) -> Report {
    let mut renderer =
        Renderer::new(Plan::compile(session).unwrap(), &Options { threads }).unwrap();
    let bounce = Bounce::new()
        .overview(bins)
        .block(block)
        .range(Frames(range.start)..Frames(range.end));
    let mut report = bounce
        .threads(threads)
        .into_sink(&mut renderer, &mut encode::MemorySink::default())
        .unwrap();
    report.title.clone_from(&session.title);
    report
}

/// Returns the overview of [`gathered`].
pub fn overview(
    session: &Session,
    bins: usize,
    block: usize,
    threads: usize,
    range: std::ops::Range<u64>,
) -> Overview {
    gathered(session, bins, block, threads, range)
        .overview
        .unwrap()
}
