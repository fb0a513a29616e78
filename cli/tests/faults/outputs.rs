//! Injects faults into outputs: full disks, failing calls, kills and signals, two writers, sizes around 4 GiB.
//!
//! After every row the output path holds its old content or a complete new file, and no temporary is left that the next run
//! does not remove.

mod calls;
mod disks;
mod kills;
mod lengths;
pub mod trace;
mod writers;

use crate::table::Row;
use soundtrack_test_support::desk::Desk;
use std::{fs, path::Path};

/// The rows, a list for each file.
pub const ROWS: [&[Row]; 5] = [
    calls::ROWS,
    disks::ROWS,
    kills::ROWS,
    writers::ROWS,
    lengths::ROWS,
];

/// Creates a session of two buses with the mix and two stems as deliverables, in a folder that does not exist.
fn film() -> Desk {
    let desk = Desk::with_tones();
    let text = r#"
title = "Reel"
rate = 48000
[bus.music]
[bus.speech]
[track.a]
file = "a.wav"
bus = "music"
[track.b]
file = "b.wav"
bus = "speech"
[deliver.full]
file = "out/{title}.wav"
[deliver.stems]
file = "out/{bus}.wav"
stems = ["music", "speech"]
"#;
    desk.write("film.toml", text);
    desk
}

/// Temporaries, journals and old files in a folder and those below it, relative to it.
pub fn left(folder: &Path) -> Vec<String> {
    let mut out = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            out.extend(
                left(&entry.path())
                    .into_iter()
                    .map(|n| format!("{name}/{n}")),
            );
        } else if name.starts_with(".soundtrack-") {
            out.push(name);
        }
    }
    out
}
