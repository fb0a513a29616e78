//! Stems that change while they are mixed: the content that was opened, or an error; never some of both.

use super::{
    super::table::{Row, Seen, held, times},
    stems::{self, heard, mix, named, same},
};
use soundtrack::{Bounce, Damage, ErrorKind, Options, Plan, Renderer, encode};
use std::{
    fs,
    io::Write,
    ops::ControlFlow,
    path::Path,
    time::{Duration, Instant},
};

pub const ROWS: &[Row] = &[Row {
    section: "inputs",
    fault: "stem changed while it is mixed",
    run: changing,
}];

/// Change of the file during the render.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Change {
    Overwrite,
    Truncate,
    Grow,
    Replace,
    Delete,
    /// A pipe takes its place, which waits for ever.
    Pipe,
}

impl Change {
    fn happen(self, path: &Path, other: &[u8]) {
        let open = || fs::File::options().write(true).open(path).unwrap();
        match self {
            Self::Overwrite => open().write_all(other).unwrap(),
            Self::Truncate => open().set_len(other.len() as u64 / 2).unwrap(),
            Self::Grow => fs::File::options()
                .append(true)
                .open(path)
                .unwrap()
                .write_all(other)
                .unwrap(),
            Self::Replace => {
                let new = path.with_extension("new");
                fs::write(&new, other).unwrap();
                fs::rename(new, path).unwrap();
            }
            Self::Delete => fs::remove_file(path).unwrap(),
            Self::Pipe => {
                fs::remove_file(path).unwrap();
                let made = std::process::Command::new("mkfifo").arg(path).status();
                assert!(made.is_ok_and(|s| s.success()) || !cfg!(unix));
            }
        }
    }
}

fn changing() -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let made = stems::all(folder.path());
    let all = [
        Change::Overwrite,
        Change::Truncate,
        Change::Grow,
        Change::Replace,
        Change::Delete,
        Change::Pipe,
    ];
    let (mut count, mut old, mut refused, mut slowest) = (0, 0, 0, 0.0f64);
    for stem in &made {
        let want = heard(&mix(stem.path.as_path(), Damage::Silence)).unwrap().1;
        // Other music in the same container.
        let other_wav = folder.path().join("other.wav");
        let mut backwards = stems::music(2, stems::FRAMES);
        backwards.iter_mut().for_each(|c| c.reverse());
        stems::wav16(&other_wav, stems::RATE, &backwards);
        let other = folder.path().join(format!(
            "other-{}",
            stem.path.file_name().unwrap().to_str().unwrap()
        ));
        let other = match stem.codec {
            "WAV" => fs::read(&other_wav).unwrap(),
            _ if stems::encode(&other_wav, &[], &other) => fs::read(&other).unwrap(),
            _ => vec![0x55; stem.bytes.len()],
        };
        for change in all {
            for round in 0..times(3, 20) {
                for damage in [Damage::Refuse, Damage::Silence] {
                    count += 1;
                    let path = stem.with("changing", &stem.bytes);
                    // Further than the step of a file system's clock.
                    std::thread::sleep(Duration::from_millis(12));
                    // Between planning and mixing in the first round, then ever later.
                    let place = round * stems::FRAMES as u64 / times(3, 20);
                    let clock = Instant::now();
                    let got = mixed(&path, damage, || change.happen(&path, &other), place);
                    slowest = slowest.max(clock.elapsed().as_secs_f64());
                    match got {
                        Ok(channels) => {
                            assert!(
                                same(&channels, &want),
                                "{change:?} of {} at {place}: a blend",
                                stem.codec
                            );
                            old += 1;
                        }
                        Err(e) => {
                            named(&e, &path);
                            let kind = e.kind();
                            let is_reported = [
                                ErrorKind::Corrupt,
                                ErrorKind::NotFound,
                                ErrorKind::Unsupported,
                            ]
                            .contains(&kind);
                            assert!(is_reported, "{e}");
                            refused += 1;
                        }
                    }
                    let _ = fs::remove_file(&path);
                }
            }
        }
    }
    assert!(slowest < 5.0, "{slowest} s");
    held(
        count,
        format!(
            "{refused} refused by name, {old} with the old content to the last bit, 0 blends; slowest {slowest:.2} s"
        ),
    )
}

/// Mixes a stem in small blocks, with a change before the block at a frame; before anything is read for frame 0.
fn mixed(
    path: &Path,
    damage: Damage,
    change: impl FnOnce(),
    place: u64,
) -> soundtrack::Result<Vec<Vec<f64>>> {
    let plan = Plan::compile(&mix(path, damage))?;
    let mut renderer = Renderer::new(plan, &Options { threads: 1 })?;
    let mut change = Some(change);
    if place == 0 {
        change.take().unwrap()();
    }
    let mut memory = encode::MemorySink::default();
    let watch = |p: soundtrack::Progress| {
        if p.done.0 >= place
            && let Some(change) = change.take()
        {
            change();
        }
        ControlFlow::Continue(())
    };
    Bounce::new()
        .threads(1)
        .block(512)
        .measure(false)
        .progress(watch)
        .into_sink(&mut renderer, &mut memory)?;
    Ok(memory.into_channels())
}
