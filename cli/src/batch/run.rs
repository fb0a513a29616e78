//! `batch run`: renders a shard, several mixes side by side, and prints a line for each: of JSON, or for people on a terminal.
//!
//! The default is one mix per core, each on one thread: threads inside a mix wait for each other at every block, mixes do
//! not.

use super::{
    args::RunArgs,
    display::RunDisplay,
    duplicates,
    grace_period::GracePeriod,
    item::ItemRenderer,
    job::LineError,
    job_list::{JobLine, JobList},
    outcome::{Outcome, Status},
    scheduler_variables::Variables,
    shard::Shard,
    workers::{self, lock},
};
use crate::{
    exit_code::{self, OUTPUT, TEMPORARY},
    failure::Failure,
    file_store,
    messages::Messages,
};
use soundtrack::{ErrorKind, Result};
use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    sync::Mutex,
    time::{Duration, Instant},
};

/// Numbers of items by status, and their exit codes.
#[derive(Default)]
struct Tally {
    done: u64,
    skipped: u64,
    failed: u64,
    dropped: u64,
    codes: BTreeSet<u8>,
}

impl Tally {
    fn add(&mut self, outcome: &Outcome) {
        let count = match outcome.status {
            Status::Done => &mut self.done,
            Status::Skipped => &mut self.skipped,
            Status::Failed => &mut self.failed,
            Status::Dropped => &mut self.dropped,
        };
        *count += 1;
        self.codes.insert(outcome.code);
    }
}

/// Renders a shard and returns the exit code.
///
/// # Errors
/// `Usage` for a shard or an output folder that is not clear; errors of reading the list.
pub fn run(args: &RunArgs) -> Result<u8, Failure> {
    let clock = Instant::now();
    let messages = Messages {
        quiet: args.quiet,
        ..Messages::default()
    };
    let shard = Shard::from_options(args.shard.as_deref(), args.shards, &environment())
        .map_err(Failure::Usage)?;
    let list = Mutex::new(JobList::open(&args.list, shard)?);
    let list_path = file_store::resolve(&args.list)?;
    let duplicates = duplicates::of_shard(&args.list, shard)?;
    let out = prepare_output_folder(&args.out)?;
    let cores = workers::cores();
    let jobs = args.jobs.map_or(cores, usize::from);
    let grace_period = GracePeriod::watch(Duration::from_secs(args.grace.into()))?;
    let renderer = ItemRenderer {
        list_folder: list_path.parent().unwrap_or(Path::new("")).to_owned(),
        out,
        resume: args.resume,
        outside: args.outside,
        max_memory: args.memory << 20,
        threads: (cores / jobs).max(1),
        shards: shard.count,
        grace_period: &grace_period,
    };
    messages.note(&format!(
        "shard {}/{}, {jobs} at a time",
        shard.index, shard.count
    ));

    let tally = Mutex::new(Tally::default());
    let count = || count_items(&args.list, shard);
    let display = Mutex::new(RunDisplay::start(args.json, messages, count)?);
    let ended = workers::run(0..jobs, |_| {
        while !grace_period.has_begun() {
            // Its own statement: the lock of the list must not be held during the render.
            let line = lock(&list).next_line()?;
            let Some(line) = line else { break };
            let duplicate = duplicates.get(&line.index).map(String::as_str);
            let (id, outcome) = render_line(&renderer, &args.list, &line, duplicate);
            lock(&tally).add(&outcome);
            lock(&display).show(id.as_deref(), line.index, &outcome);
        }
        Ok(())
    });

    let tally = lock(&tally);
    messages.note(&format!(
        "{} done, {} skipped, {} failed, {} dropped in {:.2} s",
        tally.done,
        tally.skipped,
        tally.failed,
        tally.dropped,
        clock.elapsed().as_secs_f64()
    ));
    if grace_period.has_begun() {
        messages.error(
            "interrupted; run the shard again with --resume",
            "cancelled",
        );
        return Ok(grace_period.exit_code());
    }
    ended.into_iter().collect::<Result<()>>()?;
    let code = exit_code::most_urgent(tally.codes.iter().copied());
    if code == OUTPUT {
        messages.hint(
            "an output could not be written: check the free space of the disk, then run the shard again with --resume",
        );
    }
    Ok(code)
}

/// Returns the number of items of a shard.
fn count_items(list: &Path, shard: Shard) -> Result<u64> {
    let mut list = JobList::open(list, shard)?;
    let mut items = 0;
    while list.next_line()?.is_some() {
        items += 1;
    }
    Ok(items)
}

/// Returns the environment variables as text.
fn environment() -> Variables {
    env::vars_os()
        .map(|(name, value)| {
            let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
            (text(name), text(value))
        })
        .collect()
}

/// Creates the output folder and returns its path without symbolic links, or the link of one in a store that answers.
fn prepare_output_folder(requested: &Path) -> Result<PathBuf, Failure> {
    let out =
        file_store::resolve_folder(requested).map_err(|e| Failure::Usage(format!("--out {e}")))?;
    if file_store::is_link(&out) {
        // Asking once here avoids the same error for every item.
        return match file_store::metadata(&out.join("summary.jsonl")) {
            Err(e) if exit_code::of_error(&e) == TEMPORARY => Err(e.into()),
            _ => Ok(out),
        };
    }
    let failed = |e| file_store::file_error(ErrorKind::Output, &out, e);
    fs::create_dir_all(&out).map_err(failed)?;
    Ok(out.canonicalize().map_err(failed)?)
}

/// Renders the item of a line unless its id or output is a duplicate, and returns its id and outcome.
fn render_line(
    renderer: &ItemRenderer<'_>,
    list: &Path,
    line: &JobLine,
    duplicate: Option<&str>,
) -> (Option<String>, Outcome) {
    match (line.job(), duplicate) {
        (Ok(job), None) => {
            let outcome = renderer.render(&job);
            (Some(job.id), outcome)
        }
        (Ok(job), Some(text)) => {
            let error = LineError::of_line(text);
            (
                Some(job.id),
                Outcome::of_line_error(&error, list, line.index),
            )
        }
        (Err(error), _) => (None, Outcome::of_line_error(&error, list, line.index)),
    }
}
