//! Detects likely mistakes in stems and sessions: warnings W107 to W111.

use crate::diagnostics::{Subject, Warning, WarningKind};
use crate::{
    engine::Renderer,
    media::stem::Stem,
    plan::{Node, NodeKind},
    storage::same_file,
    units::{Dbfs, Frames},
};
use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
    path::Path,
    sync::Arc,
};

/// Thresholds for a DC offset: mean of −60 dBFS, and 1 % of the peak. Music stays far below both.
const OFFSET_MEAN: f64 = 0.001;
const OFFSET_SHARE_OF_PEAK: f64 = 0.01;
/// Correlation below which a stereo pair counts as having one channel with inverted polarity.
const INVERTED_CORRELATION: f64 = -0.95;
/// Level of a clip's first or last sample above which the cut is audible as a click: −30 dBFS.
const CLICK_LEVEL: f64 = 0.031_622_776_601_683_79;

/// Bytes compared at a time.
const PAGE_BYTES: usize = 1 << 16;

/// Returns the warnings about suspicious audio in the rendered range.
pub(crate) fn suspicious_audio(renderer: &Renderer, range: &Range<Frames>) -> Vec<Warning> {
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
            add_once(
                &mut all,
                WarningKind::UnheardTrack { reason },
                Subject::track(&node.name),
            );
        }
        let Some(survey) = renderer.survey(index).filter(|_| node.live) else {
            continue;
        };
        if let Some((mean, share)) = survey.offset()
            && mean >= OFFSET_MEAN
            && share >= OFFSET_SHARE_OF_PEAK
        {
            add_once(
                &mut all,
                WarningKind::ConstantOffset {
                    mean: Dbfs::from_amplitude(mean),
                },
                Subject::track(&node.name),
            );
        }
        if survey.likeness().is_some_and(|l| l <= INVERTED_CORRELATION) {
            add_once(
                &mut all,
                WarningKind::OppositePolarity {},
                Subject::track(&node.name),
            );
        }
        for (clip, [first, last]) in node.clips().iter().zip(renderer.edges(index)) {
            let inside = |frame: u64| range.contains(&Frames(frame));
            let start = (*first >= CLICK_LEVEL && inside(clip.range.start))
                .then(|| Dbfs::from_amplitude(*first));
            let end = (*last >= CLICK_LEVEL && inside(clip.range.end.saturating_sub(1)))
                .then(|| Dbfs::from_amplitude(*last));
            if start.is_some() || end.is_some() {
                add_once(
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

/// Adds a warning unless it is already present: a stem used by several clips is reported once.
fn add_once(all: &mut Vec<Warning>, kind: WarningKind, subject: Subject) {
    let warning = Warning::new(kind, subject);
    if !all.contains(&warning) {
        all.push(warning);
    }
}

/// Warns about each track that plays the same audio at the same time as an earlier track.
fn duplicates(renderer: &Renderer, tracks: &[(usize, &Node)], all: &mut Vec<Warning>) {
    let mut audible: Vec<&Node> = Vec::new();
    for &(index, node) in tracks {
        if !node.live || renderer.peaks(index).iter().all(|peak| peak.value <= 0.0) {
            continue;
        }
        let earlier = audible.iter().find(|other| same_audio(other, node));
        if let (Some(earlier), Some(clip)) = (earlier, node.clips().first()) {
            all.push(Warning::new(
                WarningKind::DuplicateStems {
                    twin: earlier.name.clone(),
                },
                Subject::clip(&node.name, &clip.stem.name),
            ));
        }
        audible.push(node);
    }
}

/// Returns true if two tracks play the same parts of the same stems at the same positions. Gains
/// may differ.
fn same_audio(a: &Node, b: &Node) -> bool {
    let (a, b) = (a.clips(), b.clips());
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| {
            a.range == b.range
                && a.from == b.from
                && a.stem.spec == b.stem.spec
                && same_stem(&a.stem, &b.stem)
        })
}

/// Returns true if two stems are the same source, the same file, or files with the same content.
fn same_stem(a: &Arc<Stem>, b: &Arc<Stem>) -> bool {
    match (a.path(), b.path()) {
        // The name distinguishes the streams of one file.
        (Some(one), Some(other)) if one == other => a.name == b.name,
        (Some(one), Some(other)) => {
            same_file(&one, &other).unwrap_or(false) || same_content(&one, &other).unwrap_or(false)
        }
        _ => Arc::ptr_eq(a, b),
    }
}

/// Returns true if two files have the same content.
fn same_content(a: &Path, b: &Path) -> io::Result<bool> {
    let (mut a, mut b) = (File::open(a)?, File::open(b)?);
    let length = a.metadata()?.len();
    if length != b.metadata()?.len() {
        return Ok(false);
    }
    // Different recordings of one length usually differ in one of these pages, which spares reading
    // both files to the first difference after a common header and leading silence.
    for at in [length / 2, length / 3, length / 5 * 4] {
        if read_page(&mut a, at)? != read_page(&mut b, at)? {
            return Ok(false);
        }
    }
    for at in (0..length).step_by(PAGE_BYTES) {
        if read_page(&mut a, at)? != read_page(&mut b, at)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Reads [`PAGE_BYTES`] at a position, or fewer at the end of the file.
fn read_page(file: &mut File, at: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(PAGE_BYTES);
    file.seek(SeekFrom::Start(at))?;
    file.take(PAGE_BYTES as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}
