//! What a file is, judged by its content and never by its name.
//!
//! Formats that are read are recognised by their magic bytes, MPEG audio and ADTS by three frame headers in a row that
//! agree. Known foreign formats are refused by their own name, everything else as unknown: nothing is ever decoded on a
//! guess, because what is decoded wrongly is full-scale noise.

use super::{
    demux::mpeg::{self, Family},
    refuse,
};
#[cfg(feature = "cloud")]
use crate::storage::Url;
use crate::{
    error::{Error, ErrorKind, Result},
    storage::{InputFile, Location},
};
use std::{
    fs,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

/// How far into a file the first audio frame of a format without magic bytes may lie.
const REACH: usize = 64 << 10;

/// A format that is read, and where in the file it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Wave,
    Flac {
        start: u64,
    },
    Ogg,
    Aiff,
    Caf,
    Mp4,
    Matroska,
    /// `fragment`: other data than zeros stands before the first frame, as in a piece cut out of a longer stream.
    Mpeg {
        start: u64,
        fragment: bool,
    },
    Adts {
        start: u64,
    },
}

/// Opens a regular file and says what it is.
///
/// # Errors
/// `NotFound` for a file that is not there or may not be read, `Unsupported` for what is no regular file or no format
/// that is read.
pub(crate) fn sniff(path: &Path) -> Result<(InputFile, Kind)> {
    let local = match Location::of(path)? {
        Location::Local(local) => local,
        #[cfg(feature = "cloud")]
        Location::Object(url) => return object(path, url),
    };
    // Looked at before it is opened: opening a pipe waits for its other end.
    let about = fs::metadata(&local).map_err(|e| unreachable(path, e))?;
    if !about.is_file() {
        let what = if about.is_dir() { "a folder" } else { "no regular file" };
        return Err(refuse(path, ErrorKind::Unsupported, format!("this is {what}")));
    }
    if about.len() == 0 {
        return Err(refuse(path, ErrorKind::Corrupt, "the file is empty"));
    }
    let mut file = InputFile::open(&local).map_err(|e| unreachable(path, e))?;
    let kind = look(&mut file, path)?;
    Ok((file, kind))
}

/// The same for an object of a store.
#[cfg(feature = "cloud")]
fn object(path: &Path, url: Url) -> Result<(InputFile, Kind)> {
    let mut file = InputFile::object(url).map_err(|e| refuse(path, ErrorKind::NotFound, e.to_string()).because(e))?;
    if file.len() == 0 {
        return Err(refuse(path, ErrorKind::Corrupt, "the object is empty"));
    }
    let kind = look(&mut file, path)?;
    Ok((file, kind))
}

fn unreachable(path: &Path, e: io::Error) -> Error {
    let kind = match e.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => ErrorKind::NotFound,
        _ => ErrorKind::Corrupt,
    };
    let what = match e.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_string(),
        io::ErrorKind::PermissionDenied => "the file may not be read".to_string(),
        _ => e.to_string(),
    };
    refuse(path, kind, what).because(e)
}

fn look(file: &mut InputFile, path: &Path) -> Result<Kind> {
    let read = |file: &mut InputFile, at: u64, most: usize| -> Result<Vec<u8>> {
        let mut head = Vec::new();
        let limit = u64::try_from(most).unwrap_or(u64::MAX);
        file.seek(SeekFrom::Start(at))
            .and_then(|_| file.take(limit).read_to_end(&mut head))
            .map_err(|e| refuse(path, ErrorKind::Corrupt, e.to_string()).because(e))?;
        Ok(head)
    };
    let mut start = 0;
    let mut head = read(file, 0, 10)?;
    // Tags may repeat; a file cannot hold more of them than this.
    for _ in 0..64 {
        let Some(len) = id3(&head) else { break };
        start += len;
        head = read(file, start, 10)?;
    }
    let tagged = start > 0;
    let head = read(file, start, REACH)?;
    if head.is_empty() && tagged {
        return Err(refuse(path, ErrorKind::Corrupt, "there is nothing behind the ID3 tag"));
    }
    let name = |from: usize, magic: &[u8]| head.get(from..).is_some_and(|h| h.starts_with(magic));
    let form = |outer: &[u8], inner: &[u8]| name(0, outer) && name(8, inner);
    if ["RIFF", "RF64", "BW64"].iter().any(|m| form(m.as_bytes(), b"WAVE")) && !tagged {
        return Ok(Kind::Wave);
    }
    if name(0, b"fLaC") {
        return Ok(Kind::Flac { start });
    }
    if name(0, b"OggS") && !tagged {
        return ogg(&head, path);
    }
    if (form(b"FORM", b"AIFF") || form(b"FORM", b"AIFC")) && !tagged {
        return Ok(Kind::Aiff);
    }
    if name(0, b"caff") && !tagged {
        return Ok(Kind::Caf);
    }
    if name(0, &[0x1A, 0x45, 0xDF, 0xA3]) && !tagged {
        return Ok(Kind::Matroska);
    }
    if let Some(what) = foreign(&head) {
        return Err(refuse(path, ErrorKind::Unsupported, format!("{what} is not supported")));
    }
    let atoms: [&[u8]; 8] = [b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp"];
    if atoms.iter().any(|a| name(4, a)) && !tagged {
        return Ok(Kind::Mp4);
    }
    stream(&head, start, path)
}

/// The length of an ID3v2 tag that `head` begins with, with its own header and footer.
fn id3(head: &[u8]) -> Option<u64> {
    let [b'I', b'D', b'3', major, _, flags, a, b, c, d] = *head.first_chunk::<10>()? else { return None };
    if major == 0xFF || [a, b, c, d].iter().any(|x| x & 0x80 != 0) {
        return None;
    }
    let len = [a, b, c, d].iter().fold(0, |sum, x| sum << 7 | u64::from(*x));
    Some(10 + len + if flags & 0x10 != 0 { 10 } else { 0 })
}

/// MPEG audio or ADTS, which have no magic bytes.
fn stream(head: &[u8], start: u64, path: &Path) -> Result<Kind> {
    let whole = head.len() < REACH;
    for at in 0..head.len() {
        let rest = head.get(at..).unwrap_or_default();
        if rest.first() != Some(&0xFF) {
            continue;
        }
        // A file that is over sooner must at least hold a chain of frames from its first byte on.
        let need = if whole && at == 0 { mpeg::Chain::OrAll(3) } else { mpeg::Chain::Full(3) };
        if let Some(family) = mpeg::chain(rest, need) {
            let start = start + u64::try_from(at).unwrap_or(0);
            return Ok(match family {
                Family::Mpeg => {
                    let fragment = head.iter().take(at).any(|b| *b != 0);
                    Kind::Mpeg { start, fragment }
                }
                Family::Adts => Kind::Adts { start },
            });
        }
    }
    let flac = head.windows(8).position(|w| matches!(w, [b'f', b'L', b'a', b'C', 0 | 0x80, 0, 0, 34]));
    if let Some(at) = flac {
        return Ok(Kind::Flac { start: start + u64::try_from(at).unwrap_or(0) });
    }
    let what = if mpeg::free_format(head) {
        "MPEG audio of free format (no stated bit rate) is not supported"
    } else if head.iter().all(|b| *b == 0) {
        "this is no audio file: it begins with nothing but zeros"
    } else {
        "this is no audio file of a known format"
    };
    Err(refuse(path, ErrorKind::Unsupported, what))
}

/// An Ogg file by the codecs of its first pages.
fn ogg(head: &[u8], path: &Path) -> Result<Kind> {
    let mut names = Vec::new();
    let mut rest = head;
    // The first pages of all streams come before anything else and hold one packet each.
    while let Some((page, next)) = ogg_first_page(rest) {
        if page.starts_with(b"\x01vorbis") || page.starts_with(b"\x7FFLAC") {
            return Ok(Kind::Ogg);
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
        let name = known.iter().find(|(magic, _)| page.starts_with(magic)).map_or("an unknown codec", |(_, n)| n);
        names.push(name);
        rest = next;
    }
    let what = match names.as_slice() {
        [] => {
            return Err(refuse(
                path,
                ErrorKind::Corrupt,
                "Ogg: the file does not begin with the first page of a stream",
            ));
        }
        names => names.join(" and "),
    };
    Err(refuse(path, ErrorKind::Unsupported, format!("{what} in Ogg is not supported")))
}

/// The packet of a page that begins a stream, and what follows the page.
fn ogg_first_page(data: &[u8]) -> Option<(&[u8], &[u8])> {
    if !data.starts_with(b"OggS") || data.get(5)? & 2 == 0 {
        return None;
    }
    let count = usize::from(*data.get(26)?);
    let table = data.get(27..27 + count)?;
    let len: usize = table.iter().map(|l| usize::from(*l)).sum();
    let body = data.get(27 + count..)?;
    Some((body.get(..len.min(body.len()))?, body.get(len..).unwrap_or_default()))
}

/// The name of a known format that is not read.
fn foreign(head: &[u8]) -> Option<&'static str> {
    const MAGIC: [(usize, &[u8], &str); 48] = [
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
        (0, b"\x30\x26\xB2\x75\x8E\x66\xCF\x11", "Windows DecodedFile (ASF)"),
        (0, b"MThd", "MIDI"),
        (0, b".snd", "Sun audio"),
        (0, b"dns.", "Sun audio"),
        (0, b".RMF", "RealMedia"),
        (0, b".ra\xFD", "RealAudio"),
        (0, b"#!AMR", "AMR"),
        (0, b"\x0B\x77", "AC-3"),
        (0, b"\x7F\xFE\x80\x01", "DTS"),
        (0, b"ADIF", "AAC in ADIF"),
        (0, b"FLV\x01", "Flash video"),
        (0, b"\0\0\x01\xBA", "MPEG program stream"),
        (0, b"OCTAVE", "an Octave data file"),
        (0, b"Creative Voice File", "Creative Voice"),
        (0, b"NIST_1A", "NIST Sphere"),
        (0, b"Extended Module", "XM music"),
        (0, b"IMPM", "IT music"),
        (0, b"PK\x03\x04", "a ZIP archive"),
        (0, b"PK\x05\x06", "a ZIP archive"),
        (0, b"\x1F\x8B", "a gzip archive"),
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
            b"AVI " => "AVI video",
            b"RMID" => "MIDI in RIFF",
            b"sfbk" => "a SoundFont",
            b"WEBP" => "a WebP picture",
            b"ACON" => "an animated cursor",
            b"8SVX" => "8SVX",
            b"CDDA" => "a CD track reference (CDDA)",
            _ if head.starts_with(b"FORM") => "an IFF file without AIFF audio",
            _ => "a RIFF file without WAVE audio",
        });
    }
    MAGIC.iter().find(|(at, magic, _)| head.get(*at..).is_some_and(|h| h.starts_with(magic))).map(|(_, _, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(bytes: &[u8]) -> Result<Kind> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("stem.wav");
        fs::write(&path, bytes).unwrap();
        sniff(&path).map(|(_, kind)| kind)
    }

    #[test]
    fn content_decides() {
        assert_eq!(kind(b"RIFF\0\0\0\0WAVEfmt ").unwrap(), Kind::Wave);
        assert_eq!(kind(b"fLaC\0\0\0\0").unwrap(), Kind::Flac { start: 0 });
        assert_eq!(kind(b"ID3\x04\0\0\0\0\0\x02xxfLaC\0\0\0\0").unwrap(), Kind::Flac { start: 12 });
        assert_eq!(kind(b"\0\0\0\x18ftypM4A ").unwrap(), Kind::Mp4);
        assert_eq!(kind(b"FORM\0\0\0\0AIFC").unwrap(), Kind::Aiff);
    }

    #[test]
    fn foreign_formats_are_refused_by_name() {
        for (bytes, name) in [
            (&b"wvpk\0\0\0\0"[..], "WavPack"),
            (b"RIFF\0\0\0\0AVI LIST", "AVI"),
            (b"RIFX\0\0\0\0WAVE", "RIFX"),
            (b"PK\x03\x04", "ZIP"),
            (b"\x89PNG\r\n", "PNG"),
            (b"\x7FELF", "ELF"),
            (b"\0\0\0\0\0\0\0\0\0\0\0\0", "zeros"),
            (b"hello world, this is text", "no audio file"),
        ] {
            let e = kind(bytes).unwrap_err();
            assert_eq!(e.kind(), ErrorKind::Unsupported);
            assert!(e.to_string().contains(name) && e.to_string().contains("stem.wav"), "{e}");
        }
        assert!(kind(b"").unwrap_err().to_string().contains("empty"));
    }
}
