//! Formats a report as a text table.

use super::{ClipReport, InsertReport, Placed, Report, StripReport};
use crate::error::{MAX_WIDTH, one_line};
use crate::measure::Verdict;
use crate::units::{Dbtp, Decibels, Frames, Lufs, Pan, SampleRate};
use std::fmt;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr};

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_strips(f, self)?;
        write_inserts(f, self)?;
        writeln!(f)?;
        write_mix(f, self)?;
        write!(
            f,
            "  took     {:.2} s, {:.0} times real time",
            self.wall_s, self.times_real_time
        )
    }
}

/// Writes the table of tracks, with a row for each clip, and buses.
fn write_strips(f: &mut fmt::Formatter<'_>, report: &Report) -> fmt::Result {
    let header = [
        "track",
        "file",
        "came in",
        "gain",
        "pan",
        "peak dBFS",
        "notes",
    ];
    let mut rows = vec![header.map(str::to_owned)];
    for track in &report.tracks {
        let [name, gain, pan, peak] = levels(&track.strip);
        let mut clips = track.clips.iter();
        let (mut file, mut format, mut notes) = Default::default();
        if let Some(first) = clips.next() {
            (file, format, notes) = (file_name(first), stem_format(first), clip_notes(first));
        }
        if !track.strip.heard {
            notes.insert(0, "muted".to_owned());
        }
        rows.push([name, file, format, gain, pan, peak, notes.join(", ")]);
        for clip in clips {
            let notes = clip_notes(clip).join(", ");
            let mut row: [String; 7] = Default::default();
            (row[1], row[2], row[6]) = (file_name(clip), stem_format(clip), notes);
            rows.push(row);
        }
    }
    for bus in &report.buses {
        let [name, gain, pan, peak] = levels(bus);
        let note = if bus.heard { "" } else { "muted" };
        rows.push([
            name,
            "(bus)".to_owned(),
            String::new(),
            gain,
            pan,
            peak,
            note.to_owned(),
        ]);
    }
    table(f, &rows, &[3, 5])
}

/// Writes the table of the inserts that reduce gain, if there are any.
fn write_inserts(f: &mut fmt::Formatter<'_>, report: &Report) -> fmt::Result {
    let tracks = report.tracks.iter().map(|track| &track.strip);
    let strips = tracks
        .chain(&report.buses)
        .map(|strip| (strip.name.as_str(), &strip.inserts))
        .chain([("master", &report.mix.inserts)]);
    let rate = SampleRate::new(report.rate_hz).unwrap_or(SampleRate::HZ_48000);
    let header = ["strip", "insert", "type", "reduced dB", "at", "mean dB"];
    let mut rows = vec![header.map(str::to_owned)];
    for (strip, inserts) in strips {
        rows.extend(inserts.iter().map(|insert| insert_row(strip, insert, rate)));
    }
    if rows.len() == 1 {
        return Ok(());
    }
    writeln!(f)?;
    table(f, &rows, &[3, 5])
}

fn insert_row(strip: &str, insert: &InsertReport, rate: SampleRate) -> [String; 6] {
    let at = insert.reduction_at_frame;
    [
        strip.to_owned(),
        insert.name.clone(),
        insert.kind.clone(),
        format!("{:.1}", insert.reduction_db.unwrap_or_default()),
        at.map_or(String::new(), |at| Frames(at).clock(rate).to_string()),
        format!("{:.1}", insert.mean_reduction_db),
    ]
}

/// Writes the lines about the output file, levels and faults of the mix.
fn write_mix(f: &mut fmt::Formatter<'_>, report: &Report) -> fmt::Result {
    let (mix, layout) = (&report.mix, &report.layout);
    let rate = SampleRate::new(report.rate_hz).unwrap_or(SampleRate::HZ_48000);
    if let Some(output) = &report.output {
        let output = one_line(output.clone());
        write!(f, "  {output}  ")?;
        if let Some(format) = &report.format {
            write!(f, "{format}, ")?;
        }
        writeln!(f, "{} Hz {layout}", report.rate_hz)?;
    }
    let length = Frames(report.frames).clock(rate);
    writeln!(f, "  length   {length}  ({} frames)", report.frames)?;
    match (mix.peak_dbfs, mix.peak_at_frame) {
        (Some(peak), Some(at)) => {
            let at = Frames(at).clock(rate);
            writeln!(f, "  peak     {peak:+.2} dBFS at {at}")?;
        }
        _ => writeln!(f, "  peak     silence")?,
    }
    if let Some(peak) = mix.true_peak_dbtp {
        write!(f, "  true     {} at ", Dbtp(peak))?;
        if let Some(at) = mix.true_peak_at_frame {
            write!(f, "{}", Frames(at).clock(rate))?;
        }
        if let Some(track) = &mix.true_peak_track {
            write!(f, ", loudest there: {}", one_line(track.clone()))?;
        }
        writeln!(f)?;
    }
    if let Some(limiter) = &mix.limiter {
        writeln!(f, "  limiter  {:.1} at most", Dbtp(limiter.ceiling_dbtp))?;
    }
    if let Some(loudness) = mix.integrated_lufs {
        write!(f, "  loudness {:.1}", Lufs(loudness))?;
        if let Some(range) = mix.loudness_range_lu {
            write!(f, ", range {range:.1} LU")?;
        }
        writeln!(f)?;
    }
    if let Some(verdict) = &report.verdict {
        write_verdict(f, verdict)?;
    }
    if mix.clipped_samples > 0 || report.is_integer() {
        writeln!(f, "  clipped  {}", samples(mix.clipped_samples))?;
    }
    if mix.non_finite_samples > 0 {
        let count = samples(mix.non_finite_samples);
        writeln!(f, "  not finite, written as 0: {count}")?;
    }
    Ok(())
}

/// Writes the lines about the loudness target: the gain applied to reach it, and the result of the
/// check.
fn write_verdict(f: &mut fmt::Formatter<'_>, verdict: &Verdict) -> fmt::Result {
    let target = one_line(verdict.target.clone());
    if let Some(fit) = &verdict.fit {
        let short = match fit.short_by_lu {
            0.0 => String::new(),
            by => format!("; the true peak allows no more, so it is {by:.1} LU below the target"),
        };
        writeln!(f, "  fitted   {:+.2} dB for {target}{short}", fit.gain_db)?;
    }
    let mark = |passed: bool| if passed { "passed" } else { "FAILED" };
    let tolerance = verdict
        .tolerance_lu
        .map_or(String::new(), |t| format!(" ±{t}"));
    let off = verdict
        .off_lu
        .map_or("no loudness".to_owned(), |off| format!("{off:+.1} LU"));
    let loudness = verdict.loudness_passed.map_or("not judged", mark);
    if let Some(lufs) = verdict.target_lufs.map(Lufs) {
        writeln!(
            f,
            "  {target}: loudness {loudness}, {off} from {lufs:.1}{tolerance}"
        )?;
    }
    let peak = mark(verdict.true_peak_passed);
    if let Some(ceiling) = verdict.ceiling_dbtp.map(Dbtp) {
        writeln!(f, "  {target}: true peak {peak}, {ceiling:.1} at most")?;
    }
    if verdict.note.is_empty() {
        Ok(())
    } else {
        writeln!(f, "  {target}: {}", verdict.note)
    }
}

fn samples(n: u64) -> String {
    format!("{n} sample{}", if n == 1 { "" } else { "s" })
}

fn levels(strip: &StripReport) -> [String; 4] {
    let level = strip.gain_db.map_or(Decibels::SILENCE, Decibels);
    let gain = if strip.gain_moves {
        "moves".to_owned()
    } else {
        format!("{level:.1}")
    };
    let pan = strip.pan.map_or("moves".to_owned(), |p| Pan(p).to_string());
    let peak = strip
        .peak_dbfs
        .map_or("-inf".to_owned(), |p| format!("{p:+.1}"));
    [strip.name.clone(), gain, pan, peak]
}

/// Returns the file name without its folders. The JSON form holds the whole path.
fn file_name(clip: &ClipReport) -> String {
    std::path::Path::new(&clip.file)
        .file_name()
        .map_or(clip.file.clone(), |n| n.to_string_lossy().into_owned())
}

/// Returns the stem's format: `24/48000 stereo`.
fn stem_format(clip: &ClipReport) -> String {
    let bits = clip.bits.map_or(clip.codec.clone(), |b| {
        format!("{b}{}", if clip.float { "f" } else { "" })
    });
    let slash = if bits.is_empty() { "" } else { "/" };
    let rate = match clip.exact_rate_hz {
        Some(rate) => format!("{rate:.3}"),
        None => clip.rate_hz.to_string(),
    };
    format!("{bits}{slash}{rate} {}", clip.layout)
}

/// Returns the conversions and faults of a clip.
fn clip_notes(clip: &ClipReport) -> Vec<String> {
    let mut notes = Vec::new();
    if clip.resampled {
        notes.push("resampled".to_owned());
    }
    match clip.placed {
        Placed::Pan => notes.push("mono".to_owned()),
        Placed::Fold => notes.push("folded".to_owned()),
        Placed::Same => {}
    }
    let (start, end) = (clip.trimmed_start_frames, clip.trimmed_end_frames);
    if start + end > 0 {
        notes.push(format!("trimmed {start}+{end}"));
    }
    for silenced in &clip.silenced {
        notes.push(match silenced.places {
            0 | 1 => silenced.kind.to_string(),
            places => format!("{} x{places}", silenced.kind),
        });
    }
    notes
}

/// Writes rows as aligned columns; the columns listed in `right` are right-aligned.
///
/// Cells longer than [`MAX_WIDTH`] do not widen their column. If the formatter has a width, `{report:80}`, names and other
/// left-aligned cells lose their middle until the rows fit that many terminal cells.
pub(crate) fn table<const N: usize>(
    f: &mut fmt::Formatter<'_>,
    rows: &[[String; N]],
    right: &[usize],
) -> fmt::Result {
    let rows: Vec<[String; N]> = rows.iter().map(|row| row.clone().map(one_line)).collect();
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            let length = cell.width();
            if length <= MAX_WIDTH {
                *width = length.max(*width);
            }
        }
    }
    let limits = f.width().map(|columns| fit(&mut widths, right, columns));
    for row in &rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            line += "  ";
            let cell = match limits {
                Some(()) => shortened(cell, width),
                None => cell.clone(),
            };
            let missing = " ".repeat(width.saturating_sub(cell.width()));
            if right.contains(&column) {
                line += &missing;
                line += &cell;
            } else {
                line += &cell;
                line += &missing;
            }
        }
        writeln!(f, "{}", line.trim_end())?;
    }
    Ok(())
}

/// Smallest width that a column is shortened to.
const MIN_WIDTH: usize = 8;

/// Narrows the widest of the columns that are not right-aligned until a row takes at most this many cells.
fn fit(widths: &mut [usize], right: &[usize], columns: usize) {
    loop {
        let total: usize = widths.iter().map(|width| width + 2).sum();
        let flexible = widths.iter_mut().enumerate();
        let widest = flexible
            .filter(|(column, width)| !right.contains(column) && **width > MIN_WIDTH)
            .max_by_key(|(_, width)| **width);
        match widest {
            Some((_, width)) if total > columns => *width -= 1,
            _ => return,
        }
    }
}

/// Returns text that takes at most this many cells: a longer one loses its middle, `violins…divisi`.
fn shortened(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let kept = width.saturating_sub(1);
    let taken = |chars: &mut dyn Iterator<Item = char>, mut left: usize| -> Vec<char> {
        chars
            .take_while(|c| {
                let cells = c.width().unwrap_or(0);
                let fits = cells <= left;
                left = left.saturating_sub(cells);
                fits
            })
            .collect()
    };
    // The end often tells names apart ("take 1", "take 2"), so it keeps half.
    let start = taken(&mut text.chars(), kept.div_ceil(2));
    let end = taken(&mut text.chars().rev(), kept / 2);
    start
        .into_iter()
        .chain(['…'])
        .chain(end.into_iter().rev())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Forty rows as the table of tracks has them.
    struct Rows(Vec<[String; 3]>);

    impl fmt::Display for Rows {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            table(f, &self.0, &[1])
        }
    }

    #[test]
    fn rows_fit_the_width_of_a_terminal() {
        let row = |name: &str| [name.to_owned(), "-12.0".to_owned(), format!("{name}.wav")];
        let mut rows: Vec<[String; 3]> = (0..38).map(|n| row(&format!("track {n}"))).collect();
        rows.push(row("first violins, divisi a 3, con sordino"));
        rows.push(row("ドラムセット・オーバーヘッド左右"));
        let rows = Rows(rows);
        for columns in [60, 80, 120] {
            let text = format!("{rows:columns$}");
            assert_eq!(text.lines().count(), 40);
            let widest = text.lines().map(|line| line.width()).max().unwrap();
            assert!(widest <= columns, "{widest} of {columns}:\n{text}");
        }
        let text = format!("{rows:60}");
        assert!(text.contains("ドラム") && text.contains("左右"), "{text}");
        // Without a width nothing is shortened, and the columns are aligned by cells.
        let whole = rows.to_string();
        assert!(!whole.contains('…'));
        let column = |line: &str| line.split("-12.0").next().unwrap().width();
        let mut columns: Vec<usize> = whole.lines().map(column).collect();
        columns.dedup();
        assert_eq!(columns.len(), 1, "{whole}");
    }
}
