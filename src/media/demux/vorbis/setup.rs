//! Reads the setup header of Vorbis for what symphonia 0.6.1 decodes wrongly.
//!
//! A decoder undoes the couplings of a mapping from the last to the first (Vorbis I, 4.3.5). symphonia undoes them from the
//! first to the last, so it is handed them in reverse. The order matters where a channel belongs to several couplings, as in
//! what libvorbis writes of 5.1. By this symphonia also propagates nonzero vectors (4.3.3) in the other order. That matters to
//! residues of types 0 and 1 only, which no known encoder uses for channels of several couplings.
//!
//! A residue of type 0 or 1 stores the classes of its partitions in words, of which the last may hold more than are needed
//! (8.6.2). symphonia writes those over the classes of the next channel, so a stream in which that happens is refused.

use super::SETUP;

/// Bits of a field, least significant first, and the place of the next one.
struct Bits<'a> {
    data: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn bit(&self, at: usize) -> Option<bool> {
        Some(self.data.get(at / 8)? >> (at % 8) & 1 == 1)
    }

    fn take(&mut self, width: u32) -> Option<u32> {
        let mut value = 0;
        for n in 0..width {
            value |= u32::from(self.bit(self.at)?) << n;
            self.at += 1;
        }
        Some(value)
    }

    fn skip(&mut self, bits: u64) -> Option<()> {
        let at = usize::try_from(bits).ok()?.checked_add(self.at)?;
        (at <= self.data.len() * 8).then_some(())?;
        self.at = at;
        Some(())
    }
}

/// Returns the number of bits that a number needs (Vorbis I, 9.2.1).
fn ilog(number: u32) -> u32 {
    u32::BITS - number.leading_zeros()
}

/// The setup header of a stream, as symphonia needs it, and whether it decodes the stream at all.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::media::demux) struct Setup {
    /// The header with the couplings of each mapping in reverse order.
    pub(in crate::media::demux) reversed: Vec<u8>,
    /// Classes of partitions of one channel would be written over those of another.
    pub(in crate::media::demux) spills: bool,
}

impl Setup {
    /// Reads a setup header of a stream with these block sizes; `None` if it is no valid one.
    pub(in crate::media::demux) fn parse(
        setup: &[u8],
        channels: u8,
        sizes: [u32; 2],
    ) -> Option<Self> {
        let mut bits = Bits {
            data: setup,
            at: SETUP.len() * 8,
        };
        let mut dimensions = Vec::new();
        for _ in 0..=bits.take(8)? {
            dimensions.push(codebook(&mut bits)?);
        }
        // Placeholders for transforms of time.
        let times = bits.take(6)? + 1;
        bits.skip(16 * u64::from(times))?;
        for _ in 0..=bits.take(6)? {
            skip_floor(&mut bits)?;
        }
        let mut residues = Vec::new();
        for _ in 0..=bits.take(6)? {
            residues.push(Residue::read(&mut bits, &dimensions)?);
        }
        let mut reversed = setup.to_vec();
        let mut mappings = Vec::new();
        for _ in 0..=bits.take(6)? {
            mappings.push(mapping(&mut bits, channels, &mut reversed)?);
        }
        let mut spills = false;
        for _ in 0..=bits.take(6)? {
            let size = *sizes.get(bits.take(1)? as usize)?;
            bits.skip(32)?;
            let shared = mappings.get(bits.take(8)? as usize)?;
            let mut residues = shared.iter().filter_map(|n| residues.get(*n));
            spills |= residues.any(|residue| residue.spills(size));
        }
        Some(Self { reversed, spills })
    }
}

/// How a residue vector is cut into partitions.
struct Residue {
    /// All channels are one vector.
    is_interleaved: bool,
    range: [u32; 2],
    partition: u32,
    /// Classes in a word.
    in_word: u32,
}

impl Residue {
    /// Reads the setup of a residue (Vorbis I, 8.6.1).
    fn read(bits: &mut Bits<'_>, dimensions: &[u32]) -> Option<Self> {
        let kind = bits.take(16)?;
        let range = [bits.take(24)?, bits.take(24)?];
        let partition = bits.take(24)? + 1;
        let classes = bits.take(6)? + 1;
        let in_word = *dimensions.get(bits.take(8)? as usize)?;
        let mut books = 0;
        for _ in 0..classes {
            books += bits.take(3)?.count_ones();
            if bits.take(1)? == 1 {
                books += bits.take(5)?.count_ones();
            }
        }
        bits.skip(8 * u64::from(books))?;
        Some(Self {
            is_interleaved: kind == 2,
            range,
            partition,
            in_word,
        })
    }

    /// Reports whether a word after the first holds more classes than are left in a block of this size.
    fn spills(&self, size: u32) -> bool {
        let [begin, end] = self.range.map(|at| at.min(size / 2));
        let partitions = end.saturating_sub(begin) / self.partition;
        let is_cut = partitions > self.in_word && partitions.checked_rem(self.in_word) != Some(0);
        is_cut && !self.is_interleaved
    }
}

/// Reads a codebook (Vorbis I, 3.2.1), and returns its dimensions.
fn codebook(bits: &mut Bits<'_>) -> Option<u32> {
    (bits.take(24)? == 0x56_4342).then_some(())?;
    let (dimensions, entries) = (bits.take(16)?, bits.take(24)?);
    let is_ordered = bits.take(1)? == 1;
    if is_ordered {
        bits.skip(5)?;
        let mut rest = entries;
        while rest > 0 {
            rest = rest.checked_sub(bits.take(ilog(rest))?)?;
        }
    } else {
        let is_sparse = bits.take(1)? == 1;
        for _ in 0..entries {
            if !is_sparse || bits.take(1)? == 1 {
                bits.skip(5)?;
            }
        }
    }
    let lookup = bits.take(4)?;
    if lookup > 0 {
        // The least value and the step.
        bits.skip(64)?;
        let width = bits.take(4)? + 1;
        bits.skip(1)?;
        let values = match lookup {
            1 => lookup_values(entries, dimensions)?,
            2 => u64::from(entries) * u64::from(dimensions),
            _ => return None,
        };
        bits.skip(values.checked_mul(width.into())?)?;
    }
    Some(dimensions)
}

/// Returns the greatest number of which the power by the dimensions is at most the number of entries (Vorbis I, 9.2.3).
fn lookup_values(entries: u32, dimensions: u32) -> Option<u64> {
    (dimensions > 0).then_some(())?;
    let fits = |values: &u64| {
        let power = values.checked_pow(dimensions);
        power.is_some_and(|power| power <= entries.into())
    };
    (1..=u64::from(entries)).take_while(fits).last().or(Some(0))
}

/// Skips a floor of either type (Vorbis I, 6.2.1 and 7.2.2).
fn skip_floor(bits: &mut Bits<'_>) -> Option<()> {
    match bits.take(16)? {
        0 => {
            bits.skip(8 + 16 + 16 + 6 + 8)?;
            let books = bits.take(4)? + 1;
            bits.skip(8 * u64::from(books))
        }
        1 => {
            let mut partitions = Vec::new();
            for _ in 0..bits.take(5)? {
                partitions.push(bits.take(4)? as usize);
            }
            let mut dimensions = Vec::new();
            for _ in 0..partitions.iter().max().map_or(0, |class| class + 1) {
                dimensions.push(u64::from(bits.take(3)? + 1));
                let subclasses = bits.take(2)?;
                let master = if subclasses > 0 { 8 } else { 0 };
                bits.skip(master + (8 << subclasses))?;
            }
            bits.skip(2)?;
            let width = u64::from(bits.take(4)?);
            let points = partitions.iter().filter_map(|class| dimensions.get(*class));
            bits.skip(width * points.sum::<u64>())
        }
        _ => None,
    }
}

/// Reverses the couplings of a mapping in `out` (Vorbis I, 4.2.4), and returns the residues that several channels share.
fn mapping(bits: &mut Bits<'_>, channels: u8, out: &mut [u8]) -> Option<Vec<usize>> {
    bits.skip(16)?;
    let has_submaps = bits.take(1)? == 1;
    let submaps = if has_submaps { bits.take(4)? + 1 } else { 1 };
    if bits.take(1)? == 1 {
        let steps = bits.take(8)? as usize + 1;
        // A magnitude and an angle.
        let width = 2 * ilog(u32::from(channels.checked_sub(1)?)) as usize;
        let start = bits.at;
        bits.skip((steps * width) as u64)?;
        for step in 0..steps {
            for n in 0..width {
                let from = bits.bit(start + step * width + n)?;
                let to = start + (steps - 1 - step) * width + n;
                let byte = out.get_mut(to / 8)?;
                *byte = *byte & !(1 << (to % 8)) | u8::from(from) << (to % 8);
            }
        }
    }
    bits.skip(2)?;
    let mut users = vec![0; submaps as usize];
    for _ in 0..channels {
        let submap = if submaps > 1 { bits.take(4)? } else { 0 };
        *users.get_mut(submap as usize)? += 1;
    }
    let mut shared = Vec::new();
    for users in users {
        // The time and the floor.
        bits.skip(16)?;
        let residue = bits.take(8)? as usize;
        if users > 1 {
            shared.push(residue);
        }
    }
    Some(shared)
}

#[cfg(test)]
mod tests {
    use super::{super::tests::pack, *};

    /// A setup header of four channels with every kind of codebook and floor, these couplings, and a residue of this type that
    /// ends at this place. Its partitions have 8 frames, and a word has two classes.
    fn setup(couplings: &[(usize, usize)], kind: usize, end: usize) -> Vec<u8> {
        let mut fields = vec![(4, 8)];
        let codebook = |fields: &mut Vec<(usize, usize)>, dimensions, entries| {
            fields.extend([(0x56_4342, 24), (dimensions, 16), (entries, 24)]);
        };
        // Ordered: one entry of a length, then four of the next; no lookup.
        codebook(&mut fields, 1, 5);
        fields.extend([(1, 1), (0, 5), (1, 3), (4, 3), (0, 4)]);
        // Sparse: two of three entries; two values for two dimensions, since 3² is more than 8.
        codebook(&mut fields, 2, 8);
        fields.extend([(0, 1), (1, 1)]);
        fields.extend([(1, 1), (3, 5), (0, 1), (1, 1), (3, 5)]);
        fields.extend([(0, 1); 5]);
        fields.extend([(1, 4), (7, 32), (7, 32), (6, 4), (1, 1), (99, 7), (98, 7)]);
        // Dense, with a value for each dimension of each entry.
        codebook(&mut fields, 3, 2);
        fields.extend([(0, 1), (0, 1), (0, 5), (0, 5)]);
        fields.extend([(2, 4), (7, 32), (7, 32), (0, 4), (0, 1)]);
        fields.extend([(1, 1); 6]);
        // One value only, since 2⁴ is more than 15; and a single entry.
        codebook(&mut fields, 4, 15);
        fields.extend([(0, 1), (0, 1)]);
        fields.extend([(3, 5); 15]);
        fields.extend([(1, 4), (7, 32), (7, 32), (2, 4), (0, 1), (5, 3)]);
        codebook(&mut fields, 1, 1);
        fields.extend([(0, 1), (0, 1), (0, 5), (0, 4)]);
        // Two times, and floors of type 0 with two books, of type 1, and of type 1 without partitions.
        fields.extend([(1, 6), (0, 16), (0, 16), (2, 6)]);
        fields.extend([(0, 16), (9, 8), (9, 16), (9, 16), (9, 6), (9, 8), (1, 4)]);
        fields.extend([(9, 8), (9, 8)]);
        fields.extend([(1, 16), (3, 5), (1, 4), (0, 4), (1, 4)]);
        // Class 0 of two dimensions without subclasses, class 1 of three with two.
        fields.extend([(1, 3), (0, 2), (9, 8)]);
        fields.extend([(2, 3), (1, 2), (9, 8), (9, 8), (9, 8)]);
        fields.extend([(1, 2), (5, 4)]);
        fields.extend([(17, 5); 3 + 2 + 3]);
        fields.extend([(1, 16), (0, 5), (1, 2), (5, 4)]);
        // A residue of two classes with three books and one.
        fields.extend([
            (0, 6),
            (kind, 16),
            (0, 24),
            (end, 24),
            (7, 24),
            (1, 6),
            (1, 8),
        ]);
        fields.extend([(0b011, 3), (1, 1), (0b10000, 5), (0b100, 3), (0, 1)]);
        fields.extend([(9, 8); 4]);
        // A mapping of two submaps, and one without couplings.
        fields.extend([(1, 6), (0, 16), (1, 1), (1, 4), (1, 1)]);
        fields.push((couplings.len() - 1, 8));
        fields.extend(couplings.iter().flat_map(|&(m, a)| [(m, 2), (a, 2)]));
        fields.push((0, 2));
        fields.extend([(0, 4), (0, 4), (0, 4), (1, 4)]);
        fields.extend([(0, 8), (1, 8), (0, 8), (0, 8), (2, 8), (0, 8)]);
        fields.extend([(0, 16), (0, 1), (0, 1), (0, 2), (0, 8), (1, 8), (0, 8)]);
        // A mode of long blocks, and the framing bit.
        fields.extend([(0, 6), (1, 1), (0, 16), (0, 16), (0, 8), (1, 1)]);
        [SETUP, &pack(&fields)].concat()
    }

    #[test]
    fn the_last_coupling_becomes_the_first() {
        for couplings in [
            &[(0, 1)][..],
            &[(0, 1), (2, 3)],
            &[(0, 1), (2, 3), (0, 2), (3, 1)],
        ] {
            let backward: Vec<_> = couplings.iter().rev().copied().collect();
            let read = Setup::parse(&setup(couplings, 2, 99), 4, [64, 256]);
            let reversed = setup(&backward, 2, 99);
            let spills = false;
            assert_eq!(read, Some(Setup { reversed, spills }));
        }
    }

    #[test]
    fn classes_spill_where_words_are_cut_in_residues_of_several_channels() {
        let spills = |kind, end, sizes| {
            let header = setup(&[(0, 1)], kind, end);
            Setup::parse(&header, 4, sizes).unwrap().spills
        };
        // Five partitions of eight frames are two words and a half.
        assert!(spills(0, 40, [64, 256]) && spills(1, 47, [64, 256]));
        assert!(!spills(2, 40, [64, 256]));
        // Four are two words, and one is half of the first word.
        assert!(!spills(1, 39, [64, 256]) && !spills(1, 8, [64, 256]));
        // The block ends before.
        assert!(!spills(1, 40, [64, 64]) && spills(1, 99, [64, 80]));
        // Each channel has a submap of its own.
        let mut bits = Bits {
            data: &pack(&[
                (0, 16),
                (1, 1),
                (1, 4),
                (0, 1),
                (0, 2),
                (0, 4),
                (1, 4),
                (0, 48),
            ]),
            at: 0,
        };
        assert_eq!(mapping(&mut bits, 2, &mut []), Some(Vec::new()));
    }

    #[test]
    fn a_header_that_is_cut_or_wrong_is_none() {
        let whole = setup(&[(0, 1), (2, 3)], 2, 99);
        // The framing bit may be in the last byte alone.
        for length in 0..whole.len() - 1 {
            assert_eq!(
                Setup::parse(&whole[..length], 4, [64, 256]),
                None,
                "{length}"
            );
        }
        let mut wrong = whole.clone();
        wrong[8] ^= 1;
        assert_eq!(Setup::parse(&wrong, 4, [64, 256]), None);
    }

    #[test]
    fn a_number_of_lookup_values_is_the_root_of_the_entries() {
        for (entries, dimensions, values) in
            [(8, 2, 2), (9, 2, 3), (81, 4, 3), (80, 4, 2), (1, 9, 1)]
        {
            assert_eq!(lookup_values(entries, dimensions), Some(values));
        }
        assert_eq!(lookup_values(0, 1), Some(0));
        assert_eq!(lookup_values(5, 0), None);
    }
}
