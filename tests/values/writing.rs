//! What is written beside and into the samples of a file, at its limits.

use crate::stems::RATE;
use soundtrack::{
    Block, Format, Frames, Layout, Sink, Spec,
    encode::{Dither, Dithered, FileSink, MemorySink, Metadata, Options, Shaping, WriterSink},
};
use std::io::BufWriter;

#[test]
fn texts_of_a_broadcast_file_fill_their_fields_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.wav");
    let metadata = Metadata {
        time_reference: Some(Frames(7)),
        description: "x".repeat(300),
        originator: format!("é{}", "y".repeat(40)),
        ..Metadata::default()
    };
    let options = Options {
        metadata,
        ..Options::default()
    };
    let spec = Spec {
        rate: RATE,
        layout: Layout::Mono,
    };
    let mut file = FileSink::create_with(&path, Format::WAV_16, spec, Frames(0), &options).unwrap();
    file.finish().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let body = bytes.windows(4).position(|w| w == b"bext").unwrap() + 8;
    // Description, originator, reference, date, time, time reference.
    assert_eq!(&bytes[body..body + 256], [b'x'; 256]);
    assert_eq!(
        (bytes[body + 256], &bytes[body + 257..body + 288]),
        (b'?', &[b'y'; 31][..])
    );
    assert_eq!(bytes[body + 288], 0);
    assert_eq!(bytes[body + 338..body + 346], 7u64.to_le_bytes());
}

#[test]
fn a_file_behind_dither_and_a_reference_counts_what_it_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let spec = Spec {
        rate: RATE,
        layout: Layout::Mono,
    };
    let path = folder.path().join("x.wav");
    let mut file = FileSink::create(path, Format::WAV_16, spec, Frames(3)).unwrap();
    let mut dithered = Dithered::new(&mut file, Dither::default(), 16, Frames(0));
    for frames in [1, 2] {
        let mut block = Block::new(Layout::Mono, frames);
        block.fill(frames, 2.0);
        dithered.write(&block).unwrap();
    }
    let written = dithered.finish().unwrap();
    assert_eq!(
        (written.frames, written.bytes, written.clipped),
        (Frames(3), 44 + 6, 3)
    );
}

#[test]
fn a_finished_sink_has_flushed_its_writer_and_counted_its_frames() {
    let spec = Spec {
        rate: RATE,
        layout: Layout::Mono,
    };
    let mut block = Block::new(Layout::Mono, 3);
    block.fill(3, 0.25);
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut writer = BufWriter::with_capacity(1000, file.reopen().unwrap());
    let options = Options::default();
    let sink = WriterSink::new(&mut writer, Format::WAV_16, spec, Frames(3), &options);
    let mut sink = sink.unwrap();
    sink.write(&block).unwrap();
    sink.finish().unwrap();
    assert_eq!(file.path().metadata().unwrap().len(), 44 + 6);
    let mut memory = MemorySink::default();
    memory.write(&block).unwrap();
    assert_eq!(memory.finish().unwrap().frames, Frames(3));
}

#[test]
fn dither_is_as_large_as_a_step_of_its_file_for_1_to_32_bits() {
    let largest = |bits: u16| {
        let dither = Dither {
            seed: 1,
            shaping: Shaping::White,
        };
        let mut sink = Dithered::new(MemorySink::default(), dither, bits, Frames(0));
        let mut block = Block::new(Layout::Mono, 4096);
        block.fill(4096, 0.25);
        sink.write(&block).unwrap();
        let samples = sink.into_inner().into_channels().swap_remove(0);
        samples
            .iter()
            .fold(0.0, |most: f64, x| most.max((x - 0.25).abs()))
    };
    for (bits, of) in [(16, 16), (24, 24), (25, 25), (32, 32), (40, 32), (0, 1)] {
        let step = 0.5f64.powi(of - 1);
        assert!(
            largest(bits) <= step && largest(bits) > 0.9 * step,
            "{bits}: {} of {step}",
            largest(bits)
        );
    }
}
