//! Plays pieces of a source in the order of an edit list.

use super::{Flaw, Info, Source};
use crate::{block::Block, error::Result, layout::Spec, units::Frames};

/// One piece of an edit list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EditPiece {
    /// First frame of the source; `None` for silence.
    pub(crate) from: Option<u64>,
    /// Length in frames.
    pub(crate) frames: u64,
}

/// A source made of pieces of another one.
pub(crate) struct EditedSource {
    inner: Box<dyn Source>,
    pieces: Vec<EditPiece>,
    /// Index of the piece that is read.
    piece: usize,
    /// First frame of that piece in the output.
    piece_start: u64,
    position: u64,
    /// Frames that the source contains.
    available: u64,
    /// Whether the inner source stands elsewhere.
    needs_seek: bool,
    flaws: Vec<Flaw>,
}

impl EditedSource {
    /// Makes a source of `pieces` of `inner`, and updates `info` to the edited source.
    pub(crate) fn new(inner: Box<dyn Source>, pieces: Vec<EditPiece>, info: &mut Info) -> Self {
        let available = info.frames.0 - info.missing.0;
        let frames = pieces
            .iter()
            .fold(0u64, |n, piece| n.saturating_add(piece.frames));
        let mut missing_from = frames;
        let mut start = 0;
        for piece in &pieces {
            let available_frames = piece
                .from
                .map_or(piece.frames, |from| available.saturating_sub(from));
            // Some writers state a last piece that is longer than the audio by a rounding.
            if available_frames < piece.frames && info.missing > Frames::ZERO {
                missing_from = missing_from.min(start + available_frames);
            }
            start += piece.frames;
        }
        (info.frames, info.missing) = (Frames(frames), Frames(frames - missing_from));
        (info.trimmed_start, info.trimmed_end) = (Frames::ZERO, Frames::ZERO);
        Self {
            inner,
            pieces,
            piece: 0,
            piece_start: 0,
            position: 0,
            available,
            needs_seek: true,
            flaws: Vec::new(),
        }
    }

    fn frames(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.frames).sum()
    }

    /// Makes the piece that contains the position the current one; `None` at the end.
    fn current(&mut self) -> Option<EditPiece> {
        while let Some(piece) = self.pieces.get(self.piece) {
            if self.position < self.piece_start + piece.frames {
                return Some(*piece);
            }
            self.piece_start += piece.frames;
            self.piece += 1;
            self.needs_seek = true;
        }
        None
    }
}

impl Source for EditedSource {
    fn spec(&self) -> Spec {
        self.inner.spec()
    }

    fn length(&self) -> Option<Frames> {
        Some(Frames(self.frames()))
    }

    fn read(&mut self, out: &mut Block) -> Result<usize> {
        let Some(piece) = self.current() else {
            out.set_frames(0);
            return Ok(0);
        };
        let offset = self.position - self.piece_start;
        let left = piece.frames - offset;
        let wanted = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(out.capacity());
        let source_frame = piece.from.map(|from| from + offset);
        let n = match source_frame {
            Some(frame) if frame < self.available => {
                if std::mem::take(&mut self.needs_seek) {
                    self.inner.seek(Frames(frame))?;
                }
                let n = self.inner.read(out)?;
                // The inner source has read further than the piece.
                self.needs_seek = n > wanted;
                for mut flaw in self.inner.flaws() {
                    let begin = flaw.at.0.max(frame);
                    let end = (flaw.at + flaw.len).0.min(frame + wanted as u64);
                    if begin < end {
                        flaw.at = Frames(self.position + (begin - frame));
                        flaw.len = Frames(end - begin);
                        self.flaws.push(flaw);
                    }
                }
                let n = n.min(wanted);
                out.set_frames(n);
                n
            }
            _ => {
                out.set_frames(wanted);
                out.fill(wanted, 0.0);
                wanted
            }
        };
        self.position += n as u64;
        Ok(n)
    }

    fn seek(&mut self, to: Frames) -> Result<()> {
        (self.piece, self.piece_start) = (0, 0);
        self.position = to.0.min(self.frames());
        self.needs_seek = true;
        Ok(())
    }

    fn flaws(&mut self) -> Vec<Flaw> {
        std::mem::take(&mut self.flaws)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        layout::Layout,
        media::{FlawKind, Memory},
        units::SampleRate,
    };

    fn ramp(missing: u64, pieces: &[(Option<u64>, u64)]) -> (EditedSource, Info) {
        let spec = Spec {
            rate: SampleRate::HZ_48000,
            layout: Layout::Mono,
        };
        let samples: Vec<f64> = (0..100u8).map(f64::from).collect();
        let inner = Memory::new(spec, vec![samples]).unwrap();
        let mut info = Info {
            spec,
            frames: Frames(100 + missing),
            missing: Frames(missing),
            channel_mask: 0,
            codec: String::new(),
            bits: None,
            trimmed_start: Frames(0),
            trimmed_end: Frames(0),
            time_reference: None,
            streams: 1,
            colour: None,
            remarks: Vec::new(),
        };
        let pieces = pieces
            .iter()
            .map(|&(from, frames)| EditPiece { from, frames })
            .collect();
        let edited = EditedSource::new(Box::new(inner), pieces, &mut info);
        (edited, info)
    }

    fn read_all(source: &mut EditedSource, block: usize) -> Vec<f64> {
        let mut out = Block::new(Layout::Mono, block);
        let mut all = Vec::new();
        while source.read(&mut out).unwrap() > 0 {
            all.extend_from_slice(out.channel(0));
        }
        all
    }

    #[test]
    fn pieces_are_played_in_their_order_for_every_block_size_and_start() {
        let (mut edited, info) = ramp(0, &[(Some(50), 3), (None, 2), (Some(0), 2)]);
        let expected = [50.0, 51.0, 52.0, 0.0, 0.0, 0.0, 1.0];
        assert_eq!((info.frames, info.missing), (Frames(7), Frames(0)));
        for block in 1..9 {
            for start in 0..=7 {
                edited.seek(Frames(start as u64)).unwrap();
                assert_eq!(read_all(&mut edited, block), expected[start..]);
            }
        }
    }

    #[test]
    fn what_a_cut_source_lacks_is_missing_from_the_first_piece_on_that_needs_it() {
        let (_, info) = ramp(50, &[(Some(0), 100), (Some(90), 20), (Some(0), 5)]);
        assert_eq!((info.frames, info.missing), (Frames(125), Frames(15)));
    }

    #[test]
    fn what_a_source_lacks_is_silence() {
        let (mut edited, _) = ramp(0, &[(Some(98), 4), (Some(200), 2), (Some(1), 1)]);
        for block in 1..8 {
            edited.seek(Frames(0)).unwrap();
            let expected = [98.0, 99.0, 0.0, 0.0, 0.0, 0.0, 1.0];
            assert_eq!(read_all(&mut edited, block), expected);
        }
    }

    /// Silence of 100 frames, of which a stretch is a flaw.
    struct Flawed(Memory, std::ops::Range<u64>);

    impl Source for Flawed {
        fn spec(&self) -> Spec {
            self.0.spec()
        }

        fn length(&self) -> Option<Frames> {
            self.0.length()
        }

        fn read(&mut self, out: &mut Block) -> Result<usize> {
            self.0.read(out)
        }

        fn seek(&mut self, to: Frames) -> Result<()> {
            self.0.seek(to)
        }

        fn flaws(&mut self) -> Vec<Flaw> {
            vec![Flaw {
                kind: FlawKind::NonFinite,
                at: Frames(self.1.start),
                len: Frames(self.1.end - self.1.start),
                what: String::new(),
            }]
        }
    }

    #[test]
    fn flaws_are_placed_where_their_piece_is_played() {
        let flaws = |range: std::ops::Range<u64>| {
            let (mut edited, _) = ramp(0, &[(None, 7), (Some(20), 10)]);
            let spec = edited.spec();
            let silence = Memory::new(spec, vec![vec![0.0; 100]]).unwrap();
            edited.inner = Box::new(Flawed(silence, range));
            edited.seek(Frames(7)).unwrap();
            let mut out = Block::new(Layout::Mono, 64);
            assert_eq!(edited.read(&mut out).unwrap(), 10);
            let found = edited.flaws().into_iter();
            found
                .map(|flaw| (flaw.at.0, flaw.len.0))
                .collect::<Vec<_>>()
        };
        assert_eq!(flaws(23..26), [(10, 3)]);
        assert_eq!(flaws(15..22), [(7, 2)]);
        assert_eq!(flaws(28..90), [(15, 2)]);
        assert_eq!(flaws(10..20), []);
        assert_eq!(flaws(30..40), []);
    }
}
