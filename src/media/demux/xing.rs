//! The tag that encoders hide in the first MP3 frame: Xing or Info with the LAME extension, or VBRI.
//!
//! The frame that carries it holds no music. Its frame and byte counts are claims to compare with what is found; only
//! encoder delay and padding are taken from it, because nothing else knows them.

use super::mpeg::Header;

/// Decoder delay of layer III: 528 of the filter bank and one.
const DECODER: u32 = 529;

/// What the tag says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tag {
    /// MPEG frames, this one not counted.
    pub(crate) count: Option<u32>,
    /// Bytes of all frames.
    pub(crate) bytes: Option<u32>,
    /// Frames of audio to remove at the start and at the end, if the encoder states them.
    pub(crate) trim: Option<(u32, u32)>,
    /// Whether its frame is played like any other.
    pub(crate) played: bool,
}

/// The tag in a frame, if it has one.
pub(crate) fn read(header: &Header, frame: &[u8]) -> Option<Tag> {
    if header.layer != 3 {
        return None;
    }
    let at = 4 + header.side_info;
    if matches!(frame.get(at..at + 4), Some(b"Xing" | b"Info")) {
        return xing(frame.get(at..)?);
    }
    if frame.get(36..40) == Some(b"VBRI") && frame.get(40..42) == Some(&[0, 1]) {
        return Some(Tag { count: word(frame, 50), bytes: word(frame, 46), trim: None, played: true });
    }
    None
}

fn word(data: &[u8], at: usize) -> Option<u32> {
    data.get(at..at + 4)?.first_chunk::<4>().map(|b| u32::from_be_bytes(*b))
}

fn xing(tag: &[u8]) -> Option<Tag> {
    let flags = word(tag, 4)?;
    let mut at = 8;
    let mut field = |bit: u32, len: usize| {
        let here = at;
        (flags & bit != 0).then(|| {
            at += len;
            here
        })
    };
    let count = field(1, 4).and_then(|at| word(tag, at));
    let bytes = field(2, 4).and_then(|at| word(tag, at));
    field(4, 100);
    field(8, 4);
    let lame = tag.get(at..).unwrap_or_default();
    let known = [&b"LAME"[..], b"Lavf", b"Lavc", b"L3.9"].iter().any(|name| lame.starts_with(name));
    let trim = match lame.get(21..24) {
        Some(&[a, b, c]) if known => {
            let delay = u32::from(a) << 4 | u32::from(b) >> 4;
            let padding = u32::from(b & 15) << 8 | u32::from(c);
            Some((delay + DECODER, padding.saturating_sub(DECODER)))
        }
        _ => None,
    };
    Some(Tag { count, bytes, trim, played: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delay_and_padding_of_the_standard_example() {
        let header = Header::parse(&[0xFF, 0xFB, 0x90, 0x44]).unwrap();
        let mut frame = vec![0xFF, 0xFB, 0x90, 0x44];
        frame.resize(36, 0);
        frame.extend(b"Info\0\0\0\x0F\0\0\0\xC1\0\0\xC4\x9B");
        frame.extend([0; 104]);
        frame.extend(b"LAME3.100");
        frame.extend([0; 12]);
        frame.extend([576u32 >> 4, 1260 >> 8, 1260 & 255].map(|b| u8::try_from(b).unwrap()));
        let tag = read(&header, &frame).unwrap();
        // 193 frames, delay 576, padding 1260 = 220 500 samples.
        assert_eq!(tag, Tag { count: Some(193), bytes: Some(50_331), trim: Some((1105, 731)), played: false });
        assert_eq!(193 * 1152 - 1105 - 731, 220_500);
    }
}
