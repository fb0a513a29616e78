//! Delivers the packets of one stream in order, each with its exact position in frames, from a demuxer or a table.

use super::{
    codec_fault::CodecFault,
    demux::{flac::FlacFrames, unsigned},
    packet_table::PacketTable,
    sparse_reader::{FileView, SparseReader},
    symphonia_adapter::{AudioStream, Container, Demuxer, Packet},
};
use crate::storage::InputFile;

/// Source of the packets of one stream.
pub(crate) enum PacketSource {
    /// A table of packet locations.
    Table(Box<PacketTable>),
    /// The frames of native FLAC.
    Flac(Box<FlacFrames>),
    /// A demuxer whose positions are frames.
    Timed(Box<DemuxedStream>),
}

/// One stream of a demuxer, with what it takes to open the demuxer again.
pub(crate) struct DemuxedStream {
    demuxer: Demuxer,
    container: Container,
    file: InputFile,
    view: FileView,
    stream: AudioStream,
}

impl DemuxedStream {
    /// Opens `view` of a file as `container` and selects the stream that `choose` returns.
    pub(crate) fn open(
        container: Container,
        file: &InputFile,
        view: FileView,
        choose: impl FnOnce(Vec<AudioStream>) -> Result<AudioStream, CodecFault>,
    ) -> Result<Self, CodecFault> {
        let file = file.clone();
        let mut demuxer = Demuxer::open(container, SparseReader::new(&file, &view))?;
        let stream = choose(demuxer.streams())?;
        demuxer.select(&stream);
        Ok(Self {
            demuxer,
            container,
            file,
            view,
            stream,
        })
    }

    /// Starts over with the first packet. Opens the demuxer again: not all of them can seek to their start.
    pub(crate) fn rewind(&mut self) -> Result<(), CodecFault> {
        self.demuxer = Demuxer::open(self.container, SparseReader::new(&self.file, &self.view))?;
        self.demuxer.select(&self.stream);
        Ok(())
    }

    pub(crate) fn stream(&self) -> &AudioStream {
        &self.stream
    }

    /// Returns the next packet; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Packet>, CodecFault> {
        self.demuxer.next()
    }

    /// Seeks to a packet at or before frame `to`.
    pub(crate) fn seek(&mut self, to: i64) -> Result<(), CodecFault> {
        self.demuxer.seek(to)
    }
}

impl PacketSource {
    /// Returns the next packet; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Packet>, CodecFault> {
        match self {
            Self::Table(table) => table.next(),
            Self::Flac(frames) => frames.next(),
            Self::Timed(demuxed) => demuxed.next(),
        }
    }

    /// Seeks to a packet at or before position `to`; to the first packet where `to` precedes the stream.
    pub(crate) fn seek(&mut self, to: i64) -> Result<(), CodecFault> {
        match self {
            Self::Table(table) => {
                table.seek(unsigned(to));
                Ok(())
            }
            Self::Flac(frames) => frames.seek(unsigned(to)),
            Self::Timed(demuxed) => {
                // Some demuxers cannot seek to their start.
                if to <= demuxed.stream().start || demuxed.seek(to).is_err() {
                    return demuxed.rewind();
                }
                Ok(())
            }
        }
    }
}
