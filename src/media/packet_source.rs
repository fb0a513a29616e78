//! Packets in order, from a demuxer or from a list.
//!
//! A feed knows at which frame of the stream each packet begins. Most containers say so; where they do not (Matroska
//! counts milliseconds, some MP4 other units) the position is counted from the start, and then the only way back is to
//! begin again.

use super::{
    codec_fault::Fault,
    demux::ogg::Hole,
    packet_table::PacketTable,
    sparse_reader::{Part, SparseReader},
    symphonia_adapter::{Container, Demuxer, Packet, Stream},
};
use crate::storage::InputFile;
use std::collections::VecDeque;

/// Where packets come from.
pub(crate) enum PacketSource {
    /// A list of packets.
    PacketTable(PacketTable),
    /// A demuxer whose positions are frames.
    Timed(Demuxed),
    /// A demuxer whose positions have to be counted.
    Counted(Demuxed, Count),
}

/// A demuxer and how to open it again.
pub(crate) struct Demuxed {
    demuxer: Demuxer,
    container: Container,
    file: InputFile,
    window: Window,
    stream: Stream,
    /// Whether it stands anywhere but at its start.
    moved: bool,
    /// Where the demuxer puts packets in the wrong place.
    pub(crate) holes: Vec<Hole>,
    /// Packets that have been put right, and the one behind them.
    ready: VecDeque<Packet>,
}

/// The part of a file that a demuxer sees.
#[derive(Clone, Debug, Default)]
pub(crate) struct Window {
    /// One behind the other.
    pub(crate) parts: Vec<Part>,
    /// How long it seems to be; what no part holds reads as zeros.
    pub(crate) len: u64,
    /// Bytes to replace.
    pub(crate) patches: Vec<(u64, u8)>,
}

impl Window {
    fn tape(&self, file: &InputFile) -> Result<SparseReader, Fault> {
        SparseReader::new(file, &self.parts, self.len, self.patches.clone()).map_err(Fault::Io)
    }
}

/// A position that is counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count {
    at: i64,
    usual: u64,
}

impl Demuxed {
    /// Opens a part of a file as a container.
    pub(crate) fn open(
        container: Container,
        file: &InputFile,
        window: Window,
        choose: impl FnOnce(Vec<Stream>) -> Result<Stream, Fault>,
    ) -> Result<Self, Fault> {
        let file = file.clone();
        let mut demuxer = Demuxer::open(container, window.tape(&file)?)?;
        let stream = choose(demuxer.streams())?;
        demuxer.select(&stream);
        Ok(Self { demuxer, container, file, window, stream, moved: false, holes: Vec::new(), ready: VecDeque::new() })
    }

    /// Begins again with the first packet.
    pub(crate) fn again(&mut self) -> Result<(), Fault> {
        self.demuxer = Demuxer::open(self.container, self.window.tape(&self.file)?)?;
        self.demuxer.select(&self.stream);
        self.moved = false;
        self.ready.clear();
        Ok(())
    }

    pub(crate) fn stream(&self) -> &Stream {
        &self.stream
    }

    pub(crate) fn next(&mut self) -> Result<Option<Packet>, Fault> {
        self.moved = true;
        loop {
            let packet = match self.ready.pop_front() {
                Some(packet) => return Ok(Some(packet)),
                None => self.demuxer.next()?,
            };
            let Some(packet) = packet else { return Ok(None) };
            match self.holes.iter().find(|h| (h.from..h.to).contains(&packet.at)) {
                None => return Ok(Some(packet)),
                Some(hole) => self.ready = behind(&mut self.demuxer, *hole, packet)?,
            }
        }
    }

    /// Goes to the packet of a frame. The demuxer of FLAC compares what follows with the last frame that it read before
    /// the jump, where it finds the wanted one without a search: only a new one goes back for sure.
    pub(crate) fn seek(&mut self, to: i64) -> Result<(), Fault> {
        if self.container == Container::Flac && self.moved {
            self.again()?;
        }
        self.moved = true;
        self.ready.clear();
        self.demuxer.seek(to)
    }
}

/// The packets of the page behind a hole, which end where the page says. The demuxer lets them begin where the hole
/// does. On the last page of all nothing tells how much of the last packet counts, so its packets are left out.
fn behind(demuxer: &mut Demuxer, hole: Hole, first: Packet) -> Result<VecDeque<Packet>, Fault> {
    let mut page = VecDeque::from([first]);
    let mut beyond = None;
    while let Some(packet) = demuxer.next()? {
        if packet.at >= hole.to {
            beyond = Some(packet);
            break;
        }
        page.push_back(packet);
    }
    let end = page.back().map_or(hole.to, |p| p.at.saturating_add_unsigned(p.frames));
    if hole.last && end != hole.to {
        page.clear();
    }
    for packet in &mut page {
        packet.at = packet.at.saturating_add(hole.to.saturating_sub(end));
    }
    page.extend(beyond);
    // What comes behind a hole must not be joined to what came before it.
    if let Some(first) = page.front_mut() {
        first.fresh = true;
    }
    Ok(page)
}

impl PacketSource {
    /// The next packet; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Packet>, Fault> {
        match self {
            Self::PacketTable(table) => table.next(),
            Self::Timed(d) => d.next(),
            Self::Counted(d, count) => {
                let packet = d.next()?;
                Ok(packet.map(|mut p| {
                    p.at = count.at;
                    p.frames = count.usual;
                    p
                }))
            }
        }
    }

    /// Says how many frames the last packet gave, or stands for.
    pub(crate) fn passed(&mut self, frames: u64) {
        if let Self::Counted(_, count) = self {
            count.at = count.at.saturating_add_unsigned(frames);
            count.usual = frames;
        }
    }

    /// Goes to a packet at or before a position.
    pub(crate) fn seek(&mut self, to: i64) -> Result<(), Fault> {
        match self {
            Self::PacketTable(table) => {
                table.seek(u64::try_from(to).unwrap_or(0));
                Ok(())
            }
            Self::Timed(d) => {
                // The start needs no search, and some demuxers cannot seek to it.
                if to <= d.stream().start || d.seek(to).is_err() {
                    return d.again();
                }
                Ok(())
            }
            Self::Counted(d, count) => {
                *count = Count::default();
                d.again()
            }
        }
    }
}
