//! Finds ids and outputs that occur twice in a list, in bounded memory.
//!
//! A pass over the list keeps and sorts 64-bit hashes of a share of the ids and outputs, about 32 MiB at most. The list is
//! read once for each share, which for a million lines is once. If two hashes are equal, one more pass compares the texts.
//! So every duplicate is found, and texts that only share a hash are not reported.

use super::{job_list::JobList, shard::Shard};
use soundtrack::{Error, ErrorKind, Result};
use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher as _},
    path::Path,
};

/// Maximum number of hashes kept in one pass.
const MAX_HASHES: u64 = 1 << 22;
/// Maximum number of reported duplicates; a list with more was made wrong as a whole.
const MAX_REPORTED: usize = 1000;

/// An id or an output that an earlier line has too.
#[derive(Debug, PartialEq, Eq)]
pub struct Duplicate {
    /// Number of the later line, counted from 0.
    pub index: u64,
    /// Message that names the earlier line.
    pub text: String,
}

/// Returns the lines of a shard whose id or output an earlier line of any shard has, with the messages. Keeps a hash of each
/// id and output of the shard.
///
/// # Errors
/// `Session` for a list with 1000 duplicates or more.
pub fn of_shard(list: &Path, shard: Shard) -> Result<HashMap<u64, String>> {
    let mut own: Vec<u64> = Vec::new();
    for_each_job(list, shard, |_, names| own.extend(names.iter().map(hash)))?;
    own.sort_unstable();
    own.dedup();
    let mut counts = vec![0u8; own.len()];
    for_each_job(list, Shard::WHOLE, |_, names| {
        for hash in names.iter().map(hash) {
            let place = own.binary_search(&hash).ok();
            if let Some(count) = place.and_then(|at| counts.get_mut(at)) {
                *count = count.saturating_add(1);
            }
        }
    })?;
    let equal = own.iter().zip(&counts).filter(|(_, count)| **count > 1);
    let found = compare_texts(list, &equal.map(|(hash, _)| *hash).collect())?;
    if found.len() >= MAX_REPORTED {
        let text = format!(
            "{}: {MAX_REPORTED} or more ids and outputs occur twice; `batch plan` lists them",
            list.display()
        );
        return Err(Error::new(ErrorKind::Session, text));
    }
    let mut by_line: HashMap<u64, String> = HashMap::new();
    for Duplicate { index, text } in found {
        let texts = by_line.entry(index).or_default();
        if !texts.is_empty() {
            *texts += "; ";
        }
        *texts += &text;
    }
    Ok(by_line)
}

/// Returns the duplicates of a list with this number of lines, at most 1000.
///
/// # Errors
/// Passes on the errors of reading the list.
pub fn find(list: &Path, lines: u64) -> Result<Vec<Duplicate>> {
    find_in_passes(list, lines, MAX_HASHES)
}

fn find_in_passes(list: &Path, lines: u64, max_hashes: u64) -> Result<Vec<Duplicate>> {
    let passes = (2 * lines).div_ceil(max_hashes).max(1);
    let mut equal: HashSet<u64> = HashSet::new();
    for pass in 0..passes {
        let mut hashes = Vec::new();
        for_each_job(list, Shard::WHOLE, |_, names| {
            hashes.extend(names.iter().map(hash).filter(|h| h % passes == pass))
        })?;
        hashes.sort_unstable();
        let pairs = hashes.iter().zip(hashes.iter().skip(1));
        let equal_pairs = pairs.filter(|(a, b)| a == b);
        equal.extend(equal_pairs.map(|(hash, _)| *hash).take(MAX_REPORTED));
    }
    compare_texts(list, &equal)
}

/// Returns the duplicates among the ids and outputs with these hashes, since different texts may have equal hashes.
fn compare_texts(list: &Path, hashes: &HashSet<u64>) -> Result<Vec<Duplicate>> {
    if hashes.is_empty() {
        return Ok(Vec::new());
    }
    let (mut first, mut found): (HashMap<Name, u64>, Vec<Duplicate>) = (HashMap::new(), Vec::new());
    for_each_job(list, Shard::WHOLE, |index, names| {
        for name in names
            .into_iter()
            .filter(|name| hashes.contains(&hash(name)))
        {
            if let Some(before) = first.get(&name).copied() {
                let line = before + 1;
                let text = match name {
                    Name::Id(id) => format!("id {id:?} is already used by line {line}"),
                    Name::Out(out) => format!(
                        "out {out:?} is already used by line {line}: one would replace the other"
                    ),
                };
                found.push(Duplicate { index, text });
                found.truncate(MAX_REPORTED);
            } else {
                first.insert(name, index);
            }
        }
    })?;
    Ok(found)
}

/// A text that must be unique in a list.
#[derive(Hash, PartialEq, Eq)]
enum Name {
    Id(String),
    Out(std::path::PathBuf),
}

/// Calls `visit` with the number and the names of every job of a shard. Lines that are wrong are reported elsewhere.
fn for_each_job(list: &Path, shard: Shard, mut visit: impl FnMut(u64, [Name; 2])) -> Result<()> {
    let mut lines = JobList::open(list, shard)?;
    while let Some(line) = lines.next_line()? {
        if let Ok(job) = line.job() {
            visit(line.index, [Name::Id(job.id), Name::Out(job.out)]);
        }
    }
    Ok(())
}

/// Hashes a name, equally in every pass.
fn hash(name: &Name) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    #[test]
    fn duplicates_are_found_in_any_number_of_passes() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("jobs.jsonl");
        let mut text = String::new();
        for i in 0..100 {
            let (id, out) = (if i == 70 { 7 } else { i }, if i == 90 { 9 } else { i });
            writeln!(
                text,
                r#"{{"id":"{id}","session":"s","out":"{}a/{out}.wav"}}"#,
                if i == 90 { "./" } else { "" }
            )
            .unwrap();
        }
        std::fs::write(&list, text).unwrap();
        for share in [MAX_HASHES, 60, 7] {
            let found = find_in_passes(&list, 100, share).unwrap();
            let said: Vec<_> = found.iter().map(|t| (t.index, t.text.as_str())).collect();
            assert_eq!(
                said,
                [
                    (70, "id \"7\" is already used by line 8"),
                    (
                        90,
                        "out \"a/9.wav\" is already used by line 10: one would replace the other"
                    )
                ]
            );
        }
    }
}
