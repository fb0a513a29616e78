//! Draws the warnings with their codes and marks: one of each code, with the number of the others.

use super::{
    MARGIN, PAGE,
    head::{CardState, mark},
    svg::{Anchor, Svg, TextFit},
};
use crate::diagnostics::{Warning, WarningKind};
use crate::report::Report;

/// Maximum number of lines per warning.
const MAX_LINES: usize = 3;
const LINE_HEIGHT: f64 = 18.0;

/// All warnings of one code.
pub(super) struct CodeGroup<'a> {
    pub code: &'static str,
    pub state: CardState,
    /// At least one.
    pub warnings: Vec<&'a Warning>,
}

impl<'a> CodeGroup<'a> {
    /// Groups the warnings of a report: those of the result first, then warnings, then notes, each in the
    /// order in which the codes first appear.
    pub(super) fn of(report: &'a Report) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        for warning in &report.warnings {
            let code = warning.kind.code();
            match groups.iter_mut().find(|group| group.code == code) {
                Some(group) => group.warnings.push(warning),
                None => groups.push(Self {
                    code,
                    state: state(&warning.kind),
                    warnings: vec![warning],
                }),
            }
        }
        groups.sort_by_key(|group| match group.state {
            CardState::Bad => 0,
            CardState::Plain => 2,
            _ => 1,
        });
        groups
    }

    /// Returns the first warning.
    pub(super) fn example(&self) -> String {
        self.warnings
            .first()
            .map_or(String::new(), |warning| warning.message())
    }

    /// Returns the number of the other warnings.
    pub(super) fn others(&self) -> usize {
        self.warnings.len().saturating_sub(1)
    }
}

fn state(kind: &WarningKind) -> CardState {
    match kind {
        WarningKind::ClippedOutput { .. } | WarningKind::NonFiniteSamples { .. } => CardState::Bad,
        _ if kind.is_note() => CardState::Plain,
        _ => CardState::Attention,
    }
}

/// Draws warnings, then notes, from `y` down. Returns the position of their lower end.
pub(super) fn draw(svg: &mut Svg, report: &Report, y: f64) -> f64 {
    let mut y = y;
    for group in CodeGroup::of(report) {
        svg.group(&format!("note {}", group.state.class()));
        mark(svg, group.state, MARGIN + 6.0, y + 8.0);
        let place = (MARGIN + 20.0, y + 12.0);
        svg.text("code", place, Anchor::Start, group.code, None);
        let left = MARGIN + 66.0;
        let fit = TextFit {
            max_width: PAGE - MARGIN - left,
            size: 12.5,
        };
        let mut text = group.example();
        if group.others() > 0 {
            text += &format!("  (and {} more of {})", group.others(), group.code);
        }
        for line in fit.lines(&text).into_iter().take(MAX_LINES) {
            svg.text("note-text", (left, y + 12.0), Anchor::Start, &line, None);
            y += LINE_HEIGHT;
        }
        svg.close();
    }
    y
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        diagnostics::Silence,
        error::Subject,
        units::{Dbfs, Decibels},
    };

    #[test]
    fn warnings_are_grouped_by_code_with_the_worst_first() {
        let clipped = WarningKind::ClippedOutput {
            samples: 3,
            peak: Dbfs(1.0),
        };
        let mono = WarningKind::MonoPanned {
            law: crate::PanLaw::default(),
            centre: Decibels(-3.0),
        };
        let silent = WarningKind::SilentStem {
            silence: Silence::Whole,
        };
        let kinds = [mono.clone(), silent, mono, clipped];
        let warnings = kinds.map(|kind| Warning {
            kind,
            subject: Subject::Session,
        });
        let report = Report {
            warnings: warnings.to_vec(),
            ..Report::default()
        };
        let groups = CodeGroup::of(&report);
        let codes: Vec<_> = groups.iter().map(|g| (g.code, g.others())).collect();
        assert_eq!(codes, [("W101", 0), ("W106", 0), ("W103", 1)]);
    }
}
