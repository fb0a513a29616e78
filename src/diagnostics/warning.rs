//! Warnings: what was done or found that changes nothing by itself, but that the user should know.

use crate::error::one_line;
use serde::{Serialize, Serializer};
use std::fmt;

/// Something that the user should know.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Warning {
    /// What was found. Its stable code is the key `code` of the JSON form.
    #[serde(rename = "code")]
    pub kind: WarningKind,
    /// The track it concerns.
    pub track: Option<String>,
    /// The file it concerns.
    pub file: Option<String>,
    /// One sentence.
    pub text: String,
}

/// Declares the kinds of warnings: for each its name, code, severity and the sentence that explains it.
macro_rules! warning_kinds {
    ($($name:ident $code:literal $severity:ident $summary:literal,)+) => {
        /// The kinds of warnings, each with a stable code.
        ///
        /// ```
        /// use soundtrack::report::WarningKind;
        /// assert_eq!(WarningKind::ClippedOutput.code(), "W101");
        /// assert!(WarningKind::Resampled.is_note());
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum WarningKind {
            $(#[doc = concat!("`", $code, "`: ", $summary)] $name,)+
        }

        impl WarningKind {
            /// Every kind, in the order of the codes.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Returns the stable code, such as `W101`.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)+
                }
            }

            /// Returns one sentence that explains the warning.
            #[must_use]
            pub fn summary(self) -> &'static str {
                match self {
                    $(Self::$name => $summary,)+
                }
            }

            fn severity(self) -> Severity {
                match self {
                    $(Self::$name => Severity::$severity,)+
                }
            }
        }
    };
}

/// How much a kind of warning matters.
#[derive(PartialEq)]
enum Severity {
    /// States what was done as asked.
    Note,
    /// Points at what may be wrong.
    Warning,
}

warning_kinds! {
    ClippedOutput "W101" Warning "Samples of the output were clipped.",
    Resampled "W102" Note "A stem was resampled.",
    MonoPanned "W103" Note "A mono stem was placed by the pan law.",
    Folded "W104" Note "A stem's layout was folded into the session's.",
    UnequalStems "W105" Note "The stems of a cue, each played whole, are not of one length.",
    SilentStem "W106" Warning "A stem is silent.",
    ConstantOffset "W107" Warning "A track has a constant offset.",
    DuplicateStems "W108" Warning "Two tracks play the same sound at the same time.",
    AbruptClip "W109" Warning "A clip starts or ends abruptly.",
    OppositePolarity "W110" Warning "Left and right are each other upside down.",
    UnheardTrack "W111" Warning "A track is not heard, though it is not muted.",
    ReducedDepth "W112" Warning "A stem has more bits than the output, and was not dithered.",
    WrongHeaderLength "W113" Warning "A header states a wrong length.",
    RoundedTimecode "W114" Note "A timecode lies between two frames: what stands there was placed at the nearest, at most half a frame beside.",
    ReplacedBySilence "W115" Warning "Damaged data, or what a stem that is cut off lacks, was replaced by silence.",
    Overload "W116" Warning "A stem is above +24 dBFS, whatever its fader makes of it, or its strip lifts it above. A player mutes such a stem.",
    NonFiniteSamples "W117" Warning "Samples that were not finite, or beyond any level, were replaced by silence.",
    UnknownDelay "W118" Warning "The format does not say how much delay its encoder added.",
    StemsDoNotAddUp "W119" Warning "The stems of a deliverable do not add up to its mix.",
}

impl WarningKind {
    /// Reports whether the warning only states what was done as asked.
    #[must_use]
    pub fn is_note(self) -> bool {
        self.severity() == Severity::Note
    }
}

impl fmt::Display for WarningKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl Serialize for WarningKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.kind)?;
        if let Some(track) = &self.track {
            write!(f, "track {track:?}: ")?;
        }
        if let Some(file) = &self.file {
            write!(f, "{}: ", one_line(file.clone()))?;
        }
        f.write_str(&one_line(self.text.clone()))
    }
}
