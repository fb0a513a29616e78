//! Processors on strips: what they do, and that every law holds with them in the path.

use crate::random_sessions::session;
use proptest::prelude::*;
use soundtrack::{
    Block, Bus, Clip, Curve, Dbtp, Decibels, ErrorKind, Frames, Insert, Layout, Load, Pan, Plan,
    SampleRate, Selector, Session, Shape, Spec, Track,
    dsp::{Memory, PROCESSORS, Processor},
    media,
};
use soundtrack_test_support::renders::{length, noise, rendered, same_bits, stem, streamed};

const RATE: SampleRate = SampleRate::HZ_48000;
const MONO: Spec = Spec {
    rate: RATE,
    layout: Layout::Mono,
};

/// Frames between the positions at which recursive processors restart.
const GRID: u64 = 1 << 20;

/// Passes the signal, but needs to look ahead to do so.
struct LookAhead {
    lines: Vec<Vec<f64>>,
    frames: usize,
}

impl LookAhead {
    fn insert(frames: usize) -> Insert {
        Insert::custom("look-ahead", move |spec: Spec| {
            Box::new(Self {
                lines: vec![vec![0.0; frames]; spec.layout.channels()],
                frames,
            }) as Box<dyn Processor>
        })
    }
}

impl Processor for LookAhead {
    fn latency(&self) -> Frames {
        Frames(self.frames as u64)
    }

    fn memory(&self) -> Memory {
        Memory::Window(Frames::ZERO)
    }

    fn reset(&mut self) {
        self.lines.iter_mut().for_each(|line| line.fill(0.0));
    }

    fn process(&mut self, _: Frames, block: &mut Block, _: Option<&Block>) {
        for (samples, line) in block.channels_mut().zip(&mut self.lines) {
            let n = samples.len();
            line.extend_from_slice(samples);
            samples.copy_from_slice(&line[..n]);
            line.drain(..n);
        }
    }
}

/// A recursive low-pass of one pole: y = x + p (y − x).
struct OnePole {
    pole: f64,
    settled: u64,
    last: Vec<f64>,
}

impl OnePole {
    fn insert(pole: f64, settled: u64) -> Insert {
        Insert::custom("one-pole", move |spec: Spec| {
            Box::new(Self {
                pole,
                settled,
                last: vec![0.0; spec.layout.channels()],
            }) as Box<dyn Processor>
        })
    }
}

impl Processor for OnePole {
    fn memory(&self) -> Memory {
        Memory::Fading(Frames(self.settled))
    }

    fn tail(&self) -> Frames {
        Frames(self.settled)
    }

    fn reset(&mut self) {
        self.last.fill(0.0);
    }

    fn process(&mut self, _: Frames, block: &mut Block, _: Option<&Block>) {
        for (samples, last) in block.channels_mut().zip(&mut self.last) {
            for sample in samples {
                *last = *sample + self.pole * (*last - *sample);
                *sample = *last;
            }
        }
    }
}

fn delay(seconds: f64, feedback: f64, mix: f64) -> Insert {
    let set = |insert: Insert, key, value| insert.set(key, value).unwrap();
    set(
        set(
            set(Insert::new("delay").unwrap(), "time", seconds),
            "feedback",
            feedback,
        ),
        "mix",
        mix,
    )
}

/// A session of one mono track.
fn one(samples: Vec<f64>, inserts: impl IntoIterator<Item = Insert>) -> Session {
    let mut mix = Session::new(RATE, Layout::Mono);
    let track = Track::new("t", media::Memory::new(MONO, vec![samples]).unwrap());
    mix.add_track(inserts.into_iter().fold(track, Track::insert));
    mix
}

fn all(mix: &Session) -> Vec<Vec<f64>> {
    mix.render(Frames(0)..Plan::compile(mix).unwrap().length())
        .unwrap()
}

fn impulse(frames: usize, at: usize) -> Vec<f64> {
    (0..frames).map(|n| f64::from(u8::from(n == at))).collect()
}

#[test]
fn a_trim_multiplies_and_silence_is_silence() {
    assert_eq!(
        all(&one(vec![0.5, -0.25], [Insert::trim(Decibels(20.0))])),
        [[5.0, -2.5]]
    );
    assert_eq!(
        all(&one(vec![0.5, -0.25], [Insert::trim(Decibels::SILENCE)])),
        [[0.0, 0.0]]
    );
    let bypassed = Insert::trim(Decibels(20.0)).bypass(true);
    assert_eq!(all(&one(vec![0.5, -0.25], [bypassed])), [[0.5, -0.25]]);
}

#[test]
fn a_delay_repeats_at_its_time_with_its_feedback_until_its_tail_ends() {
    // 480 frames; each repeat half as loud: −6.0206 dB.
    let half = 20.0 * 0.5f64.log10();
    let mix = one(impulse(100, 7), [delay(0.01, half, 0.25)]);
    let out = all(&mix);
    let tail = 480 * 35; // the first repeat below −200 dB is the 35th: 1 + ⌈200 / 6.02⌉
    assert_eq!(out[0].len(), 100 + tail);
    for (n, sample) in out[0].iter().enumerate() {
        let want = match n.checked_sub(7) {
            Some(0) => 0.75,
            Some(after) if after % 480 == 0 => 0.25 * 0.5f64.powi((after / 480) as i32 - 1),
            _ => 0.0,
        };
        assert!(
            (sample - want).abs() <= 1e-15,
            "frame {n}: {sample:e} instead of {want:e}"
        );
    }
    // Without feedback there is one repeat.
    let out = all(&one(impulse(100, 7), [delay(0.01, f64::NEG_INFINITY, 1.0)]));
    assert_eq!(
        (out[0].len(), out[0].iter().position(|x| *x == 1.0)),
        (100 + 480, Some(7 + 480))
    );
    assert_eq!(out[0].iter().filter(|x| **x != 0.0).count(), 1);
}

#[test]
fn the_sign_of_zero_is_that_of_the_sample_that_is_repeated_wherever_a_render_starts() {
    let mut samples = vec![0.25; 1500];
    (samples[7], samples[487], samples[967]) = (-1.0, -0.0, -0.0);
    let mix = one(samples, [delay(0.01, f64::NEG_INFINITY, 1.0)]);
    let whole = all(&mix);
    assert_eq!(whole[0][967].to_bits(), (-0.0f64).to_bits());
    let part = mix.render(Frames(967)..Frames(1500)).unwrap();
    same_bits(&[whole[0][967..1500].to_vec()], &part);
}

#[test]
fn an_impulse_leaves_at_its_frame_on_every_route_whatever_looks_ahead_there() {
    let mut mix = Session::new(RATE, Layout::Mono);
    mix.master.inserts.push(LookAhead::insert(33));
    let outer = mix.add_bus(Bus::new("outer").insert(LookAhead::insert(400)));
    let inner = mix.add_bus(
        Bus::new("inner")
            .insert(LookAhead::insert(1))
            .insert(LookAhead::insert(70))
            .to(outer),
    );
    let track = |name: &str, at| {
        let stem = media::Memory::new(MONO, vec![impulse(5000, at)]).unwrap();
        Track::new(name, stem)
    };
    mix.add_track(track("straight", 1000));
    mix.add_track(track("ahead", 1000).insert(LookAhead::insert(999)));
    mix.add_track(
        track("inner", 1000)
            .insert(LookAhead::insert(5))
            .to(inner)
            .send(outer, Decibels(0.0)),
    );
    mix.add_track(track("outer", 1000).to(outer));
    mix.add_track(track("first", 0).insert(LookAhead::insert(2)).to(inner));
    mix.add_track(track("last", 4999).to(inner));
    let plan = Plan::compile(&mix).unwrap();
    assert_eq!(
        (plan.latency(), plan.length()),
        (Frames(33 + 999), Frames(5000))
    );
    let mut want = vec![0.0; 5000];
    (want[0], want[1000], want[4999]) = (1.0, 5.0, 1.0);
    same_bits(&[want.clone()], &all(&mix));
    for (block, threads) in [(1, 1), (7, 2), (333, 2), (4096, 1)] {
        same_bits(&[want.clone()], &streamed(&mix, block, threads));
    }
}

#[test]
fn processors_that_do_nothing_change_no_bit() {
    let samples: Vec<f64> = (0..20_000).map(|n| 0.3 * noise(5, 0, n)).collect();
    let inserts = [
        Insert::trim(Decibels(0.0)),
        Insert::limiter(Dbtp(0.0)),
        delay(0.02, -6.0, 0.0),
        LookAhead::insert(77),
    ];
    let out = rendered(&one(samples.clone(), inserts), 4096, 1, 0..20_000);
    same_bits(&[samples], &out);
}

#[test]
fn a_recursive_processor_gives_the_same_bits_wherever_a_render_starts() {
    // Longer than two grid cells; silent from 40,000 on for longer than the filter remembers.
    let frames = 2 * GRID as usize + 50_000;
    let quiet = 40_000..60_000;
    let samples = (0..frames)
        .map(|n| {
            if quiet.contains(&n) {
                0.0
            } else {
                noise(9, 0, n as u64)
            }
        })
        .collect();
    let mix = one(
        samples,
        [
            OnePole::insert(0.99, 4_000),
            OnePole::insert(0.9, 400),
            LookAhead::insert(50),
        ],
    );
    let end = length(&mix);
    assert_eq!(end, frames as u64 + 4_400);
    let whole = rendered(&mix, 16_384, 2, 0..end);
    for at in [
        1,
        39_999,
        45_000,
        500_000,
        GRID - 1,
        GRID,
        GRID + 1,
        2 * GRID - 4_450,
        2 * GRID + 3,
        end - 4_390,
    ] {
        let part = rendered(&mix, 777, 1, at..(at + 3000).min(end));
        let want = whole[0][at as usize..((at + 3000).min(end)) as usize].to_vec();
        same_bits(&[want], &part);
    }
    // It is the filter that it should be, to the rounding of the restarts.
    let mut last = [0.0; 2];
    let reference = |x: f64, last: &mut [f64; 2]| {
        last[0] = x + 0.99 * (last[0] - x);
        last[1] = last[0] + 0.9 * (last[1] - last[0]);
        last[1]
    };
    let input = |n: usize| {
        if quiet.contains(&n) || n >= frames {
            0.0
        } else {
            noise(9, 0, n as u64)
        }
    };
    let worst = (0..end as usize)
        .map(|n| (reference(input(n), &mut last) - whole[0][n]).abs())
        .fold(0.0, f64::max);
    assert!(worst < 1e-15, "{worst:e}");
}

#[test]
fn a_mono_track_is_processed_before_it_is_panned_and_one_of_both_kinds_in_the_centre() {
    let mut mix = Session::new(RATE, Layout::Stereo);
    let mono = || stem(1, 48_000, Layout::Mono, 100);
    mix.add_track(
        Track::new("m", mono())
            .pan(Pan::LEFT)
            .insert(Insert::trim(Decibels(20.0))),
    );
    let out = all(&mix);
    assert_eq!((out[0][3], out[1][3]), (10.0 * 0.25 * noise(1, 0, 3), 0.0));
    // Beside a stereo clip the mono clip is placed in the centre by the pan law, and balance turns both.
    let mut mix = Session::new(RATE, Layout::Stereo);
    let both = Track::of("b").clip(Clip::new(mono())).clip(Clip::new(stem(
        2,
        48_000,
        Layout::Stereo,
        100,
    )));
    mix.add_track(both.pan(Pan::LEFT).insert(Insert::trim(Decibels(20.0))));
    let out = all(&mix);
    let want = 10.0 * (0.25 * noise(2, 0, 3) + 0.25 * noise(1, 0, 3) * 0.5f64.sqrt());
    assert!(
        (out[0][3] - want).abs() < 1e-15 && out[1][3] == 0.0,
        "{} {want}",
        out[0][3]
    );
}

#[test]
fn wrong_values_are_refused_by_the_call_and_by_the_plan() {
    let refused = Insert::new("dealy").unwrap_err();
    assert_eq!(
        refused.to_string(),
        "there is no processor \"dealy\"; there are trim, highpass, lowpass, bell, low-shelf, high-shelf, notch, compressor, \
         expander, gate, ducker, delay, limiter"
    );
    let refused = Insert::new("delay").unwrap().set("tiem", 1.0).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "delay has no parameter \"tiem\"; did you mean \"time\"?"
    );
    let refused = Insert::new("delay")
        .unwrap()
        .set("time", f64::NAN)
        .unwrap_err();
    assert_eq!(refused.to_string(), "delay: time of NaN is outside 0 to 10");
    let refused = Plan::compile(&one(vec![0.0], [Insert::limiter(Dbtp(1.0))])).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Session);
    assert_eq!(
        refused.to_string(),
        "track \"t\": insert \"limiter\": ceiling of 1 is outside -60 to 0"
    );
}

/// Sets parameters of a built-in processor.
pub fn built_in(kind: &str, values: &[(&str, f64)]) -> Insert {
    let insert = Insert::new(kind).unwrap();
    let set = |insert: Insert, (key, value): &(&str, f64)| insert.set(key, *value).unwrap();
    values.iter().fold(insert, set)
}

fn filter() -> impl Strategy<Value = Insert> {
    const KINDS: [&str; 6] = [
        "highpass",
        "lowpass",
        "bell",
        "low-shelf",
        "high-shelf",
        "notch",
    ];
    let kind = prop::sample::select(&KINDS[..]);
    (
        kind,
        40.0..15_000.0f64,
        1u32..9,
        -20.0..20.0f64,
        0.3..8.0f64,
    )
        .prop_map(|(kind, freq, order, gain, q)| match kind {
            "highpass" | "lowpass" => {
                built_in(kind, &[("freq", freq), ("slope", 6.0 * f64::from(order))])
            }
            "notch" => built_in(kind, &[("freq", freq), ("q", q)]),
            _ => built_in(kind, &[("freq", freq), ("gain", gain), ("q", q)]),
        })
}

fn dynamics() -> impl Strategy<Value = Insert> {
    let kind = prop::sample::select(&["compressor", "expander", "gate"][..]);
    let times = (
        0.0..0.02f64,
        0.001..0.1f64,
        prop_oneof![Just(0.0), 0.0..0.01f64],
    );
    (
        kind,
        -40.0..-6.0f64,
        times,
        prop_oneof![Just(0.0), 0.001..0.02f64],
    )
        .prop_map(|(kind, threshold, (attack, release, lookahead), rms)| {
            let values = [
                ("threshold", threshold),
                ("attack", attack),
                ("release", release),
                ("lookahead", lookahead),
                ("rms", rms),
            ];
            built_in(kind, &values)
        })
}

fn ducker() -> impl Strategy<Value = Insert> {
    (
        0.0..0.02f64,
        0.0..0.02f64,
        0.001..0.05f64,
        prop_oneof![Just(0.0), 0.0..0.02f64],
    )
        .prop_map(|(attack, hold, release, lookahead)| {
            let values = [
                ("attack", attack),
                ("hold", hold),
                ("release", release),
                ("lookahead", lookahead),
                ("threshold", -30.0),
            ];
            built_in("ducker", &values)
        })
}

fn insert() -> impl Strategy<Value = Insert> {
    prop_oneof![
        2 => filter(),
        2 => dynamics(),
        1 => ducker(),
        3 => simple_insert(),
    ]
}

fn simple_insert() -> impl Strategy<Value = Insert> {
    prop_oneof![
        (-12.0..6.0).prop_map(|gain| Insert::trim(Decibels(gain))),
        (-30.0..-1.0).prop_map(|ceiling| Insert::limiter(Dbtp(ceiling))),
        (
            0.0..0.05,
            prop_oneof![Just(f64::NEG_INFINITY), -20.0..-3.0],
            0.0..=1.0
        )
            .prop_map(|(time, feedback, mix)| delay(time, feedback, mix)),
        (0usize..600).prop_map(LookAhead::insert),
        (0.1..0.95).prop_map(|pole| OnePole::insert(pole, 1000)),
    ]
}

/// Gives a key to some of the inserts that take one.
fn add_keys(
    inserts: &mut [Insert],
    from: &[Selector],
    keys: &mut impl Iterator<Item = Option<usize>>,
) {
    const KEYED: [&str; 4] = ["compressor", "expander", "gate", "ducker"];
    for insert in inserts
        .iter_mut()
        .filter(|insert| KEYED.contains(&insert.kind_name()))
    {
        insert.key = keys.next().flatten().and_then(|n| from.get(n)).copied();
    }
}

/// Points of a curve: frame, share of the range of the parameter, and shape.
type Points = Vec<(u64, f64, Shape)>;

fn points() -> impl Strategy<Value = Points> {
    let shape = prop::sample::select(&[Shape::Linear, Shape::Sine, Shape::Exp, Shape::Step][..]);
    prop::collection::vec((0u64..30_000, 0.0..=1.0f64, shape), 1..4).prop_map(|mut points| {
        points.sort_by_key(|(at, ..)| *at);
        points
    })
}

/// The range in which a parameter moves here, some of its own range.
fn usual_range(key: &str) -> (f64, f64) {
    match key {
        "freq" => (40.0, 15_000.0),
        "gain" | "makeup" => (-20.0, 20.0),
        "q" => (0.3, 8.0),
        "ratio" => (1.0, 20.0),
        "knee" | "hysteresis" => (0.0, 12.0),
        "attack" | "release" | "hold" => (0.0, 0.03),
        "threshold" | "range" | "depth" => (-60.0, 0.0),
        "feedback" => (-40.0, -3.0),
        "mix" => (0.0, 1.0),
        _ => panic!("{key} is new: state a range"),
    }
}

/// Moves one of the parameters of an insert that can move.
fn automate(insert: &mut Insert, automation: &mut impl Iterator<Item = (usize, Option<Points>)>) {
    let kind = PROCESSORS
        .iter()
        .find(|kind| kind.name == insert.kind_name());
    let (Some(kind), Some((which, Some(points)))) = (kind, automation.next()) else {
        return;
    };
    let movable: Vec<_> = kind.parameters.iter().filter(|p| p.automatable).collect();
    if movable.is_empty() {
        return;
    }
    let key = movable[which % movable.len()].key;
    let (least, most) = usual_range(key);
    let value = |share: f64| least + (most - least) * share;
    let curve = points
        .iter()
        .fold(Curve::new(), |curve, (at, share, shape)| {
            curve.point(Frames(*at), value(*share), *shape)
        });
    *insert = insert.clone().automate(key, curve).unwrap();
}

prop_compose! {
    /// A random session with up to two processors on every strip, of which those that take a key may have one: an earlier
    /// track, or for a bus and the master any track.
    pub fn processed()(
        mut session in session(),
        tracks in prop::collection::vec(prop::collection::vec(insert(), 0..3), 6),
        buses in prop::collection::vec(prop::collection::vec(insert(), 0..3), 3),
        master in prop::collection::vec(insert(), 0..2),
        limit in prop::option::of(-12.0..-1.0f64),
        keys in prop::collection::vec(prop::option::of(0usize..6), 10),
        automation in prop::collection::vec((0usize..12, prop::option::of(points())), 10),
    ) -> Session {
        session.tracks_mut().iter_mut().zip(tracks).for_each(|(track, inserts)| track.strip.inserts = inserts);
        session.buses_mut().iter_mut().zip(buses).for_each(|(bus, inserts)| bus.strip.inserts = inserts);
        session.master.inserts = master;
        let mut automation = automation.into_iter().cycle();
        let buses = session.buses_mut().iter_mut().flat_map(|bus| &mut bus.strip.inserts);
        buses.for_each(|insert| automate(insert, &mut automation));
        let tracks = session.tracks_mut().iter_mut().flat_map(|track| &mut track.strip.inserts);
        tracks.for_each(|insert| automate(insert, &mut automation));
        session.master.limit = limit.map(Dbtp);
        let ids: Vec<Selector> = session.tracks().iter()
            .map(|track| session.part(&format!("track.{}", track.strip.name)).unwrap())
            .collect();
        let mut keys = keys.into_iter().cycle();
        for (index, track) in session.tracks_mut().iter_mut().enumerate() {
            add_keys(&mut track.strip.inserts, &ids[..index], &mut keys);
        }
        for bus in session.buses_mut() {
            add_keys(&mut bus.strip.inserts, &ids, &mut keys);
        }
        add_keys(&mut session.master.inserts, &ids, &mut keys);
        session
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn neither_blocks_nor_threads_nor_ranges_change_a_bit(
        session in processed(),
        block in 1usize..5000,
        cut in 0.0f64..1.0,
    ) {
        let end = length(&session);
        let whole = rendered(&session, 4096, 1, 0..end);
        same_bits(&whole, &streamed(&session, block, 2));
        let middle = (end as f64 * cut) as u64;
        let (mut left, right) = (rendered(&session, block, 2, 0..middle), rendered(&session, 4096, 1, middle..end));
        left.resize(whole.len(), Vec::new());
        left.iter_mut().zip(&right).for_each(|(l, r)| l.extend_from_slice(r));
        same_bits(&whole, &left);
    }
}

const SESSION: &str = r#"rate = 48000

[master.insert]
last = { type = "limiter", ceiling = -3 }

[track.vox]
file = "vox.wav"
gain = -1

[track.vox.insert]
echo = { type = "delay", time = "90ms", feedback = -12, mix = 0.25 }
down = { type = "trim", gain = "-inf", bypass = true }
"#;

#[test]
fn a_session_file_states_inserts_in_order_and_they_are_written_as_they_are_read() {
    let session = Load::default().text(SESSION, "s.toml").unwrap();
    let inserts = &session.tracks()[0].strip.inserts;
    let echo = delay(0.09, -12.0, 0.25).named("echo");
    let down = Insert::trim(Decibels::SILENCE).bypass(true).named("down");
    assert_eq!(inserts, &[echo, down]);
    assert_eq!(
        session.master.inserts,
        [Insert::limiter(Dbtp(-3.0)).named("last")]
    );
    for name in ["s.toml", "s.json"] {
        let text = session.to_text(name).unwrap();
        let again = Load::default().text(text.clone(), name).unwrap();
        assert_eq!(again.tracks()[0].strip.inserts, *inserts, "{text}");
        assert_eq!(again.master.inserts, session.master.inserts, "{text}");
    }
}

#[test]
fn a_processor_of_the_program_is_saved_by_its_name_and_supplied_again() {
    let own = || LookAhead::insert(77).named("mine");
    let mix = one((0..500).map(|n| noise(5, 0, n)).collect(), [own()]);
    let folder = tempfile::tempdir().unwrap();
    let stem = folder.path().join("t.wav");
    one((0..500).map(|n| noise(5, 0, n)).collect(), [])
        .bounce(&stem)
        .unwrap();
    let mut saved = Session::new(RATE, Layout::Mono);
    saved.add_track(Track::new("t", stem).insert(own()));
    let text = saved.to_text(folder.path().join("s.toml")).unwrap();
    assert!(
        text.contains("mine = { type = \"custom\", processor = \"look-ahead\" }"),
        "{text}"
    );
    let mut again = Load::default()
        .text(text, folder.path().join("s.toml"))
        .unwrap();
    let refused = Plan::compile(&again).unwrap_err().to_string();
    assert!(
        refused.contains("insert \"mine\": the processor \"look-ahead\" belongs to another program: bypass the insert"),
        "{refused}"
    );
    assert_eq!(again.supply("other", |_| unreachable!()), 0);
    let build = |spec: Spec| {
        let lines = vec![vec![0.0; 77]; spec.layout.channels()];
        Box::new(LookAhead { lines, frames: 77 }) as Box<dyn Processor>
    };
    assert_eq!(again.supply("look-ahead", build), 1);
    let plan = Plan::compile(&again).unwrap();
    assert_eq!(plan.latency(), Plan::compile(&mix).unwrap().latency());
    again.tracks_mut()[0].strip.inserts[0].bypass = true;
    let text = again.to_text(folder.path().join("s.toml")).unwrap();
    let bypassed = Load::default()
        .text(text, folder.path().join("s.toml"))
        .unwrap();
    assert_eq!(Plan::compile(&bypassed).unwrap().latency(), Frames(0));
}

/// Returns line, column and sentence of the only problem of a session file.
pub fn only_problem(text: String) -> (usize, usize, String) {
    let error = Load::default().text(text, "s.toml").unwrap_err();
    let [problem] = error.problems() else {
        panic!("{error}")
    };
    let place = problem.span.clone().unwrap();
    (place.line, place.column, problem.sentence())
}

#[test]
fn a_wrong_insert_in_a_session_file_is_pointed_at() {
    let problem = |insert: &str| {
        only_problem(format!(
            "rate = 48000\n[track.vox]\nfile = \"vox.wav\"\n[track.vox.insert]\n{insert}\n"
        ))
    };
    let cases = [
        (
            "x = { time = \"1s\" }",
            1,
            "track \"vox\": insert \"x\" has no type; there are trim, highpass, lowpass, bell, low-shelf, high-shelf, notch, compressor, expander, gate, ducker, delay, limiter",
        ),
        (
            "x = { type = \"dealy\" }",
            14,
            "track \"vox\": insert \"x\": there is no processor \"dealy\"; did you mean \"delay\"?",
        ),
        (
            "x = { type = \"delay\", tim = 1 }",
            23,
            "track \"vox\": insert \"x\": unknown key \"tim\"; did you mean \"time\"?",
        ),
        (
            "x = { type = \"delay\", time = \"20s\" }",
            30,
            "track \"vox\": insert \"x\": delay: time of 20 is outside 0 to 10",
        ),
        (
            "x = { type = \"delay\", mix = \"half\" }",
            29,
            "track \"vox\": insert \"x\": mix is text, but should be a number from 0 to 1",
        ),
        (
            "x = { type = \"trim\", bypass = 1 }",
            31,
            "track \"vox\": insert \"x\": bypass is an integer, but should be true or false",
        ),
        (
            "x = 3",
            5,
            "track \"vox\": insert \"x\" is an integer, but should be a table",
        ),
    ];
    for (insert, column, message) in cases {
        assert_eq!(problem(insert), (5, column, message.to_owned()), "{insert}");
    }
}
