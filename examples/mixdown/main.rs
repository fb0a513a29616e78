//! Writes the demo's stems and lists them.

mod demo;

fn main() -> std::io::Result<()> {
    for stem in demo::write_stems("target/demo/stems".as_ref())? {
        println!(
            "{:8} {:5.1} dB  pan {:+.2}  -> {:7} {}",
            stem.name,
            stem.gain_db,
            stem.pan,
            stem.bus,
            stem.file.display()
        );
    }
    Ok(())
}
