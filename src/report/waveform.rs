//! Exports the waveform of the mix for web players, in the JSON format of audiowaveform, version 2.
//!
//! Each pair holds the minimum and maximum sample of one pixel, channels interleaved, as 16-bit
//! integers clipped at full scale.

use super::Report;
use serde::Serialize;

#[derive(Serialize)]
struct Document {
    version: u8,
    channels: usize,
    sample_rate: u32,
    samples_per_pixel: u64,
    bits: u8,
    length: usize,
    data: Vec<i16>,
}

impl Report {
    /// Returns the waveform of the mix as audiowaveform JSON, version 2, 16 bits; `None` if the
    /// report has no [`overview`](crate::Bounce::overview).
    ///
    /// ```
    /// use soundtrack::{Bounce, Layout, Options, Plan, Renderer, SampleRate, Session, Spec, Track};
    /// use soundtrack::{encode, media::Memory};
    /// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
    /// let mut mix = Session::new(spec.rate, spec.layout);
    /// mix.add_track(Track::new("steps", Memory::new(spec, vec![vec![0.25, -0.5, 0.5, 1.0]])?));
    /// let mut renderer = Renderer::new(Plan::compile(&mix)?, &Options::default())?;
    /// let report = Bounce::new().overview(2).into_sink(&mut renderer, &mut encode::MemorySink::default())?;
    /// assert_eq!(
    ///     report.to_waveform_json().unwrap(),
    ///     r#"{"version":2,"channels":1,"sample_rate":48000,"samples_per_pixel":2,"bits":16,"length":2,"data":[-16384,8192,16384,32767]}"#
    /// );
    /// # Ok::<(), soundtrack::Error>(())
    /// ```
    #[must_use]
    pub fn to_waveform_json(&self) -> Option<String> {
        let overview = self.overview.as_ref()?;
        let channels = &overview.mix_channels;
        let length = channels.first().map_or(0, |c| c.min.len());
        let mut data = Vec::new();
        for bin in 0..length {
            for channel in channels {
                data.push(sample_at(&channel.min, bin));
                data.push(sample_at(&channel.max, bin));
            }
        }
        let document = Document {
            version: 2,
            channels: channels.len(),
            sample_rate: self.rate_hz,
            samples_per_pixel: overview.frames_per_bin,
            bits: 16,
            length,
            data,
        };
        serde_json::to_string(&document).ok()
    }
}

/// Returns the value of a bin as a 16-bit integer; 0 if a channel has fewer bins than the first.
fn sample_at(values: &[f32], bin: usize) -> i16 {
    values.get(bin).map_or(0, |value| to_i16(*value))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "rounded, and a cast saturates"
)]
fn to_i16(sample: f32) -> i16 {
    (sample * 32_768.0).round() as i16
}
