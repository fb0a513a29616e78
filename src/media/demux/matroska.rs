//! Opens Matroska and WebM (RFC 9559).
//!
//! Timestamps count milliseconds, so positions are counted in decoded frames from the start. `symphonia` omits tracks
//! of codecs that it does not know and skips a segment that is longer than the file without an error; this file finds
//! out which of the two it was.

use super::{OpenFailure, OpenedStem, StemFile};
use crate::{
    error::{Error, Result},
    media::{Remark, codec_fault::CodecFault, sparse_reader::FileView, symphonia_adapter::Container},
};
use std::io::{Read, Seek, SeekFrom};

const NAME: &str = "Matroska";

impl StemFile<'_> {
    pub(super) fn open_matroska(&self) -> Result<OpenedStem> {
        let opened = self.try_demux(Container::Matroska, NAME, FileView::whole(self.file), |_| 0);
        let (demuxed, streams) = opened.map_err(|failure| self.matroska_error(failure))?;
        let codec = demuxed.stream().codec;
        let mut opened = self.open_counted(demuxed, streams, NAME)?;
        if !matches!(codec, "FLAC" | "PCM") {
            opened.remarks.push(Remark::AlignmentUnknown);
        }
        Ok(opened)
    }

    fn matroska_error(&self, failure: OpenFailure) -> Error {
        match (failure, self.matroska_codec()) {
            (OpenFailure::NoAudio, Some(codec)) => self.unsupported(format!("{codec} in {NAME}")),
            // symphonia reports this as an unsupported file and has no other mark for it than its text.
            (OpenFailure::Demuxer(CodecFault::Unsupported(what)), _) if what.ends_with("missing segment element") => {
                self.corrupt("Matroska: its segment is missing or not whole: the file is probably cut off")
            }
            (failure, _) => self.open_error(NAME, failure),
        }
    }

    /// Finds the identifier of an audio codec near the start of the file. All of them begin with `A_`.
    fn matroska_codec(&self) -> Option<String> {
        let mut head = Vec::new();
        let mut file = self.file;
        file.seek(SeekFrom::Start(0)).ok()?;
        file.take(1 << 16).read_to_end(&mut head).ok()?;
        let at = head.windows(2).position(|w| w == b"A_")?;
        let rest = head.get(at..at + 32)?.iter();
        let name = rest.take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b"_/.".contains(b));
        let name: String = name.map(|b| char::from(*b)).collect();
        (name.len() > 3).then_some(name)
    }
}
