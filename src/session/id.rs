//! Identifies tracks, buses and cues of a session. An id knows its session.

use std::{
    cmp::Ordering,
    hash::{Hash, Hasher},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

/// Identifies a session and its clones. All keys compare as equal, so that ids compare by their place and sessions by their
/// content; [`owns`](Self::owns) tells them apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionKey(u64);

/// The key of the session that is made next.
static NEXT: AtomicU64 = AtomicU64::new(1);

impl SessionKey {
    /// The key of ids that are made from a place in the session at hand.
    const ANY: Self = Self(0);

    /// Makes the key of a new session.
    pub(super) fn new() -> Self {
        Self(NEXT.fetch_add(1, Relaxed))
    }

    /// Reports whether an id with this key is of the session or of a clone of it.
    pub(super) fn owns(self, id: Self) -> bool {
        id.0 == Self::ANY.0 || id.0 == self.0
    }
}

impl PartialEq for SessionKey {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for SessionKey {}

impl Hash for SessionKey {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl PartialOrd for SessionKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SessionKey {
    fn cmp(&self, _: &Self) -> Ordering {
        Ordering::Equal
    }
}

macro_rules! ids {
    ($($(#[doc = $doc:literal])+ $name:ident)+) => {$(
        $(#[doc = $doc])+
        ///
        /// It is valid for the session that made it and for clones of that session, until a part is removed; others refuse
        /// it. Two ids are equal if they stand for the same place, in whichever session.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub(crate) usize, pub(crate) SessionKey);

        impl $name {
            /// Makes the id of a place in the session at hand.
            pub(crate) const fn at(index: usize) -> Self {
                Self(index, SessionKey::ANY)
            }

            pub(super) const fn of(index: usize, session: SessionKey) -> Self {
                Self(index, session)
            }

            pub(super) const fn session(self) -> SessionKey {
                self.1
            }
        }
    )+};
}

ids! {
    /// Identifies a track of a session, outside its cues.
    TrackId
    /// Identifies a bus of a session.
    BusId
    /// Identifies a cue of a session.
    CueId
}
