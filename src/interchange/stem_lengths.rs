//! Fits clips to their files. Editors cut on picture frames and beats, which may lie a little after the last sample, and a
//! session refuses a clip that ends after its file.

use super::notes::{Notes, Place};
use crate::{
    media::{Damage, Input, stem::Stem},
    session::Clip,
    units::{Frames, SampleRate},
};
use std::{collections::HashMap, path::Path};

/// Lengths of files at the session's rate, each measured once.
#[derive(Debug, Default)]
pub(super) struct StemLengths(HashMap<String, Option<Frames>>);

impl StemLengths {
    /// Returns the length of a file; `None` where it is not there or cannot be read.
    pub(super) fn of_file(&mut self, path: &Path, rate: SampleRate) -> Option<Frames> {
        self.of(&Input::file(path), rate)
    }

    fn of(&mut self, input: &Input, rate: SampleRate) -> Option<Frames> {
        let probe = || Stem::probe(input, rate, Damage::Silence).ok()?.frames;
        *self.0.entry(input.to_string()).or_insert_with(probe)
    }

    /// Ends a clip with its file, with a note where that takes more than a frame, and shortens fades to the clip. Returns false,
    /// after a note, for a clip that begins after its file.
    pub(super) fn fit(
        &mut self,
        clip: &mut Clip,
        rate: SampleRate,
        place: impl FnOnce() -> Place,
        notes: &mut Notes,
    ) -> bool {
        if let Some(file) = self.of(&clip.input, rate) {
            let left = file - clip.from;
            if left == Frames::ZERO {
                let what = format!(
                    "clip {:?} begins at or after the end of {}: it is left out",
                    clip.name, clip.input
                );
                notes.add(place(), what);
                return false;
            }
            if let Some(length) = clip.length.filter(|length| *length > left) {
                clip.length = Some(left);
                clip.exact.length = None;
                if length - left > Frames(1) {
                    let what = format!(
                        "clip {:?} ends {} frames after the end of {}: it is shortened",
                        clip.name,
                        length - left,
                        clip.input
                    );
                    notes.add(place(), what);
                }
            }
        }
        if let Some(length) = clip.length {
            let total = length.0.saturating_mul(u64::from(clip.loops));
            clip.fade_in = clip.fade_in.within(total);
            clip.fade_out = clip.fade_out.within(total);
        }
        true
    }
}
