//! A shard: every N-th line of the list. Which one, and of how many, is told or found, and never guessed.

use super::{args::MOST_SHARDS, scheduler};
use std::collections::BTreeMap;

/// Line i belongs to the shard whose index is i mod count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    pub index: u64,
    pub count: u64,
}

impl Shard {
    pub const WHOLE: Self = Self { index: 0, count: 1 };

    /// `3/200`
    pub fn parse(text: &str) -> Result<Self, String> {
        let numbers = text
            .split_once('/')
            .and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        match numbers {
            Some((index, count)) if (1..=MOST_SHARDS).contains(&count) && index < count => {
                Ok(Self { index, count })
            }
            Some((index, count)) if index >= count => Err(format!(
                "--shard {text}: there is no shard {index} of {count}: they are counted from 0"
            )),
            _ => Err(format!("--shard {text}: should be I/N, like 3/200")),
        }
    }

    /// The shard that was asked for on the command line, or by the one scheduler whose variables are there.
    pub fn asked(
        shard: Option<&str>,
        shards: Option<u64>,
        variables: &BTreeMap<String, String>,
    ) -> Result<Self, String> {
        match shard {
            Some(text) => Self::parse(text),
            None => scheduler::shard(shards, variables),
        }
    }
}
