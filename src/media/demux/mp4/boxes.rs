//! Reads the boxes of MP4 and QuickTime files (ISO/IEC 14496-12, 4.2) and the fields in them.

use crate::media::demux::bytes::{be32, be64};

/// A box header (ISO/IEC 14496-12, 4.2).
pub(super) struct BoxHeader {
    pub(super) name: [u8; 4],
    pub(super) header_len: u64,
    /// Size of the box in bytes, header included.
    pub(super) size: u64,
}

impl BoxHeader {
    /// Parses the header at the start of `data`. A stated size of 0 means all of the `rest` bytes that follow.
    pub(super) fn parse(data: &[u8], rest: u64) -> Option<Self> {
        let name = *data.get(4..8)?.first_chunk::<4>()?;
        let (header_len, size) = match u64::from(be32(data, 0)?) {
            0 => (8, rest),
            1 => (16, be64(data, 8).filter(|size| *size >= 16)?),
            size if size >= 8 => (8, size),
            _ => return None,
        };
        Some(Self {
            name,
            header_len,
            size,
        })
    }
}

/// Iterates over the boxes in a box. One that claims more than its parent holds is cut to that.
pub(super) fn boxes(data: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut data = data;
    std::iter::from_fn(move || {
        let header = BoxHeader::parse(data, u64::try_from(data.len()).ok()?)?;
        let size = usize::try_from(header.size)
            .unwrap_or(usize::MAX)
            .min(data.len());
        let body = data.get(usize::try_from(header.header_len).ok()?..size)?;
        data = data.get(size..)?;
        Some((header.name, body))
    })
}

/// Returns the body of the first box with a path of names.
pub(super) fn find<'a>(data: &'a [u8], path: &[&[u8; 4]]) -> Option<&'a [u8]> {
    path.iter().try_fold(data, |data, name| {
        boxes(data).find(|(n, _)| n == *name).map(|(_, body)| body)
    })
}

/// Iterates over the rows of a table: `width` bytes each, from offset `from` on, as many as the count before them says.
pub(super) fn rows(data: &[u8], from: usize, width: usize) -> impl Iterator<Item = &[u8]> {
    let count = from
        .checked_sub(4)
        .and_then(|at| be32(data, at))
        .unwrap_or(0);
    data.get(from..)
        .unwrap_or_default()
        .chunks_exact(width)
        .take(count as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_a_box_includes_its_header_of_8_or_16_bytes() {
        let parsed = |size: u32, long: u64| {
            let data = [&size.to_be_bytes()[..], b"mdat", &long.to_be_bytes()].concat();
            let header = BoxHeader::parse(&data, 500)?;
            assert_eq!(header.name, *b"mdat");
            Some((header.header_len, header.size))
        };
        assert_eq!(parsed(8, 0), Some((8, 8)));
        assert_eq!(parsed(7, 0), None);
        assert_eq!(parsed(0, 0), Some((8, 500)), "all that follows");
        assert_eq!(parsed(1, 16), Some((16, 16)));
        assert_eq!(parsed(1, 15), None);
        assert_eq!(parsed(1, 1 << 40), Some((16, 1 << 40)));
    }
}
