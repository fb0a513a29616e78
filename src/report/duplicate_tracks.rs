//! Finds tracks that play the same audio at the same time: warning W108.

use crate::{
    diagnostics::{Subject, Warning, WarningKind},
    layout::Spec,
    media::stem::Stem,
    plan::{Node, PlannedClip},
    units::saturating_usize,
};
use std::{
    collections::{BTreeMap, HashMap},
    fs::{self, File},
    hash::{BuildHasher, RandomState},
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Bytes that are compared at a time.
const PAGE_BYTES: usize = 1 << 17;
/// Bytes that are compared first, at each of three positions. Different recordings of one length differ in them, unless they
/// are silent there.
const PROBE_BYTES: usize = 1 << 12;

/// Returns a warning for each track that plays the same parts of the same stems at the same positions as an earlier one.
/// Gains may differ.
///
/// The time grows with the number of tracks, not with its square. Files are read only where several tracks have clips of
/// the same shape, and only as far as they agree.
pub(super) fn duplicate_tracks(audible: &[&Node]) -> Vec<Warning> {
    let shapes: Vec<Vec<ClipShape>> = audible.iter().map(|node| shapes_of(node)).collect();
    let mut tracks_of: HashMap<&[ClipShape], usize> = HashMap::new();
    for shape in &shapes {
        *tracks_of.entry(shape).or_default() += 1;
    }
    let is_alone = |shape: &Vec<ClipShape>| tracks_of.get(shape.as_slice()) == Some(&1);
    let compared = audible
        .iter()
        .zip(&shapes)
        .filter(|(_, shape)| !is_alone(shape));
    let contents = Contents::of(compared.flat_map(|(node, _)| node.clips()));
    let mut first: HashMap<(&[ClipShape], Vec<Audio>), &Node> = HashMap::new();
    let mut warnings = Vec::new();
    for (node, shape) in audible.iter().zip(&shapes) {
        let Some(clip) = node.clips().first().filter(|_| !is_alone(shape)) else {
            continue;
        };
        let stems = node.clips().iter().map(|clip| &clip.stem);
        let audio = stems.map(|stem| contents.audio(stem)).collect();
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
    /// A number of [`Contents`], and those of the stream and the channel.
    File(usize, Option<usize>, Option<usize>),
}

/// Numbers of the files of stems. Files with the same content have the same number.
struct Contents(HashMap<PathBuf, usize>);

impl Contents {
    /// Compares the files of clips.
    fn of<'a>(clips: impl Iterator<Item = &'a PlannedClip>) -> Self {
        let mut numbers = HashMap::new();
        let mut by_identity: HashMap<FileIdentity, usize> = HashMap::new();
        let mut files: BTreeMap<u64, Vec<(PathBuf, usize)>> = BTreeMap::new();
        for (path, ..) in clips.filter_map(|clip| clip.stem.input.located()) {
            if numbers.contains_key(&path) {
                continue;
            }
            let mut number = numbers.len();
            // A file that cannot be inspected again counts as different from all others.
            if let Ok((identity, length)) = identify(&path) {
                number = *by_identity.entry(identity).or_insert_with(|| {
                    let same_length = files.entry(length).or_default();
                    same_length.push((path.clone(), number));
                    number
                });
            }
            numbers.insert(path, number);
        }
        let mut same: HashMap<usize, usize> = HashMap::new();
        for (length, files) in files {
            for equal in group_equal(files, length, &mut |(path, _), at, bytes| {
                read_at(path, at, bytes)
            }) {
                let first = equal.iter().map(|(_, number)| *number).min();
                same.extend(equal.iter().map(|(_, n)| (*n, first.unwrap_or(*n))));
            }
        }
        for number in numbers.values_mut() {
            *number = same.get(number).copied().unwrap_or(*number);
        }
        Self(numbers)
    }

    fn audio(&self, stem: &Arc<Stem>) -> Audio {
        let file = stem.input.located().and_then(|(path, stream, channel)| {
            Some(Audio::File(*self.0.get(&path)?, stream, channel))
        });
        file.unwrap_or(Audio::Source(Arc::as_ptr(stem)))
    }
}

/// Device and inode number; where there are none, the path without links.
#[derive(PartialEq, Eq, Hash)]
enum FileIdentity {
    #[cfg(unix)]
    Inode(u64, u64),
    #[cfg(not(unix))]
    Path(PathBuf),
}

/// Returns the identity and the length of a file.
fn identify(path: &Path) -> io::Result<(FileIdentity, u64)> {
    let metadata = fs::metadata(path)?;
    #[cfg(unix)]
    let identity = {
        use std::os::unix::fs::MetadataExt;
        FileIdentity::Inode(metadata.dev(), metadata.ino())
    };
    #[cfg(not(unix))]
    let identity = FileIdentity::Path(fs::canonicalize(path)?);
    Ok((identity, metadata.len()))
}

/// Returns the groups of files with the same content, of more than one file each, among files of one length.
///
/// Each file is read piece by piece, as long as another one agrees with it: the time grows with the number of files also where
/// they are all alike for a long time, as stems are that are silent most of the time. A file that cannot be read is in no group.
fn group_equal<F>(
    files: Vec<F>,
    length: u64,
    read: &mut impl FnMut(&F, u64, usize) -> io::Result<Vec<u8>>,
) -> Vec<Vec<F>> {
    // Keys of its own for each render: no file can be made for their hashes to agree.
    let hashes = RandomState::new();
    let mut equal = Vec::new();
    let mut unfinished = vec![(0, files)];
    while let Some((step, files)) = unfinished.pop() {
        if files.len() < 2 {
            continue;
        }
        let Some((at, bytes)) = piece(length, step) else {
            equal.push(files);
            continue;
        };
        if bytes == 0 {
            unfinished.push((step + 1, files));
            continue;
        }
        let (mut pattern, mut alike) = (None, Vec::new());
        let mut others: HashMap<u64, Vec<F>> = HashMap::new();
        for file in files {
            match (read(&file, at, bytes), &pattern) {
                (Ok(found), None) => {
                    pattern = Some(found);
                    alike.push(file);
                }
                (Ok(found), Some(pattern)) if found == *pattern => alike.push(file),
                (Ok(found), Some(_)) => {
                    let hash = hashes.hash_one(found);
                    others.entry(hash).or_default().push(file);
                }
                (Err(_), _) => {}
            }
        }
        let groups = others.into_values().chain([alike]);
        unfinished.extend(groups.map(|files| (step + 1, files)));
    }
    equal
}

/// Number of short pieces that are compared first.
const PROBES: u64 = 3;

/// Returns position and length in bytes of the piece of a file that is compared at a step; a length of 0 where there is nothing
/// to compare at this step. `None` after the last step.
///
/// Pages come in the order of their number with its bits reversed, so that the first ones are spread over the whole file.
fn piece(length: u64, step: u64) -> Option<(u64, usize)> {
    // They lie behind a common header and leading silence.
    if let Some(at) = [length / 2, length / 3, length / 5 * 4].get(saturating_usize(step)) {
        return Some((*at, PROBE_BYTES));
    }
    let pages = length.div_ceil(PAGE_BYTES as u64);
    let bits = u64::BITS - pages.saturating_sub(1).leading_zeros();
    let number = step - PROBES;
    if pages == 0 || number >> bits != 0 {
        return None;
    }
    let page = number
        .reverse_bits()
        .checked_shr(u64::BITS - bits)
        .unwrap_or(0);
    let bytes = if page < pages { PAGE_BYTES } else { 0 };
    Some((page * PAGE_BYTES as u64, bytes))
}

/// Reads a number of bytes at a position, or fewer at the end of the file.
fn read_at(path: &Path, at: u64, bytes: usize) -> io::Result<Vec<u8>> {
    let mut page = Vec::with_capacity(bytes);
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(at))?;
    file.take(bytes as u64).read_to_end(&mut page)?;
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: u64 = PAGE_BYTES as u64;

    #[test]
    fn pieces_cover_a_file_once_after_three_probes() {
        for pages in [0, 1, 2, 3, 7, 8, 9] {
            for length in [pages * PAGE, (pages * PAGE).saturating_sub(5)] {
                let steps: Vec<_> = (0..).map_while(|step| piece(length, step)).collect();
                let mut starts: Vec<u64> = steps[3..]
                    .iter()
                    .filter(|(_, bytes)| *bytes > 0)
                    .map(|(at, _)| at / PAGE)
                    .collect();
                starts.sort_unstable();
                assert!(starts.into_iter().eq(0..length.div_ceil(PAGE)), "{length}");
            }
        }
        let order: Vec<u64> = (3..11)
            .map(|step| piece(8 * PAGE, step).unwrap().0 / PAGE)
            .collect();
        assert_eq!(order, [0, 4, 2, 6, 1, 5, 3, 7]);
    }

    /// Stems that are silent but for one page each are compared with reads that grow with their number, not with its square.
    #[test]
    fn files_that_differ_late_are_read_once_and_copies_are_found() {
        const FILES: u64 = 300;
        let length = 16 * PAGE;
        // Files 0 to 149 have a mark of their own in the last page in the order of reading; those from 150 on are copies of those.
        let (mut reads, mut most) = (0u64, 0);
        let groups = group_equal((0..FILES).collect(), length, &mut |file: &u64, at, _| {
            reads += 1;
            most = most.max(at);
            let mark = if at == 15 * PAGE { file % 150 } else { 0 };
            Ok(mark.to_le_bytes().to_vec())
        });
        assert_eq!((reads, most), (FILES * 19, 15 * PAGE));
        let mut pairs: Vec<(u64, u64)> = groups.iter().map(|g| (g[0], g[1])).collect();
        pairs.sort_unstable();
        assert!(groups.iter().all(|g| g.len() == 2));
        assert!(pairs.into_iter().eq((0..150).map(|n| (n, n + 150))));
    }

    #[test]
    fn files_that_differ_early_or_cannot_be_read_are_left_out() {
        let mut reads = 0;
        let groups = group_equal(vec![1u8, 2, 3, 9], 1 << 30, &mut |file, _, _| {
            reads += 1;
            if *file == 9 {
                return Err(io::ErrorKind::NotFound.into());
            }
            Ok(vec![*file])
        });
        assert_eq!((groups.len(), reads), (0, 4));
    }
}
