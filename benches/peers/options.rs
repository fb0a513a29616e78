//! Command line of the comparison.

use std::path::PathBuf;

pub const HELP: &str = "\
cargo bench --bench peers -- [OPTIONS] [WORK]...

  --quick           run W1 and W2 with stems of 60 s, 3 times (default)
  --full            run W1 to W4 with stems of 240 s, 5 times
  --film            run W5: 64 stems of 60 min, once
  --scale           measure 4 to 1000 stems, 10 hours, seeking
  --only W2         run one workload; repeatable
  --runs N          run each program N times
  --with \"ARGS\"     also run mixdown with these arguments; repeatable
  --against FILE    also run this build of mixdown; repeatable
  --out FOLDER      write outputs to this folder; one in memory excludes the disk
  WORK              like --only, but ignored if there is no such workload

The variable FFMPEG names an ffmpeg, PYTHON a Python that has pedalboard, MIXDOWN a mixdown to use instead of building the
example.";

pub const WORKLOADS: [&str; 5] = ["W1", "W2", "W3", "W4", "W5"];

/// Options of the command line.
#[derive(Debug, Default)]
pub struct Options {
    pub workloads: Vec<&'static str>,
    pub scale: bool,
    /// Length of the stems of W1 to W4.
    pub seconds: u64,
    pub runs: Option<usize>,
    pub with: Vec<String>,
    pub against: Vec<PathBuf>,
    pub out: Option<PathBuf>,
}

impl Options {
    /// Parses the arguments after those that cargo adds.
    pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        let (mut quick, mut full, mut film, mut filtered) = (false, false, false, false);
        let mut arguments = arguments.filter(|a| a != "--bench");
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
            match argument.as_str() {
                "--quick" => quick = true,
                "--full" => full = true,
                "--film" => film = true,
                "--scale" => options.scale = true,
                "--only" => {
                    let name = value()?.to_uppercase();
                    let known = WORKLOADS.into_iter().find(|w| *w == name);
                    options.workloads.push(known.ok_or(format!(
                        "there is no {name}; there are {}",
                        WORKLOADS.join(", ")
                    ))?);
                }
                "--runs" => {
                    let n = value()?;
                    options.runs = Some(
                        n.parse()
                            .ok()
                            .filter(|n| *n > 0)
                            .ok_or(format!("--runs {n}: a number from 1"))?,
                    );
                }
                "--with" => options.with.push(value()?),
                "--against" => options.against.push(value()?.into()),
                "--out" => options.out = Some(value()?.into()),
                option if option.starts_with('-') => {
                    return Err(format!("{option} is unknown\n\n{HELP}"));
                }
                word => {
                    // A filter for all benches of a `cargo bench` may match none of these workloads.
                    filtered = true;
                    options
                        .workloads
                        .extend(WORKLOADS.into_iter().find(|w| w.eq_ignore_ascii_case(word)));
                }
            }
        }
        if film {
            options.workloads.push("W5");
        }
        if options.workloads.is_empty() && !filtered {
            match (full, options.scale) {
                (true, _) => options.workloads.extend(["W1", "W2", "W3", "W4"]),
                (false, true) => {}
                (false, false) => {
                    quick = true;
                    options.workloads.extend(["W1", "W2"]);
                }
            }
        } else if full && film {
            options.workloads.splice(0..0, ["W1", "W2", "W3", "W4"]);
        }
        options.workloads.sort_unstable();
        options.workloads.dedup();
        options.seconds = if quick { 60 } else { 240 };
        options.runs = options.runs.or(quick.then_some(3));
        Ok(options)
    }
}
