//! Writes audio files atomically, one at a time or several together.

use super::{
    Container, EncodedStream, FileLoudness, Format, Options, Sink, Written, stream::EncodeFault,
};
use crate::{
    block::Block,
    error::{Error, ErrorKind, Result},
    layout::Spec,
    storage::{self, AtomicFile, CompleteFile},
    units::Frames,
};
use std::{
    io::{self, Write},
    path::Path,
};

/// Encodes blocks to an audio file. The file becomes visible when [`finish`](Sink::finish)
/// succeeds; dropping the sink earlier leaves no file.
///
/// ```
/// use soundtrack::{Block, Format, Frames, Layout, SampleRate, Sink, Spec, encode::FileSink};
/// let folder = tempfile::tempdir()?;
/// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
/// let mut sink = FileSink::create(folder.path().join("half.wav"), Format::WAV_16, spec, Frames(480))?;
/// let mut block = Block::new(Layout::Mono, 480);
/// block.fill(480, 0.5);
/// sink.write(&block)?;
/// let written = sink.finish()?;
/// assert_eq!((written.frames, written.bytes, written.clipped), (Frames(480), 44 + 960, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct FileSink {
    /// `None` after the file is finished.
    stream: Option<EncodedStream<AtomicFile>>,
}

impl FileSink {
    /// Checks, before any work is done, that [`create`](Self::create) would accept a path.
    ///
    /// # Errors
    /// See [`create_with`](Self::create_with).
    pub(crate) fn check(path: &Path, format: Format, overwrite: bool) -> Result<()> {
        AtomicFile::check(path, overwrite)?;
        format.container.check_name(path)
    }

    /// Starts a new file of `length` frames. The file must not exist.
    ///
    /// A symbolic link is followed. Folders, devices and pipes are refused.
    ///
    /// # Errors
    /// `Unsupported` if the extension belongs to another format ([`Format`]); `Output` if the file
    /// exists, if its folder does not exist or is not writable, or if the length exceeds what the
    /// format can hold.
    pub fn create(
        path: impl AsRef<Path>,
        format: Format,
        spec: Spec,
        length: Frames,
    ) -> Result<Self> {
        Self::create_with(path, format, spec, length, &Options::default())
    }

    /// Starts a file of `length` frames with options.
    ///
    /// # Errors
    /// See [`create`](Self::create). With [`Options::overwrite`] an existing file is accepted
    /// unless it is read-only.
    pub fn create_with(
        path: impl AsRef<Path>,
        format: Format,
        spec: Spec,
        length: Frames,
        options: &Options,
    ) -> Result<Self> {
        let path = path.as_ref();
        format.container.check_name(path)?;
        let encoder = format
            .encoder(spec, length, options)
            .map_err(|what| refused(path, &what))?;
        let file = if encoder.has_final_header() {
            AtomicFile::create_rewritable(path, options.overwrite, encoder.size())?
        } else {
            AtomicFile::create_sized(path, options.overwrite, encoder.size())?
        };
        let stream = EncodedStream::start(file, encoder, spec.layout.channels(), length);
        Ok(Self {
            stream: Some(stream.map_err(|(file, e)| file.failed(e))?),
        })
    }

    /// Sets the loudness of the audio before [`finish`](Sink::finish), for metadata that
    /// [states](Options::states_loudness) it.
    pub fn set_loudness(&mut self, loudness: FileLoudness) {
        if let Some(stream) = &mut self.stream {
            stream.set_loudness(loudness);
        }
    }

    /// Syncs the file to disk without making it visible; [`publish`] does that.
    pub(crate) fn complete(&mut self) -> Result<CompleteOutput> {
        let Some(stream) = self.stream.take() else {
            return Err(Error::new(
                ErrorKind::Output,
                "an audio file was finished twice",
            ));
        };
        let (mut file, mut written) = match stream.finish() {
            Ok(done) => done,
            Err((file, EncodeFault::Io(e))) => return Err(file.failed(e)),
            Err((file, EncodeFault::Wrong(what))) => return Err(refused(file.target(), &what)),
        };
        file.flush().map_err(|e| file.failed(e))?;
        written.path = Some(file.target().to_owned());
        Ok(CompleteOutput {
            file: file.complete()?,
            written,
        })
    }
}

impl Sink for FileSink {
    fn write(&mut self, block: &Block) -> Result<()> {
        let Some(stream) = &mut self.stream else {
            return Err(Error::new(
                ErrorKind::Output,
                "an audio file was written to after its end",
            ));
        };
        stream.write(block).map_err(|fault| match fault {
            EncodeFault::Io(e) => stream.out.failed(e),
            EncodeFault::Wrong(what) => refused(stream.out.target(), &what),
        })
    }

    fn finish(&mut self) -> Result<Written> {
        Ok(publish(vec![self.complete()?])?.pop().unwrap_or_default())
    }
}

fn refused(path: &Path, what: &str) -> Error {
    Error::new(ErrorKind::Output, format!("{}: {what}", path.display()))
}

/// Complete output file under its temporary name. Dropping it removes the file.
#[derive(Debug)]
pub(crate) struct CompleteOutput {
    file: CompleteFile,
    written: Written,
}

impl CompleteOutput {
    /// Returns the path under which a local file can be read until it becomes visible.
    pub(crate) fn temporary(&self) -> Option<&Path> {
        self.file.temporary()
    }

    /// Returns the result of writing the audio.
    pub(crate) fn written(&self) -> &Written {
        &self.written
    }

    /// Writes a text to a file, without making it visible.
    pub(crate) fn of_text(path: &Path, text: &str, overwrite: bool) -> Result<Self> {
        let mut file = AtomicFile::create_sized(path, overwrite, text.len() as u64)?;
        file.write_all(text.as_bytes())
            .and_then(|()| file.flush())
            .map_err(|e| file.failed(e))?;
        let written = Written {
            path: Some(file.target().to_owned()),
            ..Written::default()
        };
        Ok(Self {
            file: file.complete()?,
            written,
        })
    }
}

/// Makes all files visible or none; see [`storage::publish`].
pub(crate) fn publish(files: Vec<CompleteOutput>) -> Result<Vec<Written>> {
    let (files, mut written): (Vec<_>, Vec<_>) =
        files.into_iter().map(|f| (f.file, f.written)).unzip();
    let sizes = storage::publish(files)?;
    written
        .iter_mut()
        .zip(sizes)
        .for_each(|(written, bytes)| written.bytes = bytes);
    Ok(written)
}

/// Encodes blocks without writing them, to count the samples that a file would clip.
#[derive(Debug)]
pub(crate) struct DryRunSink(Option<EncodedStream<io::Sink>>);

impl DryRunSink {
    /// Starts a dry run of `length` frames.
    pub(crate) fn new(format: Format, spec: Spec, length: Frames) -> Result<Self> {
        let encoder = |format: Format| {
            format
                .encoder(spec, length, &Options::default())
                .map_err(dry_run_fault)
        };
        encoder(format)?;
        // Any container clips the same samples. WAVE is the one that costs least.
        let encoder = encoder(Format {
            container: Container::Wav,
            ..format
        })?;
        let stream = EncodedStream::start(io::sink(), encoder, spec.layout.channels(), length);
        Ok(Self(Some(
            stream.map_err(|(_, e)| dry_run_fault(e.to_string()))?,
        )))
    }
}

impl Sink for DryRunSink {
    fn write(&mut self, block: &Block) -> Result<()> {
        match &mut self.0 {
            Some(stream) => stream
                .write(block)
                .map_err(|fault| dry_run_fault(fault.to_string())),
            None => Err(dry_run_fault("was written to after its end".into())),
        }
    }

    fn finish(&mut self) -> Result<Written> {
        match self.0.take().map(EncodedStream::finish) {
            Some(Ok((_, written))) => Ok(written),
            Some(Err((_, fault))) => Err(dry_run_fault(fault.to_string())),
            None => Err(dry_run_fault("was finished twice".into())),
        }
    }
}

fn dry_run_fault(what: String) -> Error {
    Error::new(ErrorKind::Output, format!("dry run: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{layout::Layout, units::SampleRate};
    use std::fs;

    const MONO: Spec = Spec {
        rate: SampleRate::HZ_48000,
        layout: Layout::Mono,
    };

    fn block(frames: usize, value: f64) -> Block {
        let mut block = Block::new(Layout::Mono, frames);
        block.fill(frames, value);
        block
    }

    fn message<T>(result: Result<T>) -> String {
        result.map(drop).unwrap_err().to_string()
    }

    #[test]
    fn a_file_is_written_and_finished_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        let mut sink = FileSink::create(&path, Format::WAV_16, MONO, Frames(3)).unwrap();
        let named = |what: &str| format!("{}: {what}", path.display());
        assert_eq!(
            message(sink.write(&Block::new(Layout::Stereo, 1))),
            named("a block of 2 channels for a file of 1")
        );
        sink.write(&block(3, 2.0)).unwrap();
        assert_eq!(
            message(sink.write(&block(1, 0.0))),
            named("3 frames were promised, 4 came")
        );
        let written = sink.finish().unwrap();
        assert_eq!(
            (written.frames, written.bytes, written.clipped),
            (Frames(3), 44 + 6, 3)
        );
        assert_eq!((written.path, written.non_finite), (Some(path.clone()), 0));
        assert_eq!(fs::metadata(&path).unwrap().len(), 50);
        assert_eq!(message(sink.finish()), "an audio file was finished twice");
        assert_eq!(
            message(sink.write(&block(1, 0.0))),
            "an audio file was written to after its end"
        );
        let short = |mut sink: FileSink| message(sink.finish());
        let other = folder.path().join("b.wav");
        let sink = FileSink::create(&other, Format::WAV_16, MONO, Frames(2)).unwrap();
        assert_eq!(
            short(sink),
            format!("{}: 2 frames were promised, 0 came", other.display())
        );
        assert!(!other.exists());
    }

    #[test]
    fn a_path_is_checked_for_its_extension_and_for_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("old.wav"), "").unwrap();
        let check = |name: &str, overwrite| FileSink::check(&at(name), Format::WAV_24, overwrite);
        assert!(check("new.wav", false).is_ok() && check("old.wav", true).is_ok());
        assert_eq!(
            check("old.wav", false).unwrap_err().kind(),
            ErrorKind::Output
        );
        let wrong = check("new.flac", false).unwrap_err();
        assert_eq!(wrong.kind(), ErrorKind::Unsupported);
        let wrong = FileSink::create(at("new.flac"), Format::WAV_24, MONO, Frames(1)).unwrap_err();
        assert_eq!(wrong.kind(), ErrorKind::Unsupported);
        assert!(!at("new.wav").exists() && !at("new.flac").exists());
    }

    #[test]
    fn texts_become_visible_together() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let text = |name: &str, text: &str| CompleteOutput::of_text(&at(name), text, false);
        let (a, b) = (
            text("a.txt", "one").unwrap(),
            text("b.txt", "three").unwrap(),
        );
        assert_eq!(fs::read_to_string(a.temporary().unwrap()).unwrap(), "one");
        assert_eq!(a.written().path, Some(at("a.txt")));
        assert!(!at("a.txt").exists() && !at("b.txt").exists());
        let sizes = publish(vec![a, b]).unwrap().into_iter().map(|w| w.bytes);
        assert_eq!(sizes.collect::<Vec<_>>(), [3, 5]);
        assert_eq!(fs::read_to_string(at("a.txt")).unwrap(), "one");
        assert_eq!(fs::read_to_string(at("b.txt")).unwrap(), "three");
        assert!(text("a.txt", "two").is_err());
        let again = CompleteOutput::of_text(&at("a.txt"), "two", true).unwrap();
        drop(again);
        assert_eq!(fs::read_to_string(at("a.txt")).unwrap(), "one");
    }

    #[test]
    fn a_dry_run_counts_what_a_file_would_clip() {
        for format in [Format::WAV_16, Format::FLAC_24] {
            let mut sink = DryRunSink::new(format, MONO, Frames(5)).unwrap();
            sink.write(&block(3, 1.5)).unwrap();
            sink.write(&block(2, 0.5)).unwrap();
            assert_eq!(
                message(sink.write(&block(1, 0.5))),
                "dry run: 5 frames were promised, 6 came"
            );
            let written = sink.finish().unwrap();
            assert_eq!((written.frames, written.clipped), (Frames(5), 3));
            assert_eq!(message(sink.finish()), "dry run: was finished twice");
            assert_eq!(
                message(sink.write(&block(1, 0.5))),
                "dry run: was written to after its end"
            );
        }
        let mut float = DryRunSink::new(Format::WAV_32F, MONO, Frames(1)).unwrap();
        float.write(&block(1, 1.5)).unwrap();
        assert_eq!(float.finish().unwrap().clipped, 0);
        let nine = Spec {
            layout: Layout::Discrete(9),
            ..MONO
        };
        assert!(DryRunSink::new(Format::WAV_24, nine, Frames(1)).is_ok());
        assert!(
            message(DryRunSink::new(Format::FLAC_24, nine, Frames(1))).starts_with("dry run: ")
        );
    }
}
