//! Encodes blocks to a byte stream.

use super::{Encoder, FileLoudness, Written};
use crate::{block::Block, storage::AtomicFile, units::Frames};
use std::{
    fmt,
    io::{self, Write},
};

/// Reason why a block was not encoded.
#[derive(Debug)]
pub(super) enum EncodeFault {
    /// I/O error of the output.
    Io(io::Error),
    /// The caller passed a wrong number of channels or frames, or continued after a failed write.
    Wrong(String),
}

impl fmt::Display for EncodeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(e) => e.fmt(f),
            Self::Wrong(what) => f.write_str(what),
        }
    }
}

/// Output whose first bytes can be written again.
pub(super) trait Output: Write {
    /// Replaces the first bytes by others. Nothing is written afterwards.
    fn rewrite_start(&mut self, bytes: &[u8]) -> io::Result<()>;
}

impl Output for AtomicFile {
    fn rewrite_start(&mut self, bytes: &[u8]) -> io::Result<()> {
        Self::rewrite_start(self, bytes)
    }
}

impl Output for io::Sink {
    fn rewrite_start(&mut self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

const WRITE_FAILED: &str = "cannot be completed: a write failed before";

/// Writes the bytes of an [`Encoder`] and checks the number of channels and frames.
#[derive(Debug)]
pub(super) struct EncodedStream<W> {
    pub(super) out: W,
    encoder: Box<dyn Encoder>,
    channels: usize,
    expected_frames: u64,
    frames: u64,
    /// True after a failed write: the content of the output is then unknown, and writing cannot be
    /// retried.
    write_failed: bool,
    bytes: Vec<u8>,
}

impl<W: Output> EncodedStream<W> {
    /// Writes the header of a stream of `length` frames. Returns the output with the error if that
    /// fails.
    pub(super) fn start(
        mut out: W,
        encoder: Box<dyn Encoder>,
        channels: usize,
        length: Frames,
    ) -> Result<Self, (W, io::Error)> {
        if let Err(e) = out.write_all(encoder.header()) {
            return Err((out, e));
        }
        Ok(Self {
            out,
            encoder,
            channels,
            expected_frames: length.0,
            frames: 0,
            write_failed: false,
            bytes: Vec::new(),
        })
    }

    pub(super) fn write(&mut self, block: &Block) -> Result<(), EncodeFault> {
        if self.write_failed {
            return Err(EncodeFault::Wrong(WRITE_FAILED.into()));
        }
        if block.layout().channels() != self.channels {
            let what = format!(
                "a block of {} channels for a file of {}",
                block.layout().channels(),
                self.channels
            );
            return Err(EncodeFault::Wrong(what));
        }
        let frames = self.frames.saturating_add(block.frames() as u64);
        if frames > self.expected_frames {
            return Err(EncodeFault::Wrong(format!(
                "{} frames were promised, {frames} came",
                self.expected_frames
            )));
        }
        self.encoder
            .encode(block, &mut self.bytes)
            .map_err(EncodeFault::Wrong)?;
        self.flush_bytes().map_err(EncodeFault::Io)?;
        self.frames = frames;
        Ok(())
    }

    pub(super) fn set_loudness(&mut self, loudness: FileLoudness) {
        self.encoder.set_loudness(loudness);
    }

    /// Writes the bytes after the audio. Returns the output and the counts, without path and size.
    pub(super) fn finish(mut self) -> Result<(W, Written), (W, EncodeFault)> {
        if self.write_failed {
            return Err((self.out, EncodeFault::Wrong(WRITE_FAILED.into())));
        }
        if self.frames != self.expected_frames {
            let what = format!(
                "{} frames were promised, {} came",
                self.expected_frames, self.frames
            );
            return Err((self.out, EncodeFault::Wrong(what)));
        }
        self.bytes.clear();
        let mut written = match self.encoder.finish(&mut self.bytes) {
            Ok(written) => written,
            Err(what) => return Err((self.out, EncodeFault::Wrong(what))),
        };
        if let Err(e) = self.flush_bytes() {
            return Err((self.out, EncodeFault::Io(e)));
        }
        if self.encoder.has_final_header()
            && let Err(e) = self.out.rewrite_start(self.encoder.header())
        {
            return Err((self.out, EncodeFault::Io(e)));
        }
        written.frames = Frames(self.frames);
        Ok((self.out, written))
    }

    fn flush_bytes(&mut self) -> io::Result<()> {
        let written = self.out.write_all(&self.bytes);
        self.write_failed = written.is_err();
        written
    }
}
