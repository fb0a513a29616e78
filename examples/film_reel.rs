//! A reel of a film, built in Rust: cues against picture, excerpts, automation, and everything it delivers. Its twin as a
//! session file lies beside what it writes, in `target/film_reel`.

#[path = "mixdown/demo/aiff.rs"]
mod aiff;
#[path = "mixdown/demo/caf.rs"]
mod caf;
#[path = "mixdown/demo/encode.rs"]
#[expect(dead_code, reason = "a reel has stems of fewer formats than the demo")]
mod encode;
#[path = "film_reel/lighthouse.rs"]
mod lighthouse;
#[path = "mixdown/demo/musical.rs"]
mod musical;
#[path = "film_reel/stems.rs"]
mod stems;

use soundtrack::{Delivery, Plan};
use std::{fs, path::Path};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = Path::new("target/film_reel");
    stems::write(&folder.join("stems"))?;
    fs::write(
        folder.join("lighthouse.toml"),
        include_str!("../tests/session_file/lighthouse.toml"),
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
