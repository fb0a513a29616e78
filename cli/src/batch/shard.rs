//! A shard: every N-th line of the list. Index and count come from the command line or the scheduler, never from a guess.

use super::{
    args::MAX_SHARDS,
    scheduler_variables::{self, Variables},
};

/// One of `count` shards. Line i of the list belongs to the shard with index i mod count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    pub index: u64,
    pub count: u64,
}

impl Shard {
    /// The whole list.
    pub const WHOLE: Self = Self { index: 0, count: 1 };

    /// Parses `I/N`, such as `3/200`.
    ///
    /// # Errors
    /// A sentence for anything else, and for an index that is not below the count.
    pub fn parse(text: &str) -> Result<Self, String> {
        let numbers = text
            .split_once('/')
            .and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        match numbers {
            Some((index, count)) if (1..=MAX_SHARDS).contains(&count) && index < count => {
                Ok(Self { index, count })
            }
            Some((index, count)) if index >= count => Err(format!(
                "--shard {text}: there is no shard {index} of {count}; shards are counted from 0"
            )),
            _ => Err(format!("--shard {text}: should be I/N, like 3/200")),
        }
    }

    /// Returns the shard of the option `--shard`, or else that of the scheduler's variables.
    ///
    /// # Errors
    /// A sentence for options and variables that do not give exactly one shard.
    pub fn from_options(
        shard: Option<&str>,
        shards: Option<u64>,
        variables: &Variables,
    ) -> Result<Self, String> {
        match shard {
            Some(text) => Self::parse(text),
            None => scheduler_variables::shard(shards, variables),
        }
    }
}
