//! The gain reduction of inserts in the report: maximum, position and mean in closed form.

use crate::stems::{RATE, constant, mono, report, session};
use soundtrack::{
    Block, Bounce, Bus, Clip, Dbtp, Frames, Insert, Layout, Plan, Report, Session, Track,
    dsp::{Memory, Processor},
    report::InsertReport,
};

fn amplitude(db: f64) -> f64 {
    10f64.powf(db / 20.0)
}

fn insert(kind: &str, values: &[(&str, f64)]) -> Insert {
    let set = |insert: Insert, (key, value): &(&str, f64)| insert.set(key, *value).unwrap();
    values.iter().fold(Insert::new(kind).unwrap(), set)
}

/// Four to one above −20 dBFS, without knee and at once.
fn compressor() -> Insert {
    insert(
        "compressor",
        &[
            ("threshold", -20.0),
            ("ratio", 4.0),
            ("knee", 0.0),
            ("attack", 0.0),
            ("release", 0.0),
        ],
    )
}

/// −8 dBFS, which the compressor turns down by 9 dB, then −26 dBFS, which it leaves alone.
fn loud_then_soft(loud: usize, frames: usize) -> Vec<f64> {
    (0..frames)
        .map(|n| amplitude(if n < loud { -8.0 } else { -26.0 }))
        .collect()
}

fn range(mix: &Session, frames: std::ops::Range<u64>, block: usize) -> Report {
    let bounce = Bounce::new().range(Frames(frames.start)..Frames(frames.end));
    let plan = Plan::compile(mix).unwrap();
    bounce.block(block).dry_run(plan).unwrap()
}

/// Asserts maximum, its frame and mean within a billionth of a decibel.
fn assert_reduction(found: &InsertReport, most: Option<(f64, u64)>, mean: f64) {
    let frame = most.map(|(_, frame)| frame);
    let seconds = frame.map(|frame| Frames(frame).to_duration(RATE).as_secs_f64());
    assert_eq!(
        (found.reduction_at_frame, found.reduction_at_s),
        (frame, seconds),
        "{}",
        found.name
    );
    let (got, want) = (found.reduction_db.unwrap_or(0.0), most.map_or(0.0, |m| m.0));
    assert!((got - want).abs() < 1e-9, "{}: {got}", found.name);
    assert!(
        (found.mean_reduction_db - mean).abs() < 1e-9,
        "{}: {}",
        found.name,
        found.mean_reduction_db
    );
}

#[test]
fn the_mean_is_that_of_the_decibels_while_the_strip_sounds() {
    // The clip lasts a second of a mix of three; for a quarter of it 9 dB are taken away.
    let clip = Clip::new(mono(loud_then_soft(12_000, 48_000))).at(Frames(24_000));
    let mut mix = session(
        Layout::Stereo,
        [Track::of("x")
            .clip(clip)
            .insert(compressor().named("leveller"))],
    );
    mix.length = Some(Frames(144_000));
    let found = report(&mix);
    let [leveller] = &found.tracks[0].strip.inserts[..] else {
        panic!("{:?}", found.tracks[0].strip.inserts)
    };
    assert_eq!(
        (leveller.name.as_str(), leveller.kind.as_str()),
        ("leveller", "compressor")
    );
    assert_reduction(leveller, Some((9.0, 24_000)), 9.0 / 4.0);
    let want: Vec<f32> = (0..30)
        .map(|tenth| if (5..8).contains(&tenth) { 9.0 } else { 0.0 })
        .collect();
    assert_eq!(leveller.reduction_step_s, 0.1);
    assert_eq!(leveller.reduction_curve_db.len(), want.len());
    for (got, want) in leveller.reduction_curve_db.iter().zip(want) {
        // 12,000 frames are two tenths and a half.
        assert!(
            (got - want).abs() < 1e-5,
            "{:?}",
            leveller.reduction_curve_db
        );
    }
}

#[test]
fn a_range_reports_its_own_frames_alone_at_any_block_size() {
    // The limiter has nothing to do, but lets the compressor before it run 256 frames ahead of the output.
    let track = Track::new("x", mono(loud_then_soft(15_000, 20_000)));
    let limiter = Insert::limiter(Dbtp(0.0));
    let mix = session(Layout::Mono, [track.insert(compressor()).insert(limiter)]);
    for block in [64, 333, 20_000] {
        let found = range(&mix, 10_000..20_000, block);
        let inserts = &found.tracks[0].strip.inserts;
        assert_reduction(&inserts[0], Some((9.0, 10_000)), 4.5);
        assert_reduction(&inserts[1], None, 0.0);
        let whole = range(&mix, 0..20_000, block);
        assert_eq!(
            whole.tracks[0].strip.inserts,
            range(&mix, 0..20_000, 4096).tracks[0].strip.inserts
        );
        let soft = range(&mix, 15_000..20_000, block);
        assert_reduction(&soft.tracks[0].strip.inserts[0], None, 0.0);
        let last = range(&mix, 14_999..20_000, block);
        assert_reduction(
            &last.tracks[0].strip.inserts[0],
            Some((9.0, 14_999)),
            9.0 / 5001.0,
        );
    }
}

#[test]
fn gates_and_duckers_report_what_they_take() {
    let at_once = [("attack", 0.0), ("hold", 0.0), ("release", 0.0)];
    let mut samples = vec![0.5; 48_000];
    samples[30_000..].fill(0.0);
    let gate = insert("gate", &at_once);
    let mut mix = session(
        Layout::Mono,
        [Track::new("gated", mono(samples)).insert(gate)],
    );
    let key = mix.add_track(Track::new("voice", constant(0.5, 48_000)));
    // 12 dB down on a straight line within 4,800 frames, of which the first is one step down.
    let ducker = insert("ducker", &[("depth", -12.0), ("attack", 0.1)]).key(key);
    let music = mix.add_bus(Bus::new("music").insert(ducker));
    mix.add_track(Track::new("organ", constant(0.1, 48_000)).to(music));
    let found = report(&mix);
    // Closed by 80 dB for 18,000 of 48,000 frames.
    assert_reduction(
        &found.tracks[0].strip.inserts[0],
        Some((80.0, 30_000)),
        30.0,
    );
    let line = (1..4800).map(|k| f64::from(k) / 4800.0).sum::<f64>();
    assert_reduction(
        &found.buses[0].inserts[0],
        Some((12.0, 4799)),
        12.0 * (line + 43_201.0) / 48_000.0,
    );
}

/// Halves everything.
struct Half(Vec<f64>);

impl Processor for Half {
    fn memory(&self) -> Memory {
        Memory::Window(Frames(0))
    }

    fn reset(&mut self) {}

    fn process(&mut self, _: Frames, block: &mut Block, _: Option<&Block>) {
        self.0.clear();
        self.0.resize(block.frames(), 0.5);
        for samples in block.channels_mut() {
            samples.iter_mut().for_each(|sample| *sample *= 0.5);
        }
    }

    fn gains(&self) -> Option<&[f64]> {
        Some(&self.0)
    }
}

#[test]
fn every_insert_that_reduces_gain_is_listed_and_no_other() {
    let half = Insert::custom("half", |_| Box::new(Half(Vec::new())));
    let inserts = |track: Track| {
        track
            .insert(Insert::new("highpass").unwrap())
            .insert(compressor())
            .insert(compressor().bypass(true))
            .insert(half.clone())
    };
    let mut mix = session(
        Layout::Mono,
        [
            inserts(Track::new("heard", constant(0.5, 4800))),
            inserts(Track::new("muted", constant(0.5, 4800))).mute(true),
        ],
    );
    mix.master.inserts = vec![compressor().named("glue")];
    mix.master.limit = Some(Dbtp(-1.0));
    let found = report(&mix);
    let names = |inserts: &[InsertReport]| -> Vec<(String, String)> {
        inserts
            .iter()
            .map(|i| (i.name.clone(), i.kind.clone()))
            .collect()
    };
    let pair = |name: &str, kind: &str| (name.to_owned(), kind.to_owned());
    assert_eq!(
        names(&found.tracks[0].strip.inserts),
        [pair("compressor", "compressor"), pair("half", "half")]
    );
    assert_eq!(found.tracks[1].strip.inserts, []);
    assert_eq!(
        names(&found.mix.inserts),
        [pair("glue", "compressor"), pair("limiter", "limiter")]
    );
    let six = -20.0 * 0.5f64.log10();
    assert_reduction(&found.tracks[0].strip.inserts[1], Some((six, 0)), six);
    let json: serde_json::Value = serde_json::from_str(&found.to_json()).unwrap();
    let inserts = &json["tracks"][0]["inserts"];
    assert_eq!(inserts[1]["type"], "half");
    assert_eq!(inserts[1]["reduction_at_frame"], 0);
    assert_eq!(
        json["mix"]["inserts"][1]["reduction_db"],
        serde_json::Value::Null
    );
    assert_eq!(json["mix"]["limiter"]["ceiling_dbtp"], -1.0);
    let table = found.to_string();
    for row in [
        "strip   insert      type        reduced dB  at            mean dB",
        "heard   half        half               6.0  00:00:00.000      6.0",
        "master  limiter     limiter            0.0                    0.0",
        "limiter  -1.0 dBTP at most",
    ] {
        assert!(
            table.lines().any(|line| line.trim() == row),
            "{row}\n{table}"
        );
    }
    let bare = report(&session(
        Layout::Mono,
        [Track::new("x", constant(0.5, 480))],
    ));
    assert!(!bare.to_string().contains("reduced dB"));
}

#[test]
fn a_compressor_hears_its_signal_through_the_filters_of_its_key() {
    // A sine of 100 Hz at −6 dBFS. Of two poles, 5 kHz leave −74 dBFS of it, and 2 Hz −74 dBFS too.
    let sine = |n: usize| amplitude(-6.0) * (std::f64::consts::TAU * n as f64 / 480.0).sin();
    let most = |values: &[(&str, f64)]| {
        let insert = values.iter().fold(compressor(), |insert, (key, value)| {
            insert.set(key, *value).unwrap()
        });
        let track = Track::new("x", mono((0..9_600).map(sine).collect())).insert(insert);
        let found = report(&session(Layout::Mono, [track]));
        found.tracks[0].strip.inserts[0].reduction_db.unwrap_or(0.0)
    };
    assert!((most(&[]) - 14.0 * 0.75).abs() < 1e-9, "{}", most(&[]));
    assert_eq!(most(&[("key_highpass", 5_000.0)]), 0.0);
    assert_eq!(most(&[("key_lowpass", 2.0)]), 0.0);
}
