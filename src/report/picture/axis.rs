//! Time axis: maps seconds to positions, and draws a ruler with round times or timecodes.

use super::svg::{Anchor, Svg};
use crate::{
    report::Report,
    timecode::Timecode,
    units::{Frames, SampleRate},
};

/// Maps a range of time to a range of horizontal positions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Axis {
    pub start_s: f64,
    pub length_s: f64,
    pub left: f64,
    pub right: f64,
    pub timecode: Option<TimecodeLabels>,
}

/// Timecode of the timeline, for labels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TimecodeLabels {
    pub start: Timecode,
    pub audio: SampleRate,
}

impl TimecodeLabels {
    /// Returns the timecode of a report, if it has one.
    pub(super) fn new(report: &Report) -> Option<Self> {
        let timecode = report.overview.as_ref()?.timecode.as_ref()?;
        let start = Timecode::parse(&timecode.start, timecode.fps.parse().ok()?).ok()?;
        Some(Self {
            start,
            audio: SampleRate::new(report.rate_hz).ok()?,
        })
    }

    /// Returns the timecode of the picture frame shown at a time.
    pub(super) fn label(&self, at_s: f64) -> String {
        let frame = Frames((at_s.max(0.0) * f64::from(self.audio.hz())).round() as u64);
        Timecode::seen_at(
            self.start.frames(self.audio) + frame,
            self.audio,
            self.start.rate(),
        )
        .0
        .to_string()
    }

    /// Returns the time at which a picture frame starts on the timeline; negative before the start
    /// of the timeline.
    fn at_s(&self, timecode: Timecode) -> f64 {
        let from = |t: Timecode| t.frames(self.audio).0 as f64;
        (from(timecode) - from(self.start)) / f64::from(self.audio.hz())
    }

    /// Returns the first timecode of a second of the day. Drop-frame timecode skips some labels.
    fn second(&self, n: u64) -> Option<Timecode> {
        let [h, m, s] = [n / 3600, n / 60 % 60, n % 60].map(|p| p as u32);
        [0, 2, 4, 8]
            .into_iter()
            .find_map(|f| Timecode::new(h, m, s, f, self.start.rate()).ok())
    }
}

/// Steps of a ruler in seconds, up to 4 hours.
const STEPS: [f64; 24] = [
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0,
    120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 14_400.0,
];

/// Minimum distance between two ticks.
const MIN_TICK_DISTANCE: f64 = 82.0;

/// Maximum number of ticks.
const MAX_TICKS: usize = 100;

/// Tick of the ruler.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub at_s: f64,
    pub label: String,
}

impl Axis {
    /// Returns the position of a time, clamped to the ends of the axis.
    pub(super) fn x(&self, at_s: f64) -> f64 {
        let part = if self.length_s > 0.0 {
            (at_s - self.start_s) / self.length_s
        } else {
            0.0
        };
        self.left + part.clamp(0.0, 1.0) * (self.right - self.left)
    }

    pub(super) fn width(&self) -> f64 {
        self.right - self.left
    }

    pub(super) fn end_s(&self) -> f64 {
        self.start_s + self.length_s
    }

    /// Formats a time as timecode if the session has one, or as clock time to the millisecond.
    pub(super) fn label(&self, at_s: f64) -> String {
        self.timecode
            .map_or_else(|| clock(at_s, 0.001), |n| n.label(at_s))
    }

    /// Returns ticks at round times, at least [`MIN_TICK_DISTANCE`] apart.
    pub(super) fn ticks(&self) -> Vec<Tick> {
        let min_step_s = MIN_TICK_DISTANCE / self.width() * self.length_s;
        if let Some(timecode) = &self.timecode {
            return self.timecode_ticks(timecode, min_step_s);
        }
        let days = (min_step_s / 86_400.0).ceil().max(1.0) * 86_400.0;
        let step = STEPS.into_iter().find(|s| *s >= min_step_s).unwrap_or(days);
        let mut ticks = Vec::new();
        let mut n = (self.start_s / step - 1e-9).ceil();
        // The tolerance keeps a tick at the very end in spite of rounding.
        while n * step <= self.end_s() + step * 1e-6 && ticks.len() < MAX_TICKS {
            ticks.push(Tick {
                at_s: n * step,
                label: clock(n * step, step),
            });
            n += 1.0;
        }
        ticks
    }

    /// Returns ticks at round timecodes: whole seconds, or picture frames if they are far enough
    /// apart.
    fn timecode_ticks(&self, labels: &TimecodeLabels, min_step_s: f64) -> Vec<Tick> {
        let rate = labels.start.rate();
        let frame_s = f64::from(rate.denominator()) / f64::from(rate.numerator());
        let frames = [1u64, 2, 4, 6, 12]
            .into_iter()
            .find(|n| *n as f64 * frame_s >= min_step_s && *n as f64 * frame_s < 0.6);
        let mut ticks = Vec::new();
        if let Some(step) = frames {
            let mut number =
                (labels.start.number() + (self.start_s / frame_s) as u64) / step * step;
            loop {
                let timecode = Timecode::of_number(number, rate);
                let at_s = labels.at_s(timecode);
                self.push_visible(&mut ticks, at_s, timecode.to_string());
                if at_s > self.end_s() {
                    return ticks;
                }
                number += step;
            }
        }
        let step = STEPS
            .into_iter()
            .find(|s| *s >= min_step_s.max(1.0))
            .unwrap_or(21_600.0) as u64;
        let [h, m, s, _] = labels.start.parts();
        let mut second = (3600 * h + 60 * m + s + self.start_s as u64) / step * step;
        // Timecode ends at midnight, and so do the labels.
        while let Some(timecode) = labels.second(second) {
            let at_s = labels.at_s(timecode);
            let label = timecode.to_string();
            // The ruler shows whole seconds only.
            let label = label.get(..8).unwrap_or(&label).to_owned();
            self.push_visible(&mut ticks, at_s, label);
            if at_s > self.end_s() {
                break;
            }
            second += step;
        }
        ticks
    }

    /// Adds a tick if it lies on the axis, up to [`MAX_TICKS`].
    fn push_visible(&self, ticks: &mut Vec<Tick>, at_s: f64, label: String) {
        let visible = at_s >= self.start_s - 1e-9 && at_s <= self.end_s() + 1e-9;
        if visible && ticks.len() < MAX_TICKS {
            ticks.push(Tick { at_s, label });
        }
    }

    /// Draws vertical grid lines at the ticks.
    pub(super) fn grid(&self, svg: &mut Svg, ticks: &[Tick], top: f64, bottom: f64) {
        let lines: String = ticks
            .iter()
            .map(|t| format!("M{} {top}V{bottom}", super::svg::number(self.x(t.at_s))))
            .collect();
        svg.path("grid", &lines);
    }

    /// Draws the ruler below `y`.
    pub(super) fn ruler(&self, svg: &mut Svg, ticks: &[Tick], y: f64) {
        svg.line("axis", (self.left, y), (self.right, y));
        for tick in ticks {
            let x = self.x(tick.at_s);
            svg.line("axis", (x, y), (x, y + 5.0));
            svg.text("tick", (x, y + 18.0), Anchor::Middle, &tick.label, None);
        }
    }
}

/// Formats a time with the decimals that a step of the ruler needs: `0.25`, `1:05`, `2:00:00`.
pub(super) fn clock(at_s: f64, step_s: f64) -> String {
    let decimals = if step_s >= 1.0 {
        0
    } else {
        (-step_s.log10()).ceil().clamp(1.0, 3.0) as usize
    };
    // Rounded down as clocks do; 1e-6 makes up for rounding in `at_s`.
    let units = 10f64.powi(decimals as i32);
    let rounded = (at_s.max(0.0) * units + 1e-6).floor() / units;
    let (minutes, seconds) = ((rounded / 60.0).floor(), rounded % 60.0);
    let width = if decimals > 0 { decimals + 3 } else { 2 };
    if minutes >= 60.0 {
        format!(
            "{}:{:02}:{seconds:0width$.decimals$}",
            (minutes / 60.0).floor(),
            minutes % 60.0
        )
    } else {
        format!("{minutes}:{seconds:0width$.decimals$}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(start_s: f64, length_s: f64) -> Vec<String> {
        let axis = Axis {
            start_s,
            length_s,
            left: 0.0,
            right: 1000.0,
            timecode: None,
        };
        axis.ticks().into_iter().map(|t| t.label).collect()
    }

    #[test]
    fn ticks_are_round_whatever_the_length() {
        assert_eq!(
            labels(0.0, 3.0),
            [
                "0:00.0", "0:00.5", "0:01.0", "0:01.5", "0:02.0", "0:02.5", "0:03.0"
            ]
        );
        assert_eq!(
            labels(58.0, 10.0),
            [
                "0:58", "0:59", "1:00", "1:01", "1:02", "1:03", "1:04", "1:05", "1:06", "1:07",
                "1:08"
            ]
        );
        assert_eq!(
            labels(0.0, 3.0 * 3600.0)[..4],
            ["0:00", "15:00", "30:00", "45:00"]
        );
        assert_eq!(labels(0.0, 3.0 * 3600.0).last().unwrap(), "3:00:00");
        assert_eq!(
            labels(0.0, 0.011)[..3],
            ["0:00.000", "0:00.001", "0:00.002"]
        );
        for length in [0.0, 1e-9, 1e-3, 0.7, 12.3, 4000.0, 1e5, 1e7] {
            assert!(
                (1..=13).contains(&labels(0.0, length).len()),
                "{length}: {:?}",
                labels(0.0, length)
            );
        }
    }

    #[test]
    fn a_time_outside_lies_at_the_edge() {
        let axis = Axis {
            start_s: 10.0,
            length_s: 4.0,
            left: 100.0,
            right: 500.0,
            timecode: None,
        };
        assert_eq!(
            [9.0, 10.0, 11.0, 14.0, 15.0].map(|t| axis.x(t)),
            [100.0, 100.0, 200.0, 500.0, 500.0]
        );
    }

    #[test]
    fn timecode_labels_are_round_and_lie_on_their_frames() {
        let label = |start: &str, fps: &str, length_s: f64| {
            let start = Timecode::parse(start, fps.parse().unwrap()).unwrap();
            let timecode = Some(TimecodeLabels {
                start,
                audio: SampleRate::HZ_48000,
            });
            let axis = Axis {
                start_s: 0.0,
                length_s,
                left: 0.0,
                right: 1000.0,
                timecode,
            };
            axis.ticks()
                .into_iter()
                .map(|t| (t.label, (t.at_s * 48_000.0).round()))
                .collect::<Vec<_>>()
        };
        let own = |l: &str, at: f64| (l.to_owned(), at);
        let reel = label("01:00:00:00", "24", 390.0);
        assert_eq!(
            reel[..2],
            [own("01:00:00", 0.0), own("01:01:00", 2_880_000.0)]
        );
        assert_eq!(reel.len(), 7);
        // A second of labels at 23.976 fps lasts 1.001 s.
        assert_eq!(
            label("00:59:58:12", "23.976", 20.0)[0],
            own("01:00:00", 72_072.0)
        );
        // Drop-frame: the label of a minute's first frame is left out.
        let drop = label("01:00:58;00", "29.97df", 10.0);
        assert_eq!(drop.iter().find(|l| l.0 == "01:01:00").unwrap().1, 96_096.0);
        assert_eq!(
            label("01:00:00:00", "25", 0.3)[..2],
            [own("01:00:00:00", 0.0), own("01:00:00:01", 1920.0)]
        );
        assert_eq!(label("23:59:58:00", "24", 10.0).len(), 2);
    }
}
