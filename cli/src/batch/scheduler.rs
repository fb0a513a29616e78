//! Which shard a scheduler means, by the variables that it sets.
//!
//! An index is taken from exactly one scheduler. A count is believed only where it is the size of the whole array, however
//! few of its tasks were started again. `SLURM_ARRAY_TASK_COUNT` is not: after two failed tasks are submitted once more it
//! says 2, and every task would do half of the list. Where anything is unclear the answer is a refusal that names the
//! variables, never the whole list.

use super::shard::Shard;
use std::collections::BTreeMap;

/// The variables of a scheduler.
struct Scheduler {
    index: &'static str,
    /// The size of the whole array.
    count: Option<&'static str>,
    /// The index of the first task.
    first: u64,
    /// What the index holds in a job that is no array.
    alone: Option<&'static str>,
}

const fn scheduler(index: &'static str, count: Option<&'static str>) -> Scheduler {
    Scheduler {
        index,
        count,
        first: 0,
        alone: None,
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
        alone: Some("undefined"),
    },
    scheduler("PBS_ARRAY_INDEX", None),
    Scheduler {
        index: "LSB_JOBINDEX",
        count: None,
        first: 1,
        alone: Some("0"),
    },
];

/// The shard that the variables mean, `shards` being the count that was given with `--shards`; the whole list where
/// neither says anything.
pub fn shard(shards: Option<u64>, variables: &BTreeMap<String, String>) -> Result<Shard, String> {
    let value = |name: &str| variables.get(name).map(String::as_str);
    let there = |s: &&Scheduler| value(s.index).is_some_and(|v| s.alone != Some(v));
    let found: Vec<&Scheduler> = SCHEDULERS.iter().filter(there).collect();
    let halves = SCHEDULERS
        .iter()
        .filter(|s| !found.iter().any(|f| f.index == s.index));
    if let Some((half, count)) = halves
        .filter_map(|s| Some((s, s.count?)))
        .find(|(_, count)| value(count).is_some())
    {
        return Err(format!(
            "{count} is set, but {} is not: say which shard with --shard I/N",
            half.index
        ));
    }
    let (scheduler, given) = match found.as_slice() {
        [] if shards.is_none() => return Ok(Shard::WHOLE),
        [] => {
            return Err(format!(
                "--shards without an index: no scheduler set one of {}; say --shard I/N",
                indices()
            ));
        }
        [one] => (*one, value(one.index).unwrap_or_default()),
        several => {
            let names: Vec<&str> = several.iter().map(|s| s.index).collect();
            return Err(format!(
                "{} are all set: say which shard is meant with --shard I/N",
                names.join(" and ")
            ));
        }
    };
    let name = scheduler.index;
    let index: u64 = given
        .parse()
        .map_err(|_| format!("{name}={given:?} is no number: say --shard I/N"))?;
    let own = match scheduler
        .count
        .and_then(|count| Some((count, value(count)?)))
    {
        None => None,
        Some((count, text)) => match text.parse() {
            Ok(n) if n > 0 => Some((count, n)),
            _ => {
                return Err(format!(
                    "{count}={text:?} is no number of tasks: say --shards N"
                ));
            }
        },
    };
    let count = match (shards, own) {
        (Some(shards), Some((count, own))) if shards != own => {
            return Err(format!(
                "--shards {shards}, but {count}={own}: they must agree"
            ));
        }
        (Some(shards), _) => shards,
        (None, Some((_, own))) => own,
        (None, None) => {
            let also = scheduler
                .count
                .map_or(String::new(), |count| format!(", and {count} is not"));
            return Err(format!(
                "{name} is set{also}: say with --shards N how many shards there are in all"
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

fn tasks(first: u64, count: u64) -> String {
    format!("{first} to {}", first + count - 1)
}

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
    fn every_scheduler_is_understood() {
        let of = Some(4);
        for (shards, variables, wanted) in [
            (None, &[][..], (0, 1)),
            (of, &[("SLURM_ARRAY_TASK_ID", "3")], (3, 4)),
            // Of two tasks that were submitted again; the list is still in four.
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
    fn what_is_unclear_is_refused_with_the_variables() {
        let of = Some(4);
        let slurm = ("SLURM_ARRAY_TASK_ID", "3");
        for (shards, variables, words) in [
            (
                None,
                &[slurm][..],
                "SLURM_ARRAY_TASK_ID is set: say with --shards N",
            ),
            (
                None,
                &[slurm, ("SLURM_ARRAY_TASK_COUNT", "4")],
                "SLURM_ARRAY_TASK_ID is set: say with --shards N",
            ),
            (
                None,
                &[("JOB_COMPLETION_INDEX", "0")],
                "JOB_COMPLETION_INDEX is set: say with --shards N",
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
                "SLURM_ARRAY_TASK_ID=\"\" is no number",
            ),
            (
                of,
                &[("PBS_ARRAY_INDEX", "-1")],
                "PBS_ARRAY_INDEX=\"-1\" is no number",
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
                "INDEX is set, and AWS_BATCH_JOB_ARRAY_SIZE is not: say",
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
                "BATCH_TASK_COUNT=\"x\" is no number",
            ),
            (
                None,
                &[("BATCH_TASK_INDEX", "0"), ("BATCH_TASK_COUNT", "0")],
                "BATCH_TASK_COUNT=\"0\" is no number",
            ),
        ] {
            let refused = asked(shards, variables).unwrap_err();
            assert!(refused.contains(words), "{variables:?}: {refused}");
        }
    }
}
