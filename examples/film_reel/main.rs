//! A reel of a film, built in Rust: cues against picture, excerpts, automation, and everything it delivers. Its twin as a
//! session file lies beside what it writes, in `target/film_reel`.

mod lighthouse;
mod stems;
#[cfg(test)]
mod tests;

use soundtrack::{Delivery, Plan};
use std::{fs, path::Path};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = Path::new("target/film_reel");
    stems::write(&folder.join("stems"))?;
    fs::write(
        folder.join("lighthouse.toml"),
        include_str!("lighthouse.toml"),
    )?;
    let film = lighthouse::session(folder)?;
    println!("{}", Plan::compile(&film)?);
    let done = Delivery::new().overwrite(true).run(&film)?;
    println!("{done}");
    done.warnings()
        .iter()
        .for_each(|warning| println!("{warning}"));
    Ok(())
}
