//! Opens Matroska and WebM (RFC 9559).
//!
//! Timestamps count milliseconds, so positions are counted in decoded frames from the start. `symphonia` omits tracks
//! of codecs that it does not know and skips a segment that is longer than the file without an error; this file finds
//! out which of the two it was.

use super::{OpenFailure, OpenedStem, StemFile};
use crate::{
    error::{Error, Result},
    media::{
        Remark, codec_fault::CodecFault, sparse_reader::FileView, symphonia_adapter::Container,
    },
};
use std::io::{Read, Seek, SeekFrom};

const NAME: &str = "Matroska";

impl StemFile<'_> {
    pub(super) fn open_matroska(&self) -> Result<OpenedStem> {
        let opened = self.try_demux(Container::Matroska, NAME, FileView::whole(self.file), |_| 0);
        let (demuxed, streams) = opened.map_err(|failure| self.matroska_error(failure))?;
        let has_known_start = demuxed.stream().is_flac() || demuxed.stream().is_pcm;
        let mut opened = self.open_counted(demuxed, streams, NAME)?;
        if !has_known_start {
            opened.remarks.push(Remark::AlignmentUnknown);
        }
        Ok(opened)
    }

    fn matroska_error(&self, failure: OpenFailure) -> Error {
        match (failure, self.matroska_codec()) {
            (OpenFailure::NoAudio, Some(codec)) => self.unsupported(format!("{codec} in {NAME}")),
            // symphonia reports this as an unsupported file.
            (OpenFailure::Demuxer(CodecFault::Unsupported(_)), _)
                if self.has_whole_segment() == Some(false) =>
            {
                self.corrupt(
                    "Matroska: its segment is missing or not whole: the file is probably cut off",
                )
            }
            (failure, _) => self.open_error(NAME, failure),
        }
    }

    /// Reports whether a whole Segment element follows the EBML header (RFC 8794, RFC 9559 section 4.5); `None` without
    /// such a header.
    fn has_whole_segment(&self) -> Option<bool> {
        let mut head = Vec::new();
        let mut file = self.file;
        file.seek(SeekFrom::Start(0)).ok()?;
        file.take(1 << 12).read_to_end(&mut head).ok()?;
        let header = head.strip_prefix(&[0x1A, 0x45, 0xDF, 0xA3])?;
        let (size, width) = element_size(header)?;
        let at = size?.checked_add(4 + width)?;
        let segment = head.get(usize::try_from(at).ok()?..)?;
        let Some(body) = segment.strip_prefix(&[0x18, 0x53, 0x80, 0x67]) else {
            return Some(false);
        };
        let Some((size, width)) = element_size(body) else {
            return Some(false);
        };
        let end = size.map(|size| (at + 4 + width).saturating_add(size));
        Some(end.is_none_or(|end| end <= self.file.len()))
    }

    /// Finds the identifier of an audio codec near the start of the file. All of them begin with `A_`.
    fn matroska_codec(&self) -> Option<String> {
        let mut head = Vec::new();
        let mut file = self.file;
        file.seek(SeekFrom::Start(0)).ok()?;
        file.take(1 << 16).read_to_end(&mut head).ok()?;
        let at = head.windows(2).position(|w| w == b"A_")?;
        let rest = head.get(at..at + 32)?.iter();
        let name =
            rest.take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b"_/.".contains(b));
        let name: String = name.map(|b| char::from(*b)).collect();
        (name.len() > 3).then_some(name)
    }
}

/// Reads the size of an EBML element: the value, `None` for one that is unknown, and how many bytes it takes.
fn element_size(data: &[u8]) -> Option<(Option<u64>, u64)> {
    let first = *data.first()?;
    let width = u64::from(first.leading_zeros()) + 1;
    let bytes = data
        .get(..usize::try_from(width).ok()?)
        .filter(|_| width <= 8)?;
    let mark = 1u64 << (7 * width);
    let value = bytes
        .iter()
        .fold(0, |value, byte| value << 8 | u64::from(*byte))
        & (mark - 1);
    Some(((value != mark - 1).then_some(value), width))
}
