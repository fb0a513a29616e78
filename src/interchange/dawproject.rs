//! DAWproject 1.0: a ZIP archive with `project.xml`, `metadata.xml` and audio files.
//!
//! Archives are not trusted: sizes are limited, names may not lead out of the archive, and XML with a DTD, and so with
//! entities, is refused.

mod archive;
mod devices;
mod numbers;
mod reader;
mod tempo;
mod writer;
mod xml;

pub(super) use writer::write;

use super::{FileKind, Imported, Options, text_file};
use crate::error::Result;
use archive::Archive;
use std::{
    io::{Cursor, Read, Seek},
    path::Path,
};

/// Reads an archive.
///
/// # Errors
/// `NotFound` without a file; `Session` for a file that is no DAWproject, or a damaged one.
pub(super) fn read(path: &Path, options: &Options) -> Result<Imported> {
    read_from(text_file::open(path)?, path, options)
}

/// Reads the bytes of an archive at a path, which need not exist.
pub(super) fn read_bytes(bytes: Vec<u8>, path: &Path, options: &Options) -> Result<Imported> {
    read_from(Cursor::new(bytes), path, options)
}

fn read_from(source: impl Read + Seek, path: &Path, options: &Options) -> Result<Imported> {
    let mut archive = Archive::open(source, path)?;
    let project = archive.text("project.xml")?;
    let project = text_file::TextFile::of_bytes(project, path)?;
    let metadata = match archive.has("metadata.xml") {
        true => Some(text_file::TextFile::of_bytes(
            archive.text("metadata.xml")?,
            path,
        )?),
        false => None,
    };
    let (session, notes) = reader::read(&project, metadata.as_ref(), &mut archive, options)?;
    Ok(Imported {
        kind: FileKind::DawProject,
        session,
        notes: notes.into_vec(),
    })
}
