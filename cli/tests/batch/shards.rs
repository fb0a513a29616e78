//! Shards: together they render the whole list, whichever scheduler starts them.

use soundtrack_test_support::batch_desk::{Desk, count, lines};
use std::{collections::BTreeSet, process::Command};

#[test]
fn every_line_is_in_one_shard_and_the_outputs_are_those_of_one_machine() {
    let desk = Desk::new();
    desk.list(23);
    desk.items("one", &["--jobs", "1"]).0.expect(0, "23 done");
    let mut seen = BTreeSet::new();
    for i in 0..4u64 {
        let (ended, lines) = desk.items("out", &["--shard", &format!("{i}/4")]);
        ended.expect(0, &format!("shard {i}/4"));
        for line in &lines {
            let index = line["index"].as_u64().unwrap();
            assert_eq!(index % 4, i);
            assert!(seen.insert(index));
        }
    }
    assert_eq!(seen, (0..23).collect());
    assert_eq!(desk.waves("out"), desk.waves("one"));
    // Two runs of one shard at the same time, and one after them.
    let start = || {
        desk.command(&["run", "jobs.jsonl", "--out", "twice", "--shard", "1/4"])
            .spawn()
            .unwrap()
    };
    for child in [start(), start()] {
        soundtrack_test_support::batch_desk::ended(child.wait_with_output().unwrap())
            .expect(0, "6 done");
    }
    desk.items("twice", &["--shard", "1/4", "--resume"])
        .0
        .expect(0, "0 done, 6 skipped");
    let (one, twice) = (desk.waves("one"), desk.waves("twice"));
    assert!(twice.len() == 6 && twice.iter().all(|(name, bytes)| one[name] == *bytes));
}

#[test]
fn schedulers_say_which_by_their_variables() {
    let desk = Desk::new();
    desk.list(6);
    let with = |variables: &[(&str, &str)], more: &[&str]| {
        let mut command =
            desk.command(&[&["run", "jobs.jsonl", "--out", "out", "--resume"], more].concat());
        command.envs(variables.iter().copied());
        soundtrack_test_support::batch_desk::ended(command.output().unwrap())
    };
    with(
        &[
            ("SLURM_ARRAY_TASK_ID", "1"),
            ("SLURM_ARRAY_TASK_COUNT", "2"),
        ],
        &["--shards", "3"],
    )
    .expect(0, "shard 1/3");
    with(&[("JOB_COMPLETION_INDEX", "0")], &["--shards", "3"]).expect(0, "shard 0/3");
    with(
        &[
            ("AWS_BATCH_JOB_ARRAY_INDEX", "2"),
            ("AWS_BATCH_JOB_ARRAY_SIZE", "3"),
        ],
        &[],
    )
    .expect(0, "shard 2/3");
    with(
        &[("CLOUD_RUN_TASK_INDEX", "2"), ("CLOUD_RUN_TASK_COUNT", "3")],
        &[],
    )
    .expect(0, "0 done, 2 skipped");
    with(&[("BATCH_TASK_INDEX", "2"), ("BATCH_TASK_COUNT", "3")], &[]).expect(0, "shard 2/3");
    with(&[("SGE_TASK_ID", "3")], &["--shards", "3"]).expect(0, "shard 2/3");
    with(&[("PBS_ARRAY_INDEX", "2")], &["--shards", "3"]).expect(0, "shard 2/3");
    with(&[("LSB_JOBINDEX", "3")], &["--shards", "3"]).expect(0, "shard 2/3");
    let all = desk.waves("out");
    assert_eq!(all.len(), 6);
    // What is said wins over what is found.
    let both = [("SLURM_ARRAY_TASK_ID", "1"), ("JOB_COMPLETION_INDEX", "1")];
    with(&both, &["--shard", "0/3"]).expect(0, "shard 0/3");
    for (variables, more, words) in [
        (
            &both[..],
            &["--shards", "3"][..],
            "SLURM_ARRAY_TASK_ID and JOB_COMPLETION_INDEX are all set",
        ),
        (
            &both[..1],
            &[],
            "SLURM_ARRAY_TASK_ID is set; use --shards N",
        ),
        (
            &[
                ("SLURM_ARRAY_TASK_ID", "1"),
                ("SLURM_ARRAY_TASK_COUNT", "2"),
            ],
            &[],
            "use --shards N",
        ),
        (
            &[("JOB_COMPLETION_INDEX", "3")],
            &["--shards", "3"],
            "JOB_COMPLETION_INDEX=3 is beyond the 3 shards",
        ),
        (
            &[("AWS_BATCH_JOB_ARRAY_SIZE", "3")],
            &[],
            "AWS_BATCH_JOB_ARRAY_INDEX is not",
        ),
        (&[], &["--shards", "3"], "--shards without an index"),
        (&[], &["--shard", "3/3"], "there is no shard 3 of 3"),
        (&[], &["--shard", "x"], "should be I/N"),
    ] {
        let ended = with(variables, more);
        ended.expect(2, words);
        assert_eq!(ended.out, "");
    }
    assert_eq!(desk.waves("out"), all);
}

/// GNU parallel, where it is installed.
#[test]
fn gnu_parallel_does_the_same() {
    let version = Command::new("parallel").arg("--version").output();
    if !version.is_ok_and(|v| String::from_utf8_lossy(&v.stdout).starts_with("GNU parallel")) {
        soundtrack_test_support::requirement::missing("GNU parallel is not installed");
        return;
    }
    let desk = Desk::new();
    desk.list(20);
    desk.items("one", &[]).0.expect(0, "20 done");
    let program = soundtrack_test_support::batch_desk::program();
    let line = format!(
        "{} run jobs.jsonl --out out --resume --jobs 1 --shard {{}}/4",
        program.display()
    );
    let sent = Command::new("parallel")
        .args([
            "--will-cite",
            "-j",
            "2",
            "--retries",
            "3",
            &line,
            ":::",
            "0",
            "1",
            "2",
            "3",
        ])
        .current_dir(desk.path(""))
        .output()
        .unwrap();
    let ended = soundtrack_test_support::batch_desk::ended(sent);
    ended.expect(0, "shard 3/4");
    assert_eq!(count(&lines(&ended), "done"), 20);
    assert_eq!(desk.waves("out"), desk.waves("one"));
    desk.run(&["collect", "jobs.jsonl", "--out", "out"])
        .expect(0, "20 of 20 items are done");
}
