//! Listings of an album: a `.cue` file for players and CD programs, and all data as `album.json`.

use super::{loudness::DeliverableLoudness, report::FileReport};
use crate::session::{Content, Credit, CueId, Deliverable, Session, release::compact_isrc};
use serde::Serialize;
use std::path::Path;

/// Album with its pieces, as `album.json` states it.
#[derive(Debug, Default, Serialize)]
pub(super) struct AlbumListing {
    title: String,
    artist: String,
    label: String,
    date: String,
    upc: String,
    /// Loudness of all pieces together.
    integrated_lufs: Option<f64>,
    true_peak_dbtp: Option<f64>,
    duration_s: f64,
    tracks: Vec<Piece>,
}

/// Piece of an album.
#[derive(Debug, Default, Serialize)]
struct Piece {
    number: u32,
    title: String,
    artist: String,
    isrc: String,
    composers: Vec<String>,
    publishers: Vec<String>,
    /// Name of the file beside the listing.
    file: String,
    format: Option<String>,
    frames: u64,
    duration_s: f64,
    integrated_lufs: Option<f64>,
    true_peak_dbtp: Option<f64>,
}

impl AlbumListing {
    /// Creates the listing of an album. `files` are the reports of its pieces, in order.
    pub(super) fn new(
        session: &Session,
        deliverable: &Deliverable,
        files: &[&FileReport],
        loudness: &DeliverableLoudness,
    ) -> Self {
        let album = &session.album;
        let pieces = session.outputs(deliverable).into_iter();
        let pieces = pieces.filter_map(|output| match output.content {
            Content::Cue(cue) => Some((cue, output.file)),
            _ => None,
        });
        let tracks: Vec<Piece> = (1..)
            .zip(pieces)
            .zip(files)
            .map(|((number, (cue, path)), file)| piece(session, number, cue, &path, file))
            .collect();
        Self {
            title: session.album_title().to_owned(),
            artist: album.artist.clone(),
            label: album.label.clone(),
            date: album.date.clone(),
            upc: album.upc.clone(),
            integrated_lufs: loudness.integrated.map(|l| l.0),
            true_peak_dbtp: loudness.true_peak.map(|p| p.0),
            duration_s: tracks.iter().map(|piece| piece.duration_s).sum(),
            tracks,
        }
    }

    /// Returns the listing as JSON.
    pub(super) fn to_json(&self) -> String {
        // Serialization cannot fail: every key is a string and every value has a JSON form.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Returns the listing as a cue sheet of a compact disc (CDRWIN), with one file for each track.
    pub(super) fn to_cue(&self) -> String {
        let mut lines = Vec::new();
        if !self.date.is_empty() {
            lines.push(format!("REM DATE {}", self.date));
        }
        // The catalogue number has 13 digits: a UPC of 12 starts with 0, as a GTIN of 14 does.
        let digits = self.upc.trim_start_matches('0');
        if !digits.is_empty() && digits.len() <= 13 {
            lines.push(format!("CATALOG {digits:0>13}"));
        }
        let text = |lines: &mut Vec<String>, indent: &str, command: &str, text: &str| {
            if !text.is_empty() {
                lines.push(format!("{indent}{command} {}", quoted(text)));
            }
        };
        text(&mut lines, "", "PERFORMER", &self.artist);
        text(&mut lines, "", "TITLE", &self.title);
        for piece in &self.tracks {
            lines.push(format!("FILE {} WAVE", quoted(&piece.file)));
            lines.push(format!("  TRACK {:02} AUDIO", piece.number));
            text(&mut lines, "    ", "TITLE", &piece.title);
            text(&mut lines, "    ", "PERFORMER", &piece.artist);
            text(
                &mut lines,
                "    ",
                "SONGWRITER",
                &piece.composers.join("; "),
            );
            if !piece.isrc.is_empty() {
                lines.push(format!("    ISRC {}", piece.isrc));
            }
            lines.push("    INDEX 01 00:00:00".to_owned());
        }
        lines.join("\r\n") + "\r\n"
    }
}

fn piece(session: &Session, number: u32, id: CueId, path: &Path, file: &FileReport) -> Piece {
    let Some(cue) = session.cues().get(id.0) else {
        return Piece::default();
    };
    let names = |credits: &[String]| credits.iter().map(|c| Credit::parse(c).name).collect();
    let report = &file.report;
    Piece {
        number,
        title: cue.display_name().to_owned(),
        artist: session.artist_of(id).to_owned(),
        isrc: compact_isrc(&cue.isrc),
        composers: names(&cue.composer),
        publishers: names(&cue.publisher),
        file: path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        format: report.format.clone(),
        frames: report.frames,
        duration_s: report.duration_s,
        integrated_lufs: report.mix.integrated_lufs,
        true_peak_dbtp: report.mix.true_peak_dbtp,
    }
}

/// Returns a text in quotes. The format has no way to write a quote or a line break in a text.
fn quoted(text: &str) -> String {
    let plain = |c: char| match c {
        '"' => '\'',
        c if c.is_control() => ' ',
        c => c,
    };
    format!("\"{}\"", text.chars().map(plain).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{layout::Layout, units::SampleRate};

    #[test]
    fn a_catalogue_number_has_13_digits() {
        let lines = |upc: &str| {
            let listing = AlbumListing {
                upc: upc.to_owned(),
                ..AlbumListing::default()
            };
            listing.to_cue()
        };
        for (upc, line) in [
            ("602547924032", "CATALOG 0602547924032\r\n"),
            ("4006381333931", "CATALOG 4006381333931\r\n"),
            ("00602547924032", "CATALOG 0602547924032\r\n"),
            ("14006381333931", "\r\n"),
            ("0000", "\r\n"),
            ("", "\r\n"),
        ] {
            assert_eq!(lines(upc), line, "{upc}");
        }
    }

    #[test]
    fn a_blank_title_is_that_of_the_session_as_in_the_name_of_the_file() {
        let mut film = Session::new(SampleRate::HZ_48000, Layout::Stereo);
        film.title = "Reel\t\"2\"".into();
        let title = |film: &Session| {
            let album = Deliverable::new("album", "");
            let loudness = DeliverableLoudness::new(&[]);
            AlbumListing::new(film, &album, &[], &loudness).to_cue()
        };
        for blank in ["", " "] {
            film.album.title = blank.into();
            assert_eq!(title(&film), "TITLE \"Reel '2'\"\r\n");
        }
        film.album.title = "Score".into();
        assert_eq!(title(&film), "TITLE \"Score\"\r\n");
    }
}
