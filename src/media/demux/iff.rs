//! Reads chunk headers of IFF-like files, for AIFF, CAF and WAVE.

use crate::storage::InputFile;
use std::io::{ErrorKind, Read, Result, Seek, SeekFrom};

/// Maximum number of chunks that are visited. A damaged file can claim any number of empty ones.
pub(super) const MAX_CHUNKS: usize = 65_536;

/// The sound data chunk of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SoundData {
    /// Bytes of sound according to the chunk header.
    pub(super) promised: u64,
    /// Bytes of sound in the file.
    pub(super) available: u64,
    /// Exclusive end of the promised sound, as a file offset.
    pub(super) end: u64,
}

impl SoundData {
    /// Describes `promised` bytes of sound at a file offset.
    pub(super) fn at(offset: u64, promised: u64, file_len: u64) -> Self {
        let available = file_len.saturating_sub(offset).min(promised);
        Self {
            promised,
            available,
            end: offset.saturating_add(promised),
        }
    }
}

/// Returns whether chunks follow one another from `at` to the end of the file. Nothing at all does, too.
pub(super) fn chunks_follow<S: Into<u64>>(
    file: &InputFile,
    mut at: u64,
    header: impl Fn(&InputFile, u64) -> Result<Option<([u8; 4], S)>>,
) -> Result<bool> {
    let header_bytes = 4 + size_of::<S>() as u64;
    for _ in 0..MAX_CHUNKS {
        if at >= file.len() {
            return Ok(at <= file.len().saturating_add(1));
        }
        match header(file, at)? {
            Some((name, size)) if name.iter().all(|b| (0x20..0x7F).contains(b)) => {
                at = at.saturating_add(header_bytes).saturating_add(size.into());
            }
            _ => return Ok(false),
        }
    }
    Ok(false)
}

/// Returns the name of a codec of AIFF-C or CAF that is not read, by its four-character code (Apple, CoreAudioTypes.h and
/// QuickTime's ImageCompression.h).
pub(super) fn apple_codec_name(code: [u8; 4]) -> Option<&'static str> {
    Some(match &code {
        b"ima4" => "IMA ADPCM",
        b"MAC3" => "MACE 3:1",
        b"MAC6" => "MACE 6:1",
        b"ACE2" => "ACE 2:1",
        b"ACE8" => "ACE 8:3",
        b"QDMC" => "QDesign Music",
        b"QDM2" => "QDesign Music 2",
        b"Qclp" | b"Qclq" | b"QCLP" => "Qualcomm PureVoice",
        b"DWVW" => "DWVW",
        b"ADP4" | b"dvi8" | b"dvca" => "DVI ADPCM",
        b"ms\0\x02" => "MS ADPCM",
        b"ms\0\x11" => "DVI ADPCM",
        b"ms\0\x31" | b"agsm" | b"GSM " => "GSM 6.10",
        b"G722" => "G.722",
        b"G726" => "G.726 ADPCM",
        b"G728" => "G.728",
        b"rt24" => "RT24",
        b"rt29" => "RT29",
        b"SDX2" => "SDX2",
        b"CBD2" => "CBD2",
        b"aac " | b"mp4a" => "AAC",
        b"aach" | b"aacp" => "HE-AAC",
        b"aacl" | b"aace" => "AAC-LD",
        b"usac" => "xHE-AAC",
        b".mp1" => "MP1",
        b".mp2" => "MP2",
        b".mp3" | b"ms\0\x55" => "MP3",
        b"alac" => "ALAC",
        b"flac" => "FLAC",
        b"opus" => "Opus",
        b"ac-3" | b"cac3" => "AC-3",
        b"ec-3" => "E-AC-3",
        b"samr" => "AMR",
        b"sawb" => "AMR-WB",
        b"ilbc" => "iLBC",
        b"42ni" => "little-endian 24-bit PCM (42ni)",
        _ => return None,
    })
}

/// Formats a four-character code for messages: `"qdm3"`, with escapes for what cannot be printed.
pub(super) fn code_name(code: [u8; 4]) -> String {
    format!("\"{}\"", code.escape_ascii())
}

/// Reads the four-byte name and the big-endian 32-bit size of the chunk at `offset`; `None` at the end of the file.
pub(super) fn chunk_32(file: &InputFile, offset: u64) -> Result<Option<([u8; 4], u32)>> {
    let Some(header) = read_at::<8>(file, offset)? else {
        return Ok(None);
    };
    let [a, b, c, d, size @ ..] = header;
    Ok(Some(([a, b, c, d], u32::from_be_bytes(size))))
}

/// Reads the four-byte name and the big-endian 64-bit size of the chunk at `offset`; `None` at the end of the file.
pub(super) fn chunk_64(file: &InputFile, offset: u64) -> Result<Option<([u8; 4], u64)>> {
    let Some(header) = read_at::<12>(file, offset)? else {
        return Ok(None);
    };
    let [a, b, c, d, size @ ..] = header;
    Ok(Some(([a, b, c, d], u64::from_be_bytes(size))))
}

/// Reads `N` bytes at `offset`; `None` if the file ends before.
pub(super) fn read_at<const N: usize>(
    mut file: &InputFile,
    offset: u64,
) -> Result<Option<[u8; N]>> {
    let mut data = [0; N];
    file.seek(SeekFrom::Start(offset))?;
    match file.read_exact(&mut data) {
        Err(e) if e.kind() == ErrorKind::UnexpectedEof => Ok(None),
        other => other.map(|()| Some(data)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn file(bytes: &[u8]) -> InputFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        InputFile::open(file.path()).unwrap()
    }

    #[test]
    fn codecs_that_are_not_read_have_the_names_of_their_makers() {
        let names: [(&[&[u8; 4]], &str); 33] = [
            (&[b"ima4"], "IMA ADPCM"),
            (&[b"MAC3"], "MACE 3:1"),
            (&[b"MAC6"], "MACE 6:1"),
            (&[b"ACE2"], "ACE 2:1"),
            (&[b"ACE8"], "ACE 8:3"),
            (&[b"QDMC"], "QDesign Music"),
            (&[b"QDM2"], "QDesign Music 2"),
            (&[b"Qclp", b"Qclq", b"QCLP"], "Qualcomm PureVoice"),
            (&[b"DWVW"], "DWVW"),
            (&[b"ADP4", b"dvi8", b"dvca", b"ms\0\x11"], "DVI ADPCM"),
            (&[b"ms\0\x02"], "MS ADPCM"),
            (&[b"ms\0\x31", b"agsm", b"GSM "], "GSM 6.10"),
            (&[b"G722"], "G.722"),
            (&[b"G726"], "G.726 ADPCM"),
            (&[b"G728"], "G.728"),
            (&[b"rt24"], "RT24"),
            (&[b"rt29"], "RT29"),
            (&[b"SDX2"], "SDX2"),
            (&[b"CBD2"], "CBD2"),
            (&[b"aac ", b"mp4a"], "AAC"),
            (&[b"aach", b"aacp"], "HE-AAC"),
            (&[b"aacl", b"aace"], "AAC-LD"),
            (&[b"usac"], "xHE-AAC"),
            (&[b".mp1"], "MP1"),
            (&[b".mp2"], "MP2"),
            (&[b".mp3", b"ms\0\x55"], "MP3"),
            (&[b"alac"], "ALAC"),
            (&[b"flac"], "FLAC"),
            (&[b"opus"], "Opus"),
            (&[b"ac-3", b"cac3"], "AC-3"),
            (&[b"ec-3"], "E-AC-3"),
            (&[b"samr"], "AMR"),
            (&[b"sawb"], "AMR-WB"),
        ];
        for (codes, name) in names {
            for code in codes {
                assert_eq!(apple_codec_name(**code), Some(name));
            }
        }
        assert_eq!(apple_codec_name(*b"ilbc"), Some("iLBC"));
        let backwards = Some("little-endian 24-bit PCM (42ni)");
        assert_eq!(apple_codec_name(*b"42ni"), backwards);
        assert_eq!(apple_codec_name(*b"none"), None);
        assert_eq!(code_name(*b"a\0\"z"), r#""a\x00\"z""#);
    }

    #[test]
    fn sound_is_available_up_to_the_end_of_the_file() {
        let sound = |promised, available| SoundData {
            promised,
            available,
            end: 100 + promised,
        };
        for (promised, file_len, available) in [
            (50, 200, 50),
            (50, 150, 50),
            (50, 149, 49),
            (50, 100, 0),
            (50, 7, 0),
        ] {
            let found = SoundData::at(100, promised, file_len);
            assert_eq!(found, sound(promised, available));
        }
    }

    #[test]
    fn chunks_follow_to_the_end_of_the_file_or_a_missing_pad_byte() {
        let follow = |bytes: &[u8], at| chunks_follow(&file(bytes), at, chunk_32).unwrap();
        let chunks = b"abcd\0\0\0\x02xyEF ~\0\0\0\0";
        let from: Vec<bool> = (0..21).map(|at| follow(chunks, at)).collect();
        let expected: Vec<bool> = (0..21).map(|at| [0, 10, 18, 19].contains(&at)).collect();
        assert_eq!(from, expected);
        assert!(
            !follow(b"ab\x1Fd\0\0\0\0", 0),
            "a name that cannot be printed"
        );
        assert!(!follow(b"ab\x7Fd\0\0\0\0", 0));
        assert!(!follow(b"abcd\0\0\0", 0), "a header that is cut off");
        assert!(follow(b"abcd\0\0\0\x03xy", 0), "without its pad byte");
        assert!(!follow(b"abcd\0\0\0\x04xy", 0));
        let long = b"abcd\0\0\0\0\0\0\0\x02xyEFGH\0\0\0\0\0\0\0\0";
        let from = [0, 14].map(|at| chunks_follow(&file(long), at, chunk_64).unwrap());
        assert_eq!(from, [true, true]);
        assert_eq!(chunk_64(&file(long), 0).unwrap(), Some((*b"abcd", 2)));
        assert_eq!(chunk_32(&file(chunks), 10).unwrap(), Some((*b"EF ~", 0)));
        assert_eq!(read_at::<3>(&file(b"abc"), 0).unwrap(), Some(*b"abc"));
        assert_eq!(read_at::<3>(&file(b"abc"), 1).unwrap(), None);
    }
}
