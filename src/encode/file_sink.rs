//! Writes audio into files that appear whole or not at all, one at a time or several together.

use super::{EncodedStream, Format, Options, Sink, Written, stream::Fault};
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

/// Encodes blocks into an audio file. The file appears when [`finish`](Sink::finish) succeeds; dropped before, it leaves
/// nothing.
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
    /// `None` once the file is finished.
    stream: Option<EncodedStream<AtomicFile>>,
}

impl FileSink {
    /// Refuses a path that [`create`](Self::create) would refuse, before any work is done.
    ///
    /// # Errors
    /// As [`create_with`](Self::create_with).
    pub(crate) fn check(path: &Path, format: Format, overwrite: bool) -> Result<()> {
        AtomicFile::check(path, overwrite)?;
        format.container.check_name(path)
    }

    /// Starts a file of `length` frames that must not exist yet.
    ///
    /// A symbolic link is followed. Only regular files: no folder, device or pipe.
    ///
    /// # Errors
    /// `Unsupported` for a name whose extension says another format ([`Format`]); `Output` for an existing file, a folder
    /// that is missing or cannot be written, and a length beyond 2^64 bytes.
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
    /// As [`create`](Self::create); with [`Options::overwrite`] also for an existing file that is read-only.
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
        let file = AtomicFile::create_sized(path, options.overwrite, encoder.size())?;
        let stream = EncodedStream::start(file, encoder, spec.layout.channels(), length);
        Ok(Self {
            stream: Some(stream.map_err(|(file, e)| file.failed(e))?),
        })
    }

    /// Completes the file, on the disk, without making it visible: [`publish`] does.
    pub(crate) fn complete(&mut self) -> Result<CompleteAudio> {
        let Some(stream) = self.stream.take() else {
            return Err(Error::new(
                ErrorKind::Output,
                "an audio file was finished twice",
            ));
        };
        let (mut file, mut written) = match stream.finish() {
            Ok(done) => done,
            Err((file, Fault::Io(e))) => return Err(file.failed(e)),
            Err((file, Fault::Wrong(what))) => return Err(refused(file.target(), &what)),
        };
        file.flush().map_err(|e| file.failed(e))?;
        written.path = Some(file.target().to_owned());
        Ok(CompleteAudio {
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
            Fault::Io(e) => stream.out.failed(e),
            Fault::Wrong(what) => refused(stream.out.target(), &what),
        })
    }

    fn finish(&mut self) -> Result<Written> {
        Ok(publish(vec![self.complete()?])?.pop().unwrap_or_default())
    }
}

fn refused(path: &Path, what: &str) -> Error {
    Error::new(ErrorKind::Output, format!("{}: {what}", path.display()))
}

/// A complete audio file under its temporary name; dropped, it leaves nothing.
#[derive(Debug)]
pub(crate) struct CompleteAudio {
    file: CompleteFile,
    written: Written,
}

/// Makes all files visible, or none, as [`storage::publish`] does.
pub(crate) fn publish(files: Vec<CompleteAudio>) -> Result<Vec<Written>> {
    let (files, mut written): (Vec<_>, Vec<_>) =
        files.into_iter().map(|f| (f.file, f.written)).unzip();
    let sizes = storage::publish(files)?;
    written
        .iter_mut()
        .zip(sizes)
        .for_each(|(written, bytes)| written.bytes = bytes);
    Ok(written)
}

/// Encodes blocks without writing them, so that samples a file would not hold are counted.
#[derive(Debug)]
pub(crate) struct DryRunSink(Option<EncodedStream<io::Sink>>);

impl DryRunSink {
    /// Starts a dry run of `length` frames.
    pub(crate) fn new(format: Format, spec: Spec, length: Frames) -> Result<Self> {
        let encoder = format
            .encoder(spec, length, &Options::default())
            .map_err(dry_run_fault)?;
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
