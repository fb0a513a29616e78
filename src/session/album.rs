//! The collection that the cues of a session appear on.

use super::source_text::KeySpans;

/// The album or soundtrack release that the pieces of a session belong to, for the metadata of files.
///
/// ```
/// use soundtrack::{Layout, SampleRate, Session};
/// let mut film = Session::new(SampleRate::HZ_48000, Layout::Stereo);
/// film.album.title = "The Lighthouse Keeper (Original Soundtrack)".into();
/// film.album.date = "2026".into();
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Album {
    /// Its title; empty for none.
    pub title: String,
    /// Its artist, also that of cues that name none.
    pub artist: String,
    /// The record label.
    pub label: String,
    /// The date of release: `2026`, `2026-11` or `2026-11-27`.
    pub date: String,
    /// The barcode: a UPC of 12 digits, or an EAN or GTIN of 13 or 14.
    pub upc: String,
    pub(crate) written: KeySpans,
}
