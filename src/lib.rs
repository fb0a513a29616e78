//! An exact audio stem mixing engine: it decodes instrument stems, aligns and resamples them, balances and sums them into
//! one finished soundtrack, and writes it to a WAV file or hands it to a program.
//!
//! ```no_run
//! use soundtrack::{Bus, Decibels, Frames, Layout, Pan, SampleRate, Session, Track};
//!
//! let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
//! let rhythm = mix.add_bus(Bus::new("rhythm").gain(Decibels(-1.5)));
//! mix.add_track(Track::new("drums", "drums.flac").to(rhythm));
//! mix.add_track(Track::new("bass", "bass.wav").pan(Pan(-0.2)).to(rhythm));
//! mix.add_track(Track::new("vox", "vox_44k.mp3").gain(Decibels(-3.0)));
//!
//! let report = mix.bounce("song.wav")?; // offline; memory does not grow with length
//! println!("{report}");
//! let ten = mix.render(Frames(0)..Frames(480_000))?; // the same samples, in memory
//! # Ok::<(), soundtrack::Error>(())
//! ```
//!
//! # The picture
//! ```text
//!  Session  ──compile──►  Plan  ──run──►  Renderer  ──►  Sink
//!  plain data             immutable       the only       file · device · memory
//!  all problems at once   graph of nodes  running state
//!
//!  one block at a time, always left to right:
//!
//!  file ─► Source ─► Reader ─► track: clips ─► inserts ─► gain, pan ─┐
//!          decode    rate,                                           ├─► bus: Σ ─► inserts ─► gain, pan ─┐
//!  file ─► Source ─► layout ─► track: clips ─► inserts ─► gain, pan ─┘       ▲ sends                     │
//!                                                                                                        ▼
//!                                 Sink ◄─ limiter ◄─ gain ◄─ inserts ◄─ master: Σ ◄───────────────────────┘
//!  └─ conversion to one rate and ─┘└────── planar f64, one rate, one layout, absolute frames ──────┘
//!     layout happens here, once            and to a sample format in the sink, once
//!
//!  live:  Player (any thread) ─commands─► playback thread ─ring─► device callback (copies and counts, no more)
//!                 ▲──────────── atomics: position heard, levels, underruns ─────────────┘
//! ```
//!
//! # The laws
//! What this crate promises. Each law has its test file, and `tests/processors.rs` holds laws 1 to 3 with processors on
//! every strip.
//!
//! | | law | shown by |
//! |---|---|---|
//! | 1 | **Block**: output does not depend on block size; bit-equal. | `tests/block_law.rs` |
//! | 2 | **Thread**: nor on the number of threads; bit-equal. | `tests/thread_law.rs` |
//! | 3 | **Range**: `render(a..c)` is `render(a..b)` and `render(b..c)` joined, and starting at n is the tail of starting at 0; bit-equal. | `tests/range_law.rs` |
//! | 4 | **Live**: a device receives exactly what a bounce writes, before its own sample format. | `tests/live_law.rs` |
//! | 5 | **Sync**: an impulse at frame t of every stem leaves at the same frame, whatever its codec, rate, encoder padding, the timestamps of its container, or the latency of the processors on its way. | `tests/sync_law.rs`, `tests/formats/containers.rs`, `tests/processors.rs` |
//! | 6 | **Unity**: a stem at 0 dB, centred, in the session's rate and layout, passes bit for bit to a file of the same depth. Nothing clamps, normalises, dithers or limits unasked; what an integer file must clip is counted and reported. | `tests/unity_law.rs` |
//! | 7 | **Silence**: outside clips the signal is exactly 0.0, −∞ dB is exactly 0.0, a stem that ends changes no other. | `tests/silence_law.rs` |
//! | 8 | **Exact sum**: an output sample is the true sum rounded once; integer references agree to the last bit. | `tests/unity_law.rs` |
//! | 9 | **Refusal**: bad input gets an error that names the track, the file and the place; an existing output is never damaged and no partial file is left. | `tests/refusal_law.rs` |
//!
//! # The same bytes everywhere
//! Gains, curves, fades, pan, limiter and dither use the same arithmetic on every machine: basic operations, and sine and
//! power from `libm`, never the system's. A mix of lossless stems at the session's rate is therefore the same bytes for any
//! number of threads, blocks and ranges, debug or release, and whatever processor the build is for. Resampled and lossy
//! stems go through vector code that is chosen as the program runs, and through the system's sine: the same bytes on one
//! machine, but the last bits may differ between families of processors and systems.
//! `cargo test --test faults determinism` and `.ci/determinism` compare them, the latter with `SOUNDTRACK_EVERY_CPU=1` also for
//! x86-64-v2, x86-64-v3 and, emulated, aarch64: one hash each for the lossless and the mastered mix, and one for the
//! resampled mix but on aarch64, where it was at most 2.1e-15 away (of 2.2) and the same in a 32-bit float file.
//!
//! # Words
//! **sample** one number of one channel · **frame** one sample per channel at one instant · **block** up to N frames handled
//! together · **stem** a recorded instrument as a file · **source** where audio comes from · **clip** a stretch of a source
//! placed on the timeline · **track**, **bus**, **master** what the user names; each has a **strip**: inserts, gain, pan,
//! mute, solo, sends · **insert** a processor on a strip · **send** an extra feed to a bus · **cue** a named piece of music
//! with its own tracks · **use** one placement of a cue against picture · **latency** frames a processor looks ahead ·
//! **tail** what sounds after the last clip · **deliverable** a file that a session promises · **plan** the strips as a
//! graph of nodes, in order · **sink** where audio goes · **bounce** render offline · **underrun** frames the device
//! wanted and did not get.
//!
//! Samples are `f64`, full scale ±1.0, planar, in WAVE channel order. Positions are whole [`Frames`].
#![forbid(unsafe_code)]
#![deny(missing_docs)]
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
    not(feature = "cloud"),
    expect(
        clippy::infallible_destructuring_match,
        reason = "without object stores a path leads to one kind of place only"
    )
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
mod curve;
pub mod error;
mod layout;
mod sync;
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
pub mod deliver;
mod player;
pub mod slice;

#[doc = include_str!("promises.md")]
pub mod promises {}

#[doc = include_str!("guide_beyond.md")]
pub mod guide_beyond {}

pub use block::Block;
pub use bounce::{Bounce, Progress};
pub use curve::{Curve, Fade, FadeShape, Point, Shape, UnknownShape};
pub use deliver::Delivery;
pub use dsp::pan::{PanLaw, UnknownPanLaw};
pub use encode::{Format, Sink};
pub use engine::{Options, Renderer};
pub use error::{Error, ErrorKind, Problem, Result};
pub use layout::{Layout, Spec, UnknownLayout};
pub use measure::LoudnessTarget;
pub use media::{Damage, Input, Opener, Source};
pub use plan::{Plan, PlannedCue, PlannedUse};
pub use player::{Callback, Level, Levels, LoudnessSoFar, Player, PlayerBuilder, State, Underruns};
#[cfg(feature = "device")]
pub use player::{DeviceInfo, devices};
pub use report::Report;
pub use session::{
    At, Bus, BusId, Clip, Content, Cue, CueId, CueKind, Deliverable, Insert, Load, Marker, Master,
    Output, Selector, Send, Session, Strip, Track, TrackId, UnknownCueKind, Use,
};
pub use timecode::{FrameRate, NotATimecode, Timecode, UnknownFrameRate};
pub use units::{Dbfs, Dbtp, Decibels, Frames, Gain, Lufs, NotANumber, Pan, SampleRate};

/// The programs of the README are compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
