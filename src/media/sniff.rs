//! Recognises the format of a file by its content, never by its name.
//!
//! Supported formats are recognised by their magic bytes, MPEG audio and ADTS by three consecutive frame headers that
//! agree. Known unsupported formats are refused by name, everything else as unknown. Nothing is decoded on a guess:
//! audio decoded as the wrong format is noise at full scale.

use super::{
    demux::{
        frame_scan::{FrameFormat, sync_format},
        mpeg::is_free_format,
    },
    file_error,
};
use crate::{
    error::{Error, ErrorKind, Result},
    storage::{InputFile, Location},
    units::saturating_usize,
};
use std::{
    fs,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

/// Bytes in which the first frame of a format without magic bytes is searched for.
const SYNC_SEARCH_BYTES: usize = 64 << 10;

/// A supported format, with the file offset at which it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    Wave,
    Flac {
        start: u64,
    },
    Ogg,
    Aiff,
    Caf,
    Mp4,
    Matroska,
    Mpeg {
        start: u64,
        /// Whether the first frame is preceded by other data than zeros, as in a piece cut out of a longer stream.
        fragment: bool,
    },
    Adts {
        start: u64,
    },
}

/// Opens a regular file, or an object, and recognises its format.
///
/// # Errors
/// `NotFound` for a file that cannot be opened, `Unsupported` for anything but a regular file, for an empty file and for
/// unsupported formats.
pub(crate) fn sniff(path: &Path) -> Result<(InputFile, FileKind)> {
    let location = Location::parse(path)?;
    let file = match location.local() {
        Some(local) => open_regular(path, local)?,
        None => location
            .open()
            .map_err(|e| file_error(path, ErrorKind::NotFound, e.to_string()).because(e))?,
    };
    if file.len() == 0 && location.local().is_none() {
        return Err(file_error(
            path,
            ErrorKind::Unsupported,
            "the object is empty",
        ));
    }
    sniff_open(file, path)
}

/// Recognises the format of an open file, which messages call `path`.
///
/// # Errors
/// `Unsupported` for unsupported formats and for an empty file.
pub(crate) fn sniff_open(file: InputFile, path: &Path) -> Result<(InputFile, FileKind)> {
    if file.len() == 0 {
        return Err(file_error(
            path,
            ErrorKind::Unsupported,
            "the file is empty",
        ));
    }
    recognise(file, path)
}

/// Opens a local file that must be a regular one: opening a pipe blocks until its other end is opened.
fn open_regular(path: &Path, local: &Path) -> Result<InputFile> {
    let about = fs::metadata(local).map_err(|e| open_error(path, e))?;
    if !about.is_file() {
        let what = if about.is_dir() {
            "a folder"
        } else {
            "no regular file"
        };
        return Err(file_error(
            path,
            ErrorKind::Unsupported,
            format!("this is {what}"),
        ));
    }
    InputFile::open(local).map_err(|e| open_error(path, e))
}

/// Returns the error of a file that cannot be opened. It is not damaged, as far as is known, so no tolerance of faults helps.
fn open_error(path: &Path, e: io::Error) -> Error {
    file_error(path, ErrorKind::NotFound, open_failure(&e)).because(e)
}

/// Returns the reason why a file cannot be opened.
pub(crate) fn open_failure(e: &io::Error) -> String {
    match e.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "the file may not be read".to_owned(),
        _ => e.to_string(),
    }
}

/// Recognises an open file. For a container after ID3v2 tags, the file that is returned starts after the tags, since
/// demuxers of containers do not expect any.
fn recognise(file: InputFile, path: &Path) -> Result<(InputFile, FileKind)> {
    let start = id3_tags_len(&file).map_err(|e| read_error(path, e))?;
    // Most stems are WAVE or FLAC files, of which a session may have thousands: they are known by their first bytes.
    let first = read_at(&file, start, 12).map_err(|e| read_error(path, e))?;
    if start == 0 && is_wave(&first) {
        return Ok((file, FileKind::Wave));
    }
    if first.starts_with(b"fLaC") {
        return Ok((file, FileKind::Flac { start }));
    }
    let head = read_at(&file, start, SYNC_SEARCH_BYTES).map_err(|e| read_error(path, e))?;
    if head.is_empty() && start > 0 {
        return Err(file_error(
            path,
            ErrorKind::Corrupt,
            "there is nothing after the ID3 tag",
        ));
    }
    let container = match recognise_magic(&head, path)? {
        Some(kind) => Some(kind),
        None => {
            if let Some(what) = unsupported_format(&head) {
                return Err(file_error(
                    path,
                    ErrorKind::Unsupported,
                    format!("{what} is not supported"),
                ));
            }
            is_mp4(&head).then_some(FileKind::Mp4)
        }
    };
    match container {
        Some(kind) if start > 0 => Ok((file.window(start, u64::MAX), kind)),
        Some(kind) => Ok((file, kind)),
        None => Ok((file, recognise_frames(&head, start, path)?)),
    }
}

/// Reads a number of bytes at a position, or fewer at the end of the file.
pub(super) fn read_at(file: &InputFile, offset: u64, len: usize) -> io::Result<Vec<u8>> {
    let mut data = Vec::new();
    append_at(file, offset, len, &mut data)?;
    Ok(data)
}

/// Appends a number of bytes at a position of a file, or fewer at its end.
pub(super) fn append_at(
    mut file: &InputFile,
    offset: u64,
    len: usize,
    data: &mut Vec<u8>,
) -> io::Result<()> {
    let left = file.len().saturating_sub(offset);
    let mut done = data.len();
    data.resize(done + saturating_usize(left).min(len), 0);
    file.seek(SeekFrom::Start(offset))?;
    // Not by `read_to_end`, which reads in short pieces, and clears the memory for each.
    while let Some(rest) = data.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(n) => done += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => {
                data.truncate(done);
                return Err(e);
            }
        }
    }
    data.truncate(done);
    Ok(())
}

fn read_error(path: &Path, e: io::Error) -> Error {
    file_error(path, ErrorKind::Corrupt, e.to_string()).because(e)
}

fn is_wave(head: &[u8]) -> bool {
    let form_type = head.get(8..12).unwrap_or_default();
    let is_riff = matches!(head.first_chunk(), Some(b"RIFF" | b"RF64" | b"BW64"));
    is_riff && form_type == b"WAVE"
}

/// Recognises containers by the magic bytes at the start of the file.
fn recognise_magic(head: &[u8], path: &Path) -> Result<Option<FileKind>> {
    let form_type = head.get(8..12).unwrap_or_default();
    Ok(Some(match head.first_chunk::<4>() {
        _ if is_wave(head) => FileKind::Wave,
        Some(b"OggS") => recognise_ogg(head, path)?,
        Some(b"FORM") if matches!(form_type, b"AIFF" | b"AIFC") => FileKind::Aiff,
        Some(b"caff") => FileKind::Caf,
        Some([0x1A, 0x45, 0xDF, 0xA3]) => FileKind::Matroska,
        _ => return Ok(None),
    }))
}

/// Returns whether the file begins with a box of MP4 or QuickTime. Call it last: the names
/// of boxes are at offset 4, where other formats match by chance.
fn is_mp4(head: &[u8]) -> bool {
    let name = head.get(4..8).unwrap_or_default();
    matches!(
        name,
        b"ftyp" | b"moov" | b"mdat" | b"free" | b"skip" | b"wide" | b"pnot" | b"styp"
    )
}

/// Returns the length of all ID3v2 tags at the start of a file.
fn id3_tags_len(file: &InputFile) -> io::Result<u64> {
    const MAX_TAGS: usize = 64;
    let mut len = 0;
    for _ in 0..MAX_TAGS {
        let Some(tag) = id3_len(&read_at(file, len, 10)?) else {
            break;
        };
        len += tag;
    }
    Ok(len)
}

/// Returns the length in bytes of the ID3v2 tag that `head` begins with, its header and footer included (ID3v2.4, 3.1).
fn id3_len(head: &[u8]) -> Option<u64> {
    let [b'I', b'D', b'3', major, _, flags, a, b, c, d] = *head.first_chunk::<10>()? else {
        return None;
    };
    if major == 0xFF || [a, b, c, d].iter().any(|x| x & 0x80 != 0) {
        return None;
    }
    let len = [a, b, c, d]
        .iter()
        .fold(0, |sum, x| sum << 7 | u64::from(*x));
    Some(10 + len + if flags & 0x10 != 0 { 10 } else { 0 })
}

/// Recognises MPEG audio and ADTS, which have no magic bytes, and FLAC after other data.
fn recognise_frames(head: &[u8], start: u64, path: &Path) -> Result<FileKind> {
    let is_whole_file = head.len() < SYNC_SEARCH_BYTES;
    for at in 0..head.len() {
        let rest = head.get(at..).unwrap_or_default();
        if rest.first() != Some(&0xFF) {
            continue;
        }
        // A file of fewer frames must consist of nothing else.
        if let Some(format) = sync_format(rest, is_whole_file && at == 0) {
            let start = start + at as u64;
            return Ok(match format {
                FrameFormat::Mpeg { .. } => {
                    let fragment = head.iter().take(at).any(|b| *b != 0);
                    FileKind::Mpeg { start, fragment }
                }
                FrameFormat::Adts { .. } => FileKind::Adts { start },
            });
        }
    }
    // The marker and the header of a STREAMINFO block.
    let flac = head
        .windows(8)
        .position(|w| matches!(w, [b'f', b'L', b'a', b'C', 0 | 0x80, 0, 0, 34]));
    if let Some(at) = flac {
        return Ok(FileKind::Flac {
            start: start + at as u64,
        });
    }
    let what = if is_free_format(head) {
        "MPEG audio of free format (no stated bit rate) is not supported"
    } else if head.iter().all(|b| *b == 0) {
        "this is no audio file: it begins with nothing but zeros"
    } else {
        "this is no audio file of a known format"
    };
    Err(file_error(path, ErrorKind::Unsupported, what))
}

/// Recognises an Ogg file by the codecs of its first pages.
fn recognise_ogg(head: &[u8], path: &Path) -> Result<FileKind> {
    let mut names = Vec::new();
    let mut rest = head;
    // The first pages of all streams come before all others and hold one packet each (RFC 3533, section 4).
    while let Some((page, next)) = ogg_first_page(rest) {
        if page.starts_with(b"\x01vorbis") || page.starts_with(b"\x7FFLAC") {
            return Ok(FileKind::Ogg);
        }
        let known: [(&[u8], &str); 8] = [
            (b"OpusHead", "Opus"),
            (b"Speex   ", "Speex"),
            (b"\x80theora", "Theora video"),
            (b"fishead\0", "Skeleton"),
            (b"CELT    ", "CELT"),
            (b"PCM     ", "OggPCM"),
            (b"\x80kate", "Kate subtitles"),
            (b"BBCD", "Dirac video"),
        ];
        let name = known
            .iter()
            .find(|(magic, _)| page.starts_with(magic))
            .map_or("an unknown codec", |(_, n)| n);
        names.push(name);
        rest = next;
    }
    let what = match names.as_slice() {
        [] => {
            return Err(file_error(
                path,
                ErrorKind::Corrupt,
                "Ogg: the file does not begin with the first page of a stream",
            ));
        }
        names => names.join(" and "),
    };
    Err(file_error(
        path,
        ErrorKind::Unsupported,
        format!("{what} in Ogg is not supported"),
    ))
}

/// Returns the body of the page that begins a stream, and the data after the page.
fn ogg_first_page(data: &[u8]) -> Option<(&[u8], &[u8])> {
    if !data.starts_with(b"OggS") || data.get(5)? & 2 == 0 {
        return None;
    }
    let count = usize::from(*data.get(26)?);
    let table = data.get(27..27 + count)?;
    let len: usize = table.iter().map(|l| usize::from(*l)).sum();
    let body = data.get(27 + count..)?;
    Some((
        body.get(..len.min(body.len()))?,
        body.get(len..).unwrap_or_default(),
    ))
}

/// Returns the name of a known format that is not supported.
fn unsupported_format(head: &[u8]) -> Option<&'static str> {
    const MAGIC: [(usize, &[u8], &str); 71] = [
        (0, b"wvpk", "WavPack"),
        (0, b"RIFX", "big-endian RIFF (RIFX)"),
        (0, b"FFIR", "big-endian RIFF (FFIR)"),
        (0, b"riff\x2E\x91\xCF\x11", "Wave64"),
        (0, b"DSD ", "DSD (DSF)"),
        (0, b"FRM8", "DSD (DSDIFF)"),
        (0, b"MAC ", "Monkey's Audio"),
        (0, b"MPCK", "Musepack"),
        (0, b"MP+", "Musepack"),
        (0, b"TTA1", "True Audio"),
        (0, b"TTA2", "True Audio"),
        (0, b"OFR ", "OptimFROG"),
        (0, b"TRAC", "MOD music"),
        (0, b"tBaK", "TAK"),
        (0, b"ajkg", "Shorten"),
        (0, b"LA0", "Lossless Audio"),
        (
            0,
            b"\x30\x26\xB2\x75\x8E\x66\xCF\x11",
            "Windows Media (ASF)",
        ),
        (0, b"MThd", "MIDI"),
        (0, b".snd", "Sun audio"),
        (0, b"dns.", "Sun audio"),
        (0, b".RMF", "RealMedia"),
        (0, b".ra\xFD", "RealAudio"),
        (0, b"#!AMR", "AMR"),
        (0, b"#!SILK_V3", "SILK"),
        (0, b"\x02#!SILK_V3", "SILK"),
        (0, b"\x77\x0B", "AC-3 with swapped bytes"),
        (0, b"\x7F\xFE\x80\x01", "DTS"),
        (0, b"\xFE\x7F\x01\x80", "DTS"),
        (0, b"\x1F\xFF\xE8\x00", "DTS"),
        (0, b"\xFF\x1F\x00\xE8", "DTS"),
        (0, b"DTSHDHDR", "DTS-HD"),
        (4, b"\xF8\x72\x6F\xBA", "TrueHD"),
        (4, b"\xF8\x72\x6F\xBB", "MLP"),
        (0, b"ADIF", "AAC in ADIF"),
        (0, b"FLV\x01", "Flash video"),
        (0, b"\0\0\x01\xBA", "MPEG program stream"),
        (0, b"\0\0\x01\xB3", "MPEG video"),
        (0, b"\x06\x0E\x2B\x34\x02\x05\x01\x01", "MXF"),
        (0, b"nut/multimedia container", "NUT"),
        (0, b"qoaf", "Quite OK Audio (QOA)"),
        (0, b"\x64\xA3\x01\0", "IRCAM sound"),
        (0, b"\x64\xA3\x02\0", "IRCAM sound"),
        (0, b"\x64\xA3\x03\0", "IRCAM sound"),
        (0, b"\0\x01\xA3\x64", "IRCAM sound"),
        (0, b"\0\x02\xA3\x64", "IRCAM sound"),
        (0, b"2BIT", "AVR sound"),
        (0, b".SoX", "SoX sound"),
        (0, b"XoS.", "SoX sound"),
        (0, b"OCTAVE", "an Octave data file"),
        (0, b"Creative Voice File", "Creative Voice"),
        (0, b"NIST_1A", "NIST Sphere"),
        (0, b"Extended Module", "XM music"),
        (0, b"IMPM", "IT music"),
        (44, b"SCRM", "S3M music"),
        (0, b"PK\x03\x04", "a ZIP archive"),
        (0, b"PK\x05\x06", "a ZIP archive"),
        (0, b"\x1F\x8B", "a gzip archive"),
        (0, b"BZh", "a bzip2 archive"),
        (0, b"\xFD7zXZ\0", "an xz archive"),
        (0, b"7z\xBC\xAF", "a 7z archive"),
        (0, b"Rar!", "a RAR archive"),
        (0, b"\x89PNG", "a PNG picture"),
        (0, b"\xFF\xD8\xFF", "a JPEG picture"),
        (0, b"GIF8", "a GIF picture"),
        (0, b"%PDF", "a PDF document"),
        (0, b"\x7FELF", "a program (ELF)"),
        (0, b"MZ\x90", "a program (EXE)"),
        (0, b"<?xml", "an XML document"),
        (0, b"#EXTM3U", "a playlist (M3U)"),
        (0, b"APETAGEX", "an APE tag without audio"),
        (257, b"ustar", "a tar archive"),
    ];
    if head.starts_with(b"RIFF") || head.starts_with(b"RF64") || head.starts_with(b"FORM") {
        let form = head.get(8..12).unwrap_or_default();
        return Some(match form {
            b"AVI " | b"AVIX" => "AVI video",
            b"RMID" => "MIDI in RIFF",
            b"RMP3" => "MP3 in RIFF",
            b"XWMA" => "xWMA",
            b"QLCM" => "Qualcomm PureVoice (QCP)",
            b"CDXA" => "CD-ROM XA",
            b"sfbk" => "a SoundFont",
            b"WEBP" => "a WebP picture",
            b"ACON" => "an animated cursor",
            b"8SVX" | b"16SV" => "8SVX",
            b"MAUD" => "MAUD",
            b"CDDA" => "a CD track reference (CDDA)",
            _ if head.starts_with(b"FORM") => "an IFF file without AIFF audio",
            _ => "a RIFF file without WAVE audio",
        });
    }
    if is_transport_stream(head) {
        return Some("MPEG transport stream");
    }
    if let [0x0B, 0x77, _, _, _, id, ..] = head {
        // The stream id in the upper five bits is 11 to 16 for E-AC-3, less for AC-3 (ETSI TS 102 366, E.1.3.1.6).
        return Some(if id >> 3 > 10 { "E-AC-3" } else { "AC-3" });
    }
    if is_loas(head) {
        return Some("AAC in LATM/LOAS");
    }
    MAGIC
        .iter()
        .find(|(at, magic, _)| head.get(*at..).is_some_and(|h| h.starts_with(magic)))
        .map(|(_, _, name)| *name)
}

/// Returns whether `head` holds the packets of an MPEG transport stream (ISO/IEC 13818-1, 2.4.3.2): plain ones, with a
/// time stamp before each (M2TS), or with error correction after each. A piece that was cut out begins within a packet.
fn is_transport_stream(head: &[u8]) -> bool {
    const PACKETS: usize = 16;
    let is_packet = |at: usize| {
        let Some(&[sync, flags, _, control]) = head.get(at..).and_then(|h| h.first_chunk()) else {
            return false;
        };
        // The adaptation field control of 0 is reserved.
        sync == 0x47 && flags & 0x80 == 0 && control & 0x30 != 0
    };
    for (size, first) in [(188, 0), (192, 4), (204, 0)] {
        let has_packets_from = |from: usize, min_packets: usize| {
            let offsets = (from..head.len().saturating_sub(3)).step_by(size);
            offsets.clone().take(PACKETS).all(is_packet)
                && offsets.take(PACKETS).count() >= min_packets
        };
        // Frames of MPEG audio can be as long as a packet and repeat any byte: these are looked for first.
        let is_cut = sync_format(head, false).is_none()
            && (0..=size).any(|from| has_packets_from(from, PACKETS));
        if has_packets_from(first, 2) || is_cut {
            return true;
        }
    }
    false
}

/// Returns whether `head` begins with three frames of LOAS, each with its length (ISO/IEC 14496-3, 1.7.2).
fn is_loas(head: &[u8]) -> bool {
    let mut at = 0;
    for _ in 0..3 {
        let Some(&[0x56, b1, b2]) = head.get(at..).and_then(|h| h.first_chunk()) else {
            return false;
        };
        if b1 & 0xE0 != 0xE0 {
            return false;
        }
        at += 3 + (usize::from(b1 & 0x1F) << 8 | usize::from(b2));
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(bytes: &[u8]) -> Result<FileKind> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("stem.wav");
        fs::write(&path, bytes).unwrap();
        sniff(&path).map(|(_, kind)| kind)
    }

    #[test]
    fn content_decides() {
        assert_eq!(kind(b"RIFF\0\0\0\0WAVEfmt ").unwrap(), FileKind::Wave);
        assert_eq!(kind(b"fLaC\0\0\0\0").unwrap(), FileKind::Flac { start: 0 });
        assert_eq!(
            kind(b"ID3\x04\0\0\0\0\0\x02xxfLaC\0\0\0\0").unwrap(),
            FileKind::Flac { start: 12 }
        );
        assert_eq!(kind(b"\0\0\0\x18ftypM4A ").unwrap(), FileKind::Mp4);
        assert_eq!(kind(b"FORM\0\0\0\0AIFC").unwrap(), FileKind::Aiff);
    }

    /// Packets of `size` bytes whose sync byte is at `first`, with frames of ADTS in them.
    fn transport(size: usize, first: usize, packets: usize) -> Vec<u8> {
        let mut packet = vec![0; size];
        packet[first..first + 4].copy_from_slice(&[0x47, 0x41, 0, 0x10]);
        packet[first + 4..first + 11].copy_from_slice(b"\xFF\xF1\x4C\x80\x04\x1F\xFC");
        packet.repeat(packets)
    }

    #[test]
    fn transport_streams_are_no_adts() {
        let whole = transport(188, 0, 40);
        for bytes in [
            transport(188, 0, 2),
            transport(192, 4, 40),
            transport(204, 0, 3),
            whole[100..].to_vec(),
            [&[0xFF; 60], &whole[60..]].concat(),
            [&b"ID3\x04\0\0\0\0\0\x02xx"[..], &whole].concat(),
        ] {
            let e = kind(&bytes).unwrap_err();
            assert!(
                e.to_string()
                    .ends_with("MPEG transport stream is not supported"),
                "{e}"
            );
        }
        // The frames of MPEG audio at 64 kbit/s and 48 kHz are as long as an M2TS packet.
        let mut frame = [0x47; 192];
        frame[..4].copy_from_slice(&[0xFF, 0xFB, 0x54, 0xC4]);
        frame[10] = 0x10;
        let mpeg = FileKind::Mpeg {
            start: 0,
            fragment: false,
        };
        assert_eq!(kind(&frame.repeat(40)).unwrap(), mpeg);
    }

    #[test]
    fn a_tag_in_front_of_a_container_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("stem.wav");
        fs::write(&path, b"ID3\x04\0\0\0\0\0\x02xxRIFF\x04\0\0\0WAVEfmt ").unwrap();
        let (mut file, kind) = sniff(&path).unwrap();
        assert_eq!((kind, file.len()), (FileKind::Wave, 16));
        let mut rest = Vec::new();
        file.seek(SeekFrom::End(-4)).unwrap();
        file.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"fmt ");
    }

    #[test]
    fn unsupported_formats_are_refused_by_name() {
        for (bytes, name) in [
            (&b"wvpk\0\0\0\0"[..], "WavPack"),
            (b"RIFF\0\0\0\0AVI LIST", "AVI"),
            (b"RIFX\0\0\0\0WAVE", "RIFX"),
            (b"PK\x03\x04", "ZIP"),
            (b"\x89PNG\r\n", "PNG"),
            (b"\x0B\x77\0\0\0\x40\0\0", "AC-3"),
            (b"\x0B\x77\0\0\0\x80\0\0", "E-AC-3"),
            (b"\x56\xE0\x01\0\x56\xE0\x01\0\x56\xE0\x01\0", "LATM"),
            (b"ID3\x04\0\0\0\0\0\x02xxRIFF\0\0\0\0AVI LIST", "AVI"),
            (b"\x7FELF", "ELF"),
            (b"\0\0\0\0\0\0\0\0\0\0\0\0", "zeros"),
            (b"hello world, this is text", "no audio file"),
        ] {
            let e = kind(bytes).unwrap_err();
            assert_eq!(e.kind(), ErrorKind::Unsupported);
            assert!(
                e.to_string().contains(name) && e.to_string().contains("stem.wav"),
                "{e}"
            );
        }
        assert!(kind(b"").unwrap_err().to_string().contains("empty"));
    }

    /// The message about a file that is refused.
    fn refusal(bytes: &[u8]) -> String {
        kind(bytes).unwrap_err().to_string()
    }

    /// The first page of an Ogg stream with one packet.
    fn ogg_page(flags: u8, packet: &[u8]) -> Vec<u8> {
        let mut page = b"OggS\0".to_vec();
        page.push(flags);
        page.resize(26, 0);
        page.extend([1, u8::try_from(packet.len()).unwrap()]);
        page.extend(packet);
        page
    }

    #[test]
    fn containers_are_known_by_their_first_bytes() {
        for name in [b"RIFF", b"RF64", b"BW64"] {
            let bytes = [&name[..], b"\xFF\xFF\xFF\xFFWAVE"].concat();
            assert_eq!(kind(&bytes).unwrap(), FileKind::Wave);
        }
        assert_eq!(kind(b"FORM\0\0\0\0AIFF").unwrap(), FileKind::Aiff);
        assert_eq!(kind(b"caff\0\x01\0\0").unwrap(), FileKind::Caf);
        assert_eq!(kind(b"\x1A\x45\xDF\xA3").unwrap(), FileKind::Matroska);
        for name in [
            "ftyp", "moov", "mdat", "free", "skip", "wide", "pnot", "styp",
        ] {
            let bytes = [b"\0\0\0\x08", name.as_bytes()].concat();
            assert_eq!(kind(&bytes).unwrap(), FileKind::Mp4, "{name}");
        }
        assert!(refusal(b"\0\0\0\x08name").ends_with("no audio file of a known format"));
    }

    #[test]
    fn ogg_is_named_by_the_codecs_of_all_its_streams() {
        for codec in [&b"\x01vorbis"[..], b"\x7FFLAC"] {
            assert_eq!(kind(&ogg_page(2, codec)).unwrap(), FileKind::Ogg);
            let second = [ogg_page(2, b"fishead\0"), ogg_page(2, codec)].concat();
            assert_eq!(kind(&second).unwrap(), FileKind::Ogg);
        }
        let streams = [
            ogg_page(2, b"OpusHead"),
            ogg_page(2, b"?"),
            ogg_page(0, b"\x01vorbis"),
        ];
        assert!(
            refusal(&streams.concat())
                .ends_with(" Opus and an unknown codec in Ogg is not supported")
        );
        let none = kind(&ogg_page(0, b"\x01vorbis")).unwrap_err();
        assert_eq!(none.kind(), ErrorKind::Corrupt);
        assert_eq!(kind(b"OggS\0\x02").unwrap_err().kind(), ErrorKind::Corrupt);
    }

    #[test]
    fn forms_of_riff_and_iff_are_refused_by_name() {
        for (start, name) in [
            ("RIFF____AVI ", "AVI video"),
            ("RF64____AVIX", "AVI video"),
            ("RIFF____RMID", "MIDI in RIFF"),
            ("RIFF____RMP3", "MP3 in RIFF"),
            ("RIFF____XWMA", "xWMA"),
            ("RIFF____QLCM", "Qualcomm PureVoice (QCP)"),
            ("RIFF____CDXA", "CD-ROM XA"),
            ("RIFF____sfbk", "a SoundFont"),
            ("RIFF____WEBP", "a WebP picture"),
            ("RIFF____ACON", "an animated cursor"),
            ("FORM____8SVX", "8SVX"),
            ("FORM____16SV", "8SVX"),
            ("FORM____MAUD", "MAUD"),
            ("RIFF____CDDA", "a CD track reference (CDDA)"),
            ("FORM____ILBM", "an IFF file without AIFF audio"),
            ("RIFF____what", "a RIFF file without WAVE audio"),
            ("\u{b}w___W__", "AC-3"),
            ("\u{b}w___X__", "E-AC-3"),
        ] {
            let text = refusal(start.as_bytes());
            assert!(
                text.ends_with(&format!(" {name} is not supported")),
                "{text}"
            );
        }
    }

    #[test]
    fn id3_tags_are_as_long_as_their_four_sevens_of_bits() {
        let len = |major, flags, size: [u8; 4]| {
            id3_len(&[&[b'I', b'D', b'3', major, 0, flags][..], &size].concat())
        };
        assert_eq!(len(4, 0, [0, 0, 0, 9]), Some(19));
        assert_eq!(
            len(3, 0, [1, 2, 3, 4]),
            Some((1 << 21) + (2 << 14) + (3 << 7) + 14)
        );
        assert_eq!(len(4, 0x10, [0, 0, 0, 9]), Some(29), "with a footer");
        assert_eq!(len(4, 0xEF, [0, 0, 0, 9]), Some(19));
        assert_eq!(len(0xFF, 0, [0, 0, 0, 9]), None);
        for n in 0..4 {
            let mut size = [0; 4];
            size[n] = 0x80;
            assert_eq!(len(4, 0, size), None);
        }
        assert_eq!(id3_len(b"ID3\x04\0\0\0\0\0"), None);
        let tag = b"ID3\x04\0\0\0\0\0\x02xx";
        let two = [&tag[..], tag, b"fLaC"].concat();
        assert_eq!(kind(&two).unwrap(), FileKind::Flac { start: 24 });
        assert!(refusal(tag).ends_with("there is nothing after the ID3 tag"));
    }

    #[test]
    fn frames_are_found_behind_other_data() {
        let mut mpeg = vec![0xFF, 0xFB, 0x90, 0];
        mpeg.resize(417, 0);
        let mut adts = b"\xFF\xF1\x50\x80\x0C\x9F\xFC".to_vec();
        adts.resize(100, 0);
        for junk in [0, 1, 900] {
            let zeros = [&vec![0; junk][..], &mpeg.repeat(4)].concat();
            let start = junk as u64;
            let fragment = false;
            assert_eq!(kind(&zeros).unwrap(), FileKind::Mpeg { start, fragment });
            let adts = [&vec![7; junk][..], &adts.repeat(4)].concat();
            assert_eq!(kind(&adts).unwrap(), FileKind::Adts { start });
        }
        let cut = [&[0, 0, 7, 0][..], &mpeg.repeat(4)].concat();
        let (start, fragment) = (4, true);
        assert_eq!(kind(&cut).unwrap(), FileKind::Mpeg { start, fragment });
        // A tag counts too.
        let tagged = [&b"ID3\x04\0\0\0\0\0\x02xx\0\0"[..], &mpeg.repeat(4)].concat();
        let (start, fragment) = (14, false);
        assert_eq!(kind(&tagged).unwrap(), FileKind::Mpeg { start, fragment });
        // One frame is a file, but not behind anything.
        let (start, fragment) = (0, false);
        assert_eq!(kind(&mpeg).unwrap(), FileKind::Mpeg { start, fragment });
        assert!(kind(&[&[0][..], &mpeg].concat()).is_err());
        // Nor is it the start of a large file.
        let long = [&mpeg[..], &vec![0; SYNC_SEARCH_BYTES]].concat();
        assert!(kind(&long).is_err());

        let start = 5;
        for last in [&b"junk.fLaC\0\0\0\x22"[..], b"junk.fLaC\x80\0\0\x22"] {
            assert_eq!(kind(last).unwrap(), FileKind::Flac { start });
        }
        assert!(kind(b"junk.fLaC\x01\0\0\x22").is_err());
        assert!(refusal(&[0xFF, 0xFB, 0, 0]).contains("free format"));
    }

    #[test]
    fn loas_is_three_frames_of_the_stated_lengths() {
        let frame = [&[0x56, 0xE1, 2][..], &[9; 258]].concat();
        assert!(is_loas(&frame.repeat(3)));
        assert!(is_loas(&frame.repeat(3)[..525]), "the header of the third");
        assert!(!is_loas(&frame.repeat(3)[..524]));
        assert!(!is_loas(&[0x56, 0xC0, 0].repeat(3)));
        assert!(!is_loas(&[0x57, 0xE0, 0].repeat(3)));
    }

    #[test]
    fn packets_of_a_transport_stream_have_a_sync_byte_and_a_control_field() {
        let packets = |sync, flags, control| {
            let mut packet = [0; 188];
            packet[..4].copy_from_slice(&[sync, flags, 0, control]);
            is_transport_stream(&packet.repeat(2))
        };
        assert!(packets(0x47, 0x7F, 0x10) && packets(0x47, 0, 0x20));
        assert!(!packets(0x46, 0, 0x10));
        assert!(!packets(0x47, 0x80, 0x10), "a transport error");
        assert!(!packets(0x47, 0, 0xCF), "a reserved control field");
        assert!(!is_transport_stream(&transport(188, 0, 1)));
        // Sixteen packets are enough wherever the first begins.
        let cut = transport(188, 0, 18);
        assert!(is_transport_stream(&cut[1..1 + 16 * 188 + 190]));
        assert!(!is_transport_stream(&cut[1..1 + 15 * 188]));
    }
}
