//! Every public function that takes a number gets the largest, the smallest, NaN and infinity: it returns, and does not
//! panic. Each call has a time limit.

use soundtrack::{
    At, Block, Bounce, Bus, BusId, Clip, Cue, Curve, Damage, Dbfs, Dbtp, Decibels, Deliverable,
    Fade, FadeShape, Format, FrameRate, Frames, Gain, Insert, Layout, Load, LoudnessTarget, Lufs,
    Options, Pan, PanLaw, Plan, PlayerBuilder, Renderer, Report, SampleRate, Selector, Session,
    Shape, Sink, Source, Spec, Timecode, Track, Use, compare,
    dsp::PROCESSORS,
    encode::{self, Dither, Dithered, FileSink},
    measure::{Loudness, Meter, TruePeak},
    media::{Input, Memory, Resampled},
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
    time::Duration,
};

const LIMIT: Duration = Duration::from_secs(60);

const FRAMES: [u64; 12] = [
    0,
    1,
    2,
    47_999,
    u32::MAX as u64,
    (1 << 53) - 1,
    1 << 53,
    (1 << 53) + 1,
    i64::MAX as u64,
    1 << 63,
    u64::MAX - 1,
    u64::MAX,
];

const NUMBERS: [f64; 14] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    f64::MIN_POSITIVE,
    5e-324,
    1e-30,
    1e30,
    f64::MAX,
    f64::MIN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    i64::MIN as f64,
];

const RATES: [u32; 6] = [1, 7, 8_000, 44_100, 48_000, 768_000];

const DURATIONS: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_nanos(1),
    Duration::from_secs(1),
    Duration::from_secs(u64::MAX),
    Duration::MAX,
];

fn rates() -> impl Iterator<Item = SampleRate> {
    RATES.into_iter().map(|hz| SampleRate::new(hz).unwrap())
}

fn frames() -> impl Iterator<Item = Frames> {
    FRAMES.into_iter().map(Frames)
}

/// Runs `work`, which must end within the limit. The thread of one that does not is left behind.
#[track_caller]
fn ends(what: &str, work: impl FnOnce() + Send + 'static) {
    let (done, is_done) = channel();
    let thread = thread::spawn(move || {
        let result = catch_unwind(AssertUnwindSafe(work));
        done.send(()).unwrap();
        if let Err(panic) = result {
            resume_unwind(panic);
        }
    });
    match is_done.recv_timeout(LIMIT) {
        Ok(()) => assert!(thread.join().is_ok(), "{what} panics"),
        Err(RecvTimeoutError::Timeout) => panic!("{what} does not end within {LIMIT:?}"),
        Err(RecvTimeoutError::Disconnected) => panic!("{what} is gone"),
    }
}

fn spec() -> Spec {
    Spec {
        rate: SampleRate::HZ_48000,
        layout: Layout::Stereo,
    }
}

fn stem() -> Memory {
    Memory::new(spec(), vec![vec![0.25; 1000]; 2]).unwrap()
}

#[test]
fn timecode() {
    ends("timecode", || {
        for fps in FrameRate::ALL {
            for rate in rates() {
                for at in frames() {
                    let (seen, after) = Timecode::seen_at(at, rate, fps);
                    assert!(
                        seen.number() < fps.day() && after <= at,
                        "{fps} {rate} {at}"
                    );
                    // A picture frame lasts at most this long.
                    let longest = u64::from(rate.hz()) / 23 + 2;
                    assert!(after.0 <= longest, "{fps} {rate} {at}: {after}");
                    let label = Timecode::of_number(at.0, fps);
                    assert!(label.next().number() < fps.day());
                    assert!(label.previous().number() < fps.day());
                    assert!(label.rounding(rate).abs() <= 0.5);
                    assert_eq!(fps.frames(label.number(), rate), label.frames(rate));
                    let _ = (fps.frames(at.0, rate), label.parts(), label.to_string());
                }
            }
            for [h, m, s, f] in [[u32::MAX; 4], [0; 4], [23, 59, 59, u32::MAX]] {
                let _ = Timecode::new(h, m, s, f, fps).map(|t| t.to_string());
            }
            assert!(
                Timecode::midnight(fps)
                    .partial_cmp(&Timecode::midnight(FrameRate::FPS_25))
                    .is_none()
                    || fps == FrameRate::FPS_25
            );
        }
    });
}

#[test]
fn the_picture_frame_at_the_end_of_all_frames_is_exact() {
    // 2^64 - 1 frames at 48 kHz and 24 fps: 2000 frames each, 2 073 600 a day.
    let (seen, after) = Timecode::seen_at(Frames::MAX, SampleRate::HZ_48000, FrameRate::FPS_24);
    assert_eq!(seen.number(), u64::MAX / 2000 % 2_073_600);
    assert_eq!(after, Frames(u64::MAX % 2000));
    // At 1 Hz, 120 picture frames begin at most audio frames: the last one that rounds to it counts.
    let hz = SampleRate::new(1).unwrap();
    let (seen, after) = Timecode::seen_at(Frames::MAX, hz, FrameRate::FPS_120);
    let number = u128::from(u64::MAX) * 120 + 59;
    assert_eq!(
        u128::from(seen.number()),
        number % u128::from(FrameRate::FPS_120.day())
    );
    assert_eq!(after, Frames::ZERO);
}

#[test]
fn units() {
    ends("units", || {
        for rate in rates() {
            for n in frames() {
                let _ = (
                    n.to_duration(rate),
                    n.clock(rate),
                    n + Frames::MAX,
                    n - Frames::MAX,
                );
                rates().for_each(|to| _ = n.resampled(rate, to));
            }
            for time in DURATIONS {
                let _ = Frames::from_duration(time, rate).clock(rate);
            }
            for text in [
                "18446744073709551615",
                "18446744073709551616",
                "999999999999h",
                "0.000000001ms",
            ] {
                let _ = Frames::parse(text, rate);
            }
        }
        for hz in [0, 768_001, u32::MAX] {
            assert!(SampleRate::new(hz).is_err());
        }
        for x in NUMBERS {
            let _ = (
                Decibels(x).gain(),
                Decibels(x).to_string(),
                Gain(x).decibels(),
            );
            let _ = (
                Dbfs::from_amplitude(x).to_string(),
                Dbtp::from_amplitude(x).to_string(),
                Dbtp(x).value(),
            );
            let _ = (Lufs::of_power(x).to_string(), Lufs(x).power());
            let _ = (Pan(x).to_string(), format!("{:.400}", Decibels(x)));
            for law in [
                PanLaw::EqualPower,
                PanLaw::Between,
                PanLaw::Linear,
                PanLaw::SquareRoot,
                PanLaw::Balance,
                PanLaw::EqualPowerUnity,
            ] {
                let _ = law.gains(Pan(x));
            }
            for shape in [FadeShape::Linear, FadeShape::EqualPower, FadeShape::Between] {
                let _ = shape.gain(x);
            }
        }
        for channels in [0, 1, 2, 8, 255] {
            for mask in [0, 1, 0x3F, u32::MAX] {
                let layout = Layout::from_mask(channels, mask);
                assert_eq!(layout.channels(), usize::from(channels));
                let _ = (
                    layout.mask(),
                    layout.fold(Layout::Stereo),
                    layout.to_string(),
                );
            }
        }
    });
}

#[test]
fn curves() {
    ends("curves", || {
        for at in frames() {
            for value in NUMBERS {
                for shape in [Shape::Linear, Shape::Sine, Shape::Exp, Shape::Step] {
                    let curve = Curve::new()
                        .point(Frames(1), Decibels(0.0), shape)
                        .point(at, Decibels(value), shape)
                        .point(Frames::MAX, Decibels(-6.0), shape);
                    frames().for_each(|frame| _ = curve.gain_at(frame));
                }
            }
        }
    });
}

#[test]
fn blocks_and_sources() {
    ends("blocks", || {
        for layout in [
            Layout::Mono,
            Layout::Surround71,
            Layout::Discrete(0),
            Layout::Discrete(255),
        ] {
            for capacity in [0, 1, 4096] {
                let mut block = Block::new(layout, capacity);
                block.set_frames(usize::MAX);
                assert_eq!(block.frames(), capacity);
                NUMBERS.into_iter().for_each(|x| block.fill(usize::MAX, x));
                assert!(block.channel(usize::MAX).is_empty());
                assert!(block.channel_mut(usize::MAX).is_empty());
            }
            // Memory for it is not there: the block says how much it holds.
            let huge = Block::new(layout, usize::MAX);
            assert!(huge.capacity() < usize::MAX);
        }
    });
    ends("sources", || {
        for at in frames() {
            let mut block = Block::new(Layout::Stereo, 64);
            let mut memory = stem();
            memory.seek(at).unwrap();
            assert_eq!(memory.read(&mut block).unwrap() > 0, at.0 < 1000);
            for to in rates() {
                let Ok(mut resampled) = Resampled::new(Box::new(stem()), to) else {
                    continue;
                };
                let _ = resampled.seek(at).and_then(|()| resampled.read(&mut block));
            }
        }
    });
}

#[test]
fn meters() {
    ends("meters", || {
        for rate in rates() {
            for layout in [Layout::Mono, Layout::Discrete(0), Layout::Discrete(255)] {
                let spec = Spec { rate, layout };
                let mut block = Block::new(layout, 600);
                let (mut meter, mut loudness, mut peak) =
                    (Meter::new(spec), Loudness::new(spec), TruePeak::new(spec));
                for x in NUMBERS {
                    block.fill(600, x);
                    meter.feed(&block);
                    loudness.feed(&block);
                    peak.feed(&block);
                }
                meter.skip(0);
                loudness.finish();
                peak.finish();
                let _ = (
                    meter.finish(),
                    loudness.integrated(),
                    loudness.range(),
                    peak.peak(),
                );
            }
        }
        for target in NUMBERS {
            for is in NUMBERS {
                let own = LoudnessTarget::new(Lufs(target))
                    .tolerance(is)
                    .true_peak(Dbtp(target));
                let _ = own.judge(Some(Lufs(is)), Some(Dbtp(is)));
                let _ = own.fit(Some(Lufs(is)), Some(Dbtp(is)));
            }
        }
    });
}

/// A session with everything that has a number.
fn session() -> Session {
    let mut session = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    let bus = session.add_bus(Bus::new("bus"));
    session.add_track(Track::new("track", stem()).to(bus));
    session.add_cue(
        Cue::new("cue")
            .track(Track::new("x", stem()))
            .used(Use::at(Frames(10))),
    );
    session
}

/// Compiles a session, and renders the start and the end of one that has no errors.
fn try_out(what: &str, change: impl FnOnce(&mut Session)) {
    let mut session = session();
    change(&mut session);
    let result = catch_unwind(AssertUnwindSafe(|| {
        let _ = (
            session.save(std::env::temp_dir().join("no/such/folder/s.toml")),
            Bounce::new(),
        );
        let Ok(plan) = Plan::compile(&session) else {
            return;
        };
        let _ = (
            plan.to_string(),
            plan.depth(),
            plan.latency(),
            plan.warm_up(),
        );
        let end = plan.length();
        let _ = session.render(Frames(0)..Frames(100).min(end));
        let _ = session.render(end - Frames(10)..end);
        let mut renderer = Renderer::new(plan, &Options::default()).unwrap();
        for at in frames() {
            renderer.seek(at);
            let _ = renderer.render(&mut Block::new(Layout::Stereo, 16));
            let _ = renderer.render(&mut Block::new(Layout::Stereo, 0));
        }
    }));
    assert!(result.is_ok(), "{what} panics");
}

/// The bus of such a session.
fn bus() -> BusId {
    match session().part("bus.bus") {
        Ok(Selector::Bus(id)) => id,
        other => panic!("{other:?}"),
    }
}

fn clip(session: &mut Session) -> &mut Clip {
    &mut session.tracks_mut()[0].clips[0]
}

fn place(session: &mut Session) -> &mut Use {
    &mut session.cues_mut()[0].uses[0]
}

#[test]
fn frames_of_a_session() {
    type Change = fn(&mut Session, Frames);
    let changes: [(&str, Change); 16] = [
        ("clip at", |s, n| clip(s).at = At::Frames(n)),
        ("clip from", |s, n| clip(s).from = n),
        ("clip length", |s, n| clip(s).length = Some(n)),
        ("clip from and length", |s, n| {
            (clip(s).from, clip(s).length) = (n, Some(n))
        }),
        ("clip loops", |s, n| {
            clip(s).loops = u32::try_from(n.0).unwrap_or(u32::MAX)
        }),
        ("fade-in", |s, n| clip(s).fade_in = Fade::linear(n)),
        ("fade-out", |s, n| clip(s).fade_out = Fade::linear(n)),
        ("crossfade", |s, n| {
            let second = clip(s).clone().at(Frames(500)).crossfade(Fade::linear(n));
            s.tracks_mut()[0].clips.push(second);
        }),
        ("use at", |s, n| place(s).at = At::Frames(n)),
        ("use from", |s, n| place(s).from = n),
        ("use length", |s, n| place(s).length = Some(n)),
        ("use fade", |s, n| place(s).fade_out = Fade::linear(n)),
        ("use crossfade", |s, n| {
            let second = Use::at(Frames(500)).named("b").crossfade(Fade::linear(n));
            s.cues_mut()[0].uses.push(second);
        }),
        ("length", |s, n| s.length = Some(n)),
        ("marker", |s, n| {
            s.cues_mut()[0].markers.push(soundtrack::Marker {
                at: n,
                name: "m".into(),
            });
        }),
        ("point", |s, n| {
            s.tracks_mut()[0].strip.gain_curve = Curve::new()
                .point(n, Decibels(-3.0), Shape::Sine)
                .point(Frames::MAX, Decibels(0.0), Shape::Exp);
        }),
    ];
    for (what, change) in changes {
        ends(what, move || {
            for n in frames() {
                try_out(&format!("{what} = {n}"), |session| change(session, n));
            }
        });
    }
}

#[test]
fn numbers_of_a_session() {
    type Change = fn(&mut Session, f64);
    let changes: [(&str, Change); 10] = [
        ("clip gain", |s, x| clip(s).gain = Decibels(x)),
        ("use gain", |s, x| place(s).gain = Decibels(x)),
        ("track gain", |s, x| {
            s.tracks_mut()[0].strip.gain = Decibels(x)
        }),
        ("track pan", |s, x| s.tracks_mut()[0].strip.pan = Pan(x)),
        ("bus gain", |s, x| s.buses_mut()[0].strip.gain = Decibels(x)),
        ("point", |s, x| {
            s.tracks_mut()[0].strip.gain_curve =
                Curve::new().point(Frames(5), Decibels(x), Shape::Exp);
        }),
        ("pan point", |s, x| {
            s.tracks_mut()[0].strip.pan_curve = Curve::new().point(Frames(5), Pan(x), Shape::Sine);
        }),
        ("master gain", |s, x| s.master.gain = Decibels(x)),
        ("master limit", |s, x| s.master.limit = Some(Dbtp(x))),
        ("limiter and trim", |s, x| {
            s.master.inserts = vec![Insert::limiter(Dbtp(x)), Insert::trim(Decibels(x))];
        }),
    ];
    for (what, change) in changes {
        ends(what, move || {
            for x in NUMBERS {
                try_out(&format!("{what} = {x}"), |session| change(session, x));
            }
        });
    }
}

#[test]
fn numbers_of_a_session_file() {
    ends("session files", || {
        let folder = tempfile::tempdir().unwrap();
        session().bounce(folder.path().join("x.wav")).unwrap();
        let values = [
            "0",
            "9223372036854775807",
            "-9223372036854775808",
            "1e308",
            "-1e308",
            "5e-324",
            "inf",
            "-inf",
            "nan",
            "\"999999999999h\"",
            "\"0.000000001ms\"",
            "\"23:59:59:23\"",
            "\"18446744073709551615\"",
            "\"99999999999999999999s\"",
        ];
        let tables = [
            (
                "rate = 48000\nfps = \"23.976\"\n",
                ["length", "start", "rate", "fps"].as_slice(),
            ),
            ("[master]\n", &["gain", "limit"]),
            (
                "[track.x]\nfile = \"x.wav\"\n",
                &[
                    "at", "from", "length", "fade_in", "fade_out", "loop", "gain", "pan",
                ],
            ),
            (
                "[track.x.clip]\na = { file = \"x.wav\" }\nb = { file = \"x.wav\", at = \"5ms\", ",
                &["crossfade", "gain", "length"],
            ),
            (
                "fps = \"24\"\n[cue.c]\nfiles = \"x.wav\"\n",
                &["at", "from", "length", "fade_in", "fade_out", "gain"],
            ),
            (
                "[deliver.d]\nfile = \"y.wav\"\n[deliver.d.loudness]\n",
                &["target", "tolerance", "true_peak"],
            ),
        ];
        for (head, keys) in tables {
            for key in keys {
                for value in values {
                    let end = if head.ends_with(", ") { " }" } else { "" };
                    let text = format!("{head}{key} = {value}{end}\n");
                    let result = catch_unwind(|| {
                        let load =
                            Load::default().text(text.as_str(), folder.path().join("s.toml"));
                        let Ok(session) = load else { return };
                        if let Ok(plan) = Plan::compile(&session) {
                            let _ = (plan.to_string(), session.render(Frames(0)..Frames(10)));
                        }
                        session.save(folder.path().join("t.toml")).unwrap();
                        let again = Load::default().session(folder.path().join("t.toml"));
                        assert_eq!(again.unwrap(), session);
                    });
                    assert!(result.is_ok(), "{text}");
                }
            }
        }
    });
}

#[test]
fn parameters_of_processors() {
    for kind in PROCESSORS {
        ends(kind.name, || {
            for parameter in kind.parameters {
                for x in NUMBERS {
                    let Ok(insert) = Insert::new(kind.name).unwrap().set(parameter.key, x) else {
                        continue;
                    };
                    let what = format!("{} {} = {x}", kind.name, parameter.key);
                    try_out(&what, |session| {
                        session.tracks_mut()[0].strip.inserts.push(insert)
                    });
                }
            }
        });
    }
}

#[test]
fn ways_to_run() {
    ends("rendering", || {
        for start in frames() {
            // Two lengths that are rendered, and those that no memory holds; what lies between takes as long as it takes.
            for length in [0, 1, 1000, 1 << 53, u64::MAX] {
                let _ = session().render(start..start + Frames(length));
                let _ = session().render(start + Frames(length)..start);
            }
        }
        for threads in [0, 1, usize::MAX] {
            assert!(session().render_on(threads, Frames(0)..Frames(100)).is_ok());
        }
        frames().for_each(|at| _ = session().render_stems(&[bus()], at..at + Frames(9)));
    });
    ends("bouncing", || {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.wav");
        for n in [0, 1, usize::MAX] {
            let bounce = || {
                Bounce::new()
                    .overwrite(true)
                    .threads(n)
                    .block(n)
                    .overview(n)
            };
            bounce().run(&session(), &path).unwrap();
            Report::of_audio(&path, n, Damage::Refuse).unwrap();
            frames().for_each(|at| _ = bounce().range(at..at + Frames(9)).run(&session(), &path));
            frames().for_each(|at| _ = bounce().range(at + Frames(9)..at).run(&session(), &path));
        }
        assert!(soundtrack::media::open(&path, Some(usize::MAX)).is_err());
        let mut strange = session();
        strange.tracks_mut()[0].clips[0].input = Input::stream(&path, usize::MAX);
        assert!(Plan::compile(&strange).is_err());
        assert!(compare::files(&path, &path).unwrap().identical);
    });
    ends("files", || {
        let folder = tempfile::tempdir().unwrap();
        for format in [Format::WAV_16, Format::WAV_24, Format::WAV_32F] {
            for length in frames() {
                let _ = FileSink::create(folder.path().join("x.wav"), format, spec(), length);
            }
        }
        for start in frames() {
            for bits in [0, 1, 16, 32, u16::MAX] {
                let sink = encode::MemorySink::default();
                let mut dithered = Dithered::new(sink, Dither::default(), bits, start);
                let mut block = Block::new(Layout::Stereo, 8);
                for x in NUMBERS {
                    block.fill(8, x);
                    dithered.write(&block).unwrap();
                }
            }
        }
    });
    ends("deliverables", || {
        for x in NUMBERS {
            let folder = tempfile::tempdir().unwrap();
            let mut film = session();
            let target = LoudnessTarget::new(Lufs(x)).true_peak(Dbtp(x)).tolerance(x);
            film.deliverables.push(
                Deliverable::new("full", folder.path().join("x.wav"))
                    .loudness(target)
                    .fit(true),
            );
            let _ = soundtrack::Delivery::new()
                .threads(usize::MAX)
                .block(usize::MAX)
                .run(&film);
        }
    });
}

#[test]
fn players() {
    ends("players", || {
        for time in DURATIONS {
            for at in frames() {
                let builder = PlayerBuilder::new().latency(time).read_ahead(time).at(at);
                let player = builder.paused(true).null(&session()).unwrap();
                assert!(player.position() <= player.length());
            }
        }
        let mix = session();
        let (player, mut callback) = PlayerBuilder::new().own(&mix, spec()).unwrap();
        let bus = mix.part("bus.bus").unwrap();
        for at in frames() {
            player.seek(at);
            for end in frames() {
                player.set_loop(Some(at..end));
            }
            let mut out = [0.0; 64];
            callback.fill(&mut out, at);
            callback.fill(&mut [], at);
            let _ = (
                player.position(),
                player.wait(Duration::ZERO),
                player.levels(),
            );
        }
        for x in NUMBERS {
            assert_eq!(player.set_gain(bus, Decibels(x)).is_err(), x.is_nan());
            assert_eq!(player.set_pan(bus, Pan(x)).is_err(), x.is_nan());
            let mut out = [0.0; 64];
            callback.fill(&mut out, Frames::ZERO);
            assert!(out.iter().all(|sample| sample.is_finite()));
        }
        player.set_loop(None);
        player.stop();
        let _ = (player.loudness(), player.underruns(), player.fault());
    });
}
