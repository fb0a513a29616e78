//! What an MP4 file says about its audio: streams, packets, edit lists and the `iTunSMPB` tag.
//!
//! The movie header is read whole and walked here, because the start of the music (the edit list), the exact end and
//! what a cut file lacks are all in tables that the demuxer keeps to itself. Every number is bounded by the size of the
//! box it stands in. Fragmented files are only recognised; their packets come from the demuxer.

use crate::{media::packet_table::Entry, storage::InputFile};
use std::io::{self, Read, Seek, SeekFrom};

/// The longest movie header that is read: ten hours of AAC need 6 MiB.
const LONGEST: u64 = 64 << 20;

/// The audio of a file.
#[derive(Debug, Default)]
pub(crate) struct Movie {
    /// Ticks per second of edit durations.
    pub(crate) timescale: u32,
    /// Whether packets are listed in fragments instead of here.
    pub(crate) fragmented: bool,
    pub(crate) tracks: Vec<Track>,
    /// Encoder delay, padding and length as iTunes writes them.
    pub(crate) smpb: Option<Smpb>,
    /// Bytes that boxes at the outer level claim beyond the end of the file.
    pub(crate) cut: bool,
}

/// Delay, padding and length in frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Smpb {
    pub(crate) delay: u64,
    pub(crate) padding: u64,
    pub(crate) len: u64,
}

/// One piece of an edit list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edit {
    /// In ticks of the movie.
    pub(crate) len: u64,
    /// Where it begins in ticks of the stream; -1 for silence.
    pub(crate) from: i64,
}

/// One audio stream.
#[derive(Debug, Default)]
pub(crate) struct Track {
    /// The sample entry: `mp4a`, `alac`, ...
    pub(crate) fourcc: [u8; 4],
    /// The object type of an `esds`, 0x40 for AAC.
    pub(crate) object: u8,
    /// Whether QuickTime says that samples have their low byte first.
    pub(crate) little: bool,
    /// What the decoder needs to know.
    pub(crate) config: Option<Box<[u8]>>,
    pub(crate) channels: u16,
    pub(crate) rate: u32,
    /// Ticks per second.
    pub(crate) timescale: u32,
    pub(crate) edits: Vec<Edit>,
    /// How many packets last how many ticks.
    pub(crate) times: Vec<(u32, u32)>,
    /// Place and size of every packet.
    pub(crate) packets: Vec<(u64, u32)>,
}

impl Track {
    /// Ticks of all packets.
    pub(crate) fn ticks(&self) -> u64 {
        self.times.iter().fold(0, |sum, (n, d)| sum.saturating_add(u64::from(*n) * u64::from(*d)))
    }

    /// The packets with their positions, when each holds `frames`, or, without that, as many frames as it lasts ticks.
    pub(crate) fn entries(&self, frames: Option<u32>) -> Vec<Entry> {
        let lengths = self.times.iter().flat_map(|(n, d)| std::iter::repeat_n(*d, usize::try_from(*n).unwrap_or(0)));
        let lengths = lengths.chain(std::iter::repeat(0));
        let mut at = 0;
        let entry = |((offset, size), ticks): (&(u64, u32), u32)| {
            let frames = frames.unwrap_or(ticks);
            let entry = Entry { at, offset: *offset, size: *size, frames };
            at += u64::from(frames);
            entry
        };
        self.packets.iter().zip(lengths).map(entry).collect()
    }
}

/// Reads what a file says. `Err(None)` where there is no movie header, or only a part of one.
pub(crate) fn read(file: &InputFile) -> Result<Movie, Option<io::Error>> {
    let end = file.len();
    let mut file = file;
    let mut at = 0;
    let mut movie = None;
    let mut cut = false;
    // A box has at least 8 bytes; a whole file of them would take for ever to walk.
    for _ in 0..65_536 {
        let mut head = [0; 16];
        let n = usize::try_from((end - at).min(16)).unwrap_or(0);
        file.seek(SeekFrom::Start(at)).map_err(Some)?;
        file.read_exact(head.get_mut(..n).unwrap_or_default()).map_err(Some)?;
        let Some((name, header, size)) = header(head.get(..n).unwrap_or_default(), end - at) else { break };
        if size > end - at {
            cut = true;
        }
        if name == *b"moov" && size <= LONGEST {
            let mut data = Vec::new();
            file.seek(SeekFrom::Start(at + header)).map_err(Some)?;
            file.take(size - header).read_to_end(&mut data).map_err(Some)?;
            if size > end - at && !whole_but_for_tags(&data) {
                return Err(None);
            }
            movie = Some(moov(&data));
        } else if name == *b"moof"
            && let Some(movie) = movie.as_mut()
        {
            movie.fragmented = true;
        }
        at = at.saturating_add(size);
        if at >= end {
            break;
        }
    }
    let mut movie = movie.ok_or(None)?;
    movie.cut = cut;
    Ok(movie)
}

/// Whether nothing but tags is cut off from the end of a movie header.
fn whole_but_for_tags(mut data: &[u8]) -> bool {
    while let Some((name, _, size)) = header(data, u64::try_from(data.len()).unwrap_or(u64::MAX)) {
        match usize::try_from(size).ok().and_then(|size| data.get(size..)) {
            Some(rest) => data = rest,
            None => return matches!(&name, b"udta" | b"meta"),
        }
    }
    false
}

/// Name, header length and whole length of the box that `data` begins with; 0 stands for the rest.
fn header(data: &[u8], rest: u64) -> Option<([u8; 4], u64, u64)> {
    let name = *data.get(4..8)?.first_chunk::<4>()?;
    match u64::from(be32(data, 0)?) {
        0 => Some((name, 8, rest)),
        1 => be64(data, 8).filter(|size| *size >= 16).map(|size| (name, 16, size)),
        size if size >= 8 => Some((name, 8, size)),
        _ => None,
    }
}

/// The boxes in a box. One that claims too much gets what is there.
fn boxes(data: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut data = data;
    std::iter::from_fn(move || {
        let (name, head, size) = header(data, u64::try_from(data.len()).ok()?)?;
        let size = usize::try_from(size).unwrap_or(usize::MAX).min(data.len());
        let body = data.get(usize::try_from(head).ok()?..size)?;
        data = data.get(size..)?;
        Some((name, body))
    })
}

fn find<'a>(data: &'a [u8], path: &[&[u8; 4]]) -> Option<&'a [u8]> {
    path.iter().try_fold(data, |data, name| boxes(data).find(|(n, _)| n == *name).map(|(_, body)| body))
}

fn be16(data: &[u8], at: usize) -> Option<u16> {
    data.get(at..at.checked_add(2)?)?.first_chunk::<2>().map(|b| u16::from_be_bytes(*b))
}

fn be32(data: &[u8], at: usize) -> Option<u32> {
    data.get(at..at.checked_add(4)?)?.first_chunk::<4>().map(|b| u32::from_be_bytes(*b))
}

fn be64(data: &[u8], at: usize) -> Option<u64> {
    data.get(at..at.checked_add(8)?)?.first_chunk::<8>().map(|b| u64::from_be_bytes(*b))
}

/// The rows of a table whose header is a version word and a count, `width` bytes each, starting at `from`.
fn rows(data: &[u8], from: usize, width: usize) -> impl Iterator<Item = &[u8]> {
    let count = from.checked_sub(4).and_then(|at| be32(data, at)).and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    data.get(from..).unwrap_or_default().chunks_exact(width).take(count)
}

/// Where the time scale stands in `mvhd` and `mdhd`.
fn timescale(data: &[u8]) -> u32 {
    be32(data, if data.first() == Some(&1) { 20 } else { 12 }).unwrap_or(0)
}

fn moov(data: &[u8]) -> Movie {
    let audio = |trak: &[u8]| find(trak, &[b"mdia", b"hdlr"]).is_some_and(|h| h.get(8..12) == Some(b"soun"));
    let tracks = boxes(data).filter(|(name, body)| name == b"trak" && audio(body)).map(|(_, body)| track(body));
    Movie {
        timescale: find(data, &[b"mvhd"]).map_or(0, timescale),
        fragmented: false,
        tracks: tracks.collect(),
        smpb: find(data, &[b"udta", b"meta"]).and_then(smpb),
        cut: false,
    }
}

fn track(trak: &[u8]) -> Track {
    let timescale = find(trak, &[b"mdia", b"mdhd"]).map_or(0, timescale);
    let mut track = Track { timescale, ..Track::default() };
    if let Some(elst) = find(trak, &[b"edts", b"elst"]) {
        let wide = elst.first() == Some(&1);
        let edit = |row: &[u8]| {
            Some(if wide {
                Edit { len: be64(row, 0)?, from: be64(row, 8)?.cast_signed() }
            } else {
                Edit { len: be32(row, 0)?.into(), from: be32(row, 4)?.cast_signed().into() }
            })
        };
        track.edits = rows(elst, 8, if wide { 20 } else { 12 }).filter_map(edit).collect();
    }
    let Some(stbl) = find(trak, &[b"mdia", b"minf", b"stbl"]) else { return track };
    if let Some((name, entry)) = find(stbl, &[b"stsd"]).and_then(|d| boxes(d.get(8..)?).next()) {
        track.fourcc = name;
        track.channels = be16(entry, 16).unwrap_or(0);
        track.rate = be32(entry, 24).unwrap_or(0) >> 16;
        let children = match be16(entry, 8) {
            Some(1) => 44,
            Some(2) => 64,
            _ => 28,
        };
        config(&mut track, entry.get(children..).unwrap_or_default());
    }
    let stts = find(stbl, &[b"stts"]).unwrap_or_default();
    track.times = rows(stts, 8, 8).filter_map(|r| Some((be32(r, 0)?, be32(r, 4)?))).collect();
    track.packets = packets(stbl);
    track
}

/// The decoder's configuration from the boxes in a sample entry.
fn config(track: &mut Track, entry: &[u8]) {
    for (name, body) in boxes(entry) {
        match &name {
            b"esds" => {
                if let Some(d) = body.get(4..) {
                    descriptor(track, d);
                }
            }
            b"alac" => track.config = body.get(4..).map(Box::from),
            // The last metadata block of FLAC comes after its header; the first one is the one that counts.
            b"dfLa" => track.config = body.get(8..42).map(Box::from),
            b"enda" => track.little = be16(body, 0) == Some(1),
            b"wave" => config(track, body),
            _ => {}
        }
    }
}

/// The nested descriptors of an `esds`.
fn descriptor(track: &mut Track, mut data: &[u8]) {
    while let Some((&tag, rest)) = data.split_first() {
        let bytes = rest.iter().take(4).position(|b| b & 0x80 == 0).map_or(4, |i| i + 1);
        let len = rest.iter().take(bytes).fold(0, |n, b| n << 7 | usize::from(b & 0x7F));
        let body = rest.get(bytes..).unwrap_or_default();
        data = match tag {
            3 => {
                let flags = body.get(2).copied().unwrap_or(0);
                let url = if flags & 0x40 != 0 { 1 + body.get(3).copied().map_or(0, usize::from) } else { 0 };
                let skip = 3 + if flags & 0x80 != 0 { 2 } else { 0 } + url + if flags & 0x20 != 0 { 2 } else { 0 };
                body.get(skip..).unwrap_or_default()
            }
            4 => {
                track.object = body.first().copied().unwrap_or(0);
                body.get(13..).unwrap_or_default()
            }
            5 => {
                track.config = Some(body.get(..len).unwrap_or(body).into());
                return;
            }
            _ => body.get(len..).unwrap_or_default(),
        };
    }
}

/// Place and size of every packet, from the four tables that say so together.
fn packets(stbl: &[u8]) -> Vec<(u64, u32)> {
    let stsz = find(stbl, &[b"stsz"]).unwrap_or_default();
    let count = be32(stsz, 8).unwrap_or(0);
    let sizes: Vec<u32> = match be32(stsz, 4) {
        // With one size for all there is no table that bounds the count.
        Some(size) if size > 0 => vec![size; usize::try_from(count).unwrap_or(0).min(1 << 24)],
        _ => rows(stsz, 12, 4).filter_map(|r| be32(r, 0)).collect(),
    };
    let offsets: Vec<u64> = match (find(stbl, &[b"stco"]), find(stbl, &[b"co64"])) {
        (Some(t), _) => rows(t, 8, 4).filter_map(|r| be32(r, 0)).map(u64::from).collect(),
        (None, Some(t)) => rows(t, 8, 8).filter_map(|r| be64(r, 0)).collect(),
        (None, None) => Vec::new(),
    };
    let stsc = find(stbl, &[b"stsc"]).unwrap_or_default();
    let runs: Vec<(u32, u32)> = rows(stsc, 8, 12).filter_map(|r| Some((be32(r, 0)?, be32(r, 4)?))).collect();
    let mut sizes = sizes.into_iter();
    let mut all = Vec::new();
    let mut run = 0;
    for (chunk, offset) in (1u32..).zip(offsets) {
        while runs.get(run + 1).is_some_and(|(first, _)| *first <= chunk) {
            run += 1;
        }
        let mut at = offset;
        for _ in 0..runs.get(run).map_or(0, |(_, n)| *n) {
            let Some(size) = sizes.next() else { return all };
            all.push((at, size));
            at = at.saturating_add(size.into());
        }
    }
    all
}

/// The `iTunSMPB` tag among the tags of a file.
fn smpb(meta: &[u8]) -> Option<Smpb> {
    // QuickTime writes this box without a version word.
    let list = find(meta.get(4..)?, &[b"ilst"]).or_else(|| find(meta, &[b"ilst"]))?;
    let tag = boxes(list)
        .find(|(name, body)| name == b"----" && find(body, &[b"name"]).and_then(|n| n.get(4..)) == Some(b"iTunSMPB"))?;
    parse_smpb(std::str::from_utf8(find(tag.1, &[b"data"])?.get(8..)?).ok()?)
}

/// Hexadecimal words: 0, delay, padding, length.
pub(crate) fn parse_smpb(text: &str) -> Option<Smpb> {
    let mut words = text.split_whitespace().skip(1).map(|w| u64::from_str_radix(w, 16).ok());
    let mut word = || words.next().flatten();
    let smpb = Smpb { delay: word()?, padding: word()?, len: word()? };
    (smpb.delay < 65_536 && smpb.padding < 65_536 && smpb.len > 0).then_some(smpb)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smpb_of_itunes() {
        let text = " 00000000 00000840 000001C0 0000000000012E80 00000000 00000000";
        assert_eq!(parse_smpb(text), Some(Smpb { delay: 2112, padding: 448, len: 77_440 }));
        assert_eq!(parse_smpb(" 00000000 zz"), None);
    }

    #[test]
    fn packets_come_from_four_tables() {
        let table = |name: &[u8], words: &[u32]| {
            let body: Vec<u8> = words.iter().flat_map(|w| w.to_be_bytes()).collect();
            [&u32::try_from(body.len() + 8).unwrap().to_be_bytes()[..], name, &body].concat()
        };
        let stbl = [
            table(b"stsz", &[0, 0, 3, 10, 20, 30]),
            table(b"stsc", &[0, 2, 1, 2, 1, 2, 1, 1]),
            table(b"stco", &[0, 2, 100, 500]),
        ];
        assert_eq!(packets(&stbl.concat()), [(100, 10), (110, 20), (500, 30)]);
    }
}
