//! Reads WAVE files: RIFF, RF64 (EBU Tech 3306) and BW64 (ITU-R BS.2088).
//!
//! Supports integer PCM of 8, 16, 24 and 32 bits (fewer valid bits left-justified in those, as WAVEFORMATEXTENSIBLE
//! says), 24 bits in 4 bytes, float of 32 and 64 bits, A-law and mu-law (ITU-T G.711). Other codecs in WAVE are left to
//! `demux`; RIFX is refused.
//!
//! Conversion is exact (`v / 2^(bits-1)`), lengths are measured from the file, seeks take constant time, memory does
//! not grow with the file, and a file that is written to while it is read is an error. Samples that are not finite are
//! passed on; `length_guard` checks them.

mod coding;

use super::{Bits, Info, Remark, Source, sniff::read_at};
use crate::{
    block::Block,
    error::{Error, ErrorKind, Result},
    layout::Layout,
    layout::Spec,
    riff::{self, Fmt, Form, Found, Header},
    storage::{InputFile, Location},
    units::{Frames, SampleRate},
};
use coding::Coding;
use std::{
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
    path::{Path, PathBuf},
};

/// Bytes per read: few enough to stay in a core's caches until they are converted.
const READ_BYTES: usize = 64 * 1024;
/// Channel mask of 6.1 with back instead of side speakers: L R C LFE Lb Rb Cs.
const BACK_61: u32 = 0x13F;
/// For each channel of 6.1, its index in a file with [`BACK_61`]. Back and side pair mean the same speakers, as in 5.1.
const BACK_61_ORDER: [usize; 7] = [0, 1, 2, 3, 6, 4, 5];
/// Maximum number of channels; a header with more is taken as damaged.
const MAX_CHANNELS: u16 = 64;

/// An open WAVE file.
#[derive(Debug)]
pub struct Wav {
    file: InputFile,
    path: PathBuf,
    spec: Spec,
    coding: Coding,
    /// For each channel, its index in the file; a channel past the end of this list has its own index.
    order: &'static [usize],
    /// File offset of the first frame.
    data_offset: u64,
    frame_bytes: usize,
    /// Number of frames in the file.
    available: u64,
    /// Frame that is read next; `u64::MAX` if the position of the file is not known.
    position: u64,
    /// Read buffer.
    raw: Vec<u8>,
}

impl Wav {
    /// Opens a file and returns its properties. `None` for a file that is not RIFF and for a WAVE file with another
    /// codec than PCM, float, A-law and mu-law.
    ///
    /// A truncated file opens: [`Info::missing`] is the number of missing frames, and reading ends where the file does.
    ///
    /// # Errors
    /// `NotFound` if the file does not exist. `Unsupported` for anything but a regular file, for RIFX and RIFF files
    /// that are not WAVE, for a rate outside 1 to 768 000 Hz and for 0 or more than 64 channels. `Corrupt` for a header
    /// without `fmt ` or `data`, a header that contradicts itself, and a file that cannot be read.
    pub fn open(path: &Path) -> Result<Option<(Self, Info)>> {
        Self::from_file(path, open_regular(path)?)
    }

    /// Reads the header of an open file.
    pub(super) fn from_file(path: &Path, mut file: InputFile) -> Result<Option<(Self, Info)>> {
        let header = match riff::open(&mut file).map_err(|e| unreadable(path, e))? {
            Found::Foreign => return Ok(None),
            Found::Refused(what) => return Err(refused(path, &format!("{what} is not read"))),
            Found::Broken(what) => {
                return Err(Error::new(
                    ErrorKind::Corrupt,
                    format!("{}: {what}", path.display()),
                ));
            }
            Found::Wave(header) => header,
        };
        let rate = SampleRate::new(header.fmt.rate)
            .map_err(|e| Error::new(e.kind(), format!("{}: {e}", path.display())))?;
        let layout = layout(&header.fmt).map_err(|what| refused(path, &what))?;
        let order: &[usize] = if has_back_61_mask(&header.fmt) {
            &BACK_61_ORDER
        } else {
            &[]
        };
        let Some(coding) = Coding::of(&header.fmt) else {
            return Ok(None);
        };
        if header.fmt.bits == 16 {
            let start = read_at(&file, header.extent.at, SURROUND_SEARCH_BYTES)
                .map_err(|e| unreadable(path, e))?;
            if let Some(codec) = surround_codec(&start) {
                return Err(refused(path, &format!("{codec} in WAV is not supported")));
            }
        }
        let Some(frame_bytes) = frame_bytes(&header.fmt, coding) else {
            let f = header.fmt;
            let what = format!(
                "the header contradicts itself: {} channels of {} bits in frames of {} bytes",
                f.channels, f.bits, f.block_align
            );
            return Err(Error::new(
                ErrorKind::Corrupt,
                format!("{}: {what}", path.display()),
            ));
        };
        let spec = Spec { rate, layout };
        let frame_size = frame_bytes as u64;
        let (available, promised) = (
            header.extent.held / frame_size,
            header.extent.promised / frame_size,
        );
        let info = Info {
            spec,
            channel_mask: header.fmt.mask,
            frames: Frames(promised),
            missing: Frames(promised - available),
            codec: name(&header, coding),
            bits: bits(&header.fmt, coding),
            trimmed_start: Frames::ZERO,
            trimmed_end: Frames::ZERO,
            time_reference: header.bext.as_ref().map(|bext| Frames(bext.time_reference)),
            streams: 1,
            colour: None,
            remarks: remarks(
                header.extent.stated / frame_size,
                promised,
                header.more_data / frame_size,
            ),
        };
        let data_offset = header.extent.at;
        let path = path.to_owned();
        let mut wav = Self {
            file,
            path,
            spec,
            coding,
            order,
            data_offset,
            frame_bytes,
            available,
            position: u64::MAX,
            raw: Vec::new(),
        };
        wav.seek(Frames::ZERO)?;
        Ok(Some((wav, info)))
    }

    /// Reads the next `frames` frames into the read buffer.
    fn fetch(&mut self, frames: usize) -> Result<()> {
        let bytes = frames * self.frame_bytes;
        // Never shorter than before: growing again would clear what the file then overwrites.
        self.raw.resize(self.raw.len().max(bytes), 0);
        let raw = self.raw.get_mut(..bytes).unwrap_or_default();
        self.file.read_exact(raw).map_err(|e| {
            let when = Frames(self.position).clock(self.spec.rate);
            // A failed read leaves the file at an unknown position: only a seek continues from here.
            self.position = u64::MAX;
            if e.kind() == io::ErrorKind::UnexpectedEof {
                let what = format!(
                    "{}: ends at {when}: it was cut while it was read",
                    self.path.display()
                );
                return Error::new(ErrorKind::Corrupt, what).because(e);
            }
            let what = format!("{}: cannot be read at {when}: {e}", self.path.display());
            Error::new(ErrorKind::Corrupt, what).because(e)
        })
    }

    /// Fails if the file has changed, since the bytes that were read may be of its new content.
    fn check_integrity(&self) -> Result<()> {
        let Some(why) = self.file.integrity_error() else {
            return Ok(());
        };
        let what = format!("{}: {why}", self.path.display());
        Err(Error::new(ErrorKind::Corrupt, what).because(why))
    }

    /// Converts the start of the read buffer into the range `part` of a block.
    fn convert(&self, out: &mut Block, part: Range<usize>) {
        let channels = self.spec.layout.channels();
        let raw = self.raw.get(..part.len() * self.frame_bytes);
        let raw = raw.unwrap_or_default();
        let mut targets = out
            .channels_mut()
            .map(|c| c.get_mut(part.clone()).unwrap_or_default());
        if let (Coding::I24, 2) = (self.coding, channels)
            && let (Some(left), Some(right)) = (targets.next(), targets.next())
        {
            return coding::stereo_24(raw, left, right);
        }
        for (ch, to) in targets.enumerate() {
            let from = self.order.get(ch).copied().unwrap_or(ch);
            self.coding.unpack(raw, from, channels, to);
        }
    }
}

impl Source for Wav {
    fn spec(&self) -> Spec {
        self.spec
    }

    /// Returns the number of frames in the file: fewer than [`Info::frames`] if it is truncated.
    fn length(&self) -> Option<Frames> {
        Some(Frames(self.available))
    }

    fn read(&mut self, out: &mut Block) -> Result<usize> {
        let left = self.available.saturating_sub(self.position);
        let want = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(out.capacity());
        let frames_per_read = (READ_BYTES / self.frame_bytes).max(1);
        out.set_frames(want);
        let mut done = 0;
        while done < want {
            let n = frames_per_read.min(want - done);
            if let Err(e) = self.fetch(n) {
                out.set_frames(done);
                return Err(e);
            }
            self.convert(out, done..done + n);
            done += n;
            self.position += n as u64;
        }
        if done > 0
            && let Err(e) = self.check_integrity()
        {
            out.set_frames(0);
            return Err(e);
        }
        Ok(want)
    }

    fn seek(&mut self, to: Frames) -> Result<()> {
        let to = to.0.min(self.available);
        if to != self.position {
            let at = self
                .data_offset
                .saturating_add(to.saturating_mul(self.frame_bytes as u64));
            self.file
                .seek(SeekFrom::Start(at))
                .map_err(|e| unreadable(&self.path, e))?;
            self.position = to;
        }
        Ok(())
    }
}

/// Opens a regular file or an object. Opening a pipe would block until its other end is opened.
fn open_regular(path: &Path) -> Result<InputFile> {
    let location = Location::parse(path)?;
    if let Some(local) = location.local() {
        let meta = std::fs::metadata(local).map_err(|e| unreadable(path, e))?;
        if meta.is_dir() {
            return Err(refused(path, "is a folder, not a file"));
        }
        if !meta.is_file() {
            return Err(refused(path, "is no regular file: copy it to one"));
        }
    }
    location.open().map_err(|e| unreadable(path, e))
}

fn refused(path: &Path, what: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("{}: {what}", path.display()),
    )
}

fn unreadable(path: &Path, e: io::Error) -> Error {
    let kind = if e.kind() == io::ErrorKind::NotFound {
        ErrorKind::NotFound
    } else {
        ErrorKind::Corrupt
    };
    Error::new(kind, format!("{}: {e}", path.display())).because(e)
}

fn has_back_61_mask(fmt: &Fmt) -> bool {
    fmt.channels == 7 && Layout::lowest_bits(7, fmt.mask) == BACK_61
}

fn layout(fmt: &Fmt) -> Result<Layout, String> {
    match u8::try_from(fmt.channels) {
        Ok(_) if has_back_61_mask(fmt) => Ok(Layout::Surround61),
        Ok(n @ 1..) if fmt.channels <= MAX_CHANNELS => Ok(Layout::from_mask(n, fmt.mask)),
        _ => Err(format!(
            "{} channels is outside 1 to {MAX_CHANNELS}",
            fmt.channels
        )),
    }
}

/// Returns the size of a frame in bytes; `None` if neither the block size nor the byte rate agrees with the sample
/// size.
fn frame_bytes(fmt: &Fmt, coding: Coding) -> Option<usize> {
    let channels = usize::from(fmt.channels);
    let by_width = channels * coding.width();
    let by_rate = u64::from(fmt.byte_rate) == u64::try_from(by_width).ok()? * u64::from(fmt.rate);
    (usize::from(fmt.block_align) == by_width || by_rate).then_some(by_width)
}

fn name(header: &Header, coding: Coding) -> String {
    let form = match header.form {
        Form::Riff => "WAV",
        Form::Rf64 => "RF64",
        Form::Bw64 => "BW64",
    };
    match coding {
        Coding::ALaw => format!("{form} A-law"),
        Coding::MuLaw => format!("{form} mu-law"),
        _ => form.into(),
    }
}

fn bits(fmt: &Fmt, coding: Coding) -> Option<Bits> {
    let float = match coding {
        Coding::ALaw | Coding::MuLaw => return None,
        Coding::F32 | Coding::F64 => true,
        _ => false,
    };
    let stated = fmt
        .valid_bits
        .filter(|v| !float && (1..=fmt.bits).contains(v));
    Some(Bits {
        width: stated.unwrap_or(fmt.bits),
        float,
    })
}

/// Returns the remarks about a file with `found` frames. `unused` is the number of frames in further `data` chunks.
pub(super) fn remarks(stated: u64, found: u64, unused: u64) -> Vec<Remark> {
    let mut remarks = Vec::new();
    if stated != found {
        remarks.push(Remark::HeaderLength {
            stated: Frames(stated),
            found: Frames(found),
        });
    }
    if unused > 0 {
        remarks.push(Remark::UnusedAudio {
            frames: Frames(unused),
        });
    }
    remarks
}
/// Bytes at the start of the audio that are searched for a codec.
const SURROUND_SEARCH_BYTES: usize = 16_384;

/// Names the codec whose packets are stored as if they were 16-bit PCM, for a decoder behind a digital output (IEC 61937;
/// ETSI TS 102 114 for DTS). They sound as noise. `None` for audio.
fn surround_codec(start: &[u8]) -> Option<&'static str> {
    // Packets begin after silence.
    let first = start.iter().position(|byte| *byte != 0)? & !1;
    let word = start.get(first..)?.first_chunk::<4>()?;
    match word {
        [0xFE, 0x7F, 0x01, 0x80] | [0x7F, 0xFE, 0x80, 0x01] => Some("DTS"),
        [0xFF, 0x1F, 0x00, 0xE8] | [0x1F, 0xFF, 0xE8, 0x00] => Some("DTS"),
        [0x72, 0xF8, 0x1F, 0x4E] | [0xF8, 0x72, 0x4E, 0x1F] => {
            Some("AC-3, DTS or another codec for a digital output (IEC 61937)")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_for_a_digital_output_are_no_audio() {
        let after_silence = [&[0; 100][..], &[0xFE, 0x7F, 0x01, 0x80, 1, 2]].concat();
        assert_eq!(surround_codec(&after_silence), Some("DTS"));
        let name = surround_codec(&[0x72, 0xF8, 0x1F, 0x4E, 1, 0]).unwrap();
        assert!(name.contains("IEC 61937"));
        assert_eq!(surround_codec(&[0; 100]), None);
        let after_sound = [&[1, 0, 2, 0][..], &after_silence].concat();
        assert_eq!(surround_codec(&after_sound), None);
        assert_eq!(surround_codec(&[0, 0, 1]), None);
    }
}
