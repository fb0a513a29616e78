//! Music cue sheet: what music sounds when in a programme, for rights societies.

use crate::{
    plan::{Plan, PlannedUse},
    session::{Credit, Cue, CueId, Session, release::compact_isrc},
    timecode::Timecode,
    units::{Frames, SampleRate},
};
use serde::Serialize;
use std::ops::Range;

/// Music cue sheet of a programme: one row for each placement of a cue that sounds, in order of time.
///
/// Cues that are muted, or whose tracks all are, have no rows, nor have cues without a placement. A
/// placement that the end of the programme cuts ends there.
///
/// ```
/// use soundtrack::{Cue, Frames, Layout, Plan, SampleRate, Session, Spec, Track, Use};
/// use soundtrack::{media::Memory, report::CueSheet};
/// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
/// let mut film = Session::new(spec.rate, spec.layout);
/// let piano = Track::new("piano", Memory::new(spec, vec![vec![0.5; 96_000]])?);
/// film.add_cue(Cue::new("storm").composer("A. Writer (PRS) 100%").track(piano).used(Use::at(Frames(48_000)).usage("BI")));
/// let sheet = CueSheet::new(&film, &Plan::compile(&film)?);
/// assert_eq!((sheet.rows[0].title.as_str(), sheet.rows[0].duration_s, sheet.music_s), ("storm", 2.0, 2.0));
/// # Ok::<(), soundtrack::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CueSheet {
    /// Title of the programme.
    pub title: String,
    /// Sample rate that frames count in.
    pub rate_hz: u32,
    /// Frame rate of the picture; `null` if the session states none.
    pub fps: Option<String>,
    /// Rows, in order of time.
    pub rows: Vec<CueSheetRow>,
    /// Time in which music sounds, in seconds; time in which several cues sound counts once.
    pub music_s: f64,
    /// The same as `hh:mm:ss.mmm`.
    pub music: String,
}

/// Row of a cue sheet.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CueSheetRow {
    /// Number of the row, counted from 1.
    pub number: u32,
    /// Title of the cue.
    pub title: String,
    /// Usage code of the placement, such as `BI`; empty for none.
    pub usage: String,
    /// Timecode of the start, or the time since the start as `hh:mm:ss.mmm` without a picture.
    #[serde(rename = "in")]
    pub starts: String,
    /// Timecode of the end, which is the first frame without the cue.
    #[serde(rename = "out")]
    pub ends: String,
    /// First frame of the timeline.
    pub in_frame: u64,
    /// Frame of the timeline after the last.
    pub out_frame: u64,
    /// Duration as `hh:mm:ss.mmm`.
    pub duration: String,
    /// Duration in seconds.
    pub duration_s: f64,
    /// True if only a part of the cue is played.
    pub excerpt: bool,
    /// Artist of the cue; empty for none.
    pub artist: String,
    /// Composers.
    pub composers: Vec<CueSheetCredit>,
    /// Publishers.
    pub publishers: Vec<CueSheetCredit>,
    /// International Standard Recording Code; empty for none.
    pub isrc: String,
    /// `score` or `song`.
    pub kind: String,
    /// Part of the session that the row comes from: `cue.storm`, `cue.storm.use.reprise`.
    pub source: String,
}

/// Composer or publisher of a row.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CueSheetCredit {
    /// Name.
    pub name: String,
    /// Rights society; empty for none.
    pub society: String,
    /// Share in percent; `null` if none is stated.
    pub share_percent: Option<f64>,
}

const HEAD: [&str; 12] = [
    "number",
    "title",
    "usage",
    "in",
    "out",
    "duration",
    "composers",
    "publishers",
    "artist",
    "isrc",
    "kind",
    "source",
];

impl CueSheet {
    /// Creates the cue sheet of a session and its plan.
    #[must_use]
    pub fn new(session: &Session, plan: &Plan) -> Self {
        let (rate, end) = (plan.spec().rate, plan.length());
        let mut placed: Vec<(CueId, &Cue, &PlannedUse, Range<Frames>)> = Vec::new();
        let cues = (0..).map(CueId::at).zip(session.cues()).zip(&plan.cues);
        for ((id, cue), planned) in cues.filter(|((_, cue), _)| is_heard(cue)) {
            for place in &planned.uses {
                let range = place.range.start..place.range.end.min(end);
                if range.start < range.end {
                    placed.push((id, cue, place, range));
                }
            }
        }
        placed.sort_by_key(|(id, _, _, range)| (range.start, *id));
        let mut sheet = Self {
            title: session.title.clone(),
            rate_hz: rate.hz(),
            fps: plan.picture.map(|(fps, _)| fps.to_string()),
            ..Self::default()
        };
        let music = covered(placed.iter().map(|(.., range)| range));
        sheet.music = music.clock(rate);
        sheet.music_s = music.to_duration(rate).as_secs_f64();
        for (number, (id, cue, place, range)) in (1..).zip(placed) {
            let length = plan.cues.get(id.0).map_or(Frames::ZERO, |cue| cue.length);
            let duration = range.end - range.start;
            sheet.rows.push(CueSheetRow {
                number,
                title: cue.display_name().to_owned(),
                usage: place.usage.clone(),
                starts: time(plan, range.start, rate),
                ends: time(plan, range.end, rate),
                in_frame: range.start.0,
                out_frame: range.end.0,
                duration: duration.clock(rate),
                duration_s: duration.to_duration(rate).as_secs_f64(),
                excerpt: duration < length,
                artist: session.artist_of(id).to_owned(),
                composers: credits(&cue.composer),
                publishers: credits(&cue.publisher),
                isrc: compact_isrc(&cue.isrc),
                kind: cue.kind.to_string(),
                source: match place.name.as_str() {
                    "" => format!("cue.{}", cue.name),
                    name => format!("cue.{}.use.{name}", cue.name),
                },
            });
        }
        sheet
    }

    /// Returns the cue sheet as comma-separated values (RFC 4180) with a line of headings and a last
    /// line with the total. A text that a spreadsheet would take for a formula starts with `'`.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut csv = String::new();
        line(&mut csv, &HEAD.map(str::to_owned));
        for row in &self.rows {
            let cells = [
                row.number.to_string(),
                cell(&row.title),
                cell(&row.usage),
                row.starts.clone(),
                row.ends.clone(),
                row.duration.clone(),
                cell(&credits_text(&row.composers)),
                cell(&credits_text(&row.publishers)),
                cell(&row.artist),
                cell(&row.isrc),
                row.kind.clone(),
                cell(&row.source),
            ];
            line(&mut csv, &cells);
        }
        let mut total: [String; HEAD.len()] = Default::default();
        let [number, title, _, _, _, duration, ..] = &mut total;
        "total".clone_into(number);
        *title = cell(&self.title);
        duration.clone_from(&self.music);
        line(&mut csv, &total);
        csv
    }

    /// Returns the cue sheet as one JSON document. Later versions only add keys.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Serialization cannot fail: every key is a string and every value has a JSON form.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

/// Returns whether a placement of the cue sounds.
fn is_heard(cue: &Cue) -> bool {
    !cue.mute && cue.tracks.iter().any(|track| !track.strip.mute)
}

/// Returns the number of frames that ranges in order of their starts cover together.
fn covered<'r>(ranges: impl Iterator<Item = &'r Range<Frames>>) -> Frames {
    let (mut sum, mut reached) = (Frames::ZERO, Frames::ZERO);
    for range in ranges {
        let start = range.start.max(reached);
        if range.end > start {
            sum += range.end - start;
            reached = range.end;
        }
    }
    sum
}

/// Returns the timecode of a frame of the timeline, or its time without a picture.
fn time(plan: &Plan, at: Frames, rate: SampleRate) -> String {
    match plan.picture {
        Some((fps, start)) => {
            let since_midnight = start.frames(rate) + at;
            Timecode::seen_at(since_midnight, rate, fps).0.to_string()
        }
        None => at.clock(rate),
    }
}

fn credits(texts: &[String]) -> Vec<CueSheetCredit> {
    let credit = |text: &String| {
        let Credit {
            name,
            society,
            share,
        } = Credit::parse(text);
        CueSheetCredit {
            name,
            society,
            share_percent: share,
        }
    };
    texts.iter().map(credit).collect()
}

/// Formats credits as a session states them: `A. Writer (PRS) 60%; B. Writer 40%`.
fn credits_text(credits: &[CueSheetCredit]) -> String {
    let credit = |credit: &CueSheetCredit| {
        let mut text = credit.name.clone();
        if !credit.society.is_empty() {
            text += &format!(" ({})", credit.society);
        }
        if let Some(share) = credit.share_percent {
            text += &format!(" {share}%");
        }
        text
    };
    credits.iter().map(credit).collect::<Vec<_>>().join("; ")
}

/// Returns a text that no spreadsheet takes for a formula. Spreadsheets skip control characters before
/// one, so they become spaces, and spaces before it count too.
fn cell(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.trim_start().starts_with(['=', '+', '-', '@']) {
        format!("'{text}")
    } else {
        text
    }
}

/// Appends a line of cells, quoted where they need to be.
fn line(csv: &mut String, cells: &[String]) {
    for (number, cell) in cells.iter().enumerate() {
        if number > 0 {
            csv.push(',');
        }
        if cell.contains([',', '"', '\n', '\r']) {
            *csv += &format!("\"{}\"", cell.replace('"', "\"\""));
        } else {
            *csv += cell;
        }
    }
    *csv += "\r\n";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlaps_count_once() {
        let total = |ranges: &[(u64, u64)]| {
            let ranges: Vec<_> = ranges.iter().map(|(a, b)| Frames(*a)..Frames(*b)).collect();
            covered(ranges.iter()).0
        };
        assert_eq!(total(&[]), 0);
        assert_eq!(total(&[(5, 10), (10, 12)]), 7);
        assert_eq!(total(&[(0, 10), (2, 5), (8, 12), (20, 21)]), 13);
    }

    #[test]
    fn formulas_and_separators_are_escaped() {
        for (text, wanted) in [
            ("=SUM(A1)", "'=SUM(A1)"),
            (" +1", "' +1"),
            ("\t-1", "' -1"),
            ("@x", "'@x"),
            ("a=b", "a=b"),
            ("a\nb", "a b"),
        ] {
            assert_eq!(cell(text), wanted);
        }
        let mut csv = String::new();
        line(&mut csv, &["a,b".into(), "say \"x\"".into(), "c".into()]);
        assert_eq!(csv, "\"a,b\",\"say \"\"x\"\"\",c\r\n");
    }
}
