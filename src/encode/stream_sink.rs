//! Writes audio files into a writer of the program.

use super::{
    EncodedStream, FileLoudness, Format, Options, Sink, Written,
    stream::{EncodeFault, Output},
};
use crate::{
    block::Block,
    error::{Error, ErrorKind, Result},
    layout::Spec,
    units::Frames,
};
use std::{
    fmt,
    io::{self, Seek, SeekFrom, Write},
};

/// Encodes blocks to an audio file in a writer of the program, from its current position on.
///
/// ```
/// use soundtrack::{Block, Format, Frames, Layout, SampleRate, Sink, Spec, encode::WriterSink};
/// use std::io::Cursor;
/// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
/// let mut out = Cursor::new(Vec::new());
/// let mut sink = WriterSink::new(&mut out, Format::WAV_16, spec, Frames(480), &Default::default())?;
/// let mut block = Block::new(Layout::Mono, 480);
/// block.fill(480, 0.5);
/// sink.write(&block)?;
/// assert_eq!(sink.finish()?.bytes, 44 + 960);
/// assert_eq!(out.into_inner().len(), 44 + 960);
/// # Ok::<(), soundtrack::Error>(())
/// ```
pub struct WriterSink<W> {
    /// `None` after the file is finished.
    stream: Option<EncodedStream<Counted<W>>>,
}

/// A writer, the position of the file in it, and the bytes of the file so far.
struct Counted<W> {
    writer: W,
    start: u64,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let n = self.writer.write(buf)?;
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl<W: Write + Seek> Output for Counted<W> {
    fn rewrite_start(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.writer.seek(SeekFrom::Start(self.start))?;
        self.writer.write_all(bytes)?;
        let end = self.start + self.bytes;
        self.writer.seek(SeekFrom::Start(end)).map(|_| ())
    }
}

impl<W: Write + Seek> WriterSink<W> {
    /// Starts a file of `length` frames. The option `overwrite` has no effect.
    ///
    /// # Errors
    /// `Output` if the length exceeds what the format can hold, and for an error of the writer.
    pub fn new(
        mut writer: W,
        format: Format,
        spec: Spec,
        length: Frames,
        options: &Options,
    ) -> Result<Self> {
        let encoder = format
            .encoder(spec, length, options)
            .map_err(|what| refused(&what))?;
        let start = writer.stream_position().map_err(failed)?;
        let out = Counted {
            writer,
            start,
            bytes: 0,
        };
        let stream = EncodedStream::start(out, encoder, spec.layout.channels(), length);
        Ok(Self {
            stream: Some(stream.map_err(|(_, e)| failed(e))?),
        })
    }

    /// Sets the loudness of the audio before [`finish`](Sink::finish), for metadata that
    /// [states](Options::states_loudness) it.
    pub fn set_loudness(&mut self, loudness: FileLoudness) {
        if let Some(stream) = &mut self.stream {
            stream.set_loudness(loudness);
        }
    }
}

impl<W: Write + Seek> Sink for WriterSink<W> {
    fn write(&mut self, block: &Block) -> Result<()> {
        let Some(stream) = &mut self.stream else {
            return Err(refused("it was written to after its end"));
        };
        stream.write(block).map_err(of_fault)
    }

    /// Writes what is left of the file and flushes the writer, which is then at the end of the file.
    fn finish(&mut self) -> Result<Written> {
        let Some(stream) = self.stream.take() else {
            return Err(refused("it was finished twice"));
        };
        let (mut out, written) = stream.finish().map_err(|(_, fault)| of_fault(fault))?;
        out.flush().map_err(failed)?;
        Ok(Written {
            bytes: out.bytes,
            ..written
        })
    }
}

impl<W> fmt::Debug for WriterSink<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.stream.is_some() {
            "open"
        } else {
            "finished"
        };
        write!(f, "WriterSink({state})")
    }
}

fn of_fault(fault: EncodeFault) -> Error {
    match fault {
        EncodeFault::Io(e) => failed(e),
        EncodeFault::Wrong(what) => refused(&what),
    }
}

fn failed(e: io::Error) -> Error {
    Error::new(ErrorKind::Output, format!("the program's writer: {e}")).because(e)
}

fn refused(what: &str) -> Error {
    Error::new(ErrorKind::Output, format!("the program's writer: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{encode::Metadata, layout::Layout, units::SampleRate};
    use std::io::Cursor;

    #[test]
    fn a_file_begins_where_the_writer_stands_and_its_header_is_written_again_there() {
        let spec = Spec {
            rate: SampleRate::HZ_48000,
            layout: Layout::Mono,
        };
        let options = Options {
            metadata: Metadata {
                originator: "o".into(),
                ..Metadata::default()
            },
            states_loudness: true,
            ..Options::default()
        };
        let mut out = Cursor::new(b"before".to_vec());
        out.set_position(6);
        let mut sink =
            WriterSink::new(&mut out, Format::WAV_16, spec, Frames(3), &options).unwrap();
        let mut block = Block::new(Layout::Mono, 3);
        block.fill(3, 0.5);
        sink.write(&block).unwrap();
        sink.set_loudness(FileLoudness {
            integrated: Some(-23.0),
            ..FileLoudness::default()
        });
        assert_eq!(format!("{sink:?}"), "WriterSink(open)");
        let written = sink.finish().unwrap();
        assert_eq!(format!("{sink:?}"), "WriterSink(finished)");
        let message = |error: Error| error.to_string();
        assert_eq!(
            sink.finish().map_err(message),
            Err("the program's writer: it was finished twice".to_owned())
        );
        assert_eq!(
            sink.write(&block).map_err(message),
            Err("the program's writer: it was written to after its end".to_owned())
        );
        let (position, bytes) = (out.position(), out.into_inner());
        assert_eq!(
            (position, written.bytes + 6),
            (bytes.len() as u64, bytes.len() as u64)
        );
        assert_eq!(bytes[..10], *b"beforeRIFF");
        let at = bytes.windows(4).position(|w| w == b"bext").unwrap() + 8 + 412;
        assert_eq!(bytes[at..at + 2], (-2300i16).to_le_bytes());
        assert_eq!(bytes[bytes.len() - 6..], [0, 0x40, 0, 0x40, 0, 0x40]);
    }
}
