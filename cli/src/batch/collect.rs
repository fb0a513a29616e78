//! `collect`: what is missing, as a list of shards that `--array=` takes, and a summary of what is there.
//!
//! An item is there when its marker and all its files are, in their lengths, under its id. Whether its stems were changed
//! since is what `run --resume` looks at.

use super::{
    args::CollectArgs,
    item::figures,
    job::{Job, Wrong},
    lines::{Line, Lines},
    marker::{self, Found, Marker},
    outcome, place,
    shard::Shard,
    twice,
};
use crate::{failure::Failure, voice::Voice};
use serde_json::{Value, json};
use soundtrack::{Error, ErrorKind, Result, storage::AtomicFile};
use std::{collections::BTreeSet, io::Write, path::Path, thread};

const MISSING: u8 = 1;
/// Lines that are looked at together, and how many of them at the same time in a store, which answers late but many at once.
const TOGETHER: usize = 256;
const AT_ONCE: usize = 16;
/// More missing items are only counted on stderr.
const MOST_SAID: u64 = 20;
/// Columns of the table after id, index and status.
const COLUMNS: [&str; 9] = [
    "out",
    "files",
    "bytes",
    "duration_s",
    "wall_s",
    "integrated_lufs",
    "true_peak_dbtp",
    "clipped_samples",
    "warnings",
];

/// Collects; the exit code.
pub fn run(args: &CollectArgs) -> Result<u8, Failure> {
    let voice = Voice {
        quiet: false,
        verbose: false,
        json: false,
    };
    let mut lines = Lines::open(&args.list, Shard::WHOLE)?;
    let out = place::folder(&args.out).map_err(|e| Failure::Usage(format!("--out {e}")))?;
    let mut summary = Summary::start(&out)?;
    let (mut items, mut missing, mut failed) = (0, Missing::default(), 0u64);
    let mut shards = args.shards;
    loop {
        let mut some = Vec::with_capacity(TOGETHER);
        while some.len() < TOGETHER
            && let Some(line) = lines.line()?
        {
            some.push(line);
        }
        if some.is_empty() {
            break;
        }
        for (index, id, found) in looked_at(&out, &args.list, some)? {
            items += 1;
            match found {
                Ok(marker) => {
                    if shards.is_none() {
                        shards = Some(marker.shards);
                    }
                    failed += u64::from(marker.code != 0);
                    summary.add(id.as_deref(), index, &marker)?;
                }
                Err(what) => {
                    missing.add(index);
                    summary.lack(id.as_deref(), index, &what)?;
                    if missing.count <= MOST_SAID {
                        voice.caution(&what);
                    }
                }
            }
        }
    }
    summary.finish()?;
    let twice = twice::find(&args.list, items)?;
    for twice in &twice {
        voice.error(
            &outcome::place(
                &args.list,
                twice.index,
                &Wrong {
                    column: 1,
                    what: twice.what.clone(),
                },
            ),
            "session",
        );
    }
    voice.note(&format!(
        "{} of {items} items are there, {failed} of them with a failed check; summary.jsonl and summary.csv are in {}",
        items - missing.count,
        out.display()
    ));
    if missing.count > 0 {
        // Where nothing was done, and nothing said, each line is a shard of its own.
        let shards = shards.unwrap_or(items).max(1);
        voice.note(&format!("{} missing, of {shards} shards:", missing.count));
        let _ = writeln!(std::io::stdout(), "--array={}", missing.shards(shards));
    }
    Ok(if missing.count > 0 || !twice.is_empty() {
        MISSING
    } else {
        0
    })
}

/// A line of the list: its number, its id, and its marker or why it is missing.
type Looked = (u64, Option<String>, Result<Marker, String>);

/// Looks at lines, in their order.
fn looked_at(out: &Path, list: &Path, lines: Vec<Line>) -> Result<Vec<Looked>> {
    let look = |(index, text): &Line| {
        let text = text.as_ref().map_err(|what| Wrong {
            column: 1,
            what: what.clone(),
        });
        match text.and_then(|text| Job::parse(text)) {
            Ok(job) => {
                let found = there(out, &job)?.map_err(|what| format!("{:?}: {what}", job.id));
                Ok((*index, Some(job.id), found))
            }
            Err(wrong) => Ok((*index, None, Err(outcome::place(list, *index, &wrong)))),
        }
    };
    let threads = if place::is_link(out) { AT_ONCE } else { 1 };
    thread::scope(|scope| {
        let some = lines.chunks(lines.len().div_ceil(threads).max(1));
        let workers: Vec<_> = some
            .map(|some| scope.spawn(move || some.iter().map(look).collect::<Result<Vec<_>>>()))
            .collect();
        let panicked = |_| {
            Err(Error::new(
                ErrorKind::Output,
                "a thread of the program stopped without saying why",
            ))
        };
        let found: Result<Vec<Vec<Looked>>> = workers
            .into_iter()
            .map(|w| w.join().unwrap_or_else(panicked))
            .collect();
        Ok(found?.into_iter().flatten().collect())
    })
}

/// The marker of an item that is there, or why it is missing; an error where the store does not say.
fn there(out: &Path, job: &Job) -> Result<Result<Marker, String>> {
    // A name that no store takes is the item's own fault.
    let path = match place::resolved(&marker::beside(out, &job.out)) {
        Ok(path) => path,
        Err(e) => return Ok(Err(e.to_string())),
    };
    let Found::Marker(marker) = Marker::read(&path, &job.id)? else {
        return Ok(Err(format!("{} is not done", job.out.display())));
    };
    Ok(if marker.id != job.id {
        Err(format!(
            "{} is that of the item {:?}",
            job.out.display(),
            marker.id
        ))
    } else if marker.whole(out)? {
        Ok(*marker)
    } else {
        Err(format!(
            "{} is marked as done, but is not there whole",
            job.out.display()
        ))
    })
}

/// The lines that are missing, as stretches: memory grows with the gaps, not with the lines.
#[derive(Default)]
struct Missing {
    count: u64,
    stretches: Vec<(u64, u64)>,
}

impl Missing {
    fn add(&mut self, index: u64) {
        self.count += 1;
        match self.stretches.last_mut() {
            Some((_, last)) if *last + 1 == index => *last = index,
            _ => self.stretches.push((index, index)),
        }
    }

    /// Their shards: `0,3,7-9`.
    fn shards(&self, count: u64) -> String {
        let mut shards = BTreeSet::new();
        for (first, last) in &self.stretches {
            // A stretch as long as all shards has a line of each.
            let last = (*last).min(first.saturating_add(count - 1));
            shards.extend((*first..=last).map(|index| index % count));
        }
        let mut stretches = Self::default();
        shards.into_iter().for_each(|shard| stretches.add(shard));
        let text = |(first, last): &(u64, u64)| {
            if first == last {
                first.to_string()
            } else {
                format!("{first}-{last}")
            }
        };
        stretches
            .stretches
            .iter()
            .map(text)
            .collect::<Vec<_>>()
            .join(",")
    }
}

/// Both summaries, a line an item, in the order of the list.
struct Summary {
    lines: AtomicFile,
    table: AtomicFile,
}

impl Summary {
    fn start(folder: &Path) -> Result<Self> {
        let file = |name: &str| AtomicFile::create(folder.join(name), true);
        let mut summary = Self {
            lines: file("summary.jsonl")?,
            table: file("summary.csv")?,
        };
        summary.write(
            &json!(null),
            &format!("id,index,status,{}", COLUMNS.join(",")),
        )?;
        Ok(summary)
    }

    fn add(&mut self, id: Option<&str>, index: u64, marker: &Marker) -> Result<()> {
        let status = if marker.code == 0 {
            "done"
        } else {
            "check failed"
        };
        let mut line = json!({ "id": id, "index": index, "status": status, "out": marker.outputs.first().map(|o| &o.file) });
        if let (Some(line), Value::Object(figures)) = (line.as_object_mut(), figures(marker)) {
            line.extend(figures);
        }
        let cells: Vec<String> = COLUMNS.iter().map(|column| cell(&line[*column])).collect();
        let row = format!("{},{index},{status},{}", cell(&json!(id)), cells.join(","));
        self.write(&line, &row)
    }

    fn lack(&mut self, id: Option<&str>, index: u64, what: &str) -> Result<()> {
        let line = json!({ "id": id, "index": index, "status": "missing", "what": what });
        let row = format!(
            "{},{index},missing{}",
            cell(&json!(id)),
            ",".repeat(COLUMNS.len())
        );
        self.write(&line, &row)
    }

    fn write(&mut self, line: &Value, row: &str) -> Result<()> {
        let mut written = || {
            if !line.is_null() {
                writeln!(self.lines, "{line}")?;
            }
            write!(self.table, "{row}\r\n")
        };
        written().map_err(|e| {
            Error::new(
                ErrorKind::Output,
                format!("the summary cannot be written: {e}"),
            )
            .because(e)
        })
    }

    fn finish(self) -> Result<()> {
        self.lines.finish()?;
        self.table.finish()?;
        Ok(())
    }
}

/// A value in a table (RFC 4180).
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) if text.contains([',', '"', '\n', '\r']) => {
            format!("\"{}\"", text.replace('"', "\"\""))
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_listed_shortly() {
        let missing = |indices: &[u64], count| {
            let mut missing = Missing::default();
            indices.iter().for_each(|i| missing.add(*i));
            missing.shards(count)
        };
        assert_eq!(missing(&[0, 3, 7, 8, 9], 10), "0,3,7-9");
        assert_eq!(missing(&[0, 3, 7, 8, 9], 4), "0-1,3");
        assert_eq!(missing(&(0..1000).collect::<Vec<_>>(), 200), "0-199");
        assert_eq!(missing(&[5], 1), "0");
    }

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        assert_eq!(cell(&json!("a, \"b\"")), "\"a, \"\"b\"\"\"");
        assert_eq!(
            (cell(&json!(null)), cell(&json!(-23.1))),
            (String::new(), "-23.1".into())
        );
    }
}
