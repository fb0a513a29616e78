use rodio::{Decoder, Source, mixer::mixer};
use std::{error::Error, io::Cursor};

fn mix(bass: Vec<u8>, lead: Vec<u8>) -> Result<Vec<u8>, Box<dyn Error>> {
    let (sum, mixed) = mixer(2.try_into()?, 48_000.try_into()?);
    sum.add(Decoder::new(Cursor::new(bass))?);
    sum.add(Decoder::new(Cursor::new(lead))?.amplify_decibel(-6.0));
    let mut wav = Cursor::new(Vec::new());
    rodio::wav_to_writer(mixed, &mut wav)?;
    Ok(wav.into_inner())
}

fn main() -> Result<(), Box<dyn Error>> {
    let wav = mix(std::fs::read("bass.wav")?, std::fs::read("lead.wav")?)?;
    std::fs::write("mix.wav", wav)?;
    Ok(())
}
