//! What plays: a device, a clock without hardware, or a program's sink. All pull through the same callback.

use super::callback::Callback;
use crate::{
    block::Block,
    encode::Sink,
    error::{Error, ErrorKind, Result},
    layout::Spec,
    player::stream_stats::{Line, Trouble},
};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Makes the callback for what a device turns out to be, and its counters.
pub(crate) type Connect<'a> = &'a mut dyn FnMut(Spec) -> (Callback, Arc<Line>);

/// How long a device may not call before it counts as lost.
pub(super) const PATIENCE: Duration = Duration::from_millis(400);

/// Something that plays.
pub(crate) trait Backend: Send {
    /// Opens it, for audio of this rate and layout if it can, and starts it: from then on it calls back. Dropping what is
    /// returned ends that.
    ///
    /// # Errors
    /// `Device`, with what to do.
    fn open(&mut self, wanted: Spec, connect: Connect<'_>) -> Result<Box<dyn Send>>;

    /// What it is called, for messages.
    fn name(&self) -> String;

    /// How long it may not call before it counts as lost; `None` for as long as it likes.
    fn patience(&self) -> Option<Duration> {
        Some(PATIENCE)
    }

    /// What went wrong while it ran, in words of its own; told once.
    fn failure(&self) -> Option<Error> {
        None
    }
}

/// A thread that ends when it is dropped.
struct Running {
    quit: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Starts a thread that asks now and then whether to go on.
    fn start(name: &str, work: impl FnOnce(&AtomicBool) + Send + 'static) -> Result<Box<dyn Send>> {
        let quit = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&quit);
        let spawned = thread::Builder::new().name(name.to_owned()).spawn(move || work(&asked));
        let refused = |e| Error::new(ErrorKind::Device, format!("cannot start a thread to play: {e}")).because(e);
        Ok(Box::new(Self { quit, thread: Some(spawned.map_err(refused)?) }))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.quit.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // It ends within a period, or it panicked, which it has told already.
            let _ = thread.join();
        }
    }
}

/// A clock that asks for sound in real time and throws it away.
pub(crate) struct Null;

/// The period of that clock, a hundredth of a second.
const PERIODS_A_SECOND: u32 = 100;

impl Backend for Null {
    fn open(&mut self, wanted: Spec, connect: Connect<'_>) -> Result<Box<dyn Send>> {
        let (mut callback, _) = connect(wanted);
        let frames = (wanted.rate.hz() / PERIODS_A_SECOND).max(1);
        let period = Duration::from_secs(1) * frames / wanted.rate.hz();
        let mut out = vec![0.0f32; frames as usize * wanted.layout.channels()];
        Running::start("soundtrack-null", move |quit| {
            let mut due = Instant::now();
            while !quit.load(Ordering::Acquire) {
                callback.serve(&mut out, 0);
                due += period;
                match due.checked_duration_since(Instant::now()) {
                    Some(wait) => thread::sleep(wait),
                    // After a suspend it goes on from now, and does not run after the lost time.
                    None if due.elapsed() > Duration::from_secs(1) => due = Instant::now(),
                    None => {}
                }
            }
        })
    }

    fn name(&self) -> String {
        "the null device".to_owned()
    }
}

/// A program's sink: it takes blocks as fast as it likes, and is finished when it is closed.
pub(crate) struct Pump {
    /// Shared with the thread that writes to it, which may be started anew.
    sink: Arc<Mutex<Box<dyn Sink + Send>>>,
    failure: Arc<Mutex<Option<Error>>>,
    block: usize,
}

impl Pump {
    pub(crate) fn new(sink: Box<dyn Sink + Send>, block: usize) -> Self {
        Self { sink: Arc::new(Mutex::new(sink)), failure: Arc::default(), block }
    }
}

/// How long a sink that is ahead waits for more.
const POLL: Duration = Duration::from_millis(1);

impl Backend for Pump {
    fn open(&mut self, wanted: Spec, connect: Connect<'_>) -> Result<Box<dyn Send>> {
        let (mut callback, line) = connect(wanted);
        let (sink, failure, most) = (Arc::clone(&self.sink), Arc::clone(&self.failure), self.block);
        let failed = move |e: Error| {
            *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(e);
            line.fail(Trouble::Failed);
        };
        let channels = wanted.layout.channels();
        let mut block = Block::new(wanted.layout, most);
        let mut frames = vec![0.0f64; most * channels];
        Running::start("soundtrack-sink", move |quit| {
            let mut sink = sink.lock().unwrap_or_else(PoisonError::into_inner);
            while !quit.load(Ordering::Acquire) {
                let n = usize::try_from(callback.available()).unwrap_or(most).min(most);
                let Some(now) = frames.get_mut(..n * channels) else { return };
                callback.serve(now, 0);
                if n == 0 {
                    thread::sleep(POLL);
                    continue;
                }
                block.set_frames(n);
                for (ch, samples) in block.channels_mut().enumerate() {
                    let from = now.iter().skip(ch).step_by(channels.max(1));
                    samples.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
                }
                if let Err(e) = sink.write(&block) {
                    return failed(e);
                }
            }
            if let Err(e) = sink.finish() {
                failed(e);
            }
        })
    }

    fn name(&self) -> String {
        "the sink".to_owned()
    }

    fn patience(&self) -> Option<Duration> {
        None
    }

    fn failure(&self) -> Option<Error> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A program's own audio callback, which is handed the real-time end once.
pub(crate) struct Lent {
    spec: Spec,
    to: Option<SyncSender<Callback>>,
}

impl Lent {
    /// For a device of this rate and layout; where the callback comes out.
    pub(crate) fn new(spec: Spec) -> (Self, Receiver<Callback>) {
        let (to, from) = sync_channel(1);
        (Self { spec, to: Some(to) }, from)
    }
}

impl Backend for Lent {
    fn open(&mut self, _: Spec, connect: Connect<'_>) -> Result<Box<dyn Send>> {
        let (callback, _) = connect(self.spec);
        let lent = self.to.take().is_some_and(|to| to.send(callback).is_ok());
        let gone = || Error::new(ErrorKind::Device, "the program's callback is gone: play the session anew");
        if lent { Ok(Box::new(())) } else { Err(gone()) }
    }

    fn name(&self) -> String {
        "the program's callback".to_owned()
    }

    fn patience(&self) -> Option<Duration> {
        None
    }
}
