//! Registry of the containers that can be written. To add one, add a file with its [`Encoder`] to
//! this folder, and a line to `containers!`.

#[cfg(feature = "flac-output")]
use super::flac;
#[cfg(not(feature = "flac-output"))]
use super::flac_missing as flac;
use super::{Encoder, Encoding, Format, Options, wav};
use crate::{
    error::{Error, ErrorKind, Result},
    layout::Spec,
    units::Frames,
};
use std::{fmt, path::Path};

/// Creates the encoder of a file with a number of frames. The error is a message that explains why
/// no such file is possible.
pub(super) type NewEncoder =
    fn(Encoding, Spec, Frames, &Options) -> Result<Box<dyn Encoder>, String>;

/// Description of a container.
pub(super) struct ContainerInfo {
    /// Name for messages.
    pub name: &'static str,
    /// File extensions in lower case, the usual one first.
    pub extensions: &'static [&'static str],
    /// True if the size of a file depends on its samples.
    pub is_compressed: bool,
    /// Encodings, each with the name of the format.
    pub formats: &'static [(Encoding, &'static str)],
    /// Creates the encoder of a new file.
    pub encoder: NewEncoder,
}

macro_rules! containers {
    ($($(#[doc = $doc:literal])+ $name:ident => $info:expr,)+) => {
        /// Container of an audio file.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Container {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Container {
            const ALL: &[Self] = &[$(Self::$name),+];

            pub(super) fn info(self) -> &'static ContainerInfo {
                match self {
                    $(Self::$name => &$info,)+
                }
            }
        }
    };
}

containers! {
    /// WAVE: RIFF, or RF64 if the file exceeds the limits of RIFF.
    Wav => wav::INFO,
    /// FLAC: lossless, and smaller than WAVE.
    Flac => flac::INFO,
}

impl Container {
    /// Returns the container that the extension of a file name belongs to.
    pub(super) fn of_file_name(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_string_lossy();
        Self::ALL
            .iter()
            .copied()
            .find(|container| container.has_extension(&extension))
    }

    fn has_extension(self, extension: &str) -> bool {
        let known = self.info().extensions;
        known
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    }

    /// Checks a file name. Returns a message with a valid name if the extension is not one of the
    /// container's; upper and lower case are equal. A name without extension is valid.
    pub(crate) fn name_fault(self, path: &Path) -> Option<String> {
        let extension = path.extension()?.to_string_lossy();
        if self.has_extension(&extension) {
            return None;
        }
        let right = path.with_extension(self.info().extensions.first()?);
        let right = right.file_name()?.to_string_lossy();
        Some(format!(
            "a {self} file is written, so its extension cannot be .{extension}: name it {right}"
        ))
    }

    /// Checks a file name.
    ///
    /// # Errors
    /// `Unsupported` if the extension belongs to another container, with the path and a valid name.
    pub(crate) fn check_name(self, path: &Path) -> Result<()> {
        match self.name_fault(path) {
            Some(fault) => Err(Error::new(
                ErrorKind::Unsupported,
                format!("{}: {fault}", path.display()),
            )),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.info().name)
    }
}

/// Returns all formats with their names.
pub(super) fn formats() -> impl Iterator<Item = (Format, &'static str)> {
    Container::ALL.iter().flat_map(|&container| {
        let formats = container.info().formats.iter();
        formats.map(move |&(encoding, name)| {
            (
                Format {
                    container,
                    encoding,
                },
                name,
            )
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_an_extension_of_its_container_or_none() {
        let fault = |name: &str| Container::Wav.name_fault(Path::new(name));
        for good in [
            "a.wav",
            "out/b.WAV",
            "a.Wave",
            "a.bwf",
            "a.rf64",
            "a",
            "dir.mp3/a",
            ".hidden",
        ] {
            assert_eq!(fault(good), None, "{good}");
        }
        for bad in ["a.mp3", "a.flac", "cues.csv", "a.w64", "a.wav.part", "a."] {
            assert!(fault(bad).is_some(), "{bad}");
        }
        assert_eq!(
            fault("out/a.MP3").unwrap(),
            "a WAV file is written, so its extension cannot be .MP3: name it a.wav"
        );
    }
}
