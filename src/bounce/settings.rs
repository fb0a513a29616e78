//! Settings and progress of render jobs, shared by bounces and deliveries.

use crate::{
    cancel::Cancel,
    engine::Options,
    error::{Error, ErrorKind, Result},
    units::Frames,
};
use std::ops::ControlFlow;

/// Progress of a bounce or a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Number of frames rendered so far.
    pub done: Frames,
    /// Total number of frames to render.
    pub total: Frames,
}

/// Callback after every block. `Break` cancels the job.
pub(crate) type ProgressCallback<'a> = Box<dyn FnMut(Progress) -> ControlFlow<()> + 'a>;

/// Settings of render jobs. [`job_setters`] defines their setters.
#[derive(Default)]
pub(crate) struct JobSettings<'a> {
    pub overwrite: bool,
    pub options: Options,
    /// Frames per block; `None` for the default.
    pub block: Option<usize>,
    pub progress: Option<ProgressCallback<'a>>,
    pub cancel: Cancel,
}

impl<'a> JobSettings<'a> {
    /// Starts to report the progress of renders of `total` frames together.
    pub(crate) fn reporter(&mut self, total: Frames) -> ProgressReporter<'a> {
        ProgressReporter {
            cancel: self.cancel.clone(),
            ..ProgressReporter::new(self.progress.take(), total)
        }
    }
}

/// Maximum number of frames that a sink receives at a time.
pub(crate) const MAX_BLOCK: usize = 1 << 20;

/// Defines the setters of a builder with a field `settings: JobSettings<'a>`.
macro_rules! job_setters {
    () => {
        /// Allows replacing existing files. They are replaced atomically, after everything has been
        /// rendered.
        #[must_use]
        pub fn overwrite(mut self, overwrite: bool) -> Self {
            self.settings.overwrite = overwrite;
            self
        }

        /// Sets the number of threads for decoding and mixing, at most 256; 0 uses all cores.
        /// Changes no sample.
        #[must_use]
        pub fn threads(mut self, threads: usize) -> Self {
            self.settings.options.threads = threads;
            self
        }

        /// Sets the number of frames that a sink receives at a time, clamped to 1 to 1,048,576.
        /// Changes no sample.
        #[must_use]
        pub fn block(mut self, frames: usize) -> Self {
            self.settings.block = Some(frames.clamp(1, $crate::bounce::settings::MAX_BLOCK));
            self
        }

        /// Sets a function that is called after every block with the progress of all renders
        /// together. `Break` cancels them: the run fails with `Cancelled` and leaves no file.
        #[must_use]
        pub fn progress(
            mut self,
            callback: impl FnMut($crate::bounce::Progress) -> std::ops::ControlFlow<()> + 'a,
        ) -> Self {
            self.settings.progress = Some(Box::new(callback));
            self
        }

        /// Ends the run when `cancel` says so. It then fails with `Cancelled` or `DeadlinePassed`,
        /// and leaves no file.
        #[must_use]
        pub fn cancel(mut self, cancel: &$crate::Cancel) -> Self {
            self.settings.cancel = cancel.clone();
            self
        }
    };
}
pub(crate) use job_setters;

/// Counts the frames of one or several renders and calls the callback after every block.
pub(crate) struct ProgressReporter<'a> {
    callback: Option<ProgressCallback<'a>>,
    cancel: Cancel,
    progress: Progress,
}

impl<'a> ProgressReporter<'a> {
    pub(crate) fn new(callback: Option<ProgressCallback<'a>>, total: Frames) -> Self {
        Self {
            callback,
            cancel: Cancel::default(),
            progress: Progress {
                done: Frames::ZERO,
                total,
            },
        }
    }

    /// Adds frames to render.
    pub(crate) fn extend(&mut self, frames: Frames) {
        self.progress.total += frames;
    }

    /// Adds rendered frames.
    ///
    /// # Errors
    /// `Cancelled` if the callback returns `Break`, and the errors of [`Cancel::check`].
    pub(crate) fn advance(&mut self, frames: usize) -> Result<()> {
        self.cancel.check()?;
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
