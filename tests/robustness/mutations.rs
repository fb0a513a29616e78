//! A short run of what fuzzing does, on any compiler: valid stems and sessions, damaged in ways that are the same every
//! time, and what must hold of any bytes. `fuzz/run` does it for as long as one likes.
//!
//! `SOUNDTRACK_MUTATIONS=100000` sets how many of each kind.

use soundtrack_test_support::fuzzing::{check, seeds};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How many of each kind.
fn count(everyday: usize) -> usize {
    std::env::var("SOUNDTRACK_MUTATIONS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(everyday)
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n.max(1)
    }
}

/// Numbers that are the borders of something.
const INTERESTING: [u32; 10] = [
    0,
    1,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0xFFFF,
    0x7FFF_FFFF,
    0x8000_0000,
    0xFFFF_FFFF,
];

/// One to four changes: a bit, a byte, a number, a piece that is gone, doubled or taken from elsewhere, or the end cut off.
fn mutated(seed: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut data = seed.to_vec();
    for _ in 0..=random.below(4) {
        if data.is_empty() {
            break;
        }
        // Half of all changes go to the head, where the formats say what they are.
        let reach = if random.below(2) == 0 {
            data.len()
        } else {
            data.len().min(256)
        };
        let at = random.below(reach);
        let len = (1 + random.below(64)).min(data.len() - at);
        match random.below(8) {
            0 => data[at] ^= 1 << random.below(8),
            1 => data[at] = random.below(256) as u8,
            2 | 3 => {
                let number = INTERESTING[random.below(INTERESTING.len())];
                let bytes = if random.below(2) == 0 {
                    number.to_le_bytes()
                } else {
                    number.to_be_bytes()
                };
                let width = [1, 2, 4][random.below(3)].min(data.len() - at);
                data[at..at + width].copy_from_slice(&bytes[..width]);
            }
            4 => drop(data.drain(at..at + len)),
            5 => {
                let piece = data[at..at + len].to_vec();
                data.splice(at..at, piece);
            }
            6 => {
                let from = random.below(other.len());
                let piece = other[from..(from + len).min(other.len())].to_vec();
                data.splice(at..(at + len).min(data.len()), piece);
            }
            _ => data.truncate(at),
        }
    }
    data
}

fn run(seeds: &[Vec<u8>], count: usize, check: impl Fn(&[u8])) {
    let mut random = Random(1);
    for n in 0..count {
        let other = &seeds[random.below(seeds.len())];
        let data = mutated(&seeds[n % seeds.len()], other, &mut random);
        if catch_unwind(AssertUnwindSafe(|| check(&data))).is_err() {
            let kept = std::env::temp_dir().join(format!("soundtrack-mutation-{n}.bin"));
            std::fs::write(&kept, &data).unwrap();
            panic!("mutation {n}, kept as {}", kept.display());
        }
    }
    println!("{count} mutations of {} seeds", seeds.len());
}

#[test]
fn stems_read_or_are_refused() {
    let stems: Vec<Vec<u8>> = seeds::stems().into_iter().map(|(_, data)| data).collect();
    stems.iter().for_each(|s| check::open(s));
    run(&stems, count(1_500), check::open);
}

#[test]
fn flac_frames_decode_or_are_refused() {
    let frames = seeds::flac_frames(&seeds::stems());
    frames.iter().for_each(|f| check::flac(f));
    run(&frames, count(3_000), check::flac);
}

#[test]
fn two_stems_mix_or_are_refused() {
    let pairs = seeds::pairs(&seeds::stems());
    pairs.iter().for_each(|p| check::render(p));
    run(&pairs, count(600), check::render);
}

#[test]
fn sessions_read_or_are_refused() {
    let sessions = seeds::sessions();
    run(&sessions, count(2_000), check::session);
}

#[test]
fn files_of_other_programs_read_or_are_refused() {
    let files = seeds::interchange();
    files.iter().for_each(|file| check::interchange(file));
    run(&files, count(2_000), check::interchange);
}
