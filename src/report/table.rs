//! Formats a report as a text table.

use super::{ClipReport, InsertReport, Placed, Report, StripLevels, StripReport};
use crate::error::{counted, one_line};
use crate::measure::Verdict;
use crate::text_table::TextTable;
use crate::timecode::Timecode;
use crate::units::{Dbtp, Decibels, Frames, Lufs, Pan, SampleRate};
use std::fmt;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_strips(f, self)?;
        write_inserts(f, self)?;
        writeln!(f)?;
        write_mix(f, self)?;
        write!(f, "  took     {:.2} s", self.wall_s)?;
        // A mix of a few frames takes longer than it lasts.
        if self.times_real_time >= 0.5 {
            write!(f, ", {:.0} times real time", self.times_real_time)?;
        }
        Ok(())
    }
}

/// Writes the table of tracks, with a row for each clip, and buses. Loudness and true peak have columns if they were measured.
fn write_strips(f: &mut fmt::Formatter<'_>, report: &Report) -> fmt::Result {
    let headings = [
        "track",
        "file",
        "came in",
        "gain",
        "pan",
        "peak dBFS",
        "LUFS",
        "dBTP",
        "notes",
    ];
    let mut table = TextTable::new(headings, &[3, 5, 6, 7])
        .droppable(&[2, 1, 8])
        .hiding_empty();
    for track in &report.tracks {
        let [name, gain, pan, peak, loudness, true_peak] = levels(&track.strip);
        let mut clips = track.clips.iter();
        let (mut file, mut format, mut notes) = Default::default();
        if let Some(first) = clips.next() {
            (file, format, notes) = (file_name(first), stem_format(first), clip_notes(first));
        }
        if !track.strip.heard {
            notes.insert(0, "muted".to_owned());
        }
        let notes = notes.join(", ");
        table.push([
            name, file, format, gain, pan, peak, loudness, true_peak, notes,
        ]);
        for clip in clips {
            let mut row: [String; 9] = Default::default();
            (row[1], row[2]) = (file_name(clip), stem_format(clip));
            row[8] = clip_notes(clip).join(", ");
            table.push(row);
        }
    }
    for bus in &report.buses {
        let [name, gain, pan, peak, loudness, true_peak] = levels(bus);
        let note = if bus.heard { "" } else { "muted" };
        table.push([
            name,
            "(bus)".to_owned(),
            String::new(),
            gain,
            pan,
            peak,
            loudness,
            true_peak,
            note.to_owned(),
        ]);
    }
    table.write(f)
}

/// Writes the table of the inserts that reduce gain, if there are any.
fn write_inserts(f: &mut fmt::Formatter<'_>, report: &Report) -> fmt::Result {
    let tracks = report.tracks.iter().map(|track| &track.strip);
    let strips = tracks
        .chain(&report.buses)
        .map(|strip| (strip.name.as_str(), &strip.inserts))
        .chain([("master", &report.mix.inserts)]);
    let headings = ["strip", "insert", "type", "reduced dB", "at", "mean dB"];
    let mut table = TextTable::new(headings, &[3, 5])
        .fixed(&[4])
        .droppable(&[2]);
    for (strip, inserts) in strips {
        for insert in inserts {
            table.push(insert_row(strip, insert, report));
        }
    }
    if table.is_empty() {
        return Ok(());
    }
    writeln!(f)?;
    table.write(f)
}

fn insert_row(strip: &str, insert: &InsertReport, report: &Report) -> [String; 6] {
    let at = insert.reduction_at_frame;
    [
        strip.to_owned(),
        insert.name.clone(),
        insert.kind.clone(),
        format!("{:.1}", insert.reduction_db.unwrap_or_default()),
        at.map_or(String::new(), |at| report.position(Frames(at))),
        format!("{:.1}", insert.mean_reduction_db),
    ]
}

impl Report {
    /// Formats a position on the timeline as timecode, if the session has a picture, or as a clock.
    fn position(&self, at: Frames) -> String {
        let rate = SampleRate::new(self.rate_hz).unwrap_or(SampleRate::HZ_48000);
        let timecode = self.timecode.as_ref().and_then(|timecode| {
            let start = Timecode::parse(&timecode.start, timecode.fps.parse().ok()?).ok()?;
            let shown = Timecode::seen_at(start.frames(rate) + at, rate, start.rate());
            Some(shown.0.to_string())
        });
        timecode.unwrap_or_else(|| at.clock(rate))
    }
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
    let frames = counted(report.frames, "frame");
    writeln!(f, "  length   {length}  ({frames})")?;
    match (mix.peak_dbfs, mix.peak_at_frame) {
        (Some(peak), Some(at)) => {
            let at = report.position(Frames(at));
            writeln!(f, "  peak     {peak:+.2} dBFS at {at}")?;
        }
        _ => writeln!(f, "  peak     silence")?,
    }
    if let Some(peak) = mix.true_peak_dbtp {
        write!(f, "  true     {} at ", Dbtp(peak))?;
        if let Some(at) = mix.true_peak_at_frame {
            f.write_str(&report.position(Frames(at)))?;
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
        writeln!(f, "  clipped  {}", counted(mix.clipped_samples, "sample"))?;
    }
    if mix.non_finite_samples > 0 {
        let count = counted(mix.non_finite_samples, "sample");
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

/// Returns name, gain, pan, peak, loudness and true peak; the last two are empty if they were not measured.
fn levels(strip: &StripReport) -> [String; 6] {
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
    let measured = |level: fn(&StripLevels) -> Option<f64>| {
        strip.levels.as_ref().map_or(String::new(), |levels| {
            level(levels).map_or("-inf".to_owned(), |level| format!("{level:+.1}"))
        })
    };
    [
        strip.name.clone(),
        gain,
        pan,
        peak,
        measured(|levels| levels.integrated_lufs),
        measured(|levels| levels.true_peak_dbtp),
    ]
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
