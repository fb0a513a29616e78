//! Report of an existing audio file: measured and drawn, not mixed.

use super::Bounce;
use crate::{
    block::Block,
    diagnostics::{Subject, Warning, WarningKind},
    encode::{Sink, Written},
    engine::{Options, Renderer},
    error::{Error, ErrorKind, Result},
    media::{self, Damage},
    plan::Plan,
    report::Report,
    session::{Session, Track},
};
use std::path::Path;

/// Sink that discards every block.
struct NullSink;

impl Sink for NullSink {
    fn write(&mut self, _: &Block) -> Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> Result<Written> {
        Ok(Written::default())
    }
}

impl Report {
    /// Measures the first audio stream of a file at its own rate and layout, and collects waveforms
    /// with at most `bins` bins as in [`Bounce::overview`]. [`output`](Self::output) is the path of
    /// the file. The MD5 that a FLAC file states is compared with its audio, which mixing does not do.
    ///
    /// ```
    /// use soundtrack::{Damage, Layout, Report, SampleRate, Session, Spec, Track, media::Memory};
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("half.wav");
    /// let spec = Spec { rate: SampleRate::HZ_44100, layout: Layout::Mono };
    /// let mut mix = Session::new(spec.rate, spec.layout);
    /// mix.add_track(Track::new("x", Memory::new(spec, vec![vec![0.5; 1000]])?));
    /// mix.bounce(&path)?;
    /// let report = Report::of_audio(&path, 10, Damage::Refuse)?;
    /// assert_eq!((report.rate_hz, report.frames), (44_100, 1000));
    /// assert_eq!(report.overview.unwrap().mix_channels[0].max, [0.5; 10]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `NotFound`, `Unsupported` or `Corrupt`, with the position; with [`Damage::Silence`] damaged
    /// regions cause warnings instead.
    pub fn of_audio(path: impl AsRef<Path>, bins: usize, damage: Damage) -> Result<Self> {
        let path = path.as_ref();
        let (_, info) = media::open(path, None)?;
        if info.spec.layout.speakers().is_empty() {
            let what = format!(
                "{}: {}: their places must be known to measure them",
                path.display(),
                info.spec.layout
            );
            return Err(Error::new(ErrorKind::Unsupported, what));
        }
        let name = path
            .file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy()
            .into_owned();
        let mut session = Session::new(info.spec.rate.to_whole(), info.spec.layout);
        session.damage = damage;
        session.add_track(Track::new(name.clone(), path));
        let mut renderer = Renderer::new(Plan::compile(&session)?, &Options::default())?;
        let mut report = Bounce::new()
            .overview(bins)
            .into_sink(&mut renderer, &mut NullSink)
            .map_err(Error::out_of_track)?;
        // The reader knows the file, and not the track that stands for it here.
        for warning in &mut report.warnings {
            if matches!(warning.subject, Subject::Track { .. }) {
                warning.subject = Subject::File {
                    path: path.display().to_string(),
                };
            }
        }
        if media::checksum::matches(path)? == Some(false) {
            let subject = Subject::File {
                path: path.display().to_string(),
            };
            let warning = Warning::new(WarningKind::ChecksumDiffers {}, subject);
            report.warnings.push(warning);
        }
        report.title = name;
        report.output = Some(path.display().to_string());
        // The only track is the file itself, which the mix already shows.
        report.overview.iter_mut().for_each(|o| o.tracks.clear());
        Ok(report)
    }
}
