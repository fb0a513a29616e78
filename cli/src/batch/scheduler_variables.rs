//! Reads the index of a shard from the environment variables of a scheduler.
//!
//! The index comes from exactly one scheduler. A count is used only if it is always the size of the whole array.
//! `SLURM_ARRAY_TASK_COUNT` is not: after two failed tasks are submitted again it is 2, and each would render half of the
//! list. Anything ambiguous is an error that names the variables; the whole list is never the fallback.

use super::shard::Shard;
use std::collections::BTreeMap;

/// Variables of a scheduler.
struct Scheduler {
    /// Variable of the index.
    index: &'static str,
    /// Variable of the size of the whole array.
    count: Option<&'static str>,
    /// Index of the first task.
    first: u64,
    /// Value of the index in a job that is not an array.
    single_job: Option<&'static str>,
}

impl Scheduler {
    const fn new(index: &'static str, count: Option<&'static str>) -> Self {
        Self {
            index,
            count,
            first: 0,
            single_job: None,
        }
    }
}

const SCHEDULERS: [Scheduler; 8] = [
    Scheduler::new("SLURM_ARRAY_TASK_ID", None),
    Scheduler::new("JOB_COMPLETION_INDEX", None),
    Scheduler::new(
        "AWS_BATCH_JOB_ARRAY_INDEX",
        Some("AWS_BATCH_JOB_ARRAY_SIZE"),
    ),
    Scheduler::new("CLOUD_RUN_TASK_INDEX", Some("CLOUD_RUN_TASK_COUNT")),
    Scheduler::new("BATCH_TASK_INDEX", Some("BATCH_TASK_COUNT")),
    Scheduler {
        index: "SGE_TASK_ID",
        count: None,
        first: 1,
        single_job: Some("undefined"),
    },
    Scheduler::new("PBS_ARRAY_INDEX", None),
    Scheduler {
        index: "LSB_JOBINDEX",
        count: None,
        first: 1,
        single_job: Some("0"),
    },
];

/// Environment variables by name.
pub type Variables = BTreeMap<String, String>;

/// Returns the shard that the variables select; the whole list if neither `--shards` nor a scheduler is there. `shards` is
/// the value of `--shards`.
///
/// # Errors
/// A sentence for variables that are incomplete, or contradict each other or the option.
pub fn shard(shards: Option<u64>, variables: &Variables) -> Result<Shard, String> {
    let found = schedulers_with_index(variables);
    refuse_counts_without_index(&found, variables)?;
    let (scheduler, index) = match found.as_slice() {
        [one] => *one,
        [] if shards.is_none() => return Ok(Shard::WHOLE),
        [] => {
            let names = SCHEDULERS.map(|s| s.index).join(", ");
            return Err(format!(
                "--shards without an index: no scheduler set one of {names}; use --shard I/N"
            ));
        }
        several => {
            let names: Vec<&str> = several.iter().map(|(s, _)| s.index).collect();
            return Err(format!(
                "{} are all set; use --shard I/N to choose one",
                names.join(" and ")
            ));
        }
    };
    let name = scheduler.index;
    let index: u64 = index
        .parse()
        .map_err(|_| format!("{name}={index:?} is not a number; use --shard I/N"))?;
    let count = shard_count(shards, scheduler, variables)?;
    match index.checked_sub(scheduler.first) {
        None => Err(format!(
            "{name}={index}, but its tasks are counted from {}",
            scheduler.first
        )),
        Some(shard) if shard >= count => Err(format!(
            "{name}={index} is beyond the {count} shards, which are {} to {}",
            scheduler.first,
            scheduler.first + count - 1
        )),
        Some(index) => Ok(Shard { index, count }),
    }
}

/// Returns the schedulers whose index is set, with its value. A job that is not an array has none.
fn schedulers_with_index(variables: &Variables) -> Vec<(&'static Scheduler, &str)> {
    SCHEDULERS
        .iter()
        .filter_map(|scheduler| {
            let index = variables.get(scheduler.index)?;
            (scheduler.single_job != Some(index.as_str())).then_some((scheduler, index.as_str()))
        })
        .collect()
}

/// Refuses the size of an array whose index is not set.
fn refuse_counts_without_index(
    found: &[(&Scheduler, &str)],
    variables: &Variables,
) -> Result<(), String> {
    for scheduler in &SCHEDULERS {
        let has_index = found.iter().any(|(s, _)| s.index == scheduler.index);
        if let Some(count) = scheduler.count
            && variables.contains_key(count)
            && !has_index
        {
            let index = scheduler.index;
            return Err(format!(
                "{count} is set, but {index} is not; use --shard I/N"
            ));
        }
    }
    Ok(())
}

/// Returns the number of shards, from `--shards` or the size of the scheduler's array, which must be equal.
fn shard_count(
    shards: Option<u64>,
    scheduler: &Scheduler,
    variables: &Variables,
) -> Result<u64, String> {
    let array = scheduler
        .count
        .and_then(|name| Some((name, variables.get(name)?)));
    let Some((name, text)) = array else {
        return shards.ok_or_else(|| {
            let also = match scheduler.count {
                Some(count) => format!(", and {count} is not"),
                None => String::new(),
            };
            let index = scheduler.index;
            format!("{index} is set{also}; use --shards N to give the number of all shards")
        });
    };
    let size: u64 = match text.parse() {
        Ok(size) if size > 0 => size,
        _ => {
            return Err(format!(
                "{name}={text:?} is not a number of tasks; use --shards N"
            ));
        }
    };
    match shards {
        Some(shards) if shards != size => Err(format!(
            "--shards {shards}, but {name}={size}; they must be equal"
        )),
        _ => Ok(size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(shards: Option<u64>, variables: &[(&str, &str)]) -> Result<(u64, u64), String> {
        let variables = variables
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        shard(shards, &variables).map(|s| (s.index, s.count))
    }

    #[test]
    fn the_index_of_every_scheduler_is_read() {
        let of = Some(4);
        for (shards, variables, wanted) in [
            (None, &[][..], (0, 1)),
            (of, &[("SLURM_ARRAY_TASK_ID", "3")], (3, 4)),
            // Two tasks of four were submitted again.
            (
                of,
                &[
                    ("SLURM_ARRAY_TASK_ID", "3"),
                    ("SLURM_ARRAY_TASK_COUNT", "2"),
                ],
                (3, 4),
            ),
            (of, &[("JOB_COMPLETION_INDEX", "0")], (0, 4)),
            (
                None,
                &[
                    ("AWS_BATCH_JOB_ARRAY_INDEX", "1"),
                    ("AWS_BATCH_JOB_ARRAY_SIZE", "9"),
                ],
                (1, 9),
            ),
            (
                of,
                &[
                    ("AWS_BATCH_JOB_ARRAY_INDEX", "1"),
                    ("AWS_BATCH_JOB_ARRAY_SIZE", "4"),
                ],
                (1, 4),
            ),
            (of, &[("AWS_BATCH_JOB_ARRAY_INDEX", "1")], (1, 4)),
            (
                None,
                &[("CLOUD_RUN_TASK_INDEX", "2"), ("CLOUD_RUN_TASK_COUNT", "3")],
                (2, 3),
            ),
            (
                None,
                &[("BATCH_TASK_INDEX", "5"), ("BATCH_TASK_COUNT", "6")],
                (5, 6),
            ),
            // Counted from 1.
            (of, &[("SGE_TASK_ID", "1")], (0, 4)),
            (of, &[("SGE_TASK_ID", "4")], (3, 4)),
            (of, &[("LSB_JOBINDEX", "4")], (3, 4)),
            (of, &[("PBS_ARRAY_INDEX", "3")], (3, 4)),
            // Jobs that are no arrays.
            (
                None,
                &[
                    ("SGE_TASK_ID", "undefined"),
                    ("LSB_JOBINDEX", "0"),
                    ("SLURM_JOB_ID", "77"),
                ],
                (0, 1),
            ),
            (
                of,
                &[("SGE_TASK_ID", "undefined"), ("SLURM_ARRAY_TASK_ID", "1")],
                (1, 4),
            ),
        ] {
            assert_eq!(
                asked(shards, variables),
                Ok(wanted),
                "{shards:?} {variables:?}"
            );
        }
    }

    #[test]
    fn ambiguous_variables_are_refused_by_name() {
        let of = Some(4);
        let slurm = ("SLURM_ARRAY_TASK_ID", "3");
        for (shards, variables, words) in [
            (
                None,
                &[slurm][..],
                "SLURM_ARRAY_TASK_ID is set; use --shards N",
            ),
            (
                None,
                &[slurm, ("SLURM_ARRAY_TASK_COUNT", "4")],
                "SLURM_ARRAY_TASK_ID is set; use --shards N",
            ),
            (
                None,
                &[("JOB_COMPLETION_INDEX", "0")],
                "JOB_COMPLETION_INDEX is set; use --shards N",
            ),
            (
                of,
                &[],
                "no scheduler set one of SLURM_ARRAY_TASK_ID, JOB_COMPLETION_INDEX, AWS_BATCH_JOB_ARRAY_INDEX, ",
            ),
            (
                of,
                &[slurm, ("JOB_COMPLETION_INDEX", "3")],
                "SLURM_ARRAY_TASK_ID and JOB_COMPLETION_INDEX are all set",
            ),
            (
                of,
                &[("SLURM_ARRAY_TASK_ID", "4")],
                "SLURM_ARRAY_TASK_ID=4 is beyond the 4 shards, which are 0 to 3",
            ),
            (
                of,
                &[("SGE_TASK_ID", "5")],
                "SGE_TASK_ID=5 is beyond the 4 shards, which are 1 to 4",
            ),
            (
                of,
                &[("SGE_TASK_ID", "0")],
                "SGE_TASK_ID=0, but its tasks are counted from 1",
            ),
            (
                of,
                &[("SLURM_ARRAY_TASK_ID", "")],
                "SLURM_ARRAY_TASK_ID=\"\" is not a number",
            ),
            (
                of,
                &[("PBS_ARRAY_INDEX", "-1")],
                "PBS_ARRAY_INDEX=\"-1\" is not a number",
            ),
            (
                of,
                &[("PBS_ARRAY_INDEX", "9")],
                "PBS_ARRAY_INDEX=9 is beyond",
            ),
            (of, &[("LSB_JOBINDEX", "7")], "LSB_JOBINDEX=7 is beyond"),
            (
                None,
                &[("AWS_BATCH_JOB_ARRAY_INDEX", "1")],
                "INDEX is set, and AWS_BATCH_JOB_ARRAY_SIZE is not; use",
            ),
            (
                None,
                &[("AWS_BATCH_JOB_ARRAY_SIZE", "4")],
                "SIZE is set, but AWS_BATCH_JOB_ARRAY_INDEX is not",
            ),
            (
                of,
                &[("CLOUD_RUN_TASK_COUNT", "4")],
                "CLOUD_RUN_TASK_COUNT is set, but CLOUD_RUN_TASK_INDEX is not",
            ),
            (
                of,
                &[slurm, ("BATCH_TASK_COUNT", "4")],
                "BATCH_TASK_COUNT is set, but BATCH_TASK_INDEX is not",
            ),
            (
                of,
                &[("CLOUD_RUN_TASK_INDEX", "1"), ("CLOUD_RUN_TASK_COUNT", "5")],
                "--shards 4, but CLOUD_RUN_TASK_COUNT=5",
            ),
            (
                None,
                &[("BATCH_TASK_INDEX", "1"), ("BATCH_TASK_COUNT", "x")],
                "BATCH_TASK_COUNT=\"x\" is not a number",
            ),
            (
                None,
                &[("BATCH_TASK_INDEX", "0"), ("BATCH_TASK_COUNT", "0")],
                "BATCH_TASK_COUNT=\"0\" is not a number",
            ),
        ] {
            let refused = asked(shards, variables).unwrap_err();
            assert!(refused.contains(words), "{variables:?}: {refused}");
        }
    }
}
