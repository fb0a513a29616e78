//! Items of `batch run`: which are rendered or skipped, and messages about wrong lines.

use soundtrack::{Bounce, Format, Frames, Load, compare};
use soundtrack_test_support::batch_desk::{Desk, count, line};
use std::{
    fs,
    time::{Duration, SystemTime},
};

#[test]
fn an_item_is_the_mix_that_a_program_renders() {
    let desk = Desk::new();
    desk.list(7);
    let (ended, lines) = desk.items("out", &[]);
    ended.expect(0, "shard 0/1");
    assert_eq!((lines.len(), count(&lines, "done")), (7, 7));
    for i in 0..7 {
        let load = Load::default().set("track.vox.gain", format!("-{}.5", i % 10));
        let session = load.session(desk.path("base.toml")).unwrap();
        let mut bounce = Bounce::new().overwrite(true);
        if i % 3 == 0 {
            bounce = bounce.range(Frames(2400)..Frames(7200));
        }
        bounce.run(&session, desk.path("one.wav")).unwrap();
        let out = desk.path(format!("out/0/{i}.wav"));
        assert_eq!(
            fs::read(desk.path("one.wav")).unwrap(),
            fs::read(&out).unwrap(),
            "{i}"
        );
        let figures = &line(&lines, &format!("mix-{i}"))["figures"];
        assert_eq!(figures["duration_s"], if i % 3 == 0 { 0.1 } else { 0.2 });
        assert_eq!(figures["bytes"], out.metadata().unwrap().len());
    }
    let marker: serde_json::Value =
        serde_json::from_slice(&fs::read(desk.path("out/0/5.wav.json")).unwrap()).unwrap();
    assert_eq!(
        (marker["id"].as_str(), marker["code"].as_u64()),
        (Some("mix-5"), Some(0))
    );
    assert_eq!(marker["report"]["title"], "base");
    assert_eq!(marker["fingerprint"].as_str().unwrap().len(), 64);
}

#[test]
fn flac_by_the_name_or_the_format_of_the_line() {
    let desk = Desk::new();
    desk.tone("a.wav", 48_000, 24_000, 3000.0);
    desk.write(
        "film.toml",
        "[track.a]\nfile = \"a.wav\"\n[deliver.full]\nfile = \"x.wav\"\nformat = \"wav16\"\n",
    );
    let job =
        |id: &str, more: &str| format!("{{\"id\":\"{id}\",\"session\":\"film.toml\",{more}}}\n");
    let jobs = [
        job("wav", "\"out\":\"24.wav\""),
        job("wav16", "\"out\":\"16.wav\",\"format\":\"wav16\""),
        job("named", "\"out\":\"a.flac\""),
        job("sixteen", "\"out\":\"b.flac\",\"format\":\"flac16\""),
        job("deliverable", "\"out\":\"c.flac\",\"deliver\":\"full\""),
    ];
    desk.write("jobs.jsonl", &jobs.concat());
    desk.items("out", &[])
        .0
        .expect(0, "5 done, 0 skipped, 0 failed");
    for (wav, flac) in [
        ("24.wav", "a.flac"),
        ("16.wav", "b.flac"),
        ("24.wav", "c.flac"),
    ] {
        let compared = compare::files(desk.path("out").join(wav), desk.path("out").join(flac));
        assert!(compared.unwrap().identical, "{flac}");
    }
    desk.write(
        "jobs.jsonl",
        &job("x", "\"out\":\"a.wav\",\"format\":\"flac16\""),
    );
    let (ended, lines) = desk.items("other", &[]);
    ended.expect(3, "0 done, 0 skipped, 1 failed");
    let said = lines[0].to_string();
    assert!(said.contains("format flac16 is not that of"), "{said}");
}

#[test]
fn rate_format_and_deliverables_are_those_of_the_line() {
    let desk = Desk::new();
    let deliver = "[bus.one]\n[bus.two]\n[deliver.full]\nfile = \"x.wav\"\nformat = \"wav16\"\nlang = \"de\"\n\
                   [deliver.stems]\nfile = \"y {bus}.wav\"\nstems = [\"one\", \"two\"]\n\
                   [deliver.loud]\nfile = \"z.wav\"\nloudness = { target = -5, tolerance = 1 }\n\
                   [track.dx]\nfile = \"dx_{lang}.wav\"\nbus = \"one\"\n[track.fx]\nfile = \"a.wav\"\nbus = \"two\"\n";
    desk.write(
        "film.toml",
        &format!("title = \"film\"\nlang = \"en\"\n{deliver}"),
    );
    desk.tone("dx_en.wav", 48_000, 24_000, 3000.0);
    desk.tone("dx_de.wav", 48_000, 24_000, 6000.0);
    desk.write(
        "jobs.jsonl",
        "{\"id\":\"r\",\"session\":\"base.toml\",\"out\":\"r.wav\",\"rate\":32000,\"format\":\"wav32f\"}\n\
         {\"id\":\"full\",\"session\":\"film.toml\",\"deliver\":\"full\",\"out\":\"full.wav\"}\n\
         {\"id\":\"en\",\"session\":\"film.toml\",\"deliver\":\"full\",\"set\":{\"deliver.full.lang\":\"en\"},\"out\":\"en.wav\"}\n\
         {\"id\":\"stems\",\"session\":\"film.toml\",\"deliver\":\"stems\",\"out\":\"s/{nn} {bus}.wav\"}\n\
         {\"id\":\"loud\",\"session\":\"film.toml\",\"deliver\":\"loud\",\"out\":\"loud.wav\"}\n\
         {\"id\":\"set\",\"session\":\"film.toml\",\"deliver\":\"full\",\"set\":{\"lang\":\"en\"},\"out\":\"set.wav\"}\n\
         {\"id\":\"twice\",\"session\":\"film.toml\",\"deliver\":\"stems\",\"out\":\"twice.wav\"}\n\
         {\"id\":\"none\",\"session\":\"film.toml\",\"deliver\":\"ful\",\"out\":\"none.wav\"}\n",
    );
    let (ended, lines) = desk.items("out", &[]);
    ended.expect(3, "6 done, 0 skipped, 2 failed, 0 dropped");
    let spec = hound::WavReader::open(desk.path("out/r.wav"))
        .unwrap()
        .spec();
    assert_eq!(
        (spec.sample_rate, spec.sample_format),
        (32_000, hound::SampleFormat::Float)
    );
    let film = Load::default()
        .set("lang", "de")
        .session(desk.path("film.toml"))
        .unwrap();
    Bounce::new()
        .format(Format::WAV_16)
        .run(&film, desk.path("de.wav"))
        .unwrap();
    // The header of a deliverable states the loudness too.
    let same = compare::files(desk.path("out/full.wav"), desk.path("de.wav")).unwrap();
    assert!(same.identical);
    assert!(
        !compare::files(desk.path("out/full.wav"), desk.path("out/en.wav"))
            .unwrap()
            .identical
    );
    let names: Vec<_> = desk
        .waves("out")
        .into_keys()
        .map(|p| p.display().to_string())
        .collect();
    assert_eq!(
        names,
        [
            "en.wav",
            "full.wav",
            "loud.wav",
            "r.wav",
            "s/01 one.wav",
            "s/02 two.wav",
            "set.wav"
        ]
    );
    // A language that is set is that of the deliverable too.
    assert_eq!(
        fs::read(desk.path("out/set.wav")).unwrap(),
        fs::read(desk.path("out/en.wav")).unwrap()
    );
    let twice =
        "deliver \"stems\": 2 files cannot all be \"twice.wav\": put {bus}, {cue} or {nn} into out";
    assert_eq!(line(&lines, "twice")["what"], twice);
    desk.run(&["plan", "jobs.jsonl"])
        .expect(3, twice)
        .expect(3, "\"none\": deliver \"ful\": there is no");
    let figures = &line(&lines, "stems")["figures"];
    assert_eq!(
        (
            figures["files"].as_u64(),
            figures["clipped_samples"].as_u64()
        ),
        (Some(2), Some(0))
    );
    assert!(
        line(&lines, "full")["figures"]["integrated_lufs"].is_number(),
        "{lines:?}"
    );
    let loud = line(&lines, "loud");
    assert_eq!(
        (loud["code"].as_u64(), loud["what"].as_str()),
        (Some(1), Some("written, but a check failed"))
    );
    assert!(
        line(&lines, "none")["what"]
            .as_str()
            .unwrap()
            .contains("did you mean \"full\"?")
    );
    // A failed check is reported again, and not rendered again.
    let (ended, lines) = desk.items("out", &["--resume"]);
    ended.expect(3, "0 done, 6 skipped, 2 failed, 0 dropped");
    assert_eq!(line(&lines, "loud")["code"], 1);
}

#[test]
fn resuming_does_what_changed_and_nothing_else() {
    let desk = Desk::new();
    desk.list(4);
    desk.items("out", &[]).0.expect(0, "4 done");
    let before = desk.waves("out");
    let again = |words: &str| {
        desk.items("out", &["--resume", "--jobs", "1"])
            .0
            .expect(0, words)
            .code
    };
    again("0 done, 4 skipped");
    // Without it everything is done again, and is the same.
    desk.items("out", &[]).0.expect(0, "4 done, 0 skipped");
    assert_eq!(desk.waves("out"), before);
    fs::remove_file(desk.path("out/0/1.wav")).unwrap();
    again("1 done, 3 skipped");
    fs::write(desk.path("out/0/2.wav.json"), "{\"id\":\"mix").unwrap();
    again("1 done, 3 skipped");
    let bytes = fs::read(desk.path("out/0/3.wav")).unwrap();
    fs::write(desk.path("out/0/3.wav"), &bytes[..1000]).unwrap();
    again("1 done, 3 skipped");
    assert_eq!(desk.waves("out"), before);
    let list = fs::read_to_string(desk.path("jobs.jsonl")).unwrap();
    desk.write("jobs.jsonl", &list.replace("-1.5", "-1.25"));
    again("1 done, 3 skipped");
    // A stem that was written again, even with the same content.
    let file = fs::File::options()
        .append(true)
        .open(desk.path("a.wav"))
        .unwrap();
    file.set_modified(SystemTime::now() + Duration::from_secs(5))
        .unwrap();
    again("4 done, 0 skipped");
    let session = fs::read_to_string(desk.path("base.toml")).unwrap();
    desk.write("base.toml", &format!("{session}gain = -1\n"));
    again("4 done, 0 skipped");
    assert_ne!(desk.waves("out"), before);
    again("0 done, 4 skipped");
}

#[test]
fn one_bad_item_stops_no_other_and_says_what_and_why() {
    let desk = Desk::new();
    fs::write(desk.path("broken.wav"), "this is no audio").unwrap();
    desk.write(
        "missing.toml",
        "rate = 48000\n[track.x]\nfile = \"gone.wav\"\n",
    );
    desk.write(
        "broken.toml",
        "rate = 48000\n[track.x]\nfile = \"broken.wav\"\n",
    );
    desk.write(
        "jobs.jsonl",
        "{\"id\":\"good\",\"session\":\"base.toml\",\"out\":\"good.wav\"}\n\
         {\"id\":\"nowhere\",\"session\":\"none.toml\",\"out\":\"1.wav\"}\n\
         {\"id\":\"missing\",\"session\":\"missing.toml\",\"out\":\"2.wav\"}\n\
         {\"id\":\"broken\",\"session\":\"broken.toml\",\"out\":\"3.wav\"}\n\
         {\"id\":\"set\",\"session\":\"base.toml\",\"set\":{\"track.voz.gain\":1},\"out\":\"4.wav\"}\n\
         {\"id\":\"late\",\"session\":\"base.toml\",\"range\":\"9s..\",\"out\":\"5.wav\"}\n\
         not json\n\
         {\"id\":\"folder\",\"session\":\"base.toml\",\"out\":\"taken.wav\"}\n\
         {\"id\":\"other\",\"session\":\"base.toml\",\"out\":\"good.wav\"}\n\
         {\"id\":\"last\",\"session\":\"base.toml\",\"out\":\"last.wav\"}\n",
    );
    fs::create_dir_all(desk.path("out/taken.wav")).unwrap();
    let (ended, lines) = desk.items("out", &["--jobs", "1"]);
    ended.expect(5, "2 done, 0 skipped, 8 failed, 0 dropped");
    for (id, code, words) in [
        ("good", 0, ""),
        ("nowhere", 4, "none.toml: there is no such file"),
        ("missing", 4, "gone.wav"),
        ("broken", 4, "broken.wav"),
        ("set", 3, "set:1:7: "),
        (
            "late",
            3,
            "range 9s..: it starts at 00:00:09.000, but the mix ends at 00:00:00.200",
        ),
        ("folder", 5, "taken.wav: is a folder"),
        (
            "other",
            3,
            "jobs.jsonl:9:1: out \"good.wav\" is already used by line 1: one would replace the other",
        ),
        ("last", 0, ""),
    ] {
        let line = line(&lines, id);
        assert_eq!(line["code"], code, "{line}");
        assert!(
            line["what"].as_str().unwrap_or_default().contains(words),
            "{line}"
        );
    }
    let bad = lines.iter().find(|line| line["id"].is_null()).unwrap();
    assert_eq!(
        (bad["index"].as_u64(), bad["code"].as_u64()),
        (Some(6), Some(3))
    );
    assert!(
        bad["what"].as_str().unwrap().starts_with("jobs.jsonl:7:"),
        "{bad}"
    );
    let names: Vec<_> = desk
        .files("out")
        .iter()
        .map(|p| p.display().to_string())
        .collect();
    assert_eq!(
        names,
        ["good.wav", "good.wav.json", "last.wav", "last.wav.json"]
    );
}

#[test]
fn what_another_made_is_not_replaced() {
    let desk = Desk::new();
    desk.write(
        "jobs.jsonl",
        "{\"id\":\"a\",\"session\":\"base.toml\",\"out\":\"a.wav\"}\n\
         {\"id\":\"b\",\"session\":\"base.toml\",\"out\":\"b.wav\"}\n\
         {\"id\":\"c\",\"session\":\"base.toml\",\"out\":\"c.wav\"}\n\
         {\"id\":\"d\",\"session\":\"base.toml\",\"out\":\"d.wav\"}\n",
    );
    fs::create_dir(desk.path("out")).unwrap();
    // An output and a marker of another program; an output and the claim of a run that was killed.
    fs::write(desk.path("out/a.wav"), "of another").unwrap();
    fs::write(desk.path("out/b.wav.json"), "{\"idea\": 1}").unwrap();
    fs::write(desk.path("out/c.wav"), "half").unwrap();
    fs::write(desk.path("out/c.wav.json"), "{\"id\":\"c\"}").unwrap();
    for more in [&[][..], &["--resume"]] {
        let (ended, lines) = desk.items("out", more);
        ended.expect(5, "2 failed");
        for (id, words) in [
            (
                "a",
                "a.wav: exists already, and no marker shows that this item made it: move it away, or choose another out",
            ),
            (
                "b",
                "b.wav.json: is not a marker of this item and is not replaced: move it away, or choose another out",
            ),
        ] {
            let line = line(&lines, id);
            assert_eq!(line["code"], 5, "{line}");
            assert!(line["what"].as_str().unwrap().contains(words), "{line}");
        }
        assert_eq!(fs::read(desk.path("out/a.wav")).unwrap(), b"of another");
        assert_eq!(
            fs::read(desk.path("out/b.wav.json")).unwrap(),
            b"{\"idea\": 1}"
        );
        assert!(!desk.path("out/a.wav.json").exists() && !desk.path("out/b.wav").exists());
        assert_eq!(
            fs::read(desk.path("out/c.wav")).unwrap(),
            fs::read(desk.path("out/d.wav")).unwrap()
        );
    }
    fs::remove_file(desk.path("out/a.wav")).unwrap();
    fs::remove_file(desk.path("out/b.wav.json")).unwrap();
    desk.items("out", &["--resume"])
        .0
        .expect(0, "2 done, 2 skipped");
}

#[test]
fn lines_that_share_an_output_or_an_id_are_refused_as_plan_says() {
    let desk = Desk::new();
    desk.write(
        "jobs.jsonl",
        "{\"id\":\"a\",\"session\":\"base.toml\",\"out\":\"x.wav\"}\n\
         {\"id\":\"b\",\"session\":\"base.toml\",\"out\":\"./x.wav\"}\n\
         {\"id\":\"a\",\"session\":\"base.toml\",\"out\":\"y.wav\"}\n",
    );
    let expected = [
        "jobs.jsonl:2:1: out \"x.wav\" is already used by line 1: one would replace the other",
        "jobs.jsonl:3:1: id \"a\" is already used by line 1",
    ];
    let plan = desk.run(&["plan", "jobs.jsonl"]);
    // Whichever shard they are in.
    for shard in ["0/1", "1/3", "2/3"] {
        let (ended, lines) = desk.items("out", &["--shard", shard, "--resume"]);
        ended.expect(3, "failed");
        let said: Vec<&str> = lines.iter().filter_map(|l| l["what"].as_str()).collect();
        assert!(said.iter().all(|what| expected.contains(what)), "{said:?}");
    }
    for what in expected {
        plan.expect(3, what);
    }
    let files: Vec<_> = desk
        .files("out")
        .iter()
        .map(|p| p.display().to_string())
        .collect();
    assert_eq!(files, ["x.wav", "x.wav.json"]);
}

#[cfg(unix)]
#[test]
fn no_output_leaves_its_folder_by_a_link() {
    let desk = Desk::new();
    fs::create_dir_all(desk.path("out")).unwrap();
    fs::create_dir_all(desk.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink("../elsewhere", desk.path("out/link")).unwrap();
    desk.write(
        "jobs.jsonl",
        "{\"id\":\"a\",\"session\":\"base.toml\",\"out\":\"link/a.wav\"}\n",
    );
    let (ended, lines) = desk.items("out", &[]);
    ended.expect(3, "1 failed");
    assert!(
        lines[0]["what"]
            .as_str()
            .unwrap()
            .contains("would leave the output folder by a link")
    );
    assert_eq!(desk.files("elsewhere").len(), 0);
    // Nor by a word that stands for nothing: ".{title}." would be "..".
    desk.write(
        "blank.toml",
        "title = \" \"\n[track.a]\nfile = \"a.wav\"\n[deliver.x]\nfile = \"x.wav\"\n",
    );
    for (out, words) in [
        (
            ".{title}./.{title}./evil.wav",
            "{title} is empty: the session's title is \" \"",
        ),
        (
            ".{lang}./evil.wav",
            "{lang} is empty: no language is chosen",
        ),
        ("{nope}/evil.wav", "there is no {nope}"),
        (
            "link/{nn}/evil.wav",
            "would leave the output folder by a link",
        ),
        (
            "link/new/evil.wav",
            "would leave the output folder by a link",
        ),
    ] {
        let deliver = format!(
            "{{\"id\":\"a\",\"session\":\"blank.toml\",\"deliver\":\"x\",\"out\":\"{out}\"}}\n"
        );
        desk.write("jobs.jsonl", &deliver);
        let (ended, lines) = desk.items("out", &[]);
        ended.expect(3, "1 failed");
        assert!(
            lines[0]["what"].as_str().unwrap().contains(words),
            "{lines:?}"
        );
        assert_eq!(desk.files("elsewhere").len(), 0, "{out}");
        assert_eq!(desk.files("out").len(), 0, "{out}");
    }
}
