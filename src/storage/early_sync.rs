//! Sends a growing file to the disk while it is being written, so that the sync at its end has little left to do.
//!
//! Only a matter of speed: the file is synced as a whole at its end all the same. A failure met on the way is kept and
//! told then, since the system tells each failure only once.

use std::{
    fs::File,
    io,
    sync::mpsc::{SyncSender, sync_channel},
    thread::JoinHandle,
};

/// How much is written before it is sent on.
const STEP: u64 = 8 << 20;

#[derive(Debug)]
pub(crate) struct EarlySync {
    /// Asks the thread to sync; room for one, since one sync covers all that was written before it.
    ask: SyncSender<()>,
    thread: JoinHandle<io::Result<()>>,
    since: u64,
}

impl EarlySync {
    /// Starts for a file. `None` where there can be no second handle or no thread: the sync at the end then does all.
    pub(crate) fn start(file: &File) -> Option<Self> {
        let file = file.try_clone().ok()?;
        let (ask, asked) = sync_channel(1);
        let work = move || asked.into_iter().try_for_each(|()| file.sync_data());
        let thread = std::thread::Builder::new()
            .name("soundtrack-sync".to_owned())
            .spawn(work)
            .ok()?;
        Some(Self {
            ask,
            thread,
            since: 0,
        })
    }

    /// Takes note of bytes that were written.
    pub(crate) fn wrote(&mut self, bytes: usize) {
        self.since += bytes as u64;
        if self.since >= STEP {
            self.since = 0;
            // Full: a sync is already due. Gone: it failed, which `finish` tells.
            let _ = self.ask.try_send(());
        }
    }

    /// Waits for what is under way.
    pub(crate) fn finish(self) -> io::Result<()> {
        drop(self.ask);
        self.thread
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the thread that syncs failed")))
    }
}
