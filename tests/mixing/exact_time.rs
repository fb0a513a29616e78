//! Times that lie between two frames: exact fractions, multiplied and added before they are rounded once.

use soundtrack::{
    Bounce, Format, Frames, Layout, Load, Plan, SampleRate, Session, Spec, Track, media::Memory,
};
use std::path::Path;

/// Writes a stem whose frame n is (n + 1) / 32768.
fn counting(folder: &Path, hz: u32, frames: usize) {
    let spec = Spec {
        rate: SampleRate::new(hz).unwrap(),
        layout: Layout::Mono,
    };
    let mut session = Session::new(spec.rate, spec.layout);
    let samples = (1..=frames).map(|n| n as f64 / 32_768.0).collect();
    session.add_track(Track::new("x", Memory::new(spec, vec![samples]).unwrap()));
    Bounce::new()
        .format(Format::WAV_16)
        .run(&session, folder.join("x.wav"))
        .unwrap();
}

/// Reads a session beside a counting stem of 48 kHz, or of its own rate.
fn load(folder: &Path, text: &str) -> Session {
    Load::default().text(text, folder.join("s.toml")).unwrap()
}

/// Saves a session beside its stem, and returns the text.
fn saved(session: &Session, folder: &Path) -> String {
    let path = folder.join("t.toml");
    session.save(&path).unwrap();
    std::fs::read_to_string(path).unwrap()
}

/// Renders all of a session, as the numbers of the stem's frames: 0 is silence.
fn render(session: &Session) -> Vec<u64> {
    let length = Plan::compile(session).unwrap().length();
    let mix = session.render(Frames::ZERO..length).unwrap();
    mix[0]
        .iter()
        .map(|sample| (sample * 32_768.0).round() as u64)
        .collect()
}

/// Returns `(start + k · length) / of` frames, to the nearest, halves up.
fn nearest(numerator: u128, of: u128) -> usize {
    usize::try_from((2 * numerator + of) / (2 * of)).unwrap()
}

/// The frames of a loop from the exact start, in frames: `at / of + k · length / of`, each pass from frame `from` on.
fn looped(at: u128, length: u128, of: u128, from: u64, loops: u128) -> Vec<u64> {
    let mut out = vec![0; nearest(at, of)];
    for pass in 0..loops {
        let end = nearest(at + (pass + 1) * length, of);
        for n in 0.. {
            if out.len() == end {
                break;
            }
            out.push(from + n + 1);
        }
    }
    out
}

const HEAD: &str = "rate = 48000\nlayout = \"mono\"\n";

#[test]
fn a_loop_of_10_01_ms_ends_after_a_thousand_passes_at_480480() {
    let dir = tempfile::tempdir().unwrap();
    counting(dir.path(), 48_000, 600);
    // 480.48 frames in every notation that can say it.
    for length in ["10.01ms", "0.01001s", "0.010010000s", "0m0.01001s"] {
        let text = format!(
            "{HEAD}[track.x.clip]\na = {{ file = \"x.wav\", length = \"{length}\", loop = 1000 }}\n"
        );
        let session = load(dir.path(), &text);
        let plan = Plan::compile(&session).unwrap().to_string();
        assert!(plan.contains("[0..480.48] x1000"), "{plan}");
        let got = render(&session);
        assert_eq!(got.len(), 480_480, "{length}");
        assert_eq!(got, looped(0, 12_012, 25, 0, 1000), "{length}");
    }
}

#[test]
fn a_loop_of_picture_frames_does_not_drift() {
    let dir = tempfile::tempdir().unwrap();
    counting(dir.path(), 48_000, 2000);
    // One picture frame at 29.97 lasts 1601.6 frames at 48 kHz; 900 of them 1 441 440.
    let text = format!(
        "{HEAD}fps = \"29.97\"\n[track.x]\nfile = \"x.wav\"\nat = \"00:00:00:01\"\nfrom = \"1ms\"\nlength = \"00:00:00:01\"\nloop = 900\n"
    );
    let got = render(&load(dir.path(), &text));
    assert_eq!(got.len(), nearest(901 * 8008, 5));
    assert_eq!(got, looped(8008, 8008, 5, 48, 900));
}

#[test]
fn the_end_of_a_clip_is_its_exact_start_plus_its_exact_length() {
    let dir = tempfile::tempdir().unwrap();
    counting(dir.path(), 48_000, 600);
    // Ten clips that follow one another every 480.48 frames leave no gap and do not overlap.
    let mut text = format!("{HEAD}[track.x.clip]\n");
    for n in 0..10u32 {
        let at = f64::from(n * 1001) / 100.0;
        text += &format!("c{n} = {{ file = \"x.wav\", at = \"{at}ms\", length = \"10.01ms\" }}\n");
    }
    let got = render(&load(dir.path(), &text));
    assert_eq!(got, looped(0, 12_012, 25, 0, 10));
}

#[test]
fn a_clip_at_a_start_between_two_frames_ends_at_its_exact_end() {
    let dir = tempfile::tempdir().unwrap();
    counting(dir.path(), 48_000, 3000);
    // Picture frame 1 at 29.97 begins at 1601.6: the output begins at 1602, 0.4 frames behind it.
    for (length, end) in [
        ("00:00:00:01", 3203),
        ("0.00002s", 1603),
        ("0.00001s", 1602),
    ] {
        let text = format!(
            "{HEAD}fps = \"29.97\"\nstart = \"00:00:00:01\"\n[track.x]\nfile = \"x.wav\"\nat = \"00:00:00:01\"\nlength = \"{length}\"\n"
        );
        let plan = Plan::compile(&load(dir.path(), &text)).unwrap();
        assert_eq!(plan.length().0, end - 1602, "{length}");
    }
}

#[test]
fn a_use_of_a_cue_ends_at_its_exact_start_plus_its_exact_length() {
    let dir = tempfile::tempdir().unwrap();
    counting(dir.path(), 48_000, 3000);
    // Two uses that follow one another, each 480.48 frames long.
    let text = format!(
        "{HEAD}[cue.c]\nat = \"10.01ms\"\nlength = \"10.01ms\"\n[cue.c.track.x]\nfile = \"x.wav\"\n\
         [cue.c.use.again]\nat = \"20.02ms\"\nlength = \"10.01ms\"\nfrom = \"20ms\"\n"
    );
    let got = render(&load(dir.path(), &text));
    assert_eq!(got.len(), nearest(3 * 12_012, 25));
    let (first, second) = (nearest(12_012, 25), nearest(2 * 12_012, 25));
    assert!(got[..first].iter().all(|n| *n == 0));
    let counted = |from: u64, n: usize| (from..from + n as u64).collect::<Vec<_>>();
    assert_eq!(got[first..second], counted(1, second - first));
    assert_eq!(got[second..], counted(961, got.len() - second));
}

#[test]
fn a_crossfade_between_two_frames_needs_no_more_than_there_is() {
    let dir = tempfile::tempdir().unwrap();
    counting(dir.path(), 48_000, 3000);
    // The first clip ends at 480.4 frames, the crossfade from 380.6 lasts 99.8: rounded one by one it would end at 481.
    let text = format!(
        "{HEAD}[track.x.clip]\n\
         a = {{ file = \"x.wav\", length = \"10.008333333ms\" }}\n\
         b = {{ file = \"x.wav\", at = \"7.929166667ms\", length = \"20ms\", crossfade = \"2.079166666ms\" }}\n"
    );
    assert_eq!(render(&load(dir.path(), &text)).len(), 1341);
}

#[test]
fn a_stem_of_another_rate_is_looped_at_its_exact_length() {
    let dir = tempfile::tempdir().unwrap();
    counting(dir.path(), 44_100, 100);
    let frames = |loops: u32| {
        let text = format!("{HEAD}[track.x]\nfile = \"x.wav\"\nloop = {loops}\n");
        Plan::compile(&load(dir.path(), &text)).unwrap().length().0
    };
    // 108.84 frames at 48 kHz; the last pass lasts until the stem is silent.
    assert_eq!(frames(1), 109);
    assert_eq!(frames(2), 109 + 109);
    assert_eq!(frames(1000), 108_735 + 109);
}

#[test]
fn a_pass_is_silent_behind_the_end_of_the_stem() {
    let dir = tempfile::tempdir().unwrap();
    counting(dir.path(), 48_000, 480);
    let text = format!("{HEAD}[track.x]\nfile = \"x.wav\"\nlength = \"10.01ms\"\nloop = 100\n");
    let session = load(dir.path(), &text);
    let want: Vec<u64> = looped(0, 12_012, 25, 0, 100)
        .into_iter()
        .map(|n| if n > 480 { 0 } else { n })
        .collect();
    assert_eq!(render(&session), want);
    // From the middle too.
    let part = session.render(Frames(20_000)..Frames(30_000)).unwrap();
    let part: Vec<u64> = part[0]
        .iter()
        .map(|sample| (sample * 32_768.0).round() as u64)
        .collect();
    assert_eq!(part, want[20_000..30_000]);
}

#[test]
fn exact_times_are_saved_as_they_were_stated() {
    let dir = tempfile::tempdir().unwrap();
    counting(dir.path(), 48_000, 6000);
    let text = format!(
        "{HEAD}fps = \"29.97\"\n[track.x.clip]\n\
         a = {{ file = \"x.wav\", at = \"10.01ms\", from = \"0.000000001ms\", length = \"00:00:00:01\", loop = 3 }}\n\
         b = {{ file = \"x.wav\", at = \"70.01ms\", length = \"20.0001s\", crossfade = \"1.01ms equal-power\" }}\n"
    );
    let read = load(dir.path(), &text);
    let saved = saved(&read, dir.path());
    for stated in [
        "at = \"0.01001s\"",
        "from = \"0.000000001ms\"",
        "length = \"00:00:00:01\"",
        "length = \"20.0001s\"",
        "crossfade = \"0.00101s equal-power\"",
    ] {
        assert!(saved.contains(stated), "{stated}: {saved}");
    }
    assert_eq!(load(dir.path(), &saved), read);
    // A program that sets a field states whole frames.
    let mut changed = read.clone();
    changed.tracks_mut()[0].clips[0].length = Some(Frames(1000));
    let saved = self::saved(&changed, dir.path());
    assert!(saved.contains("length = \"1000 frames\""), "{saved}");
}
