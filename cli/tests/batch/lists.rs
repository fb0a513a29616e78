//! Lists of jobs: `plan`, `collect`, and a million lines.

use serde_json::Value;
use soundtrack_test_support::{batch_desk::Desk, memory::high_water};
use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{BufWriter, Write as _},
    process::Stdio,
};

#[test]
fn a_plan_says_what_it_comes_to_and_all_that_is_wrong() {
    let desk = Desk::new();
    desk.list(10);
    let ended = desk.run(&["plan", "jobs.jsonl", "--shards", "4", "--json"]);
    ended.expect(0, "");
    let plan: Value = serde_json::from_str(&ended.out).unwrap();
    // 0, 3, 6 and 9 are 0.1 s, the others 0.2 s, each of two channels of 3 bytes.
    assert_eq!(
        (plan["items"].as_u64(), plan["duration_s"].as_f64()),
        (Some(10), Some(1.6))
    );
    assert_eq!(plan["bytes"], 76_800 * 6);
    // Shard 1 has the lines 1, 5 and 9, shard 0 the lines 0, 4 and 8: both are the longest, and the first is printed.
    assert_eq!(plan["longest_shard"]["index"], 0);
    assert_eq!(
        (
            plan["longest_shard"]["items"].as_u64(),
            plan["longest_shard"]["duration_s"].as_f64()
        ),
        (Some(3), Some(0.5))
    );
    let words = desk.run(&["plan", "jobs.jsonl", "--shards", "4"]);
    assert!(
        words.out.contains("items    10\n") && words.out.contains("longest  shard 0: 3 items"),
        "{}",
        words.out
    );
    desk.write(
        "jobs.jsonl",
        "{\"id\":\"a\",\"session\":\"base.toml\",\"out\":\"a.wav\"}\n\
         {\"id\":\"b\",\"sesion\":\"base.toml\",\"out\":\"b.wav\"}\n\
         {\"id\":\"c\",\"session\":\"gone.toml\",\"out\":\"c.wav\"}\n\
         {\"id\":\"d\",\"session\":\"base.toml\",\"out\":\"../d.wav\"}\n\
         \n\
         {\"id\":\"a\",\"session\":\"base.toml\",\"out\":\"./a.wav\"}\n\
         {\"id\":\"e\",\"session\":\"base.toml\",\"set\":{\"track.vox.gian\":1},\"out\":\"e.wav\"}\n",
    );
    let ended = desk.run(&["plan", "jobs.jsonl"]);
    for words in [
        "error: jobs.jsonl:2:11: unknown key \"sesion\"; did you mean \"session\"?",
        "error: jobs.jsonl:3:1: \"c\": gone.toml: ",
        "error: jobs.jsonl:4:33: out \"../d.wav\" would leave the output folder",
        "error: jobs.jsonl:5:1: is empty",
        "error: jobs.jsonl:6:1: id \"a\" is already used by line 1",
        "out \"a.wav\" is already used by line 1: one would replace the other",
        "did you mean \"gain\"?",
    ] {
        ended.expect(3, words);
    }
    desk.run(&["plan", "none.jsonl"])
        .expect(4, "none.jsonl: there is no such file");
}

#[test]
fn an_error_of_a_session_is_printed_once_for_all_of_its_lines() {
    let desk = Desk::new();
    desk.list(1);
    let line = |i: u32, session: &str| {
        format!("{{\"id\":\"{i}\",\"session\":\"{session}\",\"out\":\"{i}.wav\"}}\n")
    };
    let gone = (1..=300).map(|i| line(i, "gone.toml"));
    let list: String = gone
        .chain([line(0, "base.toml"), line(301, "away.toml")])
        .chain(["\n".to_owned(), "\n".to_owned()])
        .collect();
    desk.write("jobs.jsonl", &list);
    let ended = desk.run(&["plan", "jobs.jsonl"]);
    ended.expect(3, "error: jobs.jsonl:1:1: \"1\": gone.toml: ");
    ended.expect(3, "note: the same in 299 more lines\n");
    ended.expect(3, "error: jobs.jsonl:302:1: \"301\": away.toml: ");
    // What is wrong with a line itself is printed for each.
    for line in ["303", "304"] {
        ended.expect(3, &format!("error: jobs.jsonl:{line}:1: is empty"));
    }
    assert_eq!(ended.err.matches("error:").count(), 4, "{}", ended.err);
    let json = desk.run(&["plan", "jobs.jsonl", "--json"]);
    let plan: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(
        (&plan["items"], &plan["wrong_lines"]),
        (&304.into(), &303.into())
    );
}

#[test]
fn what_is_missing_is_a_list_of_shards() {
    let desk = Desk::new();
    desk.list(20);
    for shard in ["0/8", "2/8", "3/8", "6/8"] {
        desk.items("out", &["--shard", shard]).0.expect(0, "");
    }
    let collect = || desk.run(&["collect", "jobs.jsonl", "--out", "out"]);
    let ended = collect();
    ended.expect(1, "11 of 20 items are done, 0 of them with a failed check");
    assert_eq!(ended.out, "--array=1,4-5,7\n");
    assert_eq!(
        desk.run(&["collect", "jobs.jsonl", "--out", "out", "--shards", "5"])
            .out,
        "--array=0-4\n"
    );
    for shard in ["1/8", "4/8", "5/8", "7/8"] {
        desk.items("out", &["--shard", shard, "--resume"])
            .0
            .expect(0, "");
    }
    let ended = collect();
    ended.expect(0, "20 of 20 items are done");
    assert_eq!(ended.out, "");
    let lines = fs::read_to_string(desk.path("out/summary.jsonl")).unwrap();
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let ids: Vec<_> = lines
        .iter()
        .map(|line| line["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids, (0..20).map(|i| format!("mix-{i}")).collect::<Vec<_>>());
    assert_eq!(
        (
            lines[4]["duration_s"].as_f64(),
            lines[4]["clipped_samples"].as_u64()
        ),
        (Some(0.2), Some(0))
    );
    let table = fs::read_to_string(desk.path("out/summary.csv")).unwrap();
    let rows: Vec<&str> = table.split("\r\n").collect();
    assert!(
        rows[0].starts_with("id,index,status,out,files,bytes,duration_s,wall_s,integrated_lufs"),
        "{}",
        rows[0]
    );
    assert!(
        rows[5].starts_with("mix-4,4,done,0/4.wav,1,"),
        "{}",
        rows[5]
    );
    fs::remove_file(desk.path("out/1/13.wav")).unwrap();
    let ended = collect();
    ended.expect(
        1,
        "1/13.wav is marked as done, but is missing or incomplete",
    );
    assert_eq!(ended.out, "--array=5\n");
}

#[test]
fn a_million_lines_take_no_more_memory_than_a_thousand() {
    let desk = Desk::new();
    desk.list(4);
    let first = fs::read_to_string(desk.path("jobs.jsonl")).unwrap();
    let mut peaks = Vec::new();
    for lines in [1_000u64, 1_000_000] {
        let mut file = BufWriter::new(File::create(desk.path("long.jsonl")).unwrap());
        let mut text = String::new();
        for i in 0..lines {
            text.clear();
            // Four items for the shard 0, evenly spread.
            match (i % (lines / 4), i / (lines / 4)) {
                (0, item) => text += first.lines().nth(item as usize).unwrap(),
                _ => write!(
                    text,
                    "{{\"id\":\"{i}\",\"session\":\"base.toml\",\"out\":\"x/{i}.wav\"}}"
                )
                .unwrap(),
            }
            text.push('\n');
            file.write_all(text.as_bytes()).unwrap();
        }
        file.into_inner().unwrap();
        let shard = format!("0/{}", lines / 4);
        let mut command = desk.command(&[
            "run",
            "long.jsonl",
            "--out",
            "out",
            "--jobs",
            "1",
            "--shard",
            &shard,
        ]);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut peak = None;
        let status = loop {
            // The peak memory of a child that has ended includes that of this program.
            peak = high_water(child.id()).or(peak);
            match child.try_wait().unwrap() {
                Some(status) => break status,
                None => std::thread::sleep(std::time::Duration::from_millis(1)),
            }
        };
        assert!(status.success());
        let Some(peak) = peak else {
            return println!("skipped: this system does not report the memory of a program");
        };
        peaks.push(peak);
    }
    println!(
        "peak memory with 10^3 and 10^6 lines: {} and {} KiB",
        peaks[0], peaks[1]
    );
    assert!(peaks[1] < peaks[0] + 2_048, "{peaks:?}");
}

#[cfg(not(feature = "cloud"))]
#[test]
fn links_need_a_feature() {
    let desk = Desk::new();
    desk.list(1);
    let needs = "is a link, which needs the feature `cloud`, which is not built in";
    for tool in ["run", "collect"] {
        desk.run(&[tool, "jobs.jsonl", "--out", "s3://bucket/out"])
            .expect(2, needs);
        desk.run(&[tool, "s3://bucket/jobs.jsonl", "--out", "out"])
            .expect(4, needs);
    }
    desk.run(&["plan", "s3://bucket/jobs.jsonl"])
        .expect(4, needs);
    desk.write(
        "jobs.jsonl",
        "{\"id\":\"a\",\"session\":\"s3://bucket/a.toml\",\"out\":\"a.wav\"}\n",
    );
    let (ended, lines) = desk.items("out", &[]);
    ended.expect(4, "1 failed");
    assert!(
        lines[0]["what"].as_str().unwrap().contains(needs),
        "{}",
        ended.out
    );
    assert!(!desk.path("s3:").exists());
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_line() {
    let desk = Desk::new();
    desk.list(6);
    let plain = fs::read(desk.path("jobs.jsonl")).unwrap();
    let marked = [b"\xEF\xBB\xBF".as_slice(), &plain].concat();
    fs::write(desk.path("marked.jsonl"), &marked).unwrap();
    desk.run(&["plan", "marked.jsonl", "--shards", "2"])
        .expect(0, "");
    desk.run(&["run", "marked.jsonl", "--out", "out", "--shard", "0/2"])
        .expect(0, "");
    desk.run(&["run", "marked.jsonl", "--out", "out", "--shard", "1/2"])
        .expect(0, "");
    desk.run(&["collect", "marked.jsonl", "--out", "out"])
        .expect(0, "");
    // Other encodings are refused by their name, whichever shard reads them.
    let text = String::from_utf8(plain).unwrap();
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for bytes in [
        [b"\xFF\xFE".as_slice(), &little].concat(),
        [b"\xFE\xFF".as_slice(), &big].concat(),
        little,
        big,
    ] {
        fs::write(desk.path("wide.jsonl"), bytes).unwrap();
        let refused = "wide.jsonl: is UTF-16, not UTF-8 text: save it as UTF-8";
        desk.run(&["plan", "wide.jsonl"]).expect(3, refused);
        desk.run(&["run", "wide.jsonl", "--out", "wide", "--shard", "1/2"])
            .expect(3, refused);
    }
    // An empty list, and one that is shorter than a mark.
    for short in ["", "{", "\n"] {
        desk.write("short.jsonl", short);
        let ended = desk.run(&["plan", "short.jsonl"]);
        assert!(!ended.err.contains("UTF"), "{}", ended.err);
    }
}
