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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        timecode::{FrameRate, Timecode},
        units::{Frames, SampleRate},
    };

    #[test]
    fn channels_are_named_by_their_speakers() {
        assert_eq!(channel_names("", Layout::Mono), ["M"]);
        assert_eq!(channel_names("", Layout::Stereo), ["L", "R"]);
        assert_eq!(channel_names("strings", Layout::Mono), ["strings"]);
        let stereo = channel_names("strings", Layout::Stereo);
        assert_eq!(stereo, ["strings L", "strings R"]);
    }

    #[test]
    fn a_mix_states_its_session_and_nothing_where_the_session_states_nothing() {
        let mut session = Session::new(SampleRate::HZ_48000, Layout::Stereo);
        assert_eq!(of_mix(&session, &[]), Metadata::default());
        session.start = Some(Timecode::parse("01:00:00:00", FrameRate::FPS_25).unwrap());
        let expected = Metadata {
            time_reference: Some(Frames(3600 * 48_000)),
            frame_rate: Some(FrameRate::FPS_25),
            originator: "soundtrack".into(),
            channels: vec!["L".into(), "R".into()],
            ..Metadata::default()
        };
        assert_eq!(of_mix(&session, &[]), expected);
        session.title = "Reel".into();
        session.album.artist = "A".into();
        session.album.upc = "036000291452".into();
        let expected = Metadata {
            title: "Reel".into(),
            description: "Reel".into(),
            project: "Reel".into(),
            artist: "A".into(),
            album_artist: "A".into(),
            upc: "036000291452".into(),
            ..expected
        };
        assert_eq!(of_mix(&session, &[]), expected);
    }
}
