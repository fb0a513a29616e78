//! Side-chain keys: what steers a processor comes from another strip at the same frame, whatever looks ahead on either way.

use crate::processors::built_in;
use soundtrack::{
    Bus, Clip, Cue, Decibels, ErrorKind, Frames, Insert, Layout, Load, Plan, SampleRate, Session,
    Spec, Track, media::Memory,
};
use soundtrack_test_support::renders::{length, rendered, same_bits, streamed};

const RATE: SampleRate = SampleRate::HZ_48000;

/// Frames between the positions at which recursive processors restart.
const GRID: u64 = 1 << 20;

fn mono(samples: Vec<f64>) -> Memory {
    let spec = Spec {
        rate: RATE,
        layout: Layout::Mono,
    };
    Memory::new(spec, vec![samples]).unwrap()
}

/// −12 dB, down over 480 frames, held for 960, up over 2,400.
fn ducker() -> Insert {
    let values = [
        ("depth", -12.0),
        ("threshold", -40.0),
        ("attack", 0.01),
        ("hold", 0.02),
        ("release", 0.05),
    ];
    built_in("ducker", &values)
}

/// Music of a constant 0.5 under a ducker, and a voice from frame 5,000 to 8,000 on a bus.
fn podcast(ducker: Insert) -> Session {
    let mut mix = Session::new(RATE, Layout::Mono);
    let voices = mix.add_bus(Bus::new("voices"));
    let music = mix.add_bus(Bus::new("music").insert(ducker.key(voices)));
    mix.add_track(Track::new("song", mono(vec![0.5; 20_000])).to(music));
    let mut voice = vec![0.0; 20_000];
    voice[5000..8000].fill(0.25);
    mix.add_track(Track::new("voice", mono(voice)).to(voices));
    mix
}

fn all(mix: &Session) -> Vec<f64> {
    rendered(mix, 4096, 1, 0..length(mix)).remove(0)
}

/// The mix of [`podcast`] by its formula.
fn expected(frame: usize) -> f64 {
    let f = frame as f64 + 1.0;
    let (gain, voice) = match frame {
        0..5000 => (0.0, 0.0),
        5000..5480 => (-12.0 * (f - 5000.0) / 480.0, 0.25),
        5480..8000 => (-12.0, 0.25),
        8000..8960 => (-12.0, 0.0),
        8960..11_360 => (-12.0 * (1.0 - (f - 8960.0) / 2400.0), 0.0),
        _ => (0.0, 0.0),
    };
    0.5 * 10f64.powf(gain / 20.0) + voice
}

#[track_caller]
fn assert_expected(out: &[f64]) {
    assert_eq!(out.len(), 20_000);
    for (frame, sample) in out.iter().enumerate() {
        let want = expected(frame);
        assert!(
            (sample - want).abs() < 1e-9,
            "frame {frame}: {sample} for {want}"
        );
    }
}

#[test]
fn music_goes_down_by_the_depth_while_the_voice_sounds() {
    assert_expected(&all(&podcast(ducker())));
}

#[test]
fn a_key_is_at_its_frame_whatever_looks_ahead_before_it_and_beside_it() {
    let ahead = |frames: f64| {
        built_in(
            "compressor",
            &[("ratio", 1.0), ("lookahead", frames / 48_000.0)],
        )
    };
    for (voice, voices, before, after, song) in [
        (400.0, 0.0, 0.0, 0.0, 0.0),
        (0.0, 0.0, 300.0, 0.0, 0.0),
        (37.0, 55.0, 300.0, 20.0, 0.0),
        (10.0, 3.0, 0.0, 5.0, 900.0),
    ] {
        let mut mix = podcast(ducker());
        mix.tracks_mut()[1].strip.inserts.push(ahead(voice));
        mix.tracks_mut()[0].strip.inserts.push(ahead(song));
        mix.buses_mut()[0].strip.inserts.push(ahead(voices));
        let music = &mut mix.buses_mut()[1].strip.inserts;
        music.insert(0, ahead(before));
        music.push(ahead(after));
        assert_expected(&all(&mix));
        same_bits(&[all(&mix)], &streamed(&mix, 333, 2));
    }
}

#[test]
fn a_track_can_be_keyed_by_a_track_and_waits_for_its_look_ahead() {
    let mut mix = Session::new(RATE, Layout::Mono);
    let mut voice = vec![0.0; 20_000];
    voice[5000..8000].fill(0.25);
    let voice = Track::new("voice", mono(voice));
    let ahead = built_in("compressor", &[("ratio", 1.0), ("lookahead", 0.01)]);
    let voice = mix.add_track(voice.insert(ahead));
    mix.add_track(Track::new("song", mono(vec![0.5; 20_000])).insert(ducker().key(voice)));
    assert_expected(&all(&mix));
    for at in [1u64, 4999, 5001, 8000, 12_000] {
        let part = rendered(&mix, 100, 1, at..20_000);
        same_bits(&[all(&mix)[at as usize..].to_vec()], &part);
    }
}

#[test]
fn look_ahead_brings_the_duck_before_the_voice() {
    let mix = podcast(ducker().set("lookahead", 0.01).unwrap());
    let out = all(&mix);
    // 480 frames earlier: down when the voice begins.
    assert!((out[5000] - 0.25 - 0.5 * 10f64.powf(-12.0 / 20.0)).abs() < 1e-3);
    assert_eq!(out[4519], 0.5);
    assert!(out[4520] < 0.5);
}

#[test]
fn a_key_that_is_not_heard_is_silence_and_without_a_key_no_bit_changes() {
    let plain = {
        let mut mix = podcast(ducker());
        mix.buses_mut()[1].strip.inserts.clear();
        mix.buses_mut()[0].strip.mute = true;
        all(&mix)
    };
    let mut muted = podcast(ducker());
    muted.buses_mut()[0].strip.mute = true;
    same_bits(std::slice::from_ref(&plain), &[all(&muted)]);
    let mut soloed = podcast(ducker());
    soloed.buses_mut()[1].strip.solo = true;
    same_bits(std::slice::from_ref(&plain), &[all(&soloed)]);
    let mut unkeyed = podcast(ducker());
    unkeyed.buses_mut()[1].strip.inserts[0].key = None;
    unkeyed.buses_mut()[0].strip.mute = true;
    same_bits(&[plain], &[all(&unkeyed)]);
}

#[test]
fn a_chain_of_filter_compressor_and_ducker_gives_the_same_bits_wherever_a_render_starts() {
    let frames = 2 * GRID as usize + 60_000;
    let noise = |seed: u64, n: usize| soundtrack_test_support::renders::noise(seed, 0, n as u64);
    let mut mix = Session::new(RATE, Layout::Mono);
    let voice = (0..frames).map(|n| {
        if n / 50_000 % 2 == 0 {
            0.2 * noise(1, n)
        } else {
            0.0
        }
    });
    let voice = mix.add_track(Track::new("voice", mono(voice.collect())));
    let music = (0..frames).map(|n| 0.5 * noise(2, n)).collect();
    mix.add_track(
        Track::new("music", mono(music))
            .insert(built_in("highpass", &[("freq", 80.0), ("slope", 24.0)]))
            .insert(built_in(
                "compressor",
                &[("threshold", -20.0), ("lookahead", 0.002)],
            ))
            .insert(ducker().key(voice)),
    );
    let end = length(&mix);
    let whole = rendered(&mix, 16_384, 2, 0..end);
    for at in [
        1,
        49_999,
        700_000,
        GRID - 1,
        GRID,
        GRID + 1,
        2 * GRID - 90,
        2 * GRID + 3,
    ] {
        let to = (at + 3000).min(end);
        let part = rendered(&mix, 777, 1, at..to);
        same_bits(&[whole[0][at as usize..to as usize].to_vec()], &part);
    }
}

#[test]
fn keys_that_close_a_circle_and_wrong_keys_are_refused() {
    let mut mix = Session::new(RATE, Layout::Mono);
    let inner = mix.add_bus(Bus::new("inner"));
    let outer = mix.add_bus(Bus::new("outer"));
    mix.buses_mut()[0].strip.to = Some(outer);
    mix.buses_mut()[0].strip.inserts.push(ducker().key(outer));
    mix.add_track(Track::new("t", mono(vec![0.5; 10])).to(inner));
    let refused = Plan::compile(&mix).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Session);
    assert_eq!(
        refused.to_string(),
        "side-chain keys close a circle: bus.inner -> bus.outer -> bus.inner; a strip cannot be steered by what it feeds"
    );
    let mut mix = Session::new(RATE, Layout::Mono);
    let track = |name: &str| Track::new(name, mono(vec![0.5; 10]));
    let a = mix.add_track(track("a"));
    let b = mix.add_track(track("b").insert(ducker().key(a)));
    mix.tracks_mut()[0].strip.inserts.push(ducker().key(b));
    let refused = Plan::compile(&mix).unwrap_err().to_string();
    let circle = "side-chain keys close a circle: track.a -> track.b -> track.a; ";
    assert!(refused.starts_with(circle), "{refused}");
    let mut mix = Session::new(RATE, Layout::Mono);
    let track = mix.add_track(Track::new("t", mono(vec![0.5; 10])));
    mix.master
        .inserts
        .push(Insert::trim(Decibels(0.0)).key(track));
    let refused = Plan::compile(&mix).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the master: insert \"trim\": a trim takes no key"
    );
}

#[test]
fn a_session_file_names_a_key_and_is_written_as_it_is_read() {
    const TEXT: &str = r#"rate = 48000

[track.voice]
file = "voice.wav"

[track.song]
file = "song.wav"

[track.song.insert]
duck = { type = "ducker", key = "track.voice", depth = -10 }
"#;
    let session = Load::default().text(TEXT, "s.toml").unwrap();
    let insert = &session.tracks()[1].strip.inserts[0];
    assert_eq!(insert.key, Some(session.part("track.voice").unwrap()));
    for name in ["s.toml", "s.json"] {
        let text = session.to_text(name).unwrap();
        let again = Load::default().text(text.clone(), name).unwrap();
        assert_eq!(
            again.tracks()[1].strip.inserts,
            std::slice::from_ref(insert),
            "{text}"
        );
    }
    for (wrong, told) in [
        (
            "track.vioce",
            "there is no track \"vioce\"; did you mean \"voice\"?",
        ),
        ("bus.voice", "there is no bus \"voice\""),
        (
            "voice",
            "key is voice, but should be \"track.NAME\" or \"bus.NAME\"",
        ),
    ] {
        let text = TEXT.replace("track.voice\"", &format!("{wrong}\""));
        let refused = Load::default()
            .text(&text, "s.toml")
            .unwrap_err()
            .to_string();
        assert!(
            refused.contains("s.toml:10:") && refused.contains(told),
            "{refused}"
        );
    }
    let text = TEXT.replace("depth = -10", "depth = -10, freq = 3");
    let refused = Load::default()
        .text(&text, "s.toml")
        .unwrap_err()
        .to_string();
    assert!(refused.contains("unknown key \"freq\""), "{refused}");
    let text = TEXT.replace(
        "type = \"ducker\", key = \"track.voice\", depth = -10",
        "type = \"lowpass\", freq = 24000",
    );
    let refused = Load::default()
        .text(&text, "s.toml")
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("not below half the sample rate of 48000 Hz"),
        "{refused}"
    );
}

/// Music of a constant 0.5 from frame 6,000 on, under a ducker that a voice from frame 0 to 7,000 steers, itself unheard.
fn entering(ducker: Insert, voice_to: usize) -> Session {
    let mut mix = Session::new(RATE, Layout::Mono);
    let voice = Track::new("voice", mono(vec![0.25; voice_to]));
    let voice = mix.add_track(voice);
    let mut music = vec![0.0; 6_000];
    music.resize(12_000, 0.5);
    let song = Clip::new(mono(music)).from(Frames(6_000)).at(Frames(6_000));
    mix.add_track(Track::of("song").clip(song).insert(ducker.key(voice)));
    mix
}

#[test]
fn a_key_that_sounds_before_the_strip_has_moved_the_gain_when_the_strip_begins() {
    // Down since frame 480, so the music enters at −12 dB and not at 0 dB.
    let out = all(&entering(ducker(), 7_000));
    let down = 10f64.powf(-12.0 / 20.0);
    for (frame, sum) in out.iter().enumerate().take(7_000).skip(6_000) {
        let got = sum - 0.25;
        assert!((got - 0.5 * down).abs() < 1e-12, "frame {frame}: {got}");
    }
    // The voice ends 1,000 frames before the music: its hold of 960 is over, 40 of 2,400 frames of the release are done.
    let out = all(&entering(ducker(), 5_000));
    let gain = -12.0 * (1.0 - 41.0 / 2400.0);
    assert!((out[6_000] - 0.5 * 10f64.powf(gain / 20.0)).abs() < 1e-12);
    // A compressor of −20 dB and 2:1 has settled too: the voice at −12.04 dB is 7.96 dB over, which takes 3.98 dB.
    let compressor = built_in("compressor", &[("knee", 0.0), ("attack", 0.001)]);
    let out = all(&entering(compressor, 7_000));
    let gain = -(20.0 + 20.0 * 0.25f64.log10()) / 2.0;
    let want = 0.5 * 10f64.powf(gain / 20.0);
    let got = out[6_000] - 0.25;
    assert!((got - want).abs() < 1e-9, "{got}, not {want}");
    // A render that starts in the music gives the same bits.
    let mix = entering(ducker(), 7_000);
    same_bits(
        &rendered(&mix, 61, 1, 6_500..7_500),
        &[all(&mix)[6_500..7_500].to_vec()],
    );
}

#[test]
fn a_key_from_the_timeline_is_silence_in_a_whole_cue() {
    let mut mix = Session::new(RATE, Layout::Mono);
    let voice = mix.add_track(Track::new("voice", mono(vec![0.25; 5_000])));
    let music = mix.add_bus(Bus::new("music").insert(ducker().key(voice)));
    let song = Track::new("song", mono(vec![0.5; 5_000])).to(music);
    let cue = mix.add_cue(Cue::new("cue").track(song.insert(ducker().key(voice))));
    let whole = mix.whole_cue(cue);
    same_bits(
        &rendered(&whole, 4096, 1, 0..length(&whole)),
        &[vec![0.5; 5_000]],
    );
    // Its own signal would steer a compressor whose key is left out.
    let compressor = built_in("compressor", &[("threshold", -40.0)]);
    mix.master.inserts.push(compressor.key(voice));
    let whole = mix.whole_cue(cue);
    same_bits(
        &rendered(&whole, 4096, 1, 0..length(&whole)),
        &[vec![0.5; 5_000]],
    );
    assert_eq!(
        whole.to_text("s.toml").unwrap_err().to_string(),
        "the master: the key of insert \"compressor1\" is a track that this session leaves out, which a session file cannot state"
    );
}
