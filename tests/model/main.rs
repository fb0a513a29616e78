//! The engine against a plain model of what the documents say, over random sessions with every feature at once.
//!
//! 200 sessions in a debug build, 2,000 in a release build. `SOUNDTRACK_MODEL_CASES` asks for another number.
//!
//! In memory the engine must agree with the model to 1e-12 of the largest term on the way (at least 1): a few hundred
//! roundings of `f64`. Files are of 32-bit float, so a sample there may be 2^-24 of itself further away.
mod model;
mod scenes;

use model::{Mix, Signal, Stem};
use proptest::prelude::*;
use scenes::{Dice, Scene, scene};
use soundtrack::{
    BusId, CueId, Deliverable, Delivery, Format, Frames, Opener, Plan, SampleRate, Selector,
    Session, Spec, Track, media::Memory,
};
use soundtrack_test_support::renders;

/// How far the engine may be from the model, in parts of the largest term.
const WITHIN: f64 = 1e-12;

/// How many sessions are tried: of those in memory, a tenth of it of those in files.
fn cases() -> u32 {
    let asked = std::env::var("SOUNDTRACK_MODEL_CASES")
        .ok()
        .map(|n| n.parse().expect("a number of cases"));
    asked.unwrap_or(if cfg!(debug_assertions) { 200 } else { 2_000 })
}

/// Numbers for [`scene`], and those that decide what else is asked of it.
fn draws() -> impl Strategy<Value = (Draws, Draws)> {
    let numbers =
        |size: std::ops::Range<usize>| prop::collection::vec(any::<u32>(), size).prop_map(Draws);
    (numbers(50..1_500), numbers(12..13))
}

/// Numbers, printed on one line.
#[derive(Clone)]
struct Draws(Vec<u32>);

impl std::fmt::Debug for Draws {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// Fails with the first sample that is too far away. Past the end of the model all must be exactly 0.
fn agree(
    what: &str,
    got: &[Vec<f64>],
    want: &[Vec<f64>],
    from: usize,
    scale: f64,
) -> Result<(), TestCaseError> {
    prop_assert_eq!(got.len(), want.len(), "{}: channels", what);
    for (ch, (got, want)) in got.iter().zip(want).enumerate() {
        for (n, x) in got.iter().enumerate() {
            let (y, within) = want
                .get(from + n)
                .map_or((0.0, 0.0), |y| (*y, WITHIN * scale));
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
fn whole(what: &str, session: &Session, want: &Mix, block: usize) -> Result<(), TestCaseError> {
    let length = want.channels[0].len() as u64;
    let plan = Plan::compile(session).map_err(|e| TestCaseError::fail(format!("{what}: {e}")))?;
    prop_assert_eq!(plan.length(), Frames(length), "{}: length", what);
    let got = renders::streamed(session, block, 1);
    prop_assert_eq!(got[0].len() as u64, length, "{}: frames", what);
    agree(what, &got, &want.channels, 0, want.scale)
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

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    /// The whole mix, a range, what of each bus is heard, the mix without some parts, and every cue whole.
    #[test]
    fn the_engine_renders_what_the_documents_say((Draws(draws), Draws(more)) in draws()) {
        let Scene { session, stems, folder: _folder } = scene(draws);
        let dice = &mut Dice::new(more);
        let want = model::mix(&session, &stems);
        let block = dice.of(&[4096, 61, 500]);
        whole("mix", &session, &want, block)?;

        let frames = want.channels[0].len() as u64;
        let start = dice.below(frames + 10);
        let end = start + dice.below(frames + 50);
        let got = session.render_on(1, Frames(start)..Frames(end)).unwrap();
        prop_assert_eq!(got[0].len() as u64, end - start);
        agree("range", &got, &want.channels, start as usize, want.scale)?;

        let ids: Vec<BusId> = session.bus_ids().collect();
        if !ids.is_empty() {
            let stems = session.render_stems(&ids, Frames(0)..Frames(frames)).unwrap();
            for (bus, (got, want_bus)) in stems.iter().zip(&want.buses).enumerate() {
                agree(&format!("stem of bus{bus}"), got, want_bus, 0, want.scale)?;
            }
        }

        let (quiet, parts) = muted(&session, dice);
        let mut deliverable = Deliverable::new("part", "part.wav");
        deliverable.mute = parts;
        whole("deliverable", &session.for_deliverable(&deliverable), &model::mix(&quiet, &stems), block)?;

        for (id, cue) in cue_ids(&session).into_iter().zip(session.cues()) {
            let want = model::mix(&model::whole_cue(&session, cue), &stems);
            whole(&format!("{} whole", cue.name), &session.whole_cue(id), &want, block)?;
        }
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
                },
            )]
            .into();
            whole(
                &format!("{from} in {to}"),
                &session,
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
    scale: f64,
) -> Result<(), TestCaseError> {
    prop_assert_eq!(got.len(), want.len(), "{}: channels", what);
    for (ch, (got, want)) in got.iter().zip(want).enumerate() {
        prop_assert_eq!(got.len(), want.len(), "{}: frames", what);
        for (n, (x, y)) in got.iter().zip(want).enumerate() {
            // Below the normal numbers of f32 its steps are 2^-149 wide.
            let within = WITHIN * scale + y.abs() * 2f64.powi(-24) + 2f64.powi(-149);
            prop_assert!(
                (x - y).abs() <= within,
                "{what}: channel {ch}, frame {n}: {x:e}, not {y:e}"
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases().div_ceil(10), ..ProptestConfig::default() })]

    /// A mix without some parts, per-bus stems and an album, through the files of one delivery.
    #[test]
    fn delivered_files_hold_what_the_documents_say((Draws(draws), Draws(more)) in draws()) {
        let Scene { mut session, stems, folder: _folder } = scene(draws);
        let dice = &mut Dice::new(more);
        let folder = tempfile::tempdir().unwrap();
        let ids: Vec<BusId> = session.bus_ids().collect();
        let (quiet, parts) = muted(&session, dice);
        let promise = |name: &str, file: &str| Deliverable::new(name, folder.path().join(file)).format(Format::WAV_32F);
        let mut part = promise("part", "part.wav");
        part.mute = parts;
        session.deliverables = vec![promise("full", "full.wav"), part];
        if !ids.is_empty() {
            session.deliverables.push(promise("stems", "{bus}.wav").stems(ids));
        }
        if session.cues().iter().any(|cue| !cue.mute) {
            session.deliverables.push(promise("album", "{cue}.wav").album(true));
        }
        Delivery::new().threads(1).run(&session).unwrap();

        let want = model::mix(&session, &stems);
        agree_rounded("full", &floats(&folder.path().join("full.wav")), &want.channels, want.scale)?;
        for (bus, want_bus) in session.buses().iter().zip(&want.buses) {
            let file = folder.path().join(format!("{}.wav", bus.strip.name));
            agree_rounded(&bus.strip.name, &floats(&file), want_bus, want.scale)?;
        }
        let want = model::mix(&quiet, &stems);
        agree_rounded("part", &floats(&folder.path().join("part.wav")), &want.channels, want.scale)?;
        for cue in session.cues().iter().filter(|cue| !cue.mute) {
            let want = model::mix(&model::whole_cue(&session, cue), &stems);
            let file = folder.path().join(format!("{}.wav", cue.name));
            agree_rounded(&cue.name, &floats(&file), &want.channels, want.scale)?;
        }
    }
}
