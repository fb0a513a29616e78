//! Backends: the outputs of a player. All of them pull frames through the same [`Callback`].

use super::{
    builder::thread_error,
    callback::Callback,
    stream_stats::{DeviceFault, StreamStats},
};
use crate::{
    block::Block,
    encode::Sink,
    error::{Error, ErrorKind, Result},
    layout::Spec,
    sync::locked,
    units::saturating_usize,
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Makes the callback and its counters for the rate and layout that a device was opened with.
pub(crate) type Connect<'a> = &'a mut dyn FnMut(Spec) -> (Callback, Arc<StreamStats>);

/// Longest time between two calls of a device; after it the device counts as lost.
pub(super) const CALL_TIMEOUT: Duration = Duration::from_millis(400);

/// An output that requests frames through a [`Callback`].
pub(crate) trait Backend: Send {
    /// Opens the output, with the wanted rate and layout if possible, and starts it. From then on it calls the callback from
    /// a thread of its own; dropping the returned value stops and closes it. May be called again after that.
    ///
    /// # Errors
    /// `Device`, with advice.
    fn open(&mut self, wanted: Spec, connect: Connect<'_>) -> Result<Box<dyn Send>>;

    /// Returns its name, for messages.
    fn name(&self) -> String;

    /// Returns the longest time between two calls, after which the output counts as lost; `None` for no limit.
    fn timeout(&self) -> Option<Duration> {
        Some(CALL_TIMEOUT)
    }

    /// Reports whether it waits for the first frame of a start as long as that takes, as a file does.
    fn waits(&self) -> bool {
        false
    }

    /// Takes the error that stopped it, if it has a more specific one than the [`DeviceFault`].
    fn failure(&self) -> Option<Error> {
        None
    }
}

/// A thread that is asked to end, and joined, when this is dropped.
struct BackendThread {
    quit: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl BackendThread {
    /// Starts a thread; `run` must return soon after its flag becomes true.
    fn start(name: &str, run: impl FnOnce(&AtomicBool) + Send + 'static) -> Result<Box<dyn Send>> {
        let quit = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&quit);
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || run(&flag))
            .map_err(thread_error)?;
        Ok(Box::new(Self {
            quit,
            thread: Some(thread),
        }))
    }
}

impl Drop for BackendThread {
    fn drop(&mut self) {
        self.quit.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // Fails if the thread panicked, which the panic hook has reported.
            let _ = thread.join();
        }
    }
}

/// Requests frames in real time and discards them.
pub(crate) struct NullBackend;

/// Interval at which [`NullBackend`] requests frames.
const NULL_CALLS_PER_SECOND: u32 = 100;

impl Backend for NullBackend {
    fn open(&mut self, wanted: Spec, connect: Connect<'_>) -> Result<Box<dyn Send>> {
        let (mut callback, _) = connect(wanted);
        let frames = (wanted.rate.hz() / NULL_CALLS_PER_SECOND).max(1);
        let period = Duration::from_secs(1) * frames / wanted.rate.hz();
        let mut out = vec![0.0f32; frames as usize * wanted.layout.channels()];
        BackendThread::start("soundtrack-null", move |quit| {
            let mut due = Instant::now();
            while !quit.load(Ordering::Acquire) {
                callback.serve(&mut out, 0);
                due += period;
                match due.checked_duration_since(Instant::now()) {
                    Some(wait) => thread::sleep(wait),
                    // After a suspend, continues from now instead of catching up.
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

/// Writes blocks to a program's sink, as fast as it accepts them, and finishes it when it is closed.
pub(crate) struct SinkBackend {
    /// Shared with the writing thread, of which there is another one each time this is opened.
    sink: Arc<Mutex<Box<dyn Sink + Send>>>,
    failure: Arc<Mutex<Option<Error>>>,
    /// Frames in a block, at most.
    block: usize,
}

impl SinkBackend {
    pub(crate) fn new(sink: Box<dyn Sink + Send>, block: usize) -> Self {
        Self {
            sink: Arc::new(Mutex::new(sink)),
            failure: Arc::default(),
            block,
        }
    }
}

/// Pause of the writing thread when no frames are rendered.
const SINK_POLL_INTERVAL: Duration = Duration::from_millis(1);

impl Backend for SinkBackend {
    fn open(&mut self, wanted: Spec, connect: Connect<'_>) -> Result<Box<dyn Send>> {
        let (callback, stats) = connect(wanted);
        let (sink, failure, block) = (
            Arc::clone(&self.sink),
            Arc::clone(&self.failure),
            self.block,
        );
        BackendThread::start("soundtrack-sink", move |quit| {
            let mut sink = locked(&sink);
            let written = write_until(
                quit,
                callback,
                sink.as_mut(),
                Block::new(wanted.layout, block),
            );
            if let Err(e) = written.and_then(|()| sink.finish()) {
                *locked(&failure) = Some(e);
                stats.record_fault(DeviceFault::Failed);
            }
        })
    }

    fn name(&self) -> String {
        "the sink".to_owned()
    }

    fn waits(&self) -> bool {
        true
    }

    fn timeout(&self) -> Option<Duration> {
        None
    }

    fn failure(&self) -> Option<Error> {
        locked(&self.failure).take()
    }
}

/// Writes the callback's frames to a sink, in blocks of up to the capacity of `block`, until `quit` is set.
fn write_until(
    quit: &AtomicBool,
    mut callback: Callback,
    sink: &mut dyn Sink,
    mut block: Block,
) -> Result<()> {
    let (channels, most) = (block.layout().channels(), block.capacity());
    let mut interleaved = vec![0.0f64; most * channels];
    while !quit.load(Ordering::Acquire) {
        let n = saturating_usize(callback.available()).min(most);
        let Some(samples) = interleaved.get_mut(..n * channels) else {
            return Ok(());
        };
        // Also without frames: the player waits for the first call before it starts.
        callback.serve(samples, 0);
        if n == 0 {
            thread::sleep(SINK_POLL_INTERVAL);
            continue;
        }
        block.set_frames(n);
        for (ch, to) in block.channels_mut().enumerate() {
            let from = samples.iter().skip(ch).step_by(channels.max(1));
            to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        }
        sink.write(&block)?;
    }
    Ok(())
}

/// Hands the callback to a program, once, which calls it from its own audio thread.
pub(crate) struct CallbackBackend {
    spec: Spec,
    program: Option<SyncSender<Callback>>,
}

impl CallbackBackend {
    /// Makes a backend with the rate and layout of the program's device. Returns it with the receiver of the callback.
    pub(crate) fn new(spec: Spec) -> (Self, Receiver<Callback>) {
        let (sender, receiver) = sync_channel(1);
        (
            Self {
                spec,
                program: Some(sender),
            },
            receiver,
        )
    }
}

impl Backend for CallbackBackend {
    fn open(&mut self, _: Spec, connect: Connect<'_>) -> Result<Box<dyn Send>> {
        let (callback, _) = connect(self.spec);
        match self.program.take().map(|program| program.send(callback)) {
            Some(Ok(())) => Ok(Box::new(())),
            _ => Err(Error::new(
                ErrorKind::Device,
                "the program's callback is gone: play the session anew",
            )),
        }
    }

    fn name(&self) -> String {
        "the program's callback".to_owned()
    }

    fn timeout(&self) -> Option<Duration> {
        None
    }
}
