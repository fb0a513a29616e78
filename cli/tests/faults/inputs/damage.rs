//! Stems with flipped bits: what follows the damage stays on its frame.

use super::{
    super::table::{Row, Seen, held, times},
    stems::{self, Random, begun, heard, mix, named},
};
use soundtrack::Damage;

pub const ROWS: &[Row] = &[
    Row {
        section: "inputs",
        fault: "bits flipped inside a stem, every codec",
        run: inside,
    },
    Row {
        section: "inputs",
        fault: "1 % of all bytes changed, every codec",
        run: everywhere,
    },
];

/// Number of last frames that are compared.
const TAIL: usize = 8_000;

fn inside() -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let made = stems::all(folder.path());
    let (mut injected, mut refused, mut in_place, mut spans) = (0, 0, 0, 0);
    for stem in &made {
        let clean = heard(&mix(stem.path.as_path(), Damage::Silence)).unwrap().1;
        // Two that once moved the tail of ADTS and MP3 by a frame.
        for seed in (0..times(24, 200)).chain([95, 133]) {
            let mut random = Random(seed * 977 + 5);
            let mut bytes = stem.bytes.clone();
            let (from, to) = (bytes.len() * 3 / 10, bytes.len() * 6 / 10);
            let flips = [1, 16, (to - from) / 100][seed as usize % 3];
            for _ in 0..flips {
                bytes[from + random.below(to - from)] ^= 1 << random.below(8);
            }
            injected += 1;
            let path = stem.with(seed, &bytes);
            match heard(&mix(path.as_path(), Damage::Silence)) {
                Err(e) => {
                    named(&e, &path);
                    refused += 1;
                }
                Ok((report, broken)) => {
                    let what = format!("{} seed {seed}", stem.codec);
                    assert_eq!(report.frames, stem.frames, "{what}: {:?}", report.warnings);
                    for (a, b) in broken.iter().zip(&clean) {
                        assert_eq!(
                            a[a.len() - TAIL..],
                            b[b.len() - TAIL..],
                            "{what}: the tail has moved"
                        );
                    }
                    in_place += 1;
                    spans += report.tracks[0].clips[0]
                        .silenced
                        .iter()
                        .map(|s| s.places)
                        .sum::<u64>();
                }
            }
            // Strictly it is refused or, where the damage could be decoded, heard; a panic would end this program.
            if let Err(e) = heard(&mix(path.as_path(), Damage::Refuse)) {
                named(&e, &path);
            }
            std::fs::remove_file(path).unwrap();
        }
    }
    let result = format!(
        "{} codecs; tail moved by 0 frames in {in_place}, {refused} refused; {spans} lost spans counted{}",
        made.len(),
        stems::without(&made)
    );
    held(injected, result)
}

fn everywhere() -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let made = stems::all(folder.path());
    let (mut injected, mut refused, mut slowest) = (0, 0, 0.0f64);
    for stem in &made {
        for seed in 0..times(12, 200) {
            let mut random = Random(seed * 31 + 7);
            let mut bytes = stem.bytes.clone();
            // The first bytes too, in which the header is.
            for _ in 0..bytes.len() / 100 {
                let at = random.below(bytes.len());
                bytes[at] = random.next() as u8;
            }
            for _ in 0..random.below(4) {
                let at = random.below(bytes.len().min(200));
                bytes[at] = random.next() as u8;
            }
            injected += 1;
            let path = stem.with(seed, &bytes);
            for damage in [Damage::Refuse, Damage::Silence] {
                let clock = std::time::Instant::now();
                match begun(&mix(path.as_path(), damage), 4 * stem.frames) {
                    Err(e) => {
                        named(&e, &path);
                        refused += 1;
                    }
                    Ok((report, channels)) => {
                        assert!(channels.iter().all(|c| c.len() as u64 == report.frames));
                        assert!(
                            channels.iter().flatten().all(|s| s.is_finite()),
                            "{} {seed}",
                            stem.codec
                        );
                    }
                }
                slowest = slowest.max(clock.elapsed().as_secs_f64());
                assert!(slowest < 5.0, "{} seed {seed}: {slowest} s", stem.codec);
            }
            std::fs::remove_file(path).unwrap();
        }
    }
    let result = format!(
        "{refused} of {} mixes refused by name, none panics, slowest {slowest:.2} s",
        injected * 2
    );
    held(injected, result)
}
