//! Resolves a path to a local file or an object.

use super::{InputFile, object};
use crate::error::{Error, ErrorKind, Result};
use std::{
    borrow::Cow,
    io,
    path::{Path, PathBuf},
};

/// URL schemes of objects.
const SCHEMES: [&str; 4] = ["s3", "gs", "az", "memory"];

/// Location that a path leads to.
#[derive(Debug)]
pub(crate) enum Location<'a> {
    /// Local file.
    Local(Cow<'a, Path>),
    /// Object in a store.
    Object(ObjectUrl),
}

impl<'a> Location<'a> {
    /// Resolves a path by its name alone; nothing is opened.
    ///
    /// # Errors
    /// `Unsupported` for an invalid object name, and for every object name without the feature
    /// `cloud`.
    pub(crate) fn parse(path: &'a Path) -> Result<Self> {
        let parts = path.to_str().and_then(|text| text.split_once("://"));
        let Some((scheme, rest)) = parts else {
            return Ok(Self::Local(Cow::Borrowed(path)));
        };
        if object::AVAILABLE && scheme == "file" {
            return match file_url_path(rest) {
                Some(path) => Ok(Self::Local(Cow::Owned(path))),
                None => Err(refused(
                    path,
                    "a file URL is file:// and an absolute path, like file:///home/me/a.wav",
                )),
            };
        }
        match SCHEMES.iter().find(|known| **known == scheme) {
            None => Ok(Self::Local(Cow::Borrowed(path))),
            Some(scheme) if object::AVAILABLE => ObjectUrl::new(scheme, rest).map(Self::Object),
            Some(_) => Err(refused(
                path,
                "object stores need the feature `cloud`, which is not built in",
            )),
        }
    }
}

impl Location<'_> {
    /// Opens a local file or an object for reading.
    ///
    /// A local path must lead to a regular file: opening a pipe blocks until its other end is opened.
    pub(crate) fn open(&self) -> io::Result<InputFile> {
        match self {
            Self::Local(path) => InputFile::open(path),
            Self::Object(url) => InputFile::open_object(url.clone()),
        }
    }

    /// Returns the path of a local file; `None` for an object.
    pub(crate) fn local(&self) -> Option<&Path> {
        match self {
            Self::Local(path) => Some(path),
            Self::Object(_) => None,
        }
    }
}

fn refused(path: &Path, reason: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("{}: {reason}", path.display()),
    )
}

/// Name of an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ObjectUrl {
    pub scheme: &'static str,
    /// Bucket (S3, GCS) or container (Azure).
    pub bucket: String,
    /// Name within the bucket.
    pub key: String,
}

impl ObjectUrl {
    fn new(scheme: &'static str, rest: &str) -> Result<Self> {
        // The text may contain a secret, so the message repeats none of it.
        let refused = |reason: &str| {
            Err(Error::new(
                ErrorKind::Unsupported,
                format!("the link {scheme}://… is refused: {reason}"),
            ))
        };
        let rest = if cfg!(windows) {
            rest.replace('\\', "/")
        } else {
            rest.to_owned()
        };
        let (bucket, key) = rest.split_once('/').unwrap_or((&rest, ""));
        if bucket.contains(['@', ':']) || key.contains('?') {
            return refused(
                "it holds more than a bucket and a name; credentials belong in the environment",
            );
        }
        if bucket.is_empty() {
            return refused("it names no bucket");
        }
        if key.split('/').any(|step| ["", ".", ".."].contains(&step))
            || key.contains(char::is_control)
        {
            return refused("the name in the bucket is empty, or has an empty step, . or .. in it");
        }
        Ok(Self {
            scheme,
            bucket: bucket.to_owned(),
            key: key.to_owned(),
        })
    }
}

impl std::fmt::Display for ObjectUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}/{}", self.scheme, self.bucket, self.key)
    }
}

/// Returns the path of a `file://` URL (RFC 8089) with percent escapes decoded, given the part
/// after `file://`.
fn file_url_path(rest: &str) -> Option<PathBuf> {
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    if !path.starts_with('/') {
        return None;
    }
    let mut bytes = Vec::with_capacity(path.len());
    let mut left = path.as_bytes();
    while let Some((byte, rest)) = left.split_first() {
        match rest.split_first_chunk::<2>() {
            Some((hex, after)) if *byte == b'%' && hex.iter().all(u8::is_ascii_hexdigit) => {
                let hex = std::str::from_utf8(hex).ok()?;
                bytes.push(u8::from_str_radix(hex, 16).ok()?);
                left = after;
            }
            _ => {
                bytes.push(*byte);
                left = rest;
            }
        }
    }
    let text = String::from_utf8(bytes).ok()?;
    // Drive letters are written as `/C:/stems`.
    let drive = cfg!(windows) && text.as_bytes().get(2) == Some(&b':');
    Some(PathBuf::from(if drive {
        text.trim_start_matches('/')
    } else {
        &text
    }))
}

/// Returns true if a text is a URL rather than a path.
pub(crate) fn is_link(text: &str) -> bool {
    text.contains("://")
}

/// Joins a path to a folder. A URL replaces the folder, as an absolute path does.
pub(crate) fn joined(folder: &Path, path: &Path) -> PathBuf {
    if path.to_str().is_some_and(is_link) {
        path.to_owned()
    } else {
        folder.join(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_file_links() {
        assert_eq!(file_url_path("/a%20b/%C3%A9%"), Some("/a b/é%".into()));
        assert_eq!(file_url_path("localhost/a"), Some("/a".into()));
        assert_eq!(
            (file_url_path("host/a"), file_url_path("/%FF")),
            (None, None)
        );
    }

    #[test]
    fn a_link_stands_for_itself() {
        assert_eq!(
            joined(Path::new("x"), Path::new("s3://b/a.wav")),
            Path::new("s3://b/a.wav")
        );
        assert_eq!(
            joined(Path::new("s3://b/x"), Path::new("a.wav")),
            Path::new("s3://b/x/a.wav")
        );
    }

    #[cfg(feature = "cloud")]
    #[test]
    fn names_are_taken_as_written_and_hold_no_secret() {
        let of = |text: &str| match Location::parse(Path::new(text)) {
            Ok(Location::Object(url)) => Ok((url.bucket.clone(), url.key.clone(), url.to_string())),
            Ok(Location::Local(path)) => Err(path.display().to_string()),
            Err(e) => Err(e.to_string()),
        };
        let taken = of("s3://b/a b/%20#é.wav").unwrap();
        assert_eq!((taken.0.as_str(), taken.1.as_str()), ("b", "a b/%20#é.wav"));
        assert_eq!(taken.2, "s3://b/a b/%20#é.wav");
        assert_eq!(of("https://b/a"), Err("https://b/a".into()));
        for secret in [
            "s3://key:hunter2@b/a",
            "az://b/a?sig=hunter2",
            "s3:///hunter2",
            "gs://b/../hunter2",
            "az://b",
        ] {
            let said = of(secret).unwrap_err();
            assert!(
                said.contains("is refused: ") && !said.contains("hunter2"),
                "{said}"
            );
        }
    }
}
