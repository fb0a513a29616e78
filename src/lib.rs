//! Mixes audio stems into one finished soundtrack, exactly: every output sample is the true sum, rounded once.
//!
//! A [`Session`] states tracks, buses and cues as plain data. The engine decodes the stems, aligns them to the frame,
//! resamples them, balances and sums them in `f64`, and hands the result to a file, to memory or to an output device.
//! Stems may be of any common format, rate and channel layout.
//!
//! To get started, build a `Session` or [load](Session::load) one from a file. Then write it with [`Session::bounce`],
//! get samples with [`Session::render`], or play it with a [`PlayerBuilder`].
//!
//! # Examples
//! Mix three files into one:
//!
//! ```no_run
//! use soundtrack::{Bus, Decibels, Frames, Layout, Pan, SampleRate, Session, Track};
//!
//! let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
//! // Two tracks feed a bus, the third feeds the master.
//! let rhythm = mix.add_bus(Bus::new("rhythm").gain(Decibels(-1.5)));
//! mix.add_track(Track::new("drums", "drums.flac").to(rhythm));
//! mix.add_track(Track::new("bass", "bass.wav").pan(Pan(-0.2)).to(rhythm));
//! mix.add_track(Track::new("vox", "vox_44k.mp3").gain(Decibels(-3.0)));
//!
//! let report = mix.bounce("song.wav")?; // a 24-bit file; peaks, loudness and warnings
//! let start = mix.render(Frames(0)..Frames(480_000))?; // the same samples in memory
//! # Ok::<(), soundtrack::Error>(())
//! ```
//!
//! Load a session file, change it, and write every file that it promises:
//!
//! ```no_run
//! use soundtrack::{Decibels, Delivery, Session};
//!
//! let mut film = Session::load("film.toml")?; // reports every problem of the file at once
//! film.master.gain = Decibels(-1.0);
//! println!("{}", Delivery::new().run(&film)?); // the mix, stems per bus, the album
//! # Ok::<(), soundtrack::Error>(())
//! ```
//!
//! Play a session in real time, and move a fader meanwhile:
//!
//! ```no_run
//! use soundtrack::{Decibels, PlayerBuilder, Session};
//! use std::time::Duration;
//!
//! let mix = Session::load("song.toml")?;
//! let player = PlayerBuilder::new().null(&mix)?; // without hardware; `mix.play()?` with the feature `device`
//! for track in mix.track_ids() {
//!     player.set_gain(track, Decibels(-6.0))?;
//! }
//! player.wait(Duration::from_secs(10)); // until it has ended, at most 10 s
//! # Ok::<(), soundtrack::Error>(())
//! ```
//!
//! The programs `mixdown` and `batch` (package `soundtrack-cli`) are built on this API. The manuals in [`guide`] describe
//! them and the session file.
//!
//! # Map of the API
//! | to | use |
//! |---|---|
//! | state a mix | [`Session`], [`Track`], [`Bus`], [`Clip`], [`Insert`], [`Curve`], [`Fade`] |
//! | place music against picture | [`Cue`], [`Timecode`], [`FrameRate`] |
//! | read and save a session file | [`Session::load`], [`Load`], [`Session::save`] |
//! | check a session and print what it will do | [`Plan`] |
//! | write one file | [`Session::bounce`], [`Bounce`], [`Format`] |
//! | write every file that a session promises | [`Deliverable`], [`Delivery`] |
//! | take files from memory, write them into memory | [`Input::bytes`], [`Input::reader`], [`Bounce::to_bytes`], [`Bounce::to_writer`] |
//! | end a long operation early | [`Cancel`] |
//! | render many short ranges for training | [`Crops`] |
//! | edit a session while it plays | [`Player::update_at`], [`Player::ramp_gain`], [`Renderer::replace`] |
//! | get samples in memory | [`Session::render`], [`Session::render_on`], [`Renderer`] |
//! | play live | [`Player`], [`PlayerBuilder`] |
//! | read peaks, loudness and warnings, or draw them | [`Report`], [`diagnostics`] |
//! | measure loudness and true peak, judge them | [`measure`], [`LoudnessTarget`] |
//! | compare two files, join parts of a mix | [`compare`], [`mod@slice`] |
//! | bring an input, an output or a processor | [`Source`], [`Sink`], [`dsp::Processor`] |
//! | use files in object stores | [`storage`], feature `cloud` |
//!
//! # How it works
//! ```text
//!  Session  ──compile──►  Plan  ──run──►  Renderer  ──►  Sink
//!  plain data             immutable       the only       file · device · memory
//!  all problems at once   graph of nodes  running state
//!
//!  stem ─► Source ─► Reader ─► track: clips ─► inserts ─► fader, pan ─┐
//!          decode    rate                                             ├─► bus: Σ ─► inserts ─► fader, pan ─┐
//!  stem ─► Source ─► Reader ─► track: clips ─► inserts ─► fader, pan ─┘       ▲ sends                      │
//!                                                                                                          ▼
//!                      Sink ◄─ limiter ◄─ fader ◄─ inserts ◄─ master: Σ ◄──────────────────────────────────┘
//! ```
//! Each stem is converted to the session's sample rate once, in its reader, and to the session's channel layout once, in
//! its track. Between the ends all samples are `f64`, full scale ±1.0, planar, in WAVE channel order. Positions are absolute
//! [`Frames`]. The sink converts to the sample format of the output once. Offline rendering and live playback run the same
//! loop with different sinks.
//!
//! # The laws
//! The crate promises nine laws. The tests in `tests/laws` check each of them; laws 1 to 4 are also checked with processors
//! on every strip. [`promises`] lists what happens when something goes wrong, with the test that shows it.
//!
//! | | law | statement |
//! |---|---|---|
//! | 1 | Block | The output does not depend on the block size. It is bit-equal. |
//! | 2 | Thread | The output does not depend on the number of threads. It is bit-equal. |
//! | 3 | Range | [`render(a..c)`](Session::render) equals `render(a..b)` followed by `render(b..c)`. A render that starts at frame n equals the tail of one that starts at 0. Both are bit-equal. |
//! | 4 | Live | A [`Player`]'s device receives exactly what a [`Bounce`] writes, before conversion to the device's sample format. |
//! | 5 | Sync | An impulse at frame t of every stem leaves at the same frame, whatever the codec, sample rate, encoder padding, container timestamps, or latency of the processors on its way. |
//! | 6 | Unity | A stem at 0 dB, centred, in the session's rate and layout, passes bit for bit to a file of the same depth. Nothing clamps, normalises, dithers or limits unless it is asked to. Samples that an integer file must clip are counted and [reported](Report). |
//! | 7 | Silence | Outside clips and tails the signal is exactly 0.0. A gain of −∞ dB gives exactly 0.0. A stem that ends changes no other stem. |
//! | 8 | Exact sum | An output sample is the true sum, rounded once. Integer references agree to the last bit. |
//! | 9 | Refusal | Bad input gives an [`Error`] that names the track, the file and the place. An existing output is never damaged, and no partial file is left. |
//!
//! # The same bytes on every machine
//! Gains, curves, fades, pan, the limiter and dither use basic arithmetic and `libm`, never the system's mathematics. A mix
//! of lossless stems at the session's rate is therefore the same bytes for debug and release builds and for every processor
//! that a build targets.
//!
//! Resampled and lossy stems pass through vector code that is chosen at run time and through the system's sine. They are the
//! same bytes on one machine. Between families of processors and between systems the last bits may differ.
//! `cargo test --test faults determinism` and `.ci/determinism` compare builds.
//!
//! # Features
//! The default build has all features of the first table. It needs Rust alone and opens no network connection.
//!
//! | feature | adds |
//! |---|---|
//! | `aiff-caf` | reading of AIFF and CAF |
//! | `all-codecs` | `codecs-aac`, `codecs-adpcm`, `codecs-alac`, `codecs-mp3` and `codecs-vorbis`: a decoder each; PCM and FLAC are always decoded |
//! | `flac-output` | writing of FLAC |
//! | `player` | [`Player`] |
//! | `meters` | [`Player::levels`]; contains `player` |
//! | `varispeed` | [`Player::set_speed`]; contains `player` |
//! | `serde` | `Serialize` of reports and warnings, `Serialize` and `Deserialize` of units |
//! | `report` | reports as table, JSON, SVG and HTML; contains `serde` |
//! | `session-file` | [`Load`], [`Session::save`], [`Delivery`] and [`interchange`]; contains `report` |
//! | `simd` | AVX2 where the processor has it, for FLAC and WAV; the samples are the same |
//! | `threads` | renders on several cores; without it [`Options::threads`] has no effect |
//!
//! A game that plays music takes
//! `soundtrack = { version = "0.1", default-features = false, features = ["codecs-vorbis", "player"] }`. A stem whose codec
//! is left out is refused with the name of the feature.
//!
//! These are off by default:
//!
//! | feature | adds | needs |
//! |---|---|---|
//! | `device` | playback on output devices (`Session::play`, `devices`); contains `player` | on Linux, the headers of ALSA |
//! | `cloud` | stems, sessions and outputs in object stores | a C compiler |
//! | `dawproject` | [`interchange`] reads and writes DAWproject; contains `session-file` | – |
//!
//! # Terms
//! | term | meaning |
//! |---|---|
//! | sample | one number of one channel |
//! | frame | one sample per channel at one instant |
//! | block | the frames that are processed together |
//! | stem | a recorded instrument as a file |
//! | source | where audio comes from |
//! | clip | a stretch of a source on the timeline |
//! | track, bus, master | the channels of the mixer; each has a strip |
//! | strip | inserts, fader, pan, mute, solo and sends |
//! | insert | a processor on a strip |
//! | key | the signal that controls a processor on another strip (side-chain) |
//! | send | an extra feed from a strip to a bus |
//! | cue | a named piece of music with its own tracks |
//! | use | one placement of a cue against picture |
//! | latency | the frames that a processor looks ahead |
//! | tail | what sounds after the last clip |
//! | deliverable | a file that a session promises |
//! | plan | the strips as an ordered graph of nodes |
//! | sink | where audio goes |
//! | bounce | an offline render into an output |
//! | underrun | frames that a device wanted and did not get |
#![forbid(unsafe_code)]
// On docs.rs, items of a feature say so.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![deny(missing_docs)]
// Small builds leave out users of shared code. That nothing is unused is checked with all features.
#![cfg_attr(
    not(all(
        feature = "aiff-caf",
        feature = "all-codecs",
        feature = "flac-output",
        feature = "meters",
        feature = "session-file",
        feature = "varispeed"
    )),
    allow(dead_code, unused_imports, unused_variables)
)]
#![warn(missing_debug_implementations)]
#![warn(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss
)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "a test that goes wrong should panic"
    )
)]

/// The tests of the player use what the tests of the laws use.
#[cfg(test)]
extern crate self as soundtrack;

// Core.
mod block;
mod cancel;
mod curve;
pub mod error;
mod layout;
mod simd;
mod sync;
#[cfg(feature = "report")]
mod text_table;
mod timecode;
mod units;

// Processing.
pub mod diagnostics;
pub mod dsp;
mod riff;
pub mod storage;

// Audio ends.
pub mod encode;
pub mod measure;
pub mod media;

// From session to sound.
mod engine;
mod plan;
pub mod report;
mod session;

// Ways to run.
mod bounce;
pub mod compare;
mod crops;
#[cfg(feature = "session-file")]
pub mod deliver;
#[cfg(feature = "session-file")]
pub mod interchange;
#[cfg(feature = "player")]
mod player;
pub mod slice;

/// Expands to the documentation of a page of `docs/`: a summary, link definitions, and the text of the file.
///
/// In the files, pages link to each other by file name. The first definition of a link counts, so here the same links lead
/// to modules.
macro_rules! page {
    ($summary:literal, $file:literal) => {
        concat!(
            $summary,
            "\n\n[mixing]: crate::guide::mixing\n",
            "[reports]: crate::guide::reports\n",
            "[playing]: crate::guide::playing\n",
            "[processors]: crate::guide::processors\n",
            "[mastering]: crate::guide::mastering\n",
            "[many machines]: crate::guide::many_machines\n",
            "[formats]: crate::guide::formats\n",
            "[interchange]: crate::guide::interchange\n",
            "[session keys]: crate::guide::session_keys\n",
            "[warnings]: crate::guide::warnings\n",
            "[promises]: crate::promises\n\n",
            include_str!(concat!("../docs/", $file)),
        )
    };
}

#[doc = page!("Lists what is promised when something goes wrong, each promise with the test that shows it.", "promises.md")]
pub mod promises {}

/// The manuals of the session file and of the program `mixdown`, one page per task.
///
/// They are the files of `docs/` in the repository.
pub mod guide {
    #[doc = page!("Command line and session files: stems, cues against picture, deliverables.", "mixing.md")]
    pub mod mixing {}

    #[doc = page!("Formulas of the processors, and the order in which they run.", "processors.md")]
    pub mod processors {}

    #[doc = page!("Seeing a mix and comparing files.", "reports.md")]
    pub mod reports {}

    #[doc = page!("Playing live, on a device or without one.", "playing.md")]
    pub mod playing {}

    #[doc = page!("Loudness, true peak, targets, the limiter and dither.", "mastering.md")]
    pub mod mastering {}

    #[doc = page!("Long lists of mixes on many machines, long mixes in parts, and object stores.", "many-machines.md")]
    pub mod many_machines {}

    #[doc = page!("Formats that are read, refused and written; alignment; known differences from other decoders.", "formats.md")]
    pub mod formats {}

    #[doc = page!("Sessions and spotting of other programs, and what each format carries.", "interchange.md")]
    pub mod interchange {}

    #[doc = page!("Every key of the session file and every processor.", "session-keys.md")]
    pub mod session_keys {}

    #[doc = page!("Every warning, with its cure.", "warnings.md")]
    pub mod warnings {}
}

pub use block::Block;
pub use bounce::{Bounce, Progress};
pub use cancel::Cancel;
pub use crops::Crops;
pub use curve::{Curve, Fade, FadeShape, Point, Shape, UnknownShape};
#[cfg(feature = "session-file")]
pub use deliver::Delivery;
pub use dsp::pan::{PanLaw, UnknownPanLaw};
pub use encode::{Format, Sink};
pub use engine::{Options, Renderer};
pub use error::{Error, ErrorKind, Problem, Result};
pub use layout::{Layout, Spec, UnknownLayout};
pub use measure::LoudnessTarget;
pub use media::{Damage, Input, Opener, Source};
#[cfg(feature = "report")]
pub use plan::PlanSummary;
pub use plan::{Plan, PlannedCue, PlannedUse};
#[cfg(feature = "player")]
pub use player::{Callback, Event, LoudnessSoFar, Player, PlayerBuilder, State, Underruns};
#[cfg(feature = "device")]
pub use player::{DeviceInfo, devices};
#[cfg(feature = "meters")]
pub use player::{Level, Levels};
pub use report::Report;
#[cfg(feature = "session-file")]
pub use session::Load;
pub use session::{
    Album, At, Bus, BusId, BusSend, Clip, Content, Credit, Cue, CueId, CueKind, Deliverable,
    Excerpt, Insert, Marker, Master, Output, Selector, Session, Strip, Track, TrackId,
    UnknownCueKind, UnknownPart, Use,
};
pub use timecode::{FrameRate, NotATimecode, Timecode, UnknownFrameRate};
pub use units::{Dbfs, Dbtp, Decibels, Frames, Gain, Lufs, NotANumber, Pan, SampleRate};

/// The programs of the README are compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
