//! Wrong lengths in headers: the mix holds the audio that exists, and the difference is reported.

use super::{
    super::table::{Row, Seen, held},
    stems::{self, begun, mix, named, said},
};
use soundtrack::Damage;

pub const ROWS: &[Row] = &[Row {
    section: "inputs",
    fault: "header states 0, half, ten times, 2^32 - 1",
    run: lies,
}];

/// Returns the places where a stem states its length: the offset, the bytes of the number, and whether they are big-endian.
fn stated(codec: &str, bytes: &[u8]) -> Vec<(usize, usize, bool)> {
    let find = |name: &[u8]| {
        bytes
            .windows(name.len())
            .position(|w| w == name)
            .unwrap_or_else(|| panic!("{codec}"))
    };
    match codec {
        "WAV" => vec![(find(b"data") + 4, 4, false)],
        // The low 32 of 36 bits.
        "FLAC" => vec![(22, 4, true)],
        "MP3" => vec![(
            find(if bytes.windows(4).any(|w| w == b"Xing") {
                b"Xing"
            } else {
                b"Info"
            }) + 8,
            4,
            true,
        )],
        "AIFF" => vec![(find(b"COMM") + 10, 4, true), (find(b"SSND") + 4, 4, true)],
        _ => Vec::new(),
    }
}

fn lies() -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let made = stems::all(folder.path());
    let (mut count, mut whole, mut refused, mut silent) = (0, 0, 0, 0);
    for stem in &made {
        // The padding of an MP3 is not believed either, where the length beside it is wrong: all that is decoded is heard.
        let padding = soundtrack::media::open(&stem.path, None)
            .unwrap()
            .1
            .trimmed_end
            .0;
        let decoded = stem.frames + if stem.codec == "MP3" { padding } else { 0 };
        for (place, (at, len, big)) in stated(stem.codec, &stem.bytes).into_iter().enumerate() {
            let digits = stem.bytes[at..at + len].iter();
            let next = |n: u64, b: &u8| n << 8 | u64::from(*b);
            let number = if big {
                digits.fold(0, next)
            } else {
                digits.rev().fold(0, next)
            };
            for lie in [0, number / 2, number * 10, 0xFFFF_FFFF] {
                count += 1;
                let what = format!("{} {place}: {lie} for {number}", stem.codec);
                let mut bytes = stem.bytes.clone();
                let lie = lie as u32;
                bytes[at..at + len].copy_from_slice(&if big {
                    lie.to_be_bytes()
                } else {
                    lie.to_le_bytes()
                });
                let path = stem.with("lie", &bytes);
                match begun(&mix(path.as_path(), Damage::Refuse), 20 * stem.frames) {
                    Ok((report, _)) => {
                        assert_eq!(report.frames, decoded, "{what}");
                        // In FLAC, 0 says that the length is not known; in AIFF, COMM states it right beside a wrong size.
                        let unknown =
                            stem.codec == "FLAC" && lie == 0 || stem.codec == "AIFF" && place == 1;
                        assert!(
                            said(&report, &["W113"]) || unknown,
                            "{what} is not reported"
                        );
                        whole += 1;
                    }
                    Err(e) => {
                        // More is promised than there is, as in a file that is cut off: the same is to be done.
                        named(&e, &path);
                        refused += 1;
                        // Sizes of AIFF chunks that contradict each other are no cut: leniently refused too.
                        if stem.codec == "AIFF" && place == 1 {
                            continue;
                        }
                        assert!(u64::from(lie) > number, "{what}: {e}");
                        let (report, got) =
                            begun(&mix(path.as_path(), Damage::Silence), 20 * stem.frames).unwrap();
                        assert!(
                            report.frames >= stem.frames && said(&report, &["W115"]),
                            "{what}"
                        );
                        assert!(
                            got.iter()
                                .all(|c| c[stem.frames as usize..].iter().all(|s| *s == 0.0)),
                            "{what}"
                        );
                        silent += 1;
                    }
                }
            }
        }
    }
    let result = format!(
        "{whole} at the decoded length and reported (W113); {refused} refused by name; of those that promised more {silent} lenient, \
         silent to the promised end and reported (W115){}",
        stems::without(&made)
    );
    held(count, result)
}
