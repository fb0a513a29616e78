//! `batch plan`: prints the size of a list (items, hours, bytes, the longest shard), every line that is wrong, and once for all
//! of its lines what is wrong with a session.
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
use crate::{
    exit_code::SESSION, failure::Failure, file_store, json, messages::Messages, stdout,
    text::counted,
};
use serde_json::{Value, json};
use soundtrack::{Content, Format, Plan, Result};
use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Maximum number of different errors that are printed; lines with others are only counted.
const MAX_PRINTED: usize = 10_000;
/// Maximum number of sessions in the cache.
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
    wrong: WrongLines,
}

/// Errors of a list. A wrong session makes all of its lines wrong, and is printed once.
#[derive(Default)]
struct WrongLines {
    /// Each error with its first line. The key is what is wrong with the session, or the whole text for an error of one line.
    errors: HashMap<String, FirstLine>,
    /// Number of errors beyond those.
    more: u64,
    /// All wrong lines.
    indices: HashSet<u64>,
}

/// The first line that has an error.
struct FirstLine {
    index: u64,
    /// The error with its place and id.
    text: String,
    /// Number of further lines with it.
    more: u64,
}

/// An error of a line.
struct WrongLine {
    error: LineError,
    /// Tells what is wrong with the session; `None` if the line itself is wrong.
    in_session: Option<String>,
}

impl WrongLines {
    /// Adds an error of a line, with its place.
    fn add(&mut self, list: &Path, index: u64, wrong: WrongLine) {
        self.indices.insert(index);
        let text = wrong.error.at(list, index);
        let key = wrong.in_session.unwrap_or_else(|| text.clone());
        if let Some(first) = self.errors.get_mut(&key) {
            first.more += 1;
            // Threads do not end in the order of the lines.
            if index < first.index {
                (first.index, first.text) = (index, text);
            }
        } else if self.errors.len() < MAX_PRINTED {
            let first = FirstLine {
                index,
                text,
                more: 0,
            };
            self.errors.insert(key, first);
        } else {
            self.more += 1;
        }
    }

    /// Returns the errors in the order of their first lines.
    fn texts(&self) -> Vec<String> {
        let mut firsts: Vec<&FirstLine> = self.errors.values().collect();
        firsts.sort_by_key(|first| (first.index, &first.text));
        let mut texts: Vec<String> = firsts
            .iter()
            .map(|first| match first.more {
                0 => format!("error: {}", first.text),
                more => format!(
                    "error: {}\nnote: the same in {}",
                    first.text,
                    counted(more, "more line")
                ),
            })
            .collect();
        if self.more > 0 {
            texts.push(format!("error: {}", counted(self.more, "more error")));
        }
        texts
    }
}

impl Totals {
    fn new(shards: u64) -> Self {
        let shards = usize::try_from(shards).unwrap_or(usize::MAX);
        Self {
            items: 0,
            nanoseconds: 0,
            bytes: 0,
            shards: vec![ShardSize::default(); shards],
            wrong: WrongLines::default(),
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
            "wrong_lines": self.wrong.indices.len()
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
                Err(wrong) => totals.wrong.add(&args.list, line.index, wrong),
            }
        }
    });
    ended.into_iter().collect::<Result<()>>()?;
    let mut totals = totals.into_inner().unwrap_or_else(PoisonError::into_inner);
    for duplicate in duplicates::find(&args.list, totals.items)? {
        let wrong = WrongLine {
            error: LineError::of_line(duplicate.text),
            in_session: None,
        };
        totals.wrong.add(&args.list, duplicate.index, wrong);
    }
    print_result(&totals, args)?;
    Ok(if totals.wrong.indices.is_empty() {
        0
    } else {
        SESSION
    })
}

fn print_result(totals: &Totals, args: &PlanArgs) -> Result<(), Failure> {
    // Wrong lines are printed even if the totals cannot be.
    let printed = if args.json {
        json::print(totals.to_json())
    } else {
        stdout::print(&totals.to_text())
    };
    let messages = Messages::default();
    for text in totals.wrong.texts() {
        messages.lines(&text);
    }
    printed
}

/// Sizes of items, or what is wrong with their sessions, by [`cache_key`].
type Cache = Mutex<HashMap<String, Result<Size, String>>>;

/// Returns the size of a line's item, from the cache if another item has the same.
fn size_of_line(line: &JobLine, args: &PlanArgs, cache: &Cache) -> Result<Size, WrongLine> {
    let job = line.job().map_err(|error| WrongLine {
        error,
        in_session: None,
    })?;
    let key = cache_key(&job);
    let cached = lock(cache).get(&key).cloned();
    let size = cached.unwrap_or_else(|| {
        let size = size_of_job(&job, args).map_err(|e| e.to_string());
        let mut cache = lock(cache);
        if cache.len() >= MAX_CACHED {
            cache.clear();
        }
        cache.insert(key, size.clone());
        size
    });
    size.map_err(|what| WrongLine {
        error: LineError::of_line(format!("{:?}: {what}", job.id)),
        in_session: Some(what),
    })
}

/// Returns the size of an item.
fn size_of_job(job: &Job, args: &PlanArgs) -> Result<Size> {
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
