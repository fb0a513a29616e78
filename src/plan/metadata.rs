//! Metadata of the mix, filled from what the session states.

use super::markers::PlannedMarker;
use crate::{encode::Metadata, layout::Layout, session::Session};

/// Name of the program that writes a file.
const ORIGINATOR: &str = "soundtrack";

/// Returns the metadata of the mix; empty if the session states no title, album, picture or marker.
pub(super) fn of_mix(session: &Session, markers: &[PlannedMarker]) -> Metadata {
    let (album, picture) = (&session.album, session.picture());
    let stated = Metadata {
        title: session.title.clone(),
        artist: album.artist.clone(),
        album: album.title.clone(),
        album_artist: album.artist.clone(),
        label: album.label.clone(),
        date: album.date.clone(),
        upc: album.upc.clone(),
        time_reference: picture.map(|(_, start)| start.frames(session.rate)),
        frame_rate: picture.map(|(fps, _)| fps),
        markers: markers.iter().map(|m| (m.at, m.name.clone())).collect(),
        ..Metadata::default()
    };
    if stated.is_empty() {
        return stated;
    }
    Metadata {
        description: session.title.clone(),
        project: session.title.clone(),
        originator: ORIGINATOR.to_owned(),
        channels: channel_names("", session.layout),
        ..stated
    }
}

/// Returns the names of the channels of a strip, such as `strings L`; for a mix the name is empty.
pub(crate) fn channel_names(strip: &str, layout: Layout) -> Vec<String> {
    layout
        .speakers()
        .iter()
        .map(|speaker| match (strip, speaker.name()) {
            ("", name) => name.to_owned(),
            (strip, "M") => strip.to_owned(),
            (strip, name) => format!("{strip} {name}"),
        })
        .collect()
}
