//! How far it is: a bar, lines, or JSON; at most ten times a second.

use crate::{args::Progress as How, voice::Voice};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
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
        let bar = (how == How::Bar).then(|| {
            let bar = ProgressBar::with_draw_target(Some(100), ProgressDrawTarget::stderr_with_hz(10));
            let style = ProgressStyle::with_template("{bar:32} {percent:>3} %  {msg}");
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self { how, voice, rate, bar, start: Instant::now(), last: None, next: STEP }
    }

    pub fn tell(&mut self, progress: Progress) {
        if self.last.is_some_and(|last| last.elapsed() < EVERY) {
            return;
        }
        let Progress { done, total } = progress;
        let percent = (u128::from(done.0) * 100).checked_div(u128::from(total.0)).unwrap_or(100);
        let percent = u64::try_from(percent).unwrap_or(100);
        let clock = |frames: Frames| frames.clock(self.rate);
        let text = || format!("{} of {}, {:.0} times real time", clock(done), clock(total), self.speed(done));
        match self.how {
            How::Bar => {
                if let Some(bar) = &self.bar {
                    bar.set_position(percent);
                    bar.set_message(text());
                }
            }
            How::Plain if percent >= self.next => {
                self.voice.line(&format!("{percent:>3} %  {}", text()), || json!({}));
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

    fn speed(&self, done: Frames) -> f64 {
        done.to_duration(self.rate).as_secs_f64() / self.start.elapsed().as_secs_f64().max(1e-3)
    }
}
