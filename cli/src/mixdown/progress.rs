//! Shows the progress of a render on stderr as a bar, lines or JSON, at most ten times a second.

use super::args::ProgressMode;
use crate::messages::Messages;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use serde_json::json;
use soundtrack::{Frames, Progress, SampleRate};
use std::time::{Duration, Instant};

const MIN_INTERVAL: Duration = Duration::from_millis(100);
/// Percent between two lines of `plain`.
const LINE_STEP: u64 = 10;

/// Shows the progress of a render in one form.
pub struct ProgressDisplay {
    mode: ProgressMode,
    messages: Messages,
    rate: SampleRate,
    bar: Option<ProgressBar>,
    start: Instant,
    last_shown: Option<Instant>,
    /// Percent at which `plain` prints its next line.
    next_line: u64,
}

impl ProgressDisplay {
    /// Creates a display of a render at this sample rate that starts now.
    pub fn new(mode: ProgressMode, messages: Messages, rate: SampleRate) -> Self {
        Self {
            mode,
            messages,
            rate,
            bar: None,
            start: Instant::now(),
            last_shown: None,
            next_line: LINE_STEP,
        }
    }

    /// Shows progress, unless it was shown less than 100 ms ago.
    pub fn show(&mut self, progress: Progress) {
        if self
            .last_shown
            .is_some_and(|last| last.elapsed() < MIN_INTERVAL)
        {
            return;
        }
        let percent = percent(progress);
        let Progress { done, total } = progress;
        match self.mode {
            ProgressMode::Bar => {
                self.bar
                    .get_or_insert_with(|| new_bar(total, self.rate))
                    .set_position(done.0);
            }
            ProgressMode::Plain if percent >= self.next_line => {
                let position = position(progress, self.rate, self.start.elapsed());
                self.messages.line(&format!("{percent:>3} %  {position}"));
                self.next_line = (percent / LINE_STEP + 1) * LINE_STEP;
            }
            ProgressMode::Json => {
                let seconds = |frames: Frames| frames.to_duration(self.rate).as_secs_f64();
                self.messages.event(&json!({
                    "event": "progress", "percent": percent, "done_frames": done.0, "total_frames": total.0,
                    "done_s": seconds(done), "total_s": seconds(total), "elapsed_s": self.start.elapsed().as_secs_f64()
                }));
            }
            _ => return,
        }
        self.last_shown = Some(Instant::now());
    }

    /// Removes the bar.
    pub fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

/// Returns the progress in whole percent; 100 for a render of no frames.
fn percent(Progress { done, total }: Progress) -> u64 {
    let percent = (u128::from(done.0) * 100).checked_div(u128::from(total.0));
    percent.map_or(100, |percent| u64::try_from(percent).unwrap_or(u64::MAX))
}

/// Formats the progress: `00:00:12.800 of 00:00:32.000, 170 times real time`.
fn position(Progress { done, total }: Progress, rate: SampleRate, elapsed: Duration) -> String {
    let speed = done.to_duration(rate).as_secs_f64() / elapsed.as_secs_f64().max(1e-3);
    format!(
        "{} of {}, {speed:.0} times real time",
        done.clock(rate),
        total.clock(rate)
    )
}

/// Creates a bar of 16 cells, so that bar and text fit a terminal of 80 columns.
fn new_bar(total: Frames, rate: SampleRate) -> ProgressBar {
    let text = move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
        let progress = Progress {
            done: Frames(state.pos()),
            total,
        };
        // indicatif gives no way to report an error here.
        let _ = out.write_str(&position(progress, rate, state.elapsed()));
    };
    let style = ProgressStyle::with_template("{bar:16} {percent:>3} %  {position}");
    let style = style
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("position", text);
    ProgressBar::with_draw_target(Some(total.0), ProgressDrawTarget::stderr_with_hz(10))
        .with_style(style)
}
