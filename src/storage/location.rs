//! Where a path leads: to a local file, or into an object store.

use crate::error::{Error, ErrorKind, Result};
use std::{
    borrow::Cow,
    path::{Path, PathBuf},
};

/// What a name of an object begins with.
const SCHEMES: [&str; 4] = ["s3", "gs", "az", "memory"];

/// Where a path leads.
#[derive(Debug)]
pub(crate) enum Location<'a> {
    /// To a file.
    Local(Cow<'a, Path>),
    /// Into an object store.
    #[cfg(feature = "cloud")]
    Object(Url),
}

impl<'a> Location<'a> {
    /// Looks at the name alone.
    ///
    /// # Errors
    /// `Unsupported` for a name that can be no object's, and for every one of a store where there is no feature `cloud`.
    pub(crate) fn of(path: &'a Path) -> Result<Self> {
        let parts = path.to_str().and_then(|text| text.split_once("://"));
        let Some((scheme, rest)) = parts else {
            return Ok(Self::Local(Cow::Borrowed(path)));
        };
        if cfg!(feature = "cloud") && scheme == "file" {
            return local(rest).map(|p| Self::Local(Cow::Owned(p))).ok_or_else(|| {
                let what = "the link of a file is file:// and a whole path, like file:///home/me/a.wav";
                Error::new(ErrorKind::Unsupported, format!("{}: {what}", path.display()))
            });
        }
        match SCHEMES.iter().find(|known| **known == scheme) {
            None => Ok(Self::Local(Cow::Borrowed(path))),
            #[cfg(feature = "cloud")]
            Some(scheme) => Url::new(scheme, rest).map(Self::Object),
            #[cfg(not(feature = "cloud"))]
            Some(_) => {
                let what = "object stores need the feature `cloud`, which is not built in";
                Err(Error::new(
                    ErrorKind::Unsupported,
                    format!("{}: {what}", path.display()),
                ))
            }
        }
    }
}

impl Location<'_> {
    /// The file, where it leads to one.
    pub(crate) fn local(&self) -> Option<&Path> {
        match self {
            Self::Local(path) => Some(path),
            #[cfg(feature = "cloud")]
            Self::Object(_) => None,
        }
    }
}

/// The name of an object.
#[cfg(feature = "cloud")]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Url {
    pub scheme: &'static str,
    /// The bucket or container.
    pub bucket: String,
    /// The name in it.
    pub key: String,
}

#[cfg(feature = "cloud")]
impl Url {
    fn new(scheme: &'static str, rest: &str) -> Result<Self> {
        // Such a text may hold a secret: nothing of it is repeated.
        let refused = |what: &str| {
            Err(Error::new(
                ErrorKind::Unsupported,
                format!("the link {scheme}://… is refused: {what}"),
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
                "it holds more than a bucket and a name; credentials belong into the environment",
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

#[cfg(feature = "cloud")]
impl std::fmt::Display for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}/{}", self.scheme, self.bucket, self.key)
    }
}

/// The path behind `file://` (RFC 8089), its escapes resolved.
fn local(rest: &str) -> Option<PathBuf> {
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    let mut bytes = Vec::with_capacity(path.len());
    let mut left = path.strip_prefix('/').map(|_| path.as_bytes())?;
    while let Some((byte, rest)) = left.split_first() {
        let escape = rest.first_chunk::<2>().filter(|_| *byte == b'%');
        let code = escape
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .map(|hex| u8::from_str_radix(hex, 16));
        (left, _) = match code {
            Some(Ok(code)) => (rest.get(2..).unwrap_or_default(), bytes.push(code)),
            _ => (rest, bytes.push(*byte)),
        };
    }
    let text = String::from_utf8(bytes).ok()?;
    // `/C:/stems` is how a drive is written.
    let drive = cfg!(windows) && text.as_bytes().get(2) == Some(&b':');
    Some(PathBuf::from(if drive {
        text.trim_start_matches('/')
    } else {
        &text
    }))
}

/// Whether a text is a link, not a path.
pub(crate) fn is_link(text: &str) -> bool {
    text.contains("://")
}

/// A path from a folder; a link stands for itself.
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
        assert_eq!(local("/a%20b/%C3%A9%"), Some("/a b/é%".into()));
        assert_eq!(local("localhost/a"), Some("/a".into()));
        assert_eq!((local("host/a"), local("/%FF")), (None, None));
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
        let of = |text: &str| match Location::of(Path::new(text)) {
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
