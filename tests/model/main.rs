//! The engine against a plain model of what the documents say, over random sessions with every feature at once.
//!
//! 2,000 sessions: half of them without processors, and half with. `SOUNDTRACK_MODEL_CASES` asks for another number.
//!
//! In memory the engine must agree with the model to 1e-12 of the largest term on the way (at least 1), with processors on
//! the strips to the bounds of [`within`]. Files are of 32-bit float, so a sample there may be 2^-24 of itself further away.
mod inserts;
mod model;
mod scenes;

use model::{Mix, Signal, Stem, Stems};
use proptest::prelude::*;
use scenes::{Dice, Scene, StemsAre, scene};
use soundtrack::{
    Block, Bounce, BusId, CueId, Dbtp, Decibels, Deliverable, Delivery, Fade, Format, Frames, Load,
    Opener, Plan, PlayerBuilder, SampleRate, Selector, Session, Sink, Spec, State, Track, encode,
    media::Memory, slice,
};
use soundtrack_test_support::renders;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// How far the engine may be from the model, in parts of the largest term: some hundred roundings of `f64`.
const WITHIN: f64 = 1e-12;
/// The same for each compressor, expander, gate and ducker: the engine's decibels are within 1e-11 dB, which moves the gain
/// by 1.2e-12, four times as much with a ratio of 5.
const WITHIN_DYNAMICS: f64 = 1e-11;
/// The same where a filter or a feedback rings: it is cut after 200 dB, and a resonance has gathered up to 20 dB.
const WITHIN_RINGING: f64 = 1e-9;
/// The same with a stem that is resampled, -140 dB.
const WITHIN_RESAMPLED: f64 = 1e-7;

/// The bound for a session, in parts of the largest term.
fn within(session: &Session, stems: &Stems) -> f64 {
    let resampled = if stems.values().any(|stem| stem.is_resampled) {
        WITHIN_RESAMPLED
    } else {
        0.0
    };
    let tracks = session.cues().iter().flat_map(|cue| &cue.tracks);
    let strips = tracks
        .chain(session.tracks())
        .map(|track| &track.strip)
        .chain(session.buses().iter().map(|bus| &bus.strip));
    let inserts = strips
        .flat_map(|strip| &strip.inserts)
        .chain(&session.master.inserts);
    inserts
        .map(|insert| match insert.kind_name() {
            "trim" | "limiter" | inserts::REVERSED | inserts::SCALED_BY_KEY => 0.0,
            "compressor" | "expander" | "gate" | "ducker" => WITHIN_DYNAMICS,
            _ => WITHIN_RINGING,
        })
        .fold(WITHIN + resampled, |sum, more| sum + more)
}

/// Number of sessions that are rendered in memory; a tenth as many are delivered to files.
fn cases() -> u32 {
    let asked = std::env::var("SOUNDTRACK_MODEL_CASES")
        .ok()
        .map(|n| n.parse().expect("a number of cases"));
    asked.unwrap_or(2_000)
}

/// How many simpler sessions are tried after a failure, unless `PROPTEST_MAX_SHRINK_ITERS` asks for another number.
fn shrinks(usual: u32) -> u32 {
    match std::env::var_os("PROPTEST_MAX_SHRINK_ITERS") {
        Some(_) => ProptestConfig::default().max_shrink_iters,
        None => usual,
    }
}

/// Numbers for [`scene`], and those that decide what else is asked of it.
fn draws() -> impl Strategy<Value = (Draws, Draws)> {
    let numbers =
        |size: std::ops::Range<usize>| prop::collection::vec(any::<u32>(), size).prop_map(Draws);
    (numbers(50..1_500), numbers(12..60))
}

/// Numbers, printed on one line.
#[derive(Clone)]
struct Draws(Vec<u32>);

impl std::fmt::Debug for Draws {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// A session as TOML: its stems from memory appear as files of their names.
fn written(session: &Session) -> String {
    let mut copy = session.clone();
    for track in copy.tracks_mut() {
        name_stems(track);
    }
    for track in copy.cues_mut().iter_mut().flat_map(|cue| &mut cue.tracks) {
        name_stems(track);
    }
    copy.to_text("session.toml")
        .unwrap_or_else(|e| format!("{e}\n{session:#?}"))
}

fn name_stems(track: &mut Track) {
    for clip in &mut track.clips {
        let name = clip.input.to_string();
        let file = std::path::Path::new(&name).file_name().unwrap().to_owned();
        clip.input = std::path::PathBuf::from(file).into();
    }
}

/// Adds the session to the message of a failure.
fn with_session(session: &Session, done: Result<(), TestCaseError>) -> Result<(), TestCaseError> {
    done.map_err(|e| match e {
        TestCaseError::Fail(why) => TestCaseError::fail(format!("{why}\n\n{}\n", written(session))),
        other => other,
    })
}

/// Fails with the first sample that is too far away. Past the end of the model all must be exactly 0.
fn agree(
    what: &str,
    got: &[Vec<f64>],
    want: &[Vec<f64>],
    from: usize,
    within: f64,
) -> Result<(), TestCaseError> {
    prop_assert_eq!(got.len(), want.len(), "{}: channels", what);
    for (ch, (got, want)) in got.iter().zip(want).enumerate() {
        for (n, x) in got.iter().enumerate() {
            let (y, within) = want.get(from + n).map_or((0.0, 0.0), |y| (*y, within));
            prop_assert!(
                (x - y).abs() <= within,
                "{what}: channel {ch}, frame {}: {x:e}, not {y:e}",
                from + n
            );
        }
    }
    Ok(())
}

/// The whole of a session, and its length.
fn whole(
    what: &str,
    session: &Session,
    stems: &Stems,
    want: &Mix,
    block: usize,
) -> Result<(), TestCaseError> {
    let length = want.channels[0].len() as u64;
    let plan = Plan::compile(session).map_err(|e| TestCaseError::fail(format!("{what}: {e}")))?;
    prop_assert_eq!(plan.length(), Frames(length), "{}: length", what);
    let got = renders::streamed(session, block, 1);
    prop_assert_eq!(got[0].len() as u64, length, "{}: frames", what);
    agree(
        what,
        &got,
        &want.channels,
        0,
        within(session, stems) * want.scale,
    )
}

/// Mutes some parts of a session by its own fields, and names them as a deliverable does.
fn muted(session: &Session, dice: &mut Dice) -> (Session, Vec<Selector>) {
    let (mut quiet, mut parts) = (session.clone(), Vec::new());
    for id in session.track_ids() {
        if dice.chance(20) {
            quiet.track_mut(id).strip.mute = true;
            parts.push(Selector::Track(id));
        }
    }
    for id in session.bus_ids() {
        if dice.chance(20) {
            quiet.bus_mut(id).strip.mute = true;
            parts.push(Selector::Bus(id));
        }
    }
    for (id, cue) in cue_ids(session).into_iter().zip(quiet.cues_mut()) {
        if dice.chance(15) {
            cue.mute = true;
            parts.push(Selector::Cue(id));
        }
        for (n, track) in cue.tracks.iter_mut().enumerate() {
            if dice.chance(15) {
                track.strip.mute = true;
                parts.push(Selector::CueTrack(id, n));
            }
        }
    }
    (quiet, parts)
}

fn cue_ids(session: &Session) -> Vec<CueId> {
    let id = |name: &str| match session.part(&format!("cue.{name}")) {
        Ok(Selector::Cue(id)) => id,
        other => panic!("{other:?}"),
    };
    session.cues().iter().map(|cue| id(&cue.name)).collect()
}

/// A sink in memory that is read after playing.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<encode::MemorySink>>);

impl Sink for Shared {
    fn write(&mut self, block: &Block) -> soundtrack::Result<()> {
        self.0.lock().unwrap().write(block)
    }

    fn finish(&mut self) -> soundtrack::Result<encode::Written> {
        self.0.lock().unwrap().finish()
    }
}

/// The whole mix, a range, what of each bus is heard, what is played, the mix without some parts, and
/// every cue whole.
fn compare(session: &Session, stems: &Stems, dice: &mut Dice) -> Result<(), TestCaseError> {
    let want = model::mix(session, stems);
    let block = dice.of(&[4096, 61, 500]);
    whole("mix", session, stems, &want, block)?;

    let (frames, bound) = (
        want.channels[0].len() as u64,
        within(session, stems) * want.scale,
    );
    let start = dice.below(frames + 10);
    let end = start + dice.below(frames + 50);
    let got = session.render_on(1, Frames(start)..Frames(end)).unwrap();
    prop_assert_eq!(got[0].len() as u64, end - start);
    agree("range", &got, &want.channels, start as usize, bound)?;

    let ids: Vec<BusId> = session.bus_ids().collect();
    if !ids.is_empty() {
        let stems = session
            .render_stems(&ids, Frames(0)..Frames(frames))
            .unwrap();
        for (bus, (got, want_bus)) in stems.iter().zip(&want.buses).enumerate() {
            agree(&format!("stem of bus{bus}"), got, want_bus, 0, bound)?;
        }
    }

    let (quiet, parts) = muted(session, dice);
    let mut deliverable = Deliverable::new("part", "part.wav");
    deliverable.mute = parts;
    whole(
        "deliverable",
        &session.for_deliverable(&deliverable),
        stems,
        &model::mix(&quiet, stems),
        block,
    )?;

    // Stems that exceed +24 dBFS are muted while they play.
    if want.loudest_input <= 15.8 && dice.chance(5) {
        let sink = Shared::default();
        let player = PlayerBuilder::new()
            .into_sink(session, Box::new(sink.clone()))
            .unwrap();
        prop_assert_eq!(player.wait(Duration::from_secs(60)), State::Ended);
        drop(player);
        let mut played = std::mem::take(&mut *sink.0.lock().unwrap()).into_channels();
        played.resize(want.channels.len(), Vec::new());
        prop_assert_eq!(played[0].len() as u64, frames, "played frames");
        agree("played", &played, &want.channels, 0, bound)?;
    }

    if frames > 2 && dice.chance(5) {
        joined(session, frames, dice)?;
    }

    for (n, (id, cue)) in cue_ids(session).into_iter().zip(session.cues()).enumerate() {
        let want = model::mix(&model::whole_cue(session, n), stems);
        whole(
            &format!("{} whole", cue.name),
            &session.whole_cue(id),
            stems,
            &want,
            block,
        )?;
    }
    Ok(())
}

/// Parts of a mix, rendered one by one and joined, against the file of the whole.
fn joined(session: &Session, frames: u64, dice: &mut Dice) -> Result<(), TestCaseError> {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: String| folder.path().join(name);
    let bounce = || Bounce::new().format(Format::WAV_32F).threads(1);
    let failed = |e: soundtrack::Error| TestCaseError::fail(format!("joined: {e}"));
    let whole = at("whole.wav".into());
    bounce().run(session, &whole).map_err(failed)?;
    let mut cuts = vec![
        0,
        1 + dice.below(frames - 1),
        1 + dice.below(frames - 1),
        frames,
    ];
    cuts.sort_unstable();
    cuts.dedup();
    let mut parts = Vec::new();
    for cut in cuts.windows(2) {
        let part = at(format!("{}.wav", cut[0]));
        let range = Frames(cut[0])..Frames(cut[1]);
        let part_of = bounce().joinable(true).range(range);
        part_of.run(session, &part).map_err(failed)?;
        parts.insert(dice.below(parts.len() as u64 + 1) as usize, part);
    }
    let one = at("one.wav".into());
    slice::join(&parts, &one, false).map_err(failed)?;
    let read = |path: &std::path::Path| std::fs::read(path).unwrap();
    let (one, whole) = (read(&one), read(&whole));
    prop_assert_eq!(one.len(), whole.len(), "joined: bytes");
    let differs = one.iter().zip(&whole).position(|(a, b)| a != b);
    prop_assert_eq!(differs, None, "joined at {:?}", cuts);
    Ok(())
}

/// Checks the promises of the limiter on a mix that it has to limit, and on one far below its ceiling.
fn limited(session: &mut Session, stems: &Stems, dice: &mut Dice) -> Result<(), TestCaseError> {
    let limit = Dbtp(-(dice.below(20) as f64));
    session.master.limit = None;
    let want = model::mix(session, stems);
    session.master.limit = Some(limit);
    let got = renders::streamed(session, dice.of(&[4096, 61, 500]), 1);
    let ceiling = model::amplitude(Decibels(limit.value()));
    let bound = within(session, stems) * want.scale;
    let loudest = |signal: &Signal, t: usize| signal.iter().fold(0.0f64, |m, x| m.max(x[t].abs()));
    let frames = want.channels[0].len();
    prop_assert_eq!(got[0].len(), frames, "frames");
    for t in 0..frames {
        let (y, x) = (loudest(&got, t), loudest(&want.channels, t));
        prop_assert!(y <= ceiling, "frame {t}: {y} is above {ceiling}");
        prop_assert!(y <= x + bound, "frame {t}: {y} of {x}");
    }

    // Far below the ceiling it does nothing.
    let softer = 40.0 + 20.0 * want.scale.max(1.0).log10();
    session.master.gain = Decibels(session.master.gain.0 - softer);
    session.master.limit = None;
    let want = model::mix(session, stems);
    session.master.limit = Some(Dbtp(0.0));
    let got = renders::streamed(session, dice.of(&[4096, 61, 500]), 1);
    agree("quiet mix", &got, &want.channels, 0, bound)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases().div_ceil(10), max_shrink_iters: shrinks(300), ..ProptestConfig::default() })]

    /// A limiter that limits: no sample is above the ceiling, and no frame is louder than without it.
    #[test]
    fn the_limiter_keeps_its_promises((Draws(draws), Draws(more)) in draws()) {
        let Scene { mut session, stems, folder: _folder } = scene(draws, StemsAre::Memory, false);
        let done = limited(&mut session, &stems, &mut Dice::new(more));
        with_session(&session, done)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases().div_ceil(2), max_shrink_iters: shrinks(1_000), ..ProptestConfig::default() })]

    /// Through every way to render in memory.
    #[test]
    fn the_engine_renders_what_the_documents_say((Draws(draws), Draws(more)) in draws()) {
        let Scene { session, stems, folder: _folder } = scene(draws, StemsAre::Memory, false);
        let done = compare(&session, &stems, &mut Dice::new(more));
        with_session(&session, done)?;
    }

    /// The same with processors on the strips.
    #[test]
    fn processors_do_what_the_documents_say((Draws(draws), Draws(more)) in draws()) {
        let Scene { session, stems, folder: _folder } = scene(draws, StemsAre::Memory, true);
        let done = compare(&session, &stems, &mut Dice::new(more));
        with_session(&session, done)?;
    }
}

/// What the random sessions meet only now and then: every layout in every other.
#[test]
fn every_layout_folds_into_every_other() {
    for from in scenes::LAYOUTS {
        for to in scenes::LAYOUTS {
            let channels: Signal = (0..from.channels())
                .map(|ch| vec![2f64.powi(-(ch as i32))])
                .collect();
            let spec = Spec {
                rate: SampleRate::HZ_48000,
                layout: from,
            };
            let memory = Memory::new(spec, channels.clone()).unwrap();
            let mut session = Session::new(spec.rate, to);
            let input = Opener::new("stem", move || Ok(Box::new(memory.clone())));
            session.add_track(Track::new("track", input));
            let stems = [(
                "stem".to_owned(),
                Stem {
                    layout: from,
                    exact: (channels[0].len() as u128, 1),
                    channels,
                    reference: None,
                    is_resampled: false,
                },
            )]
            .into();
            whole(
                &format!("{from} in {to}"),
                &session,
                &stems,
                &model::mix(&session, &stems),
                1,
            )
            .unwrap();
        }
    }
}

/// The samples of a file of 32-bit floats, by channel.
fn floats(path: &std::path::Path) -> Signal {
    let mut file = hound::WavReader::open(path).unwrap();
    let mut channels = vec![Vec::new(); usize::from(file.spec().channels)];
    for (n, sample) in file.samples::<f32>().enumerate() {
        let channel = n % channels.len();
        channels[channel].push(f64::from(sample.unwrap()));
    }
    channels
}

/// As [`agree`], for what was rounded to 32-bit floats.
fn agree_rounded(
    what: &str,
    got: &[Vec<f64>],
    want: &[Vec<f64>],
    bound: f64,
) -> Result<(), TestCaseError> {
    prop_assert_eq!(got.len(), want.len(), "{}: channels", what);
    for (ch, (got, want)) in got.iter().zip(want).enumerate() {
        prop_assert_eq!(got.len(), want.len(), "{}: frames", what);
        for (n, (x, y)) in got.iter().zip(want).enumerate() {
            // Below the normal numbers of f32 its steps are 2^-149 wide.
            let within = bound + y.abs() * 2f64.powi(-24) + 2f64.powi(-149);
            prop_assert!(
                (x - y).abs() <= within,
                "{what}: channel {ch}, frame {n}: {x:e}, not {y:e}"
            );
        }
    }
    Ok(())
}

/// Solos some parts of a session in place of those that it solos, and names them as a deliverable does.
fn soloed(session: &Session, dice: &mut Dice) -> (Session, Vec<Selector>) {
    let (mut alone, mut parts) = (session.clone(), Vec::new());
    let tracks = alone.cues_mut().iter_mut().flat_map(|cue| &mut cue.tracks);
    tracks.for_each(|track| track.strip.solo = false);
    for id in session.track_ids() {
        alone.track_mut(id).strip.solo = dice.chance(25);
        if alone.track_mut(id).strip.solo {
            parts.push(Selector::Track(id));
        }
    }
    for id in session.bus_ids() {
        alone.bus_mut(id).strip.solo = dice.chance(25);
        if alone.bus_mut(id).strip.solo {
            parts.push(Selector::Bus(id));
        }
    }
    for (id, cue) in cue_ids(session).into_iter().zip(alone.cues_mut()) {
        let whole = !cue.uses.is_empty() && dice.chance(15);
        if whole {
            parts.push(Selector::Cue(id));
        }
        for (n, track) in cue.tracks.iter_mut().enumerate() {
            track.strip.solo = whole;
            if !cue.uses.is_empty() && dice.chance(15) {
                track.strip.solo = true;
                parts.push(Selector::CueTrack(id, n));
            }
        }
    }
    // Without parts a deliverable keeps the solos of the session.
    if parts.is_empty() {
        alone = session.clone();
    }
    (alone, parts)
}

/// A stretch of a mix, silent past its end, with fades.
fn excerpt(channels: &Signal, start: usize, fades: [Fade; 2], frames: usize) -> Signal {
    let sample = |samples: &Vec<f64>, t: usize| {
        let [fade_in, fade_out] = fades;
        let fade =
            model::fade_gain(fade_in, t as u64) * model::fade_gain(fade_out, (frames - t) as u64);
        samples.get(start + t).copied().unwrap_or(0.0) * fade
    };
    let part = |samples| (0..frames).map(|t| sample(samples, t)).collect();
    channels.iter().map(part).collect()
}

/// A signal at another level.
fn scaled(channels: &Signal, gain: Decibels) -> Signal {
    excerpt(channels, 0, [Fade::default(); 2], channels[0].len())
        .into_iter()
        .map(|samples| samples.iter().map(|x| x * model::amplitude(gain)).collect())
        .collect()
}

/// Writes a session with deliverables of every kind to text, reads it, and delivers it.
fn compare_files(
    session: &mut Session,
    stems: &Stems,
    dice: &mut Dice,
) -> Result<(), TestCaseError> {
    let folder = tempfile::tempdir().unwrap();
    let ids: Vec<BusId> = session.bus_ids().collect();
    let want = model::mix(session, stems);
    let frames = want.channels[0].len() as u64;
    let promise = |name: &str, file: &str| {
        Deliverable::new(name, folder.path().join(file)).format(Format::WAV_32F)
    };
    // The mix at another level, and stems at the same one.
    let gain = Decibels(dice.below(25) as f64 - 20.0);
    let full = promise("full", "full.wav").gain(gain);
    // Without some parts, and with some parts alone.
    let ((quiet, mute), (alone, solo)) = (muted(session, dice), soloed(session, dice));
    let mut part = promise("part", "part.wav");
    part.mute = mute;
    let mut only = promise("only", "only.wav");
    only.solo = solo;
    // A stretch with fades, in another layout.
    let layout = dice.of(&scenes::LAYOUTS);
    let start = dice.below(frames);
    let length = 1 + dice.below(frames + 50);
    let fades = [dice.fade(length), dice.fade(length)];
    let spot = promise("spot", "spot.wav")
        .layout(layout)
        .range(Frames(start)..Frames(start + length))
        .fade_in(fades[0])
        .fade_out(fades[1]);
    session.deliverables = vec![full, part, only, spot];
    if !ids.is_empty() {
        let stems = promise("stems", "{bus}.wav").stems(ids);
        session.deliverables.push(stems.gain_of("full"));
    }
    if session.cues().iter().any(|cue| !cue.mute) {
        session
            .deliverables
            .push(promise("album", "{cue}.wav").album(true));
    }

    let path = folder.path().join("session.toml");
    let text = session.to_text(&path).unwrap();
    let load = Load {
        outside: true,
        ..Load::default()
    };
    let loaded = load
        .text(text, &path)
        .map_err(|e| TestCaseError::fail(e.to_string()))?;
    whole("read", &loaded, stems, &want, 4096)?;
    Delivery::new()
        .threads(1)
        .run(&loaded)
        .map_err(|e| TestCaseError::fail(e.to_string()))?;

    let read = |name: &str| floats(&folder.path().join(format!("{name}.wav")));
    let same = |name: &str, channels: &Signal, session: &Session, scale: f64| {
        agree_rounded(name, &read(name), channels, within(session, stems) * scale)
    };
    // Louder terms are as much further away.
    let louder = want.scale * model::amplitude(gain).max(1.0);
    same("full", &scaled(&want.channels, gain), session, louder)?;
    for (bus, want_bus) in session.buses().iter().zip(&want.buses) {
        same(&bus.strip.name, &scaled(want_bus, gain), session, louder)?;
    }
    let want = model::mix(&quiet, stems);
    same("part", &want.channels, session, want.scale)?;
    let want = model::mix(&alone, stems);
    same("only", &want.channels, session, want.scale)?;
    let mut other = session.clone();
    other.layout = layout;
    let want = model::mix(&other, stems);
    let part = excerpt(&want.channels, start as usize, fades, length as usize);
    same("spot", &part, session, want.scale)?;
    for (n, cue) in session
        .cues()
        .iter()
        .enumerate()
        .filter(|(_, cue)| !cue.mute)
    {
        let want = model::mix(&model::whole_cue(session, n), stems);
        same(&cue.name, &want.channels, session, want.scale)?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases().div_ceil(10), max_shrink_iters: shrinks(300), ..ProptestConfig::default() })]

    /// Files of deliverables, from a session that was written and read.
    #[test]
    fn delivered_files_hold_what_the_documents_say((Draws(draws), Draws(more)) in draws()) {
        let Scene { mut session, stems, folder: _folder } = scene(draws, StemsAre::Files, more.len() % 2 == 0);
        let done = compare_files(&mut session, &stems, &mut Dice::new(more));
        with_session(&session, done)?;
    }
}
