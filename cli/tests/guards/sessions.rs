//! Lists the guarded sessions and the renders of each.

use crate::{golden::kept, lossless_stems};
use soundtrack::{
    Bus, Clip, Damage, Decibels, Format, Frames, Layout, Load, Pan, SampleRate, Session, Spec,
    Track, media::Memory,
};
use std::{
    fs,
    ops::Range,
    path::Path,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
};

/// One session and one way to render it.
pub struct Guard {
    /// Name in `audio.txt`.
    pub name: &'static str,
    pub session: From,
    /// Values set in place of those in the session file.
    pub set: &'static [(&'static str, &'static str)],
    /// Format of the file that is written, where the session has no deliverables.
    pub format: Format,
    /// The range that is rendered; everything without.
    pub range: Option<Range<u64>>,
    pub damage: Damage,
}

/// Source of a session.
pub enum From {
    /// A file in `tests/guards/sessions/`, without its extension.
    File(&'static str),
    /// Code, for what no file can say.
    Code(fn() -> Session),
}

/// Returns a guard of the session file of the same name, into 24 bits.
const fn file(name: &'static str) -> Guard {
    Guard {
        name,
        session: From::File(name),
        set: &[],
        format: Format::WAV_24,
        range: None,
        damage: Damage::Refuse,
    }
}

/// Returns a guard of a session file with values set.
const fn set(
    name: &'static str,
    session: &'static str,
    set: &'static [(&'static str, &'static str)],
) -> Guard {
    Guard {
        session: From::File(session),
        set,
        ..file(name)
    }
}

/// Returns a guard of one layout of the session, into floats, so that the sum of all stems is not clipped.
const fn fold(name: &'static str, layout: &'static [(&'static str, &'static str)]) -> Guard {
    Guard {
        format: Format::WAV_32F,
        ..set(name, "folds", layout)
    }
}

pub const GUARDS: &[Guard] = &[
    file("unity"),
    set("pan-equal-power", "pan", &[]),
    set("pan-between", "pan", &[("pan_law", "between")]),
    set("pan-linear", "pan", &[("pan_law", "linear")]),
    set("pan-square-root", "pan", &[("pan_law", "square-root")]),
    set("pan-balance", "pan", &[("pan_law", "balance")]),
    set(
        "pan-equal-power-unity",
        "pan",
        &[("pan_law", "equal-power-unity")],
    ),
    set("pan-ardour", "pan", &[("pan_law", "ardour")]),
    fold("fold-to-mono", &[("layout", "mono")]),
    fold("fold-to-stereo", &[]),
    fold("fold-to-2.1", &[("layout", "\"2.1\"")]),
    fold("fold-to-lcr", &[("layout", "lcr")]),
    fold("fold-to-lcrs", &[("layout", "lcrs")]),
    fold("fold-to-quad", &[("layout", "quad")]),
    fold("fold-to-5.0", &[("layout", "\"5.0\"")]),
    fold("fold-to-5.1", &[("layout", "\"5.1\"")]),
    fold("fold-to-6.1", &[("layout", "\"6.1\"")]),
    fold("fold-to-7.0", &[("layout", "\"7.0\"")]),
    fold("fold-to-7.1", &[("layout", "\"7.1\"")]),
    file("stated-layout"),
    file("gain"),
    file("surround-automation"),
    Guard {
        format: Format::WAV_32F,
        ..file("fades")
    },
    file("crossfades"),
    file("loops"),
    file("invert"),
    Guard {
        format: Format::WAV_32,
        ..file("sends")
    },
    file("buses"),
    file("mute"),
    file("solo"),
    file("cues"),
    set(
        "cues-muted-track",
        "cues",
        &[
            ("cue.storm.track.horn.mute", "true"),
            ("cue.storm.at", "\"300ms\""),
        ],
    ),
    file("cue-files"),
    file("picture-24"),
    file("picture-2997df"),
    file("picture-23976"),
    file("origin"),
    file("limiter"),
    Guard {
        range: Some(20_001..40_000),
        ..set("limiter-range", "limiter", &[])
    },
    file("limiter-44k"),
    file("limiter-96k-surround"),
    file("codings"),
    Guard {
        format: Format::WAV_16,
        ..set("hot-wav16", "hot", &[])
    },
    set("hot-wav24", "hot", &[]),
    Guard {
        format: Format::WAV_32,
        ..set("hot-wav32", "hot", &[])
    },
    Guard {
        format: Format::WAV_32F,
        ..set("hot-wav32f", "hot", &[])
    },
    Guard {
        format: Format::WAV_16,
        ..set("quiet-undithered", "quiet", &[])
    },
    Guard {
        format: Format::WAV_16,
        ..set("quiet-white", "quiet", &[("master.dither", "white")])
    },
    Guard {
        format: Format::WAV_16,
        ..set(
            "quiet-high-pass",
            "quiet",
            &[("master.dither", "high-pass 7")],
        )
    },
    Guard {
        format: Format::WAV_16,
        ..set(
            "quiet-weighted",
            "quiet",
            &[("master.dither", "weighted 11")],
        )
    },
    Guard {
        format: Format::WAV_16,
        ..set(
            "quiet-weighted-44k",
            "quiet-44k",
            &[("master.dither", "weighted")],
        )
    },
    set("quiet-white-24", "quiet", &[("master.dither", "white 5")]),
    Guard {
        format: Format::WAV_16,
        range: Some(5_003..30_000),
        ..set("quiet-white-range", "quiet", &[("master.dither", "white")])
    },
    file("length"),
    set("length-cut", "length", &[("length", "\"700ms\"")]),
    Guard {
        range: Some(60_000..80_001),
        ..set("range-past-the-end", "length", &[])
    },
    Guard {
        range: Some(31_001..52_345),
        ..set("range-of-cues", "cues", &[])
    },
    file("silence"),
    Guard {
        damage: Damage::Silence,
        ..file("damaged")
    },
    file("streams"),
    file("languages"),
    file("deliver"),
    file("deliver-fit"),
    file("everything"),
    Guard {
        session: From::Code(discrete),
        ..file("discrete")
    },
    Guard {
        session: From::Code(memory),
        format: Format::WAV_32F,
        ..file("memory")
    },
];

/// Samples in memory, from the same arithmetic as the stems.
fn in_memory(name: &'static str, layout: Layout, frames: u32) -> Memory {
    let sample = |channel: usize, frame: u32| {
        lossless_stems::sample(name, channel as u16, frame, frames, 5) as f64 / 2_147_483_648.0
    };
    let channels = (0..layout.channels())
        .map(|ch| (0..frames).map(|n| sample(ch, n)).collect())
        .collect();
    Memory::new(
        Spec {
            rate: SampleRate::HZ_48000,
            layout,
        },
        channels,
    )
    .expect("planes of one length")
}

/// Returns a program's source without positions, whose layout the clip states.
fn discrete() -> Session {
    let mut mix = Session::new(SampleRate::HZ_48000, Layout::Quad);
    let source = || in_memory("discrete", Layout::Discrete(6), 12_000);
    mix.add_track(
        Track::of("a")
            .clip(Clip::new(source()).layout(Layout::Surround51))
            .gain(Decibels(-2.0)),
    );
    mix.add_track(
        Track::of("b")
            .clip(
                Clip::new(source())
                    .layout(Layout::Surround51)
                    .at(Frames(500)),
            )
            .invert(true),
    );
    mix
}

/// Sources of the program instead of files.
fn memory() -> Session {
    let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    let bus = mix.add_bus(Bus::new("bus").gain(Decibels(-0.7)));
    mix.add_track(
        Track::new("mono", in_memory("mono", Layout::Mono, 20_000))
            .pan(Pan(0.3))
            .to(bus),
    );
    mix.add_track(
        Track::new("wide", in_memory("wide", Layout::Surround51, 15_000)).send(bus, Decibels(-9.0)),
    );
    mix
}

/// Goes to a folder with all stems and sessions, which this test program stays in: paths in texts are then relative.
/// Tests work there one at a time, for as long as they hold what is returned.
pub fn enter() -> MutexGuard<'static, tempfile::TempDir> {
    static FOLDER: LazyLock<Mutex<tempfile::TempDir>> = LazyLock::new(|| {
        let folder = tempfile::tempdir().expect("a folder");
        lossless_stems::write(&folder.path().join("stems"));
        for entry in fs::read_dir(kept("sessions")).expect("sessions") {
            let path = entry.expect("a session").path();
            fs::copy(
                &path,
                folder.path().join(path.file_name().expect("its name")),
            )
            .expect("room for it");
        }
        fs::create_dir(folder.path().join("out")).expect("room for it");
        std::env::set_current_dir(folder.path()).expect("the folder");
        Mutex::new(folder)
    });
    // A test that failed leaves nothing that another depends on.
    FOLDER.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Guard {
    /// Returns the session as it is rendered.
    pub fn load(&self) -> Session {
        let mut session = match self.session {
            From::Code(make) => make(),
            From::File(name) => {
                let load = self
                    .set
                    .iter()
                    .fold(Load::default(), |load, (key, value)| load.set(*key, *value));
                load.session(Path::new(name).with_extension("toml"))
                    .unwrap_or_else(|e| panic!("{}: {e}", self.name))
            }
        };
        session.damage = self.damage;
        session
    }

    /// Returns the range that is rendered.
    pub fn range(&self, length: Frames) -> Range<Frames> {
        self.range.as_ref().map_or(Frames::ZERO..length, |range| {
            Frames(range.start)..Frames(range.end)
        })
    }
}
