//! Metadata of delivered files: that of the mix, with what a stem or the piece of an album adds.

use super::{
    carried,
    jobs::{DeliveredFile, DeliveryJob},
};
use crate::{
    encode::{Family, Metadata},
    error::Result,
    plan::{Plan, channel_names},
    session::{Content, Credit, Cue, Deliverable, Session, release::compact_isrc},
};

/// Returns the metadata of a file of a job, as for its whole timeline. `node` is that of a stem.
///
/// # Errors
/// Passes on the errors of reading the metadata of a source.
pub(super) fn of_file(
    job: &DeliveryJob,
    file: &DeliveredFile,
    plan: &Plan,
    deliverable: Option<&Deliverable>,
    node: Option<usize>,
) -> Result<Metadata> {
    let stated = stated(job, file, plan, deliverable);
    let master = plan.nodes.len().saturating_sub(1);
    let node = node.unwrap_or(master);
    carried::add_source(stated, &job.session, plan, node, job.is_of_cue())
}

/// Returns what the session states about a file.
fn stated(
    job: &DeliveryJob,
    file: &DeliveredFile,
    plan: &Plan,
    deliverable: Option<&Deliverable>,
) -> Metadata {
    let mix = plan.metadata();
    let is_of_cue = deliverable.is_some_and(|d| d.cue.is_some());
    match file.content {
        Content::Stem(_) if !mix.is_empty() => {
            // The session of a whole cue has this cue alone.
            let cue = job.session.cues().first().filter(|_| is_of_cue);
            let title = cue.map(Cue::display_name).map(str::to_owned);
            let title = title.unwrap_or_else(|| mix.title.clone());
            let set = deliverable.map_or("", |d| d.name.as_str());
            stem(Metadata { title, ..mix }, file, plan, set)
        }
        Content::Cue(_) => match job.session.cues().first() {
            Some(cue) => {
                let mut piece = piece(mix, cue, file, &job.session);
                if is_of_cue {
                    piece.track = None;
                }
                if deliverable.is_some_and(Deliverable::is_excerpt) {
                    // A part is another recording than the one that the code identifies.
                    piece.isrc.clear();
                    piece.reference.clear();
                }
                piece
            }
            None => mix,
        },
        _ => mix,
    }
}

/// Adds the name of the bus and the set of stems.
fn stem(mix: Metadata, file: &DeliveredFile, plan: &Plan, set: &str) -> Metadata {
    let bus = file.of.as_deref().unwrap_or_default();
    let title = joined(&mix.title, bus);
    Metadata {
        channels: channel_names(bus, plan.spec().layout),
        family: Some(Family {
            // Equal content gives an equal identifier, whatever is delivered with it.
            uid: format!("{:016X}", plan.fingerprint(&set)),
            name: mix.title.clone(),
            index: file.number,
            total: file.total,
        }),
        description: title.clone(),
        title,
        ..mix
    }
}

/// Returns the metadata of a cue as a piece of the album. It starts at its own beginning, so it has no
/// place against picture.
fn piece(mix: Metadata, cue: &Cue, file: &DeliveredFile, session: &Session) -> Metadata {
    let names = |credits: &[String]| credits.iter().map(|c| Credit::parse(c).name).collect();
    let title = cue.display_name().to_owned();
    let artist = match cue.artist.as_str() {
        "" => mix.album_artist.clone(),
        own => own.to_owned(),
    };
    Metadata {
        description: title.clone(),
        title,
        artist,
        composers: names(&cue.composer),
        publishers: names(&cue.publisher),
        isrc: compact_isrc(&cue.isrc),
        reference: compact_isrc(&cue.isrc),
        track: Some((file.number, file.total)),
        project: session.title.clone(),
        scene: cue.name.clone(),
        originator: "soundtrack".to_owned(),
        time_reference: None,
        frame_rate: None,
        channels: channel_names("", session.layout),
        ..mix
    }
}

fn joined(title: &str, bus: &str) -> String {
    match title {
        "" => bus.to_owned(),
        title => format!("{title} - {bus}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stem_of_a_session_without_a_title_has_the_name_of_its_bus() {
        assert_eq!(joined("", "music"), "music");
        assert_eq!(joined("Reel", "music"), "Reel - music");
    }
}
