//! The command line: what can be asked for, and in which words.

use clap::{
    Parser, Subcommand, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use soundtrack::{
    Format, Layout, LoudnessTarget, PanLaw, SampleRate, Session, encode::Dither, report::Paper,
};
use std::{io::IsTerminal, path::PathBuf};

const EXAMPLES: &str = "\
Examples:
  mixdown                                        the demo: makes seven stems and mixes them
  mixdown stems/                                 every audio file of a folder, into stems.wav
  mixdown kick.wav@-3 bass.flac@-2:L20 vox.wav   levels in dB and places, into mix.wav
  mixdown song.toml -o out/song.wav --force      a session file, over what is there
  mixdown film.toml --deliver stems              what the session promises, or a part of that
  mixdown stems/ --solo drums --range 10s..20s   a part of it
  mixdown stems/ --check --target ebu-r128       is it loud enough, too loud, clipped? Writes nothing
  mixdown stems/ --fit --target spotify          one gain, so that loudness and true peak are right
  mixdown plan song.toml --set master.gain=-3    what would be done, with another value
  mixdown song.toml --report song.html           and a page that shows and plays it
  mixdown compare old.wav new.wav                whether two files are the same, and if not, how not
  mixdown film.toml --range 10m..20m -o 2.wav    a part of a long mix, and
  mixdown join 1.wav 2.wav 3.wav -o film.wav     all of them made the file that one run writes
  mixdown explain W105                           what a warning means, and what to do about it
  mixdown report song.wav                        what a file holds (./report is a folder of that name)

Exit codes:
  0 done            1 a check failed; files differ                 2 wrong usage
  3 wrong session   4 a stem missing, unreadable or damaged        5 output, disk or device
  75 temporary, try again                                          129, 130, 143 interrupted";

/// Mixes stems into one soundtrack, exactly: sums in 64 bits at unity, never limited or normalised unasked, and tells what clips.
///
/// With no INPUT it makes a demo in target/demo and mixes that.
#[derive(Debug, Parser)]
#[command(
    name = "mixdown",
    version,
    after_help = EXAMPLES,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true
)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub struct Args {
    #[command(subcommand)]
    pub tool: Option<Tool>,

    /// A session (.toml, .json), a folder of stems, or stems
    ///
    ///   kick.wav           a stem
    ///   kick.wav@-3        its level in dB, where no file of that whole name exists
    ///   bass.flac@-2:L20   and its place: C, L0 to L100, R0 to R100
    ///   song.mp4#2         the second audio stream of a file
    ///   poly.wav#ch3       the third channel of a file, as mono
    ///   poly.wav#5.1       the layout of a stem whose file does not state it or states it wrong
    ///   song.stem.mp4/     every stem of a file of stems, without the mix it starts with
    ///   stems/             every audio file of a folder, in the order of their names
    ///   plan INPUT...      prints what would be done, and renders nothing
    #[arg(value_name = "INPUT", verbatim_doc_comment)]
    pub inputs: Vec<PathBuf>,

    /// The WAV file to write [default: the session's deliverables; else named after the session or the folder, or mix.wav;
    /// in this folder]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Which of a session's deliverables to write, or all; may be given more than once [default: all]
    #[arg(long, value_name = "NAME", conflicts_with = "output")]
    pub deliver: Vec<String>,

    /// Sample format of the output: integers of 16, 24 or 32 bits, or 32-bit float [default: wav24]
    #[arg(long, value_parser = formats())]
    pub format: Option<Format>,

    /// Rate of the output [default: the session's, or the highest among the stems]
    #[arg(long, value_name = "HZ", value_parser = rate)]
    pub rate: Option<SampleRate>,

    /// Layout of the output: mono, stereo, lcr, quad, 5.1, 7.1 ... [default: the session's, or stereo]
    #[arg(long, value_name = "NAME")]
    pub layout: Option<Layout>,

    /// How mono stems are placed: equal-power, between, linear, square-root, balance ... [default: the session's]
    #[arg(long, value_name = "NAME")]
    pub pan_law: Option<PanLaw>,

    /// Only a part: 10s..1m30s, 10s.. or ..480000, without a unit frames of the output; or timecodes of a session with
    /// fps: 01:00:10:00..01:00:20:00
    #[arg(long, value_name = "A..B", allow_hyphen_values = true)]
    pub range: Option<String>,

    /// Play instead of writing a file: on the default output device, on one by name or id, or on "null", which needs no
    /// hardware
    #[arg(long, value_name = "DEVICE", num_args = 0..=1, require_equals = true, default_missing_value = "",
          conflicts_with_all = ["output", "force", "json"])]
    pub play: Option<String>,

    /// Leave out a track or a bus; may be given more than once
    #[arg(long, value_name = "NAME")]
    pub mute: Vec<String>,

    /// Hear only what passes through this track or bus, of a bus all that feeds it; a mute always wins; may be given more
    /// than once
    #[arg(long, value_name = "NAME")]
    pub solo: Vec<String>,

    /// Set a value of a session file, as in track.drums.gain=-6; may be given more than once
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,

    /// Write what happened as a page (.html), a picture (.svg), data (.json) or a waveform for web players
    /// (.waveform.json)
    #[arg(long, value_name = "FILE", value_parser = paper)]
    pub report: Option<PathBuf>,

    /// How many points the waveforms of the report have at the most
    #[arg(long, value_name = "N", default_value_t = BINS, value_parser = bins())]
    pub bins: u32,

    /// Let a session file use stems outside its own folder, and write outside it
    #[arg(long)]
    pub outside: bool,

    /// Put silence where a stem is damaged or cut off, and say so, instead of giving up
    #[arg(long)]
    pub keep_going: bool,

    /// Exit with 1 when there is a warning that is more than a note
    #[arg(long)]
    pub strict: bool,

    /// Replace the output where it exists (never one of the inputs)
    #[arg(long)]
    pub force: bool,

    /// What the mix is for, which is judged: ebu-r128, atsc-a85, netflix, spotify, apple or youtube
    #[arg(long, value_name = "NAME")]
    pub target: Option<LoudnessTarget>,

    /// Measure and judge, write no audio; exit with 1 where the target is missed or samples are clipped
    #[arg(long)]
    pub check: bool,

    /// Turn the mix by one gain so that the target's loudness and its true peak hold
    #[arg(long, requires = "target")]
    pub fit: bool,

    /// Hold the true peak at this level in dBTP with a limiter [default: the session's, or none]
    #[arg(long, value_name = "DBTP", allow_hyphen_values = true)]
    pub limit: Option<f64>,

    /// Dither where the output has fewer bits than the mix: white, high-pass or weighted [default: the session's, or none]
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "white", require_equals = true)]
    pub dither: Option<Dither>,

    /// Measure the loudness and the true peak of every track and bus too; they are in the JSON document
    #[arg(long)]
    pub measure_strips: bool,

    /// Print the result as one JSON document instead of a table
    #[arg(long)]
    pub json: bool,

    /// How to tell how far it is, on stderr
    #[arg(long, value_enum, default_value_t = Progress::Auto, value_name = "HOW")]
    pub progress: Progress,

    /// How many threads decode and mix [default: as many as there are cores]; changes no sample
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,

    /// How much memory the mix may take, in MiB; what needs more by its tracks and placements is refused before it starts
    #[arg(long, value_name = "MIB", default_value_t = Session::MAX_MEMORY >> 20, value_parser = clap::value_parser!(u64).range(1..=1 << 24))]
    pub memory: u64,

    /// Print nothing but errors (and the JSON document, if asked for)
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Print the plan, the notes, and the files that were passed over
    #[arg(short, long)]
    pub verbose: bool,
}

/// What else there is to do.
#[derive(Debug, Subcommand)]
pub enum Tool {
    /// Whether two files hold the same audio: the largest difference, where it is, and the lag and the gain between them
    Compare(CompareArgs),
    /// What audio files hold, without mixing them: a table, and a picture if asked for
    Report(ReportArgs),
    /// Makes one file of parts rendered with --range, byte for byte the one that the whole mix gives
    Join(JoinArgs),
    /// Explains a warning and what to do about it; without a code, lists all warnings
    Explain(ExplainArgs),
}

/// The command line of `compare`.
#[derive(Debug, clap::Args)]
pub struct CompareArgs {
    /// A file
    pub a: PathBuf,
    /// The file to compare it with
    pub b: PathBuf,
    /// Print the result as one JSON document
    #[arg(long)]
    pub json: bool,
    /// Print nothing: the exit code says it
    #[arg(short, long)]
    pub quiet: bool,
}

/// The command line of `report`.
#[derive(Debug, clap::Args)]
pub struct ReportArgs {
    /// Files, or folders of files
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Write it as a page (.html), a picture (.svg), data (.json) or a waveform (.waveform.json)
    #[arg(long, value_name = "FILE", value_parser = paper)]
    pub report: Option<PathBuf>,
    /// How many points the waveforms have at the most
    #[arg(long, value_name = "N", default_value_t = BINS, value_parser = bins())]
    pub bins: u32,
    /// Replace the report where it exists
    #[arg(long)]
    pub force: bool,
    /// Print the result as one JSON document
    #[arg(long)]
    pub json: bool,
    /// Print the files that were passed over
    #[arg(short, long)]
    pub verbose: bool,
}

/// The command line of `join`.
#[derive(Debug, clap::Args)]
pub struct JoinArgs {
    /// Parts of one mix, in any order
    #[arg(required = true, value_name = "PART")]
    pub parts: Vec<PathBuf>,
    /// The WAV file to write
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Replace the output where it exists (never one of the parts)
    #[arg(long)]
    pub force: bool,
    /// Print the result as one JSON document
    #[arg(long)]
    pub json: bool,
    /// Print nothing but errors
    #[arg(short, long)]
    pub quiet: bool,
}

/// The command line of `explain`.
#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    /// Codes of warnings, such as W105
    #[arg(value_name = "CODE")]
    pub codes: Vec<String>,
    /// Print the result as one JSON document
    #[arg(long)]
    pub json: bool,
}

/// How progress is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Progress {
    /// A bar on a terminal, else one line at the end
    Auto,
    /// A bar
    Bar,
    /// A line every 10 %
    Plain,
    /// One JSON object a line, warnings and errors too
    Json,
    /// Nothing
    None,
}

impl Args {
    /// What `auto` comes to.
    pub fn progress(&self) -> Progress {
        match self.progress {
            Progress::Json => Progress::Json,
            _ if self.quiet => Progress::None,
            Progress::Auto if std::io::stderr().is_terminal() => Progress::Bar,
            other => other,
        }
    }
}

/// Points of a waveform unless told.
const BINS: u32 = 2000;

fn bins() -> impl TypedValueParser<Value = u32> {
    clap::value_parser!(u32).range(1..=65_536)
}

fn paper(name: &str) -> Result<PathBuf, String> {
    let known = |_| "a report is written as .html, .svg, .json or .waveform.json".to_owned();
    Paper::of(name).map(|_| name.into()).map_err(known)
}

fn formats() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(["wav16", "wav24", "wav32", "wav32f"])
        .try_map(|name| name.parse::<Format>())
}

fn rate(text: &str) -> Result<SampleRate, String> {
    let digits: String = text.chars().filter(|c| *c != '_').collect();
    let hz = digits
        .parse()
        .map_err(|_| "a rate is a whole number of Hz, like 48000".to_owned())?;
    SampleRate::new(hz).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        <Args as clap::CommandFactory>::command().debug_assert();
    }
}
