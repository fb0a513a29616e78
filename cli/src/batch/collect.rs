//! `batch collect`: prints the shards of missing items as an `--array=` list, and writes a summary of the others.
//!
//! An item is done if its marker has its id and all files exist with their lengths. Whether its stems have changed since is
//! checked by `run --resume`.

use super::{
    args::CollectArgs,
    duplicates,
    index_ranges::IndexRanges,
    job::{Job, LineError},
    job_list::{JobLine, JobList},
    marker::{self, Found, Marker},
    overview_page::OverviewPage,
    shard::Shard,
    summary::{Summary, figures},
    workers,
};
use crate::{exit_code::CHECK_FAILED, failure::Failure, file_store, messages::Messages, stdout};
use soundtrack::Result;
use std::path::Path;

/// Number of lines that are checked together.
const CHUNK: usize = 256;
/// Number of threads that ask a store, which answers late but many at once. The local disk gets one.
const STORE_THREADS: usize = 16;
/// Number of missing items that are named on stderr; more are only counted.
const MAX_NAMED: u64 = 20;

/// Checks every item of a list, writes the summaries, prints the missing shards, and returns the exit code.
pub fn run(args: &CollectArgs) -> Result<u8, Failure> {
    let messages = Messages::default();
    let mut list = JobList::open(&args.list, Shard::WHOLE)?;
    let out =
        file_store::resolve_folder(&args.out).map_err(|e| Failure::Usage(format!("--out {e}")))?;
    if let Some(report) = &args.report
        && !report
            .extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case("html"))
    {
        return Err(Failure::Usage(format!(
            "--report {}: the table of items is a page; name it .html",
            report.display()
        )));
    }
    let mut page = args.report.as_ref().map(|_| OverviewPage::default());
    let mut summary = Summary::create(&out)?;
    let (mut items, mut missing, mut failed) = (0, IndexRanges::default(), 0u64);
    let mut shards = args.shards;
    loop {
        let chunk = read_chunk(&mut list)?;
        if chunk.is_empty() {
            break;
        }
        for item in check_items(&out, &args.list, &chunk)? {
            items += 1;
            let id = item.id.as_deref();
            match item.marker {
                Ok(marker) => {
                    shards = shards.or(Some(marker.shards));
                    failed += u64::from(marker.code != 0);
                    summary.add_done(id, item.index, &marker)?;
                    if let Some(page) = &mut page {
                        let what = marker.what.as_deref();
                        page.add_done(&marker.id, item.index, what, &figures(&marker));
                    }
                }
                Err(reason) => {
                    missing.push(item.index);
                    summary.add_missing(id, item.index, &reason)?;
                    if let Some(page) = &mut page {
                        page.add_missing(id, item.index, &reason);
                    }
                    if missing.count() <= MAX_NAMED {
                        messages.warning(&reason);
                    }
                }
            }
        }
    }
    summary.finish()?;
    if let (Some(page), Some(path)) = (page, &args.report) {
        page.write(path, args.force)?;
        messages.note(&format!("the table of all items is in {}", path.display()));
    }
    let duplicates = duplicates::find(&args.list, items)?;
    for duplicate in &duplicates {
        let error = LineError::of_line(&duplicate.text);
        messages.error(&error.at(&args.list, duplicate.index), "session");
    }
    messages.note(&format!(
        "{} of {items} items are done, {failed} of them with a failed check; summary.jsonl and summary.csv are in {}",
        items - missing.count(),
        out.display()
    ));
    if missing.count() > 0 {
        // If neither an option nor a marker gives the number of shards, each line is a shard.
        let shards = shards.unwrap_or(items).max(1);
        messages.note(&format!("{} missing, of {shards} shards:", missing.count()));
        stdout::print(&format!("--array={}", missing.shards(shards)))?;
    }
    Ok(if missing.count() > 0 || !duplicates.is_empty() {
        CHECK_FAILED
    } else {
        0
    })
}

fn read_chunk(list: &mut JobList) -> Result<Vec<JobLine>> {
    let mut chunk = Vec::with_capacity(CHUNK);
    while chunk.len() < CHUNK
        && let Some(line) = list.next_line()?
    {
        chunk.push(line);
    }
    Ok(chunk)
}

/// An item of the list.
struct CheckedItem {
    index: u64,
    /// Id of the item; `None` for a line that is not a job.
    id: Option<String>,
    /// The complete marker, or why the item is missing.
    marker: Result<Marker, String>,
}

/// Checks items in parallel and returns them in their order.
fn check_items(out: &Path, list: &Path, lines: &[JobLine]) -> Result<Vec<CheckedItem>> {
    let threads = if file_store::is_link(out) {
        STORE_THREADS
    } else {
        1
    };
    let shares = lines.chunks(lines.len().div_ceil(threads).max(1));
    let checked = workers::run(shares, |share: &[JobLine]| {
        share
            .iter()
            .map(|line| check_item(out, list, line))
            .collect::<Result<Vec<_>>>()
    });
    let checked = checked.into_iter().collect::<Result<Vec<_>>>()?;
    Ok(checked.into_iter().flatten().collect())
}

fn check_item(out: &Path, list: &Path, line: &JobLine) -> Result<CheckedItem> {
    let index = line.index;
    Ok(match line.job() {
        Ok(job) => CheckedItem {
            index,
            marker: find_marker(out, &job)?.map_err(|reason| format!("{:?}: {reason}", job.id)),
            id: Some(job.id),
        },
        Err(error) => CheckedItem {
            index,
            id: None,
            marker: Err(error.at(list, index)),
        },
    })
}

/// Returns the complete marker of an item, or why there is none.
///
/// # Errors
/// Passes on the errors of a store that cannot be asked.
fn find_marker(out: &Path, job: &Job) -> Result<Result<Marker, String>> {
    // A name that no store accepts is an error of the item.
    let path = match file_store::resolve(&marker::path_beside(out, &job.out)) {
        Ok(path) => path,
        Err(e) => return Ok(Err(e.to_string())),
    };
    let Found::Marker(marker) = Marker::read(&path, &job.id)? else {
        return Ok(Err(format!("{} is not done", job.out.display())));
    };
    Ok(if marker.id != job.id {
        Err(format!(
            "{} belongs to the item {:?}",
            job.out.display(),
            marker.id
        ))
    } else if marker.has_all_outputs(out)? {
        Ok(*marker)
    } else {
        Err(format!(
            "{} is marked as done, but is missing or incomplete",
            job.out.display()
        ))
    })
}
