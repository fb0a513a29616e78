//! The report as a table for people.

use super::{ClipReport, Placed, Report, StripReport};
use crate::error::{MAX_WIDTH, one_line};
use crate::measure::Verdict;
use crate::units::{Dbtp, Decibels, Frames, Lufs, Pan, SampleRate};
use std::fmt;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = vec![
            [
                "track",
                "file",
                "came in",
                "gain",
                "pan",
                "peak dBFS",
                "notes",
            ]
            .map(str::to_owned),
        ];
        for track in &self.tracks {
            let [name, gain, pan, peak] = levels(&track.strip);
            let mut clips = track.clips.iter();
            let first = clips.next();
            let note = if track.strip.heard {
                String::new()
            } else {
                "muted".to_owned()
            };
            let notes = [note, first.map(notes).unwrap_or_default()]
                .into_iter()
                .filter(|n| !n.is_empty());
            let notes = notes.collect::<Vec<_>>().join(", ");
            let (file, came) = first.map(|c| (file(c), came_in(c))).unwrap_or_default();
            rows.push([name, file, came, gain, pan, peak, notes]);
            let blank = String::new;
            rows.extend(clips.map(|c| {
                [
                    blank(),
                    self::file(c),
                    came_in(c),
                    blank(),
                    blank(),
                    blank(),
                    self::notes(c),
                ]
            }));
        }
        for bus in &self.buses {
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
        table(f, &rows, &[3, 5])?;

        let rate = SampleRate::new(self.rate_hz).unwrap_or(SampleRate::HZ_48000);
        writeln!(f)?;
        if let Some(output) = &self.output {
            let format = self
                .format
                .as_ref()
                .map_or(String::new(), |format| format!("{format}, "));
            let output = one_line(output.clone());
            writeln!(f, "  {output}  {format}{} Hz {}", self.rate_hz, self.layout)?;
        }
        let length = Frames(self.frames).clock(rate);
        writeln!(f, "  length   {length}  ({} frames)", self.frames)?;
        match (self.mix.peak_dbfs, self.mix.peak_at_frame) {
            (Some(peak), Some(at)) => {
                writeln!(
                    f,
                    "  peak     {peak:+.2} dBFS at {}",
                    Frames(at).clock(rate)
                )?;
            }
            _ => writeln!(f, "  peak     silence")?,
        }
        if let Some(peak) = self.mix.true_peak_dbtp {
            let at = self
                .mix
                .true_peak_at_frame
                .map(|at| Frames(at).clock(rate))
                .unwrap_or_default();
            let track = self.mix.true_peak_track.as_ref();
            let track = track.map_or(String::new(), |track| {
                format!(", loudest there: {}", one_line(track.clone()))
            });
            writeln!(f, "  true     {} at {at}{track}", Dbtp(peak))?;
        }
        if let Some(limiter) = &self.mix.limiter {
            let most = limiter
                .reduction_db
                .map_or("nothing to do".to_owned(), |db| {
                    format!("{db:.1} dB at most")
                });
            writeln!(f, "  limiter  {most}, at {:.1}", Dbtp(limiter.ceiling_dbtp))?;
        }
        if let Some(loudness) = self.mix.integrated_lufs {
            let range = self
                .mix
                .loudness_range_lu
                .map_or(String::new(), |range| format!(", range {range:.1} LU"));
            writeln!(f, "  loudness {:.1}{range}", Lufs(loudness))?;
        }
        if let Some(verdict) = &self.verdict {
            write_verdict(f, verdict)?;
        }
        if self.mix.clipped_samples > 0 || self.is_integer() {
            writeln!(f, "  clipped  {}", samples(self.mix.clipped_samples))?;
        }
        if self.mix.non_finite_samples > 0 {
            writeln!(
                f,
                "  not finite, written as 0: {}",
                samples(self.mix.non_finite_samples)
            )?;
        }
        write!(
            f,
            "  took     {:.2} s, {:.0} times real time",
            self.wall_s, self.times_real_time
        )
    }
}

/// The lines of a target: what was done for it, and whether it is met.
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

/// The file without its folders: the whole path is in the JSON form.
fn file(clip: &ClipReport) -> String {
    std::path::Path::new(&clip.file)
        .file_name()
        .map_or(clip.file.clone(), |n| n.to_string_lossy().into_owned())
}

/// `24/48000 stereo`
fn came_in(clip: &ClipReport) -> String {
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

fn notes(clip: &ClipReport) -> String {
    let mut notes = Vec::new();
    if clip.resampled {
        notes.push("resampled".to_owned());
    }
    match clip.placed {
        Placed::Pan => notes.push("mono".to_owned()),
        Placed::Fold => notes.push("folded".to_owned()),
        Placed::Same => {}
    }
    if clip.trimmed_start_frames + clip.trimmed_end_frames > 0 {
        notes.push(format!(
            "trimmed {}+{}",
            clip.trimmed_start_frames, clip.trimmed_end_frames
        ));
    }
    for silenced in &clip.silenced {
        let times = if silenced.places > 1 {
            format!(" x{}", silenced.places)
        } else {
            String::new()
        };
        notes.push(format!("{}{times}", silenced.kind));
    }
    notes.join(", ")
}

/// Columns as wide as they need to be, but for cells beyond [`MAX_WIDTH`], which run over; those of `right` to the right.
pub(crate) fn table<const N: usize>(
    f: &mut fmt::Formatter<'_>,
    rows: &[[String; N]],
    right: &[usize],
) -> fmt::Result {
    let rows: Vec<[String; N]> = rows.iter().map(|row| row.clone().map(one_line)).collect();
    let width = |column: usize| {
        rows.iter()
            .filter_map(|r| r.get(column))
            .map(|c| c.chars().count())
            .filter(|width| *width <= MAX_WIDTH)
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..N).map(width).collect();
    for row in &rows {
        let cells = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (cell, &w))| {
                if right.contains(&column) {
                    format!("{cell:>w$}")
                } else {
                    format!("{cell:w$}")
                }
            });
        writeln!(f, "  {}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}
