use super::*;

/// Size of a frame of layer III at 128 kbit/s and 48 kHz.
const FRAME_BYTES: usize = 384;

/// Side information of mono, MPEG-1, from its fields: bits of main data of each granule before this frame, and in it.
struct Bits(Vec<u8>, usize);

impl Bits {
    fn put(&mut self, value: u32, count: usize) {
        for bit in (0..count).rev() {
            if value >> bit & 1 == 1 {
                self.0[self.1 / 8] |= 0x80 >> (self.1 % 8);
            }
            self.1 += 1;
        }
    }
}

/// Makes a frame of mono whose first spectral pair of each granule is coded with table 1, as ones, from `reservoir` bytes
/// before its own main data on.
fn frame(reservoir: u32, gain: u32) -> Vec<u8> {
    let mut bits = Bits(vec![0; FRAME_BYTES], 0);
    bits.put(0xFFFB_94C0, 32);
    bits.put(reservoir, 9);
    bits.put(0, 5 + 4);
    for _ in 0..2 {
        // Three bits for a pair of ones (table B.7, 1), and their signs.
        bits.put(5, 12);
        bits.put(1, 9);
        bits.put(gain, 8);
        bits.put(0, 4 + 1);
        bits.put(1, 5);
        bits.put(1, 5);
        bits.put(1, 5);
        bits.put(0, 4 + 3 + 3);
    }
    assert_eq!(bits.1, 8 * (4 + 17));
    // 000 is the pair of ones. All main data is zeros, so that it does not matter where it begins.
    bits.0
}

fn decode(decoder: &mut MpegDecoder, frame: &[u8]) -> Result<Vec<f64>, CodecFault> {
    decode_cut(decoder, frame).map(|(samples, _)| samples)
}

/// Decodes a frame; returns also whether it refers to data that was cut off.
fn decode_cut(decoder: &mut MpegDecoder, frame: &[u8]) -> Result<(Vec<f64>, bool), CodecFault> {
    let decoded = decoder.decode(frame)?;
    assert_eq!(
        (decoded.frames, decoded.rate, decoded.channels, decoded.mask),
        (1152, 48_000, 1, CENTRE)
    );
    let mut samples = vec![0.0; decoded.frames];
    assert!(decoder.copy(0, &mut [&mut samples]));
    Ok((samples, decoded.is_cut))
}

fn peak(samples: &[f64]) -> f64 {
    samples.iter().fold(0.0, |peak, s| s.abs().max(peak))
}

#[test]
fn frames_whose_bit_reservoir_is_not_there_are_silent_at_the_start() {
    let mut decoder = MpegDecoder::new();
    let (samples, is_cut) = decode_cut(&mut decoder, &frame(100, 180)).unwrap();
    assert_eq!((peak(&samples), is_cut), (0.0, true));
    // The frame before has left its bytes.
    let (samples, is_cut) = decode_cut(&mut decoder, &frame(100, 180)).unwrap();
    assert!(peak(&samples) > 1e-3 && !is_cut);
}

#[test]
fn the_tail_of_a_frame_sounds_where_a_stream_is_joined() {
    // 363 bytes of main data, so that 500 are not there after a frame that used all before it.
    let mut decoder = MpegDecoder::new();
    let loud = decode(&mut decoder, &frame(0, 180)).unwrap();
    let joined = decode(&mut decoder, &frame(500, 180)).unwrap();
    let tail = joined.iter().rposition(|s| *s != 0.0).unwrap();
    // The half of a window of 36 subband samples, 576 frames, and the filter bank, 481.
    assert!((576..=576 + 512).contains(&tail), "{tail}");
    assert!(peak(&joined) > 0.1 * peak(&loud));
    let after = decode(&mut decoder, &frame(0, 180)).unwrap();
    let fresh = decode(&mut MpegDecoder::new(), &frame(0, 180)).unwrap();
    assert_eq!(after, fresh);
}

/// Inserts a checksum, of zeros: it is not checked.
fn with_checksum(frame: &[u8]) -> Vec<u8> {
    let mut checked = [&frame[..4], &[0; 2], &frame[4..FRAME_BYTES - 2]].concat();
    checked[1] &= 0xFE;
    checked
}

#[test]
fn a_checksum_precedes_the_side_information_of_a_frame_without_data() {
    let [mut plain, mut checked] = [MpegDecoder::new(), MpegDecoder::new()];
    for reservoir in [0, 500] {
        let frame = frame(reservoir, 180);
        let samples = decode_cut(&mut plain, &frame).unwrap();
        assert!(peak(&samples.0) > 1e-3 && samples.1 == (reservoir == 500));
        assert_eq!(
            decode_cut(&mut checked, &with_checksum(&frame)).unwrap(),
            samples
        );
    }
}

#[test]
fn missing_data_is_damage_after_a_loss() {
    let what = |result: Result<Vec<f64>, CodecFault>| result.unwrap_err().reason();
    let mut decoder = MpegDecoder::new();
    decode(&mut decoder, &frame(0, 180)).unwrap();
    decoder.reset();
    let needs = "it needs data of the packets before it";
    assert_eq!(what(decode(&mut decoder, &frame(100, 180))), needs);
    assert!(decoder.copy(0, &mut [&mut []]));
    assert!(!decoder.copy(0, &mut [&mut [0.0]]));
    assert!(decode(&mut decoder, &frame(100, 180)).is_ok());
    // More than 288 pairs (ISO/IEC 11172-3, 2.4.2.7).
    let mut broken = frame(0, 180);
    broken[4 + 3] |= 0x3F;
    broken[4 + 4] |= 0xC0;
    assert_eq!(
        what(decode(&mut decoder, &broken)),
        "its values contradict each other"
    );
    assert_eq!(what(decode(&mut decoder, &frame(500, 180))), needs);
    assert!(decode(&mut decoder, &frame(0, 180)).is_ok());
}

#[test]
fn a_packet_is_one_frame() {
    let mut decoder = MpegDecoder::new();
    let size = "its size is not that of its header";
    for packet in [
        &frame(0, 180)[1..],
        &frame(0, 180)[..FRAME_BYTES - 1],
        &[frame(0, 180), frame(0, 180)].concat(),
        &[],
    ] {
        assert_eq!(decoder.decode(packet).unwrap_err().reason(), size);
    }
}

#[test]
fn any_bytes_behind_a_header_are_decoded_or_refused() {
    let mut state = 1u32;
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let (mut decoded, mut refused) = (0, 0);
    let mut decoder = MpegDecoder::new();
    for n in 0..3000u32 {
        // Every version, layer, bit rate, sample rate and mode.
        let header = [
            0xFF,
            0xE0 | random(),
            random() & 0xFE | u8::from(n % 2 == 0),
            random(),
        ];
        let Some(parsed) = MpegHeader::parse(&header) else {
            continue;
        };
        let mut frame: Vec<u8> = std::iter::repeat_with(&mut random)
            .take(parsed.size as usize)
            .collect();
        frame[..4].copy_from_slice(&header);
        match decoder.decode(&frame) {
            Ok(shape) => {
                assert_eq!(
                    (shape.frames, shape.rate, shape.channels),
                    (parsed.frames as usize, parsed.rate, parsed.channels.into())
                );
                let mut planes = vec![vec![0.0; shape.frames]; shape.channels];
                let mut targets: Vec<&mut [f64]> = planes.iter_mut().map(|p| &mut p[..]).collect();
                assert!(decoder.copy(0, &mut targets));
                decoded += 1;
            }
            Err(CodecFault::Damaged(_)) => refused += 1,
            Err(other) => panic!("{}", other.reason()),
        }
    }
    assert!(decoded > 50 && refused > 500, "{decoded} {refused}");
}
