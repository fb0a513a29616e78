//! Opens AIFF and AIFF-C (Apple, Audio Interchange File Format 1.3 and AIFF-C draft, 1991).
//!
//! `symphonia` refuses files whose sound chunk is shorter than stated and files that were written into a pipe, where
//! the sizes are 0 or 2³²−1. This file pads the former with zeros, states the real sizes in the header of the latter,
//! and measures how much sound there is.

use super::{
    AudioExtent, OpenedStem, StemFile,
    iff::{MAX_CHUNKS, SoundData, chunk_32, read_at},
    signed,
};
use crate::{
    error::Result,
    media::{
        Remark,
        packet_source::{DemuxedStream, PacketSource},
        sparse_reader::{BytePatch, FileView},
        symphonia_adapter::Container,
    },
    storage::InputFile,
    units::Frames,
};
use std::io;

/// Contents of the chunks that matter here.
#[derive(Debug, Default)]
struct AiffChunks {
    sound: SoundData,
    /// Length of the file if it were complete.
    complete_len: u64,
    /// Frames according to the COMM chunk.
    stated_frames: Option<u64>,
    /// Corrections to the sizes of a file that was written into a pipe.
    patches: Vec<BytePatch>,
}

impl StemFile<'_> {
    pub(super) fn open_aiff(&self) -> Result<OpenedStem> {
        let chunks = scan_chunks(self.file).map_err(|e| self.io_error(e))?;
        let view = FileView {
            len: chunks.complete_len,
            patches: chunks.patches,
            ..FileView::whole(self.file)
        };
        let (demuxed, _) = self.demux(Container::Aiff, "AIFF", view, |_| 0)?;
        let mut opened = self.finish_pcm(demuxed, "AIFF", chunks.sound)?;
        let stated = chunks.stated_frames.unwrap_or(opened.frames);
        if stated != opened.frames {
            opened.remarks.push(Remark::HeaderLength {
                stated: Frames(stated),
                found: Frames(opened.frames),
            });
        }
        // AIFF has no chunk for channel positions; the demuxer makes them up.
        if opened.channels > 2 {
            opened.mask = 0;
        }
        Ok(opened)
    }

    /// Completes a stem whose packets all have the same number of bytes per frame: as much of the stated length is
    /// available as of the sound data.
    pub(super) fn finish_pcm(
        &self,
        demuxed: DemuxedStream,
        container: &str,
        sound: SoundData,
    ) -> Result<OpenedStem> {
        let stream = demuxed.stream().clone();
        let frames = stream.stated_frames.unwrap_or(0);
        let scaled = u128::from(frames) * u128::from(sound.available);
        let available = scaled.checked_div(sound.promised.into()).unwrap_or(0);
        // At most `frames`: `SoundData` has no more available than promised.
        let available = u64::try_from(available).unwrap_or(frames);
        let extent = AudioExtent {
            origin: 0,
            end: signed(frames),
            available_end: signed(available),
        };
        self.finish(
            PacketSource::Timed(Box::new(demuxed)),
            &stream,
            format!("{} in {container}", stream.codec),
            extent,
        )
    }
}

fn scan_chunks(file: &InputFile) -> io::Result<AiffChunks> {
    let file_len = file.len();
    let mut chunks = AiffChunks {
        complete_len: file_len,
        ..AiffChunks::default()
    };
    let mut comm = None;
    let mut sound_seen = false;
    let mut at = 12;
    for _ in 0..MAX_CHUNKS {
        let Some((name, size)) = chunk_32(file, at)? else {
            break;
        };
        let body = at + 8;
        let mut size = u64::from(size);
        match &name {
            b"COMM" => {
                if let Some([_, _, frames @ ..]) = read_at::<6>(file, body)? {
                    chunks.stated_frames = Some(u32::from_be_bytes(frames).into());
                }
                comm = read_at::<8>(file, body)?
                    .map(|fields| (body, fields))
                    .or(comm);
            }
            b"SSND" => {
                if is_pipe_size(size) {
                    // The sound continues to the end of the file.
                    size = file_len.saturating_sub(body);
                    if !sound_seen && let Some((comm_body, fields)) = comm {
                        chunks.patches =
                            size_patches(file_len, comm_body, fields, at).unwrap_or_default();
                    }
                }
                sound_seen = true;
                let offset =
                    read_at::<4>(file, body)?.map_or(0, |b| u64::from(u32::from_be_bytes(b)));
                chunks.sound =
                    SoundData::at(body + 8 + offset, size.saturating_sub(8 + offset), file_len);
                // The pad byte after an odd size: some writers leave it out.
                chunks.complete_len = file_len.max(chunks.sound.end) + (size & 1);
            }
            _ => {}
        }
        at = body.saturating_add(size).saturating_add(size & 1);
    }
    Ok(chunks)
}

/// Returns whether a chunk size is one that programs write when they cannot seek back to correct it.
fn is_pipe_size(size: u64) -> bool {
    size == 0 || size == u64::from(u32::MAX)
}

/// Returns patches that state the real sizes of FORM and SSND and the real number of frames in COMM. `None` if the
/// sample size is not known or the file is longer than the format allows.
fn size_patches(file_len: u64, comm_body: u64, comm: [u8; 8], ssnd: u64) -> Option<Vec<BytePatch>> {
    let [channels_0, channels_1, _, _, _, _, bits_0, bits_1] = comm;
    let channels = u16::from_be_bytes([channels_0, channels_1]);
    let frame_bytes =
        u64::from(channels) * u64::from(u16::from_be_bytes([bits_0, bits_1]).div_ceil(8));
    let ssnd_body = ssnd + 8;
    let frames = file_len
        .saturating_sub(ssnd_body + 8)
        .checked_div(frame_bytes)?;
    let fields = [
        (4, file_len.checked_sub(8)?),
        (comm_body + 2, frames),
        (ssnd + 4, file_len.checked_sub(ssnd_body)?),
    ];
    let mut patches = Vec::new();
    for (offset, value) in fields {
        patches.extend((offset..).zip(u32::try_from(value).ok()?.to_be_bytes()));
    }
    Some(patches)
}
