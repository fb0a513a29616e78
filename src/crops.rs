//! Renders many short ranges of one session into buffers of the program, for training and analysis.

use crate::{
    block::Block,
    cancel::Cancel,
    curve::Automation,
    engine::serial::{SerialRenderer, StepOutputs},
    error::{Error, ErrorKind, Result},
    plan::Plan,
    session::{Selector, Session},
    units::{Decibels, Frames, Pan},
};
use std::{fmt, ops::Range};

/// Renders many short ranges of one session: the mix and chosen stems in one pass, into the caller's buffers, with gains, pans
/// and mutes that change between them.
///
/// The session is compiled once. Plan, open stems and buffers are kept, so that after the first crops nothing is allocated.
/// It runs on the caller's thread; a program with several cores makes one for each, from clones of the session.
///
/// ```
/// use soundtrack::{Crops, Decibels, Frames, Layout, SampleRate, Session, Spec, Track, media::Memory};
/// let spec = Spec { rate: SampleRate::HZ_44100, layout: Layout::Stereo };
/// let mut mix = Session::new(spec.rate, spec.layout);
/// let vox = mix.add_track(Track::new("vox", Memory::interleaved(spec, vec![0.5f32; 2 * 44_100])?));
/// let drums = mix.add_track(Track::new("drums", Memory::interleaved(spec, vec![0.25f32; 2 * 44_100])?));
/// let mut crops = Crops::new(&mix, &[vox.into(), drums.into()])?;
/// let (mut sum, mut stems) = (vec![0.0; 2 * 1_000], [vec![0.0; 2 * 1_000], vec![0.0; 2 * 1_000]]);
/// for at in [0, 7_000, 30_000] {
///     crops.set_gain(vox, Decibels(-6.0))?;
///     crops.set_mute(drums, at == 7_000)?;
///     let [vox, drums] = &mut stems;
///     crops.render(Frames(at), &mut sum, &mut [vox, drums])?;
///     assert!(sum.iter().zip(&*vox).zip(&*drums).all(|((sum, v), d)| *sum == v + d));
///     assert_eq!(drums[0], if at == 7_000 { 0.0 } else { 0.25 });
/// }
/// # Ok::<(), soundtrack::Error>(())
/// ```
pub struct Crops {
    renderer: SerialRenderer,
    /// The session, to find parts and for the curves that a gain is added to.
    session: Session,
    /// The index in the plan of each track and each bus of the session, and of the master.
    tracks: Vec<usize>,
    buses: Vec<usize>,
    master: usize,
    /// The nodes of the stems.
    stems: Vec<usize>,
}

impl Crops {
    /// Compiles a session, and chooses tracks and buses to render beside the mix. A stem is the output of its strip, after its
    /// fader.
    ///
    /// # Errors
    /// Those of compiling; `InvalidArgument` for a stem that is no track or bus of the session, and for stems where processors
    /// look ahead, because the stems would be ahead of the mix.
    pub fn new(session: &Session, stems: &[Selector]) -> Result<Self> {
        // Muted strips are left out of a plan. Here they are silenced by a switch of their own.
        let mut session = session.clone();
        let (mut muted_tracks, mut muted_buses) = (Vec::new(), Vec::new());
        for track in session.tracks_mut() {
            muted_tracks.push(std::mem::take(&mut track.strip.mute));
        }
        for bus in session.buses_mut() {
            muted_buses.push(std::mem::take(&mut bus.strip.mute));
        }
        let plan = Plan::compile_with(&session, &Cancel::new())?;
        let (_, index_of) = plan.routing.order();
        let tracks = session.track_ids().map(|id| plan.routing.track(id));
        let tracks: Vec<usize> = tracks.map(|node| index_of[node]).collect();
        let buses = session.bus_ids().map(|id| plan.routing.bus(id).0);
        let buses: Vec<usize> = buses.map(|node| index_of[node]).collect();
        let has_latency = plan.latency() > Frames::ZERO;
        let mut crops = Self {
            master: plan.nodes.len().saturating_sub(1),
            renderer: SerialRenderer::new(plan)?,
            session,
            tracks,
            buses,
            stems: Vec::new(),
        };
        if has_latency && !stems.is_empty() {
            return Err(refused(
                "stems cannot be rendered beside a mix with processors that look ahead: bypass those, or take the mix alone",
            ));
        }
        for stem in stems {
            match stem {
                Selector::Track(_) | Selector::Bus(_) => {
                    let node = crops.node(*stem)?;
                    crops.renderer.keep_output(node);
                    crops.stems.push(node);
                }
                _ => return Err(refused("a stem is a track or a bus")),
            }
        }
        for (node, muted) in crops.tracks.iter().zip(muted_tracks) {
            crops.renderer.set_muted(*node, muted);
        }
        for (node, muted) in crops.buses.iter().zip(muted_buses) {
            crops.renderer.set_muted(*node, muted);
        }
        Ok(crops)
    }

    /// Returns the length of the mix. Past it, crops are silent.
    #[must_use]
    pub fn length(&self) -> Frames {
        self.renderer.plan().length()
    }

    /// Returns the node of a track, a bus or the master.
    fn node(&self, part: Selector) -> Result<usize> {
        if !self.session.owns(part) {
            return Err(refused("the id is of another session"));
        }
        let node = match part {
            Selector::Track(id) => self.tracks.get(id.0),
            Selector::Bus(id) => self.buses.get(id.0),
            Selector::Master => Some(&self.master),
            Selector::Cue(_) | Selector::CueTrack(..) => None,
        };
        let what = "only a track, a bus or the master of the session has controls here";
        node.copied().ok_or_else(|| refused(what))
    }

    /// Sets the fader of a track, a bus or the master. Its gain curve is added to it.
    ///
    /// # Errors
    /// `InvalidArgument` for NaN, for an id of another session, and for parts of cues.
    pub fn set_gain(&mut self, part: impl Into<Selector>, gain: Decibels) -> Result<()> {
        let part = part.into();
        let node = self.node(part)?;
        if gain.0.is_nan() {
            return Err(refused("the gain is not a number"));
        }
        let curve = match self.session.strip(part) {
            Some(strip) => &strip.gain_curve,
            None => &self.session.master.gain_curve,
        };
        if let Some(automation) = self.renderer.gain_mut(node) {
            if curve.points.is_empty() {
                automation.set_constant(gain.gain().0);
            } else {
                *automation = Automation::gain(curve, gain);
            }
        }
        Ok(())
    }

    /// Sets the pan control of a track or a bus, limited to −1 (left) to 1 (right). Replaces its pan automation.
    ///
    /// # Errors
    /// `InvalidArgument` for NaN, for an id of another session, for the master and for parts of cues.
    pub fn set_pan(&mut self, part: impl Into<Selector>, pan: Pan) -> Result<()> {
        let part = part.into();
        let node = self.node(part)?;
        if pan.0.is_nan() {
            return Err(refused("the pan is not a number"));
        }
        if part == Selector::Master {
            return Err(refused("the master has no pan"));
        }
        if let Some(automation) = self.renderer.pan_mut(node) {
            automation.set_constant(pan.0.clamp(-1.0, 1.0));
        }
        Ok(())
    }

    /// Mutes a track or a bus, or not.
    ///
    /// # Errors
    /// `InvalidArgument` for an id of another session, for the master and for parts of cues.
    pub fn set_mute(&mut self, part: impl Into<Selector>, mute: bool) -> Result<()> {
        let part = part.into();
        let node = self.node(part)?;
        if part == Selector::Master {
            return Err(refused("the master has no mute"));
        }
        self.renderer.set_muted(node, mute);
        Ok(())
    }

    /// Renders the range from `at` on into interleaved buffers of `f32`: the mix, and one for each stem that was chosen, in
    /// their order. Samples are not clipped. All buffers have the same length, which is that of the range.
    ///
    /// # Errors
    /// `InvalidArgument` for buffers that are no whole number of frames, of different lengths, or not one for each stem; those
    /// of stems that cannot be decoded.
    pub fn render(&mut self, at: Frames, mix: &mut [f32], stems: &mut [&mut [f32]]) -> Result<()> {
        let channels = self.channels();
        let lengths = stems.iter().map(|stem| stem.len());
        self.check(mix.len(), lengths)?;
        if !mix.len().is_multiple_of(channels) {
            return Err(refused("a buffer is no whole number of frames"));
        }
        let frames = mix.len() / channels;
        let nodes = &self.stems;
        let done = self.renderer.render(at, frames, |step: StepOutputs<'_>| {
            let part = step.from * channels..(step.from + step.frames) * channels;
            step.mix(|block, frames| interleave(mix.get_mut(part.clone()), block, frames));
            for (node, stem) in nodes.iter().zip(&mut *stems) {
                step.node(*node, |block, frames| {
                    interleave(stem.get_mut(part.clone()), block, frames);
                });
            }
        })?;
        for buffer in [mix].into_iter().chain(stems.iter_mut().map(|s| &mut **s)) {
            buffer
                .iter_mut()
                .skip(done * channels)
                .for_each(|x| *x = 0.0);
        }
        Ok(())
    }

    /// Renders as [`render`](Self::render) does, into one slice of `f64` for each channel of the mix, and of each stem.
    ///
    /// ```
    /// use soundtrack::{Crops, Frames, Layout, SampleRate, Session, Spec, Track, media::Memory};
    /// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
    /// let mut mix = Session::new(spec.rate, spec.layout);
    /// let ramp = mix.add_track(Track::new("ramp", Memory::new(spec, vec![vec![0.1, 0.2, 0.3]])?));
    /// let (mut sum, mut stem) = ([0.0; 2], [0.0; 2]);
    /// let mut crops = Crops::new(&mix, &[ramp.into()])?;
    /// crops.render_planar(Frames(1), &mut [&mut sum], &mut [&mut [&mut stem]])?;
    /// assert_eq!((sum, stem), ([0.2, 0.3], [0.2, 0.3]));
    /// # Ok::<(), soundtrack::Error>(())
    /// ```
    ///
    /// # Errors
    /// See [`render`](Self::render).
    pub fn render_planar(
        &mut self,
        at: Frames,
        mix: &mut [&mut [f64]],
        stems: &mut [&mut [&mut [f64]]],
    ) -> Result<()> {
        let channels = self.channels();
        let frames = mix.first().map_or(0, |channel| channel.len());
        if mix.len() != channels || stems.iter().any(|stem| stem.len() != channels) {
            let what = format!("the mix has {channels} channels: one slice is needed for each");
            return Err(refused(&what));
        }
        let others = mix.iter().chain(stems.iter().flat_map(|stem| stem.iter()));
        if others.into_iter().any(|channel| channel.len() != frames) {
            return Err(refused("the buffers differ in length"));
        }
        self.check(0, stems.iter().map(|_| 0))?;
        let nodes = &self.stems;
        let done = self.renderer.render(at, frames, |step: StepOutputs<'_>| {
            let part = step.from..step.from + step.frames;
            let copy = |to: &mut [&mut [f64]], block: &Block, frames: Range<usize>| {
                for (to, from) in to.iter_mut().zip(block.channels()) {
                    if let (Some(to), Some(from)) =
                        (to.get_mut(part.clone()), from.get(frames.clone()))
                    {
                        to.copy_from_slice(from);
                    }
                }
            };
            step.mix(|block, frames| copy(mix, block, frames));
            for (node, stem) in nodes.iter().zip(&mut *stems) {
                step.node(*node, |block, frames| copy(stem, block, frames));
            }
        })?;
        let silence = |part: &mut [&mut [f64]]| {
            for channel in part {
                channel.iter_mut().skip(done).for_each(|x| *x = 0.0);
            }
        };
        silence(mix);
        stems.iter_mut().for_each(|stem| silence(stem));
        Ok(())
    }

    fn channels(&self) -> usize {
        self.session.layout.channels().max(1)
    }

    /// Checks that there is a buffer for each stem, and that all have the same length.
    fn check(&self, length: usize, mut stems: impl ExactSizeIterator<Item = usize>) -> Result<()> {
        if stems.len() != self.stems.len() {
            let what = format!("{} stems for {} buffers", self.stems.len(), stems.len());
            return Err(refused(&what));
        }
        if stems.any(|stem| stem != length) {
            return Err(refused("the buffers differ in length"));
        }
        Ok(())
    }
}

impl fmt::Debug for Crops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (length, stems) = (self.length(), self.stems.len());
        write!(f, "Crops({length} frames, {stems} stems)")
    }
}

/// Writes frames of a block into interleaved frames.
#[expect(
    clippy::cast_possible_truncation,
    reason = "samples are rounded to the precision of the buffer"
)]
fn interleave(to: Option<&mut [f32]>, block: &Block, frames: Range<usize>) {
    let Some(to) = to else { return };
    let mut channels = block
        .channels()
        .map(|channel| channel.get(frames.clone()).unwrap_or_default());
    let count = channels.len();
    match (count, channels.next(), channels.next()) {
        // The layout of nearly all music, in one pass over the buffer.
        (2, Some(left), Some(right)) => {
            let (to, _) = to.as_chunks_mut::<2>();
            for ((frame, left), right) in to.iter_mut().zip(left).zip(right) {
                *frame = [*left as f32, *right as f32];
            }
        }
        _ => {
            for (ch, from) in block.channels().enumerate() {
                let from = from.get(frames.clone()).unwrap_or_default();
                let to = to.iter_mut().skip(ch).step_by(count.max(1));
                to.zip(from).for_each(|(to, x)| *to = *x as f32);
            }
        }
    }
}

fn refused(what: &str) -> Error {
    Error::new(ErrorKind::InvalidArgument, what)
}
