//! Formats of output files: a container and a sample encoding.

use super::{Container, Encoder, Options, containers};
use crate::{dsp::quantise::Width, layout::Spec, units::Frames};
use std::{fmt, path::Path, str::FromStr};

/// Encoding of samples in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Encoding {
    /// 16-bit integers.
    Int16,
    /// 24-bit integers.
    Int24,
    /// 32-bit integers.
    Int32,
    /// 32-bit floating point, for any level.
    Float32,
}

impl Encoding {
    /// Returns the number of bits per sample.
    #[must_use]
    pub fn bits(self) -> u16 {
        match self {
            Self::Int16 => 16,
            Self::Int24 => 24,
            Self::Int32 | Self::Float32 => 32,
        }
    }

    /// Returns true if samples are floating point.
    #[must_use]
    pub fn is_float(self) -> bool {
        self == Self::Float32
    }

    pub(crate) fn width(self) -> Width {
        match self {
            Self::Int16 => Width::I16,
            Self::Int24 => Width::I24,
            Self::Int32 => Width::I32,
            Self::Float32 => Width::F32,
        }
    }
}

/// Format of an output file: container and sample encoding. The default is
/// [`WAV_24`](Self::WAV_24).
///
/// Each format has a name, which [`FromStr`] and [`Display`](fmt::Display) use: `wav16`, `wav24`, `wav32`, `wav32f`,
/// `flac16`, `flac24`.
///
/// # File names
/// The extension of a file name must be one of the container's [`extensions`](Self::extensions), in
/// upper or lower case, or be missing. Everything that writes audio refuses other names, such as
/// `song.mp3` for `wav24`, before any stem is opened.
///
/// ```
/// use soundtrack::encode::Format;
/// assert_eq!("wav24".parse(), Ok(Format::WAV_24));
/// assert_eq!(Format::WAV_32F.to_string(), "wav32f");
/// assert_eq!(Format::WAV_32F.extensions(), ["wav", "wave", "bwf", "rf64"]);
/// assert_eq!(Format::FLAC_24.extensions(), ["flac"]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Format {
    /// Container.
    pub container: Container,
    /// Sample encoding.
    pub encoding: Encoding,
}

impl Format {
    /// WAVE with 16-bit integers.
    pub const WAV_16: Self = Self {
        container: Container::Wav,
        encoding: Encoding::Int16,
    };
    /// WAVE with 24-bit integers.
    pub const WAV_24: Self = Self {
        container: Container::Wav,
        encoding: Encoding::Int24,
    };
    /// WAVE with 32-bit integers.
    pub const WAV_32: Self = Self {
        container: Container::Wav,
        encoding: Encoding::Int32,
    };
    /// WAVE with 32-bit floating point, for any level.
    pub const WAV_32F: Self = Self {
        container: Container::Wav,
        encoding: Encoding::Float32,
    };
    /// FLAC with 16-bit integers.
    pub const FLAC_16: Self = Self {
        container: Container::Flac,
        encoding: Encoding::Int16,
    };
    /// FLAC with 24-bit integers.
    pub const FLAC_24: Self = Self {
        container: Container::Flac,
        encoding: Encoding::Int24,
    };

    /// Returns the names of all formats, as [`FromStr`] takes them.
    ///
    /// ```
    /// use soundtrack::Format;
    /// assert!(Format::names().any(|name| name == "wav24"));
    /// ```
    pub fn names() -> impl Iterator<Item = &'static str> {
        containers::formats().map(|(_, name)| name)
    }

    /// Returns the 24-bit format of the container that the extension of a file name belongs to;
    /// `None` for other extensions and without one.
    ///
    /// ```
    /// use soundtrack::Format;
    /// assert_eq!(Format::of_file_name("song.FLAC"), Some(Format::FLAC_24));
    /// assert_eq!(Format::of_file_name("song.wav"), Some(Format::WAV_24));
    /// assert_eq!(Format::of_file_name("song.mp3"), None);
    /// ```
    #[must_use]
    pub fn of_file_name(path: impl AsRef<Path>) -> Option<Self> {
        let container = Container::of_file_name(path.as_ref())?;
        Some(Self {
            container,
            encoding: Encoding::Int24,
        })
    }

    /// Returns true if samples are floating point.
    #[must_use]
    pub fn is_float(self) -> bool {
        self.encoding.is_float()
    }

    /// Returns the number of bits per sample.
    #[must_use]
    pub fn bits(self) -> u16 {
        self.encoding.bits()
    }

    /// Returns the valid file extensions in lower case, the usual one first.
    #[must_use]
    pub fn extensions(self) -> &'static [&'static str] {
        self.container.info().extensions
    }

    /// Returns the bytes that a file of `length` frames has at least; `None` if no such file is possible.
    pub(crate) fn least_size(self, spec: Spec, length: Frames) -> Option<u64> {
        if self.container.info().is_compressed {
            return Some(0);
        }
        let encoder = self.encoder(spec, length, &Options::default()).ok()?;
        Some(encoder.size())
    }

    pub(crate) fn width(self) -> Width {
        self.encoding.width()
    }

    /// Creates the encoder of a file of `length` frames. The error is a message that explains why
    /// no such file is possible.
    pub(super) fn encoder(
        self,
        spec: Spec,
        length: Frames,
        options: &Options,
    ) -> Result<Box<dyn Encoder>, String> {
        (self.container.info().encoder)(self.encoding, spec, length, options)
    }
}

impl Default for Format {
    fn default() -> Self {
        Self::WAV_24
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(
            containers::formats()
                .find(|(format, _)| format == self)
                .map_or("", |(_, name)| name),
        )
    }
}

/// Error: the name is not one of [`Format::names`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownFormat;

impl fmt::Display for UnknownFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = Format::names().collect();
        write!(f, "no such format; there are {}", names.join(", "))
    }
}

impl std::error::Error for UnknownFormat {}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        containers::formats()
            .find(|(_, known)| *known == name)
            .map(|(format, _)| format)
            .ok_or(UnknownFormat)
    }
}
