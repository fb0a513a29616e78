//! Reads bits, most significant first, and Rice codes.

#![expect(clippy::cast_possible_truncation, reason = "numbers of known width")]

/// Longest Rice parameter whose codes of up to 63 bits stand for numbers of 32 bits.
pub(super) const MAX_FAST_PARAMETER: u32 = 26;

/// Reads from a slice as if endless zeros followed it; [`remaining`](Self::remaining) says whether any were read.
///
/// The next bits lie in a word at hand. A refill adds whole bytes to it without a branch (F. Giesen, "Reading bits in far
/// too many ways", 2018): bits that are there already are combined with themselves.
#[derive(Clone, Copy)]
pub(super) struct BitReader<'a> {
    /// The bytes that are not wholly in `word`.
    rest: &'a [u8],
    /// The next bits, from the highest down.
    word: u64,
    /// How many bits of `word` may be used, at most 63.
    valid: u32,
    /// How many bytes of zeros were added to `word`.
    added: usize,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self {
            rest: data,
            word: 0,
            valid: 0,
            added: 0,
        }
    }

    /// Makes at least 56 bits valid.
    #[inline(always)]
    fn refill(&mut self) {
        // (63 - valid) / 8, written so that the compiler sees that it is at most 7.
        let taken = (!self.valid >> 3 & 7) as usize;
        if let Some(bytes) = self.rest.first_chunk() {
            self.word |= u64::from_be_bytes(*bytes) >> self.valid;
            self.rest = self.rest.get(taken..).unwrap_or_default();
        } else {
            *self = self.refill_from_end(taken);
        }
        self.valid |= 56;
    }

    /// Takes from the last bytes of the slice, followed by zeros.
    #[cold]
    #[inline(never)]
    fn refill_from_end(mut self, taken: usize) -> Self {
        let mut bytes = [0; 8];
        bytes
            .iter_mut()
            .zip(self.rest)
            .for_each(|(byte, rest)| *byte = *rest);
        self.word |= u64::from_be_bytes(bytes) >> self.valid;
        self.added += taken.saturating_sub(self.rest.len());
        self.rest = self.rest.get(taken..).unwrap_or_default();
        self
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
        self.refill();
        let value = self.word.cast_signed() >> 1 >> (63 - count);
        self.skip(count);
        // No bits are no sign either.
        if count == 0 { 0 } else { value }
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
            if self.remaining().is_none() {
                return zeros;
            }
        }
    }

    /// Reads Rice codes (RFC 9639, 9.2.7.2). It is fastest with as many as are most often in 56 bits. The parameter is at most
    /// [`MAX_FAST_PARAMETER`].
    #[inline(always)]
    pub(super) fn read_rice_codes<const N: usize>(&mut self, parameter: u32) -> [RiceCode; N] {
        self.refill();
        // Not by `array::from_fn`, which is called instead of inlined here, without the instructions of its caller.
        let mut codes = [RiceCode(0); N];
        for code in &mut codes {
            *code = self.read_rice_valid(parameter);
        }
        codes
    }

    /// Reads a Rice code with a parameter of at most [`MAX_FAST_PARAMETER`].
    #[inline(always)]
    pub(super) fn read_rice(&mut self, parameter: u32) -> RiceCode {
        self.refill();
        self.read_rice_valid(parameter)
    }

    /// Reads a Rice code; from the valid bits if it is in them.
    #[inline(always)]
    fn read_rice_valid(&mut self, parameter: u32) -> RiceCode {
        let zeros = self.word.leading_zeros();
        let len = zeros + 1 + parameter;
        if len > self.valid {
            let (reader, code) = self.read_any_rice(parameter);
            *self = reader;
            return code;
        }
        // The one that ends the zeros and the remainder, read together.
        let one_and_remainder = (self.word << zeros >> (63 - parameter)) as u32;
        self.skip(len);
        RiceCode((zeros << parameter).wrapping_add(one_and_remainder))
    }

    /// Reads a Rice code of any length. By value, so that the reader of the caller stays in registers.
    #[cold]
    #[inline(never)]
    pub(super) fn read_any_rice(mut self, parameter: u32) -> (Self, RiceCode) {
        let high = u64::from(self.read_unary());
        let value = high << parameter | self.read(parameter);
        if value > u64::from(u32::MAX) {
            // No encoder may write such a number. The data ends here.
            (self.rest, self.added) = (&[], usize::MAX / 16);
        }
        (self, RiceCode((value as u32).wrapping_add(1 << parameter)))
    }

    /// Returns the number of whole bytes that are left; `None` if more was read than there is.
    pub(super) fn remaining(&self) -> Option<usize> {
        let bits = 8 * self.rest.len() + self.valid as usize;
        bits.checked_sub(8 * self.added).map(|bits| bits / 8)
    }
}

/// The number that a Rice code stands for, plus 2 to the power of the parameter: it still has the one between quotient and
/// remainder. [`residual`](Self::residual) removes it, for many codes at once where that is faster.
#[derive(Clone, Copy, Debug)]
pub(super) struct RiceCode(u32);

impl RiceCode {
    /// Returns the code in the form of a sample, in whose place it may lie until it becomes a residual.
    #[inline(always)]
    pub(super) fn pack(self) -> i32 {
        self.0.cast_signed()
    }

    /// Returns the code that [`pack`](Self::pack) has packed.
    #[inline(always)]
    pub(super) fn unpack(packed: i32) -> Self {
        Self(packed.cast_unsigned())
    }

    /// Returns the residual: of the numbers 0, 1, 2, 3, 4 … it is 0, −1, 1, −2, 2 …
    #[inline(always)]
    pub(super) fn residual(self, parameter: u32) -> i32 {
        let number = self.0.wrapping_sub(1 << parameter);
        (number >> 1).cast_signed() ^ -((number & 1).cast_signed())
    }
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
        let mut reader = BitReader::new(&data);
        assert_eq!(reader.read(3), 5);
        assert_eq!(reader.read_signed(5), -1);
        assert_eq!(reader.read_unary(), 7);
        assert_eq!(reader.read(0), 0);
        assert_eq!(reader.read_signed(0), 0);
        assert_eq!(reader.read(1), 0);
        assert_eq!(reader.read_unary(), 11);
        assert_eq!(reader.read_signed(4), -8);
        assert_eq!(reader.remaining(), Some(0));
        assert_eq!(reader.read(7), 0);
        assert_eq!(reader.remaining(), Some(0));
        reader.read(1);
        assert_eq!(reader.remaining(), None);
    }

    #[test]
    fn a_number_of_any_width_is_read_at_any_offset() {
        let data: Vec<u8> = (1..=40u8).map(|i| i.wrapping_mul(151)).collect();
        let bit = |i: usize| u64::from(data[i / 8] >> (7 - i % 8) & 1);
        for skipped in 0..56 {
            for count in 0..=56 {
                let mut reader = BitReader::new(&data[2..]);
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
        let mut reader = BitReader::new(&data);
        assert_eq!(reader.read_rice_codes(0).map(|c| c.residual(0)), [0, -1]);
        assert_eq!(reader.read_rice(0).residual(0), 1);
        assert_eq!(reader.read_rice(0).residual(0), -2);
        let packed = reader.read_rice_codes(2).map(RiceCode::pack);
        assert_eq!(packed.map(|p| RiceCode::unpack(p).residual(2)), [-6, 1]);
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
                let mut reader = BitReader::new(&data);
                reader.read(3);
                let value = (zeros as u64) << parameter | remainder;
                let read = if parameter <= MAX_FAST_PARAMETER {
                    reader.read_rice_codes(parameter)
                } else {
                    let (next, first) = reader.read_any_rice(parameter);
                    let (next, second) = next.read_any_rice(parameter);
                    reader = next;
                    [first, second]
                };
                let is_valid = value <= u64::from(u32::MAX);
                assert_eq!(reader.remaining().is_some(), is_valid);
                if is_valid {
                    let residual = if value & 1 == 1 {
                        -(value.cast_signed() / 2) - 1
                    } else {
                        value.cast_signed() / 2
                    };
                    let read = read.map(|code| i64::from(code.residual(parameter)));
                    assert_eq!(read, [residual; 2], "{parameter} {zeros}");
                    assert_eq!(reader.read(1), 1);
                }
            }
        }
    }

    #[test]
    fn a_run_of_zeros_ends_with_the_data() {
        let data = [0; 100];
        let mut reader = BitReader::new(&data);
        reader.read_unary();
        assert_eq!(reader.remaining(), None);
    }
}
