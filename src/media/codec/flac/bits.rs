//! Reads bits, most significant first, and Rice codes.

#![expect(clippy::cast_possible_truncation, reason = "numbers of known width")]

/// Longest Rice parameter whose codes of up to 63 bits stand for numbers of 32 bits.
const MAX_FAST_PARAMETER: u32 = 26;

/// Reads from a slice as if endless zeros followed it; [`overran`](Self::overran) says whether any were read.
///
/// The next bits lie in a word at hand. A refill adds whole bytes to it without a branch (F. Giesen, "Reading bits in far
/// too many ways", 2018): bits that are there already are combined with themselves.
#[derive(Clone, Copy)]
pub(super) struct BitReader<'a> {
    data: &'a [u8],
    /// Offset of the first byte that is not wholly in `word`.
    next: usize,
    /// The next bits, from the highest down.
    word: u64,
    /// How many bits of `word` may be used, at most 63.
    valid: u32,
    /// Whether a Rice code stands for a number of more than 32 bits.
    overflowed: bool,
}

impl<'a> BitReader<'a> {
    /// Starts at byte offset `at`.
    pub(super) fn new(data: &'a [u8], at: usize) -> Self {
        Self {
            data,
            next: at,
            word: 0,
            valid: 0,
            overflowed: false,
        }
    }

    /// Makes at least 56 bits valid.
    #[inline(always)]
    fn refill(&mut self) {
        let bytes = self.data.get(self.next..).and_then(|d| d.first_chunk());
        let loaded = bytes.map_or_else(|| self.load_last(), |b| u64::from_be_bytes(*b));
        self.word |= loaded >> self.valid;
        self.next += (63 - self.valid) as usize / 8;
        self.valid |= 56;
    }

    /// Returns the last bytes of the slice, followed by zeros.
    #[cold]
    fn load_last(&self) -> u64 {
        let mut bytes = [0; 8];
        let rest = self.data.get(self.next..).unwrap_or_default();
        bytes.iter_mut().zip(rest).for_each(|(b, r)| *b = *r);
        u64::from_be_bytes(bytes)
    }

    /// Removes valid bits.
    #[inline(always)]
    fn skip(&mut self, count: u32) {
        self.word <<= count;
        self.valid -= count;
    }

    /// Reads an unsigned number of up to 56 bits.
    #[inline(always)]
    pub(super) fn read(&mut self, count: u32) -> u64 {
        self.refill();
        // In two steps: a shift by all 64 bits does not exist.
        let value = self.word >> 1 >> (63 - count);
        self.skip(count);
        value
    }

    /// Reads a number of up to 56 bits in two's complement.
    #[inline(always)]
    pub(super) fn read_signed(&mut self, count: u32) -> i64 {
        let unused = 64 - count;
        if count == 0 {
            return 0;
        }
        (self.read(count) << unused).cast_signed() >> unused
    }

    /// Reads zeros up to a one, and returns how many; wrong past the end.
    pub(super) fn read_unary(&mut self) -> u32 {
        let mut zeros = 0u32;
        loop {
            self.refill();
            let found = self.word.leading_zeros();
            if found < self.valid {
                self.skip(found + 1);
                return zeros.saturating_add(found);
            }
            zeros = zeros.saturating_add(self.valid);
            self.skip(self.valid);
            if self.overran() {
                return zeros;
            }
        }
    }

    /// Reads two signed Rice codes (RFC 9639, 9.2.7.2), which are most often in the same 56 bits.
    #[inline(always)]
    pub(super) fn read_rice_pair(&mut self, parameter: u32) -> [i32; 2] {
        self.refill();
        [
            self.read_rice_valid(parameter),
            self.read_rice_valid(parameter),
        ]
    }

    /// Reads a signed Rice code.
    #[inline(always)]
    pub(super) fn read_rice(&mut self, parameter: u32) -> i32 {
        self.refill();
        self.read_rice_valid(parameter)
    }

    /// Reads a signed Rice code; from the valid bits if it is in them.
    #[inline(always)]
    fn read_rice_valid(&mut self, parameter: u32) -> i32 {
        let zeros = self.word.leading_zeros();
        let len = zeros + 1 + parameter;
        if len > self.valid || parameter > MAX_FAST_PARAMETER {
            let (reader, value) = self.read_long_rice(parameter);
            *self = reader;
            return unfold(value);
        }
        // The one that ends the zeros and the remainder, read together.
        self.word <<= zeros;
        let one_and_remainder = (self.word >> (63 - parameter)) as u32;
        self.word = self.word << 1 << parameter;
        self.valid -= len;
        unfold((zeros.wrapping_sub(1) << parameter).wrapping_add(one_and_remainder))
    }

    /// Reads a Rice code of any length. By value, so that the reader of the caller stays in registers.
    #[cold]
    #[inline(never)]
    fn read_long_rice(mut self, parameter: u32) -> (Self, u32) {
        let high = u64::from(self.read_unary());
        let value = high << parameter | self.read(parameter);
        self.overflowed |= value > u64::from(u32::MAX);
        (self, value as u32)
    }

    /// Returns the offset of the next byte, after skipping what is left of this one.
    pub(super) fn byte_offset(&self) -> usize {
        (8 * self.next - self.valid as usize).div_ceil(8)
    }

    /// Returns whether more was read than the slice has.
    pub(super) fn overran(&self) -> bool {
        self.byte_offset() > self.data.len()
    }

    /// Returns whether a Rice code stood for a number of more than 32 bits.
    pub(super) fn overflowed(&self) -> bool {
        self.overflowed
    }
}

/// Converts 0, 1, 2, 3, 4 … to 0, −1, 1, −2, 2 …
#[inline(always)]
fn unfold(value: u32) -> i32 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packs a text of zeros and ones.
    fn bits(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(|b| *b != b' ').collect();
        let byte =
            |c: &[u8]| (0..8).fold(0, |byte, i| byte << 1 | u8::from(c.get(i) == Some(&b'1')));
        digits.chunks(8).map(byte).collect()
    }

    #[test]
    fn numbers_are_read_from_the_highest_bit_on() {
        let data = bits("101 11111 00000001 0 000000000001 1000");
        let mut reader = BitReader::new(&data, 0);
        assert_eq!(reader.read(3), 5);
        assert_eq!(reader.read_signed(5), -1);
        assert_eq!(reader.read_unary(), 7);
        assert_eq!(reader.read(0), 0);
        assert_eq!(reader.read_signed(0), 0);
        assert_eq!(reader.read(1), 0);
        assert_eq!(reader.read_unary(), 11);
        assert_eq!(reader.read_signed(4), -8);
        assert_eq!(reader.byte_offset(), 5);
        assert!(!reader.overran());
        assert_eq!(reader.read(7), 0);
        assert!(!reader.overran());
        reader.read(1);
        assert!(reader.overran());
    }

    #[test]
    fn a_number_of_any_width_is_read_at_any_offset() {
        let data: Vec<u8> = (1..=40u8).map(|i| i.wrapping_mul(151)).collect();
        let bit = |i: usize| u64::from(data[i / 8] >> (7 - i % 8) & 1);
        for skipped in 0..56 {
            for count in 0..=56 {
                let mut reader = BitReader::new(&data, 2);
                reader.read(skipped);
                let start = 16 + skipped as usize;
                let expected = (start..start + count as usize).fold(0, |n, i| n << 1 | bit(i));
                assert_eq!(reader.read(count), expected, "{skipped} {count}");
            }
        }
    }

    #[test]
    fn rice_codes_are_a_quotient_in_ones_and_a_remainder() {
        // 0, -1, 1, -2 with parameter 0, then 2 * 4 + 3 = 11, which is -6, and 0 * 4 + 2 = 2, which is 1, with parameter 2.
        let data = bits("1 01 001 0001 001 11 1 10");
        let mut reader = BitReader::new(&data, 0);
        assert_eq!(reader.read_rice_pair(0), [0, -1]);
        assert_eq!([reader.read_rice(0), reader.read_rice(0)], [1, -2]);
        assert_eq!(reader.read_rice_pair(2), [-6, 1]);
    }

    #[test]
    fn rice_codes_of_every_length_are_read() {
        for parameter in 0..=30u32 {
            for zeros in [0usize, 1, 20, 55, 56, 57, 63, 64, 65, 200] {
                let remainder = 0x2AAA_AAAA & ((1u64 << parameter) - 1);
                let tail = format!("{remainder:0width$b}", width = parameter as usize);
                let code = format!(
                    "{}1{}",
                    "0".repeat(zeros),
                    &tail[tail.len() - parameter as usize..]
                );
                let data = bits(&format!("101{code}{code}1"));
                let mut reader = BitReader::new(&data, 0);
                reader.read(3);
                let value = (zeros as u64) << parameter | remainder;
                let read = reader.read_rice_pair(parameter);
                assert_eq!(reader.overflowed(), value > u64::from(u32::MAX));
                if !reader.overflowed() {
                    assert_eq!(read, [unfold(value as u32); 2], "{parameter} {zeros}");
                    assert_eq!(reader.read(1), 1);
                }
            }
        }
    }

    #[test]
    fn a_run_of_zeros_ends_with_the_data() {
        let data = [0; 100];
        let mut reader = BitReader::new(&data, 0);
        reader.read_unary();
        assert!(reader.overran());
        assert!(BitReader::new(&data, 101).overran());
    }
}
