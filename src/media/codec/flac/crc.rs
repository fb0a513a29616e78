//! The checksum of a frame (RFC 9639, 9.3).
//!
//! Its polynomial is x¹⁶ + x¹⁵ + x² + 1 = (x + 1)(x¹⁵ + x + 1), so the remainder of a message follows from the remainders
//! by the two factors. That by x + 1 is the parity of its bits. By the other factor x¹⁵ is x + 1, and squared eight times,
//! x³⁸⁴⁰ is x²⁵⁶ + 1: a block of 15 words of 256 bits may be added to the block behind it, and once more one word further
//! left. This takes no table and vectorises; only one block in the end is divided.

use crate::simd::with_avx2;
use crc::{CRC_16_UMTS, Crc, Table};

/// Divides by the whole polynomial.
static CRC_16: Crc<u16, Table<16>> = Crc::<u16, Table<16>>::new(&CRC_16_UMTS);

/// x¹⁵ + x + 1.
const TRINOMIAL: u16 = 0x8003;

const WORDS: usize = 15;
const BLOCK_BYTES: usize = WORDS * size_of::<Word>();

/// 256 bits. The byte order does not matter to sums.
type Word = [u64; 4];

/// Words, the one that comes first in the message first.
type Block = [Word; WORDS];

/// Returns the checksum of a message that continues one whose checksum is `before`, 0 for none. A message that ends with
/// its own checksum has the checksum 0.
pub(crate) fn crc_16(before: u16, message: &[u8]) -> u16 {
    with_avx2!(fold(before, message))
}

#[inline(always)]
fn fold(before: u16, message: &[u8]) -> u16 {
    let (blocks, rest) = message.split_at(message.len() / BLOCK_BYTES * BLOCK_BYTES);
    let Some((first, others)) = blocks.split_at_checked(BLOCK_BYTES) else {
        return divide(before, rest);
    };
    let mut sum = block(first);
    // The checksum stands for all that came before, and overlaps the first bytes.
    let overlap = before.to_be_bytes();
    sum[0][0] ^= u64::from_ne_bytes(std::array::from_fn(|i| {
        overlap.get(i).copied().unwrap_or(0)
    }));
    let mut total = sum.into_iter().fold(Word::default(), add);
    for block in others.chunks_exact(BLOCK_BYTES).map(block) {
        let leftmost = sum[0];
        let mut right = leftmost;
        for (sum, word) in sum.iter_mut().zip(block).rev() {
            let shifted = std::mem::replace(&mut right, *sum);
            *sum = add(add(*sum, shifted), word);
        }
        // The leftmost word was shifted out. It came back at the right end, and belongs one word further left too.
        sum[WORDS - 2] = add(sum[WORDS - 2], leftmost);
        total = block.into_iter().fold(total, add);
    }
    let parity = total.iter().fold(0, |all, part| all ^ part).count_ones() & 1;
    let mut folded = [0; BLOCK_BYTES];
    for (bytes, part) in folded.as_chunks_mut().0.iter_mut().zip(sum.as_flattened()) {
        *bytes = part.to_ne_bytes();
    }
    // The only number of 16 bits with this remainder by the trinomial and this parity.
    let divided = divide(0, &folded);
    let crc = if divided.count_ones() & 1 == parity {
        divided
    } else {
        divided ^ TRINOMIAL
    };
    divide(crc, rest)
}

/// Adds polynomials.
#[inline(always)]
fn add(mut a: Word, b: Word) -> Word {
    a.iter_mut().zip(b).for_each(|(a, b)| *a ^= b);
    a
}

#[inline(always)]
fn block(bytes: &[u8]) -> Block {
    let mut block = [Word::default(); WORDS];
    for (part, bytes) in block.as_flattened_mut().iter_mut().zip(bytes.as_chunks().0) {
        *part = u64::from_ne_bytes(*bytes);
    }
    block
}

/// Divides without folding.
#[inline(never)]
fn divide(before: u16, message: &[u8]) -> u16 {
    let mut digest = CRC_16.digest_with_initial(before);
    digest.update(message);
    digest.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_gives_the_remainder_of_the_division() {
        let mut state = 1u32;
        let message: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .take(4 * BLOCK_BYTES + 17)
        .collect();
        for len in 0..message.len() {
            let message = &message[..len];
            assert_eq!(crc_16(0, message), CRC_16.checksum(message), "{len}");
            assert_eq!(fold(0, message), CRC_16.checksum(message), "{len}");
            // In two parts.
            let (a, b) = message.split_at(len / 3);
            assert_eq!(crc_16(crc_16(0, a), b), CRC_16.checksum(message), "{len}");
        }
        // The check value of CRC-16/UMTS in the catalogue of parametrised CRC algorithms.
        assert_eq!(crc_16(0, b"123456789"), 0xFEE8);
    }

    #[test]
    fn every_flipped_bit_of_a_frame_is_noticed() {
        let mut frame = vec![0x5A; 3 * BLOCK_BYTES];
        let crc = crc_16(0, &frame);
        frame.extend(crc.to_be_bytes());
        assert_eq!(crc_16(0, &frame), 0);
        for bit in 0..8 * frame.len() {
            frame[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(crc_16(0, &frame), 0, "bit {bit}");
            frame[bit / 8] ^= 1 << (bit % 8);
        }
    }
}
