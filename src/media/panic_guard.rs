//! Converts the panics of a source into errors, so that one bad stem does not take the program down.
//!
//! A contained panic is reported by its error alone. The hook that prints panics belongs to the whole program, so the first
//! guarded call wraps it: the wrapper says nothing about panics of guarded calls, on their own thread, and passes all others
//! on to the program's hook. If the program sets another hook later, that one reports the next contained panic, after which
//! it is wrapped too.

use super::{Flaw, Source};
use crate::{
    block::Block,
    error::{Error, ErrorKind, Result},
    layout::{Layout, Spec},
    sync::locked,
    units::{Frames, SampleRate},
};
use std::{
    cell::Cell,
    panic::{self, AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

thread_local! {
    /// How many guarded calls of this thread are running, one inside the other.
    static GUARDED_CALLS: Cell<u32> = const { Cell::new(0) };
    /// Whether the wrapping hook has seen a panic of the guarded call.
    static SILENCED: Cell<bool> = const { Cell::new(false) };
}

/// Whether the program's hook is wrapped, as far as is known.
static WRAPPED: AtomicBool = AtomicBool::new(false);
/// Held while the hook is wrapped, so that two threads do not wrap it at once and lose it.
static WRAPPING: Mutex<()> = Mutex::new(());

/// Wraps the program's panic hook, unless that is done.
fn wrap_hook() {
    // The hook cannot be replaced while its thread unwinds, as when a source is dropped by a panic of the program.
    if WRAPPED.load(Ordering::Acquire) || thread::panicking() {
        return;
    }
    let _wrapping = locked(&WRAPPING);
    if WRAPPED.load(Ordering::Acquire) {
        return;
    }
    let programs_own = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        // A thread that is ending has no thread-locals left, and no guarded call.
        let is_guarded = GUARDED_CALLS.try_with(|calls| calls.get() > 0);
        if is_guarded.unwrap_or(false) {
            SILENCED.set(true);
        } else {
            programs_own(info);
        }
    }));
    WRAPPED.store(true, Ordering::Release);
}

/// Calls `work` as a guarded call: a panic is caught and not printed.
fn catch_silently<T>(work: impl FnOnce() -> T) -> thread::Result<T> {
    wrap_hook();
    GUARDED_CALLS.set(GUARDED_CALLS.get() + 1);
    let outer = SILENCED.replace(false);
    let result = catch_unwind(AssertUnwindSafe(work));
    let is_silenced = SILENCED.replace(outer);
    GUARDED_CALLS.set(GUARDED_CALLS.get() - 1);
    if result.is_err() && !is_silenced {
        // The program has set a hook of its own in the meantime.
        WRAPPED.store(false, Ordering::Release);
        wrap_hook();
    }
    result
}

/// Calls `work` and converts a panic into its message. After a panic the caller must not use what `work` had borrowed.
pub(crate) fn catch_panic<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_silently(work).map_err(|payload| {
        let text = payload
            .downcast_ref::<&str>()
            .copied()
            .or(payload.downcast_ref::<String>().map(String::as_str));
        let text = text.unwrap_or("no reason given").to_owned();
        // The payload's destructor may panic too.
        let _ = catch_silently(|| drop(payload));
        text
    })
}

/// Wraps a source and converts its panics into `Corrupt` errors.
///
/// A source that panicked is dropped, and every later call fails with the same message. Rate, layout and length are
/// read once, when the source is opened.
pub(crate) struct PanicGuard {
    name: String,
    source: GuardedSource,
    /// Message of the panic that ended the source.
    panicked: Option<String>,
    spec: Spec,
    length: Option<Frames>,
}

/// A source whose destructor may panic.
struct GuardedSource(Box<dyn Source>);

impl GuardedSource {
    /// Drops the source; fails with the message of a panic in its destructor.
    fn close(&mut self) -> Result<(), String> {
        let source = std::mem::replace(&mut self.0, Box::new(ClosedSource));
        catch_panic(|| drop(source))
    }
}

impl Drop for GuardedSource {
    fn drop(&mut self) {
        // All audio has been read: the panic affects no output.
        let _ = self.close();
    }
}

/// An empty source that replaces one that was dropped.
struct ClosedSource;

impl Source for ClosedSource {
    fn spec(&self) -> Spec {
        Spec {
            rate: SampleRate::HZ_48000,
            layout: Layout::Mono,
        }
    }
    fn length(&self) -> Option<Frames> {
        None
    }
    fn read(&mut self, out: &mut Block) -> Result<usize> {
        out.set_frames(0);
        Ok(0)
    }
    fn seek(&mut self, _: Frames) -> Result<()> {
        Ok(())
    }
}

impl PanicGuard {
    /// Calls `open` and wraps the source that it returns. `name` identifies the source in messages.
    pub(crate) fn open(
        name: String,
        open: impl FnOnce() -> Result<Box<dyn Source>>,
    ) -> Result<Self> {
        let source = GuardedSource(catch_as_error(&name, open)?);
        let (spec, length) = catch_as_error(&name, || Ok((source.0.spec(), source.0.length())))?;
        Ok(Self {
            name,
            source,
            panicked: None,
            spec,
            length,
        })
    }

    /// Drops the source.
    ///
    /// # Errors
    /// `Corrupt` for a panic in its destructor.
    pub(crate) fn close(mut self) -> Result<()> {
        self.source
            .close()
            .map_err(|why| reader_failed(&self.name, &why))
    }

    fn call<T>(&mut self, work: impl FnOnce(&mut dyn Source) -> Result<T>) -> Result<T> {
        if let Some(why) = &self.panicked {
            return Err(reader_failed(&self.name, why));
        }
        let source = self.source.0.as_mut();
        catch_panic(|| work(source)).unwrap_or_else(|why| {
            // The first panic is the one to report.
            let _ = self.source.close();
            let error = reader_failed(&self.name, &why);
            self.panicked = Some(why);
            Err(error)
        })
    }
}

fn catch_as_error<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_panic(work).unwrap_or_else(|why| Err(reader_failed(name, &why)))
}

fn reader_failed(name: &str, why: &str) -> Error {
    Error::new(
        ErrorKind::Corrupt,
        format!("{name}: its reader failed: {why}"),
    )
}

impl Source for PanicGuard {
    fn spec(&self) -> Spec {
        self.spec
    }

    fn length(&self) -> Option<Frames> {
        self.length
    }

    fn read(&mut self, out: &mut Block) -> Result<usize> {
        self.call(|source| source.read(out))
    }

    fn seek(&mut self, to: Frames) -> Result<()> {
        self.call(|source| source.seek(to))
    }

    /// Returns no flaws after a panic; the next read fails with it.
    fn flaws(&mut self) -> Vec<Flaw> {
        self.call(|source| Ok(source.flaws())).unwrap_or_default()
    }
}
