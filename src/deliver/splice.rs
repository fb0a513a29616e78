//! Replaces a part of delivered files by a new render of it.
//!
//! The finished file has the samples of the old one outside the part and those of the render inside, and is
//! encoded, tagged and measured anew as a whole. Since a render of a part has the samples of the
//! whole, the file equals that of a complete delivery, as long as nothing outside the part has changed.
//! That is tested where it is likely to show: the render begins and ends [`CHECKED_S`] beyond the part,
//! and there it must agree with the old file in every sample.

use super::jobs::DeliveryJob;
use crate::{
    block::Block,
    bounce::{output_file::AudioFile, settings::ProgressReporter},
    cancel::Cancel,
    diagnostics::{ClockTime, Subject, Warning, WarningKind},
    dsp::{peak::Peak, quantise::held},
    encode::{CompleteOutput, Container, FileLoudness, FileSink, Format, Sink, Written},
    error::{Error, ErrorKind, Result, counted},
    layout::Spec,
    measure::{Measured, Meter},
    media::{Damage, Input, chunk_reader::ChunkReader, stem::Stem},
    plan::Plan,
    session::{Content, Deliverable, Session},
    storage::is_link,
    units::{Decibels, Frames, SampleRate, saturating_usize},
};
use serde::Deserialize;
use std::{
    fs::File,
    io::Read,
    ops::Range,
    path::{Path, PathBuf},
};

/// Time on each side of a replaced part in which the render must agree with the old file, in seconds.
const CHECKED_S: u64 = 1;
/// Frames that are copied at a time.
const COPIED_FRAMES: usize = 16_384;
/// Maximum size of a report that gains are read from, in bytes.
const MAX_REPORT_BYTES: u64 = 1 << 30;

/// Part of the timeline that a delivery renders anew, and the places of the cues on it.
pub(super) struct Splice {
    /// Frames of the timeline, at the rate of the session.
    range: Range<Frames>,
    rate: SampleRate,
    /// Names of the cues, and the frames in which each sounds.
    cues: Vec<(String, Vec<Range<Frames>>)>,
}

/// Part of a file that is rendered anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SplicePart {
    /// Frames of the timeline that are in the file.
    pub file: Range<Frames>,
    /// Frames that are replaced.
    pub replaced: Range<Frames>,
    /// Frames that are rendered: the replaced ones, and those that must agree with the old file.
    pub rendered: Range<Frames>,
}

impl Splice {
    /// Prepares replacing a range of the timeline of a session.
    ///
    /// # Errors
    /// Passes on the errors of compiling the session; `InvalidArgument` for a range that is empty or starts after
    /// the end of the timeline.
    pub(super) fn new(
        session: &Session,
        chosen: &[&Deliverable],
        range: Range<Frames>,
        cancel: &Cancel,
    ) -> Result<Self> {
        let mut spoken = session.clone();
        if spoken.lang.is_none() {
            spoken.lang = chosen.iter().find_map(|d| d.lang.clone());
        }
        spoken.speak();
        let plan = Plan::compile_with(&spoken, cancel)?;
        let clock = |frames: Frames| frames.clock(session.rate);
        let (start, end, length) = (range.start, range.end, plan.length());
        let fault = if start >= end {
            format!(
                "the range starts at {} and ends at {}: it is empty",
                clock(start),
                clock(end)
            )
        } else if start >= length {
            format!(
                "the range starts at {}, but the timeline ends at {}",
                clock(start),
                clock(length)
            )
        } else {
            let cues = plan.cues().iter().map(|cue| {
                let places = cue.uses.iter().map(|place| place.range.clone());
                (cue.name.clone(), places.collect())
            });
            return Ok(Self {
                range,
                rate: session.rate,
                cues: cues.collect(),
            });
        };
        Err(Error::new(ErrorKind::InvalidArgument, fault))
    }

    /// Returns the part of the files of a job that is rendered anew. A cue on a timeline of its own is
    /// rendered whole if it sounds in the range, or nowhere; otherwise its start is only checked. `None` for
    /// files that repeat a part, which are written anew.
    pub(super) fn part(&self, job: &DeliveryJob, plan: &Plan) -> Option<SplicePart> {
        if job.cut.loops > 1 {
            return None;
        }
        let file = job.range(plan);
        let of_cue = job.session.cues().first().filter(|_| job.is_of_cue());
        let wanted = match of_cue {
            Some(cue) if self.concerns(&cue.name) => file.clone(),
            Some(_) => file.start..file.start,
            None => self.at_rate(&job.session),
        };
        let within = |at: Frames| at.clamp(file.start, file.end.max(file.start));
        let replaced = within(wanted.start)..within(wanted.end);
        let margin = Frames(u64::from(plan.spec().rate.hz()) * CHECKED_S);
        let end = Frames(replaced.end.0.saturating_add(margin.0));
        let rendered = within(replaced.start - margin)..within(end);
        Some(SplicePart {
            file,
            replaced,
            rendered,
        })
    }

    /// Returns true if a cue sounds in the range, or has no place on the timeline.
    fn concerns(&self, name: &str) -> bool {
        self.cues
            .iter()
            .find(|(cue, _)| cue == name)
            .is_none_or(|(_, places)| places.is_empty() || places.iter().any(|p| self.overlaps(p)))
    }

    /// Returns the range at the rate of a deliverable's session, rounded outwards.
    fn at_rate(&self, session: &Session) -> Range<Frames> {
        let to = session.rate;
        if to == self.rate {
            return self.range.clone();
        }
        let converted = |at: Frames| at.resampled(self.rate, to);
        let start = converted(self.range.start) - Frames(1);
        start..Frames(converted(self.range.end).0.saturating_add(1))
    }

    /// Returns a warning for each cue that sounds in the range and has a placement outside of it.
    pub(super) fn kept_placements(&self) -> Vec<Warning> {
        let placed = self.cues.iter().filter(|(name, _)| self.concerns(name));
        let warning = |(name, places): &(String, Vec<Range<Frames>>)| {
            let kept = places.iter().find(|place| !self.overlaps(place))?;
            let at = ClockTime {
                frame: kept.start,
                rate: self.rate,
            };
            let cue = Subject::Cue {
                name: name.clone(),
                placement: None,
                file: None,
            };
            Some(Warning::new(WarningKind::PlacementKept { at }, cue))
        };
        placed.filter_map(warning).collect()
    }

    fn overlaps(&self, place: &Range<Frames>) -> bool {
        place.start < self.range.end && self.range.start < place.end
    }
}

impl SplicePart {
    /// Returns true if no sample of the old file is kept.
    pub(super) fn is_whole(&self) -> bool {
        self.replaced == self.file
    }

    /// Returns the number of frames that are rendered for a number of files or copied from them.
    pub(super) fn work(&self, files: usize) -> Frames {
        let rendered = self.rendered.end - self.rendered.start;
        let copied = (self.file.end - self.file.start) - rendered;
        rendered + Frames(copied.0.saturating_mul(files as u64))
    }

    /// Returns the replaced part in seconds of the timeline.
    pub(super) fn replaced_s(&self, rate: SampleRate) -> [f64; 2] {
        [self.replaced.start, self.replaced.end].map(|at| at.to_duration(rate).as_secs_f64())
    }
}

/// Audio file of a delivery: written from its first frame to its last, or from samples of the file that is
/// there already and a render of a part.
#[derive(Debug)]
pub(super) struct DeliveredSink {
    file: FileSink,
    splice: Option<SpliceInProgress>,
}

impl DeliveredSink {
    pub(super) fn new(file: FileSink, splice: Option<SpliceInProgress>) -> Self {
        Self { file, splice }
    }

    /// Copies the frames before the rendered ones, if a part of the file is replaced.
    ///
    /// # Errors
    /// Passes on the errors of reading and writing, and of the progress.
    pub(super) fn copy_start(&mut self, progress: &mut ProgressReporter<'_>) -> Result<()> {
        match &mut self.splice {
            Some(splice) => splice.copy_until(splice.part.rendered.start, &mut self.file, progress),
            None => Ok(()),
        }
    }

    /// Copies the frames after the rendered ones. Returns the levels of a spliced file.
    ///
    /// # Errors
    /// As [`copy_start`](Self::copy_start).
    pub(super) fn copy_end(
        &mut self,
        progress: &mut ProgressReporter<'_>,
    ) -> Result<Option<SplicedLevels>> {
        let Some(mut splice) = self.splice.take() else {
            return Ok(None);
        };
        splice.copy_until(splice.part.file.end, &mut self.file, progress)?;
        Ok(Some(SplicedLevels {
            measured: splice.meter.map(Meter::finish),
            peaks: splice.peaks,
        }))
    }

    /// Syncs the file to disk without making it visible.
    pub(super) fn complete(mut self) -> Result<CompleteOutput> {
        self.file.complete()
    }
}

impl Sink for DeliveredSink {
    fn write(&mut self, block: &Block) -> Result<()> {
        match &mut self.splice {
            Some(splice) => splice.write(block, &mut self.file),
            None => self.file.write(block),
        }
    }

    fn finish(&mut self) -> Result<Written> {
        self.file.finish()
    }
}

impl AudioFile for DeliveredSink {
    fn set_loudness(&mut self, loudness: FileLoudness) {
        self.file.set_loudness(loudness);
    }
}

/// Levels of the samples of a spliced file.
pub(super) struct SplicedLevels {
    /// `None` for a stem.
    pub measured: Option<Measured>,
    /// Peak of each channel.
    pub peaks: Vec<Peak>,
}

/// File being made from an old file and a render.
pub(super) struct SpliceInProgress {
    path: PathBuf,
    old: ChunkReader,
    spec: Spec,
    format: Format,
    part: SplicePart,
    /// Frame of the timeline that comes next.
    at: Frames,
    meter: Option<Meter>,
    peaks: Vec<Peak>,
    block: Block,
}

impl std::fmt::Debug for SpliceInProgress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "SpliceInProgress({}, {:?})",
            self.path.display(),
            self.part
        )
    }
}

impl SpliceInProgress {
    /// Opens the old file, and checks that it has this format and length. `metered` measures the
    /// loudness.
    ///
    /// # Errors
    /// See [`check_file`].
    pub(super) fn open(
        path: &Path,
        format: Format,
        spec: Spec,
        part: &SplicePart,
        metered: bool,
    ) -> Result<Self> {
        let stem = check_file(path, format, spec, part)?;
        Ok(Self {
            path: path.to_owned(),
            old: ChunkReader::open(&stem)?,
            spec,
            format,
            part: part.clone(),
            at: part.file.start,
            meter: metered.then(|| Meter::new(spec)),
            peaks: vec![Peak::default(); spec.layout.channels()],
            block: Block::new(spec.layout, COPIED_FRAMES),
        })
    }

    /// Writes the next frames of the render, those outside the replaced part from the old file.
    fn write(&mut self, rendered: &Block, file: &mut FileSink) -> Result<()> {
        let frames = rendered.frames();
        self.read(frames)?;
        let start = self.at;
        let index = |at: Frames| saturating_usize((at - start).0).min(frames);
        let new = index(self.part.replaced.start)..index(self.part.replaced.end);
        let width = self.format.width();
        let channels = rendered.channels().zip(self.block.channels_mut());
        let mut wrong = frames;
        for (from, to) in channels {
            let outside = (0..new.start).chain(new.end..frames);
            // Equal as numbers: a file of floats may hold either zero.
            #[expect(clippy::float_cmp, reason = "the same samples are meant")]
            let differs = |i: &usize| {
                let (from, to) = (from.get(*i), to.get(*i));
                from.zip(to)
                    .is_none_or(|(from, to)| held(width, *from) != *to)
            };
            wrong = wrong.min(outside.into_iter().find(differs).unwrap_or(frames));
            if let (Some(to), Some(from)) = (to.get_mut(new.clone()), from.get(new.clone())) {
                to.copy_from_slice(from);
            }
        }
        if wrong < frames {
            return Err(self.disagreement(start + Frames(wrong as u64)));
        }
        file.write(&self.block)?;
        // Levels are those of the samples in the file.
        for channel in self.block.channels_mut() {
            for sample in channel.iter_mut().take(new.end).skip(new.start) {
                *sample = held(width, *sample);
            }
        }
        self.measure();
        Ok(())
    }

    /// Copies frames of the old file up to a frame of the timeline.
    fn copy_until(
        &mut self,
        end: Frames,
        file: &mut FileSink,
        progress: &mut ProgressReporter<'_>,
    ) -> Result<()> {
        while self.at < end {
            let frames = saturating_usize((end - self.at).0).min(COPIED_FRAMES);
            self.read(frames)?;
            file.write(&self.block)?;
            self.measure();
            progress.advance(frames)?;
        }
        Ok(())
    }

    /// Reads frames of the old file into the block.
    fn read(&mut self, frames: usize) -> Result<()> {
        self.block.set_capacity(frames);
        self.block.set_frames(frames);
        let read = self.old.fill(frames)?;
        if read < frames {
            let what = "ended while it was read: another program may be changing it";
            return Err(refused(&self.path, ErrorKind::Corrupt, what));
        }
        for (to, from) in self.block.channels_mut().zip(&self.old.channels) {
            to.copy_from_slice(from);
        }
        Ok(())
    }

    /// Measures the block and moves on.
    fn measure(&mut self) {
        if let Some(meter) = &mut self.meter {
            meter.feed(&self.block);
        }
        let position = (self.at - self.part.file.start).0;
        for (peak, channel) in self.peaks.iter_mut().zip(self.block.channels()) {
            peak.take(channel, position);
        }
        self.at += Frames(self.block.frames() as u64);
    }

    /// Returns the error for a frame outside the replaced part that differs.
    fn disagreement(&self, at: Frames) -> Error {
        let rate = self.spec.rate;
        let (start, end) = (self.part.replaced.start, self.part.replaced.end);
        let why = if start == end {
            "which has none of the range".to_owned()
        } else if at < start {
            format!("before the range, which starts at {}", start.clock(rate))
        } else {
            format!("after the range, which ends at {}", end.clock(rate))
        };
        let what = format!(
            "the file has other samples than the session now gives at {}, {why}: \
             widen the range over all that has changed, or deliver the whole without a range",
            at.clock(rate)
        );
        refused(&self.path, ErrorKind::Output, &what)
    }
}

fn refused(path: &Path, kind: ErrorKind, what: &str) -> Error {
    Error::new(kind, format!("{}: {what}", path.display()))
}

/// Checks that there is a local file, without opening it.
///
/// # Errors
/// `Unsupported` for a file in a store, `Output` if there is no file.
pub(super) fn check_present(path: &Path) -> Result<()> {
    if path.to_str().is_some_and(is_link) {
        let what = "is in a store, and a part can be replaced in local files only: \
                    deliver the whole without a range";
        return Err(refused(path, ErrorKind::Unsupported, what));
    }
    if !path.is_file() {
        let what = "there is no such file, so no part of it can be replaced: \
                    deliver the whole without a range first";
        return Err(refused(path, ErrorKind::Output, what));
    }
    Ok(())
}

/// Checks that an old file has a format and the length of a part's file.
///
/// # Errors
/// As [`check_present`]; `Output` for a file that cannot be read, or has another container, encoding,
/// rate, layout or length.
pub(super) fn check_file(
    path: &Path,
    format: Format,
    spec: Spec,
    part: &SplicePart,
) -> Result<Stem> {
    check_present(path)?;
    let stem = Stem::probe(&Input::file(path), spec.rate, Damage::Refuse).map_err(|e| {
        let what =
            format!("{e}; no part of the file can be replaced: deliver the whole without a range");
        Error::new(ErrorKind::Output, what).because(e)
    })?;
    let frames = part.file.end - part.file.start;
    let Some(info) = &stem.info else {
        return Err(refused(path, ErrorKind::Output, "cannot be read back"));
    };
    let bits = info.bits.map(|bits| (bits.width, bits.float));
    let is_flac = info.codec == "FLAC";
    let clock = |frames: Frames| frames.clock(spec.rate);
    let (is, wanted) = if is_flac != (format.container == Container::Flac)
        || bits != Some((format.bits(), format.is_float()))
    {
        let kind = bits.map_or(String::new(), |(width, is_float)| {
            format!(" with {width} bits{}", if is_float { " float" } else { "" })
        });
        (format!("{}{kind}", info.codec), format.to_string())
    } else if info.spec.rate != spec.rate {
        let hertz = |rate: SampleRate| format!("{rate} Hz");
        (hertz(info.spec.rate), hertz(spec.rate))
    } else if info.spec.layout != spec.layout {
        (info.spec.layout.to_string(), spec.layout.to_string())
    } else if info.frames != frames {
        let length = |n: Frames| format!("{} ({}) long", clock(n), counted(n.0, "frame"));
        (length(info.frames), length(frames))
    } else {
        return Ok(stem);
    };
    let what = format!(
        "the file is {is}, the deliverable is {wanted}, so no part of it can be replaced: \
         deliver the whole without a range"
    );
    Err(refused(path, ErrorKind::Output, &what))
}

/// Report of the delivery before, as far as gains need it.
#[derive(Deserialize)]
struct RecordedDelivery {
    deliverables: Vec<RecordedGain>,
}

#[derive(Deserialize)]
struct RecordedGain {
    gain_db: f64,
    gain_of: Option<String>,
}

/// Returns the gains that the delivery before found for the fitted deliverables, from its JSON report.
///
/// # Errors
/// `Session` if no deliverable is a JSON report; `Output` for a report that is not there, cannot be read or
/// has not all gains.
pub(super) fn recorded_gains(session: &Session, fitted: &[&Deliverable]) -> Result<Vec<Decibels>> {
    let Some(first) = fitted.first() else {
        return Ok(Vec::new());
    };
    let is_json = |path: &Path| {
        path.extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
    };
    let outputs = session.deliverables.iter().filter(|d| d.report);
    let report = outputs
        .flat_map(|d| session.outputs(d))
        .find(|output| output.content == Content::Report && is_json(&output.file));
    let Some(report) = report else {
        let what = format!(
            "deliverable {:?} is fitted to its loudness, and no JSON report states the gain of the files that are there: \
             add a deliverable with report = true and a .json file and deliver the whole once, or state gain in place of fit",
            first.name
        );
        return Err(Error::new(ErrorKind::Session, what));
    };
    let path = &report.file;
    check_present(path)?;
    let mut text = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_REPORT_BYTES).read_to_end(&mut text))
        .map_err(|e| refused(path, ErrorKind::Output, &e.to_string()).because(e))?;
    let recorded: RecordedDelivery = serde_json::from_slice(&text).map_err(|e| {
        let what =
            format!("is not the report of a delivery: {e}; deliver the whole without a range");
        refused(path, ErrorKind::Output, &what)
    })?;
    let gain = |deliverable: &&Deliverable| {
        // Any deliverable with the gain will do: the fitted one may not have been written.
        let found = (recorded.deliverables.iter())
            .find(|recorded| recorded.gain_of.as_ref() == Some(&deliverable.name));
        found.map(|gain| Decibels(gain.gain_db)).ok_or_else(|| {
            let what = format!(
                "has no gain that fits deliverable {:?} to its loudness: deliver the whole without a range",
                deliverable.name
            );
            refused(path, ErrorKind::Output, &what)
        })
    };
    fitted.iter().map(gain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        deliver::jobs,
        layout::Layout,
        media,
        session::{Cue, Deliverable, Track, Use},
    };

    fn splice(places: &[(&str, &[(u64, u64)])]) -> Splice {
        let frames = |&(start, end): &(u64, u64)| Frames(start)..Frames(end);
        let cue = |(name, places): &(&str, &[(u64, u64)])| {
            ((*name).to_owned(), places.iter().map(frames).collect())
        };
        Splice {
            range: Frames(100)..Frames(200),
            rate: SampleRate::HZ_48000,
            cues: places.iter().map(cue).collect(),
        }
    }

    #[test]
    fn cues_that_sound_in_the_range_or_nowhere_are_concerned() {
        let splice = splice(&[
            ("before", &[(0, 100)]),
            ("at start", &[(0, 101)]),
            ("at end", &[(199, 300)]),
            ("after", &[(200, 300)]),
            ("second", &[(0, 50), (150, 160)]),
            ("unplaced", &[]),
        ]);
        for (name, is_concerned) in [
            ("before", false),
            ("at start", true),
            ("at end", true),
            ("after", false),
            ("second", true),
            ("unplaced", true),
            ("unknown", true),
        ] {
            assert_eq!(splice.concerns(name), is_concerned, "{name}");
        }
        // Of the concerned ones only the placement outside of the range keeps its sound.
        let kept = splice.kept_placements();
        let at = |warning: &Warning| match &warning.kind {
            WarningKind::PlacementKept { at } => at.frame,
            other => panic!("{other:?}"),
        };
        assert_eq!(kept.iter().map(at).collect::<Vec<_>>(), [Frames(0)]);
    }

    #[test]
    fn a_piece_is_rendered_whole_or_not_and_a_mix_with_a_second_at_both_ends() {
        let spec = Spec {
            rate: SampleRate::HZ_48000,
            layout: Layout::Mono,
        };
        let stem = media::Memory::new(spec, vec![vec![0.5; 480_000]]).unwrap();
        let mut film = Session::new(spec.rate, spec.layout);
        film.add_cue(
            Cue::new("c")
                .track(Track::new("t", stem))
                .used(Use::at(Frames(0))),
        );
        let part = Deliverable::new("part", "part.wav").range(Frames(0)..Frames(48_000));
        film.deliverables = vec![
            Deliverable::new("mix", "mix.wav"),
            Deliverable::new("album", "{cue}.wav").album(true),
            part.loops(2),
        ];
        let selection = jobs::select(&film, &[]).unwrap();
        let jobs = jobs::jobs(&film, &selection, false);
        let plans = jobs::compile(&jobs, &Cancel::default()).unwrap();
        let parts = |place: (u64, u64)| {
            let mut splice = splice(&[("c", &[place])]);
            splice.range = Frames(240_000)..Frames(288_000);
            let part = |(job, plan)| {
                let part: Option<SplicePart> = splice.part(job, plan);
                let seconds = |r: &Range<Frames>| [r.start, r.end].map(|at| at.0 / 48_000);
                part.map(|part| [part.file, part.replaced, part.rendered].map(|r| seconds(&r)))
            };
            jobs.iter().zip(&plans).map(part).collect::<Vec<_>>()
        };
        let mix = Some([[0, 10], [5, 6], [4, 7]]);
        assert_eq!(parts((0, 480_000)), [mix, Some([[0, 10]; 3]), None]);
        // A piece that does not sound in the range is only checked at its start.
        let start = Some([[0, 10], [0, 0], [0, 1]]);
        assert_eq!(parts((0, 100)), [mix, start, None]);
    }

    #[test]
    fn a_range_at_another_rate_is_one_frame_wider_at_both_ends() {
        let session = |rate| Session::new(rate, Layout::Mono);
        let splice = splice(&[]);
        let same = splice.at_rate(&session(SampleRate::HZ_48000));
        assert_eq!(same, Frames(100)..Frames(200));
        let fast = splice.at_rate(&session(SampleRate::HZ_96000));
        assert_eq!(fast, Frames(199)..Frames(401));
    }

    #[test]
    fn a_part_renders_what_it_replaces_and_a_margin_and_copies_the_rest() {
        let part = |file: Range<u64>, replaced: Range<u64>, rendered: Range<u64>| {
            let frames = |range: Range<u64>| Frames(range.start)..Frames(range.end);
            SplicePart {
                file: frames(file),
                replaced: frames(replaced),
                rendered: frames(rendered),
            }
        };
        let some = part(1_000..97_000, 24_000..48_000, 12_000..60_000);
        assert!(!some.is_whole() && part(5..9, 5..9, 5..9).is_whole());
        assert_eq!(some.replaced_s(SampleRate::HZ_48000), [0.5, 1.0]);
        assert_eq!(some.work(1), Frames(96_000));
        assert_eq!(some.work(3), Frames(48_000 + 3 * 48_000));
    }

    /// Splices frames 2 to 4 of a file of six into a render of frames 1 to 5, and returns the result.
    fn spliced(outside: f64) -> Result<Vec<f64>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        let spec = Spec {
            rate: SampleRate::HZ_48000,
            layout: Layout::Mono,
        };
        let block = |samples: &[f64]| {
            let mut block = Block::new(Layout::Mono, samples.len());
            block.fill(samples.len(), 0.0);
            block.channel_mut(0).copy_from_slice(samples);
            block
        };
        let create = |path: &Path| FileSink::create(path, Format::WAV_16, spec, Frames(6)).unwrap();
        let mut old = create(&path);
        old.write(&block(&[0.0, 0.125, 0.25, 0.375, 0.5, 0.625]))
            .unwrap();
        old.finish().unwrap();
        let frames = |range: Range<u64>| Frames(10 + range.start)..Frames(10 + range.end);
        let part = SplicePart {
            file: frames(0..6),
            replaced: frames(2..4),
            rendered: frames(1..5),
        };
        let new = folder.path().join("b.wav");
        let splice = SpliceInProgress::open(&path, Format::WAV_16, spec, &part, false)?;
        let mut sink = DeliveredSink::new(create(&new), Some(splice));
        let mut progress = ProgressReporter::new(None, Frames(6));
        sink.copy_start(&mut progress)?;
        sink.write(&block(&[0.125, -0.5, -1.0]))?;
        sink.write(&block(&[outside]))?;
        let levels = sink.copy_end(&mut progress)?.unwrap();
        assert!(levels.measured.is_none());
        assert_eq!((levels.peaks[0].value, levels.peaks[0].at), (1.0, 3));
        sink.finish()?;
        let mut source = media::open(&new, None)?.0;
        let mut out = Block::new(Layout::Mono, 6);
        assert_eq!(source.read(&mut out)?, 6);
        Ok(out.channel(0).to_vec())
    }

    #[test]
    fn old_samples_stay_outside_the_part_and_must_be_those_of_the_render() {
        assert_eq!(spliced(0.5).unwrap(), [0.0, 0.125, -0.5, -1.0, 0.5, 0.625]);
        assert!(spliced(0.4375).is_err());
    }
}
