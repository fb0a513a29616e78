//! Frames of a small encoder that can write everything a frame may have, and the example of the standard.

use super::*;
use ::crc::{CRC_8_SMBUS, Crc};
use proptest::prelude::*;

/// The file of RFC 9639, appendix D.1: one frame of 16-bit stereo.
const EXAMPLE: [u8; 57] = [
    0x66, 0x4C, 0x61, 0x43, 0x80, 0x00, 0x00, 0x22, 0x10, 0x00, 0x10, 0x00, 0x00, 0x00, 0x0F, 0x00,
    0x00, 0x0F, 0x0A, 0xC4, 0x42, 0xF0, 0x00, 0x00, 0x00, 0x01, 0x3E, 0x84, 0xB4, 0x18, 0x07, 0xDC,
    0x69, 0x03, 0x07, 0x58, 0x6A, 0x3D, 0xAD, 0x1A, 0x2E, 0x0F, 0xFF, 0xF8, 0x69, 0x18, 0x00, 0x00,
    0xBF, 0x03, 0x58, 0xFD, 0x03, 0x12, 0x8B, 0xAA, 0x9A,
];

#[test]
fn the_example_of_the_standard_is_decoded() {
    let info = StreamInfo::parse(&EXAMPLE[8..]).unwrap();
    let mut decoder = FlacDecoder::new(info);
    let header = decoder.decode(&EXAMPLE[42..]).unwrap();
    assert_eq!(header.frames, 1);
    assert_eq!(decoder.planes, [[25_588], [10_416]]);
    let (mut left, mut right) = ([0.0], [0.0]);
    assert!(decoder.copy(0, &mut [&mut left, &mut right]));
    assert_eq!(
        (left, right),
        ([25_588.0 / 32_768.0], [10_416.0 / 32_768.0])
    );
    assert_eq!(decoder.frame_size(&EXAMPLE[42..]), Some(15));
    let with_tag = [&EXAMPLE[42..], b"TAG"].concat();
    assert_eq!(decoder.frame_size(&with_tag), Some(15));
    assert_eq!(decoder.frame_size(&EXAMPLE[42..56]), None);
}

/// Writes bits, the most significant first.
#[derive(Default)]
struct BitWriter {
    bytes: Vec<u8>,
    /// Bits of the last byte that are used; 0 for all.
    used: u32,
}

impl BitWriter {
    fn write(&mut self, value: i64, count: u32) {
        for i in (0..count).rev() {
            if self.used == 0 {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= u8::from(value >> i & 1 == 1) << (7 - self.used);
            self.used = (self.used + 1) % 8;
        }
    }

    fn write_unary(&mut self, zeros: u64) {
        (0..zeros).for_each(|_| self.write(0, 1));
        self.write(1, 1);
    }
}

/// How a subframe is written.
#[derive(Clone, Debug)]
enum Kind {
    Constant,
    Verbatim,
    Fixed(usize),
    /// Coefficients and shift.
    Linear(Vec<i32>, u32),
}

#[derive(Clone, Debug)]
struct Subframe {
    kind: Kind,
    /// Bits that are zero in all samples.
    wasted: u32,
    /// Binary logarithm of the number of partitions.
    partitions: u32,
    /// For each partition in turn a Rice parameter, or `None` for plain numbers.
    parameters: Vec<Option<u32>>,
}

impl Subframe {
    fn write(&self, out: &mut BitWriter, samples: &[i64], bits: u32) {
        let kind = match &self.kind {
            Kind::Constant => 0,
            Kind::Verbatim => 1,
            Kind::Fixed(order) => 8 + order,
            Kind::Linear(coefficients, _) => 31 + coefficients.len(),
        };
        out.write(i64::try_from(kind).unwrap(), 7);
        out.write(i64::from(self.wasted > 0), 1);
        if self.wasted > 0 {
            out.write_unary(u64::from(self.wasted) - 1);
        }
        let bits = bits - self.wasted;
        let samples: Vec<i64> = samples.iter().map(|s| s >> self.wasted).collect();
        let (coefficients, shift) = match &self.kind {
            Kind::Constant => return out.write(samples[0], bits),
            Kind::Verbatim => return samples.iter().for_each(|s| out.write(*s, bits)),
            Kind::Fixed(order) => {
                // Differences, from their definition.
                let binomial = [&[][..], &[1], &[2, -1], &[3, -3, 1], &[4, -6, 4, -1]];
                (binomial[*order].to_vec(), 0)
            }
            Kind::Linear(coefficients, shift) => (coefficients.clone(), *shift),
        };
        let order = coefficients.len();
        samples[..order].iter().for_each(|s| out.write(*s, bits));
        if let Kind::Linear(..) = self.kind {
            out.write(14, 4);
            out.write(shift.into(), 5);
            coefficients.iter().for_each(|c| out.write((*c).into(), 15));
        }
        let residuals: Vec<i64> = (order..samples.len())
            .map(|i| {
                let sum: i64 = (0..order)
                    .map(|j| i64::from(coefficients[j]) * samples[i - 1 - j])
                    .sum();
                samples[i] - (sum >> shift)
            })
            .collect();
        // Parameters of five bits if any needs them.
        let wide = self.parameters.iter().flatten().any(|p| *p > 14);
        let parameter_bits = if wide { 5 } else { 4 };
        out.write(wide.into(), 2);
        out.write(self.partitions.into(), 4);
        let frames = samples.len() >> self.partitions;
        for partition in 0..1usize << self.partitions {
            let from = (partition * frames).max(order) - order;
            let part = &residuals[from..(partition + 1) * frames - order];
            let largest = part.iter().map(|r| r.unsigned_abs()).max().unwrap_or(0);
            match self.parameters[partition % self.parameters.len()] {
                // Codes of more than 200 bits are not written.
                Some(parameter) if largest >> parameter < 100 => {
                    out.write(parameter.into(), parameter_bits);
                    for r in part {
                        let folded = if *r < 0 { -2 * r - 1 } else { 2 * r };
                        out.write_unary(folded.cast_unsigned() >> parameter);
                        out.write(folded, parameter);
                    }
                }
                _ => {
                    let width = if largest == 0 {
                        0
                    } else {
                        66 - largest.leading_zeros() - 1
                    };
                    assert!(width < 32, "a residual of {largest}");
                    out.write(-1, parameter_bits);
                    out.write(width.into(), 5);
                    part.iter().for_each(|r| out.write(*r, width));
                }
            }
        }
    }
}

/// Returns a frame. `planes` are what is coded, of which that of the side has one more bit.
fn frame(channels: Channels, bits: u8, planes: &[Vec<i64>], subframes: &[Subframe]) -> Vec<u8> {
    let assignment = match channels {
        Channels::Independent(count) => count - 1,
        Channels::LeftSide => 8,
        Channels::SideRight => 9,
        Channels::MidSide => 10,
    };
    let frames = planes[0].len() as u16;
    let mut out = BitWriter::default();
    // A block size of 16 bits, the rate and the width of STREAMINFO, number 0.
    out.write(0xFFF8, 16);
    out.write(0x70, 8);
    out.write(i64::from(assignment) << 4, 8);
    out.write(0, 8);
    out.write(i64::from(frames) - 1, 16);
    let crc = Crc::<u8>::new(&CRC_8_SMBUS).checksum(&out.bytes);
    out.write(crc.into(), 8);
    for (channel, (plane, subframe)) in planes.iter().zip(subframes).enumerate() {
        let side = u32::from(channels.side() == Some(channel));
        subframe.write(&mut out, plane, u32::from(bits) + side);
    }
    let mut bytes = out.bytes;
    bytes.extend(crc_16(0, &bytes).to_be_bytes());
    bytes
}

fn info(channels: u8, bits: u8) -> StreamInfo {
    StreamInfo {
        block_frames: 4096,
        max_block_frames: 4096,
        rate: 48_000,
        channels,
        bits,
        frames: 0,
        md5: [0; 16],
    }
}

/// Returns what a pair of channels is coded as, from its definition.
fn coded(channels: Channels, planes: &[Vec<i64>]) -> Vec<Vec<i64>> {
    let [left, right] = planes else {
        return planes.to_vec();
    };
    let of = |f: fn(i64, i64) -> i64| left.iter().zip(right).map(|(l, r)| f(*l, *r)).collect();
    let side: Vec<i64> = of(|l, r| l - r);
    match channels {
        Channels::Independent(_) => planes.to_vec(),
        Channels::LeftSide => vec![left.clone(), side],
        Channels::SideRight => vec![side, right.clone()],
        Channels::MidSide => vec![of(|l, r| (l + r).div_euclid(2)), side],
    }
}

fn any_subframe() -> impl Strategy<Value = Subframe> {
    let linear = (prop::collection::vec(-16_384..16_384i32, 1..=32), 0..16u32);
    let kind = prop_oneof![
        1 => Just(Kind::Verbatim),
        3 => (0..5usize).prop_map(Kind::Fixed),
        6 => linear.prop_map(|(c, shift)| Kind::Linear(c, shift)),
    ];
    let parameter = prop_oneof![4 => (0..=30u32).prop_map(Some), 1 => Just(None)];
    (kind, 0..3u32, 0..3u32, prop::collection::vec(parameter, 4)).prop_map(
        |(kind, wasted, partitions, parameters)| Subframe {
            kind,
            wasted,
            partitions,
            parameters,
        },
    )
}

/// Returns samples of `bits` bits: noise of any level, or full scale of either sign.
fn samples(bits: u32, frames: usize, seed: u64) -> Vec<i64> {
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state.cast_signed() >> 32
    };
    let quieter = seed as u32 % bits;
    let full = seed.is_multiple_of(5);
    (0..frames)
        .map(|_| match next() {
            x if full && x < 0 => -(1 << (bits - 1)),
            _ if full => (1 << (bits - 1)) - 1,
            x => x >> (32 - bits) >> quieter,
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn everything_that_a_frame_may_have_is_decoded(
        bits in 4..=32u8,
        count in 1..=8u8,
        pairing in 0..4,
        // Beyond a block of the history of two channels.
        frames in 40..600usize,
        seed in any::<u64>(),
        subframes in prop::collection::vec(any_subframe(), 8),
    ) {
        let frames = frames / 4 * 4;
        let channels = match pairing {
            0 => Channels::Independent(count),
            1 => Channels::LeftSide,
            2 => Channels::SideRight,
            _ => Channels::MidSide,
        };
        let mut subframes = subframes;
        let wasted = subframes.iter().map(|s| s.wasted).max().unwrap_or(0);
        let planes: Vec<Vec<i64>> = (0..channels.count())
            .map(|ch| {
                let plane = samples(bits.into(), frames, seed.wrapping_add(ch.into()));
                plane.iter().map(|s| s >> (wasted + 1) << (wasted + 1)).collect()
            })
            .collect();
        let coded = coded(channels, &planes);
        for (channel, subframe) in subframes.iter_mut().enumerate().take(coded.len()) {
            // What an encoder does when residuals get too long.
            let peak = coded[channel].iter().map(|s| s.unsigned_abs()).max().unwrap_or(0);
            let gain: u64 = match &subframe.kind {
                Kind::Linear(c, shift) => c.iter().map(|c| u64::from(c.unsigned_abs())).sum::<u64>().div_ceil(1 << shift),
                Kind::Fixed(order) => (1 << order) - 1,
                _ => 0,
            };
            if (gain + 1) * (peak >> subframe.wasted) >= 1 << 30
                || frames >> subframe.partitions < 32
            {
                subframe.kind = Kind::Verbatim;
            }
            if coded[channel].iter().all(|s| *s == coded[channel][0]) {
                subframe.kind = Kind::Constant;
            }
        }
        let data = frame(channels, bits, &coded, &subframes);
        let mut decoder = FlacDecoder::new(info(channels.count(), bits));
        let mut plain = without_simd(info(channels.count(), bits));
        for decoder in [&mut decoder, &mut plain] {
            let header = decoder.decode(&data).unwrap();
            prop_assert_eq!(header.frames as usize, frames);
            for (decoded, plane) in decoder.planes.iter().zip(&planes) {
                prop_assert!(decoded.iter().map(|s| i64::from(*s)).eq(plane.iter().copied()));
            }
            prop_assert_eq!(decoder.frame_size(&data), Some(data.len()));
        }
        // Changed bytes whose checksum is made right decode to something, or fail: nothing else.
        let mut changed = data;
        let end = changed.len() - 2;
        for i in 0..8u64 {
            let at = 8 + (seed.rotate_left(7 * i as u32) as usize) % (end - 8);
            changed[at] ^= 1 << (i % 8);
            let crc = crc_16(0, &changed[..end]).to_be_bytes();
            changed[end..].copy_from_slice(&crc);
            let decoded = decoder.decode(&changed);
            prop_assert_eq!(&plain.decode(&changed), &decoded);
            if decoded.is_ok() {
                prop_assert_eq!(&plain.planes, &decoder.planes);
            }
        }
    }
}

/// Makes a decoder for processors without newer instructions.
fn without_simd(info: StreamInfo) -> FlacDecoder {
    FlacDecoder {
        #[cfg(all(feature = "simd", target_arch = "x86_64"))]
        simd: None,
        ..FlacDecoder::new(info)
    }
}

/// Encodes 32 samples in one subframe of 16 bits.
fn one(kind: Kind, samples: &[i64]) -> Vec<u8> {
    let subframe = Subframe {
        kind,
        wasted: 0,
        partitions: 0,
        parameters: vec![Some(3)],
    };
    frame(
        Channels::Independent(1),
        16,
        &[samples.to_vec()],
        &[subframe],
    )
}

#[test]
fn each_check_of_a_frame_is_made() {
    let ramp: Vec<i64> = (0..32).collect();
    let good = one(Kind::Fixed(1), &ramp);
    let mut decoder = FlacDecoder::new(info(1, 16));
    let mut check = |data: &[u8]| decoder.decode(data).map_err(|e| e.check);
    let with_crc = |mut data: Vec<u8>| {
        let end = data.len() - 2;
        let crc = crc_16(0, &data[..end]).to_be_bytes();
        data[end..].copy_from_slice(&crc);
        data
    };
    assert!(check(&good).is_ok());
    let changed = |at: usize, byte: u8| {
        let mut data = good.clone();
        data[at] = byte;
        data
    };
    assert_eq!(check(&with_crc(changed(2, 0x71))), Err(FrameCheck::Header));
    assert_eq!(check(&changed(10, 0x55)), Err(FrameCheck::Checksum));
    assert_eq!(check(&good[..9]), Err(FrameCheck::Checksum));
    assert_eq!(check(&[]), Err(FrameCheck::Header));
    // The header of the subframe is byte 8: a first bit of one, and a kind that is reserved.
    for byte in [0x80 | good[8], 2 << 1, 13 << 1] {
        let data = with_crc(changed(8, byte));
        assert_eq!(check(&data), Err(FrameCheck::Reserved), "{byte}");
    }
    assert!(check(&[&good[..], &[0; 9]].concat()).is_ok());
    let longer = with_crc([&good[..], &[1, 0, 0]].concat());
    assert_eq!(check(&longer), Err(FrameCheck::Length));
    let shorter = with_crc(good[..good.len() - 1].to_vec());
    assert_eq!(check(&shorter), Err(FrameCheck::Length));
    // The first sample is all that is coded but differences: a ramp from 32,760 on leaves the range.
    let mut high = good.clone();
    (high[9], high[10]) = (0x7F, 0xF8);
    assert_eq!(check(&with_crc(high)), Err(FrameCheck::Range));
}

#[test]
fn samples_that_only_a_later_step_would_bring_into_range_are_noticed() {
    let subframe = |kind, wasted| Subframe {
        kind,
        wasted,
        partitions: 0,
        parameters: vec![Some(0)],
    };
    let predict = |order| Kind::Linear(vec![-16_384; order], 0);
    let check = |channels: Channels, planes: &[Vec<i64>], subframes: &[Subframe]| {
        let data = frame(channels, 16, planes, subframes);
        let decode = |mut decoder: FlacDecoder| decoder.decode(&data).map_err(|e| e.check);
        let decoded = decode(FlacDecoder::new(info(channels.count(), 16)));
        assert_eq!(decoded, decode(without_simd(info(channels.count(), 16))));
        decoded
    };
    let ending_with = |count, last| [vec![-32_768; count], vec![last]].concat();
    // Four zeros are behind each sample: those of 2^32 would begin above the 32 bits of a plane.
    let wasted = ending_with(8, 1 << 32);
    let last = subframe(predict(8), 4);
    for count in 1..=2 {
        let planes = vec![wasted.clone(); count.into()];
        let subframes = vec![last.clone(); count.into()];
        let decoded = check(Channels::Independent(count), &planes, &subframes);
        assert_eq!(decoded, Err(FrameCheck::Range), "{count} channels");
    }
    // Twice the middle of both channels would be 2^32.
    let mid = ending_with(4, 1 << 31);
    let subframes = [subframe(predict(4), 0), subframe(Kind::Constant, 0)];
    let decoded = check(Channels::MidSide, &[mid, vec![0; 5]], &subframes);
    assert_eq!(decoded, Err(FrameCheck::Range));
}

#[test]
fn an_error_says_what_is_wrong_and_where() {
    let text = |check, at| FrameError { check, at }.to_string();
    assert_eq!(text(FrameCheck::Checksum, 9), "its checksum is wrong");
    assert_eq!(
        text(FrameCheck::Range, 77),
        "a sample needs more bits than the stream has (byte 77)"
    );
}
