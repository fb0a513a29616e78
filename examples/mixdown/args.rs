//! The command line: what can be asked for, and in which words.

use clap::{
    Parser, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use soundtrack::{Format, Layout, PanLaw, SampleRate};
use std::{io::IsTerminal, path::PathBuf};

const EXAMPLES: &str = "\
Examples:
  mixdown                                        the demo: makes seven stems and mixes them
  mixdown stems/                                 every audio file of a folder, into stems.wav
  mixdown kick.wav@-3 bass.flac@-2:L20 vox.wav   levels in dB and places, into mix.wav
  mixdown song.toml -o out/song.wav --force      a session file, over what is there
  mixdown film.toml --deliver stems              what the session promises, or a part of that
  mixdown stems/ --solo drums --range 10s..20s   a part of it
  mixdown plan song.toml --set master.gain=-3    what would be done, with another value

Exit codes:
  0 done            1 written, but a check failed                  2 wrong usage
  3 wrong session   4 a stem missing, unreadable or damaged        5 output, disk or device
  75 temporary, try again                                          130, 143 interrupted";

/// Mixes stems into one soundtrack, exactly: sums in 64 bits at unity, never clipped, limited or normalised unasked.
///
/// With no INPUT it makes a demo in target/demo and mixes that.
#[derive(Debug, Parser)]
#[command(name = "mixdown", version, after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct Args {
    /// A session (.toml, .json), a folder of stems, or stems
    ///
    ///   kick.wav           a stem
    ///   kick.wav@-3        its level in dB, where no file of that whole name exists
    ///   bass.flac@-2:L20   and its place: C, L0 to L100, R0 to R100
    ///   song.mp4#2         the second audio stream of a file
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

    /// Only a part: 10s..1m30s, 10s.. or ..480000; without a unit it counts frames of the output
    #[arg(long, value_name = "A..B", allow_hyphen_values = true)]
    pub range: Option<String>,

    /// Leave out a track or a bus; may be given more than once
    #[arg(long, value_name = "NAME")]
    pub mute: Vec<String>,

    /// Hear only this track or bus; may be given more than once
    #[arg(long, value_name = "NAME")]
    pub solo: Vec<String>,

    /// Set a value of a session file, as in track.drums.gain=-6; may be given more than once
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,

    /// Let a session file use stems outside its own folder
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

    /// Print the result as one JSON document instead of a table
    #[arg(long)]
    pub json: bool,

    /// How to tell how far it is, on stderr
    #[arg(long, value_enum, default_value_t = Progress::Auto, value_name = "HOW")]
    pub progress: Progress,

    /// How many threads decode and mix [default: as many as there are cores]; changes no sample
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,

    /// Print nothing but errors (and the JSON document, if asked for)
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Print the plan, the notes, and the files that were passed over
    #[arg(short, long)]
    pub verbose: bool,
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

fn formats() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(["wav16", "wav24", "wav32", "wav32f"]).try_map(|name| name.parse::<Format>())
}

fn rate(text: &str) -> Result<SampleRate, String> {
    let digits: String = text.chars().filter(|c| *c != '_').collect();
    let hz = digits.parse().map_err(|_| "a rate is a whole number of Hz, like 48000".to_owned())?;
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
