//! Command line of the comparison.

use std::path::PathBuf;

pub const HELP: &str = "\
cargo bench --bench peers -- [OPTIONS] [WORK]...

  --quick           W1 and W2 with stems of 60 s, 3 runs (what happens unless another is asked for)
  --full            W1 to W4 with stems of 240 s, 5 runs
  --film            W5: 64 stems of 60 min, 1 run
  --scale           4 to 1000 stems, 10 hours, seeking
  --only W2         one of the works; may be given more than once
  --runs N          how often each program runs
  --with \"ARGS\"     one more mixdown, with these arguments
  --against FILE    one more mixdown, of another build
  --out FOLDER      where the outputs go; a folder in memory takes the disk out of it
  WORK              as --only, but passed over in silence where there is no such work

FFMPEG names an ffmpeg, MIXDOWN a mixdown to use instead of building the example.";

pub const WORKS: [&str; 5] = ["W1", "W2", "W3", "W4", "W5"];

#[derive(Debug, Default)]
pub struct Ask {
    pub works: Vec<&'static str>,
    pub scale: bool,
    /// Length of the stems of W1 to W4.
    pub seconds: u64,
    pub runs: Option<usize>,
    pub with: Vec<String>,
    pub against: Vec<PathBuf>,
    pub out: Option<PathBuf>,
}

impl Ask {
    /// Reads the arguments after those that cargo adds.
    pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut ask = Self::default();
        let (mut quick, mut full, mut film, mut filtered) = (false, false, false, false);
        let mut arguments = arguments.filter(|a| a != "--bench");
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
            match argument.as_str() {
                "--quick" => quick = true,
                "--full" => full = true,
                "--film" => film = true,
                "--scale" => ask.scale = true,
                "--only" => {
                    let name = value()?.to_uppercase();
                    let known = WORKS.into_iter().find(|w| *w == name);
                    ask.works.push(known.ok_or(format!(
                        "there is no {name}; there are {}",
                        WORKS.join(", ")
                    ))?);
                }
                "--runs" => {
                    let n = value()?;
                    ask.runs = Some(
                        n.parse()
                            .ok()
                            .filter(|n| *n > 0)
                            .ok_or(format!("--runs {n}: a number from 1"))?,
                    );
                }
                "--with" => ask.with.push(value()?),
                "--against" => ask.against.push(value()?.into()),
                "--out" => ask.out = Some(value()?.into()),
                option if option.starts_with('-') => {
                    return Err(format!("{option} is unknown\n\n{HELP}"));
                }
                word => {
                    // A filter for all benches of a `cargo bench` may mean none of these works.
                    filtered = true;
                    ask.works
                        .extend(WORKS.into_iter().find(|w| w.eq_ignore_ascii_case(word)));
                }
            }
        }
        if film {
            ask.works.push("W5");
        }
        if ask.works.is_empty() && !filtered {
            match (full, ask.scale) {
                (true, _) => ask.works.extend(["W1", "W2", "W3", "W4"]),
                (false, true) => {}
                (false, false) => {
                    quick = true;
                    ask.works.extend(["W1", "W2"]);
                }
            }
        } else if full && film {
            ask.works.splice(0..0, ["W1", "W2", "W3", "W4"]);
        }
        ask.works.sort_unstable();
        ask.works.dedup();
        ask.seconds = if quick { 60 } else { 240 };
        ask.runs = ask.runs.or(quick.then_some(3));
        Ok(ask)
    }
}
