//! What a session promises, written: mixes, per-bus stems, albums; what is shared, what adds up, what is refused.

use soundtrack::{
    Bounce, Bus, BusId, Clip, Cue, Curve, Dbtp, Decibels, Deliverable, Delivery, ErrorKind, Fade,
    Format, FrameRate, Frames, Layout, LoudnessTarget, Lufs, Opener, Pan, Plan, SampleRate,
    Selector, Session, Shape, Timecode, Track, Use, encode,
};
use soundtrack_test_support::renders::{added, same_bits, stem};
use std::{
    fs,
    ops::ControlFlow,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

const HZ: SampleRate = SampleRate::HZ_48000;

/// Counts how often stems are opened.
#[derive(Clone, Default)]
struct Opens(Arc<AtomicUsize>);

impl Opens {
    fn stem(&self, name: &str, layout: Layout, rate: u32, frames: usize) -> Opener {
        let memory = stem(name.bytes().map(u64::from).sum(), rate, layout, frames);
        let count = Arc::clone(&self.0);
        Opener::new(name, move || {
            count.fetch_add(1, Ordering::SeqCst);
            Ok(Box::new(memory.clone()))
        })
    }

    fn so_far(&self) -> usize {
        self.0.swap(0, Ordering::SeqCst)
    }
}

pub struct Film {
    pub session: Session,
    opens: Opens,
    pub music: BusId,
    pub speech: BusId,
    pub hall: BusId,
    folder: tempfile::TempDir,
}

/// A reel: speech, two cues, a bus in a bus, a hall that is fed by sends, automation, fades, a use that repeats.
pub fn film() -> Film {
    let (mut session, opens) = (Session::new(HZ, Layout::Stereo), Opens::default());
    session.title = "Reel".into();
    session.fps = Some(FrameRate::FPS_24);
    session.start = Some(Timecode::parse("01:00:00:00", FrameRate::FPS_24).unwrap());
    let strings = session.add_bus(Bus::new("strings").gain(Decibels(-1.5)));
    let music = session.add_bus(Bus::new("music").gain(Decibels(-0.7)).pan(Pan(0.1)));
    let speech = session.add_bus(Bus::new("speech"));
    let hall = session.add_bus(Bus::new("hall").gain(Decibels(-3.0)));
    session.bus_mut(strings).strip.to = Some(music);
    let swell = Curve::new()
        .point(Frames(0), Decibels(-20.0), Shape::Linear)
        .point(Frames(9000), Decibels(1.0), Shape::Sine);
    session.add_track(
        Track::new("dialogue", opens.stem("dx", Layout::Mono, 48_000, 70_000))
            .to(speech)
            .gain(Decibels(-2.0)),
    );
    session.add_cue(
        Cue::new("storm")
            .title("The Storm")
            .track(
                Track::new(
                    "violins",
                    opens.stem("vlns", Layout::Stereo, 44_100, 20_000),
                )
                .to(strings),
            )
            .track(
                Track::new("piano", opens.stem("piano", Layout::Mono, 48_000, 25_000))
                    .to(music)
                    .pan(Pan(-0.3))
                    .gain_curve(swell)
                    .send(hall, Decibels(-12.0)),
            )
            .used(Use::at(Frames(10_000)))
            .used(
                Use::at(Frames(50_000))
                    .named("reprise")
                    .from(Frames(2000))
                    .length(Frames(9000))
                    .gain(Decibels(-6.0)),
            ),
    );
    let brass = Clip::new(opens.stem("brass", Layout::Stereo, 48_000, 4000))
        .loops(3)
        .fade_in(Fade::linear(Frames(800)));
    session.add_cue(
        Cue::new("titles")
            .track(Track::of("brass").clip(brass).to(music))
            .used(Use::at(Frames(62_000))),
    );
    Film {
        session,
        opens,
        music,
        speech,
        hall,
        folder: tempfile::tempdir().unwrap(),
    }
}

impl Film {
    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    pub fn promise(&mut self, mut promise: Deliverable) {
        promise.file = self.folder.path().join(&promise.file);
        self.session.deliverables.push(promise);
    }

    /// Everything under the folder, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                found.push(
                    path.strip_prefix(self.folder.path())
                        .unwrap()
                        .to_str()
                        .unwrap()
                        .to_owned(),
                );
                if path.is_dir() {
                    folders.push(path);
                }
            }
        }
        found.sort();
        found
    }

    pub fn length(&self) -> Frames {
        Plan::compile(&self.session).unwrap().length()
    }
}

/// The audio of a WAVE file, byte for byte. The headers of a delivered file and a single mix differ: only
/// the first states its loudness.
pub fn audio(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    let start = bytes.windows(4).position(|id| id == b"data").unwrap();
    bytes[start..].to_vec()
}

/// The samples of a file as the integers they are.
pub fn integers(path: &Path) -> Vec<i64> {
    hound::WavReader::open(path)
        .unwrap()
        .into_samples::<i32>()
        .map(|s| i64::from(s.unwrap()))
        .collect()
}

#[test]
fn stems_in_memory_add_up_to_the_mix_bit_for_bit() {
    let film = film();
    let all = [film.music, film.speech, film.hall];
    let end = film.length().0;
    for range in [
        0..end,
        0..1,
        9_999..10_001,
        16_383..16_385,
        20_000..61_234,
        end - 1..end + 3000,
    ] {
        let range = Frames(range.start)..Frames(range.end);
        let stems = film.session.render_stems(&all, range.clone()).unwrap();
        same_bits(&added(&stems), &film.session.render(range).unwrap());
    }
    // Ranges of a stem are cuts of the whole.
    let whole = film
        .session
        .render_stems(&all, Frames(0)..Frames(end))
        .unwrap();
    let parts = [0, 1, 10_000, 33_333, 62_001, end];
    for (a, b) in parts.iter().zip(&parts[1..]) {
        for (part, whole) in film
            .session
            .render_stems(&all, Frames(*a)..Frames(*b))
            .unwrap()
            .iter()
            .zip(&whole)
        {
            let cut: Vec<Vec<f64>> = whole
                .iter()
                .map(|c| c[*a as usize..*b as usize].to_vec())
                .collect();
            same_bits(part, &cut);
        }
    }
}

#[test]
fn files_of_stems_null_to_within_their_rounding() {
    for (format, bits) in [
        (Format::WAV_16, 16),
        (Format::WAV_24, 24),
        (Format::WAV_32, 32),
    ] {
        let mut film = film();
        let buses = [film.music, film.speech, film.hall];
        film.promise(Deliverable::new("full", "mix.wav").format(format));
        film.promise(
            Deliverable::new("stems", "{bus}.wav")
                .format(format)
                .stems(buses),
        );
        let done = Delivery::new().run(&film.session).unwrap();
        assert_eq!((done.renders, done.passed()), (1, true));
        let null = done.deliverables[1].null_test.clone().unwrap();
        assert!(
            null.read_back && null.mix.as_deref() == Some("full"),
            "{null:?}"
        );
        // Four halves of a step, since the mix is rounded too: 20 log10(4) - 20 log10(2) bits.
        let within = 20.0 * 4f64.log10() - 20.0 * 2f64.log10() * f64::from(bits);
        assert!((null.within_dbfs.unwrap() - within).abs() < 1e-9);
        let residue = null.residue_dbfs.unwrap();
        println!("3 stems of {format} null to {residue:.1} dBFS, rounding is {within:.1} dBFS");
        assert!(
            null.passed && residue <= within + 1e-9 && residue > within - 6.1,
            "{residue} {within}"
        );
        // And read back by another reader: at most two steps, and the residue is their number.
        let mix = integers(&film.path("mix.wav"));
        let stems =
            ["music", "speech", "hall"].map(|bus| integers(&film.path(&format!("{bus}.wav"))));
        let off = (0..mix.len())
            .map(|i| (stems.iter().map(|s| s[i]).sum::<i64>() - mix[i]).abs())
            .max();
        assert!((1..=2).contains(&off.unwrap()), "{off:?}");
        let steps = 10f64.powf(residue / 20.0) * 2f64.powi(bits - 1);
        assert!(
            (steps - off.unwrap() as f64).abs() < 1e-9,
            "{steps} {off:?}"
        );
        assert_eq!(mix.len() as u64, 2 * film.length().0);
    }
    // Floats round by their own size: each by a 2^24th part at most.
    let mut film = film();
    let buses = [film.music, film.speech, film.hall];
    film.promise(
        Deliverable::new("stems", "{bus}.wav")
            .format(Format::WAV_32F)
            .stems(buses),
    );
    let done = Delivery::new().run(&film.session).unwrap();
    let null = done.deliverables[0].null_test.clone().unwrap();
    assert!(
        null.passed && null.residue_dbfs.unwrap() < -150.0 && null.within_dbfs.unwrap() < -140.0,
        "{null:?}"
    );
}

#[test]
fn a_deliverable_solos_parts_in_place_of_those_of_the_session() {
    let mut film = film();
    let (music, speech) = (film.music, film.speech);
    let Ok(Selector::Cue(storm)) = film.session.part("cue.storm") else {
        panic!()
    };
    let plain = film.session.clone();
    film.session.bus_mut(speech).strip.solo = true;
    film.promise(Deliverable::new("music", "music.wav").solo(music));
    film.promise(Deliverable::new("storm", "storm.wav").solo(storm));
    film.promise(Deliverable::new("own", "own.wav"));
    let album = Deliverable::new("album", "{cue}.wav").album(true);
    film.promise(album.solo(music));
    Delivery::new().run(&film.session).unwrap();
    let soloed = |solo: &dyn Fn(&mut Session)| {
        let mut session = plain.clone();
        solo(&mut session);
        let path = film.path("alone.wav");
        Bounce::new().overwrite(true).run(&session, &path).unwrap();
        audio(&path)
    };
    let file = |name: &str| audio(&film.path(name));
    let of_music = |session: &mut Session| session.bus_mut(music).strip.solo = true;
    let of_storm = |session: &mut Session| {
        let tracks = &mut session.cue_mut(storm).tracks;
        tracks.iter_mut().for_each(|track| track.strip.solo = true);
    };
    assert!(file("music.wav") == soloed(&of_music));
    assert!(file("storm.wav") == soloed(&of_storm));
    assert!(file("own.wav") == soloed(&|session| session.bus_mut(speech).strip.solo = true));
    assert!(file("music.wav") != file("storm.wav") && file("music.wav") != file("own.wav"));
    let whole = |session: &mut Session| {
        *session = session.whole_cue(storm);
        session.bus_mut(music).strip.solo = true;
    };
    assert!(file("The Storm.wav") == soloed(&whole));
    for (solo, words) in [
        (Selector::Cue(storm), "solos a part of one cue in an album"),
        (Selector::Master, "solos the master, which has no solo"),
    ] {
        let mut session = plain.clone();
        session.deliverables = vec![
            Deliverable::new("x", film.path("x{cue}.wav"))
                .album(true)
                .solo(solo),
        ];
        let e = Delivery::new().run(&session).unwrap_err();
        assert!(e.to_string().contains(words), "{e}");
    }
}

#[test]
fn files_hold_what_a_bounce_writes() {
    let mut film = film();
    let (music, speech) = (film.music, film.speech);
    film.promise(Deliverable::new("full", "out/{title}.wav"));
    film.promise(
        Deliverable::new("m&e", "out/{title} M&E.wav")
            .format(Format::WAV_16)
            .mute(speech),
    );
    film.promise(
        Deliverable::new("stems", "out/stems/{nn} {bus}.wav")
            .format(Format::WAV_32F)
            .stems([music]),
    );
    film.promise(Deliverable::new("album", "album/{nn} {cue}.wav").album(true));
    let done = Delivery::new().run(&film.session).unwrap();
    let files: Vec<_> = done.deliverables.iter().flat_map(|d| &d.files).collect();
    let told: Vec<_> = files
        .iter()
        .map(|f| (f.content.as_str(), f.of.as_deref(), f.render))
        .collect();
    assert_eq!(
        told,
        [
            ("mix", None, 0),
            ("mix", None, 1),
            ("stem", Some("music"), 0),
            ("cue", Some("The Storm"), 2),
            ("cue", Some("titles"), 3)
        ]
    );
    let names = [
        "album",
        "album/01 The Storm.wav",
        "album/02 titles.wav",
        "out",
        "out/Reel M&E.wav",
        "out/Reel.wav",
        "out/stems",
        "out/stems/01 music.wav",
    ];
    assert_eq!(film.names(), names);

    let alone = |session: &Session, format: Format| {
        let path = film.path("alone.wav");
        Bounce::new()
            .format(format)
            .overwrite(true)
            .run(session, &path)
            .unwrap();
        audio(&path)
    };
    let file = |name: &str| audio(&film.path(name));
    assert!(file("out/Reel.wav") == alone(&film.session, Format::WAV_24));
    let mut quiet = film.session.clone();
    quiet.bus_mut(speech).strip.mute = true;
    assert!(file("out/Reel M&E.wav") == alone(&quiet, Format::WAV_16));
    for (cue, name) in [
        ("cue.storm", "album/01 The Storm.wav"),
        ("cue.titles", "album/02 titles.wav"),
    ] {
        let Ok(Selector::Cue(cue)) = film.session.part(cue) else {
            panic!()
        };
        assert!(
            file(name) == alone(&film.session.whole_cue(cue), Format::WAV_24),
            "{name}"
        );
    }
    // A stem is what its bus gives: f64 rounded to the nearest f32.
    let all = Frames(0)..film.length();
    let want = film
        .session
        .render_stems(&[music], all)
        .unwrap()
        .swap_remove(0);
    let got: Vec<f32> = hound::WavReader::open(film.path("out/stems/01 music.wav"))
        .unwrap()
        .into_samples()
        .map(Result::unwrap)
        .collect();
    for (ch, want) in want.iter().enumerate() {
        assert!(
            got.iter().skip(ch).step_by(2).eq(want
                .iter()
                .map(|x| *x as f32)
                .collect::<Vec<_>>()
                .iter())
        );
    }
    let text = done.to_string();
    assert!(text.ends_with("s: 5 files of 4 renders"), "{text}");
}

#[test]
fn one_render_serves_all_that_can_share_it() {
    let film = film();
    film.session.bounce(film.path("x.wav")).unwrap();
    let once = film.opens.so_far();
    let opens_of = |promises: &[Deliverable]| {
        // The ids of the promises are valid for clones of the session.
        let mut session = film.session.clone();
        session
            .deliverables
            .extend(promises.iter().cloned().map(|mut promise| {
                promise.file = film.path("").join(&promise.file);
                promise
            }));
        let done = Delivery::new().overwrite(true).run(&session).unwrap();
        (film.opens.so_far(), done.renders)
    };
    let (music, speech, hall) = (film.music, film.speech, film.hall);
    let full = Deliverable::new("full", "full.wav");
    let small = Deliverable::new("small", "small.wav").format(Format::WAV_16);
    let stems = Deliverable::new("stems", "{bus}.wav").stems([music, speech, hall]);
    let other = Deliverable::new("floats", "f {bus}.wav")
        .stems([music])
        .format(Format::WAV_32F);
    let m_e = Deliverable::new("m&e", "m&e.wav").mute(speech);
    let dub = Deliverable::new("dub", "dub.wav").lang("de");
    assert_eq!(opens_of(std::slice::from_ref(&full)), (once, 1));
    assert_eq!(
        opens_of(&[full.clone(), small.clone(), stems.clone(), other]),
        (once, 1)
    );
    // A language that no stem speaks is no other mix.
    assert_eq!(opens_of(&[full.clone(), dub]), (once, 1));
    // Other mutes are; what is muted is looked at, but not opened again to be read.
    let (opened, renders) = opens_of(&[full.clone(), m_e.clone()]);
    assert_eq!((opened, renders), (2 * once - 1, 2));
    let m_e_stems = Deliverable::new("m&e stems", "m&e {bus}.wav")
        .mute(speech)
        .stems([music]);
    assert_eq!(
        opens_of(&[full.clone(), m_e, stems, m_e_stems]),
        (2 * once - 1, 2)
    );
    // Albums of the same mutes share their cues; each cue is its own timeline.
    let album = Deliverable::new("album", "{cue}.wav").album(true);
    let small_album = Deliverable::new("small album", "16 {cue}.wav")
        .album(true)
        .format(Format::WAV_16);
    assert_eq!(opens_of(std::slice::from_ref(&album)).1, 2);
    assert_eq!(
        opens_of(std::slice::from_ref(&album)),
        opens_of(&[album, small_album])
    );
    // To fit means to listen first.
    let fit = LoudnessTarget::new(Lufs(-20.0));
    assert_eq!(
        opens_of(&[full.loudness(fit.clone()).fit(true), small]).1,
        2
    );
}

#[test]
fn what_does_not_add_up_is_said() {
    let said = |change: &dyn Fn(&mut Film), buses: &dyn Fn(&Film) -> Vec<BusId>| {
        let mut film = film();
        change(&mut film);
        let stems = buses(&film);
        film.promise(Deliverable::new("stems", "{bus}.wav").stems(stems));
        let done = Delivery::new().run(&film.session).unwrap();
        let stems = done.deliverables[0].clone();
        assert!(stems.warnings.iter().all(|w| w.kind.code() == "W119"));
        let texts = stems
            .warnings
            .iter()
            .map(|w| w.text().replace("deliverable \"stems\": its stems ", ""));
        (texts.collect::<Vec<_>>(), stems.null_test.map(|n| n.passed))
    };
    let all = |f: &Film| vec![f.music, f.speech, f.hall];
    assert_eq!(said(&|_| {}, &all), (vec![], Some(true)));
    let gap = "do not add up to the mix: bus \"hall\" is in the mix and in none of them";
    assert_eq!(
        said(&|_| {}, &|f| vec![f.speech, f.music]),
        (vec![gap.to_owned()], None)
    );
    let strings = |f: &Film| match f.session.part("bus.strings") {
        Ok(Selector::Bus(id)) => id,
        other => panic!("{other:?}"),
    };
    let nested = "do not add up to the mix: bus \"strings\" is heard inside bus \"music\"";
    assert_eq!(
        said(&|_| {}, &|f| vec![strings(f), f.music, f.speech, f.hall]),
        (vec![nested.to_owned()], None)
    );
    let loose = |f: &mut Film| f.session.tracks_mut()[0].strip.to = None;
    let gap = "do not add up to the mix: track \"dialogue\" and bus \"hall\" are in the mix and in none of them";
    assert_eq!(
        said(&loose, &|f| vec![f.music, f.speech]),
        (vec![gap.to_owned()], None)
    );
    let faded = |f: &mut Film| f.session.master.gain = Decibels(-1.0);
    let before = "add up to the mix before the master, which has a gain of -1.0 dB";
    assert_eq!(said(&faded, &all), (vec![before.to_owned()], Some(true)));
    // What is muted is missed by nobody.
    let hush = |f: &mut Film| f.session.bus_mut(f.hall).strip.mute = true;
    assert_eq!(
        said(&hush, &|f| vec![f.music, f.speech]),
        (vec![], Some(true))
    );
}

#[test]
fn stems_of_a_mix_that_was_turned_fail_its_null_test() {
    let run = |as_it_is: bool, limit: Option<f64>| {
        let mut film = film();
        film.session.master.limit = limit.map(Dbtp);
        let buses = [film.music, film.speech, film.hall];
        let target = LoudnessTarget::new(Lufs(-30.0));
        film.promise(Deliverable::new("stems", "{bus}.wav").stems(buses));
        film.promise(
            Deliverable::new("web", "web.wav")
                .loudness(target)
                .fit(true),
        );
        if as_it_is {
            film.promise(Deliverable::new("full", "full.wav"));
        }
        let done = Delivery::new().run(&film.session).unwrap();
        let gain = done.deliverables[1].gain_db;
        assert!(gain.abs() > 1.0, "{gain}");
        let stems = done.deliverables[0].clone();
        let texts: Vec<_> = stems.warnings.iter().map(|w| w.text()).collect();
        (stems.null_test.clone().unwrap(), texts, gain, film)
    };
    let (null, texts, gain, film) = run(false, None);
    let way = if gain < 0.0 { "lower" } else { "higher" };
    let turned = format!(
        "deliverable \"stems\": its stems do not add up to deliverable \"web\", whose gain is {:.2} dB {way}; gain_of = \"web\" gives them the same",
        gain.abs()
    );
    assert_eq!(texts, [turned.as_str()]);
    assert!(!null.passed && !null.before_master, "{null:?}");
    // The residue is that of the files: what the gain changed, but for their rounding.
    let web = integers(&film.path("web.wav"));
    let stems = ["music", "speech", "hall"].map(|bus| integers(&film.path(&format!("{bus}.wav"))));
    let most = (0..web.len())
        .map(|i| (stems.iter().map(|s| s[i]).sum::<i64>() - web[i]).abs())
        .max()
        .unwrap();
    let residue = 2f64.powi(23) * 10f64.powf(null.residue_dbfs.unwrap() / 20.0);
    assert!((residue - most as f64).abs() <= 0.6, "{residue} {most}");
    // The gain of a mix through a limiter is before it, so stems add up to the mix before the master.
    let (null, texts, ..) = run(false, Some(-1.0));
    assert!(
        null.passed && null.before_master && texts.len() == 1,
        "{texts:?}"
    );
    // Where the mix is delivered as it is too, the stems add up to that.
    let (null, texts, ..) = run(true, None);
    assert!(null.passed && texts.is_empty(), "{texts:?}");
    let (null, texts, ..) = run(true, Some(-1.0));
    // A limiter that has nothing to do changes nothing.
    assert!(
        null.passed && null.read_back && texts.is_empty(),
        "{texts:?}"
    );
    let (null, texts, ..) = run(true, Some(-20.0));
    assert!(
        null.passed && null.before_master && texts.len() == 1,
        "{texts:?}"
    );
}

#[test]
fn a_mix_that_clips_fails_the_null_test_of_its_stems() {
    let mut film = film();
    let level = film.session.render(Frames(0)..film.length()).unwrap();
    let peak = level
        .iter()
        .flatten()
        .fold(0.0f64, |most, x| most.max(x.abs()));
    // Every bus alone stays below full scale; their sum does not.
    let gain = Decibels(-20.0 * peak.log10() + 0.5);
    for bus in [film.music, film.speech, film.hall] {
        let strip = &mut film.session.bus_mut(bus).strip;
        strip.gain = Decibels(strip.gain.0 + gain.0);
    }
    let buses = [film.music, film.speech, film.hall];
    let stems = || Deliverable::new("stems", "{bus}.wav").stems(buses);
    film.promise(Deliverable::new("full", "full.wav"));
    film.promise(stems());
    let done = Delivery::new().run(&film.session).unwrap();
    let null = done.deliverables[1].null_test.clone().unwrap();
    let residue = 10f64.powf(null.residue_dbfs.unwrap() / 20.0);
    let clipped = 10f64.powf(0.5 / 20.0) - 1.0;
    assert!(
        !null.passed && (residue - clipped).abs() < 0.01,
        "{residue} {clipped}"
    );
}

#[test]
fn a_stem_that_clips_fails_its_null_test() {
    let mut film = film();
    film.session.bus_mut(film.music).strip.gain = Decibels(30.0);
    let buses = [film.music, film.speech, film.hall];
    film.promise(Deliverable::new("stems", "{bus}.wav").stems(buses));
    let done = Delivery::new().run(&film.session).unwrap();
    assert!(!done.passed() && !done.deliverables[0].null_test.clone().unwrap().passed);
    let texts: Vec<_> = done.warnings().iter().map(|w| w.to_string()).collect();
    assert!(
        texts
            .iter()
            .any(|t| t.starts_with("W101 ") && t.contains("samples of stem \"music\" clipped")),
        "{texts:?}"
    );
}

#[test]
fn loudness_is_checked_and_fitted() {
    let (loud, soft) = (Lufs(-5.0), Lufs(-30.0));
    let target = |target: Lufs| {
        LoudnessTarget::new(target)
            .tolerance(0.1)
            .true_peak(Dbtp(-1.0))
    };
    let mut film = film();
    film.promise(
        Deliverable::new("plain", "plain.wav")
            .format(Format::WAV_32F)
            .loudness(target(loud)),
    );
    film.promise(
        Deliverable::new("soft", "soft.wav")
            .format(Format::WAV_32F)
            .loudness(target(soft))
            .fit(true),
    );
    film.promise(
        Deliverable::new("loud", "loud.wav")
            .format(Format::WAV_32F)
            .loudness(target(loud))
            .fit(true),
    );
    film.promise(
        Deliverable::new("album", "{cue}.wav")
            .album(true)
            .loudness(target(soft))
            .fit(true),
    );
    let done = Delivery::new().run(&film.session).unwrap();
    let [plain, soft, loud, album] = done.deliverables.as_slice() else {
        panic!()
    };
    assert!(!done.passed() && !plain.passed() && soft.passed() && album.passed());
    let own = plain.loudness.unwrap().integrated_lufs.unwrap();
    let peak = plain.true_peak.unwrap().true_peak_dbtp.unwrap();
    assert_eq!(Some(own), plain.files[0].report.mix.integrated_lufs);
    assert!(
        (soft.gain_db - (-30.0 - own)).abs() < 1e-9,
        "{}",
        soft.gain_db
    );
    let met = soft.loudness.unwrap().integrated_lufs.unwrap();
    // Powers of blocks are kept as f32: 10 log10(1 + 2^-24) is 2.6e-7 dB.
    assert!((met + 30.0).abs() < 1e-6, "{met:.12}");
    // The ceiling is nearer than the target: it holds, and the loudness is what that leaves.
    assert!(
        (loud.gain_db - (-1.0 - peak)).abs() < 1e-9,
        "{} {peak}",
        loud.gain_db
    );
    assert!(loud.true_peak.unwrap().passed, "{:?}", loud.true_peak);
    assert!(!loud.loudness.unwrap().passed);
    let short = -5.0 - loud.loudness.unwrap().integrated_lufs.unwrap();
    let text = format!("; the true peak allows no more, so it is {short:.1} LU below its loudness");
    let shown = done.to_string();
    assert!(short > 1.0 && shown.contains(&text), "{shown}");
    assert!(shown.contains("soft: gain") && shown.contains("fits it to its loudness"));
    // The same samples, times one gain.
    let floats = |name: &str| -> Vec<f32> {
        hound::WavReader::open(film.path(name))
            .unwrap()
            .into_samples()
            .map(Result::unwrap)
            .collect()
    };
    let gain = 10f64.powf(soft.gain_db / 20.0);
    let mix = film.session.render(Frames(0)..film.length()).unwrap();
    for (i, x) in floats("soft.wav").iter().enumerate() {
        let want = mix[i % 2][i / 2] * gain;
        assert!(
            (f64::from(*x) - want).abs() <= want.abs() * 2f64.powi(-23),
            "sample {i}"
        );
    }
    // One gain for all of the album: its cues stay to each other as they are.
    let cue = |name: &str| {
        let Ok(Selector::Cue(cue)) = film.session.part(name) else {
            panic!()
        };
        Bounce::new()
            .overwrite(true)
            .run(&film.session.whole_cue(cue), film.path("x.wav"))
            .unwrap()
            .mix
            .integrated_lufs
    };
    for (file, name) in album.files.iter().zip(["cue.storm", "cue.titles"]) {
        let raised = file
            .report
            .mix
            .integrated_lufs
            .zip(cue(name))
            .map(|(now, before)| now - before);
        assert!(
            raised.is_none_or(|r| (r - album.gain_db).abs() < 1e-6),
            "{name} {raised:?}"
        );
    }
    let text = done.to_string();
    assert!(
        text.contains("plain: loudness ") && text.contains("-5.0 LUFS within 0.1 LU: FAILED"),
        "{text}"
    );
}

#[test]
fn languages_are_stems_of_their_own() {
    let film = film();
    let wav = |name: &str, sample: i32| {
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 48_000,
            bits_per_sample: 24,
            sample_format: hound::SampleFormat::Int,
        };
        let mut file = hound::WavWriter::create(film.path(name), spec).unwrap();
        (0..1000).for_each(|_| file.write_sample(sample).unwrap());
        file.finalize().unwrap();
    };
    wav("dx_en.wav", 1000);
    wav("dx_de.wav", 2000);
    wav("music.wav", 70_000);
    let mut session = Session::new(HZ, Layout::Mono);
    session.add_track(Track::new("speech", film.path("dx_{lang}.wav")));
    session.add_track(Track::new("music", film.path("music.wav")));
    for lang in ["en", "de"] {
        session
            .deliverables
            .push(Deliverable::new(lang, film.path("mix {lang}.wav")).lang(lang));
    }
    let speech = session.part("track.speech").unwrap();
    session.deliverables.push(
        Deliverable::new("m&e", film.path("m&e.wav"))
            .lang("en")
            .mute(speech),
    );
    assert_eq!(Delivery::new().run(&session).unwrap().renders, 3);
    for (name, sample) in [
        ("mix en.wav", 71_000),
        ("mix de.wav", 72_000),
        ("m&e.wav", 70_000),
    ] {
        assert_eq!(integers(&film.path(name)), vec![sample; 1000], "{name}");
    }
    session
        .deliverables
        .push(Deliverable::new("fr", film.path("mix {lang}.wav")).lang("fr"));
    let refused = Delivery::new().overwrite(true).run(&session).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotFound);
    assert!(refused.to_string().contains("dx_fr.wav"), "{refused}");
    assert!(!film.path("mix fr.wav").exists());
}

#[test]
fn what_is_refused_leaves_nothing_and_opens_nothing() {
    let refused = |make: &dyn Fn(&mut Film), only: &[&str]| {
        let mut film = film();
        make(&mut film);
        let before = film.names();
        let delivery = || Delivery::new().only(only.iter().copied());
        let e = delivery().run(&film.session).unwrap_err();
        assert_eq!(film.names(), before);
        assert_eq!(film.opens.so_far(), 0, "{e}");
        assert_eq!(
            delivery().check(&film.session).unwrap_err().to_string(),
            e.to_string()
        );
        assert_eq!(film.names(), before);
        (
            e.kind(),
            e.to_string()
                .replace(&format!("{}/", film.folder.path().display()), ""),
        )
    };
    let full = |f: &mut Film| f.promise(Deliverable::new("full", "out/deep/mix.wav"));
    assert_eq!(
        refused(&|_| {}, &[]),
        (ErrorKind::Session, "the session has no deliverables".into())
    );
    let near = "there is no deliverable \"ful\"; did you mean \"full\"?";
    assert_eq!(refused(&full, &["ful"]), (ErrorKind::Session, near.into()));
    let exists = |f: &mut Film| {
        f.promise(Deliverable::new("new", "out/new.wav"));
        f.promise(Deliverable::new("full", "there.wav"));
        fs::write(f.path("there.wav"), "precious").unwrap();
    };
    let there = "there.wav: exists already";
    assert_eq!(refused(&exists, &[]), (ErrorKind::Output, there.into()));
    let twice = |f: &mut Film| {
        f.promise(Deliverable::new("a", "out/mix.wav"));
        f.promise(Deliverable::new("b", "out/x/../mix.wav").format(Format::WAV_16));
    };
    let both = "deliverable \"b\": out/x/../mix.wav: is written by deliverable \"a\" too";
    assert_eq!(refused(&twice, &[]), (ErrorKind::Output, both.into()));
    let album = |f: &mut Film| f.promise(Deliverable::new("album", "out/x.wav").album(true));
    let twice = "deliverable \"album\": out/x.wav: would be written twice";
    assert_eq!(refused(&album, &[]), (ErrorKind::Output, twice.into()));
    let in_a_file = |f: &mut Film| {
        fs::write(f.path("file"), "").unwrap();
        f.promise(Deliverable::new("a", "file/mix.wav"));
    };
    assert_eq!(refused(&in_a_file, &[]).0, ErrorKind::Output);
    let csv = |f: &mut Film| f.promise(Deliverable::new("sheet", "out/cues.csv"));
    let named = "deliverable \"sheet\": file: a WAV file is written, so its extension cannot be .csv: name it cues.wav";
    assert_eq!(refused(&csv, &[]), (ErrorKind::Session, named.into()));
    let fit = LoudnessTarget::new(Lufs(-20.0));
    let stems = |f: &mut Film| {
        let music = f.music;
        f.promise(
            Deliverable::new("stems", "{bus}.wav")
                .stems([music])
                .loudness(fit.clone())
                .fit(true),
        );
    };
    let (kind, text) = refused(&stems, &[]);
    assert!(
        kind == ErrorKind::Session && text.ends_with("fit the mix instead"),
        "{text}"
    );
}

#[test]
fn an_input_is_never_written_over() {
    let mut film = film();
    film.session.bounce(film.path("in.wav")).unwrap();
    let path = film.path("in.wav");
    film.session.add_track(Track::new("printed", path));
    film.promise(Deliverable::new("other", "out/other.wav"));
    film.promise(Deliverable::new("full", "in.wav"));
    let before = fs::read(film.path("in.wav")).unwrap();
    let e = Delivery::new()
        .overwrite(true)
        .run(&film.session)
        .unwrap_err();
    assert!(
        e.kind() == ErrorKind::Output && e.to_string().contains("is one of the inputs"),
        "{e}"
    );
    assert!(fs::read(film.path("in.wav")).unwrap() == before);
    assert_eq!(film.names(), ["in.wav"]);
}

#[test]
fn all_files_or_none() {
    let mut film = film();
    let (music, speech) = (film.music, film.speech);
    fs::write(film.path("full.wav"), "old").unwrap();
    film.promise(Deliverable::new("full", "full.wav"));
    film.promise(Deliverable::new("stems", "stems/{bus}.wav").stems([music, speech]));
    film.promise(Deliverable::new("album", "album/{cue}.wav").album(true));
    let delivery = || Delivery::new().overwrite(true);
    // Stopped at every block, the last one too.
    let mut blocks = 0;
    let mut last = (Frames(0), Frames(0));
    let count = |p: soundtrack::Progress| {
        blocks += 1;
        assert!(p.done > last.0 && p.done <= p.total && (last.1 == Frames(0) || p.total == last.1));
        last = (p.done, p.total);
        ControlFlow::Continue(())
    };
    delivery().progress(count).run(&film.session).unwrap();
    assert!(blocks >= 3 && last.0 == last.1, "{blocks} {last:?}");
    let all = film.names();
    for name in [
        "stems/music.wav",
        "stems/speech.wav",
        "album/The Storm.wav",
        "album/titles.wav",
    ] {
        fs::remove_file(film.path(name)).unwrap();
    }
    fs::remove_dir(film.path("stems")).unwrap();
    fs::remove_dir(film.path("album")).unwrap();
    fs::write(film.path("full.wav"), "old").unwrap();
    for stop in 1..=blocks {
        let mut left = stop;
        let watch = |_| {
            left -= 1;
            if left == 0 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        assert_eq!(
            delivery()
                .progress(watch)
                .run(&film.session)
                .unwrap_err()
                .kind(),
            ErrorKind::Cancelled
        );
        assert_eq!(film.names(), ["full.wav"]);
        assert_eq!(fs::read(film.path("full.wav")).unwrap(), b"old");
    }
    // A cue whose stem fails at its end takes the mix with it, which was complete by then.
    let broken = Opener::new("broken", || {
        let memory = stem(1, 48_000, Layout::Mono, 500);
        Ok(Box::new(memory))
    });
    film.session.add_cue(
        Cue::new("broken").track(Track::of("x").clip(Clip::new(broken).layout(Layout::Stereo))),
    );
    assert_eq!(
        delivery().run(&film.session).unwrap_err().kind(),
        ErrorKind::Session
    );
    film.session.cues_mut()[2].tracks[0].clips[0].layout = None;
    delivery().run(&film.session).unwrap();
    let with: Vec<String> = film
        .names()
        .into_iter()
        .filter(|n| n != "album/broken.wav")
        .collect();
    assert_eq!(with, all);
}

#[test]
fn stems_are_taken_before_the_limiter_at_their_own_frames() {
    let mut film = film();
    let all = [film.music, film.speech, film.hall];
    let whole = Frames(0)..film.length();
    let open = film.session.render(whole.clone()).unwrap();
    film.session.master.limit = Some(Dbtp(-20.0));
    assert!(
        film.session.render(whole.clone()).unwrap() != open,
        "it limits"
    );
    let stems = film.session.render_stems(&all, whole).unwrap();
    same_bits(&added(&stems), &open);
    for range in [1..2, 12_345..70_000, 69_999..70_000] {
        let parts = film
            .session
            .render_stems(&all, Frames(range.start)..Frames(range.end))
            .unwrap();
        for (part, whole) in parts.iter().zip(&stems) {
            let cut = |c: &Vec<f64>| c[range.start as usize..range.end as usize].to_vec();
            same_bits(part, &whole.iter().map(cut).collect::<Vec<_>>());
        }
    }
    film.promise(Deliverable::new("full", "full.wav"));
    film.promise(Deliverable::new("stems", "{bus}.wav").stems(all));
    let done = Delivery::new().run(&film.session).unwrap();
    let stems = &done.deliverables[1];
    let before = "deliverable \"stems\": its stems add up to the mix before the master, which has a limit of -20.0 dBTP";
    assert_eq!(
        stems.warnings.iter().map(|w| w.text()).collect::<Vec<_>>(),
        [before]
    );
    assert!(stems.null_test.clone().unwrap().passed && done.renders == 1);
    film.session.bounce(film.path("alone.wav")).unwrap();
    assert!(audio(&film.path("full.wav")) == audio(&film.path("alone.wav")));
}

#[test]
fn the_dither_of_the_master_is_for_the_mix_and_not_for_stems() {
    let mut film = film();
    let all = [film.music, film.speech, film.hall];
    film.session.master.dither = Some(encode::Dither::default());
    film.promise(Deliverable::new("full", "full.wav").format(Format::WAV_16));
    film.promise(
        Deliverable::new("stems", "{bus}.wav")
            .format(Format::WAV_16)
            .stems(all),
    );
    film.promise(
        Deliverable::new("noisy", "n {bus}.wav")
            .format(Format::WAV_16)
            .stems(all)
            .dither(encode::Dither::default()),
    );
    let done = Delivery::new().run(&film.session).unwrap();
    let dithers: Vec<_> = done
        .deliverables
        .iter()
        .map(|d| d.files[0].report.dither.as_deref())
        .collect();
    assert_eq!(dithers, [Some("white"), None, Some("white")]);
    // Errors at most: half a step for a stem, one and a half with dither, and that of the mix.
    for (deliverable, steps) in [(1, 3.0 * 0.5 + 1.5), (2, 3.0 * 1.5 + 1.5)] {
        let null = done.deliverables[deliverable].null_test.clone().unwrap();
        let within = 10f64.powf(null.within_dbfs.unwrap() / 20.0) * 32_768.0;
        assert!(null.passed && (within - steps).abs() < 1e-9, "{null:?}");
    }
    Bounce::new()
        .format(Format::WAV_16)
        .run(&film.session, film.path("alone.wav"))
        .unwrap();
    assert!(audio(&film.path("full.wav")) == audio(&film.path("alone.wav")));
}

#[test]
fn threads_change_no_byte() {
    let mut film = film();
    let (music, hall) = (film.music, film.hall);
    film.promise(Deliverable::new("full", "full.wav"));
    film.promise(Deliverable::new("stems", "{bus}.wav").stems([music, hall]));
    let bytes = |threads| {
        Delivery::new()
            .overwrite(true)
            .threads(threads)
            .run(&film.session)
            .unwrap();
        ["full.wav", "music.wav", "hall.wav"].map(|name| fs::read(film.path(name)).unwrap())
    };
    let alone = bytes(1);
    assert!(alone == bytes(2) && alone == bytes(5));
}
