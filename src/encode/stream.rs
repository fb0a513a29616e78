//! Encodes blocks into a stream of bytes, in any container.

use super::{Encoder, Written};
use crate::{block::Block, units::Frames};
use std::{
    fmt,
    io::{self, Write},
};

/// Why a block was not encoded.
#[derive(Debug)]
pub(super) enum Fault {
    /// The bytes could not be written.
    Io(io::Error),
    /// The caller broke its promise of channels or frames, or went on after a failed write.
    Wrong(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(e) => e.fmt(f),
            Self::Wrong(what) => f.write_str(what),
        }
    }
}

const BROKEN: &str = "cannot be completed: a write failed before";

/// Writes the bytes of an [`Encoder`] and holds the caller to the channels and the length it promised.
#[derive(Debug)]
pub(super) struct EncodedStream<W> {
    pub(super) out: W,
    encoder: Box<dyn Encoder>,
    channels: usize,
    promised: u64,
    frames: u64,
    /// A write failed: what the output holds is unknown, and no retry can mend it.
    broken: bool,
    bytes: Vec<u8>,
}

impl<W: Write> EncodedStream<W> {
    /// Writes the header of a stream of `length` frames. Hands the output back where that fails.
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
            promised: length.0,
            frames: 0,
            broken: false,
            bytes: Vec::new(),
        })
    }

    pub(super) fn write(&mut self, block: &Block) -> Result<(), Fault> {
        if self.broken {
            return Err(Fault::Wrong(BROKEN.into()));
        }
        if block.layout().channels() != self.channels {
            let what = format!(
                "a block of {} channels for a file of {}",
                block.layout().channels(),
                self.channels
            );
            return Err(Fault::Wrong(what));
        }
        let frames = self
            .frames
            .saturating_add(u64::try_from(block.frames()).unwrap_or(u64::MAX));
        if frames > self.promised {
            return Err(Fault::Wrong(format!(
                "{} frames were promised, {frames} came",
                self.promised
            )));
        }
        self.encoder.encode(block, &mut self.bytes);
        self.flush_bytes().map_err(Fault::Io)?;
        self.frames = frames;
        Ok(())
    }

    /// Writes what follows the audio. Returns the output and what it holds, without path and size.
    pub(super) fn finish(mut self) -> Result<(W, Written), (W, Fault)> {
        if self.broken {
            return Err((self.out, Fault::Wrong(BROKEN.into())));
        }
        if self.frames != self.promised {
            let what = format!(
                "{} frames were promised, {} came",
                self.promised, self.frames
            );
            return Err((self.out, Fault::Wrong(what)));
        }
        self.bytes.clear();
        let mut written = self.encoder.finish(&mut self.bytes);
        if let Err(e) = self.flush_bytes() {
            return Err((self.out, Fault::Io(e)));
        }
        written.frames = Frames(self.frames);
        Ok((self.out, written))
    }

    fn flush_bytes(&mut self) -> io::Result<()> {
        let written = self.out.write_all(&self.bytes);
        self.broken = written.is_err();
        written
    }
}
