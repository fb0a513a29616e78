//! Parameters of inserts over time: closed forms, and what automation must not change.

use crate::processors::{built_in, only_problem};
use soundtrack::{
    Cue, Curve, Decibels, Frames, Insert, Layout, Load, PlayerBuilder, SampleRate, Session, Shape,
    Spec, State, Track, Use, encode::Written, media::Memory,
};
use soundtrack_test_support::renders::{length, noise, rendered, same_bits};
use std::{
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

const RATE: SampleRate = SampleRate::HZ_48000;

/// Frames between the positions at which values are computed.
const INTERVAL: usize = 64;

fn mono(samples: Vec<f64>) -> Memory {
    let spec = Spec {
        rate: RATE,
        layout: Layout::Mono,
    };
    Memory::new(spec, vec![samples]).unwrap()
}

fn one(samples: Vec<f64>, insert: Insert) -> Session {
    let mut mix = Session::new(RATE, Layout::Mono);
    mix.add_track(Track::new("t", mono(samples)).insert(insert));
    mix
}

fn all(mix: &Session) -> Vec<f64> {
    rendered(mix, 4096, 1, 0..length(mix)).remove(0)
}

fn line(from: f64, to: f64, frames: u64) -> Curve<f64> {
    Curve::new()
        .point(Frames(0), from, Shape::Linear)
        .point(Frames(frames), to, Shape::Linear)
}

/// The line between the gains at the positions around a frame.
fn between(frame: usize, gain: impl Fn(usize) -> f64) -> f64 {
    let position = frame / INTERVAL * INTERVAL;
    let (a, b) = (gain(position), gain(position + INTERVAL));
    a + (b - a) * ((frame - position) as f64 / INTERVAL as f64)
}

#[test]
fn the_gain_of_a_trim_follows_its_points_in_decibels() {
    let trim = Insert::trim(Decibels(6.0));
    let trim = trim.automate("gain", line(-40.0, 0.0, 6400)).unwrap();
    let out = all(&one(vec![1.0; 10_000], trim));
    let gain = |frame: usize| 10f64.powf((-40.0 + 40.0 * (frame as f64 / 6400.0).min(1.0)) / 20.0);
    for (frame, sample) in out.iter().enumerate() {
        let want = between(frame, gain);
        assert!(
            (sample - want).abs() < 1e-14,
            "{frame}: {sample} for {want}"
        );
    }
    assert_eq!(out[6400..], [1.0; 3600]);
}

/// Processors that look ahead do not move the curves of those behind and before them, also where the timeline begins.
#[test]
fn beside_a_look_ahead_parameters_stay_at_their_frames() {
    let ahead = built_in("compressor", &[("ratio", 1.0), ("lookahead", 0.01)]);
    let trim = Insert::trim(Decibels(0.0));
    let trim = trim.automate("gain", line(-40.0, 0.0, 6400)).unwrap();
    let gain = |frame: usize| 10f64.powf((-40.0 + 40.0 * (frame as f64 / 6400.0).min(1.0)) / 20.0);
    let chains = [
        vec![trim.clone()],
        vec![trim.clone(), ahead.clone()],
        vec![ahead.clone(), trim, ahead],
    ];
    for chain in chains {
        let mut mix = one(vec![1.0; 10_000], chain[0].clone());
        let id = mix.track_ids().next().unwrap();
        mix.track_mut(id).strip.inserts = chain;
        let out = rendered(&mix, 4096, 1, 0..length(&mix));
        same_bits(&out, &rendered(&mix, 61, 1, 0..length(&mix)));
        for (frame, sample) in out[0].iter().enumerate() {
            let want = between(frame, gain);
            assert!(
                (sample - want).abs() < 1e-14,
                "{frame}: {sample} for {want}"
            );
        }
    }
}

#[test]
fn a_line_from_silence_is_one_of_amplitude() {
    let trim = Insert::trim(Decibels(0.0));
    let trim = trim
        .automate("gain", line(f64::NEG_INFINITY, 0.0, 640))
        .unwrap();
    let out = all(&one(vec![1.0; 1000], trim));
    for (frame, sample) in out.iter().enumerate() {
        let want = (frame as f64 / 640.0).min(1.0);
        assert!(
            (sample - want).abs() < 1e-14,
            "{frame}: {sample} for {want}"
        );
    }
}

#[test]
fn a_compressor_follows_its_threshold() {
    // 0 dBFS above a threshold that falls from 0 to −20 dB; ratio 2 and no knee turn down by half of the excess.
    let still = built_in(
        "compressor",
        &[
            ("ratio", 2.0),
            ("knee", 0.0),
            ("attack", 0.0),
            ("release", 0.0),
        ],
    );
    let moving = still.automate("threshold", line(0.0, -20.0, 6400)).unwrap();
    let out = all(&one(vec![1.0; 8000], moving));
    for (frame, sample) in out.iter().enumerate() {
        let threshold = -20.0 * (frame as f64 / 6400.0).min(1.0);
        let got = 20.0 * sample.log10();
        assert!((got - threshold / 2.0).abs() < 1e-9, "{frame}: {got} dB");
    }
}

#[test]
fn what_stays_neutral_changes_no_bit_though_it_is_automated() {
    let samples: Vec<f64> = (0..20_000).map(|n| 0.3 * noise(5, 0, n)).collect();
    let cases = [
        built_in("bell", &[]).automate("gain", line(0.0, 0.0, 9000)),
        built_in("bell", &[]).automate("freq", line(100.0, 9000.0, 9000)),
        built_in("compressor", &[("ratio", 1.0)]).automate("threshold", line(-60.0, 0.0, 9000)),
        Insert::trim(Decibels(0.0)).automate("gain", line(0.0, 0.0, 9000)),
    ];
    for insert in cases {
        let out = rendered(&one(samples.clone(), insert.unwrap()), 777, 1, 0..20_000);
        same_bits(std::slice::from_ref(&samples), &out);
    }
}

#[test]
fn automation_in_a_cue_follows_the_time_of_the_cue() {
    let track = |at: u64| {
        let trim = Insert::trim(Decibels(0.0)).automate("gain", line(-40.0, 0.0, 6400));
        let mut mix = Session::new(RATE, Layout::Mono);
        let track = Track::new("t", mono(vec![1.0; 8000])).insert(trim.unwrap());
        let second = Use::at(Frames(at + 20_000))
            .from(Frames(3200))
            .named("again");
        let cue = Cue::new("c").track(track).used(Use::at(Frames(at)));
        mix.add_cue(cue.used(second));
        all(&mix)
    };
    // A multiple of the interval, so that both placements have the same positions.
    let out = track(128);
    let gain = |frame: usize| 10f64.powf((-40.0 + 40.0 * (frame as f64 / 6400.0).min(1.0)) / 20.0);
    for frame in 0..8000 {
        let want = between(frame, gain);
        assert!((out[128 + frame] - want).abs() < 1e-14, "{frame}");
        // Up to the last interval before the corner, which one line cuts.
        if (3200..6336).contains(&frame) {
            let heard = out[128 + 20_000 - 3200 + frame];
            // This one starts halfway between two positions, so its lines differ by their sag at most: for an exponential
            // that grows by r over their length, (ln r)² / 8 of the value.
            let r = 10f64.powf(40.0 / 6400.0 * 64.0 / 20.0);
            let sag = want * r.ln() * r.ln() / 8.0 * 1.01;
            assert!((heard - want).abs() < sag, "{frame}: {heard} for {want}");
        }
    }
}

#[test]
fn a_session_file_states_curves_and_they_are_written_as_they_are_read() {
    let text = r#"rate = 48000
[master.insert]
tone = { type = "high-shelf" }
[master.automation]
"insert.tone.gain" = ["0s 0", "2s 3"]

[track.vox]
file = "vox.wav"
[track.vox.insert]
comp = { type = "compressor", threshold = -22 }
sweep = { type = "lowpass", freq = 8000 }
[track.vox.automation]
gain = ["0s -3"]
"insert.comp.threshold" = ["0s -20", "2s -40 sine"]
insert.comp.attack = ["0s 0", "1s 20ms"]
insert.sweep.freq = ["0s 200", "1s 8000 exp"]
"#;
    let session = Load::default().text(text, "s.toml").unwrap();
    let [comp, sweep] = session.tracks()[0].strip.inserts.as_slice() else {
        panic!("two inserts");
    };
    let threshold = Curve::new().point(Frames(0), -20.0, Shape::Linear).point(
        Frames(96_000),
        -40.0,
        Shape::Sine,
    );
    assert_eq!(comp.curve("threshold"), Some(&threshold));
    assert_eq!(comp.curve("attack"), Some(&line(0.0, 0.02, 48_000)));
    assert_eq!(sweep.curve("freq").unwrap().points[1].value, 8000.0);
    assert_eq!(
        session.master.inserts[0].curve("gain"),
        Some(&line(0.0, 3.0, 96_000))
    );
    for name in ["s.toml", "s.json"] {
        let text = session.to_text(name).unwrap();
        let again = Load::default().text(text.clone(), name).unwrap();
        assert_eq!(again.tracks()[0].strip, session.tracks()[0].strip, "{text}");
        assert_eq!(again.master.inserts, session.master.inserts, "{text}");
    }
}

#[test]
fn saving_keeps_curves_and_the_comments_around_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s.toml");
    one(vec![0.5; 100], Insert::trim(Decibels(0.0)))
        .bounce(folder.path().join("vox.wav"))
        .unwrap();
    let text = "rate = 48000\n\n[track.vox]\nfile = \"vox.wav\"\n\
        insert = { comp = { type = \"compressor\" }, lp = { type = \"lowpass\" } }\n\n\
        [track.vox.automation]\ngain = [\"0s -3\"]  # softer\n\
        \"insert.comp.threshold\" = [\"0s -20\", \"2s -40\"]  # tighter\n\
        insert.lp.freq = [\"0s 200\", \"1s 8000 exp\"]  # opens\n";
    std::fs::write(&file, text).unwrap();
    let mut session = Load::default().session(&file).unwrap();
    let unchanged = session.tracks()[0].strip.inserts.clone();
    session.tracks_mut()[0].strip.gain = Decibels(-1.0);
    session.save(&file).unwrap();
    let saved = std::fs::read_to_string(&file).unwrap();
    let again = Load::default().session(&file).unwrap();
    assert_eq!(again.tracks()[0].strip.inserts, unchanged, "{saved}");
    for comment in ["# softer", "# tighter", "# opens"] {
        assert!(saved.contains(comment), "{saved}");
    }
}

#[test]
fn a_wrong_curve_in_a_session_file_is_pointed_at() {
    let problem = |curve: &str| {
        only_problem(format!(
            "rate = 48000\n[track.vox]\nfile = \"vox.wav\"\n[track.vox.insert]\ncomp = {{ type = \"compressor\" }}\n\
             [track.vox.automation]\n{curve}\n"
        ))
    };
    let cases = [
        (
            "insert.cmp.threshold = [\"0s -3\"]",
            12,
            "track \"vox\", automation: there is no insert \"cmp\"; did you mean \"comp\"?",
        ),
        (
            "\"insert.comp.treshold\" = [\"0s -3\"]",
            1,
            "track \"vox\", automation: insert \"comp\": unknown key \"treshold\"; did you mean \"threshold\"?",
        ),
        (
            "insert.comp.threshold = [\"0s 90\"]",
            26,
            "track \"vox\", automation: insert \"comp\": threshold of 90 is outside -120 to 60",
        ),
        (
            "insert.comp.lookahead = [\"0s 1ms\"]",
            25,
            "track \"vox\", automation: insert \"comp\": compressor: lookahead holds for the whole render and cannot be automated",
        ),
        (
            "insert.comp.ratio = [\"2s 3\", \"1s 4\"]",
            21,
            "track \"vox\", automation: insert \"comp\": compressor: the points of ratio are not in order of time",
        ),
        (
            "insert.comp = 3",
            15,
            "track \"vox\", automation: \"comp\" is an integer, but should be a table of inserts, like \
             insert.comp.threshold = [\"0s -20\"]",
        ),
    ];
    for (curve, column, message) in cases {
        assert_eq!(problem(curve), (7, column, message.to_owned()), "{curve}");
    }
}

/// Keeps what is played.
struct Tape(Arc<Mutex<Vec<f64>>>);

impl soundtrack::Sink for Tape {
    fn write(&mut self, block: &soundtrack::Block) -> soundtrack::Result<()> {
        self.0.lock().unwrap().extend_from_slice(block.channel(0));
        Ok(())
    }
    fn finish(&mut self) -> soundtrack::Result<Written> {
        soundtrack::encode::MemorySink::default().finish()
    }
}

#[test]
fn a_parameter_that_is_moved_before_the_start_holds_from_the_first_frame() {
    let samples: Vec<f64> = (0..60_000).map(|n| 0.5 * noise(3, 0, n)).collect();
    let comp = |threshold| built_in("compressor", &[("threshold", threshold), ("ratio", 4.0)]);
    let mix = one(samples.clone(), comp(-10.0).named("comp"));
    let tape = Arc::default();
    let player = PlayerBuilder::new()
        .paused(true)
        .into_sink(&mix, Box::new(Tape(Arc::clone(&tape))))
        .unwrap();
    let track = mix.track_ids().next().unwrap();
    player
        .set_parameter(track, "comp", "threshold", -30.0)
        .unwrap();
    player.play();
    assert_eq!(player.wait(Duration::from_secs(20)), State::Ended);
    drop(player);
    let heard = tape.lock().unwrap().clone();
    same_bits(&[all(&one(samples, comp(-30.0)))], &[heard]);
}

#[test]
fn a_parameter_that_is_moved_while_it_plays_gets_there_without_a_step() {
    let mix = one(
        vec![1.0; 48_000],
        Insert::trim(Decibels(0.0)).named("level"),
    );
    let tape = Arc::default();
    let player = PlayerBuilder::new()
        .paused(true)
        .into_sink(&mix, Box::new(Tape(Arc::clone(&tape))))
        .unwrap();
    player.set_loop(Some(Frames(0)..Frames(48_000)));
    player.play();
    thread::sleep(Duration::from_millis(30));
    let track = mix.track_ids().next().unwrap();
    player.set_parameter(track, "level", "gain", -20.0).unwrap();
    thread::sleep(Duration::from_millis(30));
    player.set_loop(None);
    assert_eq!(player.wait(Duration::from_secs(20)), State::Ended);
    drop(player);
    let heard = tape.lock().unwrap().clone();
    assert_eq!((heard[0], *heard.last().unwrap()), (1.0, 0.1));
    // Six intervals of straight lines in amplitude between levels that fall by a sixth of 20 dB each.
    let moving: Vec<&f64> = heard.iter().filter(|x| **x != 1.0 && **x != 0.1).collect();
    assert!((383 - 2..=383).contains(&moving.len()), "{}", moving.len());
    let steepest = heard.windows(2).map(|w| w[0] - w[1]).fold(0.0, f64::max);
    let first = (1.0 - 10f64.powf(-20.0 / 6.0 / 20.0)) / 64.0;
    assert!((steepest - first).abs() < 1e-12, "{steepest} {first}");
}

#[test]
fn a_parameter_that_cannot_be_moved_is_refused_with_its_reason() {
    let mix = one(vec![1.0; 100], built_in("compressor", &[]).named("comp"));
    let player = PlayerBuilder::new().paused(true).null(&mix).unwrap();
    let track = mix.track_ids().next().unwrap();
    let refusal = |insert: &str, parameter: &str, value: f64| {
        let refused = player.set_parameter(track, insert, parameter, value);
        refused.unwrap_err().to_string()
    };
    assert_eq!(
        refusal("cmp", "ratio", 2.0),
        "track.t has no insert \"cmp\""
    );
    assert_eq!(
        refusal("comp", "rato", 2.0),
        "insert \"comp\": compressor has no parameter \"rato\"; did you mean \"ratio\"?"
    );
    assert_eq!(
        refusal("comp", "ratio", 0.5),
        "insert \"comp\": compressor: ratio of 0.5 is outside 1 to 1000"
    );
    assert_eq!(
        refusal("comp", "rms", 0.5),
        "insert \"comp\": rms of compressor holds for the whole render"
    );
}
