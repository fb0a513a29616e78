//! Settings and progress of render jobs, the same for a bounce and a delivery.

use crate::{
    engine::Options,
    error::{Error, ErrorKind, Result},
    units::Frames,
};
use std::ops::ControlFlow;

/// How far a bounce or a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Frames rendered.
    pub done: Frames,
    /// Frames to render in all.
    pub total: Frames,
}

/// Called after every block; `Break` stops the job.
pub(crate) type ProgressCallback<'a> = Box<dyn FnMut(Progress) -> ControlFlow<()> + 'a>;

/// Settings of render jobs. [`job_setters`] makes their setters.
#[derive(Default)]
pub(crate) struct JobSettings<'a> {
    pub overwrite: bool,
    pub options: Options,
    /// Frames in a block, where it is not the default.
    pub block: Option<usize>,
    pub progress: Option<ProgressCallback<'a>>,
}

/// Most frames that a sink gets at a time.
pub(crate) const MAX_BLOCK: usize = 1 << 20;

/// Makes the setters of a builder with a field `settings: JobSettings<'a>`.
macro_rules! job_setters {
    () => {
        /// Allows existing files to be replaced: atomically, after everything has been rendered.
        #[must_use]
        pub fn overwrite(mut self, overwrite: bool) -> Self {
            self.settings.overwrite = overwrite;
            self
        }

        /// Sets how many threads decode and mix, at most 256; 0 is as many as there are cores. Changes no sample.
        #[must_use]
        pub fn threads(mut self, threads: usize) -> Self {
            self.settings.options.threads = threads;
            self
        }

        /// Sets how many frames a sink gets at a time, 1 to 1 048 576; others are taken as the nearest. Changes no sample.
        #[must_use]
        pub fn block(mut self, frames: usize) -> Self {
            self.settings.block = Some(frames.clamp(1, $crate::bounce::settings::MAX_BLOCK));
            self
        }

        /// Sets a function that is called after every block with how far all renders together are. `Break` cancels them: the
        /// run fails as `Cancelled` and leaves no file.
        #[must_use]
        pub fn progress(
            mut self,
            callback: impl FnMut($crate::bounce::Progress) -> std::ops::ControlFlow<()> + 'a,
        ) -> Self {
            self.settings.progress = Some(Box::new(callback));
            self
        }
    };
}
pub(crate) use job_setters;

/// Counts the frames of one render or several, and calls the callback after every block.
pub(crate) struct ProgressReporter<'a> {
    callback: Option<ProgressCallback<'a>>,
    progress: Progress,
}

impl<'a> ProgressReporter<'a> {
    pub(crate) fn new(callback: Option<ProgressCallback<'a>>, total: Frames) -> Self {
        Self {
            callback,
            progress: Progress {
                done: Frames::ZERO,
                total,
            },
        }
    }

    /// Adds frames that are rendered.
    ///
    /// # Errors
    /// `Cancelled` where the callback asks to stop.
    pub(super) fn advance(&mut self, frames: usize) -> Result<()> {
        self.progress.done += Frames(frames as u64);
        match self
            .callback
            .as_mut()
            .map(|callback| callback(self.progress))
        {
            Some(ControlFlow::Break(())) => Err(Error::new(ErrorKind::Cancelled, "cancelled")),
            _ => Ok(()),
        }
    }
}
