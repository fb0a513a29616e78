//! Metadata that a file carries over from its source: if all that is heard in it comes from one Broadcast
//! WAVE file, it keeps what the `bext` chunk of that file states and the session does not.
//!
//! | field | kept |
//! |---|---|
//! | originator, reference, coding history | always; the history gets a line about the new file |
//! | description | if the session has no title |
//! | date | if the album has none |
//! | time reference | if the session has no picture, and one clip is heard, once, on the timeline of the session |

use crate::{
    encode::Metadata,
    error::{Error, ErrorKind, Result},
    plan::{NodeInput, Plan, PlannedClip},
    riff::{self, Found},
    session::Session,
    storage::InputFile,
    units::Frames,
};
use std::path::{Path, PathBuf};
use waveadapter::Bext;

/// Adds what the only source of a node states to the metadata of the node's file. `is_of_cue` is true for a
/// cue on a timeline of its own.
///
/// # Errors
/// Passes on the errors of reading the source.
pub(super) fn add_source(
    metadata: Metadata,
    session: &Session,
    plan: &Plan,
    node: usize,
    is_of_cue: bool,
) -> Result<Metadata> {
    let clips = heard_clips(plan, node);
    let Some((path, clip)) = only_source(&clips) else {
        return Ok(metadata);
    };
    let Some(bext) = read_bext(&path)? else {
        return Ok(metadata);
    };
    let stated = |own: String, source: &str| {
        if own.is_empty() {
            source.to_owned()
        } else {
            own
        }
    };
    let time_reference = match metadata.time_reference {
        None if !is_of_cue && clips.len() == 1 => time_reference(clip, plan),
        own => own,
    };
    Ok(Metadata {
        description: if session.title.is_empty() && !bext.description.is_empty() {
            bext.description.clone()
        } else {
            metadata.description
        },
        originator: stated(bext.originator.clone(), &metadata.originator),
        reference: stated(metadata.reference, &bext.originator_reference),
        date: stated(metadata.date, &date(&bext.origination_date)),
        coding_history: bext.coding_history,
        time_reference,
        ..metadata
    })
}

/// Returns the clips of all tracks that are heard in a node.
fn heard_clips(plan: &Plan, node: usize) -> Vec<&PlannedClip> {
    let mut clips = Vec::new();
    let mut known = vec![false; plan.nodes.len()];
    let mut waiting = vec![node];
    while let Some(index) = waiting.pop() {
        let (Some(node), Some(known)) = (plan.nodes.get(index), known.get_mut(index)) else {
            continue;
        };
        if std::mem::replace(known, true) {
            continue;
        }
        match &node.input {
            NodeInput::Clips(own) => clips.extend(own),
            NodeInput::Sum(edges) => waiting.extend(edges.iter().map(|edge| edge.node)),
        }
    }
    clips
}

/// Returns the file that all clips are of, and the first of them; `None` if they are of several files, or of
/// none.
fn only_source<'p>(clips: &[&'p PlannedClip]) -> Option<(PathBuf, &'p PlannedClip)> {
    let first = clips.first()?;
    let path = first.stem.path()?;
    let is_same = |clip: &&PlannedClip| clip.stem.path().as_ref() == Some(&path);
    clips.iter().all(is_same).then_some((path, *first))
}

/// Returns the `bext` chunk of a file; `None` if it has none.
fn read_bext(path: &Path) -> Result<Option<Bext>> {
    let found = InputFile::open(path).and_then(|mut file| riff::open(&mut file));
    let found = found.map_err(|e| {
        let what = format!("{}: its metadata cannot be read: {e}", path.display());
        Error::new(ErrorKind::Corrupt, what)
            .in_file(path.display().to_string())
            .because(e)
    })?;
    Ok(match found {
        Found::Wave(header) => header.bext.map(|bext| *bext),
        _ => None,
    })
}

/// Returns a date as `yyyy-mm-dd`, which may be written with other separators (EBU Tech 3285, section 2.3); nothing
/// for another text.
fn date(stated: &str) -> String {
    let is_valid = stated.len() == 10
        && stated.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => b"-_:. ".contains(&byte),
            _ => byte.is_ascii_digit(),
        });
    if !is_valid || stated.starts_with("0000") {
        return String::new();
    }
    stated.replace(['_', ':', '.', ' '], "-")
}

/// Returns the time reference of the first frame of the timeline; `None` for a source without one, and
/// for one that plays again or would begin before midnight.
fn time_reference(clip: &PlannedClip, plan: &Plan) -> Option<Frames> {
    let stem = &clip.stem;
    let reference = stem.info.as_ref()?.time_reference?;
    if clip.passes.count() != 1 {
        return None;
    }
    let (from, to) = (stem.spec.rate.hz(), plan.spec().rate.hz());
    let (from, to) = (u128::from(from), u128::from(to));
    let first = (2 * u128::from(reference.0) * to + from) / (2 * from);
    let heard = u64::try_from(first).ok()?.checked_add(clip.from)?;
    heard
        .checked_add(clip.lead)?
        .checked_sub(clip.range.start)
        .map(Frames)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_have_any_separator_and_ten_characters() {
        for (stated, expected) in [
            ("2017-10-06", "2017-10-06"),
            ("2017:10:06", "2017-10-06"),
            ("2017_10 06", "2017-10-06"),
            ("2017/10/06", ""),
            ("17-10-2006", ""),
            ("0000-00-00", ""),
            ("2017-10-0", ""),
            ("2017-10-0é", ""),
            ("", ""),
        ] {
            assert_eq!(date(stated), expected, "{stated}");
        }
    }
}
