//! Measures the difference between two mixes.

use std::path::Path;

/// Two 24-bit WAV files, sample by sample.
#[derive(Clone, Copy, Debug)]
pub struct Compared {
    /// The largest difference in dB of full scale; −∞ where there is none.
    pub dbfs: f64,
    /// Number of frames by which the second is longer.
    pub longer: i64,
}

impl Compared {
    pub fn text(&self) -> String {
        let apart = if self.dbfs == f64::NEG_INFINITY {
            "same".to_owned()
        } else {
            format!("{:.1}", self.dbfs)
        };
        if self.longer == 0 {
            apart
        } else {
            format!("{apart} ({:+} fr)", self.longer)
        }
    }
}

/// Compares over the length that both have.
pub fn compare(a: &Path, b: &Path) -> Result<Compared, String> {
    let open =
        |path: &Path| hound::WavReader::open(path).map_err(|e| format!("{}: {e}", path.display()));
    let (mut a, mut b) = (open(a)?, open(b)?);
    let (is, other) = (a.spec(), b.spec());
    if (is.channels, is.sample_rate, is.bits_per_sample)
        != (other.channels, other.sample_rate, other.bits_per_sample)
    {
        return Err(format!(
            "the outputs are of two kinds: {is:?} and {other:?}"
        ));
    }
    let longer = i64::from(b.duration()) - i64::from(a.duration());
    let mut worst = 0;
    for (a, b) in a.samples::<i32>().zip(b.samples::<i32>()) {
        let (a, b) = (a.map_err(|e| e.to_string())?, b.map_err(|e| e.to_string())?);
        worst = worst.max(a.abs_diff(b));
    }
    let full = f64::from(1u32 << (is.bits_per_sample - 1));
    Ok(Compared {
        dbfs: 20.0 * (f64::from(worst) / full).log10(),
        longer,
    })
}
