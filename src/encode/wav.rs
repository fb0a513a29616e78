//! WAVE container with 16, 24 and 32-bit integers or 32-bit float; RF64 if RIFF is too small.
//!
//! The header is complete from the start, since the length is known in advance. Integer samples are
//! rounded half to even and not scaled; clipped samples are counted.
//!
//! Mono and stereo with 16 bits use the plain PCM tag, mono and stereo float the plain float tag,
//! and everything else EXTENSIBLE with the layout's channel mask (0 for discrete channels). RF64
//! (EBU Tech 3306) is used if the audio comes within 1 MiB of 4 GiB.

use super::{
    Encoder, Encoding, FileLoudness, Metadata, Options, Slice, Written, containers::ContainerInfo,
};
use crate::{
    block::Block,
    dsp::quantise::{Tally, Width, interleave},
    layout::Spec,
    riff,
    units::Frames,
};

mod bext;
mod id3;
mod ixml;
mod list;

pub(super) const INFO: ContainerInfo = ContainerInfo {
    name: "WAV",
    extensions: &["wav", "wave", "bwf", "rf64"],
    is_compressed: false,
    formats: &[
        (Encoding::Int16, "wav16"),
        (Encoding::Int24, "wav24"),
        (Encoding::Int32, "wav32"),
        (Encoding::Float32, "wav32f"),
    ],
    encoder: |encoding, spec, length, options| {
        let encoder = WavEncoder::new(encoding, spec, length, options, false)?;
        Ok(Box::new(encoder))
    },
};

/// Maximum size of the chunks before the audio, in bytes: half of what other chunks may take in all.
const MAX_METADATA_BYTES: usize = 1 << 19;

/// Encodes a WAVE file. The header is built before the first block.
#[derive(Debug)]
struct WavEncoder {
    header: riff::WaveHeader,
    width: Width,
    tally: Tally,
    /// Builds the header again once the loudness is known; `None` if it does not state any.
    final_header: Option<HeaderSource>,
}

/// Holds all that the header of a WAVE file states.
#[derive(Clone, Debug)]
struct HeaderSource {
    encoding: Encoding,
    spec: Spec,
    frames: u64,
    rf64: bool,
    metadata: Metadata,
    slice: Option<Vec<u8>>,
}

impl WavEncoder {
    /// Creates the encoder of a file; `rf64` forces RF64 even if RIFF would do.
    fn new(
        encoding: Encoding,
        spec: Spec,
        length: Frames,
        options: &Options,
        rf64: bool,
    ) -> Result<Self, String> {
        // Upper bound for the size of the chunks other than the audio.
        const RESERVE: u64 = 1 << 20;
        let too_long = || {
            format!(
                "{length} frames of {} are more than a WAVE file can hold",
                spec.layout
            )
        };
        let channels = spec.layout.channels();
        let frame = (channels * encoding.width().bytes()) as u64;
        let data = length
            .0
            .checked_mul(frame)
            .and_then(|d| d.checked_add(RESERVE))
            .ok_or_else(too_long)?;
        if channels == 0 {
            return Err("a file without channels cannot be written".into());
        }
        let source = HeaderSource {
            encoding,
            spec,
            frames: length.0,
            rf64: rf64 || data > u64::from(u32::MAX),
            metadata: match options.slice {
                Some(slice) => options
                    .metadata
                    .of_range(&(slice.start..slice.start + length)),
                None => options.metadata.clone(),
            },
            slice: match options.slice {
                Some(slice) => Some(slice_chunk(encoding, spec, slice, options, rf64)?),
                None => None,
            },
        };
        let chunks = source.chunks(&FileLoudness::default());
        let size: usize = chunks.iter().map(|(_, body)| body.len()).sum();
        if size > MAX_METADATA_BYTES {
            return Err(format!(
                "its metadata takes {size} bytes, at most {MAX_METADATA_BYTES} are written: shorten the texts"
            ));
        }
        let header = source.lay(&chunks).ok_or_else(too_long)?;
        Ok(Self {
            header,
            width: encoding.width(),
            tally: Tally::default(),
            // The header of a slice must be that of the whole file, whose loudness no slice knows.
            final_header: (options.states_loudness && options.slice.is_none()).then_some(source),
        })
    }
}

impl HeaderSource {
    /// Returns the chunks of metadata: identifiers and bodies. All bodies are of even length, since
    /// some readers, such as hound 3.5.1, forget the pad byte that would follow others.
    fn chunks(&self, loudness: &FileLoudness) -> Vec<([u8; 4], Vec<u8>)> {
        let metadata = &self.metadata;
        let mut chunks = Vec::new();
        if bext::is_needed(metadata) {
            chunks.push((*b"bext", bext::body(metadata, loudness, &self.history())));
        }
        if ixml::is_needed(metadata) {
            let mut text = ixml::text(metadata, self.spec.rate, self.encoding.bits()).into_bytes();
            if !text.len().is_multiple_of(2) {
                text.push(b'\n');
            }
            chunks.push((*b"iXML", text));
        }
        let others = [
            (*b"cue ", list::cue_points(metadata)),
            (*b"LIST", list::labels(metadata)),
            (*b"LIST", list::info(metadata)),
            (*b"id3 ", id3::tag(metadata)),
        ];
        chunks.extend(
            others
                .into_iter()
                .filter_map(|(id, body)| Some((id, body?))),
        );
        chunks
    }

    /// Returns the coding history (EBU R 98), one line.
    fn history(&self) -> String {
        format!(
            "A=PCM,F={},W={},M={},T=soundtrack\r\n",
            self.spec.rate.hz(),
            self.encoding.bits(),
            self.spec.layout
        )
    }

    fn lay(&self, chunks: &[([u8; 4], Vec<u8>)]) -> Option<riff::WaveHeader> {
        riff::lay(&riff::New {
            channels: u16::try_from(self.spec.layout.channels()).ok()?,
            rate: self.spec.rate.hz(),
            bits: self.encoding.bits(),
            float: self.encoding.is_float(),
            mask: self.spec.layout.mask(),
            frames: self.frames,
            rf64: self.rf64,
            chunks,
            slice: self.slice.as_deref(),
        })
    }
}

impl Encoder for WavEncoder {
    fn header(&self) -> &[u8] {
        &self.header.header
    }

    fn has_final_header(&self) -> bool {
        self.final_header.is_some()
    }

    fn size(&self) -> u64 {
        self.header.total()
    }

    fn set_loudness(&mut self, loudness: FileLoudness) {
        let source = self.final_header.as_ref();
        let lay = |source: &HeaderSource| source.lay(&source.chunks(&loudness));
        // The fields of the loudness have a fixed size.
        if let Some(header) = source.and_then(lay)
            && header.header.len() == self.header.header.len()
        {
            self.header = header;
        }
    }

    fn encode(&mut self, block: &Block, out: &mut Vec<u8>) -> Result<(), String> {
        interleave(self.width, block, out, &mut self.tally);
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<Written, String> {
        // A chunk of odd length is followed by a pad byte that its size does not include.
        if self.header.pad {
            out.push(0);
        }
        Ok(Written::of_samples(self.tally))
    }
}

/// Returns the body of the chunk that marks a slice; it contains the header of the longer file.
fn slice_chunk(
    encoding: Encoding,
    spec: Spec,
    slice: Slice,
    options: &Options,
    rf64: bool,
) -> Result<Vec<u8>, String> {
    let options = Options {
        slice: None,
        ..options.clone()
    };
    let whole = WavEncoder::new(encoding, spec, slice.whole, &options, rf64)?;
    Ok(slice.chunk_body(&whole.header.header))
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            EncodedStream,
            stream::{EncodeFault, Output},
        },
        *,
    };
    use crate::{Layout, SampleRate, Source, media};
    use std::io::{self, Write};

    const SPEC: Spec = Spec {
        rate: SampleRate::HZ_48000,
        layout: Layout::Lcr,
    };

    impl Output for Vec<u8> {
        fn rewrite_start(&mut self, _: &[u8]) -> io::Result<()> {
            Ok(())
        }
    }

    fn encoder(encoding: Encoding, frames: u64, rf64: bool) -> WavEncoder {
        WavEncoder::new(encoding, SPEC, Frames(frames), &Options::default(), rf64).unwrap()
    }

    /// Starts a stream of five frames.
    fn start<W: Output>(
        out: W,
        encoding: Encoding,
        rf64: bool,
    ) -> Result<EncodedStream<W>, (W, io::Error)> {
        EncodedStream::start(out, Box::new(encoder(encoding, 5, rf64)), 3, Frames(5))
    }

    fn block() -> Block {
        let mut block = Block::new(Layout::Lcr, 5);
        let mut next = 0.0;
        block.set_frames(5);
        for x in block.channels_mut().flatten() {
            *x = next;
            next -= 1.0 / 16.0;
        }
        block
    }

    #[test]
    fn rf64_has_a_right_ds64_and_reads_back() {
        for (encoding, name) in INFO.formats {
            let mut stream = start(Vec::new(), *encoding, true).unwrap();
            stream.write(&block()).unwrap();
            let (bytes, _) = stream.finish().unwrap();
            let data = 15 * encoding.width().bytes() as u64;
            assert_eq!(bytes[..20], *b"RF64\xFF\xFF\xFF\xFFWAVEds64\x1C\0\0\0");
            let sizes = [bytes.len() as u64 - 8, data, 5, 0]
                .map(u64::to_le_bytes)
                .concat();
            assert_eq!(bytes[20..48], sizes[..28]);
            assert_eq!(bytes[96..104], *b"data\xFF\xFF\xFF\xFF");
            assert_eq!(bytes.len() % 2, 0);

            let path =
                std::env::temp_dir().join(format!("soundtrack-{}-{name}.wav", std::process::id()));
            std::fs::write(&path, &bytes).unwrap();
            let opened = media::Wav::open(&path);
            std::fs::remove_file(&path).unwrap();
            let (mut wav, info) = opened.unwrap().unwrap();
            assert_eq!(
                (info.codec.as_str(), info.frames, info.spec),
                ("RF64", Frames(5), SPEC)
            );
            let mut out = Block::new(Layout::Lcr, 5);
            assert_eq!(wav.read(&mut out).unwrap(), 5);
            assert_eq!(out, block());
        }
    }

    #[test]
    fn a_slice_has_the_markers_of_its_frames_and_the_header_of_the_whole() {
        let options = Options {
            metadata: Metadata {
                markers: vec![(Frames(120), "storm".into()), (Frames(300), "calm".into())],
                ..Metadata::default()
            },
            slice: Some(Slice {
                start: Frames(100),
                whole: Frames(1000),
                mix: 7,
            }),
            ..Options::default()
        };
        let encoder = WavEncoder::new(Encoding::Int16, SPEC, Frames(50), &options, false).unwrap();
        let header = encoder.header();
        let chunks = (0..header.len()).filter(|at| header[*at..].starts_with(b"cue "));
        // The number of markers, and the place of the first: the last field of its entry of 24 bytes.
        let word = |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().unwrap());
        let mut found: Vec<_> = chunks.map(|at| (word(at + 8), word(at + 32))).collect();
        found.sort_unstable();
        assert_eq!(found, [(1, 20), (2, 120)]);
    }

    #[test]
    fn rf64_has_its_metadata_before_the_audio() {
        let options = Options {
            metadata: Metadata {
                title: "long".into(),
                time_reference: Some(Frames((1 << 33) + 5)),
                ..Metadata::default()
            },
            ..Options::default()
        };
        let length = Frames(1 << 31);
        let encoder = WavEncoder::new(Encoding::Int24, SPEC, length, &options, false).unwrap();
        let header = encoder.header();
        let at = |id: &[u8]| header.windows(4).position(|w| w == id).unwrap();
        assert_eq!((at(b"RF64"), at(b"ds64"), at(b"fmt ")), (0, 12, 48));
        assert_eq!(at(b"data"), header.len() - 8);
        let reference = at(b"bext") + 8 + 338;
        assert_eq!(
            header[reference..reference + 8],
            ((1u64 << 33) + 5).to_le_bytes()
        );
        assert!(at(b"bext") < at(b"LIST") && at(b"LIST") < at(b"data"));
    }

    #[test]
    fn the_container_changes_one_mebibyte_below_4_gib() {
        let frame = 6;
        let last = (u64::from(u32::MAX) - (1 << 20)) / frame;
        let id = |frames| encoder(Encoding::Int16, frames, false).header.header[..4].to_vec();
        assert_eq!(
            (id(last), id(last + 1)),
            (b"RIFF".to_vec(), b"RF64".to_vec())
        );
        let long = encoder(Encoding::Int24, 1 << 40, false).header;
        assert_eq!((long.data, long.pad), (9 << 40, false));
        assert_eq!(long.total(), (9 << 40) + 104);
        assert_eq!(long.header[20..28], (long.total() - 8).to_le_bytes());
    }

    #[test]
    fn metadata_of_half_a_mebibyte_is_written_and_more_is_not() {
        let encode = |title: usize| {
            let metadata = Metadata {
                title: "t".repeat(title),
                ..Metadata::default()
            };
            let options = Options {
                metadata,
                ..Options::default()
            };
            WavEncoder::new(Encoding::Int16, SPEC, Frames(5), &options, false)
        };
        // Twelve bytes of names and a size, and the NUL.
        let most = MAX_METADATA_BYTES - 13;
        let written = encode(most).unwrap().header;
        assert_eq!(written.total(), 60 + 8 + 8 + MAX_METADATA_BYTES as u64 + 30);
        assert_eq!(
            encode(most + 1).unwrap_err(),
            "its metadata takes 524290 bytes, at most 524288 are written: shorten the texts"
        );
    }

    #[test]
    fn the_loudness_is_stated_at_the_end_but_not_in_a_slice() {
        let loudness = FileLoudness {
            integrated: Some(-23.0),
            ..FileLoudness::default()
        };
        let stated = |slice| {
            let options = Options {
                metadata: Metadata {
                    originator: "o".into(),
                    ..Metadata::default()
                },
                states_loudness: true,
                slice,
                ..Options::default()
            };
            let mut encoder =
                WavEncoder::new(Encoding::Int16, SPEC, Frames(5), &options, false).unwrap();
            let before = encoder.header().to_vec();
            encoder.set_loudness(loudness);
            let at = before.windows(4).position(|w| w == b"bext").unwrap() + 8 + 412;
            let field = |header: &[u8]| i16::from_le_bytes([header[at], header[at + 1]]);
            (
                encoder.has_final_header(),
                field(&before),
                field(encoder.header()),
                before.len() == encoder.header().len(),
            )
        };
        assert_eq!(stated(None), (true, 0x7FFF, -2300, true));
        let slice = Slice {
            start: Frames(0),
            whole: Frames(9),
            mix: 1,
        };
        assert_eq!(stated(Some(slice)), (false, 0x7FFF, 0x7FFF, true));
    }

    #[test]
    fn a_stream_takes_the_channels_and_frames_that_were_promised() {
        let wrong = |result: Result<(), EncodeFault>| result.unwrap_err().to_string();
        let mut stream = start(Vec::new(), Encoding::Int16, false).unwrap();
        let mono = Block::new(Layout::Mono, 5);
        assert_eq!(
            wrong(stream.write(&mono)),
            "a block of 1 channels for a file of 3"
        );
        stream.write(&block()).unwrap();
        let mut one = Block::new(Layout::Lcr, 1);
        one.set_frames(1);
        assert_eq!(wrong(stream.write(&one)), "5 frames were promised, 6 came");
        let (bytes, written) = stream.finish().unwrap();
        assert_eq!((written.frames, bytes.len()), (Frames(5), 60 + 8 + 30));
        let short = start(Vec::new(), Encoding::Int16, false).unwrap();
        let (_, fault) = short.finish().unwrap_err();
        assert_eq!(fault.to_string(), "5 frames were promised, 0 came");
    }

    #[test]
    fn every_write_that_fails_is_an_error() {
        /// Fails at one byte and after it.
        struct Full(usize);
        impl Output for Full {
            fn rewrite_start(&mut self, _: &[u8]) -> io::Result<()> {
                Ok(())
            }
        }
        impl Write for Full {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                if self.0 == 0 {
                    return Err(io::ErrorKind::StorageFull.into());
                }
                let n = bytes.len().min(self.0);
                self.0 -= n;
                Ok(n)
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        // 15 samples of 3 bytes: an odd length, with a pad byte.
        let total = usize::try_from(encoder(Encoding::Int24, 5, false).size()).unwrap();
        for room in 0..=total {
            let all = || -> Result<(), io::Error> {
                let mut stream = start(Full(room), Encoding::Int24, false).map_err(|(_, e)| e)?;
                let io = |f| match f {
                    EncodeFault::Io(e) => e,
                    EncodeFault::Wrong(what) => panic!("{what}"),
                };
                stream.write(&block()).map_err(io)?;
                stream.finish().map_err(|(_, f)| io(f))?;
                Ok(())
            };
            assert_eq!(
                all().map_err(|e| e.kind()),
                if room < total {
                    Err(io::ErrorKind::StorageFull)
                } else {
                    Ok(())
                }
            );
        }
    }

    #[test]
    fn a_write_that_failed_is_not_mended_by_the_next() {
        /// Fails once, then takes all.
        struct Once(bool);
        impl Output for Once {
            fn rewrite_start(&mut self, _: &[u8]) -> io::Result<()> {
                Ok(())
            }
        }
        impl Write for Once {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                if bytes.len() < 100 && std::mem::take(&mut self.0) {
                    return Err(io::ErrorKind::StorageFull.into());
                }
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut stream = start(Once(true), Encoding::Int16, true)
            .map_err(|(_, e)| e)
            .unwrap();
        assert!(matches!(stream.write(&block()), Err(EncodeFault::Io(_))));
        assert!(matches!(stream.write(&block()), Err(EncodeFault::Wrong(_))));
        assert!(
            matches!(stream.finish(), Err((_, EncodeFault::Wrong(what))) if what.contains("a write failed before"))
        );
    }
}
