//! How foreign code fails.

use crate::media::panic_guard::caught;
use std::io;

/// Why something of the foreign code failed.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The data at hand is damaged; what follows may be whole.
    Damaged(String),
    /// The data ends in the middle of something.
    Cut,
    /// The stream changes its rate, channels or codec here.
    Changed,
    /// A format or codec that is not read.
    Unsupported(String),
    /// The foreign code panicked. It is gone.
    Panicked(String),
    /// The file could not be read.
    Io(io::Error),
}

impl Fault {
    /// The reason, for people.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Damaged(what) | Self::Unsupported(what) => what.clone(),
            Self::Cut => "the data ends in the middle of a packet".into(),
            Self::Changed => "another stream begins".into(),
            Self::Panicked(what) => format!("the decoder failed on this data ({what})"),
            Self::Io(e) => e.to_string(),
        }
    }
}

/// Runs foreign code; a panic in it becomes an error.
pub(crate) fn guarded<T>(run: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    caught(run).unwrap_or_else(|why| Err(Fault::Panicked(why)))
}

/// Drops something foreign, which may panic even then.
pub(crate) fn discard<T>(it: T) {
    let _ = caught(|| drop(it));
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            std::panic::panic_any("dropped");
        }
    }

    #[test]
    fn panics_become_faults() {
        let fault = guarded::<()>(|| panic!("index {} out of range", 7)).unwrap_err();
        assert_eq!(fault.reason(), "the decoder failed on this data (index 7 out of range)");
        let fault = guarded(|| {
            let _bomb = Bomb;
            Ok(())
        });
        assert!(matches!(fault, Err(Fault::Panicked(what)) if what == "dropped"));
        let fault = guarded::<()>(|| std::panic::panic_any(Bomb)).unwrap_err();
        assert!(matches!(fault, Fault::Panicked(_)));
    }
}
