//! Setters that clips and placements of cues share: both are a stretch of a longer recording, with a name, fades and a level.

/// Defines the consuming setters of a type with the fields of a stretch.
macro_rules! stretch_setters {
    () => {
        /// Sets the name.
        #[must_use]
        pub fn named(mut self, name: impl Into<String>) -> Self {
            self.name = name.into();
            self
        }

        /// Sets the number of frames left out at the start.
        #[must_use]
        pub fn from(mut self, from: Frames) -> Self {
            self.from = from;
            self.exact.from = None;
            self
        }

        /// Sets the number of frames played; by default everything to the end.
        #[must_use]
        pub fn length(mut self, length: Frames) -> Self {
            self.length = Some(length);
            self.exact.length = None;
            self
        }

        /// Sets the fade at the start.
        #[must_use]
        pub fn fade_in(mut self, fade: Fade) -> Self {
            self.fade_in = fade;
            self
        }

        /// Sets the fade at the end.
        #[must_use]
        pub fn fade_out(mut self, fade: Fade) -> Self {
            self.fade_out = fade;
            self
        }

        /// Sets the crossfade with the one before it.
        #[must_use]
        pub fn crossfade(mut self, fade: Fade) -> Self {
            self.crossfade = fade;
            self.exact.crossfade = None;
            self
        }

        /// Sets the level.
        #[must_use]
        pub fn gain(mut self, gain: Decibels) -> Self {
            self.gain = gain;
            self
        }
    };
}
pub(super) use stretch_setters;
