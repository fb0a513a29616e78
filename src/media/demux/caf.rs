//! Opens Apple's Core Audio Format (Apple, Core Audio Format Specification 1.0).
//!
//! `symphonia` assigns channel positions to files that state none, trusts the size of the data chunk and the number of
//! frames in the packet table, and does not report the end of the last ALAC packet. This file checks each of them.

use super::{
    AudioExtent, OpenedStem, PacketSpan, StemFile,
    iff::{MAX_CHUNKS, SoundData, chunk_64},
    signed,
};
use crate::{
    error::Result,
    media::{
        Remark,
        packet_source::{DemuxedStream, PacketSource},
        sparse_reader::FileView,
        symphonia_adapter::{Container, Decoder},
    },
    storage::InputFile,
};
use std::io;

/// Contents of the chunks that matter here.
#[derive(Debug, Default)]
struct CafChunks {
    sound: SoundData,
    /// Length of the file if it were complete.
    complete_len: u64,
    /// Whether there is a chunk with channel positions.
    has_channel_layout: bool,
}

impl StemFile<'_> {
    pub(super) fn open_caf(&self) -> Result<OpenedStem> {
        let chunks = scan_chunks(self.file).map_err(|e| self.io_error(e))?;
        let view = FileView {
            len: chunks.complete_len,
            ..FileView::whole(self.file)
        };
        let (demuxed, _) = self.demux(Container::Caf, "CAF", view, |_| 0)?;
        let stream = demuxed.stream();
        if stream.is_ima_adpcm() {
            // Decodes up to 1/250 of full scale away from QuickTime's decoder.
            return Err(self.unsupported("IMA ADPCM in CAF"));
        }
        let mut opened = if stream.is_pcm || stream.is_companded() {
            self.finish_pcm(demuxed, "CAF", chunks.sound)?
        } else {
            self.open_caf_packets(demuxed, chunks.sound)?
        };
        if opened.channels > 2 && !chunks.has_channel_layout {
            opened.mask = 0;
        }
        Ok(opened)
    }

    /// Opens a codec that has packets of several frames.
    fn open_caf_packets(&self, mut demuxed: DemuxedStream, sound: SoundData) -> Result<OpenedStem> {
        let stream = demuxed.stream().clone();
        let codec = format!("{} in CAF", stream.codec);
        let span = self.scan_packets(&mut demuxed, &codec)?;
        demuxed.rewind().map_err(|f| self.codec_error(&codec, f))?;
        // Some writers count positions from the first packet, others from the first frame after the encoder delay.
        let origin = if span.first < 0 {
            0
        } else {
            i64::from(stream.delay)
        };
        let padded = span.end.saturating_sub(stream.padding.into());
        let valid = stream
            .stated_frames
            .map_or(0, |n| origin.saturating_add(signed(n)));
        let mut end = if valid > origin && valid < padded {
            valid
        } else {
            padded
        };
        let mut available_end = span.end;
        let lossless = stream.is_alac();
        if sound.available < sound.promised {
            available_end = self.truncated_caf_end(&mut demuxed, sound)?;
        } else if lossless {
            end = end.min(self.last_alac_packet_end(&mut demuxed, span)?);
        }
        let extent = AudioExtent {
            origin,
            end: end.max(origin),
            available_end,
        };
        let mut opened = self.finish(
            PacketSource::Timed(Box::new(demuxed)),
            &stream,
            codec,
            extent,
        )?;
        (opened.trimmed_start, opened.trimmed_end) = (stream.delay.into(), stream.padding.into());
        opened.seeks_from_start = !lossless;
        if !lossless {
            opened.remarks.push(Remark::SlowSeek);
        }
        Ok(opened)
    }

    /// Decodes the last packet: it may be shorter than the header makes it.
    fn last_alac_packet_end(&self, demuxed: &mut DemuxedStream, span: PacketSpan) -> Result<i64> {
        let mut decoder = Decoder::for_stream(demuxed.stream(), false)
            .map_err(|f| self.codec_error("ALAC in CAF", f))?;
        let mut end = span.end;
        // This demuxer cannot seek after it has reached the end.
        demuxed
            .rewind()
            .map_err(|f| self.codec_error("ALAC in CAF", f))?;
        if demuxed.seek(span.last).is_ok() {
            while let Ok(Some(packet)) = demuxed.next() {
                if let Ok(out) = decoder.decode(&packet) {
                    end = packet.at.saturating_add_unsigned(out.frames as u64);
                }
            }
        }
        demuxed
            .rewind()
            .map_err(|f| self.codec_error("ALAC in CAF", f))?;
        Ok(end)
    }

    /// Returns the end of the last packet that lies within the available sound data.
    fn truncated_caf_end(&self, demuxed: &mut DemuxedStream, sound: SoundData) -> Result<i64> {
        let (mut bytes, mut end) = (0, 0);
        while let Ok(Some(packet)) = demuxed.next() {
            bytes += packet.size();
            if bytes > sound.available {
                break;
            }
            end = packet.at.saturating_add_unsigned(packet.frames);
        }
        demuxed.rewind().map_err(|f| self.codec_error("CAF", f))?;
        Ok(end)
    }
}

fn scan_chunks(file: &InputFile) -> io::Result<CafChunks> {
    let file_len = file.len();
    let mut chunks = CafChunks {
        complete_len: file_len,
        ..CafChunks::default()
    };
    let mut at = 8;
    for _ in 0..MAX_CHUNKS {
        let Some((name, size)) = chunk_64(file, at)? else {
            break;
        };
        let body = at + 12;
        // Size −1 marks data of unknown size, which continues to the end of the file.
        let size = if size == u64::MAX {
            file_len.saturating_sub(body)
        } else {
            size
        };
        match &name {
            b"data" => {
                // The sound follows a 4-byte edit count.
                chunks.sound = SoundData::at(body + 4, size.saturating_sub(4), file_len);
                chunks.complete_len = file_len.max(chunks.sound.end);
            }
            b"chan" => chunks.has_channel_layout = true,
            _ => {}
        }
        at = body.saturating_add(size);
    }
    Ok(chunks)
}
