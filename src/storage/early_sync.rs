//! Syncs a growing file in the background, so that little is left for the final sync.
//!
//! This only affects speed: the whole file is still synced at the end. An error of a background
//! sync is kept until then, because the operating system reports each write-back error only once.

use std::{
    fs::File,
    io,
    sync::mpsc::{SyncSender, sync_channel},
    thread::JoinHandle,
};

/// Number of bytes written between two background syncs.
const SYNC_INTERVAL_BYTES: u64 = 8 << 20;

#[derive(Debug)]
pub(crate) struct EarlySync {
    /// Requests a sync. The channel holds one request, since one sync covers all bytes written
    /// before it.
    requests: SyncSender<()>,
    thread: JoinHandle<io::Result<()>>,
    unsynced: u64,
}

impl EarlySync {
    /// Starts the thread. Returns `None` if the file cannot be opened twice or no thread can be
    /// started; the final sync then does all the work.
    pub(crate) fn start(file: &File) -> Option<Self> {
        let file = file.try_clone().ok()?;
        let (requests, received) = sync_channel(1);
        let work = move || received.into_iter().try_for_each(|()| file.sync_data());
        let thread = std::thread::Builder::new()
            .name("soundtrack-sync".to_owned())
            .spawn(work)
            .ok()?;
        Some(Self {
            requests,
            thread,
            unsynced: 0,
        })
    }

    /// Records that bytes were written.
    pub(crate) fn record_write(&mut self, bytes: usize) {
        self.unsynced += bytes as u64;
        if self.unsynced >= SYNC_INTERVAL_BYTES {
            self.unsynced = 0;
            // A full channel means that a sync is already due; a closed one means that a sync
            // failed, which `finish` returns.
            let _ = self.requests.try_send(());
        }
    }

    /// Waits for pending syncs. Returns the first error.
    pub(crate) fn finish(self) -> io::Result<()> {
        drop(self.requests);
        self.thread
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the sync thread panicked")))
    }
}
