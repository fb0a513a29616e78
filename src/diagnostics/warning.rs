//! Warnings about a mix, each with a stable code.
//!
//! The call of `registry!` below is the only place that states a warning's code, severity,
//! explanation and remedy. `Display` formats the sentence about one occurrence from the data of
//! [`WarningKind`].

use super::flaw::FlawKind;
use crate::{
    dsp::pan::PanLaw,
    error::{Subject, counted, one_line},
    layout::Layout,
    timecode::Timecode,
    units::{Dbfs, Dbtp, Decibels, Frames, SampleRate},
};
#[cfg(feature = "serde")]
use serde::{Serialize, Serializer, ser::SerializeStruct};
use std::fmt;

/// Warning or note about a mix. It has no effect on the audio.
///
/// The JSON form has the keys `code`, `track`, `file` and `text`; the text form is one line.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Warning {
    /// Kind of warning, with its levels, counts and positions.
    pub kind: WarningKind,
    /// Track, file or other part of the session that the warning is about.
    pub subject: Subject,
}

/// Severity of a kind of warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// States what was done, as requested.
    Note,
    /// Points at a possible mistake.
    Warning,
}

/// Registry entry of one kind of warning.
///
/// ```
/// use soundtrack::diagnostics::{Severity, WarningInfo};
/// let info = WarningInfo::find("W102").unwrap();
/// assert_eq!((info.name, info.severity), ("Resampled", Severity::Note));
/// assert_eq!(WarningInfo::ALL[0].code, "W101");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WarningInfo {
    /// Stable code, such as `W101`.
    pub code: &'static str,
    /// Name of the variant of [`WarningKind`].
    pub name: &'static str,
    /// Severity.
    pub severity: Severity,
    /// Explanation in one or two sentences.
    pub summary: &'static str,
    /// Remedy.
    pub cure: &'static str,
}

impl WarningInfo {
    /// Returns the entry with a code; upper and lower case are equal.
    #[must_use]
    pub fn find(code: &str) -> Option<&'static Self> {
        Self::ALL
            .iter()
            .find(|info| info.code.eq_ignore_ascii_case(code))
    }
}

/// Declares the kinds of warnings: code, severity, name and data, explanation, remedy.
macro_rules! registry {
    ($(
        $code:literal $severity:ident $name:ident {
            $($(#[$about:meta])* $field:ident: $of:ty,)*
        }
        $summary:literal
        $cure:literal
    )+) => {
        /// The kinds of warnings, each with a stable code and the data of one occurrence.
        ///
        /// ```
        /// use soundtrack::diagnostics::WarningKind;
        /// # use soundtrack::{Frames, Layout, SampleRate, Session, Spec, Track, media::Memory};
        /// # let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
        /// # let mut mix = Session::new(spec.rate, Layout::Stereo);
        /// # mix.add_track(Track::new("vox", Memory::new(spec, vec![vec![0.0; 480]])?));
        /// # let folder = tempfile::tempdir()?;
        /// let report = mix.bounce(folder.path().join("mix.wav"))?;
        /// let kinds: Vec<&WarningKind> = report.warnings.iter().map(|w| &w.kind).collect();
        /// assert!(matches!(kinds[..], [WarningKind::MonoPanned { .. }, WarningKind::SilentStem { .. }]));
        /// assert_eq!((kinds[0].code(), kinds[0].is_note()), ("W103", true));
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum WarningKind {
            $(
                #[doc = concat!("`", $code, "`, a ", registry!(@word $severity), ": ", $summary, "\n\nCure: ", $cure)]
                #[non_exhaustive]
                $name { $($(#[$about])* $field: $of,)* },
            )+
        }

        impl WarningInfo {
            /// All kinds, in the order of their codes.
            pub const ALL: &'static [Self] = &[$(registry!(@info $code $severity $name $summary $cure)),+];
        }

        impl WarningKind {
            /// Returns the registry entry of this kind.
            #[must_use]
            pub fn info(&self) -> &'static WarningInfo {
                match self {
                    $(Self::$name { .. } => const { &registry!(@info $code $severity $name $summary $cure) },)+
                }
            }
        }
    };
    (@info $code:literal $severity:ident $name:ident $summary:literal $cure:literal) => {
        WarningInfo {
            code: $code,
            name: stringify!($name),
            severity: Severity::$severity,
            summary: $summary,
            cure: $cure,
        }
    };
    (@word Note) => { "note" };
    (@word Warning) => { "warning" };
}

registry! {
    "W101" Warning ClippedOutput {
        /// Number of clipped samples.
        samples: u64,
        /// Sample peak before conversion to the output format.
        peak: Dbfs,
    }
    "Samples of the output were clipped: an integer format ends at full scale."
    "Lower the master (or the bus of a stem), or write wav32f, which keeps what is above full scale."

    "W102" Note Resampled {
        /// Sample rate of the stem.
        from: SampleRate,
        /// Sample rate of the session.
        to: SampleRate,
    }
    "A stem was resampled to the session's rate."
    "Nothing to do. To mix without resampling, set the session's rate to that of the stems."

    "W103" Note MonoPanned {
        /// Pan law.
        law: PanLaw,
        /// Gain of each side at the centre.
        centre: Decibels,
    }
    "A mono stem was placed between left and right by the pan law."
    "Nothing to do. The warning states the level in the centre; the pan law `balance` keeps it."

    "W104" Note Folded {
        /// Layout of the stem.
        from: Layout,
        /// Layout of the session.
        to: Layout,
    }
    "A stem's layout was folded into the session's."
    "Nothing to do. If the stem's layout is stated wrongly in its file, state it with `layout` at the track or clip."

    "W105" Note UnequalStems {
        /// Stem that ends first.
        shortest: StemEnd,
        /// Stem that ends last.
        longest: StemEnd,
    }
    "The stems of a cue, each played whole from its start, differ in length."
    "Nothing to do if this is intended. Otherwise export the stems again, all from the same start to the same end."

    "W106" Warning SilentStem {
        /// Silent part of the stem.
        silence: Silence,
    }
    "A stem is silent wherever it is used."
    "Check that it is the right file, and that it was exported with its track audible; otherwise remove the track."

    "W107" Warning ConstantOffset {
        /// Mean of the samples.
        mean: Dbfs,
    }
    "A track has a constant offset (DC), which wastes level and clicks where it is cut."
    "Filter the stem with a high-pass below 20 Hz, or export it again with the offset removed."

    "W108" Warning DuplicateStems {
        /// Track that plays the same audio.
        twin: String,
    }
    "Two tracks play the same audio at the same time; at equal gains that is 6 dB louder than one."
    "Remove one of the tracks, or mute it."

    "W109" Warning AbruptClip {
        /// Level of the first sample, if it is too high.
        start: Option<Dbfs>,
        /// Level of the last sample, if it is too high.
        end: Option<Dbfs>,
    }
    "A clip starts or ends abruptly, which may be heard as a click."
    "Give the clip a short `fade_in` or `fade_out`, or move its edge to a quiet passage."

    "W110" Warning OppositePolarity {}
    "Left and right have opposite polarity: they cancel when they are summed to mono."
    "Invert one channel of the stem. The usual cause is a cable with swapped conductors."

    "W111" Warning UnheardTrack {
        /// Reason why the track is not heard.
        reason: Unheard,
    }
    "A track is not heard although it is not muted."
    "Raise its fader, unmute a bus it feeds or move it before the end of the mix; mute it if it is not meant to be heard."

    "W112" Warning ReducedDepth {
        /// Bits per sample of the output.
        bits: u16,
        /// Number of further tracks with such stems.
        more_tracks: usize,
    }
    "A stem has more bits than the output, which was not dithered."
    "Write a deeper format, such as wav24, or dither (`--dither`, or `dither` in the session)."

    "W113" Warning WrongHeaderLength {
        /// Number of frames stated in the header.
        stated: Frames,
        /// Number of frames found and used.
        found: Frames,
    }
    "A header states a length that differs from the contents of the file; the audio present is used."
    "If the header states more, compare the file with its original: a copy may be truncated. If it states less or 0, the program that wrote the file did not complete the header. Exporting the file again corrects it."

    "W114" Note RoundedTimecode {
        /// Position between two frames.
        position: OffGrid,
        /// Sample rate of the session.
        rate: SampleRate,
    }
    "A position lies between two frames of audio and was placed at the nearest, at most half a frame away."
    "Nothing to do: half a frame is about a hundredth of a millisecond. A timecode on a full second lies on a frame at whole rates."

    "W115" Warning ReplacedBySilence {
        /// Regions that were replaced.
        stretch: SilencedStretch,
    }
    "Damaged data, the missing end of a truncated stem, or what an MP3 that was cut out of a longer one no longer holds, was replaced by silence."
    "Replace the file: copy or export it again."

    "W116" Warning Overload {
        /// Stage at which the level occurred.
        stage: OverloadStage,
        /// Sample peak.
        peak: Dbfs,
        /// Time from which a player muted the stem.
        muted_from: Option<ClockTime>,
    }
    "A stem exceeds +24 dBFS before its strip, or because of the gain of its strip. A player mutes a stem that is too loud before its strip."
    "Listen to the stem alone: most often its file is damaged. If only its strip is too loud, lower the gain."

    "W117" Warning NonFiniteSamples {
        /// Location of the samples.
        place: NonFinite,
    }
    "Samples that were not finite, or too large for the output, were replaced by silence."
    "Export the stem again. If it is the mix that is too large, lower the gains."

    "W118" Warning UnknownDelay {}
    "A lossy encoder adds silence before the audio, and the file does not state how much, so none is removed and the stem may be late: usually by 1105 frames in MP3, 481 in MP2 and 1024 to 2112 in AAC, at the file's own rate."
    "Use a lossless stem, or a file that states its delay: MP3 with a LAME tag, AAC in M4A or Matroska instead of ADTS. If the delay is known, skip it with the clip's `from`."

    "W119" Warning StemsDoNotAddUp {
        /// Reason.
        reason: StemMismatch,
    }
    "The stems of a deliverable do not add up to its mix."
    "Name every bus that feeds the master, route all tracks to one of them, leave the master without gain and limiter, and give the stems the gain of a mix that is fitted to its loudness with `gain_of`."

    "W120" Warning UnusedAudio {
        /// Number of frames in the chunks that are not used.
        frames: Frames,
    }
    "A WAVE file has more than one `data` chunk; only the first is used, as the format allows no other."
    "Export the file again, or join its parts: the audio after the first chunk is not used."

    "W121" Warning TimestampGaps {
        /// True if the timestamps are ignored because they go back or are damaged; false if they
        /// leave silence.
        ignored: bool,
        /// Number of gaps.
        places: usize,
        /// Total length of all gaps, in frames at the file's rate.
        frames: Frames,
        /// Position of the first gap in the file.
        at: ClockTime,
    }
    "The timestamps of a stem's container are not continuous: they leave gaps, which are silent in the mix, or they go back or are damaged, and the audio continues without a gap."
    "Listen to the stem there. If the silence is not intended, or audio is missing, export the stem again."

    "W122" Warning UnknownEnd {}
    "A stem is truncated, and its file does not state how much is missing. The stem ends where its data ends."
    "Replace the file: copy or export it again."

    "W123" Warning UnplacedCue {}
    "A cue has no placement, so it is not in the mix, and no album contains it either."
    "Place the cue with `at` or under `use`. Mute it if it is left out on purpose, or deliver it with `album = true`."

    "W124" Warning PassedOver {
        /// Folders, relative to that of the session file.
        folders: Vec<String>,
    }
    "A folder that a pattern of a cue searches has subfolders with audio, which patterns do not search."
    "Add a pattern for each folder, such as `files = [\"*.wav\", \"takes/*.wav\"]`, or move unrelated audio elsewhere."

    "W125" Warning IncompleteShares {
        /// Persons that share: composers or publishers.
        of: Sharers,
        /// Sum of their shares in percent.
        total: f64,
        /// Line of the session file, counted from 1; `None` if the cue does not come from a file.
        line: Option<usize>,
    }
    "The shares of a cue's composers or publishers do not add up to 100 %."
    "State the shares of all of them, such as `composer = [\"A. Writer (PRS) 60%\", \"B. Writer (GEMA) 40%\"]`, or of none."

    "W126" Warning ChecksumDiffers {}
    "A FLAC file states another MD5 than its audio has, though the checksum of every frame is right. Reports of a file check this, mixes do not."
    "Compare the file with its original, and encode it again: what wrote the file changed the audio, or stated a wrong checksum."

    "W127" Warning LargeGain {
        /// Gain of the fader in dB.
        gain_db: f64,
    }
    "A fader of a session file is above +24 dB."
    "Check the number: a sign or a decimal point may be missing. A stem that is so quiet is better exported again at a higher level."

    "W128" Warning PlacementKept {
        /// First frame of the placement that is not in the range.
        at: ClockTime,
    }
    "A cue sounds in the range that a delivery replaces, and outside of it too. What is outside keeps its old sound."
    "If the cue itself has changed, widen the range over all its placements, or deliver the whole without a range."

    "W129" Warning MarkerAfterEnd {
        /// Name of the marker.
        marker: String,
        /// Place of the marker.
        at: ClockTime,
    }
    "A marker lies after the end of the mix, so no file has it."
    "Move the marker, or set `length` so that the mix contains it."

    "W130" Note CutByLength {
        /// Place at which the mix ends.
        at: ClockTime,
        /// Number of frames of the track that come after it.
        frames: Frames,
    }
    "The `length` of the session ends while a track plays."
    "Fade the track out before, or set a greater `length`."
}

/// Persons that share the rights in a cue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Sharers {
    /// Composers.
    Composers,
    /// Publishers.
    Publishers,
}

/// Frame of a timeline at a sample rate, displayed as `hh:mm:ss.mmm`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClockTime {
    /// Frame, counted from 0.
    pub frame: Frames,
    /// Sample rate.
    pub rate: SampleRate,
}

/// End of a stem of a cue.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StemEnd {
    /// Name of the track.
    pub track: String,
    /// Time from the start of the cue.
    pub at: ClockTime,
}

/// Silent part of a stem.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Silence {
    /// Empty file.
    NoFrames,
    /// Whole mix.
    Whole,
    /// Rendered range.
    Range {
        /// First frame of the range.
        from: ClockTime,
        /// Frame after the last of the range.
        to: ClockTime,
    },
}

/// Reason why an unmuted track is not heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unheard {
    /// All clips start after the end of the mix.
    AfterEnd,
    /// The fader is at −∞ dB.
    FaderDown,
    /// Every bus that the track feeds is muted or at −∞ dB.
    OutputsMuted,
}

/// Position between two frames of audio.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum OffGrid {
    /// Timecode.
    Timecode {
        /// Timecode as written.
        timecode: Timecode,
        /// Distance of the chosen frame from the timecode in frames of audio, above −0.5 and up to
        /// 0.5.
        offset: f64,
    },
    /// Time reference of a Broadcast-WAV file, at the rate of that file.
    TimeReference {
        /// Time reference as stated in the file.
        reference: Frames,
    },
}

/// Regions of a stem that were replaced by silence for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SilencedStretch {
    /// Kind of fault.
    pub flaw: FlawKind,
    /// Start of the first region.
    pub at: ClockTime,
    /// Number of regions.
    pub places: u64,
    /// Total length in frames at the session's rate.
    pub frames: u64,
    /// Message of the decoder about the first region.
    pub detail: String,
}

/// Stage at which a level far above that of normal recordings occurred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OverloadStage {
    /// In the stem, before its strip.
    Stem,
    /// After the strip, because of its gain.
    Strip,
}

/// Location of non-finite samples.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NonFinite {
    /// In a stem.
    Stem(SilencedStretch),
    /// In the mix, with the number of samples.
    Mix(u64),
}

/// Reason why the stems of a deliverable do not add up to its mix.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum StemMismatch {
    /// They add up to the mix before the master, which changes it.
    Master(Vec<MasterStage>),
    /// They have another gain than the mix.
    Turned {
        /// Name of the deliverable that contains the mix.
        mix: String,
        /// Gain of the mix above that of the stems.
        gain: Decibels,
    },
    /// The stems leave out part of the mix, or contain a part twice.
    Coverage {
        /// Other strips that feed the master.
        missing: Vec<Subject>,
        /// Stems that also feed another stem's bus.
        nested: Vec<NestedStem>,
    },
}

/// Processing that the master applies to the sum of its inputs.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum MasterStage {
    /// Inserts, of which this is the number.
    Inserts(usize),
    /// Automated gain.
    MovingGain,
    /// Constant gain.
    Gain(Decibels),
    /// Limiter with this ceiling.
    Limit(Dbtp),
}

/// Stem whose signal is also part of another stem.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NestedStem {
    /// The stem.
    pub stem: Subject,
    /// Bus that the stem feeds.
    pub into: Subject,
}

impl WarningKind {
    /// Returns the stable code, such as `W101`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.info().code
    }

    /// Returns true if the warning only states what was done, as requested.
    #[must_use]
    pub fn is_note(&self) -> bool {
        self.info().severity == Severity::Note
    }
}

impl Warning {
    pub(crate) fn new(kind: WarningKind, subject: Subject) -> Self {
        Self { kind, subject }
    }

    /// Returns the name of the track that the warning is about, if it is about one.
    #[must_use]
    pub fn track(&self) -> Option<&str> {
        match &self.subject {
            Subject::Track { name, .. } => Some(name),
            _ => None,
        }
    }

    /// Returns the file of that track, or the file that the warning is about.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        match &self.subject {
            Subject::Track { file, .. } => file.as_deref(),
            Subject::File { path } => Some(path),
            _ => None,
        }
    }

    /// Returns the sentence that complements [`track`](Self::track) and [`file`](Self::file). It
    /// starts with the subject if that is a cue, a deliverable, a bus or the master.
    #[must_use]
    pub fn text(&self) -> String {
        match &self.subject {
            Subject::Cue { .. }
            | Subject::Deliverable { .. }
            | Subject::Bus { .. }
            | Subject::Master => {
                format!("{}: {}", self.subject, self.sentence())
            }
            _ => self.sentence(),
        }
    }

    /// Returns the line of [`Display`](fmt::Display) without the code.
    #[must_use]
    pub fn message(&self) -> String {
        match &self.subject {
            Subject::Track { .. } | Subject::File { .. } => {
                format!("{}: {}", self.subject, one_line(self.text()))
            }
            _ => one_line(self.text()),
        }
    }

    /// Returns the sentence without the subject.
    fn sentence(&self) -> String {
        match (&self.kind, &self.subject) {
            // The gain to lower is that of the stem's or cue's own strip, not of the master.
            (WarningKind::ClippedOutput { samples, peak }, subject @ Subject::Output { .. }) => {
                let samples = counted(*samples, "sample");
                format!(
                    "{samples} of {subject} clipped, it peaks at {peak:.2}: write wav32f, or lower it"
                )
            }
            (kind, _) => kind.to_string(),
        }
    }
}

/// Formats the sentence, without code and subject.
impl fmt::Display for WarningKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClippedOutput {
                samples,
                peak: Dbfs(peak),
            } => {
                // Rounded up to the next tenth, and above 0 even for a peak at exactly full scale.
                let too_much = ((peak * 10.0).floor() + 1.0) / 10.0;
                let samples = counted(*samples, "sample");
                write!(
                    f,
                    "{samples} clipped, the mix peaks at {peak:+.2} dBFS: lower the master by {too_much:.1} dB, or write \
                     wav32f"
                )
            }
            Self::Resampled { from, to } => write!(f, "resampled from {from} to {to} Hz"),
            Self::MonoPanned { law, centre } => {
                write!(f, "mono, placed by the {law} pan law (centre {centre})")
            }
            Self::Folded { from, to } => {
                let lost = if from.loses_lfe(*to) {
                    ", the LFE left out"
                } else {
                    ""
                };
                write!(f, "folded from {from} to {to}{lost}")
            }
            Self::UnequalStems { shortest, longest } => {
                write!(f, "its stems differ in length: {shortest}, {longest}")
            }
            Self::SilentStem { silence } => match silence {
                Silence::NoFrames => f.write_str("has no frames"),
                Silence::Whole => f.write_str("is silent"),
                // A range within one millisecond has one clock time.
                Silence::Range { from, to } if from.to_string() == to.to_string() => {
                    write!(f, "is silent at {from}")
                }
                Silence::Range { from, to } => write!(f, "is silent from {from} to {to}"),
            },
            Self::ConstantOffset { mean } => {
                write!(f, "its mean is not 0 but {mean:.1}: a constant offset")
            }
            Self::DuplicateStems { twin } => {
                write!(f, "the same sound as track {twin:?}, at the same time")
            }
            Self::AbruptClip { start, end } => {
                let start = start.map(|level| format!("starts at {level:.1}"));
                let end = end.map(|level| format!("ends at {level:.1}"));
                let edges = start
                    .into_iter()
                    .chain(end)
                    .collect::<Vec<_>>()
                    .join(" and ");
                write!(
                    f,
                    "{edges}, which may click: fade it, or place it elsewhere"
                )
            }
            Self::OppositePolarity {} => {
                f.write_str("left and right have opposite polarity: they cancel in mono")
            }
            Self::UnheardTrack { reason } => f.write_str(match reason {
                Unheard::AfterEnd => "is not heard: it lies after the end of the mix",
                Unheard::FaderDown => "is not heard: its fader is all the way down",
                Unheard::OutputsMuted => {
                    "is not heard: every bus it feeds is muted or turned all the way down"
                }
            }),
            Self::ReducedDepth { bits, more_tracks } => {
                let more = match more_tracks {
                    0 => String::new(),
                    1 => " and 1 more track".to_owned(),
                    n => format!(" and {n} more tracks"),
                };
                write!(
                    f,
                    "more than {bits} bits{more}, rounded to {bits} without dither"
                )
            }
            Self::WrongHeaderLength { stated, found } => {
                write!(
                    f,
                    "its header says {}, {found} were found and used",
                    counted(stated.0, "frame")
                )
            }
            Self::RoundedTimecode { position, rate } => match position {
                OffGrid::Timecode { timecode, offset } => {
                    write!(
                        f,
                        "{timecode} lies between two frames at {rate} Hz: placed {offset:+.3} frames off"
                    )
                }
                OffGrid::TimeReference { reference } => write!(
                    f,
                    "its time reference of {reference} frames lies between two frames at {rate} Hz: placed at the \
                     nearest"
                ),
            },
            Self::ReplacedBySilence { stretch }
            | Self::NonFiniteSamples {
                place: NonFinite::Stem(stretch),
            } => stretch.fmt(f),
            Self::Overload {
                stage,
                peak,
                muted_from,
            } => {
                if let Some(time) = muted_from {
                    write!(f, "muted from {time} on: ")?;
                }
                let prefix = if *stage == OverloadStage::Stem {
                    "its stem "
                } else {
                    ""
                };
                write!(
                    f,
                    "{prefix}peaks at {peak:.1}, far above the level of normal recordings"
                )
            }
            Self::NonFiniteSamples {
                place: NonFinite::Mix(samples),
            } => {
                let samples = counted(*samples, "sample");
                write!(
                    f,
                    "{samples} of the mix too large for the format, written as 0: lower the gains"
                )
            }
            Self::UnknownDelay {} => f.write_str(
                "the file does not say how much delay its encoder added, so none is removed",
            ),
            Self::StemsDoNotAddUp { reason } => reason.fmt(f),
            Self::UnusedAudio { frames } => write!(
                f,
                "a second data chunk of {} is not used: only the first is heard",
                counted(frames.0, "frame")
            ),
            Self::UnknownEnd {} => f.write_str("it is cut off, and how much is missing is unknown"),
            Self::TimestampGaps {
                ignored,
                places,
                frames,
                at,
            } => {
                let frames = counted(frames.0, "frame");
                if *ignored {
                    write!(f, "timestamps in it that are off by {frames} are ignored")?;
                } else {
                    write!(f, "the timestamps in it leave {frames} of silence")?;
                }
                if *places == 1 {
                    write!(f, " at {at}")
                } else {
                    write!(f, " in {places} places, first at {at}")
                }
            }
            Self::ChecksumDiffers {} => {
                f.write_str("its audio does not have the MD5 that the file states")
            }
            Self::PlacementKept { at } => write!(
                f,
                "it sounds outside the range too, at {at}: there the files keep its old sound"
            ),
            Self::MarkerAfterEnd { marker, at } => write!(
                f,
                "marker {marker:?} at {at} lies after the end, so no file has it"
            ),
            Self::CutByLength { at, frames } => write!(
                f,
                "the length of the session ends it at {at}, {} early",
                counted(frames.0, "frame")
            ),
            Self::LargeGain { gain_db } => write!(f, "its gain of {gain_db:+} dB is above +24 dB"),
            Self::UnplacedCue {} => {
                f.write_str("it has no placement, so nothing of it is in the mix: add at or a use")
            }
            Self::IncompleteShares { of, total, line } => {
                let of = match of {
                    Sharers::Composers => "composers",
                    Sharers::Publishers => "publishers",
                };
                let total = (100.0 * total).round() / 100.0;
                write!(
                    f,
                    "the shares of its {of} add up to {total} %, not to 100 %"
                )?;
                line.map_or(Ok(()), |line| write!(f, " (line {line})"))
            }
            Self::PassedOver { folders } => {
                let s = if folders.len() == 1 { "" } else { "s" };
                write!(
                    f,
                    "its file patterns do not include the folder{s} with audio {}",
                    folders.join(", ")
                )
            }
        }
    }
}

impl fmt::Display for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.frame.clock(self.rate))
    }
}

impl fmt::Display for StemEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} ends at {}", self.track, self.at)
    }
}

impl fmt::Display for SilencedStretch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            flaw,
            at,
            places,
            frames,
            detail,
        } = self;
        write!(f, "{flaw} at {at}")?;
        if *places > 1 {
            write!(f, " and {} more places", places - 1)?;
        }
        let frames = counted(*frames, "frame");
        write!(f, ", {frames} silenced: {detail}")
    }
}

impl fmt::Display for StemMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Master(stages) => {
                let stages: Vec<String> = stages.iter().map(ToString::to_string).collect();
                write!(
                    f,
                    "its stems add up to the mix before the master, which has {}",
                    stages.join(" and ")
                )
            }
            Self::Turned { mix, gain } => {
                let direction = if gain.0 < 0.0 { "lower" } else { "higher" };
                write!(
                    f,
                    "its stems do not add up to deliverable {mix:?}, whose gain is {:.2} dB {direction}; gain_of = {mix:?} gives them the same",
                    gain.0.abs()
                )
            }
            Self::Coverage { missing, nested } => {
                let names: Vec<String> = missing.iter().map(ToString::to_string).collect();
                let missing = match names.split_last() {
                    None => None,
                    Some((last, [])) => Some(format!("{last} is in the mix and in none of them")),
                    Some((last, others)) => Some(format!(
                        "{} and {last} are in the mix and in none of them",
                        others.join(", ")
                    )),
                };
                let nested = nested
                    .iter()
                    .map(|n| format!("{} is heard inside {}", n.stem, n.into));
                let gaps: Vec<String> = missing.into_iter().chain(nested).collect();
                write!(f, "its stems do not add up to the mix: {}", gaps.join("; "))
            }
        }
    }
}

impl fmt::Display for MasterStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inserts(1) => f.write_str("an insert"),
            Self::Inserts(count) => write!(f, "{count} inserts"),
            Self::MovingGain => f.write_str("an automated gain"),
            Self::Gain(gain) => write!(f, "a gain of {gain:.1}"),
            Self::Limit(ceiling) => write!(f, "a limit of {ceiling:.1}"),
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.code(), self.message())
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Note => "note",
            Self::Warning => "warning",
        })
    }
}

#[cfg(feature = "serde")]
impl Serialize for Warning {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut json = serializer.serialize_struct("Warning", 4)?;
        json.serialize_field("code", self.kind.code())?;
        json.serialize_field("track", &self.track())?;
        json.serialize_field("file", &self.file())?;
        json.serialize_field("text", &self.text())?;
        json.end()
    }
}
