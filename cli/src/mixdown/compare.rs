//! `compare A B`: whether two files hold the same audio.

use super::{args::CompareArgs, run};
use crate::{failure::Failure, voice::printable};
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
    let mut said = "";
    let mut say = |label: &'static str, text: String| {
        let shown = if said == label { "" } else { label };
        said = label;
        lines.push(format!("  {shown:9}  {text}"));
    };
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
    } else if found.comparable && found.frames == 0 {
        let empty = if a.frames == 0 { "a" } else { "b" };
        say(
            "empty",
            format!("{empty} has no frames: nothing is compared"),
        );
    } else if found.comparable {
        say(
            "same",
            format!("the {} that both have", frames(found.frames)),
        );
    }
    for text in places(found, rate) {
        say("where", text);
    }
    match (&found.fit, &found.fit_from_difference) {
        (Some(fit), _) => say("best fit", best(fit)),
        (None, Some(fit)) => say("best fit", format!("from there on {}", best(fit))),
        (None, None) if found.largest.is_some() => say(
            "best fit",
            format!(
                "none: no gain with a lag within {} frames leaves less than a tenth of the difference",
                compare::LAGS
            ),
        ),
        (None, None) => {}
    }
    lines.join("\n")
}

/// Returns when two files differ: `same until 00:00:10.000 (frame 480000), then different to the end`.
fn places(found: &Comparison, rate: SampleRate) -> Vec<String> {
    let place = |frame: u64| format!("{} (frame {frame})", Frames(frame).clock(rate));
    match found.spans.as_slice() {
        [] => Vec::new(),
        [span] => {
            let (start, end) = (place(span.start_frame), place(span.end_frame));
            let ends = span.end_frame >= found.frames;
            vec![match (span.start_frame, ends) {
                (0, true) => "different from the start to the end".to_owned(),
                (0, false) => format!("different until {end}, then the same to the end"),
                (_, true) => format!("same until {start}, then different to the end"),
                (_, false) => {
                    format!(
                        "same until {start}, then different until {end}, then the same to the end"
                    )
                }
            }]
        }
        [first, ..] => {
            let begins = match first.start_frame {
                0 => "different from the start".to_owned(),
                start => format!("same until {}", place(start)),
            };
            let mut lines = vec![format!("{begins}; {} stretches differ:", found.spans.len())];
            lines.extend(found.spans.iter().map(|span| {
                let (start, end) = (span.start_frame, span.end_frame);
                let (from, to) = (Frames(start).clock(rate), Frames(end).clock(rate));
                format!("{from} to {to} (frames {start} to {end})")
            }));
            lines
        }
    }
}

/// Returns a fit in words: `b is a, 240 frames (5.000 ms) later, 3.00 dB quieter; -92.10 dBFS remain at most`.
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
    // A gain alone may be all that differs, however small it is.
    let is_all = fit.lag_frames == 0 && !fit.inverted;
    let digits = match fit.gain_db.abs() {
        db if db >= 0.005 => Some(2),
        _ if is_all => Some(9),
        _ => None,
    };
    if let Some(digits) = digits {
        let way = if fit.gain_db > 0.0 {
            "louder"
        } else {
            "quieter"
        };
        parts.push(format!("{:.digits$} dB {way}", fit.gain_db.abs()));
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
