//! Every JSON document of the programs has a version and fits the schema that is checked in.

use serde_json::Value;
use soundtrack_test_support::{desk::Desk, json_schema::JsonSchema};
use std::fs;

fn schema() -> JsonSchema {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/output.schema.json");
    JsonSchema::new(&fs::read_to_string(path).unwrap())
}

/// Checks a document by its definition and by the whole schema.
#[track_caller]
fn check(definition: &str, text: &str) -> Value {
    let document: Value = serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"));
    let schema = schema();
    assert_eq!(schema.errors(definition, &document), Vec::<String>::new());
    assert_eq!(schema.errors_of_any(&document), Vec::<String>::new());
    assert_eq!(document["version"], 1);
    document
}

/// A folder with a session that has what a report can contain.
fn desk() -> Desk {
    let desk = Desk::new();
    for (name, amplitude) in [("a.wav", 30_000.0), ("b.wav", 20_000.0), ("c.wav", 9_000.0)] {
        desk.tone(name, 1, 96_000, amplitude);
    }
    desk.write(
        "s.toml",
        "title = \"All\"\nrate = 48000\nfps = \"24\"\nmarker = { \"1s\" = \"here\" }\n[master]\nlimit = -1\n[bus.band]\n\
         [track.a]\nfile = \"a.wav\"\nbus = \"band\"\nautomation.gain = [\"0s -inf\", \"1s 0\"]\n\
         [track.a.insert]\ncomp = { type = \"compressor\", threshold = -30 }\n\
         [track.b]\nfile = \"b.wav\"\nmute = true\n\
         [cue.storm]\nat = \"500ms\"\n[cue.storm.track]\nc = { file = \"c.wav\" }\n\
         [deliver.full]\nfile = \"out/full.wav\"\nloudness = { target = -20, fit = true }\n\
         [deliver.stems]\nfile = \"out/{bus}.wav\"\nstems = [\"band\"]\ngain_of = \"full\"\n\
         [deliver.report]\nfile = \"out/all.json\"\nreport = true\n",
    );
    desk
}

#[test]
fn results_fit_the_schema() {
    let desk = desk();
    let run = |arguments: &[&str]| {
        let ended = desk.run(arguments);
        assert!(ended.code <= 1, "{arguments:?}: {}", ended.err);
        ended.out
    };
    let mix = [
        "s.toml",
        "-o",
        "m.wav",
        "--json",
        "--measure-strips",
        "--target",
        "ebu-r128",
    ];
    let report = check("report", &run(&mix));
    assert_eq!(report["timecode"]["fps"], "24");
    assert!(report["tracks"][0]["integrated_lufs"].is_number());
    run(&["s.toml", "-o", "m2.wav", "--report", "m.json"]);
    let report = check("report", &fs::read_to_string(desk.path("m.json")).unwrap());
    assert_eq!(report["overview"]["markers"][0]["name"], "here");
    check("report", &run(&["report", "m.wav", "--json"]));
    check("delivered", &run(&["s.toml", "--json"]));
    check(
        "delivered",
        &fs::read_to_string(desk.path("out/all.json")).unwrap(),
    );
    check("plan", &run(&["plan", "s.toml", "--json"]));
    check("comparison", &run(&["compare", "a.wav", "b.wav", "--json"]));
    check("comparison", &run(&["compare", "a.wav", "a.wav", "--json"]));
    check("explained", &run(&["explain", "--json"]));
    desk.write(
        "jobs.jsonl",
        "{\"id\":\"1\",\"session\":\"s.toml\",\"out\":\"1.wav\"}\n",
    );
    check(
        "batch_plan",
        &run(&["batch", "plan", "jobs.jsonl", "--json"]),
    );
    let several: Value =
        serde_json::from_str(&run(&["report", "a.wav", "b.wav", "--json"])).unwrap();
    assert_eq!(schema().errors_of_any(&several), Vec::<String>::new());
    assert_eq!(several[1]["version"], 1);
}

#[test]
fn errors_are_documents_too() {
    let desk = desk();
    desk.write(
        "bad.toml",
        "rate = 48000\n[track.a]\npath = \"a.wav\"\ngain = \"loud\"\n",
    );
    let failed = |arguments: &[&str], code: i32| {
        let ended = desk.run(arguments);
        assert_eq!(ended.code, code, "{arguments:?}: {}", ended.err);
        assert!(ended.err.starts_with("error: "), "{}", ended.err);
        let document = check("failure", &ended.out);
        assert_eq!(document["exit_code"], code, "{arguments:?}");
        document
    };
    let bad = failed(&["bad.toml", "--json"], 3);
    let problems = bad["error"]["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 2, "{bad}");
    assert_eq!(
        (
            &problems[0]["place"]["line"],
            &problems[0]["place"]["column"]
        ),
        (&Value::from(3), &Value::from(1))
    );
    let missing = failed(&["stms/", "--json"], 4);
    assert_eq!(missing["error"]["kind"], "not found");
    let usage = failed(&["a.wav", "--json", "--mut", "a"], 2);
    assert_eq!(usage["error"]["kind"], "usage");
    assert!(usage["error"]["text"].as_str().unwrap().contains("--mute"));
    failed(&["plan", "none.toml", "--json"], 4);
    failed(&["compare", "a.wav", "none.wav", "--json"], 4);
    failed(&["explain", "W99", "--json"], 2);
    failed(&["batch", "plan", "none.jsonl", "--json"], 4);
    // Without --json stdout stays empty.
    assert_eq!(desk.run(&["bad.toml"]).out, "");
}
