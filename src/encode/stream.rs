//! Encodes blocks to a byte stream.

use super::{Encoder, Written};
use crate::{block::Block, units::Frames};
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

impl<W: Write> EncodedStream<W> {
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
        self.encoder.encode(block, &mut self.bytes);
        self.flush_bytes().map_err(EncodeFault::Io)?;
        self.frames = frames;
        Ok(())
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
        let mut written = self.encoder.finish(&mut self.bytes);
        if let Err(e) = self.flush_bytes() {
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
