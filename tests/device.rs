//! Playing on devices of the system, without hardware: what a device gets is what a bounce writes.
//!
//! A child process plays, with a sound configuration of its own: into a file through ALSA's `file` plugin, which takes
//! everything at once, and into a null sink of PulseAudio, which keeps time. Where these are absent the tests say so.
#![cfg(feature = "device")]

use soundtrack::{
    Bounce, ErrorKind, Format, Frames, Layout, PlayerBuilder, SampleRate, Session, Spec, Track,
    media,
};
use soundtrack_test_support::renders;
use soundtrack_test_support::requirement::missing;
use std::{
    env, fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const FRAMES: usize = 96_000;
const KIND: &str = "SOUNDTRACK_TEST_DEVICE";

/// Noise with half a second of silence around it.
fn mix() -> Session {
    let spec = Spec {
        rate: SampleRate::HZ_48000,
        layout: Layout::Stereo,
    };
    let channel = |ch| {
        let sound = (0..FRAMES as u64)
            .map(move |n| 0.25 * renders::noise(5, ch, n) + f64::from(u8::from(n == 0)) * 0.5);
        (0..24_000)
            .map(|_| 0.0)
            .chain(sound)
            .chain((0..24_000).map(|_| 0.0))
            .collect::<Vec<f64>>()
    };
    let mut mix = Session::new(spec.rate, spec.layout);
    mix.add_track(Track::new(
        "noise",
        media::Memory::new(spec, vec![channel(0), channel(1)]).unwrap(),
    ));
    mix
}

/// The child: plays on the default device of its own configuration.
#[test]
fn child() {
    let Ok(kind) = env::var(KIND) else { return };
    let latency = Duration::from_millis(if kind == "file" { 5_000 } else { 200 });
    match PlayerBuilder::new().latency(latency).device(&mix(), None) {
        Ok(player) => {
            let state = player.wait(Duration::from_secs(20));
            println!(
                "played: {state:?} {} {:?} {:?}",
                player.position(),
                player.underruns(),
                player.fault()
            );
        }
        Err(e) => println!("refused: {:?} {e}", e.kind()),
    }
}

/// Runs the child with a home of its own; what it says.
fn play(home: &Path, kind: &str) -> String {
    let mut child = Command::new(env::current_exe().unwrap());
    child
        .args(["--exact", "child", "--nocapture"])
        .env(KIND, kind)
        .env("HOME", home);
    child
        .env_remove("DISPLAY")
        .env("XDG_RUNTIME_DIR", home)
        .stderr(Stdio::null());
    String::from_utf8(child.output().unwrap().stdout).unwrap()
}

/// The samples of the bounce, as bytes of the format.
fn bounced(home: &Path, format: Format) -> Vec<u8> {
    let path = home.join("bounce.wav");
    Bounce::new()
        .format(format)
        .overwrite(true)
        .run(&mix(), &path)
        .unwrap();
    let bytes = fs::read(path).unwrap();
    let data = bytes.windows(4).position(|w| w == b"data").unwrap() + 8;
    bytes[data..].to_vec()
}

/// Compares what was captured with the bounce, from the first sound to the last.
fn same(captured: &[u8], bounced: &[u8], frame: usize) {
    let first = |bytes: &[u8]| {
        bytes
            .chunks_exact(frame)
            .position(|f| f.iter().any(|b| *b != 0))
    };
    let (there, here) = (
        first(bounced).unwrap(),
        first(captured).expect("only silence was captured"),
    );
    let sound = &bounced[there * frame..(there + FRAMES) * frame];
    let heard = &captured[here * frame..(here + FRAMES) * frame];
    if let Some(n) =
        (0..FRAMES).find(|n| sound[n * frame..(n + 1) * frame] != heard[n * frame..(n + 1) * frame])
    {
        panic!("frame {n} of {FRAMES} differs");
    }
    let rest = captured[(here + FRAMES) * frame..].iter().all(|b| *b == 0);
    assert!(rest, "sound after the end");
}

fn alsa(config: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let text = config.replace("CAPTURE", home.path().join("cap.raw").to_str().unwrap());
    fs::write(
        home.path().join(".asoundrc"),
        text + "\nctl.!default { type null }\n",
    )
    .unwrap();
    home
}

#[test]
fn alsa_gets_the_bounce_in_floats() {
    let home =
        alsa(r#"pcm.!default { type file slave.pcm { type null } file "CAPTURE" format "raw" }"#);
    let said = play(home.path(), "file");
    assert!(said.contains("played: Ended 144000"), "{said}");
    same(
        &fs::read(home.path().join("cap.raw")).unwrap(),
        &bounced(home.path(), Format::WAV_32F),
        8,
    );
}

/// ALSA's `upmix` takes 16 bits only, and copies the front pair as it is.
#[test]
fn alsa_gets_the_bounce_in_16_bits() {
    let home = alsa(
        r#"pcm.narrow { type file slave.pcm { type null } file "CAPTURE" format "raw" }
pcm.!default { type upmix slave.pcm narrow channels 4 }"#,
    );
    let said = play(home.path(), "file");
    if said.contains("refused") {
        return missing("ALSA has no plugin \"upmix\" (libasound2-plugins)");
    }
    assert!(said.contains("played: Ended 144000"), "{said}");
    let captured = fs::read(home.path().join("cap.raw")).unwrap();
    let front: Vec<u8> = captured
        .chunks_exact(8)
        .flat_map(|frame| &frame[..4])
        .copied()
        .collect();
    same(&front, &bounced(home.path(), Format::WAV_16), 4);
}

#[test]
fn no_device_is_an_error_at_once() {
    let home = alsa("pcm.!default { type hw card 31 }");
    let start = Instant::now();
    let said = play(home.path(), "file");
    assert!(said.contains("refused: Device output device"), "{said}");
    assert!(start.elapsed() < Duration::from_secs(2));
    let mix = mix();
    let unknown = PlayerBuilder::new()
        .device(&mix, Some("no such device"))
        .unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::Device);
    assert!(
        unknown
            .to_string()
            .starts_with("there is no output device \"no such device\"; there are"),
        "{unknown}"
    );
    assert_eq!(
        mix.render(Frames(0)..Frames(10)).unwrap()[0].len(),
        10,
        "files are not affected"
    );
}

/// Waits until something that was started is there.
fn soon(what: &str, there: impl Fn() -> bool) {
    let start = Instant::now();
    while !there() {
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "{what} does not start"
        );
        thread::sleep(Duration::from_millis(50));
    }
}

/// Processes that end with the test.
struct Started(Vec<Child>);

impl Drop for Started {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
fn pulseaudio_hears_the_bounce_in_time() {
    let home = alsa("pcm.!default { type pulse }");
    let run = |program: &str, args: &[&str]| {
        let mut command = Command::new(program);
        command
            .args(args)
            .env("HOME", home.path())
            .env("XDG_RUNTIME_DIR", home.path());
        command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .stdin(Stdio::null())
            .spawn()
    };
    let sink = "module-null-sink sink_name=cap rate=48000 format=float32le channels=2";
    let server = run(
        "pulseaudio",
        &[
            "-n",
            "--daemonize=no",
            "--exit-idle-time=-1",
            "-L",
            "module-native-protocol-unix",
            "-L",
            sink,
        ],
    );
    let Ok(server) = server else {
        return missing("pulseaudio is not installed");
    };
    let mut started = Started(vec![server]);
    soon("the server", || {
        run("pactl", &["info"]).is_ok_and(|mut asked| asked.wait().is_ok_and(|s| s.success()))
    });
    let capture = home.path().join("cap.raw");
    let mut parec = Command::new("parec");
    parec.args([
        "-d",
        "cap.monitor",
        "--raw",
        "--format=float32le",
        "--rate=48000",
        "--channels=2",
        "--latency-msec=20",
    ]);
    parec
        .env("HOME", home.path())
        .env("XDG_RUNTIME_DIR", home.path());
    let parec = parec
        .stdout(fs::File::create(&capture).unwrap())
        .stderr(Stdio::null())
        .spawn();
    let Ok(parec) = parec else {
        return missing("parec is not installed");
    };
    started.0.insert(0, parec);
    // Silence, before there is sound.
    soon("the capture", || {
        capture.metadata().is_ok_and(|about| about.len() > 0)
    });
    let start = Instant::now();
    let said = play(home.path(), "pulse");
    assert!(said.contains("played: Ended 144000"), "{said}");
    assert!(
        start.elapsed() > Duration::from_millis(2_900),
        "{:?}",
        start.elapsed()
    );
    thread::sleep(Duration::from_secs(1));
    drop(started);
    same(
        &fs::read(&capture).unwrap(),
        &bounced(home.path(), Format::WAV_32F),
        8,
    );
}

#[test]
fn devices_are_listed_or_there_are_none() {
    for device in soundtrack::devices().unwrap() {
        assert!(!device.id.is_empty() && !device.name.is_empty());
    }
}
