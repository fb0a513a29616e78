//! `mixdown init INPUT`: writes a session file with comments for a folder of stems.

use super::{
    args::{Args, InitArgs},
    hints,
    inputs::{self, InputKind},
    mix, save, session,
};
use crate::{failure::Failure, messages::Messages};
use soundtrack::Load;
use std::path::{Path, PathBuf};

/// Comment before the session.
const BEFORE: &str = "\
# A session of `mixdown`. Mix it with `mixdown FILE`, listen with `mixdown FILE --play`, see what would be rendered with
# `mixdown plan FILE`. Paths are relative to this file. The order of tracks and buses is the order of the mix.
# docs/session-keys.md describes every key.

";

/// Comment after the session.
const AFTER: &str = "
# More keys of a track, each with an example:
#   gain = -3                  level in dB; -inf is silence
#   pan = \"L20\"                C, L0 to L100, R0 to R100
#   mute = true                solo = true
#   at = \"4s\"                  where it starts: 12.5s, 2m20s, 250ms, 12000 frames
#   fade_in = \"50ms\"           fade_out = \"2s equal-power\"
#   bus = \"rhythm\"             feeds a bus instead of the master
#   send = { hall = -12 }      feeds a bus as well, at this level
#   automation.gain = [\"0s -inf\", \"4s 0 sine\"]

# A bus, and a processor in front of its fader:
# [bus.rhythm]
# gain = -1.5
# [bus.rhythm.insert]
# glue = { type = \"compressor\", threshold = -18, ratio = 2, attack = \"30ms\", release = \"200ms\" }

# The master:
# [master]
# gain = -1
# limit = -1.0               # limits the true peak, in dBTP

# Files that `mixdown FILE` writes, all in one run. Without any it writes one mix.
# [deliver.stream]
# file = \"out/{title}.wav\"
# loudness = { target = \"spotify\", fit = true }
# [deliver.instrumental]
# file = \"out/{title} instrumental.wav\"
# mute = [\"track.vox\"]
";

/// Writes the session file and returns the exit code.
///
/// # Errors
/// `Usage` for a session file as input; `Output` for an existing file without `--force`; errors of the stems.
pub fn run(args: &InitArgs) -> Result<u8, Failure> {
    let messages = Messages {
        quiet: args.quiet,
        ..Messages::default()
    };
    let mix_args = Args {
        rate: args.rate,
        layout: args.layout,
        recursive: args.recursive,
        ..Args::defaults()
    };
    let inputs =
        inputs::parse(&args.inputs).map_err(|failure| hints::for_inputs(failure, &mix_args))?;
    if let [InputKind::Session(path)] = inputs.as_slice() {
        return Err(Failure::Usage(format!(
            "init {}: is a session already; init makes one from a folder or stems",
            path.display()
        )));
    }
    let session = session::build(&inputs, &mix_args, messages)?;
    let (session, _) = mix::compile(session, &mix_args)?;
    let path = match &args.output {
        Some(path) => path.clone(),
        None if session.title.is_empty() => PathBuf::from("mix.toml"),
        None => PathBuf::from(format!("{}.toml", session.title)),
    };
    save::check(&path, "-o", args.force)?;
    let text = session.to_text(&path)?;
    let is_toml = path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("toml"));
    let text = if is_toml {
        format!("{BEFORE}{text}{AFTER}")
    } else {
        text
    };
    check(&path, &text)?;
    save::write(&path, &text, args.force)?;
    let tracks = crate::text::counted(session.tracks().len() as u64, "track");
    messages.note(&format!(
        "wrote {} with {tracks}; mix it with: mixdown {}",
        path.display(),
        path.display()
    ));
    Ok(0)
}

/// Checks that the text of a session file can be read.
fn check(path: &Path, text: &str) -> Result<(), Failure> {
    let load = Load {
        outside: true,
        ..Load::default()
    };
    load.text(text, path)?;
    Ok(())
}
