//! WAVE files built byte by byte, and read back as planar samples.

use soundtrack::{
    Block, Frames, Source,
    media::{self, Info, Remark},
};
use std::path::{Path, PathBuf};

/// A WAVE file as a list of chunks; sizes are right unless patched afterwards.
pub struct Riff {
    pub id: [u8; 4],
    pub chunks: Vec<([u8; 4], Vec<u8>)>,
}

pub fn fmt(tag: u16, channels: u16, rate: u32, block: u16, bits: u16) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(tag.to_le_bytes());
    out.extend(channels.to_le_bytes());
    out.extend(rate.to_le_bytes());
    out.extend((rate.wrapping_mul(u32::from(block))).to_le_bytes());
    out.extend(block.to_le_bytes());
    out.extend(bits.to_le_bytes());
    out
}

pub fn extensible(
    channels: u16,
    rate: u32,
    block: u16,
    bits: u16,
    valid: u16,
    mask: u32,
    code: u32,
) -> Vec<u8> {
    let mut out = fmt(0xFFFE, channels, rate, block, bits);
    out.extend(22u16.to_le_bytes());
    out.extend(valid.to_le_bytes());
    out.extend(mask.to_le_bytes());
    out.extend(code.to_le_bytes());
    out.extend([0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71]);
    out
}

impl Riff {
    pub fn new(fmt: Vec<u8>, data: Vec<u8>) -> Self {
        Self {
            id: *b"RIFF",
            chunks: vec![(*b"fmt ", fmt), (*b"data", data)],
        }
    }

    pub fn before(mut self, id: &[u8; 4], body: Vec<u8>) -> Self {
        let data = self
            .chunks
            .iter()
            .position(|(id, _)| id == b"data")
            .unwrap();
        self.chunks.insert(data, (*id, body));
        self
    }

    pub fn after(mut self, id: &[u8; 4], body: Vec<u8>) -> Self {
        self.chunks.push((*id, body));
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::from(self.id);
        out.extend([0; 4]);
        out.extend(*b"WAVE");
        for (id, body) in &self.chunks {
            out.extend(id);
            out.extend(u32::try_from(body.len()).unwrap().to_le_bytes());
            out.extend(body);
            if body.len() % 2 == 1 {
                out.push(0);
            }
        }
        let size = u32::try_from(out.len() - 8).unwrap();
        put32(&mut out, 4, size);
        out
    }

    /// Where the size field of a chunk is.
    pub fn size_at(&self, id: &[u8; 4]) -> usize {
        let mut at = 12;
        for (name, body) in &self.chunks {
            if name == id {
                return at + 4;
            }
            at += 8 + body.len() + body.len() % 2;
        }
        panic!("no such chunk")
    }
}

pub fn put32(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

pub fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

pub fn open(path: &Path) -> (media::Wav, media::Info) {
    media::Wav::open(path)
        .unwrap()
        .expect("a codec that is read here")
}

/// Everything from where the source stands, interleaved.
pub fn rest(wav: &mut media::Wav, block: usize) -> Vec<f64> {
    let mut block = Block::new(wav.spec().layout, block);
    let mut out = Vec::new();
    loop {
        let n = wav.read(&mut block).unwrap();
        if n == 0 {
            return out;
        }
        assert_eq!(n, block.frames());
        for i in 0..n {
            out.extend(block.channels().map(|c| c[i]));
        }
    }
}

pub fn all(path: &Path) -> (Vec<f64>, media::Info) {
    let (mut wav, info) = open(path);
    let samples = rest(&mut wav, 4096);
    assert_eq!(
        wav.length(),
        Some(Frames((samples.len() / info.spec.layout.channels()) as u64))
    );
    (samples, info)
}

/// 100 frames of 16-bit stereo that look like no chunk at any place.
pub fn audio() -> Vec<u8> {
    (0..200u16)
        .flat_map(|i| (0x8000 | (i * 163)).to_le_bytes())
        .collect()
}

pub fn pcm16() -> Riff {
    Riff::new(fmt(1, 2, 48_000, 4, 16), audio())
}

pub fn facts(bytes: &[u8]) -> (Vec<f64>, Info) {
    let folder = tempfile::tempdir().unwrap();
    all(&write(folder.path(), "t.wav", bytes))
}

/// Frames, missing frames, and what a remark says was stated.
pub fn lengths(bytes: &[u8]) -> (u64, u64, Option<u64>) {
    let (samples, info) = facts(bytes);
    assert_eq!(samples.len() as u64, 2 * (info.frames.0 - info.missing.0));
    let stated = match info.remarks[..] {
        [] => None,
        [Remark::HeaderLength { stated, found }] => {
            assert_eq!(found, info.frames);
            Some(stated.0)
        }
        ref other => panic!("{other:?}"),
    };
    (info.frames.0, info.missing.0, stated)
}

/// A file whose data size is patched, and the RIFF size if asked.
pub fn lie(riff: &Riff, data: u32, size: Option<u32>) -> Vec<u8> {
    let mut bytes = riff.bytes();
    put32(&mut bytes, riff.size_at(b"data"), data);
    if let Some(size) = size {
        put32(&mut bytes, 4, size);
    }
    bytes
}
