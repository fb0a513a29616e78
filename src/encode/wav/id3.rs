//! `id3 ` chunk: an ID3v2.4 tag, where players look for the ISRC and the album.

use super::super::metadata::{Metadata, plain};

/// Encoding of texts: UTF-8.
const UTF_8: u8 = 3;

/// Returns the tag; `None` without an ISRC and an album.
pub(super) fn tag(metadata: &Metadata) -> Option<Vec<u8>> {
    if metadata.isrc.is_empty() && metadata.album.is_empty() {
        return None;
    }
    let track = metadata
        .track
        .map(|(number, total)| format!("{number}/{total}"));
    // Several values of a frame are separated by NUL.
    let composers = metadata.composers.join("\0");
    let texts: [(&[u8; 4], &str); 9] = [
        (b"TIT2", &metadata.title),
        (b"TPE1", &metadata.artist),
        (b"TALB", &metadata.album),
        (b"TPE2", &metadata.album_artist),
        (b"TCOM", &composers),
        (b"TRCK", track.as_deref().unwrap_or_default()),
        (b"TDRC", &metadata.date),
        (b"TPUB", &metadata.label),
        (b"TSRC", &metadata.isrc),
    ];
    let mut frames = Vec::new();
    for (id, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
        let text = text.split('\0').map(plain).collect::<Vec<_>>().join("\0");
        frames.extend(id);
        frames.extend(synchsafe(text.len() + 1));
        frames.extend([0, 0, UTF_8]);
        frames.extend(text.as_bytes());
    }
    // Zeros after the frames are padding.
    if !frames.len().is_multiple_of(2) {
        frames.push(0);
    }
    let mut tag = Vec::from(*b"ID3\x04\0\0");
    tag.extend(synchsafe(frames.len()));
    tag.extend(frames);
    Some(tag)
}

/// Returns a size in four bytes of seven bits each.
fn synchsafe(size: usize) -> [u8; 4] {
    [21, 14, 7, 0].map(|shift| u8::try_from(size >> shift & 0x7F).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_have_synchsafe_sizes_and_fill_an_even_tag() {
        let metadata = Metadata {
            title: "t".repeat(200),
            composers: vec!["x".into(), "y\n".into()],
            track: Some((7, 12)),
            isrc: "QZABC2600001".into(),
            ..Metadata::default()
        };
        let title = [b"TIT2\0\0\x01\x49\0\0\x03", &[b't'; 200][..]].concat();
        let others = b"TCOM\0\0\0\x05\0\0\x03x\0y TRCK\0\0\0\x05\0\0\x037/12TSRC\0\0\0\x0D\0\0\x03QZABC2600001";
        // 211 + 15 + 15 + 23 bytes are 2 · 128 + 8.
        let expected = [b"ID3\x04\0\0\0\0\x02\x08", &title[..], others].concat();
        assert_eq!(tag(&metadata).unwrap(), expected);
        let odd = Metadata {
            album: "ab".into(),
            ..Metadata::default()
        };
        let expected = b"ID3\x04\0\0\0\0\0\x0ETALB\0\0\0\x03\0\0\x03ab\0";
        assert_eq!(tag(&odd).unwrap(), expected);
        let untagged = Metadata {
            title: "t".into(),
            ..Metadata::default()
        };
        assert_eq!(tag(&untagged), None);
    }
}
