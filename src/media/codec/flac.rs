//! Decodes frames of FLAC (RFC 9639, 9): 4 to 32 bits, 1 to 8 channels, every kind of subframe.
//!
//! [`FlacDecoder`] takes whole frames, which the demuxers find. It believes a frame only if its checksum is right, it
//! ends where its data ends, and every sample fits its number of bits.

mod bits;
mod crc;
mod header;
mod subframe;

pub(crate) use crc::crc_16;
pub(crate) use header::{FrameHeader, MAX_HEADER_BYTES, StreamInfo};

use crate::simd::with_avx2;
use bits::BitReader;
use header::Channels;
use std::fmt;
use subframe::Sample;

/// Size of the checksum at the end of a frame.
const CRC_BYTES: usize = 2;

/// States what is wrong with a frame, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameError {
    pub(crate) check: FrameCheck,
    /// Offset in the frame of the byte at which it was found.
    pub(crate) at: usize,
}

/// A check that a frame can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameCheck {
    /// The header is one, and its checksum is right.
    Header,
    /// The checksum of the frame is right.
    Checksum,
    /// No value is used that the standard reserves or forbids.
    Reserved,
    /// The samples end where the data does.
    Length,
    /// Every sample fits its number of bits.
    Range,
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.check {
            // Damage: the place where it shows is not where it is.
            FrameCheck::Header => return f.write_str("its header is damaged"),
            FrameCheck::Checksum => return f.write_str("its checksum is wrong"),
            FrameCheck::Reserved => "a value is reserved",
            FrameCheck::Length => "the samples do not end where the frame does",
            FrameCheck::Range => "a sample needs more bits than the stream has",
        };
        write!(f, "{what} (byte {})", self.at)
    }
}

/// Decodes the frames of one stream and keeps the samples of the last one.
pub(crate) struct FlacDecoder {
    info: StreamInfo,
    /// Samples of the last frame, one plane for each channel.
    planes: Vec<Vec<i32>>,
    /// The difference of two channels of 32 bits, which has 33.
    wide_side: Vec<i64>,
    /// Header of the last frame.
    header: Option<FrameHeader>,
    /// Instructions that two channels are decoded with at once, if the processor has them.
    #[cfg(all(feature = "simd", target_arch = "x86_64"))]
    simd: Option<pulp::x86::V3>,
}

impl FlacDecoder {
    pub(crate) fn new(info: StreamInfo) -> Self {
        Self {
            info,
            planes: Vec::new(),
            wide_side: Vec::new(),
            header: None,
            #[cfg(all(feature = "simd", target_arch = "x86_64"))]
            simd: pulp::x86::V3::try_new(),
        }
    }

    /// Returns what the container states about the stream.
    pub(crate) fn info(&self) -> &StreamInfo {
        &self.info
    }

    /// Decodes a whole frame, and returns its header.
    ///
    /// # Errors
    /// The check that failed. Then no samples are kept.
    pub(crate) fn decode(&mut self, frame: &[u8]) -> Result<FrameHeader, FrameError> {
        self.header = None;
        let error = |check, at| FrameError { check, at };
        if crc_16(0, frame) != 0 {
            return Err(error(FrameCheck::Checksum, frame.len()));
        }
        let header = FrameHeader::parse(frame, &self.info).ok_or(error(FrameCheck::Header, 0))?;
        let mut reader = BitReader::new(frame.get(header.size..).unwrap_or_default());
        let decoded = self.read_subframes(&mut reader, &header);
        let rest = reader.remaining().unwrap_or(0);
        let (subframes, behind) = frame.split_at(frame.len() - rest);
        decoded
            .and_then(|in_range| match behind.split_at_checked(CRC_BYTES) {
                // Zeros behind a checksum do not change it, so they are not told from a frame where its end is searched.
                Some((_, zeros)) if zeros.iter().all(|b| *b == 0) => (in_range
                    && self.join_channels(&header))
                .then_some(())
                .ok_or(FrameCheck::Range),
                _ => Err(FrameCheck::Length),
            })
            .map_err(|check| error(check, subframes.len()))?;
        self.header = Some(header);
        Ok(header)
    }

    /// Returns the size in bytes of the frame that some data begins with; `None` if it is damaged.
    pub(crate) fn frame_size(&mut self, data: &[u8]) -> Option<usize> {
        let header = FrameHeader::parse(data, &self.info)?;
        let mut reader = BitReader::new(data.get(header.size..)?);
        self.header = None;
        self.read_subframes(&mut reader, &header).ok()?;
        let size = data.len() - reader.remaining()? + CRC_BYTES;
        (crc_16(0, data.get(..size)?) == 0).then_some(size)
    }

    /// Reads what is coded. Returns whether all of it fits its number of bits.
    fn read_subframes(
        &mut self,
        reader: &mut BitReader<'_>,
        header: &FrameHeader,
    ) -> Result<bool, FrameCheck> {
        let (channels, side) = (header.channels.count().into(), header.channels.side());
        let frames = header.frames as usize;
        if self.planes.len() < channels {
            self.planes.resize_with(channels, Vec::new);
        }
        let bits_of = |channel| u32::from(header.bits) + u32::from(side == Some(channel));
        let planes = self.planes.get_mut(..channels).unwrap_or_default();
        for plane in planes.iter_mut() {
            plane.resize(frames, 0);
        }
        let mut in_range = true;
        for (n, planes) in planes.chunks_mut(2).enumerate() {
            let bits = [2 * n, 2 * n + 1].map(bits_of);
            #[cfg(all(feature = "simd", target_arch = "x86_64"))]
            if let [first, second] = planes
                && bits.iter().all(|bits| *bits <= 32)
                && let Some(simd) = self.simd
            {
                in_range &= subframe::pair::decode(simd, reader, bits, [first, second])?;
                continue;
            }
            for (plane, bits) in planes.iter_mut().zip(bits) {
                in_range &= if bits > 32 {
                    self.wide_side.resize(frames, 0);
                    subframe::decode(reader, bits, &mut self.wide_side)?
                } else {
                    subframe::decode(reader, bits, plane)?
                };
            }
        }
        Ok(in_range)
    }

    /// Restores left and right (RFC 9639, 4.2). Returns whether they fit their number of bits.
    fn join_channels(&mut self, header: &FrameHeader) -> bool {
        let count = usize::from(header.channels.count());
        let planes = self.planes.get_mut(..count).unwrap_or_default();
        let [first, second] = planes else {
            return true;
        };
        if header.channels.side().is_none() {
            return true;
        }
        if header.bits == 32 {
            return join_wide(header.channels, first, second, &self.wide_side);
        }
        with_avx2!(join(header, first, second))
    }

    /// Appends the last frame in the form that the MD5 of a stream is made of (RFC 9639, 8.2): interleaved, and little-endian
    /// in whole bytes.
    pub(crate) fn interleave(&self, to: &mut Vec<u8>) {
        let Some(header) = &self.header else {
            return;
        };
        let count = usize::from(header.channels.count());
        let bytes = usize::from(header.bits).div_ceil(8);
        let frame_bytes = count * bytes;
        let start = to.len();
        to.resize(start + header.frames as usize * frame_bytes, 0);
        for (channel, plane) in self.planes.iter().take(count).enumerate() {
            let samples = to.get_mut(start + channel * bytes..).unwrap_or_default();
            for (target, sample) in samples.chunks_mut(frame_bytes).zip(plane) {
                for (target, byte) in target.iter_mut().zip(sample.to_le_bytes()).take(bytes) {
                    *target = byte;
                }
            }
        }
    }

    /// Copies frames of the last frame, from its frame `from` on: full scale ±1.0, one slice per channel, all of the same
    /// length. Returns whether it has as many.
    pub(crate) fn copy(&self, from: usize, to: &mut [&mut [f64]]) -> bool {
        let Some(header) = &self.header else {
            return to.iter().all(|t| t.is_empty());
        };
        let scale = 1.0 / f64::from(1u32 << (header.bits - 1));
        let count = header.channels.count().into();
        let mut planes = self.planes.iter().take(count);
        to.iter_mut().all(|target| {
            let samples = planes
                .next()
                .and_then(|p| p.get(from..)?.get(..target.len()));
            let Some(samples) = samples else {
                return false;
            };
            with_avx2!(convert(samples, scale, target));
            true
        })
    }
}

/// Returns the WAVE channel mask that a number of channels stands for (RFC 9639, 9.1.3).
pub(crate) fn channel_mask(channels: u8) -> u32 {
    match channels {
        1 => 0x1,
        2 => 0x3,
        3 => 0x7,
        4 => 0x33,
        5 => 0x37,
        6 => 0x3F,
        7 => 0x70F,
        8 => 0x63F,
        _ => 0,
    }
}

#[inline(always)]
fn convert(samples: &[i32], scale: f64, to: &mut [f64]) {
    for (t, s) in to.iter_mut().zip(samples) {
        *t = f64::from(*s) * scale;
    }
}

/// Replaces what is coded by left and right. Returns whether they fit their number of bits.
#[inline(always)]
fn join(header: &FrameHeader, first: &mut [i32], second: &mut [i32]) -> bool {
    let pairs = first.iter_mut().zip(&mut *second);
    match header.channels {
        Channels::Independent(_) => {}
        Channels::LeftSide => pairs.for_each(|(left, side)| *side = left.wrapping_sub(*side)),
        Channels::SideRight => pairs.for_each(|(side, right)| *side = side.wrapping_add(*right)),
        Channels::MidSide => pairs.for_each(|(mid, side)| {
            // The last bit of the sum is that of the difference.
            let sum = *mid << 1 | *side & 1;
            (*mid, *side) = (sum.wrapping_add(*side) >> 1, sum.wrapping_sub(*side) >> 1);
        }),
    }
    i32::all_fit(first, header.bits.into()) & i32::all_fit(second, header.bits.into())
}

/// Does the same with a difference of 33 bits, which is not in its plane. Returns whether left and right fit 32 bits.
fn join_wide(channels: Channels, first: &mut [i32], second: &mut [i32], sides: &[i64]) -> bool {
    let mut in_range = true;
    for ((first, second), side) in first.iter_mut().zip(second).zip(sides) {
        let (a, b) = (i64::from(*first), i64::from(*second));
        let (left, right) = match channels {
            Channels::Independent(_) => (a, b),
            Channels::LeftSide => (a, a - side),
            Channels::SideRight => (side + b, b),
            Channels::MidSide => {
                let sum = a << 1 | side & 1;
                ((sum + side) >> 1, (sum - side) >> 1)
            }
        };
        (*first, *second) = (i32::wrap(left), i32::wrap(right));
        in_range &= (i64::from(*first), i64::from(*second)) == (left, right);
    }
    in_range
}

#[cfg(test)]
mod tests;
