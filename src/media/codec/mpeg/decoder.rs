//! Decodes frames of MPEG audio with `nanomp3`. No other file uses that crate.

use super::{HEADER_BYTES, MpegHeader};
use crate::media::{
    codec_fault::{CodecFault, catch_fault},
    decoded_packet::DecodedPacket,
};
use nanomp3_core::{DecodeError, Decoder, FrameInfo, MAX_SAMPLES_PER_FRAME};

/// Size of the checksum that may follow the header.
const CRC_BYTES: usize = 2;

/// WAVE channel masks of mono and stereo.
const CENTRE: u32 = 0x4;
const LEFT_AND_RIGHT: u32 = 0x3;

/// Decodes the frames of one stream and keeps the samples of the last one.
pub(crate) struct MpegDecoder {
    /// `None` once it has panicked.
    decoder: Option<Decoder>,
    /// Samples of the last frame, interleaved.
    samples: Vec<f32>,
    /// Header of the last frame.
    header: Option<MpegHeader>,
    /// Whether data before the next frame is missing.
    after_loss: bool,
    /// Whether the filters hold the end of a frame, which overlaps the next one.
    has_tail: bool,
}

impl MpegDecoder {
    pub(crate) fn new() -> Self {
        Self {
            decoder: Some(Decoder::new()),
            samples: vec![0.0; MAX_SAMPLES_PER_FRAME],
            header: None,
            after_loss: false,
            has_tail: false,
        }
    }

    /// Clears the bit reservoir and the filters. To be called where frames are missing, and after a seek.
    pub(crate) fn reset(&mut self) {
        self.decoder = self.decoder.as_ref().map(|_| Decoder::new());
        self.header = None;
        self.after_loss = true;
        self.has_tail = false;
    }

    /// Decodes a whole frame.
    ///
    /// A stream may be cut out of a longer one, or put together from several. Its first frames then refer to a bit reservoir
    /// (ISO/IEC 11172-3, 2.4.3.4) that is not there, and are silent, as in mpg123. After a loss they are damage.
    ///
    /// # Errors
    /// `Damaged` if the frame cannot be decoded. Then no samples are kept.
    pub(crate) fn decode(&mut self, frame: &[u8]) -> Result<DecodedPacket, CodecFault> {
        self.header = None;
        // The decoder would search the packet for a frame that fits.
        let header = MpegHeader::parse(frame)
            .filter(|header| header.size as usize == frame.len())
            .ok_or_else(|| damaged("its size is not that of its header"))?;
        let mut is_cut = false;
        match self.decode_frame(frame)? {
            Ok(info) => {
                let is_whole = info.samples_produced == header.frames as usize
                    && info.channels.num() == header.channels;
                if !is_whole {
                    return Err(damaged("it decodes to another length"));
                }
                (self.after_loss, self.has_tail) = (false, true);
            }
            Err(DecodeError::ReservoirUnavailable(_)) if !self.after_loss => {
                self.decode_silence(frame, &header)?;
                is_cut = true;
            }
            Err(DecodeError::ReservoirUnavailable(_)) => {
                return Err(damaged("it needs data of the packets before it"));
            }
            Err(_) => {
                // The decoder has cleared its filters and the bit reservoir.
                (self.after_loss, self.has_tail) = (true, false);
                return Err(damaged("its values contradict each other"));
            }
        }
        self.header = Some(header);
        Ok(DecodedPacket {
            frames: header.frames as usize,
            rate: header.rate,
            channels: header.channels.into(),
            mask: if header.channels == 1 {
                CENTRE
            } else {
                LEFT_AND_RIGHT
            },
            is_cut,
        })
    }

    /// Decodes a frame of layer III whose main data is not there: silence, over which the tail of the frame before ends.
    fn decode_silence(&mut self, frame: &[u8], header: &MpegHeader) -> Result<(), CodecFault> {
        if !std::mem::take(&mut self.has_tail) {
            self.samples.fill(0.0);
            return Ok(());
        }
        // Side information of zeros: the main data begins in this frame, and has no bits.
        let mut silent = frame.to_vec();
        let start = HEADER_BYTES + if header.has_checksum { CRC_BYTES } else { 0 };
        let side_info = silent.iter_mut().skip(start);
        side_info
            .take(header.side_info_bytes())
            .for_each(|byte| *byte = 0);
        self.decode_frame(&silent)?
            .map(|_| ())
            .map_err(|_| damaged("it is too short"))
    }

    fn decode_frame(&mut self, frame: &[u8]) -> Result<Result<FrameInfo, DecodeError>, CodecFault> {
        let Some(decoder) = self.decoder.as_mut() else {
            return Err(CodecFault::Panicked("it failed before".into()));
        };
        let samples = &mut self.samples;
        let done = catch_fault(|| Ok(decoder.decode(frame, samples).1));
        if done.is_err() {
            self.decoder = None;
        }
        done
    }

    /// Copies frames of the last frame, from its frame `from` on: full scale ±1.0, one slice per channel, all of the same
    /// length. Returns whether it has as many.
    pub(crate) fn copy(&self, from: usize, to: &mut [&mut [f64]]) -> bool {
        let Some(header) = &self.header else {
            return to.iter().all(|t| t.is_empty());
        };
        let channels = usize::from(header.channels);
        let end = header.frames as usize * channels;
        let samples = self.samples.get(from * channels..end).unwrap_or_default();
        if to.len() > channels || to.iter().any(|t| t.len() * channels > samples.len()) {
            return false;
        }
        for (channel, target) in to.iter_mut().enumerate() {
            let own = samples.iter().skip(channel).step_by(channels);
            for (target, sample) in target.iter_mut().zip(own) {
                *target = f64::from(*sample);
            }
        }
        true
    }
}

fn damaged(what: &str) -> CodecFault {
    CodecFault::Damaged(what.into())
}

#[cfg(test)]
mod tests;
