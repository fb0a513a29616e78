//! WAVE files: RIFF, RF64, BW64, with or without `bext`.
//!
//! Promises: every sample exact (`v / 2^(bits-1)`), every length looked up in the file and not believed, seeks exact
//! and in constant time, memory that does not grow with the file, an error where the file is written to while it is read. Samples that are not finite pass through: the layer
//! above judges them.
//!
//! Reads integer PCM of 8, 16, 24 and 32 bits (fewer valid bits left-justified in those, as the standard says), 24 bits
//! in 4 bytes, float of 32 and 64 bits, A-law and mu-law (ITU-T G.711). Not: RIFX, ADPCM and other codecs in WAVE.

mod coding;

use super::{Bits, Info, Remark, Source};
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

/// Bytes read at once: it stays in a core's nearest caches until it is converted.
const CHUNK: usize = 64 * 1024;
/// The mask of 6.1 with a pair of back speakers instead of side speakers: L R C LFE Lb Rb Cs.
const BACK_61: u32 = 0x13F;
/// For every channel of 6.1 the one of such a file. The two pairs are the same speakers, as they are in 5.1.
const BACK_61_ORDER: [usize; 7] = [0, 1, 2, 3, 6, 4, 5];
/// More channels than this in one file are taken for a damaged header.
const MOST_CHANNELS: u16 = 64;

/// An open WAVE file.
#[derive(Debug)]
pub struct Wav {
    file: InputFile,
    path: PathBuf,
    spec: Spec,
    coding: Coding,
    /// For every channel which one of the file it is; channels that are not named are where they are.
    order: &'static [usize],
    /// Where the first frame is.
    at: u64,
    frame_bytes: usize,
    /// Frames that are there.
    held: u64,
    /// The frame that is read next.
    next: u64,
    raw: Vec<u8>,
}

impl Wav {
    /// Opens a file and says what it is. `None` for what another reader may know: a file that is no RIFF, or a WAVE of
    /// another codec than the ones named above.
    ///
    /// A file that is cut off opens: [`Info::missing`] tells how much, and reading ends where the file does.
    ///
    /// # Errors
    /// `NotFound` where there is no such file. `Unsupported` for what is no regular file, RIFX and RIFF files that are
    /// not WAVE, a rate outside 1 to 768 000 Hz, 0 or more than 64 channels. `Corrupt` for a header without `fmt ` or
    /// `data`, or that contradicts itself, and a file that cannot be read.
    pub fn open(path: &Path) -> Result<Option<(Self, Info)>> {
        Self::of(path, regular(path)?)
    }

    /// The same for a file that is open.
    pub(super) fn of(path: &Path, mut file: InputFile) -> Result<Option<(Self, Info)>> {
        let header = match riff::open(&mut file).map_err(|e| unreadable(path, e))? {
            Found::Foreign => return Ok(None),
            Found::Refused(what) => return Err(refused(path, &format!("{what} is not read"))),
            Found::Broken(what) => return Err(Error::new(ErrorKind::Corrupt, format!("{}: {what}", path.display()))),
            Found::Wave(header) => header,
        };
        let rate =
            SampleRate::new(header.fmt.rate).map_err(|e| Error::new(e.kind(), format!("{}: {e}", path.display())))?;
        let layout = layout(&header.fmt).map_err(|what| refused(path, &what))?;
        let order: &[usize] = if is_back_61(&header.fmt) { &BACK_61_ORDER } else { &[] };
        let Some(coding) = Coding::of(&header.fmt) else { return Ok(None) };
        let Some(frame_bytes) = frame_bytes(&header.fmt, coding) else {
            let f = header.fmt;
            let what = format!(
                "the header contradicts itself: {} channels of {} bits in frames of {} bytes",
                f.channels, f.bits, f.block_align
            );
            return Err(Error::new(ErrorKind::Corrupt, format!("{}: {what}", path.display())));
        };
        let spec = Spec { rate, layout };
        let unit = u64::try_from(frame_bytes).unwrap_or(u64::MAX);
        let (held, promised) = (header.extent.held / unit, header.extent.promised / unit);
        let info = Info {
            spec,
            frames: Frames(promised),
            missing: Frames(promised - held),
            codec: name(&header, coding),
            bits: bits(&header.fmt, coding),
            trimmed_start: Frames::ZERO,
            trimmed_end: Frames::ZERO,
            time_reference: header.time_reference.map(Frames),
            streams: 1,
            remarks: remarks(header.extent.stated / unit, promised),
        };
        let at = header.extent.at;
        let path = path.to_owned();
        let mut wav = Self { file, path, spec, coding, order, at, frame_bytes, held, next: u64::MAX, raw: Vec::new() };
        wav.seek(Frames::ZERO)?;
        Ok(Some((wav, info)))
    }

    /// Reads the next `frames` frames into the reused buffer.
    fn fetch(&mut self, frames: usize) -> Result<()> {
        let bytes = frames * self.frame_bytes;
        self.raw.resize(bytes, 0);
        self.file.read_exact(&mut self.raw).map_err(|e| {
            let when = Frames(self.next).clock(self.spec.rate);
            // Where the file stands now is not known: only a seek goes on from here.
            self.next = u64::MAX;
            if e.kind() == io::ErrorKind::UnexpectedEof {
                let what = format!("{}: ends at {when}: it was cut while it was read", self.path.display());
                return Error::new(ErrorKind::Corrupt, what).because(e);
            }
            let what = format!("{}: cannot be read at {when}: {e}", self.path.display());
            Error::new(ErrorKind::Corrupt, what).because(e)
        })?;
        // Behind the data, so that these bytes are of the content that was opened too.
        if let Some(why) = self.file.trouble() {
            return Err(Error::new(ErrorKind::Corrupt, format!("{}: {why}", self.path.display())).because(why));
        }
        Ok(())
    }

    /// Converts the frames that were fetched into a part of a block.
    fn convert(&self, out: &mut Block, part: Range<usize>) {
        let channels = self.spec.layout.channels();
        let mut sides = out.channels_mut().map(|c| c.get_mut(part.clone()).unwrap_or_default());
        if let (Coding::I24, 2) = (self.coding, channels)
            && let (Some(left), Some(right)) = (sides.next(), sides.next())
        {
            return coding::stereo_24(&self.raw, left, right);
        }
        for (ch, to) in sides.enumerate() {
            let from = self.order.get(ch).copied().unwrap_or(ch);
            self.coding.unpack(&self.raw, from, channels, to);
        }
    }
}

impl Source for Wav {
    fn spec(&self) -> Spec {
        self.spec
    }

    /// The frames that the file holds: fewer than [`Info::frames`] where it is cut off.
    fn length(&self) -> Option<Frames> {
        Some(Frames(self.held))
    }

    fn read(&mut self, out: &mut Block) -> Result<usize> {
        let left = self.held.saturating_sub(self.next);
        let want = usize::try_from(left).unwrap_or(usize::MAX).min(out.capacity());
        let at_once = (CHUNK / self.frame_bytes).max(1);
        out.set_frames(want);
        let mut done = 0;
        while done < want {
            let n = at_once.min(want - done);
            if let Err(e) = self.fetch(n) {
                out.set_frames(done);
                return Err(e);
            }
            self.convert(out, done..done + n);
            done += n;
            self.next += u64::try_from(n).unwrap_or(0);
        }
        Ok(want)
    }

    fn seek(&mut self, to: Frames) -> Result<()> {
        let to = to.0.min(self.held);
        if to != self.next {
            let unit = u64::try_from(self.frame_bytes).unwrap_or(0);
            let at = self.at.saturating_add(to.saturating_mul(unit));
            self.file.seek(SeekFrom::Start(at)).map_err(|e| unreadable(&self.path, e))?;
            self.next = to;
        }
        Ok(())
    }
}

/// Opens what is a regular file; a pipe would wait for ever.
fn regular(path: &Path) -> Result<InputFile> {
    let local = match Location::of(path)? {
        Location::Local(local) => local,
        #[cfg(feature = "cloud")]
        Location::Object(url) => return InputFile::object(url).map_err(|e| unreadable(path, e)),
    };
    let meta = std::fs::metadata(&local).map_err(|e| unreadable(path, e))?;
    if meta.is_dir() {
        return Err(refused(path, "is a folder, not a file"));
    }
    if !meta.is_file() {
        return Err(refused(path, "is no regular file: copy it to one"));
    }
    InputFile::open(&local).map_err(|e| unreadable(path, e))
}

fn refused(path: &Path, what: &str) -> Error {
    Error::new(ErrorKind::Unsupported, format!("{}: {what}", path.display()))
}

fn unreadable(path: &Path, e: io::Error) -> Error {
    let kind = if e.kind() == io::ErrorKind::NotFound { ErrorKind::NotFound } else { ErrorKind::Corrupt };
    Error::new(kind, format!("{}: {e}", path.display())).because(e)
}

fn is_back_61(fmt: &Fmt) -> bool {
    (fmt.channels, fmt.mask) == (7, BACK_61)
}

fn layout(fmt: &Fmt) -> Result<Layout, String> {
    match u8::try_from(fmt.channels) {
        Ok(_) if is_back_61(fmt) => Ok(Layout::Surround61),
        Ok(n @ 1..) if fmt.channels <= MOST_CHANNELS => Ok(Layout::from_mask(n, fmt.mask)),
        _ => Err(format!("{} channels is outside 1 to {MOST_CHANNELS}", fmt.channels)),
    }
}

/// Bytes of a frame: the block size and the width of the samples must agree, or the byte rate must decide.
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
    let stated = fmt.valid_bits.filter(|v| !float && (1..=fmt.bits).contains(v));
    Some(Bits { width: stated.unwrap_or(fmt.bits), float })
}

fn remarks(stated: u64, found: u64) -> Vec<Remark> {
    let lie = Remark::HeaderLength { stated: Frames(stated), found: Frames(found) };
    if stated == found { Vec::new() } else { vec![lie] }
}
