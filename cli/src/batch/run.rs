//! `run`: renders a shard, several mixes side by side, one line of JSON on stdout for each.
//!
//! One mix a core by default, each on one thread: threads inside a mix wait for each other at every block, mixes do not.

use super::{
    args::RunArgs,
    item::Desk,
    job::{Job, Wrong},
    lines::{Line, Lines},
    outcome::{self, Outcome, Status},
    place,
    shard::Shard,
    stop::Stop,
    twice,
};
use crate::{
    failure::{Failure, OUTPUT, TEMPORARY, exit_code},
    voice::Voice,
};
use soundtrack::{Error, ErrorKind};
use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// What a run came to so far.
#[derive(Default)]
struct Tally {
    done: u64,
    skipped: u64,
    failed: u64,
    dropped: u64,
    codes: std::collections::BTreeSet<u8>,
}

/// Renders a shard; the exit code.
pub fn run(args: &RunArgs) -> Result<u8, Failure> {
    let clock = Instant::now();
    let voice = Voice {
        quiet: args.quiet,
        verbose: false,
        json: false,
    };
    let text = |s: std::ffi::OsString| s.to_string_lossy().into_owned();
    let variables: BTreeMap<String, String> = std::env::vars_os()
        .map(|(k, v)| (text(k), text(v)))
        .collect();
    let shard =
        Shard::asked(args.shard.as_deref(), args.shards, &variables).map_err(Failure::Usage)?;
    let lines = Lines::open(&args.list, shard)?;
    let list = place::resolved(&args.list)?;
    let twice = twice::refused(&args.list, shard)?;
    let out = out(&args.out)?;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let jobs = args.jobs.map_or(cores, usize::from);
    let stop = Stop::watch(Duration::from_secs(args.grace.into()))?;
    let desk = Desk {
        list: list.parent().unwrap_or(Path::new("")).to_owned(),
        out,
        resume: args.resume,
        outside: args.outside,
        max_memory: args.memory << 20,
        threads: (cores / jobs).max(1),
        shards: shard.count,
        stop: &stop,
    };
    voice.note(&format!(
        "shard {}/{}, {jobs} at a time",
        shard.index, shard.count
    ));
    let (lines, tally) = (Mutex::new(lines), Mutex::new(Tally::default()));
    let work = || -> Result<(), Error> {
        while !stop.asked() {
            let line = lock(&lines).line()?;
            let Some((index, text)) = line else { break };
            let refused = twice.get(&index).map(String::as_str);
            let (id, outcome) = ended(&desk, &args.list, (index, text), refused);
            lock(&tally).add(&outcome);
            // A closed pipe is the reader's wish to hear no more; the outputs and their markers say it too.
            let _ = writeln!(
                io::stdout().lock(),
                "{}",
                outcome.line(id.as_deref(), index)
            );
        }
        Ok(())
    };
    let ended: Vec<Result<(), Error>> = thread::scope(|threads| {
        let workers: Vec<_> = (0..jobs).map(|_| threads.spawn(work)).collect();
        let panicked = |_| {
            Err(Error::new(
                ErrorKind::Output,
                "a thread of the program stopped without saying why",
            ))
        };
        workers
            .into_iter()
            .map(|w| w.join().unwrap_or_else(panicked))
            .collect()
    });
    let tally = lock(&tally);
    let Tally {
        done,
        skipped,
        failed,
        dropped,
        ..
    } = *tally;
    let took = clock.elapsed().as_secs_f64();
    voice.note(&format!(
        "{done} done, {skipped} skipped, {failed} failed, {dropped} dropped in {took:.2} s"
    ));
    if stop.asked() {
        voice.error(
            "interrupted; start the shard again with --resume",
            "cancelled",
        );
        return Ok(stop.exit_code());
    }
    ended.into_iter().collect::<Result<(), Error>>()?;
    let code = outcome::worst(tally.codes.iter().copied());
    if code == OUTPUT {
        voice.hint(
            "an output could not be written: see that the disk has room, then start the shard again with --resume",
        );
    }
    Ok(code)
}

/// The folder of the outputs, made where it is missing, as it really is; or the link of one in a store that is in reach.
fn out(asked: &Path) -> Result<PathBuf, Failure> {
    let out = place::folder(asked).map_err(|e| Failure::Usage(format!("--out {e}")))?;
    if place::is_link(&out) {
        // One that is not would be told once more for every item.
        return match place::about(&out.join("summary.jsonl")) {
            Err(e) if exit_code(&e) == TEMPORARY => Err(e.into()),
            _ => Ok(out),
        };
    }
    let failed = |e| place::failed(ErrorKind::Output, &out, e);
    fs::create_dir_all(&out).map_err(failed)?;
    Ok(out.canonicalize().map_err(failed)?)
}

/// Does what a line asks for, unless it is refused for what another line asks for.
fn ended(
    desk: &Desk<'_>,
    list: &Path,
    (index, text): Line,
    refused: Option<&str>,
) -> (Option<String>, Outcome) {
    let job = text
        .map_err(|what| Wrong { column: 1, what })
        .and_then(|text| Job::parse(&text));
    match job {
        Ok(job) => {
            let outcome = match refused {
                Some(what) => {
                    let what = what.to_owned();
                    Outcome::of_wrong(&Wrong { column: 1, what }, list, index)
                }
                None => desk.item(&job),
            };
            (Some(job.id), outcome)
        }
        Err(wrong) => (None, Outcome::of_wrong(&wrong, list, index)),
    }
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

/// A lock whose holder panicked is taken all the same: what it guards is whole after every step.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
