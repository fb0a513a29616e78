//! Command line of `mixdown`.

use super::preset::{self, Preset};
use clap::{
    Parser, Subcommand, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use soundtrack::{
    Format, Layout, LoudnessTarget, Lufs, PanLaw, SampleRate, Session, encode::Dither,
    report::ReportFormat,
};
use std::{io::IsTerminal, path::PathBuf};

const EXAMPLES: &str = "\
Examples:
  mixdown                                        make the demo's seven stems and mix them
  mixdown stems/                                 mix every audio file of a folder into stems.wav
  mixdown kick.wav@-3 bass.flac@-2:L20 vox.wav   set levels in dB and pans; write mix.wav
  mixdown song.toml -o out/song.wav --force      mix a session file; replace the output
  mixdown film.toml --deliver stems              write one of the session's deliverables
  mixdown stems/ --solo drums --range 10s..20s   mix one track for ten seconds
  mixdown stems/ --check --target ebu-r128       measure loudness, peaks and clipping; write nothing
  mixdown stems/ --fit --target spotify          adjust the gain to a loudness target
  mixdown song.toml --report song.html           also write a page that shows and plays the mix
  mixdown plan song.toml --set master.gain=-3    print the plan with another value; render nothing
  mixdown compare old.wav new.wav                compare the audio of two files
  mixdown film.toml --range 10m..11m --force     render a part anew into the files delivered before
  mixdown film.toml --range 10m..20m -o 2.wav    render a part of a long mix
  mixdown join 1.wav 2.wav 3.wav -o film.wav     join all parts into the file that one run writes
  mixdown import song.dawproject -o song.toml    take the session of a DAW or an editor
  mixdown explain W105                           explain a warning and its cure
  mixdown stems/ --play                          balance the mix on a console; w saves it
  mixdown stems/ --preset cd -o cd.wav           44.1 kHz, 16 bits, dithered, no clipped sample
  mixdown report song.wav                        describe a file (./report names a folder)

Exit codes:
  0 success         1 a check failed; files differ                2 wrong usage
  3 wrong session   4 a stem is missing, unreadable or damaged    5 output, disk or device failed
  75 temporary failure, try again                                 129, 130, 143 interrupted";

const OUTPUT: &str = "Output";
const MIX: &str = "Mix";
const LOUDNESS: &str = "Loudness";
const SESSION: &str = "Session files";
const REPORT: &str = "Report";
const RUN: &str = "Run";

/// Mixes stems, folders of stems and session files into one soundtrack
///
/// Sums exactly in 64 bits, limits and normalises only if asked, and reports clipped samples.
///
/// Without INPUT, makes a demo in target/demo and mixes it.
#[derive(Debug, Parser)]
#[command(
    name = "mixdown",
    version,
    propagate_version = true,
    max_term_width = 100,
    after_help = EXAMPLES,
    args_conflicts_with_subcommands = true
)]
pub struct CommandLine {
    #[command(subcommand)]
    pub command: Option<Command>,

    #[command(flatten)]
    pub args: Args,
}

/// Inputs and options of a mix.
#[derive(Clone, Debug, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub struct Args {
    /// A session file (.toml, .json), a folder of stems, or stems
    ///
    ///   kick.wav           a stem
    ///   kick.wav@-3        with its level in dB, if no file has that whole name
    ///   stems/*.wav@-3     every file that matches, with this level
    ///   bass.flac@-2:L20   with its level and pan: C, L0 to L100, R0 to R100
    ///   song.mp4#2         the second audio stream of a file
    ///   poly.wav#ch3       the third channel of a file, as mono
    ///   poly.wav#5.1       with a layout that the file does not state or states wrong
    ///   song.stem.mp4/     every stem of a stem file, without the mix it starts with
    ///   stems/             every audio file of a folder, in the order of the names
    #[arg(value_name = "INPUT", verbatim_doc_comment)]
    pub inputs: Vec<PathBuf>,

    /// Read the subfolders of folders too; their tracks are named after both
    #[arg(short = 'r', long, help_heading = MIX)]
    pub recursive: bool,

    /// Write the mix to this WAV or FLAC file
    ///
    /// [default: the session's deliverables, else a name after the session or the folder,
    /// else mix.wav, in the current folder]
    #[arg(short, long, value_name = "FILE", help_heading = OUTPUT, verbatim_doc_comment)]
    pub output: Option<PathBuf>,

    /// Write this deliverable of the session; repeatable [default: all]
    #[arg(long, value_name = "NAME", conflicts_with = "output", help_heading = OUTPUT)]
    pub deliver: Vec<String>,

    /// Save the session with its balance in this file too, .toml or .json
    ///
    /// Keeps the stems, --set, --mute, --solo and all options that are keys of a session file. Paths are relative to it.
    #[arg(long, value_name = "FILE", help_heading = OUTPUT)]
    pub save: Option<PathBuf>,

    /// Replace existing outputs (never one of the inputs)
    #[arg(long, help_heading = OUTPUT)]
    pub force: bool,

    /// Set rate, format, dither, loudness and ceiling in one word: cd, spotify, apple, youtube, podcast,
    /// ebu-r128, atsc-a85 or netflix
    ///
    /// cd: 44.1 kHz, 16 bits, dithered. The others fit the mix to the loudness of the service.
    /// All limit the true peak. Options that are given as well win. With --deliver NAME the preset is that of this
    /// deliverable; a session with deliverables makes a single mix otherwise.
    #[arg(long, value_name = "NAME", value_parser = preset::parser(), hide_possible_values = true,
          help_heading = OUTPUT)]
    pub preset: Option<Preset>,

    /// Set the format: wav16, wav24, wav32, wav32f, flac16 or flac24
    ///
    /// [default: wav24, or flac24 for an output named .flac]
    #[arg(long, value_parser = formats(), hide_possible_values = true, help_heading = OUTPUT)]
    pub format: Option<Format>,

    /// Set the sample rate [default: the session's, or the stems' highest]
    #[arg(long, value_name = "HZ", value_parser = rate, help_heading = OUTPUT)]
    pub rate: Option<SampleRate>,

    /// Set the layout: mono, stereo, quad, 5.1 ... [default: the session's]
    #[arg(long, value_name = "NAME", help_heading = OUTPUT)]
    pub layout: Option<Layout>,

    /// Dither to fewer bits: white, high-pass, weighted [default: the session's]
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "white", require_equals = true,
          conflicts_with = "play", help_heading = OUTPUT)]
    pub dither: Option<Dither>,

    /// Play the mix instead of writing it; "null" needs no hardware
    ///
    /// Without DEVICE, plays on the default output device. DEVICE is a name or an id.
    #[arg(long, value_name = "DEVICE", num_args = 0..=1, require_equals = true, default_missing_value = "",
          conflicts_with_all = ["output", "force", "json"], help_heading = OUTPUT)]
    pub play: Option<String>,

    /// Render only this part: 10s..1m30s, 10s.. or "..480000 frames"
    ///
    /// Times count from the first frame of the output. Sessions with fps also take timecodes:
    /// 01:00:10:00..01:00:20:00. A session with deliverables replaces this part in the files that
    /// are there (needs --force); -o writes it as a mix of its own.
    #[arg(long, value_name = "A..B", allow_hyphen_values = true, help_heading = MIX, verbatim_doc_comment)]
    pub range: Option<String>,

    /// Mute tracks and buses: vox, "vox,bass", "drum*"; repeatable
    #[arg(long, value_name = "NAME", help_heading = MIX)]
    pub mute: Vec<String>,

    /// Mix only what passes through these tracks and buses; repeatable
    ///
    /// The solo of a bus includes everything that feeds it. A mute always wins.
    #[arg(long, value_name = "NAME", help_heading = MIX)]
    pub solo: Vec<String>,

    /// Pan mono stems by this law: equal-power, linear, balance ...
    ///
    /// [default: the session's]
    #[arg(long, value_name = "NAME", help_heading = MIX)]
    pub pan_law: Option<PanLaw>,

    /// Insert silence for damaged or cut off parts of stems, with a warning
    #[arg(long, help_heading = MIX)]
    pub keep_going: bool,

    /// Judge the mix for ebu-r128, atsc-a85, netflix, spotify, apple, youtube, or a loudness like -14
    #[arg(long, value_name = "NAME", value_parser = target, allow_negative_numbers = true, help_heading = LOUDNESS)]
    pub target: Option<LoudnessTarget>,

    /// Measure and judge only; exit with 1 if the mix fails or clips
    #[arg(long, help_heading = LOUDNESS)]
    pub check: bool,

    /// Adjust the gain of the mix to the target's loudness and true peak
    #[arg(long, requires = "target", help_heading = LOUDNESS)]
    pub fit: bool,

    /// Limit the true peak to this level in dBTP [default: the session's]
    #[arg(long, value_name = "DBTP", value_parser = limit, allow_negative_numbers = true, help_heading = LOUDNESS)]
    pub limit: Option<f64>,

    /// Measure loudness and true peak of every track and bus: columns of the table, lines of the picture, keys of --json
    #[arg(long, help_heading = LOUDNESS)]
    pub measure_strips: bool,

    /// Set a value of any session, such as track.drums.gain=-6; repeatable
    #[arg(long, value_name = "KEY=VALUE", help_heading = SESSION)]
    pub set: Vec<String>,

    /// Allow stems and outputs outside the session's folder
    #[arg(long, help_heading = SESSION)]
    pub outside: bool,

    /// Write a report: .html, .svg, .json or .waveform.json
    ///
    /// A page that plays the mix, a picture, all data, or a waveform for web players.
    #[arg(long, value_name = "FILE", value_parser = report_path, help_heading = REPORT)]
    pub report: Option<PathBuf>,

    /// Limit the number of points of the report's waveforms
    #[arg(long, value_name = "N", default_value_t = DEFAULT_BINS, value_parser = bins(), help_heading = REPORT)]
    pub bins: u32,

    /// Print the result as one JSON document instead of a table
    #[arg(long, help_heading = REPORT)]
    pub json: bool,

    /// Exit with 1 on any warning (notes are allowed)
    #[arg(long, help_heading = REPORT)]
    pub strict: bool,

    /// Print only errors, and the JSON document with --json
    #[arg(short, long, conflicts_with = "verbose", help_heading = REPORT)]
    pub quiet: bool,

    /// Print the plan, notes and skipped files too
    #[arg(short, long, help_heading = REPORT)]
    pub verbose: bool,

    /// Show progress on stderr: auto, bar, plain, json or none
    ///
    ///   auto    a bar on a terminal, else one line at the end
    ///   bar     a bar
    ///   plain   a line every 10 %
    ///   json    one JSON object per line, warnings and errors included
    ///   none    nothing
    #[arg(long, value_enum, default_value_t = ProgressMode::Auto, value_name = "FORM", hide_possible_values = true,
          verbatim_doc_comment, help_heading = RUN)]
    pub progress: ProgressMode,

    /// Decode and mix on N threads; changes no sample [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256), help_heading = RUN)]
    pub threads: Option<u16>,

    /// Refuse a mix that needs more memory than this
    #[arg(long, value_name = "MIB", default_value_t = Session::MAX_MEMORY >> 20,
          value_parser = clap::value_parser!(u64).range(1..=1 << 24), help_heading = RUN)]
    pub memory: u64,
}

/// Commands other than mixing.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Prints the plan of a mix and renders nothing; takes all options of a mix
    Plan(Box<Args>),
    /// Compares the audio of two files: largest difference, where it is, lag and gain
    #[command(
        after_help = "Examples:\n  mixdown compare old.wav new.wav\n  mixdown compare -q old.wav new.wav && echo same"
    )]
    Compare(CompareArgs),
    /// Describes audio files without mixing them
    #[command(
        after_help = "Examples:\n  mixdown report song.wav\n  mixdown report stems/ --report stems.html"
    )]
    Report(ReportArgs),
    /// Joins parts rendered with --range, byte for byte into the file of one run
    #[command(
        after_help = "Example:\n  mixdown film.toml --range ..10m -o 1.wav\n  mixdown film.toml --range 10m.. -o 2.wav\n  mixdown join 1.wav 2.wav -o film.wav"
    )]
    Join(JoinArgs),
    /// Writes a session file with comments for a folder of stems, to go on from in an editor
    #[command(
        after_help = "Example:\n  mixdown init stems/ -o song.toml\n  mixdown song.toml --play"
    )]
    Init(InitArgs),
    /// Writes a session file from the session, timeline or markers of another program
    ///
    /// Reads DAWproject (.dawproject), REAPER (.rpp), OpenTimelineIO (.otio), CMX 3600 (.edl), spotting and REAPER's
    /// markers (.csv), and Audacity's labels (.txt). A warning names whatever is not carried, with its place.
    #[command(
        after_help = "Examples:\n  mixdown import song.rpp -o song.toml\n  mixdown import reel.edl --fps 24 -o reel.toml\n  mixdown import labels.txt --into film.toml"
    )]
    Import(ImportArgs),
    /// Writes a session for another program: .dawproject, or .csv for spotting
    #[command(
        after_help = "Examples:\n  mixdown export song.toml -o song.dawproject\n  mixdown export film.toml -o spotting.csv"
    )]
    Export(ExportArgs),
    /// Renders long lists of mixes in shards: the program `batch`
    Batch {
        /// Command of `batch`.
        #[command(subcommand)]
        command: crate::batch::Command,
    },
    /// Explains a warning and its cure, or lists all warnings
    #[command(after_help = "Example:\n  mixdown explain W105")]
    Explain(ExplainArgs),
    /// Prints the completions for a shell
    Completions(CompletionsArgs),
    /// Prints the manual page of this program or one of its commands
    Man(ManArgs),
}

/// Arguments of `compare`.
#[derive(Debug, clap::Args)]
pub struct CompareArgs {
    /// First file
    pub a: PathBuf,
    /// Second file
    pub b: PathBuf,
    /// Print the result as one JSON document
    #[arg(long)]
    pub json: bool,
    /// Print nothing; the exit code is 0 for equal audio, 1 for different
    #[arg(short, long)]
    pub quiet: bool,
}

/// Arguments of `report`.
#[derive(Debug, clap::Args)]
pub struct ReportArgs {
    /// Audio files, or folders of audio files
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Read the subfolders of folders too
    #[arg(short = 'r', long)]
    pub recursive: bool,
    /// Write a report: .html, .svg, .json or .waveform.json
    #[arg(long, value_name = "FILE", value_parser = report_path)]
    pub report: Option<PathBuf>,
    /// Limit the number of points of the waveforms
    #[arg(long, value_name = "N", default_value_t = DEFAULT_BINS, value_parser = bins())]
    pub bins: u32,
    /// Replace an existing report
    #[arg(long)]
    pub force: bool,
    /// Print the result as one JSON document
    #[arg(long)]
    pub json: bool,
    /// Print skipped files too
    #[arg(short, long)]
    pub verbose: bool,
}

/// Arguments of `join`.
#[derive(Debug, clap::Args)]
pub struct JoinArgs {
    /// Parts of one mix, in any order
    #[arg(required = true, value_name = "PART")]
    pub parts: Vec<PathBuf>,
    /// Write the joined mix to this WAV file
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Replace an existing output (never one of the parts)
    #[arg(long)]
    pub force: bool,
    /// Print the result as one JSON document
    #[arg(long)]
    pub json: bool,
    /// Print only errors
    #[arg(short, long)]
    pub quiet: bool,
}

/// Arguments of `init`.
#[derive(Debug, clap::Args)]
pub struct InitArgs {
    /// A folder of stems, or stems, as for a mix
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// Write this session file [default: named after the folder, in the current folder]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Read the subfolders of folders too
    #[arg(short = 'r', long)]
    pub recursive: bool,
    /// Set the sample rate [default: the stems' highest]
    #[arg(long, value_name = "HZ", value_parser = rate)]
    pub rate: Option<SampleRate>,
    /// Set the layout: mono, stereo, quad, 5.1 ...
    #[arg(long, value_name = "NAME")]
    pub layout: Option<Layout>,
    /// Replace an existing session file
    #[arg(long)]
    pub force: bool,
    /// Print only errors
    #[arg(short, long)]
    pub quiet: bool,
}

/// Arguments of `import`.
#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    /// A file of another program
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Write this session file [default: named after FILE, in the current folder]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Add the markers and placements of cues to this session file instead
    #[arg(long, value_name = "SESSION", conflicts_with = "output")]
    pub into: Option<PathBuf>,
    /// Set the sample rate [default: that of FILE, or 48000]
    #[arg(long, value_name = "HZ", value_parser = rate)]
    pub rate: Option<SampleRate>,
    /// Set the layout: mono, stereo, quad, 5.1 ... [default: stereo]
    #[arg(long, value_name = "NAME")]
    pub layout: Option<Layout>,
    /// Set the frame rate of the picture: 24, 25, 29.97df ... [default: that of FILE]
    #[arg(long, value_name = "FPS")]
    pub fps: Option<String>,
    /// Set the timecode of the first frame, as 01:00:00:00 [default: that of FILE]
    #[arg(long, value_name = "TIMECODE")]
    pub start: Option<String>,
    /// Replace an existing session file, and the audio of an archive beside it
    #[arg(long)]
    pub force: bool,
    /// Print only warnings and errors
    #[arg(short, long)]
    pub quiet: bool,
}

/// Arguments of `export`.
#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// A session file
    #[arg(value_name = "SESSION")]
    pub session: PathBuf,
    /// Write this file: .dawproject, or .csv for spotting
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Allow stems outside the session's folder
    #[arg(long)]
    pub outside: bool,
    /// Replace an existing file
    #[arg(long)]
    pub force: bool,
    /// Print only warnings and errors
    #[arg(short, long)]
    pub quiet: bool,
}

/// Arguments of `explain`.
#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    /// Codes of warnings, such as W105
    #[arg(value_name = "CODE")]
    pub codes: Vec<String>,
    /// Print the result as one JSON document
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `completions`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  mixdown completions bash > ~/.local/share/bash-completion/completions/mixdown"
)]
pub struct CompletionsArgs {
    /// Shell that completes the command line
    pub shell: clap_complete::Shell,
}

/// Arguments of `man`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mixdown man > ~/.local/share/man/man1/mixdown.1")]
pub struct ManArgs {
    /// Command, such as join [default: the program]
    #[arg(value_name = "COMMAND")]
    pub command: Option<String>,
}

/// Form of the progress display.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProgressMode {
    /// A bar on a terminal, else one line at the end
    Auto,
    /// A bar
    Bar,
    /// A line every 10 %
    Plain,
    /// One JSON object per line, warnings and errors included
    Json,
    /// Nothing
    None,
}

impl Args {
    /// Returns the arguments of a mix with the defaults of all options.
    pub fn defaults() -> Self {
        CommandLine::parse_from(["mixdown"]).args
    }

    /// Sets the options of `--preset` that are not given.
    pub fn apply_preset(&mut self) {
        if let Some(preset) = self.preset {
            preset.apply(self);
        }
    }

    /// Resolves `auto` and `--quiet` to the form that is shown.
    pub fn progress(&self) -> ProgressMode {
        match self.progress {
            ProgressMode::Json => ProgressMode::Json,
            _ if self.quiet => ProgressMode::None,
            ProgressMode::Auto if std::io::stderr().is_terminal() => ProgressMode::Bar,
            other => other,
        }
    }
}

/// Default number of points of a waveform.
const DEFAULT_BINS: u32 = 2000;

fn bins() -> impl TypedValueParser<Value = u32> {
    clap::value_parser!(u32).range(1..=65_536)
}

/// Parses the path of a report, whose ending must name a known form.
fn report_path(name: &str) -> Result<PathBuf, String> {
    ReportFormat::from_path(name)
        .map(|_| name.into())
        .map_err(|_| "a report is written as .html, .svg, .json or .waveform.json".to_owned())
}

fn formats() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::names()).try_map(|name| name.parse::<Format>())
}

/// Parses a target: a name, or an integrated loudness in LUFS.
fn target(text: &str) -> Result<LoudnessTarget, String> {
    match text.trim_end_matches("LUFS").trim_end().parse::<f64>() {
        Ok(loudness) if (-70.0..=0.0).contains(&loudness) => {
            Ok(LoudnessTarget::new(Lufs(loudness)).named(format!("{loudness} LUFS")))
        }
        Ok(_) => Err("a loudness is -70 to 0 LUFS, like -14".to_owned()),
        Err(_) => text
            .parse()
            .map_err(|e: soundtrack::measure::UnknownTarget| e.to_string()),
    }
}

/// Parses the ceiling of the limiter.
fn limit(text: &str) -> Result<f64, String> {
    let level = text.trim_end_matches("dBTP").trim_end().parse::<f64>();
    let level = level.ok().filter(|level| (-60.0..=0.0).contains(level));
    level.ok_or_else(|| "a limit is -60 to 0 dBTP, like -1".to_owned())
}

fn rate(text: &str) -> Result<SampleRate, String> {
    let digits: String = text.chars().filter(|c| *c != '_').collect();
    let meant = SampleRate::meant_by(&digits);
    let suggestion = meant.map(|rate| format!("; did you mean {rate}?"));
    match (digits.parse(), suggestion) {
        (Ok(hz @ ..1000), Some(suggestion)) => Err(format!("{hz} is {hz} Hz{suggestion}")),
        (Ok(hz), _) => SampleRate::new(hz).map_err(|e| e.to_string()),
        (Err(_), suggestion) => Err(format!(
            "a rate is a whole number of Hz, like 48000{}",
            suggestion.unwrap_or_default()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        <CommandLine as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn a_rate_in_kilohertz_is_refused_with_the_rate_in_hertz() {
        assert_eq!(rate("96_000"), Ok(SampleRate::HZ_96000));
        let refused = |text| rate(text).unwrap_err();
        assert_eq!(refused("44"), "44 is 44 Hz; did you mean 44100?");
        assert_eq!(
            refused("48kHz"),
            "a rate is a whole number of Hz, like 48000; did you mean 48000?"
        );
        assert_eq!(
            refused("fast"),
            "a rate is a whole number of Hz, like 48000"
        );
        assert_eq!(rate("47").map(SampleRate::hz), Ok(47));
    }

    #[test]
    fn help_fits_a_terminal_of_100_columns() {
        let mut command = <CommandLine as clap::CommandFactory>::command();
        command.build();
        let mut texts = vec![
            command.render_help().to_string(),
            command.render_long_help().to_string(),
        ];
        for subcommand in command.get_subcommands_mut() {
            texts.push(subcommand.render_long_help().to_string());
        }
        for line in texts.iter().flat_map(|text| text.lines()) {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }
}
