//! `plan`: what a list comes to (items, hours, bytes, the longest shard), and every line that is wrong, at once.
//!
//! Every line is read as `run` reads it and its session compiled, which opens each stem once; nothing is rendered.

use super::{
    args::PlanArgs,
    job::{Job, Wrong},
    lines::Lines,
    outcome, place,
    shard::Shard,
    twice,
};
use crate::{failure::Failure, range, voice::Voice};
use serde_json::json;
use soundtrack::{Content, Error, ErrorKind, Format, Plan, Result};
use std::{
    collections::{BTreeMap, HashMap},
    io::Write as _,
    path::Path,
    sync::{Mutex, PoisonError},
    thread,
};

const WRONG: u8 = 3;
/// More lines that are wrong are only counted.
const MOST_SAID: usize = 10_000;
/// Lengths of sessions that are known without looking again.
const MOST_KNOWN: usize = 4096;

/// What an item comes to.
#[derive(Clone, Copy, Default)]
struct Size {
    seconds: f64,
    bytes: u64,
}

#[derive(Default)]
struct Found {
    items: u64,
    /// Hours are summed in the order that threads finish in, so only to a nanosecond.
    nanoseconds: u128,
    bytes: u64,
    shards: Vec<(u64, f64)>,
    wrong: BTreeMap<u64, String>,
    more: u64,
}

impl Found {
    fn say(&mut self, index: u64, what: String) {
        if self.wrong.len() < MOST_SAID {
            let said = self.wrong.entry(index).or_default();
            if !said.is_empty() {
                said.push('\n');
            }
            *said += &what;
        } else {
            self.more += 1;
        }
    }
}

/// Plans; the exit code.
pub fn run(args: &PlanArgs) -> Result<u8, Failure> {
    let lines = Mutex::new(Lines::open(&args.list, Shard::WHOLE)?);
    let count = usize::try_from(args.shards).unwrap_or(usize::MAX);
    let found = Mutex::new(Found {
        shards: vec![(0, 0.0); count],
        ..Found::default()
    });
    let known = Mutex::new(HashMap::new());
    let work = || -> Result<()> {
        while let Some((index, text)) = lock(&lines).line()? {
            let job = text
                .map_err(|what| Wrong { column: 1, what })
                .and_then(|text| Job::parse(&text));
            let size = match job {
                Err(wrong) => Err(outcome::place(&args.list, index, &wrong)),
                Ok(job) => size(&job, args, &known).map_err(|e| {
                    let what = format!("{:?}: {e}", job.id);
                    outcome::place(&args.list, index, &Wrong { column: 1, what })
                }),
            };
            let mut found = lock(&found);
            found.items += 1;
            match size {
                Err(what) => found.say(index, what),
                Ok(size) => {
                    found.nanoseconds += std::time::Duration::try_from_secs_f64(size.seconds)
                        .unwrap_or_default()
                        .as_nanos();
                    found.bytes = found.bytes.saturating_add(size.bytes);
                    let shard = usize::try_from(index % args.shards).unwrap_or_default();
                    if let Some((items, seconds)) = found.shards.get_mut(shard) {
                        *items += 1;
                        *seconds += size.seconds;
                    }
                }
            }
        }
        Ok(())
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|threads| {
        let workers: Vec<_> = (0..cores).map(|_| threads.spawn(work)).collect();
        let panicked = |_| {
            Err(Error::new(
                ErrorKind::Session,
                "a thread of the program stopped without saying why",
            ))
        };
        workers
            .into_iter()
            .try_for_each(|w| w.join().unwrap_or_else(panicked))
    })?;
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    for twice in twice::find(&args.list, found.items)? {
        found.say(
            twice.index,
            outcome::place(
                &args.list,
                twice.index,
                &Wrong {
                    column: 1,
                    what: twice.what,
                },
            ),
        );
    }
    told(&found, args)
}

/// Prints what was found; the exit code.
fn told(found: &Found, args: &PlanArgs) -> Result<u8, Failure> {
    let voice = Voice {
        quiet: false,
        verbose: false,
        json: false,
    };
    let seconds =
        std::time::Duration::from_nanos(u64::try_from(found.nanoseconds).unwrap_or(u64::MAX))
            .as_secs_f64();
    let longest = found
        .shards
        .iter()
        .enumerate()
        .max_by(|a, b| a.1.1.total_cmp(&b.1.1).then(b.0.cmp(&a.0)));
    let (longest, (items, most)) = longest.map_or((0, (0, 0.0)), |(i, s)| (i, *s));
    let text = if args.json {
        format!(
            "{:#}",
            json!({
                "items": found.items, "duration_s": seconds, "bytes": found.bytes, "shards": args.shards,
                "longest_shard": { "index": longest, "items": items, "duration_s": most },
                "wrong_lines": found.wrong.len() as u64 + found.more
            })
        )
    } else {
        format!(
            "items    {}\nhours    {:.3}\nbytes    {}  ({:.2} GiB)\nshards   {}\nlongest  shard {longest}: {items} items, {:.3} hours",
            found.items,
            seconds / 3600.0,
            found.bytes,
            found.bytes as f64 / f64::from(1 << 30),
            args.shards,
            most / 3600.0
        )
    };
    let _ = writeln!(std::io::stdout(), "{text}");
    for what in found.wrong.values() {
        voice.line(
            &format!("error: {}", crate::voice::printable_lines(what)),
            || json!({}),
        );
    }
    if found.more > 0 {
        voice.line(&format!("error: and {} lines more", found.more), || {
            json!({})
        });
    }
    Ok(if found.wrong.is_empty() { 0 } else { WRONG })
}

/// What an item comes to; of audio only, without headers.
fn size(job: &Job, args: &PlanArgs, known: &Mutex<HashMap<String, Size>>) -> Result<Size> {
    let out = job.out.to_string_lossy();
    let filled: Vec<&str> = out
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split('}').next())
        .collect();
    let key = format!(
        "{:?}",
        (
            &job.session,
            &job.settings,
            &job.deliver,
            &job.range,
            &job.rate,
            job.format,
            filled
        )
    );
    if let Some(size) = lock(known).get(&key) {
        return Ok(*size);
    }
    let list = place::resolved(&args.list)?;
    let (file, text) = job.text(list.parent().unwrap_or(Path::new("")))?;
    let mut session = job.load(args.outside).text(text, file)?;
    session.max_memory = args.memory << 20;
    let of = |plan: &Plan, frames: u64, format: Format| {
        let (spec, width) = (plan.spec(), u64::from(format.bits() / 8));
        let bytes = frames
            .saturating_mul(spec.layout.channels() as u64)
            .saturating_mul(width);
        Size {
            seconds: frames as f64 / f64::from(spec.rate.hz()),
            bytes,
        }
    };
    let mut size = Size::default();
    match &job.deliver {
        None => {
            let plan = Plan::compile(&session)?;
            let mut frames = plan.length();
            if let Some(text) = &job.range {
                let part = range::parse(text, &session, plan.length());
                let (part, _) =
                    part.map_err(|e| Error::new(ErrorKind::Session, format!("range {text}: {e}")))?;
                frames = part.end - part.start;
            }
            size = of(&plan, frames.0, job.format.unwrap_or_default());
        }
        Some(name) => {
            let promise = job.promise(name, &mut session, Path::new(""))?;
            let spoken = session.for_deliverable(&promise);
            let whole = Plan::compile(&spoken)?;
            for output in spoken.outputs(&promise) {
                let cue = match output.content {
                    Content::Cue(cue) => Some(Plan::compile(&spoken.whole_cue(cue))?),
                    _ => None,
                };
                let plan = cue.as_ref().unwrap_or(&whole);
                let own = of(plan, plan.length().0, promise.format);
                size = Size {
                    seconds: size.seconds + own.seconds,
                    bytes: size.bytes.saturating_add(own.bytes),
                };
            }
        }
    }
    let mut known = lock(known);
    if known.len() >= MOST_KNOWN {
        known.clear();
    }
    known.insert(key, size);
    Ok(size)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
