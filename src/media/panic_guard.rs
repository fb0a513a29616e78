//! Contains panics: one bad stem must not bring down the program, not even when it is dropped.
//!
//! A panic is printed by the panic hook of the program before it is caught here: silencing that would change the program
//! around this crate.

use super::{Flaw, Source};
use crate::{
    block::Block,
    error::{Error, ErrorKind, Result},
    layout::Layout,
    layout::Spec,
    units::{Frames, SampleRate},
};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Does the work; a panic becomes its text. What was worked on is not to be used again then.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
        let text = text.unwrap_or("no reason given").to_owned();
        // Dropping what was thrown may panic once more.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(panic)));
        text
    })
}

/// Does the work of a source; a panic becomes a `Corrupt` error that names it.
fn contained<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    caught(work).unwrap_or_else(|why| Err(failed(name, &why)))
}

/// A source of which no panic comes out. One that panicked is dropped and not asked again. Rate, layout and length are those
/// that it had when it was opened.
pub(crate) struct PanicGuard {
    name: String,
    held: Held,
    /// Why it is not asked again.
    failed: Option<String>,
    spec: Spec,
    length: Option<Frames>,
}

/// Where a panic in dropping ends.
struct Held(Box<dyn Source>);

impl Held {
    /// Drops the source; a panic becomes its text.
    fn end(&mut self) -> Result<(), String> {
        let source = std::mem::replace(&mut self.0, Box::new(Nothing));
        caught(|| drop(source))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // It has given its audio: there is nothing left to refuse.
        let _ = self.end();
    }
}

/// What stands where a source was.
struct Nothing;

impl Source for Nothing {
    fn spec(&self) -> Spec {
        Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono }
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
    /// Opens a source.
    pub(crate) fn open(name: String, open: impl FnOnce() -> Result<Box<dyn Source>>) -> Result<Self> {
        let held = Held(contained(&name, open)?);
        let (spec, length) = contained(&name, || Ok((held.0.spec(), held.0.length())))?;
        Ok(Self { name, held, failed: None, spec, length })
    }

    /// Drops the source; a panic in that is an error.
    pub(crate) fn close(mut self) -> Result<()> {
        self.held.end().map_err(|why| failed(&self.name, &why))
    }

    /// Has the source do something.
    fn ask<T>(&mut self, work: impl FnOnce(&mut dyn Source) -> Result<T>) -> Result<T> {
        if let Some(why) = &self.failed {
            return Err(failed(&self.name, why));
        }
        let source = self.held.0.as_mut();
        caught(|| work(source)).unwrap_or_else(|why| {
            // One that panics once more when it is dropped has said enough.
            let _ = self.held.end();
            let error = failed(&self.name, &why);
            self.failed = Some(why);
            Err(error)
        })
    }
}

fn failed(name: &str, why: &str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("{name}: its reader failed: {why}"))
}

impl Source for PanicGuard {
    fn spec(&self) -> Spec {
        self.spec
    }

    fn length(&self) -> Option<Frames> {
        self.length
    }

    fn read(&mut self, out: &mut Block) -> Result<usize> {
        self.ask(|source| source.read(out))
    }

    fn seek(&mut self, to: Frames) -> Result<()> {
        self.ask(|source| source.seek(to))
    }

    /// None of a source that panics when it is asked; the next read tells of that.
    fn flaws(&mut self) -> Vec<Flaw> {
        self.ask(|source| Ok(source.flaws())).unwrap_or_default()
    }
}
