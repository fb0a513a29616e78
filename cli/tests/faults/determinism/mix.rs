//! Mixes of stems that are made of whole numbers, so that every build and every machine starts from the same bytes.

use soundtrack::{
    Block, Bounce, Bus, Clip, Curve, Dbtp, Decibels, Fade, FadeShape, Format, Frames, Layout,
    Options, Pan, Plan, Renderer, Result, SampleRate, Session, Shape, Track, encode::Dither,
};
use std::{fs, path::Path};

/// Length of every stem in frames at the session's rate.
pub const FRAMES: u64 = 24_000;

/// Kind of mix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Lossless stems at the session's rate, through every kind of gain, pan, fade, send and loop.
    Exact,
    /// The same, limited, and dithered to 16 bits.
    Mastered,
    /// The same from stems at other rates.
    Resampled,
}

pub const KINDS: [Kind; 3] = [Kind::Exact, Kind::Mastered, Kind::Resampled];

/// Returns interleaved stereo with this number of bits: noise under a slow triangle.
pub fn samples(seed: u64, frames: u64, bits: u32) -> Vec<i32> {
    let mut state = seed;
    let half = (frames / 4).max(1) as i64;
    let sample = |i: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let noise = (state >> 40) as i64 - (1 << 23);
        let at = (i / 2) as i64 % (2 * half);
        let swell = if at < half { at } else { 2 * half - at };
        ((noise * swell / half) >> (24 - bits)) as i32
    };
    (0..frames * 2).map(sample).collect()
}

/// Returns a WAV file of integers, or of floats for 32 bits.
fn wav(samples: &[i32], rate: u32, bits: u16) -> Vec<u8> {
    let width = usize::from(bits / 8);
    let data: Vec<u8> = match bits {
        32 => samples
            .iter()
            .flat_map(|s| (*s as f32 / 8_388_608.0).to_le_bytes())
            .collect(),
        _ => samples
            .iter()
            .flat_map(|s| s.to_le_bytes()[..width].to_vec())
            .collect(),
    };
    let (size, frame) = (data.len() as u32, 2 * bits / 8);
    let mut file = Vec::new();
    file.extend(b"RIFF");
    file.extend((36 + size).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0");
    file.extend((if bits == 32 { 3u16 } else { 1 }).to_le_bytes());
    file.extend(2u16.to_le_bytes());
    file.extend(rate.to_le_bytes());
    file.extend((rate * u32::from(frame)).to_le_bytes());
    file.extend(frame.to_le_bytes());
    file.extend(bits.to_le_bytes());
    file.extend(b"data");
    file.extend(size.to_le_bytes());
    file.extend(data);
    file
}

/// Writes four stems into a folder and returns the session that mixes them.
pub fn session(folder: &Path, kind: Kind) -> Session {
    let rates = if kind == Kind::Resampled {
        [44_100, 96_000, 32_000, 88_200]
    } else {
        [48_000; 4]
    };
    let at = |i: usize| FRAMES * u64::from(rates[i]) / 48_000;
    let files = [
        ("a.wav", wav(&samples(1, at(0), 16), rates[0], 16)),
        ("b.wav", wav(&samples(2, at(1), 24), rates[1], 32)),
        ("c.wav", wav(&samples(3, at(2), 24), rates[2], 24)),
        ("d.wav", wav(&samples(4, at(3), 16), rates[3], 16)),
    ];
    files
        .iter()
        .for_each(|(name, bytes)| fs::write(folder.join(name), bytes).unwrap());
    mixed(files.map(|(name, _)| folder.join(name)), kind)
}

/// Returns the session of four stems.
pub fn mixed(stems: [std::path::PathBuf; 4], kind: Kind) -> Session {
    let [a, b, c, d] = stems;
    let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    let room = mix.add_bus(Bus::new("room").gain(Decibels(-7.3)).pan(Pan(0.11)));
    let band = mix.add_bus(Bus::new("band").gain(Decibels(-1.7)));
    let swell = Curve::new()
        .point(Frames(0), Decibels(-20.0), Shape::Sine)
        .point(Frames(9000), Decibels(1.3), Shape::Exp)
        .point(Frames(15_000), Decibels(-3.1), Shape::Linear)
        .point(Frames(20_001), Decibels::SILENCE, Shape::Step);
    let sweep = Curve::new()
        .point(Frames(10), Pan(-1.0), Shape::Linear)
        .point(Frames(23_000), Pan(0.7), Shape::Sine);
    let fade = |n, shape| Fade {
        length: Frames(n),
        shape,
    };
    mix.add_track(
        Track::new("a", a)
            .gain(Decibels(-2.9))
            .gain_curve(swell)
            .send(room, Decibels(-4.1)),
    );
    mix.add_track(Track::new("b", b).pan_curve(sweep).to(band));
    let part = Clip::new(c)
        .at(Frames(3001))
        .from(Frames(517))
        .length(Frames(5003))
        .loops(3);
    let part = part
        .fade_in(fade(1201, FadeShape::EqualPower))
        .fade_out(fade(999, FadeShape::DecibelLinear(60.0)));
    mix.add_track(
        Track::of("c")
            .clip(part)
            .pan(Pan(-0.37))
            .invert(true)
            .to(band),
    );
    let other = Clip::new(d)
        .gain(Decibels(-0.9))
        .fade_in(fade(4000, FadeShape::Between));
    mix.add_track(
        Track::of("d")
            .clip(other)
            .pan(Pan(0.83))
            .send(room, Decibels(0.0)),
    );
    mix.master.gain = Decibels(-0.7);
    if kind == Kind::Mastered {
        mix.master.limit = Some(Dbtp(-6.0));
    }
    mix
}

/// Returns the samples of a part, as they leave the master, channel after channel.
pub fn rendered(
    session: &Session,
    block: usize,
    threads: usize,
    from: u64,
    to: u64,
) -> Result<Vec<Vec<f64>>> {
    let mut renderer = Renderer::new(Plan::compile(session)?, &Options { threads })?;
    renderer.seek(Frames(from));
    let mut out = vec![Vec::new(); 2];
    let mut block = Block::new(Layout::Stereo, block);
    while (out[0].len() as u64) < to - from && renderer.render(&mut block)? > 0 {
        let left = (to - from) as usize - out[0].len();
        out.iter_mut()
            .zip(block.channels())
            .for_each(|(o, c)| o.extend_from_slice(&c[..c.len().min(left)]));
    }
    Ok(out)
}

/// Returns the bytes of samples.
pub fn bytes(channels: &[Vec<f64>]) -> Vec<u8> {
    channels
        .iter()
        .flatten()
        .flat_map(|x| x.to_le_bytes())
        .collect()
}

/// Bounces a session and returns the bytes of the file: dithered 16 bits for a mastered mix, else floats.
pub fn file(session: &Session, kind: Kind, to: &Path) -> Result<Vec<u8>> {
    let bounce = Bounce::new().overwrite(true);
    let bounce = match kind {
        Kind::Mastered => bounce.format(Format::WAV_16).dither(Dither::default()),
        _ => bounce.format(Format::WAV_32F),
    };
    bounce.run(session, to)?;
    Ok(fs::read(to).unwrap_or_default())
}
