//! `batch plan`: prints the size of a list (items, hours, bytes, the longest shard) and every line that is wrong.
//!
//! Reads every line as `run` does and compiles its session, which opens each stem once. Renders nothing.

use super::{
    args::PlanArgs,
    duplicates,
    job::{Job, LineError},
    job_list::{JobLine, JobList},
    shard::Shard,
    workers::{self, lock},
};
use crate::{exit_code::SESSION, failure::Failure, file_store, json, messages::Messages, stdout};
use serde_json::{Value, json};
use soundtrack::{Content, Format, Plan, Result};
use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Maximum number of wrong lines that are printed; more are only counted.
const MAX_PRINTED: usize = 10_000;
/// Maximum number of sizes in the cache.
const MAX_CACHED: usize = 4096;

/// Size of an item.
#[derive(Clone, Copy, Default)]
struct Size {
    seconds: f64,
    /// Bytes of audio, without headers.
    bytes: u64,
}

impl Size {
    /// Returns the size of a file of this many frames.
    fn of_file(plan: &Plan, frames: u64, format: Format) -> Self {
        let spec = plan.spec();
        let bytes_per_sample = u64::from(format.bits() / 8);
        Self {
            seconds: frames as f64 / f64::from(spec.rate.hz()),
            bytes: frames
                .saturating_mul(spec.layout.channels() as u64)
                .saturating_mul(bytes_per_sample),
        }
    }
}

/// Items and seconds of a shard.
#[derive(Clone, Copy, Default)]
struct ShardSize {
    items: u64,
    seconds: f64,
}

/// Totals of a list.
struct Totals {
    items: u64,
    /// An integer, so that the sum does not depend on the order in which threads finish.
    nanoseconds: u128,
    bytes: u64,
    shards: Vec<ShardSize>,
    /// Errors of wrong lines, by line.
    wrong: BTreeMap<u64, String>,
    /// Number of errors beyond those.
    more_wrong: u64,
}

impl Totals {
    fn new(shards: u64) -> Self {
        let shards = usize::try_from(shards).unwrap_or(usize::MAX);
        Self {
            items: 0,
            nanoseconds: 0,
            bytes: 0,
            shards: vec![ShardSize::default(); shards],
            wrong: BTreeMap::new(),
            more_wrong: 0,
        }
    }

    fn add(&mut self, index: u64, size: Size) {
        // A length of centuries is beyond any session.
        let duration = Duration::try_from_secs_f64(size.seconds).unwrap_or(Duration::MAX);
        self.nanoseconds += duration.as_nanos();
        self.bytes = self.bytes.saturating_add(size.bytes);
        let shard = index % self.shards.len() as u64;
        let shard = usize::try_from(shard)
            .ok()
            .and_then(|shard| self.shards.get_mut(shard));
        if let Some(shard) = shard {
            shard.items += 1;
            shard.seconds += size.seconds;
        }
    }

    fn add_error(&mut self, index: u64, text: &str) {
        if self.wrong.len() >= MAX_PRINTED {
            self.more_wrong += 1;
            return;
        }
        let texts = self.wrong.entry(index).or_default();
        if !texts.is_empty() {
            texts.push('\n');
        }
        texts.push_str(text);
    }

    /// Returns the shard with the most seconds, the first of equal ones.
    fn longest_shard(&self) -> (usize, ShardSize) {
        let shards = self.shards.iter().copied().enumerate();
        let longest = shards.reduce(|longest, shard| {
            if shard.1.seconds > longest.1.seconds {
                shard
            } else {
                longest
            }
        });
        // There is at least one shard.
        longest.unwrap_or_default()
    }

    fn seconds(&self) -> f64 {
        let nanoseconds = u64::try_from(self.nanoseconds).unwrap_or(u64::MAX);
        Duration::from_nanos(nanoseconds).as_secs_f64()
    }

    fn to_json(&self) -> Value {
        let (index, longest) = self.longest_shard();
        json!({
            "items": self.items, "duration_s": self.seconds(), "bytes": self.bytes, "shards": self.shards.len(),
            "longest_shard": { "index": index, "items": longest.items, "duration_s": longest.seconds },
            "wrong_lines": self.wrong.len() as u64 + self.more_wrong
        })
    }

    fn to_text(&self) -> String {
        let (index, longest) = self.longest_shard();
        format!(
            "items    {}\nhours    {:.3}\nbytes    {}  ({:.2} GiB)\nshards   {}\nlongest  shard {index}: {} items, {:.3} hours",
            self.items,
            self.seconds() / 3600.0,
            self.bytes,
            self.bytes as f64 / f64::from(1 << 30),
            self.shards.len(),
            longest.items,
            longest.seconds / 3600.0
        )
    }
}

/// Plans a list, prints the result and returns the exit code.
///
/// # Errors
/// Passes on the errors of reading the list.
pub fn run(args: &PlanArgs) -> Result<u8, Failure> {
    let list = Mutex::new(JobList::open(&args.list, Shard::WHOLE)?);
    let totals = Mutex::new(Totals::new(args.shards));
    let cache = Mutex::new(HashMap::new());
    let ended = workers::run(0..workers::cores(), |_| {
        loop {
            // Its own statement: the lock of the list must not be held while stems are opened.
            let line = lock(&list).next_line()?;
            let Some(line) = line else { return Ok(()) };
            let size = size_of_line(&line, args, &cache);
            let mut totals = lock(&totals);
            totals.items += 1;
            match size {
                Ok(size) => totals.add(line.index, size),
                Err(error) => totals.add_error(line.index, &error.at(&args.list, line.index)),
            }
        }
    });
    ended.into_iter().collect::<Result<()>>()?;
    let mut totals = totals.into_inner().unwrap_or_else(PoisonError::into_inner);
    for duplicate in duplicates::find(&args.list, totals.items)? {
        let error = LineError::of_line(duplicate.text);
        totals.add_error(duplicate.index, &error.at(&args.list, duplicate.index));
    }
    print_result(&totals, args)?;
    Ok(if totals.wrong.is_empty() { 0 } else { SESSION })
}

fn print_result(totals: &Totals, args: &PlanArgs) -> Result<(), Failure> {
    // Wrong lines are printed even if the totals cannot be.
    let printed = if args.json {
        json::print(totals.to_json())
    } else {
        stdout::print(&totals.to_text())
    };
    let messages = Messages::default();
    for text in totals.wrong.values() {
        messages.lines(&format!("error: {text}"));
    }
    if totals.more_wrong > 0 {
        messages.line(&format!(
            "error: {} more lines are wrong",
            totals.more_wrong
        ));
    }
    printed
}

fn size_of_line(
    line: &JobLine,
    args: &PlanArgs,
    cache: &Mutex<HashMap<String, Size>>,
) -> Result<Size, LineError> {
    let job = line.job()?;
    size_of_job(&job, args, cache).map_err(|e| LineError::of_line(format!("{:?}: {e}", job.id)))
}

/// Returns the size of an item, from the cache if another item has the same.
fn size_of_job(job: &Job, args: &PlanArgs, cache: &Mutex<HashMap<String, Size>>) -> Result<Size> {
    let key = cache_key(job);
    if let Some(size) = lock(cache).get(&key) {
        return Ok(*size);
    }
    let list = file_store::resolve(&args.list)?;
    let (file, text) = job.read_session(list.parent().unwrap_or(Path::new("")))?;
    let mut session = job.load_options(args.outside).text(text, file)?;
    session.max_memory = args.memory << 20;
    let mut size = Size::default();
    match &job.deliver {
        None => {
            let plan = Plan::compile(&session)?;
            let length = plan.length();
            let frames = match job.parse_range(&session, length)? {
                None => length,
                Some(range) => range.end - range.start,
            };
            size = Size::of_file(&plan, frames.0, job.mix_format());
        }
        Some(name) => {
            let deliverable = job.select_deliverable(name, &mut session, Path::new(""))?;
            let session = session.for_deliverable(&deliverable);
            let mix = Plan::compile(&session)?;
            for output in session.outputs(&deliverable) {
                let cue = match output.content {
                    Content::Cue(cue) => Some(Plan::compile(&session.whole_cue(cue))?),
                    _ => None,
                };
                let plan = cue.as_ref().unwrap_or(&mix);
                let own = Size::of_file(plan, plan.length().0, deliverable.format);
                size.seconds += own.seconds;
                size.bytes = size.bytes.saturating_add(own.bytes);
            }
        }
    }
    let mut cache = lock(cache);
    if cache.len() >= MAX_CACHED {
        cache.clear();
    }
    cache.insert(key, size);
    Ok(size)
}

/// Returns everything of a job that its size, or an error of its session, depends on.
fn cache_key(job: &Job) -> String {
    let out = job.out.to_string_lossy();
    // Placeholders decide whether the files of a deliverable have different names.
    let placeholders: Vec<&str> = out
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split('}').next())
        .collect();
    format!(
        "{:?}",
        (
            &job.session,
            &job.settings,
            &job.deliver,
            &job.range,
            &job.rate,
            job.format,
            placeholders
        )
    )
}
