//! Classifies the failures of demuxers and decoders, panics included.

use crate::media::panic_guard::catch_panic;
use std::io;

/// Reason why a demuxer or decoder failed.
#[derive(Debug)]
pub(crate) enum CodecFault {
    /// This packet is damaged; later ones may decode.
    Damaged(String),
    /// The data ends inside a packet or header.
    Truncated,
    /// The stream changes its rate, channels or codec here.
    StreamChanged,
    /// The format or codec is not supported.
    Unsupported(String),
    /// The demuxer or decoder panicked and must not be called again.
    Panicked(String),
    /// The file could not be read.
    Io(io::Error),
}

impl CodecFault {
    /// Returns the reason as part of a message.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Damaged(what) | Self::Unsupported(what) => what.clone(),
            Self::Truncated => "the data ends in the middle of a packet".into(),
            Self::StreamChanged => "another stream begins".into(),
            Self::Panicked(what) => format!("the decoder failed on this data ({what})"),
            Self::Io(e) => e.to_string(),
        }
    }
}

/// Calls `run` and converts a panic into [`CodecFault::Panicked`].
pub(crate) fn catch_fault<T>(run: impl FnOnce() -> Result<T, CodecFault>) -> Result<T, CodecFault> {
    catch_panic(run).unwrap_or_else(|why| Err(CodecFault::Panicked(why)))
}

/// Drops a demuxer or decoder and ignores a panic in its destructor.
pub(crate) fn drop_guarded<T>(value: T) {
    let _ = catch_panic(|| drop(value));
}

#[cfg(test)]
mod tests {
    use super::*;

    struct PanicsOnDrop;

    impl Drop for PanicsOnDrop {
        fn drop(&mut self) {
            std::panic::panic_any("dropped");
        }
    }

    #[test]
    fn panics_become_faults() {
        let fault = catch_fault::<()>(|| panic!("index {} out of range", 7)).unwrap_err();
        assert_eq!(
            fault.reason(),
            "the decoder failed on this data (index 7 out of range)"
        );
        let fault = catch_fault(|| {
            let _value = PanicsOnDrop;
            Ok(())
        });
        assert!(matches!(fault, Err(CodecFault::Panicked(what)) if what == "dropped"));
        let fault = catch_fault::<()>(|| std::panic::panic_any(PanicsOnDrop)).unwrap_err();
        assert!(matches!(fault, CodecFault::Panicked(_)));
    }
}
