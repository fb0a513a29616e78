//! Opens Apple's Core Audio Format (Apple, Core Audio Format Specification 1.0).
//!
//! `symphonia` assigns channel positions to files that state none, trusts the size of the data chunk and the number of
//! frames in the packet table, reads past sound of unknown size, takes a file without its packet table as empty, and does
//! not report the end of the last ALAC packet. So the chunks are read here. The demuxer sees a file of nothing but the
//! descriptions and the sound, with its real size, and gives the packets of PCM only: all others are read through their
//! table.

use super::{
    AudioExtent, OpenedStem, StemFile,
    aac::AacConfig,
    aiff::{Common, extended_rate},
    iff::{MAX_CHUNKS, SoundData, apple_codec_name, chunk_64, chunks_follow, code_name, read_at},
    signed,
};
use crate::{
    error::Result,
    media::{
        Remark,
        codec::Decoder,
        packet_source::PacketSource,
        packet_table::{PacketEntry, PacketTable},
        sparse_reader::{BytePatch, ByteRange, FileView},
        symphonia_adapter::{AudioStream, Container},
    },
    storage::InputFile,
    units::Frames,
};
use std::io::{self, Read, Seek, SeekFrom};

/// Size of the name and the size of a chunk.
const CHUNK_HEADER_BYTES: u64 = 12;
/// Size of the edit count before the sound.
const EDIT_COUNT_BYTES: u64 = 4;
/// Size of the packet table without its entries.
const TABLE_HEADER_BYTES: u64 = 24;
/// Flag of floating-point PCM.
const FLOAT_FLAG: u32 = 1;
/// Largest packet table: a day of the shortest packets has fewer entries.
const MAX_TABLE_BYTES: u64 = 256 << 20;

/// The `desc` chunk.
#[derive(Clone, Copy, Debug)]
struct Description {
    rate: f64,
    codec: [u8; 4],
    flags: u32,
    /// Size of a packet; 0 if it differs.
    packet_bytes: u32,
    /// Frames in a packet; 0 if it differs.
    packet_frames: u32,
    channels: u32,
    bits: u32,
}

impl Description {
    /// Returns the header that makes AIFF-C of A-law, mu-law and signed bytes.
    fn as_aiff(&self) -> Option<Common> {
        let codec = match &self.codec {
            b"lpcm" if self.bits == 8 => *b"NONE",
            b"ulaw" | b"alaw" => self.codec,
            _ => return None,
        };
        Some(Common {
            channels: u16::try_from(self.channels).unwrap_or(0),
            frames: 0,
            bits: if &codec == b"NONE" { 8 } else { 16 },
            rate: extended_rate(whole_hz(self.rate)),
            codec: Some(codec),
        })
    }
}

/// The `pakt` chunk.
#[derive(Clone, Debug, Default)]
struct Table {
    /// Number of packets.
    packets: u64,
    /// Frames without encoder delay and padding.
    valid_frames: u64,
    delay: u32,
    padding: u32,
    /// Sizes and durations of the packets, as variable-length integers.
    entries: Vec<u8>,
}

/// Contents of the chunks that matter here.
#[derive(Debug, Default)]
struct CafChunks {
    description: Option<Description>,
    sound: Option<CafSound>,
    /// Ranges of the chunks that the demuxer needs beside the sound.
    described: Vec<ByteRange>,
    table: Option<Table>,
    /// Whether there is a chunk with channel positions.
    has_channel_layout: bool,
}

/// The `data` chunk.
#[derive(Clone, Copy, Debug)]
struct CafSound {
    /// File offset of the first byte of sound.
    at: u64,
    /// Whether the size is not stated, so that the sound continues to the end of the file.
    is_open: bool,
    size: SoundData,
}

impl StemFile<'_> {
    pub(super) fn open_caf(&self) -> Result<OpenedStem> {
        let chunks = scan_chunks(self.file).map_err(|e| self.io_error(e))?;
        let Some(description) = chunks.description else {
            return Err(self.corrupt("CAF: there is no description of the sound"));
        };
        let Some(sound) = chunks.sound else {
            return Err(self.corrupt("CAF: there is no data chunk: the file holds no sound"));
        };
        self.check_description(&description)?;
        // The demuxer refuses these in CAF; in AIFF-C they are the same.
        if let Some(common) = description.as_aiff() {
            let view = common.view(sound.at, sound.size);
            let (demuxed, _) = self.demux(Container::Aiff, "CAF", view, |_| 0)?;
            let mut opened = self.finish_pcm(demuxed, "CAF", sound.size)?;
            opened.rate = self.exact_rate(description.rate)?;
            if opened.channels > 2 {
                opened.mask = 0;
            }
            return Ok(opened);
        }
        let (demuxed, _) = self.demux(Container::Caf, "CAF", view(&chunks, sound), |_| 0)?;
        let stream = demuxed.stream().clone();
        let mut opened = if stream.is_pcm || stream.is_companded() {
            self.finish_pcm(demuxed, "CAF", sound.size)?
        } else {
            self.open_caf_packets(&stream, description, sound, chunks.table)?
        };
        if opened.rate.hz() == whole_hz(description.rate) {
            opened.rate = self.exact_rate(description.rate)?;
        } else if !stream.is_aac() {
            let what = format!(
                "{}: the description states a rate of {} Hz, the sound one of {} Hz",
                opened.codec, description.rate, opened.rate
            );
            return Err(self.corrupt(what));
        }
        if opened.channels > 2 && !chunks.has_channel_layout {
            opened.mask = 0;
        }
        Ok(opened)
    }

    /// Refuses what the demuxer does not know by its name, and PCM that it would take apart wrongly.
    fn check_description(&self, description: &Description) -> Result<()> {
        let Description {
            codec,
            flags,
            packet_bytes,
            channels,
            bits,
            ..
        } = *description;
        match &codec {
            b"lpcm" => {
                let packed = u64::from(channels) * u64::from(bits.div_ceil(8));
                let is_float = flags & FLOAT_FLAG != 0;
                let is_known = match bits {
                    8 | 16 | 24 => !is_float,
                    32 => true,
                    64 => is_float,
                    _ => false,
                };
                let kind = if is_float { "floating point" } else { "PCM" };
                if !is_known {
                    return Err(self.unsupported(format!("{kind} of {bits} bits in CAF")));
                }
                if packed != u64::from(packet_bytes) {
                    let what = format!(
                        "{kind} of {bits} bits and {channels} channels in {packet_bytes} bytes in CAF"
                    );
                    return Err(self.unsupported(what));
                }
                Ok(())
            }
            b"ulaw" | b"alaw" if packet_bytes != channels => {
                let what = format!(
                    "companded sound of {channels} channels in {packet_bytes} bytes in CAF"
                );
                Err(self.unsupported(what))
            }
            b"aac " | b"ulaw" | b"alaw" | b".mp1" | b".mp2" | b".mp3" | b"alac" | b"flac" => Ok(()),
            other => {
                let name = apple_codec_name(*other)
                    .map_or_else(|| format!("the codec {}", code_name(*other)), str::to_owned);
                Err(self.unsupported(format!("{name} in CAF")))
            }
        }
    }

    /// Opens a codec that has packets of several frames.
    fn open_caf_packets(
        &self,
        stream: &AudioStream,
        description: Description,
        sound: CafSound,
        table: Option<Table>,
    ) -> Result<OpenedStem> {
        let codec = format!("{} in CAF", stream.codec);
        let has_sizes = description.packet_bytes > 0 && description.packet_frames > 0;
        let table = match table {
            Some(table) => table,
            None if has_sizes => Table::default(),
            None if sound.size.available < sound.size.promised => {
                let (available, promised) = (sound.size.available, sound.size.promised);
                let what = format!(
                    "{codec}: cut off after {available} of {promised} bytes of sound, before the packet table that it cannot \
                     be read without"
                );
                return Err(self.corrupt(what));
            }
            None => return Err(self.corrupt(format!("{codec}: there is no packet table"))),
        };
        let packets = list_packets(description, sound, &table);
        let agrees = packets
            .agrees(&sound, self.file)
            .map_err(|e| self.io_error(e))?;
        if !has_sizes && !agrees {
            let what = format!(
                "{codec}: the packet table lists {} bytes of sound, the data chunk holds {}",
                packets.bytes, sound.size.promised
            );
            return Err(self.corrupt(what));
        }
        let found = packets.end();
        let origin = u64::from(table.delay);
        let valid_end = origin.saturating_add(table.valid_frames);
        let padded_end = found.saturating_sub(table.padding.into());
        let mut remarks = Vec::new();
        let mut end = if table.valid_frames == 0 {
            padded_end
        } else if packets.is_complete && valid_end > found {
            remarks.push(Remark::HeaderLength {
                stated: Frames(table.valid_frames),
                found: Frames(found.saturating_sub(origin)),
            });
            found
        } else if packets.is_complete {
            valid_end.min(padded_end)
        } else {
            valid_end
        };
        let available = packets.available(&sound);
        let mut available_end = available.last().map_or(0, |e| e.at + u64::from(e.frames));
        let is_whole = packets.is_complete && available.len() == packets.entries.len();
        let lossless = stream.is_alac() || stream.is_flac();
        let source = PacketTable::new(self.file.clone(), available.to_vec());
        if stream.is_aac() {
            let config = stream.extra_data.as_deref().and_then(AacConfig::parse);
            if let Some(what) = config.and_then(|config| config.unsupported_name()) {
                return Err(self.unsupported(format!("{what} in CAF")));
            }
            self.refuse_undeclared_sbr(&source, "CAF")?;
        }
        let mut source = PacketSource::Table(Box::new(source));
        if is_whole && stream.is_alac() {
            available_end = self.last_packet_end(&mut source, stream, available_end)?;
            end = end.min(available_end);
        }
        let extent = AudioExtent {
            origin: signed(origin),
            end: signed(end.max(origin)),
            available_end: signed(available_end),
        };
        let mut opened = self.finish(source, stream, codec, extent)?;
        (opened.trimmed_start, opened.trimmed_end) = (origin, found.saturating_sub(end));
        opened.seeks_from_start = !lossless;
        if !lossless {
            remarks.push(Remark::SlowSeek);
            if table.delay == 0 {
                remarks.push(Remark::AlignmentUnknown);
            }
        }
        opened.remarks = remarks;
        Ok(opened)
    }

    /// Decodes the last packet, which starts before `end`: it may be shorter than the header makes it.
    fn last_packet_end(
        &self,
        source: &mut PacketSource,
        stream: &AudioStream,
        end: u64,
    ) -> Result<u64> {
        let name = "ALAC in CAF";
        let mut decoder = Decoder::for_stream(stream).map_err(|f| self.codec_error(name, f))?;
        let mut decoded_end = end;
        source
            .seek(signed(end.saturating_sub(1)))
            .map_err(|f| self.codec_error(name, f))?;
        while let Ok(Some(packet)) = source.next() {
            if let Ok(out) = decoder.decode(&packet) {
                let packet_end = packet.at.saturating_add_unsigned(out.frames as u64);
                decoded_end = end.min(super::unsigned(packet_end));
            }
        }
        source.seek(0).map_err(|f| self.codec_error(name, f))?;
        Ok(decoded_end)
    }
}

/// All packets that the table lists.
#[derive(Debug, Default)]
struct Packets {
    entries: Vec<PacketEntry>,
    /// Size of all of them.
    bytes: u64,
    /// Whether the table holds as many as it says.
    is_complete: bool,
}

impl Packets {
    /// Returns the end of the last packet in frames.
    fn end(&self) -> u64 {
        self.entries
            .last()
            .map_or(0, |e| e.at + u64::from(e.frames))
    }

    /// Returns the packets whose bytes are in the file.
    fn available(&self, sound: &CafSound) -> &[PacketEntry] {
        let end = sound.at.saturating_add(sound.size.available);
        let count = self
            .entries
            .partition_point(|e| e.offset + u64::from(e.size) <= end);
        self.entries.get(..count).unwrap_or_default()
    }

    /// Returns whether the packets are as long as the sound is. Zeros may follow them: some writers leave room.
    fn agrees(&self, sound: &CafSound, mut file: &InputFile) -> io::Result<bool> {
        const MAX_ROOM_BYTES: u64 = 1 << 20;
        if sound.is_open || !self.is_complete {
            return Ok(true);
        }
        let Some(room) = sound.size.promised.checked_sub(self.bytes) else {
            return Ok(false);
        };
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(sound.at.saturating_add(self.bytes)))?;
        file.take(room.min(MAX_ROOM_BYTES))
            .read_to_end(&mut bytes)?;
        Ok(bytes.iter().all(|byte| *byte == 0))
    }
}

/// Lists the packets: those of one size follow from the size of the sound, the others are in the table.
fn list_packets(description: Description, sound: CafSound, table: &Table) -> Packets {
    let mut packets = Packets::default();
    let (size, frames) = (description.packet_bytes, description.packet_frames);
    let mut numbers = Numbers(table.entries.iter());
    let mut count = table.packets;
    if size > 0 && frames > 0 {
        count = sound.size.promised / u64::from(size);
    }
    let mut at = 0u64;
    for _ in 0..count {
        let entry_size = if size > 0 { Some(size) } else { numbers.next() };
        let entry_frames = match frames {
            0 => entry_size.and_then(|_| numbers.next()),
            n => Some(n),
        };
        let (Some(size), Some(frames)) = (entry_size, entry_frames) else {
            return packets;
        };
        packets.entries.push(PacketEntry {
            at,
            offset: sound.at.saturating_add(packets.bytes),
            size,
            frames,
        });
        packets.bytes = packets.bytes.saturating_add(size.into());
        at = at.saturating_add(frames.into());
    }
    packets.is_complete = true;
    packets
}

/// Variable-length integers of up to 32 bits: seven bits a byte, the most significant first.
struct Numbers<'a>(std::slice::Iter<'a, u8>);

impl Iterator for Numbers<'_> {
    type Item = u32;

    /// Returns the next number; `None` at the end and for one that is too large.
    fn next(&mut self) -> Option<u32> {
        let mut value = 0u32;
        loop {
            let byte = *self.0.next()?;
            value = value
                .checked_mul(128)?
                .checked_add(u32::from(byte & 0x7F))?;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
    }
}

/// Returns the view that the demuxer reads: the file header, the descriptions, and the sound with its size, padded with
/// zeros where the file is cut.
fn view(chunks: &CafChunks, sound: CafSound) -> FileView {
    let mut ranges = vec![ByteRange { start: 0, len: 8 }];
    ranges.extend(&chunks.described);
    let data_at: u64 = ranges.iter().map(|range| range.len).sum();
    let header = CHUNK_HEADER_BYTES + EDIT_COUNT_BYTES;
    ranges.push(ByteRange {
        start: sound.at.saturating_sub(header),
        len: header + sound.size.available,
    });
    let size = sound.size.promised.saturating_add(EDIT_COUNT_BYTES);
    let patches: Vec<BytePatch> = (data_at + 4..).zip(size.to_be_bytes()).collect();
    FileView {
        ranges,
        len: data_at
            .saturating_add(header)
            .saturating_add(sound.size.promised),
        patches,
    }
}

fn scan_chunks(file: &InputFile) -> io::Result<CafChunks> {
    let file_len = file.len();
    let mut chunks = CafChunks::default();
    let mut at = 8;
    for _ in 0..MAX_CHUNKS {
        let Some((name, stated)) = chunk_64(file, at)? else {
            break;
        };
        let body = at + CHUNK_HEADER_BYTES;
        let left = file_len.saturating_sub(body);
        // Size −1 marks data of unknown size, which continues to the end of the file. A recorder that was stopped leaves 0.
        let is_open = stated == u64::MAX
            || (stated == 0 && &name == b"data" && !chunks_follow(file, body, chunk_64)?);
        let size = if is_open { left } else { stated };
        let whole = ByteRange {
            start: at,
            len: CHUNK_HEADER_BYTES.saturating_add(size),
        };
        match &name {
            b"desc" if chunks.description.is_none() => {
                chunks.description = read_description(file, body)?;
                chunks.described.push(whole);
            }
            b"chan" | b"kuki" if size <= left => {
                chunks.has_channel_layout |= &name == b"chan";
                chunks.described.push(whole);
            }
            b"data" if chunks.sound.is_none() => {
                let at = body + EDIT_COUNT_BYTES;
                let size = SoundData::at(at, size.saturating_sub(EDIT_COUNT_BYTES), file_len);
                chunks.sound = Some(CafSound { at, is_open, size });
            }
            b"pakt" if chunks.table.is_none() => chunks.table = read_table(file, body, size)?,
            _ => {}
        }
        at = body.saturating_add(size);
    }
    Ok(chunks)
}

fn read_description(file: &InputFile, body: u64) -> io::Result<Option<Description>> {
    let Some(fields) = read_at::<32>(file, body)? else {
        return Ok(None);
    };
    let word = |index: usize| {
        let bytes = fields.as_chunks::<4>().0.get(index);
        bytes.map_or(0, |bytes| u32::from_be_bytes(*bytes))
    };
    let rate = f64::from_bits(u64::from(word(0)) << 32 | u64::from(word(1)));
    Ok(Some(Description {
        rate,
        codec: word(2).to_be_bytes(),
        flags: word(3),
        packet_bytes: word(4),
        packet_frames: word(5),
        channels: word(6),
        bits: word(7),
    }))
}

/// Converts a rate to whole Hz as the demuxer does.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates, and the limits are checked afterwards"
)]
fn whole_hz(rate: f64) -> u32 {
    rate as u32
}

/// Reads a packet table, of which the end may be cut off.
fn read_table(mut file: &InputFile, body: u64, size: u64) -> io::Result<Option<Table>> {
    let Some(fields) = read_at::<24>(file, body)? else {
        return Ok(None);
    };
    let [
        p0,
        p1,
        p2,
        p3,
        p4,
        p5,
        p6,
        p7,
        v0,
        v1,
        v2,
        v3,
        v4,
        v5,
        v6,
        v7,
        d0,
        d1,
        d2,
        d3,
        padding @ ..,
    ] = fields;
    let positive = |n: i32| u32::try_from(n).unwrap_or(0);
    let mut table = Table {
        packets: u64::from_be_bytes([p0, p1, p2, p3, p4, p5, p6, p7]),
        valid_frames: u64::from_be_bytes([v0, v1, v2, v3, v4, v5, v6, v7]),
        delay: positive(i32::from_be_bytes([d0, d1, d2, d3])),
        padding: positive(i32::from_be_bytes(padding)),
        entries: Vec::new(),
    };
    file.seek(SeekFrom::Start(body + TABLE_HEADER_BYTES))?;
    file.take(size.saturating_sub(TABLE_HEADER_BYTES).min(MAX_TABLE_BYTES))
        .read_to_end(&mut table.entries)?;
    Ok(Some(table))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variable_length_integers() {
        let numbers = |bytes: &[u8]| Numbers(bytes.iter()).collect::<Vec<_>>();
        assert_eq!(
            numbers(&[0x7F, 0x81, 0, 0x82, 1, 0xFF, 0x7F, 0x81, 0x80, 0]),
            [127, 128, 257, 16_383, 16_384]
        );
        assert_eq!(numbers(&[1, 0x81]), [1]);
        assert_eq!(numbers(&[0x90, 0x80, 0x80, 0x80, 0, 1])[..], [] as [u32; 0]);
    }

    #[test]
    fn packets_follow_from_their_sizes_or_the_table() {
        let listed = |packet_bytes, packet_frames, packets, entries: &[u8], promised| {
            let description = Description {
                rate: 48_000.0,
                codec: *b"alac",
                flags: 0,
                packet_bytes,
                packet_frames,
                channels: 2,
                bits: 16,
            };
            let sound = CafSound {
                at: 100,
                is_open: false,
                size: SoundData::at(100, promised, 1000),
            };
            let table = Table {
                packets,
                entries: entries.to_vec(),
                ..Table::default()
            };
            let found = list_packets(description, sound, &table);
            let entries: Vec<_> = found
                .entries
                .iter()
                .map(|e| (e.at, e.offset, e.size, e.frames))
                .collect();
            assert_eq!(
                found.bytes,
                entries.iter().map(|e| u64::from(e.2)).sum::<u64>()
            );
            (entries, found.end(), found.is_complete)
        };
        let constant = vec![(0, 100, 4, 64), (64, 104, 4, 64)];
        assert_eq!(listed(4, 64, 9, &[], 11), (constant, 128, true));
        let sizes = vec![(0, 100, 5, 64), (64, 105, 128, 64), (128, 233, 7, 64)];
        let bytes = [5, 0x81, 0, 7];
        assert_eq!(listed(0, 64, 3, &bytes, 500), (sizes.clone(), 192, true));
        assert_eq!(listed(0, 64, 4, &bytes, 500), (sizes, 192, false));
        let both = vec![(0, 100, 5, 10), (10, 105, 6, 20)];
        assert_eq!(
            listed(0, 0, 2, &[5, 10, 6, 20], 500),
            (both.clone(), 30, true)
        );
        assert_eq!(listed(0, 0, 3, &[5, 10, 6, 20, 7], 500), (both, 30, false));
        let durations = vec![(0, 100, 4, 10), (10, 104, 4, 20)];
        assert_eq!(listed(4, 0, 2, &[10, 20], 500), (durations, 30, true));
        assert_eq!(listed(4, 0, 0, &[], 500), (vec![], 0, true));
    }

    #[test]
    fn a_table_is_believed_if_nothing_but_zeros_follows_its_packets() {
        let sound = |promised, available, is_open| CafSound {
            at: 4,
            is_open,
            size: SoundData {
                promised,
                available,
                end: 0,
            },
        };
        let entry = |n: u64| PacketEntry {
            at: 64 * n,
            offset: 4 + 3 * n,
            size: 3,
            frames: 64,
        };
        let mut packets = Packets {
            entries: vec![entry(0), entry(1)],
            bytes: 6,
            is_complete: true,
        };
        let counts = [0, 2, 3, 5, 6, 9].map(|n| packets.available(&sound(9, n, false)).len());
        assert_eq!(counts, [0, 0, 1, 1, 2, 2]);
        let mut file = tempfile::NamedTempFile::new().unwrap();
        io::Write::write_all(&mut file, b"headabcdef\0\0z").unwrap();
        let file = InputFile::open(file.path()).unwrap();
        let mut agrees = |promised, is_open, is_complete| {
            packets.is_complete = is_complete;
            packets
                .agrees(&sound(promised, promised, is_open), &file)
                .unwrap()
        };
        let found = [5, 6, 7, 8, 9].map(|promised| agrees(promised, false, true));
        assert_eq!(found, [false, true, true, true, false]);
        assert!(agrees(5, true, true) && agrees(5, false, false));
    }
}
