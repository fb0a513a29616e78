//! Ids and outputs that a list has twice, found in bounded memory.
//!
//! A pass over the list keeps 64-bit hashes of the ids and outputs that are its share, at most about 32 MiB of them, and
//! sorts them; the list is read as often as it takes, which for a million lines is once. Where two hashes are the same, one
//! more pass compares the texts. So nothing is missed and nothing is called twice that is not.

use super::{job::Job, lines::Lines, shard::Shard};
use soundtrack::{Error, ErrorKind, Result};
use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher as _},
    path::Path,
};

/// Hashes kept in one pass.
const SHARE: u64 = 1 << 22;
/// More are not told: the list is not what it should be.
const MOST: usize = 1000;

/// What two lines of a list share.
#[derive(Debug, PartialEq, Eq)]
pub struct Twice {
    /// The later line, counted from 0.
    pub index: u64,
    pub what: String,
}

/// The lines of a shard whose id or output is that of a line before, in whichever shard that is, with what is wrong. Keeps
/// a hash of each id and output of the shard.
///
/// # Errors
/// `Session` for more of them than are told: the list is not what it should be.
pub fn refused(list: &Path, shard: Shard) -> Result<HashMap<u64, String>> {
    let mut own: Vec<u64> = Vec::new();
    each(list, shard, |_, names| own.extend(names.iter().map(hash)))?;
    own.sort_unstable();
    own.dedup();
    let mut seen = vec![0u8; own.len()];
    each(list, Shard::WHOLE, |_, names| {
        for at in names
            .iter()
            .map(hash)
            .filter_map(|h| own.binary_search(&h).ok())
        {
            seen[at] = seen[at].saturating_add(1);
        }
    })?;
    let twice = own.iter().zip(&seen).filter(|(_, times)| **times > 1);
    let found = told(list, &twice.map(|(hash, _)| *hash).collect())?;
    if found.len() >= MOST {
        let what = format!(
            "{}: {MOST} ids and outputs or more come twice: `plan` names them",
            list.display()
        );
        return Err(Error::new(ErrorKind::Session, what));
    }
    let mut refused: HashMap<u64, String> = HashMap::new();
    for Twice { index, what } in found {
        let said = refused.entry(index).or_default();
        if !said.is_empty() {
            *said += "; ";
        }
        *said += &what;
    }
    Ok(refused)
}

/// Everything that comes twice in a list of so many lines.
pub fn find(list: &Path, lines: u64) -> Result<Vec<Twice>> {
    within(list, lines, SHARE)
}

fn within(list: &Path, lines: u64, share: u64) -> Result<Vec<Twice>> {
    let passes = (2 * lines).div_ceil(share).max(1);
    let mut same: HashSet<u64> = HashSet::new();
    for pass in 0..passes {
        let mut hashes = Vec::new();
        each(list, Shard::WHOLE, |_, names| {
            hashes.extend(names.iter().map(hash).filter(|h| h % passes == pass))
        })?;
        hashes.sort_unstable();
        same.extend(
            hashes
                .windows(2)
                .filter(|w| w.first() == w.last())
                .filter_map(|w| w.first())
                .take(MOST),
        );
    }
    told(list, &same)
}

/// The ids and outputs of these hashes that come twice: hashes of different texts may be the same.
fn told(list: &Path, same: &HashSet<u64>) -> Result<Vec<Twice>> {
    if same.is_empty() {
        return Ok(Vec::new());
    }
    let (mut first, mut found): (HashMap<Name, u64>, Vec<Twice>) = (HashMap::new(), Vec::new());
    each(list, Shard::WHOLE, |index, names| {
        for name in names.into_iter().filter(|name| same.contains(&hash(name))) {
            if let Some(before) = first.get(&name).copied() {
                let what = match name {
                    Name::Id(id) => format!("id {id:?} is that of line {} too", before + 1),
                    Name::Out(out) => {
                        format!(
                            "out {out:?} is that of line {} too: one would replace the other",
                            before + 1
                        )
                    }
                };
                found.push(Twice { index, what });
                found.truncate(MOST);
            } else {
                first.insert(name, index);
            }
        }
    })?;
    Ok(found)
}

#[derive(Hash, PartialEq, Eq)]
enum Name {
    Id(String),
    Out(std::path::PathBuf),
}

/// The names of every line of a shard that is a job.
fn each(list: &Path, shard: Shard, mut tell: impl FnMut(u64, [Name; 2])) -> Result<()> {
    let mut lines = Lines::open(list, shard)?;
    while let Some((index, text)) = lines.line()? {
        if let Some(job) = text.ok().and_then(|text| Job::parse(&text).ok()) {
            tell(index, [Name::Id(job.id), Name::Out(job.out)]);
        }
    }
    Ok(())
}

/// The same in every pass.
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
    fn both_are_named_however_many_passes_it_takes() {
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
        for share in [SHARE, 60, 7] {
            let found = within(&list, 100, share).unwrap();
            let said: Vec<_> = found.iter().map(|t| (t.index, t.what.as_str())).collect();
            assert_eq!(
                said,
                [
                    (70, "id \"7\" is that of line 8 too"),
                    (
                        90,
                        "out \"a/9.wav\" is that of line 10 too: one would replace the other"
                    )
                ]
            );
        }
    }
}
