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

/// Formats the progress: `00:00:12 of 00:00:32, 170 times real time, 3 s left`.
fn position(Progress { done, total }: Progress, rate: SampleRate, elapsed: Duration) -> String {
    let speed = done.to_duration(rate).as_secs_f64() / elapsed.as_secs_f64().max(1e-3);
    // To the second: the milliseconds of a clock change too fast to be read.
    let clock = |frames: Frames| {
        let clock = frames.clock(rate);
        clock
            .split_once('.')
            .map_or(clock.clone(), |(seconds, _)| seconds.to_owned())
    };
    let speed = if speed < 0.5 {
        String::new()
    } else {
        format!(", {speed:.0} times real time")
    };
    format!(
        "{} of {}{speed}{}",
        clock(done),
        clock(total),
        time_left(Progress { done, total }, elapsed)
            .map_or_else(String::new, |left| format!(", {left} left"))
    )
}

/// Returns an estimate of the time left, `3 s` or `2 min`; `None` in the first half second, which says little.
fn time_left(Progress { done, total }: Progress, elapsed: Duration) -> Option<String> {
    if done == Frames::ZERO || done >= total || elapsed < Duration::from_millis(500) {
        return None;
    }
    let left = elapsed.as_secs_f64() * ((total.0 as f64 / done.0 as f64) - 1.0).max(0.0);
    Some(crate::text::rough_time(left))
}

/// Columns that the bar with its text needs; a narrower terminal shows the text without the bar, or only the percentage.
const BAR_COLUMNS: u16 = 80;
const TEXT_COLUMNS: u16 = 62;

/// Creates a bar that fits the terminal and so never wraps.
fn new_bar(total: Frames, rate: SampleRate) -> ProgressBar {
    let text = move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
        let progress = Progress {
            done: Frames(state.pos()),
            total,
        };
        // indicatif gives no way to report an error here.
        let _ = out.write_str(&position(progress, rate, state.elapsed()));
    };
    let columns = crossterm::terminal::size().map_or(BAR_COLUMNS, |(columns, _)| columns);
    let style = ProgressStyle::with_template(match columns {
        columns if columns >= BAR_COLUMNS => "{bar:14} {percent:>3} %  {position}",
        columns if columns >= TEXT_COLUMNS => "{percent:>3} %  {position}",
        _ => "{percent:>3} %",
    });
    let style = style
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("position", text);
    ProgressBar::with_draw_target(Some(total.0), ProgressDrawTarget::stderr_with_hz(10))
        .with_style(style)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_that_of_the_frames_left_and_the_text_fits() {
        let progress = |done, total| Progress {
            done: Frames(done),
            total: Frames(total),
        };
        let seconds = Duration::from_secs;
        let left = |done, total, elapsed| time_left(progress(done, total), elapsed);
        assert_eq!(left(48_000, 4 * 48_000, seconds(1)).as_deref(), Some("3 s"));
        assert_eq!(left(1, 121, seconds(1)).as_deref(), Some("2 min"));
        assert_eq!(left(1, 36_001, seconds(1)).as_deref(), Some("10.0 h"));
        assert_eq!(left(0, 100, seconds(1)), None);
        assert_eq!(left(1, 100, Duration::from_millis(100)), None);
        let text = position(
            progress(48_000, 10 * 48_000),
            SampleRate::HZ_48000,
            seconds(1),
        );
        assert_eq!(text, "00:00:01 of 00:00:10, 1 times real time, 9 s left");
        // A day at the highest speed: "  9 %  " and the bar of 14 cells precede it.
        let longest = position(
            progress(400_000_000, 4_147_200_000),
            SampleRate::HZ_48000,
            seconds(1),
        );
        assert!(longest.len() + 22 < usize::from(BAR_COLUMNS), "{longest}");
    }
}
