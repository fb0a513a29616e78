//! Law 9: bad input gets an error that names the track, the file and the place; an existing output is never damaged; no
//! partial file is left under the final name.

use soundtrack::media::FlawKind;
use soundtrack::{
    Block, Bounce, Clip, Damage, Error, ErrorKind, Format, Frames, Layout, Opener, Result,
    SampleRate, Session, Source, Spec, Track,
};
use std::{fs, ops::ControlFlow, path::Path};

const SPEC: Spec = Spec {
    rate: SampleRate::HZ_48000,
    layout: Layout::Mono,
};

/// A WAV file of mono floats.
fn wav(path: &Path, samples: &[f32]) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut wav = hound::WavWriter::create(path, spec).unwrap();
    samples.iter().for_each(|s| wav.write_sample(*s).unwrap());
    wav.finalize().unwrap();
}

fn mix(stem: impl Into<soundtrack::Input>) -> Session {
    let mut session = Session::new(SPEC.rate, SPEC.layout);
    session.add_track(Track::new("vox", stem));
    session
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A source that gives half a second and then fails, or panics.
struct Failing(u64, fn() -> Result<usize>);

impl Source for Failing {
    fn spec(&self) -> Spec {
        SPEC
    }
    fn length(&self) -> Option<Frames> {
        Some(Frames(480_000))
    }
    fn read(&mut self, out: &mut Block) -> Result<usize> {
        if self.0 >= 24_000 {
            return (self.1)();
        }
        let left = usize::try_from(24_000 - self.0).unwrap();
        out.fill(out.capacity().min(1000).min(left), 0.5);
        self.0 += out.frames() as u64;
        Ok(out.frames())
    }
    fn seek(&mut self, to: Frames) -> Result<()> {
        self.0 = to.0;
        Ok(())
    }
}

#[test]
fn a_stem_that_fails_midway_leaves_the_old_output_whole() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.wav");
    let fails = || {
        Err(Error::new(
            ErrorKind::Corrupt,
            "vox.mp3: damaged at 00:00:00.500 (packet 20): bad block",
        ))
    };
    let stem = Opener::new("vox.mp3", move || Ok(Box::new(Failing(0, fails))));
    let error = mix(stem.clone()).bounce(&out).unwrap_err();
    assert_eq!(
        error.to_string(),
        "track \"vox\": vox.mp3: damaged at 00:00:00.500 (packet 20): bad block"
    );
    assert_eq!(names(folder.path()), [""; 0]);

    fs::write(&out, "old").unwrap();
    assert_eq!(
        Bounce::new()
            .overwrite(true)
            .run(&mix(stem), &out)
            .unwrap_err()
            .kind(),
        ErrorKind::Corrupt
    );
    assert_eq!(fs::read_to_string(&out).unwrap(), "old");
    assert_eq!(names(folder.path()), ["out.wav"]);
}

#[test]
fn a_source_that_panics_or_ends_early_is_an_error() {
    let panics = Opener::new("wild", || {
        Ok(Box::new(Failing(0, || panic!("index out of bounds"))))
    });
    let ends = Opener::new("short", || Ok(Box::new(Failing(0, || Ok(0)))));
    for threads in [1, 2] {
        let folder = tempfile::tempdir().unwrap();
        let mut session = mix(panics.clone());
        session.add_track(Track::new(
            "other",
            Opener::new("x", || Ok(Box::new(Failing(0, || Ok(0))))),
        ));
        let error = Bounce::new()
            .threads(threads)
            .run(&session, folder.path().join("o.wav"))
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "track \"vox\": wild: its reader failed: index out of bounds"
        );
        assert_eq!(names(folder.path()), [""; 0]);
    }
    let error = mix(ends.clone())
        .render(Frames(0)..Frames(30_000))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "track \"vox\": short: ends at 00:00:00.500, 456000 frames too early: 480000 were promised"
    );
    let mut lenient = mix(ends);
    lenient.damage = Damage::Silence;
    let got = lenient.render(Frames(0)..Frames(24_002)).unwrap();
    assert_eq!(got[0][23_999..], [0.5, 0.0, 0.0]);
}

#[test]
fn a_file_cut_off_is_refused_or_silent_to_its_promised_end() {
    let folder = tempfile::tempdir().unwrap();
    let stem = folder.path().join("vox.wav");
    // Ten seconds: many blocks of silence, told as one place.
    wav(&stem, &[0.25; 480_000]);
    let bytes = fs::read(&stem).unwrap();
    fs::write(&stem, &bytes[..bytes.len() - 4 * 372_000]).unwrap();
    let error = mix(stem.as_path())
        .bounce(folder.path().join("o.wav"))
        .unwrap_err();
    let want = format!(
        "track \"vox\": {}: cut off at 00:00:02.250: 108000 of 480000 frames are there",
        stem.display()
    );
    assert_eq!(
        (error.to_string(), error.kind()),
        (want, ErrorKind::Corrupt)
    );

    let mut lenient = mix(stem.as_path());
    lenient.damage = Damage::Silence;
    let report = Bounce::new()
        .format(Format::WAV_32F)
        .run(&lenient, folder.path().join("o.wav"))
        .unwrap();
    assert_eq!(report.frames, 480_000);
    let [silenced] = &report.tracks[0].clips[0].silenced[..] else {
        panic!("told once")
    };
    assert_eq!(
        (silenced.kind, silenced.places, silenced.frames),
        (FlawKind::EndedEarly, 1, 480_000 - 108_000)
    );
    assert_eq!((silenced.first.len(), silenced.first[0].at_s), (1, 2.25));
    assert!(
        report.warnings[0]
            .to_string()
            .starts_with("W115 track \"vox\": ")
    );
    let read: Vec<f32> = hound::WavReader::open(folder.path().join("o.wav"))
        .unwrap()
        .into_samples()
        .map(|s| s.unwrap())
        .collect();
    assert!(
        read[..108_000].iter().all(|s| *s == 0.25) && read[108_000..].iter().all(|s| *s == 0.0)
    );
}

#[test]
fn what_is_not_a_number_is_refused_with_its_place_or_zeroed_alone() {
    let folder = tempfile::tempdir().unwrap();
    let stem = folder.path().join("vox.wav");
    for bad in [
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::from_bits(0x7F80_0001),
    ] {
        let mut samples = vec![0.25; 30_000];
        samples[12_000] = bad;
        wav(&stem, &samples);
        let error = mix(stem.as_path())
            .render(Frames(0)..Frames(30_000))
            .unwrap_err()
            .to_string();
        let want = format!(
            "track \"vox\": {}: a sample that is not a finite number at 00:00:00.250 (frame 12000)",
            stem.display()
        );
        assert_eq!(error, want);
        let mut lenient = mix(stem.as_path());
        lenient.damage = Damage::Silence;
        let got = lenient.render(Frames(0)..Frames(30_000)).unwrap();
        assert!(
            got[0]
                .iter()
                .enumerate()
                .all(|(n, s)| *s == if n == 12_000 { 0.0 } else { 0.25 })
        );
        // Resampled, it stays within the filter.
        lenient.rate = SampleRate::HZ_44100;
        let got = lenient.render(Frames(0)..Frames(27_562)).unwrap();
        assert!(got[0].iter().all(|s| s.is_finite()));
        assert!((got[0][3000] - 0.25).abs() < 1e-9 && (got[0][24_000] - 0.25).abs() < 1e-9);
    }
}

#[test]
fn an_output_that_is_an_input_is_refused_by_any_name() {
    let folder = tempfile::tempdir().unwrap();
    let stem = folder.path().join("vox.wav");
    wav(&stem, &[0.25; 100]);
    let before = fs::read(&stem).unwrap();
    let hard = folder.path().join("hard.wav");
    fs::hard_link(&stem, &hard).unwrap();
    let mut others = vec![stem.clone(), hard, folder.path().join("./vox.wav")];
    #[cfg(unix)]
    {
        let link = folder.path().join("link.wav");
        std::os::unix::fs::symlink("vox.wav", &link).unwrap();
        others.push(link);
    }
    for out in others {
        let error = Bounce::new()
            .overwrite(true)
            .run(&mix(stem.as_path()), &out)
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Output);
        assert!(
            error.to_string().contains("is one of the inputs"),
            "{error}"
        );
        assert_eq!(fs::read(&stem).unwrap(), before);
    }
}

#[test]
fn outputs_are_refused_before_a_stem_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("old.wav"), "old").unwrap();
    let opened = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let flag = opened.clone();
    let stem = Opener::new("x", move || {
        flag.store(true, std::sync::atomic::Ordering::SeqCst);
        Ok(Box::new(Failing(0, || Ok(0))))
    });
    for (out, says) in [
        ("old.wav", "exists already"),
        ("no/folder/x.wav", "does not exist"),
        (".", "folder"),
    ] {
        let error = mix(stem.clone())
            .bounce(folder.path().join(out))
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Output);
        assert!(error.to_string().contains(says), "{error}");
    }
    assert!(!opened.load(std::sync::atomic::Ordering::SeqCst));
    assert_eq!(names(folder.path()), ["old.wav"]);
    assert_eq!(
        fs::read_to_string(folder.path().join("old.wav")).unwrap(),
        "old"
    );
}

#[test]
fn cancelling_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let stem = soundtrack::media::Memory::new(SPEC, vec![vec![0.5; 200_000]]).unwrap();
    let mut session = mix(stem.clone());
    session.tracks_mut()[0].clips.push(Clip::new(stem).loops(3));
    for after in [1u64, 50_000, 599_999] {
        let mut last = Frames(0);
        let stop = |p: soundtrack::Progress| {
            assert_eq!(p.total, Frames(600_000));
            last = p.done;
            if p.done.0 >= after {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let error = Bounce::new()
            .progress(stop)
            .run(&session, folder.path().join("o.wav"))
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert!(last.0 >= after && last.0 < after + 16_384 + 1);
        assert_eq!(names(folder.path()), [""; 0]);
    }
}

#[test]
fn a_range_that_runs_backwards_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("o.wav");
    fs::write(&out, "old").unwrap();
    let stem = soundtrack::media::Memory::new(SPEC, vec![vec![0.5; 100]]).unwrap();
    let back = Bounce::new()
        .overwrite(true)
        .range(Frames(50)..Frames(10))
        .run(&mix(stem.clone()), &out);
    assert_eq!(
        back.unwrap_err().to_string(),
        "the range ends at frame 10, before its start at 50"
    );
    assert_eq!(fs::read_to_string(&out).unwrap(), "old");
    assert_eq!(names(folder.path()), ["o.wav"]);
    assert_eq!(mix(stem).render(Frames(7)..Frames(7)).unwrap(), [[0.0; 0]]);
}

#[test]
fn an_output_that_cannot_fit_is_refused_before_it_is_begun() {
    let folder = tempfile::tempdir().unwrap();
    let stem = soundtrack::media::Memory::new(SPEC, vec![vec![0.5; 48_000]]).unwrap();
    let mut session = mix(stem.clone());
    session.tracks_mut()[0].clips = vec![Clip::new(stem).loops(u32::MAX)];
    let error = session.bounce(folder.path().join("o.wav")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Output);
    assert!(
        error
            .to_string()
            .contains("no room: the output needs 61847"),
        "{error}"
    );
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn a_reader_that_breaks_its_promises_is_an_error() {
    struct Liar(u8);
    impl Source for Liar {
        fn spec(&self) -> Spec {
            SPEC
        }
        fn length(&self) -> Option<Frames> {
            Some(Frames(1000))
        }
        fn read(&mut self, out: &mut Block) -> Result<usize> {
            match self.0 {
                0 => *out = Block::new(Layout::Stereo, out.capacity()),
                1 => return Ok(out.capacity() + 1),
                _ => out.set_frames(0),
            }
            Ok(7)
        }
        fn seek(&mut self, _: Frames) -> Result<()> {
            Ok(())
        }
    }
    for lie in 0..3 {
        let error = mix(Opener::new("liar", move || Ok(Box::new(Liar(lie)))))
            .render(Frames(0)..Frames(10))
            .unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("track \"vox\": liar: its reader gave "),
            "{error}"
        );
    }
    let error = mix(Opener::new("bomb", || panic!("no device")))
        .render(Frames(0)..Frames(10))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "track \"vox\": bomb: its reader failed: no device"
    );
}

#[test]
fn a_stem_full_of_flaws_is_told_in_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let stem = folder.path().join("vox.wav");
    let samples: Vec<f32> = (0..200_000)
        .map(|n| if n % 2 == 1 { f32::NAN } else { 0.25 })
        .collect();
    wav(&stem, &samples);
    let mut lenient = mix(stem.as_path());
    lenient.damage = Damage::Silence;
    let report = lenient.bounce(folder.path().join("o.wav")).unwrap();
    let [silenced] = &report.tracks[0].clips[0].silenced[..] else {
        panic!("one kind")
    };
    assert_eq!(
        (silenced.kind, silenced.places, silenced.frames),
        (FlawKind::NonFinite, 100_000, 100_000)
    );
    let warnings = report
        .warnings
        .iter()
        .filter(|w| w.kind.code() == "W117")
        .count();
    assert_eq!((silenced.first.len(), warnings), (32, 1));
    let told = report.warnings[0].to_string();
    assert!(told.ends_with("not finite at 00:00:00.000 and 99999 more places, 100000 frames silenced: a sample that is not a finite number"), "{told}");
}

#[test]
fn what_no_format_holds_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let stem = soundtrack::media::Memory::new(SPEC, vec![vec![1e30, 0.5]]).unwrap();
    let mut session = mix(stem);
    session.tracks_mut()[0].strip.gain = soundtrack::Decibels(200.0);
    let report = Bounce::new()
        .format(Format::WAV_32F)
        .run(&session, folder.path().join("o.wav"))
        .unwrap();
    assert_eq!(report.mix.non_finite_samples, 1);
    assert!(
        report.warnings[0]
            .to_string()
            .starts_with("W117 1 sample of the mix too large"),
        "{:?}",
        report.warnings
    );
}
