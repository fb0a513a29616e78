//! Compares the audio of a file with the checksum that the file states for it.
//!
//! Of all formats that are read only FLAC has one: the MD5 of the samples (RFC 9639, 8.2). It takes about as long as
//! decoding, and every frame has a checksum of its own that is always compared. So mixing does without it: it is for those
//! who want to know whether a file is what was encoded.

use super::{codec::Decoder, demux, sniff};
use crate::error::Result;
use std::path::Path;

/// Decodes the first audio stream of a file and returns whether its audio has the stated checksum; `None` if none is stated,
/// or if not all of the audio is there and intact, which reading it reports.
///
/// # Errors
/// As of [`media::open`](super::open).
pub(crate) fn matches(path: &Path) -> Result<Option<bool>> {
    let (file, kind) = sniff::sniff(path)?;
    if kind == sniff::FileKind::Wave {
        return Ok(None);
    }
    let mut opened = demux::open(path, &file, kind, None)?;
    let Decoder::Flac(decoder) = &mut opened.decoder else {
        return Ok(None);
    };
    let info = *decoder.info();
    if info.md5 == [0; 16] {
        return Ok(None);
    }
    let (mut md5, mut frames) = (md5::Context::new(), 0);
    let mut samples = Vec::new();
    while let Ok(Some(packet)) = opened.packets.next() {
        let Ok(header) = decoder.decode(packet.data()) else {
            return Ok(None);
        };
        samples.clear();
        decoder.interleave(&mut samples);
        md5.consume(&samples);
        frames += u64::from(header.frames);
    }
    let is_whole = info.frames == 0 || frames == info.frames;
    Ok(is_whole.then(|| md5.finalize().0 == info.md5))
}
