//! How far it is: a bar, lines, or JSON; at most ten times a second.

use super::args::Progress as How;
use crate::voice::Voice;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use serde_json::json;
use soundtrack::{Frames, Progress, SampleRate};
use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_millis(100);
/// Percent between two lines.
const STEP: u64 = 10;

/// Tells how far a render is.
pub struct Meter {
    how: How,
    voice: Voice,
    rate: SampleRate,
    bar: Option<ProgressBar>,
    start: Instant,
    last: Option<Instant>,
    next: u64,
}

impl Meter {
    pub fn new(how: How, voice: Voice, rate: SampleRate) -> Self {
        Self {
            how,
            voice,
            rate,
            bar: None,
            start: Instant::now(),
            last: None,
            next: STEP,
        }
    }

    pub fn tell(&mut self, progress: Progress) {
        if self.last.is_some_and(|last| last.elapsed() < EVERY) {
            return;
        }
        let Progress { done, total } = progress;
        let percent = (u128::from(done.0) * 100)
            .checked_div(u128::from(total.0))
            .unwrap_or(100);
        let percent = u64::try_from(percent).unwrap_or(100);
        match self.how {
            How::Bar => {
                self.bar
                    .get_or_insert_with(|| bar(total, self.rate))
                    .set_position(done.0);
            }
            How::Plain if percent >= self.next => {
                let so_far = so_far(progress, self.rate, self.start.elapsed());
                self.voice
                    .line(&format!("{percent:>3} %  {so_far}"), || json!({}));
                self.next = (percent / STEP + 1) * STEP;
            }
            How::Json => {
                let seconds = |frames: Frames| frames.to_duration(self.rate).as_secs_f64();
                self.voice.line("", || {
                    json!({
                        "event": "progress", "percent": percent, "done_frames": done.0, "total_frames": total.0,
                        "done_s": seconds(done), "total_s": seconds(total), "elapsed_s": self.start.elapsed().as_secs_f64()
                    })
                });
            }
            _ => return,
        }
        self.last = Some(Instant::now());
    }

    /// Takes the bar away.
    pub fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

/// `00:00:12.800 of 00:00:32.000, 170 times real time`
fn so_far(Progress { done, total }: Progress, rate: SampleRate, elapsed: Duration) -> String {
    let speed = done.to_duration(rate).as_secs_f64() / elapsed.as_secs_f64().max(1e-3);
    format!(
        "{} of {}, {speed:.0} times real time",
        done.clock(rate),
        total.clock(rate)
    )
}

/// Sixteen cells and the text fit into a terminal of 80 columns.
fn bar(total: Frames, rate: SampleRate) -> ProgressBar {
    let text = move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
        let progress = Progress {
            done: Frames(state.pos()),
            total,
        };
        // A line that cannot be drawn is not worth an error.
        let _ = out.write_str(&so_far(progress, rate, state.elapsed()));
    };
    let style = ProgressStyle::with_template("{bar:16} {percent:>3} %  {so_far}");
    let style = style
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("so_far", text);
    ProgressBar::with_draw_target(Some(total.0), ProgressDrawTarget::stderr_with_hz(10))
        .with_style(style)
}
