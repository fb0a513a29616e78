//! Delivers the packets of one stream in order, each with its exact position in frames, from a demuxer or a table.
//!
//! Most containers store positions in frames. Matroska (in milliseconds) and fragmented MP4 (in the track's time
//! scale) do not: there the frames that come out of the decoder are counted from the start of the stream, so the only
//! way to seek is to rewind and decode again.

use super::{
    codec_fault::CodecFault,
    demux::{ogg::OggGap, unsigned},
    packet_table::PacketTable,
    sparse_reader::{FileView, SparseReader},
    symphonia_adapter::{AudioStream, Container, Demuxer, Packet},
};
use crate::storage::InputFile;
use std::collections::VecDeque;

/// Source of the packets of one stream.
pub(crate) enum PacketSource {
    /// A table of packet locations.
    Table(PacketTable),
    /// A demuxer whose positions are frames.
    Timed(DemuxedStream),
    /// A demuxer whose positions are replaced by a count of decoded frames.
    Counted(DemuxedStream, FrameCounter),
}

/// The count of frames that the decoder returned since the start of the stream.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FrameCounter {
    /// Position of the next packet.
    position: i64,
    /// Frames of the last packet: the estimate for one that cannot be decoded.
    last_packet: u64,
}

/// One stream of a demuxer, with what it takes to open the demuxer again.
pub(crate) struct DemuxedStream {
    demuxer: Demuxer,
    container: Container,
    file: InputFile,
    view: FileView,
    stream: AudioStream,
    /// Whether the demuxer has left its start.
    moved: bool,
    /// Ranges in which the demuxer misplaces packets.
    pub(crate) gaps: Vec<OggGap>,
    /// Packets with corrected positions, and the packet that follows them.
    corrected: VecDeque<Packet>,
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
        let (gaps, corrected) = (Vec::new(), VecDeque::new());
        Ok(Self {
            demuxer,
            container,
            file,
            view,
            stream,
            moved: false,
            gaps,
            corrected,
        })
    }

    /// Starts over with the first packet. Opens the demuxer again: not all of them can seek to their start.
    pub(crate) fn rewind(&mut self) -> Result<(), CodecFault> {
        self.demuxer = Demuxer::open(self.container, SparseReader::new(&self.file, &self.view))?;
        self.demuxer.select(&self.stream);
        self.moved = false;
        self.corrected.clear();
        Ok(())
    }

    pub(crate) fn stream(&self) -> &AudioStream {
        &self.stream
    }

    /// Returns the next packet; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Packet>, CodecFault> {
        self.moved = true;
        loop {
            if let Some(packet) = self.corrected.pop_front() {
                return Ok(Some(packet));
            }
            let Some(packet) = self.demuxer.next()? else {
                return Ok(None);
            };
            match self
                .gaps
                .iter()
                .find(|gap| (gap.from..gap.to).contains(&packet.at))
            {
                None => return Ok(Some(packet)),
                Some(gap) => self.corrected = packets_after_gap(&mut self.demuxer, *gap, packet)?,
            }
        }
    }

    /// Seeks to a packet at or before frame `to`.
    pub(crate) fn seek(&mut self, to: i64) -> Result<(), CodecFault> {
        // The FLAC demuxer compares the frame after the seek with the last one that it read before, and can reject it.
        // A new demuxer has nothing to compare with.
        if self.container == Container::Flac && self.moved {
            self.rewind()?;
        }
        self.moved = true;
        self.corrected.clear();
        self.demuxer.seek(to)
    }
}

/// Reads the page that ends a gap and moves its packets to where the page's granule position puts them: the demuxer
/// places them at the start of the gap.
///
/// The packets of the last page of the stream are dropped unless they fit: its granule position also says how much of
/// the last packet is padding (Vorbis I, A.2), so the packets cannot be placed from it.
fn packets_after_gap(
    demuxer: &mut Demuxer,
    gap: OggGap,
    first: Packet,
) -> Result<VecDeque<Packet>, CodecFault> {
    let mut page = VecDeque::from([first]);
    let mut following = None;
    while let Some(packet) = demuxer.next()? {
        if packet.at >= gap.to {
            following = Some(packet);
            break;
        }
        page.push_back(packet);
    }
    let end = page
        .back()
        .map_or(gap.to, |p| p.at.saturating_add_unsigned(p.frames));
    if gap.ends_stream && end != gap.to {
        page.clear();
    }
    for packet in &mut page {
        packet.at = packet.at.saturating_add(gap.to.saturating_sub(end));
    }
    page.extend(following);
    if let Some(first) = page.front_mut() {
        first.follows_gap = true;
    }
    Ok(page)
}

impl PacketSource {
    /// Returns the next packet; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Packet>, CodecFault> {
        match self {
            Self::Table(table) => table.next(),
            Self::Timed(demuxed) => demuxed.next(),
            Self::Counted(demuxed, counter) => {
                let Some(mut packet) = demuxed.next()? else {
                    return Ok(None);
                };
                packet.at = counter.position;
                packet.frames = counter.last_packet;
                Ok(Some(packet))
            }
        }
    }

    /// Records how many frames the last packet decoded to, or is taken to have held.
    pub(crate) fn count_frames(&mut self, frames: u64) {
        if let Self::Counted(_, counter) = self {
            counter.position = counter.position.saturating_add_unsigned(frames);
            counter.last_packet = frames;
        }
    }

    /// Seeks to a packet at or before position `to`; to the first packet where `to` precedes the stream.
    pub(crate) fn seek(&mut self, to: i64) -> Result<(), CodecFault> {
        match self {
            Self::Table(table) => {
                table.seek(unsigned(to));
                Ok(())
            }
            Self::Timed(demuxed) => {
                // Some demuxers cannot seek to their start.
                if to <= demuxed.stream().start || demuxed.seek(to).is_err() {
                    return demuxed.rewind();
                }
                Ok(())
            }
            Self::Counted(demuxed, counter) => {
                *counter = FrameCounter::default();
                demuxed.rewind()
            }
        }
    }
}
