//! Renders a reel of a film that is built in Rust: cues against picture, excerpts, automation and deliverables. Writes the same
//! session as a file beside the outputs, to `target/film_reel`, and with it `delivery.toml`: a session of the same stems with
//! every kind of deliverable, for `mixdown target/film_reel/delivery.toml`.

mod lighthouse;
mod stems;
#[cfg(test)]
mod tests;

use soundtrack::{Delivery, Plan};
use std::{fs, path::Path};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if std::env::args().any(|argument| matches!(argument.as_str(), "-h" | "--help")) {
        println!(
            "Writes the stems and the session of a film reel into target/film_reel, and delivers it."
        );
        return Ok(());
    }
    let folder = Path::new("target/film_reel");
    stems::write(&folder.join("stems"))?;
    fs::write(
        folder.join("lighthouse.toml"),
        include_str!("lighthouse.toml"),
    )?;
    fs::write(
        folder.join("delivery.toml"),
        include_str!("../sessions/lighthouse.toml"),
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
