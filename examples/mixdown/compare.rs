//! `compare A B`: whether two files hold the same audio.

use super::{args::CompareArgs, failure::Failure, run, voice::printable};
use soundtrack::{
    Frames, SampleRate,
    compare::{self, Compared, Comparison, Fit},
};

const DIFFERENT: u8 = 1;

/// Compares; the exit code: 0 for the same audio, 1 for different.
pub fn run(args: &CompareArgs) -> Result<u8, Failure> {
    let found = compare::files(&args.a, &args.b)?;
    if args.json {
        let json = serde_json::to_string_pretty(&found).unwrap_or_default();
        run::print(&json)?;
    } else if !args.quiet {
        run::print(&words(&found))?;
    }
    Ok(if found.identical { 0 } else { DIFFERENT })
}

/// The result in sentences.
fn words(found: &Comparison) -> String {
    let (a, b) = (&found.a, &found.b);
    let rate = SampleRate::new(a.rate_hz).unwrap_or(SampleRate::HZ_48000);
    let mut lines = vec![about("a", a), about("b", b)];
    let mut say = |label: &str, text: String| lines.push(format!("  {label:9}  {text}"));
    if found.identical {
        say(
            "identical",
            format!("all {} of {}", frames(found.frames), channels(a.channels)),
        );
        return lines.join("\n");
    }
    if a.rate_hz != b.rate_hz {
        say(
            "rate",
            format!(
                "{} and {} Hz: not compared; resample one first",
                a.rate_hz, b.rate_hz
            ),
        );
    }
    if a.channels != b.channels {
        say(
            "layout",
            format!(
                "{} and {}: not compared; fold one first",
                a.layout, b.layout
            ),
        );
    } else if a.layout != b.layout {
        say(
            "layout",
            format!("{} and {}: compared channel by channel", a.layout, b.layout),
        );
    }
    if found.comparable && a.frames != b.frames {
        let (longer, more) = if a.frames > b.frames {
            ("a", a.frames - b.frames)
        } else {
            ("b", b.frames - a.frames)
        };
        say(
            "length",
            format!(
                "{longer} is {} longer ({})",
                frames(more),
                Frames(more).clock(rate)
            ),
        );
    }
    if let Some(most) = &found.largest {
        let all = found.frames.saturating_mul(a.channels as u64);
        let rms = found.rms_dbfs.unwrap_or_default();
        say(
            "different",
            format!(
                "{} of {all} samples, {rms:.2} dBFS in the mean",
                found.different_samples
            ),
        );
        let at = Frames(most.at_frame).clock(rate);
        let (level, frame, channel) = (most.level_dbfs, most.at_frame, most.channel + 1);
        say(
            "at most",
            format!(
                "{level:.2} dBFS at {at} (frame {frame}, channel {channel} of {})",
                a.channels
            ),
        );
    } else if found.comparable {
        say(
            "same",
            format!("the {} that both have", frames(found.frames)),
        );
    }
    if let Some(fit) = found.fit.as_ref().filter(|f| worth_telling(f)) {
        say("best fit", best(fit));
    } else if found.fit.is_none() && found.largest.is_some() {
        say(
            "best fit",
            format!("none within {} frames of lag", compare::LAGS),
        );
    }
    lines.join("\n")
}

/// Whether a fit is more than the comparison itself.
fn worth_telling(fit: &Fit) -> bool {
    fit.lag_frames != 0 || fit.inverted || fit.gain_db.abs() >= 0.005
}

/// `b is a, 240 frames (5.000 ms) later, 3.00 dB quieter; −92.10 dBFS remain at most`
fn best(fit: &Fit) -> String {
    let mut parts = vec!["b is a".to_owned()];
    if fit.lag_frames != 0 {
        let way = if fit.lag_frames > 0 {
            "later"
        } else {
            "earlier"
        };
        let (lag, ms) = (
            frames(fit.lag_frames.unsigned_abs()),
            fit.lag_s.abs() * 1000.0,
        );
        parts.push(format!("{lag} ({ms:.3} ms) {way}"));
    }
    if fit.gain_db.abs() >= 0.005 {
        let way = if fit.gain_db > 0.0 {
            "louder"
        } else {
            "quieter"
        };
        parts.push(format!("{:.2} dB {way}", fit.gain_db.abs()));
    }
    if fit.inverted {
        parts.push("of inverted polarity".to_owned());
    }
    let left = fit.residual_dbfs.map_or("nothing remains".to_owned(), |r| {
        format!("{r:.2} dBFS remain at most")
    });
    format!("{}; {left}", parts.join(", "))
}

fn about(label: &str, file: &Compared) -> String {
    let rate = SampleRate::new(file.rate_hz).unwrap_or(SampleRate::HZ_48000);
    let bits = file.bits.map_or(String::new(), |b| format!(", {b} bits"));
    let length = Frames(file.frames).clock(rate);
    let name = printable(&file.file);
    format!(
        "  {label:9}  {name}  {} Hz {}, {}{bits}, {length}",
        file.rate_hz, file.layout, file.codec
    )
}

fn frames(n: u64) -> String {
    format!("{n} frame{}", if n == 1 { "" } else { "s" })
}

fn channels(n: usize) -> String {
    format!("{n} channel{}", if n == 1 { "" } else { "s" })
}
