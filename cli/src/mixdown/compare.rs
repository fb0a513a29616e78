//! `mixdown compare A B`: compares the audio of two files and describes the differences.

use super::args::CompareArgs;
use crate::{
    exit_code::CHECK_FAILED,
    failure::Failure,
    json, stdout,
    text::{clock, counted, printable},
};
use soundtrack::compare::{self, Compared, Comparison, Difference, Fit};

/// Compares the files, prints the result and returns the exit code: 0 for the same audio, 1 for different audio.
pub fn run(args: &CompareArgs) -> Result<u8, Failure> {
    let found = compare::files(&args.a, &args.b)?;
    if args.json {
        json::print(serde_json::to_value(&found).map_err(|e| Failure::Print(e.into()))?)?;
    } else if !args.quiet {
        stdout::print(&describe(&found))?;
    }
    Ok(if found.identical { 0 } else { CHECK_FAILED })
}

/// Lines with a label; consecutive lines of one label show it once.
#[derive(Default)]
struct LabelledLines {
    lines: Vec<String>,
    last_label: &'static str,
}

impl LabelledLines {
    fn add(&mut self, label: &'static str, text: impl AsRef<str>) {
        let shown = if label == self.last_label { "" } else { label };
        self.last_label = label;
        self.lines.push(format!("  {shown:9}  {}", text.as_ref()));
    }
}

/// Describes a comparison in sentences.
fn describe(found: &Comparison) -> String {
    let (a, b) = (&found.a, &found.b);
    let mut lines = LabelledLines::default();
    lines.add("a", describe_file(a));
    lines.add("b", describe_file(b));
    if found.identical {
        let (frames, channels) = (frames(found.frames), counted(a.channels as u64, "channel"));
        lines.add("identical", format!("all {frames} of {channels}"));
        return lines.lines.join("\n");
    }
    describe_formats(found, &mut lines);
    if let Some(largest) = &found.largest {
        describe_largest(found, largest, &mut lines);
    } else if found.comparable && found.frames == 0 {
        let empty = if a.frames == 0 { "a" } else { "b" };
        lines.add(
            "empty",
            format!("{empty} has no frames: nothing is compared"),
        );
    } else if found.comparable {
        let frames = frames(found.frames);
        lines.add("same", format!("the {frames} that both have"));
    }
    for text in describe_spans(found) {
        lines.add("where", text);
    }
    match (&found.fit, &found.fit_from_difference) {
        (Some(fit), _) => lines.add("best fit", describe_fit(fit)),
        (None, Some(fit)) => lines.add(
            "best fit",
            format!("from there on {}", describe_fit(fit)),
        ),
        (None, None) if found.largest.is_some() => lines.add(
            "best fit",
            format!(
                "none: no gain with a lag within {} frames leaves less than a tenth of the difference",
                compare::LAGS
            ),
        ),
        (None, None) => {}
    }
    lines.lines.join("\n")
}

/// Describes a file: name, rate, layout, codec and length.
fn describe_file(file: &Compared) -> String {
    let float = if file.float { " float" } else { "" };
    let bits = match file.bits {
        Some(bits) => format!(", {bits} bits{float}"),
        None => String::new(),
    };
    format!(
        "{}  {} Hz {}, {}{bits}, {}",
        printable(&file.file),
        file.rate_hz,
        file.layout,
        file.codec,
        clock(file.frames, file.rate_hz)
    )
}

/// Describes differences of rate, layout and length.
fn describe_formats(found: &Comparison, lines: &mut LabelledLines) {
    let (a, b) = (&found.a, &found.b);
    if a.rate_hz != b.rate_hz {
        let (a, b) = (a.rate_hz, b.rate_hz);
        lines.add(
            "rate",
            format!("{a} and {b} Hz: not compared; resample one first"),
        );
    }
    if a.channels != b.channels {
        let (a, b) = (&a.layout, &b.layout);
        lines.add(
            "layout",
            format!("{a} and {b}: not compared; fold one first"),
        );
    } else if a.layout != b.layout {
        let (a, b) = (&a.layout, &b.layout);
        lines.add(
            "layout",
            format!("{a} and {b}: compared channel by channel"),
        );
    }
    if found.comparable && a.frames != b.frames {
        let longer = if a.frames > b.frames { "a" } else { "b" };
        let more = a.frames.abs_diff(b.frames);
        lines.add(
            "length",
            format!(
                "{longer} is {} longer ({})",
                frames(more),
                clock(more, a.rate_hz)
            ),
        );
    }
}

/// Describes the number of different samples and the largest difference.
fn describe_largest(found: &Comparison, largest: &Difference, lines: &mut LabelledLines) {
    let channels = found.a.channels;
    let all = found.frames.saturating_mul(channels as u64);
    let mean = match found.rms_dbfs {
        Some(rms) => format!(", {rms:+.2} dBFS RMS"),
        None => String::new(),
    };
    let count = found.different_samples;
    lines.add("different", format!("{count} of {all} samples{mean}"));
    lines.add(
        "at most",
        format!(
            "{:+.2} dBFS at {} (frame {}, channel {} of {channels})",
            largest.level_dbfs,
            clock(largest.at_frame, found.a.rate_hz),
            largest.at_frame,
            largest.channel + 1
        ),
    );
}

/// Describes the spans that differ: `same until 00:00:10.000 (frame 480000), then different to the end`.
fn describe_spans(found: &Comparison) -> Vec<String> {
    let time = |frame: u64| clock(frame, found.a.rate_hz);
    let place = |frame: u64| format!("{} (frame {frame})", time(frame));
    match found.spans.as_slice() {
        [] => Vec::new(),
        [span] => {
            let (start, end) = (place(span.start_frame), place(span.end_frame));
            let reaches_end = span.end_frame >= found.frames;
            vec![match (span.start_frame, reaches_end) {
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
            let begin = match first.start_frame {
                0 => "different from the start".to_owned(),
                start => format!("same until {}", place(start)),
            };
            let mut lines = vec![format!("{begin}; {} stretches differ:", found.spans.len())];
            lines.extend(found.spans.iter().map(|span| {
                let (start, end) = (span.start_frame, span.end_frame);
                format!("{} to {} (frames {start} to {end})", time(start), time(end))
            }));
            lines
        }
    }
}

/// Describes a fit: `b is a, 240 frames (5.000 ms) later, 3.00 dB quieter; -92.10 dBFS remain at most`.
fn describe_fit(fit: &Fit) -> String {
    let mut parts = vec!["b is a".to_owned()];
    if fit.lag_frames != 0 {
        let direction = if fit.lag_frames > 0 {
            "later"
        } else {
            "earlier"
        };
        let lag = frames(fit.lag_frames.unsigned_abs());
        let ms = fit.lag_s.abs() * 1000.0;
        parts.push(format!("{lag} ({ms:.3} ms) {direction}"));
    }
    // If a gain is the only difference it is shown however small it is.
    let is_gain_only = fit.lag_frames == 0 && !fit.inverted;
    let digits = match fit.gain_db.abs() {
        db if db >= 0.005 => Some(2),
        _ if is_gain_only => Some(9),
        _ => None,
    };
    if let Some(digits) = digits {
        let direction = if fit.gain_db > 0.0 {
            "louder"
        } else {
            "quieter"
        };
        parts.push(format!("{:.digits$} dB {direction}", fit.gain_db.abs()));
    }
    if fit.inverted {
        parts.push("of inverted polarity".to_owned());
    }
    let residual = match fit.residual_dbfs {
        Some(residual) => format!("{residual:+.2} dBFS remain at most"),
        None => "nothing remains".to_owned(),
    };
    format!("{}; {residual}", parts.join(", "))
}

fn frames(count: u64) -> String {
    counted(count, "frame")
}
