//! Output file of a render job. If its format rounds the mix, it is dithered or causes a warning.

use crate::{
    diagnostics::{Subject, Warning, WarningKind},
    encode::{
        self, AlbumLoudness, CompleteOutput, Dither, Dithered, FileLoudness, FileSink, Format,
        Shaping, Sink, WriterSink,
    },
    error::{Error, ErrorKind, Result},
    measure::Measured,
    plan::Plan,
    report::Report,
    storage::FileSet,
    units::{Frames, SampleRate},
};
use std::{
    io::{Seek, Write},
    ops::Range,
    path::Path,
};

/// Returns true if a file of this format has fewer bits than the mix.
pub(crate) fn rounds(plan: &Plan, format: Format) -> bool {
    !format.is_float() && plan.depth().is_none_or(|depth| depth > format.bits())
}

/// Refuses an output that is one of these inputs.
pub(crate) fn refuse_inputs(inputs: &FileSet, output: &Path) -> Result<()> {
    match inputs.name_of(output)? {
        Some(input) => {
            let what = format!(
                "{}: is one of the inputs ({}): choose another output",
                output.display(),
                input.display()
            );
            Err(Error::new(ErrorKind::Output, what))
        }
        None => Ok(()),
    }
}

/// Output file being written.
pub(crate) struct OutputFile<S> {
    sink: OutputSink<S>,
    format: Format,
}

enum OutputSink<S> {
    /// Without dither, with a warning if bits are rounded away.
    Plain(S, Option<Warning>),
    Dithered(Dithered<S>, Dither),
}

/// A sink of an audio file that states the loudness in its metadata.
pub(crate) trait AudioFile: Sink {
    fn set_loudness(&mut self, loudness: FileLoudness);
}

impl AudioFile for FileSink {
    fn set_loudness(&mut self, loudness: FileLoudness) {
        self.set_loudness(loudness);
    }
}

impl<W: Write + Seek> AudioFile for WriterSink<W> {
    fn set_loudness(&mut self, loudness: FileLoudness) {
        self.set_loudness(loudness);
    }
}

impl OutputFile<FileSink> {
    /// Starts a file for a range of the plan, with or without dither.
    ///
    /// # Errors
    /// See [`FileSink::create_with`]; `Session` for weighted dither at a rate that its filter does
    /// not support.
    pub(crate) fn create(
        path: &Path,
        format: Format,
        plan: &Plan,
        range: &Range<Frames>,
        dither: Option<Dither>,
        options: &encode::Options,
    ) -> Result<Self> {
        let file =
            FileSink::create_with(path, format, plan.spec(), range.end - range.start, options)?;
        Self::of(file, format, plan, range, dither)
    }

    /// Completes the file without making it visible. Adds format, dither and warning to its report.
    pub(crate) fn complete(self, report: &mut Report) -> Result<CompleteOutput> {
        self.into_file(report).complete()
    }
}

impl<S: AudioFile> OutputFile<S> {
    /// Writes a range of the plan to a file that was started, with or without dither.
    ///
    /// # Errors
    /// `Session` for weighted dither at a rate that its filter does not support.
    pub(crate) fn of(
        file: S,
        format: Format,
        plan: &Plan,
        range: &Range<Frames>,
        dither: Option<Dither>,
    ) -> Result<Self> {
        let sink = match dither {
            Some(dither) => {
                check_rate(dither, plan.spec().rate)?;
                OutputSink::Dithered(
                    Dithered::new(file, dither, format.bits(), range.start),
                    dither,
                )
            }
            None => OutputSink::Plain(file, rounding_warning(plan, format)),
        };
        Ok(Self { sink, format })
    }

    /// Returns the sink that receives the file's blocks.
    pub(crate) fn sink(&mut self) -> &mut dyn Sink {
        match &mut self.sink {
            OutputSink::Plain(file, _) => file,
            OutputSink::Dithered(dithered, _) => dithered,
        }
    }

    /// Returns the file under the dither.
    pub(crate) fn file_mut(&mut self) -> &mut S {
        match &mut self.sink {
            OutputSink::Plain(file, _) => file,
            OutputSink::Dithered(dithered, _) => dithered.inner_mut(),
        }
    }

    /// Sets the loudness that the metadata of the file states: its own, and that of its album if it is a
    /// piece of one.
    pub(crate) fn set_loudness(&mut self, measured: &Measured, album: Option<AlbumLoudness>) {
        let loudness = FileLoudness {
            integrated: measured.integrated.map(|l| l.0),
            range: measured.range,
            true_peak: measured.true_peak.map(|peak| peak.level.0),
            momentary: measured.momentary_max.map(|max| max.level.0),
            short_term: measured.short_term_max.map(|max| max.level.0),
            album,
        };
        self.file_mut().set_loudness(loudness);
    }

    /// Returns the file, which is not finished. Adds format, dither and warning to its report.
    pub(crate) fn into_file(self, report: &mut Report) -> S {
        report.format = Some(self.format.to_string());
        match self.sink {
            OutputSink::Plain(file, warning) => {
                report.warnings.extend(warning);
                file
            }
            OutputSink::Dithered(dithered, dither) => {
                report.dither = Some(dither.shaping.to_string());
                dithered.into_inner()
            }
        }
    }
}

fn check_rate(dither: Dither, rate: SampleRate) -> Result<()> {
    if dither.shaping != Shaping::Weighted
        || [SampleRate::HZ_44100, SampleRate::HZ_48000].contains(&rate)
    {
        return Ok(());
    }
    let what = format!(
        "weighted dither is for 44100 and 48000 Hz, the output has {rate}: take high-pass or white"
    );
    Err(Error::new(ErrorKind::Session, what))
}

/// Returns a warning about stems with more bits than the file, which are rounded without dither.
fn rounding_warning(plan: &Plan, format: Format) -> Option<Warning> {
    let bits = format.bits();
    let mut deeper = plan.deeper(bits).filter(|_| !format.is_float());
    let (track, file) = deeper.next()?;
    let kind = WarningKind::ReducedDepth {
        bits,
        more_tracks: deeper.count(),
    };
    Some(Warning::new(kind, Subject::clip(track, file)))
}
