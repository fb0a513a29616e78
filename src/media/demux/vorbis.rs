//! Reads how many frames a Vorbis packet decodes to, without decoding it (Vorbis I, 1.3.2 and 4.3.8).
//!
//! Half of the window of a packet overlaps the packet before it, so a packet completes a quarter of each of the two
//! block sizes. Which block size a packet has is stated by the mode in its first bits, and the modes are the last part
//! of the setup header.

pub(super) mod setup;

/// First bytes of the identification and the setup header.
const IDENTIFICATION: &[u8] = b"\x01vorbis";
const SETUP: &[u8] = b"\x05vorbis";

/// Size of a mode in the setup header, in bits: block flag, window type, transform type, mapping.
const MODE_BITS: usize = 1 + 16 + 16 + 8;

/// Maximum number of modes (Vorbis I, 4.2.4).
const MAX_MODES: usize = 64;

/// Counts the frames of the packets of one stream, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct VorbisBlocks {
    /// The short and the long block size in frames.
    sizes: [u32; 2],
    /// For each mode, whether it uses the long block size.
    long_modes: Vec<bool>,
    /// Block size of the last packet; `None` at the start and after a loss.
    previous: Option<u32>,
}

/// Rate and channels of an identification header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identification {
    pub(super) channels: u8,
    pub(super) rate: u32,
    /// The short and the long block size in frames.
    pub(super) sizes: [u32; 2],
}

impl Identification {
    /// Parses an identification header (Vorbis I, 4.2.2).
    pub(super) fn parse(packet: &[u8]) -> Option<Self> {
        let fields = packet.strip_prefix(IDENTIFICATION)?;
        let exponents = *fields.get(21)?;
        let sizes = [exponents & 15, exponents >> 4];
        if sizes.iter().any(|e| !(6..=13).contains(e)) {
            return None;
        }
        Some(Self {
            channels: *fields.get(4)?,
            rate: u32::from_le_bytes(*fields.get(5..9)?.first_chunk::<4>()?),
            sizes: sizes.map(|e| 1 << e),
        })
    }
}

impl VorbisBlocks {
    /// Reads the block sizes from the identification header and the modes from the setup header.
    pub(super) fn parse(identification: &Identification, setup: &[u8]) -> Option<Self> {
        setup.starts_with(SETUP).then_some(())?;
        Some(Self {
            sizes: identification.sizes,
            long_modes: long_modes(setup)?,
            previous: None,
        })
    }

    /// Returns the number of frames that the next packet decodes to, 0 for the first one; `None` if it is not audio.
    pub(super) fn frames(&mut self, packet: &[u8]) -> Option<u32> {
        let size = self.block_size(packet)?;
        let frames = self.previous.map_or(0, |previous| (previous + size) / 4);
        self.previous = Some(size);
        Some(frames)
    }

    /// Forgets the last packet: the next one decodes to nothing, like the first.
    pub(super) fn reset(&mut self) {
        self.previous = None;
    }

    /// Returns the longest number of frames that a packet can decode to.
    pub(super) fn max_frames(&self) -> u32 {
        let [_, long] = self.sizes;
        long / 2
    }

    /// Returns the block size of a packet in frames; `None` if it is not audio.
    pub(super) fn block_size(&self, packet: &[u8]) -> Option<u32> {
        let first = u32::from(*packet.first()?);
        let mode_bits = usize::BITS - (self.long_modes.len() - 1).leading_zeros();
        // The first bit marks a header.
        let mode = first >> 1 & ((1 << mode_bits) - 1);
        let is_long = *self.long_modes.get(usize::try_from(mode).ok()?)?;
        let [short, long] = self.sizes;
        (first & 1 == 0).then_some(if is_long { long } else { short })
    }
}

/// Reads the block flags of the modes from the end of a setup header.
///
/// The codebooks and mappings before the modes cannot be skipped without parsing all of them. But the header ends with them and a framing
/// bit, so they are found from there: the number of modes is the one that the 6 bits before as many modes state.
fn long_modes(setup: &[u8]) -> Option<Vec<bool>> {
    let bit = |at: usize| {
        setup
            .get(at / 8)
            .is_some_and(|byte| byte >> (at % 8) & 1 == 1)
    };
    let field =
        |at: usize, bits: usize| (0..bits).fold(0, |n, i| n | usize::from(bit(at + i)) << i);
    let framing = (0..setup.len() * 8).rev().find(|at| bit(*at))?;
    let mut found = None;
    for count in 1..=MAX_MODES {
        let Some(start) = framing.checked_sub(count * MODE_BITS) else {
            break;
        };
        let is_mode = field(start + 1, 32) == 0 && field(start + 33, 8) < 64;
        if !is_mode {
            break;
        }
        if start >= 6 && field(start - 6, 6) + 1 == count {
            found = Some((start, count));
        }
    }
    let (start, count) = found?;
    Some(
        (0..count)
            .map(|mode| bit(start + mode * MODE_BITS))
            .collect(),
    )
}

/// Splits the headers that a container stores in one block with Xiph lacing: identification, comment, setup.
pub(super) fn split_headers(data: &[u8]) -> Option<[&[u8]; 3]> {
    let (&count, mut rest) = data.split_first()?;
    if count != 2 {
        return None;
    }
    let mut sizes = [0; 2];
    for size in &mut sizes {
        loop {
            let (&byte, tail) = rest.split_first()?;
            rest = tail;
            *size += usize::from(byte);
            if byte < 255 {
                break;
            }
        }
    }
    let [identification, comment] = sizes;
    let (identification, rest) = rest.split_at_checked(identification)?;
    let (comment, setup) = rest.split_at_checked(comment)?;
    Some([identification, comment, setup])
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Appends fields of given widths, least significant bit first.
    pub(super) fn pack(fields: &[(usize, usize)]) -> Vec<u8> {
        let bits: Vec<bool> = fields
            .iter()
            .flat_map(|&(value, width)| (0..width).map(move |i| value >> i & 1 == 1))
            .collect();
        bits.chunks(8)
            .map(|byte| byte.iter().rev().fold(0, |n, bit| n << 1 | u8::from(*bit)))
            .collect()
    }

    fn setup(flags: &[usize]) -> Vec<u8> {
        // Bits before the modes that are no mode themselves.
        let mut fields = vec![(0x5A5A_5A5A, 32), (0x7F, 13), (flags.len() - 1, 6)];
        for (mapping, flag) in flags.iter().enumerate() {
            fields.extend([(*flag, 1), (0, 16), (0, 16), (mapping, 8)]);
        }
        fields.push((1, 1));
        [SETUP, &pack(&fields)].concat()
    }

    /// Returns the identification and setup headers of stereo at 44,100 Hz: mode 0 has blocks of 2^8 frames, mode 1 of
    /// 2^11.
    pub(in crate::media::demux) fn headers() -> [Vec<u8>; 2] {
        let mut identification = IDENTIFICATION.to_vec();
        identification.extend([0, 0, 0, 0, 2]);
        identification.extend(44_100u32.to_le_bytes());
        identification.extend([0; 12]);
        // The exponents of the block sizes, and the framing bit.
        identification.extend([0xB8, 1]);
        [identification, setup(&[0, 1])]
    }

    #[test]
    fn packets_complete_a_quarter_of_both_blocks() {
        let [identification, setup] = headers();
        let header = Identification::parse(&identification).unwrap();
        assert_eq!((header.channels, header.rate), (2, 44_100));
        let mut blocks = VorbisBlocks::parse(&header, &setup).unwrap();
        let packets: [&[u8]; 6] = [&[0], &[0], &[2], &[2], &[1], &[0]];
        let frames = packets.map(|packet| blocks.frames(packet));
        assert_eq!(
            frames,
            [Some(0), Some(128), Some(576), Some(1024), None, Some(576)]
        );
        blocks.reset();
        assert_eq!(blocks.frames(&[2]), Some(0));
        assert_eq!(blocks.max_frames(), 1024);
    }

    #[test]
    fn modes_are_counted_from_the_end() {
        for flags in [&[0][..], &[1], &[0, 1], &[1, 0, 1], &[0; 64]] {
            let expected: Vec<bool> = flags.iter().map(|f| *f == 1).collect();
            assert_eq!(long_modes(&setup(flags)), Some(expected));
        }
        assert_eq!(long_modes(SETUP), None);
        assert_eq!(long_modes(&[]), None);
    }

    #[test]
    fn headers_are_split_by_their_lacing() {
        let data = [&[2, 1, 255, 3][..], b"i", &[b'c'; 258], b"setup"].concat();
        let comment = [b'c'; 258];
        assert_eq!(
            split_headers(&data),
            Some([&b"i"[..], &comment[..], b"setup"])
        );
        assert_eq!(split_headers(&data[..100]), None);
    }

    #[test]
    fn a_mode_of_a_mapping_that_cannot_be_is_none() {
        // Of 17 modes, the bits before them read as another one of mapping 64, and those before it as their number.
        let mut fields = vec![(17, 6), (0, 33), (0, 2), (16, 6)];
        for _ in 0..17 {
            fields.extend([(1, 1), (0, 32), (0, 8)]);
        }
        fields.push((1, 1));
        let setup = [SETUP, &pack(&fields)].concat();
        assert_eq!(long_modes(&setup), Some(vec![true; 17]));
    }

    #[test]
    fn a_mode_takes_as_many_bits_as_the_last_one_needs() {
        let size = |modes: usize, packet: u8| {
            let blocks = VorbisBlocks {
                sizes: [256, 2048],
                long_modes: (0..modes).map(|mode| mode % 2 == 1).collect(),
                previous: None,
            };
            blocks.block_size(&[packet])
        };
        // The bit behind the mode belongs to the window.
        assert_eq!(size(2, 0b110), Some(2048));
        assert_eq!(size(2, 0b100), Some(256));
        assert_eq!(size(1, 0b110), Some(256));
        assert_eq!(size(3, 0b010), Some(2048));
        assert_eq!(size(3, 0b110), None, "there is no mode 3");
        assert_eq!(size(2, 0b111), None, "a header");
    }
}
