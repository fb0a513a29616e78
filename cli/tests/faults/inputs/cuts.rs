//! Stems that are cut off: refused with the place, or padded with silence to their full length and reported.

use super::{
    super::table::{Row, Seen, held, times},
    stems::{self, Made, heard, mix, named, said},
};
use soundtrack::Damage;

pub const ROWS: &[Row] = &[Row {
    section: "inputs",
    fault: "stem cut off, every codec",
    run: cut,
}];

/// Warnings of a stem that is not whole.
const CUT_WARNINGS: [&str; 3] = ["W113", "W115", "W106"];

#[derive(Default)]
struct Count {
    cuts: u64,
    refused: u64,
    silenced: u64,
    wrong_header: u64,
}

fn cut() -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let made = stems::all(folder.path());
    let mut count = Count::default();
    for stem in &made {
        let size = stem.bytes.len();
        for per_mille in [100, 500, 900, 999] {
            at(stem, size * per_mille / 1000, true, &mut count);
        }
        for len in (1..size.min(4096)).step_by(times(17, 1) as usize) {
            at(stem, len, false, &mut count);
        }
    }
    let result = format!(
        "{} codecs; strict: {} refused by name and place; lenient: {} at full length, the rest silent and reported, {} with a \
         wrong header reported{}",
        made.len(),
        count.refused,
        count.silenced,
        count.wrong_header,
        stems::without(&made)
    );
    held(count.cuts, result)
}

/// Cuts a stem and mixes what is left, strictly and leniently.
fn at(stem: &Made, len: usize, far: bool, count: &mut Count) {
    let what = format!("{} of {} bytes of {}", len, stem.bytes.len(), stem.codec);
    let path = stem.with(len, &stem.bytes[..len]);
    count.cuts += 1;
    let strict = heard(&mix(path.as_path(), Damage::Refuse));
    match &strict {
        Err(e) => {
            named(e, &path);
            count.refused += 1;
        }
        Ok((report, _)) => {
            // Not refused: nothing is promised of which something is missing, and it is said where that is odd.
            let is_reported = said(report, &["W113", "W106"]);
            assert!(
                is_reported || stem.blind && report.frames <= stem.frames,
                "{what}: {:?}",
                report.warnings
            );
        }
    }
    match heard(&mix(path.as_path(), Damage::Silence)) {
        Err(e) => {
            named(&e, &path);
            assert!(strict.is_err(), "{what}: {e}");
            assert!(stem.codec != "WAV" || len < 48, "{what}: {e}");
        }
        Ok((report, channels)) => {
            // With audio before the cut there is a time to name.
            let text = strict.err().map(|e| e.to_string()).unwrap_or_default();
            assert!(
                text.is_empty() || text.contains("00:00:00."),
                "{what}: {text}"
            );
            assert!(
                !far || stem.codec != "WAV" || text.contains(": cut off at 00:00:00."),
                "{what}: {text}"
            );
            let wrong = said(&report, &["W113", "W106"]);
            assert!(
                said(&report, &CUT_WARNINGS) || stem.blind,
                "{what}: {:?}",
                report.warnings
            );
            assert!(
                report.frames >= stem.frames || wrong || !stem.stated,
                "{what}: {} frames",
                report.frames
            );
            assert!(channels.iter().flatten().all(|s| s.is_finite()), "{what}");
            assert!(
                channels.iter().all(|c| c.len() as u64 == report.frames),
                "{what}"
            );
            count.silenced += u64::from(report.frames >= stem.frames);
            count.wrong_header += u64::from(wrong);
        }
    }
    std::fs::remove_file(path).unwrap();
}
