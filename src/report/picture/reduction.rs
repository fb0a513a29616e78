//! Draws the gain reduction of inserts, each below the lane of its strip, downward from the top of its
//! own lane. All share one scale in decibels, which is stated above the lanes and beside each one
//! that is high enough.

use super::{
    LEFT, MARGIN, PAGE, RIGHT,
    axis::Axis,
    head::signed,
    levels::column_maxima,
    svg::{Anchor, Svg, TextFit, text_width},
    wave::PathScale,
};
use crate::report::InsertReport;

/// Total height of the lanes of all inserts. With more inserts each gets lower, down to
/// [`MIN_HEIGHT`].
const TOTAL_HEIGHT: f64 = 280.0;
const MIN_HEIGHT: f64 = 15.0;
/// Height of a lane with two lines of text; one with a single line is lower.
const MAX_HEIGHT: f64 = 32.0;
/// The scale ends at a multiple of this many decibels.
const STEP_DB: f64 = 3.0;
/// Largest scale, so that a closed gate does not flatten the compressor beside it. More is drawn as
/// this much, and the scale of its lane ends with `≤`.
const MAX_SCALE_DB: f64 = 24.0;
/// Space left of the lanes for the numbers of the scale.
const TICK_WIDTH: f64 = 30.0;

/// Returns true for an insert whose gain reduction is drawn: one that reduced the gain.
pub(super) fn is_shown(insert: &InsertReport) -> bool {
    insert.reduction_db.is_some()
}

/// Height and scale of the lanes of all inserts.
pub(super) struct ReductionScale {
    pub height: f64,
    has_lanes: bool,
    /// Reduction at the lower end of a lane in dB.
    bottom_db: f64,
}

impl ReductionScale {
    pub(super) fn new<'a>(inserts: impl Iterator<Item = &'a InsertReport>) -> Self {
        let reductions: Vec<f64> = inserts.filter_map(|insert| insert.reduction_db).collect();
        let most = reductions.iter().copied().fold(0.0, f64::max);
        let height = (TOTAL_HEIGHT / reductions.len().max(1) as f64).floor();
        Self {
            height: if height >= MAX_HEIGHT {
                MAX_HEIGHT
            } else {
                MIN_HEIGHT
            },
            // The tolerance keeps a reduction of 9 dB on a scale of 9 dB, despite rounding.
            bottom_db: ((most / STEP_DB - 1e-6).ceil().max(1.0) * STEP_DB).min(MAX_SCALE_DB),
            has_lanes: !reductions.is_empty(),
        }
    }

    /// Returns the line that states the scale above the lanes; `None` without lanes.
    pub(super) fn heading(&self) -> Option<String> {
        (self.has_lanes).then(|| format!("Gain reduction to {} dB", signed(-self.bottom_db, 0)))
    }

    pub(super) fn background(&self, svg: &mut Svg, axis: &Axis, y: f64) {
        let place = [LEFT, y + 1.0, axis.width(), self.height - 2.0];
        svg.rect("lane-back", place, 3.0);
    }

    /// Draws the lane of an insert from `y` down, with the colour of its strip.
    pub(super) fn draw(
        &self,
        svg: &mut Svg,
        insert: &InsertReport,
        colour: &str,
        axis: &Axis,
        y: f64,
    ) {
        svg.group(&format!("insert {colour}"));
        svg.rect("swatch", [MARGIN, y, 1.5, self.height], 0.0);
        self.curve(svg, insert, axis, y);
        self.label(svg, insert, y);
        self.levels(svg, insert, axis, y);
        svg.close();
    }

    fn curve(&self, svg: &mut Svg, insert: &InsertReport, axis: &Axis, y: f64) {
        let curve = insert.reduction_curve_db.iter().copied().map(Some);
        let values = column_maxima(&curve.collect::<Vec<_>>(), insert.reduction_step_s, axis);
        let high = self.height - 2.0;
        let steps = PathScale::new((LEFT, axis.width()), y + 1.0, values.len(), high);
        let reach = |db: &Option<f64>| (db.unwrap_or(0.0) / self.bottom_db).min(1.0) * high;
        steps.open(svg);
        svg.path(
            "reduction",
            &steps.outline(values.iter().map(|db| (0.0, reach(db)))),
        );
        svg.raw("</g>");
    }

    /// Writes the name, the type if the name is another one, and the mean, which a low lane leaves out
    /// if there is no space.
    fn label(&self, svg: &mut Svg, insert: &InsertReport, y: f64) {
        let name = if insert.name == insert.kind {
            insert.name.clone()
        } else {
            format!("{} · {}", insert.name, insert.kind)
        };
        let mean = format!("mean {}", signed(-insert.mean_reduction_db, 1));
        let left = MARGIN + 12.0;
        if self.has_two_lines() {
            let fit = Some(TextFit {
                max_width: LEFT - TICK_WIDTH - left,
                size: 12.0,
            });
            svg.text("level", (left, y + 13.0), Anchor::Start, &name, fit);
            svg.text(
                "detail",
                (left, y + 26.0),
                Anchor::Start,
                &format!("{mean} dB"),
                fit,
            );
        } else {
            let fit = TextFit {
                max_width: LEFT - 10.0 - left,
                size: 12.0,
            };
            let base = y + self.height / 2.0 + 4.0;
            svg.text("level", (left, base), Anchor::Start, &name, Some(fit));
            if text_width(&name, fit.size) + 8.0 + text_width(&mean, 11.0) <= fit.max_width {
                svg.text("detail", (LEFT - 10.0, base), Anchor::End, &mean, None);
            }
        }
    }

    /// Writes the scale left of the lane, and the maximum with its time right of it.
    fn levels(&self, svg: &mut Svg, insert: &InsertReport, axis: &Axis, y: f64) {
        let reduction = insert.reduction_db.unwrap_or_default();
        let most = signed(-reduction, 1);
        if !self.has_two_lines() {
            let base = y + self.height / 2.0 + 4.0;
            svg.text("level", (PAGE - MARGIN, base), Anchor::End, &most, None);
            return;
        }
        let at = insert
            .reduction_at_s
            .map_or(String::new(), |s| axis.label(s));
        let fit = Some(TextFit {
            max_width: PAGE - MARGIN - RIGHT - 6.0,
            size: 11.0,
        });
        svg.text("level", (PAGE - MARGIN, y + 13.0), Anchor::End, &most, None);
        svg.text("detail", (PAGE - MARGIN, y + 26.0), Anchor::End, &at, fit);
        let mut bottom = signed(-self.bottom_db, 0);
        if reduction > self.bottom_db + 0.05 {
            bottom.insert(0, '≤');
        }
        for (text, base) in [("0", y + 11.0), (&bottom, y + self.height - 3.0)] {
            svg.text("tick", (LEFT - 6.0, base), Anchor::End, text, None);
        }
    }

    fn has_two_lines(&self) -> bool {
        self.height >= MAX_HEIGHT
    }
}
