//! Finds tracks that play the same audio at the same time: warning W108.

use crate::{
    diagnostics::{Subject, Warning, WarningKind},
    layout::Spec,
    media::stem::Stem,
    plan::{Node, PlannedClip},
    storage::same_file,
};
use std::{
    collections::{HashMap, hash_map::DefaultHasher},
    fs::File,
    hash::{Hash, Hasher},
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Bytes that are compared at a time.
const PAGE_BYTES: usize = 1 << 16;
/// Bytes that are hashed at each of three positions. Different recordings of one length differ in them.
const PROBE_BYTES: usize = 1 << 12;

/// Returns a warning for each track that plays the same parts of the same stems at the same positions as an earlier one.
/// Gains may differ.
///
/// The time grows with the number of tracks, not with its square. Files are read only where several tracks have clips of
/// the same shape, and are compared only where their hashes agree.
pub(super) fn duplicate_tracks(audible: &[&Node]) -> Vec<Warning> {
    let shapes: Vec<Vec<ClipShape>> = audible.iter().map(|node| shapes_of(node)).collect();
    let mut tracks_of: HashMap<&[ClipShape], usize> = HashMap::new();
    for shape in &shapes {
        *tracks_of.entry(shape).or_default() += 1;
    }
    let mut files = Files::default();
    let mut first: HashMap<(&[ClipShape], Vec<Audio>), &Node> = HashMap::new();
    let mut warnings = Vec::new();
    for (node, shape) in audible.iter().zip(&shapes) {
        let is_alone = tracks_of.get(shape.as_slice()) == Some(&1);
        let Some(clip) = node.clips().first().filter(|_| !is_alone) else {
            continue;
        };
        let stems = node.clips().iter().map(|clip| &clip.stem);
        let audio = stems.map(|stem| files.audio(stem)).collect();
        let earlier = *first.entry((shape, audio)).or_insert(node);
        if !std::ptr::eq(earlier, *node) {
            let twin = earlier.name.clone();
            let subject = Subject::clip(&node.name, &clip.stem.name);
            warnings.push(Warning::new(WarningKind::DuplicateStems { twin }, subject));
        }
    }
    warnings
}

/// Properties of a clip that are known without reading its file. Clips with the same audio have the same.
#[derive(PartialEq, Eq, Hash)]
struct ClipShape {
    range: Range<u64>,
    from: u64,
    spec: Spec,
    /// Bytes of the file.
    size: Option<u64>,
}

fn shapes_of(node: &Node) -> Vec<ClipShape> {
    let shape = |clip: &PlannedClip| ClipShape {
        range: clip.range.clone(),
        from: clip.from,
        spec: clip.stem.spec,
        size: clip.stem.size(),
    };
    node.clips().iter().map(shape).collect()
}

/// What a stem plays: equal for stems with the same audio.
#[derive(PartialEq, Eq, Hash)]
enum Audio {
    /// The stem at an address: a source of the program.
    Source(*const Stem),
    /// A number of [`Files`], and those of the stream and the channel.
    File(usize, Option<usize>, Option<usize>),
}

/// Numbers files, so that files with the same content have the same number.
#[derive(Default)]
struct Files {
    by_path: HashMap<PathBuf, usize>,
    /// The files of each hash; one for each content.
    by_hash: HashMap<u64, Vec<(PathBuf, usize)>>,
}

impl Files {
    fn audio(&mut self, stem: &Arc<Stem>) -> Audio {
        match stem.input.located() {
            None => Audio::Source(Arc::as_ptr(stem)),
            Some((path, stream, channel)) => Audio::File(self.number(path), stream, channel),
        }
    }

    fn number(&mut self, path: PathBuf) -> usize {
        if let Some(number) = self.by_path.get(&path) {
            return *number;
        }
        let new = self.by_path.len();
        // A file that cannot be read again counts as different from all others.
        let number = probe_hash(&path).map_or(new, |hash| {
            let known = self.by_hash.entry(hash).or_default();
            let same = known.iter().find(|(other, _)| same_content(other, &path));
            match same {
                Some((_, number)) => *number,
                None => {
                    known.push((path.clone(), new));
                    new
                }
            }
        });
        self.by_path.insert(path, number);
        number
    }
}

/// Hashes the length of a file and three short pieces of it. They lie behind a common header and leading silence.
fn probe_hash(path: &Path) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut hasher = DefaultHasher::new();
    length.hash(&mut hasher);
    for at in [length / 2, length / 3, length / 5 * 4] {
        read_at(&mut file, at, PROBE_BYTES)?.hash(&mut hasher);
    }
    Ok(hasher.finish())
}

/// Returns true if two files are the same, or have the same content.
fn same_content(a: &Path, b: &Path) -> bool {
    let equal = || -> io::Result<bool> {
        let (mut a, mut b) = (File::open(a)?, File::open(b)?);
        let length = a.metadata()?.len();
        for at in (0..length).step_by(PAGE_BYTES) {
            if read_at(&mut a, at, PAGE_BYTES)? != read_at(&mut b, at, PAGE_BYTES)? {
                return Ok(false);
            }
        }
        Ok(length == b.metadata()?.len())
    };
    same_file(a, b).unwrap_or(false) || equal().unwrap_or(false)
}

/// Reads a number of bytes at a position, or fewer at the end of the file.
fn read_at(file: &mut File, at: u64, bytes: usize) -> io::Result<Vec<u8>> {
    let mut page = Vec::with_capacity(bytes);
    file.seek(SeekFrom::Start(at))?;
    file.take(bytes as u64).read_to_end(&mut page)?;
    Ok(page)
}
