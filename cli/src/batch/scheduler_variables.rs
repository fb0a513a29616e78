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

const fn scheduler(index: &'static str, count: Option<&'static str>) -> Scheduler {
    Scheduler {
        index,
        count,
        first: 0,
        single_job: None,
    }
}

const SCHEDULERS: [Scheduler; 8] = [
    scheduler("SLURM_ARRAY_TASK_ID", None),
    scheduler("JOB_COMPLETION_INDEX", None),
    scheduler(
        "AWS_BATCH_JOB_ARRAY_INDEX",
        Some("AWS_BATCH_JOB_ARRAY_SIZE"),
    ),
    scheduler("CLOUD_RUN_TASK_INDEX", Some("CLOUD_RUN_TASK_COUNT")),
    scheduler("BATCH_TASK_INDEX", Some("BATCH_TASK_COUNT")),
    Scheduler {
        index: "SGE_TASK_ID",
        count: None,
        first: 1,
        single_job: Some("undefined"),
    },
    scheduler("PBS_ARRAY_INDEX", None),
    Scheduler {
        index: "LSB_JOBINDEX",
        count: None,
        first: 1,
        single_job: Some("0"),
    },
];

/// Returns the shard of the variables; the whole list if neither `--shards` nor a scheduler is there. `shards` is the value of
/// `--shards`.
///
/// # Errors
/// A sentence for variables that contradict each other, the option, or are incomplete.
pub fn shard(shards: Option<u64>, variables: &BTreeMap<String, String>) -> Result<Shard, String> {
    let value = |name: &str| variables.get(name).map(String::as_str);
    let is_set = |s: &&Scheduler| value(s.index).is_some_and(|v| s.single_job != Some(v));
    let found: Vec<&Scheduler> = SCHEDULERS.iter().filter(is_set).collect();
    let others = SCHEDULERS
        .iter()
        .filter(|s| !found.iter().any(|f| f.index == s.index));
    if let Some((other, count)) = others
        .filter_map(|s| Some((s, s.count?)))
        .find(|(_, count)| value(count).is_some())
    {
        return Err(format!(
            "{count} is set, but {} is not; use --shard I/N",
            other.index
        ));
    }
    let (scheduler, index) = match found.as_slice() {
        [] if shards.is_none() => return Ok(Shard::WHOLE),
        [] => {
            return Err(format!(
                "--shards without an index: no scheduler set one of {}; use --shard I/N",
                indices()
            ));
        }
        [one] => (*one, value(one.index).unwrap_or_default()),
        several => {
            let names: Vec<&str> = several.iter().map(|s| s.index).collect();
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
    let array_size = match scheduler
        .count
        .and_then(|count| Some((count, value(count)?)))
    {
        None => None,
        Some((count, text)) => match text.parse() {
            Ok(n) if n > 0 => Some((count, n)),
            _ => {
                return Err(format!(
                    "{count}={text:?} is not a number of tasks; use --shards N"
                ));
            }
        },
    };
    let count = match (shards, array_size) {
        (Some(shards), Some((count, own))) if shards != own => {
            return Err(format!(
                "--shards {shards}, but {count}={own}; they must be equal"
            ));
        }
        (Some(shards), _) => shards,
        (None, Some((_, own))) => own,
        (None, None) => {
            let also = scheduler
                .count
                .map_or(String::new(), |count| format!(", and {count} is not"));
            return Err(format!(
                "{name} is set{also}; use --shards N to give the number of all shards"
            ));
        }
    };
    match index.checked_sub(scheduler.first) {
        None => Err(format!(
            "{name}={index}, but its tasks are counted from {}",
            scheduler.first
        )),
        Some(shard) if shard >= count => Err(format!(
            "{name}={index} is beyond the {count} shards, which are {}",
            tasks(scheduler.first, count)
        )),
        Some(index) => Ok(Shard { index, count }),
    }
}

/// Formats the indices of an array: `1 to 4`.
fn tasks(first: u64, count: u64) -> String {
    format!("{first} to {}", first + count - 1)
}

/// Lists the variables of all schedulers.
fn indices() -> String {
    SCHEDULERS.map(|s| s.index).join(", ")
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
