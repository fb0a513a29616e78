//! Joins slices of a long mix, rendered in any order and on any machines, into the file that a
//! single render writes.
//!
//! A slice is a range rendered with [`Bounce::joinable`](crate::Bounce::joinable). By the range law
//! its samples are those of the whole mix. This includes a limiter's, because a slice is rendered
//! from [`Plan::warm_up`](crate::Plan::warm_up) frames earlier. The file contains its position, an
//! identifier of the mix, and the header of the whole file, so joining copies bytes, and the result
//! equals the whole file byte for byte. Not supported: FLAC files; slices of different mixes, formats or
//! versions of this crate; slices that overlap or leave a gap; weighted dither, whose error
//! feedback depends on the first frame.

use crate::{
    encode::{Container, Dither, Format, Shaping, Slice},
    error::{Error, ErrorKind, Result},
    media::Damage,
    plan::Plan,
    report::Report,
    riff::{self, Found},
    storage::{AtomicFile, same_file},
    units::{Frames, saturating_usize},
};
use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    ops::Range,
    path::{Path, PathBuf},
};

/// Returns the position of a range within the mix, to be stored in its file.
pub(crate) fn slice_of_range(
    plan: &Plan,
    range: &Range<Frames>,
    dither: Option<Dither>,
) -> Result<Slice> {
    let refused = |what: String| Err(Error::new(ErrorKind::Session, what));
    if dither.is_some_and(|d| d.shaping == Shaping::Weighted) {
        return refused(
            "weighted dither depends on where a render starts, so its parts are not those of the whole: \
             take high-pass or white"
                .to_owned(),
        );
    }
    if range.end > plan.length() {
        let end = plan.length().clock(plan.spec().rate);
        return refused(format!(
            "a part that is to be joined goes past the end of the mix, which is at {end}"
        ));
    }
    Ok(Slice {
        start: range.start,
        whole: plan.length(),
        mix: plan.fingerprint(&dither),
    })
}

/// Open slice.
struct SliceFile {
    path: PathBuf,
    file: File,
    slice: Slice,
    header: Vec<u8>,
    /// Offset of the audio in the file, its size in bytes and its length in frames.
    at: u64,
    bytes: u64,
    frames: u64,
}

impl SliceFile {
    fn end(&self) -> u64 {
        self.slice.start.0.saturating_add(self.frames)
    }
}

/// Joins slices, given in any order, into the file that a single render of the whole mix writes.
/// The joined file is measured again. Memory use does not depend on the length.
///
/// ```
/// use soundtrack::{Bounce, Frames, Layout, SampleRate, Session, Spec, Track, slice, media::Memory};
/// let folder = tempfile::tempdir()?;
/// let at = |name: &str| folder.path().join(name);
/// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
/// let mut mix = Session::new(spec.rate, spec.layout);
/// mix.add_track(Track::new("x", Memory::new(spec, vec![vec![0.25; 48_000]])?));
/// mix.bounce(at("whole.wav"))?;
/// let part = || Bounce::new().joinable(true);
/// part().range(Frames(0)..Frames(20_000)).run(&mix, at("a.wav"))?;
/// part().range(Frames(20_000)..Frames(48_000)).run(&mix, at("b.wav"))?;
/// let report = slice::join(&[at("b.wav"), at("a.wav")], at("joined.wav"), false)?;
/// assert_eq!(std::fs::read(at("joined.wav"))?, std::fs::read(at("whole.wav"))?);
/// assert_eq!((report.frames, report.mix.peak_dbfs), (48_000, Some(-12.041199826559248)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// `NotFound`, `Unsupported` or `Corrupt` for a file that is not a slice, is truncated, or does not
/// match the others, and for gaps and overlaps, with the names of the files; `Unsupported` for an
/// output whose extension is not that of a WAV file ([`Format`]); `Output` as for
/// all written files.
pub fn join(
    parts: &[impl AsRef<Path>],
    output: impl AsRef<Path>,
    overwrite: bool,
) -> Result<Report> {
    let output = output.as_ref();
    if Format::of_file_name(output).is_some_and(|f| f.container == Container::Flac) {
        let what =
            "parts are joined into a WAV file: name it .wav, and mix that file into a FLAC file";
        return Err(refused(output, ErrorKind::Unsupported, what));
    }
    Container::Wav.check_name(output)?;
    let mut parts: Vec<SliceFile> = parts
        .iter()
        .map(|path| open(path.as_ref()))
        .collect::<Result<_>>()?;
    parts.sort_by_key(|part| (part.slice.start, part.end()));
    let Some(first) = parts.first() else {
        return Err(Error::new(
            ErrorKind::NotFound,
            "there are no parts to join",
        ));
    };
    for part in &parts {
        if same_file(&part.path, output)? {
            let what = format!("{}: is one of the parts", output.display());
            return Err(Error::new(ErrorKind::Output, what));
        }
        check_same_mix(first, part)?;
    }
    check_contiguous(&parts)?;
    let data: u64 = parts.iter().map(|part| part.bytes).sum();
    let header = first.header.clone();
    let mut file = AtomicFile::create_sized(
        output,
        overwrite,
        data.saturating_add(header.len() as u64 + data % 2),
    )?;
    file.write_all(&header).map_err(|e| file.failed(e))?;
    for part in &mut parts {
        append_audio(part, &mut file)?;
    }
    let pad: &[u8] = if data % 2 == 1 { &[0] } else { &[] };
    file.write_all(pad).map_err(|e| file.failed(e))?;
    let bytes = file.finish()?;
    let mut report = Report::of_audio(output, 1, Damage::Refuse)?;
    (report.overview, report.bytes) = (None, bytes);
    Ok(report)
}

/// Opens a slice and reads its position within the mix.
fn open(path: &Path) -> Result<SliceFile> {
    const NO_SLICE: &str = "does not say which part of a mix it is: render it with --range";
    const FLAC_SLICE: &str =
        "a FLAC file does not say which part of a mix it is: render the parts as WAV";
    let metadata = path.metadata().map_err(|e| read_error(path, e))?;
    if !metadata.is_file() {
        return Err(refused(
            path,
            ErrorKind::Unsupported,
            "is not a regular file",
        ));
    }
    let mut file = File::open(path).map_err(|e| read_error(path, e))?;
    let Found::Wave(header) = riff::open(&mut file).map_err(|e| read_error(path, e))? else {
        let is_flac = Format::of_file_name(path).is_some_and(|f| f.container == Container::Flac);
        let what = if is_flac { FLAC_SLICE } else { NO_SLICE };
        return Err(refused(path, ErrorKind::Unsupported, what));
    };
    let Some((slice, whole_header)) = header.slice.as_deref().and_then(Slice::parse) else {
        return Err(refused(path, ErrorKind::Unsupported, NO_SLICE));
    };
    let (bytes, stated) = (header.extent.held, header.extent.stated);
    let frame_bytes = u64::from(header.fmt.block_align).max(1);
    if bytes != stated {
        let what = format!("{bytes} of {stated} bytes are there: render it again");
        return Err(refused(path, ErrorKind::Corrupt, &what));
    }
    if bytes % frame_bytes != 0 {
        let what = format!(
            "{bytes} bytes of audio are no whole number of frames, which have {frame_bytes} each: render it again"
        );
        return Err(refused(path, ErrorKind::Corrupt, &what));
    }
    Ok(SliceFile {
        path: path.to_owned(),
        file,
        slice,
        header: whole_header.to_vec(),
        at: header.extent.at,
        bytes,
        frames: bytes / frame_bytes,
    })
}

fn refused(path: &Path, kind: ErrorKind, what: &str) -> Error {
    Error::new(kind, format!("{}: {what}", path.display()))
}

fn read_error(path: &Path, e: io::Error) -> Error {
    match e.kind() {
        io::ErrorKind::NotFound => refused(path, ErrorKind::NotFound, "there is no such file"),
        _ => refused(path, ErrorKind::Corrupt, &e.to_string()),
    }
    .because(e)
}

/// Refuses slices of different mixes and formats.
fn check_same_mix(first: &SliceFile, part: &SliceFile) -> Result<()> {
    let what = if first.slice.mix != part.slice.mix || first.slice.whole != part.slice.whole {
        "are parts of different mixes, or of one that was changed between them"
    } else if first.header != part.header {
        "have different formats or metadata"
    } else {
        return Ok(());
    };
    let what = format!(
        "{} and {}: {what}",
        first.path.display(),
        part.path.display()
    );
    Err(Error::new(ErrorKind::Corrupt, what))
}

/// Refuses gaps and overlaps. The slices must be in order.
fn check_contiguous(parts: &[SliceFile]) -> Result<()> {
    let mut before: Option<&SliceFile> = None;
    for part in parts {
        let (start, end) = (part.slice.start.0, before.map_or(0, SliceFile::end));
        let name = part.path.display();
        let fault = match before {
            Some(other) if start < end => format!(
                "{} and {name}: both hold frames {start} to {}",
                other.path.display(),
                end.min(part.end())
            ),
            Some(other) if start > end => format!(
                "{} and {name}: frames {end} to {start} are missing between them",
                other.path.display()
            ),
            None if start > 0 => format!("{name}: frames 0 to {start} are missing before it"),
            _ => {
                before = Some(part);
                continue;
            }
        };
        return Err(Error::new(ErrorKind::Corrupt, fault));
    }
    if let Some(last) = before
        && last.end() < last.slice.whole.0
    {
        let (end, whole) = (last.end(), last.slice.whole);
        let what = format!("frames {end} to {whole} are missing after it");
        return Err(refused(&last.path, ErrorKind::Corrupt, &what));
    }
    Ok(())
}

/// Appends the audio of a slice.
fn append_audio(part: &mut SliceFile, to: &mut AtomicFile) -> Result<()> {
    part.file
        .seek(SeekFrom::Start(part.at))
        .map_err(|e| read_error(&part.path, e))?;
    let (mut left, mut buffer) = (part.bytes, vec![0; 1 << 18]);
    while left > 0 {
        let most = saturating_usize(left).min(buffer.len());
        let piece = buffer.get_mut(..most).unwrap_or_default();
        part.file
            .read_exact(piece)
            .map_err(|e| read_error(&part.path, e))?;
        to.write_all(piece).map_err(|e| to.failed(e))?;
        left -= most as u64;
    }
    Ok(())
}
