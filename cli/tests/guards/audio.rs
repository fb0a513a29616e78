//! Compares hashes of rendered samples and written files.

use crate::{
    golden::{self, kept, outcome},
    sessions::{self, GUARDS, Guard},
};
use sha2::{Digest, Sha256};
use soundtrack::{Bounce, Delivery, Plan, Session};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

const TABLE: &str = "audio.txt";

/// The sums of one guard: what was summed, and its SHA-256.
type Sums = Vec<(String, String)>;

#[test]
fn the_same_bytes_as_ever() {
    let _folder = sessions::enter();
    let mut lines = Vec::new();
    for guard in GUARDS {
        for (what, sum) in sums(guard) {
            lines.push(format!("{sum}  {}: {what}", guard.name));
        }
    }
    let text = lines.join("\n") + "\n";
    if golden::keeping() {
        keep(&outcome("audio"));
    }
    if golden::updating() {
        return fs::write(kept(TABLE), text).expect("room for it");
    }
    let old = fs::read_to_string(kept(TABLE)).unwrap_or_default();
    let (old, new) = (table(&old), table(&text));
    let names: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
    let differs = |name: &&str| old.get(name) != new.get(name);
    let wrong: Vec<&str> = names.into_iter().filter(differs).collect();
    assert!(wrong.is_empty(), "{}", advice(&wrong, &old, &new));
}

fn sums(guard: &Guard) -> Sums {
    let session = guard.load();
    let length = Plan::compile(&session)
        .unwrap_or_else(|e| panic!("{}: {e}", guard.name))
        .length();
    let channels = session
        .render(guard.range(length))
        .unwrap_or_else(|e| panic!("{}: {e}", guard.name));
    let frames = channels.first().map_or(0, Vec::len);
    let mut hash = Sha256::new();
    channels
        .iter()
        .flatten()
        .for_each(|x| hash.update(x.to_le_bytes()));
    let mut sums = vec![(
        format!("{} channels of {frames} samples", channels.len()),
        hex(hash),
    )];
    for file in written(guard, &session) {
        let bytes = fs::read(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let name = file.display().to_string().replace('\\', "/");
        sums.push((format!("{name}, data"), sum(data(&bytes))));
        sums.push((name, sum(&bytes)));
    }
    sums
}

/// Writes the deliverables of a session, or its mix where it has none; the files.
fn written(guard: &Guard, session: &Session) -> Vec<PathBuf> {
    if session.deliverables.is_empty() {
        let file = Path::new("out").join(guard.name.to_owned() + ".wav");
        let plan = Plan::compile(session).expect("compiled before");
        let range = guard.range(plan.length());
        let bounce = Bounce::new()
            .format(guard.format)
            .range(range)
            .overwrite(true);
        bounce
            .run(session, &file)
            .unwrap_or_else(|e| panic!("{}: {e}", guard.name));
        return vec![file];
    }
    Delivery::new()
        .overwrite(true)
        .run(session)
        .unwrap_or_else(|e| panic!("{}: {e}", guard.name));
    session
        .deliverables
        .iter()
        .flat_map(|promise| session.outputs(promise))
        .map(|output| output.file)
        .collect()
}

/// Returns the body of the `data` chunk of a RIFF file.
fn data(bytes: &[u8]) -> &[u8] {
    let mut at = 12;
    while let Some(head) = bytes.get(at..at + 8) {
        let size = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        if &head[..4] == b"data" {
            return &bytes[at + 8..at + 8 + size];
        }
        at += 8 + size.next_multiple_of(2);
    }
    panic!("no data chunk")
}

fn sum(bytes: &[u8]) -> String {
    hex(Sha256::new_with_prefix(bytes))
}

fn hex(hash: Sha256) -> String {
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Returns the sums of a table by the name of their guard.
fn table(text: &str) -> BTreeMap<&str, Vec<(&str, &str)>> {
    let mut table: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for line in text.lines() {
        let (sum, rest) = line.split_once("  ").expect("a sum, and what it is of");
        let (name, what) = rest.split_once(": ").expect("a guard, and what of it");
        table.entry(name).or_default().push((what, sum));
    }
    table
}

/// Names the hashes that differ, and how to find the reason.
fn advice(
    wrong: &[&str],
    old: &BTreeMap<&str, Vec<(&str, &str)>>,
    new: &BTreeMap<&str, Vec<(&str, &str)>>,
) -> String {
    let mut text = format!(
        "{} of {} sessions are not the bytes that they were:\n",
        wrong.len(),
        GUARDS.len()
    );
    for name in wrong {
        let none = Vec::new();
        let (was, is) = (
            old.get(name).unwrap_or(&none),
            new.get(name).unwrap_or(&none),
        );
        let changed = is
            .iter()
            .filter(|(what, sum)| was.iter().any(|w| w.0 == *what && w.1 != *sum));
        let added = is
            .iter()
            .filter(|(what, _)| !was.iter().any(|w| w.0 == *what));
        let gone = was
            .iter()
            .filter(|(what, _)| !is.iter().any(|i| i.0 == *what));
        changed.for_each(|(what, _)| text += &format!("  {name}: {what}: differs\n"));
        added.for_each(|(what, _)| text += &format!("  {name}: {what}: is new\n"));
        gone.for_each(|(what, _)| text += &format!("  {name}: {what}: is missing\n"));
    }
    let folder = outcome("audio");
    keep(&folder);
    text += &format!(
        "The files of this run are in {}. At a commit that passes, SOUNDTRACK_GUARDS=keep writes its files there too:\n\
         move one of the folders away, and `mixdown compare OLD NEW` says where a file differs, by how much, and what lag,\n\
         gain or polarity would bring the two together. Where only the file differs and not its data, the header does.\n\
         If all of it is meant: SOUNDTRACK_GUARDS=update cargo test --test guards\n",
        folder.display()
    );
    text
}

/// Copies what was written to where it stays after the test.
fn keep(folder: &Path) {
    if folder.exists() {
        fs::remove_dir_all(folder).expect("what an earlier run kept");
    }
    let mut folders = vec![PathBuf::from("out")];
    while let Some(from) = folders.pop() {
        let to = folder.join(&from);
        fs::create_dir_all(&to).expect("room for it");
        for entry in fs::read_dir(from).expect("what was written") {
            let path = entry.expect("a file").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                fs::copy(&path, folder.join(&path)).expect("room for it");
            }
        }
    }
}
