//! What looks like a mistake in the stems or in the session: warnings W107 to W111.

use crate::diagnostics::{Subject, Warning, WarningKind};
use crate::{
    engine::Renderer,
    plan::{Node, NodeKind},
    storage::same_file,
    units::{Dbfs, Frames},
};
use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    ops::Range,
    path::Path,
};

/// A mean of −60 dBFS and 1 % of the peak is no music.
const OFFSET: (f64, f64) = (0.001, 0.01);
/// Channels this much alike, upside down, are a pair with one lead crossed.
const INVERTED: f64 = -0.95;
/// A first or last sample of −30 dBFS is heard as a click.
const CLICK: f64 = 0.031_622_776_601_683_79;

/// The warnings of a render of this range.
pub(crate) fn suspects(renderer: &Renderer, range: &Range<Frames>) -> Vec<Warning> {
    let plan = renderer.plan();
    let mut all = Vec::new();
    let tracks: Vec<(usize, &Node)> = plan
        .nodes
        .iter()
        .enumerate()
        .filter(|(_, node)| node.kind == NodeKind::Track)
        .collect();
    for &(index, node) in &tracks {
        if let Some(reason) = node.unused {
            add(
                &mut all,
                WarningKind::UnheardTrack { reason },
                Subject::track(&node.name),
            );
        }
        let Some(survey) = renderer.survey(index).filter(|_| node.live) else {
            continue;
        };
        if let Some((mean, share)) = survey.offset()
            && mean >= OFFSET.0
            && share >= OFFSET.1
        {
            add(
                &mut all,
                WarningKind::ConstantOffset {
                    mean: Dbfs::of(mean),
                },
                Subject::track(&node.name),
            );
        }
        if survey.likeness().is_some_and(|l| l <= INVERTED) {
            add(
                &mut all,
                WarningKind::OppositePolarity {},
                Subject::track(&node.name),
            );
        }
        for (clip, [first, last]) in node.clips().iter().zip(renderer.edges(index)) {
            let inside = |frame: u64| range.contains(&Frames(frame));
            let start = (*first >= CLICK && inside(clip.range.start)).then(|| Dbfs::of(*first));
            let end = (*last >= CLICK && inside(clip.range.end.saturating_sub(1)))
                .then(|| Dbfs::of(*last));
            if start.is_some() || end.is_some() {
                add(
                    &mut all,
                    WarningKind::AbruptClip { start, end },
                    Subject::clip(&node.name, &clip.stem.name),
                );
            }
        }
    }
    duplicates(renderer, &tracks, &mut all);
    all
}

/// Adds a warning that is not there yet: a clip that is used often is warned of once.
fn add(all: &mut Vec<Warning>, kind: WarningKind, subject: Subject) {
    let warning = Warning::new(kind, subject);
    if !all.contains(&warning) {
        all.push(warning);
    }
}

/// Warns of tracks that play the same sound at the same time as one before them.
fn duplicates(renderer: &Renderer, tracks: &[(usize, &Node)], all: &mut Vec<Warning>) {
    let heard = |index: usize, node: &Node| {
        node.live && renderer.peaks(index).iter().any(|p| p.value > 0.0)
    };
    let live: Vec<&Node> = tracks
        .iter()
        .filter(|(i, node)| heard(*i, node))
        .map(|(_, node)| *node)
        .collect();
    for (i, node) in live.iter().enumerate() {
        let twin = live.iter().take(i).find(|other| same(other, node));
        if let (Some(twin), Some(clip)) = (twin, node.clips().first()) {
            let kind = WarningKind::DuplicateStems {
                twin: twin.name.clone(),
            };
            all.push(Warning::new(
                kind,
                Subject::clip(&node.name, &clip.stem.name),
            ));
        }
    }
}

/// Whether two tracks play the same stretches of the same stems at the same places. Their gains may differ.
fn same(a: &Node, b: &Node) -> bool {
    let (a, b) = (a.clips(), b.clips());
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| {
            let place = a.range == b.range && a.from == b.from && a.stem.spec == b.stem.spec;
            place
                && match (a.stem.path(), b.stem.path()) {
                    (Some(one), Some(other)) if one == other => a.stem.name == b.stem.name,
                    (Some(one), Some(other)) => {
                        same_file(&one, &other).unwrap_or(false)
                            || alike(&one, &other).unwrap_or(false)
                    }
                    _ => std::sync::Arc::ptr_eq(&a.stem, &b.stem),
                }
        })
}

/// Whether two files hold the same bytes. Most that do not are told apart by their length or a few pages.
fn alike(a: &Path, b: &Path) -> std::io::Result<bool> {
    const PAGE: usize = 1 << 16;
    let (mut a, mut b) = (File::open(a)?, File::open(b)?);
    let length = a.metadata()?.len();
    if length != b.metadata()?.len() {
        return Ok(false);
    }
    let (mut one, mut other) = (Vec::new(), Vec::new());
    let mut page = |at: u64| -> std::io::Result<bool> {
        for (file, bytes) in [(&mut a, &mut one), (&mut b, &mut other)] {
            bytes.clear();
            file.seek(SeekFrom::Start(at))?;
            file.take(PAGE as u64).read_to_end(bytes)?;
        }
        Ok(one == other)
    };
    for at in [length / 2, length / 3, length / 5 * 4] {
        if !page(at)? {
            return Ok(false);
        }
    }
    for at in (0..length).step_by(PAGE) {
        if !page(at)? {
            return Ok(false);
        }
    }
    Ok(true)
}
