//! `LIST` chunks and what belongs to them: `INFO` texts, and markers as `cue ` and `adtl`.

use super::super::metadata::{Metadata, plain};
use crate::riff::chunk;

/// Returns the body of `LIST` `INFO`; `None` if there is nothing to state.
pub(super) fn info(metadata: &Metadata) -> Option<Vec<u8>> {
    let track = metadata.track.map(|(number, _)| number.to_string());
    let texts: [(&[u8; 4], &str); 7] = [
        (b"INAM", &metadata.title),
        (b"IART", &metadata.artist),
        (b"IPRD", &metadata.album),
        (b"ICRD", &metadata.date),
        (b"ITRK", track.as_deref().unwrap_or_default()),
        (b"IMUS", &metadata.composers.join("; ")),
        (b"IPUB", &metadata.publishers.join("; ")),
    ];
    let mut body = Vec::from(*b"INFO");
    for (id, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
        chunk(&mut body, *id, &terminated(text))?;
    }
    (body.len() > 4).then_some(body)
}

/// Returns the markers that a `cue ` chunk can hold.
fn placed(metadata: &Metadata) -> impl Iterator<Item = (u32, u32, &str)> {
    let markers = metadata
        .markers
        .iter()
        .filter_map(|(at, name)| u32::try_from(at.0).ok().map(|at| (at, name.as_str())));
    (1..).zip(markers).map(|(id, (at, name))| (id, at, name))
}

/// Returns the body of `cue `; `None` without markers.
pub(super) fn cue_points(metadata: &Metadata) -> Option<Vec<u8>> {
    let points: Vec<(u32, u32)> = placed(metadata).map(|(id, at, _)| (id, at)).collect();
    let mut body = Vec::from(u32::try_from(points.len()).ok()?.to_le_bytes());
    for (id, at) in &points {
        body.extend(id.to_le_bytes());
        body.extend(at.to_le_bytes());
        body.extend(b"data");
        // Offsets of a chunk and of a block, for compressed audio only.
        body.extend([0; 8]);
        body.extend(at.to_le_bytes());
    }
    (!points.is_empty()).then_some(body)
}

/// Returns the body of `LIST` `adtl` with the names of the markers; `None` without markers.
pub(super) fn labels(metadata: &Metadata) -> Option<Vec<u8>> {
    let mut body = Vec::from(*b"adtl");
    for (id, _, name) in placed(metadata) {
        let mut label = Vec::from(id.to_le_bytes());
        label.extend(terminated(name));
        chunk(&mut body, *b"labl", &label)?;
    }
    (body.len() > 4).then_some(body)
}

/// Returns a text with the NUL that ends it.
fn terminated(text: &str) -> Vec<u8> {
    let mut bytes = plain(text).into_bytes();
    bytes.push(0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Frames;

    #[test]
    fn texts_end_with_a_nul_and_fill_even_chunks() {
        let metadata = Metadata {
            title: "abc".into(),
            composers: vec!["x".into(), "y".into()],
            track: Some((7, 9)),
            ..Metadata::default()
        };
        let body = b"INFOINAM\x04\0\0\0abc\0ITRK\x02\0\0\x007\0IMUS\x05\0\0\0x; y\0\0";
        assert_eq!(info(&metadata).unwrap(), body);
        assert_eq!(info(&Metadata::default()), None);
    }

    #[test]
    fn markers_are_points_with_labels() {
        let metadata = Metadata {
            markers: vec![
                (Frames(0x0102), "in".into()),
                (Frames(1 << 32), "beyond the field".into()),
                (Frames(0xFFFF_FFFF), "a\tb".into()),
            ],
            ..Metadata::default()
        };
        let first = b"\x01\0\0\0\x02\x01\0\0data\0\0\0\0\0\0\0\0\x02\x01\0\0";
        let second = b"\x02\0\0\0\xFF\xFF\xFF\xFFdata\0\0\0\0\0\0\0\0\xFF\xFF\xFF\xFF";
        let points = [&b"\x02\0\0\0"[..], first, second].concat();
        assert_eq!(cue_points(&metadata).unwrap(), points);
        let names = b"adtllabl\x07\0\0\0\x01\0\0\0in\0\0labl\x08\0\0\0\x02\0\0\0a b\0";
        assert_eq!(labels(&metadata).unwrap(), names);
        assert_eq!(cue_points(&Metadata::default()), None);
        assert_eq!(labels(&Metadata::default()), None);
    }
}
